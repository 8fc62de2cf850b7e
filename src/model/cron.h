/*
 * A schedule as cron's five fields say it: minute, hour, day of the month, month, day of the week,
 * in local time. Numbers, names (mon, jan), lists, ranges, steps; when both days are restricted
 * either of them counts, as in cron. Plain data, pure functions.
 */
#ifndef MODEL_CRON_H
#define MODEL_CRON_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

struct cron {
	uint64_t minutes, hours, days, months, weekdays; /* a bit each; weekdays: 0 is Sunday */
	bool any_day, any_weekday;                       /* written as * */
};

/* "0 3 * * 0", or @hourly, @daily, @weekly, @monthly. False: err names the field and the cure. */
bool cron_parse(const char *text, struct cron *cron, struct err *err);
/* Whether that minute of local time is one of the schedule's. */
bool cron_matches(const struct cron *cron, const struct tm *minute);
/* Whether that day is. */
bool cron_matches_day(const struct cron *cron, const struct tm *day);

#endif
