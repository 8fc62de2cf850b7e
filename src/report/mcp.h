/*
 * homeostat as an MCP server: JSON-RPC in, JSON-RPC out, in both eras of the protocol (2026-07-28;
 * 2025-11-25 and older). Its tools read, and one opens a question to a person; all by the paths of
 * our own API, which the caller fetches: so what they tell is what the API tells, redacted there.
 * Keeps nothing between two messages; any thread.
 */
#ifndef REPORT_MCP_H
#define REPORT_MCP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct mcp_host {
	void *ctx;
	/* GET of a path of the API ("/api/v1/audit?limit=5"): its body, a JSON object, in arena. False:
	 * err is told to the asker. */
	bool (*get)(void *ctx, const char *path, struct arena *arena, const char **body,
		struct err *err);
	/* POST of a JSON body, the same way; NULL: this asker may only read. */
	bool (*post)(void *ctx, const char *path, const char *json, struct arena *arena,
		const char **body, struct err *err);
};

struct mcp_message {
	const char *text; /* one message */
	size_t length;
	bool is_http;
	const char *version, *method, *name; /* MCP-Protocol-Version, Mcp-Method, Mcp-Name; or NULL */
};

struct mcp_reply {
	const char *text; /* in the arena; NULL: a notification needs none */
	int status;       /* for HTTP: 200, 202, 400, 404 */
};

void mcp_host_answer(const struct mcp_host *host, const struct mcp_message *message,
	struct arena *arena, struct mcp_reply *reply);

#endif
