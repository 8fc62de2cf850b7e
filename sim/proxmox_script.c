/* The world's script: what there is, what happens to it, and what is broken. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_script.h"

#define WORDS_MAX PVE_WORDS

int pve_int(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);
	return *text != '\0' && *end == '\0' && value >= INT_MIN && value <= INT_MAX ? (int)value : 0;
}

bool pve_bad(struct pve_line *line, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(line->text, line->size, fmt, args);
	va_end(args);
	return false;
}

int pve_line_node(struct pve_line *line, int word)
{
	int node = word < line->n ? pve_node_find(line->sim, line->words[word]) : -1;
	if (node < 0)
		pve_bad(line, "no such node: %s", word < line->n ? line->words[word] : "");
	return node;
}

struct pve_guest *pve_line_guest(struct pve_line *line, int word)
{
	struct pve_guest *guest = word < line->n ? pve_guest_find(line->sim, pve_int(line->words[word]))
											 : NULL;
	if (guest == NULL)
		pve_bad(line, "no such guest: %s", word < line->n ? line->words[word] : "");
	return guest;
}

const char *pve_line_option(const struct pve_line *line, const char *name)
{
	size_t length = strlen(name);
	for (int i = 1; i < line->n; i++)
		if (strncmp(line->words[i], name, length) == 0 && line->words[i][length] == '=')
			return line->words[i] + length + 1;
	return NULL;
}

bool pve_line_has(const struct pve_line *line, const char *word)
{
	for (int i = 1; i < line->n; i++)
		if (strcmp(line->words[i], word) == 0)
			return true;
	return false;
}

double pve_line_number(const struct pve_line *line, const char *name, double otherwise)
{
	const char *value = pve_line_option(line, name);
	return value == NULL ? otherwise : strtod(value, NULL);
}

bool pve_script_known(const struct pve_verb *verbs, struct pve_line *line, bool *good)
{
	for (; verbs->name != NULL; verbs++) {
		if (strcmp(verbs->name, line->words[0]) != 0)
			continue;
		*good = line->n > verbs->words ? verbs->play(line)
									   : pve_bad(line, "%s: too few words", verbs->name);
		return true;
	}
	return false;
}

bool sim_proxmox_script(struct sim_proxmox *sim, const char *text_line, char *text, size_t size)
{
	char copy[1024], whole[1024], *save = NULL;
	struct pve_line line = {.sim = sim, .whole = whole, .text = text, .size = size};
	bool good = false;
	STR_SET(copy, text_line);
	STR_SET(whole, text_line);
	for (char *word = strtok_r(copy, " \t\n", &save); word != NULL && line.n < WORDS_MAX;
		 word = strtok_r(NULL, " \t\n", &save))
		line.words[line.n++] = word;
	if (line.n == 0)
		return true;
	sim_proxmox_tick(sim);
	if (pve_script_known(pve_verbs_world, &line, &good) ||
		pve_script_known(pve_verbs_events, &line, &good) ||
		pve_script_known(pve_verbs_faults, &line, &good))
		return good;
	return pve_bad(&line, "no such line: %s", text_line);
}
