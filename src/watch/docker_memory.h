/*
 * What the Docker watcher remembers of each container: just enough to tell why it stopped and
 * whether a look brings news. Found by id.
 */
#ifndef WATCH_DOCKER_MEMORY_H
#define WATCH_DOCKER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/observation.h"
#include "watch/docker_classify.h"

struct memo {
	char id[72];
	char name[NAME_MAX_BYTES];
	unsigned char state, health; /* enum obs_state, enum obs_health, as last reported */
	bool listed;                 /* mark for one pass over a list */
	bool ran_at_loss;
	bool deferred;               /* seen exited before its die event was */
	struct ending ending;
	uint64_t signals;            /* sent through the engine since its last start, a bit each */
	bool signalled_away;         /* while the engine was out of our sight */
	int64_t signalled_at, died_at; /* wall ms by the engine's clock */
};

struct memory {
	struct memo *memos;
	int count, capacity;
	int *slots;
	int slot_count;
};

struct memo *memory_find(const struct memory *memory, const char *id);
struct memo *memory_get(struct memory *memory, const char *id); /* makes it */
void memory_drop(struct memory *memory, const char *id);
void memory_free(struct memory *memory);

#endif
