/*
 * Calendar events as PVE's backup jobs have them (proxmox-time's calendar_event, a part of
 * systemd.time): [WEEKDAYS] [[YEAR-]MONTH-DAY] [HOUR:MINUTE[:SECOND]], each part a list of values,
 * ranges a..b and steps a/n; and words. Seconds are read and dropped.
 */
#include "client/proxmox_backup.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

#define DAY_S 86400
#define DAYS_BACK 731
#define QUARTER_S 900
#define OFFSET_MAX_S (14 * 3600)

static const char *const day_names[] = {
	"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};

static const struct {
	const char *word, *event;
} words[] = {
	{"minutely", "*:*"},
	{"hourly", "*:00"},
	{"daily", "00:00"},
	{"weekly", "mon 00:00"},
	{"monthly", "*-*-01 00:00"},
	{"quarterly", "*-01,04,07,10-01 00:00"},
	{"semiannually", "*-01,07-01 00:00"},
	{"semi-annually", "*-01,07-01 00:00"},
	{"yearly", "*-01-01 00:00"},
	{"annually", "*-01-01 00:00"},
};

static bool read_number(const char **at, int *number)
{
	if (!isdigit((unsigned char)**at))
		return false;
	char *end;
	long value = strtol(*at, &end, 10);
	if (end - *at > 4)
		return false;
	*number = (int)value;
	*at = end;
	return true;
}

/* "mon" or "monday" */
static bool read_day(const char **at, int *number)
{
	size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	for (int i = 0; i < 7; i++) {
		size_t whole = strlen(day_names[i]);
		if ((length == 3 || length == whole) && strncasecmp(*at, day_names[i], length) == 0) {
			*number = i;
			*at += length;
			return true;
		}
	}
	return false;
}

struct range {
	int min, max;
	bool (*read)(const char **at, int *number);
};

static void set_span(uint64_t *bits, int from, int to, int step)
{
	for (int i = from; i <= to && step > 0; i += step)
		*bits |= UINT64_C(1) << i;
}

/* One of a list: "*", "5", "1..5", "0/15", "8..17/2" */
static bool read_item(const char **at, const struct range *range, uint64_t *bits)
{
	int from = range->min, to = range->max, step = 1;
	bool is_star = **at == '*', has_end = false;
	if (is_star)
		(*at)++;
	else if (!range->read(at, &from))
		return false;
	if (!is_star && strncmp(*at, "..", 2) == 0) {
		*at += 2;
		has_end = true;
		if (!range->read(at, &to))
			return false;
	}
	if (**at == '/') {
		(*at)++;
		if (!read_number(at, &step) || step < 1)
			return false;
	} else if (!is_star && !has_end) {
		to = from;
	}
	if (from < range->min || from > range->max || to < range->min || to > range->max)
		return false;
	if (from > to && range->read == read_day) { /* sat..mon */
		set_span(bits, from, range->max, step);
		from = range->min;
	}
	if (from > to)
		return false;
	set_span(bits, from, to, step);
	return true;
}

static bool read_list(const char **at, const struct range *range, uint64_t *bits)
{
	*bits = 0;
	do {
		if (!read_item(at, range, bits))
			return false;
	} while (*(*at) == ',' && (*at)++ != NULL);
	return true;
}

static bool read_days(const char *text, struct proxmox_schedule *schedule)
{
	static const struct range range = {0, 6, read_day};
	uint64_t bits;
	if (!read_list(&text, &range, &bits) || *text != '\0')
		return false;
	schedule->days = (unsigned)bits;
	return true;
}

static bool read_year(const char **at, struct proxmox_schedule *schedule)
{
	if (**at == '*') {
		(*at)++;
		return true;
	}
	if (!read_number(at, &schedule->year_from) || schedule->year_from < 1970)
		return false;
	schedule->year_to = schedule->year_from;
	if (strncmp(*at, "..", 2) != 0)
		return true;
	*at += 2;
	return read_number(at, &schedule->year_to);
}

static bool read_date(const char *text, struct proxmox_schedule *schedule)
{
	static const struct range months = {1, 12, read_number}, days = {1, 31, read_number};
	const char *first = strchr(text, '-');
	if (first != NULL && strchr(first + 1, '-') != NULL) {
		if (!read_year(&text, schedule) || *text++ != '-')
			return false;
	}
	return read_list(&text, &months, &schedule->months) && *text++ == '-' &&
		read_list(&text, &days, &schedule->month_days) && *text == '\0';
}

/* Without a colon it is minutes of every hour, as PVE reads it. */
static bool read_time(const char *text, struct proxmox_schedule *schedule)
{
	static const struct range hours = {0, 23, read_number}, minutes = {0, 59, read_number};
	uint64_t seconds;
	if (strchr(text, ':') == NULL) {
		schedule->hours = (UINT64_C(1) << 24) - 1;
		return read_list(&text, &minutes, &schedule->minutes) && *text == '\0';
	}
	if (!read_list(&text, &hours, &schedule->hours) || *text++ != ':' ||
		!read_list(&text, &minutes, &schedule->minutes))
		return false;
	if (*text == ':') {
		text++;
		if (!read_list(&text, &minutes, &seconds))
			return false;
	}
	return *text == '\0';
}

static bool read_part(const char *part, bool last, struct proxmox_schedule *schedule)
{
	if (isalpha((unsigned char)part[0]))
		return (last && strcasecmp(part, "utc") == 0) || read_days(part, schedule);
	return strchr(part, '-') != NULL ? read_date(part, schedule) : read_time(part, schedule);
}

bool proxmox_schedule_parse(const char *text, struct proxmox_schedule *schedule)
{
	char copy[200], *save = NULL;
	*schedule = (struct proxmox_schedule){
		.days = 0x7f, .minutes = 1, .hours = 1, .month_days = ~UINT64_C(1), .months = ~UINT64_C(1)};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i].word) == 0)
			text = words[i].event;
	if (!STR_SET(copy, text))
		return false;
	char *part = strtok_r(copy, " ", &save);
	if (part == NULL)
		return false;
	while (part != NULL) {
		char *next = strtok_r(NULL, " ", &save);
		if (!read_part(part, next == NULL, schedule))
			return false;
		part = next;
	}
	return true;
}

/* Days since 1970 → year, month, day (Howard Hinnant's civil_from_days). */
static void civil(int64_t days, int *year, int *month, int *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t of_era = days - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;
	*day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(y + era * 400 + (*month <= 2));
}

static bool has(uint64_t bits, int64_t bit)
{
	return (bits >> bit & 1) != 0;
}

static bool is_day(const struct proxmox_schedule *schedule, int64_t days)
{
	int year, month, day;
	civil(days, &year, &month, &day);
	bool of_years = schedule->year_from == 0 ||
		(year >= schedule->year_from && year <= schedule->year_to);
	/* 1 January 1970 was a Thursday. */
	return of_years && has(schedule->days, (days + 4) % 7) && has(schedule->months, month) &&
		has(schedule->month_days, day);
}

/* The last minute of a day that fits, at or before minute; -1: none. */
static int last_minute(const struct proxmox_schedule *schedule, int minute)
{
	for (; minute >= 0; minute--)
		if (has(schedule->hours, minute / 60) && has(schedule->minutes, minute % 60))
			return minute;
	return -1;
}

int64_t proxmox_schedule_last(
	const struct proxmox_schedule *schedule, int64_t time_s, int64_t offset_s)
{
	int64_t local = time_s + offset_s;
	int64_t today = local / DAY_S;
	if (local < 0)
		return 0;
	for (int64_t day = today; day > today - DAYS_BACK && day >= 0; day--) {
		if (!is_day(schedule, day))
			continue;
		int minute = last_minute(schedule, day == today ? (int)(local % DAY_S / 60) : 1439);
		if (minute >= 0)
			return day * DAY_S + minute * 60 - offset_s;
	}
	return 0;
}

int64_t proxmox_schedule_offset(const struct proxmox_schedule *schedule, int64_t next_run_s)
{
	if (next_run_s <= 0)
		return 0;
	for (int64_t off = 0; off <= OFFSET_MAX_S; off += QUARTER_S) {
		if (proxmox_schedule_last(schedule, next_run_s, off) == next_run_s)
			return off;
		if (proxmox_schedule_last(schedule, next_run_s, -off) == next_run_s)
			return -off;
	}
	return 0;
}
