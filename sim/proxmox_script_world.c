/* The lines that build the world. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_script.h"

#define DAY_MS INT64_C(86400000)

static bool cluster(struct pve_line *line)
{
	STR_SET(line->sim->cluster, line->words[1]);
	return true;
}

static bool alone(struct pve_line *line)
{
	line->sim->alone = true;
	return true;
}

static bool dialect(struct pve_line *line)
{
	int wanted = pve_int(line->words[1]);
	if (wanted < 7 || wanted > 9)
		return pve_bad(line, "dialect: 7, 8 or 9");
	line->sim->dialect = wanted;
	return true;
}

static bool node(struct pve_line *line)
{
	struct sim_proxmox *sim = line->sim;
	if (sim->node_count == PVE_NODES)
		return pve_bad(line, "at most %d nodes", PVE_NODES);
	if (pve_node_find(sim, line->words[1]) >= 0)
		return pve_bad(line, "node %s is there already", line->words[1]);
	int index = sim->node_count++;
	struct pve_node *made = &sim->nodes[index];
	const char *ip = pve_line_option(line, "ip");
	STR_SET(made->name, line->words[1]);
	STR_FORMAT(made->ip, "10.99.0.%d", 11 + index);
	if (ip != NULL)
		STR_SET(made->ip, ip);
	made->cpus = (int)pve_line_number(line, "cpus", 2);
	made->mem = (int64_t)pve_line_number(line, "mem", 25276502016);
	made->disk = (int64_t)pve_line_number(line, "disk", 270553174016);
	made->cpu = pve_line_number(line, "cpu", 0.1);
	made->used = pve_line_number(line, "used", 0.2);
	made->root = pve_line_number(line, "root", 0.12);
	made->boot_ms = sim->now_ms - 5400000;
	made->stat_ms = sim->now_ms;
	made->cert_from_ms = sim->now_ms - DAY_MS;
	made->cert_to_ms = sim->now_ms + 729 * DAY_MS;
	pve_certify(sim, made);
	pve_stat(sim, index);
	return true;
}

static void set_guest(struct pve_line *line, struct pve_guest *guest)
{
	const char *tags = pve_line_option(line, "tags"), *lock = pve_line_option(line, "lock");
	guest->template = pve_line_has(line, "template");
	guest->onboot = pve_line_has(line, "onboot");
	guest->agent = pve_line_has(line, "agent") ? PVE_AGENT_PRESENT : PVE_AGENT_NONE;
	/* "_" is what the real one shows for a VM made with empty tags: one space. */
	STR_SET(guest->tags, tags == NULL ? "" : strcmp(tags, "_") == 0 ? " " : tags);
	STR_SET(guest->lock, lock != NULL ? lock : "");
	STR_SET(guest->pool, pve_line_option(line, "pool"));
	guest->cores = (int)pve_line_number(line, "cores", 1);
	guest->mem = (int64_t)pve_line_number(line, "mem", (double)guest->mem);
	guest->disk = (int64_t)pve_line_number(line, "disk", (double)guest->disk);
	guest->cpu = pve_line_number(line, "cpu", 0.04);
	guest->used = pve_line_number(line, "used", 0.3);
	guest->start_takes_ms = (int64_t)pve_line_number(line, "start", 1000);
	if (!pve_line_has(line, "stopped") && !guest->template) {
		pve_guest_on(line->sim, guest);
		guest->start_ms = line->sim->now_ms - 60000;
	}
}

static bool guest(struct pve_line *line)
{
	struct sim_proxmox *sim = line->sim;
	int vmid = pve_int(line->words[1]), where = pve_line_node(line, 2);
	if (where < 0)
		return false;
	if (vmid < 100 || pve_guest_find(sim, vmid) != NULL)
		return pve_bad(line, "%s: no free VMID", line->words[1]);
	struct pve_guest *made = pve_guest_add(sim, vmid, strcmp(line->words[0], "ct") == 0);
	made->node = where;
	STR_SET(made->name, line->words[3]);
	set_guest(line, made);
	pve_stat(sim, where);
	return true;
}

/* The n-th draw of a guest, 0..1: the same in every run. */
static double draw(int vmid, int n)
{
	uint64_t x = (uint64_t)vmid * 0x9E3779B97F4A7C15u + (uint64_t)n * 0xD1B54A32D192ED03u;
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	return (double)(x >> 40) / (double)(1u << 24);
}

/* As homelabs have them: most are small and idle, a few are neither; one in twelve is off. */
static void make_up(struct sim_proxmox *sim, struct pve_guest *made)
{
	static const char *const tags[] = {"", "", "prod", "staging", "prod;web", "dev"};
	int vmid = made->vmid;
	double idle = draw(vmid, 1);
	STR_FORMAT(made->name, "%s-%d", made->is_ct ? "ct" : "vm", vmid);
	STR_SET(made->tags, tags[(int)(draw(vmid, 2) * 6)]);
	made->cores = 1 << (int)(draw(vmid, 3) * 4);
	made->mem = INT64_C(536870912) << (int)(draw(vmid, 4) * 6);
	made->disk = INT64_C(8589934592) * (1 + (int)(draw(vmid, 5) * 16));
	made->cpu = 0.005 + 0.8 * idle * idle * idle * idle;
	made->used = 0.1 + 0.75 * draw(vmid, 6);
	made->agent = made->is_ct ? PVE_AGENT_NONE : PVE_AGENT_PRESENT;
	made->onboot = true;
	if (draw(vmid, 7) < 1.0 / 12)
		return;
	pve_guest_on(sim, made);
	made->start_ms = sim->now_ms - 60000 - (int64_t)(draw(vmid, 8) * 90 * (double)DAY_MS);
}

static bool guests(struct pve_line *line)
{
	struct sim_proxmox *sim = line->sim;
	int count = pve_int(line->words[1]), first = pve_int(line->words[2]);
	int where = line->n > 3 ? pve_line_node(line, 3) : 0;
	if (where < 0 || sim->node_count == 0 || count < 1 || first < 100)
		return pve_bad(line, "guests COUNT FIRST [NODE]: a count, a VMID and a node of the world");
	for (int vmid = first; vmid < first + count; vmid++) {
		if (pve_guest_find(sim, vmid) != NULL)
			continue;
		struct pve_guest *made = pve_guest_add(sim, vmid, vmid % 3 == 0);
		made->node = line->n > 3 ? where : vmid % sim->node_count;
		make_up(sim, made);
	}
	for (int i = 0; i < sim->node_count; i++)
		pve_stat(sim, i);
	return true;
}

static bool storage(struct pve_line *line)
{
	struct sim_proxmox *sim = line->sim;
	const char *type = pve_line_option(line, "type"), *content = pve_line_option(line, "content");
	int where = strcmp(line->words[2], "all") == 0 ? PVE_ANY_NODE : pve_line_node(line, 2);
	if (where < 0 && where != PVE_ANY_NODE)
		return false;
	if (where == PVE_ANY_NODE && strcmp(line->words[2], "all") != 0)
		return false;
	if (sim->storage_count == PVE_STORAGES)
		return pve_bad(line, "at most %d storages", PVE_STORAGES);
	struct pve_storage *made = &sim->storages[sim->storage_count++];
	STR_SET(made->name, line->words[1]);
	STR_SET(made->type, type != NULL ? type : "dir");
	STR_SET(made->content, content != NULL ? content : "backup,snippets,images,iso,vztmpl,rootdir");
	made->node = where;
	made->shared = pve_line_has(line, "shared");
	made->off = pve_line_has(line, "off");
	made->size = (int64_t)pve_line_number(line, "size", 270553174016);
	made->used = pve_line_number(line, "used", 0.12);
	return true;
}

static bool backup(struct pve_line *line)
{
	struct sim_proxmox *sim = line->sim;
	const struct pve_guest *of = pve_line_guest(line, 1);
	int64_t ago_ms = str_parse_duration(line->words[3]);
	if (of == NULL)
		return false;
	if (ago_ms < 0)
		return pve_bad(line, "%s: not a duration", line->words[3]);
	sim->backups = pve_more(sim->backups, sim->backup_count, sizeof(*sim->backups));
	struct pve_backup *made = &sim->backups[sim->backup_count++];
	*made = (struct pve_backup){.vmid = of->vmid,
		.is_ct = of->is_ct,
		.node = of->node,
		.at_ms = sim->now_ms - ago_ms,
		.without_size = pve_line_has(line, "nosize")};
	STR_SET(made->storage, line->words[2]);
	return true;
}

static bool job(struct pve_line *line)
{
	struct sim_proxmox *sim = line->sim;
	if (sim->job_count == (int)(sizeof(sim->jobs) / sizeof(sim->jobs[0])))
		return pve_bad(line, "too many backup jobs");
	struct pve_backup_job *made = &sim->jobs[sim->job_count++];
	STR_SET(made->id, line->words[1]);
	STR_SET(made->storage, line->words[2]);
	STR_SET(made->schedule, line->words[3]);
	made->all = strcmp(line->words[4], "all") == 0;
	STR_SET(made->vmids, made->all ? "" : line->words[4]);
	made->disabled = pve_line_has(line, "disabled");
	return true;
}

static bool account(struct pve_line *line)
{
	struct sim_proxmox *sim = line->sim;
	char *secret = strchr(line->words[1], '=');
	bool is_token = strcmp(line->words[0], "token") == 0;
	if (secret != NULL)
		*secret++ = '\0';
	else if (line->n > 2)
		secret = line->words[2];
	if (secret == NULL || strchr(line->words[1], '@') == NULL ||
		is_token != (strchr(line->words[1], '!') != NULL))
		return pve_bad(line, "user NAME@REALM PASSWORD, token USER@REALM!ID SECRET");
	sim->accounts = pve_more(sim->accounts, sim->account_count, sizeof(*sim->accounts));
	struct pve_account *made = &sim->accounts[sim->account_count++];
	STR_SET(made->id, line->words[1]);
	STR_SET(made->secret, secret);
	made->is_token = is_token;
	made->privsep = pve_line_has(line, "privsep");
	made->disabled = pve_line_has(line, "disabled");
	made->expired = pve_line_has(line, "expired");
	return true;
}

static bool group(struct pve_line *line)
{
	struct sim_proxmox *sim = line->sim;
	sim->groups = pve_more(sim->groups, sim->group_count, sizeof(*sim->groups));
	struct pve_group *made = &sim->groups[sim->group_count++];
	STR_SET(made->name, line->words[1]);
	STR_SET(made->user, line->words[2]);
	return true;
}

static bool acl(struct pve_line *line)
{
	struct sim_proxmox *sim = line->sim;
	uint64_t set;
	if (strcmp(line->words[1], "clear") == 0) {
		pve_acl_drop(sim, NULL, line->words[2], NULL);
		return true;
	}
	if (line->n < 4)
		return pve_bad(line, "acl PATH WHO ROLE|PRIV,PRIV [nopropagate]");
	const char *role = line->words[3];
	if (!pve_role_find(sim, role, &set)) {
		if (!pve_privileges_read(sim, role, &set))
			return pve_bad(line, "no such role or privilege: %s", role);
		role = pve_role_add(sim, NULL, set);
	}
	pve_acl_set(sim, line->words[1], line->words[2], role, !pve_line_has(line, "nopropagate"));
	return true;
}

static bool disk(struct pve_line *line)
{
	int where = pve_line_node(line, 1);
	if (where < 0)
		return false;
	struct pve_node *of = &line->sim->nodes[where];
	int at = 0;
	while (at < of->disk_count && strcmp(of->disks[at].dev, line->words[2]) != 0)
		at++;
	if (at == 8)
		return pve_bad(line, "too many disks");
	if (at == of->disk_count)
		of->disk_count++;
	STR_SET(of->disks[at].dev, line->words[2]);
	STR_SET(of->disks[at].health, line->words[3]);
	of->disks[at].wearout = (int)pve_line_number(line, "wearout", -1);
	return true;
}

static bool zfs(struct pve_line *line)
{
	int where = pve_line_node(line, 1);
	if (where < 0)
		return false;
	bool off = strcmp(line->words[2], "off") == 0;
	STR_SET(line->sim->nodes[where].zfs, off ? "" : line->words[2]);
	STR_SET(line->sim->nodes[where].zfs_health, line->n > 3 ? line->words[3] : "ONLINE");
	return true;
}

static bool update(struct pve_line *line)
{
	int where = pve_line_node(line, 1);
	if (where < 0)
		return false;
	struct pve_node *of = &line->sim->nodes[where];
	if (of->update_count == 4)
		return pve_bad(line, "too many updates");
	STR_SET(of->updates[of->update_count], line->words[2]);
	of->update_count++;
	return true;
}

static bool certificate(struct pve_line *line)
{
	int where = pve_line_node(line, 1);
	if (where < 0)
		return false;
	struct pve_node *of = &line->sim->nodes[where];
	bool is_changed = strcmp(line->words[2], "changed") == 0;
	of->cert_is_foreign = strcmp(line->words[2], "foreign") == 0;
	if (!is_changed && !of->cert_is_foreign)
		of->cert_to_ms = line->sim->now_ms + (int64_t)pve_line_number(line, "days", 729) * DAY_MS;
	/* a certificate with another end is another certificate, where it can be seen */
	if (is_changed || of->cert_is_foreign || line->sim->tls != NULL)
		pve_certify(line->sim, of);
	return true;
}

static bool service(struct pve_line *line)
{
	int where = pve_line_node(line, 1);
	if (where < 0)
		return false;
	struct pve_node *of = &line->sim->nodes[where];
	int at = 0;
	while (at < of->service_count && strcmp(of->services[at].name, line->words[2]) != 0)
		at++;
	if (at == 4)
		return pve_bad(line, "too many services that differ");
	if (at == of->service_count)
		of->service_count++;
	STR_SET(of->services[at].name, line->words[2]);
	of->services[at].is_dead = strcmp(line->words[3], "dead") == 0;
	return true;
}

static bool replication(struct pve_line *line)
{
	struct sim_proxmox *sim = line->sim;
	const char *fail = strstr(line->whole, " fail=");
	const struct pve_guest *of = pve_line_guest(line, 1);
	if (of == NULL || sim->replication_count == 32)
		return of == NULL ? false : pve_bad(line, "too many replications");
	struct pve_replication *made = &sim->replications[sim->replication_count++];
	made->vmid = of->vmid;
	STR_SET(made->target, line->words[2]);
	STR_SET(made->fail, fail != NULL ? fail + strlen(" fail=") : "");
	return true;
}

const struct pve_verb pve_verbs_world[] = {{"cluster", 1, cluster}, {"alone", 0, alone},
	{"dialect", 1, dialect}, {"node", 1, node}, {"vm", 3, guest}, {"ct", 3, guest},
	{"guests", 2, guests}, {"storage", 2, storage}, {"backup", 3, backup}, {"job", 4, job},
	{"user", 1, account}, {"token", 1, account}, {"acl", 2, acl}, {"group", 2, group},
	{"pveum", 2, pve_pveum}, {"disk", 3, disk}, {"zfs", 2, zfs}, {"update", 2, update},
	{"certificate", 2, certificate}, {"service", 3, service}, {"replication", 2, replication},
	{NULL, 0, NULL}};
