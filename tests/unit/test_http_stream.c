#include "base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "play.h"

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

struct stage {
	struct play play;
	struct http *http;
	struct http_stream *stream;
	struct err err;
	int stop_fd;
	const char *line;
	size_t length;
};

static bool stage_open(struct stage *stage, const struct act *acts, size_t count)
{
	static const struct http_request request = {
		.method = "GET", .path = "/events", .timeout_ms = 5000};
	*stage = (struct stage){0};
	play_unix(&stage->play, acts, count);
	stage->stop_fd = eventfd(0, EFD_CLOEXEC);
	struct http_config config = {.base_url = "http://localhost",
		.name = "docker test",
		.unix_socket = stage->play.path,
		.stop_fd = stage->stop_fd};
	stage->http = http_open(&config);
	stage->stream = http_stream_open(stage->http, &request, &stage->err);
	return stage->stream != NULL;
}

static void stage_close(struct stage *stage)
{
	http_stream_close(stage->stream);
	http_close(stage->http);
	play_stop(&stage->play);
	close(stage->stop_fd);
}

static enum http_next next(struct stage *stage, int64_t timeout_ms)
{
	stage->err = (struct err){0};
	return http_stream_next(stage->stream, &stage->line, &stage->length, timeout_ms, &stage->err);
}

static void assert_line(struct stage *stage, const char *text)
{
	assert_int_equal(next(stage, 5000), HTTP_LINE);
	assert_int_equal(stage->length, strlen(text));
	assert_memory_equal(stage->line, text, strlen(text));
}

static void assert_text(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static void lines_come_whole_however_they_are_cut(void **state)
{
	const struct act act = {.bytes = CHUNKED "3\r\none\r\n"
											 "3\r\n\ntw\r\n"
											 "4\r\no\n\nx\r\n"
											 "1\r\n\n\r\n"
											 "4\r\nlast\r\n0\r\n\r\n"};
	struct stage stage;
	assert_true(stage_open(&stage, &act, 1));
	assert_line(&stage, "one");
	assert_line(&stage, "two");
	assert_line(&stage, "");
	assert_line(&stage, "x");
	assert_line(&stage, "last");
	assert_int_equal(next(&stage, 1000), HTTP_END);
	assert_int_equal(next(&stage, 1000), HTTP_END);
	stage_close(&stage);
}

static void silence_is_idle_at_the_right_time(void **state)
{
	const struct act act = {.bytes = CHUNKED "4\r\none\n\r\n", .hang = true};
	struct stage stage;
	assert_true(stage_open(&stage, &act, 1));
	assert_line(&stage, "one");
	int64_t start = play_now_ms();
	assert_int_equal(next(&stage, 120), HTTP_IDLE);
	assert_in_range(play_now_ms() - start, 119, 2000);
	assert_int_equal(next(&stage, 0), HTTP_IDLE);
	stage_close(&stage);
}

static void broken_stream_is_an_error_after_its_lines(void **state)
{
	const struct act act = {.bytes = CHUNKED "8\r\none\ntwo\n\r\n4\r\nhal"};
	struct stage stage;
	assert_true(stage_open(&stage, &act, 1));
	assert_line(&stage, "one");
	assert_line(&stage, "two");
	assert_int_equal(next(&stage, 5000), HTTP_ERROR);
	assert_int_equal(stage.err.kind, ERR_RETRY);
	assert_text(stage.err.text, "docker test: GET /events: ");
	assert_int_equal(next(&stage, 5000), HTTP_ERROR);
	assert_int_equal(stage.err.kind, ERR_RETRY);
	stage_close(&stage);
}

static void refusal_carries_the_reason(void **state)
{
	const struct act act = {.bytes = "HTTP/1.1 400 Bad Request\r\nContent-Length: 19\r\n\r\n"
									 "{\"message\":\"no\"}\r\n "};
	struct stage stage;
	assert_false(stage_open(&stage, &act, 1));
	assert_int_equal(stage.err.kind, ERR_RETRY);
	assert_text(stage.err.text,
		"docker test: GET /events: the answer is 400 Bad Request: "
		"{\"message\":\"no\"}");
	stage_close(&stage);
}

static void headers_that_do_not_come_meet_the_deadline(void **state)
{
	static const struct http_request request = {
		.method = "GET", .path = "/events", .timeout_ms = 100};
	const struct act acts[] = {
		{.bytes = CHUNKED, .hang = true}, {.bytes = "HTTP/1.1", .hang = true}};
	struct stage stage;
	assert_true(stage_open(&stage, acts, 2));
	struct err err = {0};
	assert_null(http_stream_open(stage.http, &request, &err));
	assert_int_equal(err.kind, ERR_TIMEOUT);
	stage_close(&stage);
}

static void line_without_end_meets_the_limit(void **state)
{
	static char bytes[65536];
	memset(bytes, 'x', sizeof(bytes));
	const struct act act = {
		.head = "HTTP/1.1 200 OK\r\n\r\n", .bytes = bytes, .length = sizeof(bytes), .repeat = -1};
	struct stage stage;
	assert_true(stage_open(&stage, &act, 1));
	assert_int_equal(next(&stage, 20000), HTTP_ERROR);
	assert_int_equal(stage.err.kind, ERR_INPUT);
	assert_text(stage.err.text, "a line of the answer is larger");
	assert_int_equal(next(&stage, 1000), HTTP_ERROR);
	stage_close(&stage);
}

/* More than is ever buffered, to a reader that comes late. */
static void flood_is_held_back_and_nothing_is_lost(void **state)
{
	enum { LINES = 400000 };
	size_t size = 64 + LINES * 8;
	char *bytes = malloc(size);
	size_t length = (size_t)snprintf(bytes, size, "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i < LINES; i++)
		length += (size_t)snprintf(bytes + length, size - length, "%07d\n", i);
	const struct act act = {.bytes = bytes, .length = length};
	struct stage stage;
	assert_true(stage_open(&stage, &act, 1));
	for (int i = 0; i < LINES; i++) {
		char expected[16];
		if (i % 1000 == 0)
			poll(NULL, 0, 1);
		assert_int_equal(next(&stage, 5000), HTTP_LINE);
		snprintf(expected, sizeof(expected), "%07d", i);
		assert_int_equal(stage.length, 7);
		assert_memory_equal(stage.line, expected, 7);
	}
	assert_int_equal(next(&stage, 5000), HTTP_END);
	stage_close(&stage);
	free(bytes);
}

static void exchange_is_possible_while_a_stream_is_open(void **state)
{
	const struct act acts[] = {
		{.bytes = CHUNKED "4\r\none\n\r\n", .repeat = 0, .hang = true},
		{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", .keep = true},
	};
	struct stage stage;
	struct http_request request = {.method = "GET", .path = "/x"};
	struct http_reply reply;
	auto_arena arena = arena_new(4096);
	assert_true(stage_open(&stage, acts, 2));
	assert_true(http_perform(stage.http, &request, arena, &reply, &stage.err));
	assert_string_equal(reply.body, "ok");
	assert_line(&stage, "one");
	assert_true(http_perform(stage.http, &request, arena, &reply, &stage.err));
	assert_int_equal(next(&stage, 0), HTTP_IDLE);
	stage_close(&stage);
}

static void *stop_soon(void *arg)
{
	const struct stage *stage = arg;
	poll(NULL, 0, 50);
	eventfd_write(stage->stop_fd, 1);
	return NULL;
}

static void stop_cancels_a_waiting_stream(void **state)
{
	const struct act act = {.bytes = CHUNKED, .hang = true};
	struct stage stage;
	pthread_t thread;
	assert_true(stage_open(&stage, &act, 1));
	pthread_create(&thread, NULL, stop_soon, &stage);
	int64_t start = play_now_ms();
	assert_int_equal(next(&stage, 60000), HTTP_ERROR);
	assert_int_equal(stage.err.kind, ERR_CANCELLED);
	assert_in_range(play_now_ms() - start, 0, 5000);
	pthread_join(thread, NULL);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_whole_however_they_are_cut),
		cmocka_unit_test(silence_is_idle_at_the_right_time),
		cmocka_unit_test(broken_stream_is_an_error_after_its_lines),
		cmocka_unit_test(refusal_carries_the_reason),
		cmocka_unit_test(headers_that_do_not_come_meet_the_deadline),
		cmocka_unit_test(line_without_end_meets_the_limit),
		cmocka_unit_test(flood_is_held_back_and_nothing_is_lost),
		cmocka_unit_test(exchange_is_possible_while_a_stream_is_open),
		cmocka_unit_test(stop_cancels_a_waiting_stream),
	};
	http_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
