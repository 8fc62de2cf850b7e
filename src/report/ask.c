/*
 * Asking the core. The box that it answers to may get that answer late: it is set aside then, and
 * used again only after the late answer was taken out of it. So there is a fixed number of boxes,
 * and none is freed before the core has made its last step.
 */
#include <string.h>

#include "base/str.h"
#include "report/internal.h"

void ask_init(struct api *api)
{
	for (int i = 0; i < ASK_SLOTS; i++) {
		api->slots[i].box = mailbox_new(1);
		atomic_init(&api->slots[i].state, ASK_FREE);
	}
}

void ask_close(struct api *api)
{
	for (int i = 0; i < ASK_SLOTS; i++)
		mailbox_close(api->slots[i].box);
}

void ask_free(struct api *api)
{
	for (int i = 0; i < ASK_SLOTS; i++)
		mailbox_free(api->slots[i].box);
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

static struct ask_slot *take_any(struct api *api)
{
	for (int i = 0; i < ASK_SLOTS; i++)
		if (take(&api->slots[i]))
			return &api->slots[i];
	return NULL;
}

static bool send(struct api *api, const struct request *request, struct mailbox *box)
{
	struct arena *arena = arena_new(sizeof(*request) + 4096);
	struct request *copy = ARENA_NEW(arena, struct request);
	*copy = *request;
	copy->answer = box;
	return mailbox_offer(api->config.core, MAIL_REQUEST, &arena, copy);
}

struct answer *ask_core(
	struct call *call, struct request *request, int64_t timeout_ms, const char **why)
{
	struct ask_slot *slot = take_any(call->api);
	*why = "homeostat is busy: nothing was done; try again in a moment";
	if (slot == NULL)
		return NULL;
	STR_SET(request->actor, call->actor);
	if (!send(call->api, request, slot->box)) {
		atomic_store(&slot->state, ASK_FREE);
		return NULL;
	}
	struct mail *mail = mailbox_receive(slot->box, timeout_ms);
	if (mail == NULL) {
		atomic_store(&slot->state, ASK_LATE);
		*why = call->changes
			? "homeostat did not answer in time: look whether it was done before you try again"
			: "homeostat did not answer in time";
		return NULL;
	}
	const struct answer *body = mail->body;
	struct answer *answer = arena_try(call->arena, sizeof(*answer));
	if (answer != NULL) {
		*answer = *body;
		answer->json = arena_strdup(call->arena, body->json);
	}
	mail_free(mail);
	atomic_store(&slot->state, ASK_FREE);
	return answer;
}
