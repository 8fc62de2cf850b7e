/*
 * What channels (Telegram, ntfy, mail …) share with the core: postings, which are messages that
 * stand in a chat and can be edited, and tokens, which are what the buttons in them carry. What a
 * token does is a row here; only its opaque id leaves the house. Plain data.
 */
#ifndef MODEL_CHANNEL_H
#define MODEL_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "model/component.h"
#include "model/plan.h"

enum token_kind {
	TOKEN_PAGE,     /* shows a page of the menu: page; may be pressed again */
	TOKEN_APPROVE, TOKEN_REJECT, TOKEN_LATER, /* of approval_id, which must be open still */
	TOKEN_ORDER,    /* action, component, params */
	TOKEN_HEALING,   /* page: "on" "off" "shadow" */
	TOKEN_RETRY,     /* incident_id */
	TOKEN_MUTE,      /* component (a pattern), for_ms; 0: not any longer */
	TOKEN_KINDS,
};
#define TOKEN_BYTES 33

struct token {
	char id[TOKEN_BYTES];           /* 32 hexadecimal digits: all that a message holds of it */
	enum token_kind kind;
	char channel[24];               /* "telegram" */
	int64_t chat;                   /* only a press from there counts; 0: any */
	int64_t incident_id, approval_id;
	char plan_hash[33];
	char action[48], component[NAME_MAX_BYTES], params[PARAMS_MAX_BYTES];
	char page[176];
	int64_t for_ms;
	int64_t expires_at;             /* wall ms; 0: never */
	int64_t used_at;                /* of all but PAGE: once */
};

/* A message that stands in a chat. */
struct posting {
	char channel[24];
	int64_t chat, message_id, thread_id;
	int64_t incident_id, approval_id; /* 0: none */
	char purpose[16];                 /* "ask" "news" "order" "remind" "storm": never renamed */
	int64_t at;
};

/* Left alone until a time, by a person: no action of homeostat's own, no notification. */
struct mute {
	char pattern[NAME_MAX_BYTES];     /* of component names; "*": everything */
	int64_t until;                    /* wall ms */
	char actor[64];
};

const char *token_kind_name(enum token_kind kind); /* stored; never renamed */

#endif
