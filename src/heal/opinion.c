/*
 * The model's part in a diagnosis: when it is asked, what it may cost, and what its answer may
 * change. The price is booked before it is asked, in the same commit that says so: after a crash a
 * question that was in the air counts as paid, and is not asked again. What keeps it from answering
 * is told once; the rules go on.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "heal/internal.h"

#define DAY_MS 86400000LL
#define OPINIONS_MAX 2   /* of one life */
#define CACHED_MS DAY_MS /* the same signs get the same answer so long */
#define SHUT_MIN_MS 60000LL
#define SHUT_MAX_MS 1800000LL
#define MISCONFIGURED_MS 3600000LL
#define SURE 0.8 /* rules that are so sure need no second opinion */

struct inquiry {
	int64_t incident_id;
	int attempt;
	char signature[SIGNATURE_BYTES];
	struct mailbox *box;
	struct opinion_order order;
	struct mailbox *inbox;
};

static void opinion_main(struct arena **arena, void *body, int stop_fd)
{
	struct inquiry *order = body;
	(void)arena;
	struct arena *mail = arena_new(sizeof(struct diagnosis_answer) + 4096);
	struct diagnosis_answer *answer = ARENA_NEW(mail, struct diagnosis_answer);
	order->order.stop_fd = stop_fd;
	answer->is_opinion = true;
	answer->incident_id = order->incident_id;
	answer->attempt = order->attempt;
	answer->subject = order->order.incident;
	answer->box = order->box;
	STR_SET(answer->signature, order->signature);
	opinion_veil(&order->order);
	opinion_ask(&order->order, &answer->opinion);
	answer->list = answer->opinion.evidence;
	mailbox_send(order->inbox, MAIL_DIAGNOSIS, &mail, answer);
}

static const char *by_of(const struct heal *heal)
{
	return str_equal(heal->config->claude->provider, "openai") ? "model" : "claude";
}

/* The books, in facts: they count over restarts. */
static void keep_books(struct heal *heal)
{
	const struct model *model = &heal->model;
	char spent[200], reserved[64] = "", total[96];
	struct err err = {0};
	STR_FORMAT(spent, "%lld %.9f %lld %lld %d %lld", (long long)model->spent.day, model->spent.usd,
		(long long)model->spent.unpriced_calls, (long long)model->spent.hour, model->spent.calls,
		(long long)model->spent.shut_until_ms);
	if (model->reserved_for != 0)
		STR_FORMAT(reserved, "%lld %.9f", (long long)model->reserved_for, model->reserved_usd);
	STR_FORMAT(total, "%lld %lld %.9f", model->answered, model->unanswered, model->total_usd);
	if (must_store(heal))
		stored(heal,
			store_fact_set(heal->store, "model:total", total, &err) &&
				store_fact_set(heal->store, "model:spent", spent, &err) &&
				store_fact_set(heal->store, "model:reserved", reserved, &err) &&
				store_fact_set(heal->store, "model:told", model->told, &err),
			&err);
}

bool model_load(struct heal *heal, struct err *err)
{
	struct model *model = &heal->model;
	char spent[200], reserved[64], total[96];
	long long day = 0, unpriced = 0, hour = 0, shut = 0, incident = 0;
	if (!store_fact_get(heal->store, "model:total", total, sizeof(total), err) ||
		!store_fact_get(heal->store, "model:spent", spent, sizeof(spent), err) ||
		!store_fact_get(heal->store, "model:reserved", reserved, sizeof(reserved), err) ||
		!store_fact_get(heal->store, "model:told", model->told, sizeof(model->told), err))
		return false;
	if (sscanf(spent, "%20lld %30lf %20lld %20lld %9d %20lld", &day, &model->spent.usd, &unpriced,
			&hour, &model->spent.calls, &shut) == 6) {
		model->spent.day = day;
		model->spent.unpriced_calls = unpriced;
		model->spent.hour = hour;
		model->spent.shut_until_ms = shut;
	}
	if (sscanf(total, "%20lld %20lld %30lf", &model->answered, &model->unanswered,
			&model->total_usd) != 3)
		model->answered = model->unanswered = 0;
	if (sscanf(reserved, "%20lld %30lf", &incident, &model->reserved_usd) == 2)
		model->reserved_for = incident;
	return true;
}

/* A question that was in the air when the last run ended was perhaps answered, and billed. */
void model_resume(struct heal *heal)
{
	struct model *model = &heal->model;
	if (model->reserved_for == 0)
		return;
	log_info(
		"incident %lld: the last run ended while a model was asked: counted as paid, not asked "
		"again",
		(long long)model->reserved_for);
	if (isfinite(model->reserved_usd) && model->reserved_usd > 0 &&
		model->spent.day == now_ms(heal) / DAY_MS)
		model->spent.usd += model->reserved_usd;
	for (int i = 0; i < heal->life_count; i++)
		if (heal->lives[i]->row.id == model->reserved_for) {
			life_touch(heal->lives[i]);
			heal->lives[i]->mind.opinions = OPINIONS_MAX;
		}
	model->reserved_for = 0;
	model->reserved_usd = 0;
	keep_books(heal);
}

static void tell_trouble(struct heal *heal, const char *what, const char *why)
{
	struct model *model = &heal->model;
	log_warn("the model: %s: %s", what, why);
	if (model->told[0] != '\0')
		return;
	STR_SET(model->told, what);
	tell(heal, NOTICE_TROUBLE, NULL, false,
		"the model gives no answer (%s): %s. Healing goes on by rules.", what, why);
}

static void tell_mended(struct heal *heal)
{
	if (heal->model.told[0] != '\0')
		tell(heal, NOTICE_TROUBLE, NULL, true, "the model answers again");
	heal->model.told[0] = '\0';
}

/* Whether a life is one that a model is asked about at all. */
static bool is_wanted(const struct heal *heal, const struct life *life, int attempt)
{
	const struct incident *row = &life->row;
	bool is_rules = str_equal(row->diagnosis.by, "rules") ||
		str_equal(row->diagnosis.by, "claude") || str_equal(row->diagnosis.by, "model");
	if (heal->config->claude == NULL || !is_rules || row->finding == FINDING_NONE ||
		life->mind.opinions >= OPINIONS_MAX || in_storm(heal, life))
		return false;
	if (attempt > 0) /* a repair did not help, and the rules do not surely know why */
		return row->diagnosis.confidence < SURE && life->mind.opinions < attempt;
	return !diagnosis_is_answer(&row->diagnosis, row->finding);
}

/* Whether it can be asked now: open, not busy, within its budget. */
static bool is_affordable(struct heal *heal, double price)
{
	struct model *model = &heal->model;
	int64_t now = now_ms(heal);
	double spent = model->spent.day == now / DAY_MS ? model->spent.usd : 0;
	if (model->busy_until > now || model->shut_until > now)
		return false;
	if (price == 0 || spent + price <= heal->config->claude->usd_a_day)
		return true;
	model->shut_until = (now / DAY_MS + 1) * DAY_MS;
	char why[160];
	STR_FORMAT(why,
		"$%.4f of daily_budget_usd $%.2f are spent, and a question may cost $%.4f: not "
		"asked before midnight UTC",
		spent, heal->config->claude->usd_a_day, price);
	tell_trouble(heal, claude_outcome_name(CLAUDE_SPENT), why);
	keep_books(heal);
	return false;
}

static void list_actions(enum component_kind kind, struct opinion_actions *list)
{
	int n = 0;
	for (int i = 0; actions[i] != NULL && n < OPINION_ACTIONS - 1; i++)
		if (actions[i]->info.kind == kind)
			list->info[n++] = &actions[i]->info;
	list->info[n] = NULL;
}

/* False: the answer counts for nothing. */
static bool clamped(struct heal *heal, const struct life *life, const struct incident *row,
	const struct evidence_list *list, const char *text, struct diagnosis *made)
{
	struct opinion_actions actions_of;
	char why[400] = "";
	list_actions(row->component.kind, &actions_of);
	struct clamp clamp = {.actions = &actions_of,
		.component = &row->component,
		.rules = &row->diagnosis,
		.evidence = list,
		.by = by_of(heal)};
	if (!opinion_clamp(&clamp, text, made, why, sizeof(why))) {
		tell_trouble(heal, claude_outcome_name(CLAUDE_GARBLED), why);
		return false;
	}
	if (why[0] != '\0')
		audit(heal, "model.refused", clamp.by, life, why);
	return true;
}

static bool adopt(
	struct heal *heal, struct life *life, const struct evidence_list *list, const char *text)
{
	struct incident *row = &life->row;
	struct diagnosis made;
	if (!clamped(heal, life, row, list, text, &made))
		return false;
	/* What a person was asked about must not change under the question. */
	if (row->state == LIFE_ASKING) {
		STR_SET(made.action, row->diagnosis.action);
		STR_SET(made.params, row->diagnosis.params);
	}
	bool is_new = row->diagnosis.action[0] == '\0' && made.action[0] != '\0';
	row->diagnosis = made;
	if (is_new && row->state == LIFE_ESCALATED)
		life_raise(heal, life, EVENT_WAKE);
	return true;
}

static bool take_cached(
	struct heal *heal, struct life *life, const struct evidence_list *list, const char *signature)
{
	char text[OPINION_BYTES];
	struct err err = {0};
	stored(heal,
		store_verdict_get(
			heal->store, signature, now_ms(heal) - CACHED_MS, text, sizeof(text), &err),
		&err);
	return text[0] != '\0' && adopt(heal, life, list, text);
}

/* The order in an arena that the job takes. NULL: it cannot be asked now. */
static struct inquiry *prepare(struct heal *heal, const struct incident *incident,
	const struct evidence_list *list, struct arena **arena, double *price)
{
	*arena = arena_new(sizeof(struct inquiry) + 4096);
	struct inquiry *order = ARENA_NEW(*arena, struct inquiry);
	order->incident_id = incident->id;
	order->attempt = incident->attempt;
	order->inbox = heal->inbox;
	diagnosis_signature(incident, list, order->signature);
	order->order.config = heal->config;
	order->order.clock = heal->clock;
	order->order.incident = *incident;
	order->order.evidence = *list;
	order->order.spent = heal->model.spent;
	list_actions(incident->component.kind, &order->order.actions);
	*price = opinion_price(&order->order);
	if (is_affordable(heal, *price))
		return order;
	arena_free(*arena);
	return NULL;
}

/* How long all models together may take. */
static int64_t longest_ms(const struct heal *heal)
{
	const struct config_claude *claude = heal->config->claude;
	return claude->deadline_ms * (claude->strong_model != NULL ? 2 : 1) + 5000;
}

static void ask(struct heal *heal, const struct life *life, struct arena *arena,
	struct inquiry *order, double price)
{
	struct model *model = &heal->model;
	model->busy_until = now_ms(heal) + longest_ms(heal) + SHUT_MIN_MS;
	model->reserved_for = order->incident_id != 0 ? order->incident_id : -1;
	model->reserved_usd = price;
	keep_books(heal);
	audit(heal, "model.ask", by_of(heal), life, heal->config->claude->model);
	effect_job(heal, "opinion", opinion_main, arena, order);
}

bool opinion_start(struct heal *heal, struct life *life, const struct diagnosis_answer *evidence)
{
	const struct evidence_list *list = &evidence->list;
	char signature[SIGNATURE_BYTES];
	struct arena *arena;
	double price;
	if (!is_wanted(heal, life, evidence->attempt))
		return false;
	life->mind.opinions++;
	diagnosis_signature(&life->row, list, signature);
	if (take_cached(heal, life, list, signature))
		return false;
	struct inquiry *order = prepare(heal, &life->row, list, &arena, &price);
	if (order == NULL)
		return false;
	ask(heal, life, arena, order, price);
	if (life->row.state == LIFE_DIAGNOSING)
		life->row.wake_at = now_ms(heal) + longest_ms(heal);
	return true;
}

void opinion_start_for(struct heal *heal, const struct diagnosis_answer *evidence)
{
	struct arena *arena;
	double price;
	struct inquiry *order = heal->config->claude != NULL
		? prepare(heal, &evidence->subject, &evidence->list, &arena, &price)
		: NULL;
	if (order == NULL) {
		person_answer(heal, evidence->box, &evidence->subject, &evidence->list,
			heal->config->claude == NULL ? "no model is configured: this is by rules"
										 : "the model is not asked now: this is by rules");
		return;
	}
	order->box = evidence->box;
	ask(heal, NULL, arena, order, price);
}

/* How long it is left alone after this. A refusal is about one text only. */
static void shut(struct heal *heal, const struct opinion *opinion)
{
	struct model *model = &heal->model;
	int64_t now = now_ms(heal), wait = SHUT_MIN_MS;
	if (opinion->outcome == CLAUDE_DECLINED || opinion->outcome == CLAUDE_CANCELLED)
		return;
	for (int i = 0; i < model->failures && wait < SHUT_MAX_MS; i++)
		wait *= 2;
	model->failures++;
	if (opinion->outcome == CLAUDE_MISCONFIGURED)
		wait = MISCONFIGURED_MS;
	model->shut_until = now + (wait < SHUT_MAX_MS || wait == MISCONFIGURED_MS ? wait : SHUT_MAX_MS);
	if (opinion->outcome == CLAUDE_SPENT && opinion->spent.shut_until_ms > model->shut_until)
		model->shut_until = opinion->spent.shut_until_ms;
}

static void note_cost(struct heal *heal, const struct life *life, const struct opinion *opinion)
{
	char text[240];
	STR_FORMAT(text, "%s: %s, %lld tokens in, %lld out, %s$%.5f", opinion->model,
		claude_outcome_name(opinion->outcome), (long long)opinion->usage.in_tokens,
		(long long)opinion->usage.out_tokens, opinion->cost_known ? "" : "at least ",
		opinion->cost_usd);
	audit(heal, "model.answer", by_of(heal), life, text);
}

/* Whoever asked is answered by what there is. */
static void answer_person(struct heal *heal, const struct diagnosis_answer *answer)
{
	const struct opinion *opinion = &answer->opinion;
	struct incident subject = answer->subject;
	struct diagnosis made;
	char note[200];
	bool ok = opinion->outcome == CLAUDE_ANSWERED &&
		clamped(heal, NULL, &answer->subject, &answer->list, opinion->answer, &made);
	if (ok)
		subject.diagnosis = made;
	STR_FORMAT(note, "%s: %s, %s$%.4f%s", opinion->model, claude_outcome_name(opinion->outcome),
		opinion->cost_known ? "" : "at least ", opinion->cost_usd, ok ? "" : ": this is by rules");
	person_answer(heal, answer->box, &subject, &answer->list, note);
}

static void keep_answer(struct heal *heal, const struct diagnosis_answer *answer)
{
	struct err err = {0};
	heal->model.failures = 0;
	tell_mended(heal);
	if (must_store(heal))
		stored(heal,
			store_verdict_set(heal->store, answer->signature, answer->opinion.model,
				answer->opinion.answer, now_ms(heal), &err),
			&err);
}

void opinion_take(struct heal *heal, struct life *life, const struct diagnosis_answer *answer)
{
	struct model *model = &heal->model;
	const struct opinion *opinion = &answer->opinion;
	model->busy_until = 0;
	model->reserved_for = 0;
	model->reserved_usd = 0;
	model->spent = opinion->spent;
	model->total_usd += opinion->cost_usd;
	model->answered += opinion->outcome == CLAUDE_ANSWERED;
	model->unanswered += opinion->outcome != CLAUDE_ANSWERED;
	note_cost(heal, life, opinion);
	if (opinion->outcome != CLAUDE_ANSWERED) {
		shut(heal, opinion);
		if (opinion->outcome != CLAUDE_CANCELLED)
			tell_trouble(heal, claude_outcome_name(opinion->outcome), opinion->why);
	} else if (life == NULL || adopt(heal, life, &answer->list, opinion->answer)) {
		keep_answer(heal, answer);
	}
	if (answer->box != NULL)
		answer_person(heal, answer);
	keep_books(heal);
}
