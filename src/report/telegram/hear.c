/*
 * Updates: who speaks, and whether that counts. Only a person of allowed_users does, by number.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/redact.h"
#include "base/str.h"
#include "report/internal.h"
#include "report/telegram/live.h"
#include "report/telegram/texts.h"

#define HOUR_MS INT64_C(3600000)

static struct sender sender_of(const struct telegram_update *update)
{
	return (struct sender){.from_id = update->from,
		.is_bot = update->from_is_bot || update->via_bot,
		.is_channel_post = update->chat_type == TELEGRAM_CHANNEL &&
			update->kind == TELEGRAM_MESSAGE,
		.is_forwarded = update->is_forwarded,
		.has_sender_chat = update->is_anonymous};
}

static void learn_name(struct talker *talker, const struct telegram_update *update)
{
	char name[sizeof(talker->names[0].name)];
	words_clean(name, sizeof(name), update->name);
	if (name[0] == '\0')
		return;
	int i = 0;
	while (i < NAMES_MAX && talker->names[i].id != update->from)
		i++;
	if (i == NAMES_MAX)
		i = talker->name_next++ % NAMES_MAX;
	talker->names[i].id = update->from;
	STR_SET(talker->names[i].name, name);
}

const char *talker_who(struct talker *talker, const char *actor, struct arena *arena)
{
	int64_t id = str_starts(actor, "telegram:") ? strtoll(actor + strlen("telegram:"), NULL, 10)
												: 0;
	for (int i = 0; id != 0 && i < NAMES_MAX; i++)
		if (talker->names[i].id == id)
			return arena_strdup(arena, talker->names[i].name);
	return actor;
}

/* True: it is an hour or more since this one was told. */
static bool is_due(struct talker *talker, int64_t id, int *unnoted)
{
	int64_t now = talker_now(talker);
	struct stranger *oldest = &talker->strangers[0];
	*unnoted = 0;
	for (int i = 0; i < STRANGERS_MAX; i++) {
		struct stranger *stranger = &talker->strangers[i];
		if (stranger->id == id && now - stranger->told_at < HOUR_MS) {
			stranger->unnoted++;
			return false;
		}
		if (stranger->id == id) {
			*unnoted = stranger->unnoted;
			oldest = stranger;
			break;
		}
		if (stranger->told_at < oldest->told_at)
			oldest = stranger;
	}
	if (oldest->id != 0 && now - oldest->told_at < HOUR_MS)
		return false; /* a crowd: that many within the hour are enough to know */
	*oldest = (struct stranger){.id = id, .told_at = now};
	return true;
}

static void note(struct talker *talker, const struct telegram_update *update, enum access access,
	int unnoted, struct arena *arena)
{
	struct request request = {.kind = REQUEST_NOTE};
	char name[96], said[100];
	words_clean(name, sizeof(name), update->name);
	words_clean(said, sizeof(said), update->kind == TELEGRAM_CALLBACK ? "a button" : update->text);
	STR_FORMAT(request.actor, "telegram:%lld",
		(long long)(update->sender_chat != 0 ? update->sender_chat : update->from));
	STR_FORMAT(request.text, "%.40s in chat %lld: %.60s: %s", name, (long long)update->chat, said,
		access_reason(access));
	if (unnoted > 0)
		str_format(request.text + strlen(request.text), sizeof(request.text) - strlen(request.text),
			" (and %d more within the hour)", unnoted);
	redact(request.text, sizeof(request.text));
	log_warn("telegram: not allowed: %s: %s", request.actor, request.text);
	talker_ask(talker, &request, true, arena);
}

static void turn_away(struct talker *talker, const struct telegram_update *update,
	enum access access, struct arena **arena)
{
	int64_t id = update->sender_chat != 0 ? update->sender_chat : update->from;
	int unnoted;
	struct message *line = text_unauthorized(*arena);
	if (update->kind == TELEGRAM_CALLBACK) {
		struct telegram_result result;
		struct err err = {0};
		telegram_answer(talker->telegram,
			&(struct telegram_answer){
				.callback = update->callback, .text = line->html, .is_alert = true},
			&result, &err);
	}
	if (!is_due(talker, id, &unnoted))
		return;
	note(talker, update, access, unnoted, *arena);
	if (access == ACCESS_FORWARDED)
		line = text_answer(false, "A forwarded command is not obeyed: somebody else wrote it",
			"Type it yourself", *arena);
	else if (access != ACCESS_STRANGER && access != ACCESS_NOBODY_ALLOWED)
		return;
	struct letter letter = {.chat = update->chat, .thread = update->thread, .message = line};
	if (update->kind == TELEGRAM_MESSAGE)
		reply(talker, &letter, arena);
}

static void hear_message(
	struct talker *talker, const struct telegram_update *update, struct arena **arena)
{
	struct command command;
	struct command_error error;
	struct sender sender = sender_of(update);
	enum command_result result = command_parse(update->text, talker->bot, &command, &error);
	/* In a group people speak with each other. */
	bool to_us = result != COMMAND_NOT_OURS &&
		(result != COMMAND_NONE || update->chat_type == TELEGRAM_PRIVATE);
	if (!to_us)
		return;
	enum access access = sender_access(
		&sender, talker->settings->allowed_users, talker->settings->allowed_count);
	if (access != ACCESS_ALLOWED) {
		turn_away(talker, update, access, arena);
		return;
	}
	learn_name(talker, update);
	if (result == COMMAND_UNDERSTOOD) {
		obey_command(talker, update, &command, arena);
		return;
	}
	struct message *message = command_complaint(result, &command, &error, *arena);
	if (message == NULL && update->text[0] != '\0')
		message = text_only_commands(*arena);
	struct letter letter = {.chat = update->chat, .thread = update->thread, .message = message};
	if (message != NULL)
		reply(talker, &letter, arena);
}

void hear(struct talker *talker, const struct telegram_update *update)
{
	auto_arena arena = arena_new(LIVE_ARENA_BYTES);
	if (update->chat != 0)
		place_alive(talker, update->chat);
	if (update->migrate_to != 0) {
		place_moved(talker, update->chat, update->migrate_to);
	} else if (update->kind == TELEGRAM_MESSAGE) {
		hear_message(talker, update, &arena);
	} else if (update->kind == TELEGRAM_CALLBACK) {
		struct sender sender = sender_of(update);
		enum access access = sender_access(
			&sender, talker->settings->allowed_users, talker->settings->allowed_count);
		if (access != ACCESS_ALLOWED) {
			turn_away(talker, update, access, &arena);
			return;
		}
		learn_name(talker, update);
		obey_press(talker, update, &arena);
	}
}
