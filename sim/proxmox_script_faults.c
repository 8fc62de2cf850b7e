/* The lines that break something, and mend it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_script.h"

static bool life(struct pve_line *line)
{
	int node = pve_line_node(line, 1);
	const char *what = line->words[0];
	if (node < 0)
		return false;
	pve_node_life(line->sim, node,
		strcmp(what, "down") == 0           ? PVE_DEAD
			: strcmp(what, "hung") == 0     ? PVE_HUNG
			: strcmp(what, "refusing") == 0 ? PVE_REFUSING
											: PVE_UP);
	return true;
}

static bool daemon_line(struct pve_line *line)
{
	int index = pve_line_node(line, 1);
	bool down = strcmp(line->words[2], "down") == 0;
	if (index < 0)
		return false;
	struct pve_node *node = &line->sim->nodes[index];
	if (strcmp(line->words[0], "pvedaemon") == 0) {
		node->pvedaemon_down = down;
	} else if (strcmp(line->words[0], "pvestatd") == 0) {
		node->pvestatd_down = down;
	} else {
		node->pmxcfs_down = down;
		node->gone_ms = line->sim->now_ms;
	}
	return true;
}

static bool cut(struct pve_line *line)
{
	int node = pve_line_node(line, 1);
	if (node < 0)
		return false;
	pve_cut(line->sim, node, strcmp(line->words[0], "cut") == 0 ? node + 1 : 0);
	return true;
}

static bool quorum(struct pve_line *line)
{
	bool lost = strcmp(line->words[1], "lost") == 0;
	/* All apart: no node sees another. The clock runs on, so that the loss is noticed as it is. */
	for (int i = 0; i < line->sim->node_count; i++)
		pve_cut(line->sim, i, lost ? i + 1 : 0);
	return true;
}

static bool answers(struct pve_line *line)
{
	static const char *const names[] = {"ok", "slow", "truncated", "html", "close", "empty"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], line->words[1]) == 0) {
			line->sim->answers = (enum pve_answers)i;
			line->sim->answers_ms = line->n > 2 ? pve_int(line->words[2]) : 0;
			return true;
		}
	return pve_bad(line, "answers ok|slow MS|truncated|html|close|empty");
}

static bool revoke(struct pve_line *line)
{
	struct pve_account *account = pve_account_find(line->sim, line->words[1]);
	if (account == NULL)
		return pve_bad(line, "no such user or token: %s", line->words[1]);
	account->disabled = true;
	return true;
}

static bool forget(struct pve_line *line)
{
	struct sim_proxmox *sim = line->sim;
	for (int i = 0; i < sim->journal_count; i++)
		free(sim->journal[i]);
	free(sim->journal);
	sim->journal = NULL;
	sim->journal_count = 0;
	for (int i = 0; i < PVE_GETS; i++) {
		free(sim->gets[i]);
		sim->gets[i] = NULL;
	}
	sim->get_count = 0;
	return true;
}

const struct pve_verb pve_verbs_faults[] = {{"down", 1, life}, {"hung", 1, life},
	{"refusing", 1, life}, {"up", 1, life}, {"pvedaemon", 2, daemon_line},
	{"pmxcfs", 2, daemon_line}, {"pvestatd", 2, daemon_line}, {"cut", 1, cut}, {"join", 1, cut},
	{"quorum", 1, quorum}, {"answers", 1, answers}, {"revoke", 1, revoke}, {"forget", 0, forget},
	{NULL, 0, NULL}};
