/*
 * The table of sources: one line each.
 */
#include <stddef.h>

#include "watch/source.h"

extern const struct source docker_source;
extern const struct source host_source;
extern const struct source mcp_source;
extern const struct source probe_source;
extern const struct source proxmox_source;

const struct source *const sources[] = {
	&docker_source,
	&proxmox_source,
	&host_source,
	&mcp_source,
	&probe_source,
	NULL,
};
