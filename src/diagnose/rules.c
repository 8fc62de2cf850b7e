#include <stddef.h>

#include "base/str.h"
#include "diagnose/diagnose.h"

/* Exit codes as the engine and the shells use them (docker run's manual, bash(1) "EXIT STATUS",
 * signal(7) for 128 + n). */
static const struct {
	int code;
	const char *cause;
	double confidence;
} exit_causes[] = {
	{0, "it ended by itself with success although it is wanted", 0.5},
	{1, "the application failed (exit code 1)", 0.6},
	{2, "the application was misused or misconfigured (exit code 2)", 0.6},
	{125, "the engine could not run it (exit code 125)", 0.8},
	{126, "its command cannot be executed (exit code 126)", 0.8},
	{127, "its command was not found (exit code 127)", 0.8},
	{134, "the application aborted (SIGABRT)", 0.8},
	{135, "the application met a bus error (SIGBUS)", 0.8},
	{137, "it was killed (SIGKILL), by the kernel or from outside the engine", 0.6},
	{139, "the application crashed (segmentation fault)", 0.9},
	{143, "it was told to end (SIGTERM) from outside the engine", 0.6},
};

static void explain_exit(const struct observation *seen, struct diagnosis *diagnosis)
{
	if (seen->oom_killed) {
		STR_SET(diagnosis->cause, "it used more memory than it may and was killed by the kernel");
		diagnosis->confidence = 0.95;
		return;
	}
	if (seen->cause == STOP_ENGINE) {
		STR_SET(diagnosis->cause, "its engine went down under it");
		diagnosis->confidence = 0.9;
		return;
	}
	for (size_t i = 0; i < sizeof(exit_causes) / sizeof(exit_causes[0]); i++) {
		if (exit_causes[i].code != seen->exit_code)
			continue;
		STR_SET(diagnosis->cause, exit_causes[i].cause);
		diagnosis->confidence = exit_causes[i].confidence;
		return;
	}
	if (seen->exit_code > 128 && seen->exit_code < 160)
		STR_FORMAT(diagnosis->cause, "it was ended by signal %d", seen->exit_code - 128);
	else
		STR_FORMAT(diagnosis->cause, "the application failed (exit code %d)", seen->exit_code);
	diagnosis->confidence = 0.5;
}

static void explain(
	enum finding_kind finding, const struct observation *seen, struct diagnosis *diagnosis)
{
	switch (finding) {
	case FINDING_EXITED_UNSEEN:
		STR_SET(diagnosis->cause, "nobody saw why it ended: it may have been stopped on purpose");
		diagnosis->confidence = 0.2;
		break;
	case FINDING_EXITED:
		if (seen != NULL)
			explain_exit(seen, diagnosis);
		break;
	case FINDING_UNHEALTHY:
		STR_SET(diagnosis->cause, "its health check fails");
		diagnosis->confidence = 0.7;
		break;
	case FINDING_UNREACHABLE:
		STR_SET(diagnosis->cause, "the Docker daemon is down, hung or out of reach");
		diagnosis->confidence = 0.7;
		break;
	case FINDING_BLIND:
		STR_SET(diagnosis->cause, "homeostat is not allowed to look");
		diagnosis->confidence = 0.9;
		break;
	case FINDING_NONE:
	case FINDING_FINE:
	case FINDING_UNSURE:
		break;
	}
}

/* The label homeostat.action may name another remedy for its container, or none. */
static const char *container_action(const struct component *component)
{
	if (str_equal(component->action, "none"))
		return "";
	if (str_equal(component->action, "stop"))
		return "docker.container.stop";
	return "docker.container.restart";
}

void diagnose_by_rules(enum finding_kind finding, const struct component *component,
	const struct observation *seen, struct diagnosis *diagnosis)
{
	*diagnosis = (struct diagnosis){0};
	STR_SET(diagnosis->by, "rules");
	STR_SET(diagnosis->cause, "unknown");
	explain(finding, seen, diagnosis);
	if (seen != NULL)
		STR_SET(diagnosis->evidence, seen->detail);
	if (component->kind == COMPONENT_CONTAINER)
		STR_SET(diagnosis->action, container_action(component));
}
