/*
 * What an MCP server may send (a message; events over HTTP; a schema with headers), and what a
 * client may send us. The first byte picks which.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/mcp_internal.h"
#include "report/mcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void reply(struct mcp *mcp, const char *text)
{
	struct json root;
	auto_arena arena = arena_new(65536);
	/* what we answer is JSON, whatever id was asked with */
	if (!json_parse(arena, text, strlen(text), &root, NULL))
		abort();
	(void)mcp;
}

static void take(const char *text, size_t length, struct arena *arena)
{
	struct mcp mcp = {.probe_id = 1};
	struct mcp_answer answer = {0};
	struct mcp_wait wait = {.id = 2, .arena = arena, .answer = &answer, .reply = reply};
	mcp_take(&mcp, &wait, text, length);
	if (wait.answered && json_kind(answer.value) != JSON_OBJECT)
		abort();
}

static void take_events(const char *text, size_t length, struct arena *arena)
{
	struct mcp_sse sse;
	mcp_sse_next(&sse, arena);
	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t line = end != NULL ? (size_t)(end - text) : length;
		if (mcp_sse_line(&sse, text, line)) {
			take(sse.data.s, sse.data.len, arena);
			mcp_sse_next(&sse, arena);
		}
		line += end != NULL;
		text += line;
		length -= line;
	}
}

static void take_schema(const char *text, size_t length, struct arena *arena)
{
	struct json root;
	bool has;
	const char *headers[MCP_HEADERS_MAX + 1] = {NULL};
	if (!json_parse(arena, text, length, &root, NULL))
		return;
	bool valid = mcp_header_valid(json_get(root, "schema"), &has);
	int n = mcp_header_mirror(
		json_get(root, "schema"), json_get(root, "arguments"), arena, headers, MCP_HEADERS_MAX);
	if (n > MCP_HEADERS_MAX)
		abort();
	for (int i = 0; valid && i < n; i++)
		if (strpbrk(headers[i], "\r\n") != NULL)
			abort();
}

static bool get(
	void *ctx, const char *path, struct arena *arena, const char **body, struct err *err)
{
	(void)ctx;
	(void)arena;
	(void)err;
	/* nothing from outside can lead out of our API, or add to it */
	if (!str_starts(path, "/api/v1/") || strstr(path, "..") != NULL ||
		strpbrk(path, " %#\n") != NULL)
		abort();
	*body = "{}";
	return true;
}

static void serve(const char *text, size_t length, struct arena *arena)
{
	const struct mcp_host host = {.get = get};
	const struct mcp_message message = {.text = text, .length = length};
	struct mcp_reply answer = {0};
	struct json root;
	mcp_host_answer(&host, &message, arena, &answer);
	if (answer.text != NULL && !json_parse(arena, answer.text, strlen(answer.text), &root, NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(const char *, size_t, struct arena *) = {
		take, take_events, take_schema, serve};
	if (size == 0 || size > 65536)
		return 0;
	auto_arena arena = arena_new((size_t)64 << 20);
	/* a copy of the exact size, so that reading beyond it is seen */
	char *text = malloc(size);
	if (text == NULL)
		abort();
	memcpy(text, data + 1, size - 1);
	targets[data[0] % 4](text, size - 1, arena);
	free(text);
	return 0;
}
