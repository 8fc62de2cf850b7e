/* Rows of the server's lists by tables, tolerant of every type it sends. */
#include "client/proxmox_internal.h"

#include <string.h>

#include "base/str.h"

#define VMID_MAX 999999999

static void set_default(const struct proxmox_field *field, char *row)
{
	void *at = row + field->offset;
	switch (field->type) {
	case PROXMOX_T_TEXT:
		*(const char **)at = "";
		break;
	case PROXMOX_T_INT64:
		*(int64_t *)at = -1;
		break;
	case PROXMOX_T_DOUBLE:
		*(double *)at = -1;
		break;
	case PROXMOX_T_BOOL:
		*(bool *)at = false;
		break;
	case PROXMOX_T_VMID:
		*(int *)at = 0;
		break;
	}
}

/* A negative size, time or load is nonsense, and counts as not given. */
static int64_t whole(struct json value)
{
	int64_t number = json_int(value, -1);
	return number < 0 ? -1 : number;
}

static void set_value(
	const struct proxmox_field *field, struct json value, struct arena *arena, char *row)
{
	void *at = row + field->offset;
	const char *text;
	double number;
	switch (field->type) {
	case PROXMOX_T_TEXT:
		text = json_str(value, arena);
		*(const char **)at = text != NULL ? text : "";
		break;
	case PROXMOX_T_INT64:
		*(int64_t *)at = whole(value);
		break;
	case PROXMOX_T_DOUBLE:
		number = json_num(value, -1);
		*(double *)at = number < 0 ? -1 : number;
		break;
	case PROXMOX_T_BOOL:
		*(bool *)at = json_bool(value, json_int(value, 0) != 0);
		break;
	case PROXMOX_T_VMID:
		*(int *)at = whole(value) <= VMID_MAX && whole(value) > 0 ? (int)whole(value) : 0;
		break;
	}
}

static const struct proxmox_field *field_of(
	const struct proxmox_table *table, const char *key, size_t length)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *name = table->fields[i].key;
		if (name[0] == key[0] && strncmp(name, key, length) == 0 && name[length] == '\0')
			return &table->fields[i];
	}
	return NULL;
}

/* One pass over the members: of 10,000 guests with 20 each, a search for each field would take
 * most of the time. */
void proxmox_row(
	struct json object, const struct proxmox_table *table, struct arena *arena, void *row)
{
	for (size_t i = 0; i < table->count; i++)
		set_default(&table->fields[i], row);
	if (json_kind(object) != JSON_OBJECT)
		return;
	for (struct json member = json_first(object); json_is(member); member = json_next(member)) {
		size_t length;
		const char *key = json_key_raw(member, &length);
		if (key == NULL || length == 0)
			continue;
		const struct proxmox_field *field = field_of(table, key, length);
		if (field != NULL)
			set_value(field, member, arena, row);
	}
}

bool proxmox_rows(struct json data, const struct proxmox_table *table, struct arena *arena,
	struct proxmox_rows *rows, struct err *err)
{
	*rows = (struct proxmox_rows){0};
	if (json_kind(data) == JSON_NULL)
		return true;
	if (json_kind(data) != JSON_ARRAY)
		return err_set(err, ERR_INPUT, "\"data\" is no list");
	size_t n = json_count(data);
	char *all = arena_try(arena, (n > 0 ? n : 1) * table->row_bytes);
	if (all == NULL)
		return err_set(err, ERR_INPUT, "a list of %zu entries is too large", n);
	for (struct json entry = json_first(data); json_is(entry); entry = json_next(entry)) {
		if (json_kind(entry) != JSON_OBJECT)
			continue;
		proxmox_row(entry, table, arena, all + (size_t)rows->count * table->row_bytes);
		rows->count++;
	}
	rows->rows = all;
	return true;
}

bool proxmox_list(struct proxmox *proxmox, const char *path, const struct proxmox_table *table,
	struct arena *arena, struct proxmox_rows *rows, struct err *err)
{
	auto_arena scratch = arena_new(PROXMOX_SCRATCH_BYTES);
	struct json data;
	if (!proxmox_get(proxmox, path, PROXMOX_NODE_TIMEOUT_MS, scratch, &data, err))
		return false;
	if (proxmox_rows(data, table, arena, rows, err))
		return true;
	return err_prefix(err, "%s: GET %.120s", proxmox->name, path);
}

const char *proxmox_kind_word(enum proxmox_guest_kind kind)
{
	return kind == PROXMOX_LXC ? "lxc" : "qemu";
}

enum proxmox_guest_state proxmox_state_of(const char *text)
{
	if (str_equal(text, "running"))
		return PROXMOX_RUNNING;
	if (str_equal(text, "stopped"))
		return PROXMOX_STOPPED;
	if (str_equal(text, "paused") || str_equal(text, "suspended"))
		return PROXMOX_PAUSED;
	return PROXMOX_GUEST_UNKNOWN;
}

const char *proxmox_node_path(struct arena *arena, const char *node, const char *rest)
{
	return arena_printf(arena, "/nodes/%s%s", http_encode(arena, node), rest);
}

const char *proxmox_guest_path(struct arena *arena, struct proxmox_at at, const char *rest)
{
	return arena_printf(arena, "/nodes/%s/%s/%d%s", http_encode(arena, at.node),
		proxmox_kind_word(at.kind), at.vmid, rest);
}

bool proxmox_list_has(const char *text, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = text; *at != '\0';) {
		at += strspn(at, ";, ");
		size_t n = strcspn(at, ";, ");
		if (n == length && n > 0 && strncmp(at, word, n) == 0)
			return true;
		at += n;
	}
	return false;
}
