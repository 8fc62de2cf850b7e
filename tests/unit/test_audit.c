/*
 * The audit log: whatever is done to it without the key is noticed, and the first bad entry named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "store/internal.h"
#include "store/store.h"

static const unsigned char key[32] = "an audit key, 32 bytes long, yes";

struct fixture {
	char dir[64], path[96];
	struct store *store;
};

static void must(bool ok, const struct err *err)
{
	if (!ok)
		fail_msg("%s", err->text);
}

static void add(struct store *store, int n)
{
	for (int i = 0; i < n; i++) {
		struct err err = {0};
		struct audit_entry entry = {.at = 1000 + i, .incident_id = 5};
		STR_SET(entry.what, "action.begin");
		STR_SET(entry.actor, "uid:0");
		STR_SET(entry.component, "docker_container_redis");
		STR_FORMAT(entry.text, "Restart container 'redis', %d", i);
		must(store_audit_add(store, &entry, &err), &err);
		assert_int_equal(strlen(entry.hash), 64);
	}
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	STR_SET(f->dir, "/tmp/test_audit.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	STR_FORMAT(f->path, "%s/homeostat.db", f->dir);
	f->store = store_open(f->dir, key, &err);
	must(f->store != NULL, &err);
	add(f->store, 6);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {
		"homeostat.db", "homeostat.db-wal", "homeostat.db-shm", "homeostat.lock"};
	struct fixture *f = *state;
	store_close(f->store);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];
		STR_FORMAT(path, "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

/* Somebody who may write the file, with the triggers out of the way. */
static void meddle(const struct fixture *f, const char *sql)
{
	sqlite3 *db;
	char text[700];
	STR_FORMAT(text,
		"DROP TRIGGER IF EXISTS audit_no_update;"
		"DROP TRIGGER IF EXISTS audit_no_delete; %s",
		sql);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void assert_bad(struct store *store, const char *part)
{
	struct err err = {0};
	int64_t count;
	assert_false(store_audit_verify(store, &count, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	if (strstr(err.text, part) == NULL)
		fail_msg("\"%s\" is not in: %s", part, err.text);
}

static void assert_good(struct store *store, int64_t want)
{
	struct err err = {0};
	int64_t count;
	must(store_audit_verify(store, &count, &err), &err);
	assert_int_equal(count, want);
}

static void an_untouched_log_verifies(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	assert_good(f->store, 6);
	store_close(f->store);
	f->store = store_open(f->dir, key, &err);
	must(f->store != NULL, &err);
	add(f->store, 2);
	assert_good(f->store, 8);
}

static void an_empty_log_verifies(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	store_close(f->store);
	unlink(f->path);
	f->store = store_open(f->dir, key, &err);
	must(f->store != NULL, &err);
	assert_good(f->store, 0);
}

static void a_rolled_back_entry_leaves_the_chain_whole(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	must(store_begin(f->store, &err), &err);
	add(f->store, 3);
	store_rollback(f->store);
	assert_good(f->store, 6);
	add(f->store, 1);
	assert_good(f->store, 7);
}

static void a_changed_field_is_named_whichever_it_is(void **state)
{
	static const char *const changes[] = {
		"at = at + 1",
		"what = 'x'",
		"actor = 'uid:1'",
		"component = 'c'",
		"incident_id = 6",
		"text = 'nothing was done'",
		"hash = replace(hash, substr(hash, 1, 1), 'z')",
		/* a byte moved from one field to the next */
		"actor = 'uid:', component = '0docker_container_redis'",
	};
	struct fixture *f = *state;
	meddle(f, "CREATE TABLE kept AS SELECT * FROM audit");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		char sql[400];
		STR_FORMAT(sql, "UPDATE audit SET %s WHERE seq = 3", changes[i]);
		meddle(f, sql);
		assert_bad(f->store, "entry 3 does not fit");
		meddle(f, "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept");
		assert_good(f->store, 6);
	}
}

static void a_dropped_entry_is_named(void **state)
{
	struct fixture *f = *state;
	meddle(f, "DELETE FROM audit WHERE seq = 2");
	assert_bad(f->store, "entry 2 is missing");
}

static void a_dropped_and_renumbered_entry_is_named(void **state)
{
	struct fixture *f = *state;
	meddle(f,
		"DELETE FROM audit WHERE seq = 2;"
		"UPDATE audit SET seq = seq - 1 WHERE seq > 2");
	assert_bad(f->store, "entry 2 does not fit");
}

static void two_swapped_entries_are_named(void **state)
{
	struct fixture *f = *state;
	meddle(f,
		"UPDATE audit SET seq = 100 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5;"
		"UPDATE audit SET seq = 5 WHERE seq = 100");
	assert_bad(f->store, "entry 4 does not fit");
}

static void a_cut_end_is_noticed(void **state)
{
	struct fixture *f = *state;
	meddle(f, "DELETE FROM audit WHERE seq > 4");
	assert_bad(f->store, "entry 5 is missing: it should end with entry 6");
	add(f->store, 1); /* and stays noticed when the log goes on */
	assert_bad(f->store, "entry 5 is missing");
}

static void a_cut_end_with_a_forged_head_is_noticed(void **state)
{
	struct fixture *f = *state;
	meddle(f,
		"DELETE FROM audit WHERE seq > 4; UPDATE meta SET value ="
		" '4 ' || (SELECT hash FROM audit WHERE seq = 4) || ' ' || substr(value, -64)"
		" WHERE key = 'audit_head'");
	assert_bad(f->store, "head record was removed or changed");
	add(f->store, 1); /* a new head does not hide it */
	assert_bad(f->store, "entry 5 does not fit");
}

static void a_removed_head_or_an_emptied_log_is_noticed(void **state)
{
	struct fixture *f = *state;
	meddle(f, "DELETE FROM meta");
	assert_bad(f->store, "head record was removed or changed");
	meddle(f, "DELETE FROM audit");
	assert_bad(f->store, "head record was removed or changed");
	add(f->store, 1);
	assert_bad(f->store, "entry 1 does not fit");
}

static void an_entry_by_another_key_is_noticed(void **state)
{
	static const unsigned char other[32] = "another key of the same length..";
	struct fixture *f = *state;
	struct err err = {0};
	store_close(f->store);
	f->store = store_open(f->dir, other, &err);
	must(f->store != NULL, &err);
	assert_bad(f->store, "entry 1 does not fit");
	assert_bad(f->store, "secret.key");
}

static void the_tables_own_guards_refuse_changes(void **state)
{
	static const char *const changes[] = {"UPDATE audit SET text = '' WHERE seq = 1",
		"DELETE FROM audit WHERE seq = 1", "DELETE FROM audit"};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct err err = {0};
		assert_false(sql_exec(f->store, changes[i], &err));
		assert_non_null(strstr(err.text, "append-only"));
	}
	assert_good(f->store, 6);
}

static void forgetting_leaves_the_log_alone(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	must(store_forget(f->store, INT64_MAX, &err), &err);
	assert_good(f->store, 6);
}

static void append_seq(void *ctx, const struct audit_entry *entry)
{
	str_addf(ctx, "%lld ", (long long)entry->seq);
}

static void entries_are_listed_newest_first(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	auto_arena arena = arena_new(4096);
	struct str text;
	str_init(&text, arena);
	must(store_audit(f->store, 2, append_seq, &text, &err), &err);
	must(store_audit(f->store, 0, append_seq, &text, &err), &err);
	assert_string_equal(text.s, "6 5 6 5 4 3 2 1 ");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_untouched_log_verifies),
		CASE(an_empty_log_verifies),
		CASE(a_rolled_back_entry_leaves_the_chain_whole),
		CASE(a_changed_field_is_named_whichever_it_is),
		CASE(a_dropped_entry_is_named),
		CASE(a_dropped_and_renumbered_entry_is_named),
		CASE(two_swapped_entries_are_named),
		CASE(a_cut_end_is_noticed),
		CASE(a_cut_end_with_a_forged_head_is_noticed),
		CASE(a_removed_head_or_an_emptied_log_is_noticed),
		CASE(an_entry_by_another_key_is_noticed),
		CASE(the_tables_own_guards_refuse_changes),
		CASE(forgetting_leaves_the_log_alone),
		CASE(entries_are_listed_newest_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
