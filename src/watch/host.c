/*
 * Hosts: systemd's units, load, memory and disks of one machine each. Its bus is held open between
 * the looks, over SSH too, so that a unit that fails is seen at once; everything is looked at once
 * an interval.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "client/host.h"
#include "client/systemd.h"
#include "watch/host_measures.h"
#include "watch/host_units.h"
#include "watch/source.h"

#define CALL_MS 10000
/* What happens to one unit comes as several signals: they are taken together. */
#define CALM_MS 50
#define EVENTS_MAX 500

struct host_source {
	struct source_context context;
	const struct config_machine *machine;
	struct host *host;
	struct systemd *systemd; /* NULL: no units are watched */
	struct host_units *units;
	struct host_measures *measures;
	int64_t whole_at;  /* mono: when everything is due */
	char trouble[200]; /* of the measuring, as last logged */
};

static int host_count(const struct config *config)
{
	return config->machine_count;
}

static const char *host_title(const struct config *config, int index)
{
	return config->machines[index].name;
}

static bool host_shell(const struct config *config, int index)
{
	return !str_starts(config->machines[index].url, "unix://");
}

static void host_source_close(void *self)
{
	struct host_source *source = self;
	systemd_close(source->systemd);
	host_close(source->host);
	host_units_free(source->units);
	host_measures_free(source->measures);
	free(source);
}

static void *host_source_open(const struct source_context *context, struct err *err)
{
	struct host_source *source = calloc(1, sizeof(*source));
	if (source == NULL)
		abort();
	source->context = *context;
	source->machine = &context->config->machines[context->index];
	source->host = host_open(source->machine, context->stop_fd, err);
	if (source->host == NULL) {
		free(source);
		return NULL;
	}
	if (source->machine->units[0] != NULL)
		source->systemd = systemd_open(source->host, CALL_MS);
	source->units = host_units_new(&source->context);
	source->measures = host_measures_new(&source->context);
	return source;
}

/* That it cannot be measured is no reason not to watch its units; it is said once. */
static void note_trouble(struct host_source *source, const char *text)
{
	if (strcmp(source->trouble, text) != 0 && text[0] != '\0')
		log_warn("%s: not measured: %s", source->context.name, text);
	STR_SET(source->trouble, text);
}

static bool measure(
	struct host_source *source, struct arena *arena, struct report *report, struct err *err)
{
	struct err why = {0};
	auto_arena scratch = arena_new((size_t)8 << 20);
	if (!source->machine->measures)
		return true;
	report->observations = ARENA_ARRAY(arena, struct observation, HOST_MEASURES_MAX);
	bool ok = host_measures_look(
		source->measures, source->host, scratch, report->observations + report->count, &why);
	report->count += HOST_MEASURES_MAX;
	note_trouble(source, ok ? "" : why.text);
	return ok || (source->systemd != NULL && why.kind != ERR_CANCELLED) ||
		err_set(err, why.kind, "%s", why.text);
}

static bool look_at_all(
	struct host_source *source, struct arena *arena, struct report *report, struct err *err)
{
	int64_t now = clock_mono_ms(source->context.clock);
	/* measuring takes its time: the units are seen last, so that none is told of too late */
	if (!measure(source, arena, report, err))
		return false;
	if (source->systemd != NULL &&
		!host_units_all(source->units, source->systemd, arena, report, err))
		return false;
	report->complete = true;
	source->whole_at = now + source->context.config->interval_ms;
	return true;
}

/* Waits for something to happen, then for calm. *all (out): more happened than can be followed. */
static bool gather(struct host_source *source, int64_t wait_ms, bool *all, struct err *err)
{
	bool any = false;
	for (int n = 0; n < EVENTS_MAX; n++) {
		struct unit_event event;
		if (!systemd_next(source->systemd, any ? CALM_MS : wait_ms, &event, err))
			return false;
		any = host_units_note(source->units, &event) || any;
		*all = *all || event.kind == UNIT_LOST;
		if (event.kind == UNIT_QUIET || *all)
			return true;
	}
	*all = true;
	return true;
}

static bool host_look(
	void *self, int64_t wait_ms, struct arena *arena, struct report *report, struct err *err)
{
	struct host_source *source = self;
	const struct clock *clock = source->context.clock;
	int64_t left = source->whole_at - clock_mono_ms(clock);
	bool ok = true, all = left <= 0;
	int64_t wait = left < wait_ms ? left : wait_ms;
	report->seen_mono_ms = clock_mono_ms(clock);
	if (!all && source->systemd == NULL && wait > 0 &&
		!clock_wait(clock, wait, source->context.stop_fd))
		return err_set(err, ERR_CANCELLED, "%s: homeostat stops", source->context.name);
	if (!all && source->systemd != NULL)
		ok = gather(source, wait, &all, err) &&
			host_units_news(source->units, source->systemd, arena, report, err);
	if (ok && all) {
		report->count = 0;
		ok = look_at_all(source, arena, report, err);
	}
	if (!ok) {
		source->whole_at = 0;
		report->trouble = err != NULL && err->kind == ERR_DENIED ? OBS_ERR_DENIED : OBS_ERR_DOWN;
	}
	return ok;
}

static bool check_units(
	struct host_source *source, struct arena *arena, source_say *say, void *ctx, struct err *err)
{
	char text[200];
	struct unit_list list = {0};
	int failed = 0;
	if (source->systemd == NULL)
		return true;
	if (!systemd_units(source->systemd, source->machine->units, arena, &list, err))
		return false;
	for (int i = 0; i < list.count; i++)
		failed += strcmp(list.units[i].active, "failed") == 0;
	STR_FORMAT(text, "%d unit%s, %d failed", list.count, list.count == 1 ? "" : "s", failed);
	say(ctx, SOURCE_GOOD, text);
	return true;
}

static bool host_check(void *self, source_say *say, void *ctx, struct err *err)
{
	char text[200];
	struct host_source *source = self;
	struct observation seen[HOST_MEASURES_MAX];
	struct err why = {0};
	auto_arena arena = arena_new((size_t)16 << 20);
	if (!check_units(source, arena, say, ctx, err))
		return false;
	if (!source->machine->measures)
		return true;
	if (!host_measures_look(source->measures, source->host, arena, seen, &why)) {
		if (source->systemd == NULL)
			return err_set(err, why.kind, "%s", why.text);
		say(ctx, SOURCE_LIMITED, why.text);
		return true;
	}
	STR_FORMAT(
		text, "memory %.0f %%, disk %s %.0f %%", seen[1].percent, seen[2].detail, seen[2].percent);
	say(ctx, SOURCE_GOOD, text);
	return true;
}

const struct source host_source = {
	.name = "host",
	.summary = "Machines: systemd units as they fail, load, memory and disks.",
	.root = COMPONENT_NODE,
	.root_name = "host_",
	.count = host_count,
	.title = host_title,
	.shell = host_shell,
	.open = host_source_open,
	.look = host_look,
	.close = host_source_close,
	.check = host_check,
};
