/* The body of a chat completion, as llama.cpp and Ollama take it, and stricter: what neither knows
 * is refused. */
#include <string.h>

#include "sim/claude_world.h"

static bool check_fields(struct claude_case *at)
{
	static const char *const fields[] = {"model", "messages", "max_tokens", "tools", "stream",
		"response_format", "seed", "stop", NULL};
	for (struct json v = json_first(at->body); json_is(v); v = json_next(v)) {
		size_t length = 0;
		const char *key = json_key_raw(v, &length);
		const char *const *name = fields;
		while (*name != NULL && (strlen(*name) != length || memcmp(key, *name, length) != 0))
			name++;
		if (*name == NULL)
			return claude_wrong(
				at, "Unrecognized request argument supplied: %.*s", (int)length, key);
	}
	return true;
}

static bool find_model(struct claude_case *at)
{
	char name[80];
	json_copy(json_get(at->body, "model"), name, sizeof(name));
	for (int i = 0; i < at->sim->model_count; i++)
		if (strcmp(at->sim->models[i].name, name) == 0)
			at->model = &at->sim->models[i];
	if (at->model != NULL)
		return true;
	return claude_error(
		at, 404, "not_found_error", "model \"%s\" not found, try pulling it first", name);
}

static bool check_calls(struct claude_case *at, int i, struct json calls)
{
	for (struct json v = json_first(calls); json_is(v); v = json_next(v)) {
		struct json arguments = json_path(v, "function.arguments"), parsed;
		const char *text = json_str(arguments, at->arena);
		if (json_kind(json_get(v, "id")) != JSON_STRING ||
			!claude_is(json_get(v, "type"), "function"))
			return claude_wrong(at, "messages[%d].tool_calls: id and type are required", i);
		if (json_kind(arguments) != JSON_STRING ||
			!json_parse(at->arena, text, strlen(text), &parsed, NULL))
			return claude_wrong(at, "messages[%d].tool_calls: arguments must be a JSON string", i);
	}
	return true;
}

/* Each tool message answers one call of the assistant's message before it, in order. */
static bool check_messages(struct claude_case *at)
{
	struct json call = {0};
	int i = 0;
	bool last_user = false;
	struct json messages = json_get(at->body, "messages");
	if (json_count(messages) == 0)
		return claude_wrong(at, "messages: at least one is required");
	for (struct json v = json_first(messages); json_is(v); v = json_next(v), i++) {
		struct json role = json_get(v, "role");
		bool is_tool = claude_is(role, "tool");
		if (json_kind(json_get(v, "content")) != JSON_STRING)
			return claude_wrong(at, "messages[%d].content: a string is required", i);
		if (claude_is(role, "system") && i > 0)
			return claude_wrong(at, "messages[%d]: system message must be at the beginning", i);
		if (is_tool != json_is(call))
			return claude_wrong(at,
				is_tool ? "messages[%d]: a tool message without a call"
						: "messages[%d]: tool_calls must be followed by tool messages",
				i);
		if (is_tool) {
			char want[80], got[80];
			json_copy(json_get(call, "id"), want, sizeof(want));
			json_copy(json_get(v, "tool_call_id"), got, sizeof(got));
			if (strcmp(want, got) != 0)
				return claude_wrong(at, "messages[%d]: tool_call_id %s, not %s", i, got, want);
			call = json_next(call);
		}
		if (claude_is(role, "assistant")) {
			call = json_first(json_get(v, "tool_calls"));
			if (!check_calls(at, i, json_get(v, "tool_calls")))
				return false;
		}
		last_user = is_tool || claude_is(role, "user");
	}
	if (json_is(call) || !last_user)
		return claude_wrong(at, "messages: the last must be the user's or a tool's");
	return true;
}

bool claude_check_chat(struct claude_case *at)
{
	struct json format = json_get(at->body, "response_format");
	struct json tools = json_get(at->body, "tools");
	int i = 0;
	if (!check_fields(at) || !find_model(at) || !check_messages(at))
		return false;
	for (struct json v = json_first(tools); json_is(v); v = json_next(v)) {
		if (!claude_is(json_get(v, "type"), "function"))
			return claude_wrong(at, "tools[%d].type: must be function", i);
		if (!claude_check_tool_name(at, i++, json_path(v, "function.name")))
			return false;
	}
	if (json_is(format) && json_is(tools))
		return claude_wrong(at, "Cannot use custom grammar constraints with tools.");
	at->schema = json_path(format, "json_schema.schema");
	if (json_is(format) && !json_is(at->schema))
		return claude_wrong(at, "response_format.json_schema.schema: is required");
	return true;
}
