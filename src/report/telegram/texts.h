/*
 * What homeostat says on Telegram of its own accord, and in answer: facts in, message out. The
 * visible text of what the user's document shows is the document's, to the letter; everything else
 * says what happened, why, and what happens next. Pure; messages live in the arena (256 KiB are
 * plenty), texts given may go when the call returns. Every message fits in one message of Telegram,
 * so that it can be edited.
 */
#ifndef REPORT_TELEGRAM_TEXTS_H
#define REPORT_TELEGRAM_TEXTS_H

#include "model/notice.h"
#include "report/telegram/button.h"
#include "report/telegram/facts.h"

/* What has become of a question. The message is edited as it goes through these. */
enum asked_stage {
	ASKED_OPEN,
	ASKED_APPROVED,  /* who, at; the action runs */
	ASKED_DONE,      /* who, at; result, ok */
	ASKED_HEALED,    /* the same, and seen healthy since; took_ms after the failure, 0: not known */
	ASKED_REJECTED,  /* who, at */
	ASKED_LATER,     /* who, at; until: asked again then */
	ASKED_EXPIRED,   /* at */
	ASKED_OVERTAKEN, /* at; result: what has changed: "it is healthy again" */
};
struct asked {
	enum asked_stage stage;
	const char *who;         /* "Ada", or an incident's actor: "telegram:123", "uid:0". Of OPEN the
								first of two persons, or NULL */
	int64_t at, until, took_ms;
	bool ok;
	const char *result;
};

/* incident.c */
/* The approval request. asked NULL: open. */
struct message *text_asking(const struct incident *incident, const struct asked *asked,
	struct arena *arena);
/* homeostat's own action has ended; result as the action worded it. */
struct message *text_fixed(const struct incident *incident, bool ok, const char *result,
	struct arena *arena);
/* An action that a person approved or ordered has ended. */
struct message *text_resolution(const struct incident *incident, bool ok, const char *result,
	struct arena *arena);
struct message *text_escalated(const struct incident *incident, const char *why,
	struct arena *arena);
/* What is told long after it happened begins with its time. */
void text_late(struct message *message, int64_t at, int64_t now, struct arena *arena);
/* A question that nobody has answered for so long. */
void text_again(struct message *message, int64_t for_ms, struct arena *arena);
/* A notice that is none of the above in its own words; those above too. Never NULL. */
struct message *text_notice(const struct notice *notice, struct arena *arena);
/* Who that is, for people: "telegram:123" → "user 123". In the arena, untrusted. */
const char *text_actor(const char *actor, struct arena *arena);

/* system.c */
/* Healing was switched; interval_ms between looks. */
struct message *text_healing(enum healing healing, int64_t interval_ms, struct arena *arena);
struct message *text_unauthorized(struct arena *arena);

struct boot {
	const char *version, *watched; /* "3 sources, 42 components" */
	enum healing healing;
	int open, asking;              /* incidents taken up again; of these, that wait for an answer */
	bool first;                    /* ever */
	bool clean;                    /* the run before was ended on purpose */
	int64_t last_seen_at;          /* its last sign of life; 0: not known; -1: not told */
};
struct message *text_boot(const struct boot *boot, struct arena *arena);

/* Of a source: "docker:local". for_ms: how long it had been in the other state; 0: not known. */
struct message *text_source(const char *source, bool reached, int64_t for_ms, const char *why,
	struct arena *arena);

enum storm_state { STORM_PERSON, STORM_HEALING, STORM_WAITING, STORM_HEALED };
#define STORM_STATES 4
struct storm_row {
	const char *component, *issue;
	enum storm_state state;
};
struct storm_facts {
	const char *source, *cause;    /* cause: "" while it is looked for */
	int64_t began_at, now;
	bool over;                     /* of new failures: healing goes on */
	const struct storm_row *rows;
	int count;
};
/* One message for a whole storm, edited as it goes. */
struct message *text_storm(const struct storm_facts *storm, struct arena *arena);

struct quiet_facts {
	int64_t from, to;
	int healed, cleared, waiting;  /* by us; by itself; for a person */
	const struct incident *const *incidents; /* newest first; may be fewer than the sum */
	int count;
};
/* After quiet hours. */
struct message *text_morning(const struct quiet_facts *quiet, struct arena *arena);

/* answer.c: to commands and orders. */
/* What an order names, for people: "VM/Container 104", "container 'nginx'". In the arena. */
const char *text_target(const struct component *component, struct arena *arena);
/* "🔄 Starting VM/Container 104..." and what the message becomes. */
struct message *text_progress(enum deed deed, const char *target, struct arena *arena);
/* why: !ok: the reason; ok: the action's own words, or NULL. */
struct message *text_ordered(enum deed deed, const char *target, bool ok, const char *why,
	struct arena *arena);
/* An order that has to wait. */
struct message *text_postponed(const char *target, const char *why, struct arena *arena);
struct message *text_muted(const char *component, int64_t until, struct arena *arena);
struct message *text_unmuted(const char *component, struct arena *arena);
/* To words that are no command. */
struct message *text_only_commands(struct arena *arena);
/* There is none of the name that was to be muted; near may be meant. */
struct message *text_no_component(const char *name, const char *near, int64_t for_ms,
	struct arena *arena);
/* Anything else in a line: what happened, and why or what next (or NULL). */
struct message *text_answer(bool ok, const char *what, const char *next, struct arena *arena);

#endif
