/* What an answer costs, and what may be spent. Prices change: the table is dated, and a
 * configuration may bring its own. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "client/claude_internal.h"

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)

const char claude_prices_date[] = "2026-11-20";

/* Cache writes cost 1.25 (5 minutes) and 2 times (1 hour) the input. The cache reads of the older
 * models are a tenth of it, as they were when they came out. */
const struct claude_price claude_prices[] = {
	{"claude-opus-5-5*", 0, 4, 20, 5, 8, 0.20},
	{"claude-sonnet-5-5*", 0, 2, 10, 2.5, 4, 0.10},
	{"claude-haiku-5-5*", 100000, 0.10, 0.50, 0.125, 0.20, 0.01},
	{"claude-haiku-5-5*", 0, 0.50, 2.50, 0.625, 1, 0.05},
	{"claude-fable-5-1*", 0, 10, 50, 12.5, 20, 1},
	{"claude-sonnet-5", 0, 2, 10, 2.5, 4, 0.20},
	{"claude-sonnet-5-20??????", 0, 2, 10, 2.5, 4, 0.20},
	{"claude-opus-5", 0, 5, 25, 6.25, 10, 0.50},
	{"claude-opus-5-20??????", 0, 5, 25, 6.25, 10, 0.50},
	{"claude-haiku-4-5*", 0, 1, 5, 1.25, 2, 0.10},
};
const size_t claude_price_count = sizeof(claude_prices) / sizeof(claude_prices[0]);

double claude_cost(const struct claude_price *prices, size_t count, const char *model,
	const struct claude_usage *usage)
{
	int64_t prompt = usage->in_tokens + usage->write_5m_tokens + usage->write_1h_tokens +
		usage->read_tokens;
	for (size_t i = 0; i < count; i++) {
		const struct claude_price *price = &prices[i];
		if (!str_match(price->pattern, model) ||
			(price->up_to_tokens > 0 && prompt > price->up_to_tokens))
			continue;
		double sum = (double)usage->in_tokens * price->in + (double)usage->out_tokens * price->out +
			(double)usage->write_5m_tokens * price->write_5m +
			(double)usage->write_1h_tokens * price->write_1h +
			(double)usage->read_tokens * price->read;
		return sum / 1e6;
	}
	return -1;
}

/* A new day, a new hour. */
static void turn_page(struct claude *claude)
{
	int64_t now = clock_wall_ms(claude->clock);
	struct claude_spent *spent = &claude->spent;
	if (spent->day != now / DAY_MS) {
		spent->day = now / DAY_MS;
		spent->usd = 0;
		spent->unpriced_calls = 0;
	}
	if (spent->hour != now / HOUR_MS) {
		spent->hour = now / HOUR_MS;
		spent->calls = 0;
	}
}

void claude_count(struct talk *talk, const struct claude_usage *usage)
{
	struct claude *claude = talk->claude;
	struct claude_answer *answer = talk->answer;
	const char *model = answer->model[0] != '\0' ? answer->model : talk->model;
	bool own = claude->config.prices != NULL;
	double usd = claude_cost(own ? claude->config.prices : claude_prices,
		own ? claude->config.price_count : claude_price_count, model, usage);
	answer->usage.in_tokens += usage->in_tokens;
	answer->usage.out_tokens += usage->out_tokens;
	answer->usage.write_5m_tokens += usage->write_5m_tokens;
	answer->usage.write_1h_tokens += usage->write_1h_tokens;
	answer->usage.read_tokens += usage->read_tokens;
	turn_page(claude);
	if (usd < 0) {
		answer->cost_known = false;
		claude->spent.unpriced_calls++;
		return;
	}
	answer->cost_usd += usd;
	claude->spent.usd += usd;
}

bool claude_may_ask(struct talk *talk, struct err *err)
{
	struct claude *claude = talk->claude;
	const struct claude_config *config = &claude->config;
	struct claude_spent *spent = &claude->spent;
	int64_t now = clock_wall_ms(claude->clock);
	turn_page(claude);
	if (spent->shut_until_ms > now) {
		char until[24];
		talk->answer->retry_at_ms = spent->shut_until_ms;
		str_utc(until, spent->shut_until_ms);
		return claude_fail(talk->answer, CLAUDE_SPENT, err,
			"%s: the account's spend limit is reached: not asked before %s", config->name, until);
	}
	if (config->usd_a_day > 0 && spent->usd >= config->usd_a_day) {
		talk->answer->retry_at_ms = (spent->day + 1) * DAY_MS;
		return claude_fail(talk->answer, CLAUDE_SPENT, err,
			"%s: $%.2f of $%.2f were spent today: not asked before midnight UTC", config->name,
			spent->usd, config->usd_a_day);
	}
	if (config->calls_an_hour > 0 && spent->calls >= config->calls_an_hour) {
		talk->answer->retry_at_ms = (spent->hour + 1) * HOUR_MS;
		return claude_fail(talk->answer, CLAUDE_LIMITED, err,
			"%s: %d calls this hour are all that the configuration allows", config->name,
			spent->calls);
	}
	spent->calls++;
	return true;
}

int64_t claude_next_month_ms(int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm day;
	gmtime_r(&seconds, &day);
	struct tm first = {.tm_year = day.tm_year, .tm_mon = day.tm_mon + 1, .tm_mday = 1};
	return (int64_t)timegm(&first) * 1000;
}

void claude_spent_get(const struct claude *claude, struct claude_spent *spent)
{
	*spent = claude->spent;
}

/* What a database says may be damaged: a sum that is no number would lift the limit. */
void claude_spent_set(struct claude *claude, const struct claude_spent *spent)
{
	claude->spent = *spent;
	if (!isfinite(claude->spent.usd) || claude->spent.usd < 0)
		claude->spent.usd = claude->config.usd_a_day;
}
