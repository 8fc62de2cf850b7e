/* Reads what we may do and who was given what where. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "client/proxmox_internal.h"
#include "client/proxmox_rights.h"

#define READ_BYTES ((size_t)64 << 20)

/* {"VM.Audit":1,"VM.Console":0}: the number tells whether it is for what is below the path too. */
static bool take_privileges(struct json object, struct arena *arena, struct proxmox_right *right)
{
	struct str all, here;
	str_init(&all, arena);
	str_init(&here, arena);
	str_addc(&all, ' ');
	str_addc(&here, ' ');
	for (struct json flag = json_first(object); json_is(flag); flag = json_next(flag)) {
		const char *name = json_key(flag, arena);
		if (name != NULL && strchr(name, ' ') == NULL)
			str_addf(json_bool(flag, true) ? &all : &here, "%s ", name);
	}
	right->privileges = all.s;
	right->only_here = here.s;
	return !all.full && !here.full;
}

/* {"/vms":{…},…}, added to those that are there. */
static bool take_rights(struct proxmox *proxmox, struct json data, struct arena *arena,
	struct proxmox_rights *rights, struct err *err)
{
	size_t had = (size_t)rights->count, more = json_count(data);
	struct proxmox_right *rows = arena_grow(
		arena, rights->rights, had * sizeof(*rows), (had + more + 1) * sizeof(*rows));
	struct json path = json_first(data);
	rights->rights = rows;
	for (; rows != NULL && json_is(path); path = json_next(path)) {
		struct proxmox_right *right = &rows[rights->count];
		right->path = json_key(path, arena);
		if (right->path == NULL || !take_privileges(path, arena, right))
			break;
		rights->count++;
	}
	if (rows != NULL && !json_is(path) && json_kind(data) == JSON_OBJECT)
		return true;
	return err_set(
		err, ERR_INPUT, "%s: GET /access/permissions: the answer makes no sense", proxmox->name);
}

static bool add_rights(struct proxmox *proxmox, const char *query, struct arena *arena,
	struct proxmox_rights *rights, struct err *err)
{
	auto_arena scratch = arena_new(READ_BYTES);
	struct json data;
	const char *path = arena_printf(scratch, "/access/permissions%s", query);
	return proxmox_get(proxmox, path, PROXMOX_TIMEOUT_MS, scratch, &data, err) &&
		take_rights(proxmox, data, arena, rights, err);
}

bool proxmox_rights(
	struct proxmox *proxmox, struct arena *arena, struct proxmox_rights *rights, struct err *err)
{
	*rights = (struct proxmox_rights){0};
	return add_rights(proxmox, "", arena, rights, err);
}

static const struct proxmox_field entry_fields[] = {
	{"path", PROXMOX_T_TEXT, offsetof(struct proxmox_entry, path)},
	{"type", PROXMOX_T_TEXT, offsetof(struct proxmox_entry, type)},
	{"ugid", PROXMOX_T_TEXT, offsetof(struct proxmox_entry, who)},
	{"roleid", PROXMOX_T_TEXT, offsetof(struct proxmox_entry, role)},
	{"propagate", PROXMOX_T_BOOL, offsetof(struct proxmox_entry, propagates)},
};
static const struct proxmox_table entry_table = {entry_fields, 5, sizeof(struct proxmox_entry)};
static const struct proxmox_field role_fields[] = {
	{"roleid", PROXMOX_T_TEXT, offsetof(struct proxmox_role, name)},
	{"privs", PROXMOX_T_TEXT, offsetof(struct proxmox_role, privileges)},
};
static const struct proxmox_table role_table = {role_fields, 2, sizeof(struct proxmox_role)};

static bool is_listed(const struct proxmox_rights *rights, const char *path)
{
	for (int i = 0; i < rights->count; i++)
		if (str_equal(rights->rights[i].path, path))
			return true;
	return false;
}

/* A path of the list of entries that the rights leave out is one where there are none. */
static void add_empty(
	const struct proxmox_access *access, struct arena *arena, struct proxmox_rights *rights)
{
	rights->rights = arena_grow(arena, rights->rights,
		(size_t)rights->count * sizeof(*rights->rights),
		(size_t)(rights->count + access->entry_count + 1) * sizeof(*rights->rights));
	for (int i = 0; rights->rights != NULL && i < access->entry_count; i++)
		if (!is_listed(rights, access->entries[i].path))
			rights->rights[rights->count++] = (struct proxmox_right){
				access->entries[i].path, " ", " "};
	if (rights->rights == NULL)
		rights->count = 0;
}

/* The user's groups, and whether the token was made with privilege separation. */
static bool read_user(
	struct proxmox *proxmox, struct arena *arena, struct proxmox_access *access, struct err *err)
{
	struct json data;
	struct str groups;
	const char *user = http_encode(arena, access->user);
	const char *path = arena_printf(arena, "/access/users/%s", user);
	if (!proxmox_get(proxmox, path, PROXMOX_TIMEOUT_MS, arena, &data, err))
		return false;
	str_init(&groups, arena);
	for (struct json group = json_first(json_get(data, "groups")); json_is(group);
		 group = json_next(group))
		str_addf(&groups, "%s,", json_str(group, arena));
	access->groups = groups.s;
	if (access->token == NULL)
		return true;
	struct json token = json_get(json_get(data, "tokens"), strrchr(access->token, '!') + 1);
	access->shares = json_is(token) && !json_bool(json_get(token, "privsep"), true);
	return add_rights(proxmox, arena_printf(arena, "?userid=%s", user), arena, &access->owner, err);
}

/* False: we may not read it, which says nothing about the rights themselves. */
static bool read_entries(
	struct proxmox *proxmox, struct arena *arena, struct proxmox_access *access, struct err *err)
{
	struct proxmox_rows rows;
	if (!proxmox_may(&access->own, "/access", "Sys.Audit"))
		return false;
	if (!proxmox_list(proxmox, "/access/acl", &entry_table, arena, &rows, err))
		return false;
	access->entries = rows.rows;
	access->entry_count = rows.count;
	if (!read_user(proxmox, arena, access, err))
		return false;
	add_empty(access, arena, &access->own);
	add_empty(access, arena, &access->owner);
	return true;
}

static bool read_guest(struct proxmox *proxmox, int vmid, struct arena *arena,
	struct proxmox_access *access, struct err *err)
{
	char path[48], query[64];
	STR_FORMAT(path, "/vms/%d", vmid);
	STR_FORMAT(query, "?path=/vms/%d", vmid);
	return is_listed(&access->own, path) || add_rights(proxmox, query, arena, &access->own, err);
}

bool proxmox_access(struct proxmox *proxmox, const struct config_proxmox *config,
	struct arena *arena, struct proxmox_access *access, struct err *err)
{
	struct err why = {0};
	struct proxmox_rows rows;
	*access = (struct proxmox_access){.token = config->token_id,
		.user = config->user,
		.groups = "",
		.critical = config->critical,
		.critical_count = config->critical_count};
	if (config->token_id != NULL)
		access->user = arena_strndup(
			arena, config->token_id, (size_t)(strrchr(config->token_id, '!') - config->token_id));
	if (!proxmox_rights(proxmox, arena, &access->own, err) ||
		!proxmox_list(proxmox, "/access/roles", &role_table, arena, &rows, err))
		return false;
	access->roles = rows.rows;
	access->role_count = rows.count;
	for (int i = 0; i < config->critical_count; i++)
		if (!read_guest(proxmox, (int)config->critical[i], arena, access, err))
			return false;
	access->is_open = read_entries(proxmox, arena, access, &why);
	if (access->is_open || why.kind == ERR_NONE || why.kind == ERR_DENIED)
		return true;
	return err_set(err, why.kind, "%s", why.text);
}
