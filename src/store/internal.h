/*
 * What the files of store/ share: the handle, statements that are prepared once, and tables that
 * say which member of a struct a column is. Nobody else includes this, but for its tests.
 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <sqlite3.h>
#include <stddef.h>

#include "store/store.h"

#define STATEMENTS_MAX 64
#define AUDIT_KEY_BYTES 32

/* One column: a member of the struct that the row becomes. Enumerations are stored by name, so that
 * their order may change. */
enum column_type { COLUMN_TEXT, COLUMN_INT, COLUMN_INT64, COLUMN_BOOL, COLUMN_REAL, COLUMN_ENUM };
struct column {
	const char *name;
	enum column_type type;
	size_t offset, size; /* size: of a COLUMN_TEXT field */
	const char *(*name_of)(int value);
	int values; /* COLUMN_ENUM: 0 … values - 1 */
};
struct columns {
	const struct column *column;
	int count;
};

/* A statement, known by the address of this struct. In its text "%c" stands for the names of the
 * columns and "%m" for as many marks, ?1 and on. */
struct sql {
	const char *text;
	const struct columns *columns; /* NULL: no %c */
};

struct store {
	sqlite3 *db;
	char path[4096];
	bool reader;
	int lock_fd; /* of the writer: one daemon a state folder; -1: none */
	unsigned char audit_key[AUDIT_KEY_BYTES];
	struct {
		const struct sql *sql;
		sqlite3_stmt *statement;
	} cache[STATEMENTS_MAX];
	int cached;
};

/* sql.c */

/* Fills err from the last error of the database. Always false. */
bool sql_fail(const struct store *store, const char *doing, struct err *err);
/* Runs a text that gives no rows. */
bool sql_exec(const struct store *store, const char *text, struct err *err);
/* The one number that a text gives; -1 with an error. */
bool sql_number(const struct store *store, const char *text, int64_t *number, struct err *err);
/* NULL with an error. Give it back by sql_put, or by sql_run. */
sqlite3_stmt *sql_get(struct store *store, const struct sql *sql, struct err *err);
void sql_put(struct store *store, sqlite3_stmt *statement);
/* Steps to the end, gives it back. */
bool sql_run(struct store *store, sqlite3_stmt *statement, struct err *err);
/* One row: true. False at the end or with an error: *ok tells. The caller gives it back. */
bool sql_next(const struct store *store, sqlite3_stmt *statement, bool *ok, struct err *err);

void sql_bind_text(sqlite3_stmt *statement, int index, const char *text);
void sql_copy_text(sqlite3_stmt *statement, int column, char *field, size_t size);

/* Binds the row's members to ?1 and on. */
void row_bind(sqlite3_stmt *statement, const struct columns *columns, const void *row);
/* Reads the statement's columns, the first of them at column 0. */
bool row_read(sqlite3_stmt *statement, const struct columns *columns, void *row, struct err *err);

/* schema.c: versions and how to come from one to the next. Migration i leads to version i + 1. */
struct migration {
	const char *sql;
};
extern const struct migration store_migrations[];
extern const int store_version;

/* Brings a database to the version count; a copy of an older one is kept as PATH.vN first. fresh
 * (out): it was made just now. */
bool schema_migrate(struct store *store, const struct migration *migrations, int count, bool *fresh,
	struct err *err);
/* A reader's: the version must be just this one. */
bool schema_check(struct store *store, int version, struct err *err);

/* audit.c: the head record of an empty chain, in a database that was made just now. */
bool audit_begin(struct store *store, struct err *err);

#endif
