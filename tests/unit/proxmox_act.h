/*
 * Actions against the simulated cluster, in process: http.h is taken the place of, and waiting
 * winds the clock, so that minutes of tasks and HA take no time. Hooks change the world, or an
 * answer, at the moment of a request.
 */
#ifndef PROXMOX_ACT_H
#define PROXMOX_ACT_H

#include "proxmox_stage.h"

#include "act/act.h"
#include "base/http.h"
#include "base/str.h"

struct hook {
	const char *request; /* a pattern of "POST /nodes/pve1/qemu/100/status/start"; NULL ends */
	const char *line;    /* of a script, before the request is heard; NULL: none */
	int wait_ms;         /* and the time that passes then */
	bool after;          /* … after it was heard, before its answer */
	int status;          /* != 0: the world does not hear it, this is answered */
	const char *reason, *body;
	int skip; /* that many requests are let through first */
	int uses; /* 0: once; -1: for ever */
};

struct http {
	char url[128];
};

static struct stage *here;
static struct hook hooks[8];
static char said[480]; /* as heal's */
static int64_t since_ms;

struct http *__wrap_http_open(const struct http_config *config);
void __wrap_http_close(struct http *http);
bool __wrap_http_perform(struct http *http, const struct http_request *request, struct arena *arena,
	struct http_reply *reply, struct err *err);
bool __wrap_clock_wait(const struct clock *clock, int64_t ms, int stop_fd);

struct http *__wrap_http_open(const struct http_config *config)
{
	struct http *http = test_calloc(1, sizeof(*http));
	STR_SET(http->url, config->base_url);
	return http;
}

void __wrap_http_close(struct http *http)
{
	if (http != NULL)
		test_free(http);
}

bool __wrap_clock_wait(const struct clock *clock, int64_t ms, int stop_fd)
{
	clock_advance(here->clock, ms);
	return true;
}

static inline const struct hook *take_hook(const char *name, bool after)
{
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		struct hook *hook = &hooks[i];
		if (hook->request == NULL || hook->after != after || !str_match(hook->request, name))
			continue;
		if (hook->skip-- > 0)
			continue;
		if (hook->uses >= 0)
			hook->request = NULL;
		return hook;
	}
	return NULL;
}

static inline void play_hook(const struct hook *hook)
{
	if (hook == NULL || hook->line == NULL)
		return;
	play(here, hook->line);
	clock_advance(here->clock, hook->wait_ms);
	sim_proxmox_tick(here->sim);
}

/* The node behind an address that the client has learnt. */
static inline const char *node_behind(const struct http *http)
{
	static char name[16];
	const char *at = strstr(http->url, "10.99.0.");
	if (at == NULL)
		return NULL;
	STR_FORMAT(name, "pve%d", atoi(at + strlen("10.99.0.")) - 10);
	return name;
}

static inline bool fill(const struct sim_pve_reply *answer, int64_t timeout_ms, struct arena *arena,
	struct http_reply *reply, struct err *err)
{
	*reply = (struct http_reply){.retry_after_s = -1};
	bool is_late = answer->wire == SIM_PVE_SILENT || answer->held_ms > timeout_ms;
	clock_advance(here->clock, is_late ? timeout_ms : answer->held_ms);
	if (is_late)
		return err_set(err, ERR_TIMEOUT, "proxmox pve: no answer in %d ms", (int)timeout_ms);
	reply->unsent = answer->wire == SIM_PVE_REFUSED || answer->wire == SIM_PVE_NO_ROUTE;
	if (reply->unsent)
		return err_set(err, ERR_RETRY, "proxmox pve: connection refused");
	if (answer->wire == SIM_PVE_CLOSED || answer->wire == SIM_PVE_TRUNCATED)
		return err_set(err, ERR_RETRY, "proxmox pve: the connection was closed without an answer");
	*reply = (struct http_reply){.status = answer->status, .retry_after_s = -1};
	STR_SET(reply->reason, answer->reason);
	reply->body = arena_strdup(arena, answer->body);
	reply->body_bytes = strlen(reply->body);
	return true;
}

bool __wrap_http_perform(struct http *http, const struct http_request *request, struct arena *arena,
	struct http_reply *reply, struct err *err)
{
	char name[512];
	struct sim_pve_reply answer = {.held_ms = 20, .body = ""};
	STR_FORMAT(name, "%s %s", request->method, request->path + strlen("/api2/json"));
	const struct hook *hook = take_hook(name, false);
	play_hook(hook);
	if (hook != NULL && hook->status != 0) {
		answer.status = hook->status;
		STR_SET(answer.reason, hook->reason);
		answer.body = hook->body != NULL ? hook->body : "";
		return fill(&answer, request->timeout_ms, arena, reply, err);
	}
	struct sim_pve_request asked = {.via = node_behind(http),
		.method = request->method,
		.url = request->path,
		.body = request->body,
		.authorization = here->authorization};
	for (int i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
		if (str_starts(request->headers[i], "Authorization: "))
			asked.authorization = request->headers[i] + strlen("Authorization: ");
	sim_proxmox_handle(here->sim, &asked, arena, &answer);
	play_hook(take_hook(name, true));
	return fill(&answer, request->timeout_ms, arena, reply, err);
}

/* What is to be done to whom, and by whose order. */
struct deed {
	const char *action, *native, *params;
	bool ordered;
	const char *token; /* NULL: root's */
};

enum deed_part { RUN, UNDO, VERIFY, CHECK };

static inline int deed_do(const struct deed *deed, enum deed_part part)
{
	static const int64_t critical[] = {201};
	char id[64], secret[64];
	const char *token = deed->token != NULL ? deed->token
											: "root@pam!full=01234567-89ab-cdef-0123-456789abcdef";
	STR_FORMAT(id, "%.*s", (int)strcspn(token, "="), token);
	STR_SET(secret, token + strcspn(token, "=") + 1);
	struct config_proxmox source = {.name = "pve",
		.url = "https://10.99.0.11:8006",
		.token_id = id,
		.token_secret = secret,
		.critical = critical,
		.critical_count = 1};
	struct config config = {
		.proxmox = &source, .proxmox_count = 1, .thresholds = {.guest_cpu = 90, .hysteresis = 5}};
	auto_arena arena = arena_new(1 << 20);
	struct act_context context = {.config = &config,
		.clock = here->clock,
		.stop_fd = -1,
		.arena = arena,
		.ordered = deed->ordered};
	const struct action *action = action_find(deed->action);
	struct plan plan = {.source = "proxmox:pve", .label = "web"};
	struct err err = {0};
	assert_non_null(action);
	STR_SET(plan.action, deed->action);
	STR_SET(plan.native, deed->native);
	if (!params_check(&action->info, deed->params != NULL ? deed->params : "", plan.params, &err))
		fail_msg("%s", err.text);
	said[0] = '\0';
	if (part == CHECK)
		return action->check(&context, &plan, said, sizeof(said), &err);
	if (part == VERIFY)
		return (int)action->verify(&context, &plan, &since_ms, said, sizeof(said));
	return (int)(part == RUN ? action->run : action->undo)(&context, &plan, said, sizeof(said));
}

static inline void says(const char *part)
{
	if (strstr(said, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", said, part);
}

/* The result, and what its text has. */
static inline void expect_run(const struct deed *deed, enum act_result result, const char *part)
{
	int got = deed_do(deed, RUN);
	if (got != (int)result)
		fail_msg("%s %s: %d, not %d: %s", deed->action, deed->native, got, (int)result, said);
	says(part);
	if (strlen(said) + 1 >= sizeof(said))
		fail_msg("text is cut: %s", said);
}

static inline void expect_look(const struct deed *deed, enum look_result result, const char *part)
{
	int got = deed_do(deed, VERIFY);
	if (got != (int)result)
		fail_msg("%s %s: %d, not %d: %s", deed->action, deed->native, got, (int)result, said);
	says(part);
}

#define POSTS(pattern) sim_proxmox_posts(here->sim, pattern)

static inline void guest_is(int vmid, const char *state)
{
	sim_proxmox_tick(here->sim);
	assert_string_equal(sim_proxmox_guest(here->sim, vmid), state);
}

static inline int stage_open(void **state)
{
	memset(hooks, 0, sizeof(hooks));
	set_up(state);
	here = *state;
	return 0;
}

static inline int stage_end(void **state)
{
	here = NULL;
	return tear_down(state);
}

/* After which the world is as new. */
static inline void fresh(void **state, const char *const *lines)
{
	stage_end(state);
	stage_open(state);
	play_all(here, lines);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, stage_open, stage_end)

#endif
