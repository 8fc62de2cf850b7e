/* What is read: a 200 of either dialect, block by block, by type and never by position. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "client/claude_internal.h"

static bool is_text(struct json value, const char *text)
{
	char field[32];
	return json_kind(value) == JSON_STRING && json_copy(value, field, sizeof(field)) &&
		strcmp(field, text) == 0;
}

static const struct {
	const char *name;
	enum stop stop;
} stops[] = {
	{"end_turn", STOP_END},
	{"stop_sequence", STOP_END},
	{"tool_use", STOP_TOOLS},
	{"max_tokens", STOP_LENGTH},
	{"pause_turn", STOP_PAUSE},
	{"refusal", STOP_REFUSAL},
	{"model_context_window_exceeded", STOP_CONTEXT},
	{"stop", STOP_END},
	{"length", STOP_LENGTH},
	{"tool_calls", STOP_TOOLS},
	{"content_filter", STOP_REFUSAL},
};

static enum stop stop_of(const char *reason)
{
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		if (strcmp(stops[i].name, reason) == 0)
			return stops[i].stop;
	return STOP_OTHER;
}

/* A count that is negative or absurd would lower a cost, or end all asking. */
static int64_t count_of(struct json usage, const char *path)
{
	int64_t n = json_int(json_path(usage, path), 0);
	return n < 0 ? 0 : n > 100000000 ? 100000000 : n;
}

static bool add_call(
	struct turn *turn, struct claude_call call, const char *broken, struct err *err)
{
	if (turn->call_count == CLAUDE_CALLS_MAX)
		return err_set(err, ERR_INPUT, "more than %d tool calls at once", CLAUDE_CALLS_MAX);
	turn->broken[turn->call_count] = broken;
	turn->calls[turn->call_count++] = call;
	return true;
}

static bool take_block(struct json block, struct arena *arena, struct turn *turn, struct err *err)
{
	struct json type = json_get(block, "type");
	if (is_text(type, "text")) {
		const char *text = json_str(json_get(block, "text"), arena);
		str_add(&turn->text, text != NULL ? text : "");
		return true;
	}
	if (!is_text(type, "tool_use"))
		return true;
	struct claude_call call = {.id = json_str(json_get(block, "id"), arena),
		.name = json_str(json_get(block, "name"), arena),
		.input = json_get(block, "input"),
		.arena = arena};
	if (call.id == NULL || call.name == NULL)
		return err_set(err, ERR_INPUT, "a tool_use without id or name");
	bool whole = json_kind(call.input) == JSON_OBJECT;
	return add_call(turn, call, whole ? NULL : "the input is not a JSON object", err);
}

static void take_usage(struct json usage, struct turn *turn)
{
	struct claude_usage *to = &turn->usage;
	int64_t written = count_of(usage, "cache_creation_input_tokens");
	to->in_tokens = count_of(usage, "input_tokens");
	to->out_tokens = count_of(usage, "output_tokens");
	to->read_tokens = count_of(usage, "cache_read_input_tokens");
	to->write_1h_tokens = count_of(usage, "cache_creation.ephemeral_1h_input_tokens");
	to->write_5m_tokens = written > to->write_1h_tokens ? written - to->write_1h_tokens : 0;
}

static bool read_message(struct json root, struct arena *arena, struct turn *turn,
	struct claude_answer *answer, struct err *err)
{
	turn->content = json_get(root, "content");
	if (!is_text(json_get(root, "type"), "message") || json_kind(turn->content) != JSON_ARRAY)
		return err_set(err, ERR_INPUT, "the answer is not a message: is api_url that of the API?");
	json_copy(json_get(root, "stop_reason"), answer->stop_reason, sizeof(answer->stop_reason));
	json_copy(json_path(root, "stop_details.category"), answer->category, sizeof(answer->category));
	take_usage(json_get(root, "usage"), turn);
	turn->stop = stop_of(answer->stop_reason);
	for (struct json v = json_first(turn->content); json_is(v); v = json_next(v))
		if (!take_block(v, arena, turn, err))
			return false;
	return true;
}

/* Arguments are a string that may hold anything; some servers send the object itself. */
static bool take_chat_call(
	struct json item, struct arena *arena, struct turn *turn, struct err *err)
{
	struct json arguments = json_path(item, "function.arguments");
	struct claude_call call = {.id = json_str(json_get(item, "id"), arena),
		.name = json_str(json_path(item, "function.name"), arena),
		.input = arguments,
		.arena = arena};
	const char *broken = NULL;
	struct err why = {0};
	if (call.name == NULL)
		return err_set(err, ERR_INPUT, "a tool call without a name");
	if (call.id == NULL || call.id[0] == '\0')
		call.id = arena_printf(arena, "call_%d", turn->call_count);
	if (json_kind(arguments) == JSON_STRING) {
		const char *text = json_str(arguments, arena);
		if (text == NULL ||
			!json_parse(arena, text[0] != '\0' ? text : "{}", text[0] != '\0' ? strlen(text) : 2,
				&call.input, &why))
			broken = arena_printf(arena, "the arguments are not JSON: %s", why.text);
	}
	if (broken == NULL && json_kind(call.input) != JSON_OBJECT)
		broken = "the arguments are not a JSON object";
	if (broken != NULL)
		call.input = (struct json){0};
	return add_call(turn, call, broken, err);
}

/* Local models think aloud within the text. */
static void add_spoken(struct str *to, const char *text)
{
	const char *end = str_starts(text + strspn(text, " \n\t"), "<think>") ? strstr(text, "</think>")
																		  : NULL;
	text = end != NULL ? end + strlen("</think>") : text;
	str_add(to, text + strspn(text, " \n\t"));
}

static bool read_chat(struct json root, struct arena *arena, struct turn *turn,
	struct claude_answer *answer, struct err *err)
{
	struct json choice = json_first(json_get(root, "choices"));
	struct json message = json_get(choice, "message"), usage = json_get(root, "usage");
	turn->content = message;
	if (json_kind(message) != JSON_OBJECT)
		return err_set(err, ERR_INPUT,
			"the answer has no choices[0].message: does api_url speak chat/completions?");
	json_copy(json_get(choice, "finish_reason"), answer->stop_reason, sizeof(answer->stop_reason));
	const char *text = json_str(json_get(message, "content"), arena);
	add_spoken(&turn->text, text != NULL ? text : "");
	struct json calls = json_get(message, "tool_calls");
	for (struct json v = json_first(calls); json_is(v); v = json_next(v))
		if (!take_chat_call(v, arena, turn, err))
			return false;
	int64_t cached = count_of(usage, "prompt_tokens_details.cached_tokens");
	int64_t prompt = count_of(usage, "prompt_tokens");
	turn->usage.read_tokens = cached < prompt ? cached : prompt;
	turn->usage.in_tokens = prompt - turn->usage.read_tokens;
	turn->usage.out_tokens = count_of(usage, "completion_tokens");
	if (!json_is(usage))
		answer->cost_known = false;
	turn->stop = stop_of(answer->stop_reason);
	/* some say "stop" and call tools all the same */
	if (turn->stop == STOP_END && turn->call_count > 0)
		turn->stop = STOP_TOOLS;
	if (json_is(json_get(message, "refusal")) &&
		json_kind(json_get(message, "refusal")) != JSON_NULL)
		turn->stop = STOP_REFUSAL;
	return true;
}

bool claude_decode_turn(enum claude_dialect dialect, const struct http_reply *reply,
	struct arena *arena, struct turn *turn, struct claude_answer *answer, struct err *err)
{
	struct json root;
	*turn = (struct turn){0};
	str_init(&turn->text, arena);
	answer->stop_reason[0] = answer->category[0] = '\0';
	if (!json_parse(arena, reply->body, reply->body_bytes, &root, err))
		return err_prefix(err, "the answer is not JSON");
	json_copy(json_get(root, "model"), answer->model, sizeof(answer->model));
	bool ok = dialect == CLAUDE_OPENAI ? read_chat(root, arena, turn, answer, err)
									   : read_message(root, arena, turn, answer, err);
	if (!ok)
		return false;
	if (turn->text.full)
		return err_set(err, ERR_INPUT, "the answer is larger than there is room for");
	if (turn->stop == STOP_TOOLS && turn->call_count == 0)
		turn->stop = STOP_OTHER;
	return true;
}

bool claude_decode(enum claude_dialect dialect, const char *body, size_t length,
	struct arena *arena, struct claude_answer *answer, struct err *err)
{
	struct turn turn;
	char *copy = arena_strndup(arena, body, length);
	struct http_reply reply = {.status = 200, .body = copy, .body_bytes = length};
	*answer = (struct claude_answer){.text = "", .cost_known = true};
	if (!claude_decode_turn(dialect, &reply, arena, &turn, answer, err)) {
		answer->outcome = CLAUDE_GARBLED;
		return false;
	}
	answer->text = turn.text.s;
	answer->usage = turn.usage;
	answer->calls = turn.call_count;
	return true;
}
