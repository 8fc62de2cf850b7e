/*
 * A finding: what detect concludes from an observation. At most one kind of trouble a component at
 * a time; the worst is named. Plain data.
 */
#ifndef MODEL_FINDING_H
#define MODEL_FINDING_H

#include <stdint.h>

#include "model/component.h"

enum finding_kind {
	FINDING_NONE,          /* healthy */
	FINDING_FINE,          /* not running, and that is meant: text says why */
	FINDING_UNSURE,        /* cannot tell (starting, in between, not seen): changes nothing */
	FINDING_EXITED,        /* exited recently, by a crash or its engine's end */
	FINDING_EXITED_UNSEEN, /* exited recently, nobody saw why: a person is asked */
	FINDING_UNHEALTHY,     /* its health check fails */
	FINDING_UNREACHABLE,   /* a daemon that does not respond */
	FINDING_BLIND,         /* we are not allowed to look: a configuration trouble */
	FINDING_STOPPED,       /* a guest that is wanted does not run */
	FINDING_OFFLINE,       /* a node */
	FINDING_NO_QUORUM,
	FINDING_HIGH_CPU,
	FINDING_HIGH_MEMORY,
	FINDING_DISK_FULL,
	FINDING_GONE,   /* a storage that can't be used */
	FINDING_LOCKED, /* a guest, for long */
	FINDING_HA_ERROR,
	FINDING_BACKUP, /* missing, failed or older than its schedule */
	FINDING_REPLICATION,
	FINDING_CERTIFICATE,
	FINDING_DEVICE,  /* a disk that fails */
	FINDING_POOL,    /* a pool that is degraded */
	FINDING_UPDATES, /* information only */
	FINDING_FAILED,  /* a service */
	FINDING_GAVE_UP, /* a service that its own system gave up: a person is asked */
	FINDING_IDLE,    /* containers stopped for memory, which is back */
	FINDING_KINDS,
};

struct finding {
	enum finding_kind kind;
	enum severity severity;
	int64_t confirm_ms;  /* must last this long before it is believed; 0: at once */
	char issue[240];     /* "Docker container 'redis' exited: Exited (1) 2 minutes ago" */
	char metrics[480];   /* a JSON object, for the Metrics block */
	char why[160];       /* FINE and UNSURE: the reason, for `homeostat why` and the log */
};

const char *finding_kind_name(enum finding_kind kind); /* "exited": stored; never renamed */
bool finding_kind_parse(const char *text, enum finding_kind *kind);
bool finding_is_trouble(enum finding_kind kind);
/* What had to be seen to act is seen; else a person is asked whatever the risk. */
bool finding_is_seen(enum finding_kind kind);
/* Stopped, crashed or unhealthy, as opposed to what is only measured or told. */
bool finding_is_failure(enum finding_kind kind);

#endif
