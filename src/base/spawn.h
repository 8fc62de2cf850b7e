/*
 * Child processes: an argv (never a shell), a clean environment (PATH, HOME, LANG, and what is
 * named by leading "NAME=value" words of argv), no inherited descriptors, a process group of its
 * own. Either run to its end with a deadline and its output kept, or kept as a pipe to talk to.
 */
#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct spawn_result {
	int exit_code;   /* 128 + n when ended by signal n */
	char *output;    /* stdout and, unless apart, stderr; at most the limit; ended by NUL */
	const char *complaint; /* apart: its stderr, at most 4,095 bytes; else "" */
	size_t output_bytes;
	bool cut;
};

struct spawn_options {
	const char *input;   /* for its stdin, or NULL */
	int64_t timeout_ms;
	size_t limit_bytes;  /* of its output */
	int stop_fd;         /* -1: none */
	bool apart;          /* its stderr goes into complaint */
};
/* Runs to the end. False: not started, deadline passed (it was killed, with its group), stop_fd. */
bool spawn_run(const char *const *argv, const struct spawn_options *options, struct arena *arena,
	struct spawn_result *result, struct err *err);

/* A child whose stdin and stdout are one connected stream socket. -1 on error. */
int spawn_socket(const char *const *argv, pid_t *pid, struct err *err);
/* The same; *complaints becomes a file of 4,096 bytes that holds what the child wrote to stderr,
 * then NULs (read it by pread, close it). */
int spawn_socket_heard(const char *const *argv, pid_t *pid, int *complaints, struct err *err);
/* The same; *complaints becomes the reading end of a pipe that does not block: what the child says
 * to stderr. Who never reads it stops the child in the end. */
int spawn_socket_piped(const char *const *argv, pid_t *pid, int *complaints, struct err *err);
/* A child with its own stdout and stderr inherited (the demo's simulated engine). */
bool spawn_start(const char *const *argv, pid_t *pid, struct err *err);
/* SIGTERM, then after grace_ms SIGKILL, and reaps it. pid <= 0: nothing. */
void spawn_end(pid_t pid, int64_t grace_ms);

#endif
