/*
 * What channels need across a restart: what was told, the messages that stand in chats, what their
 * buttons mean, and what is muted.
 */
#include "base/str.h"
#include "store/internal.h"

#define DAY_MS INT64_C(86400000)
#define NOTICE_DAYS 14
#define TOKEN_DAYS 7

#define TEXT(type, column) \
	{ \
#column, COLUMN_TEXT, offsetof(struct type, column), sizeof(((struct type *)0)->column), \
			NULL, 0 \
	}
#define PLAIN(type, kind, column) \
	{ \
#column, kind, offsetof(struct type, column), 0, NULL, 0 \
	}
#define LENGTH(array) (int)(sizeof(array) / sizeof((array)[0]))

static const struct column posting_column[] = {
	TEXT(posting, channel),
	PLAIN(posting, COLUMN_INT64, chat),
	PLAIN(posting, COLUMN_INT64, message_id),
	PLAIN(posting, COLUMN_INT64, thread_id),
	PLAIN(posting, COLUMN_INT64, incident_id),
	PLAIN(posting, COLUMN_INT64, approval_id),
	TEXT(posting, purpose),
	PLAIN(posting, COLUMN_INT64, at),
};
static const struct columns posting_columns = {posting_column, LENGTH(posting_column)};

static const char *kind_of(int value)
{
	return token_kind_name((enum token_kind)value);
}

static const struct column token_column[] = {
	TEXT(token, id),
	{"kind", COLUMN_ENUM, offsetof(struct token, kind), 0, kind_of, TOKEN_KINDS},
	TEXT(token, channel),
	PLAIN(token, COLUMN_INT64, chat),
	PLAIN(token, COLUMN_INT64, incident_id),
	PLAIN(token, COLUMN_INT64, approval_id),
	TEXT(token, plan_hash),
	TEXT(token, action),
	TEXT(token, component),
	TEXT(token, params),
	TEXT(token, page),
	PLAIN(token, COLUMN_INT64, for_ms),
	PLAIN(token, COLUMN_INT64, expires_at),
	PLAIN(token, COLUMN_INT64, used_at),
};
static const struct columns token_columns = {token_column, LENGTH(token_column)};

static const struct column mute_column[] = {
	TEXT(mute, pattern),
	PLAIN(mute, COLUMN_INT64, until),
	TEXT(mute, actor),
};
static const struct columns mute_columns = {mute_column, LENGTH(mute_column)};

static bool put(struct store *store, const struct sql *sql, const void *row, struct err *err)
{
	sqlite3_stmt *statement = sql_get(store, sql, err);
	if (statement == NULL)
		return false;
	row_bind(statement, sql->columns, row);
	return sql_run(store, statement, err);
}

bool store_notice_add(struct store *store, struct notice *notice, struct err *err)
{
	static const struct sql add = {
		"INSERT INTO notice (at, kind, ok, muted, incident_id, attempt, text)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		NULL};
	sqlite3_stmt *statement = sql_get(store, &add, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, notice->at);
	sqlite3_bind_int(statement, 2, (int)notice->kind);
	sqlite3_bind_int(statement, 3, notice->ok);
	sqlite3_bind_int(statement, 4, notice->muted);
	sqlite3_bind_int64(statement, 5, notice->incident.id);
	sqlite3_bind_int(statement, 6, notice->incident.attempt);
	sql_bind_text(statement, 7, notice->text);
	if (!sql_run(store, statement, err))
		return false;
	notice->id = sqlite3_last_insert_rowid(store->db);
	return true;
}

/* A kind of a later version is passed over: id 0. */
static void read_notice(sqlite3_stmt *statement, struct notice *notice)
{
	int kind = sqlite3_column_int(statement, 2);
	*notice = (struct notice){
		.id = sqlite3_column_int64(statement, 0),
		.at = sqlite3_column_int64(statement, 1),
		.kind = kind >= 0 && kind < NOTICE_KINDS ? (enum notice_kind)kind : NOTICE_KINDS,
		.ok = sqlite3_column_int(statement, 3) != 0,
		.muted = sqlite3_column_int(statement, 4) != 0,
	};
	notice->incident.id = sqlite3_column_int64(statement, 5);
	notice->incident.attempt = sqlite3_column_int(statement, 6);
	sql_copy_text(statement, 7, notice->text, sizeof(notice->text));
}

bool store_notices(struct store *store, int64_t after_id, int limit, store_notice_fn *fn, void *ctx,
	struct err *err)
{
	static const struct sql list = {
		"SELECT id, at, kind, ok, muted, incident_id, attempt, text FROM notice"
		" WHERE id > ?1 ORDER BY id LIMIT ?2",
		NULL};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &list, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, after_id);
	sqlite3_bind_int(statement, 2, limit > 0 ? limit : -1);
	while (sql_next(store, statement, &ok, err)) {
		struct notice notice;
		struct incident incident = {0};
		struct err gone = {0};
		read_notice(statement, &notice);
		int attempt = notice.incident.attempt;
		if (notice.incident.id != 0 &&
			store_incident_get(store, notice.incident.id, &incident, &gone)) {
			notice.incident = incident;
			notice.incident.attempt = attempt;
		} else if (notice.incident.id != 0 && gone.kind != ERR_GONE) {
			*err = gone;
			ok = false;
			break;
		}
		if (notice.kind < NOTICE_KINDS)
			fn(ctx, &notice);
	}
	sql_put(store, statement);
	return ok;
}

bool store_notice_last(struct store *store, int64_t *id, struct err *err)
{
	return sql_number(store, "SELECT coalesce(max(id), 0) FROM notice", id, err);
}

bool store_posting_add(struct store *store, const struct posting *posting, struct err *err)
{
	static const struct sql add = {
		"INSERT OR REPLACE INTO posting (%c) VALUES (%m)", &posting_columns};
	return put(store, &add, posting, err);
}

bool store_postings(struct store *store, const char *channel, int64_t incident_id,
	store_posting_fn *fn, void *ctx, struct err *err)
{
	static const struct sql list = {"SELECT %c FROM posting WHERE incident_id = ?1 AND channel = ?2"
									" ORDER BY at, message_id",
		&posting_columns};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &list, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, incident_id);
	sql_bind_text(statement, 2, channel);
	while (sql_next(store, statement, &ok, err)) {
		struct posting posting = {0};
		ok = row_read(statement, &posting_columns, &posting, err);
		if (!ok)
			break;
		fn(ctx, &posting);
	}
	sql_put(store, statement);
	return ok;
}

bool store_token_add(struct store *store, const struct token *token, struct err *err)
{
	static const struct sql add = {"INSERT INTO token (%c) VALUES (%m)", &token_columns};
	return put(store, &add, token, err);
}

bool store_token_get(struct store *store, const char *id, struct token *token, struct err *err)
{
	static const struct sql get = {"SELECT %c FROM token WHERE id = ?1", &token_columns};
	bool ok;
	*token = (struct token){0};
	sqlite3_stmt *statement = sql_get(store, &get, err);
	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, id);
	if (sql_next(store, statement, &ok, err))
		ok = row_read(statement, &token_columns, token, err);
	else if (ok)
		ok = err_set(err, ERR_GONE, "there is no such button");
	sql_put(store, statement);
	return ok;
}

bool store_token_use(struct store *store, const char *id, int64_t at, struct err *err)
{
	static const struct sql use = {
		"UPDATE token SET used_at = ?2 WHERE id = ?1 AND used_at = 0", NULL};
	sqlite3_stmt *statement = sql_get(store, &use, err);
	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, id);
	sqlite3_bind_int64(statement, 2, at);
	if (!sql_run(store, statement, err))
		return false;
	return sqlite3_changes(store->db) == 1 || err_set(err, ERR_GONE, "it was pressed before");
}

bool store_mute_set(struct store *store, const struct mute *mute, struct err *err)
{
	static const struct sql set = {"INSERT OR REPLACE INTO mute (%c) VALUES (%m)", &mute_columns};
	static const struct sql end = {"DELETE FROM mute WHERE pattern = ?1", NULL};
	if (mute->until != 0)
		return put(store, &set, mute, err);
	sqlite3_stmt *statement = sql_get(store, &end, err);
	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, mute->pattern);
	return sql_run(store, statement, err);
}

bool store_mutes(struct store *store, int64_t now, store_mute_fn *fn, void *ctx, struct err *err)
{
	static const struct sql list = {
		"SELECT %c FROM mute WHERE until > ?1 ORDER BY pattern", &mute_columns};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &list, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, now);
	while (sql_next(store, statement, &ok, err)) {
		struct mute mute = {0};
		ok = row_read(statement, &mute_columns, &mute, err);
		if (!ok)
			break;
		fn(ctx, &mute);
	}
	sql_put(store, statement);
	return ok;
}

static bool forget(struct store *store, const struct sql *sql, int64_t before, struct err *err)
{
	sqlite3_stmt *statement = sql_get(store, sql, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, before);
	return sql_run(store, statement, err);
}

bool store_channel_forget(struct store *store, int64_t now, struct err *err)
{
	static const struct sql notices = {"DELETE FROM notice WHERE at < ?1", NULL};
	static const struct sql tokens = {
		"DELETE FROM token WHERE expires_at > 0 AND expires_at < ?1", NULL};
	static const struct sql postings = {"DELETE FROM posting WHERE incident_id <> 0 AND at < ?1"
										" AND incident_id NOT IN (SELECT id FROM incident)",
		NULL};
	static const struct sql mutes = {"DELETE FROM mute WHERE until < ?1", NULL};
	return forget(store, &notices, now - NOTICE_DAYS * DAY_MS, err) &&
		forget(store, &tokens, now - TOKEN_DAYS * DAY_MS, err) &&
		forget(store, &postings, now - NOTICE_DAYS * DAY_MS, err) &&
		forget(store, &mutes, now, err);
}
