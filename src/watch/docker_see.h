/*
 * Looking at containers: one by its id, all of them, or those that differ from what is remembered.
 * Each sight that brings news becomes an observation of the report.
 */
#ifndef WATCH_DOCKER_SEE_H
#define WATCH_DOCKER_SEE_H

#include "watch/docker_memory.h"
#include "watch/source.h"

struct docker_source {
	struct source_context context;
	struct docker *query, *stream; /* the stream's handle is busy with it */
	struct docker_events *events;
	struct memory memory;
	struct arena *arena;           /* of the look at hand */
	bool listed;                   /* connected, and everything was listed once since */
	int64_t lost_at;               /* wall: when the engine was last lost, 0 never */
	bool gap;                      /* the engine has forgotten what it last told us */
	int64_t ping_ms, next_ping, next_reconcile; /* mono */
	char cursor[40];
	int64_t asked_mono_ms;         /* when the engine was last asked: how old a sight is */
	struct observation spare;      /* written to when the report is full */
	int capacity;                  /* of the report's observations */
	bool deferred;                 /* an exit waits for its die event, or for the next look */
};

/* All: false with err when the engine can't be asked. An exit whose die event has not come yet is
 * left to that event, or to the next comparison. */
bool docker_see_all(struct docker_source *source, struct report *report, struct err *err);
bool docker_see_differences(struct docker_source *source, struct report *report, struct err *err);
/* A container that is gone by now is reported as absent. */
bool docker_see_one(struct docker_source *source, const char *id, struct report *report,
	struct err *err);
void docker_see_gone(struct docker_source *source, const char *id, struct report *report);
/* It goes by another name now: nothing is left under the old one. */
void docker_see_renamed(struct docker_source *source, const char *id, struct report *report);

#endif
