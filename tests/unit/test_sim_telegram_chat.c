/* The simulated Telegram, rule by rule, on a wound clock: chats, edits, rates, people, faults. */
#include "telegram_asked.h"

static void chats_that_cannot_be_written_to_say_why(void **state)
{
	static const struct {
		const char *line;
		int64_t chat;
		int status;
		const char *words;
	} cases[] = {
		{"blocks Ada", 42, 403, "Forbidden: bot was blocked by the user"},
		{"unblocks Ada", 42, 200, NULL},
		{"deactivates Ada", 42, 403, "Forbidden: user is deactivated"},
		{"kicks Lab", -100, 403, "Forbidden: bot was kicked from the group chat"},
		{"leaves Forum", -1001234567890, 403,
			"Forbidden: bot is not a member of the supergroup chat"},
		{"joins Forum", -1001234567890, 200, NULL},
		{"vanishes Lab", -100, 400, "Bad Request: chat not found"},
		{"user 77 Eve unstarted", 77, 403,
			"Forbidden: bot can't initiate conversation with a user"},
		{"says Eve 77 /start", 77, 200, NULL},
		{"joins Lab", -100, 200, NULL},
		{"migrates Lab -1009876543210", -100, 400,
			"Bad Request: group chat was upgraded to a supergroup chat"},
		{"joins Forum", 999, 400, "Bad Request: chat not found"},
	};
	struct world world = open_world();
	for (size_t i = 0; i < COUNT(cases); i++) {
		script(&world, cases[i].line);
		clock_advance(world.clock, 5000);
		int status = call(&world, "sendMessage",
			arena_printf(
				world.arena, "{\"chat_id\":%lld,\"text\":\"x\"}", (long long)cases[i].chat));
		assert_int_equal(status, cases[i].status);
		if (cases[i].words != NULL)
			assert_refused(&world, cases[i].status, cases[i].words);
	}
	call(&world, "sendMessage", "{\"chat_id\":-100,\"text\":\"x\"}");
	assert_int_equal(number(&world, "parameters.migrate_to_chat_id"), -1009876543210);
	call(&world, "sendMessage", "{\"text\":\"x\"}");
	assert_refused(&world, 400, "Bad Request: chat_id is empty");
	poll(&world, "{}");
	assert_non_null(strstr(world.reply.body, "\"migrate_to_chat_id\":-1009876543210"));
	close_world(&world);
}

static void topics_and_replies_must_be_there(void **state)
{
	struct world world = open_world();
	script(&world, "topic Forum 8 closed");
#define TO_FORUM "{\"chat_id\":-1001234567890,\"text\":\"x\",\"message_thread_id\":"
	assert_int_equal(call(&world, "sendMessage", TO_FORUM "7}"), 200);
	assert_int_equal(number(&world, "result.message_thread_id"), 7);
	call(&world, "sendMessage", TO_FORUM "9}");
	assert_refused(&world, 400, "Bad Request: message thread not found");
	call(&world, "sendMessage", TO_FORUM "8}");
	assert_refused(&world, 400, "Bad Request: TOPIC_CLOSED");
	call(&world, "sendMessage", QUOTE({"chat_id" : 42, "text" : "x", "message_thread_id" : 7}));
	assert_refused(&world, 400, "Bad Request: message thread not found");
	call(&world, "sendMessage",
		QUOTE({"chat_id" : 42, "text" : "x", "reply_parameters" : {"message_id" : 99}}));
	assert_refused(&world, 400, "Bad Request: message to be replied not found");
	assert_int_equal(call(&world, "sendMessage", QUOTE({
		"chat_id" : 42,
		"text" : "x",
		"reply_parameters" : {"message_id" : 99, "allow_sending_without_reply" : true}
	})),
		200);
	close_world(&world);
}

static void edits_change_what_is_seen_or_say_why_not(void **state)
{
	struct world world = open_world();
	send_html(&world, "<b>one</b>");
	script(&world, "says Ada 42 mine");
	clock_advance(world.clock, 9000);
#define EDIT(id, text) "{\"chat_id\":42,\"message_id\":" id ",\"text\":\"" text "\"}"
	assert_int_equal(call(&world, "editMessageText", EDIT("1", "one")), 200); /* no longer bold */
	call(&world, "editMessageText", EDIT("1", "one"));
	assert_refused(&world, 400,
		"Bad Request: message is not modified: specified new message content and reply markup are "
		"exactly the same as a current content and reply markup of the message");
	call(&world, "editMessageText", EDIT("9", "x"));
	assert_refused(&world, 400, "Bad Request: message to edit not found");
	call(&world, "editMessageText", EDIT("2", "x"));
	assert_refused(&world, 400, "Bad Request: message can't be edited");
	clock_advance(world.clock, 9000);
	assert_int_equal(call(&world, "editMessageReplyMarkup", QUOTE({
		"chat_id" : 42,
		"message_id" : 1,
		"reply_markup" : {
			"inline_keyboard" : [
				[ {"text" : "A", "callback_data" : "a"}, {"text" : "B", "callback_data" : "b"} ],
				[ {"text" : "C", "callback_data" : "c"} ]
			]
		}
	})),
		200);
	assert_string_equal(sim_telegram_buttons(world.sim, "one"), "A | B\nC");
	assert_int_equal(call(&world, "editMessageText", EDIT("1", "two")), 200);
	assert_string_equal(sim_telegram_buttons(world.sim, "two"), "");
	assert_null(sim_telegram_buttons(world.sim, "one"));
	assert_string_equal(
		sim_telegram_chat(world.sim, 42), "1 Homeostat: two (edited)\n2 Ada: mine\n");
	clock_advance(world.clock, (int64_t)49 * 3600 * 1000);
	call(&world, "deleteMessage", QUOTE({"chat_id" : 42, "message_id" : 1}));
	assert_refused(&world, 400, "Bad Request: message can't be deleted");
	send_html(&world, "three");
	assert_int_equal(call(&world, "deleteMessage", QUOTE({"chat_id" : 42, "message_id" : 3})), 200);
	call(&world, "deleteMessage", QUOTE({"chat_id" : 42, "message_id" : 3}));
	assert_refused(&world, 400, "Bad Request: message to delete not found");
	assert_int_equal(sim_telegram_sent(world.sim, "three"), 0);
	struct sim_tg_shown shown;
	assert_true(sim_telegram_shown(world.sim, "three", 0, &shown));
	assert_true(shown.is_deleted);
	close_world(&world);
}

static void too_many_messages_have_to_wait(void **state)
{
	struct world world = open_world();
	const char *ada = "{\"chat_id\":42,\"text\":\"x\"}", *lab = "{\"chat_id\":-100,\"text\":\"x\"}";
	for (int i = 0; i < 3; i++)
		assert_int_equal(call(&world, "sendMessage", ada), 200);
	call(&world, "sendMessage", ada);
	assert_refused(&world, 429, "Too Many Requests: retry after 1");
	assert_int_equal(number(&world, "parameters.retry_after"), 1);
	assert_int_equal(world.reply.retry_after_s, 1);
	assert_int_equal(sim_telegram_impatient(world.sim), 0);
	assert_int_equal(call(&world, "editMessageText", EDIT("1", "y")), 429);
	assert_int_equal(sim_telegram_impatient(world.sim), 1);
	assert_int_equal(call(&world, "sendMessage", lab), 200); /* another chat need not wait */
	clock_advance(world.clock, 1000);
	assert_int_equal(call(&world, "sendMessage", ada), 200);
	for (int i = 0; i < 19; i++) {
		clock_advance(world.clock, 1000);
		assert_int_equal(call(&world, "sendMessage", lab), 200);
	}
	clock_advance(world.clock, 1000);
	call(&world, "sendMessage", lab);
	assert_refused(&world, 429, "Too Many Requests: retry after 39");
	clock_advance(world.clock, 39000);
	assert_int_equal(call(&world, "sendMessage", lab), 200);
	script(&world, "rates off");
	for (int i = 0; i < 100; i++)
		assert_int_equal(call(&world, "sendMessage", lab), 200);
	close_world(&world);
}

static void thirty_a_second_is_the_most_in_all(void **state)
{
	struct world world = open_world();
	for (int i = 0; i < 11; i++)
		script(&world, arena_printf(world.arena, "user %d U%d", 100 + i, i));
	int refused = 0;
	for (int i = 0; i < 33; i++)
		refused += call(&world, "sendMessage",
					   arena_printf(
						   world.arena, "{\"chat_id\":%d,\"text\":\"x\"}", 100 + i % 11)) == 429;
	assert_int_equal(refused, 3);
	assert_int_equal(sim_telegram_impatient(world.sim), 2);
	clock_advance(world.clock, 1000);
	assert_int_equal(call(&world, "sendMessage", "{\"chat_id\":100,\"text\":\"x\"}"), 200);
	close_world(&world);
}

static void send_buttons(struct world *world)
{
	clock_advance(world->clock, 5000);
	assert_int_equal(call(world, "sendMessage", QUOTE({
		"chat_id" : 42,
		"text" : "Restart?",
		"reply_markup" : {"inline_keyboard" : [[ {"text" : "Yes", "callback_data" : "y1"} ]]}
	})),
		200);
}

static const char *last_query(struct world *world)
{
	char id[40] = "";
	poll(world, "{}");
	clock_advance(world->clock, 1000);
	struct json list = json_get(body_of(world), "result");
	for (struct json update = json_first(list); json_is(update); update = json_next(update))
		json_copy(json_path(update, "callback_query.id"), id, sizeof(id));
	return arena_strdup(world->arena, id);
}

static int answer(struct world *world, const char *id, const char *text)
{
	return call(world, "answerCallbackQuery",
		arena_printf(world->arena, "{\"callback_query_id\":\"%s\",\"text\":\"%s\"}", id, text));
}

static void callbacks_are_answered_in_time_and_once(void **state)
{
	static const char late[] =
		"Bad Request: query is too old and response timeout expired or query ID is invalid";
	struct world world = open_world();
	send_buttons(&world);
	script(&world, "presses Bob 42 Yes");
	const char *id = last_query(&world);
	assert_int_equal(sim_telegram_unanswered(world.sim), 1);
	answer(&world, id, repeated(&world, "x", 201));
	assert_refused(&world, 400, "Bad Request: MESSAGE_TOO_LONG");
	assert_int_equal(answer(&world, id, "Done"), 200);
	assert_int_equal(sim_telegram_unanswered(world.sim), 0);
	answer(&world, id, "Done");
	assert_refused(&world, 400, late);
	answer(&world, "12345", "");
	assert_refused(&world, 400, late);
	script(&world, "presses Ada 42 Yes");
	id = last_query(&world);
	clock_advance(world.clock, 15000);
	answer(&world, id, "");
	assert_refused(&world, 400, late);
	script(&world, "presses Ada 42 Yes");
	id = last_query(&world);
	script(&world, "restart");
	answer(&world, id, "");
	assert_refused(&world, 400, late);
	close_world(&world);
}

static void old_buttons_and_lost_messages_can_be_pressed(void **state)
{
	char text[256];
	struct world world = open_world();
	send_buttons(&world);
	clock_advance(world.clock, 5000);
	assert_int_equal(call(&world, "editMessageText", EDIT("1", "gone")), 200);
	assert_false(sim_telegram_script(world.sim, "presses Ada 42 Yes", text, sizeof(text)));
	assert_string_equal(text, "no message there has a button \"Yes\"");
	script(&world, "presses Ada 42 Yes old twice");
	script(&world, "presses Ada 42 Yes old inaccessible");
	script(&world, "presses Ada 42 Yes old missing");
	assert_string_equal(poll(&world, "{}"), "1 2 3 4");
	struct json result = json_get(body_of(&world), "result");
	struct json update = json_next(json_next(json_first(result)));
	assert_int_equal(json_int(json_path(update, "callback_query.message.date"), -1), 0);
	assert_int_equal(json_int(json_path(update, "callback_query.message.message_id"), -1), 1);
	assert_false(json_is(json_path(json_next(update), "callback_query.message")));
	close_world(&world);
}

static void groups_show_the_bot_what_privacy_lets_through(void **state)
{
	struct world world = open_world();
	script(&world, "says Ada Lab \"good morning\"");
	script(&world, "says Ada Lab /status@other_bot");
	script(&world, "says Ada Lab /status@homeostat_bot");
	script(&world, "anonymous Lab /health");
	assert_string_equal(poll(&world, "{}"), "1 2");
	assert_non_null(strstr(world.reply.body, "\"username\":\"GroupAnonymousBot\""));
	assert_non_null(strstr(world.reply.body, "\"sender_chat\":{\"id\":-100"));
	script(&world, "privacy off");
	script(&world, "forwards Ada Lab \"good morning\"");
	assert_string_equal(poll(&world, "{\"offset\":700000003}"), "3");
	assert_non_null(strstr(world.reply.body, "\"forward_origin\""));
	script(&world, "kicks Lab");
	script(&world, "says Ada Lab /status");
	clock_advance(world.clock, 5000);
	assert_string_equal(poll(&world, "{\"offset\":700000004}"), "");
	close_world(&world);
}

static void commands_have_limits(void **state)
{
	static const struct {
		const char *json, *wrong;
	} cases[] = {
		{QUOTE({"commands" : [ {"command" : "status", "description" : "Status of all"} ]}), NULL},
		{QUOTE({"commands" : [], "scope" : {"type" : "all_private_chats"}}), NULL},
		{QUOTE({"commands" : [], "scope" : {"type" : "galaxy"}}),
			"Bad Request: can't parse BotCommandScope: Unsupported type specified"},
		{QUOTE({"commands" : {}}), "Bad Request: expected an Array of BotCommand"},
		{QUOTE({"commands" : [ {"command" : "Status", "description" : "x"} ]}),
			"Bad Request: BOT_COMMAND_INVALID"},
		{QUOTE({"commands" : [ {"command" : "", "description" : "x"} ]}),
			"Bad Request: BOT_COMMAND_INVALID"},
		{QUOTE({
			 "commands" : [ {"command" : "a23456789012345678901234567890123", "description" : "x"} ]
		 }),
			"Bad Request: BOT_COMMAND_INVALID"},
		{QUOTE({"commands" : [ {"command" : "a", "description" : ""} ]}),
			"Bad Request: BOT_COMMAND_DESCRIPTION_INVALID"},
		{QUOTE({"commands" : [ {"command" : "a"} ]}),
			"Bad Request: can't parse BotCommand: Can't find field \"description\""},
	};
	struct world world = open_world();
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status = call(&world, "setMyCommands", cases[i].json);
		if (cases[i].wrong != NULL)
			assert_refused(&world, 400, cases[i].wrong);
		else
			assert_int_equal(status, 200);
		if (i == 0)
			assert_string_equal(sim_telegram_commands(world.sim), "status - Status of all\n");
	}
	char *many = arena_strdup(
		world.arena, repeated(&world, "{\"command\":\"a\",\"description\":\"x\"},", 101));
	many[strlen(many) - 1] = '\0';
	call(&world, "setMyCommands", arena_printf(world.arena, "{\"commands\":[%s]}", many));
	assert_refused(&world, 400, "Bad Request: BOT_COMMANDS_TOO_MUCH");
	close_world(&world);
}

/* A form with a chat and a file of these bytes. */
static int upload(
	struct world *world, const char *method, const char *part, const char *bytes, size_t length)
{
	char url[200];
	struct str body;
	str_init(&body, world->arena);
	str_addf(&body,
		"--b1\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n42\r\n--b1\r\n"
		"Content-Disposition: form-data; name=\"%s\"; filename=\"f.png\"\r\n"
		"Content-Type: image/png\r\n\r\n",
		part);
	str_addn(&body, bytes, length);
	str_add(&body, "\r\n--b1--\r\n");
	assert_false(body.full);
	snprintf(url, sizeof(url), "/bot%s/%s", SIM_TG_TOKEN, method);
	clock_advance(world->clock, 5000);
	send_raw(world, url, "multipart/form-data; boundary=b1", body.s, body.len);
	return world->reply.status;
}

static void uploads_are_checked(void **state)
{
	/* 2 to 3 as 800 × 600, 30,000 × 20,000, 2,100 × 100 */
	static const char good[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\x20\0\0\x02\x58\x08\x06\0";
	static const char huge[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x75\x30\0\0\x4e\x20\x08\x06\0";
	static const char flat[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x08\x34\0\0\0\x64\x08\x06\0";
	struct world world = open_world();
	assert_int_equal(upload(&world, "sendPhoto", "photo", good, sizeof(good)), 200);
	assert_int_equal(upload(&world, "sendDocument", "document", "x", 1), 200);
	assert_string_equal(
		sim_telegram_chat(world.sim, 42), "1 Homeostat: <f.png> \n2 Homeostat: <f.png> \n");
	upload(&world, "sendPhoto", "photo", "GIF89a", 6);
	assert_refused(&world, 400, "Bad Request: IMAGE_PROCESS_FAILED");
	upload(&world, "sendPhoto", "photo", huge, sizeof(huge));
	assert_refused(&world, 400, "Bad Request: PHOTO_INVALID_DIMENSIONS");
	upload(&world, "sendPhoto", "photo", flat, sizeof(flat));
	assert_refused(&world, 400, "Bad Request: PHOTO_INVALID_DIMENSIONS");
	upload(&world, "sendDocument", "document", "", 0);
	assert_refused(&world, 400, "Bad Request: file must be non-empty");
	upload(&world, "sendPhoto", "document", good, sizeof(good));
	assert_refused(&world, 400, "Bad Request: there is no photo in the request");
	char *large = calloc(1, (size_t)11 << 20);
	assert_non_null(large);
	upload(&world, "sendPhoto", "photo", large, (size_t)11 << 20);
	assert_refused(&world, 400,
		"Bad Request: file of size 11534336 bytes is too big for a photo; the maximum size is "
		"10485760 bytes");
	free(large);
	send_raw(
		&world, "/bot" SIM_TG_TOKEN "/sendPhoto", "multipart/form-data; boundary=b1", "--b2", 4);
	assert_int_equal(world.reply.status, 400);
	send_raw(&world, "/bot" SIM_TG_TOKEN "/sendDocument", "application/json", good,
		((size_t)50 << 20) + 1); /* not read: its length is enough */
	assert_refused(&world, 413, "Request Entity Too Large");
	close_world(&world);
}

static void faults_come_as_often_as_told(void **state)
{
	struct world world = open_world();
	const char *send = "{\"chat_id\":42,\"text\":\"x\"}";
	script(&world, "fail sendMessage 429 17");
	script(&world, "fail sendMessage 502 times=2 after");
	assert_int_equal(call(&world, "getMe", "{}"), 200);
	call(&world, "sendMessage", send);
	assert_refused(&world, 429, "Too Many Requests: retry after 17");
	clock_advance(world.clock, 17000);
	assert_int_equal(call(&world, "sendMessage", send), 502);
	assert_string_equal(world.reply.content_type, "text/html");
	assert_non_null(strstr(world.reply.body, "<h1>502</h1>"));
	assert_int_equal(call(&world, "sendMessage", send), 502);
	assert_int_equal(sim_telegram_sent(world.sim, "x"), 2);
	script(&world, "fail * silent");
	script(&world, "fail * truncated");
	script(&world, "fail * slow 2500");
	script(&world, "fail * refused");
	script(&world, "fail * 400 \"Bad Request: chat not found\"");
	call(&world, "sendMessage", send);
	assert_int_equal(world.reply.wire, SIM_TG_SILENT);
	assert_int_equal(sim_telegram_sent(world.sim, "x"), 2);
	clock_advance(world.clock, 5000);
	call(&world, "sendMessage", send);
	assert_int_equal(world.reply.wire, SIM_TG_TRUNCATED);
	assert_int_equal(sim_telegram_sent(world.sim, "x"), 3);
	assert_int_equal(call(&world, "sendMessage", send), 200);
	assert_int_equal(world.reply.held_ms, 2500);
	call(&world, "getMe", "{}");
	assert_int_equal(world.reply.wire, SIM_TG_REFUSED);
	call(&world, "sendMessage", send);
	assert_refused(&world, 400, "Bad Request: chat not found");
	assert_int_equal(sim_telegram_asked(world.sim, "sendMessage 42 502"), 2);
	assert_int_equal(sim_telegram_asked(world.sim, "getMe*"), 2);
	close_world(&world);
}

static void transcript_tells_what_happened(void **state)
{
	struct world world = open_world();
	script(&world, "says Ada 42 /status");
	send_buttons(&world);
	script(&world, "presses Ada 42 Yes");
	assert_string_equal(sim_telegram_line(world.sim, 0), "Ada → Homeostat: /status");
	assert_string_equal(sim_telegram_line(world.sim, 1), "Homeostat → Ada: Restart?\n[Yes]");
	assert_string_equal(sim_telegram_line(world.sim, 2), "Ada presses [Yes]");
	assert_null(sim_telegram_line(world.sim, 3));
	struct sim_tg_shown shown;
	assert_true(sim_telegram_shown(world.sim, "Rest*", 0, &shown));
	assert_int_equal(shown.id, 2);
	assert_int_equal(shown.units, 8);
	assert_false(sim_telegram_shown(world.sim, "Rest*", 1, &shown));
	close_world(&world);
}

static void wrong_lines_are_told(void **state)
{
	static const char *const lines[][2] = {{"dance", "no such line: dance"},
		{"says Ada", "says: too few words"}, {"says Zoe 42 x", "no such user: Zoe"},
		{"says Ada -5 x", "no such chat: -5"}, {"user 42 Again", "a user has an id"},
		{"chat 5 group X", "a chat has an id below 0"}, {"fail * 200", "fail METHOD STATUS"},
		{"redeliver", "0 updates have been confirmed"}, {"rates maybe", "on or off?"}};
	struct world world = open_world();
	for (size_t i = 0; i < COUNT(lines); i++) {
		char text[256] = "";
		assert_false(sim_telegram_script(world.sim, lines[i][0], text, sizeof(text)));
		if (!str_starts(text, lines[i][1]))
			fail_msg("%s: %s", lines[i][0], text);
	}
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chats_that_cannot_be_written_to_say_why),
		cmocka_unit_test(topics_and_replies_must_be_there),
		cmocka_unit_test(edits_change_what_is_seen_or_say_why_not),
		cmocka_unit_test(too_many_messages_have_to_wait),
		cmocka_unit_test(thirty_a_second_is_the_most_in_all),
		cmocka_unit_test(callbacks_are_answered_in_time_and_once),
		cmocka_unit_test(old_buttons_and_lost_messages_can_be_pressed),
		cmocka_unit_test(groups_show_the_bot_what_privacy_lets_through),
		cmocka_unit_test(commands_have_limits),
		cmocka_unit_test(uploads_are_checked),
		cmocka_unit_test(faults_come_as_often_as_told),
		cmocka_unit_test(transcript_tells_what_happened),
		cmocka_unit_test(wrong_lines_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
