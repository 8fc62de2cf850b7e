/*
 * homeostat demo: the daemon itself, on a simulated Docker engine in a child process, with faults
 * that come by the clock. Everything lives in one temporary folder.
 */
#include "cli/demo.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/spawn.h"
#include "base/str.h"
#include "cli/control.h"
#include "heal/heal.h"
#include "model/config.h"

#define DEFAULT_MS 60000
#define ENGINE_START_MS 5000
#define ENGINE_END_MS 2000

const struct demo_act demo_acts[] = {
	{"docker_container_redis", 4000, "crashed (exit code 1)", DEMO_HEALED},
	{"docker_container_nginx", 10000, "its health check failed", DEMO_HEALED},
	{"docker_container_postgres", 17000, "crashed; its label says MEDIUM risk", DEMO_APPROVED},
	{"docker_container_importer", 25000, "crashes again after every start", DEMO_ESCALATED},
	{"docker_container_jellyfin", 29000, "stopped by a person", DEMO_UNTOUCHED},
	{"docker_daemon", 37000, "did not answer for 5 s", DEMO_RETURNED},
	{"docker_container_grafana", 50000, "killed for want of memory", DEMO_HEALED},
};
const int demo_act_count = sizeof(demo_acts) / sizeof(demo_acts[0]);

const char *demo_name(const struct demo_act *act)
{
	static const char prefix[] = "docker_container_";
	return str_starts(act->component, prefix) ? act->component + sizeof(prefix) - 1
											  : "the Docker engine";
}

/* What the engine is told to play: its containers, then what happens to them and when. */
static const char *const script[] = {
	"after 0 container redis policy=no",
	"after 0 container nginx policy=no health",
	"after 0 container postgres policy=no label=homeostat.risk=medium",
	"after 0 container jellyfin policy=no",
	"after 0 container grafana policy=no",
	"after 4000 crash redis 1",
	"after 10000 sick nginx",
	"after 17000 crash postgres 2",
	"after 25000 container importer policy=no loop=600:3",
	"after 29000 stop jellyfin",
	"after 37000 engine down",
	"after 42000 engine up",
	"after 50000 oom grafana",
};

#define SCRIPT_LINES (sizeof(script) / sizeof(script[0]))

struct demo {
	struct cli *cli;
	char folder[96], state[128], control[128], engine[128];
	pid_t engine_pid;
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
	STR_FORMAT(demo->engine, "%s/docker.sock", demo->folder);
	return true;
}

static bool engine_answers(const struct demo *demo)
{
	auto_arena arena = arena_new(1 << 20);
	struct http_reply reply;
	struct err err = {0};
	return control_call(demo->engine, "/_ping", NULL, arena, &reply, &err);
}

static bool start_engine(struct demo *demo, struct err *err)
{
	const char *argv[3 + SCRIPT_LINES + 1] = {"/proc/self/exe", "sim-docker", demo->engine};
	for (size_t i = 0; i < SCRIPT_LINES; i++)
		argv[3 + i] = script[i];
	demo->started_at = clock_wall_ms(demo->clock);
	if (!spawn_start(argv, &demo->engine_pid, err))
		return false;
	for (int waited = 0; !engine_answers(demo); waited += 20) {
		if (waited >= ENGINE_START_MS)
			return err_set(err, ERR_TIMEOUT, "the simulated engine did not start within %d s",
				ENGINE_START_MS / 1000);
		clock_wait(demo->clock, 20, -1);
	}
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
		"docker:\n"
		"  - name: demo\n"
		"    url: unix://%s\n"
		"brakes:\n"
		"  budget: 3 per 10m\n"
		"  backoff: 1s..4s\n"
		"  settle: 3s\n"
		"  unreachable: 3s\n",
		demo->state, demo->control, demo->engine);
	return config_parse("demo", text, strlen(text), true, err);
}

static void introduce(struct cli *cli, int64_t for_ms)
{
	const char *bold = cli_colour(cli, CLI_BOLD), *plain = cli_colour(cli, CLI_PLAIN);
	char span[32];
	str_duration(span, for_ms);
	fprintf(cli->out,
		"%shomeostat demo%s: a simulated homelab for %s. Nothing of this machine is touched:\n"
		"the Docker engine is simulated, and all that is written goes to a temporary folder that\n"
		"is removed at the end. What watches and heals it is the real daemon. Ctrl-C ends "
		"early.\n\n"
		"What will happen:\n",
		bold, plain, span);
	for (int i = 0; i < demo_act_count && demo_acts[i].at_ms < for_ms; i++)
		fprintf(cli->out, "  after %2lld s  %s: %s\n", (long long)(demo_acts[i].at_ms / 1000),
			demo_name(&demo_acts[i]), demo_acts[i].what);
	fputc('\n', cli->out);
	fflush(cli->out);
}

static int play(struct demo *demo, int64_t for_ms)
{
	struct err err = {0};
	struct config *config = make_config(demo, &err);
	if (config == NULL || !start_engine(demo, &err)) {
		config_free(config);
		return cli_fail(demo->cli, CLI_FAILED, "demo: %s", err.text);
	}
	demo->person = (struct demo_person){.socket = demo->control,
		.clock = demo->clock,
		.stop_fd = jobs_stop_fd(demo->jobs),
		.colour = demo->cli->colour};
	jobs_thread(demo->jobs, "person", demo_person, &demo->person);
	int code = daemon_run(&(struct daemon_options){.config = config, .limit_ms = for_ms});
	jobs_free(demo->jobs);
	demo->jobs = NULL;
	config_free(config);
	if (code != 0)
		return code;
	if (demo_report(demo->cli, demo->state, demo->started_at, &err))
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
	spawn_end(demo->engine_pid, ENGINE_END_MS);
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
	struct demo demo = {.cli = cli, .clock = clock_new_real(), .jobs = jobs_new(JOBS_THREADS)};
	struct err err = {0};
	sigset_t old;
	int64_t for_ms = cli->for_ms > 0 ? cli->for_ms : DEFAULT_MS;
	log_init((cli->given & CLI_DEBUG) != 0 ? LOG_DEBUG : LOG_WARN);
	hold_signals(&old);
	introduce(cli, for_ms);
	int code = make_folder(&demo, &err) ? play(&demo, for_ms)
										: cli_fail(cli, CLI_FAILED, "demo: %s", err.text);
	clean_up(&demo);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return code;
}
