/*
 * What the files of report/notify share: a channel, and the table of kinds, which grows by a file.
 * All of it is the notifier's thread's.
 *   notify.c  opening, rounds, the thread      news.c   which notices are told, and when
 *   send.c    delivery, outcomes, back-off     told.c   what a message says
 *   kinds.c   the table                        ntfy.c … mail.c: a kind each
 */
#ifndef REPORT_NOTIFY_CHANNEL_H
#define REPORT_NOTIFY_CHANNEL_H

#include "base/http.h"
#include "base/str.h"
#include "model/notice.h"
#include "report/ask.h"
#include "report/notify/notify.h"
#include "store/store.h"

/* What a message says, ready for any kind; redacted. */
struct told {
	const char *title, *text;   /* text: possibly several lines */
	const char *id;             /* the same for the same message: "17-1761307200000" */
	int64_t at;                 /* wall ms: when it happened */
	enum severity severity;
	const struct notice *const *notices; /* that it is about, oldest first; none: a test */
	int count;
	const char *approve_url, *reject_url; /* or NULL both */
	const char *host;           /* this machine's name */
};

/* A request to be made; a mail has a body alone. */
struct outgoing {
	const char *method, *path;
	const char *headers[6];     /* ended by NULL */
	const char *body;
	size_t body_bytes;
};

struct channel;
struct channel_kind {
	const char *name;
	bool is_mail;
	/* base: what of the address is before the path that compose makes. */
	void (*compose)(const struct channel *channel, const struct told *told,
		struct outgoing *out, struct arena *arena);
};
extern const struct channel_kind *const channel_kinds[NOTIFY_TYPES];
extern const struct channel_kind ntfy_channel, gotify_channel, discord_channel, slack_channel,
	matrix_channel, webhook_channel, mail_channel;

struct channel {
	const struct config_notify *settings;
	const struct channel_kind *kind;
	const struct clock *clock;
	const char *url, *token;    /* resolved */
	char base[300];             /* of url: scheme, host, port */
	const char *path;           /* of url: from the first slash, or "" */
	struct http *http;
	int stop_fd;
	const char *host;           /* this machine */
	/* where it stands */
	int64_t cursor, held;       /* told up to; the first that quiet hours hold back, 0: none */
	int64_t stored_cursor, stored_held, stored_at;
	int64_t wait_until;         /* mono: back-off, or as the server said */
	int failures;               /* in a row */
	struct channel_status status, status_told;
	int64_t status_at;          /* mono */
	struct notice urgent;       /* homeostat's own trouble, not stored; kind KINDS: none */
	/* the buttons of the question at hand, kept over attempts */
	int64_t offered_approval;
	char approve[TOKEN_BYTES], reject[TOKEN_BYTES];
};

/* A message of at most so many bytes, cut between characters with a sign that it was. */
const char *told_cut(const char *text, size_t most, struct arena *arena);
/* Title and text, an empty line between them when the text has several. */
const char *told_whole(const struct told *told, struct arena *arena);
/* "Authorization: Bearer TOKEN"; NULL without a token. */
const char *channel_bearer(const struct channel *channel, struct arena *arena);
void outgoing_json(struct outgoing *out, const struct str *body);

/* told.c: host is set by the caller. */
void told_one(struct told *told, const struct notice *const *notice, int64_t now,
	struct arena *arena);
void told_many(struct told *told, const struct notice *const *notices, int count,
	struct arena *arena);
void told_test(struct told *told, int64_t now, struct arena *arena);
/* What it is an event of, as the configuration names it; NOTIFY_EVENTS: of none. */
enum notify_event notice_event(enum notice_kind kind);
/* How much it presses now: that something is over never does. */
enum severity notice_urgency(const struct notice *notice);

/* send.c */
enum delivery { DELIVERED, DELAYED, LOST };
bool channel_open(struct channel *channel, const struct config *config,
	const struct config_notify *settings, struct err *err);
void channel_close(struct channel *channel);
bool channel_reach(struct channel *channel, struct err *err);
/* One attempt, of which nothing is remembered. */
bool channel_try(struct channel *channel, const struct told *told, struct arena *arena,
	struct err *err);
enum delivery channel_send(struct channel *channel, const struct told *told, struct arena *arena,
	struct err *err);

/* news.c */
struct notifier {
	struct notify_config config;
	struct asks asks;
	struct mailbox *box;
	struct store *store;        /* a reader of its own */
	char host[64];
	struct channel channels[CONFIG_NOTIFY_MAX];
	int channel_count;
};
struct answer *notifier_ask(struct notifier *notifier, struct request *request,
	struct arena *arena);
/* A round of one channel; *wait_ms grows no larger than what it has to wait for. */
bool channel_step(struct notifier *notifier, struct channel *channel, int64_t *wait_ms);
bool channel_wants(const struct channel *channel, const struct notice *notice);

#endif
