#include "base/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/http.h"

struct stage {
	char folder[64], path[96];
	struct server *server;
	struct http *http;
	struct arena *arena;
	struct err err;
	atomic_int streams, stream_ends;
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

/* Writes ten lines, then waits for the stop, as a follower of events would. */
static void stream(void *ctx, server_write_fn *write, void *sink, int stop_fd)
{
	struct stage *stage = ctx;
	char line[32];
	bool ok = true;
	for (int i = 0; i < 10 && ok; i++) {
		snprintf(line, sizeof(line), "line %d\n", i);
		ok = write(sink, line, strlen(line));
	}
	atomic_fetch_add(&stage->streams, 1);
	struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
	while (ok && poll(&stop, 1, 10) == 0)
		ok = write(sink, "tick\n", 5);
	atomic_fetch_add(&stage->stream_ends, 1);
}

static void answer(void *ctx, const struct server_request *request, struct server_reply *reply)
{
	const char *query = server_query(request, "q"), *header = server_header(request, "x-test");
	if (strcmp(request->path, "/stream") == 0) {
		reply->stream = stream;
		reply->stream_ctx = ctx;
		reply->content_type = "text/event-stream";
		return;
	}
	reply->status = strcmp(request->path, "/teapot") == 0 ? 418 : 200;
	reply->content_type = "text/plain";
	reply->location = strcmp(request->path, "/away") == 0 ? "/there" : NULL;
	reply->body = arena_printf(request->arena,
		"%s %s q=%s x=%s body=%zu:%.20s unix=%d uid=%u loop=%d", request->method, request->path,
		query != NULL ? query : "-", header != NULL ? header : "-", request->body_bytes,
		request->body, request->is_unix, request->peer_uid, request->peer_is_loopback);
	reply->body_bytes = strlen(reply->body);
}

static void stage_open(struct stage *stage, const char *listen)
{
	memset(stage, 0, sizeof(*stage));
	stage->arena = arena_new(64 << 20);
	snprintf(stage->folder, sizeof(stage->folder), "/tmp/homeostat-server-XXXXXX");
	assert_non_null(mkdtemp(stage->folder));
	snprintf(stage->path, sizeof(stage->path), "%s/control", stage->folder);
	struct server_config config = {.listen = listen,
		.socket_mode = 0600,
		.handler = answer,
		.ctx = stage,
		.unix_socket = listen == NULL ? stage->path : NULL};
	stage->server = server_start(&config, &stage->err);
	if (stage->server == NULL)
		fail_msg("%s", stage->err.text);
	char url[64] = "http://localhost";
	if (listen != NULL)
		snprintf(url, sizeof(url), "http://%s:%d", listen[0] == '[' ? "[::1]" : "127.0.0.1",
			server_port(stage->server));
	struct http_config http = {
		.base_url = url, .unix_socket = config.unix_socket, .stop_fd = -1, .name = "server test"};
	stage->http = http_open(&http);
}

static void stage_close(struct stage *stage)
{
	http_close(stage->http);
	server_stop(stage->server);
	arena_free(stage->arena);
	assert_int_equal(access(stage->path, F_OK), -1);
	assert_int_equal(rmdir(stage->folder), 0);
}

static struct http_reply ask(struct stage *stage, const struct http_request *request)
{
	struct http_reply reply = {0};
	if (!http_perform(stage->http, request, stage->arena, &reply, &stage->err))
		fail_msg("%s", stage->err.text);
	return reply;
}

static void request_reaches_the_handler_over_the_unix_socket(void **state)
{
	struct stage stage;
	char expected[200];
	static const char *const headers[] = {"X-Test: yes", NULL};
	stage_open(&stage, NULL);
	struct http_request request = {.method = "POST",
		.path = "/a%20b?q=1%262",
		.body = "hello",
		.body_bytes = 5,
		.headers = headers};
	snprintf(expected, sizeof(expected), "POST /a b q=1&2 x=yes body=5:hello unix=1 uid=%u loop=0",
		getuid());
	for (int i = 0; i < 3; i++) {
		struct http_reply reply = ask(&stage, &request);
		assert_int_equal(reply.status, 200);
		assert_string_equal(reply.body, expected);
		assert_string_equal(reply.content_type, "text/plain");
	}
	struct http_request teapot = {.method = "GET", .path = "/teapot"};
	assert_int_equal(ask(&stage, &teapot).status, 418);
	stage_close(&stage);
}

static void request_reaches_the_handler_over_tcp(void **state)
{
	struct stage stage;
	struct http_request request = {.method = "GET", .path = "/x"};
	stage_open(&stage, "127.0.0.1:0");
	assert_string_equal(
		ask(&stage, &request).body, "GET /x q=- x=- body=0: unix=0 uid=4294967295 loop=1");
	stage_close(&stage);
}

static void socket_has_its_mode_from_birth(void **state)
{
	struct stage stage;
	struct stat st;
	stage_open(&stage, NULL);
	assert_int_equal(lstat(stage.path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	stage_close(&stage);
}

static void stale_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	struct stage stage;
	struct err err = {0};
	stage_open(&stage, NULL);
	struct server_config config = {
		.unix_socket = stage.path, .socket_mode = 0660, .handler = answer, .ctx = &stage};
	assert_null(server_start(&config, &err));
	assert_non_null(strstr(err.text, "is in use: another homeostat is running"));
	struct http_request request = {.method = "GET", .path = "/x"};
	assert_int_equal(ask(&stage, &request).status, 200);
	char path[112];
	snprintf(path, sizeof(path), "%s/stale", stage.folder);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	config.unix_socket = path;
	struct server *second = server_start(&config, &err);
	assert_non_null(second);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	server_stop(second);
	assert_int_equal(access(path, F_OK), -1);
	stage_close(&stage);
}

static void what_is_no_socket_is_left_alone(void **state)
{
	struct stage stage;
	struct err err = {0};
	char path[112];
	stage_open(&stage, NULL);
	snprintf(path, sizeof(path), "%s/file", stage.folder);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	struct server_config config = {.unix_socket = path, .socket_mode = 0600, .handler = answer};
	assert_null(server_start(&config, &err));
	assert_non_null(strstr(err.text, "is no socket"));
	assert_int_equal(unlink(path), 0);
	stage_close(&stage);
}

static void bad_and_taken_addresses_are_errors(void **state)
{
	static const char *const bad[] = {"", "9095", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
		"127.0.0.1:70000", "::1:80", "[::1:80", "no.such.name:80", "1.2.3:4:5"};
	struct server_config config = {.handler = answer};
	struct err err = {0};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		config.listen = bad[i];
		assert_null(server_start(&config, &err));
		assert_int_equal(err.kind, ERR_INPUT);
	}
	struct stage stage;
	char taken[32];
	stage_open(&stage, "127.0.0.1:0");
	snprintf(taken, sizeof(taken), "127.0.0.1:%d", server_port(stage.server));
	config.listen = taken;
	assert_null(server_start(&config, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, "another program has this port"));
	stage_close(&stage);
}

static void body_above_the_limit_is_refused(void **state)
{
	struct stage stage;
	stage_open(&stage, NULL);
	enum { SIZE = 1024 * 1024 };
	char *body = calloc(1, SIZE + 1);
	memset(body, 'x', SIZE + 1);
	struct http_request request = {
		.method = "POST", .path = "/x", .body = body, .body_bytes = SIZE};
	struct http_reply reply = ask(&stage, &request);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.body, "body=1048576:xxxx"));
	request.body_bytes = SIZE + 1;
	struct http_reply refused = {0};
	/* the reply may be overtaken by the end of the connection while we still send */
	if (http_perform(stage.http, &request, stage.arena, &refused, &stage.err))
		assert_int_equal(refused.status, 413);
	request.body_bytes = 5;
	assert_int_equal(ask(&stage, &request).status, 200);
	free(body);
	stage_close(&stage);
}

static void headers_above_the_limit_are_refused(void **state)
{
	struct stage stage;
	stage_open(&stage, NULL);
	char header[32000] = "X-Test: ";
	memset(header + 8, 'x', sizeof(header) - 9);
	header[sizeof(header) - 1] = '\0';
	const char *const headers[] = {header, NULL};
	struct http_request request = {.method = "GET", .path = "/x", .headers = headers};
	assert_int_equal(ask(&stage, &request).status, 431);
	header[14000] = '\0';
	assert_int_equal(ask(&stage, &request).status, 200);
	stage_close(&stage);
}

static struct http_stream *open_stream(struct stage *stage)
{
	struct http_request request = {.method = "GET", .path = "/stream"};
	struct http_stream *opened = http_stream_open(stage->http, &request, &stage->err);
	if (opened == NULL)
		fail_msg("%s", stage->err.text);
	return opened;
}

static void stream_arrives_at_once_and_stop_ends_it(void **state)
{
	struct stage stage;
	const char *line;
	size_t length;
	stage_open(&stage, NULL);
	struct http_stream *streams[3];
	for (int i = 0; i < 3; i++)
		streams[i] = open_stream(&stage);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 10; j++) {
			char expected[32];
			snprintf(expected, sizeof(expected), "line %d", j);
			assert_int_equal(
				http_stream_next(streams[i], &line, &length, 5000, &stage.err), HTTP_LINE);
			assert_int_equal(length, strlen(expected));
			assert_memory_equal(line, expected, length);
		}
	int64_t start = now_ms();
	server_stop(stage.server);
	assert_in_range(now_ms() - start, 0, 3000);
	assert_int_equal(atomic_load(&stage.stream_ends), 3);
	stage.server = NULL;
	for (int i = 0; i < 3; i++)
		http_stream_close(streams[i]);
	stage_close(&stage);
}

static void stream_ends_when_its_reader_is_gone(void **state)
{
	struct stage stage;
	stage_open(&stage, NULL);
	http_stream_close(open_stream(&stage));
	for (int i = 0; i < 500 && atomic_load(&stage.stream_ends) == 0; i++)
		poll(NULL, 0, 10);
	assert_int_equal(atomic_load(&stage.stream_ends), 1);
	stage_close(&stage);
}

static void reader_that_does_not_read_cannot_hold_up_the_stop(void **state)
{
	struct stage stage;
	stage_open(&stage, NULL);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, stage.path, sizeof(stage.path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int silent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int small = 1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(connect(silent, (struct sockaddr *)&address, sizeof(address)), 0);
	static const char text[] = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
	assert_int_equal(send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL), sizeof(text) - 1);
	for (int i = 0; i < 500 && atomic_load(&stage.streams) == 0; i++)
		poll(NULL, 0, 10);
	int64_t start = now_ms();
	server_stop(stage.server);
	stage.server = NULL;
	assert_in_range(now_ms() - start, 0, 3000);
	close(fd);
	close(silent);
	stage_close(&stage);
}

static void *ask_often(void *arg)
{
	const char *path = arg;
	struct http_config config = {
		.base_url = "http://localhost", .unix_socket = path, .stop_fd = -1};
	struct http_request request = {.method = "GET", .path = "/x"};
	struct http *http = http_open(&config);
	intptr_t good = 0;
	for (int i = 0; i < 50; i++) {
		auto_arena arena = arena_new(8192);
		struct http_reply reply;
		struct err err;
		good += http_perform(http, &request, arena, &reply, &err) && reply.status == 200;
	}
	http_close(http);
	return (void *)good;
}

static void many_clients_are_served_at_once(void **state)
{
	struct stage stage;
	pthread_t threads[16];
	stage_open(&stage, NULL);
	for (int i = 0; i < 16; i++)
		pthread_create(&threads[i], NULL, ask_often, stage.path);
	for (int i = 0; i < 16; i++) {
		void *good;
		pthread_join(threads[i], &good);
		assert_int_equal((intptr_t)good, 50);
	}
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_reaches_the_handler_over_the_unix_socket),
		cmocka_unit_test(request_reaches_the_handler_over_tcp),
		cmocka_unit_test(socket_has_its_mode_from_birth),
		cmocka_unit_test(stale_socket_is_replaced_and_a_live_one_is_not),
		cmocka_unit_test(what_is_no_socket_is_left_alone),
		cmocka_unit_test(bad_and_taken_addresses_are_errors),
		cmocka_unit_test(body_above_the_limit_is_refused),
		cmocka_unit_test(headers_above_the_limit_are_refused),
		cmocka_unit_test(stream_arrives_at_once_and_stop_ends_it),
		cmocka_unit_test(stream_ends_when_its_reader_is_gone),
		cmocka_unit_test(reader_that_does_not_read_cannot_hold_up_the_stop),
		cmocka_unit_test(many_clients_are_served_at_once),
	};
	http_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
