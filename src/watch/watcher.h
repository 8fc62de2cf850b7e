/*
 * The loop of one source: open, look, report by mail; back off while it can't be seen. On a thread
 * of its own, or a look at a time in tests.
 */
#ifndef WATCH_WATCHER_H
#define WATCH_WATCHER_H

#include "base/job.h"
#include "base/mailbox.h"
#include "watch/source.h"

struct watcher;

/* Gives the context of config's index-th source of a kind its name, suffix and root. */
void source_title(const struct source *source, struct source_context *context);

/* NULL: the source's configuration can't work. Does not look yet. */
struct watcher *watcher_new(const struct source *source, const struct source_context *context,
	struct mailbox *core, struct err *err);
/* Starts the loop on a thread that jobs_free joins. */
bool watcher_start(struct watcher *watcher, struct jobs *jobs, struct err *err);
/* One look that waits at most wait_ms, and its report. For the loop, and for tests. Returns false
 * when the source could not be seen. */
bool watcher_step(struct watcher *watcher, int64_t wait_ms);
/* After its thread has ended. NULL is allowed. */
void watcher_free(struct watcher *watcher);

#endif
