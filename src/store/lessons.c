/*
 * Lessons: sums by trouble, action, kind and component. They stay when incidents are forgotten.
 */
#include "base/str.h"
#include "store/internal.h"

static const char *finding_of(int value)
{
	return finding_kind_name((enum finding_kind)value);
}

static const char *kind_of(int value)
{
	return component_kind_name((enum component_kind)value);
}

#define AT(member) offsetof(struct lesson, member)
#define TEXT(member) \
	{ \
#member, COLUMN_TEXT, AT(member), sizeof(((struct lesson *)0)->member), NULL, 0 \
	}
#define PLAIN(member, type) \
	{ \
#member, type, AT(member), 0, NULL, 0 \
	}
static const struct column lesson_column[] = {
	{"finding", COLUMN_ENUM, AT(finding), 0, finding_of, FINDING_KINDS},
	TEXT(action),
	{"kind", COLUMN_ENUM, AT(kind), 0, kind_of, COMPONENT_KINDS},
	TEXT(component),
	PLAIN(healed, COLUMN_INT64),
	PLAIN(failed, COLUMN_INT64),
	PLAIN(relapsed, COLUMN_INT64),
	PLAIN(untouched, COLUMN_INT64),
	PLAIN(seconds, COLUMN_REAL),
	PLAIN(approved, COLUMN_INT64),
	PLAIN(rejected, COLUMN_INT64),
	PLAIN(in_a_row, COLUMN_INT64),
	PLAIN(approval_seconds, COLUMN_REAL),
	PLAIN(last_at, COLUMN_INT64),
};
static const struct columns lesson_columns = {
	lesson_column, sizeof(lesson_column) / sizeof(lesson_column[0])};

bool store_lesson_add(struct store *store, const struct lesson *lesson, struct err *err)
{
	static const struct sql add = {
		"INSERT INTO lesson (%c) VALUES (%m)"
		" ON CONFLICT (finding, action, kind, component) DO UPDATE SET"
		" healed = healed + excluded.healed, failed = failed + excluded.failed,"
		" relapsed = relapsed + excluded.relapsed, untouched = untouched + excluded.untouched,"
		" seconds = seconds + excluded.seconds, approved = approved + excluded.approved,"
		" rejected = rejected + excluded.rejected,"
		" in_a_row = CASE WHEN excluded.approved > 0 THEN 0 ELSE in_a_row + excluded.rejected END,"
		" approval_seconds = approval_seconds + excluded.approval_seconds,"
		" last_at = max(last_at, excluded.last_at)",
		&lesson_columns};
	struct lesson first = *lesson;
	first.in_a_row = lesson->rejected;
	sqlite3_stmt *statement = sql_get(store, &add, err);
	if (statement == NULL)
		return false;
	row_bind(statement, &lesson_columns, &first);
	return sql_run(store, statement, err);
}

static bool each_lesson(
	struct store *store, sqlite3_stmt *statement, store_lesson_fn *fn, void *ctx, struct err *err)
{
	bool ok;
	while (sql_next(store, statement, &ok, err)) {
		struct lesson lesson = {0};
		ok = row_read(statement, &lesson_columns, &lesson, err);
		if (!ok)
			break;
		fn(ctx, &lesson);
	}
	sql_put(store, statement);
	return ok;
}

bool store_lessons(struct store *store, store_lesson_fn *fn, void *ctx, struct err *err)
{
	static const struct sql list = {
		"SELECT %c FROM lesson ORDER BY last_at DESC, component, action", &lesson_columns};
	sqlite3_stmt *statement = sql_get(store, &list, err);
	return statement != NULL && each_lesson(store, statement, fn, ctx, err);
}

bool store_lessons_of(struct store *store, enum finding_kind finding, enum component_kind kind,
	store_lesson_fn *fn, void *ctx, struct err *err)
{
	static const struct sql list = {
		"SELECT %c FROM lesson WHERE finding = ?1 AND kind = ?2 ORDER BY action, component",
		&lesson_columns};
	sqlite3_stmt *statement = sql_get(store, &list, err);
	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, finding_kind_name(finding));
	sql_bind_text(statement, 2, component_kind_name(kind));
	return each_lesson(store, statement, fn, ctx, err);
}
