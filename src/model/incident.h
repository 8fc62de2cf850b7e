/*
 * An incident: the row that a life is. The core owns the open ones; the store keeps them all. Plain
 * data with fixed fields. Times are wall milliseconds, 0: not yet.
 */
#ifndef MODEL_INCIDENT_H
#define MODEL_INCIDENT_H

#include <stdint.h>

#include "model/component.h"
#include "model/finding.h"
#include "model/life.h"
#include "model/plan.h"

struct incident {
	int64_t id;
	int attempt;              /* actions begun; a job's answer carries it */
	struct component component;
	enum aspect aspect; /* one life an aspect of a component */
	enum finding_kind finding;
	enum severity severity;
	enum life_state state;
	char issue[240];
	char metrics[480];
	char reason[240];         /* why it is in this state, for people */
	struct diagnosis diagnosis;
	struct plan plan;
	char actor[64];           /* who approved or ordered: "uid:0", "telegram:123"; "" : homeostat */
	bool ordered;             /* an operator's order */
	int64_t parent_id;        /* SUPPRESSED: the incident that is the cause */
	int64_t failed_at;        /* when the component failed, as its system says */
	int64_t opened_at, changed_at, acted_at, healthy_since, wake_at, ended_at;
};

/* An approval asked for: bound to the plan's hash and to the incident's next attempt, so that the
 * action which uses it uses it up. */
struct approval {
	int64_t id, incident_id;
	int attempt;
	char plan_hash[33];
	int64_t asked_at, expires_at; /* 0: does not expire (HIGH) */
	int64_t decided_at;           /* 0: open */
	bool approved;
	int64_t later;                /* until when it is put off, neither approved nor refused */
	char actor[64];
	char first_actor[64];         /* where two persons have to agree: who did first */
};

/* One action that was begun. ended_at 0: its end was not seen. */
struct action_record {
	int64_t id, incident_id;
	int attempt;
	char action[48];
	char component[NAME_MAX_BYTES];
	char actor[64];               /* "" : homeostat by itself */
	int64_t began_at, ended_at;
	char outcome[24];             /* "" runs; done failed unknown gone refused, healed not_healed */
	char text[240];
};

#endif
