/*
 * A simulated Docker engine, API 1.41, as strict as the real one (20.10): a world of containers
 * that live by an injected clock, with the engine's own restart policies and health checks; faults
 * by script; the HTTP API over it; and the same on a unix socket for `homeostat demo`.
 * Event sequences as recorded from Docker 20.10.24:
 *   process ends       die
 *   stop               kill (signal 15), die, stop
 *   kill               kill (signal 9), die
 *   restart            kill, die, stop, start, restart
 *   rm -f              kill, die, destroy
 *   health changes     health_status: unhealthy | healthy
 */
#ifndef SIM_DOCKER_H
#define SIM_DOCKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"

struct sim_docker;

/* The world belongs to one thread. It starts with no containers. */
struct sim_docker *sim_docker_new(const struct clock *clock);
void sim_docker_free(struct sim_docker *sim);

/* Lets the time that has passed take effect: crash loops, health checks, restart policies. */
void sim_docker_tick(struct sim_docker *sim);

/* One line of a script; false: text says what is wrong with it.
 *   container NAME [policy=P[:N]] [health] [label=K=V]… [loop=MS:CODE] [broken=MESSAGE]
 *             [stopsignal=N] [rotten] [image=NAME]
 *             (running; loop: ends MS after each start with CODE; broken: can't be started)
 *   crash NAME CODE | oom NAME | sick NAME | well NAME          its process ends, its check fails
 *   unmendable NAME                                             sick again after each restart
 *   stop|kill|start|restart|pause|unpause|remove|rename NAME …  as a person by the command line
 *   signal NAME N                                               a signal that it survives
 *   recreate NAME                                               as compose: a new id, same name
 *   finish NAME                                                 its process ends with 0
 *   log NAME TEXT | error NAME TEXT                             it writes a line; to stderr
 *   check NAME TEXT                                             what its health check will say
 *   engine down|up|frozen|denied|garbage|html|truncated|shutdown
 *             (down: connections are refused; shutdown: it stops all containers first)
 *   forget                                                      the event buffer is emptied */
bool sim_docker_script(struct sim_docker *sim, const char *line, char *text, size_t size);

enum sim_fault {
	SIM_OK, SIM_REFUSED, SIM_FROZEN, SIM_DENIED, SIM_GARBAGE, SIM_HTML, SIM_TRUNCATED,
};
enum sim_fault sim_docker_fault(const struct sim_docker *sim);

struct sim_reply {
	int status;
	const char *body; /* in the arena */
	size_t body_bytes; /* of one that is no text; 0: it ends with NUL */
	bool is_stream;   /* GET /events: read it by sim_docker_event */
	int64_t since_ns; /* of a stream */
	int64_t held_ms;  /* how long the real engine would take to answer */
};
/* One request. url: path and query, with or without /v1.NN. */
void sim_docker_handle(struct sim_docker *sim, const char *method, const char *url,
	struct arena *arena, struct sim_reply *reply);

/* The first container event at or after since_ns (by its time) and after *seq: a JSON line, and
 * *seq moves on. NULL: none yet. */
const char *sim_docker_event(struct sim_docker *sim, int64_t since_ns, uint64_t *seq,
	struct arena *arena);
uint64_t sim_docker_generation(const struct sim_docker *sim); /* grows when streams are cut */

/* What was asked of it: POSTs and DELETEs, "POST /containers/web/start", by name. */
int sim_docker_posts(const struct sim_docker *sim, const char *pattern);
/* "running" "exited" …; NULL: no such container. */
const char *sim_docker_state(struct sim_docker *sim, const char *name);

/* `sim-docker SOCKET [LINE…]`: serves the world on a unix socket until SIGTERM. Each LINE is one of
 * a script, run at once, or as "after MS LINE" so long after the start. Returns the exit code. */
int sim_docker_main(int argc, char **argv);

#endif
