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
	int64_t roomy_since; /* mono: since then there is memory to spare; 0: there is not */
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

static void see_cpu(struct host_measures *measures, struct host *host, const struct cpu_times *now,
	struct arena *arena, struct observation *seen)
{
	int64_t total = now->total - measures->before.total, idle = now->idle - measures->before.idle;
	bool known = measures->before.total > 0 && total > 0 && idle >= 0 && idle <= total;
	measures->before = *now;
	if (!known)
		return;
	seen->state = OBS_RUNNING;
	seen->percent = 100.0 * (double)(total - idle) / (double)total;
	if (is_high(measures, seen->percent, measures->context->config->thresholds.node_cpu))
		name_busiest(measures, host, arena, seen->detail, sizeof(seen->detail));
}

static void see_memory(const struct host_measures *measures, struct host *host,
	const struct memory_use *memory, struct arena *arena, struct observation *seen)
{
	seen->state = OBS_RUNNING;
	seen->max_bytes = memory->total_bytes;
	seen->used_bytes = memory->total_bytes - memory->available_bytes;
	seen->percent = memory_percent(memory);
	if (is_high(measures, seen->percent, measures->context->config->thresholds.node_memory))
		name_largest(host, arena, seen->detail, sizeof(seen->detail));
}

static void see_disk(const struct disk_use *disk, struct observation *seen)
{
	seen->state = OBS_RUNNING;
	seen->used_bytes = disk->used_bytes;
	seen->max_bytes = disk->used_bytes + disk->free_bytes;
	seen->percent = disk_percent(disk);
	STR_SET(seen->detail, disk->mount);
}

/* What was stopped for memory is missed once there has been memory to spare for a while: twice as
 * far below the limit as is enough to call it well, so that starting it does no harm. */
static void see_stopped(struct host_measures *measures, struct host *host, double memory,
	struct arena *arena, struct observation *seen)
{
	const struct config_thresholds *thresholds = &measures->context->config->thresholds;
	int64_t now = clock_mono_ms(measures->context->clock);
	const char *ids = host_stopped(host, arena);
	int count = 0;
	for (const char *c = ids; *c != '\0'; c++)
		count += *c == '\n';
	if (memory > thresholds->node_memory - 2 * thresholds->hysteresis)
		measures->roomy_since = 0;
	else if (measures->roomy_since == 0)
		measures->roomy_since = now;
	seen->state = OBS_RUNNING;
	if (count == 0 || measures->roomy_since == 0 ||
		now - measures->roomy_since < thresholds->sustained_ms)
		return;
	seen->fault = FAULT_NOTE;
	STR_FORMAT(seen->detail, "%d container%s stopped for want of it", count,
		count == 1 ? " was" : "s were");
}

static void begin(const struct source_context *context, struct observation out[HOST_MEASURES_MAX])
{
	static const enum aspect aspects[] = {ASPECT_CPU, ASPECT_MEMORY, ASPECT_DISK, ASPECT_STOPPED};
	struct component component = context->root;
	STR_FORMAT(component.native, "host/%s", context->config->machines[context->index].name);
	for (int i = 0; i < HOST_MEASURES_MAX; i++) {
		out[i] = observation_of(&component, aspects[i]);
		out[i].state = OBS_UNKNOWN;
		out[i].seen_mono_ms = clock_mono_ms(context->clock);
	}
}

bool host_measures_look(struct host_measures *measures, struct host *host, struct arena *arena,
	struct observation out[HOST_MEASURES_MAX], struct err *err)
{
	struct cpu_times times;
	struct memory_use memory;
	struct disk_use disk;
	begin(measures->context, out);
	if (!host_loads(host, arena, &times, &memory, err))
		return false;
	see_cpu(measures, host, &times, arena, &out[0]);
	see_memory(measures, host, &memory, arena, &out[1]);
	see_stopped(measures, host, memory_percent(&memory), arena, &out[3]);
	if (!host_fullest(host, arena, &disk, err))
		return false;
	see_disk(&disk, &out[2]);
	return true;
}
