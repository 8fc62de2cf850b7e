/*
 * DO_DECIDE: what is known of an incident becomes a situation, the safety kernel's verdict becomes
 * an event. Nothing here acts.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "heal/internal.h"

#define HOUR_MS 3600000

void recent_add(struct heal *heal, const char *component, int64_t began_at)
{
	if (heal->recent_count == heal->recent_capacity) {
		heal->recent_capacity = heal->recent_capacity * 2 + 16;
		heal->recent = realloc(heal->recent, (size_t)heal->recent_capacity * sizeof(*heal->recent));
		if (heal->recent == NULL)
			abort();
	}
	struct recent_action *recent = &heal->recent[heal->recent_count++];
	STR_SET(recent->component, component);
	recent->began_at = began_at;
}

static int64_t longest_memory(const struct heal *heal)
{
	const struct config_brakes *brakes = &heal->config->brakes;
	int64_t longest = HOUR_MS;
	if (brakes->budget_ms > longest)
		longest = brakes->budget_ms;
	if (brakes->backoff_reset_ms + brakes->backoff_max_ms > longest)
		longest = brakes->backoff_reset_ms + brakes->backoff_max_ms;
	return longest;
}

bool recent_reset(struct heal *heal, const char *component)
{
	int old = 0;
	while (old < heal->reset_count && heal->resets[old].at < now_ms(heal) - longest_memory(heal))
		old++;
	heal->reset_count -= old;
	memmove(heal->resets, heal->resets + old, (size_t)heal->reset_count * sizeof(*heal->resets));
	if (heal->reset_count == RESETS_MAX)
		return false;
	struct reset *reset = &heal->resets[heal->reset_count++];
	STR_SET(reset->component, component);
	reset->at = now_ms(heal);
	return true;
}

static int64_t reset_at(const struct heal *heal, const char *component)
{
	for (int i = heal->reset_count - 1; i >= 0; i--)
		if (strcmp(heal->resets[i].component, component) == 0)
			return heal->resets[i].at;
	return 0;
}

void recent_take_back(struct heal *heal, const char *component)
{
	for (int i = heal->recent_count - 1; i >= 0; i--) {
		if (strcmp(heal->recent[i].component, component) != 0)
			continue;
		heal->recent_count--;
		memmove(heal->recent + i, heal->recent + i + 1,
			(size_t)(heal->recent_count - i) * sizeof(*heal->recent));
		return;
	}
}

/* Forgets what no brake asks for any more. */
static void recent_prune(struct heal *heal)
{
	int64_t oldest = now_ms(heal) - longest_memory(heal);
	int old = 0;
	while (old < heal->recent_count && heal->recent[old].began_at < oldest)
		old++;
	if (old == 0)
		return;
	heal->recent_count -= old;
	memmove(heal->recent, heal->recent + old, (size_t)heal->recent_count * sizeof(*heal->recent));
}

static struct budget budget_of(const struct heal *heal, const char *component)
{
	struct attempts attempts = {0};
	int room = (int)(sizeof(attempts.began_at) / sizeof(attempts.began_at[0]));
	int64_t since = reset_at(heal, component);
	for (int i = 0; i < heal->recent_count; i++) {
		if (strcmp(heal->recent[i].component, component) != 0 || heal->recent[i].began_at < since)
			continue;
		if (attempts.count == room) { /* the oldest matter least */
			memmove(attempts.began_at, attempts.began_at + 1, (size_t)(room - 1) * sizeof(int64_t));
			attempts.count--;
		}
		attempts.began_at[attempts.count++] = heal->recent[i].began_at;
	}
	return budget_judge(&attempts, &heal->config->brakes, now_ms(heal));
}

/* When the hourly cap allows the next action; 0: now. */
static int64_t hour_free_at(const struct heal *heal)
{
	int hourly = heal->config->brakes.hourly;
	if (heal->recent_count < hourly)
		return 0;
	int64_t at = heal->recent[heal->recent_count - hourly].began_at + HOUR_MS;
	return at > now_ms(heal) ? at : 0;
}

static bool make_plan(struct life *life, const struct action *action)
{
	struct plan *plan = &life->row.plan;
	const struct component *component = &life->row.component;
	*plan = (struct plan){0};
	if (action == NULL)
		return false;
	STR_SET(plan->action, action->info.name);
	STR_SET(plan->component, component->name);
	STR_SET(plan->label, component->label);
	STR_SET(plan->source, component->source);
	STR_SET(plan->native, component->native);
	STR_SET(plan->params, life->row.diagnosis.params);
	plan_title(&action->info, component, plan->params, plan->title, sizeof(plan->title));
	return true;
}

/* What people have said to exactly this plan: a valid approval that no action has used, or later.
 */
static void weigh_approval(struct heal *heal, struct life *life, struct situation *s)
{
	struct approval approval = {0};
	struct err err = {0};
	stored(heal, store_approval_newest(heal->store, life->row.id, &approval, &err), &err);
	s->approved = approval_allows(&approval, &life->row, s->now_ms);
	s->later_until = approval_later(&approval, &life->row);
	if (!s->ordered)
		STR_SET(life->row.actor, s->approved ? approval.actor : "");
}

/* What has rarely helped is asked about; what a policy row lets run once it has proved itself is
 * asked about until then. */
static void weigh_record(
	struct heal *heal, const struct life *life, const struct weight *weight, struct situation *s)
{
	struct chance chance = lesson_chance(heal, life, life->row.diagnosis.action);
	if (100 * chance.low < heal->config->learn.demote)
		s->unproven = true;
	if (s->consent == CONSENT_AUTO && 100 * chance.low < weight->proven)
		s->consent = CONSENT_DEFAULT;
}

/* A probe's remedy acts on what the probe looks at: that one's rows, label, locks and rest hold for
 * it too. What no source lists is not known well enough to be acted on unasked. */
static void weigh_target(struct heal *heal, const struct life *life, struct situation *s)
{
	if (life->row.component.kind != COMPONENT_PROBE || life->row.component.parent[0] == '\0')
		return;
	const struct member *member = member_find(heal, life->row.component.parent);
	if (member == NULL) {
		s->seen = false;
		return;
	}
	struct component target = {
		.kind = member->kind, .has_risk = member->has_risk, .risk = member->risk};
	STR_SET(target.name, member->name);
	STR_SET(target.label, member->label);
	STR_SET(target.parent, member->parent);
	STR_SET(target.source, heal->sources[member->source].status.name);
	bool is_container = member->kind == COMPONENT_CONTAINER;
	struct weight weight = risk_weigh(heal->config, &target,
		is_container ? "docker.container.restart" : "systemd.unit.restart", RISK_LOW);
	if (weight.risk > s->risk)
		s->risk = weight.risk;
	if (weight.consent > CONSENT_AUTO && weight.consent > s->consent)
		s->consent = weight.consent;
	if (s->held[0] == '\0')
		STR_SET(s->held, member->held);
	const char *why;
	int64_t until = rests_until(heal, &target, &why);
	if (until > s->rests_until) {
		s->rests_until = until;
		s->rests_why = why;
	}
}

static struct situation situation_of(struct heal *heal, struct life *life)
{
	const struct action *action = action_find(life->row.diagnosis.action);
	struct situation s = {
		.healing = heal->healing,
		.ordered = life->row.ordered,
		.has_action = make_plan(life, action),
		.seen = finding_is_seen(life->row.finding),
		.cut_off = heal->cut_off,
		.acting = heal->acting,
		.acting_max = heal->config->brakes.concurrent,
		.hour_free_at = hour_free_at(heal),
		.now_ms = now_ms(heal),
	};
	s.rests_until = rests_until(heal, &life->row.component, &s.rests_why);
	if (action == NULL)
		return s;
	struct weight weight = risk_weigh(
		heal->config, &life->row.component, action->info.name, action->info.floor);
	/* Who made the diagnosis can raise the risk, never lower it. */
	s.risk = life->row.diagnosis.risk > weight.risk ? life->row.diagnosis.risk : weight.risk;
	s.consent = weight.consent;
	const struct member *member = member_find(heal, life->row.component.name);
	if (member != NULL)
		STR_SET(s.held, member->held);
	weigh_target(heal, life, &s);
	life->row.plan.risk = s.risk;
	s.unproven = life->row.diagnosis.unproven;
	plan_seal(&life->row.plan);
	weigh_record(heal, life, &weight, &s);
	s.budget = budget_of(heal, life->row.component.name);
	weigh_approval(heal, life, &s);
	int source = source_find(heal, life->row.component.source);
	s.storm = source >= 0 && heal->sources[source].storm.active;
	return s;
}

void do_decide(struct heal *heal, struct life *life)
{
	static const enum life_event events[] = {
		[VERDICT_ALLOW] = EVENT_ALLOWED,
		[VERDICT_ASK] = EVENT_NEEDS_HUMAN,
		[VERDICT_FORBID] = EVENT_FORBIDDEN,
		[VERDICT_POSTPONE] = EVENT_POSTPONE,
	};
	struct life *parent = parent_of(heal, life);
	if (parent != NULL && !life->row.ordered) {
		life_raise(heal, life, EVENT_PARENT_FAILED);
		return;
	}
	/* An order on what had not failed is for once: what became of it is a person's to judge. */
	bool is_new = is_proposal(life) && life->row.attempt == 0;
	if (life->row.finding == FINDING_NONE && !life->row.ordered && !is_new) {
		life_raise(heal, life, EVENT_FORBIDDEN);
		return;
	}
	if (life->row.attempt > 0 && !life->row.ordered)
		diagnose_again(heal, life);
	recent_prune(heal);
	struct situation s = situation_of(heal, life);
	struct verdict verdict = policy_decide(&s);
	bool is_told = verdict.kind == VERDICT_FORBID && !s.has_action;
	life_reason(life, "%s", is_told ? life->row.diagnosis.cause : verdict.reason);
	/* do_postpone reads these: the event that carries them is handled next. */
	life->mind.hold = verdict.hold;
	life->row.wake_at = verdict.wake_at;
	life_raise(heal, life, events[verdict.kind]);
}
