#include "base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "play.h"

#include <fcntl.h>
#include <sys/stat.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define OK_BODY(n, text) "HTTP/1.1 200 OK\r\nContent-Length: " #n "\r\n\r\n" text

/* What one test needs: a playing server and a client of it. */
struct stage {
	struct play play;
	struct http *http;
	struct arena *arena;
	struct http_reply reply;
	struct err err;
	int stop_fd;
};

static void stage_open(struct stage *stage, const struct act *acts, size_t count)
{
	*stage = (struct stage){0};
	play_unix(&stage->play, acts, count);
	stage->stop_fd = eventfd(0, EFD_CLOEXEC);
	stage->arena = arena_new(32 << 20);
	struct http_config config = {.base_url = "http://localhost",
		.name = "docker test",
		.unix_socket = stage->play.path,
		.stop_fd = stage->stop_fd};
	stage->http = http_open(&config);
}

static void stage_close(struct stage *stage)
{
	http_close(stage->http);
	play_stop(&stage->play);
	arena_free(stage->arena);
	close(stage->stop_fd);
}

static bool ask(struct stage *stage, const char *method, int64_t timeout_ms, size_t limit)
{
	struct http_request request = {
		.method = method, .path = "/thing?x=1", .timeout_ms = timeout_ms, .limit_bytes = limit};
	stage->err = (struct err){0};
	return http_perform(stage->http, &request, stage->arena, &stage->reply, &stage->err);
}

#define assert_answered(stage, method) \
	do { \
		if (!ask((stage), (method), 0, 0)) \
			fail_msg("%s", (stage)->err.text); \
	} while (0)

static void assert_text(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static void assert_fails(struct stage *stage, enum err_kind kind, const char *part)
{
	assert_int_equal(stage->err.kind, kind);
	assert_text(stage->err.text, "docker test: GET /thing?x=1: ");
	assert_text(stage->err.text, part);
}

static void one_bad_reply(const char *bytes, size_t length, enum err_kind kind, const char *part)
{
	struct act act = {.bytes = bytes, .length = length};
	struct stage stage;
	stage_open(&stage, &act, 1);
	assert_false(ask(&stage, "GET", 2000, 4096));
	assert_fails(&stage, kind, part);
	stage_close(&stage);
}

static void reply_is_complete(void **state)
{
	const struct act act = {.bytes = "HTTP/1.1 503 Not Now\r\nContent-Type: text/plain\r\n"
									 "Retry-After: 17\r\nContent-Length: 5\r\n\r\nhello"};
	struct stage stage;
	stage_open(&stage, &act, 1);
	assert_answered(&stage, "GET");
	assert_int_equal(stage.reply.status, 503);
	assert_string_equal(stage.reply.body, "hello");
	assert_int_equal(stage.reply.body_bytes, 5);
	assert_string_equal(stage.reply.content_type, "text/plain");
	assert_string_equal(stage.reply.reason, "Not Now");
	assert_int_equal(stage.reply.retry_after_s, 17);
	assert_int_equal(stage.err.kind, ERR_NONE);
	assert_true(strncmp(stage.play.first, "GET /thing?x=1 HTTP/1.1\r\n", 25) == 0);
	assert_null(strstr(stage.play.first, "Expect"));
	stage_close(&stage);
}

static void post_sends_its_body_and_headers(void **state)
{
	const struct act act = {.bytes = OK_BODY(0, "")};
	struct stage stage;
	stage_open(&stage, &act, 1);
	static const char *const headers[] = {"X-Proof: yes", NULL};
	struct http_request request = {
		.method = "POST", .path = "/p", .body = "{\"a\":1}", .body_bytes = 7, .headers = headers};
	assert_true(http_perform(stage.http, &request, stage.arena, &stage.reply, &stage.err));
	assert_text(stage.play.first, "POST /p HTTP/1.1\r\n");
	assert_text(stage.play.first, "X-Proof: yes\r\n");
	assert_text(stage.play.first, "Content-Type: application/json\r\n");
	assert_text(stage.play.first, "Content-Length: 7\r\n");
	static const char *const forged[] = {"X-A: b\r\nX-C: d", NULL};
	request.headers = forged;
	assert_false(http_perform(stage.http, &request, stage.arena, &stage.reply, &stage.err));
	assert_int_equal(stage.err.kind, ERR_INPUT);
	stage_close(&stage);
}

static void connection_is_kept(void **state)
{
	const struct act act = {.bytes = OK_BODY(2, "ok"), .keep = true};
	struct stage stage;
	stage_open(&stage, &act, 1);
	for (int i = 0; i < 5; i++)
		assert_answered(&stage, i % 2 == 0 ? "GET" : "POST");
	assert_int_equal(atomic_load(&stage.play.connections), 1);
	stage_close(&stage);
}

static void dead_connection_is_renewed_for_get_and_not_for_post(void **state)
{
	const struct act acts[] = {
		{.bytes = OK_BODY(2, "ok"), .keep = true},
		{.bytes = ""}, /* reads the request and closes without a word */
		{.bytes = OK_BODY(2, "ok"), .keep = true},
		{.bytes = ""},
	};
	struct stage stage;
	stage_open(&stage, acts, COUNT(acts));
	assert_answered(&stage, "GET");
	assert_answered(&stage, "GET");
	assert_int_equal(atomic_load(&stage.play.requests), 3);
	assert_false(ask(&stage, "POST", 0, 0));
	assert_int_equal(stage.err.kind, ERR_RETRY);
	assert_text(stage.err.text, "not asked again");
	assert_false(stage.reply.unsent);
	assert_int_equal(atomic_load(&stage.play.requests), 4);
	stage_close(&stage);
}

static void bad_replies_are_errors_that_say_what(void **state)
{
	one_bad_reply("SSH-2.0-OpenSSH_9.2\r\n\r\n", 0, ERR_INPUT, "not proper HTTP");
	one_bad_reply("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 0, ERR_RETRY, "cut off");
	one_bad_reply("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nx", 0, ERR_INPUT,
		"larger than 4096 bytes");
	one_bad_reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx", 0, ERR_INPUT,
		"not proper HTTP");
	one_bad_reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 0, ERR_RETRY, "");
	one_bad_reply("\0\0\0\0\0\0\0\0\r\n\r\n", 12, ERR_INPUT, "not proper HTTP");
	one_bad_reply("", 0, ERR_RETRY, "without an answer");
}

static void endless_body_meets_the_limit(void **state)
{
	static char reply[4096];
	memset(reply, 'x', sizeof(reply));
	struct act act = {
		.head = "HTTP/1.1 200 OK\r\n\r\n", .bytes = reply, .length = sizeof(reply), .repeat = -1};
	struct stage stage;
	stage_open(&stage, &act, 1);
	assert_false(ask(&stage, "GET", 5000, 100000));
	assert_fails(&stage, ERR_INPUT, "larger than 100000 bytes");
	stage_close(&stage);
}

static void endless_headers_meet_the_limit(void **state)
{
	static char lines[2000];
	snprintf(lines, sizeof(lines), "X: %01900d\r\n", 0);
	struct act act = {.head = "HTTP/1.1 200 OK\r\n", .bytes = lines, .repeat = -1};
	struct stage stage;
	stage_open(&stage, &act, 1);
	assert_false(ask(&stage, "GET", 5000, 0));
	assert_fails(&stage, ERR_INPUT, "");
	stage_close(&stage);
}

static void endless_line_of_a_header_meets_the_limit(void **state)
{
	static char line[65536];
	memset(line, 'x', sizeof(line) - 1);
	struct act act = {
		.head = "HTTP/1.1 200 OK\r\nX: ", .bytes = line, .length = sizeof(line) - 1, .repeat = -1};
	struct stage stage;
	stage_open(&stage, &act, 1);
	assert_false(ask(&stage, "GET", 5000, 0));
	assert_fails(&stage, ERR_INPUT, "");
	stage_close(&stage);
}

static void slow_reply_meets_the_deadline(void **state)
{
	struct act act = {
		.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", .repeat = -1, .pause_ms = 20};
	struct stage stage;
	stage_open(&stage, &act, 1);
	int64_t start = play_now_ms();
	assert_false(ask(&stage, "GET", 250, 0));
	assert_in_range(play_now_ms() - start, 250, 2000);
	assert_int_equal(stage.err.kind, ERR_TIMEOUT);
	assert_text(stage.err.text, "no answer in 250 ms");
	assert_false(stage.reply.unsent);
	stage_close(&stage);
}

static void reply_larger_than_the_arena_is_an_error(void **state)
{
	struct act act = {.bytes = OK_BODY(10, "0123456789")};
	struct stage stage;
	stage_open(&stage, &act, 1);
	arena_free(stage.arena);
	stage.arena = arena_new(8);
	assert_false(ask(&stage, "GET", 0, 0));
	assert_fails(&stage, ERR_INPUT, "room");
	stage_close(&stage);
}

static void *stop_once_asked(void *arg)
{
	struct stage *stage = arg;
	while (atomic_load(&stage->play.requests) == 0)
		poll(NULL, 0, 1);
	eventfd_write(stage->stop_fd, 1);
	return NULL;
}

static void stop_cancels_in_the_middle(void **state)
{
	struct act act = {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", .hang = true};
	struct stage stage;
	stage_open(&stage, &act, 1);
	pthread_t thread;
	pthread_create(&thread, NULL, stop_once_asked, &stage);
	int64_t start = play_now_ms();
	assert_false(ask(&stage, "GET", 60000, 0));
	assert_in_range(play_now_ms() - start, 0, 5000);
	assert_fails(&stage, ERR_CANCELLED, "cancelled");
	pthread_join(thread, NULL);
	assert_false(ask(&stage, "GET", 60000, 0));
	assert_int_equal(stage.err.kind, ERR_CANCELLED);
	stage_close(&stage);
}

static void missing_socket_names_the_cure(void **state)
{
	struct act act = {.bytes = ""};
	struct stage stage;
	stage_open(&stage, &act, 1);
	char path[96];
	snprintf(path, sizeof(path), "%s/away", stage.play.folder);
	assert_int_equal(rename(stage.play.path, path), 0);
	assert_false(ask(&stage, "GET", 0, 0));
	assert_fails(&stage, ERR_RETRY, "no socket at ");
	assert_text(stage.err.text, "is docker running?");
	int fd = open(stage.play.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_false(ask(&stage, "GET", 0, 0));
	assert_fails(&stage, ERR_RETRY, "nobody listens on ");
	unlink(path);
	stage_close(&stage);
}

static void forbidden_socket_names_the_cure(void **state)
{
	if (geteuid() != 0)
		skip();
	struct act act = {.bytes = ""};
	struct stage stage;
	stage_open(&stage, &act, 1);
	assert_int_equal(seteuid(65534), 0);
	bool ok = ask(&stage, "GET", 0, 0);
	assert_int_equal(seteuid(0), 0);
	assert_false(ok);
	assert_fails(&stage, ERR_DENIED, "permission denied on ");
	assert_text(stage.err.text, "add its user to the group that owns it");
	stage_close(&stage);
}

static int dial_play(void *ctx, struct err *err)
{
	const struct play *play = ctx;
	if (play == NULL) {
		err_set(err, ERR_DENIED, "nobody to dial");
		return -1;
	}
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, play->path, sizeof(play->path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void dialled_connection_is_used(void **state)
{
	struct act act = {.bytes = OK_BODY(2, "ok"), .keep = true};
	struct stage stage;
	stage_open(&stage, &act, 1);
	http_close(stage.http);
	struct http_config config = {.base_url = "http://localhost",
		.name = "docker test",
		.dial = dial_play,
		.dial_ctx = &stage.play,
		.stop_fd = -1};
	stage.http = http_open(&config);
	assert_answered(&stage, "GET");
	assert_answered(&stage, "GET");
	assert_string_equal(stage.reply.body, "ok");
	assert_int_equal(atomic_load(&stage.play.connections), 1);
	http_close(stage.http);
	config.dial_ctx = NULL;
	stage.http = http_open(&config);
	assert_false(ask(&stage, "GET", 0, 0));
	assert_fails(&stage, ERR_DENIED, "nobody to dial");
	stage_close(&stage);
}

static void refused_port_is_an_error(void **state)
{
	struct act act = {.bytes = ""};
	struct play play;
	play_tcp(&play, NULL, &act, 1);
	play_stop(&play);
	char url[64];
	snprintf(url, sizeof(url), "http://user:word@127.0.0.1:%d", play.port);
	struct http_config config = {.base_url = url, .stop_fd = -1};
	struct http *http = http_open(&config);
	struct http_request request = {.method = "GET", .path = "/bot1:secret/x", .shown = "/bot…/x"};
	struct http_reply reply;
	struct err err = {0};
	auto_arena arena = arena_new(4096);
	assert_false(http_perform(http, &request, arena, &reply, &err));
	assert_int_equal(err.kind, ERR_RETRY);
	assert_text(err.text, "GET /bot…/x: connection refused");
	assert_null(strstr(err.text, "word"));
	assert_null(strstr(err.text, "secret"));
	assert_true(reply.unsent);
	http_close(http);
}

static void text_is_encoded(void **state)
{
	auto_arena arena = arena_new(4096);
	assert_string_equal(
		http_encode(arena, "a b/c?{\"ü\"}-._~"), "a%20b%2Fc%3F%7B%22%C3%BC%22%7D-._~");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_is_complete),
		cmocka_unit_test(post_sends_its_body_and_headers),
		cmocka_unit_test(connection_is_kept),
		cmocka_unit_test(dead_connection_is_renewed_for_get_and_not_for_post),
		cmocka_unit_test(bad_replies_are_errors_that_say_what),
		cmocka_unit_test(endless_body_meets_the_limit),
		cmocka_unit_test(endless_headers_meet_the_limit),
		cmocka_unit_test(endless_line_of_a_header_meets_the_limit),
		cmocka_unit_test(slow_reply_meets_the_deadline),
		cmocka_unit_test(reply_larger_than_the_arena_is_an_error),
		cmocka_unit_test(stop_cancels_in_the_middle),
		cmocka_unit_test(missing_socket_names_the_cure),
		cmocka_unit_test(forbidden_socket_names_the_cure),
		cmocka_unit_test(dialled_connection_is_used),
		cmocka_unit_test(refused_port_is_an_error),
		cmocka_unit_test(text_is_encoded),
	};
	http_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
