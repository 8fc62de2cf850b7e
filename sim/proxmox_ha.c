/* HA: an actor that changes guests some time after it was told to, or never. */
#include <stdio.h>
#include <string.h>

#include "sim/proxmox_world.h"

#define FENCE_MS 60000
#define RECOVER_MS 50000 /* after the fencing: 110 s in all */

void pve_ha_wake(struct sim_proxmox *sim, struct pve_ha *ha)
{
	const struct pve_guest *guest = pve_guest_find(sim, ha->vmid);
	bool wants = strcmp(ha->request, "started") == 0;
	bool ignores = strcmp(ha->request, "ignored") == 0 || strcmp(ha->state, "error") == 0;
	if (guest == NULL || ignores || sim->nodes[guest->node].life == PVE_DEAD)
		return;
	if (guest->running == wants) {
		STR_SET(ha->state, wants ? "started" : "stopped");
		return;
	}
	STR_SET(ha->state, wants ? "request_start" : "request_stop");
	ha->due_ms = ha->stuck ? 0 : sim->now_ms + ha->delay_ms;
}

int64_t pve_ha_next(const struct sim_proxmox *sim)
{
	int64_t next = INT64_MAX;
	for (int i = 0; i < sim->ha_count; i++)
		if (sim->ha[i].due_ms != 0 && sim->ha[i].due_ms < next)
			next = sim->ha[i].due_ms;
	return next;
}

void pve_ha_node_lost(struct sim_proxmox *sim, int node)
{
	for (int i = 0; i < sim->ha_count; i++) {
		struct pve_ha *ha = &sim->ha[i];
		const struct pve_guest *guest = pve_guest_find(sim, ha->vmid);
		if (guest != NULL && guest->node == node && !ha->stuck)
			ha->due_ms = sim->now_ms + FENCE_MS;
	}
}

/* The first node that can take over; -1: none. */
static int refuge(const struct sim_proxmox *sim, int lost)
{
	for (int i = 0; i < sim->node_count; i++)
		if (i != lost && sim->nodes[i].life != PVE_DEAD && pve_quorate(sim, i))
			return i;
	return -1;
}

static void recover(struct sim_proxmox *sim, struct pve_ha *ha, struct pve_guest *guest)
{
	int node = refuge(sim, guest->node);
	if (strcmp(ha->state, "fence") != 0 && strcmp(ha->state, "recovery") != 0) {
		STR_SET(ha->state, "fence");
		ha->due_ms = sim->now_ms + RECOVER_MS;
		return;
	}
	if (node < 0) {
		ha->due_ms = sim->now_ms + PVE_STAT_MS;
		return;
	}
	guest->node = node;
	STR_SET(ha->state, "stopped");
	if (strcmp(ha->request, "started") == 0) {
		pve_guest_on(sim, guest);
		STR_SET(ha->state, "started");
	}
}

static void act(struct sim_proxmox *sim, struct pve_ha *ha)
{
	struct pve_guest *guest = pve_guest_find(sim, ha->vmid);
	ha->due_ms = 0;
	if (guest == NULL)
		return;
	if (sim->nodes[guest->node].life == PVE_DEAD) {
		recover(sim, ha, guest);
	} else if (!pve_quorate(sim, guest->node)) {
		ha->due_ms = sim->now_ms + PVE_STAT_MS;
	} else if (strcmp(ha->request, "started") != 0) {
		pve_guest_off(sim, guest);
		STR_SET(ha->state, "stopped");
	} else if (guest->lock[0] != '\0' || guest->no_start[0] != '\0') {
		/* max_restart 1, then max_relocate 1, then it gives up. */
		if (++ha->restarts > 2)
			STR_SET(ha->state, "error");
		else
			ha->due_ms = sim->now_ms + ha->delay_ms;
	} else {
		pve_guest_on(sim, guest);
		ha->restarts = 0;
		STR_SET(ha->state, "started");
	}
}

void pve_ha_run(struct sim_proxmox *sim)
{
	for (int i = 0; i < sim->ha_count; i++)
		if (sim->ha[i].due_ms != 0 && sim->ha[i].due_ms <= sim->now_ms)
			act(sim, &sim->ha[i]);
}

const char *pve_ha_node_state(const struct sim_proxmox *sim, int via, int node)
{
	return pve_online(sim, via, node) || !pve_quorate(sim, via) ? "online" : "unknown";
}
