/*
 * What can be read. The store is read by a handle of its own for each request.
 */
#include <stdlib.h>
#include <string.h>

#include "base/redact.h"
#include "base/str.h"
#include "report/internal.h"

#define CORE_MS 5000
#define ALIVE_MS 2000
#define AUDIT_DEFAULT 100
#define HEALTH_BYTES 16384

static struct answer *core_status(struct call *call, int64_t timeout_ms, const char **why)
{
	struct request request = {.kind = REQUEST_STATUS};
	return ask_core(call, &request, timeout_ms, why);
}

void get_healthz(struct call *call)
{
	const char *why;
	if (core_status(call, ALIVE_MS, &why) != NULL)
		reply_text(call, "text/plain; charset=utf-8", "ok\n");
	else
		reply_problem(call, 503, "%s", why);
}

void get_readyz(struct call *call)
{
	const char *why;
	struct answer *answer = core_status(call, CORE_MS, &why);
	if (answer == NULL) {
		reply_problem(call, 503, "%s", why);
		return;
	}
	for (int i = 0; i < answer->core.sources; i++) {
		const struct source_status *source = &answer->core.source[i];
		if (source->reached)
			continue;
		reply_problem(call, 503, "%s is not reached%s%s", source->name,
			source->text[0] != '\0' ? ": " : " yet", source->text);
		return;
	}
	reply_text(call, "text/plain; charset=utf-8", "ok\n");
}

static void reply_json(struct call *call, struct str *body)
{
	str_addc(body, '\n');
	if (body->full)
		reply_problem(call, 503, "the answer is too large: ask for less, with ?limit=");
	else
		reply_text(call, "application/json", body->s);
}

void get_metrics(struct call *call)
{
	const char *why;
	struct err err = {0};
	struct str body;
	struct answer *answer = core_status(call, ALIVE_MS, &why);
	struct store *store = call_store(call);
	if (store == NULL)
		return;
	str_init(&body, call->arena);
	int64_t today = local_midnight(clock_wall_ms(call->api->config.clock));
	if (metrics_text(&body, store, answer != NULL ? &answer->core : NULL, today, &err))
		reply_text(call, "text/plain; version=0.0.4; charset=utf-8", body.s);
	else
		reply_problem(call, 503, "%s", err.text);
	store_close(store);
}

/* "limit=20"; false: the reply is a problem. */
static bool read_limit(struct call *call, int otherwise, int *limit)
{
	const char *text = call_query(call, "limit");
	char *end = NULL;
	*limit = otherwise;
	if (text == NULL)
		return true;
	long given = strtol(text, &end, 10);
	if (end == text || *end != '\0' || given < 0 || given > 1000000) {
		reply_problem(call, 400, "limit: a number from 0 (all) to 1000000");
		return false;
	}
	*limit = (int)given;
	return true;
}

static void put_sources(struct json_out *out, const struct core_status *core, struct arena *arena)
{
	json_open(out, "sources", '[');
	for (int i = 0; i < core->sources; i++) {
		const struct source_status *source = &core->source[i];
		json_open(out, NULL, '{');
		json_put_str(out, "name", source->name);
		json_put_bool(out, "reached", source->reached);
		put_time(out, "changed_at", source->changed_at);
		put_time(out, "last_look_at", source->last_look_at);
		json_put_int(out, "took_ms", source->took_ms);
		json_put_int(out, "components", source->components);
		put_text(out, "text", source->text, arena);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void put_channels(struct json_out *out, const struct core_status *core, struct arena *arena)
{
	json_open(out, "channels", '[');
	for (int i = 0; i < core->channels; i++) {
		const struct channel_status *channel = &core->channel[i];
		json_open(out, NULL, '{');
		json_put_str(out, "name", channel->name);
		json_put_bool(out, "reached", channel->reached);
		put_time(out, "changed_at", channel->changed_at);
		json_put_int(out, "delivered", channel->delivered);
		json_put_int(out, "lost", channel->lost);
		put_text(out, "text", channel->text, arena);
		json_close(out, '}');
	}
	json_close(out, ']');
}

/* The figures of the report, by name. */
static void put_figures(struct json_out *out, const struct store_figures *figures)
{
	static const char *const names[] = {NULL, "degraded", "unhealthy", "critical"};
	int64_t by_severity[4] = {0}, active = 0;
	int worst = SEVERITY_HEALTHY;
	for (int severity = SEVERITY_DEGRADED; severity <= SEVERITY_CRITICAL; severity++) {
		for (int state = 0; state < LIFE_STATES; state++)
			if (incident_is_active((enum life_state)state, (enum severity)severity))
				by_severity[severity] += figures->open[severity][state];
		active += by_severity[severity];
		worst = by_severity[severity] > 0 ? severity : worst;
	}
	json_put_str(out, "status", severity_name((enum severity)worst));
	json_put_int(out, "active_issues", active);
	json_put_int(out, "resolved_today", figures->ended_today[LIFE_RESOLVED]);
	json_put_int(out, "cleared_today", figures->ended_today[LIFE_CLEARED]);
	json_put_int(out, "pending_approvals", figures->pending_approvals);
	json_open(out, "by_severity", '{');
	for (int severity = SEVERITY_CRITICAL; severity > SEVERITY_HEALTHY; severity--)
		json_put_int(out, names[severity], by_severity[severity]);
	json_close(out, '}');
}

struct listing {
	struct json_out *out;
	struct arena *arena;
	enum { LIST_ALL, LIST_ACTIVE, LIST_RESOLVED } what;
	int left; /* rows that may still be put; -1: all */
};

static void put_incident(void *ctx, const struct incident *incident)
{
	struct listing *list = ctx;
	if (list->left == 0 ||
		(list->what == LIST_ACTIVE && !incident_is_active(incident->state, incident->severity)) ||
		(list->what == LIST_RESOLVED && incident->state != LIFE_RESOLVED))
		return;
	list->left--;
	incident_json(list->out, incident, list->arena);
}

static bool health_json(struct call *call, struct store *store, const struct core_status *core,
	struct str *body, struct err *err)
{
	struct store_figures figures;
	struct json_out out;
	struct listing active = {&out, call->arena, LIST_ACTIVE, -1};
	struct listing recent = {&out, call->arena, LIST_RESOLVED, 10};
	int64_t today = local_midnight(core->now);
	if (!store_figures(store, today, &figures, err))
		return false;
	json_begin(&out, body);
	json_open(&out, NULL, '{');
	put_figures(&out, &figures);
	json_put_str(&out, "healing", healing_name(core->healing));
	put_text(&out, "trouble", core->trouble, call->arena);
	json_put_num(&out, "interval_s", (double)call->api->config.config->interval_ms / 1000);
	put_time(&out, "now", core->now);
	put_time(&out, "started_at", core->started_at);
	json_put_int(&out, "components", core->components);
	put_sources(&out, core, call->arena);
	put_channels(&out, core, call->arena);
	json_open(&out, "active", '[');
	bool ok = store_incidents(
		store, (struct incident_query){INCIDENTS_OPEN, 0, 0}, put_incident, &active, err);
	json_close(&out, ']');
	json_open(&out, "resolved", '[');
	ok = ok &&
		store_incidents(
			store, (struct incident_query){INCIDENTS_ENDED, today, 0}, put_incident, &recent, err);
	json_close(&out, ']');
	json_close(&out, '}');
	return ok;
}

static void health_plain(struct call *call, struct store *store, const struct core_status *core)
{
	struct err err = {0};
	char *text = arena_try(call->arena, HEALTH_BYTES);
	if (text == NULL || !health_text(store, core, text, HEALTH_BYTES - 1, &err)) {
		reply_problem(call, 503, "%s", err.text);
		return;
	}
	size_t length = strlen(text);
	text[length] = '\n';
	text[length + 1] = '\0';
	reply_text(call, "text/plain; charset=utf-8", text);
}

void get_health(struct call *call)
{
	const char *why, *format = call_query(call, "format");
	struct err err = {0};
	struct str body;
	if (format != NULL && !str_equal(format, "text") && !str_equal(format, "json")) {
		reply_problem(call, 400, "format: text or json");
		return;
	}
	struct answer *answer = core_status(call, CORE_MS, &why);
	if (answer == NULL) {
		reply_problem(call, 503, "%s", why);
		return;
	}
	struct store *store = call_store(call);
	if (store == NULL)
		return;
	str_init(&body, call->arena);
	if (str_equal(format, "text"))
		health_plain(call, store, &answer->core);
	else if (health_json(call, store, &answer->core, &body, &err))
		reply_json(call, &body);
	else
		reply_problem(call, 503, "%s", err.text);
	store_close(store);
}

/* Open ones, unless "all=1" or "state=ended" says otherwise. */
static bool read_filter(struct call *call, enum incident_filter *filter)
{
	const char *all = call_query(call, "all");
	const char *state = call_query(call, "state");
	*filter = all != NULL && !str_equal(all, "0") ? INCIDENTS_ALL : INCIDENTS_OPEN;
	if (str_equal(state, "all"))
		*filter = INCIDENTS_ALL;
	else if (str_equal(state, "ended"))
		*filter = INCIDENTS_ENDED;
	else if (state != NULL && !str_equal(state, "open")) {
		reply_problem(call, 400, "state: open, ended or all");
		return false;
	}
	return true;
}

void get_incidents(struct call *call)
{
	enum incident_filter filter;
	int limit;
	struct err err = {0};
	struct str body;
	struct json_out out;
	struct listing list = {&out, call->arena, LIST_ALL, -1};
	if (!read_limit(call, 0, &limit) || !read_filter(call, &filter))
		return;
	struct store *store = call_store(call);
	if (store == NULL)
		return;
	str_init(&body, call->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	json_open(&out, "incidents", '[');
	bool ok = store_incidents(
		store, (struct incident_query){filter, 0, limit}, put_incident, &list, &err);
	json_close(&out, ']');
	json_close(&out, '}');
	store_close(store);
	if (ok)
		reply_json(call, &body);
	else
		reply_problem(call, 503, "%s", err.text);
}

void get_incident(struct call *call)
{
	struct incident incident = {0};
	struct err err = {0};
	struct str body;
	struct json_out out;
	struct store *store = call_store(call);
	if (store == NULL)
		return;
	str_init(&body, call->arena);
	json_begin(&out, &body);
	/* one transaction: the story and its rows are of the same moment */
	bool ok = store_begin(store, &err) && store_incident_get(store, call->id, &incident, &err) &&
		incident_story(&out, store, &incident, call->arena, &err);
	store_rollback(store);
	store_close(store);
	if (ok)
		reply_json(call, &body);
	else
		reply_problem(call, err.kind == ERR_GONE ? 404 : 503, "%s", err.text);
}

/* The core's array, each text redacted. */
static bool put_components(
	struct json_out *out, const char *json, struct arena *arena, struct err *err)
{
	struct json root;
	if (!json_parse(arena, json, strlen(json), &root, err))
		return false;
	json_open(out, NULL, '{');
	json_open(out, "components", '[');
	for (struct json each = json_first(root); json_is(each); each = json_next(each)) {
		json_open(out, NULL, '{');
		for (struct json member = json_first(each); json_is(member); member = json_next(member)) {
			const char *text = json_str(member, arena);
			put_text(out, json_key(member, arena), text != NULL ? text : "", arena);
		}
		json_close(out, '}');
	}
	json_close(out, ']');
	json_close(out, '}');
	return true;
}

void get_components(struct call *call)
{
	struct request request = {.kind = REQUEST_COMPONENTS};
	const char *why;
	struct err err = {0};
	struct str body;
	struct json_out out;
	struct answer *answer = ask_core(call, &request, CORE_MS, &why);
	if (answer == NULL || answer->json == NULL) {
		reply_problem(call, 503, "%s", answer == NULL ? why : "homeostat could not list them");
		return;
	}
	str_init(&body, call->arena);
	json_begin(&out, &body);
	if (put_components(&out, answer->json, call->arena, &err))
		reply_json(call, &body);
	else
		reply_problem(call, 503, "%s", err.text);
}

static void put_entry(void *ctx, const struct audit_entry *entry)
{
	struct listing *list = ctx;
	json_open(list->out, NULL, '{');
	json_put_int(list->out, "seq", entry->seq);
	put_time(list->out, "at", entry->at);
	json_put_str(list->out, "what", entry->what);
	put_text(list->out, "actor", entry->actor, list->arena);
	put_text(list->out, "component", entry->component, list->arena);
	json_put_int(list->out, "incident_id", entry->incident_id);
	put_text(list->out, "text", entry->text, list->arena);
	json_put_str(list->out, "hash", entry->hash);
	json_close(list->out, '}');
}

static void put_verified(struct json_out *out, struct store *store, struct arena *arena)
{
	struct err err = {0};
	int64_t count = 0;
	bool good = store_audit_verify(store, &count, &err);
	json_put_bool(out, "verified", good);
	json_put_int(out, "count", count);
	put_text(out, "text", good ? "the chain is whole" : err.text, arena);
}

void get_audit(struct call *call)
{
	int limit;
	struct err err = {0};
	struct str body;
	struct json_out out;
	struct listing list = {&out, call->arena, LIST_ALL, -1};
	const char *verify = call_query(call, "verify");
	if (!read_limit(call, AUDIT_DEFAULT, &limit))
		return;
	struct store *store = call_store(call);
	if (store == NULL)
		return;
	str_init(&body, call->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	if (verify != NULL && !str_equal(verify, "0"))
		put_verified(&out, store, call->arena);
	json_open(&out, "entries", '[');
	bool ok = store_audit(store, limit, put_entry, &list, &err);
	json_close(&out, ']');
	json_close(&out, '}');
	store_close(store);
	if (ok)
		reply_json(call, &body);
	else
		reply_problem(call, 503, "%s", err.text);
}
