/*
 * What the files of `homeostat demo` share: its cast (what happens to whom, when, and how that
 * should end), its pretended person, its closing table.
 */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "base/clock.h"
#include "base/job.h"
#include "cli/cli.h"

enum demo_end {
	DEMO_HEALED,     /* by homeostat */
	DEMO_APPROVED,   /* by homeostat, after a person's yes */
	DEMO_ESCALATED,  /* given up, told */
	DEMO_UNTOUCHED,  /* nothing may be done */
	DEMO_RETURNED,   /* told, and came back by itself */
};

struct demo_act {
	const char *component;  /* "docker_container_redis" */
	int64_t at_ms;          /* after the start */
	const char *what;       /* for people */
	enum demo_end end;
};

extern const struct demo_act demo_acts[];
extern const int demo_act_count;
/* "redis", "the Docker engine" */
const char *demo_name(const struct demo_act *act);

/* Answers what homeostat asks for, some seconds later, through the control socket. Started on a
 * thread of jobs; ends when they are asked to stop. The struct must live as long. */
struct demo_person {
	const char *socket;
	int stop_fd;
	const struct clock *clock;
	bool colour;
};
void *demo_person(void *person);

/* Prints what was seen and done since the engine was started. False: something that should have
 * been healed was not. */
bool demo_report(struct cli *cli, const char *state, int64_t started_at, struct err *err);

#endif
