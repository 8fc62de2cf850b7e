/*
 * The simulated cluster's connections: its own few lines of HTTP/1.1, because what counts here is
 * what servers hide: the reason phrase, answers that come late, are cut or never come, and the
 * connection that each error ends. One loop on one thread, to which the world belongs.
 */
#ifndef SIM_PROXMOX_SITE_H
#define SIM_PROXMOX_SITE_H

#include "sim/proxmox_world.h"

#define SITE_PEERS 64

struct site_peer {
	int fd;   /* -1: free */
	int node; /* that it came to; -1: any, named by the header X-Sim-Via */
	struct sim_tls_peer *tls;
	char *in;
	size_t in_bytes;
	char *out;
	size_t out_bytes, sent;
	int64_t due_ms; /* when the answer leaves */
	int64_t heard_ms;
	int served;
	bool is_silent, closes, is_cut, has_answer;
};

struct site {
	struct sim_proxmox *sim;
	struct clock *clock;
	int port;
	/* [i]: node i's own, in TLS; or only [0], in plain HTTP, for all. -1: not listening. */
	int listeners[PVE_NODES];
	bool is_tls;
	struct site_peer peers[SITE_PEERS];
};

/* Listens on an address and a port (0: any; it is told); -1: it can't. */
int site_listen(const char *ip, int *port);
void site_init(struct site *site);
void site_done(struct site *site);
/* Waits 10 ms at most for something to do, then does it. extra: one more that ends the wait, -1:
 * none. */
void site_step(struct site *site, int extra);

#endif
