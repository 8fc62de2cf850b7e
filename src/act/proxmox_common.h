/*
 * What the Proxmox VE actions share: the plan's guest as it is at this moment, what forbids to
 * touch it, the tasks that are begun, and one look afterwards. A scene belongs to one call of an
 * action and to its thread; its proxmox is open while the action's own function runs.
 * Whatever answers with enum act_result has said in the scene's text why it is not ACT_DONE.
 */
#ifndef ACT_PROXMOX_COMMON_H
#define ACT_PROXMOX_COMMON_H

#include "act/act.h"
#include "client/proxmox.h"

#define PROXMOX_SHUTDOWN_S 60   /* PVE's own patience */
#define PROXMOX_WAIT_MAX_S 3600 /* the longest that a plan may ask for */
#define PROXMOX_STOP_MS 120000
#define PROXMOX_START_MS 300000 /* a machine with much memory takes its time */

struct proxmox_scene {
	const struct act_context *context;
	const struct plan *plan;
	char *text; /* what is said of the result */
	size_t size;
	struct proxmox *proxmox;
	struct proxmox_at at; /* where the guest is now; at.node is node */
	char node[64];
	struct proxmox_guest_status guest; /* live */
	double cpu;                        /* 0..1 as last told by its node; -1: not known */
	const char *ha_lost;               /* its node is not online: "" or HA's state of it */
	/* Of the last task. */
	char task_type[40]; /* "qmstart"; "hastart": HA does it, later or never */
	enum proxmox_cause cause;
	char note[240]; /* "" or its warnings */
};

/* Says it, and returns result. */
enum act_result proxmox_say(struct proxmox_scene *scene, enum act_result result, const char *fmt,
	...) __attribute__((format(printf, 3, 4)));
/* The client of the plan's source. False: said why. Closed by proxmox_scene_close. */
bool proxmox_scene_open(struct proxmox_scene *scene);
void proxmox_scene_close(struct proxmox_scene *scene);

/* Runs act on the guest where it is; when it is found to have moved in between, once more there.
 * With quorum, nothing is done without one. Templates are refused. */
typedef enum act_result proxmox_act_fn(struct proxmox_scene *scene);
enum act_result proxmox_guest_act(struct proxmox_scene *scene, bool quorum, proxmox_act_fn *act);
/* Reads the guest's own state again. */
enum act_result proxmox_guest_refresh(struct proxmox_scene *scene);
enum act_result proxmox_quorum_demand(struct proxmox_scene *scene);
/* ACT_DONE, or why it must not be touched now: it is locked, or HA is at work on it. */
enum act_result proxmox_guest_free(struct proxmox_scene *scene);
/* The same, and: HA has given it up, or a person has paused it. For what changes its power. */
enum act_result proxmox_guest_ready(struct proxmox_scene *scene);

/* What became of a call that begins a task; begun and err are the call's own. Waits for its end.
 * ACT_UNKNOWN: it may have been done. ACT_FAILED: see cause. */
enum act_result proxmox_task_end(struct proxmox_scene *scene, bool begun, const char *upid,
	int64_t timeout_ms, const struct err *err);
/* proxmox_power and its task. */
enum act_result proxmox_power_end(
	struct proxmox_scene *scene, enum proxmox_power power, int wait_s, int64_t timeout_ms);
/* HA was told, and does it by itself: nothing has happened yet. */
bool proxmox_left_to_ha(const struct proxmox_scene *scene);
/* ": with warnings: …", or "". In the context's arena. */
const char *proxmox_note(const struct proxmox_scene *scene);
/* Whether the last call failed so that nothing was done: it was refused, or never sent. */
bool proxmox_not_done(const struct proxmox_scene *scene, const struct err *err);

/* Looks at the guest. LOOK_HEALTHY: it was read, no more; else why not. */
enum look_result proxmox_guest_look(struct proxmox_scene *scene);
/* Whether it runs, and since when; with the reasons of what is not healthy. */
enum look_result proxmox_look_runs(struct proxmox_scene *scene, int64_t *since_ms);
enum look_result proxmox_look_say(struct proxmox_scene *scene, enum look_result result,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A task of this guest that runs and whose type has one of the words, ended by NULL; or "". In the
 * context's arena. */
const char *proxmox_task_at_work(struct proxmox_scene *scene, const char *const *words);

#endif
