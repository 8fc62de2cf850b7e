/*
 * What the files of `homeostat demo` share: its cast (what happens to whom, when, and how that
 * should end), its simulated homelab, its pretended person, its closing table.
 */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include <sys/types.h>

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
	const char *name;       /* for people: "redis" */
	const char *component;  /* "docker_container_redis" */
	int64_t at_ms;          /* after the start */
	int64_t takes_ms;       /* until its end at the latest; an end that comes later is no fault */
	const char *what;       /* for people */
	enum demo_end end;
	const char *done;       /* what homeostat does about it, when all goes well; NULL: by end */
};

extern const struct demo_act demo_acts[];
extern const int demo_act_count;

/* The simulated homelab: a cluster of Proxmox VE, a Docker engine and Telegram, each a child
 * process. Ada, who has a phone there, is allowed to command. */
#define DEMO_BOT_TOKEN "123456789:AAF-simulated_token_of_no_real_bot"
#define DEMO_USER 1001
#define DEMO_TOKEN_ID "homeostat@pve!demo"
#define DEMO_TOKEN_SECRET "a-secret-of-the-demo-only"
struct demo_lab {
	char engine[128];       /* path of its socket: given by who starts it */
	int cluster_port, phone_port; /* on 127.0.0.1 */
	int cluster_fd, phone_fd;     /* -1: none; what it says */
	pid_t engine_pid, cluster_pid, phone_pid;
};
/* All answer. On an error end it all the same. */
bool demo_lab_start(struct demo_lab *lab, const struct clock *clock, struct err *err);
void demo_lab_end(struct demo_lab *lab);

/* The phone: prints the chat as it unfolds; approves what homeostat asks for, some seconds later,
 * or, with is_user, does what is typed. Started on a thread of jobs; ends when they are asked to
 * stop. The struct must live as long. */
struct demo_person {
	int port;
	int stop_fd;
	const struct clock *clock;
	bool colour, is_user;
};
void *demo_person(void *person);

/* Prints what was seen and done since the engine was started. False: something that should have
 * been healed was not. */
bool demo_report(struct cli *cli, const char *state, int64_t started_at, struct err *err);

#endif
