/*
 * The demo's homelab: what there is in it, and what happens to it by the clock.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/spawn.h"
#include "base/str.h"
#include "cli/control.h"
#include "cli/demo.h"

#define START_MS 5000
#define END_MS 2000

/* Two nodes, twelve guests; the engine's containers live in one of them. PVE itself looks every
 * 10 s, so what happens to a guest is seen some seconds later. */
const struct demo_act demo_acts[] = {
	{"redis", "docker_container_redis", 4000, 6000, "crashed (exit code 1)", DEMO_HEALED, NULL},
	{"lxc 104 (critical)", "lxc_104", 6000, 40000, "stopped by itself; it must run", DEMO_APPROVED,
		"asked, then started it"},
	{"node pve2", "proxmox_node_pve2", 8000, 40000, "needs nearly all of its memory",
		DEMO_ESCALATED, "told a person"},
	{"nginx", "docker_container_nginx", 10000, 8000, "its health check failed", DEMO_HEALED, NULL},
	{"lxc 106", "lxc_106", 13000, 25000, "shut down by root@pam", DEMO_UNTOUCHED, NULL},
	{"postgres", "docker_container_postgres", 17000, 20000, "crashed; its label says MEDIUM risk",
		DEMO_APPROVED, NULL},
	{"importer", "docker_container_importer", 25000, 12000, "crashes again after every start",
		DEMO_ESCALATED, NULL},
	{"jellyfin", "docker_container_jellyfin", 29000, 5000, "stopped by a person", DEMO_UNTOUCHED,
		NULL},
	{"the Docker engine", "docker_daemon", 37000, 15000, "did not answer for 5 s", DEMO_RETURNED,
		NULL},
	{"grafana", "docker_container_grafana", 50000, 6000, "killed for want of memory", DEMO_HEALED,
		NULL},
};
const int demo_act_count = sizeof(demo_acts) / sizeof(demo_acts[0]);

static const char *const containers[] = {
	"after 0 container redis policy=no",
	"after 0 container nginx policy=no health",
	"after 0 container postgres policy=no label=homeostat.risk=medium",
	"after 0 container jellyfin policy=no",
	"after 0 container grafana policy=no",
	"after 4000 crash redis 1",
	"after 10000 sick nginx",
	"after 17000 crash postgres 2",
	"after 25000 container importer policy=no loop=600:3",
	"after 29000 stop jellyfin",
	"after 37000 engine down",
	"after 42000 engine up",
	"after 50000 oom grafana",
};

static const char *const guests[] = {
	"cluster homelab",
	"node pve1 cpus=8 cpu=0.15 used=0.5",
	"node pve2 cpus=4 cpu=0.1 used=0.6",
	"storage local all content=iso,vztmpl,backup",
	"storage local-lvm all type=lvmthin content=images,rootdir",
	"storage nas all type=nfs shared content=backup",
	"vm 100 pve1 opnsense onboot agent mem=2147483648",
	"ct 101 pve1 adguard onboot mem=1073741824",
	"vm 102 pve1 docker-host onboot agent cores=4 mem=8589934592",
	"vm 103 pve1 home-assistant onboot mem=4294967296",
	"ct 104 pve1 homelab-agents onboot mem=2147483648",
	"ct 105 pve2 vaultwarden onboot mem=1073741824",
	"ct 106 pve2 paperless onboot mem=2147483648",
	"ct 107 pve2 wireguard onboot mem=1073741824",
	"vm 108 pve2 truenas onboot mem=4294967296",
	"ct 109 pve2 gitea onboot mem=1073741824",
	"vm 110 pve2 windows stopped mem=4294967296",
	"ct 111 pve2 minecraft stopped mem=2147483648",
	"job nightly nas 02:00 100,101,102,103,104,105,106,107,108,109,110,111",
	"backup 100 nas 5h",
	"backup 101 nas 5h",
	"backup 102 nas 5h",
	"backup 103 nas 5h",
	"backup 104 nas 5h",
	"backup 105 nas 5h",
	"backup 106 nas 5h",
	"backup 107 nas 5h",
	"backup 108 nas 5h",
	"backup 109 nas 5h",
	"backup 110 nas 5h",
	"backup 111 nas 5h",
	"user homeostat@pve a-password-of-the-demo-only",
	("token " DEMO_TOKEN_ID " " DEMO_TOKEN_SECRET),
	"acl / homeostat@pve PVEAuditor",
	"acl /vms homeostat@pve PVEAuditor",
	"acl /vms homeostat@pve PVEVMAdmin",
	"after 6000 crash 104",
	"after 8000 node-load pve2 used=0.97",
	"after 13000 by root@pam stop 106",
};

#define LENGTH(list) (sizeof(list) / sizeof((list)[0]))

static bool engine_answers(const struct demo_lab *lab)
{
	auto_arena arena = arena_new(1 << 20);
	struct http_reply reply;
	struct err err = {0};
	return control_call(lab->engine, "/_ping", NULL, arena, &reply, &err);
}

static bool start_engine(struct demo_lab *lab, const struct clock *clock, struct err *err)
{
	const char *argv[3 + LENGTH(containers) + 1] = {"/proc/self/exe", "sim-docker", lab->engine};
	for (size_t i = 0; i < LENGTH(containers); i++)
		argv[3 + i] = containers[i];
	if (!spawn_start(argv, &lab->engine_pid, err))
		return false;
	for (int waited = 0; !engine_answers(lab); waited += 20) {
		if (waited >= START_MS)
			return err_set(err, ERR_TIMEOUT, "the simulated engine did not start within %d s",
				START_MS / 1000);
		clock_wait(clock, 20, -1);
	}
	return true;
}

/* The first line that it says: the port on which it listens by then. */
static bool read_port(int fd, int *port, struct err *err)
{
	char line[16] = "";
	size_t length = 0;
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	while (
		length + 1 < sizeof(line) && strchr(line, '\n') == NULL && poll(&wait, 1, START_MS) == 1) {
		ssize_t n = read(fd, line + length, sizeof(line) - 1 - length);
		if (n <= 0)
			break;
		length += (size_t)n;
		line[length] = '\0';
	}
	*port = (int)strtol(line, NULL, 10);
	return *port > 0 ||
		err_set(err, ERR_TIMEOUT, "what is simulated did not start within %d s", START_MS / 1000);
}

static bool start_cluster(struct demo_lab *lab, struct err *err)
{
	const char *argv[3 + LENGTH(guests) + 1] = {"/proc/self/exe", "sim-proxmox", "0"};
	for (size_t i = 0; i < LENGTH(guests); i++)
		argv[3 + i] = guests[i];
	lab->cluster_fd = spawn_socket(argv, &lab->cluster_pid, err);
	return lab->cluster_fd >= 0 && read_port(lab->cluster_fd, &lab->cluster_port, err);
}

static bool start_phone(struct demo_lab *lab, struct err *err)
{
	static const char *const argv[] = {
		"/proc/self/exe", "sim-telegram", "0", "user 1001 Ada", NULL};
	lab->phone_fd = spawn_socket(argv, &lab->phone_pid, err);
	return lab->phone_fd >= 0 && read_port(lab->phone_fd, &lab->phone_port, err);
}

bool demo_lab_start(struct demo_lab *lab, const struct clock *clock, struct err *err)
{
	return start_engine(lab, clock, err) && start_cluster(lab, err) && start_phone(lab, err);
}

void demo_lab_end(struct demo_lab *lab)
{
	spawn_end(lab->engine_pid, END_MS);
	spawn_end(lab->cluster_pid, END_MS);
	spawn_end(lab->phone_pid, END_MS);
	if (lab->cluster_fd >= 0)
		close(lab->cluster_fd);
	if (lab->phone_fd >= 0)
		close(lab->phone_fd);
}
