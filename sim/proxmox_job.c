/* What the workers do to guests and nodes, with the exit texts of the real ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_world.h"

#define SHUTDOWN_TIMEOUT_MS 60000

bool pve_job_needs_flock(enum pve_job job)
{
	return job <= PVE_JOB_ROLLBACK;
}

static bool no_config(
	const struct sim_proxmox *sim, const struct pve_task *task, char *exit, size_t size)
{
	str_format(exit, size, "Configuration file 'nodes/%s/%s/%d.conf' does not exist",
		sim->nodes[task->node].name, task->order.is_ct ? "lxc" : "qemu-server", task->order.vmid);
	return false;
}

/* The guest, when it is (still) there where the task runs; else NULL and exit. */
static struct pve_guest *guest_of(
	struct sim_proxmox *sim, const struct pve_task *task, char *exit, size_t size)
{
	struct pve_guest *guest = pve_guest_find(sim, task->order.vmid);
	if (guest != NULL && guest->node == task->node && guest->is_ct == task->order.is_ct)
		return guest;
	no_config(sim, task, exit, size);
	return NULL;
}

static bool begin_shutdown(const struct pve_task *task, const struct pve_guest *guest,
	int64_t *takes_ms, char *exit, size_t size)
{
	int64_t timeout = task->order.timeout_ms > 0 ? task->order.timeout_ms : SHUTDOWN_TIMEOUT_MS;
	(void)exit, (void)size;
	*takes_ms = guest->deaf || guest->paused ? timeout : timeout < 5000 ? timeout / 2 : 5000;
	if (!guest->running)
		*takes_ms = 100;
	return true;
}

static bool begin_power(const struct pve_task *task, const struct pve_guest *guest,
	int64_t *takes_ms, char *exit, size_t size)
{
	enum pve_job job = task->order.job;
	*takes_ms = 1000;
	if (!guest->running && (job == PVE_JOB_STOP || job == PVE_JOB_SHUTDOWN))
		return *takes_ms = 100, true;
	if (guest->lock[0] != '\0' && job != PVE_JOB_SUSPEND && job != PVE_JOB_RESUME)
		return str_format(exit, size, "%s is locked (%s)", guest->is_ct ? "CT" : "VM", guest->lock),
			   false;
	if (job == PVE_JOB_SHUTDOWN || job == PVE_JOB_REBOOT)
		return begin_shutdown(task, guest, takes_ms, exit, size);
	if (job == PVE_JOB_RESUME && !guest->running)
		return str_format(exit, size, "VM %d not running", guest->vmid), false;
	if (job != PVE_JOB_START)
		return true;
	if (guest->running)
		return str_format(exit, size, "VM %d already running", guest->vmid), false;
	if (guest->template)
		return str_format(exit, size, "you can't start a %s if it's a template",
				   guest->is_ct ? "CT" : "vm"),
			   false;
	if (guest->no_start[0] != '\0')
		return str_copy(exit, size, guest->no_start), false;
	*takes_ms = guest->start_takes_ms;
	return true;
}

/* A container's disk on a plain folder can't be snapshotted. */
static bool can_snapshot(const struct sim_proxmox *sim, const struct pve_guest *guest)
{
	static const char *const able[] = {"zfspool", "lvmthin", "btrfs", "rbd", "cephfs"};
	for (int i = 0; guest->is_ct && i < sim->storage_count; i++)
		for (size_t n = 0; n < sizeof(able) / sizeof(able[0]); n++)
			if (strcmp(sim->storages[i].type, able[n]) == 0)
				return true;
	return !guest->is_ct;
}

static void add_snapshot(
	struct sim_proxmox *sim, struct pve_guest *guest, const struct pve_order *order)
{
	struct pve_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	if (snapshot == NULL)
		abort();
	STR_SET(snapshot->name, order->snapshot);
	STR_SET(snapshot->description, order->description);
	snapshot->at_ms = sim->now_ms;
	snapshot->with_ram = order->with_ram && guest->running;
	snapshot->is_prepare = true;
	snapshot->next = guest->snapshots;
	guest->snapshots = snapshot;
	STR_SET(guest->lock, "snapshot");
}

static bool begin_snapshot(struct sim_proxmox *sim, struct pve_task *task, struct pve_guest *guest,
	char *exit, size_t size)
{
	const struct pve_order *order = &task->order;
	const struct pve_snapshot *known = pve_snapshot_find(guest, order->snapshot);
	if (order->job == PVE_JOB_SNAPSHOT && !can_snapshot(sim, guest))
		return str_copy(exit, size, "snapshot feature is not available"), false;
	if (guest->lock[0] != '\0')
		return str_format(exit, size, "%s is locked (%s)", guest->is_ct ? "CT" : "VM", guest->lock),
			   false;
	if (!pve_quorate(sim, task->node))
		return str_format(exit, size,
				   "unable to open file '/etc/pve/nodes/%s/%s/%d.conf.tmp.%d' - Permission denied",
				   sim->nodes[task->node].name, guest->is_ct ? "lxc" : "qemu-server", guest->vmid,
				   task->pid),
			   false;
	if (order->job == PVE_JOB_SNAPSHOT && known != NULL)
		return str_format(exit, size, "snapshot name '%s' already used", order->snapshot), false;
	if (order->job != PVE_JOB_SNAPSHOT && known == NULL)
		return str_format(exit, size, "snapshot '%s' does not exist", order->snapshot), false;
	if (order->job == PVE_JOB_ROLLBACK && known->is_prepare)
		return str_copy(
				   exit, size, "unable to rollback to incomplete snapshot (snapstate = prepare)"),
			   false;
	if (order->job == PVE_JOB_SNAPSHOT)
		add_snapshot(sim, guest, order);
	else
		STR_SET(guest->lock, order->job == PVE_JOB_ROLLBACK ? "rollback" : "snapshot-delete");
	return true;
}

bool pve_job_begin(
	struct sim_proxmox *sim, struct pve_task *task, int64_t *takes_ms, char *exit, size_t size)
{
	enum pve_job job = task->order.job;
	*takes_ms = job == PVE_JOB_BACKUP ? 30000 : job == PVE_JOB_UPDATE ? 5000 : 1500;
	if (job == PVE_JOB_HASTART || job == PVE_JOB_HASTOP)
		*takes_ms = 1000;
	if (job > PVE_JOB_BACKUP)
		return true;
	struct pve_guest *guest = guest_of(sim, task, exit, size);
	if (job == PVE_JOB_BACKUP) {
		/* The worker's own message goes to its log: the exit text says only this. */
		bool bad = guest == NULL || guest->lock[0] != '\0' || !pve_quorate(sim, task->node);
		if (bad)
			return str_copy(exit, size, "job errors"), false;
		STR_SET(guest->lock, "backup");
		return true;
	}
	if (guest == NULL)
		return false;
	if (job <= PVE_JOB_RESUME)
		return begin_power(task, guest, takes_ms, exit, size);
	return begin_snapshot(sim, task, guest, exit, size);
}

static bool end_shutdown(struct sim_proxmox *sim, const struct pve_task *task,
	struct pve_guest *guest, char *exit, size_t size)
{
	bool reboot = task->order.job == PVE_JOB_REBOOT;
	if (guest->running && (guest->deaf || guest->paused) && !task->order.force) {
		if (guest->is_ct)
			str_format(exit, size,
				"command 'lxc-stop -n %d --nokill --timeout %lld' failed: exit code 1", guest->vmid,
				(long long)(task->due_ms - task->start_ms) / 1000);
		else
			str_copy(exit, size, "VM quit/powerdown failed - got timeout");
		return false;
	}
	pve_guest_off(sim, guest);
	/* The start after it is a start as any other: without quorum there is none. */
	if (reboot && pve_quorate(sim, task->node) && guest->no_start[0] == '\0')
		pve_guest_on(sim, guest);
	return true;
}

static void remove_snapshot(struct pve_guest *guest, const char *name)
{
	for (struct pve_snapshot **at = &guest->snapshots; *at != NULL; at = &(*at)->next) {
		if (strcmp((*at)->name, name) != 0)
			continue;
		struct pve_snapshot *gone = *at;
		*at = gone->next;
		free(gone);
		return;
	}
}

static void end_snapshot(
	struct sim_proxmox *sim, const struct pve_order *order, struct pve_guest *guest)
{
	struct pve_snapshot *snapshot = pve_snapshot_find(guest, order->snapshot);
	guest->lock[0] = '\0';
	if (order->job == PVE_JOB_DELSNAPSHOT) {
		remove_snapshot(guest, order->snapshot);
	} else if (order->job == PVE_JOB_SNAPSHOT && snapshot != NULL) {
		snapshot->is_prepare = false;
	} else if (order->job == PVE_JOB_ROLLBACK && snapshot != NULL) {
		pve_guest_off(sim, guest);
		if (snapshot->with_ram || order->start)
			pve_guest_on(sim, guest);
	}
}

static void end_backup(
	struct sim_proxmox *sim, const struct pve_task *task, struct pve_guest *guest)
{
	guest->lock[0] = '\0';
	sim->backups = pve_more(sim->backups, sim->backup_count, sizeof(*sim->backups));
	struct pve_backup *backup = &sim->backups[sim->backup_count++];
	*backup = (struct pve_backup){
		.vmid = guest->vmid, .is_ct = guest->is_ct, .node = task->node, .at_ms = task->start_ms};
	STR_SET(backup->storage, task->order.storage);
}

static void end_service(struct sim_proxmox *sim, const struct pve_task *task)
{
	struct pve_node *node = &sim->nodes[task->node];
	for (int i = 0; i < node->service_count; i++)
		if (strcmp(node->services[i].name, task->order.id) == 0)
			node->services[i].is_dead = false;
	if (strcmp(task->order.id, "pvestatd") == 0)
		node->pvestatd_down = false;
}

static void end_ha(struct sim_proxmox *sim, const struct pve_order *order)
{
	struct pve_ha *ha = pve_ha_find(sim, order->vmid);
	if (ha == NULL)
		return;
	STR_SET(ha->request, order->job == PVE_JOB_HASTART ? "started" : "stopped");
	pve_ha_wake(sim, ha);
}

bool pve_job_end(struct sim_proxmox *sim, struct pve_task *task, char *exit, size_t size)
{
	enum pve_job job = task->order.job;
	struct pve_guest *guest = NULL;
	if (job <= PVE_JOB_BACKUP) {
		guest = guest_of(sim, task, exit, size);
		if (guest == NULL)
			return false;
	}
	if (job == PVE_JOB_START) {
		pve_guest_on(sim, guest);
	} else if (job == PVE_JOB_STOP) {
		pve_guest_off(sim, guest);
	} else if (job == PVE_JOB_SHUTDOWN || job == PVE_JOB_REBOOT) {
		return end_shutdown(sim, task, guest, exit, size);
	} else if (job == PVE_JOB_SUSPEND || job == PVE_JOB_RESUME) {
		guest->paused = job == PVE_JOB_SUSPEND && guest->running;
	} else if (job <= PVE_JOB_ROLLBACK) {
		end_snapshot(sim, &task->order, guest);
	} else if (job == PVE_JOB_BACKUP) {
		end_backup(sim, task, guest);
	} else if (job == PVE_JOB_SERVICE) {
		end_service(sim, task);
	} else if (job == PVE_JOB_HASTART || job == PVE_JOB_HASTOP) {
		end_ha(sim, &task->order);
	}
	return true;
}

void pve_job_broken(struct sim_proxmox *sim, struct pve_task *task)
{
	struct pve_guest *guest = pve_guest_find(sim, task->order.vmid);
	/* A worker that fails cleans up its backup; one that is killed, and a snapshot, do not. */
	if (guest != NULL && task->order.job == PVE_JOB_BACKUP && task->fate == PVE_FATE_FAIL)
		guest->lock[0] = '\0';
}
