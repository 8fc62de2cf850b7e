/*
 * Restart a unit of systemd's: earlier failures are forgotten first, or a start limit that was hit
 * would refuse it. That its job is done proves nothing: the looks afterwards do.
 */
#include <string.h>

#include "act/host_common.h"
#include "base/str.h"
#include "client/systemd.h"

#define CALL_MS 10000
/* systemd's own time-outs of a start and a stop are 90 s each; the core waits 300. */
#define RESTART_MS 200000

/* A unit on its host; both are closed by scene_close. */
struct scene {
	struct host *host;
	struct systemd *systemd;
	struct unit unit;
};

static void scene_close(struct scene *scene)
{
	systemd_close(scene->systemd);
	host_close(scene->host);
}

static bool scene_open(struct scene *scene, const struct act_context *context,
	const struct plan *plan, struct err *err)
{
	*scene = (struct scene){.host = host_of_plan(context, plan, err)};
	if (scene->host == NULL)
		return false;
	scene->systemd = systemd_open(scene->host, CALL_MS);
	return systemd_unit(scene->systemd, plan->native, &scene->unit, err);
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	struct scene scene;
	bool ok = scene_open(&scene, context, plan, err);
	if (ok)
		str_format(text, size, "would restart %s, which is %s (%s)", plan->native,
			scene.unit.active, scene.unit.sub);
	scene_close(&scene);
	return ok;
}

/* What stands in the way now, though it did not when the plan was made; NULL: nothing. An order is
 * obeyed whatever state the unit is in. */
static const char *obstacle(const struct unit *unit, bool ordered)
{
	if (is(unit->load, "masked"))
		return "it is masked: somebody means it never to run";
	if (ordered)
		return NULL;
	if (is(unit->active, "inactive"))
		return "it is not failed any more: somebody has stopped it";
	if (is(unit->active, "deactivating"))
		return "it is being stopped";
	return NULL;
}

static enum act_result restart(struct scene *scene, const struct act_context *context,
	const struct plan *plan, char *text, size_t size)
{
	char result[24];
	struct err err = {0};
	const char *why_not = obstacle(&scene->unit, context->ordered);
	if (why_not != NULL) {
		str_copy(text, size, why_not);
		return ACT_REFUSED;
	}
	/* one that systemd restarts in a loop is active now and then: restarts tell */
	if (is(scene->unit.active, "active") && scene->unit.restarts == 0 && !context->ordered) {
		str_format(text, size, "service '%s' runs already", plan->label);
		return ACT_DONE;
	}
	if (!systemd_restart(scene->systemd, plan->native, RESTART_MS, result, &err)) {
		str_copy(text, size, err.text);
		return err.kind == ERR_TIMEOUT || err.kind == ERR_RETRY || err.kind == ERR_CANCELLED
			? ACT_UNKNOWN
			: err.kind == ERR_GONE ? ACT_GONE
								   : ACT_FAILED;
	}
	if (!is(result, "done")) {
		str_format(text, size, "systemd could not restart service '%s': its job's result is %s",
			plan->label, result);
		return ACT_FAILED;
	}
	str_format(text, size, "Successfully restarted service '%s'", plan->label);
	return ACT_DONE;
}

static enum act_result run(
	const struct act_context *context, const struct plan *plan, char *text, size_t size)
{
	struct scene scene;
	struct err err = {0};
	enum act_result result;
	if (scene_open(&scene, context, plan, &err)) {
		result = restart(&scene, context, plan, text, size);
	} else {
		str_copy(text, size, err.text);
		result = err.kind == ERR_GONE ? ACT_GONE : ACT_FAILED;
	}
	scene_close(&scene);
	return result;
}

static enum look_result judge(const struct unit *unit, char *text, size_t size)
{
	bool waits = is(unit->sub, "auto-restart") || is(unit->sub, "auto-restart-queued");
	str_format(text, size, "it is %s (%s)", unit->active, unit->sub);
	if (is(unit->active, "active") || is(unit->active, "reloading"))
		return LOOK_HEALTHY;
	if (waits) {
		str_format(text, size, "it failed again (%s), and systemd restarts it", unit->result);
		return LOOK_UNHEALTHY;
	}
	if (is(unit->active, "activating"))
		return LOOK_NOT_YET;
	if (is(unit->active, "failed")) {
		str_format(text, size, "it failed again: %s", unit->result);
		return LOOK_UNHEALTHY;
	}
	if (is(unit->active, "inactive"))
		return is(unit->type, "oneshot") && is(unit->result, "success") ? LOOK_HEALTHY : LOOK_MEANT;
	return LOOK_NOT_YET;
}

static enum look_result verify(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct scene scene;
	struct err err = {0};
	enum look_result seen;
	*since_ms = 0;
	if (scene_open(&scene, context, plan, &err)) {
		bool job = is(scene.unit.type, "oneshot") && is(scene.unit.active, "inactive");
		*since_ms = (int64_t)((job ? scene.unit.inactive_enter_us : scene.unit.active_enter_us) /
			1000);
		seen = judge(&scene.unit, text, size);
	} else {
		str_copy(text, size, err.text);
		seen = err.kind == ERR_GONE ? LOOK_MEANT : LOOK_BLIND;
	}
	scene_close(&scene);
	return seen;
}

const struct action service_restart = {
	.info =
		{
			.name = "systemd.unit.restart",
			.summary = "Restart a systemd unit, its earlier failures forgotten.",
			.title = "Restart service",
			.done = "restarted service",
			.kind = COMPONENT_SERVICE,
			.floor = RISK_LOW,
			.has_undo = false,
			.counts = true,
		},
	.check = check,
	.run = run,
	.verify = verify,
};
