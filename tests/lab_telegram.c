/*
 * The lab's Telegram: https://api.telegram.org. A long poll that has no update is answered at once,
 * as empty: the lab is one thread, and asks again in its next round.
 */
#include "tests/lab_internal.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "sim/telegram.h"

static bool is_at(const struct http_config *config)
{
	return config->base_url != NULL && str_equal(config->base_url, "https://api.telegram.org");
}

static void *make(const struct clock *clock)
{
	return sim_telegram_new(clock);
}

static void end(void *self)
{
	sim_telegram_free(self);
}

static void tick(void *self)
{
	sim_telegram_tick(self);
}

static bool script(void *self, const char *line, char *text, size_t size)
{
	return sim_telegram_script(self, line, text, size);
}

static int posts(void *self, const char *pattern)
{
	return sim_telegram_asked(self, pattern);
}

static const char *type_of(const struct http_request *request)
{
	for (const char *const *at = request->headers; at != NULL && *at != NULL; at++)
		if (strncasecmp(*at, "Content-Type:", 13) == 0)
			return *at + 13 + strspn(*at + 13, " ");
	return request->body != NULL ? "application/json" : NULL; /* as http.c says it */
}

static void answer_poll(struct sim_telegram *sim, struct arena *arena, struct sim_tg_reply *reply)
{
	uint64_t ticket = reply->ticket;
	if (sim_telegram_resume(sim, ticket, arena, reply))
		return;
	sim_telegram_abandon(sim, ticket);
	reply->status = 200;
	reply->body = "{\"ok\":true,\"result\":[]}";
	reply->body_bytes = strlen(reply->body);
	reply->content_type = "application/json";
}

/* What the wire makes of it, in http.c's kinds. */
static bool arrives(
	const struct http_request *request, const struct sim_tg_reply *answer, struct err *err)
{
	int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : 10000;
	switch (answer->wire) {
	case SIM_TG_REFUSED:
		return err_set(err, ERR_RETRY, "connection refused by https://api.telegram.org");
	case SIM_TG_CLOSED:
		return err_set(err, ERR_RETRY, "the connection broke (Empty reply from server)");
	case SIM_TG_TRUNCATED:
		return err_set(err, ERR_RETRY, "the answer was cut off");
	case SIM_TG_SILENT:
		break;
	case SIM_TG_ANSWERED:
	case SIM_TG_HELD:
		if (answer->held_ms < timeout_ms || answer->wire == SIM_TG_HELD)
			return true;
		break;
	}
	return err_set(err, ERR_TIMEOUT, "no answer in %lld s", (long long)(timeout_ms / 1000));
}

static bool perform(void *self, const struct http *http, const struct http_request *request,
	struct arena *arena, struct http_reply *reply, struct err *err)
{
	struct sim_tg_reply answer = {0};
	const struct sim_tg_request asked = {.method = request->method,
		.url = request->path,
		.content_type = type_of(request),
		.body = request->body,
		.body_bytes = request->body_bytes};
	sim_telegram_handle(self, &asked, arena, &answer);
	if (answer.wire == SIM_TG_HELD)
		answer_poll(self, arena, &answer);
	reply->unsent = answer.wire == SIM_TG_REFUSED;
	if (!arrives(request, &answer, err))
		return lab_error(http, request, err);
	reply->status = answer.status;
	reply->body = arena_strndup(arena, answer.body, answer.body_bytes);
	reply->body_bytes = answer.body_bytes;
	reply->retry_after_s = answer.retry_after_s > 0 ? answer.retry_after_s : -1;
	STR_SET(reply->content_type, answer.content_type);
	return true;
}

const struct lab_world lab_telegram = {
	.name = "telegram",
	.is_at = is_at,
	.make = make,
	.end = end,
	.tick = tick,
	.script = script,
	.posts = posts,
	.perform = perform,
};
