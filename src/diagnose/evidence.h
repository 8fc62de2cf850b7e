/*
 * Gathering evidence: what an incident's own system can still tell of it. Runs as a job, on a
 * client of its own and within a deadline, and only reads: the sources must not be held up by a
 * slow log, and what acts must not be what looks. What cannot be read is a line that says so.
 */
#ifndef DIAGNOSE_EVIDENCE_H
#define DIAGNOSE_EVIDENCE_H

#include <stddef.h>

#include "base/clock.h"
#include "model/config.h"
#include "model/evidence.h"
#include "model/incident.h"

#define EVIDENCE_DEADLINE_MS 8000

struct evidence_order {
	const struct config *config;
	const struct clock *clock;
	int stop_fd;
	struct component component;
	enum aspect aspect;
	int64_t failed_at;          /* wall; lines after it are of another life */
};
/* Adds to what the core knows already. */
void evidence_gather(const struct evidence_order *order, struct evidence_list *list);

/* One line, cleaned of what steers a terminal and redacted, cut to fit; the oldest log lines make
 * room for it. */
void evidence_add(struct evidence_list *list, enum evidence_kind kind, int64_t at,
	const char *source, const char *text);
void evidence_addf(struct evidence_list *list, enum evidence_kind kind, int64_t at,
	const char *source, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Each line of a text, which is redacted as a whole first, in place, in its size bytes. */
void evidence_add_lines(struct evidence_list *list, const char *source, char *text, size_t size);

/* evidence_docker.c, evidence_proxmox.c */
void evidence_of_container(const struct evidence_order *order, struct evidence_list *list);
void evidence_of_proxmox(const struct evidence_order *order, struct evidence_list *list);

#endif
