/*
 * Delivery: one attempt, and what its outcome means. What the other side cannot take now waits, at
 * most five minutes between two attempts; what it will never take is lost, and said to be.
 */
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/redact.h"
#include "base/secret.h"
#include "base/smtp.h"
#include "report/notify/channel.h"

#define CALL_MS 10000
#define REPLY_BYTES ((size_t)64 << 10)
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 300000
#define AS_TOLD_MAX_MS 3600000
/* Between two messages: what happens meanwhile is told together. */
#define PACE_MS 1000

static bool has_scheme(const struct channel *channel)
{
	const char *url = channel->url;
	return channel->kind->is_mail ? str_starts(url, "smtp://") || str_starts(url, "smtps://")
								  : str_starts(url, "https://") || str_starts(url, "http://");
}

/* A secret's value is checked here: nobody has seen it before. */
static bool take_url(struct channel *channel, struct err *err)
{
	if (!has_scheme(channel))
		return err_set(err, ERR_INPUT,
			"%s: url: the secret is no address of its kind: it must begin "
			"with %s",
			channel->settings->channel, channel->kind->is_mail ? "smtps://" : "https://");
	const char *host = strstr(channel->url, "://") + 3;
	size_t length = (size_t)(host + strcspn(host, "/") - channel->url);
	if (length >= sizeof(channel->base) || memchr(host, '@', strcspn(host, "/")) != NULL ||
		strpbrk(channel->url, " \r\n") != NULL)
		return err_set(err, ERR_INPUT,
			"%s: url: the address is not as it should be: scheme, host "
			"and path, without user",
			channel->settings->channel);
	STR_FORMAT(channel->base, "%.*s", (int)length, channel->url);
	channel->path = channel->url + length;
	if (channel->settings->type == NOTIFY_NTFY && channel->path[0] != '\0' &&
		channel->path[1] != '\0')
		return true;
	return channel->settings->type != NOTIFY_NTFY ||
		err_set(err, ERR_INPUT, "%s: url: lacks the topic: https://ntfy.sh/TOPIC",
			channel->settings->channel);
}

static bool resolve(struct channel *channel, const char *state, struct err *err)
{
	const struct config_notify *settings = channel->settings;
	channel->url = secret_resolve(state, settings->url, err);
	if (channel->url == NULL)
		return err_prefix(err, "%s: url", settings->channel);
	if (settings->token == NULL)
		return true;
	channel->token = secret_resolve(state, settings->token, err);
	return channel->token != NULL || err_prefix(err, "%s: token", settings->channel);
}

bool channel_open(struct channel *channel, const struct config *config,
	const struct config_notify *settings, struct err *err)
{
	channel->settings = settings;
	channel->kind = channel_kinds[settings->type];
	channel->urgent.kind = NOTICE_KINDS;
	channel->status.reached = true; /* until the contrary is seen */
	channel->status.changed_at = clock_wall_ms(channel->clock);
	STR_SET(channel->status.name, settings->channel);
	if (!resolve(channel, config->state, err) || !take_url(channel, err))
		return false;
	if (!channel->kind->is_mail)
		channel->http = http_open(&(struct http_config){.base_url = channel->base,
			.ca_file = settings->ca_file,
			.stop_fd = channel->stop_fd,
			.name = settings->channel});
	return true;
}

void channel_close(struct channel *channel)
{
	http_close(channel->http);
	channel->http = NULL;
}

const char *channel_bearer(const struct channel *channel, struct arena *arena)
{
	return channel->token != NULL ? arena_printf(arena, "Authorization: Bearer %s", channel->token)
								  : NULL;
}

void outgoing_json(struct outgoing *out, const struct str *body)
{
	out->body = body->s;
	out->body_bytes = body->len;
}

static const char *hint(int status)
{
	switch (status) {
	case 401:
	case 403:
		return ": is the token right, and may it write there?";
	case 404:
	case 410:
		return ": is the address right?";
	default:
		return status >= 300 && status < 400 ? ": it is not followed: write the new address" : "";
	}
}

/* Discord says it in seconds with a fraction, Matrix in milliseconds, others in a header. */
static int64_t asked_to_wait_ms(const struct http_reply *reply, struct arena *arena)
{
	struct json root;
	struct err err = {0};
	if (reply->retry_after_s >= 0)
		return reply->retry_after_s * 1000;
	if (!json_parse(arena, reply->body, reply->body_bytes, &root, &err) ||
		json_kind(root) != JSON_OBJECT)
		return -1;
	double seconds = json_num(json_get(root, "retry_after"), -1);
	int64_t ms = json_int(json_get(root, "retry_after_ms"), -1);
	return seconds >= 0 && seconds < 1e6 ? (int64_t)(seconds * 1000) + 1 : ms;
}

/* What a message can be refused for whatever is tried again. */
static bool is_for_good(int status)
{
	return status == 400 || status == 413 || status == 422;
}

static bool judge(const struct http_reply *reply, struct err *err)
{
	if (reply->status >= 200 && reply->status < 300)
		return true;
	return err_set(err, is_for_good(reply->status) ? ERR_INPUT : ERR_RETRY, "answered %d%s%.60s%s",
		reply->status, reply->reason[0] != '\0' ? " " : "", reply->reason, hint(reply->status));
}

static bool post(struct channel *channel, const struct outgoing *out, struct arena *arena,
	int64_t *wait_ms, struct err *err)
{
	struct http_request request = {.method = out->method,
		.path = out->path,
		.shown = "/…",
		.body = out->body,
		.body_bytes = out->body_bytes,
		.headers = out->headers,
		.timeout_ms = CALL_MS,
		.limit_bytes = REPLY_BYTES};
	struct http_reply reply;
	if (!http_perform(channel->http, &request, arena, &reply, err))
		return false;
	if (judge(&reply, err))
		return true;
	*wait_ms = asked_to_wait_ms(&reply, arena);
	return err_prefix(err, "%s", channel->settings->channel);
}

static bool is_this_machine(const char *url)
{
	const char *host = strstr(url, "://") + 3;
	return str_starts(host, "127.") || str_starts(host, "localhost:") || str_starts(host, "[::1]");
}

static bool mail(struct channel *channel, const struct outgoing *out, struct err *err)
{
	const struct config_notify *settings = channel->settings;
	struct smtp_server server = {.url = channel->url,
		.user = settings->user,
		.password = channel->token,
		.ca_file = settings->ca_file,
		.may_be_plain = is_this_machine(channel->url),
		.stop_fd = channel->stop_fd,
		.name = settings->channel};
	struct smtp_letter letter = {
		.from = settings->from, .to = settings->to, .text = out->body, .length = out->body_bytes};
	return smtp_send(&server, &letter, err);
}

/* Asked to wait: so long; else twice as long as the last time. */
static void back_off(struct channel *channel, int64_t asked_ms)
{
	int64_t wait = BACKOFF_MIN_MS;
	for (int i = 0; i < channel->failures && wait < BACKOFF_MAX_MS; i++)
		wait *= 2;
	if (wait > BACKOFF_MAX_MS)
		wait = BACKOFF_MAX_MS;
	if (asked_ms > wait)
		wait = asked_ms < AS_TOLD_MAX_MS ? asked_ms : AS_TOLD_MAX_MS;
	channel->failures++;
	channel->wait_until = clock_mono_ms(channel->clock) + wait;
}

static void reached(struct channel *channel, bool is)
{
	struct channel_status *status = &channel->status;
	if (status->reached != is)
		status->changed_at = clock_wall_ms(channel->clock);
	status->reached = is;
}

static enum delivery failed(struct channel *channel, int64_t asked_ms, const struct err *err)
{
	if (err->kind == ERR_INPUT) {
		channel->status.lost++;
		log_error("a message is lost: %s", err->text);
		return LOST;
	}
	if (err->kind == ERR_CANCELLED)
		return DELAYED;
	channel->status.delayed++;
	STR_SET(channel->status.text, err->text);
	redact(channel->status.text, sizeof(channel->status.text));
	reached(channel, false);
	if (channel->failures == 0)
		log_warn("%s: tried again until it is delivered", err->text);
	back_off(channel, asked_ms);
	return DELAYED;
}

static bool attempt(struct channel *channel, const struct told *told, struct arena *arena,
	int64_t *wait_ms, struct err *err)
{
	struct outgoing out = {.method = "POST"};
	channel->kind->compose(channel, told, &out, arena);
	return channel->kind->is_mail ? mail(channel, &out, err)
								  : post(channel, &out, arena, wait_ms, err);
}

bool channel_try(
	struct channel *channel, const struct told *told, struct arena *arena, struct err *err)
{
	int64_t wait_ms;
	return attempt(channel, told, arena, &wait_ms, err);
}

/* Whatever it answers, it is there, and its certificate is good. */
bool channel_reach(struct channel *channel, struct err *err)
{
	auto_arena arena = arena_new((size_t)1 << 20);
	struct http_request request = {
		.method = "GET", .path = "/", .timeout_ms = CALL_MS, .limit_bytes = (size_t)512 << 10};
	struct http_reply reply;
	return channel->kind->is_mail || http_perform(channel->http, &request, arena, &reply, err);
}

enum delivery channel_send(
	struct channel *channel, const struct told *told, struct arena *arena, struct err *err)
{
	int64_t asked_ms = -1;
	if (!attempt(channel, told, arena, &asked_ms, err))
		return failed(channel, asked_ms, err);
	if (channel->failures > 0)
		log_info("%s: reached again", channel->settings->channel);
	channel->failures = 0;
	channel->status.text[0] = '\0';
	reached(channel, true);
	channel->status.delivered++;
	channel->wait_until = clock_mono_ms(channel->clock) + PACE_MS;
	return DELIVERED;
}
