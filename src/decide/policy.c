#include "base/str.h"
#include "decide/decide.h"

#define HELD_MS 30000

static struct verdict verdict(enum verdict_kind kind, const char *reason)
{
	struct verdict v = {.kind = kind};
	STR_SET(v.reason, reason);
	return v;
}

static struct verdict postpone(enum hold hold, int64_t wake_at, const char *reason)
{
	struct verdict v = verdict(VERDICT_POSTPONE, reason);
	v.hold = hold;
	v.wake_at = wake_at;
	return v;
}

/* LOW runs by itself unless a row or the doubt about its cause says ask; MEDIUM runs by itself only
 * where the user's own row says so; HIGH never. */
static bool needs_approval(const struct situation *s)
{
	if (s->unproven)
		return true;
	switch (s->risk) {
	case RISK_LOW:
		return s->consent == CONSENT_ASK || !s->seen;
	case RISK_MEDIUM:
		return s->consent != CONSENT_AUTO || !s->seen;
	case RISK_HIGH:
		break;
	}
	return true;
}

/* What holds back every action of homeostat's own; POSTPONE or FORBID, or ALLOW: nothing does. */
static struct verdict own_brakes(const struct situation *s)
{
	if (s->consent == CONSENT_NEVER)
		return verdict(VERDICT_FORBID, "the policy says never");
	if (s->healing == HEALING_OFF && !s->approved)
		return postpone(HOLD_MODE, 0, "auto-healing is off: a person decides");
	if (s->cut_off)
		return postpone(HOLD_CUT_OFF, 0, "no source answers: homeostat itself seems cut off");
	if (s->budget.spent) {
		struct verdict v = verdict(VERDICT_FORBID, "");
		STR_FORMAT(v.reason, "%d attempts did not help: a person is needed", s->budget.used);
		return v;
	}
	if (s->storm)
		return postpone(HOLD_STORM, 0, "many failed at once: looking for the common cause first");
	if (s->budget.not_before > s->now_ms)
		return postpone(HOLD_TIME, s->budget.not_before, "backing off after the last attempt");
	return verdict(VERDICT_ALLOW, "");
}

/* What protects a component holds for everybody: a lock, a cluster without quorum. */
static struct verdict held_back(const struct situation *s)
{
	struct verdict v = postpone(HOLD_TIME, s->now_ms + HELD_MS, "");
	STR_FORMAT(v.reason, "waits: %s", s->held);
	return v;
}

/* The caps on what runs at once and in an hour. */
static struct verdict caps(const struct situation *s)
{
	if (s->acting >= s->acting_max)
		return postpone(HOLD_SLOT, 0, "waits for another action to end");
	if (s->hour_free_at > s->now_ms)
		return postpone(HOLD_TIME, s->hour_free_at, "the cap on actions in an hour is reached");
	return verdict(VERDICT_ALLOW, "");
}

struct verdict policy_decide(const struct situation *s)
{
	/* Before all else: what cannot be mended is not told of before the time either. */
	if (s->rests_until > s->now_ms && !s->approved && !s->ordered)
		return postpone(HOLD_TIME, s->rests_until, s->rests_why);
	if (!s->has_action)
		return verdict(VERDICT_FORBID, "there is no remedy that homeostat may try");
	if (s->held[0] != '\0')
		return held_back(s);
	if (s->ordered)
		return verdict(VERDICT_ALLOW, "ordered by an operator");
	struct verdict held = own_brakes(s);
	if (held.kind != VERDICT_ALLOW)
		return held;
	bool ask = needs_approval(s) && !s->approved;
	if (s->healing == HEALING_SHADOW && !s->approved)
		return postpone(
			HOLD_MODE, 0, ask ? "shadow mode: would ask a person" : "shadow mode: would do it now");
	if (ask && s->later_until > s->now_ms)
		return postpone(HOLD_TIME, s->later_until, "a person has put the question off");
	if (ask)
		return verdict(VERDICT_ASK,
			!s->seen          ? "nobody saw why it stopped"
				: s->unproven ? "it is not known to help: a person decides"
							  : "");
	held = caps(s);
	if (held.kind != VERDICT_ALLOW)
		return held;
	return verdict(VERDICT_ALLOW, s->approved ? "approved" : "low risk: healed at once");
}
