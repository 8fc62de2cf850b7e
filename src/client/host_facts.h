/*
 * What a machine's own /proc and df say of it, as numbers.
 */
#ifndef CLIENT_HOST_FACTS_H
#define CLIENT_HOST_FACTS_H

#include "client/host.h"

struct cpu_times {
	int64_t total, idle; /* in ticks, since its start */
};
struct memory_use {
	int64_t total_bytes, available_bytes, free_bytes;
};
struct disk_use {
	char mount[96];
	int64_t used_bytes, free_bytes; /* free: for everybody, not only for root */
};

/* Containers that were stopped to free memory: their ids, a line each, on the machine itself. */
#define HOST_STOPPED_FILE "/var/lib/homeostat-stopped"

/* CPU and memory by one command. False: they could not be read. */
bool host_loads(struct host *host, struct arena *arena, struct cpu_times *times,
	struct memory_use *memory, struct err *err);
/* What HOST_STOPPED_FILE says, "" when there is none; in arena. */
char *host_stopped(struct host *host, struct arena *arena);
/* The fullest file system that is a disk of its own. */
bool host_fullest(struct host *host, struct arena *arena, struct disk_use *disk, struct err *err);
/* The one that a path lies on. GONE: there is no such path. */
bool host_disk_of(struct host *host, const char *path, struct arena *arena, struct disk_use *disk,
	struct err *err);

double disk_percent(const struct disk_use *disk);
double memory_percent(const struct memory_use *memory);

/* The readers of the texts; for tests. */
bool read_cpu_times(const char *stat, struct cpu_times *times);
bool read_memory(const char *meminfo, struct memory_use *memory);
bool read_disks(const char *table, struct disk_use *fullest);

#endif
