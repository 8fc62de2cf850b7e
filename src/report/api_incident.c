/*
 * An incident as JSON.
 */
#include <string.h>

#include "base/redact.h"
#include "base/str.h"
#include "report/internal.h"

/* A secret's replacement may be longer than the secret. */
#define REDACT_ROOM 256

void put_text(struct json_out *out, const char *key, const char *text, struct arena *arena)
{
	size_t size = strlen(text) + REDACT_ROOM;
	char *copy = arena_try(arena, size);
	if (copy == NULL) {
		out->str->full = true;
		return;
	}
	str_copy(copy, size, text);
	redact(copy, size);
	json_put_str(out, key, copy);
}

void put_time(struct json_out *out, const char *key, int64_t at)
{
	char text[32];
	if (at > 0)
		str_rfc3339(text, at);
	json_put_str(out, key, at > 0 ? text : NULL);
}

static void put_id(struct json_out *out, const char *key, int64_t id)
{
	if (id > 0)
		json_put_int(out, key, id);
	else
		json_put_raw(out, key, "null");
}

static void put_plan(struct json_out *out, const struct plan *plan, struct arena *arena)
{
	if (plan->action[0] == '\0') {
		json_put_raw(out, "plan", "null");
		return;
	}
	json_open(out, "plan", '{');
	json_put_str(out, "action", plan->action);
	json_put_str(out, "risk", risk_name(plan->risk));
	put_text(out, "title", plan->title, arena);
	json_put_str(out, "hash", plan->hash);
	json_close(out, '}');
}

static void put_diagnosis(
	struct json_out *out, const struct diagnosis *diagnosis, struct arena *arena)
{
	if (diagnosis->by[0] == '\0') {
		json_put_raw(out, "diagnosis", "null");
		return;
	}
	json_open(out, "diagnosis", '{');
	put_text(out, "cause", diagnosis->cause, arena);
	json_put_str(out, "by", diagnosis->by);
	json_put_num(out, "confidence", diagnosis->confidence);
	json_put_str(out, "action", diagnosis->action);
	json_put_str(out, "params", diagnosis->params);
	json_put_bool(out, "unproven", diagnosis->unproven);
	put_text(out, "evidence", diagnosis->evidence, arena);
	put_text(out, "alternatives", diagnosis->alternatives, arena);
	json_close(out, '}');
}

static void put_metrics(struct json_out *out, const char *metrics, struct arena *arena)
{
	struct json root;
	struct err err = {0};
	json_open(out, "metrics", '{');
	if (json_parse(arena, metrics, strlen(metrics), &root, &err))
		for (struct json member = json_first(root);
			 json_kind(root) == JSON_OBJECT && json_is(member); member = json_next(member)) {
			const char *key = json_key(member, arena), *text = json_str(member, arena);
			if (json_kind(member) == JSON_STRING)
				put_text(out, key, text, arena);
			else if (json_kind(member) == JSON_NUMBER || json_kind(member) == JSON_BOOL)
				json_put_raw(out, key, text);
		}
	json_close(out, '}');
}

static void put_members(struct json_out *out, const struct incident *incident, struct arena *arena)
{
	json_put_int(out, "id", incident->id);
	put_text(out, "component", incident->component.name, arena);
	put_text(out, "label", incident->component.label, arena);
	json_put_str(out, "kind", component_kind_name(incident->component.kind));
	put_text(out, "source", incident->component.source, arena);
	json_put_str(out, "state", life_state_name(incident->state));
	json_put_bool(out, "open", life_is_open(incident->state));
	json_put_str(out, "severity", severity_name(incident->severity));
	json_put_str(out, "finding", finding_kind_name(incident->finding));
	put_text(out, "issue", incident->issue, arena);
	put_text(out, "reason", incident->reason, arena);
	put_diagnosis(out, &incident->diagnosis, arena);
	put_plan(out, &incident->plan, arena);
	json_put_int(out, "attempt", incident->attempt);
	put_text(out, "actor", incident->actor, arena);
	json_put_bool(out, "ordered", incident->ordered);
	put_id(out, "parent_id", incident->parent_id);
	put_metrics(out, incident->metrics, arena);
	put_time(out, "failed_at", incident->failed_at);
	put_time(out, "opened_at", incident->opened_at);
	put_time(out, "changed_at", incident->changed_at);
	put_time(out, "acted_at", incident->acted_at);
	put_time(out, "healthy_since", incident->healthy_since);
	put_time(out, "wake_at", incident->wake_at);
	put_time(out, "ended_at", incident->ended_at);
}

void incident_json(struct json_out *out, const struct incident *incident, struct arena *arena)
{
	json_open(out, NULL, '{');
	put_members(out, incident, arena);
	json_close(out, '}');
}

struct list {
	struct json_out *out;
	struct arena *arena;
};

static void put_history(void *ctx, const struct history *history)
{
	struct list *list = ctx;
	json_open(list->out, NULL, '{');
	put_time(list->out, "at", history->at);
	json_put_str(list->out, "state", history->state);
	json_put_str(list->out, "event", history->event);
	put_text(list->out, "reason", history->reason, list->arena);
	json_close(list->out, '}');
}

static void put_approval(void *ctx, const struct approval *approval)
{
	struct list *list = ctx;
	json_open(list->out, NULL, '{');
	json_put_int(list->out, "id", approval->id);
	json_put_int(list->out, "attempt", approval->attempt);
	json_put_str(list->out, "plan", approval->plan_hash);
	put_time(list->out, "asked_at", approval->asked_at);
	put_time(list->out, "expires_at", approval->expires_at);
	put_time(list->out, "decided_at", approval->decided_at);
	json_put_str(list->out, "decision",
		approval->decided_at == 0 ? NULL
			: approval->approved  ? "approve"
								  : "reject");
	put_text(list->out, "actor", approval->actor, list->arena);
	json_close(list->out, '}');
}

static void put_action(void *ctx, const struct action_record *record)
{
	struct list *list = ctx;
	json_open(list->out, NULL, '{');
	json_put_int(list->out, "attempt", record->attempt);
	json_put_str(list->out, "action", record->action);
	put_text(list->out, "actor", record->actor, list->arena);
	put_time(list->out, "began_at", record->began_at);
	put_time(list->out, "ended_at", record->ended_at);
	json_put_str(list->out, "outcome", record->outcome);
	put_text(list->out, "text", record->text, list->arena);
	json_close(list->out, '}');
}

static void put_evidence(void *ctx, int attempt, const struct evidence *row)
{
	struct list *list = ctx;
	json_open(list->out, NULL, '{');
	json_put_int(list->out, "attempt", attempt);
	json_put_str(list->out, "kind", evidence_kind_name(row->kind));
	put_time(list->out, "at", row->at);
	put_text(list->out, "source", row->source, list->arena);
	put_text(list->out, "text", row->text, list->arena);
	json_put_bool(list->out, "proves", row->proves);
	json_close(list->out, '}');
}

bool incident_story(struct json_out *out, struct store *store, const struct incident *incident,
	struct arena *arena, struct err *err)
{
	struct list list = {out, arena};
	json_open(out, NULL, '{');
	put_members(out, incident, arena);
	json_open(out, "history", '[');
	bool ok = store_history(store, incident->id, put_history, &list, err);
	json_close(out, ']');
	json_open(out, "approvals", '[');
	ok = ok && store_approvals(store, incident->id, put_approval, &list, err);
	json_close(out, ']');
	json_open(out, "actions", '[');
	ok = ok && store_incident_actions(store, incident->id, put_action, &list, err);
	json_close(out, ']');
	json_open(out, "evidence", '[');
	ok = ok && store_evidence(store, incident->id, put_evidence, &list, err);
	json_close(out, ']');
	ok = ok && record_json(out, store, incident, arena, err);
	json_close(out, '}');
	return ok;
}
