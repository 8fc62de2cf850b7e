/* The simulated engine against what Docker 20.10.24 was recorded to do. */
#include "sim/docker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

#define START_MS 1795478168000

struct stage {
	struct clock *clock;
	struct sim_docker *sim;
	struct arena *arena;
	uint64_t seq;
};

static int set_up(void **state)
{
	struct stage *stage = test_calloc(1, sizeof(*stage));
	stage->clock = clock_new_wound(START_MS);
	stage->sim = sim_docker_new(stage->clock);
	stage->arena = arena_new((size_t)64 << 20);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	sim_docker_free(stage->sim);
	clock_free(stage->clock);
	arena_free(stage->arena);
	test_free(stage);
	return 0;
}

static void play(struct stage *stage, const char *line)
{
	char text[256] = "";
	if (!sim_docker_script(stage->sim, line, text, sizeof(text)))
		fail_msg("%s: %s", line, text);
}

static struct sim_reply ask(struct stage *stage, const char *method, const char *url)
{
	struct sim_reply reply;
	sim_docker_handle(stage->sim, method, url, stage->arena, &reply);
	return reply;
}

static struct json body(struct stage *stage, const char *url)
{
	struct json root;
	struct err err = {0};
	struct sim_reply reply = ask(stage, "GET", url);
	assert_int_equal(reply.status, 200);
	if (!json_parse(stage->arena, reply.body, strlen(reply.body), &root, &err))
		fail_msg("%s: %s", url, err.text);
	return root;
}

static const char *text_at(struct stage *stage, struct json root, const char *path)
{
	const char *text = json_str(json_path(root, path), stage->arena);
	return text != NULL ? text : "(none)";
}

/* The new events since the last call: "kill:15 die:137 stop". */
static const char *events(struct stage *stage)
{
	struct str list;
	const char *line;
	str_init(&list, stage->arena);
	sim_docker_tick(stage->sim);
	while ((line = sim_docker_event(stage->sim, 0, &stage->seq, stage->arena)) != NULL) {
		struct json root;
		assert_true(json_parse(stage->arena, line, strlen(line), &root, NULL));
		assert_string_equal(text_at(stage, root, "Type"), "container");
		assert_string_equal(text_at(stage, root, "status"), text_at(stage, root, "Action"));
		assert_string_equal(text_at(stage, root, "id"), text_at(stage, root, "Actor.ID"));
		str_addf(&list, "%s%s", list.len > 0 ? " " : "", text_at(stage, root, "Action"));
		struct json attributes = json_path(root, "Actor.Attributes");
		if (json_is(json_get(attributes, "exitCode")))
			str_addf(&list, ":%s", text_at(stage, attributes, "exitCode"));
		if (json_is(json_get(attributes, "signal")))
			str_addf(&list, ":%s", text_at(stage, attributes, "signal"));
	}
	return list.s != NULL ? list.s : "";
}

static void message_is(struct stage *stage, struct sim_reply reply, int status, const char *message)
{
	struct json root;
	assert_int_equal(reply.status, status);
	assert_true(json_parse(stage->arena, reply.body, strlen(reply.body), &root, NULL));
	assert_string_equal(text_at(stage, root, "message"), message);
}

static void event_sequences_are_the_recorded_ones(void **state)
{
	struct stage *stage = *state;
	play(stage, "container web");
	assert_string_equal(events(stage), "create start");
	play(stage, "crash web 137");
	assert_string_equal(events(stage), "die:137");
	play(stage, "start web");
	assert_string_equal(events(stage), "start");
	play(stage, "kill web 9");
	assert_string_equal(events(stage), "kill:9 die:137");
	play(stage, "start web");
	play(stage, "stop web");
	assert_string_equal(events(stage), "start kill:15 die:143 stop");
	play(stage, "start web");
	play(stage, "restart web");
	assert_string_equal(events(stage), "start kill:15 die:143 stop start restart");
	play(stage, "pause web");
	play(stage, "unpause web");
	assert_string_equal(events(stage), "pause unpause");
	play(stage, "rename web site");
	assert_string_equal(events(stage), "rename");
	play(stage, "remove site");
	assert_string_equal(events(stage), "kill:9 die:137 destroy");
	assert_null(sim_docker_state(stage->sim, "site"));
}

static void out_of_memory_is_told_before_the_death(void **state)
{
	struct stage *stage = *state;
	play(stage, "container web");
	events(stage);
	play(stage, "oom web");
	assert_string_equal(events(stage), "oom die:137");
	struct json root = body(stage, "/v1.41/containers/web/json");
	assert_true(json_bool(json_path(root, "State.OOMKilled"), false));
}

static void a_failing_check_turns_it_unhealthy_after_its_retries_and_once(void **state)
{
	struct stage *stage = *state;
	play(stage, "container web health");
	events(stage);
	play(stage, "sick web");
	clock_advance(stage->clock, 1000);
	assert_string_equal(events(stage), "");
	clock_advance(stage->clock, 1000);
	assert_string_equal(events(stage), "health_status: unhealthy");
	clock_advance(stage->clock, 60000);
	assert_string_equal(events(stage), "");
	assert_int_equal(json_count(body(stage,
						 "/containers/json?filters=%7B%22health%22%3A%5B%22unhealthy%22%5D%7D")),
		1);
	play(stage, "well web");
	clock_advance(stage->clock, 1000);
	assert_string_equal(events(stage), "health_status: healthy");
}

static void policy_always_brings_back_a_crash_but_not_a_persons_stop(void **state)
{
	struct stage *stage = *state;
	play(stage, "container web policy=always");
	events(stage);
	play(stage, "crash web 3");
	assert_string_equal(sim_docker_state(stage->sim, "web"), "restarting");
	clock_advance(stage->clock, 99);
	assert_string_equal(events(stage), "die:3");
	clock_advance(stage->clock, 1);
	assert_string_equal(events(stage), "start");
	play(stage, "stop web");
	clock_advance(stage->clock, 3600000);
	assert_string_equal(events(stage), "kill:15 die:143 stop");
	assert_string_equal(sim_docker_state(stage->sim, "web"), "exited");
}

static void policy_on_failure_gives_up_after_its_retries(void **state)
{
	struct stage *stage = *state;
	play(stage, "container web policy=on-failure:2 loop=10:3");
	int starts = 0;
	for (int i = 0; i < 400; i++) {
		clock_advance(stage->clock, 10);
		for (const char *at = events(stage); (at = strstr(at, "start")) != NULL; at++)
			starts++;
	}
	assert_int_equal(starts, 3);
	struct json root = body(stage, "/containers/web/json");
	assert_string_equal(text_at(stage, root, "State.Status"), "exited");
	assert_int_equal(json_int(json_get(root, "RestartCount"), -1), 2);
	assert_int_equal(
		json_int(json_path(root, "HostConfig.RestartPolicy.MaximumRetryCount"), -1), 2);
}

static void state_has_the_engines_fields_and_words(void **state)
{
	struct stage *stage = *state;
	play(stage, "container web");
	struct json root = body(stage, "/v1.41/containers/web/json");
	assert_string_equal(text_at(stage, root, "Name"), "/web");
	assert_string_equal(text_at(stage, root, "State.Status"), "running");
	assert_string_equal(text_at(stage, root, "State.FinishedAt"), "0001-01-01T00:00:00Z");
	assert_int_equal(str_parse_rfc3339(text_at(stage, root, "State.StartedAt")), START_MS);
	assert_int_equal(strlen(text_at(stage, root, "Id")), 64);
	play(stage, "crash web 1");
	clock_advance(stage->clock, 120000);
	root = body(stage, "/v1.41/containers/web/json");
	assert_int_equal(str_parse_rfc3339(text_at(stage, root, "State.FinishedAt")), START_MS);
	assert_int_equal(json_int(json_path(root, "State.ExitCode"), -1), 1);
	struct json row = json_first(body(stage, "/v1.41/containers/json?all=1"));
	assert_string_equal(text_at(stage, row, "Status"), "Exited (1) 2 minutes ago");
	assert_string_equal(text_at(stage, row, "State"), "exited");
}

static void lists_show_what_runs_and_with_all_everything(void **state)
{
	struct stage *stage = *state;
	play(stage, "container web");
	play(stage, "container db");
	play(stage, "crash db 1");
	assert_int_equal(json_count(body(stage, "/containers/json")), 1);
	assert_int_equal(json_count(body(stage, "/containers/json?all=1")), 2);
	assert_int_equal(json_count(body(stage,
						 "/containers/json?all=1&filters="
						 "%7B%22status%22%3A%5B%22exited%22%2C%22dead%22%5D%7D")),
		1);
	assert_int_equal(
		json_count(body(stage, "/containers/json?all=1&filters=%7B%22name%22%3A%5B%22we%22%5D%7D")),
		1);
}

static void refusals_are_worded_as_the_engine_words_them(void **state)
{
	struct stage *stage = *state;
	message_is(
		stage, ask(stage, "GET", "/v1.41/containers/nope/json"), 404, "No such container: nope");
	message_is(
		stage, ask(stage, "POST", "/v1.41/containers/nope/start"), 404, "No such container: nope");
	message_is(stage, ask(stage, "GET", "/nosuch"), 404, "page not found");
	message_is(stage, ask(stage, "GET", "/v1.99/containers/json"), 400,
		"client version 1.99 is too new. Maximum supported API version is 1.41");
	message_is(stage,
		ask(stage, "GET", "/containers/json?filters=%7B%22bogus%22%3A%5B%22x%22%5D%7D"), 400,
		"Invalid filter 'bogus'");
	play(stage, "container web");
	play(stage, "pause web");
	message_is(stage, ask(stage, "POST", "/containers/web/start"), 409,
		"cannot start a paused container, try unpause instead");
}

static void start_and_stop_answer_204_and_then_304(void **state)
{
	struct stage *stage = *state;
	play(stage, "container web");
	assert_int_equal(ask(stage, "POST", "/containers/web/start").status, 304);
	assert_int_equal(ask(stage, "POST", "/containers/web/stop").status, 204);
	assert_int_equal(ask(stage, "POST", "/containers/web/stop").status, 304);
	assert_int_equal(ask(stage, "POST", "/containers/web/start").status, 204);
	assert_int_equal(ask(stage, "POST", "/containers/web/restart?t=10").status, 204);
	assert_string_equal(sim_docker_state(stage->sim, "web"), "running");
}

static void a_start_that_fails_says_why_and_tells_no_event(void **state)
{
	struct stage *stage = *state;
	play(stage, "container web broken=no_such_file");
	play(stage, "crash web 1");
	events(stage);
	struct sim_reply reply = ask(stage, "POST", "/containers/web/start");
	assert_int_equal(reply.status, 400);
	assert_non_null(strstr(reply.body, "no_such_file"));
	assert_string_equal(events(stage), "");
	assert_non_null(
		strstr(text_at(stage, body(stage, "/containers/web/json"), "State.Error"), "no_such_file"));
}

static void the_buffer_keeps_256_events_and_since_replays_from_its_time(void **state)
{
	struct stage *stage = *state;
	uint64_t seq = 0;
	int count = 0;
	play(stage, "container web");
	for (int i = 0; i < 300; i++)
		play(stage, "pause web");
	while (sim_docker_event(stage->sim, 0, &seq, stage->arena) != NULL)
		count++;
	assert_int_equal(count, 256);
	clock_advance(stage->clock, 5000);
	play(stage, "unpause web");
	seq = 0;
	int64_t since_ns = (START_MS + 5000) * 1000000;
	const char *line = sim_docker_event(stage->sim, since_ns, &seq, stage->arena);
	assert_non_null(strstr(line, "\"unpause\""));
	assert_null(sim_docker_event(stage->sim, 0, &seq, stage->arena));
}

static void an_engine_that_was_shut_down_has_stopped_all_and_forgotten_its_events(void **state)
{
	struct stage *stage = *state;
	uint64_t generation = sim_docker_generation(stage->sim);
	play(stage, "container web");
	play(stage, "container db policy=always");
	play(stage, "engine shutdown");
	assert_int_equal(sim_docker_fault(stage->sim), SIM_REFUSED);
	assert_true(sim_docker_generation(stage->sim) > generation);
	play(stage, "engine up");
	assert_string_equal(sim_docker_state(stage->sim, "web"), "exited");
	assert_string_equal(sim_docker_state(stage->sim, "db"), "running");
	assert_string_equal(events(stage), "start");
}

static void the_journal_has_every_post_by_name(void **state)
{
	struct stage *stage = *state;
	play(stage, "container web");
	body(stage, "/containers/json");
	assert_int_equal(sim_docker_posts(stage->sim, "*"), 0);
	ask(stage, "POST", "/v1.41/containers/web/restart?t=10");
	assert_int_equal(sim_docker_posts(stage->sim, "POST /containers/web/restart"), 1);
	assert_int_equal(sim_docker_posts(stage->sim, "*"), 1);
}

static void a_script_line_that_makes_no_sense_is_refused_with_its_reason(void **state)
{
	struct stage *stage = *state;
	char text[256];
	assert_false(sim_docker_script(stage->sim, "crash ghost 1", text, sizeof(text)));
	assert_non_null(strstr(text, "ghost"));
	assert_false(sim_docker_script(stage->sim, "engine asleep", text, sizeof(text)));
	assert_non_null(strstr(text, "asleep"));
	assert_false(sim_docker_script(stage->sim, "container web colour=red", text, sizeof(text)));
	assert_non_null(strstr(text, "colour"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		CASE(event_sequences_are_the_recorded_ones),
		CASE(out_of_memory_is_told_before_the_death),
		CASE(a_failing_check_turns_it_unhealthy_after_its_retries_and_once),
		CASE(policy_always_brings_back_a_crash_but_not_a_persons_stop),
		CASE(policy_on_failure_gives_up_after_its_retries),
		CASE(state_has_the_engines_fields_and_words),
		CASE(lists_show_what_runs_and_with_all_everything),
		CASE(refusals_are_worded_as_the_engine_words_them),
		CASE(start_and_stop_answer_204_and_then_304),
		CASE(a_start_that_fails_says_why_and_tells_no_event),
		CASE(the_buffer_keeps_256_events_and_since_replays_from_its_time),
		CASE(an_engine_that_was_shut_down_has_stopped_all_and_forgotten_its_events),
		CASE(the_journal_has_every_post_by_name),
		CASE(a_script_line_that_makes_no_sense_is_refused_with_its_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
