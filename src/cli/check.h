/*
 * homeostat check, for its files: what is found is noted, a line each, as words or as JSON.
 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "model/config.h"

struct check {
	struct cli *cli;
	const struct config *config;
	const struct clock *clock;
	struct json_out json;
	bool wrong;
};

void check_note(struct check *check, bool ok, const char *what, const char *text);

/* check_channels.c: Telegram and the others; with --notify each gets a message. */
void check_channels(struct check *check);

#endif
