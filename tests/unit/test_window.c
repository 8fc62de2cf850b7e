/* Schedules and maintenance windows: what cron's five fields mean, and when a window ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "decide/decide.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static int64_t at(const char *text)
{
	int64_t ms = str_parse_rfc3339(text);
	if (ms < 0)
		fail_msg("%s", text);
	return ms;
}

static struct cron schedule(const char *text)
{
	struct cron cron;
	struct err err = {0};
	if (!cron_parse(text, &cron, &err))
		fail_msg("%s: %s", text, err.text);
	return cron;
}

/* How many minutes of the year 2026 are a schedule's, and the first of them. */
static int minutes_of_2026(const char *text, char first[24])
{
	struct cron cron = schedule(text);
	int64_t from = at("2026-01-01T00:00:00Z"), to = at("2027-01-01T00:00:00Z");
	int count = 0;
	for (int64_t ms = from; ms < to; ms += MINUTE) {
		time_t seconds = (time_t)(ms / 1000);
		struct tm minute;
		localtime_r(&seconds, &minute);
		if (cron_matches(&cron, &minute) && count++ == 0)
			str_utc(first, ms);
	}
	return count;
}

static void five_fields_mean_what_cron_means(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int count;
		const char *first;
	} rows[] = {
		{"* * * * *", 365 * 1440, "2026-01-01 00:00:00 UTC"},
		{"0 3 * * 0", 52, "2026-01-04 03:00:00 UTC"},
		{"0 3 * * 7", 52, "2026-01-04 03:00:00 UTC"},
		{"0 3 * * sun", 52, "2026-01-04 03:00:00 UTC"},
		{"*/15 * * * *", 365 * 96, "2026-01-01 00:00:00 UTC"},
		{"5-59/20 0 * * *", 365 * 3, "2026-01-01 00:05:00 UTC"},
		{"30/10 0 1 1 *", 3, "2026-01-01 00:30:00 UTC"},
		{"0 0,12 1 jan,jul *", 4, "2026-01-01 00:00:00 UTC"},
		{"0 9 * * Mon-Fri", 261, "2026-01-01 09:00:00 UTC"},
		{"0 0 13 * fri", 61, "2026-01-02 00:00:00 UTC"}, /* the 13th, or a Friday */
		{"0 0 29 2 *", 0, ""},
		{"0 0 31 * *", 7, "2026-01-31 00:00:00 UTC"},
		{"@monthly", 12, "2026-01-01 00:00:00 UTC"},
		{"@weekly", 52, "2026-01-04 00:00:00 UTC"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char first[24] = "";
		int count = minutes_of_2026(rows[i].text, first);
		if (count != rows[i].count || strncmp(first, rows[i].first, 16) != 0)
			fail_msg("%s: %d, first %s", rows[i].text, count, first);
	}
}

static void a_wrong_schedule_is_refused_with_its_field(void **state)
{
	(void)state;
	static const struct {
		const char *text, *part;
	} rows[] = {
		{"", "five fields"},
		{"0 3 * *", "five fields"},
		{"0 3 * * 0 root", "five fields"},
		{"60 3 * * 0", "no minute"},
		{"-1 3 * * 0", "no minute"},
		{"0 24 * * *", "no hour"},
		{"0 3 0 * *", "no day of the month"},
		{"0 3 32 * *", "no day of the month"},
		{"0 3 * 13 *", "no month"},
		{"0 3 * * 8", "no day of the week"},
		{"0 3 * * funday", "no day of the week"},
		{"*/0 * * * *", "no minute"},
		{"5-1 * * * *", "no minute"},
		{"1,,2 * * * *", ""},
		{"1, * * * *", "no minute"},
		{",1 * * * *", "no minute"},
		{"1x * * * *", "no minute"},
		{"99999999999999999999 * * * *", "no minute"},
		{"@yearlyish", "five fields"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cron cron;
		struct err err = {0};
		bool good = cron_parse(rows[i].text, &cron, &err);
		if (good ? rows[i].part[0] != '\0' : strstr(err.text, rows[i].part) == NULL)
			fail_msg("%s: %s", rows[i].text, good ? "accepted" : err.text);
	}
}

static void a_window_is_open_from_its_minute_for_its_time(void **state)
{
	(void)state;
	struct config_maintenance window = {.cron = schedule("0 3 * * 0"), .for_ms = 2 * HOUR};
	int64_t begin = at("2026-11-22T03:00:00Z"); /* a Sunday */
	assert_int_equal(window_until(&window, begin - 1), 0);
	assert_int_equal(window_until(&window, begin), begin + 2 * HOUR);
	assert_int_equal(window_until(&window, begin + HOUR), begin + 2 * HOUR);
	assert_int_equal(window_until(&window, begin + 2 * HOUR - 1), begin + 2 * HOUR);
	assert_int_equal(window_until(&window, begin + 2 * HOUR), 0);
	assert_int_equal(window_until(&window, begin + DAY), 0);
}

/* Against the plain way: every minute before, one by one. */
static void the_end_is_that_of_the_last_start(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"*/7 */5 * * *", "59 23 * * *", "0 0 1 * *", "30 2 * * *", "0 12 * * 1-5"};
	static const int64_t lengths[] = {MINUTE, 10 * MINUTE, 3 * HOUR, 30 * HOUR, 7 * DAY};
	static const char *const zones[] = {"UTC", "Europe/Berlin", "Asia/Kathmandu"};
	int open = 0;
	for (int n = 0; n < 3 * 5 * 5; n++) {
		setenv("TZ", zones[n % 3], 1);
		tzset();
		struct config_maintenance window = {
			.cron = schedule(texts[n / 3 % 5]), .for_ms = lengths[n / 15]};
		for (int64_t now = at("2026-10-24T21:00:30Z"); now < at("2026-10-25T05:00:00Z");
			 now += 17 * MINUTE) {
			int64_t until = 0;
			for (int64_t m = now - now % MINUTE; m > now - window.for_ms && until == 0;
				 m -= MINUTE) {
				time_t seconds = (time_t)(m / 1000);
				struct tm minute;
				localtime_r(&seconds, &minute);
				if (cron_matches(&window.cron, &minute))
					until = m + window.for_ms;
			}
			assert_int_equal(window_until(&window, now), until);
			open += until != 0;
		}
	}
	assert_true(open > 100);
	setenv("TZ", "UTC", 1);
	tzset();
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_fields_mean_what_cron_means),
		cmocka_unit_test(a_wrong_schedule_is_refused_with_its_field),
		cmocka_unit_test(a_window_is_open_from_its_minute_for_its_time),
		cmocka_unit_test(the_end_is_that_of_the_last_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
