/*
 * The lab's Proxmox VE cluster: https://HOST:8006, where HOST is a node's name or address. A node's
 * certificate counts as on the wire: by the pinned fingerprint, else by the cluster's authority in
 * ca_file (sim_proxmox_ca_pem, written before the daemon starts); the system's know neither. Every
 * request is judged by Proxmox's own schema, where that file is present.
 */
#include "tests/lab_internal.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "sim/proxmox.h"
#include "tests/pve_schema.h"

static bool is_at(const struct http_config *config)
{
	return config->unix_socket == NULL && config->dial == NULL && config->base_url != NULL &&
		str_starts(config->base_url, "https://") && str_ends(config->base_url, ":8006");
}

static void judge(void *ctx, const struct sim_pve_request *request)
{
	char text[200];
	(void)ctx;
	if (!pve_schema_allows(request, text, sizeof(text)))
		fail_msg("not by the schema: %s %s: %s", request->method, request->url, text);
}

static void *make(const struct clock *clock)
{
	struct sim_proxmox *sim = sim_proxmox_new(clock);
	sim_proxmox_witness(sim, judge, NULL);
	return sim;
}

static void end(void *self)
{
	sim_proxmox_free(self);
}

static void tick(void *self)
{
	sim_proxmox_tick(self);
}

static bool script(void *self, const char *line, char *text, size_t size)
{
	return sim_proxmox_script(self, line, text, size);
}

static int posts(void *self, const char *pattern)
{
	return sim_proxmox_posts(self, pattern);
}

/* The node that the URL's host names; NULL: none. */
static const char *node_at(struct sim_proxmox *sim, const char *url)
{
	char host[128];
	const char *from = url + strlen("https://");
	str_copy(
		host, strcspn(from, ":") + 1 < sizeof(host) ? strcspn(from, ":") + 1 : sizeof(host), from);
	return sim_proxmox_node_at(sim, host);
}

static bool is_trusted(
	struct sim_proxmox *sim, const char *node, const struct http_config *config, struct err *err)
{
	const char *found = sim_proxmox_fingerprint(sim, node);
	if (config->fingerprint != NULL)
		return strcasecmp(config->fingerprint, found) == 0 ||
			err_set(err, ERR_DENIED,
				"the server's certificate has the fingerprint %s, not %s: "
				"if it was renewed on purpose, change fingerprint: to accept it",
				found, config->fingerprint);
	auto_arena arena = arena_new((size_t)1 << 17);
	struct file ca;
	if (config->ca_file != NULL && file_read(arena, config->ca_file, 65536, &ca, NULL) &&
		strcmp(ca.bytes, sim_proxmox_ca_pem(sim)) == 0 && sim_proxmox_is_signed(sim, node))
		return true;
	return err_set(err, ERR_DENIED,
		"the server's certificate was not accepted: %s: name its authority in ca_file:, or trust "
		"exactly this one by fingerprint: \"%s\"",
		"SSL certificate problem: unable to get local issuer certificate", found);
}

static const char *header(const struct http_request *request, const char *name)
{
	size_t length = strlen(name);
	for (const char *const *at = request->headers; at != NULL && *at != NULL; at++)
		if (strncasecmp(*at, name, length) == 0 && (*at)[length] == ':')
			return *at + length + 1 + strspn(*at + length + 1, " ");
	return NULL;
}

/* What the wire makes of it, in http.c's words; true: it is a whole answer. */
static bool arrives(const struct http_config *config, const struct http_request *request,
	const struct sim_pve_reply *answer, struct err *err)
{
	int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : 10000;
	switch (answer->wire) {
	case SIM_PVE_REFUSED:
		return err_set(err, ERR_RETRY,
			"connection refused by %s: is proxmox running, and the port right?", config->base_url);
	case SIM_PVE_NO_ROUTE:
		return err_set(err, ERR_RETRY, "no connection to %s: No route to host", config->base_url);
	case SIM_PVE_SILENT: /* in the handshake already */
		if (config->connect_timeout_ms < timeout_ms)
			return err_set(
				err, ERR_RETRY, "no connection in %lld ms", (long long)config->connect_timeout_ms);
		break;
	case SIM_PVE_CLOSED:
		if (answer->held_ms < timeout_ms)
			return err_set(err, ERR_RETRY,
				"the connection broke after the handshake (Empty reply from server): if the "
				"server wants a client certificate, set cert_file: and key_file:");
		break;
	case SIM_PVE_TRUNCATED:
		if (answer->held_ms < timeout_ms)
			return err_set(err, ERR_RETRY,
				"the answer was cut off: transfer closed with %zu bytes "
				"remaining to read",
				answer->body_bytes - answer->body_bytes / 2);
		break;
	case SIM_PVE_ANSWERED:
		if (answer->held_ms < timeout_ms)
			return true;
		break;
	}
	return err_set(err, ERR_TIMEOUT, "no answer in %lld s", (long long)(timeout_ms / 1000));
}

static bool perform(void *self, const struct http *http, const struct http_request *request,
	struct arena *arena, struct http_reply *reply, struct err *err)
{
	const struct http_config *config = &http->config;
	struct sim_pve_reply answer = {.wire = SIM_PVE_NO_ROUTE};
	struct sim_pve_request question = {.via = node_at(self, config->base_url),
		.method = request->method,
		.url = request->path,
		.body = request->body,
		.authorization = header(request, "Authorization"),
		.cookie = header(request, "Cookie"),
		.csrf = header(request, "CSRFPreventionToken"),
		.content_type = header(request, "Content-Type")};
	if (question.via != NULL)
		answer.wire = sim_proxmox_knock(self, question.via);
	if (answer.wire == SIM_PVE_ANSWERED) {
		if (!is_trusted(self, question.via, config, err))
			return lab_error(http, request, err);
		sim_proxmox_handle(self, &question, arena, &answer);
	}
	reply->unsent = answer.wire == SIM_PVE_REFUSED || answer.wire == SIM_PVE_NO_ROUTE;
	if (!arrives(config, request, &answer, err))
		return lab_error(http, request, err);
	reply->status = answer.status;
	STR_SET(reply->reason, answer.reason);
	STR_SET(reply->content_type, answer.content_type);
	reply->body = arena_strdup(arena, answer.body);
	reply->body_bytes = answer.body_bytes;
	return true;
}

const struct lab_world lab_pve = {
	.name = "pve",
	.is_at = is_at,
	.make = make,
	.end = end,
	.tick = tick,
	.script = script,
	.posts = posts,
	.perform = perform,
};
