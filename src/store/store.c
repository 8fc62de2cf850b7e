#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "store/internal.h"

#define BUSY_MS 2000

static const char *cure_of(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return ": it must belong to the user that homeostat runs as";
	case EROFS:
		return ": mount it writable, or name another folder in state:";
	case ENOSPC:
	case EDQUOT:
		return ": free some space";
	default:
		return "";
	}
}

static bool fail_file(const char *path, struct err *err)
{
	int error = errno;
	return err_set(err, ERR_SYSTEM, "%s: %s%s", path, strerror(error), cure_of(error));
}

/* Two daemons that heal the same things would heal them twice. */
static bool take_lock(struct store *store, const char *state_dir, struct err *err)
{
	char path[sizeof(store->path)];
	STR_FORMAT(path, "%s/homeostat.lock", state_dir);
	store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock_fd < 0)
		return fail_file(path, err);
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno != EWOULDBLOCK)
		return fail_file(path, err);
	return err_set(err, ERR_SYSTEM,
		"%s: another homeostat uses this folder: stop it, or name another folder in state:",
		state_dir);
}

/* SQLite would make the file readable for all. An existing one must not be opened here: closing it
 * would drop the locks that this process holds on it. */
static bool make_file(const char *path, struct err *err)
{
	struct stat found;
	if (stat(path, &found) == 0) {
		if ((found.st_mode & 077) != 0 && chmod(path, 0600) != 0)
			return fail_file(path, err);
		return true;
	}
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_file(path, err);
	close(fd);
	return true;
}

static struct store *store_new(const char *state_dir, const unsigned char audit_key[32])
{
	struct store *store = calloc(1, sizeof(*store));
	if (store == NULL)
		abort();
	store->lock_fd = -1;
	memcpy(store->audit_key, audit_key, sizeof(store->audit_key));
	STR_FORMAT(store->path, "%s/homeostat.db", state_dir);
	return store;
}

/* A handle belongs to one thread: SQLite's own mutexes are not needed. */
static bool connect_db(struct store *store, int flags, struct err *err)
{
	if (sqlite3_open_v2(store->path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return sql_fail(store, "open", err);
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 256, 64);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_busy_timeout(store->db, BUSY_MS);
	return sql_exec(store,
		"PRAGMA cache_size = -256; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
		"PRAGMA foreign_keys = ON; PRAGMA trusted_schema = ON",
		err);
}

static bool is_whole(struct store *store, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	char found[200] = "";
	if (sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		sql_copy_text(statement, 0, found, sizeof(found));
	else
		sql_fail(store, "check", err);
	sqlite3_finalize(statement);
	if (strcmp(found, "ok") == 0)
		return true;
	if (found[0] == '\0')
		return false;
	return err_set(err, ERR_SYSTEM,
		"%s: the database is damaged (%s): stop homeostat, move the file away and put a copy in "
		"its place, or start without one (what was remembered is then lost)",
		store->path, found);
}

static bool use_wal(struct store *store, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	char mode[16] = "";
	bool ok = sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL) ==
			SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW;
	if (ok)
		sql_copy_text(statement, 0, mode, sizeof(mode));
	else
		sql_fail(store, "open", err);
	sqlite3_finalize(statement);
	if (ok && strcmp(mode, "wal") != 0)
		ok = err_set(err, ERR_SYSTEM,
			"%s: this file system cannot hold it (no write-ahead log): name a local folder in "
			"state:",
			store->path);
	return ok &&
		sql_exec(store,
			"PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 256;"
			"PRAGMA journal_size_limit = 1048576",
			err);
}

struct store *store_open(const char *state_dir, const unsigned char audit_key[32], struct err *err)
{
	struct store *store = store_new(state_dir, audit_key);
	bool fresh;
	if (mkdir(state_dir, 0700) != 0 && errno != EEXIST) {
		fail_file(state_dir, err);
	} else if (take_lock(store, state_dir, err) && make_file(store->path, err) &&
		connect_db(store, SQLITE_OPEN_READWRITE, err) && is_whole(store, err) &&
		use_wal(store, err) &&
		schema_migrate(store, store_migrations, store_version, &fresh, err)) {
		return store;
	}
	store_close(store);
	return NULL;
}

struct store *store_open_reader(
	const char *state_dir, const unsigned char audit_key[32], struct err *err)
{
	struct store *store = store_new(state_dir, audit_key);
	struct stat found;
	store->reader = true;
	if (stat(store->path, &found) != 0) {
		if (errno == ENOENT)
			err_set(
				err, ERR_GONE, "%s: there is no database yet: start the daemon first", store->path);
		else
			fail_file(store->path, err);
	} else if (connect_db(store, SQLITE_OPEN_READONLY, err) &&
		schema_check(store, store_version, err)) {
		return store;
	}
	store_close(store);
	return NULL;
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	for (int i = 0; i < store->cached; i++)
		sqlite3_finalize(store->cache[i].statement);
	sqlite3_close(store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	explicit_bzero(store->audit_key, sizeof(store->audit_key));
	free(store);
}

/* A writer takes its lock at the beginning, so that nothing in the middle has to wait for it. */
bool store_begin(struct store *store, struct err *err)
{
	static const struct sql write = {"BEGIN IMMEDIATE", NULL}, read = {"BEGIN", NULL};
	sqlite3_stmt *statement = sql_get(store, store->reader ? &read : &write, err);
	return statement != NULL && sql_run(store, statement, err);
}

bool store_commit(struct store *store, struct err *err)
{
	static const struct sql commit = {"COMMIT", NULL};
	sqlite3_stmt *statement = sql_get(store, &commit, err);
	if (statement != NULL && sql_run(store, statement, err))
		return true;
	store_rollback(store);
	return false;
}

/* Some failures have rolled back by themselves. */
void store_rollback(struct store *store)
{
	if (sqlite3_get_autocommit(store->db) == 0)
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

bool store_fact_set(struct store *store, const char *key, const char *value, struct err *err)
{
	static const struct sql set = {"INSERT INTO fact (key, value) VALUES (?1, ?2)"
								   " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
		NULL};
	sqlite3_stmt *statement = sql_get(store, &set, err);
	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, key);
	sql_bind_text(statement, 2, value);
	return sql_run(store, statement, err);
}

bool store_fact_get(struct store *store, const char *key, char *value, size_t size, struct err *err)
{
	static const struct sql get = {"SELECT value FROM fact WHERE key = ?1", NULL};
	bool ok;
	value[0] = '\0';
	sqlite3_stmt *statement = sql_get(store, &get, err);
	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, key);
	if (sql_next(store, statement, &ok, err))
		sql_copy_text(statement, 0, value, size);
	sql_put(store, statement);
	return ok;
}
