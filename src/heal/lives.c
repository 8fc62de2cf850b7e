/*
 * The open lives, and the step from an event to a rule of the table.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "heal/internal.h"

struct life *life_find(struct heal *heal, const char *component, enum aspect aspect)
{
	for (int i = 0; i < heal->life_count; i++)
		if (life_is_open(heal->lives[i]->row.state) && heal->lives[i]->row.aspect == aspect &&
			strcmp(heal->lives[i]->row.component.name, component) == 0)
			return heal->lives[i];
	return NULL;
}

struct life *life_by_id(struct heal *heal, int64_t id)
{
	for (int i = 0; i < heal->life_count; i++)
		if (heal->lives[i]->row.id == id)
			return heal->lives[i];
	return NULL;
}

void life_touch(struct life *life)
{
	if (life->touched)
		return;
	life->touched = true;
	life->before = life->row;
	life->mind_before = life->mind;
}

struct life *life_open(struct heal *heal, const struct component *component, enum aspect aspect)
{
	if (heal->life_count == heal->life_capacity) {
		heal->life_capacity = heal->life_capacity * 2 + 8;
		heal->lives = realloc(heal->lives, (size_t)heal->life_capacity * sizeof(struct life *));
	}
	struct life *life = calloc(1, sizeof(*life));
	if (life == NULL || heal->lives == NULL)
		abort();
	life->is_new = true;
	life->touched = true;
	life->row.component = *component;
	life->row.aspect = aspect;
	life->row.opened_at = life->row.changed_at = now_ms(heal);
	heal->lives[heal->life_count++] = life;
	struct err err = {0};
	if (must_store(heal))
		stored(heal, store_incident_insert(heal->store, &life->row, &err), &err);
	return life;
}

void life_reason(struct life *life, const char *fmt, ...)
{
	va_list args;
	life_touch(life);
	va_start(args, fmt);
	vsnprintf(life->row.reason, sizeof(life->row.reason), fmt, args);
	va_end(args);
}

/* What a step raises comes before what waits: a decision is followed through before the next one is
 * made, so that each finds the caps as the last one left them. */
void life_raise(struct heal *heal, struct life *life, enum life_event event)
{
	if (heal->queued == heal->queue_capacity) {
		heal->queue_capacity = heal->queue_capacity * 2 + 16;
		heal->queue = realloc(heal->queue, (size_t)heal->queue_capacity * sizeof(*heal->queue));
		if (heal->queue == NULL)
			abort();
	}
	int at = heal->in_step ? heal->raised++ : heal->queued;
	memmove(
		heal->queue + at + 1, heal->queue + at, (size_t)(heal->queued - at) * sizeof(*heal->queue));
	heal->queue[at] = (struct pending_event){life, event};
	heal->queued++;
}

static void step(struct heal *heal, struct life *life, enum life_event event)
{
	const struct life_rule *rule = life_rule(life->row.state, event);
	if (rule == NULL) {
		log_debug("incident %lld: %s changes nothing in %s", (long long)life->row.id,
			life_event_name(event), life_state_name(life->row.state));
		return;
	}
	life_touch(life);
	life->row.state = rule->next;
	life->row.changed_at = now_ms(heal);
	handle_do(heal, life, rule->act);
	struct err err = {0};
	if (must_store(heal))
		stored(heal, store_incident_update(heal->store, &life->row, life_event_name(event), &err),
			&err);
}

void lives_run(struct heal *heal)
{
	if (heal->in_step) /* the loop that runs this step goes on with what it raised */
		return;
	while (heal->queued > 0 && !heal->failed) {
		struct pending_event next = heal->queue[0];
		heal->queued--;
		memmove(heal->queue, heal->queue + 1, (size_t)heal->queued * sizeof(*heal->queue));
		heal->in_step = true;
		heal->raised = 0;
		step(heal, next.life, next.event);
		heal->in_step = false;
	}
}

/* After the transaction: forget what is over; or, when it failed, what was changed. */
void lives_settle(struct heal *heal, bool committed)
{
	int kept = 0;
	for (int i = 0; i < heal->life_count; i++) {
		struct life *life = heal->lives[i];
		if (life->touched && !committed) {
			life->row = life->before;
			life->mind = life->mind_before;
		}
		bool over = committed ? !life_is_open(life->row.state) : life->is_new;
		life->touched = false;
		if (committed)
			life->is_new = false;
		if (over)
			free(life);
		else
			heal->lives[kept++] = life;
	}
	heal->life_count = kept;
}
