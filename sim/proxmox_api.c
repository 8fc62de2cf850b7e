/*
 * A request's way through the real server's order: authentication, routing, permissions, proxy,
 * parameters, action; and how its answers and errors look on the wire.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_world.h"

const struct pve_route *const pve_route_tables[] = {pve_routes_cluster, pve_routes_nodes,
	pve_routes_guests, pve_routes_power, pve_routes_tasks, pve_routes_storage, pve_routes_access,
	pve_routes_config, pve_routes_ha, pve_routes_roles, pve_routes_agent, NULL};

const char *pve_arg(const struct pve_call *call, const char *name)
{
	for (int i = 0; i < call->param_count; i++)
		if (strcmp(call->params[i].name, name) == 0)
			return call->params[i].value;
	return NULL;
}

bool pve_flag(const struct pve_call *call, const char *name)
{
	const char *value = pve_arg(call, name);
	return value != NULL && strcmp(value, "0") != 0 && strcasecmp(value, "false") != 0 &&
		strcasecmp(value, "no") != 0 && strcasecmp(value, "off") != 0;
}

int64_t pve_number(const struct pve_call *call, const char *name, int64_t otherwise)
{
	const char *value = pve_arg(call, name);
	return value == NULL ? otherwise : strtoll(value, NULL, 10);
}

struct json_out *pve_begin(struct pve_call *call, char bracket)
{
	str_init(&call->str, call->arena);
	json_begin(&call->out, &call->str);
	json_open(&call->out, NULL, '{');
	json_open(&call->out, "data", bracket);
	return &call->out;
}

static void ok(struct pve_call *call)
{
	call->reply->status = 200;
	STR_SET(call->reply->reason, "OK");
	call->reply->body = call->str.s;
	call->answered = true;
}

void pve_end(struct pve_call *call, char bracket)
{
	json_close(&call->out, bracket);
	if (call->total != NULL)
		json_put_raw(&call->out, "total", call->total);
	json_close(&call->out, '}');
	ok(call);
}

void pve_raw(struct pve_call *call, const char *json)
{
	str_init(&call->str, call->arena);
	str_addf(&call->str, "{\"data\":%s}", json);
	ok(call);
}

void pve_text(struct pve_call *call, const char *text)
{
	str_init(&call->str, call->arena);
	json_begin(&call->out, &call->str);
	json_open(&call->out, NULL, '{');
	json_put_str(&call->out, "data", text);
	json_close(&call->out, '}');
	ok(call);
}

void pve_fail(struct pve_call *call, int status, const char *fmt, ...)
{
	char text[512];
	struct json_out out;
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	call->reply->status = status;
	str_copy(call->reply->reason, sizeof(call->reply->reason), text);
	str_init(&call->str, call->arena);
	json_begin(&out, &call->str);
	json_open(&out, NULL, '{');
	json_put_raw(&out, "data", "null");
	json_put_str(&out, "message", status == 501 ? text : arena_printf(call->arena, "%s\n", text));
	json_close(&out, '}');
	call->reply->body = call->str.s;
	call->answered = true;
}

void pve_bare(struct pve_call *call, int status, const char *reason, int64_t held_ms)
{
	call->reply->status = status;
	str_copy(call->reply->reason, sizeof(call->reply->reason), reason);
	call->reply->body = "";
	call->reply->held_ms = held_ms;
	call->answered = true;
}

bool pve_demand(struct pve_call *call, const char *path, const char *any)
{
	if (pve_may(call->sim, call->who.id, path, any))
		return true;
	pve_fail(call, 403, "Permission check failed (%s, %s)", path, any);
	return false;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
		: c >= 'a' && c <= 'f'  ? c - 'a' + 10
		: c >= 'A' && c <= 'F'  ? c - 'A' + 10
								: -1;
}

static void decode(char *text, bool plus)
{
	char *to = text;
	for (const char *from = text; *from != '\0'; from++, to++) {
		*to = plus && *from == '+' ? ' ' : *from;
		if (*from == '%' && hex(from[1]) >= 0 && hex(from[2]) >= 0) {
			*to = (char)(hex(from[1]) * 16 + hex(from[2]));
			from += 2;
		}
	}
	*to = '\0';
}

static void add_param(struct pve_call *call, const char *name, char *value, bool is_path)
{
	int room = (int)(sizeof(call->params) / sizeof(call->params[0]));
	if (call->param_count < room)
		call->params[call->param_count++] = (struct pve_param){name, value, is_path};
}

/* "a=1&b=2"; a name without '=' has an empty value. */
static void read_form(struct pve_call *call, const char *text)
{
	char *copy = arena_strdup(call->arena, text), *save = NULL;
	for (char *pair = strtok_r(copy, "&", &save); pair != NULL; pair = strtok_r(NULL, "&", &save)) {
		char *value = strchr(pair, '=');
		if (value != NULL)
			*value++ = '\0';
		decode(pair, true);
		if (value != NULL)
			decode(value, true);
		add_param(call, pair, value != NULL ? value : arena_strdup(call->arena, ""), false);
	}
}

static bool read_json(struct pve_call *call, const char *text)
{
	struct json root;
	if (!json_parse(call->arena, text, strlen(text), &root, NULL) || json_kind(root) != JSON_OBJECT)
		return false;
	for (struct json v = json_first(root); json_is(v); v = json_next(v)) {
		const char *name = json_key(v, call->arena);
		if (json_kind(v) != JSON_ARRAY) {
			add_param(call, name, arena_strdup(call->arena, json_str(v, call->arena)), false);
			continue;
		}
		for (struct json e = json_first(v); json_is(e); e = json_next(e))
			add_param(call, name, arena_strdup(call->arena, json_str(e, call->arena)), false);
	}
	return true;
}

/* Whether path is of the template; what stands at {names} becomes parameters. */
static bool fits(struct pve_call *call, const char *template, const char *path)
{
	int before = call->param_count;
	while (*template != '\0' && *path != '\0') {
		if (*template == '{') {
			size_t name = strcspn(template + 1, "}"), size = strcspn(path, "/");
			char *value = arena_strndup(call->arena, path, size);
			if (size == 0)
				break;
			decode(value, false);
			add_param(call, arena_strndup(call->arena, template + 1, name), value, true);
			template += name + 2;
			path += size;
		} else if (*template ++ != *path++) {
			call->param_count = before;
			return false;
		}
	}
	if (*template == '\0' && *path == '\0')
		return true;
	call->param_count = before;
	return false;
}

static bool find_route(struct pve_call *call, const char *method, const char *path)
{
	for (int t = 0; pve_route_tables[t] != NULL; t++)
		for (const struct pve_route *r = pve_route_tables[t]; r->method != NULL; r++)
			if (strcmp(r->method, method) == 0 && fits(call, r->path, path)) {
				call->route = r;
				return true;
			}
	pve_fail(call, 501, "Method '%s %s' not implemented", method, path);
	return false;
}

/* "/vms/{vmid}" with its values. */
static void fill(const struct pve_call *call, const char *template, char *path, size_t size)
{
	char text[160] = "";
	for (const char *at = template; *at != '\0';) {
		size_t used = strlen(text);
		if (*at != '{') {
			str_format(text + used, sizeof(text) - used, "%c", *at++);
			continue;
		}
		char name[24];
		size_t length = strcspn(at + 1, "}");
		str_copy(name, length + 1 < sizeof(name) ? length + 1 : sizeof(name), at + 1);
		const char *value = pve_arg(call, name);
		str_format(text + used, sizeof(text) - used, "%s", value != NULL ? value : "");
		at += length + 2;
	}
	str_copy(path, size, text);
}

/* The check is "PATH PRIV|PRIV", or several of them with ';' of which one is enough. */
static bool permitted(struct pve_call *call)
{
	char check[320], *save = NULL, path[160];
	if (call->route->check == NULL)
		return true;
	STR_SET(check, call->route->check);
	for (char *one = strtok_r(check, ";", &save); one != NULL; one = strtok_r(NULL, ";", &save)) {
		char *any = strchr(one, ' ');
		*any++ = '\0';
		fill(call, one, path, sizeof(path));
		if (call->sim->dialect < 9 && strstr(any, "VM.GuestAgent") != NULL)
			any = arena_strdup(call->arena, "VM.Monitor");
		if (pve_may(call->sim, call->who.id, path, any))
			return true;
		pve_fail(call, 403, "Permission check failed (%s, %s)", path, any);
	}
	return false;
}

static const char no_pmxcfs[] = "RPCEnvironment init request failed: Unable to load access control "
								"list: Connection refused";

/* Where the call is done. The reason of a 59x is all that a client learns. */
static bool proxied(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	const char *name = pve_arg(call, "node");
	int target = call->via;
	call->node = name != NULL ? pve_node_find(sim, name) : -1;
	if (name != NULL && strcmp(name, "localhost") == 0)
		call->node = call->via;
	if (call->route->proxied && call->node < 0) {
		pve_fail(call, 500,
			"hostname lookup '%s' failed - failed to get address info for: %s: Temporary failure "
			"in "
			"name resolution",
			name, name);
		return false;
	}
	if (call->route->proxied)
		target = call->node;
	const struct pve_node *node = &sim->nodes[target];
	bool refuses = (target != call->via && node->life == PVE_REFUSING) ||
		(call->route->protected && node->pvedaemon_down && !node->pmxcfs_down);
	if (!pve_reaches(sim, call->via, target))
		pve_bare(call, 595, "No route to host", 3000);
	else if (refuses)
		pve_bare(call, 595, "Connection refused", 20);
	else if (target != call->via && node->life == PVE_HUNG)
		pve_bare(call, 596, "Connection timed out", 31000);
	else if (node->pmxcfs_down)
		pve_bare(call, 500, no_pmxcfs, 3000);
	return !call->answered;
}

static void note(struct sim_proxmox *sim, const char *method, const char *path)
{
	char *line = NULL;
	if (strcmp(method, "GET") == 0) {
		char **place = &sim->gets[sim->get_count++ % PVE_GETS];
		free(*place);
		*place = strdup(path);
		return;
	}
	sim->journal = pve_more(sim->journal, sim->journal_count, sizeof(*sim->journal));
	if (asprintf(&line, "%s %s", method, path) < 0)
		abort();
	sim->journal[sim->journal_count++] = line;
}

static bool needs_no_auth(const char *method, const char *path)
{
	bool get = strcmp(method, "GET") == 0;
	return (get && strcmp(path, "/access/domains") == 0) ||
		((get || strcmp(method, "POST") == 0) && strcmp(path, "/access/ticket") == 0);
}

static void serve(struct pve_call *call, const struct sim_pve_request *request, const char *path)
{
	const char *method = request->method;
	const struct pve_node *via = &call->sim->nodes[call->via];
	static const char *const known[] = {"GET", "POST", "PUT", "DELETE", NULL};
	const char *const *at = known;
	while (*at != NULL && strcmp(*at, method) != 0)
		at++;
	if (*at == NULL) {
		pve_bare(call, 501, arena_printf(call->arena, "method '%s' not available", method), 0);
		return;
	}
	if (via->pmxcfs_down) {
		pve_bare(call, 500, no_pmxcfs, 3000);
		return;
	}
	const char *denied = needs_no_auth(method, path)
		? NULL
		: pve_authenticate(call->sim, request, &call->who);
	if (denied != NULL) {
		pve_bare(call, 401, denied, 3000);
		return;
	}
	if (!find_route(call, method, path) || !permitted(call))
		return;
	call->reply->status = 0;
	call->answered = false;
	if (!proxied(call) || !pve_check_params(call))
		return;
	call->is_ct = str_starts(call->route->path, "/nodes/{node}/lxc");
	call->vmid = (int)pve_number(call, "vmid", 0);
	call->route->handler(call);
}

static void spoil(struct sim_proxmox *sim, struct sim_pve_reply *reply)
{
	switch (sim->answers) {
	case PVE_ANSWERS_OK:
		break;
	case PVE_ANSWERS_SLOW:
		reply->held_ms += sim->answers_ms;
		break;
	case PVE_ANSWERS_TRUNCATED:
		reply->wire = SIM_PVE_TRUNCATED;
		break;
	case PVE_ANSWERS_CLOSE:
		reply->wire = SIM_PVE_CLOSED;
		break;
	case PVE_ANSWERS_HTML:
	case PVE_ANSWERS_EMPTY:
		reply->status = 200;
		STR_SET(reply->reason, "OK");
		reply->body = sim->answers == PVE_ANSWERS_HTML
			? "<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>"
			: "";
		reply->content_type = "text/html";
		break;
	}
}

enum sim_pve_wire sim_proxmox_knock(const struct sim_proxmox *sim, const char *node)
{
	static const enum sim_pve_wire wires[] = {
		[PVE_UP] = SIM_PVE_ANSWERED,
		[PVE_DEAD] = SIM_PVE_NO_ROUTE,
		[PVE_HUNG] = SIM_PVE_SILENT,
		[PVE_REFUSING] = SIM_PVE_REFUSED,
	};
	int index = pve_node_find(sim, node);
	return index < 0 ? SIM_PVE_NO_ROUTE : wires[sim->nodes[index].life];
}

void sim_proxmox_handle(struct sim_proxmox *sim, const struct sim_pve_request *request,
	struct arena *arena, struct sim_pve_reply *reply)
{
	*reply = (struct sim_pve_reply){
		.body = "", .content_type = "application/json;charset=UTF-8", .held_ms = 20};
	struct pve_call call = {.sim = sim, .arena = arena, .reply = reply, .node = -1};
	sim_proxmox_tick(sim);
	if (sim->witness != NULL)
		sim->witness(sim->witness_ctx, request);
	call.via = request->via == NULL ? 0 : pve_node_find(sim, request->via);
	if (call.via < 0 || sim->node_count == 0) {
		reply->wire = SIM_PVE_NO_ROUTE;
		return;
	}
	reply->wire = sim_proxmox_knock(sim, sim->nodes[call.via].name);
	if (reply->wire != SIM_PVE_ANSWERED)
		return;
	char *path = arena_strdup(arena, request->url);
	char *query = strchr(path, '?');
	if (query != NULL)
		*query++ = '\0';
	if (str_starts(path, "/api2/json"))
		path += strlen("/api2/json");
	else if (str_starts(path, "/api2/extjs"))
		path += strlen("/api2/extjs");
	note(sim, request->method, path);
	bool is_json = request->content_type != NULL &&
		str_starts(request->content_type, "application/json") && request->body != NULL;
	if (query != NULL)
		read_form(&call, query);
	if (request->body != NULL && !is_json)
		read_form(&call, request->body);
	if (is_json && request->body[0] != '\0' && !read_json(&call, request->body))
		pve_fail(&call, 400, "malformed JSON string");
	else
		serve(&call, request, path);
	reply->closes = reply->status >= 400;
	spoil(sim, reply);
	reply->body_bytes = strlen(reply->body);
}
