/* errors, arenas, text, times, clocks, mailboxes, jobs */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/job.h"
#include "base/mailbox.h"
#include "base/str.h"

static void errors_gain_context_on_the_way_up(void **state)
{
	struct err err = {0};
	assert_false(err_set(&err, ERR_TIMEOUT, "no answer in %d s", 5));
	assert_false(err_prefix(&err, "GET %s", "/nodes"));
	assert_false(err_prefix(&err, "proxmox %s", "pve1"));
	assert_int_equal(err.kind, ERR_TIMEOUT);
	assert_string_equal(err.text, "proxmox pve1: GET /nodes: no answer in 5 s");
	assert_false(err_set(NULL, ERR_INPUT, "nobody asks"));
}

static void a_long_error_is_cut_and_ended(void **state)
{
	struct err err = {0};
	char text[2000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_INPUT, "%s", text);
	err_prefix(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void an_arena_has_a_hard_limit(void **state)
{
	struct arena *arena = arena_new(10000);
	size_t got = 0;
	while (arena_try(arena, 100) != NULL)
		got += 100;
	assert_in_range(got, 8000, 10000);
	assert_null(arena_try(arena, 200));
	assert_null(arena_try(arena, SIZE_MAX));
	assert_true(arena_used(arena) <= 10000);
	arena_free(arena);
}

static void arena_memory_is_zeroed_aligned_and_apart(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	unsigned char *last = NULL;
	for (int i = 1; i < 500; i++) {
		unsigned char *memory = arena_alloc(arena, (size_t)i);
		assert_int_equal((uintptr_t)memory % 16, 0);
		for (int k = 0; k < i; k++)
			assert_int_equal(memory[k], 0);
		memset(memory, 0xAA, (size_t)i);
		if (last != NULL)
			assert_int_equal(last[0], 0xAA);
		last = memory;
	}
	arena_free(arena);
}

static void growing_keeps_what_was_there(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	char *text = arena_alloc(arena, 10);
	memcpy(text, "123456789", 10);
	char *grown = arena_grow(arena, text, 10, 5000);
	assert_string_equal(grown, "123456789");
	arena_alloc(arena, 1); /* it can't grow in place any more */
	char *moved = arena_grow(arena, grown, 5000, 9000);
	assert_string_equal(moved, "123456789");
	assert_null(arena_grow(arena, moved, 9000, 2 << 20));
	arena_free(arena);
}

static void a_text_grows_until_its_arena_is_full(void **state)
{
	struct arena *arena = arena_new(4096);
	struct str str;
	str_init(&str, arena);
	str_addf(&str, "%s-%d", "a", 7);
	str_addc(&str, '!');
	assert_string_equal(str.s, "a-7!");
	for (int i = 0; i < 1000; i++)
		str_add(&str, "0123456789");
	assert_true(str.full);
	assert_int_equal(str.s[str.len], '\0');
	assert_int_equal(strlen(str.s), str.len);
	arena_free(arena);
}

static void copies_are_cut_between_characters(void **state)
{
	char field[6];
	assert_true(STR_SET(field, "abcde"));
	assert_false(STR_SET(field, "abcdef"));
	assert_string_equal(field, "abcde");
	assert_false(STR_SET(field, "abcd\xC3\xA9"));
	assert_string_equal(field, "abcd");
	assert_false(STR_FORMAT(field, "%s", "abc\xF0\x9F\x94\xB4"));
	assert_string_equal(field, "abc");
	assert_true(STR_FORMAT(field, "%s", "abc\xC3\xA9"));
	assert_string_equal(field, "abc\xC3\xA9");
	assert_true(STR_SET(field, NULL));
	assert_string_equal(field, "");
}

static void patterns_match_whole_texts(void **state)
{
	assert_true(str_match("docker_container_postgres*", "docker_container_postgres-1"));
	assert_true(str_match("*", ""));
	assert_true(str_match("a*b*c", "a-b-b-c"));
	assert_true(str_match("a?c", "abc"));
	assert_false(str_match("a?c", "ac"));
	assert_false(str_match("abc", "abcd"));
	assert_false(str_match("", "a"));
	/* a pattern that would take a naive matcher for ever */
	assert_false(str_match("*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void the_nearest_key_is_suggested(void **state)
{
	static const char *const keys[] = {"interval", "autohealing", "listen", "docker", NULL};
	assert_string_equal(str_nearest("intervall", keys), "interval");
	assert_string_equal(str_nearest("lisetn", keys), "listen");
	assert_null(str_nearest("zzzzzz", keys));
	assert_int_equal(str_distance("abcd", "acbd", 3), 1);
	assert_int_equal(str_distance("kitten", "sitting", 9), 3);
}

static void times_are_read_and_written(void **state)
{
	char text[32], utc[24];
	int64_t at = str_parse_rfc3339("2025-10-24T16:30:15.123456789Z");
	assert_int_equal(at, 1761323415123);
	str_rfc3339(text, at);
	assert_string_equal(text, "2025-10-24T16:30:15.123Z");
	str_utc(utc, at);
	assert_string_equal(utc, "2025-10-24 16:30:15 UTC");
	assert_int_equal(str_parse_rfc3339("2025-10-24T18:30:15.123+02:00"), at);
	assert_int_equal(str_parse_rfc3339("0001-01-01T00:00:00Z"), -1);
	static const char *const bad[] = {"", "2025", "2025-13-01T00:00:00Z", "2025-10-24T16:30:15",
		"2025-10-24T25:30:15Z", "2025-10-24T16:30:15Zx", "yesterday"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(str_parse_rfc3339(bad[i]), -1);
}

static void durations_are_read_and_written(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} read[] = {{"60s", 60000}, {"10m", 600000}, {"2h", 7200000}, {"1d", 86400000}, {"500ms", 500},
		{"7", 7000}, {"", -1}, {"-1s", -1}, {"1 s", -1}, {"s", -1}, {"1w", -1},
		{"99999999999999999999s", -1}};
	for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++)
		assert_int_equal(str_parse_duration(read[i].text), read[i].ms);
	static const struct {
		int64_t ms;
		const char *text;
	} written[] = {{0, "0 seconds"}, {1000, "1 second"}, {119000, "1 minute"},
		{180000, "3 minutes"}, {7200000, "2 hours"}, {90000000, "1 day"}};
	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		char text[32];
		str_duration(text, written[i].ms);
		assert_string_equal(text, written[i].text);
	}
}

static void a_wound_clock_stands_still(void **state)
{
	struct clock *clock = clock_new_wound(1761323415000);
	int64_t mono = clock_mono_ms(clock);
	assert_true(clock_wait(clock, 3600000, -1)); /* does not wait */
	assert_int_equal(clock_wall_ms(clock), 1761323415000);
	clock_advance(clock, 61 * 60000);
	assert_int_equal(clock_wall_ms(clock), 1761323415000 + 61 * 60000);
	assert_int_equal(clock_mono_ms(clock), mono + 61 * 60000);
	clock_free(clock);
}

static void mail_arrives_in_order_and_takes_the_arena_along(void **state)
{
	struct mailbox *box = mailbox_new(10);
	for (int i = 0; i < 3; i++) {
		struct arena *arena = arena_new(1024);
		int *body = ARENA_NEW(arena, int);
		*body = i;
		assert_true(mailbox_send(box, 40 + i, &arena, body));
		assert_null(arena);
	}
	for (int i = 0; i < 3; i++) {
		struct mail *mail = mailbox_receive(box, 0);
		assert_int_equal(mail->kind, 40 + i);
		assert_int_equal(*(int *)mail->body, i);
		mail_free(mail);
	}
	assert_null(mailbox_receive(box, 0));
	assert_null(mailbox_receive(box, 5));
	mailbox_free(box);
}

static void a_full_box_refuses_an_offer_and_a_closed_one_everything(void **state)
{
	struct mailbox *box = mailbox_new(1);
	struct arena *arena = arena_new(1024);
	assert_true(mailbox_offer(box, 1, &arena, NULL));
	arena = arena_new(1024);
	assert_false(mailbox_offer(box, 2, &arena, NULL));
	assert_null(arena);
	mailbox_close(box);
	arena = arena_new(1024);
	assert_false(mailbox_send(box, 3, &arena, NULL));
	struct mail *mail = mailbox_receive(box, -1); /* what is in it is still delivered */
	assert_int_equal(mail->kind, 1);
	mail_free(mail);
	assert_null(mailbox_receive(box, -1));
	mailbox_free(box);
}

#define SENDERS 8
#define MAILS 500

static void *send_many(void *box)
{
	for (int i = 0; i < MAILS; i++) {
		struct arena *arena = arena_new(1024);
		mailbox_send(box, i, &arena, NULL);
	}
	return NULL;
}

static void many_senders_lose_nothing_though_the_box_is_small(void **state)
{
	struct jobs *jobs = jobs_new(JOBS_THREADS);
	struct mailbox *box = mailbox_new(3);
	for (int i = 0; i < SENDERS; i++)
		assert_true(jobs_thread(jobs, "sender", send_many, box));
	for (int i = 0; i < SENDERS * MAILS; i++) {
		struct mail *mail = mailbox_receive(box, 10000);
		assert_non_null(mail);
		mail_free(mail);
	}
	jobs_free(jobs);
	assert_null(mailbox_receive(box, 0));
	mailbox_free(box);
}

struct task {
	struct mailbox *answer;
	int n;
	bool wait;
};

static void square(struct arena **arena, void *body, int stop_fd)
{
	struct task *task = body;
	struct clock *clock = clock_new_real();
	bool stopped = task->wait && !clock_wait(clock, 60000, stop_fd);
	clock_free(clock);
	struct arena *mail = arena_new(1024);
	int *n = ARENA_NEW(mail, int);
	*n = stopped ? -1 : task->n * task->n;
	mailbox_send(task->answer, 0, &mail, n);
}

static void start_square(struct jobs *jobs, struct mailbox *answer, int n, bool wait)
{
	struct arena *arena = arena_new(1024);
	struct task *task = ARENA_NEW(arena, struct task);
	*task = (struct task){answer, n, wait};
	assert_true(jobs_start(jobs, "square", square, &arena, task));
	assert_null(arena);
}

static void jobs_run_on_threads_or_inline(void **state)
{
	for (int mode = JOBS_THREADS; mode <= JOBS_INLINE; mode++) {
		struct jobs *jobs = jobs_new((enum jobs_mode)mode);
		struct mailbox *answer = mailbox_new(100);
		int sum = 0;
		for (int i = 0; i < 20; i++)
			start_square(jobs, answer, i, false);
		for (int i = 0; i < 20; i++) {
			struct mail *mail = mailbox_receive(answer, mode == JOBS_INLINE ? 0 : 10000);
			assert_non_null(mail);
			sum += *(int *)mail->body;
			mail_free(mail);
		}
		assert_int_equal(sum, 2470);
		jobs_free(jobs);
		mailbox_free(answer);
	}
}

static void a_waiting_job_ends_when_told_to_stop(void **state)
{
	struct jobs *jobs = jobs_new(JOBS_THREADS);
	struct mailbox *answer = mailbox_new(100);
	start_square(jobs, answer, 5, true);
	jobs_free(jobs); /* returns only when the job has ended */
	struct mail *mail = mailbox_receive(answer, 0);
	assert_int_equal(*(int *)mail->body, -1);
	mail_free(mail);
	mailbox_free(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_gain_context_on_the_way_up),
		cmocka_unit_test(a_long_error_is_cut_and_ended),
		cmocka_unit_test(an_arena_has_a_hard_limit),
		cmocka_unit_test(arena_memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(growing_keeps_what_was_there),
		cmocka_unit_test(a_text_grows_until_its_arena_is_full),
		cmocka_unit_test(copies_are_cut_between_characters),
		cmocka_unit_test(patterns_match_whole_texts),
		cmocka_unit_test(the_nearest_key_is_suggested),
		cmocka_unit_test(times_are_read_and_written),
		cmocka_unit_test(durations_are_read_and_written),
		cmocka_unit_test(a_wound_clock_stands_still),
		cmocka_unit_test(mail_arrives_in_order_and_takes_the_arena_along),
		cmocka_unit_test(a_full_box_refuses_an_offer_and_a_closed_one_everything),
		cmocka_unit_test(many_senders_lose_nothing_though_the_box_is_small),
		cmocka_unit_test(jobs_run_on_threads_or_inline),
		cmocka_unit_test(a_waiting_job_ends_when_told_to_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
