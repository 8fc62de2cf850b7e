/*
 * A notice: something that people want to be told as it happens. The core mails it to every
 * reporter (terminal; Telegram and others later); each words it for its readers. Plain data in the
 * mail.
 */
#ifndef MODEL_NOTICE_H
#define MODEL_NOTICE_H

#include <stdint.h>

#include "model/incident.h"

enum notice_kind {
	NOTICE_STARTED,    /* text: what is watched */
	NOTICE_SOURCE_UP, NOTICE_SOURCE_DOWN, /* text: "docker:local", why */
	NOTICE_DETECTED,   /* incident confirmed: issue, cause */
	NOTICE_ASKING,     /* an approval is needed */
	NOTICE_ACTING,     /* an action begins */
	NOTICE_RESULT,     /* an action ended: ok, text */
	NOTICE_POSTPONED,  /* text: why and until when */
	NOTICE_STORM,      /* text: how many, what is looked for, or that it is over */
	NOTICE_ENDED,      /* resolved, cleared, rejected */
	NOTICE_ESCALATED,  /* a person is needed: text says why */
	NOTICE_HEALING,    /* auto-healing on, off, shadow; text: by whom */
	NOTICE_TROUBLE,    /* homeostat itself: the disk is full, … */
	NOTICE_STOPPED,
	NOTICE_DECIDED,    /* an approval was given (ok), refused or put off; text: by whom, when */
	NOTICE_SUMMARY,    /* text: what shadow mode would have done in a week */
	NOTICE_KINDS,
};

struct notice {
	int64_t id;               /* in the store; 0: it is not kept */
	enum notice_kind kind;
	int64_t at;               /* wall ms */
	bool ok;
	bool muted;               /* a person does not want to hear of it */
	struct incident incident; /* id 0: none */
	char text[480];
};

/* Kind of a mail that carries a struct notice. */
enum { MAIL_NOTICE = 100 };

#endif
