/*
 * Restart one of a node's own services, out of those that PVE lists. Needs no quorum: a service may
 * be why there is none.
 */
#include <string.h>

#include "act/proxmox_common.h"
#include "base/str.h"

#define SCRATCH_BYTES ((size_t)16 * 1024 * 1024)
#define RESTART_MS 120000

struct seen_service {
	char name[72], state[32], active[32], unit_state[32];
};

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	char service[72];
	(void)context;
	(void)err;
	params_get(plan->params, "service", service, sizeof(service));
	str_format(text, size, "would restart service %s of node %s", service, plan->label);
	return true;
}

/* "node/pve1", or the name alone */
static const char *node_of(const struct plan *plan)
{
	const char *slash = strrchr(plan->native, '/');
	return slash != NULL ? slash + 1 : plan->native;
}

/* ACT_DONE: it was read. ACT_GONE: the node has none of that name. */
static enum act_result read_service(struct proxmox_scene *scene, struct seen_service *seen)
{
	auto_arena arena = arena_new(SCRATCH_BYTES);
	struct proxmox_service_list list;
	struct err err = {0};
	*seen = (struct seen_service){0};
	params_get(scene->plan->params, "service", seen->name, sizeof(seen->name));
	if (!proxmox_services(scene->proxmox, scene->node, arena, &list, &err))
		return proxmox_say(scene, err.kind == ERR_GONE ? ACT_GONE : ACT_FAILED, "%s", err.text);
	for (int i = 0; i < list.count; i++) {
		const struct proxmox_service *row = &list.rows[i];
		if (!str_equal(row->name, seen->name))
			continue;
		STR_SET(seen->state, row->state);
		STR_SET(seen->active, row->active);
		STR_SET(seen->unit_state, row->unit_state);
		return ACT_DONE;
	}
	return proxmox_say(scene, ACT_GONE, "node %s has no service \"%s\"", scene->node, seen->name);
}

/* PVE 7 says no active-state. A one-shot that has ended well is active, too. */
static bool works(const struct seen_service *seen)
{
	return str_equal(seen->active, "active") ||
		(seen->active[0] == '\0' && str_equal(seen->state, "running"));
}

static enum act_result restart(struct proxmox_scene *scene)
{
	struct seen_service seen;
	struct err err = {0};
	char upid[PROXMOX_UPID_BYTES] = "";
	enum act_result result = read_service(scene, &seen);
	if (result != ACT_DONE)
		return result;
	if (str_equal(seen.unit_state, "masked") || str_equal(seen.unit_state, "not-found"))
		return proxmox_say(scene, ACT_REFUSED, "service %s of node %s is %s", seen.name,
			scene->node, seen.unit_state);
	if (works(&seen) && !scene->context->ordered)
		return proxmox_say(
			scene, ACT_DONE, "service %s of node %s runs already", seen.name, scene->node);
	bool begun = proxmox_service_restart(scene->proxmox, scene->node, seen.name, upid, &err);
	result = proxmox_task_end(scene, begun, upid, RESTART_MS, &err);
	if (result != ACT_DONE)
		return result;
	return proxmox_say(scene, ACT_DONE, "Successfully restarted service %s of node %s%s", seen.name,
		scene->node, proxmox_note(scene));
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

static enum look_result look(struct proxmox_scene *scene)
{
	struct seen_service seen;
	enum act_result result = read_service(scene, &seen);
	if (result != ACT_DONE)
		return result == ACT_GONE ? LOOK_MEANT : LOOK_BLIND;
	bool starts = str_equal(seen.active, "activating") || str_equal(seen.active, "reloading");
	return proxmox_look_say(scene,
		works(&seen) ? LOOK_HEALTHY
			: starts ? LOOK_NOT_YET
					 : LOOK_UNHEALTHY,
		"service %s is %s (%s)", seen.name, seen.state,
		seen.active[0] != '\0' ? seen.active : seen.unit_state);
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
	{"service", PARAM_NAME, true, "which: pvestatd, pveproxy, chrony, …"},
	{NULL, PARAM_NAME, false, NULL},
};

const struct action proxmox_service = {
	.info =
		{
			.name = "proxmox.node.service.restart",
			.summary = "Restart one of a node's own services.",
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
