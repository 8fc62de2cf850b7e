/* The JSON Schema that structured outputs take, and whether a value fits one: the guarantee does
 * not hold for refusals, cut answers and most local servers. */
#include <string.h>

#include "base/str.h"
#include "client/claude_internal.h"

#define DEPTH_MAX 16
#define JSON_DEPTH_LIMIT 40 /* as many steps through $ref and members */

static bool text_is(struct json value, const char *text)
{
	size_t length = 0;
	const char *raw = json_raw(value, &length);
	return json_kind(value) == JSON_STRING && length == strlen(text) + 2 &&
		memcmp(raw + 1, text, strlen(text)) == 0;
}

static bool key_is_one_of(struct json child, const char *const *keys)
{
	size_t length = 0;
	const char *key = json_key_raw(child, &length);
	for (; *keys != NULL; keys++)
		if (strlen(*keys) == length && memcmp(*keys, key, length) == 0)
			return true;
	return false;
}

static bool at_key(struct json child, struct err *err)
{
	size_t length = 0;
	const char *key = json_key_raw(child, &length);
	return err_prefix(err, "%.*s", length > 60 ? 60 : (int)length, key != NULL ? key : "");
}

/* "#/$defs/NAME" of the root; NONE: no such. */
static struct json resolve(struct json root, struct json ref)
{
	char text[128], name[96];
	static const char head[] = "#/$defs/";
	if (!json_copy(ref, text, sizeof(text)) || !str_starts(text, head) ||
		!STR_SET(name, text + strlen(head)))
		return (struct json){0};
	return json_get(json_get(root, "$defs"), name);
}

static bool check(struct json root, struct json schema, int depth, struct err *err);

static bool check_all(struct json root, struct json parent, int depth, struct err *err)
{
	for (struct json v = json_first(parent); json_is(v); v = json_next(v))
		if (!check(root, v, depth, err))
			return json_kind(parent) == JSON_OBJECT ? at_key(v, err) : false;
	return true;
}

static bool check_format(struct json schema, struct err *err)
{
	static const char *const formats[] = {"date-time", "time", "date", "duration", "email",
		"hostname", "uri", "ipv4", "ipv6", "uuid", NULL};
	struct json format = json_get(schema, "format");
	char text[48];
	if (!json_is(format))
		return true;
	json_copy(format, text, sizeof(text));
	for (const char *const *at = formats; *at != NULL; at++)
		if (strcmp(text, *at) == 0)
			return true;
	return err_set(err, ERR_INPUT, "format \"%s\" is not supported", text);
}

/* Recursion is met as depth: a $ref that leads back never ends. */
static bool check(struct json root, struct json schema, int depth, struct err *err)
{
	static const char *const known[] = {"type", "properties", "required", "additionalProperties",
		"items", "enum", "const", "anyOf", "allOf", "$ref", "$defs", "format", "minItems",
		"description", "title", "default", NULL};
	if (depth > DEPTH_MAX)
		return err_set(err, ERR_INPUT, "is recursive, or deeper than %d", DEPTH_MAX);
	if (json_kind(schema) != JSON_OBJECT)
		return err_set(err, ERR_INPUT, "is not an object");
	for (struct json v = json_first(schema); json_is(v); v = json_next(v))
		if (!key_is_one_of(v, known)) {
			err_set(err, ERR_INPUT, "is not supported in structured outputs");
			return at_key(v, err);
		}
	if (text_is(json_get(schema, "type"), "object") &&
		json_bool(json_get(schema, "additionalProperties"), true))
		return err_set(err, ERR_INPUT, "an object needs \"additionalProperties\": false");
	if (json_int(json_get(schema, "minItems"), 0) > 1)
		return err_set(err, ERR_INPUT, "minItems may be 0 or 1");
	struct json ref = json_get(schema, "$ref"), items = json_get(schema, "items");
	if (json_is(ref) && !json_is(resolve(root, ref)))
		return err_set(err, ERR_INPUT, "$ref leads nowhere: only #/$defs/NAME of the same schema");
	return check_format(schema, err) &&
		(!json_is(ref) || check(root, resolve(root, ref), depth + 1, err)) &&
		(!json_is(items) || check(root, items, depth + 1, err)) &&
		check_all(root, json_get(schema, "properties"), depth + 1, err) &&
		check_all(root, json_get(schema, "anyOf"), depth + 1, err) &&
		check_all(root, json_get(schema, "allOf"), depth + 1, err);
}

bool claude_schema_check(const char *schema, struct err *err)
{
	auto_arena arena = arena_new((size_t)4 << 20);
	struct json root;
	if (!json_parse(arena, schema, strlen(schema), &root, err) || !check(root, root, 0, err))
		return err_prefix(err, "schema");
	return true;
}

static bool type_fits(const char *type, struct json value)
{
	static const struct {
		const char *name;
		enum json_kind kind;
	} types[] = {{"object", JSON_OBJECT}, {"array", JSON_ARRAY}, {"string", JSON_STRING},
		{"number", JSON_NUMBER}, {"integer", JSON_NUMBER}, {"boolean", JSON_BOOL},
		{"null", JSON_NULL}};
	size_t length = 0;
	const char *raw = json_raw(value, &length);
	if (strcmp(type, "integer") == 0 && length > 0 && memchr(raw, '.', length) != NULL)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, type) == 0)
			return json_kind(value) == types[i].kind;
	return true;
}

static bool check_type(struct json schema, struct json value, struct err *err)
{
	struct json type = json_get(schema, "type");
	char name[24] = "";
	bool is_list = json_kind(type) == JSON_ARRAY;
	if (!json_is(type))
		return true;
	for (struct json v = is_list ? json_first(type) : type; json_is(v); v = json_next(v)) {
		json_copy(v, name, sizeof(name));
		if (type_fits(name, value))
			return true;
		if (!is_list)
			break;
	}
	return err_set(err, ERR_INPUT, "is not of type %s", name);
}

static bool same(struct json a, struct json b)
{
	auto_arena arena = arena_new((size_t)1 << 20);
	if (json_kind(a) != json_kind(b))
		return false;
	return json_kind(a) == JSON_NULL || str_equal(json_str(a, arena), json_str(b, arena));
}

static bool check_enum(struct json schema, struct json value, struct err *err)
{
	struct json list = json_get(schema, "enum"), constant = json_get(schema, "const");
	bool found = !json_is(list);
	for (struct json v = json_first(list); json_is(v) && !found; v = json_next(v))
		found = same(v, value);
	if (found && (!json_is(constant) || same(constant, value)))
		return true;
	return err_set(err, ERR_INPUT, "is none of the values it may have");
}

static bool fits(
	struct json root, struct json schema, struct json value, int depth, struct err *err);

static bool check_members(
	struct json root, struct json schema, struct json value, int depth, struct err *err)
{
	auto_arena arena = arena_new((size_t)1 << 20);
	struct json properties = json_get(schema, "properties"),
				required = json_get(schema, "required");
	for (struct json v = json_first(required); json_is(v); v = json_next(v)) {
		const char *key = json_str(v, arena);
		if (key != NULL && !json_is(json_get(value, key)))
			return err_set(err, ERR_INPUT, "%.60s: is missing", key);
	}
	for (struct json v = json_first(value); json_is(v); v = json_next(v)) {
		const char *key = json_key(v, arena);
		struct json property = key == NULL ? (struct json){0} : json_get(properties, key);
		if (!json_is(property)) {
			if (json_bool(json_get(schema, "additionalProperties"), true))
				continue;
			return err_set(err, ERR_INPUT, "%.60s: is not part of the schema", key ? key : "");
		}
		if (!fits(root, property, v, depth + 1, err))
			return err_prefix(err, "%.60s", key);
	}
	return true;
}

static bool fits_any(
	struct json root, struct json list, struct json value, int depth, struct err *err)
{
	struct err last = {0};
	if (!json_is(list))
		return true;
	for (struct json v = json_first(list); json_is(v); v = json_next(v))
		if (fits(root, v, value, depth + 1, &last))
			return true;
	return err_set(err, ERR_INPUT, "%s", last.text[0] != '\0' ? last.text : "fits nothing");
}

static bool fits(
	struct json root, struct json schema, struct json value, int depth, struct err *err)
{
	struct json ref = json_get(schema, "$ref"), items = json_get(schema, "items");
	if (depth > JSON_DEPTH_LIMIT)
		return err_set(err, ERR_INPUT, "is too deep");
	if (json_is(ref) && !fits(root, resolve(root, ref), value, depth + 1, err))
		return false;
	if (!check_type(schema, value, err) || !check_enum(schema, value, err) ||
		!fits_any(root, json_get(schema, "anyOf"), value, depth, err))
		return false;
	for (struct json v = json_first(json_get(schema, "allOf")); json_is(v); v = json_next(v))
		if (!fits(root, v, value, depth + 1, err))
			return false;
	if (json_kind(value) == JSON_OBJECT)
		return check_members(root, schema, value, depth, err);
	if (json_kind(value) != JSON_ARRAY)
		return true;
	if ((int64_t)json_count(value) < json_int(json_get(schema, "minItems"), 0))
		return err_set(err, ERR_INPUT, "has too few items");
	for (struct json v = json_first(value); json_is(items) && json_is(v); v = json_next(v))
		if (!fits(root, items, v, depth + 1, err))
			return false;
	return true;
}

bool claude_schema_fits(struct json schema, struct json value, struct err *err)
{
	return fits(schema, schema, value, 0, err);
}
