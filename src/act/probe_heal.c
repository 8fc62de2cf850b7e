/*
 * Restart what a probe's heals: names, as long as that runs: when it does not, its own source knows
 * why, and a person may mean it. Verified by the probe itself.
 */
#include <string.h>

#include "act/docker_common.h"
#include "act/host_common.h"
#include "base/http.h"
#include "base/str.h"
#include "client/probe.h"
#include "client/systemd.h"

#define CALL_MS 10000
#define RESTART_MS 60000
#define UNIT_MS 200000

static const struct config_probe *probe_of(
	const struct act_context *context, const struct plan *plan)
{
	for (int i = 0; i < context->config->probe_count; i++)
		if (strcmp(context->config->probes[i].name, plan->native) == 0)
			return &context->config->probes[i];
	return NULL;
}

/* What is to be restarted: a source's name and the object's in it. */
struct target {
	char source[64], name[NATIVE_MAX_BYTES];
	bool docker;
};

static bool find_target(const struct act_context *context, const struct plan *plan,
	struct target *target, struct err *err)
{
	const struct config_probe *probe = probe_of(context, plan);
	if (probe == NULL || probe->heals == NULL)
		return err_set(err, ERR_GONE, "probe %s names nothing that it heals", plan->label);
	const char *slash = strchr(probe->heals, '/');
	STR_FORMAT(target->source, "%.*s", (int)(slash - probe->heals), probe->heals);
	STR_SET(target->name, slash + 1);
	target->docker = str_starts(probe->heals, "docker:");
	if (!target->docker && strchr(target->name, '.') == NULL)
		STR_FORMAT(target->name, "%.80s.service", slash + 1);
	return true;
}

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	struct target target;
	if (!find_target(context, plan, &target, err))
		return false;
	str_format(text, size, "would restart %s of %s", target.name, target.source);
	return true;
}

/* That its target is gone or stands still does not end the probe's trouble: it is a failure, which
 * the budget bounds. */
static enum act_result say(enum act_result result, char *text, size_t size, const char *words)
{
	str_copy(text, size, words);
	return result;
}

/* The container's own labels forbid, or raise its risk: this action is not the way around them. */
static bool is_forbidden(const struct docker_container *container)
{
	char value[32];
	if (json_copy(json_get(container->labels, "homeostat.enable"), value, sizeof(value)) &&
		strcmp(value, "false") == 0)
		return true;
	if (json_copy(json_get(container->labels, "homeostat.action"), value, sizeof(value)) &&
		strcmp(value, "restart") != 0)
		return true;
	return json_copy(json_get(container->labels, "homeostat.risk"), value, sizeof(value)) &&
		strcasecmp(value, "low") != 0;
}

static enum act_result restart_container(
	const struct act_context *context, const struct target *target, char *text, size_t size)
{
	struct plan plan = {0};
	struct docker_container container;
	struct err err = {0};
	int status = 0;
	STR_SET(plan.source, target->source);
	struct docker *docker = docker_of_plan(context, &plan, &err);
	enum act_result result = ACT_DONE;
	if (docker == NULL || !docker_inspect(docker, target->name, context->arena, &container, &err))
		result = say(ACT_FAILED, text, size, err.text);
	else if (strcmp(container.status, "running") != 0)
		result = say(ACT_FAILED, text, size, "its container does not run: that is its own matter");
	else if (is_forbidden(&container))
		result = say(ACT_FAILED, text, size, "its container's labels forbid it, or ask for more");
	else if (!docker_post(docker,
				 arena_printf(context->arena, "/containers/%s/restart?t=10",
					 http_encode(context->arena, container.id)),
				 RESTART_MS, &status, &err))
		result = say(status == 0 ? ACT_UNKNOWN : ACT_FAILED, text, size, err.text);
	docker_close(docker);
	return result;
}

static enum act_result restart_unit(
	const struct act_context *context, const struct target *target, char *text, size_t size)
{
	char word[24];
	struct unit unit;
	struct err err = {0};
	enum act_result result = ACT_DONE;
	struct host *host = host_named(context, target->source + strlen("host:"), &err);
	if (host == NULL)
		return say(ACT_FAILED, text, size, err.text);
	struct systemd *systemd = systemd_open(host, CALL_MS);
	if (!systemd_unit(systemd, target->name, &unit, &err))
		result = say(ACT_FAILED, text, size, err.text);
	else if (strcmp(unit.active, "active") != 0)
		result = say(ACT_FAILED, text, size, "its service does not run: that is its own matter");
	else if (!systemd_restart(systemd, target->name, UNIT_MS, word, &err))
		result = say(err.kind == ERR_DENIED ? ACT_FAILED : ACT_UNKNOWN, text, size, err.text);
	else if (strcmp(word, "done") != 0)
		result = say(ACT_FAILED, text, size, "systemd could not restart it");
	systemd_close(systemd);
	host_close(host);
	return result;
}

static enum act_result run(
	const struct act_context *context, const struct plan *plan, char *text, size_t size)
{
	struct target target;
	struct probe_answer answer;
	struct err err = {0};
	if (!find_target(context, plan, &target, &err))
		return say(ACT_FAILED, text, size, err.text);
	if (!context->ordered && probe_ask(probe_of(context, plan), context->stop_fd, &answer, &err) &&
		answer.well)
		return say(ACT_DONE, text, size, "it answers again");
	enum act_result result = target.docker ? restart_container(context, &target, text, size)
										   : restart_unit(context, &target, text, size);
	if (result == ACT_DONE)
		str_format(
			text, size, "Successfully restarted '%s' for probe '%s'", target.name, plan->label);
	return result;
}

static enum look_result verify(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	const struct config_probe *probe = probe_of(context, plan);
	struct probe_answer answer;
	struct err err = {0};
	*since_ms = 0;
	if (probe == NULL) {
		str_copy(text, size, "it is not configured any more");
		return LOOK_MEANT;
	}
	if (!probe_ask(probe, context->stop_fd, &answer, &err)) {
		str_copy(text, size, err.text);
		return LOOK_BLIND;
	}
	str_copy(text, size, answer.text);
	/* what was just restarted may take its time to answer */
	return answer.well ? LOOK_HEALTHY : LOOK_NOT_YET;
}

const struct action probe_heal = {
	.info =
		{
			.name = "probe.target.restart",
			.summary = "Restart the container or unit that a probe's heals: names, if it runs.",
			.title = "Restart what probe {label} looks at",
			.done = "restarted what was probed",
			.kind = COMPONENT_PROBE,
			.floor = RISK_LOW,
			.has_undo = false,
			.counts = true,
		},
	.check = check,
	.run = run,
	.verify = verify,
};
