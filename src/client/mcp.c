#include "client/mcp.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/mcp_internal.h"

#define TIMEOUT_MS 10000
/* Of a time-out, what the question "which era?" may take: a server of the older one may say
 * nothing.
 */
#define PROBE_SHARE 2
#define ARGV_MAX 96

static const char *const legacy_versions[] = {
	MCP_LEGACY_VERSION,
	"2025-06-18",
	"2025-03-26",
	"2024-11-05",
};

int64_t mcp_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *const *copy_argv(struct arena *arena, const char *const *argv)
{
	size_t n = 0;
	while (argv[n] != NULL)
		n++;
	const char **copy = ARENA_ARRAY(arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(arena, argv[i]);
	return copy;
}

static bool check(const struct mcp_config *config, struct err *err)
{
	size_t n = 0, bytes = 0;
	for (; config->command != NULL && config->command[n] != NULL; n++)
		bytes += strlen(config->command[n]) + 1;
	if (n > ARGV_MAX || bytes > (size_t)64 * 1024)
		return err_set(err, ERR_INPUT, "mcp %s: the command is too long", config->name);
	if (config->command != NULL && n > 0)
		return true;
	if (config->url != NULL && strlen(config->url) < 1024 &&
		(str_starts(config->url, "http://") || str_starts(config->url, "https://")))
		return true;
	return err_set(err, ERR_INPUT,
		"mcp %s: neither a command nor a URL that begins with http:// or "
		"https://",
		config->name);
}

struct mcp *mcp_open(const struct mcp_config *config, struct err *err)
{
	if (!check(config, err))
		return NULL;
	struct mcp *mcp = calloc(1, sizeof(*mcp));
	if (mcp == NULL)
		abort();
	struct arena *arena = mcp->arena = arena_new((size_t)256 * 1024);
	mcp->config = *config;
	mcp->config.name = arena_strdup(arena, config->name);
	mcp->config.command = config->command != NULL ? copy_argv(arena, config->command) : NULL;
	mcp->config.url = arena_strdup(arena, config->url);
	mcp->config.token = arena_strdup(arena, config->token);
	if (config->timeout_ms <= 0)
		mcp->config.timeout_ms = TIMEOUT_MS;
	STR_FORMAT(mcp->name, "mcp %s", config->name);
	mcp->stdio.fd = mcp->stdio.complaints = -1;
	mcp->next_id = 1;
	return mcp;
}

bool mcp_is_connected(const struct mcp *mcp)
{
	return mcp->connected;
}

const struct mcp_server *mcp_server(const struct mcp *mcp)
{
	return &mcp->server;
}

bool mcp_tools_changed(struct mcp *mcp)
{
	bool changed = mcp->tools_changed;
	mcp->tools_changed = false;
	return changed;
}

void mcp_disconnect(struct mcp *mcp)
{
	if (mcp->config.command != NULL)
		mcp_stdio_end(mcp);
	else
		mcp_http_end(mcp);
	mcp->connected = false;
	mcp->session[0] = '\0';
	arena_free(mcp->schemas);
	mcp->schemas = NULL;
	mcp->schema = NULL;
	mcp->listed = false;
}

void mcp_close(struct mcp *mcp)
{
	if (mcp == NULL)
		return;
	mcp_disconnect(mcp);
	arena_free(mcp->arena);
	free(mcp);
}

/* One exchange on an open connection. */
static bool exchange(struct mcp *mcp, const struct mcp_ask *ask, struct arena *arena,
	struct mcp_answer *answer, struct err *err)
{
	struct mcp_wait wait = {.id = mcp->next_id++, .arena = arena, .answer = answer};
	*answer = (struct mcp_answer){0};
	bool ok = mcp->config.command != NULL ? mcp_stdio_exchange(mcp, ask, &wait, err)
										  : mcp_http_exchange(mcp, ask, &wait, err);
	if (!ok)
		return false;
	if (wait.answered)
		return true;
	/* only a broken stream ends so */
	return err_set(err, ERR_RETRY, "%s: %s: the answer's stream ended without an answer", mcp->name,
		ask->method);
}

bool mcp_refused(
	struct mcp *mcp, const char *method, const struct mcp_answer *answer, struct err *err)
{
	char message[240];
	json_copy(json_get(answer->value, "message"), message, sizeof(message));
	for (char *c = message; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = ' ';
	const char *cure = answer->code == MCP_MISSING_CAPABILITY
		? ": it wants what homeostat does not offer (sampling, elicitation or roots)"
		: "";
	return err_set(err, ERR_INPUT, "%s: %s: the server says: %s (%d)%s", mcp->name, method,
		message[0] != '\0' ? message : "an error without a message", answer->code, cure);
}

static void note_server(struct mcp *mcp, struct json info)
{
	json_copy(json_get(info, "name"), mcp->server.name, sizeof(mcp->server.name));
	json_copy(json_get(info, "version"), mcp->server.version, sizeof(mcp->server.version));
}

static void become(struct mcp *mcp, enum mcp_era era, const char *protocol)
{
	mcp->server.era = era;
	STR_SET(mcp->server.protocol, protocol);
}

static bool lists(struct json versions, const char *version)
{
	char each[32];
	for (struct json v = json_first(versions); json_is(v); v = json_next(v))
		if (json_copy(v, each, sizeof(each)) && strcmp(each, version) == 0)
			return true;
	return false;
}

static bool initialize(struct mcp *mcp, struct arena *arena, struct err *err)
{
	struct mcp_answer answer;
	char protocol[32];
	struct mcp_ask ask = {.method = "initialize",
		.params = "\"protocolVersion\":\"" MCP_LEGACY_VERSION
				  "\",\"capabilities\":{},\"clientInfo\":"
				  "{\"name\":\"homeostat\",\"version\":\"" HOMEOSTAT_VERSION "\"}",
		.timeout_ms = mcp->config.timeout_ms};
	become(mcp, MCP_LEGACY, "");
	if (!exchange(mcp, &ask, arena, &answer, err))
		return false;
	if (answer.is_error)
		return mcp_refused(mcp, "initialize", &answer, err);
	json_copy(json_get(answer.value, "protocolVersion"), protocol, sizeof(protocol));
	bool known = false;
	for (size_t i = 0; i < sizeof(legacy_versions) / sizeof(legacy_versions[0]); i++)
		known = known || strcmp(legacy_versions[i], protocol) == 0;
	if (!known)
		return err_set(err, ERR_INPUT,
			"%s: it speaks MCP \"%s\"; homeostat knows %s, " MCP_LEGACY_VERSION
			", 2025-06-18, 2025-03-26 and 2024-11-05",
			mcp->name, protocol, MCP_MODERN_VERSION);
	become(mcp, MCP_LEGACY, protocol);
	note_server(mcp, json_get(answer.value, "serverInfo"));
	const struct mcp_ask done = {
		.method = "notifications/initialized", .params = "", .timeout_ms = mcp->config.timeout_ms};
	const char *text = mcp_text(&done, 0, arena);
	return mcp->config.command != NULL ? mcp_stdio_notify(mcp, text, err)
									   : mcp_http_notify(mcp, &done, text, err);
}

enum probe { PROBE_MODERN, PROBE_LEGACY, PROBE_FAILED };

static enum probe judge_probe(
	struct mcp *mcp, const struct mcp_answer *answer, bool *again, struct err *err)
{
	struct json supported = json_path(answer->value, "data.supported");
	*again = false;
	if (!answer->is_error) {
		struct json versions = json_get(answer->value, "supportedVersions");
		if (!lists(versions, MCP_MODERN_VERSION))
			return PROBE_LEGACY;
		note_server(
			mcp, json_get(json_get(answer->value, "_meta"), "io.modelcontextprotocol/serverInfo"));
		become(mcp, MCP_MODERN, MCP_MODERN_VERSION);
		return PROBE_MODERN;
	}
	switch (answer->code) {
	case MCP_UNSUPPORTED_VERSION:
		*again = lists(supported, MCP_MODERN_VERSION);
		return PROBE_LEGACY;
	case MCP_HEADER_MISMATCH:
	case MCP_MISSING_CAPABILITY:
		mcp_refused(mcp, "server/discover", answer, err);
		return PROBE_FAILED;
	default:
		return PROBE_LEGACY;
	}
}

/* Asks in the newer era's way; whatever else than its answers comes is taken for the older era. */
static enum probe probe(struct mcp *mcp, struct arena *arena, struct err *err)
{
	struct mcp_ask ask = {.method = "server/discover",
		.params = "",
		.is_modern = true,
		.timeout_ms = mcp->config.timeout_ms / PROBE_SHARE};
	bool again = false;
	/* a version that was refused although it is listed: asked for once more */
	for (int i = 0; i < 2; i++) {
		struct mcp_answer answer;
		struct err why = {0};
		mcp->probe_id = mcp->next_id;
		if (!exchange(mcp, &ask, arena, &answer, &why)) {
			bool may_be_older = why.kind == ERR_TIMEOUT && mcp->config.command != NULL;
			if (may_be_older && !mcp->stdio.ended)
				return PROBE_LEGACY;
			*err = why;
			return PROBE_FAILED;
		}
		enum probe result = judge_probe(mcp, &answer, &again, err);
		if (!again)
			return result;
	}
	err_set(err, ERR_INPUT, "%s: it lists MCP %s as supported, and refuses it: upgrade the server",
		mcp->name, MCP_MODERN_VERSION);
	return PROBE_FAILED;
}

static bool handshake(struct mcp *mcp, struct arena *arena, struct err *err)
{
	enum mcp_era known = mcp->server.era;
	/* an HTTP server of the newer era keeps no state: there is nothing to begin */
	if (known == MCP_LEGACY && initialize(mcp, arena, err))
		return true;
	if (known == MCP_LEGACY && err->kind != ERR_INPUT)
		return false;
	mcp->probe_was_modern = false;
	switch (probe(mcp, arena, err)) {
	case PROBE_MODERN:
		return true;
	case PROBE_FAILED:
		return false;
	case PROBE_LEGACY:
		break;
	}
	bool ok = initialize(mcp, arena, err);
	if (ok)
		mcp->probe_id = 0;
	if (!ok && mcp->probe_was_modern) {
		become(mcp, MCP_MODERN, MCP_MODERN_VERSION);
		return true;
	}
	if (!ok)
		become(mcp, MCP_UNKNOWN, "");
	return ok;
}

bool mcp_connect(struct mcp *mcp, struct err *err)
{
	struct err why = {0};
	if (mcp->connected)
		return true;
	auto_arena arena = arena_new(MCP_SCRATCH_BYTES);
	bool ok = mcp->config.command != NULL ? mcp_stdio_start(mcp, &why) : mcp_http_start(mcp, &why);
	mcp->connected = ok && handshake(mcp, arena, &why);
	if (mcp->connected)
		return true;
	mcp_disconnect(mcp);
	if (err != NULL)
		*err = why;
	return false;
}

/* A lost session is begun anew: the server has forgotten it, and has done nothing. */
static bool renew(struct mcp *mcp, struct err *err)
{
	mcp->session_lost = false;
	mcp->session[0] = '\0';
	auto_arena arena = arena_new(MCP_SCRATCH_BYTES);
	return handshake(mcp, arena, err);
}

bool mcp_ask(struct mcp *mcp, const struct mcp_ask *ask, struct arena *arena,
	struct mcp_answer *answer, struct err *err)
{
	if (!mcp_connect(mcp, err))
		return false;
	struct mcp_ask copy = *ask;
	struct err why = {0};
	copy.is_modern = mcp->server.era == MCP_MODERN;
	copy.timeout_ms = mcp->config.timeout_ms;
	if (exchange(mcp, &copy, arena, answer, &why))
		return true;
	bool lost = mcp->session_lost;
	bool broken = why.kind == ERR_RETRY && ask->repeatable && mcp->config.command == NULL;
	if (lost ? renew(mcp, &why) : broken) {
		why = (struct err){0};
		if (exchange(mcp, &copy, arena, answer, &why))
			return true;
	}
	if (err != NULL)
		*err = why;
	/* a process that has ended, or talks past us, is begun anew by the next call */
	if (mcp->config.command != NULL && (mcp->stdio.ended || why.kind == ERR_INPUT))
		mcp_disconnect(mcp);
	return false;
}

bool mcp_ping(struct mcp *mcp, struct err *err)
{
	struct mcp_answer answer;
	if (!mcp_connect(mcp, err))
		return false;
	auto_arena arena = arena_new(MCP_SCRATCH_BYTES);
	struct mcp_ask ask = {
		.method = mcp->server.era == MCP_MODERN ? "server/discover" : "ping",
		.params = "",
		.repeatable = true,
	};
	if (!mcp_ask(mcp, &ask, arena, &answer, err))
		return false;
	/* that it knows no ping is an answer, and so a sign of life */
	return !answer.is_error || answer.code == MCP_NO_METHOD ||
		mcp_refused(mcp, ask.method, &answer, err);
}

bool mcp_wait(struct mcp *mcp, int64_t ms, struct err *err)
{
	return mcp_stdio_wait(mcp, ms, err);
}
