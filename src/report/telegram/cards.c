/*
 * Messages that follow an incident: questions, progress of orders, news. Each is made from how the
 * incident stands in the store now, so it does not matter how many changes it missed, nor whether
 * homeostat was restarted in between.
 */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "report/telegram/live.h"
#include "report/telegram/texts.h"

#define POSTINGS_MAX 24

struct postings {
	struct posting rows[POSTINGS_MAX];
	int count;
};

static void take_posting(void *ctx, const struct posting *posting)
{
	struct postings *postings = ctx;
	if (postings->count == POSTINGS_MAX) { /* the oldest matter least */
		memmove(postings->rows, postings->rows + 1, (POSTINGS_MAX - 1) * sizeof(*posting));
		postings->count--;
	}
	postings->rows[postings->count++] = *posting;
}

static void read_postings(struct talker *talker, int64_t incident_id, struct postings *postings)
{
	struct err err = {0};
	postings->count = 0;
	if (!store_postings(talker->store, TELEGRAM, incident_id, take_posting, postings, &err))
		log_warn("telegram: %s", err.text);
	/* What is sent, and not yet known to the store. */
	for (int i = 0; i < talker->unrecorded_count; i++)
		if (talker->unrecorded[i].incident_id == incident_id)
			take_posting(postings, &talker->unrecorded[i]);
}

bool card_exists(struct talker *talker, int64_t incident_id, const char *purpose,
	int64_t approval_id, int64_t *message_id)
{
	struct postings postings;
	bool found = false;
	read_postings(talker, incident_id, &postings);
	for (int i = 0; i < postings.count; i++) {
		const struct posting *row = &postings.rows[i];
		if (purpose != NULL && !str_equal(row->purpose, purpose))
			continue;
		if (approval_id != 0 && row->approval_id != approval_id)
			continue;
		found = true;
		if (message_id != NULL && row->chat == talker->home)
			*message_id = row->message_id;
	}
	return found;
}

bool card_stands(struct talker *talker, int64_t incident_id, int64_t chat, int64_t message_id)
{
	struct postings postings;
	read_postings(talker, incident_id, &postings);
	for (int i = 0; i < postings.count; i++)
		if (postings.rows[i].chat == chat && postings.rows[i].message_id == message_id)
			return true;
	return false;
}

void card_touch(struct talker *talker, int64_t incident_id, int64_t notice_id)
{
	for (int i = 0; i < talker->dirty_count; i++)
		if (talker->dirty[i] == incident_id)
			return;
	if (incident_id == 0 || talker->dirty_count == DIRTY_MAX ||
		!card_exists(talker, incident_id, NULL, 0, NULL))
		return;
	talker->dirty[talker->dirty_count] = incident_id;
	talker->dirty_notice[talker->dirty_count++] = notice_id;
}

static const struct action_record *action_of(const struct fact_story *story, int attempt)
{
	for (int i = story->action_count - 1; i >= 0; i--)
		if (story->actions[i].attempt == attempt)
			return &story->actions[i];
	return NULL;
}

static bool is_good(const struct action_record *action)
{
	return str_equal(action->outcome, "done") || str_equal(action->outcome, "healed");
}

static void judge_approved(
	const struct story_rows *rows, const struct approval *approval, struct asked *asked)
{
	const struct incident *incident = &rows->incident;
	const struct action_record *action = action_of(&rows->story, approval->attempt);
	asked->stage = ASKED_APPROVED;
	if (action == NULL && !life_is_open(incident->state)) {
		asked->stage = ASKED_OVERTAKEN;
		asked->at = incident->ended_at;
		asked->result = incident->reason;
	} else if (action != NULL && action->ended_at != 0) {
		asked->stage = ASKED_DONE;
		asked->ok = is_good(action);
		asked->result = action->text;
	}
	if (asked->stage == ASKED_DONE && str_equal(action->outcome, "healed")) {
		asked->stage = ASKED_HEALED;
		asked->took_ms = incident->failed_at > 0 && incident->ended_at > incident->failed_at
			? incident->ended_at - incident->failed_at
			: 0;
	}
}

/* Nobody has answered it. */
static void judge_open(
	const struct story_rows *rows, const struct approval *approval, struct asked *asked)
{
	const struct incident *incident = &rows->incident;
	const struct fact_story *story = &rows->story;
	bool is_newest = story->approvals[story->approval_count - 1].id == approval->id;
	bool has_expired = approval->expires_at != 0 && incident->changed_at >= approval->expires_at;
	asked->stage = ASKED_OVERTAKEN;
	asked->at = incident->changed_at;
	if (!is_newest) {
		asked->at = story->approvals[story->approval_count - 1].asked_at;
		asked->result = "it was asked anew";
	} else if (incident->state == LIFE_ASKING) {
		asked->stage = ASKED_OPEN;
	} else if (incident->state == LIFE_ESCALATED && has_expired) {
		asked->stage = ASKED_EXPIRED;
		asked->at = approval->expires_at;
	} else if (incident->state == LIFE_CLEARED) {
		asked->result = incident->reason[0] != '\0' ? incident->reason : "it is healthy again";
	} else if (incident->actor[0] != '\0') {
		asked->result = "it was ordered instead";
	} else {
		asked->result = incident->reason;
	}
}

struct message *card_question(
	struct talker *talker, const struct story_rows *rows, int64_t approval_id, struct arena *arena)
{
	const struct fact_story *story = &rows->story;
	const struct approval *approval = NULL;
	struct asked asked = {0};
	for (int i = 0; i < story->approval_count; i++)
		if (story->approvals[i].id == approval_id)
			approval = &story->approvals[i];
	if (approval == NULL)
		return NULL;
	bool is_open = approval->decided_at == 0;
	asked.who = talker_who(talker, is_open ? approval->first_actor : approval->actor, arena);
	asked.at = approval->decided_at;
	if (is_open) {
		judge_open(rows, approval, &asked);
	} else if (approval->later) {
		asked.stage = ASKED_LATER;
		asked.until = approval->decided_at + talker->config->config->brakes.later_ms;
	} else if (approval->approved) {
		judge_approved(rows, approval, &asked);
	} else {
		asked.stage = ASKED_REJECTED;
	}
	return text_asking(&rows->incident, &asked, arena);
}

static enum deed deed_of(const char *action)
{
	if (str_ends(action, ".start"))
		return DEED_START;
	return str_ends(action, ".stop") || str_ends(action, ".shutdown") ? DEED_STOP : DEED_RESTART;
}

/* The action that this order led to; NULL: none yet. */
static const struct action_record *ordered_action(
	const struct fact_story *story, const struct posting *posting)
{
	for (int i = 0; i < story->action_count; i++)
		if (story->actions[i].began_at >= posting->at)
			return &story->actions[i];
	return NULL;
}

/* Its own; where its end was not seen, and all is as it should be, NULL: there are none. */
static const char *words_of(const struct action_record *action)
{
	bool is_own = str_starts(action->text, "Successfully ") || str_ends(action->text, " already");
	return !is_good(action) || is_own ? action->text : NULL;
}

static struct message *card_order(
	const struct story_rows *rows, const struct posting *posting, struct arena *arena)
{
	const struct incident *incident = &rows->incident;
	const struct action_record *action = ordered_action(&rows->story, posting);
	const char *target = text_target(&incident->component, arena);
	const char *name = action != NULL ? action->action : incident->diagnosis.action;
	enum deed deed = deed_of(name);
	struct message *message;
	bool is_over = incident->state == LIFE_ESCALATED || incident->state == LIFE_REJECTED ||
		!life_is_open(incident->state);
	if (action == NULL && incident->state == LIFE_POSTPONED)
		return text_postponed(target, incident->reason, arena);
	if (action == NULL && !is_over)
		return text_progress(deed, target, arena);
	if (action == NULL)
		message = text_ordered(deed, target, false, incident->reason, arena);
	else if (action->ended_at == 0)
		return text_progress(deed, target, arena);
	else
		message = text_ordered(deed, target, is_good(action), words_of(action), arena);
	const char *list = incident->component.kind == COMPONENT_CONTAINER ? "docker" : "vms";
	message_page(message, incident->component.label,
		arena_printf(arena, "%s/%s", list, incident->component.name), 1);
	return message;
}

static struct message *in_words(
	enum notice_kind kind, const struct incident *incident, bool ok, struct arena *arena)
{
	struct notice *notice = ARENA_NEW(arena, struct notice);
	notice->kind = kind;
	notice->ok = ok;
	notice->incident = *incident;
	STR_SET(notice->text, incident->reason);
	return text_notice(notice, arena);
}

struct message *card_news(struct talker *talker, const struct story_rows *rows, struct arena *arena)
{
	const struct incident *incident = &rows->incident;
	const struct action_record *action = action_of(&rows->story, incident->attempt);
	bool is_ours = action != NULL && action->actor[0] == '\0';
	(void)talker;
	switch (incident->state) {
	case LIFE_RESOLVED:
		return is_ours ? text_fixed(incident, true, action->text, arena)
					   : in_words(NOTICE_ENDED, incident, true, arena);
	case LIFE_CLEARED:
	case LIFE_REJECTED:
		return in_words(NOTICE_ENDED, incident, false, arena);
	case LIFE_ESCALATED:
		return text_escalated(incident, incident->reason, arena);
	case LIFE_POSTPONED:
		if (is_ours && action->ended_at != 0 && !is_good(action))
			return text_fixed(incident, false, action->text, arena);
		return in_words(NOTICE_POSTPONED, incident, false, arena);
	case LIFE_ACTING:
		return in_words(NOTICE_ACTING, incident, false, arena);
	case LIFE_NONE:
	case LIFE_SUSPECTED:
	case LIFE_DIAGNOSING:
	case LIFE_DECIDING:
	case LIFE_ASKING:
	case LIFE_SUPPRESSED:
	case LIFE_VERIFYING:
	case LIFE_ROLLING_BACK:
	case LIFE_STATES:
		break;
	}
	return NULL; /* as it is shown, until something is decided */
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT64_C(1099511628211);
	return hash;
}

static uint64_t hash_of(const struct message *message)
{
	uint64_t hash = hash_bytes(
		UINT64_C(14695981039346656037), message->html, strlen(message->html) + 1);
	for (int i = 0; i < message->buttons; i++)
		hash = hash_bytes(hash, message->button[i].text, strlen(message->button[i].text) + 1);
	return hash;
}

/* Whether it shows that already; else notes that it does from now on. */
static bool is_shown(struct talker *talker, const struct letter *letter, bool note)
{
	uint64_t hash = hash_of(letter->message);
	int i = 0;
	while (i < SHOWN_MAX &&
		(talker->shown[i].message_id != letter->message_id ||
			talker->shown[i].chat != letter->chat))
		i++;
	if (!note)
		return i < SHOWN_MAX && talker->shown[i].hash == hash;
	if (i == SHOWN_MAX)
		i = talker->shown_next++ % SHOWN_MAX;
	talker->shown[i].chat = letter->chat;
	talker->shown[i].message_id = letter->message_id;
	talker->shown[i].hash = hash;
	return true;
}

void card_shown(struct talker *talker, const struct letter *letter)
{
	is_shown(talker, letter, true);
}

static struct message *render(struct talker *talker, const struct story_rows *rows,
	const struct posting *posting, struct arena *arena)
{
	if (str_equal(posting->purpose, "ask") || str_equal(posting->purpose, "remind"))
		return card_question(talker, rows, posting->approval_id, arena);
	if (str_equal(posting->purpose, "order"))
		return card_order(rows, posting, arena);
	return str_equal(posting->purpose, "news") ? card_news(talker, rows, arena) : NULL;
}

/* False: it has to wait. */
static bool edit(struct talker *talker, const struct story_rows *rows,
	const struct posting *posting, struct arena *arena)
{
	struct letter letter = {.chat = posting->chat,
		.thread = posting->thread_id,
		.message_id = posting->message_id,
		.approval_id = posting->approval_id};
	letter.message = render(talker, rows, posting, arena);
	if (letter.message == NULL || is_shown(talker, &letter, false))
		return true;
	enum delivery delivery = deliver(talker, &letter, arena);
	if (delivery != DELIVERED)
		return delivery != DELAYED;
	card_shown(talker, &letter);
	/* It was gone, and stands anew. */
	if (letter.message_id != posting->message_id) {
		struct posting moved = *posting;
		moved.message_id = letter.message_id;
		moved.chat = letter.chat;
		news_commit(talker, &moved);
	}
	return true;
}

static bool edit_all(struct talker *talker, int64_t incident_id)
{
	struct postings postings;
	struct story_rows rows;
	auto_arena arena = arena_new(LIVE_ARENA_BYTES);
	read_postings(talker, incident_id, &postings);
	if (!story_gather(talker, incident_id, &rows, arena))
		return true;
	bool all = true;
	/* Only the newest news follows; those before it said what was then. */
	bool seen_news = false;
	for (int i = postings.count - 1; i >= 0; i--) {
		bool is_news = str_equal(postings.rows[i].purpose, "news");
		if (!is_news || !seen_news)
			all = edit(talker, &rows, &postings.rows[i], arena) && all;
		seen_news = seen_news || is_news;
	}
	return all;
}

void cards_send(struct talker *talker)
{
	int kept = 0;
	for (int i = 0; i < talker->dirty_count; i++) {
		/* Not even made while it could not be sent. */
		bool may = place_wait(talker, talker->home, false) == 0;
		if (may && edit_all(talker, talker->dirty[i])) {
			talker->did = true;
			continue;
		}
		talker->dirty[kept] = talker->dirty[i];
		talker->dirty_notice[kept++] = talker->dirty_notice[i];
	}
	talker->dirty_count = kept;
}
