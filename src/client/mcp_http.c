/*
 * Streamable HTTP: a POST a request, whose answer is JSON or a stream of events. The optional
 * stream by GET is not opened: what it brings is only news that our next question would bring too.
 */
#include <string.h>
#include <strings.h>

#include "client/mcp_internal.h"

#define FAREWELL_MS 1000

bool mcp_http_start(struct mcp *mcp, struct err *err)
{
	if (mcp->http != NULL)
		return true;
	const char *url = mcp->config.url, *host = strstr(url, "://");
	if (host == NULL)
		return err_set(err, ERR_INPUT, "%s: no URL", mcp->name);
	size_t base = (size_t)(host - url) + 3 + strcspn(host + 3, "/?#");
	mcp->path = url[base] == '/' ? url + base : "/";
	struct http_config config = {
		.base_url = arena_strndup(mcp->arena, url, base),
		.stop_fd = mcp->config.stop_fd,
		.name = mcp->name,
	};
	mcp->http = http_open(&config);
	return true;
}

/* The headers of a request, in its arena; ended by NULL. */
static const char *const *headers_of(
	struct mcp *mcp, const struct mcp_ask *ask, struct arena *arena)
{
	const char **list = ARENA_ARRAY(arena, const char *, MCP_HEADERS_MAX + 8);
	size_t n = 0;
	const char *version = ask->is_modern ? MCP_MODERN_VERSION : mcp->server.protocol;
	list[n++] = "Accept: application/json, text/event-stream";
	list[n++] = "Content-Type: application/json";
	if (mcp->config.token != NULL)
		list[n++] = arena_printf(arena, "Authorization: Bearer %s", mcp->config.token);
	if (version[0] != '\0')
		list[n++] = arena_printf(arena, "MCP-Protocol-Version: %s", version);
	if (!ask->is_modern && mcp->session[0] != '\0')
		list[n++] = arena_printf(arena, "Mcp-Session-Id: %s", mcp->session);
	if (!ask->is_modern)
		return list;
	list[n++] = arena_printf(arena, "Mcp-Method: %s", ask->method);
	if (ask->name != NULL) {
		const char *name = mcp_header_value(ask->name, arena);
		list[n++] = arena_printf(arena, "Mcp-Name: %s", name != NULL ? name : "");
	}
	for (int i = 0; ask->extra != NULL && ask->extra[i] != NULL && i < MCP_HEADERS_MAX; i++)
		list[n++] = ask->extra[i];
	return list;
}

/* Our reply to a request of the server. That it does not come through is the server's trouble. */
static void reply(struct mcp *mcp, const char *text)
{
	struct err err = {0};
	const struct mcp_ask ask = {.method = "", .timeout_ms = mcp->config.timeout_ms};
	mcp_http_notify(mcp, &ask, text, &err);
}

bool mcp_http_notify(struct mcp *mcp, const struct mcp_ask *ask, const char *text, struct err *err)
{
	auto_arena arena = arena_new(MCP_SCRATCH_BYTES);
	struct http_reply answer = {0};
	struct http_request request = {.method = "POST",
		.path = mcp->path,
		.body = text,
		.body_bytes = strlen(text),
		.headers = headers_of(mcp, ask, arena),
		.timeout_ms = ask->timeout_ms,
		.limit_bytes = MCP_MESSAGE_BYTES};
	if (!http_perform(mcp->http, &request, arena, &answer, err))
		return false;
	return (answer.status >= 200 && answer.status < 300) ||
		err_set(err, ERR_RETRY, "%s: %s: the server answers %d %s", mcp->name, ask->method,
			answer.status, answer.reason);
}

/* What a status means that came without a message. */
static bool bad_status(struct mcp *mcp, const struct mcp_ask *ask, int status, struct err *err)
{
	const char *name = mcp->name;
	if (status == 401 || status == 403)
		return err_set(err, ERR_DENIED,
			mcp->config.token == NULL ? "%s: %s: %d: it wants a token: set token:"
									  : "%s: %s: %d: it does not accept the token: check token:",
			name, ask->method, status);
	if (status >= 300 && status < 400)
		return err_set(err, ERR_INPUT,
			"%s: %s: %d: it redirects us: write the address that it redirects to in url:", name,
			ask->method, status);
	if (status == 404 || status == 405)
		return err_set(err, ERR_INPUT,
			"%s: %s: %d: there is no streamable HTTP at this path: check url: (it often ends in "
			"/mcp; the older transport HTTP+SSE is not spoken)",
			name, ask->method, status);
	if (status == 429 || status >= 500)
		return err_set(err, ERR_RETRY, "%s: %s: the server answers %d", name, ask->method, status);
	return err_set(err, ERR_INPUT, "%s: %s: the server answers %d without a message", name,
		ask->method, status);
}

static bool is_type(const char *type, const char *want)
{
	size_t n = strlen(want);
	return strncasecmp(type, want, n) == 0 && (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

struct body {
	struct http_stream *stream;
	struct arena *arena; /* of the text */
	struct mcp_sse sse;
	bool is_events;
	int64_t deadline_ms;
};

/* One line into the body; an event that is complete is taken. */
static void take_line(
	struct mcp *mcp, struct mcp_wait *wait, struct body *body, const char *line, size_t length)
{
	if (!body->is_events) {
		str_addn(&body->sse.data, line, length);
		str_addc(&body->sse.data, '\n');
		return;
	}
	if (!mcp_sse_line(&body->sse, line, length))
		return;
	mcp_take(mcp, wait, body->sse.data.s, body->sse.data.len);
	arena_free(body->arena);
	body->arena = arena_new(MCP_MESSAGE_BYTES * 4);
	mcp_sse_next(&body->sse, body->arena);
}

/* Reads until the answer, the end, or an error. */
static bool read_body(struct mcp *mcp, const struct mcp_ask *ask, struct mcp_wait *wait,
	struct body *body, struct err *err)
{
	const char *line;
	size_t length;
	while (!wait->answered) {
		int64_t left = body->deadline_ms - mcp_now_ms();
		if (left <= 0)
			return err_set(err, ERR_TIMEOUT, "%s: %s: no answer in %lld ms", mcp->name, ask->method,
				(long long)ask->timeout_ms);
		switch (http_stream_next(body->stream, &line, &length, left, err)) {
		case HTTP_LINE:
			break;
		case HTTP_IDLE:
			continue;
		case HTTP_END:
			if (!body->is_events)
				mcp_take(mcp, wait, body->sse.data.s, body->sse.data.len);
			return true;
		case HTTP_ERROR:
			return false;
		}
		wait->bytes += length + 1;
		if (wait->bytes > MCP_EXCHANGE_BYTES || body->sse.data.len + length > MCP_MESSAGE_BYTES)
			return err_set(err, ERR_INPUT, "%s: %s: its answer is larger than %zu bytes", mcp->name,
				ask->method,
				wait->bytes > MCP_EXCHANGE_BYTES ? MCP_EXCHANGE_BYTES : MCP_MESSAGE_BYTES);
		take_line(mcp, wait, body, line, length);
	}
	return true;
}

static bool read_answer(struct mcp *mcp, const struct mcp_ask *ask, struct mcp_wait *wait,
	struct body *body, struct err *err)
{
	int status = http_stream_status(body->stream);
	const char *type = http_stream_type(body->stream);
	bool good = status >= 200 && status < 300;
	body->is_events = is_type(type, "text/event-stream");
	mcp->session_lost = status == 404 && !ask->is_modern && mcp->session[0] != '\0';
	if (status == 401 || status == 403 || mcp->session_lost || (status >= 300 && status < 400))
		return bad_status(mcp, ask, status, err);
	if (!body->is_events && !is_type(type, "application/json") && good)
		return err_set(err, ERR_INPUT,
			"%s: %s: the answer is \"%.60s\", not JSON: is this the address of an MCP server?",
			mcp->name, ask->method, type);
	if (!read_body(mcp, ask, wait, body, err))
		return false;
	if (wait->answered || (good && body->is_events))
		return true;
	/* to the question about the era, any refusal is an answer */
	if (ask->is_modern && status >= 400 && status < 500 &&
		strcmp(ask->method, "server/discover") == 0) {
		wait->answered = wait->answer->is_error = true;
		return true;
	}
	if (!good)
		return bad_status(mcp, ask, status, err);
	return err_set(
		err, ERR_INPUT, "%s: %s: the answer holds no reply to it", mcp->name, ask->method);
}

bool mcp_http_exchange(
	struct mcp *mcp, const struct mcp_ask *ask, struct mcp_wait *wait, struct err *err)
{
	int64_t deadline = mcp_now_ms() + ask->timeout_ms;
	const char *text = mcp_text(ask, wait->id, wait->arena);
	if (text == NULL)
		return err_set(err, ERR_INPUT, "%s: %s: the request is too large", mcp->name, ask->method);
	struct http_request request = {.method = "POST",
		.path = mcp->path,
		.body = text,
		.body_bytes = strlen(text),
		.headers = headers_of(mcp, ask, wait->arena),
		.timeout_ms = ask->timeout_ms,
		.keep = "Mcp-Session-Id",
		.any_status = true};
	struct body body = {.deadline_ms = deadline};
	wait->reply = reply;
	body.stream = http_stream_open(mcp->http, &request, err);
	if (body.stream == NULL)
		return false;
	if (strcmp(ask->method, "initialize") == 0)
		STR_SET(mcp->session, http_stream_kept(body.stream));
	body.arena = arena_new(MCP_MESSAGE_BYTES * 4);
	mcp_sse_next(&body.sse, body.arena);
	bool ok = read_answer(mcp, ask, wait, &body, err);
	http_stream_close(body.stream);
	arena_free(body.arena);
	return ok;
}

void mcp_http_end(struct mcp *mcp)
{
	if (mcp->http == NULL)
		return;
	if (mcp->session[0] != '\0' && mcp->connected) {
		auto_arena arena = arena_new(MCP_SCRATCH_BYTES);
		const struct mcp_ask ask = {.method = ""};
		struct http_reply answer = {0};
		struct err err = {0};
		struct http_request request = {.method = "DELETE",
			.path = mcp->path,
			.headers = headers_of(mcp, &ask, arena),
			.timeout_ms = FAREWELL_MS,
			.limit_bytes = MCP_MESSAGE_BYTES};
		/* a courtesy: whether it came through changes nothing */
		http_perform(mcp->http, &request, arena, &answer, &err);
	}
	http_close(mcp->http);
	mcp->http = NULL;
}
