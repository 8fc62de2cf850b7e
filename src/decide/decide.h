/*
 * The safety kernel: pure functions that decide whether an action may run. Everything they need
 * comes as an argument; tests/unit/test_policy.c enumerates the whole domain.
 */
#ifndef DECIDE_DECIDE_H
#define DECIDE_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/config.h"
#include "model/incident.h"

/* What the policy's rows, the component's label and the action's floor make of a plan. */
struct weight {
	enum risk risk;          /* never below the floor */
	enum consent consent;    /* the most cautious of the rows; AUTO only by an exact row */
	int line;                /* of the row that decided, 0: none */
	int proven;              /* percent: what AUTO asks of the record; 0: nothing */
};
struct weight risk_weigh(const struct config *config, const struct component *component,
	const char *action, enum risk floor);

/* A component's recent actions, oldest first, as the budget counts them. */
struct attempts {
	int64_t began_at[128]; /* more than the largest budget */
	int count;
};
struct budget {
	bool spent;              /* no more in this window: a person is needed */
	int used;                /* in the window */
	int64_t not_before;      /* wall ms: the back-off's end; 0: at once */
};
/* The first attempt is at once; each further one waits backoff_min doubled per attempt in a row, at
 * most backoff_max. A row ends by backoff_reset_ms without an attempt. */
struct budget budget_judge(const struct attempts *attempts, const struct config_brakes *brakes,
	int64_t now_ms);

/* The storm guard of one source: more than brakes->storm failures within storm_ms trip it. */
struct storm {
	int64_t recent[16];
	int next;
	bool active;
	int64_t since, last_failure;
	int failures;            /* in this storm, and those that led to it */
};
/* Notes a confirmed failure; true when this one tripped the guard. */
bool storm_note(struct storm *storm, const struct config_brakes *brakes, int64_t now_ms);
/* Nothing more has failed for storm_ms: it may be asked whether all is safe. */
bool storm_is_quiet(const struct storm *storm, const struct config_brakes *brakes, int64_t now_ms);
void storm_end(struct storm *storm);

/* When a window that is open now ends, wall ms; 0: it is not open. */
int64_t window_until(const struct config_maintenance *window, int64_t wall_ms);

enum verdict_kind { VERDICT_ALLOW, VERDICT_ASK, VERDICT_FORBID, VERDICT_POSTPONE };

struct situation {
	enum healing healing;
	bool ordered;            /* an operator's order: its own approval */
	bool approved;           /* a valid approval of exactly this plan exists, unused */
	bool has_action;         /* there is a remedy in the table */
	bool seen;               /* the cause of the failure was seen (else: ask) */
	bool unproven;           /* a model's own idea, or one that has rarely helped: ask */
	enum risk risk;          /* weighed */
	enum consent consent;    /* weighed */
	bool storm;
	char held[96];           /* what protects it from any action: "locked (backup)"; "" : nothing */
	bool cut_off;            /* no source answers: it may be us */
	int64_t rests_until;     /* left alone: muted by a person, or in maintenance; 0: not */
	const char *rests_why;
	int64_t later_until;     /* a person has put the question off; 0: not */
	struct budget budget;
	int acting, acting_max;  /* actions at this moment, and the cap */
	int64_t hour_free_at;    /* 0: the hourly cap is not met; else when it will allow one */
	int64_t now_ms;
};
/* What a postponed decision waits for. */
enum hold { HOLD_NONE, HOLD_TIME, HOLD_SLOT, HOLD_STORM, HOLD_MODE, HOLD_CUT_OFF };
struct verdict {
	enum verdict_kind kind;
	enum hold hold;          /* POSTPONE */
	int64_t wake_at;         /* HOLD_TIME: wall ms when to decide again */
	char reason[240];
};
struct verdict policy_decide(const struct situation *situation);

/* The safety rule of approvals: exact plan, this attempt, by someone, unexpired, said yes. */
bool approval_allows(const struct approval *approval, const struct incident *incident,
	int64_t now_ms);
/* Until when a person has put off the question about exactly this plan; 0: not. */
int64_t approval_later(const struct approval *approval, const struct incident *incident);
/* May still be decided: open, unexpired, of this plan and attempt. why (out): for people. */
bool approval_is_open(const struct approval *approval, const struct incident *incident,
	int64_t now_ms, const char **why);

#endif
