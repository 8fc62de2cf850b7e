/* The order and pairing of messages. */
#include <string.h>

#include "sim/claude_world.h"

static bool same_text(struct json a, struct json b)
{
	size_t n = 0, m = 0;
	const char *one = json_raw(a, &n), *other = json_raw(b, &m);
	return one != NULL && other != NULL && n == m && memcmp(one, other, n) == 0;
}

static int results_of(struct json content, struct json id)
{
	int n = 0;
	for (struct json v = json_first(content); json_is(v); v = json_next(v))
		n += claude_is(json_get(v, "type"), "tool_result") &&
			same_text(json_get(v, "tool_use_id"), id);
	return n;
}

/* Every call of a message has one result in the next. */
static bool check_calls(struct claude_case *at, int i, struct json content, struct json next)
{
	for (struct json v = json_first(content); json_is(v); v = json_next(v)) {
		struct json id = json_get(v, "id");
		char text[80];
		if (!claude_is(json_get(v, "type"), "tool_use"))
			continue;
		json_copy(id, text, sizeof(text));
		int n = json_is(next) ? results_of(json_get(next, "content"), id) : 0;
		if (n == 0)
			return claude_wrong(at,
				"messages.%d: `tool_use` ids were found without `tool_result` blocks immediately "
				"after: %s. Each `tool_use` block must have a corresponding `tool_result` block in "
				"the next message.",
				i, text);
		if (n > 1)
			return claude_wrong(at,
				"messages.%d.content: each tool_use must have a single result. Found multiple "
				"`tool_result` blocks with id: %s",
				i + 1, text);
	}
	return true;
}

static bool was_called(struct json content, struct json id)
{
	for (struct json v = json_first(content); json_is(v); v = json_next(v))
		if (claude_is(json_get(v, "type"), "tool_use") && same_text(json_get(v, "id"), id))
			return true;
	return false;
}

static bool check_user(struct claude_case *at, int i, struct json content, struct json before)
{
	bool other_seen = false;
	int n = 0;
	for (struct json v = json_first(content); json_is(v); v = json_next(v), n++) {
		struct json type = json_get(v, "type"), id = json_get(v, "tool_use_id");
		char text[80];
		if (claude_is(type, "text") && claude_is(json_get(v, "text"), ""))
			return claude_wrong(at, "messages: text content blocks must be non-empty");
		if (!claude_is(type, "tool_result")) {
			if (!claude_is(type, "text") && !claude_is(type, "image") &&
				!claude_is(type, "document"))
				return claude_wrong(at, "messages.%d.content.%d: Input tag is not expected", i, n);
			other_seen = true;
			continue;
		}
		json_copy(id, text, sizeof(text));
		if (!was_called(json_get(before, "content"), id))
			return claude_wrong(at,
				"messages.%d.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: "
				"%s. Each `tool_result` block must have a corresponding `tool_use` block in the "
				"previous message.",
				i, n, text);
		if (other_seen)
			return claude_wrong(
				at, "messages.%d.content.%d: tool_result blocks must come first", i, n);
	}
	return true;
}

/* What was sent must come back to the byte. */
static bool check_echo(struct claude_case *at, int i, struct json content, bool *paused)
{
	size_t length = 0;
	const char *raw = json_raw(content, &length);
	uint64_t hash = claude_hash(raw, length);
	if (json_kind(content) != JSON_ARRAY)
		return claude_wrong(at, "messages.%d.content: should be the blocks that were answered", i);
	for (int k = 0; k < CLAUDE_SENT && k < at->sim->sent_count; k++)
		if (at->sim->sent[k] == hash) {
			*paused = at->sim->paused[k];
			return true;
		}
	return claude_wrong(at,
		"messages.%d.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant "
		"message cannot be modified. These blocks must remain as they were in the original "
		"response.",
		i);
}

bool claude_check_messages(struct claude_case *at)
{
	struct json messages = json_get(at->body, "messages"), before = {0};
	int i = 0;
	bool is_user = false, paused = false;
	if (json_kind(messages) != JSON_ARRAY || json_count(messages) == 0)
		return claude_wrong(at, "messages: at least one message is required");
	for (struct json v = json_first(messages); json_is(v); before = v, v = json_next(v), i++) {
		struct json content = json_get(v, "content");
		bool was_user = is_user;
		is_user = claude_is(json_get(v, "role"), "user");
		if (!is_user && !claude_is(json_get(v, "role"), "assistant"))
			return claude_wrong(at, "messages.%d.role: Input should be 'user' or 'assistant'", i);
		if (i == 0 && !is_user)
			return claude_wrong(at, "messages: first message must use the \"user\" role");
		/* two pauses in a row are two turns of the assistant */
		if (i > 0 && was_user == is_user && !paused)
			return claude_wrong(
				at, "messages: roles must alternate between \"user\" and \"assistant\"");
		if (json_count(content) == 0 &&
			(json_kind(content) != JSON_STRING || claude_is(content, "")))
			return claude_wrong(at, "messages.%d: messages must have non-empty content", i);
		if (is_user ? !check_user(at, i, content, before)
					: !check_echo(at, i, content, &paused) ||
					!check_calls(at, i, content, json_next(v)))
			return false;
	}
	if (is_user || paused)
		return true;
	return claude_wrong(at,
		"This model does not support assistant message prefill. The "
		"conversation must end with a user message.");
}
