/* What the files telegram*.c share: the handle, and one question with its answer. */
#ifndef CLIENT_TELEGRAM_INTERNAL_H
#define CLIENT_TELEGRAM_INTERNAL_H

#include "base/http.h"
#include "base/json.h"
#include "client/telegram.h"

#define TELEGRAM_TIMEOUT_MS 15000
/* One answer is cut at about 4 MiB by the server. */
#define TELEGRAM_ANSWER_BYTES ((size_t)16 * 1024 * 1024)
#define TELEGRAM_SCRATCH_BYTES ((size_t)256 * 1024 * 1024)

struct telegram {
	struct arena *arena;
	struct http *http;
	char *token;       /* wiped at the end */
	int64_t chat;
	bool has_no_style; /* the server refused a button's style: none is sent any more */
};

struct telegram_question {
	const char *method; /* "sendMessage" */
	const char *type;   /* of the body; NULL: JSON */
	const char *body;
	size_t body_bytes;
	int64_t timeout_ms;
	bool adds;          /* doing it twice is seen twice: its loss is ambiguous */
};

/* One exchange; *answer is the member result. Fills result. */
bool telegram_ask(struct telegram *telegram, const struct telegram_question *question,
	struct arena *arena, struct json *answer, struct telegram_result *result, struct err *err);

/* telegram_error.c: what an answer that is no success means. Always returns false. */
bool telegram_refused(const struct telegram_question *question, const struct http_reply *reply,
	struct arena *arena, struct telegram_result *result, struct err *err);
/* The same without an answer; why is http_perform's. */
bool telegram_unanswered(const struct telegram_question *question, const struct http_reply *reply,
	const struct err *why, struct telegram_result *result, struct err *err);

/* telegram_update.c: an array of updates. */
bool telegram_take_updates(struct json list, struct arena *arena, struct telegram_batch *batch,
	struct err *err);

/* telegram_keyboard.c: as JSON under key reply_markup; with none, nothing, or if wanted an empty
 * one. False: ERR_INPUT, a button that no server takes. */
bool telegram_put_rows(struct json_out *out, const struct telegram_message *message,
	bool with_style, bool wants_empty, struct err *err);
bool telegram_has_style(const struct telegram_message *message);

#endif
