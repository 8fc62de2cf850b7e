/*
 * A press at a bad moment: the daemon is killed around it, the configuration or the plan was
 * another when the question was asked, nobody was there to let it expire.
 */
#include "tests/fault/approval_stage.h"

/* A kill leaves memory behind, as a real one does: that is no leak of the product's. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static void get_asked(struct stage *stage)
{
	lab_script(stage->lab, "crash web 1");
	lab_advance(stage->lab, 1000);
	assert_int_equal(open_incident(stage).state, LIFE_ASKING);
	offer(stage);
}

/* A press whose answer was lost is delivered again, as channels do. */
static void press_until_answered(struct stage *stage, enum token_kind kind)
{
	int status = press(stage, stage->offered, kind, 'A');
	while (!lab_is_up(stage->lab)) {
		lab_start(stage->lab);
		if (lab_is_up(stage->lab))
			status = press(stage, stage->offered, kind, 'A');
	}
	assert_true(status == 200 || status == 404 || status == 409);
	for (int i = 0; i < 15; i++) {
		lab_advance(stage->lab, 2000);
		if (!lab_is_up(stage->lab))
			lab_start(stage->lab);
	}
}

static bool killed_at(int n, enum lab_fault when, enum token_kind kind)
{
	static const enum phase phases[] = {
		[TOKEN_APPROVE] = WELL, [TOKEN_REJECT] = REFUSED, [TOKEN_LATER] = LATER};
	struct stage stage = stage_new(true, false);
	get_asked(&stage);
	lab_kill_at_commit(stage.lab, n, when);
	press_until_answered(&stage, kind);
	bool happened = lab_fault_happened(stage.lab);
	int64_t asked = stage.offered;
	struct incident incident = open_incident(&stage);
	offer(&stage);
	/* An action that may have begun is looked for, not begun again: a person is asked anew. */
	if (kind == TOKEN_APPROVE && incident.state == LIFE_ASKING && stage.offered > asked) {
		assert_int_equal(lab_posts(stage.lab, "*"), 0);
		press_until_answered(&stage, kind);
		incident = open_incident(&stage);
	}
	int posts = lab_posts(stage.lab, "*");
	if (!is_in_phase(incident.state, phases[kind]) || posts != (kind == TOKEN_APPROVE))
		fail_msg("%s, killed at %d: %s, %d actions", token_kind_name(kind), n,
			life_state_name(incident.state), posts);
	lab_check_store(stage.lab);
	lab_kill_at_commit(stage.lab, 0, when);
	lab_free(stage.lab);
	return happened;
}

static void killed_at_any_commit_of_a_press_it_counts_once(void **state)
{
	static const enum token_kind kinds[] = {TOKEN_APPROVE, TOKEN_REJECT, TOKEN_LATER};
	int places = 0;
	for (size_t i = 0; i < 3; i++)
		for (int when = FAULT_BEFORE; when <= FAULT_AFTER; when++)
			for (int n = 1; killed_at(n, (enum lab_fault)when, kinds[i]); n++)
				places++;
	print_message("# killed at %d places\n", places);
	assert_true(places > 10);
}

/* What was asked about as MEDIUM is HIGH in the configuration after a restart: one person's yes to
 * the old question is not enough. */
static void a_question_asked_before_its_risk_rose_is_asked_anew(void **state)
{
	struct stage stage = stage_new(false, false);
	get_asked(&stage);
	lab_stop(stage.lab);
	set_config(&stage, true, true);
	lab_start(stage.lab);
	press(&stage, stage.offered, TOKEN_APPROVE, 'A');
	lab_advance(stage.lab, 5000);
	assert_int_equal(lab_posts(stage.lab, "*"), 0);
	assert_int_equal(open_incident(&stage).state, LIFE_ASKING);
	int64_t old = stage.offered;
	offer(&stage);
	assert_true(stage.offered > old);
	assert_int_equal(press(&stage, old, TOKEN_APPROVE, 'B'), 409);
	assert_int_equal(press(&stage, stage.offered, TOKEN_APPROVE, 'A'), 200);
	assert_int_equal(press(&stage, stage.offered, TOKEN_APPROVE, 'A'), 409);
	assert_int_equal(lab_posts(stage.lab, "*"), 0);
	assert_int_equal(press(&stage, stage.offered, TOKEN_APPROVE, 'B'), 200);
	lab_advance(stage.lab, 5000);
	assert_int_equal(lab_posts(stage.lab, "*"), 1);
	lab_free(stage.lab);
}

static void an_answer_to_another_plan_counts_for_nothing(void **state)
{
	struct stage stage = stage_new(false, false);
	get_asked(&stage);
	struct request request = {
		.kind = REQUEST_DECIDE, .incident_id = open_incident(&stage).id, .approve = true};
	STR_SET(request.plan_hash, "0123456789abcdef0123456789abcdef");
	assert_int_equal(lab_ask(stage.lab, request).status, 409);
	assert_int_equal(lab_posts(stage.lab, "*"), 0);
	STR_SET(request.plan_hash, newest_question(&stage).plan_hash);
	assert_int_equal(lab_ask(stage.lab, request).status, 200);
	assert_int_equal(lab_posts(stage.lab, "*"), 1);
	assert_int_equal(lab_ask(stage.lab, request).status, 409);
	lab_free(stage.lab);
}

/* Nobody was there to ask, nor to expire it. */
static void a_question_that_expired_while_homeostat_was_down_is_dead(void **state)
{
	struct stage stage = stage_new(false, false);
	get_asked(&stage);
	lab_stop(stage.lab);
	clock_advance(stage.lab->clock, 2 * HOUR);
	lab_start(stage.lab);
	assert_int_equal(press(&stage, stage.offered, TOKEN_APPROVE, 'A'), 409);
	assert_int_equal(lab_posts(stage.lab, "*"), 0);
	assert_int_equal(open_incident(&stage).state, LIFE_ESCALATED);
	lab_free(stage.lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_any_commit_of_a_press_it_counts_once),
		cmocka_unit_test(a_question_asked_before_its_risk_rose_is_asked_anew),
		cmocka_unit_test(an_answer_to_another_plan_counts_for_nothing),
		cmocka_unit_test(a_question_that_expired_while_homeostat_was_down_is_dead),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
