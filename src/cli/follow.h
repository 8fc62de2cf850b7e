/*
 * What becomes of an order, shown as it happens. Asks the daemon over its control socket; one
 * thread.
 */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "cli/cli.h"

/* Until the incident is over, or limit_ms: the exit code. With --json only its end is printed. */
int follow(struct cli *cli, int64_t incident_id, int64_t limit_ms);

#endif
