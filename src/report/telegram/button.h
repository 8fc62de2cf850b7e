/*
 * A message with its buttons. A button carries what is meant, not callback_data: the queue keeps
 * the intent, bound to chat, message and expiry, and sends an opaque id that works once. A page or
 * a stage of an answer changes nothing and may be pressed again.
 */
#ifndef REPORT_TELEGRAM_BUTTON_H
#define REPORT_TELEGRAM_BUTTON_H

#include <stdint.h>

#include "base/arena.h"
#include "model/component.h"

enum button_style { BUTTON_PLAIN, BUTTON_PRIMARY, BUTTON_SUCCESS, BUTTON_DANGER };

enum intent_kind {
	INTENT_APPROVE, INTENT_REJECT, /* incident_id, plan_hash */
	INTENT_LATER,                  /* incident_id: ask again after a while */
	INTENT_RETRY,                  /* incident_id: decide anew */
	INTENT_WHY,                    /* incident_id: its story */
	INTENT_MUTE, INTENT_UNMUTE,    /* component ("" : everything), duration_ms */
	INTENT_PAGE,                   /* path, number: show this page of the menu, here */
	INTENT_ORDER,                  /* deed, component */
	INTENT_HEALING,                /* healing */
};

enum deed { DEED_START, DEED_STOP, DEED_RESTART };
#define DEEDS 3

#define PATH_MAX_BYTES (NAME_MAX_BYTES + 32)

struct intent {
	enum intent_kind kind;
	int64_t incident_id;
	char plan_hash[33];
	enum deed deed;
	char component[NAME_MAX_BYTES];
	int64_t duration_ms;
	enum healing healing;
	char path[PATH_MAX_BYTES];
	int number;
};

struct button {
	char text[128];
	enum button_style style;
	int row; /* from 0 */
	struct intent intent;
};

#define BUTTONS_MAX 32
struct message {
	const char *html;
	struct button button[BUTTONS_MAX];
	int buttons;
	bool silent; /* nobody needs to be woken */
};

/* A message without text or buttons, in the arena. */
struct message *message_new(struct arena *arena);

/* Adds a button to the row begun last and gives its intent, to be filled in. The label is from
 * outside. */
struct intent *message_button(
	struct message *message, enum button_style style, enum intent_kind kind, const char *label);
void message_row(struct message *message);

/* Buttons that several messages have. */
void message_page(struct message *message, const char *label, const char *path, int number);
/* later: whether Later is among them. */
void message_approval(struct message *message, int64_t incident_id, const char *plan_hash,
	bool later);

#endif
