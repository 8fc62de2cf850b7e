/*
 * Simulated places that people are told at, as strict as the real ones or stricter: what a real
 * server would ignore in silence (an unknown member, another content type) is refused here.
 *   https://ntfy.test/alerts    token tk_sim          https://gotify.test         token gotify-sim
 *   https://discord.test/api/webhooks/1/sim           https://slack.test/services/T0/B0/sim
 *   https://matrix.test         token mx_sim, room !room:matrix.test
 *   https://hook.test/in        token hook-sim
 * Facts: docs.ntfy.sh/publish; gotify.net/api-docs; Discord's Execute Webhook and Rate Limits;
 * Slack's incoming webhooks; Matrix client-server API v1.
 */
#ifndef SIM_NOTIFY_H
#define SIM_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"

struct sim_notify;

struct sim_notify *sim_notify_new(const struct clock *clock);
void sim_notify_free(struct sim_notify *sim);

/* One line of a script; false: text says what is wrong with it.
 *   down HOST | up HOST          connections are refused
 *   silent HOST | lost HOST      the next request: no answer; an answer that is lost, its effect
 *                                is not
 *   answer HOST STATUS [WAIT]    the next request is answered so; 429 with WAIT seconds, as each
 *                                says it (Retry-After; Discord: in the body; Matrix: there, in ms)
 *   always HOST STATUS           every request, until: always HOST 0 */
bool sim_notify_script(struct sim_notify *sim, const char *line, char *text, size_t size);

struct sim_notify_request {
	const char *host, *method, *path, *body;
	size_t body_bytes;
	const char *const *headers; /* "Name: value", ended by NULL; or NULL */
};
enum sim_notify_wire { SIM_NOTIFY_ANSWERED, SIM_NOTIFY_REFUSED, SIM_NOTIFY_SILENT };
struct sim_notify_reply {
	enum sim_notify_wire wire;
	int status;
	int64_t retry_after_s;      /* header; -1: none */
	const char *body, *content_type;
};
void sim_notify_handle(struct sim_notify *sim, const struct sim_notify_request *request,
	struct arena *arena, struct sim_notify_reply *reply);

/* Whether a host is one of ours: "ntfy.test". */
bool sim_notify_is_host(const char *host);
/* What people see there: how many messages, and the n-th body, oldest first; NULL: none. */
int sim_notify_count(const struct sim_notify *sim, const char *host);
const char *sim_notify_body(const struct sim_notify *sim, const char *host, int n);
/* Requests made, "POST ntfy.test/", delivered or not. */
int sim_notify_asked(const struct sim_notify *sim, const char *pattern);
/* Why the last refused one was; "" : none was. */
const char *sim_notify_fault(const struct sim_notify *sim);

#endif
