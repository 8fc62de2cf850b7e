/*
 * Approvals that were asked for and actions that were begun.
 */
#include "base/str.h"
#include "store/internal.h"

#define TEXT(type, column) \
	{ \
#column, COLUMN_TEXT, offsetof(struct type, column), sizeof(((struct type *)0)->column), \
			NULL, 0 \
	}
#define PLAIN(type, kind, column) \
	{ \
#column, kind, offsetof(struct type, column), 0, NULL, 0 \
	}

static const struct column approval_column[] = {
	PLAIN(approval, COLUMN_INT64, incident_id),
	PLAIN(approval, COLUMN_INT, attempt),
	TEXT(approval, plan_hash),
	PLAIN(approval, COLUMN_INT64, asked_at),
	PLAIN(approval, COLUMN_INT64, expires_at),
	PLAIN(approval, COLUMN_INT64, decided_at),
	PLAIN(approval, COLUMN_BOOL, approved),
	PLAIN(approval, COLUMN_INT64, later),
	TEXT(approval, actor),
	TEXT(approval, first_actor),
};
static const struct columns approval_columns = {
	approval_column, sizeof(approval_column) / sizeof(approval_column[0])};

static const struct column action_column[] = {
	PLAIN(action_record, COLUMN_INT64, incident_id),
	PLAIN(action_record, COLUMN_INT, attempt),
	TEXT(action_record, action),
	TEXT(action_record, component),
	TEXT(action_record, actor),
	PLAIN(action_record, COLUMN_INT64, began_at),
	PLAIN(action_record, COLUMN_INT64, ended_at),
	TEXT(action_record, outcome),
	TEXT(action_record, text),
};
static const struct columns action_columns = {
	action_column, sizeof(action_column) / sizeof(action_column[0])};

static bool insert(
	struct store *store, const struct sql *sql, const void *row, int64_t *id, struct err *err)
{
	sqlite3_stmt *statement = sql_get(store, sql, err);
	if (statement == NULL)
		return false;
	row_bind(statement, sql->columns, row);
	if (!sql_run(store, statement, err))
		return false;
	*id = sqlite3_last_insert_rowid(store->db);
	return true;
}

bool store_approval_insert(struct store *store, struct approval *approval, struct err *err)
{
	static const struct sql add = {"INSERT INTO approval (%c) VALUES (%m)", &approval_columns};
	return insert(store, &add, approval, &approval->id, err);
}

/* The condition in the statement is what makes a decision count once. */
bool store_approval_decide(struct store *store, const struct approval *decided, struct err *err)
{
	static const struct sql decide = {
		"UPDATE approval SET decided_at = ?2, approved = ?3, later = ?5, actor = ?4"
		" WHERE id = ?1 AND decided_at = 0",
		NULL};
	sqlite3_stmt *statement = sql_get(store, &decide, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, decided->id);
	sqlite3_bind_int64(statement, 2, decided->decided_at);
	sqlite3_bind_int(statement, 3, decided->approved);
	sql_bind_text(statement, 4, decided->actor);
	sqlite3_bind_int64(statement, 5, decided->later);
	if (!sql_run(store, statement, err))
		return false;
	return sqlite3_changes(store->db) == 1 ||
		err_set(err, ERR_GONE, "approval %lld was decided before", (long long)decided->id);
}

bool store_approval_second(struct store *store, int64_t id, const char *actor, struct err *err)
{
	static const struct sql first = {"UPDATE approval SET first_actor = ?2"
									 " WHERE id = ?1 AND decided_at = 0 AND first_actor = ''",
		NULL};
	sqlite3_stmt *statement = sql_get(store, &first, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, id);
	sql_bind_text(statement, 2, actor);
	return sql_run(store, statement, err);
}

bool store_approval_newest(
	struct store *store, int64_t incident_id, struct approval *approval, struct err *err)
{
	static const struct sql newest = {"SELECT %c, id FROM approval WHERE incident_id = ?1"
									  " ORDER BY id DESC LIMIT 1",
		&approval_columns};
	bool ok;
	*approval = (struct approval){0};
	sqlite3_stmt *statement = sql_get(store, &newest, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, incident_id);
	if (sql_next(store, statement, &ok, err)) {
		approval->id = sqlite3_column_int64(statement, approval_columns.count);
		ok = row_read(statement, &approval_columns, approval, err);
	}
	sql_put(store, statement);
	return ok;
}

bool store_approvals(
	struct store *store, int64_t incident_id, store_approval_fn *fn, void *ctx, struct err *err)
{
	static const struct sql list = {
		"SELECT %c, id FROM approval WHERE incident_id = ?1 ORDER BY id", &approval_columns};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &list, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, incident_id);
	while (sql_next(store, statement, &ok, err)) {
		struct approval approval = {.id = sqlite3_column_int64(statement, approval_columns.count)};
		ok = row_read(statement, &approval_columns, &approval, err);
		if (!ok)
			break;
		fn(ctx, &approval);
	}
	sql_put(store, statement);
	return ok;
}

bool store_action_insert(struct store *store, struct action_record *record, struct err *err)
{
	static const struct sql add = {"INSERT INTO action (%c) VALUES (%m)", &action_columns};
	return insert(store, &add, record, &record->id, err);
}

bool store_action_end(struct store *store, struct action_end end, struct err *err)
{
	/* What was done, in the action's own words, is worth more than that it is seen healthy. */
	static const struct sql query = {
		"UPDATE action SET text = CASE WHEN ?3 = 'healed' AND outcome = 'done' THEN text ELSE ?4 "
		"END,"
		" outcome = ?3, ended_at = ?5 WHERE incident_id = ?1 AND attempt = ?2",
		NULL};
	char cut[sizeof(((struct action_record *)0)->text)];
	STR_SET(cut, end.text);
	sqlite3_stmt *statement = sql_get(store, &query, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, end.incident_id);
	sqlite3_bind_int(statement, 2, end.attempt);
	sql_bind_text(statement, 3, end.outcome);
	sql_bind_text(statement, 4, cut);
	sqlite3_bind_int64(statement, 5, end.at);
	if (!sql_run(store, statement, err))
		return false;
	return sqlite3_changes(store->db) == 1 ||
		err_set(err, ERR_GONE, "incident %lld has no action of attempt %d",
			(long long)end.incident_id, end.attempt);
}

static bool each_action(
	struct store *store, sqlite3_stmt *statement, store_action_fn *fn, void *ctx, struct err *err)
{
	bool ok;
	while (sql_next(store, statement, &ok, err)) {
		struct action_record record = {.id = sqlite3_column_int64(statement, action_columns.count)};
		ok = row_read(statement, &action_columns, &record, err);
		if (!ok)
			break;
		fn(ctx, &record);
	}
	sql_put(store, statement);
	return ok;
}

bool store_actions(struct store *store, int64_t since_ms, const char *component,
	store_action_fn *fn, void *ctx, struct err *err)
{
	static const struct sql all = {"SELECT %c, id FROM action WHERE began_at >= ?1"
								   " ORDER BY began_at, id",
		&action_columns};
	static const struct sql one = {"SELECT %c, id FROM action WHERE component = ?2"
								   " AND began_at >= ?1 ORDER BY began_at, id",
		&action_columns};
	sqlite3_stmt *statement = sql_get(store, component != NULL ? &one : &all, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, since_ms);
	if (component != NULL)
		sql_bind_text(statement, 2, component);
	return each_action(store, statement, fn, ctx, err);
}

bool store_incident_actions(
	struct store *store, int64_t incident_id, store_action_fn *fn, void *ctx, struct err *err)
{
	static const struct sql list = {"SELECT %c, id FROM action WHERE incident_id = ?1"
									" ORDER BY attempt",
		&action_columns};
	sqlite3_stmt *statement = sql_get(store, &list, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, incident_id);
	return each_action(store, statement, fn, ctx, err);
}

/* The reasons are policy_decide's. */
bool store_shadow(
	struct store *store, int64_t since_ms, store_shadow_fn *fn, void *ctx, struct err *err)
{
	static const struct sql list = {
		"SELECT i.plan_title, count(DISTINCT i.id), max(h.reason LIKE '%ask a person')"
		" FROM history h JOIN incident i ON i.id = h.incident_id"
		" WHERE h.at >= ?1 AND h.reason LIKE 'shadow mode: would %'"
		" GROUP BY i.plan_title ORDER BY 2 DESC, 1",
		NULL};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &list, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, since_ms);
	while (sql_next(store, statement, &ok, err)) {
		char title[200];
		sql_copy_text(statement, 0, title, sizeof(title));
		fn(ctx, title, sqlite3_column_int64(statement, 1), sqlite3_column_int(statement, 2) != 0);
	}
	sql_put(store, statement);
	return ok;
}
