/*
 * Figures for /metrics and the health report, and forgetting: what is deleted is counted first.
 */
#include <string.h>

#include "base/str.h"
#include "store/internal.h"

const double store_bounds[STORE_BOUNDS] = {0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600};

/* Keep in step with store_bounds; a clock that went back must not make a sum fall. */
#define BUCKET \
	"CASE WHEN seconds <= 0.1 THEN 0 WHEN seconds <= 0.5 THEN 1 WHEN seconds <= 1 THEN 2" \
	" WHEN seconds <= 2.5 THEN 3 WHEN seconds <= 5 THEN 4 WHEN seconds <= 10 THEN 5" \
	" WHEN seconds <= 30 THEN 6 WHEN seconds <= 60 THEN 7 WHEN seconds <= 300 THEN 8" \
	" WHEN seconds <= 900 THEN 9 WHEN seconds <= 3600 THEN 10 ELSE 11 END"

static bool read_incidents(struct store *store, struct store_figures *figures, struct err *err)
{
	static const struct sql open = {"SELECT severity, state, count(*) FROM incident"
									" WHERE state NOT IN ('NONE', 'RESOLVED', 'CLEARED')"
									" GROUP BY severity, state",
		NULL};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &open, err);
	if (statement == NULL)
		return false;
	while (sql_next(store, statement, &ok, err)) {
		char severity[16], text[16];
		enum life_state state;
		sql_copy_text(statement, 0, severity, sizeof(severity));
		sql_copy_text(statement, 1, text, sizeof(text));
		for (int i = 0; i <= SEVERITY_CRITICAL; i++)
			if (str_equal(severity, severity_name((enum severity)i)) &&
				life_state_parse(text, &state))
				figures->open[i][state] += sqlite3_column_int64(statement, 2);
	}
	sql_put(store, statement);
	for (int i = 0; i <= SEVERITY_CRITICAL; i++)
		figures->pending_approvals += figures->open[i][LIFE_ASKING];
	return ok;
}

static bool read_ended(
	struct store *store, int64_t today_ms, struct store_figures *figures, struct err *err)
{
	static const struct sql ended = {"SELECT state, count(*) FROM incident"
									 " WHERE state IN ('RESOLVED', 'CLEARED') AND ended_at >= ?1"
									 " GROUP BY state",
		NULL};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &ended, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, today_ms);
	while (sql_next(store, statement, &ok, err)) {
		char text[16];
		enum life_state state;
		sql_copy_text(statement, 0, text, sizeof(text));
		if (life_state_parse(text, &state))
			figures->ended_today[state] = sqlite3_column_int64(statement, 1);
	}
	sql_put(store, statement);
	return ok;
}

static bool read_last_approval(struct store *store, struct store_figures *figures, struct err *err)
{
	static const struct sql last = {"SELECT (decided_at - asked_at) / 1000.0 FROM approval"
									" WHERE decided_at > 0 ORDER BY decided_at DESC LIMIT 1",
		NULL};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &last, err);
	if (statement == NULL)
		return false;
	if (sql_next(store, statement, &ok, err))
		figures->approval_seconds_last = sqlite3_column_double(statement, 0);
	sql_put(store, statement);
	return ok;
}

/* Rows of (figure, name, outcome, bucket, n, seconds). */
static void add_sample(struct store_figures *figures, sqlite3_stmt *statement)
{
	char figure[16], name[48], outcome[24];
	int64_t n = sqlite3_column_int64(statement, 4);
	double seconds = sqlite3_column_double(statement, 5);
	int bucket = sqlite3_column_int(statement, 3);
	sql_copy_text(statement, 0, figure, sizeof(figure));
	sql_copy_text(statement, 1, name, sizeof(name));
	sql_copy_text(statement, 2, outcome, sizeof(outcome));
	if (bucket < 0 || bucket > STORE_BOUNDS)
		return;
	if (str_equal(figure, "fix")) {
		figures->fixes_tried += n;
		figures->fixes_healed += str_equal(outcome, "healed") ? n : 0;
	} else if (str_equal(figure, "approval")) {
		figures->approvals_decided += n;
		figures->approval_seconds_sum += seconds;
		figures->approval_buckets[bucket] += n;
	} else if (str_equal(figure, "detection")) {
		figures->detections += n;
		figures->detection_seconds_sum += seconds;
		figures->detection_buckets[bucket] += n;
	} else if (str_equal(figure, "resolution")) {
		figures->resolutions += n;
		figures->resolution_seconds_sum += seconds;
		figures->resolution_buckets[bucket] += n;
	} else if (figures->action_rows < STORE_ACTION_ROWS) {
		STR_SET(figures->actions[figures->action_rows].action, name);
		STR_SET(figures->actions[figures->action_rows].outcome, outcome);
		figures->actions[figures->action_rows++].n = n;
	}
}

static bool read_samples(struct store *store, struct store_figures *figures, struct err *err)
{
	static const struct sql samples = {
		"SELECT figure, name, outcome, bucket, sum(n), sum(seconds) FROM ("
		" SELECT figure, name, outcome, " BUCKET " AS bucket, 1 AS n, max(seconds, 0.0) AS seconds"
		"  FROM sample"
		" UNION ALL SELECT figure, name, outcome, bucket, n, seconds FROM tally"
		") GROUP BY figure, name, outcome, bucket ORDER BY figure, name, outcome, bucket",
		NULL};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &samples, err);
	if (statement == NULL)
		return false;
	while (sql_next(store, statement, &ok, err))
		add_sample(figures, statement);
	sql_put(store, statement);
	return ok;
}

/* In one read transaction, so that nothing is counted twice or not at all. */
bool store_figures(
	struct store *store, int64_t today_ms, struct store_figures *figures, struct err *err)
{
	bool own = sqlite3_get_autocommit(store->db) != 0;
	*figures = (struct store_figures){0};
	if (own && !sql_exec(store, "BEGIN", err))
		return false;
	bool ok = read_incidents(store, figures, err) && read_ended(store, today_ms, figures, err) &&
		read_last_approval(store, figures, err) && read_samples(store, figures, err);
	if (own)
		store_rollback(store);
	return ok;
}

static bool run_before(
	struct store *store, const struct sql *sql, int64_t before_ms, struct err *err)
{
	sqlite3_stmt *statement = sql_get(store, sql, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, before_ms);
	return sql_run(store, statement, err);
}

bool store_forget(struct store *store, int64_t before_ms, struct err *err)
{
#define DOOMED "(SELECT id FROM incident WHERE state IN ('RESOLVED', 'CLEARED') AND ended_at < ?1)"
	static const struct sql count = {
		"INSERT INTO tally (figure, name, outcome, bucket, n, seconds)"
		" SELECT figure, name, outcome, " BUCKET " AS b, count(*), sum(max(seconds, 0.0))"
		" FROM sample WHERE incident_id IN " DOOMED " GROUP BY figure, name, outcome, b"
		" ON CONFLICT DO UPDATE SET n = n + excluded.n, seconds = seconds + excluded.seconds",
		NULL};
	static const struct sql forget = {"DELETE FROM incident WHERE id IN " DOOMED, NULL};
#undef DOOMED
	bool own = sqlite3_get_autocommit(store->db) != 0;
	if (own && !store_begin(store, err))
		return false;
	bool ok = run_before(store, &count, before_ms, err) &&
		run_before(store, &forget, before_ms, err);
	if (own && ok)
		return store_commit(store, err);
	if (own)
		store_rollback(store);
	return ok;
}
