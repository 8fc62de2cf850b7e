/* The transcript: what people see. */
#include "sim/telegram_world.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_BYTES ((size_t)64 << 20)

static struct arena *fresh(struct sim_telegram *sim)
{
	arena_free(sim->shown);
	sim->shown = arena_new(SHOWN_BYTES);
	return sim->shown;
}

static bool fits(const struct tg_message *message, const char *pattern)
{
	return message->by_bot && str_match(pattern, message->text);
}

static const struct tg_message *newest(
	const struct sim_telegram *sim, const char *pattern, int n, bool with_deleted)
{
	for (int i = sim->message_count - 1; i >= 0; i--) {
		const struct tg_message *message = sim->messages[i];
		if (fits(message, pattern) && (with_deleted || !message->is_deleted) && n-- == 0)
			return message;
	}
	return NULL;
}

bool sim_telegram_shown(
	struct sim_telegram *sim, const char *pattern, int n, struct sim_tg_shown *shown)
{
	const struct tg_message *message = newest(sim, pattern, n, true);
	struct arena *arena = fresh(sim);
	if (message == NULL)
		return false;
	*shown = (struct sim_tg_shown){.id = message->id,
		.chat = message->chat->id,
		.thread = message->thread,
		.reply_to = message->reply_to,
		.text = arena_strdup(arena, message->text),
		.buttons = tg_buttons_text(message, arena),
		.file = message->file != NULL ? arena_strdup(arena, message->file) : "",
		.edits = message->edits,
		.units = message->units,
		.is_silent = message->is_silent,
		.is_deleted = message->is_deleted};
	return true;
}

int sim_telegram_sent(const struct sim_telegram *sim, const char *pattern)
{
	int count = 0;
	for (int i = 0; i < sim->message_count; i++)
		count += fits(sim->messages[i], pattern) && !sim->messages[i]->is_deleted;
	return count;
}

const char *sim_telegram_buttons(struct sim_telegram *sim, const char *pattern)
{
	const struct tg_message *message = newest(sim, pattern, 0, false);
	return message == NULL ? NULL : tg_buttons_text(message, fresh(sim));
}

static void show(struct sim_telegram *sim, const struct tg_message *message, struct str *text)
{
	const struct tg_user *user = tg_user_find(sim, message->from);
	const char *buttons = tg_buttons_text(message, text->arena);
	str_addf(text, "%lld %s: ", (long long)message->id,
		user != NULL ? user->name : message->chat->title);
	if (message->file != NULL)
		str_addf(text, "<%s> ", message->file);
	str_add(text, message->text);
	if (message->edits > 0)
		str_add(text, " (edited)");
	str_addc(text, '\n');
	if (buttons[0] != '\0')
		str_addf(text, "[%s]\n", buttons);
}

const char *sim_telegram_chat(struct sim_telegram *sim, int64_t chat)
{
	struct str text;
	str_init(&text, fresh(sim));
	for (int i = 0; i < sim->message_count; i++)
		if (sim->messages[i]->chat->id == chat && !sim->messages[i]->is_deleted)
			show(sim, sim->messages[i], &text);
	return text.s;
}
