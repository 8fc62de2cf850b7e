/* Guests of Proxmox VE: one that is wanted and does not run, or that stands still. */
#include <string.h>

#include "base/str.h"
#include "detect/internal.h"

/* "lxc 'homelab-agents' (ID: 104)" */
static void name_guest(const struct component *component, char *text, size_t size)
{
	const char *slash = strchr(component->native, '/');
	if (slash == NULL)
		str_format(text, size, "guest '%s'", component->label);
	else
		str_format(text, size, "%.*s '%s' (ID: %s)", (int)(slash - component->native),
			component->native, component->label, slash + 1);
}

static void judge_stopped(
	const struct observation *seen, const struct config_brakes *brakes, struct finding *finding)
{
	char guest[200];
	if (seen->cause == STOP_PERSON) {
		STR_FORMAT(finding->why, "stopped by %s", seen->who[0] != '\0' ? seen->who : "a person");
		finding->kind = FINDING_FINE;
		return;
	}
	if (seen->want == WANT_NOT) {
		finding_fine(finding, "not set to start at boot, and not named as critical");
		return;
	}
	name_guest(&seen->component, guest, sizeof(guest));
	finding->kind = FINDING_STOPPED;
	finding->confirm_ms = brakes->unreachable_ms;
	finding->severity = seen->want == WANT_CRITICAL ? SEVERITY_CRITICAL : SEVERITY_UNHEALTHY;
	STR_FORMAT(
		finding->issue, "%s%s is stopped", seen->want == WANT_CRITICAL ? "Critical " : "", guest);
	if (seen->want != WANT_CRITICAL && finding->issue[0] >= 'a' && finding->issue[0] <= 'z')
		finding->issue[0] = (char)(finding->issue[0] - 'a' + 'A');
}

void detect_guest(
	const struct observation *seen, const struct config_brakes *brakes, struct finding *finding)
{
	if (seen->state == OBS_EXITED) {
		judge_stopped(seen, brakes, finding);
	} else if (seen->health == OBS_UNHEALTHY) {
		char guest[200];
		name_guest(&seen->component, guest, sizeof(guest));
		finding->kind = FINDING_UNHEALTHY;
		finding->severity = SEVERITY_UNHEALTHY;
		STR_FORMAT(finding->issue, "%s does not work: %s", guest, seen->detail);
	}
}
