/*
 * What every configured Proxmox VE says of itself at this moment, for people: nodes, guests and
 * backups. Each source is asked on a thread and by a handle of its own, so one that hangs delays no
 * other; what did not answer in time is named, and the rest is there all the same. The answer
 * belongs to who asked, and to one thread. Texts are the server's: untrusted, never NULL.
 */
#ifndef REPORT_PVE_H
#define REPORT_PVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "client/proxmox.h"
#include "client/proxmox_backup.h"
#include "model/config.h"

enum pve_about { PVE_RESOURCES, PVE_BACKUPS };

struct pve_question {
	const struct config *config;
	const struct clock *clock;
	int stop_fd;         /* readable: whoever asks is to end; -1: none */
	enum pve_about about;
	int64_t timeout_ms;
};

struct pve_node {
	const char *source;  /* "pve", as in the configuration */
	const struct proxmox_node *node;
	int running, total;  /* guests, without templates; those that nothing is known of count */
};
struct pve_guest {
	const char *source;
	const struct proxmox_guest *guest;
	bool critical;
};

enum pve_verdict {
	PVE_BACKUP_GOOD,
	PVE_BACKUP_RUNNING,
	PVE_BACKUP_FAILED,      /* the last try, or the newest one's verification */
	PVE_BACKUP_LATE,
	PVE_BACKUP_MISSING,     /* a job covers it, and there is none */
	PVE_BACKUP_UNPROTECTED, /* no job, and none */
	PVE_BACKUP_UNSCHEDULED, /* no job: made by hand */
	PVE_BACKUP_UNKNOWN,     /* not all could be read, and none was seen */
};
struct pve_backup {
	const char *source;
	const struct proxmox_backed *backed;
	enum pve_verdict verdict;
};
const char *pve_verdict_name(enum pve_verdict verdict); /* "good" */
enum pve_verdict pve_verdict(
	const struct proxmox_survey *survey, const struct proxmox_backed *backed, int64_t wall_s);

/* What one source did not tell. partial: the rest of it is there. */
struct pve_trouble { const char *source; char text[480]; bool partial; };

struct pve_answer {
	int64_t at;                 /* wall, ms */
	int asked, answered;        /* sources */
	struct pve_node *nodes;     /* by source and name */
	struct pve_guest *guests;   /* by source and number */
	struct pve_backup *backups; /* PVE_BACKUPS only: without templates */
	struct pve_trouble *troubles;
	int node_count, guest_count, backup_count, trouble_count;
	struct pve_source *sources; /* own what the rows point to */
	struct arena *arena;
};

/* Never NULL; freed by pve_free. */
struct pve_answer *pve_ask(const struct pve_question *question);
void pve_free(struct pve_answer *answer);

#endif
