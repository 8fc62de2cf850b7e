/* The simulated Telegram, rule by rule, on a wound clock: requests, updates, texts, buttons. */
#include "telegram_asked.h"

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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
