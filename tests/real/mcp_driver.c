/*
 * Drives the MCP client for the real suite; no part of the product.
 *   mcp_driver list  URL|COMMAND…            the tools, one a line
 *   mcp_driver call TOOL JSON URL|COMMAND…   a tool's text
 *   mcp_driver twice TOOL JSON URL|COMMAND…  the same, twice over one connection, the era first
 *   mcp_driver URL                           a conformance scenario ($MCP_CONFORMANCE_SCENARIO)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http.h"
#include "base/json.h"
#include "base/str.h"
#include "client/mcp.h"

#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

static struct mcp *open_target(const char *const *words)
{
	struct err err = {0};
	struct mcp_config config = {.name = "test", .timeout_ms = 15000, .stop_fd = -1};
	if (str_starts(words[0], "http"))
		config.url = words[0];
	else
		config.command = words;
	struct mcp *mcp = mcp_open(&config, &err);
	if (mcp == NULL)
		fprintf(stderr, "%s\n", err.text);
	return mcp;
}

static int failed(const struct err *err)
{
	fprintf(stderr, "%s: %s\n", err_kind_name(err->kind), err->text);
	return 1;
}

static int list(struct mcp *mcp)
{
	struct err err = {0};
	struct mcp_tools tools;
	auto_arena arena = arena_new(ARENA_BYTES);
	if (!mcp_tools(mcp, arena, &tools, &err))
		return failed(&err);
	printf("era %d protocol %s server %s\n", mcp_server(mcp)->era, mcp_server(mcp)->protocol,
		mcp_server(mcp)->name);
	for (int i = 0; i < tools.count; i++)
		printf("tool %s\n", tools.tools[i].name);
	return 0;
}

static int call(struct mcp *mcp, const char *tool, const char *arguments)
{
	struct err err = {0};
	struct mcp_result result;
	auto_arena arena = arena_new(ARENA_BYTES);
	if (!mcp_call(mcp, tool, arguments, arena, &result, &err))
		return failed(&err);
	printf("%s%s\n", result.is_error ? "error: " : "", result.text);
	return 0;
}

/* What the scenario's context asks for, else a call of every tool that needs no more than numbers.
 */
static int conform_calls(struct mcp *mcp, struct arena *arena)
{
	struct err err = {0};
	struct json context, given;
	const char *text = getenv("MCP_CONFORMANCE_CONTEXT");
	if (text != NULL && json_parse(arena, text, strlen(text), &context, &err))
		for (given = json_first(json_get(context, "toolCalls")); json_is(given);
			 given = json_next(given)) {
			size_t length;
			const char *raw = json_raw(json_get(given, "arguments"), &length);
			if (call(mcp, json_str(json_get(given, "name"), arena),
					arena_strndup(arena, raw, length)) != 0)
				return 1;
		}
	return 0;
}

static int conform(struct mcp *mcp)
{
	struct err err = {0};
	struct mcp_tools tools;
	auto_arena arena = arena_new(ARENA_BYTES);
	if (!mcp_connect(mcp, &err) || !mcp_ping(mcp, &err) || !mcp_tools(mcp, arena, &tools, &err))
		return failed(&err);
	if (getenv("MCP_CONFORMANCE_CONTEXT") != NULL)
		return conform_calls(mcp, arena);
	for (int i = 0; i < tools.count; i++) {
		bool adds = strstr(tools.tools[i].input_schema, "\"a\"") != NULL;
		if (call(mcp, tools.tools[i].name, adds ? "{\"a\":5,\"b\":3}" : "{}") != 0)
			return 1;
	}
	return 0;
}

static int drive(int argc, const char *const *words)
{
	bool lists = strcmp(words[1], "list") == 0, twice = strcmp(words[1], "twice") == 0;
	bool calls = twice || strcmp(words[1], "call") == 0;
	int first = lists ? 2 : calls ? 4 : 1;
	if (argc <= first)
		return 2;
	struct mcp *mcp = open_target(words + first);
	int code = 1;
	if (mcp != NULL && lists)
		code = list(mcp);
	else if (mcp != NULL && calls) {
		code = call(mcp, words[2], words[3]);
		if (twice && code == 0)
			code = call(mcp, words[2], words[3]);
	} else if (mcp != NULL)
		code = conform(mcp);
	mcp_close(mcp);
	return code;
}

int main(int argc, char **argv)
{
	const char *words[64];
	http_global_init();
	for (int i = 0; i < argc && i < 63; i++)
		words[i] = argv[i];
	words[argc < 63 ? argc : 63] = NULL;
	return argc < 2 ? 2 : drive(argc, words);
}
