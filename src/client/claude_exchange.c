/* One exchange, repeated where that helps: which errors are whose, how long to wait, when to stop.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "base/redact.h"
#include "base/str.h"
#include "client/claude_internal.h"

static const struct {
	const char *name;
	enum err_kind kind;
} outcomes[] = {
	[CLAUDE_ANSWERED] = {"answered", ERR_NONE},
	[CLAUDE_DECLINED] = {"declined", ERR_INPUT},
	[CLAUDE_CUT] = {"cut", ERR_INPUT},
	[CLAUDE_CONTEXT_FULL] = {"context_full", ERR_INPUT},
	[CLAUDE_ROUNDS] = {"rounds", ERR_INPUT},
	[CLAUDE_GARBLED] = {"garbled", ERR_INPUT},
	[CLAUDE_OVERLOADED] = {"overloaded", ERR_RETRY},
	[CLAUDE_LIMITED] = {"limited", ERR_RETRY},
	[CLAUDE_SPENT] = {"spent", ERR_DENIED},
	[CLAUDE_MISCONFIGURED] = {"misconfigured", ERR_DENIED},
	[CLAUDE_INVALID] = {"invalid", ERR_INPUT},
	[CLAUDE_TOO_LARGE] = {"too_large", ERR_INPUT},
	[CLAUDE_TIMED_OUT] = {"timed_out", ERR_TIMEOUT},
	[CLAUDE_UNREACHABLE] = {"unreachable", ERR_RETRY},
	[CLAUDE_CANCELLED] = {"cancelled", ERR_CANCELLED},
};

const char *claude_outcome_name(enum claude_outcome outcome)
{
	return outcomes[outcome].name;
}

/* What a server says may repeat what it was sent: the key, or a log's secrets. */
bool claude_fail(struct claude_answer *answer, enum claude_outcome outcome, struct err *err,
	const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	redact(text, sizeof(text));
	answer->outcome = outcome;
	return err_set(err, outcomes[outcome].kind, "%s", text);
}

/* "Wed, 21 Oct 2026 07:28:00 GMT" (RFC 9110). Not strptime: it reads the names of the locale. */
int64_t claude_http_date(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4], zone[4];
	struct tm tm = {0};
	int year = 0;
	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]", &tm.tm_mday, month,
			&year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone) != 7)
		return -1;
	const char *at = strlen(month) == 3 ? strstr(months, month) : NULL;
	if (at == NULL || (at - months) % 3 != 0 || strcmp(zone, "GMT") != 0 || year < 1970)
		return -1;
	tm.tm_mon = (int)(at - months) / 3;
	tm.tm_year = year - 1900;
	return (int64_t)timegm(&tm) * 1000;
}

/* The server's own words; -1: none. */
static int64_t asked_wait_ms(const struct http_reply *reply, int64_t wall_ms)
{
	char text[64], *end;
	if (http_header(reply, "retry-after-ms", text, sizeof(text))) {
		double ms = strtod(text, &end);
		if (end != text && ms >= 0 && ms < 1e12)
			return (int64_t)ms;
	}
	if (!http_header(reply, "retry-after", text, sizeof(text)))
		return -1;
	double seconds = strtod(text, &end);
	if (end != text && seconds >= 0 && seconds < 1e9)
		return (int64_t)(seconds * 1000);
	int64_t date = claude_http_date(text);
	if (date < 0)
		return -1;
	return date > wall_ms ? date - wall_ms : 0;
}

int64_t claude_wait_ms(
	const struct http_reply *reply, int n, int64_t backoff_ms, double jitter, int64_t wall_ms)
{
	int64_t asked = asked_wait_ms(reply, wall_ms);
	if (asked >= 0)
		return asked;
	int64_t wait = backoff_ms << (n < 4 ? n : 4);
	return wait - (int64_t)((double)wait * 0.25 * jitter);
}

static double jitter_now(void)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		return 0.5;
	return (double)random / (double)UINT32_MAX;
}

/* An error's own words: {"error":{"type","message","details"}}, {"error":"…"}, or a page of HTML.
 */
struct fault {
	int status;
	char type[64], code[64], message[240];
};

static void read_fault(const struct http_reply *reply, struct fault *fault)
{
	auto_arena arena = arena_new((size_t)16 << 20);
	struct json root = {0}, error;
	*fault = (struct fault){.status = reply->status};
	if (!json_parse(arena, reply->body, reply->body_bytes, &root, NULL)) {
		STR_FORMAT(fault->message, "HTTP %d %s, no JSON but %s", reply->status, reply->reason,
			reply->content_type[0] != '\0' ? reply->content_type : "bytes without a type");
		return;
	}
	error = json_get(root, "error");
	json_copy(json_get(error, "type"), fault->type, sizeof(fault->type));
	json_copy(json_path(error, "details.error_code"), fault->code, sizeof(fault->code));
	if (json_kind(error) == JSON_STRING)
		json_copy(error, fault->message, sizeof(fault->message));
	else if (!json_copy(json_get(error, "message"), fault->message, sizeof(fault->message)))
		STR_FORMAT(fault->message, "HTTP %d %s", reply->status, reply->reason);
	for (char *c = fault->message; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
}

static bool is_spent(const struct http_reply *reply, const struct fault *fault)
{
	char after[16];
	if (strstr(fault->message, "reached your specified API usage limits") != NULL)
		return true;
	return fault->status == 429 && !http_header(reply, "retry-after", after, sizeof(after)) &&
		(strcmp(fault->code, "enforced_spend_limit_reached") == 0 ||
			strcmp(fault->code, "contract_spend_limit_reached") == 0);
}

static enum claude_outcome outcome_of(const struct http_reply *reply, const struct fault *fault)
{
	if (is_spent(reply, fault))
		return CLAUDE_SPENT;
	switch (fault->status) {
	case 401:
	case 402:
	case 403:
	case 404:
		return CLAUDE_MISCONFIGURED;
	case 413:
		return CLAUDE_TOO_LARGE;
	case 408:
	case 504:
		return CLAUDE_TIMED_OUT;
	case 409:
	case 429:
		return CLAUDE_LIMITED;
	case 503:
	case 529:
		return CLAUDE_OVERLOADED;
	default:
		break;
	}
	if (fault->status >= 500)
		return strcmp(fault->type, "overloaded_error") == 0 ? CLAUDE_OVERLOADED
															: CLAUDE_UNREACHABLE;
	if (fault->status >= 300 && fault->status < 400)
		return CLAUDE_MISCONFIGURED;
	if (strstr(fault->message, "prompt is too long") != NULL)
		return CLAUDE_TOO_LARGE;
	if (strstr(fault->message, "credit balance is too low") != NULL)
		return CLAUDE_MISCONFIGURED;
	return fault->status == 400 || fault->status == 422 ? CLAUDE_INVALID : CLAUDE_GARBLED;
}

static bool is_worth_retrying(
	const struct http_reply *reply, const struct fault *fault, enum claude_outcome outcome)
{
	char wish[16];
	if (outcome == CLAUDE_SPENT)
		return false;
	if (http_header(reply, "x-should-retry", wish, sizeof(wish)) && wish[0] != '\0')
		return strcasecmp(wish, "true") == 0;
	return fault->status == 408 || fault->status == 409 || fault->status == 429 ||
		fault->status >= 500;
}

/* A person has to mend it: nobody is asked again for a while, and it is news only once. */
static void shut(struct talk *talk, int status)
{
	struct claude *claude = talk->claude;
	talk->answer->is_news = true;
	claude->shut_mono_ms = clock_mono_ms(claude->clock) + claude->config.breaker_ms;
	STR_SET(claude->shut_model, status == 404 ? talk->model : "");
}

static bool refuse(struct talk *talk, const struct http_reply *reply, const struct fault *fault,
	int64_t wait_ms, struct err *err)
{
	struct claude *claude = talk->claude;
	struct claude_answer *answer = talk->answer;
	enum claude_outcome outcome = outcome_of(reply, fault);
	int64_t now = clock_wall_ms(claude->clock);
	if (outcome == CLAUDE_SPENT) {
		claude->spent.shut_until_ms = answer->retry_at_ms = claude_next_month_ms(now);
		answer->is_news = true;
	} else if (wait_ms >= 0) {
		answer->retry_at_ms = now + wait_ms;
	}
	claude_fail(answer, outcome, err, "%s: %s: %d %s: %s%s%s%s", claude->config.name, talk->model,
		fault->status, fault->type[0] != '\0' ? fault->type : reply->reason, fault->message,
		answer->request_id[0] != '\0' ? " (request " : "", answer->request_id,
		answer->request_id[0] != '\0' ? ")" : "");
	if (outcome == CLAUDE_MISCONFIGURED) {
		shut(talk, fault->status);
		STR_SET(claude->shut_text, err != NULL ? err->text : fault->message);
	}
	return false;
}

static enum claude_outcome outcome_of_wire(enum err_kind kind)
{
	switch (kind) {
	case ERR_TIMEOUT:
		return CLAUDE_TIMED_OUT;
	case ERR_CANCELLED:
		return CLAUDE_CANCELLED;
	case ERR_DENIED:
		return CLAUDE_MISCONFIGURED;
	case ERR_INPUT:
		return CLAUDE_GARBLED;
	case ERR_NONE:
	case ERR_RETRY:
	case ERR_GONE:
	case ERR_SYSTEM:
	default:
		return CLAUDE_UNREACHABLE;
	}
}

static const char *path_of(const struct claude_config *config)
{
	bool has_version = str_ends(config->api_url, "/v1");
	if (config->dialect == CLAUDE_OPENAI)
		return has_version ? "/chat/completions" : "/v1/chat/completions";
	return has_version ? "/messages" : "/v1/messages";
}

/* One try. *again: it may be repeated after *wait_ms. */
static bool try_once(struct talk *talk, struct http_request *request, struct http_reply *reply,
	int n, int64_t *wait_ms, struct err *err)
{
	struct claude *claude = talk->claude;
	struct claude_answer *answer = talk->answer;
	struct err why = {0};
	struct fault fault;
	double jitter = jitter_now();
	int64_t wall_ms = clock_wall_ms(claude->clock), backoff_ms = claude->config.backoff_ms;
	*wait_ms = -1;
	answer->exchanges++;
	*reply = (struct http_reply){.retry_after_s = -1};
	answer->request_id[0] = '\0';
	if (!http_perform(claude->http, request, talk->arena, reply, &why)) {
		struct http_reply none = {.retry_after_s = -1};
		/* what timed out was perhaps answered, and billed: not again */
		if (why.kind == ERR_RETRY)
			*wait_ms = claude_wait_ms(&none, n, backoff_ms, jitter, wall_ms);
		return claude_fail(answer, outcome_of_wire(why.kind), err, "%s", why.text);
	}
	if (!http_header(reply, "request-id", answer->request_id, sizeof(answer->request_id)))
		http_header(reply, "x-request-id", answer->request_id, sizeof(answer->request_id));
	if (reply->status == 200)
		return true;
	read_fault(reply, &fault);
	if (is_worth_retrying(reply, &fault, outcome_of(reply, &fault)))
		*wait_ms = claude_wait_ms(reply, n, backoff_ms, jitter, wall_ms);
	return refuse(talk, reply, &fault, *wait_ms, err);
}

bool claude_exchange(
	struct talk *talk, const struct str *body, struct http_reply *reply, struct err *err)
{
	struct claude *claude = talk->claude;
	const struct claude_config *config = &claude->config;
	for (int n = 0;; n++) {
		int64_t wait_ms = -1, left_ms = talk->deadline_mono_ms - clock_mono_ms(claude->clock);
		struct err why = {0};
		if (left_ms <= 0)
			return claude_fail(talk->answer, CLAUDE_TIMED_OUT, err,
				"%s: no answer in %lld s in all", config->name,
				(long long)config->deadline_ms / 1000);
		if (!claude_may_ask(talk, err))
			return false;
		struct http_request request = {.method = "POST",
			.path = path_of(config),
			.headers = claude->headers,
			.body = body->s,
			.body_bytes = body->len,
			.timeout_ms = left_ms < config->timeout_ms ? left_ms : config->timeout_ms,
			.limit_bytes = CLAUDE_ANSWER_BYTES,
			.wants_headers = true};
		if (try_once(talk, &request, reply, n, &wait_ms, &why))
			return true;
		left_ms = talk->deadline_mono_ms - clock_mono_ms(claude->clock);
		if (wait_ms < 0 || n >= config->retries || wait_ms >= left_ms)
			return err_set(err, why.kind, "%s", why.text);
		if (!clock_wait(claude->clock, wait_ms, claude->stop_fd))
			return claude_fail(talk->answer, CLAUDE_CANCELLED, err,
				"%s: cancelled, since homeostat stops", config->name);
	}
}
