/* What the cluster says of HA: who leads, who lives, and what is to be where. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sim/proxmox_world.h"

static void ha_resources(struct pve_call *call)
{
	const char *type = pve_arg(call, "type");
	struct json_out *out = pve_begin(call, '[');
	for (int i = 0; i < call->sim->ha_count; i++) {
		const struct pve_ha *ha = &call->sim->ha[i];
		char sid[24];
		if (type != NULL && strcmp(type, ha->is_ct ? "ct" : "vm") != 0)
			continue;
		STR_FORMAT(sid, "%s:%d", ha->is_ct ? "ct" : "vm", ha->vmid);
		json_open(out, NULL, '{');
		json_put_str(out, "sid", sid);
		json_put_str(out, "type", ha->is_ct ? "ct" : "vm");
		json_put_str(out, "state", ha->request);
		json_put_str(out, "digest", "5663de4a87d7edf4e29512c8e1416918bfe996a7");
		json_close(out, '}');
	}
	pve_end(call, ']');
}

/* "Mon Nov 23 21:23:42 2026" */
static void put_time(char text[32], int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	if (strftime(text, 32, "%a %b %e %H:%M:%S %Y", &tm) == 0)
		text[0] = '\0';
}

static void put_lrm(struct pve_call *call, struct json_out *out, int index, bool is_quorate)
{
	struct sim_proxmox *sim = call->sim;
	const struct pve_node *node = &sim->nodes[index];
	char text[160], id[48], when[32];
	bool online = pve_online(sim, call->via, index) && is_quorate, active = false;
	int64_t told_ms = online ? sim->now_ms - sim->now_ms % 5000 : node->gone_ms;
	for (int i = 0; i < sim->ha_count; i++) {
		const struct pve_guest *guest = pve_guest_find(sim, sim->ha[i].vmid);
		active = active || (guest != NULL && guest->node == index);
	}
	put_time(when, told_ms);
	STR_FORMAT(text, "%s (%s, watchdog %s, %s)", node->name,
		!online      ? "old timestamp - dead?"
			: active ? "active"
					 : "idle",
		online && active ? "active" : "standby", when);
	STR_FORMAT(id, "lrm:%s", node->name);
	json_open(out, NULL, '{');
	json_put_str(out, "id", id);
	json_put_str(out, "type", "lrm");
	json_put_str(out, "node", node->name);
	json_put_str(out, "status", text);
	json_put_int(out, "timestamp", told_ms / 1000);
	json_close(out, '}');
}

static void put_service(
	struct json_out *out, const struct sim_proxmox *sim, const struct pve_ha *ha, const char *node)
{
	char sid[24], id[40], text[96];
	STR_FORMAT(sid, "%s:%d", ha->is_ct ? "ct" : "vm", ha->vmid);
	STR_FORMAT(id, "service:%s", sid);
	STR_FORMAT(text, "%s (%s, %s)", sid, node, ha->state);
	json_open(out, NULL, '{');
	json_put_str(out, "id", id);
	json_put_str(out, "type", "service");
	json_put_str(out, "sid", sid);
	json_put_str(out, "node", node);
	json_put_str(out, "status", text);
	json_put_str(out, "state", ha->state);
	json_put_str(out, "crm_state", ha->state);
	json_put_str(out, "request_state", ha->request);
	json_put_int(out, "max_restart", 1);
	json_put_int(out, "max_relocate", 1);
	if (sim->dialect >= 9)
		json_put_int(out, "failback", 1);
	json_close(out, '}');
}

static void put_masters(struct pve_call *call, struct json_out *out, bool quorate)
{
	struct sim_proxmox *sim = call->sim;
	const char *here = sim->nodes[call->via].name;
	int master = 0;
	while (master + 1 < sim->node_count && quorate && !pve_online(sim, call->via, master))
		master++;
	char text[128], when[32];
	int64_t told_ms = quorate ? sim->now_ms - sim->now_ms % 10000 : sim->nodes[call->via].gone_ms;
	json_open(out, NULL, '{');
	json_put_str(out, "id", "quorum");
	json_put_str(out, "type", "quorum");
	json_put_str(out, "node", here);
	STR_FORMAT(text, "No quorum on node '%s'!", here);
	json_put_str(out, "status", quorate ? "OK" : text);
	json_put_int(out, "quorate", quorate);
	json_close(out, '}');
	put_time(when, told_ms);
	STR_FORMAT(text, "%s (%s, %s)", sim->nodes[master].name,
		quorate ? "active" : "old timestamp - dead?", when);
	json_open(out, NULL, '{');
	json_put_str(out, "id", "master");
	json_put_str(out, "type", "master");
	json_put_str(out, "node", sim->nodes[master].name);
	json_put_str(out, "status", text);
	json_put_int(out, "timestamp", told_ms / 1000);
	json_close(out, '}');
	if (sim->dialect < 9)
		return;
	json_open(out, NULL, '{');
	json_put_str(out, "id", "fencing");
	json_put_str(out, "type", "fencing");
	json_put_str(out, "node", sim->nodes[master].name);
	json_put_str(out, "armed-state", quorate ? "armed" : "standby");
	json_put_str(
		out, "status", quorate ? "armed (CRM watchdog active)" : "standby (CRM watchdog standby)");
	json_close(out, '}');
}

static void ha_status(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	bool quorate = pve_quorate(sim, call->via);
	struct json_out *out = pve_begin(call, '[');
	put_masters(call, out, quorate);
	for (int i = 0; i < sim->node_count; i++)
		put_lrm(call, out, i, quorate);
	for (int i = 0; i < sim->ha_count; i++) {
		const struct pve_guest *guest = pve_guest_find(sim, sim->ha[i].vmid);
		if (guest != NULL)
			put_service(out, sim, &sim->ha[i], sim->nodes[guest->node].name);
	}
	pve_end(call, ']');
}

static const struct pve_rule ha_rules[] = {
	{"type", 's', false, "enum ct, vm", 0, 0}, {NULL, 0, false, NULL, 0, 0}};

#define AUDIT "/ Sys.Audit"
const struct pve_route pve_routes_ha[] = {
	{"GET", "/cluster/ha/resources", AUDIT, false, false, ha_rules, ha_resources},
	{"GET", "/cluster/ha/status/current", AUDIT, false, false, NULL, ha_status},
	{NULL, NULL, NULL, false, false, NULL, NULL},
};
