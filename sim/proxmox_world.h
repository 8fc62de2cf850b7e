/*
 * The simulated cluster's world, shared by the files sim/proxmox_*.c.
 */
#ifndef SIM_PROXMOX_WORLD_H
#define SIM_PROXMOX_WORLD_H

#include "base/json.h"
#include "base/str.h"
#include "sim/proxmox.h"

#define PVE_NODES 32
#define PVE_STORAGES 64
#define PVE_STAT_MS 10000     /* pvestatd's beat */
#define PVE_EXPIRES_MS 300000 /* pmxcfs forgets what it was told */
#define PVE_TOKEN_MS 12000    /* corosync notices that a node is gone */
#define PVE_FLOCK_MS 10000    /* waiting for a guest's lock file */
#define PVE_ANY_NODE (-1)

enum pve_life { PVE_UP, PVE_DEAD, PVE_HUNG, PVE_REFUSING };
enum pve_agent { PVE_AGENT_NONE, PVE_AGENT_ABSENT, PVE_AGENT_PRESENT };

struct pve_disk {
	char dev[16], health[16];
	int wearout; /* -1: "N/A" */
};

struct pve_service {
	char name[24];
	bool is_dead;
};

/* What pvestatd told the cluster. */
struct pve_node_view {
	int64_t at_ms; /* wall; 0: never */
	double cpu, used, root;
	int64_t uptime_s;
};

struct pve_node {
	char name[32], ip[20], fingerprint[96];
	enum pve_life life;
	bool pvedaemon_down, pmxcfs_down, pvestatd_down;
	int group;       /* nodes of different groups do not see each other */
	int64_t gone_ms; /* wall: dead or cut since */
	int64_t boot_ms, stat_ms;
	int64_t back_ms; /* it boots again then; 0: never */
	int cpus;
	int64_t mem, disk;
	double cpu, used, root;
	struct pve_node_view seen, frozen;
	int64_t cert_from_ms, cert_to_ms;
	int cert_serial;
	bool cert_is_foreign;     /* the user's own, not of the cluster's authority */
	struct sim_tls_host *tls; /* NULL until the cluster has an authority */
	struct pve_disk disks[8];
	int disk_count;
	char zfs[24], zfs_health[16];
	char updates[4][40];
	int update_count;
	struct pve_service services[4]; /* those that differ from the usual */
	int service_count;
	int64_t gap_from_ms, gap_to_ms;
	int64_t live_asked_ms;
};

struct pve_guest_view {
	int64_t at_ms;
	bool running;
	double cpu, used;
	int64_t uptime_s;
	const char *qmp; /* of a machine that stands still: "paused"; NULL: as running says */
};

struct pve_snapshot {
	char name[41], description[64];
	int64_t at_ms;
	bool with_ram, is_prepare;
	struct pve_snapshot *next; /* older */
};

struct pve_guest {
	int vmid, node;
	bool is_ct, running, paused, template, onboot, deaf;
	bool io_error; /* paused by that, not by a person */
	char name[64], tags[96], lock[20], description[128], pool[32];
	int cores, pid;
	int64_t mem, disk;
	double cpu, used;
	int64_t start_ms; /* wall */
	int64_t start_takes_ms;
	int64_t busy_until_ms; /* its lock file is held */
	char no_start[96];
	enum pve_agent agent;
	struct pve_snapshot *snapshots;
	struct pve_guest_view seen, frozen;
};

enum pve_job {
	PVE_JOB_START,
	PVE_JOB_STOP,
	PVE_JOB_SHUTDOWN,
	PVE_JOB_REBOOT,
	PVE_JOB_SUSPEND,
	PVE_JOB_RESUME,
	PVE_JOB_SNAPSHOT,
	PVE_JOB_DELSNAPSHOT,
	PVE_JOB_ROLLBACK,
	PVE_JOB_BACKUP,
	PVE_JOB_SERVICE,
	PVE_JOB_HASTART,
	PVE_JOB_HASTOP,
	PVE_JOB_UPDATE,
};

enum pve_fate { PVE_FATE_NONE, PVE_FATE_KILLED, PVE_FATE_WARNINGS, PVE_FATE_FAIL, PVE_FATE_SLOW };

/* What a task is asked to do. */
struct pve_order {
	enum pve_job job;
	int vmid;
	bool is_ct;
	char id[48]; /* the UPID's; the service's name, or the vmid */
	char snapshot[41], description[64], storage[32];
	bool with_ram, force, start;
	int64_t timeout_ms; /* 0: the default */
};

enum pve_task_state { PVE_TASK_WAITING, PVE_TASK_RUNNING, PVE_TASK_STOPPED };
struct pve_task {
	char upid[160], type[20], user[80], tokenid[32];
	int node, pid, pstart;
	struct pve_order order;
	enum pve_task_state state;
	enum pve_fate fate;
	int64_t fate_ms;
	char fate_text[96];
	int warnings;
	bool holds_flock;
	int64_t start_ms, due_ms, end_ms; /* wall */
	char exit[224];
	char log[8][240];
	int log_count;
};

struct pve_ha {
	int vmid;
	bool is_ct, stuck;
	char request[12]; /* started stopped ignored disabled */
	char state[20];   /* of the CRM: started stopped error fence recovery request_stop starting */
	int64_t delay_ms, due_ms;
	int restarts;
};

struct pve_storage {
	char name[32], type[16], content[96];
	int node; /* PVE_ANY_NODE: of all */
	bool shared, off;
	int64_t size;
	double used;
};

struct pve_backup {
	int vmid;
	bool is_ct, without_size;
	char storage[32];
	int node;
	int64_t at_ms;
};

struct pve_backup_job {
	char id[32], storage[32], schedule[32], vmids[256];
	bool all, disabled;
};

struct pve_replication {
	int vmid;
	char target[32], fail[96];
};

struct pve_account {
	char id[80], secret[80]; /* user@realm or user@realm!token */
	bool is_token, privsep, disabled, expired;
};

struct pve_role {
	char name[64];
	uint64_t privileges;
};

struct pve_group {
	char name[32], user[80]; /* one member */
};

struct pve_acl {
	char path[64], who[80]; /* user, token, or "@group" */
	char role[64];
	bool propagates;
};

/* A command in a guest. */
struct pve_process {
	int pid, vmid, exit_code, signal;
	int64_t due_ms, boot_ms; /* wall; of which boot of its guest */
	bool is_truncated;
	char out[512], complaint[256];
};

enum pve_answers {
	PVE_ANSWERS_OK,
	PVE_ANSWERS_SLOW,
	PVE_ANSWERS_TRUNCATED,
	PVE_ANSWERS_HTML,
	PVE_ANSWERS_CLOSE,
	PVE_ANSWERS_EMPTY,
};

#define PVE_GETS 4096
struct sim_proxmox {
	struct sim_tls *tls; /* NULL: fingerprints are only words */
	sim_pve_witness *witness;
	void *witness_ctx;
	const struct clock *clock;
	int64_t now_ms; /* wall, of the event that is being played */
	char cluster[32];
	bool alone;
	int dialect;
	unsigned random;
	struct pve_node nodes[PVE_NODES];
	int node_count;
	struct pve_guest *guests; /* by vmid */
	int guest_count, guest_capacity;
	struct pve_storage storages[PVE_STORAGES];
	int storage_count;
	struct pve_task **tasks; /* oldest first */
	int task_count, first_open;
	unsigned pid;
	struct pve_ha *ha;
	int ha_count;
	struct pve_backup *backups;
	int backup_count;
	struct pve_backup_job jobs[16];
	int job_count;
	struct pve_replication replications[32];
	int replication_count;
	struct pve_account *accounts;
	int account_count;
	struct pve_role *roles; /* made by people */
	int role_count;
	struct pve_group *groups;
	int group_count;
	struct pve_acl *acls;
	int acl_count;
	enum pve_fate next_fate; /* of the next task of next_vmid; 0: of any */
	int next_vmid, next_warnings;
	int64_t next_ms;
	char next_text[96];
	enum pve_answers answers;
	int64_t answers_ms;
	char **journal;
	int journal_count;
	char *gets[PVE_GETS];
	int get_count;
	struct pve_process *processes; /* begun by agents */
	int process_count, last_process;
	bool has_next_process;
	struct pve_process next_process; /* its due_ms: how long it takes */
};

/* proxmox_world.c */
void *pve_more(void *list, int count, size_t size); /* room for one more; zeroed */
double pve_noise(struct sim_proxmox *sim, int seed, double base);
int pve_node_find(const struct sim_proxmox *sim, const char *name); /* -1 */
struct pve_guest *pve_guest_find(struct sim_proxmox *sim, int vmid);
struct pve_guest *pve_guest_add(struct sim_proxmox *sim, int vmid, bool is_ct);
void pve_guest_remove(struct sim_proxmox *sim, struct pve_guest *guest);
struct pve_ha *pve_ha_find(struct sim_proxmox *sim, int vmid);
struct pve_snapshot *pve_snapshot_find(const struct pve_guest *guest, const char *name);
void pve_guest_on(struct sim_proxmox *sim, struct pve_guest *guest);
void pve_guest_off(struct sim_proxmox *sim, struct pve_guest *guest);
bool pve_quorate(const struct sim_proxmox *sim, int node);
/* Whether `node` counts as online where `via` is asked. */
bool pve_online(const struct sim_proxmox *sim, int via, int node);
/* Whether a packet from via reaches node. */
bool pve_reaches(const struct sim_proxmox *sim, int via, int node);
void pve_cut(struct sim_proxmox *sim, int node, int group);
void pve_node_life(struct sim_proxmox *sim, int node, enum pve_life life);
/* Gives the node a new certificate. */
void pve_certify(const struct sim_proxmox *sim, struct pve_node *node);
/* The resource view of them where via is asked; NULL: unknown by now. */
const struct pve_guest_view *pve_guest_view(
	const struct sim_proxmox *sim, int via, const struct pve_guest *guest);
const struct pve_node_view *pve_node_view(const struct sim_proxmox *sim, int via, int node);
void pve_stat(struct sim_proxmox *sim, int node);

/* proxmox_task.c */
/* Forks a worker; its UPID lives as long as the world. */
const char *pve_task_new(struct sim_proxmox *sim, int node, const char *who, const char *type,
	const struct pve_order *order);
int64_t pve_task_next(const struct sim_proxmox *sim); /* wall; INT64_MAX: none */
void pve_task_run(struct sim_proxmox *sim);
void pve_task_lost(struct sim_proxmox *sim, int node); /* the node died under them */
struct pve_task *pve_task_find(struct sim_proxmox *sim, const char *upid);

/* proxmox_job.c: what a task does. */
/* Looks whether it may begin: 0 and how long it takes, or false and why it ends at once. */
bool pve_job_begin(
	struct sim_proxmox *sim, struct pve_task *task, int64_t *takes_ms, char *exit, size_t size);
/* Its effect; false: it failed with exit. */
bool pve_job_end(struct sim_proxmox *sim, struct pve_task *task, char *exit, size_t size);
/* It broke off after it began: what it leaves behind. */
void pve_job_broken(struct sim_proxmox *sim, struct pve_task *task);
bool pve_job_needs_flock(enum pve_job job);

/* proxmox_ha.c */
int64_t pve_ha_next(const struct sim_proxmox *sim);
void pve_ha_run(struct sim_proxmox *sim);
void pve_ha_wake(struct sim_proxmox *sim, struct pve_ha *ha);
void pve_ha_node_lost(struct sim_proxmox *sim, int node);
const char *pve_ha_node_state(const struct sim_proxmox *sim, int via, int node);

/* proxmox_rights.c */
struct pve_who {
	char id[80]; /* "" : nobody */
	const struct pve_account *account;
	bool by_ticket;
};
/* NULL, or the reason of the 401. */
const char *pve_authenticate(
	struct sim_proxmox *sim, const struct sim_pve_request *request, struct pve_who *who);
struct pve_account *pve_account_find(struct sim_proxmox *sim, const char *id);

/* proxmox_roles.c */
struct pve_rights {
	uint64_t all, below; /* below: for what is below the path too */
	bool no_access;
};
uint64_t pve_privilege(const char *name);                                  /* 0: no such one */
const char *pve_privilege_name(const struct sim_proxmox *sim, int n);      /* NULL: no more */
/* "A,B"; false: one of them is no privilege of this version. */
bool pve_privileges_read(const struct sim_proxmox *sim, const char *list, uint64_t *set);
bool pve_role_find(const struct sim_proxmox *sim, const char *name, uint64_t *set);
/* name NULL: one is made up. */
const char *pve_role_add(struct sim_proxmox *sim, const char *name, uint64_t set);
void pve_acl_set(
	struct sim_proxmox *sim, const char *path, const char *who, const char *role, bool propagates);
/* path or role NULL: all of them. */
void pve_acl_drop(struct sim_proxmox *sim, const char *path, const char *who, const char *role);
/* The privileges of who at path. */
struct pve_rights pve_rights(const struct sim_proxmox *sim, const char *who, const char *path);
bool pve_may(const struct sim_proxmox *sim, const char *who, const char *path, const char *any);

/* proxmox_api.c */
struct pve_param {
	const char *name;
	char *value;
	bool is_path;
};
struct pve_route;
struct pve_call {
	struct sim_proxmox *sim;
	struct arena *arena;
	const struct pve_route *route;
	int via, node; /* node: index, -1 when the path names none */
	int vmid;
	bool is_ct;
	struct pve_who who;
	struct pve_param params[24];
	int param_count;
	struct sim_pve_reply *reply;
	struct str str;
	struct json_out out;
	const char *total; /* member beside data; NULL: none */
	bool answered;
};

struct pve_rule {
	const char *name;
	char type; /* s string, i integer, b boolean, a array, n number */
	bool required;
	const char *check; /* "enum a,b" "configid" "storage" "vmid" "upid" "vmids"; NULL: none */
	int64_t min, max;  /* of integers; of a string max is its length; 0: none */
};

typedef void pve_handler(struct pve_call *call);
struct pve_route {
	const char *method, *path; /* "/nodes/{node}/qemu/{vmid}/status/start" */
	const char *check;         /* "/vms/{vmid} VM.Audit|VM.X"; NULL: any user */
	bool protected, proxied;
	const struct pve_rule *rules; /* ended by a NULL name; NULL: no parameters but the path's */
	pve_handler *handler;
};
/* Ended by NULL, each of them by a NULL method. */
extern const struct pve_route *const pve_route_tables[];

/* The value of a parameter; NULL: absent. */
const char *pve_arg(const struct pve_call *call, const char *name);
bool pve_flag(const struct pve_call *call, const char *name);
int64_t pve_number(const struct pve_call *call, const char *name, int64_t otherwise);
/* {"data":…}: opened by begin, closed by the dispatcher. bracket '{', '[' or 0 (one raw value). */
struct json_out *pve_begin(struct pve_call *call, char bracket);
void pve_end(struct pve_call *call, char bracket);
void pve_raw(struct pve_call *call, const char *json);  /* {"data":json} */
void pve_text(struct pve_call *call, const char *text); /* {"data":"text"} */
void pve_fail(struct pve_call *call, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* 400 with errors{name: text}. */
void pve_bad_param(struct pve_call *call, const char *name, const char *text);
/* A 59x or another answer without a body. */
void pve_bare(struct pve_call *call, int status, const char *reason, int64_t held_ms);
/* 403 unless who has one of the privileges at path. */
bool pve_demand(struct pve_call *call, const char *path, const char *any);

/* proxmox_params.c */
bool pve_check_params(struct pve_call *call);

/* The guest that the path names, on the node that the path names; NULL: answered. */
struct pve_guest *pve_guest_here(struct pve_call *call);
void pve_put_status(struct pve_call *call, struct json_out *out, const struct pve_guest *guest,
	bool is_list, bool full);

extern const struct pve_route pve_routes_cluster[], pve_routes_nodes[], pve_routes_guests[],
	pve_routes_power[], pve_routes_tasks[], pve_routes_storage[], pve_routes_access[],
	pve_routes_config[], pve_routes_ha[], pve_routes_roles[], pve_routes_agent[];

#endif
