/*
 * pveum, as root types it on a node: `role add|modify`, `acl modify|delete`, with its options and
 * its errors. So that a test can follow the advice that was given, to the letter.
 */
#include <string.h>

#include "sim/proxmox_script.h"

struct pveum {
	struct pve_line *line;
	bool adds; /* "add" or "modify", else "delete" */
	int propagate;
	bool append;
	const char *roles, *privileges;
	const char *who[3]; /* --users, --groups, --tokens */
};

/* Without the shell's quotes. */
static const char *word(struct pve_line *line, int n)
{
	if (n >= line->n)
		return "";
	char *text = line->words[n];
	size_t length = strlen(text);
	if (length > 1 && strchr("'\"", text[0]) != NULL && text[length - 1] == text[0]) {
		text[length - 1] = '\0';
		return text + 1;
	}
	return text;
}

static bool read_options(struct pveum *pveum, int from)
{
	struct pve_line *line = pveum->line;
	for (int i = from; i < line->n; i += 2) {
		const char *name = line->words[i], *value = word(line, i + 1);
		bool flag = strcmp(value, "1") == 0;
		if (strcmp(name, "--roles") == 0)
			pveum->roles = value;
		else if (strcmp(name, "--privs") == 0)
			pveum->privileges = value;
		else if (strcmp(name, "--users") == 0)
			pveum->who[0] = value;
		else if (strcmp(name, "--groups") == 0)
			pveum->who[1] = value;
		else if (strcmp(name, "--tokens") == 0)
			pveum->who[2] = value;
		else if (strcmp(name, "--append") == 0)
			pveum->append = flag;
		else if (strcmp(name, "--propagate") == 0)
			pveum->propagate = flag;
		else
			return pve_bad(line, "Unknown option: %s", name);
	}
	return true;
}

static bool role(struct pveum *pveum)
{
	struct pve_line *line = pveum->line;
	const char *name = word(line, 3);
	struct pve_role *at = NULL;
	uint64_t set = 0, ignored;
	bool is_new = strcmp(line->words[2], "add") == 0;
	if (pveum->privileges != NULL && !pve_privileges_read(line->sim, pveum->privileges, &set))
		return pve_bad(line, "invalid privilege in '%s'", pveum->privileges);
	for (int i = 0; i < line->sim->role_count; i++)
		if (strcmp(line->sim->roles[i].name, name) == 0)
			at = &line->sim->roles[i];
	if (is_new && pve_role_find(line->sim, name, &ignored))
		return pve_bad(line, "role '%s' already exists", name);
	if (!is_new && at == NULL)
		return pve_bad(line, "role '%s' does not exist", name);
	if (is_new)
		pve_role_add(line->sim, name, set);
	else
		at->privileges = pveum->append ? at->privileges | set : set;
	return true;
}

static bool is_known(const struct sim_proxmox *sim, const char *who)
{
	for (int i = 0; i < sim->account_count; i++)
		if (strcmp(sim->accounts[i].id, who) == 0)
			return true;
	for (int i = 0; i < sim->group_count; i++)
		if (who[0] == '@' && strcmp(sim->groups[i].name, who + 1) == 0)
			return true;
	return false;
}

static bool set_for(struct pveum *pveum, const char *path, const char *who)
{
	struct pve_line *line = pveum->line;
	char roles[256], *save = NULL;
	uint64_t ignored;
	STR_SET(roles, pveum->roles);
	for (char *one = strtok_r(roles, ",", &save); one != NULL; one = strtok_r(NULL, ",", &save)) {
		if (!pve_role_find(line->sim, one, &ignored))
			return pve_bad(line, "role '%s' does not exist", one);
		if (!is_known(line->sim, who))
			return pve_bad(line, "user, group or token '%s' does not exist", who);
		if (pveum->adds)
			pve_acl_set(line->sim, path, who, one, pveum->propagate);
		else
			pve_acl_drop(line->sim, path, who, one);
	}
	return true;
}

static bool acl(struct pveum *pveum)
{
	struct pve_line *line = pveum->line;
	char list[256], who[96], *save = NULL;
	const char *path = word(line, 3);
	int count = 0;
	if (path[0] != '/' || pveum->roles == NULL)
		return pve_bad(line, "acl modify PATH --roles …: a path and roles are required");
	for (int i = 0; i < 3; i++) {
		STR_SET(list, pveum->who[i] != NULL ? pveum->who[i] : "");
		for (char *o = strtok_r(list, ",", &save); o != NULL; o = strtok_r(NULL, ",", &save)) {
			STR_FORMAT(who, "%s%s", i == 1 ? "@" : "", o);
			bool is_token = strchr(o, '!') != NULL;
			if (is_token != (i == 2))
				return pve_bad(line, "%s: not of that kind", o);
			if (!set_for(pveum, path, who))
				return false;
			count++;
		}
	}
	return count > 0 || pve_bad(line, "either 'users', 'groups' or 'tokens' is required.");
}

bool pve_pveum(struct pve_line *line)
{
	struct pveum pveum = {.line = line, .propagate = 1};
	const char *what = line->words[1], *does = line->n > 2 ? line->words[2] : "";
	if (!read_options(&pveum, 4))
		return false;
	pveum.adds = strcmp(does, "delete") != 0;
	if (strcmp(what, "role") == 0 && (strcmp(does, "add") == 0 || strcmp(does, "modify") == 0))
		return role(&pveum);
	if (strcmp(what, "acl") == 0 && (strcmp(does, "modify") == 0 || strcmp(does, "delete") == 0))
		return acl(&pveum);
	return pve_bad(line, "no such command: pveum %s %s", what, does);
}
