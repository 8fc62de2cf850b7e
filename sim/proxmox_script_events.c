/* The lines that let something happen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_script.h"

static bool node_load(struct pve_line *line)
{
	int index = pve_line_node(line, 1);
	if (index < 0)
		return false;
	struct pve_node *node = &line->sim->nodes[index];
	node->cpu = pve_line_number(line, "cpu", node->cpu);
	node->used = pve_line_number(line, "used", node->used);
	node->root = pve_line_number(line, "root", node->root);
	return true;
}

static bool guest_load(struct pve_line *line)
{
	struct pve_guest *guest = pve_line_guest(line, 1);
	if (guest == NULL)
		return false;
	guest->cpu = pve_line_number(line, "cpu", guest->cpu);
	guest->used = pve_line_number(line, "used", guest->used);
	return true;
}

static bool storage_used(struct pve_line *line)
{
	bool any = false;
	int index = pve_node_find(line->sim, line->words[2]);
	for (int i = 0; i < line->sim->storage_count; i++) {
		struct pve_storage *storage = &line->sim->storages[i];
		if (strcmp(storage->name, line->words[1]) != 0 ||
			(storage->node != PVE_ANY_NODE && storage->node != index))
			continue;
		any = true;
		storage->off = strcmp(line->words[3], "off") == 0;
		if (!storage->off)
			storage->used = strtod(line->words[3], NULL);
	}
	return any ? true : pve_bad(line, "no such storage: %s", line->words[1]);
}

/* At once and without a task: as its process ends, or as qemu's own monitor does it. */
static bool power(struct pve_line *line)
{
	struct pve_guest *guest = pve_line_guest(line, 1);
	if (guest == NULL)
		return false;
	struct pve_ha *ha = pve_ha_find(line->sim, guest->vmid);
	if (strcmp(line->words[0], "start") == 0)
		pve_guest_on(line->sim, guest);
	else if (strcmp(line->words[0], "pause") == 0)
		guest->paused = guest->running, guest->io_error = pve_line_has(line, "io-error");
	else
		pve_guest_off(line->sim, guest);
	if (ha != NULL && strcmp(line->words[0], "crash") == 0)
		pve_ha_wake(line->sim, ha);
	return true;
}

static bool by_person(struct pve_line *line)
{
	struct pve_guest *guest = pve_line_guest(line, 3);
	bool starts = strcmp(line->words[2], "start") == 0;
	if (guest == NULL)
		return false;
	struct pve_order order = {
		.job = starts ? PVE_JOB_START : PVE_JOB_STOP, .vmid = guest->vmid, .is_ct = guest->is_ct};
	STR_FORMAT(order.id, "%d", guest->vmid);
	pve_task_new(line->sim, guest->node, line->words[1],
		guest->is_ct ? (starts ? "vzstart" : "vzstop") : (starts ? "qmstart" : "qmstop"), &order);
	return true;
}

static bool lock(struct pve_line *line)
{
	struct pve_guest *guest = pve_line_guest(line, 1);
	if (guest == NULL)
		return false;
	STR_SET(guest->lock, line->n > 2 ? line->words[2] : "");
	return true;
}

static bool busy(struct pve_line *line)
{
	struct pve_guest *guest = pve_line_guest(line, 1);
	if (guest == NULL)
		return false;
	guest->busy_until_ms = line->sim->now_ms + pve_int(line->words[2]);
	return true;
}

static bool move(struct pve_line *line)
{
	struct pve_guest *guest = pve_line_guest(line, 1);
	int node = pve_line_node(line, 2);
	if (guest == NULL || node < 0)
		return false;
	guest->node = node;
	return true;
}

static bool destroy(struct pve_line *line)
{
	struct pve_guest *guest = pve_line_guest(line, 1);
	if (guest == NULL)
		return false;
	pve_guest_remove(line->sim, guest);
	return true;
}

/* The rest of the line after its first n words. */
static const char *rest(const struct pve_line *line, int n)
{
	const char *at = line->whole + strspn(line->whole, " \t");
	for (int i = 0; i < n; i++) {
		at += strcspn(at, " \t");
		at += strspn(at, " \t");
	}
	return at;
}

static bool prepare_lost(struct pve_line *line)
{
	struct pve_guest *guest = pve_line_guest(line, 1);
	if (guest == NULL)
		return false;
	STR_SET(guest->no_start, rest(line, 2));
	return true;
}

static bool agent(struct pve_line *line)
{
	struct pve_guest *guest = pve_line_guest(line, 1);
	if (guest == NULL)
		return false;
	guest->agent = strcmp(line->words[2], "present") == 0 ? PVE_AGENT_PRESENT
		: strcmp(line->words[2], "absent") == 0           ? PVE_AGENT_ABSENT
														  : PVE_AGENT_NONE;
	return true;
}

static bool deaf(struct pve_line *line)
{
	struct pve_guest *guest = pve_line_guest(line, 1);
	if (guest == NULL)
		return false;
	guest->deaf = line->n < 3 || strcmp(line->words[2], "off") != 0;
	return true;
}

static struct pve_ha *ha_of(struct sim_proxmox *sim, const struct pve_guest *guest)
{
	struct pve_ha *ha = pve_ha_find(sim, guest->vmid);
	if (ha != NULL)
		return ha;
	sim->ha = pve_more(sim->ha, sim->ha_count, sizeof(*sim->ha));
	ha = &sim->ha[sim->ha_count++];
	*ha = (struct pve_ha){.vmid = guest->vmid, .is_ct = guest->is_ct, .delay_ms = 20000};
	STR_SET(ha->request, guest->running ? "started" : "stopped");
	STR_SET(ha->state, ha->request);
	return ha;
}

static bool high_availability(struct pve_line *line)
{
	struct pve_guest *guest = pve_line_guest(line, 1);
	const char *what = line->n > 2 ? line->words[2] : "started";
	if (guest == NULL)
		return false;
	struct pve_ha *ha = ha_of(line->sim, guest);
	if (strcmp(what, "off") == 0) {
		*ha = line->sim->ha[--line->sim->ha_count];
	} else if (strcmp(what, "stuck") == 0 || strcmp(what, "loose") == 0) {
		ha->stuck = what[0] == 's';
		ha->due_ms = 0;
		if (!ha->stuck)
			pve_ha_wake(line->sim, ha);
	} else if (strcmp(what, "error") == 0) {
		STR_SET(ha->state, "error");
		ha->due_ms = 0;
	} else if (strcmp(what, "delay") == 0 && line->n > 3) {
		ha->delay_ms = pve_int(line->words[3]);
	} else {
		STR_SET(ha->request, what);
		pve_ha_wake(line->sim, ha);
	}
	return true;
}

static bool task(struct pve_line *line)
{
	struct sim_proxmox *sim = line->sim;
	const char *fate = line->words[2];
	sim->next_vmid = pve_int(line->words[1]);
	if (strcmp(fate, "killed") == 0) {
		sim->next_fate = PVE_FATE_KILLED;
		return true;
	}
	if (line->n < 4)
		return pve_bad(line, "task VMID killed|warnings N|fail MS TEXT|slow MS");
	sim->next_ms = pve_int(line->words[3]);
	sim->next_warnings = pve_int(line->words[3]);
	STR_SET(sim->next_text, line->n > 4 ? rest(line, 4) : "failed");
	sim->next_fate = strcmp(fate, "warnings") == 0 ? PVE_FATE_WARNINGS
		: strcmp(fate, "fail") == 0                ? PVE_FATE_FAIL
												   : PVE_FATE_SLOW;
	return true;
}

static bool rrd(struct pve_line *line)
{
	int node = pve_line_node(line, 1);
	if (node < 0)
		return false;
	int64_t from = str_parse_duration(line->words[3]);
	int64_t to = line->n > 4 ? str_parse_duration(line->words[4]) : 0;
	if (from < 0 || to < 0)
		return pve_bad(line, "rrd NODE gap FROM_AGO TO_AGO");
	line->sim->nodes[node].gap_from_ms = line->sim->now_ms - from;
	line->sim->nodes[node].gap_to_ms = line->sim->now_ms - to;
	return true;
}

const struct pve_verb pve_verbs_events[] = {{"node-load", 2, node_load},
	{"guest-load", 2, guest_load}, {"storage-used", 3, storage_used}, {"crash", 1, power},
	{"start", 1, power}, {"stop", 1, power}, {"pause", 1, power}, {"by", 3, by_person},
	{"lock", 2, lock}, {"unlock", 1, lock}, {"busy", 2, busy}, {"move", 2, move},
	{"destroy", 1, destroy}, {"prepare-lost", 1, prepare_lost}, {"agent", 2, agent},
	{"command", 1, pve_next_command}, {"deaf", 1, deaf}, {"ha", 1, high_availability},
	{"task", 2, task}, {"rrd", 3, rrd}, {NULL, 0, NULL}};
