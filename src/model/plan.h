/*
 * Actions as everyone may know them (name, parameters, floor of risk), and a plan: one action of
 * the table on one component. A plan's hash is what an approval is bound to. Plain data.
 */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "model/component.h"

#define PARAMS_MAX_BYTES 160

/* A parameter of an action. Values are checked by type: nothing free is passed on. */
enum param_type {
	PARAM_NAME,  /* letters, digits, . _ - @ : at most 64, no dash in front */
	PARAM_NAMES, /* one or more of them with commas between, at most 120 in all */
	PARAM_COUNT, /* a whole number from 0 to 1000000 */
	PARAM_FLAG,  /* 0 or 1 */
};
struct action_param {
	const char *name;             /* NULL ends */
	enum param_type type;
	bool required;
	const char *summary;
};

struct action_info {
	const char *name;             /* "docker.container.restart" */
	const char *summary;          /* for help and the man page */
	const char *title;            /* "Restart container", "Start {guest}": see plan_title */
	const char *done;             /* "restarted container": for "Successfully restarted …" */
	enum component_kind kind;     /* what it acts on */
	enum risk floor;
	bool has_undo;
	bool counts;                  /* against the restart budget */
	const struct action_param *params; /* NULL: none */
};

struct plan {
	char action[48];
	char component[NAME_MAX_BYTES];
	char label[NAME_MAX_BYTES];
	char source[64];
	char native[NATIVE_MAX_BYTES];
	char params[PARAMS_MAX_BYTES]; /* "service=pvestatd wait=60": in the table's order */
	enum risk risk;               /* after policy: never below the floor */
	char title[200];              /* "Restart container 'redis'" */
	char hash[33];                /* of action, component, source, native, params, risk: hex */
};

/* What a plan of this action on this component is called: {guest} stands for "lxc 104", {label} and
 * {id} for what they say, {NAME} for a parameter; a title without any gets the quoted label. */
void plan_title(const struct action_info *info, const struct component *component,
	const char *params, char *title, size_t size);
/* Fills hash from the fields it covers. */
void plan_seal(struct plan *plan);
/* Parameters as written by anyone ("wait=60 service=x") into the table's order, checked: unknown,
 * doubled, missing or ill-typed ones are refused with a text that names what is allowed. */
bool params_check(const struct action_info *info, const char *text, char params[PARAMS_MAX_BYTES],
	struct err *err);
/* The value of one; false: it is not given (value is ""). */
bool params_get(const char *params, const char *name, char *value, size_t size);
/* The same as a number, or otherwise. */
int params_number(const char *params, const char *name, int otherwise);

/* The diagnosis that a plan answers to. */
struct diagnosis {
	char cause[240];              /* "the application failed (exit code 1)" */
	char by[24];                  /* "rules" "known" "claude" "model" "proposal" "operator" */
	double confidence;            /* 0..1 */
	char action[48];              /* of the table, or "" : a person is needed */
	char params[PARAMS_MAX_BYTES];
	char evidence[480];           /* quoted lines, untrusted text */
	char alternatives[240];       /* what else it could be, or what else could help */
	enum risk risk;               /* what who made it thinks: can only raise */
	bool unproven;                /* a person is asked whatever the risk: a model's own idea, or
									 what the evidence says will not help */
};

#endif
