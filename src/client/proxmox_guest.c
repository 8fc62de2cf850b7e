/* One guest: its own state, power, and snapshots. */
#include "client/proxmox_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define SMALL_BYTES ((size_t)8 * 1024 * 1024)

static bool get_guest(struct proxmox *proxmox, struct proxmox_at at, const char *rest,
	struct arena *arena, struct json *data, struct err *err)
{
	const char *path = proxmox_guest_path(arena, at, rest);
	if (!proxmox_get(proxmox, path, PROXMOX_NODE_TIMEOUT_MS, arena, data, err))
		return false;
	if (json_kind(*data) == JSON_OBJECT)
		return true;
	return err_set(err, ERR_INPUT, "%s: GET %s: \"data\" is no object", proxmox->name, path);
}

static int64_t whole(struct json value)
{
	int64_t number = json_int(value, -1);
	return number < 0 ? -1 : number;
}

/* 1, "1" and "1,fstrim_cloned_disks=1" all say that there is an agent. */
static bool is_on(struct json value)
{
	char text[64];
	json_copy(value, text, sizeof(text));
	return str_equal(text, "true") || str_equal(text, "1") || str_starts(text, "1,") ||
		strstr(text, "enabled=1") != NULL;
}

bool proxmox_guest_status(struct proxmox *proxmox, struct proxmox_at at,
	struct proxmox_guest_status *status, struct err *err)
{
	auto_arena arena = arena_new(SMALL_BYTES);
	struct json data;
	char word[32];
	if (!get_guest(proxmox, at, "/status/current", arena, &data, err))
		return false;
	*status = (struct proxmox_guest_status){0};
	json_copy(json_get(data, "status"), word, sizeof(word));
	status->state = proxmox_state_of(word);
	json_copy(json_get(data, "name"), status->name, sizeof(status->name));
	json_copy(json_get(data, "lock"), status->lock, sizeof(status->lock));
	json_copy(json_get(data, "tags"), status->tags, sizeof(status->tags));
	json_copy(json_get(data, "qmpstatus"), status->qmp_status, sizeof(status->qmp_status));
	if (status->state == PROXMOX_RUNNING && str_equal(status->qmp_status, "paused"))
		status->state = PROXMOX_PAUSED;
	status->template = is_on(json_get(data, "template"));
	status->agent = is_on(json_get(data, "agent"));
	struct json ha = json_get(data, "ha");
	status->ha_managed = is_on(json_get(ha, "managed"));
	json_copy(json_get(ha, "state"), status->ha_state, sizeof(status->ha_state));
	status->cpu = json_num(json_get(data, "cpu"), -1);
	status->mem_bytes = whole(json_get(data, "mem"));
	status->mem_max_bytes = whole(json_get(data, "maxmem"));
	status->uptime_s = whole(json_get(data, "uptime"));
	status->pid = whole(json_get(data, "pid"));
	return true;
}

bool proxmox_guest_config(struct proxmox *proxmox, struct proxmox_at at,
	struct proxmox_guest_config *config, struct err *err)
{
	auto_arena arena = arena_new(SMALL_BYTES);
	struct json data;
	if (!get_guest(proxmox, at, "/config", arena, &data, err))
		return false;
	*config = (struct proxmox_guest_config){.onboot = is_on(json_get(data, "onboot")),
		.template = is_on(json_get(data, "template")),
		.agent = is_on(json_get(data, "agent")),
		.protection = is_on(json_get(data, "protection"))};
	json_copy(json_get(data, "lock"), config->lock, sizeof(config->lock));
	json_copy(json_get(data, "tags"), config->tags, sizeof(config->tags));
	return true;
}

bool proxmox_power(struct proxmox *proxmox, struct proxmox_at at, enum proxmox_power power,
	int wait_s, char upid[PROXMOX_UPID_BYTES], struct err *err)
{
	static const char *const paths[] = {
		"/status/start", "/status/shutdown", "/status/stop", "/status/reboot"};
	auto_arena arena = arena_new((size_t)64 * 1024);
	char seconds[16];
	STR_FORMAT(seconds, "%d", wait_s);
	const struct proxmox_param params[] = {{"timeout", seconds}, {NULL, NULL}};
	bool waits = wait_s > 0 && (power == PROXMOX_SHUTDOWN || power == PROXMOX_REBOOT);
	const struct proxmox_question question = {.method = "POST",
		.path = proxmox_guest_path(arena, at, paths[power]),
		.params = waits ? params : NULL,
		.timeout_ms = PROXMOX_NODE_TIMEOUT_MS};
	return proxmox_begin(proxmox, &question, upid, err);
}

static const struct proxmox_field snapshot_fields[] = {
	{"name", PROXMOX_T_TEXT, offsetof(struct proxmox_snapshot, name)},
	{"parent", PROXMOX_T_TEXT, offsetof(struct proxmox_snapshot, parent)},
	{"description", PROXMOX_T_TEXT, offsetof(struct proxmox_snapshot, description)},
	{"snapstate", PROXMOX_T_TEXT, offsetof(struct proxmox_snapshot, state)},
	{"snaptime", PROXMOX_T_INT64, offsetof(struct proxmox_snapshot, taken_s)},
	{"vmstate", PROXMOX_T_BOOL, offsetof(struct proxmox_snapshot, has_ram)},
};
static const struct proxmox_table snapshot_table = {
	snapshot_fields, 6, sizeof(struct proxmox_snapshot)};

bool proxmox_snapshots(struct proxmox *proxmox, struct proxmox_at at, struct arena *arena,
	struct proxmox_snapshot_list *list, struct err *err)
{
	struct proxmox_rows rows;
	const char *path = proxmox_guest_path(arena, at, "/snapshot");
	if (!proxmox_list(proxmox, path, &snapshot_table, arena, &rows, err))
		return false;
	*list = (struct proxmox_snapshot_list){.rows = rows.rows};
	for (int i = 0; i < rows.count; i++)
		if (!str_equal(list->rows[i].name, "current"))
			list->rows[list->count++] = list->rows[i];
	return true;
}

/* PVE's configid, at most 40 characters. */
static bool is_snapshot_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t length = strlen(name);
	return length >= 2 && length <= 40 && strspn(name, letters) >= 1 &&
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length;
}

bool proxmox_snapshot(struct proxmox *proxmox, struct proxmox_at at, enum proxmox_snapshot_act act,
	const char *name, char upid[PROXMOX_UPID_BYTES], struct err *err)
{
	auto_arena arena = arena_new((size_t)64 * 1024);
	const struct proxmox_param named[] = {{"snapname", name}, {NULL, NULL}};
	const struct proxmox_param started[] = {{"start", "1"}, {NULL, NULL}};
	if (!is_snapshot_name(name))
		return err_set(err, ERR_INPUT,
			"%s: \"%.60s\" is no name for a snapshot: a letter, then letters, digits, - and _, 40 "
			"at most",
			proxmox->name, name);
	struct proxmox_question question = {.method = "POST",
		.path = proxmox_guest_path(arena, at, "/snapshot"),
		.timeout_ms = PROXMOX_NODE_TIMEOUT_MS};
	bool takes = act == PROXMOX_SNAPSHOT_TAKE, deletes = act == PROXMOX_SNAPSHOT_DELETE;
	if (takes)
		question.params = named;
	else
		question.path = arena_printf(
			arena, "%s/%s%s", question.path, name, deletes ? "" : "/rollback");
	if (act == PROXMOX_SNAPSHOT_ROLLBACK_START)
		question.params = started;
	if (deletes)
		question.method = "DELETE";
	return proxmox_begin(proxmox, &question, upid, err);
}
