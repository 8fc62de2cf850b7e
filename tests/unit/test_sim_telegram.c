/* The simulated Telegram, rule by rule, on a wound clock. */
#include "sim/telegram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define QUOTE(...) #__VA_ARGS__

struct world {
	struct clock *clock;
	struct sim_telegram *sim;
	struct arena *arena;
	struct sim_tg_reply reply;
};

static void script(struct world *world, const char *line)
{
	char text[256] = "";
	if (!sim_telegram_script(world->sim, line, text, sizeof(text)))
		fail_msg("%s: %s", line, text);
}

static struct world open_world(void)
{
	struct world world = {
		.clock = clock_new_wound(1795469000000), .arena = arena_new((size_t)512 << 20)};
	world.sim = sim_telegram_new(world.clock);
	script(&world, "user 42 Ada username=ada last=Lovelace");
	script(&world, "user 43 Bob");
	script(&world, "chat -100 group Lab");
	script(&world, "chat -1001234567890 supergroup Forum forum");
	script(&world, "topic Forum 7 Alerts");
	return world;
}

static void close_world(struct world *world)
{
	sim_telegram_free(world->sim);
	clock_free(world->clock);
	arena_free(world->arena);
}

static void send_raw(
	struct world *world, const char *url, const char *type, const char *body, size_t length)
{
	const struct sim_tg_request request = {
		.method = "POST", .url = url, .content_type = type, .body = body, .body_bytes = length};
	world->reply = (struct sim_tg_reply){0};
	sim_telegram_handle(world->sim, &request, world->arena, &world->reply);
}

static int call(struct world *world, const char *method, const char *json)
{
	char url[200];
	snprintf(url, sizeof(url), "/bot%s/%s", SIM_TG_TOKEN, method);
	send_raw(world, url, "application/json", json, strlen(json));
	return world->reply.status;
}

static struct json body_of(struct world *world)
{
	struct json root;
	assert_true(json_parse(world->arena, world->reply.body, world->reply.body_bytes, &root, NULL));
	return root;
}

static int64_t number(struct world *world, const char *path)
{
	return json_int(json_path(body_of(world), path), -1);
}

static void assert_refused(struct world *world, int status, const char *words)
{
	char text[480];
	json_copy(json_get(body_of(world), "description"), text, sizeof(text));
	assert_string_equal(text, words);
	assert_int_equal(world->reply.status, status);
	assert_int_equal(number(world, "error_code"), status);
}

/* Sends text to Ada as HTML; her chat is never too fast. */
static int send_html(struct world *world, const char *text)
{
	struct str body;
	struct json_out out;
	str_init(&body, world->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	json_put_int(&out, "chat_id", 42);
	json_put_str(&out, "text", text);
	json_put_str(&out, "parse_mode", "HTML");
	json_close(&out, '}');
	clock_advance(world->clock, 5000);
	return call(world, "sendMessage", body.s);
}

/* Its update ids, as "1 2", from the first of this world; "held" when it waits. */
static const char *poll(struct world *world, const char *json)
{
	struct str ids;
	str_init(&ids, world->arena);
	call(world, "getUpdates", json);
	if (world->reply.wire == SIM_TG_HELD)
		return "held";
	assert_int_equal(world->reply.status, 200);
	for (struct json update = json_first(json_get(body_of(world), "result")); json_is(update);
		 update = json_next(update))
		str_addf(&ids, "%s%lld", ids.len > 0 ? " " : "",
			(long long)json_int(json_get(update, "update_id"), 0) - 700000000);
	return ids.s;
}

static void token_and_path_are_checked_first(void **state)
{
	static const struct {
		const char *url;
		int status;
		const char *words;
	} cases[] = {
		{"/", 404, "Not Found"},
		{"/metrics", 404, "Not Found"},
		{"/bot123", 404, "Not Found"},
		{"/botabc/getMe", 401, "Unauthorized: invalid token specified"},
		{"/bot0123:x/getMe", 401, "Unauthorized: invalid token specified"},
		{"/bot123456789012345678901234567890123456789012345678901234567890123456789012345:67890/"
		 "getMe",
			401, "Unauthorized: invalid token specified"},
		{"/bot123456789:wrong/getMe", 401, "Unauthorized"},
		{"/bot" SIM_TG_TOKEN "/getNothing", 404, "Not Found: method not found"},
		{"/bot" SIM_TG_TOKEN "/SENDmessage", 400, "Bad Request: message text is empty"},
	};
	struct world world = open_world();
	for (size_t i = 0; i < COUNT(cases); i++) {
		send_raw(&world, cases[i].url, NULL, NULL, 0);
		assert_refused(&world, cases[i].status, cases[i].words);
	}
	assert_int_equal(call(&world, "getMe", "{}"), 200);
	assert_int_equal(number(&world, "result.id"), 123456789);
	script(&world, "revoke");
	assert_int_equal(call(&world, "getMe", "{}"), 401);
	close_world(&world);
}

static void offset_confirms_what_is_below_it(void **state)
{
	struct world world = open_world();
	for (int i = 0; i < 4; i++)
		script(&world, "says Ada 42 /status");
	assert_string_equal(poll(&world, "{}"), "1 2 3 4");
	clock_advance(world.clock, 1000);
	assert_string_equal(poll(&world, "{\"limit\":2}"), "1 2");
	assert_string_equal(poll(&world, QUOTE({"offset" : 700000003})), "3 4");
	assert_int_equal(sim_telegram_waiting(world.sim), 2);
	/* far beyond the newest: of another numbering, and nothing is confirmed */
	assert_string_equal(poll(&world, QUOTE({"offset" : 900000000})), "3 4");
	assert_string_equal(poll(&world, QUOTE({"offset" : -1})), "4");
	assert_int_equal(sim_telegram_waiting(world.sim), 1);
	clock_advance(world.clock, 24 * 3600 * 1000);
	assert_string_equal(poll(&world, QUOTE({"offset" : 700000001, "timeout" : 0})), "");
	script(&world, "says Ada 42 again");
	script(&world, "jump 5");
	script(&world, "says Ada 42 more");
	assert_string_equal(poll(&world, "{\"offset\":0}"), "5 -699999995");
	close_world(&world);
}

static void confirmed_updates_can_come_again(void **state)
{
	struct world world = open_world();
	script(&world, "says Ada 42 one");
	script(&world, "says Ada 42 two");
	assert_string_equal(poll(&world, "{}"), "1 2");
	assert_string_equal(poll(&world, QUOTE({"offset" : 700000003})), "");
	script(&world, "redeliver 2");
	clock_advance(world.clock, 5000);
	assert_string_equal(poll(&world, QUOTE({"offset" : 700000003})), "1 2");
	clock_advance(world.clock, 5000);
	assert_string_equal(poll(&world, QUOTE({"offset" : 700000003})), "");
	close_world(&world);
}

static void long_poll_waits_as_long_as_asked_and_ends_with_news(void **state)
{
	struct world world = open_world();
	assert_string_equal(poll(&world, "{\"timeout\":9999}"), "held");
	assert_int_equal(world.reply.held_ms, 50000);
	uint64_t ticket = world.reply.ticket;
	clock_advance(world.clock, 49999);
	assert_false(sim_telegram_resume(world.sim, ticket, world.arena, &world.reply));
	clock_advance(world.clock, 1);
	assert_true(sim_telegram_resume(world.sim, ticket, world.arena, &world.reply));
	assert_string_equal(world.reply.body, "{\"ok\":true,\"result\":[]}");
	assert_string_equal(poll(&world, "{\"timeout\":10}"), "held");
	ticket = world.reply.ticket;
	script(&world, "says Ada 42 hello");
	assert_true(sim_telegram_resume(world.sim, ticket, world.arena, &world.reply));
	assert_non_null(strstr(world.reply.body, "\"text\":\"hello\""));
	close_world(&world);
}

static void same_offset_soon_again_is_slowed_down(void **state)
{
	struct world world = open_world();
	assert_string_equal(poll(&world, "{\"offset\":0}"), "");
	clock_advance(world.clock, 2000);
	assert_string_equal(poll(&world, "{\"offset\":0}"), "held");
	assert_int_equal(world.reply.held_ms, 3000);
	sim_telegram_abandon(world.sim, world.reply.ticket);
	for (int i = 0; i < 3; i++)
		script(&world, "says Ada 42 hello");
	assert_string_equal(poll(&world, "{\"offset\":0}"), "1");
	clock_advance(world.clock, 500);
	assert_string_equal(poll(&world, "{\"offset\":0}"), "1 2 3");
	close_world(&world);
}

static void older_poll_gets_the_conflict_and_conflicts_come_every_3_s(void **state)
{
	struct world world = open_world();
	uint64_t tickets[3];
	for (int i = 0; i < 3; i++) {
		assert_string_equal(poll(&world, "{\"timeout\":50}"), "held");
		tickets[i] = world.reply.ticket;
	}
	assert_true(sim_telegram_resume(world.sim, tickets[0], world.arena, &world.reply));
	assert_refused(&world, 409,
		"Conflict: terminated by other getUpdates request; make sure that only one bot instance is "
		"running");
	clock_advance(world.clock, 2999);
	assert_false(sim_telegram_resume(world.sim, tickets[1], world.arena, &world.reply));
	clock_advance(world.clock, 1);
	assert_true(sim_telegram_resume(world.sim, tickets[1], world.arena, &world.reply));
	assert_int_equal(world.reply.status, 409);
	assert_false(sim_telegram_resume(world.sim, tickets[2], world.arena, &world.reply));
	script(&world, "webhook https://example.org/x");
	assert_true(sim_telegram_resume(world.sim, tickets[2], world.arena, &world.reply));
	assert_refused(&world, 409, "Conflict: terminated by setWebhook request");
	clock_advance(world.clock, 3000);
	assert_int_equal(call(&world, "getUpdates", "{}"), 409);
	assert_refused(&world, 409,
		"Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to "
		"delete "
		"the webhook first");
	assert_int_equal(call(&world, "deleteWebhook", "{}"), 200);
	assert_string_equal(poll(&world, "{}"), "");
	close_world(&world);
}

static void one_answer_is_cut_at_4_mib(void **state)
{
	struct world world = open_world();
	char *line = calloc(1, 60100);
	assert_non_null(line);
	memset(line, 'x', 60050);
	memcpy(line, "says Ada 42 ", 12);
	for (int i = 0; i < 80; i++)
		script(&world, line);
	free(line);
	call(&world, "getUpdates", "{}");
	assert_in_range(world.reply.body_bytes, 4100000, 4 << 20);
	size_t told = json_count(json_get(body_of(&world), "result"));
	assert_in_range(told, 60, 70);
	close_world(&world);
}

static void rival_ends_each_of_our_polls(void **state)
{
	struct world world = open_world();
	script(&world, "rival on");
	assert_string_equal(poll(&world, "{\"timeout\":50}"), "held");
	uint64_t ticket = world.reply.ticket;
	assert_false(sim_telegram_resume(world.sim, ticket, world.arena, &world.reply));
	clock_advance(world.clock, 1000);
	assert_true(sim_telegram_resume(world.sim, ticket, world.arena, &world.reply));
	assert_int_equal(world.reply.status, 409);
	close_world(&world);
}

static void allowed_updates_stay_until_they_are_said_anew(void **state)
{
	struct world world = open_world();
	assert_string_equal(poll(&world, QUOTE({"allowed_updates" : [ "message", "nonsense" ]})), "");
	clock_advance(world.clock, 4000);
	script(&world, "says Ada 42 one");
	script(&world, "edits Ada 42 two");
	assert_string_equal(poll(&world, "{}"), "1");
	clock_advance(world.clock, 4000);
	assert_string_equal(
		poll(&world, QUOTE({"allowed_updates" : ["nonsense"], "offset" : 700000002})), "");
	script(&world, "edits Ada 42 three");
	assert_string_equal(poll(&world, "{\"offset\":700000001}"), "2");
	assert_non_null(strstr(world.reply.body, "\"edited_message\""));
	script(&world, "raw \"\\\"poll\\\":{\\\"id\\\":\\\"1\\\"}\"");
	assert_string_equal(poll(&world, "{\"offset\":700000003}"), "3");
	assert_non_null(strstr(world.reply.body, "\"poll\":{\"id\":\"1\"}"));
	close_world(&world);
}

static void html_is_parsed_as_by_the_real_server(void **state)
{
	static const struct {
		const char *html, *wrong, *visible;
	} cases[] = {
		{"a <b>b</b> &lt;c&gt; &amp; &quot;", NULL, "a b <c> & \""},
		{"&#60;&#x3E;&#128512;", NULL, "<>😀"},
		{"&nbsp; &apos; & ; &lt x", NULL, "&nbsp; &apos; & ; < x"},
		{"<B>x</b> <i>y</> <a href=\"http://x?a=1&amp;b=2\">z</a>", NULL, "x y z"},
		{"<b><i>x</i></b><tg-spoiler>s</tg-spoiler><span class=\"tg-spoiler\">t</span>", NULL,
			"xst"},
		{"<pre><code class=\"language-c\">int x;</code></pre>", NULL, "int x;"},
		{"<blockquote expandable>q</blockquote><u>u</u><ins>u</ins><s>s</s><strike>s</strike>"
		 "<del>s</del><em>e</em><strong>b</strong><code>c</code>",
			NULL, "quusssebc"},
		{"<tg-emoji emoji-id=\"5368324170671202286\">👍</tg-emoji>", NULL, "👍"},
		{"<tg-time unix=\"1795469000\" format=\"wDT\">now</tg-time>", NULL, "now"},
		{"a > b", NULL, "a > b"},
		{"a < b", "Unsupported start tag \"\" at byte offset 2", NULL},
		{"1<2", "Unclosed start tag at byte offset 1", NULL},
		{"<br>", "Unsupported start tag \"br\" at byte offset 0", NULL},
		{"<b>x", "Can't find end tag corresponding to start tag \"b\"", NULL},
		{"x</b>", "Unexpected end tag at byte offset 1", NULL},
		{"<b>ü<i>x</b></i>",
			"Unmatched end tag at byte offset 9, expected \"</i>\", found \"</b>\"", NULL},
		{"<b>x</b y>", "Unclosed end tag at byte offset 4", NULL},
		{"<b x", "Unclosed start tag \"b\" at byte offset 0", NULL},
		{"<a href=\"x", "Unclosed start tag at byte offset 0", NULL},
		{"<a href=http://x>x</a>", "Unexpected end of name token at byte offset 8", NULL},
		{"<a ='x'>x</a>", "Empty attribute name in the tag \"a\" at byte offset 0", NULL},
		{"<span class=\"red\">x</span>",
			"Tag \"span\" must have class \"tg-spoiler\" at byte offset 0", NULL},
		{"<tg-emoji>x</tg-emoji>", "Invalid custom emoji identifier specified", NULL},
		{"&#xD83D;x",
			"Text contains invalid Unicode characters after decoding HTML entities, check for "
			"unmatched surrogate code units",
			NULL},
	};
	struct world world = open_world();
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[300], words[400];
		int status = send_html(&world, cases[i].html);
		if (cases[i].wrong != NULL) {
			snprintf(words, sizeof(words), "Bad Request: can't parse entities: %s", cases[i].wrong);
			assert_refused(&world, 400, words);
			continue;
		}
		if (status != 200)
			fail_msg("%s: %s", cases[i].html, world.reply.body);
		json_copy(json_path(body_of(&world), "result.text"), text, sizeof(text));
		assert_string_equal(text, cases[i].visible);
	}
	close_world(&world);
}

static const char *repeated(struct world *world, const char *text, int n)
{
	struct str str;
	str_init(&str, world->arena);
	for (int i = 0; i < n; i++)
		str_add(&str, text);
	return str.s;
}

static void length_counts_after_parsing_in_characters(void **state)
{
	struct world world = open_world();
	const char *tagged = repeated(&world, "<b>&amp;</b>", 2720);
	assert_int_equal(send_html(&world, tagged), 200); /* 32,640 bytes, 2,720 characters */
	assert_int_equal(send_html(&world, repeated(&world, "ü", 4096)), 200);
	assert_int_equal(send_html(&world, repeated(&world, "😀", 4096)), 200);
	send_html(&world, repeated(&world, "x", 4097));
	assert_refused(&world, 400, "Bad Request: message is too long");
	send_html(&world, repeated(&world, "<b>&amp;</b>", 2731));
	assert_refused(&world, 400, "Bad Request: text is too long");
	script(&world, "count utf16");
	assert_int_equal(send_html(&world, repeated(&world, "😀", 2048)), 200);
	send_html(&world, repeated(&world, "😀", 2049));
	assert_refused(&world, 400, "Bad Request: message is too long");
	send_html(&world, "");
	assert_refused(&world, 400, "Bad Request: message text is empty");
	send_html(&world, "<b></b>");
	assert_refused(&world, 400, "Bad Request: message text is empty");
	send_html(&world, " \n ");
	assert_refused(&world, 400, "Bad Request: text must be non-empty");
	close_world(&world);
}

static void what_is_no_utf8_or_no_json_is_refused(void **state)
{
	struct world world = open_world();
	call(&world, "sendMessage", "{\"chat_id\":42,\"text\":\"a\xff\"}");
	assert_refused(&world, 400, "Bad Request: strings must be encoded in UTF-8");
	call(&world, "sendMessage", "{\"chat_id\":42,\"text\":\"\xed\xa0\x80\"}");
	assert_refused(&world, 400, "Bad Request: strings must be encoded in UTF-8");
	call(&world, "sendMessage", "{\"chat_id\":42,");
	assert_refused(&world, 400, "Bad Request: can't parse JSON object");
	send_raw(&world, "/bot" SIM_TG_TOKEN "/sendMessage?chat_id=42&text=a%FF", NULL, NULL, 0);
	assert_refused(&world, 400, "Bad Request: strings must be encoded in UTF-8");
	send_raw(&world, "/bot" SIM_TG_TOKEN "/sendMessage?chat_id=42",
		"application/x-www-form-urlencoded", "text=a+%C3%BC", 13);
	assert_int_equal(world.reply.status, 200);
	assert_int_equal(sim_telegram_sent(world.sim, "a ü"), 1);
	close_world(&world);
}

static void buttons_have_rules(void **state)
{
#define CANT "Bad Request: can't parse inline keyboard button: "
	static const struct {
		const char *markup, *wrong;
	} cases[] = {
		{QUOTE({"inline_keyboard" : [[ {"text" : "A", "callback_data" : "1"} ]]}), NULL},
		{QUOTE(
			 {"inline_keyboard" : [[ {"text" : "A", "callback_data" : "1", "style" : "danger"} ]]}),
			NULL},
		{QUOTE({"inline_keyboard" : []}), NULL},
		{"nonsense", "Bad Request: can't parse reply keyboard markup JSON object"},
		{"[]", "Bad Request: object expected as reply markup"},
		{QUOTE({"inline_keyboard" : {}}),
			"Bad Request: field \"inline_keyboard\" must be of type Array"},
		{QUOTE({"inline_keyboard" : [ {"text" : "A"} ]}),
			"Bad Request: field \"inline_keyboard\" of the InlineKeyboardMarkup must be an Array "
			"of "
			"Arrays"},
		{QUOTE({"inline_keyboard" : [["A"]]}), CANT "InlineKeyboardButton must be an Object"},
		{QUOTE({"inline_keyboard" : [[ {"callback_data" : "1"} ]]}),
			CANT "Can't find field \"text\""},
		{QUOTE({"inline_keyboard" : [[ {"text" : 1, "callback_data" : "1"} ]]}),
			CANT "Field \"text\" must be of type String"},
		{QUOTE({"inline_keyboard" : [[ {"text" : "A"} ]]}),
			CANT "Text buttons are unallowed in the inline keyboard"},
		{QUOTE({"inline_keyboard" : [[ {"text" : "A", "callback_data" : ""} ]]}),
			CANT "Text buttons are unallowed in the inline keyboard"},
		{QUOTE({"inline_keyboard" : [[ {"text" : "", "callback_data" : "1"} ]]}),
			"Bad Request: inline keyboard button text must be non-empty"},
		{QUOTE(
			 {"inline_keyboard" : [[ {"text" : "A", "callback_data" : "1", "url" : "http://x"} ]]}),
			"Bad Request: BUTTON_TYPE_INVALID"},
		{QUOTE({"inline_keyboard" : [[ {"text" : "A", "callback_data" : "1", "style" : "pink"} ]]}),
			CANT "invalid button style specified"},
		{"{\"inline_keyboard\":[[{\"text\":\"A\",\"callback_data\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xbc\"}]]}",
			"Bad Request: BUTTON_DATA_INVALID"},
	};
	struct world world = open_world();
	for (size_t i = 0; i < COUNT(cases); i++) {
		clock_advance(world.clock, 5000);
		int status = call(&world, "sendMessage",
			arena_printf(world.arena, "{\"chat_id\":42,\"text\":\"x\",\"reply_markup\":%s}",
				cases[i].markup[0] == 'n' ? "\"nonsense\"" : cases[i].markup));
		if (cases[i].wrong != NULL)
			assert_refused(&world, 400, cases[i].wrong);
		else if (status != 200)
			fail_msg("%s: %s", cases[i].markup, world.reply.body);
	}
	const char *one = "{\"text\":\"A\",\"callback_data\":\"1\"},";
	char *many = arena_strdup(world.arena, repeated(&world, one, 101));
	many[strlen(many) - 1] = '\0';
	call(&world, "sendMessage",
		arena_printf(world.arena,
			"{\"chat_id\":42,\"text\":\"x\",\"reply_markup\":{\"inline_keyboard\":[[%s]]}}", many));
	assert_refused(&world, 400, "Bad Request: reply markup is too long");
	script(&world, "styles off");
	call(&world, "sendMessage",
		arena_printf(
			world.arena, "{\"chat_id\":42,\"text\":\"x\",\"reply_markup\":%s}", cases[1].markup));
	assert_refused(&world, 400, CANT "invalid button style specified");
	close_world(&world);
}

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
		cmocka_unit_test(token_and_path_are_checked_first),
		cmocka_unit_test(offset_confirms_what_is_below_it),
		cmocka_unit_test(confirmed_updates_can_come_again),
		cmocka_unit_test(long_poll_waits_as_long_as_asked_and_ends_with_news),
		cmocka_unit_test(same_offset_soon_again_is_slowed_down),
		cmocka_unit_test(older_poll_gets_the_conflict_and_conflicts_come_every_3_s),
		cmocka_unit_test(one_answer_is_cut_at_4_mib),
		cmocka_unit_test(rival_ends_each_of_our_polls),
		cmocka_unit_test(allowed_updates_stay_until_they_are_said_anew),
		cmocka_unit_test(html_is_parsed_as_by_the_real_server),
		cmocka_unit_test(length_counts_after_parsing_in_characters),
		cmocka_unit_test(what_is_no_utf8_or_no_json_is_refused),
		cmocka_unit_test(buttons_have_rules),
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
