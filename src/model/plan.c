#include "model/plan.h"

#include "base/digest.h"

void plan_seal(struct plan *plan)
{
	const char *parts[] = {plan->action, plan->component, plan->source, plan->native};
	digest_hex(parts, sizeof(parts) / sizeof(parts[0]), plan->hash, sizeof(plan->hash));
}
