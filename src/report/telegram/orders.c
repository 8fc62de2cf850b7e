/*
 * What an allowed person's commands and presses do: show a page, or ask the core for something.
 */
#include <stdlib.h>
#include <string.h>

#include "base/redact.h"
#include "base/str.h"
#include "report/telegram/live.h"
#include "report/telegram/menu.h"
#include "report/telegram/texts.h"

/* An order of so long ago was meant for a world that is gone. */
#define STALE_MS 300000
#define QUESTION "Should I proceed with this action?"
#define UNANSWERED "homeostat did not answer in time: look how it is before you try again"

/* Of a button's message that Telegram does not tell any more: the presser's own chat, which has the
 * person's number. */
static int64_t place_of_update(const struct telegram_update *update)
{
	return update->chat != 0 ? update->chat : update->from;
}

static struct letter letter_to(const struct telegram_update *update, const struct message *message)
{
	return (struct letter){
		.chat = place_of_update(update), .thread = update->thread, .message = message};
}

static void say(struct talker *talker, const struct telegram_update *update,
	const struct message *message, struct arena **arena)
{
	struct letter letter = letter_to(update, message);
	reply(talker, &letter, arena);
}

static void actor_of(const struct telegram_update *update, struct request *request)
{
	STR_FORMAT(request->actor, "telegram:%lld", (long long)update->from);
	request->chat = place_of_update(update);
}

static void show(struct talker *talker, const struct telegram_update *update, const char *path,
	struct arena **arena)
{
	struct letter letter = letter_to(update, NULL);
	letter.message = page_show(talker, path, 1, *arena, &letter.approval_id);
	reply(talker, &letter, arena);
}

/* Puts a message where another stands. */
static void become(struct talker *talker, const struct telegram_update *update, int64_t message_id,
	const struct message *message, struct arena **arena)
{
	struct letter letter = letter_to(update, message);
	letter.message_id = message_id;
	reply(talker, &letter, arena);
}

static const char *answer_text(const struct answer *answer)
{
	return answer != NULL ? answer->text : UNANSWERED;
}

/* Progress first, then the order, which knows where its result is to be shown. */
static void give(struct talker *talker, const struct telegram_update *update,
	const struct target *target, struct arena **arena)
{
	struct request request = {.kind = REQUEST_ORDER};
	struct letter letter = letter_to(update, text_progress(target->deed, target->words, *arena));
	actor_of(update, &request);
	request.message_id = say_now(talker, &letter, *arena) == DELIVERED ? letter.message_id : 0;
	STR_SET(request.action, deed_action(target->deed, target->component));
	STR_SET(request.component, target->component);
	const struct answer *answer = talker_ask(talker, &request, true, *arena);
	if (answer != NULL && answer->ok)
		card_touch(talker, answer->incident_id, 0);
	else
		become(talker, update, request.message_id,
			text_ordered(target->deed, target->words, false, answer_text(answer), *arena), arena);
}

static void order(struct talker *talker, const struct telegram_update *update,
	const struct command *command, struct arena **arena)
{
	bool of_containers = telegram_commands[command->kind].takes == TAKES_CONTAINER;
	const struct facts *facts = facts_gather(talker, of_containers ? "docker" : "vms", *arena);
	struct target target;
	char at[24];
	if (command_target(command, facts, *arena, &target) == TARGET_UNCLEAR) {
		bool blind = !of_containers && facts->guest_count == 0 && facts->trouble != NULL;
		say(talker, update,
			blind ? text_answer(false, "Proxmox VE does not answer", facts->trouble, *arena)
				  : target.message,
			arena);
	} else if (update->date_s > 0 && talker_wall(talker) - update->date_s * 1000 > STALE_MS) {
		str_utc(at, update->date_s * 1000);
		say(talker, update,
			text_answer(false,
				arena_printf(*arena, "Not done: I was not there when you sent this at %s", at),
				"Send it again if it is still meant", *arena),
			arena);
	} else if (target.critical && target.deed != DEED_START) {
		struct letter letter = letter_to(update, menu_show(facts, target.confirm, 1, *arena));
		reply(talker, &letter, arena);
	} else {
		give(talker, update, &target, arena);
	}
}

static void backup(struct talker *talker, const struct telegram_update *update,
	const struct command *command, struct arena **arena)
{
	const struct facts *facts = facts_gather(talker, "backup", *arena);
	struct target target;
	const char *path = "backup";
	if (command->target[0] != '\0') {
		if (command_target(command, facts, *arena, &target) == TARGET_UNCLEAR) {
			say(talker, update, target.message, arena);
			return;
		}
		path = target.confirm;
	}
	say(talker, update, menu_show(facts, path, 1, *arena), arena);
}

static void switch_healing(struct talker *talker, const struct telegram_update *update,
	enum healing healing, struct arena **arena)
{
	struct request request = {.kind = REQUEST_HEALING, .healing = healing};
	actor_of(update, &request);
	const struct answer *answer = talker_ask(talker, &request, true, *arena);
	say(talker, update,
		answer != NULL && answer->ok
			? text_healing(healing, talker->config->config->interval_ms, *arena)
			: text_answer(false, answer_text(answer), NULL, *arena),
		arena);
}

/* The component that is meant: by its name, or by its label when only one has it. "" : none. */
static const char *component_named(
	struct talker *talker, const char *text, const char **near, struct arena *arena)
{
	const char **names;
	int count = components_gather(talker, text, &names, arena);
	*near = NULL;
	if (count == 1)
		return names[0];
	const char *found = count == 0 ? str_nearest(text, names) : NULL;
	for (int i = 0; found != NULL && names[i] != NULL; i++)
		if (names[i] == found)
			*near = names[i - i % 2];
	return "";
}

static void mute(struct talker *talker, const struct telegram_update *update,
	const struct command *command, struct arena **arena)
{
	struct request request = {.kind = REQUEST_MUTE};
	const char *name = command->target, *near = NULL;
	actor_of(update, &request);
	request.for_ms = command->kind == COMMAND_MUTE ? command->duration_ms : 0;
	if (name[0] != '\0' && strpbrk(name, "*?") == NULL && request.for_ms > 0) {
		name = component_named(talker, command->target, &near, *arena);
		if (name[0] == '\0') {
			say(talker, update, text_no_component(command->target, near, request.for_ms, *arena),
				arena);
			return;
		}
	}
	STR_SET(request.component, name);
	const struct answer *answer = talker_ask(talker, &request, true, *arena);
	if (answer == NULL || !answer->ok)
		say(talker, update, text_answer(false, answer_text(answer), NULL, *arena), arena);
	else if (request.for_ms > 0)
		say(talker, update, text_muted(name, talker_wall(talker) + request.for_ms, *arena), arena);
	else
		say(talker, update, text_unmuted(name, *arena), arena);
}

void obey_command(struct talker *talker, const struct telegram_update *update,
	const struct command *command, struct arena **arena)
{
	switch (command->kind) {
	case COMMAND_START:
		say(talker, update, command_welcome(update->name, *arena), arena);
		break;
	case COMMAND_HELP:
		say(talker, update, command_help(*arena), arena);
		break;
	case COMMAND_MENU:
		show(talker, update, "", arena);
		break;
	case COMMAND_STATUS:
	case COMMAND_NODE:
	case COMMAND_VMS:
	case COMMAND_DOCKER:
	case COMMAND_HEALTH:
	case COMMAND_AUDIT:
		show(talker, update, telegram_commands[command->kind].name, arena);
		break;
	case COMMAND_BACKUP:
		backup(talker, update, command, arena);
		break;
	case COMMAND_START_VM:
	case COMMAND_STOP_VM:
	case COMMAND_RESTART_VM:
	case COMMAND_RESTART_CONTAINER:
	case COMMAND_STOP_CONTAINER:
		order(talker, update, command, arena);
		break;
	case COMMAND_ENABLE:
	case COMMAND_DISABLE:
		switch_healing(
			talker, update, command->kind == COMMAND_ENABLE ? HEALING_ON : HEALING_OFF, arena);
		break;
	case COMMAND_WHY:
		show(talker, update, arena_printf(*arena, "why/%lld", (long long)command->incident_id),
			arena);
		break;
	case COMMAND_MUTE:
	case COMMAND_UNMUTE:
		mute(talker, update, command, arena);
		break;
	}
}

/* The spinner on the button ends; what did not work is said in a box. */
static void end_spinner(
	struct talker *talker, const struct telegram_update *update, const struct answer *answer)
{
	struct telegram_result result;
	struct err err = {0};
	char text[480];
	STR_SET(text, answer_text(answer));
	redact(text, sizeof(text));
	telegram_answer(talker->telegram,
		&(struct telegram_answer){
			.callback = update->callback, .text = text, .is_alert = answer == NULL || !answer->ok},
		&result, &err);
	talker_said(talker, result.outcome);
}

/* A question that was sent just before the daemon died is not known to the store: it is now. */
static bool adopt(
	struct talker *talker, const struct telegram_update *update, const struct token *token)
{
	struct posting posting = {.chat = update->chat,
		.message_id = update->message_id,
		.thread_id = update->thread,
		.incident_id = token->incident_id,
		.approval_id = token->approval_id,
		.purpose = "ask",
		.at = talker_wall(talker)};
	if (token->approval_id == 0 || strstr(update->text, QUESTION) == NULL)
		return false;
	news_commit(talker, &posting);
	return true;
}

/* An incident's own messages follow it; any other that has its buttons shows its story. */
static void follow_incident(struct talker *talker, const struct telegram_update *update,
	const struct token *token, struct arena **arena)
{
	int64_t incident_id = token->incident_id;
	bool stands = card_stands(talker, incident_id, update->chat, update->message_id) ||
		adopt(talker, update, token);
	card_touch(talker, incident_id, 0);
	if (stands)
		return;
	struct letter letter = letter_to(update, NULL);
	letter.message_id = update->message_id;
	letter.message = page_show(talker, arena_printf(*arena, "why/%lld", (long long)incident_id), 1,
		*arena, &letter.approval_id);
	reply(talker, &letter, arena);
}

static void turn_page(struct talker *talker, const struct telegram_update *update, const char *page,
	struct arena **arena)
{
	char *path;
	int number = (int)strtol(page, &path, 10);
	struct letter letter = letter_to(update, NULL);
	letter.message_id = update->message_id;
	letter.message = page_show(talker, path + (*path == ' '), number, *arena, &letter.approval_id);
	reply(talker, &letter, arena);
}

static void follow(struct talker *talker, const struct telegram_update *update,
	const struct answer *answer, struct arena **arena)
{
	const struct token *token = &answer->token;
	enum healing healing = HEALING_OFF;
	switch (token->kind) {
	case TOKEN_PAGE:
		if (answer->ok)
			turn_page(talker, update, token->page, arena);
		break;
	case TOKEN_APPROVE:
	case TOKEN_REJECT:
	case TOKEN_LATER:
	case TOKEN_RETRY:
		follow_incident(talker, update, token, arena);
		break;
	case TOKEN_ORDER:
		if (answer->ok)
			card_touch(talker, answer->incident_id, 0);
		break;
	case TOKEN_HEALING:
		if (answer->ok && healing_parse(token->page, &healing))
			become(talker, update, update->message_id,
				text_healing(healing, talker->config->config->interval_ms, *arena), arena);
		break;
	case TOKEN_MUTE:
		if (answer->ok && token->for_ms > 0)
			say(talker, update,
				text_muted(token->component, talker_wall(talker) + token->for_ms, *arena), arena);
		else if (answer->ok)
			become(
				talker, update, update->message_id, text_unmuted(token->component, *arena), arena);
		break;
	case TOKEN_KINDS:
		break;
	}
}

void obey_press(struct talker *talker, const struct telegram_update *update, struct arena **arena)
{
	struct request request = {.kind = REQUEST_PRESS};
	actor_of(update, &request);
	request.message_id = update->message_id;
	STR_SET(request.token, update->data);
	const struct answer *answer = talker_ask(talker, &request, true, *arena);
	end_spinner(talker, update, answer);
	/* A token that is not known has no kind. */
	if (answer != NULL && answer->token.id[0] != '\0')
		follow(talker, update, answer, arena);
}
