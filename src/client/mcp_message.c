/* Messages of JSON-RPC: what we send, and what becomes of what comes. */
#include <string.h>

#include "client/mcp_internal.h"

#define META \
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"" MCP_MODERN_VERSION \
	"\",\"io.modelcontextprotocol/" \
	"clientInfo\":{\"name\":\"homeostat\",\"version\":\"" HOMEOSTAT_VERSION \
	"\"},\"io.modelcontextprotocol/clientCapabilities\":{}}"

const char *mcp_text(const struct mcp_ask *ask, int64_t id, struct arena *arena)
{
	struct str text;
	const char *params = ask->params;
	str_init(&text, arena);
	str_add(&text, "{\"jsonrpc\":\"2.0\",");
	if (id > 0)
		str_addf(&text, "\"id\":%lld,", (long long)id);
	str_addf(&text, "\"method\":\"%s\"", ask->method);
	if (ask->is_modern)
		str_addf(&text, ",\"params\":{%s%s%s}", params, params[0] != '\0' ? "," : "", META);
	else if (params[0] != '\0')
		str_addf(&text, ",\"params\":{%s}", params);
	str_addc(&text, '}');
	return text.full ? NULL : text.s;
}

static bool is_number(struct json value, int64_t number)
{
	return json_kind(value) == JSON_NUMBER && json_int(value, -1) == number;
}

/* Keeps the answer beyond its message: what the message was parsed from is used again. */
static void keep_answer(struct mcp_wait *wait, struct json value, bool is_error)
{
	size_t length;
	const char *raw = json_raw(value, &length);
	char *copy = arena_strndup(wait->arena, raw, length);
	struct mcp_answer *answer = wait->answer;
	if (copy == NULL || !json_parse(wait->arena, copy, length, &answer->value, NULL))
		return;
	answer->is_error = is_error;
	answer->code = (int)json_int(json_get(value, "code"), 0);
	wait->answered = true;
}

/* Answers a request of the server. Only ping is offered; the rest was not promised either. */
static void serve(struct mcp *mcp, struct mcp_wait *wait, struct json id, const char *method)
{
	size_t length;
	const char *raw = json_raw(id, &length);
	enum json_kind kind = json_kind(id);
	if (wait->reply == NULL || wait->requests++ >= MCP_REQUESTS_MAX || length > 256 ||
		(kind != JSON_STRING && kind != JSON_NUMBER))
		return;
	auto_arena arena = arena_new(4096);
	const char *what = strcmp(method, "ping") == 0
		? "\"result\":{}"
		: "\"error\":{\"code\":-32601,\"message\":\"Method not found: homeostat offers neither "
		  "sampling nor elicitation nor roots\"}";
	wait->reply(
		mcp, arena_printf(arena, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,%s}", (int)length, raw, what));
}

static void take_reply(struct mcp *mcp, struct mcp_wait *wait, struct json message)
{
	struct json id = json_get(message, "id"), result = json_get(message, "result");
	struct json error = json_get(message, "error");
	bool is_error = json_kind(error) == JSON_OBJECT;
	if (mcp->probe_id != 0 && mcp->probe_id != wait->id && is_number(id, mcp->probe_id))
		mcp->probe_was_modern = json_kind(json_get(result, "supportedVersions")) == JSON_ARRAY;
	/* an error without an id is about what we sent, and there is only one thing */
	bool nameless = is_error && (!json_is(id) || json_kind(id) == JSON_NULL);
	if (wait->answered || (!is_number(id, wait->id) && !nameless))
		return;
	if (is_error || json_kind(result) == JSON_OBJECT)
		keep_answer(wait, is_error ? error : result, is_error);
}

static bool take_one(struct mcp *mcp, struct mcp_wait *wait, struct json message)
{
	char method[96];
	if (json_kind(message) != JSON_OBJECT)
		return false;
	bool named = json_copy(json_get(message, "method"), method, sizeof(method));
	struct json id = json_get(message, "id");
	if (named && json_is(id)) {
		serve(mcp, wait, id, method);
		return true;
	}
	if (named) {
		if (strcmp(method, "notifications/tools/list_changed") == 0)
			mcp->tools_changed = true;
		return true;
	}
	if (!json_is(json_get(message, "result")) && !json_is(json_get(message, "error")))
		return false;
	take_reply(mcp, wait, message);
	return true;
}

bool mcp_take(struct mcp *mcp, struct mcp_wait *wait, const char *text, size_t length)
{
	struct json root;
	auto_arena arena = arena_new(MCP_SCRATCH_BYTES);
	if (!json_parse(arena, text, length, &root, NULL))
		return false;
	if (json_kind(root) != JSON_ARRAY)
		return take_one(mcp, wait, root);
	/* 2025-03-26 had batches */
	bool any = false;
	for (struct json each = json_first(root); json_is(each); each = json_next(each))
		any = take_one(mcp, wait, each) || any;
	return any;
}
