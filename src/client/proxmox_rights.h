/*
 * What Proxmox VE lets us do, what of it is missing for what homeostat does, and the command that
 * mends it: weighed as PVE::AccessControl does. The deepest entry on the way to an object counts
 * alone, so that a grant further up does not help below it; a token with privilege separation may
 * what both it and its user may. All but proxmox_access is pure.
 */
#ifndef CLIENT_PROXMOX_RIGHTS_H
#define CLIENT_PROXMOX_RIGHTS_H

#include "client/proxmox.h"

struct proxmox_entry {
	const char *path, *type, *who, *role; /* type: "user" "group" "token" */
	bool propagates;
};
struct proxmox_role { const char *name, *privileges; }; /* privileges: "A,B" */
struct proxmox_access {
	const char *user, *token;    /* token NULL: we log in as the user */
	const int64_t *critical;     /* guests that count one by one */
	int critical_count;
	struct proxmox_rights own;   /* what we may */
	/* Only where is_open: who may look at /access. */
	bool is_open;
	bool shares;                 /* the token has no privilege separation */
	const char *groups;          /* the user's: "a,b" */
	struct proxmox_rights owner; /* what the token's user may */
	struct proxmox_entry *entries;
	int entry_count;
	struct proxmox_role *roles;
	int role_count;
};
bool proxmox_access(struct proxmox *proxmox, const struct config_proxmox *config,
	struct arena *arena, struct proxmox_access *access, struct err *err);

/* What one command mends. */
struct proxmox_lack {
	const char *what;    /* "see guests (VM.Audit on /vms/104)", and more of these with commas */
	const char *command; /* of root on a node: "pveum acl modify …" */
	bool to_watch;       /* else only to act */
};
struct proxmox_lacks { struct proxmox_lack *rows; int count; };
/* major: of the version, since privileges were renamed in 9. */
void proxmox_lacks(const struct proxmox_access *access, int major, struct arena *arena,
	struct proxmox_lacks *lacks);

#endif
