/*
 * Detection: what an observation means. Pure functions; the state that a rule needs comes with its
 * arguments.
 */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H

#include <stdint.h>

#include "model/config.h"
#include "model/finding.h"
#include "model/observation.h"

/* The finding of one observation at wall time now_ms. Total: every observation has one. before:
 * what is believed of this aspect now (NONE: nothing), for what must fall well below its limit to
 * be over. */
void detect(const struct observation *seen, const struct config *config, enum finding_kind before,
	int64_t now_ms, struct finding *finding);

#endif
