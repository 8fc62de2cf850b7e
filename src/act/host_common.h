/*
 * What the actions on hosts share: reaching the plan's machine.
 */
#ifndef ACT_HOST_COMMON_H
#define ACT_HOST_COMMON_H

#include "act/act.h"
#include "client/host.h"

/* The machine that the plan's source names; a node of Proxmox VE by its ssh:. NULL: it is not
 * configured, or is another one. In the context's arena. */
struct host *host_of_plan(const struct act_context *context, const struct plan *plan,
	struct err *err);

/* One by its name under hosts:. NULL: there is none. */
struct host *host_named(const struct act_context *context, const char *name, struct err *err);

/* Runs a command; true when it ended with 0. output (NULL: not wanted): without the last line's
 * end. */
bool host_try(struct host *host, const char *const *argv, int64_t timeout_ms, struct arena *arena,
	char **output);

#endif
