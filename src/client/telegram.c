#include "client/telegram.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "client/telegram_internal.h"

#define API_URL "https://api.telegram.org"
#define TOKEN_MAX 80
#define TOAST_MAX 200
/* The server holds a poll so long at most past what was asked. */
#define POLL_GRACE_MS 10000

static bool is_loopback(const char *host)
{
	return str_starts(host, "127.") || str_starts(host, "localhost") || str_starts(host, "[::1]");
}

static bool check_url(const char *url, struct err *err)
{
	bool is_plain = str_starts(url, "http://");
	if (!is_plain && !str_starts(url, "https://"))
		return err_set(err, ERR_INPUT, "api_url: \"%s\" is not https://HOST, as %s", url, API_URL);
	if (is_plain && !is_loopback(url + strlen("http://")))
		return err_set(err, ERR_INPUT,
			"api_url: %s: write https://, or put a Bot API server of your own on 127.0.0.1: the "
			"token would be sent in clear",
			url);
	return true;
}

/* The token itself is not repeated: a wrong one is mostly a right one with something around it. */
static bool check_token(const char *token, struct err *err)
{
	size_t digits = token == NULL ? 0 : strspn(token, "0123456789");
	bool good = digits > 0 && token[0] != '0' && token[digits] == ':' &&
		strlen(token) <= TOKEN_MAX && token[digits + 1] != '\0';
	for (const char *at = token; good && *at != '\0'; at++)
		good = isalnum((unsigned char)*at) || strchr(":_-", *at) != NULL;
	if (good)
		return true;
	return err_set(err, ERR_INPUT,
		"token: is not a bot's, as 123456789:AAE…: @BotFather tells it; homeostat secret set "
		"telegram");
}

struct telegram *telegram_open(const struct telegram_config *config, int stop_fd, struct err *err)
{
	const char *url = config->api_url != NULL ? config->api_url : API_URL;
	if (!check_url(url, err) || !check_token(config->token, err)) {
		err_prefix(err, "telegram");
		return NULL;
	}
	struct telegram *telegram = calloc(1, sizeof(*telegram));
	if (telegram == NULL)
		abort();
	telegram->arena = arena_new((size_t)16 * 1024);
	telegram->token = strdup(config->token);
	if (telegram->token == NULL)
		abort();
	telegram->chat = config->chat;
	size_t length = strlen(url);
	while (length > 8 && url[length - 1] == '/')
		length--;
	const struct http_config http = {.base_url = arena_strndup(telegram->arena, url, length),
		.stop_fd = stop_fd,
		.name = "telegram"};
	telegram->http = http_open(&http);
	return telegram;
}

void telegram_close(struct telegram *telegram)
{
	if (telegram == NULL)
		return;
	http_close(telegram->http);
	arena_free(telegram->arena);
	explicit_bzero(telegram->token, strlen(telegram->token));
	free(telegram->token);
	free(telegram);
}

void telegram_move(struct telegram *telegram, int64_t chat)
{
	telegram->chat = chat;
}

/* Stars for what the server, or a library, may have repeated of the URL. */
static void hide_token(const struct telegram *telegram, char *text)
{
	for (char *at = text; at != NULL && (at = strstr(at, telegram->token)) != NULL;)
		memset(at, '*', strlen(telegram->token));
}

static bool exchange(struct telegram *telegram, const struct telegram_question *question,
	struct arena *arena, struct http_reply *reply, struct err *err)
{
	const char *headers[] = {question->type, NULL};
	char path[TOKEN_MAX + 64], shown[64];
	STR_FORMAT(path, "/bot%s/%s", telegram->token, question->method);
	STR_FORMAT(shown, "/bot…/%s", question->method);
	const struct http_request request = {.method = "POST",
		.path = path,
		.shown = shown,
		.body = question->body != NULL ? question->body : "{}",
		.body_bytes = question->body != NULL ? question->body_bytes : 2,
		.headers = question->type != NULL ? headers : NULL,
		.timeout_ms = question->timeout_ms > 0 ? question->timeout_ms : TELEGRAM_TIMEOUT_MS,
		.limit_bytes = TELEGRAM_ANSWER_BYTES};
	bool ok = http_perform(telegram->http, &request, arena, reply, err);
	explicit_bzero(path, sizeof(path));
	return ok;
}

bool telegram_ask(struct telegram *telegram, const struct telegram_question *question,
	struct arena *arena, struct json *answer, struct telegram_result *result, struct err *err)
{
	struct http_reply reply = {0};
	struct json body;
	struct err why = {0};
	*result = (struct telegram_result){.outcome = TELEGRAM_REFUSED};
	if (!exchange(telegram, question, arena, &reply, &why)) {
		hide_token(telegram, why.text);
		return telegram_unanswered(question, &reply, &why, result, err);
	}
	result->status = reply.status;
	bool is_ok = reply.status == 200 &&
		json_parse(arena, reply.body, reply.body_bytes, &body, NULL) &&
		json_bool(json_get(body, "ok"), false);
	if (!is_ok) {
		hide_token(telegram, reply.body); /* before any of it is cut */
		hide_token(telegram, reply.reason);
		return telegram_refused(question, &reply, arena, result, err);
	}
	*answer = json_get(body, "result");
	result->outcome = TELEGRAM_DONE;
	return true;
}

bool telegram_me(struct telegram *telegram, struct telegram_me *me, struct telegram_result *result,
	struct err *err)
{
	auto_arena arena = arena_new(TELEGRAM_SCRATCH_BYTES);
	const struct telegram_question question = {.method = "getMe"};
	struct json answer = {0};
	if (!telegram_ask(telegram, &question, arena, &answer, result, err))
		return false;
	*me = (struct telegram_me){.id = json_int(json_get(answer, "id"), 0)};
	json_copy(json_get(answer, "username"), me->username, sizeof(me->username));
	json_copy(json_get(answer, "first_name"), me->name, sizeof(me->name));
	if (me->id > 0)
		return true;
	result->outcome = TELEGRAM_RETRY;
	return err_set(err, ERR_INPUT,
		"telegram: getMe: the answer names no bot: is api_url: that of a Bot API server?");
}

static int clamp(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

bool telegram_poll(struct telegram *telegram, const struct telegram_poll *poll, struct arena *arena,
	struct telegram_batch *batch, struct telegram_result *result, struct err *err)
{
	auto_arena scratch = arena_new(TELEGRAM_SCRATCH_BYTES);
	struct str text;
	struct json_out out;
	struct json answer = {0};
	int timeout_s = clamp(poll->timeout_s, 0, TELEGRAM_POLL_MAX_S);
	*batch = (struct telegram_batch){0};
	str_init(&text, scratch);
	json_begin(&out, &text);
	json_open(&out, NULL, '{');
	if (poll->offset != 0)
		json_put_int(&out, "offset", poll->offset);
	json_put_int(&out, "timeout", timeout_s);
	json_put_int(&out, "limit", poll->limit == 0 ? 100 : clamp(poll->limit, 1, 100));
	/* Always said: what is left out is as the last program of this bot had it. */
	json_put_raw(&out, "allowed_updates", "[\"message\",\"callback_query\"]");
	json_close(&out, '}');
	const struct telegram_question question = {.method = "getUpdates",
		.body = text.s,
		.body_bytes = text.len,
		.timeout_ms = timeout_s * 1000 + POLL_GRACE_MS};
	if (!telegram_ask(telegram, &question, scratch, &answer, result, err))
		return false;
	if (telegram_take_updates(answer, arena, batch, err))
		return true;
	result->outcome = TELEGRAM_RETRY;
	return false;
}

bool telegram_delete_webhook(
	struct telegram *telegram, struct telegram_result *result, struct err *err)
{
	auto_arena arena = arena_new(TELEGRAM_SCRATCH_BYTES);
	static const char body[] = "{\"drop_pending_updates\":false}";
	const struct telegram_question question = {
		.method = "deleteWebhook", .body = body, .body_bytes = sizeof(body) - 1};
	struct json answer = {0};
	return telegram_ask(telegram, &question, arena, &answer, result, err);
}

/* At most so many characters: what is too long would be refused as a whole. */
static const char *cut(struct arena *arena, const char *text, int characters)
{
	const char *end = text;
	while (*end != '\0' && (((unsigned char)*end & 0xc0) == 0x80 || characters-- > 0))
		end++;
	return arena_strndup(arena, text, (size_t)(end - text));
}

bool telegram_answer(struct telegram *telegram, const struct telegram_answer *answer,
	struct telegram_result *result, struct err *err)
{
	auto_arena arena = arena_new(TELEGRAM_SCRATCH_BYTES);
	struct str text;
	struct json_out out;
	struct json ignored;
	str_init(&text, arena);
	json_begin(&out, &text);
	json_open(&out, NULL, '{');
	json_put_str(&out, "callback_query_id", answer->callback);
	if (answer->text != NULL && answer->text[0] != '\0') {
		json_put_str(&out, "text", cut(arena, answer->text, TOAST_MAX));
		json_put_bool(&out, "show_alert", answer->is_alert);
	}
	json_close(&out, '}');
	const struct telegram_question question = {
		.method = "answerCallbackQuery", .body = text.s, .body_bytes = text.len};
	return telegram_ask(telegram, &question, arena, &ignored, result, err);
}

bool telegram_set_commands(struct telegram *telegram, const struct telegram_commands *commands,
	struct telegram_result *result, struct err *err)
{
	auto_arena arena = arena_new(TELEGRAM_SCRATCH_BYTES);
	struct str text;
	struct json_out out;
	struct json ignored;
	str_init(&text, arena);
	json_begin(&out, &text);
	json_open(&out, NULL, '{');
	json_open(&out, "commands", '[');
	for (int i = 0; i < commands->count; i++) {
		json_open(&out, NULL, '{');
		json_put_str(&out, "command", commands->rows[i].name);
		json_put_str(&out, "description", commands->rows[i].summary);
		json_close(&out, '}');
	}
	json_close(&out, ']');
	if (commands->scope != NULL) {
		json_open(&out, "scope", '{');
		json_put_str(&out, "type", commands->scope);
		json_close(&out, '}');
	}
	json_close(&out, '}');
	const struct telegram_question question = {
		.method = "setMyCommands", .body = text.s, .body_bytes = text.len};
	return telegram_ask(telegram, &question, arena, &ignored, result, err);
}
