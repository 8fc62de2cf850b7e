#include "watch/proxmox_stop.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* A node that booted this recently may not have begun to start its guests. */
#define BOOT_S 180
/* HA restarts what ended by itself within this time, or not at all. */
#define HA_REACTS_MS 180000

static bool is_one_of(const char *text, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

static bool starts(const char *type)
{
	static const char *const types[] = {
		"qmstart", "vzstart", "qmresume", "vzresume", "qmreboot", "vzreboot", "hastart", NULL};
	return is_one_of(type, types);
}

/* Ends with the guest not running, because somebody asked for that. */
static bool stops(const char *type)
{
	static const char *const types[] = {"qmstop", "vzstop", "qmshutdown", "vzshutdown", "hastop",
		"qmsuspend", "vzsuspend", "qmdestroy", "vzdestroy", "qmtemplate", "vztemplate",
		"qmrollback", "vzrollback", NULL};
	return is_one_of(type, types);
}

static bool makes(const char *type)
{
	static const char *const types[] = {
		"qmcreate", "vzcreate", "qmrestore", "vzrestore", "qmclone", "vzclone", NULL};
	return is_one_of(type, types);
}

/* Looking at a guest's screen does nothing to it. */
static bool only_watches(const char *type)
{
	static const char *const types[] = {
		"vncproxy", "vncshell", "spiceproxy", "spiceshell", "termproxy", NULL};
	return is_one_of(type, types);
}

bool prox_ha_moves(const char *ha_state)
{
	static const char *const states[] = {"fence", "recovery", "migrate", "relocate",
		"request_start", "request_start_balance", "request_stop", NULL};
	return is_one_of(ha_state, states);
}

static bool is_of(const struct prox_scene *scene, const struct proxmox_task *task)
{
	char *end;
	long id = strtol(task->id, &end, 10);
	return *end == '\0' && id == scene->vmid;
}

static bool runs(const struct proxmox_task *task)
{
	return task->ended_s == 0 && task->status[0] == '\0';
}

/* A shutdown that was given up may still have worked a little later. */
static bool took_effect(const struct proxmox_task *task)
{
	return runs(task) || proxmox_task_ok(task->status) ||
		(stops(task->type) && proxmox_cause(task->status) == PROXMOX_TIMED_OUT);
}

struct last {
	const struct proxmox_task *start, *stop, *made, *running, *failed_start;
};

static void keep_newest(const struct proxmox_task **newest, const struct proxmox_task *task)
{
	if (*newest == NULL || task->started_s > (*newest)->started_s)
		*newest = task;
}

static struct last find_last(const struct prox_scene *scene)
{
	struct last last = {0};
	for (int i = 0; i < scene->task_count; i++) {
		const struct proxmox_task *task = &scene->tasks[i];
		if (!is_of(scene, task) || only_watches(task->type))
			continue;
		if (runs(task))
			keep_newest(&last.running, task);
		if (starts(task->type))
			keep_newest(took_effect(task) ? &last.start : &last.failed_start, task);
		else if (stops(task->type) && took_effect(task))
			keep_newest(&last.stop, task);
		else if (makes(task->type) && took_effect(task))
			keep_newest(&last.made, task);
	}
	return last;
}

static void name_user(const struct proxmox_task *task, char *who, size_t size)
{
	struct proxmox_upid upid;
	bool has = proxmox_upid_parse(task->upid, &upid, NULL);
	str_copy(who, size, has ? upid.user : task->user);
}

static const struct proxmox_task *node_task(
	const struct prox_scene *scene, const char *type, int64_t from_s, int64_t to_s)
{
	const struct proxmox_task *found = NULL;
	for (int i = 0; i < scene->task_count; i++) {
		const struct proxmox_task *task = &scene->tasks[i];
		if (strcmp(task->type, type) == 0 && strcmp(task->node, scene->node) == 0 &&
			task->started_s >= from_s && task->started_s <= to_s)
			keep_newest(&found, task);
	}
	return found;
}

static int64_t boot_s(const struct prox_scene *scene)
{
	return scene->node_up_s >= 0 ? scene->wall_s - scene->node_up_s : 0;
}

static struct prox_verdict in_peace(enum obs_state state, const char *detail)
{
	struct prox_verdict verdict = {.state = state};
	STR_SET(verdict.detail, detail);
	return verdict;
}

static bool judge_lock(const struct prox_scene *scene, struct prox_verdict *verdict)
{
	char detail[80];
	if (scene->lock[0] == '\0')
		return false;
	STR_FORMAT(detail, "locked (%.40s)", scene->lock);
	if (strcmp(scene->lock, "suspended") == 0)
		STR_SET(detail, "suspended to disk");
	*verdict = in_peace(
		strcmp(scene->lock, "suspended") == 0 ? OBS_PAUSED : OBS_RESTARTING, detail);
	return true;
}

static bool judge_ha(const struct prox_scene *scene, struct prox_verdict *verdict)
{
	const char *request = scene->ha_request;
	char detail[80];
	if (scene->ha_state[0] == '\0')
		return false;
	if (strcmp(request, "stopped") == 0 || strcmp(request, "disabled") == 0 ||
		strcmp(request, "ignored") == 0) {
		*verdict = (struct prox_verdict){.state = OBS_EXITED, .cause = STOP_PERSON};
		STR_FORMAT(verdict->who, "HA: its requested state is '%.20s'", request);
		return true;
	}
	/* HA has given up: a person's, as its error says. */
	if (strcmp(scene->ha_state, "error") == 0)
		return false;
	if (!prox_ha_moves(scene->ha_state) && scene->down_ms >= HA_REACTS_MS)
		return false;
	STR_FORMAT(detail, "HA is bringing it back (%.30s)", scene->ha_state);
	*verdict = in_peace(OBS_RESTARTING, detail);
	return true;
}

/* Guests are started one after the other, by one task of the node. */
static bool judge_boot(const struct prox_scene *scene, struct prox_verdict *verdict)
{
	const struct proxmox_task *all = node_task(scene, "startall", boot_s(scene), INT64_MAX);
	bool is_fresh = scene->node_up_s >= 0 && scene->node_up_s < BOOT_S;
	if (!scene->wanted || (all == NULL ? !is_fresh : !runs(all)))
		return false;
	*verdict = in_peace(OBS_RESTARTING, "its node has just booted and starts its guests in turn");
	return true;
}

/* Of a node that goes down: its guests are stopped by tasks like a person's, within its own. */
static bool is_by_node(const struct prox_scene *scene, const struct proxmox_task *stop)
{
	int64_t boot = boot_s(scene);
	if (boot <= stop->started_s)
		return false;
	const struct proxmox_task *all = node_task(scene, "stopall", 0, stop->started_s);
	return all != NULL && (all->ended_s == 0 || all->ended_s >= stop->started_s);
}

static struct prox_verdict exited(enum stop_cause cause, const struct proxmox_task *task)
{
	struct prox_verdict verdict = {.state = OBS_EXITED, .cause = cause};
	if (task != NULL) {
		verdict.since_s = task->ended_s > 0 ? task->ended_s : task->started_s;
		if (cause == STOP_PERSON)
			name_user(task, verdict.who, sizeof(verdict.who));
	}
	return verdict;
}

static struct prox_verdict judge_tasks(const struct prox_scene *scene, const struct last *last)
{
	int64_t started_s = last->start != NULL ? last->start->started_s : 0;
	const struct proxmox_task *stop = last->stop;
	if (stop != NULL && stop->started_s >= started_s)
		return exited(is_by_node(scene, stop) ? STOP_ENGINE : STOP_PERSON, stop);
	const struct proxmox_task *all = node_task(scene, "stopall", started_s, INT64_MAX);
	if (all != NULL && started_s > 0)
		return exited(boot_s(scene) > all->started_s ? STOP_ENGINE : STOP_PERSON, all);
	if (last->made != NULL && last->made->started_s >= started_s) {
		struct prox_verdict verdict = in_peace(OBS_CREATED, "was never started");
		return verdict;
	}
	if (started_s > 0)
		return exited(boot_s(scene) > started_s ? STOP_ENGINE : STOP_CRASH, NULL);
	return exited(STOP_UNSEEN, NULL);
}

struct prox_verdict prox_judge_stop(const struct prox_scene *scene)
{
	struct prox_verdict verdict;
	struct last last = find_last(scene);
	if (last.running != NULL && !stops(last.running->type)) {
		char detail[120];
		STR_FORMAT(detail, "%s: the task %.40s is at work on it",
			starts(last.running->type) ? "it is being started" : "it is being worked on",
			last.running->type);
		return in_peace(OBS_RESTARTING, detail);
	}
	if (judge_lock(scene, &verdict) || judge_ha(scene, &verdict))
		return verdict;
	if (last.running != NULL && strstr(last.running->type, "rollback") != NULL)
		return in_peace(OBS_RESTARTING, "it is being rolled back");
	verdict = judge_tasks(scene, &last);
	/* What a person has stopped, or never started, is not waited for. */
	if (verdict.state == OBS_EXITED && verdict.cause != STOP_PERSON)
		judge_boot(scene, &verdict);
	if (verdict.state == OBS_EXITED && last.failed_start != NULL && verdict.cause != STOP_PERSON)
		STR_FORMAT(verdict.detail, "its last start failed: %.90s", last.failed_start->status);
	return verdict;
}

int64_t prox_lock_taken_s(const struct prox_scene *scene)
{
	static const struct {
		const char *lock, *part;
	} takers[] = {{"backup", "vzdump"}, {"snapshot", "snapshot"},
		{"snapshot-delete", "delsnapshot"}, {"migrate", "migrate"}, {"clone", "clone"},
		{"rollback", "rollback"}, {"create", "create"}, {"create", "restore"},
		{"suspending", "suspend"}, {"suspended", "suspend"}, {"disk", "move"}};
	const struct proxmox_task *found = NULL;
	for (int i = 0; i < scene->task_count; i++)
		for (size_t n = 0; n < sizeof(takers) / sizeof(takers[0]); n++)
			if (strcmp(takers[n].lock, scene->lock) == 0 && is_of(scene, &scene->tasks[i]) &&
				strstr(scene->tasks[i].type, takers[n].part) != NULL)
				keep_newest(&found, &scene->tasks[i]);
	return found != NULL ? found->started_s : 0;
}
