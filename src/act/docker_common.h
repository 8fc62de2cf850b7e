/*
 * What the Docker actions share: reaching the plan's engine, and reading its container.
 */
#ifndef ACT_DOCKER_COMMON_H
#define ACT_DOCKER_COMMON_H

#include "act/act.h"
#include "client/docker.h"

/* The engine that the plan's source names. NULL: it is not configured any more. */
struct docker *docker_of_plan(const struct act_context *context, const struct plan *plan,
	struct err *err);

/* What a failed POST means: gone, failed, or unknown, when no answer came (status 0): then it may
 * have been done. */
enum act_result act_result_of(const struct err *err, int status);

/* Reads the plan's container. LOOK_HEALTHY: it was read, no more; LOOK_MEANT: it was removed;
 * LOOK_BLIND: it could not be read. */
enum look_result docker_look(const struct act_context *context, const struct plan *plan,
	struct docker_container *container, char *text, size_t size);

#endif
