/*
 * Diagnosis: the root cause of a finding, its evidence, and the action that answers it. Rules
 * first; "unknown" is an honest answer.
 */
#ifndef DIAGNOSE_DIAGNOSE_H
#define DIAGNOSE_DIAGNOSE_H

#include <stdbool.h>

#include "model/evidence.h"
#include "model/finding.h"
#include "model/incident.h"
#include "model/observation.h"
#include "model/plan.h"

/* By rules alone: total, pure. seen may be NULL (after a restart of ours). */
void diagnose_by_rules(enum finding_kind finding, const struct component *component,
	const struct observation *seen, struct diagnosis *diagnosis);

/* What the evidence says besides: refines the rules' own diagnosis (of the observation) and marks
 * the lines that prove it. It can make a remedy one that a person is asked about, never the other
 * way round. Pure. False: it says nothing. */
bool diagnose_by_evidence(struct evidence_list *list, struct diagnosis *diagnosis);

/* Whether the rules have an answer: a remedy for what was seen, or a cause that is likely. */
bool diagnosis_is_answer(const struct diagnosis *diagnosis, enum finding_kind finding);

#define SIGNATURE_BYTES 33
/* The same for the same trouble of the same thing: what its lines say, without their numbers. */
void diagnosis_signature(const struct incident *incident, const struct evidence_list *list,
	char signature[SIGNATURE_BYTES]);

#endif
