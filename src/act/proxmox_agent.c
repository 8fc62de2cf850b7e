/*
 * What the guest agent of a virtual machine does for us: trim its disks, answer, and tell the top
 * processes by a fixed command. What it prints is untrusted text. Containers have no agent.
 */
#include <stdio.h>
#include <string.h>

#include "act/proxmox_common.h"
#include "base/str.h"

#define EXEC_MS 30000
#define PROCESSES 5

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	(void)context;
	(void)err;
	str_format(text, size, "would ask the guest agent of %s to %s", plan->label,
		str_ends(plan->action, ".fstrim")          ? "trim its disks"
			: str_ends(plan->action, ".processes") ? "list its top processes"
												   : "answer");
	return true;
}

static enum act_result demand_agent(struct proxmox_scene *scene)
{
	if (scene->at.kind == PROXMOX_LXC)
		return proxmox_say(scene, ACT_REFUSED,
			"container %d has no guest agent: only virtual machines have one", scene->at.vmid);
	if (scene->guest.state == PROXMOX_PAUSED)
		return proxmox_say(scene, ACT_REFUSED, "it is paused: its agent cannot answer");
	if (scene->guest.state != PROXMOX_RUNNING)
		return proxmox_say(scene, ACT_REFUSED, "VM %d does not run", scene->at.vmid);
	return ACT_DONE;
}

/* What a call to the agent that failed means. */
static enum act_result no_agent(struct proxmox_scene *scene, const struct err *err)
{
	if (err->kind == ERR_GONE)
		return proxmox_say(scene, ACT_GONE, "%s", err->text);
	if (proxmox_cause(err->text) == PROXMOX_NO_AGENT)
		return proxmox_say(scene, ACT_FAILED,
			"the guest agent of VM %d does not answer: is qemu-guest-agent installed and running "
			"in "
			"it, and the option agent on?",
			scene->at.vmid);
	return proxmox_say(
		scene, proxmox_not_done(scene, err) ? ACT_FAILED : ACT_UNKNOWN, "%s", err->text);
}

static enum act_result trim(struct proxmox_scene *scene)
{
	struct err err = {0};
	enum act_result result = demand_agent(scene);
	if (result == ACT_DONE)
		result = proxmox_guest_free(scene);
	if (result != ACT_DONE)
		return result;
	if (!proxmox_agent_fstrim(scene->proxmox, scene->at, &err))
		return no_agent(scene, &err);
	return proxmox_say(scene, ACT_DONE, "Successfully trimmed the disks of VM %d", scene->at.vmid);
}

static enum act_result ping(struct proxmox_scene *scene)
{
	struct err err = {0};
	enum act_result result = demand_agent(scene);
	if (result != ACT_DONE)
		return result;
	if (proxmox_agent_ping(scene->proxmox, scene->at, &err))
		return proxmox_say(scene, ACT_DONE, "the guest agent of VM %d answers", scene->at.vmid);
	result = no_agent(scene, &err);
	/* A question changes nothing: no answer is a failure. */
	return result == ACT_UNKNOWN ? ACT_FAILED : result;
}

/* procps', and busybox', which does not know those options and sorts by CPU itself. */
static const char *const ps[] = {"ps", "-eo", "pcpu,pmem,pid,comm", "--sort=-pcpu", NULL};
static const char *const top[] = {"top", "-b", "-n", "1", NULL};

/* The first lines after the heading, as "97.0 3.1 1234 ffmpeg; …" */
static void add_processes(struct proxmox_scene *scene, const char *out)
{
	char line[64];
	int n = 0;
	str_format(scene->text, scene->size,
		"Top processes of VM %d (CPU %%, memory %%, pid): ", scene->at.vmid);
	bool heading = true;
	for (const char *at = out; *at != '\0' && n < PROCESSES;) {
		size_t length = strcspn(at, "\n"), used = 0;
		for (const char *c = at; c < at + length && used < sizeof(line) - 1; c++) {
			bool blank = (unsigned char)*c <= ' ' || *c == 0x7f;
			if (!blank || (used > 0 && line[used - 1] != ' '))
				line[used++] = blank ? ' ' : *c;
		}
		line[used] = '\0';
		at += length + (at[length] == '\n');
		if (used == 0 || heading) {
			heading = heading && strstr(line, "PID") == NULL;
			continue;
		}
		size_t said = strlen(scene->text);
		str_format(scene->text + said, scene->size - said, "%s%s", n++ > 0 ? "; " : "", line);
	}
}

static enum act_result processes(struct proxmox_scene *scene)
{
	struct proxmox_exec exec;
	struct err err = {0};
	enum act_result result = demand_agent(scene);
	if (result != ACT_DONE)
		return result;
	bool ok = proxmox_agent_exec(scene->proxmox, scene->at, ps, EXEC_MS, &exec, &err);
	if (ok && exec.exit_code != 0)
		ok = proxmox_agent_exec(scene->proxmox, scene->at, top, EXEC_MS, &exec, &err);
	if (!ok && strstr(err.text, "Broken pipe (596)") != NULL)
		return proxmox_say(scene, ACT_FAILED,
			"VM %d has no ps, as it seems: its node broke off when the agent was to run it (596)",
			scene->at.vmid);
	if (!ok) {
		result = no_agent(scene, &err);
		return result == ACT_UNKNOWN ? ACT_FAILED : result;
	}
	if (exec.exit_code != 0 || strstr(exec.out, "PID") == NULL)
		return proxmox_say(scene, ACT_FAILED, "VM %d does not list its processes (exit code %d)",
			scene->at.vmid, exec.exit_code);
	add_processes(scene, exec.out);
	return ACT_DONE;
}

#define SCENE \
	{ \
		.context = context, .plan = plan, .text = text, .size = size \
	}
#define RUN(name, act) \
	static enum act_result name( \
		const struct act_context *context, const struct plan *plan, char *text, size_t size) \
	{ \
		struct proxmox_scene scene = SCENE; \
		return proxmox_guest_act(&scene, false, act); \
	}
RUN(run_trim, trim)
RUN(run_ping, ping)
RUN(run_processes, processes)

/* Its CPU decides: to have looked at the processes heals nothing. */
static enum look_result judge_cpu(struct proxmox_scene *scene)
{
	const struct config_thresholds *limits = &scene->context->config->thresholds;
	double percent = scene->cpu * 100;
	if (percent < 0)
		return proxmox_look_say(scene, LOOK_BLIND, "its CPU usage is not known");
	return proxmox_look_say(scene,
		percent <= limits->guest_cpu - limits->hysteresis ? LOOK_HEALTHY : LOOK_UNHEALTHY,
		"it uses %.0f%% of its CPU", percent);
}

static enum look_result judge_agent(struct proxmox_scene *scene)
{
	struct err err = {0};
	if (scene->at.kind == PROXMOX_LXC)
		return proxmox_look_say(scene, LOOK_MEANT, "a container has no guest agent");
	if (proxmox_agent_ping(scene->proxmox, scene->at, &err))
		return proxmox_look_say(scene, LOOK_HEALTHY, "its agent answers");
	bool blind = proxmox_cause(err.text) != PROXMOX_NO_AGENT;
	return proxmox_look_say(scene, blind ? LOOK_BLIND : LOOK_UNHEALTHY, "%s", err.text);
}

static enum look_result look(struct proxmox_scene *scene, int64_t *since_ms, bool by_cpu)
{
	enum look_result seen = proxmox_guest_look(scene);
	if (seen == LOOK_HEALTHY)
		seen = proxmox_look_runs(scene, since_ms);
	if (seen == LOOK_HEALTHY)
		seen = by_cpu ? judge_cpu(scene) : judge_agent(scene);
	proxmox_scene_close(scene);
	return seen;
}

static enum look_result verify_agent(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct proxmox_scene scene = SCENE;
	return look(&scene, since_ms, false);
}

static enum look_result verify_cpu(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct proxmox_scene scene = SCENE;
	return look(&scene, since_ms, true);
}

const struct action proxmox_fstrim = {
	.info =
		{
			.name = "proxmox.guest.fstrim",
			.summary = "Trim a virtual machine's disks by its guest agent.",
			.title = "Trim the disks of {guest}",
			.done = "trimmed the disks of VM",
			.kind = COMPONENT_GUEST,
			.floor = RISK_LOW,
			.has_undo = false,
			.counts = false,
		},
	.check = check,
	.run = run_trim,
	.verify = verify_agent,
};
const struct action proxmox_ping = {
	.info =
		{
			.name = "proxmox.guest.ping",
			.summary = "Ask a virtual machine's guest agent whether it answers.",
			.title = "Ping the agent of {guest}",
			.done = "pinged the agent of VM",
			.kind = COMPONENT_GUEST,
			.floor = RISK_LOW,
			.has_undo = false,
			.counts = false,
		},
	.check = check,
	.run = run_ping,
	.verify = verify_agent,
};
const struct action proxmox_processes = {
	.info =
		{
			.name = "proxmox.guest.processes",
			.summary = "List a virtual machine's top processes by CPU, by its guest agent.",
			.title = "List the top processes of {guest}",
			.done = "listed the processes of VM",
			.kind = COMPONENT_GUEST,
			.floor = RISK_LOW,
			.has_undo = false,
			.counts = false,
		},
	.check = check,
	.run = run_processes,
	.verify = verify_cpu,
};
