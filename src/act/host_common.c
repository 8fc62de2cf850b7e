#include "act/host_common.h"

#include <string.h>

#include "base/str.h"

struct host *host_of_plan(
	const struct act_context *context, const struct plan *plan, struct err *err)
{
	for (int i = 0; i < context->config->machine_count; i++) {
		const struct config_machine *machine = &context->config->machines[i];
		if (str_starts(plan->source, "host:") && strcmp(plan->source + 5, machine->name) == 0)
			return host_open(machine, context->stop_fd, err);
	}
	err_set(err, ERR_GONE, "%s is not configured any more", plan->source);
	return NULL;
}
