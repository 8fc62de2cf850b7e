/*
 * Jobs: short conversations off the core (look at a container, restart it). A job is a function and
 * a body in an arena that it owns; it answers by mail. Started on a thread each, or inline, at
 * once, for tests. stop_fd is readable when the program stops: pass it to every wait.
 */
#ifndef BASE_JOB_H
#define BASE_JOB_H

#include <stdbool.h>

#include "base/arena.h"

struct jobs;

enum jobs_mode { JOBS_THREADS, JOBS_INLINE };

/* body lives in arena; the job may send the arena away (setting *arena NULL), else it is freed. */
typedef void job_fn(struct arena **arena, void *body, int stop_fd);

/* Ends the process when it cannot make its eventfd. */
struct jobs *jobs_new(enum jobs_mode mode);
/* Takes *arena. False when no thread could be made (the arena is freed): nothing was started. */
bool jobs_start(struct jobs *jobs, const char *name, job_fn *fn, struct arena **arena, void *body);
/* Starts a long-lived thread that jobs_stop joins; in inline mode an error of the caller. */
bool jobs_thread(struct jobs *jobs, const char *name, void *(*fn)(void *), void *arg);
int jobs_stop_fd(const struct jobs *jobs);
enum jobs_mode jobs_mode(const struct jobs *jobs);
/* Asks all to stop (stop_fd becomes readable). Idempotent; safe in a signal handler. */
void jobs_ask_stop(struct jobs *jobs);
/* Asks all to stop, waits for them, frees. */
void jobs_free(struct jobs *jobs);

#endif
