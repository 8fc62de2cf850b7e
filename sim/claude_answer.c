/* Answers: a line of the script becomes what a model says, and that the body of a dialect, with its
 * usage counted from the text: four bytes a token, as near as English comes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/claude_world.h"

#define CACHE_MS ((int64_t)300000)

static int64_t tokens_of(size_t bytes)
{
	return ((int64_t)bytes + 3) / 4;
}

struct claude_tokens {
	int64_t in, written, read;
};

/* The prefix that ends with the system text: written, read, or too small to be cached at all. */
static struct claude_tokens count_prompt(struct claude_case *at)
{
	struct sim_claude *sim = at->sim;
	struct claude_tokens n = {.in = tokens_of(at->request->body_bytes)};
	size_t tools = 0, system = 0;
	const char *tool_text = json_raw(json_get(at->body, "tools"), &tools);
	const char *system_text = json_raw(json_get(at->body, "system"), &system);
	int64_t now = clock_wall_ms(sim->clock), prefix = tokens_of(tools + system);
	if (system_text == NULL || memmem(system_text, system, "cache_control", 13) == NULL ||
		prefix < at->model->cache)
		return n;
	uint64_t hash = claude_hash(system_text, system) * 31 +
		(tool_text != NULL ? claude_hash(tool_text, tools) : 0) +
		claude_hash(at->model->name, strlen(at->model->name));
	n.in -= prefix;
	for (int i = 0; i < CLAUDE_CACHED && i < sim->cached_count; i++)
		if (sim->cached[i].prefix == hash && sim->cached[i].until_ms > now) {
			sim->cached[i].until_ms = now + CACHE_MS;
			n.read = prefix;
			return n;
		}
	sim->cached[sim->cached_count++ % CLAUDE_CACHED] = (struct claude_cached){hash, now + CACHE_MS};
	n.written = prefix;
	return n;
}

static void put_text_block(
	struct json_out *out, const char *type, const char *key, const char *text)
{
	json_open(out, NULL, '{');
	json_put_str(out, "type", type);
	json_put_str(out, key, text);
	if (strcmp(type, "thinking") == 0)
		json_put_str(out, "signature", "EqoBCkgIARABGAIiQ/sim+signature==");
	json_close(out, '}');
}

/* The content's array; thinking first, then what is unknown, then text, then calls. */
static const char *make_content(struct claude_case *at, const struct claude_said *said)
{
	struct str text;
	struct json_out out;
	str_init(&text, at->arena);
	json_begin(&out, &text);
	json_open(&out, NULL, '[');
	if (said->thinking != NULL)
		put_text_block(&out, "thinking", "thinking", said->thinking);
	if (said->blocks.len > 0)
		json_put_raw(&out, NULL, said->blocks.s);
	if (said->text != NULL && said->text[0] != '\0')
		put_text_block(&out, "text", "text", said->text);
	for (int i = 0; i < said->call_count; i++) {
		json_open(&out, NULL, '{');
		json_put_str(&out, "type", "tool_use");
		json_put_str(&out, "id", arena_printf(at->arena, "toolu_sim%04d", ++at->sim->ids));
		json_put_str(&out, "name", said->calls[i].name);
		json_put_raw(&out, "input", said->calls[i].arguments);
		json_close(&out, '}');
	}
	json_close(&out, ']');
	int slot = at->sim->sent_count++ % CLAUDE_SENT;
	at->sim->sent[slot] = claude_hash(text.s, text.len);
	at->sim->paused[slot] = strcmp(said->stop, "pause_turn") == 0;
	return text.s;
}

static void send_message(struct claude_case *at, const struct claude_said *said)
{
	struct str body;
	struct json_out out;
	struct claude_tokens n = count_prompt(at);
	const char *content = make_content(at, said);
	str_init(&body, at->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	json_put_str(&out, "id", arena_printf(at->arena, "msg_sim%06d", at->sim->requests));
	json_put_str(&out, "type", "message");
	json_put_str(&out, "role", "assistant");
	json_put_str(&out, "model", at->model->name);
	json_put_raw(&out, "content", content);
	json_put_str(&out, "stop_reason", said->stop);
	json_put_str(&out, "stop_sequence", NULL);
	if (said->category != NULL) {
		json_open(&out, "stop_details", '{');
		json_put_str(&out, "type", "refusal");
		json_put_str(&out, "category", said->category);
		json_put_str(&out, "explanation", "This request was declined.");
		json_close(&out, '}');
	}
	json_open(&out, "usage", '{');
	json_put_int(&out, "input_tokens", n.in);
	json_put_int(&out, "cache_creation_input_tokens", n.written);
	json_put_int(&out, "cache_read_input_tokens", n.read);
	json_put_int(&out, "output_tokens", tokens_of(strlen(content)));
	json_close(&out, '}');
	json_close(&out, '}');
	at->reply->body = body.s;
	at->reply->body_bytes = body.len;
}

static const char *finish_of(struct claude_case *at, const struct claude_said *said)
{
	static const char *const pairs[][2] = {{"end_turn", "stop"}, {"max_tokens", "length"},
		{"tool_use", "tool_calls"}, {"refusal", "content_filter"}};
	if (said->call_count > 0 && at->sim->calls_say_stop)
		return "stop";
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (strcmp(pairs[i][0], said->stop) == 0)
			return pairs[i][1];
	return said->stop;
}

static void put_chat_calls(
	struct claude_case *at, struct json_out *out, const struct claude_said *said)
{
	json_open(out, "tool_calls", '[');
	for (int i = 0; i < said->call_count; i++) {
		json_open(out, NULL, '{');
		if (!at->sim->no_ids)
			json_put_str(out, "id", arena_printf(at->arena, "call_sim%04d", ++at->sim->ids));
		json_put_str(out, "type", "function");
		json_open(out, "function", '{');
		json_put_str(out, "name", said->calls[i].name);
		json_put_str(out, "arguments", said->calls[i].arguments);
		json_close(out, '}');
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void send_chat(struct claude_case *at, const struct claude_said *said)
{
	struct str body;
	struct json_out out;
	int64_t prompt = tokens_of(at->request->body_bytes);
	int64_t spoken = tokens_of(said->text != NULL ? strlen(said->text) : 0) + said->call_count * 8;
	str_init(&body, at->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	json_put_str(&out, "id", arena_printf(at->arena, "chatcmpl-%d", at->sim->requests));
	json_put_str(&out, "object", "chat.completion");
	json_put_str(&out, "model", at->model->name);
	json_open(&out, "choices", '[');
	json_open(&out, NULL, '{');
	json_put_int(&out, "index", 0);
	json_open(&out, "message", '{');
	json_put_str(&out, "role", "assistant");
	json_put_str(&out, "content",
		said->thinking != NULL ? arena_printf(at->arena, "<think>%s</think>\n%s", said->thinking,
									 said->text != NULL ? said->text : "")
							   : said->text);
	if (said->call_count > 0)
		put_chat_calls(at, &out, said);
	json_close(&out, '}');
	json_put_str(&out, "finish_reason", finish_of(at, said));
	json_close(&out, '}');
	json_close(&out, ']');
	json_open(&out, "usage", '{');
	json_put_int(&out, "prompt_tokens", prompt);
	json_put_int(&out, "completion_tokens", spoken);
	json_put_int(&out, "total_tokens", prompt + spoken);
	json_close(&out, '}');
	json_close(&out, '}');
	at->reply->body = body.s;
	at->reply->body_bytes = body.len;
}

static void add_call(struct claude_said *said, char *words, const char *otherwise)
{
	char *arguments = strchr(words, ' ');
	if (arguments != NULL)
		*arguments++ = '\0';
	if (said->call_count < CLAUDE_CALLS)
		said->calls[said->call_count++] = (struct claude_line_call){
			words, arguments != NULL && *arguments != '\0' ? arguments : otherwise};
	said->stop = "tool_use";
}

static void say_stop(struct claude_said *said, const char *stop, const char *text)
{
	said->stop = stop;
	if (said->text == NULL)
		said->text = text;
}

/* One line of those that are words of the model. False: another kind. */
static bool take_words(
	struct claude_case *at, const char *verb, char *rest, struct claude_said *said)
{
	if (strcmp(verb, "say") == 0 || strcmp(verb, "json") == 0)
		said->text = rest;
	else if (strcmp(verb, "think") == 0)
		said->thinking = rest;
	else if (strcmp(verb, "answer") == 0)
		said->text = claude_library(at, rest);
	else if (strcmp(verb, "block") == 0)
		str_addf(&said->blocks, "%s%s", said->blocks.len > 0 ? "," : "", rest);
	else if (strcmp(verb, "call") == 0 || strcmp(verb, "also") == 0 || strcmp(verb, "badcall") == 0)
		add_call(said, rest, "{}");
	else if (strcmp(verb, "pause") == 0)
		say_stop(said, "pause_turn", "Let me go on.");
	else if (strcmp(verb, "context") == 0)
		say_stop(said, "model_context_window_exceeded", "And then");
	else if (strcmp(verb, "stop") == 0)
		say_stop(said, rest, "Stopped.");
	else if (strcmp(verb, "refuse") == 0) {
		say_stop(said, "refusal", "");
		said->category = rest[0] != '\0' ? rest : "cyber";
	} else if (strcmp(verb, "cut") == 0) {
		char *name = arena_strdup(at->arena, "cut_tool");
		struct json tool = json_path(json_first(json_get(at->body, "tools")), "name");
		const char *given = json_str(tool, at->arena);
		add_call(said, given != NULL ? arena_strdup(at->arena, given) : name, "{}");
		say_stop(said, "max_tokens", "I will");
	} else {
		return false;
	}
	return true;
}

static void put_body(struct claude_case *at, const char *type, const char *text)
{
	at->reply->content_type = type;
	at->reply->body = text;
	at->reply->body_bytes = strlen(text);
}

/* What is no answer of a model. */
static void take_fault(struct claude_case *at, const char *verb, char *rest)
{
	if (strcmp(verb, "error") == 0)
		claude_play_error(at, rest);
	else if (strcmp(verb, "spend") == 0)
		claude_spend(at, 429);
	else if (strcmp(verb, "spend400") == 0)
		claude_spend(at, 400);
	else if (strcmp(verb, "html") == 0) {
		at->reply->status = 502;
		at->reply->reason = "Bad Gateway";
		put_body(at, "text/html",
			"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway"
			"</h1></center><hr><center>cloudflare</center></body></html>");
	} else if (strcmp(verb, "garbage") == 0)
		put_body(at, "application/json", "{\"type\":\"message\",\"content\":[{\"type\":\"te");
	else if (strcmp(verb, "close") == 0)
		at->reply->wire = SIM_CLOSED;
	else if (strcmp(verb, "silent") == 0)
		at->reply->wire = SIM_SILENT;
	else if (strcmp(verb, "empty") == 0)
		put_body(at, "application/json", "");
}

static void send_said(struct claude_case *at, const struct claude_said *said)
{
	if (at->is_chat)
		send_chat(at, said);
	else
		send_message(at, said);
}

void claude_answer(struct claude_case *at, const char *line)
{
	struct claude_said said = {.stop = "end_turn"};
	char *save = NULL, *copy = arena_strdup(at->arena, line);
	bool words = false;
	str_init(&said.blocks, at->arena);
	for (char *part = strtok_r(copy, "\n", &save); part != NULL;
		 part = strtok_r(NULL, "\n", &save)) {
		char *rest = strchr(part, ' ');
		rest = rest != NULL ? (*rest = '\0', rest + 1) : part + strlen(part);
		if (strcmp(part, "slow") == 0) {
			at->reply->held_ms = strtol(rest, &rest, 10);
			part = rest + strspn(rest, " ");
			rest = strchr(part, ' ');
			rest = rest != NULL ? (*rest = '\0', rest + 1) : part + strlen(part);
		}
		if (strcmp(part, "truncated") == 0) {
			at->reply->wire = SIM_TRUNCATED;
			said.text = "This answer is cut off on the wire.";
			words = true;
		} else if (take_words(at, part, rest, &said)) {
			words = true;
		} else {
			take_fault(at, part, rest);
			return;
		}
	}
	if (words)
		send_said(at, &said);
}
