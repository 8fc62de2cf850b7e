/*
 * Evidence of a life: what the core itself knows (neighbours, earlier incidents, sources that came
 * and went), then a job that reads what the component's own system tells. Few at a time: in a
 * storm nobody reads a thousand logs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "diagnose/evidence.h"
#include "heal/internal.h"

#define SLOT_MS 30000
#define NEAR_MS 60000
#define NEIGHBOURS_MAX 8
#define PAST_MAX 6
#define LATELY_MS 600000

struct gather_order {
	int64_t incident_id;
	int attempt, slot;
	struct incident incident;
	struct mailbox *box;
	struct evidence_list list;
	const struct config *config;
	const struct clock *clock;
	struct mailbox *inbox;
};

static void gather_main(struct arena **arena, void *body, int stop_fd)
{
	struct gather_order *order = body;
	struct evidence_order what = {.config = order->config,
		.clock = order->clock,
		.stop_fd = stop_fd,
		.component = order->incident.component,
		.aspect = order->incident.aspect,
		.failed_at = order->attempt == 0 ? order->incident.failed_at : 0};
	(void)arena;
	struct arena *mail = arena_new(sizeof(struct diagnosis_answer) + 4096);
	struct diagnosis_answer *answer = ARENA_NEW(mail, struct diagnosis_answer);
	answer->incident_id = order->incident_id;
	answer->attempt = order->attempt;
	answer->slot = order->slot;
	answer->list = order->list;
	evidence_gather(&what, &answer->list);
	answer->box = order->box;
	answer->subject = order->incident;
	diagnose_by_evidence(&answer->list, &answer->subject.diagnosis);
	mailbox_send(order->inbox, MAIL_DIAGNOSIS, &mail, answer);
}

static void add_neighbours(
	const struct heal *heal, const struct incident *self, struct evidence_list *list)
{
	int64_t near = self->opened_at != 0 ? self->opened_at : now_ms(heal);
	int n = 0;
	for (int i = 0; i < heal->life_count && n < NEIGHBOURS_MAX; i++) {
		const struct incident *other = &heal->lives[i]->row;
		if (other->id == self->id || other->finding == FINDING_NONE ||
			llabs(other->opened_at - near) > NEAR_MS)
			continue;
		evidence_addf(list, EVIDENCE_NEIGHBOUR, other->opened_at, "homeostat",
			"within the same minute: %s: %s", other->component.name, other->issue);
		n++;
	}
}

struct past {
	struct evidence_list *list;
	int64_t self, now;
};

static void add_past(void *ctx, const struct incident *incident)
{
	struct past *past = ctx;
	char ago[32];
	if (incident->id == past->self)
		return;
	str_duration(ago, past->now - incident->opened_at);
	evidence_addf(past->list, EVIDENCE_PAST, incident->opened_at, "homeostat",
		"incident %lld, %s ago: %s; cause: %s; %s%s%s: %s", (long long)incident->id, ago,
		incident->issue, incident->diagnosis.cause, incident->plan.title,
		incident->plan.title[0] != '\0' ? ", " : "", life_state_name(incident->state),
		incident->reason);
}

static void add_source(struct heal *heal, const struct incident *self, struct evidence_list *list)
{
	int i = source_find(heal, self->component.source);
	if (i < 0)
		return;
	const struct source_status *status = &heal->sources[i].status;
	int64_t ago = now_ms(heal) - status->changed_at;
	/* Its first report since our own start is no change. */
	if (status->changed_at != 0 && status->changed_at > heal->started_at + LATELY_MS / 20 &&
		ago < LATELY_MS)
		evidence_addf(list, EVIDENCE_CHANGE, status->changed_at, "homeostat", "%s %s %lld s ago",
			status->name, status->reached ? "came back" : "was lost", (long long)(ago / 1000));
}

static int take_slot(struct heal *heal)
{
	for (int i = 0; i < GATHERS_MAX; i++) {
		if (heal->gather_until[i] > now_ms(heal))
			continue;
		heal->gather_until[i] = now_ms(heal) + SLOT_MS;
		return i;
	}
	return -1;
}

static bool start(
	struct heal *heal, const struct incident *incident, struct mailbox *box, const char *detail)
{
	struct err err = {0};
	int slot = take_slot(heal);
	if (slot < 0)
		return false;
	struct arena *arena = arena_new(sizeof(struct gather_order) + 4096);
	struct gather_order *order = ARENA_NEW(arena, struct gather_order);
	order->incident_id = incident->id;
	order->attempt = incident->attempt;
	order->slot = slot;
	order->incident = *incident;
	order->box = box;
	order->config = heal->config;
	order->clock = heal->clock;
	order->inbox = heal->inbox;
	struct past past = {&order->list, incident->id, now_ms(heal)};
	evidence_add(&order->list, EVIDENCE_STATE, 0, "homeostat", incident->issue);
	evidence_add(&order->list, EVIDENCE_STATE, 0, "as it was seen", detail);
	add_neighbours(heal, incident, &order->list);
	add_source(heal, incident, &order->list);
	lesson_tell(heal, incident, &order->list);
	stored(heal,
		store_incidents_of(heal->store, incident->component.name, PAST_MAX, add_past, &past, &err),
		&err);
	effect_job(heal, "evidence", gather_main, arena, order);
	return true;
}

bool gather(struct heal *heal, struct life *life)
{
	const char *detail = heal->sight != NULL ? heal->sight->detail : "";
	if (in_storm(heal, life) || !start(heal, &life->row, NULL, detail))
		return false;
	life->mind.gathered = life->row.attempt + 1;
	return true;
}

bool gather_for(struct heal *heal, const struct incident *subject, struct mailbox *box)
{
	return start(heal, subject, box, "");
}
