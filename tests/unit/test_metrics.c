/*
 * /metrics: the user's names, true figures, a text that Prometheus takes.
 */
#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "report/internal.h"

static const unsigned char key[32] = "an audit key, 32 bytes long, yes";

struct fixture {
	char dir[64];
	struct store *store;
	struct arena *arena;
	struct str text;
	struct core_status core;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	STR_SET(f->dir, "/tmp/test_metrics.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->store = store_open(f->dir, key, &err);
	assert_non_null(f->store);
	f->arena = arena_new(1 << 20);
	str_init(&f->text, f->arena);
	f->core.sources = 2;
	STR_SET(f->core.source[0].name, "docker:local");
	f->core.source[0].reached = true;
	f->core.source[0].took_ms = 1500;
	STR_SET(f->core.source[1].name, "docker:na\"s\\");
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
	rmdir(f->dir);
	arena_free(f->arena);
	free(f);
	return 0;
}

static void render(struct fixture *f)
{
	struct err err = {0};
	str_init(&f->text, f->arena);
	if (!metrics_text(&f->text, f->store, &f->core, 0, &err))
		fail_msg("%s", err.text);
}

static double value_of(const struct fixture *f, const char *series)
{
	size_t length = strlen(series);
	for (const char *line = f->text.s; line != NULL && *line != '\0';) {
		if (strncmp(line, series, length) == 0 && line[length] == ' ')
			return strtod(line + length + 1, NULL);
		line = strchr(line, '\n');
		line += line != NULL;
	}
	fail_msg("no series %s in\n%s", series, f->text.s);
	return NAN;
}

/* A life that ended with outcome, approved after 4 s, detected after 2 s. */
static void live(struct store *store, enum life_state end, const char *outcome, const char *actor)
{
	struct err err = {0};
	struct incident incident = {.attempt = 1,
		.severity = SEVERITY_UNHEALTHY,
		.state = end,
		.finding = FINDING_EXITED,
		.failed_at = 1000,
		.opened_at = 3000};
	STR_SET(incident.diagnosis.by, "rules");
	incident.ended_at = life_is_open(end) ? 0 : 23000;
	assert_true(store_incident_insert(store, &incident, &err));
	struct action_record record = {.incident_id = incident.id, .attempt = 1, .began_at = 4000};
	STR_SET(record.action, "docker.container.restart");
	STR_SET(record.actor, actor);
	assert_true(store_action_insert(store, &record, &err));
	assert_true(
		store_action_end(store, (struct action_end){incident.id, 1, outcome, "", 5000}, &err));
	struct approval approval = {.incident_id = incident.id, .asked_at = 1000};
	assert_true(store_approval_insert(store, &approval, &err));
	approval.decided_at = 5000;
	approval.approved = true;
	assert_true(store_approval_decide(store, &approval, &err));
}

static void an_empty_store_gives_every_name_and_no_nan(void **state)
{
	struct fixture *f = *state;
	render(f);
	assert_true(value_of(f, "agent_health_status{agent=\"autonomous_health_agent\"}") == 0);
	assert_true(value_of(f, "health_active_issues_total") == 0);
	assert_true(value_of(f, "health_autofix_success_rate") == 1);
	assert_true(value_of(f, "health_approval_response_seconds") == 0);
	assert_true(value_of(f, "homeostat_detection_seconds_count") == 0);
	assert_null(strstr(f->text.s, "NaN"));
	assert_null(strstr(f->text.s, "nan"));
}

static void figures_are_what_happened(void **state)
{
	struct fixture *f = *state;
	live(f->store, LIFE_RESOLVED, "healed", "");
	live(f->store, LIFE_RESOLVED, "healed", "uid:0");
	live(f->store, LIFE_ESCALATED, "not_healed", "");
	live(f->store, LIFE_SUSPECTED, "", "");
	struct err err = {0};
	assert_true(store_fact_set(f->store, "model:total", "7 2 0.125000000", &err));
	render(f);
	assert_true(value_of(f, "homeostat_diagnosis_total{by=\"model\",outcome=\"answered\"}") == 7);
	assert_true(value_of(f, "homeostat_diagnosis_total{by=\"model\",outcome=\"failed\"}") == 2);
	assert_true(value_of(f, "homeostat_diagnosis_cost_usd_total") == 0.125);
	assert_true(value_of(f, "agent_health_status{agent=\"autonomous_health_agent\"}") == 2);
	assert_true(value_of(f, "health_active_issues_total") == 1);
	assert_true(value_of(f, "health_autofix_success_rate") == 0.5);
	assert_true(value_of(f, "health_approval_response_seconds") == 4);
	assert_true(
		value_of(
			f, "homeostat_actions_total{action=\"docker.container.restart\",outcome=\"healed\"}") ==
		2);
	assert_true(
		value_of(f, "homeostat_incidents{severity=\"unhealthy\",state=\"escalated\"}") == 1);
	assert_true(value_of(f, "homeostat_resolution_seconds_sum") == 40);
	assert_true(value_of(f, "homeostat_resolution_seconds_bucket{le=\"10\"}") == 0);
	assert_true(value_of(f, "homeostat_resolution_seconds_bucket{le=\"30\"}") == 2);
	assert_true(value_of(f, "homeostat_detection_seconds_count") == 4);
	assert_true(value_of(f, "homeostat_source_up{source=\"docker:local\"}") == 1);
	assert_true(value_of(f, "homeostat_source_duration_seconds{source=\"docker:local\"}") == 1.5);
	assert_true(value_of(f, "homeostat_source_up{source=\"docker:na\\\"s\\\\\"}") == 0);
}

static void buckets_are_cumulative_and_end_with_the_count(void **state)
{
	static const char *const names[] = {"homeostat_detection_seconds",
		"homeostat_resolution_seconds", "homeostat_approval_response_seconds"};
	struct fixture *f = *state;
	live(f->store, LIFE_RESOLVED, "healed", "");
	live(f->store, LIFE_ESCALATED, "healed", "");
	render(f);
	for (int i = 0; i < 3; i++) {
		char series[96];
		double before = 0;
		for (int b = 0; b < STORE_BOUNDS; b++) {
			STR_FORMAT(series, "%s_bucket{le=\"%g\"}", names[i], store_bounds[b]);
			assert_true(value_of(f, series) >= before);
			before = value_of(f, series);
		}
		STR_FORMAT(series, "%s_bucket{le=\"+Inf\"}", names[i]);
		double all = value_of(f, series);
		STR_FORMAT(series, "%s_count", names[i]);
		assert_true(all >= before && all == value_of(f, series));
	}
}

/* Cuts *line off the text and moves on; NULL at its end. */
static char *take_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');
	if (*line == '\0' || end == NULL)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line;
}

static void no_series_is_there_twice_and_each_has_help_and_type(void **state)
{
	struct fixture *f = *state;
	char *seen[500], *line, declared[96] = "";
	int count = 0;
	live(f->store, LIFE_RESOLVED, "healed", "");
	live(f->store, LIFE_ESCALATED, "failed", "");
	render(f);
	for (char *text = f->text.s; (line = take_line(&text)) != NULL;) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			STR_FORMAT(declared, "%.*s", (int)strcspn(line + 7, " "), line + 7);
			continue;
		}
		if (strncmp(line, "# TYPE ", 7) == 0) {
			assert_true(strncmp(line + 7, declared, strlen(declared)) == 0);
			assert_int_equal(line[7 + strlen(declared)], ' ');
			line[7 + strlen(declared)] = '\0';
		} else {
			assert_true(strncmp(line, declared, strlen(declared)) == 0);
			*strrchr(line, ' ') = '\0';
		}
		for (int i = 0; i < count; i++)
			assert_string_not_equal(seen[i], line);
		assert_true(count < 500);
		seen[count++] = line;
	}
	assert_true(count > 60);
}

static void what_only_the_core_knows_is_left_out_without_it(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	assert_true(metrics_text(&f->text, f->store, NULL, 0, &err));
	assert_null(strstr(f->text.s, "homeostat_source_up"));
	assert_non_null(strstr(f->text.s, "health_active_issues_total 0"));
}

/* Complaints that are not about the user's own names. */
static int complaints(const char *path, char *first, size_t size)
{
	char command[256], line[512];
	int count = 0, ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		STR_FORMAT(command, "exec promtool check metrics < %s", path);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	FILE *said = fdopen(ends[0], "r");
	first[0] = '\0';
	while (fgets(line, sizeof(line), said) != NULL)
		if (strncmp(line, "agent_", 6) != 0 && strncmp(line, "health_", 7) != 0 && count++ == 0)
			str_copy(first, size, line);
	fclose(said);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_not_equal(WEXITSTATUS(status), 127);
	return count;
}

static void promtool_complains_of_the_users_names_only(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/test_metrics_text.XXXXXX", first[512];
	if (access("/usr/bin/promtool", X_OK) != 0) {
		print_message("promtool is not installed (package prometheus)\n");
		skip();
	}
	struct err err = {0};
	live(f->store, LIFE_RESOLVED, "healed", "");
	assert_true(store_fact_set(f->store, "model:total", "7 2 0.125000000", &err));
	render(f);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, f->text.s, f->text.len), f->text.len);
	close(fd);
	if (complaints(path, first, sizeof(first)) != 0)
		fail_msg("promtool: %s", first);
	unlink(path);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_empty_store_gives_every_name_and_no_nan),
		CASE(figures_are_what_happened),
		CASE(buckets_are_cumulative_and_end_with_the_count),
		CASE(no_series_is_there_twice_and_each_has_help_and_type),
		CASE(what_only_the_core_knows_is_left_out_without_it),
		CASE(promtool_complains_of_the_users_names_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
