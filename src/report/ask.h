/*
 * Asking the core, by mail and with a deadline: for the threads of report/, each with as many
 * questions at a time as it likes. One struct asks serves any number of threads.
 */
#ifndef REPORT_ASK_H
#define REPORT_ASK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/mailbox.h"
#include "model/request.h"

#define ASK_SLOTS 128

/* A box for one answer at a time. The core may answer later than we wait: such a box stays LATE,
 * neither used nor freed, until that answer has come. */
enum ask_state { ASK_FREE, ASK_BUSY, ASK_LATE };
struct ask_slot {
	struct mailbox *box;
	atomic_int state;
};
struct asks {
	struct mailbox *core;
	struct ask_slot slots[ASK_SLOTS];
};

void asks_init(struct asks *asks, struct mailbox *core);
void asks_close(struct asks *asks); /* who waits is let go with no answer */
void asks_free(struct asks *asks);  /* after the core's last step */
/* Mails a copy of the request, rows included, and waits for its answer, which is copied into arena.
 * NULL: there was none in time; sent (out) false: nothing was asked, since all are busy. */
struct answer *asks_core(struct asks *asks, const struct request *request, int64_t timeout_ms,
	struct arena *arena, bool *sent);

#endif
