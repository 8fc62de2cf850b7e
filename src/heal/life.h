/*
 * The table of lives: in state | on event | do | then. Pure; the whole of it is in life.c and fits
 * one screen. What a `do` means is heal/handlers.c.
 */
#ifndef HEAL_LIFE_H
#define HEAL_LIFE_H

#include "base/str.h"
#include "model/life.h"

enum life_do {
	DO_NOTHING,
	DO_WAIT,      /* wait until it is confirmed, or clears */
	DO_DIAGNOSE,
	DO_DECIDE,
	DO_ASK,
	DO_POSTPONE,
	DO_SUPPRESS,
	DO_ACT,
	DO_LOOK,      /* look whether it is healthy */
	DO_UNDO,
	DO_END,       /* tell that it is over */
	DO_ESCALATE,
};

struct life_rule {
	enum life_state state;
	enum life_event event;
	enum life_do act;
	enum life_state next;
};

/* The rule for an event in a state; NULL: the event changes nothing there. */
const struct life_rule *life_rule(enum life_state state, enum life_event event);
/* All rules. */
const struct life_rule *life_rules(int *count);
const char *life_do_name(enum life_do act);
/* The table as a picture for Graphviz. */
void life_dot(struct str *out);

#endif
