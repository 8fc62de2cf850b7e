/*
 * POST /mcp: our tools for models, over HTTP. For those that only read the same rules hold as for
 * reading: no login from this machine when we listen on it only, else the token; propose always
 * needs the token.
 */
#include <string.h>

#include "base/str.h"
#include "report/internal.h"
#include "report/mcp.h"

/* What was answered, or what the problem's detail says. */
static bool take_body(
	struct call *call, const struct server_reply *reply, const char **body, struct err *err)
{
	struct json root;
	char detail[400] = "";
	if (reply->status == 200 && reply->body != NULL) {
		*body = reply->body;
		return true;
	}
	if (reply->body != NULL && json_parse(call->arena, reply->body, reply->body_bytes, &root, NULL))
		json_copy(json_get(root, "detail"), detail, sizeof(detail));
	return err_set(err, ERR_INPUT, "%s", detail[0] != '\0' ? detail : "no answer");
}

/* Answers a GET of our own API within this request. */
static bool get_own(
	void *ctx, const char *path, struct arena *arena, const char **body, struct err *err)
{
	struct call *call = ctx;
	struct server_request request = *call->request;
	struct server_reply reply = {0};
	const char *query = strchr(path, '?');
	request.method = "GET";
	request.path = arena_strndup(arena, path, strcspn(path, "?"));
	request.body = "";
	request.body_bytes = 0;
	struct call inner = *call;
	inner.request = &request;
	inner.reply = &reply;
	inner.query = query != NULL ? query + 1 : "";
	inner.changes = false;
	if (!api_route(&inner))
		return err_set(err, ERR_GONE, "there is nothing at %s", request.path);
	return take_body(call, &reply, body, err);
}

/* The same for what changes something: only for who has shown a token, or comes by our socket. */
static bool post_own(void *ctx, const char *path, const char *json, struct arena *arena,
	const char **body, struct err *err)
{
	struct call *call = ctx;
	struct server_request request = *call->request;
	struct server_reply reply = {0};
	request.path = path;
	request.body = json;
	request.body_bytes = strlen(json);
	struct call inner = *call;
	inner.request = &request;
	inner.reply = &reply;
	inner.changes = true;
	(void)arena;
	post_proposal(&inner);
	return take_body(call, &reply, body, err);
}

void post_mcp(struct call *call)
{
	const struct server_request *request = call->request;
	const struct mcp_host host = {
		.ctx = call, .get = get_own, .post = call->actor[0] != '\0' ? post_own : NULL};
	const struct mcp_message message = {
		.text = request->body,
		.length = request->body_bytes,
		.is_http = true,
		.version = server_header(request, "MCP-Protocol-Version"),
		.method = server_header(request, "Mcp-Method"),
		.name = server_header(request, "Mcp-Name"),
	};
	struct mcp_reply reply = {0};
	if (!body_is_json(request)) {
		reply_problem(call, 415, "send a JSON-RPC message, with Content-Type: application/json");
		return;
	}
	mcp_host_answer(&host, &message, call->arena, &reply);
	*call->reply = (struct server_reply){.status = reply.status};
	if (reply.text == NULL)
		return;
	call->reply->content_type = "application/json";
	call->reply->body = reply.text;
	call->reply->body_bytes = strlen(reply.text);
}
