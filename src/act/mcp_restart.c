/*
 * Restart an MCP server: its container, where the configuration names it; else a new process or a
 * new connection, which is what its source takes up at its next look. Looks afterwards by a client
 * of its own: a server that lists its tools to it is well.
 */
#include <string.h>

#include "act/act.h"
#include "base/http.h"
#include "base/str.h"
#include "client/docker.h"
#include "client/mcp.h"

#define RESTART_MS 60000
#define LIST_BYTES ((size_t)16 << 20)

static const struct config_mcp *find(
	const struct act_context *context, const struct plan *plan, struct err *err)
{
	for (int i = 0; i < context->config->mcp_count; i++)
		if (str_equal(context->config->mcp[i].name, plan->native))
			return &context->config->mcp[i];
	err_set(err, ERR_GONE, "%s is not configured any more", plan->component);
	return NULL;
}

/* "local/files" or "files": of the first engine. */
static const struct config_docker *engine_of(
	const struct config *config, const char *container, const char **name)
{
	const char *slash = strchr(container, '/');
	*name = slash != NULL ? slash + 1 : container;
	for (int i = 0; i < config->docker_count; i++) {
		size_t length = strlen(config->docker[i].name);
		if (slash == NULL ||
			((size_t)(slash - container) == length &&
				strncmp(container, config->docker[i].name, length) == 0))
			return &config->docker[i];
	}
	return NULL;
}

static enum act_result restart_container(
	const struct act_context *context, const struct config_mcp *mcp, char *text, size_t size)
{
	struct err err = {0};
	const char *name;
	int status = 0;
	const struct config_docker *engine = engine_of(context->config, mcp->container, &name);
	struct docker *docker = engine != NULL ? docker_open(engine, context->stop_fd, &err) : NULL;
	const char *path = arena_printf(
		context->arena, "/containers/%s/restart?t=10", http_encode(context->arena, name));
	bool ok = docker != NULL && docker_post(docker, path, RESTART_MS, &status, &err);
	docker_close(docker);
	if (ok)
		str_format(text, size, "Successfully restarted container '%s' of MCP server '%s'", name,
			mcp->name);
	else
		str_copy(text, size, engine != NULL ? err.text : "its engine is not configured any more");
	if (ok)
		return ACT_DONE;
	return err.kind == ERR_GONE || status != 0 || engine == NULL ? ACT_FAILED : ACT_UNKNOWN;
}

/* Whether it lists its tools to a new client. */
static bool answers(
	const struct act_context *context, const struct config_mcp *mcp, int *tools, struct err *err)
{
	struct mcp_tools list = {0};
	auto_arena arena = arena_new(LIST_BYTES);
	struct mcp *client = mcp_open_configured(context->config->state, mcp, context->stop_fd, err);
	bool ok = client != NULL && mcp_tools(client, arena, &list, err);
	mcp_close(client);
	*tools = list.count;
	return ok;
}

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	const struct config_mcp *mcp = find(context, plan, err);
	if (mcp != NULL)
		str_format(text, size, "would restart %s '%s'",
			mcp->container != NULL ? "the container of MCP server" : "MCP server", mcp->name);
	return mcp != NULL;
}

static enum act_result run(
	const struct act_context *context, const struct plan *plan, char *text, size_t size)
{
	struct err err = {0};
	int tools;
	const struct config_mcp *mcp = find(context, plan, &err);
	if (mcp == NULL) {
		str_copy(text, size, err.text);
		return ACT_GONE;
	}
	if (mcp->container != NULL)
		return restart_container(context, mcp, text, size);
	if (answers(context, mcp, &tools, &err)) {
		str_format(text, size, "Successfully %s MCP server '%s': %d tools",
			mcp->command != NULL ? "restarted" : "reconnected to", mcp->name, tools);
		return ACT_DONE;
	}
	str_copy(text, size, err.text);
	return ACT_FAILED;
}

static enum look_result verify(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct err err = {0};
	int tools;
	const struct config_mcp *mcp = find(context, plan, &err);
	*since_ms = 0;
	if (mcp == NULL) {
		str_copy(text, size, err.text);
		return LOOK_MEANT;
	}
	if (answers(context, mcp, &tools, &err)) {
		str_format(text, size, "lists %d tools", tools);
		return LOOK_HEALTHY;
	}
	str_copy(text, size, err.text);
	/* A container takes its time to serve. */
	return err.kind == ERR_CANCELLED ? LOOK_BLIND : LOOK_NOT_YET;
}

const struct action mcp_restart = {
	.info =
		{
			.name = "mcp.server.restart",
			.summary =
				"Restart an MCP server: its container where it is named, else its process or "
				"the connection.",
			.title = "Restart MCP server",
			.done = "restarted MCP server",
			.kind = COMPONENT_MCP,
			.floor = RISK_LOW,
			.has_undo = false,
			.counts = true,
		},
	.check = check,
	.run = run,
	.verify = verify,
};
