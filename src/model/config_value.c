/* Values of the configuration: one reader a type. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "model/config_keys.h"

struct place {
	struct config_reader *reader;
	const struct config_key *key;
	int line;
};

#define FAIL(place, ...) \
	config_fail((place)->reader, (place)->line, (place)->key->path, __VA_ARGS__)

static void ms_text(char field[32], int64_t ms)
{
	if (ms % 1000 != 0)
		str_format(field, 32, "%lldms", (long long)ms);
	else
		str_format(field, 32, "%llds", (long long)ms / 1000);
}

static bool read_duration(const struct place *place, const char *text, int64_t *ms)
{
	const struct config_check *check = place->key->check;
	char least[32], most[32];
	int64_t read = str_parse_duration(text);
	if (read < 0)
		return FAIL(place, "\"%.60s\" is no duration: write it as 500ms, 60s, 10m, 2h or 1d", text);
	ms_text(least, check->min);
	ms_text(most, check->max);
	if (read < check->min || read > check->max)
		return FAIL(place, "%.60s is out of range: from %s to %s", text, least, most);
	*ms = read;
	return true;
}

static bool read_number(const struct place *place, const char *text, int64_t *number)
{
	const struct config_check *check = place->key->check;
	char *end;
	long long read = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || isspace((unsigned char)*text))
		return FAIL(place, "\"%.60s\" is no whole number: write it as %s", text,
			place->key->otherwise[0] != '\0' ? place->key->otherwise : "104");
	if (read < check->min || read > check->max)
		return FAIL(place, "%.60s is out of range: from %lld to %lld", text, (long long)check->min,
			(long long)check->max);
	*number = read;
	return true;
}

static bool read_count(const struct place *place, const char *text, int *count)
{
	int64_t number = 0;
	if (!read_number(place, text, &number))
		return false;
	*count = (int)number;
	return true;
}

/* "22:00..07:00", in minutes of the day. */
static bool read_hours(const struct place *place, const char *text, int *from, int *to)
{
	int h1, m1, h2, m2, length = 0;
	if (sscanf(text, "%2d:%2d..%2d:%2d%n", &h1, &m1, &h2, &m2, &length) != 4 ||
		text[length] != '\0' || h1 < 0 || h1 > 23 || h2 < 0 || h2 > 23 || m1 < 0 || m1 > 59 ||
		m2 < 0 || m2 > 59)
		return FAIL(place, "\"%.60s\" is no time of day: write it as 22:00..07:00", text);
	*from = h1 * 60 + m1;
	*to = h2 * 60 + m2;
	return *from != *to || FAIL(place, "begins when it ends: remove the key for no quiet hours");
}

/* "5 per 10m" or "3 in 5s": either word. */
static bool read_rate(const struct place *place, const char *text, int *count, int64_t *ms)
{
	char number[16], word[8], time[16], rest[2];
	int fields = sscanf(text, "%15s %7s %15s %1s", number, word, time, rest);
	if (fields != 3 || (strcmp(word, "per") != 0 && strcmp(word, "in") != 0))
		return FAIL(place, "\"%.60s\": write it as \"%s\"", text, place->key->otherwise);
	*ms = str_parse_duration(time);
	if (*ms < 1000 || *ms > INT64_C(7) * 86400000)
		return FAIL(place, "\"%.15s\" is no time from 1s to 7d: write it as \"%s\"", time,
			place->key->otherwise);
	return read_count(place, number, count);
}

static bool read_range(const struct place *place, const char *text, int64_t *from, int64_t *to)
{
	char first[24];
	const char *dots = strstr(text, "..");
	if (dots == NULL || (size_t)(dots - text) >= sizeof(first))
		return FAIL(place, "\"%.60s\": write it as %s", text, place->key->otherwise);
	STR_FORMAT(first, "%.*s", (int)(dots - text), text);
	if (!read_duration(place, first, from) || !read_duration(place, dots + 2, to))
		return false;
	return *from <= *to || FAIL(place, "%.60s ends before it begins: swap the two", text);
}

static bool read_name(const struct place *place, const char *text)
{
	size_t length = strlen(text);
	bool good = length <= 40 && isalnum((unsigned char)text[0]);
	for (size_t i = 0; i < length && good; i++)
		good = isalnum((unsigned char)text[i]) || strchr("_.-", text[i]) != NULL;
	return good ||
		FAIL(place,
			"\"%.60s\": a name has 1 to 40 letters, digits, _ . -, and begins with "
			"a letter or digit",
			text);
}

static bool read_path(const struct place *place, const char *text)
{
	int64_t most = place->key->check->max > 0 ? place->key->check->max : 3000;
	if (text[0] != '/')
		return FAIL(place, "\"%.60s\": give the whole path, beginning with /", text);
	if (strlen(text) > (size_t)most)
		return FAIL(place, "the path is too long: at most %lld bytes", (long long)most);
	return true;
}

static bool read_file(const struct place *place, const char *text)
{
	struct err err;
	if (!read_path(place, text))
		return false;
	return file_can_read(text, &err) || FAIL(place, "%s", err.text);
}

static bool read_pattern(const struct place *place, const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("_.-:@*?", *c) == NULL)
			return FAIL(place,
				"\"%.60s\": no component, action or source has a '%c' in its name; "
				"allowed are letters, digits, _ . - : @ and the wildcards * and ?",
				text, *c);
	return true;
}

static bool read_flag(const struct place *place, const char *text, bool *flag)
{
	*flag = strcmp(text, "true") == 0;
	return *flag || strcmp(text, "false") == 0 ||
		FAIL(place, "\"%.60s\": write true or false", text);
}

/* A reference is resolved when it is used: a secret may be set after the file was written. */
static bool read_secret(const struct place *place, const char *text)
{
	struct config_reader *reader = place->reader;
	bool is_env = str_starts(text, "env:");
	if (is_env || str_starts(text, "secret:")) {
		const char *name = strchr(text, ':') + 1;
		bool good = *name != '\0' && *name != '.' && strlen(name) <= 64;
		for (const char *c = name; *c != '\0' && good; c++)
			good = isalnum((unsigned char)*c) || strchr(is_env ? "_" : "_.-", *c) != NULL;
		return good ||
			FAIL(place, "\"%.60s\": after %s comes a name of 1 to 64 letters, digits%s", text,
				is_env ? "env:" : "secret:", is_env ? " and _" : ", _ . and -");
	}
	if (!reader->is_private)
		return FAIL(place,
			"is in clear text, and others can read this file: chmod 600 %s, or better keep it by: "
			"homeostat secret set NAME, and write secret:NAME",
			reader->name);
	config_warn(reader, place->line, place->key->path,
		"is in clear text: keep it by: homeostat secret set NAME, and write secret:NAME");
	return true;
}

static bool read_healing(const struct place *place, const char *text, enum healing *healing)
{
	return healing_parse(text, healing) ||
		FAIL(place, "\"%.60s\": write false, true or shadow", text);
}

static bool read_risk(const struct place *place, const char *text, enum risk *risk)
{
	return risk_parse(text, risk) || FAIL(place, "\"%.60s\": write low, medium or high", text);
}

static bool read_consent(const struct place *place, const char *text, enum consent *consent)
{
	static const char *const words[] = {
		[CONSENT_AUTO] = "auto", [CONSENT_ASK] = "ask", [CONSENT_NEVER] = "never"};
	for (int i = CONSENT_AUTO; i <= CONSENT_NEVER; i++) {
		if (strcmp(text, words[i]) == 0) {
			*consent = (enum consent)i;
			return true;
		}
	}
	return FAIL(place, "\"%.60s\": write auto, ask or never", text);
}

static const char **text_at(void *out, const struct config_check *check)
{
	return (const char **)((char *)out + check->offset);
}

/* Texts are kept as written, once their type has found nothing wrong. */
static bool read_text(const struct place *place, const char *text, void *out)
{
	static bool (*const readers[])(const struct place *, const char *) = {
		[TYPE_NAME] = read_name,
		[TYPE_PATH] = read_path,
		[TYPE_FILE] = read_file,
		[TYPE_PATTERN] = read_pattern,
		[TYPE_SECRET] = read_secret,
	};
	const struct config_check *check = place->key->check;
	if (check->type != TYPE_TEXT && !readers[check->type](place, text))
		return false;
	*text_at(out, check) = text;
	return true;
}

static bool read_typed(const struct place *place, const char *text, void *out)
{
	const struct config_check *check = place->key->check;
	void *at = (char *)out + check->offset, *second = (char *)out + check->second_offset;
	switch (check->type) {
	case TYPE_TEXT:
	case TYPE_NAME:
	case TYPE_PATH:
	case TYPE_FILE:
	case TYPE_PATTERN:
	case TYPE_SECRET:
		return read_text(place, text, out);
	case TYPE_DURATION:
		return read_duration(place, text, at);
	case TYPE_COUNT:
		return read_count(place, text, at);
	case TYPE_NUMBER:
		return read_number(place, text, at);
	case TYPE_HOURS:
		return read_hours(place, text, at, second);
	case TYPE_FLAG:
		return read_flag(place, text, at);
	case TYPE_RATE:
		return read_rate(place, text, at, second);
	case TYPE_RANGE:
		return read_range(place, text, at, second);
	case TYPE_HEALING:
		return read_healing(place, text, at);
	case TYPE_RISK:
		return read_risk(place, text, at);
	case TYPE_CONSENT:
		return read_consent(place, text, at);
	case TYPE_NUMBERS:
	case TYPE_SECTION:
		break;
	}
	return true;
}

static bool check_scalar(const struct place *place, const struct yaml *value)
{
	const char *type = place->key->type;
	if (value->kind != YAML_SCALAR)
		return FAIL(place, "is a %s where a single value was expected: %s",
			value->kind == YAML_LIST ? "list" : "section", type);
	if (value->text[0] == '\0')
		return FAIL(place, "has no value: give one (%s) or remove the key", type);
	for (const char *c = value->text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return FAIL(place, "has a line break or a control character in its value: remove it");
	return true;
}

static bool read_numbers(struct place *place, const struct yaml *list, void *out)
{
	const struct config_check *check = place->key->check;
	int *count = (int *)(void *)((char *)out + check->second_offset);
	if (list->kind != YAML_LIST)
		return FAIL(place, "must be a list: write it as [104, 101]");
	size_t length = 0;
	for (const struct yaml *item = list->children; item != NULL; item = item->next)
		length++;
	int64_t *numbers = arena_try(place->reader->arena, (length + 1) * sizeof(int64_t));
	if (numbers == NULL)
		return FAIL(place, "has too many numbers");
	*count = 0;
	for (const struct yaml *item = list->children; item != NULL; item = item->next) {
		int64_t *number = &numbers[*count];
		place->line = item->line;
		if (!check_scalar(place, item) || !read_number(place, item->text, number))
			return false;
		for (int i = 0; i < *count; i++)
			if (numbers[i] == *number)
				return FAIL(place, "%lld is there twice: remove one", (long long)*number);
		(*count)++;
	}
	*(const int64_t **)(void *)((char *)out + check->offset) = numbers;
	return true;
}

bool config_read_value(
	struct config_reader *reader, const struct yaml *value, const struct config_key *key, void *out)
{
	struct place place = {reader, key, value->line > 0 ? value->line : 1};
	if (key->check->type == TYPE_NUMBERS)
		return read_numbers(&place, value, out);
	return check_scalar(&place, value) && read_typed(&place, value->text, out);
}
