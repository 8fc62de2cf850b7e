/*
 * Faults, one at a time, at every place where they can happen: the daemon is killed at every commit
 * of its store, and every call to the engine fails, before and after its effect. Whatever happens,
 * each incident ends, the engine is asked no more than once per decision, and the store is whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/lab.h"

/* A kill leaves memory behind, as a real one does: that is no leak of the product's. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

#define MINUTE 60000

static const char *const config = "policy:\n"
								  "  - { match: { component: docker_container_db }, risk: high }\n"
								  "brakes: { settle: 3s, backoff: 1s..4s }\n";

static void keep_up(struct lab *lab)
{
	if (!lab_is_up(lab))
		lab_start(lab);
}

static void approve_if_asked(struct lab *lab)
{
	struct incident incident;
	for (int tries = 0; tries < 3; tries++) {
		if (!lab_incident(lab, "docker_container_db", &incident) || incident.state != LIFE_ASKING)
			return;
		lab_ask(lab,
			(struct request){.kind = REQUEST_DECIDE, .incident_id = incident.id, .approve = true});
		keep_up(lab);
	}
}

/* The whole story: web crashes and is healed, db crashes and is healed after an approval, sick
 * fails its check and is healed. A daemon that dies is started again. */
static void play(struct lab *lab)
{
	static const char *const world[] = {"container web", "container db", "container sick health"};
	static const char *const faults[] = {"crash web 1", "crash db 1", "sick sick"};
	for (int i = 0; i < 3; i++)
		lab_script(lab, world[i]);
	lab_start(lab);
	keep_up(lab);
	for (int i = 0; i < 3; i++) {
		lab_advance(lab, 1000);
		keep_up(lab);
		lab_script(lab, faults[i]);
	}
	for (int i = 0; i < 60; i++) {
		lab_advance(lab, 2000);
		keep_up(lab);
		approve_if_asked(lab);
	}
}

static void expect_healed(struct lab *lab, const char *what, int n)
{
	static const char *const names[] = {"web", "db", "sick"};
	for (int i = 0; i < 3; i++) {
		char component[64];
		struct incident incident;
		STR_FORMAT(component, "docker_container_%s", names[i]);
		if (!lab_incident(lab, component, &incident))
			fail_msg("%s %d: %s has no incident", what, n, names[i]);
		if (incident.state != LIFE_RESOLVED && incident.state != LIFE_CLEARED)
			fail_msg("%s %d: %s is %s: %s", what, n, names[i], life_state_name(incident.state),
				incident.reason);
		if (strcmp(lab_container(lab, names[i]), "running") != 0)
			fail_msg("%s %d: %s is %s", what, n, names[i], lab_container(lab, names[i]));
	}
	lab_check_store(lab);
}

static void expect_posts(struct lab *lab, const char *what, int n)
{
	static const char *const patterns[] = {"*/web/*", "*/db/*", "*/sick/*"};
	for (int i = 0; i < 3; i++)
		if (lab_posts(lab, patterns[i]) != 1)
			fail_msg("%s %d: %d posts for %s", what, n, lab_posts(lab, patterns[i]), patterns[i]);
}

typedef void arm_fn(struct lab *lab, int n, enum lab_fault when);

/* The story once for each place where the fault can strike, until it strikes no more. */
static void strike_everywhere(arm_fn *arm, enum lab_fault when, const char *what, int least)
{
	int n = 0;
	for (bool happened = true; happened;) {
		struct lab *lab = lab_new(config);
		arm(lab, ++n, when);
		play(lab);
		happened = lab_fault_happened(lab);
		expect_healed(lab, what, n);
		expect_posts(lab, what, n);
		lab_free(lab);
	}
	print_message("# %s: %d places\n", what, n - 1);
	assert_true(n > least); /* fewer, and the story was not told */
}

static void killed_before_any_commit_each_life_ends_and_acts_once(void **state)
{
	strike_everywhere(lab_kill_at_commit, FAULT_BEFORE, "killed before commit", 15);
}

static void killed_after_any_commit_each_life_ends_and_acts_once(void **state)
{
	strike_everywhere(lab_kill_at_commit, FAULT_AFTER, "killed after commit", 15);
}

static void when_any_call_breaks_before_its_effect_all_is_healed(void **state)
{
	strike_everywhere(lab_fail_http, FAULT_BEFORE, "call broke before its effect", 20);
}

static void when_any_answer_is_lost_nothing_is_done_twice(void **state)
{
	strike_everywhere(lab_fail_http, FAULT_AFTER, "answer lost", 20);
}

/* A life whose cause only the model could tell. */
static struct lab *unseen(void)
{
	static const char *const lines[] = {"container web", "error web unexpected state 7",
		"crash web 137", "forget",
		"claude: json {\"cause\":\"its disk\",\"confidence\":0.9,\"evidence\":[\"unexpected state "
		"7\"],"
		"\"action\":\"docker.container.restart\",\"params\":\"\",\"risk\":\"low\","
		"\"alternatives\":\"\"}"};
	struct lab *lab = lab_new("claude: { api_key: sk-ant-sim01-0123456789abcdefABCDEF, "
							  "model: claude-haiku-5-5, api_url: \"https://claude.sim\" }\n");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		lab_script(lab, lines[i]);
	return lab;
}

static void killed_while(enum lab_fault when, const char *what)
{
	int n = 0, asked = 0;
	for (bool happened = true; happened;) {
		struct lab *lab = unseen();
		struct incident incident = {0};
		lab_kill_at_commit(lab, ++n, when);
		lab_start(lab);
		for (int i = 0; i < 60; i++) {
			keep_up(lab);
			lab_advance(lab, 2000);
			if (lab_is_up(lab) && lab_incident(lab, "docker_container_web", &incident) &&
				incident.state == LIFE_ASKING)
				lab_ask(lab,
					(struct request){
						.kind = REQUEST_DECIDE, .incident_id = incident.id, .approve = true});
		}
		keep_up(lab);
		happened = lab_fault_happened(lab);
		if (lab_claude_posts(lab) > 1)
			fail_msg("%s %d: asked %d times", what, n, lab_claude_posts(lab));
		asked += lab_claude_posts(lab);
		lab_incident(lab, "docker_container_web", &incident);
		if (incident.state != LIFE_RESOLVED || lab_posts(lab, "*") != 1)
			fail_msg("%s %d: %s, %d posts", what, n, life_state_name(incident.state),
				lab_posts(lab, "*"));
		lab_check_store(lab);
		lab_free(lab);
	}
	print_message("# %s: %d places, %d questions\n", what, n - 1, asked);
	assert_true(n > 6 && asked > 0);
}

static void killed_in_the_middle_of_a_diagnosis_nothing_is_billed_twice(void **state)
{
	killed_while(FAULT_BEFORE, "killed before commit, with a model");
	killed_while(FAULT_AFTER, "killed after commit, with a model");
}

/* Several faults in one run, drawn by a seed. */
static void under_many_faults_at_once_the_rules_hold(void **state)
{
	const char *seeds = getenv("SEEDS");
	int runs = seeds != NULL ? atoi(seeds) : 40;
	for (int seed = 1; seed <= runs; seed++) {
		struct lab *lab = lab_new(config);
		unsigned random = (unsigned)seed;
		for (int i = 0; i < 3; i++)
			lab_script(lab,
				i == 0       ? "container web"
					: i == 1 ? "container db"
							 : "container sick health");
		lab_start(lab);
		for (int step = 0; step < 120; step++) {
			static const char *const lines[] = {"crash web 1", "crash db 1", "sick sick",
				"well sick", "stop web", "start web", "engine down", "engine up"};
			random = random * 1103515245u + 12345u;
			unsigned draw = random >> 16;
			if (draw % 7 == 0)
				lab_kill_at_commit(lab, 1 + (int)(draw / 7 % 3), (enum lab_fault)(draw & 1));
			if (draw % 5 == 0)
				lab_fail_http(lab, 1 + (int)(draw / 5 % 9), (enum lab_fault)(draw & 1));
			if (draw % 11 < 8)
				lab_script(lab, lines[draw % 11]);
			lab_advance(lab, 700);
			keep_up(lab);
			approve_if_asked(lab);
		}
		lab_kill_at_commit(lab, 0, FAULT_BEFORE);
		lab_fail_http(lab, 0, FAULT_BEFORE);
		lab_script(lab, "engine up");
		lab_advance(lab, 5 * MINUTE);
		for (int s = LIFE_DIAGNOSING; s <= LIFE_ROLLING_BACK; s++)
			if (s != LIFE_ASKING && s != LIFE_POSTPONED && lab_count(lab, (enum life_state)s) != 0)
				fail_msg("seed %d: a life hangs in %s", seed, life_state_name((enum life_state)s));
		lab_check_store(lab);
		lab_free(lab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_before_any_commit_each_life_ends_and_acts_once),
		cmocka_unit_test(killed_after_any_commit_each_life_ends_and_acts_once),
		cmocka_unit_test(when_any_call_breaks_before_its_effect_all_is_healed),
		cmocka_unit_test(when_any_answer_is_lost_nothing_is_done_twice),
		cmocka_unit_test(killed_in_the_middle_of_a_diagnosis_nothing_is_billed_twice),
		cmocka_unit_test(under_many_faults_at_once_the_rules_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
