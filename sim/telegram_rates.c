/*
 * How much may be sent: a message a second in a chat after a burst of three, 20 a minute in a
 * group, 30 a second in all; edits count. Who is told to wait and does not is counted, and told
 * again.
 */
#include "sim/telegram_world.h"

#include <string.h>

#define BURST_MS 3000
#define MESSAGE_MS 1000
#define MINUTE_MS 60000

static bool too_many(struct tg_call *call, int64_t wait_ms)
{
	int64_t seconds = wait_ms < 1000 ? 1 : (wait_ms + 999) / 1000;
	call->problem.retry_after_s = seconds;
	return tg_fail(call, 429, "Too Many Requests: retry after %lld", (long long)seconds);
}

bool tg_call_wait(struct tg_call *call, struct tg_chat *chat, int64_t seconds)
{
	int64_t until = tg_now(call->sim) + seconds * 1000;
	if (chat != NULL)
		chat->wait_until_ms = until;
	else
		call->sim->wait_until_ms = until;
	return too_many(call, seconds * 1000);
}

/* Whether the oldest of the last room times is within span; then how long until it is not. */
static int64_t window(const int64_t *times, int count, int room, int64_t now, int64_t span)
{
	int64_t oldest = times[count % room];
	return count >= room && now - oldest < span ? oldest + span - now : 0;
}

bool tg_call_rate(struct tg_call *call)
{
	struct sim_telegram *sim = call->sim;
	struct tg_chat *chat = call->chat;
	int64_t now = tg_now(sim);
	int64_t told = chat->wait_until_ms > sim->wait_until_ms ? chat->wait_until_ms
															: sim->wait_until_ms;
	if (told > now) {
		sim->impatient++;
		return too_many(call, told - now);
	}
	if (!sim->has_rates)
		return true;
	int64_t all = window(sim->sent_ms, sim->sent_count, TG_ALL_RATE, now, 1000);
	if (all > 0)
		return tg_call_wait(call, NULL, (all + 999) / 1000);
	int64_t wait = 0;
	if (chat->type != TG_PRIVATE)
		wait = window(chat->sent_ms, chat->sent_count, TG_GROUP_RATE, now, MINUTE_MS);
	int64_t free_ms = chat->free_ms > now ? chat->free_ms : now;
	if (wait == 0 && free_ms - now >= BURST_MS)
		wait = free_ms - now - BURST_MS + MESSAGE_MS;
	if (wait > 0)
		return tg_call_wait(call, chat, (wait + 999) / 1000);
	chat->free_ms = free_ms + MESSAGE_MS;
	chat->sent_ms[chat->sent_count++ % TG_GROUP_RATE] = now;
	sim->sent_ms[sim->sent_count++ % TG_ALL_RATE] = now;
	return true;
}
