/* The simulated Telegram on a socket. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sim/server.h"
#include "sim/telegram.h"

#define REQUEST_MAX_BYTES ((size_t)56 << 20)

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {{200, "OK"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
		{404, "Not Found"}, {409, "Conflict"}, {413, "Request Entity Too Large"},
		{429, "Too Many Requests"}, {500, "Internal Server Error"}, {502, "Bad Gateway"},
		{504, "Gateway Timeout"}};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

static void put_reply(
	const struct sim_tg_reply *answer, struct arena *arena, struct sim_server_reply *reply)
{
	static const enum sim_server_wire wires[] = {
		[SIM_TG_ANSWERED] = SIM_SERVER_ANSWER,
		[SIM_TG_HELD] = SIM_SERVER_HELD,
		[SIM_TG_REFUSED] = SIM_SERVER_DROP,
		[SIM_TG_CLOSED] = SIM_SERVER_DROP,
		[SIM_TG_SILENT] = SIM_SERVER_SILENT,
		[SIM_TG_TRUNCATED] = SIM_SERVER_CUT,
	};
	reply->wire = wires[answer->wire];
	reply->ticket = answer->ticket;
	reply->held_ms = answer->held_ms;
	reply->body = answer->body;
	reply->body_bytes = answer->body_bytes;
	const char *retry = "";
	if (answer->retry_after_s > 0)
		retry = arena_printf(arena, "Retry-After: %lld\r\n", (long long)answer->retry_after_s);
	reply->head = arena_printf(arena,
		"HTTP/1.1 %d %s\r\nServer: nginx/1.18.0\r\nContent-Type: %s\r\nConnection: "
		"keep-alive\r\n%s",
		answer->status, reason_of(answer->status),
		answer->content_type != NULL ? answer->content_type : "text/plain", retry);
}

/* "/sim/script" and the like: what a test in another process does and asks. */
static const char *control(
	struct sim_telegram *sim, const char *what, const char *body, struct arena *arena, int *status)
{
	char text[256] = "";
	*status = 200;
	if (strcmp(what, "script") == 0) {
		*status = sim_telegram_script(sim, body, text, sizeof(text)) ? 200 : 400;
		return arena_strdup(arena, text);
	}
	if (strcmp(what, "sent") == 0)
		return arena_printf(arena, "%d", sim_telegram_sent(sim, body));
	if (strcmp(what, "asked") == 0)
		return arena_printf(arena, "%d", sim_telegram_asked(sim, body));
	if (strcmp(what, "impatient") == 0)
		return arena_printf(arena, "%d", sim_telegram_impatient(sim));
	if (strcmp(what, "unanswered") == 0)
		return arena_printf(arena, "%d", sim_telegram_unanswered(sim));
	if (strcmp(what, "commands") == 0)
		return sim_telegram_commands(sim);
	if (strcmp(what, "chat") == 0)
		return sim_telegram_chat(sim, strtoll(body, NULL, 10));
	if (strcmp(what, "line") == 0) {
		const char *line = sim_telegram_line(sim, (int)strtol(body, NULL, 10));
		*status = line != NULL ? 200 : 404;
		return line != NULL ? line : "";
	}
	const char *buttons = strcmp(what, "buttons") == 0 ? sim_telegram_buttons(sim, body) : NULL;
	*status = buttons != NULL ? 200 : 404;
	return buttons != NULL ? buttons : "";
}

static void handle(void *world, const struct sim_server_request *asked, struct arena *arena,
	struct sim_server_reply *reply)
{
	const struct sim_tg_request request = {.method = asked->method,
		.url = asked->url,
		.content_type = sim_server_header(arena, asked, "Content-Type"),
		.body = asked->body,
		.body_bytes = asked->body_bytes};
	struct sim_tg_reply answer = {.content_type = "text/plain"};
	if (str_starts(asked->url, "/sim/")) {
		answer.body = control(
			world, asked->url + 5, asked->body != NULL ? asked->body : "", arena, &answer.status);
		answer.body_bytes = strlen(answer.body);
	} else {
		sim_telegram_handle(world, &request, arena, &answer);
	}
	put_reply(&answer, arena, reply);
}

static bool resume(
	void *world, uint64_t ticket, struct arena *arena, struct sim_server_reply *reply)
{
	struct sim_tg_reply answer = {0};
	if (!sim_telegram_resume(world, ticket, arena, &answer))
		return false;
	put_reply(&answer, arena, reply);
	return true;
}

static void abandon(void *world, uint64_t ticket)
{
	sim_telegram_abandon(world, ticket);
}

static void tick(void *world)
{
	sim_telegram_tick(world);
}

static bool script(void *world, const char *line, char *text, size_t size)
{
	return sim_telegram_script(world, line, text, size);
}

int sim_telegram_main(int argc, char **argv)
{
	static const struct sim_server server = {.name = "sim-telegram",
		.request_max_bytes = REQUEST_MAX_BYTES,
		.handle = handle,
		.resume = resume,
		.abandon = abandon,
		.tick = tick,
		.script = script};
	struct clock *clock = clock_new_real();
	struct sim_telegram *sim = sim_telegram_new(clock);
	int code = sim_server_main(&server, sim, clock, argc, argv);
	sim_telegram_free(sim);
	clock_free(clock);
	return code;
}
