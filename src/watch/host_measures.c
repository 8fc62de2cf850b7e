#include "watch/host_measures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define TIMEOUT_MS 20000
/* All processes of a large host: a line each. */
#define PROCESSES_BYTES ((size_t)2 * 1024 * 1024)
#define PROCESSES_MAX 4096
#define SAMPLE_MS 1000
#define TICKS_PER_S 100 /* USER_HZ, of every Linux that is */
#define TOP 5

struct host_measures {
	const struct source_context *context;
	struct cpu_times before;
};

struct host_measures *host_measures_new(const struct source_context *context)
{
	struct host_measures *measures = calloc(1, sizeof(*measures));
	if (measures == NULL)
		abort();
	measures->context = context;
	return measures;
}

void host_measures_free(struct host_measures *measures)
{
	free(measures);
}

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

bool read_memory(const char *meminfo, int64_t *total, int64_t *available)
{
	*total = field_of(meminfo, "MemTotal:");
	*available = field_of(meminfo, "MemAvailable:");
	if (*available < 0)
		*available = field_of(meminfo, "MemFree:");
	return *total > 0 && *available >= 0 && *available <= *total;
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
static bool read_row(const char *line, struct disk_use *disk)
{
	char type[32];
	long long used, available;
	int at = 0;
	if (sscanf(line, "%*s %31s %*d %lld %lld %*s %n", type, &used, &available, &at) < 3 ||
		at == 0 || !is_disk(type) || used < 0 || available < 0 || used + available == 0)
		return false;
	str_format(disk->mount, sizeof(disk->mount), "%.*s", (int)strcspn(line + at, "\n"), line + at);
	disk->used_bytes = used * 1024;
	disk->free_bytes = available * 1024;
	return disk->mount[0] == '/';
}

static double share_of(int64_t used, int64_t rest)
{
	return used + rest > 0 ? 100.0 * (double)used / (double)(used + rest) : 0;
}

bool read_disks(const char *table, struct disk_use *fullest)
{
	bool found = false;
	for (const char *line = table; line != NULL && *line != '\0';
		 line = strchr(line, '\n'), line = line != NULL ? line + 1 : NULL) {
		struct disk_use disk;
		if (!read_row(line, &disk))
			continue;
		if (!found ||
			share_of(disk.used_bytes, disk.free_bytes) >
				share_of(fullest->used_bytes, fullest->free_bytes))
			*fullest = disk;
		found = true;
	}
	return found;
}

static bool run(struct host *host, const char *const *argv, struct arena *arena,
	struct spawn_result *result, struct err *err)
{
	const struct host_command command = {
		.argv = argv, .timeout_ms = TIMEOUT_MS, .limit_bytes = PROCESSES_BYTES};
	return host_run(host, &command, arena, result, err);
}

/* One process in a sample of /proc/PID/stat (proc(5)). */
struct process {
	int pid;
	char name[20];
	int64_t ticks; /* spent so far, or between two samples */
};

static bool read_process(const char *line, struct process *process)
{
	long long user, system;
	const char *open = strchr(line, '('), *end = line + strcspn(line, "\n");
	const char *close = memrchr(line, ')', (size_t)(end - line));
	if (open == NULL || close == NULL || open > close ||
		sscanf(close + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &user,
			&system) != 2)
		return false;
	process->pid = (int)strtol(line, NULL, 10);
	str_format(process->name, sizeof(process->name), "%.*s", (int)(close - open - 1), open + 1);
	process->ticks = user + system;
	return true;
}

static int sample(struct host *host, struct arena *arena, struct process *processes)
{
	static const char *const argv[] = {"find", "/proc", "-maxdepth", "2", "-path",
		"/proc/[0-9]*/stat", "-exec", "cat", "{}", "+", NULL};
	struct spawn_result result;
	struct err err = {0};
	int count = 0;
	if (!run(host, argv, arena, &result, &err))
		return 0;
	for (const char *line = result.output; line != NULL && count < PROCESSES_MAX;
		 line = strchr(line, '\n'), line = line != NULL ? line + 1 : NULL)
		count += read_process(line, &processes[count]) ? 1 : 0;
	return count;
}

static int by_ticks(const void *a, const void *b)
{
	const struct process *x = a, *y = b;
	return x->ticks < y->ticks ? 1 : x->ticks > y->ticks ? -1 : 0;
}

static int64_t ticks_before(const struct process *processes, int count, int pid)
{
	for (int i = 0; i < count; i++)
		if (processes[i].pid == pid)
			return processes[i].ticks;
	return 0;
}

/* "stress 98 %, ffmpeg 40 %": who uses the CPU now, in percent of one core. */
static void name_busiest(
	struct host_measures *measures, struct host *host, struct arena *arena, char *text, size_t size)
{
	const struct clock *clock = measures->context->clock;
	struct process *before = ARENA_ARRAY(arena, struct process, PROCESSES_MAX);
	struct process *after = ARENA_ARRAY(arena, struct process, PROCESSES_MAX);
	int had = sample(host, arena, before);
	int64_t begun = clock_mono_ms(clock);
	if (had == 0 || !clock_wait(clock, SAMPLE_MS, measures->context->stop_fd))
		return;
	int count = sample(host, arena, after);
	int64_t took_ms = clock_mono_ms(clock) - begun;
	for (int i = 0; i < count; i++)
		after[i].ticks -= ticks_before(before, had, after[i].pid);
	qsort(after, (size_t)count, sizeof(*after), by_ticks);
	for (int i = 0; i < count && i < TOP && after[i].ticks > 0 && took_ms > 0; i++) {
		size_t used = strlen(text);
		str_format(text + used, size - used, "%s%s %lld %%", i > 0 ? ", " : "", after[i].name,
			(long long)(after[i].ticks * 1000 * 100 / TICKS_PER_S / took_ms));
	}
}

/* "java 4.1 GiB, mysqld 1.2 GiB" */
static void name_largest(struct host *host, struct arena *arena, char *text, size_t size)
{
	static const char *const argv[] = {"ps", "-eo", "rss=,comm=", "--sort=-rss", NULL};
	struct spawn_result result;
	struct err err = {0};
	if (!run(host, argv, arena, &result, &err) || result.exit_code != 0)
		return;
	const char *line = result.output;
	for (int i = 0; i < TOP && line != NULL; i++) {
		char name[24];
		long long kib;
		size_t used = strlen(text);
		if (sscanf(line, " %lld %23[^\n]", &kib, name) != 2)
			break;
		str_format(text + used, size - used, "%s%s %.1f GiB", i > 0 ? ", " : "", name,
			(double)kib / 1048576);
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
}

/* So near its limit that who causes it is worth finding out. */
static bool is_high(const struct host_measures *measures, double percent, int limit)
{
	return percent > limit - measures->context->config->thresholds.hysteresis;
}

static void measure_cpu(struct host_measures *measures, struct host *host, const char *text,
	struct arena *arena, struct observation *seen)
{
	struct cpu_times now;
	if (!read_cpu_times(text, &now))
		return;
	int64_t total = now.total - measures->before.total, idle = now.idle - measures->before.idle;
	bool known = measures->before.total > 0 && total > 0 && idle >= 0 && idle <= total;
	measures->before = now;
	if (!known)
		return;
	seen->state = OBS_RUNNING;
	seen->percent = 100.0 * (double)(total - idle) / (double)total;
	if (is_high(measures, seen->percent, measures->context->config->thresholds.node_cpu))
		name_busiest(measures, host, arena, seen->detail, sizeof(seen->detail));
}

static void measure_memory(struct host_measures *measures, struct host *host, const char *text,
	struct arena *arena, struct observation *seen)
{
	int64_t total, available;
	if (!read_memory(text, &total, &available))
		return;
	seen->state = OBS_RUNNING;
	seen->max_bytes = total;
	seen->used_bytes = total - available;
	seen->percent = share_of(seen->used_bytes, available);
	if (is_high(measures, seen->percent, measures->context->config->thresholds.node_memory))
		name_largest(host, arena, seen->detail, sizeof(seen->detail));
}

static bool measure_disk(
	struct host *host, struct arena *arena, struct observation *seen, struct err *err)
{
	static const char *const argv[] = {"df", "-PkTl", NULL};
	struct spawn_result result;
	struct disk_use disk;
	if (!run(host, argv, arena, &result, err))
		return false;
	if (!read_disks(result.output, &disk))
		return err_set(err, ERR_INPUT, "df names no disk: %.80s", result.output);
	seen->state = OBS_RUNNING;
	seen->used_bytes = disk.used_bytes;
	seen->max_bytes = disk.used_bytes + disk.free_bytes;
	seen->percent = share_of(disk.used_bytes, disk.free_bytes);
	STR_SET(seen->detail, disk.mount);
	return true;
}

static void begin(const struct source_context *context, struct observation out[3])
{
	static const enum aspect aspects[3] = {ASPECT_CPU, ASPECT_MEMORY, ASPECT_DISK};
	struct component component = context->root;
	STR_FORMAT(component.native, "host/%s", context->config->machines[context->index].name);
	for (int i = 0; i < 3; i++) {
		out[i] = observation_of(&component, aspects[i]);
		out[i].state = OBS_UNKNOWN;
		out[i].seen_mono_ms = clock_mono_ms(context->clock);
	}
}

bool host_measures_look(struct host_measures *measures, struct host *host, struct arena *arena,
	struct observation out[3], struct err *err)
{
	static const char *const argv[] = {"cat", "/proc/stat", "/proc/meminfo", NULL};
	struct spawn_result result;
	begin(measures->context, out);
	if (!run(host, argv, arena, &result, err))
		return false;
	measure_cpu(measures, host, result.output, arena, &out[0]);
	measure_memory(measures, host, result.output, arena, &out[1]);
	return measure_disk(host, arena, &out[2], err);
}
