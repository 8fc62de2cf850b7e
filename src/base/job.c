#include "base/job.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mailbox.h"

/* libcurl with TLS and a name look-up needs about 100 KiB of stack. */
#define STACK_BYTES (256 * 1024)

/* Counting short jobs needs no lock: each job that ends sends a mail to `ended`, and jobs_free
 * waits for as many mails as jobs were started. */
struct jobs {
	enum jobs_mode mode;
	int stop_fd;
	struct mailbox *ended;
	size_t started, reaped;
	struct long_thread {
		struct long_thread *next;
		pthread_t id;
	} * threads;
};

struct job {
	struct jobs *jobs;
	job_fn *fn;
	struct arena *arena;
	void *body;
};

struct jobs *jobs_new(enum jobs_mode mode)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));
	if (jobs == NULL)
		abort();
	jobs->mode = mode;
	jobs->ended = mailbox_new(SIZE_MAX);
	jobs->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (jobs->stop_fd < 0) {
		perror("homeostat: eventfd");
		abort();
	}
	return jobs;
}

/* Signals belong to the main thread. */
static bool thread_start(
	pthread_t *id, const char *name, void *(*fn)(void *), void *arg, bool detached)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (detached)
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	bool ok = pthread_create(id, &attr, fn, arg) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (ok && !detached)
		pthread_setname_np(*id, name);
	return ok;
}

static void *job_main(void *arg)
{
	struct job *job = arg;
	struct jobs *jobs = job->jobs;
	job->fn(&job->arena, job->body, jobs->stop_fd);
	arena_free(job->arena);
	free(job);
	struct arena *arena = arena_new(1024);
	mailbox_send(jobs->ended, 0, &arena, NULL);
	return NULL;
}

static void reap(struct jobs *jobs, int64_t timeout_ms)
{
	struct mail *mail;
	while (
		jobs->reaped < jobs->started && (mail = mailbox_receive(jobs->ended, timeout_ms)) != NULL) {
		jobs->reaped++;
		mail_free(mail);
	}
}

bool jobs_start(struct jobs *jobs, const char *name, job_fn *fn, struct arena **arena, void *body)
{
	if (jobs->mode == JOBS_INLINE) {
		fn(arena, body, jobs->stop_fd);
		arena_free(*arena);
		*arena = NULL;
		return true;
	}
	struct job *job = calloc(1, sizeof(*job));
	if (job == NULL)
		abort();
	*job = (struct job){.jobs = jobs, .fn = fn, .arena = *arena, .body = body};
	*arena = NULL;
	pthread_t id;
	reap(jobs, 0);
	jobs->started++;
	if (thread_start(&id, name, job_main, job, true))
		return true;
	jobs->started--;
	arena_free(job->arena);
	free(job);
	return false;
}

bool jobs_thread(struct jobs *jobs, const char *name, void *(*fn)(void *), void *arg)
{
	if (jobs->mode == JOBS_INLINE)
		return false;
	struct long_thread *thread = calloc(1, sizeof(*thread));
	if (thread == NULL)
		abort();
	if (!thread_start(&thread->id, name, fn, arg, false)) {
		free(thread);
		return false;
	}
	thread->next = jobs->threads;
	jobs->threads = thread;
	return true;
}

int jobs_stop_fd(const struct jobs *jobs)
{
	return jobs->stop_fd;
}

enum jobs_mode jobs_mode(const struct jobs *jobs)
{
	return jobs->mode;
}

void jobs_ask_stop(struct jobs *jobs)
{
	uint64_t one = 1;
	ssize_t written = write(jobs->stop_fd, &one, sizeof(one));
	(void)written; /* the counter is full only when it was asked before */
}

void jobs_free(struct jobs *jobs)
{
	if (jobs == NULL)
		return;
	jobs_ask_stop(jobs);
	while (jobs->threads != NULL) {
		struct long_thread *thread = jobs->threads;
		jobs->threads = thread->next;
		pthread_join(thread->id, NULL);
		free(thread);
	}
	reap(jobs, -1);
	close(jobs->stop_fd);
	mailbox_free(jobs->ended);
	free(jobs);
}
