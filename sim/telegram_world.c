/* People, chats, messages. */
#include "sim/telegram_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_BYTES ((size_t)64 << 20)

void *tg_must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

char *tg_strdup(const char *text)
{
	return tg_must(strdup(text));
}

/* Doubles at powers of two, so that the count says the capacity. */
void *tg_more(void *array, int count, size_t size)
{
	if (count > 0 && (count & (count - 1)) != 0)
		return array;
	return tg_must(realloc(array, (count == 0 ? 1 : (size_t)count * 2) * size));
}

int64_t tg_now(const struct sim_telegram *sim)
{
	return clock_mono_ms(sim->clock);
}

int64_t tg_now_s(const struct sim_telegram *sim)
{
	return clock_wall_ms(sim->clock) / 1000;
}

struct sim_telegram *sim_telegram_new(const struct clock *clock)
{
	struct sim_telegram *sim = tg_must(calloc(1, sizeof(*sim)));
	sim->clock = clock;
	STR_SET(sim->token, SIM_TG_TOKEN);
	sim->bot = (struct tg_user){.id = 123456789, .is_bot = true};
	STR_SET(sim->bot.name, "Homeostat");
	STR_SET(sim->bot.username, "homeostat_bot");
	sim->is_private_mode = sim->has_rates = sim->has_styles = true;
	sim->next_update = 700000001;
	sim->polled_offset = -1;
	sim->query_life_ms = 15000;
	sim->shown = arena_new(SHOWN_BYTES);
	sim->commands_arena = arena_new(SHOWN_BYTES);
	sim->commands_text = "";
	return sim;
}

void tg_message_free(struct tg_message *message)
{
	for (int i = 0; i < message->button_count; i++) {
		free(message->buttons[i].text);
		free(message->buttons[i].data);
	}
	free(message->buttons);
	free(message->text);
	free(message->entities);
	free(message->markup);
	free(message->file);
	free(message);
}

static void free_texts(char **texts, int count)
{
	for (int i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

static void free_updates(struct tg_update *updates, int count)
{
	for (int i = 0; i < count; i++)
		free(updates[i].json);
	free(updates);
}

void sim_telegram_free(struct sim_telegram *sim)
{
	if (sim == NULL)
		return;
	for (int i = 0; i < sim->message_count; i++)
		tg_message_free(sim->messages[i]);
	free(sim->messages);
	for (int i = 0; i < sim->chat_count; i++)
		free(sim->chats[i]);
	free(sim->chats);
	free(sim->users);
	free_updates(sim->updates, sim->update_count);
	free_updates(sim->confirmed, sim->confirmed_count);
	free_texts(sim->journal, sim->journal_count);
	free_texts(sim->lines, sim->line_count);
	arena_free(sim->shown);
	arena_free(sim->commands_arena);
	free(sim);
}

struct tg_user *tg_user_find(struct sim_telegram *sim, int64_t id)
{
	if (id == sim->bot.id)
		return &sim->bot;
	for (int i = 0; i < sim->user_count; i++)
		if (sim->users[i].id == id)
			return &sim->users[i];
	return NULL;
}

struct tg_chat *tg_chat_find(struct sim_telegram *sim, int64_t id)
{
	for (int i = 0; i < sim->chat_count; i++)
		if (sim->chats[i]->id == id)
			return sim->chats[i];
	return NULL;
}

struct tg_chat *tg_chat_add(
	struct sim_telegram *sim, int64_t id, enum tg_type type, const char *title)
{
	struct tg_chat *chat = tg_must(calloc(1, sizeof(*chat)));
	*chat = (struct tg_chat){.id = id, .type = type};
	STR_SET(chat->title, title);
	sim->chats = tg_more(sim->chats, sim->chat_count, sizeof(void *));
	sim->chats[sim->chat_count++] = chat;
	return chat;
}

struct tg_message *tg_message_find(struct sim_telegram *sim, const struct tg_chat *chat, int64_t id)
{
	for (int i = 0; i < sim->message_count; i++)
		if (sim->messages[i]->chat == chat && sim->messages[i]->id == id)
			return sim->messages[i];
	return NULL;
}

struct tg_message *tg_message_add(struct sim_telegram *sim, struct tg_chat *chat, const char *text)
{
	struct tg_message *message = tg_must(calloc(1, sizeof(*message)));
	message->chat = chat;
	message->id = ++chat->last_message;
	message->text = tg_strdup(text);
	message->entities = tg_strdup("");
	message->date_s = tg_now_s(sim);
	int points;
	tg_measure(text, &points, &message->units);
	sim->messages = tg_more(sim->messages, sim->message_count, sizeof(void *));
	sim->messages[sim->message_count++] = message;
	return message;
}

void tg_line(struct sim_telegram *sim, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, fmt);
	int length = vasprintf(&text, fmt, args);
	va_end(args);
	if (length < 0)
		abort();
	sim->lines = tg_more(sim->lines, sim->line_count, sizeof(*sim->lines));
	sim->lines[sim->line_count++] = text;
}

const char *sim_telegram_line(const struct sim_telegram *sim, int n)
{
	return n >= 0 && n < sim->line_count ? sim->lines[n] : NULL;
}

int sim_telegram_asked(const struct sim_telegram *sim, const char *pattern)
{
	int count = 0;
	for (int i = 0; i < sim->journal_count; i++)
		count += str_match(pattern, sim->journal[i]);
	return count;
}

int sim_telegram_impatient(const struct sim_telegram *sim)
{
	return sim->impatient;
}

int sim_telegram_unanswered(const struct sim_telegram *sim)
{
	int count = 0;
	for (int64_t i = 0; i < sim->query_count && i < TG_QUERIES; i++)
		count += !sim->queries[i].is_answered;
	return count;
}

int sim_telegram_waiting(const struct sim_telegram *sim)
{
	return sim->update_count;
}

const char *sim_telegram_commands(const struct sim_telegram *sim)
{
	return sim->commands_text;
}
