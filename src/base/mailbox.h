/*
 * Mailboxes: the only way threads speak. A mail is an arena with a body in it; sending it takes the
 * arena away from the sender (whose pointer becomes NULL), receiving it gives it to the receiver.
 * Any thread may send; one thread receives. Bounded: a full box makes mailbox_send wait and
 * mailbox_offer fail. Here and in log.c are the only locks of the program.
 */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct mailbox;

struct mail {
	struct mail *next;
	struct arena *arena; /* holds this mail and its body */
	int kind;
	void *body;
};

struct mailbox *mailbox_new(size_t limit);
/* Frees the box and what is in it. No thread may still use it. */
void mailbox_free(struct mailbox *box);

/* Sends; waits while the box is full. Takes *arena (sets it NULL) in any case. False: closed. */
bool mailbox_send(struct mailbox *box, int kind, struct arena **arena, void *body);
/* Sends without waiting. Takes *arena in any case. False: full or closed, the mail is dropped. */
bool mailbox_offer(struct mailbox *box, int kind, struct arena **arena, void *body);
/* The next mail, oldest first; NULL after timeout_ms (0: at once, < 0: no limit), or when the box
 * is closed and empty. The caller frees it by mail_free. */
struct mail *mailbox_receive(struct mailbox *box, int64_t timeout_ms);
void mail_free(struct mail *mail);

/* Nobody can send any more; who waits is woken. */
void mailbox_close(struct mailbox *box);
bool mailbox_is_closed(struct mailbox *box);

#endif
