/*
 * Sending: at most so many messages as Telegram takes, each outcome turned into what helps.
 * Source: Bot API FAQ: a message a second in a chat after a short burst, 20 a minute in a group, 30
 * a second in all; edits count.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "report/telegram/html.h"
#include "report/telegram/live.h"

#define MESSAGE_MS 1000
#define ALL_MS 40
#define MINUTE_MS 60000
/* How far ahead of its pace a chat may be: an answer may use the whole burst, news a part of it. */
#define BURST_MS 2000
#define NEWS_BURST_MS 1000
#define GROUP_NEWS 14
#define ANSWER_WAIT_MS 3000
#define BACKOFF_MAX_MS 60000
#define CORRECTIONS 6
#define FACT_MOVED "channel:telegram:moved"

static struct place *place_of(struct talker *talker, int64_t chat)
{
	struct place *oldest = &talker->places[0];
	for (int i = 0; i < PLACES; i++) {
		struct place *place = &talker->places[i];
		if (place->chat == chat)
			return place;
		if (place->used_at < oldest->used_at)
			oldest = place;
	}
	*oldest = (struct place){.chat = chat, .used_at = talker_now(talker)};
	return oldest;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* When a group's last so many messages are a minute old. */
static int64_t group_free_at(const struct place *place, unsigned most)
{
	if (place->chat > 0 || place->sent < most)
		return 0;
	return place->sent_at[(place->sent - most) % GROUP_RATE] + MINUTE_MS;
}

int64_t place_wait(struct talker *talker, int64_t chat, bool is_news)
{
	const struct place *place = place_of(talker, chat);
	int64_t now = talker_now(talker);
	int64_t at = later(talker->offline_until, place->wait_until);
	at = later(at, place->free_at - (is_news ? NEWS_BURST_MS : BURST_MS));
	at = later(at, talker->all_free_at - MESSAGE_MS);
	at = later(at, group_free_at(place, is_news ? GROUP_NEWS : GROUP_RATE));
	return at > now ? at - now : 0;
}

static void place_use(struct talker *talker, struct place *place)
{
	int64_t now = talker_now(talker);
	place->used_at = now;
	place->free_at = later(place->free_at, now) + MESSAGE_MS;
	place->sent_at[place->sent++ % GROUP_RATE] = now;
	talker->all_free_at = later(talker->all_free_at, now) + ALL_MS;
}

void place_alive(struct talker *talker, int64_t chat)
{
	struct place *place = place_of(talker, chat);
	if (place->is_dead)
		log_info("telegram: chat %lld is there again", (long long)chat);
	place->is_dead = false;
}

void place_moved(struct talker *talker, int64_t from, int64_t to)
{
	log_warn("telegram: group %lld has become %lld: write so in the configuration", (long long)from,
		(long long)to);
	if (talker->home != from)
		return;
	auto_arena arena = arena_new(64 << 10);
	struct request request = {.kind = REQUEST_POSITION};
	talker->home = to;
	STR_SET(request.fact, FACT_MOVED);
	STR_FORMAT(request.value, "%lld %lld", (long long)talker->settings->chat, (long long)to);
	talker_ask(talker, &request, false, arena);
}

void home_open(struct talker *talker)
{
	char value[64] = "";
	long long from = 0, to = 0;
	if (store_fact_get(talker->store, FACT_MOVED, value, sizeof(value), NULL) &&
		sscanf(value, "%lld %lld", &from, &to) == 2 && from == talker->settings->chat)
		talker->home = to;
}

void talker_said(struct talker *talker, enum telegram_outcome outcome)
{
	bool is_away = outcome == TELEGRAM_RETRY || outcome == TELEGRAM_AMBIGUOUS ||
		outcome == TELEGRAM_UNAUTHORIZED;
	if (!is_away) {
		talker->offline = 0;
		return;
	}
	int64_t wait = MESSAGE_MS;
	for (int i = 0; i < talker->offline && wait < BACKOFF_MAX_MS; i++)
		wait *= 2;
	if (outcome == TELEGRAM_UNAUTHORIZED || wait > BACKOFF_MAX_MS)
		wait = BACKOFF_MAX_MS;
	talker->offline++;
	talker->offline_until = talker_now(talker) + wait;
}

/* One message being sent. */
struct sending {
	struct talker *talker;
	struct letter *letter;
	struct telegram_message message;
	struct place *place;
	struct arena *arena;
};

static void note_failure(
	struct sending *sending, const struct telegram_result *result, const struct err *err)
{
	struct channel_status *status = &sending->talker->status;
	status->delayed++;
	STR_SET(status->text, err->text);
	if (sending->talker->offline <= 1)
		log_warn("%s", err->text);
	if (result->outcome == TELEGRAM_RATE_LIMITED)
		sending->place->wait_until = talker_now(sending->talker) +
			result->retry_after_s * MESSAGE_MS;
}

static enum delivery dead(struct sending *sending, const struct err *err)
{
	struct talker *talker = sending->talker;
	sending->place->is_dead = true;
	talker->status.lost++;
	STR_SET(talker->status.text, err->text);
	log_error("%s: nothing more is sent to chat %lld until it is heard of", err->text,
		(long long)sending->letter->chat);
	return sending->letter->chat == talker->home ? DELAYED : LOST;
}

static enum delivery lost(struct sending *sending, const struct err *err)
{
	sending->talker->status.lost++;
	log_error("a message is lost: %s", err->text);
	return LOST;
}

/* What can be put right at once. */
static bool correct(struct sending *sending, const struct telegram_result *result)
{
	struct telegram_message *message = &sending->message;
	struct letter *letter = sending->letter;
	switch ((int)result->outcome) {
	case TELEGRAM_MIGRATED:
		place_moved(sending->talker, letter->chat, result->chat);
		letter->chat = message->chat = result->chat;
		/* Its messages were another chat's. */
		letter->message_id = 0;
		sending->place = place_of(sending->talker, letter->chat);
		return true;
	case TELEGRAM_MESSAGE_GONE:
		letter->message_id = 0;
		return true;
	case TELEGRAM_NO_THREAD:
		message->thread = letter->thread = 0;
		return true;
	case TELEGRAM_BAD_ENTITIES:
		log_warn("telegram: a message was not understood, and is sent plain");
		if (message->is_plain)
			return false;
		message->text = html_plain(message->text, sending->arena);
		message->is_plain = true;
		return true;
	case TELEGRAM_REFUSED:
		if (message->row_count == 0)
			return false;
		message->row_count = 0;
		return true;
	default:
		return false;
	}
}

/* Until it is there, or has to wait. */
static enum delivery send(struct sending *sending)
{
	struct talker *talker = sending->talker;
	struct letter *letter = sending->letter;
	struct err err = {0};
	for (int tries = 0; tries < CORRECTIONS; tries++) {
		struct telegram_result result;
		err = (struct err){0};
		place_use(talker, sending->place);
		bool is_edit = letter->message_id != 0;
		bool ok = is_edit
			? telegram_edit(talker->telegram, letter->message_id, &sending->message, &result, &err)
			: telegram_send(talker->telegram, &sending->message, &result, &err);
		talker->did = true;
		talker_said(talker, result.outcome);
		if (ok) {
			if (is_edit)
				talker->status.edited++;
			else
				talker->status.delivered++;
			if (result.message_id != 0)
				letter->message_id = result.message_id;
			return DELIVERED;
		}
		if (result.outcome == TELEGRAM_CHAT_DEAD)
			return dead(sending, &err);
		if (err.kind == ERR_RETRY || err.kind == ERR_TIMEOUT || err.kind == ERR_CANCELLED ||
			result.outcome == TELEGRAM_UNAUTHORIZED) {
			note_failure(sending, &result, &err);
			return DELAYED;
		}
		if (!correct(sending, &result))
			break;
	}
	return lost(sending, &err);
}

static bool may_send(struct talker *talker, const struct letter *letter)
{
	return talker_now(talker) >= talker->offline_until &&
		place_wait(talker, letter->chat, letter->is_news) == 0;
}

/* What is too long goes ahead in parts; the last one is the message. */
static enum delivery send_parts(struct sending *sending, const struct html_parts *parts)
{
	struct telegram_message whole = sending->message;
	for (int i = 0; i + 1 < parts->count && sending->letter->message_id == 0; i++) {
		struct letter part = *sending->letter;
		struct sending ahead = *sending;
		ahead.letter = &part;
		ahead.message.text = parts->part[i];
		ahead.message.row_count = 0;
		enum delivery delivery = send(&ahead);
		if (delivery != DELIVERED)
			return delivery;
	}
	sending->message = whole;
	sending->message.text = parts->part[sending->letter->message_id != 0 ? 0 : parts->count - 1];
	return send(sending);
}

enum delivery deliver(struct talker *talker, struct letter *letter, struct arena *arena)
{
	struct place *place = place_of(talker, letter->chat);
	struct keyboard keyboard = {0};
	struct html_parts parts = {0};
	if (place->is_dead)
		return letter->chat == talker->home ? DELAYED : LOST;
	if (!may_send(talker, letter))
		return DELAYED;
	/* A question without buttons is none: it waits until the core can record them. */
	if (!keyboard_make(talker, letter, &keyboard, arena) && letter->approval_id != 0)
		return DELAYED;
	struct sending sending = {.talker = talker, .letter = letter, .place = place, .arena = arena};
	sending.message = (struct telegram_message){.chat = letter->chat,
		.thread = letter->thread,
		.reply_to = letter->reply_to,
		.text = letter->message->html,
		.is_silent = letter->message->silent,
		.rows = keyboard.rows,
		.row_count = keyboard.row_count};
	if (!html_split(letter->message->html, arena, &parts) || parts.count < 2)
		return send(&sending);
	return send_parts(&sending, &parts);
}

enum delivery say_now(struct talker *talker, struct letter *letter, struct arena *arena)
{
	int64_t wait = place_wait(talker, letter->chat, false);
	if (wait > 0 && wait <= ANSWER_WAIT_MS)
		clock_wait(talker->clock, wait, talker->config->stop_fd);
	return deliver(talker, letter, arena);
}

void reply(struct talker *talker, struct letter *letter, struct arena **arena)
{
	if (say_now(talker, letter, *arena) != DELAYED || talker->owed_count == OWED_MAX)
		return;
	talker->owed[talker->owed_count].arena = *arena;
	talker->owed[talker->owed_count++].letter = *letter;
	*arena = NULL;
}

void owed_send(struct talker *talker)
{
	int kept = 0;
	for (int i = 0; i < talker->owed_count; i++) {
		struct letter letter = talker->owed[i].letter;
		if (deliver(talker, &letter, talker->owed[i].arena) == DELAYED)
			talker->owed[kept++] = talker->owed[i];
		else
			arena_free(talker->owed[i].arena);
	}
	talker->owed_count = kept;
}
