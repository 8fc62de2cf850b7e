/*
 * Connections through the OpenSSH client: each dial starts one `ssh` that runs a command over
 * there, its stdin and stdout being the connection. Never asks anything (BatchMode): keys and known
 * hosts are the user's own. A handle belongs to one thread.
 */
#ifndef CLIENT_SSH_H
#define CLIENT_SSH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/spawn.h"

#define SSH_COMMAND_BYTES 4096

struct ssh;

/* url: ssh://[user@]host[:port]. Talks to nobody. NULL: the URL makes no sense. */
struct ssh *ssh_open(const char *url, const char *command, struct err *err);
/* For http_config.dial: ctx is the struct ssh. The socket belongs to the caller. */
int ssh_dial(void *ctx, struct err *err);
/* Runs the command to its end, over a connection of its own; name is for errors. False: it was not
 * run, or nobody knows how it ended (as spawn_run). */
bool ssh_run(const struct ssh *ssh, const char *name, const struct spawn_options *options,
	struct arena *arena, struct spawn_result *result, struct err *err);
/* What a complaint of ssh's means: DENIED and what to do about it, or RETRY. Returns false. */
bool ssh_explain(const char *name, const char *complaint, struct err *err);
/* What the newest ssh said on stderr, on one line. False: nothing. */
bool ssh_complaint(const struct ssh *ssh, char *text, size_t size);
/* Ends what still runs. */
void ssh_close(struct ssh *ssh);

#endif
