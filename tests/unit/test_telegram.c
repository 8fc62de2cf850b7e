/* The Telegram client against the simulated Bot API, over loopback. */
#include "client/telegram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "telegram_stage.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define QUOTE(...) #__VA_ARGS__

static const struct telegram_button yes_no[] = {
	{"Approve", "a:1", TELEGRAM_SUCCESS}, {"Reject", "r:1", TELEGRAM_DANGER}};
static const struct telegram_button later[] = {{"Later", "l:1", TELEGRAM_STYLE_NONE}};
static const struct telegram_row rows[] = {{yes_no, 2}, {later, 1}};

static void assert_text(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static bool send(struct tg_stage *stage, const char *text)
{
	const struct telegram_message message = {.text = text};
	stage->err = (struct err){0};
	return telegram_send(stage->telegram, &message, &stage->result, &stage->err);
}

static void assert_outcome(struct tg_stage *stage, enum telegram_outcome outcome)
{
	if (stage->result.outcome != outcome)
		fail_msg("%s, not %s: %s", telegram_outcome_name(stage->result.outcome),
			telegram_outcome_name(outcome), stage->err.text);
	if (strstr(stage->err.text, "AAF-") != NULL)
		fail_msg("the token is told: %s", stage->err.text);
}

static void bad_configurations_are_told(void **state)
{
	static const struct {
		struct telegram_config config;
		const char *text;
	} cases[] = {
		{{.token = NULL}, "token: is not a bot's"},
		{{.token = ""}, "token: is not a bot's"},
		{{.token = "hello"}, "token: is not a bot's"},
		{{.token = "0123:abc"}, "token: is not a bot's"},
		{{.token = "123:"}, "token: is not a bot's"},
		{{.token = "123:a/../b"}, "token: is not a bot's"},
		{{.token = "123:a\r\nX: y"}, "token: is not a bot's"},
		{{.token = SIM_TG_TOKEN, .api_url = "api.telegram.org"}, "is not https://HOST"},
		{{.token = SIM_TG_TOKEN, .api_url = "http://10.0.0.1:8081"}, "in clear"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = {0};
		assert_null(telegram_open(&cases[i].config, -1, &err));
		assert_int_equal(err.kind, ERR_INPUT);
		assert_text(err.text, cases[i].text);
	}
}

static void who_the_bot_is(void **state)
{
	struct tg_stage stage;
	struct telegram_me me;
	tg_stage_open(&stage);
	assert_true(telegram_me(stage.telegram, &me, &stage.result, &stage.err));
	assert_int_equal(me.id, 123456789);
	assert_string_equal(me.username, "homeostat_bot");
	tg_stage_script(&stage, "revoke");
	assert_false(telegram_me(stage.telegram, &me, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_UNAUTHORIZED);
	assert_int_equal(stage.err.kind, ERR_DENIED);
	assert_text(stage.err.text, "telegram: getMe: Unauthorized (401): is token:");
	tg_stage_close(&stage);
}

static void message_is_sent_edited_and_deleted(void **state)
{
	struct tg_stage stage;
	struct telegram_message message = {
		.text = "<b>web</b> &lt;is&gt; \"down\" 😀", .rows = rows, .row_count = 2};
	tg_stage_open(&stage);
	assert_true(telegram_send(stage.telegram, &message, &stage.result, &stage.err));
	assert_int_equal(stage.result.outcome, TELEGRAM_DONE);
	assert_int_equal(stage.result.message_id, 1);
	assert_int_equal(tg_stage_count(&stage, "sent", "web <is> \"down\" 😀"), 1);
	assert_string_equal(tg_stage_ask(&stage, "buttons", "web*"), "Approve | Reject\nLater");
	assert_true(telegram_edit(stage.telegram, 1, &message, &stage.result, &stage.err));
	assert_int_equal(stage.result.outcome, TELEGRAM_UNCHANGED);
	assert_int_equal(stage.result.message_id, 1);
	message.row_count = 1;
	assert_true(telegram_edit_buttons(stage.telegram, 1, &message, &stage.result, &stage.err));
	assert_string_equal(tg_stage_ask(&stage, "buttons", "web*"), "Approve | Reject");
	message.row_count = 0;
	message.text = "web is up";
	assert_true(telegram_edit(stage.telegram, 1, &message, &stage.result, &stage.err));
	assert_string_equal(tg_stage_ask(&stage, "buttons", "web is up"), "");
	assert_string_equal(tg_stage_ask(&stage, "chat", "42"), "1 Homeostat: web is up (edited)\n");
	assert_true(telegram_delete(stage.telegram, 0, 1, &stage.result, &stage.err));
	assert_int_equal(tg_stage_count(&stage, "sent", "*"), 0);
	assert_false(telegram_edit(stage.telegram, 1, &message, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_MESSAGE_GONE);
	assert_false(telegram_delete(stage.telegram, 0, 1, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_MESSAGE_GONE);
	tg_stage_close(&stage);
}

static void plain_text_topics_and_replies_are_said(void **state)
{
	struct tg_stage stage;
	struct telegram_message message = {.chat = FORUM,
		.thread = 7,
		.reply_to = 99,
		.text = "a < b & <c>",
		.is_plain = true,
		.is_silent = true};
	tg_stage_open(&stage);
	assert_true(telegram_send(stage.telegram, &message, &stage.result, &stage.err));
	assert_int_equal(tg_stage_count(&stage, "sent", "a < b & <c>"), 1);
	message.thread = 8;
	assert_false(telegram_send(stage.telegram, &message, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_NO_THREAD);
	message.thread = 0;
	assert_true(telegram_send(stage.telegram, &message, &stage.result, &stage.err));
	tg_stage_close(&stage);
}

static void every_refusal_is_told_apart(void **state)
{
	static const struct {
		const char *fault;
		enum telegram_outcome outcome;
		enum err_kind kind;
	} cases[] = {
		{"403", TELEGRAM_CHAT_DEAD, ERR_DENIED},
		{"403 \"Forbidden: bot was kicked from the group chat\"", TELEGRAM_CHAT_DEAD, ERR_DENIED},
		{"400 \"Bad Request: chat not found\"", TELEGRAM_CHAT_DEAD, ERR_DENIED},
		{"400 \"Bad Request: group chat was upgraded to a supergroup chat\"", TELEGRAM_CHAT_DEAD,
			ERR_DENIED}, /* where to is not told */
		{"400 \"Bad Request: message to edit not found\"", TELEGRAM_MESSAGE_GONE, ERR_GONE},
		{"400 \"Bad Request: message can't be edited\"", TELEGRAM_MESSAGE_GONE, ERR_GONE},
		{"400 \"Bad Request: can't parse entities: Unexpected end tag at byte offset 1\"",
			TELEGRAM_BAD_ENTITIES, ERR_INPUT},
		{"400 \"Bad Request: message is too long\"", TELEGRAM_TOO_LONG, ERR_INPUT},
		{"400 \"Bad Request: text is too long\"", TELEGRAM_TOO_LONG, ERR_INPUT},
		{"413", TELEGRAM_TOO_LONG, ERR_INPUT},
		{"400 \"Bad Request: PHOTO_INVALID_DIMENSIONS\"", TELEGRAM_BAD_PHOTO, ERR_INPUT},
		{"400 \"Bad Request: message thread not found\"", TELEGRAM_NO_THREAD, ERR_GONE},
		{"400 \"Bad Request: TOPIC_CLOSED\"", TELEGRAM_NO_THREAD, ERR_GONE},
		{"400 \"Bad Request: query is too old and response timeout expired or query ID is "
		 "invalid\"",
			TELEGRAM_QUERY_OLD, ERR_GONE},
		{"401", TELEGRAM_UNAUTHORIZED, ERR_DENIED},
		{"404", TELEGRAM_UNAUTHORIZED, ERR_DENIED},
		{"404 \"Not Found: method not found\"", TELEGRAM_REFUSED, ERR_INPUT},
		{"409", TELEGRAM_OTHER_POLLER, ERR_RETRY},
		{"409 \"Conflict: terminated by setWebhook request\"", TELEGRAM_WEBHOOK, ERR_DENIED},
		{"429 17", TELEGRAM_RATE_LIMITED, ERR_RETRY},
		{"500", TELEGRAM_RETRY, ERR_RETRY},
		{"502", TELEGRAM_RETRY, ERR_RETRY},
		{"504", TELEGRAM_RETRY, ERR_RETRY},
		{"html", TELEGRAM_RETRY, ERR_RETRY},
		{"truncated", TELEGRAM_AMBIGUOUS, ERR_TIMEOUT},
		{"closed", TELEGRAM_AMBIGUOUS, ERR_TIMEOUT},
		{"400 \"Bad Request: message text is empty\"", TELEGRAM_REFUSED, ERR_INPUT},
	};
	struct tg_stage stage;
	tg_stage_open(&stage);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char line[300];
		snprintf(line, sizeof(line), "fail sendMessage %s", cases[i].fault);
		tg_stage_script(&stage, line);
		assert_false(send(&stage, "x"));
		assert_outcome(&stage, cases[i].outcome);
		assert_int_equal(stage.err.kind, cases[i].kind);
		assert_int_equal(stage.result.retry_after_s, str_starts(cases[i].fault, "429") ? 17 : 0);
		assert_int_equal(stage.result.may_be_done, cases[i].outcome == TELEGRAM_RETRY);
		if (cases[i].outcome == TELEGRAM_RATE_LIMITED)
			tg_stage_script(&stage, "chat-limit Ada 0");
	}
	assert_true(send(&stage, "x"));
	tg_stage_close(&stage);
}

static void refusals_of_the_server_itself_are_told_apart(void **state)
{
	static const struct {
		const char *line, *text;
		enum telegram_outcome outcome;
	} cases[] = {
		{"rates off", "<b>x", TELEGRAM_BAD_ENTITIES},
		{"rates off", "", TELEGRAM_REFUSED},
		{"chat-limit Ada 30", "x", TELEGRAM_RATE_LIMITED},
		{"blocks Ada", "x", TELEGRAM_RATE_LIMITED},
		{"chat-limit Ada 0", "x", TELEGRAM_CHAT_DEAD},
		{"unblocks Ada", "x", TELEGRAM_DONE},
	};
	struct tg_stage stage;
	tg_stage_open(&stage);
	tg_stage_script(&stage, "blocks Bob");
	for (size_t i = 0; i < COUNT(cases); i++) {
		tg_stage_script(&stage, cases[i].line);
		bool is_blocked = str_starts(cases[i].line, "blocks");
		send(&stage, cases[i].text);
		/* who may not be written to is told so before the rate */
		assert_outcome(&stage, is_blocked ? TELEGRAM_CHAT_DEAD : cases[i].outcome);
	}
	char *long_text = calloc(1, 4098);
	assert_non_null(long_text);
	memset(long_text, 'x', 4097);
	assert_false(send(&stage, long_text));
	assert_outcome(&stage, TELEGRAM_TOO_LONG);
	long_text[4096] = '\0';
	assert_true(send(&stage, long_text));
	free(long_text);
	tg_stage_close(&stage);
}

static void migrated_chat_names_the_new_one(void **state)
{
	struct tg_stage stage;
	const struct telegram_message message = {.text = "x"};
	tg_stage_open(&stage);
	telegram_move(stage.telegram, LAB);
	tg_stage_script(&stage, "migrates Lab -1009007199254740991");
	assert_false(telegram_send(stage.telegram, &message, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_MIGRATED);
	assert_int_equal(stage.result.chat, -1009007199254740991);
	telegram_move(stage.telegram, stage.result.chat);
	assert_true(telegram_send(stage.telegram, &message, &stage.result, &stage.err));
	tg_stage_close(&stage);
}

static void lost_answer_of_a_send_is_ambiguous_of_an_edit_it_is_not(void **state)
{
	struct tg_stage stage;
	const struct telegram_message message = {.text = "x"};
	tg_stage_open(&stage);
	tg_stage_script(&stage, "fail sendMessage closed after");
	assert_false(send(&stage, "there"));
	assert_outcome(&stage, TELEGRAM_AMBIGUOUS);
	assert_text(stage.err.text, "it may be in the chat all the same");
	assert_int_equal(tg_stage_count(&stage, "sent", "there"), 1);
	tg_stage_script(&stage, "fail sendMessage closed");
	assert_false(send(&stage, "not there"));
	assert_outcome(&stage, TELEGRAM_AMBIGUOUS);
	assert_int_equal(tg_stage_count(&stage, "sent", "not there"), 0);
	tg_stage_script(&stage, "fail editMessageText closed after");
	assert_false(telegram_edit(stage.telegram, 1, &message, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_RETRY);
	assert_false(stage.result.may_be_done);
	tg_stage_close(&stage);
}

static void server_that_is_not_there_is_no_ambiguity(void **state)
{
	struct tg_stage stage;
	tg_stage_open(&stage);
	kill(stage.pid, SIGTERM);
	waitpid(stage.pid, NULL, 0);
	assert_false(send(&stage, "x"));
	assert_outcome(&stage, TELEGRAM_RETRY);
	assert_int_equal(stage.err.kind, ERR_RETRY);
	assert_text(stage.err.text, "telegram: POST /bot…/sendMessage: connection refused");
	assert_int_equal(stage.result.status, 0);
	int port;
	stage.pid = tg_stage_fork(&port); /* for tg_stage_close */
	tg_stage_close(&stage);
}

static void stop_ends_a_long_poll(void **state)
{
	struct tg_stage stage;
	struct telegram_batch batch;
	const struct telegram_poll ask = {.timeout_s = 50};
	const uint64_t one = 1;
	tg_stage_open(&stage);
	assert_int_equal(write(stage.stop_fd, &one, sizeof(one)), sizeof(one));
	assert_false(
		telegram_poll(stage.telegram, &ask, stage.arena, &batch, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_CANCELLED);
	assert_int_equal(stage.err.kind, ERR_CANCELLED);
	tg_stage_close(&stage);
}

/* Polls without waiting; fails the test unless it is answered. */
static struct telegram_batch poll_now(struct tg_stage *stage, int64_t offset)
{
	struct telegram_batch batch;
	const struct telegram_poll ask = {.offset = offset, .timeout_s = 0};
	if (!telegram_poll(stage->telegram, &ask, stage->arena, &batch, &stage->result, &stage->err))
		fail_msg("%s", stage->err.text);
	return batch;
}

static void updates_say_who_where_and_what(void **state)
{
	struct tg_stage stage;
	tg_stage_open(&stage);
	poll_now(&stage, -1); /* so that only what is asked for comes */
	tg_stage_script(&stage, "says Ada 42 \"/why 7\\n<b>\"");
	tg_stage_script(&stage, "edits Ada 42 changed");
	tg_stage_script(&stage, "says Ada Forum /status@homeostat_bot thread=7");
	tg_stage_script(&stage, "anonymous Lab /health");
	tg_stage_script(&stage, "forwards Bob 43 /start via");
	tg_stage_script(&stage, "migrates Lab -1009876543210");
	tg_stage_script(&stage, "raw \"\\\"story\\\":{\\\"id\\\":9}\"");
	struct telegram_batch batch = poll_now(&stage, 1);
	assert_int_equal(batch.count, 7);
	const struct telegram_update *update = batch.updates;
	assert_int_equal(update->kind, TELEGRAM_MESSAGE);
	assert_int_equal(update->chat, ADA);
	assert_int_equal(update->chat_type, TELEGRAM_PRIVATE);
	assert_int_equal(update->from, ADA);
	assert_string_equal(update->name, "Ada");
	assert_string_equal(update->username, "ada");
	assert_string_equal(update->text, "/why 7\n<b>");
	assert_true(update->date_s > 1700000000 && update->message_id == 1);
	assert_false(update->is_anonymous || update->is_forwarded || update->from_is_bot);
	update++;
	assert_int_equal(update->chat, FORUM);
	assert_int_equal(update->chat_type, TELEGRAM_SUPERGROUP);
	assert_int_equal(update->thread, 7);
	update++;
	assert_int_equal(update->from, TELEGRAM_ANONYMOUS);
	assert_int_equal(update->sender_chat, LAB);
	assert_true(update->is_anonymous);
	assert_true(update->from_is_bot);
	update++;
	assert_true(update->is_forwarded && update->via_bot);
	assert_int_equal(update[1].migrate_to, -1009876543210);
	assert_int_equal(update[2].migrate_from, LAB);
	assert_int_equal(update[3].kind, TELEGRAM_OTHER);
	assert_true(update[3].id > 0);
	assert_int_equal(batch.next_offset, update[3].id + 1);
	tg_stage_close(&stage);
}

static void offset_is_passed_on_and_ids_may_jump(void **state)
{
	struct tg_stage stage;
	tg_stage_open(&stage);
	tg_stage_script(&stage, "says Ada 42 one");
	struct telegram_batch batch = poll_now(&stage, 0);
	assert_int_equal(batch.count, 1);
	int64_t first = batch.updates[0].id;
	tg_stage_script(&stage, "jump 41");
	tg_stage_script(&stage, "says Ada 42 two");
	batch = poll_now(&stage, batch.next_offset);
	assert_int_equal(batch.count, 2); /* far beyond the newest: nothing was confirmed */
	assert_int_equal(batch.updates[0].id, first);
	assert_int_equal(batch.next_offset, 42);
	tg_stage_close(&stage);
}

static void press_is_answered_once(void **state)
{
	struct tg_stage stage;
	const struct telegram_message message = {.text = "Restart?", .rows = rows, .row_count = 2};
	tg_stage_open(&stage);
	assert_true(telegram_send(stage.telegram, &message, &stage.result, &stage.err));
	tg_stage_script(&stage, "presses Bob 42 Approve");
	tg_stage_script(&stage, "presses Bob 42 Reject inaccessible");
	tg_stage_script(&stage, "presses Bob 42 Later missing");
	struct telegram_batch batch = poll_now(&stage, 0);
	assert_int_equal(batch.count, 3);
	const struct telegram_update *update = batch.updates;
	assert_int_equal(update->kind, TELEGRAM_CALLBACK);
	assert_int_equal(update->from, 43);
	assert_int_equal(update->chat, ADA);
	assert_int_equal(update->message_id, 1);
	assert_string_equal(update->data, "a:1");
	assert_string_equal(update->text, "Restart?");
	assert_int_equal(update->origin, TELEGRAM_PRESENT);
	assert_int_equal(update[1].origin, TELEGRAM_INACCESSIBLE);
	assert_int_equal(update[1].chat, ADA);
	assert_string_equal(update[1].data, "r:1");
	assert_int_equal(update[2].origin, TELEGRAM_MISSING);
	assert_int_equal(update[2].chat, 0);
	struct telegram_answer answer = {
		.callback = update->callback, .text = "Done", .is_alert = true};
	assert_true(telegram_answer(stage.telegram, &answer, &stage.result, &stage.err));
	assert_int_equal(tg_stage_count(&stage, "unanswered", ""), 2);
	assert_false(telegram_answer(stage.telegram, &answer, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_QUERY_OLD);
	char toast[512] = "";
	for (int i = 0; i < 201; i++)
		strcat(toast, "ü");
	answer = (struct telegram_answer){.callback = update[1].callback, .text = toast};
	assert_true(telegram_answer(stage.telegram, &answer, &stage.result, &stage.err));
	tg_stage_close(&stage);
}

static void webhook_and_other_poller_are_told_apart(void **state)
{
	struct tg_stage stage;
	struct telegram_batch batch;
	const struct telegram_poll ask = {.timeout_s = 50};
	tg_stage_open(&stage);
	tg_stage_script(&stage, "webhook https://example.org/x");
	assert_false(
		telegram_poll(stage.telegram, &ask, stage.arena, &batch, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_WEBHOOK);
	assert_true(telegram_delete_webhook(stage.telegram, &stage.result, &stage.err));
	tg_stage_script(&stage, "rival on");
	assert_false(
		telegram_poll(stage.telegram, &ask, stage.arena, &batch, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_OTHER_POLLER);
	assert_int_equal(batch.count, 0);
	tg_stage_close(&stage);
}

static void long_poll_ends_with_news(void **state)
{
	struct tg_stage stage;
	struct telegram_batch batch;
	const struct telegram_poll ask = {.timeout_s = 50};
	tg_stage_open(&stage);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* Speaks once the poll is there: it is in the journal. */
		stage.control = NULL;
		const struct http_config http = {.base_url = stage.url, .stop_fd = -1};
		stage.control = http_open(&http);
		while (tg_stage_count(&stage, "asked", "getUpdates*") == 0)
			usleep(2000);
		tg_stage_script(&stage, "says Ada 42 news");
		_exit(0);
	}
	assert_true(
		telegram_poll(stage.telegram, &ask, stage.arena, &batch, &stage.result, &stage.err));
	assert_int_equal(batch.count, 1);
	assert_string_equal(batch.updates[0].text, "news");
	waitpid(pid, NULL, 0);
	tg_stage_close(&stage);
}

static void style_is_left_out_for_a_server_that_refuses_it(void **state)
{
	struct tg_stage stage;
	const struct telegram_message message = {.text = "Restart?", .rows = rows, .row_count = 2};
	tg_stage_open(&stage);
	tg_stage_script(&stage, "styles off");
	for (int i = 0; i < 3; i++)
		assert_true(telegram_send(stage.telegram, &message, &stage.result, &stage.err));
	assert_int_equal(tg_stage_count(&stage, "sent", "Restart?"), 3);
	assert_int_equal(tg_stage_count(&stage, "asked", "sendMessage 42 400"), 1);
	tg_stage_close(&stage);
}

static void buttons_that_no_server_takes_are_not_sent(void **state)
{
	static const char data65[] =
		"12345678901234567890123456789012345678901234567890123456789012345";
	static const struct telegram_button bad[] = {{"A", "", TELEGRAM_STYLE_NONE},
		{"", "x", TELEGRAM_STYLE_NONE}, {"A", data65, TELEGRAM_STYLE_NONE},
		{"A", NULL, TELEGRAM_STYLE_NONE}};
	struct tg_stage stage;
	tg_stage_open(&stage);
	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct telegram_row row = {&bad[i], 1};
		const struct telegram_message message = {.text = "x", .rows = &row, .row_count = 1};
		assert_false(telegram_send(stage.telegram, &message, &stage.result, &stage.err));
		assert_outcome(&stage, TELEGRAM_REFUSED);
		assert_int_equal(stage.err.kind, ERR_INPUT);
		assert_int_equal(stage.result.status, 0);
	}
	assert_int_equal(tg_stage_count(&stage, "asked", "sendMessage*"), 0);
	tg_stage_close(&stage);
}

static void files_are_sent_with_their_caption(void **state)
{
	static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\x20\0\0\x02\x58\x08\x06\0";
	struct tg_stage stage;
	struct telegram_file file = {"load\".png", "image/png", png, sizeof(png)};
	const struct telegram_message message = {
		.text = "<b>Load</b> ü \xff", .rows = rows, .row_count = 2, .is_silent = true};
	tg_stage_open(&stage);
	assert_true(telegram_send_file(
		stage.telegram, &message, TELEGRAM_PHOTO, &file, &stage.result, &stage.err));
	assert_int_equal(stage.result.message_id, 1);
	file.bytes = "--homeostat\r\n\r\n";
	file.length = 15;
	assert_false(telegram_send_file(
		stage.telegram, &message, TELEGRAM_PHOTO, &file, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_BAD_PHOTO);
	assert_true(telegram_send_file(
		stage.telegram, &message, TELEGRAM_DOCUMENT, &file, &stage.result, &stage.err));
	assert_string_equal(tg_stage_ask(&stage, "chat", "42"),
		"1 Homeostat: <load_.png> Load ü \xef\xbf\xbd\n[Approve | Reject\nLater]\n"
		"2 Homeostat: <load_.png> Load ü \xef\xbf\xbd\n[Approve | Reject\nLater]\n");
	char *large = calloc(1, (size_t)12 << 20);
	assert_non_null(large);
	file.bytes = large;
	file.length = (size_t)12 << 20;
	assert_false(telegram_send_file(
		stage.telegram, &message, TELEGRAM_PHOTO, &file, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_BAD_PHOTO);
	assert_true(telegram_send_file(
		stage.telegram, &message, TELEGRAM_DOCUMENT, &file, &stage.result, &stage.err));
	free(large);
	tg_stage_close(&stage);
}

static void commands_are_listed(void **state)
{
	static const struct telegram_command list[] = {
		{"status", "Status of all"}, {"why", "Why it did \"that\""}};
	struct tg_stage stage;
	struct telegram_commands commands = {list, 2, NULL};
	tg_stage_open(&stage);
	assert_true(telegram_set_commands(stage.telegram, &commands, &stage.result, &stage.err));
	assert_string_equal(tg_stage_ask(&stage, "commands", ""),
		"status - Status of all\nwhy - Why it did \"that\"\n");
	commands.scope = "nowhere";
	assert_false(telegram_set_commands(stage.telegram, &commands, &stage.result, &stage.err));
	assert_outcome(&stage, TELEGRAM_REFUSED);
	tg_stage_close(&stage);
}

static void token_in_the_servers_words_is_masked(void **state)
{
	struct tg_stage stage;
	tg_stage_open(&stage);
	tg_stage_script(&stage, "fail sendMessage 400 \"Bad Request: bot " SIM_TG_TOKEN " is odd\"");
	assert_false(send(&stage, "x"));
	assert_outcome(&stage, TELEGRAM_REFUSED);
	assert_text(stage.err.text, "bot *******************");
	assert_text(stage.err.text, "* is odd");
	tg_stage_close(&stage);
}

static void odd_updates_are_passed_over(void **state)
{
	static const struct {
		const char *text;
		int count;
		int64_t next;
	} cases[] = {
		{QUOTE({"result" : []}), 0, 0},
		{QUOTE({"result" : [ 1, "x", null, {} ]}), 0, 0},
		{QUOTE({"result" : [ {"update_id" : 5} ]}), 1, 6},
		{QUOTE({"result" : [ {"update_id" : -5, "message" : {}} ]}), 0, 0},
		{QUOTE({"result" : [ {"update_id" : 5, "message" : 7}, {"update_id" : 3} ]}), 2, 4},
		{QUOTE({
			 "result" : [ {"update_id" : 5, "message" : {"chat" : {"id" : 9223372036854775807}}} ]
		 }),
			1, 6},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		auto_arena arena = arena_new((size_t)1 << 20);
		struct telegram_batch batch;
		struct err err = {0};
		assert_true(
			telegram_batch_parse(cases[i].text, strlen(cases[i].text), arena, &batch, &err));
		assert_int_equal(batch.count, cases[i].count);
		assert_int_equal(batch.next_offset, cases[i].next);
		for (int j = 0; j < batch.count; j++)
			assert_int_equal(batch.updates[j].chat, 0);
	}
	auto_arena arena = arena_new((size_t)1 << 20);
	struct telegram_batch batch;
	struct err err = {0};
	assert_false(telegram_batch_parse("{\"result\":7}", 12, arena, &batch, &err));
	assert_int_equal(err.kind, ERR_INPUT);
}

int main(void)
{
	http_global_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_configurations_are_told),
		cmocka_unit_test(who_the_bot_is),
		cmocka_unit_test(message_is_sent_edited_and_deleted),
		cmocka_unit_test(plain_text_topics_and_replies_are_said),
		cmocka_unit_test(every_refusal_is_told_apart),
		cmocka_unit_test(refusals_of_the_server_itself_are_told_apart),
		cmocka_unit_test(migrated_chat_names_the_new_one),
		cmocka_unit_test(lost_answer_of_a_send_is_ambiguous_of_an_edit_it_is_not),
		cmocka_unit_test(server_that_is_not_there_is_no_ambiguity),
		cmocka_unit_test(stop_ends_a_long_poll),
		cmocka_unit_test(updates_say_who_where_and_what),
		cmocka_unit_test(offset_is_passed_on_and_ids_may_jump),
		cmocka_unit_test(press_is_answered_once),
		cmocka_unit_test(webhook_and_other_poller_are_told_apart),
		cmocka_unit_test(long_poll_ends_with_news),
		cmocka_unit_test(style_is_left_out_for_a_server_that_refuses_it),
		cmocka_unit_test(buttons_that_no_server_takes_are_not_sent),
		cmocka_unit_test(files_are_sent_with_their_caption),
		cmocka_unit_test(commands_are_listed),
		cmocka_unit_test(token_in_the_servers_words_is_masked),
		cmocka_unit_test(odd_updates_are_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
