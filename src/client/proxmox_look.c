/* One look: nodes, guests and storages out of GET /cluster/resources. */
#include "client/proxmox_internal.h"

#include <string.h>

#include "base/str.h"

/* A list that stays empty is not asked about more often than this. */
#define DENIED_AGAIN_MS ((int64_t)10 * 60 * 1000)

/* One entry, of whatever type it is. */
struct entry {
	const char *type, *name, *node, *tags, *lock, *ha_state, *pool, *status, *storage, *content,
		*plugin;
	bool template, shared;
	int vmid;
	double cpu;
	int64_t cores, mem, mem_max, disk, disk_max, uptime;
};

#define FIELD(key, type, member) \
	{ \
		key, type, offsetof(struct entry, member) \
	}
static const struct proxmox_field fields[] = {
	FIELD("type", PROXMOX_T_TEXT, type),
	FIELD("name", PROXMOX_T_TEXT, name),
	FIELD("node", PROXMOX_T_TEXT, node),
	FIELD("tags", PROXMOX_T_TEXT, tags),
	FIELD("lock", PROXMOX_T_TEXT, lock),
	FIELD("hastate", PROXMOX_T_TEXT, ha_state),
	FIELD("pool", PROXMOX_T_TEXT, pool),
	FIELD("status", PROXMOX_T_TEXT, status),
	FIELD("storage", PROXMOX_T_TEXT, storage),
	FIELD("content", PROXMOX_T_TEXT, content),
	FIELD("plugintype", PROXMOX_T_TEXT, plugin),
	FIELD("template", PROXMOX_T_BOOL, template),
	FIELD("shared", PROXMOX_T_BOOL, shared),
	FIELD("vmid", PROXMOX_T_VMID, vmid),
	FIELD("cpu", PROXMOX_T_DOUBLE, cpu),
	FIELD("maxcpu", PROXMOX_T_INT64, cores),
	FIELD("mem", PROXMOX_T_INT64, mem),
	FIELD("maxmem", PROXMOX_T_INT64, mem_max),
	FIELD("disk", PROXMOX_T_INT64, disk),
	FIELD("maxdisk", PROXMOX_T_INT64, disk_max),
	FIELD("uptime", PROXMOX_T_INT64, uptime),
};
static const struct proxmox_table table = {
	fields, sizeof(fields) / sizeof(fields[0]), sizeof(struct entry)};

static bool is_guest(struct json item)
{
	struct json type = json_get(item, "type");
	size_t length;
	const char *raw = json_raw(type, &length);
	return raw != NULL &&
		((length == 6 && memcmp(raw, "\"qemu\"", 6) == 0) ||
			(length == 5 && memcmp(raw, "\"lxc\"", 5) == 0));
}

static void take_guest(struct proxmox_look *look, const struct entry *entry)
{
	if (entry->vmid == 0)
		return;
	look->guests[look->guest_count++] = (struct proxmox_guest){
		.vmid = entry->vmid,
		.kind = str_equal(entry->type, "lxc") ? PROXMOX_LXC : PROXMOX_QEMU,
		.state = proxmox_state_of(entry->status),
		.template = entry->template,
		.name = entry->name,
		.node = entry->node,
		.tags = entry->tags,
		.lock = entry->lock,
		.ha_state = entry->ha_state,
		.pool = entry->pool,
		.cpu = entry->cpu,
		.cores = entry->cores,
		.mem_bytes = entry->mem,
		.mem_max_bytes = entry->mem_max,
		.disk_bytes = entry->disk,
		.disk_max_bytes = entry->disk_max,
		.uptime_s = entry->uptime,
	};
}

static enum proxmox_node_state node_state(const char *text)
{
	if (str_equal(text, "online"))
		return PROXMOX_ONLINE;
	return str_equal(text, "offline") ? PROXMOX_OFFLINE : PROXMOX_NODE_UNKNOWN;
}

static void take_node(struct proxmox_look *look, const struct entry *entry)
{
	look->nodes[look->node_count++] = (struct proxmox_node){
		.name = entry->node,
		.ha_state = entry->ha_state,
		.state = node_state(entry->status),
		.cpu = entry->cpu,
		.cores = entry->cores,
		.mem_bytes = entry->mem,
		.mem_max_bytes = entry->mem_max,
		.disk_bytes = entry->disk,
		.disk_max_bytes = entry->disk_max,
		.uptime_s = entry->uptime,
	};
}

static void take_storage(struct proxmox_look *look, const struct entry *entry)
{
	look->storages[look->storage_count++] = (struct proxmox_storage){
		.name = entry->storage,
		.node = entry->node,
		.content = entry->content,
		.type = entry->plugin,
		.shared = entry->shared,
		.available = str_equal(entry->status, "available"),
		.used_bytes = entry->disk,
		.max_bytes = entry->disk_max,
	};
}

static bool make_room(struct json data, struct arena *arena, struct proxmox_look *look)
{
	size_t guests = 0, others = 1;
	for (struct json item = json_first(data); json_is(item); item = json_next(item))
		*(is_guest(item) ? &guests : &others) += 1;
	look->guests = arena_try(arena, (guests + 1) * sizeof(*look->guests));
	look->nodes = arena_try(arena, others * sizeof(*look->nodes));
	look->storages = arena_try(arena, others * sizeof(*look->storages));
	return look->guests != NULL && look->nodes != NULL && look->storages != NULL;
}

/* What stands on a node that is not online is not known, whatever the frozen answer says. */
static void mark_lost(struct proxmox_look *look)
{
	const char *last = NULL;
	bool lost = false;
	for (int i = 0; i < look->guest_count; i++) {
		struct proxmox_guest *guest = &look->guests[i];
		if (last == NULL || strcmp(last, guest->node) != 0) {
			const struct proxmox_node *node = proxmox_node_find(look, guest->node);
			lost = node == NULL || node->state != PROXMOX_ONLINE;
			last = guest->node;
		}
		guest->lost = lost || guest->state == PROXMOX_GUEST_UNKNOWN;
	}
	for (int i = 0; i < look->storage_count; i++) {
		const struct proxmox_node *node = proxmox_node_find(look, look->storages[i].node);
		look->storages[i].lost = node == NULL || node->state != PROXMOX_ONLINE;
	}
}

static bool take_all(
	struct json data, struct arena *arena, struct proxmox_look *look, struct err *err)
{
	*look = (struct proxmox_look){.denied = ""};
	if (json_kind(data) != JSON_ARRAY)
		return err_set(err, ERR_INPUT, "\"data\" is no list");
	if (!make_room(data, arena, look))
		return err_set(err, ERR_INPUT, "%zu resources are too many", json_count(data));
	for (struct json item = json_first(data); json_is(item); item = json_next(item)) {
		struct entry entry;
		if (json_kind(item) != JSON_OBJECT)
			continue;
		proxmox_row(item, &table, arena, &entry);
		if (is_guest(item))
			take_guest(look, &entry);
		else if (str_equal(entry.type, "node") && entry.node[0] != '\0')
			take_node(look, &entry);
		else if (str_equal(entry.type, "storage") && entry.storage[0] != '\0')
			take_storage(look, &entry);
	}
	mark_lost(look);
	return true;
}

bool proxmox_look_parse(const char *text, size_t length, struct arena *arena,
	struct proxmox_look *look, struct err *err)
{
	auto_arena scratch = arena_new(PROXMOX_SCRATCH_BYTES);
	struct json data;
	return proxmox_data(text, length, scratch, &data, err) && take_all(data, arena, look, err);
}

static bool may_anywhere(const struct proxmox_rights *rights, const char *top, const char *name)
{
	if (proxmox_may(rights, top, name))
		return true;
	for (int i = 0; i < rights->count; i++)
		if (str_starts(rights->rights[i].path, top) &&
			proxmox_may(rights, rights->rights[i].path, name))
			return true;
	return false;
}

/* Lists are filtered by permission without a word: the token's rights tell whether there is nothing
 * or nothing to be seen. What cannot be found out is left open. */
static void explain_empty(struct proxmox *proxmox, const struct proxmox_look *look)
{
	auto_arena arena = arena_new((size_t)64 * 1024 * 1024);
	struct proxmox_rights rights;
	struct err ignored = {0};
	int64_t now = clock_mono_ms(proxmox->clock);
	if (proxmox->denied_at > 0 && now - proxmox->denied_at < DENIED_AGAIN_MS)
		return;
	if (!proxmox_rights(proxmox, arena, &rights, &ignored))
		return;
	bool guests = look->guest_count == 0 && !may_anywhere(&rights, "/vms", "VM.Audit");
	bool storages = look->storage_count == 0 &&
		!may_anywhere(&rights, "/storage", "Datastore.Audit");
	STR_FORMAT(proxmox->denied, "%s%s%s", guests ? "VM.Audit on /vms" : "",
		guests && storages ? ", " : "", storages ? "Datastore.Audit on /storage" : "");
	proxmox->denied_at = now;
}

bool proxmox_look(struct proxmox *proxmox, int64_t timeout_ms, struct arena *arena,
	struct proxmox_look *look, struct err *err)
{
	auto_arena scratch = arena_new(PROXMOX_SCRATCH_BYTES);
	struct json data;
	if (!proxmox_get(proxmox, "/cluster/resources", timeout_ms, scratch, &data, err))
		return false;
	if (!take_all(data, arena, look, err))
		return err_prefix(err, "%s: GET /cluster/resources", proxmox->name);
	if (look->guest_count > 0 && look->storage_count > 0) {
		proxmox->denied_at = 0;
		proxmox->denied[0] = '\0';
		return true;
	}
	explain_empty(proxmox, look);
	const char *denied = arena_strdup(arena, proxmox->denied);
	look->denied = denied != NULL ? denied : "";
	return true;
}

const struct proxmox_guest *proxmox_guest_find(const struct proxmox_look *look, int vmid)
{
	for (int i = 0; i < look->guest_count; i++)
		if (look->guests[i].vmid == vmid)
			return &look->guests[i];
	return NULL;
}

const struct proxmox_node *proxmox_node_find(const struct proxmox_look *look, const char *name)
{
	for (int i = 0; i < look->node_count; i++)
		if (str_equal(look->nodes[i].name, name))
			return &look->nodes[i];
	return NULL;
}
