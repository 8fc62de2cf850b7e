/*
 * The parts of detection, for the files of detect/ only: one for each kind of component. Each fills
 * a finding that is empty; pure.
 */
#ifndef DETECT_INTERNAL_H
#define DETECT_INTERNAL_H

#include "detect/detect.h"

void finding_fine(struct finding *finding, const char *why);
void finding_unsure(struct finding *finding, const char *why);

/* Running or exited; every other state means the same for all kinds. */
void detect_container(const struct observation *seen, const struct config_brakes *brakes,
	int64_t now_ms, struct finding *finding);
void detect_guest(
	const struct observation *seen, const struct config_brakes *brakes, struct finding *finding);
/* A service, an MCP server, a probe: healthy or not, by what its source has found. */
void detect_service(
	const struct observation *seen, const struct config_brakes *brakes, struct finding *finding);
/* A share of all there is, against its limit. */
void detect_share(const struct observation *seen, const struct config_thresholds *thresholds,
	enum finding_kind before, struct finding *finding);
/* What has no number: quorum, locks, backups, certificates … */
void detect_fault(const struct observation *seen, struct finding *finding);

/* The JSON object for the Metrics block. */
void finding_metrics(const struct observation *seen, struct finding *finding);

#endif
