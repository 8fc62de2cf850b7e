/*
 * Restart a Docker engine that does not respond, by its unit on its host. Which containers ran is
 * read before from the engine's own files, since it cannot be asked, and compared afterwards.
 */
#include <string.h>

#include "act/docker_common.h"
#include "act/host_common.h"
#include "base/str.h"
#include "client/systemd.h"

#define CALL_MS 10000
#define LIST_MS 10000
#define FILES_MS 20000
/* An engine with many containers needs long to stop them all. */
#define RESTART_MS 180000
#define READY_MS 60000
#define RAN_MAX 1000
#define ID_BYTES 65

struct scene {
	const struct act_context *context;
	const struct plan *plan;
	const struct config_docker *config;
	struct host *host;
	char (*ran)[ID_BYTES];
	int ran_count; /* -1: not known */
};

static const struct config_docker *config_of(
	const struct act_context *context, const struct plan *plan)
{
	for (int i = 0; i < context->config->docker_count; i++) {
		const struct config_docker *docker = &context->config->docker[i];
		if (str_starts(plan->source, "docker:") && strcmp(plan->source + 7, docker->name) == 0)
			return docker;
	}
	return NULL;
}

static bool open_scene(struct scene *scene, const struct act_context *context,
	const struct plan *plan, struct err *err)
{
	*scene = (struct scene){
		.context = context, .plan = plan, .config = config_of(context, plan), .ran_count = -1};
	if (scene->config == NULL || scene->config->host == NULL)
		return err_set(err, ERR_GONE,
			"%s: which host the engine runs on is not configured (docker.host)", plan->source);
	scene->host = host_named(context, scene->config->host, err);
	return scene->host != NULL;
}

/* The containers that run, by the engine itself. False: it does not respond. */
static bool list(struct scene *scene, struct json *body, struct err *err)
{
	struct docker *docker = docker_open(scene->config, scene->context->stop_fd, err);
	bool ok = docker != NULL &&
		docker_get(docker, "/containers/json", LIST_MS, scene->context->arena, body, err);
	docker_close(docker);
	return ok;
}

/* The ids of those that its files call running: a line each, …/containers/ID/config.v2.json. */
static void read_ran(struct scene *scene)
{
	static const char *const argv[] = {"find", "/var/lib/docker/containers", "-maxdepth", "2",
		"-name", "config.v2.json", "-exec", "grep", "-l", "\"Running\":true", "{}", "+", NULL};
	struct spawn_result result;
	struct err err = {0};
	const struct host_command command = {.argv = argv, .timeout_ms = FILES_MS};
	/* grep ends with 1 where it finds none, and find with that */
	if (!host_run(scene->host, &command, scene->context->arena, &result, &err) ||
		result.exit_code > 1 || result.complaint[0] != '\0')
		return;
	scene->ran = arena_alloc(scene->context->arena, RAN_MAX * sizeof(*scene->ran));
	scene->ran_count = 0;
	for (const char *at = result.output; scene->ran_count < RAN_MAX; at++) {
		at = strstr(at, "/containers/");
		if (at == NULL)
			break;
		at += strlen("/containers/");
		STR_FORMAT(scene->ran[scene->ran_count], "%.*s", (int)strcspn(at, "/"), at);
		scene->ran_count += strlen(scene->ran[scene->ran_count]) == ID_BYTES - 1 ? 1 : 0;
	}
}

static bool runs_now(struct json body, const char *id)
{
	char text[ID_BYTES];
	for (struct json each = json_first(body); json_is(each); each = json_next(each))
		if (json_copy(json_get(each, "Id"), text, sizeof(text)) && str_equal(text, id))
			return true;
	return false;
}

/* "; 11 of the 12 containers that ran run again" */
static void compare(const struct scene *scene, struct json body, char *text, size_t size)
{
	int again = 0;
	for (int i = 0; i < scene->ran_count; i++)
		again += runs_now(body, scene->ran[i]) ? 1 : 0;
	if (scene->ran_count < 0)
		str_copy(text, size, "; which containers ran before is not known");
	else
		str_format(
			text, size, "; %d of the %d containers that ran run again", again, scene->ran_count);
}

static enum act_result wait_ready(struct scene *scene, char *text, size_t size)
{
	const struct clock *clock = scene->context->clock;
	int64_t deadline = clock_mono_ms(clock) + READY_MS;
	for (;;) {
		struct json body;
		struct err err = {0};
		char compared[120];
		if (list(scene, &body, &err)) {
			compare(scene, body, compared, sizeof(compared));
			str_format(text, size, "Successfully restarted the Docker daemon of %s%s",
				scene->config->host, compared);
			return ACT_DONE;
		}
		if (clock_mono_ms(clock) > deadline || !clock_wait(clock, 1000, scene->context->stop_fd)) {
			str_format(text, size, "%s was restarted on %s, but does not respond: %s",
				scene->config->unit, scene->config->host, err.text);
			return ACT_UNKNOWN;
		}
	}
}

static enum act_result restart(struct scene *scene, char *text, size_t size)
{
	char result[24];
	struct json body;
	struct err err = {0};
	if (!scene->context->ordered && list(scene, &body, &err)) {
		str_copy(text, size, "the Docker daemon responds again");
		return ACT_DONE;
	}
	err = (struct err){0};
	read_ran(scene);
	struct systemd *systemd = systemd_open(scene->host, CALL_MS);
	bool ok = systemd_restart(systemd, scene->config->unit, RESTART_MS, result, &err);
	systemd_close(systemd);
	if (!ok) {
		str_copy(text, size, err.text);
		return err.kind == ERR_TIMEOUT || err.kind == ERR_CANCELLED ? ACT_UNKNOWN : ACT_FAILED;
	}
	if (strcmp(result, "done") != 0) {
		str_format(text, size, "systemd could not restart %s on %s: its job's result is %s",
			scene->config->unit, scene->config->host, result);
		return ACT_FAILED;
	}
	return wait_ready(scene, text, size);
}

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	struct scene scene;
	struct unit unit;
	if (!open_scene(&scene, context, plan, err))
		return false;
	struct systemd *systemd = systemd_open(scene.host, CALL_MS);
	bool ok = systemd_unit(systemd, scene.config->unit, &unit, err);
	systemd_close(systemd);
	read_ran(&scene);
	if (ok)
		str_format(text, size, "would restart %s on %s, which is %s (%s); containers that run: %d",
			scene.config->unit, scene.config->host, unit.active, unit.sub, scene.ran_count);
	host_close(scene.host);
	return ok;
}

static enum act_result run(
	const struct act_context *context, const struct plan *plan, char *text, size_t size)
{
	struct scene scene;
	struct err err = {0};
	enum act_result result = ACT_FAILED;
	if (open_scene(&scene, context, plan, &err))
		result = restart(&scene, text, size);
	else
		str_copy(text, size, err.text);
	host_close(scene.host);
	return result;
}

static enum look_result verify(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct scene scene = {.context = context, .plan = plan, .config = config_of(context, plan)};
	struct json body;
	struct err err = {0};
	*since_ms = 0;
	if (scene.config == NULL) {
		str_copy(text, size, "it is not configured any more");
		return LOOK_MEANT;
	}
	if (!list(&scene, &body, &err)) {
		str_copy(text, size, err.text);
		return LOOK_UNHEALTHY;
	}
	str_format(text, size, "it responds; %zu containers run", json_count(body));
	return LOOK_HEALTHY;
}

const struct action docker_daemon_restart = {
	.info =
		{
			.name = "docker.daemon.restart",
			.summary = "Restart the unit of a Docker engine on its host; all containers without "
					   "live-restore stop for it.",
			.title = "Restart Docker daemon of {label}",
			.done = "restarted the Docker daemon",
			.kind = COMPONENT_DOCKER_DAEMON,
			.floor = RISK_HIGH,
			.has_undo = false,
			.counts = true,
		},
	.check = check,
	.run = run,
	.verify = verify,
};
