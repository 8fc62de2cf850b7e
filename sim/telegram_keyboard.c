/* Buttons: reply_markup as the server reads it. */
#include "sim/telegram_world.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MARKUP_MAX_BYTES 10240
#define DATA_MAX_BYTES 64

static bool bad_button(struct tg_call *call, const char *why)
{
	return tg_fail(call, 400, "Bad Request: can't parse inline keyboard button: %s", why);
}

static bool check_style(struct tg_call *call, struct json button)
{
	struct json style = json_get(button, "style");
	char text[24];
	if (!json_is(style))
		return true;
	json_copy(style, text, sizeof(text));
	bool known = strcasecmp(text, "primary") == 0 || strcasecmp(text, "danger") == 0 ||
		strcasecmp(text, "success") == 0 || strcasecmp(text, "default") == 0;
	if (known && call->sim->has_styles && json_kind(style) == JSON_STRING)
		return true;
	return bad_button(call, "invalid button style specified");
}

static int count_actions(struct json button)
{
	static const char *const actions[] = {"url", "callback_data", "web_app", "login_url",
		"switch_inline_query", "switch_inline_query_current_chat",
		"switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay"};
	int count = 0;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		count += json_is(json_get(button, actions[i]));
	return count;
}

static bool take_button(struct tg_call *call, struct json value, int row, struct tg_button *button)
{
	if (json_kind(value) != JSON_OBJECT)
		return bad_button(call, "InlineKeyboardButton must be an Object");
	struct json text = json_get(value, "text"), data = json_get(value, "callback_data");
	if (!json_is(text))
		return bad_button(call, "Can't find field \"text\"");
	if (json_kind(text) != JSON_STRING)
		return bad_button(call, "Field \"text\" must be of type String");
	if (!check_style(call, value))
		return false;
	if (count_actions(value) == 0)
		return bad_button(call, "Text buttons are unallowed in the inline keyboard");
	if (count_actions(value) > 1)
		return tg_fail(call, 400, "Bad Request: BUTTON_TYPE_INVALID");
	const char *words = json_str(text, call->arena);
	if (words[0] == '\0')
		return tg_fail(call, 400, "Bad Request: inline keyboard button text must be non-empty");
	const char *carried = json_kind(data) == JSON_STRING ? json_str(data, call->arena) : "";
	if (json_is(data) && carried[0] == '\0')
		return bad_button(call, "Text buttons are unallowed in the inline keyboard");
	if (strlen(carried) > DATA_MAX_BYTES)
		return tg_fail(call, 400, "Bad Request: BUTTON_DATA_INVALID");
	*button = (struct tg_button){.text = arena_strdup(call->arena, words),
		.data = arena_strdup(call->arena, carried),
		.row = row};
	return true;
}

static bool take_rows(struct tg_call *call, struct json rows, struct tg_keyboard *keyboard)
{
	int row = 0;
	keyboard->buttons = ARENA_ARRAY(call->arena, struct tg_button, TG_BUTTONS_MAX);
	for (struct json line = json_first(rows); json_is(line); line = json_next(line), row++) {
		if (json_kind(line) != JSON_ARRAY)
			return tg_fail(call, 400,
				"Bad Request: field \"inline_keyboard\" of the InlineKeyboardMarkup must be an "
				"Array "
				"of Arrays");
		for (struct json button = json_first(line); json_is(button); button = json_next(button)) {
			struct tg_button taken;
			if (!take_button(call, button, row, &taken))
				return false;
			if (keyboard->count == TG_BUTTONS_MAX)
				return tg_fail(call, 400, "Bad Request: reply markup is too long");
			keyboard->buttons[keyboard->count++] = taken;
		}
	}
	return true;
}

bool tg_call_keyboard(struct tg_call *call, struct tg_keyboard *keyboard)
{
	const char *text = tg_arg(call, "reply_markup");
	struct json root;
	*keyboard = (struct tg_keyboard){0};
	if (text[0] == '\0')
		return true;
	if (!json_parse(call->arena, text, strlen(text), &root, NULL))
		return tg_fail(call, 400, "Bad Request: can't parse reply keyboard markup JSON object");
	if (json_kind(root) != JSON_OBJECT)
		return tg_fail(call, 400, "Bad Request: object expected as reply markup");
	struct json rows = json_get(root, "inline_keyboard");
	if (!json_is(rows))
		return true; /* a keyboard of another kind, which this world does not show */
	if (json_kind(rows) != JSON_ARRAY)
		return tg_fail(call, 400, "Bad Request: field \"inline_keyboard\" must be of type Array");
	if (!take_rows(call, rows, keyboard))
		return false;
	if (strlen(text) > MARKUP_MAX_BYTES)
		return tg_fail(call, 400, "Bad Request: reply markup is too long");
	if (keyboard->count > 0)
		keyboard->markup = arena_strdup(call->arena, text);
	return true;
}

/* Those there are stay as former ones: somebody's screen may still show them. */
void tg_message_buttons(struct tg_message *message, const struct tg_keyboard *keyboard)
{
	for (int i = 0; i < message->button_count; i++)
		message->buttons[i].is_former = true;
	for (int i = 0; i < keyboard->count; i++) {
		message->buttons = tg_more(
			message->buttons, message->button_count, sizeof(*message->buttons));
		message->buttons[message->button_count++] = (struct tg_button){
			.text = tg_strdup(keyboard->buttons[i].text),
			.data = tg_strdup(keyboard->buttons[i].data),
			.row = keyboard->buttons[i].row};
	}
	free(message->markup);
	message->markup = keyboard->markup != NULL ? tg_strdup(keyboard->markup) : NULL;
}

const char *tg_buttons_text(const struct tg_message *message, struct arena *arena)
{
	struct str text;
	int row = -1;
	str_init(&text, arena);
	for (int i = 0; i < message->button_count; i++) {
		const struct tg_button *button = &message->buttons[i];
		if (button->is_former)
			continue;
		if (row >= 0)
			str_add(&text, row == button->row ? " | " : "\n");
		str_add(&text, button->text);
		row = button->row;
	}
	return text.s;
}
