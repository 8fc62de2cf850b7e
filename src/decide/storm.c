#include "decide/decide.h"

#define REMEMBERED ((int)(sizeof(((struct storm *)0)->recent) / sizeof(int64_t)))

bool storm_note(struct storm *storm, const struct config_brakes *brakes, int64_t now_ms)
{
	storm->recent[storm->next] = now_ms;
	storm->next = (storm->next + 1) % REMEMBERED;
	storm->last_failure = now_ms;
	if (storm->active) {
		storm->failures++;
		return false;
	}
	int within = 0;
	for (int i = 0; i < REMEMBERED; i++)
		if (storm->recent[i] > 0 && now_ms - storm->recent[i] <= brakes->storm_ms)
			within++;
	if (within <= brakes->storm)
		return false;
	storm->active = true;
	storm->since = now_ms;
	storm->failures = within;
	return true;
}

bool storm_is_quiet(const struct storm *storm, const struct config_brakes *brakes, int64_t now_ms)
{
	return now_ms - storm->last_failure >= brakes->storm_ms;
}

void storm_end(struct storm *storm)
{
	*storm = (struct storm){0};
}
