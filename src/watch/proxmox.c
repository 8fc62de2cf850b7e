/*
 * Proxmox VE: asks for everything in one call as often as PVE itself looks, compares that with its
 * memory, and asks more only about what has changed for the worse.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "watch/proxmox_see.h"

/* True: it is time for a look. A wound clock does not wait: then the next call may find so. */
static bool wait_for_look(struct proxmox_source *source, int64_t wait_ms, struct err *err)
{
	const struct clock *clock = source->context.clock;
	int64_t left = source->next_look - clock_mono_ms(clock);
	if (left > 0 && !clock_wait(clock, left < wait_ms ? left : wait_ms, source->context.stop_fd))
		return err_set(err, ERR_CANCELLED, "proxmox %s: told to stop", source->config->name);
	return clock_mono_ms(clock) >= source->next_look;
}

static void log_denied(struct proxmox_source *source, const char *before, const char *now)
{
	if (now[0] != '\0' && strcmp(before, now) != 0)
		log_warn("%s: %s", source->context.name, now);
}

static bool look(
	void *self, int64_t wait_ms, struct arena *arena, struct report *report, struct err *err)
{
	struct proxmox_source *source = self;
	struct err why = {0};
	char before[sizeof(source->text)];
	if (!wait_for_look(source, wait_ms, &why)) {
		report->seen_mono_ms = clock_mono_ms(source->context.clock);
		if (why.kind == ERR_NONE)
			return true;
		return err_set(err, why.kind, "%s", why.text);
	}
	STR_SET(before, source->said);
	report->seen_mono_ms = clock_mono_ms(source->context.clock);
	source->next_look = report->seen_mono_ms + PROX_LOOK_MS;
	if (prox_see(source, arena, report, err)) {
		log_denied(source, before, report->text);
		STR_SET(source->said, report->text);
		return true;
	}
	report->trouble = err->kind == ERR_DENIED ? OBS_ERR_DENIED : OBS_ERR_DOWN;
	source->whole = false;
	source->next_look = 0; /* how soon it is tried again is the watcher's to say */
	return false;
}

static int count(const struct config *config)
{
	return config->proxmox_count;
}

static const char *title(const struct config *config, int index)
{
	return config->proxmox[index].name;
}

static void close_source(void *self)
{
	struct proxmox_source *source = self;
	if (source == NULL)
		return;
	proxmox_close(source->client);
	prox_memory_free(&source->memory);
	free(source);
}

static void *open_source(const struct source_context *context, struct err *err)
{
	struct proxmox_source *source = calloc(1, sizeof(*source));
	if (source == NULL)
		abort();
	source->context = *context;
	source->config = &context->config->proxmox[context->index];
	source->client = proxmox_open(source->config, context->clock, context->stop_fd, err);
	if (source->client != NULL)
		return source;
	close_source(source);
	return NULL;
}

const struct source proxmox_source = {
	.name = "proxmox",
	.summary = "Proxmox VE: nodes, guests, storages, backups, quorum and HA.",
	.root = COMPONENT_CLUSTER,
	.root_name = "proxmox_cluster",
	.count = count,
	.title = title,
	.open = open_source,
	.look = look,
	.close = close_source,
	.check = prox_check,
};
