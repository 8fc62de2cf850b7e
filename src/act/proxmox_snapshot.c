/*
 * Snapshots of a guest, without RAM: take one, go back to one, delete one. Ours begin with
 * "homeostat-"; no other is ever taken or deleted. A rollback leaves a guest stopped by itself: one
 * that ran is started again.
 */
#include <string.h>

#include "act/proxmox_common.h"
#include "base/str.h"

#define SCRATCH_BYTES ((size_t)16 * 1024 * 1024)
#define OURS "homeostat-"
#define TASK_MS 900000

struct seen_snapshot {
	char name[72], state[32];
	int64_t taken_s;
	bool is_there, has_ram;
};

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	char name[72];
	(void)context;
	(void)err;
	params_get(plan->params, "name", name, sizeof(name));
	str_format(text, size, "would %s %s of %s",
		str_ends(plan->action, ".delete")         ? "delete snapshot"
			: str_ends(plan->action, ".rollback") ? "go back to snapshot"
												  : "take snapshot",
		name, plan->label);
	return true;
}

static enum act_result read_snapshot(struct proxmox_scene *scene, struct seen_snapshot *seen)
{
	auto_arena arena = arena_new(SCRATCH_BYTES);
	struct proxmox_snapshot_list list;
	struct err err = {0};
	*seen = (struct seen_snapshot){0};
	params_get(scene->plan->params, "name", seen->name, sizeof(seen->name));
	if (!proxmox_snapshots(scene->proxmox, scene->at, arena, &list, &err))
		return proxmox_say(scene, err.kind == ERR_GONE ? ACT_GONE : ACT_FAILED, "%s", err.text);
	for (int i = 0; i < list.count; i++) {
		if (!str_equal(list.rows[i].name, seen->name))
			continue;
		STR_SET(seen->state, list.rows[i].state);
		seen->taken_s = list.rows[i].taken_s;
		seen->has_ram = list.rows[i].has_ram;
		seen->is_there = true;
	}
	return ACT_DONE;
}

static enum act_result demand_ours(struct proxmox_scene *scene)
{
	char name[72];
	params_get(scene->plan->params, "name", name, sizeof(name));
	if (str_starts(name, OURS) && name[strlen(OURS)] != '\0')
		return ACT_DONE;
	return proxmox_say(scene, ACT_REFUSED,
		"snapshot \"%s\" is not ours: homeostat takes and deletes only those whose name begins "
		"with " OURS,
		name);
}

static enum act_result order(
	struct proxmox_scene *scene, enum proxmox_snapshot_act act, const char *name)
{
	char upid[PROXMOX_UPID_BYTES] = "";
	struct err err = {0};
	bool begun = proxmox_snapshot(scene->proxmox, scene->at, act, name, upid, &err);
	/* The client's own refusal of a name that PVE does not allow. */
	if (!begun && err.kind == ERR_INPUT && strstr(err.text, "is no name for a snapshot") != NULL)
		return proxmox_say(scene, ACT_REFUSED, "%s", err.text);
	return proxmox_task_end(scene, begun, upid, TASK_MS, &err);
}

static enum act_result take(struct proxmox_scene *scene)
{
	struct seen_snapshot seen;
	enum act_result result = demand_ours(scene);
	if (result == ACT_DONE)
		result = proxmox_guest_free(scene);
	if (result == ACT_DONE)
		result = read_snapshot(scene, &seen);
	if (result != ACT_DONE)
		return result;
	if (seen.is_there)
		return proxmox_say(scene, ACT_REFUSED,
			"there is a snapshot %s already%s: take another name", seen.name,
			seen.state[0] != '\0' ? ", which was never finished" : "");
	result = order(scene, PROXMOX_SNAPSHOT_TAKE, seen.name);
	if (result == ACT_FAILED && scene->cause == PROXMOX_NO_FEATURE)
		return proxmox_say(scene, ACT_FAILED,
			"the storage of VM/Container %d cannot take snapshots (%s)", scene->at.vmid,
			"snapshot feature is not available");
	if (result != ACT_DONE)
		return result;
	return proxmox_say(scene, ACT_DONE, "Successfully took snapshot %s of VM/Container %d%s",
		seen.name, scene->at.vmid, proxmox_note(scene));
}

static enum act_result delete_ours(struct proxmox_scene *scene)
{
	struct seen_snapshot seen;
	enum act_result result = demand_ours(scene);
	if (result == ACT_DONE)
		result = read_snapshot(scene, &seen);
	if (result == ACT_DONE && !seen.is_there)
		return proxmox_say(scene, ACT_DONE, "VM/Container %d has no snapshot %s any more",
			scene->at.vmid, seen.name);
	if (result == ACT_DONE)
		result = proxmox_guest_free(scene);
	if (result == ACT_DONE)
		result = order(scene, PROXMOX_SNAPSHOT_DELETE, seen.name);
	if (result != ACT_DONE)
		return result;
	return proxmox_say(scene, ACT_DONE, "Successfully deleted snapshot %s of VM/Container %d%s",
		seen.name, scene->at.vmid, proxmox_note(scene));
}

/* Rolled back, and stopped although it ran before. */
static enum act_result start_again(struct proxmox_scene *scene)
{
	enum act_result result = proxmox_power_end(scene, PROXMOX_START, 0, PROXMOX_START_MS);
	if (result == ACT_DONE || (result == ACT_FAILED && scene->cause == PROXMOX_ALREADY))
		return ACT_DONE;
	const char *why = arena_strdup(scene->context->arena, scene->text);
	return proxmox_say(scene, result == ACT_UNKNOWN ? ACT_UNKNOWN : ACT_FAILED,
		"it was rolled back, and could not be started again: %s", why);
}

static enum act_result go_back(struct proxmox_scene *scene, const char *name)
{
	bool ran = scene->guest.state == PROXMOX_RUNNING;
	enum act_result result = order(
		scene, ran ? PROXMOX_SNAPSHOT_ROLLBACK_START : PROXMOX_SNAPSHOT_ROLLBACK, name);
	/* Older ones do not know start=1. */
	if (result == ACT_FAILED && ran && strstr(scene->text, "start: ") != NULL)
		result = order(scene, PROXMOX_SNAPSHOT_ROLLBACK, name);
	if (result != ACT_DONE || !ran)
		return result;
	const char *note = arena_strdup(scene->context->arena, scene->note);
	result = proxmox_guest_refresh(scene);
	if (result == ACT_DONE && scene->guest.state == PROXMOX_STOPPED)
		result = start_again(scene);
	STR_SET(scene->note, note);
	/* It is done, whatever can be seen of it now. */
	return result == ACT_GONE || (result == ACT_FAILED && scene->guest.state != PROXMOX_STOPPED)
		? ACT_UNKNOWN
		: result;
}

static enum act_result roll_back(struct proxmox_scene *scene)
{
	struct seen_snapshot seen;
	enum act_result result = proxmox_guest_ready(scene);
	if (result == ACT_DONE)
		result = read_snapshot(scene, &seen);
	if (result != ACT_DONE)
		return result;
	if (!seen.is_there || seen.state[0] != '\0')
		return proxmox_say(scene, ACT_REFUSED, "VM/Container %d has no %ssnapshot %s",
			scene->at.vmid, seen.is_there ? "finished " : "", seen.name);
	bool ran = scene->guest.state == PROXMOX_RUNNING;
	result = go_back(scene, seen.name);
	if (result != ACT_DONE)
		return result;
	return proxmox_say(scene, ACT_DONE,
		"Successfully rolled back VM/Container %d to snapshot %s%s%s", scene->at.vmid, seen.name,
		ran ? ", it runs again" : "", proxmox_note(scene));
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
		return proxmox_guest_act(&scene, true, act); \
	}
RUN(run_take, take)
RUN(run_rollback, roll_back)
RUN(run_delete, delete_ours)

static const char *const snapping[] = {"snapshot", NULL};

static enum look_result judge_taken(struct proxmox_scene *scene, int64_t *since_ms)
{
	struct seen_snapshot seen;
	if (read_snapshot(scene, &seen) != ACT_DONE)
		return LOOK_BLIND;
	const char *task = proxmox_task_at_work(scene, snapping);
	if (seen.is_there && seen.state[0] == '\0') {
		*since_ms = seen.taken_s > 0 ? seen.taken_s * 1000 : 0;
		return proxmox_look_say(scene, LOOK_HEALTHY, "snapshot %s is there", seen.name);
	}
	if (task[0] != '\0')
		return proxmox_look_say(scene, LOOK_NOT_YET, "its task %s runs", task);
	return proxmox_look_say(scene, LOOK_UNHEALTHY, "snapshot %s %s%s", seen.name,
		seen.is_there ? "was not finished: " : "is not there", seen.state);
}

static enum look_result judge_deleted(struct proxmox_scene *scene, int64_t *since_ms)
{
	struct seen_snapshot seen;
	*since_ms = 0;
	if (read_snapshot(scene, &seen) != ACT_DONE)
		return LOOK_BLIND;
	if (!seen.is_there)
		return proxmox_look_say(scene, LOOK_HEALTHY, "snapshot %s is gone", seen.name);
	const char *task = proxmox_task_at_work(scene, snapping);
	return proxmox_look_say(scene, task[0] != '\0' ? LOOK_NOT_YET : LOOK_UNHEALTHY,
		"snapshot %s is still there", seen.name);
}

/* Whether it ran before nobody knows any more: but whether it is wanted to run. */
static bool is_wanted(struct proxmox_scene *scene)
{
	const struct config *config = scene->context->config;
	struct proxmox_guest_config guest = {0};
	struct err ignored = {0};
	for (int i = 0; i < config->proxmox_count; i++)
		for (int n = 0; n < config->proxmox[i].critical_count; n++)
			if (config->proxmox[i].critical[n] == scene->at.vmid &&
				str_equal(config->proxmox[i].name, scene->plan->source + strlen("proxmox:")))
				return true;
	return proxmox_guest_config(scene->proxmox, scene->at, &guest, &ignored) && guest.onboot;
}

static enum look_result judge_rolled_back(struct proxmox_scene *scene, int64_t *since_ms)
{
	enum look_result seen = proxmox_look_runs(scene, since_ms);
	if (seen != LOOK_UNHEALTHY || scene->guest.state != PROXMOX_STOPPED || is_wanted(scene) ||
		str_equal(scene->guest.ha_state, "error"))
		return seen;
	return proxmox_look_say(scene, LOOK_HEALTHY, "it is stopped, and not set to start at boot");
}

#define VERIFY(name, judge) \
	static enum look_result name(const struct act_context *context, const struct plan *plan, \
		int64_t *since_ms, char *text, size_t size) \
	{ \
		struct proxmox_scene scene = SCENE; \
		enum look_result seen = proxmox_guest_look(&scene); \
		if (seen == LOOK_HEALTHY) \
			seen = judge(&scene, since_ms); \
		proxmox_scene_close(&scene); \
		return seen; \
	}
VERIFY(verify_taken, judge_taken)
VERIFY(verify_deleted, judge_deleted)
VERIFY(verify_rolled_back, judge_rolled_back)

static const struct action_param ours[] = {
	{"name", PARAM_NAME, true, "the snapshot's, beginning with " OURS},
	{NULL, PARAM_NAME, false, NULL},
};
static const struct action_param any[] = {
	{"name", PARAM_NAME, true, "the snapshot's"},
	{NULL, PARAM_NAME, false, NULL},
};

const struct action proxmox_snapshot_take = {
	.info =
		{
			.name = "proxmox.guest.snapshot",
			.summary = "Take a snapshot of a guest, without its RAM.",
			.title = "Take snapshot {name} of {guest}",
			.done = "took a snapshot of VM/Container",
			.kind = COMPONENT_GUEST,
			.floor = RISK_LOW,
			.has_undo = true,
			.counts = false,
			.params = ours,
		},
	.check = check,
	.run = run_take,
	.verify = verify_taken,
	.undo = run_delete,
};
const struct action proxmox_snapshot_rollback = {
	.info =
		{
			.name = "proxmox.guest.rollback",
			.summary = "Put a guest back to a snapshot: what came after it is lost.",
			.title = "Roll {guest} back to {name}",
			.done = "rolled back VM/Container",
			.kind = COMPONENT_GUEST,
			.floor = RISK_HIGH,
			.has_undo = false,
			.counts = true,
			.params = any,
		},
	.check = check,
	.run = run_rollback,
	.verify = verify_rolled_back,
};
const struct action proxmox_snapshot_delete = {
	.info =
		{
			.name = "proxmox.guest.snapshot.delete",
			.summary = "Delete a snapshot that homeostat has taken.",
			.title = "Delete snapshot {name} of {guest}",
			.done = "deleted a snapshot of VM/Container",
			.kind = COMPONENT_GUEST,
			.floor = RISK_MEDIUM,
			.has_undo = false,
			.counts = false,
			.params = ours,
		},
	.check = check,
	.run = run_delete,
	.verify = verify_deleted,
};
