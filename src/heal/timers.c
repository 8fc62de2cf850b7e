/*
 * Timers: a life's wake_at, and the storms that may be over. Also waking what waits for something
 * else than time.
 */
#include "base/str.h"
#include "heal/internal.h"

#define DAY_MS 86400000LL
#define KEPT_DAYS 90

void wake_held(struct heal *heal, enum hold hold, int limit, int source)
{
	int count = heal->life_count;
	for (int i = 0; i < count && limit > 0; i++) {
		struct life *life = heal->lives[i];
		if (life->row.state != LIFE_POSTPONED || life->mind.hold != hold || life->mind.resumed)
			continue;
		if (source >= 0 &&
			!str_equal(life->row.component.source, heal->sources[source].status.name))
			continue;
		life_touch(life);
		life->mind.hold = HOLD_NONE;
		life_raise(heal, life, EVENT_WAKE);
		limit--;
	}
}

/* What is measured is believed by a measurement alone: the last one is older than the time is up.
 */
static bool is_measured(const struct life *life)
{
	enum aspect aspect = life->row.aspect;
	return aspect == ASPECT_CPU || aspect == ASPECT_MEMORY || aspect == ASPECT_DISK;
}

static void life_due(struct heal *heal, struct life *life)
{
	life_touch(life);
	life->row.wake_at = 0;
	switch (life->row.state) {
	case LIFE_SUSPECTED:
		if (!is_measured(life))
			confirm(heal, life);
		break;
	case LIFE_ASKING:
		/* What does not expire is asked about anew each day. */
		if (life->row.plan.risk != RISK_HIGH)
			life_reason(life, "nobody answered in time");
		life_raise(heal, life, life->row.plan.risk != RISK_HIGH ? EVENT_EXPIRED : EVENT_WAKE);
		if (is_proposal(life) && life->row.plan.risk != RISK_HIGH)
			life_raise(heal, life, EVENT_CLEARED);
		break;
	case LIFE_ESCALATED:
		life_raise(heal, life, EVENT_WAKE);
		break;
	case LIFE_ACTING:
		heal->acting--;
		life_reason(life, "the action never answered");
		life_raise(heal, life, EVENT_TIMEOUT);
		wake_held(heal, HOLD_SLOT, 1, -1);
		break;
	case LIFE_ROLLING_BACK:
		life_reason(life, "undoing never answered");
		life_raise(heal, life, EVENT_TIMEOUT);
		break;
	case LIFE_POSTPONED:
	case LIFE_VERIFYING:
		life_raise(heal, life, EVENT_WAKE);
		break;
	case LIFE_DIAGNOSING:
		diagnosis_due(heal, life);
		break;
	case LIFE_NONE:
	case LIFE_DECIDING:
	case LIFE_SUPPRESSED:
	case LIFE_RESOLVED:
	case LIFE_CLEARED:
	case LIFE_REJECTED:
	case LIFE_STATES:
		break;
	}
}

/* One leaf is looked at: if the engine answers for it, the storm's cause is gone. */
static void probe_storm(struct heal *heal, struct source_state *source)
{
	for (int i = 0; i < heal->life_count; i++) {
		struct life *life = heal->lives[i];
		if (life->row.state != LIFE_POSTPONED || life->mind.hold != HOLD_STORM ||
			life->mind.looking || !str_equal(life->row.component.source, source->status.name))
			continue;
		life_touch(life);
		source->storm_probing = true;
		start_look(heal, life, JOB_PROBED);
		return;
	}
	storm_end(&source->storm); /* nobody waits for it any more */
}

static bool storm_due(const struct heal *heal, const struct source_state *source)
{
	return source->storm.active && !source->storm_probing && source->status.reached &&
		storm_is_quiet(&source->storm, &heal->config->brakes, now_ms(heal));
}

/* Ended incidents are kept for a season; the audit log for ever. */
static void forget_old(struct heal *heal)
{
	struct err err = {0};
	int64_t now = now_ms(heal);
	if (now < heal->forget_at)
		return;
	heal->forget_at = now + DAY_MS;
	if (must_store(heal))
		stored(heal,
			store_forget(heal->store, now - KEPT_DAYS * DAY_MS, &err) &&
				store_channel_forget(heal->store, now, &err),
			&err);
}

void take_timers(struct heal *heal, void *unused)
{
	(void)unused;
	forget_old(heal);
	if (now_ms(heal) >= shadow_due_at(heal))
		shadow_sum(heal);
	int count = heal->life_count;
	for (int i = 0; i < count; i++) {
		struct life *life = heal->lives[i];
		/* After our own restart nothing is due before its source has shown how things are. */
		if (life->row.wake_at != 0 && life->row.wake_at <= now_ms(heal) && !life->mind.resumed)
			life_due(heal, life);
	}
	for (int i = 0; i < heal->source_count; i++)
		if (storm_due(heal, &heal->sources[i]))
			probe_storm(heal, &heal->sources[i]);
}

static int64_t next_timer(const struct heal *heal)
{
	int64_t next = heal->forget_at;
	if (shadow_due_at(heal) < next)
		next = shadow_due_at(heal);
	for (int i = 0; i < heal->life_count; i++) {
		int64_t at = heal->lives[i]->row.wake_at;
		if (at != 0 && at < next && !heal->lives[i]->mind.resumed)
			next = at;
	}
	for (int i = 0; i < heal->source_count; i++) {
		const struct storm *storm = &heal->sources[i].storm;
		if (!storm->active || heal->sources[i].storm_probing)
			continue;
		int64_t at = storm->last_failure + heal->config->brakes.storm_ms;
		/* While the source is out of reach its next report decides. */
		if (heal->sources[i].status.reached && at < next)
			next = at;
	}
	return next;
}

int64_t heal_until_timer(const struct heal *heal)
{
	return next_timer(heal) - now_ms(heal);
}
