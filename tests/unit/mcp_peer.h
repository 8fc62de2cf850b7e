/*
 * An MCP server over stdio for the tests: the test program itself, started again as
 * "/proc/self/exe peer SCENARIO". It is as strict as real servers are: what a client must not send
 * ends it with exit code 3 and a line on stderr.
 */
#ifndef TESTS_UNIT_MCP_PEER_H
#define TESTS_UNIT_MCP_PEER_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"

struct peer {
	const char *scenario;
	bool modern, initialized;
	int lists, calls, asked;
	struct arena *arena;
	char id[64];
};

static bool is(const struct peer *peer, const char *scenario)
{
	return strcmp(peer->scenario, scenario) == 0;
}

static void offended(const char *why)
{
	fprintf(stderr, "bad client: %s\n", why);
	exit(3);
}

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

static void reply(const struct peer *peer, const char *member, const char *value)
{
	printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"%s\":%s}\n", peer->id, member, value);
	fflush(stdout);
}

static void reply_error(const struct peer *peer, int code, const char *message)
{
	char text[200];
	STR_FORMAT(text, "{\"code\":%d,\"message\":\"%s\"}", code, message);
	reply(peer, "error", text);
}

static void peer_discover(struct peer *peer)
{
	if (peer->modern)
		reply(peer, "result",
			"{\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{},\"resultType\":"
			"\"complete\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"peer\","
			"\"version\":\"2\"}}}");
	else if (is(peer, "go"))
		reply_error(peer, 0, "method is invalid during session initialization");
	else if (!is(peer, "mute"))
		reply_error(peer, -32601, "Method not found");
}

/* Two pages, with news before the first, as servers do. */
static void peer_list(struct peer *peer, struct json params)
{
	char cursor[16];
	json_copy(json_get(params, "cursor"), cursor, sizeof(cursor));
	peer->lists++;
	if (is(peer, "dies")) {
		fputs("starting\nfatal: no database\n", stderr);
		exit(7);
	}
	if (is(peer, "hangs"))
		return;
	if (is(peer, "huge")) {
		for (int i = 0; i < 300000; i++)
			fputs("0123456789", stdout);
		exit(0);
	}
	if (is(peer, "circle") || is(peer, "endless")) {
		char page[80];
		STR_FORMAT(page, "{\"tools\":[],\"nextCursor\":\"%d\"}",
			is(peer, "circle") ? 1 : peer->lists);
		reply(peer, "result", page);
		return;
	}
	if (cursor[0] == '\0') {
		if (!is(peer, "shrinks"))
			say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
		reply(peer, "result",
			"{\"tools\":[{\"name\":\"echo\",\"description\":\"d\",\"inputSchema\":{\"type\":"
			"\"object\"},\"annotations\":{\"readOnlyHint\":true}},{\"name\":\"\",\"inputSchema\":"
			"{}}],\"nextCursor\":\"two\"}");
		return;
	}
	if (strcmp(cursor, "two") != 0)
		offended("a cursor that nobody gave");
	reply(peer, "result",
		is(peer, "shrinks") && peer->lists > 2
			? "{\"tools\":[]}"
			: "{\"tools\":[{\"name\":\"pid\",\"inputSchema\":{\"type\":\"object\"}}]}");
}

static void peer_again(struct peer *peer, struct json params)
{
	char state[32];
	json_copy(json_get(params, "requestState"), state, sizeof(state));
	if (is(peer, "questions"))
		reply(peer, "result",
			"{\"resultType\":\"input_required\",\"inputRequests\":{\"a\":{\"method\":"
			"\"elicitation/create\"}},\"requestState\":\"s\"}");
	else if (peer->calls == 1)
		reply(peer, "result", "{\"resultType\":\"input_required\",\"requestState\":\"s1\"}");
	else if (strcmp(state, "s1") != 0)
		offended("the state was not given back");
	else
		reply(peer, "result", "{\"content\":[{\"type\":\"text\",\"text\":\"at last\"}]}");
}

static void peer_call(struct peer *peer, struct json params)
{
	char name[32], text[600], message[400];
	json_copy(json_get(params, "name"), name, sizeof(name));
	json_copy(json_path(params, "arguments.message"), message, sizeof(message));
	peer->calls++;
	if (is(peer, "again") || is(peer, "questions")) {
		peer_again(peer, params);
		return;
	}
	if (strcmp(name, "pid") == 0)
		STR_FORMAT(text, "{\"content\":[{\"type\":\"text\",\"text\":\"%d\"}]}",
			(int)getpid());
	else if (strcmp(name, "echo") == 0)
		STR_FORMAT(text,
			"{\"content\":[{\"type\":\"text\",\"text\":\"%s\"},{\"type\":\"image\",\"data\":\"\"},"
			"{\"type\":\"text\",\"text\":\"bye\"}],\"structuredContent\":{\"n\":1}}",
			message);
	else if (is(peer, "go")) {
		reply_error(peer, -32602, "unknown tool");
		return;
	} else
		STR_FORMAT(text, "{\"content\":[{\"type\":\"text\",\"text\":\"Tool %s not found\"}],"
						 "\"isError\":true}",
			name);
	reply(peer, "result", text);
}

/* Before it lists: what is no message, somebody else's reply, and requests to be answered. */
static void peer_bother(struct peer *peer)
{
	fputs("a line of its log\n", stderr);
	say("Server is listening!");
	say("");
	say("{\"jsonrpc\":\"2.0\",\"id\":99999,\"result\":{\"tools\":[]}}");
	say("[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}]");
	say("{\"jsonrpc\":\"2.0\",\"id\":\"p1\",\"method\":\"ping\"}");
	say("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"sampling/createMessage\",\"params\":{}}");
	peer->asked = 2;
}

static bool peer_is_answer(struct peer *peer, struct json message)
{
	char id[16];
	if (json_is(json_get(message, "method")))
		return false;
	json_copy(json_get(message, "id"), id, sizeof(id));
	bool pong = strcmp(id, "p1") == 0 && json_kind(json_get(message, "result")) == JSON_OBJECT;
	bool refusal = strcmp(id, "7") == 0 && json_int(json_path(message, "error.code"), 0) == -32601;
	if ((!pong && !refusal) || peer->asked-- <= 0)
		offended("a wrong answer");
	return true;
}

static void peer_check(struct peer *peer, const char *method, struct json params)
{
	static const char meta[] = "io.modelcontextprotocol/protocolVersion";
	bool has_meta = json_is(json_get(json_get(params, "_meta"), meta));
	bool opens = strcmp(method, "initialize") == 0 || strcmp(method, "server/discover") == 0;
	if (peer->modern && !has_meta)
		offended("no _meta");
	if (!peer->modern && !opens && !peer->initialized)
		offended("not initialized");
}

static void peer_take(struct peer *peer, const char *line)
{
	struct json message, id;
	size_t length;
	char method[64];
	if (!json_parse(peer->arena, line, strlen(line), &message, NULL))
		offended("no JSON");
	if (peer_is_answer(peer, message))
		return;
	struct json params = json_get(message, "params");
	json_copy(json_get(message, "method"), method, sizeof(method));
	id = json_get(message, "id");
	if (strcmp(method, "notifications/initialized") == 0)
		peer->initialized = true;
	if (!json_is(id))
		return;
	const char *raw = json_raw(id, &length);
	STR_FORMAT(peer->id, "%.*s", (int)length, raw);
	peer_check(peer, method, params);
	if (strcmp(method, "server/discover") == 0)
		peer_discover(peer);
	else if (strcmp(method, "initialize") == 0 && !peer->modern)
		reply(peer, "result",
			is(peer, "ancient") ? "{\"protocolVersion\":\"2020-01-01\"}"
								: "{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},"
								  "\"serverInfo\":{\"name\":\"peer\",\"version\":\"1\"}}");
	else if (strcmp(method, "tools/list") == 0)
		peer_list(peer, params);
	else if (strcmp(method, "tools/call") == 0)
		peer_call(peer, params);
	else if (strcmp(method, "ping") == 0 && !peer->modern)
		reply(peer, "result", "{}");
	else
		reply_error(peer, -32601, "Method not found");
}

static int peer_main(const char *scenario)
{
	struct peer peer = {.scenario = scenario, .modern = strncmp(scenario, "modern", 6) == 0};
	char line[65536];
	peer.modern = peer.modern || is(&peer, "again") || is(&peer, "questions");
	if (is(&peer, "stubborn"))
		signal(SIGTERM, SIG_IGN);
	bool bothered = false;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		peer.arena = arena_new((size_t)4 << 20);
		if (is(&peer, "noisy") && !bothered && strstr(line, "tools/list") != NULL) {
			bothered = true;
			peer_bother(&peer);
			/* and it goes on only when both were answered */
			for (char other[4096]; peer.asked > 0 && fgets(other, sizeof(other), stdin) != NULL;)
				peer_take(&peer, other);
		}
		peer_take(&peer, line);
		arena_free(peer.arena);
	}
	while (is(&peer, "stubborn"))
		pause();
	return 0;
}

#endif
