/* The tools of a server: listing them, calling one. */
#include <string.h>

#include "client/mcp_internal.h"

#define TOOLS_MAX 512
#define PAGES_MAX 64
#define TOOLS_BYTES ((size_t)4 * 1024 * 1024)
#define NAME_BYTES 128
#define TEXT_BYTES ((size_t)256 * 1024)
#define ROUNDS_MAX 4

static const char *raw_copy(struct json value, struct arena *arena)
{
	size_t length;
	const char *raw = json_raw(value, &length);
	return raw != NULL ? arena_strndup(arena, raw, length) : NULL;
}

/* Remembers the schema of a tool whose parameters are mirrored in headers. */
static void keep_schema(struct mcp *mcp, const char *name, const char *schema)
{
	struct mcp_schema *kept = arena_try(mcp->schemas, sizeof(*kept));
	if (kept == NULL)
		return;
	*kept = (struct mcp_schema){.tool = arena_strdup(mcp->schemas, name),
		.schema = arena_strdup(mcp->schemas, schema),
		.next = mcp->schema};
	if (kept->tool != NULL && kept->schema != NULL)
		mcp->schema = kept;
}

/* False: it does not fit. */
static bool add_tool(
	struct mcp *mcp, struct json each, struct arena *arena, struct mcp_tools *tools)
{
	char name[NAME_BYTES + 2];
	struct json schema = json_get(each, "inputSchema");
	bool has_headers = false;
	bool named = json_kind(json_get(each, "name")) == JSON_STRING &&
		json_copy(json_get(each, "name"), name, sizeof(name)) && name[0] != '\0' &&
		strlen(name) <= NAME_BYTES;
	bool headers_valid = mcp_header_valid(schema, &has_headers);
	bool matter = mcp->server.era == MCP_MODERN && mcp->config.command == NULL;
	if (!named || json_kind(schema) != JSON_OBJECT || (matter && !headers_valid)) {
		tools->excluded++;
		return true;
	}
	const char *description = json_str(json_get(each, "description"), arena);
	struct mcp_tool tool = {.name = arena_strdup(arena, name),
		.description = description != NULL ? description : "",
		.input_schema = raw_copy(schema, arena),
		.read_only = json_bool(json_path(each, "annotations.readOnlyHint"), false)};
	if (tool.name == NULL || tool.input_schema == NULL)
		return false;
	if (matter && has_headers)
		keep_schema(mcp, name, tool.input_schema);
	tools->tools[tools->count++] = tool;
	return true;
}

static bool too_many(struct mcp *mcp, struct err *err)
{
	return err_set(err, ERR_INPUT,
		"%s: tools/list: more than %d tools, %d pages or %zu bytes: too many for anybody",
		mcp->name, TOOLS_MAX, PAGES_MAX, TOOLS_BYTES);
}

/* One page; *cursor becomes the next one's, or NULL. */
static bool list_page(struct mcp *mcp, struct arena *arena, struct mcp_tools *tools,
	const char **cursor, struct err *err)
{
	struct mcp_answer answer;
	struct str params;
	str_init(&params, arena);
	if (*cursor != NULL)
		str_addf(&params, "\"cursor\":%s", *cursor);
	auto_arena page = arena_new(MCP_SCRATCH_BYTES);
	struct mcp_ask ask = {.method = "tools/list", .params = params.s, .repeatable = true};
	if (params.full)
		return too_many(mcp, err);
	if (!mcp_ask(mcp, &ask, page, &answer, err))
		return false;
	if (answer.is_error)
		return mcp_refused(mcp, "tools/list", &answer, err);
	struct json list = json_get(answer.value, "tools"), next;
	if (json_kind(list) != JSON_ARRAY)
		return err_set(err, ERR_INPUT, "%s: tools/list: the answer has no list", mcp->name);
	for (struct json each = json_first(list); json_is(each); each = json_next(each))
		if (tools->count == TOOLS_MAX || !add_tool(mcp, each, arena, tools))
			return too_many(mcp, err);
	next = json_get(answer.value, "nextCursor");
	const char *before = *cursor;
	*cursor = json_kind(next) == JSON_STRING ? raw_copy(next, arena) : NULL;
	if (before != NULL && *cursor != NULL && strcmp(before, *cursor) == 0)
		return err_set(err, ERR_INPUT, "%s: tools/list: its pages go round in a circle", mcp->name);
	return true;
}

bool mcp_tools(struct mcp *mcp, struct arena *arena, struct mcp_tools *tools, struct err *err)
{
	*tools = (struct mcp_tools){0};
	if (!mcp_connect(mcp, err))
		return false;
	/* its own arena first: a list that does not fit the caller's is an ordinary error */
	struct arena *schemas = arena_new(TOOLS_BYTES);
	arena_free(mcp->schemas);
	mcp->schemas = schemas;
	mcp->schema = NULL;
	mcp->tools_changed = false;
	tools->tools = arena_try(arena, TOOLS_MAX * sizeof(*tools->tools));
	size_t begun = arena_used(arena);
	const char *cursor = NULL;
	bool more = tools->tools != NULL;
	for (int pages = 0; more; pages++) {
		if (pages == PAGES_MAX || arena_used(arena) - begun > TOOLS_BYTES)
			return too_many(mcp, err);
		if (!list_page(mcp, arena, tools, &cursor, err))
			return false;
		more = cursor != NULL;
	}
	mcp->listed = tools->tools != NULL;
	return mcp->listed || too_many(mcp, err);
}

/* The headers that mirror arguments; NULL: none. */
static const char *const *mirrored(
	struct mcp *mcp, const char *tool, const char *arguments, struct arena *arena)
{
	struct json schema, given;
	for (const struct mcp_schema *kept = mcp->schema; kept != NULL; kept = kept->next) {
		if (strcmp(kept->tool, tool) != 0)
			continue;
		if (!json_parse(arena, kept->schema, strlen(kept->schema), &schema, NULL) ||
			!json_parse(arena, arguments, strlen(arguments), &given, NULL))
			return NULL;
		const char **headers = ARENA_ARRAY(arena, const char *, MCP_HEADERS_MAX + 1);
		mcp_header_mirror(schema, given, arena, headers, MCP_HEADERS_MAX);
		return headers;
	}
	return NULL;
}

static void read_content(struct json content, struct arena *arena, struct mcp_result *result)
{
	struct str text;
	str_init(&text, arena);
	for (struct json each = json_first(content); json_is(each); each = json_next(each)) {
		char type[24];
		json_copy(json_get(each, "type"), type, sizeof(type));
		const char *words = json_str(json_get(each, "text"), arena);
		if (strcmp(type, "text") != 0 || words == NULL) {
			result->others++;
			continue;
		}
		size_t length = strlen(words), room = TEXT_BYTES - text.len;
		if (text.len > 0 && room > 0)
			str_addc(&text, '\n');
		room = TEXT_BYTES - text.len;
		result->cut = result->cut || length > room;
		length = length > room ? room : length;
		while (length > 0 && length == room && ((unsigned char)words[length] & 0xC0) == 0x80)
			length--;
		str_addn(&text, words, length);
	}
	result->cut = result->cut || text.full;
	result->text = text.s;
}

static bool read_result(struct mcp *mcp, struct json value, struct arena *arena,
	struct mcp_result *result, struct err *err)
{
	struct json structured = json_get(value, "structuredContent");
	struct json content = json_get(value, "content");
	if (json_kind(content) != JSON_ARRAY && !json_is(structured))
		return err_set(err, ERR_INPUT, "%s: tools/call: the answer has no content", mcp->name);
	result->is_error = json_bool(json_get(value, "isError"), false);
	read_content(content, arena, result);
	if (json_is(structured))
		result->structured = raw_copy(structured, arena);
	return true;
}

/* That the tool or its arguments are wrong is told as a result by some servers, as an error by
 * others: here it is always a result. */
static bool read_error(struct mcp *mcp, const struct mcp_answer *answer, struct arena *arena,
	struct mcp_result *result, struct err *err)
{
	if (answer->code != MCP_BAD_PARAMS && answer->code != MCP_NO_METHOD)
		return mcp_refused(mcp, "tools/call", answer, err);
	const char *text = json_str(json_get(answer->value, "message"), arena);
	result->is_error = true;
	result->code = answer->code;
	result->text = text != NULL ? text : "";
	return true;
}

/* "input_required" without questions only asks to come again, with its state. With questions it
 * wants what we have not offered. */
static bool wants_again(
	struct mcp *mcp, struct json value, struct arena *arena, const char **state, struct err *err)
{
	char type[32];
	*state = NULL;
	if (!json_copy(json_get(value, "resultType"), type, sizeof(type)) ||
		strcmp(type, "complete") == 0)
		return true;
	if (strcmp(type, "input_required") != 0)
		return err_set(
			err, ERR_INPUT, "%s: tools/call: a result of the unknown type \"%s\"", mcp->name, type);
	struct json given = json_get(value, "requestState");
	if (json_count(json_get(value, "inputRequests")) == 0 && json_kind(given) == JSON_STRING)
		*state = raw_copy(given, arena);
	return *state != NULL ||
		err_set(err, ERR_INPUT,
			"%s: tools/call: the tool wants to ask a person or a model, which homeostat does not "
			"offer",
			mcp->name);
}

bool mcp_call(struct mcp *mcp, const char *tool, const char *arguments, struct arena *arena,
	struct mcp_result *result, struct err *err)
{
	const char *state = NULL;
	struct json given;
	*result = (struct mcp_result){.text = ""};
	auto_arena scratch = arena_new(MCP_SCRATCH_BYTES);
	if (arguments == NULL)
		arguments = "{}";
	if (!json_parse(scratch, arguments, strlen(arguments), &given, err) ||
		json_kind(given) != JSON_OBJECT)
		return err_set(
			err, ERR_INPUT, "%s: tools/call: the arguments are no JSON object", mcp->name);
	if (!mcp_connect(mcp, err))
		return false;
	struct mcp_tools tools;
	if (mcp->server.era == MCP_MODERN && mcp->config.command == NULL && !mcp->listed &&
		!mcp_tools(mcp, scratch, &tools, err))
		return false;
	for (int round = 0; round < ROUNDS_MAX; round++) {
		struct mcp_answer answer;
		struct str params;
		struct json_out out;
		str_init(&params, scratch);
		json_begin(&out, &params);
		json_put_str(&out, "name", tool);
		json_put_raw(&out, "arguments", arguments);
		if (state != NULL)
			json_put_raw(&out, "requestState", state);
		struct mcp_ask ask = {.method = "tools/call",
			.params = params.s,
			.name = tool,
			.extra = mirrored(mcp, tool, arguments, scratch)};
		if (!mcp_ask(mcp, &ask, scratch, &answer, err))
			return false;
		if (answer.is_error)
			return read_error(mcp, &answer, arena, result, err);
		if (!wants_again(mcp, answer.value, scratch, &state, err))
			return false;
		if (state == NULL)
			return read_result(mcp, answer.value, arena, result, err);
	}
	return err_set(err, ERR_INPUT, "%s: tools/call: put off %d times", mcp->name, ROUNDS_MAX);
}
