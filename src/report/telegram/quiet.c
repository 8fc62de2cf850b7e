/*
 * Quiet hours of the local day, and what is said after them.
 */
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/str.h"
#include "report/telegram/live.h"
#include "report/telegram/texts.h"

#define DAY_MS INT64_C(86400000)
#define ROWS_MAX 24
#define WATCH_MS 5000

static int minute_of(int64_t wall_ms)
{
	time_t at = (time_t)(wall_ms / 1000);
	struct tm day;
	return localtime_r(&at, &day) != NULL ? day.tm_hour * 60 + day.tm_min : 0;
}

static bool quiet_now(const struct config_telegram *settings, int64_t wall_ms)
{
	int from = settings->quiet_from, to = settings->quiet_to, now = minute_of(wall_ms);
	return from < to ? now >= from && now < to : from > to && (now >= from || now < to);
}

/* That minute of the local day of a time, days further. */
static int64_t at_minute(int64_t wall_ms, int days, int minute)
{
	time_t at = (time_t)(wall_ms / 1000);
	struct tm day;
	if (localtime_r(&at, &day) == NULL)
		return 0;
	day.tm_mday += days;
	day.tm_hour = minute / 60;
	day.tm_min = minute % 60;
	day.tm_sec = 0;
	day.tm_isdst = -1;
	return (int64_t)mktime(&day) * 1000;
}

static int64_t quiet_last(const struct config_telegram *settings, int64_t wall_ms, int64_t *from)
{
	if (settings->quiet_from == settings->quiet_to)
		return 0;
	int64_t to = at_minute(wall_ms, 0, settings->quiet_to);
	if (to > wall_ms)
		to = at_minute(wall_ms, -1, settings->quiet_to);
	bool over_midnight = settings->quiet_from > settings->quiet_to;
	*from = at_minute(to, over_midnight ? -1 : 0, settings->quiet_from);
	return to;
}

struct gather {
	struct quiet_facts facts;
	const struct incident **rows;
	struct arena *arena;
};

static void take(void *ctx, const struct incident *incident)
{
	struct gather *gather = ctx;
	struct quiet_facts *facts = &gather->facts;
	bool is_open = life_is_open(incident->state);
	/* What ended before, or began after, or never was believed. */
	if (incident->opened_at >= facts->to || incident->diagnosis.by[0] == '\0' ||
		(incident->ended_at != 0 && incident->ended_at < facts->from))
		return;
	if (incident->state == LIFE_RESOLVED)
		facts->healed++;
	else if (incident->state == LIFE_CLEARED)
		facts->cleared++;
	else if (incident->state == LIFE_ASKING || incident->state == LIFE_ESCALATED)
		facts->waiting++;
	else if (is_open && incident->opened_at < facts->from)
		return;
	if (facts->count == ROWS_MAX)
		return;
	struct incident *row = ARENA_NEW(gather->arena, struct incident);
	*row = *incident;
	gather->rows[facts->count++] = row;
}

static struct message *morning_text(
	struct talker *talker, int64_t from, int64_t to, struct arena *arena)
{
	struct gather gather = {.facts = {.from = from, .to = to}, .arena = arena};
	struct err err = {0};
	gather.rows = ARENA_ARRAY(arena, const struct incident *, ROWS_MAX);
	gather.facts.incidents = gather.rows;
	if (!store_incidents(
			talker->store, (struct incident_query){INCIDENTS_ALL, from, 0}, take, &gather, &err))
		log_warn("telegram: %s", err.text);
	return gather.facts.count > 0 ? text_morning(&gather.facts, arena) : NULL;
}

static void end_quiet(struct talker *talker)
{
	int64_t from, to = quiet_last(talker->settings, talker_wall(talker), &from);
	auto_arena arena = arena_new(LIVE_ARENA_BYTES);
	if (to == 0 || to <= talker->morning_at)
		return;
	if (talker->morning_at != 0) {
		struct letter letter = {.chat = talker->home, .thread = talker->settings->thread};
		letter.message = morning_text(talker, from, to, arena);
		if (letter.message != NULL && deliver(talker, &letter, arena) == DELAYED)
			return;
		questions_ask(talker);
	}
	struct request request = {.kind = REQUEST_POSITION};
	STR_SET(request.fact, FACT_MORNING);
	STR_FORMAT(request.value, "%lld", (long long)to);
	if (talker_ask(talker, &request, false, arena) != NULL)
		talker->morning_at = to;
}

void news_watch(struct talker *talker)
{
	if (talker_now(talker) < talker->watch_at)
		return;
	talker->watch_at = talker_now(talker) + WATCH_MS;
	talker->is_quiet = quiet_now(talker->settings, talker_wall(talker));
	if (!talker->is_quiet)
		end_quiet(talker);
	questions_watch(talker);
}
