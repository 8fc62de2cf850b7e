/*
 * Restart a node's own services, out of those that PVE lists, one after the other. Needs no quorum:
 * a service may be why there is none.
 */
#include <string.h>

#include "act/proxmox_common.h"
#include "base/str.h"

#define SCRATCH_BYTES ((size_t)16 * 1024 * 1024)
#define RESTART_MS 120000

#define SERVICES_MAX 16

struct seen_service {
	char name[72], state[32], active[32], unit_state[32];
};
struct seen_services {
	struct seen_service rows[SERVICES_MAX];
	int count;
};

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	char names[128];
	(void)context;
	(void)err;
	params_get(plan->params, "service", names, sizeof(names));
	str_format(text, size, "would restart service %s of node %s", names, plan->label);
	return true;
}

/* "node/pve1", or the name alone */
static const char *node_of(const struct plan *plan)
{
	const char *slash = strrchr(plan->native, '/');
	return slash != NULL ? slash + 1 : plan->native;
}

/* What the others wait for comes first. */
static int rank(const char *name)
{
	return str_equal(name, "pve-cluster") ? 0 : str_equal(name, "corosync") ? 1 : 2;
}

/* Into their order: the plan's, but for those that others need. */
static void take_names(const struct plan *plan, struct seen_services *seen)
{
	char names[128], *save = NULL;
	params_get(plan->params, "service", names, sizeof(names));
	for (char *name = strtok_r(names, ",", &save); name != NULL && seen->count < SERVICES_MAX;
		 name = strtok_r(NULL, ",", &save)) {
		int at = seen->count++;
		for (; at > 0 && rank(seen->rows[at - 1].name) > rank(name); at--)
			seen->rows[at] = seen->rows[at - 1];
		seen->rows[at] = (struct seen_service){.name = ""};
		STR_SET(seen->rows[at].name, name);
	}
}

static bool take_state(const struct proxmox_service_list *list, struct seen_service *seen)
{
	for (int i = 0; i < list->count; i++) {
		const struct proxmox_service *row = &list->rows[i];
		if (!str_equal(row->name, seen->name))
			continue;
		STR_SET(seen->state, row->state);
		STR_SET(seen->active, row->active);
		STR_SET(seen->unit_state, row->unit_state);
		return true;
	}
	return false;
}

/* ACT_DONE: they were read. ACT_GONE: the node has none of that name. */
static enum act_result read_services(struct proxmox_scene *scene, struct seen_services *seen)
{
	auto_arena arena = arena_new(SCRATCH_BYTES);
	struct proxmox_service_list list;
	struct err err = {0};
	*seen = (struct seen_services){.count = 0};
	take_names(scene->plan, seen);
	if (!proxmox_services(scene->proxmox, scene->node, arena, &list, &err))
		return proxmox_say(scene, err.kind == ERR_GONE ? ACT_GONE : ACT_FAILED, "%s", err.text);
	for (int i = 0; i < seen->count; i++)
		if (!take_state(&list, &seen->rows[i]))
			return proxmox_say(
				scene, ACT_GONE, "node %s has no service \"%s\"", scene->node, seen->rows[i].name);
	return ACT_DONE;
}

/* PVE 7 says no active-state. A one-shot that has ended well is active, too. */
static bool works(const struct seen_service *seen)
{
	return str_equal(seen->active, "active") ||
		(seen->active[0] == '\0' && str_equal(seen->state, "running"));
}

static enum act_result restart_one(struct proxmox_scene *scene, const struct seen_service *seen)
{
	char upid[PROXMOX_UPID_BYTES] = "";
	struct err err = {0};
	if (str_equal(seen->unit_state, "masked") || str_equal(seen->unit_state, "not-found"))
		return proxmox_say(scene, ACT_REFUSED, "service %s of node %s is %s", seen->name,
			scene->node, seen->unit_state);
	bool begun = proxmox_service_restart(scene->proxmox, scene->node, seen->name, upid, &err);
	return proxmox_task_end(scene, begun, upid, RESTART_MS, &err);
}

/* One that does not start is no reason to leave the others down; one of which nothing is known
 * any more is. */
static enum act_result restart(struct proxmox_scene *scene)
{
	struct seen_services seen;
	char done[160] = "", failed[240] = "", notes[200] = "";
	enum act_result worst = ACT_DONE, result = read_services(scene, &seen);
	if (result != ACT_DONE)
		return result;
	for (int i = 0; i < seen.count && worst != ACT_UNKNOWN; i++) {
		const struct seen_service *one = &seen.rows[i];
		if (works(one) && !scene->context->ordered)
			continue;
		result = restart_one(scene, one);
		size_t length = strlen(result == ACT_DONE ? done : failed);
		if (result == ACT_DONE) {
			str_format(
				done + length, sizeof(done) - length, "%s%s", length > 0 ? ", " : "", one->name);
			STR_SET(notes, proxmox_note(scene));
			continue;
		}
		str_format(failed + length, sizeof(failed) - length, "%s%s: %s", length > 0 ? "; " : "",
			one->name, scene->text);
		worst = result;
	}
	if (worst != ACT_DONE)
		return proxmox_say(
			scene, worst, "%s%s%s", failed, done[0] != '\0' ? "; restarted: " : "", done);
	if (done[0] == '\0')
		return proxmox_say(
			scene, ACT_DONE, "service %s of node %s runs already", seen.rows[0].name, scene->node);
	return proxmox_say(scene, ACT_DONE, "Successfully restarted service %s of node %s%s", done,
		scene->node, notes);
}

static enum act_result run(
	const struct act_context *context, const struct plan *plan, char *text, size_t size)
{
	struct proxmox_scene scene = {.context = context, .plan = plan, .text = text, .size = size};
	STR_SET(scene.node, node_of(plan));
	if (!proxmox_scene_open(&scene))
		return ACT_FAILED;
	enum act_result result = restart(&scene);
	proxmox_scene_close(&scene);
	return result;
}

/* As the worst of them. */
static enum look_result look(struct proxmox_scene *scene)
{
	struct seen_services seen;
	const struct seen_service *told = NULL;
	enum look_result worst = LOOK_HEALTHY;
	enum act_result result = read_services(scene, &seen);
	if (result != ACT_DONE)
		return result == ACT_GONE ? LOOK_MEANT : LOOK_BLIND;
	for (int i = 0; i < seen.count; i++) {
		const struct seen_service *one = &seen.rows[i];
		bool starts = str_equal(one->active, "activating") || str_equal(one->active, "reloading");
		enum look_result how = works(one) ? LOOK_HEALTHY : starts ? LOOK_NOT_YET : LOOK_UNHEALTHY;
		if (told == NULL || (worst != LOOK_UNHEALTHY && how != LOOK_HEALTHY))
			told = one;
		worst = worst == LOOK_UNHEALTHY || how == LOOK_HEALTHY ? worst : how;
	}
	if (told == NULL)
		return LOOK_BLIND;
	return proxmox_look_say(scene, worst, "service %s is %s (%s)", told->name, told->state,
		told->active[0] != '\0' ? told->active : told->unit_state);
}

static enum look_result verify(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct proxmox_scene scene = {.context = context, .plan = plan, .text = text, .size = size};
	*since_ms = 0;
	STR_SET(scene.node, node_of(plan));
	if (!proxmox_scene_open(&scene))
		return LOOK_BLIND;
	enum look_result seen = look(&scene);
	proxmox_scene_close(&scene);
	return seen;
}

static const struct action_param params[] = {
	{"service", PARAM_NAMES, true, "which: pvestatd, or several: pvestatd,chrony"},
	{NULL, PARAM_NAME, false, NULL},
};

const struct action proxmox_service = {
	.info =
		{
			.name = "proxmox.node.service.restart",
			.summary = "Restart a node's own services.",
			.title = "Restart {service} on {label}",
			.done = "restarted service",
			.kind = COMPONENT_NODE,
			.floor = RISK_MEDIUM,
			.has_undo = false,
			.counts = true,
			.params = params,
		},
	.check = check,
	.run = run,
	.verify = verify,
};
