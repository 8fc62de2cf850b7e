/*
 * What channels ask of the core, over the whole core: mutes, the messages that stand in chats,
 * buttons other than an approval's, positions, strangers. Approvals: tests/fault.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "store/store.h"
#include "tests/lab_internal.h"

#define HOUR INT64_C(3600000)
#define WEB "docker_container_web"

static struct lab *begin(const char *config)
{
	struct lab *lab = lab_new(config);
	lab_script(lab, "container web");
	lab_script(lab, "container db");
	lab_start(lab);
	lab_advance(lab, 1000);
	return lab;
}

static void restart(struct lab *lab)
{
	lab_stop(lab);
	lab_start(lab);
	lab_advance(lab, 1000);
}

static struct answer mute(struct lab *lab, const char *pattern, int64_t for_ms)
{
	struct request request = {.kind = REQUEST_MUTE, .for_ms = for_ms};
	STR_SET(request.component, pattern);
	return lab_ask(lab, request);
}

static enum life_state state_of(struct lab *lab, const char *component)
{
	struct incident incident = {.state = LIFE_NONE};
	lab_incident(lab, component, &incident);
	return incident.state;
}

static void what_is_muted_is_left_alone_until_the_time_is_over(void **state)
{
	struct lab *lab = begin("");
	assert_int_equal(mute(lab, "docker_container_w*", 2 * HOUR).status, 200);
	lab_script(lab, "crash web 1");
	lab_script(lab, "crash db 1");
	lab_advance(lab, 30000);
	assert_int_equal(state_of(lab, WEB), LIFE_POSTPONED);
	assert_int_equal(state_of(lab, "docker_container_db"), LIFE_RESOLVED);
	restart(lab);
	assert_int_equal(lab_posts(lab, "*/web/*"), 0);
	lab_skip(lab, 2 * HOUR - 60000);
	assert_int_equal(lab_posts(lab, "*/web/*"), 0);
	lab_advance(lab, 90000);
	assert_int_equal(lab_posts(lab, "*/web/*"), 1);
	assert_int_equal(state_of(lab, WEB), LIFE_RESOLVED);
	lab_free(lab);
}

static void a_mute_that_is_lifted_ends_at_once_and_an_order_does_not_wait_for_it(void **state)
{
	struct lab *lab = begin("");
	assert_int_equal(mute(lab, "*", HOUR).status, 200);
	lab_script(lab, "crash web 1");
	lab_script(lab, "crash db 1");
	lab_advance(lab, 1000);
	struct request order = {.kind = REQUEST_ORDER,
		.action = "docker.container.restart",
		.component = "docker_container_db"};
	assert_int_equal(lab_ask(lab, order).status, 200);
	assert_int_equal(lab_posts(lab, "*/db/*"), 1);
	assert_int_equal(lab_posts(lab, "*/web/*"), 0);
	assert_int_equal(mute(lab, "*", 0).status, 200);
	lab_advance(lab, 1000);
	assert_int_equal(lab_posts(lab, "*/web/*"), 1);
	lab_free(lab);
}

static void there_are_so_many_mutes_and_no_more(void **state)
{
	struct lab *lab = begin("");
	char pattern[32];
	for (int i = 0; i < 32; i++) {
		STR_FORMAT(pattern, "docker_container_%d", i);
		assert_int_equal(mute(lab, pattern, HOUR).status, 200);
	}
	assert_int_equal(mute(lab, "one_more", HOUR).status, 409);
	assert_int_equal(mute(lab, "docker_container_7", 2 * HOUR).status, 200); /* anew */
	restart(lab);
	assert_int_equal(mute(lab, "one_more", HOUR).status, 409);
	lab_skip(lab, HOUR + 1000);
	assert_int_equal(mute(lab, "one_more", HOUR).status, 200);
	lab_free(lab);
}

static void a_mute_that_could_not_be_recorded_is_none(void **state)
{
	struct lab *lab = begin("");
	lab_disk_full(lab, true);
	assert_int_equal(mute(lab, "*", HOUR).status, 503);
	lab_disk_full(lab, false);
	lab_advance(lab, 5000);
	lab_script(lab, "crash web 1");
	lab_advance(lab, 15000);
	assert_int_equal(state_of(lab, WEB), LIFE_RESOLVED);
	lab_free(lab);
}

struct seen {
	int count;
	struct posting last;
};

static void take_posting(void *ctx, const struct posting *posting)
{
	struct seen *seen = ctx;
	seen->count++;
	seen->last = *posting;
}

static struct seen postings(struct lab *lab, const char *channel, int64_t incident_id)
{
	struct seen seen = {0};
	struct err err = {0};
	assert_true(store_postings(lab->store, channel, incident_id, take_posting, &seen, &err));
	return seen;
}

static void a_message_in_a_chat_is_known_as_long_as_its_incident(void **state)
{
	struct lab *lab = begin("");
	struct incident incident;
	lab_script(lab, "crash web 1");
	lab_advance(lab, 15000);
	assert_true(lab_incident(lab, WEB, &incident));
	struct posting sent[3] = {
		{.chat = 1, .message_id = 10, .incident_id = incident.id, .purpose = "ask", .at = 1},
		{.chat = 2, .message_id = 10, .incident_id = incident.id, .purpose = "ask", .at = 1},
		{.chat = 1, .message_id = 10, .incident_id = incident.id, .purpose = "news", .at = 2},
	};
	for (int i = 0; i < 3; i++)
		STR_SET(sent[i].channel, "test");
	struct request request = {.kind = REQUEST_SENT, .postings = sent, .count = 3};
	assert_int_equal(lab_ask(lab, request).status, 200);
	restart(lab);
	/* the same message again is the same message */
	assert_int_equal(postings(lab, "test", incident.id).count, 2);
	assert_string_equal(postings(lab, "test", incident.id).last.purpose, "news");
	assert_int_equal(postings(lab, "else", incident.id).count, 0);
	assert_int_equal(postings(lab, "test", incident.id + 1).count, 0);
	lab_skip(lab, 60 * 24 * HOUR);
	assert_int_equal(postings(lab, "test", incident.id).count, 2);
	lab_skip(lab, 40 * 24 * HOUR);
	lab_skip(lab, 24 * HOUR);
	assert_int_equal(postings(lab, "test", incident.id).count, 0);
	lab_free(lab);
}

static struct token token_of(const char *id, enum token_kind kind)
{
	struct token token = {.kind = kind, .chat = 1};
	STR_SET(token.id, id);
	STR_SET(token.channel, "test");
	return token;
}

static void show(struct lab *lab, const struct token *token)
{
	struct request request = {.kind = REQUEST_TOKENS, .tokens = token, .count = 1};
	assert_int_equal(lab_ask(lab, request).status, 200);
}

static struct answer press(struct lab *lab, const char *id)
{
	struct request request = {.kind = REQUEST_PRESS, .chat = 1};
	STR_SET(request.channel, "test");
	STR_SET(request.token, id);
	return lab_ask(lab, request);
}

static void a_page_may_be_shown_again_an_order_is_given_once(void **state)
{
	struct lab *lab = begin("");
	struct token page = token_of("01", TOKEN_PAGE), order = token_of("02", TOKEN_ORDER);
	STR_SET(page.page, "vms 2");
	STR_SET(order.action, "docker.container.restart");
	STR_SET(order.component, WEB);
	show(lab, &page);
	show(lab, &order);
	for (int i = 0; i < 2; i++) {
		struct answer answer = press(lab, "01");
		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.token.page, "vms 2");
	}
	assert_int_equal(press(lab, "02").status, 200);
	lab_advance(lab, 20000);
	restart(lab);
	assert_int_equal(press(lab, "02").status, 409);
	assert_int_equal(lab_posts(lab, "*"), 1);
	lab_free(lab);
}

static void a_button_is_good_until_its_time_and_is_forgotten_after_it(void **state)
{
	struct lab *lab = begin("");
	struct token off = token_of("03", TOKEN_HEALING);
	STR_SET(off.page, "off");
	off.expires_at = clock_wall_ms(lab->clock) + HOUR;
	show(lab, &off);
	lab_skip(lab, HOUR + 1000);
	assert_int_equal(press(lab, "03").status, 409);
	lab_script(lab, "crash web 1"); /* healing is on still */
	lab_advance(lab, 15000);
	assert_int_equal(state_of(lab, WEB), LIFE_RESOLVED);
	lab_skip(lab, 8 * 24 * HOUR);
	lab_skip(lab, 24 * HOUR);
	assert_int_equal(press(lab, "03").status, 404);
	lab_free(lab);
}

static void a_button_for_healing_and_one_for_a_mute_do_what_they_say(void **state)
{
	struct lab *lab = begin("");
	struct token off = token_of("04", TOKEN_HEALING), quiet = token_of("05", TOKEN_MUTE);
	STR_SET(off.page, "off");
	STR_SET(quiet.component, WEB);
	quiet.for_ms = HOUR;
	show(lab, &off);
	show(lab, &quiet);
	assert_int_equal(press(lab, "05").status, 200);
	lab_script(lab, "crash web 1");
	lab_advance(lab, 15000);
	assert_int_equal(lab_posts(lab, "*"), 0);
	assert_int_equal(press(lab, "04").status, 200);
	assert_int_equal(
		lab_ask(lab, (struct request){.kind = REQUEST_STATUS}).core.healing, HEALING_OFF);
	assert_int_equal(press(lab, "04").status, 409);
	lab_free(lab);
}

static void a_button_to_try_again_is_the_order_of_who_pressed_it(void **state)
{
	struct lab *lab = begin("policy: [ { match: { component: " WEB " }, risk: high } ]\n");
	struct token again = token_of("06", TOKEN_RETRY);
	struct incident incident;
	lab_script(lab, "crash web 1");
	lab_advance(lab, 1000);
	assert_true(lab_incident(lab, WEB, &incident));
	again.incident_id = incident.id;
	show(lab, &again);
	assert_int_equal(
		lab_ask(lab, (struct request){.kind = REQUEST_DECIDE, .incident_id = incident.id}).status,
		200);
	assert_int_equal(state_of(lab, WEB), LIFE_REJECTED);
	assert_int_equal(press(lab, "06").status, 200);
	lab_advance(lab, 15000);
	assert_int_equal(lab_posts(lab, "*"), 1);
	assert_int_equal(state_of(lab, WEB), LIFE_RESOLVED);
	assert_int_equal(press(lab, "06").status, 404);
	lab_free(lab);
}

static const char *fact(struct lab *lab, const char *key, char value[64])
{
	struct err err = {0};
	assert_true(store_fact_get(lab->store, key, value, 64, &err));
	return value;
}

static void a_channels_position_is_kept_and_nothing_else_by_its_name(void **state)
{
	struct lab *lab = begin("");
	char value[64];
	struct request request = {.kind = REQUEST_POSITION};
	STR_SET(request.fact, "channel:test:notice");
	STR_SET(request.value, "17");
	assert_int_equal(lab_ask(lab, request).status, 200);
	assert_string_equal(fact(lab, "channel:test:notice", value), "17");
	STR_SET(request.fact, "healing");
	STR_SET(request.value, "off");
	lab_ask(lab, request);
	restart(lab);
	assert_string_not_equal(fact(lab, "healing", value), "off");
	assert_string_equal(fact(lab, "channel:test:notice", value), "17");
	lab_free(lab);
}

static void take_entry(void *ctx, const struct audit_entry *entry)
{
	bool *found = ctx;
	*found |= str_equal(entry->what, "refused") && str_equal(entry->actor, "test:mallory") &&
		str_equal(entry->text, "/stop_vm 104");
}

static void a_strangers_attempt_is_in_the_audit_log(void **state)
{
	struct lab *lab = begin("");
	struct err err = {0};
	bool found = false;
	struct request request = {
		.kind = REQUEST_NOTE, .actor = "test:mallory", .text = "/stop_vm 104"};
	assert_int_equal(lab_ask(lab, request).status, 200);
	assert_true(store_audit(lab->store, 0, take_entry, &found, &err));
	assert_true(found);
	lab_check_store(lab);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_muted_is_left_alone_until_the_time_is_over),
		cmocka_unit_test(a_mute_that_is_lifted_ends_at_once_and_an_order_does_not_wait_for_it),
		cmocka_unit_test(there_are_so_many_mutes_and_no_more),
		cmocka_unit_test(a_mute_that_could_not_be_recorded_is_none),
		cmocka_unit_test(a_message_in_a_chat_is_known_as_long_as_its_incident),
		cmocka_unit_test(a_page_may_be_shown_again_an_order_is_given_once),
		cmocka_unit_test(a_button_is_good_until_its_time_and_is_forgotten_after_it),
		cmocka_unit_test(a_button_for_healing_and_one_for_a_mute_do_what_they_say),
		cmocka_unit_test(a_button_to_try_again_is_the_order_of_who_pressed_it),
		cmocka_unit_test(a_channels_position_is_kept_and_nothing_else_by_its_name),
		cmocka_unit_test(a_strangers_attempt_is_in_the_audit_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
