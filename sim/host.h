/*
 * Any simulated server on a socket: the HTTP/1.1 that the worlds of the other headers share, with
 * reason phrases, and answers that come late, are cut, or never come. A service is a world and what
 * may be asked of it; its handle, script and tick are called on the thread that runs the server.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

struct sim_host;

struct sim_request {
	const char *method, *url;
	const char *head; /* the request line and all headers */
	const char *body; /* ended by NUL; NULL: none */
	size_t body_bytes;
	struct arena *arena;
};
/* A header's value, in the request's arena; NULL: absent. */
const char *sim_header(const struct sim_request *request, const char *name);

enum sim_wire {
	SIM_ANSWERED,
	SIM_SILENT,    /* accepted, and never a byte */
	SIM_TRUNCATED, /* the connection ends in the middle of the body */
	SIM_CLOSED,    /* closed without an answer */
};
struct sim_reply {
	enum sim_wire wire;
	int status;
	const char *reason;
	const char *headers; /* more of them, each ended by CRLF; NULL: none */
	const char *content_type, *body;
	size_t body_bytes;
	bool closes;     /* the connection ends after it */
	int64_t held_ms; /* how long the real one takes to answer */
};

struct sim_service {
	const char *name; /* "sim-proxmox" */
	void *world;
	const struct clock *clock;
	size_t request_max; /* bytes of a request's body and head; 0: 256 KiB */
	/* reply is a 200 of text/plain without a body; what it points to lives in request->arena. */
	void (*handle)(void *world, const struct sim_request *request, struct sim_reply *reply);
	bool (*script)(void *world, const char *line, char *text, size_t size);
	void (*tick)(void *world); /* NULL: none */
};

/* where: a port of 127.0.0.1 (0: any), or a unix socket. lines: of a script, run at once,
 * or as "after MS LINE" so long after; ended by NULL, or NULL. */
struct sim_host *sim_host_open(const struct sim_service *service, const char *where,
	char **lines, struct err *err);
int sim_host_port(const struct sim_host *server);
/* Until stop_fd is readable. */
void sim_host_run(struct sim_host *server, int stop_fd);
void sim_host_close(struct sim_host *server);

/* argv: NAME SOCKET|PORT [LINE…]. Prints the port, serves until SIGTERM. Returns the exit code. */
int sim_host_main(const struct sim_service *service, int argc, char **argv);

#endif
