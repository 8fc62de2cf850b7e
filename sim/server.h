/*
 * A simulated world on a socket. Its own few lines of HTTP/1.1, because what counts here is what
 * servers hide: the reason phrase, answers that come late, are cut or never come, and the
 * connection that an error ends. One thread, one loop; the world belongs to it.
 */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"

struct sim_server_request {
	const char *method, *url, *head;
	const char *body; /* NULL: none */
	size_t body_bytes;
};
/* A header's value, in the arena; NULL: absent. */
char *sim_server_header(struct arena *arena, const struct sim_server_request *request,
	const char *name);

enum sim_server_wire {
	SIM_SERVER_ANSWER,
	SIM_SERVER_CUT,    /* the connection ends in the middle of the body */
	SIM_SERVER_HELD,   /* the answer comes by resume */
	SIM_SERVER_SILENT, /* never a byte */
	SIM_SERVER_DROP,   /* closed without an answer */
};
struct sim_server_reply {
	enum sim_server_wire wire;
	const char *head;  /* status line and headers, but for the length and the empty line */
	const char *body;
	size_t body_bytes;
	bool closes;
	int64_t held_ms;
	uint64_t ticket;   /* SIM_SERVER_HELD */
};

struct sim_server {
	const char *name;         /* "sim-proxmox" */
	size_t request_max_bytes; /* of one request */
	void (*handle)(void *world, const struct sim_server_request *request, struct arena *arena,
		struct sim_server_reply *reply);
	/* Of what is held; NULL: nothing ever is. */
	bool (*resume)(void *world, uint64_t ticket, struct arena *arena,
		struct sim_server_reply *reply);
	void (*abandon)(void *world, uint64_t ticket);
	void (*tick)(void *world);
	bool (*script)(void *world, const char *line, char *text, size_t size);
};

/* `NAME SOCKET|PORT [LINE…]`, as of the worlds' own mains. Returns the exit code. */
int sim_server_main(const struct sim_server *server, void *world, const struct clock *clock,
	int argc, char **argv);

#endif
