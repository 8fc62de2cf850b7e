/*
 * The dead man's switch: an address outside that is called every so often, only while the core
 * answers and can record. When the calls stop, whoever listens there knows that nobody watches any
 * more, which homeostat itself could not say.
 */
#include <stdlib.h>
#include <string.h>

#include "base/http.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "report/ask.h"
#include "report/report.h"

#define CORE_MS 10000
#define CALL_MS 10000
#define REPLY_BYTES ((size_t)64 << 10)

struct heartbeat {
	const struct clock *clock;
	struct asks asks;
	struct http *http;
	const char *path; /* in the configuration's memory: what may be secret of the address */
	int64_t every_ms;
	int stop_fd;
	bool failing;
};

static struct http *open_http(const char *url, int stop_fd)
{
	char base[300];
	const char *host = strstr(url, "://") + 3;
	STR_FORMAT(base, "%.*s", (int)(host + strcspn(host, "/") - url), url);
	return http_open(
		&(struct http_config){.base_url = base, .stop_fd = stop_fd, .name = "heartbeat"});
}

struct heartbeat *heartbeat_new(const struct config *config, const struct clock *clock,
	struct mailbox *core, int stop_fd, struct err *err)
{
	const char *url = secret_resolve(config->state, config->heartbeat.url, err);
	if (url == NULL)
		return NULL;
	if (!str_starts(url, "https://") && !str_starts(url, "http://")) {
		err_set(
			err, ERR_INPUT, "heartbeat.url: the secret is no address: it must begin with https://");
		return NULL;
	}
	struct heartbeat *heartbeat = calloc(1, sizeof(*heartbeat));
	if (heartbeat == NULL)
		abort();
	heartbeat->clock = clock;
	heartbeat->http = open_http(url, stop_fd);
	const char *host = strstr(url, "://") + 3;
	heartbeat->path = host[strcspn(host, "/")] != '\0' ? host + strcspn(host, "/") : "/";
	heartbeat->every_ms = config->heartbeat.every_ms;
	heartbeat->stop_fd = stop_fd;
	asks_init(&heartbeat->asks, core);
	return heartbeat;
}

void heartbeat_close(struct heartbeat *heartbeat)
{
	if (heartbeat != NULL)
		asks_close(&heartbeat->asks);
}

void heartbeat_free(struct heartbeat *heartbeat)
{
	if (heartbeat == NULL)
		return;
	http_close(heartbeat->http);
	asks_free(&heartbeat->asks);
	free(heartbeat);
}

/* Whether the core makes progress: it answers, and what it decides can be recorded. */
static bool is_alive(struct heartbeat *heartbeat)
{
	auto_arena arena = arena_new(1 << 20);
	struct request status = {.kind = REQUEST_STATUS};
	bool sent;
	const struct answer *answer = asks_core(&heartbeat->asks, &status, CORE_MS, arena, &sent);
	return answer != NULL && answer->ok && answer->core.trouble[0] == '\0';
}

bool heartbeat_step(struct heartbeat *heartbeat)
{
	if (!is_alive(heartbeat)) {
		log_warn("heartbeat: not sent: the core does not answer, or cannot record");
		return false;
	}
	auto_arena arena = arena_new(1 << 20);
	struct http_request request = {.method = "GET",
		.path = heartbeat->path,
		.shown = "/…",
		.timeout_ms = CALL_MS,
		.limit_bytes = REPLY_BYTES};
	struct http_reply reply;
	struct err err = {0};
	bool ok = http_perform(heartbeat->http, &request, arena, &reply, &err);
	if (ok && (reply.status < 200 || reply.status > 299))
		ok = err_set(&err, ERR_RETRY, "heartbeat: answered %d", reply.status);
	if (!ok && !heartbeat->failing && err.kind != ERR_CANCELLED)
		log_warn("%s: tried again every time; whoever listens there will say that homeostat is "
				 "silent",
			err.text);
	if (ok && heartbeat->failing)
		log_info("heartbeat: heard again");
	heartbeat->failing = !ok;
	return ok;
}

void *heartbeat_main(void *arg)
{
	struct heartbeat *heartbeat = arg;
	do
		heartbeat_step(heartbeat);
	while (clock_wait(heartbeat->clock, heartbeat->every_ms, heartbeat->stop_fd));
	return NULL;
}
