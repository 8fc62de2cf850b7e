/*
 * The table of sources: one line each.
 */
#include <stddef.h>

#include "watch/source.h"

extern const struct source docker_source;

const struct source *const sources[] = {
	&docker_source,
	NULL,
};
