/*
 * Shadow mode's weekly sum: how people come to trust what homeostat would do by itself.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "heal/internal.h"

#define WEEK_MS (7 * INT64_C(86400000))
#define FACT "shadow:summed"

struct sum {
	char done[200], asked[200];
	int64_t more; /* incidents of plans that did not fit */
};

static void keep(struct heal *heal)
{
	char value[24];
	struct err err = {0};
	heal->summed_at = now_ms(heal);
	STR_FORMAT(value, "%lld", (long long)heal->summed_at);
	if (must_store(heal))
		stored(heal, store_fact_set(heal->store, FACT, value, &err), &err);
}

bool shadow_load(struct heal *heal, struct err *err)
{
	char value[24];
	if (!store_fact_get(heal->store, FACT, value, sizeof(value), err))
		return false;
	heal->summed_at = strtoll(value, NULL, 10); /* "": never, so the first week is yet to begin */
	return true;
}

void shadow_begin(struct heal *heal)
{
	keep(heal);
}

int64_t shadow_due_at(const struct heal *heal)
{
	return heal->healing == HEALING_SHADOW ? heal->summed_at + WEEK_MS : INT64_MAX;
}

static void add(void *ctx, const char *title, int64_t incidents, bool asked)
{
	struct sum *sum = ctx;
	char *list = asked ? sum->asked : sum->done;
	size_t used = strlen(list), room = sizeof(sum->done);
	if (used + strlen(title) + 24 < room)
		str_format(list + used, room - used, "%s%s (%lld×)", used > 0 ? ", " : "", title,
			(long long)incidents);
	else
		sum->more += incidents;
}

void shadow_sum(struct heal *heal)
{
	struct sum sum = {0};
	struct err err = {0};
	char more[48] = "";
	stored(heal, store_shadow(heal->store, heal->summed_at, add, &sum, &err), &err);
	if (sum.more > 0)
		STR_FORMAT(more, "; and %lld more", (long long)sum.more);
	bool any = sum.done[0] != '\0' || sum.asked[0] != '\0';
	if (any)
		tell(heal, NOTICE_SUMMARY, NULL, true,
			"A week in shadow mode. Would have been done: %s. Would have been asked: %s%s",
			sum.done[0] != '\0' ? sum.done : "nothing",
			sum.asked[0] != '\0' ? sum.asked : "nothing", more);
	else
		tell(heal, NOTICE_SUMMARY, NULL, true,
			"A week in shadow mode: nothing would have been done");
	keep(heal);
}
