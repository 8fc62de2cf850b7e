#include "client/proxmox_rights.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct need_row {
	struct proxmox_need need;
	int from, to; /* major versions; 0: any */
};

static const struct need_row needs[] = {
	{{"Sys.Audit", "/", "see nodes, quorum, HA, jobs and disks", true}, 0, 0},
	{{"VM.Audit", "/vms", "see guests", true}, 0, 0},
	{{"Datastore.Audit", "/storage", "see storages and backups", true}, 0, 0},
	{{"VM.PowerMgmt", "/vms", "start, stop and restart guests", false}, 0, 0},
	{{"VM.Snapshot", "/vms", "take a snapshot before a risky action", false}, 0, 0},
	{{"VM.Snapshot.Rollback", "/vms", "undo a risky action", false}, 0, 0},
	{{"Sys.Modify", "/nodes", "restart a node's services", false}, 0, 0},
	{{"VM.GuestAgent.Audit", "/vms", "ask a guest's agent whether it lives", false}, 9, 0},
	{{"VM.GuestAgent.FileSystemMgmt", "/vms", "trim a guest's disks", false}, 9, 0},
	{{"VM.GuestAgent.Unrestricted", "/vms", "find out in a guest what uses its CPU", false}, 9, 0},
	{{"VM.Monitor", "/vms", "ask a guest's agent", false}, 0, 8},
};
_Static_assert(sizeof(needs) / sizeof(needs[0]) <= PROXMOX_NEEDS_MAX, "room for all");

static bool is_below(const char *path, const char *top)
{
	size_t length = strlen(top);
	return strcmp(top, "/") != 0 && strncmp(path, top, length) == 0 && path[length] == '/';
}

static bool is_there(const struct proxmox_rights *rights, const struct proxmox_need *need)
{
	if (proxmox_may(rights, need->path, need->privilege))
		return true;
	for (int i = 0; i < rights->count; i++)
		if (is_below(rights->rights[i].path, need->path) &&
			proxmox_may(rights, rights->rights[i].path, need->privilege))
			return true;
	/* the one that includes the other */
	if (strcmp(need->privilege, "VM.Snapshot.Rollback") == 0)
		return proxmox_may(rights, need->path, "VM.Snapshot");
	return false;
}

int proxmox_missing(const struct proxmox_rights *rights, int major,
	const struct proxmox_need *missing[PROXMOX_NEEDS_MAX])
{
	int count = 0;
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		bool applies = (needs[i].from == 0 || major >= needs[i].from) &&
			(needs[i].to == 0 || major <= needs[i].to);
		if (applies && !is_there(rights, &needs[i].need))
			missing[count++] = &needs[i].need;
	}
	return count;
}

/* What is granted on a path replaces what was inherited from above: on another than "/" the rights
 * to look are granted along. */
static void write_command(
	const char *path, const char *privilege, const char *who, char *text, size_t size)
{
	char role[64];
	const char *by = strchr(who, '!') != NULL ? "--tokens" : "--users";
	if (strcmp(privilege, "Sys.Audit") == 0 || strcmp(privilege, "VM.Audit") == 0 ||
		strcmp(privilege, "Datastore.Audit") == 0) {
		str_format(text, size, "pveum acl modify %s %s '%s' --roles PVEAuditor", path, by, who);
		return;
	}
	STR_FORMAT(role, "Homeostat-%s", privilege);
	for (char *c = role; *c != '\0'; c++)
		if (*c == '.')
			*c = '-';
	str_format(text, size, "pveum role add %s --privs %s; pveum acl modify %s %s '%s' --roles %s%s",
		role, privilege, path, by, who, strcmp(path, "/") != 0 ? "PVEAuditor," : "", role);
}

void proxmox_grant_command(
	const struct proxmox_need *need, const char *who, char *text, size_t size)
{
	/* Of guests and storages at the top, where nothing is replaced. */
	const char *path = strcmp(need->path, "/nodes") == 0 ? need->path : "/";
	write_command(path, need->privilege, who, text, size);
}

bool proxmox_grant_for(const char *refusal, const char *who, char *text, size_t size)
{
	char path[128], privilege[64];
	const char *open = strstr(refusal, "Permission check failed (");
	if (open == NULL ||
		sscanf(open, "Permission check failed (%127[A-Za-z0-9/._-], %63[A-Za-z.]", path,
			privilege) != 2)
		return false;
	write_command(path, privilege, who, text, size);
	return true;
}
