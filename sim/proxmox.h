/*
 * A simulated Proxmox VE cluster, as strict as the real 9.2: nodes, QEMU and LXC guests, storages,
 * backups, HA and tasks on an injected clock; faults by script; the HTTP API over it. Two views of
 * a guest, as the real one: live for calls about one guest or node, and the resource view that
 * pvestatd writes every 10 s, which freezes with its node and becomes unknown after 300 s.
 * A request is checked in the real order: authentication, routing, permissions, proxy to the node,
 * parameters, action. The world belongs to one thread.
 */
#ifndef SIM_PROXMOX_H
#define SIM_PROXMOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"

struct sim_proxmox;

/* What every new world accepts: root's token (privsep 0) and root's password. */
#define SIM_PVE_TOKEN "PVEAPIToken=root@pam!full=01234567-89ab-cdef-0123-456789abcdef"
#define SIM_PVE_PASSWORD "proxmox-simulated"

/* A cluster "lab" without nodes. */
struct sim_proxmox *sim_proxmox_new(const struct clock *clock);
void sim_proxmox_free(struct sim_proxmox *sim);

/* Lets the time that has passed take effect: tasks, HA, pvestatd. */
void sim_proxmox_tick(struct sim_proxmox *sim);

/* One line of a script; false: text says what is wrong with it.
 * The world
 *   cluster NAME | alone                         (alone: one node, no corosync, no HA)
 *   node NAME [ip=ADDRESS] [cpus=N] [mem=BYTES] [disk=BYTES] [cpu=0.1] [used=0.2] [root=0.12]
 *   vm|ct VMID NODE NAME [stopped] [template] [onboot] [agent] [tags=A;B] [lock=L] [cores=N]
 *             [mem=BYTES] [disk=BYTES] [cpu=0.04] [used=0.3] [start=MS] [pool=P]
 *   guests COUNT FIRST [NODE]                    many, spread over the nodes, seeded
 *   storage NAME NODE|all [type=dir] [shared] [size=BYTES] [used=0.12] [content=A,B] [off]
 *   backup VMID STORAGE AGO [nosize]             a backup file; AGO "2d"
 *   job ID STORAGE SCHEDULE VMIDS|all [disabled] a backup job of the cluster
 *   user NAME@REALM PASSWORD [disabled] | token USER@REALM!ID SECRET [privsep] [expired]
 *   acl PATH WHO ROLE|PRIV,PRIV [nopropagate] | acl clear WHO    (WHO: user, token, or @GROUP)
 *   group NAME USER                              a member more
 *   pveum role add|modify … | pveum acl modify|delete …          as root types it
 *   revoke WHO                                   the token or user is gone
 *   disk NODE DEV HEALTH [wearout=N] | zfs NODE POOL HEALTH | zfs NODE off | update NODE PACKAGE
 *   replication VMID TARGET [fail=TEXT]
 *   certificate NODE days=N|changed|foreign      (changed: renewed by the cluster's authority, as
 *                                                pveupdate does; foreign: signed by itself)
 *   service NODE NAME running|dead
 *   dialect 7|8|9
 * What happens
 *   node-load NODE cpu=X used=X root=X | guest-load VMID cpu=X used=X | storage-used NAME NODE X
 *   crash VMID | start VMID | stop VMID | pause VMID [io-error]
 *   by USER start|stop VMID                      (with a task)
 *   lock VMID NAME | unlock VMID | busy VMID MS  (busy: its lock file is held)
 *   move VMID NODE | destroy VMID | prepare-lost VMID TEXT (each start fails with TEXT)
 *   command VMID [takes=MS] [exit=N] [signal=N] [truncated] [err=TEXT|out=TEXT to the end]
 *                                                what the agent's next command there comes to
 *   agent VMID present|absent|none | deaf VMID on|off (it ignores shutdown)
 *   ha VMID [started|stopped|ignored] | ha VMID off|stuck|loose|error | ha VMID delay MS
 *   task VMID killed|warnings N|fail MS TEXT|slow MS   the next task of that guest (0: any)
 *   rrd NODE gap FROM_AGO TO_AGO
 * Faults
 *   down NODE | hung NODE | refusing NODE | up NODE      (dead host; hung pveproxy; no pveproxy)
 *   pvedaemon NODE down|up | pmxcfs NODE down|up | pvestatd NODE down|up
 *   cut NODE | join NODE | quorum lost|back              (cut: alone behind a broken network)
 *   answers ok|slow MS|truncated|html|close|empty        (of all requests)
 *   forget                                               the journal is emptied */
bool sim_proxmox_script(struct sim_proxmox *sim, const char *line, char *text, size_t size);

struct sim_pve_request {
	const char *via;           /* the node that is asked; NULL: the first one */
	const char *method, *url;  /* path and query, with or without /api2/json */
	const char *authorization; /* header values, NULL: absent */
	const char *cookie, *csrf;
	const char *content_type, *body; /* form or JSON; NULL: none */
};

enum sim_pve_wire {
	SIM_PVE_ANSWERED,
	SIM_PVE_REFUSED,   /* no connection: refused */
	SIM_PVE_NO_ROUTE,  /* no connection: nothing is there */
	SIM_PVE_SILENT,    /* accepted, and never a byte */
	SIM_PVE_TRUNCATED, /* the connection ends in the middle of the body */
	SIM_PVE_CLOSED,    /* closed without an answer */
};
struct sim_pve_reply {
	enum sim_pve_wire wire;
	int status;
	char reason[192]; /* the phrase of the status line */
	const char *body; /* in the arena, ended by NUL; "" without one */
	size_t body_bytes;
	const char *content_type;
	bool closes;     /* the connection ends after it: every status >= 400 */
	int64_t held_ms; /* how long the real one takes to answer */
};
/* What a client meets that connects to a node: SIM_PVE_ANSWERED, or how the connection fails. */
enum sim_pve_wire sim_proxmox_knock(const struct sim_proxmox *sim, const char *node);
/* One request. */
void sim_proxmox_handle(struct sim_proxmox *sim, const struct sim_pve_request *request,
	struct arena *arena, struct sim_pve_reply *reply);

/* Is shown every request before it is judged. */
typedef void sim_pve_witness(void *ctx, const struct sim_pve_request *request);
void sim_proxmox_witness(struct sim_proxmox *sim, sim_pve_witness *witness, void *ctx);

/* What was asked of it: all but GET, "POST /nodes/pve1/qemu/100/status/start", by pattern. */
int sim_proxmox_posts(const struct sim_proxmox *sim, const char *pattern);
/* The n-th of them, from 0; NULL: no more. */
const char *sim_proxmox_post(const struct sim_proxmox *sim, int n);
/* GETs since the beginning, and those whose path fits the pattern of the last 4096. */
int sim_proxmox_gets(const struct sim_proxmox *sim, const char *pattern);

/* "running" "stopped" "paused" as it truly is; NULL: no such guest. */
const char *sim_proxmox_guest(struct sim_proxmox *sim, int vmid);
const char *sim_proxmox_guest_node(struct sim_proxmox *sim, int vmid);
/* The node of that name or address; NULL: none. */
const char *sim_proxmox_node_at(const struct sim_proxmox *sim, const char *host);
/* "AB:CD:…" of the node's certificate; NULL: no such node. */
const char *sim_proxmox_fingerprint(struct sim_proxmox *sim, const char *node);

/* The cluster's authority, PEM, as /etc/pve/pve-root-ca.pem. The first call makes it, with new
 * certificates for all nodes; until then their fingerprints are only words. */
const char *sim_proxmox_ca_pem(struct sim_proxmox *sim);
/* Whether the node's certificate is of that authority, and not over. */
bool sim_proxmox_is_signed(const struct sim_proxmox *sim, const char *node);

/* The cluster in TLS, each node on its own loopback address (`node NAME ip=127.0.1.1`) and all on
 * one port, served by a thread to which the world then belongs: reach it by sim_site_do. A wound
 * clock is moved by the time that an answer takes (held_ms), and the answer leaves at once. Dead
 * nodes refuse, since on loopback no host can be missing. NULL: no port was found. */
struct sim_site;
struct sim_site *sim_site_start(struct sim_proxmox *sim, struct clock *clock);
int sim_site_port(const struct sim_site *site);
/* Runs fn on the world's thread, between two requests, and waits for its end. */
typedef void sim_site_fn(struct sim_proxmox *sim, void *ctx);
void sim_site_do(struct sim_site *site, sim_site_fn *fn, void *ctx);
/* The world belongs to the caller again. */
void sim_site_stop(struct sim_site *site);

/* `sim-proxmox SOCKET|PORT [LINE…]`: serves the world on a unix socket, or on a port of 127.0.0.1
 * (0: any; the port is printed), in plain HTTP until SIGTERM. Each LINE is one of a script, run at
 * once, or as "after MS LINE" so long after the start. Returns the exit code. */
int sim_proxmox_main(int argc, char **argv);

#endif
