/*
 * Other ways to people than Telegram: ntfy, Gotify, Discord, Slack, Matrix, mail, a webhook. Each
 * configured channel reads the store's notices after a number of its own, which is committed once
 * they are delivered: at least once, late rather than never, with the time at which it happened.
 * One thread for all of them, a thin loop around a step, which a test calls itself.
 */
#ifndef REPORT_NOTIFY_NOTIFY_H
#define REPORT_NOTIFY_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/job.h"
#include "base/mailbox.h"
#include "model/config.h"
#include "model/request.h"

struct notifier;

/* Asks the core and waits; NULL: there was no answer in time, and nobody knows. In the arena. */
typedef struct answer *notify_ask_fn(
	void *ctx, const struct request *request, int64_t timeout_ms, struct arena *arena);

struct notify_config {
	const struct config *config; /* has channels */
	const struct clock *clock;
	unsigned char audit_key[32];
	int stop_fd;                 /* readable: every wait ends */
	struct mailbox *core;        /* requests go here; or, for a test: */
	notify_ask_fn *ask;
	void *ask_ctx;
};

/* After the store has its tables. NULL: a secret is missing, or the store cannot be read. */
struct notifier *notifier_open(const struct notify_config *config, struct err *err);
bool notifier_start(struct notifier *notifier, struct jobs *jobs, struct err *err);
/* Whoever waits in it is let go; the thread ends, and jobs_free joins it. */
void notifier_stop(struct notifier *notifier);
/* After the core's last step. NULL is allowed. */
void notifier_close(struct notifier *notifier);

/* For the core's notices: they say that there is news in the store. */
struct mailbox *notifier_mailbox(struct notifier *notifier);

/* One round; *wait_ms: until the next is due. True: something was sent or recorded, so that another
 * round may have more to do. */
bool notifier_step(struct notifier *notifier, int64_t *wait_ms);

/* Without a core: whether the secrets are there and its server answers (a mail server is not
 * asked); and a message that says it is a test. */
bool notify_reach(const struct config *config, int index, int stop_fd, struct err *err);
bool notify_test(const struct config *config, int index, int stop_fd, struct err *err);

#endif
