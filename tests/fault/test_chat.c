/*
 * The chat under faults: the daemon is killed at every commit between a failure and the message
 * that says how it ended, and every answer of Telegram is lost once. The decision is neither lost
 * nor made twice, and the chat ends by saying what is true.
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
#include "sim/telegram.h"
#include "tests/lab.h"

/* A kill leaves memory behind, as a real one does: that is no leak of the product's. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

#define PHONE "telegram: { token: \"" SIM_TG_TOKEN "\", chat: 1001, allowed_users: [1001] }\n"

static struct lab *open_lab(const char *config)
{
	struct lab *lab = lab_new(config);
	lab_script(lab, "telegram: user 1001 Ada");
	return lab;
}

static void keep_up(struct lab *lab)
{
	if (!lab_is_up(lab))
		lab_start(lab);
}

static void press(struct lab *lab, const char *pattern, const char *button)
{
	char line[200];
	if (sim_telegram_buttons(lab_phone(lab), pattern) == NULL)
		return;
	STR_FORMAT(line, "telegram: presses Ada 1001 \"%s\"", button);
	lab_script(lab, line);
}

/* db fails and is asked about; Ada approves; it is healed, and Ada sees so. */
static void play_approval(struct lab *lab)
{
	bool pressed = false;
	lab_script(lab, "container db");
	lab_start(lab);
	keep_up(lab);
	lab_advance(lab, 1000);
	keep_up(lab);
	lab_script(lab, "crash db 1");
	for (int i = 0; i < 80; i++) {
		lab_advance(lab, 1000);
		keep_up(lab);
		if (!pressed && sim_telegram_buttons(lab_phone(lab), "*Should I proceed*") != NULL) {
			press(lab, "*Should I proceed*", "✅ Approve");
			pressed = true;
		}
	}
	assert_true(pressed);
	/* A copy that was sent just before the daemon died is known to nobody until it is pressed. */
	if (sim_telegram_buttons(lab_phone(lab), "*Should I proceed*") != NULL) {
		press(lab, "*Should I proceed*", "✅ Approve");
		lab_advance(lab, 5000);
		keep_up(lab);
		lab_advance(lab, 5000);
	}
}

static void expect_approved(struct lab *lab, const char *what, int n)
{
	struct sim_telegram *phone = lab_phone(lab);
	struct incident incident;
	if (!lab_incident(lab, "docker_container_db", &incident) ||
		(incident.state != LIFE_RESOLVED && incident.state != LIFE_CLEARED))
		fail_msg("%s %d: db is %s: %s", what, n, life_state_name(incident.state), incident.reason);
	if (lab_posts(lab, "*/db/*") != 1)
		fail_msg("%s %d: %d posts", what, n, lab_posts(lab, "*/db/*"));
	if (sim_telegram_sent(phone, "*Should I proceed*") > 0 ||
		sim_telegram_sent(phone, "*✅ Approved by *Seen healthy*") < 1)
		fail_msg("%s %d: the chat says\n%s", what, n, sim_telegram_chat(phone, 1001));
	lab_check_store(lab);
}

typedef void arm_fn(struct lab *lab, int n, enum lab_fault when);
typedef void play_fn(struct lab *lab);
typedef void expect_fn(struct lab *lab, const char *what, int n);

static void strike_everywhere(
	arm_fn *arm, enum lab_fault when, play_fn *play, expect_fn *expect, const char *what)
{
	int n = 0;
	for (bool happened = true; happened;) {
		struct lab *lab = open_lab(
			PHONE "policy: [{ match: { component: docker_container_db }, risk: high }]\n"
				  "brakes: { settle: 3s }\n");
		arm(lab, ++n, when);
		play(lab);
		happened = lab_fault_happened(lab);
		expect(lab, what, n);
		lab_free(lab);
	}
	print_message("# %s: %d places\n", what, n - 1);
	assert_true(n > 9); /* fewer, and the story was not told */
}

static void killed_at_any_commit_an_approval_is_neither_lost_nor_done_twice(void **state)
{
	(void)state;
	strike_everywhere(
		lab_kill_at_commit, FAULT_BEFORE, play_approval, expect_approved, "killed before a commit");
	strike_everywhere(
		lab_kill_at_commit, FAULT_AFTER, play_approval, expect_approved, "killed after a commit");
}

static void when_any_call_breaks_an_approval_is_neither_lost_nor_done_twice(void **state)
{
	(void)state;
	strike_everywhere(lab_fail_http, FAULT_BEFORE, play_approval, expect_approved,
		"a call broke before its effect");
	strike_everywhere(
		lab_fail_http, FAULT_AFTER, play_approval, expect_approved, "an answer was lost");
}

/* /stop_container: progress, the order, the result in the same message. */
static void play_order(struct lab *lab)
{
	lab_script(lab, "container db");
	lab_start(lab);
	keep_up(lab);
	lab_advance(lab, 1000);
	keep_up(lab);
	lab_script(lab, "telegram: says Ada 1001 \"/stop_container db\"");
	for (int i = 0; i < 60; i++) {
		lab_advance(lab, 1000);
		keep_up(lab);
	}
}

static void expect_stopped(struct lab *lab, const char *what, int n)
{
	struct sim_telegram *phone = lab_phone(lab);
	int posts = lab_posts(lab, "*/db/*");
	bool is_stopped = strcmp(lab_container(lab, "db"), "exited") == 0;
	/* What died between the intent on disk and the action is not done later, and said so. */
	if (posts > 1 || is_stopped != (posts == 1))
		fail_msg("%s %d: db is %s after %d posts", what, n, lab_container(lab, "db"), posts);
	if (sim_telegram_sent(phone,
			is_stopped ? "*Successfully stopped container 'db'*"
					   : "*Failed to stop container 'db'*") != 1)
		fail_msg("%s %d: the chat says\n%s", what, n, sim_telegram_chat(phone, 1001));
	lab_check_store(lab);
}

static void killed_at_any_commit_an_order_is_obeyed_once(void **state)
{
	(void)state;
	strike_everywhere(lab_kill_at_commit, FAULT_BEFORE, play_order, expect_stopped,
		"order, killed before a commit");
	strike_everywhere(lab_kill_at_commit, FAULT_AFTER, play_order, expect_stopped,
		"order, killed after a commit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_any_commit_an_approval_is_neither_lost_nor_done_twice),
		cmocka_unit_test(when_any_call_breaks_an_approval_is_neither_lost_nor_done_twice),
		cmocka_unit_test(killed_at_any_commit_an_order_is_obeyed_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
