#include "sim/proxmox_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/server_tls.h"

void *pve_more(void *list, int count, size_t size)
{
	/* Doubled when full: a power of two, or nothing yet. */
	if ((count & (count - 1)) == 0) {
		list = realloc(list, (size_t)(count == 0 ? 1 : count * 2) * size);
		if (list == NULL)
			abort();
	}
	memset((char *)list + (size_t)count * size, 0, size);
	return list;
}

struct sim_proxmox *sim_proxmox_new(const struct clock *clock)
{
	struct sim_proxmox *sim = calloc(1, sizeof(*sim));
	if (sim == NULL)
		abort();
	sim->clock = clock;
	sim->now_ms = clock_wall_ms(clock);
	sim->random = 12345;
	sim->pid = 200;
	sim->dialect = 9;
	STR_SET(sim->cluster, "lab");
	sim->accounts = pve_more(NULL, 0, sizeof(*sim->accounts));
	STR_SET(sim->accounts[0].id, "root@pam");
	STR_SET(sim->accounts[0].secret, SIM_PVE_PASSWORD);
	sim->accounts = pve_more(sim->accounts, 1, sizeof(*sim->accounts));
	sim->accounts[1].is_token = true;
	STR_SET(sim->accounts[1].id, "root@pam!full");
	STR_SET(sim->accounts[1].secret, strrchr(SIM_PVE_TOKEN, '=') + 1);
	sim->account_count = 2;
	return sim;
}

static void free_snapshots(struct pve_guest *guest)
{
	while (guest->snapshots != NULL) {
		struct pve_snapshot *next = guest->snapshots->next;
		free(guest->snapshots);
		guest->snapshots = next;
	}
}

void sim_proxmox_free(struct sim_proxmox *sim)
{
	for (int i = 0; i < sim->guest_count; i++)
		free_snapshots(&sim->guests[i]);
	for (int i = 0; i < sim->task_count; i++)
		free(sim->tasks[i]);
	for (int i = 0; i < sim->journal_count; i++)
		free(sim->journal[i]);
	for (int i = 0; i < PVE_GETS; i++)
		free(sim->gets[i]);
	for (int i = 0; i < sim->node_count; i++)
		sim_tls_host_free(sim->nodes[i].tls);
	sim_tls_free(sim->tls);
	free(sim->tasks);
	free(sim->journal);
	free(sim->guests);
	free(sim->ha);
	free(sim->backups);
	free(sim->accounts);
	free(sim->processes);
	free(sim->roles);
	free(sim->groups);
	free(sim->acls);
	free(sim);
}

/* base, wandering by a tenth from beat to beat. */
double pve_noise(struct sim_proxmox *sim, int seed, double base)
{
	uint64_t x = (uint64_t)seed * 0x9E3779B97F4A7C15u ^ (uint64_t)(sim->now_ms / PVE_STAT_MS);
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	double wander = (double)(x >> 40) / (double)(1u << 24) - 0.5;
	return base * (1 + wander * 0.1);
}

int pve_node_find(const struct sim_proxmox *sim, const char *name)
{
	for (int i = 0; i < sim->node_count; i++)
		if (strcmp(sim->nodes[i].name, name) == 0)
			return i;
	return -1;
}

/* The place of vmid among the guests, or where it would stand. */
static int guest_place(const struct sim_proxmox *sim, int vmid)
{
	int low = 0, high = sim->guest_count;
	while (low < high) {
		int middle = (low + high) / 2;
		if (sim->guests[middle].vmid < vmid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct pve_guest *pve_guest_find(struct sim_proxmox *sim, int vmid)
{
	int place = guest_place(sim, vmid);
	bool found = place < sim->guest_count && sim->guests[place].vmid == vmid;
	return found ? &sim->guests[place] : NULL;
}

struct pve_guest *pve_guest_add(struct sim_proxmox *sim, int vmid, bool is_ct)
{
	int place = guest_place(sim, vmid);
	if (sim->guest_count == sim->guest_capacity) {
		sim->guest_capacity = sim->guest_capacity * 2 + 16;
		sim->guests = realloc(sim->guests, (size_t)sim->guest_capacity * sizeof(*sim->guests));
		if (sim->guests == NULL)
			abort();
	}
	memmove(&sim->guests[place + 1], &sim->guests[place],
		(size_t)(sim->guest_count - place) * sizeof(*sim->guests));
	sim->guest_count++;
	struct pve_guest *guest = &sim->guests[place];
	*guest = (struct pve_guest){.vmid = vmid, .is_ct = is_ct, .cores = 1, .start_takes_ms = 1000};
	guest->mem = is_ct ? 67108864 : 167772160;
	guest->disk = is_ct ? 4294967296 : 1073741824;
	return guest;
}

void pve_guest_remove(struct sim_proxmox *sim, struct pve_guest *guest)
{
	int place = (int)(guest - sim->guests);
	free_snapshots(guest);
	memmove(guest, guest + 1, (size_t)(sim->guest_count - place - 1) * sizeof(*guest));
	sim->guest_count--;
}

struct pve_ha *pve_ha_find(struct sim_proxmox *sim, int vmid)
{
	for (int i = 0; i < sim->ha_count; i++)
		if (sim->ha[i].vmid == vmid)
			return &sim->ha[i];
	return NULL;
}

struct pve_snapshot *pve_snapshot_find(const struct pve_guest *guest, const char *name)
{
	for (struct pve_snapshot *s = guest->snapshots; s != NULL; s = s->next)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

void pve_guest_on(struct sim_proxmox *sim, struct pve_guest *guest)
{
	guest->running = true;
	guest->paused = false;
	guest->start_ms = sim->now_ms;
	guest->pid = (int)++sim->pid;
}

void pve_guest_off(struct sim_proxmox *sim, struct pve_guest *guest)
{
	(void)sim;
	guest->running = false;
	guest->paused = false;
	guest->pid = 0;
}

bool pve_online(const struct sim_proxmox *sim, int via, int node)
{
	const struct pve_node *a = &sim->nodes[via], *b = &sim->nodes[node];
	if (via == node)
		return true;
	int64_t gone_ms = b->gone_ms;
	bool is_gone = b->life == PVE_DEAD || b->pmxcfs_down;
	if (a->group != b->group) {
		is_gone = true;
		gone_ms = a->gone_ms > gone_ms ? a->gone_ms : gone_ms;
	}
	return !is_gone || sim->now_ms - gone_ms < PVE_TOKEN_MS;
}

bool pve_reaches(const struct sim_proxmox *sim, int via, int node)
{
	return via == node ||
		(sim->nodes[node].life != PVE_DEAD && sim->nodes[via].group == sim->nodes[node].group);
}

bool pve_quorate(const struct sim_proxmox *sim, int node)
{
	int votes = 0;
	for (int i = 0; i < sim->node_count; i++)
		votes += pve_online(sim, node, i);
	return sim->alone || votes > sim->node_count / 2;
}

static bool is_whole(const struct sim_proxmox *sim)
{
	for (int i = 0; i < sim->node_count; i++)
		if (sim->nodes[i].group != 0)
			return false;
	return true;
}

void pve_cut(struct sim_proxmox *sim, int node, int group)
{
	bool whole = is_whole(sim);
	for (int i = 0; i < sim->guest_count; i++)
		if (group != 0 && (whole || sim->guests[i].node == node))
			sim->guests[i].frozen = sim->guests[i].seen;
	for (int i = 0; i < sim->node_count; i++)
		if (group != 0 && (whole || i == node))
			sim->nodes[i].frozen = sim->nodes[i].seen;
	sim->nodes[node].group = group;
	sim->nodes[node].gone_ms = sim->now_ms;
}

void pve_node_life(struct sim_proxmox *sim, int index, enum pve_life life)
{
	struct pve_node *node = &sim->nodes[index];
	bool was_dead = node->life == PVE_DEAD;
	node->life = life;
	node->back_ms = 0;
	if (life == PVE_DEAD && !was_dead) {
		node->gone_ms = sim->now_ms;
		pve_task_lost(sim, index);
		pve_ha_node_lost(sim, index);
		for (int i = 0; i < sim->guest_count; i++)
			if (sim->guests[i].node == index)
				pve_guest_off(sim, &sim->guests[i]);
	} else if (life != PVE_DEAD && was_dead) {
		node->boot_ms = sim->now_ms;
		for (int i = 0; i < sim->guest_count; i++)
			if (sim->guests[i].node == index && sim->guests[i].onboot)
				pve_guest_on(sim, &sim->guests[i]);
	}
}

/* A certificate that nobody will see is a fingerprint and no more. */
static void make_up_fingerprint(struct pve_node *node)
{
	char *at = node->fingerprint;
	unsigned x = 2166136261u + (unsigned)node->cert_serial * 977u;
	for (const char *c = node->name; *c != '\0'; c++)
		x = (x ^ (unsigned char)*c) * 16777619u;
	for (int i = 0; i < 32; i++) {
		x = x * 1103515245u + 12345u;
		at += snprintf(at, 4, "%02X%s", x >> 16 & 255, i < 31 ? ":" : "");
	}
}

void pve_certify(const struct sim_proxmox *sim, struct pve_node *node)
{
	node->cert_serial++;
	if (sim->tls == NULL) {
		make_up_fingerprint(node);
		return;
	}
	const struct sim_tls_name name = {.host = node->name,
		.ip = node->ip,
		.from_s = (sim->now_ms - node->cert_from_ms) / 1000,
		.to_s = (node->cert_to_ms - sim->now_ms) / 1000,
		.is_foreign = node->cert_is_foreign};
	sim_tls_host_free(node->tls);
	node->tls = sim_tls_certify(sim->tls, &name, node->fingerprint);
}

const char *sim_proxmox_ca_pem(struct sim_proxmox *sim)
{
	if (sim->tls != NULL)
		return sim_tls_ca_pem(sim->tls);
	sim->tls = sim_tls_new();
	for (int i = 0; i < sim->node_count; i++)
		pve_certify(sim, &sim->nodes[i]);
	return sim_tls_ca_pem(sim->tls);
}

bool sim_proxmox_is_signed(const struct sim_proxmox *sim, const char *name)
{
	int index = pve_node_find(sim, name);
	return index >= 0 && !sim->nodes[index].cert_is_foreign &&
		sim->nodes[index].cert_to_ms > sim->now_ms;
}

void sim_proxmox_witness(struct sim_proxmox *sim, sim_pve_witness *witness, void *ctx)
{
	sim->witness = witness;
	sim->witness_ctx = ctx;
}

const struct pve_guest_view *pve_guest_view(
	const struct sim_proxmox *sim, int via, const struct pve_guest *guest)
{
	bool same = sim->nodes[via].group == sim->nodes[guest->node].group;
	const struct pve_guest_view *view = same ? &guest->seen : &guest->frozen;
	return view->at_ms == 0 || sim->now_ms - view->at_ms > PVE_EXPIRES_MS ? NULL : view;
}

const struct pve_node_view *pve_node_view(const struct sim_proxmox *sim, int via, int index)
{
	const struct pve_node *node = &sim->nodes[index];
	bool same = sim->nodes[via].group == node->group;
	const struct pve_node_view *view = same ? &node->seen : &node->frozen;
	return view->at_ms == 0 || sim->now_ms - view->at_ms > PVE_EXPIRES_MS ? NULL : view;
}

void pve_stat(struct sim_proxmox *sim, int index)
{
	struct pve_node *node = &sim->nodes[index];
	node->seen = (struct pve_node_view){.at_ms = sim->now_ms,
		.cpu = pve_noise(sim, index, node->cpu),
		.used = pve_noise(sim, index + 100, node->used),
		.root = node->root,
		.uptime_s = (sim->now_ms - node->boot_ms) / 1000};
	for (int i = 0; i < sim->guest_count; i++) {
		struct pve_guest *guest = &sim->guests[i];
		if (guest->node != index)
			continue;
		guest->seen = (struct pve_guest_view){.at_ms = sim->now_ms, .running = guest->running};
		if (!guest->running)
			continue;
		if (guest->paused && !guest->is_ct)
			guest->seen.qmp = guest->io_error ? "io-error" : "paused";
		guest->seen.cpu = guest->paused ? 0 : pve_noise(sim, guest->vmid, guest->cpu);
		guest->seen.used = guest->used;
		guest->seen.uptime_s = (sim->now_ms - guest->start_ms) / 1000;
	}
}

/* Only the last beat before `until` can be seen. */
static void beat(struct sim_proxmox *sim, int64_t until)
{
	int64_t now = sim->now_ms;
	for (int i = 0; i < sim->node_count; i++) {
		struct pve_node *node = &sim->nodes[i];
		int64_t at = until - (until - i * 300) % PVE_STAT_MS;
		bool works = node->life != PVE_DEAD && !node->pvestatd_down && !node->pmxcfs_down;
		if (at <= node->stat_ms)
			continue;
		node->stat_ms = at;
		sim->now_ms = at > now ? at : now;
		if (works)
			pve_stat(sim, i);
	}
	sim->now_ms = now;
}

static int64_t node_next(const struct sim_proxmox *sim)
{
	int64_t next = INT64_MAX;
	for (int i = 0; i < sim->node_count; i++)
		if (sim->nodes[i].back_ms != 0 && sim->nodes[i].back_ms < next)
			next = sim->nodes[i].back_ms;
	return next;
}

static int64_t next_event(const struct sim_proxmox *sim)
{
	int64_t task = pve_task_next(sim), ha = pve_ha_next(sim), node = node_next(sim);
	int64_t next = task < ha ? task : ha;
	return next < node ? next : node;
}

void sim_proxmox_tick(struct sim_proxmox *sim)
{
	int64_t now = clock_wall_ms(sim->clock);
	for (;;) {
		int64_t next = next_event(sim);
		beat(sim, next < now ? next : now);
		if (next > now)
			break;
		if (next > sim->now_ms)
			sim->now_ms = next;
		for (int i = 0; i < sim->node_count; i++)
			if (sim->nodes[i].back_ms != 0 && sim->nodes[i].back_ms <= sim->now_ms)
				pve_node_life(sim, i, PVE_UP);
		pve_task_run(sim);
		pve_ha_run(sim);
	}
	sim->now_ms = now;
}

int sim_proxmox_posts(const struct sim_proxmox *sim, const char *pattern)
{
	int count = 0;
	for (int i = 0; i < sim->journal_count; i++)
		count += str_match(pattern, sim->journal[i]);
	return count;
}

const char *sim_proxmox_post(const struct sim_proxmox *sim, int n)
{
	return n >= 0 && n < sim->journal_count ? sim->journal[n] : NULL;
}

int sim_proxmox_gets(const struct sim_proxmox *sim, const char *pattern)
{
	int count = 0;
	if (pattern == NULL)
		return sim->get_count;
	for (int i = 0; i < PVE_GETS && sim->gets[i] != NULL; i++)
		count += str_match(pattern, sim->gets[i]);
	return count;
}

const char *sim_proxmox_guest(struct sim_proxmox *sim, int vmid)
{
	const struct pve_guest *guest = pve_guest_find(sim, vmid);
	return guest == NULL ? NULL : guest->paused ? "paused" : guest->running ? "running" : "stopped";
}

const char *sim_proxmox_guest_node(struct sim_proxmox *sim, int vmid)
{
	const struct pve_guest *guest = pve_guest_find(sim, vmid);
	return guest == NULL ? NULL : sim->nodes[guest->node].name;
}

const char *sim_proxmox_node_at(const struct sim_proxmox *sim, const char *host)
{
	for (int i = 0; i < sim->node_count; i++)
		if (strcmp(sim->nodes[i].name, host) == 0 || strcmp(sim->nodes[i].ip, host) == 0)
			return sim->nodes[i].name;
	return NULL;
}

const char *sim_proxmox_fingerprint(struct sim_proxmox *sim, const char *node)
{
	int index = pve_node_find(sim, node);
	return index < 0 ? NULL : sim->nodes[index].fingerprint;
}
