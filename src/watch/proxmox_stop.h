/*
 * Why a guest of Proxmox VE does not run: the pure decision, out of the tasks of its cluster, the
 * uptime of its node, its lock and what HA wants. Each rule gives its reason where it stands.
 */
#ifndef WATCH_PROXMOX_STOP_H
#define WATCH_PROXMOX_STOP_H

#include "client/proxmox.h"
#include "model/observation.h"

struct prox_scene {
	int vmid;
	const char *node;
	const struct proxmox_task *tasks; /* of any node and guest, in any order */
	int task_count;
	bool tasks_known;
	int64_t wall_s, node_up_s;         /* how long the node is up; < 0: not known */
	const char *lock;                  /* "" : none */
	const char *ha_state, *ha_request; /* "" : HA does not manage it */
	int64_t down_ms;                   /* how long it is seen down */
	bool wanted;                       /* critical, or started at boot */
};

struct prox_verdict {
	enum obs_state state; /* EXITED, RESTARTING, PAUSED, CREATED */
	enum stop_cause cause;
	char who[64], detail[120];
	int64_t since_s; /* 0: not known */
};

struct prox_verdict prox_judge_stop(const struct prox_scene *scene);
/* HA is on its way to do something with the guest: nothing else may. */
bool prox_ha_moves(const char *ha_state);
/* When the lock was taken, by the task that takes such; 0: none is seen. */
int64_t prox_lock_taken_s(const struct prox_scene *scene);

#endif
