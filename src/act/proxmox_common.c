#include "act/proxmox_common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* /cluster/resources of a large cluster; the job's own arena is smaller. */
#define SCRATCH_BYTES ((size_t)64 * 1024 * 1024)
#define LOOK_MS 15000
/* A start task began at most so long before the guest's uptime did. */
#define START_TASK_S 300

__attribute__((format(printf, 2, 0))) static void say(
	struct proxmox_scene *scene, const char *fmt, va_list args)
{
	char text[480];
	vsnprintf(text, sizeof(text), fmt, args);
	str_copy(scene->text, scene->size, text);
}

enum act_result proxmox_say(
	struct proxmox_scene *scene, enum act_result result, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	say(scene, fmt, args);
	va_end(args);
	return result;
}

enum look_result proxmox_look_say(
	struct proxmox_scene *scene, enum look_result result, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	say(scene, fmt, args);
	va_end(args);
	return result;
}

bool proxmox_scene_open(struct proxmox_scene *scene)
{
	const struct config *config = scene->context->config;
	struct err err = {0};
	scene->ha_lost = NULL;
	err_set(&err, ERR_GONE, "%s is not configured any more", scene->plan->source);
	for (int i = 0; i < config->proxmox_count && scene->proxmox == NULL; i++)
		if (str_starts(scene->plan->source, "proxmox:") &&
			str_equal(scene->plan->source + strlen("proxmox:"), config->proxmox[i].name))
			scene->proxmox = proxmox_open(
				&config->proxmox[i], scene->context->clock, scene->context->stop_fd, &err);
	if (scene->proxmox == NULL)
		str_copy(scene->text, scene->size, err.text);
	return scene->proxmox != NULL;
}

void proxmox_scene_close(struct proxmox_scene *scene)
{
	proxmox_close(scene->proxmox);
	scene->proxmox = NULL;
}

/* "lxc/104" */
static bool parse_native(struct proxmox_scene *scene)
{
	const char *native = scene->plan->native, *slash = strchr(native, '/');
	bool is_ct = str_starts(native, "lxc/");
	if (slash == NULL || (!is_ct && !str_starts(native, "qemu/")))
		return false;
	scene->at.kind = is_ct ? PROXMOX_LXC : PROXMOX_QEMU;
	scene->at.vmid = (int)strtol(slash + 1, NULL, 10);
	return scene->at.vmid > 0;
}

enum act_result proxmox_quorum_demand(struct proxmox_scene *scene)
{
	auto_arena arena = arena_new(SCRATCH_BYTES);
	struct proxmox_cluster cluster;
	struct err err = {0};
	if (!proxmox_cluster(scene->proxmox, LOOK_MS, arena, &cluster, &err))
		return proxmox_say(scene, ACT_FAILED, "%s", err.text);
	if (!cluster.quorate)
		return proxmox_say(scene, ACT_HELD, "the cluster has no quorum");
	return ACT_DONE;
}

/* Lists leave out what we may not see, without a word: to be asked by name tells it apart. */
static enum act_result absent(struct proxmox_scene *scene, const struct proxmox_look *look)
{
	struct err err = {0};
	if (look->denied[0] != '\0')
		return proxmox_say(scene, ACT_FAILED, "guest %d can't be seen: %s is missing",
			scene->at.vmid, look->denied);
	for (int i = 0; i < look->node_count; i++) {
		if (look->nodes[i].state != PROXMOX_ONLINE)
			continue;
		STR_SET(scene->node, look->nodes[i].name);
		scene->at.node = scene->node;
		/* Seen after all: it was made, or allowed, this moment. */
		if (proxmox_guest_status(scene->proxmox, scene->at, &scene->guest, &err))
			return ACT_DONE;
		if (err.kind != ERR_GONE)
			return proxmox_say(scene, ACT_FAILED, "%s", err.text);
	}
	return proxmox_say(scene, ACT_GONE, "guest %d does not exist any more", scene->at.vmid);
}

/* Into scene->node, by the cluster's own list. */
static enum act_result locate(struct proxmox_scene *scene, bool *read)
{
	auto_arena arena = arena_new(SCRATCH_BYTES);
	struct proxmox_look look;
	struct err err = {0};
	*read = false;
	if (!proxmox_look(scene->proxmox, LOOK_MS, arena, &look, &err))
		return proxmox_say(scene, ACT_FAILED, "%s", err.text);
	const struct proxmox_guest *guest = proxmox_guest_find(&look, scene->at.vmid);
	if (guest == NULL) {
		enum act_result result = absent(scene, &look);
		*read = result == ACT_DONE;
		return result;
	}
	if (guest->kind != scene->at.kind)
		return proxmox_say(scene, ACT_GONE, "guest %d is another one now: a %s", scene->at.vmid,
			guest->kind == PROXMOX_LXC ? "container" : "virtual machine");
	STR_SET(scene->node, guest->node);
	scene->at.node = scene->node;
	scene->cpu = guest->cpu;
	if (!guest->lost)
		return ACT_DONE;
	scene->ha_lost = arena_strdup(scene->context->arena, guest->ha_state);
	return proxmox_say(scene, ACT_HELD, "its node %s is not online%s%s", scene->node,
		guest->ha_state[0] != '\0' ? ": HA is to bring it back: " : "", guest->ha_state);
}

/* Between the list and the question it may move: the list is read once more then. */
static enum act_result find(struct proxmox_scene *scene)
{
	struct err err = {0};
	if (!parse_native(scene))
		return proxmox_say(scene, ACT_FAILED, "\"%s\" is no guest", scene->plan->native);
	for (int tried = 0; tried < 2; tried++) {
		bool read;
		enum act_result result = locate(scene, &read);
		if (result != ACT_DONE || read)
			return result;
		err = (struct err){0};
		if (proxmox_guest_status(scene->proxmox, scene->at, &scene->guest, &err))
			return ACT_DONE;
		if (err.kind != ERR_GONE)
			return proxmox_say(scene, ACT_FAILED, "%s", err.text);
	}
	return proxmox_say(scene, ACT_GONE, "%s", err.text);
}

enum act_result proxmox_guest_refresh(struct proxmox_scene *scene)
{
	struct err err = {0};
	if (proxmox_guest_status(scene->proxmox, scene->at, &scene->guest, &err))
		return ACT_DONE;
	return proxmox_say(scene, err.kind == ERR_GONE ? ACT_GONE : ACT_FAILED, "%s", err.text);
}

static enum act_result act_where_it_is(struct proxmox_scene *scene, proxmox_act_fn *act)
{
	char before[sizeof(scene->node)];
	for (int tried = 0;; tried++) {
		STR_SET(before, scene->node);
		char words[480];
		str_copy(words, sizeof(words), scene->text);
		enum act_result result = find(scene);
		if (result != ACT_DONE)
			return result;
		/* "does not exist" can be said of a guest's disk, too. */
		if (tried > 0 && str_equal(before, scene->node))
			return proxmox_say(scene, ACT_FAILED, "%s", words);
		if (scene->guest.template)
			return proxmox_say(scene, ACT_REFUSED, "it is a template");
		result = act(scene);
		if (result != ACT_GONE || tried > 0)
			return result;
	}
}

enum act_result proxmox_guest_act(struct proxmox_scene *scene, bool quorum, proxmox_act_fn *act)
{
	if (!proxmox_scene_open(scene))
		return ACT_FAILED;
	enum act_result result = quorum ? proxmox_quorum_demand(scene) : ACT_DONE;
	if (result == ACT_DONE)
		result = act_where_it_is(scene, act);
	proxmox_scene_close(scene);
	return result;
}

static bool ha_is_at_work(const char *state)
{
	static const char *const states[] = {"fence", "recovery", "migrate", "relocate", "freeze",
		"queued", "starting", "request_start", "request_start_balance", "request_stop"};
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (str_equal(state, states[i]))
			return true;
	return false;
}

enum act_result proxmox_guest_free(struct proxmox_scene *scene)
{
	const struct proxmox_guest_status *guest = &scene->guest;
	if (guest->ha_managed && ha_is_at_work(guest->ha_state))
		return proxmox_say(scene, ACT_HELD, "HA is at work on it: %s", guest->ha_state);
	if (str_equal(guest->lock, "suspended"))
		return proxmox_say(
			scene, ACT_REFUSED, "it is suspended to disk: somebody means it to stand still");
	if (guest->lock[0] != '\0')
		return proxmox_say(scene, ACT_HELD, "locked (%s)", guest->lock);
	return ACT_DONE;
}

/* What HA says of the guest that it has given up. */
static enum act_result given_up(struct proxmox_scene *scene)
{
	auto_arena arena = arena_new(SCRATCH_BYTES);
	struct proxmox_ha ha;
	struct err err = {0};
	const char *wants = "not known";
	const char *sid = scene->at.kind == PROXMOX_LXC ? "ct" : "vm";
	if (proxmox_ha(scene->proxmox, arena, &ha, &err))
		for (int i = 0; i < ha.count; i++)
			if (ha.services[i].vmid == scene->at.vmid)
				wants = ha.services[i].request_state;
	return proxmox_say(scene, ACT_FAILED,
		"HA has given it up: state error, requested: %s. When its cause is mended: ha-manager set "
		"%s:%d --state disabled, then --state started",
		wants, sid, scene->at.vmid);
}

enum act_result proxmox_guest_ready(struct proxmox_scene *scene)
{
	if (scene->guest.ha_managed && str_equal(scene->guest.ha_state, "error"))
		return given_up(scene);
	if (scene->guest.state == PROXMOX_PAUSED)
		return proxmox_say(
			scene, ACT_REFUSED, "it is paused: somebody means it to stand still (resume it first)");
	return proxmox_guest_free(scene);
}

/* "(500)": the server has answered, and said no. Without it, nobody knows. */
bool proxmox_not_done(const struct proxmox_scene *scene, const struct err *err)
{
	if (proxmox_unsent(scene->proxmox) || err->kind == ERR_DENIED || err->kind == ERR_GONE)
		return true;
	if (err->kind == ERR_TIMEOUT || err->kind == ERR_CANCELLED)
		return false;
	for (const char *at = strchr(err->text, '('); at != NULL; at = strchr(at + 1, '('))
		if ((at[1] == '4' || at[1] == '5') && strspn(at + 1, "0123456789") == 3 && at[4] == ')')
			return true;
	return false;
}

static bool is_no_quorum(const char *words)
{
	return strstr(words, "no quorum") != NULL ||
		(strstr(words, "/etc/pve/") != NULL && strstr(words, "Permission denied") != NULL);
}

/* "VM is locked (backup)" → "locked (backup)" */
static enum act_result locked(struct proxmox_scene *scene, const char *words)
{
	const char *at = strstr(words, "locked (");
	size_t length = at != NULL ? strcspn(at, ")") : 0;
	if (length == 0 || length > 40)
		return proxmox_say(scene, ACT_HELD, "locked");
	return proxmox_say(scene, ACT_HELD, "%.*s)", (int)length, at);
}

/* What the words of a refusal, at once or in the task, mean for the plan. */
static enum act_result refused(
	struct proxmox_scene *scene, enum proxmox_cause cause, const char *words)
{
	scene->cause = cause;
	if (is_no_quorum(words))
		return proxmox_say(scene, ACT_HELD, "the cluster has no quorum");
	if (scene->cause == PROXMOX_LOCKED)
		return locked(scene, words);
	if (scene->cause == PROXMOX_BUSY)
		return proxmox_say(scene, ACT_HELD, "another task holds its lock file");
	return proxmox_say(
		scene, scene->cause == PROXMOX_NO_GUEST ? ACT_GONE : ACT_FAILED, "%s", words);
}

enum act_result proxmox_task_end(struct proxmox_scene *scene, bool begun, const char *upid,
	int64_t timeout_ms, const struct err *err)
{
	struct proxmox_result result = {0};
	struct proxmox_upid parsed;
	struct err why = {0};
	scene->task_type[0] = scene->note[0] = '\0';
	scene->cause = PROXMOX_OTHER;
	if (!begun && !proxmox_not_done(scene, err))
		return proxmox_say(scene, ACT_UNKNOWN, "%s", err->text);
	if (!begun)
		return refused(scene, proxmox_cause(err->text), err->text);
	if (proxmox_upid_parse(upid, &parsed, &why))
		STR_SET(scene->task_type, parsed.type);
	/* It was begun: whatever hides its end from us, it may have been done. */
	if (!proxmox_task_wait(scene->proxmox, upid, timeout_ms, &result, &why)) {
		/* without the long path of its id */
		const char *at = strstr(why.text, "/status: ");
		return proxmox_say(scene, ACT_UNKNOWN, "it was begun, its end was not seen: %s",
			at != NULL ? at + strlen("/status: ") : why.text);
	}
	if (!result.ok)
		return refused(scene, result.cause, result.note);
	STR_SET(scene->note, result.note);
	return ACT_DONE;
}

enum act_result proxmox_power_end(
	struct proxmox_scene *scene, enum proxmox_power power, int wait_s, int64_t timeout_ms)
{
	char upid[PROXMOX_UPID_BYTES] = "";
	struct err err = {0};
	bool begun = proxmox_power(scene->proxmox, scene->at, power, wait_s, upid, &err);
	return proxmox_task_end(scene, begun, upid, timeout_ms, &err);
}

bool proxmox_left_to_ha(const struct proxmox_scene *scene)
{
	return str_starts(scene->task_type, "ha");
}

const char *proxmox_note(const struct proxmox_scene *scene)
{
	return scene->note[0] == '\0'
		? ""
		: arena_printf(scene->context->arena, ", with warnings: %s", scene->note);
}

enum look_result proxmox_guest_look(struct proxmox_scene *scene)
{
	if (!proxmox_scene_open(scene))
		return LOOK_BLIND;
	enum act_result found = find(scene);
	if (found == ACT_GONE)
		return LOOK_MEANT;
	if (found == ACT_HELD && scene->ha_lost != NULL && scene->ha_lost[0] != '\0')
		return LOOK_NOT_YET;
	if (found != ACT_DONE)
		return LOOK_BLIND;
	if (scene->guest.template)
		return proxmox_look_say(scene, LOOK_MEANT, "it is a template");
	return LOOK_HEALTHY;
}

/* Of the node's tasks for this guest; NULL: they can't be read. */
static const struct proxmox_task_list *tasks_of(struct proxmox_scene *scene, struct arena *arena)
{
	struct proxmox_task_list *list = ARENA_NEW(arena, struct proxmox_task_list);
	const struct proxmox_task_filter filter = {.node = scene->node, .vmid = scene->at.vmid};
	struct err ignored = {0};
	return proxmox_node_tasks(scene->proxmox, &filter, arena, list, &ignored) ? list : NULL;
}

static bool is_of(const struct proxmox_task *task, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strstr(task->type, *words) != NULL)
			return true;
	return false;
}

const char *proxmox_task_at_work(struct proxmox_scene *scene, const char *const *words)
{
	auto_arena arena = arena_new(SCRATCH_BYTES);
	const struct proxmox_task_list *list = tasks_of(scene, arena);
	for (int i = 0; list != NULL && i < list->count; i++) {
		const struct proxmox_task *task = &list->rows[i];
		if (task->ended_s == 0 && task->status[0] == '\0' && is_of(task, words))
			return arena_strdup(scene->context->arena, task->type);
	}
	return "";
}

static const char *const starting[] = {"start", "reboot", "rollback", NULL};

/* Its uptime comes in whole seconds, late by a round trip, and so never twice the same; the start
 * task's own time is. 0: it was started without one. */
static int64_t started_ms(struct proxmox_scene *scene)
{
	auto_arena arena = arena_new(SCRATCH_BYTES);
	const struct proxmox_task_list *list = tasks_of(scene, arena);
	int64_t up_s = clock_wall_ms(scene->context->clock) / 1000 - scene->guest.uptime_s;
	for (int i = 0; list != NULL && i < list->count; i++) {
		const struct proxmox_task *task = &list->rows[i];
		if (is_of(task, starting) && !str_starts(task->type, "ha") &&
			task->started_s > up_s - START_TASK_S && task->started_s <= up_s + 5)
			return task->started_s * 1000;
	}
	return 0;
}

static enum look_result judge_stopped(struct proxmox_scene *scene)
{
	const struct proxmox_guest_status *guest = &scene->guest;
	const char *task = proxmox_task_at_work(scene, starting);
	if (task[0] != '\0')
		return proxmox_look_say(scene, LOOK_NOT_YET, "its task %s runs", task);
	if (guest->lock[0] != '\0')
		return proxmox_look_say(scene, LOOK_MEANT, "it is stopped and locked (%s)", guest->lock);
	if (guest->ha_managed && str_equal(guest->ha_state, "error"))
		return proxmox_look_say(scene, LOOK_UNHEALTHY, "HA has given it up: state error");
	if (guest->ha_managed &&
		(ha_is_at_work(guest->ha_state) || str_equal(guest->ha_state, "started")))
		return proxmox_look_say(
			scene, LOOK_NOT_YET, "it is stopped, and HA is to start it: %s", guest->ha_state);
	return proxmox_look_say(scene, LOOK_UNHEALTHY, "it is stopped");
}

enum look_result proxmox_look_runs(struct proxmox_scene *scene, int64_t *since_ms)
{
	const struct proxmox_guest_status *guest = &scene->guest;
	const char *qmp = guest->qmp_status;
	switch (guest->state) {
	case PROXMOX_GUEST_UNKNOWN:
		return proxmox_look_say(scene, LOOK_BLIND, "its state is not known");
	case PROXMOX_PAUSED:
		return proxmox_look_say(scene, LOOK_MEANT, "it is paused");
	case PROXMOX_STOPPED:
		return judge_stopped(scene);
	case PROXMOX_RUNNING:
		break;
	}
	if (str_equal(qmp, "io-error") || str_equal(qmp, "internal-error") ||
		str_equal(qmp, "guest-panicked"))
		return proxmox_look_say(scene, LOOK_UNHEALTHY, "it stands still: %s", qmp);
	if (str_equal(qmp, "prelaunch") || str_equal(qmp, "inmigrate"))
		return proxmox_look_say(scene, LOOK_NOT_YET, "it is not running yet: %s", qmp);
	char up[32];
	str_duration(up, (guest->uptime_s > 0 ? guest->uptime_s : 0) * 1000);
	*since_ms = started_ms(scene);
	return proxmox_look_say(scene, LOOK_HEALTHY, "running for %s", up);
}
