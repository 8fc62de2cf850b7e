#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "detect/detect.h"

static void is_fine(struct finding *finding, const char *why)
{
	finding->kind = FINDING_FINE;
	STR_SET(finding->why, why);
}

static void is_unsure(struct finding *finding, const char *why)
{
	finding->kind = FINDING_UNSURE;
	STR_SET(finding->why, why);
}

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
		is_fine(finding, stop_cause_name(seen->cause));
		return;
	}
	/* What its engine's end took down is wanted however long the engine was away. */
	bool recent = seen->since_ms > 0 && now_ms - seen->since_ms <= brakes->recent_exit_ms;
	if (seen->cause != STOP_ENGINE && !recent) {
		is_unsure(finding, "exited longer ago than recent_exit: left alone");
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
		is_unsure(finding, "its health check has not passed yet");
		break;
	case OBS_NO_CHECK:
	case OBS_HEALTHY:
		finding->kind = FINDING_NONE;
		break;
	}
}

static void judge_unreachable(
	const struct observation *seen, const struct config_brakes *brakes, struct finding *finding)
{
	if (seen->trouble == OBS_ERR_DENIED) {
		finding->kind = FINDING_BLIND;
		finding->severity = SEVERITY_DEGRADED;
		STR_FORMAT(
			finding->issue, "Cannot look at Docker (%s): %s", seen->component.source, seen->detail);
		return;
	}
	finding->kind = FINDING_UNREACHABLE;
	finding->severity = SEVERITY_CRITICAL;
	finding->confirm_ms = brakes->unreachable_ms;
	STR_FORMAT(finding->issue, "Docker daemon not responding: %s", seen->detail);
}

static void write_metrics(const struct observation *seen, struct finding *finding)
{
	auto_arena arena = arena_new(8192);
	struct str text;
	struct json_out out;
	str_init(&text, arena);
	json_begin(&out, &text);
	json_open(&out, NULL, '{');
	if (seen->component.kind == COMPONENT_CONTAINER) {
		json_put_str(&out, "container", seen->component.label);
		json_put_str(&out, "state", obs_state_name(seen->state));
		json_put_str(&out, "status", seen->status);
	} else {
		json_put_str(&out, "source", seen->component.source);
		json_put_str(&out, "state", obs_state_name(seen->state));
	}
	json_close(&out, '}');
	/* A cut object would be no JSON: better none. */
	if (!STR_SET(finding->metrics, text.s))
		STR_SET(finding->metrics, "{}");
}

void detect(const struct observation *seen, const struct config_brakes *brakes, int64_t now_ms,
	struct finding *finding)
{
	*finding = (struct finding){0};
	if (seen->component.ignored && seen->state != OBS_ABSENT) {
		is_fine(finding, "label homeostat.enable=false");
		return;
	}
	switch (seen->state) {
	case OBS_UNKNOWN:
		is_unsure(finding, "could not be seen");
		break;
	case OBS_RUNNING:
		judge_running(seen, finding);
		break;
	case OBS_EXITED:
		judge_exit(seen, brakes, now_ms, finding);
		break;
	case OBS_RESTARTING:
		is_unsure(finding, "the engine's own restart policy is bringing it back");
		break;
	case OBS_PAUSED:
		is_fine(finding, "paused on purpose");
		break;
	case OBS_CREATED:
		is_fine(finding, "was never started");
		break;
	case OBS_ABSENT:
		is_fine(finding, "removed");
		break;
	case OBS_UNREACHABLE:
		judge_unreachable(seen, brakes, finding);
		break;
	}
	if (finding_is_trouble(finding->kind))
		write_metrics(seen, finding);
}
