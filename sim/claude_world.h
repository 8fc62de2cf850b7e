/*
 * What the files sim/claude*.c share: the world, one request as it is judged, and one answer before
 * it is put into a dialect.
 */
#ifndef SIM_CLAUDE_WORLD_H
#define SIM_CLAUDE_WORLD_H

#include "base/json.h"
#include "base/str.h"
#include "sim/claude.h"

#define CLAUDE_MODELS 16
#define CLAUDE_LINES 256
#define CLAUDE_SENT 64
#define CLAUDE_CACHED 16
#define CLAUDE_CALLS 16

struct claude_model {
	char name[80];
	int64_t context, out, cache;
};

struct claude_cached {
	uint64_t prefix;
	int64_t until_ms;
};

struct sim_claude {
	const struct clock *clock;
	char key[128]; /* "": none is wanted */
	struct claude_model models[CLAUDE_MODELS];
	int model_count;
	char *lines[CLAUDE_LINES];
	int times[CLAUDE_LINES];
	int line_count, line_at;
	bool no_ids, calls_say_stop;
	uint64_t sent[CLAUDE_SENT]; /* hashes of contents */
	bool paused[CLAUDE_SENT];
	int sent_count;
	struct claude_cached cached[CLAUDE_CACHED];
	int cached_count;
	int requests, refused, ids;
	char *body;
	char why[300];
};

/* A request being judged. */
struct claude_case {
	struct sim_claude *sim;
	const struct sim_request *request;
	struct sim_reply *reply;
	struct arena *arena;
	bool is_chat;
	struct json body, schema;
	const struct claude_model *model;
	char request_id[48];
};

struct claude_line_call {
	const char *name, *arguments;
};

/* What the model says, before it is put into blocks or a message. */
struct claude_said {
	const char *text, *thinking, *stop, *category;
	struct str blocks; /* raw, joined by commas */
	struct claude_line_call calls[CLAUDE_CALLS];
	int call_count;
};

uint64_t claude_hash(const char *bytes, size_t length);
bool claude_is(struct json value, const char *text);

/* claude_errors.c: an error in the shape of the dialect. Return false. */
bool claude_error(struct claude_case *at, int status, const char *type, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
bool claude_wrong(struct claude_case *at, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void claude_play_error(struct claude_case *at, char *words);
void claude_spend(struct claude_case *at, int status);

/* claude_check.c, …_messages.c, …_chat.c, …_schema.c. False: answered with an error. */
bool claude_check(struct claude_case *at);
bool claude_check_messages(struct claude_case *at);
bool claude_check_chat(struct claude_case *at);
bool claude_check_schema(struct claude_case *at, const char *where, struct json schema);
bool claude_check_tool_name(struct claude_case *at, int index, struct json name);

/* claude_answer.c, claude_library.c */
void claude_answer(struct claude_case *at, const char *line);
const char *claude_library(struct claude_case *at, char *words);

#endif
