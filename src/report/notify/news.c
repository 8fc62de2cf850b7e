/*
 * Which notices a channel tells, when, and how far it is. A question has a message of its own, with
 * its buttons; what else there is too much of goes together. In quiet hours what does not press is
 * passed over, and told together at their end. How far it is, is stored once it is delivered, as
 * "CURSOR HELD": the last notice that is done with, and the first that is held back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/log.h"
#include "report/notify/channel.h"

#define READ_AT_ONCE 120
#define SINGLY 3
#define STORE_EVERY_MS 30000
#define ASK_MS 5000
#define STATUS_EVERY_MS 5000
#define LIVE_ARENA_BYTES ((size_t)16 << 20)
#define HIGH_LASTS_MS INT64_C(90000000)

struct batch {
	struct notifier *notifier;
	struct channel *channel;
	struct arena *arena;
	const struct notice **notices;
	int count;
	int64_t read_to; /* the last one read, wanted or not */
	int64_t held;    /* the first that quiet hours hold back; 0: none */
	bool quiet, morning;
};

static bool is_quiet(const struct channel *channel)
{
	const struct config_notify *settings = channel->settings;
	time_t seconds = (time_t)(clock_wall_ms(channel->clock) / 1000);
	struct tm tm;
	if (settings->quiet_from == settings->quiet_to)
		return false;
	localtime_r(&seconds, &tm);
	int minute = tm.tm_hour * 60 + tm.tm_min;
	if (settings->quiet_from < settings->quiet_to)
		return minute >= settings->quiet_from && minute < settings->quiet_to;
	return minute >= settings->quiet_from || minute < settings->quiet_to;
}

/* Of no incident: by how much it presses. */
static enum severity weight_of(const struct notice *notice)
{
	return notice->incident.id != 0 ? notice->incident.severity : notice_urgency(notice);
}

bool channel_wants(const struct channel *channel, const struct notice *notice)
{
	enum notify_event event = notice_event(notice->kind);
	return event < NOTIFY_EVENTS && (channel->settings->events & 1u << event) != 0 &&
		!notice->muted && weight_of(notice) >= channel->settings->min_severity;
}

/* A question that is answered by now is none any more: what became of it has a notice of its own.
 */
static bool is_over(const struct notice *notice)
{
	return notice->kind == NOTICE_ASKING && notice->incident.state != LIFE_ASKING;
}

/* Before the end of quiet hours: what pressed, and what was before them. */
static bool was_told(const struct channel *channel, const struct notice *notice)
{
	return notice->id <= channel->cursor &&
		(notice->id < channel->held || notice_urgency(notice) == SEVERITY_CRITICAL);
}

static void take(void *ctx, const struct notice *notice)
{
	struct batch *batch = ctx;
	batch->read_to = notice->id;
	if (!channel_wants(batch->channel, notice) || is_over(notice))
		return;
	if (batch->quiet && notice_urgency(notice) != SEVERITY_CRITICAL) {
		if (batch->held == 0)
			batch->held = notice->id;
		return;
	}
	if (batch->morning && was_told(batch->channel, notice))
		return;
	struct notice *copy = ARENA_NEW(batch->arena, struct notice);
	*copy = *notice;
	batch->notices[batch->count++] = copy;
}

struct answer *notifier_ask(struct notifier *notifier, struct request *request, struct arena *arena)
{
	return notifier->config.ask(notifier->config.ask_ctx, request, ASK_MS, arena);
}

/* Not for each notice that is passed over: that would be a write for each. */
static bool store_position(struct notifier *notifier, struct channel *channel, bool now)
{
	int64_t mono = clock_mono_ms(channel->clock);
	auto_arena arena = arena_new(256 << 10);
	if (channel->cursor == channel->stored_cursor && channel->held == channel->stored_held)
		return false;
	if (!now && mono - channel->stored_at < STORE_EVERY_MS)
		return false;
	struct request request = {.kind = REQUEST_POSITION};
	STR_FORMAT(request.fact, "channel:%s:notice", channel->settings->channel);
	STR_FORMAT(request.value, "%lld %lld", (long long)channel->cursor, (long long)channel->held);
	channel->stored_at = mono;
	const struct answer *answer = notifier_ask(notifier, &request, arena);
	if (answer == NULL || !answer->ok)
		return false; /* tried again */
	channel->stored_cursor = channel->cursor;
	channel->stored_held = channel->held;
	return true;
}

static bool make_id(char id[TOKEN_BYTES])
{
	uint64_t random[2];
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return false;
	str_format(id, TOKEN_BYTES, "%016llx%016llx", (unsigned long long)random[0],
		(unsigned long long)random[1]);
	return true;
}

static struct token token_of(
	const struct channel *channel, const struct incident *incident, const struct approval *approval)
{
	struct token token = {.incident_id = incident->id, .approval_id = approval->id};
	STR_SET(token.channel, channel->settings->channel);
	STR_SET(token.plan_hash, approval->plan_hash);
	token.expires_at = approval->expires_at != 0 ? approval->expires_at
												 : approval->asked_at + HIGH_LASTS_MS;
	return token;
}

/* What the buttons do is the core's to keep before they are shown. */
static bool register_buttons(
	struct batch *batch, const struct incident *incident, const struct approval *approval)
{
	struct channel *channel = batch->channel;
	struct token tokens[2] = {
		token_of(channel, incident, approval), token_of(channel, incident, approval)};
	tokens[0].kind = TOKEN_APPROVE;
	tokens[1].kind = TOKEN_REJECT;
	if (channel->offered_approval == approval->id)
		return true;
	if (!make_id(tokens[0].id) || !make_id(tokens[1].id))
		return false;
	struct request request = {.kind = REQUEST_TOKENS, .tokens = tokens, .count = 2};
	const struct answer *answer = notifier_ask(batch->notifier, &request, batch->arena);
	if (answer == NULL || !answer->ok)
		return false;
	channel->offered_approval = approval->id;
	STR_SET(channel->approve, tokens[0].id);
	STR_SET(channel->reject, tokens[1].id);
	return true;
}

static const char *press_url(const struct batch *batch, const char *token)
{
	const char *base = batch->notifier->config.config->public_url;
	size_t length = strlen(base);
	while (length > 0 && base[length - 1] == '/')
		length--;
	return arena_printf(batch->arena, "%.*s/api/v1/press/%s", (int)length, base, token);
}

/* False: they should have been there, and cannot be now. */
static bool add_buttons(struct batch *batch, const struct notice *notice, struct told *told)
{
	const struct config_notify *settings = batch->channel->settings;
	const struct incident *incident = &notice->incident;
	struct approval approval = {0};
	struct err err = {0};
	if (notice->kind != NOTICE_ASKING || !settings->approves ||
		incident->plan.risk > settings->approve_risk)
		return true;
	if (!store_approval_newest(batch->notifier->store, incident->id, &approval, &err))
		return false;
	if (approval.decided_at != 0 || !str_equal(approval.plan_hash, incident->plan.hash))
		return true;
	if (!register_buttons(batch, incident, &approval))
		return false;
	told->approve_url = press_url(batch, batch->channel->approve);
	told->reject_url = press_url(batch, batch->channel->reject);
	return true;
}

static bool is_question(const struct notice *notice)
{
	return notice->kind == NOTICE_ASKING;
}

/* How many of those from the first on go into one message. */
static int take_together(const struct batch *batch)
{
	int run = 0;
	if (batch->count <= SINGLY && !batch->morning)
		return 1;
	while (run < batch->count && !is_question(batch->notices[run]))
		run++;
	return run > 0 ? run : 1;
}

/* All up to this one. */
static void done_with(struct batch *batch, int64_t id)
{
	struct channel *channel = batch->channel;
	if (batch->held != 0 && channel->held == 0)
		channel->held = batch->held;
	if (batch->morning)
		channel->held = id < channel->cursor ? id + 1 : 0;
	if (id > channel->cursor)
		channel->cursor = id;
}

/* True: something was sent, or given up. */
static bool send_first(struct batch *batch)
{
	struct channel *channel = batch->channel;
	struct told told = {.host = batch->notifier->host};
	struct err err = {0};
	int count = take_together(batch);
	if (count > 1)
		told_many(&told, batch->notices, count, batch->arena);
	else
		told_one(&told, batch->notices, clock_wall_ms(channel->clock), batch->arena);
	if (!add_buttons(batch, batch->notices[0], &told)) {
		channel->wait_until = clock_mono_ms(channel->clock) + ASK_MS;
		return false;
	}
	if (channel_send(channel, &told, batch->arena, &err) == DELAYED)
		return false;
	int64_t last = batch->notices[count - 1]->id;
	bool all = count == batch->count;
	done_with(batch, all ? batch->read_to : last);
	return true;
}

/* Out of the store's reach: homeostat's own trouble, told while it lasts. */
static bool send_urgent(struct notifier *notifier, struct channel *channel)
{
	auto_arena arena = arena_new(LIVE_ARENA_BYTES);
	struct told told = {.host = notifier->host};
	struct err err = {0};
	const struct notice *notice = &channel->urgent;
	told_one(&told, &notice, clock_wall_ms(channel->clock), arena);
	if (channel_send(channel, &told, arena, &err) == DELAYED)
		return false;
	channel->urgent.kind = NOTICE_KINDS;
	return true;
}

static bool read_batch(struct batch *batch)
{
	struct channel *channel = batch->channel;
	struct err err = {0};
	int64_t after = channel->cursor;
	if (batch->morning && channel->held <= after)
		after = channel->held - 1;
	batch->read_to = after;
	batch->notices = ARENA_ARRAY(batch->arena, const struct notice *, READ_AT_ONCE);
	if (store_notices(batch->notifier->store, after, READ_AT_ONCE, take, batch, &err))
		return true;
	log_warn("%s: %s", channel->settings->channel, err.text);
	channel->wait_until = clock_mono_ms(channel->clock) + ASK_MS;
	return false;
}

static bool tell_news(struct notifier *notifier, struct channel *channel)
{
	auto_arena arena = arena_new(LIVE_ARENA_BYTES);
	struct batch batch = {
		.notifier = notifier, .channel = channel, .arena = arena, .quiet = is_quiet(channel)};
	batch.morning = !batch.quiet && channel->held != 0;
	if (!read_batch(&batch))
		return false;
	if (batch.count > 0)
		return send_first(&batch);
	int64_t cursor = channel->cursor, held = channel->held;
	done_with(&batch, batch.read_to);
	return channel->cursor != cursor || channel->held != held;
}

static bool is_same(const struct channel_status *a, const struct channel_status *b)
{
	return a->reached == b->reached && a->changed_at == b->changed_at &&
		a->delivered == b->delivered && a->delayed == b->delayed && a->lost == b->lost &&
		str_equal(a->text, b->text);
}

/* For `homeostat status` and /metrics. */
static void report_status(struct notifier *notifier, struct channel *channel)
{
	int64_t now = clock_mono_ms(channel->clock);
	if (now < channel->status_at || is_same(&channel->status, &channel->status_told))
		return;
	auto_arena arena = arena_new(256 << 10);
	struct request request = {.kind = REQUEST_CHANNEL, .status = channel->status};
	channel->status_at = now + STATUS_EVERY_MS;
	if (notifier_ask(notifier, &request, arena) != NULL)
		channel->status_told = channel->status;
}

bool channel_step(struct notifier *notifier, struct channel *channel, int64_t *wait_ms)
{
	int64_t left = channel->wait_until - clock_mono_ms(channel->clock);
	int64_t held = channel->held;
	bool did = false, sent = false;
	if (left <= 0) {
		int64_t delivered = channel->status.delivered + channel->status.lost;
		if (channel->urgent.kind != NOTICE_KINDS)
			did = send_urgent(notifier, channel);
		else
			did = tell_news(notifier, channel);
		sent = channel->status.delivered + channel->status.lost > delivered;
	}
	did = store_position(notifier, channel, sent || held != channel->held) || did;
	report_status(notifier, channel);
	left = channel->wait_until - clock_mono_ms(channel->clock);
	if (left > 0 && left < *wait_ms)
		*wait_ms = left;
	return did;
}
