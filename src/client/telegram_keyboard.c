/* The buttons under a message. */
#include "client/telegram_internal.h"

#include <string.h>

static const char *const styles[] = {
	[TELEGRAM_STYLE_NONE] = NULL,
	[TELEGRAM_PRIMARY] = "primary",
	[TELEGRAM_SUCCESS] = "success",
	[TELEGRAM_DANGER] = "danger",
};

static bool put_button(
	struct json_out *out, const struct telegram_button *button, bool with_style, struct err *err)
{
	size_t length = button->data == NULL ? 0 : strlen(button->data);
	if (length < 1 || length > TELEGRAM_DATA_MAX || button->text == NULL || button->text[0] == '\0')
		return err_set(err, ERR_INPUT,
			"telegram: button \"%.40s\": a button has a text, and data of 1 to %d bytes, not %zu",
			button->text != NULL ? button->text : "", TELEGRAM_DATA_MAX, length);
	json_open(out, NULL, '{');
	json_put_str(out, "text", button->text);
	json_put_str(out, "callback_data", button->data);
	if (with_style && styles[button->style] != NULL)
		json_put_str(out, "style", styles[button->style]);
	json_close(out, '}');
	return true;
}

bool telegram_put_rows(struct json_out *out, const struct telegram_message *message,
	bool with_style, bool wants_empty, struct err *err)
{
	if (message->row_count == 0 && !wants_empty)
		return true;
	json_open(out, "reply_markup", '{');
	json_open(out, "inline_keyboard", '[');
	for (int i = 0; i < message->row_count; i++) {
		json_open(out, NULL, '[');
		for (int j = 0; j < message->rows[i].count; j++)
			if (!put_button(out, &message->rows[i].buttons[j], with_style, err))
				return false;
		json_close(out, ']');
	}
	json_close(out, ']');
	json_close(out, '}');
	return true;
}

bool telegram_has_style(const struct telegram_message *message)
{
	for (int i = 0; i < message->row_count; i++)
		for (int j = 0; j < message->rows[i].count; j++)
			if (message->rows[i].buttons[j].style != TELEGRAM_STYLE_NONE)
				return true;
	return false;
}
