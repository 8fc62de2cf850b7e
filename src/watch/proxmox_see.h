/*
 * One look at a Proxmox VE: what was read of it, and what of that is news. For the files
 * watch/proxmox*.c only. A look's answers live in its scratch arena; only observations are put into
 * the report's.
 */
#ifndef WATCH_PROXMOX_SEE_H
#define WATCH_PROXMOX_SEE_H

#include "client/proxmox.h"
#include "watch/proxmox_memory.h"
#include "watch/proxmox_stop.h"
#include "watch/source.h"

#define PVE_LOOK_MS 10000 /* PVE itself looks every 10 s */
#define PVE_DETAILS_MS 600000
#define PVE_BACKUPS_MS 900000
/* Questions about single guests in one look, so that none lasts for minutes: the rest of the
 * guests is looked at in the next ones. */
#define PVE_QUESTIONS_MAX 150

struct proxmox_source {
	struct source_context context;
	const struct config_proxmox *config;
	struct proxmox *client;
	struct pve_memory memory;
	bool whole; /* everything was told once since it was reached */
	unsigned looks;
	int64_t next_look, next_details, next_backups; /* mono */
	struct observation spare;                      /* written to when the report is full */
	int capacity;                                  /* of the report's observations */
	char text[400]; /* what cannot be seen for want of rights, as the details found */
	char said[480]; /* and as was last said */
};

enum pve_asked { PVE_UNASKED, PVE_ANSWERED, PVE_UNANSWERED };

struct pve_seen {
	struct proxmox_source *source;
	struct arena *arena, *scratch;
	struct report *report;
	struct proxmox_look look;
	struct proxmox_cluster cluster;
	bool cluster_known, quorate;
	bool complete;
	bool cancelled; /* we were told to stop */
	int64_t mono_ms, wall_ms;
	int questions; /* left */
	char denied[400];
	/* Read when something is suspected. */
	struct proxmox_task_list tasks;
	struct proxmox_ha ha;
	struct proxmox_rights rights;
	enum pve_asked tasks_asked, ha_asked, rights_asked;
};

/* proxmox_see.c. False: nothing could be seen. */
bool pve_see(
	struct proxmox_source *source, struct arena *arena, struct report *report, struct err *err);
/* The memory of a component, with its names renewed. */
struct pve_memo *pve_remember(struct pve_seen *seen, const struct component *component);
/* Puts it into the report when it is news; of what has a number: when it is near its limit or was
 * so; of other aspects: when it is not well or was not. */
void pve_tell(struct pve_seen *seen, struct pve_memo *memo, const struct observation *what);
/* Notes why an answer is missing: rights that are lacking are said to people. */
void pve_note(struct pve_seen *seen, const struct err *why);
void pve_node_name(const struct pve_seen *seen, const char *node, char name[NAME_MAX_BYTES]);
void pve_guest_name(
	const struct pve_seen *seen, const struct proxmox_guest *guest, char name[NAME_MAX_BYTES]);
/* A component of this source; its parent is the root. */
struct component pve_component(
	const struct pve_seen *seen, enum component_kind kind, const char *label);
bool pve_is_online(const struct pve_seen *seen, const char *node);
bool pve_is_critical(const struct pve_seen *seen, int vmid);
/* Of nodes and guests: "the cluster has no quorum", or "". */
const char *pve_held(const struct pve_seen *seen);

/* Whether what was remembered and is not listed any more may be there all the same, unseen. */
bool pve_is_hidden(struct pve_seen *seen, const struct pve_memo *memo);

/* proxmox_guest.c */
struct component pve_guest_component(struct pve_seen *seen, const struct proxmox_guest *guest);
void pve_see_guest(struct pve_seen *seen, const struct proxmox_guest *guest);
const struct proxmox_rights *pve_rights(struct pve_seen *seen); /* NULL: not known */

/* proxmox_storage.c */
void pve_see_storages(struct pve_seen *seen);
/* proxmox_detail.c: what of nodes is read now and then. */
void pve_see_details(struct pve_seen *seen);
/* proxmox_backups.c */
void pve_see_backups(struct pve_seen *seen);

#endif
