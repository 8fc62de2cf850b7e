/* getUpdates and the webhook that forbids it. */
#include "sim/telegram_world.h"

#include <stdlib.h>
#include <string.h>

#define POLL_MAX_S 50
#define AGAIN_S 3
#define AGAIN_MS 3000
#define AT_ONCE_MS 500
#define CONFLICT_MS 3000
#define RIVAL_MS 1000
#define ANSWER_BYTES (1 << 22)
/* An offset further beyond the newest than this is of another numbering: all is given. */
#define AHEAD_MAX 10

static const char other_poller[] =
	"Conflict: terminated by other getUpdates request; make sure that only one bot instance is "
	"running";
static const char by_webhook[] = "Conflict: terminated by setWebhook request";

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* Left out, the last one stays. Names that do not exist are passed over; with none left, it is the
 * default. */
static bool take_allowed(struct tg_call *call)
{
	static const char *const kinds[] = {"message", "edited_message", "channel_post",
		"edited_channel_post", "callback_query", "my_chat_member", "chat_member", "inline_query",
		"chosen_inline_result", "shipping_query", "pre_checkout_query", "poll", "poll_answer",
		"chat_join_request", "message_reaction", "message_reaction_count", "business_message"};
	struct json list;
	char name[40], allowed[400] = "";
	if (tg_arg(call, "allowed_updates")[0] == '\0')
		return true;
	if (!tg_arg_json(call, "allowed_updates", JSON_ARRAY, &list))
		return true; /* the real one does not mind either: nothing is changed */
	for (struct json child = json_first(list); json_is(child); child = json_next(child)) {
		json_copy(child, name, sizeof(name));
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (strcmp(kinds[i], name) == 0) {
				size_t used = strlen(allowed);
				str_format(
					allowed + used, sizeof(allowed) - used, "%s%s,", used == 0 ? "," : "", name);
			}
	}
	STR_SET(call->sim->allowed, allowed);
	return true;
}

/* Forgets what offset confirms; gives the index of the first that is to be told. */
static void confirm(struct sim_telegram *sim, int64_t offset)
{
	if (offset < 0) {
		tg_updates_confirm(sim, sim->update_count + (int)clamp(offset, -1000000, -1));
		return;
	}
	int n = 0;
	if (sim->redelivers) {
		sim->redelivers = false;
		return;
	}
	if (offset > sim->next_update - 1 + AHEAD_MAX)
		return;
	while (n < sim->update_count && sim->updates[n].id < offset)
		n++;
	tg_updates_confirm(sim, n);
}

static bool put_updates(const struct sim_telegram *sim, int limit, struct str *result)
{
	int left = ANSWER_BYTES;
	str_addc(result, '[');
	for (int i = 0; i < sim->update_count && i < limit; i++) {
		left -= 50 + (int)strlen(sim->updates[i].json);
		if (left <= 0)
			break;
		if (i > 0)
			str_addc(result, ',');
		str_add(result, sim->updates[i].json);
	}
	str_addc(result, ']');
	return true;
}

static struct tg_held *free_place(struct sim_telegram *sim)
{
	struct tg_held *oldest = &sim->held[0];
	for (int i = 0; i < TG_TICKETS; i++) {
		if (sim->held[i].ticket == 0)
			return &sim->held[i];
		if (sim->held[i].ticket < oldest->ticket)
			oldest = &sim->held[i];
	}
	return oldest;
}

static struct tg_held *hold(struct tg_call *call, int64_t ms)
{
	struct tg_held *held = free_place(call->sim);
	*held = (struct tg_held){
		.ticket = ++call->sim->last_ticket, .until_ms = tg_now(call->sim) + ms};
	call->ticket = held->ticket;
	call->held_ms = ms;
	return held;
}

/* When the next conflict may be told: the first at once, each further one 3 s late. */
static int64_t conflict_delay(struct sim_telegram *sim)
{
	if (tg_now(sim) < sim->conflict_ms)
		return CONFLICT_MS;
	sim->conflict_ms = tg_now(sim) + CONFLICT_MS;
	return 0;
}

void tg_polls_end(struct sim_telegram *sim, const char *conflict)
{
	for (int i = 0; i < TG_TICKETS; i++) {
		struct tg_held *held = &sim->held[i];
		if (held->ticket == 0 || held->conflict != NULL || held->is_broken)
			continue;
		held->conflict = conflict;
		held->until_ms = tg_now(sim) + conflict_delay(sim);
	}
}

void tg_polls_break(struct sim_telegram *sim)
{
	for (int i = 0; i < TG_TICKETS; i++)
		sim->held[i].is_broken = true;
}

bool tg_get_updates(struct tg_call *call)
{
	struct sim_telegram *sim = call->sim;
	int64_t now = tg_now(sim), offset = tg_arg_int(call, "offset", 0);
	int limit = (int)clamp(tg_arg_int(call, "limit", 100), 1, 100);
	int64_t timeout_s = clamp(tg_arg_int(call, "timeout", 0), 0, POLL_MAX_S);
	if (sim->webhook[0] != '\0') {
		int64_t delay = conflict_delay(sim);
		call->held_ms = delay;
		return tg_fail(call, 409,
			"Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to "
			"delete the webhook first");
	}
	take_allowed(call);
	bool again = offset == sim->polled_offset;
	if (again && timeout_s < AGAIN_S && now < sim->polled_ms + AGAIN_MS)
		timeout_s = AGAIN_S;
	if (again && now < sim->polled_ms + AT_ONCE_MS)
		limit = 1;
	sim->polled_offset = offset;
	sim->polled_ms = now;
	tg_updates_expire(sim);
	confirm(sim, offset);
	if (sim->update_count > 0 || timeout_s == 0)
		return put_updates(sim, limit, &call->result);
	tg_polls_end(sim, other_poller);
	struct tg_held *held = hold(call, timeout_s * 1000);
	held->offset = offset;
	held->limit = limit;
	return true;
}

/* The rival asks anew whenever it was ended, and so ends ours. */
void sim_telegram_tick(struct sim_telegram *sim)
{
	tg_updates_expire(sim);
	if (!sim->has_rival || tg_now(sim) - sim->rival_ms < RIVAL_MS)
		return;
	sim->rival_ms = tg_now(sim);
	tg_polls_end(sim, other_poller);
}

static bool is_due(const struct sim_telegram *sim, const struct tg_held *held)
{
	bool has_news = held->conflict == NULL && sim->update_count > 0;
	return held->is_broken || has_news || tg_now(sim) >= held->until_ms;
}

bool sim_telegram_resume(
	struct sim_telegram *sim, uint64_t ticket, struct arena *arena, struct sim_tg_reply *reply)
{
	struct tg_held *held = NULL;
	sim_telegram_tick(sim);
	for (int i = 0; i < TG_TICKETS; i++)
		if (ticket != 0 && sim->held[i].ticket == ticket)
			held = &sim->held[i];
	struct tg_problem problem = {0};
	if (held == NULL)
		tg_problem(&problem, 500, "Internal Server Error: no such poll");
	else if (!is_due(sim, held))
		return false;
	else if (held->is_broken)
		tg_problem(&problem, 500, "Internal Server Error: restart");
	else if (held->conflict != NULL)
		tg_problem(&problem, 409, "%s", held->conflict);
	if (problem.status != 0) {
		tg_reply_problem(&problem, arena, reply);
	} else {
		struct str result;
		str_init(&result, arena);
		put_updates(sim, held->limit, &result);
		sim->redelivers = false;
		tg_reply_result(result.s, arena, reply);
	}
	sim_telegram_abandon(sim, ticket);
	return true;
}

void sim_telegram_abandon(struct sim_telegram *sim, uint64_t ticket)
{
	for (int i = 0; i < TG_TICKETS; i++)
		if (sim->held[i].ticket == ticket)
			sim->held[i] = (struct tg_held){0};
}

bool tg_set_webhook(struct tg_call *call)
{
	const char *url = tg_arg(call, "url"), *secret = tg_arg(call, "secret_token");
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	if (url[0] != '\0' && !str_starts(url, "https://"))
		return tg_fail(
			call, 400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
	if (strlen(secret) > 256)
		return tg_fail(call, 400, "Bad Request: secret token is too long");
	if (secret[strspn(secret, good)] != '\0')
		return tg_fail(call, 400, "Bad Request: secret token contains unallowed characters");
	STR_SET(call->sim->webhook, url);
	if (url[0] != '\0')
		tg_polls_end(call->sim, by_webhook);
	str_add(&call->result, "true");
	return true;
}

bool tg_delete_webhook(struct tg_call *call)
{
	call->sim->webhook[0] = '\0';
	if (tg_arg_bool(call, "drop_pending_updates"))
		tg_updates_confirm(call->sim, call->sim->update_count);
	str_add(&call->result, "true");
	return true;
}

bool tg_get_webhook_info(struct tg_call *call)
{
	struct json_out out;
	json_begin(&out, &call->result);
	json_open(&out, NULL, '{');
	json_put_str(&out, "url", call->sim->webhook);
	json_put_bool(&out, "has_custom_certificate", false);
	json_put_int(&out, "pending_update_count", call->sim->update_count);
	json_close(&out, '}');
	return true;
}
