/* What people do. */
#include "sim/telegram_world.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define UPDATE_BYTES ((size_t)1 << 20)

/* In groups a bot in privacy mode sees commands that are not another bot's, and answers to it. */
static bool is_seen(struct sim_telegram *sim, const struct tg_message *message)
{
	const struct tg_chat *chat = message->chat;
	if (chat->type == TG_PRIVATE || chat->type == TG_CHANNEL)
		return true;
	if (message->text[0] == '/') {
		size_t length = strcspn(message->text, " \n");
		const char *at = memchr(message->text, '@', length);
		return at == NULL ||
			(strncasecmp(at + 1, sim->bot.username, strlen(sim->bot.username)) == 0 &&
				at + 1 + strlen(sim->bot.username) == message->text + length);
	}
	const struct tg_message *other = tg_message_find(sim, chat, message->reply_to);
	return !sim->is_private_mode || (other != NULL && other->by_bot);
}

static void tell(struct sim_telegram *sim, const struct tg_message *message, bool is_edit)
{
	bool in_channel = message->chat->type == TG_CHANNEL;
	const char *kind = in_channel ? (is_edit ? "edited_channel_post" : "channel_post")
								  : (is_edit ? "edited_message" : "message");
	auto_arena arena = arena_new(UPDATE_BYTES);
	struct str text;
	struct json_out out;
	if (message->chat->standing != TG_MEMBER || !is_seen(sim, message))
		return;
	str_init(&text, arena);
	json_begin(&out, &text);
	tg_put_message(&out, kind, sim, message);
	tg_update_add(sim, kind, text.s);
}

static struct tg_message *said(
	struct tg_line_words *line, const struct tg_user *user, struct tg_chat *chat, const char *text)
{
	struct sim_telegram *sim = line->sim;
	const char *thread = tg_line_option(line, "thread"), *reply = tg_line_option(line, "reply");
	struct tg_message *message = tg_message_add(sim, chat, text);
	message->from = user != NULL ? user->id : TG_ANONYMOUS;
	message->thread = thread != NULL ? tg_int(thread) : 0;
	message->reply_to = reply != NULL ? tg_int(reply) : 0;
	if (chat->type == TG_CHANNEL) {
		message->from = 0;
		message->sender_chat = chat->id;
	}
	if (chat->type == TG_PRIVATE && chat->standing == TG_UNSTARTED)
		chat->standing = TG_MEMBER;
	return message;
}

static bool says(struct tg_line_words *line)
{
	const struct tg_user *user = tg_line_user(line, 1);
	struct tg_chat *chat = user != NULL ? tg_line_chat(line, 2) : NULL;
	if (chat == NULL)
		return false;
	struct tg_message *message = said(line, user, chat, line->words[3]);
	message->is_forwarded = strcmp(line->words[0], "forwards") == 0;
	message->via_bot = tg_line_has(line, "via");
	tg_line(line->sim, "%s %s %s: %s", user->name, message->is_forwarded ? "forwards to" : "→",
		chat->type == TG_PRIVATE ? line->sim->bot.name : chat->title, message->text);
	tell(line->sim, message, false);
	return true;
}

static bool anonymous(struct tg_line_words *line)
{
	struct tg_chat *chat = tg_line_chat(line, 1);
	if (chat == NULL)
		return false;
	if (chat->type == TG_PRIVATE)
		return tg_bad(line, "nobody is anonymous in a private chat");
	struct tg_message *message = said(line, NULL, chat, line->words[2]);
	message->sender_chat = chat->id;
	tg_line(line->sim, "%s → %s: %s", chat->title, chat->title, message->text);
	tell(line->sim, message, false);
	return true;
}

static bool edits(struct tg_line_words *line)
{
	struct sim_telegram *sim = line->sim;
	const struct tg_user *user = tg_line_user(line, 1);
	struct tg_chat *chat = user != NULL ? tg_line_chat(line, 2) : NULL;
	if (chat == NULL)
		return false;
	for (int i = sim->message_count - 1; i >= 0; i--) {
		struct tg_message *message = sim->messages[i];
		if (message->chat != chat || message->from != user->id || message->is_deleted)
			continue;
		free(message->text);
		message->text = tg_strdup(line->words[3]);
		message->edited_s = tg_now_s(sim);
		message->edits++;
		tg_line(sim, "%s edits: %s", user->name, message->text);
		tell(sim, message, true);
		return true;
	}
	return tg_bad(line, "%s has said nothing there", user->name);
}

/* The newest message that shows it, or the oldest that ever did. */
static const struct tg_button *find_button(struct sim_telegram *sim, const struct tg_chat *chat,
	const char *text, bool old, const struct tg_message **found)
{
	for (int i = 0; i < sim->message_count; i++) {
		const struct tg_message *message = sim->messages[old ? i : sim->message_count - 1 - i];
		if (message->chat != chat || (message->is_deleted && !old))
			continue;
		for (int j = 0; j < message->button_count; j++) {
			const struct tg_button *button = &message->buttons[j];
			*found = message;
			if (strcmp(button->text, text) == 0 && (old || !button->is_former))
				return button;
		}
	}
	return NULL;
}

static int64_t new_query(struct sim_telegram *sim, const struct tg_user *user)
{
	int64_t id = INT64_C(530000000000000000) + tg_now(sim) * 1000 + sim->query_count;
	sim->queries[sim->query_count++ % TG_QUERIES] = (struct tg_query){
		.id = id, .at_ms = tg_now(sim), .user = user->id};
	return id;
}

static void put_origin(
	struct json_out *out, struct tg_line_words *line, const struct tg_message *message)
{
	if (tg_line_has(line, "missing")) {
		json_put_str(out, "inline_message_id", "AgAAAB0AAABBAAAA");
		return;
	}
	if (!tg_line_has(line, "inaccessible") && !message->is_deleted) {
		tg_put_message(out, "message", line->sim, message);
		return;
	}
	json_open(out, "message", '{');
	json_put_int(out, "message_id", message->id);
	tg_put_chat(out, "chat", line->sim, message->chat);
	json_put_int(out, "date", 0);
	json_close(out, '}');
}

static void press(struct tg_line_words *line, const struct tg_user *user,
	const struct tg_button *button, const struct tg_message *message)
{
	char id[32];
	auto_arena arena = arena_new(UPDATE_BYTES);
	struct str text;
	struct json_out out;
	STR_FORMAT(id, "%lld", (long long)new_query(line->sim, user));
	str_init(&text, arena);
	json_begin(&out, &text);
	json_open(&out, "callback_query", '{');
	json_put_str(&out, "id", id);
	tg_put_user(&out, "from", user);
	put_origin(&out, line, message);
	json_put_str(&out, "chat_instance", "-3216549870123456789");
	json_put_str(&out, "data", button->data);
	json_close(&out, '}');
	tg_line(line->sim, "%s presses [%s]", user->name, button->text);
	tg_update_add(line->sim, "callback_query", text.s);
}

static bool presses(struct tg_line_words *line)
{
	const struct tg_user *user = tg_line_user(line, 1);
	struct tg_chat *chat = user != NULL ? tg_line_chat(line, 2) : NULL;
	const struct tg_message *message = NULL;
	if (chat == NULL)
		return false;
	const struct tg_button *button = find_button(
		line->sim, chat, line->words[3], tg_line_has(line, "old"), &message);
	if (button == NULL)
		return tg_bad(line, "no message there has a button \"%s\"", line->words[3]);
	press(line, user, button, message);
	if (tg_line_has(line, "twice"))
		press(line, user, button, message);
	return true;
}

static bool deletes(struct tg_line_words *line)
{
	struct tg_chat *chat = tg_line_chat(line, 1);
	if (chat == NULL)
		return false;
	struct tg_message *message = tg_message_find(line->sim, chat, tg_int(line->words[2]));
	if (message == NULL)
		return tg_bad(line, "no such message: %s", line->words[2]);
	message->is_deleted = true;
	return true;
}

static bool stands(struct tg_line_words *line)
{
	static const struct {
		const char *verb;
		enum tg_standing standing;
	} verbs[] = {{"blocks", TG_BLOCKED}, {"unblocks", TG_MEMBER}, {"kicks", TG_KICKED},
		{"leaves", TG_LEFT}, {"joins", TG_MEMBER}, {"vanishes", TG_UNKNOWN}};
	struct tg_chat *chat = tg_line_chat(line, 1);
	for (size_t i = 0; chat != NULL && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].verb, line->words[0]) == 0)
			chat->standing = verbs[i].standing;
	return chat != NULL;
}

static bool deactivates(struct tg_line_words *line)
{
	struct tg_user *user = tg_line_user(line, 1);
	if (user != NULL)
		user->is_deactivated = true;
	return user != NULL;
}

static bool migrates(struct tg_line_words *line)
{
	struct sim_telegram *sim = line->sim;
	struct tg_chat *chat = tg_line_chat(line, 1);
	int64_t id = tg_int(line->words[2]);
	auto_arena arena = arena_new(UPDATE_BYTES);
	if (chat == NULL)
		return false;
	if (chat->type != TG_GROUP || id >= 0 || tg_chat_find(sim, id) != NULL)
		return tg_bad(line, "a group becomes a supergroup with an id below 0 that is new");
	struct tg_chat *super = tg_chat_add(sim, id, TG_SUPERGROUP, chat->title);
	STR_FORMAT(chat->title, "%s (before)", super->title);
	chat->migrated_to = id;
	tg_update_add(sim, "message",
		arena_printf(arena,
			"\"message\":{\"message_id\":%lld,\"date\":%lld,\"chat\":{\"id\":%lld,\"type\":"
			"\"group\"},\"migrate_to_chat_id\":%lld}",
			(long long)++chat->last_message, (long long)tg_now_s(sim), (long long)chat->id,
			(long long)id));
	tg_update_add(sim, "message",
		arena_printf(arena,
			"\"message\":{\"message_id\":%lld,\"date\":%lld,\"chat\":{\"id\":%lld,\"type\":"
			"\"supergroup\"},\"migrate_from_chat_id\":%lld}",
			(long long)++super->last_message, (long long)tg_now_s(sim), (long long)id,
			(long long)chat->id));
	return true;
}

/* Of whatever kind: asked for or not, as those of before the last poll are. */
static bool raw(struct tg_line_words *line)
{
	char allowed[sizeof(line->sim->allowed)];
	STR_SET(allowed, line->sim->allowed);
	line->sim->allowed[0] = '\0';
	tg_update_add(line->sim, "", line->words[1]);
	STR_SET(line->sim->allowed, allowed);
	return true;
}

const struct tg_verb tg_verbs_people[] = {{"says", 3, says}, {"forwards", 3, says},
	{"edits", 3, edits}, {"anonymous", 2, anonymous}, {"presses", 3, presses},
	{"deletes", 2, deletes}, {"blocks", 1, stands}, {"unblocks", 1, stands}, {"kicks", 1, stands},
	{"leaves", 1, stands}, {"joins", 1, stands}, {"vanishes", 1, stands},
	{"deactivates", 1, deactivates}, {"migrates", 2, migrates}, {"raw", 1, raw}, {NULL, 0, NULL}};
