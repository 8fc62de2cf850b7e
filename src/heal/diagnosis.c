/*
 * DO_DIAGNOSE: rules at once; evidence by a job; a model where the rules have no answer, or their
 * remedy did not help. What a rule answers is acted on without waiting for any of it.
 */
#include <string.h>

#include "base/str.h"
#include "diagnose/evidence.h"
#include "heal/internal.h"

#define GATHER_MS (EVIDENCE_DEADLINE_MS + 7000)

bool in_storm(const struct heal *heal, const struct life *life)
{
	for (int i = 0; i < heal->source_count; i++)
		if (str_equal(heal->sources[i].status.name, life->row.component.source))
			return heal->sources[i].storm.active;
	return false;
}

static bool is_leaf(enum component_kind kind)
{
	return kind == COMPONENT_CONTAINER || kind == COMPONENT_GUEST || kind == COMPONENT_SERVICE;
}

/* Leaves that fail together may have one cause; a daemon or a node is no leaf. */
static void note_failure(struct heal *heal, const struct life *life)
{
	int source = source_find(heal, life->row.component.source);
	if (source < 0 || !is_leaf(life->row.component.kind) || life->row.aspect != ASPECT_STATE)
		return;
	struct source_state *state = &heal->sources[source];
	if (storm_note(&state->storm, &heal->config->brakes, now_ms(heal)))
		tell(heal, NOTICE_STORM, NULL, false,
			"%s: %d components failed within %lld s: healing waits until the common cause is "
			"known to be gone",
			state->status.name, state->storm.failures,
			(long long)(heal->config->brakes.storm_ms / 1000));
}

/* Those that this one is the cause of need not be asked about, nor healed, before it. */
static void suppress_children(struct heal *heal, const struct life *parent)
{
	int count = heal->life_count;
	for (int i = 0; i < count; i++)
		if (life_rule(heal->lives[i]->row.state, EVENT_PARENT_FAILED) != NULL &&
			parent_of(heal, heal->lives[i]) == parent)
			life_raise(heal, heal->lives[i], EVENT_PARENT_FAILED);
}

void tell_cause(struct heal *heal, struct life *life)
{
	char cause[sizeof(life->mind.told_cause)];
	STR_SET(cause, life->row.diagnosis.cause);
	if (str_equal(cause, life->mind.told_cause))
		return;
	STR_SET(life->mind.told_cause, cause);
	tell(heal, NOTICE_DETECTED, life, false, "%s", life->row.diagnosis.cause);
}

/* What is known is told and decided on. */
static void conclude(struct heal *heal, struct life *life, enum life_event event)
{
	life_reason(life, "%s", life->row.diagnosis.cause);
	/* Where nothing can be done, the escalation says it all. */
	if (!in_storm(heal, life) && life->row.diagnosis.action[0] != '\0')
		tell_cause(heal, life);
	life_raise(heal, life, event);
}

void do_diagnose(struct heal *heal, struct life *life)
{
	struct diagnosis *diagnosis = &life->row.diagnosis;
	/* Taken up after a restart, it is not seen anew: what was known counts. */
	if (heal->sight != NULL || diagnosis->by[0] == '\0')
		diagnose_by_rules(life->row.finding, &life->row.component, heal->sight, diagnosis);
	lesson_relapsed(heal, life);
	lesson_known(heal, life);
	note_failure(heal, life);
	suppress_children(heal, life);
	bool is_on_its_way = gather(heal, life);
	if (!is_on_its_way || diagnosis_is_answer(diagnosis, life->row.finding)) {
		conclude(heal, life, EVENT_DIAGNOSED);
		return;
	}
	life_reason(life, "the cause is looked for");
	life->row.wake_at = now_ms(heal) + GATHER_MS;
}

void diagnosis_due(struct heal *heal, struct life *life)
{
	conclude(heal, life, EVENT_TIMEOUT);
}

void diagnose_again(struct heal *heal, struct life *life)
{
	if (life->row.finding != FINDING_NONE && life->mind.gathered != life->row.attempt + 1)
		gather(heal, life);
}

/* What the evidence says is taken over into what the rules had said, if that still stands. */
static void refine(struct life *life, const struct diagnosis *refined)
{
	struct diagnosis *own = &life->row.diagnosis;
	if (!str_equal(own->by, refined->by) || !str_equal(own->action, refined->action) ||
		!str_equal(own->params, refined->params) || refined->confidence < own->confidence)
		return;
	bool unproven = own->unproven || refined->unproven;
	*own = *refined;
	own->unproven = unproven;
}

static void take_evidence(
	struct heal *heal, struct life *life, const struct diagnosis_answer *answer)
{
	struct err err = {0};
	heal->gather_until[answer->slot] = 0;
	if (answer->box != NULL) {
		opinion_start_for(heal, answer);
		return;
	}
	if (must_store(heal))
		stored(heal,
			store_evidence_set(
				heal->store, answer->incident_id, answer->attempt, &answer->list, &err),
			&err);
	if (life == NULL)
		return;
	refine(life, &answer->subject.diagnosis);
	bool asked = opinion_start(heal, life, answer);
	if (!asked && life->row.state == LIFE_DIAGNOSING)
		conclude(heal, life, EVENT_DIAGNOSED);
}

/* Whatever state the life is in by now: what was learnt of it is kept. */
void take_diagnosis(struct heal *heal, void *body)
{
	const struct diagnosis_answer *answer = body;
	struct life *life = answer->box == NULL ? life_by_id(heal, answer->incident_id) : NULL;
	struct err err = {0};
	if (life != NULL)
		life_touch(life);
	if (!answer->is_opinion) {
		take_evidence(heal, life, answer);
	} else {
		opinion_take(heal, life, answer);
		if (life != NULL && life->row.state == LIFE_DIAGNOSING)
			conclude(heal, life,
				answer->opinion.outcome == CLAUDE_ANSWERED ? EVENT_DIAGNOSED : EVENT_FAILED);
	}
	if (life != NULL && heal->queued == 0 && must_store(heal))
		stored(heal, store_incident_update(heal->store, &life->row, "", &err), &err);
}
