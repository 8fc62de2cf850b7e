/*
 * Backups of a Proxmox VE, over all nodes and storages: of each guest the newest good one, how the
 * last try went, the jobs that cover it and when the next and the last run are due. Read with a few
 * calls a node and storage, so not on every look. What could not be read is named, since a backup
 * that cannot be seen is not missing. Everything in the caller's arena; texts are never NULL.
 * The survey belongs to the thread of its client's handle; the schedule is pure.
 */
#ifndef CLIENT_PROXMOX_BACKUP_H
#define CLIENT_PROXMOX_BACKUP_H

#include "client/proxmox.h"

enum proxmox_tried { PROXMOX_NOT_TRIED, PROXMOX_TRIED_GOOD, PROXMOX_TRIED_BAD, PROXMOX_TRYING };

/* One guest. Templates are in it, and guests whose node is offline, with lost set. */
struct proxmox_backed {
	int vmid;
	enum proxmox_guest_kind kind;
	const char *name, *node;
	bool template, lost;
	/* The newest that is whole: not one whose verification failed. taken_s 0: none is seen. */
	int64_t taken_s, bytes; /* bytes -1: not said */
	const char *volume, *storage;
	int count;          /* backups of it that are seen */
	bool verify_failed; /* the newest of all failed its verification */
	/* The last vzdump of it that is known. */
	enum proxmox_tried tried;
	int64_t tried_s;
	const char *tried_text; /* "OK", or what went wrong */
	/* Enabled jobs that cover it; the one that is due most recently is named. */
	int job_count;
	const struct proxmox_job *job; /* NULL: none */
	int64_t due_s;                 /* the last run that is over by its grace; 0: not known */
	int64_t next_s;                /* the next run of any; 0: not known */
	int64_t created_s;             /* looked for only of guests without a backup; 0: not known */
};

struct proxmox_survey {
	struct proxmox_backed *guests; /* by vmid, ascending */
	int guest_count;
	struct proxmox_job *jobs;
	int job_count;
	/* "" or what could not be read: "storage local of pve2: …". Then a backup that is not seen may
	 * exist all the same. */
	char blind[240];
	bool jobs_known;
};

/* grace_ms: how long after its schedule a backup may come. False: nothing could be read at all.
 * look is what was seen just before, and must outlive the survey. */
bool proxmox_survey(struct proxmox *proxmox, const struct proxmox_look *look, int64_t grace_ms,
	struct arena *arena, struct proxmox_survey *survey, struct err *err);
const struct proxmox_backed *proxmox_backed_find(const struct proxmox_survey *survey, int vmid);
/* The last try failed, and no good backup is newer. */
bool proxmox_backup_failed(const struct proxmox_backed *backed);
/* A run is over by its grace, and no good backup is as new; or there is none although one should
 * be. Of a schedule that is not understood: older than 8 days. */
bool proxmox_backup_late(const struct proxmox_backed *backed, int64_t wall_s);

/* A calendar event of PVE (a part of systemd's): "daily", "02:00", "mon..fri 02:00,14:30",
 * "*:0/30", "sat 1:30", "2026-11-*", "monthly". */
struct proxmox_schedule {
	unsigned days;                               /* of the week, bit 0: Sunday */
	uint64_t minutes, hours, month_days, months; /* a bit each */
	int year_from, year_to;                      /* 0: any */
};
bool proxmox_schedule_parse(const char *text, struct proxmox_schedule *schedule);
/* The last run at or before time_s, where local time is UTC + offset_s; 0: none in two years. */
int64_t proxmox_schedule_last(
	const struct proxmox_schedule *schedule, int64_t time_s, int64_t offset_s);
/* The offset under which next_run_s, as PVE says it, is a run: PVE reckons in its node's local
 * time. 0 when there is none. */
int64_t proxmox_schedule_offset(const struct proxmox_schedule *schedule, int64_t next_run_s);

#endif
