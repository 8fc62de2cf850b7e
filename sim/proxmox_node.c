/* One node: its state, services, certificates, disks, updates and history. */
#include <stdio.h>
#include <string.h>

#include "sim/proxmox_world.h"

static struct pve_node *here(struct pve_call *call)
{
	return &call->sim->nodes[call->node];
}

static void put_space(struct json_out *out, const char *key, int64_t total, double share)
{
	int64_t used = (int64_t)(share * (double)total);
	bool is_memory = strcmp(key, "memory") == 0;
	json_open(out, key, '{');
	json_put_int(out, "total", total);
	json_put_int(out, "used", used);
	json_put_int(out, "free", total - used);
	if (is_memory)
		json_put_int(out, "available", total - used);
	else if (strcmp(key, "rootfs") == 0)
		json_put_int(out, "avail", (total - used) * 9 / 10);
	json_close(out, '}');
}

static void status(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	const struct pve_node *node = here(call);
	char load[16];
	struct json_out *out = pve_begin(call, '{');
	json_put_str(out, "pveversion",
		sim->dialect == 9       ? "pve-manager/9.2.11/14a22df3d7a6a1f0"
			: sim->dialect == 8 ? "pve-manager/8.4.14/b502d23c55afcba1"
								: "pve-manager/7.4-17/513c62be");
	json_put_str(out, "kversion", "Linux 6.14.11-4-pve #1 SMP PREEMPT_DYNAMIC");
	json_put_raw(out, "current-kernel",
		"{\"sysname\":\"Linux\",\"release\":\"6.14.11-4-pve\",\"machine\":\"x86_64\",\"version\":"
		"\"#1 SMP PREEMPT_DYNAMIC\"}");
	json_put_raw(out, "boot-info", "{\"mode\":\"legacy-bios\"}");
	json_put_raw(out, "ksm", "{\"shared\":0}");
	json_put_int(out, "uptime", (sim->now_ms - node->boot_ms) / 1000);
	json_put_int(out, "idle", 0);
	json_put_num(out, "wait", 0.004);
	json_put_num(out, "cpu", pve_noise(sim, call->node, node->cpu));
	STR_FORMAT(load, "%.2f", node->cpu * node->cpus);
	json_open(out, "loadavg", '[');
	for (int i = 0; i < 3; i++)
		json_put_str(out, NULL, load);
	json_close(out, ']');
	json_open(out, "cpuinfo", '{');
	json_put_int(out, "cpus", node->cpus);
	json_put_int(out, "cores", node->cpus);
	json_put_int(out, "sockets", 1);
	json_put_int(out, "user_hz", 100);
	json_put_str(out, "mhz", "2596.098");
	json_put_str(out, "model", "AMD EPYC");
	json_put_str(out, "vendor", "AuthenticAMD");
	json_put_str(out, "family", "26");
	json_put_str(out, "flags", "fpu vme de pse tsc msr");
	json_put_str(out, "hvm", "");
	json_close(out, '}');
	put_space(out, "memory", node->mem, node->used);
	put_space(out, "rootfs", node->disk, node->root);
	put_space(out, "swap", 0, 0);
	pve_end(call, '}');
}

static void command(struct pve_call *call)
{
	struct pve_node *node = here(call);
	pve_node_life(call->sim, call->node, PVE_DEAD);
	if (strcmp(pve_arg(call, "command"), "reboot") == 0)
		node->back_ms = call->sim->now_ms + 60000;
	pve_raw(call, "null");
}

static const struct {
	const char *name, *desc, *unit, *active, *state;
} services[] = {
	{"chrony", "chrony, an NTP client/server", "enabled", "active", "running"},
	{"corosync", "Corosync Cluster Engine", "enabled", "active", "running"},
	{"cron", "Regular background program processing daemon", "enabled", "active", "running"},
	{"ksmtuned", "ksmtuned.service", "not-found", "inactive", "dead"},
	{"lxcfs", "FUSE filesystem for LXC", "enabled", "active", "running"},
	{"postfix", "Postfix Mail Transport Agent", "enabled", "active", "exited"},
	{"proxmox-firewall", "Proxmox nftables firewall", "enabled", "active", "running"},
	{"pve-cluster", "The Proxmox VE cluster filesystem", "enabled", "active", "running"},
	{"pve-firewall", "Proxmox VE firewall", "enabled", "active", "running"},
	{"pve-ha-crm", "PVE Cluster HA Resource Manager Daemon", "enabled", "active", "running"},
	{"pve-ha-lrm", "PVE Local HA Resource Manager Daemon", "enabled", "active", "running"},
	{"pve-lxc-syscalld", "pve-lxc-syscalld.service", "not-found", "inactive", "dead"},
	{"pvedaemon", "PVE API Daemon", "enabled", "active", "running"},
	{"pvefw-logger", "Proxmox VE firewall logger", "enabled", "active", "running"},
	{"pveproxy", "PVE API Proxy Server", "enabled", "active", "running"},
	{"pvescheduler", "Proxmox VE scheduler", "enabled", "active", "running"},
	{"pvestatd", "PVE Status Daemon", "enabled", "active", "running"},
	{"qmeventd", "PVE Qemu Event Daemon", "enabled", "active", "running"},
	{"spiceproxy", "PVE SPICE Proxy Server", "disabled", "inactive", "dead"},
	{"sshd", "OpenBSD Secure Shell server", "enabled", "active", "running"},
	{"syslog", "syslog.service", "not-found", "inactive", "dead"},
	{"systemd-journald", "Journal Service", "static", "active", "running"},
	{"systemd-timesyncd", "systemd-timesyncd.service", "masked", "inactive", "dead"},
};

static void put_service(struct pve_call *call, struct json_out *out, const char *name)
{
	const struct pve_node *node = here(call);
	bool is_dead = strcmp(name, "pvestatd") == 0 && node->pvestatd_down;
	for (int i = 0; i < node->service_count; i++)
		if (strcmp(node->services[i].name, name) == 0)
			is_dead = is_dead || node->services[i].is_dead;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		if (strcmp(services[i].name, name) != 0)
			continue;
		json_put_str(out, "service", name);
		json_put_str(out, "name", name);
		json_put_str(out, "desc", services[i].desc);
		json_put_str(out, "unit-state", services[i].unit);
		json_put_str(out, "active-state", is_dead ? "inactive" : services[i].active);
		json_put_str(out, "state", is_dead ? "dead" : services[i].state);
	}
}

static void service_list(struct pve_call *call)
{
	struct json_out *out = pve_begin(call, '[');
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		json_open(out, NULL, '{');
		put_service(call, out, services[i].name);
		json_close(out, '}');
	}
	call->reply->held_ms = 900;
	pve_end(call, ']');
}

static void service_state(struct pve_call *call)
{
	put_service(call, pve_begin(call, '{'), pve_arg(call, "service"));
	pve_end(call, '}');
}

static void service_restart(struct pve_call *call)
{
	struct pve_order order = {.job = PVE_JOB_SERVICE};
	STR_SET(order.id, pve_arg(call, "service"));
	pve_text(call, pve_task_new(call->sim, call->node, call->who.id, "srvrestart", &order));
}

static void put_certificate(struct json_out *out, const struct pve_node *node, bool is_ca)
{
	char subject[96];
	static const char issuer[] =
		"/CN=Proxmox Virtual Environment/OU=61d9dce4-dfb9-477c-8f14-f2045ff00492/O=PVE Cluster "
		"Manager CA";
	STR_FORMAT(subject, "/OU=PVE Cluster Node/O=Proxmox Virtual Environment/CN=%s", node->name);
	json_open(out, NULL, '{');
	json_put_str(out, "filename", is_ca ? "pve-root-ca.pem" : "pve-ssl.pem");
	json_put_str(out, "subject", is_ca ? issuer : subject);
	json_put_str(out, "issuer", issuer);
	json_put_str(out, "fingerprint",
		is_ca ? "86:C4:72:54:10:FA:E4:EB:32:D9:26:CD:3B:1C:19:F3:38:95:45:0E:C8:01:7C:C7:21:CE:"
				"0B:47:C1:CB:2F:27"
			  : node->fingerprint);
	json_put_int(out, "notbefore", node->cert_from_ms / 1000);
	json_put_int(
		out, "notafter", is_ca ? node->cert_from_ms / 1000 + 315360000 : node->cert_to_ms / 1000);
	json_put_str(out, "public-key-type", "rsaEncryption");
	json_put_int(out, "public-key-bits", is_ca ? 4096 : 2048);
	json_open(out, "san", '[');
	if (!is_ca) {
		json_put_str(out, NULL, "localhost");
		json_put_str(out, NULL, node->ip);
		json_put_str(out, NULL, node->name);
	}
	json_close(out, ']');
	json_put_str(
		out, "pem", "-----BEGIN CERTIFICATE-----\nc2ltdWxhdGVk\n-----END CERTIFICATE-----\n");
	json_close(out, '}');
}

static void certificates(struct pve_call *call)
{
	struct json_out *out = pve_begin(call, '[');
	put_certificate(out, here(call), true);
	put_certificate(out, here(call), false);
	pve_end(call, ']');
}

static void disks(struct pve_call *call)
{
	const struct pve_node *node = here(call);
	struct json_out *out = pve_begin(call, '[');
	for (int i = 0; i < node->disk_count; i++) {
		const struct pve_disk *disk = &node->disks[i];
		char dev[32];
		STR_FORMAT(dev, "/dev/%s", disk->dev);
		json_open(out, NULL, '{');
		json_put_str(out, "devpath", dev);
		json_put_str(out, "model", "Simulated");
		json_put_str(out, "serial", disk->dev);
		json_put_str(out, "type", "ssd");
		json_put_str(out, "health", disk->health);
		json_put_int(out, "size", 512000000000);
		json_put_int(out, "gpt", 1);
		json_put_str(out, "used", "LVM");
		if (disk->wearout >= 0)
			json_put_int(out, "wearout", disk->wearout);
		else
			json_put_str(out, "wearout", "N/A");
		json_close(out, '}');
	}
	pve_end(call, ']');
}

static void smart(struct pve_call *call)
{
	const struct pve_node *node = here(call);
	const char *dev = pve_arg(call, "disk");
	for (int i = 0; i < node->disk_count; i++) {
		if (strcmp(node->disks[i].dev, dev + strlen("/dev/")) != 0)
			continue;
		struct json_out *out = pve_begin(call, '{');
		json_put_str(out, "health", node->disks[i].health);
		json_put_str(out, "type", "ata");
		json_put_raw(out, "attributes", "[]");
		pve_end(call, '}');
		return;
	}
	pve_fail(call, 500, "not a valid block device");
}

static void zfs(struct pve_call *call)
{
	const struct pve_node *node = here(call);
	if (node->zfs[0] == '\0') {
		pve_fail(call, 500, "zfsutils-linux not installed");
		return;
	}
	struct json_out *out = pve_begin(call, '[');
	json_open(out, NULL, '{');
	json_put_str(out, "name", node->zfs);
	json_put_str(out, "health", node->zfs_health);
	json_put_int(out, "size", 1000000000000);
	json_put_int(out, "alloc", 200000000000);
	json_put_int(out, "free", 800000000000);
	json_put_int(out, "frag", 5);
	json_put_num(out, "dedup", 1);
	json_close(out, '}');
	pve_end(call, ']');
}

static void updates(struct pve_call *call)
{
	const struct pve_node *node = here(call);
	struct json_out *out = pve_begin(call, '[');
	for (int i = 0; i < node->update_count; i++) {
		json_open(out, NULL, '{');
		json_put_str(out, "Package", node->updates[i]);
		json_put_str(out, "Title", node->updates[i]);
		json_put_str(out, "Description", "An update");
		json_put_str(out, "Version", "2.0-1");
		json_put_str(out, "OldVersion", "1.0-1");
		json_put_str(out, "Origin", "Proxmox");
		json_put_str(out, "Arch", "amd64");
		json_put_str(out, "Section", "admin");
		json_put_str(out, "Priority", "optional");
		json_close(out, '}');
	}
	call->reply->held_ms = 2400;
	pve_end(call, ']');
}

static void put_numbers(struct sim_proxmox *sim, struct json_out *out, const struct pve_node *node)
{
	json_put_num(out, "cpu", node->cpu);
	json_put_int(out, "maxcpu", node->cpus);
	json_put_num(out, "loadavg", node->cpu * node->cpus);
	json_put_num(out, "iowait", 0.0013);
	json_put_num(out, "memused", node->used * (double)node->mem);
	json_put_int(out, "memtotal", node->mem);
	json_put_int(out, "swapused", 0);
	json_put_int(out, "swaptotal", 0);
	json_put_num(out, "rootused", node->root * (double)node->disk);
	json_put_int(out, "roottotal", node->disk);
	json_put_int(out, "netin", 0);
	json_put_int(out, "netout", 0);
	if (sim->dialect < 9)
		return;
	json_put_num(out, "memavailable", (1 - node->used) * (double)node->mem);
	json_put_int(out, "arcsize", 0);
	json_put_num(out, "pressurecpusome", 29.57);
	json_put_num(out, "pressureiosome", 0.2);
	json_put_num(out, "pressureiofull", 0.02);
	json_put_int(out, "pressurememorysome", 0);
	json_put_int(out, "pressurememoryfull", 0);
}

/* An hour of minutes. Rows of a gap, and those when the node was down, have only a time. */
static void rrddata(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	if (call->node < 0) {
		pve_fail(call, 500, "no such rrd file");
		return;
	}
	const struct pve_node *node = here(call);
	struct json_out *out = pve_begin(call, '[');
	for (int64_t minute = sim->now_ms / 60000 - 59; minute <= sim->now_ms / 60000; minute++) {
		int64_t at_ms = minute * 60000;
		bool is_gap = at_ms < node->boot_ms || at_ms > sim->now_ms - 60000 ||
			(at_ms >= node->gap_from_ms && at_ms < node->gap_to_ms) ||
			(node->life == PVE_DEAD && at_ms > node->gone_ms);
		json_open(out, NULL, '{');
		json_put_int(out, "time", minute * 60);
		if (!is_gap)
			put_numbers(sim, out, node);
		json_close(out, '}');
	}
	pve_end(call, ']');
}

#define END \
	{ \
		NULL, 0, false, NULL, 0, 0 \
	}
static const struct pve_rule command_rules[] = {
	{"command", 's', true, "enum reboot, shutdown", 0, 0}, END};
static const struct pve_rule smart_rules[] = {
	{"disk", 's', true, "dev", 0, 0}, {"healthonly", 'b', false, NULL, 0, 0}, END};
static const struct pve_rule disk_rules[] = {{"include-partitions", 'b', false, NULL, 0, 0},
	{"skipsmart", 'b', false, NULL, 0, 0}, {"type", 's', false, "enum unused, journal_disks", 0, 0},
	END};
static const struct pve_rule rrd_rules[] = {
	{"timeframe", 's', true, "enum hour, day, week, month, year, decade", 0, 0},
	{"cf", 's', false, "enum AVERAGE, MAX", 0, 0}, END};

#define N "/nodes/{node}"
#define AUDIT "/nodes/{node} Sys.Audit"
const struct pve_route pve_routes_nodes[] = {
	{"GET", N "/status", AUDIT, false, true, NULL, status},
	{"POST", N "/status", "/nodes/{node} Sys.PowerMgmt", true, true, command_rules, command},
	{"GET", N "/services", AUDIT, true, true, NULL, service_list},
	{"GET", N "/services/{service}/state", AUDIT, true, true, NULL, service_state},
	{"POST", N "/services/{service}/restart", "/nodes/{node} Sys.Modify", true, true, NULL,
		service_restart},
	{"GET", N "/certificates/info", NULL, false, true, NULL, certificates},
	{"GET", N "/disks/list", "/ Sys.Audit;/nodes/{node} Sys.Audit", true, true, disk_rules, disks},
	{"GET", N "/disks/smart", "/ Sys.Audit", true, true, smart_rules, smart},
	{"GET", N "/disks/zfs", "/ Sys.Audit", true, true, NULL, zfs},
	{"GET", N "/apt/update", "/nodes/{node} Sys.Modify", true, true, NULL, updates},
	{"GET", N "/rrddata", AUDIT, true, false, rrd_rules, rrddata},
	{NULL, NULL, NULL, false, false, NULL, NULL},
};
