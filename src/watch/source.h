/*
 * A source: something that looks at a part of the homelab. One file each, ended by its const struct
 * and listed in sources.c. Its functions run on one thread of its own (or inline in tests), as
 * plain blocking code; self is that thread's. What it sees it puts into a report; what that means
 * is not its business.
 */
#ifndef WATCH_SOURCE_H
#define WATCH_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/config.h"
#include "model/observation.h"

struct source_context {
	const struct config *config;
	int index;                   /* which of config->docker[] */
	const struct clock *clock;
	int stop_fd;
	char name[64];               /* "docker:local" */
	char suffix[64];             /* "@local" where names would clash with another source, else "" */
	char cursor[64];             /* from the store: where the last run ended, or "" */
	struct component root;       /* what has failed when the source can't be seen; name "" : none */
};

/* A line of `homeostat check`. LIMITED: it works, but not all of it. */
enum source_mark { SOURCE_GOOD, SOURCE_LIMITED, SOURCE_WRONG };
typedef void source_say(void *ctx, enum source_mark mark, const char *text);

struct source {
	const char *name;            /* "docker" */
	const char *summary;
	enum component_kind root;    /* of what can't be seen when the source can't */
	const char *root_name;       /* "docker_daemon"; ends in _ : the title follows; NULL: no root */
	int (*count)(const struct config *config); /* how many are configured */
	const char *(*title)(const struct config *config, int index); /* a configured one's name */
	/* What it lives in, of a name that leaves the kind open: "guest_104@pve" for lxc_104@pve or
	 * qemu_104@pve; "" : not said. NULL: in nothing. */
	void (*home)(const struct config *config, int index, char name[NAME_MAX_BYTES]);
	/* Whether commands can be run where the root is; NULL: they can't. */
	bool (*shell)(const struct config *config, int index);
	/* Never talks to the network. NULL: a configuration that can't work, err says why. */
	void *(*open)(const struct source_context *context, struct err *err);
	/* Waits at most wait_ms for news, then reports. The first look after open or after a failed
	 * look is a whole list (report->complete): every component's state, and of its other aspects
	 * each that is not well or could not be seen. A look with nothing to say has count 0. False:
	 * the source can't be seen; err says why. report->observations grow in arena. */
	bool (*look)(void *self, int64_t wait_ms, struct arena *arena, struct report *report,
		struct err *err);
	void (*close)(void *self);
	/* For `homeostat check`: reaches it and says what is there. False: it can't be reached. */
	bool (*check)(void *self, source_say *say, void *ctx, struct err *err);
};

/* All sources, ended by NULL. */
extern const struct source *const sources[];

#endif
