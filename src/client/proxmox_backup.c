/*
 * The survey of backups. A vzdump of one guest names it in its task's id; that of a job with
 * several does not, and which of them failed stands in its log only.
 */
#include "client/proxmox_backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "client/proxmox_internal.h"

#define UNKNOWN_SCHEDULE_S ((int64_t)8 * 24 * 3600)
/* Logs of failed jobs that are read, a node. */
#define LOGS_MAX 3
/* Guests without a backup of which is asked when they were made. */
#define CREATED_MAX 64

struct surveying {
	struct proxmox *proxmox;
	const struct proxmox_look *look;
	int64_t wall_s, grace_s;
	struct arena *arena;
	struct proxmox_survey *survey;
	int read, failed; /* calls */
};

static void note_blind(struct surveying *self, const char *what, const struct err *why)
{
	self->failed++;
	if (self->survey->blind[0] == '\0')
		STR_FORMAT(self->survey->blind, "%s: %s", what, why->text);
}

static int by_vmid(const void *a, const void *b)
{
	const struct proxmox_backed *one = a, *other = b;
	return (one->vmid > other->vmid) - (one->vmid < other->vmid);
}

static bool list_guests(struct surveying *self, struct err *err)
{
	const struct proxmox_look *look = self->look;
	struct proxmox_survey *survey = self->survey;
	survey->guests = arena_try(
		self->arena, ((size_t)look->guest_count + 1) * sizeof(*survey->guests));
	if (survey->guests == NULL)
		return err_set(err, ERR_INPUT, "%d guests are too many", look->guest_count);
	for (int i = 0; i < look->guest_count; i++) {
		const struct proxmox_guest *guest = &look->guests[i];
		survey->guests[survey->guest_count++] = (struct proxmox_backed){.vmid = guest->vmid,
			.kind = guest->kind,
			.name = guest->name,
			.node = guest->node,
			.template = guest->template,
			.lost = guest->lost,
			.bytes = -1,
			.volume = "",
			.storage = "",
			.tried_text = ""};
	}
	qsort(survey->guests, (size_t)survey->guest_count, sizeof(*survey->guests), by_vmid);
	return true;
}

static struct proxmox_backed *backed_of(struct surveying *self, int vmid)
{
	const struct proxmox_backed key = {.vmid = vmid};
	return bsearch(&key, self->survey->guests, (size_t)self->survey->guest_count,
		sizeof(*self->survey->guests), by_vmid);
}

const struct proxmox_backed *proxmox_backed_find(const struct proxmox_survey *survey, int vmid)
{
	const struct proxmox_backed key = {.vmid = vmid};
	return bsearch(
		&key, survey->guests, (size_t)survey->guest_count, sizeof(*survey->guests), by_vmid);
}

static void take_backups(
	struct surveying *self, const struct proxmox_backup_list *list, const char *storage)
{
	for (int i = 0; i < list->count; i++) {
		const struct proxmox_backup *backup = &list->rows[i];
		struct proxmox_backed *backed = backed_of(self, backup->vmid);
		if (backed == NULL)
			continue;
		backed->count++;
		if (backup->taken_s <= backed->taken_s)
			continue;
		backed->verify_failed = backup->verify_failed;
		if (backup->verify_failed)
			continue;
		backed->taken_s = backup->taken_s;
		backed->bytes = backup->bytes;
		backed->volume = backup->volume;
		backed->storage = storage;
	}
}

static bool was_read(const struct proxmox_look *look, int end, const char *name)
{
	for (int i = 0; i < end; i++)
		if (look->storages[i].shared && !look->storages[i].lost && look->storages[i].available &&
			str_equal(look->storages[i].name, name))
			return true;
	return false;
}

/* A shared storage is lost only with all the nodes that have it. */
static bool is_seen_elsewhere(const struct proxmox_look *look, const struct proxmox_storage *lost)
{
	return lost->shared && was_read(look, look->storage_count, lost->name);
}

static void read_storages(struct surveying *self)
{
	const struct proxmox_look *look = self->look;
	for (int i = 0; i < look->storage_count; i++) {
		const struct proxmox_storage *storage = &look->storages[i];
		char what[160];
		struct proxmox_backup_list list;
		struct err why = {0};
		if (!proxmox_list_has(storage->content, "backup"))
			continue;
		STR_FORMAT(what, "storage %s of %s", storage->name, storage->node);
		if (storage->lost || !storage->available) {
			err_set(&why, ERR_RETRY, "%s", storage->lost ? "its node is offline" : "not available");
			if (!is_seen_elsewhere(look, storage))
				note_blind(self, what, &why);
			continue;
		}
		if (storage->shared && was_read(look, i, storage->name))
			continue;
		if (!proxmox_backups(
				self->proxmox, storage->node, storage->name, self->arena, &list, &why)) {
			note_blind(self, what, &why);
			continue;
		}
		self->read++;
		take_backups(self, &list, storage->name);
	}
}

static void take_try(struct proxmox_backed *backed, const struct proxmox_task *task,
	enum proxmox_tried tried, const char *text)
{
	if (backed == NULL || task->started_s <= backed->tried_s)
		return;
	backed->tried_s = task->started_s;
	backed->tried = tried;
	backed->tried_text = text;
}

/* "ERROR: Backup of VM 101 failed - no space left", "INFO: Finished Backup of VM 100 (00:00:05)" */
static void take_log_line(struct surveying *self, const struct proxmox_task *task, const char *line)
{
	int vmid = 0;
	const char *why = strstr(line, " failed - ");
	if (sscanf(line, "ERROR: Backup of VM %9d ", &vmid) == 1 && why != NULL)
		take_try(backed_of(self, vmid), task, PROXMOX_TRIED_BAD,
			arena_strdup(self->arena, why + strlen(" failed - ")));
	else if (sscanf(line, "INFO: Finished Backup of VM %9d ", &vmid) == 1)
		take_try(backed_of(self, vmid), task, PROXMOX_TRIED_GOOD, "OK");
}

static void read_log(struct surveying *self, const struct proxmox_task *task)
{
	auto_arena scratch = arena_new((size_t)64 * 1024 * 1024);
	struct json data;
	struct err ignored = {0};
	char text[400];
	const char *path = arena_printf(scratch, "/nodes/%s/tasks/%s/log?limit=50000",
		http_encode(scratch, task->node), http_encode(scratch, task->upid));
	if (!proxmox_get(self->proxmox, path, PROXMOX_NODE_TIMEOUT_MS, scratch, &data, &ignored))
		return;
	for (struct json line = json_first(data); json_is(line); line = json_next(line)) {
		json_copy(json_get(line, "t"), text, sizeof(text));
		proxmox_one_line(text);
		take_log_line(self, task, text);
	}
}

static void take_tasks(struct surveying *self, const struct proxmox_task_list *list)
{
	int logs = 0;
	for (int i = 0; i < list->count; i++) {
		const struct proxmox_task *task = &list->rows[i];
		int vmid = (int)strtol(task->id, NULL, 10);
		bool runs = task->ended_s == 0 && task->status[0] == '\0';
		if (!str_equal(task->type, "vzdump"))
			continue;
		if (vmid > 0)
			take_try(backed_of(self, vmid), task,
				runs                                ? PROXMOX_TRYING
					: proxmox_task_ok(task->status) ? PROXMOX_TRIED_GOOD
													: PROXMOX_TRIED_BAD,
				task->status);
		else if (!runs && !proxmox_task_ok(task->status) && logs++ < LOGS_MAX)
			read_log(self, task);
	}
}

static void read_tasks(struct surveying *self)
{
	for (int i = 0; i < self->look->node_count; i++) {
		const struct proxmox_node *node = &self->look->nodes[i];
		const struct proxmox_task_filter filter = {node->name, "vzdump", 0};
		struct proxmox_task_list list;
		struct err why = {0};
		char what[120];
		if (node->state != PROXMOX_ONLINE)
			continue;
		STR_FORMAT(what, "tasks of %s", node->name);
		if (!proxmox_node_tasks(self->proxmox, &filter, self->arena, &list, &why)) {
			note_blind(self, what, &why);
			continue;
		}
		self->read++;
		take_tasks(self, &list);
	}
}

static bool covers(const struct proxmox_job *job, const struct proxmox_guest *guest)
{
	char vmid[16];
	STR_FORMAT(vmid, "%d", guest->vmid);
	if (!job->enabled || (job->node[0] != '\0' && !str_equal(job->node, guest->node)))
		return false;
	if (job->pool[0] != '\0')
		return str_equal(job->pool, guest->pool);
	if (job->all)
		return !proxmox_list_has(job->exclude, vmid);
	return proxmox_list_has(job->guests, vmid);
}

struct due {
	int64_t due_s, next_s;
};

static struct due due_of(const struct surveying *self, const struct proxmox_job *job)
{
	struct proxmox_schedule schedule;
	struct due due = {0, job->next_run_s > 0 ? job->next_run_s : 0};
	if (!proxmox_schedule_parse(job->schedule, &schedule))
		return due;
	int64_t offset = proxmox_schedule_offset(&schedule, job->next_run_s);
	due.due_s = proxmox_schedule_last(&schedule, self->wall_s - self->grace_s, offset);
	return due;
}

static void take_job(struct surveying *self, const struct proxmox_job *job, struct due due)
{
	for (int i = 0; i < self->look->guest_count; i++) {
		const struct proxmox_guest *guest = &self->look->guests[i];
		if (!covers(job, guest))
			continue;
		struct proxmox_backed *backed = backed_of(self, guest->vmid);
		if (backed->job_count++ == 0 || due.due_s > backed->due_s) {
			backed->job = job;
			backed->due_s = due.due_s;
		}
		if (due.next_s > 0 && (backed->next_s == 0 || due.next_s < backed->next_s))
			backed->next_s = due.next_s;
	}
}

static void read_jobs(struct surveying *self)
{
	struct proxmox_survey *survey = self->survey;
	struct proxmox_job_list list;
	struct err why = {0};
	if (!proxmox_jobs(self->proxmox, self->arena, &list, &why)) {
		note_blind(self, "backup jobs", &why);
		return;
	}
	self->read++;
	survey->jobs = list.rows;
	survey->job_count = list.count;
	survey->jobs_known = true;
	for (int i = 0; i < list.count; i++)
		take_job(self, &list.rows[i], due_of(self, &list.rows[i]));
}

static bool makes(const char *type)
{
	static const char *const types[] = {
		"qmcreate", "vzcreate", "qmrestore", "vzrestore", "qmclone", "vzclone", NULL};
	for (int i = 0; types[i] != NULL; i++)
		if (str_equal(types[i], type))
			return true;
	return false;
}

/* What was made after the last run cannot have been in it. A clone's task has the id of what was
 * cloned: also of that it is true that it did not begin then, so it is left out. */
static void ask_created(struct surveying *self, struct proxmox_backed *backed)
{
	const struct proxmox_task_filter filter = {backed->node, NULL, backed->vmid};
	struct proxmox_task_list list;
	struct err ignored = {0};
	auto_arena scratch = arena_new((size_t)16 * 1024 * 1024);
	char id[16];
	STR_FORMAT(id, "%d", backed->vmid);
	if (!proxmox_node_tasks(self->proxmox, &filter, scratch, &list, &ignored))
		return;
	for (int i = 0; i < list.count; i++)
		if (str_equal(list.rows[i].id, id) && makes(list.rows[i].type) &&
			strstr(list.rows[i].type, "clone") == NULL &&
			list.rows[i].started_s > backed->created_s)
			backed->created_s = list.rows[i].started_s;
}

static void read_created(struct surveying *self)
{
	int asked = 0;
	for (int i = 0; i < self->survey->guest_count && asked < CREATED_MAX; i++) {
		struct proxmox_backed *backed = &self->survey->guests[i];
		if (backed->taken_s > 0 || backed->lost || backed->template || backed->job_count == 0)
			continue;
		ask_created(self, backed);
		asked++;
	}
}

bool proxmox_survey(struct proxmox *proxmox, const struct proxmox_look *look, int64_t grace_ms,
	struct arena *arena, struct proxmox_survey *survey, struct err *err)
{
	struct surveying self = {.proxmox = proxmox,
		.look = look,
		.wall_s = clock_wall_ms(proxmox->clock) / 1000,
		.grace_s = grace_ms / 1000,
		.arena = arena,
		.survey = survey};
	*survey = (struct proxmox_survey){0};
	if (!list_guests(&self, err))
		return err_prefix(err, "%s", proxmox->name);
	read_jobs(&self);
	read_storages(&self);
	read_tasks(&self);
	if (self.read == 0 && self.failed > 0)
		return err_set(err, ERR_RETRY, "%s: backups: %s", proxmox->name, survey->blind);
	read_created(&self);
	return true;
}

bool proxmox_backup_failed(const struct proxmox_backed *backed)
{
	return backed->tried == PROXMOX_TRIED_BAD && backed->taken_s <= backed->tried_s;
}

bool proxmox_backup_late(const struct proxmox_backed *backed, int64_t wall_s)
{
	if (backed->tried == PROXMOX_TRYING)
		return false;
	int64_t due_s = backed->due_s > 0 ? backed->due_s : wall_s - UNKNOWN_SCHEDULE_S;
	return backed->taken_s < due_s && backed->created_s < due_s;
}
