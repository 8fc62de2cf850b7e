/*
 * What the files claude*.c share: the handle, a conversation as it grows, one turn of the model
 * decoded, and one exchange with its retries. A turn points into the body that it was read from.
 */
#ifndef CLIENT_CLAUDE_INTERNAL_H
#define CLIENT_CLAUDE_INTERNAL_H

#include "base/http.h"
#include "client/claude.h"

#define CLAUDE_CALLS_MAX 32
#define CLAUDE_ANSWER_BYTES ((size_t)8 * 1024 * 1024)
#define CLAUDE_PAUSES_MAX 4

struct claude {
	struct claude_config config;
	struct arena *arena; /* the configuration's strings */
	const struct clock *clock;
	int stop_fd;
	struct http *http;
	const char *headers[5];
	struct claude_spent spent;
	int64_t shut_mono_ms; /* the breaker, 0: closed */
	char shut_model[80];  /* "": any */
	char shut_text[320];
};

/* A conversation under way. */
struct talk {
	struct claude *claude;
	const struct claude_question *question;
	const char *model;
	struct str messages; /* the array's inside */
	int64_t max_tokens, deadline_mono_ms;
	bool plain; /* OpenAI: the last request, without tools and with the schema */
	struct arena *arena;
	struct claude_answer *answer;
};

enum stop { STOP_END, STOP_TOOLS, STOP_LENGTH, STOP_PAUSE, STOP_REFUSAL, STOP_CONTEXT, STOP_OTHER };

struct turn {
	enum stop stop;
	struct str text;      /* of all text blocks */
	struct json content;  /* the assistant's, as sent */
	struct claude_call calls[CLAUDE_CALLS_MAX];
	const char *broken[CLAUDE_CALLS_MAX]; /* why a call's arguments cannot be read, or NULL */
	int call_count;
	struct claude_usage usage;
};

struct result {
	const char *text;
	bool failed;
};

/* claude_request.c: the texts, redacted, as the API wants them. False: too large. */
void claude_add_user(struct talk *talk, const char *text);
bool claude_build(struct talk *talk, struct str *body, struct err *err);
/* The turn and what its calls gave, at most result_bytes each. results NULL: the turn alone. */
void claude_add_turn(struct talk *talk, const struct turn *turn, const struct result *results);
char *claude_redacted(struct arena *arena, const char *text, size_t limit);

/* claude_decode.c */
bool claude_decode_turn(enum claude_dialect dialect, const struct http_reply *reply,
	struct arena *arena, struct turn *turn, struct claude_answer *answer, struct err *err);

/* claude_exchange.c: until a 200, with retries. False: answer->outcome says why. */
bool claude_exchange(struct talk *talk, const struct str *body, struct http_reply *reply,
	struct err *err);
bool claude_fail(struct claude_answer *answer, enum claude_outcome outcome, struct err *err,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The wait before the n-th retry (from 0) in ms: as the server says, else a doubling back-off with
 * jitter in 0…1. wall_ms: now, for a date. */
int64_t claude_wait_ms(const struct http_reply *reply, int n, int64_t backoff_ms, double jitter,
	int64_t wall_ms);
/* "Wed, 21 Oct 2026 07:28:00 GMT" → wall ms; -1: not one. */
int64_t claude_http_date(const char *text);

/* claude_price.c */
void claude_count(struct talk *talk, const struct claude_usage *usage);
/* False: no more today, this hour, or until the account's limit ends. */
bool claude_may_ask(struct talk *talk, struct err *err);
int64_t claude_next_month_ms(int64_t wall_ms);

#endif
