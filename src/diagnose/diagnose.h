/*
 * Diagnosis: the root cause of a finding, its evidence, and the action that answers it. Rules
 * first; "unknown" is an honest answer.
 */
#ifndef DIAGNOSE_DIAGNOSE_H
#define DIAGNOSE_DIAGNOSE_H

#include "model/finding.h"
#include "model/observation.h"
#include "model/plan.h"

/* By rules alone: total, pure. seen may be NULL (after a restart of ours). */
void diagnose_by_rules(enum finding_kind finding, const struct component *component,
	const struct observation *seen, struct diagnosis *diagnosis);

#endif
