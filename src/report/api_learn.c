/*
 * What was learnt, and diagnoses by a person's wish.
 */
#include <string.h>

#include "base/redact.h"
#include "base/str.h"
#include "learn/learn.h"
#include "report/internal.h"

/* Evidence, and a model that may be slow. */
#define DIAGNOSE_MS 125000
#define LESSONS_MAX 5000

struct lessons {
	struct lesson *rows;
	int count;
};

static void take_lesson(void *ctx, const struct lesson *lesson)
{
	struct lessons *all = ctx;
	if (all->count < LESSONS_MAX)
		all->rows[all->count++] = *lesson;
}

/* What is known of the same action against the same trouble of all of its kind. */
static struct lesson kind_of(const struct lessons *all, const struct lesson *one)
{
	struct lesson sum = {0};
	for (int i = 0; i < all->count; i++) {
		const struct lesson *other = &all->rows[i];
		if (other->finding != one->finding || other->kind != one->kind ||
			strcmp(other->action, one->action) != 0)
			continue;
		sum.healed += other->healed;
		sum.failed += other->failed;
	}
	return sum;
}

static void lesson_json(
	struct json_out *out, const struct lesson *own, const struct lesson *kind, struct arena *arena)
{
	struct chance chance = learn_chance(own, kind);
	json_put_str(out, "finding", finding_kind_name(own->finding));
	json_put_str(out, "action", own->action);
	json_put_str(out, "kind", component_kind_name(own->kind));
	put_text(out, "component", own->component, arena);
	json_put_int(out, "healed", own->healed);
	json_put_int(out, "failed", own->failed);
	json_put_int(out, "relapsed", own->relapsed);
	json_put_int(out, "untouched", own->untouched);
	json_put_num(out, "repair_seconds", own->healed > 0 ? own->seconds / (double)own->healed : 0);
	json_put_int(out, "approved", own->approved);
	json_put_int(out, "rejected", own->rejected);
	int64_t decided = own->approved + own->rejected;
	json_put_num(
		out, "approval_seconds", decided > 0 ? own->approval_seconds / (double)decided : 0);
	json_put_int(out, "n", chance.n);
	json_put_num(out, "chance", chance.mean);
	json_put_num(out, "low", chance.low);
	json_put_num(out, "high", chance.high);
	put_time(out, "last_at", own->last_at);
}

void get_patterns(struct call *call)
{
	struct str body;
	struct json_out out;
	struct err err = {0};
	struct lessons all = {.rows = ARENA_ARRAY(call->arena, struct lesson, LESSONS_MAX)};
	struct store *store = call_store(call);
	if (store == NULL)
		return;
	bool ok = store_lessons(store, take_lesson, &all, &err);
	store_close(store);
	if (!ok) {
		reply_problem(call, 503, "%s", err.text);
		return;
	}
	str_init(&body, call->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	json_open(&out, "patterns", '[');
	for (int i = 0; i < all.count; i++) {
		struct lesson kind = kind_of(&all, &all.rows[i]);
		json_open(&out, NULL, '{');
		lesson_json(&out, &all.rows[i], &kind, call->arena);
		json_close(&out, '}');
	}
	json_close(&out, ']');
	json_close(&out, '}');
	str_addc(&body, '\n');
	reply_text(call, "application/json", body.s);
}

bool record_json(struct json_out *out, struct store *store, const struct incident *incident,
	struct arena *arena, struct err *err)
{
	struct lessons all = {.rows = ARENA_ARRAY(arena, struct lesson, LESSONS_MAX)};
	if (!store_lessons_of(
			store, incident->finding, incident->component.kind, take_lesson, &all, err))
		return false;
	for (int i = 0; i < all.count; i++) {
		const struct lesson *row = &all.rows[i];
		if (!str_equal(row->component, incident->component.name) ||
			!str_equal(row->action, incident->plan.action))
			continue;
		struct lesson kind = kind_of(&all, row);
		json_open(out, "record", '{');
		lesson_json(out, row, &kind, arena);
		json_close(out, '}');
		return true;
	}
	json_put_raw(out, "record", "null");
	return true;
}

/* The core's answer is of our own making, but its texts are not. */
static void reply_redacted(struct call *call, const char *json)
{
	size_t size = (json != NULL ? strlen(json) : 0) * 2 + 4096;
	char *copy = arena_try(call->arena, size);
	if (json == NULL || copy == NULL) {
		reply_problem(call, 503, "there is no answer");
		return;
	}
	str_copy(copy, size, json);
	redact(copy, size);
	reply_text(call, "application/json", copy);
}

void post_diagnosis(struct call *call)
{
	const char *why;
	struct request request = {.kind = REQUEST_DIAGNOSE};
	struct member members[] = {
		{"component", true, request.component, sizeof(request.component)},
	};
	if (!read_body(call, members, 1))
		return;
	struct answer *answer = ask_core(call, &request, DIAGNOSE_MS, &why);
	if (answer == NULL)
		reply_problem(call, 503, "%s", why);
	else if (!answer->ok)
		reply_problem(call, answer->status >= 400 ? answer->status : 503, "%s", answer->text);
	else
		reply_redacted(call, answer->json);
}

void post_proposal(struct call *call)
{
	struct request request = {.kind = REQUEST_PROPOSE};
	struct member members[] = {
		{"action", true, request.action, sizeof(request.action)},
		{"component", true, request.component, sizeof(request.component)},
		{"reason", true, request.text, sizeof(request.text)},
		{"params", false, request.params, sizeof(request.params)},
	};
	if (read_body(call, members, 4))
		pass_on(call, &request);
}
