/* What is made of verified outcomes: the arithmetic, and what is kept of it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "learn/learn.h"

static void near(double value, double wanted)
{
	if (fabs(value - wanted) > 0.0005)
		fail_msg("%.5f, not %.5f", value, wanted);
}

/* Closed forms: Beta(a, 1) has x^a below x, Beta(1, b) 1 - (1 - x)^b; and polynomials solved by
 * hand: of Beta(2, 2) 3x^2 - 2x^3, of Beta(3, 2) 4x^3 - 3x^4. */
static void quantiles_are_those_of_closed_forms(void **state)
{
	(void)state;
	static const double qs[] = {0.01, 0.05, 0.5, 0.95, 0.99};
	for (size_t i = 0; i < sizeof(qs) / sizeof(qs[0]); i++) {
		double q = qs[i];
		near(beta_quantile(1, 1, q), q);
		near(beta_quantile(3, 1, q), cbrt(q));
		near(beta_quantile(1, 4, q), 1 - pow(1 - q, 0.25));
		double x = beta_quantile(2, 2, q);
		near(3 * x * x - 2 * x * x * x, q);
		x = beta_quantile(3, 2, q);
		near(4 * x * x * x - 3 * x * x * x * x, q);
		near(beta_quantile(7.5, 3.25, q), 1 - beta_quantile(3.25, 7.5, 1 - q));
	}
	near(beta_quantile(5000, 5000, 0.5), 0.5);
	assert_true(beta_quantile(0.5, 0.5, 0.05) > 0 && beta_quantile(1e5, 1, 0.05) < 1);
}

static struct chance chance_of(
	int64_t healed, int64_t failed, int64_t others, int64_t others_failed)
{
	struct lesson own = {.healed = healed, .failed = failed};
	struct lesson kind = {.healed = healed + others, .failed = failed + others_failed};
	return learn_chance(&own, &kind);
}

static void trials_move_the_chance_and_narrow_it(void **state)
{
	(void)state;
	struct chance none = chance_of(0, 0, 0, 0);
	near(none.mean, 0.75);
	near(none.low, cbrt(0.05));
	assert_int_equal(none.n, 0);
	double low = none.low, width = none.high - none.low;
	for (int n = 1; n < 50; n++) {
		struct chance good = chance_of(n, 0, 0, 0), bad = chance_of(0, n, 0, 0);
		assert_true(good.low > low && good.high - good.low < width);
		assert_true(bad.mean < 0.75 && bad.low < none.low);
		low = good.low;
		width = good.high - good.low;
	}
	/* the default limit of 15 %: four incidents that it did not heal, not three */
	assert_true(chance_of(0, 3, 0, 0).low > 0.15);
	assert_true(chance_of(0, 4, 0, 0).low < 0.15);
}

/* Others of the kind set where it starts, worth four trials, never more. */
static void others_of_the_kind_weigh_as_four_trials(void **state)
{
	(void)state;
	assert_true(chance_of(0, 0, 0, 1000).mean < 0.01);
	near(chance_of(8, 0, 0, 100000).mean, 8.0 / 12);
	near(chance_of(0, 8, 100000, 0).mean, 4.0 / 12);
	struct lesson own = {.healed = 5}, wrong = {.healed = 1};
	assert_true(isfinite(learn_chance(&own, &wrong).mean));
	near(learn_chance(&own, NULL).mean, 8.0 / 9);
}

static void what_heals_by_itself_is_known(void **state)
{
	(void)state;
	struct lesson own = {.healed = 3, .failed = 1, .untouched = 4};
	near(learn_untouched(&own), 0.5);
	assert_true(learn_untouched(&(struct lesson){0}) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_those_of_closed_forms),
		cmocka_unit_test(trials_move_the_chance_and_narrow_it),
		cmocka_unit_test(others_of_the_kind_weigh_as_four_trials),
		cmocka_unit_test(what_heals_by_itself_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
