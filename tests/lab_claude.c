/* The lab's model: https://claude.sim, the Messages API and chat completions. */
#include "tests/lab_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sim/claude.h"

#define SIM_URL "https://claude.sim"

static bool is_at(const struct http_config *config)
{
	return config->base_url != NULL && str_starts(config->base_url, SIM_URL);
}

static void *make(const struct clock *clock)
{
	return sim_claude_new(clock);
}

static void end(void *self)
{
	sim_claude_free(self);
}

static void tick(void *self)
{
	(void)self;
}

static bool script(void *self, const char *line, char *text, size_t size)
{
	return sim_claude_script(self, line, text, size);
}

/* Requests, whatever the pattern; those that were refused as wrong: "refused". */
static int posts(void *self, const char *pattern)
{
	return pattern != NULL && strcmp(pattern, "refused") == 0 ? sim_claude_refused(self)
															  : sim_claude_requests(self);
}

static const char *head_of(
	const struct http *http, const struct http_request *request, struct arena *arena)
{
	struct str head;
	str_init(&head, arena);
	str_addf(&head, "%s %s HTTP/1.1\r\nHost: claude.sim\r\n", request->method, request->path);
	for (const char *const *at = request->headers; at != NULL && *at != NULL; at++)
		str_addf(&head, "%s\r\n", *at);
	(void)http;
	str_add(&head, "\r\n");
	return head.s;
}

static bool perform(void *self, const struct http *http, const struct http_request *request,
	struct arena *arena, struct http_reply *reply, struct err *err)
{
	struct sim_reply answer = {.status = 200, .content_type = "text/plain", .body = ""};
	struct sim_request question = {.method = request->method,
		.url = arena_printf(arena, "%s%s", http->config.base_url + strlen(SIM_URL), request->path),
		.head = head_of(http, request, arena),
		.body = request->body,
		.body_bytes = request->body_bytes,
		.arena = arena};
	sim_claude_handle(self, &question, &answer);
	int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : 10000;
	if (answer.wire == SIM_SILENT || answer.held_ms >= timeout_ms)
		err_set(err, ERR_TIMEOUT, "no answer in %lld s", (long long)(timeout_ms / 1000));
	else if (answer.wire != SIM_ANSWERED)
		err_set(err, ERR_RETRY, "the answer was cut off");
	if (answer.wire != SIM_ANSWERED || answer.held_ms >= timeout_ms)
		return lab_error(http, request, err);
	reply->status = answer.status;
	STR_SET(reply->reason, answer.reason);
	STR_SET(reply->content_type, answer.content_type);
	reply->headers = answer.headers != NULL ? answer.headers : "";
	reply->body_bytes = answer.body != NULL ? answer.body_bytes : 0;
	reply->body = ARENA_ARRAY(arena, char, reply->body_bytes + 1);
	if (answer.body != NULL)
		memcpy(reply->body, answer.body, reply->body_bytes);
	return true;
}

const struct lab_world lab_claude = {
	.name = "claude",
	.is_at = is_at,
	.make = make,
	.end = end,
	.tick = tick,
	.script = script,
	.posts = posts,
	.perform = perform,
};

const char *lab_claude_body(struct lab *lab)
{
	return sim_claude_body(lab_world(lab, &lab_claude));
}
