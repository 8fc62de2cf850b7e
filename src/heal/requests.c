/*
 * What people and programs ask for. Each request is answered after its effect is on disk.
 */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "heal/internal.h"

static void answer_status(struct heal *heal, struct answer *answer)
{
	struct core_status *core = &answer->core;
	core->healing = heal->healing;
	STR_SET(core->trouble, heal->trouble);
	core->started_at = heal->started_at;
	core->now = now_ms(heal);
	core->components = heal->member_count;
	core->sources = heal->source_count;
	for (int i = 0; i < heal->source_count; i++)
		core->source[i] = heal->sources[i].status;
	core->channels = heal->channel_count;
	memcpy(core->channel, heal->channels, sizeof(core->channel));
}

void answer_with(struct answer *answer, int status, const char *text)
{
	answer->status = status;
	answer->ok = status < 400;
	STR_SET(answer->text, text);
}

void set_healing(struct heal *heal, const struct request *request, struct answer *answer)
{
	struct err err = {0};
	heal->healing = request->healing;
	if (must_store(heal))
		stored(heal, store_fact_set(heal->store, "healing", healing_name(request->healing), &err),
			&err);
	if (request->healing == HEALING_SHADOW)
		shadow_begin(heal);
	audit(heal, "healing", request->actor, NULL, healing_name(request->healing));
	tell(heal, NOTICE_HEALING, NULL, request->healing == HEALING_ON, "%s, by %s",
		healing_name(request->healing), request->actor);
	wake_held(heal, HOLD_MODE, heal->life_count, -1);
	answer->status = 200;
	answer->ok = true;
	STR_FORMAT(answer->text, "auto-healing is %s", healing_name(request->healing));
}

void retry(struct heal *heal, const struct request *request, struct answer *answer)
{
	struct life *life = life_by_id(heal, request->incident_id);
	if (life == NULL || life_rule(life->row.state, EVENT_ORDERED) == NULL) {
		answer_with(answer, life == NULL ? 404 : 409,
			life == NULL ? "there is no open incident of this number"
						 : "it is being worked on; nothing was done");
		return;
	}
	if (action_find(life->row.diagnosis.action) == NULL) {
		answer_with(answer, 409, "there is no remedy that homeostat could try");
		return;
	}
	/* Where two persons have to agree, one does not do it alone: it is asked about anew. */
	bool alone = heal->config->brakes.two_persons && life->row.plan.risk == RISK_HIGH;
	life_touch(life);
	life->row.ordered = !alone;
	STR_SET(life->row.actor, request->actor);
	audit(heal, "order", request->actor, life, "retry");
	life_raise(heal, life, EVENT_ORDERED);
	answer->incident_id = life->row.id;
	answer_with(answer, 200,
		alone ? "asked about anew: two persons have to agree" : "tried once more, by your order");
}

/* A person has mended the cause: attempts before now are no argument against the next one. */
static void reset(struct heal *heal, const struct request *request, struct answer *answer)
{
	struct err err = {0};
	char key[NAME_MAX_BYTES + 8], value[24];
	if (member_find(heal, request->component) == NULL) {
		answer_with(answer, 404, "there is no such component: `homeostat components` lists them");
		return;
	}
	if (!recent_reset(heal, request->component)) {
		answer_with(answer, 409, "too many were reset within a day: try again later");
		return;
	}
	STR_FORMAT(key, "reset:%s", request->component);
	STR_FORMAT(value, "%lld", (long long)now_ms(heal));
	if (must_store(heal))
		stored(heal, store_fact_set(heal->store, key, value, &err), &err);
	audit(heal, "reset", request->actor, NULL, request->component);
	int count = heal->life_count;
	for (int i = 0; i < count; i++) {
		struct life *life = heal->lives[i];
		if (!str_equal(life->row.component.name, request->component) ||
			(life->row.state != LIFE_ESCALATED && life->row.state != LIFE_POSTPONED))
			continue;
		life_touch(life);
		life->row.wake_at = 0;
		life_raise(heal, life, EVENT_WAKE);
		answer->incident_id = life->row.id;
	}
	answer->status = 200;
	answer->ok = true;
	STR_FORMAT(answer->text, "%s: its attempts count from now on%s", request->component,
		answer->incident_id != 0 ? "; it is decided anew" : "");
}

/* The life that an order acts through: the component's own, or a new one. */
struct life *ordered_life(struct heal *heal, const struct member *member)
{
	struct life *life = life_find(heal, member->name, ASPECT_STATE);
	if (life != NULL)
		return life;
	struct component component = {
		.kind = member->kind, .has_risk = member->has_risk, .risk = member->risk};
	STR_SET(component.name, member->name);
	STR_SET(component.label, member->label);
	STR_SET(component.native, member->native);
	STR_SET(component.parent, member->parent);
	component.critical = member->critical;
	STR_SET(component.source, heal->sources[member->source].status.name);
	life = life_open(heal, &component, ASPECT_STATE);
	life->row.failed_at = now_ms(heal);
	return life;
}

/* Whether an order can be given at all; the parameters in the table's order. */
bool may_order(const struct request *request, const struct action *action,
	const struct member *member, char params[PARAMS_MAX_BYTES], struct answer *answer)
{
	struct err err = {0};
	if (action == NULL || member == NULL || action->info.kind != member->kind) {
		answer_with(answer, 404,
			action == NULL       ? "there is no such action: `homeostat actions` lists them"
				: member == NULL ? "there is no such component: `homeostat components` lists them"
								 : "this action is not for a component of this kind");
		return false;
	}
	if (params_check(&action->info, request->params, params, &err))
		return true;
	answer_with(answer, 400, err.text);
	return false;
}

void give_order(struct heal *heal, const struct request *request, struct answer *answer)
{
	const struct action *action = action_find(request->action);
	struct member *member = member_find(heal, request->component);
	char params[PARAMS_MAX_BYTES], title[200];
	if (!may_order(request, action, member, params, answer))
		return;
	struct life *life = ordered_life(heal, member);
	if (life_rule(life->row.state, EVENT_ORDERED) == NULL) {
		answer_with(answer, 409, "it is being worked on; nothing was done");
		return;
	}
	plan_title(&action->info, &life->row.component, params, title, sizeof(title));
	life_touch(life);
	life->row.ordered = true;
	life->row.diagnosis = (struct diagnosis){.confidence = 1};
	STR_SET(life->row.diagnosis.action, request->action);
	STR_SET(life->row.diagnosis.params, params);
	STR_SET(life->row.diagnosis.by, "operator");
	STR_SET(life->row.actor, request->actor);
	if (life->row.issue[0] == '\0')
		STR_FORMAT(life->row.issue, "%s, ordered by %s", title, request->actor);
	audit(heal, "order", request->actor, life, request->action);
	note_progress(heal, request, life->row.id);
	life_raise(heal, life, EVENT_ORDERED);
	answer->status = 200;
	answer->ok = true;
	answer->incident_id = life->row.id;
	STR_FORMAT(answer->text, "incident %lld: %s", (long long)life->row.id, title);
}

static const char *components_json(struct heal *heal, struct arena *arena)
{
	struct str text;
	struct json_out out;
	str_init(&text, arena);
	json_begin(&out, &text);
	json_open(&out, NULL, '[');
	for (int i = 0; i < heal->member_count; i++) {
		const struct member *member = &heal->members[i];
		json_open(&out, NULL, '{');
		json_put_str(&out, "name", member->name);
		json_put_str(&out, "kind", component_kind_name(member->kind));
		json_put_str(&out, "label", member->label);
		json_put_str(&out, "source", heal->sources[member->source].status.name);
		json_put_str(&out, "state", obs_state_name(member->state));
		json_put_str(&out, "health", obs_health_name(member->health));
		json_put_str(&out, "finding", finding_kind_name(member->finding));
		json_put_bool(&out, "critical", member->critical);
		json_put_str(&out, "risk", member->has_risk ? risk_name(member->risk) : NULL);
		json_close(&out, '}');
	}
	json_close(&out, ']');
	return text.s;
}

static void handle_request(struct heal *heal, const struct request *request, struct answer *answer)
{
	switch (request->kind) {
	case REQUEST_STATUS:
		answer_with(answer, 200, "");
		answer_status(heal, answer);
		break;
	case REQUEST_DECIDE:
		decide_approval(heal, request, answer);
		break;
	case REQUEST_HEALING:
		set_healing(heal, request, answer);
		break;
	case REQUEST_RETRY:
		retry(heal, request, answer);
		break;
	case REQUEST_ORDER:
		give_order(heal, request, answer);
		break;
	case REQUEST_PROPOSE:
		propose(heal, request, answer);
		break;
	case REQUEST_DIAGNOSE:
	case REQUEST_COMPONENTS:
		answer_with(answer, 200, "");
		break;
	case REQUEST_PRESS:
		take_press(heal, request, answer);
		break;
	case REQUEST_TOKENS:
	case REQUEST_SENT:
	case REQUEST_POSITION:
	case REQUEST_NOTE:
	case REQUEST_CHANNEL:
		take_channel(heal, request, answer);
		break;
	case REQUEST_MUTE:
		set_mute(heal, request, answer);
		break;
	case REQUEST_RESET:
		reset(heal, request, answer);
		break;
	}
}

void take_request(struct heal *heal, void *body)
{
	const struct request *request = body;
	struct answer answer = {0};
	auto_arena arena = NULL;
	const char *json = NULL;
	struct err err = {0};
	if (request->kind == REQUEST_DIAGNOSE) {
		if (person_diagnose(heal, request, &answer))
			return;
	} else {
		handle_request(heal, request, &answer);
	}
	if (request->kind == REQUEST_COMPONENTS) {
		arena = arena_new(64 << 20);
		json = components_json(heal, arena);
	}
	if (str_starts(request->fact, "channel:") && must_store(heal))
		stored(heal, store_fact_set(heal->store, request->fact, request->value, &err), &err);
	effect_answer(heal, request->answer, &answer, json);
}
