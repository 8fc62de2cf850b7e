/* Maintenance windows: when one that is open now ends. */
#include <time.h>

#include "decide/decide.h"

#define MINUTE_S 60

/* Minutes to go back to reach the last one before this day, or hour, of the schedule's. */
static int minutes_to_skip(const struct cron *cron, const struct tm *at)
{
	if (!cron_matches_day(cron, at))
		return at->tm_hour * 60 + at->tm_min + 1;
	if ((cron->hours >> at->tm_hour & 1) == 0)
		return at->tm_min + 1;
	return 1;
}

int64_t window_until(const struct config_maintenance *window, int64_t wall_ms)
{
	int64_t minute = wall_ms / 1000 / MINUTE_S;
	int64_t oldest = (wall_ms - window->for_ms) / 1000 / MINUTE_S;
	while (minute >= oldest) {
		time_t seconds = (time_t)(minute * MINUTE_S);
		struct tm at;
		localtime_r(&seconds, &at);
		if (cron_matches(&window->cron, &at)) {
			int64_t until = minute * MINUTE_S * 1000 + window->for_ms;
			return until > wall_ms ? until : 0;
		}
		minute -= minutes_to_skip(&window->cron, &at);
	}
	return 0;
}
