/*
 * What is measured of one host: CPU, memory, disks, by what its own /proc and df say. A host's
 * source (host.c) owns it; its thread.
 */
#ifndef WATCH_HOST_MEASURES_H
#define WATCH_HOST_MEASURES_H

#include "client/host.h"
#include "watch/source.h"

struct host_measures;

struct host_measures *host_measures_new(const struct source_context *context);
void host_measures_free(struct host_measures *measures);
/* Three observations into out: CPU since the last look, memory, the fullest disk. False: none of
 * them could be made, err says why; out is filled all the same (not known). */
bool host_measures_look(struct host_measures *measures, struct host *host, struct arena *arena,
	struct observation out[3], struct err *err);

/* Readers of the texts; for tests and the fuzzer. */
struct cpu_times {
	int64_t total, idle; /* in ticks, since its start */
};
bool read_cpu_times(const char *stat, struct cpu_times *times);
/* In bytes; of available memory, else what is free. */
bool read_memory(const char *meminfo, int64_t *total, int64_t *available);
/* The fullest file system of `df -PkT`'s table that is a disk of its own. */
struct disk_use {
	char mount[96];
	int64_t used_bytes, free_bytes; /* free: for everybody, not only for root */
};
bool read_disks(const char *table, struct disk_use *fullest);

#endif
