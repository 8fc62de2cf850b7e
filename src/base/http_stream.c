/* Streaming answers: a wire of its own, from which lines are pulled. */
#include "base/http_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define LINE_LIMIT_BYTES ((size_t)1024 * 1024)
/* With this much unread, the network waits until it was read. */
#define PAUSE_BYTES ((size_t)64 * 1024)
#define FIRST_BYTES ((size_t)1024)

struct http_stream {
	struct http_wire wire;
	char *buffer; /* unread bytes are [start, end); those before scanned hold no line's end */
	size_t start, end, cap, scanned;
	bool paused, ended, failed;
	struct err failure;
};

static bool has_line(const struct http_stream *stream)
{
	return stream->end > stream->start &&
		memchr(stream->buffer + stream->start, '\n', stream->end - stream->start) != NULL;
}

static void make_room(struct http_stream *stream, size_t length)
{
	if (stream->start > 0) {
		memmove(stream->buffer, stream->buffer + stream->start, stream->end - stream->start);
		stream->end -= stream->start;
		stream->scanned -= stream->start < stream->scanned ? stream->start : stream->scanned;
		stream->start = 0;
	}
	size_t need = stream->end + length + 1;
	if (need <= stream->cap)
		return;
	size_t cap = stream->cap < FIRST_BYTES ? FIRST_BYTES : stream->cap * 2;
	cap = cap < need ? need : cap;
	char *grown = realloc(stream->buffer, cap);
	if (grown == NULL)
		abort();
	stream->buffer = grown;
	stream->cap = cap;
}

static size_t take_some(struct http_stream *stream, const char *bytes, size_t length)
{
	size_t unread = stream->end - stream->start;
	if (unread > PAUSE_BYTES && has_line(stream)) {
		stream->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (unread + length > LINE_LIMIT_BYTES + PAUSE_BYTES) {
		err_set(&stream->wire.why, ERR_INPUT, "a line of the answer is larger than %zu bytes",
			LINE_LIMIT_BYTES);
		return 0;
	}
	make_room(stream, length);
	memcpy(stream->buffer + stream->end, bytes, length);
	stream->end += length;
	return length;
}

static size_t write_some(char *bytes, size_t size, size_t count, void *ctx)
{
	return take_some(ctx, bytes, size * count);
}

static void step(struct http_stream *stream)
{
	if (stream->paused) {
		stream->paused = false;
		curl_easy_pause(stream->wire.easy, CURLPAUSE_CONT);
	}
	enum http_step result = http_wire_step(&stream->wire, &stream->failure);
	stream->failed = result == HTTP_STEP_FAILED;
	stream->ended = result == HTTP_STEP_DONE;
}

static void lose_line_end(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20)
			*text = ' ';
}

/* Waits for the headers; where the status is not a good one, for what the body says about it. */
static bool wait_for_headers(struct http_stream *stream, struct err *err)
{
	struct http_wire *wire = &stream->wire;
	int64_t deadline = http_now_ms() + wire->timeout_ms;
	long status = 0;
	for (;;) {
		step(stream);
		if (wire->headers_done || stream->ended)
			curl_easy_getinfo(wire->easy, CURLINFO_RESPONSE_CODE, &status);
		/* what came before a failure is still read, so that the failure waits for its turn */
		if (status >= 200 && (status < 300 || wire->any_status))
			return true;
		if (stream->failed) {
			*err = stream->failure;
			return false;
		}
		if (stream->ended || stream->end - stream->start > 1024)
			break;
		if (http_now_ms() >= deadline && status != 0)
			break;
		if (http_now_ms() >= deadline)
			return http_wire_timeout(wire, err);
		if (!http_wire_wait(wire, deadline, err))
			return false;
	}
	char body[240] = "";
	if (stream->end > stream->start) {
		make_room(stream, 1);
		stream->buffer[stream->end] = '\0';
		STR_SET(body, stream->buffer);
		lose_line_end(body);
	}
	err_set(err, ERR_RETRY, "the answer is %ld %s: %s", status, wire->reason, body);
	return http_error_prefix(wire, err);
}

struct http_stream *http_stream_open(
	struct http *http, const struct http_request *request, struct err *err)
{
	struct http_stream *stream = calloc(1, sizeof(*stream));
	if (stream == NULL)
		abort();
	http_wire_init(&stream->wire, http);
	curl_easy_setopt(stream->wire.easy, CURLOPT_WRITEFUNCTION, write_some);
	curl_easy_setopt(stream->wire.easy, CURLOPT_WRITEDATA, stream);
	if (http_wire_begin(&stream->wire, request, NULL, NULL, err) && wait_for_headers(stream, err))
		return stream;
	http_stream_close(stream);
	return NULL;
}

/* Takes one line out of the buffer; at the end of the answer also a last one without an end. */
static bool next_line(struct http_stream *stream, const char **line, size_t *length)
{
	if (stream->buffer == NULL)
		return false;
	if (stream->scanned < stream->start)
		stream->scanned = stream->start;
	char *from = stream->buffer + stream->start;
	char *end = memchr(stream->buffer + stream->scanned, '\n', stream->end - stream->scanned);
	stream->scanned = stream->end;
	if (end == NULL && (!stream->ended || stream->start == stream->end))
		return false;
	size_t count = end != NULL ? (size_t)(end - from) : stream->end - stream->start;
	stream->start += count + (end != NULL ? 1 : 0);
	stream->scanned = stream->start;
	while (count > 0 && from[count - 1] == '\r')
		count--;
	*line = from;
	*length = count;
	return true;
}

/* An empty buffer that has once been large is not kept for hours of silence. */
static void give_back(struct http_stream *stream)
{
	if (stream->start != stream->end || stream->cap <= PAUSE_BYTES)
		return;
	free(stream->buffer);
	stream->buffer = NULL;
	stream->start = stream->end = stream->cap = stream->scanned = 0;
}

static enum http_next fail(struct http_stream *stream, struct err *err)
{
	if (err != NULL)
		*err = stream->failure;
	stream->failed = true;
	return HTTP_ERROR;
}

static enum http_next line_too_long(struct http_stream *stream, struct err *err)
{
	err_set(&stream->failure, ERR_INPUT, "a line of the answer is larger than %zu bytes",
		LINE_LIMIT_BYTES);
	http_error_prefix(&stream->wire, &stream->failure);
	stream->start = stream->end;
	return fail(stream, err);
}

enum http_next http_stream_next(struct http_stream *stream, const char **line, size_t *length,
	int64_t timeout_ms, struct err *err)
{
	int64_t deadline = http_now_ms() + (timeout_ms > 0 ? timeout_ms : 0);
	for (;;) {
		/* what came before a failure is still read */
		if (next_line(stream, line, length))
			return *length <= LINE_LIMIT_BYTES ? HTTP_LINE : line_too_long(stream, err);
		if (stream->failed)
			return fail(stream, err);
		if (stream->ended)
			return HTTP_END;
		give_back(stream);
		step(stream);
		if (stream->failed || stream->ended || has_line(stream))
			continue;
		if (http_now_ms() >= deadline)
			return HTTP_IDLE;
		if (!http_wire_wait(&stream->wire, deadline, &stream->failure))
			return fail(stream, err);
	}
}

int http_stream_status(const struct http_stream *stream)
{
	long status = 0;
	curl_easy_getinfo(stream->wire.easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

const char *http_stream_type(const struct http_stream *stream)
{
	const char *type = NULL;
	curl_easy_getinfo(stream->wire.easy, CURLINFO_CONTENT_TYPE, &type);
	return type != NULL ? type : "";
}

const char *http_stream_kept(const struct http_stream *stream)
{
	return stream->wire.noted;
}

void http_stream_close(struct http_stream *stream)
{
	if (stream == NULL)
		return;
	http_wire_done(&stream->wire);
	free(stream->buffer);
	free(stream);
}
