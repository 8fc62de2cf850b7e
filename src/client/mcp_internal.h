/*
 * What the files mcp*.c share. A transport sends one request and reads what comes until its reply;
 * mcp_message.c says what a message is and answers what a server asks of us.
 */
#ifndef CLIENT_MCP_INTERNAL_H
#define CLIENT_MCP_INTERNAL_H

#include <sys/types.h>

#include "base/http.h"
#include "base/json.h"
#include "base/str.h"
#include "client/mcp.h"

#define MCP_MODERN_VERSION "2026-07-28"
#define MCP_LEGACY_VERSION "2025-11-25"
/* One message; what one exchange may bring in all; how many things a server may ask meanwhile. */
#define MCP_MESSAGE_BYTES ((size_t)1024 * 1024)
#define MCP_EXCHANGE_BYTES ((size_t)8 * 1024 * 1024)
#define MCP_REQUESTS_MAX 64
/* A message, its tokens (a byte of it may be a value), and its copies. */
#define MCP_SCRATCH_BYTES ((size_t)40 * 1024 * 1024)
#define MCP_HEADERS_MAX 32

enum {
	MCP_HEADER_MISMATCH = -32020,
	MCP_MISSING_CAPABILITY = -32021,
	MCP_UNSUPPORTED_VERSION = -32022,
	MCP_NO_METHOD = -32601,
	MCP_BAD_PARAMS = -32602,
};

/* One request. params: the members of its params, without braces, "" for none. */
struct mcp_ask {
	const char *method, *params;
	const char *name;          /* of the header Mcp-Name, or NULL */
	const char *const *extra;  /* more headers, ended by NULL; or NULL */
	bool repeatable;           /* may be asked again after a broken stream */
	bool is_modern;
	int64_t timeout_ms;
};

struct mcp_answer {
	bool is_error;
	struct json value; /* the result; or the error */
	int code;          /* of an error */
};

/* An exchange under way. */
struct mcp_wait {
	int64_t id; /* of our request */
	struct arena *arena;
	struct mcp_answer *answer;
	bool answered;
	size_t bytes;
	int requests;
	/* sends our reply to a request of the server */
	void (*reply)(struct mcp *mcp, const char *text);
};

struct mcp_stdio {
	pid_t pid; /* 0: none */
	int fd, complaints;
	char *buffer; /* unread bytes */
	size_t used, cap;
	bool ended;   /* nothing more will come */
};

struct mcp {
	struct mcp_config config; /* strings in arena */
	struct arena *arena;
	char name[64];            /* "mcp files" */
	struct mcp_server server;
	bool connected, tools_changed;
	int64_t next_id, probe_id;
	bool probe_was_modern;    /* the answer to server/discover came after we had given up */
	char noise[160];          /* the last line that was no message */
	char last[2048];          /* the end of what it wrote to stderr */
	struct mcp_stdio stdio;
	struct http *http;
	const char *path;         /* of the URL */
	char session[512];
	bool session_lost;
	struct arena *schemas;    /* of the tools with headers, for the next calls */
	struct mcp_schema {
		const char *tool, *schema;
		struct mcp_schema *next;
	} *schema;
	bool listed;
};

int64_t mcp_now_ms(void);

/* mcp.c: asks and waits for the answer, once more where the ask allows it. */
bool mcp_ask(struct mcp *mcp, const struct mcp_ask *ask, struct arena *arena,
	struct mcp_answer *answer, struct err *err);
/* An error that a server has answered with, in words. False. */
bool mcp_refused(struct mcp *mcp, const char *method, const struct mcp_answer *answer,
	struct err *err);

/* mcp_message.c */
/* Takes one message from the server. False: there is no message in it. */
bool mcp_take(struct mcp *mcp, struct mcp_wait *wait, const char *text, size_t length);
/* id 0: a notification. */
const char *mcp_text(const struct mcp_ask *ask, int64_t id, struct arena *arena);

/* The transports: mcp_stdio.c, mcp_http.c. wait->answered tells whether the reply has come. */
bool mcp_stdio_start(struct mcp *mcp, struct err *err);
void mcp_stdio_end(struct mcp *mcp);
bool mcp_stdio_exchange(struct mcp *mcp, const struct mcp_ask *ask, struct mcp_wait *wait,
	struct err *err);
bool mcp_stdio_notify(struct mcp *mcp, const char *text, struct err *err);
bool mcp_stdio_wait(struct mcp *mcp, int64_t ms, struct err *err);
bool mcp_http_start(struct mcp *mcp, struct err *err);
void mcp_http_end(struct mcp *mcp);
bool mcp_http_exchange(struct mcp *mcp, const struct mcp_ask *ask, struct mcp_wait *wait,
	struct err *err);
bool mcp_http_notify(struct mcp *mcp, const struct mcp_ask *ask, const char *text,
	struct err *err);

/* mcp_header.c: x-mcp-header of 2026-07-28. */
/* Whether all of them in a tool's schema are valid; has (out): there are some. */
bool mcp_header_valid(struct json schema, bool *has);
/* Adds "Mcp-Param-NAME: value" for each that the arguments give; at most room headers. */
int mcp_header_mirror(struct json schema, struct json arguments, struct arena *arena,
	const char **headers, int room);
/* A value as a header may carry it: as it is, or "=?base64?…?=". */
const char *mcp_header_value(const char *text, struct arena *arena);

/* mcp_sse.c: server-sent events, line by line. */
struct mcp_sse {
	struct str data;
	bool has_data;
};
/* True: an event is complete, and its data is sse->data; begin the next by mcp_sse_next. */
bool mcp_sse_line(struct mcp_sse *sse, const char *line, size_t length);
void mcp_sse_next(struct mcp_sse *sse, struct arena *arena);

#endif
