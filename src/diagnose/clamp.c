/*
 * The clamp: a model's answer becomes a diagnosis that is never less cautious than the rules' own.
 * Pure; tests/fault/test_hostile.c gives it everything that can be said.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/redact.h"
#include "base/str.h"
#include "base/utf8.h"
#include "diagnose/opinion.h"

#define SCRATCH_BYTES ((size_t)1 << 20)
#define QUOTES_MAX 5
/* A quote of fewer letters could stand anywhere. */
#define QUOTE_LEAST 8
/* What nobody can be surer of than. */
#define SUREST 0.95
#define UNPROVED 0.3

struct answer {
	char cause[900], action[64], params[PARAMS_MAX_BYTES], risk[16], alternatives[900];
	double confidence;
	struct json quotes;
};

#define TEXT(name) \
	{ \
#name, JSON_T_STR, offsetof(struct answer, name), sizeof(((struct answer *)0)->name), true \
	}
static const struct json_field fields[] = {
	TEXT(cause),
	TEXT(action),
	TEXT(params),
	TEXT(risk),
	TEXT(alternatives),
	{"confidence", JSON_T_DOUBLE, offsetof(struct answer, confidence), 0, true},
};

/* Exactly the members that were asked for, each once. */
static bool has_only_known(struct json root, struct err *err)
{
	static const char *const known[] = {
		"cause", "confidence", "evidence", "action", "params", "risk", "alternatives"};
	int seen[sizeof(known) / sizeof(known[0])] = {0};
	for (struct json v = json_first(root); json_is(v); v = json_next(v)) {
		size_t length = 0, i = 0;
		const char *key = json_key_raw(v, &length);
		while (i < sizeof(known) / sizeof(known[0]) &&
			(strlen(known[i]) != length || memcmp(known[i], key, length) != 0))
			i++;
		if (i == sizeof(known) / sizeof(known[0]) || seen[i]++ > 0)
			return err_set(err, ERR_INPUT, "a member that was not asked for, or twice: %.*s",
				length > 40 ? 40 : (int)length, key);
	}
	return true;
}

static bool read_answer(
	const char *text, struct arena *arena, struct answer *answer, struct err *err)
{
	struct json root;
	if (!json_parse(arena, text, strlen(text), &root, err))
		return false;
	if (json_kind(root) != JSON_OBJECT)
		return err_set(err, ERR_INPUT, "it is no object");
	if (!has_only_known(root, err) ||
		!json_decode(root, fields, sizeof(fields) / sizeof(fields[0]), answer, err))
		return false;
	/* Cut, parameters would be others. */
	const char *params = json_str(json_get(root, "params"), arena);
	if (params == NULL || strlen(params) >= sizeof(answer->params))
		return err_set(err, ERR_INPUT, "its parameters are too long");
	answer->quotes = json_get(root, "evidence");
	if (json_kind(answer->quotes) != JSON_ARRAY)
		return err_set(err, ERR_INPUT, "its evidence is no list");
	return true;
}

/* One line for people: nothing in it steers a terminal, and no secret is repeated. */
static void say(char *field, size_t size, const char *text)
{
	char shown[1400];
	size_t length = 0;
	STR_SET(shown, text);
	redact(shown, sizeof(shown));
	for (const char *at = shown; *at != '\0';) {
		uint32_t c = 0;
		size_t n = utf8_decode(at, &c);
		bool plain = n > 0 && !utf8_steers(c);
		size_t bytes = plain ? n : 1;
		if (length + bytes >= size)
			break;
		memcpy(field + length, plain ? at : " ", bytes);
		length += bytes;
		at += n == 0 ? 1 : n;
	}
	field[length] = '\0';
}

static const struct action_info *find_action(
	const struct opinion_actions *actions, const char *name)
{
	for (int i = 0; actions->info[i] != NULL; i++)
		if (strcmp(actions->info[i]->name, name) == 0)
			return actions->info[i];
	return NULL;
}

/* A name among the parameters must be one that the rules themselves found: else a model could name
 * what it likes. */
static bool names_are_known(const struct action_info *info, const char *params,
	const struct diagnosis *rules, struct err *err)
{
	char value[PARAMS_MAX_BYTES], own[PARAMS_MAX_BYTES];
	for (int i = 0; info->params != NULL && info->params[i].name != NULL; i++) {
		if (info->params[i].type != PARAM_NAME ||
			!params_get(params, info->params[i].name, value, sizeof(value)))
			continue;
		params_get(rules->params, info->params[i].name, own, sizeof(own));
		if (strcmp(rules->action, info->name) != 0 || strcmp(own, value) != 0)
			return err_set(
				err, ERR_INPUT, "%s: it names \"%.64s\", which nobody has seen", info->name, value);
	}
	return true;
}

/* The action that the answer proposes; NULL: none that counts. */
static const struct action_info *proposed(const struct clamp *clamp, const struct answer *answer,
	char params[PARAMS_MAX_BYTES], char *why, size_t size)
{
	struct err err = {0};
	const struct action_info *info = find_action(clamp->actions, answer->action);
	params[0] = '\0';
	if (info == NULL) {
		if (strcmp(answer->action, "none") != 0)
			str_format(
				why, size, "it proposed \"%.48s\", which is no action for this", answer->action);
		return NULL;
	}
	if (info->kind != clamp->component->kind) {
		str_format(why, size, "it proposed %s, which is not for this component", info->name);
		return NULL;
	}
	if (params_check(info, answer->params, params, &err) &&
		names_are_known(info, params, clamp->rules, &err))
		return info;
	str_format(why, size, "its proposal was refused: %s", err.text);
	return NULL;
}

static bool stands_in(const struct evidence_list *list, const char *quote)
{
	for (int i = 0; i < list->count; i++)
		if (strstr(list->rows[i].text, quote) != NULL)
			return true;
	return false;
}

/* Quotes count that were really shown to it. Returns how many. */
static int take_quotes(
	const struct clamp *clamp, struct json quotes, struct arena *arena, char *evidence, size_t size)
{
	char quote[EVIDENCE_TEXT_BYTES];
	int n = 0;
	evidence[0] = '\0';
	for (struct json q = json_first(quotes); json_is(q) && n < QUOTES_MAX; q = json_next(q)) {
		const char *text = json_kind(q) == JSON_STRING ? json_str(q, arena) : NULL;
		if (text == NULL)
			continue;
		say(quote, sizeof(quote), text);
		if (strlen(quote) < QUOTE_LEAST || !stands_in(clamp->evidence, quote))
			continue;
		size_t used = strlen(evidence);
		str_format(evidence + used, size - used, "%s%s", used > 0 ? " | " : "", quote);
		n++;
	}
	return n;
}

static bool is_rules_own(
	const struct diagnosis *rules, const struct action_info *info, const char *params)
{
	return strcmp(rules->action, info->name) == 0 && strcmp(rules->params, params) == 0;
}

/* Whatever it says, the consent that is needed can only grow. "none" and what is refused leave the
 * rules' remedy, but for a person to allow. */
static void set_remedy(const struct clamp *clamp, const struct answer *answer,
	const struct action_info *info, const char *params, struct diagnosis *diagnosis)
{
	enum risk risk = RISK_LOW;
	diagnosis->unproven = clamp->rules->unproven || info == NULL ||
		!is_rules_own(clamp->rules, info, params);
	STR_SET(diagnosis->action, info != NULL ? info->name : clamp->rules->action);
	STR_SET(diagnosis->params, info != NULL ? params : clamp->rules->params);
	if (!risk_parse(answer->risk, &risk))
		risk = RISK_HIGH;
	diagnosis->risk = risk > clamp->rules->risk ? risk : clamp->rules->risk;
}

/* Rules that are surer keep their cause and their remedy; what the model thinks stands beside. */
static void yield_to_rules(const struct diagnosis *rules, struct diagnosis *made)
{
	char cause[sizeof(made->cause)];
	STR_SET(cause, made->cause);
	STR_SET(made->cause, rules->cause);
	STR_SET(made->evidence, rules->evidence);
	made->confidence = rules->confidence;
	STR_FORMAT(made->alternatives, "the model thinks: %s", cause);
	if (rules->action[0] == '\0')
		return;
	STR_SET(made->action, rules->action);
	STR_SET(made->params, rules->params);
}

bool opinion_clamp(const struct clamp *clamp, const char *text, struct diagnosis *diagnosis,
	char *why, size_t size)
{
	struct answer answer = {0};
	struct err err = {0};
	char params[PARAMS_MAX_BYTES], note[300] = "";
	auto_arena arena = arena_new(SCRATCH_BYTES);
	if (strlen(text) >= OPINION_BYTES || !read_answer(text, arena, &answer, &err)) {
		str_format(why, size, "the model's answer is none: %s",
			err.text[0] != '\0' ? err.text : "it is too long");
		return false;
	}
	struct diagnosis made = {0};
	const struct action_info *info = proposed(clamp, &answer, params, note, sizeof(note));
	set_remedy(clamp, &answer, info, params, &made);
	int quotes = take_quotes(clamp, answer.quotes, arena, made.evidence, sizeof(made.evidence));
	say(made.cause, sizeof(made.cause), answer.cause);
	say(made.alternatives, sizeof(made.alternatives), note[0] != '\0' ? note : answer.alternatives);
	if (made.cause[0] == '\0')
		STR_SET(made.cause, "unknown");
	STR_SET(made.by, clamp->by);
	double sure = isfinite(answer.confidence) ? answer.confidence : 0;
	sure = sure < 0 ? 0 : sure > SUREST ? SUREST : sure;
	made.confidence = quotes == 0 && sure > UNPROVED ? UNPROVED : sure;
	if (quotes == 0)
		STR_SET(made.evidence, clamp->rules->evidence);
	if (made.confidence < clamp->rules->confidence)
		yield_to_rules(clamp->rules, &made);
	*diagnosis = made;
	str_copy(why, size, note);
	return true;
}
