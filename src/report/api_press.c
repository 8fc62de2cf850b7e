/*
 * A button of ntfy, pressed: POST /api/v1/press/TOKEN. The token is all that is needed, for the one
 * decision that it was made for; so only tokens of a channel count that the configuration lets
 * approve, now, and up to the risk that it says now. Any other channel's (Telegram's) are nothing
 * here: who may press those is not for an address to say.
 */
#include <string.h>

#include "base/str.h"
#include "report/internal.h"

static const struct config_notify *approving(const struct config *config, const char *channel)
{
	for (int i = 0; i < config->notify_count; i++)
		if (config->notify[i].approves && str_equal(config->notify[i].channel, channel))
			return &config->notify[i];
	return NULL;
}

static bool may_decide(struct store *store, const struct config_notify *notify,
	const struct token *token, const char **why)
{
	struct incident incident;
	struct err err = {0};
	*why = "this button means nothing any more";
	if (!store_incident_get(store, token->incident_id, &incident, &err))
		return false;
	*why = "the configuration lets no button of this channel approve what is so risky";
	return token->kind == TOKEN_REJECT || incident.plan.risk <= notify->approve_risk;
}

static const char *check(struct call *call, struct store *store, struct token *token)
{
	struct err err = {0};
	const char *why = "this button means nothing any more";
	if (!store_token_get(store, call->token, token, &err) ||
		(token->kind != TOKEN_APPROVE && token->kind != TOKEN_REJECT))
		return why;
	const struct config_notify *notify = approving(call->api->config.config, token->channel);
	if (notify == NULL || may_decide(store, notify, token, &why))
		return notify == NULL ? why : NULL;
	return why;
}

void post_press(struct call *call)
{
	struct request request = {.kind = REQUEST_PRESS};
	struct token token;
	struct store *store = call_store(call);
	if (store == NULL)
		return;
	const char *why = check(call, store, &token);
	store_close(store);
	if (why != NULL) {
		access_refuse(call, 404, why);
	} else {
		STR_SET(request.token, token.id);
		STR_SET(request.channel, token.channel);
		STR_SET(call->actor, token.channel);
		pass_on(call, &request);
	}
	/* ntfy's page in a browser shows an error unless it may read the answer. */
	call->reply->header = "Access-Control-Allow-Origin";
	call->reply->header_value = "*";
}
