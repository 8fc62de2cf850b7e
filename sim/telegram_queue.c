/* Updates that wait to be fetched: kept for a day, forgotten when confirmed. */
#include "sim/telegram_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MS (INT64_C(24) * 3600 * 1000)
#define CONFIRMED_KEPT 64

static const char *const by_default_not[] = {
	"chat_member", "message_reaction", "message_reaction_count"};

static bool is_wanted(const struct sim_telegram *sim, const char *kind)
{
	char name[64];
	if (sim->allowed[0] != '\0') {
		STR_FORMAT(name, ",%s,", kind);
		return strstr(sim->allowed, name) != NULL;
	}
	for (size_t i = 0; i < sizeof(by_default_not) / sizeof(by_default_not[0]); i++)
		if (strcmp(by_default_not[i], kind) == 0)
			return false;
	return true;
}

void tg_update_add(struct sim_telegram *sim, const char *kind, const char *members)
{
	if (!is_wanted(sim, kind))
		return;
	struct tg_update update = {.id = sim->next_update++, .at_ms = tg_now(sim)};
	if (asprintf(&update.json, "{\"update_id\":%lld,%s}", (long long)update.id, members) < 0)
		abort();
	sim->updates = tg_more(sim->updates, sim->update_count, sizeof(*sim->updates));
	sim->updates[sim->update_count++] = update;
}

/* Room grows by doubling, and is told by the count: so an array that shrinks is made anew. */
static struct tg_update *without_first(struct tg_update *updates, int count, int n)
{
	struct tg_update *rest = NULL;
	for (int i = n; i < count; i++) {
		rest = tg_more(rest, i - n, sizeof(*rest));
		rest[i - n] = updates[i];
	}
	free(updates);
	return rest;
}

void tg_updates_confirm(struct sim_telegram *sim, int n)
{
	if (n <= 0)
		return;
	for (int i = 0; i < n; i++) {
		sim->confirmed = tg_more(sim->confirmed, sim->confirmed_count, sizeof(*sim->confirmed));
		sim->confirmed[sim->confirmed_count++] = sim->updates[i];
	}
	sim->updates = without_first(sim->updates, sim->update_count, n);
	sim->update_count -= n;
	int over = sim->confirmed_count - CONFIRMED_KEPT;
	if (over <= 0)
		return;
	for (int i = 0; i < over; i++)
		free(sim->confirmed[i].json);
	sim->confirmed = without_first(sim->confirmed, sim->confirmed_count, over);
	sim->confirmed_count -= over;
}

void tg_updates_expire(struct sim_telegram *sim)
{
	int n = 0;
	while (n < sim->update_count && tg_now(sim) - sim->updates[n].at_ms >= KEPT_MS)
		free(sim->updates[n++].json);
	if (n == 0)
		return;
	sim->updates = without_first(sim->updates, sim->update_count, n);
	sim->update_count -= n;
}
