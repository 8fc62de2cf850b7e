/*
 * A line of the script, split; for the files sim/proxmox_script*.c only.
 */
#ifndef SIM_PROXMOX_SCRIPT_H
#define SIM_PROXMOX_SCRIPT_H

#include "sim/proxmox_world.h"

#define PVE_WORDS 24

struct pve_line {
	struct sim_proxmox *sim;
	char *words[PVE_WORDS];
	int n;
	const char *whole; /* unsplit */
	char *text;        /* why it is wrong */
	size_t size;
};

struct pve_verb {
	const char *name;
	int words; /* at least, after the name */
	bool (*play)(struct pve_line *line);
};
extern const struct pve_verb pve_verbs_world[], pve_verbs_events[], pve_verbs_faults[];

int pve_int(const char *text); /* 0: not one */
bool pve_bad(struct pve_line *line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int pve_line_node(struct pve_line *line, int word);                         /* -1: said so */
struct pve_guest *pve_line_guest(struct pve_line *line, int word);          /* NULL: said so */
const char *pve_line_option(const struct pve_line *line, const char *name); /* "name=…" */
double pve_line_number(const struct pve_line *line, const char *name, double otherwise);
bool pve_line_has(const struct pve_line *line, const char *word);
bool pve_next_command(struct pve_line *line); /* proxmox_agent.c */
bool pve_pveum(struct pve_line *line); /* proxmox_pveum.c: a command of root's */
bool pve_script_known(const struct pve_verb *verbs, struct pve_line *line, bool *good);

#endif
