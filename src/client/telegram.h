/*
 * Client of the Telegram Bot API, 10.3 and older: plain blocking calls, one handle a thread. What
 * is read comes as plain structs in the caller's arena; ids have 52 significant bits, times are
 * seconds; texts are never NULL. Everything from the server is untrusted; the token, which stands
 * in every URL, is in no error. Each call ends by its deadline or when stop_fd is readable.
 * A call that fails says what that means for the sender as an outcome; err's kind goes with it.
 * There is no idempotency key: what may have been done after all is TELEGRAM_AMBIGUOUS.
 * Source: core.telegram.org/bots/api and the sources of its server.
 */
#ifndef CLIENT_TELEGRAM_H
#define CLIENT_TELEGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* The sender of what an anonymous administrator of a group writes. */
#define TELEGRAM_ANONYMOUS INT64_C(1087968824)
#define TELEGRAM_POLL_MAX_S 50
#define TELEGRAM_TEXT_MAX 4096    /* of visible text */
#define TELEGRAM_CAPTION_MAX 1024
#define TELEGRAM_DATA_MAX 64      /* bytes of a button's data */

struct telegram;

struct telegram_config {
	const char *token;   /* "123456:AA…": the value itself */
	const char *api_url; /* NULL: https://api.telegram.org */
	int64_t chat;        /* where messages go that name no other; 0: none */
};

/* Talks to nobody. Strings are copied. NULL: the configuration makes no sense. */
struct telegram *telegram_open(const struct telegram_config *config, int stop_fd, struct err *err);
void telegram_close(struct telegram *telegram);
/* The chat of the configuration has become another (TELEGRAM_MIGRATED). */
void telegram_move(struct telegram *telegram, int64_t chat);

enum telegram_outcome {
	TELEGRAM_DONE,
	TELEGRAM_UNCHANGED,    /* an edit to what it already says: done as well */
	TELEGRAM_RATE_LIMITED, /* not done: wait retry_after_s, for this chat */
	TELEGRAM_RETRY,        /* not done, or harmless to repeat: later, with back-off */
	TELEGRAM_AMBIGUOUS,    /* a send without an answer: it may be in the chat */
	TELEGRAM_CANCELLED,    /* stop_fd; a send may be in the chat */
	TELEGRAM_CHAT_DEAD,    /* blocked, kicked, deactivated, not found: no retry helps */
	TELEGRAM_MIGRATED,     /* not done: store the new id, chat, and send once more there */
	TELEGRAM_MESSAGE_GONE, /* to be edited or deleted, or too old for it: send a new one */
	TELEGRAM_BAD_ENTITIES, /* HTML that does not parse: send it once more as plain text */
	TELEGRAM_TOO_LONG,     /* text, caption or file */
	TELEGRAM_BAD_PHOTO,    /* not accepted as a photo: send it as a document */
	TELEGRAM_NO_THREAD,    /* the topic is gone or closed: send it to the general one, thread 0 */
	TELEGRAM_QUERY_OLD,    /* the callback can't be answered any more: ignore */
	TELEGRAM_WEBHOOK,      /* a webhook takes the updates: telegram_delete_webhook, or tell */
	TELEGRAM_OTHER_POLLER, /* another getUpdates ended ours: ours of before a restart, or a rival */
	TELEGRAM_UNAUTHORIZED, /* the token is wrong or revoked */
	TELEGRAM_REFUSED,      /* anything else that is wrong with the request */
};
/* "done", "rate_limited", …: static, for metrics and the log. */
const char *telegram_outcome_name(enum telegram_outcome outcome);

struct telegram_result {
	enum telegram_outcome outcome;
	int status;             /* of HTTP; 0: no answer */
	int64_t message_id;     /* of what was sent or edited; 0: not told */
	int64_t chat;           /* TELEGRAM_MIGRATED: the new id */
	int64_t retry_after_s;  /* TELEGRAM_RATE_LIMITED: at least 1 */
	bool may_be_done;       /* TELEGRAM_RETRY of a send: a gateway gave up on it, it may be there */
};

/* Each returns whether the outcome is DONE or UNCHANGED; result is always filled. */

struct telegram_me { int64_t id; char username[64], name[128]; };
bool telegram_me(struct telegram *telegram, struct telegram_me *me,
	struct telegram_result *result, struct err *err);

/* Updates. The server forgets what is below offset, so pass one only after everything below is
 * durably handled; the same update may come again all the same, and ids may jump. */
enum telegram_kind {
	TELEGRAM_OTHER,    /* a kind that this does not know: nothing but its id is there */
	TELEGRAM_MESSAGE,
	TELEGRAM_CALLBACK, /* a button was pressed: telegram_answer at once */
};
enum telegram_chat_type {
	TELEGRAM_CHAT_UNKNOWN, TELEGRAM_PRIVATE, TELEGRAM_GROUP, TELEGRAM_SUPERGROUP, TELEGRAM_CHANNEL,
};
enum telegram_origin { /* of a callback: the message that its button belongs to */
	TELEGRAM_MISSING,      /* not told; chat is 0 */
	TELEGRAM_INACCESSIBLE, /* chat and message_id only: deleted or too old */
	TELEGRAM_PRESENT,
};
struct telegram_update {
	int64_t id;
	enum telegram_kind kind;
	int64_t chat;          /* 0: none */
	enum telegram_chat_type chat_type;
	int64_t thread;        /* topic of a forum; 0: the general one, or none */
	int64_t message_id, date_s;
	int64_t from;          /* who wrote, or pressed: judge by it who may; 0: not told */
	const char *name, *username; /* of from: "Ada Lovelace", "ada" */
	bool from_is_bot;
	int64_t sender_chat;   /* written in the name of this chat; 0: of a person */
	bool is_anonymous;     /* as the group or a channel: nobody knows who it was */
	bool is_forwarded;     /* somebody else's words */
	bool via_bot;          /* written by an inline bot in from's name */
	const char *text;      /* "" without one */
	int64_t migrate_to, migrate_from; /* the group has become a supergroup: new and old id; or 0 */
	const char *callback, *data;      /* of a callback: its id, and what its button carries */
	enum telegram_origin origin;
};
struct telegram_batch {
	struct telegram_update *updates;
	int count;
	int64_t next_offset;   /* to pass when all of these are handled; 0: there were none */
};
struct telegram_poll {
	int64_t offset;        /* 0: from the oldest that is not confirmed */
	int timeout_s;         /* taken as 0..TELEGRAM_POLL_MAX_S */
	int limit;             /* taken as 1..100; 0: 100 */
};
bool telegram_poll(struct telegram *telegram, const struct telegram_poll *poll,
	struct arena *arena, struct telegram_batch *batch, struct telegram_result *result,
	struct err *err);
/* The answer's body. */
bool telegram_batch_parse(const char *text, size_t length, struct arena *arena,
	struct telegram_batch *batch, struct err *err);
/* A webhook takes all updates: this ends it and keeps what waits. */
bool telegram_delete_webhook(struct telegram *telegram, struct telegram_result *result,
	struct err *err);

/* Messages. */
enum telegram_style { TELEGRAM_STYLE_NONE, TELEGRAM_PRIMARY, TELEGRAM_SUCCESS, TELEGRAM_DANGER };
struct telegram_button { const char *text, *data; enum telegram_style style; };
struct telegram_row { const struct telegram_button *buttons; int count; };
struct telegram_message {
	int64_t chat;       /* 0: the configuration's */
	int64_t thread;     /* 0: none */
	int64_t reply_to;   /* a message of the same chat, which may be gone; 0: none */
	const char *text;   /* HTML, or plain; of a file its caption, which may be NULL */
	bool is_plain, is_silent;
	const struct telegram_row *rows;
	int row_count;      /* 0: no buttons; in an edit, those there are go */
};
bool telegram_send(struct telegram *telegram, const struct telegram_message *message,
	struct telegram_result *result, struct err *err);
bool telegram_edit(struct telegram *telegram, int64_t message_id,
	const struct telegram_message *message, struct telegram_result *result, struct err *err);
/* Its buttons alone. */
bool telegram_edit_buttons(struct telegram *telegram, int64_t message_id,
	const struct telegram_message *message, struct telegram_result *result, struct err *err);
/* chat 0: the configuration's. */
bool telegram_delete(struct telegram *telegram, int64_t chat, int64_t message_id,
	struct telegram_result *result, struct err *err);

struct telegram_file { const char *name, *type; const void *bytes; size_t length; };
enum telegram_upload { TELEGRAM_PHOTO, TELEGRAM_DOCUMENT };
bool telegram_send_file(struct telegram *telegram, const struct telegram_message *message,
	enum telegram_upload as, const struct telegram_file *file, struct telegram_result *result,
	struct err *err);

/* To a callback: at once, before slow work. text: shown for a moment, or in a box that wants to be
 * closed; the first 200 characters of it; "" or NULL: nothing is shown. */
struct telegram_answer { const char *callback, *text; bool is_alert; };
bool telegram_answer(struct telegram *telegram, const struct telegram_answer *answer,
	struct telegram_result *result, struct err *err);

/* The list behind the "/" key. At most 100; name: 1..32 of a-z, 0-9, _; summary 1..256. scope:
 * "all_private_chats", "all_group_chats", …; NULL: everywhere. */
struct telegram_command { const char *name, *summary; };
struct telegram_commands { const struct telegram_command *rows; int count; const char *scope; };
bool telegram_set_commands(struct telegram *telegram, const struct telegram_commands *commands,
	struct telegram_result *result, struct err *err);

#endif
