/*
 * homeostat demo: the daemon itself, on a simulated homelab in child processes, with faults that
 * come by the clock. Everything lives in one temporary folder.
 */
#include "cli/demo.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "heal/heal.h"
#include "model/config.h"

#define DEFAULT_MS 60000
#define CHAT_MS 600000

struct demo {
	struct cli *cli;
	char folder[96], state[128], control[128];
	struct demo_lab lab;
	struct clock *clock;
	struct jobs *jobs;
	struct demo_person person;
	int64_t started_at;
};

static bool make_folder(struct demo *demo, struct err *err)
{
	const char *temporary = getenv("TMPDIR");
	if (temporary == NULL || temporary[0] != '/' || strlen(temporary) > 60)
		temporary = "/tmp";
	STR_FORMAT(demo->folder, "%s/homeostat-demo-XXXXXX", temporary);
	if (mkdtemp(demo->folder) == NULL) {
		err_set(err, ERR_SYSTEM, "%s: %s: set TMPDIR to a folder that can be written", demo->folder,
			strerror(errno));
		demo->folder[0] = '\0';
		return false;
	}
	STR_FORMAT(demo->state, "%s/state", demo->folder);
	STR_FORMAT(demo->control, "%s/control.sock", demo->folder);
	STR_FORMAT(demo->lab.engine, "%s/docker.sock", demo->folder);
	return true;
}

static struct config *make_config(const struct demo *demo, struct err *err)
{
	const char *text = arena_printf(demo->cli->arena,
		"interval: 5s\n"
		"autohealing: true\n"
		"state: %s\n"
		"listen: none\n"
		"control: %s\n"
		"proxmox:\n"
		"  - name: homelab\n"
		"    url: http://127.0.0.1:%d\n"
		"    token_id: " DEMO_TOKEN_ID "\n"
		"    token_secret: " DEMO_TOKEN_SECRET "\n"
		"    critical: [104]\n"
		"docker:\n"
		"  - name: demo\n"
		"    url: unix://%s\n"
		"telegram:\n"
		"  token: " DEMO_BOT_TOKEN "\n"
		"  chat: %d\n"
		"  allowed_users: [%d]\n"
		"  api_url: http://127.0.0.1:%d\n"
		"thresholds:\n"
		"  sustained: 3s\n"
		"brakes:\n"
		"  budget: 3 per 10m\n"
		"  backoff: 1s..4s\n"
		"  settle: 3s\n"
		"  unreachable: 3s\n",
		demo->state, demo->control, demo->lab.cluster_port, demo->lab.engine, DEMO_USER, DEMO_USER,
		demo->lab.phone_port);
	struct config *config = config_parse("demo", text, strlen(text), true, err);
	/* A token in clear text is worth a warning, but nobody's secret is in the demo. */
	if (config != NULL)
		config->warnings[0] = NULL;
	return config;
}

static void introduce(struct cli *cli, int64_t for_ms)
{
	const char *bold = cli_colour(cli, CLI_BOLD), *plain = cli_colour(cli, CLI_PLAIN);
	char span[32];
	str_duration(span, for_ms);
	fprintf(cli->out,
		"%shomeostat demo%s: a simulated homelab for %s. Nothing of this machine is touched:\n"
		"a Proxmox VE cluster of two nodes and twelve guests is simulated, and a Docker engine in\n"
		"one of them; all that is written goes to a temporary folder that is removed at the end.\n"
		"What watches and heals it is the real daemon. Ctrl-C ends early.\n\n"
		"What will happen:\n",
		bold, plain, span);
	for (int i = 0; i < demo_act_count && demo_acts[i].at_ms < for_ms; i++)
		fprintf(cli->out, "  after %2lld s  %s: %s\n", (long long)(demo_acts[i].at_ms / 1000),
			demo_acts[i].name, demo_acts[i].what);
	if ((cli->given & CLI_CHAT) != 0)
		fputs(
			"\nThis terminal is the phone: type /menu, /help or any command, press a button by its "
			"number.\n",
			cli->out);
	fputc('\n', cli->out);
	fflush(cli->out);
}

static int play(struct demo *demo, int64_t for_ms)
{
	struct err err = {0};
	demo->started_at = clock_wall_ms(demo->clock);
	struct config *config = NULL;
	if (!demo_lab_start(&demo->lab, demo->clock, &err) ||
		(config = make_config(demo, &err)) == NULL)
		return cli_fail(demo->cli, CLI_FAILED, "demo: %s", err.text);
	bool is_user = (demo->cli->given & CLI_CHAT) != 0;
	demo->person = (struct demo_person){.port = demo->lab.phone_port,
		.clock = demo->clock,
		.is_user = is_user,
		.stop_fd = jobs_stop_fd(demo->jobs),
		.colour = demo->cli->colour};
	jobs_thread(demo->jobs, "person", demo_person, &demo->person);
	int code = daemon_run(
		&(struct daemon_options){.config = config, .limit_ms = for_ms, .quiet = is_user});
	jobs_free(demo->jobs);
	demo->jobs = NULL;
	config_free(config);
	if (code != 0)
		return code;
	/* What becomes of it is the user's, where the user has the phone. */
	if (demo_report(demo->cli, demo->state, demo->started_at, &err) ||
		(is_user && err.kind == ERR_NONE))
		return CLI_DONE;
	if (err.kind != ERR_NONE)
		return cli_fail(demo->cli, CLI_FAILED, "demo: %s", err.text);
	return CLI_FAILED;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void clean_up(struct demo *demo)
{
	jobs_free(demo->jobs);
	demo_lab_end(&demo->lab);
	if (demo->folder[0] != '\0' && nftw(demo->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0)
		cli_fail(demo->cli, CLI_FAILED, "demo: %s could not be removed: %s", demo->folder,
			strerror(errno));
	clock_free(demo->clock);
}

/* From here on a signal is the daemon's to take; before and after it runs, it waits, so that
 * nothing is left behind. */
static void hold_signals(sigset_t *old)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, old);
}

int cmd_demo(struct cli *cli)
{
	struct demo demo = {.cli = cli,
		.lab = {.cluster_fd = -1, .phone_fd = -1},
		.clock = clock_new_real(),
		.jobs = jobs_new(JOBS_THREADS)};
	struct err err = {0};
	sigset_t old;
	int64_t for_ms = cli->for_ms > 0   ? cli->for_ms
		: (cli->given & CLI_CHAT) != 0 ? CHAT_MS
									   : DEFAULT_MS;
	log_init((cli->given & CLI_DEBUG) != 0 ? LOG_DEBUG : LOG_WARN);
	hold_signals(&old);
	introduce(cli, for_ms);
	int code = make_folder(&demo, &err) ? play(&demo, for_ms)
										: cli_fail(cli, CLI_FAILED, "demo: %s", err.text);
	clean_up(&demo);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return code;
}
