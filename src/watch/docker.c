/*
 * Docker: follows the event stream for what happens, and compares two cheap lists with its memory
 * for what was missed. A whole list is read only on connecting.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http.h"
#include "base/log.h"
#include "base/str.h"
#include "watch/docker_see.h"

#define LIST_MS 15000
#define PING_MS 15000
/* The replay of past events comes at once; this long without one and it is over. */
#define REPLAY_IDLE_MS 100
#define BATCH 64
/* A die event comes a millisecond after the exit; what was missed is told by the next comparison.
 */
#define DEFERRED_MS 500
/* The engine gives its containers 10 s to end, and itself 15 s. */
#define STOPPING_MS 20000
#define TOGETHER_MS 500
#define AT_ONCE_MS 50

static bool is_up(const struct memo *memo)
{
	return memo->state == OBS_RUNNING || memo->state == OBS_RESTARTING;
}

/* Whether a stop belongs to the same shutdown as those from `began` on. The engine asks all at
 * once: one that had ended before the next was asked was a person's, unless they are very close. */
static bool belongs(const struct memo *memo, int64_t began, bool first)
{
	int64_t gap = began - memo->signalled_at;
	if (!memo->ending.stop_asked || gap <= 0)
		return false;
	if (first)
		return gap <= STOPPING_MS;
	return gap <= AT_ONCE_MS || (gap <= TOGETHER_MS && memo->died_at >= began);
}

/* When the engine's own shutdown began to stop its containers; INT64_MAX: it did not. Its signals
 * follow each other closely, up to the loss, and leave none out. */
static int64_t shutdown_began(const struct docker_source *source)
{
	const struct memory *memory = &source->memory;
	int64_t began = source->lost_at + 1;
	bool first = true;
	for (const struct memo *next = NULL; first || next != NULL; first = false) {
		next = NULL;
		for (int i = 0; i < memory->count; i++) {
			const struct memo *memo = &memory->memos[i];
			if (belongs(memo, began, first) &&
				(next == NULL || memo->signalled_at > next->signalled_at))
				next = memo;
		}
		if (next != NULL)
			began = next->signalled_at;
	}
	int asked = 0;
	for (int i = 0; i < memory->count; i++) {
		const struct memo *memo = &memory->memos[i];
		if (is_up(memo) && memo->signalled_at < began)
			return INT64_MAX; /* one ran on: the others were a person's */
		asked += memo->ending.stop_asked && memo->signalled_at >= began;
	}
	return asked > 1 ? began : INT64_MAX;
}

/* What ran until now, and does not when the engine is back, went down with it. */
static void note_loss(struct docker_source *source)
{
	source->lost_at = clock_wall_ms(source->context.clock);
	int64_t began = shutdown_began(source);
	for (int i = 0; i < source->memory.count; i++) {
		struct memo *memo = &source->memory.memos[i];
		memo->ending.all_stopped = memo->ending.stop_asked && memo->signalled_at >= began;
		memo->ran_at_loss = is_up(memo) || memo->ending.all_stopped;
		memo->signalled_away = false;
	}
}

static void disconnect(struct docker_source *source)
{
	docker_events_close(source->events);
	source->events = NULL;
	if (source->listed)
		note_loss(source);
	source->listed = false;
}

/* Notes what an event tells of a container's end. True: its state is worth a look. */
static bool note_event(struct docker_source *source, const struct docker_event *event)
{
	if (event->cursor[0] != '\0')
		STR_SET(source->cursor, event->cursor);
	if (event->action[0] == '\0' || event->id[0] == '\0')
		return false;
	if (strcmp(event->action, "destroy") == 0)
		return true;
	struct memo *memo = memory_get(&source->memory, event->id);
	if (strcmp(event->action, "kill") == 0) {
		/* Whether it was a stop depends on the container's own stop signal, known when it is
		 * inspected. */
		memo->signals |= UINT64_C(1) << (event->signal & 63);
		memo->signalled_at = event->at_ms;
		memo->signalled_away = !source->listed;
		return false;
	}
	if (strcmp(event->action, "oom") == 0) {
		memo->ending.oom = true;
		return false;
	}
	if (strcmp(event->action, "start") == 0) {
		memo->ending = (struct ending){0};
		memo->signals = 0;
		memo->signalled_away = false;
		memo->deferred = false;
		/* what a new engine has started, it did not take down */
		memo->ran_at_loss = false;
	}
	if (strcmp(event->action, "die") == 0) {
		memo->ending.died = true;
		memo->died_at = event->at_ms;
	}
	/* "stop" and "restart" come after the die and the start that say the same. */
	return strcmp(event->action, "stop") != 0 && strcmp(event->action, "restart") != 0;
}

/* What happened since the cursor, before the list is read: how containers ended is in it. */
static bool replay(struct docker_source *source, const char *last, struct err *err)
{
	struct docker_event event;
	for (;;) {
		switch (docker_events_next(source->events, REPLAY_IDLE_MS, &event, err)) {
		case DOCKER_EVENT:
			if (last[0] != '\0' && strcmp(event.cursor, last) == 0)
				source->gap = false;
			else
				note_event(source, &event);
			break;
		case DOCKER_IDLE:
			return true;
		case DOCKER_END:
			return false;
		}
	}
}

/* A nanosecond before the last event that we know: an engine that still has that one has also kept
 * all that came after it. */
static bool before_cursor(const char *cursor, char *since, size_t size)
{
	long long seconds, nanoseconds;
	if (sscanf(cursor, "%18lld.%9lld", &seconds, &nanoseconds) != 2)
		return false;
	if (nanoseconds-- == 0) {
		nanoseconds = 999999999;
		seconds--;
	}
	return str_format(since, size, "%lld.%09lld", seconds, nanoseconds);
}

/* From where the stream is wanted. What a look may still act on, a person may have done before our
 * own start: then the cursor alone would not tell of it. */
static void choose_since(struct docker_source *source, const char *cursor, char *since, size_t size)
{
	int64_t recent = (clock_wall_ms(source->context.clock) -
						 source->context.config->brakes.recent_exit_ms) /
		1000;
	bool knows = before_cursor(cursor, since, size);
	bool is_older = knows && strtoll(since, NULL, 10) < recent;
	if (!knows || (source->lost_at == 0 && !is_older))
		str_format(since, size, "%lld.000000000", (long long)recent);
}

static bool open_stream(struct docker_source *source, struct err *err)
{
	char since[40], last[40];
	STR_SET(last, source->cursor);
	choose_since(source, last, since, sizeof(since));
	source->events = docker_events_open(source->stream, since, err);
	source->gap = true;
	return source->events != NULL && replay(source, last, err);
}

static bool connect_and_list(struct docker_source *source, struct report *report, struct err *err)
{
	if (!open_stream(source, err) || !docker_see_all(source, report, err))
		return false;
	int64_t now = clock_mono_ms(source->context.clock);
	source->listed = true;
	source->next_ping = now + source->ping_ms;
	source->next_reconcile = now + source->context.config->interval_ms;
	report->complete = true;
	return true;
}

static bool take_event(struct docker_source *source, const struct docker_event *event,
	struct report *report, struct err *err)
{
	if (!note_event(source, event))
		return true;
	if (strcmp(event->action, "destroy") == 0) {
		docker_see_gone(source, event->id, report);
		return true;
	}
	if (strcmp(event->action, "rename") == 0)
		docker_see_renamed(source, event->id, report);
	return docker_see_one(source, event->id, report, err);
}

/* Events until there is none left, or one brought news: that is not kept waiting. */
static bool follow(
	struct docker_source *source, int64_t wait_ms, struct report *report, struct err *err)
{
	struct docker_event event;
	for (int n = 0; n < BATCH; n++) {
		switch (docker_events_next(source->events, wait_ms, &event, err)) {
		case DOCKER_EVENT:
			if (!take_event(source, &event, report, err))
				return false;
			break;
		case DOCKER_IDLE:
			return true;
		case DOCKER_END:
			return false;
		}
		if (report->count > 0)
			return true;
	}
	return true;
}

static bool ping(struct docker_source *source, struct err *err)
{
	struct docker_version version;
	source->next_ping = clock_mono_ms(source->context.clock) + source->ping_ms;
	return docker_version(source->query, &version, err);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool look_on(
	struct docker_source *source, int64_t wait_ms, struct report *report, struct err *err)
{
	int64_t now = clock_mono_ms(source->context.clock);
	int64_t due = least(source->next_ping, source->next_reconcile) - now;
	if (!follow(source, least(wait_ms, due > 0 ? due : 0), report, err))
		return false;
	now = clock_mono_ms(source->context.clock);
	if (source->deferred)
		source->next_reconcile = least(source->next_reconcile, now + DEFERRED_MS);
	source->deferred = false;
	if (report->count > 0)
		return true;
	if (now >= source->next_reconcile) {
		source->next_reconcile = now + source->context.config->interval_ms;
		source->next_ping = now + source->ping_ms;
		return docker_see_differences(source, report, err);
	}
	return now < source->next_ping || ping(source, err);
}

static bool look(
	void *self, int64_t wait_ms, struct arena *arena, struct report *report, struct err *err)
{
	struct docker_source *source = self;
	source->arena = arena;
	report->seen_mono_ms = clock_mono_ms(source->context.clock);
	bool ok = source->listed ? look_on(source, wait_ms, report, err)
							 : connect_and_list(source, report, err);
	STR_SET(report->cursor, source->cursor);
	if (!ok) {
		report->trouble = err->kind == ERR_DENIED ? OBS_ERR_DENIED : OBS_ERR_DOWN;
		disconnect(source);
	}
	return ok;
}

static int count(const struct config *config)
{
	return config->docker_count;
}

static const char *title(const struct config *config, int index)
{
	return config->docker[index].name;
}

static bool has_host(const struct config *config, int index)
{
	return config->docker[index].host != NULL;
}

static void close_source(void *self)
{
	struct docker_source *source = self;
	if (source == NULL)
		return;
	docker_events_close(source->events);
	docker_close(source->stream);
	docker_close(source->query);
	memory_free(&source->memory);
	free(source);
}

/* The suffix is the cluster's, where there are several. */
static void home(const struct config *config, int index, char name[NAME_MAX_BYTES])
{
	const struct config_docker *docker = &config->docker[index];
	bool is_one = config->proxmox_count < 2;
	name[0] = '\0';
	if (docker->guest > 0)
		str_format(name, NAME_MAX_BYTES, "guest_%lld%s%s", (long long)docker->guest,
			is_one ? "" : "@", is_one ? "" : docker->cluster);
}

static void *open_source(const struct source_context *context, struct err *err)
{
	struct docker_source *source = calloc(1, sizeof(*source));
	if (source == NULL)
		abort();
	const struct config_docker *config = &context->config->docker[context->index];
	source->context = *context;
	STR_SET(source->cursor, context->cursor);
	source->ping_ms = least(context->config->interval_ms, PING_MS);
	source->query = docker_open(config, context->stop_fd, err);
	source->stream = source->query != NULL ? docker_open(config, context->stop_fd, err) : NULL;
	if (source->stream != NULL)
		return source;
	close_source(source);
	return NULL;
}

static bool check(void *self, source_say *say, void *ctx, struct err *err)
{
	char text[400];
	struct docker_source *source = self;
	struct docker_version version;
	struct json list;
	auto_arena arena = arena_new(64 << 20);
	if (!docker_version(source->query, &version, err) ||
		!docker_get(source->query, "/containers/json?all=1", LIST_MS, arena, &list, err))
		return false;
	STR_FORMAT(text, "%s %s, API %s, %zu containers", version.name, version.engine, version.api,
		json_count(list));
	say(ctx, SOURCE_GOOD, text);
	return true;
}

const struct source docker_source = {
	.name = "docker",
	.summary = "Docker engines (and Podman's socket): containers and the daemon itself.",
	.root = COMPONENT_DOCKER_DAEMON,
	.root_name = "docker_daemon",
	.count = count,
	.title = title,
	.home = home,
	.shell = has_host,
	.open = open_source,
	.look = look,
	.close = close_source,
	.check = check,
};
