/*
 * Other channels than Telegram, over the whole core: what is told where, when it cannot be
 * delivered at once, and what a button of ntfy may do. The places are strict simulators, see
 * sim/notify.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "sim/notify.h"
#include "store/store.h"
#include "tests/lab_internal.h"

/* A kill leaves memory behind, as a real one does: that is no leak of the product's. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define WEB "docker_container_web"

#define NTFY "{ type: ntfy, name: phone, url: \"https://ntfy.test/alerts\", token: env:NTFY"
#define GOTIFY "{ type: gotify, url: \"https://gotify.test\", token: env:GOTIFY"
#define DISCORD "{ type: discord, url: env:DISCORD"
#define SLACK "{ type: slack, url: env:SLACK"
#define MATRIX \
	"{ type: matrix, url: \"https://matrix.test\", token: env:MATRIX, room: \"!room:matrix.test\""
#define HOOK "{ type: webhook, name: hook, url: \"https://hook.test/in\", token: env:HOOK"
#define ALL NTFY " }, " GOTIFY " }, " DISCORD " }, " SLACK " }, " MATRIX " }, " HOOK " }"

static const char *const hosts[] = {
	"ntfy.test", "gotify.test", "discord.test", "slack.test", "matrix.test", "hook.test", NULL};

static void set_secrets(void)
{
	setenv("NTFY", "tk_sim", 1);
	setenv("GOTIFY", "gotify-sim", 1);
	setenv("DISCORD", "https://discord.test/api/webhooks/1/sim", 1);
	setenv("SLACK", "https://slack.test/services/T0/B0/sim", 1);
	setenv("MATRIX", "mx_sim", 1);
	setenv("HOOK", "hook-sim", 1);
}

static struct lab *begin(const char *channels, const char *more)
{
	char config[2000];
	set_secrets();
	STR_FORMAT(config, "notify: [ %s ]\n%s\n", channels, more);
	struct lab *lab = lab_new(config);
	lab_script(lab, "container web");
	lab_script(lab, "container db");
	lab_start(lab);
	lab_advance(lab, 5000);
	return lab;
}

static struct sim_notify *net(struct lab *lab)
{
	return lab_world(lab, &lab_net);
}

static int told(struct lab *lab, const char *host)
{
	return sim_notify_count(net(lab), host);
}

/* How many messages there have this text in them. */
static int is_told(struct lab *lab, const char *host, const char *text)
{
	const char *body;
	int count = 0;
	for (int n = 0; (body = sim_notify_body(net(lab), host, n)) != NULL; n++)
		count += strstr(body, text) != NULL;
	return count;
}

static const char *last(struct lab *lab, const char *host)
{
	return sim_notify_body(net(lab), host, told(lab, host) - 1);
}

static void each_place_is_told_in_its_own_way(void **state)
{
	struct lab *lab = begin(ALL, "");
	char host[64] = "";
	lab_script(lab, "crash web 1");
	lab_advance(lab, MINUTE);
	gethostname(host, sizeof(host) - 1);
	host[strcspn(host, ".")] = '\0';
	assert_string_equal(sim_notify_fault(net(lab)), "");
	for (int i = 0; hosts[i] != NULL; i++) {
		if (!is_told(lab, hosts[i], "Auto-Healing Action") || !is_told(lab, hosts[i], host))
			fail_msg("%s was not told: %s", hosts[i], last(lab, hosts[i]));
		assert_true(is_told(lab, hosts[i], "resolved"));
	}
	lab_free(lab);
}

static void what_is_of_no_interest_there_is_not_told(void **state)
{
	struct lab *lab = begin(
		NTFY ", events: [escalation] }, " GOTIFY ", min_severity: critical }", "");
	lab_script(lab, "crash web 1");
	lab_advance(lab, MINUTE);
	assert_int_equal(lab_posts(lab, "*/web/*"), 1);
	assert_int_equal(told(lab, "ntfy.test"), 0);
	assert_false(is_told(lab, "gotify.test", "started"));
	lab_free(lab);
}

static void what_a_person_has_muted_is_not_told(void **state)
{
	struct lab *lab = begin(NTFY " }", "");
	struct request mute = {.kind = REQUEST_MUTE, .component = WEB, .for_ms = HOUR};
	int before = told(lab, "ntfy.test");
	lab_ask(lab, mute);
	lab_script(lab, "crash web 1");
	lab_advance(lab, MINUTE);
	assert_int_equal(told(lab, "ntfy.test"), before);
	lab_free(lab);
}

static void after_429_it_waits_as_long_as_each_place_says(void **state)
{
	static const char *const places[] = {
		"ntfy.test", "gotify.test", "discord.test", "slack.test", "matrix.test", NULL};
	struct lab *lab = begin(ALL, "");
	char line[80], pattern[40];
	for (int i = 0; places[i] != NULL; i++) {
		STR_FORMAT(line, "net: answer %s 429 40", places[i]);
		lab_script(lab, line);
	}
	lab_script(lab, "crash web 1");
	lab_advance(lab, 30000);
	for (int i = 0; places[i] != NULL; i++) {
		STR_FORMAT(pattern, "P* %s/*", places[i]);
		int asked = lab_net.posts(net(lab), pattern);
		if (is_told(lab, places[i], "Auto-Healing"))
			fail_msg("%s was asked too early", places[i]);
		assert_true(asked <= 3); /* the start of homeostat may have been told before */
	}
	lab_advance(lab, 30000);
	for (int i = 0; places[i] != NULL; i++)
		if (!is_told(lab, places[i], "Auto-Healing"))
			fail_msg("%s was not told", places[i]);
	lab_free(lab);
}

static void out_of_reach_it_asks_less_and_less_often(void **state)
{
	struct lab *lab = begin(NTFY " }", "");
	int before = lab_net.posts(net(lab), "POST ntfy.test/*");
	lab_script(lab, "net: always ntfy.test 502");
	lab_script(lab, "crash web 1");
	lab_advance(lab, 30 * MINUTE);
	int asked = lab_net.posts(net(lab), "POST ntfy.test/*") - before;
	assert_in_range(asked, 8, 18);
	lab_script(lab, "net: always ntfy.test 0");
	lab_advance(lab, 5 * MINUTE + 1000);
	assert_true(is_told(lab, "ntfy.test", "resolved"));
	lab_free(lab);
}

static void what_happened_while_it_was_out_of_reach_is_told_late_and_together(void **state)
{
	struct lab *lab = begin(NTFY " }, " HOOK " }", "");
	int before = told(lab, "ntfy.test");
	lab_script(lab, "net: down ntfy.test");
	for (int i = 0; i < 10; i++) {
		lab_script(lab, "crash web 1");
		lab_advance(lab, 5 * MINUTE);
		if (i == 5) {
			lab_stop(lab);
			lab_start(lab);
			lab_advance(lab, 1000);
		}
	}
	assert_int_equal(told(lab, "ntfy.test"), before);
	lab_script(lab, "net: up ntfy.test");
	lab_advance(lab, 6 * MINUTE);
	int messages = told(lab, "ntfy.test") - before;
	assert_in_range(messages, 1, 3);
	assert_true(is_told(lab, "ntfy.test", "notices"));
	assert_true(is_told(lab, "ntfy.test", "2025-10-24 12:0")); /* when it happened */
	assert_true(is_told(lab, "ntfy.test", "more: homeostat incidents"));
	/* who was in reach got each by itself */
	assert_true(told(lab, "hook.test") >= 20);
	lab_free(lab);
}

static void a_message_that_is_refused_for_good_does_not_hold_up_the_next(void **state)
{
	struct lab *lab = begin(NTFY ", events: [end] }", "");
	lab_script(lab, "net: answer ntfy.test 400");
	lab_script(lab, "crash web 1");
	lab_advance(lab, MINUTE);
	assert_int_equal(told(lab, "ntfy.test"), 0);
	lab_script(lab, "crash db 1");
	lab_advance(lab, MINUTE);
	assert_int_equal(told(lab, "ntfy.test"), 1);
	assert_true(is_told(lab, "ntfy.test", "docker_container_db"));
	struct answer answer = lab_ask(lab, (struct request){.kind = REQUEST_STATUS});
	assert_int_equal(answer.core.channels, 1);
	assert_string_equal(answer.core.channel[0].name, "ntfy:phone");
	assert_int_equal(answer.core.channel[0].lost, 1);
	assert_int_equal(answer.core.channel[0].delivered, 1);
	lab_free(lab);
}

static void a_revoked_token_keeps_what_is_to_be_told(void **state)
{
	struct lab *lab = begin(NTFY ", events: [end] }", "");
	lab_script(lab, "net: always ntfy.test 401");
	lab_script(lab, "crash web 1");
	lab_advance(lab, 10 * MINUTE);
	struct answer answer = lab_ask(lab, (struct request){.kind = REQUEST_STATUS});
	assert_false(answer.core.channel[0].reached);
	assert_non_null(strstr(answer.core.channel[0].text, "is the token right"));
	lab_script(lab, "net: always ntfy.test 0");
	lab_advance(lab, 6 * MINUTE);
	assert_int_equal(told(lab, "ntfy.test"), 1);
	lab_free(lab);
}

static void an_answer_that_is_lost_means_at_least_once_and_in_matrix_once(void **state)
{
	struct lab *lab = begin(NTFY ", events: [end] }, " MATRIX ", events: [end] }", "");
	lab_script(lab, "net: lost ntfy.test");
	lab_script(lab, "net: lost matrix.test");
	lab_script(lab, "crash web 1");
	lab_advance(lab, MINUTE);
	assert_int_equal(told(lab, "ntfy.test"), 2);
	assert_int_equal(told(lab, "matrix.test"), 1);
	assert_int_equal(lab_net.posts(net(lab), "PUT matrix.test/*"), 2);
	lab_free(lab);
}

static void a_storm_is_a_few_messages(void **state)
{
	struct lab *lab = begin(NTFY " }", "");
	char line[40];
	for (int i = 0; i < 40; i++) {
		STR_FORMAT(line, "container c%d", i);
		lab_script(lab, line);
	}
	lab_advance(lab, 2 * MINUTE);
	int before = told(lab, "ntfy.test");
	for (int i = 0; i < 40; i++) {
		STR_FORMAT(line, "crash c%d 1", i);
		lab_script(lab, line);
	}
	lab_advance(lab, 5 * MINUTE);
	int messages = told(lab, "ntfy.test") - before;
	assert_int_equal(lab_posts(lab, "*"), 40);
	print_message("# 40 failures: %d messages\n", messages);
	assert_true(messages <= 40);
	assert_true(is_told(lab, "ntfy.test", "storm"));
	lab_free(lab);
}

static void in_quiet_hours_only_what_is_critical_is_told(void **state)
{
	setenv("TZ", "UTC", 1);
	tzset();
	struct lab *lab = begin(NTFY ", quiet: \"11:00..14:00\" }", ""); /* it is noon */
	int before = told(lab, "ntfy.test");
	for (int i = 0; i < 5; i++) {
		lab_script(lab, "crash web 1");
		lab_advance(lab, 10 * MINUTE);
	}
	assert_int_equal(told(lab, "ntfy.test"), before);
	lab_stop(lab);
	lab_start(lab);
	lab_skip(lab, HOUR);
	lab_advance(lab, MINUTE);
	lab_script(lab, "crash db 1");
	lab_advance(lab, 20 * MINUTE);
	assert_true(is_told(lab, "ntfy.test", "notices"));
	assert_true(is_told(lab, "ntfy.test", WEB));
	int after = is_told(lab, "ntfy.test", WEB);
	lab_stop(lab);
	lab_start(lab);
	lab_advance(lab, 5 * MINUTE);
	assert_int_equal(is_told(lab, "ntfy.test", WEB), after); /* once */
	lab_free(lab);
}

static void that_nothing_can_be_recorded_is_told(void **state)
{
	struct lab *lab = begin(NTFY " }", "");
	lab_disk_full(lab, true);
	lab_script(lab, "crash web 1");
	lab_advance(lab, 10000);
	assert_true(is_told(lab, "ntfy.test", "cannot record"));
	lab_disk_full(lab, false);
	lab_advance(lab, MINUTE);
	assert_int_equal(lab_posts(lab, "*/web/*"), 1);
	lab_free(lab);
}

#define PUBLIC "public_url: https://homeostat.test/\nlisten: 127.0.0.1:0\n"
#define MEDIUM "policy: [ { match: { component: " WEB " }, risk: medium } ]\n"
#define HIGH "policy: [ { match: { component: " WEB " }, risk: high } ]\n"

/* The newest message that asks. */
static const char *question(struct lab *lab)
{
	for (int n = told(lab, "ntfy.test") - 1; n >= 0; n--)
		if (strstr(sim_notify_body(net(lab), "ntfy.test", n), "Approval Required") != NULL)
			return sim_notify_body(net(lab), "ntfy.test", n);
	fail_msg("nothing was asked");
	return "";
}

/* The n-th button's token in it; "" : it has none. */
static void button(struct lab *lab, size_t n, char token[TOKEN_BYTES])
{
	auto_arena arena = arena_new(1 << 20);
	struct json root;
	struct err err = {0};
	const char *body = question(lab);
	token[0] = '\0';
	assert_true(json_parse(arena, body, strlen(body), &root, &err));
	struct json action = json_first(json_get(root, "actions"));
	for (; n > 0 && json_is(action); n--)
		action = json_next(action);
	const char *url = json_is(action) ? json_str(json_get(action, "url"), arena) : "";
	if (str_starts(url, "https://homeostat.test/api/v1/press/"))
		str_copy(token, TOKEN_BYTES, strrchr(url, '/') + 1);
}

static struct answer press(struct lab *lab, const char *token)
{
	struct request request = {
		.kind = REQUEST_PRESS, .actor = "ntfy:phone", .channel = "ntfy:phone"};
	STR_SET(request.token, token);
	return lab_ask(lab, request);
}

static void a_question_has_buttons_that_decide_it_once(void **state)
{
	struct lab *lab = begin(NTFY ", approve: medium }", PUBLIC MEDIUM);
	char approve[TOKEN_BYTES], reject[TOKEN_BYTES];
	lab_script(lab, "crash web 1");
	lab_advance(lab, 5000);
	button(lab, 0, approve);
	button(lab, 1, reject);
	assert_int_equal(strlen(approve), 32);
	assert_int_equal(strlen(reject), 32);
	assert_string_not_equal(approve, reject);
	assert_int_equal(lab_posts(lab, "*"), 0);
	lab_stop(lab);
	lab_start(lab);
	lab_advance(lab, 1000);
	assert_int_equal(press(lab, approve).status, 200);
	assert_int_equal(press(lab, approve).status, 409);
	assert_int_equal(press(lab, reject).status, 409);
	lab_advance(lab, MINUTE);
	assert_int_equal(lab_posts(lab, "*"), 1);
	assert_true(is_told(lab, "ntfy.test", "approved by ntfy:phone"));
	lab_check_store(lab);
	lab_free(lab);
}

static void a_question_that_is_more_risky_than_allowed_has_no_buttons(void **state)
{
	static const struct {
		const char *channel, *policy;
		bool has;
	} cases[] = {
		{NTFY " }", MEDIUM, false},
		{NTFY ", approve: low }", PUBLIC MEDIUM, false},
		{NTFY ", approve: medium }", PUBLIC MEDIUM, true},
		{NTFY ", approve: medium }", PUBLIC HIGH, false},
		{NTFY ", approve: high }", PUBLIC HIGH, true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char token[TOKEN_BYTES];
		struct lab *lab = begin(cases[i].channel, cases[i].policy);
		lab_script(lab, "crash web 1");
		lab_advance(lab, 5000);
		button(lab, 0, token);
		assert_int_equal(token[0] != '\0', cases[i].has);
		lab_free(lab);
	}
}

static void a_message_sent_again_has_the_same_buttons(void **state)
{
	struct lab *lab = begin(NTFY ", approve: medium }", PUBLIC MEDIUM);
	char first[TOKEN_BYTES], second[TOKEN_BYTES];
	lab_script(lab, "net: lost ntfy.test");
	lab_script(lab, "crash web 1");
	lab_settle(lab);
	lab_advance(lab, 500);
	button(lab, 0, first);
	lab_advance(lab, 10000);
	button(lab, 0, second);
	assert_int_equal(strlen(first), 32);
	assert_string_equal(first, second);
	lab_free(lab);
}

/* What is sent while it is killed anywhere: each question at least once, no action twice. */
static void killed_at_any_commit_the_question_is_told(void **state)
{
	int places = 0;
	bool happened = true;
	for (int n = 1; happened; n++) {
		struct lab *lab = begin(NTFY ", approve: medium }", PUBLIC MEDIUM);
		char token[TOKEN_BYTES];
		lab_kill_at_commit(lab, n, (enum lab_fault)(n & 1));
		lab_script(lab, "crash web 1");
		for (int i = 0; i < 20; i++) {
			lab_advance(lab, 1000);
			if (!lab_is_up(lab))
				lab_start(lab);
		}
		happened = lab_fault_happened(lab);
		lab_kill_at_commit(lab, 0, FAULT_BEFORE);
		assert_true(is_told(lab, "ntfy.test", "Approval Required"));
		struct incident incident;
		assert_true(lab_incident(lab, WEB, &incident));
		assert_int_equal(incident.state, LIFE_ASKING);
		button(lab, 0, token);
		assert_int_equal(press(lab, token).status, 200);
		lab_advance(lab, MINUTE);
		assert_int_equal(lab_posts(lab, "*"), 1);
		lab_free(lab);
		places += happened;
	}
	print_message("# killed at %d places\n", places);
	assert_true(places >= 3);
}

/* All that is written while every place refuses. */
static void no_secret_is_in_the_log(void **state)
{
	static const char *const secrets[] = {
		"tk_sim", "gotify-sim", "webhooks/1/sim", "T0/B0/sim", "mx_sim", "hook-sim", NULL};
	char path[] = "/tmp/homeostat-notify-XXXXXX", line[80], text[65536];
	int fd = mkstemp(path), old = dup(STDERR_FILENO);
	assert_true(fd >= 0);
	dup2(fd, STDERR_FILENO);
	struct lab *lab = begin(ALL, "");
	log_init(LOG_DEBUG);
	for (int status = 400; status <= 500; status += 100)
		for (int i = 0; hosts[i] != NULL; i++) {
			STR_FORMAT(line, "net: always %s %d", hosts[i], status);
			lab_script(lab, line);
			lab_script(lab, status == 400 ? "crash web 1" : "crash db 1");
			lab_advance(lab, 20000);
		}
	lab_free(lab);
	dup2(old, STDERR_FILENO);
	close(old);
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	remove(path);
	assert_true(length > 0);
	text[length] = '\0';
	assert_non_null(strstr(text, "ntfy:phone"));
	for (int i = 0; secrets[i] != NULL; i++)
		if (strstr(text, secrets[i]) != NULL)
			fail_msg("%s is in the log", secrets[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_place_is_told_in_its_own_way),
		cmocka_unit_test(what_is_of_no_interest_there_is_not_told),
		cmocka_unit_test(what_a_person_has_muted_is_not_told),
		cmocka_unit_test(after_429_it_waits_as_long_as_each_place_says),
		cmocka_unit_test(out_of_reach_it_asks_less_and_less_often),
		cmocka_unit_test(what_happened_while_it_was_out_of_reach_is_told_late_and_together),
		cmocka_unit_test(a_message_that_is_refused_for_good_does_not_hold_up_the_next),
		cmocka_unit_test(a_revoked_token_keeps_what_is_to_be_told),
		cmocka_unit_test(an_answer_that_is_lost_means_at_least_once_and_in_matrix_once),
		cmocka_unit_test(a_storm_is_a_few_messages),
		cmocka_unit_test(in_quiet_hours_only_what_is_critical_is_told),
		cmocka_unit_test(that_nothing_can_be_recorded_is_told),
		cmocka_unit_test(a_question_has_buttons_that_decide_it_once),
		cmocka_unit_test(a_question_that_is_more_risky_than_allowed_has_no_buttons),
		cmocka_unit_test(a_message_sent_again_has_the_same_buttons),
		cmocka_unit_test(killed_at_any_commit_the_question_is_told),
		cmocka_unit_test(no_secret_is_in_the_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
