/*
 * Incidents and their history.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "store/internal.h"

static const char *kind_of(int value)
{
	return component_kind_name((enum component_kind)value);
}

static const char *aspect_of(int value)
{
	return aspect_name((enum aspect)value);
}

static const char *risk_of(int value)
{
	return risk_name((enum risk)value);
}

static const char *severity_of(int value)
{
	return severity_name((enum severity)value);
}

static const char *finding_of(int value)
{
	return finding_kind_name((enum finding_kind)value);
}

static const char *state_of(int value)
{
	return life_state_name((enum life_state)value);
}

#define AT(member) offsetof(struct incident, member)
#define TEXT(column, member) \
	{ \
		column, COLUMN_TEXT, AT(member), sizeof(((struct incident *)0)->member), NULL, 0 \
	}
#define PLAIN(column, type, member) \
	{ \
		column, type, AT(member), 0, NULL, 0 \
	}
#define NAMED(column, member, name_of, values) \
	{ \
		column, COLUMN_ENUM, AT(member), 0, name_of, values \
	}

/* Without the id, so that the same list serves an insert. */
static const struct column incident_column[] = {
	PLAIN("attempt", COLUMN_INT, attempt),
	TEXT("component", component.name),
	TEXT("label", component.label),
	TEXT("source", component.source),
	TEXT("native", component.native),
	TEXT("parent", component.parent),
	NAMED("kind", component.kind, kind_of, COMPONENT_KINDS),
	NAMED("aspect", aspect, aspect_of, ASPECTS),
	PLAIN("ignored", COLUMN_BOOL, component.ignored),
	PLAIN("has_risk", COLUMN_BOOL, component.has_risk),
	NAMED("risk", component.risk, risk_of, RISK_HIGH + 1),
	TEXT("wish", component.action),
	TEXT("depends_on", component.depends_on),
	NAMED("finding", finding, finding_of, FINDING_KINDS),
	NAMED("severity", severity, severity_of, SEVERITY_CRITICAL + 1),
	NAMED("state", state, state_of, LIFE_STATES),
	TEXT("issue", issue),
	TEXT("metrics", metrics),
	TEXT("reason", reason),
	TEXT("cause", diagnosis.cause),
	TEXT("diagnosed_by", diagnosis.by),
	PLAIN("confidence", COLUMN_REAL, diagnosis.confidence),
	TEXT("remedy", diagnosis.action),
	TEXT("remedy_params", diagnosis.params),
	TEXT("evidence", diagnosis.evidence),
	TEXT("alternatives", diagnosis.alternatives),
	NAMED("remedy_risk", diagnosis.risk, risk_of, RISK_HIGH + 1),
	PLAIN("unproven", COLUMN_BOOL, diagnosis.unproven),
	TEXT("plan_action", plan.action),
	TEXT("plan_component", plan.component),
	TEXT("plan_label", plan.label),
	TEXT("plan_source", plan.source),
	TEXT("plan_native", plan.native),
	TEXT("plan_params", plan.params),
	NAMED("plan_risk", plan.risk, risk_of, RISK_HIGH + 1),
	TEXT("plan_title", plan.title),
	TEXT("plan_hash", plan.hash),
	TEXT("actor", actor),
	PLAIN("ordered", COLUMN_BOOL, ordered),
	PLAIN("parent_id", COLUMN_INT64, parent_id),
	PLAIN("failed_at", COLUMN_INT64, failed_at),
	PLAIN("opened_at", COLUMN_INT64, opened_at),
	PLAIN("changed_at", COLUMN_INT64, changed_at),
	PLAIN("acted_at", COLUMN_INT64, acted_at),
	PLAIN("healthy_since", COLUMN_INT64, healthy_since),
	PLAIN("wake_at", COLUMN_INT64, wake_at),
	PLAIN("ended_at", COLUMN_INT64, ended_at),
};
static const struct columns incident_columns = {
	incident_column, sizeof(incident_column) / sizeof(incident_column[0])};

static bool history_add(
	struct store *store, const struct incident *incident, const char *event, struct err *err)
{
	static const struct sql add = {"INSERT INTO history (incident_id, at, state, event, reason)"
								   " VALUES (?1, ?2, ?3, ?4, ?5)",
		NULL};
	sqlite3_stmt *statement = sql_get(store, &add, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, incident->id);
	sqlite3_bind_int64(statement, 2, incident->changed_at);
	sql_bind_text(statement, 3, life_state_name(incident->state));
	sql_bind_text(statement, 4, event);
	sql_bind_text(statement, 5, incident->reason);
	return sql_run(store, statement, err);
}

/* A row that is not yet in any state has no history: its first event will write it. */
bool store_incident_insert(struct store *store, struct incident *incident, struct err *err)
{
	static const struct sql insert = {"INSERT INTO incident (%c) VALUES (%m)", &incident_columns};
	sqlite3_stmt *statement = sql_get(store, &insert, err);
	if (statement == NULL)
		return false;
	row_bind(statement, &incident_columns, incident);
	if (!sql_run(store, statement, err))
		return false;
	incident->id = sqlite3_last_insert_rowid(store->db);
	return incident->state == LIFE_NONE || history_add(store, incident, "", err);
}

/* The state as it was stored last, "" when there is no such row. */
static bool stored_state(struct store *store, int64_t id, char state[16], struct err *err)
{
	static const struct sql get = {"SELECT state FROM incident WHERE id = ?1", NULL};
	bool ok;
	state[0] = '\0';
	sqlite3_stmt *statement = sql_get(store, &get, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, id);
	if (sql_next(store, statement, &ok, err))
		sql_copy_text(statement, 0, state, 16);
	sql_put(store, statement);
	return ok;
}

bool store_incident_update(
	struct store *store, const struct incident *incident, const char *event, struct err *err)
{
	static const struct sql update = {
		"UPDATE incident SET (%c) = (%m) WHERE id = :id", &incident_columns};
	char before[16];
	if (!stored_state(store, incident->id, before, err))
		return false;
	if (before[0] == '\0')
		return err_set(err, ERR_GONE, "there is no incident %lld", (long long)incident->id);
	sqlite3_stmt *statement = sql_get(store, &update, err);
	if (statement == NULL)
		return false;
	row_bind(statement, &incident_columns, incident);
	sqlite3_bind_int64(statement, incident_columns.count + 1, incident->id);
	if (!sql_run(store, statement, err))
		return false;
	return str_equal(before, life_state_name(incident->state)) ||
		history_add(store, incident, event, err);
}

static bool read_incident(sqlite3_stmt *statement, struct incident *incident, struct err *err)
{
	incident->id = sqlite3_column_int64(statement, incident_columns.count);
	return row_read(statement, &incident_columns, incident, err) ||
		err_prefix(err, "incident %lld", (long long)incident->id);
}

bool store_incident_get(struct store *store, int64_t id, struct incident *incident, struct err *err)
{
	static const struct sql get = {"SELECT %c, id FROM incident WHERE id = ?1", &incident_columns};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &get, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, id);
	if (sql_next(store, statement, &ok, err))
		ok = read_incident(statement, incident, err);
	else if (ok)
		ok = err_set(err, ERR_GONE, "there is no incident %lld", (long long)id);
	sql_put(store, statement);
	return ok;
}

static bool each_incident(
	struct store *store, sqlite3_stmt *statement, store_incident_fn *fn, void *ctx, struct err *err)
{
	bool ok;
	while (sql_next(store, statement, &ok, err)) {
		struct incident incident = {0};
		ok = read_incident(statement, &incident, err);
		if (!ok)
			break;
		fn(ctx, &incident);
	}
	sql_put(store, statement);
	return ok;
}

bool store_incidents(struct store *store, struct incident_query query, store_incident_fn *fn,
	void *ctx, struct err *err)
{
	static const struct sql queries[] = {
		[INCIDENTS_OPEN] =
			{"SELECT %c, id FROM incident"
			 " WHERE state NOT IN ('NONE', 'RESOLVED', 'CLEARED') AND opened_at >= ?1"
			 " ORDER BY id DESC LIMIT ?2",
				&incident_columns},
		[INCIDENTS_ENDED] = {"SELECT %c, id FROM incident"
							 " WHERE state IN ('RESOLVED', 'CLEARED') AND ended_at >= ?1"
							 " ORDER BY ended_at DESC, id DESC LIMIT ?2",
			&incident_columns},
		[INCIDENTS_ALL] = {"SELECT %c, id FROM incident"
						   " WHERE opened_at >= ?1 OR ended_at >= ?1 ORDER BY id DESC LIMIT ?2",
			&incident_columns},
	};
	sqlite3_stmt *statement = sql_get(store, &queries[query.filter], err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, query.since_ms);
	sqlite3_bind_int(statement, 2, query.limit > 0 ? query.limit : -1);
	return each_incident(store, statement, fn, ctx, err);
}

bool store_incidents_of(struct store *store, const char *component, int limit,
	store_incident_fn *fn, void *ctx, struct err *err)
{
	static const struct sql of = {"SELECT %c, id FROM incident WHERE component = ?1"
								  " ORDER BY id DESC LIMIT ?2",
		&incident_columns};
	sqlite3_stmt *statement = sql_get(store, &of, err);
	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, component);
	sqlite3_bind_int(statement, 2, limit > 0 ? limit : -1);
	return each_incident(store, statement, fn, ctx, err);
}

bool store_history(
	struct store *store, int64_t incident_id, store_history_fn *fn, void *ctx, struct err *err)
{
	static const struct sql list = {"SELECT at, state, event, reason FROM history"
									" WHERE incident_id = ?1 ORDER BY id",
		NULL};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &list, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, incident_id);
	while (sql_next(store, statement, &ok, err)) {
		struct history history = {.at = sqlite3_column_int64(statement, 0)};
		sql_copy_text(statement, 1, history.state, sizeof(history.state));
		sql_copy_text(statement, 2, history.event, sizeof(history.event));
		sql_copy_text(statement, 3, history.reason, sizeof(history.reason));
		fn(ctx, &history);
	}
	sql_put(store, statement);
	return ok;
}
