/*
 * What channels ask of the core: buttons that were pressed, what they are about to show, what they
 * have sent, how far they are; and mutes. What a button does was bound when it was made.
 */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "heal/internal.h"

/* Why this press of this button counts for nothing; NULL: it counts. */
static const char *refusal(
	struct heal *heal, const struct request *request, const struct token *token)
{
	if (!str_equal(token->channel, request->channel) ||
		(token->chat != 0 && token->chat != request->chat))
		return "this button belongs to another chat";
	if (token->used_at != 0)
		return "it was pressed before";
	if (token->expires_at != 0 && now_ms(heal) >= token->expires_at)
		return "this button is too old: open the menu again";
	return NULL;
}

/* An approval's buttons are for that approval alone: when it is asked anew, older messages' buttons
 * are dead. */
static bool is_newest(struct heal *heal, const struct token *token, struct answer *answer)
{
	struct approval approval = {0};
	struct err err = {0};
	stored(heal, store_approval_newest(heal->store, token->incident_id, &approval, &err), &err);
	if (approval.id == token->approval_id)
		return true;
	answer_with(answer, 409, "nothing was done: it was asked anew since; see the newer message");
	return false;
}

static void obey(struct heal *heal, const struct request *press, const struct token *token,
	struct answer *answer)
{
	struct request request = *press;
	request.incident_id = token->incident_id;
	STR_SET(request.plan_hash, token->plan_hash);
	switch (token->kind) {
	case TOKEN_PAGE:
		answer_with(answer, 200, "");
		break;
	case TOKEN_APPROVE:
	case TOKEN_REJECT:
	case TOKEN_LATER:
		request.approve = token->kind == TOKEN_APPROVE;
		request.for_ms = token->kind == TOKEN_LATER ? heal->config->brakes.later_ms : 0;
		if (is_newest(heal, token, answer))
			decide_approval(heal, &request, answer);
		break;
	case TOKEN_ORDER:
		STR_SET(request.action, token->action);
		STR_SET(request.component, token->component);
		STR_SET(request.params, token->params);
		give_order(heal, &request, answer);
		break;
	case TOKEN_HEALING:
		if (healing_parse(token->page, &request.healing))
			set_healing(heal, &request, answer);
		break;
	case TOKEN_RETRY:
		retry(heal, &request, answer);
		break;
	case TOKEN_MUTE:
		STR_SET(request.component, token->component);
		request.for_ms = token->for_ms;
		set_mute(heal, &request, answer);
		break;
	case TOKEN_KINDS:
		break;
	}
}

/* Whether a press is used up by what came of it: one more person may be needed for an approval, and
 * a page can be shown again. */
static bool is_used_up(const struct token *token, const struct answer *answer)
{
	return token->kind == TOKEN_ORDER || token->kind == TOKEN_HEALING ? answer->ok : false;
}

void take_press(struct heal *heal, const struct request *request, struct answer *answer)
{
	struct err err = {0};
	if (!store_token_get(heal->store, request->token, &answer->token, &err)) {
		if (err.kind != ERR_GONE)
			stored(heal, false, &err);
		answer_with(answer, 404, "this button means nothing any more: open the menu again");
		return;
	}
	const char *why = refusal(heal, request, &answer->token);
	if (why != NULL) {
		answer->status = 409;
		STR_FORMAT(answer->text, "nothing was done: %s", why);
		return;
	}
	obey(heal, request, &answer->token, answer);
	if (is_used_up(&answer->token, answer) && must_store(heal))
		stored(heal, store_token_use(heal->store, request->token, now_ms(heal), &err), &err);
}

void note_progress(struct heal *heal, const struct request *request, int64_t incident_id)
{
	struct err err = {0};
	if (request->channel[0] == '\0' || request->message_id == 0)
		return;
	struct posting posting = {.chat = request->chat,
		.message_id = request->message_id,
		.incident_id = incident_id,
		.purpose = "order",
		.at = now_ms(heal)};
	STR_SET(posting.channel, request->channel);
	if (must_store(heal))
		stored(heal, store_posting_add(heal->store, &posting, &err), &err);
}

static void keep_all(struct heal *heal, const struct request *request)
{
	struct err err = {0};
	for (int i = 0; i < request->count && must_store(heal); i++)
		stored(heal,
			request->kind == REQUEST_TOKENS
				? store_token_add(heal->store, &request->tokens[i], &err)
				: store_posting_add(heal->store, &request->postings[i], &err),
			&err);
}

/* Only for people to see: what is lost with the process is told anew. */
static void note_status(struct heal *heal, const struct channel_status *status)
{
	int i = 0;
	while (i < heal->channel_count && !str_equal(heal->channels[i].name, status->name))
		i++;
	if (i == CHANNELS_MAX)
		return;
	heal->channels[i] = *status;
	heal->channel_count += i == heal->channel_count;
}

void take_channel(struct heal *heal, const struct request *request, struct answer *answer)
{
	if (request->kind == REQUEST_CHANNEL)
		note_status(heal, &request->status);
	else if (request->kind == REQUEST_TOKENS || request->kind == REQUEST_SENT)
		keep_all(heal, request);
	else if (request->kind == REQUEST_NOTE)
		audit(heal, "refused", request->actor, NULL, request->text);
	answer_with(answer, 200, "");
}

static struct mute *mute_find(struct heal *heal, const char *pattern)
{
	for (int i = 0; i < heal->mute_count; i++)
		if (strcmp(heal->mutes[i].pattern, pattern) == 0)
			return &heal->mutes[i];
	return NULL;
}

static void drop_ended(struct heal *heal)
{
	int kept = 0;
	for (int i = 0; i < heal->mute_count; i++)
		if (heal->mutes[i].until > now_ms(heal))
			heal->mutes[kept++] = heal->mutes[i];
	heal->mute_count = kept;
}

/* In the transaction's copy: see core_remember. */
static bool mute_put(struct heal *heal, const struct mute *mute)
{
	drop_ended(heal);
	struct mute *old = mute_find(heal, mute->pattern);
	if (old == NULL && heal->mute_count == MUTES_MAX)
		return false;
	if (old == NULL)
		old = &heal->mutes[heal->mute_count++];
	*old = *mute;
	drop_ended(heal);
	return true;
}

void set_mute(struct heal *heal, const struct request *request, struct answer *answer)
{
	struct mute mute = {0};
	struct err err = {0};
	char clock[24];
	STR_SET(mute.pattern, request->component[0] != '\0' ? request->component : "*");
	STR_SET(mute.actor, request->actor);
	mute.until = request->for_ms > 0 ? now_ms(heal) + request->for_ms : 0;
	if (!mute_put(heal, &mute)) {
		answer_with(answer, 409, "too many mutes at once: end one of them first");
		return;
	}
	if (must_store(heal))
		stored(heal, store_mute_set(heal->store, &mute, &err), &err);
	str_clock(clock, mute.until);
	audit(heal, mute.until != 0 ? "mute" : "unmute", request->actor, NULL, mute.pattern);
	if (mute.until == 0)
		wake_held(heal, HOLD_TIME, heal->life_count, -1);
	answer->status = 200;
	answer->ok = true;
	if (mute.until != 0)
		STR_FORMAT(answer->text, "%s is left alone until %s", mute.pattern, clock);
	else
		STR_FORMAT(answer->text, "%s is watched over again", mute.pattern);
}
