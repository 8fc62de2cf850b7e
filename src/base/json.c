#include "base/json.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_check.h"
#include "base/json_text.h"

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

/* Offsets are ints in the library. No reply that we ask for is anywhere near. */
#define LENGTH_MAX ((size_t)1 << 30)

/* Tokens in the order of the text. While the library works, parent is the parent; afterwards it is
 * the token of the next sibling (of its value, in an object), 0 for the last: no list of parents or
 * of spans is needed beside the tokens. */
struct json_doc {
	const char *text;
	const jsmntok_t *tokens;
};

static bool token_is_key(const jsmntok_t *token)
{
	return token->type == JSMN_STRING && token->size == 1;
}

/* Turns parents into next siblings, in one pass: a value's container is the innermost one that has
 * not ended before it. */
static void link_siblings(jsmntok_t *tokens, int count)
{
	struct {
		int end, last; /* last: the newest child, 0: none yet */
	} open[JSON_DEPTH_MAX + 1];
	int depth = 0;
	for (int i = 0; i < count; i++) {
		jsmntok_t *token = &tokens[i];
		if (token_is_key(token))
			continue;
		while (depth > 0 && open[depth - 1].end <= token->start)
			depth--;
		if (depth > 0 && open[depth - 1].last > 0)
			tokens[open[depth - 1].last].parent = i;
		if (depth > 0)
			open[depth - 1].last = i;
		token->parent = 0;
		if (token->type == JSMN_OBJECT || token->type == JSMN_ARRAY) {
			open[depth].end = token->end;
			open[depth++].last = 0;
		}
	}
}

/* A number, true, false or null by itself: the library wants it to stand in something. */
static void lone_word(const char *text, size_t length, jsmntok_t *token)
{
	size_t start = 0, end = length;
	while (isspace((unsigned char)text[start]))
		start++;
	while (isspace((unsigned char)text[end - 1]))
		end--;
	*token = (jsmntok_t){.type = JSMN_PRIMITIVE, .start = (int)start, .end = (int)end};
}

static bool tokenise(const char *text, size_t length, jsmntok_t *tokens, size_t count)
{
	if (count == 1 && memchr(text, '"', length) == NULL && memchr(text, '{', length) == NULL &&
		memchr(text, '[', length) == NULL) {
		lone_word(text, length, tokens);
		return true;
	}
	jsmn_parser parser;
	jsmn_init(&parser);
	if (jsmn_parse(&parser, text, length, tokens, (unsigned)count) != (int)count)
		return false;
	link_siblings(tokens, (int)count);
	return true;
}

bool json_parse(
	struct arena *arena, const char *text, size_t length, struct json *root, struct err *err)
{
	size_t count;
	if (length > LENGTH_MAX)
		return err_set(err, ERR_INPUT, "JSON of more than 1 GiB");
	if (!json_check(text, length, &count, err))
		return false;
	struct json_doc *doc = arena_try(arena, sizeof(*doc));
	jsmntok_t *tokens = arena_try(arena, count * sizeof(*tokens));
	if (doc == NULL || tokens == NULL)
		return err_set(err, ERR_INPUT, "JSON of %zu values: too large for what was asked", count);
	if (!tokenise(text, length, tokens, count))
		return err_set(err, ERR_INPUT, "JSON that the reader cannot follow");
	*doc = (struct json_doc){.text = text, .tokens = tokens};
	*root = (struct json){.doc = doc, .token = 0};
	return true;
}

static const jsmntok_t *token_of(struct json value)
{
	assert(value.doc != NULL);
	return &value.doc->tokens[value.token];
}

enum json_kind json_kind(struct json value)
{
	if (value.doc == NULL)
		return JSON_NONE;
	switch (token_of(value)->type) {
	case JSMN_OBJECT:
		return JSON_OBJECT;
	case JSMN_ARRAY:
		return JSON_ARRAY;
	case JSMN_STRING:
		return JSON_STRING;
	case JSMN_UNDEFINED:
	case JSMN_PRIMITIVE:
		break;
	}
	switch (value.doc->text[token_of(value)->start]) {
	case 'n':
		return JSON_NULL;
	case 't':
	case 'f':
		return JSON_BOOL;
	default:
		return JSON_NUMBER;
	}
}

bool json_is(struct json value)
{
	return value.doc != NULL;
}

size_t json_count(struct json parent)
{
	enum json_kind kind = json_kind(parent);
	return kind == JSON_ARRAY || kind == JSON_OBJECT ? (size_t)token_of(parent)->size : 0;
}

struct json json_first(struct json parent)
{
	if (json_count(parent) == 0)
		return (struct json){0};
	int first = parent.token + (json_kind(parent) == JSON_OBJECT ? 2 : 1);
	return (struct json){.doc = parent.doc, .token = first};
}

struct json json_next(struct json child)
{
	if (child.doc == NULL || token_of(child)->parent == 0)
		return (struct json){0};
	return (struct json){.doc = child.doc, .token = token_of(child)->parent};
}

/* The key's token, when child is a member of an object. */
static const jsmntok_t *key_of(struct json child)
{
	if (child.doc == NULL || child.token == 0 || !token_is_key(token_of(child) - 1))
		return NULL;
	return token_of(child) - 1;
}

static const char *text_at(struct json value, const jsmntok_t *token, size_t *length)
{
	*length = (size_t)(token->end - token->start);
	return value.doc->text + token->start;
}

struct json json_get(struct json object, const char *key)
{
	if (json_kind(object) != JSON_OBJECT)
		return (struct json){0};
	for (struct json child = json_first(object); json_is(child); child = json_next(child)) {
		size_t length;
		const char *raw = text_at(child, key_of(child), &length);
		if (json_text_is(raw, length, key))
			return child;
	}
	return (struct json){0};
}

struct json json_path(struct json object, const char *path)
{
	char key[128];
	for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
		if ((size_t)(dot - path) >= sizeof(key))
			return (struct json){0};
		memcpy(key, path, (size_t)(dot - path));
		key[dot - path] = '\0';
		object = json_get(object, key);
	}
	return json_get(object, path);
}

static const char *unescaped(const char *raw, size_t length, struct arena *arena)
{
	size_t size = json_unescaped_size(raw, length);
	char *text = arena_try(arena, size);
	if (text != NULL)
		json_unescape(raw, length, text, size);
	return text;
}

const char *json_key(struct json child, struct arena *arena)
{
	const jsmntok_t *key = key_of(child);
	if (key == NULL)
		return NULL;
	size_t length;
	const char *raw = text_at(child, key, &length);
	return unescaped(raw, length, arena);
}

const char *json_key_raw(struct json child, size_t *length)
{
	const jsmntok_t *key = key_of(child);
	*length = 0;
	return key == NULL ? NULL : text_at(child, key, length);
}

static bool is_scalar(struct json value)
{
	enum json_kind kind = json_kind(value);
	return kind == JSON_STRING || kind == JSON_NUMBER || kind == JSON_BOOL;
}

const char *json_str(struct json value, struct arena *arena)
{
	if (!is_scalar(value))
		return NULL;
	size_t length;
	const char *raw = text_at(value, token_of(value), &length);
	return unescaped(raw, length, arena);
}

bool json_copy(struct json value, char *field, size_t size)
{
	field[0] = '\0';
	if (!is_scalar(value))
		return false;
	size_t length;
	const char *raw = text_at(value, token_of(value), &length);
	json_unescape(raw, length, field, size);
	return true;
}

/* A number's text into field; false when the value says no number, or one of absurd length. */
static bool number_text(struct json value, char *field, size_t size)
{
	enum json_kind kind = json_kind(value);
	if (kind != JSON_BOOL && kind != JSON_NUMBER && kind != JSON_STRING)
		return false;
	size_t length;
	const char *raw = text_at(value, token_of(value), &length);
	if (kind == JSON_BOOL)
		return str_copy(field, size, raw[0] == 't' ? "1" : "0");
	bool begins = length > 0 && length < size && (raw[0] == '-' || isdigit((unsigned char)raw[0]));
	if (!begins || memchr(raw, 'x', length) != NULL || memchr(raw, 'X', length) != NULL)
		return false;
	memcpy(field, raw, length);
	field[length] = '\0';
	return true;
}

static bool read_num(struct json value, double *number)
{
	char text[512], *end;
	if (!number_text(value, text, sizeof(text)))
		return false;
	double read = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(read))
		return false;
	*number = read;
	return true;
}

static bool read_int(struct json value, int64_t *number)
{
	char text[512], *end;
	double real;
	if (!number_text(value, text, sizeof(text)))
		return false;
	errno = 0;
	long long read = strtoll(text, &end, 10);
	if (end > text && *end == '\0') {
		*number = read;
		return errno == 0;
	}
	if (!read_num(value, &real) || real < -9.2e18 || real > 9.2e18)
		return false;
	*number = (int64_t)real;
	return true;
}

int64_t json_int(struct json value, int64_t otherwise)
{
	int64_t number;
	return read_int(value, &number) ? number : otherwise;
}

double json_num(struct json value, double otherwise)
{
	double number;
	return read_num(value, &number) ? number : otherwise;
}

static bool read_bool(struct json value, bool *answer)
{
	size_t length;
	if (!is_scalar(value))
		return false;
	const char *raw = text_at(value, token_of(value), &length);
	bool yes = json_text_is(raw, length, "true") || json_text_is(raw, length, "1");
	if (!yes && !json_text_is(raw, length, "false") && !json_text_is(raw, length, "0"))
		return false;
	*answer = yes;
	return true;
}

bool json_bool(struct json value, bool otherwise)
{
	bool answer;
	return read_bool(value, &answer) ? answer : otherwise;
}

const char *json_raw(struct json value, size_t *length)
{
	*length = 0;
	if (value.doc == NULL)
		return NULL;
	const char *raw = text_at(value, token_of(value), length);
	if (json_kind(value) != JSON_STRING)
		return raw;
	*length += 2;
	return raw - 1;
}

static bool decode_field(struct json value, const struct json_field *field, void *at)
{
	switch (field->type) {
	case JSON_T_STR:
		return json_copy(value, at, field->size);
	case JSON_T_INT64:
		return read_int(value, at);
	case JSON_T_DOUBLE:
		return read_num(value, at);
	case JSON_T_BOOL:
		return read_bool(value, at);
	}
	return false;
}

bool json_decode(
	struct json object, const struct json_field *fields, size_t n, void *out, struct err *err)
{
	static const char *const types[] = {"text", "a whole number", "a number", "true or false"};
	for (size_t i = 0; i < n; i++) {
		struct json value = json_path(object, fields[i].path);
		if (decode_field(value, &fields[i], (char *)out + fields[i].offset) || !fields[i].required)
			continue;
		return err_set(err, ERR_INPUT, "\"%s\" is %s, where %s was expected", fields[i].path,
			json_is(value) ? "something else" : "missing", types[fields[i].type]);
	}
	return true;
}
