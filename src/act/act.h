/*
 * Acting, as the rest of the program sees it.
 * An action: one thing homeostat can do. One file each, ended by its const struct and listed in
 * actions.c. Its functions are plain blocking code on a job's thread, and look at the world again
 * before they touch it: what was true when the plan was made may not be now.
 */
#ifndef ACT_ACT_H
#define ACT_ACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/config.h"
#include "model/plan.h"

struct act_context {
	const struct config *config;
	const struct clock *clock;
	int stop_fd;
	struct arena *arena;
	bool ordered; /* by an operator, who means it even when the component is well */
};

enum act_result {
	ACT_DONE,     /* it was done, or need not be done any more: text says which */
	ACT_FAILED,   /* it was not done, or failed: text says why */
	ACT_UNKNOWN,  /* no answer within the deadline: it may have been done: look first */
	ACT_GONE,     /* its object does not exist any more */
	ACT_REFUSED,  /* the world has changed so that the plan no longer fits: text says how */
	ACT_HELD,     /* nothing was done: a lock, a lost quorum forbids it now: decided again later */
};
enum look_result {
	LOOK_HEALTHY,
	LOOK_NOT_YET,
	LOOK_UNHEALTHY,
	LOOK_BLIND, /* could not be seen */
	LOOK_MEANT, /* off on purpose, or gone */
};

struct action {
	struct action_info info;
	/* What would be done, in one sentence, without doing it. */
	bool (*check)(const struct act_context *context, const struct plan *plan, char *text,
		size_t size, struct err *err);
	enum act_result (*run)(const struct act_context *context, const struct plan *plan, char *text,
		size_t size);
	/* One look at the component afterwards. since_ms (out): wall time since when it has been up, by
	 * its own system's clock; 0 unknown. */
	enum look_result (*verify)(const struct act_context *context, const struct plan *plan,
		int64_t *since_ms, char *text, size_t size);
	enum act_result (*undo)(const struct act_context *context, const struct plan *plan, char *text,
		size_t size); /* NULL: cannot be undone */
};

/* All actions, ended by NULL; and by name, NULL when there is none. */
extern const struct action *const actions[];
const struct action *action_find(const char *name);

#endif
