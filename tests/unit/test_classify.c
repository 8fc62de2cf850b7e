/* Why a container stopped: the decision over its whole finite domain, and the cases that matter. */
#include "watch/docker_classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

struct situation {
	struct docker_container container;
	struct ending ending;
};

typedef void claim_fn(const struct situation *situation, enum stop_cause cause);

static const char *const policies[] = {"", "no", "always", "unless-stopped", "on-failure"};
static const int codes[] = {0, 1, 2, 125, 127, 130, 134, 137, 139, 143, 255};
static const struct {
	int done, allowed;
} retries[] = {{0, 0}, {1, 3}, {3, 3}};

static bool bit(unsigned bits, int n)
{
	return bits >> n & 1;
}

/* Every policy, code, retry count and combination of the seven yes-or-no facts. */
static int for_all(claim_fn *claim)
{
	int n = 0;
	for (int p = 0; p < LENGTH(policies); p++)
		for (int c = 0; c < LENGTH(codes); c++)
			for (unsigned rest = 0; rest < 3 * 128; rest++) {
				unsigned bits = rest % 128;
				struct situation situation = {
					.container = {.exit_code = codes[c],
						.restart_count = retries[rest / 128].done,
						.max_retries = retries[rest / 128].allowed,
						.oom_killed = bit(bits, 0)},
					.ending = {.stop_asked = bit(bits, 2),
						.died = bit(bits, 3),
						.oom = bit(bits, 4),
						.engine_lost = bit(bits, 5),
						.all_stopped = bit(bits, 6)},
				};
				STR_SET(situation.container.policy, policies[p]);
				STR_SET(situation.container.error, bit(bits, 1) ? "no such file" : "");
				claim(&situation, docker_classify(&situation.container, &situation.ending));
				n++;
			}
	return n;
}

static void persons_stop_holds(const struct situation *s, enum stop_cause cause)
{
	/* what was asked to stop and then failed to start was to be restarted */
	bool was_restarted = s->container.error[0] != '\0';
	if (s->ending.stop_asked && !was_restarted && !(s->ending.engine_lost && s->ending.all_stopped))
		assert_int_equal(cause, STOP_PERSON);
}

static void a_persons_stop_is_never_taken_for_a_failure(void **state)
{
	assert_int_equal(for_all(persons_stop_holds), 5 * 11 * 3 * 128);
}

static bool restarts(const struct situation *s)
{
	return str_equal(s->container.policy, "always") ||
		str_equal(s->container.policy, "unless-stopped");
}

static bool is_spent(const struct situation *s)
{
	return str_equal(s->container.policy, "on-failure") && s->container.max_retries > 0 &&
		s->container.restart_count >= s->container.max_retries;
}

static void healing_needs_evidence(const struct situation *s, enum stop_cause cause)
{
	if (cause == STOP_CRASH)
		assert_true(s->ending.died || s->ending.oom || s->container.oom_killed ||
			s->container.error[0] != '\0' || is_spent(s));
	if (cause == STOP_ENGINE)
		assert_true(s->ending.engine_lost);
}

static void what_is_healed_unasked_has_a_cause_that_was_seen(void **state)
{
	for_all(healing_needs_evidence);
}

static void done_means_success(const struct situation *s, enum stop_cause cause)
{
	if (cause == STOP_DONE) {
		assert_int_equal(s->container.exit_code, 0);
		assert_false(restarts(s));
	}
}

static void only_exit_0_without_a_policy_that_wants_it_back_is_done(void **state)
{
	for_all(done_means_success);
}

static void nothing_seen_nothing_told(const struct situation *s, enum stop_cause cause)
{
	const struct ending *e = &s->ending;
	bool told = e->stop_asked || e->died || e->oom || e->engine_lost || s->container.oom_killed ||
		s->container.error[0] != '\0' || is_spent(s) || restarts(s);
	if (!told && !str_equal(s->container.policy, "on-failure"))
		assert_int_equal(cause, s->container.exit_code == 0 ? STOP_DONE : STOP_UNSEEN);
}

static void an_exit_that_nobody_saw_and_nothing_tells_is_unseen(void **state)
{
	for_all(nothing_seen_nothing_told);
}

static void oom_is_a_crash(const struct situation *s, enum stop_cause cause)
{
	const struct ending *e = &s->ending;
	if ((s->container.oom_killed || e->oom) && !e->stop_asked && !e->engine_lost)
		assert_int_equal(cause, STOP_CRASH);
}

static void out_of_memory_is_a_crash_seen_or_not(void **state)
{
	for_all(oom_is_a_crash);
}

static void engines_policy_knows(const struct situation *s, enum stop_cause cause)
{
	const struct ending *e = &s->ending;
	bool told = e->stop_asked || e->died || e->oom || e->engine_lost || s->container.oom_killed ||
		s->container.error[0] != '\0';
	if (!told && restarts(s))
		assert_int_equal(cause, STOP_PERSON);
}

static void what_the_engine_leaves_down_against_its_own_policy_a_person_stopped(void **state)
{
	for_all(engines_policy_knows);
}

static void engine_took_all(const struct situation *s, enum stop_cause cause)
{
	const struct ending *e = &s->ending;
	if (e->engine_lost && e->stop_asked && e->all_stopped)
		assert_int_equal(cause, STOP_ENGINE);
}

static void kills_of_all_before_the_engine_went_are_the_engines(void **state)
{
	for_all(engine_took_all);
}

static enum stop_cause classify(const char *policy, int code, struct ending ending)
{
	struct docker_container container = {.exit_code = code};
	STR_SET(container.policy, policy);
	return docker_classify(&container, &ending);
}

static void a_death_that_was_seen_is_a_crash_or_a_one_shots_end(void **state)
{
	assert_int_equal(classify("no", 1, (struct ending){.died = true}), STOP_CRASH);
	assert_int_equal(classify("no", 137, (struct ending){.died = true}), STOP_CRASH);
	assert_int_equal(classify("no", 0, (struct ending){.died = true}), STOP_DONE);
	assert_int_equal(classify("on-failure", 0, (struct ending){.died = true}), STOP_DONE);
	assert_int_equal(classify("always", 0, (struct ending){.died = true}), STOP_CRASH);
}

static void a_start_that_failed_under_a_policy_is_a_crash(void **state)
{
	struct docker_container container = {
		.exit_code = 127, .policy = "always", .error = "exec: no such file"};
	assert_int_equal(docker_classify(&container, &(struct ending){0}), STOP_CRASH);
}

static void what_ran_when_the_engine_was_lost_went_down_with_it(void **state)
{
	assert_int_equal(classify("no", 137, (struct ending){.engine_lost = true}), STOP_ENGINE);
	assert_int_equal(classify("no", 143, (struct ending){.engine_lost = true}), STOP_ENGINE);
	assert_int_equal(classify("always", 0, (struct ending){.engine_lost = true}), STOP_ENGINE);
	assert_int_equal(
		classify("no", 1, (struct ending){.engine_lost = true, .died = true}), STOP_CRASH);
}

static void a_stop_of_one_is_a_persons_though_the_engine_went_down_later(void **state)
{
	struct ending ending = {.stop_asked = true, .died = true, .engine_lost = true};
	assert_int_equal(classify("no", 143, ending), STOP_PERSON);
	assert_int_equal(classify("always", 137, ending), STOP_PERSON);
}

static void signals_that_end_are_stop_signals_and_others_are_not(void **state)
{
	for (int signal = 1; signal < 65; signal++) {
		bool ends = signal == 15 || signal == 9 || signal == 2 || signal == 3;
		assert_int_equal(docker_is_stop_signal(signal, ""), ends);
	}
}

static void a_containers_own_stop_signal_counts_in_every_spelling(void **state)
{
	assert_true(docker_is_stop_signal(10, "SIGUSR1"));
	assert_true(docker_is_stop_signal(10, "USR1"));
	assert_true(docker_is_stop_signal(10, "10"));
	assert_true(docker_is_stop_signal(28, "SIGWINCH"));
	assert_true(docker_is_stop_signal(15, "SIGUSR1"));
	assert_true(docker_is_stop_signal(37, "SIGRTMIN+3"));
	assert_false(docker_is_stop_signal(36, "SIGRTMIN+3"));
	assert_false(docker_is_stop_signal(1, "SIGUSR1"));
	assert_false(docker_is_stop_signal(12, "SIGUSR1"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_persons_stop_is_never_taken_for_a_failure),
		cmocka_unit_test(what_is_healed_unasked_has_a_cause_that_was_seen),
		cmocka_unit_test(only_exit_0_without_a_policy_that_wants_it_back_is_done),
		cmocka_unit_test(an_exit_that_nobody_saw_and_nothing_tells_is_unseen),
		cmocka_unit_test(out_of_memory_is_a_crash_seen_or_not),
		cmocka_unit_test(what_the_engine_leaves_down_against_its_own_policy_a_person_stopped),
		cmocka_unit_test(kills_of_all_before_the_engine_went_are_the_engines),
		cmocka_unit_test(a_death_that_was_seen_is_a_crash_or_a_one_shots_end),
		cmocka_unit_test(a_start_that_failed_under_a_policy_is_a_crash),
		cmocka_unit_test(what_ran_when_the_engine_was_lost_went_down_with_it),
		cmocka_unit_test(a_stop_of_one_is_a_persons_though_the_engine_went_down_later),
		cmocka_unit_test(signals_that_end_are_stop_signals_and_others_are_not),
		cmocka_unit_test(a_containers_own_stop_signal_counts_in_every_spelling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
