/*
 * What people and machines read: the terminal of `homeostat run`, and HTTP (API, /metrics,
 * /healthz) on `listen` and on the control socket. Reads the store by its own connections;
 * everything that changes something is a request mailed to the core.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/job.h"
#include "base/mailbox.h"
#include "model/config.h"
#include "model/notice.h"

/* HTTP. One for TCP, one for the control socket; both serve the same /api/v1. */
struct api;
struct api_config {
	const struct config *config;
	const struct clock *clock;
	struct mailbox *core; /* requests go here */
	unsigned char audit_key[32];
	const char *listen;  /* TCP, or NULL */
	const char *control; /* path of the control socket, or NULL */
	int stop_fd;         /* readable: what a request waits for is given up; 0: none */
	const char *token;   /* bearer token of secret "api", or NULL: nothing may change
							over TCP */
};
struct api *api_start(const struct api_config *config, struct err *err);
int api_port(const struct api *api);
/* After the core's last step: an answer that comes late still finds its box until then. */
void api_stop(struct api *api);

/* The terminal: a thread with a mailbox that writes each notice to stdout in plain words. */
struct terminal;
struct terminal *terminal_start(const struct clock *clock, struct err *err);
struct mailbox *terminal_mailbox(struct terminal *terminal);
/* Writes what is still in the box, joins. */
void terminal_stop(struct terminal *terminal);
/* The words alone, without colour, possibly several lines; for tests and other reporters. */
void notice_words(const struct notice *notice, char *text, size_t size);

/* The dead man's switch: calls heartbeat.url every so often while the core answers. */
struct heartbeat;
/* NULL: the address is a secret that is not there, or no address. config stays the caller's. */
struct heartbeat *heartbeat_new(const struct config *config, const struct clock *clock,
	struct mailbox *core, int stop_fd, struct err *err);
/* One call, if there is a reason to make it; false: it was not made, or not heard. */
bool heartbeat_step(struct heartbeat *heartbeat);
void *heartbeat_main(void *heartbeat); /* its thread, until stop_fd */
void heartbeat_close(struct heartbeat *heartbeat); /* it need not wait for the core any more */
void heartbeat_free(struct heartbeat *heartbeat);  /* after the core's last step */

/* The user's health report ("🏥 System Health Report …"), from the store and the core's status. */
struct store;
struct core_status;
bool health_text(
	struct store *store, const struct core_status *core, char *text, size_t size, struct err *err);

#endif
