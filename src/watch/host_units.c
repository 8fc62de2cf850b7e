#include "watch/host_units.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Exit codes of programs that end with an error when they are told to end (128 + SIGTERM, SIGINT).
 */
#define EXIT_SIGTERM 143
#define EXIT_SIGINT 130
/* A job that is over before anybody can ask what it is takes less. */
#define QUICK_US UINT64_C(2000000)
/* siginfo's codes, as ExecMainCode holds them. */
#define CODE_EXITED 1

struct host_units {
	const struct source_context *context;
	const struct config_machine *machine;
	struct unit_memo *memos;
	int count, capacity;
};

struct host_units *host_units_new(const struct source_context *context)
{
	struct host_units *units = calloc(1, sizeof(*units));
	if (units == NULL)
		abort();
	units->context = context;
	units->machine = &context->config->machines[context->index];
	return units;
}

void host_units_free(struct host_units *units)
{
	if (units == NULL)
		return;
	free(units->memos);
	free(units);
}

static struct unit_memo *memo_find(const struct host_units *units, const char *name)
{
	for (int i = 0; i < units->count; i++)
		if (strcmp(units->memos[i].name, name) == 0)
			return &units->memos[i];
	return NULL;
}

static struct unit_memo *memo_get(struct host_units *units, const char *name)
{
	struct unit_memo *known = memo_find(units, name);
	if (known != NULL)
		return known;
	if (units->count == units->capacity) {
		units->capacity = units->capacity * 2 + 64;
		units->memos = realloc(units->memos, (size_t)units->capacity * sizeof(*units->memos));
		if (units->memos == NULL)
			abort();
	}
	struct unit_memo *memo = &units->memos[units->count++];
	*memo = (struct unit_memo){0};
	STR_SET(memo->name, name);
	return memo;
}

static bool fits(const char *const *patterns, const char *name)
{
	for (; *patterns != NULL; patterns++)
		if (str_match(*patterns, name))
			return true;
	return false;
}

/* A name that a component cannot carry could not be acted on either. */
static bool is_watched(const struct host_units *units, const char *name)
{
	return strlen(name) < NATIVE_MAX_BYTES && fits(units->machine->units, name) &&
		!fits(units->machine->ignore, name);
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Why it failed, in words. */
static void explain_failure(const struct unit *unit, char *text, size_t size)
{
	static const struct {
		const char *result, *words;
	} known[] = {
		{"start-limit-hit", "it was started too often in too short a time: systemd gave it up"},
		{"oom-kill", "it was killed for want of memory"},
		{"timeout", "it did not start or stop in time"},
		{"watchdog", "it did not report to its watchdog in time"},
		{"protocol", "it did not do what its Type= promises"},
		{"resources", "systemd could not set up what it needs"},
		{"exec-condition", "a condition of its own said no"},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!is(unit->result, known[i].result))
			continue;
		str_copy(text, size, known[i].words);
		return;
	}
	if (is(unit->result, "exit-code"))
		str_format(text, size, "its process ended with exit code %d", (int)unit->exit_status);
	else if (is(unit->result, "signal") || is(unit->result, "core-dump"))
		str_format(text, size, "its process was ended by signal %d%s", (int)unit->exit_status,
			is(unit->result, "core-dump") ? " (core dumped)" : "");
	else
		str_format(
			text, size, "systemd says: %s", unit->result[0] != '\0' ? unit->result : "failed");
}

/* systemd restarts it by itself, and did so as often as it may. The result is that of the last
 * attempt, since the limit refuses the start before it begins. */
static bool limit_is_hit(const struct unit *unit)
{
	return is(unit->result, "start-limit-hit") ||
		(unit->restart[0] != '\0' && !is(unit->restart, "no") && unit->limit_burst > 0 &&
			unit->restarts >= unit->limit_burst);
}

static bool ends_as_if_told(const struct unit *unit)
{
	return is(unit->result, "exit-code") && unit->exit_code == CODE_EXITED &&
		(unit->exit_status == EXIT_SIGTERM || unit->exit_status == EXIT_SIGINT);
}

/* It ran before the job that was too quick to be seen: that one did not just start it. */
static bool had_run(const struct unit *unit)
{
	return unit->active_enter_us != 0 && unit->inactive_enter_us > unit->active_enter_us + QUICK_US;
}

static void judge_failed(const struct unit *unit, struct unit_memo *memo,
	const struct source_context *context, struct observation *seen)
{
	int64_t age_ms = clock_wall_ms(context->clock) - seen->since_ms;
	if (!memo->ran && memo->old_since == 0 && age_ms > context->config->brakes.recent_exit_ms)
		memo->old_since = seen->since_ms;
	seen->state = OBS_EXITED;
	seen->exit_code = unit->exit_code == CODE_EXITED ? (int)unit->exit_status
													 : 128 + (int)unit->exit_status;
	seen->oom_killed = is(unit->result, "oom-kill");
	explain_failure(unit, seen->detail, sizeof(seen->detail));
	size_t used = strlen(seen->detail);
	bool job = is(unit->type, "oneshot");
	seen->gave_up = limit_is_hit(unit) || job;
	seen->cause = STOP_CRASH;
	/* a job too quick to be asked what it was, after which it is as if told to end, was a stop */
	if (memo->stopping || (memo->job_unknown && ends_as_if_told(unit)))
		seen->cause = STOP_PERSON;
	else if ((memo->job_unknown && had_run(unit)) || ends_as_if_told(unit) ||
		(memo->old_since != 0 && memo->old_since == seen->since_ms))
		seen->cause = STOP_UNSEEN;
	if (job)
		str_format(seen->detail + used, sizeof(seen->detail) - used,
			"; it is a job that runs once, and may not be meant to run again now");
	else if (seen->gave_up && !is(unit->result, "start-limit-hit"))
		str_format(seen->detail + used, sizeof(seen->detail) - used,
			"; systemd has restarted it %u times and gave it up", unit->restarts);
}

/* Whether systemd restarts it again and again without ever reaching its own limit. */
static bool loops(
	const struct unit *unit, struct unit_memo *memo, const struct source_context *context)
{
	const struct config_brakes *brakes = &context->config->brakes;
	int64_t now = clock_mono_ms(context->clock);
	bool anew = memo->counted_since == 0 || unit->restarts < memo->restarts_before;
	bool many = !anew && unit->restarts - memo->restarts_before >= (uint32_t)brakes->budget;
	if (anew)
		memo->loops_until = 0;
	if (many)
		memo->loops_until = now + brakes->budget_ms;
	if (anew || many || now - memo->counted_since > brakes->budget_ms) {
		memo->restarts_before = unit->restarts;
		memo->counted_since = now;
	}
	return memo->loops_until > now;
}

static void judge_alive(const struct unit *unit, struct unit_memo *memo,
	const struct source_context *context, struct observation *seen)
{
	bool works = is(unit->active, "active");
	bool waits = is(unit->sub, "auto-restart") || is(unit->sub, "auto-restart-queued");
	seen->state = waits || is(unit->active, "deactivating") ? OBS_RESTARTING : OBS_RUNNING;
	seen->health = works || is(unit->active, "reloading") || is(unit->active, "refreshing")
		? OBS_HEALTHY
		: OBS_STARTING;
	if (waits)
		STR_SET(seen->detail, "systemd is restarting it by itself");
	else if (seen->state == OBS_RESTARTING)
		STR_SET(seen->detail, "it is stopping");
	if (works) {
		memo->ran = true;
		memo->old_since = 0;
	}
	/* what is to be stopped runs on for a moment */
	if (works && !memo->has_job)
		memo->stopping = memo->job_unknown = false;
	if (unit->restart[0] == '\0' || !loops(unit, memo, context))
		return;
	seen->state = OBS_RUNNING;
	seen->health = OBS_UNHEALTHY;
	seen->gave_up = true;
	STR_FORMAT(seen->detail, "it fails again and again: systemd has restarted it %u times",
		unit->restarts);
}

void host_unit_judge(const struct unit *unit, struct unit_memo *memo,
	const struct source_context *context, struct observation *seen)
{
	STR_FORMAT(seen->status, "%s (%s)", unit->active, unit->sub);
	uint64_t since_us = is(unit->active, "failed") || is(unit->active, "inactive")
		? unit->inactive_enter_us
		: unit->active_enter_us;
	seen->since_ms = (int64_t)(since_us / 1000);
	seen->restarts = (int)unit->restarts;
	if (is(unit->active, "failed")) {
		judge_failed(unit, memo, context, seen);
	} else if (is(unit->active, "inactive")) {
		/* ended without a failure, by itself or by a person: systemd has nothing to complain of */
		seen->state = OBS_EXITED;
		seen->cause = is(unit->type, "oneshot") ? STOP_DONE : STOP_PERSON;
	} else {
		judge_alive(unit, memo, context, seen);
	}
}

static void observe(const struct host_units *units, const struct unit *unit, struct unit_memo *memo,
	struct observation *seen)
{
	const struct source_context *context = units->context;
	struct component component = {.kind = COMPONENT_SERVICE};
	STR_SET(component.label, unit->name);
	if (str_ends(component.label, ".service"))
		component.label[strlen(component.label) - strlen(".service")] = '\0';
	str_format(component.name, sizeof(component.name), "service_%.80s%.40s", component.label,
		context->suffix);
	STR_SET(component.source, context->name);
	STR_SET(component.native, unit->name);
	STR_SET(component.parent, context->root.name);
	*seen = observation_of(&component, ASPECT_STATE);
	seen->seen_mono_ms = clock_mono_ms(context->clock);
	host_unit_judge(unit, memo, context, seen);
}

/* What only a whole list needs of most: it runs, and so it did. */
static bool is_plain(const struct unit *unit, const struct unit_memo *memo)
{
	return is(unit->active, "active") && memo->loops_until == 0 && !memo->changed;
}

/* One into the report; what has gone meanwhile is not in it. */
static bool report_one(struct host_units *units, struct systemd *systemd, struct unit *unit,
	struct report *report, struct err *err)
{
	struct err why = {0};
	struct unit_memo *memo = memo_get(units, unit->name);
	struct observation *seen = &report->observations[report->count];
	memo->listed = true;
	bool ok = is_plain(unit, memo) || systemd_unit(systemd, memo->name, unit, &why);
	memo->changed = false;
	if (!ok && why.kind != ERR_GONE)
		return err_set(err, why.kind, "%s", why.text);
	observe(units, unit, memo, seen);
	if (!ok)
		seen->state = OBS_ABSENT;
	report->count++;
	return true;
}

/* For so many units more. */
static void make_room(struct report *report, struct arena *arena, int count)
{
	struct observation *all = ARENA_ARRAY(
		arena, struct observation, (size_t)(report->count + count) + 1);
	if (report->count > 0)
		memcpy(all, report->observations, (size_t)report->count * sizeof(*all));
	report->observations = all;
}

/* What is inactive, and was never seen to run, is nobody's concern. */
static bool is_worth_telling(const struct host_units *units, const struct unit *unit)
{
	if (!is_watched(units, unit->name) || !is(unit->load, "loaded"))
		return false;
	return !is(unit->active, "inactive") || memo_find(units, unit->name) != NULL;
}

static void forget_unlisted(struct host_units *units)
{
	for (int i = units->count - 1; i >= 0; i--)
		if (!units->memos[i].listed)
			units->memos[i] = units->memos[--units->count];
}

bool host_units_all(struct host_units *units, struct systemd *systemd, struct arena *arena,
	struct report *report, struct err *err)
{
	struct unit_list list;
	if (!systemd_units(systemd, units->machine->units, arena, &list, err))
		return false;
	make_room(report, arena, list.count);
	for (int i = 0; i < units->count; i++)
		units->memos[i].listed = false;
	for (int i = 0; i < list.count; i++) {
		struct unit *unit = &list.units[i];
		if (!is_worth_telling(units, unit))
			continue;
		if (!report_one(units, systemd, unit, report, err))
			return false;
	}
	forget_unlisted(units);
	return true;
}

bool host_units_note(struct host_units *units, const struct unit_event *event)
{
	for (int i = 0; event->kind == UNIT_LOST && i < units->count; i++)
		units->memos[i].has_job = false;
	if (event->kind == UNIT_QUIET || event->kind == UNIT_LOST || !is_watched(units, event->name))
		return false;
	struct unit_memo *memo = memo_get(units, event->name);
	memo->changed = true;
	if (event->kind == UNIT_JOB_BEGAN) {
		memo->stopping = is(event->job, "stop");
		memo->job_unknown = event->job[0] == '\0';
	}
	if (event->kind != UNIT_CHANGED)
		memo->has_job = event->kind == UNIT_JOB_BEGAN;
	return true;
}

bool host_units_news(struct host_units *units, struct systemd *systemd, struct arena *arena,
	struct report *report, struct err *err)
{
	make_room(report, arena, units->count);
	for (int i = 0; i < units->count; i++) {
		struct unit unit = {0};
		STR_SET(unit.name, units->memos[i].name);
		if (units->memos[i].changed && !report_one(units, systemd, &unit, report, err))
			return false;
	}
	return true;
}
