#include "base/http.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/http_internal.h"
#include "base/str.h"

/* A body buffer that is larger than this is given back after the exchange. */
#define BODY_KEPT_BYTES ((size_t)16 * 1024)

void http_global_init(void)
{
	if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
		abort();
}

/* "https://user:word@host/x" → "https://host/x" */
static const char *without_credentials(struct arena *arena, const char *url)
{
	const char *host = strstr(url, "://");
	host = host == NULL ? url : host + 3;
	const char *at = memchr(host, '@', strcspn(host, "/?#"));
	if (at == NULL)
		return url;
	return arena_printf(arena, "%.*s%s", (int)(host - url), url, at + 1);
}

struct http *http_open(const struct http_config *config)
{
	struct http *http = calloc(1, sizeof(*http));
	if (http == NULL)
		abort();
	struct arena *arena = http->arena = arena_new((size_t)64 * 1024);
	http->config = *config;
	http->config.base_url = arena_strdup(arena, config->base_url);
	http->config.unix_socket = arena_strdup(arena, config->unix_socket);
	http->config.ca_file = arena_strdup(arena, config->ca_file);
	http->config.cert_file = arena_strdup(arena, config->cert_file);
	http->config.key_file = arena_strdup(arena, config->key_file);
	http->config.fingerprint = arena_strdup(arena, config->fingerprint);
	http->shown_url = without_credentials(arena, http->config.base_url);
	http->config.name = config->name != NULL ? arena_strdup(arena, config->name) : http->shown_url;
	if (config->connect_timeout_ms <= 0)
		http->config.connect_timeout_ms = HTTP_CONNECT_TIMEOUT_MS;
	struct http_tls tls = {0};
	if (config->fingerprint != NULL)
		http_tls_pin(&tls, config->fingerprint, &http->bad);
	http_wire_init(&http->wire, http);
	return http;
}

void http_close(struct http *http)
{
	if (http == NULL)
		return;
	http_wire_done(&http->wire);
	free(http->body);
	arena_free(http->arena);
	free(http);
}

static bool take_whole(void *ctx, const char *bytes, size_t length)
{
	struct http *http = ctx;
	if (length > http->limit_bytes - http->body_bytes)
		return err_set(
			&http->wire.why, ERR_INPUT, "the answer is larger than %zu bytes", http->limit_bytes);
	size_t need = http->body_bytes + length;
	if (need > http->body_cap) {
		size_t cap = http->body_cap < 2048 ? 4096 : http->body_cap * 2;
		cap = cap < need ? need : cap;
		char *grown = realloc(http->body, cap);
		if (grown == NULL)
			abort();
		http->body = grown;
		http->body_cap = cap;
	}
	memcpy(http->body + http->body_bytes, bytes, length);
	http->body_bytes = need;
	return true;
}

static bool wait_for_answer(struct http_wire *wire, struct err *err)
{
	int64_t deadline = http_now_ms() + wire->timeout_ms;
	for (;;) {
		enum http_step step = http_wire_step(wire, err);
		if (step != HTTP_STEP_ON)
			return step == HTTP_STEP_DONE;
		if (http_now_ms() >= deadline)
			return http_wire_timeout(wire, err);
		if (!http_wire_wait(wire, deadline, err))
			return false;
	}
}

static bool give_reply(
	struct http *http, struct arena *arena, struct http_reply *reply, struct err *err)
{
	struct http_wire *wire = &http->wire;
	long status = 0;
	char *type = NULL;
	curl_easy_getinfo(wire->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(wire->easy, CURLINFO_CONTENT_TYPE, &type);
	*reply = (struct http_reply){.status = (int)status, .retry_after_s = wire->retry_after_s};
	STR_SET(reply->content_type, type);
	STR_SET(reply->reason, wire->reason);
	reply->body = arena_try(arena, http->body_bytes + 1);
	if (reply->body == NULL) {
		err_set(err, ERR_INPUT, "the answer of %zu bytes is larger than there is room for",
			http->body_bytes);
		return http_error_prefix(wire, err);
	}
	if (wire->keeps) {
		char *headers = arena_try(arena, wire->kept_bytes + 1);
		if (headers != NULL && wire->kept_bytes > 0)
			memcpy(headers, wire->kept, wire->kept_bytes);
		reply->headers = headers;
	}
	if (http->body_bytes > 0)
		memcpy(reply->body, http->body, http->body_bytes);
	reply->body_bytes = http->body_bytes;
	return true;
}

static bool nothing_left(const struct http_wire *wire)
{
	long sent = 0;
	return curl_easy_getinfo(wire->easy, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK && sent == 0;
}

bool http_perform(struct http *http, const struct http_request *request, struct arena *arena,
	struct http_reply *reply, struct err *err)
{
	struct http_wire *wire = &http->wire;
	http->body_bytes = 0;
	http->limit_bytes = request->limit_bytes > 0 ? request->limit_bytes : HTTP_LIMIT_BYTES;
	curl_easy_setopt(wire->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)http->limit_bytes);
	bool begun = http_wire_begin(wire, request, take_whole, http, err);
	bool ok = begun && wait_for_answer(wire, err) && give_reply(http, arena, reply, err);
	if (!ok)
		*reply = (struct http_reply){.retry_after_s = -1, .unsent = !begun || nothing_left(wire)};
	http_wire_end(wire);
	if (http->body_cap > BODY_KEPT_BYTES) {
		free(http->body);
		http->body = NULL;
		http->body_cap = 0;
	}
	return ok;
}

bool http_refused_print(const struct http *http, char *text, size_t size)
{
	char found[HTTP_PIN_BYTES * 3];
	const struct http_tls *tls = &http->wire.tls;
	if (!tls->pinned || !tls->mismatch)
		return false;
	http_tls_text(tls->found, found);
	return str_copy(text, size, found);
}

bool http_header(const struct http_reply *reply, const char *name, char *field, size_t size)
{
	size_t length = strlen(name);
	const char *line = reply->headers;
	str_copy(field, size, "");
	while (line != NULL && *line != '\0') {
		size_t end = strcspn(line, "\r\n");
		if (end > length && line[length] == ':' && strncasecmp(line, name, length) == 0) {
			size_t at = length + 1 + strspn(line + length + 1, " \t");
			str_format(field, size, "%.*s", at < end ? (int)(end - at) : 0, line + at);
			return true;
		}
		line += end;
		line += strspn(line, "\r\n");
	}
	return false;
}

char *http_encode(struct arena *arena, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	struct str out;
	str_init(&out, arena);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < 0x80 && (isalnum(c) || strchr("-._~", c) != NULL)) {
			str_addc(&out, *text);
			continue;
		}
		char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
		str_addn(&out, escaped, sizeof(escaped));
	}
	return out.s;
}
