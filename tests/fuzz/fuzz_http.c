/* An HTTP reply, as anything: played over a dialled socket to one exchange or, by the first byte,
 * to a stream. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reply {
	const uint8_t *data;
	size_t size;
	int peer;
};

/* The socket holds the whole reply before it is asked for, so that no thread is needed. */
static int dial(void *ctx, struct err *err)
{
	struct reply *reply = ctx;
	int pair[2];
	if (reply->peer >= 0)
		close(reply->peer);
	reply->peer = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		err_set(err, ERR_SYSTEM, "socketpair");
		return -1;
	}
	ssize_t sent = send(pair[1], reply->data, reply->size, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)sent; /* what does not fit is cut: also a reply */
	shutdown(pair[1], SHUT_WR);
	reply->peer = pair[1];
	return pair[0];
}

static void check(bool ok, const struct err *err)
{
	if (!ok && (err->kind == ERR_NONE || err->text[0] == '\0'))
		abort();
}

static void exchange(struct http *http, const struct http_request *request)
{
	struct err err = {0};
	struct http_reply reply;
	struct arena *arena = arena_new(1 << 20);
	bool ok = http_perform(http, request, arena, &reply, &err);
	check(ok, &err);
	if (ok && (reply.body[reply.body_bytes] != '\0' || reply.body_bytes > request->limit_bytes))
		abort();
	arena_free(arena);
}

static void stream(struct http *http, const struct http_request *request)
{
	struct err err = {0};
	const char *line;
	size_t length;
	struct http_stream *stream = http_stream_open(http, request, &err);
	check(stream != NULL, &err);
	enum http_next next = stream != NULL ? HTTP_LINE : HTTP_END;
	for (int i = 0; next != HTTP_END && next != HTTP_ERROR && i < 100000; i++) {
		next = http_stream_next(stream, &line, &length, 100, &err);
		if (next == HTTP_LINE && memchr(line, '\n', length) != NULL)
			abort();
	}
	check(next != HTTP_ERROR, &err);
	http_stream_close(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	if (!ready)
		http_global_init();
	ready = true;
	if (size == 0)
		return 0;
	struct reply reply = {.data = data + 1, .size = size - 1, .peer = -1};
	const struct http_config config = {.base_url = "http://localhost",
		.dial = dial,
		.dial_ctx = &reply,
		.stop_fd = -1,
		.name = "fuzz"};
	const struct http_request request = {.method = (data[0] & 2) != 0 ? "POST" : "GET",
		.path = "/x",
		.timeout_ms = 200,
		.limit_bytes = 65536};
	struct http *http = http_open(&config);
	if ((data[0] & 1) != 0)
		stream(http, &request);
	else
		exchange(http, &request);
	http_close(http);
	if (reply.peer >= 0)
		close(reply.peer);
	return 0;
}
