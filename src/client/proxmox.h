/*
 * Client of the Proxmox VE API, 7 to 9, for clusters and single nodes. A cluster is reached through
 * any of its nodes: when the one that is asked does not answer, the others are tried, which were
 * learnt from it. What is read comes as plain structs in the caller's arena; texts are never NULL,
 * numbers that the server did not give are -1. Everything from the server is untrusted.
 * A handle belongs to one thread; every call ends by its timeout_ms or when stop_fd is readable.
 * Errors: ERR_DENIED 401, 403 and certificates; ERR_GONE no such guest, task or node; ERR_INPUT a
 * request or an answer that makes no sense; ERR_TIMEOUT no end was seen, and what was asked may
 * have happened; ERR_RETRY everything else. Source: Proxmox VE API, 7.0 to 9.2.
 */
#ifndef CLIENT_PROXMOX_H
#define CLIENT_PROXMOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/config.h"

struct proxmox;

/* Talks to nobody. Strings are copied; the clock must outlive the handle. token_secret and password
 * are values, "secret:NAME" or "env:NAME". NULL: the configuration makes no sense, or a secret is
 * not set. A refused login takes the server 3 s, so no timeout below 5 s is used. */
struct proxmox *proxmox_open(const struct config_proxmox *config, const struct clock *clock,
	int stop_fd, struct err *err);
void proxmox_close(struct proxmox *proxmox);
/* The address that answers at present, for people: "https://10.0.0.2:8006". */
const char *proxmox_address(const struct proxmox *proxmox);
/* Node addresses known, the configured one included. Those of the last run are remembered in the
 * state folder. */
int proxmox_address_count(const struct proxmox *proxmox);
/* Why the configured address is not the one that answers; "": it is. */
const char *proxmox_moved(const struct proxmox *proxmox);
/* Of a question that failed: nothing of it was sent, so that it has not been done. */
bool proxmox_unsent(const struct proxmox *proxmox);
/* The fingerprint of the certificate that was refused last, because another is configured. */
bool proxmox_refused_print(const struct proxmox *proxmox, char print[100]);

/* What a refusal or a failed task means, out of its words. */
enum proxmox_cause {
	PROXMOX_OTHER,
	PROXMOX_ALREADY,   /* the guest is in that state already */
	PROXMOX_NO_GUEST,  /* no such guest on that node: gone, or moved */
	PROXMOX_LOCKED,    /* a lock in its configuration: backup, snapshot, migrate … */
	PROXMOX_BUSY,      /* another task holds its lock file */
	PROXMOX_NO_QUORUM,
	PROXMOX_NO_AGENT,  /* the guest agent does not run */
	PROXMOX_TIMED_OUT, /* the guest did not react in time */
	PROXMOX_NO_FEATURE, /* "snapshot feature is not available" */
};
enum proxmox_cause proxmox_cause(const char *text);

struct proxmox_version { char version[32], release[16]; int major; };
bool proxmox_version(struct proxmox *proxmox, struct proxmox_version *version, struct err *err);

/* One look: everything of the cluster in one call. PVE itself looks every 10 s. */
enum proxmox_guest_kind { PROXMOX_QEMU, PROXMOX_LXC };
enum proxmox_guest_state {
	PROXMOX_GUEST_UNKNOWN, PROXMOX_RUNNING, PROXMOX_STOPPED, PROXMOX_PAUSED,
};
enum proxmox_node_state { PROXMOX_NODE_UNKNOWN, PROXMOX_ONLINE, PROXMOX_OFFLINE };

struct proxmox_node {
	const char *name, *ha_state;
	enum proxmox_node_state state;
	double cpu;                       /* 0..1 of all cores */
	int64_t cores, mem_bytes, mem_max_bytes, disk_bytes, disk_max_bytes, uptime_s;
};
struct proxmox_guest {
	int vmid;
	enum proxmox_guest_kind kind;
	/* As the server says; of a node that is offline this is frozen for 5 minutes: see lost. */
	enum proxmox_guest_state state;
	bool lost;                        /* its node is not online: nothing of this is known */
	bool template;
	const char *name, *node, *tags, *lock, *ha_state, *pool; /* tags: ';'-separated */
	double cpu;
	int64_t cores, mem_bytes, mem_max_bytes, disk_bytes, disk_max_bytes, uptime_s;
};
struct proxmox_storage {
	const char *name, *node, *content, *type;  /* content: ','-separated */
	bool shared, available, lost;
	int64_t used_bytes, max_bytes;
};
struct proxmox_look {
	struct proxmox_node *nodes;
	struct proxmox_guest *guests;
	struct proxmox_storage *storages;
	int node_count, guest_count, storage_count;
	const char *denied; /* "" or the rights that are missing, since lists are empty without them */
};
bool proxmox_look(struct proxmox *proxmox, int64_t timeout_ms, struct arena *arena,
	struct proxmox_look *look, struct err *err);
/* The answer's body; without the question after rights. */
bool proxmox_look_parse(const char *text, size_t length, struct arena *arena,
	struct proxmox_look *look, struct err *err);
const struct proxmox_guest *proxmox_guest_find(const struct proxmox_look *look, int vmid);
const struct proxmox_node *proxmox_node_find(const struct proxmox_look *look, const char *name);
/* Whether text, a list like tags or content, holds word. */
bool proxmox_list_has(const char *text, const char *word);

/* The cluster as its members see it; learns the other nodes' addresses and certificates. */
struct proxmox_member { const char *name, *ip; bool online, local; };
struct proxmox_cluster {
	const char *name;                 /* "" : a single node, which is always quorate */
	bool quorate;
	struct proxmox_member *members;
	int count;
};
bool proxmox_cluster(struct proxmox *proxmox, int64_t timeout_ms, struct arena *arena,
	struct proxmox_cluster *cluster, struct err *err);

struct proxmox_ha_service {
	int vmid;                         /* 0: not a guest */
	const char *sid, *node, *state, *crm_state, *request_state; /* state: "started" "error" … */
};
struct proxmox_ha {
	bool quorate;
	struct proxmox_ha_service *services;
	int count;
};
bool proxmox_ha(struct proxmox *proxmox, struct arena *arena, struct proxmox_ha *ha,
	struct err *err);

/* What the token may do. */
/* privileges: " A B C ", for what is below the path too; only_here: those which are not. */
struct proxmox_right { const char *path, *privileges, *only_here; };
struct proxmox_rights { struct proxmox_right *rights; int count; };
bool proxmox_rights(struct proxmox *proxmox, struct arena *arena, struct proxmox_rights *rights,
	struct err *err);
/* By the path itself, else by the nearest above: what is set further down replaces. Pure. */
bool proxmox_may(const struct proxmox_rights *rights, const char *path, const char *privilege);

struct proxmox_node_status {
	char version[64], kernel[64];
	double cpu, wait, load[3];
	int64_t mem_bytes, mem_max_bytes, swap_bytes, swap_max_bytes, root_bytes, root_max_bytes;
	int64_t cores, uptime_s;
};
bool proxmox_node_status(struct proxmox *proxmox, const char *node,
	struct proxmox_node_status *status, struct err *err);
/* PVE's answer to both is empty: there is no task to wait for. */
bool proxmox_node_reboot(struct proxmox *proxmox, const char *node, struct err *err);

/* Guests, one by one. */
struct proxmox_at { const char *node; enum proxmox_guest_kind kind; int vmid; };
struct proxmox_guest_status {
	enum proxmox_guest_state state;
	char name[128], lock[32], tags[256], qmp_status[32];
	bool template, ha_managed, agent;
	char ha_state[32];
	double cpu;
	int64_t mem_bytes, mem_max_bytes, uptime_s, pid;
};
bool proxmox_guest_status(struct proxmox *proxmox, struct proxmox_at at,
	struct proxmox_guest_status *status, struct err *err);
struct proxmox_guest_config { bool onboot, template, agent, protection; char lock[32], tags[256]; };
bool proxmox_guest_config(struct proxmox *proxmox, struct proxmox_at at,
	struct proxmox_guest_config *config, struct err *err);

/* A task's id: UPID:node:pid:pstart:start:type:id:user: */
#define PROXMOX_UPID_BYTES 320
struct proxmox_upid {
	char node[64], type[40], id[96], user[96];
	int64_t pid, started_s;
};
bool proxmox_upid_parse(const char *text, struct proxmox_upid *upid, struct err *err);

/* Each starts a task and gives its id; the guest's own state is to be looked at afterwards.
 * wait_s: of shutdown, how long the guest is given; 0: PVE's own 60 s. */
enum proxmox_power { PROXMOX_START, PROXMOX_SHUTDOWN, PROXMOX_STOP, PROXMOX_REBOOT };
bool proxmox_power(struct proxmox *proxmox, struct proxmox_at at, enum proxmox_power power,
	int wait_s, char upid[PROXMOX_UPID_BYTES], struct err *err);
bool proxmox_service_restart(struct proxmox *proxmox, const char *node, const char *service,
	char upid[PROXMOX_UPID_BYTES], struct err *err);

struct proxmox_snapshot {
	const char *name, *parent, *description;
	const char *state;                /* "" : whole; else a task of it runs, or broke off */
	int64_t taken_s;
	bool has_ram;
};
struct proxmox_snapshot_list { struct proxmox_snapshot *rows; int count; };
/* Without PVE's pseudo entry "current". */
bool proxmox_snapshots(struct proxmox *proxmox, struct proxmox_at at, struct arena *arena,
	struct proxmox_snapshot_list *list, struct err *err);
enum proxmox_snapshot_act { PROXMOX_SNAPSHOT_TAKE, PROXMOX_SNAPSHOT_ROLLBACK,
	PROXMOX_SNAPSHOT_ROLLBACK_START, PROXMOX_SNAPSHOT_DELETE };
/* TAKE is without RAM, and so ROLLBACK leaves the guest stopped; ROLLBACK_START starts it. */
bool proxmox_snapshot(struct proxmox *proxmox, struct proxmox_at at, enum proxmox_snapshot_act act,
	const char *name, char upid[PROXMOX_UPID_BYTES], struct err *err);

bool proxmox_agent_ping(struct proxmox *proxmox, struct proxmox_at at, struct err *err);
bool proxmox_agent_fstrim(struct proxmox *proxmox, struct proxmox_at at, struct err *err);
struct proxmox_exec { int exit_code, signal; char out[1024], complaint[1024]; bool cut; };
/* argv ends with NULL. Waits for its end; ERR_TIMEOUT: it still runs in the guest. */
bool proxmox_agent_exec(struct proxmox *proxmox, struct proxmox_at at, const char *const *argv,
	int64_t timeout_ms, struct proxmox_exec *exec, struct err *err);

/* Tasks. */
struct proxmox_task {
	const char *upid, *node, *type, *id, *user;
	const char *status;               /* "" runs; "OK", "WARNINGS: 2", or what went wrong */
	int64_t started_s, ended_s;       /* ended_s 0: runs */
};
struct proxmox_task_list { struct proxmox_task *rows; int count; };
/* The newest of all nodes, at most 25 a node. */
bool proxmox_tasks(struct proxmox *proxmox, struct arena *arena,
	struct proxmox_task_list *list, struct err *err);
/* Of one node, newest first; type: "vzdump", or NULL; vmid 0: all. */
struct proxmox_task_filter { const char *node, *type; int vmid; };
bool proxmox_node_tasks(struct proxmox *proxmox, const struct proxmox_task_filter *filter,
	struct arena *arena,
	struct proxmox_task_list *list, struct err *err);
bool proxmox_task_ok(const char *status); /* OK, or with warnings */

struct proxmox_result {
	bool ok;
	char note[480];                   /* warnings, or what went wrong with the log's last lines */
	enum proxmox_cause cause;         /* !ok */
};
/* Waits for a task's end. True: it ended, see result. ERR_TIMEOUT: it still runs. */
bool proxmox_task_wait(struct proxmox *proxmox, const char *upid, int64_t timeout_ms,
	struct proxmox_result *result, struct err *err);

/* Backups. */
struct proxmox_backup {
	int vmid;
	const char *volume, *format, *notes;
	int64_t taken_s, bytes;           /* bytes -1: not said */
	bool protected, verified, verify_failed;
};
struct proxmox_backup_list { struct proxmox_backup *rows; int count; };
bool proxmox_backups(struct proxmox *proxmox, const char *node, const char *storage,
	struct arena *arena,
	struct proxmox_backup_list *list, struct err *err);
struct proxmox_job {
	const char *id, *schedule, *storage, *guests, *pool, *node, *exclude; /* guests: "100,200" */
	bool enabled, all;
	int64_t next_run_s;
};
struct proxmox_job_list { struct proxmox_job *rows; int count; };
bool proxmox_jobs(struct proxmox *proxmox, struct arena *arena,
	struct proxmox_job_list *list, struct err *err);
struct proxmox_unbacked { int vmid; const char *name, *type; };
struct proxmox_unbacked_list { struct proxmox_unbacked *rows; int count; };
bool proxmox_unbacked(struct proxmox *proxmox, struct arena *arena,
	struct proxmox_unbacked_list *list, struct err *err);

/* Details of a node, when something is suspected. */
struct proxmox_service { const char *name, *state, *active, *unit_state, *description; };
struct proxmox_service_list { struct proxmox_service *rows; int count; };
bool proxmox_services(struct proxmox *proxmox, const char *node, struct arena *arena,
	struct proxmox_service_list *list, struct err *err);
struct proxmox_certificate { const char *file, *subject, *fingerprint; int64_t until_s; };
struct proxmox_certificate_list { struct proxmox_certificate *rows; int count; };
bool proxmox_certificates(struct proxmox *proxmox, const char *node, struct arena *arena,
	struct proxmox_certificate_list *list, struct err *err);
struct proxmox_replication {
	const char *id, *target, *error;
	int vmid;
	int64_t fails, last_sync_s, next_sync_s;
};
struct proxmox_replication_list { struct proxmox_replication *rows; int count; };
bool proxmox_replications(struct proxmox *proxmox, const char *node, struct arena *arena,
	struct proxmox_replication_list *list, struct err *err);
struct proxmox_disk { const char *path, *model, *serial, *health; int64_t wearout, bytes; };
struct proxmox_disk_list { struct proxmox_disk *rows; int count; };
bool proxmox_disks(struct proxmox *proxmox, const char *node, struct arena *arena,
	struct proxmox_disk_list *list, struct err *err);
struct proxmox_pool { const char *name, *health; int64_t bytes, used_bytes; };
struct proxmox_pool_list { struct proxmox_pool *rows; int count; };
bool proxmox_zfs(struct proxmox *proxmox, const char *node, struct arena *arena,
	struct proxmox_pool_list *list, struct err *err);
/* waits: a newer kernel is installed than the one that runs. */
struct proxmox_kernel { char running[64], newest[64]; bool waits; };
bool proxmox_kernel(struct proxmox *proxmox, const char *node, struct proxmox_kernel *kernel,
	struct err *err);

#endif
