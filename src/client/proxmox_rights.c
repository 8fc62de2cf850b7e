#include "client/proxmox_rights.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define LACKS_MAX 64

/* What homeostat does, and what it needs for that. */
struct need {
	const char *privilege, *top, *what_for;
	bool to_watch;
	int from, to; /* major versions; 0: any */
};
static const struct need needs[] = {
	{"Sys.Audit", "/", "see quorum, HA and jobs", true, 0, 0},
	{"Sys.Audit", "/nodes", "see what nodes report", true, 0, 0},
	{"VM.Audit", "/vms", "see guests", true, 0, 0},
	{"Datastore.Audit", "/storage", "see storages and backups", true, 0, 0},
	{"VM.PowerMgmt", "/vms", "start, stop and restart guests", false, 0, 0},
	{"VM.Snapshot", "/vms", "take snapshots", false, 0, 0},
	{"VM.Snapshot.Rollback", "/vms", "roll back to a snapshot", false, 0, 0},
	{"VM.GuestAgent.Audit", "/vms", "ask a guest's agent whether it lives", false, 9, 0},
	{"VM.GuestAgent.FileSystemMgmt", "/vms", "trim a guest's disks", false, 9, 0},
	{"VM.GuestAgent.Unrestricted", "/vms", "find out what uses a guest's CPU", false, 9, 0},
	{"VM.Monitor", "/vms", "ask a guest's agent", false, 0, 8},
	{"Sys.Modify", "/nodes", "restart a node's services", false, 0, 0},
};
#define NEEDS (sizeof(needs) / sizeof(needs[0]))

static bool holds(const char *privileges, const char *privilege)
{
	char word[80];
	return STR_FORMAT(word, " %s ", privilege) && strstr(privileges, word) != NULL;
}

static bool is_above(const char *above, const char *path)
{
	size_t length = strlen(above);
	if (str_equal(above, "/"))
		return !str_equal(path, "/");
	return strncmp(above, path, length) == 0 && path[length] == '/';
}

/* By the path's own row; without one by the nearest above that hands anything down, or that has
 * nothing at all. */
bool proxmox_may(const struct proxmox_rights *rights, const char *path, const char *privilege)
{
	const struct proxmox_right *nearest = NULL;
	for (int i = 0; i < rights->count; i++) {
		const struct proxmox_right *right = &rights->rights[i];
		if (str_equal(right->path, path))
			return holds(right->privileges, privilege) || holds(right->only_here, privilege);
		bool stays = right->privileges[1] == '\0' && right->only_here[1] != '\0';
		if (is_above(right->path, path) && !stays &&
			(nearest == NULL || strlen(right->path) > strlen(nearest->path)))
			nearest = right;
	}
	return nearest != NULL && holds(nearest->privileges, privilege);
}

/* Snapshots include their rollback, and what is unrestricted the agent's other calls. */
static bool may(const struct proxmox_rights *rights, const char *path, const char *privilege)
{
	if (proxmox_may(rights, path, privilege))
		return true;
	if (str_equal(privilege, "VM.Snapshot.Rollback"))
		return proxmox_may(rights, path, "VM.Snapshot");
	return str_starts(privilege, "VM.GuestAgent.") &&
		proxmox_may(rights, path, "VM.GuestAgent.Unrestricted");
}

struct weighing {
	const struct proxmox_access *access;
	int major;
	struct arena *arena;
	struct proxmox_lacks *lacks;
};

/* --- who of the two lacks it, and at which entry --- */

static const struct proxmox_role *role_find(const struct proxmox_access *access, const char *name)
{
	for (int i = 0; i < access->role_count; i++)
		if (str_equal(access->roles[i].name, name))
			return &access->roles[i];
	return NULL;
}

static bool role_has(const struct proxmox_access *access, const char *name, const char *privilege)
{
	const struct proxmox_role *role = role_find(access, name);
	return role != NULL && proxmox_list_has(role->privileges, privilege);
}

static bool is_of(
	const struct proxmox_access *access, const struct proxmox_entry *entry, const char *who)
{
	if (str_equal(entry->type, "group"))
		return strchr(who, '!') == NULL && proxmox_list_has(access->groups, entry->who);
	return str_equal(entry->who, who);
}

/* The deepest entry of who's on the way to path; NULL: none. An own one before a group's. */
static const struct proxmox_entry *deciding(
	const struct proxmox_access *access, const char *who, const char *path)
{
	const struct proxmox_entry *found = NULL;
	for (int i = 0; i < access->entry_count; i++) {
		const struct proxmox_entry *entry = &access->entries[i];
		bool covers = str_equal(entry->path, path) ||
			(entry->propagates && is_above(entry->path, path));
		if (!covers || !is_of(access, entry, who))
			continue;
		size_t depth = strlen(entry->path), best = found != NULL ? strlen(found->path) : 0;
		if (found == NULL || depth > best || (depth == best && str_equal(entry->who, who)))
			found = entry;
	}
	return found;
}

/* Whether what the token itself was given holds the privilege. */
static bool token_holds(
	const struct proxmox_access *access, const char *path, const char *privilege)
{
	const struct proxmox_entry *at = deciding(access, access->token, path);
	for (int i = 0; at != NULL && i < access->entry_count; i++)
		if (str_equal(access->entries[i].path, at->path) &&
			str_equal(access->entries[i].who, access->token) &&
			role_has(access, access->entries[i].role, privilege))
			return true;
	return false;
}

static bool user_lacks(const struct weighing *weighing, const char *path, const char *privilege)
{
	const struct proxmox_access *access = weighing->access;
	return !access->is_open || access->token == NULL || access->shares ||
		!may(&access->owner, path, privilege);
}

static bool token_lacks(const struct weighing *weighing, const char *path, const char *privilege)
{
	const struct proxmox_access *access = weighing->access;
	if (access->token == NULL || access->shares)
		return false;
	return !access->is_open || may(&access->owner, path, privilege) ||
		!token_holds(access, path, privilege);
}

/* --- the command --- */

/* Where who has to be given it, and as what. */
struct grant {
	const char *path, *roles;
	bool forbidden; /* NoAccess is in the way: that is to be taken away */
};

static bool is_forbidden(const struct proxmox_access *access, const char *path, const char *who)
{
	for (int i = 0; i < access->entry_count; i++)
		if (str_equal(access->entries[i].path, path) && str_equal(access->entries[i].who, who) &&
			str_equal(access->entries[i].role, "NoAccess"))
			return true;
	return false;
}

/* A guest without any right may be in a pool where all access is forbidden; NULL: it is not so. */
static const struct proxmox_entry *pool_ban(
	const struct proxmox_access *access, const char *who, const char *path)
{
	for (int i = 0; i < access->own.count; i++)
		if (str_equal(access->own.rights[i].path, path) &&
			access->own.rights[i].privileges[1] != '\0')
			return NULL;
	for (int i = 0; i < access->entry_count && str_starts(path, "/vms/"); i++) {
		const struct proxmox_entry *entry = &access->entries[i];
		if (str_starts(entry->path, "/pool/") && str_equal(entry->who, who) &&
			str_equal(entry->role, "NoAccess"))
			return entry;
	}
	return NULL;
}

/* An own entry is added to. Any other new one would replace what is inherited, or a group's: so it
 * brings all that we need there. */
static struct grant grant_for(
	const struct weighing *weighing, const char *who, const char *path, const char *role)
{
	const struct proxmox_access *access = weighing->access;
	const struct proxmox_entry *at = deciding(access, who, path);
	bool is_node = str_equal(role, "HomeostatNodes"), is_deep = strchr(path + 1, '/') != NULL;
	if (at == NULL || !str_equal(at->path, path)) {
		const struct proxmox_entry *ban = pool_ban(access, who, path);
		at = ban != NULL ? ban : at;
	}
	struct grant grant = {.path = "/", .roles = role};
	if (at != NULL)
		grant.path = at->path;
	else if (!access->is_open && is_deep)
		grant.path = path;
	/* on / it would be for the whole datacenter */
	if (is_node && str_equal(grant.path, "/") && strchr(who, '!') != NULL)
		grant.path = "/nodes";
	bool is_own = at != NULL && str_equal(at->who, who) && str_equal(at->path, grant.path);
	if (is_own)
		grant.forbidden = is_forbidden(access, at->path, who);
	else if (!str_equal(grant.path, "/") || at != NULL)
		grant.roles = is_node || str_starts(grant.path, "/nodes") ? "PVEAuditor,HomeostatNodes"
			: str_equal(role, "PVEAuditor") && role_find(access, "HomeostatGuests") == NULL
			? "PVEAuditor"
			: "PVEAuditor,HomeostatGuests";
	return grant;
}

/* All that a role of ours should hold in this version. */
static void add_privileges(const struct weighing *weighing, bool of_nodes, struct str *text)
{
	const char *comma = "";
	for (size_t i = 0; i < NEEDS; i++) {
		const struct need *need = &needs[i];
		if (need->to_watch || str_equal(need->top, "/nodes") != of_nodes ||
			(need->from > 0 && weighing->major < need->from) ||
			(need->to > 0 && weighing->major > need->to))
			continue;
		str_addf(text, "%s%s", comma, need->privilege);
		comma = ",";
	}
}

/* "pveum role add …; " where one that is granted is not there yet, or not whole. */
static void add_role(const struct weighing *weighing, const char *roles, struct str *text)
{
	bool of_nodes = strstr(roles, "HomeostatNodes") != NULL;
	const char *name = of_nodes ? "HomeostatNodes" : "HomeostatGuests";
	struct str wanted;
	char list[400], *save = NULL;
	if (strstr(roles, name) == NULL)
		return;
	const struct proxmox_role *role = role_find(weighing->access, name);
	bool is_whole = role != NULL;
	str_init(&wanted, weighing->arena);
	add_privileges(weighing, of_nodes, &wanted);
	STR_SET(list, wanted.s);
	for (char *one = strtok_r(list, ",", &save); one != NULL; one = strtok_r(NULL, ",", &save))
		is_whole = is_whole && proxmox_list_has(role->privileges, one);
	if (!is_whole)
		str_addf(text, "pveum role %s %s %s--privs %s; ", role == NULL ? "add" : "modify", name,
			role == NULL ? "" : "--append 1 ", wanted.s);
}

static void add_grant(
	const struct grant *grant, const char *users, const char *tokens, struct str *text)
{
	str_addf(text, "%spveum acl %s %s", text->len > 0 && !str_ends(text->s, "; ") ? "; " : "",
		grant->forbidden ? "delete" : "modify", grant->path);
	if (users != NULL)
		str_addf(text, " --users '%s'", users);
	if (tokens != NULL)
		str_addf(text, " --tokens '%s'", tokens);
	str_addf(text, " --roles %s", grant->forbidden ? "NoAccess" : grant->roles);
}

static const char *command_for(
	const struct weighing *weighing, const struct need *need, const char *path)
{
	const struct proxmox_access *access = weighing->access;
	const char *role = need->to_watch    ? "PVEAuditor"
		: str_equal(need->top, "/nodes") ? "HomeostatNodes"
										 : "HomeostatGuests";
	struct str text;
	str_init(&text, weighing->arena);
	bool by_user = user_lacks(weighing, path, need->privilege);
	bool by_token = token_lacks(weighing, path, need->privilege);
	struct grant user = {0}, token = {0};
	if (by_user)
		user = grant_for(weighing, access->user, path, role);
	if (by_token)
		token = grant_for(weighing, access->token, path, role);
	bool is_one = by_user && by_token && str_equal(user.path, token.path) &&
		str_equal(user.roles, token.roles) && user.forbidden == token.forbidden;
	if (by_user && !user.forbidden)
		add_role(weighing, user.roles, &text);
	if (by_token && !token.forbidden && (!by_user || user.forbidden))
		add_role(weighing, token.roles, &text);
	if (by_user)
		add_grant(&user, access->user, is_one ? access->token : NULL, &text);
	if (by_token && !is_one)
		add_grant(&token, NULL, access->token, &text);
	return text.s;
}

/* --- what is missing --- */

/* What the same command mends is told with it. */
static void add_lack(struct weighing *weighing, const struct need *need, const char *path)
{
	struct proxmox_lacks *lacks = weighing->lacks;
	const char *command = command_for(weighing, need, path);
	const char *what = arena_printf(
		weighing->arena, "%s (%s on %s)", need->what_for, need->privilege, path);
	for (int i = 0; i < lacks->count; i++) {
		struct proxmox_lack *lack = &lacks->rows[i];
		if (!str_equal(lack->command, command) || lack->to_watch != need->to_watch)
			continue;
		lack->what = arena_printf(weighing->arena, "%s, %s", lack->what, what);
		return;
	}
	if (lacks->count < LACKS_MAX)
		lacks->rows[lacks->count++] = (struct proxmox_lack){what, command, need->to_watch};
}

/* Whether it is there for a part of what is below: then that part is what shall be seen. */
static bool is_there_in_part(const struct proxmox_rights *rights, const struct need *need)
{
	for (int i = 0; i < rights->count; i++)
		if (is_above(need->top, rights->rights[i].path) && !str_equal(need->top, "/") &&
			may(rights, rights->rights[i].path, need->privilege))
			return true;
	return false;
}

static bool is_critical(const struct proxmox_access *access, const char *path)
{
	char of_guest[48];
	for (int i = 0; i < access->critical_count; i++)
		if (STR_FORMAT(of_guest, "/vms/%lld", (long long)access->critical[i]) &&
			str_equal(path, of_guest))
			return true;
	return false;
}

static void weigh(struct weighing *weighing, const struct need *need)
{
	const struct proxmox_rights *own = &weighing->access->own;
	bool at_top = may(own, need->top, need->privilege);
	bool in_part = is_there_in_part(own, need);
	if (!at_top && !in_part)
		add_lack(weighing, need, need->top);
	for (int i = 0; i < own->count; i++) {
		const struct proxmox_right *right = &own->rights[i];
		bool is_pool = need->to_watch && str_starts(right->path, "/pool/") &&
			str_equal(right->privileges, " ") && str_equal(right->only_here, " ");
		bool is_below = !str_equal(need->top, "/") && is_above(need->top, right->path);
		bool is_wanted = at_top || (in_part && is_critical(weighing->access, right->path));
		if ((is_below || is_pool) && is_wanted && !may(own, right->path, need->privilege))
			add_lack(weighing, need, right->path);
	}
}

void proxmox_lacks(const struct proxmox_access *access, int major, struct arena *arena,
	struct proxmox_lacks *lacks)
{
	struct weighing weighing = {access, major, arena, lacks};
	*lacks = (struct proxmox_lacks){
		.rows = arena_alloc(arena, LACKS_MAX * sizeof(struct proxmox_lack))};
	for (size_t i = 0; i < NEEDS; i++)
		if ((needs[i].from == 0 || major >= needs[i].from) &&
			(needs[i].to == 0 || major <= needs[i].to))
			weigh(&weighing, &needs[i]);
}
