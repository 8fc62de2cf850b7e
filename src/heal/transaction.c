/*
 * One mail, one transaction: its changes and their effects. Effects (jobs, notices, answers) start
 * only after the commit, so the intent is on disk before the action, by construction. A commit that
 * fails undoes the changes in memory too, and nothing is started.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "heal/internal.h"

/* While lives are open their time is steady: a wall clock that is set does not make a question
 * expire, nor a settle time pass. heal_step takes over what it was set to when none is. */
int64_t now_ms(const struct heal *heal)
{
	return clock_mono_ms(heal->clock) + heal->wall_offset;
}

bool must_store(struct heal *heal)
{
	if (heal->failed)
		return false;
	if (heal->in_transaction)
		return true;
	struct err err = {0};
	heal->in_transaction = store_begin(heal->store, &err);
	stored(heal, heal->in_transaction, &err);
	return heal->in_transaction;
}

void stored(struct heal *heal, bool ok, const struct err *err)
{
	if (ok || heal->failed)
		return;
	heal->failed = true;
	heal->store_err = *err;
}

void audit(struct heal *heal, const char *what, const char *actor, const struct life *life,
	const char *text)
{
	if (!must_store(heal))
		return;
	struct audit_entry entry = {.at = now_ms(heal)};
	struct err err = {0};
	STR_SET(entry.what, what);
	STR_SET(entry.actor, actor);
	STR_SET(entry.text, text);
	if (life != NULL) {
		STR_SET(entry.component, life->row.component.name);
		entry.incident_id = life->row.id;
	}
	stored(heal, store_audit_add(heal->store, &entry, &err), &err);
}

static struct effect *effect_add(struct heal *heal, struct arena *arena)
{
	struct effect *effect = calloc(1, sizeof(*effect));
	if (effect == NULL)
		abort();
	effect->arena = arena;
	*heal->effects_end = effect;
	heal->effects_end = &effect->next;
	return effect;
}

void effect_job(struct heal *heal, const char *name, job_fn *fn, struct arena *arena, void *body)
{
	struct effect *effect = effect_add(heal, arena);
	effect->kind = EFFECT_JOB;
	effect->name = name;
	effect->fn = fn;
	effect->body = body;
}

void effect_answer(
	struct heal *heal, struct mailbox *to, const struct answer *answer, const char *json)
{
	struct arena *arena = arena_new(sizeof(*answer) + (json != NULL ? strlen(json) : 0) + 4096);
	struct answer *copy = ARENA_NEW(arena, struct answer);
	*copy = *answer;
	copy->json = arena_strdup(arena, json);
	struct effect *effect = effect_add(heal, arena);
	effect->kind = EFFECT_ANSWER;
	effect->body = copy;
	effect->to = to;
}

void tell(struct heal *heal, enum notice_kind kind, const struct life *life, bool ok,
	const char *fmt, ...)
{
	struct arena *arena = arena_new(sizeof(struct notice) + 4096);
	struct notice *notice = ARENA_NEW(arena, struct notice);
	notice->kind = kind;
	notice->at = now_ms(heal);
	notice->ok = ok;
	if (life != NULL)
		notice->incident = life->row;
	va_list args;
	va_start(args, fmt);
	vsnprintf(notice->text, sizeof(notice->text), fmt, args);
	va_end(args);
	const char *why;
	notice->muted = life != NULL && rests_until(heal, &life->row.component, &why) != 0;
	struct err err = {0};
	if (heal->keeps_notices && must_store(heal))
		stored(heal, store_notice_add(heal->store, notice, &err), &err);
	struct effect *effect = effect_add(heal, arena);
	effect->kind = EFFECT_NOTICE;
	effect->body = notice;
}

/* A reporter that does not read its box must not hold the core up: what does not fit is dropped. */
static void send_notice(struct heal *heal, const struct notice *notice)
{
	for (int i = 0; i < 4 && heal->reporters[i] != NULL; i++) {
		struct arena *arena = arena_new(sizeof(*notice) + 4096);
		struct notice *copy = ARENA_NEW(arena, struct notice);
		*copy = *notice;
		mailbox_offer(heal->reporters[i], MAIL_NOTICE, &arena, copy);
	}
}

static void effect_run(struct heal *heal, struct effect *effect)
{
	switch (effect->kind) {
	case EFFECT_JOB:
		if (!jobs_start(heal->jobs, effect->name, effect->fn, &effect->arena, effect->body))
			log_error("no thread could be made for '%s'; its deadline will tell", effect->name);
		break;
	case EFFECT_NOTICE:
		send_notice(heal, effect->body);
		break;
	case EFFECT_ANSWER:
		mailbox_offer(effect->to, MAIL_REQUEST, &effect->arena, effect->body);
		break;
	}
}

static void effects_take(struct heal *heal, bool run)
{
	struct effect *effect = heal->effects;
	heal->effects = NULL;
	heal->effects_end = &heal->effects;
	while (effect != NULL) {
		struct effect *next = effect->next;
		if (run)
			effect_run(heal, effect);
		arena_free(effect->arena);
		free(effect);
		effect = next;
	}
}

static void say_trouble(struct heal *heal)
{
	if (heal->trouble[0] == '\0')
		log_error("cannot record: %s; nothing will be done until it can", heal->store_err.text);
	STR_FORMAT(heal->trouble, "cannot record: %s", heal->store_err.text);
	struct notice notice = {.kind = NOTICE_TROUBLE, .at = now_ms(heal)};
	STR_SET(notice.text, heal->trouble);
	send_notice(heal, &notice);
}

static void say_mended(struct heal *heal)
{
	struct notice notice = {.kind = NOTICE_TROUBLE, .at = now_ms(heal), .ok = true};
	heal->trouble[0] = '\0';
	STR_SET(notice.text, "the store can be written again: healing goes on");
	log_info("%s", notice.text);
	send_notice(heal, &notice);
}

/* What a failed transaction must undo besides the lives. */
struct core_before {
	int acting, recent_count, reset_count;
	enum healing healing;
	struct mute mutes[MUTES_MAX];
	int mute_count;
	bool cut_off;
	struct model model;
	int64_t gather_until[GATHERS_MAX];
	struct {
		struct storm storm;
		bool probing;
	} sources[SOURCES_MAX];
};

static void core_remember(const struct heal *heal, struct core_before *before)
{
	before->acting = heal->acting;
	before->recent_count = heal->recent_count;
	before->reset_count = heal->reset_count;
	before->healing = heal->healing;
	before->mute_count = heal->mute_count;
	before->cut_off = heal->cut_off;
	memcpy(before->mutes, heal->mutes, sizeof(before->mutes));
	before->model = heal->model;
	memcpy(before->gather_until, heal->gather_until, sizeof(before->gather_until));
	for (int i = 0; i < heal->source_count; i++) {
		before->sources[i].storm = heal->sources[i].storm;
		before->sources[i].probing = heal->sources[i].storm_probing;
	}
}

static void core_restore(struct heal *heal, const struct core_before *before)
{
	heal->acting = before->acting;
	heal->recent_count = before->recent_count;
	heal->reset_count = before->reset_count;
	heal->healing = before->healing;
	heal->mute_count = before->mute_count;
	heal->cut_off = before->cut_off;
	memcpy(heal->mutes, before->mutes, sizeof(heal->mutes));
	heal->model = before->model;
	memcpy(heal->gather_until, before->gather_until, sizeof(heal->gather_until));
	for (int i = 0; i < heal->source_count; i++) {
		heal->sources[i].storm = before->sources[i].storm;
		heal->sources[i].storm_probing = before->sources[i].probing;
		heal->sources[i].stored_cursor[0] = '\0';
	}
}

bool transact(struct heal *heal, transaction_fn *fn, void *arg)
{
	struct err err = {0};
	struct core_before before = {0};
	core_remember(heal, &before);
	heal->failed = false;
	fn(heal, arg);
	lives_run(heal);
	bool wrote = heal->in_transaction;
	if (wrote && !heal->failed)
		stored(heal, store_commit(heal->store, &err), &err);
	else if (wrote)
		store_rollback(heal->store);
	heal->in_transaction = false;
	bool ok = !heal->failed;
	heal->queued = 0;
	lives_settle(heal, ok);
	if (!ok) {
		core_restore(heal, &before);
		say_trouble(heal);
	} else if (wrote && heal->trouble[0] != '\0') {
		say_mended(heal);
	}
	effects_take(heal, ok);
	return ok;
}
