/* The simulated engine's HTTP API: routes, status codes and messages as the real 20.10's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "sim/world.h"

#define API_VERSION "1.41"
#define API_MINOR 41
#define OLDEST_MINOR 12

struct call {
	struct sim_docker *sim;
	struct arena *arena;
	const char *method;
	char *path, *query;
	struct sim_reply *reply;
};

static void answer(struct call *call, int status, const char *body)
{
	call->reply->status = status;
	call->reply->body = body;
}

static void fail(struct call *call, int status, const char *message)
{
	struct str str;
	struct json_out out;
	str_init(&str, call->arena);
	json_begin(&out, &str);
	json_open(&out, NULL, '{');
	json_put_str(&out, "message", message);
	json_close(&out, '}');
	str_addc(&str, '\n');
	answer(call, status, str.s);
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
		: c >= 'a' && c <= 'f'  ? c - 'a' + 10
		: c >= 'A' && c <= 'F'  ? c - 'A' + 10
								: -1;
}

/* The decoded value of a query argument; NULL: absent. */
static char *argument(struct call *call, const char *name)
{
	size_t length = strlen(name);
	for (char *at = call->query; at != NULL && *at != '\0';) {
		char *end = strchr(at, '&');
		size_t size = end != NULL ? (size_t)(end - at) : strlen(at);
		if (size > length && strncmp(at, name, length) == 0 && at[length] == '=') {
			char *value = arena_strndup(call->arena, at + length + 1, size - length - 1);
			char *to = value;
			for (const char *from = value; *from != '\0'; from++, to++) {
				*to = *from == '+' ? ' ' : *from;
				if (*from == '%' && hex(from[1]) >= 0 && hex(from[2]) >= 0) {
					*to = (char)(hex(from[1]) * 16 + hex(from[2]));
					from += 2;
				}
			}
			*to = '\0';
			return value;
		}
		at = end != NULL ? end + 1 : NULL;
	}
	return NULL;
}

static void put_time(struct json_out *out, const char *key, int64_t ms)
{
	char text[32], nano[48];
	str_rfc3339(text, ms);
	text[strlen(text) - 1] = '\0';
	str_format(nano, sizeof(nano), "%s000000Z", text);
	json_put_str(out, key, ms == 0 ? "0001-01-01T00:00:00Z" : nano);
}

static void status_text(const struct sim_docker *sim, const struct sim_container *c, char text[96])
{
	char ago[32];
	bool exited = c->state == SIM_EXITED || c->state == SIM_RESTARTING;
	str_duration(ago, world_now(sim) - (exited ? c->finished_ms : c->started_ms));
	const char *health = !c->has_health      ? ""
		: strcmp(c->health, "starting") == 0 ? " (health: starting)"
		: strcmp(c->health, "healthy") == 0  ? " (healthy)"
											 : " (unhealthy)";
	switch (c->state) {
	case SIM_CREATED:
		str_copy(text, 96, "Created");
		break;
	case SIM_RUNNING:
		str_format(text, 96, "Up %s%s", ago, health);
		break;
	case SIM_PAUSED:
		str_format(text, 96, "Up %s (Paused)", ago);
		break;
	case SIM_EXITED:
		str_format(text, 96, "Exited (%d) %s ago", c->exit_code, ago);
		break;
	case SIM_RESTARTING:
		str_format(text, 96, "Restarting (%d) %s ago", c->exit_code, ago);
		break;
	}
}

static void put_labels(struct json_out *out, struct call *call, const struct sim_container *c)
{
	json_put_raw(out, "Labels", arena_printf(call->arena, "{%s}", c->labels));
}

/* Whether a filter (a JSON object of lists) lets a container through. */
static bool passes(struct call *call, struct json filters, const struct sim_container *c)
{
	for (struct json f = json_first(filters); json_is(f); f = json_next(f)) {
		const char *key = json_key(f, call->arena);
		bool any = false;
		for (struct json v = json_first(f); json_is(v); v = json_next(v)) {
			const char *value = json_str(v, call->arena);
			if (strcmp(key, "status") == 0)
				any = any || strcmp(value, world_state_name(c->state)) == 0;
			else if (strcmp(key, "health") == 0)
				any = any || strcmp(value, c->has_health ? c->health : "none") == 0;
			else if (strcmp(key, "name") == 0)
				any = any || strstr(c->name, value) != NULL;
			else if (strcmp(key, "id") == 0)
				any = any || str_starts(c->id, value);
		}
		if (!any)
			return false;
	}
	return true;
}

static bool known_filters(struct call *call, struct json filters)
{
	static const char *const known[] = {"status", "health", "name", "id", "label", NULL};
	for (struct json f = json_first(filters); json_is(f); f = json_next(f)) {
		const char *key = json_key(f, call->arena);
		bool ok = false;
		for (int i = 0; known[i] != NULL; i++)
			ok = ok || strcmp(known[i], key) == 0;
		if (!ok) {
			fail(call, 400, arena_printf(call->arena, "Invalid filter '%s'", key));
			return false;
		}
	}
	return true;
}

static bool read_filters(struct call *call, struct json *filters)
{
	const char *text = argument(call, "filters");
	*filters = (struct json){0};
	if (text == NULL)
		return true;
	if (json_parse(call->arena, text, strlen(text), filters, NULL))
		return true;
	fail(call, 400, "invalid character in filters");
	return false;
}

static void list(struct call *call)
{
	struct str str;
	struct json_out out;
	struct json filters;
	const char *all = argument(call, "all");
	bool every = all != NULL && (strcmp(all, "1") == 0 || strcmp(all, "true") == 0);
	if (!read_filters(call, &filters) || !known_filters(call, filters))
		return;
	str_init(&str, call->arena);
	json_begin(&out, &str);
	json_open(&out, NULL, '[');
	for (int i = 0; i < call->sim->count; i++) {
		const struct sim_container *c = &call->sim->containers[i];
		char status[96];
		bool runs = c->state == SIM_RUNNING || c->state == SIM_PAUSED;
		if ((!every && !runs) || (json_is(filters) && !passes(call, filters, c)))
			continue;
		status_text(call->sim, c, status);
		json_open(&out, NULL, '{');
		json_put_str(&out, "Id", c->id);
		json_put_raw(&out, "Names", arena_printf(call->arena, "[\"/%s\"]", c->name));
		json_put_str(&out, "Image", c->image[0] != '\0' ? c->image : "sim");
		json_put_str(&out, "Command", "/bin/sim");
		json_put_int(&out, "Created", c->created_ms / 1000);
		put_labels(&out, call, c);
		json_put_str(&out, "State", world_state_name(c->state));
		json_put_str(&out, "Status", status);
		json_close(&out, '}');
	}
	json_close(&out, ']');
	answer(call, 200, str.s);
}

static void put_state(struct json_out *out, const struct sim_container *c)
{
	json_open(out, "State", '{');
	json_put_str(out, "Status", world_state_name(c->state));
	json_put_bool(out, "Running", c->state == SIM_RUNNING || c->state == SIM_PAUSED);
	json_put_bool(out, "Paused", c->state == SIM_PAUSED);
	json_put_bool(out, "Restarting", c->state == SIM_RESTARTING);
	json_put_bool(out, "OOMKilled", c->oom);
	json_put_bool(out, "Dead", false);
	json_put_int(out, "Pid", c->pid);
	json_put_int(out, "ExitCode", c->exit_code);
	json_put_str(out, "Error", c->error);
	put_time(out, "StartedAt", c->started_ms);
	put_time(out, "FinishedAt", c->finished_ms);
	if (c->has_health) {
		json_open(out, "Health", '{');
		json_put_str(out, "Status", c->health);
		json_put_int(out, "FailingStreak", c->failures);
		json_open(out, "Log", '[');
		if (c->check[0] != '\0' && strcmp(c->health, "unhealthy") == 0) {
			json_open(out, NULL, '{');
			json_put_int(out, "ExitCode", 1);
			json_put_str(out, "Output", c->check);
			json_close(out, '}');
		}
		json_close(out, ']');
		json_close(out, '}');
	}
	json_close(out, '}');
}

static void inspect(struct call *call, const struct sim_container *c)
{
	struct str str;
	struct json_out out;
	str_init(&str, call->arena);
	json_begin(&out, &str);
	json_open(&out, NULL, '{');
	json_put_str(&out, "Id", c->id);
	put_time(&out, "Created", c->created_ms);
	put_state(&out, c);
	json_put_str(&out, "Name", arena_printf(call->arena, "/%s", c->name));
	json_put_int(&out, "RestartCount", c->restart_count);
	json_open(&out, "HostConfig", '{');
	json_open(&out, "RestartPolicy", '{');
	json_put_str(&out, "Name", c->policy);
	json_put_int(&out, "MaximumRetryCount", c->max_retries);
	json_close(&out, '}');
	json_close(&out, '}');
	json_open(&out, "Config", '{');
	json_put_str(&out, "Image", c->image[0] != '\0' ? c->image : "sim");
	put_labels(&out, call, c);
	if (c->stop_signal != 0)
		json_put_str(&out, "StopSignal", arena_printf(call->arena, "%d", c->stop_signal));
	json_close(&out, '}');
	json_close(&out, '}');
	answer(call, 200, str.s);
}

static void start(struct call *call, struct sim_container *c)
{
	if (c->state == SIM_PAUSED) {
		fail(call, 409, "cannot start a paused container, try unpause instead");
	} else if (c->state == SIM_RUNNING) {
		answer(call, 304, "");
	} else if (world_start(call->sim, c)) {
		answer(call, 204, "");
	} else {
		fail(call, 400,
			arena_printf(call->arena,
				"OCI runtime create failed: container_linux.go:380: %s: unknown", c->error));
	}
}

static void stop(struct call *call, struct sim_container *c)
{
	if (c->state != SIM_RUNNING && c->state != SIM_PAUSED && c->state != SIM_RESTARTING) {
		answer(call, 304, "");
		return;
	}
	if (c->state == SIM_RESTARTING) {
		c->stopped_by_hand = true;
		c->due_ms = 0;
		c->state = SIM_EXITED;
	} else {
		world_stop(call->sim, c);
	}
	answer(call, 204, "");
}

static void restart(struct call *call, struct sim_container *c)
{
	if (c->state == SIM_RUNNING)
		world_stop(call->sim, c);
	if (!world_start(call->sim, c)) {
		fail(call, 400,
			arena_printf(call->arena, "Cannot restart container %s: %s", c->name, c->error));
		return;
	}
	world_event(call->sim, c, "restart", "");
	answer(call, 204, "");
}

/* A bound of the log: seconds, perhaps with a fraction. */
static int64_t bound(struct call *call, const char *name, int64_t otherwise)
{
	const char *text = argument(call, name);
	double seconds = text != NULL ? strtod(text, NULL) : 0;
	return seconds > 0 ? (int64_t)(seconds * 1000 + 0.5) : otherwise;
}

static bool is_set(struct call *call, const char *name)
{
	const char *text = argument(call, name);
	return text != NULL && (strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
}

/* The multiplexed stream of a container without a terminal: a head of 8 bytes a line. */
static void logs(struct call *call, const struct sim_container *c)
{
	struct str body;
	const char *tail = argument(call, "tail");
	int first = c->logged - SIM_LOG_LINES, wanted = SIM_LOG_LINES;
	if (tail != NULL)
		wanted = (int)strtol(tail, NULL, 10);
	int64_t since = bound(call, "since", 0), until = bound(call, "until", INT64_MAX);
	if (!is_set(call, "stdout") && !is_set(call, "stderr")) {
		fail(call, 400, "Bad parameters: you must choose at least one stream");
		return;
	}
	str_init(&body, call->arena);
	if (first < c->logged - wanted)
		first = c->logged - wanted;
	for (int i = first > 0 ? first : 0; i < c->logged; i++) {
		const struct sim_log_line *line = &c->log[i % SIM_LOG_LINES];
		size_t length = strlen(line->text) + 1;
		char head[8] = {line->is_error ? 2 : 1, 0, 0, 0, 0, 0, (char)(length >> 8), (char)length};
		if (line->at_ms < since || line->at_ms > until ||
			!is_set(call, line->is_error ? "stderr" : "stdout"))
			continue;
		str_addn(&body, head, sizeof(head));
		str_addf(&body, "%s\n", line->text);
	}
	answer(call, 200, body.len > 0 ? body.s : "");
	call->reply->body_bytes = body.len;
}

static void journal(struct call *call, const char *name, const char *verb)
{
	struct sim_docker *sim = call->sim;
	char *line = NULL;
	sim->journal = realloc(sim->journal, (size_t)(sim->journal_count + 1) * sizeof(*sim->journal));
	if (sim->journal == NULL ||
		asprintf(&line, "%s /containers/%s/%s", call->method, name, verb) < 0)
		abort();
	sim->journal[sim->journal_count++] = line;
}

static void container_verb(struct call *call, struct sim_container *c, const char *verb)
{
	bool post = strcmp(call->method, "POST") == 0;
	if (post)
		journal(call, c->name, verb);
	if (!post && strcmp(verb, "json") == 0 && c->rotten)
		fail(call, 500, "layer does not exist");
	else if (!post && strcmp(verb, "json") == 0)
		inspect(call, c);
	else if (post && strcmp(verb, "start") == 0)
		start(call, c);
	else if (post && strcmp(verb, "stop") == 0)
		stop(call, c);
	else if (post && strcmp(verb, "restart") == 0)
		restart(call, c);
	else if (!post && strcmp(verb, "logs") == 0)
		logs(call, c);
	else
		fail(call, 404, "page not found");
}

static void container(struct call *call, char *rest)
{
	char *slash = strchr(rest, '/');
	if (slash == NULL) {
		fail(call, 404, "page not found");
		return;
	}
	*slash = '\0';
	struct sim_container *c = world_find(call->sim, rest);
	if (c == NULL)
		fail(call, 404, arena_printf(call->arena, "No such container: %s", rest));
	else
		container_verb(call, c, slash + 1);
}

static void events(struct call *call)
{
	const char *since = argument(call, "since");
	struct json filters;
	if (!read_filters(call, &filters))
		return;
	call->reply->is_stream = true;
	call->reply->since_ns = INT64_MAX;
	if (since != NULL) {
		char *end;
		call->reply->since_ns = strtoll(since, &end, 10) * 1000000000;
		if (*end == '.')
			call->reply->since_ns += strtoll(end + 1, NULL, 10);
	}
	answer(call, 200, "");
}

static void version(struct call *call)
{
	answer(call, 200,
		"{\"Platform\":{\"Name\":\"\"},\"Components\":[{\"Name\":\"Engine\",\"Version\":"
		"\"20.10.24-sim\",\"Details\":{}}],\"Version\":\"20.10.24-sim\",\"ApiVersion\":"
		"\"" API_VERSION "\",\"MinAPIVersion\":\"1.12\",\"Os\":\"linux\",\"Arch\":\"amd64\"}");
}

/* Takes "/v1.NN" off the path; false: answered as the real engine does. */
static bool take_version(struct call *call)
{
	int minor, length = 0;
	if (sscanf(call->path, "/v1.%3d%n", &minor, &length) != 1 || call->path[length] != '/')
		return true;
	call->path += length;
	if (minor > API_MINOR)
		fail(call, 400,
			arena_printf(call->arena,
				"client version 1.%d is too new. Maximum supported API version is " API_VERSION,
				minor));
	else if (minor < OLDEST_MINOR)
		fail(call, 400,
			arena_printf(call->arena,
				"client version 1.%d is too old. Minimum supported API version is 1.12, please "
				"upgrade your client to a newer version",
				minor));
	return call->reply->status == 0;
}

void sim_docker_handle(struct sim_docker *sim, const char *method, const char *url,
	struct arena *arena, struct sim_reply *reply)
{
	*reply = (struct sim_reply){0};
	struct call call = {.sim = sim, .arena = arena, .method = method, .reply = reply};
	call.path = arena_strdup(arena, url);
	call.query = strchr(call.path, '?');
	if (call.query != NULL)
		*call.query++ = '\0';
	sim_docker_tick(sim);
	if (!take_version(&call))
		return;
	bool get = strcmp(method, "GET") == 0;
	if (get && strcmp(call.path, "/_ping") == 0)
		answer(&call, 200, "OK");
	else if (get && strcmp(call.path, "/version") == 0)
		version(&call);
	else if (get && strcmp(call.path, "/containers/json") == 0)
		list(&call);
	else if (get && strcmp(call.path, "/events") == 0)
		events(&call);
	else if (str_starts(call.path, "/containers/"))
		container(&call, call.path + strlen("/containers/"));
	else
		fail(&call, 404, "page not found");
}
