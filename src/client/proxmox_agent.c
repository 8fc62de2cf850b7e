/* The guest agent of a virtual machine. */
#include "client/proxmox_internal.h"

#include <string.h>

#include "base/str.h"

#define ARGUMENTS_MAX 64
#define POLL_FIRST_MS 200
#define POLL_MAX_MS 2000

static bool call(struct proxmox *proxmox, struct proxmox_at at, const char *rest,
	int64_t timeout_ms, struct err *err)
{
	auto_arena arena = arena_new((size_t)4 * 1024 * 1024);
	struct json data;
	const struct proxmox_question question = {
		.method = "POST", .path = proxmox_guest_path(arena, at, rest), .timeout_ms = timeout_ms};
	return proxmox_ask(proxmox, &question, arena, &data, err);
}

bool proxmox_agent_ping(struct proxmox *proxmox, struct proxmox_at at, struct err *err)
{
	return call(proxmox, at, "/agent/ping", PROXMOX_NODE_TIMEOUT_MS, err);
}

bool proxmox_agent_fstrim(struct proxmox *proxmox, struct proxmox_at at, struct err *err)
{
	return call(proxmox, at, "/agent/fstrim", (int64_t)120000, err);
}

/* The command is an array: one command= for each argument. */
static bool begin(struct proxmox *proxmox, struct proxmox_at at, const char *const *argv,
	struct arena *arena, int64_t *pid, struct err *err)
{
	struct proxmox_param params[ARGUMENTS_MAX + 1] = {{NULL, NULL}};
	struct json data;
	size_t n = 0;
	for (; argv[n] != NULL; n++) {
		if (n == ARGUMENTS_MAX)
			return err_set(err, ERR_INPUT, "%s: a command of more than %d words", proxmox->name,
				ARGUMENTS_MAX);
		params[n] = (struct proxmox_param){"command", argv[n]};
	}
	const struct proxmox_question question = {.method = "POST",
		.path = proxmox_guest_path(arena, at, "/agent/exec"),
		.params = params,
		.timeout_ms = PROXMOX_NODE_TIMEOUT_MS};
	if (!proxmox_ask(proxmox, &question, arena, &data, err))
		return false;
	*pid = json_int(json_get(data, "pid"), -1);
	return *pid > 0 ||
		err_set(
			err, ERR_INPUT, "%s: POST %s: the answer names no pid", proxmox->name, question.path);
}

static void take_end(struct json data, struct proxmox_exec *exec)
{
	*exec = (struct proxmox_exec){0};
	exec->exit_code = (int)json_int(json_get(data, "exitcode"), -1);
	exec->signal = (int)json_int(json_get(data, "signal"), 0);
	json_copy(json_get(data, "out-data"), exec->out, sizeof(exec->out));
	json_copy(json_get(data, "err-data"), exec->complaint, sizeof(exec->complaint));
	size_t out, complaint;
	json_raw(json_get(data, "out-data"), &out);
	json_raw(json_get(data, "err-data"), &complaint);
	exec->cut = json_bool(json_get(data, "out-truncated"), false) ||
		json_bool(json_get(data, "err-truncated"), false) ||
		(strlen(exec->out) == sizeof(exec->out) - 1 && out > sizeof(exec->out)) ||
		(strlen(exec->complaint) == sizeof(exec->complaint) - 1 &&
			complaint > sizeof(exec->complaint));
}

static bool ask_end(struct proxmox *proxmox, const char *path, struct proxmox_exec *exec,
	bool *ended, struct err *err)
{
	auto_arena arena = arena_new(PROXMOX_SCRATCH_BYTES);
	struct json data;
	if (!proxmox_get(proxmox, path, PROXMOX_NODE_TIMEOUT_MS, arena, &data, err))
		return false;
	*ended = json_bool(json_get(data, "exited"), false);
	if (*ended)
		take_end(data, exec);
	return true;
}

bool proxmox_agent_exec(struct proxmox *proxmox, struct proxmox_at at, const char *const *argv,
	int64_t timeout_ms, struct proxmox_exec *exec, struct err *err)
{
	auto_arena arena = arena_new((size_t)4 * 1024 * 1024);
	int64_t pid, waited = 0, end = clock_mono_ms(proxmox->clock) + timeout_ms;
	bool ended = false;
	if (!begin(proxmox, at, argv, arena, &pid, err))
		return false;
	const char *path = arena_printf(
		arena, "%s?pid=%lld", proxmox_guest_path(arena, at, "/agent/exec-status"), (long long)pid);
	for (int64_t pause = POLL_FIRST_MS;;
		 pause = pause * 2 < POLL_MAX_MS ? pause * 2 : POLL_MAX_MS) {
		if (!ask_end(proxmox, path, exec, &ended, err))
			return false;
		if (ended)
			return true;
		int64_t left = end - clock_mono_ms(proxmox->clock);
		if (left <= 0 || waited >= timeout_ms)
			return err_set(err, ERR_TIMEOUT, "%s: %s in guest %d has not ended in %lld s",
				proxmox->name, argv[0], at.vmid, (long long)(timeout_ms / 1000));
		pause = pause < left ? pause : left;
		waited += pause;
		if (!clock_wait(proxmox->clock, pause, proxmox->stop_fd))
			return err_set(err, ERR_CANCELLED, "%s: told to stop while %s runs in guest %d",
				proxmox->name, argv[0], at.vmid);
	}
}
