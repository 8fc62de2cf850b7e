#include "base/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct mailbox {
	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	struct mail *first, *last;
	size_t count, limit;
	bool closed;
};

struct mailbox *mailbox_new(size_t limit)
{
	struct mailbox *box = calloc(1, sizeof(*box));
	if (box == NULL)
		abort();
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&box->lock, NULL);
	pthread_cond_init(&box->filled, &attr);
	pthread_cond_init(&box->drained, &attr);
	pthread_condattr_destroy(&attr);
	box->limit = limit;
	return box;
}

void mailbox_free(struct mailbox *box)
{
	if (box == NULL)
		return;
	for (struct mail *mail = box->first; mail != NULL;) {
		struct mail *next = mail->next;
		mail_free(mail);
		mail = next;
	}
	pthread_mutex_destroy(&box->lock);
	pthread_cond_destroy(&box->filled);
	pthread_cond_destroy(&box->drained);
	free(box);
}

static bool put(struct mailbox *box, int kind, struct arena **arena, void *body, bool wait)
{
	struct mail *mail = ARENA_NEW(*arena, struct mail);
	*mail = (struct mail){.arena = *arena, .kind = kind, .body = body};
	*arena = NULL;
	pthread_mutex_lock(&box->lock);
	while (wait && !box->closed && box->count >= box->limit)
		pthread_cond_wait(&box->drained, &box->lock);
	bool taken = !box->closed && box->count < box->limit;
	if (taken) {
		if (box->last != NULL)
			box->last->next = mail;
		else
			box->first = mail;
		box->last = mail;
		box->count++;
		pthread_cond_signal(&box->filled);
	}
	pthread_mutex_unlock(&box->lock);
	if (!taken)
		mail_free(mail);
	return taken;
}

bool mailbox_send(struct mailbox *box, int kind, struct arena **arena, void *body)
{
	return put(box, kind, arena, body, true);
}

bool mailbox_offer(struct mailbox *box, int kind, struct arena **arena, void *body)
{
	return put(box, kind, arena, body, false);
}

/* Waits for a mail with the lock held. */
static void wait_filled(struct mailbox *box, int64_t timeout_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	int rc = 0;
	while (box->first == NULL && !box->closed && rc != ETIMEDOUT) {
		if (timeout_ms < 0)
			pthread_cond_wait(&box->filled, &box->lock);
		else
			rc = pthread_cond_timedwait(&box->filled, &box->lock, &until);
	}
}

struct mail *mailbox_receive(struct mailbox *box, int64_t timeout_ms)
{
	pthread_mutex_lock(&box->lock);
	if (timeout_ms != 0)
		wait_filled(box, timeout_ms);
	struct mail *mail = box->first;
	if (mail != NULL) {
		box->first = mail->next;
		if (box->first == NULL)
			box->last = NULL;
		box->count--;
		mail->next = NULL;
		pthread_cond_signal(&box->drained);
	}
	pthread_mutex_unlock(&box->lock);
	return mail;
}

void mail_free(struct mail *mail)
{
	if (mail != NULL)
		arena_free(mail->arena);
}

void mailbox_close(struct mailbox *box)
{
	pthread_mutex_lock(&box->lock);
	box->closed = true;
	pthread_cond_broadcast(&box->filled);
	pthread_cond_broadcast(&box->drained);
	pthread_mutex_unlock(&box->lock);
}

bool mailbox_is_closed(struct mailbox *box)
{
	pthread_mutex_lock(&box->lock);
	bool closed = box->closed;
	pthread_mutex_unlock(&box->lock);
	return closed;
}
