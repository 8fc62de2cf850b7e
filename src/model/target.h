/*
 * What a person means by a name: a guest's number or name, a container's name or a component's,
 * among the components that are known. For every channel that takes orders. Pure.
 */
#ifndef MODEL_TARGET_H
#define MODEL_TARGET_H

#include <stddef.h>

#include "model/component.h"

struct target {
	const char *name;   /* "lxc_104", "docker_container_redis@nas" */
	const char *label;  /* what its own system calls it: "redis" */
	const char *source; /* "docker:nas" */
	enum component_kind kind;
};

/* The one that text names, of guests and containers: by its component's name, else by its number or
 * label, else by the label in another case. -1: none or several; why: what is meant perhaps. */
int target_find(
	const struct target *targets, int count, const char *text, char *why, size_t size);

#endif
