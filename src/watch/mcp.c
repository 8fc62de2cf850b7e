/*
 * MCP servers: each is one component, and one source, so that a server that hangs delays no other.
 * The connection is kept between looks; whether the process behind it ends is seen at once. A look
 * always reaches its source: that the server does not answer is what it has seen.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "client/mcp.h"
#include "watch/source.h"

#define LIST_BYTES ((size_t)16 * 1024 * 1024)
/* How soon a server that is down is tried again: doubling. */
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000

struct mcp_source {
	struct source_context context;
	const struct config_mcp *config;
	struct mcp *mcp;
	struct arena *baseline; /* holds the names of the tools that it listed before */
	const char **names;
	int count;
	char version[64]; /* of the server that listed them */
	bool looked;
	int64_t retry_ms;
	enum obs_state state; /* as last seen, since then */
	enum obs_health health;
	int64_t since_ms;
};

static int mcp_count(const struct config *config)
{
	return config->mcp_count;
}

static const char *mcp_title(const struct config *config, int index)
{
	return config->mcp[index].name;
}

static void *mcp_source_open(const struct source_context *context, struct err *err)
{
	struct mcp_source *source = calloc(1, sizeof(*source));
	if (source == NULL)
		abort();
	source->context = *context;
	source->config = &context->config->mcp[context->index];
	source->retry_ms = RETRY_MIN_MS;
	source->mcp = mcp_open_configured(
		context->config->state, source->config, context->stop_fd, err);
	if (source->mcp != NULL)
		return source;
	err_prefix(err, "%s", context->name);
	free(source);
	return NULL;
}

static void mcp_source_close(void *self)
{
	struct mcp_source *source = self;
	mcp_close(source->mcp);
	arena_free(source->baseline);
	free(source);
}

static bool has_tool(const struct mcp_tools *tools, const char *name)
{
	for (int i = 0; i < tools->count; i++)
		if (strcmp(tools->tools[i].name, name) == 0)
			return true;
	return false;
}

/* Takes a list as what is to be expected from now on. */
static void expect(struct mcp_source *source, const struct mcp_tools *tools)
{
	arena_free(source->baseline);
	source->baseline = arena_new(LIST_BYTES);
	source->names = ARENA_ARRAY(source->baseline, const char *, (size_t)tools->count + 1);
	source->count = tools->count;
	for (int i = 0; i < tools->count; i++)
		source->names[i] = arena_strdup(source->baseline, tools->tools[i].name);
	STR_SET(source->version, mcp_server(source->mcp)->version);
}

/* What it listed before and lists no more; "" when nothing. A server that has announced the change,
 * or is of another version, may list what it likes. */
static void compare(struct mcp_source *source, const struct mcp_tools *tools, bool announced,
	char *missing, size_t size)
{
	bool may = announced || source->baseline == NULL ||
		strcmp(source->version, mcp_server(source->mcp)->version) != 0;
	missing[0] = '\0';
	for (int i = 0; i < source->count && !may; i++) {
		if (has_tool(tools, source->names[i]))
			continue;
		size_t used = strlen(missing);
		str_format(missing + used, size - used, "%s%s", used > 0 ? ", " : "", source->names[i]);
	}
	if (missing[0] == '\0')
		expect(source, tools);
}

static void observe_well(struct mcp_source *source, const struct mcp_tools *tools, bool announced,
	struct observation *seen)
{
	const struct mcp_server *server = mcp_server(source->mcp);
	char missing[240];
	compare(source, tools, announced, missing, sizeof(missing));
	seen->state = OBS_RUNNING;
	seen->health = missing[0] == '\0' ? OBS_HEALTHY : OBS_UNHEALTHY;
	if (missing[0] == '\0') {
		STR_FORMAT(seen->status, "%d tool%s, MCP %s", tools->count, tools->count == 1 ? "" : "s",
			server->protocol);
		return;
	}
	STR_SET(seen->status, "does not list all its tools any more");
	STR_FORMAT(seen->detail, "missing: %s", missing);
}

static void observe_ill(struct mcp_source *source, const struct err *err, struct observation *seen)
{
	char words[160];
	bool hangs = err->kind == ERR_TIMEOUT || (err->kind == ERR_INPUT);
	seen->state = hangs ? OBS_RUNNING : OBS_UNREACHABLE;
	seen->health = hangs ? OBS_UNHEALTHY : OBS_NO_CHECK;
	if (!hangs)
		seen->trouble = err->kind == ERR_DENIED ? OBS_ERR_DENIED : OBS_ERR_DOWN;
	STR_SET(seen->status, err->kind == ERR_TIMEOUT ? "does not answer in time" : err->text);
	mcp_complaint(source->mcp, words, sizeof(words));
	STR_FORMAT(seen->detail, "%s%s%s", err->text, words[0] != '\0' ? "; it says: " : "", words);
}

static void note_change(struct mcp_source *source, struct observation *seen)
{
	if (!source->looked || source->state != seen->state || source->health != seen->health)
		source->since_ms = clock_wall_ms(source->context.clock);
	source->looked = true;
	source->state = seen->state;
	source->health = seen->health;
	seen->since_ms = source->since_ms;
}

static struct observation *begin(
	struct mcp_source *source, struct arena *arena, struct report *report)
{
	struct observation *seen = ARENA_NEW(arena, struct observation);
	seen->component.kind = COMPONENT_MCP;
	STR_FORMAT(seen->component.name, "mcp_%s", source->config->name);
	STR_SET(seen->component.label, source->config->name);
	STR_SET(seen->component.source, source->context.name);
	STR_SET(seen->component.native, source->config->name);
	seen->seen_mono_ms = clock_mono_ms(source->context.clock);
	*report = (struct report){
		.complete = true, .seen_mono_ms = seen->seen_mono_ms, .observations = seen, .count = 1};
	STR_SET(report->source, source->context.name);
	return seen;
}

/* How long to wait before this look. */
static int64_t pause_of(struct mcp_source *source, int64_t wait_ms)
{
	if (!source->looked)
		return 0;
	if (source->state == OBS_RUNNING && source->health == OBS_HEALTHY) {
		source->retry_ms = RETRY_MIN_MS;
		return wait_ms;
	}
	int64_t pause = source->retry_ms < wait_ms ? source->retry_ms : wait_ms;
	source->retry_ms = source->retry_ms * 2 < RETRY_MAX_MS ? source->retry_ms * 2 : RETRY_MAX_MS;
	return pause;
}

static bool mcp_look(
	void *self, int64_t wait_ms, struct arena *arena, struct report *report, struct err *err)
{
	struct mcp_source *source = self;
	struct mcp_tools tools;
	struct err why = {0};
	/* the list is not for the report: its arena is the mail's */
	auto_arena scratch = arena_new(LIST_BYTES);
	bool lives = mcp_wait(source->mcp, pause_of(source, wait_ms), &why);
	struct observation *seen = begin(source, arena, report);
	bool announced = mcp_tools_changed(source->mcp);
	bool well = lives && mcp_tools(source->mcp, scratch, &tools, &why);
	if (!well && why.kind == ERR_CANCELLED)
		return err_set(err, ERR_CANCELLED, "%s", why.text);
	if (well) {
		observe_well(source, &tools, announced, seen);
	} else {
		observe_ill(source, &why, seen);
		/* the next look begins anew; the process is our own child */
		mcp_disconnect(source->mcp);
	}
	note_change(source, seen);
	return true;
}

static bool mcp_check(void *self, source_say *say, void *ctx, struct err *err)
{
	char text[400];
	struct mcp_source *source = self;
	struct mcp_tools tools;
	auto_arena arena = arena_new(LIST_BYTES);
	if (!mcp_tools(source->mcp, arena, &tools, err))
		return false;
	const struct mcp_server *server = mcp_server(source->mcp);
	STR_FORMAT(text, "%s %s, MCP %s, %d tool%s", server->name, server->version, server->protocol,
		tools.count, tools.count == 1 ? "" : "s");
	say(ctx, SOURCE_GOOD, text);
	return true;
}

const struct source mcp_source = {
	.name = "mcp",
	.summary = "MCP servers: whether each answers in time and lists its tools.",
	.count = mcp_count,
	.title = mcp_title,
	.open = mcp_source_open,
	.look = mcp_look,
	.close = mcp_source_close,
	.check = mcp_check,
};
