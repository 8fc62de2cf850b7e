/* The body of a Messages request, field by field. */
#include <string.h>

#include "sim/claude_world.h"

static bool key_in(struct json child, const char *const *names)
{
	size_t length = 0;
	const char *key = json_key_raw(child, &length);
	for (; *names != NULL; names++)
		if (strlen(*names) == length && memcmp(key, *names, length) == 0)
			return true;
	return false;
}

/* where: "" at the top, else with its dot. */
static bool only(
	struct claude_case *at, const char *where, struct json object, const char *const *names)
{
	for (struct json v = json_first(object); json_is(v); v = json_next(v))
		if (!key_in(v, names)) {
			size_t length = 0;
			const char *key = json_key_raw(v, &length);
			return claude_wrong(
				at, "%s%.*s: Extra inputs are not permitted", where, (int)length, key);
		}
	return true;
}

static bool check_top(struct claude_case *at)
{
	static const char *const fields[] = {"model", "max_tokens", "messages", "system", "tools",
		"tool_choice", "output_config", "thinking", "metadata", "stop_sequences", "stream",
		"cache_control", "service_tier", "temperature", "top_p", "top_k", "container", NULL};
	static const char *const needed[] = {"model", "max_tokens", "messages", NULL};
	static const char *const refused[] = {"temperature", "top_p", "top_k", NULL};
	if (!only(at, "", at->body, fields))
		return false;
	for (const char *const *name = needed; *name != NULL; name++)
		if (!json_is(json_get(at->body, *name)))
			return claude_wrong(at, "%s: Field required", *name);
	for (const char *const *name = refused; *name != NULL; name++)
		if (json_is(json_get(at->body, *name)))
			return claude_wrong(at, "%s: is not supported by this model", *name);
	struct json choice = json_path(at->body, "tool_choice.type");
	if (claude_is(choice, "any") || claude_is(choice, "tool"))
		return claude_wrong(at, "Thinking may not be enabled when tool_choice forces tool use.");
	return true;
}

static bool find_model(struct claude_case *at)
{
	char name[80];
	int64_t asked = json_int(json_get(at->body, "max_tokens"), 0);
	json_copy(json_get(at->body, "model"), name, sizeof(name));
	for (int i = 0; i < at->sim->model_count; i++)
		if (strcmp(at->sim->models[i].name, name) == 0)
			at->model = &at->sim->models[i];
	if (at->model == NULL)
		return claude_error(at, 404, "not_found_error", "model: %s", name);
	if (json_kind(json_get(at->body, "max_tokens")) != JSON_NUMBER || asked < 1)
		return claude_wrong(at, "max_tokens: Input should be greater than or equal to 1");
	if (asked > at->model->out)
		return claude_wrong(at,
			"max_tokens: %lld > %lld, which is the maximum allowed number of output tokens for %s",
			(long long)asked, (long long)at->model->out, name);
	return true;
}

bool claude_check_tool_name(struct claude_case *at, int index, struct json name)
{
	size_t length = 0;
	const char *raw = json_raw(name, &length);
	bool ok = json_kind(name) == JSON_STRING && length > 2 && length <= 66;
	for (size_t i = 1; ok && i + 1 < length; i++)
		ok = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", raw[i]) !=
			NULL;
	if (ok)
		return true;
	return claude_wrong(
		at, "tools.%d.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'", index);
}

static bool check_tool(struct claude_case *at, int i, struct json tool)
{
	static const char *const fields[] = {
		"name", "description", "input_schema", "strict", "cache_control", "type", NULL};
	char where[48];
	STR_FORMAT(where, "tools.%d.custom.", i);
	struct json schema = json_get(tool, "input_schema"), name = json_get(tool, "name");
	if (!only(at, where, tool, fields) || !claude_check_tool_name(at, i, name))
		return false;
	if (!claude_is(json_get(schema, "type"), "object"))
		return claude_wrong(at, "%sinput_schema.type: Field required", where);
	for (struct json v = json_next(tool); json_is(v); v = json_next(v)) {
		size_t a = 0, b = 0;
		const char *one = json_raw(name, &a), *other = json_raw(json_get(v, "name"), &b);
		if (a == b && memcmp(one, other, a) == 0)
			return claude_wrong(at, "tools: Tool names must be unique.");
	}
	return !json_bool(json_get(tool, "strict"), false) || claude_check_schema(at, where, schema);
}

static bool check_format(struct claude_case *at)
{
	static const char *const fields[] = {"format", "effort", NULL};
	static const char *const inner[] = {"type", "schema", NULL};
	struct json config = json_get(at->body, "output_config"), format = json_get(config, "format");
	if (!only(at, "output_config.", config, fields) ||
		!only(at, "output_config.format.", format, inner))
		return false;
	if (!json_is(format))
		return true;
	at->schema = json_get(format, "schema");
	if (!claude_is(json_get(format, "type"), "json_schema"))
		return claude_wrong(at, "output_config.format.type: Input should be 'json_schema'");
	if (!json_is(at->schema))
		return claude_wrong(at, "output_config.format.schema: Field required");
	return claude_check_schema(at, "output_config.format.schema", at->schema);
}

static bool check_system(struct claude_case *at)
{
	static const char *const fields[] = {"type", "text", "cache_control", NULL};
	struct json system = json_get(at->body, "system");
	if (!json_is(system) || json_kind(system) == JSON_STRING)
		return true;
	if (json_kind(system) != JSON_ARRAY)
		return claude_wrong(at, "system: Input should be a valid list");
	int i = 0;
	for (struct json v = json_first(system); json_is(v); v = json_next(v), i++) {
		struct json cache = json_get(v, "cache_control"), ttl = json_get(cache, "ttl");
		if (!only(at, "system.", v, fields))
			return false;
		if (!claude_is(json_get(v, "type"), "text") || claude_is(json_get(v, "text"), ""))
			return claude_wrong(at, "system: text content blocks must be non-empty");
		if (json_is(cache) && !claude_is(json_get(cache, "type"), "ephemeral"))
			return claude_wrong(at, "system.%d.cache_control.type: Input should be 'ephemeral'", i);
		if (json_is(ttl) && !claude_is(ttl, "5m") && !claude_is(ttl, "1h"))
			return claude_wrong(at, "system.%d.cache_control.ttl: Input should be '5m' or '1h'", i);
	}
	return true;
}

/* Everywhere in the body; a text may hold the word, a key is followed by a colon. */
static bool check_breakpoints(struct claude_case *at)
{
	size_t length = 0;
	int n = 0;
	const char *raw = json_raw(at->body, &length), *end = raw + length;
	static const char key[] = "\"cache_control\":";
	for (const char *p = raw; (p = memmem(p, (size_t)(end - p), key, strlen(key))) != NULL; p++)
		n += p > raw && p[-1] != '\\';
	if (n <= 4)
		return true;
	return claude_wrong(
		at, "A maximum of 4 blocks with cache_control may be provided. Found %d.", n);
}

bool claude_check(struct claude_case *at)
{
	struct json tools = json_get(at->body, "tools");
	int i = 0;
	if (!check_top(at) || !find_model(at) || !check_system(at) || !check_breakpoints(at))
		return false;
	if (json_is(tools) && json_kind(tools) != JSON_ARRAY)
		return claude_wrong(at, "tools: Input should be a valid list");
	for (struct json v = json_first(tools); json_is(v); v = json_next(v))
		if (!check_tool(at, i++, v))
			return false;
	if (!check_format(at) || !claude_check_messages(at))
		return false;
	int64_t tokens = (int64_t)at->request->body_bytes / 4;
	if (tokens > at->model->context)
		return claude_wrong(at, "prompt is too long: %lld tokens > %lld maximum", (long long)tokens,
			(long long)at->model->context);
	return true;
}
