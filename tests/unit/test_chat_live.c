/*
 * The whole daemon on its threads, with a simulated Docker engine and a simulated Telegram in
 * processes of their own, over sockets: a person is told, asks, approves, orders. What is waited
 * for is polled for.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/http.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "cli/control.h"
#include "heal/heal.h"
#include "sim/docker.h"
#include "sim/telegram.h"

#define DEADLINE_MS 60000

static char folder[64];
static int port;
static pid_t children[2];

/* Before any thread is there. */
static pid_t start(int (*simulator)(int, char **), const char *const *argv, int out)
{
	int argc = 0;
	while (argv[argc] != NULL)
		argc++;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (out >= 0)
		dup2(out, STDOUT_FILENO);
	_exit(simulator(argc, (char **)(uintptr_t)argv));
}

static int start_all(void **state)
{
	(void)state;
	static char socket_path[128];
	const char *const docker[] = {"sim-docker", socket_path, "after 0 container redis policy=no",
		"after 0 container db policy=no label=homeostat.risk=medium", "after 2500 crash redis 1",
		"after 2500 crash db 2", NULL};
	const char *const telegram[] = {"sim-telegram", "0", "user 1001 Ada", NULL};
	char line[16] = "";
	int fds[2];
	STR_SET(folder, "/tmp/homeostat-chat-XXXXXX");
	assert_non_null(mkdtemp(folder));
	STR_FORMAT(socket_path, "%s/docker.sock", folder);
	assert_int_equal(pipe(fds), 0);
	children[0] = start(sim_docker_main, docker, -1);
	children[1] = start(sim_telegram_main, telegram, fds[1]);
	close(fds[1]);
	assert_true(read(fds[0], line, sizeof(line) - 1) > 0);
	close(fds[0]);
	port = atoi(line);
	return 0;
}

static int end_all(void **state)
{
	char command[100];
	(void)state;
	for (int i = 0; i < 2; i++) {
		kill(children[i], SIGTERM);
		waitpid(children[i], NULL, 0);
	}
	STR_FORMAT(command, "rm -rf '%s'", folder);
	return system(command);
}

/* The simulator's answer to POST /sim/WHAT; NULL: none. */
static const char *ask(struct http *http, const char *what, const char *body, struct arena *arena)
{
	struct http_reply reply;
	const struct http_request request = {.method = "POST",
		.path = arena_printf(arena, "/sim/%s", what),
		.body = body,
		.body_bytes = strlen(body)};
	return http_perform(http, &request, arena, &reply, NULL) && reply.status == 200 ? reply.body
																					: NULL;
}

static bool shows(struct http *http, const char *text)
{
	for (int waited = 0; waited < DEADLINE_MS; waited += 50) {
		auto_arena arena = arena_new((size_t)8 << 20);
		const char *chat = ask(http, "chat", "1001", arena);
		if (chat != NULL && strstr(chat, text) != NULL)
			return true;
		poll(NULL, 0, 50);
	}
	print_message("# the chat never showed: %s\n", text);
	return false;
}

static bool does(struct http *http, const char *line)
{
	auto_arena arena = arena_new((size_t)1 << 20);
	return ask(http, "script", line, arena) != NULL;
}

/* What the daemon says of its chat, for people and for Prometheus. */
static bool is_told_of(void)
{
	static const char *const wanted[][2] = {
		{"/metrics", "homeostat_notifications_total{channel=\"telegram\",outcome=\"delivered\"}"},
		{"/api/v1/health", "{\"name\":\"telegram\",\"reached\":true"},
	};
	char control[96];
	STR_FORMAT(control, "%s/c.sock", folder);
	for (int waited = 0; waited < DEADLINE_MS; waited += 100) {
		int found = 0;
		for (size_t i = 0; i < 2; i++) {
			auto_arena arena = arena_new((size_t)8 << 20);
			struct http_reply reply;
			found += control_call(control, wanted[i][0], NULL, arena, &reply, NULL) &&
				strstr(reply.body, wanted[i][1]) != NULL;
		}
		if (found == 2)
			return true;
		poll(NULL, 0, 100);
	}
	print_message("# the chat is not told of\n");
	return false;
}

/* What Ada does, and what she has to see for it. */
static void *person(void *arg)
{
	static const struct {
		const char *line, *shows;
	} steps[] = {
		{NULL, "Watching: docker:local"},
		{"says Ada 1001 /status", "📊 Status"},
		{NULL, "Result: ✅ Successfully restarted container 'redis'"},
		{NULL, "Should I proceed with this action?"},
		{"presses Ada 1001 \"✅ Approve\"", "✅ Approved by Ada"},
		{NULL, "🟢 Seen healthy"},
		{"says Ada 1001 \"/stop_container redis\"", "✅ Successfully stopped container 'redis'"},
		{"says Ada 1001 /health", "🏥 System Health Report"},
		{"says Ada 1001 /disable_autohealing", "🛑 Auto-Healing Disabled"},
	};
	bool *ok = arg;
	char url[40];
	STR_FORMAT(url, "http://127.0.0.1:%d", port);
	struct http *http = http_open(&(struct http_config){.base_url = url, .stop_fd = -1});
	*ok = true;
	for (size_t i = 0; *ok && i < sizeof(steps) / sizeof(steps[0]); i++)
		*ok = (steps[i].line == NULL || does(http, steps[i].line)) && shows(http, steps[i].shows);
	*ok = *ok && is_told_of();
	auto_arena arena = arena_new((size_t)1 << 20);
	const char *left = ask(http, "unanswered", "", arena),
			   *hasty = ask(http, "impatient", "", arena);
	*ok = *ok && str_equal(left, "0") && str_equal(hasty, "0");
	http_close(http);
	kill(getpid(), SIGTERM);
	return NULL;
}

static void the_daemon_and_a_phone_understand_each_other(void **state)
{
	char text[900];
	struct err err = {0};
	pthread_t thread;
	bool ok = false;
	(void)state;
	STR_FORMAT(text,
		"interval: 5s\nautohealing: true\nstate: %s/state\nlisten: none\ncontrol: %s/c.sock\n"
		"docker: [{ name: local, url: \"unix://%s/docker.sock\" }]\nbrakes: { settle: 1s }\n"
		"telegram: { token: \"" SIM_TG_TOKEN "\", chat: 1001, allowed_users: [1001],"
		" api_url: \"http://127.0.0.1:%d\" }\n",
		folder, folder, folder, port);
	struct config *config = config_parse("test", text, strlen(text), true, &err);
	if (config == NULL)
		fail_msg("%s", err.text);
	/* The signal is the daemon's to take, on whichever thread. */
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	assert_int_equal(pthread_create(&thread, NULL, person, &ok), 0);
	int code = daemon_run(
		&(struct daemon_options){.config = config, .limit_ms = 4 * DEADLINE_MS, .quiet = true});
	pthread_join(thread, NULL);
	config_free(config);
	assert_int_equal(code, 0);
	assert_true(ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_daemon_and_a_phone_understand_each_other),
	};
	secret_init();
	log_init(getenv("LAB_DEBUG") != NULL ? LOG_DEBUG : LOG_ERROR);
	http_global_init();
	int failed = cmocka_run_group_tests(tests, start_all, end_all);
	secret_done();
	return failed;
}
