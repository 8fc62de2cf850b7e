/* homeostat as an MCP server: what it answers, by both eras' rules, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"
#include "report/mcp.h"

#define META \
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"," \
	"\"io.modelcontextprotocol/clientCapabilities\":{}}"

static struct arena *arena;
static char asked[200]; /* the path that was fetched */
static const char *body;
static struct mcp_reply reply;
static struct json answer;

static bool get(void *ctx, const char *path, struct arena *into, const char **text, struct err *err)
{
	(void)ctx;
	(void)into;
	STR_SET(asked, path);
	*text = body;
	return body != NULL || err_set(err, ERR_RETRY, "homeostat is not running");
}

static bool may_post;
static char posted[400];

static bool post(void *ctx, const char *path, const char *json, struct arena *into,
	const char **text, struct err *err)
{
	STR_SET(posted, json);
	return get(ctx, path, into, text, err);
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_new((size_t)16 << 20);
	body = "{\"a\":\n1}\n";
	asked[0] = '\0';
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void send(struct mcp_message message, const char *text)
{
	const struct mcp_host host = {.get = get, .post = may_post ? post : NULL};
	struct err err = {0};
	message.text = text;
	message.length = strlen(text);
	mcp_host_answer(&host, &message, arena, &reply);
	answer = (struct json){0};
	if (reply.text == NULL)
		return;
	if (!json_parse(arena, reply.text, strlen(reply.text), &answer, &err))
		fail_msg("no JSON: %s: %s", err.text, reply.text);
	assert_null(strchr(reply.text, '\n'));
}

static void by_stdio(const char *text)
{
	send((struct mcp_message){0}, text);
}

static void by_http(const char *version, const char *method, const char *name, const char *text)
{
	send((struct mcp_message){.is_http = true, .version = version, .method = method, .name = name},
		text);
}

static void expect(const char *path, const char *value)
{
	char text[4096];
	json_copy(json_path(answer, path), text, sizeof(text));
	if (strcmp(text, value) != 0)
		fail_msg("%s: wanted \"%s\", got \"%s\" in %s", path, value, text, reply.text);
}

static void the_older_era_shakes_hands(void **state)
{
	(void)state;
	by_stdio("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"initialize\",\"params\":{"
			 "\"protocolVersion\":\"2025-06-18\",\"capabilities\":{}}}");
	expect("id", "x");
	expect("result.protocolVersion", "2025-06-18");
	expect("result.serverInfo.name", "homeostat");
	by_stdio("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"initialize\",\"params\":{"
			 "\"protocolVersion\":\"2019-01-01\"}}");
	expect("result.protocolVersion", "2025-11-25");
	by_stdio("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
	assert_null(reply.text);
	assert_int_equal(reply.status, 202);
	by_stdio("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\"}");
	assert_int_equal(json_kind(json_get(answer, "result")), JSON_OBJECT);
	by_stdio("{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"server/discover\"}");
	expect("error.code", "-32601");
}

static void the_newer_era_is_discovered(void **state)
{
	(void)state;
	by_stdio("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{" META "}}");
	expect("result.resultType", "complete");
	assert_int_equal(json_count(json_path(answer, "result.supportedVersions")), 1);
	by_http("2026-07-28", "ping", NULL,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{" META "}}");
	expect("error.code", "-32601");
	assert_int_equal(reply.status, 404);
	by_stdio("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
			 "\"io.modelcontextprotocol/protocolVersion\":\"2030-01-01\"}}}");
	expect("error.code", "-32022");
	expect("error.data.requested", "2030-01-01");
	by_stdio("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
			 "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}}");
	expect("error.code", "-32602");
}

static void headers_must_say_what_the_body_says(void **state)
{
	(void)state;
	static const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
							   "call\",\"params\":{\"name\":\"health\"," META "}}";
	by_http("2026-07-28", "tools/call", "health", text);
	assert_int_equal(reply.status, 200);
	expect("result.resultType", "complete");
	static const char *const wrong[][3] = {
		{NULL, "tools/call", "health"},
		{"2025-11-25", "tools/call", "health"},
		{"2026-07-28", NULL, "health"},
		{"2026-07-28", "tools/list", "health"},
		{"2026-07-28", "tools/call", NULL},
		{"2026-07-28", "tools/call", "audit"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		asked[0] = '\0';
		by_http(wrong[i][0], wrong[i][1], wrong[i][2], text);
		expect("error.code", "-32020");
		assert_int_equal(reply.status, 400);
		assert_string_equal(asked, "");
	}
	by_http("2026-07-28", NULL, NULL, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
	expect("error.code", "-32020");
	by_http("2031-01-01", NULL, NULL, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
	expect("error.code", "-32022");
	by_http("2025-03-26", NULL, NULL, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
	assert_int_equal(json_count(json_path(answer, "result.tools")), 7);
}

static void call(const char *name, const char *arguments)
{
	by_stdio(arena_printf(arena,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
		"\"arguments\":%s}}",
		name, arguments));
}

static void tools_read_the_api_and_nothing_else(void **state)
{
	(void)state;
	static const char *const calls[][3] = {
		{"health", "{}", "/api/v1/health"},
		{"components", "{}", "/api/v1/components"},
		{"incidents", "{}", "/api/v1/incidents"},
		{"incidents", "{\"state\":\"all\",\"limit\":7}", "/api/v1/incidents?state=all&limit=7"},
		{"why", "{\"id\":12}", "/api/v1/incidents/12"},
		{"audit", "{\"verify\":true}", "/api/v1/audit?verify=1"},
	};
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		call(calls[i][0], calls[i][1]);
		assert_string_equal(asked, calls[i][2]);
		expect("result.isError", "false");
		expect("result.structuredContent.a", "1");
		char text[64];
		json_copy(json_get(json_first(json_path(answer, "result.content")), "text"), text, 64);
		assert_string_equal(text, "{\"a\":\n1}");
	}
	by_stdio("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
	for (struct json tool = json_first(json_path(answer, "result.tools")); json_is(tool);
		 tool = json_next(tool)) {
		char name[32];
		json_copy(json_get(tool, "name"), name, sizeof(name));
		assert_int_equal(json_bool(json_path(tool, "annotations.readOnlyHint"), false),
			strcmp(name, "propose") != 0);
	}
}

/* A proposal is posted for a person to decide, and by nobody who may only read. */
static void a_proposal_is_posted_and_only_by_who_may(void **state)
{
	(void)state;
	static const char whole[] = "{\"action\":\"docker.container.restart\",\"component\":"
								"\"docker_container_web\",\"reason\":\"it hangs\"}";
	call("propose", whole);
	expect("result.isError", "true");
	assert_non_null(strstr(reply.text, "may only read"));
	may_post = true;
	call("propose", whole);
	expect("result.isError", "false");
	assert_string_equal(asked, "/api/v1/proposals");
	assert_non_null(strstr(posted, "\"component\":\"docker_container_web\""));
	asked[0] = '\0';
	call("propose", "{\"action\":\"x\",\"approve\":\"yes\"}");
	expect("result.isError", "true");
	call("propose", "{\"action\":7}");
	expect("result.isError", "true");
	assert_string_equal(asked, "");
	may_post = false;
}

static void wrong_arguments_are_the_tools_error(void **state)
{
	(void)state;
	static const char *const calls[][3] = {
		{"why", "{}", "id: is missing"},
		{"why", "{\"id\":0}", "from 1 to"},
		{"why", "{\"id\":\"1\"}", "whole number"},
		{"why", "{\"id\":\"../audit\"}", "whole number"},
		{"incidents", "{\"state\":\"open&all=1\"}", "open, ended or all"},
		{"incidents", "{\"limit\":201}", "from 1 to 200"},
		{"audit", "{\"verify\":1}", "true or false"},
		{"health", "{\"x\":1}", "no argument \"x\""},
		{"health", "[]", "an object"},
	};
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		call(calls[i][0], calls[i][1]);
		expect("result.isError", "true");
		assert_string_equal(asked, "");
		if (strstr(reply.text, calls[i][2]) == NULL && strchr(calls[i][2], '"') == NULL)
			fail_msg("%s: no \"%s\"", reply.text, calls[i][2]);
	}
	call("restart", "{}");
	expect("error.code", "-32602");
	body = NULL;
	call("health", "{}");
	expect("result.isError", "true");
	assert_non_null(strstr(reply.text, "homeostat is not running"));
}

static void what_is_no_request_is_refused(void **state)
{
	(void)state;
	static const char *const texts[][2] = {
		{"", "-32700"},
		{"nonsense", "-32700"},
		{"[]", "-32600"},
		{"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", "-32600"},
		{"{\"id\":1,\"method\":\"ping\"}", "-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", "-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", "-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1}", "-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", "-32602"},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		by_stdio(texts[i][0]);
		expect("error.code", texts[i][1]);
	}
	by_stdio("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
	assert_null(reply.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_older_era_shakes_hands, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_newer_era_is_discovered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(headers_must_say_what_the_body_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tools_read_the_api_and_nothing_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_proposal_is_posted_and_only_by_who_may, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_arguments_are_the_tools_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_request_is_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
