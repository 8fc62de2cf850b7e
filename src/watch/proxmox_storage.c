/* Storages: how full they are, and whether a node that should have one can use it. */
#include <string.h>

#include "base/str.h"
#include "watch/proxmox_see.h"

/* Looks in a row that have to agree: a node that has just booted has none of its storages yet. */
#define MISSED_MAX 2

static bool is_shared_before(const struct prox_seen *seen, int index)
{
	const struct proxmox_storage *storage = &seen->look.storages[index];
	for (int i = 0; i < index; i++)
		if (seen->look.storages[i].shared && str_equal(seen->look.storages[i].name, storage->name))
			return true;
	return false;
}

static int nodes_with(const struct prox_seen *seen, const char *name)
{
	int count = 0;
	for (int i = 0; i < seen->look.storage_count; i++)
		count += str_equal(seen->look.storages[i].name, name);
	return count;
}

/* Of a shared one, a node that is online and has it; else any. where: those that lack it. */
static const struct proxmox_storage *best_of(
	const struct prox_seen *seen, const struct proxmox_storage *storage, char *where, size_t size)
{
	const struct proxmox_storage *best = storage;
	where[0] = '\0';
	for (int i = 0; i < seen->look.storage_count; i++) {
		const struct proxmox_storage *other = &seen->look.storages[i];
		bool same = storage->shared ? str_equal(other->name, storage->name) : other == storage;
		if (!same || other->lost)
			continue;
		if (other->available || best->lost)
			best = other;
		size_t length = strlen(where);
		if (!other->available)
			str_format(where + length, size - length, "%s%s", length > 0 ? ", " : "", other->node);
	}
	return best;
}

/* A node whose own figures are missing says nothing about its storages either. */
static bool is_told_of(const struct prox_seen *seen, const char *node)
{
	const struct proxmox_node *found = proxmox_node_find(&seen->look, node);
	return found != NULL && found->uptime_s > 0;
}

static void name_storage(const struct prox_seen *seen, const struct proxmox_storage *storage,
	struct component *component)
{
	const char *suffix = seen->source->context.suffix;
	*component = prox_component(seen, COMPONENT_STORAGE, storage->name);
	if (storage->shared || nodes_with(seen, storage->name) < 2) {
		STR_FORMAT(component->name, "storage_%s%s", storage->name, suffix);
	} else {
		STR_FORMAT(component->name, "storage_%s_%s%s", storage->name, storage->node, suffix);
		STR_FORMAT(component->label, "%s (%s)", storage->name, storage->node);
	}
	STR_FORMAT(
		component->native, "storage/%s/%s", storage->name, storage->shared ? "" : storage->node);
	if (!storage->shared)
		prox_node_name(seen, storage->node, component->parent);
}

static void see_storage(struct prox_seen *seen, const struct proxmox_storage *storage)
{
	struct component component;
	char where[160];
	name_storage(seen, storage, &component);
	struct prox_memo *memo = prox_remember(seen, &component);
	const struct proxmox_storage *best = best_of(seen, storage, where, sizeof(where));
	struct observation what = observation_of(&component, ASPECT_STATE);
	STR_SET(what.held, prox_held(seen));
	bool is_missing = where[0] != '\0';
	memo->missed = (unsigned char)(!is_missing ? 0
			: memo->missed < MISSED_MAX        ? memo->missed + 1
											   : MISSED_MAX);
	what.state = OBS_RUNNING;
	if (best->lost || (is_missing && (memo->missed < MISSED_MAX || !is_told_of(seen, best->node))))
		what.state = OBS_UNKNOWN;
	else if (is_missing)
		what.fault = FAULT_GONE;
	if (what.fault == FAULT_GONE)
		STR_FORMAT(what.detail, "it is not available on %s", where);
	prox_tell(seen, memo, &what);
	what.aspect = ASPECT_DISK;
	what.fault = FAULT_NONE;
	what.detail[0] = '\0';
	bool known = !best->lost && best->available && best->used_bytes >= 0 && best->max_bytes > 0;
	what.used_bytes = known ? best->used_bytes : -1;
	what.max_bytes = known ? best->max_bytes : -1;
	what.percent = known ? 100.0 * (double)best->used_bytes / (double)best->max_bytes : -1;
	prox_tell(seen, memo, &what);
}

void prox_see_storages(struct prox_seen *seen)
{
	for (int i = 0; i < seen->look.storage_count; i++) {
		const struct proxmox_storage *storage = &seen->look.storages[i];
		if (!storage->shared || !is_shared_before(seen, i))
			see_storage(seen, storage);
	}
}
