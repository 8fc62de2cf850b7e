/*
 * Start again what host.memory.free has stopped, by the note that it left on the machine. Only what
 * is there still, does not run, and is still labelled as not essential.
 */
#include <string.h>

#include "act/host_common.h"
#include "base/str.h"
#include "client/host_facts.h"

#define SHORT_MS 20000
#define START_MS 60000
#define CONTAINERS_MAX 32

struct scene {
	const struct act_context *context;
	struct host *host;
	char *ids[CONTAINERS_MAX]; /* as noted */
	int count;
};

static bool is_id(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static bool open_scene(struct scene *scene, const struct act_context *context,
	const struct plan *plan, struct err *err)
{
	char *save = NULL;
	*scene = (struct scene){.context = context, .host = host_of_plan(context, plan, err)};
	if (scene->host == NULL)
		return false;
	char *text = host_stopped(scene->host, context->arena);
	for (char *id = strtok_r(text, "\n", &save); id != NULL && scene->count < CONTAINERS_MAX;
		 id = strtok_r(NULL, "\n", &save))
		if (is_id(id))
			scene->ids[scene->count++] = id;
	return true;
}

/* "true exited": its label, and its state; NULL: it is gone. */
static char *state_of(struct scene *scene, const char *id)
{
	char *state;
	const char *const argv[] = {"docker", "inspect", "-f",
		"{{index .Config.Labels \"homeostat.nonessential\"}} {{.State.Status}}", id, NULL};
	return host_try(scene->host, argv, SHORT_MS, scene->context->arena, &state) ? state : NULL;
}

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	struct scene scene;
	bool ok = open_scene(&scene, context, plan, err);
	if (ok)
		str_format(
			text, size, "would start %d containers that were stopped to free memory", scene.count);
	host_close(scene.host);
	return ok;
}

static enum act_result start_all(
	struct scene *scene, const struct plan *plan, char *text, size_t size)
{
	static const char *const forget[] = {"rm", "-f", HOST_STOPPED_FILE, NULL};
	int started = 0;
	for (int i = 0; i < scene->count; i++) {
		const char *const start[] = {"docker", "start", scene->ids[i], NULL};
		const char *state = state_of(scene, scene->ids[i]);
		if (state == NULL || strcmp(state, "true exited") != 0)
			continue;
		if (!host_try(scene->host, start, START_MS, scene->context->arena, NULL)) {
			str_format(
				text, size, "container %.12s of %s cannot be started", scene->ids[i], plan->label);
			return ACT_FAILED;
		}
		started++;
	}
	if (!host_try(scene->host, forget, SHORT_MS, scene->context->arena, NULL)) {
		str_format(text, size, "%s of %s cannot be removed", HOST_STOPPED_FILE, plan->label);
		return ACT_FAILED;
	}
	str_format(text, size,
		"Successfully started %d of the %d containers that had been stopped for "
		"memory on %s",
		started, scene->count, plan->label);
	return ACT_DONE;
}

static enum act_result run(
	const struct act_context *context, const struct plan *plan, char *text, size_t size)
{
	struct scene scene;
	struct err err = {0};
	enum act_result result = ACT_FAILED;
	if (open_scene(&scene, context, plan, &err))
		result = start_all(&scene, plan, text, size);
	else
		str_copy(text, size, err.text);
	host_close(scene.host);
	return result;
}

static enum look_result verify(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct scene scene;
	struct err err = {0};
	enum look_result seen = LOOK_BLIND;
	*since_ms = 0;
	if (open_scene(&scene, context, plan, &err)) {
		seen = scene.count == 0 ? LOOK_HEALTHY : LOOK_UNHEALTHY;
		str_format(text, size, "%d containers wait to be started", scene.count);
	} else {
		str_copy(text, size, err.text);
	}
	host_close(scene.host);
	return seen;
}

const struct action host_restore = {
	.info =
		{
			.name = "host.memory.restore",
			.summary = "Start again the containers that host.memory.free has stopped.",
			.title = "Start what was stopped for memory on {label}",
			.done = "started what was stopped for memory",
			.kind = COMPONENT_NODE,
			.floor = RISK_LOW,
			.has_undo = false,
			.counts = true,
		},
	.check = check,
	.run = run,
	.verify = verify,
};
