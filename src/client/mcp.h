/*
 * MCP client: a server that is a child process (stdio) or is reached over streamable HTTP, in
 * either era of the protocol: 2026-07-28 (stateless, server/discover) and 2025-11-25 and older
 * (initialize, sessions). Which era it is is found out once and kept in the handle. Plain blocking
 * calls with a deadline; a handle belongs to one thread. Everything a server says is untrusted and
 * limited.
 */
#ifndef CLIENT_MCP_H
#define CLIENT_MCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/config.h"

struct mcp;

enum mcp_era { MCP_UNKNOWN, MCP_LEGACY, MCP_MODERN };

struct mcp_config {
	const char *name;           /* for errors: "files" */
	const char *const *command; /* an argv, ended by NULL; before it NAME=value words are its
								   environment; or NULL: url */
	const char *url;            /* http:// or https:// */
	const char *token;          /* of the header Authorization, or NULL */
	int64_t timeout_ms;         /* of one exchange; 0: 10,000 */
	int stop_fd;                /* -1: none */
};

/* Copies config. Never talks, starts nothing. NULL: a configuration that cannot work. */
struct mcp *mcp_open(const struct mcp_config *config, struct err *err);
/* Of the configuration; its secrets are resolved in the state folder. */
struct mcp *mcp_open_configured(const char *state, const struct config_mcp *config, int stop_fd,
	struct err *err);
/* Ends the session, or the process: its stdin is closed, then SIGTERM, then SIGKILL. NULL is
 * allowed. */
void mcp_close(struct mcp *mcp);

/* Starts or reaches the server and finds out its era; nothing when it is connected. ERR_DENIED,
 * ERR_TIMEOUT (it runs but does not answer), ERR_CANCELLED, ERR_INPUT (no MCP), ERR_RETRY. */
bool mcp_connect(struct mcp *mcp, struct err *err);
/* As mcp_close, but the handle stays, and what is known of the era. */
void mcp_disconnect(struct mcp *mcp);
bool mcp_is_connected(const struct mcp *mcp);

struct mcp_server {
	enum mcp_era era;
	char protocol[16];          /* "2025-11-25" */
	char name[96], version[64]; /* as it says */
};
const struct mcp_server *mcp_server(const struct mcp *mcp);

/* Asks for a sign of life: ping, or server/discover where there is no ping. Connects if need be. */
bool mcp_ping(struct mcp *mcp, struct err *err);

struct mcp_tool {
	const char *name, *description; /* "" without one */
	const char *input_schema;       /* JSON */
	bool read_only;                 /* as it says: not to be relied on */
};
struct mcp_tools {
	struct mcp_tool *tools;
	int count;
	int excluded;                   /* left out: names or x-mcp-header that are not valid */
};
/* All pages, at most 512 tools and 4 MiB. */
bool mcp_tools(struct mcp *mcp, struct arena *arena, struct mcp_tools *tools, struct err *err);

struct mcp_result {
	const char *text;       /* its text blocks, joined by line ends; at most 256 KiB */
	const char *structured; /* JSON, or NULL */
	int others;             /* blocks that are no text: left out */
	bool is_error, cut;
	int code;               /* of a JSON-RPC error that says the tool or its arguments are wrong */
};
/* Calls a tool; arguments: a JSON object as text, or NULL. True when the server has answered, if
 * only that it failed (is_error). ERR_TIMEOUT: it may have been done. Never asks twice. */
bool mcp_call(struct mcp *mcp, const char *tool, const char *arguments, struct arena *arena,
	struct mcp_result *result, struct err *err);

/* Waits ms for the end of a server that is a process, reading what it says meanwhile. False: it has
 * ended, or stop_fd; err says which. For HTTP it only waits. */
bool mcp_wait(struct mcp *mcp, int64_t ms, struct err *err);
/* Whether the server has said, since the last call of this, that its tools have changed. */
bool mcp_tools_changed(struct mcp *mcp);
/* The last lines that a process wrote to stderr, cleaned of control characters; "" without any. */
void mcp_complaint(struct mcp *mcp, char *text, size_t size);

#endif
