/*
 * What a token of Proxmox VE needs for what homeostat does with it, and what of that is missing:
 * with the path and the command that grants it. Pure.
 */
#ifndef CLIENT_PROXMOX_RIGHTS_H
#define CLIENT_PROXMOX_RIGHTS_H

#include "client/proxmox.h"

struct proxmox_need {
	const char *privilege, *path; /* "VM.Audit", "/vms" */
	const char *what_for;         /* "see guests" */
	bool to_watch;                /* else only to act */
};

#define PROXMOX_NEEDS_MAX 16
/* Those that are missing, at most PROXMOX_NEEDS_MAX: their number. major: of the version, since
 * privileges were renamed in 9. A privilege that is there for a part of what is below the path is
 * not missing: that part is what shall be seen. */
int proxmox_missing(const struct proxmox_rights *rights, int major,
	const struct proxmox_need *missing[PROXMOX_NEEDS_MAX]);
/* The command of root that grants a need: "pveum role add …; pveum acl modify …". who: token_id
 * USER@REALM!NAME, or user. */
void proxmox_grant_command(
	const struct proxmox_need *need, const char *who, char *text, size_t size);
/* One for a refusal in the server's words, "Permission check failed (/, Sys.Audit)"; false: the
 * text names no privilege. */
bool proxmox_grant_for(const char *refusal, const char *who, char *text, size_t size);

#endif
