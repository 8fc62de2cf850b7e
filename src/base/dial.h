/*
 * A TCP connection with a deadline, and the end of the certificate that a TLS server shows. For
 * looking at others only: nothing is sent but the handshake.
 */
#ifndef BASE_DIAL_H
#define BASE_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct dial {
	const char *host; /* a name or an address, IPv6 without brackets */
	const char *port;
	int64_t timeout_ms;
	int stop_fd; /* -1: none */
};

/* A connected socket that does not block, the caller's; -1: TIMEOUT, CANCELLED, RETRY. Looking a
 * name up cannot be cut short: it takes what the system's resolver takes. */
int dial_tcp(const struct dial *dial, struct err *err);
/* Until fd can be read (or written) or the deadline (mono ms, of CLOCK_MONOTONIC) passes. */
bool dial_wait(const struct dial *dial, int fd, bool to_write, int64_t deadline_ms,
	struct err *err);
int64_t dial_now_ms(void);

/* In http_tls_end.c. Wall ms until which the certificate of the server is valid, whoever signed
 * it. */
bool http_tls_end(const struct dial *dial, int64_t *ends_ms, struct err *err);

#endif
