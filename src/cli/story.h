/* One incident as a story, for `why` and `incidents ID`. */
#ifndef CLI_STORY_H
#define CLI_STORY_H

#include "cli/cli.h"

/* Of the incident that the first operand names; whole: with every step, and all times. */
int story(struct cli *cli, bool whole);
/* A state's colour: an escape sequence or "". */
const char *story_colour(const struct cli *cli, const char *state);

#endif
