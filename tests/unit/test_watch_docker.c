/* The Docker source and its watcher against the simulated engine, over its real socket. */
#include "watch/watch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/http.h"
#include "base/str.h"
#include "model/request.h"
#include "sim/docker.h"

#define LONGEST_MS 10000
#define REPORT_BYTES ((size_t)64 << 20)

struct stage {
	char folder[64], socket[96];
	pid_t engine;
	struct config *config;
	struct clock *clock;
	struct source_context context;
	void *self;
	struct arena *arena;
	struct report report;
	struct err err;
};

static const struct source *docker(void)
{
	for (int i = 0; sources[i] != NULL; i++)
		if (strcmp(sources[i]->name, "docker") == 0)
			return sources[i];
	fail_msg("the Docker source is not listed in sources.c");
	return NULL;
}

/* Plays lines, ended by NULL. */
static void engine_start(struct stage *stage, const char *const *lines)
{
	char *argv[40] = {(char *)(uintptr_t) "sim-docker", stage->socket};
	int argc = 2;
	for (; *lines != NULL; lines++)
		argv[argc++] = (char *)(uintptr_t)*lines;
	stage->engine = fork();
	if (stage->engine == 0)
		_exit(sim_docker_main(argc, argv));
	assert_true(stage->engine > 0);
	int64_t until = clock_mono_ms(stage->clock) + LONGEST_MS;
	while (access(stage->socket, F_OK) != 0 && clock_mono_ms(stage->clock) < until)
		clock_wait(stage->clock, 5, -1);
}

static void engine_end(struct stage *stage, int how)
{
	if (stage->engine <= 0)
		return;
	kill(stage->engine, how);
	waitpid(stage->engine, NULL, 0);
	stage->engine = 0;
	unlink(stage->socket);
}

static struct config *read_config(struct stage *stage, const char *rest)
{
	char text[600];
	snprintf(text, sizeof(text), "interval: 1s\ndocker:\n  - name: local\n    url: unix://%s\n%s",
		stage->socket, rest);
	struct config *config = config_parse("test", text, strlen(text), true, &stage->err);
	if (config == NULL)
		fail_msg("%s", stage->err.text);
	return config;
}

static int set_up(void **state)
{
	struct stage *stage = test_calloc(1, sizeof(*stage));
	snprintf(stage->folder, sizeof(stage->folder), "/tmp/homeostat-watch-XXXXXX");
	if (mkdtemp(stage->folder) == NULL)
		return -1;
	snprintf(stage->socket, sizeof(stage->socket), "%s/docker.sock", stage->folder);
	stage->clock = clock_new_real();
	stage->config = read_config(stage, "");
	stage->context = (struct source_context){
		.config = stage->config, .clock = stage->clock, .stop_fd = -1};
	source_title(docker(), &stage->context);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	if (stage->self != NULL)
		docker()->close(stage->self);
	engine_end(stage, SIGTERM);
	arena_free(stage->arena);
	config_free(stage->config);
	clock_free(stage->clock);
	rmdir(stage->folder);
	test_free(stage);
	return 0;
}

static bool look(struct stage *stage, int64_t wait_ms)
{
	arena_free(stage->arena);
	stage->arena = arena_new(REPORT_BYTES);
	stage->report = (struct report){0};
	stage->err = (struct err){0};
	if (stage->self == NULL)
		stage->self = docker()->open(&stage->context, &stage->err);
	if (stage->self == NULL)
		fail_msg("%s", stage->err.text);
	return docker()->look(stage->self, wait_ms, stage->arena, &stage->report, &stage->err);
}

static const struct observation *seen_as(
	const struct stage *stage, const char *name, enum obs_state state)
{
	for (int i = 0; i < stage->report.count; i++)
		if (strcmp(stage->report.observations[i].component.name, name) == 0 &&
			stage->report.observations[i].state == state)
			return &stage->report.observations[i];
	return NULL;
}

/* Looks until the component is reported so. */
static const struct observation *await(struct stage *stage, const char *name, enum obs_state state)
{
	int64_t until = clock_mono_ms(stage->clock) + LONGEST_MS;
	while (clock_mono_ms(stage->clock) < until) {
		if (!look(stage, 500))
			clock_wait(stage->clock, 20, -1);
		const struct observation *seen = seen_as(stage, name, state);
		if (seen != NULL)
			return seen;
	}
	fail_msg("%s was not reported as %s in %d s: %s", name, obs_state_name(state),
		LONGEST_MS / 1000, stage->err.text);
	return NULL;
}

static void the_first_look_lists_every_container_and_says_so(void **state)
{
	struct stage *stage = *state;
	engine_start(stage, (const char *const[]){"container web health", "container db", NULL});
	assert_true(look(stage, 0));
	assert_true(stage->report.complete);
	assert_int_equal(stage->report.count, 2);
	const struct observation *web = seen_as(stage, "docker_container_web", OBS_RUNNING);
	assert_non_null(web);
	assert_int_equal(web->health, OBS_HEALTHY);
	assert_string_equal(web->component.label, "web");
	assert_string_equal(web->component.source, "docker:local");
	assert_string_equal(web->component.parent, "docker_daemon");
	assert_int_equal(strlen(web->component.native), 64);
	assert_int_equal(seen_as(stage, "docker_container_db", OBS_RUNNING)->health, OBS_NO_CHECK);
	assert_true(stage->report.cursor[0] != '\0');
}

static void a_crash_is_reported_with_its_code_and_as_a_crash(void **state)
{
	struct stage *stage = *state;
	engine_start(stage, (const char *const[]){"container web", "after 1200 crash web 3", NULL});
	assert_true(look(stage, 0));
	const struct observation *web = await(stage, "docker_container_web", OBS_EXITED);
	assert_int_equal(web->cause, STOP_CRASH);
	assert_int_equal(web->exit_code, 3);
	assert_true(clock_wall_ms(stage->clock) - web->since_ms < 1000);
	assert_string_equal(web->status, "Exited (3) Less than a second ago");
	assert_false(stage->report.complete);
}

static void stop_and_kill_through_the_engine_are_a_persons(void **state)
{
	struct stage *stage = *state;
	engine_start(stage,
		(const char *const[]){
			"container web", "container db", "after 1200 stop web", "after 1800 kill db 9", NULL});
	assert_true(look(stage, 0));
	assert_int_equal(await(stage, "docker_container_web", OBS_EXITED)->cause, STOP_PERSON);
	assert_int_equal(await(stage, "docker_container_db", OBS_EXITED)->cause, STOP_PERSON);
}

static void the_mark_of_a_persons_stop_ends_with_the_next_start(void **state)
{
	struct stage *stage = *state;
	engine_start(stage,
		(const char *const[]){"container web", "after 900 stop web", "after 1500 start web",
			"after 2100 crash web 1", NULL});
	assert_true(look(stage, 0));
	assert_int_equal(await(stage, "docker_container_web", OBS_EXITED)->cause, STOP_PERSON);
	await(stage, "docker_container_web", OBS_RUNNING);
	assert_int_equal(await(stage, "docker_container_web", OBS_EXITED)->cause, STOP_CRASH);
}

static void a_one_shot_that_ends_with_0_is_done(void **state)
{
	struct stage *stage = *state;
	engine_start(stage, (const char *const[]){"container job", "after 1200 finish job", NULL});
	assert_true(look(stage, 0));
	assert_int_equal(await(stage, "docker_container_job", OBS_EXITED)->cause, STOP_DONE);
}

static void out_of_memory_is_told(void **state)
{
	struct stage *stage = *state;
	engine_start(stage, (const char *const[]){"container web", "after 1200 oom web", NULL});
	assert_true(look(stage, 0));
	const struct observation *web = await(stage, "docker_container_web", OBS_EXITED);
	assert_true(web->oom_killed);
	assert_int_equal(web->cause, STOP_CRASH);
}

static void health_that_turns_is_reported_both_ways(void **state)
{
	struct stage *stage = *state;
	engine_start(stage,
		(const char *const[]){
			"container web health", "after 600 sick web", "after 4500 well web", NULL});
	assert_true(look(stage, 0));
	int64_t until = clock_mono_ms(stage->clock) + LONGEST_MS;
	const struct observation *web = NULL;
	while ((web == NULL || web->health != OBS_UNHEALTHY) && clock_mono_ms(stage->clock) < until)
		web = await(stage, "docker_container_web", OBS_RUNNING);
	assert_int_equal(web->health, OBS_UNHEALTHY);
	while (web->health != OBS_HEALTHY && clock_mono_ms(stage->clock) < until)
		web = await(stage, "docker_container_web", OBS_RUNNING);
	assert_int_equal(web->health, OBS_HEALTHY);
}

static void pause_and_removal_are_reported_as_what_they_are(void **state)
{
	struct stage *stage = *state;
	engine_start(stage,
		(const char *const[]){
			"container web", "after 900 pause web", "after 1500 remove web", NULL});
	assert_true(look(stage, 0));
	await(stage, "docker_container_web", OBS_PAUSED);
	await(stage, "docker_container_web", OBS_ABSENT);
}

static void the_engines_own_restart_is_not_an_exit(void **state)
{
	struct stage *stage = *state;
	engine_start(stage,
		(const char *const[]){"container web policy=always", "after 1200 crash web 1", NULL});
	assert_true(look(stage, 0));
	int64_t until = clock_mono_ms(stage->clock) + 3000;
	while (clock_mono_ms(stage->clock) < until) {
		assert_true(look(stage, 100));
		assert_null(seen_as(stage, "docker_container_web", OBS_EXITED));
	}
}

static void what_is_known_is_not_reported_again_by_the_comparisons(void **state)
{
	struct stage *stage = *state;
	engine_start(stage,
		(const char *const[]){
			"container web", "container db health", "crash web 1", "after 900 sick db", NULL});
	assert_true(look(stage, 0));
	assert_true(stage->report.complete);
	int64_t until = clock_mono_ms(stage->clock) + 5000;
	int exits = 0, sick = 0;
	while (clock_mono_ms(stage->clock) < until) {
		assert_true(look(stage, 200));
		assert_false(stage->report.complete);
		exits += seen_as(stage, "docker_container_web", OBS_EXITED) != NULL;
		sick += seen_as(stage, "docker_container_db", OBS_RUNNING) != NULL;
	}
	assert_int_equal(exits, 0);
	assert_int_equal(sick, 1);
}

static void what_happened_before_the_first_look_is_read_from_the_engines_buffer(void **state)
{
	struct stage *stage = *state;
	engine_start(stage,
		(const char *const[]){"container web", "container db", "crash web 1", "stop db", NULL});
	assert_true(look(stage, 0));
	assert_int_equal(seen_as(stage, "docker_container_web", OBS_EXITED)->cause, STOP_CRASH);
	assert_int_equal(seen_as(stage, "docker_container_db", OBS_EXITED)->cause, STOP_PERSON);
}

static void what_the_engine_has_forgotten_and_nobody_saw_is_unseen(void **state)
{
	struct stage *stage = *state;
	engine_start(stage,
		(const char *const[]){
			"container web", "container job", "crash web 137", "finish job", "forget", NULL});
	assert_true(look(stage, 0));
	assert_int_equal(seen_as(stage, "docker_container_web", OBS_EXITED)->cause, STOP_UNSEEN);
	assert_int_equal(seen_as(stage, "docker_container_job", OBS_EXITED)->cause, STOP_DONE);
}

static void an_engine_that_goes_and_comes_is_told_and_what_it_took_down_is_its_doing(void **state)
{
	struct stage *stage = *state;
	engine_start(stage,
		(const char *const[]){"container web", "container old", "stop old",
			"after 1200 engine shutdown", "after 2700 engine up", NULL});
	assert_true(look(stage, 0));
	while (look(stage, 200))
		assert_int_equal(stage->report.count, 0);
	assert_true(stage->err.kind == ERR_RETRY);
	assert_true(stage->err.text[0] != '\0');
	const struct observation *web = await(stage, "docker_container_web", OBS_EXITED);
	assert_true(stage->report.complete);
	assert_int_equal(web->cause, STOP_ENGINE);
	assert_int_equal(seen_as(stage, "docker_container_old", OBS_EXITED)->cause, STOP_PERSON);
}

static void labels_are_read_into_the_component(void **state)
{
	struct stage *stage = *state;
	engine_start(stage,
		(const char *const[]){"container web label=homeostat.risk=high label=homeostat.action=none "
							  "label=homeostat.depends_on=db,cache",
			"container off label=homeostat.enable=false", "crash web 1", NULL});
	assert_true(look(stage, 0));
	const struct component *web = &seen_as(stage, "docker_container_web", OBS_EXITED)->component;
	assert_true(web->has_risk);
	assert_int_equal(web->risk, RISK_HIGH);
	assert_string_equal(web->action, "none");
	assert_string_equal(web->depends_on, "db,cache");
	assert_false(web->ignored);
	assert_true(seen_as(stage, "docker_container_off", OBS_RUNNING)->component.ignored);
}

static void several_engines_give_their_components_a_suffix(void **state)
{
	struct stage *stage = *state;
	struct config *config = read_config(stage, "  - name: nas\n    url: unix:///run/nas.sock\n");
	struct source_context context = {.config = config, .index = 1};
	source_title(docker(), &context);
	assert_string_equal(context.name, "docker:nas");
	assert_string_equal(context.suffix, "@nas");
	assert_string_equal(stage->context.name, "docker:local");
	assert_string_equal(stage->context.suffix, "");
	config_free(config);
}

static void hear(void *ctx, enum source_mark mark, const char *text)
{
	assert_int_equal(mark, SOURCE_GOOD);
	snprintf(ctx, 200, "%s", text);
}

static void a_check_says_what_is_there_or_why_not(void **state)
{
	struct stage *stage = *state;
	char text[200];
	void *self = docker()->open(&stage->context, &stage->err);
	assert_false(docker()->check(self, hear, text, &stage->err));
	assert_non_null(strstr(stage->err.text, stage->socket));
	engine_start(stage, (const char *const[]){"container web", NULL});
	assert_true(docker()->check(self, hear, text, &stage->err));
	assert_non_null(strstr(text, "1.41"));
	docker()->close(self);
}

static void told_to_stop_a_look_ends_at_once(void **state)
{
	struct stage *stage = *state;
	engine_start(stage, (const char *const[]){"container web", NULL});
	stage->context.stop_fd = eventfd(0, EFD_CLOEXEC);
	assert_true(look(stage, 0));
	eventfd_write(stage->context.stop_fd, 1);
	int64_t began = clock_mono_ms(stage->clock);
	assert_false(look(stage, 60000));
	assert_int_equal(stage->err.kind, ERR_CANCELLED);
	assert_true(clock_mono_ms(stage->clock) - began < 1000);
	close(stage->context.stop_fd);
}

static void an_unreachable_engine_is_reported_once_and_again_after_the_interval(void **state)
{
	struct stage *stage = *state;
	struct clock *clock = clock_new_wound(1795478168000);
	struct mailbox *core = mailbox_new(16);
	stage->context.clock = clock;
	struct watcher *watcher = watcher_new(docker(), &stage->context, core, &stage->err);
	assert_non_null(watcher);
	assert_false(watcher_step(watcher, 0));
	struct mail *mail = mailbox_receive(core, 0);
	assert_non_null(mail);
	assert_int_equal(mail->kind, MAIL_REPORT);
	const struct report *report = mail->body;
	assert_false(report->reached);
	assert_string_equal(report->source, "docker:local");
	assert_int_equal(report->trouble, OBS_ERR_DOWN);
	assert_non_null(strstr(report->text, stage->socket));
	mail_free(mail);
	clock_advance(clock, 500);
	assert_false(watcher_step(watcher, 0));
	assert_null(mailbox_receive(core, 0));
	clock_advance(clock, 600);
	assert_false(watcher_step(watcher, 0));
	mail = mailbox_receive(core, 0);
	assert_non_null(mail);
	mail_free(mail);
	watcher_free(watcher);
	mailbox_free(core);
	clock_free(clock);
}

static void a_watcher_on_its_thread_reports_a_crash_and_stops_when_told(void **state)
{
	struct stage *stage = *state;
	engine_start(stage, (const char *const[]){"container web", "after 1500 crash web 1", NULL});
	struct jobs *jobs = jobs_new(JOBS_THREADS);
	struct mailbox *core = mailbox_new(16);
	stage->context.stop_fd = jobs_stop_fd(jobs);
	struct watcher *watcher = watcher_new(docker(), &stage->context, core, &stage->err);
	assert_true(watcher_start(watcher, jobs, &stage->err));
	struct mail *mail = mailbox_receive(core, LONGEST_MS);
	assert_non_null(mail);
	assert_true(((const struct report *)mail->body)->complete);
	mail_free(mail);
	mail = mailbox_receive(core, LONGEST_MS);
	assert_non_null(mail);
	const struct report *report = mail->body;
	assert_int_equal(report->observations[0].cause, STOP_CRASH);
	mail_free(mail);
	int64_t began = clock_mono_ms(stage->clock);
	jobs_free(jobs);
	assert_true(clock_mono_ms(stage->clock) - began < 2000);
	watcher_free(watcher);
	mailbox_free(core);
}

static void what_dies_right_after_its_start_is_a_crash_and_told_once(void **state)
{
	struct stage *stage = *state;
	int exits = 0;
	engine_start(stage,
		(const char *const[]){
			"container web", "after 1200 container quick", "after 1200 crash quick 1", NULL});
	assert_true(look(stage, 0));
	int64_t until = clock_mono_ms(stage->clock) + 4500;
	while (clock_mono_ms(stage->clock) < until) {
		assert_true(look(stage, 100));
		const struct observation *quick = seen_as(stage, "docker_container_quick", OBS_EXITED);
		if (quick == NULL)
			continue;
		assert_int_equal(quick->cause, STOP_CRASH);
		exits++;
	}
	assert_int_equal(exits, 1);
}

static void a_rename_leaves_nothing_under_the_old_name(void **state)
{
	struct stage *stage = *state;
	engine_start(stage, (const char *const[]){"container web", "after 1200 rename web site", NULL});
	assert_true(look(stage, 0));
	await(stage, "docker_container_web", OBS_ABSENT);
	assert_non_null(seen_as(stage, "docker_container_site", OBS_RUNNING));
}

static void what_a_killed_engine_stops_when_it_starts_again_is_its_doing(void **state)
{
	struct stage *stage = *state;
	engine_start(stage, (const char *const[]){"container web", "container db", NULL});
	assert_true(look(stage, 0));
	engine_end(stage, SIGKILL);
	assert_false(look(stage, 1000));
	engine_start(stage,
		(const char *const[]){
			"container web", "container db", "forget", "kill web 15", "kill db 9", NULL});
	assert_int_equal(await(stage, "docker_container_web", OBS_EXITED)->cause, STOP_ENGINE);
	assert_int_equal(seen_as(stage, "docker_container_db", OBS_EXITED)->cause, STOP_ENGINE);
}

static void while_the_same_engine_is_out_of_reach_stops_and_crashes_stay_what_they_are(void **state)
{
	struct stage *stage = *state;
	engine_start(stage,
		(const char *const[]){"container web", "container db", "container on",
			"after 1200 engine down", "after 1500 stop web", "after 1800 crash db 1",
			"after 2700 engine up", NULL});
	assert_true(look(stage, 0));
	assert_int_equal(await(stage, "docker_container_web", OBS_EXITED)->cause, STOP_PERSON);
	assert_int_equal(seen_as(stage, "docker_container_db", OBS_EXITED)->cause, STOP_CRASH);
}

static void a_stop_that_the_engine_forgot_is_not_its_own_doing_while_others_ran_on(void **state)
{
	struct stage *stage = *state;
	engine_start(stage,
		(const char *const[]){"container web", "container on", "after 1200 engine down",
			"after 1500 stop web", "after 1800 forget", "after 2700 engine up", NULL});
	assert_true(look(stage, 0));
	assert_int_equal(await(stage, "docker_container_web", OBS_EXITED)->cause, STOP_UNSEEN);
}

static void a_sight_has_the_time_of_its_inspection_not_of_the_wait_for_it(void **state)
{
	struct stage *stage = *state;
	engine_start(stage, (const char *const[]){"container web", "after 600 crash web 1", NULL});
	assert_true(look(stage, 0));
	int64_t began = clock_mono_ms(stage->clock);
	assert_true(look(stage, 900));
	const struct observation *web = seen_as(stage, "docker_container_web", OBS_EXITED);
	assert_non_null(web);
	assert_true(web->seen_mono_ms >= began + 100);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		CASE(the_first_look_lists_every_container_and_says_so),
		CASE(a_crash_is_reported_with_its_code_and_as_a_crash),
		CASE(stop_and_kill_through_the_engine_are_a_persons),
		CASE(the_mark_of_a_persons_stop_ends_with_the_next_start),
		CASE(a_one_shot_that_ends_with_0_is_done),
		CASE(out_of_memory_is_told),
		CASE(health_that_turns_is_reported_both_ways),
		CASE(pause_and_removal_are_reported_as_what_they_are),
		CASE(the_engines_own_restart_is_not_an_exit),
		CASE(what_is_known_is_not_reported_again_by_the_comparisons),
		CASE(what_happened_before_the_first_look_is_read_from_the_engines_buffer),
		CASE(what_the_engine_has_forgotten_and_nobody_saw_is_unseen),
		CASE(an_engine_that_goes_and_comes_is_told_and_what_it_took_down_is_its_doing),
		CASE(labels_are_read_into_the_component),
		CASE(several_engines_give_their_components_a_suffix),
		CASE(a_check_says_what_is_there_or_why_not),
		CASE(told_to_stop_a_look_ends_at_once),
		CASE(an_unreachable_engine_is_reported_once_and_again_after_the_interval),
		CASE(a_watcher_on_its_thread_reports_a_crash_and_stops_when_told),
		CASE(what_dies_right_after_its_start_is_a_crash_and_told_once),
		CASE(a_rename_leaves_nothing_under_the_old_name),
		CASE(what_a_killed_engine_stops_when_it_starts_again_is_its_doing),
		CASE(while_the_same_engine_is_out_of_reach_stops_and_crashes_stay_what_they_are),
		CASE(a_stop_that_the_engine_forgot_is_not_its_own_doing_while_others_ran_on),
		CASE(a_sight_has_the_time_of_its_inspection_not_of_the_wait_for_it),
	};
	http_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
