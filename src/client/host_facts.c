#include "client/host_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define TIMEOUT_MS 20000

bool read_cpu_times(const char *stat, struct cpu_times *times)
{
	long long v[8] = {0};
	const char *line = str_starts(stat, "cpu ") ? stat : strstr(stat, "\ncpu ");
	if (line == NULL)
		return false;
	int n = sscanf(line + (*line == '\n'), "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &v[0],
		&v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]);
	*times = (struct cpu_times){0};
	for (int i = 0; i < n; i++)
		times->total += v[i];
	times->idle = v[3] + v[4];
	return n >= 4 && times->total > 0;
}

/* "MemTotal:  24576 kB"; -1: not there. */
static int64_t field_of(const char *meminfo, const char *name)
{
	const char *at = strstr(meminfo, name);
	return at != NULL ? strtoll(at + strlen(name), NULL, 10) * 1024 : -1;
}

bool read_memory(const char *meminfo, struct memory_use *memory)
{
	memory->total_bytes = field_of(meminfo, "MemTotal:");
	memory->available_bytes = field_of(meminfo, "MemAvailable:");
	memory->free_bytes = field_of(meminfo, "MemFree:");
	/* kernels before 3.14 */
	if (memory->available_bytes < 0)
		memory->available_bytes = memory->free_bytes;
	return memory->total_bytes > 0 && memory->available_bytes >= 0 &&
		memory->available_bytes <= memory->total_bytes;
}

/* What lies in memory, is made of others, or is always full. */
static bool is_disk(const char *type)
{
	static const char *const no[] = {"tmpfs", "devtmpfs", "ramfs", "overlay", "squashfs", "iso9660",
		"udf", "efivarfs", "erofs", "9p", "virtiofs", "fuse.*", "fuse", "nfs*", "cifs", "none",
		"proc", "sysfs", NULL};
	for (size_t i = 0; no[i] != NULL; i++)
		if (str_match(no[i], type))
			return false;
	return true;
}

/* Source, type, 1024-blocks, used, available, capacity, mount point. */
static bool read_row(const char *line, struct disk_use *disk, char type[32])
{
	long long used, available;
	int at = 0;
	if (sscanf(line, "%*s %31s %*d %lld %lld %*s %n", type, &used, &available, &at) < 3 ||
		at == 0 || used < 0 || available < 0 || used + available == 0)
		return false;
	str_format(disk->mount, sizeof(disk->mount), "%.*s", (int)strcspn(line + at, "\n"), line + at);
	disk->used_bytes = used * 1024;
	disk->free_bytes = available * 1024;
	return disk->mount[0] == '/';
}

double disk_percent(const struct disk_use *disk)
{
	int64_t all = disk->used_bytes + disk->free_bytes;
	return all > 0 ? 100.0 * (double)disk->used_bytes / (double)all : 0;
}

double memory_percent(const struct memory_use *memory)
{
	return memory->total_bytes > 0 ? 100.0 *
			(double)(memory->total_bytes - memory->available_bytes) / (double)memory->total_bytes
								   : 0;
}

static const char *next_line(const char *line)
{
	line = strchr(line, '\n');
	return line != NULL && line[1] != '\0' ? line + 1 : NULL;
}

bool read_disks(const char *table, struct disk_use *fullest)
{
	bool found = false;
	for (const char *line = table; line != NULL; line = next_line(line)) {
		struct disk_use disk;
		char type[32];
		if (!read_row(line, &disk, type) || !is_disk(type))
			continue;
		if (!found || disk_percent(&disk) > disk_percent(fullest))
			*fullest = disk;
		found = true;
	}
	return found;
}

static bool run(struct host *host, const char *const *argv, struct arena *arena,
	struct spawn_result *result, struct err *err)
{
	const struct host_command command = {.argv = argv, .timeout_ms = TIMEOUT_MS};
	return host_run(host, &command, arena, result, err);
}

bool host_loads(struct host *host, struct arena *arena, struct cpu_times *times,
	struct memory_use *memory, struct err *err)
{
	static const char *const argv[] = {"cat", "/proc/stat", "/proc/meminfo", NULL};
	struct spawn_result result;
	if (!run(host, argv, arena, &result, err))
		return false;
	return (read_cpu_times(result.output, times) && read_memory(result.output, memory)) ||
		err_set(err, ERR_INPUT, "/proc says nothing of load and memory: %.80s", result.output);
}

char *host_stopped(struct host *host, struct arena *arena)
{
	static const char *const argv[] = {"cat", HOST_STOPPED_FILE, NULL};
	struct spawn_result result;
	struct err err = {0};
	if (!run(host, argv, arena, &result, &err) || result.exit_code != 0)
		return arena_strdup(arena, "");
	return result.output;
}

bool host_fullest(struct host *host, struct arena *arena, struct disk_use *disk, struct err *err)
{
	static const char *const argv[] = {"df", "-PkTl", NULL};
	struct spawn_result result;
	if (!run(host, argv, arena, &result, err))
		return false;
	return read_disks(result.output, disk) ||
		err_set(err, ERR_INPUT, "df names no disk: %.80s", result.output);
}

bool host_disk_of(struct host *host, const char *path, struct arena *arena, struct disk_use *disk,
	struct err *err)
{
	const char *const argv[] = {"df", "-PkT", path, NULL};
	struct spawn_result result;
	char type[32];
	if (!run(host, argv, arena, &result, err))
		return false;
	const char *row = result.exit_code == 0 ? next_line(result.output) : NULL;
	return (row != NULL && read_row(row, disk, type)) ||
		err_set(err, ERR_GONE, "there is no %s", path);
}
