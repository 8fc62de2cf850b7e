/*
 * What the actions on hosts share: reaching the plan's machine.
 */
#ifndef ACT_HOST_COMMON_H
#define ACT_HOST_COMMON_H

#include "act/act.h"
#include "client/host.h"

/* The machine that the plan's source names. NULL: it is not configured any more. */
struct host *host_of_plan(const struct act_context *context, const struct plan *plan,
	struct err *err);

#endif
