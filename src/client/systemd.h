/*
 * systemd on one machine, over its D-Bus (org.freedesktop.systemd1(5)): units as they are, what
 * changes about them as it happens, and restarting one. A handle belongs to one thread; it connects
 * when it is first asked, and anew after it lost its connection.
 */
#ifndef CLIENT_SYSTEMD_H
#define CLIENT_SYSTEMD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "client/host.h"

#define UNIT_NAME_BYTES 128

/* As systemd words it; what a unit of its type does not have is "" or 0. */
struct unit {
	char name[UNIT_NAME_BYTES];         /* "nginx.service" */
	char load[24], active[24], sub[24]; /* "loaded" "active" "running" */
	char description[128];
	/* what only systemd_unit reads: */
	char unit_file_state[24];           /* "enabled" "disabled" "static" "masked" */
	char type[16], restart[24];         /* "oneshot"; "on-failure" */
	char result[32];                    /* "success" "exit-code" "start-limit-hit" … */
	int32_t exit_code, exit_status;     /* of its main process: CLD_EXITED …, and with what */
	uint32_t restarts;                  /* systemd's own, since somebody last started it */
	uint32_t limit_burst;               /* so many starts are allowed in a time */
	uint64_t active_enter_us, inactive_enter_us, change_us; /* wall; 0: never */
};
struct unit_list {
	struct unit *units;
	int count;
};

struct systemd;

struct systemd *systemd_open(struct host *host, int64_t timeout_ms);
void systemd_close(struct systemd *systemd);

/* What is loaded of the patterns' units; in arena. */
bool systemd_units(struct systemd *systemd, const char *const *patterns, struct arena *arena,
	struct unit_list *list, struct err *err);
/* One, with everything. GONE: there is none of that name. */
bool systemd_unit(struct systemd *systemd, const char *name, struct unit *unit, struct err *err);

/* The next thing that happened to any unit. */
struct unit_event {
	enum unit_event_kind {
		UNIT_QUIET,     /* nothing in time */
		UNIT_CHANGED,   /* its state, perhaps */
		UNIT_JOB_BEGAN, /* somebody has asked systemd to do something with it */
		UNIT_JOB_ENDED,
		UNIT_LOST,      /* more happened than could be kept: look at all */
	} kind;
	char name[UNIT_NAME_BYTES];
	char job[24];       /* BEGAN: "stop", "restart" …, "" when it was over too soon to ask */
	char result[24];    /* ENDED: "done" "failed" "canceled" … */
};
bool systemd_next(struct systemd *systemd, int64_t timeout_ms, struct unit_event *event,
	struct err *err);

/* Forgets earlier failures, restarts, and waits for the job's end: result is systemd's word for
 * it, "done" where it was (which is no proof that the unit works). TIMEOUT: it may still go on. */
bool systemd_restart(struct systemd *systemd, const char *name, int64_t timeout_ms,
	char result[24], struct err *err);

#endif
