#include "decide/decide.h"

struct budget budget_judge(
	const struct attempts *attempts, const struct config_brakes *brakes, int64_t now_ms)
{
	struct budget budget = {0};
	int in_a_row = 0;
	int64_t last = 0;
	for (int i = 0; i < attempts->count; i++) {
		int64_t at = attempts->began_at[i];
		if (at > now_ms - brakes->budget_ms)
			budget.used++;
		in_a_row = last > 0 && at - last > brakes->backoff_reset_ms ? 1 : in_a_row + 1;
		last = at;
	}
	budget.spent = budget.used >= brakes->budget;
	if (in_a_row == 0 || now_ms - last > brakes->backoff_reset_ms)
		return budget;
	int64_t wait = brakes->backoff_min_ms;
	for (int i = 1; i < in_a_row && wait < brakes->backoff_max_ms; i++)
		wait *= 2;
	if (wait > brakes->backoff_max_ms)
		wait = brakes->backoff_max_ms;
	budget.not_before = last + wait > now_ms ? last + wait : 0;
	return budget;
}
