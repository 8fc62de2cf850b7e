/*
 * The server's side of TLS 1.2 and 1.3 for simulated servers: an authority made at its start, host
 * certificates signed by it (or by themselves), and connections on sockets that do not block. The
 * only file of the simulators that includes <openssl/>. One thread.
 */
#ifndef SIM_SERVER_TLS_H
#define SIM_SERVER_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_tls;
struct sim_tls_host;
struct sim_tls_peer;

#define SIM_TLS_FINGERPRINT 96 /* "AB:CD:…" of 32 bytes */

/* A new authority with a key of its own. */
struct sim_tls *sim_tls_new(void);
void sim_tls_free(struct sim_tls *tls);
const char *sim_tls_ca_pem(const struct sim_tls *tls);

struct sim_tls_name {
	const char *host, *ip;
	int64_t from_s, to_s; /* valid so long before and after the machine's own time */
	bool is_foreign;      /* signed by itself, not by the authority */
};
struct sim_tls_host *sim_tls_certify(const struct sim_tls *tls, const struct sim_tls_name *name,
	char fingerprint[SIM_TLS_FINGERPRINT]);
void sim_tls_host_free(struct sim_tls_host *host);

/* The handshake happens within the first reads. */
struct sim_tls_peer *sim_tls_accept(const struct sim_tls_host *host, int fd);
/* Bytes; 0: it ended or failed; -1: nothing for now. */
int sim_tls_read(struct sim_tls_peer *peer, void *bytes, size_t size);
int sim_tls_write(struct sim_tls_peer *peer, const void *bytes, size_t size);
/* clean: says good-bye, as a server does that ends a connection on purpose. */
void sim_tls_close(struct sim_tls_peer *peer, bool clean);

#endif
