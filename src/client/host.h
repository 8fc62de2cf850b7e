/*
 * A machine, and how commands and its system bus are reached: here, over SSH, or in an LXC
 * container by pct exec on its node. Commands are an argv; what goes over SSH is quoted word by
 * word. A handle belongs to one thread.
 */
#ifndef CLIENT_HOST_H
#define CLIENT_HOST_H

#include "base/arena.h"
#include "base/bus.h"
#include "base/err.h"
#include "base/spawn.h"
#include "model/config.h"

struct host;

/* Talks to nobody. NULL: it cannot be reached so. */
struct host *host_open(const struct config_machine *machine, int stop_fd, struct err *err);
void host_close(struct host *host);

struct host_command {
	const char *const *argv; /* at most 24 words */
	const char *input;       /* for its stdin, or NULL */
	int64_t timeout_ms;
	size_t limit_bytes;      /* of its output; 0: 64 KiB */
};
/* As the machine is configured. */
const struct config_machine *host_machine(const struct host *host);
/* Runs a command to its end: true whatever its exit code. False: it did not run (DENIED, RETRY,
 * SYSTEM), or its end was not seen (TIMEOUT, CANCELLED). */
bool host_run(struct host *host, const struct host_command *command, struct arena *arena,
	struct spawn_result *result, struct err *err);
/* A connection to its system bus: the caller's, and closed before the host. */
struct bus *host_bus(struct host *host, int64_t timeout_ms, struct err *err);
/* After the connection to the bus broke: what ssh says of it, if that tells more than err. */
void host_lost(struct host *host, struct err *err);

#endif
