/*
 * The store: SQLite, and the only SQL of the tree. The core has the one writing handle; readers
 * (the API, metrics) open their own, read-only. A handle belongs to one thread. Everything between
 * store_begin and store_commit is on disk together (WAL, synchronous FULL) or not at all.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/channel.h"
#include "model/evidence.h"
#include "model/incident.h"
#include "model/lesson.h"
#include "model/notice.h"

struct store;

/* Opens state_dir/homeostat.db, makes or migrates it (a copy is kept as homeostat.db.vN before a
 * migration). One writer a folder: state_dir/homeostat.lock is held until store_close. Errors: a
 * newer version's database (says both versions), corrupt, no permission, read-only, full.
 * audit_key: from secret_derive(…, "audit"). */
struct store *store_open(const char *state_dir, const unsigned char audit_key[32], struct err *err);
struct store *store_open_reader(
	const char *state_dir, const unsigned char audit_key[32], struct err *err);
void store_close(struct store *store);

bool store_begin(struct store *store, struct err *err);
/* ERR_SYSTEM with the cause ("disk full", "read-only"): nothing of the transaction remains. */
bool store_commit(struct store *store, struct err *err);
void store_rollback(struct store *store);

/* Incidents. insert sets incident->id. update also writes a row of history when state changed since
 * it was last stored (event: its name). */
bool store_incident_insert(struct store *store, struct incident *incident, struct err *err);
bool store_incident_update(
	struct store *store, const struct incident *incident, const char *event, struct err *err);
bool store_incident_get(
	struct store *store, int64_t id, struct incident *incident, struct err *err);

enum incident_filter { INCIDENTS_OPEN, INCIDENTS_ENDED, INCIDENTS_ALL };
typedef void store_incident_fn(void *ctx, const struct incident *incident);
/* Newest first; limit 0: all. since_ms: opened or ended at or after. */
struct incident_query {
	enum incident_filter filter;
	int64_t since_ms;
	int limit;
};
bool store_incidents(struct store *store, struct incident_query query, store_incident_fn *fn,
	void *ctx, struct err *err);

/* Of one component, newest first. */
bool store_incidents_of(struct store *store, const char *component, int limit,
	store_incident_fn *fn, void *ctx, struct err *err);

struct history {
	int64_t at;
	char state[16], event[16], reason[240];
};
typedef void store_history_fn(void *ctx, const struct history *history);
/* Oldest first. */
bool store_history(
	struct store *store, int64_t incident_id, store_history_fn *fn, void *ctx, struct err *err);

/* Approvals. */
bool store_approval_insert(struct store *store, struct approval *approval, struct err *err);
/* Keeps decided_at, approved, later and actor, once: false with ERR_GONE when it was decided
 * before. */
bool store_approval_decide(
	struct store *store, const struct approval *decided, struct err *err);
/* The first of two persons has agreed: it stays open for the second. */
bool store_approval_second(struct store *store, int64_t id, const char *actor, struct err *err);
/* The newest of an incident; id 0 when there is none. */
bool store_approval_newest(
	struct store *store, int64_t incident_id, struct approval *approval, struct err *err);
typedef void store_approval_fn(void *ctx, const struct approval *approval);
/* All of an incident, oldest first. */
bool store_approvals(
	struct store *store, int64_t incident_id, store_approval_fn *fn, void *ctx, struct err *err);

/* Actions. insert sets record->id; end is ERR_GONE when no such action was begun. */
bool store_action_insert(struct store *store, struct action_record *record, struct err *err);
struct action_end {
	int64_t incident_id;
	int attempt;
	const char *outcome, *text;
	int64_t at;
};
bool store_action_end(struct store *store, struct action_end end, struct err *err);
typedef void store_action_fn(void *ctx, const struct action_record *record);
/* Begun at or after since_ms, oldest first; component NULL: all. */
bool store_actions(struct store *store, int64_t since_ms, const char *component,
	store_action_fn *fn, void *ctx, struct err *err);

/* All of an incident, by attempt. */
bool store_incident_actions(
	struct store *store, int64_t incident_id, store_action_fn *fn, void *ctx, struct err *err);

/* What shadow mode would have done since a time: each plan's title, in how many incidents, and
 * whether a person would have been asked; the most frequent first. */
typedef void store_shadow_fn(void *ctx, const char *title, int64_t incidents, bool asked);
bool store_shadow(
	struct store *store, int64_t since_ms, store_shadow_fn *fn, void *ctx, struct err *err);
/* What was gathered for an attempt replaces what was before. */
bool store_evidence_set(struct store *store, int64_t incident_id, int attempt,
	const struct evidence_list *list, struct err *err);
typedef void store_evidence_fn(void *ctx, int attempt, const struct evidence *evidence);
/* Of an incident, by attempt, as gathered. */
bool store_evidence(struct store *store, int64_t incident_id, store_evidence_fn *fn, void *ctx,
	struct err *err);

/* What a model has answered to the same signs; "" : nothing, or longer ago than since_ms. */
bool store_verdict_set(struct store *store, const char *signature, const char *model,
	const char *answer, int64_t at, struct err *err);
bool store_verdict_get(struct store *store, const char *signature, int64_t since_ms, char *answer,
	size_t size, struct err *err);

/* Adds a lesson's counts to what is kept; in_a_row follows from approved and rejected. */
bool store_lesson_add(struct store *store, const struct lesson *lesson, struct err *err);
typedef void store_lesson_fn(void *ctx, const struct lesson *lesson);
/* All, the newest first; of one trouble of one kind, by action. */
bool store_lessons(struct store *store, store_lesson_fn *fn, void *ctx, struct err *err);
bool store_lessons_of(struct store *store, enum finding_kind finding, enum component_kind kind,
	store_lesson_fn *fn, void *ctx, struct err *err);

/* Small facts by key: "healing", "cursor:docker:local". "" when absent. */
bool store_fact_set(struct store *store, const char *key, const char *value, struct err *err);
bool store_fact_get(
	struct store *store, const char *key, char *value, size_t size, struct err *err);

/* Channels. What was told, kept for those that were out of reach. insert sets notice->id. */
bool store_notice_add(struct store *store, struct notice *notice, struct err *err);
typedef void store_notice_fn(void *ctx, const struct notice *notice);
/* After a number, oldest first, with the incident as it is now; limit 0: all. */
bool store_notices(struct store *store, int64_t after_id, int limit, store_notice_fn *fn, void *ctx,
	struct err *err);
/* The newest one's number, 0 when there is none. */
bool store_notice_last(struct store *store, int64_t *id, struct err *err);
/* One that is there already is replaced. */
bool store_posting_add(struct store *store, const struct posting *posting, struct err *err);
typedef void store_posting_fn(void *ctx, const struct posting *posting);
/* Of a channel about an incident, oldest first. */
bool store_postings(struct store *store, const char *channel, int64_t incident_id,
	store_posting_fn *fn, void *ctx, struct err *err);
bool store_token_add(struct store *store, const struct token *token, struct err *err);
/* ERR_GONE: there is no such token. */
bool store_token_get(
	struct store *store, const char *id, struct token *token, struct err *err);
/* ERR_GONE: it was used before. */
bool store_token_use(struct store *store, const char *id, int64_t at, struct err *err);
/* until 0: not muted any more. */
bool store_mute_set(struct store *store, const struct mute *mute, struct err *err);
typedef void store_mute_fn(void *ctx, const struct mute *mute);
bool store_mutes(struct store *store, int64_t now, store_mute_fn *fn, void *ctx, struct err *err);
/* Notices and tokens are for days, messages as long as their incident. */
bool store_channel_forget(struct store *store, int64_t now, struct err *err);

/* The audit log: append-only, each entry's hash covers the one before it and is keyed. */
struct audit_entry {
	int64_t seq, at;
	char what[32]; /* "action.begin" "action.end" "approval.yes" "healing" "order" "start" … */
	char actor[64];
	char component[NAME_MAX_BYTES];
	int64_t incident_id;
	char text[480];
	char hash[65];
};
/* Sets seq and hash. */
bool store_audit_add(struct store *store, struct audit_entry *entry, struct err *err);
typedef void store_audit_fn(void *ctx, const struct audit_entry *entry);
/* Newest first; limit 0: all. */
bool store_audit(struct store *store, int limit, store_audit_fn *fn, void *ctx, struct err *err);
/* Walks the whole chain. False with ERR_INPUT: text names the first entry that does not fit. */
bool store_audit_verify(struct store *store, int64_t *count, struct err *err);

/* Figures for /metrics and /health. Sums and counts never fall, whatever is forgotten. An action
 * counts once its outcome is final. */
#define STORE_BOUNDS 11
#define STORE_ACTION_ROWS 64
extern const double store_bounds[STORE_BOUNDS]; /* upper bounds of the buckets, seconds */
struct store_figures {
	int64_t open[4][LIFE_STATES];      /* by severity, state */
	int64_t ended_today[LIFE_STATES];  /* since local midnight: since_ms given */
	int64_t fixes_healed, fixes_tried; /* actions by ourselves whose outcome is known */
	int64_t pending_approvals;
	double approval_seconds_sum;
	int64_t approvals_decided;
	double approval_seconds_last;
	double detection_seconds_sum;
	int64_t detections;
	double resolution_seconds_sum;
	int64_t resolutions;
	/* how many within each bound and above the last, not cumulative */
	int64_t approval_buckets[STORE_BOUNDS + 1], detection_buckets[STORE_BOUNDS + 1];
	int64_t resolution_buckets[STORE_BOUNDS + 1];
	struct {
		char action[48], outcome[24];
		int64_t n;
	} actions[STORE_ACTION_ROWS];
	int action_rows;
};
bool store_figures(
	struct store *store, int64_t today_ms, struct store_figures *figures, struct err *err);

/* Deletes ended incidents (with history, approvals, actions) older than before_ms; never audit. */
bool store_forget(struct store *store, int64_t before_ms, struct err *err);

#endif
