#include "client/proxmox.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_tls.h"
#include "base/secret.h"
#include "base/str.h"
#include "client/proxmox_internal.h"

/* A login that is refused takes the server 3 s to say so. */
#define TIMEOUT_MIN_MS 5000
/* With less than this left, asking another node makes no sense. */
#define LEFT_MIN_MS 500
/* A change is not repeated elsewhere; so the address must have answered not longer ago. */
#define FRESH_MS 10000

static bool is_loopback(const char *host)
{
	return str_starts(host, "127.") || str_starts(host, "localhost") || str_starts(host, "[::1]");
}

static bool check_url(struct proxmox *proxmox, const char *url, struct err *err)
{
	bool is_plain = url != NULL && str_starts(url, "http://");
	if (!is_plain && (url == NULL || !str_starts(url, "https://")))
		return err_set(err, ERR_INPUT, "url: \"%s\" is not https://HOST:8006", url ? url : "");
	if (is_plain && !is_loopback(url + strlen("http://")))
		return err_set(
			err, ERR_INPUT, "url: %s: write https://: the token would be sent in clear", url);
	struct proxmox_address_of *first = &proxmox->addresses[0];
	if (!STR_SET(first->url, url))
		return err_set(err, ERR_INPUT, "url: too long");
	for (size_t end = strlen(first->url); end > 8 && first->url[end - 1] == '/'; end--)
		first->url[end - 1] = '\0';
	return true;
}

static bool check_fingerprint(struct proxmox *proxmox, const char *fingerprint, struct err *err)
{
	struct http_tls tls = {0};
	if (fingerprint == NULL)
		return true;
	if (!http_tls_pin(&tls, fingerprint, err))
		return false;
	http_tls_text(tls.pin, proxmox->addresses[0].fingerprint);
	return true;
}

static bool is_header_text(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

/* The value of "secret:NAME", "env:NAME" or the value itself, from now on unknown to any log. */
static bool resolve(struct proxmox *proxmox, const char *key, const char **value, struct err *err)
{
	if (*value == NULL)
		return true;
	const char *found = secret_resolve(proxmox->config.state, *value, err);
	if (found == NULL)
		return err_prefix(err, "%s", key);
	*value = found;
	return true;
}

static bool check_login(struct proxmox *proxmox, struct err *err)
{
	struct config_proxmox *config = &proxmox->config;
	if (!resolve(proxmox, "token_secret", &config->token_secret, err) ||
		!resolve(proxmox, "password", &config->password, err))
		return false;
	if (config->token_id == NULL) {
		if (config->user != NULL && config->password != NULL && strchr(config->user, '@') != NULL)
			return true;
		return err_set(err, ERR_INPUT,
			"give token_id: USER@REALM!NAME and token_secret:, or user: USER@REALM and password:");
	}
	const char *at = strchr(config->token_id, '@');
	if (at == NULL || strchr(at, '!') == NULL || !is_header_text(config->token_id))
		return err_set(err, ERR_INPUT,
			"token_id: \"%s\" is not USER@REALM!NAME, as "
			"homeostat@pve!agent",
			config->token_id);
	if (config->token_secret == NULL || !is_header_text(config->token_secret) ||
		config->token_secret[0] == '\0')
		return err_set(err, ERR_INPUT,
			"token_secret: is missing, or not what pveum printed when "
			"the token was made");
	proxmox->token = arena_printf(
		proxmox->arena, "Authorization: PVEAPIToken=%s=%s", config->token_id, config->token_secret);
	return true;
}

static void copy_config(struct proxmox *proxmox, const struct config_proxmox *config)
{
	struct arena *arena = proxmox->arena;
	struct config_proxmox *own = &proxmox->config;
	*own = (struct config_proxmox){.name = arena_strdup(arena, config->name),
		.url = arena_strdup(arena, config->url),
		.token_id = arena_strdup(arena, config->token_id),
		.token_secret = arena_strdup(arena, config->token_secret),
		.user = arena_strdup(arena, config->user),
		.password = arena_strdup(arena, config->password),
		.state = arena_strdup(arena, config->state),
		.ca_file = arena_strdup(arena, config->ca_file)};
}

struct proxmox *proxmox_open(
	const struct config_proxmox *config, const struct clock *clock, int stop_fd, struct err *err)
{
	struct proxmox *proxmox = calloc(1, sizeof(*proxmox));
	if (proxmox == NULL)
		abort();
	proxmox->arena = arena_new((size_t)256 * 1024);
	proxmox->clock = clock;
	proxmox->stop_fd = stop_fd;
	proxmox->address_count = 1;
	copy_config(proxmox, config);
	STR_FORMAT(proxmox->name, "proxmox %s", config->name != NULL ? config->name : "");
	if (check_url(proxmox, proxmox->config.url, err) &&
		check_fingerprint(proxmox, config->fingerprint, err) && check_login(proxmox, err)) {
		proxmox_known_read(proxmox);
		return proxmox;
	}
	err_prefix(err, "%s", proxmox->name);
	proxmox_close(proxmox);
	return NULL;
}

void proxmox_close(struct proxmox *proxmox)
{
	if (proxmox == NULL)
		return;
	http_close(proxmox->http);
	arena_free(proxmox->arena);
	explicit_bzero(proxmox->ticket, sizeof(proxmox->ticket));
	free(proxmox);
}

const char *proxmox_address(const struct proxmox *proxmox)
{
	return proxmox->addresses[proxmox->current].url;
}

int proxmox_address_count(const struct proxmox *proxmox)
{
	return proxmox->address_count;
}

const char *proxmox_moved(const struct proxmox *proxmox)
{
	return proxmox->current != 0 ? proxmox->moved : "";
}

bool proxmox_unsent(const struct proxmox *proxmox)
{
	return proxmox->unsent;
}

bool proxmox_refused_print(const struct proxmox *proxmox, char print[100])
{
	return proxmox->http != NULL && http_refused_print(proxmox->http, print, 100);
}

static void open_http(struct proxmox *proxmox)
{
	const struct proxmox_address_of *address = &proxmox->addresses[proxmox->current];
	const struct http_config config = {.base_url = address->url,
		.ca_file = proxmox->config.ca_file,
		.fingerprint = address->fingerprint[0] != '\0' ? address->fingerprint : NULL,
		.stop_fd = proxmox->stop_fd,
		.name = proxmox->name};
	proxmox->http = http_open(&config);
}

static void go_on(struct proxmox *proxmox)
{
	http_close(proxmox->http);
	proxmox->http = NULL;
	proxmox->answered_at = 0;
	proxmox->current = (proxmox->current + 1) % proxmox->address_count;
}

/* pmxcfs is down on the node that was asked: it can say nothing, another can. */
static bool is_blind(const struct http_reply *reply)
{
	return reply->status == 500 && str_starts(reply->reason, "RPCEnvironment init request failed");
}

/* Whether another address may answer what this one did not. A certificate that changed is for a
 * person to look at, unless it is one that we only learnt. */
static bool is_worth_moving(const struct proxmox *proxmox, const struct err *why)
{
	return why->kind == ERR_RETRY || why->kind == ERR_TIMEOUT ||
		(why->kind == ERR_DENIED && proxmox->current != 0);
}

/* The first address's words, and which others were asked in vain. */
static bool give_up(
	const struct proxmox *proxmox, const struct err *first, int tried, struct err *err)
{
	char text[sizeof(first->text)];
	STR_SET(text, first->text);
	for (int i = 1; i < tried; i++) {
		/* the current one is again that of the first attempt, or the next after the last */
		int at = (proxmox->current + proxmox->address_count - tried + i) % proxmox->address_count;
		size_t length = strlen(text);
		str_format(text + length, sizeof(text) - length, "%s %s", i == 1 ? "; nor did" : ",",
			proxmox->addresses[at].url);
	}
	return err_set(err, first->kind, "%s%s", text, tried > 1 ? " answer" : "");
}

bool proxmox_exchange(struct proxmox *proxmox, struct http_request *request, struct arena *arena,
	struct http_reply *reply, struct err *err)
{
	bool reads = str_equal(request->method, "GET");
	int64_t end = clock_mono_ms(proxmox->clock) + request->timeout_ms;
	struct err first = {0};
	for (int tried = 1;; tried++) {
		struct err why = {0};
		if (proxmox->http == NULL)
			open_http(proxmox);
		bool ok = http_perform(proxmox->http, request, arena, reply, &why);
		if (ok)
			proxmox->answered_at = clock_mono_ms(proxmox->clock);
		if (ok && (!is_blind(reply) || tried >= proxmox->address_count || !reads))
			return true;
		if (ok)
			err_set(&why, ERR_RETRY, "%s: %s", proxmox->name, reply->reason);
		if (first.kind == ERR_NONE)
			first = why;
		if (!is_worth_moving(proxmox, &why))
			return give_up(proxmox, &first, 1, err);
		if (proxmox->current == 0)
			STR_SET(proxmox->moved, why.text);
		go_on(proxmox);
		request->timeout_ms = end - clock_mono_ms(proxmox->clock);
		if (!reads || tried >= proxmox->address_count || request->timeout_ms < LEFT_MIN_MS)
			return give_up(proxmox, &first, tried, err);
	}
}

bool proxmox_data(
	const char *text, size_t length, struct arena *arena, struct json *data, struct err *err)
{
	struct json body;
	if (!json_parse(arena, text, length, &body, err))
		return err_prefix(err, "is this the API of a Proxmox VE (port 8006)?");
	*data = json_get(body, "data");
	if (json_is(*data))
		return true;
	return err_set(err, ERR_INPUT, "the answer has no \"data\": is this the API of a Proxmox VE?");
}

/* Makes sure of an address that answers, before something is sent that is sent once only. */
static bool freshen(struct proxmox *proxmox, struct arena *arena, struct err *err)
{
	int64_t now = clock_mono_ms(proxmox->clock);
	if (proxmox->address_count < 2 ||
		(proxmox->answered_at > 0 && now - proxmox->answered_at < FRESH_MS))
		return true;
	struct json ignored;
	return proxmox_get(proxmox, "/version", PROXMOX_TIMEOUT_MS, arena, &ignored, err);
}

static bool prepare(struct proxmox *proxmox, const struct proxmox_question *question,
	struct http_request *request, struct arena *arena, struct err *err)
{
	bool has_body = str_equal(question->method, "POST") || str_equal(question->method, "PUT");
	char *form = proxmox_form(question->params, arena);
	if (form == NULL)
		return err_set(err, ERR_INPUT, "%s: %s %.120s: too much to send", proxmox->name,
			question->method, question->path);
	int64_t timeout = question->timeout_ms > 0 ? question->timeout_ms : PROXMOX_TIMEOUT_MS;
	const char *mark = has_body || form[0] == '\0' ? "" : "?";
	*request = (struct http_request){.method = question->method,
		.path = arena_printf(
			arena, "/api2/json%s%s%s", question->path, mark, mark[0] != '\0' ? form : ""),
		.body = has_body ? form : NULL,
		.body_bytes = has_body ? strlen(form) : 0,
		.timeout_ms = timeout < TIMEOUT_MIN_MS ? TIMEOUT_MIN_MS : timeout,
		.limit_bytes = PROXMOX_ANSWER_BYTES};
	return true;
}

bool proxmox_ask(struct proxmox *proxmox, const struct proxmox_question *question,
	struct arena *arena, struct json *data, struct err *err)
{
	bool changes = !str_equal(question->method, "GET");
	const char *headers[PROXMOX_HEADERS_MAX];
	struct http_request request;
	struct http_reply reply;
	bool is_fresh = !changes || freshen(proxmox, arena, err);
	proxmox->unsent = true;
	if (!is_fresh)
		return false;
	do {
		if (!proxmox_login(proxmox, changes, arena, headers, err) ||
			!prepare(proxmox, question, &request, arena, err))
			return false;
		request.headers = headers;
		bool answered = proxmox_exchange(proxmox, &request, arena, &reply, err);
		proxmox->unsent = !answered && reply.unsent;
		if (!answered)
			return false;
		/* a refused ticket was not acted upon; the new one is refused only once */
	} while (reply.status == 401 && clock_mono_ms(proxmox->clock) > proxmox->ticket_at + 5000 &&
		proxmox_login_again(proxmox));
	if (reply.status < 200 || reply.status > 299)
		return proxmox_refused(proxmox, question, &reply, arena, err);
	if (proxmox_data(reply.body, reply.body_bytes, arena, data, err))
		return true;
	return err_prefix(err, "%s: %s %.120s", proxmox->name, question->method, question->path);
}

bool proxmox_get(struct proxmox *proxmox, const char *path, int64_t timeout_ms, struct arena *arena,
	struct json *data, struct err *err)
{
	const struct proxmox_question question = {
		.method = "GET", .path = path, .timeout_ms = timeout_ms};
	return proxmox_ask(proxmox, &question, arena, data, err);
}

bool proxmox_begin(struct proxmox *proxmox, const struct proxmox_question *question,
	char upid[PROXMOX_UPID_BYTES], struct err *err)
{
	auto_arena arena = arena_new((size_t)4 * 1024 * 1024);
	struct json data = {0};
	struct proxmox_upid parsed;
	if (!proxmox_ask(proxmox, question, arena, &data, err))
		return false;
	json_copy(data, upid, PROXMOX_UPID_BYTES);
	if (proxmox_upid_parse(upid, &parsed, err))
		return true;
	return err_prefix(err, "%s: %s %.120s", proxmox->name, question->method, question->path);
}

bool proxmox_version(struct proxmox *proxmox, struct proxmox_version *version, struct err *err)
{
	auto_arena arena = arena_new((size_t)1024 * 1024);
	struct json data = {0};
	if (!proxmox_get(proxmox, "/version", PROXMOX_TIMEOUT_MS, arena, &data, err))
		return false;
	*version = (struct proxmox_version){0};
	json_copy(json_get(data, "version"), version->version, sizeof(version->version));
	json_copy(json_get(data, "release"), version->release, sizeof(version->release));
	version->major = (int)strtol(version->version, NULL, 10);
	if (version->major > 0)
		return true;
	return err_set(err, ERR_INPUT, "%s: GET /version: the answer names no version", proxmox->name);
}
