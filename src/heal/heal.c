/*
 * The core's beginning, its step, and its end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "heal/internal.h"

#define DAY_MS 86400000LL
#define STALLED_RETRY_MS 2000

static void load_life(void *ctx, const struct incident *incident)
{
	struct heal *heal = ctx;
	struct life *life = calloc(1, sizeof(*life));
	if (life == NULL)
		abort();
	life->row = *incident;
	if (heal->life_count == heal->life_capacity) {
		heal->life_capacity = heal->life_capacity * 2 + 8;
		heal->lives = realloc(heal->lives, (size_t)heal->life_capacity * sizeof(struct life *));
		if (heal->lives == NULL)
			abort();
	}
	heal->lives[heal->life_count++] = life;
}

static void load_action(void *ctx, const struct action_record *record)
{
	const struct action *action = action_find(record->action);
	struct heal *heal = ctx;
	char key[NAME_MAX_BYTES + 8], reset[24] = "";
	struct err err = {0};
	/* stored under a clock that has been set back since */
	if (record->began_at > now_ms(heal))
		return;
	STR_FORMAT(key, "reset:%s", record->component);
	if (store_fact_get(heal->store, key, reset, sizeof(reset), &err) &&
		record->began_at < strtoll(reset, NULL, 10))
		return;
	if ((action == NULL || action->info.counts) && !str_equal(record->outcome, "held"))
		recent_add(heal, record->component, record->began_at);
}

static void load_mute(void *ctx, const struct mute *mute)
{
	struct heal *heal = ctx;
	if (heal->mute_count < MUTES_MAX)
		heal->mutes[heal->mute_count++] = *mute;
}

/* What was remembered from the last run; the configuration speaks only at the first start. */
static bool load(struct heal *heal, struct err *err)
{
	char mode[16];
	if (!store_fact_get(heal->store, "healing", mode, sizeof(mode), err))
		return false;
	if (mode[0] == '\0' || !healing_parse(mode, &heal->healing))
		heal->healing = heal->config->healing;
	return shadow_load(heal, err) && model_load(heal, err) &&
		store_mutes(heal->store, now_ms(heal), load_mute, heal, err) &&
		store_incidents(
			heal->store, (struct incident_query){INCIDENTS_OPEN, 0, 0}, load_life, heal, err) &&
		store_actions(heal->store, now_ms(heal) - DAY_MS, NULL, load_action, heal, err);
}

struct heal *heal_new(const struct heal_options *options, struct err *err)
{
	struct heal *heal = calloc(1, sizeof(*heal));
	if (heal == NULL)
		abort();
	heal->config = options->config;
	heal->clock = options->clock;
	heal->jobs = options->jobs;
	heal->store = options->store;
	heal->inbox = options->inbox;
	heal->keeps_notices = options->keeps_notices;
	memcpy(heal->reporters, options->reporters, sizeof(heal->reporters));
	heal->effects_end = &heal->effects;
	heal->stalled_end = &heal->stalled;
	heal->wall_offset = clock_wall_ms(heal->clock) - clock_mono_ms(heal->clock);
	heal->started_at = now_ms(heal);
	heal->forget_at = heal->started_at + DAY_MS / 24;
	if (load(heal, err))
		return heal;
	heal_free(heal);
	return NULL;
}

void heal_free(struct heal *heal)
{
	if (heal == NULL)
		return;
	for (int i = 0; i < heal->life_count; i++)
		free(heal->lives[i]);
	for (struct mail *mail = heal->stalled; mail != NULL;) {
		struct mail *next = mail->next;
		mail_free(mail);
		mail = next;
	}
	free(heal->lives);
	free(heal->queue);
	free(heal->recent);
	members_free(heal);
	free(heal);
}

void heal_add_source(struct heal *heal, const char *name, const char *suffix,
	const struct component *root, char cursor[64])
{
	cursor[0] = '\0';
	if (heal->source_count == SOURCES_MAX) {
		log_error("%s is not watched: at most %d sources", name, SOURCES_MAX);
		return;
	}
	struct source_state *source = &heal->sources[heal->source_count++];
	char key[80];
	struct err err = {0};
	STR_SET(source->status.name, name);
	STR_SET(source->suffix, suffix);
	source->root = *root;
	STR_SET(source->home, root->parent);
	source->root.parent[0] = '\0';
	STR_FORMAT(key, "cursor:%s", name);
	if (!store_fact_get(heal->store, key, cursor, sizeof(source->cursor), &err))
		log_warn("%s: %s", key, err.text);
	STR_SET(source->cursor, cursor);
	STR_SET(source->stored_cursor, cursor);
}

/* What may be in the middle of an action is looked at now; what waits for a decision is decided
 * when its source has shown how things are. */
static void resume(struct heal *heal, void *unused)
{
	(void)unused;
	int count = heal->life_count;
	for (int i = 0; i < count; i++) {
		struct life *life = heal->lives[i];
		enum life_state state = life->row.state;
		if (state == LIFE_ACTING || state == LIFE_VERIFYING)
			life->mind.quiet_until = life->row.acted_at + 15000;
		if (state == LIFE_ACTING || state == LIFE_VERIFYING || state == LIFE_ROLLING_BACK) {
			log_info("incident %lld (%s) was %s when the last run ended: looking first",
				(long long)life->row.id, life->row.component.name, life_state_name(state));
			life_raise(heal, life, EVENT_RESUMED);
		} else if (life_rule(state, EVENT_RESUMED) != NULL) {
			life_touch(life);
			life->mind.resumed = true;
		}
	}
	if (heal->summed_at == 0)
		shadow_begin(heal);
	model_resume(heal);
	audit(heal, "start", "", NULL, "homeostat started");
	char watched[400] = "";
	for (int i = 0; i < heal->source_count; i++)
		str_format(watched + strlen(watched), sizeof(watched) - strlen(watched), "%s%s",
			i > 0 ? ", " : "", heal->sources[i].status.name);
	tell(heal, NOTICE_STARTED, NULL, true, "watching %s; auto-healing is %s", watched,
		healing_name(heal->healing));
}

void heal_resume(struct heal *heal)
{
	heal->is_resumed = transact(heal, resume, NULL);
}

static transaction_fn *handler_of(int kind)
{
	switch (kind) {
	case MAIL_REPORT:
		return take_report;
	case MAIL_JOB:
		return take_job;
	case MAIL_REQUEST:
		return take_request;
	case MAIL_DIAGNOSIS:
		return take_diagnosis;
	default:
		return NULL;
	}
}

/* A request is answered at once, be it by what keeps us from doing it; everything else is kept in
 * order until it can be recorded. */
static void refuse(struct heal *heal, void *body)
{
	struct request *request = body;
	struct answer answer = {.status = 503};
	STR_SET(answer.text, heal->trouble);
	effect_answer(heal, request->answer, &answer, NULL);
}

static void stall(struct heal *heal, struct mail *mail)
{
	mail->next = NULL;
	*heal->stalled_end = mail;
	heal->stalled_end = &mail->next;
	heal->retry_mono_ms = clock_mono_ms(heal->clock) + STALLED_RETRY_MS;
}

static bool changes_nothing(const struct mail *mail)
{
	if (mail->kind != MAIL_REQUEST)
		return false;
	const struct request *request = mail->body;
	return request->kind == REQUEST_STATUS || request->kind == REQUEST_COMPONENTS;
}

static void handle(struct heal *heal, struct mail *mail)
{
	bool waits = (heal->stalled != NULL || !heal->is_resumed) && !changes_nothing(mail);
	if (!waits && transact(heal, handler_of(mail->kind), mail->body)) {
		mail_free(mail);
	} else if (mail->kind == MAIL_REQUEST) {
		transact(heal, refuse, mail->body);
		mail_free(mail);
	} else {
		stall(heal, mail);
	}
}

static void retry_stalled(struct heal *heal)
{
	while (heal->stalled != NULL && clock_mono_ms(heal->clock) >= heal->retry_mono_ms) {
		struct mail *mail = heal->stalled;
		if (!transact(heal, handler_of(mail->kind), mail->body)) {
			heal->retry_mono_ms = clock_mono_ms(heal->clock) + STALLED_RETRY_MS;
			return;
		}
		heal->stalled = mail->next;
		if (heal->stalled == NULL)
			heal->stalled_end = &heal->stalled;
		mail_free(mail);
	}
}

/* How long to wait for mail: until the next timer, or the next try to store. */
static int64_t wait_ms(const struct heal *heal, int64_t max_wait_ms)
{
	int64_t wait = max_wait_ms;
	if (heal_until_timer(heal) < wait)
		wait = heal_until_timer(heal);
	if ((heal->stalled != NULL || !heal->is_resumed) &&
		heal->retry_mono_ms - clock_mono_ms(heal->clock) < wait)
		wait = heal->retry_mono_ms - clock_mono_ms(heal->clock);
	return wait < 0 ? 0 : wait;
}

bool heal_step(struct heal *heal, int64_t max_wait_ms, bool *reload)
{
	if (heal->life_count == 0)
		heal->wall_offset = clock_wall_ms(heal->clock) - clock_mono_ms(heal->clock);
	struct mail *mail = mailbox_receive(heal->inbox, wait_ms(heal, max_wait_ms));
	if (mail != NULL && (mail->kind == MAIL_STOP || mail->kind == MAIL_RELOAD)) {
		*reload = mail->kind == MAIL_RELOAD;
		mail_free(mail);
		return false;
	}
	if (mail != NULL)
		handle(heal, mail);
	if (!heal->is_resumed && clock_mono_ms(heal->clock) >= heal->retry_mono_ms) {
		heal->retry_mono_ms = clock_mono_ms(heal->clock) + STALLED_RETRY_MS;
		heal_resume(heal);
	}
	if (heal->is_resumed)
		retry_stalled(heal);
	if (heal->is_resumed && heal->stalled == NULL && heal_until_timer(heal) <= 0)
		transact(heal, take_timers, NULL);
	return true;
}

int heal_open_count(const struct heal *heal)
{
	return heal->life_count;
}
