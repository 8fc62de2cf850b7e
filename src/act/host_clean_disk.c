/*
 * Clean up a full disk: what is safe to remove, and only where it lies on the file system that is
 * full. Never volumes, containers, backups, nor anything that is somebody's data.
 */
#include <stdio.h>
#include <string.h>

#include "act/host_common.h"
#include "base/str.h"
#include "client/host_facts.h"

#define SHORT_MS 15000
#define STEP_MS 60000
/* The core waits 300 s for an action. */
#define ALL_MS 240000
#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)
#define WORDS 14

/* What is rotated, by its name: .gz .xz .bz2 .zst .old and .1 to .99. */
#define ROTATED ".*\\.(gz|xz|bz2|zst|old|[0-9]{1,2})"

struct scene {
	const struct act_context *context;
	struct host *host;
	struct disk_use disk; /* the full one */
	int64_t deadline;     /* mono */
	char did[240];
	int64_t freed;
};

/* Places that hold what may go. Each fills argv with its step's words; false: it has no such step.
 */
struct place {
	const char *name;
	bool (*path)(struct scene *scene, char *path, size_t size);
	bool (*step)(const struct scene *scene, int n, const char *argv[WORDS]);
};

static bool words(const char *argv[WORDS], const char *const *from)
{
	size_t n = 0;
	for (; from[n] != NULL && n < WORDS - 1; n++)
		argv[n] = from[n];
	argv[n] = NULL;
	return true;
}

static bool journal_path(struct scene *scene, char *path, size_t size)
{
	(void)scene;
	return str_copy(path, size, "/var/log/journal");
}

static bool journal_step(const struct scene *scene, int n, const char *argv[WORDS])
{
	const char *size = arena_printf(
		scene->context->arena, "--vacuum-size=%dM", host_machine(scene->host)->keep_journal_mib);
	return n == 0 && words(argv, (const char *[]){"journalctl", "--rotate", size, NULL});
}

static bool apt_path(struct scene *scene, char *path, size_t size)
{
	(void)scene;
	return str_copy(path, size, "/var/cache/apt/archives");
}

static bool apt_step(const struct scene *scene, int n, const char *argv[WORDS])
{
	(void)scene;
	return n == 0 && words(argv, (const char *[]){"apt-get", "clean", NULL});
}

static bool logs_path(struct scene *scene, char *path, size_t size)
{
	return host_machine(scene->host)->keep_logs_ms > 0 && str_copy(path, size, "/var/log");
}

static bool logs_step(const struct scene *scene, int n, const char *argv[WORDS])
{
	const char *age = arena_printf(scene->context->arena, "+%lld",
		(long long)(host_machine(scene->host)->keep_logs_ms / DAY_MS));
	return n == 0 &&
		words(argv,
			(const char *[]){"find", "/var/log", "-xdev", "-regextype", "posix-extended", "-type",
				"f", "-mtime", age, "-regex", ROTATED, "-delete", NULL});
}

static bool docker_path(struct scene *scene, char *path, size_t size)
{
	static const char *const argv[] = {"docker", "info", "-f", "{{.DockerRootDir}}", NULL};
	char *root;
	return host_try(scene->host, argv, SHORT_MS, scene->context->arena, &root) && root[0] == '/' &&
		str_copy(path, size, root);
}

static bool docker_step(const struct scene *scene, int n, const char *argv[WORDS])
{
	int64_t keep_ms = host_machine(scene->host)->keep_images_ms;
	const char *until = arena_printf(
		scene->context->arena, "until=%lldh", (long long)(keep_ms / HOUR_MS));
	if (n == 0)
		return words(argv, (const char *[]){"docker", "image", "prune", "-f", NULL});
	if (n == 1)
		return words(argv, (const char *[]){"docker", "builder", "prune", "-f", NULL});
	return n == 2 && keep_ms > 0 &&
		words(argv,
			(const char *[]){"docker", "image", "prune", "-a", "-f", "--filter", until, NULL});
}

static const struct place places[] = {
	{"journal", journal_path, journal_step},
	{"apt's cache", apt_path, apt_step},
	{"rotated logs", logs_path, logs_step},
	{"Docker's unused images and build cache", docker_path, docker_step},
};
#define PLACES (sizeof(places) / sizeof(places[0]))

/* Whether a place is there, and on the full file system; disk: how that is now. */
static bool is_on_it(struct scene *scene, const struct place *place, struct disk_use *disk)
{
	char path[200];
	struct err err = {0};
	return place->path(scene, path, sizeof(path)) &&
		host_disk_of(scene->host, path, scene->context->arena, disk, &err) &&
		strcmp(disk->mount, scene->disk.mount) == 0;
}

static void clean(struct scene *scene, const struct place *place)
{
	const struct clock *clock = scene->context->clock;
	struct disk_use before, after;
	struct err err = {0};
	const char *argv[WORDS];
	if (!is_on_it(scene, place, &before))
		return;
	for (int n = 0; place->step(scene, n, argv); n++) {
		int64_t left = scene->deadline - clock_mono_ms(clock);
		if (left > 0)
			host_try(
				scene->host, argv, left < STEP_MS ? left : STEP_MS, scene->context->arena, NULL);
	}
	if (!host_disk_of(scene->host, scene->disk.mount, scene->context->arena, &after, &err))
		return;
	int64_t freed = after.free_bytes - before.free_bytes;
	if (freed < 1024 * 1024)
		return;
	size_t used = strlen(scene->did);
	scene->freed += freed;
	str_format(scene->did + used, sizeof(scene->did) - used, "%s%s %.1f MiB", used > 0 ? ", " : "",
		place->name, (double)freed / 1048576);
}

static bool open_scene(struct scene *scene, const struct act_context *context,
	const struct plan *plan, struct err *err)
{
	*scene = (struct scene){.context = context,
		.deadline = clock_mono_ms(context->clock) + ALL_MS,
		.host = host_of_plan(context, plan, err)};
	return scene->host != NULL && host_fullest(scene->host, context->arena, &scene->disk, err);
}

/* So much a place holds, in its own program's words; "" where that does not tell. */
static void estimate(struct scene *scene, const struct place *place, char *text, size_t size)
{
	char path[200], *output;
	const char *const du[] = {"du", "-sxh", path, NULL};
	const char *const docker[] = {
		"docker", "system", "df", "--format", "{{.Type}} {{.Reclaimable}}", NULL};
	bool is_docker = place->path == docker_path;
	text[0] = '\0';
	if (!place->path(scene, path, sizeof(path)) ||
		!host_try(scene->host, is_docker ? docker : du, SHORT_MS, scene->context->arena, &output))
		return;
	if (is_docker)
		for (char *c = output; *c != '\0'; c++)
			*c = *c == '\n' ? ',' : *c;
	else
		output[strcspn(output, "\t ")] = '\0';
	str_copy(text, size, output);
}

static bool check(const struct act_context *context, const struct plan *plan, char *text,
	size_t size, struct err *err)
{
	struct scene scene;
	struct disk_use now;
	bool ok = open_scene(&scene, context, plan, err);
	if (ok)
		str_format(text, size, "would clean up %s (%.1f %% full):", scene.disk.mount,
			disk_percent(&scene.disk));
	for (size_t i = 0; ok && i < PLACES; i++) {
		char holds[160];
		if (!is_on_it(&scene, &places[i], &now))
			continue;
		estimate(&scene, &places[i], holds, sizeof(holds));
		size_t used = strlen(text);
		str_format(text + used, size - used, " %s (of %s);", places[i].name, holds);
	}
	host_close(scene.host);
	return ok;
}

/* Full is, as for the one who detects it, what is not well below the limit. */
static bool is_full(const struct act_context *context, const struct disk_use *disk)
{
	const struct config_thresholds *thresholds = &context->config->thresholds;
	return disk_percent(disk) > thresholds->node_disk - thresholds->hysteresis;
}

static enum act_result clean_all(
	struct scene *scene, const struct plan *plan, char *text, size_t size)
{
	struct err err = {0};
	struct disk_use after;
	double before = disk_percent(&scene->disk);
	if (!is_full(scene->context, &scene->disk) && !scene->context->ordered) {
		str_format(text, size, "no disk of %s is full any more: %s has %.1f %%", plan->label,
			scene->disk.mount, before);
		return ACT_DONE;
	}
	for (size_t i = 0; i < PLACES; i++)
		clean(scene, &places[i]);
	if (scene->freed == 0) {
		str_format(text, size,
			"nothing that may be removed lies on %s of %s: what fills it is for "
			"a person to judge",
			scene->disk.mount, plan->label);
		return ACT_FAILED;
	}
	bool seen = host_disk_of(scene->host, scene->disk.mount, scene->context->arena, &after, &err);
	str_format(text, size,
		"Successfully cleaned up %s on %s: %.1f %% → %.1f %%, %.1f MiB freed (%s)",
		scene->disk.mount, plan->label, before, seen ? disk_percent(&after) : before,
		(double)scene->freed / 1048576, scene->did);
	return ACT_DONE;
}

static enum act_result run(
	const struct act_context *context, const struct plan *plan, char *text, size_t size)
{
	struct scene scene;
	struct err err = {0};
	enum act_result result = ACT_FAILED;
	if (open_scene(&scene, context, plan, &err))
		result = clean_all(&scene, plan, text, size);
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
		seen = is_full(context, &scene.disk) ? LOOK_UNHEALTHY : LOOK_HEALTHY;
		str_format(text, size, "%s has %.1f %%", scene.disk.mount, disk_percent(&scene.disk));
	} else {
		str_copy(text, size, err.text);
	}
	host_close(scene.host);
	return seen;
}

const struct action host_clean_disk = {
	.info =
		{
			.name = "host.disk.clean",
			.summary = "Remove old journals, rotated logs, apt's cache and unused Docker images "
					   "from the disk that is full.",
			.title = "Clean up old data on {label}",
			.done = "cleaned up disk space",
			.kind = COMPONENT_NODE,
			.floor = RISK_LOW,
			.has_undo = false,
			.counts = true,
		},
	.check = check,
	.run = run,
	.verify = verify,
};
