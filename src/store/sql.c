/*
 * Statements and rows: what is the same for every table.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "store/internal.h"

#define SQL_MAX_BYTES 4096

static const char *cure_of(int code)
{
	switch (code) {
	case SQLITE_FULL:
		return "the disk is full: free some space on it";
	case SQLITE_READONLY:
		return "it is read-only: mount it writable, or give this user the right to write";
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return "no permission: it must belong to the user that homeostat runs as";
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "another program holds it locked";
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return "the database is damaged: stop homeostat, move the file away and put a copy in its "
			   "place, or start without one (what was remembered is then lost)";
	default:
		return NULL;
	}
}

bool sql_fail(const struct store *store, const char *doing, struct err *err)
{
	int code = sqlite3_errcode(store->db) & 0xff;
	int error = sqlite3_system_errno(store->db);
	const char *cure = cure_of(code);
	enum err_kind kind = code == SQLITE_BUSY || code == SQLITE_LOCKED ? ERR_RETRY : ERR_SYSTEM;
	if (cure != NULL)
		return err_set(err, kind, "%s: %s: %s", store->path, doing, cure);
	if ((code == SQLITE_CANTOPEN || code == SQLITE_IOERR) && error != 0)
		return err_set(err, kind, "%s: %s: %s", store->path, doing, strerror(error));
	return err_set(err, kind, "%s: %s: %s", store->path, doing, sqlite3_errmsg(store->db));
}

bool sql_exec(const struct store *store, const char *text, struct err *err)
{
	if (sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	return sql_fail(store, store->reader ? "read" : "write", err);
}

bool sql_number(const struct store *store, const char *text, int64_t *number, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	bool ok = sqlite3_prepare_v2(store->db, text, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW;
	if (ok)
		*number = sqlite3_column_int64(statement, 0);
	else
		sql_fail(store, "read", err);
	sqlite3_finalize(statement);
	return ok;
}

/* Writes the template's text; false when it does not fit, which is our own bug. */
static bool expand(const struct sql *sql, char *text, size_t size)
{
	size_t length = 0;
	for (const char *p = sql->text; *p != '\0' && length < size; p++) {
		if (p[0] != '%' || (p[1] != 'c' && p[1] != 'm')) {
			text[length++] = *p;
			continue;
		}
		p++;
		for (int i = 0; i < sql->columns->count && length < size; i++) {
			char mark[16];
			STR_FORMAT(mark, "?%d", i + 1);
			int n = snprintf(text + length, size - length, "%s%s", i > 0 ? ", " : "",
				*p == 'c' ? sql->columns->column[i].name : mark);
			length += n > 0 ? (size_t)n : 0;
		}
	}
	if (length >= size)
		return false;
	text[length] = '\0';
	return true;
}

static sqlite3_stmt *prepare(struct store *store, const struct sql *sql, bool keep, struct err *err)
{
	char text[SQL_MAX_BYTES];
	sqlite3_stmt *statement = NULL;
	if (!expand(sql, text, sizeof(text))) {
		err_set(err, ERR_SYSTEM, "a statement of the store is too long: %.40s", sql->text);
		return NULL;
	}
	if (sqlite3_prepare_v3(store->db, text, -1, keep ? SQLITE_PREPARE_PERSISTENT : 0, &statement,
			NULL) != SQLITE_OK) {
		sql_fail(store, store->reader ? "read" : "write", err);
		return NULL;
	}
	return statement;
}

/* A callback may ask for what is being read already: it gets a statement of its own. */
sqlite3_stmt *sql_get(struct store *store, const struct sql *sql, struct err *err)
{
	for (int i = 0; i < store->cached; i++)
		if (store->cache[i].sql == sql)
			return sqlite3_stmt_busy(store->cache[i].statement) ? prepare(store, sql, false, err)
																: store->cache[i].statement;
	bool keep = store->cached < STATEMENTS_MAX;
	sqlite3_stmt *statement = prepare(store, sql, keep, err);
	if (statement != NULL && keep) {
		store->cache[store->cached].sql = sql;
		store->cache[store->cached++].statement = statement;
	}
	return statement;
}

void sql_put(struct store *store, sqlite3_stmt *statement)
{
	if (statement == NULL)
		return;
	for (int i = 0; i < store->cached; i++) {
		if (store->cache[i].statement != statement)
			continue;
		sqlite3_reset(statement);
		sqlite3_clear_bindings(statement);
		return;
	}
	sqlite3_finalize(statement);
}

bool sql_next(const struct store *store, sqlite3_stmt *statement, bool *ok, struct err *err)
{
	int code = sqlite3_step(statement);
	*ok = code == SQLITE_ROW || code == SQLITE_DONE;
	if (!*ok)
		sql_fail(store, store->reader ? "read" : "write", err);
	return code == SQLITE_ROW;
}

bool sql_run(struct store *store, sqlite3_stmt *statement, struct err *err)
{
	bool ok;
	while (sql_next(store, statement, &ok, err))
		;
	sql_put(store, statement);
	return ok;
}

/* The text must live until the statement was run. */
void sql_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

void sql_copy_text(sqlite3_stmt *statement, int column, char *field, size_t size)
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	str_format(field, size, "%s", text != NULL ? (const char *)text : "");
}

void row_bind(sqlite3_stmt *statement, const struct columns *columns, const void *row)
{
	for (int i = 0; i < columns->count; i++) {
		const struct column *column = &columns->column[i];
		const void *at = (const char *)row + column->offset;
		switch (column->type) {
		case COLUMN_TEXT:
			sql_bind_text(statement, i + 1, at);
			break;
		case COLUMN_INT:
			sqlite3_bind_int(statement, i + 1, *(const int *)at);
			break;
		case COLUMN_INT64:
			sqlite3_bind_int64(statement, i + 1, *(const int64_t *)at);
			break;
		case COLUMN_BOOL:
			sqlite3_bind_int(statement, i + 1, *(const bool *)at);
			break;
		case COLUMN_REAL:
			sqlite3_bind_double(statement, i + 1, *(const double *)at);
			break;
		case COLUMN_ENUM:
			sql_bind_text(statement, i + 1, column->name_of(*(const int *)at));
			break;
		}
	}
}

static bool read_enum(
	sqlite3_stmt *statement, int index, const struct column *column, int *value, struct err *err)
{
	char name[32];
	sql_copy_text(statement, index, name, sizeof(name));
	for (*value = 0; *value < column->values; ++*value)
		if (str_equal(column->name_of(*value), name))
			return true;
	*value = 0;
	return err_set(err, ERR_INPUT, "the store has \"%s\" for %s, which is none of its values", name,
		column->name);
}

bool row_read(sqlite3_stmt *statement, const struct columns *columns, void *row, struct err *err)
{
	for (int i = 0; i < columns->count; i++) {
		const struct column *column = &columns->column[i];
		void *at = (char *)row + column->offset;
		switch (column->type) {
		case COLUMN_TEXT:
			sql_copy_text(statement, i, at, column->size);
			break;
		case COLUMN_INT:
			*(int *)at = sqlite3_column_int(statement, i);
			break;
		case COLUMN_INT64:
			*(int64_t *)at = sqlite3_column_int64(statement, i);
			break;
		case COLUMN_BOOL:
			*(bool *)at = sqlite3_column_int(statement, i) != 0;
			break;
		case COLUMN_REAL:
			*(double *)at = sqlite3_column_double(statement, i);
			break;
		case COLUMN_ENUM:
			if (!read_enum(statement, i, column, at, err))
				return false;
			break;
		}
	}
	return true;
}
