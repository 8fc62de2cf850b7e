/*
 * Who may do what. On the control socket: root and the user that homeostat runs as. Over TCP: who
 * has the token; and without it, reading only, from this machine only, when we listen on it only,
 * and under a name of it only (a page that points its own name at 127.0.0.1 is somebody else's).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "report/internal.h"

#define LOG_EVERY_MS 10000

/* One line in ten seconds: who knocks often must not fill the disk. */
static void log_refusal(struct call *call, const char *why)
{
	struct api *api = call->api;
	int64_t now = clock_mono_ms(api->config.clock);
	int64_t last = atomic_load(&api->refusal_logged_at);
	if ((last != 0 && now - last < LOG_EVERY_MS) ||
		!atomic_compare_exchange_strong(&api->refusal_logged_at, &last, now)) {
		atomic_fetch_add(&api->refusals_unlogged, 1);
		return;
	}
	char path[96], who[32] = "a TCP client", more[48] = "";
	int unlogged = atomic_exchange(&api->refusals_unlogged, 0);
	words_clean(path, sizeof(path), call->request->path);
	/* what follows is all that is needed to approve */
	if (str_starts(path, ACCESS_PRESS))
		STR_SET(path, ACCESS_PRESS "…");
	if (call->request->is_unix)
		STR_FORMAT(who, "user %u", call->request->peer_uid);
	if (unlogged > 0)
		STR_FORMAT(more, " (and %d more since the last line)", unlogged);
	log_warn("refused %s %s of %s: %s%s", call->request->method, path, who, why, more);
}

bool access_refuse(struct call *call, int status, const char *why)
{
	log_refusal(call, why);
	reply_problem(call, status, "%s", why);
	if (status == 401) {
		call->reply->header = "WWW-Authenticate";
		call->reply->header_value = "Bearer realm=\"homeostat\"";
	}
	return false;
}

static bool check_unix(struct call *call)
{
	uint32_t uid = call->request->peer_uid;
	STR_FORMAT(call->actor, "uid:%u", uid);
	if (uid == 0 || uid == geteuid())
		return true;
	return access_refuse(call, 403,
		"only root and the user that homeostat runs as may use the control socket: use sudo");
}

/* Takes as long whatever the first wrong byte is. */
static bool same_secret(const char *given, const char *secret)
{
	size_t n = strlen(given), length = strlen(secret);
	volatile unsigned char differs = n != length || length == 0;
	for (size_t i = 0; i < n; i++)
		differs = (unsigned char)(differs | (given[i] ^ secret[length > 0 ? i % length : 0]));
	return differs == 0;
}

/* "127.0.0.1:9095", "[::1]:9095", "localhost:9095"; without a port: 80. */
static bool is_our_host(const char *host, int port)
{
	char name[64], *end;
	const char *colon = strrchr(host, ':');
	if (colon != NULL && strchr(colon, ']') != NULL)
		colon = NULL;
	long given = colon != NULL ? strtol(colon + 1, &end, 10) : 80;
	size_t length = colon != NULL ? (size_t)(colon - host) : strlen(host);
	if (given != port || (colon != NULL && (*end != '\0' || end == colon + 1)) ||
		length >= sizeof(name))
		return false;
	STR_FORMAT(name, "%.*s", (int)length, host);
	/* four numbers and no more: 127.evil.example is a name */
	bool numeric = str_starts(name, "127.") && strspn(name, "0123456789.") == length;
	return numeric || strcasecmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0;
}

static bool is_our_origin(const char *origin, const char *host)
{
	const char *rest = str_starts(origin, "http://") ? origin + 7
		: str_starts(origin, "https://")             ? origin + 8
													 : "";
	return host != NULL && strcasecmp(rest, host) == 0;
}

static bool check_token(struct call *call, const char *authorization)
{
	const char *token = call->api->config.token;
	STR_SET(call->actor, "api");
	if (token == NULL || token[0] == '\0')
		return access_refuse(call, 403,
			"this needs a token, and none is set: `homeostat secret set api`, "
			"then restart homeostat; or use the control socket");
	if (authorization == NULL)
		return access_refuse(call, 401,
			"this needs the header \"Authorization: Bearer TOKEN\"; "
			"`homeostat secret set api` sets the token");
	if (strncasecmp(authorization, "Bearer ", 7) != 0 || !same_secret(authorization + 7, token))
		return access_refuse(call, 401, "the token is wrong");
	return true;
}

static bool check_tcp(struct call *call)
{
	const struct server_request *request = call->request;
	const char *host = server_header(request, "Host"), *origin = server_header(request, "Origin");
	const char *authorization = server_header(request, "Authorization");
	bool local = call->api->listens_on_loopback && request->peer_is_loopback;
	if (call->posts && origin != NULL && !is_our_origin(origin, host))
		return access_refuse(call, 403, "a page from elsewhere may not do this");
	if (call->changes || !local || authorization != NULL)
		return check_token(call, authorization);
	if (host == NULL || !is_our_host(host, server_port(call->api->tcp)))
		return access_refuse(call, 403,
			"the Host header is not this machine's: use 127.0.0.1, [::1] or "
			"localhost and our port, or a token");
	return true;
}

bool access_check(struct call *call)
{
	return call->request->is_unix ? check_unix(call) : check_tcp(call);
}
