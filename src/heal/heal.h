/*
 * The core: the one flow. It owns every incident's life, receives reports, jobs' answers and
 * requests by mail, decides, records, and only then starts what it decided. One thread calls all of
 * these functions; others reach it by its inbox.
 */
#ifndef HEAL_HEAL_H
#define HEAL_HEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/job.h"
#include "base/mailbox.h"
#include "heal/life.h"
#include "model/config.h"
#include "model/observation.h"
#include "store/store.h"

struct heal;

struct heal_options {
	const struct config *config;
	const struct clock *clock;
	struct jobs *jobs;
	struct store *store;         /* the writing handle; stays the caller's */
	struct mailbox *inbox;       /* stays the caller's */
	struct mailbox *reporters[4];/* get a struct notice each; NULL ends */
	bool keeps_notices;          /* in the store too, for channels that may be out of reach */
};

/* Loads what was open when the last run ended. NULL: the store cannot be read. */
struct heal *heal_new(const struct heal_options *options, struct err *err);
void heal_free(struct heal *heal);

/* Says that a source is watched, before its first report; cursor (out): where its last run ended.
 * suffix: "@local" where names would clash; root: what has failed when it can't be seen. */
void heal_add_source(struct heal *heal, const char *name, const char *suffix,
	const struct component *root, char cursor[64]);

/* Takes lives up that a crash or a stop left in the middle of an action. Call once. */
void heal_resume(struct heal *heal);

/* Waits at most max_wait_ms for one mail or timer and handles it, then all that is due. False: told
 * to stop (reload: *reload is set). */
bool heal_step(struct heal *heal, int64_t max_wait_ms, bool *reload);

/* Milliseconds until the next timer; 0 or less: it is due. */
int64_t heal_until_timer(const struct heal *heal);
/* Open lives. */
int heal_open_count(const struct heal *heal);

/* The whole daemon on threads: store, core, watchers, API, terminal; until SIGTERM or SIGINT, or
 * for limit_ms (0: no limit). Returns the exit code. After http_global_init and secret_init. */
struct daemon_options {
	const char *config_file;
	const struct config *config; /* instead of the file: the demo's */
	int64_t limit_ms;
	bool quiet;                  /* no words on stdout */
};
int daemon_run(const struct daemon_options *options);

#endif
