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

/* What a kind of finding by itself says of its cause, and what helps against it. What is told by
 * the observation comes before it. */
static const struct {
	const char *cause;
	double confidence;
	const char *action; /* NULL: a person is needed */
} known[FINDING_KINDS] = {
	[FINDING_EXITED_UNSEEN] = {"nobody saw why it ended: it may have been stopped on purpose", 0.2,
		"docker.container.restart"},
	[FINDING_EXITED] = {"unknown", 0, "docker.container.restart"},
	[FINDING_UNHEALTHY] = {"its health check fails", 0.7, NULL},
	[FINDING_UNREACHABLE] = {"it is down, hung or out of reach", 0.7, NULL},
	[FINDING_BLIND] = {"homeostat is not allowed to look", 0.9, NULL},
	[FINDING_STOPPED] = {"it ended by itself, or its host stopped it: no task of a person tells of "
						 "it",
		0.6, "proxmox.guest.start"},
	[FINDING_OFFLINE] = {"the node is down, or cut off from the others", 0.7, NULL},
	[FINDING_NO_QUORUM] = {"too few nodes of the cluster see each other: nothing is started or "
						   "stopped until they do",
		0.9, NULL},
	[FINDING_HIGH_CPU] = {"more work than its cores can do", 0.5, NULL},
	[FINDING_HIGH_MEMORY] = {"what runs on it needs nearly all of its memory", 0.5, NULL},
	[FINDING_DISK_FULL] = {"old data was never cleaned up, or something writes too much", 0.4,
		NULL},
	[FINDING_GONE] = {"its server, its disk or its mount is away", 0.6, NULL},
	[FINDING_LOCKED] = {"the task that locked it ended without unlocking it", 0.6, NULL},
	[FINDING_HA_ERROR] = {"HA has given it up", 0.8, NULL},
	[FINDING_BACKUP] = {"its backup job failed, does not run, or leaves it out", 0.6, NULL},
	[FINDING_REPLICATION] = {"its last replication failed", 0.7, NULL},
	[FINDING_CERTIFICATE] = {"it was not renewed", 0.8, NULL},
	[FINDING_DEVICE] = {"the disk itself says that it fails", 0.9, NULL},
	[FINDING_POOL] = {"a disk of the pool has failed or was taken away", 0.8, NULL},
	[FINDING_UPDATES] = {"updates wait for a reboot", 0.9, NULL},
	[FINDING_FAILED] = {"it ended with an error", 0.5, NULL},
	[FINDING_IDLE] = {"containers were stopped to free memory, and there is enough again", 0.9,
		NULL},
	[FINDING_GAVE_UP] = {"systemd will not restart it any more", 0.8, NULL},
};

static void explain(
	enum finding_kind finding, const struct observation *seen, struct diagnosis *diagnosis)
{
	if (known[finding].cause != NULL)
		STR_SET(diagnosis->cause, known[finding].cause);
	diagnosis->confidence = known[finding].confidence;
	if (finding == FINDING_EXITED && seen != NULL)
		explain_exit(seen, diagnosis);
	else if (seen != NULL && seen->component.kind == COMPONENT_SERVICE && seen->detail[0] != '\0')
		STR_SET(diagnosis->cause, seen->detail);
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

/* What helps a machine, or an engine, where commands can be run. */
static const char *shell_action(enum finding_kind finding, const struct component *component)
{
	if (!component->shell)
		return "";
	if (component->kind == COMPONENT_DOCKER_DAEMON)
		return finding == FINDING_UNREACHABLE ? "docker.daemon.restart" : "";
	if (component->kind == COMPONENT_PROBE)
		return finding == FINDING_UNHEALTHY ? "probe.target.restart" : "";
	if (component->kind != COMPONENT_NODE)
		return "";
	return finding == FINDING_DISK_FULL  ? "host.disk.clean"
		: finding == FINDING_IDLE        ? "host.memory.restore"
		: finding == FINDING_HIGH_MEMORY ? "host.memory.free"
										 : "";
}

/* A node's own services are restarted by the names that the node's list gives them, one after the
 * other. What is no name is for a person. */
static void service_action(const struct observation *seen, struct diagnosis *diagnosis)
{
	static const struct action_param params[] = {
		{"service", PARAM_NAMES, true, ""}, {NULL, PARAM_NAME, false, NULL}};
	static const struct action_info restart = {
		.name = "proxmox.node.service.restart", .params = params};
	char text[PARAMS_MAX_BYTES];
	if (seen == NULL || seen->component.kind != COMPONENT_NODE || seen->aspect != ASPECT_SERVICE)
		return;
	STR_FORMAT(text, "service=%s", seen->services);
	if (params_check(&restart, text, diagnosis->params, NULL))
		STR_SET(diagnosis->action, restart.name);
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
	else if (component->kind == COMPONENT_SERVICE && finding_is_failure(finding))
		STR_SET(diagnosis->action, "systemd.unit.restart");
	else if (shell_action(finding, component)[0] != '\0')
		STR_SET(diagnosis->action, shell_action(finding, component));
	else if (component->kind == COMPONENT_MCP &&
		(finding == FINDING_UNREACHABLE || finding == FINDING_UNHEALTHY))
		STR_SET(diagnosis->action, "mcp.server.restart");
	else if (known[finding].action != NULL)
		STR_SET(diagnosis->action, known[finding].action);
	else if (finding == FINDING_FAILED)
		service_action(seen, diagnosis);
}
