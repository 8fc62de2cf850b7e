/*
 * Proxmox's own description of its API, ../shared/data/pve/api-schema-9.2.json, judging
 * requests: strict about parameters, as the real server is. One thread at a time. Where the file is
 * absent nothing is judged, and who relies on it skips by name.
 */
#ifndef TESTS_PVE_SCHEMA_H
#define TESTS_PVE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/proxmox.h"

bool pve_schema_is_there(void);
/* Whether it is a valid request; false: text says what is wrong. Without the file: true. */
bool pve_schema_allows(const struct sim_pve_request *request, char *text, size_t size);
/* Judged so far. */
int pve_schema_judged(void);
void pve_schema_free(void);

#endif
