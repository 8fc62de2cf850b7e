/*
 * Much at once: what is too much for a message each becomes one message with a list, which grows by
 * edits. Nothing in it is lost: questions can be opened from it, and /health shows what is open.
 */
#include <string.h>

#include "base/str.h"
#include "report/telegram/html.h"
#include "report/telegram/live.h"

/* After this long a new message is begun, so that what is new is seen. */
#define DIGEST_MS 600000
#define GROUP_EVERY_MS 10000
#define EVERY_MS 3000

static void add_row(struct digest *digest, enum digest_kind kind, const char *icon,
	const char *component, const char *text)
{
	int at = digest->rows;
	digest->counts[kind]++;
	digest->is_dirty = true;
	if (at == DIGEST_ROWS) {
		/* What matters least makes room. */
		for (int i = 0; i < DIGEST_ROWS; i++)
			if (at == DIGEST_ROWS ? digest->row[i].kind > kind
								  : digest->row[i].kind > digest->row[at].kind)
				at = i;
		if (at == DIGEST_ROWS)
			return;
		digest->rows--;
		memmove(&digest->row[at], &digest->row[at + 1],
			(size_t)(digest->rows - at) * sizeof(digest->row[0]));
	}
	int n = digest->rows++;
	digest->row[n].kind = kind;
	STR_FORMAT(
		digest->row[n].text, "%s %s%s%s", icon, component, component[0] != '\0' ? ": " : "", text);
}

static void fold(struct talker *talker, const struct item *item)
{
	struct digest *digest = &talker->digest;
	const struct notice *notice = &item->notice;
	const struct incident *incident = &notice->incident;
	const char *name = incident->component.name;
	if (item->notice_id != 0 && (digest->notice_id == 0 || item->notice_id < digest->notice_id))
		digest->notice_id = item->notice_id;
	if (item->kind == ITEM_ASK)
		add_row(digest, DIGEST_QUESTION, "⚠️", name, incident->plan.title);
	else if (notice->kind == NOTICE_ESCALATED)
		add_row(digest, DIGEST_PEOPLE, "🚨", name, incident->issue);
	else if (item->kind == ITEM_CARD && incident->state == LIFE_RESOLVED)
		add_row(digest, DIGEST_FIX, "✅", name, incident->plan.title);
	else
		add_row(digest, DIGEST_OTHER, "•", name,
			incident->id != 0 && notice->kind != NOTICE_RESULT ? incident->issue : notice->text);
}

static void begin_if_old(struct talker *talker)
{
	struct digest *digest = &talker->digest;
	if (digest->is_dirty || talker_now(talker) - digest->at < DIGEST_MS)
		return;
	*digest = (struct digest){.at = talker_now(talker)};
}

void digest_fold(struct talker *talker)
{
	begin_if_old(talker);
	for (int i = talker->item_count - 1; i >= 0; i--) {
		const struct item *item = &talker->items[i];
		/* What is critical, and reminders, are told one by one. */
		if (item->rank == 0 || item->kind == ITEM_REMIND || item->chat != 0)
			continue;
		fold(talker, item);
		news_done(talker, i);
		talker->did = true;
	}
}

static void add_count(struct html *html, int count, const char *one, const char *many)
{
	if (count > 0)
		html_addf(html, "\n%d %s", count, count == 1 ? one : many);
}

static struct message *text_digest(const struct digest *digest, struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	int total = 0;
	html_init(&html, arena);
	html_addf(&html, "<b>📋 Much at Once</b>\n");
	add_count(&html, digest->counts[DIGEST_PEOPLE], "needs a person", "need a person");
	add_count(&html, digest->counts[DIGEST_QUESTION], "question waits for an answer",
		"questions wait for an answer");
	add_count(&html, digest->counts[DIGEST_FIX], "was healed", "were healed");
	add_count(&html, digest->counts[DIGEST_OTHER], "other message", "other messages");
	html_addf(&html, "\n");
	for (int kind = 0; kind < DIGEST_KINDS; kind++) {
		total += digest->counts[kind];
		for (int i = 0; i < digest->rows; i++)
			if ((int)digest->row[i].kind == kind)
				html_addf(&html, "\n%s", digest->row[i].text);
	}
	if (total > digest->rows)
		html_addf(&html, "\n… and %d more", total - digest->rows);
	if (digest->counts[DIGEST_QUESTION] > 0)
		message_page(message, "⚠️ Questions", "asking", 1);
	message_page(message, "🏥 Health", "health", 1);
	message->silent = digest->counts[DIGEST_PEOPLE] + digest->counts[DIGEST_QUESTION] == 0;
	message->html = html.out.s;
	return message;
}

void digest_send(struct talker *talker)
{
	struct digest *digest = &talker->digest;
	struct letter letter = {.chat = talker->home,
		.thread = talker->settings->thread,
		.message_id = digest->message_id,
		.is_news = true};
	auto_arena arena = arena_new(LIVE_ARENA_BYTES);
	if (!digest->is_dirty || talker_now(talker) < digest->edit_at)
		return;
	letter.message = text_digest(digest, arena);
	if (deliver(talker, &letter, arena) == DELAYED)
		return;
	digest->message_id = letter.message_id;
	digest->is_dirty = false;
	digest->notice_id = 0;
	digest->edit_at = talker_now(talker) + (talker->home < 0 ? GROUP_EVERY_MS : EVERY_MS);
}
