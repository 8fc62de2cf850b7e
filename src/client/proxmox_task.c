/*
 * Tasks: their ids, the lists of them, and waiting for one's end. A reply with an id is no result:
 * what went wrong stands in the task's exit status and its log, in words only.
 */
#include "client/proxmox_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define POLL_FIRST_MS 250
#define POLL_MAX_MS 2000
/* Of the log, on failure. */
#define LOG_LINES 4

static bool hex(const char *text, size_t length, int64_t *number)
{
	char *end;
	if (length < 1 || length > 12 || strspn(text, "0123456789abcdefABCDEF") < length)
		return false;
	*number = (int64_t)strtoull(text, &end, 16);
	return end == text + length;
}

/* The next part up to ':' into field. */
static bool part(const char **at, char *field, size_t size)
{
	const char *colon = strchr(*at, ':');
	if (colon == NULL || (size_t)(colon - *at) >= size)
		return false;
	memcpy(field, *at, (size_t)(colon - *at));
	field[colon - *at] = '\0';
	*at = colon + 1;
	return true;
}

static bool hex_part(const char **at, int64_t *number)
{
	char text[16];
	return part(at, text, sizeof(text)) && hex(text, strlen(text), number);
}

bool proxmox_upid_parse(const char *text, struct proxmox_upid *upid, struct err *err)
{
	struct proxmox_upid found = {0};
	int64_t ignored;
	const char *at = text + strlen("UPID:");
	bool is = str_starts(text, "UPID:") && strlen(text) < PROXMOX_UPID_BYTES &&
		strpbrk(text, "/ \t\r\n") == NULL && part(&at, found.node, sizeof(found.node)) &&
		found.node[0] != '\0' && hex_part(&at, &found.pid) && hex_part(&at, &ignored) &&
		hex_part(&at, &found.started_s) && part(&at, found.type, sizeof(found.type)) &&
		found.type[0] != '\0' && part(&at, found.id, sizeof(found.id)) &&
		part(&at, found.user, sizeof(found.user)) && found.user[0] != '\0' && *at == '\0';
	if (!is)
		return err_set(err, ERR_INPUT, "\"%.100s\" is no task's id (UPID:…)", text);
	*upid = found;
	return true;
}

static const struct proxmox_field task_fields[] = {
	{"upid", PROXMOX_T_TEXT, offsetof(struct proxmox_task, upid)},
	{"node", PROXMOX_T_TEXT, offsetof(struct proxmox_task, node)},
	{"type", PROXMOX_T_TEXT, offsetof(struct proxmox_task, type)},
	{"id", PROXMOX_T_TEXT, offsetof(struct proxmox_task, id)},
	{"user", PROXMOX_T_TEXT, offsetof(struct proxmox_task, user)},
	{"status", PROXMOX_T_TEXT, offsetof(struct proxmox_task, status)},
	{"starttime", PROXMOX_T_INT64, offsetof(struct proxmox_task, started_s)},
	{"endtime", PROXMOX_T_INT64, offsetof(struct proxmox_task, ended_s)},
};
static const struct proxmox_table task_table = {
	task_fields, sizeof(task_fields) / sizeof(task_fields[0]), sizeof(struct proxmox_task)};

static bool list_tasks(struct proxmox *proxmox, const char *path, struct arena *arena,
	struct proxmox_task_list *list, struct err *err)
{
	struct proxmox_rows rows;
	if (!proxmox_list(proxmox, path, &task_table, arena, &rows, err))
		return false;
	*list = (struct proxmox_task_list){rows.rows, rows.count};
	for (int i = 0; i < list->count; i++) {
		struct proxmox_task *task = &list->rows[i];
		if (task->ended_s < 0)
			task->ended_s = 0;
		/* PVE 7 and newer say RUNNING while it runs, when asked with source=active */
		if (str_equal(task->status, "RUNNING"))
			task->status = "";
	}
	return true;
}

bool proxmox_tasks(
	struct proxmox *proxmox, struct arena *arena, struct proxmox_task_list *list, struct err *err)
{
	return list_tasks(proxmox, "/cluster/tasks", arena, list, err);
}

bool proxmox_node_tasks(struct proxmox *proxmox, const struct proxmox_task_filter *filter,
	struct arena *arena, struct proxmox_task_list *list, struct err *err)
{
	struct str path;
	str_init(&path, arena);
	str_add(&path, proxmox_node_path(arena, filter->node, "/tasks?source=all&limit=100"));
	if (filter->type != NULL)
		str_addf(&path, "&typefilter=%s", http_encode(arena, filter->type));
	if (filter->vmid > 0)
		str_addf(&path, "&vmid=%d", filter->vmid);
	return list_tasks(proxmox, path.s, arena, list, err);
}

bool proxmox_task_ok(const char *status)
{
	return str_equal(status, "OK") || str_starts(status, "WARNINGS:");
}

/* The log's last lines, without the one that repeats the status. */
static void quote_log(struct proxmox *proxmox, const char *path, const char *status,
	struct arena *arena, struct proxmox_result *result)
{
	struct json data;
	struct err ignored = {0};
	char lines[LOG_LINES][160] = {{0}};
	int n = 0;
	if (!proxmox_get(proxmox, arena_printf(arena, "%s/log?limit=5000", path),
			PROXMOX_NODE_TIMEOUT_MS, arena, &data, &ignored))
		return;
	for (struct json line = json_first(data); json_is(line); line = json_next(line)) {
		char text[160];
		json_copy(json_get(line, "t"), text, sizeof(text));
		proxmox_one_line(text);
		if (text[0] == '\0' || str_starts(text, "TASK ") || str_equal(text, status) ||
			str_equal(text, "no content"))
			continue;
		memcpy(lines[n++ % LOG_LINES], text, sizeof(text));
	}
	for (int i = n > LOG_LINES ? n - LOG_LINES : 0; i < n; i++) {
		size_t length = strlen(result->note);
		str_format(result->note + length, sizeof(result->note) - length, "%s%s",
			i == (n > LOG_LINES ? n - LOG_LINES : 0) ? "; its log ends with: " : " | ",
			lines[i % LOG_LINES]);
	}
}

static void conclude(struct proxmox *proxmox, const char *path, struct json data,
	struct arena *arena, struct proxmox_result *result)
{
	char status[240];
	*result = (struct proxmox_result){0};
	json_copy(json_get(data, "exitstatus"), status, sizeof(status));
	proxmox_one_line(status);
	if (str_equal(status, "unexpected status"))
		STR_SET(status, "the task was killed (unexpected status)");
	result->ok = proxmox_task_ok(status);
	if (str_equal(status, "OK"))
		return;
	STR_SET(result->note, status[0] != '\0' ? status : "ended without a word");
	if (!result->ok)
		result->cause = proxmox_cause(status);
	quote_log(proxmox, path, status, arena, result);
}

/* One question: true with *ended false means that it still runs. */
static bool ask_status(struct proxmox *proxmox, const char *path, int64_t timeout_ms,
	struct proxmox_result *result, bool *ended, struct err *err)
{
	auto_arena arena = arena_new((size_t)32 * 1024 * 1024);
	struct json data;
	char status[32];
	if (!proxmox_get(
			proxmox, arena_printf(arena, "%s/status", path), timeout_ms, arena, &data, err))
		return false;
	json_copy(json_get(data, "status"), status, sizeof(status));
	*ended = str_equal(status, "stopped");
	if (*ended)
		conclude(proxmox, path, data, arena, result);
	else if (!str_equal(status, "running"))
		return err_set(err, ERR_INPUT, "%s: GET %.200s/status: the answer names no status",
			proxmox->name, path);
	return true;
}

/* A question that failed is asked again: the task goes on whether we see it or not. Questions are
 * counted too, since a wound clock does not move while we wait. */
bool proxmox_task_wait(struct proxmox *proxmox, const char *upid, int64_t timeout_ms,
	struct proxmox_result *result, struct err *err)
{
	struct proxmox_upid parsed;
	auto_arena arena = arena_new((size_t)64 * 1024);
	struct err why = {0};
	if (!proxmox_upid_parse(upid, &parsed, err))
		return err_prefix(err, "%s", proxmox->name);
	const char *path = arena_printf(
		arena, "/nodes/%s/tasks/%s", http_encode(arena, parsed.node), http_encode(arena, upid));
	int64_t end = clock_mono_ms(proxmox->clock) + timeout_ms, waited = 0;
	for (int64_t pause = POLL_FIRST_MS;;
		 pause = pause * 2 < POLL_MAX_MS ? pause * 2 : POLL_MAX_MS) {
		bool ended = false;
		int64_t left = end - clock_mono_ms(proxmox->clock);
		why = (struct err){0};
		if (!ask_status(proxmox, path,
				left < PROXMOX_NODE_TIMEOUT_MS ? left : PROXMOX_NODE_TIMEOUT_MS, result, &ended,
				&why) &&
			why.kind != ERR_RETRY && why.kind != ERR_TIMEOUT)
			return err_set(err, why.kind, "%s", why.text);
		if (ended)
			return true;
		left = end - clock_mono_ms(proxmox->clock);
		if (left <= 0 || waited >= timeout_ms)
			break;
		pause = pause < left ? pause : left;
		waited += pause;
		if (!clock_wait(proxmox->clock, pause, proxmox->stop_fd))
			return err_set(err, ERR_CANCELLED, "%s: told to stop while task %s of %s runs",
				proxmox->name, parsed.type, parsed.node);
	}
	return err_set(err, ERR_TIMEOUT, "%s: task %s %s of node %s has not ended in %lld s%s%.200s",
		proxmox->name, parsed.type, parsed.id, parsed.node, (long long)(timeout_ms / 1000),
		why.kind != ERR_NONE ? ": " : "", why.text);
}
