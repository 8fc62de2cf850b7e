/* Messages: what is sent, edited, deleted, and files with a caption. */
#include "client/telegram_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/str.h"

/* A file is sent within a second for each of these bytes, and the time of a message. */
#define UPLOAD_BYTES_PER_S ((size_t)64 * 1024)

/* One message on its way: as JSON, or as the parts of a form. */
struct sending {
	struct telegram *telegram;
	const struct telegram_message *message;
	const char *method;
	int64_t message_id; /* of an edit; 0: a new one */
	bool has_text, with_style;
	const struct telegram_file *file;
	const char *file_part; /* "photo", "document" */
};

static void put_new(struct json_out *out, const struct telegram_message *message)
{
	if (message->thread != 0)
		json_put_int(out, "message_thread_id", message->thread);
	if (message->is_silent)
		json_put_bool(out, "disable_notification", true);
	if (message->reply_to == 0)
		return;
	json_open(out, "reply_parameters", '{');
	json_put_int(out, "message_id", message->reply_to);
	json_put_bool(out, "allow_sending_without_reply", true);
	json_close(out, '}');
}

static void put_text(struct json_out *out, const struct sending *sending)
{
	const struct telegram_message *message = sending->message;
	bool is_caption = sending->file != NULL;
	if (message->text == NULL && is_caption)
		return;
	json_put_str(out, is_caption ? "caption" : "text", message->text != NULL ? message->text : "");
	if (!message->is_plain)
		json_put_str(out, "parse_mode", "HTML");
	if (is_caption)
		return;
	json_open(out, "link_preview_options", '{');
	json_put_bool(out, "is_disabled", true);
	json_close(out, '}');
}

static bool write_json(const struct sending *sending, struct str *text, struct err *err)
{
	const struct telegram_message *message = sending->message;
	int64_t chat = message->chat != 0 ? message->chat : sending->telegram->chat;
	struct json_out out;
	json_begin(&out, text);
	json_open(&out, NULL, '{');
	json_put_int(&out, "chat_id", chat);
	if (sending->message_id != 0)
		json_put_int(&out, "message_id", sending->message_id);
	else
		put_new(&out, message);
	if (sending->has_text)
		put_text(&out, sending);
	/* Left out, editMessageText takes the buttons away too; editMessageReplyMarkup wants it said.
	 */
	if (!telegram_put_rows(&out, message, sending->with_style, sending->message_id != 0, err))
		return false;
	json_close(&out, '}');
	return true;
}

/* A name that cannot break out of its quotes. */
static void add_quoted(struct str *body, const char *name)
{
	for (; *name != '\0'; name++)
		str_addc(
			body, strchr("\"\\", *name) != NULL || iscntrl((unsigned char)*name) ? '_' : *name);
}

static void add_part(struct str *body, const char *boundary, const char *name, struct json value)
{
	size_t length;
	const char *raw = json_raw(value, &length);
	str_addf(body, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n", boundary, name);
	if (json_kind(value) == JSON_STRING) {
		raw = json_str(value, body->arena);
		length = raw != NULL ? strlen(raw) : 0;
		body->full = body->full || raw == NULL;
	}
	str_addn(body, raw, length);
	str_add(body, "\r\n");
}

/* multipart/form-data of the same members: texts as they are, everything else as JSON. The boundary
 * is drawn at random, so that nothing in a file can be it. */
static bool write_form(const struct sending *sending, const char *json, size_t length,
	struct str *body, char boundary[40])
{
	const struct telegram_file *file = sending->file;
	struct json members;
	uint64_t random[2];
	if (getrandom(random, sizeof(random), 0) != sizeof(random) ||
		!json_parse(body->arena, json, length, &members, NULL))
		return false;
	snprintf(boundary, 40, "homeostat%016llx", (unsigned long long)random[0]);
	for (struct json child = json_first(members); json_is(child); child = json_next(child)) {
		const char *key = json_key(child, body->arena);
		if (key == NULL)
			return false;
		add_part(body, boundary, key, child);
	}
	str_addf(body, "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"", boundary,
		sending->file_part);
	add_quoted(body, file->name);
	str_addf(body, "\"\r\nContent-Type: %s\r\n\r\n",
		file->type != NULL ? file->type : "application/octet-stream");
	str_addn(body, file->bytes, file->length);
	str_addf(body, "\r\n--%s--\r\n", boundary);
	return !body->full;
}

/* The message's own id, in what a send or an edit answers. */
static void take_answer(struct json answer, struct telegram_result *result)
{
	int64_t id = json_int(json_get(answer, "message_id"), 0);
	result->message_id = id > 0 ? id : 0;
}

static bool send_once(
	const struct sending *sending, struct telegram_result *result, char why[160], struct err *err)
{
	auto_arena arena = arena_new(TELEGRAM_SCRATCH_BYTES);
	char boundary[40], type[100];
	struct str text, form;
	struct json answer = {0};
	str_init(&text, arena);
	*result = (struct telegram_result){.outcome = TELEGRAM_REFUSED};
	if (!write_json(sending, &text, err))
		return false;
	struct telegram_question question = {.method = sending->method,
		.body = text.s,
		.body_bytes = text.len,
		.adds = sending->message_id == 0};
	if (sending->file != NULL) {
		str_init(&form, arena);
		if (!write_form(sending, text.s, text.len, &form, boundary)) {
			result->outcome = TELEGRAM_TOO_LONG;
			return err_set(err, ERR_INPUT, "telegram: %s: a file of %zu bytes is too large to send",
				sending->method, sending->file->length);
		}
		STR_FORMAT(type, "Content-Type: multipart/form-data; boundary=%s", boundary);
		question.type = type;
		question.body = form.s;
		question.body_bytes = form.len;
		question.timeout_ms = TELEGRAM_TIMEOUT_MS +
			(int64_t)(sending->file->length / UPLOAD_BYTES_PER_S) * 1000;
	}
	struct err told = {0};
	if (telegram_ask(sending->telegram, &question, arena, &answer, result, &told)) {
		if (result->outcome == TELEGRAM_DONE)
			take_answer(answer, result);
		else
			result->message_id = sending->message_id;
		return true;
	}
	str_copy(why, 160, told.text);
	return err_set(err, told.kind, "%s", told.text);
}

/* A server that is older than styles, or that has other ones. */
static bool is_about_style(const struct telegram_result *result, const char *why)
{
	return result->outcome == TELEGRAM_REFUSED && result->status == 400 &&
		(strcasestr(why, "style") != NULL || strcasestr(why, "keyboard button") != NULL);
}

static bool run(struct sending *sending, struct telegram_result *result, struct err *err)
{
	char why[160] = "";
	struct telegram *telegram = sending->telegram;
	if (sending->message->chat == 0 && telegram->chat == 0) {
		*result = (struct telegram_result){.outcome = TELEGRAM_REFUSED};
		return err_set(err, ERR_INPUT, "telegram: %s: to no chat: set chat:", sending->method);
	}
	sending->with_style = !telegram->has_no_style && telegram_has_style(sending->message);
	struct err first = {0};
	if (send_once(sending, result, why, &first))
		return true;
	if (!sending->with_style || !is_about_style(result, why))
		return err_set(err, first.kind, "%s", first.text);
	sending->with_style = false;
	if (!send_once(sending, result, why, err))
		return false;
	telegram->has_no_style = true;
	return true;
}

bool telegram_send(struct telegram *telegram, const struct telegram_message *message,
	struct telegram_result *result, struct err *err)
{
	struct sending sending = {
		.telegram = telegram, .message = message, .method = "sendMessage", .has_text = true};
	return run(&sending, result, err);
}

bool telegram_edit(struct telegram *telegram, int64_t message_id,
	const struct telegram_message *message, struct telegram_result *result, struct err *err)
{
	struct sending sending = {.telegram = telegram,
		.message = message,
		.method = "editMessageText",
		.message_id = message_id,
		.has_text = true};
	return run(&sending, result, err);
}

bool telegram_edit_buttons(struct telegram *telegram, int64_t message_id,
	const struct telegram_message *message, struct telegram_result *result, struct err *err)
{
	struct sending sending = {.telegram = telegram,
		.message = message,
		.method = "editMessageReplyMarkup",
		.message_id = message_id};
	return run(&sending, result, err);
}

bool telegram_send_file(struct telegram *telegram, const struct telegram_message *message,
	enum telegram_upload as, const struct telegram_file *file, struct telegram_result *result,
	struct err *err)
{
	struct sending sending = {.telegram = telegram,
		.message = message,
		.method = as == TELEGRAM_PHOTO ? "sendPhoto" : "sendDocument",
		.has_text = true,
		.file = file,
		.file_part = as == TELEGRAM_PHOTO ? "photo" : "document"};
	return run(&sending, result, err);
}

bool telegram_delete(struct telegram *telegram, int64_t chat, int64_t message_id,
	struct telegram_result *result, struct err *err)
{
	auto_arena arena = arena_new(TELEGRAM_SCRATCH_BYTES);
	const char *body = arena_printf(arena, "{\"chat_id\":%lld,\"message_id\":%lld}",
		(long long)(chat != 0 ? chat : telegram->chat), (long long)message_id);
	const struct telegram_question question = {
		.method = "deleteMessage", .body = body, .body_bytes = strlen(body)};
	struct json answer = {0};
	return telegram_ask(telegram, &question, arena, &answer, result, err);
}
