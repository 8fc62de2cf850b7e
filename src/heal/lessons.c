/*
 * What is learnt: outcomes that were verified, people's answers, relapses, and what got well by
 * itself; and what that says of the next time. What is learnt can hold an action back until a
 * person says so; alone it lets nothing run.
 */
#include <string.h>

#include "base/str.h"
#include "heal/internal.h"

#define DAY_MS 86400000LL
#define REJECTIONS 3
/* A pattern is known when so many incidents, verified, say so. */
#define KNOWN_TRIALS 3
#define KNOWN_LOW 0.5

static void add(struct heal *heal, const struct incident *row, struct lesson *lesson)
{
	struct err err = {0};
	lesson->finding = row->finding;
	lesson->kind = row->component.kind;
	lesson->last_at = now_ms(heal);
	STR_SET(lesson->component, row->component.name);
	if (lesson->action[0] == '\0')
		STR_SET(lesson->action, row->plan.action);
	if (lesson->action[0] != '\0' && row->finding != FINDING_NONE && must_store(heal))
		stored(heal, store_lesson_add(heal->store, lesson, &err), &err);
}

/* One incident is one trial: the attempts in it say the same thing again. */
void lesson_ended(struct heal *heal, struct life *life)
{
	const struct incident *row = &life->row;
	struct lesson lesson = {0};
	bool tried = row->attempt > life->mind.counted;
	if (row->state == LIFE_RESOLVED && tried) {
		lesson.healed = 1;
		lesson.seconds = (double)(now_ms(heal) - row->opened_at) / 1000;
	} else if (row->state == LIFE_ESCALATED && tried) {
		lesson.failed = 1;
	} else if (row->state == LIFE_CLEARED && row->attempt == 0 &&
		row->diagnosis.action[0] != '\0' && str_equal(row->reason, WELL_AGAIN)) {
		lesson.untouched = 1;
		STR_SET(lesson.action, row->diagnosis.action);
	} else {
		return;
	}
	life->mind.counted = row->attempt;
	add(heal, row, &lesson);
}

struct search {
	const char *action, *component;
	struct lesson own, kind;
};

static void sum_up(void *ctx, const struct lesson *lesson)
{
	struct search *search = ctx;
	if (strcmp(lesson->action, search->action) != 0)
		return;
	search->kind.healed += lesson->healed;
	search->kind.failed += lesson->failed;
	if (strcmp(lesson->component, search->component) == 0)
		search->own = *lesson;
}

static void look_up(
	struct heal *heal, const struct incident *row, const char *action, struct search *search)
{
	struct err err = {0};
	*search = (struct search){.action = action, .component = row->component.name};
	stored(heal,
		store_lessons_of(heal->store, row->finding, row->component.kind, sum_up, search, &err),
		&err);
}

struct chance lesson_chance(struct heal *heal, const struct life *life, const char *action)
{
	struct search search;
	look_up(heal, &life->row, action, &search);
	return learn_chance(&search.own, &search.kind);
}

void lesson_decided(struct heal *heal, const struct life *life, const struct approval *approval,
	bool approved, char *offer, size_t size)
{
	struct search search;
	struct lesson lesson = {.approved = approved,
		.rejected = !approved,
		.approval_seconds = (double)(now_ms(heal) - approval->asked_at) / 1000};
	offer[0] = '\0';
	add(heal, &life->row, &lesson);
	look_up(heal, &life->row, life->row.plan.action, &search);
	if (!approved && search.own.in_a_row >= REJECTIONS)
		str_format(offer, size,
			". Rejected %lld times in a row: to be asked no more, add to policy: "
			"- { match: { action: %s, component: %s }, then: never }",
			(long long)search.own.in_a_row, life->row.plan.action, life->row.component.name);
}

struct relapse {
	enum finding_kind finding;
	int64_t since, self;
	bool seen, found;
	struct incident last;
};

static void take_last(void *ctx, const struct incident *incident)
{
	struct relapse *relapse = ctx;
	if (incident->id == relapse->self || relapse->seen)
		return;
	relapse->seen = true;
	relapse->found = incident->state == LIFE_RESOLVED && incident->attempt > 0 &&
		incident->finding == relapse->finding && incident->ended_at >= relapse->since;
	relapse->last = *incident;
}

void lesson_relapsed(struct heal *heal, const struct life *life)
{
	struct err err = {0};
	struct lesson lesson = {.relapsed = 1};
	struct relapse relapse = {
		.finding = life->row.finding, .since = now_ms(heal) - DAY_MS, .self = life->row.id};
	stored(heal,
		store_incidents_of(heal->store, life->row.component.name, 2, take_last, &relapse, &err),
		&err);
	if (relapse.found)
		add(heal, &relapse.last, &lesson);
}

/* What has helped before against the same trouble, where the rules have no remedy or no cause: the
 * action with the best lower bound. A person is asked, unless it is the rules' own. */
void lesson_known(struct heal *heal, struct life *life)
{
	struct diagnosis *diagnosis = &life->row.diagnosis;
	struct chance best = {0};
	const struct action *known = NULL;
	if (diagnosis_is_answer(diagnosis, life->row.finding) && diagnosis->action[0] != '\0')
		return;
	for (int i = 0; actions[i] != NULL; i++) {
		const struct action_info *info = &actions[i]->info;
		char params[PARAMS_MAX_BYTES];
		struct search search;
		if (info->kind != life->row.component.kind || !params_check(info, "", params, NULL))
			continue;
		look_up(heal, &life->row, info->name, &search);
		struct chance chance = learn_chance(&search.own, &search.kind);
		if (search.kind.healed + search.kind.failed < KNOWN_TRIALS || chance.low < KNOWN_LOW ||
			chance.low <= best.low)
			continue;
		best = chance;
		known = actions[i];
	}
	if (known == NULL)
		return;
	diagnosis->unproven = diagnosis->unproven || !str_equal(diagnosis->action, known->info.name);
	STR_SET(diagnosis->action, known->info.name);
	diagnosis->params[0] = '\0';
	STR_SET(diagnosis->by, "known");
	if (best.mean > diagnosis->confidence)
		diagnosis->confidence = best.mean;
	STR_FORMAT(diagnosis->alternatives, "this has helped before: %.0f to %.0f of 100 times",
		100 * best.low, 100 * best.high);
}

void lesson_tell(struct heal *heal, const struct incident *row, struct evidence_list *list)
{
	struct search search;
	const char *action = row->diagnosis.action;
	if (action[0] == '\0')
		return;
	look_up(heal, row, action, &search);
	struct chance chance = learn_chance(&search.own, &search.kind);
	int64_t of_kind = search.kind.healed + search.kind.failed;
	if (of_kind + search.own.untouched == 0)
		return;
	evidence_addf(list, EVIDENCE_PAST, search.own.last_at, "homeostat",
		"%s here: healed %lld of %lld, relapsed within a day %lld times; got well untouched %lld "
		"times; of its kind %lld of %lld; chance %.0f %% (%.0f to %.0f)",
		action, (long long)search.own.healed, (long long)chance.n, (long long)search.own.relapsed,
		(long long)search.own.untouched, (long long)search.kind.healed, (long long)of_kind,
		100 * chance.mean, 100 * chance.low, 100 * chance.high);
}
