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

#define PROX_LOOK_MS 10000 /* PVE itself looks every 10 s */
#define PROX_DETAILS_MS 600000
#define PROX_BACKUPS_MS 900000
/* Questions about single guests in one look, so that none lasts for minutes: the rest of the
 * guests is looked at in the next ones. */
#define PROX_QUESTIONS_MAX 150

struct proxmox_source {
	struct source_context context;
	const struct config_proxmox *config;
	struct proxmox *client;
	struct prox_memory memory;
	bool whole; /* everything was told once since it was reached */
	unsigned looks;
	int64_t next_look, next_details, next_backups; /* mono */
	struct observation spare;                      /* written to when the report is full */
	int capacity;                                  /* of the report's observations */
	char text[400]; /* what cannot be seen for want of rights, as the details found */
	char said[480]; /* and as was last said */
};

enum prox_asked { PROX_UNASKED, PROX_ANSWERED, PROX_UNANSWERED };

struct prox_seen {
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
	enum prox_asked tasks_asked, ha_asked, rights_asked;
};

/* proxmox_see.c. False: nothing could be seen. */
bool prox_see(
	struct proxmox_source *source, struct arena *arena, struct report *report, struct err *err);
/* The memory of a component, with its names renewed. */
struct prox_memo *prox_remember(struct prox_seen *seen, const struct component *component);
/* Puts it into the report when it is news; of what has a number: when it is near its limit or was
 * so; of other aspects: when it is not well or was not. */
void prox_tell(struct prox_seen *seen, struct prox_memo *memo, const struct observation *what);
/* Notes why an answer is missing: rights that are lacking are said to people. */
void prox_note(struct prox_seen *seen, const struct err *why);
void prox_node_name(const struct prox_seen *seen, const char *node, char name[NAME_MAX_BYTES]);
void prox_guest_name(
	const struct prox_seen *seen, const struct proxmox_guest *guest, char name[NAME_MAX_BYTES]);
/* A component of this source; its parent is the root. */
struct component prox_component(
	const struct prox_seen *seen, enum component_kind kind, const char *label);
bool prox_is_online(const struct prox_seen *seen, const char *node);
bool prox_is_critical(const struct prox_seen *seen, int vmid);
/* Of nodes and guests: "the cluster has no quorum", or "". */
const char *prox_held(const struct prox_seen *seen);

/* Whether what was remembered and is not listed any more may be there all the same, unseen. */
bool prox_is_hidden(struct prox_seen *seen, const struct prox_memo *memo);

/* proxmox_guest.c */
struct component prox_guest_component(struct prox_seen *seen, const struct proxmox_guest *guest);
void prox_see_guest(struct prox_seen *seen, const struct proxmox_guest *guest);
const struct proxmox_rights *prox_rights(struct prox_seen *seen); /* NULL: not known */

/* proxmox_storage.c */
void prox_see_storages(struct prox_seen *seen);
/* proxmox_detail.c: what of nodes is read now and then. */
void prox_see_details(struct prox_seen *seen);
/* proxmox_check.c: `homeostat check`. self: a struct proxmox_source */
bool prox_check(void *self, source_say *say, void *ctx, struct err *err);
/* proxmox_backups.c */
void prox_see_backups(struct prox_seen *seen);

#endif
