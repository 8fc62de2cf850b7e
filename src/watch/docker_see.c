#include "watch/docker_see.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http.h"
#include "base/str.h"

#define LIST_MS 15000
/* The longest that a stop is given to end a container. */
#define STOP_TAKES_MS 600000
#define DUMP_TAKES_MS 30000
/* Enough to know whether the engine took its containers down, without inspecting hundreds. */
#define PROOFS_MAX 16

static struct observation *add(struct docker_source *source, struct report *report)
{
	struct observation *all = report->observations;
	int capacity = all != NULL ? source->capacity : 0;
	if (all == NULL || report->count == capacity) {
		all = arena_grow(source->arena, all, (size_t)capacity * sizeof(struct observation),
			((size_t)capacity * 2 + 4) * sizeof(struct observation));
		if (all == NULL) /* the arena's limit: what is beyond it is not reported */
			return &source->spare;
		report->observations = all;
		source->capacity = capacity * 2 + 4;
	}
	struct observation *seen = &all[report->count++];
	*seen = (struct observation){.seen_mono_ms = source->asked_mono_ms};
	return seen;
}

static void read_labels(struct component *component, struct json labels, struct arena *arena)
{
	const char *enable = json_str(json_get(labels, "homeostat.enable"), arena);
	const char *risk = json_str(json_get(labels, "homeostat.risk"), arena);
	component->ignored = enable != NULL &&
		(strcasecmp(enable, "false") == 0 || strcmp(enable, "0") == 0 ||
			strcasecmp(enable, "no") == 0);
	component->has_risk = risk != NULL && risk_parse(risk, &component->risk);
	json_copy(json_get(labels, "homeostat.action"), component->action, sizeof(component->action));
	json_copy(json_get(labels, "homeostat.depends_on"), component->depends_on,
		sizeof(component->depends_on));
}

static void name_component(const struct docker_source *source, struct component *component,
	const char *id, const char *name)
{
	component->kind = COMPONENT_CONTAINER;
	STR_FORMAT(component->name, "docker_container_%s%s", name, source->context.suffix);
	STR_FORMAT(component->parent, "docker_daemon%s", source->context.suffix);
	STR_SET(component->label, name);
	STR_SET(component->native, id);
	STR_SET(component->source, source->context.name);
}

static enum obs_state state_of(const char *status)
{
	static const struct {
		const char *status;
		enum obs_state state;
	} states[] = {
		{"running", OBS_RUNNING},
		{"exited", OBS_EXITED},
		{"dead", OBS_EXITED},
		{"restarting", OBS_RESTARTING},
		{"paused", OBS_PAUSED},
		{"created", OBS_CREATED},
		{"removing", OBS_UNKNOWN},
	};
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i].status, status) == 0)
			return states[i].state;
	return OBS_UNKNOWN;
}

static enum obs_health health_of(const char *health)
{
	if (strcmp(health, "healthy") == 0)
		return OBS_HEALTHY;
	if (strcmp(health, "unhealthy") == 0)
		return OBS_UNHEALTHY;
	return strcmp(health, "starting") == 0 ? OBS_STARTING : OBS_NO_CHECK;
}

/* As `docker ps` words it. */
static void word_status(const struct docker_source *source,
	const struct docker_container *container, struct observation *seen)
{
	char ago[32];
	int64_t age = clock_wall_ms(source->context.clock) - seen->since_ms;
	str_duration(ago, age);
	if (age < 1000)
		STR_SET(ago, "Less than a second");
	if (seen->state == OBS_EXITED)
		STR_FORMAT(seen->status, "Exited (%d) %s ago", container->exit_code, ago);
	else if (seen->state == OBS_RUNNING && container->health[0] != '\0')
		STR_FORMAT(seen->status, "Up %s (%s)", ago, container->health);
	else if (seen->state == OBS_RUNNING)
		STR_FORMAT(seen->status, "Up %s", ago);
	else
		STR_SET(seen->status, container->status);
}

static void judge_end(
	struct memo *memo, const struct docker_container *container, struct observation *seen)
{
	struct ending *ending = &memo->ending;
	/* A signal that it outlived by far (a thread dump, a TERM that it ignores) did not end it. */
	int64_t outlived = memo->died_at != 0 ? memo->died_at - memo->signalled_at : 0;
	bool is_dump = (memo->signals & (1u << SIGQUIT | 1u << SIGINT)) == memo->signals;
	bool in_time = outlived <= (is_dump ? DUMP_TAKES_MS : STOP_TAKES_MS);
	for (int signal = 1; signal < 64 && in_time; signal++)
		if ((memo->signals >> signal & 1) != 0 &&
			docker_is_stop_signal(signal, container->stop_signal))
			ending->stop_asked = true;
	ending->engine_lost = memo->ran_at_loss;
	seen->cause = docker_classify(container, ending);
	seen->gave_up = container->max_retries > 0 &&
		container->restart_count >= container->max_retries;
}

static void observe(struct docker_source *source, struct memo *memo,
	const struct docker_container *container, struct report *report)
{
	struct observation *seen = add(source, report);
	name_component(source, &seen->component, container->id, container->name);
	read_labels(&seen->component, container->labels, source->arena);
	seen->state = state_of(container->status);
	seen->health = health_of(container->health);
	seen->exit_code = container->exit_code;
	seen->oom_killed = container->oom_killed || memo->ending.oom;
	seen->restarts = container->restart_count;
	seen->since_ms = seen->state == OBS_EXITED ? container->finished_at : container->started_at;
	STR_SET(seen->image, container->image);
	STR_SET(
		seen->detail, container->error[0] != '\0' ? container->error : container->health_output);
	word_status(source, container, seen);
	if (seen->state == OBS_EXITED)
		judge_end(memo, container, seen);
	else if (seen->state == OBS_RUNNING)
		memo->ran_at_loss = false;
	memo->state = (unsigned char)seen->state;
	memo->health = (unsigned char)seen->health;
	STR_SET(memo->name, container->name);
}

void docker_see_gone(struct docker_source *source, const char *id, struct report *report)
{
	struct memo *memo = memory_find(&source->memory, id);
	if (memo == NULL)
		return;
	struct observation *seen = add(source, report);
	name_component(source, &seen->component, id, memo->name);
	seen->state = OBS_ABSENT;
	memory_drop(&source->memory, id);
}

/* Its destroy event comes next. */
static bool is_being_removed(const struct docker_container *container)
{
	return strcmp(container->status, "removing") == 0;
}

/* The engine writes an exit down a moment before it tells of it: what dies right after its start is
 * found exited while its die event is still on its way. Judged without it, a crash would look like
 * one that nobody saw. Waits for it once. */
static bool is_too_early(
	struct docker_source *source, const char *id, const struct docker_container *container)
{
	struct memo *memo = memory_get(&source->memory, id);
	const struct ending *ending = &memo->ending;
	bool unexplained = source->listed && state_of(container->status) == OBS_EXITED && !ending->died;
	bool too_early = unexplained && !memo->deferred;
	memo->deferred = too_early;
	source->deferred = source->deferred || too_early;
	return too_early;
}

void docker_see_renamed(struct docker_source *source, const char *id, struct report *report)
{
	const struct memo *memo = memory_find(&source->memory, id);
	if (memo == NULL || memo->name[0] == '\0')
		return;
	struct observation *seen = add(source, report);
	name_component(source, &seen->component, id, memo->name);
	seen->state = OBS_ABSENT;
}

bool docker_see_one(
	struct docker_source *source, const char *id, struct report *report, struct err *err)
{
	struct docker_container container;
	struct err why = {0};
	source->asked_mono_ms = clock_mono_ms(source->context.clock);
	if (docker_inspect(source->query, id, source->arena, &container, &why)) {
		if (is_being_removed(&container) || is_too_early(source, id, &container))
			return true;
		observe(source, memory_get(&source->memory, id), &container, report);
		return true;
	}
	if (why.kind == ERR_GONE) {
		docker_see_gone(source, id, report);
		return true;
	}
	/* One that can't be inspected must not hide the others, as long as its engine answers. */
	struct docker_version version;
	if (why.kind != ERR_RETRY && why.kind != ERR_INPUT) {
		*err = why;
		return false;
	}
	if (!docker_version(source->query, &version, err))
		return false;
	struct memo *memo = memory_get(&source->memory, id);
	memo->state = OBS_UNKNOWN;
	memo->listed = true;
	return true;
}

/* A list's entry says enough of what is plainly fine. */
static void observe_entry(struct docker_source *source, struct memo *memo, struct json entry,
	enum obs_state state, struct report *report)
{
	char name[128];
	struct observation *seen = add(source, report);
	json_copy(json_first(json_get(entry, "Names")), name, sizeof(name));
	name_component(source, &seen->component, memo->id, name[0] == '/' ? name + 1 : name);
	read_labels(&seen->component, json_get(entry, "Labels"), source->arena);
	json_copy(json_get(entry, "Status"), seen->status, sizeof(seen->status));
	json_copy(json_get(entry, "Image"), seen->image, sizeof(seen->image));
	seen->state = state;
	if (strstr(seen->status, "(healthy)") != NULL)
		seen->health = OBS_HEALTHY;
	else if (strstr(seen->status, "(health: starting)") != NULL)
		seen->health = OBS_STARTING;
	if (state == OBS_RUNNING)
		memo->ran_at_loss = false;
	/* the list's time, whatever was inspected since */
	seen->seen_mono_ms = report->seen_mono_ms;
	memo->state = (unsigned char)seen->state;
	memo->health = (unsigned char)seen->health;
	STR_SET(memo->name, seen->component.label);
}

static bool needs_inspection(enum obs_state state, const char *status)
{
	return state == OBS_EXITED || state == OBS_RESTARTING || state == OBS_UNKNOWN ||
		strstr(status, "(unhealthy)") != NULL;
}

static bool list(
	struct docker_source *source, const char *path, struct json *entries, struct err *err)
{
	source->asked_mono_ms = clock_mono_ms(source->context.clock);
	if (!docker_get(source->query, path, LIST_MS, source->arena, entries, err))
		return false;
	if (json_kind(*entries) == JSON_ARRAY)
		return true;
	return err_set(err, ERR_INPUT, "%s: GET %s: the answer is no list", source->context.name, path);
}

/* A container that ran before the loss and still does proves that the engine did not take its
 * containers down: it was only out of reach, or lets them live on. */
static bool ran_on(struct docker_source *source, struct json entries)
{
	int proofs = 0;
	for (struct json e = json_first(entries); json_is(e) && proofs < PROOFS_MAX; e = json_next(e)) {
		char id[72], state[24];
		struct docker_container container;
		json_copy(json_get(e, "Id"), id, sizeof(id));
		json_copy(json_get(e, "State"), state, sizeof(state));
		const struct memo *memo = memory_find(&source->memory, id);
		if (memo == NULL || !memo->ran_at_loss || state_of(state) != OBS_RUNNING)
			continue;
		proofs++;
		if (docker_inspect(source->query, id, source->arena, &container, NULL) &&
			container.started_at > 0 && container.started_at < source->lost_at)
			return true;
	}
	return false;
}

/* Whether the engine itself was lost, or only our way to it. */
static void judge_loss(struct docker_source *source, struct json entries)
{
	bool lost = source->lost_at != 0 && source->gap && !ran_on(source, entries);
	for (int i = 0; i < source->memory.count; i++) {
		struct memo *memo = &source->memory.memos[i];
		memo->ran_at_loss = memo->ran_at_loss && lost;
		/* An engine that was killed stops, when it starts again, what outlived it. */
		if (memo->ran_at_loss && memo->signalled_away)
			memo->ending.all_stopped = true;
	}
}

static void forget_unlisted(struct docker_source *source)
{
	for (int i = source->memory.count - 1; i >= 0; i--) {
		struct memo memo = source->memory.memos[i];
		if (!memo.listed)
			memory_drop(&source->memory, memo.id);
	}
}

bool docker_see_all(struct docker_source *source, struct report *report, struct err *err)
{
	struct json entries;
	report->seen_mono_ms = clock_mono_ms(source->context.clock);
	if (!list(source, "/containers/json?all=1", &entries, err))
		return false;
	judge_loss(source, entries);
	for (int i = 0; i < source->memory.count; i++)
		source->memory.memos[i].listed = false;
	for (struct json e = json_first(entries); json_is(e); e = json_next(e)) {
		char id[72], state[24], status[160];
		json_copy(json_get(e, "State"), state, sizeof(state));
		json_copy(json_get(e, "Status"), status, sizeof(status));
		if (!json_copy(json_get(e, "Id"), id, sizeof(id)))
			continue;
		struct memo *memo = memory_get(&source->memory, id);
		memo->listed = true;
		if (!needs_inspection(state_of(state), status))
			observe_entry(source, memo, e, state_of(state), report);
		else if (!docker_see_one(source, id, report, err))
			return false;
	}
	forget_unlisted(source);
	return true;
}

/* Containers that a filter finds, and whether memory knew them so. */
static bool see_filtered(
	struct docker_source *source, const char *filter, struct report *report, struct err *err)
{
	struct json entries;
	const char *path = arena_printf(
		source->arena, "/containers/json?all=1&filters=%s", http_encode(source->arena, filter));
	if (!list(source, path, &entries, err))
		return false;
	for (struct json e = json_first(entries); json_is(e); e = json_next(e)) {
		char id[72], state[24], status[160];
		json_copy(json_get(e, "State"), state, sizeof(state));
		json_copy(json_get(e, "Status"), status, sizeof(status));
		if (!json_copy(json_get(e, "Id"), id, sizeof(id)))
			continue;
		struct memo *memo = memory_find(&source->memory, id);
		bool sick = strstr(status, "(unhealthy)") != NULL;
		bool known = memo != NULL && memo->state == (unsigned char)state_of(state) &&
			(memo->health == OBS_UNHEALTHY) == sick;
		if (!known && !docker_see_one(source, id, report, err))
			return false;
		memo = memory_find(&source->memory, id);
		if (memo != NULL)
			memo->listed = true;
	}
	return true;
}

static bool is_remembered_failing(const struct memo *memo)
{
	return memo->state == OBS_EXITED || memo->state == OBS_RESTARTING ||
		memo->health == OBS_UNHEALTHY;
}

bool docker_see_differences(struct docker_source *source, struct report *report, struct err *err)
{
	for (int i = 0; i < source->memory.count; i++)
		source->memory.memos[i].listed = false;
	if (!see_filtered(source, "{\"health\":[\"unhealthy\"]}", report, err) ||
		!see_filtered(source, "{\"status\":[\"exited\",\"dead\",\"restarting\"]}", report, err))
		return false;
	/* Remembered as failing and not found so: healthy again, or gone. */
	for (int i = source->memory.count - 1; i >= 0; i--) {
		char id[72];
		const struct memo *memo = &source->memory.memos[i];
		if (memo->listed || !is_remembered_failing(memo))
			continue;
		STR_SET(id, memo->id);
		if (!docker_see_one(source, id, report, err))
			return false;
	}
	return true;
}
