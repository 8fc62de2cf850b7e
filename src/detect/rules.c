#include <string.h>

#include "base/str.h"
#include "detect/internal.h"

void finding_fine(struct finding *finding, const char *why)
{
	finding->kind = FINDING_FINE;
	STR_SET(finding->why, why);
}

void finding_unsure(struct finding *finding, const char *why)
{
	finding->kind = FINDING_UNSURE;
	STR_SET(finding->why, why);
}

static const char *system_of(const struct component *component)
{
	return component->kind == COMPONENT_DOCKER_DAEMON ? "Docker"
		: component->kind == COMPONENT_CLUSTER        ? "Proxmox VE"
		: component->kind == COMPONENT_MCP            ? "MCP server"
													  : component->label;
}

static void judge_mcp_unreachable(
	const struct observation *seen, const struct config_brakes *brakes, struct finding *finding)
{
	bool denied = seen->trouble == OBS_ERR_DENIED;
	finding->kind = denied ? FINDING_BLIND : FINDING_UNREACHABLE;
	finding->severity = denied ? SEVERITY_DEGRADED : SEVERITY_UNHEALTHY;
	finding->confirm_ms = denied ? 0 : brakes->unreachable_ms;
	STR_FORMAT(finding->issue, "MCP server '%s' %s: %s", seen->component.label,
		denied ? "does not let us in" : "is not reachable", seen->status);
}

static void judge_unreachable(
	const struct observation *seen, const struct config_brakes *brakes, struct finding *finding)
{
	const struct component *component = &seen->component;
	if (seen->component.kind == COMPONENT_MCP) {
		judge_mcp_unreachable(seen, brakes, finding);
		return;
	}
	if (seen->trouble == OBS_ERR_DENIED) {
		finding->kind = FINDING_BLIND;
		finding->severity = SEVERITY_DEGRADED;
		STR_FORMAT(finding->issue, "Cannot look at %s (%s): %s", system_of(component),
			component->source, seen->detail);
		return;
	}
	finding->confirm_ms = brakes->unreachable_ms;
	finding->severity = SEVERITY_CRITICAL;
	if (component->kind == COMPONENT_NODE && str_starts(component->source, "host:")) {
		finding->kind = FINDING_OFFLINE;
		STR_FORMAT(
			finding->issue, "Host '%s' is not reachable: %s", component->label, seen->detail);
		return;
	}
	if (component->kind == COMPONENT_NODE) {
		finding->kind = FINDING_OFFLINE;
		STR_FORMAT(finding->issue, "Proxmox node '%s' is offline", component->label);
		return;
	}
	finding->kind = FINDING_UNREACHABLE;
	if (component->kind == COMPONENT_DOCKER_DAEMON)
		STR_FORMAT(finding->issue, "Docker daemon not responding: %s", seen->detail);
	else if (component->kind == COMPONENT_CLUSTER)
		STR_FORMAT(finding->issue, "Proxmox VE not responding: %s", seen->detail);
	else
		STR_FORMAT(finding->issue, "%s '%s' not responding: %s", system_of(component),
			component->label, seen->detail);
}

/* Running or exited: what that means depends on what it is. */
static void judge_state(const struct observation *seen, const struct config_brakes *brakes,
	int64_t now_ms, struct finding *finding)
{
	switch (seen->component.kind) {
	case COMPONENT_CONTAINER:
		detect_container(seen, brakes, now_ms, finding);
		break;
	case COMPONENT_GUEST:
		detect_guest(seen, brakes, finding);
		break;
	case COMPONENT_SERVICE:
	case COMPONENT_MCP:
	case COMPONENT_PROBE:
		detect_service(seen, brakes, finding);
		break;
	case COMPONENT_STORAGE:
	case COMPONENT_BACKUP:
		detect_fault(seen, finding);
		break;
	case COMPONENT_DOCKER_DAEMON:
		if (seen->state == OBS_EXITED)
			finding_fine(finding, seen->detail);
		break;
	case COMPONENT_NODE:
	case COMPONENT_CLUSTER:
	case COMPONENT_KINDS:
		break;
	}
}

static void judge_whole(const struct observation *seen, const struct config_brakes *brakes,
	int64_t now_ms, struct finding *finding)
{
	switch (seen->state) {
	case OBS_UNKNOWN:
		finding_unsure(finding, "could not be seen");
		break;
	case OBS_RUNNING:
	case OBS_EXITED:
		judge_state(seen, brakes, now_ms, finding);
		break;
	case OBS_RESTARTING:
		finding_unsure(finding,
			seen->detail[0] != '\0' ? seen->detail
									: "the engine's own restart policy is bringing it back");
		break;
	case OBS_PAUSED:
		finding_fine(finding, "paused on purpose");
		break;
	case OBS_CREATED:
		finding_fine(
			finding, seen->component.kind == COMPONENT_GUEST ? "a template" : "was never started");
		break;
	case OBS_ABSENT:
		finding_fine(finding, "removed");
		break;
	case OBS_UNREACHABLE:
		judge_unreachable(seen, brakes, finding);
		break;
	case OBS_STATES:
		break;
	}
}

void detect(const struct observation *seen, const struct config *config, enum finding_kind before,
	int64_t now_ms, struct finding *finding)
{
	*finding = (struct finding){0};
	if (seen->component.ignored && seen->state != OBS_ABSENT)
		finding_fine(finding,
			seen->component.kind == COMPONENT_GUEST ? "tag homeostat-ignore"
													: "label homeostat.enable=false");
	else if (seen->aspect == ASPECT_STATE)
		judge_whole(seen, &config->brakes, now_ms, finding);
	else if (seen->aspect == ASPECT_CPU || seen->aspect == ASPECT_MEMORY ||
		seen->aspect == ASPECT_DISK)
		detect_share(seen, &config->thresholds, before, finding);
	else
		detect_fault(seen, finding);
	if (finding_is_trouble(finding->kind))
		finding_metrics(seen, finding);
}
