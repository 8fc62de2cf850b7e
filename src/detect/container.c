/* Containers: exited, unhealthy, or well. */
#include <string.h>

#include "base/str.h"
#include "detect/internal.h"

/* What a person reads after "exited: ". */
static void describe_exit(const struct observation *seen, char *text, size_t size)
{
	if (seen->status[0] != '\0')
		str_copy(text, size, seen->status);
	else
		str_format(text, size, "Exited (%d)", seen->exit_code);
	if (seen->oom_killed)
		str_format(text + strlen(text), size - strlen(text), ", out of memory");
}

static void judge_exit(const struct observation *seen, const struct config_brakes *brakes,
	int64_t now_ms, struct finding *finding)
{
	if (seen->cause == STOP_PERSON || seen->cause == STOP_DONE) {
		finding_fine(finding, stop_cause_name(seen->cause));
		return;
	}
	/* What its engine's end took down is wanted however long the engine was away. */
	bool recent = seen->since_ms > 0 && now_ms - seen->since_ms <= brakes->recent_exit_ms;
	if (seen->cause != STOP_ENGINE && !recent) {
		finding_unsure(finding, "exited longer ago than recent_exit: left alone");
		return;
	}
	char text[200];
	describe_exit(seen, text, sizeof(text));
	finding->kind = seen->cause == STOP_UNSEEN ? FINDING_EXITED_UNSEEN : FINDING_EXITED;
	finding->severity = SEVERITY_UNHEALTHY;
	STR_FORMAT(finding->issue, "Docker container '%s' exited: %s", seen->component.label, text);
}

static void judge_running(const struct observation *seen, struct finding *finding)
{
	switch (seen->health) {
	case OBS_UNHEALTHY:
		finding->kind = FINDING_UNHEALTHY;
		finding->severity = SEVERITY_UNHEALTHY;
		STR_FORMAT(finding->issue, "Docker container '%s' is unhealthy: %s", seen->component.label,
			seen->status[0] != '\0' ? seen->status : "its health check fails");
		break;
	case OBS_STARTING:
		finding_unsure(finding, "its health check has not passed yet");
		break;
	case OBS_NO_CHECK:
	case OBS_HEALTHY:
		finding->kind = FINDING_NONE;
		break;
	}
}

void detect_container(const struct observation *seen, const struct config_brakes *brakes,
	int64_t now_ms, struct finding *finding)
{
	if (seen->state == OBS_EXITED)
		judge_exit(seen, brakes, now_ms, finding);
	else if (seen->state == OBS_RUNNING)
		judge_running(seen, finding);
}
