/*
 * Storms: many components of a source that failed together have one message, edited as they heal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "report/telegram/live.h"
#include "report/telegram/texts.h"

#define ROWS_MAX 4000
#define EVERY_MS 5000
#define GROUP_EVERY_MS 15000
#define DAY_MS INT64_C(86400000)

static struct storm_card *storm_of(struct talker *talker, const char *source)
{
	for (int i = 0; i < talker->storm_count; i++)
		if (str_equal(talker->storms[i].source, source))
			return &talker->storms[i];
	return NULL;
}

static void drop(struct talker *talker, struct storm_card *storm)
{
	*storm = talker->storms[--talker->storm_count];
}

/* "docker:local: 5 components failed within 5 s: …" */
void storms_note(struct talker *talker, const struct notice *notice)
{
	char source[64];
	const char *end = strstr(notice->text, ": ");
	STR_FORMAT(source, "%.*s", end != NULL ? (int)(end - notice->text) : 0, notice->text);
	struct storm_card *storm = storm_of(talker, source);
	if (!notice->ok && (storm == NULL || storm->ended_at != 0)) {
		if (storm != NULL)
			drop(talker, storm);
		if (talker->storm_count == STORMS_MAX)
			drop(talker, &talker->storms[0]);
		/* Those that failed first made it one. */
		int64_t began = notice->at - talker->config->config->brakes.storm_ms - 1000;
		storm = &talker->storms[talker->storm_count++];
		*storm = (struct storm_card){.began_at = began};
		STR_SET(storm->source, source);
	} else if (notice->ok && storm != NULL) {
		storm->ended_at = notice->at;
	}
	if (storm != NULL)
		storm->is_dirty = true;
}

bool storms_take(struct talker *talker, const struct notice *notice)
{
	const struct incident *incident = &notice->incident;
	struct storm_card *storm = storm_of(talker, incident->component.source);
	if (storm == NULL || incident->opened_at < storm->began_at ||
		(storm->ended_at != 0 && incident->opened_at > storm->ended_at))
		return false;
	storm->is_dirty = true;
	return true;
}

struct gather {
	const struct storm_card *storm;
	struct storm_facts facts;
	struct storm_row *rows;
	struct arena *arena;
};

static enum storm_state state_of(const struct incident *incident)
{
	switch (incident->state) {
	case LIFE_RESOLVED:
	case LIFE_CLEARED:
		return STORM_HEALED;
	case LIFE_ASKING:
	case LIFE_ESCALATED:
	case LIFE_REJECTED:
		return STORM_PERSON;
	case LIFE_ACTING:
	case LIFE_VERIFYING:
	case LIFE_ROLLING_BACK:
		return STORM_HEALING;
	case LIFE_NONE:
	case LIFE_SUSPECTED:
	case LIFE_DIAGNOSING:
	case LIFE_DECIDING:
	case LIFE_POSTPONED:
	case LIFE_SUPPRESSED:
	case LIFE_STATES:
		break;
	}
	return STORM_WAITING;
}

static void take(void *ctx, const struct incident *incident)
{
	struct gather *gather = ctx;
	const struct storm_card *storm = gather->storm;
	if (!str_equal(incident->component.source, storm->source) ||
		incident->opened_at < storm->began_at || incident->diagnosis.by[0] == '\0' ||
		(storm->ended_at != 0 && incident->opened_at > storm->ended_at) ||
		gather->facts.count == ROWS_MAX)
		return;
	gather->rows[gather->facts.count++] = (struct storm_row){
		.component = arena_strdup(gather->arena, incident->component.name),
		.issue = arena_strdup(gather->arena, incident->issue),
		.state = state_of(incident)};
}

static bool is_settled(const struct storm_facts *facts)
{
	for (int i = 0; i < facts->count; i++)
		if (facts->rows[i].state == STORM_WAITING || facts->rows[i].state == STORM_HEALING)
			return false;
	return facts->over;
}

/* Which message it is, and of when, for a restart in the middle of it. */
static void keep(struct talker *talker, const struct storm_card *storm)
{
	auto_arena arena = arena_new(64 << 10);
	struct request request = {.kind = REQUEST_POSITION};
	STR_SET(request.fact, FACT_STORM);
	STR_FORMAT(request.value, "%lld %lld %.30s", (long long)storm->message_id,
		(long long)storm->began_at, storm->source);
	talker_ask(talker, &request, false, arena);
}

/* True: nothing more is to be said of it. */
static bool send(struct talker *talker, struct storm_card *storm)
{
	auto_arena arena = arena_new(LIVE_ARENA_BYTES);
	struct gather gather = {.storm = storm, .arena = arena};
	struct err err = {0};
	gather.rows = ARENA_ARRAY(arena, struct storm_row, ROWS_MAX);
	gather.facts = (struct storm_facts){.source = storm->source,
		.began_at = storm->began_at,
		.now = talker_wall(talker),
		.over = storm->ended_at != 0,
		.rows = gather.rows};
	struct incident_query query = {INCIDENTS_ALL, storm->began_at, 0};
	if (!store_incidents(talker->store, query, take, &gather, &err)) {
		log_warn("telegram: %s", err.text);
		return false;
	}
	struct letter letter = {.chat = talker->home,
		.thread = talker->settings->thread,
		.message_id = storm->message_id,
		.message = text_storm(&gather.facts, arena),
		.is_news = true};
	enum delivery delivery = deliver(talker, &letter, arena);
	if (delivery == DELAYED)
		return false;
	bool is_new = storm->message_id != letter.message_id;
	storm->message_id = letter.message_id;
	storm->is_dirty = false;
	storm->edit_at = talker_now(talker) + (talker->home < 0 ? GROUP_EVERY_MS : EVERY_MS);
	if (is_new)
		keep(talker, storm);
	return is_settled(&gather.facts) || talker_wall(talker) - storm->began_at > DAY_MS;
}

void storms_send(struct talker *talker)
{
	for (int i = talker->storm_count - 1; i >= 0; i--) {
		struct storm_card *storm = &talker->storms[i];
		bool is_due = storm->is_dirty && !talker->is_quiet &&
			talker_now(talker) >= storm->edit_at && place_wait(talker, talker->home, true) == 0;
		if (is_due && send(talker, storm))
			drop(talker, storm);
	}
}

void storms_open(struct talker *talker)
{
	char value[64] = "", source[64] = "";
	long long message_id = 0, began_at = 0;
	if (!store_fact_get(talker->store, FACT_STORM, value, sizeof(value), NULL) ||
		sscanf(value, "%lld %lld %63s", &message_id, &began_at, source) != 3 ||
		talker_wall(talker) - began_at > DAY_MS / 24)
		return;
	/* The guard itself is lost with the process: it is over, for all that is known. */
	struct storm_card *storm = &talker->storms[talker->storm_count++];
	*storm = (struct storm_card){.message_id = message_id,
		.began_at = began_at,
		.ended_at = talker_wall(talker),
		.is_dirty = true};
	STR_SET(storm->source, source);
}
