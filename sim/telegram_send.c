/* Messages of the bot: sent, edited, deleted, with files. */
#include "sim/telegram_world.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RAW_MAX_BYTES 32768
#define TEXT_MAX 4096
#define CAPTION_MAX 1024
#define PHOTO_MAX_BYTES ((size_t)10 << 20)
#define PHOTO_MAX_SIDES 10000
#define PHOTO_MAX_RATIO 20

struct new_message {
	struct tg_text text;
	struct tg_keyboard keyboard;
	int64_t thread, reply_to;
	const char *file;
	bool is_photo;
};

/* What the server cuts off at both ends. */
static const char *trimmed(struct arena *arena, const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	size_t length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		length--;
	return arena_strndup(arena, text, length);
}

static bool parse_text(struct tg_call *call, const char *raw, struct tg_text *text)
{
	const char *mode = tg_arg(call, "parse_mode");
	if (strlen(raw) > RAW_MAX_BYTES)
		return tg_fail(call, 400, "Bad Request: text is too long");
	*text = (struct tg_text){.visible = raw, .entities = ""};
	if (raw[0] == '\0' || mode[0] == '\0' || strcasecmp(mode, "none") == 0)
		return true;
	if (strcasecmp(mode, "html") == 0)
		return tg_parse_html(raw, call->arena, text, &call->problem);
	return tg_fail(call, 400,
		strncasecmp(mode, "markdown", 8) == 0
			? "Bad Request: parse_mode Markdown is not simulated: use HTML"
			: "Bad Request: unsupported parse_mode");
}

static bool check_length(struct tg_call *call, struct tg_text *text, int most, const char *what)
{
	text->visible = trimmed(call->arena, text->visible);
	tg_measure(text->visible, &text->points, &text->units);
	int counted = call->sim->counts_utf16 ? text->units : text->points;
	return counted <= most || tg_fail(call, 400, "Bad Request: %s is too long", what);
}

static bool take_text(struct tg_call *call, struct tg_text *text)
{
	struct json preview;
	if (!parse_text(call, tg_arg(call, "text"), text))
		return false;
	if (text->visible == NULL || text->visible[0] == '\0')
		return tg_fail(call, 400, "Bad Request: message text is empty");
	if (!tg_arg_json(call, "link_preview_options", JSON_OBJECT, &preview))
		return tg_fail(call, 400, "Bad Request: object expected as link preview options");
	if (!check_length(call, text, TEXT_MAX, "message"))
		return false;
	return text->visible[0] != '\0' || tg_fail(call, 400, "Bad Request: text must be non-empty");
}

static void show(struct tg_call *call, const struct tg_message *message, const char *what)
{
	const char *buttons = tg_buttons_text(message, call->arena);
	tg_line(call->sim, "%s %s %s: %s%s%s%s%s%s%s", call->sim->bot.name, what, message->chat->title,
		message->file != NULL ? "<" : "", message->file != NULL ? message->file : "",
		message->file != NULL ? "> " : "", message->text, buttons[0] != '\0' ? "\n[" : "", buttons,
		buttons[0] != '\0' ? "]" : "");
}

static void answer_message(struct tg_call *call, const struct tg_message *message)
{
	struct json_out out;
	json_begin(&out, &call->result);
	tg_put_message(&out, NULL, call->sim, message);
}

static bool add_message(struct tg_call *call, const struct new_message *new)
{
	if (!tg_call_rate(call))
		return false;
	struct tg_message *message = tg_message_add(call->sim, call->chat, new->text.visible);
	message->by_bot = true;
	message->from = call->sim->bot.id;
	message->thread = new->thread;
	message->reply_to = new->reply_to;
	message->is_silent = tg_arg_bool(call, "disable_notification");
	message->file = new->file != NULL ? tg_strdup(new->file) : NULL;
	message->is_photo = new->is_photo;
	free(message->entities);
	message->entities = tg_strdup(new->text.entities);
	tg_message_buttons(message, &new->keyboard);
	show(call, message, "→");
	answer_message(call, message);
	return true;
}

bool tg_send_message(struct tg_call *call)
{
	struct new_message new = {0};
	return take_text(call, &new.text) && tg_call_keyboard(call, &new.keyboard) &&
		tg_call_place(call, &new.thread, &new.reply_to) && add_message(call, &new);
}

static unsigned big_endian(const unsigned char *bytes)
{
	return (unsigned)bytes[0] << 24 | (unsigned)bytes[1] << 16 | (unsigned)bytes[2] << 8 | bytes[3];
}

/* A PNG by its first chunk; a JPEG by its first bytes alone. */
static bool check_photo(struct tg_call *call, const struct tg_param *file)
{
	const unsigned char *bytes = (const unsigned char *)file->value;
	if (file->length > PHOTO_MAX_BYTES)
		return tg_fail(call, 400,
			"Bad Request: file of size %zu bytes is too big for a photo; the maximum size is %zu "
			"bytes",
			file->length, PHOTO_MAX_BYTES);
	if (file->length >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)
		return true;
	if (file->length < 24 || memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) != 0)
		return tg_fail(call, 400, "Bad Request: IMAGE_PROCESS_FAILED");
	uint64_t width = big_endian(bytes + 16), height = big_endian(bytes + 20);
	uint64_t least = width < height ? width : height, most = width < height ? height : width;
	if (least == 0 || width + height > PHOTO_MAX_SIDES || most > least * PHOTO_MAX_RATIO)
		return tg_fail(call, 400, "Bad Request: PHOTO_INVALID_DIMENSIONS");
	return true;
}

static bool send_file(struct tg_call *call, const char *part, bool is_photo)
{
	struct new_message new = {.is_photo = is_photo};
	const struct tg_param *file = tg_param(call, part);
	if (file == NULL)
		return tg_fail(call, 400, "Bad Request: there is no %s in the request", part);
	if (file->file_name == NULL)
		return tg_fail(call, 400,
			"Bad Request: wrong remote file identifier specified: Wrong "
			"character in the string");
	if (file->length == 0)
		return tg_fail(call, 400, "Bad Request: file must be non-empty");
	if (!parse_text(call, tg_arg(call, "caption"), &new.text) ||
		!check_length(call, &new.text, CAPTION_MAX, "message caption") ||
		!tg_call_keyboard(call, &new.keyboard) ||
		!tg_call_place(call, &new.thread, &new.reply_to) || (is_photo && !check_photo(call, file)))
		return false;
	new.file = file->file_name;
	return add_message(call, &new);
}

bool tg_send_photo(struct tg_call *call)
{
	return send_file(call, "photo", true);
}

bool tg_send_document(struct tg_call *call)
{
	return send_file(call, "document", false);
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool edit(struct tg_call *call, struct tg_message *message, const struct new_message *new)
{
	bool has_text = new->text.visible != NULL;
	if (!tg_call_rate(call))
		return false;
	bool same = same_text(message->markup, new->keyboard.markup) &&
		(!has_text ||
			(same_text(message->text, new->text.visible) &&
				same_text(message->entities, new->text.entities)));
	if (same)
		return tg_fail(call, 400,
			"Bad Request: message is not modified: specified new message content and reply markup "
			"are exactly the same as a current content and reply markup of the message");
	if (has_text) {
		free(message->text);
		free(message->entities);
		message->text = tg_strdup(new->text.visible);
		message->entities = tg_strdup(new->text.entities);
		message->units = new->text.units;
	}
	tg_message_buttons(message, &new->keyboard);
	message->edits++;
	message->edited_s = tg_now_s(call->sim);
	show(call, message, "edits in");
	answer_message(call, message);
	return true;
}

bool tg_edit_text(struct tg_call *call)
{
	struct new_message new = {0};
	struct tg_message *message;
	if (!take_text(call, &new.text) || !tg_call_keyboard(call, &new.keyboard) ||
		!tg_call_message(call, "edit", &message))
		return false;
	if (message->file != NULL)
		return tg_fail(call, 400, "Bad Request: there is no text in the message to edit");
	return edit(call, message, &new);
}

bool tg_edit_markup(struct tg_call *call)
{
	struct new_message new = {0};
	struct tg_message *message;
	return tg_call_keyboard(call, &new.keyboard) && tg_call_message(call, "edit", &message) &&
		edit(call, message, &new);
}

bool tg_delete_message(struct tg_call *call)
{
	struct tg_message *message;
	if (!tg_call_message(call, "delete", &message))
		return false;
	message->is_deleted = true;
	tg_line(call->sim, "%s deletes in %s: %s", call->sim->bot.name, message->chat->title,
		message->text);
	str_add(&call->result, "true");
	return true;
}
