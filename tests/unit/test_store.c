/*
 * The store: what was committed is there, what was not is not, and every trouble says its cure.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
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

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	STR_SET(f->dir, "/tmp/test_store.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	STR_FORMAT(f->path, "%s/homeostat.db", f->dir);
	f->store = store_open(f->dir, key, &err);
	must(f->store != NULL, &err);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"homeostat.db", "homeostat.db-wal", "homeostat.db-shm",
		"homeostat.lock", "homeostat.db.v1", "homeostat.db.v2"};
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

static void reopen(struct fixture *f)
{
	struct err err = {0};
	store_close(f->store);
	f->store = store_open(f->dir, key, &err);
	must(f->store != NULL, &err);
}

/* Through another connection, as a stranger would. */
static void meddle(const struct fixture *f, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static struct incident sample(const char *component)
{
	struct incident incident = {.attempt = 2, .finding = FINDING_EXITED,
		.severity = SEVERITY_UNHEALTHY, .state = LIFE_SUSPECTED, .ordered = true, .parent_id = 7,
		.failed_at = 900, .opened_at = 1000, .changed_at = 1001, .acted_at = 1002,
		.healthy_since = 1003, .wake_at = 1004};
	STR_SET(incident.component.name, component);
	STR_SET(incident.component.label, "redis");
	STR_SET(incident.component.source, "docker:local");
	STR_SET(incident.component.native, "0123abcd");
	STR_SET(incident.component.parent, "docker_daemon");
	STR_SET(incident.component.depends_on, "a,b");
	STR_SET(incident.component.action, "restart");
	incident.component.kind = COMPONENT_CONTAINER;
	incident.component.has_risk = true;
	incident.component.risk = RISK_MEDIUM;
	STR_SET(incident.issue, "Docker container 'redis' exited; it's \"bad\" — \xc3\xbc");
	STR_SET(incident.metrics, "{\"a\": 1}");
	STR_SET(incident.reason, "just seen");
	STR_SET(incident.diagnosis.cause, "the application failed");
	STR_SET(incident.diagnosis.by, "rules");
	STR_SET(incident.diagnosis.action, "docker.container.restart");
	STR_SET(incident.diagnosis.evidence, "panic: at line 3");
	incident.diagnosis.confidence = 0.75;
	STR_SET(incident.plan.action, "docker.container.restart");
	STR_SET(incident.plan.component, component);
	STR_SET(incident.plan.title, "Restart container 'redis'");
	STR_SET(incident.plan.label, "redis");
	STR_SET(incident.plan.source, "docker:local");
	STR_SET(incident.plan.native, "0123abcd");
	incident.plan.risk = RISK_MEDIUM;
	plan_seal(&incident.plan);
	STR_SET(incident.actor, "uid:0");
	return incident;
}

static int64_t insert(struct store *store, struct incident *incident)
{
	struct err err = {0};
	must(store_incident_insert(store, incident, &err), &err);
	return incident->id;
}

static void update(struct store *store, struct incident *incident, enum life_state state,
	const char *event)
{
	struct err err = {0};
	incident->state = state;
	must(store_incident_update(store, incident, event, &err), &err);
}

static void an_incident_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct incident put = sample("docker_container_redis"), got;
	insert(f->store, &put);
	assert_int_equal(put.id, 1);
	reopen(f);
	must(store_incident_get(f->store, 1, &got, &err), &err);
	assert_string_equal(got.issue, put.issue);
	assert_string_equal(got.metrics, put.metrics);
	assert_string_equal(got.reason, put.reason);
	assert_string_equal(got.actor, put.actor);
	assert_memory_equal(&got.plan.hash, &put.plan.hash, sizeof(put.plan.hash));
	assert_string_equal(got.plan.title, put.plan.title);
	assert_string_equal(got.plan.native, put.plan.native);
	assert_int_equal(got.plan.risk, RISK_MEDIUM);
	assert_string_equal(got.component.name, put.component.name);
	assert_string_equal(got.component.parent, put.component.parent);
	assert_string_equal(got.component.depends_on, put.component.depends_on);
	assert_string_equal(got.component.action, put.component.action);
	assert_int_equal(got.component.kind, COMPONENT_CONTAINER);
	assert_true(got.component.has_risk);
	assert_false(got.component.ignored);
	assert_int_equal(got.component.risk, RISK_MEDIUM);
	assert_int_equal(got.finding, FINDING_EXITED);
	assert_int_equal(got.severity, SEVERITY_UNHEALTHY);
	assert_int_equal(got.state, LIFE_SUSPECTED);
	assert_string_equal(got.diagnosis.evidence, put.diagnosis.evidence);
	assert_string_equal(got.diagnosis.action, put.diagnosis.action);
	assert_true(got.diagnosis.confidence == 0.75);
	assert_int_equal(got.attempt, 2);
	assert_true(got.ordered);
	assert_int_equal(got.parent_id, 7);
	assert_int_equal(got.failed_at, 900);
	assert_int_equal(got.opened_at, 1000);
	assert_int_equal(got.changed_at, 1001);
	assert_int_equal(got.acted_at, 1002);
	assert_int_equal(got.healthy_since, 1003);
	assert_int_equal(got.wake_at, 1004);
	assert_int_equal(got.ended_at, 0);
}

static void an_unknown_incident_is_gone(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct incident incident = {0};
	assert_false(store_incident_get(f->store, 99, &incident, &err));
	assert_int_equal(err.kind, ERR_GONE);
	assert_string_equal(err.text, "there is no incident 99");
	incident.id = 99;
	assert_false(store_incident_update(f->store, &incident, "WAKE", &err));
	assert_int_equal(err.kind, ERR_GONE);
}

static void append_history(void *ctx, const struct history *history)
{
	str_addf(ctx, "%s/%s ", history->state, history->event);
}

static void history_has_a_row_for_each_change_of_state_and_no_other(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	auto_arena arena = arena_new(1 << 16);
	struct str text;
	struct incident incident = sample("docker_container_redis");
	incident.state = LIFE_NONE;
	insert(f->store, &incident);
	update(f->store, &incident, LIFE_SUSPECTED, "SUSPECT");
	update(f->store, &incident, LIFE_SUSPECTED, "WAKE");
	update(f->store, &incident, LIFE_DIAGNOSING, "CONFIRMED");
	update(f->store, &incident, LIFE_DECIDING, "DIAGNOSED");
	str_init(&text, arena);
	must(store_history(f->store, incident.id, append_history, &text, &err), &err);
	assert_string_equal(text.s, "SUSPECTED/SUSPECT DIAGNOSING/CONFIRMED DECIDING/DIAGNOSED ");
}

static void what_was_rolled_back_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	char value[16];
	struct incident incident = sample("a");
	must(store_begin(f->store, &err), &err);
	insert(f->store, &incident);
	must(store_fact_set(f->store, "healing", "on", &err), &err);
	store_rollback(f->store);
	assert_false(store_incident_get(f->store, 1, &incident, &err));
	must(store_fact_get(f->store, "healing", value, sizeof(value), &err), &err);
	assert_string_equal(value, "");
}

/* The process ends without a commit, then after one. */
static void in_a_child_that_dies(struct fixture *f, bool commit)
{
	store_close(f->store);
	f->store = NULL;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err = {0};
		struct incident incident = sample("a");
		struct store *store = store_open(f->dir, key, &err);
		bool ok = store != NULL && store_begin(store, &err) &&
			store_incident_insert(store, &incident, &err) &&
			(!commit || store_commit(store, &err));
		_exit(ok ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	reopen(f);
}

static void a_death_keeps_what_was_committed_and_only_that(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct incident incident;
	in_a_child_that_dies(f, false);
	assert_false(store_incident_get(f->store, 1, &incident, &err));
	in_a_child_that_dies(f, true);
	must(store_incident_get(f->store, 1, &incident, &err), &err);
}

static void append_id(void *ctx, const struct incident *incident)
{
	str_addf(ctx, "%lld ", (long long)incident->id);
}

static void assert_incidents(struct store *store, enum incident_filter filter, int64_t since, int limit,
	const char *want)
{
	struct err err = {0};
	auto_arena arena = arena_new(1 << 16);
	struct str text;
	str_init(&text, arena);
	must(store_incidents(store, filter, since, limit, append_id, &text, &err), &err);
	assert_string_equal(text.s, want);
}

static void incidents_are_listed_newest_first_by_filter(void **state)
{
	struct fixture *f = *state;
	for (int i = 1; i <= 5; i++) {
		struct incident incident = sample("a");
		incident.opened_at = i * 1000;
		insert(f->store, &incident);
		if (i == 1 || i == 3) {
			incident.ended_at = i == 1 ? 20000 : 10000;
			update(f->store, &incident, i == 1 ? LIFE_RESOLVED : LIFE_CLEARED, "x");
		}
		if (i == 4)
			update(f->store, &incident, LIFE_ESCALATED, "x");
	}
	assert_incidents(f->store, INCIDENTS_OPEN, 0, 0, "5 4 2 ");
	assert_incidents(f->store, INCIDENTS_OPEN, 4000, 0, "5 4 ");
	assert_incidents(f->store, INCIDENTS_ENDED, 0, 0, "1 3 ");
	assert_incidents(f->store, INCIDENTS_ENDED, 15000, 0, "1 ");
	assert_incidents(f->store, INCIDENTS_ALL, 0, 2, "5 4 ");
	assert_incidents(f->store, INCIDENTS_ALL, 5000, 0, "5 3 1 ");
}

struct nested {
	struct store *store;
	int inner;
};

static void count_inner(void *ctx, const struct incident *incident)
{
	struct nested *nested = ctx;
	assert_true(incident->id > 0);
	nested->inner++;
}

static void list_again(void *ctx, const struct incident *incident)
{
	struct nested *nested = ctx;
	struct err err = {0};
	assert_true(incident->id > 0);
	must(store_incidents(nested->store, INCIDENTS_OPEN, 0, 0, count_inner, nested, &err), &err);
}

static void a_callback_may_ask_the_same_again(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct nested nested = {.store = f->store};
	for (int i = 0; i < 3; i++) {
		struct incident incident = sample("a");
		insert(f->store, &incident);
	}
	must(store_incidents(f->store, INCIDENTS_OPEN, 0, 0, list_again, &nested, &err), &err);
	assert_int_equal(nested.inner, 9);
}

static void an_approval_is_decided_once(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct incident incident = sample("a");
	insert(f->store, &incident);
	struct approval approval = {.incident_id = incident.id, .attempt = 3, .asked_at = 5,
		.expires_at = 9}, got;
	STR_SET(approval.plan_hash, incident.plan.hash);
	must(store_approval_newest(f->store, incident.id, &got, &err), &err);
	assert_int_equal(got.id, 0);
	must(store_approval_insert(f->store, &approval, &err), &err);
	must(store_approval_decide(f->store, approval.id, true, "uid:0", 7, &err), &err);
	assert_false(store_approval_decide(f->store, approval.id, false, "uid:1", 8, &err));
	assert_int_equal(err.kind, ERR_GONE);
	must(store_approval_newest(f->store, incident.id, &got, &err), &err);
	assert_int_equal(got.id, approval.id);
	assert_true(got.approved);
	assert_string_equal(got.actor, "uid:0");
	assert_int_equal(got.decided_at, 7);
	assert_string_equal(got.plan_hash, incident.plan.hash);
}

static void append_action(void *ctx, const struct action_record *record)
{
	str_addf(ctx, "%s:%d:%s ", record->component, record->attempt, record->outcome);
}

static void actions_are_kept_by_attempt_and_component(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	auto_arena arena = arena_new(1 << 16);
	struct str text;
	struct incident incident = sample("a");
	insert(f->store, &incident);
	for (int i = 1; i <= 3; i++) {
		struct action_record record = {.incident_id = 1, .attempt = i, .began_at = i * 10};
		STR_SET(record.action, "docker.container.restart");
		STR_SET(record.component, i == 2 ? "b" : "a");
		must(store_action_insert(f->store, &record, &err), &err);
	}
	must(store_action_end(f->store, 1, 1, "not_healed", "no", 15, &err), &err);
	assert_false(store_action_end(f->store, 1, 9, "done", "", 15, &err));
	assert_int_equal(err.kind, ERR_GONE);
	str_init(&text, arena);
	must(store_actions(f->store, 0, NULL, append_action, &text, &err), &err);
	assert_string_equal(text.s, "a:1:not_healed b:2: a:3: ");
	str_init(&text, arena);
	must(store_actions(f->store, 11, "a", append_action, &text, &err), &err);
	assert_string_equal(text.s, "a:3: ");
	str_init(&text, arena);
	must(store_incident_actions(f->store, 1, append_action, &text, &err), &err);
	assert_string_equal(text.s, "a:1:not_healed b:2: a:3: ");
	/* the same attempt twice would be an action done twice */
	struct action_record twice = {.incident_id = 1, .attempt = 3};
	assert_false(store_action_insert(f->store, &twice, &err));
}

static void a_record_of_no_incident_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct approval approval = {.incident_id = 77};
	assert_false(store_approval_insert(f->store, &approval, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
}

/* One life of the given end, with one action. */
static void live(struct store *store, enum life_state end, const char *outcome, const char *actor,
	int64_t at)
{
	struct err err = {0};
	struct incident incident = sample("a");
	incident.opened_at = at;
	incident.failed_at = at - 400;
	incident.attempt = 1;
	insert(store, &incident);
	struct action_record record = {.incident_id = incident.id, .attempt = 1, .began_at = at};
	STR_SET(record.action, "docker.container.restart");
	STR_SET(record.actor, actor);
	must(store_action_insert(store, &record, &err), &err);
	must(store_action_end(store, incident.id, 1, outcome, "", at + 1000, &err), &err);
	struct approval approval = {.incident_id = incident.id, .asked_at = at};
	must(store_approval_insert(store, &approval, &err), &err);
	must(store_approval_decide(store, approval.id, true, "api", at + 2000, &err), &err);
	incident.ended_at = life_is_open(end) ? 0 : at + 20000;
	update(store, &incident, end, "x");
}

static void assert_sums(struct store *store)
{
	struct err err = {0};
	struct store_figures figures;
	must(store_figures(store, 0, &figures, &err), &err);
	assert_int_equal(figures.fixes_tried, 3);
	assert_int_equal(figures.fixes_healed, 2);
	assert_int_equal(figures.detections, 5);
	assert_true(figures.detection_seconds_sum > 1.99 && figures.detection_seconds_sum < 2.01);
	assert_int_equal(figures.detection_buckets[1], 5);
	assert_int_equal(figures.resolutions, 3);
	assert_true(figures.resolution_seconds_sum > 59.9 && figures.resolution_seconds_sum < 60.1);
	assert_int_equal(figures.resolution_buckets[6], 3);
	assert_int_equal(figures.approvals_decided, 5);
	assert_int_equal(figures.action_rows, 2);
	assert_string_equal(figures.actions[0].outcome, "healed");
	assert_int_equal(figures.actions[0].n, 3);
	assert_int_equal(figures.actions[1].n, 1);
}

static void figures_count_and_forgetting_does_not_lower_them(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct store_figures figures;
	live(f->store, LIFE_RESOLVED, "healed", "", 1000);
	live(f->store, LIFE_RESOLVED, "healed", "", 2000);
	live(f->store, LIFE_RESOLVED, "healed", "uid:0", 3000);
	live(f->store, LIFE_ESCALATED, "not_healed", "", 4000);
	live(f->store, LIFE_VERIFYING, "done", "", 5000); /* not final yet: not counted */
	assert_sums(f->store);
	must(store_forget(f->store, 22500, &err), &err);
	assert_incidents(f->store, INCIDENTS_ALL, 0, 0, "5 4 3 ");
	assert_sums(f->store);
	must(store_forget(f->store, 1 << 30, &err), &err);
	assert_incidents(f->store, INCIDENTS_ALL, 0, 0, "5 4 ");
	assert_sums(f->store);
	must(store_figures(f->store, 0, &figures, &err), &err);
	assert_int_equal(figures.open[SEVERITY_UNHEALTHY][LIFE_ESCALATED], 1);
	assert_int_equal(figures.open[SEVERITY_UNHEALTHY][LIFE_VERIFYING], 1);
	assert_int_equal(figures.ended_today[LIFE_RESOLVED], 0);
	/* a number that was given once is never given again */
	struct incident incident = sample("a");
	assert_int_equal(insert(f->store, &incident), 6);
}

static void each_bucket_has_its_bound(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct store_figures figures;
	for (int i = 0; i <= STORE_BOUNDS; i++) {
		struct incident incident = sample("a");
		incident.failed_at = 1;
		incident.opened_at = 1 +
			(i < STORE_BOUNDS ? (int64_t)(store_bounds[i] * 1000)
					  : (int64_t)(store_bounds[STORE_BOUNDS - 1] * 1000) + 1);
		insert(f->store, &incident);
	}
	must(store_figures(f->store, 0, &figures, &err), &err);
	for (int i = 0; i <= STORE_BOUNDS; i++)
		assert_int_equal(figures.detection_buckets[i], 1);
}

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
	assert_non_null(strstr(err.text, "knows 1"));
	assert_null(store_open_reader(f->dir, key, &err));
	assert_non_null(strstr(err.text, "schema version 42"));
	meddle(f, "PRAGMA user_version = 1");
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

static void an_older_database_is_migrated_and_a_copy_kept(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	char value[16], copy[128];
	bool fresh;
	struct stat found;
	const struct migration two[] = {
		store_migrations[0],
		{"CREATE TABLE later (a TEXT) STRICT; INSERT INTO later SELECT value FROM fact"},
	};
	must(store_fact_set(f->store, "a", "kept", &err), &err);
	must(schema_migrate(f->store, two, 2, &fresh, &err), &err);
	assert_false(fresh);
	int64_t version;
	must(sql_number(f->store, "PRAGMA user_version", &version, &err), &err);
	assert_int_equal(version, 2);
	must(store_fact_get(f->store, "a", value, sizeof(value), &err), &err);
	assert_string_equal(value, "kept");
	must(sql_number(f->store, "SELECT count(*) FROM later", &version, &err), &err);
	assert_int_equal(version, 1);
	/* the copy is a database of version 1, private and whole */
	STR_FORMAT(copy, "%s.v1", f->path);
	assert_int_equal(stat(copy, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
	sqlite3 *db;
	sqlite3_stmt *statement;
	assert_int_equal(sqlite3_open(copy, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT value FROM fact", -1, &statement, NULL),
		SQLITE_OK);
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
	const struct migration two[] = {
		store_migrations[0],
		{"CREATE TABLE later (a TEXT) STRICT; INSERT INTO no_such_table VALUES (1)"},
	};
	assert_false(schema_migrate(f->store, two, 2, &fresh, &err));
	assert_non_null(strstr(err.text, "migration to schema version 2"));
	must(sql_number(f->store, "PRAGMA user_version", &n, &err), &err);
	assert_int_equal(n, 1);
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

static void assert_plan(struct store *store, const char *sql, const char *index)
{
	char text[4096], plan[400] = "";
	sqlite3_stmt *statement;
	STR_FORMAT(text, "EXPLAIN QUERY PLAN %s", sql);
	assert_int_equal(sqlite3_prepare_v2(store->db, text, -1, &statement, NULL), SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		size_t used = strlen(plan);
		str_format(plan + used, sizeof(plan) - used, "%s\n",
			(const char *)sqlite3_column_text(statement, 3));
	}
	sqlite3_finalize(statement);
	if (strstr(plan, index) == NULL || strstr(plan, "TEMP B-TREE") != NULL)
		fail_msg("%s\n does: %s", sql, plan);
}

/* The statements themselves, as the store has prepared them. */
static const char *prepared(struct store *store, const char *part)
{
	for (int i = 0; i < store->cached; i++) {
		const char *sql = sqlite3_sql(store->cache[i].statement);
		if (strstr(sql, part) != NULL)
			return sql;
	}
	fail_msg("no statement has \"%s\"", part);
	return NULL;
}

static void ignore_incident(void *ctx, const struct incident *incident)
{
}

static void ignore_history(void *ctx, const struct history *history)
{
}

static void ignore_action(void *ctx, const struct action_record *record)
{
}

static void hot_queries_use_indexes(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct incident incident = sample("a");
	struct approval approval;
	insert(f->store, &incident);
	update(f->store, &incident, LIFE_DECIDING, "x");
	store_incidents(f->store, INCIDENTS_OPEN, 0, 0, ignore_incident, NULL, &err);
	store_incidents(f->store, INCIDENTS_ENDED, 0, 0, ignore_incident, NULL, &err);
	store_history(f->store, 1, ignore_history, NULL, &err);
	store_actions(f->store, 0, NULL, ignore_action, NULL, &err);
	store_actions(f->store, 0, "a", ignore_action, NULL, &err);
	store_incident_actions(f->store, 1, ignore_action, NULL, &err);
	store_approval_newest(f->store, 1, &approval, &err);
	store_action_end(f->store, 1, 1, "done", "", 1, &err);
	assert_plan(f->store, prepared(f->store, "SELECT state FROM incident"), "PRIMARY KEY");
	assert_plan(f->store, prepared(f->store, "UPDATE incident"), "PRIMARY KEY");
	assert_plan(f->store, prepared(f->store, "NOT IN ('NONE'"), "incident_open");
	assert_plan(f->store, prepared(f->store, "ORDER BY ended_at DESC"), "incident_ended");
	assert_plan(f->store, prepared(f->store, "FROM history"), "history_incident");
	assert_plan(f->store, prepared(f->store, "action WHERE began_at"), "action_began");
	assert_plan(f->store, prepared(f->store, "action WHERE component"), "action_component");
	assert_plan(f->store, prepared(f->store, "ORDER BY attempt"), "sqlite_autoindex_action_1");
	assert_plan(f->store, prepared(f->store, "UPDATE action"), "sqlite_autoindex_action_1");
	assert_plan(f->store, prepared(f->store, "FROM approval"), "approval_incident");
}

static double now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* STORE_BENCH=1: what a durable intent costs; no timed test in the suite. */
static void measure_an_intent(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	if (getenv("STORE_BENCH") == NULL)
		skip();
	enum { N = 2000 };
	struct incident incident = sample("docker_container_redis");
	insert(f->store, &incident);
	double *took = calloc(N, sizeof(double));
	for (int i = 0; i < N; i++) {
		double start = now_s();
		struct action_record record = {.incident_id = 1, .attempt = i + 3, .began_at = i};
		struct audit_entry entry = {.at = i, .incident_id = 1, .what = "action.begin"};
		STR_SET(record.action, "docker.container.restart");
		STR_SET(record.component, incident.component.name);
		must(store_begin(f->store, &err), &err);
		must(store_action_insert(f->store, &record, &err), &err);
		must(store_audit_add(f->store, &entry, &err), &err);
		update(f->store, &incident, i % 2 == 0 ? LIFE_ACTING : LIFE_DECIDING, "ALLOWED");
		must(store_commit(f->store, &err), &err);
		took[i] = now_s() - start;
	}
	for (int i = 1; i < N; i++)
		for (int j = i; j > 0 && took[j] < took[j - 1]; j--) {
			double swap = took[j];
			took[j] = took[j - 1];
			took[j - 1] = swap;
		}
	print_message("intent: median %.3f ms, p95 %.3f ms, max %.3f ms\n", took[N / 2] * 1e3,
		took[N * 95 / 100] * 1e3, took[N - 1] * 1e3);
	print_message("sqlite memory: %lld KiB\n", (long long)sqlite3_memory_highwater(0) / 1024);
	free(took);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_incident_comes_back_as_it_was),
		CASE(an_unknown_incident_is_gone),
		CASE(history_has_a_row_for_each_change_of_state_and_no_other),
		CASE(what_was_rolled_back_leaves_nothing),
		CASE(a_death_keeps_what_was_committed_and_only_that),
		CASE(incidents_are_listed_newest_first_by_filter),
		CASE(a_callback_may_ask_the_same_again),
		CASE(an_approval_is_decided_once),
		CASE(actions_are_kept_by_attempt_and_component),
		CASE(a_record_of_no_incident_is_refused),
		CASE(figures_count_and_forgetting_does_not_lower_them),
		CASE(each_bucket_has_its_bound),
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
		CASE(hot_queries_use_indexes),
		CASE(measure_an_intent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
