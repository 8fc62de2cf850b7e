#include <stddef.h>

#include "base/str.h"
#include "decide/decide.h"

/* Who says yes means now: what other brakes have held back for longer is asked about again. */
#define GOOD_FOR_MS 900000

/* An approval is for the incident's next attempt: the action that uses it makes it the last one. */
static bool fits(const struct approval *approval, const struct incident *incident)
{
	return approval->id != 0 && approval->incident_id == incident->id &&
		approval->attempt == incident->attempt + 1 && approval->plan_hash[0] != '\0' &&
		str_equal(approval->plan_hash, incident->plan.hash);
}

static bool is_expired(const struct approval *approval, int64_t at)
{
	return approval->expires_at != 0 && at >= approval->expires_at;
}

bool approval_allows(
	const struct approval *approval, const struct incident *incident, int64_t now_ms)
{
	return fits(approval, incident) && approval->approved && approval->decided_at != 0 &&
		approval->actor[0] != '\0' && approval->decided_at <= now_ms &&
		now_ms - approval->decided_at <= GOOD_FOR_MS &&
		!is_expired(approval, approval->decided_at) && !is_expired(approval, now_ms);
}

int64_t approval_later(const struct approval *approval, const struct incident *incident)
{
	return fits(approval, incident) ? approval->later : 0;
}

bool approval_is_open(const struct approval *approval, const struct incident *incident,
	int64_t now_ms, const char **why)
{
	*why = NULL;
	if (approval->id == 0)
		*why = "nothing was asked about it";
	else if (approval->decided_at != 0)
		*why = "it was decided before";
	else if (is_expired(approval, now_ms))
		*why = "the question has expired";
	else if (!fits(approval, incident))
		*why = "the plan has changed since it was asked";
	return *why == NULL;
}
