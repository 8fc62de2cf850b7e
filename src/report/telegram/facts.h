/*
 * What Telegram's pages are made of: facts as somebody else gathered them, at one moment. Plain
 * data; texts belong to whoever filled them in, NULL counts as ""; numbers that are not known are
 * -1. All texts are untrusted. Percentages are 0..100. Times are wall milliseconds, 0: never.
 */
#ifndef REPORT_TELEGRAM_FACTS_H
#define REPORT_TELEGRAM_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/incident.h"
#include "model/observation.h"
#include "model/request.h"
#include "store/store.h"

struct fact_node {
	const char *component, *name;
	bool online;
	double cpu, memory, disk;
	int64_t memory_bytes, memory_max_bytes, disk_bytes, disk_max_bytes, uptime_s;
};

enum guest_state { GUEST_UNKNOWN, GUEST_RUNNING, GUEST_STOPPED, GUEST_PAUSED };
struct fact_guest {
	int vmid;
	bool is_lxc;                     /* else qemu */
	const char *component;           /* "lxc_104": what an order names */
	const char *name, *node, *tags;
	enum guest_state state;
	const char *lock;                /* "backup", or "" */
	double cpu, memory;
	int64_t uptime_s;
	bool critical, is_template;
	bool is_home;                    /* it seems that homeostat itself runs in it */
};

struct fact_container {
	const char *component;           /* "docker_container_nginx" */
	const char *name, *engine;       /* engine: "local" */
	enum obs_state state;
	enum obs_health health;
	const char *status, *image;      /* status: "Up 3 hours" */
	bool critical;                   /* its own label, or the policy, asks before it is touched */
};

enum backup_verdict { BACKUP_GOOD, BACKUP_OLD, BACKUP_FAILED, BACKUP_MISSING };
struct fact_backup {
	int vmid;
	const char *component, *name;
	int64_t good_at;                 /* the newest that is known to be good */
	int64_t bytes;
	const char *storage, *schedule;
	enum backup_verdict verdict;
	const char *why;                 /* not GOOD: what is wrong */
};

struct fact_counts {
	int active, by_severity[4];      /* index: enum severity */
	int resolved_today, pending;
};

struct facts {
	const struct core_status *core;  /* never NULL; its now is the moment of all facts */
	int64_t interval_ms;             /* between looks */
	struct fact_counts counts;
	const char *health;              /* health_text */
	const struct fact_node *nodes;
	const struct fact_guest *guests;
	const struct fact_container *containers;
	const struct fact_backup *backups;
	const struct audit_entry *audit; /* newest first */
	const struct incident *questions; /* that wait for an answer */
	const char *trouble;             /* what could not be seen, and why; NULL: nothing */
	int node_count, guest_count, container_count, backup_count, audit_count, question_count;
};

/* One incident with what was asked and done about it, oldest first. */
struct fact_story {
	const struct incident *incident;
	const struct approval *approvals;
	const struct action_record *actions;
	int approval_count, action_count;
	int64_t now;
};

#endif
