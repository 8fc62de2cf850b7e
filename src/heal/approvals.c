/*
 * Approvals as people give them: by whom, of what, once, in time. Whether one counts is
 * decide/approval.c's to say.
 */
#include <string.h>

#include "base/str.h"
#include "heal/internal.h"

/* Why this request cannot decide what is open; NULL: it can. */
static const char *objection(struct heal *heal, const struct request *request,
	const struct life *life, const struct approval *approval)
{
	const char *why;
	if (!approval_is_open(approval, &life->row, now_ms(heal), &why))
		return why;
	if (life->row.state != LIFE_ASKING)
		return "it is not waiting for an answer any more";
	if (request->plan_hash[0] != '\0' && !str_equal(request->plan_hash, approval->plan_hash))
		return "the plan has changed since it was shown";
	return NULL;
}

/* Two persons have to agree to what is dangerous, where the configuration says so. */
static bool wants_second(struct heal *heal, const struct request *request, const struct life *life,
	const struct approval *approval, struct answer *answer)
{
	struct err err = {0};
	if (!heal->config->brakes.two_persons || life->row.plan.risk != RISK_HIGH || !request->approve)
		return false;
	if (str_equal(approval->first_actor, request->actor)) {
		answer_with(answer, 409, "you have approved it already: a second person has to agree");
		return true;
	}
	if (approval->first_actor[0] != '\0')
		return false;
	if (must_store(heal))
		stored(heal, store_approval_second(heal->store, approval->id, request->actor, &err), &err);
	audit(heal, "approval.first", request->actor, life, life->row.plan.title);
	answer_with(answer, 200, "noted: a second person has to agree before it is done");
	return true;
}

static void put_off(struct heal *heal, struct life *life, const struct request *request)
{
	char clock[12];
	life->mind.hold = HOLD_TIME;
	life->row.wake_at = now_ms(heal) + request->for_ms;
	str_clock(clock, life->row.wake_at);
	life_reason(life, "put off until %s by %s", clock, request->actor);
	life_raise(heal, life, EVENT_POSTPONE);
}

static void carry_out(struct heal *heal, const struct request *request, struct life *life,
	const struct approval *approval, struct answer *answer)
{
	char offer[300] = "";
	bool later = request->for_ms > 0 && !request->approve;
	const char *what = request->approve ? "approved" : later ? "put off" : "rejected";
	life_touch(life);
	STR_SET(life->row.actor, request->actor);
	if (!later)
		lesson_decided(heal, life, approval, request->approve, offer, sizeof(offer));
	tell(heal, NOTICE_DECIDED, life, request->approve, "%s by %s%s", what, request->actor, offer);
	if (request->approve) {
		life_raise(heal, life, EVENT_APPROVED);
	} else if (later) {
		put_off(heal, life, request);
	} else {
		life_reason(life, "rejected by %s: no action taken", request->actor);
		life_raise(heal, life, EVENT_REFUSED);
		if (is_proposal(life))
			life_raise(heal, life, EVENT_CLEARED); /* there is nothing that could clear */
	}
	answer->status = 200;
	answer->ok = true;
	answer->incident_id = life->row.id;
	STR_FORMAT(answer->text, "%s: %s%s", what, life->row.plan.title, offer);
}

void decide_approval(struct heal *heal, const struct request *request, struct answer *answer)
{
	struct life *life = life_by_id(heal, request->incident_id);
	struct approval approval = {0};
	struct err err = {0};
	if (life == NULL) {
		answer_with(answer, 404, "there is no open incident of this number");
		return;
	}
	stored(heal, store_approval_newest(heal->store, life->row.id, &approval, &err), &err);
	const char *why = objection(heal, request, life, &approval);
	if (why != NULL) {
		answer->status = 409;
		STR_FORMAT(answer->text, "nothing was done: %s (incident %lld is %s)", why,
			(long long)life->row.id, life_state_name(life->row.state));
		return;
	}
	if (wants_second(heal, request, life, &approval, answer))
		return;
	approval.decided_at = now_ms(heal);
	approval.approved = request->approve;
	if (!request->approve && request->for_ms > 0)
		approval.later = approval.decided_at + request->for_ms;
	STR_SET(approval.actor, request->actor);
	if (must_store(heal))
		stored(heal, store_approval_decide(heal->store, &approval, &err), &err);
	audit(heal,
		approval.approved         ? "approval.yes"
			: approval.later != 0 ? "approval.later"
								  : "approval.no",
		request->actor, life, life->row.plan.title);
	carry_out(heal, request, life, &approval, answer);
}
