/* Guests, live: their state, their configuration and their snapshots. */
#include <stdio.h>
#include <string.h>

#include "sim/proxmox_world.h"

struct pve_guest *pve_guest_here(struct pve_call *call)
{
	struct pve_guest *guest = pve_guest_find(call->sim, call->vmid);
	if (guest != NULL && guest->node == call->node && guest->is_ct == call->is_ct)
		return guest;
	pve_fail(call, 500, "Configuration file 'nodes/%s/%s/%d.conf' does not exist",
		call->sim->nodes[call->node].name, call->is_ct ? "lxc" : "qemu-server", call->vmid);
	return NULL;
}

/* Numbers of a VM, texts of a container: as the real ones. */
static void put_pressure(struct json_out *out, const struct pve_guest *guest)
{
	static const char *const names[] = {"pressurecpusome", "pressurecpufull", "pressureiosome",
		"pressureiofull", "pressurememorysome", "pressurememoryfull"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (guest->is_ct)
			json_put_str(out, names[i], "0.00");
		else
			json_put_num(out, names[i], i == 0 ? 0.62 : 0);
	}
}

static void put_ha(struct pve_call *call, struct json_out *out, const struct pve_guest *guest)
{
	const struct pve_ha *ha = pve_ha_find(call->sim, guest->vmid);
	json_open(out, "ha", '{');
	json_put_int(out, "managed", ha != NULL);
	if (ha != NULL)
		json_put_str(out, "state", ha->state);
	json_close(out, '}');
}

static void put_own(
	struct pve_call *call, struct json_out *out, const struct pve_guest *guest, bool is_list)
{
	if (guest->is_ct) {
		json_put_str(out, "type", "lxc");
		json_put_int(out, "swap", 0);
		json_put_int(out, "maxswap", 0);
		json_put_int(out, "diskread", guest->running ? 4096 : 0);
		json_put_int(out, "diskwrite", guest->running ? 1024 : 0);
	} else {
		if (call->sim->dialect >= 9)
			json_put_int(out, "memhost", 0);
		json_put_int(out, "serial", 1);
		if (!is_list && guest->agent != PVE_AGENT_NONE)
			json_put_int(out, "agent", 1);
		if (!is_list)
			json_put_raw(out, "clipboard", "null");
	}
}

void pve_put_status(struct pve_call *call, struct json_out *out, const struct pve_guest *guest,
	bool is_list, bool full)
{
	struct sim_proxmox *sim = call->sim;
	int64_t uptime_s = guest->running ? (sim->now_ms - guest->start_ms) / 1000 : 0;
	json_open(out, NULL, '{');
	json_put_int(out, "vmid", guest->vmid);
	json_put_str(out, "name", guest->name);
	json_put_str(out, "status", guest->running ? "running" : "stopped");
	if (!guest->is_ct && full)
		json_put_str(out, "qmpstatus",
			guest->paused        ? (guest->io_error ? "io-error" : "paused")
				: guest->running ? "running"
								 : "stopped");
	/* A delta that each worker keeps for itself: 0 in its first answer. */
	json_put_num(
		out, "cpu", guest->running && !guest->paused ? pve_noise(sim, guest->vmid, guest->cpu) : 0);
	json_put_int(out, "cpus", guest->cores);
	json_put_int(out, "mem", guest->running ? (int64_t)(guest->used * (double)guest->mem) : 0);
	json_put_int(out, "maxmem", guest->mem);
	json_put_int(out, "disk", guest->is_ct && guest->running ? guest->disk / 8 : 0);
	json_put_int(out, "maxdisk", guest->disk);
	json_put_int(out, "netin", uptime_s * 900);
	json_put_int(out, "netout", uptime_s * 300);
	json_put_int(out, "uptime", uptime_s);
	put_own(call, out, guest, is_list);
	if (guest->running)
		json_put_int(out, "pid", guest->pid);
	if (guest->running && sim->dialect >= 9)
		put_pressure(out, guest);
	if (guest->tags[0] != '\0')
		json_put_str(out, "tags", guest->tags);
	if (guest->lock[0] != '\0')
		json_put_str(out, "lock", guest->lock);
	if (guest->template)
		json_put_int(out, "template", 1);
	if (!is_list)
		put_ha(call, out, guest);
	json_close(out, '}');
}

static void list(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	struct json_out *out = pve_begin(call, '[');
	for (int i = 0; i < sim->guest_count; i++) {
		const struct pve_guest *guest = &sim->guests[i];
		char path[32];
		STR_FORMAT(path, "/vms/%d", guest->vmid);
		if (guest->node == call->node && guest->is_ct == call->is_ct &&
			pve_may(sim, call->who.id, path, "VM.Audit"))
			pve_put_status(call, out, guest, true, pve_flag(call, "full"));
	}
	pve_end(call, ']');
}

static void current(struct pve_call *call)
{
	const struct pve_guest *guest = pve_guest_here(call);
	if (guest == NULL)
		return;
	str_init(&call->str, call->arena);
	json_begin(&call->out, &call->str);
	pve_put_status(call, &call->out, guest, false, true);
	pve_raw(call, arena_strdup(call->arena, call->str.s));
}

static void snapshots(struct pve_call *call)
{
	const struct pve_guest *guest = pve_guest_here(call);
	if (guest == NULL)
		return;
	struct json_out *out = pve_begin(call, '[');
	for (const struct pve_snapshot *s = guest->snapshots; s != NULL; s = s->next) {
		json_open(out, NULL, '{');
		json_put_str(out, "name", s->name);
		json_put_str(out, "description", s->description);
		json_put_int(out, "snaptime", s->at_ms / 1000);
		if (!guest->is_ct)
			json_put_int(out, "vmstate", s->with_ram);
		if (s->is_prepare)
			json_put_str(out, "snapstate", "prepare");
		if (s->next != NULL)
			json_put_str(out, "parent", s->next->name);
		json_close(out, '}');
	}
	json_open(out, NULL, '{');
	json_put_str(out, "name", "current");
	json_put_str(out, "description", "You are here!");
	json_put_int(out, "running", guest->running);
	json_put_str(out, "digest", "ab0635d784619c32c5b7877b6e0cbc6256f092ab");
	if (guest->snapshots != NULL)
		json_put_str(out, "parent", guest->snapshots->name);
	json_close(out, '}');
	pve_end(call, ']');
}

/* An hour of minutes; rows of a gap, and from before the node came up, have only a time. */
static void rrddata(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	struct pve_guest *guest = pve_guest_find(sim, call->vmid);
	struct json_out *out = pve_begin(call, '[');
	for (int64_t minute = sim->now_ms / 60000 - 59; minute <= sim->now_ms / 60000; minute++) {
		json_open(out, NULL, '{');
		json_put_int(out, "time", minute * 60);
		if (guest != NULL && guest->running && minute * 60000 > guest->start_ms) {
			json_put_num(out, "cpu", guest->cpu);
			json_put_int(out, "maxcpu", guest->cores);
			json_put_num(out, "mem", guest->used * (double)guest->mem);
			json_put_int(out, "maxmem", guest->mem);
			json_put_int(out, "disk", 0);
			json_put_int(out, "maxdisk", guest->disk);
			if (sim->dialect >= 9) {
				json_put_int(out, "memhost", 0);
				json_put_num(out, "pressurecpusome", 18.12);
				json_put_num(out, "pressurecpufull", 17.69);
				json_put_int(out, "pressureiosome", 0);
				json_put_int(out, "pressureiofull", 0);
				json_put_int(out, "pressurememorysome", 0);
				json_put_int(out, "pressurememoryfull", 0);
			}
		}
		json_close(out, '}');
	}
	pve_end(call, ']');
}

static const struct pve_rule list_rules[] = {
	{"full", 'b', false, NULL, 0, 0}, {NULL, 0, false, NULL, 0, 0}};
static const struct pve_rule rrd_rules[] = {
	{"timeframe", 's', true, "enum hour, day, week, month, year", 0, 0},
	{"cf", 's', false, "enum AVERAGE, MAX", 0, 0}, {NULL, 0, false, NULL, 0, 0}};
#define AUDIT "/vms/{vmid} VM.Audit"
const struct pve_route pve_routes_guests[] = {
	{"GET", "/nodes/{node}/qemu", NULL, true, true, list_rules, list},
	{"GET", "/nodes/{node}/lxc", NULL, true, true, NULL, list},
	{"GET", "/nodes/{node}/qemu/{vmid}/status/current", AUDIT, true, true, NULL, current},
	{"GET", "/nodes/{node}/lxc/{vmid}/status/current", AUDIT, true, true, NULL, current},
	{"GET", "/nodes/{node}/qemu/{vmid}/snapshot", AUDIT, true, true, NULL, snapshots},
	{"GET", "/nodes/{node}/lxc/{vmid}/snapshot", AUDIT, true, true, NULL, snapshots},
	{"GET", "/nodes/{node}/qemu/{vmid}/rrddata", AUDIT, true, false, rrd_rules, rrddata},
	{"GET", "/nodes/{node}/lxc/{vmid}/rrddata", AUDIT, true, false, rrd_rules, rrddata},
	{NULL, NULL, NULL, false, false, NULL, NULL},
};
