/* One request: the way it fails, its token, its method, its answer. */
#include "sim/telegram_world.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BODY_MAX_BYTES ((size_t)50 << 20)
#define TOKEN_MAX 80

static bool get_me(struct tg_call *call)
{
	struct json_out out;
	const struct tg_user *bot = &call->sim->bot;
	json_begin(&out, &call->result);
	json_open(&out, NULL, '{');
	json_put_int(&out, "id", bot->id);
	json_put_bool(&out, "is_bot", true);
	json_put_str(&out, "first_name", bot->name);
	json_put_str(&out, "username", bot->username);
	json_put_bool(&out, "can_join_groups", true);
	json_put_bool(&out, "can_read_all_group_messages", !call->sim->is_private_mode);
	json_put_bool(&out, "supports_inline_queries", false);
	json_close(&out, '}');
	return true;
}

static const struct {
	const char *name, *shown;
	tg_method_fn *run;
} methods[] = {
	{"getme", "getMe", get_me},
	{"getupdates", "getUpdates", tg_get_updates},
	{"setwebhook", "setWebhook", tg_set_webhook},
	{"deletewebhook", "deleteWebhook", tg_delete_webhook},
	{"getwebhookinfo", "getWebhookInfo", tg_get_webhook_info},
	{"sendmessage", "sendMessage", tg_send_message},
	{"sendphoto", "sendPhoto", tg_send_photo},
	{"senddocument", "sendDocument", tg_send_document},
	{"editmessagetext", "editMessageText", tg_edit_text},
	{"editmessagereplymarkup", "editMessageReplyMarkup", tg_edit_markup},
	{"deletemessage", "deleteMessage", tg_delete_message},
	{"answercallbackquery", "answerCallbackQuery", tg_answer_callback},
	{"setmycommands", "setMyCommands", tg_set_commands},
	{"getmycommands", "getMyCommands", tg_get_commands},
};

static void put_body(struct sim_tg_reply *reply, int status, const struct str *body)
{
	reply->wire = SIM_TG_ANSWERED;
	reply->status = status;
	reply->body = body->s;
	reply->body_bytes = body->len;
	reply->content_type = "application/json";
	reply->ticket = 0;
}

void tg_reply_problem(
	const struct tg_problem *problem, struct arena *arena, struct sim_tg_reply *reply)
{
	struct str body;
	struct json_out out;
	str_init(&body, arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	json_put_bool(&out, "ok", false);
	json_put_int(&out, "error_code", problem->status);
	json_put_str(&out, "description", problem->words);
	if (problem->retry_after_s > 0 || problem->migrate_to != 0)
		json_open(&out, "parameters", '{');
	if (problem->retry_after_s > 0)
		json_put_int(&out, "retry_after", problem->retry_after_s);
	if (problem->migrate_to != 0)
		json_put_int(&out, "migrate_to_chat_id", problem->migrate_to);
	if (problem->retry_after_s > 0 || problem->migrate_to != 0)
		json_close(&out, '}');
	json_close(&out, '}');
	put_body(reply, problem->status, &body);
	reply->retry_after_s = problem->retry_after_s;
}

void tg_reply_result(const char *result, struct arena *arena, struct sim_tg_reply *reply)
{
	struct str body;
	str_init(&body, arena);
	str_addf(&body, "{\"ok\":true,\"result\":%s}", result);
	put_body(reply, 200, &body);
}

/* "/botTOKEN/method?query" in its parts. */
static bool split_url(struct tg_call *call, const char *url, char token[256], const char **query)
{
	const char *path = strstr(url, "://");
	path = path != NULL ? strchr(path + 3, '/') : url;
	*query = path != NULL ? strchr(path, '?') : NULL;
	size_t length = path == NULL ? 0 : *query != NULL ? (size_t)(*query - path) : strlen(path);
	*query = *query != NULL ? *query + 1 : "";
	const char *slash = length > 4 ? memchr(path + 4, '/', length - 4) : NULL;
	if (slash == NULL || strncmp(path, "/bot", 4) != 0)
		return tg_fail(call, 404, "Not Found");
	str_format(token, 256, "%.*s", (int)(slash - path - 4), path + 4);
	STR_FORMAT(call->method, "%.*s", (int)(path + length - slash - 1), slash + 1);
	for (char *c = call->method; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}

static bool check_token(struct tg_call *call, const char *token)
{
	const struct sim_telegram *sim = call->sim;
	if (token[0] == '0' || strlen(token) > TOKEN_MAX || strchr(token, ':') == NULL ||
		strtoll(token, NULL, 10) <= 0)
		return tg_fail(call, 401, "Unauthorized: invalid token specified");
	if (strcmp(token, sim->token) != 0 || sim->is_revoked)
		return tg_fail(call, 401, "Unauthorized");
	return true;
}

static bool run_method(struct tg_call *call)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, call->method) == 0)
			return methods[i].run(call);
	return tg_fail(call, 404, "Not Found: method not found");
}

static struct tg_fault *fault_of(struct sim_telegram *sim, const char *method)
{
	for (int i = 0; i < sim->fault_count; i++) {
		struct tg_fault *fault = &sim->faults[i];
		if (fault->left > 0 &&
			(strcmp(fault->method, "*") == 0 || strcmp(fault->method, method) == 0)) {
			fault->left--;
			return fault;
		}
	}
	return NULL;
}

static void put_gateway(struct sim_tg_reply *reply, int status, struct arena *arena)
{
	reply->wire = SIM_TG_ANSWERED;
	reply->status = status;
	reply->content_type = "text/html";
	reply->body = arena_printf(arena,
		"<html>\r\n<head><title>%d</title></head>\r\n<body>\r\n<center><h1>%d</h1></center>\r\n"
		"<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n",
		status, status);
	reply->body_bytes = strlen(reply->body);
	reply->ticket = 0;
	reply->retry_after_s = 0;
}

/* An error of the script's choice, as the server says it. */
static void put_chosen(
	struct tg_call *call, const struct tg_fault *fault, struct sim_tg_reply *reply)
{
	static const struct {
		int status;
		const char *words;
	} usual[] = {{400, "Bad Request"}, {401, "Unauthorized"},
		{403, "Forbidden: bot was blocked by the user"}, {404, "Not Found"},
		{409,
			"Conflict: terminated by other getUpdates request; make sure that only one bot "
			"instance is running"},
		{413, "Request Entity Too Large"}, {500, "Internal Server Error"}};
	int status = (int)fault->number;
	if (status == 502 || status == 504) {
		put_gateway(reply, status, call->arena);
		return;
	}
	call->problem = (struct tg_problem){0};
	const char *words = "Bad Request";
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (usual[i].status == status)
			words = usual[i].words;
	if (status == 429)
		tg_call_wait(call, tg_chat_find(call->sim, tg_arg_int(call, "chat_id", 0)), fault->arg);
	else
		tg_fail(call, status, "%s", fault->text[0] != '\0' ? fault->text : words);
	tg_reply_problem(&call->problem, call->arena, reply);
}

static void put_fault(
	struct tg_call *call, const struct tg_fault *fault, struct sim_tg_reply *reply)
{
	static const struct {
		const char *kind;
		enum sim_tg_wire wire;
	} wires[] = {{"refused", SIM_TG_REFUSED}, {"closed", SIM_TG_CLOSED}, {"silent", SIM_TG_SILENT},
		{"truncated", SIM_TG_TRUNCATED}};
	if (strcmp(fault->kind, "slow") == 0) {
		reply->held_ms += fault->number;
		return;
	}
	if (strcmp(fault->kind, "html") == 0) {
		put_gateway(reply, 200, call->arena);
		return;
	}
	for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
		if (strcmp(wires[i].kind, fault->kind) == 0) {
			reply->wire = wires[i].wire;
			return;
		}
	put_chosen(call, fault, reply);
}

static void write_journal(struct tg_call *call, int status)
{
	struct sim_telegram *sim = call->sim;
	const char *shown = call->method;
	char *line = NULL;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, call->method) == 0)
			shown = methods[i].shown;
	int64_t chat = call->chat != NULL ? call->chat->id : tg_arg_int(call, "chat_id", 0);
	if (asprintf(&line, "%s %lld %d", shown, (long long)chat, status) < 0)
		abort();
	sim->journal = tg_more(sim->journal, sim->journal_count, sizeof(*sim->journal));
	sim->journal[sim->journal_count++] = line;
}

static bool prepare(struct tg_call *call, const struct sim_tg_request *request)
{
	char token[256] = "";
	const char *query;
	if (!split_url(call, request->url, token, &query))
		return false;
	if (request->body_bytes > BODY_MAX_BYTES)
		return tg_fail(call, 413, "Request Entity Too Large");
	return check_token(call, token) && tg_call_params(call, request, query);
}

void sim_telegram_handle(struct sim_telegram *sim, const struct sim_tg_request *request,
	struct arena *arena, struct sim_tg_reply *reply)
{
	struct tg_call *call = ARENA_NEW(arena, struct tg_call);
	*call = (struct tg_call){.sim = sim, .arena = arena};
	str_init(&call->result, arena);
	sim_telegram_tick(sim);
	*reply = (struct sim_tg_reply){0};
	bool good = prepare(call, request);
	struct tg_fault *fault = good ? fault_of(sim, call->method) : NULL;
	bool happens = fault == NULL || fault->after || strcmp(fault->kind, "slow") == 0 ||
		strcmp(fault->kind, "truncated") == 0;
	good = good && happens && run_method(call);
	if (call->problem.status != 0)
		tg_reply_problem(&call->problem, arena, reply);
	else if (good && call->ticket == 0)
		tg_reply_result(call->result.s, arena, reply);
	else if (good)
		reply->wire = SIM_TG_HELD;
	reply->held_ms = call->held_ms;
	reply->ticket = call->ticket;
	if (fault != NULL)
		put_fault(call, fault, reply);
	if (reply->wire != SIM_TG_HELD && call->ticket != 0) {
		sim_telegram_abandon(sim, call->ticket);
		reply->ticket = 0;
	}
	write_journal(call, reply->wire == SIM_TG_ANSWERED ? reply->status : 0);
}
