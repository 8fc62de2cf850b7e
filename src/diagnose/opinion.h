/*
 * A model's opinion: asked as a job, and clamped. What a model says is text of a stranger: it can
 * explain, propose an action of the table on the incident's own component, and raise caution. It
 * cannot name another component, lower a risk, or make a remedy run that the rules would not have
 * run by themselves. Nothing here depends on the model's good will.
 */
#ifndef DIAGNOSE_OPINION_H
#define DIAGNOSE_OPINION_H

#include "base/clock.h"
#include "client/claude.h"
#include "diagnose/diagnose.h"
#include "model/config.h"

#define OPINION_BYTES 6144
#define OPINION_ACTIONS 64

/* The actions for a kind of component, ended by NULL. */
struct opinion_actions {
	const struct action_info *info[OPINION_ACTIONS];
};

struct opinion_order {
	const struct config *config;     /* has a claude section */
	const struct clock *clock;
	int stop_fd;
	struct opinion_actions actions;
	struct incident incident;        /* with the rules' diagnosis */
	struct evidence_list evidence;
	struct claude_spent spent;
};
/* Pseudonyms for hosts and addresses, where the configuration wants them: before it is asked. */
void opinion_veil(struct opinion_order *order);

struct opinion {
	enum claude_outcome outcome;
	char answer[OPINION_BYTES];      /* ANSWERED: the JSON object, as it was given */
	char model[80];
	char why[400];                   /* else: for people */
	double cost_usd;
	bool cost_known;
	struct claude_usage usage;
	struct claude_spent spent;
	struct evidence_list evidence;   /* all that it was shown: what it may quote */
};

/* Asks, with tools to look further; blocks until the deadline of the configuration at most. */
void opinion_ask(const struct opinion_order *order, struct opinion *opinion);
/* The most that the question may cost, as far as the prices are known; for the books before it is
 * asked. */
double opinion_price(const struct opinion_order *order);

/* What an answer comes to. False: it is none (why says it), and the diagnosis is untouched. Pure:
 * rules is what the rules say of the same incident, evidence what the model was shown. The result
 * is never less cautious than rules. */
struct clamp {
	const struct opinion_actions *actions;
	const struct component *component;
	const struct diagnosis *rules;
	const struct evidence_list *evidence;
	const char *by;                  /* "claude" */
};
bool opinion_clamp(const struct clamp *clamp, const char *answer, struct diagnosis *diagnosis,
	char *why, size_t size);

/* opinion_prompt.c */
const char *opinion_schema(const struct opinion_actions *actions, struct arena *arena);
const char *opinion_system(void);
const char *opinion_prompt(const struct opinion_order *order, struct arena *arena);
/* A text as data in the prompt: it cannot end its own marks. */
void opinion_put_data(struct str *out, const char *kind, const char *source, const char *text);

#endif
