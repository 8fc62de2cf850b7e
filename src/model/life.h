/*
 * The states and events of an incident's life, and one row of the table of lives. The table itself
 * is heal/life.c; names are stored and never renamed.
 */
#ifndef MODEL_LIFE_H
#define MODEL_LIFE_H

#include <stdbool.h>

enum life_state {
	LIFE_NONE,         /* not yet born */
	LIFE_SUSPECTED,    /* seen, not yet believed */
	LIFE_DIAGNOSING,
	LIFE_DECIDING,
	LIFE_ASKING,       /* waits for a person's approval */
	LIFE_POSTPONED,    /* back-off, storm, healing off, cap reached: will decide again */
	LIFE_SUPPRESSED,   /* a parent is the cause */
	LIFE_ACTING,
	LIFE_VERIFYING,
	LIFE_ROLLING_BACK,
	LIFE_RESOLVED,     /* healed by us, seen healthy */
	LIFE_CLEARED,      /* healthy again, or gone, or meant to be off: untouched */
	LIFE_REJECTED,     /* a person said no; left alone until it clears */
	LIFE_ESCALATED,    /* needs a person; /retry decides anew, closes when it clears */
	LIFE_STATES,
};

enum life_event {
	EVENT_SUSPECT, EVENT_CONFIRMED, EVENT_CLEARED, EVENT_DIAGNOSED, EVENT_ALLOWED,
	EVENT_NEEDS_HUMAN, EVENT_FORBIDDEN, EVENT_POSTPONE, EVENT_WAKE, EVENT_APPROVED,
	EVENT_REFUSED, EVENT_EXPIRED, EVENT_DONE, EVENT_FAILED, EVENT_TIMEOUT, EVENT_HEALTHY,
	EVENT_UNHEALTHY, EVENT_PARENT_FAILED, EVENT_PARENT_HEALED, EVENT_ORDERED, EVENT_RESUMED,
	LIFE_EVENTS,
};

const char *life_state_name(enum life_state state); /* "SUSPECTED" */
bool life_state_parse(const char *text, enum life_state *state);
const char *life_event_name(enum life_event event);
/* Can still change: all but RESOLVED and CLEARED. REJECTED and ESCALATED stay with their component
 * until it is healthy, so that the same trouble is not asked about twice. */
bool life_is_open(enum life_state state);

#endif
