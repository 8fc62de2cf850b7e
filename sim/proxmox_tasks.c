/* The tasks as the API shows them. A list has the exit text in `status`; one task has both. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_world.h"

static void put_task(
	struct pve_call *call, struct json_out *out, const struct pve_task *task, bool is_list)
{
	json_open(out, NULL, '{');
	json_put_str(out, "upid", task->upid);
	json_put_str(out, "node", call->sim->nodes[task->node].name);
	json_put_str(out, "type", task->type);
	json_put_str(out, "id", task->order.id);
	json_put_str(out, "user", task->user);
	if (task->tokenid[0] != '\0')
		json_put_str(out, "tokenid", task->tokenid);
	json_put_int(out, "pid", task->pid);
	json_put_int(out, "pstart", task->pstart);
	json_put_int(out, "starttime", task->start_ms / 1000);
	bool is_over = task->state == PVE_TASK_STOPPED;
	if (is_list && is_over) {
		json_put_int(out, "endtime", task->end_ms / 1000);
		json_put_str(out, "status", task->exit);
	} else if (!is_list) {
		json_put_str(out, "status", is_over ? "stopped" : "running");
		if (is_over)
			json_put_str(out, "exitstatus", task->exit);
	}
	json_close(out, '}');
}

static bool may_see(struct pve_call *call, const struct pve_task *task)
{
	char path[48], owner[120];
	STR_FORMAT(path, "/nodes/%s", call->sim->nodes[task->node].name);
	STR_FORMAT(owner, "%s%s%s", task->user, task->tokenid[0] != '\0' ? "!" : "", task->tokenid);
	return strcmp(owner, call->who.id) == 0 || strcmp(task->user, call->who.id) == 0 ||
		pve_may(call->sim, call->who.id, path, "Sys.Audit");
}

static bool wanted(struct pve_call *call, const struct pve_task *task)
{
	const char *source = pve_arg(call, "source"), *type = pve_arg(call, "typefilter");
	const char *vmid = pve_arg(call, "vmid"), *user = pve_arg(call, "userfilter");
	bool is_over = task->state == PVE_TASK_STOPPED;
	bool bad = is_over && strcmp(task->exit, "OK") != 0 && !str_starts(task->exit, "WARNINGS");
	source = source != NULL ? source : "archive";
	if ((strcmp(source, "archive") == 0 && !is_over) || (strcmp(source, "active") == 0 && is_over))
		return false;
	if (task->node != call->node || (pve_flag(call, "errors") && !bad) || !may_see(call, task))
		return false;
	if (task->start_ms / 1000 < pve_number(call, "since", 0) ||
		task->start_ms / 1000 > pve_number(call, "until", INT64_MAX))
		return false;
	return (type == NULL || strcmp(type, task->type) == 0) &&
		(vmid == NULL || strcmp(vmid, task->order.id) == 0) &&
		(user == NULL || strstr(task->user, user) != NULL);
}

static void list(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	int64_t skip = pve_number(call, "start", 0), limit = pve_number(call, "limit", 50), total = 0;
	struct json_out *out = pve_begin(call, '[');
	for (int i = sim->task_count - 1; i >= 0; i--) {
		const struct pve_task *task = sim->tasks[i];
		if (!wanted(call, task))
			continue;
		total++;
		if (total > skip && total <= skip + limit)
			put_task(call, out, task, true);
	}
	/* As the real one, which leaves a total of 0 out. */
	if (total > 0)
		call->total = arena_printf(call->arena, "%lld", (long long)total);
	pve_end(call, ']');
}

/* The task of the path; NULL and answered when there is none or it is nobody's business. */
static struct pve_task *task_here(struct pve_call *call)
{
	struct pve_task *task = pve_task_find(call->sim, pve_arg(call, "upid"));
	if (task == NULL || task->node != call->node)
		return NULL;
	if (may_see(call, task))
		return task;
	char path[48];
	STR_FORMAT(path, "/nodes/%s", call->sim->nodes[task->node].name);
	pve_demand(call, path, "Sys.Audit");
	return NULL;
}

static void status(struct pve_call *call)
{
	const struct pve_task *task = task_here(call);
	if (task == NULL) {
		if (!call->answered)
			pve_bad_param(call, "upid", "no such task");
		return;
	}
	str_init(&call->str, call->arena);
	json_begin(&call->out, &call->str);
	put_task(call, &call->out, task, false);
	pve_raw(call, arena_strdup(call->arena, call->str.s));
}

static void log_lines(struct pve_call *call)
{
	const struct pve_task *task = task_here(call);
	static const char none[] = "unable to open file - No such file or directory";
	if (call->answered)
		return;
	int64_t skip = pve_number(call, "start", 0), limit = pve_number(call, "limit", 50);
	int count = task != NULL ? task->log_count : 1;
	struct json_out *out = pve_begin(call, '[');
	for (int i = 0; i < count; i++) {
		if (i < skip || i >= skip + limit)
			continue;
		json_open(out, NULL, '{');
		json_put_int(out, "n", i + 1);
		json_put_str(out, "t", task != NULL ? task->log[i] : none);
		json_close(out, '}');
	}
	call->total = arena_printf(call->arena, "%d", count);
	pve_end(call, ']');
}

static void kill_task(struct pve_call *call)
{
	struct pve_task *task = task_here(call);
	if (call->answered)
		return;
	if (task != NULL && task->state != PVE_TASK_STOPPED) {
		task->fate = PVE_FATE_KILLED;
		task->due_ms = call->sim->now_ms;
		task->state = PVE_TASK_RUNNING;
		pve_task_run(call->sim);
	}
	pve_raw(call, "null");
}

#define END \
	{ \
		NULL, 0, false, NULL, 0, 0 \
	}
static const struct pve_rule list_rules[] = {{"errors", 'b', false, NULL, 0, 0},
	{"limit", 'i', false, NULL, 0, 0}, {"start", 'i', false, NULL, 0, 0},
	{"since", 'i', false, NULL, 0, -1}, {"until", 'i', false, NULL, 0, -1},
	{"source", 's', false, "enum archive, active, all", 0, 0},
	{"statusfilter", 's', false, NULL, 0, 0}, {"typefilter", 's', false, NULL, 0, 0},
	{"userfilter", 's', false, NULL, 0, 0}, {"vmid", 'i', false, NULL, 100, 999999999}, END};
static const struct pve_rule log_rules[] = {{"download", 'b', false, NULL, 0, 0},
	{"limit", 'i', false, NULL, 0, 0}, {"start", 'i', false, NULL, 0, 0}, END};

#define T "/nodes/{node}/tasks"
const struct pve_route pve_routes_tasks[] = {
	{"GET", T, NULL, false, true, list_rules, list},
	{"GET", T "/{upid}/status", NULL, true, true, NULL, status},
	{"GET", T "/{upid}/log", NULL, true, true, log_rules, log_lines},
	{"DELETE", T "/{upid}", NULL, true, true, NULL, kill_task},
	{NULL, NULL, NULL, false, false, NULL, NULL},
};
