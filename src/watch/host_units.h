/*
 * The units of one host: what is remembered of each, and what systemd says of them as observations.
 * A host's source (host.c) owns it; its thread.
 */
#ifndef WATCH_HOST_UNITS_H
#define WATCH_HOST_UNITS_H

#include "client/systemd.h"
#include "watch/source.h"

struct host_units;

struct host_units *host_units_new(const struct source_context *context);
void host_units_free(struct host_units *units);

/* All of them into the report. */
bool host_units_all(struct host_units *units, struct systemd *systemd, struct arena *arena,
	struct report *report, struct err *err);
/* Takes an event in; true when it is about a unit that is watched and may have changed it. */
bool host_units_note(struct host_units *units, const struct unit_event *event);
/* Those whose events have come since the last look. */
bool host_units_news(struct host_units *units, struct systemd *systemd, struct arena *arena,
	struct report *report, struct err *err);

/* What one unit's state means; for tests. */
struct unit_memo;
void host_unit_judge(const struct unit *unit, struct unit_memo *memo,
	const struct source_context *context, struct observation *seen);

/* What must be remembered of a unit to understand what it does next. */
struct unit_memo {
	char name[NATIVE_MAX_BYTES];
	bool ran;                 /* it was seen working */
	bool stopping;            /* somebody has asked systemd to stop it */
	bool job_unknown;         /* the same, but too quick to be asked what: a stop or a restart */
	bool has_job;             /* what was asked for is not done yet */
	bool changed, listed;
	uint32_t restarts_before; /* systemd's count when the time began, in which they are counted */
	int64_t counted_since;    /* mono; 0: not yet */
	int64_t loops_until;      /* mono: until then it counts as one that crashes again and again */
	int64_t old_since;        /* wall: it had failed since then, long before it was first seen */
};

#endif
