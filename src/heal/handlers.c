/*
 * What each `do` of the table of lives means. Handlers change the row and queue effects; they never
 * wait.
 */
#include <string.h>

#include "base/str.h"
#include "heal/internal.h"

/* An action's own deadlines are shorter: this is for an answer that was lost. */
#define ACT_DEADLINE_MS 300000
#define LOOK_DEADLINE_MS 30000
#define DAY_MS 86400000LL

static void do_act(struct heal *heal, struct life *life)
{
	struct incident *row = &life->row;
	struct err err = {0};
	row->attempt++;
	struct action_record record = {
		.incident_id = row->id, .attempt = row->attempt, .began_at = now_ms(heal)};
	STR_SET(record.action, row->plan.action);
	STR_SET(record.component, row->component.name);
	STR_SET(record.actor, row->actor);
	if (must_store(heal))
		stored(heal, store_action_insert(heal->store, &record, &err), &err);
	audit(heal, "action.begin", row->actor, life, row->plan.title);
	const struct action *action = action_find(row->plan.action);
	if (action->info.counts)
		recent_add(heal, row->component.name, record.began_at);
	/* What a person has allowed is meant, though the component be well. */
	life->mind.by_order = row->ordered || str_equal(row->diagnosis.by, BY_PROPOSAL);
	row->ordered = false; /* an order is for one attempt */
	row->acted_at = record.began_at;
	row->healthy_since = 0;
	row->wake_at = now_ms(heal) + ACT_DEADLINE_MS;
	life->mind.up_since = 0;
	life->mind.seen_down = false;
	life->mind.in_doubt = false;
	life->mind.quiet_until = 0;
	heal->acting++;
	tell(heal, NOTICE_ACTING, life, false, "%s", row->reason);
	start_act(heal, life, JOB_ACTED);
}

static void do_ask(struct heal *heal, struct life *life)
{
	struct incident *row = &life->row;
	struct err err = {0};
	struct approval approval = {
		.incident_id = row->id, .attempt = row->attempt + 1, .asked_at = now_ms(heal)};
	STR_SET(approval.plan_hash, row->plan.hash);
	if (row->plan.risk != RISK_HIGH)
		approval.expires_at = approval.asked_at + heal->config->brakes.approval_ms;
	row->wake_at = approval.expires_at != 0 ? approval.expires_at : now_ms(heal) + DAY_MS;
	if (must_store(heal))
		stored(heal, store_approval_insert(heal->store, &approval, &err), &err);
	audit(heal, "approval.ask", "", life, row->plan.title);
	/* It may have been learnt since the failure was told. */
	if (row->attempt > 0 && row->finding != FINDING_NONE)
		tell_cause(heal, life);
	tell(heal, NOTICE_ASKING, life, false, "%s", row->reason);
}

static void do_postpone(struct heal *heal, struct life *life, enum hold hold, int64_t wake_at)
{
	life->mind.hold = hold;
	life->row.wake_at = wake_at;
	/* What waits for a slot or for a storm's end is told of once for all. */
	if (hold != HOLD_TIME && hold != HOLD_MODE)
		return;
	/* A decision that is held for the same reason as before is no news. */
	char reason[sizeof(life->mind.told)];
	STR_SET(reason, life->row.reason);
	bool news = life->mind.told_attempt != life->row.attempt + 1 ||
		strcmp(life->mind.told, reason) != 0;
	life->mind.told_attempt = life->row.attempt + 1;
	STR_SET(life->mind.told, reason);
	if (news)
		tell(heal, NOTICE_POSTPONED, life, false, "%s", life->row.reason);
}

static void do_suppress(struct heal *heal, struct life *life)
{
	struct life *parent = parent_of(heal, life);
	life->row.parent_id = parent != NULL ? parent->row.id : 0;
	life_reason(
		life, "%s is the cause", parent != NULL ? parent->row.component.name : "its parent");
}

/* confirm_at 0: until its source reports on it. */
static void do_wait(struct life *life, int64_t confirm_at)
{
	life->row.parent_id = 0;
	life->row.wake_at = confirm_at;
	life_reason(life, "waits to be confirmed");
}

/* What an engine's return changed, its first report tells. After a container's, nothing tells that
 * its dependents are still down: they are taken up at once. Nor does a guest's return tell of the
 * engine in it, which needs its time to come up. */
static void release_children(struct heal *heal, const struct life *parent)
{
	for (int i = 0; i < heal->life_count; i++) {
		struct life *life = heal->lives[i];
		if (life->row.state != LIFE_SUPPRESSED || life->row.parent_id != parent->row.id)
			continue;
		life_touch(life);
		if (parent->row.component.kind == COMPONENT_CONTAINER && parent->row.aspect == ASPECT_STATE)
			life->row.wake_at = now_ms(heal);
		if (strcmp(parent->row.component.source, life->row.component.source) != 0) {
			life->mind.home_until = now_ms(heal) + HOME_TELLS_MS;
			life->row.wake_at = life->mind.home_until + HOME_AFTER_MS;
		}
		life_raise(heal, life, EVENT_PARENT_HEALED);
	}
}

static void do_end(struct heal *heal, struct life *life)
{
	struct incident *row = &life->row;
	bool over = !life_is_open(row->state);
	if (over)
		row->ended_at = now_ms(heal);
	if (row->state == LIFE_RESOLVED)
		life_reason(life, "seen healthy again");
	lesson_ended(heal, life);
	audit(heal, over ? "incident.end" : "incident.reject", row->actor, life, row->reason);
	/* What never was confirmed is not worth a word. */
	if (row->diagnosis.by[0] != '\0')
		tell(heal, NOTICE_ENDED, life, row->state == LIFE_RESOLVED, "%s", row->reason);
	if (over)
		release_children(heal, life);
}

static void do_escalate(struct heal *heal, struct life *life, bool unanswered)
{
	/* A question that nobody answered is asked again, if it is still broken. */
	if (unanswered && heal->config->brakes.ask_again_ms > 0)
		life->row.wake_at = now_ms(heal) + heal->config->brakes.ask_again_ms;
	life->row.ordered = false;
	lesson_ended(heal, life);
	audit(heal, "incident.escalate", "", life, life->row.reason);
	tell(heal, NOTICE_ESCALATED, life, false, "%s", life->row.reason);
}

void handle_do(struct heal *heal, struct life *life, enum life_do act)
{
	enum hold hold = life->mind.hold;
	int64_t wake_at = life->row.wake_at;
	life->mind.hold = HOLD_NONE;
	life->row.wake_at = 0;
	switch (act) {
	case DO_NOTHING:
		break;
	case DO_WAIT:
		do_wait(life, wake_at);
		break;
	case DO_DIAGNOSE:
		do_diagnose(heal, life);
		break;
	case DO_DECIDE:
		do_decide(heal, life);
		break;
	case DO_ASK:
		do_ask(heal, life);
		break;
	case DO_POSTPONE:
		do_postpone(heal, life, hold, wake_at);
		break;
	case DO_SUPPRESS:
		do_suppress(heal, life);
		break;
	case DO_ACT:
		do_act(heal, life);
		break;
	case DO_LOOK:
		life->row.wake_at = now_ms(heal) + LOOK_DEADLINE_MS;
		start_look(heal, life, JOB_LOOKED);
		break;
	case DO_UNDO:
		life->row.wake_at = now_ms(heal) + ACT_DEADLINE_MS;
		start_act(heal, life, JOB_UNDONE);
		break;
	case DO_END:
		do_end(heal, life);
		break;
	case DO_ESCALATE:
		do_escalate(heal, life, life->before.state == LIFE_ASKING);
		break;
	}
}
