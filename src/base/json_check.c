#include "base/json_check.h"

#include <ctype.h>
#include <string.h>

struct check {
	const char *at, *end;
	const char *wrong; /* NULL: so far all is well */
};

static void skip_space(struct check *check)
{
	while (check->at < check->end &&
		(*check->at == ' ' || *check->at == '\n' || *check->at == '\r' || *check->at == '\t'))
		check->at++;
}

static bool fail(struct check *check, const char *wrong)
{
	check->wrong = wrong;
	return false;
}

/* at is at the backslash, and goes after the escape. */
static bool check_escape(struct check *check)
{
	size_t left = (size_t)(check->end - check->at);
	if (left < 2 || check->at[1] == '\0' || strchr("\"\\/bfnrtu", check->at[1]) == NULL)
		return fail(check, "an unknown escape in a string");
	if (check->at[1] != 'u') {
		check->at += 2;
		return true;
	}
	for (size_t i = 2; i < 6; i++)
		if (i >= left || !isxdigit((unsigned char)check->at[i]))
			return fail(check, "\\u without four hexadecimal digits");
	check->at += 6;
	return true;
}

/* at is at the opening quote, and goes after the closing one. */
static bool check_string(struct check *check)
{
	for (check->at++; check->at < check->end;) {
		unsigned char c = (unsigned char)*check->at;
		if (c == '"') {
			check->at++;
			return true;
		}
		if (c < 0x20)
			return fail(check, "a control character in a string");
		if (c != '\\')
			check->at++;
		else if (!check_escape(check))
			return false;
	}
	return fail(check, "a string that does not end");
}

static bool digits(struct check *check)
{
	const char *start = check->at;
	while (check->at < check->end && isdigit((unsigned char)*check->at))
		check->at++;
	return check->at > start;
}

static bool check_number(struct check *check)
{
	if (*check->at == '-')
		check->at++;
	if (check->at < check->end && *check->at == '0')
		check->at++;
	else if (!digits(check))
		return fail(check, "a malformed number");
	if (check->at < check->end && *check->at == '.') {
		check->at++;
		if (!digits(check))
			return fail(check, "a malformed number");
	}
	if (check->at < check->end && (*check->at == 'e' || *check->at == 'E')) {
		check->at++;
		if (check->at < check->end && (*check->at == '+' || *check->at == '-'))
			check->at++;
		if (!digits(check))
			return fail(check, "a malformed number");
	}
	return true;
}

static bool check_word(struct check *check)
{
	static const char *const words[] = {"true", "false", "null"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);
		if ((size_t)(check->end - check->at) >= length &&
			memcmp(check->at, words[i], length) == 0) {
			check->at += length;
			return true;
		}
	}
	return fail(check, "something that is no value");
}

static bool check_scalar(struct check *check)
{
	char c = *check->at;
	if (c == '"')
		return check_string(check);
	if (c == '-' || isdigit((unsigned char)c))
		return check_number(check);
	return check_word(check);
}

enum expect { VALUE, VALUE_OR_END, KEY, KEY_OR_END, AFTER };

struct nest {
	enum expect expect;
	int depth;
	char closing[JSON_DEPTH_MAX];
	size_t tokens;
};

static bool step_value(struct check *check, struct nest *nest)
{
	char c = *check->at;
	nest->tokens++;
	if (c != '{' && c != '[') {
		nest->expect = AFTER;
		return check_scalar(check);
	}
	if (nest->depth == JSON_DEPTH_MAX)
		return fail(check, "nested deeper than 64");
	nest->closing[nest->depth++] = c == '{' ? '}' : ']';
	nest->expect = c == '{' ? KEY_OR_END : VALUE_OR_END;
	check->at++;
	return true;
}

static bool step_key(struct check *check, struct nest *nest)
{
	if (*check->at != '"')
		return fail(check, "a key that is no string");
	if (!check_string(check))
		return false;
	skip_space(check);
	if (check->at == check->end || *check->at != ':')
		return fail(check, "a key without a colon");
	check->at++;
	nest->tokens++;
	nest->expect = VALUE;
	return true;
}

static bool step_after(struct check *check, struct nest *nest)
{
	if (nest->depth == 0)
		return fail(check, "something after the end");
	char closing = nest->closing[nest->depth - 1];
	if (*check->at == closing)
		nest->depth--;
	else if (*check->at == ',')
		nest->expect = closing == '}' ? KEY : VALUE;
	else
		return fail(check, "a missing comma or bracket");
	check->at++;
	return true;
}

static bool step(struct check *check, struct nest *nest)
{
	bool may_end = nest->expect == VALUE_OR_END || nest->expect == KEY_OR_END;
	if (may_end && *check->at == nest->closing[nest->depth - 1])
		nest->expect = AFTER;
	if (nest->expect == AFTER)
		return step_after(check, nest);
	if (nest->expect == KEY || nest->expect == KEY_OR_END)
		return step_key(check, nest);
	return step_value(check, nest);
}

bool json_check(const char *text, size_t length, size_t *tokens, struct err *err)
{
	struct check check = {.at = text, .end = text + length};
	struct nest nest = {.expect = VALUE};
	for (skip_space(&check); check.at < check.end; skip_space(&check))
		if (!step(&check, &nest))
			break;
	if (check.wrong == NULL && (nest.expect != AFTER || nest.depth > 0))
		check.wrong = nest.tokens == 0 ? "nothing" : "an end too early";
	if (check.wrong != NULL)
		return err_set(
			err, ERR_INPUT, "not JSON: %s at byte %zu", check.wrong, (size_t)(check.at - text));
	*tokens = nest.tokens;
	return true;
}
