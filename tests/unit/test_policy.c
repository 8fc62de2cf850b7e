/* The safety kernel over its whole finite domain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "decide/decide.h"

#define NOW 1000000000LL

/* The n-th situation of the domain; false past its end. */
static bool situation_at(unsigned n, struct situation *s)
{
	static const unsigned sizes[] = {3, 2, 2, 2, 2, 3, 4, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
	unsigned digit[17];
	for (int i = 0; i < 17; i++) {
		digit[i] = n % sizes[i];
		n /= sizes[i];
	}
	*s = (struct situation){
		.healing = (enum healing)digit[0],
		.ordered = digit[1],
		.approved = digit[2],
		.has_action = digit[3],
		.seen = digit[4],
		.risk = (enum risk)digit[5],
		.consent = (enum consent)digit[6],
		.storm = digit[7],
		.budget = {.spent = digit[8], .used = 5, .not_before = digit[9] ? NOW + 1000 : 0},
		.acting = digit[10] ? 4 : 0,
		.acting_max = 4,
		.hour_free_at = digit[11] ? NOW + 60000 : 0,
		.now_ms = NOW,
		.rests_until = digit[13] ? NOW + 1000 : 0,
		.rests_why = "muted",
		.cut_off = digit[14],
		.unproven = digit[15],
		.later_until = digit[16] ? NOW + 1000 : 0,
	};
	if (digit[12])
		STR_SET(s->held, "locked (backup)");
	return n == 0;
}

static bool braked(const struct situation *s)
{
	return s->storm || s->cut_off || s->budget.spent || s->budget.not_before > s->now_ms ||
		s->acting >= s->acting_max || s->hour_free_at > s->now_ms;
}

static void check_allowed(const struct situation *s)
{
	assert_true(s->has_action);
	assert_string_equal(s->held, ""); /* a lock holds for an order too */
	if (s->ordered)
		return;
	/* with healing off or in shadow mode only a person's yes makes it act */
	assert_true(s->healing == HEALING_ON || s->approved);
	assert_int_not_equal(s->consent, CONSENT_NEVER);
	assert_false(braked(s));
	if (s->approved)
		return;
	assert_int_equal(s->rests_until, 0);
	assert_int_not_equal(s->risk, RISK_HIGH);
	assert_true(s->seen);
	assert_false(s->unproven);
	if (s->risk == RISK_MEDIUM)
		assert_int_equal(s->consent, CONSENT_AUTO);
	assert_int_not_equal(s->consent, CONSENT_ASK);
}

static void nothing_is_allowed_that_the_rules_forbid(void **state)
{
	(void)state;
	struct situation s;
	unsigned n = 0, allowed = 0;
	for (; situation_at(n, &s); n++) {
		struct verdict v = policy_decide(&s);
		if (v.kind == VERDICT_ALLOW) {
			check_allowed(&s);
			allowed++;
		}
		if (v.kind == VERDICT_ASK) {
			assert_false(s.approved || s.ordered);
			assert_int_equal(s.healing, HEALING_ON);
			assert_int_equal(s.later_until, 0);
		}
	}
	assert_int_equal(n, 3 * 2 * 2 * 2 * 2 * 3 * 4 * 2 * 2 * 2 * 2 * 2 * 2 * 2 * 2 * 2 * 2);
	assert_true(allowed > 0);
}

static void nothing_is_put_off_for_ever(void **state)
{
	(void)state;
	struct situation s;
	for (unsigned n = 0; situation_at(n, &s); n++) {
		struct verdict v = policy_decide(&s);
		if (v.kind != VERDICT_POSTPONE)
			continue;
		assert_int_not_equal(v.hold, HOLD_NONE);
		if (v.hold == HOLD_TIME)
			assert_true(v.wake_at > s.now_ms);
		if (v.hold == HOLD_MODE)
			assert_int_not_equal(s.healing, HEALING_ON);
		if (v.hold == HOLD_STORM)
			assert_true(s.storm);
		if (v.hold == HOLD_CUT_OFF)
			assert_true(s.cut_off);
		if (v.hold == HOLD_SLOT)
			assert_true(s.acting >= s.acting_max);
		assert_true(v.reason[0] != '\0');
	}
}

static void what_is_safe_is_done_at_once(void **state)
{
	(void)state;
	struct situation s;
	int done = 0;
	for (unsigned n = 0; situation_at(n, &s); n++) {
		bool safe = s.healing == HEALING_ON && s.has_action && s.seen && !s.unproven &&
			s.risk == RISK_LOW && (s.consent == CONSENT_DEFAULT || s.consent == CONSENT_AUTO) &&
			!braked(&s) && s.held[0] == '\0' && s.rests_until == 0;
		if (!safe)
			continue;
		assert_int_equal(policy_decide(&s).kind, VERDICT_ALLOW);
		done++;
	}
	assert_true(done > 0);
}

static void high_risk_is_never_talked_into_running_by_itself(void **state)
{
	(void)state;
	struct situation s;
	for (unsigned n = 0; situation_at(n, &s); n++)
		if (s.risk == RISK_HIGH && !s.ordered && !s.approved)
			assert_int_not_equal(policy_decide(&s).kind, VERDICT_ALLOW);
}

/* Every row of policy over every floor and label: risk only rises, AUTO only by an exact row. */
static void weight_never_falls_below_the_floor(void **state)
{
	(void)state;
	static const char *const components[] = {
		NULL, "*", "docker_container_a*", "docker_container_ab"};
	static const char *const names[] = {
		NULL, "*", "docker.container.*", "docker.container.restart"};
	struct component component = {.name = "docker_container_ab", .source = "docker:local"};
	for (unsigned n = 0; n < 3 * 4 * 4 * 4 * 4 * 4; n++) {
		enum risk floor = (enum risk)(n % 3);
		unsigned label = n / 3 % 4, row_risk = n / 12 % 4, consent = n / 48 % 4;
		struct config_policy row = {
			.component = components[n / 192 % 4],
			.action = names[n / 768 % 4],
			.has_risk = row_risk < 3,
			.risk = (enum risk)(row_risk % 3),
			.then = (enum consent)consent,
		};
		struct config config = {.policy = &row, .policy_count = 1};
		component.has_risk = label < 3;
		component.risk = (enum risk)(label % 3);
		struct weight w = risk_weigh(&config, &component, "docker.container.restart", floor);
		assert_true(w.risk >= floor);
		if (component.has_risk)
			assert_true(w.risk >= component.risk);
		if (row.has_risk)
			assert_true(w.risk >= row.risk);
		if (w.consent == CONSENT_AUTO) {
			assert_string_equal(row.action, "docker.container.restart");
			assert_non_null(row.component);
		}
	}
}

static void the_most_cautious_row_wins_in_any_order(void **state)
{
	(void)state;
	struct component component = {.name = "docker_container_ab", .source = "docker:local"};
	for (unsigned n = 0; n < 16; n++) {
		struct config_policy rows[2] = {
			{.component = "*", .action = "docker.container.restart", .then = (enum consent)(n % 4)},
			{.component = "*", .action = "docker.container.restart", .then = (enum consent)(n / 4)},
		};
		struct config config = {.policy = rows, .policy_count = 2};
		struct weight w = risk_weigh(&config, &component, "docker.container.restart", RISK_LOW);
		unsigned most = n % 4 > n / 4 ? n % 4 : n / 4;
		assert_int_equal(w.consent, most);
	}
}

static void a_row_for_another_component_does_not_count(void **state)
{
	(void)state;
	struct component component = {.name = "docker_container_ab", .source = "docker:local"};
	struct config_policy rows[] = {
		{.component = "docker_container_b*", .has_risk = true, .risk = RISK_HIGH},
		{.source = "docker:other", .then = CONSENT_NEVER},
		{.action = "docker.container.stop", .then = CONSENT_NEVER},
	};
	struct config config = {.policy = rows, .policy_count = 3};
	struct weight w = risk_weigh(&config, &component, "docker.container.restart", RISK_LOW);
	assert_int_equal(w.risk, RISK_LOW);
	assert_int_equal(w.consent, CONSENT_DEFAULT);
}

/* Every field right or wrong: the one approval that allows is the one where all are right. */
static void only_the_exact_approval_allows(void **state)
{
	(void)state;
	int allowed = 0;
	for (unsigned n = 0; n < 256; n++) {
		struct incident incident = {.id = 7, .attempt = 2};
		STR_SET(incident.plan.hash, "abcd");
		struct approval approval = {
			.id = n & 1 ? 1 : 0,
			.incident_id = n & 2 ? 7 : 8,
			.attempt = n & 4 ? 3 : 2,
			.approved = n & 8,
			.decided_at = n & 16 ? NOW - 10 : 0,
			.expires_at = n & 32 ? NOW + 10 : NOW,
		};
		STR_SET(approval.plan_hash, n & 64 ? "abcd" : "abce");
		STR_SET(approval.actor, n & 128 ? "uid:0" : "");
		bool allows = approval_allows(&approval, &incident, NOW);
		assert_int_equal(allows, n == 255);
		allowed += allows;
	}
	assert_int_equal(allowed, 1);
}

static void an_approval_is_used_up_by_its_action(void **state)
{
	(void)state;
	struct incident incident = {.id = 7, .attempt = 0};
	STR_SET(incident.plan.hash, "abcd");
	struct approval approval = {
		.id = 1, .incident_id = 7, .attempt = 1, .approved = true, .decided_at = NOW - 1};
	STR_SET(approval.plan_hash, "abcd");
	STR_SET(approval.actor, "uid:0");
	assert_true(approval_allows(&approval, &incident, NOW));
	incident.attempt++; /* as do_act does */
	assert_false(approval_allows(&approval, &incident, NOW));
}

static void a_high_risk_question_does_not_expire_by_itself(void **state)
{
	(void)state;
	struct incident incident = {.id = 7};
	STR_SET(incident.plan.hash, "abcd");
	struct approval approval = {.id = 1, .incident_id = 7, .attempt = 1};
	STR_SET(approval.plan_hash, "abcd");
	const char *why;
	assert_true(approval_is_open(&approval, &incident, INT64_MAX, &why));
	approval.expires_at = NOW;
	assert_true(approval_is_open(&approval, &incident, NOW - 1, &why));
	assert_false(approval_is_open(&approval, &incident, NOW, &why));
	assert_string_equal(why, "the question has expired");
}

static const struct config_brakes brakes = {
	.budget = 5,
	.budget_ms = 600000,
	.backoff_min_ms = 10000,
	.backoff_max_ms = 300000,
	.backoff_reset_ms = 600000,
	.storm = 3,
	.storm_ms = 5000,
};

static void the_first_attempt_is_at_once_and_each_further_one_waits_twice_as_long(void **state)
{
	(void)state;
	struct attempts attempts = {0};
	int64_t now = NOW, waits[] = {0, 10000, 20000, 40000, 80000};
	for (int i = 0; i < 5; i++) {
		struct budget budget = budget_judge(&attempts, &brakes, now);
		assert_false(budget.spent);
		assert_int_equal(budget.not_before == 0 ? 0 : budget.not_before - now, waits[i]);
		now += waits[i];
		budget = budget_judge(&attempts, &brakes, now);
		assert_int_equal(budget.not_before, 0);
		attempts.began_at[attempts.count++] = now;
	}
	assert_true(budget_judge(&attempts, &brakes, now).spent);
	assert_int_equal(budget_judge(&attempts, &brakes, now).used, 5);
}

static void the_back_off_has_a_ceiling_and_is_forgotten_after_health(void **state)
{
	(void)state;
	struct attempts attempts = {0};
	for (int i = 0; i < 20; i++)
		attempts.began_at[attempts.count++] = NOW + i * 300000;
	int64_t last = attempts.began_at[19];
	struct budget budget = budget_judge(&attempts, &brakes, last + 1);
	assert_int_equal(budget.not_before, last + 300000);
	budget = budget_judge(&attempts, &brakes, last + 600001);
	assert_int_equal(budget.not_before, 0);
	assert_int_equal(budget.used, 0);
}

static void three_failures_are_acted_on_and_the_fourth_trips_the_guard(void **state)
{
	(void)state;
	struct storm storm = {0};
	assert_false(storm_note(&storm, &brakes, NOW));
	assert_false(storm_note(&storm, &brakes, NOW + 1));
	assert_false(storm_note(&storm, &brakes, NOW + 2));
	assert_false(storm.active);
	assert_true(storm_note(&storm, &brakes, NOW + 3));
	assert_true(storm.active);
	assert_false(storm_note(&storm, &brakes, NOW + 1000));
	assert_int_equal(storm.failures, 5);
	assert_false(storm_is_quiet(&storm, &brakes, NOW + 5999));
	assert_true(storm_is_quiet(&storm, &brakes, NOW + 6000));
}

static void failures_far_apart_are_no_storm(void **state)
{
	(void)state;
	struct storm storm = {0};
	for (int i = 0; i < 100; i++)
		assert_false(storm_note(&storm, &brakes, NOW + i * 2000));
	assert_false(storm.active);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_allowed_that_the_rules_forbid),
		cmocka_unit_test(nothing_is_put_off_for_ever),
		cmocka_unit_test(what_is_safe_is_done_at_once),
		cmocka_unit_test(high_risk_is_never_talked_into_running_by_itself),
		cmocka_unit_test(weight_never_falls_below_the_floor),
		cmocka_unit_test(the_most_cautious_row_wins_in_any_order),
		cmocka_unit_test(a_row_for_another_component_does_not_count),
		cmocka_unit_test(only_the_exact_approval_allows),
		cmocka_unit_test(an_approval_is_used_up_by_its_action),
		cmocka_unit_test(a_high_risk_question_does_not_expire_by_itself),
		cmocka_unit_test(the_first_attempt_is_at_once_and_each_further_one_waits_twice_as_long),
		cmocka_unit_test(the_back_off_has_a_ceiling_and_is_forgotten_after_health),
		cmocka_unit_test(three_failures_are_acted_on_and_the_fourth_trips_the_guard),
		cmocka_unit_test(failures_far_apart_are_no_storm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
