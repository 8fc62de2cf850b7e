/* What is sent: one body in either dialect, and the conversation as it grows. */
#include <string.h>

#include "base/redact.h"
#include "base/str.h"
#include "client/claude_internal.h"

/* A mask is longer than the shortest secrets: "pwd=a&" grows to 15 bytes, less than thrice. */
char *claude_redacted(struct arena *arena, const char *text, size_t limit)
{
	size_t length = strlen(text);
	char *copy = arena_try(arena, length * 3 + 64);
	if (copy == NULL)
		return NULL;
	memcpy(copy, text, length + 1);
	redact(copy, length * 3 + 64);
	if (limit == 0 || strlen(copy) <= limit)
		return copy;
	char *cut = arena_try(arena, limit + 64);
	if (cut == NULL)
		return NULL;
	str_copy(cut, limit, copy);
	size_t used = strlen(cut);
	str_format(cut + used, limit + 64 - used, "\n[cut: %zu bytes in all]", strlen(copy));
	return cut;
}

static bool is_openai(const struct talk *talk)
{
	return talk->claude->config.dialect == CLAUDE_OPENAI;
}

static void begin_message(struct talk *talk, struct json_out *out)
{
	json_begin(out, &talk->messages);
	out->comma = talk->messages.len > 0;
	json_open(out, NULL, '{');
}

void claude_add_user(struct talk *talk, const char *text)
{
	struct json_out out;
	char *shown = claude_redacted(talk->arena, text, 0);
	if (shown == NULL) {
		talk->messages.full = true;
		return;
	}
	begin_message(talk, &out);
	json_put_str(&out, "role", "user");
	json_put_str(&out, "content", shown);
	json_close(&out, '}');
}

static void put_part(struct json_out *out, const char *key, struct json value)
{
	size_t length = 0;
	const char *raw = json_raw(value, &length);
	json_put_raw(out, key, "");
	str_addn(out->str, raw != NULL ? raw : "null", raw != NULL ? length : 4);
}

static void put_schema(struct talk *talk, struct json_out *out)
{
	const char *schema = talk->question->schema;
	if (!is_openai(talk)) {
		json_open(out, "output_config", '{');
		json_open(out, "format", '{');
		json_put_str(out, "type", "json_schema");
		json_put_raw(out, "schema", schema);
		json_close(out, '}');
		json_close(out, '}');
		return;
	}
	json_open(out, "response_format", '{');
	json_put_str(out, "type", "json_schema");
	json_open(out, "json_schema", '{');
	json_put_str(out, "name", "answer");
	json_put_bool(out, "strict", true);
	json_put_raw(out, "schema", schema);
	json_close(out, '}');
	json_close(out, '}');
}

static void put_tool(struct talk *talk, struct json_out *out, const struct claude_tool *tool)
{
	const char *schema = tool->schema != NULL ? tool->schema : "{\"type\":\"object\"}";
	const char *description = tool->description != NULL ? tool->description : "";
	json_open(out, NULL, '{');
	if (is_openai(talk)) {
		json_put_str(out, "type", "function");
		json_open(out, "function", '{');
	}
	json_put_str(out, "name", tool->name);
	json_put_str(out, "description", description);
	json_put_raw(out, is_openai(talk) ? "parameters" : "input_schema", schema);
	if (tool->strict)
		json_put_bool(out, "strict", true);
	if (is_openai(talk))
		json_close(out, '}');
	json_close(out, '}');
}

/* Anthropic: one breakpoint at the end of the system text holds the tools before it as well. */
static void put_system(struct json_out *out, const char *system)
{
	json_open(out, "system", '[');
	json_open(out, NULL, '{');
	json_put_str(out, "type", "text");
	json_put_str(out, "text", system);
	json_open(out, "cache_control", '{');
	json_put_str(out, "type", "ephemeral");
	json_close(out, '}');
	json_close(out, '}');
	json_close(out, ']');
}

/* OpenAI: the system text is a message. Servers that build a grammar refuse one beside tools, so
 * the schema is put in words then, and asked for by itself at the end. */
static void put_first_message(struct talk *talk, struct json_out *out, const char *system)
{
	const struct claude_question *question = talk->question;
	bool in_words = question->schema != NULL && question->tool_count > 0;
	if (system == NULL && !in_words)
		return;
	json_open(out, NULL, '{');
	json_put_str(out, "role", "system");
	json_put_str(out, "content",
		in_words ? arena_printf(talk->arena,
					   "%s\nAnswer with one JSON object and nothing else, as this schema says: %s",
					   system != NULL ? system : "", question->schema)
				 : system);
	json_close(out, '}');
}

bool claude_build(struct talk *talk, struct str *body, struct err *err)
{
	const struct claude_question *question = talk->question;
	const struct claude_config *config = &talk->claude->config;
	bool tools = question->tool_count > 0 && !talk->plain;
	const char *system = NULL;
	struct json_out out;
	str_init(body, talk->arena);
	json_begin(&out, body);
	if (question->system != NULL) {
		system = claude_redacted(talk->arena, question->system, 0);
		if (system == NULL)
			body->full = true;
	}
	json_open(&out, NULL, '{');
	json_put_str(&out, "model", talk->model);
	json_put_int(&out, "max_tokens", talk->max_tokens);
	if (!is_openai(talk) && system != NULL)
		put_system(&out, system);
	json_open(&out, "messages", '[');
	if (is_openai(talk))
		put_first_message(talk, &out, system);
	if (talk->messages.len > 0)
		json_put_raw(&out, NULL, talk->messages.s);
	json_close(&out, ']');
	if (tools) {
		json_open(&out, "tools", '[');
		for (size_t i = 0; i < question->tool_count; i++)
			put_tool(talk, &out, &question->tools[i]);
		json_close(&out, ']');
	}
	if (question->schema != NULL && !(is_openai(talk) && tools))
		put_schema(talk, &out);
	json_close(&out, '}');
	if (!body->full && !talk->messages.full && body->len <= (size_t)config->prompt_bytes)
		return true;
	return claude_fail(talk->answer, CLAUDE_TOO_LARGE, err,
		"%s: the prompt has %zu bytes, the limit (prompt_bytes) is %lld: send less", config->name,
		body->len, (long long)config->prompt_bytes);
}

/* The content unchanged, thinking, signatures and unknown blocks included; all results in one next
 * message. */
static void add_blocks(struct talk *talk, const struct turn *turn, const struct result *results)
{
	struct json_out out;
	begin_message(talk, &out);
	json_put_str(&out, "role", "assistant");
	put_part(&out, "content", turn->content);
	json_close(&out, '}');
	if (results == NULL)
		return;
	begin_message(talk, &out);
	json_put_str(&out, "role", "user");
	json_open(&out, "content", '[');
	for (int i = 0; i < turn->call_count; i++) {
		json_open(&out, NULL, '{');
		json_put_str(&out, "type", "tool_result");
		json_put_str(&out, "tool_use_id", turn->calls[i].id);
		json_put_str(&out, "content", results[i].text);
		if (results[i].failed)
			json_put_bool(&out, "is_error", true);
		json_close(&out, '}');
	}
	json_close(&out, ']');
	json_close(&out, '}');
}

static const char *raw_copy(struct arena *arena, struct json value)
{
	size_t length = 0;
	const char *raw = json_raw(value, &length);
	return raw != NULL ? arena_strndup(arena, raw, length) : NULL;
}

/* Rebuilt, since an id may be missing that the results must name, and since servers refuse fields
 * of others' answers. Arguments that are not JSON would make some templates fail: {} then. */
static void add_chat(struct talk *talk, const struct turn *turn, const struct result *results)
{
	struct json_out out;
	begin_message(talk, &out);
	json_put_str(&out, "role", "assistant");
	json_put_str(&out, "content", turn->text.s);
	if (turn->call_count > 0) {
		json_open(&out, "tool_calls", '[');
		for (int i = 0; i < turn->call_count; i++) {
			const char *arguments = raw_copy(talk->arena, turn->calls[i].input);
			json_open(&out, NULL, '{');
			json_put_str(&out, "id", turn->calls[i].id);
			json_put_str(&out, "type", "function");
			json_open(&out, "function", '{');
			json_put_str(&out, "name", turn->calls[i].name);
			json_put_str(&out, "arguments", arguments != NULL ? arguments : "{}");
			json_close(&out, '}');
			json_close(&out, '}');
		}
		json_close(&out, ']');
	}
	json_close(&out, '}');
	for (int i = 0; results != NULL && i < turn->call_count; i++) {
		begin_message(talk, &out);
		json_put_str(&out, "role", "tool");
		json_put_str(&out, "tool_call_id", turn->calls[i].id);
		json_put_str(&out, "content", results[i].text);
		json_close(&out, '}');
	}
}

void claude_add_turn(struct talk *talk, const struct turn *turn, const struct result *results)
{
	if (is_openai(talk))
		add_chat(talk, turn, results);
	else
		add_blocks(talk, turn, results);
}
