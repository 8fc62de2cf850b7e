/* Services, MCP servers and probes: their source says whether they work. */
#include "base/str.h"
#include "detect/internal.h"

static const char *kind_of(enum component_kind kind)
{
	return kind == COMPONENT_MCP ? "MCP server" : kind == COMPONENT_PROBE ? "Probe" : "Service";
}

void detect_service(
	const struct observation *seen, const struct config_brakes *brakes, struct finding *finding)
{
	if (seen->state == OBS_RUNNING && seen->health != OBS_UNHEALTHY) {
		if (seen->health == OBS_STARTING)
			finding_unsure(finding, "it is starting");
		return;
	}
	if (seen->state == OBS_EXITED && (seen->cause == STOP_PERSON || seen->cause == STOP_DONE)) {
		finding_fine(finding, stop_cause_name(seen->cause));
		return;
	}
	finding->kind = seen->gave_up                                 ? FINDING_GAVE_UP
		: seen->cause == STOP_UNSEEN && seen->state == OBS_EXITED ? FINDING_EXITED_UNSEEN
																  : FINDING_FAILED;
	/* what runs and only does not answer may need its time, after a restart too */
	if (seen->component.kind == COMPONENT_PROBE)
		finding->kind = FINDING_UNHEALTHY;
	finding->severity = SEVERITY_UNHEALTHY;
	/* A unit that failed has failed; what only does not answer may be busy. */
	finding->confirm_ms = seen->state == OBS_EXITED ? 0 : brakes->unreachable_ms;
	STR_FORMAT(finding->issue, "%s '%s' failed: %s", kind_of(seen->component.kind),
		seen->component.label, seen->detail[0] != '\0' ? seen->detail : seen->status);
}
