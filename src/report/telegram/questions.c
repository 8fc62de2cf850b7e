/*
 * Questions that nobody answers: they are repeated when they are critical, and asked when they have
 * no message yet.
 */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "report/telegram/live.h"

const struct approval *question_open(const struct story_rows *rows)
{
	const struct fact_story *story = &rows->story;
	if (rows->incident.state != LIFE_ASKING || story->approval_count == 0)
		return NULL;
	const struct approval *newest = &story->approvals[story->approval_count - 1];
	return newest->decided_at == 0 ? newest : NULL;
}

void question_watch(
	struct talker *talker, const struct incident *incident, const struct approval *approval)
{
	int64_t after = talker->settings->escalate_ms;
	if (after <= 0 || incident->severity != SEVERITY_CRITICAL ||
		talker->watched_count == WATCHED_MAX)
		return;
	for (int i = 0; i < talker->watched_count; i++)
		if (talker->watched[i].approval_id == approval->id)
			return;
	int n = talker->watched_count++;
	talker->watched[n].incident_id = incident->id;
	talker->watched[n].approval_id = approval->id;
	talker->watched[n].at = approval->asked_at + after;
}

static void remind(struct talker *talker, int64_t incident_id, int64_t approval_id)
{
	struct story_rows rows;
	auto_arena arena = arena_new(LIVE_ARENA_BYTES);
	if (!story_gather(talker, incident_id, &rows, arena))
		return;
	const struct approval *approval = question_open(&rows);
	if (approval == NULL || approval->id != approval_id ||
		card_exists(talker, incident_id, "remind", approval_id, NULL))
		return;
	struct notice notice = {.kind = NOTICE_ASKING, .incident = rows.incident};
	for (int i = -1; i < talker->settings->escalate_count; i++) {
		if (talker->item_count == ITEMS_MAX)
			return;
		news_add(talker, ITEM_REMIND, &notice, RANK_CRITICAL);
		talker->items[talker->item_count - 1].chat = i < 0 ? talker->home
														   : talker->settings->escalate_chats[i];
	}
}

void questions_watch(struct talker *talker)
{
	int64_t now = talker_wall(talker);
	for (int i = talker->watched_count - 1; i >= 0; i--) {
		if (now < talker->watched[i].at)
			continue;
		remind(talker, talker->watched[i].incident_id, talker->watched[i].approval_id);
		talker->watched[i] = talker->watched[--talker->watched_count];
	}
}

static void take_open(void *ctx, const struct incident *incident)
{
	struct talker *talker = ctx;
	struct notice notice = {.kind = NOTICE_ASKING, .incident = *incident};
	if (incident->state == LIFE_ASKING && talker->item_count < ITEMS_MAX)
		news_add(talker, ITEM_ASK, &notice,
			incident->severity == SEVERITY_CRITICAL ? RANK_CRITICAL : RANK_QUESTION);
}

void questions_ask(struct talker *talker)
{
	struct err err = {0};
	if (!store_incidents(
			talker->store, (struct incident_query){INCIDENTS_OPEN, 0, 0}, take_open, talker, &err))
		log_warn("telegram: %s", err.text);
}
