/*
 * What channels (Telegram, ntfy, mail …) share with the core: the messages that they sent, so that
 * these can be edited, and the buttons in them. A button is a row: what it does is bound here, and
 * only its opaque token leaves the house. Plain data.
 */
#ifndef MODEL_CHANNEL_H
#define MODEL_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "model/component.h"
#include "model/plan.h"

enum button_kind {
	BUTTON_PAGE,     /* shows a page of the menu: page; may be pressed again */
	BUTTON_APPROVE, BUTTON_REJECT, BUTTON_LATER, /* of approval_id, which must be open still */
	BUTTON_ORDER,    /* action, component, params */
	BUTTON_HEALING,  /* page: "on" "off" "shadow" */
	BUTTON_KINDS,
};
#define BUTTON_TOKEN_BYTES 33

struct button {
	char token[BUTTON_TOKEN_BYTES]; /* 32 hexadecimal digits: all that a message holds of it */
	enum button_kind kind;
	char channel[24];               /* "telegram" */
	int64_t chat;                   /* only a press from there counts; 0: any */
	int64_t incident_id, approval_id;
	char plan_hash[33];
	char action[48], component[NAME_MAX_BYTES], params[PARAMS_MAX_BYTES];
	char page[96];
	int64_t expires_at;             /* wall ms; 0: never */
	int64_t used_at;                /* of all but PAGE: once */
};

/* A message that stands in a chat. */
struct message {
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

const char *button_kind_name(enum button_kind kind); /* stored; never renamed */

#endif
