/* The MCP client over streamable HTTP, against a server of both eras that is as strict as real
 * ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/http.h"
#include "base/json.h"
#include "base/server.h"
#include "base/str.h"
#include "client/mcp.h"

#define TIMEOUT_MS 8000
#define SHORT_MS 600

enum scenario {
	MODERN,
	LEGACY,
	EVENTS,
	BROKEN,
	TOKEN,
	REDIRECT,
	PAGE,
	REFUSES_ONCE,
	SILENT,
	LOST,
	NOTHING,
};

/* Written by the test before a request, and by the server's threads by atomics. */
static struct {
	enum scenario scenario;
	atomic_int lists, calls, discovers, initializes, deletes, answers, offences;
	atomic_bool lost, released;
	char offence[128], param[128];
	struct server *server;
	char url[64];
} peer;

static struct err err;
static struct arena *arena;

static void offended(const char *why)
{
	if (atomic_fetch_add(&peer.offences, 1) == 0)
		STR_SET(peer.offence, why);
}

static void give(struct server_reply *reply, int status, const char *body)
{
	*reply = (struct server_reply){.status = status,
		.content_type = "application/json",
		.body = body,
		.body_bytes = body != NULL ? strlen(body) : 0};
}

static void result(const struct server_request *request, struct server_reply *reply,
	struct json message, const char *value)
{
	give(reply, 200,
		arena_printf(request->arena, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}",
			(long long)json_int(json_get(message, "id"), -1), value));
}

static void check_modern(
	const struct server_request *request, struct json message, const char *method)
{
	char version[24], name[64];
	const char *header = server_header(request, "MCP-Protocol-Version");
	struct json params = json_get(message, "params"), meta = json_get(params, "_meta");
	json_copy(json_get(meta, "io.modelcontextprotocol/protocolVersion"), version, sizeof(version));
	if (!str_equal(header, version))
		offended("MCP-Protocol-Version");
	if (!str_equal(server_header(request, "Mcp-Method"), method))
		offended("Mcp-Method");
	if (json_copy(json_get(params, "name"), name, sizeof(name)) &&
		!str_equal(server_header(request, "Mcp-Name"), name))
		offended("Mcp-Name");
	if (json_kind(json_get(meta, "io.modelcontextprotocol/clientCapabilities")) != JSON_OBJECT)
		offended("clientCapabilities");
	if (server_header(request, "Mcp-Session-Id") != NULL)
		offended("a session in the newer era");
	const char *param = server_header(request, "Mcp-Param-Where");
	if (param != NULL)
		STR_SET(peer.param, param);
}

static void check_legacy(const struct server_request *request, const char *method)
{
	const char *session = server_header(request, "Mcp-Session-Id");
	if (strcmp(method, "initialize") != 0 && !str_equal(session, "s-1") &&
		!str_equal(session, "s-2"))
		offended("Mcp-Session-Id");
	if (strcmp(method, "initialize") != 0 &&
		!str_equal(server_header(request, "MCP-Protocol-Version"), "2025-06-18"))
		offended("the negotiated version");
}

static void discover(
	const struct server_request *request, struct server_reply *reply, struct json message)
{
	bool modern = peer.scenario == MODERN || peer.scenario == BROKEN ||
		peer.scenario == REFUSES_ONCE;
	int times = atomic_fetch_add(&peer.discovers, 1);
	if (peer.scenario == REFUSES_ONCE && times == 0)
		give(reply, 400,
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32022,\"message\":\"no\",\"data\":"
			"{\"supported\":[\"2026-07-28\"]}}}");
	else if (peer.scenario == NOTHING)
		give(reply, 404, "");
	else if (modern)
		result(request, reply, message, "{\"supportedVersions\":[\"2026-07-28\"]}");
	else
		give(reply, 400,
			"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"Bad Request: Server not "
			"initialized\"},\"id\":null}");
}

static void initialize(
	const struct server_request *request, struct server_reply *reply, struct json message)
{
	int times = atomic_fetch_add(&peer.initializes, 1);
	result(request, reply, message,
		"{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},\"serverInfo\":{\"name\":\"p\","
		"\"version\":\"1\"}}");
	reply->header = "mcp-session-id";
	reply->header_value = times == 0 ? "s-1" : "s-2";
}

/* Priming event, news, a question, then the reply; the stream is not ended by us. */
static void stream_events(void *ctx, server_write_fn *write, void *sink, int stop_fd)
{
	const char *reply = ctx;
	static const char before[] =
		"id: 1\ndata: \n\n: a comment\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":"
		"\"notifications/tools/list_changed\"}\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":5,\"method\":"
		"\"ping\"}\n\n";
	if (!write(sink, before, sizeof(before) - 1))
		return;
	/* goes on when the question was answered */
	for (int i = 0; i < 5000 && atomic_load(&peer.answers) == 0; i++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	write(sink, reply, strlen(reply));
	while (write(sink, ":\n", 2))
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	(void)stop_fd;
}

static void stream_nothing(void *ctx, server_write_fn *write, void *sink, int stop_fd)
{
	(void)ctx;
	(void)stop_fd;
	write(sink, "id: 1\ndata:\n\n", 13);
}

static void list(
	const struct server_request *request, struct server_reply *reply, struct json message)
{
	int times = atomic_fetch_add(&peer.lists, 1);
	static const char tools[] =
		"{\"tools\":[{\"name\":\"go\",\"inputSchema\":{\"type\":\"object\",\"properties\":{"
		"\"where\":{\"type\":\"string\",\"x-mcp-header\":\"Where\"}}}},{\"name\":\"bad\","
		"\"inputSchema\":{\"properties\":{\"n\":{\"type\":\"number\",\"x-mcp-header\":\"N\"}}}}]}";
	if (peer.scenario == BROKEN && times == 0) {
		*reply = (struct server_reply){
			.status = 200, .content_type = "text/event-stream", .stream = stream_nothing};
		return;
	}
	result(request, reply, message, tools);
	if (peer.scenario != EVENTS)
		return;
	/* one data field over two lines */
	reply->stream_ctx = arena_printf(
		request->arena, "data: \r\ndata: %s\r\nid: 7\r\n\r\n", reply->body);
	reply->stream = stream_events;
	reply->body = NULL;
	reply->content_type = "text/event-stream; charset=utf-8";
}

static void call(
	const struct server_request *request, struct server_reply *reply, struct json message)
{
	atomic_fetch_add(&peer.calls, 1);
	if (peer.scenario == BROKEN)
		*reply = (struct server_reply){
			.status = 200, .content_type = "text/event-stream", .stream = stream_nothing};
	else
		result(request, reply, message, "{\"content\":[{\"type\":\"text\",\"text\":\"done\"}]}");
}

static void answer(const struct server_request *request, struct server_reply *reply,
	struct json message, const char *method)
{
	if (strcmp(method, "server/discover") == 0)
		discover(request, reply, message);
	else if (strcmp(method, "initialize") == 0)
		initialize(request, reply, message);
	else if (peer.scenario == LOST && !atomic_exchange(&peer.lost, true))
		give(reply, 404,
			"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32001,\"message\":\"Session not "
			"found\"},\"id\":null}");
	else if (strcmp(method, "tools/list") == 0)
		list(request, reply, message);
	else if (strcmp(method, "tools/call") == 0)
		call(request, reply, message);
	else
		result(request, reply, message, "{}");
}

static bool refuse(const struct server_request *request, struct server_reply *reply)
{
	const char *token = server_header(request, "Authorization");
	if (peer.scenario == TOKEN && !str_equal(token, "Bearer opensesame")) {
		give(reply, 401, "");
		return true;
	}
	if (peer.scenario == REDIRECT) {
		give(reply, 307, "");
		reply->location = "http://elsewhere/mcp";
		return true;
	}
	if (peer.scenario == PAGE) {
		give(reply, 200, "<html>");
		reply->content_type = "text/html";
		return true;
	}
	for (int i = 0; i < 10000 && peer.scenario == SILENT && !atomic_load(&peer.released); i++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return false;
}

static void handle(void *ctx, const struct server_request *request, struct server_reply *reply)
{
	struct json message = {0};
	char method[64];
	(void)ctx;
	if (strcmp(request->method, "DELETE") == 0) {
		atomic_fetch_add(&peer.deletes, 1);
		check_legacy(request, "DELETE");
		give(reply, 200, "");
		return;
	}
	if (!str_equal(request->path, "/mcp") || strcmp(request->method, "POST") != 0 ||
		!str_equal(server_header(request, "Accept"), "application/json, text/event-stream") ||
		!json_parse(request->arena, request->body, request->body_bytes, &message, NULL))
		offended("the request");
	if (refuse(request, reply))
		return;
	json_copy(json_get(message, "method"), method, sizeof(method));
	bool modern = json_is(json_get(json_get(message, "params"), "_meta"));
	if (modern)
		check_modern(request, message, method);
	else
		check_legacy(request, method);
	if (!json_is(json_get(message, "id")) || method[0] == '\0') {
		if (method[0] == '\0')
			atomic_fetch_add(&peer.answers, 1);
		give(reply, 202, NULL);
		return;
	}
	answer(request, reply, message, method);
}

static struct mcp *start(enum scenario scenario, const char *token, int64_t timeout_ms)
{
	memset(&peer, 0, sizeof(peer));
	peer.scenario = scenario;
	struct server_config config = {.listen = "127.0.0.1:0", .handler = handle};
	peer.server = server_start(&config, &err);
	assert_non_null(peer.server);
	STR_FORMAT(peer.url, "http://127.0.0.1:%d/mcp", server_port(peer.server));
	struct mcp_config client = {
		.name = "x", .url = peer.url, .token = token, .timeout_ms = timeout_ms, .stop_fd = -1};
	err = (struct err){0};
	arena = arena_new((size_t)64 << 20);
	return mcp_open(&client, &err);
}

static void end(struct mcp *mcp)
{
	mcp_close(mcp);
	server_stop(peer.server);
	arena_free(arena);
	if (atomic_load(&peer.offences) != 0)
		fail_msg("the server was offended by: %s", peer.offence);
}

static void good(bool ok)
{
	if (!ok)
		fail_msg("%s: %s", err_kind_name(err.kind), err.text);
}

static void failed_with(bool ok, enum err_kind kind, const char *words)
{
	assert_false(ok);
	if (err.kind != kind || strstr(err.text, words) == NULL)
		fail_msg("wanted %s \"%s\", got %s: %s", err_kind_name(kind), words,
			err_kind_name(err.kind), err.text);
}

static void the_newer_era_names_everything_in_headers(void **state)
{
	(void)state;
	struct mcp_tools tools;
	struct mcp_result done;
	struct mcp *mcp = start(MODERN, NULL, TIMEOUT_MS);
	/* the tools are listed first, by itself, to know which parameters are mirrored */
	good(mcp_call(mcp, "go", "{\"where\":\"Zürich\"}", arena, &done, &err));
	assert_string_equal(done.text, "done");
	assert_string_equal(peer.param, "=?base64?WsO8cmljaA==?=");
	good(mcp_call(mcp, "go", "{\"where\":\"here\"}", arena, &done, &err));
	assert_string_equal(peer.param, "here");
	good(mcp_tools(mcp, arena, &tools, &err));
	assert_int_equal(tools.count, 1);
	assert_int_equal(tools.excluded, 1);
	good(mcp_ping(mcp, &err));
	assert_int_equal(mcp_server(mcp)->era, MCP_MODERN);
	assert_int_equal(peer.initializes, 0);
	end(mcp);
	assert_int_equal(peer.deletes, 0);
}

static void the_older_era_has_a_session(void **state)
{
	(void)state;
	struct mcp_tools tools;
	struct mcp *mcp = start(LEGACY, NULL, TIMEOUT_MS);
	good(mcp_tools(mcp, arena, &tools, &err));
	assert_int_equal(tools.count, 2);
	good(mcp_ping(mcp, &err));
	assert_int_equal(mcp_server(mcp)->era, MCP_LEGACY);
	/* the era is remembered beyond the connection */
	mcp_disconnect(mcp);
	assert_int_equal(peer.deletes, 1);
	good(mcp_ping(mcp, &err));
	assert_int_equal(peer.discovers, 1);
	assert_int_equal(peer.initializes, 2);
	end(mcp);
	assert_int_equal(peer.deletes, 2);
}

static void a_lost_session_is_begun_anew(void **state)
{
	(void)state;
	struct mcp_result done;
	struct mcp *mcp = start(LOST, NULL, TIMEOUT_MS);
	good(mcp_call(mcp, "go", NULL, arena, &done, &err));
	assert_string_equal(done.text, "done");
	assert_int_equal(peer.initializes, 2);
	assert_int_equal(peer.calls, 1);
	end(mcp);
}

static void events_are_read_as_they_come(void **state)
{
	(void)state;
	struct mcp_tools tools;
	struct mcp *mcp = start(EVENTS, NULL, TIMEOUT_MS);
	good(mcp_tools(mcp, arena, &tools, &err));
	assert_int_equal(tools.count, 2);
	assert_true(mcp_tools_changed(mcp));
	assert_int_equal(peer.answers, 1);
	end(mcp);
}

static void a_broken_stream_is_asked_again_but_no_call(void **state)
{
	(void)state;
	struct mcp_tools tools;
	struct mcp_result done;
	struct mcp *mcp = start(BROKEN, NULL, TIMEOUT_MS);
	good(mcp_tools(mcp, arena, &tools, &err));
	assert_int_equal(peer.lists, 2);
	failed_with(mcp_call(mcp, "go", NULL, arena, &done, &err), ERR_RETRY, "without an answer");
	assert_int_equal(peer.calls, 1);
	end(mcp);
}

static void a_version_refused_once_is_asked_for_again(void **state)
{
	(void)state;
	struct mcp *mcp = start(REFUSES_ONCE, NULL, TIMEOUT_MS);
	good(mcp_connect(mcp, &err));
	assert_int_equal(mcp_server(mcp)->era, MCP_MODERN);
	assert_int_equal(peer.discovers, 2);
	end(mcp);
}

static void refusals_name_their_cure(void **state)
{
	(void)state;
	struct mcp *mcp = start(TOKEN, NULL, TIMEOUT_MS);
	failed_with(mcp_connect(mcp, &err), ERR_DENIED, "set token:");
	end(mcp);
	mcp = start(TOKEN, "wrong-token", TIMEOUT_MS);
	failed_with(mcp_connect(mcp, &err), ERR_DENIED, "check token:");
	assert_null(strstr(err.text, "wrong-token"));
	end(mcp);
	mcp = start(TOKEN, "opensesame", TIMEOUT_MS);
	good(mcp_connect(mcp, &err));
	end(mcp);
	mcp = start(REDIRECT, NULL, TIMEOUT_MS);
	failed_with(mcp_connect(mcp, &err), ERR_INPUT, "redirects");
	end(mcp);
	mcp = start(PAGE, NULL, TIMEOUT_MS);
	failed_with(mcp_connect(mcp, &err), ERR_INPUT, "is this the address of an MCP server?");
	end(mcp);
}

static void silence_ends_in_time(void **state)
{
	(void)state;
	struct mcp *mcp = start(SILENT, NULL, SHORT_MS);
	failed_with(mcp_connect(mcp, &err), ERR_TIMEOUT, "no answer in 300 ms");
	atomic_store(&peer.released, true);
	end(mcp);
}

static void nobody_there_is_said(void **state)
{
	(void)state;
	struct mcp *mcp = start(NOTHING, NULL, TIMEOUT_MS);
	server_stop(peer.server);
	failed_with(mcp_connect(mcp, &err), ERR_RETRY, "connection refused");
	mcp_close(mcp);
	arena_free(arena);
}

int main(void)
{
	http_global_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newer_era_names_everything_in_headers),
		cmocka_unit_test(the_older_era_has_a_session),
		cmocka_unit_test(a_lost_session_is_begun_anew),
		cmocka_unit_test(events_are_read_as_they_come),
		cmocka_unit_test(a_broken_stream_is_asked_again_but_no_call),
		cmocka_unit_test(a_version_refused_once_is_asked_for_again),
		cmocka_unit_test(refusals_name_their_cure),
		cmocka_unit_test(silence_ends_in_time),
		cmocka_unit_test(nobody_there_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
