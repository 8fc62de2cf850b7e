/*
 * Jobs and their answers: acting, undoing, looking. A job knows a plan and an attempt; its answer
 * counts only for that attempt.
 */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "heal/internal.h"

#define LOOK_AGAIN_MS 1000
/* An action whose end was not seen may still be going on in the engine: its longest stop time-out
 * is 10 s. Until then "not healthy" proves nothing. */
#define QUIET_MS 15000
#define HELD_MS 30000

struct job_order {
	enum job_kind kind;
	int64_t incident_id;
	int attempt;
	bool ordered;
	struct plan plan;
	const struct action *action;
	const struct config *config;
	const struct clock *clock;
	struct mailbox *inbox;
};

static void job_main(struct arena **arena, void *body, int stop_fd)
{
	struct job_order *order = body;
	struct act_context context = {.config = order->config,
		.clock = order->clock,
		.stop_fd = stop_fd,
		.arena = *arena,
		.ordered = order->ordered};
	struct arena *mail = arena_new(4096);
	struct job_answer *answer = ARENA_NEW(mail, struct job_answer);
	answer->kind = order->kind;
	answer->incident_id = order->incident_id;
	answer->attempt = order->attempt;
	STR_SET(answer->source, order->plan.source);
	const struct action *action = order->action;
	if (order->kind == JOB_ACTED)
		answer->acted = action->run(&context, &order->plan, answer->text, sizeof(answer->text));
	else if (order->kind == JOB_UNDONE)
		answer->acted = action->undo(&context, &order->plan, answer->text, sizeof(answer->text));
	else
		answer->looked = action->verify(
			&context, &order->plan, &answer->since_ms, answer->text, sizeof(answer->text));
	mailbox_send(order->inbox, MAIL_JOB, &mail, answer);
}

static void start(struct heal *heal, struct life *life, enum job_kind kind, const char *name)
{
	struct arena *arena = arena_new(1 << 20);
	struct job_order *order = ARENA_NEW(arena, struct job_order);
	*order = (struct job_order){
		.kind = kind,
		.incident_id = life->row.id,
		.attempt = life->row.attempt,
		.ordered = life->mind.by_order,
		.plan = life->row.plan,
		.action = action_find(life->row.plan.action),
		.config = heal->config,
		.clock = heal->clock,
		.inbox = heal->inbox,
	};
	effect_job(heal, name, job_main, arena, order);
}

void start_act(struct heal *heal, struct life *life, enum job_kind kind)
{
	start(heal, life, kind, kind == JOB_ACTED ? "act" : "undo");
}

void start_look(struct heal *heal, struct life *life, enum job_kind kind)
{
	life->mind.looking = true;
	start(heal, life, kind, "look");
}

static void end_action(
	struct heal *heal, const struct life *life, const char *outcome, const char *text)
{
	struct err err = {0};
	if (must_store(heal))
		stored(heal,
			store_action_end(heal->store,
				(struct action_end){life->row.id, life->row.attempt, outcome, text, now_ms(heal)},
				&err),
			&err);
}

static void take_acted(struct heal *heal, struct life *life, const struct job_answer *answer)
{
	static const struct {
		const char *outcome;
		enum life_event event;
	} results[] = {
		[ACT_DONE] = {"done", EVENT_DONE},
		[ACT_FAILED] = {"failed", EVENT_FAILED},
		[ACT_UNKNOWN] = {"unknown", EVENT_TIMEOUT},
		[ACT_GONE] = {"gone", EVENT_CLEARED},
		[ACT_REFUSED] = {"refused", EVENT_CLEARED},
		[ACT_HELD] = {"held", EVENT_POSTPONE},
	};
	heal->acting--;
	life->mind.acted_mono_ms = clock_mono_ms(heal->clock);
	life_reason(life, "%s", answer->text);
	if (answer->acted == ACT_UNKNOWN)
		life->mind.quiet_until = now_ms(heal) + QUIET_MS;
	if (answer->acted == ACT_HELD) {
		recent_take_back(heal, life->row.component.name);
		life->mind.hold = HOLD_TIME;
		life->row.wake_at = now_ms(heal) + HELD_MS;
	}
	end_action(heal, life, results[answer->acted].outcome, answer->text);
	audit(heal, "action.end", life->row.actor, life, answer->text);
	tell(heal, NOTICE_RESULT, life, answer->acted == ACT_DONE, "%s", answer->text);
	life_raise(heal, life, results[answer->acted].event);
	wake_held(heal, HOLD_SLOT, heal->config->brakes.concurrent - heal->acting, -1);
}

static void not_healed(struct heal *heal, struct life *life, enum life_event event, const char *why)
{
	life_reason(life, "%s", why);
	end_action(heal, life, "not_healed", why);
	/* What can be undone is undone (the table's VERIFYING | FAILED). */
	const struct action *action = action_find(life->row.plan.action);
	life_raise(heal, life, action->undo != NULL ? EVENT_FAILED : event);
}

static void look_later(struct life *life, int64_t wake_at)
{
	life_touch(life);
	life->row.wake_at = wake_at;
}

/* Up, at this look. It has to stay so for the settle time, without a restart in between. */
static void seen_up(struct heal *heal, struct life *life, const struct job_answer *answer)
{
	int64_t now = now_ms(heal), settle = heal->config->brakes.settle_ms;
	life_touch(life);
	if (life->mind.up_since != 0 && answer->since_ms != 0 &&
		answer->since_ms != life->mind.up_since) {
		not_healed(heal, life, EVENT_UNHEALTHY, "it was restarted again while it settled");
		return;
	}
	life->mind.up_since = answer->since_ms;
	life->mind.seen_down = false;
	if (life->row.healthy_since == 0)
		life->row.healthy_since = now;
	if (now - life->row.healthy_since < settle) {
		look_later(life, life->row.healthy_since + settle);
		return;
	}
	end_action(heal, life, "healed", answer->text);
	life_raise(heal, life, EVENT_HEALTHY);
}

static void not_yet(struct heal *heal, struct life *life, const char *text)
{
	int64_t now = now_ms(heal);
	life->row.healthy_since = 0;
	if (now - life->row.acted_at > heal->config->brakes.verify_ms) {
		not_healed(heal, life, EVENT_TIMEOUT, text);
		return;
	}
	look_later(life, now + LOOK_AGAIN_MS);
}

/* Down, at this look. That a person stopped it is for its source to tell, which may take a moment:
 * only what is down at a second look was not healed. */
static void seen_down(struct heal *heal, struct life *life, const struct job_answer *answer)
{
	bool again = life->mind.seen_down;
	life->mind.seen_down = true;
	if (!again || now_ms(heal) < life->mind.quiet_until) {
		not_yet(heal, life, answer->text);
		return;
	}
	if (life->mind.in_doubt)
		life->row.finding = FINDING_EXITED_UNSEEN;
	not_healed(heal, life, EVENT_UNHEALTHY, answer->text);
}

static void take_looked(struct heal *heal, struct life *life, const struct job_answer *answer)
{
	life->mind.looking = false;
	if (life->row.state != LIFE_VERIFYING)
		return;
	switch (answer->looked) {
	case LOOK_HEALTHY:
		seen_up(heal, life, answer);
		break;
	case LOOK_UNHEALTHY:
		seen_down(heal, life, answer);
		break;
	case LOOK_NOT_YET:
	case LOOK_BLIND:
		not_yet(heal, life, answer->text);
		break;
	case LOOK_MEANT:
		/* Our own action of unknown end may look like a person's. */
		if (now_ms(heal) < life->mind.quiet_until) {
			not_yet(heal, life, answer->text);
			break;
		}
		life_reason(life, "%s", answer->text);
		life_raise(heal, life, EVENT_CLEARED);
		break;
	}
}

/* The probed life may be over by now: that the engine answered for it counts all the same. */
static void take_probed(struct heal *heal, struct life *life, const struct job_answer *answer)
{
	int i = source_find(heal, answer->source);
	struct source_state *source = i >= 0 ? &heal->sources[i] : NULL;
	if (life != NULL) {
		life_touch(life);
		life->mind.looking = false;
	}
	if (source == NULL || !source->storm.active)
		return;
	source->storm_probing = false;
	if (answer->looked == LOOK_BLIND || !source->status.reached) {
		source->storm.last_failure = now_ms(heal);
		return;
	}
	tell(heal, NOTICE_STORM, NULL, true,
		"%s: it answers and nothing more fails: the %d that failed are healed now, %d at a time",
		source->status.name, source->storm.failures, heal->config->brakes.concurrent);
	storm_end(&source->storm);
	wake_held(heal, HOLD_STORM, heal->life_count, i);
}

void take_job(struct heal *heal, void *body)
{
	const struct job_answer *answer = body;
	struct life *life = life_by_id(heal, answer->incident_id);
	if (answer->kind == JOB_PROBED) {
		take_probed(heal, life, answer);
		return;
	}
	if (life == NULL || answer->attempt != life->row.attempt) {
		log_debug("a job answered too late for incident %lld", (long long)answer->incident_id);
		return;
	}
	life_touch(life);
	if (answer->kind == JOB_LOOKED) {
		take_looked(heal, life, answer);
	} else if (answer->kind == JOB_ACTED && life->row.state == LIFE_ACTING) {
		take_acted(heal, life, answer);
	} else if (answer->kind == JOB_UNDONE && life->row.state == LIFE_ROLLING_BACK) {
		life_reason(life, "%s", answer->text);
		life_raise(heal, life, answer->acted == ACT_DONE ? EVENT_DONE : EVENT_FAILED);
	}
	/* A look that only moved the next one is not worth a row in the history; but what is stored
	 * must be what is. */
	struct err err = {0};
	if (heal->queued == 0 && life->row.healthy_since != life->before.healthy_since &&
		must_store(heal))
		stored(heal, store_incident_update(heal->store, &life->row, "", &err), &err);
}
