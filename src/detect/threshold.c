/* Shares of what there is: CPU, memory, disk, storage; each against its limit. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "detect/internal.h"

static int limit_of(const struct observation *seen, const struct config_thresholds *thresholds)
{
	if (seen->component.kind == COMPONENT_STORAGE)
		return thresholds->storage;
	if (seen->aspect == ASPECT_CPU)
		return seen->component.kind == COMPONENT_NODE ? thresholds->node_cpu
													  : thresholds->guest_cpu;
	return seen->aspect == ASPECT_MEMORY ? thresholds->node_memory : thresholds->node_disk;
}

static void name_what(const struct observation *seen, char *text, size_t size)
{
	static const char *const words[] = {
		[ASPECT_CPU] = "CPU", [ASPECT_MEMORY] = "memory", [ASPECT_DISK] = "disk"};
	const struct component *component = &seen->component;
	const char *slash = strchr(component->native, '/');
	if (component->kind == COMPONENT_STORAGE)
		str_format(text, size, "Storage '%s' usage", component->label);
	else if (str_starts(component->native, "host/"))
		str_format(text, size, "Host '%s' %s usage", component->label, words[seen->aspect]);
	else if (component->kind == COMPONENT_NODE && strcmp(component->name, "proxmox_node") == 0)
		str_format(text, size, "Proxmox node %s usage", words[seen->aspect]);
	else if (component->kind == COMPONENT_NODE)
		str_format(text, size, "Proxmox node '%s' %s usage", component->label, words[seen->aspect]);
	else if (slash != NULL)
		str_format(text, size, "%.*s '%s' (ID: %s) %s usage", (int)(slash - component->native),
			component->native, component->label, slash + 1, words[seen->aspect]);
	else
		str_format(text, size, "'%s' %s usage", component->label, words[seen->aspect]);
}

void detect_share(const struct observation *seen, const struct config_thresholds *thresholds,
	enum finding_kind before, struct finding *finding)
{
	static const enum finding_kind kinds[] = {[ASPECT_CPU] = FINDING_HIGH_CPU,
		[ASPECT_MEMORY] = FINDING_HIGH_MEMORY,
		[ASPECT_DISK] = FINDING_DISK_FULL};
	char what[200];
	if (seen->percent < 0 || isnan(seen->percent)) {
		finding_unsure(finding, "its share is not known");
		return;
	}
	int limit = limit_of(seen, thresholds);
	bool was = before == kinds[seen->aspect];
	/* Once it is believed, a little below the limit is not yet well. */
	if (seen->percent <= (was ? limit - thresholds->hysteresis : limit))
		return;
	name_what(seen, what, sizeof(what));
	finding->kind = kinds[seen->aspect];
	finding->confirm_ms = thresholds->sustained_ms;
	finding->severity = seen->percent > thresholds->severe ? SEVERITY_CRITICAL : SEVERITY_DEGRADED;
	bool has_detail = str_starts(seen->component.native, "host/") && seen->detail[0] != '\0';
	STR_FORMAT(finding->issue, "%s is high: %.1f%%%s%s%s", what, seen->percent,
		has_detail ? " (" : "", has_detail ? seen->detail : "", has_detail ? ")" : "");
}
