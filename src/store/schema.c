/*
 * The schema and its versions. A migration, once released, is never changed: a new one is added.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "store/internal.h"

/* "homs", in the file's header: says that a database is ours. */
#define APPLICATION_ID 1752132979

static bool sync_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	if (!ok)
		err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

/* A copy of the database as it is, whole or not at all. */
static bool keep_copy(struct store *store, int64_t version, struct err *err)
{
	static const struct sql copy = {"VACUUM INTO ?1", NULL};
	char path[sizeof(store->path) + 32], part[sizeof(path) + 8];
	STR_FORMAT(path, "%s.v%lld", store->path, (long long)version);
	STR_FORMAT(part, "%s.part", path);
	if (unlink(part) != 0 && errno != ENOENT)
		return err_set(err, ERR_SYSTEM, "%s: %s", part, strerror(errno));
	int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", part, strerror(errno));
	close(fd);
	sqlite3_stmt *statement = sql_get(store, &copy, err);
	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, part);
	if (!sql_run(store, statement, err) || !sync_file(part, err)) {
		unlink(part);
		return err_prefix(err, "the copy before a migration");
	}
	if (rename(part, path) != 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	return true;
}

static bool refuse_newer(const struct store *store, int64_t version, int ours, struct err *err)
{
	return err_set(err, ERR_INPUT,
		"%s: written by a newer homeostat (schema version %lld, this one knows %d): install that "
		"version again, or move the file away and put the copy %s.v%d in its place if there is "
		"one",
		store->path, (long long)version, ours, store->path, ours);
}

/* Whether there is a database at all, and ours. */
static bool identify(struct store *store, int64_t *version, bool *empty, struct err *err)
{
	int64_t id, tables;
	if (!sql_number(store, "PRAGMA user_version", version, err) ||
		!sql_number(store, "PRAGMA application_id", &id, err) ||
		!sql_number(store, "SELECT count(*) FROM sqlite_schema", &tables, err))
		return false;
	*empty = tables == 0;
	if (*empty || id == APPLICATION_ID)
		return true;
	return err_set(err, ERR_INPUT,
		"%s: this is no database of homeostat: move it away, or name another folder in state:",
		store->path);
}

static bool migrate_from(struct store *store, const struct migration *migrations, int64_t version,
	int count, struct err *err)
{
	char text[96];
	for (; version < count; version++)
		if (!sql_exec(store, migrations[version].sql, err))
			return err_prefix(err, "migration to schema version %lld", (long long)version + 1);
	STR_FORMAT(text, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID, count);
	return sql_exec(store, text, err);
}

bool schema_migrate(struct store *store, const struct migration *migrations, int count, bool *fresh,
	struct err *err)
{
	int64_t version;
	bool empty;
	*fresh = false;
	if (!identify(store, &version, &empty, err))
		return false;
	if (version > count)
		return refuse_newer(store, version, count, err);
	if (version == count && !empty)
		return true;
	if (!empty && !keep_copy(store, version, err))
		return false;
	if (!store_begin(store, err))
		return false;
	if (!migrate_from(store, migrations, empty ? 0 : version, count, err) ||
		(empty && !audit_begin(store, err))) {
		store_rollback(store);
		return false;
	}
	*fresh = empty;
	return store_commit(store, err);
}

bool schema_check(struct store *store, int version, struct err *err)
{
	int64_t found;
	bool empty;
	if (!identify(store, &found, &empty, err))
		return false;
	if (found > version)
		return refuse_newer(store, found, version, err);
	if (found == version)
		return true;
	return err_set(err, ERR_INPUT,
		"%s: schema version %lld, this homeostat needs %d: start the daemon once, it migrates it",
		store->path, (long long)found, version);
}

/* A sample is one measured thing: /metrics shows their sums, and what is forgotten goes into tally
 * first, so that a counter never falls. An action is a sample once its outcome cannot change any
 * more. */
static const char version_1[] =
	"CREATE TABLE incident ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" attempt INTEGER NOT NULL,"
	" component TEXT NOT NULL, label TEXT NOT NULL, source TEXT NOT NULL, native TEXT NOT NULL,"
	" parent TEXT NOT NULL, kind TEXT NOT NULL, ignored INTEGER NOT NULL,"
	" has_risk INTEGER NOT NULL, risk TEXT NOT NULL, wish TEXT NOT NULL, depends_on TEXT NOT NULL,"
	" finding TEXT NOT NULL, severity TEXT NOT NULL, state TEXT NOT NULL,"
	" issue TEXT NOT NULL, metrics TEXT NOT NULL, reason TEXT NOT NULL,"
	" cause TEXT NOT NULL, diagnosed_by TEXT NOT NULL, confidence REAL NOT NULL,"
	" remedy TEXT NOT NULL, evidence TEXT NOT NULL,"
	" plan_action TEXT NOT NULL, plan_component TEXT NOT NULL, plan_label TEXT NOT NULL,"
	" plan_source TEXT NOT NULL, plan_native TEXT NOT NULL, plan_risk TEXT NOT NULL,"
	" plan_title TEXT NOT NULL, plan_hash TEXT NOT NULL,"
	" actor TEXT NOT NULL, ordered INTEGER NOT NULL, parent_id INTEGER NOT NULL,"
	" failed_at INTEGER NOT NULL, opened_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,"
	" acted_at INTEGER NOT NULL, healthy_since INTEGER NOT NULL, wake_at INTEGER NOT NULL,"
	" ended_at INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX incident_open ON incident (id)"
	" WHERE state NOT IN ('NONE', 'RESOLVED', 'CLEARED');"
	"CREATE INDEX incident_ended ON incident (ended_at, id)"
	" WHERE state IN ('RESOLVED', 'CLEARED');"
	"CREATE TABLE history ("
	" id INTEGER PRIMARY KEY,"
	" incident_id INTEGER NOT NULL REFERENCES incident (id) ON DELETE CASCADE,"
	" at INTEGER NOT NULL, state TEXT NOT NULL, event TEXT NOT NULL, reason TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX history_incident ON history (incident_id);"
	"CREATE TABLE approval ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" incident_id INTEGER NOT NULL REFERENCES incident (id) ON DELETE CASCADE,"
	" attempt INTEGER NOT NULL, plan_hash TEXT NOT NULL,"
	" asked_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, decided_at INTEGER NOT NULL,"
	" approved INTEGER NOT NULL, actor TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX approval_incident ON approval (incident_id);"
	"CREATE TABLE action ("
	" id INTEGER PRIMARY KEY,"
	" incident_id INTEGER NOT NULL REFERENCES incident (id) ON DELETE CASCADE,"
	" attempt INTEGER NOT NULL, action TEXT NOT NULL, component TEXT NOT NULL,"
	" actor TEXT NOT NULL, began_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,"
	" outcome TEXT NOT NULL, text TEXT NOT NULL,"
	" UNIQUE (incident_id, attempt)"
	") STRICT;"
	"CREATE INDEX action_began ON action (began_at);"
	"CREATE INDEX action_component ON action (component, began_at);"
	"CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE audit ("
	" seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL, actor TEXT NOT NULL,"
	" component TEXT NOT NULL, incident_id INTEGER NOT NULL, text TEXT NOT NULL,"
	" hash TEXT NOT NULL"
	") STRICT;"
	"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
	" BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;"
	"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
	" BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;"
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE tally ("
	" figure TEXT NOT NULL, name TEXT NOT NULL, outcome TEXT NOT NULL, bucket INTEGER NOT NULL,"
	" n INTEGER NOT NULL, seconds REAL NOT NULL,"
	" PRIMARY KEY (figure, name, outcome, bucket)"
	") STRICT, WITHOUT ROWID;"
	"CREATE VIEW done_action AS"
	" SELECT a.* FROM action a JOIN incident i ON i.id = a.incident_id"
	" WHERE i.attempt > a.attempt OR i.state NOT IN ('ACTING', 'VERIFYING', 'ROLLING_BACK');"
	"CREATE VIEW sample (figure, name, outcome, seconds, incident_id) AS"
	" SELECT 'action', action, outcome, 0.0, incident_id FROM done_action WHERE outcome <> ''"
	" UNION ALL SELECT 'fix', '', outcome, 0.0, incident_id FROM done_action"
	"  WHERE actor = '' AND outcome IN ('healed', 'not_healed', 'failed')"
	" UNION ALL SELECT 'approval', '', '', (decided_at - asked_at) / 1000.0, incident_id"
	"  FROM approval WHERE decided_at > 0"
	" UNION ALL SELECT 'detection', '', '', (opened_at - failed_at) / 1000.0, id"
	"  FROM incident WHERE failed_at > 0 AND diagnosed_by <> '' AND finding <> 'none'"
	" UNION ALL SELECT 'resolution', '', '', (ended_at - opened_at) / 1000.0, id"
	"  FROM incident WHERE state = 'RESOLVED';";

/* A component's aspects fail by themselves; actions have parameters; channels keep what they have
 * told, and what their buttons mean. */
static const char version_2[] =
	"ALTER TABLE incident ADD COLUMN aspect TEXT NOT NULL DEFAULT 'state';"
	"ALTER TABLE incident ADD COLUMN remedy_params TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE incident ADD COLUMN plan_params TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE approval ADD COLUMN later INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE approval ADD COLUMN first_actor TEXT NOT NULL DEFAULT '';"
	"CREATE TABLE notice ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind INTEGER NOT NULL,"
	" ok INTEGER NOT NULL, muted INTEGER NOT NULL, incident_id INTEGER NOT NULL,"
	" attempt INTEGER NOT NULL, text TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX notice_at ON notice (at);"
	"CREATE TABLE posting ("
	" channel TEXT NOT NULL, chat INTEGER NOT NULL, message_id INTEGER NOT NULL,"
	" thread_id INTEGER NOT NULL, incident_id INTEGER NOT NULL, approval_id INTEGER NOT NULL,"
	" purpose TEXT NOT NULL, at INTEGER NOT NULL,"
	" PRIMARY KEY (channel, chat, message_id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX posting_incident ON posting (incident_id);"
	"CREATE TABLE token ("
	" id TEXT PRIMARY KEY, kind TEXT NOT NULL, channel TEXT NOT NULL, chat INTEGER NOT NULL,"
	" incident_id INTEGER NOT NULL, approval_id INTEGER NOT NULL, plan_hash TEXT NOT NULL,"
	" action TEXT NOT NULL, component TEXT NOT NULL, params TEXT NOT NULL, page TEXT NOT NULL,"
	" for_ms INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE mute (pattern TEXT PRIMARY KEY, until INTEGER NOT NULL, actor TEXT NOT NULL"
	") STRICT, WITHOUT ROWID;";

/* What a diagnosis rests on, what models have answered, what has helped before. */
static const char version_3[] =
	"ALTER TABLE incident ADD COLUMN alternatives TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE incident ADD COLUMN remedy_risk TEXT NOT NULL DEFAULT 'LOW';"
	"ALTER TABLE incident ADD COLUMN unproven INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX incident_component ON incident (component, id);"
	"CREATE TABLE evidence ("
	" id INTEGER PRIMARY KEY,"
	" incident_id INTEGER NOT NULL REFERENCES incident (id) ON DELETE CASCADE,"
	" attempt INTEGER NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL, source TEXT NOT NULL,"
	" text TEXT NOT NULL, proves INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX evidence_incident ON evidence (incident_id);"
	"CREATE TABLE verdict ("
	" signature TEXT PRIMARY KEY, at INTEGER NOT NULL, model TEXT NOT NULL, answer TEXT NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE lesson ("
	" finding TEXT NOT NULL, action TEXT NOT NULL, kind TEXT NOT NULL, component TEXT NOT NULL,"
	" healed INTEGER NOT NULL, failed INTEGER NOT NULL, relapsed INTEGER NOT NULL,"
	" untouched INTEGER NOT NULL, seconds REAL NOT NULL, approved INTEGER NOT NULL,"
	" rejected INTEGER NOT NULL, in_a_row INTEGER NOT NULL, approval_seconds REAL NOT NULL,"
	" last_at INTEGER NOT NULL,"
	" PRIMARY KEY (finding, action, kind, component)"
	") STRICT, WITHOUT ROWID;";

const struct migration store_migrations[] = {
	{version_1},
	{version_2},
	{version_3},
};
const int store_version = sizeof(store_migrations) / sizeof(store_migrations[0]);
