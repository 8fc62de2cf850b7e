/*
 * One probe: asks once, from here, whether something answers.
 */
#ifndef CLIENT_PROBE_H
#define CLIENT_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/config.h"

struct probe_answer {
	bool well;
	char text[240];  /* "HTTP 200 in 12 ms", or what is wrong */
	int64_t ends_ms; /* tls_expiry: wall, of its certificate; else 0 */
};

/* False: CANCELLED only; whatever else goes wrong is an answer. */
bool probe_ask(const struct config_probe *probe, int stop_fd, struct probe_answer *answer,
	struct err *err);

#endif
