/* What the cluster says of all: the resource view, membership, backup jobs, replication. */
#include <stdio.h>
#include <string.h>

#include "sim/proxmox_world.h"

#define CLUSTER_TASKS 25 /* of each node */

static void version(struct pve_call *call)
{
	static const char *const versions[] = {"7.4-17", "8.4.14", "9.2.11"};
	static const char *const releases[] = {"7.4", "8.4", "9.2"};
	struct json_out *out = pve_begin(call, '{');
	json_put_str(out, "version", versions[call->sim->dialect - 7]);
	json_put_str(out, "release", releases[call->sim->dialect - 7]);
	json_put_str(out, "repoid", "14a22df3d7a6a1f0");
	pve_end(call, '}');
}

static void put_guest(struct pve_call *call, struct json_out *out, const struct pve_guest *guest)
{
	char id[32];
	struct sim_proxmox *sim = call->sim;
	const struct pve_guest_view *view = pve_guest_view(sim, call->via, guest);
	const struct pve_ha *ha = sim->ha_count > 0 ? pve_ha_find(sim, guest->vmid) : NULL;
	const char *type = guest->is_ct ? "lxc" : "qemu";
	STR_FORMAT(id, "%s/%d", type, guest->vmid);
	json_open(out, NULL, '{');
	json_put_str(out, "id", id);
	json_put_str(out, "type", type);
	json_put_int(out, "vmid", guest->vmid);
	json_put_str(out, "node", sim->nodes[guest->node].name);
	/* pvestatd hands on what QEMU's monitor says, if that is more than running. */
	const char *word = view == NULL ? "unknown"
		: view->qmp != NULL         ? view->qmp
		: view->running             ? "running"
									: "stopped";
	json_put_str(out, "status", word);
	if (guest->tags[0] != '\0')
		json_put_str(out, "tags", guest->tags);
	if (guest->pool[0] != '\0')
		json_put_str(out, "pool", guest->pool);
	if (guest->lock[0] != '\0')
		json_put_str(out, "lock", guest->lock);
	if (ha != NULL)
		json_put_str(out, "hastate", ha->state);
	if (view != NULL) {
		double memory = view->running ? view->used * (double)guest->mem : 0;
		json_put_str(out, "name", guest->name);
		json_put_num(out, "cpu", view->cpu);
		json_put_int(out, "maxcpu", guest->cores);
		json_put_int(out, "mem", (int64_t)memory);
		json_put_int(out, "maxmem", guest->mem);
		if (sim->dialect >= 9)
			json_put_int(out, "memhost", guest->is_ct ? 0 : (int64_t)memory);
		json_put_int(out, "disk", guest->is_ct && view->running ? guest->disk / 8 : 0);
		json_put_int(out, "maxdisk", guest->disk);
		json_put_int(out, "uptime", view->uptime_s);
		json_put_int(out, "netin", view->uptime_s * 900);
		json_put_int(out, "netout", view->uptime_s * 300);
		json_put_int(out, "diskread", view->uptime_s * 4096);
		json_put_int(out, "diskwrite", view->uptime_s * 1024);
		json_put_int(out, "template", guest->template);
	}
	json_close(out, '}');
}

/* Numbers only for those who may see them, and only as long as they are known. */
static void put_node(struct pve_call *call, struct json_out *out, int index, bool is_resource)
{
	char id[48], path[48];
	struct sim_proxmox *sim = call->sim;
	const struct pve_node *node = &sim->nodes[index];
	const struct pve_node_view *view = pve_node_view(sim, call->via, index);
	bool online = pve_online(sim, call->via, index);
	STR_FORMAT(id, "node/%s", node->name);
	STR_FORMAT(path, "/nodes/%s", node->name);
	json_open(out, NULL, '{');
	json_put_str(out, "id", id);
	json_put_str(out, "type", "node");
	json_put_str(out, "node", node->name);
	json_put_str(out, "status", online ? "online" : "offline");
	if (view != NULL)
		json_put_str(out, "level", "");
	if (is_resource) {
		json_put_int(out, "cgroup-mode", 2);
		if (!sim->alone)
			json_put_str(out, "hastate", pve_ha_node_state(sim, call->via, index));
	} else {
		json_put_str(out, "ssl_fingerprint", node->fingerprint);
	}
	if (view != NULL && pve_may(sim, call->who.id, path, "Sys.Audit")) {
		json_put_int(out, "maxcpu", node->cpus);
		json_put_int(out, "maxmem", node->mem);
		json_put_int(out, "maxdisk", node->disk);
		if (online) {
			json_put_num(out, "cpu", view->cpu);
			json_put_int(out, "mem", (int64_t)(view->used * (double)node->mem));
			json_put_int(out, "disk", (int64_t)(view->root * (double)node->disk));
			json_put_int(out, "uptime", view->uptime_s);
		}
	}
	json_close(out, '}');
}

static void put_storage(
	struct pve_call *call, struct json_out *out, const struct pve_storage *storage, int node)
{
	char id[96], path[48];
	struct sim_proxmox *sim = call->sim;
	STR_FORMAT(path, "/storage/%s", storage->name);
	if (!pve_may(sim, call->who.id, path, "Datastore.Audit|Datastore.AllocateSpace"))
		return;
	STR_FORMAT(id, "storage/%s/%s", sim->nodes[node].name, storage->name);
	/* A storage that is off is told by pvestatd no more; what was told stays for its time. */
	bool known = pve_node_view(sim, call->via, node) != NULL && !storage->off;
	json_open(out, NULL, '{');
	json_put_str(out, "id", id);
	json_put_str(out, "type", "storage");
	json_put_str(out, "storage", storage->name);
	json_put_str(out, "node", sim->nodes[node].name);
	json_put_str(out, "status", known ? "available" : "unknown");
	json_put_int(out, "shared", storage->shared);
	json_put_str(out, "plugintype", storage->type);
	json_put_str(out, "content", storage->content);
	if (known) {
		json_put_int(out, "disk", (int64_t)(storage->used * (double)storage->size));
		json_put_int(out, "maxdisk", storage->size);
	}
	json_close(out, '}');
}

static void put_network(struct pve_call *call, struct json_out *out, int index)
{
	char id[80];
	const char *node = call->sim->nodes[index].name;
	bool is_9 = call->sim->dialect >= 9;
	STR_FORMAT(id, is_9 ? "network/%s/zone/localnetwork" : "sdn/%s/localnetwork", node);
	json_open(out, NULL, '{');
	json_put_str(out, "id", id);
	json_put_str(out, "type", is_9 ? "network" : "sdn");
	json_put_str(out, "node", node);
	json_put_str(out, "status", "ok");
	json_put_str(out, is_9 ? "network" : "sdn", "localnetwork");
	if (is_9)
		json_put_str(out, "network-type", "zone");
	json_close(out, '}');
}

static bool may_see(struct pve_call *call, const struct pve_guest *guest)
{
	char path[32];
	STR_FORMAT(path, "/vms/%d", guest->vmid);
	return pve_may(call->sim, call->who.id, path, "VM.Audit");
}

static void resources(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	const char *type = pve_arg(call, "type");
	struct json_out *out = pve_begin(call, '[');
	for (int i = 0; i < sim->guest_count; i++)
		if ((type == NULL || strcmp(type, "vm") == 0) && may_see(call, &sim->guests[i]))
			put_guest(call, out, &sim->guests[i]);
	for (int i = 0; i < sim->node_count; i++)
		if (type == NULL || strcmp(type, "node") == 0)
			put_node(call, out, i, true);
	for (int s = 0; s < sim->storage_count; s++)
		for (int i = 0; i < sim->node_count; i++)
			if ((type == NULL || strcmp(type, "storage") == 0) &&
				(sim->storages[s].node == i || sim->storages[s].node == PVE_ANY_NODE))
				put_storage(call, out, &sim->storages[s], i);
	for (int i = 0; i < sim->node_count; i++)
		if ((type == NULL || strcmp(type, "sdn") == 0) &&
			pve_may(sim, call->who.id, "/sdn/zones/localnetwork", "SDN.Audit"))
			put_network(call, out, i);
	pve_end(call, ']');
}

static void nodes(struct pve_call *call)
{
	struct json_out *out = pve_begin(call, '[');
	for (int i = 0; i < call->sim->node_count; i++)
		put_node(call, out, i, false);
	pve_end(call, ']');
}

static void status(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	struct json_out *out = pve_begin(call, '[');
	if (!sim->alone) {
		json_open(out, NULL, '{');
		json_put_str(out, "id", "cluster");
		json_put_str(out, "type", "cluster");
		json_put_str(out, "name", sim->cluster);
		json_put_int(out, "nodes", sim->node_count);
		json_put_int(out, "version", sim->node_count);
		json_put_int(out, "quorate", pve_quorate(sim, call->via));
		json_close(out, '}');
	}
	for (int i = 0; i < sim->node_count; i++) {
		char id[48];
		STR_FORMAT(id, "node/%s", sim->nodes[i].name);
		json_open(out, NULL, '{');
		json_put_str(out, "id", id);
		json_put_str(out, "type", "node");
		json_put_str(out, "name", sim->nodes[i].name);
		json_put_str(out, "ip", sim->nodes[i].ip);
		json_put_int(out, "nodeid", sim->alone ? 0 : i + 1);
		json_put_int(out, "local", i == call->via);
		json_put_int(out, "online", pve_online(sim, call->via, i));
		json_put_str(out, "level", "");
		json_close(out, '}');
	}
	pve_end(call, ']');
}

static void put_task(
	struct json_out *out, const struct sim_proxmox *sim, const struct pve_task *task)
{
	json_open(out, NULL, '{');
	json_put_str(out, "upid", task->upid);
	json_put_str(out, "node", sim->nodes[task->node].name);
	json_put_str(out, "type", task->type);
	json_put_str(out, "id", task->order.id);
	json_put_str(out, "user", task->user);
	if (task->tokenid[0] != '\0')
		json_put_str(out, "tokenid", task->tokenid);
	json_put_int(out, "starttime", task->start_ms / 1000);
	if (task->state == PVE_TASK_STOPPED) {
		json_put_int(out, "endtime", task->end_ms / 1000);
		json_put_str(out, "status", task->exit);
		json_put_str(out, "saved", "1");
	}
	json_close(out, '}');
}

static void tasks(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	int of_node[PVE_NODES] = {0};
	struct json_out *out = pve_begin(call, '[');
	for (int i = sim->task_count - 1; i >= 0; i--) {
		const struct pve_task *task = sim->tasks[i];
		char path[48], owner[120];
		STR_FORMAT(path, "/nodes/%s", sim->nodes[task->node].name);
		STR_FORMAT(owner, "%s%s%s", task->user, task->tokenid[0] != '\0' ? "!" : "", task->tokenid);
		bool mine = strcmp(owner, call->who.id) == 0 || strcmp(task->user, call->who.id) == 0;
		if ((mine || pve_may(sim, call->who.id, path, "Sys.Audit")) &&
			of_node[task->node]++ < CLUSTER_TASKS)
			put_task(out, sim, task);
	}
	pve_end(call, ']');
}

static void backup_jobs(struct pve_call *call)
{
	struct json_out *out = pve_begin(call, '[');
	for (int i = 0; i < call->sim->job_count; i++) {
		const struct pve_backup_job *job = &call->sim->jobs[i];
		json_open(out, NULL, '{');
		json_put_str(out, "id", job->id);
		json_put_str(out, "type", "vzdump");
		json_put_str(out, "schedule", job->schedule);
		json_put_str(out, "storage", job->storage);
		json_put_int(out, "enabled", !job->disabled);
		if (job->all)
			json_put_int(out, "all", 1);
		else
			json_put_str(out, "vmid", job->vmids);
		if (!job->disabled)
			json_put_int(out, "next-run", (call->sim->now_ms / 86400000 + 1) * 86400);
		json_close(out, '}');
	}
	pve_end(call, ']');
}

static void backup_job_new(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	if (!pve_quorate(sim, call->via)) {
		call->reply->held_ms = 10000;
		pve_fail(call, 500, "cfs-lock 'file-jobs_cfg' error: no quorum!");
		return;
	}
	if (sim->job_count == (int)(sizeof(sim->jobs) / sizeof(sim->jobs[0]))) {
		pve_fail(call, 500, "too many backup jobs in this simulation");
		return;
	}
	struct pve_backup_job *job = &sim->jobs[sim->job_count++];
	const char *id = pve_arg(call, "id");
	STR_FORMAT(job->id, "%s", id != NULL ? id : "backup-1");
	STR_SET(job->storage, pve_arg(call, "storage"));
	STR_SET(job->schedule, pve_arg(call, "schedule"));
	STR_SET(job->vmids, pve_arg(call, "vmid"));
	job->all = pve_flag(call, "all");
	pve_raw(call, "null");
}

static bool is_backed_up(const struct sim_proxmox *sim, int vmid)
{
	char number[16];
	STR_FORMAT(number, "%d", vmid);
	for (int i = 0; i < sim->job_count; i++) {
		char copy[256], *save = NULL;
		STR_SET(copy, sim->jobs[i].vmids);
		if (sim->jobs[i].all)
			return true;
		for (char *at = strtok_r(copy, ",", &save); at != NULL; at = strtok_r(NULL, ",", &save))
			if (strcmp(at, number) == 0)
				return true;
	}
	return false;
}

static void not_backed_up(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	struct json_out *out = pve_begin(call, '[');
	for (int i = 0; i < sim->guest_count; i++) {
		const struct pve_guest *guest = &sim->guests[i];
		if (is_backed_up(sim, guest->vmid) || !may_see(call, guest))
			continue;
		json_open(out, NULL, '{');
		json_put_int(out, "vmid", guest->vmid);
		json_put_str(out, "type", guest->is_ct ? "lxc" : "qemu");
		json_put_str(out, "name", guest->name);
		json_close(out, '}');
	}
	pve_end(call, ']');
}

static void replication(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	bool is_status = call->node >= 0;
	struct json_out *out = pve_begin(call, '[');
	for (int i = 0; i < sim->replication_count; i++) {
		const struct pve_replication *job = &sim->replications[i];
		const struct pve_guest *guest = pve_guest_find(sim, job->vmid);
		char id[24];
		if (guest == NULL || !may_see(call, guest) || (is_status && guest->node != call->node))
			continue;
		STR_FORMAT(id, "%d-0", job->vmid);
		json_open(out, NULL, '{');
		json_put_str(out, "id", id);
		json_put_str(out, "type", "local");
		json_put_int(out, "guest", job->vmid);
		json_put_int(out, "jobnum", 0);
		json_put_str(out, "source", sim->nodes[guest->node].name);
		json_put_str(out, "target", job->target);
		json_put_str(out, "schedule", "*/15");
		if (is_status) {
			json_put_int(out, "last_try", sim->now_ms / 1000 - 60);
			json_put_int(out, "last_sync", sim->now_ms / 1000 - (job->fail[0] != '\0' ? 7200 : 60));
			json_put_int(out, "next_sync", sim->now_ms / 1000 + 840);
			json_put_int(out, "fail_count", job->fail[0] != '\0' ? 3 : 0);
			json_put_num(out, "duration", 2.5);
			if (job->fail[0] != '\0')
				json_put_str(out, "error", job->fail);
		}
		json_close(out, '}');
	}
	pve_end(call, ']');
}

static const struct pve_rule resources_rules[] = {
	{"type", 's', false, "enum vm, storage, node, sdn", 0, 0}, {NULL, 0, false, NULL, 0, 0}};
static const struct pve_rule replication_rules[] = {
	{"guest", 'i', false, NULL, 100, 999999999}, {NULL, 0, false, NULL, 0, 0}};
static const struct pve_rule job_rules[] = {{"id", 's', false, "configid", 0, 0},
	{"storage", 's', false, "storage", 0, 0}, {"schedule", 's', false, NULL, 0, 128},
	{"vmid", 's', false, "vmids", 0, 0}, {"all", 'b', false, NULL, 0, 0},
	{"enabled", 'b', false, NULL, 0, 0}, {"mode", 's', false, "enum snapshot, suspend, stop", 0, 0},
	{"comment", 's', false, NULL, 0, 512}, {NULL, 0, false, NULL, 0, 0}};

#define AUDIT "/ Sys.Audit"
const struct pve_route pve_routes_cluster[] = {
	{"GET", "/version", NULL, false, false, NULL, version},
	{"GET", "/nodes", NULL, false, false, NULL, nodes},
	{"GET", "/cluster/resources", NULL, false, false, resources_rules, resources},
	{"GET", "/cluster/status", AUDIT, true, false, NULL, status},
	{"GET", "/cluster/tasks", NULL, false, false, NULL, tasks},
	{"GET", "/cluster/backup", AUDIT, false, false, NULL, backup_jobs},
	{"POST", "/cluster/backup", "/ Sys.Modify", true, false, job_rules, backup_job_new},
	{"GET", "/cluster/backup-info/not-backed-up", AUDIT, true, false, NULL, not_backed_up},
	{"GET", "/cluster/replication", NULL, false, false, NULL, replication},
	{"GET", "/nodes/{node}/replication", NULL, true, true, replication_rules, replication},
	{NULL, NULL, NULL, false, false, NULL, NULL},
};
