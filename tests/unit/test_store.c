/*
 * The store: what was committed is there, what was not is not.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "store_fixture.h"

static void update(
	struct store *store, struct incident *incident, enum life_state state, const char *event)
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
			store_incident_insert(store, &incident, &err) && (!commit || store_commit(store, &err));
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

static void assert_incidents(
	struct store *store, enum incident_filter filter, int64_t since, int limit, const char *want)
{
	struct err err = {0};
	auto_arena arena = arena_new(1 << 16);
	struct str text;
	str_init(&text, arena);
	must(store_incidents(
			 store, (struct incident_query){filter, since, limit}, append_id, &text, &err),
		&err);
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
	must(store_incidents(nested->store, (struct incident_query){INCIDENTS_OPEN, 0, 0}, count_inner,
			 nested, &err),
		&err);
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
	must(store_incidents(
			 f->store, (struct incident_query){INCIDENTS_OPEN, 0, 0}, list_again, &nested, &err),
		&err);
	assert_int_equal(nested.inner, 9);
}

static void an_approval_is_decided_once(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct incident incident = sample("a");
	insert(f->store, &incident);
	struct approval approval = {.incident_id = incident.id,
						.attempt = 3,
						.asked_at = 5,
						.expires_at = 9},
					got;
	STR_SET(approval.plan_hash, incident.plan.hash);
	must(store_approval_newest(f->store, incident.id, &got, &err), &err);
	assert_int_equal(got.id, 0);
	must(store_approval_insert(f->store, &approval, &err), &err);
	struct approval yes = {.id = approval.id, .decided_at = 7, .approved = true, .actor = "uid:0"};
	struct approval no = {.id = approval.id, .decided_at = 8, .actor = "uid:1"};
	must(store_approval_decide(f->store, &yes, &err), &err);
	assert_false(store_approval_decide(f->store, &no, &err));
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
	must(store_action_end(f->store, (struct action_end){1, 1, "not_healed", "no", 15}, &err), &err);
	assert_false(store_action_end(f->store, (struct action_end){1, 9, "done", "", 15}, &err));
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
static void live(
	struct store *store, enum life_state end, const char *outcome, const char *actor, int64_t at)
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
	must(store_action_end(store, (struct action_end){incident.id, 1, outcome, "", at + 1000}, &err),
		&err);
	struct approval approval = {.incident_id = incident.id, .asked_at = at};
	must(store_approval_insert(store, &approval, &err), &err);
	approval.decided_at = at + 2000;
	approval.approved = true;
	must(store_approval_decide(store, &approval, &err), &err);
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
	store_incidents(
		f->store, (struct incident_query){INCIDENTS_OPEN, 0, 0}, ignore_incident, NULL, &err);
	store_incidents(
		f->store, (struct incident_query){INCIDENTS_ENDED, 0, 0}, ignore_incident, NULL, &err);
	store_history(f->store, 1, ignore_history, NULL, &err);
	store_actions(f->store, 0, NULL, ignore_action, NULL, &err);
	store_actions(f->store, 0, "a", ignore_action, NULL, &err);
	store_incident_actions(f->store, 1, ignore_action, NULL, &err);
	store_approval_newest(f->store, 1, &approval, &err);
	store_action_end(f->store, (struct action_end){1, 1, "done", "", 1}, &err);
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
		CASE(hot_queries_use_indexes),
	};
	const struct CMUnitTest bench[] = {CASE(measure_an_intent)};
	return getenv("STORE_BENCH") != NULL ? cmocka_run_group_tests(bench, NULL, NULL)
										 : cmocka_run_group_tests(tests, NULL, NULL);
}
