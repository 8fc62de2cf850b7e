/*
 * Actions as everyone may know them (name, parameters, floor of risk), and a plan: one action of
 * the table on one component. A plan's hash is what an approval is bound to. Plain data.
 */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include <stdbool.h>

#include "model/component.h"

struct action_info {
	const char *name;             /* "docker.container.restart" */
	const char *summary;          /* for help and the man page */
	const char *title;            /* "Restart container": plan_title adds the quoted label */
	const char *done;             /* "restarted container": for "Successfully restarted …" */
	enum component_kind kind;     /* what it acts on */
	enum risk floor;
	bool has_undo;
	bool counts;                  /* against the restart budget */
};

struct plan {
	char action[48];
	char component[NAME_MAX_BYTES];
	char label[NAME_MAX_BYTES];
	char source[64];
	char native[NATIVE_MAX_BYTES];
	enum risk risk;               /* after policy: never below the floor */
	char title[200];              /* "Restart container 'redis'" */
	char hash[33];                /* of action, component, source, native: hex */
};

/* Fills hash from the fields it covers. */
void plan_seal(struct plan *plan);

/* The diagnosis that a plan answers to. */
struct diagnosis {
	char cause[240];              /* "the application failed (exit code 1)" */
	char by[24];                  /* "rules" "known" "claude" "operator" */
	double confidence;            /* 0..1 */
	char action[48];              /* of the table, or "" : a person is needed */
	char evidence[480];           /* quoted lines, untrusted text */
};

#endif
