/*
 * What the files of report/ share. Everything here runs on the thread of one HTTP connection (api,
 * metrics), or on the terminal's own.
 */
#ifndef REPORT_INTERNAL_H
#define REPORT_INTERNAL_H

#include <stdatomic.h>

#include "base/json.h"
#include "base/server.h"
#include "model/request.h"
#include "report/ask.h"
#include "report/report.h"
#include "store/store.h"

struct api {
	struct api_config config;
	struct server *tcp, *control;
	bool listens_on_loopback;
	struct asks asks;
	_Atomic int64_t refusal_logged_at; /* mono; 0: never */
	atomic_int refusals_unlogged;
};

/* One request being answered. */
struct call {
	struct api *api;
	const struct server_request *request;
	struct server_reply *reply;
	struct arena *arena; /* the request's */
	bool changes;        /* the route changes something */
	bool posts;          /* a page elsewhere could have sent it with a body */
	const char *query;   /* "limit=5&all=1", instead of the request's own; or NULL */
	int64_t id;          /* the number in the path */
	char token[TOKEN_BYTES]; /* the one in the path */
	char actor[64];      /* "uid:0", "api" */
};

/* ask.c */
/* Mails the request to the core and waits for its answer, which is copied into the call's arena.
 * NULL: there was none in time; why (out): for people. */
struct answer *ask_core(
	struct call *call, struct request *request, int64_t timeout_ms, const char **why);

/* Its tokens are their own key. */
#define ACCESS_PRESS "/api/v1/press/"

/* access.c: who may do what. False: the reply is a problem, and the log has a line. */
bool access_check(struct call *call);
bool access_refuse(struct call *call, int status, const char *why);

/* api.c */
void reply_text(struct call *call, const char *content_type, const char *text);
/* RFC 9457. detail: what is wrong and how to mend it; redacted here. */
void reply_problem(struct call *call, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A reader's handle; NULL: the reply is a problem. */
struct store *call_store(struct call *call);

/* A query argument. */
const char *call_query(struct call *call, const char *name);
/* Answers a GET by its route, without a check of access. False: there is none. */
bool api_route(struct call *call);

/* api_read.c */
void get_healthz(struct call *call);
void get_readyz(struct call *call);
void get_metrics(struct call *call);
void get_health(struct call *call);
void get_incidents(struct call *call);
void get_incident(struct call *call);
void get_components(struct call *call);
void get_audit(struct call *call);

/* api_pve.c */
void get_nodes(struct call *call);
void get_guests(struct call *call);
void get_backups(struct call *call);
void get_backup(struct call *call);

/* api_incident.c: an incident as JSON, alone or with its whole story. */
void incident_json(struct json_out *out, const struct incident *incident, struct arena *arena);
bool incident_story(struct json_out *out, struct store *store, const struct incident *incident,
	struct arena *arena, struct err *err);
/* Text for outside: redacted. Time: RFC 3339, or null for 0. */
void put_text(struct json_out *out, const char *key, const char *text, struct arena *arena);
void put_time(struct json_out *out, const char *key, int64_t at);

/* api_mcp.c */
void post_mcp(struct call *call);

/* api_learn.c */
void get_patterns(struct call *call);
void post_diagnosis(struct call *call);
void post_proposal(struct call *call);
/* "record": what is known of an incident's action, or null. */
bool record_json(struct json_out *out, struct store *store, const struct incident *incident,
	struct arena *arena, struct err *err);

/* api_press.c */
void post_press(struct call *call);

/* api_write.c */
/* One member of a body: a text. */
struct member {
	const char *name;
	bool required;
	char *field;
	size_t size;
};
/* Reads the body's members, and nothing else may be in it. False: the reply is a problem. */
bool read_body(struct call *call, struct member *members, int n);
/* Asks the core, and answers as it does. */
void pass_on(struct call *call, struct request *request);
bool body_is_json(const struct server_request *request);
void post_approval(struct call *call);
void post_autohealing(struct call *call);
void post_retry(struct call *call);
void post_order(struct call *call);
void post_reset(struct call *call);
void post_mute(struct call *call);

/* metrics.c. core NULL: it did not answer; what only it knows is left out. */
bool metrics_text(struct str *out, struct store *store, const struct core_status *core,
	int64_t today_ms, struct err *err);

/* health.c */
int64_t local_midnight(int64_t now_ms);
/* Whether people would call it an issue: believed, and of something that is not healthy. */
bool incident_is_active(enum life_state state, enum severity severity);

/* words.c: untrusted text for people, on one line: nothing in it can steer a terminal. */
void words_clean(char *field, size_t size, const char *text);

/* terminal.c: a notice as it is printed, with its time. */
void terminal_render(const struct notice *notice, bool colour, struct str *out);

#endif
