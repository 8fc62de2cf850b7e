/*
 * A look: the cluster and its nodes here, the rest in the files beside. What was remembered and is
 * not listed any more is gone, unless we have lost the right to see it.
 */
#include "watch/proxmox_see.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define LOOK_TIMEOUT_MS 15000
#define SCRATCH_BYTES ((size_t)512 << 20)

static uint32_t mix(uint32_t h, const char *text)
{
	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return (h ^ 0xff) * 16777619u;
}

static uint32_t mix_number(uint32_t h, int number)
{
	return (h ^ (uint32_t)number) * 16777619u;
}

/* Of everything that the core would want to know; never 0. */
static uint32_t digest(const struct observation *what)
{
	const struct component *component = &what->component;
	uint32_t h = 2166136261u;
	h = mix(mix(mix(h, component->label), component->native), component->parent);
	h = mix_number(h, component->ignored << 2 | component->critical << 1 | component->has_risk);
	h = mix_number(mix_number(h, (int)component->risk), (int)what->state);
	h = mix_number(mix_number(h, (int)what->fault), (int)what->want);
	h = mix_number(mix_number(h, (int)what->health), (int)what->cause);
	h = mix(mix(mix(mix(h, what->who), what->held), what->detail), what->services);
	return h | 1;
}

static struct observation *add(struct prox_seen *seen)
{
	struct proxmox_source *source = seen->source;
	struct report *report = seen->report;
	struct observation *all = report->observations;
	int capacity = all != NULL ? source->capacity : 0;
	if (all == NULL || report->count == capacity) {
		all = arena_grow(seen->arena, all, (size_t)capacity * sizeof(struct observation),
			((size_t)capacity * 2 + 4) * sizeof(struct observation));
		if (all == NULL) /* the arena's limit: what is beyond it is not reported */
			return &source->spare;
		report->observations = all;
		source->capacity = capacity * 2 + 4;
	}
	return &all[report->count++];
}

static bool is_share(enum aspect aspect)
{
	return aspect == ASPECT_CPU || aspect == ASPECT_MEMORY || aspect == ASPECT_DISK;
}

static int limit_of(const struct prox_seen *seen, const struct observation *what)
{
	const struct config_thresholds *thresholds = &seen->source->context.config->thresholds;
	if (what->component.kind == COMPONENT_STORAGE)
		return thresholds->storage;
	if (what->aspect == ASPECT_CPU)
		return what->component.kind == COMPONENT_NODE ? thresholds->node_cpu
													  : thresholds->guest_cpu;
	return what->aspect == ASPECT_MEMORY ? thresholds->node_memory : thresholds->node_disk;
}

/* Whether it has to be told again as long as it is so. */
static bool is_hot(const struct prox_seen *seen, const struct observation *what)
{
	if (what->aspect == ASPECT_STATE)
		return true;
	if (!is_share(what->aspect))
		return what->fault != FAULT_NONE || what->state == OBS_UNKNOWN;
	if (what->percent < 0)
		return seen->complete;
	return what->percent >=
		limit_of(seen, what) - seen->source->context.config->thresholds.hysteresis;
}

void prox_tell(struct prox_seen *seen, struct prox_memo *memo, const struct observation *what)
{
	uint32_t bit = 1u << what->aspect;
	bool hot = is_hot(seen, what), was = (memo->hot & bit) != 0;
	uint32_t now = digest(what);
	if (!hot && !was)
		return;
	if (is_share(what->aspect) && what->percent < 0 && !seen->complete)
		return;
	memo->hot = hot ? memo->hot | bit : memo->hot & ~bit;
	if (!is_share(what->aspect) && memo->told[what->aspect] == now)
		return;
	memo->told[what->aspect] = now;
	struct observation *told = add(seen);
	*told = *what;
	if (told->seen_mono_ms == 0)
		told->seen_mono_ms = seen->mono_ms;
}

static void renew(char **text, const char *now)
{
	if (*text != NULL && strcmp(*text, now) == 0)
		return;
	free(*text);
	*text = strdup(now);
	if (*text == NULL)
		abort();
}

struct prox_memo *prox_remember(struct prox_seen *seen, const struct component *component)
{
	struct prox_memo *memo = prox_memory_get(&seen->source->memory, component->name);
	renew(&memo->label, component->label);
	renew(&memo->native, component->native);
	renew(&memo->parent, component->parent);
	memo->kind = (unsigned char)component->kind;
	memo->seen = seen->source->looks;
	return memo;
}

struct component prox_component(
	const struct prox_seen *seen, enum component_kind kind, const char *label)
{
	const struct source_context *context = &seen->source->context;
	struct component component = {.kind = kind};
	STR_SET(component.label, label);
	STR_SET(component.source, context->name);
	STR_SET(component.parent, context->root.name);
	return component;
}

void prox_node_name(const struct prox_seen *seen, const char *node, char name[NAME_MAX_BYTES])
{
	const char *suffix = seen->source->context.suffix;
	if (seen->look.node_count == 1)
		str_format(name, NAME_MAX_BYTES, "proxmox_node%s", suffix);
	else
		str_format(name, NAME_MAX_BYTES, "proxmox_node_%s%s", node, suffix);
}

void prox_guest_name(
	const struct prox_seen *seen, const struct proxmox_guest *guest, char name[NAME_MAX_BYTES])
{
	str_format(name, NAME_MAX_BYTES, "%s_%d%s", guest->kind == PROXMOX_LXC ? "lxc" : "qemu",
		guest->vmid, seen->source->context.suffix);
}

bool prox_is_online(const struct prox_seen *seen, const char *node)
{
	const struct proxmox_node *found = proxmox_node_find(&seen->look, node);
	return found != NULL && found->state == PROXMOX_ONLINE;
}

bool prox_is_critical(const struct prox_seen *seen, int vmid)
{
	const struct config_proxmox *config = seen->source->config;
	for (int i = 0; i < config->critical_count; i++)
		if (config->critical[i] == vmid)
			return true;
	return false;
}

const char *prox_held(const struct prox_seen *seen)
{
	return seen->cluster_known && !seen->quorate ? "the cluster has no quorum" : "";
}

static void say_denied(struct prox_seen *seen, const char *text)
{
	size_t length = strlen(seen->denied);
	if (strstr(seen->denied, text) != NULL)
		return;
	str_format(seen->denied + length, sizeof(seen->denied) - length, "%s%s",
		length > 0 ? "; " : "cannot see everything: ", text);
}

void prox_note(struct prox_seen *seen, const struct err *why)
{
	char text[120];
	const char *refusal = strstr(why->text, "Permission check failed");
	if (why->kind == ERR_CANCELLED)
		seen->cancelled = true;
	if (why->kind != ERR_DENIED || refusal == NULL)
		return;
	STR_FORMAT(text, "%.*s", (int)strcspn(refusal, ")") + 1, refusal);
	say_denied(seen, text);
}

static void see_quorum(struct prox_seen *seen)
{
	struct err why = {0};
	struct observation what = observation_of(&seen->source->context.root, ASPECT_QUORUM);
	seen->cluster_known = proxmox_cluster(
		seen->source->client, LOOK_TIMEOUT_MS, seen->scratch, &seen->cluster, &why);
	if (!seen->cluster_known)
		prox_note(seen, &why);
	seen->quorate = !seen->cluster_known || seen->cluster.quorate;
	what.state = seen->cluster_known ? OBS_RUNNING : OBS_UNKNOWN;
	what.fault = seen->quorate ? FAULT_NONE : FAULT_FAILED;
	if (!seen->quorate)
		STR_FORMAT(what.detail, "cluster '%s' has no quorum: nothing can be started or changed",
			seen->cluster.name);
	struct prox_memo *memo = prox_remember(seen, &what.component);
	prox_tell(seen, memo, &what);
}

/* A member that the cluster itself does not see is offline, whatever the list still says. */
static void trust_members(struct prox_seen *seen)
{
	for (int i = 0; seen->cluster_known && i < seen->cluster.count; i++)
		for (int n = 0; !seen->cluster.members[i].online && n < seen->look.node_count; n++)
			if (str_equal(seen->look.nodes[n].name, seen->cluster.members[i].name))
				seen->look.nodes[n].state = PROXMOX_OFFLINE;
	for (int i = 0; i < seen->look.guest_count; i++)
		if (!prox_is_online(seen, seen->look.guests[i].node))
			seen->look.guests[i].lost = true;
	for (int i = 0; i < seen->look.storage_count; i++)
		if (!prox_is_online(seen, seen->look.storages[i].node))
			seen->look.storages[i].lost = true;
}

static void tell_share(struct prox_seen *seen, struct prox_memo *memo, struct observation *what,
	enum aspect aspect, int64_t used, int64_t max)
{
	what->aspect = aspect;
	what->used_bytes = used;
	what->max_bytes = max;
	what->percent = used >= 0 && max > 0 ? 100.0 * (double)used / (double)max : -1;
	prox_tell(seen, memo, what);
}

static void see_node(struct prox_seen *seen, const struct proxmox_node *node)
{
	struct component component = prox_component(seen, COMPONENT_NODE, node->name);
	prox_node_name(seen, node->name, component.name);
	STR_FORMAT(component.native, "node/%s", node->name);
	struct prox_memo *memo = prox_remember(seen, &component);
	struct observation what = observation_of(&component, ASPECT_STATE);
	STR_SET(what.held, prox_held(seen));
	what.state = OBS_RUNNING;
	if (node->state == PROXMOX_OFFLINE && seen->quorate) {
		what.state = OBS_UNREACHABLE;
		STR_SET(what.detail, "the other nodes of the cluster do not see it");
	} else if (node->state != PROXMOX_ONLINE) {
		what.state = OBS_UNKNOWN;
	}
	STR_SET(what.status, node->state == PROXMOX_ONLINE ? "online" : "offline");
	prox_tell(seen, memo, &what);
	if (node->state != PROXMOX_ONLINE)
		what.state = OBS_UNKNOWN;
	what.detail[0] = '\0';
	what.aspect = ASPECT_CPU;
	what.percent = node->state == PROXMOX_ONLINE && node->cpu >= 0 ? node->cpu * 100 : -1;
	prox_tell(seen, memo, &what);
	bool on = node->state == PROXMOX_ONLINE;
	tell_share(seen, memo, &what, ASPECT_MEMORY, on ? node->mem_bytes : -1, node->mem_max_bytes);
	tell_share(seen, memo, &what, ASPECT_DISK, on ? node->disk_bytes : -1, node->disk_max_bytes);
}

bool prox_is_hidden(struct prox_seen *seen, const struct prox_memo *memo)
{
	bool is_guest = memo->kind == COMPONENT_GUEST || memo->kind == COMPONENT_BACKUP;
	if (!is_guest && memo->kind != COMPONENT_STORAGE)
		return false;
	const struct proxmox_rights *rights = prox_rights(seen);
	const char *slash = strchr(memo->native, '/');
	char path[NATIVE_MAX_BYTES + 16];
	if (rights == NULL || slash == NULL)
		return true;
	STR_FORMAT(path, "%s%.*s", is_guest ? "/vms" : "/storage",
		is_guest ? (int)strlen(slash) : (int)strcspn(slash + 1, "/") + 1, slash);
	return !proxmox_may(rights, path, is_guest ? "VM.Audit" : "Datastore.Audit");
}

static void see_unlisted(struct prox_seen *seen)
{
	struct prox_memory *memory = &seen->source->memory;
	for (int i = 0; i < memory->count; i++) {
		struct prox_memo *memo = &memory->memos[i];
		if (memo->seen == seen->source->looks || memo->kind == COMPONENT_BACKUP)
			continue;
		struct component component = prox_component(
			seen, (enum component_kind)memo->kind, memo->label);
		STR_SET(component.name, memo->name);
		STR_SET(component.native, memo->native);
		STR_SET(component.parent, memo->parent);
		struct observation what = observation_of(&component, ASPECT_STATE);
		bool hidden = prox_is_hidden(seen, memo);
		what.state = hidden ? OBS_UNKNOWN : OBS_ABSENT;
		if (hidden)
			say_denied(seen,
				"what was seen before is not listed any more, and the rights to see "
				"it are missing or not known (pveum user permissions)");
		prox_tell(seen, memo, &what);
		memo->gone = !hidden;
	}
	prox_memory_sweep(memory);
}

static void say_what_is_denied(struct prox_seen *seen)
{
	struct proxmox_source *source = seen->source;
	if (seen->look.denied[0] != '\0') {
		char text[200];
		STR_FORMAT(text, "%.120s is missing", seen->look.denied);
		say_denied(seen, text);
	}
	const char *text = seen->denied[0] != '\0' ? seen->denied : source->text;
	STR_FORMAT(seen->report->text, "%s%s", text,
		text[0] != '\0' ? ": homeostat check prints the pveum commands that grant it" : "");
}

/* What is read slowly is read with the whole list, and then at its own pace. */
static void see_slow(struct prox_seen *seen)
{
	struct proxmox_source *source = seen->source;
	bool details = seen->complete || seen->mono_ms >= source->next_details;
	bool backups = seen->complete || seen->mono_ms >= source->next_backups;
	if (details) {
		prox_see_details(seen);
		source->next_details = seen->mono_ms + PROX_DETAILS_MS;
	}
	if (backups) {
		prox_see_backups(seen);
		source->next_backups = seen->mono_ms + PROX_BACKUPS_MS;
	}
	/* what only they can find out stands until they are read again */
	if (details)
		STR_SET(source->text, seen->denied);
}

static void see_all(struct prox_seen *seen)
{
	see_quorum(seen);
	trust_members(seen);
	for (int i = 0; i < seen->look.node_count; i++)
		see_node(seen, &seen->look.nodes[i]);
	for (int i = 0; i < seen->look.guest_count && !seen->cancelled; i++)
		prox_see_guest(seen, &seen->look.guests[i]);
	prox_see_storages(seen);
	if (!seen->cancelled)
		see_slow(seen);
	see_unlisted(seen);
	say_what_is_denied(seen);
}

bool prox_see(
	struct proxmox_source *source, struct arena *arena, struct report *report, struct err *err)
{
	auto_arena scratch = arena_new(SCRATCH_BYTES);
	struct prox_seen seen = {.source = source,
		.arena = arena,
		.scratch = scratch,
		.report = report,
		.mono_ms = report->seen_mono_ms,
		.wall_ms = clock_wall_ms(source->context.clock),
		.questions = PROX_QUESTIONS_MAX};
	if (!proxmox_look(source->client, LOOK_TIMEOUT_MS, scratch, &seen.look, err))
		return false;
	if (seen.look.node_count == 0)
		return err_set(err, ERR_INPUT,
			"proxmox %s: GET /cluster/resources: the answer lists no node", source->config->name);
	source->looks++;
	/* A list that lacks what we may not see is not whole. */
	seen.complete = !source->whole && seen.look.denied[0] == '\0';
	if (seen.complete)
		prox_memory_forget_told(&source->memory);
	see_all(&seen);
	if (seen.cancelled)
		return err_set(err, ERR_CANCELLED, "proxmox %s: told to stop", source->config->name);
	source->whole = source->whole || seen.complete;
	report->complete = seen.complete;
	return true;
}
