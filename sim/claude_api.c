/* The world and its door: who may ask, what for, and which line of the script answers. */
#include "sim/claude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/claude_world.h"

#define BODY_MAX ((size_t)32 << 20)

uint64_t claude_hash(const char *bytes, size_t length)
{
	uint64_t hash = 1469598103934665603u;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
	return hash;
}

bool claude_is(struct json value, const char *text)
{
	size_t length = 0;
	const char *raw = json_raw(value, &length);
	return json_kind(value) == JSON_STRING && length == strlen(text) + 2 &&
		memcmp(raw + 1, text, strlen(text)) == 0;
}

struct sim_claude *sim_claude_new(const struct clock *clock)
{
	static const struct claude_model models[] = {
		{"claude-opus-5-5", 1000000, 128000, 4096},
		{"claude-sonnet-5-5", 1000000, 128000, 1024},
		{"claude-haiku-5-5", 1000000, 128000, 4096},
		{"claude-haiku-4-5", 200000, 64000, 4096},
		{"qwen3:8b", 32768, 32768, 0},
	};
	struct sim_claude *sim = calloc(1, sizeof(*sim));
	if (sim == NULL)
		abort();
	sim->clock = clock;
	STR_SET(sim->key, SIM_CLAUDE_KEY);
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		sim->models[sim->model_count++] = models[i];
	return sim;
}

void sim_claude_free(struct sim_claude *sim)
{
	if (sim == NULL)
		return;
	for (int i = 0; i < sim->line_count; i++)
		free(sim->lines[i]);
	free(sim->body);
	free(sim);
}

int sim_claude_requests(const struct sim_claude *sim)
{
	return sim->requests;
}

int sim_claude_refused(const struct sim_claude *sim)
{
	return sim->refused;
}

const char *sim_claude_body(const struct sim_claude *sim)
{
	return sim->body != NULL ? sim->body : "";
}

const char *sim_claude_why(const struct sim_claude *sim)
{
	return sim->why;
}

static bool check_key(struct claude_case *at)
{
	const char *key = sim_header(at->request, "x-api-key");
	const char *bearer = sim_header(at->request, "authorization");
	if (at->sim->key[0] == '\0' && at->is_chat)
		return true;
	if (bearer != NULL && str_starts(bearer, "Bearer "))
		key = bearer + strlen("Bearer ");
	if (key == NULL)
		return claude_error(at, 401, "authentication_error", "x-api-key header is required");
	if (strcmp(key, at->sim->key) != 0)
		return claude_error(at, 401, "authentication_error", "invalid x-api-key");
	return true;
}

static bool check_headers(struct claude_case *at)
{
	const char *type = sim_header(at->request, "content-type");
	if (!check_key(at))
		return false;
	if (!at->is_chat && sim_header(at->request, "anthropic-version") == NULL)
		return claude_wrong(at, "anthropic-version: header is required");
	if (!at->is_chat && strcmp(sim_header(at->request, "anthropic-version"), "2023-06-01") != 0)
		return claude_wrong(at, "anthropic-version: not a valid version");
	if (type == NULL || !str_starts(type, "application/json"))
		return claude_wrong(at, "content-type must be application/json");
	if (at->request->body_bytes > BODY_MAX)
		return claude_error(at, 413, "request_too_large", "Request exceeds the maximum size");
	return true;
}

static bool check_body(struct claude_case *at)
{
	struct err why = {0};
	if (!json_parse(at->arena, at->request->body != NULL ? at->request->body : "",
			at->request->body_bytes, &at->body, &why))
		return claude_wrong(at, "The request body is not valid JSON: %s", why.text);
	if (json_kind(at->body) != JSON_OBJECT)
		return claude_wrong(at, "Input should be an object");
	return at->is_chat ? claude_check_chat(at) : claude_check(at);
}

/* The next line; the last one stays, and without any "ok" is said. */
static const char *next_line(struct sim_claude *sim)
{
	if (sim->line_count == 0)
		return "say ok";
	int at = sim->line_at;
	if (--sim->times[at] <= 0 && at + 1 < sim->line_count)
		sim->line_at++;
	return sim->lines[at];
}

void sim_claude_handle(
	struct sim_claude *sim, const struct sim_request *request, struct sim_reply *reply)
{
	struct claude_case at = {
		.sim = sim, .request = request, .reply = reply, .arena = request->arena};
	char *path = arena_strndup(at.arena, request->url, strcspn(request->url, "?"));
	sim->requests++;
	free(sim->body);
	sim->body = strdup(request->body != NULL ? request->body : "");
	STR_FORMAT(at.request_id, "req_sim%06d", sim->requests);
	at.is_chat = strcmp(path, "/v1/chat/completions") == 0;
	*reply = (struct sim_reply){
		.status = 200, .reason = "OK", .content_type = "application/json", .body = ""};
	reply->headers = arena_printf(at.arena, "request-id: %s\r\n", at.request_id);
	if (strcmp(request->method, "POST") != 0 ||
		(!at.is_chat && strcmp(path, "/v1/messages") != 0)) {
		claude_error(&at, 404, "not_found_error", "Not Found");
		return;
	}
	if (check_headers(&at) && check_body(&at))
		claude_answer(&at, next_line(sim));
}

static void serve(void *world, const struct sim_request *request, struct sim_reply *reply)
{
	sim_claude_handle(world, request, reply);
}

static bool play(void *world, const char *line, char *text, size_t size)
{
	return sim_claude_script(world, line, text, size);
}

struct sim_service sim_claude_service(struct sim_claude *sim)
{
	return (struct sim_service){.name = "sim-claude",
		.world = sim,
		.clock = sim->clock,
		.request_max = BODY_MAX + (1 << 20),
		.handle = serve,
		.script = play};
}

int sim_claude_main(int argc, char **argv)
{
	struct clock *clock = clock_new_real();
	struct sim_claude *sim = sim_claude_new(clock);
	const struct sim_service service = sim_claude_service(sim);
	int code = sim_host_main(&service, argc, argv);
	sim_claude_free(sim);
	clock_free(clock);
	return code;
}
