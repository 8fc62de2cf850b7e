/* Times and durations as text: the half of str.h that knows the calendar. */
#include "base/str.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct tm calendar(int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	return tm;
}

void str_utc(char field[24], int64_t wall_ms)
{
	struct tm tm = calendar(wall_ms);
	if (strftime(field, 24, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		field[0] = '\0';
}

void str_clock(char field[12], int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	localtime_r(&seconds, &tm);
	if (strftime(field, 12, "%H:%M:%S", &tm) == 0)
		field[0] = '\0';
}

void str_rfc3339(char field[32], int64_t wall_ms)
{
	char seconds[24];
	struct tm tm = calendar(wall_ms);
	if (strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		seconds[0] = '\0';
	str_format(field, 32, "%s.%03dZ", seconds, (int)(wall_ms % 1000));
}

/* Reads n digits; -1 when they are not. */
static int digits(const char **text, int n)
{
	int value = 0;
	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)(*text)[i]))
			return -1;
		value = value * 10 + ((*text)[i] - '0');
	}
	*text += n;
	return value;
}

static bool skip(const char **text, const char *any)
{
	if (**text == '\0' || strchr(any, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

/* "Z" or "+02:00" → milliseconds east of UTC; false when it is neither. */
static bool read_zone(const char **text, int64_t *east_ms)
{
	*east_ms = 0;
	if (skip(text, "Zz"))
		return true;
	int sign = **text == '-' ? -1 : 1;
	if (!skip(text, "+-"))
		return false;
	int hours = digits(text, 2);
	if (hours < 0 || !skip(text, ":"))
		return false;
	int minutes = digits(text, 2);
	if (minutes < 0)
		return false;
	*east_ms = sign * (hours * 60 + minutes) * 60000L;
	return true;
}

int64_t str_parse_rfc3339(const char *text)
{
	struct tm tm = {0};
	tm.tm_year = digits(&text, 4) - 1900;
	bool ok = tm.tm_year >= 70 && skip(&text, "-");
	tm.tm_mon = ok ? digits(&text, 2) - 1 : -1;
	ok = ok && tm.tm_mon >= 0 && tm.tm_mon < 12 && skip(&text, "-");
	tm.tm_mday = ok ? digits(&text, 2) : -1;
	ok = ok && tm.tm_mday >= 1 && tm.tm_mday <= 31 && skip(&text, "Tt ");
	tm.tm_hour = ok ? digits(&text, 2) : -1;
	ok = ok && tm.tm_hour >= 0 && tm.tm_hour < 24 && skip(&text, ":");
	tm.tm_min = ok ? digits(&text, 2) : -1;
	ok = ok && tm.tm_min >= 0 && tm.tm_min < 60 && skip(&text, ":");
	tm.tm_sec = ok ? digits(&text, 2) : -1;
	if (!ok || tm.tm_sec < 0 || tm.tm_sec > 60)
		return -1;
	int64_t ms = 0;
	if (skip(&text, ".")) {
		int64_t unit = 100;
		for (; isdigit((unsigned char)*text); text++, unit /= 10)
			ms += (*text - '0') * unit;
	}
	int64_t east_ms;
	if (!read_zone(&text, &east_ms) || *text != '\0')
		return -1;
	return (int64_t)timegm(&tm) * 1000 + ms - east_ms;
}

static const struct unit {
	const char *suffix, *word;
	int64_t ms;
} units[] = {
	{"d", "day", 86400000},
	{"h", "hour", 3600000},
	{"m", "minute", 60000},
	{"s", "second", 1000},
	{"ms", NULL, 1},
};

void str_duration(char field[32], int64_t ms)
{
	if (ms < 1000)
		ms = ms < 500 ? 0 : 1000;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].word == NULL || (ms < units[i].ms && units[i].ms > 1000))
			continue;
		int64_t n = ms / units[i].ms;
		str_format(field, 32, "%lld %s%s", (long long)n, units[i].word, n == 1 ? "" : "s");
		return;
	}
}

int64_t str_parse_duration(const char *text)
{
	if (!isdigit((unsigned char)*text))
		return -1;
	char *end;
	long long n = strtoll(text, &end, 10);
	if (n > INT32_MAX)
		return -1;
	if (*end == '\0')
		return n * 1000;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].suffix) == 0)
			return n * units[i].ms;
	return -1;
}
