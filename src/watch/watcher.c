#include "watch/watcher.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "model/request.h"

#define ARENA_LIMIT ((size_t)256 << 20)
#define BACKOFF_MIN_MS 500
#define BACKOFF_MAX_MS 5000

struct watcher {
	const struct source *source;
	struct source_context context;
	struct mailbox *core;
	void *self;
	bool reached, ever_reported;
	char trouble[480];       /* as last reported */
	int64_t trouble_sent_at; /* mono */
	int64_t backoff_ms;
	unsigned random;
};

void source_title(const struct source *source, struct source_context *context)
{
	const char *title = source->title(context->config, context->index);
	STR_FORMAT(context->name, "%s:%s", source->name, title);
	if (source->count(context->config) > 1)
		STR_FORMAT(context->suffix, "@%s", title);
	context->root = (struct component){.kind = source->root};
	if (source->root_name == NULL)
		return;
	bool titled = str_ends(source->root_name, "_");
	STR_FORMAT(context->root.name, "%s%s", source->root_name, titled ? title : context->suffix);
	STR_SET(context->root.label, titled ? title : context->name);
	STR_SET(context->root.source, context->name);
	if (source->home != NULL)
		source->home(context->config, context->index, context->root.parent);
	context->root.shell = source->shell != NULL && source->shell(context->config, context->index);
}

struct watcher *watcher_new(const struct source *source, const struct source_context *context,
	struct mailbox *core, struct err *err)
{
	struct watcher *watcher = calloc(1, sizeof(*watcher));
	if (watcher == NULL)
		abort();
	watcher->source = source;
	watcher->context = *context;
	watcher->core = core;
	watcher->backoff_ms = BACKOFF_MIN_MS;
	watcher->random = (unsigned)clock_mono_ms(context->clock) | 1;
	watcher->self = source->open(context, err);
	if (watcher->self != NULL)
		return watcher;
	free(watcher);
	return NULL;
}

void watcher_free(struct watcher *watcher)
{
	if (watcher == NULL)
		return;
	watcher->source->close(watcher->self);
	free(watcher);
}

/* That it can't be seen is said once, then when the reason changes, then once an interval. */
static bool worth_saying(const struct watcher *watcher, const struct report *report)
{
	if (report->reached)
		return report->count > 0 || report->complete || !watcher->reached;
	int64_t now = clock_mono_ms(watcher->context.clock);
	return watcher->reached || !watcher->ever_reported ||
		strcmp(watcher->trouble, report->text) != 0 ||
		now - watcher->trouble_sent_at >= watcher->context.config->interval_ms;
}

bool watcher_step(struct watcher *watcher, int64_t wait_ms)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct report *report = ARENA_NEW(arena, struct report);
	struct err err = {0};
	int64_t began = clock_mono_ms(watcher->context.clock);
	STR_SET(report->source, watcher->context.name);
	report->reached = watcher->source->look(watcher->self, wait_ms, arena, report, &err);
	report->took_ms = clock_mono_ms(watcher->context.clock) - began;
	bool reached = report->reached;
	if (!reached) {
		report->count = 0;
		report->complete = false;
		STR_SET(report->text, err.text);
	}
	if (!reached && err.kind == ERR_CANCELLED) {
		arena_free(arena);
		return false;
	}
	if (worth_saying(watcher, report)) {
		STR_SET(watcher->trouble, report->text);
		watcher->trouble_sent_at = clock_mono_ms(watcher->context.clock);
		watcher->ever_reported = true;
		mailbox_send(watcher->core, MAIL_REPORT, &arena, report);
	}
	watcher->reached = reached;
	arena_free(arena);
	return reached;
}

/* Doubled up to a ceiling, less up to a quarter, so that many watchers do not knock together. */
static int64_t next_backoff(struct watcher *watcher)
{
	int64_t backoff = watcher->backoff_ms;
	watcher->backoff_ms = backoff * 2 < BACKOFF_MAX_MS ? backoff * 2 : BACKOFF_MAX_MS;
	watcher->random = watcher->random * 1103515245u + 12345u;
	return backoff - backoff * (watcher->random >> 16 & 0xFF) / 1024;
}

static void *watcher_main(void *arg)
{
	struct watcher *watcher = arg;
	const struct source_context *context = &watcher->context;
	bool going = true;
	while (going && !mailbox_is_closed(watcher->core)) {
		if (watcher_step(watcher, context->config->interval_ms)) {
			watcher->backoff_ms = BACKOFF_MIN_MS;
			going = clock_wait(context->clock, 0, context->stop_fd);
		} else {
			going = clock_wait(context->clock, next_backoff(watcher), context->stop_fd);
		}
	}
	return NULL;
}

bool watcher_start(struct watcher *watcher, struct jobs *jobs, struct err *err)
{
	if (jobs_thread(jobs, watcher->context.name, watcher_main, watcher))
		return true;
	return err_set(err, ERR_SYSTEM, "%s: no thread could be made", watcher->context.name);
}
