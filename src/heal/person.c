/*
 * A diagnosis that a person asks for, and proposals of programs. The first changes nothing: it
 * gathers, asks the model if there is one, and answers whoever asked. A proposal opens a question
 * to a person, whatever its risk, and never runs by itself.
 */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "heal/internal.h"

#define ANSWER_BYTES ((size_t)256 << 10)

/* The incident as it is, or a component that has none. */
static bool subject_of(struct heal *heal, const char *name, struct incident *subject)
{
	const struct member *member = member_find(heal, name);
	for (int i = 0; i < heal->life_count; i++)
		if (str_equal(heal->lives[i]->row.component.name, name)) {
			*subject = heal->lives[i]->row;
			return true;
		}
	if (member == NULL)
		return false;
	*subject = (struct incident){.finding = member->finding};
	subject->component.kind = member->kind;
	STR_SET(subject->component.name, member->name);
	STR_SET(subject->component.label, member->label);
	STR_SET(subject->component.native, member->native);
	STR_SET(subject->component.parent, member->parent);
	STR_SET(subject->component.source, heal->sources[member->source].status.name);
	STR_FORMAT(subject->issue, "%s is %s%s%s", name, obs_state_name(member->state),
		member->health != OBS_NO_CHECK ? ", " : "",
		member->health != OBS_NO_CHECK ? obs_health_name(member->health) : "");
	STR_SET(subject->diagnosis.by, "rules");
	STR_SET(subject->diagnosis.cause, "nothing is known to be wrong with it");
	return true;
}

bool person_diagnose(struct heal *heal, const struct request *request, struct answer *answer)
{
	struct incident subject = {0};
	if (!subject_of(heal, request->component, &subject)) {
		answer_with(answer, 404, "there is no such component: `homeostat components` lists them");
		return false;
	}
	audit(heal, "diagnose", request->actor, NULL, request->component);
	if (gather_for(heal, &subject, request->answer))
		return true;
	answer_with(answer, 503, "too much is being looked at already: try again in a moment");
	return false;
}

static void put_evidence(struct json_out *out, const struct evidence_list *list)
{
	json_open(out, "evidence", '[');
	for (int i = 0; i < list->count; i++) {
		json_open(out, NULL, '{');
		json_put_str(out, "kind", evidence_kind_name(list->rows[i].kind));
		json_put_str(out, "source", list->rows[i].source);
		json_put_str(out, "text", list->rows[i].text);
		json_put_bool(out, "proves", list->rows[i].proves);
		json_close(out, '}');
	}
	json_close(out, ']');
}

void person_answer(struct heal *heal, struct mailbox *box, const struct incident *subject,
	const struct evidence_list *list, const char *note)
{
	const struct diagnosis *diagnosis = &subject->diagnosis;
	struct answer answer = {0};
	struct str text;
	struct json_out out;
	auto_arena arena = arena_new(ANSWER_BYTES);
	str_init(&text, arena);
	json_begin(&out, &text);
	json_open(&out, NULL, '{');
	json_put_str(&out, "component", subject->component.name);
	json_put_int(&out, "incident_id", subject->id);
	json_put_str(&out, "issue", subject->issue);
	json_put_str(&out, "cause", diagnosis->cause);
	json_put_str(&out, "by", diagnosis->by);
	json_put_num(&out, "confidence", diagnosis->confidence);
	json_put_str(&out, "action", diagnosis->action);
	json_put_str(&out, "quotes", diagnosis->evidence);
	json_put_str(&out, "alternatives", diagnosis->alternatives);
	json_put_str(&out, "note", note);
	put_evidence(&out, list);
	json_close(&out, '}');
	answer_with(&answer, 200, "");
	answer.incident_id = subject->id;
	effect_answer(heal, box, &answer, text.s);
}

bool is_proposal(const struct life *life)
{
	return life->row.finding == FINDING_NONE && str_equal(life->row.diagnosis.by, BY_PROPOSAL);
}

void propose(struct heal *heal, const struct request *request, struct answer *answer)
{
	const struct action *action = action_find(request->action);
	struct member *member = member_find(heal, request->component);
	char params[PARAMS_MAX_BYTES], title[200];
	if (!may_order(request, action, member, params, answer))
		return;
	struct life *life = ordered_life(heal, member);
	if (!life->is_new) {
		answer_with(answer, 409, "it has an open incident already: nothing was proposed");
		return;
	}
	plan_title(&action->info, &life->row.component, params, title, sizeof(title));
	life->row.diagnosis = (struct diagnosis){.unproven = true};
	STR_SET(life->row.diagnosis.by, BY_PROPOSAL);
	STR_SET(life->row.diagnosis.action, request->action);
	STR_SET(life->row.diagnosis.params, params);
	STR_SET(life->row.diagnosis.cause, request->text);
	STR_FORMAT(life->row.issue, "%s, proposed by %s", title, request->actor);
	audit(heal, "proposal", request->actor, life, title);
	life_raise(heal, life, EVENT_ORDERED);
	answer->status = 200;
	answer->ok = true;
	answer->incident_id = life->row.id;
	STR_FORMAT(
		answer->text, "incident %lld: a person is asked: %s", (long long)life->row.id, title);
}
