#include <string.h>

#include "base/str.h"
#include "decide/decide.h"

static bool row_matches(
	const struct config_policy *row, const struct component *component, const char *action)
{
	return (row->component == NULL || str_match(row->component, component->name)) &&
		(row->source == NULL || str_match(row->source, component->source)) &&
		(row->action == NULL || str_match(row->action, action));
}

/* A person who lets a MEDIUM action run by itself must have named the action and a component. */
static bool may_grant_auto(const struct config_policy *row)
{
	return row->action != NULL && strpbrk(row->action, "*?") == NULL && row->component != NULL;
}

struct weight risk_weigh(const struct config *config, const struct component *component,
	const char *action, enum risk floor)
{
	struct weight weight = {.risk = floor};
	if (component->has_risk && component->risk > weight.risk)
		weight.risk = component->risk;
	for (int i = 0; i < config->policy_count; i++) {
		const struct config_policy *row = &config->policy[i];
		if (!row_matches(row, component, action))
			continue;
		if (row->has_risk && row->risk > weight.risk)
			weight.risk = row->risk;
		if (row->then == CONSENT_DEFAULT || (row->then == CONSENT_AUTO && !may_grant_auto(row)))
			continue;
		if (row->then == CONSENT_AUTO && row->proven > weight.proven)
			weight.proven = row->proven;
		/* The most cautious row wins, whatever their order. */
		if (row->then > weight.consent) {
			weight.consent = row->then;
			weight.line = row->line;
		}
	}
	return weight;
}
