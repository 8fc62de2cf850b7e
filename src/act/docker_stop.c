/*
 * Stop a container: for an operator's order, and for a container whose label says that stopping is
 * the cure. Verified when it is seen stopped.
 */
#include <string.h>

#include "act/docker_common.h"
#include "base/http.h"
#include "base/str.h"

#define STOP_MS 60000

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	(void)context;
	(void)err;
	str_format(text, size, "would stop container '%s'", plan->label);
	return true;
}

static enum act_result run(
	const struct act_context *context, const struct plan *plan, char *text, size_t size)
{
	struct err err = {0};
	struct docker *docker = docker_of_plan(context, plan, &err);
	if (docker == NULL) {
		str_copy(text, size, err.text);
		return ACT_FAILED;
	}
	const char *path = arena_printf(
		context->arena, "/containers/%s/stop?t=10", http_encode(context->arena, plan->native));
	int status;
	bool ok = docker_post(docker, path, STOP_MS, &status, &err);
	docker_close(docker);
	if (!ok) {
		str_copy(text, size, err.text);
		return act_result_of(&err, status);
	}
	str_format(text, size, "Successfully stopped container '%s'", plan->label);
	return ACT_DONE;
}

static enum look_result verify(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct docker_container container;
	enum look_result seen = docker_look(context, plan, &container, text, size);
	if (seen != LOOK_HEALTHY)
		return seen;
	*since_ms = container.finished_at;
	bool runs = strcmp(container.status, "running") == 0 ||
		strcmp(container.status, "restarting") == 0;
	str_format(text, size, "it is %s", container.status);
	return runs ? LOOK_UNHEALTHY : LOOK_HEALTHY;
}

const struct action docker_stop = {
	.info =
		{
			.name = "docker.container.stop",
			.summary = "Stop a container (10 s to end by itself, then killed).",
			.title = "Stop container",
			.done = "stopped container",
			.kind = COMPONENT_CONTAINER,
			.floor = RISK_MEDIUM,
			.has_undo = false,
			.counts = true,
		},
	.check = check,
	.run = run,
	.verify = verify,
};
