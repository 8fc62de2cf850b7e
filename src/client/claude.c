#include "client/claude.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/redact.h"
#include "base/str.h"
#include "client/claude_internal.h"

#define TALK_BYTES ((size_t)128 * 1024 * 1024)
#define ROUNDS 8

static int64_t or_default(int64_t value, int64_t otherwise)
{
	return value > 0 ? value : otherwise;
}

static void copy_config(struct claude *claude, const struct claude_config *config)
{
	struct arena *arena = claude->arena;
	struct claude_config *own = &claude->config;
	*own = *config;
	own->name = arena_strdup(arena, config->name != NULL ? config->name : "claude");
	char *url = arena_strdup(arena, config->api_url != NULL ? config->api_url : "");
	for (size_t end = strlen(url); end > 8 && url[end - 1] == '/'; end--)
		url[end - 1] = '\0';
	own->api_url = url;
	own->api_key = arena_strdup(arena, config->api_key);
	own->ca_file = arena_strdup(arena, config->ca_file);
	own->model = arena_strdup(arena, config->model);
	own->max_tokens = or_default(config->max_tokens, 4096);
	own->max_tokens_raised = or_default(config->max_tokens_raised, own->max_tokens * 4);
	own->prompt_bytes = or_default(config->prompt_bytes, 300000);
	own->result_bytes = or_default(config->result_bytes, 16384);
	own->timeout_ms = or_default(config->timeout_ms, 120000);
	own->deadline_ms = or_default(config->deadline_ms, 300000);
	own->backoff_ms = or_default(config->backoff_ms, 500);
	own->breaker_ms = or_default(config->breaker_ms, 3600000);
	own->retries = config->retries == 0 ? 2 : config->retries < 0 ? 0 : config->retries;
}

static bool is_local(const char *url)
{
	const char *host = url + strlen("http://");
	return str_starts(host, "127.") || str_starts(host, "localhost") || str_starts(host, "[::1]");
}

static bool check_config(const struct claude_config *config, struct err *err)
{
	const char *url = config->api_url;
	bool is_plain = str_starts(url, "http://");
	if (!is_plain && !str_starts(url, "https://"))
		return err_set(err, ERR_INPUT, "api_url: \"%.100s\" is not https://HOST", url);
	if (is_plain && config->api_key != NULL && !is_local(url))
		return err_set(err, ERR_INPUT, "api_url: write https://: the key would be sent in clear");
	if (config->model == NULL || config->model[0] == '\0')
		return err_set(err, ERR_INPUT, "model: is missing, as claude-sonnet-5-5");
	if (config->dialect == CLAUDE_ANTHROPIC && config->api_key == NULL)
		return err_set(err, ERR_INPUT, "api_key: is missing: homeostat secret set anthropic");
	for (const char *c = config->api_key; c != NULL && *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return err_set(err, ERR_INPUT, "api_key: has a character that no key has, at %td",
				c - config->api_key);
	return true;
}

static void set_headers(struct claude *claude)
{
	const struct claude_config *config = &claude->config;
	int n = 0;
	claude->headers[n++] = "Content-Type: application/json";
	if (config->dialect == CLAUDE_ANTHROPIC)
		claude->headers[n++] = "anthropic-version: 2023-06-01";
	if (config->api_key == NULL)
		return;
	bool bearer = config->bearer || config->dialect == CLAUDE_OPENAI;
	claude->headers[n++] = arena_printf(
		claude->arena, "%s%s", bearer ? "Authorization: Bearer " : "x-api-key: ", config->api_key);
}

struct claude *claude_open(
	const struct claude_config *config, const struct clock *clock, int stop_fd, struct err *err)
{
	struct claude *claude = calloc(1, sizeof(*claude));
	if (claude == NULL)
		abort();
	claude->arena = arena_new((size_t)64 * 1024);
	claude->clock = clock;
	claude->stop_fd = stop_fd;
	copy_config(claude, config);
	redact_register(claude->config.api_key);
	if (!check_config(&claude->config, err)) {
		err_prefix(err, "%s", claude->config.name);
		claude_close(claude);
		return NULL;
	}
	set_headers(claude);
	const struct http_config http = {.base_url = claude->config.api_url,
		.ca_file = claude->config.ca_file,
		.stop_fd = stop_fd,
		.name = claude->config.name};
	claude->http = http_open(&http);
	return claude;
}

void claude_close(struct claude *claude)
{
	if (claude == NULL)
		return;
	http_close(claude->http);
	for (size_t i = 1; i < sizeof(claude->headers) / sizeof(claude->headers[0]); i++) {
		const char *header = claude->headers[i];
		if (header != NULL && !str_starts(header, "anthropic-version"))
			explicit_bzero((void *)(uintptr_t)header, strlen(header));
	}
	if (claude->config.api_key != NULL)
		explicit_bzero((void *)(uintptr_t)claude->config.api_key, strlen(claude->config.api_key));
	arena_free(claude->arena);
	free(claude);
}

void claude_mended(struct claude *claude)
{
	claude->shut_mono_ms = 0;
}

void claude_tool_name(const char *name, char field[CLAUDE_TOOL_NAME_BYTES])
{
	size_t length = strlen(name);
	bool changed = length == 0 || length >= CLAUDE_TOOL_NAME_BYTES;
	for (size_t i = 0; i < length && i + 1 < CLAUDE_TOOL_NAME_BYTES; i++) {
		char c = name[i];
		bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '_' || c == '-';
		field[i] = fine ? c : '_';
		changed = changed || !fine;
	}
	field[length < CLAUDE_TOOL_NAME_BYTES ? length : CLAUDE_TOOL_NAME_BYTES - 1] = '\0';
	if (!changed)
		return;
	char hex[33];
	digest_hex(&name, 1, hex, sizeof(hex));
	size_t kept = strlen(field) < 55 ? strlen(field) : 55;
	str_format(field + kept, CLAUDE_TOOL_NAME_BYTES - kept, "_%.8s", hex);
}

static bool check_question(struct talk *talk, struct err *err)
{
	const struct claude_question *question = talk->question;
	char name[CLAUDE_TOOL_NAME_BYTES];
	struct err why = {0};
	if (question->schema != NULL && !claude_schema_check(question->schema, &why))
		return claude_fail(talk->answer, CLAUDE_INVALID, err, "answer: %s", why.text);
	for (size_t i = 0; i < question->tool_count; i++) {
		const struct claude_tool *tool = &question->tools[i];
		claude_tool_name(tool->name, name);
		if (strcmp(name, tool->name) != 0)
			return claude_fail(talk->answer, CLAUDE_INVALID, err,
				"tool \"%.70s\": no name for a tool: claude_tool_name makes one", tool->name);
		if (tool->strict && tool->schema != NULL && !claude_schema_check(tool->schema, &why))
			return claude_fail(
				talk->answer, CLAUDE_INVALID, err, "tool %s: %s", tool->name, why.text);
	}
	return true;
}

static bool is_shut(struct talk *talk, struct err *err)
{
	const struct claude *claude = talk->claude;
	if (claude->shut_mono_ms <= clock_mono_ms(claude->clock) ||
		(claude->shut_model[0] != '\0' && !str_equal(claude->shut_model, talk->model)))
		return false;
	claude_fail(talk->answer, CLAUDE_MISCONFIGURED, err, "%s", claude->shut_text);
	return true;
}

static const struct claude_tool *tool_find(const struct claude_question *question, const char *name)
{
	for (size_t i = 0; i < question->tool_count; i++)
		if (strcmp(question->tools[i].name, name) == 0)
			return &question->tools[i];
	return NULL;
}

/* Runs every call of a turn, in order; a call that cannot be run gets a failed result. */
static bool run_calls(struct talk *talk, const struct turn *turn, struct err *err)
{
	const struct claude_question *question = talk->question;
	struct result results[CLAUDE_CALLS_MAX] = {0};
	for (int i = 0; i < turn->call_count; i++) {
		const struct claude_call *call = &turn->calls[i];
		struct str result;
		str_init(&result, talk->arena);
		if (turn->broken[i] != NULL) {
			str_add(&result, turn->broken[i]);
			results[i].failed = true;
		} else if (question->run == NULL || tool_find(question, call->name) == NULL) {
			str_addf(&result, "there is no tool \"%.100s\"", call->name);
			results[i].failed = true;
		} else {
			talk->answer->calls++;
			results[i].failed = !question->run(question->run_ctx, call, &result);
		}
		results[i].text = claude_redacted(
			talk->arena, result.s, (size_t)talk->claude->config.result_bytes);
		if (results[i].text == NULL)
			return claude_fail(talk->answer, CLAUDE_TOO_LARGE, err, "%s: the results are too large",
				talk->claude->config.name);
	}
	claude_add_turn(talk, turn, results);
	return true;
}

/* The object within what a local model wraps it in: a fence, or words around it. */
static bool find_object(const char *text, struct arena *arena, struct json *object, struct err *err)
{
	const char *first = strchr(text, '{'), *last = strrchr(text, '}');
	if (first == NULL || last < first)
		return err_set(err, ERR_INPUT, "the answer is not a JSON object");
	return json_parse(arena, first, (size_t)(last - first) + 1, object, err);
}

/* The last word of a conversation. */
static bool conclude(
	struct talk *talk, const struct turn *turn, struct arena *arena, struct err *err)
{
	struct claude_answer *answer = talk->answer;
	const char *name = talk->claude->config.name;
	struct err why = {0};
	struct json schema;
	char *text = arena_try(arena, turn->text.len + 1);
	if (text == NULL)
		return claude_fail(answer, CLAUDE_GARBLED, err, "%s: an answer of %zu bytes is too large",
			name, turn->text.len);
	memcpy(text, turn->text.s, turn->text.len + 1);
	answer->text = text;
	answer->outcome = CLAUDE_ANSWERED;
	if (talk->question->schema == NULL) {
		if (answer->text[0] != '\0')
			return true;
		return claude_fail(answer, CLAUDE_GARBLED, err, "%s: an answer without a text (%s)", name,
			answer->stop_reason);
	}
	if (json_parse(
			talk->arena, talk->question->schema, strlen(talk->question->schema), &schema, &why) &&
		find_object(answer->text, arena, &answer->verdict, &why) &&
		claude_schema_fits(schema, answer->verdict, &why))
		return true;
	answer->verdict = (struct json){0};
	return claude_fail(
		answer, CLAUDE_GARBLED, err, "%s: the answer does not fit its schema: %s", name, why.text);
}

enum step { STEP_AGAIN, STEP_DONE, STEP_FAILED };

struct bounds {
	int rounds, pauses;
	bool raised;
};

static bool fail_stop(
	struct talk *talk, enum claude_outcome outcome, const char *words, struct err *err)
{
	return claude_fail(talk->answer, outcome, err, "%s: %s: %s (%s)%s%s", talk->claude->config.name,
		talk->model, words, talk->answer->stop_reason,
		talk->answer->request_id[0] != '\0' ? " request " : "", talk->answer->request_id);
}

/* OpenAI: after tools the schema was only put in words; what does not fit is asked for once more,
 * by grammar. */
static bool wants_plain(struct talk *talk, const struct turn *turn, struct arena *arena)
{
	const struct claude_question *question = talk->question;
	if (talk->claude->config.dialect != CLAUDE_OPENAI || talk->plain || question->schema == NULL ||
		question->tool_count == 0)
		return false;
	struct claude_answer kept = *talk->answer;
	bool fits = conclude(talk, turn, arena, NULL);
	*talk->answer = kept;
	if (fits)
		return false;
	talk->plain = true;
	claude_add_turn(talk, turn, NULL);
	claude_add_user(talk, "Now give the answer as the JSON object that was asked for.");
	return true;
}

static enum step move_on(struct talk *talk, struct turn *turn, struct bounds *left, struct err *err)
{
	struct claude_config *config = &talk->claude->config;
	switch (turn->stop) {
	case STOP_TOOLS:
		if (left->rounds-- <= 0) {
			fail_stop(talk, CLAUDE_ROUNDS, "wanted more rounds of tools than it may have", err);
			return STEP_FAILED;
		}
		talk->answer->rounds++;
		return run_calls(talk, turn, err) ? STEP_AGAIN : STEP_FAILED;
	case STOP_PAUSE:
		if (left->pauses-- <= 0) {
			fail_stop(talk, CLAUDE_ROUNDS, "paused more often than it may", err);
			return STEP_FAILED;
		}
		claude_add_turn(talk, turn, NULL);
		return STEP_AGAIN;
	case STOP_LENGTH:
		if (left->raised || config->max_tokens_raised <= talk->max_tokens) {
			fail_stop(talk, CLAUDE_CUT, "the answer is longer than max_tokens", err);
			return STEP_FAILED;
		}
		/* the cut answer, and a tool call that it may end in, are dropped */
		left->raised = true;
		talk->max_tokens = config->max_tokens_raised;
		return STEP_AGAIN;
	case STOP_REFUSAL:
		fail_stop(talk, CLAUDE_DECLINED, "the model declined to answer", err);
		return STEP_FAILED;
	case STOP_CONTEXT:
		fail_stop(talk, CLAUDE_CONTEXT_FULL, "the model's context window is full", err);
		return STEP_FAILED;
	case STOP_END:
	case STOP_OTHER:
	default:
		return STEP_DONE;
	}
}

bool claude_ask(struct claude *claude, const struct claude_question *question, struct arena *arena,
	struct claude_answer *answer, struct err *err)
{
	auto_arena own = arena_new(TALK_BYTES);
	struct talk talk = {.claude = claude,
		.question = question,
		.arena = own,
		.answer = answer,
		.model = question->model != NULL ? question->model : claude->config.model,
		.max_tokens = claude->config.max_tokens,
		.deadline_mono_ms = clock_mono_ms(claude->clock) + claude->config.deadline_ms};
	struct bounds left = {
		.rounds = question->rounds > 0 ? question->rounds : ROUNDS, .pauses = CLAUDE_PAUSES_MAX};
	*answer = (struct claude_answer){.text = "", .cost_known = true};
	str_init(&talk.messages, own);
	if (!check_question(&talk, err) || is_shut(&talk, err))
		return false;
	claude_add_user(&talk, question->user);
	for (;;) {
		struct str body;
		struct http_reply reply;
		struct turn turn;
		struct err why = {0};
		if (!claude_build(&talk, &body, err) || !claude_exchange(&talk, &body, &reply, err))
			return false;
		if (!claude_decode_turn(claude->config.dialect, &reply, own, &turn, answer, &why))
			return claude_fail(
				answer, CLAUDE_GARBLED, err, "%s: %s", claude->config.name, why.text);
		claude_count(&talk, &turn.usage);
		enum step step = move_on(&talk, &turn, &left, err);
		if (step == STEP_FAILED)
			return false;
		if (step == STEP_DONE && !wants_plain(&talk, &turn, own))
			return conclude(&talk, &turn, arena, err);
	}
}
