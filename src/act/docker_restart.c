/*
 * Restart a container: start it when it has exited, restart it when it runs. By its id, so that a
 * new container of the same name is never meant.
 */
#include <string.h>

#include "act/docker_common.h"
#include "base/http.h"
#include "base/str.h"

#define LOOK_MS 10000
/* The engine waits 10 s for the container to end before it kills it, then starts it. */
#define RESTART_MS 60000
#define STOP_GRACE "10"

static bool needs_nothing(const struct docker_container *container)
{
	return strcmp(container->status, "running") == 0 && strcmp(container->health, "unhealthy") != 0;
}

static bool must_start(const struct docker_container *container)
{
	return strcmp(container->status, "exited") == 0 || strcmp(container->status, "dead") == 0 ||
		strcmp(container->status, "created") == 0;
}

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	struct docker_container container;
	struct docker *docker = docker_of_plan(context, plan, err);
	bool ok = docker != NULL &&
		docker_inspect(docker, plan->native, context->arena, &container, err);
	docker_close(docker);
	if (ok)
		str_format(text, size, "would %s container '%s' (%s)",
			must_start(&container) ? "start" : "restart", plan->label, container.status);
	return ok;
}

/* What stands in the way now, though it did not when the plan was made; NULL: nothing. */
static const char *obstacle(const struct docker_container *container)
{
	if (strcmp(container->status, "paused") == 0)
		return "it is paused: somebody means it to stand still";
	if (strcmp(container->status, "removing") == 0)
		return "it is being removed";
	if (strcmp(container->status, "restarting") == 0)
		return "the engine's own restart policy is bringing it back";
	return NULL;
}

static enum act_result restart(struct docker *docker, const struct act_context *context,
	const struct plan *plan, char *text, size_t size)
{
	struct docker_container container;
	struct err err = {0};
	if (!docker_inspect(docker, plan->native, context->arena, &container, &err)) {
		str_copy(text, size, err.text);
		/* Nothing was asked of it yet, so nothing can have been done. */
		return err.kind == ERR_GONE ? ACT_GONE : ACT_FAILED;
	}
	const char *why_not = obstacle(&container);
	if (why_not != NULL) {
		str_copy(text, size, why_not);
		return ACT_REFUSED;
	}
	/* An order to restart is obeyed though it runs; healing is not needed any more. */
	if (needs_nothing(&container) && !context->ordered) {
		str_format(text, size, "container '%s' runs already", plan->label);
		return ACT_DONE;
	}
	bool start = must_start(&container);
	const char *path = arena_printf(context->arena, "/containers/%s/%s",
		http_encode(context->arena, plan->native), start ? "start" : "restart?t=" STOP_GRACE);
	int status;
	if (!docker_post(docker, path, RESTART_MS, &status, &err)) {
		str_copy(text, size, err.text);
		return act_result_of(&err, status);
	}
	str_format(text, size, "Successfully restarted container '%s'", plan->label);
	return ACT_DONE;
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
	enum act_result result = restart(docker, context, plan, text, size);
	docker_close(docker);
	return result;
}

static enum look_result judge(const struct docker_container *container, char *text, size_t size)
{
	const char *status = container->status;
	if (strcmp(status, "running") == 0) {
		if (strcmp(container->health, "unhealthy") == 0) {
			str_copy(text, size, "its health check still fails");
			return LOOK_UNHEALTHY;
		}
		if (strcmp(container->health, "starting") == 0) {
			str_copy(text, size, "its health check has not passed yet");
			return LOOK_NOT_YET;
		}
		str_copy(text, size, container->health[0] != '\0' ? "healthy" : "running");
		return LOOK_HEALTHY;
	}
	if (strcmp(status, "paused") == 0 || strcmp(status, "removing") == 0) {
		str_format(text, size, "it is %s", status);
		return LOOK_MEANT;
	}
	if (strcmp(status, "restarting") == 0) {
		str_copy(text, size, "the engine is restarting it");
		return LOOK_NOT_YET;
	}
	str_format(text, size, "it is %s (exit code %d)", status, container->exit_code);
	return LOOK_UNHEALTHY;
}

static enum look_result verify(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct docker_container container;
	enum look_result seen = docker_look(context, plan, &container, text, size);
	if (seen != LOOK_HEALTHY)
		return seen;
	*since_ms = container.started_at;
	return judge(&container, text, size);
}

const struct action docker_restart = {
	.info =
		{
			.name = "docker.container.restart",
			.summary = "Restart a container; start it when it has exited.",
			.title = "Restart container",
			.done = "restarted container",
			.kind = COMPONENT_CONTAINER,
			.floor = RISK_LOW,
			.has_undo = false,
			.counts = true,
		},
	.check = check,
	.run = run,
	.verify = verify,
};
