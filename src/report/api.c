/*
 * The routes, and what is the same for all of them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/redact.h"
#include "base/str.h"
#include "report/internal.h"

struct route {
	const char *method, *path; /* "#" in it: a number; "@": a token */
	void (*answer)(struct call *call);
};

static const struct route routes[] = {
	{"GET", "/healthz", get_healthz},
	{"GET", "/readyz", get_readyz},
	{"GET", "/metrics", get_metrics},
	{"GET", "/api/v1/health", get_health},
	{"GET", "/api/v1/incidents", get_incidents},
	{"GET", "/api/v1/incidents/#", get_incident},
	{"GET", "/api/v1/components", get_components},
	{"GET", "/api/v1/audit", get_audit},
	{"GET", "/api/v1/patterns", get_patterns},
	{"GET", "/api/v1/nodes", get_nodes},
	{"GET", "/api/v1/guests", get_guests},
	{"GET", "/api/v1/backups", get_backups},
	{"GET", "/api/v1/backups/#", get_backup},
	{"POST", "/api/v1/approvals/#", post_approval},
	{"POST", "/api/v1/autohealing", post_autohealing},
	{"POST", "/api/v1/incidents/#/retry", post_retry},
	{"POST", "/api/v1/orders", post_order},
	{"POST", "/api/v1/reset", post_reset},
	{"POST", "/api/v1/mutes", post_mute},
	{"POST", "/api/v1/diagnoses", post_diagnosis},
	{"POST", "/api/v1/proposals", post_proposal},
	{"POST", ACCESS_PRESS "@", post_press},
	{"POST", "/mcp", post_mcp},
};
#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static const char *title_of(int status)
{
	static const struct {
		int status;
		const char *title;
	} titles[] = {
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{503, "Service Unavailable"},
	};
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

void reply_text(struct call *call, const char *content_type, const char *text)
{
	*call->reply = (struct server_reply){
		.status = 200, .content_type = content_type, .body = text, .body_bytes = strlen(text)};
}

void reply_problem(struct call *call, int status, const char *fmt, ...)
{
	char detail[1024];
	struct str body;
	struct json_out out;
	va_list args;
	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	str_init(&body, call->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	json_put_str(&out, "type", "about:blank");
	json_put_str(&out, "title", title_of(status));
	json_put_int(&out, "status", status);
	put_text(&out, "detail", detail, call->arena);
	json_close(&out, '}');
	str_addc(&body, '\n');
	*call->reply = (struct server_reply){.status = status,
		.content_type = "application/problem+json",
		.body = body.s,
		.body_bytes = body.len};
}

struct store *call_store(struct call *call)
{
	struct err err = {0};
	struct store *store = store_open_reader(
		call->api->config.config->state, call->api->config.audit_key, &err);
	if (store == NULL)
		reply_problem(call, 503, "%s", err.text);
	return store;
}

static size_t take_number(const char *path, int64_t *id)
{
	size_t digits = strspn(path, "0123456789");
	if (digits == 0 || digits > 18)
		return 0;
	*id = strtoll(path, NULL, 10);
	return digits;
}

static size_t take_token(const char *path, char token[TOKEN_BYTES])
{
	size_t digits = strspn(path, "0123456789abcdef");
	if (digits != TOKEN_BYTES - 1)
		return 0;
	str_format(token, TOKEN_BYTES, "%.*s", (int)digits, path);
	return digits;
}

/* Whether the path fits the pattern; its number, its token go to the call. */
static bool fits(const char *pattern, struct call *call)
{
	const char *path = call->request->path;
	for (; *pattern != '\0'; pattern++) {
		size_t length = *pattern == '#' ? take_number(path, &call->id)
			: *pattern == '@'           ? take_token(path, call->token)
										: *path == *pattern;
		if (length == 0)
			return false;
		path += length;
	}
	return *path == '\0';
}

/* The route; NULL: allowed (out) has the methods that this path knows, or "". */
static const struct route *find_route(struct call *call, const char *method, struct str *allowed)
{
	for (size_t i = 0; i < ROUTES; i++) {
		if (!fits(routes[i].path, call))
			continue;
		if (strcmp(routes[i].method, method) == 0)
			return &routes[i];
		str_addf(allowed, "%s%s%s", allowed->len > 0 ? ", " : "", routes[i].method,
			strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
	}
	return NULL;
}

bool api_route(struct call *call)
{
	struct str allowed;
	str_init(&allowed, call->arena);
	const struct route *route = find_route(call, "GET", &allowed);
	if (route != NULL)
		route->answer(call);
	return route != NULL;
}

const char *call_query(struct call *call, const char *name)
{
	size_t length = strlen(name);
	if (call->query == NULL)
		return server_query(call->request, name);
	for (const char *at = call->query; *at != '\0';
		 at += strcspn(at, "&") + (strchr(at, '&') != NULL))
		if (strncmp(at, name, length) == 0 && at[length] == '=')
			return arena_strndup(call->arena, at + length + 1, strcspn(at + length + 1, "&"));
	return NULL;
}

static void handle(void *ctx, const struct server_request *request, struct server_reply *reply)
{
	struct call call = {.api = ctx, .request = request, .reply = reply, .arena = request->arena};
	const char *method = strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;
	struct str allowed;
	str_init(&allowed, call.arena);
	const struct route *route = find_route(&call, method, &allowed);
	call.posts = strcmp(method, "GET") != 0;
	call.changes = call.posts && (route == NULL || route->answer != post_mcp);
	/* Who may not read learns not even what there is. */
	bool has_key = route != NULL && route->answer == post_press;
	if (!has_key && !access_check(&call))
		return;
	if (route != NULL) {
		route->answer(&call);
		return;
	}
	if (allowed.len == 0) {
		reply_problem(&call, 404, "there is nothing at this path");
		return;
	}
	reply_problem(&call, 405, "this path knows %s only", allowed.s);
	reply->header = "Allow";
	reply->header_value = allowed.s;
}

static bool is_loopback_address(const char *listen)
{
	return str_starts(listen, "127.") || str_starts(listen, "[::1]") ||
		str_starts(listen, "localhost:");
}

static bool start_servers(struct api *api, struct err *err)
{
	struct server_config tcp = {.listen = api->config.listen, .handler = handle, .ctx = api};
	struct server_config control = {
		.unix_socket = api->config.control, .socket_mode = 0600, .handler = handle, .ctx = api};
	if (tcp.listen != NULL) {
		api->listens_on_loopback = is_loopback_address(tcp.listen);
		if (!api->listens_on_loopback && api->config.token == NULL)
			log_warn("listen %s is open to the network and no token is set: every request there is "
					 "refused until `homeostat secret set api`",
				tcp.listen);
		api->tcp = server_start(&tcp, err);
		if (api->tcp == NULL)
			return false;
	}
	if (control.unix_socket != NULL)
		api->control = server_start(&control, err);
	return control.unix_socket == NULL || api->control != NULL;
}

struct api *api_start(const struct api_config *config, struct err *err)
{
	struct api *api = calloc(1, sizeof(*api));
	if (api == NULL)
		abort();
	api->config = *config;
	asks_init(&api->asks, api->config.core);
	if (start_servers(api, err))
		return api;
	api_stop(api);
	return NULL;
}

int api_port(const struct api *api)
{
	return api->tcp != NULL ? server_port(api->tcp) : 0;
}

void api_stop(struct api *api)
{
	if (api == NULL)
		return;
	asks_close(&api->asks);
	server_stop(api->tcp);
	server_stop(api->control);
	asks_free(&api->asks);
	explicit_bzero(api->config.audit_key, sizeof(api->config.audit_key));
	free(api);
}
