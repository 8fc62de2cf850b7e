/* Answers to callbacks, and the list of commands. */
#include "sim/telegram_world.h"

#include <ctype.h>
#include <string.h>

#define COMMANDS_MAX 100
#define COMMAND_MAX 32
#define DESCRIPTION_MAX 256
#define TOAST_MAX 200

bool tg_answer_callback(struct tg_call *call)
{
	struct sim_telegram *sim = call->sim;
	int64_t id = tg_arg_int(call, "callback_query_id", 0);
	const char *text = tg_arg(call, "text");
	struct tg_query *query = NULL;
	for (int i = 0; i < TG_QUERIES && i < sim->query_count; i++)
		if (sim->queries[i].id == id)
			query = &sim->queries[i];
	if (query == NULL || query->is_forgotten || query->is_answered ||
		tg_now(sim) - query->at_ms > sim->query_life_ms)
		return tg_fail(call, 400,
			"Bad Request: query is too old and response timeout expired or query ID is invalid");
	int points, units;
	tg_measure(text, &points, &units);
	if (points > TOAST_MAX)
		return tg_fail(call, 400, "Bad Request: MESSAGE_TOO_LONG");
	query->is_answered = true;
	const struct tg_user *user = tg_user_find(sim, query->user);
	if (text[0] != '\0')
		tg_line(sim, "%s sees %s: %s", user != NULL ? user->name : "somebody",
			tg_arg_bool(call, "show_alert") ? "an alert" : "for a moment", text);
	str_add(&call->result, "true");
	return true;
}

static bool check_scope(struct tg_call *call)
{
	static const char *const types[] = {"default", "all_private_chats", "all_group_chats",
		"all_chat_administrators", "chat", "chat_administrators", "chat_member"};
	struct json scope;
	char type[40];
	if (!tg_arg_json(call, "scope", JSON_OBJECT, &scope))
		return tg_fail(call, 400, "Bad Request: can't parse BotCommandScope JSON object");
	if (!json_is(scope))
		return true;
	if (!json_copy(json_get(scope, "type"), type, sizeof(type)))
		return tg_fail(
			call, 400, "Bad Request: can't parse BotCommandScope: Can't find field \"type\"");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return tg_fail(
		call, 400, "Bad Request: can't parse BotCommandScope: Unsupported type specified");
}

static bool check_command(struct tg_call *call, struct json value, struct str *shown)
{
	struct json command = json_get(value, "command"), description = json_get(value, "description");
	if (json_kind(command) != JSON_STRING || json_kind(description) != JSON_STRING)
		return tg_fail(call, 400, "Bad Request: can't parse BotCommand: %s",
			json_kind(value) != JSON_OBJECT ? "expected an Object"
				: json_is(command)          ? "Can't find field \"description\""
											: "Can't find field \"command\"");
	const char *name = json_str(command, call->arena);
	const char *words = json_str(description, call->arena);
	size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (good == 0 || name[good] != '\0' || good > COMMAND_MAX)
		return tg_fail(call, 400, "Bad Request: BOT_COMMAND_INVALID");
	int points, units;
	tg_measure(words, &points, &units);
	if (points < 1 || points > DESCRIPTION_MAX)
		return tg_fail(call, 400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID");
	str_addf(shown, "%s - %s\n", name, words);
	return true;
}

bool tg_set_commands(struct tg_call *call)
{
	struct sim_telegram *sim = call->sim;
	struct json commands;
	struct str shown;
	str_init(&shown, call->arena);
	if (!tg_arg_json(call, "commands", JSON_ARRAY, &commands))
		return tg_fail(call, 400, "Bad Request: expected an Array of BotCommand");
	for (struct json child = json_first(commands); json_is(child); child = json_next(child))
		if (!check_command(call, child, &shown))
			return false;
	if (!check_scope(call))
		return false;
	if (json_count(commands) > COMMANDS_MAX)
		return tg_fail(call, 400, "Bad Request: BOT_COMMANDS_TOO_MUCH");
	sim->commands = arena_strdup(sim->commands_arena, tg_arg(call, "commands"));
	sim->commands_text = arena_strdup(sim->commands_arena, shown.s);
	str_add(&call->result, "true");
	return true;
}

bool tg_get_commands(struct tg_call *call)
{
	str_add(&call->result, call->sim->commands != NULL ? call->sim->commands : "[]");
	return true;
}
