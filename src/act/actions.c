/*
 * The table of actions: one line each.
 */
#include <stddef.h>
#include <string.h>

#include "act/act.h"

extern const struct action docker_restart, docker_stop;

const struct action *const actions[] = {
	&docker_restart,
	&docker_stop,
	NULL,
};

const struct action *action_find(const char *name)
{
	for (int i = 0; actions[i] != NULL; i++)
		if (strcmp(actions[i]->info.name, name) == 0)
			return actions[i];
	return NULL;
}
