/*
 * What accounts may: roles, and the list of who has which role where. As in AccessControl.pm: the
 * deepest level that names who counts alone, at one level a user's own entries count before those
 * of groups, NoAccess before all others; a pool's entries are added to its guests'; a token with
 * privsep has what both it and its user have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_world.h"

/* Up to OF_8, those of 9; the last one is of 8 and 7. */
static const char *const privileges[] = {"VM.Allocate", "VM.Audit", "VM.Backup", "VM.Clone",
	"VM.Config.CDROM", "VM.Config.CPU", "VM.Config.Cloudinit", "VM.Config.Disk", "VM.Config.HWType",
	"VM.Config.Memory", "VM.Config.Network", "VM.Config.Options", "VM.Console", "VM.Migrate",
	"VM.PowerMgmt", "VM.Snapshot", "VM.Snapshot.Rollback", "Datastore.Allocate",
	"Datastore.AllocateSpace", "Datastore.AllocateTemplate", "Datastore.Audit", "Group.Allocate",
	"Mapping.Audit", "Mapping.Modify", "Mapping.Use", "Permissions.Modify", "Pool.Allocate",
	"Pool.Audit", "Realm.Allocate", "Realm.AllocateUser", "SDN.Allocate", "SDN.Audit", "SDN.Use",
	"Sys.AccessNetwork", "Sys.Audit", "Sys.Console", "Sys.Incoming", "Sys.Modify", "Sys.PowerMgmt",
	"Sys.Syslog", "User.Modify", "VM.GuestAgent.Audit", "VM.GuestAgent.FileRead",
	"VM.GuestAgent.FileSystemMgmt", "VM.GuestAgent.FileWrite", "VM.GuestAgent.Unrestricted",
	"VM.Replicate", "VM.Monitor"};
#define PRIVILEGES ((int)(sizeof(privileges) / sizeof(privileges[0])))
#define OF_9 41 /* from here, of 9 */
#define OF_8 47 /* from here, of 8 */

const char *pve_privilege_name(const struct sim_proxmox *sim, int n)
{
	if (sim->dialect < 9)
		return n < OF_9 ? privileges[n] : n == OF_9 ? privileges[OF_8] : NULL;
	return n < OF_8 ? privileges[n] : NULL;
}

uint64_t pve_privilege(const char *name)
{
	for (int i = 0; i < PRIVILEGES; i++)
		if (strcmp(privileges[i], name) == 0)
			return UINT64_C(1) << i;
	return 0;
}

static uint64_t mask_of(const struct sim_proxmox *sim)
{
	return sim->dialect < 9 ? ((UINT64_C(1) << OF_9) - 1) | UINT64_C(1) << OF_8
							: (UINT64_C(1) << OF_8) - 1;
}

static uint64_t those(const char *patterns)
{
	char copy[512], *save = NULL;
	uint64_t set = 0;
	STR_SET(copy, patterns);
	for (char *one = strtok_r(copy, " ", &save); one != NULL; one = strtok_r(NULL, " ", &save))
		for (int i = 0; i < PRIVILEGES; i++)
			if (str_match(one, privileges[i]))
				set |= UINT64_C(1) << i;
	return set;
}

/* AccessControl.pm, create_roles; but: those that a pattern finds and the role has not. */
static const struct {
	const char *name, *privileges, *but;
} special[] = {
	{"NoAccess", "", ""},
	{"Administrator", "*", ""},
	{"PVEAdmin", "*",
		"Sys.PowerMgmt Sys.Modify Sys.Incoming Sys.AccessNetwork Realm.Allocate Mapping.Modify "
		"Permissions.Modify"},
	{"PVEAuditor", "*.Audit", ""},
	{"PVEVMAdmin", "VM.*", ""},
	{"PVEVMUser",
		"VM.Audit VM.Console VM.PowerMgmt VM.Backup VM.Config.CDROM VM.Config.Cloudinit "
		"VM.GuestAgent.Audit VM.GuestAgent.File*",
		""},
	{"PVEDatastoreAdmin", "Datastore.*", ""},
	{"PVEDatastoreUser", "Datastore.AllocateSpace Datastore.Audit", ""},
	{"PVESysAdmin", "Sys.Audit Sys.Console Sys.Syslog", ""},
	{"PVEPoolAdmin", "Pool.*", ""},
	{"PVEPoolUser", "Pool.Audit", ""},
};
#define SPECIAL (sizeof(special) / sizeof(special[0]))

bool pve_role_find(const struct sim_proxmox *sim, const char *name, uint64_t *set)
{
	for (size_t i = 0; i < SPECIAL; i++)
		if (strcmp(special[i].name, name) == 0) {
			*set = those(special[i].privileges) & ~those(special[i].but) & mask_of(sim);
			return true;
		}
	for (int i = 0; i < sim->role_count; i++)
		if (strcmp(sim->roles[i].name, name) == 0) {
			*set = sim->roles[i].privileges & mask_of(sim);
			return true;
		}
	return false;
}

const char *pve_role_add(struct sim_proxmox *sim, const char *name, uint64_t set)
{
	char made_up[16];
	/* a script's list of privileges is a role that somebody gave a name */
	STR_FORMAT(made_up, "Role%d", sim->role_count);
	sim->roles = pve_more(sim->roles, sim->role_count, sizeof(*sim->roles));
	struct pve_role *made = &sim->roles[sim->role_count++];
	STR_SET(made->name, name != NULL ? name : made_up);
	made->privileges = set;
	return made->name;
}

bool pve_privileges_read(const struct sim_proxmox *sim, const char *list, uint64_t *set)
{
	char copy[512], *save = NULL;
	*set = 0;
	STR_SET(copy, list);
	for (char *one = strtok_r(copy, ", ", &save); one != NULL; one = strtok_r(NULL, ", ", &save)) {
		uint64_t bit = pve_privilege(one) & mask_of(sim);
		if (bit == 0)
			return false;
		*set |= bit;
	}
	return true;
}

void pve_acl_set(
	struct sim_proxmox *sim, const char *path, const char *who, const char *role, bool propagates)
{
	struct pve_acl *at = NULL;
	for (int i = 0; i < sim->acl_count && at == NULL; i++)
		if (strcmp(sim->acls[i].path, path) == 0 && strcmp(sim->acls[i].who, who) == 0 &&
			strcmp(sim->acls[i].role, role) == 0)
			at = &sim->acls[i];
	if (at == NULL) {
		sim->acls = pve_more(sim->acls, sim->acl_count, sizeof(*sim->acls));
		at = &sim->acls[sim->acl_count++];
	}
	STR_SET(at->path, path);
	STR_SET(at->who, who);
	STR_SET(at->role, role);
	at->propagates = propagates;
}

void pve_acl_drop(struct sim_proxmox *sim, const char *path, const char *who, const char *role)
{
	int kept = 0;
	for (int i = 0; i < sim->acl_count; i++) {
		const struct pve_acl *acl = &sim->acls[i];
		bool goes = strcmp(acl->who, who) == 0 && (path == NULL || strcmp(acl->path, path) == 0) &&
			(role == NULL || strcmp(acl->role, role) == 0);
		if (!goes)
			sim->acls[kept++] = *acl;
	}
	sim->acl_count = kept;
}

static bool is_member(const struct sim_proxmox *sim, const char *group, const char *user)
{
	for (int i = 0; i < sim->group_count; i++)
		if (strcmp(sim->groups[i].name, group) == 0 && strcmp(sim->groups[i].user, user) == 0)
			return true;
	return false;
}

/* How who is named by an entry: 2 itself, 1 as a member of its group, 0 not at all. */
static int named(const struct sim_proxmox *sim, const struct pve_acl *acl, const char *who)
{
	if (acl->who[0] == '@')
		return strchr(who, '!') == NULL && is_member(sim, acl->who + 1, who) ? 1 : 0;
	return strcmp(acl->who, who) == 0 ? 2 : 0;
}

/* Adds what one entry gives. */
static void apply(const struct sim_proxmox *sim, const struct pve_acl *acl, struct pve_rights *to)
{
	uint64_t set = 0;
	pve_role_find(sim, acl->role, &set);
	to->no_access = to->no_access || strcmp(acl->role, "NoAccess") == 0;
	to->all |= set;
	to->below |= acl->propagates ? set : 0;
}

/* Replaces what came from above by the entries at one level, if there are any. */
static void take_level(const struct sim_proxmox *sim, const char *level, const char *who,
	bool is_last, struct pve_rights *rights)
{
	int best = 0;
	struct pve_rights found = {0};
	for (int i = 0; i < sim->acl_count; i++) {
		const struct pve_acl *acl = &sim->acls[i];
		int how = strcmp(acl->path, level) == 0 ? named(sim, acl, who) : 0;
		if (how == 0 || how < best || (!is_last && !acl->propagates))
			continue;
		if (how > best)
			found = (struct pve_rights){0};
		best = how;
		apply(sim, acl, &found);
	}
	if (best > 0)
		*rights = found;
}

static struct pve_rights by_acl(const struct sim_proxmox *sim, const char *who, const char *path)
{
	char level[96] = "/";
	struct pve_rights rights = {0};
	take_level(sim, "/", who, strcmp(path, "/") == 0, &rights);
	for (const char *end = path; *end == '/' && end[1] != '\0';) {
		end += 1 + strcspn(end + 1, "/");
		str_format(level, sizeof(level), "%.*s", (int)(end - path), path);
		take_level(sim, level, who, *end == '\0', &rights);
	}
	return rights;
}

static const char *pool_of(const struct sim_proxmox *sim, const char *path)
{
	int vmid = str_starts(path, "/vms/") ? (int)strtol(path + 5, NULL, 10) : 0;
	for (int i = 0; i < sim->guest_count && vmid > 0; i++)
		if (sim->guests[i].vmid == vmid)
			return sim->guests[i].pool;
	return "";
}

static struct pve_rights with_pool(const struct sim_proxmox *sim, const char *who, const char *path)
{
	char pool_path[64];
	struct pve_rights rights = by_acl(sim, who, path);
	const char *pool = pool_of(sim, path);
	if (pool[0] != '\0') {
		STR_FORMAT(pool_path, "/pool/%s", pool);
		struct pve_rights more = by_acl(sim, who, pool_path);
		rights.all |= more.all;
		rights.no_access = rights.no_access || more.no_access;
	}
	if (rights.no_access)
		rights = (struct pve_rights){.no_access = true};
	return rights;
}

struct pve_rights pve_rights(const struct sim_proxmox *sim, const char *who, const char *path)
{
	const struct pve_account *account = NULL;
	char user[80];
	uint64_t mask = mask_of(sim);
	const char *token = strchr(who, '!');
	str_copy(user, token != NULL ? (size_t)(token - who) + 1 : sizeof(user), who);
	for (int i = 0; i < sim->account_count; i++)
		if (strcmp(sim->accounts[i].id, who) == 0)
			account = &sim->accounts[i];
	struct pve_rights rights = {.all = mask, .below = mask};
	if (strcmp(user, "root@pam") != 0)
		rights = with_pool(sim, user, path);
	if (token != NULL && account != NULL && account->privsep) {
		struct pve_rights own = with_pool(sim, who, path);
		rights.all &= own.all;
		rights.below &= own.below;
	}
	rights.all &= mask;
	rights.below &= rights.all;
	return rights;
}

bool pve_may(const struct sim_proxmox *sim, const char *who, const char *path, const char *any)
{
	char copy[512], *save = NULL;
	uint64_t rights = pve_rights(sim, who, path).all;
	STR_SET(copy, any);
	for (char *p = strtok_r(copy, "|", &save); p != NULL; p = strtok_r(NULL, "|", &save))
		if ((rights & pve_privilege(p)) != 0)
			return true;
	return false;
}

static void put_privileges(const struct sim_proxmox *sim, struct str *text, uint64_t set)
{
	for (int i = 0; pve_privilege_name(sim, i) != NULL; i++)
		if ((set & pve_privilege(pve_privilege_name(sim, i))) != 0)
			str_addf(text, "%s%s", text->len > 0 ? "," : "", pve_privilege_name(sim, i));
}

static void put_role(struct pve_call *call, struct json_out *out, const char *name, bool is_special)
{
	struct str text;
	uint64_t set = 0;
	str_init(&text, call->arena);
	pve_role_find(call->sim, name, &set);
	put_privileges(call->sim, &text, set);
	json_open(out, NULL, '{');
	json_put_str(out, "roleid", name);
	json_put_str(out, "privs", text.s);
	if (is_special)
		json_put_int(out, "special", 1);
	else
		json_put_str(out, "special", "");
	json_close(out, '}');
}

static void roles(struct pve_call *call)
{
	struct json_out *out = pve_begin(call, '[');
	for (size_t i = 0; i < SPECIAL; i++)
		put_role(call, out, special[i].name, true);
	for (int i = 0; i < call->sim->role_count; i++)
		put_role(call, out, call->sim->roles[i].name, false);
	pve_end(call, ']');
}

/* For those who may not look at /access the list is empty, without a word. */
static void acl_list(struct pve_call *call)
{
	const struct sim_proxmox *sim = call->sim;
	bool sees = pve_may(sim, call->who.id, "/access", "Sys.Audit");
	struct json_out *out = pve_begin(call, '[');
	for (int i = 0; i < sim->acl_count; i++) {
		const struct pve_acl *acl = &sim->acls[i];
		bool is_group = acl->who[0] == '@';
		if (!sees && !pve_may(sim, call->who.id, acl->path, "Permissions.Modify"))
			continue;
		json_open(out, NULL, '{');
		json_put_str(out, "path", acl->path);
		json_put_str(out, "type",
			is_group                            ? "group"
				: strchr(acl->who, '!') != NULL ? "token"
												: "user");
		json_put_str(out, "ugid", acl->who + is_group);
		json_put_str(out, "roleid", acl->role);
		json_put_int(out, "propagate", acl->propagates);
		json_close(out, '}');
	}
	pve_end(call, ']');
}

static void put_tokens(struct pve_call *call, struct json_out *out, const char *user)
{
	const struct sim_proxmox *sim = call->sim;
	size_t length = strlen(user);
	json_open(out, "tokens", '{');
	for (int i = 0; i < sim->account_count; i++) {
		const struct pve_account *token = &sim->accounts[i];
		if (!token->is_token || strncmp(token->id, user, length) != 0 || token->id[length] != '!')
			continue;
		json_open(out, token->id + length + 1, '{');
		json_put_int(out, "privsep", token->privsep);
		json_put_int(out, "expire", token->expired ? 1 : 0);
		json_close(out, '}');
	}
	json_close(out, '}');
}

static void user(struct pve_call *call)
{
	const char *id = pve_arg(call, "userid");
	const struct pve_account *account = pve_account_find(call->sim, id);
	if (account == NULL || account->is_token) {
		pve_fail(call, 500, "no such user ('%s')", id);
		return;
	}
	struct json_out *out = pve_begin(call, '{');
	json_put_int(out, "enable", !account->disabled);
	json_put_int(out, "expire", account->expired ? 1 : 0);
	put_tokens(call, out, id);
	json_open(out, "groups", '[');
	for (int i = 0; i < call->sim->group_count; i++)
		if (strcmp(call->sim->groups[i].user, id) == 0)
			json_put_str(out, NULL, call->sim->groups[i].name);
	json_close(out, ']');
	pve_end(call, '}');
}

const struct pve_route pve_routes_roles[] = {
	{"GET", "/access/acl", NULL, false, false, NULL, acl_list},
	{"GET", "/access/roles", NULL, false, false, NULL, roles},
	{"GET", "/access/users/{userid}", "/access/groups Sys.Audit|User.Modify", false, false, NULL,
		user},
	{NULL, NULL, NULL, false, false, NULL, NULL},
};
