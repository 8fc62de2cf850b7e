#include "act/docker_common.h"

#include <string.h>

#include "base/str.h"

struct docker *docker_of_plan(
	const struct act_context *context, const struct plan *plan, struct err *err)
{
	for (int i = 0; i < context->config->docker_count; i++) {
		const struct config_docker *docker = &context->config->docker[i];
		if (str_starts(plan->source, "docker:") && strcmp(plan->source + 7, docker->name) == 0)
			return docker_open(docker, context->stop_fd, err);
	}
	err_set(err, ERR_GONE, "%s is not configured any more", plan->source);
	return NULL;
}

enum act_result act_result_of(const struct err *err, int status)
{
	if (err->kind == ERR_GONE)
		return ACT_GONE;
	return status == 0 ? ACT_UNKNOWN : ACT_FAILED;
}

enum look_result docker_look(const struct act_context *context, const struct plan *plan,
	struct docker_container *container, char *text, size_t size)
{
	struct err err = {0};
	struct docker *docker = docker_of_plan(context, plan, &err);
	bool ok = docker != NULL &&
		docker_inspect(docker, plan->native, context->arena, container, &err);
	docker_close(docker);
	if (ok)
		return LOOK_HEALTHY;
	str_copy(text, size, err.kind == ERR_GONE ? "it was removed" : err.text);
	return err.kind == ERR_GONE ? LOOK_MEANT : LOOK_BLIND;
}
