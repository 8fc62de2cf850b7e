/* What changes guests: power, snapshots, backups. What fails at once, and what only in the task. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_world.h"

static void fork_task(struct pve_call *call, const char *type, const struct pve_order *order)
{
	pve_text(call, pve_task_new(call->sim, call->node, call->who.id, type, order));
}

static struct pve_order order_of(const struct pve_call *call, enum pve_job job)
{
	struct pve_order order = {.job = job, .vmid = call->vmid, .is_ct = call->is_ct};
	STR_FORMAT(order.id, "%d", call->vmid);
	order.timeout_ms = pve_number(call, "timeout", 0) * 1000;
	order.force = pve_flag(call, "forceStop");
	order.start = pve_flag(call, "start");
	return order;
}

/* "Only root" is root's ticket: its token is not enough. */
static bool may_skip_lock(struct pve_call *call)
{
	if (pve_arg(call, "skiplock") == NULL || strcmp(call->who.id, "root@pam") == 0)
		return true;
	pve_bad_param(call, "skiplock", "Only root may use this option.");
	return false;
}

static struct pve_guest *known_here(struct pve_call *call)
{
	struct pve_guest *guest = pve_guest_find(call->sim, call->vmid);
	bool here = guest != NULL && guest->node == call->node && guest->is_ct == call->is_ct;
	return here ? guest : NULL;
}

static bool by_ha(struct pve_call *call, enum pve_job job, const char *type)
{
	const struct pve_ha *ha = pve_ha_find(call->sim, call->vmid);
	if (ha == NULL || known_here(call) == NULL || strcmp(ha->request, "ignored") == 0)
		return false;
	struct pve_order order = order_of(call, job);
	fork_task(call, type, &order);
	return true;
}

static void start(struct pve_call *call)
{
	const struct pve_guest *guest = known_here(call);
	if (!may_skip_lock(call))
		return;
	if (!pve_quorate(call->sim, call->node)) {
		pve_fail(call, 500, "cluster not ready - no quorum?");
	} else if (call->is_ct && guest != NULL && guest->running) {
		pve_fail(call, 500, "CT %d already running", call->vmid);
	} else if (!by_ha(call, PVE_JOB_HASTART, "hastart")) {
		struct pve_order order = order_of(call, PVE_JOB_START);
		fork_task(call, call->is_ct ? "vzstart" : "qmstart", &order);
	}
}

/* A container that does not run is told so at once; a machine's task just ends well. */
static bool ct_is_down(struct pve_call *call)
{
	const struct pve_guest *guest = known_here(call);
	if (!call->is_ct || (guest != NULL && guest->running))
		return false;
	pve_fail(call, 500, "CT %d not running", call->vmid);
	return true;
}

static void stop(struct pve_call *call)
{
	if (!may_skip_lock(call) || ct_is_down(call) || by_ha(call, PVE_JOB_HASTOP, "hastop"))
		return;
	struct pve_order order = order_of(call, PVE_JOB_STOP);
	fork_task(call, call->is_ct ? "vzstop" : "qmstop", &order);
}

static void shut_down(struct pve_call *call)
{
	if (!may_skip_lock(call) || ct_is_down(call) || by_ha(call, PVE_JOB_HASTOP, "hashutdown"))
		return;
	struct pve_order order = order_of(call, PVE_JOB_SHUTDOWN);
	fork_task(call, call->is_ct ? "vzshutdown" : "qmshutdown", &order);
}

static bool vm_is_down(struct pve_call *call)
{
	const struct pve_guest *guest = known_here(call);
	if (guest != NULL && guest->running)
		return false;
	/* The real one says VM of containers too. */
	pve_fail(call, 500, "VM %d not running", call->vmid);
	return true;
}

static void reboot(struct pve_call *call)
{
	if (vm_is_down(call))
		return;
	struct pve_order order = order_of(call, PVE_JOB_REBOOT);
	fork_task(call, call->is_ct ? "vzreboot" : "qmreboot", &order);
}

static void suspend(struct pve_call *call)
{
	if (!may_skip_lock(call) || vm_is_down(call))
		return;
	struct pve_order order = order_of(call, PVE_JOB_SUSPEND);
	fork_task(call, call->is_ct ? "vzsuspend" : "qmpause", &order);
}

static void resume(struct pve_call *call)
{
	if (!may_skip_lock(call) || vm_is_down(call))
		return;
	struct pve_order order = order_of(call, PVE_JOB_RESUME);
	fork_task(call, call->is_ct ? "vzresume" : "qmresume", &order);
}

static void snapshot_task(struct pve_call *call, enum pve_job job, const char *vm, const char *ct)
{
	struct pve_order order = order_of(call, job);
	STR_SET(order.snapshot, pve_arg(call, "snapname"));
	STR_SET(order.description, pve_arg(call, "description"));
	order.with_ram = pve_flag(call, "vmstate");
	if (strcmp(order.snapshot, "current") == 0)
		pve_bad_param(call, "snapname", "unable to use snapshot name 'current' (reserved name)");
	else
		fork_task(call, call->is_ct ? ct : vm, &order);
}

static void snapshot(struct pve_call *call)
{
	snapshot_task(call, PVE_JOB_SNAPSHOT, "qmsnapshot", "vzsnapshot");
}

static void delete_snapshot(struct pve_call *call)
{
	snapshot_task(call, PVE_JOB_DELSNAPSHOT, "qmdelsnapshot", "vzdelsnapshot");
}

static void rollback(struct pve_call *call)
{
	snapshot_task(call, PVE_JOB_ROLLBACK, "qmrollback", "vzrollback");
}

static bool backs_up(const struct sim_proxmox *sim, const char *name)
{
	for (int i = 0; i < sim->storage_count; i++)
		if (strcmp(sim->storages[i].name, name) == 0 &&
			strstr(sim->storages[i].content, "backup") != NULL)
			return true;
	return false;
}

/* Of several guests the world saves the first: nobody here asks for more than one. */
static void vzdump(struct pve_call *call)
{
	const char *storage = pve_arg(call, "storage"), *vmids = pve_arg(call, "vmid");
	char path[64];
	if (vmids == NULL) {
		pve_fail(call, 400, "nothing to backup, no guests were selected");
		return;
	}
	storage = storage != NULL ? storage : "local";
	call->vmid = (int)strtol(vmids, NULL, 10);
	STR_FORMAT(path, "/storage/%s", storage);
	if (!pve_demand(call, path, "Datastore.AllocateSpace"))
		return;
	STR_FORMAT(path, "/vms/%d", call->vmid);
	if (!pve_demand(call, path, "VM.Backup"))
		return;
	if (!backs_up(call->sim, storage)) {
		pve_fail(call, 500,
			"could not get storage information for '%s': storage '%s' does not exist", storage,
			storage);
		return;
	}
	const struct pve_guest *guest = pve_guest_find(call->sim, call->vmid);
	call->is_ct = guest != NULL && guest->is_ct;
	struct pve_order order = order_of(call, PVE_JOB_BACKUP);
	STR_SET(order.storage, storage);
	fork_task(call, "vzdump", &order);
}

#define SKIPLOCK \
	{ \
		"skiplock", 'b', false, NULL, 0, 0 \
	}
#define TIMEOUT \
	{ \
		"timeout", 'i', false, NULL, 0, 0 \
	}
#define END \
	{ \
		NULL, 0, false, NULL, 0, 0 \
	}
static const struct pve_rule qemu_start[] = {SKIPLOCK, TIMEOUT,
	{"force-cpu", 's', false, NULL, 0, 0}, {"machine", 's', false, NULL, 0, 0},
	{"migratedfrom", 's', false, NULL, 0, 0}, {"stateuri", 's', false, NULL, 0, 128},
	{"migration_type", 's', false, "enum secure, insecure", 0, 0}, END};
static const struct pve_rule qemu_stop[] = {SKIPLOCK, TIMEOUT,
	{"keepActive", 'b', false, NULL, 0, 0}, {"overrule-shutdown", 'b', false, NULL, 0, 0},
	{"migratedfrom", 's', false, NULL, 0, 0}, END};
static const struct pve_rule qemu_shutdown[] = {SKIPLOCK, TIMEOUT,
	{"keepActive", 'b', false, NULL, 0, 0}, {"forceStop", 'b', false, NULL, 0, 0}, END};
static const struct pve_rule qemu_suspend[] = {SKIPLOCK, {"todisk", 'b', false, NULL, 0, 0},
	{"statestorage", 's', false, "storage", 0, 0}, END};
static const struct pve_rule qemu_resume[] = {SKIPLOCK, {"nocheck", 'b', false, NULL, 0, 0}, END};
static const struct pve_rule lxc_start[] = {SKIPLOCK, {"debug", 'b', false, NULL, 0, 0}, END};
static const struct pve_rule lxc_stop[] = {
	SKIPLOCK, {"overrule-shutdown", 'b', false, NULL, 0, 0}, END};
static const struct pve_rule lxc_shutdown[] = {TIMEOUT, {"forceStop", 'b', false, NULL, 0, 0}, END};
static const struct pve_rule reboots[] = {TIMEOUT, END};
static const struct pve_rule qemu_snapshot[] = {{"snapname", 's', true, "configid", 0, 40},
	{"description", 's', false, NULL, 0, 0}, {"vmstate", 'b', false, NULL, 0, 0}, END};
static const struct pve_rule lxc_snapshot[] = {
	{"snapname", 's', true, "configid", 0, 40}, {"description", 's', false, NULL, 0, 0}, END};
static const struct pve_rule forced[] = {{"force", 'b', false, NULL, 0, 0}, END};
static const struct pve_rule rollbacks[] = {{"start", 'b', false, NULL, 0, 0}, END};
static const struct pve_rule dumps[] = {{"vmid", 's', false, "vmids", 0, 0},
	{"storage", 's', false, "storage", 0, 0},
	{"mode", 's', false, "enum snapshot, suspend, stop", 0, 0},
	{"compress", 's', false, "enum 0, 1, gzip, lzo, zstd", 0, 0}, {"all", 'b', false, NULL, 0, 0},
	{"remove", 'b', false, NULL, 0, 0}, {"notes-template", 's', false, NULL, 0, 1024},
	{"protected", 'b', false, NULL, 0, 0}, {"bwlimit", 'i', false, NULL, 0, 0},
	{"quiet", 'b', false, NULL, 0, 0}, END};

#define POWER "/vms/{vmid} VM.PowerMgmt"
#define SNAP "/vms/{vmid} VM.Snapshot"
#define BACK "/vms/{vmid} VM.Snapshot|VM.Snapshot.Rollback"
#define Q "/nodes/{node}/qemu/{vmid}/"
#define L "/nodes/{node}/lxc/{vmid}/"
const struct pve_route pve_routes_power[] = {
	{"POST", Q "status/start", POWER, true, true, qemu_start, start},
	{"POST", Q "status/stop", POWER, true, true, qemu_stop, stop},
	{"POST", Q "status/shutdown", POWER, true, true, qemu_shutdown, shut_down},
	{"POST", Q "status/reboot", POWER, true, true, reboots, reboot},
	{"POST", Q "status/suspend", POWER, true, true, qemu_suspend, suspend},
	{"POST", Q "status/resume", POWER, true, true, qemu_resume, resume},
	{"POST", L "status/start", POWER, true, true, lxc_start, start},
	{"POST", L "status/stop", POWER, true, true, lxc_stop, stop},
	{"POST", L "status/shutdown", POWER, true, true, lxc_shutdown, shut_down},
	{"POST", L "status/reboot", POWER, true, true, reboots, reboot},
	{"POST", L "status/suspend", POWER, true, true, NULL, suspend},
	{"POST", L "status/resume", POWER, true, true, NULL, resume},
	{"POST", Q "snapshot", SNAP, true, true, qemu_snapshot, snapshot},
	{"POST", L "snapshot", SNAP, true, true, lxc_snapshot, snapshot},
	{"DELETE", Q "snapshot/{snapname}", SNAP, true, true, forced, delete_snapshot},
	{"DELETE", L "snapshot/{snapname}", SNAP, true, true, forced, delete_snapshot},
	{"POST", Q "snapshot/{snapname}/rollback", BACK, true, true, rollbacks, rollback},
	{"POST", L "snapshot/{snapname}/rollback", BACK, true, true, rollbacks, rollback},
	{"POST", "/nodes/{node}/vzdump", NULL, true, true, dumps, vzdump},
	{NULL, NULL, NULL, false, false, NULL, NULL},
};
