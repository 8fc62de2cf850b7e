/* Storages and what lies on them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/proxmox_world.h"

static void put_space(struct json_out *out, const struct pve_storage *storage)
{
	int64_t total = storage->off ? 0 : storage->size;
	int64_t used = (int64_t)(storage->used * (double)total);
	json_put_str(out, "type", storage->type);
	json_put_str(out, "content", storage->content);
	json_put_int(out, "enabled", 1);
	json_put_int(out, "active", !storage->off);
	json_put_int(out, "shared", storage->shared);
	json_put_int(out, "total", total);
	json_put_int(out, "used", used);
	json_put_int(out, "avail", total - used);
}

static bool is_on(const struct pve_storage *storage, int node)
{
	return storage->node == node || storage->node == PVE_ANY_NODE;
}

static void list(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	const char *content = pve_arg(call, "content"), *name = pve_arg(call, "storage");
	struct json_out *out = pve_begin(call, '[');
	for (int i = 0; i < sim->storage_count; i++) {
		const struct pve_storage *storage = &sim->storages[i];
		char path[48];
		STR_FORMAT(path, "/storage/%s", storage->name);
		if (!is_on(storage, call->node) ||
			!pve_may(sim, call->who.id, path, "Datastore.Audit|Datastore.AllocateSpace") ||
			(content != NULL && strstr(storage->content, content) == NULL) ||
			(name != NULL && strcmp(name, storage->name) != 0))
			continue;
		json_open(out, NULL, '{');
		json_put_str(out, "storage", storage->name);
		put_space(out, storage);
		if (!storage->off)
			json_put_num(out, "used_fraction", storage->used);
		json_close(out, '}');
	}
	pve_end(call, ']');
}

static const struct pve_storage *storage_here(struct pve_call *call)
{
	const char *name = pve_arg(call, "storage");
	for (int i = 0; i < call->sim->storage_count; i++)
		if (strcmp(call->sim->storages[i].name, name) == 0 &&
			is_on(&call->sim->storages[i], call->node))
			return &call->sim->storages[i];
	pve_fail(call, 500, "storage '%s' does not exist", name);
	return NULL;
}

static void status(struct pve_call *call)
{
	const struct pve_storage *storage = storage_here(call);
	if (storage == NULL)
		return;
	put_space(pve_begin(call, '{'), storage);
	pve_end(call, '}');
}

static void put_backup(struct json_out *out, const struct pve_backup *backup)
{
	char volid[160], when[32];
	time_t seconds = (time_t)(backup->at_ms / 1000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	if (strftime(when, sizeof(when), "%Y_%m_%d-%H_%M_%S", &tm) == 0)
		return;
	STR_FORMAT(volid, "%s:backup/vzdump-%s-%d-%s.%s", backup->storage,
		backup->is_ct ? "lxc" : "qemu", backup->vmid, when, backup->is_ct ? "tar.zst" : "vma.zst");
	json_open(out, NULL, '{');
	json_put_str(out, "volid", volid);
	json_put_str(out, "content", "backup");
	json_put_int(out, "ctime", seconds);
	json_put_str(out, "format", backup->is_ct ? "tar.zst" : "vma.zst");
	json_put_str(out, "subtype", backup->is_ct ? "lxc" : "qemu");
	json_put_int(out, "vmid", backup->vmid);
	json_put_int(out, backup->without_size ? "approximate-size" : "size", 1110374);
	json_close(out, '}');
}

static void put_image(struct json_out *out, const struct pve_guest *guest, const char *storage)
{
	char volid[96];
	STR_FORMAT(volid, guest->is_ct ? "%s:%d/subvol-%d-disk-0.subvol" : "%s:%d/vm-%d-disk-0.qcow2",
		storage, guest->vmid, guest->vmid);
	json_open(out, NULL, '{');
	json_put_str(out, "volid", volid);
	json_put_str(out, "content", guest->is_ct ? "rootdir" : "images");
	json_put_int(out, "ctime", guest->start_ms / 1000);
	json_put_raw(out, "parent", "null");
	json_put_str(out, "format", guest->is_ct ? "subvol" : "qcow2");
	json_put_int(out, "size", guest->is_ct ? 0 : guest->disk);
	json_put_int(out, "used", guest->is_ct ? 0 : 331776);
	json_put_int(out, "vmid", guest->vmid);
	json_close(out, '}');
}

static void content(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	const struct pve_storage *storage = storage_here(call);
	const char *kind = pve_arg(call, "content");
	int64_t vmid = pve_number(call, "vmid", 0);
	if (storage == NULL)
		return;
	if (storage->off) {
		pve_fail(call, 500, "storage '%s' is not online", storage->name);
		return;
	}
	struct json_out *out = pve_begin(call, '[');
	bool images = strcmp(storage->name, "local") == 0 &&
		(kind == NULL || strcmp(kind, "images") == 0);
	for (int i = 0; images && i < sim->guest_count; i++)
		if (sim->guests[i].node == call->node && (vmid == 0 || sim->guests[i].vmid == vmid))
			put_image(out, &sim->guests[i], storage->name);
	for (int i = 0; i < sim->backup_count; i++) {
		const struct pve_backup *backup = &sim->backups[i];
		if (strcmp(backup->storage, storage->name) == 0 && (vmid == 0 || backup->vmid == vmid) &&
			(storage->shared || backup->node == call->node) &&
			(kind == NULL || strcmp(kind, "backup") == 0))
			put_backup(out, backup);
	}
	pve_end(call, ']');
}

#define END \
	{ \
		NULL, 0, false, NULL, 0, 0 \
	}
static const struct pve_rule list_rules[] = {{"content", 's', false, NULL, 0, 0},
	{"enabled", 'b', false, NULL, 0, 0}, {"format", 'b', false, NULL, 0, 0},
	{"storage", 's', false, "storage", 0, 0}, {"target", 's', false, NULL, 0, 0}, END};
static const struct pve_rule content_rules[] = {
	{"content", 's', false, NULL, 0, 0}, {"vmid", 'i', false, NULL, 100, 999999999}, END};

#define S "/nodes/{node}/storage"
#define AUDIT "/storage/{storage} Datastore.Audit|Datastore.AllocateSpace"
const struct pve_route pve_routes_storage[] = {
	{"GET", S, NULL, true, true, list_rules, list},
	{"GET", S "/{storage}/status", AUDIT, true, true, NULL, status},
	{"GET", S "/{storage}/content", AUDIT, true, true, content_rules, content},
	{NULL, NULL, NULL, false, false, NULL, NULL},
};
