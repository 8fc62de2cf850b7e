/*
 * A component: one thing that can be healthy or not. Its name is what people see and type
 * (docker_container_redis); source and native say how to reach it. Plain data, no ownership.
 */
#ifndef MODEL_COMPONENT_H
#define MODEL_COMPONENT_H

#include <stdbool.h>

#include "model/risk.h"

enum component_kind {
	COMPONENT_NODE, COMPONENT_GUEST, COMPONENT_DOCKER_DAEMON, COMPONENT_CONTAINER,
	COMPONENT_SERVICE, COMPONENT_MCP, COMPONENT_PROBE, COMPONENT_STORAGE, COMPONENT_BACKUP,
	COMPONENT_CLUSTER,              /* of Proxmox VE; a single node is a cluster of one */
	COMPONENT_KINDS,
};

/* What of a component an observation is about. Each can fail, and be healed, by itself: a node may
 * have a full disk and too little memory at once. */
enum aspect {
	ASPECT_STATE,                   /* whether it runs, answers, is healthy */
	ASPECT_CPU, ASPECT_MEMORY, ASPECT_DISK,
	ASPECT_LOCK,                    /* a guest's lock that does not go away */
	ASPECT_HA, ASPECT_QUORUM, ASPECT_REPLICATION, ASPECT_CERTIFICATE,
	ASPECT_DEVICE,                  /* a disk's own health: SMART */
	ASPECT_POOL,                    /* ZFS */
	ASPECT_UPDATES,
	ASPECT_SERVICE,                 /* a service of a node's own */
	ASPECT_STOPPED,                 /* what was stopped on it to free memory */
	ASPECTS,
};

#define NAME_MAX_BYTES 128
#define NATIVE_MAX_BYTES 96

struct component {
	char name[NAME_MAX_BYTES];      /* "docker_container_redis" */
	char label[NAME_MAX_BYTES];     /* what its own system calls it: "redis" */
	char source[64];                /* the configured source: "docker:local" */
	char native[NATIVE_MAX_BYTES];  /* the system's own id: a container's 64 hex digits */
	char parent[NAME_MAX_BYTES];    /* "docker_daemon", or "" */
	enum component_kind kind;
	bool ignored;                   /* label homeostat.enable=false, tag homeostat-ignore */
	bool critical;                  /* must run: named so in the configuration */
	bool shell;                     /* a node, a daemon: commands can be run there */
	bool has_risk;                  /* label homeostat.risk: can only raise */
	enum risk risk;
	char action[48];                /* label homeostat.action: "restart" "stop" "none", or "" */
	char depends_on[256];           /* label homeostat.depends_on: names, comma-separated */
};

const char *component_kind_name(enum component_kind kind); /* "container" */
const char *aspect_name(enum aspect aspect);               /* "cpu": stored; never renamed */
bool aspect_parse(const char *text, enum aspect *aspect);

#endif
