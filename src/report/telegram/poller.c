/*
 * getUpdates. An update is confirmed by the offset of the next poll, which is asked only when
 * everything before it is durably handled.
 */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "report/telegram/live.h"

#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 60000
#define HOPELESS_MS 60000
/* Another poll is likely our own, of before a restart, for as long as it may have been held. */
#define RIVAL_MS 30000
#define RIVAL_RETRY_MS 30000

static int64_t backoff(const struct poller *poller, int64_t now)
{
	int64_t ms = BACKOFF_MIN_MS;
	for (int i = 1; i < poller->failures && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	/* Jitter: who lost Telegram together need not come back together. */
	return (ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS) + now % 500;
}

static bool tell(struct poller *poller, bool loud, const char *text)
{
	struct polled polled = {.ok = text == NULL, .loud = loud};
	STR_SET(polled.text, text);
	if (polled.ok == poller->told.ok && polled.loud == poller->told.loud &&
		(polled.ok || str_equal(polled.text, poller->told.text)))
		return false;
	poller->told = polled;
	if (polled.ok)
		log_info("telegram: updates are heard again");
	else
		log_at(loud ? LOG_ERROR : LOG_WARN, "%s", text);
	return true;
}

/* A webhook takes all updates. Once, as this bot may have had one: after that somebody sets it
 * anew. */
static bool end_webhook(struct poller *poller, int64_t now, const char *text)
{
	struct telegram_result result;
	struct err err = {0};
	poller->next_at = now + BACKOFF_MIN_MS;
	if (!poller->webhook_ended) {
		poller->webhook_ended = telegram_delete_webhook(poller->telegram, &result, &err);
		if (poller->webhook_ended)
			log_warn("telegram: a webhook took this bot's updates: it was ended, as polling needs");
		return false;
	}
	poller->next_at = now + HOPELESS_MS;
	return tell(poller, true, text);
}

static bool met_rival(struct poller *poller, int64_t now, const char *text)
{
	if (poller->rival_at == 0)
		poller->rival_at = now;
	bool is_lasting = now - poller->rival_at >= RIVAL_MS;
	poller->next_at = now + (is_lasting ? RIVAL_RETRY_MS : backoff(poller, now));
	return is_lasting ? tell(poller, true, text) : false;
}

static bool failed(
	struct poller *poller, const struct telegram_result *result, const struct err *err)
{
	int64_t now = clock_mono_ms(poller->clock);
	poller->failures++;
	poller->next_at = now + backoff(poller, now);
	switch ((int)result->outcome) {
	case TELEGRAM_RATE_LIMITED:
		poller->next_at = now + result->retry_after_s * 1000;
		return false;
	case TELEGRAM_WEBHOOK:
		return end_webhook(poller, now, err->text);
	case TELEGRAM_OTHER_POLLER:
		return met_rival(poller, now, err->text);
	case TELEGRAM_UNAUTHORIZED:
		poller->next_at = now + HOPELESS_MS;
		return tell(poller, true, err->text);
	case TELEGRAM_CANCELLED:
		return false;
	default:
		return poller->failures > 2 ? tell(poller, false, err->text) : false;
	}
}

bool poller_step(struct poller *poller, int timeout_s, struct arena *arena,
	struct telegram_batch *batch, bool *news)
{
	struct telegram_result result;
	struct err err = {0};
	const struct telegram_poll poll = {.offset = poller->offset, .timeout_s = timeout_s};
	*batch = (struct telegram_batch){0};
	*news = false;
	if (clock_mono_ms(poller->clock) < poller->next_at)
		return false;
	if (!telegram_poll(poller->telegram, &poll, arena, batch, &result, &err)) {
		*news = failed(poller, &result, &err);
		return false;
	}
	poller->failures = 0;
	poller->rival_at = 0;
	poller->next_at = 0;
	*news = tell(poller, false, NULL);
	return batch->count > 0;
}
