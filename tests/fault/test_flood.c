/*
 * A flood: a thousand incidents in a minute, against a Telegram that holds to its rates. Nothing is
 * sent while it said to wait, few messages tell all, and what is important is told in minutes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "sim/telegram.h"
#include "tests/lab.h"

#define MINUTE 60000

/* A thousand containers crash within a minute; five minutes later everything that is important was
 * told, by no more messages than Telegram takes. */
static struct lab *flood(const char *config, int64_t chat, int count)
{
	char line[80], yaml[900];
	STR_FORMAT(yaml,
		"telegram: { token: \"" SIM_TG_TOKEN "\", chat: %lld, allowed_users: [1001] }\n%s",
		(long long)chat, config);
	struct lab *lab = lab_new(yaml);
	lab_script(lab, "telegram: user 1001 Ada");
	lab_script(lab, "telegram: chat -500 group Lab");
	for (int i = 0; i < count; i++) {
		STR_FORMAT(line, "container c%d", i);
		lab_script(lab, line);
	}
	lab_start(lab);
	lab_advance(lab, 5000);
	for (int i = 0; i < count; i++) {
		STR_FORMAT(line, "crash c%d 1", i);
		lab_script(lab, line);
		if (i % (count / 60) == 0)
			lab_advance(lab, 1000);
	}
	return lab;
}

static void expect_within_rates(struct lab *lab, int most)
{
	struct sim_telegram *phone = lab_phone(lab);
	int sent = sim_telegram_asked(phone, "sendMessage *") +
		sim_telegram_asked(phone, "editMessageText *");
	print_message("# %d messages and edits, %d of them new, %d refused\n", sent,
		sim_telegram_asked(phone, "sendMessage *"), sim_telegram_asked(phone, "* 429"));
	assert_int_equal(sim_telegram_impatient(phone), 0);
	assert_int_equal(sim_telegram_asked(phone, "* 429"), 0);
	assert_true(sim_telegram_asked(phone, "sendMessage *") <= most);
	lab_check_store(lab);
}

static void a_flood_of_failures_is_one_message(void **state)
{
	(void)state;
	struct lab *lab = flood("", 1001, 1000);
	lab_advance(lab, 5 * MINUTE);
	struct sim_telegram *phone = lab_phone(lab);
	char pattern[100];
	STR_FORMAT(pattern, "*%d components of docker:local failed together*", 1000);
	if (sim_telegram_sent(phone, pattern) != 1)
		fail_msg("the chat says\n%s", sim_telegram_chat(phone, 1001));
	expect_within_rates(lab, 20);
	lab_free(lab);
}

/* Each waits for an answer, and can be reached from the message that lists them. */
static void ask_all(int64_t chat, int count)
{
	struct lab *lab = flood("policy: [{ match: { component: \"*\" }, risk: high }]\n"
							"brakes: { storm: 1000 in 1s }\n",
		chat, count);
	char text[100];
	struct sim_telegram *phone = lab_phone(lab);
	lab_advance(lab, 5 * MINUTE);
	int single = sim_telegram_sent(phone, "*Should I proceed*");
	STR_FORMAT(text, "*%d questions wait for an answer*", count - single);
	if (sim_telegram_sent(phone, text) != 1)
		fail_msg("%d asked singly, and the chat says\n%s", single, sim_telegram_chat(phone, chat));
	expect_within_rates(lab, 60);
	STR_FORMAT(text, "telegram: presses Ada %lld \"⚠️ Questions\"", (long long)chat);
	lab_script(lab, text);
	lab_advance(lab, 5000);
	STR_FORMAT(text, "*%d wait for an answer*Page 1 of *", count);
	assert_int_equal(sim_telegram_sent(phone, text), 1);
	lab_free(lab);
}

static void a_flood_of_questions_is_told_within_five_minutes(void **state)
{
	(void)state;
	ask_all(1001, 1000);
}

static void so_it_is_in_a_group(void **state)
{
	(void)state;
	ask_all(-500, 240);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_of_failures_is_one_message),
		cmocka_unit_test(a_flood_of_questions_is_told_within_five_minutes),
		cmocka_unit_test(so_it_is_in_a_group),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
