/*
 * Free memory of a machine: its caches are written back and dropped; where that is not enough,
 * containers that are labelled as not essential are stopped, the largest first, until it is. They
 * are noted on the machine, and started again by host.memory.restore when memory is back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/host_common.h"
#include "base/str.h"
#include "client/host_facts.h"

#define SYNC_MS 120000
#define SHORT_MS 20000
#define STOP_MS 30000
#define CONTAINERS_MAX 32

struct scene {
	const struct act_context *context;
	struct host *host;
	struct memory_use memory;
};

static bool look(struct scene *scene, struct err *err)
{
	struct cpu_times times;
	return host_loads(scene->host, scene->context->arena, &times, &scene->memory, err);
}

static bool open_scene(struct scene *scene, const struct act_context *context,
	const struct plan *plan, struct err *err)
{
	*scene = (struct scene){.context = context, .host = host_of_plan(context, plan, err)};
	return scene->host != NULL && look(scene, err);
}

static bool is_high(const struct scene *scene)
{
	const struct config_thresholds *thresholds = &scene->context->config->thresholds;
	return memory_percent(&scene->memory) > thresholds->node_memory - thresholds->hysteresis;
}

struct container {
	char id[72], name[64];
	double percent; /* of the machine's memory */
};

static int by_size(const void *a, const void *b)
{
	const struct container *x = a, *y = b;
	return x->percent < y->percent ? 1 : x->percent > y->percent ? -1 : 0;
}

/* Those that run and may be stopped, the largest first. No Docker: none. */
static int list_containers(struct scene *scene, struct container list[CONTAINERS_MAX])
{
	static const char *const ps[] = {
		"docker", "ps", "-q", "--no-trunc", "--filter", "label=homeostat.nonessential=true", NULL};
	const char *stats[CONTAINERS_MAX + 6] = {"docker", "stats", "--no-stream", "--no-trunc",
		"--format", "{{.ID}} {{.MemPerc}} {{.Name}}"};
	char *ids, *rows, *save = NULL;
	int n = 0, count = 0;
	if (!host_try(scene->host, ps, SHORT_MS, scene->context->arena, &ids) || ids[0] == '\0')
		return 0;
	for (char *id = strtok_r(ids, "\n", &save); id != NULL && n < CONTAINERS_MAX - 1;
		 id = strtok_r(NULL, "\n", &save))
		stats[6 + n++] = id;
	stats[6 + n] = NULL;
	if (!host_try(scene->host, stats, SHORT_MS, scene->context->arena, &rows))
		return 0;
	for (char *row = strtok_r(rows, "\n", &save); row != NULL && count < CONTAINERS_MAX;
		 row = strtok_r(NULL, "\n", &save))
		if (sscanf(row, "%71s %lf%% %63s", list[count].id, &list[count].percent,
				list[count].name) == 3)
			count++;
	qsort(list, (size_t)count, sizeof(*list), by_size);
	return count;
}

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	struct scene scene;
	struct container list[CONTAINERS_MAX];
	bool ok = open_scene(&scene, context, plan, err);
	int count = ok ? list_containers(&scene, list) : 0;
	if (ok)
		str_format(text, size, "would drop the caches of %s (%.1f %% used)%s", plan->label,
			memory_percent(&scene.memory), count > 0 ? ", then stop, as far as needed:" : "");
	for (int i = 0; i < count; i++) {
		size_t used = strlen(text);
		str_format(text + used, size - used, " %s (%.1f %%)", list[i].name, list[i].percent);
	}
	host_close(scene.host);
	return ok;
}

/* What is to be stopped is noted there before, so that it is started again whatever becomes of us.
 */
static bool note_stopped(struct scene *scene, const char *id)
{
	static const char *const argv[] = {"tee", "-a", HOST_STOPPED_FILE, NULL};
	struct spawn_result result;
	struct err err = {0};
	const struct host_command command = {.argv = argv,
		.input = arena_printf(scene->context->arena, "%s\n", id),
		.timeout_ms = SHORT_MS};
	return host_run(scene->host, &command, scene->context->arena, &result, &err) &&
		result.exit_code == 0;
}

/* One after the other, until there is memory. did: their names. */
static void stop_containers(struct scene *scene, char *did, size_t size)
{
	struct container list[CONTAINERS_MAX];
	struct err err = {0};
	int count = list_containers(scene, list);
	for (int i = 0; i < count && is_high(scene); i++) {
		const char *const stop[] = {"docker", "stop", "-t", "10", list[i].id, NULL};
		if (!note_stopped(scene, list[i].id) ||
			!host_try(scene->host, stop, STOP_MS, scene->context->arena, NULL))
			continue;
		size_t used = strlen(did);
		str_format(did + used, size - used, "%s'%s'", used > 0 ? ", " : "; stopped ", list[i].name);
		if (!look(scene, &err))
			return;
	}
}

static enum act_result free_memory(
	struct scene *scene, const struct plan *plan, char *text, size_t size)
{
	static const char *const sync[] = {"sync", NULL};
	static const char *const drop[] = {"sysctl", "-q", "-w", "vm.drop_caches=3", NULL};
	struct arena *arena = scene->context->arena;
	struct err err = {0};
	char did[200] = "";
	double before = memory_percent(&scene->memory);
	if (!is_high(scene) && !scene->context->ordered) {
		str_format(text, size, "%s has enough memory again: %.1f %% used", plan->label, before);
		return ACT_DONE;
	}
	int64_t had = scene->memory.free_bytes;
	if (!host_try(scene->host, sync, SYNC_MS, arena, NULL) ||
		!host_try(scene->host, drop, SHORT_MS, arena, NULL)) {
		str_format(
			text, size, "the caches of %s could not be dropped: it takes root there", plan->label);
		return ACT_FAILED;
	}
	if (look(scene, &err) && is_high(scene))
		stop_containers(scene, did, sizeof(did));
	str_format(text, size,
		"Successfully cleared the caches of %s: memory %.1f %% → %.1f %%, %.1f MiB became free%s",
		plan->label, before, memory_percent(&scene->memory),
		(double)(scene->memory.free_bytes - had) / 1048576, did);
	return ACT_DONE;
}

static enum act_result run(
	const struct act_context *context, const struct plan *plan, char *text, size_t size)
{
	struct scene scene;
	struct err err = {0};
	enum act_result result = ACT_FAILED;
	if (open_scene(&scene, context, plan, &err))
		result = free_memory(&scene, plan, text, size);
	else
		str_copy(text, size, err.text);
	host_close(scene.host);
	return result;
}

static enum look_result verify(const struct act_context *context, const struct plan *plan,
	int64_t *since_ms, char *text, size_t size)
{
	struct scene scene;
	struct err err = {0};
	enum look_result seen = LOOK_BLIND;
	*since_ms = 0;
	if (open_scene(&scene, context, plan, &err)) {
		seen = is_high(&scene) ? LOOK_UNHEALTHY : LOOK_HEALTHY;
		str_format(text, size, "%.1f %% of its memory is used", memory_percent(&scene.memory));
	} else {
		str_copy(text, size, err.text);
	}
	host_close(scene.host);
	return seen;
}

const struct action host_free_memory = {
	.info =
		{
			.name = "host.memory.free",
			.summary = "Write back and drop a machine's caches; if that is not enough, stop "
					   "containers labelled homeostat.nonessential=true.",
			.title = "Clear caches or stop non-essential containers on {label}",
			.done = "freed memory",
			.kind = COMPONENT_NODE,
			.floor = RISK_MEDIUM,
			.has_undo = false,
			.counts = true,
		},
	.check = check,
	.run = run,
	.verify = verify,
};
