#include "report/mcp_tools.h"

#include <string.h>

#include "base/str.h"

#define ARGUMENTS 4
#define ROWS_MAX 200

enum argument_type { ARGUMENT_NUMBER, ARGUMENT_BOOL, ARGUMENT_STATE, ARGUMENT_TEXT };

struct argument {
	const char *name;
	enum argument_type type;
	const char *summary;
	int64_t max;
	bool needed;
};

struct mcp_tool_info {
	const char *name, *title, *summary;
	const char *path; /* an argument that is a part of it stands for the '#' */
	bool posts;       /* its arguments are the body */
	struct argument arguments[ARGUMENTS];
};

static const struct mcp_tool_info tools[] = {
	{.name = "health",
		.title = "System health",
		.summary =
			"The state of the homelab now: the worst severity, active issues, what was healed "
			"today, the sources and whether they answer, the mode of auto-healing.",
		.path = "/api/v1/health"},
	{.name = "incidents",
		.title = "Incidents",
		.summary = "Incidents, newest first: component, issue, severity, state, cause and remedy.",
		.path = "/api/v1/incidents",
		.arguments = {{"state", ARGUMENT_STATE, "Which: open (the default), ended or all.", 0,
						  false},
			{"limit", ARGUMENT_NUMBER, "At most so many.", ROWS_MAX, false}}},
	{.name = "components",
		.title = "Components",
		.summary = "Everything that is watched, with its state and health.",
		.path = "/api/v1/components"},
	{.name = "why",
		.title = "Why",
		.summary =
			"One incident's whole story: what happened, why, by what evidence, what was decided "
			"and done.",
		.path = "/api/v1/incidents/#",
		.arguments = {{"id", ARGUMENT_NUMBER, "The incident's number.", INT64_C(1) << 53, false}}},
	{.name = "audit",
		.title = "Audit log",
		.summary = "The newest entries of the audit log: every decision, approval and action.",
		.path = "/api/v1/audit",
		.arguments = {{"limit", ARGUMENT_NUMBER, "At most so many.", ROWS_MAX, false},
			{"verify", ARGUMENT_BOOL, "Whether the chain of hashes is checked too.", 0, false}}},
	{.name = "patterns",
		.title = "Patterns",
		.summary = "What was learnt: how often each action helped against each trouble.",
		.path = "/api/v1/patterns"},
	{.name = "propose",
		.title = "Propose an action",
		.summary = "Asks a person to allow one action on one component. It never runs by itself.",
		.path = "/api/v1/proposals",
		.posts = true,
		.arguments = {{"action", ARGUMENT_TEXT, "Its name, as docker.container.restart.", 47, true},
			{"component", ARGUMENT_TEXT, "The component, as docker_container_web.", 127, true},
			{"reason", ARGUMENT_TEXT, "Why, in one sentence, for the person.", 239, true},
			{"params", ARGUMENT_TEXT, "name=value, separated by spaces.", 159, false}}},
};
#define TOOLS (sizeof(tools) / sizeof(tools[0]))

const struct mcp_tool_info *mcp_tools_find(const char *name)
{
	for (size_t i = 0; i < TOOLS; i++)
		if (strcmp(tools[i].name, name) == 0)
			return &tools[i];
	return NULL;
}

static bool is_in_path(const struct mcp_tool_info *tool)
{
	return strchr(tool->path, '#') != NULL;
}

static void put_argument(struct json_out *out, const struct argument *argument)
{
	static const char *const types[] = {"integer", "boolean", "string", "string"};
	json_open(out, argument->name, '{');
	json_put_str(out, "type", types[argument->type]);
	json_put_str(out, "description", argument->summary);
	if (argument->type == ARGUMENT_NUMBER) {
		json_put_int(out, "minimum", 1);
		json_put_int(out, "maximum", argument->max);
	}
	if (argument->type == ARGUMENT_STATE)
		json_put_raw(out, "enum", "[\"open\",\"ended\",\"all\"]");
	json_close(out, '}');
}

static void put_tool(struct json_out *out, const struct mcp_tool_info *tool)
{
	json_open(out, NULL, '{');
	json_put_str(out, "name", tool->name);
	json_put_str(out, "title", tool->title);
	json_put_str(out, "description", tool->summary);
	json_open(out, "inputSchema", '{');
	json_put_str(out, "type", "object");
	json_open(out, "properties", '{');
	for (int i = 0; i < ARGUMENTS && tool->arguments[i].name != NULL; i++)
		put_argument(out, &tool->arguments[i]);
	json_close(out, '}');
	if (is_in_path(tool) || tool->posts) {
		json_open(out, "required", '[');
		for (int i = 0; i < ARGUMENTS && tool->arguments[i].name != NULL; i++)
			if (is_in_path(tool) || tool->arguments[i].needed)
				json_put_str(out, NULL, tool->arguments[i].name);
		json_close(out, ']');
	}
	json_put_bool(out, "additionalProperties", false);
	json_close(out, '}');
	json_open(out, "annotations", '{');
	json_put_bool(out, "readOnlyHint", !tool->posts);
	if (tool->posts)
		json_put_bool(out, "destructiveHint", false);
	json_put_bool(out, "openWorldHint", false);
	json_close(out, '}');
	json_close(out, '}');
}

void mcp_tools_put(struct json_out *out)
{
	json_open(out, "tools", '[');
	for (size_t i = 0; i < TOOLS; i++)
		put_tool(out, &tools[i]);
	json_close(out, ']');
}

static const struct argument *find_argument(const struct mcp_tool_info *tool, const char *name)
{
	for (int i = 0; i < ARGUMENTS && tool->arguments[i].name != NULL; i++)
		if (str_equal(tool->arguments[i].name, name))
			return &tool->arguments[i];
	return NULL;
}

/* Writes the value as the path takes it. */
static bool read_argument(
	const struct argument *argument, struct json value, char *text, size_t size, struct err *err)
{
	char state[16];
	int64_t number = json_int(value, 0);
	switch (argument->type) {
	case ARGUMENT_NUMBER:
		if (json_kind(value) != JSON_NUMBER || number < 1 || number > argument->max)
			return err_set(err, ERR_INPUT, "%s: a whole number from 1 to %lld", argument->name,
				(long long)argument->max);
		return str_format(text, size, "%lld", (long long)number);
	case ARGUMENT_BOOL:
		if (json_kind(value) != JSON_BOOL)
			return err_set(err, ERR_INPUT, "%s: true or false", argument->name);
		return str_copy(text, size, json_bool(value, false) ? "1" : "0");
	case ARGUMENT_STATE:
		json_copy(value, state, sizeof(state));
		if (strcmp(state, "open") != 0 && strcmp(state, "ended") != 0 && strcmp(state, "all") != 0)
			return err_set(err, ERR_INPUT, "%s: open, ended or all", argument->name);
		return str_copy(text, size, state);
	case ARGUMENT_TEXT:
		if (json_kind(value) != JSON_STRING || !json_copy(value, text, size) || text[0] == '\0' ||
			strlen(text) > (size_t)argument->max)
			return err_set(err, ERR_INPUT, "%s: a text of 1 to %lld bytes", argument->name,
				(long long)argument->max);
		return true;
	}
	return false;
}

/* The path with its arguments; each argument is of a form that needs no encoding. */
static bool make_path(const struct mcp_tool_info *tool, struct json arguments, char *path,
	size_t size, struct err *err)
{
	char value[32], key[64], number[32] = "", query[128] = "";
	auto_arena arena = arena_new((size_t)4 << 20);
	if (json_is(arguments) && json_kind(arguments) != JSON_OBJECT)
		return err_set(err, ERR_INPUT, "arguments: an object");
	for (struct json each = json_first(arguments); json_is(each); each = json_next(each)) {
		STR_SET(key, json_key(each, arena));
		const struct argument *argument = find_argument(tool, key);
		if (argument == NULL)
			return err_set(err, ERR_INPUT, "%s takes no argument \"%.40s\"", tool->name, key);
		if (!read_argument(argument, each, value, sizeof(value), err))
			return false;
		size_t used = strlen(query);
		if (is_in_path(tool))
			STR_SET(number, value);
		else
			str_format(query + used, sizeof(query) - used, "%c%s=%s", used == 0 ? '?' : '&',
				argument->name, value);
	}
	if (is_in_path(tool) && number[0] == '\0')
		return err_set(err, ERR_INPUT, "%s: is missing", tool->arguments[0].name);
	return str_format(
			   path, size, "%.*s%s%s", (int)strcspn(tool->path, "#"), tool->path, number, query) ||
		err_set(err, ERR_INPUT, "the same argument more than once");
}

/* The arguments as the body of a POST, nothing else among them. */
static bool post(const struct mcp_host *host, const struct mcp_tool_info *tool,
	struct json arguments, struct arena *arena, const char **body, struct err *err)
{
	char value[512];
	struct str text;
	struct json_out out;
	if (host->post == NULL)
		return err_set(err, ERR_DENIED, "who asks without a token may only read");
	if (json_kind(arguments) != JSON_OBJECT)
		return err_set(err, ERR_INPUT, "arguments: an object");
	str_init(&text, arena);
	json_begin(&out, &text);
	json_open(&out, NULL, '{');
	for (struct json each = json_first(arguments); json_is(each); each = json_next(each)) {
		const char *key = json_key(each, arena);
		const struct argument *argument = find_argument(tool, key);
		if (argument == NULL)
			return err_set(err, ERR_INPUT, "%s takes no argument \"%.40s\"", tool->name, key);
		if (!read_argument(argument, each, value, sizeof(value), err))
			return false;
		json_put_str(&out, argument->name, value);
	}
	json_close(&out, '}');
	return host->post(host->ctx, tool->path, text.s, arena, body, err);
}

void mcp_tools_call(const struct mcp_host *host, const struct mcp_tool_info *tool,
	struct json arguments, struct json_out *out, struct arena *arena)
{
	char path[160];
	const char *body = NULL;
	struct err err = {0};
	struct json root;
	bool ok = tool->posts ? post(host, tool, arguments, arena, &body, &err)
						  : make_path(tool, arguments, path, sizeof(path), &err) &&
			host->get(host->ctx, path, arena, &body, &err);
	bool is_object = ok && json_parse(arena, body, strlen(body), &root, NULL) &&
		json_kind(root) == JSON_OBJECT;
	json_open(out, "content", '[');
	json_open(out, NULL, '{');
	json_put_str(out, "type", "text");
	size_t length = ok ? strlen(body) : 0;
	while (length > 0 && body[length - 1] == '\n')
		length--;
	json_put_str(out, "text", ok ? arena_strndup(arena, body, length) : err.text);
	json_close(out, '}');
	json_close(out, ']');
	if (is_object)
		json_put_raw(out, "structuredContent", body);
	json_put_bool(out, "isError", !ok);
}
