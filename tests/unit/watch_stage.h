/*
 * The Proxmox VE source over a world of its own, without a network: the simulator, or recorded
 * answers. http_* of base is wrapped. What the source reports is judged by detect, as the core
 * does, and kept: what is believed now of each component.
 */
#ifndef WATCH_STAGE_H
#define WATCH_STAGE_H

#include "base/file.h"
#include "base/http.h"
#include "base/str.h"
#include "detect/detect.h"
#include "proxmox_stage.h"
#include "watch/source.h"

extern const struct source proxmox_source;

#define BELIEFS_MAX 30000

struct belief {
	struct observation seen;
	struct finding finding;
};

struct tape {
	const char *file, *prefix; /* "node-offline", "t35__"; NULL: the end */
};

struct watch {
	struct stage *stage;
	const struct tape *tapes; /* NULL: the simulator */
	const char *dead;         /* with tapes: a node that does not answer */
	const char *deny;         /* with tapes: what is asked of these paths is refused */
	const char *say_path, *say_body; /* what is asked of this path is answered so */
	struct json *roots;       /* with tapes: each file */
	struct config config;
	struct config_proxmox proxmox;
	int64_t critical[4];
	struct source_context context;
	void *self;
	struct report report;
	struct arena *arena; /* of the last look */
	struct err err;
	bool ok;
	struct belief *beliefs;
	int count, asked, slow;
};

static struct watch *watching;

struct http *__wrap_http_open(const struct http_config *config);
void __wrap_http_close(struct http *http);
bool __wrap_http_perform(struct http *http, const struct http_request *request, struct arena *arena,
	struct http_reply *reply, struct err *err);

struct http *__wrap_http_open(const struct http_config *config)
{
	return (struct http *)strdup(config->base_url);
}

void __wrap_http_close(struct http *http)
{
	free(http);
}

static inline bool no_answer(enum sim_pve_wire wire, struct err *err)
{
	switch (wire) {
	case SIM_PVE_REFUSED:
		return err_set(err, ERR_RETRY, "connection refused");
	case SIM_PVE_NO_ROUTE:
		return err_set(err, ERR_RETRY, "no route to host");
	case SIM_PVE_SILENT:
		return err_set(err, ERR_TIMEOUT, "no answer");
	case SIM_PVE_TRUNCATED:
	case SIM_PVE_CLOSED:
		return err_set(err, ERR_RETRY, "the answer broke off");
	case SIM_PVE_ANSWERED:
		break;
	}
	return true;
}

static inline bool from_sim(struct http *http, const struct http_request *request,
	struct arena *arena, struct http_reply *reply, struct err *err)
{
	static char via[16];
	struct sim_pve_reply answer;
	struct sim_pve_request asked = {.method = request->method,
		.url = request->path,
		.body = request->body,
		.authorization = watching->stage->authorization};
	/* the simulator's nodes are 10.99.0.11 and on */
	const char *ip = strstr((const char *)http, "10.99.0.1");
	if (ip != NULL) {
		snprintf(via, sizeof(via), "pve%c", ip[9]);
		asked.via = via;
	}
	sim_proxmox_handle(watching->stage->sim, &asked, arena, &answer);
	if (!no_answer(answer.wire, err))
		return false;
	if (answer.held_ms > request->timeout_ms)
		return err_set(err, ERR_TIMEOUT, "no answer in time");
	reply->status = answer.status;
	STR_SET(reply->reason, answer.reason);
	reply->body = arena_strndup(arena, answer.body, answer.body_bytes);
	reply->body_bytes = answer.body_bytes;
	return true;
}

/* The recorded answer to a question: of its file's lines, those whose name begins with prefix. */
static inline struct json on_tape(int tape, const char *question)
{
	const struct tape *of = &watching->tapes[tape];
	size_t length;
	for (struct json e = json_first(watching->roots[tape]); json_is(e); e = json_next(e)) {
		char file[160], request[200];
		json_copy(json_get(e, "file"), file, sizeof(file));
		json_copy(json_get(e, "request"), request, sizeof(request));
		if (str_starts(file, of->prefix) && strcmp(request, question) == 0 &&
			json_raw(json_get(e, "body"), &length) != NULL)
			return e;
	}
	return (struct json){0};
}

static inline void say(
	struct http_reply *reply, int status, const char *reason, struct arena *arena)
{
	reply->status = status;
	STR_SET(reply->reason, reason);
	reply->body = arena_strdup(arena, "");
	reply->body_bytes = 0;
}

static inline bool is_about(const char *path, const char *node)
{
	char begin[64];
	snprintf(begin, sizeof(begin), "/nodes/%s/", node);
	return node != NULL && strncmp(path, begin, strlen(begin)) == 0;
}

static inline bool from_tape(
	const struct http_request *request, struct arena *arena, struct http_reply *reply)
{
	char question[400];
	const char *path = request->path + strlen("/api2/json");
	for (int with_query = 1; with_query >= 0; with_query--) {
		size_t n = with_query ? strlen(path) : strcspn(path, "?");
		snprintf(question, sizeof(question), "%s %.*s", request->method, (int)n, path);
		for (int i = 0; watching->tapes[i].file != NULL; i++) {
			struct json e = on_tape(i, question);
			size_t length;
			if (!json_is(e) || (is_about(path, watching->dead) && i > 0))
				continue;
			reply->status = (int)json_int(json_get(e, "status"), 0);
			json_copy(json_get(e, "reason"), reply->reason, sizeof(reply->reason));
			const char *body = json_raw(json_get(e, "body"), &length);
			reply->body = arena_strndup(arena, body, length);
			reply->body_bytes = length;
			return true;
		}
	}
	if (is_about(path, watching->dead))
		say(reply, 595, "No route to host", arena);
	else
		say(reply, 501, "Method not implemented", arena);
	return true;
}

bool __wrap_http_perform(struct http *http, const struct http_request *request, struct arena *arena,
	struct http_reply *reply, struct err *err)
{
	*reply = (struct http_reply){.retry_after_s = -1};
	watching->asked++;
	if (watching->deny != NULL && strstr(request->path, watching->deny) != NULL) {
		say(reply, 403, "Permission check failed (/, Sys.Audit)", arena);
		return true;
	}
	if (watching->say_path != NULL && strstr(request->path, watching->say_path) != NULL) {
		say(reply, 200, "OK", arena);
		reply->body = arena_strdup(arena, watching->say_body);
		reply->body_bytes = strlen(reply->body);
		return true;
	}
	return watching->tapes == NULL ? from_sim(http, request, arena, reply, err)
								   : from_tape(request, arena, reply);
}

static inline struct config watch_config(void)
{
	return (struct config){.interval_ms = 60000,
		.proxmox_count = 1,
		.thresholds = {.node_cpu = 90,
			.node_memory = 90,
			.node_disk = 85,
			.guest_cpu = 90,
			.storage = 90,
			.severe = 95,
			.hysteresis = 5,
			.sustained_ms = 120000,
			.certificate_ms = INT64_C(14) * 86400000,
			.lock_ms = 6 * 3600000,
			.backup_grace_ms = 12 * 3600000},
		.brakes = {.recent_exit_ms = 600000, .unreachable_ms = 10000}};
}

static inline void watch_open(struct watch *watch)
{
	watch->proxmox.name = "pve";
	watch->proxmox.url = "http://127.0.0.1:8006";
	watch->proxmox.token_id = "root@pam!full";
	watch->proxmox.token_secret = "01234567-89ab-cdef-0123-456789abcdef";
	watch->proxmox.critical = watch->critical;
	watch->config.proxmox = &watch->proxmox;
	watch->context = (struct source_context){
		.config = &watch->config, .clock = watch->stage->clock, .stop_fd = -1};
	strcpy(watch->context.name, "proxmox:pve");
	watch->context.root = (struct component){.kind = COMPONENT_CLUSTER};
	strcpy(watch->context.root.name, "proxmox_cluster");
	strcpy(watch->context.root.label, "proxmox:pve");
	strcpy(watch->context.root.source, "proxmox:pve");
	watch->self = proxmox_source.open(&watch->context, &watch->err);
	if (watch->self == NULL)
		fail_msg("%s", watch->err.text);
}

static inline struct watch *watch_new(void)
{
	struct watch *watch = test_calloc(1, sizeof(*watch));
	watch->stage = stage_new();
	watch->config = watch_config();
	watch->beliefs = calloc(BELIEFS_MAX, sizeof(*watch->beliefs));
	watching = watch;
	return watch;
}

static inline void watch_free(struct watch *watch)
{
	proxmox_source.close(watch->self);
	arena_free(watch->arena);
	free(watch->beliefs);
	free(watch->roots);
	stage_free(watch->stage);
	watching = NULL;
	test_free(watch);
}

static inline void watch_tapes(struct watch *watch, const struct tape *tapes)
{
	int n = 0;
	while (tapes[n].file != NULL)
		n++;
	free(watch->roots);
	watch->roots = calloc((size_t)n + 1, sizeof(*watch->roots));
	watch->tapes = tapes;
	for (int i = 0; i < n; i++) {
		char path[300];
		struct err err = {0};
		struct str all;
		snprintf(path, sizeof(path), "%s/tests/data/pve-recorded-9.2.11/%s.jsonl", SOURCE_ROOT,
			tapes[i].file);
		struct file read;
		if (!file_read(watch->stage->arena, path, (size_t)8 << 20, &read, &err))
			fail_msg("%s", err.text);
		const char *text = read.bytes;
		size_t length = read.length;
		str_init(&all, watch->stage->arena);
		str_addc(&all, '[');
		for (size_t at = 0; at < length;) {
			size_t line = strcspn(text + at, "\n");
			if (at > 0)
				str_addc(&all, ',');
			str_addn(&all, text + at, line);
			at += line + 1;
		}
		str_addc(&all, ']');
		if (!json_parse(watch->stage->arena, all.s, all.len, &watch->roots[i], &err))
			fail_msg("%s: %s", path, err.text);
	}
}

static inline struct belief *belief(struct watch *watch, const char *name, enum aspect aspect)
{
	for (int i = 0; i < watch->count; i++)
		if (watch->beliefs[i].seen.aspect == aspect &&
			strcmp(watch->beliefs[i].seen.component.name, name) == 0)
			return &watch->beliefs[i];
	return NULL;
}

static inline void believe(struct watch *watch, const struct observation *seen)
{
	struct belief *of = watch->slow ? NULL : belief(watch, seen->component.name, seen->aspect);
	if (of == NULL) {
		assert_true(watch->count < BELIEFS_MAX);
		of = &watch->beliefs[watch->count++];
	}
	enum finding_kind before = of->finding.kind;
	of->seen = *seen;
	detect(seen, &watch->config, before, clock_wall_ms(watch->stage->clock), &of->finding);
}

/* One look, ms later. */
static inline void look_after(struct watch *watch, int64_t ms)
{
	clock_advance(watch->stage->clock, ms);
	arena_free(watch->arena);
	watch->arena = arena_new((size_t)256 << 20);
	watch->report = (struct report){0};
	watch->err = (struct err){0};
	watch->asked = 0;
	watch->ok = proxmox_source.look(watch->self, 0, watch->arena, &watch->report, &watch->err);
	if (!watch->ok)
		return;
	if (watch->report.complete)
		watch->count = 0;
	for (int i = 0; i < watch->report.count; i++)
		believe(watch, &watch->report.observations[i]);
}

static inline int troubles(const struct watch *watch)
{
	int n = 0;
	for (int i = 0; i < watch->count; i++)
		n += finding_is_trouble(watch->beliefs[i].finding.kind);
	return n;
}

static inline void print_troubles(const struct watch *watch)
{
	for (int i = 0; i < watch->count; i++)
		if (finding_is_trouble(watch->beliefs[i].finding.kind))
			print_error("# %s/%s: %s\n", watch->beliefs[i].seen.component.name,
				aspect_name(watch->beliefs[i].seen.aspect), watch->beliefs[i].finding.issue);
}

static inline void expect_troubles(const struct watch *watch, int n)
{
	if (!watch->ok)
		fail_msg("the look failed: %s", watch->err.text);
	if (troubles(watch) == n)
		return;
	print_troubles(watch);
	fail_msg("%d troubles instead of %d", troubles(watch), n);
}

static inline struct belief *expect(
	struct watch *watch, const char *name, enum aspect aspect, enum finding_kind kind)
{
	struct belief *of = belief(watch, name, aspect);
	if (of == NULL)
		fail_msg("nothing is known of %s/%s", name, aspect_name(aspect));
	if (of->finding.kind != kind)
		fail_msg("%s/%s: %s (state %s, issue '%s', why '%s') instead of %s", name,
			aspect_name(aspect), finding_kind_name(of->finding.kind),
			obs_state_name(of->seen.state), of->finding.issue, of->finding.why,
			finding_kind_name(kind));
	return of;
}

#endif
