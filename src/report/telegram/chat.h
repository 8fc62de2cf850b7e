/*
 * The live Telegram chat. Two threads: the poller asks for updates, with a client handle of its
 * own; the talker owns the other handle and does all the rest: it hears commands and presses, and
 * tells what the store's notices say. Everything that changes something is a request to the core;
 * where the chat stands (Telegram's offset, the last notice told) is committed with it.
 * The threads are thin loops around steps, which a test calls itself: chat_step.
 */
#ifndef REPORT_TELEGRAM_CHAT_H
#define REPORT_TELEGRAM_CHAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/job.h"
#include "base/mailbox.h"
#include "model/config.h"
#include "model/request.h"

struct chat;

/* Asks the core and waits; NULL: there was no answer in time, and nobody knows. In the arena. */
typedef struct answer *chat_ask_fn(
	void *ctx, const struct request *request, int64_t timeout_ms, struct arena *arena);

struct chat_config {
	const struct config *config; /* its telegram section has a token */
	const struct clock *clock;
	unsigned char audit_key[32];
	int stop_fd;                 /* readable: every wait ends */
	struct mailbox *core;        /* requests go here; or, for a test: */
	chat_ask_fn *ask;
	void *ask_ctx;
};

/* Talks to nobody yet. NULL: the token cannot be had, or the store not be read. */
struct chat *chat_open(const struct chat_config *config, struct err *err);
/* Both threads; after the store has its tables. */
bool chat_start(struct chat *chat, struct jobs *jobs, struct err *err);
/* Whoever waits in it is let go; the threads end, and jobs_free joins them. */
void chat_stop(struct chat *chat);
/* After the core's last step. NULL is allowed. */
void chat_close(struct chat *chat);

/* For the core's notices: they say that there is news in the store. */
struct mailbox *chat_mailbox(struct chat *chat);

/* One round of both threads' work, in the caller's; polls: of the poller's too. True: something
 * happened, so that another round may have more to do. */
bool chat_step(struct chat *chat, bool polls);

#endif
