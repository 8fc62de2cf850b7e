/*
 * The agent within a virtual machine. A command is begun at once and ends in its own time; what it
 * gave is told once, and forgotten then, as qemu-ga does. It dies with its guest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_script.h"

static bool agent_answers(struct pve_call *call)
{
	const struct pve_guest *guest = pve_guest_here(call);
	if (guest == NULL)
		return false;
	if (!guest->running) {
		pve_fail(call, 500, "VM %d is not running", guest->vmid);
	} else if (guest->agent == PVE_AGENT_NONE) {
		pve_fail(call, 500, "No QEMU guest agent configured");
	} else if (guest->agent == PVE_AGENT_ABSENT || guest->paused) {
		call->reply->held_ms = 3000;
		pve_fail(call, 500, "QEMU guest agent is not running");
	}
	return !call->answered;
}

static void ping(struct pve_call *call)
{
	if (agent_answers(call))
		pve_raw(call, "{\"result\":{}}");
}

static void fstrim(struct pve_call *call)
{
	if (agent_answers(call))
		pve_raw(
			call, "{\"result\":{\"paths\":[{\"path\":\"/\",\"trimmed\":1048576,\"minimum\":0}]}}");
}

/* What is installed there, how long it takes and what it says. */
static const struct {
	const char *name;
	int64_t takes_ms;
	int exit_code;
	const char *out, *complaint;
} installed[] = {
	{"cat", 50, 1, "", "cat: /nonexistent: No such file or directory\n"},
	{"df", 80, 0,
		"Filesystem     1K-blocks   Used Available Use% Mounted on\n"
		"/dev/sda1       20509264 813420  18629032   5% /\n",
		""},
	{"echo", 30, 0, "\n", ""},
	{"false", 30, 1, "", ""},
	{"free", 60, 0,
		"               total        used        free\nMem:          158540       60124       "
		"98416\n",
		""},
	{"ls", 50, 0, "bin\netc\nvar\n", ""},
	{"ps", 150, 0,
		"%CPU %MEM     PID COMMAND\n 1.2  2.0     311 nginx\n 0.1  0.9       1 systemd\n", ""},
	{"sh", 300, 0, "", ""},
	{"sleep", 0, 0, "", ""},
	{"systemctl", 900, 0, "", ""},
	{"top", 1100, 0,
		"Mem: 60124K used, 98416K free\nCPU:   1% usr   0% sys   0% nic  98% idle\n"
		"  PID  PPID USER     STAT   VSZ %VSZ %CPU COMMAND\n"
		"  311     1 www      S     9120   6%   1% nginx\n",
		""},
	{"true", 30, 0, "", ""},
	{"uname", 30, 0, "Linux\n", ""},
	{"uptime", 40, 0, " 21:04:15 up 1:02,  0 users,  load average: 0.05, 0.03, 0.01\n", ""},
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* The n-th word of the command, from 0; NULL: it has fewer. */
static const char *word_of(const struct pve_call *call, int n)
{
	for (int i = 0; i < call->param_count; i++)
		if (strcmp(call->params[i].name, "command") == 0 && n-- == 0)
			return call->params[i].value;
	return NULL;
}

static struct pve_process *add_process(struct sim_proxmox *sim, int vmid)
{
	sim->processes = pve_more(sim->processes, sim->process_count, sizeof(*sim->processes));
	struct pve_process *made = &sim->processes[sim->process_count++];
	made->pid = 150 + ++sim->last_process;
	made->vmid = vmid;
	return made;
}

/* What the script has in mind for the next command of this guest. */
static bool take_plan(struct sim_proxmox *sim, struct pve_process *made)
{
	if (!sim->has_next_process || sim->next_process.vmid != made->vmid)
		return false;
	int pid = made->pid;
	int64_t takes_ms = sim->next_process.due_ms;
	*made = sim->next_process;
	made->pid = pid;
	made->due_ms = sim->now_ms + takes_ms;
	sim->has_next_process = false;
	return true;
}

static void exec(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	const char *name = base_name(word_of(call, 0)), *seconds = word_of(call, 1);
	size_t at = 0, count = sizeof(installed) / sizeof(installed[0]);
	if (!agent_answers(call))
		return;
	while (at < count && strcmp(installed[at].name, name) != 0)
		at++;
	/* The agent's words on a missing binary have curly quotes, which end the real worker. */
	if (at == count) {
		pve_bare(call, 596, "Broken pipe", 5100);
		return;
	}
	struct pve_process *made = add_process(sim, call->vmid);
	if (!take_plan(sim, made)) {
		bool sleeps = strcmp(name, "sleep") == 0 && seconds != NULL;
		made->due_ms = sim->now_ms +
			(sleeps ? (int64_t)(strtod(seconds, NULL) * 1000) : installed[at].takes_ms);
		made->exit_code = installed[at].exit_code;
		STR_SET(made->out, installed[at].out);
		STR_SET(made->complaint, installed[at].complaint);
	}
	made->boot_ms = pve_guest_find(sim, call->vmid)->start_ms;
	pve_raw(call, arena_printf(call->arena, "{\"pid\":%d}", made->pid));
}

static void put_end(struct pve_call *call, const struct pve_process *process)
{
	struct json_out *out = pve_begin(call, '{');
	json_put_int(out, "exited", 1);
	/* by a signal, or by itself: never both */
	if (process->signal > 0)
		json_put_int(out, "signal", process->signal);
	else
		json_put_int(out, "exitcode", process->exit_code);
	if (process->out[0] != '\0')
		json_put_str(out, "out-data", process->out);
	if (process->complaint[0] != '\0')
		json_put_str(out, "err-data", process->complaint);
	if (process->is_truncated)
		json_put_int(out, "out-truncated", 1);
	pve_end(call, '}');
}

static void exec_status(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	if (!agent_answers(call))
		return;
	int64_t booted_ms = pve_guest_find(sim, call->vmid)->start_ms;
	int at = 0, pid = (int)pve_number(call, "pid", 0);
	while (at < sim->process_count &&
		(sim->processes[at].pid != pid || sim->processes[at].vmid != call->vmid ||
			sim->processes[at].boot_ms != booted_ms))
		at++;
	if (at == sim->process_count) {
		pve_fail(call, 500, "Agent error: PID ld does not exist"); /* sic */
		return;
	}
	if (sim->now_ms < sim->processes[at].due_ms) {
		pve_raw(call, "{\"exited\":0}");
		return;
	}
	put_end(call, &sim->processes[at]);
	sim->processes[at] = sim->processes[--sim->process_count];
}

bool pve_next_command(struct pve_line *line)
{
	const struct pve_guest *guest = pve_line_guest(line, 1);
	const char *out = strstr(line->whole, " out="), *complaint = strstr(line->whole, " err=");
	struct pve_process *next = &line->sim->next_process;
	if (guest == NULL)
		return false;
	*next = (struct pve_process){.vmid = guest->vmid,
		.due_ms = (int64_t)pve_line_number(line, "takes", 100),
		.exit_code = (int)pve_line_number(line, "exit", 0),
		.signal = (int)pve_line_number(line, "signal", 0),
		.is_truncated = pve_line_has(line, "truncated")};
	STR_SET(next->out, out != NULL ? out + strlen(" out=") : "");
	STR_SET(next->complaint, complaint != NULL ? complaint + strlen(" err=") : "");
	line->sim->has_next_process = true;
	return true;
}

static const struct pve_rule exec_rules[] = {{"command", 'a', true, NULL, 0, 0},
	{"input-data", 's', false, NULL, 0, 65536}, {NULL, 0, false, NULL, 0, 0}};
static const struct pve_rule pid_rules[] = {
	{"pid", 'i', true, NULL, 0, -1}, {NULL, 0, false, NULL, 0, 0}};

#define AGENT "/nodes/{node}/qemu/{vmid}/agent/"
const struct pve_route pve_routes_agent[] = {
	{"POST", AGENT "ping", "/vms/{vmid} VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted", true, true,
		NULL, ping},
	{"POST", AGENT "fstrim", "/vms/{vmid} VM.GuestAgent.FileSystemMgmt|VM.GuestAgent.Unrestricted",
		true, true, NULL, fstrim},
	{"POST", AGENT "exec", "/vms/{vmid} VM.GuestAgent.Unrestricted", true, true, exec_rules, exec},
	{"GET", AGENT "exec-status", "/vms/{vmid} VM.GuestAgent.Unrestricted", true, true, pid_rules,
		exec_status},
	{NULL, NULL, NULL, false, false, NULL, NULL},
};
