/*
 * Probes: what is asked from outside. All of them are one source, asked one after the other; what
 * does not answer is asked again soon, so that one lost answer is nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "client/probe.h"
#include "watch/source.h"

#define AGAIN_MS 3000
/* So often at the shorter time; one that stays silent is asked at the interval. */
#define AGAIN_MAX 5

struct probe_state {
	int failed; /* in a row */
	int64_t since_ms;
	int64_t due_at; /* mono */
};

struct probe_source {
	struct source_context context;
	struct probe_state *states;
	bool looked;
};

static int probe_sources(const struct config *config)
{
	return config->probe_count > 0 ? 1 : 0;
}

static const char *probe_title(const struct config *config, int index)
{
	(void)config;
	(void)index;
	return "all";
}

static void *probe_open(const struct source_context *context, struct err *err)
{
	struct probe_source *source = calloc(1, sizeof(*source));
	(void)err;
	if (source == NULL)
		abort();
	source->context = *context;
	source->states = calloc((size_t)context->config->probe_count, sizeof(*source->states));
	if (source->states == NULL)
		abort();
	return source;
}

static void probe_close(void *self)
{
	struct probe_source *source = self;
	free(source->states);
	free(source);
}

/* "docker:local/jellyfin" is what the engine's source calls docker_container_jellyfin. */
static void name_parent(const struct config *config, const char *heals, char *parent, size_t size)
{
	const char *name = strchr(heals, '/') + 1, *colon = strchr(heals, ':');
	bool docker = str_starts(heals, "docker:");
	int count = docker ? config->docker_count : config->machine_count;
	char unit[100];
	STR_SET(unit, name);
	if (!docker && str_ends(unit, ".service"))
		unit[strlen(unit) - strlen(".service")] = '\0';
	str_format(parent, size, "%s%s%s%.*s", docker ? "docker_container_" : "service_", unit,
		count > 1 ? "@" : "", count > 1 ? (int)(name - 1 - colon - 1) : 0, colon + 1);
}

static void observe(
	struct probe_source *source, int i, const struct probe_answer *answer, struct observation *seen)
{
	const struct config *config = source->context.config;
	const struct config_probe *probe = &config->probes[i];
	struct probe_state *state = &source->states[i];
	struct component component = {.kind = COMPONENT_PROBE};
	STR_FORMAT(component.name, "probe_%s", probe->name);
	STR_SET(component.label, probe->name);
	STR_SET(component.source, source->context.name);
	STR_SET(component.native, probe->name);
	component.shell = probe->heals != NULL;
	/* when what it looks at has failed by itself, the probe's silence is a consequence */
	if (probe->heals != NULL)
		name_parent(config, probe->heals, component.parent, sizeof(component.parent));
	if ((state->failed > 0) == answer->well || state->since_ms == 0)
		state->since_ms = clock_wall_ms(source->context.clock);
	state->failed = answer->well ? 0 : state->failed + 1;
	*seen = observation_of(&component, ASPECT_STATE);
	seen->seen_mono_ms = clock_mono_ms(source->context.clock);
	seen->since_ms = state->since_ms;
	seen->health = answer->well ? OBS_HEALTHY : OBS_UNHEALTHY;
	STR_SET(seen->status, answer->text);
	if (!answer->well)
		STR_SET(seen->detail, answer->text);
}

static void observe_end(struct probe_source *source, const struct probe_answer *answer,
	const struct observation *state, struct observation *seen)
{
	char left[32], date[24];
	int64_t left_ms = answer->ends_ms - clock_wall_ms(source->context.clock);
	*seen = observation_of(&state->component, ASPECT_CERTIFICATE);
	seen->seen_mono_ms = state->seen_mono_ms;
	seen->fault = left_ms <= 0                                        ? FAULT_GONE
		: left_ms < source->context.config->thresholds.certificate_ms ? FAULT_WARNING
																	  : FAULT_NONE;
	str_duration(left, left_ms > 0 ? left_ms : -left_ms);
	str_utc(date, answer->ends_ms);
	STR_FORMAT(seen->detail, left_ms > 0 ? "ends in %s (%s)" : "ended %s ago (%s)", left, date);
}

static int64_t next_due(const struct probe_source *source)
{
	int64_t due = INT64_MAX;
	for (int i = 0; i < source->context.config->probe_count; i++)
		if (source->states[i].due_at < due)
			due = source->states[i].due_at;
	return due;
}

static bool ask_one(struct probe_source *source, int i, struct report *report, struct err *err)
{
	const struct config *config = source->context.config;
	struct probe_state *state = &source->states[i];
	struct probe_answer answer;
	if (!probe_ask(&config->probes[i], source->context.stop_fd, &answer, err))
		return false;
	struct observation *seen = &report->observations[report->count++];
	observe(source, i, &answer, seen);
	if (answer.ends_ms != 0)
		observe_end(source, &answer, seen, &report->observations[report->count++]);
	bool soon = !answer.well && state->failed <= AGAIN_MAX && AGAIN_MS < config->interval_ms;
	state->due_at = clock_mono_ms(source->context.clock) + (soon ? AGAIN_MS : config->interval_ms);
	return true;
}

static bool probe_look(
	void *self, int64_t wait_ms, struct arena *arena, struct report *report, struct err *err)
{
	struct probe_source *source = self;
	const struct clock *clock = source->context.clock;
	int count = source->context.config->probe_count;
	int64_t left = next_due(source) - clock_mono_ms(clock);
	int64_t wait = left < wait_ms ? left : wait_ms;
	if (source->looked && wait > 0 && !clock_wait(clock, wait, source->context.stop_fd))
		return err_set(err, ERR_CANCELLED, "%s: homeostat stops", source->context.name);
	report->seen_mono_ms = clock_mono_ms(clock);
	report->complete = !source->looked;
	report->observations = ARENA_ARRAY(arena, struct observation, (size_t)count * 2);
	for (int i = 0; i < count; i++)
		if ((report->complete || source->states[i].due_at <= clock_mono_ms(clock)) &&
			!ask_one(source, i, report, err))
			return false;
	source->looked = true;
	return true;
}

static bool probe_check(void *self, source_say *say, void *ctx, struct err *err)
{
	struct probe_source *source = self;
	const struct config *config = source->context.config;
	for (int i = 0; i < config->probe_count; i++) {
		char text[400];
		struct probe_answer answer;
		if (!probe_ask(&config->probes[i], source->context.stop_fd, &answer, err))
			return false;
		STR_FORMAT(text, "%s: %s", config->probes[i].name, answer.text);
		say(ctx, answer.well ? SOURCE_GOOD : SOURCE_WRONG, text);
	}
	return true;
}

const struct source probe_source = {
	.name = "probe",
	.summary = "Probes from outside: http, tcp, ping, a command, the end of a certificate.",
	.count = probe_sources,
	.title = probe_title,
	.open = probe_open,
	.look = probe_look,
	.close = probe_close,
	.check = probe_check,
};
