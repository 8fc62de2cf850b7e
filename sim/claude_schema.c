/* What structured outputs and strict tools accept of JSON Schema. Written apart from the client's
 * own check, so that one does not hide the other's mistake. */
#include <string.h>

#include "sim/claude_world.h"

static bool known_format(struct json format)
{
	static const char *const formats[] = {"date-time", "time", "date", "duration", "email",
		"hostname", "uri", "ipv4", "ipv6", "uuid"};
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (claude_is(format, formats[i]))
			return true;
	return false;
}

struct walk {
	struct claude_case *at;
	const char *where;
	struct json root;
	int nodes;
};

static bool refuse_keyword(struct walk *walk, struct json schema)
{
	static const char *const refused[] = {"minimum", "maximum", "exclusiveMinimum",
		"exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems", "uniqueItems",
		"minProperties", "maxProperties", "patternProperties", "not", "if", "oneOf"};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (json_is(json_get(schema, refused[i]))) {
			claude_wrong(walk->at, "%s: property '%s' is not supported", walk->where, refused[i]);
			return true;
		}
	return false;
}

static bool visit(struct walk *walk, struct json schema, int depth);

static bool visit_all(struct walk *walk, struct json list, int depth)
{
	for (struct json v = json_first(list); json_is(v); v = json_next(v))
		if (!visit(walk, v, depth))
			return false;
	return true;
}

static bool visit_ref(struct walk *walk, struct json ref, int depth)
{
	char text[160];
	if (!json_is(ref))
		return true;
	json_copy(ref, text, sizeof(text));
	if (!str_starts(text, "#/$defs/"))
		return claude_wrong(walk->at, "%s: external $ref is not supported: %s", walk->where, text);
	struct json target = json_get(json_get(walk->root, "$defs"), text + strlen("#/$defs/"));
	if (!json_is(target))
		return claude_wrong(walk->at, "%s: $ref cannot be resolved: %s", walk->where, text);
	return visit(walk, target, depth + 1);
}

static bool visit(struct walk *walk, struct json schema, int depth)
{
	struct json extra = json_get(schema, "additionalProperties");
	bool is_object = claude_is(json_get(schema, "type"), "object") ||
		json_is(json_get(schema, "properties"));
	if (depth > 30)
		return claude_wrong(walk->at, "%s: recursive schemas are not supported", walk->where);
	if (++walk->nodes > 2000)
		return claude_wrong(walk->at,
			"The compiled grammar is too large, which would cause "
			"performance issues. Simplify your tool schemas or reduce "
			"the number of strict tools.");
	if (json_kind(schema) != JSON_OBJECT)
		return claude_wrong(walk->at, "%s: a schema should be an object", walk->where);
	if (refuse_keyword(walk, schema))
		return false;
	if (is_object && (json_kind(extra) != JSON_BOOL || json_bool(extra, true)))
		return claude_wrong(walk->at,
			"%s: For 'object' type, 'additionalProperties' must be explicitly set to false",
			walk->where);
	if (json_is(json_get(schema, "format")) && !known_format(json_get(schema, "format")))
		return claude_wrong(walk->at, "%s: this 'format' is not supported", walk->where);
	if (json_int(json_get(schema, "minItems"), 0) > 1)
		return claude_wrong(walk->at, "%s: 'minItems' values other than 0 or 1", walk->where);
	struct json items = json_get(schema, "items");
	return visit_ref(walk, json_get(schema, "$ref"), depth) &&
		(!json_is(items) || visit(walk, items, depth + 1)) &&
		visit_all(walk, json_get(schema, "properties"), depth + 1) &&
		visit_all(walk, json_get(schema, "anyOf"), depth + 1) &&
		visit_all(walk, json_get(schema, "allOf"), depth + 1) &&
		visit_all(walk, json_get(schema, "$defs"), depth + 1);
}

bool claude_check_schema(struct claude_case *at, const char *where, struct json schema)
{
	struct walk walk = {.at = at, .where = where, .root = schema};
	return visit(&walk, schema, 0);
}
