/* What Proxmox VE tells of a guest, a node or a storage: its tasks, and how its node is. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "client/proxmox.h"
#include "diagnose/evidence.h"

#define SCRATCH_BYTES ((size_t)16 << 20)
#define LOOK_MS 4000
#define TASKS 8
#define DAY_MS 86400000LL
#define HOUR_S 3600
#define GIB (1024.0 * 1024 * 1024)

static struct proxmox *open_cluster(const struct evidence_order *order, struct err *err)
{
	const struct config *config = order->config;
	for (int i = 0; i < config->proxmox_count; i++)
		if (str_starts(order->component.source, "proxmox:") &&
			str_equal(order->component.source + strlen("proxmox:"), config->proxmox[i].name))
			return proxmox_open(&config->proxmox[i], order->clock, order->stop_fd, err);
	err_set(err, ERR_GONE, "%s is not configured any more", order->component.source);
	return NULL;
}

static void add_node(const struct proxmox_node *node, struct evidence_list *list)
{
	if (node->state != PROXMOX_ONLINE) {
		evidence_addf(list, EVIDENCE_STATE, 0, "cluster", "node %s is not online", node->name);
		return;
	}
	double memory = node->mem_max_bytes > 0
		? 100.0 * (double)node->mem_bytes / (double)node->mem_max_bytes
		: 0;
	evidence_addf(list, EVIDENCE_METRIC, 0, "cluster",
		"node %s: CPU %.0f %% of %lld cores, memory %.0f %% of %.1f GiB", node->name,
		100 * node->cpu, (long long)node->cores, memory, (double)node->mem_max_bytes / GIB);
	if (node->uptime_s > 0 && node->uptime_s < HOUR_S)
		evidence_addf(list, EVIDENCE_CHANGE, 0, "cluster", "node %s was booted %lld minutes ago",
			node->name, (long long)node->uptime_s / 60);
}

static void add_tasks(const struct evidence_order *order, struct proxmox *proxmox, const char *node,
	int vmid, struct evidence_list *list)
{
	const struct proxmox_task_filter filter = {.node = node, .vmid = vmid};
	struct proxmox_task_list tasks;
	struct err err = {0};
	auto_arena arena = arena_new(SCRATCH_BYTES);
	if (!proxmox_node_tasks(proxmox, &filter, arena, &tasks, &err)) {
		evidence_addf(list, EVIDENCE_GAP, 0, "tasks", "%s", err.text);
		return;
	}
	int64_t since = clock_wall_ms(order->clock) - DAY_MS;
	for (int i = 0, n = 0; i < tasks.count && n < TASKS; i++) {
		const struct proxmox_task *task = &tasks.rows[i];
		if (task->started_s * 1000 < since)
			continue;
		bool runs = task->ended_s == 0;
		evidence_addf(list, EVIDENCE_EVENT, task->started_s * 1000, "tasks", "task %s by %s %s: %s",
			task->type, task->user, runs ? "runs" : "ended", runs ? "not ended yet" : task->status);
		n++;
	}
}

static void add_guest(const struct evidence_order *order, struct proxmox *proxmox,
	const struct proxmox_look *look, const char *number, struct evidence_list *list)
{
	const struct proxmox_guest *guest = proxmox_guest_find(look, (int)strtol(number, NULL, 10));
	if (guest == NULL) {
		evidence_add(list, EVIDENCE_STATE, 0, "cluster", "the cluster does not list it any more");
		return;
	}
	evidence_addf(list, EVIDENCE_STATE, 0, "cluster", "%s on node %s%s%s%s%s",
		guest->state == PROXMOX_RUNNING ? "running" : "not running", guest->node,
		guest->lock[0] != '\0' ? ", locked: " : "", guest->lock,
		guest->ha_state[0] != '\0' ? ", HA: " : "", guest->ha_state);
	const struct proxmox_node *node = proxmox_node_find(look, guest->node);
	if (node != NULL)
		add_node(node, list);
	add_tasks(order, proxmox, guest->node, guest->vmid, list);
}

void evidence_of_proxmox(const struct evidence_order *order, struct evidence_list *list)
{
	const char *native = order->component.native, *slash = strchr(native, '/');
	struct proxmox_look look;
	struct err err = {0};
	auto_arena arena = arena_new(SCRATCH_BYTES);
	struct proxmox *proxmox = open_cluster(order, &err);
	if (proxmox == NULL || !proxmox_look(proxmox, LOOK_MS, arena, &look, &err)) {
		evidence_addf(list, EVIDENCE_GAP, 0, "cluster", "%s", err.text);
	} else if (str_starts(native, "lxc/") || str_starts(native, "qemu/")) {
		add_guest(order, proxmox, &look, slash + 1, list);
	} else if (str_starts(native, "node/")) {
		const struct proxmox_node *node = proxmox_node_find(&look, slash + 1);
		if (node != NULL)
			add_node(node, list);
		add_tasks(order, proxmox, slash + 1, 0, list);
	}
	proxmox_close(proxmox);
}
