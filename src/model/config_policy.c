/* The policy section: rules, and the rules that no rule may break. */
#include <string.h>

#include "base/str.h"
#include "model/config_keys.h"

static bool has_wildcard(const char *pattern)
{
	return strpbrk(pattern, "*?") != NULL;
}

/* auto lets an action run that would otherwise be asked for: it must say which, on what. */
static bool check_auto(struct config_reader *reader, const struct config_policy *rule, int number)
{
	if (rule->action == NULL || rule->component == NULL)
		return config_fail(reader, rule->line, "policy.then",
			"rule %d: auto needs both match.action and match.component: say what may run by "
			"itself, "
			"on what",
			number);
	if (has_wildcard(rule->action))
		return config_fail(reader, rule->line, "policy.then",
			"rule %d: auto with the wildcard \"%.60s\" in match.action is refused: name one "
			"action, as "
			"docker.container.restart",
			number, rule->action);
	if (strspn(rule->component, "*?") == strlen(rule->component))
		return config_fail(reader, rule->line, "policy.then",
			"rule %d: auto on every component (\"%.20s\") is refused: name the component", number,
			rule->component);
	if (rule->has_risk && rule->risk == RISK_HIGH)
		return config_fail(reader, rule->line, "policy.then",
			"rule %d: auto together with risk: high: a HIGH action never runs by itself: remove "
			"one "
			"of the two",
			number);
	return true;
}

static bool read_match(
	struct config_reader *reader, const struct yaml *item, struct config_policy *rule, int number)
{
	const struct yaml *match = yaml_find(item, "match");
	if (match == NULL || match->kind != YAML_MAP)
		return config_fail(reader, match != NULL ? match->line : item->line, "policy.match",
			"rule %d: say what it is about, as match: { component: \"docker_container_*\" }",
			number);
	if (!config_read_map(reader, match, "policy.match.", rule))
		return false;
	return rule->component != NULL || rule->action != NULL || rule->source != NULL ||
		config_fail(reader, match->line, "policy.match",
			"rule %d: matches everything: name a component, an action or a source; for all write "
			"component: \"*\"",
			number);
}

static bool read_rule(
	struct config_reader *reader, const struct yaml *item, struct config_policy *rule, int number)
{
	if (item->kind != YAML_MAP)
		return config_fail(reader, item->line, "policy",
			"rule %d: each rule is a section: match: …, and risk: … or then: …", number);
	if (!config_read_map(reader, item, "policy.", rule) || !read_match(reader, item, rule, number))
		return false;
	rule->has_risk = yaml_find(item, "risk") != NULL;
	if (!rule->has_risk && rule->then == CONSENT_DEFAULT)
		return config_fail(reader, rule->line, "policy",
			"rule %d does nothing: add risk: low, medium or high, or then: auto, ask or never",
			number);
	if (rule->proven != 0 && rule->then != CONSENT_AUTO)
		return config_fail(reader, rule->line, "policy.proven",
			"rule %d: says from when on an action may run by itself: it needs then: auto", number);
	return rule->then != CONSENT_AUTO || check_auto(reader, rule, number);
}

bool config_read_policy(struct config_reader *reader, const struct yaml *list)
{
	struct config *config = reader->config;
	size_t count = 0;
	if (list->kind != YAML_LIST)
		return config_fail(
			reader, list->line, "policy", "must be a list: begin each rule by \"- match: …\"");
	for (const struct yaml *item = list->children; item != NULL; item = item->next)
		count++;
	config->policy = arena_try(reader->arena, count * sizeof(struct config_policy));
	if (config->policy == NULL)
		return config_fail(reader, list->line, "policy", "too many rules");
	for (const struct yaml *item = list->children; item != NULL; item = item->next) {
		struct config_policy *rule = &config->policy[config->policy_count];
		rule->line = item->line;
		if (!read_rule(reader, item, rule, config->policy_count + 1))
			return false;
		config->policy_count++;
	}
	return true;
}
