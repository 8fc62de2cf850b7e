/*
 * A lesson: what became of one action against one kind of trouble of one component, as it was
 * verified. One incident is one trial, however often the action was tried in it. Plain data.
 */
#ifndef MODEL_LESSON_H
#define MODEL_LESSON_H

#include <stdint.h>

#include "model/component.h"
#include "model/finding.h"

struct lesson {
	enum finding_kind finding;
	char action[48];
	enum component_kind kind;
	char component[NAME_MAX_BYTES]; /* "" : all of its kind together */
	int64_t healed, failed;         /* seen healthy afterwards; given up */
	int64_t relapsed;               /* of the healed: the same again within a day */
	int64_t untouched;              /* got well before anything was done */
	double seconds;                 /* from the failure to health, of all healed together */
	int64_t approved, rejected;     /* by people */
	int64_t in_a_row;               /* rejections since the last approval */
	double approval_seconds;        /* that they took, all together */
	int64_t last_at;
};

#endif
