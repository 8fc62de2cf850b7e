/*
 * What a person or a program asks of the core, from any channel: mailed to it with a mailbox to
 * answer to. The core commits its effect before it answers. Plain data.
 */
#ifndef MODEL_REQUEST_H
#define MODEL_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "model/channel.h"
#include "model/component.h"
#include "model/plan.h"
#include "model/risk.h"

enum request_kind {
	REQUEST_STATUS,    /* answers struct core_status */
	REQUEST_DECIDE,    /* approve or reject an incident's open approval */
	REQUEST_HEALING,   /* auto-healing on, off or shadow */
	REQUEST_RETRY,     /* an escalated or rejected incident is decided anew */
	REQUEST_ORDER,     /* an operator's order: action on a component */
	REQUEST_COMPONENTS,/* answers a JSON array */
	REQUEST_PRESS,     /* a button of a message: what it does is in the store */
	REQUEST_TOKENS,   /* buttons that are about to be shown */
	REQUEST_SENT,      /* messages that now stand in a chat */
	REQUEST_POSITION,  /* nothing but the channel's position */
	REQUEST_NOTE,      /* an entry for the audit log: a stranger's attempt */
	REQUEST_DIAGNOSE,  /* a component is looked into; answers JSON, when that is done */
	REQUEST_PROPOSE,   /* action on component, text: why: a person is asked */
	REQUEST_MUTE,      /* component (a pattern) is left alone for for_ms; 0: not any longer */
	REQUEST_RESET,     /* component's attempts so far do not count any more */
	REQUEST_CHANNEL,   /* how a channel does: status. Nothing is stored */
};

/* How a channel does, since it was started. */
struct channel_status {
	char name[24];     /* "telegram" */
	bool reached;
	int64_t changed_at;
	int64_t delivered, edited, delayed, lost; /* messages; delayed: had to be tried again */
	char text[240];    /* !reached: why, for people */
};
#define CHANNELS_MAX 8

struct mailbox;

struct request {
	enum request_kind kind;
	char actor[64];          /* "uid:0", "api" : authorised by the channel before it is sent */
	int64_t incident_id;
	bool approve;
	int64_t for_ms;          /* MUTE; DECIDE: > 0 puts it off for so long */
	char plan_hash[33];      /* optional: must match when given */
	enum healing healing;
	char action[48];
	char component[NAME_MAX_BYTES];
	char params[PARAMS_MAX_BYTES];
	char text[240];          /* NOTE, PROPOSE */
	char token[TOKEN_BYTES]; /* PRESS */
	char channel[24];        /* "telegram": with message_id, where the order's progress is shown */
	int64_t chat, message_id;
	const struct token *tokens;     /* TOKENS; the mail has copies of its own */
	const struct posting *postings; /* SENT */
	int count;
	struct channel_status status;   /* CHANNEL */
	/* A channel's position, committed along with the effect: fact "channel:…"; "" : none. */
	char fact[48], value[64];
	/* Where the one answer goes, by mailbox_offer, in time or late. It is the asker's: who has
	 * given up waiting neither uses nor frees the box before that answer has come, or the core has
	 * made its last step. */
	struct mailbox *answer;
};

struct source_status {
	char name[64];
	bool reached;
	int64_t changed_at, last_look_at, took_ms;
	int components;
	char text[480];
};

struct core_status {
	enum healing healing;
	char trouble[240];         /* "" or what keeps the core from acting: "the disk is full" */
	int64_t started_at, now;
	int components;
	int sources;
	struct source_status source[32];
	int channels;
	struct channel_status channel[CHANNELS_MAX];
};

/* The answer to a request. */
struct answer {
	bool ok;
	int status;              /* as HTTP: 200, 404, 409, … */
	char text[480];          /* for people: what was done, or what is wrong and how to mend it */
	struct core_status core; /* REQUEST_STATUS */
	const char *json;        /* REQUEST_COMPONENTS, REQUEST_DIAGNOSE */
	struct token token;      /* REQUEST_PRESS: what was pressed; its page is for the channel */
	int64_t incident_id;     /* that it led to, or that it is about; 0: none */
};

/* Kinds of mail to the core. */
enum core_mail { MAIL_REPORT, MAIL_JOB, MAIL_REQUEST, MAIL_STOP, MAIL_RELOAD, MAIL_DIAGNOSIS };

#endif
