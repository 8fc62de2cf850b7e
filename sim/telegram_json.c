/* What the bot is told of people, chats and messages. */
#include "sim/telegram_world.h"

#include <string.h>

static const char *const types[] = {
	[TG_PRIVATE] = "private",
	[TG_GROUP] = "group",
	[TG_SUPERGROUP] = "supergroup",
	[TG_CHANNEL] = "channel",
};

void tg_put_user(struct json_out *out, const char *key, const struct tg_user *user)
{
	json_open(out, key, '{');
	json_put_int(out, "id", user->id);
	json_put_bool(out, "is_bot", user->is_bot);
	json_put_str(out, "first_name", user->name);
	if (user->last[0] != '\0')
		json_put_str(out, "last_name", user->last);
	if (user->username[0] != '\0')
		json_put_str(out, "username", user->username);
	json_close(out, '}');
}

void tg_put_chat(
	struct json_out *out, const char *key, struct sim_telegram *sim, const struct tg_chat *chat)
{
	const struct tg_user *user = tg_user_find(sim, chat->id);
	json_open(out, key, '{');
	json_put_int(out, "id", chat->id);
	if (chat->type == TG_PRIVATE && user != NULL)
		json_put_str(out, "first_name", user->name);
	else
		json_put_str(out, "title", chat->title);
	json_put_str(out, "type", types[chat->type]);
	if (chat->is_forum)
		json_put_bool(out, "is_forum", true);
	json_close(out, '}');
}

static void put_sender(
	struct json_out *out, struct sim_telegram *sim, const struct tg_message *message)
{
	static const struct tg_user anonymous = {
		.id = TG_ANONYMOUS, .name = "Group", .username = "GroupAnonymousBot", .is_bot = true};
	const struct tg_user *user = message->from == TG_ANONYMOUS ? &anonymous
															   : tg_user_find(sim, message->from);
	const struct tg_chat *chat = tg_chat_find(sim, message->sender_chat);
	if (user != NULL)
		tg_put_user(out, "from", user);
	if (chat != NULL)
		tg_put_chat(out, "sender_chat", sim, chat);
}

static void put_content(struct json_out *out, const struct tg_message *message)
{
	if (message->file == NULL) {
		json_put_str(out, "text", message->text);
		return;
	}
	json_open(out, message->is_photo ? "photo" : "document", message->is_photo ? '[' : '{');
	if (message->is_photo)
		json_open(out, NULL, '{');
	json_put_str(out, "file_id", "AgACAgIAAxkDAAI");
	json_put_str(out, "file_unique_id", "AQADAgAT");
	if (!message->is_photo)
		json_put_str(out, "file_name", message->file);
	if (message->is_photo)
		json_close(out, '}');
	json_close(out, message->is_photo ? ']' : '}');
	if (message->text[0] != '\0')
		json_put_str(out, "caption", message->text);
}

void tg_put_message(struct json_out *out, const char *key, struct sim_telegram *sim,
	const struct tg_message *message)
{
	json_open(out, key, '{');
	json_put_int(out, "message_id", message->id);
	put_sender(out, sim, message);
	tg_put_chat(out, "chat", sim, message->chat);
	json_put_int(out, "date", message->date_s);
	if (message->edited_s != 0)
		json_put_int(out, "edit_date", message->edited_s);
	if (message->thread != 0) {
		json_put_int(out, "message_thread_id", message->thread);
		json_put_bool(out, "is_topic_message", true);
	}
	if (message->is_forwarded) {
		json_open(out, "forward_origin", '{');
		json_put_str(out, "type", "hidden_user");
		json_put_str(out, "sender_user_name", "Somebody Else");
		json_put_int(out, "date", message->date_s);
		json_close(out, '}');
		json_put_str(out, "forward_sender_name", "Somebody Else");
		json_put_int(out, "forward_date", message->date_s);
	}
	if (message->via_bot) {
		json_open(out, "via_bot", '{');
		json_put_int(out, "id", 987654321);
		json_put_bool(out, "is_bot", true);
		json_put_str(out, "first_name", "Inline");
		json_close(out, '}');
	}
	put_content(out, message);
	if (message->markup != NULL)
		json_put_raw(out, "reply_markup", message->markup);
	/* What a later version adds is there already, and is to be passed over. */
	json_put_raw(out, "field_of_a_later_version", "{\"levels\":[1,{\"a\":null}]}");
	json_close(out, '}');
}
