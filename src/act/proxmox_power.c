/*
 * Start, shut down and stop a guest. HA's guests go through HA: PVE passes the request on to it,
 * and what then happens is only seen afterwards.
 */
#include "act/proxmox_common.h"
#include "base/str.h"

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	(void)context;
	(void)err;
	str_format(text, size, "would %s: %s",
		str_equal(plan->action, "proxmox.guest.start")      ? "start the guest"
			: str_equal(plan->action, "proxmox.guest.stop") ? "cut the guest's power"
															: "shut the guest down",
		plan->label);
	return true;
}

static enum act_result runs_already(struct proxmox_scene *scene)
{
	return proxmox_say(scene, ACT_DONE, "VM/Container %d runs already", scene->at.vmid);
}

static enum act_result start(struct proxmox_scene *scene)
{
	if (scene->guest.state == PROXMOX_RUNNING)
		return runs_already(scene);
	enum act_result result = proxmox_guest_ready(scene);
	if (result != ACT_DONE)
		return result;
	const struct proxmox_guest_status *guest = &scene->guest;
	if (guest->ha_managed && !scene->context->ordered &&
		(str_equal(guest->ha_state, "stopped") || str_equal(guest->ha_state, "disabled")))
		return proxmox_say(
			scene, ACT_REFUSED, "HA was told to keep it stopped: %s", guest->ha_state);
	result = proxmox_power_end(scene, PROXMOX_START, 0, PROXMOX_START_MS);
	if (result == ACT_FAILED && scene->cause == PROXMOX_ALREADY) {
		result = proxmox_guest_refresh(scene);
		return result == ACT_DONE && scene->guest.state == PROXMOX_RUNNING ? runs_already(scene)
			: result == ACT_DONE
			? proxmox_say(scene, ACT_FAILED, "it is said to run already, but does not")
			: result;
	}
	if (result != ACT_DONE)
		return result;
	if (proxmox_left_to_ha(scene))
		return proxmox_say(scene, ACT_DONE, "HA was told to start VM/Container %d", scene->at.vmid);
	return proxmox_say(scene, ACT_DONE, "Successfully started VM/Container %d%s", scene->at.vmid,
		proxmox_note(scene));
}

static enum act_result stopped_already(struct proxmox_scene *scene)
{
	return proxmox_say(scene, ACT_DONE, "VM/Container %d is stopped already", scene->at.vmid);
}

/* How it ended, and by what. */
static enum act_result stopped(struct proxmox_scene *scene, enum act_result result, const char *how)
{
	if (result == ACT_FAILED && scene->cause == PROXMOX_ALREADY)
		return stopped_already(scene);
	if (result != ACT_DONE)
		return result;
	if (proxmox_left_to_ha(scene))
		return proxmox_say(scene, ACT_DONE, "HA was told to stop VM/Container %d", scene->at.vmid);
	return proxmox_say(scene, ACT_DONE, "Successfully stopped VM/Container %d%s%s", scene->at.vmid,
		how, proxmox_note(scene));
}

static enum act_result stop(struct proxmox_scene *scene)
{
	if (scene->guest.state == PROXMOX_STOPPED)
		return stopped_already(scene);
	/* Whoever orders it to be stopped means the paused one, too. */
	bool paused = scene->guest.state == PROXMOX_PAUSED && scene->context->ordered;
	enum act_result result = paused ? proxmox_guest_free(scene) : proxmox_guest_ready(scene);
	if (result != ACT_DONE)
		return result;
	result = proxmox_power_end(scene, PROXMOX_STOP, 0, PROXMOX_STOP_MS);
	return stopped(scene, result, "");
}

static enum act_result shut_down(struct proxmox_scene *scene)
{
	int wait_s = params_number(scene->plan->params, "wait", PROXMOX_SHUTDOWN_S);
	bool force = params_number(scene->plan->params, "force", 0) == 1;
	wait_s = wait_s > 0 ? wait_s : PROXMOX_SHUTDOWN_S;
	if (wait_s > PROXMOX_WAIT_MAX_S)
		return proxmox_say(
			scene, ACT_REFUSED, "wait=%d: at most %d seconds", wait_s, PROXMOX_WAIT_MAX_S);
	if (scene->guest.state == PROXMOX_STOPPED)
		return stopped_already(scene);
	enum act_result result = proxmox_guest_ready(scene);
	if (result != ACT_DONE)
		return result;
	result = proxmox_power_end(
		scene, PROXMOX_SHUTDOWN, wait_s, (int64_t)wait_s * 1000 + PROXMOX_STOP_MS);
	if (result != ACT_FAILED || scene->cause != PROXMOX_TIMED_OUT)
		return stopped(scene, result, "");
	if (!force)
		return proxmox_say(scene, ACT_FAILED,
			"VM/Container %d did not shut down in %d s: it ignores the request", scene->at.vmid,
			wait_s);
	/* Quorum may have been lost while we waited: then it could not be started again. */
	result = proxmox_quorum_demand(scene);
	if (result == ACT_DONE)
		result = proxmox_power_end(scene, PROXMOX_STOP, 0, PROXMOX_STOP_MS);
	return stopped(scene, result, ", by force: it ignored the shutdown");
}

#define RUN(name, act) \
	static enum act_result name( \
		const struct act_context *context, const struct plan *plan, char *text, size_t size) \
	{ \
		struct proxmox_scene scene = { \
			.context = context, .plan = plan, .text = text, .size = size, .cpu = -1}; \
		return proxmox_guest_act(&scene, true, act); \
	}
RUN(run_start, start)
RUN(run_stop, stop)
RUN(run_shutdown, shut_down)

static enum look_result verify_start(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct proxmox_scene scene = {.context = context, .plan = plan, .text = text, .size = size};
	enum look_result seen = proxmox_guest_look(&scene);
	if (seen == LOOK_HEALTHY)
		seen = proxmox_look_runs(&scene, since_ms);
	proxmox_scene_close(&scene);
	return seen;
}

static enum look_result judge_stop(struct proxmox_scene *scene)
{
	const struct proxmox_guest_status *guest = &scene->guest;
	if (guest->state == PROXMOX_GUEST_UNKNOWN)
		return proxmox_look_say(scene, LOOK_BLIND, "its state is not known");
	if (guest->state == PROXMOX_STOPPED)
		return proxmox_look_say(scene, LOOK_HEALTHY, "it is stopped");
	static const char *const stopping[] = {"stop", "shutdown", NULL};
	const char *task = proxmox_task_at_work(scene, stopping);
	if (task[0] != '\0')
		return proxmox_look_say(scene, LOOK_NOT_YET, "its task %s runs", task);
	/* "started" it stays until HA's manager has read the request. */
	if (guest->ha_managed && !str_equal(guest->ha_state, "error") &&
		!str_equal(guest->ha_state, "ignored"))
		return proxmox_look_say(scene, LOOK_NOT_YET, "HA is to stop it: %s", guest->ha_state);
	return proxmox_look_say(scene, LOOK_UNHEALTHY, "it still runs");
}

static enum look_result verify_stop(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct proxmox_scene scene = {.context = context, .plan = plan, .text = text, .size = size};
	enum look_result seen = proxmox_guest_look(&scene);
	*since_ms = 0;
	if (seen == LOOK_HEALTHY)
		seen = judge_stop(&scene);
	proxmox_scene_close(&scene);
	return seen;
}

static const struct action_param shutdown_params[] = {
	{"wait", PARAM_COUNT, false, "seconds that the guest is given (60)"},
	{"force", PARAM_FLAG, false, "1: cut its power when it ignores the request"},
	{NULL, PARAM_NAME, false, NULL},
};

const struct action proxmox_start = {
	.info =
		{
			.name = "proxmox.guest.start",
			.summary = "Start a virtual machine or container.",
			.title = "Start {guest}",
			.done = "started VM/Container",
			.kind = COMPONENT_GUEST,
			.floor = RISK_MEDIUM,
			.has_undo = false,
			.counts = true,
		},
	.check = check,
	.run = run_start,
	.verify = verify_start,
};
const struct action proxmox_shutdown = {
	.info =
		{
			.name = "proxmox.guest.shutdown",
			.summary = "Ask a virtual machine or container to shut down.",
			.title = "Shut down {guest}",
			.done = "stopped VM/Container",
			.kind = COMPONENT_GUEST,
			.floor = RISK_MEDIUM,
			.has_undo = false,
			.counts = true,
			.params = shutdown_params,
		},
	.check = check,
	.run = run_shutdown,
	.verify = verify_stop,
};
const struct action proxmox_stop = {
	.info =
		{
			.name = "proxmox.guest.stop",
			.summary = "Cut the power of a virtual machine or container.",
			.title = "Stop {guest}",
			.done = "stopped VM/Container",
			.kind = COMPONENT_GUEST,
			.floor = RISK_HIGH,
			.has_undo = false,
			.counts = true,
		},
	.check = check,
	.run = run_stop,
	.verify = verify_stop,
};
