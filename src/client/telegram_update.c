/* Updates, out of whatever the server sent. What is not known is passed over. */
#include "client/telegram_internal.h"

#include <string.h>

#include "base/str.h"

/* Telegram's promise is 52 significant bits. */
#define ID_MAX ((INT64_C(1) << 53) - 1)

static int64_t id_of(struct json value)
{
	int64_t id = json_int(value, 0);
	return id >= -ID_MAX && id <= ID_MAX ? id : 0;
}

static int64_t positive_of(struct json value)
{
	int64_t id = id_of(value);
	return id > 0 ? id : 0;
}

/* Never NULL, unless the arena is full: then *full. */
static const char *text_of(struct json value, struct arena *arena, bool *full)
{
	if (json_kind(value) != JSON_STRING)
		return "";
	const char *text = json_str(value, arena);
	*full = *full || text == NULL;
	return text != NULL ? text : "";
}

static enum telegram_chat_type type_of(struct json value)
{
	static const char *const names[] = {
		[TELEGRAM_PRIVATE] = "private",
		[TELEGRAM_GROUP] = "group",
		[TELEGRAM_SUPERGROUP] = "supergroup",
		[TELEGRAM_CHANNEL] = "channel",
	};
	char name[16];
	json_copy(value, name, sizeof(name));
	for (int i = TELEGRAM_PRIVATE; i <= TELEGRAM_CHANNEL; i++)
		if (strcmp(names[i], name) == 0)
			return (enum telegram_chat_type)i;
	return TELEGRAM_CHAT_UNKNOWN;
}

static void take_user(
	struct json user, struct arena *arena, struct telegram_update *update, bool *full)
{
	update->from = positive_of(json_get(user, "id"));
	update->from_is_bot = json_bool(json_get(user, "is_bot"), false);
	update->username = text_of(json_get(user, "username"), arena, full);
	const char *first = text_of(json_get(user, "first_name"), arena, full);
	const char *last = text_of(json_get(user, "last_name"), arena, full);
	struct str name;
	str_init(&name, arena);
	str_add(&name, first);
	if (first[0] != '\0' && last[0] != '\0')
		str_addc(&name, ' ');
	str_add(&name, last);
	*full = *full || name.full;
	update->name = name.s;
}

static void take_place(struct json message, struct telegram_update *update)
{
	update->chat = id_of(json_path(message, "chat.id"));
	update->chat_type = type_of(json_path(message, "chat.type"));
	update->message_id = positive_of(json_get(message, "message_id"));
	update->thread = positive_of(json_get(message, "message_thread_id"));
	update->date_s = positive_of(json_get(message, "date"));
}

static void take_message(
	struct json message, struct arena *arena, struct telegram_update *update, bool *full)
{
	update->kind = TELEGRAM_MESSAGE;
	take_place(message, update);
	take_user(json_get(message, "from"), arena, update, full);
	update->text = text_of(json_get(message, "text"), arena, full);
	update->sender_chat = id_of(json_path(message, "sender_chat.id"));
	update->is_anonymous = update->sender_chat != 0 || update->from == TELEGRAM_ANONYMOUS;
	/* forward_date: servers before 7.0 */
	update->is_forwarded = json_is(json_get(message, "forward_origin")) ||
		json_is(json_get(message, "forward_date"));
	update->via_bot = json_is(json_get(message, "via_bot"));
	update->migrate_to = id_of(json_get(message, "migrate_to_chat_id"));
	update->migrate_from = id_of(json_get(message, "migrate_from_chat_id"));
}

static void take_callback(
	struct json callback, struct arena *arena, struct telegram_update *update, bool *full)
{
	struct json message = json_get(callback, "message");
	update->kind = TELEGRAM_CALLBACK;
	take_user(json_get(callback, "from"), arena, update, full);
	update->callback = text_of(json_get(callback, "id"), arena, full);
	update->data = text_of(json_get(callback, "data"), arena, full);
	if (json_kind(message) != JSON_OBJECT)
		return;
	take_place(message, update);
	update->text = text_of(json_get(message, "text"), arena, full);
	update->origin = update->date_s > 0 ? TELEGRAM_PRESENT : TELEGRAM_INACCESSIBLE;
}

static void take_update(
	struct json entry, struct arena *arena, struct telegram_batch *batch, bool *full)
{
	int64_t id = id_of(json_get(entry, "update_id"));
	if (id <= 0) /* cannot be confirmed */
		return;
	struct telegram_update *update = &batch->updates[batch->count++];
	*update = (struct telegram_update){
		.id = id, .name = "", .username = "", .text = "", .callback = "", .data = ""};
	/* The last one's, not the highest: after a quiet week ids begin anew, anywhere. */
	batch->next_offset = id + 1;
	struct json message = json_get(entry, "message");
	struct json callback = json_get(entry, "callback_query");
	if (json_kind(message) == JSON_OBJECT)
		take_message(message, arena, update, full);
	else if (json_kind(callback) == JSON_OBJECT)
		take_callback(callback, arena, update, full);
}

bool telegram_take_updates(
	struct json list, struct arena *arena, struct telegram_batch *batch, struct err *err)
{
	bool full = false;
	*batch = (struct telegram_batch){0};
	if (json_kind(list) != JSON_ARRAY)
		return err_set(err, ERR_INPUT, "telegram: getUpdates: the answer is no list of updates");
	batch->updates = arena_try(arena, (json_count(list) + 1) * sizeof(*batch->updates));
	for (struct json entry = json_first(list); json_is(entry) && batch->updates != NULL;
		 entry = json_next(entry))
		take_update(entry, arena, batch, &full);
	if (batch->updates != NULL && !full)
		return true;
	*batch = (struct telegram_batch){0};
	return err_set(
		err, ERR_INPUT, "telegram: getUpdates: more updates than there is room for: ask for fewer");
}

bool telegram_batch_parse(const char *text, size_t length, struct arena *arena,
	struct telegram_batch *batch, struct err *err)
{
	struct json body;
	*batch = (struct telegram_batch){0};
	if (!json_parse(arena, text, length, &body, err))
		return err_prefix(err, "telegram: getUpdates");
	return telegram_take_updates(json_get(body, "result"), arena, batch, err);
}
