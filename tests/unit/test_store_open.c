/*
 * Opening the store: whatever is wrong with it is said with its cure, and nothing is lost by it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_fixture.h"

static void a_reader_sees_commits_and_cannot_write(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct incident incident = sample("a"), got;
	struct store *reader = store_open_reader(f->dir, key, &err);
	must(reader != NULL, &err);
	must(store_begin(f->store, &err), &err);
	insert(f->store, &incident);
	assert_false(store_incident_get(reader, 1, &got, &err));
	must(store_commit(f->store, &err), &err);
	must(store_incident_get(reader, 1, &got, &err), &err);
	assert_false(store_fact_set(reader, "healing", "on", &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, "read-only"));
	store_close(reader);
}

static void a_reader_before_the_first_start_is_told_so(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	store_close(f->store);
	f->store = NULL;
	unlink(f->path);
	assert_null(store_open_reader(f->dir, key, &err));
	assert_int_equal(err.kind, ERR_GONE);
	assert_non_null(strstr(err.text, "start the daemon first"));
}

static void a_second_writer_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	assert_null(store_open(f->dir, key, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, "another homeostat uses this folder"));
}

static void the_file_is_private(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct fixture *f = *state;
	struct err err = {0};
	struct stat found;
	must(store_fact_set(f->store, "a", "b", &err), &err);
	for (int i = 0; i < 3; i++) {
		char path[128];
		STR_FORMAT(path, "%s%s", f->path, suffixes[i]);
		assert_int_equal(stat(path, &found), 0);
		assert_int_equal(found.st_mode & 0777, 0600);
	}
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(chmod(f->path, 0644), 0);
	reopen(f);
	assert_int_equal(stat(f->path, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
}

static void a_newer_database_is_refused_with_both_versions(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	store_close(f->store);
	f->store = NULL;
	meddle(f, "PRAGMA user_version = 42");
	assert_null(store_open(f->dir, key, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "schema version 42"));
	char ours[24];
	STR_FORMAT(ours, "knows %d", store_version);
	assert_non_null(strstr(err.text, ours));
	assert_null(store_open_reader(f->dir, key, &err));
	assert_non_null(strstr(err.text, "schema version 42"));
	char back[48];
	STR_FORMAT(back, "PRAGMA user_version = %d", store_version);
	meddle(f, back);
	reopen(f);
}

static void a_strangers_database_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	store_close(f->store);
	f->store = NULL;
	unlink(f->path);
	meddle(f, "CREATE TABLE t (a)");
	assert_null(store_open(f->dir, key, &err));
	assert_non_null(strstr(err.text, "no database of homeostat"));
}

#define NEXT 16

/* Today's migrations, and one that a later version may bring. Returns how many. */
static int later_version(struct migration next[NEXT], const char *sql)
{
	assert_true(store_version < NEXT);
	memcpy(next, store_migrations, (size_t)store_version * sizeof(*next));
	next[store_version].sql = sql;
	return store_version + 1;
}

static void an_older_database_is_migrated_and_a_copy_kept(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	char value[16], copy[128];
	bool fresh;
	struct stat found;
	struct migration next[NEXT];
	int count = later_version(
		next, "CREATE TABLE later (a TEXT) STRICT; INSERT INTO later SELECT value FROM fact");
	must(store_fact_set(f->store, "a", "kept", &err), &err);
	must(schema_migrate(f->store, next, count, &fresh, &err), &err);
	assert_false(fresh);
	int64_t version;
	must(sql_number(f->store, "PRAGMA user_version", &version, &err), &err);
	assert_int_equal(version, count);
	must(store_fact_get(f->store, "a", value, sizeof(value), &err), &err);
	assert_string_equal(value, "kept");
	must(sql_number(f->store, "SELECT count(*) FROM later", &version, &err), &err);
	assert_int_equal(version, 1);
	/* the copy is a database of the version before, private and whole */
	STR_FORMAT(copy, "%s.v%d", f->path, store_version);
	assert_int_equal(stat(copy, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
	sqlite3 *db;
	sqlite3_stmt *statement;
	assert_int_equal(sqlite3_open(copy, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT value FROM fact", -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(statement, 0), "kept");
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

static void a_migration_that_fails_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	bool fresh;
	int64_t n;
	struct migration next[NEXT];
	char step[48];
	int count = later_version(
		next, "CREATE TABLE later (a TEXT) STRICT; INSERT INTO no_such_table VALUES (1)");
	assert_false(schema_migrate(f->store, next, count, &fresh, &err));
	STR_FORMAT(step, "migration to schema version %d", count);
	assert_non_null(strstr(err.text, step));
	must(sql_number(f->store, "PRAGMA user_version", &n, &err), &err);
	assert_int_equal(n, store_version);
	must(sql_number(f->store, "SELECT count(*) FROM sqlite_schema WHERE name = 'later'", &n, &err),
		&err);
	assert_int_equal(n, 0);
	reopen(f);
}

static void overwrite(const struct fixture *f, off_t offset, size_t length)
{
	char junk[256];
	memset(junk, 0x5a, sizeof(junk));
	int fd = open(f->path, O_WRONLY);
	assert_true(fd >= 0);
	for (size_t done = 0; done < length; done += sizeof(junk))
		assert_int_equal(pwrite(fd, junk, sizeof(junk), offset + (off_t)done), sizeof(junk));
	close(fd);
}

static void a_damaged_database_is_named_and_left_alone(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct stat before, after;
	for (int round = 0; round < 2; round++) {
		store_close(f->store);
		f->store = NULL;
		overwrite(f, round == 0 ? 8192 : 0, 4096);
		assert_int_equal(stat(f->path, &before), 0);
		assert_null(store_open(f->dir, key, &err));
		assert_int_equal(err.kind, ERR_SYSTEM);
		assert_non_null(strstr(err.text, f->path));
		assert_non_null(strstr(err.text, "damaged"));
		assert_non_null(strstr(err.text, "move the file away"));
		assert_int_equal(stat(f->path, &after), 0);
		assert_int_equal(before.st_size, after.st_size);
		assert_int_equal(before.st_ino, after.st_ino);
	}
}

static void a_full_disk_is_said_and_nothing_remains(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	int64_t pages, count = 0;
	char limit[64];
	must(sql_number(f->store, "PRAGMA page_count", &pages, &err), &err);
	STR_FORMAT(limit, "PRAGMA max_page_count = %lld", (long long)pages + 2);
	must(sql_exec(f->store, limit, &err), &err);
	must(store_begin(f->store, &err), &err);
	struct incident incident = sample("a");
	bool ok = true;
	for (int i = 0; i < 200 && ok; i++)
		ok = store_incident_insert(f->store, &incident, &err);
	assert_false(ok);
	store_rollback(f->store);
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, "the disk is full"));
	must(sql_number(f->store, "SELECT count(*) FROM incident", &count, &err), &err);
	assert_int_equal(count, 0);
	must(sql_exec(f->store, "PRAGMA max_page_count = 1000000", &err), &err);
	insert(f->store, &incident);
}

/* As a user who may not: the error's text comes back through a pipe. */
static void open_as_nobody(const char *dir, char *text, size_t size)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err = {0};
		if (setgid(65534) != 0 || setuid(65534) != 0 || store_open(dir, key, &err) != NULL)
			_exit(1);
		ssize_t n = write(ends[1], err.text, strlen(err.text));
		_exit(n > 0 && err.kind == ERR_SYSTEM ? 0 : 1);
	}
	close(ends[1]);
	ssize_t n = read(ends[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void no_permission_is_said_with_its_cure(void **state)
{
	struct fixture *f = *state;
	char text[512];
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(f->dir, 0755), 0);
	open_as_nobody(f->dir, text, sizeof(text));
	assert_non_null(strstr(text, "Permission denied"));
	assert_non_null(strstr(text, "must belong to the user that homeostat runs as"));
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
	struct err err = {0};
	(void)state;
	assert_null(store_open("/proc/no/such/folder", key, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, "/proc/no/such/folder"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_reader_sees_commits_and_cannot_write),
		CASE(a_reader_before_the_first_start_is_told_so),
		CASE(a_second_writer_is_refused),
		CASE(the_file_is_private),
		CASE(a_newer_database_is_refused_with_both_versions),
		CASE(a_strangers_database_is_refused),
		CASE(an_older_database_is_migrated_and_a_copy_kept),
		CASE(a_migration_that_fails_changes_nothing),
		CASE(a_damaged_database_is_named_and_left_alone),
		CASE(a_full_disk_is_said_and_nothing_remains),
		CASE(no_permission_is_said_with_its_cure),
		CASE(a_folder_that_cannot_be_made_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
