/*
 * Guests. That one does not run is believed only after a look at itself, since the list is up to
 * 10 s old; why it does not is asked of the tasks then. What was found out is remembered as long as
 * nothing changes.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "watch/proxmox_see.h"

/* How long an answer about a guest that does not run is good: of one that is meant to be so, of one
 * that is not, and what its configuration says. */
/* Of a look's questions, so many are left to guests that nothing is known of yet. */
#define QUESTIONS_FOR_NEW (PROX_QUESTIONS_MAX * 2 / 3)
#define SURE_MS 300000
#define UNSURE_MS 30000
#define CONFIG_MS 3600000

/* One guest in one look. */
struct sight {
	struct prox_seen *seen;
	const struct proxmox_guest *guest;
	struct prox_memo *memo;
	struct prox_guest_memo *mind;
	struct observation what;
	bool is_new;
};

const struct proxmox_rights *prox_rights(struct prox_seen *seen)
{
	struct err why = {0};
	if (seen->rights_asked == PROX_UNASKED)
		seen->rights_asked = proxmox_rights(
								 seen->source->client, seen->scratch, &seen->rights, &why)
			? PROX_ANSWERED
			: PROX_UNANSWERED;
	if (why.kind != ERR_NONE)
		prox_note(seen, &why);
	return seen->rights_asked == PROX_ANSWERED ? &seen->rights : NULL;
}

static const struct proxmox_task_list *tasks_of(struct prox_seen *seen)
{
	struct err why = {0};
	if (seen->tasks_asked == PROX_UNASKED)
		seen->tasks_asked = proxmox_tasks(seen->source->client, seen->scratch, &seen->tasks, &why)
			? PROX_ANSWERED
			: PROX_UNANSWERED;
	if (why.kind != ERR_NONE)
		prox_note(seen, &why);
	return seen->tasks_asked == PROX_ANSWERED ? &seen->tasks : NULL;
}

static const char *ha_request(struct prox_seen *seen, const struct proxmox_guest *guest)
{
	struct err why = {0};
	if (guest->ha_state[0] == '\0')
		return "";
	if (seen->ha_asked == PROX_UNASKED)
		seen->ha_asked = proxmox_ha(seen->source->client, seen->scratch, &seen->ha, &why)
			? PROX_ANSWERED
			: PROX_UNANSWERED;
	if (why.kind != ERR_NONE)
		prox_note(seen, &why);
	for (int i = 0; seen->ha_asked == PROX_ANSWERED && i < seen->ha.count; i++)
		if (seen->ha.services[i].vmid == guest->vmid)
			return seen->ha.services[i].request_state;
	/* not to be had: its state is the same once HA has done what was requested */
	return guest->ha_state;
}

/* The newest of the cluster, and what its node remembers of this guest. */
static void gather_tasks(struct sight *sight, struct prox_scene *scene)
{
	struct prox_seen *seen = sight->seen;
	const struct proxmox_task_list *newest = tasks_of(seen);
	const struct proxmox_task_filter filter = {sight->guest->node, NULL, sight->guest->vmid};
	struct proxmox_task_list own = {0};
	struct err why = {0};
	seen->questions--;
	bool has_own = proxmox_node_tasks(seen->source->client, &filter, seen->scratch, &own, &why);
	if (!has_own)
		prox_note(seen, &why);
	int count = (newest != NULL ? newest->count : 0) + (has_own ? own.count : 0);
	struct proxmox_task *all = arena_try(seen->scratch, ((size_t)count + 1) * sizeof(*all));
	if (all == NULL)
		return;
	for (int i = 0; newest != NULL && i < newest->count; i++)
		all[scene->task_count++] = newest->rows[i];
	for (int i = 0; has_own && i < own.count; i++)
		all[scene->task_count++] = own.rows[i];
	scene->tasks = all;
	scene->tasks_known = has_own && newest != NULL;
}

static struct prox_scene scene_of(struct sight *sight)
{
	struct prox_seen *seen = sight->seen;
	const struct proxmox_node *node = proxmox_node_find(&seen->look, sight->guest->node);
	return (struct prox_scene){.vmid = sight->guest->vmid,
		.node = sight->guest->node,
		.wall_s = seen->wall_ms / 1000,
		.node_up_s = node != NULL ? node->uptime_s : -1,
		.lock = sight->guest->lock,
		.ha_state = sight->guest->ha_state,
		.ha_request = "",
		.down_ms = sight->mind->down_mono_ms > 0 ? seen->mono_ms - sight->mind->down_mono_ms : 0};
}

static void read_tags(struct component *component, const char *tags)
{
	component->ignored = proxmox_list_has(tags, "homeostat-ignore");
	if (proxmox_list_has(tags, "homeostat-risk-high")) {
		component->has_risk = true;
		component->risk = RISK_HIGH;
	} else if (proxmox_list_has(tags, "homeostat-risk-medium")) {
		component->has_risk = true;
		component->risk = RISK_MEDIUM;
	}
}

struct component prox_guest_component(struct prox_seen *seen, const struct proxmox_guest *guest)
{
	struct component component = prox_component(seen, COMPONENT_GUEST, guest->name);
	prox_guest_name(seen, guest, component.name);
	const struct prox_memo *memo = prox_memory_find(&seen->source->memory, component.name);
	/* a name that is not known any more (its node is lost) is still its name */
	if (guest->name[0] == '\0' && memo != NULL && memo->label != NULL)
		STR_SET(component.label, memo->label);
	else if (guest->name[0] == '\0')
		STR_FORMAT(component.label, "%d", guest->vmid);
	prox_node_name(seen, guest->node, component.parent);
	STR_FORMAT(component.native, "%s/%d", guest->kind == PROXMOX_LXC ? "lxc" : "qemu", guest->vmid);
	component.critical = prox_is_critical(seen, guest->vmid);
	read_tags(&component, guest->tags);
	return component;
}

static void name_guest(struct sight *sight)
{
	struct component component = prox_guest_component(sight->seen, sight->guest);
	sight->is_new = prox_memory_find(&sight->seen->source->memory, component.name) == NULL;
	sight->memo = prox_remember(sight->seen, &component);
	if (sight->memo->guest == NULL)
		sight->memo->guest = calloc(1, sizeof(*sight->memo->guest));
	sight->mind = sight->memo->guest;
	if (sight->mind == NULL)
		abort();
	sight->what = observation_of(&component, ASPECT_STATE);
	sight->what.want = component.critical ? WANT_CRITICAL : WANT_NOT;
}

static void note_held(struct sight *sight)
{
	const struct proxmox_guest *guest = sight->guest;
	struct observation *what = &sight->what;
	STR_SET(what->held, prox_held(sight->seen));
	if (what->held[0] == '\0' && guest->lock[0] != '\0')
		STR_FORMAT(what->held, "locked (%.40s)", guest->lock);
	if (what->held[0] == '\0' && prox_ha_moves(guest->ha_state))
		STR_FORMAT(what->held, "HA is moving it (%.30s)", guest->ha_state);
}

/* Since when it is locked: of a lock that we saw come, since then; else by the task that took it.
 */
static void see_lock(struct sight *sight)
{
	struct prox_seen *seen = sight->seen;
	struct prox_guest_memo *mind = sight->mind;
	const char *lock = sight->guest->lock;
	struct observation what = sight->what;
	if (strcmp(mind->lock, lock) != 0) {
		STR_SET(mind->lock, lock);
		mind->lock_since_ms = seen->wall_ms;
		mind->lock_asked = !sight->is_new && !seen->complete;
		if (mind->stop != NULL)
			mind->stop->known = false;
	}
	if (lock[0] != '\0' && !mind->lock_asked && seen->questions > 0) {
		struct prox_scene scene = scene_of(sight);
		gather_tasks(sight, &scene);
		int64_t taken = prox_lock_taken_s(&scene) * 1000;
		mind->lock_asked = scene.tasks_known;
		if (taken > 0 && taken < mind->lock_since_ms)
			mind->lock_since_ms = taken;
	}
	what.aspect = ASPECT_LOCK;
	what.state = OBS_RUNNING;
	what.since_ms = lock[0] != '\0' ? mind->lock_since_ms : 0;
	if (lock[0] != '\0' &&
		seen->wall_ms - mind->lock_since_ms > seen->source->context.config->thresholds.lock_ms) {
		char since[24];
		str_utc(since, mind->lock_since_ms);
		what.fault = FAULT_WARNING;
		STR_FORMAT(what.detail, "locked (%.40s) since %s", lock, since);
	}
	prox_tell(seen, sight->memo, &what);
}

static void see_ha(struct sight *sight)
{
	struct observation what = sight->what;
	what.aspect = ASPECT_HA;
	what.state = OBS_RUNNING;
	if (strcmp(sight->guest->ha_state, "error") == 0) {
		what.fault = FAULT_FAILED;
		STR_SET(what.detail,
			"HA has given it up (state error): set it to disabled, mend it, and "
			"set it to started again");
	}
	prox_tell(sight->seen, sight->memo, &what);
}

static void see_cpu(struct sight *sight)
{
	struct observation what = sight->what;
	what.aspect = ASPECT_CPU;
	what.detail[0] = '\0';
	what.percent = sight->what.state == OBS_RUNNING && sight->guest->cpu >= 0
		? sight->guest->cpu * 100
		: -1;
	/* what does not run uses nothing */
	if (sight->what.state == OBS_EXITED || sight->what.state == OBS_CREATED)
		what.percent = 0;
	prox_tell(sight->seen, sight->memo, &what);
}

/* What QEMU itself says of a machine that neither runs nor is stopped. */
static void judge_qmp(struct sight *sight, const char *qmp)
{
	static const struct {
		const char *qmp, *detail;
	} bad[] = {
		{"io-error", "stopped by an I/O error: its storage is full or does not answer"},
		{"internal-error", "QEMU has met an internal error"},
		{"guest-panicked", "its kernel has panicked"},
		{"watchdog", "its watchdog has found it hanging"},
	};
	struct observation *what = &sight->what;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (strcmp(qmp, bad[i].qmp) != 0)
			continue;
		what->state = OBS_RUNNING;
		what->health = OBS_UNHEALTHY;
		STR_SET(what->detail, bad[i].detail);
		return;
	}
	if (strcmp(qmp, "paused") == 0 || strcmp(qmp, "suspended") == 0) {
		what->state = OBS_PAUSED;
	} else if (strcmp(qmp, "running") != 0 && qmp[0] != '\0') {
		what->state = OBS_RESTARTING;
		STR_FORMAT(what->detail, "it is in between (%.30s)", qmp);
	}
}

static struct proxmox_at at_of(const struct proxmox_guest *guest)
{
	return (struct proxmox_at){guest->node, guest->kind, guest->vmid};
}

/* A look at the guest itself. False: it does not say that it is stopped, and what is filled. */
static bool is_stopped_really(struct sight *sight, struct proxmox_guest_status *status)
{
	struct prox_seen *seen = sight->seen;
	struct err why = {0};
	if (seen->questions <= 0) {
		sight->what.state = OBS_UNKNOWN;
		return false;
	}
	seen->questions--;
	if (!proxmox_guest_status(seen->source->client, at_of(sight->guest), status, &why)) {
		/* moved or destroyed in this moment, or its node does not answer */
		prox_note(seen, &why);
		sight->what.state = OBS_UNKNOWN;
		return false;
	}
	if (status->state == PROXMOX_STOPPED)
		return true;
	sight->what.state = OBS_RUNNING;
	judge_qmp(sight, status->qmp_status);
	return false;
}

static bool learn_want(struct sight *sight, struct prox_stop *stop)
{
	struct prox_seen *seen = sight->seen;
	struct proxmox_guest_config config;
	struct err why = {0};
	bool fresh = stop->config_mono_ms > 0 && seen->mono_ms - stop->config_mono_ms < CONFIG_MS;
	if (sight->what.component.critical) {
		stop->want = WANT_CRITICAL;
		return true;
	}
	if (fresh && stop->want != WANT_CRITICAL)
		return true;
	if (seen->questions <= 0)
		return false;
	seen->questions--;
	if (!proxmox_guest_config(seen->source->client, at_of(sight->guest), &config, &why)) {
		prox_note(seen, &why);
		return false;
	}
	stop->want = config.onboot ? WANT_STARTED : WANT_NOT;
	stop->config_mono_ms = seen->mono_ms;
	return true;
}

static void keep_verdict(struct sight *sight, const struct prox_verdict *verdict)
{
	struct prox_stop *stop = sight->mind->stop;
	bool same = stop->known && stop->state == (unsigned char)verdict->state &&
		stop->cause == (unsigned char)verdict->cause;
	stop->times = same && stop->times < UCHAR_MAX ? (unsigned char)(stop->times + 1) : 0;
	stop->known = true;
	stop->state = (unsigned char)verdict->state;
	stop->cause = (unsigned char)verdict->cause;
	stop->since_ms = verdict->since_s * 1000;
	STR_SET(stop->who, verdict->who);
	STR_SET(stop->detail, verdict->detail);
	stop->asked_mono_ms = sight->seen->mono_ms;
}

/* How long an answer is good for: longer each time that it was the same, so that hundreds of guests
 * that do not run cannot use up every look's questions. That one runs again shows in the list. */
static int64_t good_for_ms(const struct prox_stop *stop, bool meant)
{
	int64_t ms = meant ? SURE_MS : UNSURE_MS;
	for (int i = 0; i < stop->times && ms < CONFIG_MS; i++)
		ms *= 2;
	return ms < CONFIG_MS ? ms : CONFIG_MS;
}

/* What is meant to be so, or nobody wants, is not asked about on every look. */
static bool is_settled(const struct sight *sight)
{
	const struct prox_stop *stop = sight->mind->stop;
	/* that the lock goes away shows in the list */
	bool locked = sight->guest->lock[0] != '\0';
	bool meant = locked || stop->want == WANT_NOT || stop->cause == STOP_PERSON ||
		stop->state == OBS_CREATED || stop->state == OBS_PAUSED;
	int64_t age = sight->seen->mono_ms - stop->asked_mono_ms;
	return stop->known && (locked || stop->state != OBS_RESTARTING) &&
		age < good_for_ms(stop, meant);
}

static void use_verdict(struct sight *sight)
{
	const struct prox_stop *stop = sight->mind->stop;
	struct observation *what = &sight->what;
	what->state = (enum obs_state)stop->state;
	what->cause = (enum stop_cause)stop->cause;
	what->want = (enum want)stop->want;
	what->since_ms = stop->since_ms;
	/* as old as the answer: the list, which lags, may not know what has been done since */
	what->seen_mono_ms = stop->asked_mono_ms;
	STR_SET(what->who, stop->who);
	STR_SET(what->detail, stop->detail);
	STR_SET(what->status, "stopped");
}

static void look_closer(struct sight *sight)
{
	struct prox_stop *stop = sight->mind->stop;
	struct proxmox_guest_status status;
	/* a lock decides by itself */
	if (!learn_want(sight, stop) && sight->guest->lock[0] == '\0') {
		sight->what.state = OBS_UNKNOWN;
		return;
	}
	/* Nobody wants it to run: why it does not is nobody's question. */
	bool plain = stop->want == WANT_NOT && sight->guest->lock[0] == '\0' &&
		sight->guest->ha_state[0] == '\0';
	struct prox_verdict verdict = {.state = OBS_EXITED, .cause = STOP_UNSEEN};
	if (!plain) {
		if (!is_stopped_really(sight, &status))
			return;
		struct prox_scene scene = scene_of(sight);
		scene.lock = status.lock;
		scene.wanted = stop->want != WANT_NOT;
		scene.ha_request = ha_request(sight->seen, sight->guest);
		if (status.lock[0] == '\0')
			gather_tasks(sight, &scene);
		verdict = prox_judge_stop(&scene);
	}
	keep_verdict(sight, &verdict);
	use_verdict(sight);
}

static void see_stopped(struct sight *sight)
{
	struct prox_guest_memo *mind = sight->mind;
	if (mind->stop == NULL)
		mind->stop = calloc(1, sizeof(*mind->stop));
	if (mind->stop == NULL)
		abort();
	if (mind->down_mono_ms == 0)
		mind->down_mono_ms = sight->seen->mono_ms;
	/* Where this look has no questions to spare, the last answer stands until a later one. */
	bool must_wait = mind->stop->known && sight->seen->questions <= QUESTIONS_FOR_NEW;
	if (is_settled(sight) || must_wait)
		use_verdict(sight);
	else
		look_closer(sight);
}

static void forget_stop(struct prox_guest_memo *mind)
{
	free(mind->stop);
	mind->stop = NULL;
	mind->down_mono_ms = 0;
}

/* Not running, not stopped: paused, or a word that only the machine itself explains. */
static void see_odd(struct sight *sight)
{
	struct proxmox_guest_status status;
	if (sight->guest->name[0] == '\0') {
		sight->what.state = OBS_UNKNOWN;
		return;
	}
	if (sight->guest->kind == PROXMOX_LXC && sight->guest->state == PROXMOX_PAUSED)
		sight->what.state = OBS_PAUSED;
	else if (is_stopped_really(sight, &status))
		see_stopped(sight);
}

static void see_state(struct sight *sight)
{
	const struct proxmox_guest *guest = sight->guest;
	bool is_online = prox_is_online(sight->seen, guest->node);
	if (guest->template) {
		sight->what.state = OBS_CREATED;
		STR_SET(sight->what.detail, "a template");
	} else if (!is_online) {
		sight->what.state = OBS_UNKNOWN;
	} else if (guest->state == PROXMOX_STOPPED) {
		see_stopped(sight);
	} else if (guest->state == PROXMOX_RUNNING) {
		sight->what.state = OBS_RUNNING;
		forget_stop(sight->mind);
	} else {
		see_odd(sight);
	}
	if (sight->what.state == OBS_RUNNING)
		STR_SET(sight->what.status, "running");
}

void prox_see_guest(struct prox_seen *seen, const struct proxmox_guest *guest)
{
	struct sight sight = {.seen = seen, .guest = guest};
	name_guest(&sight);
	note_held(&sight);
	bool is_online = prox_is_online(seen, guest->node);
	if (is_online)
		see_lock(&sight);
	see_state(&sight);
	prox_tell(seen, sight.memo, &sight.what);
	if (!is_online || guest->template)
		return;
	if (guest->ha_state[0] != '\0' || (sight.memo->hot & 1u << ASPECT_HA) != 0)
		see_ha(&sight);
	see_cpu(&sight);
}
