/*
 * Restart a guest: it is asked to reboot; one that ignores it is only cut off when the plan says
 * so, and when nothing forbids to start it again.
 */
#include "act/proxmox_common.h"
#include "base/str.h"

#define HA_STOP_MS 180000
#define HA_POLL_MS 2000

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	(void)context;
	(void)err;
	str_format(text, size, "would restart the guest: %s", plan->label);
	return true;
}

static enum act_result restarted(struct proxmox_scene *scene, const char *how)
{
	if (proxmox_left_to_ha(scene))
		return proxmox_say(
			scene, ACT_DONE, "HA was told to restart VM/Container %d", scene->at.vmid);
	return proxmox_say(scene, ACT_DONE, "Successfully restarted VM/Container %d%s%s",
		scene->at.vmid, how, proxmox_note(scene));
}

/* HA stops it some time after it was told to, or never. */
static bool wait_for_ha(struct proxmox_scene *scene)
{
	const struct clock *clock = scene->context->clock;
	for (int64_t waited = 0; waited < HA_STOP_MS; waited += HA_POLL_MS) {
		if (!clock_wait(clock, HA_POLL_MS, scene->context->stop_fd))
			return false;
		if (proxmox_guest_refresh(scene) == ACT_DONE && scene->guest.state == PROXMOX_STOPPED)
			return true;
	}
	return false;
}

/* HA would keep it stopped once it does stop it: it is told to start it, which PVE refuses for a
 * container as long as that runs. */
static enum act_result take_back(struct proxmox_scene *scene)
{
	enum act_result result = proxmox_power_end(scene, PROXMOX_START, 0, PROXMOX_START_MS);
	return proxmox_say(scene, ACT_FAILED,
		"HA was told to stop VM/Container %d and has not in %d s%s", scene->at.vmid,
		HA_STOP_MS / 1000,
		result == ACT_DONE ? ": it was told to let it run"
						   : ": it may still do so, and then it has to be started");
}

/* It is down by our doing: whatever keeps it there now is a failure, not a delay. */
static enum act_result start_again(struct proxmox_scene *scene)
{
	enum act_result result = proxmox_power_end(scene, PROXMOX_START, 0, PROXMOX_START_MS);
	if (result == ACT_DONE)
		return restarted(scene, ", by force: it ignored the reboot");
	if (result == ACT_FAILED && scene->cause == PROXMOX_ALREADY)
		return restarted(scene, ", by force: it ignored the reboot, and something else started it");
	const char *why = arena_strdup(scene->context->arena, scene->text);
	return proxmox_say(scene, result == ACT_UNKNOWN ? ACT_UNKNOWN : ACT_FAILED,
		"it was stopped, and could not be started again: %s", why);
}

static enum act_result by_force(struct proxmox_scene *scene)
{
	enum act_result result = proxmox_quorum_demand(scene);
	if (result == ACT_DONE)
		result = proxmox_guest_refresh(scene);
	if (result == ACT_DONE)
		result = proxmox_guest_ready(scene);
	if (result != ACT_DONE)
		return result;
	result = proxmox_power_end(scene, PROXMOX_STOP, 0, PROXMOX_STOP_MS);
	if (result != ACT_DONE && !(result == ACT_FAILED && scene->cause == PROXMOX_ALREADY))
		return result;
	if (proxmox_left_to_ha(scene) && !wait_for_ha(scene))
		return take_back(scene);
	return start_again(scene);
}

static enum act_result start_stopped(struct proxmox_scene *scene)
{
	if (!scene->context->ordered)
		return proxmox_say(scene, ACT_REFUSED, "it is stopped: there is nothing to restart");
	enum act_result result = proxmox_guest_ready(scene);
	if (result == ACT_DONE)
		result = proxmox_power_end(scene, PROXMOX_START, 0, PROXMOX_START_MS);
	return result == ACT_DONE ? restarted(scene, ": it was stopped") : result;
}

static enum act_result reboot(struct proxmox_scene *scene)
{
	int wait_s = params_number(scene->plan->params, "wait", PROXMOX_SHUTDOWN_S);
	bool force = params_number(scene->plan->params, "force", 0) == 1;
	wait_s = wait_s > 0 ? wait_s : PROXMOX_SHUTDOWN_S;
	if (wait_s > PROXMOX_WAIT_MAX_S)
		return proxmox_say(
			scene, ACT_REFUSED, "wait=%d: at most %d seconds", wait_s, PROXMOX_WAIT_MAX_S);
	if (scene->guest.state == PROXMOX_STOPPED)
		return start_stopped(scene);
	enum act_result result = proxmox_guest_ready(scene);
	if (result != ACT_DONE)
		return result;
	result = proxmox_power_end(
		scene, PROXMOX_REBOOT, wait_s, (int64_t)wait_s * 1000 + PROXMOX_STOP_MS + PROXMOX_START_MS);
	if (result == ACT_DONE)
		return restarted(scene, "");
	if (result != ACT_FAILED || scene->cause != PROXMOX_TIMED_OUT)
		return result;
	if (force)
		return by_force(scene);
	return proxmox_say(scene, ACT_FAILED,
		"VM/Container %d did not restart: it ignored the request for %d s (force=1 would cut its "
		"power)",
		scene->at.vmid, wait_s);
}

static enum act_result run(
	const struct act_context *context, const struct plan *plan, char *text, size_t size)
{
	struct proxmox_scene scene = {.context = context, .plan = plan, .text = text, .size = size};
	return proxmox_guest_act(&scene, true, reboot);
}

static enum look_result verify(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct proxmox_scene scene = {.context = context, .plan = plan, .text = text, .size = size};
	enum look_result seen = proxmox_guest_look(&scene);
	if (seen == LOOK_HEALTHY)
		seen = proxmox_look_runs(&scene, since_ms);
	proxmox_scene_close(&scene);
	return seen;
}

static const struct action_param params[] = {
	{"wait", PARAM_COUNT, false, "seconds that the guest is given to shut down (60)"},
	{"force", PARAM_FLAG, false, "1: cut its power when it ignores the request"},
	{NULL, PARAM_NAME, false, NULL},
};

const struct action proxmox_reboot = {
	.info =
		{
			.name = "proxmox.guest.reboot",
			.summary = "Ask a virtual machine or container to restart.",
			.title = "Restart {guest}",
			.done = "restarted VM/Container",
			.kind = COMPONENT_GUEST,
			.floor = RISK_MEDIUM,
			.has_undo = false,
			.counts = true,
			.params = params,
		},
	.check = check,
	.run = run,
	.verify = verify,
};
