/*
 * Notices of the store become news: which of them is worth a message, in which order they go, and
 * how far they are told. A message that could not be sent is made anew, from how things are then.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "report/internal.h"
#include "report/telegram/live.h"
#include "report/telegram/texts.h"

#define READ_AT_ONCE 12
#define MUCH 6
#define COMMIT_MS 5000
#define STARTED "watching "

/* Everything before it is told. */
static int64_t told_up_to(const struct talker *talker)
{
	int64_t id = talker->read_id;
	for (int i = 0; i < talker->item_count; i++) {
		int64_t notice_id = talker->items[i].notice_id;
		if (notice_id != 0 && notice_id <= id)
			id = notice_id - 1;
	}
	for (int i = 0; i < talker->dirty_count; i++)
		if (talker->dirty_notice[i] != 0 && talker->dirty_notice[i] <= id)
			id = talker->dirty_notice[i] - 1;
	if (talker->digest.notice_id != 0 && talker->digest.notice_id <= id)
		id = talker->digest.notice_id - 1;
	return id > talker->cursor ? id : talker->cursor;
}

void news_commit(struct talker *talker, const struct posting *posting)
{
	int64_t cursor = told_up_to(talker), now = talker_now(talker);
	auto_arena arena = arena_new(256 << 10);
	if (posting != NULL && talker->unrecorded_count < UNRECORDED_MAX) {
		struct posting *row = &talker->unrecorded[talker->unrecorded_count++];
		*row = *posting;
		STR_SET(row->channel, TELEGRAM);
	}
	bool has_rows = talker->unrecorded_count > 0;
	if (!has_rows && (cursor == talker->cursor || now < talker->cursor_at))
		return;
	struct request request = {.kind = has_rows ? REQUEST_SENT : REQUEST_POSITION,
		.postings = talker->unrecorded,
		.count = talker->unrecorded_count};
	STR_SET(request.fact, FACT_NOTICE);
	STR_FORMAT(request.value, "%lld", (long long)cursor);
	talker->cursor_at = now + COMMIT_MS;
	const struct answer *answer = talker_ask(talker, &request, false, arena);
	if (answer == NULL || !answer->ok)
		return; /* kept, and tried again */
	talker->unrecorded_count = 0;
	talker->cursor = cursor;
}

static bool is_same(const struct item *item, enum item_kind kind, const struct notice *notice)
{
	if (item->kind != kind || kind == ITEM_REMIND)
		return false;
	if (notice->incident.id != 0)
		return item->notice.incident.id == notice->incident.id;
	return item->notice.kind == notice->kind && str_equal(item->notice.text, notice->text);
}

void news_add(struct talker *talker, enum item_kind kind, const struct notice *notice, int rank)
{
	for (int i = 0; i < talker->item_count; i++) {
		struct item *item = &talker->items[i];
		if (!is_same(item, kind, notice))
			continue;
		item->notice = *notice;
		if (rank < item->rank)
			item->rank = rank;
		return;
	}
	if (talker->item_count == ITEMS_MAX)
		return;
	talker->items[talker->item_count++] = (struct item){
		.kind = kind, .notice_id = notice->id, .rank = rank, .notice = *notice};
}

void news_done(struct talker *talker, int n)
{
	talker->item_count--;
	memmove(talker->items + n, talker->items + n + 1,
		(size_t)(talker->item_count - n) * sizeof(*talker->items));
}

/* "docker:local: why" → whether people were told that it is out of reach; notes it. */
static bool note_source(struct talker *talker, const struct notice *notice)
{
	char name[64];
	const char *end = strstr(notice->text, ": ");
	STR_FORMAT(name, "%.*s", end != NULL ? (int)(end - notice->text) : (int)strlen(notice->text),
		notice->text);
	int room = -1;
	for (int i = 0; i < 8; i++) {
		if (str_equal(talker->down[i], name)) {
			if (notice->kind == NOTICE_SOURCE_UP)
				talker->down[i][0] = '\0';
			return true;
		}
		if (talker->down[i][0] == '\0')
			room = i;
	}
	if (notice->kind == NOTICE_SOURCE_DOWN && room >= 0)
		STR_SET(talker->down[room], name);
	return false;
}

static void take_of_homeostat(struct talker *talker, const struct notice *notice)
{
	switch ((int)notice->kind) {
	case NOTICE_SOURCE_DOWN:
		/* Out of reach for another reason than before is no news. */
		if (!note_source(talker, notice))
			news_add(talker, ITEM_PLAIN, notice, RANK_PERSON);
		break;
	case NOTICE_SOURCE_UP:
		if (note_source(talker, notice))
			news_add(talker, ITEM_PLAIN, notice, RANK_NEWS);
		break;
	case NOTICE_STORM:
		storms_note(talker, notice);
		break;
	case NOTICE_HEALING:
		/* Who switched it here was answered. */
		if (strstr(notice->text, "by telegram:") == NULL)
			news_add(talker, ITEM_PLAIN, notice, RANK_NEWS);
		break;
	case NOTICE_TROUBLE:
		news_add(talker, ITEM_PLAIN, notice, RANK_PERSON);
		break;
	case NOTICE_STARTED:
	case NOTICE_SUMMARY:
		news_add(talker, ITEM_PLAIN, notice, RANK_NEWS);
		break;
	default:
		break;
	}
}

static void take_of_incident(struct talker *talker, const struct notice *notice)
{
	const struct incident *incident = &notice->incident;
	bool is_ours = incident->actor[0] == '\0';
	card_touch(talker, incident->id, notice->id);
	if (notice->muted)
		return;
	switch ((int)notice->kind) {
	case NOTICE_ASKING:
		news_add(talker, ITEM_ASK, notice,
			incident->severity == SEVERITY_CRITICAL ? RANK_CRITICAL : RANK_QUESTION);
		break;
	case NOTICE_ESCALATED:
		news_add(talker, ITEM_CARD, notice, RANK_PERSON);
		break;
	case NOTICE_RESULT:
		if (!is_ours)
			news_add(talker, ITEM_REPORT, notice, RANK_ANSWER);
		break;
	case NOTICE_POSTPONED:
		if (incident->state == LIFE_POSTPONED && incident->wake_at == 0 &&
			!storms_take(talker, notice))
			news_add(talker, ITEM_CARD, notice, RANK_NEWS);
		break;
	case NOTICE_ENDED:
		if (!storms_take(talker, notice) && incident->state == LIFE_RESOLVED)
			news_add(talker, ITEM_CARD, notice, RANK_NEWS);
		break;
	default:
		storms_take(talker, notice);
		break;
	}
}

static void take_notice(void *ctx, const struct notice *notice)
{
	struct talker *talker = ctx;
	talker->read_id = notice->id;
	talker->did = true;
	if (notice->incident.id != 0)
		take_of_incident(talker, notice);
	else
		take_of_homeostat(talker, notice);
}

void news_read(struct talker *talker)
{
	struct err err = {0};
	while (talker->item_count + READ_AT_ONCE <= ITEMS_MAX &&
		talker->dirty_count + READ_AT_ONCE <= DIRTY_MAX) {
		int64_t before = talker->read_id;
		if (!store_notices(talker->store, before, READ_AT_ONCE, take_notice, talker, &err)) {
			log_warn("telegram: %s", err.text);
			return;
		}
		if (talker->read_id == before)
			return;
		if (talker->item_count > MUCH)
			digest_fold(talker);
	}
}

/* A message of the item, made now; message NULL: there is nothing to be told any more. */
struct telling {
	struct letter letter;
	struct posting posting;
};

static void make_question(struct talker *talker, const struct item *item,
	const struct story_rows *rows, struct telling *telling, struct arena *arena)
{
	const struct approval *approval = question_open(rows);
	bool again = item->kind == ITEM_REMIND;
	if (approval == NULL)
		return;
	question_watch(talker, &rows->incident, approval);
	if (!again && card_exists(talker, rows->incident.id, "ask", approval->id, NULL))
		return;
	struct message *message = card_question(talker, rows, approval->id, arena);
	if (again)
		text_again(message, talker_wall(talker) - approval->asked_at, arena);
	else
		text_late(message, approval->asked_at, talker_wall(talker), arena);
	telling->letter.message = message;
	telling->letter.approval_id = telling->posting.approval_id = approval->id;
	if (telling->letter.chat == talker->home && again)
		card_exists(talker, rows->incident.id, "ask", approval->id, &telling->letter.reply_to);
	STR_SET(telling->posting.purpose, again ? "remind" : "ask");
}

/* What an approved or ordered action came to. Where an order's own message stands, that tells. */
static void make_report(struct talker *talker, const struct item *item,
	const struct story_rows *rows, struct telling *telling, struct arena *arena)
{
	const struct notice *notice = &item->notice;
	if (card_exists(talker, rows->incident.id, "order", 0, NULL))
		return;
	card_exists(talker, rows->incident.id, NULL, 0, &telling->letter.reply_to);
	struct message *message = text_resolution(&rows->incident, notice->ok, notice->text, arena);
	text_late(message, notice->at, talker_wall(talker), arena);
	telling->letter.message = message;
}

static void make_card(struct talker *talker, const struct item *item, const struct story_rows *rows,
	struct telling *telling, struct arena *arena)
{
	int64_t id = rows->incident.id;
	bool is_loud = rows->incident.state == LIFE_ESCALATED;
	/* It has a message already, which is edited. */
	if (!is_loud && card_exists(talker, id, NULL, 0, NULL))
		return;
	struct message *message = card_news(talker, rows, arena);
	if (message == NULL)
		return;
	card_exists(talker, id, NULL, 0, &telling->letter.reply_to);
	text_late(message, item->notice.at, talker_wall(talker), arena);
	telling->letter.message = message;
	STR_SET(telling->posting.purpose, "news");
}

static struct message *make_plain(
	struct talker *talker, const struct item *item, struct arena *arena)
{
	const struct notice *notice = &item->notice;
	struct message *message;
	if (notice->kind == NOTICE_STARTED) {
		const char *watched = notice->text;
		const char *end = strstr(watched, "; auto-healing is ");
		struct boot boot = {.version = HOMEOSTAT_VERSION,
			.first = talker->is_new,
			.clean = true,
			.last_seen_at = -1};
		if (end != NULL)
			healing_parse(end + strlen("; auto-healing is "), &boot.healing);
		if (str_starts(watched, STARTED))
			watched += strlen(STARTED);
		boot.watched = end != NULL ? arena_strndup(arena, watched, (size_t)(end - watched))
								   : watched;
		message = text_boot(&boot, arena);
	} else {
		message = text_notice(notice, arena);
	}
	text_late(message, notice->at, talker_wall(talker), arena);
	return message;
}

static void make(
	struct talker *talker, const struct item *item, struct telling *telling, struct arena *arena)
{
	struct story_rows *rows = ARENA_NEW(arena, struct story_rows);
	telling->letter = (struct letter){
		.chat = item->chat != 0 ? item->chat : talker->home, .is_news = item->rank > RANK_PERSON};
	if (telling->letter.chat == talker->home)
		telling->letter.thread = talker->settings->thread;
	telling->posting = (struct posting){.incident_id = item->notice.incident.id};
	if (item->kind == ITEM_PLAIN) {
		telling->letter.message = make_plain(talker, item, arena);
		return;
	}
	if (!story_gather(talker, item->notice.incident.id, rows, arena))
		return;
	if (item->kind == ITEM_ASK || item->kind == ITEM_REMIND)
		make_question(talker, item, rows, telling, arena);
	else if (item->kind == ITEM_REPORT)
		make_report(talker, item, rows, telling, arena);
	else if (item->kind == ITEM_CARD)
		make_card(talker, item, rows, telling, arena);
}

/* False: it has to wait. */
static bool tell(struct talker *talker, int n)
{
	struct telling telling;
	const struct item *item = &talker->items[n];
	int64_t chat = item->chat != 0 ? item->chat : talker->home;
	if (place_wait(talker, chat, item->rank > RANK_PERSON) > 0)
		return false; /* it is made when it can be sent */
	auto_arena arena = arena_new(LIVE_ARENA_BYTES);
	make(talker, item, &telling, arena);
	struct letter *letter = &telling.letter;
	if (letter->message == NULL) {
		news_done(talker, n);
		talker->did = true;
		return true;
	}
	enum delivery delivery = deliver(talker, letter, arena);
	if (delivery == DELAYED)
		return false;
	struct posting *posting = &telling.posting;
	posting->chat = letter->chat;
	posting->message_id = letter->message_id;
	posting->thread_id = letter->thread;
	posting->at = talker_wall(talker);
	bool stands = delivery == DELIVERED && posting->purpose[0] != '\0';
	if (stands)
		card_shown(talker, letter);
	news_done(talker, n);
	talker->cursor_at = 0;
	news_commit(talker, stands ? posting : NULL);
	return true;
}

static int first_of(const struct talker *talker)
{
	int first = 0;
	for (int i = 1; i < talker->item_count; i++)
		if (talker->items[i].rank < talker->items[first].rank)
			first = i;
	return first;
}

/* In quiet hours only what is critical is told; the rest is in the morning's summary. */
static void hold_back(struct talker *talker)
{
	for (int i = talker->item_count - 1; i >= 0; i--) {
		const struct item *item = &talker->items[i];
		/* Its own trouble is in no summary, and who asked is awake. */
		bool is_trouble = item->notice.kind == NOTICE_TROUBLE && !item->notice.ok;
		bool is_critical = item->rank == RANK_CRITICAL || item->kind == ITEM_REPORT || is_trouble ||
			item->notice.incident.severity == SEVERITY_CRITICAL;
		if (!is_critical)
			news_done(talker, i);
	}
}

void news_send(struct talker *talker)
{
	if (talker->is_quiet)
		hold_back(talker);
	if (talker->item_count > MUCH)
		digest_fold(talker);
	digest_send(talker);
	while (talker->item_count > 0 && tell(talker, first_of(talker)))
		continue;
	news_commit(talker, NULL);
}

static int64_t fact_number(struct talker *talker, const char *key)
{
	char value[64] = "";
	struct err err = {0};
	if (!store_fact_get(talker->store, key, value, sizeof(value), &err))
		log_warn("%s: %s", key, err.text);
	return strtoll(value, NULL, 10);
}

void news_open(struct talker *talker)
{
	struct err err = {0};
	talker->cursor = fact_number(talker, FACT_NOTICE);
	/* A chat that is new to this homeostat is not told its history. */
	talker->is_new = talker->cursor == 0;
	if (talker->is_new && !store_notice_last(talker->store, &talker->cursor, &err))
		log_warn("telegram: %s", err.text);
	talker->read_id = talker->cursor;
	talker->morning_at = fact_number(talker, FACT_MORNING);
	home_open(talker);
	storms_open(talker);
	questions_ask(talker);
}
