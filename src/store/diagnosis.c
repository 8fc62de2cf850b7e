/*
 * What diagnoses rest on: evidence by incident, and models' answers by the signs they were given.
 */
#include <string.h>

#include "base/str.h"
#include "store/internal.h"

static bool drop_evidence(struct store *store, int64_t incident_id, int attempt, struct err *err)
{
	static const struct sql drop = {
		"DELETE FROM evidence WHERE incident_id = ?1 AND attempt = ?2", NULL};
	sqlite3_stmt *statement = sql_get(store, &drop, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, incident_id);
	sqlite3_bind_int(statement, 2, attempt);
	return sql_run(store, statement, err);
}

bool store_evidence_set(struct store *store, int64_t incident_id, int attempt,
	const struct evidence_list *list, struct err *err)
{
	static const struct sql add = {
		"INSERT INTO evidence (incident_id, attempt, kind, at, source, text, proves)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		NULL};
	bool ok = drop_evidence(store, incident_id, attempt, err);
	for (int i = 0; ok && i < list->count; i++) {
		const struct evidence *row = &list->rows[i];
		sqlite3_stmt *statement = sql_get(store, &add, err);
		if (statement == NULL)
			return false;
		sqlite3_bind_int64(statement, 1, incident_id);
		sqlite3_bind_int(statement, 2, attempt);
		sql_bind_text(statement, 3, evidence_kind_name(row->kind));
		sqlite3_bind_int64(statement, 4, row->at);
		sql_bind_text(statement, 5, row->source);
		sql_bind_text(statement, 6, row->text);
		sqlite3_bind_int(statement, 7, row->proves);
		ok = sql_run(store, statement, err);
	}
	return ok;
}

static enum evidence_kind kind_of(const char *name)
{
	for (int i = 0; i < EVIDENCE_KINDS; i++)
		if (strcmp(evidence_kind_name((enum evidence_kind)i), name) == 0)
			return (enum evidence_kind)i;
	return EVIDENCE_GAP;
}

bool store_evidence(
	struct store *store, int64_t incident_id, store_evidence_fn *fn, void *ctx, struct err *err)
{
	static const struct sql list = {"SELECT attempt, kind, at, source, text, proves FROM evidence"
									" WHERE incident_id = ?1 ORDER BY attempt, id",
		NULL};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &list, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, incident_id);
	while (sql_next(store, statement, &ok, err)) {
		struct evidence row = {
			.at = sqlite3_column_int64(statement, 2), .proves = sqlite3_column_int(statement, 5)};
		char kind[16];
		sql_copy_text(statement, 1, kind, sizeof(kind));
		sql_copy_text(statement, 3, row.source, sizeof(row.source));
		sql_copy_text(statement, 4, row.text, sizeof(row.text));
		row.kind = kind_of(kind);
		fn(ctx, sqlite3_column_int(statement, 0), &row);
	}
	sql_put(store, statement);
	return ok;
}

bool store_verdict_set(struct store *store, const char *signature, const char *model,
	const char *answer, int64_t at, struct err *err)
{
	static const struct sql set = {"INSERT INTO verdict (signature, at, model, answer)"
								   " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (signature) DO UPDATE SET"
								   " at = excluded.at, model = excluded.model,"
								   " answer = excluded.answer",
		NULL};
	sqlite3_stmt *statement = sql_get(store, &set, err);
	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, signature);
	sqlite3_bind_int64(statement, 2, at);
	sql_bind_text(statement, 3, model);
	sql_bind_text(statement, 4, answer);
	return sql_run(store, statement, err);
}

bool store_verdict_get(struct store *store, const char *signature, int64_t since_ms, char *answer,
	size_t size, struct err *err)
{
	static const struct sql get = {
		"SELECT answer FROM verdict WHERE signature = ?1 AND at >= ?2", NULL};
	bool ok;
	answer[0] = '\0';
	sqlite3_stmt *statement = sql_get(store, &get, err);
	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, signature);
	sqlite3_bind_int64(statement, 2, since_ms);
	if (sql_next(store, statement, &ok, err))
		sql_copy_text(statement, 0, answer, size);
	sql_put(store, statement);
	return ok;
}
