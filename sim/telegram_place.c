/* Where a message goes: whether the bot may write there, the topic, and what it refers to. */
#include "sim/telegram_world.h"

#include <stdlib.h>
#include <string.h>

#define DELETABLE_S (INT64_C(48) * 3600)

static const char *const kinds[] = {
	[TG_PRIVATE] = "private",
	[TG_GROUP] = "group",
	[TG_SUPERGROUP] = "supergroup",
	[TG_CHANNEL] = "channel",
};

static bool check_standing(struct tg_call *call, const struct tg_chat *chat)
{
	const struct tg_user *user = tg_user_find(call->sim, chat->id);
	if (chat->migrated_to != 0) {
		call->problem.migrate_to = chat->migrated_to;
		return tg_fail(call, 400, "Bad Request: group chat was upgraded to a supergroup chat");
	}
	if (chat->type == TG_PRIVATE && user != NULL && user->is_deactivated)
		return tg_fail(call, 403, "Forbidden: user is deactivated");
	switch (chat->standing) {
	case TG_MEMBER:
		return true;
	case TG_BLOCKED:
		return tg_fail(call, 403, "Forbidden: bot was blocked by the user");
	case TG_KICKED:
		return tg_fail(call, 403, "Forbidden: bot was kicked from the %s chat", kinds[chat->type]);
	case TG_LEFT:
		return tg_fail(
			call, 403, "Forbidden: bot is not a member of the %s chat", kinds[chat->type]);
	case TG_UNSTARTED:
		return tg_fail(call, 403, "Forbidden: bot can't initiate conversation with a user");
	case TG_UNKNOWN:
		break;
	}
	return tg_fail(call, 400, "Bad Request: chat not found");
}

bool tg_call_chat(struct tg_call *call)
{
	const char *text = tg_arg(call, "chat_id");
	if (text[0] == '\0')
		return tg_fail(call, 400, "Bad Request: chat_id is empty");
	struct tg_chat *chat = tg_chat_find(call->sim, tg_arg_int(call, "chat_id", 0));
	if (chat == NULL)
		return tg_fail(call, 400, "Bad Request: chat not found");
	call->chat = chat;
	return check_standing(call, chat);
}

static bool check_topic(struct tg_call *call, int64_t thread)
{
	const struct tg_chat *chat = call->chat;
	for (int i = 0; chat->is_forum && i < chat->topic_count; i++) {
		if (chat->topics[i].id != thread)
			continue;
		if (chat->topics[i].state == TG_TOPIC_CLOSED)
			return tg_fail(call, 400, "Bad Request: TOPIC_CLOSED");
		if (chat->topics[i].state == TG_TOPIC_OPEN)
			return true;
	}
	return tg_fail(call, 400, "Bad Request: message thread not found");
}

static bool check_reply(struct tg_call *call, int64_t *reply_to)
{
	struct json parameters;
	if (!tg_arg_json(call, "reply_parameters", JSON_OBJECT, &parameters))
		return tg_fail(call, 400, "Bad Request: can't parse reply parameters JSON object");
	bool lenient = json_bool(json_get(parameters, "allow_sending_without_reply"), false);
	*reply_to = json_int(json_get(parameters, "message_id"), 0);
	if (*reply_to == 0)
		return true;
	const struct tg_message *message = tg_message_find(call->sim, call->chat, *reply_to);
	if (message != NULL && !message->is_deleted)
		return true;
	*reply_to = 0;
	return lenient || tg_fail(call, 400, "Bad Request: message to be replied not found");
}

bool tg_call_place(struct tg_call *call, int64_t *thread, int64_t *reply_to)
{
	*thread = tg_arg_int(call, "message_thread_id", 0);
	return tg_call_chat(call) && (*thread == 0 || check_topic(call, *thread)) &&
		check_reply(call, reply_to);
}

bool tg_call_message(struct tg_call *call, const char *what, struct tg_message **message)
{
	if (tg_arg(call, "message_id")[0] == '\0')
		return tg_fail(call, 400, "Bad Request: message identifier is not specified");
	if (!tg_call_chat(call))
		return false;
	*message = tg_message_find(call->sim, call->chat, tg_arg_int(call, "message_id", 0));
	if (*message == NULL || (*message)->is_deleted)
		return tg_fail(call, 400, "Bad Request: message to %s not found", what);
	bool deletes = strcmp(what, "delete") == 0;
	bool is_old = deletes && tg_now_s(call->sim) - (*message)->date_s > DELETABLE_S;
	bool is_ours = (*message)->by_bot || (deletes && call->chat->type == TG_PRIVATE);
	if (is_ours && !is_old)
		return true;
	return tg_fail(call, 400, "Bad Request: message can't be %s", deletes ? "deleted" : "edited");
}
