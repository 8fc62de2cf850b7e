/*
 * Learning: what verified outcomes say of an action's chance. Pure. A chance is the mean of a Beta
 * distribution with its 90 % interval. The prior of a kind of component is Beta(3, 1): such actions
 * mostly help. A component's own prior is worth four trials at the mean of its kind (the others of
 * it), so that few trials of its own move it slowly and many decide. Source: Gelman et al.,
 * Bayesian Data Analysis, 2.4 and 5.
 */
#ifndef LEARN_LEARN_H
#define LEARN_LEARN_H

#include <stdbool.h>
#include <stdint.h>

#include "model/lesson.h"

struct chance {
	double mean, low, high;
	int64_t n;              /* trials of the component itself */
};
/* own: of the component; kind: of all of its kind, the component's own included. */
struct chance learn_chance(const struct lesson *own, const struct lesson *kind);
/* The q-quantile of Beta(a, b), a and b > 0. */
double beta_quantile(double a, double b, double q);

/* How often it got well without anything being done, of all that is known; -1: nothing is. */
double learn_untouched(const struct lesson *own);

#endif
