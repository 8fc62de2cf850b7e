/*
 * What is measured of one host: CPU, memory, disks, by what its own /proc and df say. A host's
 * source (host.c) owns it; its thread.
 */
#ifndef WATCH_HOST_MEASURES_H
#define WATCH_HOST_MEASURES_H

#include "client/host_facts.h"
#include "watch/source.h"

/* Observations that a look brings. */
#define HOST_MEASURES_MAX 4

struct host_measures;

struct host_measures *host_measures_new(const struct source_context *context);
void host_measures_free(struct host_measures *measures);
/* Into out: CPU since the last look, memory, the fullest disk, what was stopped for memory. False:
 * some could not be made (and are not known), err says why. */
bool host_measures_look(struct host_measures *measures, struct host *host, struct arena *arena,
	struct observation out[HOST_MEASURES_MAX], struct err *err);

#endif
