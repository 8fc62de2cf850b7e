/*
 * The command line: options and operands by one table, a command by one function and one row of
 * commands.c. What a command prints goes to cli->out, every complaint to cli->complaints, so that
 * tests can read both. One thread.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* Which options a command takes, and which it was given. */
enum cli_option {
	CLI_CONFIG = 1 << 0,
	CLI_HELP = 1 << 1,
	CLI_JSON = 1 << 2,
	CLI_OPEN = 1 << 3,
	CLI_LIMIT = 1 << 4,
	CLI_VERIFY = 1 << 5,
	CLI_DOT = 1 << 6,
	CLI_FOR = 1 << 7,
	CLI_DEBUG = 1 << 8,
	CLI_QUIET = 1 << 9,
	CLI_VERSION = 1 << 10,
	CLI_FORCE = 1 << 11,
	CLI_WAIT = 1 << 12,
	CLI_CHAT = 1 << 13,
	CLI_NOTIFY = 1 << 14,
};

struct cli {
	const struct command *command;
	unsigned given;            /* of enum cli_option */
	const char *config_file;   /* of -c, else NULL */
	int64_t for_ms;            /* of --for, else 0 */
	int64_t wait_ms;           /* of --wait, else 0 */
	int64_t limit;             /* of --limit, else 0 */
	const char **operands;
	int operand_count;
	FILE *in, *out, *complaints;
	bool misconfigured;        /* what failed, failed by the configuration: CLI_USAGE */
	bool colour;               /* out is a terminal that wants colours */
	struct arena *arena;       /* for the whole call */
};

struct command {
	const char *name;
	const char *operands;      /* for the usage line: "[ID]", or "" */
	int operands_min, operands_max;
	unsigned options;          /* besides -c and --help, which all take */
	const char *summary;       /* one line */
	const char *detail;        /* more, for `help COMMAND`; or NULL */
	int (*run)(struct cli *cli);
};

/* Ended by a row without a name. */
extern const struct command commands[];
const struct command *command_find(const char *name);
/* "incidents [ID] [-c FILE] [--json]" */
void command_usage(const struct command *command, struct str *out);
/* The options that a command takes, one line each. */
void command_options(const struct command *command, FILE *out);

/* The whole program after main: the exit code. Strings of argv must live. */
int cli_main(int argc, const char *const *argv, FILE *in, FILE *out, FILE *complaints);

/* "homeostat: …" on complaints; returns the exit code given. */
int cli_fail(struct cli *cli, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A usage error: the same, with the command's usage below. */
int cli_usage(struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Reads an incident's number. False: it has complained. */
bool cli_number(struct cli *cli, const char *text, int64_t *number);

/* text when colours are wanted, else "": cli_colour(cli, "\033[1m"). */
const char *cli_colour(const struct cli *cli, const char *text);
#define CLI_BOLD "\033[1m"
#define CLI_DIM "\033[2m"
#define CLI_RED "\033[31m"
#define CLI_GREEN "\033[32m"
#define CLI_YELLOW "\033[33m"
#define CLI_PLAIN "\033[0m"

#define CLI_CONFIG_FILE "/etc/homeostat/homeostat.yaml"

int cmd_run(struct cli *cli);
int cmd_demo(struct cli *cli);
int cmd_check(struct cli *cli);
int cmd_mcp(struct cli *cli);
int cmd_status(struct cli *cli);
int cmd_health(struct cli *cli);
int cmd_incidents(struct cli *cli);
int cmd_why(struct cli *cli);
int cmd_approve(struct cli *cli);
int cmd_reject(struct cli *cli);
int cmd_retry(struct cli *cli);
int cmd_reset(struct cli *cli);
int cmd_mute(struct cli *cli);
int cmd_unmute(struct cli *cli);
int cmd_enable(struct cli *cli);
int cmd_disable(struct cli *cli);
int cmd_shadow(struct cli *cli);
int cmd_nodes(struct cli *cli);
int cmd_guests(struct cli *cli);
int cmd_backup(struct cli *cli);
int cmd_start(struct cli *cli);
int cmd_stop(struct cli *cli);
int cmd_restart(struct cli *cli);
int cmd_components(struct cli *cli);
int cmd_patterns(struct cli *cli);
int cmd_diagnose(struct cli *cli);
int cmd_audit(struct cli *cli);
int cmd_secret(struct cli *cli);
int cmd_sources(struct cli *cli);
int cmd_actions(struct cli *cli);
int cmd_config(struct cli *cli);
int cmd_life(struct cli *cli);
int cmd_version(struct cli *cli);
int cmd_help(struct cli *cli);

#endif
