/* What has no number: its source has compared it with what should be; this says how bad it is. */
#include "base/str.h"
#include "detect/internal.h"

struct fault_rule {
	enum finding_kind kind;
	enum severity failed, gone; /* of FAULT_FAILED and FAULT_GONE; less is DEGRADED */
	const char *title;
};

static const struct fault_rule rules[ASPECTS] = {
	[ASPECT_LOCK] = {FINDING_LOCKED, SEVERITY_DEGRADED, SEVERITY_DEGRADED, "is locked"},
	[ASPECT_HA] = {FINDING_HA_ERROR, SEVERITY_UNHEALTHY, SEVERITY_CRITICAL, "HA"},
	[ASPECT_QUORUM] = {FINDING_NO_QUORUM, SEVERITY_CRITICAL, SEVERITY_CRITICAL, "quorum"},
	[ASPECT_REPLICATION] = {FINDING_REPLICATION, SEVERITY_UNHEALTHY, SEVERITY_UNHEALTHY,
		"replication"},
	[ASPECT_CERTIFICATE] = {FINDING_CERTIFICATE, SEVERITY_UNHEALTHY, SEVERITY_UNHEALTHY,
		"certificate"},
	[ASPECT_DEVICE] = {FINDING_DEVICE, SEVERITY_UNHEALTHY, SEVERITY_CRITICAL, "disk"},
	[ASPECT_POOL] = {FINDING_POOL, SEVERITY_UNHEALTHY, SEVERITY_CRITICAL, "ZFS pool"},
	[ASPECT_UPDATES] = {FINDING_UPDATES, SEVERITY_DEGRADED, SEVERITY_DEGRADED, "updates"},
	[ASPECT_STOPPED] = {FINDING_IDLE, SEVERITY_DEGRADED, SEVERITY_DEGRADED, "memory is back"},
	[ASPECT_SERVICE] = {FINDING_FAILED, SEVERITY_UNHEALTHY, SEVERITY_UNHEALTHY, "service"},
};
static const struct fault_rule backup = {
	FINDING_BACKUP, SEVERITY_UNHEALTHY, SEVERITY_UNHEALTHY, "Backup of"};
static const struct fault_rule storage = {
	FINDING_GONE, SEVERITY_UNHEALTHY, SEVERITY_UNHEALTHY, "Storage"};

static const struct fault_rule *rule_of(const struct observation *seen)
{
	if (seen->aspect != ASPECT_STATE)
		return &rules[seen->aspect];
	return seen->component.kind == COMPONENT_BACKUP ? &backup : &storage;
}

void detect_fault(const struct observation *seen, struct finding *finding)
{
	const struct fault_rule *rule = rule_of(seen);
	if (seen->state == OBS_UNKNOWN) {
		finding_unsure(finding, "could not be seen");
		return;
	}
	if (seen->fault == FAULT_NONE)
		return;
	finding->kind = rule->kind;
	finding->severity = seen->fault == FAULT_GONE ? rule->gone
		: seen->fault == FAULT_FAILED             ? rule->failed
												  : SEVERITY_DEGRADED;
	if (seen->aspect == ASPECT_STATE)
		STR_FORMAT(finding->issue, "%s %s: %s", rule->title, seen->component.label, seen->detail);
	else
		STR_FORMAT(finding->issue, "%s: %s: %s", seen->component.label, rule->title, seen->detail);
}
