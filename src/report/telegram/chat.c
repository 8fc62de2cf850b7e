#include "report/telegram/chat.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "report/telegram/live.h"

#define BOX_LIMIT 256
#define BATCH_BYTES ((size_t)16 << 20)
#define LONGEST_WAIT_MS 5000
#define STATUS_EVERY_MS 5000
#define INTRODUCE_EVERY_MS 20000
#define SHORTEST_WAIT_MS 200

struct chat {
	struct chat_config config;
	struct asks asks;
	struct mailbox *box;  /* the talker's */
	struct mailbox *acks; /* the poller's: a batch is handled */
	struct poller poller;
	struct talker talker;
};

int64_t talker_now(const struct talker *talker)
{
	return clock_mono_ms(talker->clock);
}

int64_t talker_wall(const struct talker *talker)
{
	return clock_wall_ms(talker->clock);
}

static struct answer *ask_by_mail(
	void *ctx, const struct request *request, int64_t timeout_ms, struct arena *arena)
{
	struct chat *chat = ctx;
	bool sent;
	return asks_core(&chat->asks, request, timeout_ms, arena, &sent);
}

struct answer *talker_ask(
	struct talker *talker, struct request *request, bool with_position, struct arena *arena)
{
	STR_SET(request->channel, TELEGRAM);
	if (with_position && talker->update_id != 0) {
		STR_SET(request->fact, FACT_OFFSET);
		STR_FORMAT(request->value, "%lld", (long long)(talker->update_id + 1));
	}
	struct answer *answer = talker->ask(talker->ask_ctx, request, ASK_MS, arena);
	if (with_position && answer != NULL && answer->status != 503)
		talker->committed_offset = talker->update_id + 1;
	return answer;
}

static int64_t read_fact(struct talker *talker, const char *key)
{
	char value[64] = "";
	struct err err = {0};
	if (!store_fact_get(talker->store, key, value, sizeof(value), &err))
		log_warn("%s: %s", key, err.text);
	return strtoll(value, NULL, 10);
}

static struct telegram *open_handle(
	const struct chat_config *config, const char *token, struct err *err)
{
	const struct config_telegram *settings = &config->config->telegram;
	return telegram_open(
		&(struct telegram_config){
			.token = token, .api_url = settings->api_url, .chat = settings->chat},
		config->stop_fd, err);
}

static bool open_all(struct chat *chat, struct err *err)
{
	struct talker *talker = &chat->talker;
	const struct config *config = chat->config.config;
	const char *token = secret_resolve(config->state, config->telegram.token, err);
	if (token == NULL)
		return err_prefix(err, "telegram.token");
	chat->poller.telegram = open_handle(&chat->config, token, err);
	talker->telegram = chat->poller.telegram != NULL ? open_handle(&chat->config, token, err)
													 : NULL;
	if (talker->telegram == NULL)
		return false;
	talker->store = store_open_reader(config->state, chat->config.audit_key, err);
	return talker->store != NULL;
}

struct chat *chat_open(const struct chat_config *config, struct err *err)
{
	struct chat *chat = calloc(1, sizeof(*chat));
	if (chat == NULL)
		abort();
	chat->config = *config;
	chat->box = mailbox_new(BOX_LIMIT);
	chat->acks = mailbox_new(1);
	asks_init(&chat->asks, config->core);
	struct talker *talker = &chat->talker;
	talker->config = &chat->config;
	talker->settings = &config->config->telegram;
	talker->clock = chat->poller.clock = config->clock;
	talker->ask = config->ask != NULL ? config->ask : ask_by_mail;
	talker->ask_ctx = config->ask != NULL ? config->ask_ctx : chat;
	talker->home = talker->settings->chat;
	talker->polled.ok = chat->poller.told.ok = true;
	STR_SET(talker->status.name, TELEGRAM);
	gethostname(talker->host, sizeof(talker->host) - 1);
	talker->items = calloc(ITEMS_MAX, sizeof(*talker->items));
	if (talker->items == NULL)
		abort();
	if (!open_all(chat, err)) {
		chat_close(chat);
		return NULL;
	}
	chat->poller.offset = read_fact(talker, FACT_OFFSET);
	talker->committed_offset = talker->first_offset = chat->poller.offset;
	news_open(talker);
	return chat;
}

void chat_close(struct chat *chat)
{
	if (chat == NULL)
		return;
	for (int i = 0; i < chat->talker.owed_count; i++)
		arena_free(chat->talker.owed[i].arena);
	free(chat->talker.items);
	telegram_close(chat->poller.telegram);
	telegram_close(chat->talker.telegram);
	store_close(chat->talker.store);
	asks_free(&chat->asks);
	mailbox_free(chat->box);
	mailbox_free(chat->acks);
	free(chat);
}

void chat_stop(struct chat *chat)
{
	if (chat == NULL)
		return;
	asks_close(&chat->asks);
	mailbox_close(chat->box);
	mailbox_close(chat->acks);
}

struct mailbox *chat_mailbox(struct chat *chat)
{
	return chat->box;
}

/* Who we are, and the list behind the "/" key. */
static void introduce(struct talker *talker)
{
	struct telegram_me me;
	struct telegram_command rows[COMMANDS];
	struct telegram_result result;
	struct err err = {0};
	if (talker->is_introduced || talker_now(talker) < talker->introduce_at)
		return;
	talker->introduce_at = talker_now(talker) + INTRODUCE_EVERY_MS;
	for (int i = 0; i < COMMANDS; i++)
		rows[i] = (struct telegram_command){
			telegram_commands[i].name, telegram_commands[i].summary};
	bool ok = telegram_me(talker->telegram, &me, &result, &err);
	talker_said(talker, result.outcome);
	if (ok) {
		STR_SET(talker->bot, me.username);
		log_info("telegram: this is @%s", me.username);
		ok = telegram_set_commands(talker->telegram,
			&(struct telegram_commands){.rows = rows, .count = COMMANDS}, &result, &err);
		talker_said(talker, result.outcome);
	}
	talker->is_introduced = ok;
	if (!ok)
		log_warn("%s", err.text);
}

/* An update may come again: one of this run is known by its number, those of before a restart by
 * being just below where it began. Numbers that are far away have begun anew. */
static bool is_handled(const struct talker *talker, int64_t id)
{
	for (int i = 0; i < HANDLED_MAX; i++)
		if (talker->handled[i] == id)
			return true;
	return id < talker->first_offset && id >= talker->first_offset - HANDLED_MAX;
}

/* What is left of a batch has had no effect that would carry the position. */
static void hear_all(struct talker *talker, const struct telegram_batch *batch)
{
	auto_arena arena = arena_new(64 << 10);
	for (int i = 0; i < batch->count; i++) {
		if (is_handled(talker, batch->updates[i].id))
			continue;
		talker->update_id = batch->updates[i].id;
		hear(talker, &batch->updates[i]);
		talker->handled[talker->handled_next++ % HANDLED_MAX] = talker->update_id;
	}
	struct request request = {.kind = REQUEST_POSITION};
	if (talker->update_id != 0 && talker->committed_offset != talker->update_id + 1)
		talker_ask(talker, &request, true, arena);
	talker->update_id = 0;
	talker->did = true;
}

static void note_polled(struct talker *talker, const struct polled *polled)
{
	talker->polled = *polled;
	if (polled->ok || !polled->loud)
		return;
	struct notice notice = {.kind = NOTICE_TROUBLE, .at = talker_wall(talker)};
	STR_FORMAT(notice.text, "it does not hear you: %.300s", polled->text);
	news_add(talker, ITEM_PLAIN, &notice, RANK_PERSON);
}

static bool is_same(const struct channel_status *a, const struct channel_status *b)
{
	return a->reached == b->reached && a->changed_at == b->changed_at &&
		a->delivered == b->delivered && a->edited == b->edited && a->delayed == b->delayed &&
		a->lost == b->lost && str_equal(a->text, b->text);
}

/* For `homeostat status` and /metrics. */
static void report_status(struct talker *talker)
{
	struct channel_status *status = &talker->status;
	bool reached = talker->polled.ok && talker->offline == 0 && talker->is_introduced;
	int64_t now = talker_now(talker);
	if (status->reached != reached || status->changed_at == 0) {
		status->reached = reached;
		status->changed_at = talker_wall(talker);
	}
	if (reached || !talker->polled.ok)
		STR_SET(status->text, talker->polled.text);
	if (is_same(status, &talker->status_told) || now < talker->status_at)
		return;
	auto_arena arena = arena_new(64 << 10);
	struct request request = {.kind = REQUEST_CHANNEL, .status = *status};
	talker->status_at = now + STATUS_EVERY_MS;
	if (talker_ask(talker, &request, false, arena) != NULL)
		talker->status_told = *status;
}

static void work(struct talker *talker)
{
	introduce(talker);
	owed_send(talker);
	news_read(talker);
	cards_send(talker);
	news_watch(talker);
	news_send(talker);
	storms_send(talker);
	report_status(talker);
}

static int64_t wait_of(struct talker *talker)
{
	int64_t wait = LONGEST_WAIT_MS;
	bool has_work = talker->item_count + talker->dirty_count + talker->owed_count > 0;
	for (int i = 0; i < talker->storm_count; i++)
		has_work = has_work || talker->storms[i].is_dirty;
	if (has_work) {
		int64_t pace = place_wait(talker, talker->home, true);
		wait = pace < SHORTEST_WAIT_MS ? SHORTEST_WAIT_MS
			: pace < LONGEST_WAIT_MS   ? pace
									   : LONGEST_WAIT_MS;
	}
	return wait;
}

static void *poller_main(void *arg)
{
	struct chat *chat = arg;
	struct poller *poller = &chat->poller;
	while (!mailbox_is_closed(chat->acks)) {
		struct telegram_batch batch;
		struct arena *arena = arena_new(BATCH_BYTES);
		bool news;
		bool has_updates = poller_step(poller, TELEGRAM_POLL_MAX_S, arena, &batch, &news);
		if (news) {
			struct arena *mail = arena_new(4096);
			struct polled *copy = ARENA_NEW(mail, struct polled);
			*copy = poller->told;
			mailbox_send(chat->box, MAIL_POLLED, &mail, copy);
		}
		if (has_updates) {
			struct telegram_batch *body = ARENA_NEW(arena, struct telegram_batch);
			*body = batch;
			int64_t next = batch.next_offset;
			mailbox_send(chat->box, MAIL_UPDATES, &arena, body);
			mail_free(mailbox_receive(chat->acks, -1));
			poller->offset = next;
		}
		arena_free(arena);
		int64_t wait = poller->next_at - clock_mono_ms(poller->clock);
		if (wait > 0 && !clock_wait(poller->clock, wait, chat->config.stop_fd))
			break;
	}
	return NULL;
}

static void *talker_main(void *arg)
{
	struct chat *chat = arg;
	struct talker *talker = &chat->talker;
	while (!mailbox_is_closed(chat->box)) {
		work(talker);
		struct mail *mail = mailbox_receive(chat->box, wait_of(talker));
		if (mail == NULL)
			continue;
		if (mail->kind == MAIL_UPDATES) {
			hear_all(talker, mail->body);
			struct arena *ack = arena_new(256);
			mailbox_offer(chat->acks, MAIL_UPDATES, &ack, NULL);
		} else if (mail->kind == MAIL_POLLED) {
			note_polled(talker, mail->body);
		} else if (mail->kind == MAIL_NOTICE) {
			const struct notice *notice = mail->body;
			/* What could not be kept is told from here. */
			if (notice->id == 0)
				news_add(talker, ITEM_PLAIN, notice, RANK_PERSON);
		}
		mail_free(mail);
	}
	return NULL;
}

bool chat_start(struct chat *chat, struct jobs *jobs, struct err *err)
{
	return (jobs_thread(jobs, "telegram-poll", poller_main, chat) &&
			   jobs_thread(jobs, "telegram", talker_main, chat)) ||
		err_set(err, ERR_SYSTEM, "no thread could be made for telegram");
}

bool chat_step(struct chat *chat, bool polls)
{
	struct telegram_batch batch;
	auto_arena arena = arena_new(BATCH_BYTES);
	struct talker *talker = &chat->talker;
	struct mail *mail;
	talker->did = false;
	while ((mail = mailbox_receive(chat->box, 0)) != NULL) {
		const struct notice *notice = mail->body;
		if (mail->kind == MAIL_NOTICE && notice->id == 0)
			news_add(talker, ITEM_PLAIN, notice, RANK_PERSON);
		mail_free(mail);
	}
	bool news = false;
	if (polls && poller_step(&chat->poller, TELEGRAM_POLL_MAX_S, arena, &batch, &news)) {
		hear_all(talker, &batch);
		chat->poller.offset = batch.next_offset;
	}
	if (news)
		note_polled(talker, &chat->poller.told);
	work(talker);
	return talker->did;
}
