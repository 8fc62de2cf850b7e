/*
 * Asking the core. The box that it answers to may get that answer late: it is set aside then, and
 * used again only after the late answer was taken out of it. So there is a fixed number of boxes,
 * and none is freed before the core has made its last step.
 */
#include <string.h>

#include "base/str.h"
#include "report/internal.h"

void asks_init(struct asks *asks, struct mailbox *core)
{
	asks->core = core;
	for (int i = 0; i < ASK_SLOTS; i++) {
		asks->slots[i].box = mailbox_new(1);
		atomic_init(&asks->slots[i].state, ASK_FREE);
	}
}

void asks_close(struct asks *asks)
{
	for (int i = 0; i < ASK_SLOTS; i++)
		mailbox_close(asks->slots[i].box);
}

void asks_free(struct asks *asks)
{
	for (int i = 0; i < ASK_SLOTS; i++)
		mailbox_free(asks->slots[i].box);
}

static bool take(struct ask_slot *slot)
{
	int state = ASK_FREE;
	if (atomic_compare_exchange_strong(&slot->state, &state, ASK_BUSY))
		return true;
	state = ASK_LATE;
	if (!atomic_compare_exchange_strong(&slot->state, &state, ASK_BUSY))
		return false;
	struct mail *late = mailbox_receive(slot->box, 0);
	if (late == NULL) {
		atomic_store(&slot->state, ASK_LATE);
		return false;
	}
	mail_free(late);
	return true;
}

static struct ask_slot *take_any(struct asks *asks)
{
	for (int i = 0; i < ASK_SLOTS; i++)
		if (take(&asks->slots[i]))
			return &asks->slots[i];
	return NULL;
}

static const void *copy_rows(struct arena *arena, const void *rows, int count, size_t size)
{
	if (rows == NULL || count == 0)
		return NULL;
	void *copy = arena_alloc(arena, (size_t)count * size);
	memcpy(copy, rows, (size_t)count * size);
	return copy;
}

static bool send(struct asks *asks, const struct request *request, struct mailbox *box)
{
	size_t rows = (size_t)request->count *
		((request->tokens != NULL ? sizeof(struct token) : 0) +
			(request->postings != NULL ? sizeof(struct posting) : 0));
	struct arena *arena = arena_new(sizeof(*request) + rows + 4096);
	struct request *copy = ARENA_NEW(arena, struct request);
	*copy = *request;
	copy->tokens = copy_rows(arena, request->tokens, request->count, sizeof(struct token));
	copy->postings = copy_rows(arena, request->postings, request->count, sizeof(struct posting));
	copy->answer = box;
	return mailbox_offer(asks->core, MAIL_REQUEST, &arena, copy);
}

struct answer *asks_core(struct asks *asks, const struct request *request, int64_t timeout_ms,
	struct arena *arena, bool *sent)
{
	struct ask_slot *slot = take_any(asks);
	*sent = false;
	if (slot == NULL)
		return NULL;
	*sent = send(asks, request, slot->box);
	if (!*sent) {
		atomic_store(&slot->state, ASK_FREE);
		return NULL;
	}
	struct mail *mail = mailbox_receive(slot->box, timeout_ms);
	if (mail == NULL) {
		atomic_store(&slot->state, ASK_LATE);
		return NULL;
	}
	const struct answer *body = mail->body;
	struct answer *answer = arena_try(arena, sizeof(*answer));
	if (answer != NULL) {
		*answer = *body;
		answer->json = arena_strdup(arena, body->json);
	}
	mail_free(mail);
	atomic_store(&slot->state, ASK_FREE);
	return answer;
}

struct answer *ask_core(
	struct call *call, struct request *request, int64_t timeout_ms, const char **why)
{
	bool sent;
	STR_SET(request->actor, call->actor);
	struct answer *answer = asks_core(&call->api->asks, request, timeout_ms, call->arena, &sent);
	if (!sent)
		*why = "homeostat is busy: nothing was done; try again in a moment";
	else if (answer == NULL)
		*why = call->changes
			? "homeostat did not answer in time: look whether it was done before you try again"
			: "homeostat did not answer in time";
	return answer;
}
