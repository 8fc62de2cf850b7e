/*
 * What can be changed: a POST becomes a request of the core.
 */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "report/internal.h"

#define CORE_MS 5000
#define MUTE_MAX_MS (30 * INT64_C(86400000))

bool body_is_json(const struct server_request *request)
{
	const char *type = server_header(request, "Content-Type");
	static const char want[] = "application/json";
	size_t n = sizeof(want) - 1;
	return type != NULL && strncasecmp(type, want, n) == 0 &&
		(type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static struct member *find_member(struct member *members, int n, const char *key)
{
	for (int i = 0; i < n; i++)
		if (str_equal(members[i].name, key))
			return &members[i];
	return NULL;
}

static bool read_member(struct call *call, struct json value, struct member *members, int n)
{
	char key[64];
	const char *name = json_key(value, call->arena);
	words_clean(key, sizeof(key), name != NULL ? name : "");
	struct member *member = find_member(members, n, name);
	if (member == NULL)
		reply_problem(call, 400, "the body has an unknown member \"%s\"", key);
	else if (member->field[0] != '\0')
		reply_problem(call, 400, "the body has \"%s\" twice", key);
	else if (json_kind(value) != JSON_STRING)
		reply_problem(call, 400, "%s: must be a text", key);
	/* cut, a name could be another component's */
	else if (!str_copy(member->field, member->size, json_str(value, call->arena)) ||
		member->field[0] == '\0')
		reply_problem(call, 400, "%s: must be a text of 1 to %zu bytes", key, member->size - 1);
	else
		return true;
	return false;
}

bool read_body(struct call *call, struct member *members, int n)
{
	const struct server_request *request = call->request;
	struct json root;
	struct err err = {0};
	if (!body_is_json(request)) {
		reply_problem(call, 415, "send a JSON object, with Content-Type: application/json");
		return false;
	}
	if (n == 0 && request->body_bytes == 0)
		return true;
	if (!json_parse(call->arena, request->body, request->body_bytes, &root, &err)) {
		reply_problem(call, 400, "the body is no JSON: %s", err.text);
		return false;
	}
	if (json_kind(root) != JSON_OBJECT) {
		reply_problem(call, 400, "the body must be a JSON object");
		return false;
	}
	for (struct json value = json_first(root); json_is(value); value = json_next(value))
		if (!read_member(call, value, members, n))
			return false;
	for (int i = 0; i < n; i++) {
		if (!members[i].required || members[i].field[0] != '\0')
			continue;
		reply_problem(call, 400, "the body lacks \"%s\"", members[i].name);
		return false;
	}
	return true;
}

void pass_on(struct call *call, struct request *request)
{
	const char *why;
	struct answer *answer = ask_core(call, request, CORE_MS, &why);
	if (answer == NULL) {
		reply_problem(call, 503, "%s", why);
		return;
	}
	if (!answer->ok) {
		reply_problem(call, answer->status >= 400 ? answer->status : 503, "%s", answer->text);
		return;
	}
	struct str body;
	struct json_out out;
	str_init(&body, call->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	json_put_bool(&out, "ok", true);
	put_text(&out, "text", answer->text, call->arena);
	if (answer->incident_id != 0)
		json_put_int(&out, "incident_id", answer->incident_id);
	json_close(&out, '}');
	str_addc(&body, '\n');
	reply_text(call, "application/json", body.s);
}

void post_approval(struct call *call)
{
	char decision[16] = "";
	struct request request = {.kind = REQUEST_DECIDE, .incident_id = call->id};
	struct member members[] = {
		{"decision", true, decision, sizeof(decision)},
		{"plan", false, request.plan_hash, sizeof(request.plan_hash)},
	};
	if (!read_body(call, members, 2))
		return;
	request.approve = str_equal(decision, "approve");
	if (request.approve || str_equal(decision, "reject"))
		pass_on(call, &request);
	else
		reply_problem(call, 400, "decision: \"approve\" or \"reject\"");
}

void post_autohealing(struct call *call)
{
	char mode[16] = "";
	struct request request = {.kind = REQUEST_HEALING};
	struct member members[] = {{"mode", true, mode, sizeof(mode)}};
	if (!read_body(call, members, 1))
		return;
	if (healing_parse(mode, &request.healing))
		pass_on(call, &request);
	else
		reply_problem(call, 400, "mode: \"on\", \"off\" or \"shadow\"");
}

void post_retry(struct call *call)
{
	struct request request = {.kind = REQUEST_RETRY, .incident_id = call->id};
	if (read_body(call, NULL, 0))
		pass_on(call, &request);
}

void post_reset(struct call *call)
{
	struct request request = {.kind = REQUEST_RESET};
	struct member members[] = {
		{"component", true, request.component, sizeof(request.component)},
	};
	if (read_body(call, members, 1))
		pass_on(call, &request);
}

/* for: "2h"; "0s" ends it. */
void post_mute(struct call *call)
{
	char time[24] = "";
	struct request request = {.kind = REQUEST_MUTE};
	struct member members[] = {
		{"component", true, request.component, sizeof(request.component)},
		{"for", true, time, sizeof(time)},
	};
	if (!read_body(call, members, 2))
		return;
	request.for_ms = str_parse_duration(time);
	if (request.for_ms >= 0 && request.for_ms <= MUTE_MAX_MS)
		pass_on(call, &request);
	else
		reply_problem(call, 400, "for: write a time up to 30d, as \"2h\"; \"0s\" ends it");
}

void post_order(struct call *call)
{
	struct request request = {.kind = REQUEST_ORDER};
	struct member members[] = {
		{"action", true, request.action, sizeof(request.action)},
		{"component", true, request.component, sizeof(request.component)},
		{"params", false, request.params, sizeof(request.params)},
	};
	if (read_body(call, members, 3))
		pass_on(call, &request);
}
