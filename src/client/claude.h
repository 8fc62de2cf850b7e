/*
 * The Anthropic Messages API and, as a second dialect, OpenAI-compatible chat completions (Ollama,
 * llama.cpp, vLLM): one question with tools, asked in rounds until the model has answered. What a
 * model says is untrusted; what is sent passes the redactor. Never streams, never sends
 * temperature, tool_choice or the beginning of an answer. A client belongs to one thread.
 */
#ifndef CLIENT_CLAUDE_H
#define CLIENT_CLAUDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

struct claude;

enum claude_dialect { CLAUDE_ANTHROPIC, CLAUDE_OPENAI };

/* Dollars a million tokens. The first row whose pattern fits the model and whose tier holds the
 * prompt counts; a model without a row has an unknown cost, which is not 0. */
struct claude_price {
	const char *pattern;  /* "claude-haiku-5-5*" */
	int64_t up_to_tokens; /* of the prompt, all kinds of input together; 0: any */
	double in, out, write_5m, write_1h, read;
};
/* The table that counts without one in the configuration, and the day it was looked up. */
extern const struct claude_price claude_prices[];
extern const size_t claude_price_count;
extern const char claude_prices_date[];

struct claude_usage {
	int64_t in_tokens, out_tokens; /* in: neither written to the cache nor read from it */
	int64_t write_5m_tokens, write_1h_tokens, read_tokens;
};
/* Dollars of one answer; -1: unknown. */
double claude_cost(const struct claude_price *prices, size_t count, const char *model,
	const struct claude_usage *usage);

struct claude_config {
	const char *name;          /* for errors; NULL: "claude" */
	enum claude_dialect dialect;
	const char *api_url;       /* "https://api.anthropic.com", "http://127.0.0.1:11434/v1" */
	const char *api_key;       /* NULL: none is sent (local servers) */
	bool bearer;               /* Authorization: Bearer instead of x-api-key */
	const char *ca_file;
	const char *model;
	int64_t max_tokens;        /* 0: 4,096 */
	int64_t max_tokens_raised; /* after an answer was cut, once; 0: four times max_tokens */
	int64_t prompt_bytes;      /* a larger request is not sent; 0: 300,000 (< 100,000 tokens) */
	int64_t result_bytes;      /* a tool's longer result is cut; 0: 16,384 */
	int64_t timeout_ms;        /* one exchange; 0: 120,000 */
	int64_t deadline_ms;       /* a whole question, waiting included; 0: 300,000 */
	int retries;               /* of one exchange; 0: 2, -1: none */
	int64_t backoff_ms;        /* first wait, doubling to 16 times; 0: 500 */
	int64_t breaker_ms;        /* after a refused key or model nobody is asked so long; 0: 1 h */
	double usd_a_day;          /* 0: no limit */
	int calls_an_hour;         /* 0: no limit */
	const struct claude_price *prices; /* NULL: claude_prices */
	size_t price_count;
};

/* What was spent, for the caller to keep over restarts. Days are UTC. */
struct claude_spent {
	int64_t day; /* since 1970 */
	double usd;
	int64_t unpriced_calls; /* of that day: answers whose cost is unknown */
	int64_t hour;
	int calls;
	int64_t shut_until_ms; /* wall: the account's own limit was reached */
};

struct claude_tool {
	const char *name, *description; /* name: see claude_tool_name */
	const char *schema;             /* of its input, a JSON object */
	bool strict;
};

struct claude_call {
	const char *name, *id;
	struct json input; /* untrusted, and valid JSON; an object */
	struct arena *arena;
};
/* Runs a tool and adds its result. False: the model is told that it failed. */
typedef bool claude_tool_fn(void *ctx, const struct claude_call *call, struct str *result);

struct claude_question {
	const char *system, *user;
	const char *schema; /* of the answer, a JSON object; NULL: prose */
	const struct claude_tool *tools;
	size_t tool_count;
	claude_tool_fn *run; /* NULL without tools */
	void *run_ctx;
	int rounds;        /* of tools; 0: 8 */
	const char *model; /* instead of the configured one, or NULL */
};

enum claude_outcome {
	CLAUDE_ANSWERED,
	CLAUDE_DECLINED,      /* a refusal: the same text makes no sense again */
	CLAUDE_CUT,           /* longer than max_tokens, twice */
	CLAUDE_CONTEXT_FULL,  /* the model's context window is full */
	CLAUDE_ROUNDS,        /* wanted more rounds of tools or pauses than it may have */
	CLAUDE_GARBLED,       /* not the API, or an answer that is not what the schema says */
	CLAUDE_OVERLOADED,    /* this model is: try the next one */
	CLAUDE_LIMITED,       /* too many requests: later */
	CLAUDE_SPENT,         /* the account's or our own limit: not until retry_at_ms */
	CLAUDE_MISCONFIGURED, /* key, rights, bill or model: a person has to mend it */
	CLAUDE_INVALID,       /* the request: a bug of ours, or a schema it does not take */
	CLAUDE_TOO_LARGE,
	CLAUDE_TIMED_OUT,
	CLAUDE_UNREACHABLE,
	CLAUDE_CANCELLED,
};
const char *claude_outcome_name(enum claude_outcome outcome); /* "answered", … */

struct claude_answer {
	enum claude_outcome outcome;
	const char *text;      /* "" without one; in the arena */
	struct json verdict;   /* with a schema: the object, checked against it */
	char stop_reason[48];  /* as it was sent; an unknown one with a text counts as an answer */
	char model[80];        /* that answered */
	char category[48];     /* of a refusal */
	char request_id[80];   /* of the last answer */
	bool is_news;          /* MISCONFIGURED, SPENT: not told before */
	int64_t retry_at_ms;   /* wall, 0: unknown */
	struct claude_usage usage; /* of all exchanges, also when false */
	double cost_usd;       /* of those that are known */
	bool cost_known;       /* of all of them */
	int exchanges, rounds, calls;
};

/* NULL: err names the key that is wrong. Strings are copied; prices are not. */
struct claude *claude_open(const struct claude_config *config, const struct clock *clock,
	int stop_fd, struct err *err);
void claude_close(struct claude *claude);

/* Asks, and asks again. True: ANSWERED. False: err for people, answer->outcome for the program; the
 * cost of what was answered on the way is in the answer either way. */
bool claude_ask(struct claude *claude, const struct claude_question *question,
	struct arena *arena, struct claude_answer *answer, struct err *err);

void claude_spent_get(const struct claude *claude, struct claude_spent *spent);
void claude_spent_set(struct claude *claude, const struct claude_spent *spent);
/* After the configuration was changed: a refused key is tried again. */
void claude_mended(struct claude *claude);

#define CLAUDE_TOOL_NAME_BYTES 65
/* A name that both APIs take (letters, digits, _ and -, at most 64) for any other, as of an MCP
 * tool; what had to be changed gets a hash, so that no two become one. */
void claude_tool_name(const char *name, char field[CLAUDE_TOOL_NAME_BYTES]);

/* Whether structured outputs take a schema: additionalProperties false on every object, no
 * recursion, no numbers' limits. ERR_INPUT names the place. */
bool claude_schema_check(const char *schema, struct err *err);
/* Whether a value is what the schema says. */
bool claude_schema_fits(struct json schema, struct json value, struct err *err);

/* The decoder alone, for tests and fuzzing: one 200 body of either dialect. */
bool claude_decode(enum claude_dialect dialect, const char *body, size_t length,
	struct arena *arena, struct claude_answer *answer, struct err *err);

#endif
