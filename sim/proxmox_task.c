/* Workers: UPIDs, durations, the lock file of a guest, exit texts and logs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_world.h"

static void log_line(struct pve_task *task, const char *text)
{
	if (task->log_count < 8)
		str_copy(task->log[task->log_count++], sizeof(task->log[0]), text);
}

static void finish(struct sim_proxmox *sim, struct pve_task *task, const char *exit)
{
	char line[256];
	task->state = PVE_TASK_STOPPED;
	task->holds_flock = false;
	task->end_ms = sim->now_ms;
	STR_SET(task->exit, exit);
	if (strcmp(exit, "OK") == 0)
		STR_SET(line, "TASK OK");
	else if (str_starts(exit, "WARNINGS: "))
		STR_FORMAT(line, "TASK %s", exit);
	else
		STR_FORMAT(line, "TASK ERROR: %s", exit);
	/* A killed worker writes no last line; that is how the real one is found out. */
	if (strcmp(exit, "unexpected status") != 0)
		log_line(task, line);
	while (
		sim->first_open < sim->task_count && sim->tasks[sim->first_open]->state == PVE_TASK_STOPPED)
		sim->first_open++;
}

/* Until when the guest's lock file is held by others; 0: it is free. INT64_MAX: by a task. */
static int64_t flock_held(struct sim_proxmox *sim, const struct pve_task *task)
{
	const struct pve_guest *guest = pve_guest_find(sim, task->order.vmid);
	if (!pve_job_needs_flock(task->order.job))
		return 0;
	for (int i = sim->first_open; i < sim->task_count; i++) {
		const struct pve_task *other = sim->tasks[i];
		if (other != task && other->holds_flock && other->node == task->node &&
			other->order.vmid == task->order.vmid)
			return INT64_MAX;
	}
	return guest != NULL && guest->busy_until_ms > sim->now_ms ? guest->busy_until_ms : 0;
}

static void begin(struct sim_proxmox *sim, struct pve_task *task)
{
	int64_t takes_ms = 0;
	int64_t held_until = flock_held(sim, task), give_up = task->start_ms + PVE_FLOCK_MS;
	if (held_until != 0) {
		task->state = PVE_TASK_WAITING;
		task->due_ms = held_until < give_up ? held_until : give_up;
		return;
	}
	task->state = PVE_TASK_RUNNING;
	if (!pve_job_begin(sim, task, &takes_ms, task->exit, sizeof(task->exit))) {
		task->due_ms = sim->now_ms + 100;
		task->fate = PVE_FATE_NONE;
		return;
	}
	task->holds_flock = pve_job_needs_flock(task->order.job);
	if (task->fate == PVE_FATE_KILLED)
		takes_ms /= 2;
	else if (task->fate == PVE_FATE_FAIL)
		takes_ms = task->fate_ms;
	else if (task->fate == PVE_FATE_SLOW)
		takes_ms += task->fate_ms;
	task->due_ms = sim->now_ms + takes_ms;
}

/* The fate that a script laid on the next task. */
static void take_fate(struct sim_proxmox *sim, struct pve_task *task)
{
	if (sim->next_fate == PVE_FATE_NONE ||
		(sim->next_vmid != 0 && sim->next_vmid != task->order.vmid))
		return;
	task->fate = sim->next_fate;
	task->fate_ms = sim->next_ms;
	task->warnings = sim->next_warnings;
	STR_SET(task->fate_text, sim->next_text);
	sim->next_fate = PVE_FATE_NONE;
}

const char *pve_task_new(struct sim_proxmox *sim, int node, const char *who, const char *type,
	const struct pve_order *order)
{
	struct pve_task *task = calloc(1, sizeof(*task));
	if (task == NULL)
		abort();
	const char *token = strchr(who, '!');
	sim->tasks = pve_more(sim->tasks, sim->task_count, sizeof(struct pve_task *));
	sim->tasks[sim->task_count++] = task;
	task->order = *order;
	task->node = node;
	task->pid = (int)++sim->pid;
	task->start_ms = sim->now_ms;
	task->pstart = (int)((sim->now_ms - sim->nodes[node].boot_ms) / 10);
	STR_SET(task->type, type);
	str_copy(task->user, token != NULL ? (size_t)(token - who) + 1 : sizeof(task->user), who);
	STR_SET(task->tokenid, token != NULL ? token + 1 : "");
	STR_FORMAT(task->upid, "UPID:%s:%08X:%08X:%08X:%s:%s:%s:", sim->nodes[node].name,
		(unsigned)task->pid, (unsigned)task->pstart, (unsigned)(sim->now_ms / 1000), type,
		order->id, who);
	take_fate(sim, task);
	begin(sim, task);
	return task->upid;
}

int64_t pve_task_next(const struct sim_proxmox *sim)
{
	int64_t next = INT64_MAX;
	for (int i = sim->first_open; i < sim->task_count; i++)
		if (sim->tasks[i]->state != PVE_TASK_STOPPED && sim->tasks[i]->due_ms < next)
			next = sim->tasks[i]->due_ms;
	return next;
}

static void end(struct sim_proxmox *sim, struct pve_task *task)
{
	char exit[224];
	if (task->exit[0] != '\0') {
		STR_SET(exit, task->exit);
	} else if (task->fate == PVE_FATE_KILLED || task->fate == PVE_FATE_FAIL) {
		pve_job_broken(sim, task);
		STR_SET(exit, task->fate == PVE_FATE_KILLED ? "unexpected status" : task->fate_text);
	} else if (pve_job_end(sim, task, exit, sizeof(exit))) {
		if (task->fate == PVE_FATE_WARNINGS)
			STR_FORMAT(exit, "WARNINGS: %d", task->warnings);
		else
			STR_SET(exit, "OK");
	}
	for (int i = 0; task->fate == PVE_FATE_WARNINGS && i < task->warnings && i < 4; i++)
		log_line(task, "WARN: something is not as it should be");
	finish(sim, task, exit);
}

static void give_up(struct sim_proxmox *sim, struct pve_task *task)
{
	char exit[224];
	STR_FORMAT(exit,
		task->order.is_ct ? "can't lock file '/run/lock/lxc/pve-config-%d.lock' - got timeout"
						  : "can't lock file '/var/lock/qemu-server/lock-%d.conf' - got timeout",
		task->order.vmid);
	finish(sim, task, exit);
}

/* Those who wait for a lock file that has become free. */
static void wake(struct sim_proxmox *sim)
{
	for (int i = sim->first_open; i < sim->task_count; i++)
		if (sim->tasks[i]->state == PVE_TASK_WAITING && flock_held(sim, sim->tasks[i]) == 0)
			begin(sim, sim->tasks[i]);
}

void pve_task_run(struct sim_proxmox *sim)
{
	for (int i = sim->first_open; i < sim->task_count; i++) {
		struct pve_task *task = sim->tasks[i];
		if (task->state == PVE_TASK_STOPPED || task->due_ms > sim->now_ms)
			continue;
		if (task->state == PVE_TASK_RUNNING)
			end(sim, task);
		else if (flock_held(sim, task) != 0)
			give_up(sim, task);
	}
	wake(sim);
}

void pve_task_lost(struct sim_proxmox *sim, int node)
{
	for (int i = sim->first_open; i < sim->task_count; i++) {
		struct pve_task *task = sim->tasks[i];
		if (task->node != node || task->state == PVE_TASK_STOPPED)
			continue;
		task->fate = PVE_FATE_KILLED;
		if (task->state == PVE_TASK_RUNNING && task->exit[0] == '\0')
			pve_job_broken(sim, task);
		finish(sim, task, "unexpected status");
	}
}

struct pve_task *pve_task_find(struct sim_proxmox *sim, const char *upid)
{
	for (int i = sim->task_count - 1; i >= 0; i--)
		if (strcmp(sim->tasks[i]->upid, upid) == 0)
			return sim->tasks[i];
	return NULL;
}
