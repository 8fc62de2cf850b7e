/* Who asks and what they may: tokens, tickets, roles, and ACLs that replace what they inherit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_world.h"

#define TICKET_LIFE_S 7200

/* Up to OLD, those of 9; after it, those of 8 and 7. */
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

static uint64_t all_but(const char *pattern)
{
	uint64_t set = 0;
	for (int i = 0; i < PRIVILEGES; i++)
		if (!str_match(pattern, privileges[i]))
			set |= UINT64_C(1) << i;
	return set;
}

static uint64_t those(const char *pattern)
{
	return ~all_but(pattern) & ((UINT64_C(1) << PRIVILEGES) - 1);
}

uint64_t pve_privileges_of(const struct sim_proxmox *sim, const char *role_or_list)
{
	char copy[512], *save = NULL;
	uint64_t set = 0;
	(void)sim;
	if (strcmp(role_or_list, "Administrator") == 0)
		return all_but("");
	if (strcmp(role_or_list, "PVEAdmin") == 0)
		return all_but("Sys.PowerMgmt") & all_but("Sys.Modify") & all_but("Permissions.Modify");
	if (strcmp(role_or_list, "PVEAuditor") == 0)
		return those("*.Audit");
	if (strcmp(role_or_list, "PVEVMAdmin") == 0)
		return those("VM.*");
	if (strcmp(role_or_list, "PVEVMUser") == 0)
		return pve_privileges_of(sim, "VM.Audit,VM.Console,VM.PowerMgmt,VM.Backup,VM.Config.CDROM");
	STR_SET(copy, role_or_list);
	for (char *p = strtok_r(copy, ",", &save); p != NULL; p = strtok_r(NULL, ",", &save))
		set |= pve_privilege(p);
	return set;
}

struct pve_account *pve_account_find(struct sim_proxmox *sim, const char *id)
{
	for (int i = 0; i < sim->account_count; i++)
		if (strcmp(sim->accounts[i].id, id) == 0)
			return &sim->accounts[i];
	return NULL;
}

/* Whether at is path itself (2), above it (1) or elsewhere (0). */
static int covers(const char *at, const char *path)
{
	size_t length = strlen(at);
	if (strcmp(at, path) == 0)
		return 2;
	if (strcmp(at, "/") == 0)
		return 1;
	return strncmp(at, path, length) == 0 && path[length] == '/';
}

/* The deepest level that names who counts alone: what is above it is replaced, not added to. */
static uint64_t by_acl(const struct sim_proxmox *sim, const char *who, const char *path)
{
	uint64_t set = 0;
	size_t deepest = 0;
	for (int i = 0; i < sim->acl_count; i++) {
		const struct pve_acl *acl = &sim->acls[i];
		int covered = strcmp(acl->who, who) == 0 ? covers(acl->path, path) : 0;
		size_t depth = strcmp(acl->path, "/") == 0 ? 1 : strlen(acl->path) + 1;
		if (covered == 0 || (covered == 1 && !acl->propagates) || depth < deepest)
			continue;
		if (depth > deepest)
			set = 0;
		deepest = depth;
		set |= acl->no_access ? 0 : acl->privileges;
	}
	return set;
}

uint64_t pve_rights(const struct sim_proxmox *sim, const char *who, const char *path)
{
	const struct pve_account *account = NULL;
	char user[80];
	const char *token = strchr(who, '!');
	str_copy(user, token != NULL ? (size_t)(token - who) + 1 : sizeof(user), who);
	for (int i = 0; i < sim->account_count; i++)
		if (strcmp(sim->accounts[i].id, who) == 0)
			account = &sim->accounts[i];
	uint64_t mask = sim->dialect < 9 ? ((UINT64_C(1) << OF_9) - 1) | UINT64_C(1) << OF_8
									 : (UINT64_C(1) << OF_8) - 1;
	uint64_t rights = strcmp(user, "root@pam") == 0 ? mask : by_acl(sim, user, path);
	if (token != NULL && account != NULL && account->privsep)
		rights &= by_acl(sim, who, path);
	return rights & mask;
}

bool pve_may(const struct sim_proxmox *sim, const char *who, const char *path, const char *any)
{
	char copy[512], *save = NULL;
	uint64_t rights = pve_rights(sim, who, path);
	STR_SET(copy, any);
	for (char *p = strtok_r(copy, "|", &save); p != NULL; p = strtok_r(NULL, "|", &save))
		if ((rights & pve_privilege(p)) != 0)
			return true;
	return false;
}

/* "PVEAuthCookie=PVE:root@pam:6B04A881::sim", percent-encoded or not. False: there is none. */
static bool cookie_ticket(const char *cookie, char *ticket, size_t size)
{
	const char *at = cookie != NULL ? strstr(cookie, "PVEAuthCookie=") : NULL;
	size_t n = 0;
	if (at == NULL)
		return false;
	for (at += strlen("PVEAuthCookie="); *at != '\0' && *at != ';' && n + 1 < size; at++) {
		unsigned code;
		if (*at == '%' && sscanf(at + 1, "%2x", &code) == 1) {
			ticket[n++] = (char)code;
			at += 2;
		} else {
			ticket[n++] = *at;
		}
	}
	ticket[n] = '\0';
	return true;
}

static const char *by_ticket(struct sim_proxmox *sim, const struct sim_pve_request *request,
	const char *ticket, struct pve_who *who)
{
	unsigned at = 0;
	char user[80] = "", csrf[24];
	if (sscanf(ticket, "PVE:%79[^:]:%8X::sim", user, &at) != 2 || !str_ends(ticket, "::sim"))
		return "permission denied - invalid PVE ticket";
	const struct pve_account *account = pve_account_find(sim, user);
	int64_t age_s = sim->now_ms / 1000 - (int64_t)at;
	if (account == NULL || account->disabled || age_s > TICKET_LIFE_S || age_s < -300)
		return "permission denied - invalid PVE ticket";
	STR_FORMAT(csrf, "%08X:sim", at);
	if (strcmp(request->method, "GET") != 0 &&
		(request->csrf == NULL || strcmp(request->csrf, csrf) != 0))
		return "Permission denied - invalid csrf token";
	STR_SET(who->id, user);
	who->account = account;
	who->by_ticket = true;
	return NULL;
}

static const char *by_token(struct sim_proxmox *sim, const char *value, struct pve_who *who)
{
	char id[80], user[80];
	const char *equals = strchr(value, '=');
	const char *bang = strchr(value, '!');
	if (equals == NULL || bang == NULL || bang > equals)
		return "Authentication failed!";
	str_copy(id,
		(size_t)(equals - value) + 1 < sizeof(id) ? (size_t)(equals - value) + 1 : sizeof(id),
		value);
	str_copy(user,
		(size_t)(bang - value) + 1 < sizeof(user) ? (size_t)(bang - value) + 1 : sizeof(user),
		value);
	const struct pve_account *token = pve_account_find(sim, id);
	const struct pve_account *owner = pve_account_find(sim, user);
	if (token == NULL || owner == NULL || strcmp(token->secret, equals + 1) != 0 ||
		token->disabled || token->expired || owner->disabled || owner->expired)
		return "Authentication failed!";
	STR_SET(who->id, id);
	who->account = token;
	return NULL;
}

const char *pve_authenticate(
	struct sim_proxmox *sim, const struct sim_pve_request *request, struct pve_who *who)
{
	char ticket[256];
	const char *value = request->authorization;
	if (cookie_ticket(request->cookie, ticket, sizeof(ticket)) ||
		cookie_ticket(value, ticket, sizeof(ticket)))
		return by_ticket(sim, request, ticket, who);
	if (value == NULL || !str_starts(value, "PVEAPIToken"))
		return "No ticket";
	value += strlen("PVEAPIToken");
	if (*value != '=' && *value != ' ')
		return "No ticket";
	return by_token(sim, value + 1, who);
}
