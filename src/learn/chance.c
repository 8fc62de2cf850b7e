#include <math.h>
#include <stddef.h>

#include "learn/learn.h"

#define PRIOR_HEALED 3.0
#define PRIOR_FAILED 1.0
#define PRIOR_TRIALS 4.0
#define TAIL 0.05
#define STEPS 60
#define TERMS 300

/* The continued fraction of the incomplete beta function, by Lentz's method (Numerical
 * Recipes, 6.4; DLMF 8.17.22). */
static double fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1);
	d = 1 / (fabs(d) < tiny ? tiny : d);
	double h = d;
	for (int m = 1; m <= TERMS; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		d = 1 + even * d;
		c = 1 + even / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		h *= d * c;
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		d = 1 + odd * d;
		c = 1 + odd / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		double step = d * c;
		h *= step;
		if (fabs(step - 1) < 1e-12)
			break;
	}
	return h;
}

/* The share of Beta(a, b) below x. */
static double share(double a, double b, double x)
{
	int sign;
	if (x <= 0 || x >= 1)
		return x <= 0 ? 0 : 1;
	double front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) +
		a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * fraction(a, b, x) / a;
	return 1 - front * fraction(b, a, 1 - x) / b;
}

double beta_quantile(double a, double b, double q)
{
	double low = 0, high = 1;
	for (int i = 0; i < STEPS; i++) {
		double middle = (low + high) / 2;
		if (share(a, b, middle) < q)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

struct chance learn_chance(const struct lesson *own, const struct lesson *kind)
{
	double others_healed = kind != NULL ? (double)(kind->healed - own->healed) : 0;
	double others_failed = kind != NULL ? (double)(kind->failed - own->failed) : 0;
	if (others_healed < 0 || others_failed < 0)
		others_healed = others_failed = 0;
	double prior = (PRIOR_HEALED + others_healed) /
		(PRIOR_HEALED + PRIOR_FAILED + others_healed + others_failed);
	double a = PRIOR_TRIALS * prior + (double)own->healed;
	double b = PRIOR_TRIALS * (1 - prior) + (double)own->failed;
	return (struct chance){.mean = a / (a + b),
		.low = beta_quantile(a, b, TAIL),
		.high = beta_quantile(a, b, 1 - TAIL),
		.n = own->healed + own->failed};
}

double learn_untouched(const struct lesson *own)
{
	int64_t all = own->healed + own->failed + own->untouched;
	return all > 0 ? (double)own->untouched / (double)all : -1;
}
