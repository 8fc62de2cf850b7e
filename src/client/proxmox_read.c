/* What is read only now and then: backups, and the details of one node. */
#include "client/proxmox_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define ROWS(name, row) \
	static const struct proxmox_table name##_table = { \
		name##_fields, sizeof(name##_fields) / sizeof(name##_fields[0]), sizeof(row)}

struct content_row {
	const char *volume, *content, *format, *notes;
	int vmid;
	int64_t taken_s, bytes, approximate;
	bool protected;
};
static const struct proxmox_field content_fields[] = {
	{"volid", PROXMOX_T_TEXT, offsetof(struct content_row, volume)},
	{"content", PROXMOX_T_TEXT, offsetof(struct content_row, content)},
	{"format", PROXMOX_T_TEXT, offsetof(struct content_row, format)},
	{"notes", PROXMOX_T_TEXT, offsetof(struct content_row, notes)},
	{"vmid", PROXMOX_T_VMID, offsetof(struct content_row, vmid)},
	{"ctime", PROXMOX_T_INT64, offsetof(struct content_row, taken_s)},
	{"size", PROXMOX_T_INT64, offsetof(struct content_row, bytes)},
	{"approximate-size", PROXMOX_T_INT64, offsetof(struct content_row, approximate)},
	{"protected", PROXMOX_T_BOOL, offsetof(struct content_row, protected)},
};
ROWS(content, struct content_row);

/* PBS says {"verification":{"state":"ok","upid":…}}; beside the table, since it is nested. */
static void take_verification(struct json entry, struct proxmox_backup *backup)
{
	char state[16];
	json_copy(json_path(entry, "verification.state"), state, sizeof(state));
	backup->verified = str_equal(state, "ok");
	backup->verify_failed = str_equal(state, "failed");
}

static void take_backup(struct json entry, struct arena *arena, struct proxmox_backup_list *list)
{
	struct content_row row;
	proxmox_row(entry, &content_table, arena, &row);
	if (row.vmid == 0 || (row.content[0] != '\0' && !str_equal(row.content, "backup")))
		return;
	struct proxmox_backup *backup = &list->rows[list->count++];
	*backup = (struct proxmox_backup){.vmid = row.vmid,
		.volume = row.volume,
		.format = row.format,
		.notes = row.notes,
		.taken_s = row.taken_s,
		.bytes = row.bytes >= 0 ? row.bytes : row.approximate,
		.protected = row.protected};
	take_verification(entry, backup);
}

bool proxmox_backups(struct proxmox *proxmox, const char *node, const char *storage,
	struct arena *arena, struct proxmox_backup_list *list, struct err *err)
{
	auto_arena scratch = arena_new(PROXMOX_SCRATCH_BYTES);
	struct json data;
	const char *rest = arena_printf(
		scratch, "/storage/%s/content?content=backup", http_encode(scratch, storage));
	const char *path = proxmox_node_path(scratch, node, rest);
	if (!proxmox_get(proxmox, path, PROXMOX_NODE_TIMEOUT_MS, scratch, &data, err))
		return false;
	*list = (struct proxmox_backup_list){0};
	list->rows = arena_try(arena, (json_count(data) + 1) * sizeof(*list->rows));
	if (list->rows == NULL || (json_kind(data) != JSON_ARRAY && json_kind(data) != JSON_NULL))
		return err_set(err, ERR_INPUT, "%s: GET %.200s: \"data\" is no list, or too long a one",
			proxmox->name, path);
	for (struct json entry = json_first(data); json_is(entry); entry = json_next(entry))
		if (json_kind(entry) == JSON_OBJECT)
			take_backup(entry, arena, list);
	return true;
}

struct job_row {
	struct proxmox_job job;
	const char *enabled, *start_time, *days;
};
static const struct proxmox_field job_fields[] = {
	{"id", PROXMOX_T_TEXT, offsetof(struct job_row, job.id)},
	{"schedule", PROXMOX_T_TEXT, offsetof(struct job_row, job.schedule)},
	{"storage", PROXMOX_T_TEXT, offsetof(struct job_row, job.storage)},
	{"vmid", PROXMOX_T_TEXT, offsetof(struct job_row, job.guests)},
	{"pool", PROXMOX_T_TEXT, offsetof(struct job_row, job.pool)},
	{"node", PROXMOX_T_TEXT, offsetof(struct job_row, job.node)},
	{"exclude", PROXMOX_T_TEXT, offsetof(struct job_row, job.exclude)},
	{"all", PROXMOX_T_BOOL, offsetof(struct job_row, job.all)},
	{"next-run", PROXMOX_T_INT64, offsetof(struct job_row, job.next_run_s)},
	{"enabled", PROXMOX_T_TEXT, offsetof(struct job_row, enabled)},
	{"starttime", PROXMOX_T_TEXT, offsetof(struct job_row, start_time)},
	{"dow", PROXMOX_T_TEXT, offsetof(struct job_row, days)},
};
ROWS(job, struct job_row);

/* Before 7.1: days of the week and a time instead of a schedule. */
static const char *schedule_of(const struct job_row *row, struct arena *arena)
{
	if (row->job.schedule[0] != '\0' || row->start_time[0] == '\0')
		return row->job.schedule;
	size_t size = strlen(row->days) + strlen(row->start_time) + 2;
	char *old = arena_try(arena, size);
	if (old == NULL)
		return "";
	str_format(old, size, "%s %s", row->days, row->start_time);
	return old;
}

bool proxmox_jobs(
	struct proxmox *proxmox, struct arena *arena, struct proxmox_job_list *list, struct err *err)
{
	struct proxmox_rows rows;
	if (!proxmox_list(proxmox, "/cluster/backup", &job_table, arena, &rows, err))
		return false;
	const struct job_row *row = rows.rows;
	*list = (struct proxmox_job_list){0};
	list->rows = arena_try(arena, ((size_t)rows.count + 1) * sizeof(*list->rows));
	if (list->rows == NULL)
		return err_set(err, ERR_INPUT, "%s: too many backup jobs", proxmox->name);
	for (; list->count < rows.count; row++) {
		struct proxmox_job *job = &list->rows[list->count++];
		*job = row->job;
		/* a job without the key is enabled */
		job->enabled = !str_equal(row->enabled, "0") && !str_equal(row->enabled, "false");
		job->schedule = schedule_of(row, arena);
	}
	return true;
}

static const struct proxmox_field unbacked_fields[] = {
	{"vmid", PROXMOX_T_VMID, offsetof(struct proxmox_unbacked, vmid)},
	{"name", PROXMOX_T_TEXT, offsetof(struct proxmox_unbacked, name)},
	{"type", PROXMOX_T_TEXT, offsetof(struct proxmox_unbacked, type)},
};
ROWS(unbacked, struct proxmox_unbacked);

bool proxmox_unbacked(struct proxmox *proxmox, struct arena *arena,
	struct proxmox_unbacked_list *list, struct err *err)
{
	struct proxmox_rows rows;
	if (!proxmox_list(
			proxmox, "/cluster/backup-info/not-backed-up", &unbacked_table, arena, &rows, err))
		return false;
	*list = (struct proxmox_unbacked_list){rows.rows, rows.count};
	return true;
}

static void take_memory(struct json object, int64_t *used, int64_t *total)
{
	*used = json_int(json_get(object, "used"), -1);
	*total = json_int(json_get(object, "total"), -1);
}

bool proxmox_node_status(
	struct proxmox *proxmox, const char *node, struct proxmox_node_status *status, struct err *err)
{
	auto_arena arena = arena_new((size_t)8 * 1024 * 1024);
	struct json data;
	const char *path = proxmox_node_path(arena, node, "/status");
	if (!proxmox_get(proxmox, path, PROXMOX_NODE_TIMEOUT_MS, arena, &data, err))
		return false;
	if (json_kind(data) != JSON_OBJECT)
		return err_set(err, ERR_INPUT, "%s: GET %s: \"data\" is no object", proxmox->name, path);
	*status = (struct proxmox_node_status){0};
	json_copy(json_get(data, "pveversion"), status->version, sizeof(status->version));
	if (!json_copy(
			json_path(data, "current-kernel.release"), status->kernel, sizeof(status->kernel)))
		json_copy(json_get(data, "kversion"), status->kernel, sizeof(status->kernel));
	status->cpu = json_num(json_get(data, "cpu"), -1);
	status->wait = json_num(json_get(data, "wait"), -1);
	struct json load = json_first(json_get(data, "loadavg"));
	for (int i = 0; i < 3; i++, load = json_next(load))
		status->load[i] = json_num(load, -1);
	take_memory(json_get(data, "memory"), &status->mem_bytes, &status->mem_max_bytes);
	take_memory(json_get(data, "swap"), &status->swap_bytes, &status->swap_max_bytes);
	take_memory(json_get(data, "rootfs"), &status->root_bytes, &status->root_max_bytes);
	status->cores = json_int(json_path(data, "cpuinfo.cpus"), -1);
	status->uptime_s = json_int(json_get(data, "uptime"), -1);
	return true;
}

bool proxmox_node_reboot(struct proxmox *proxmox, const char *node, struct err *err)
{
	auto_arena arena = arena_new((size_t)1024 * 1024);
	static const struct proxmox_param params[] = {{"command", "reboot"}, {NULL, NULL}};
	const struct proxmox_question question = {.method = "POST",
		.path = proxmox_node_path(arena, node, "/status"),
		.params = params,
		.timeout_ms = PROXMOX_NODE_TIMEOUT_MS};
	struct json data;
	return proxmox_ask(proxmox, &question, arena, &data, err);
}

static const struct proxmox_field service_fields[] = {
	{"service", PROXMOX_T_TEXT, offsetof(struct proxmox_service, name)},
	{"state", PROXMOX_T_TEXT, offsetof(struct proxmox_service, state)},
	{"active-state", PROXMOX_T_TEXT, offsetof(struct proxmox_service, active)},
	{"unit-state", PROXMOX_T_TEXT, offsetof(struct proxmox_service, unit_state)},
	{"desc", PROXMOX_T_TEXT, offsetof(struct proxmox_service, description)},
};
ROWS(service, struct proxmox_service);

bool proxmox_services(struct proxmox *proxmox, const char *node, struct arena *arena,
	struct proxmox_service_list *list, struct err *err)
{
	struct proxmox_rows rows;
	if (!proxmox_list(proxmox, proxmox_node_path(arena, node, "/services"), &service_table, arena,
			&rows, err))
		return false;
	*list = (struct proxmox_service_list){rows.rows, rows.count};
	return true;
}

bool proxmox_service_restart(struct proxmox *proxmox, const char *node, const char *service,
	char upid[PROXMOX_UPID_BYTES], struct err *err)
{
	auto_arena arena = arena_new((size_t)64 * 1024);
	const char *rest = arena_printf(arena, "/services/%s/restart", http_encode(arena, service));
	const struct proxmox_question question = {.method = "POST",
		.path = proxmox_node_path(arena, node, rest),
		.timeout_ms = PROXMOX_NODE_TIMEOUT_MS};
	return proxmox_begin(proxmox, &question, upid, err);
}

static const struct proxmox_field certificate_fields[] = {
	{"filename", PROXMOX_T_TEXT, offsetof(struct proxmox_certificate, file)},
	{"subject", PROXMOX_T_TEXT, offsetof(struct proxmox_certificate, subject)},
	{"fingerprint", PROXMOX_T_TEXT, offsetof(struct proxmox_certificate, fingerprint)},
	{"notafter", PROXMOX_T_INT64, offsetof(struct proxmox_certificate, until_s)},
};
ROWS(certificate, struct proxmox_certificate);

bool proxmox_certificates(struct proxmox *proxmox, const char *node, struct arena *arena,
	struct proxmox_certificate_list *list, struct err *err)
{
	struct proxmox_rows rows;
	if (!proxmox_list(proxmox, proxmox_node_path(arena, node, "/certificates/info"),
			&certificate_table, arena, &rows, err))
		return false;
	*list = (struct proxmox_certificate_list){rows.rows, rows.count};
	return true;
}

static const struct proxmox_field replication_fields[] = {
	{"id", PROXMOX_T_TEXT, offsetof(struct proxmox_replication, id)},
	{"target", PROXMOX_T_TEXT, offsetof(struct proxmox_replication, target)},
	{"error", PROXMOX_T_TEXT, offsetof(struct proxmox_replication, error)},
	{"guest", PROXMOX_T_VMID, offsetof(struct proxmox_replication, vmid)},
	{"fail_count", PROXMOX_T_INT64, offsetof(struct proxmox_replication, fails)},
	{"last_sync", PROXMOX_T_INT64, offsetof(struct proxmox_replication, last_sync_s)},
	{"next_sync", PROXMOX_T_INT64, offsetof(struct proxmox_replication, next_sync_s)},
};
ROWS(replication, struct proxmox_replication);

bool proxmox_replications(struct proxmox *proxmox, const char *node, struct arena *arena,
	struct proxmox_replication_list *list, struct err *err)
{
	struct proxmox_rows rows;
	if (!proxmox_list(proxmox, proxmox_node_path(arena, node, "/replication"), &replication_table,
			arena, &rows, err))
		return false;
	*list = (struct proxmox_replication_list){rows.rows, rows.count};
	return true;
}

static const struct proxmox_field disk_fields[] = {
	{"devpath", PROXMOX_T_TEXT, offsetof(struct proxmox_disk, path)},
	{"model", PROXMOX_T_TEXT, offsetof(struct proxmox_disk, model)},
	{"serial", PROXMOX_T_TEXT, offsetof(struct proxmox_disk, serial)},
	{"health", PROXMOX_T_TEXT, offsetof(struct proxmox_disk, health)},
	{"wearout", PROXMOX_T_INT64, offsetof(struct proxmox_disk, wearout)},
	{"size", PROXMOX_T_INT64, offsetof(struct proxmox_disk, bytes)},
};
ROWS(disk, struct proxmox_disk);

bool proxmox_disks(struct proxmox *proxmox, const char *node, struct arena *arena,
	struct proxmox_disk_list *list, struct err *err)
{
	struct proxmox_rows rows;
	if (!proxmox_list(
			proxmox, proxmox_node_path(arena, node, "/disks/list"), &disk_table, arena, &rows, err))
		return false;
	*list = (struct proxmox_disk_list){rows.rows, rows.count};
	return true;
}

static const struct proxmox_field pool_fields[] = {
	{"name", PROXMOX_T_TEXT, offsetof(struct proxmox_pool, name)},
	{"health", PROXMOX_T_TEXT, offsetof(struct proxmox_pool, health)},
	{"size", PROXMOX_T_INT64, offsetof(struct proxmox_pool, bytes)},
	{"alloc", PROXMOX_T_INT64, offsetof(struct proxmox_pool, used_bytes)},
};
ROWS(pool, struct proxmox_pool);

bool proxmox_zfs(struct proxmox *proxmox, const char *node, struct arena *arena,
	struct proxmox_pool_list *list, struct err *err)
{
	struct proxmox_rows rows;
	if (!proxmox_list(
			proxmox, proxmox_node_path(arena, node, "/disks/zfs"), &pool_table, arena, &rows, err))
		return false;
	*list = (struct proxmox_pool_list){rows.rows, rows.count};
	return true;
}
