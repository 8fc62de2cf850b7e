/* The lab's other channels: https://ntfy.test and so on, see sim/notify.h. */
#include "tests/lab_internal.h"

#include <string.h>

#include "base/str.h"
#include "sim/notify.h"

static bool is_at(const struct http_config *config)
{
	return config->base_url != NULL && str_starts(config->base_url, "https://") &&
		sim_notify_is_host(config->base_url + 8);
}

static void *make(const struct clock *clock)
{
	return sim_notify_new(clock);
}

static void end(void *self)
{
	sim_notify_free(self);
}

static void tick(void *self)
{
	(void)self;
}

static bool script(void *self, const char *line, char *text, size_t size)
{
	return sim_notify_script(self, line, text, size);
}

static int posts(void *self, const char *pattern)
{
	return sim_notify_asked(self, pattern);
}

/* As http.c: what has a body and does not say what it is, is JSON. */
static const char *const *headers_of(const struct http_request *request, const char **all, int room)
{
	int n = 0;
	for (const char *const *at = request->headers; at != NULL && *at != NULL && n < room - 2; at++)
		all[n++] = *at;
	if (request->body != NULL)
		all[n++] = "Content-Type: application/json";
	all[n] = NULL;
	return all;
}

static bool perform(void *self, const struct http *http, const struct http_request *request,
	struct arena *arena, struct http_reply *reply, struct err *err)
{
	const char *headers[12];
	struct sim_notify_reply answer;
	const struct sim_notify_request asked = {.host = http->config.base_url + 8,
		.method = request->method,
		.path = request->path,
		.body = request->body,
		.body_bytes = request->body_bytes,
		.headers = headers_of(request, headers, 12)};
	sim_notify_handle(self, &asked, arena, &answer);
	if (answer.wire == SIM_NOTIFY_REFUSED) {
		err_set(err, ERR_RETRY, "connection refused by %s", http->config.base_url);
		return lab_error(http, request, err);
	}
	if (answer.wire == SIM_NOTIFY_SILENT) {
		err_set(err, ERR_TIMEOUT, "no answer in 10 s");
		return lab_error(http, request, err);
	}
	reply->status = answer.status;
	reply->retry_after_s = answer.retry_after_s;
	reply->body = arena_strdup(arena, answer.body);
	reply->body_bytes = strlen(reply->body);
	STR_SET(reply->content_type, answer.content_type);
	return true;
}

const struct lab_world lab_net = {
	.name = "net",
	.is_at = is_at,
	.make = make,
	.end = end,
	.tick = tick,
	.script = script,
	.posts = posts,
	.perform = perform,
};
