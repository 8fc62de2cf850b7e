/*
 * Live buttons: each carries the id of a token that the core keeps, with what it means.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/str.h"
#include "report/telegram/live.h"

#define DAY_MS INT64_C(86400000)
#define PAGE_DAYS 7
#define ACT_DAYS 30

const char *deed_action(enum deed deed, const char *component)
{
	static const char *const of_guests[] = {
		[DEED_START] = "proxmox.guest.start",
		[DEED_STOP] = "proxmox.guest.shutdown",
		[DEED_RESTART] = "proxmox.guest.reboot",
	};
	/* The engine's restart starts what does not run. */
	static const char *const of_containers[] = {
		[DEED_START] = "docker.container.restart",
		[DEED_STOP] = "docker.container.stop",
		[DEED_RESTART] = "docker.container.restart",
	};
	return str_starts(component, "docker_container_") ? of_containers[deed] : of_guests[deed];
}

static void draw_id(char id[TOKEN_BYTES])
{
	uint64_t random[2];
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort();
	str_format(id, TOKEN_BYTES, "%016llx%016llx", (unsigned long long)random[0],
		(unsigned long long)random[1]);
}

static void put_intent(
	const struct letter *letter, const struct intent *intent, struct token *token)
{
	static const enum token_kind kinds[] = {
		[INTENT_APPROVE] = TOKEN_APPROVE,
		[INTENT_REJECT] = TOKEN_REJECT,
		[INTENT_LATER] = TOKEN_LATER,
		[INTENT_RETRY] = TOKEN_RETRY,
		[INTENT_WHY] = TOKEN_PAGE,
		[INTENT_MUTE] = TOKEN_MUTE,
		[INTENT_UNMUTE] = TOKEN_MUTE,
		[INTENT_PAGE] = TOKEN_PAGE,
		[INTENT_ORDER] = TOKEN_ORDER,
		[INTENT_HEALING] = TOKEN_HEALING,
	};
	token->kind = kinds[intent->kind];
	token->incident_id = intent->incident_id;
	STR_SET(token->plan_hash, intent->plan_hash);
	STR_SET(token->component, intent->component);
	if (token->kind == TOKEN_APPROVE || token->kind == TOKEN_REJECT || token->kind == TOKEN_LATER)
		token->approval_id = letter->approval_id;
	if (intent->kind == INTENT_WHY)
		STR_FORMAT(token->page, "1 why/%lld", (long long)intent->incident_id);
	else if (intent->kind == INTENT_PAGE)
		STR_FORMAT(token->page, "%d %s", intent->number, intent->path);
	else if (intent->kind == INTENT_HEALING)
		STR_SET(token->page, healing_name(intent->healing));
	else if (intent->kind == INTENT_ORDER)
		STR_SET(token->action, deed_action(intent->deed, intent->component));
	else if (intent->kind == INTENT_MUTE)
		token->for_ms = intent->duration_ms;
}

static enum telegram_style style_of(enum button_style style)
{
	static const enum telegram_style styles[] = {
		[BUTTON_PLAIN] = TELEGRAM_STYLE_NONE,
		[BUTTON_PRIMARY] = TELEGRAM_PRIMARY,
		[BUTTON_SUCCESS] = TELEGRAM_SUCCESS,
		[BUTTON_DANGER] = TELEGRAM_DANGER,
	};
	return styles[style];
}

static void lay_out(const struct message *message, const struct token *tokens,
	struct keyboard *keyboard, struct arena *arena)
{
	size_t count = (size_t)message->buttons;
	struct telegram_button *buttons = ARENA_ARRAY(arena, struct telegram_button, count);
	keyboard->rows = ARENA_ARRAY(arena, struct telegram_row, count);
	for (int i = 0; i < message->buttons; i++) {
		const struct button *button = &message->button[i];
		buttons[i] = (struct telegram_button){button->text, tokens[i].id, style_of(button->style)};
		if (i == 0 || button->row != message->button[i - 1].row)
			keyboard->rows[keyboard->row_count++] = (struct telegram_row){
				.buttons = &buttons[i], .count = 0};
		keyboard->rows[keyboard->row_count - 1].count++;
	}
}

bool keyboard_make(struct talker *talker, const struct letter *letter, struct keyboard *keyboard,
	struct arena *arena)
{
	const struct message *message = letter->message;
	int count = message->buttons;
	*keyboard = (struct keyboard){0};
	if (count == 0)
		return true;
	struct token *tokens = ARENA_ARRAY(arena, struct token, (size_t)count);
	for (int i = 0; i < count; i++) {
		struct token *token = &tokens[i];
		draw_id(token->id);
		STR_SET(token->channel, TELEGRAM);
		token->chat = letter->chat;
		put_intent(letter, &message->button[i].intent, token);
		token->expires_at = talker_wall(talker) +
			(token->kind == TOKEN_PAGE ? PAGE_DAYS : ACT_DAYS) * DAY_MS;
	}
	struct request request = {.kind = REQUEST_TOKENS, .tokens = tokens, .count = count};
	const struct answer *answer = talker_ask(talker, &request, false, arena);
	if (answer == NULL || !answer->ok)
		return false;
	lay_out(message, tokens, keyboard, arena);
	return true;
}
