/*
 * A client before the simulated Telegram, which runs in a process of its own on a port of 127.0.0.1
 * and is told by POST /sim/… what happens. Ends by pid.
 */
#ifndef TESTS_TELEGRAM_STAGE_H
#define TESTS_TELEGRAM_STAGE_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/http.h"
#include "base/str.h"
#include "client/telegram.h"
#include "sim/telegram.h"

#define ADA 42
#define LAB (-100)
#define FORUM (-1001234567890)

struct tg_stage {
	pid_t pid;
	char url[64];
	int stop_fd;
	struct http *control;
	struct telegram *telegram;
	struct telegram_result result;
	struct arena *arena;
	struct err err;
};

static inline pid_t tg_stage_fork(int *port)
{
	int pipes[2];
	char text[16] = "";
	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char name[] = "sim-telegram", where[] = "0", ada[] = "user 42 Ada username=ada",
			 bob[] = "user 43 Bob", lab[] = "chat -100 group Lab",
			 forum[] = "chat -1001234567890 supergroup Forum forum",
			 topic[] = "topic Forum 7 Alerts", rates[] = "rates off";
		char *argv[] = {name, where, ada, bob, lab, forum, topic, rates, NULL};
		dup2(pipes[1], STDOUT_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		_exit(sim_telegram_main(8, argv));
	}
	close(pipes[1]);
	for (size_t n = 0; n < sizeof(text) - 1 && strchr(text, '\n') == NULL; n++)
		if (read(pipes[0], text + n, 1) != 1)
			break;
	close(pipes[0]);
	*port = (int)strtol(text, NULL, 10);
	assert_true(*port > 0);
	return pid;
}

static inline void tg_stage_open(struct tg_stage *stage)
{
	int port;
	*stage = (struct tg_stage){0};
	stage->pid = tg_stage_fork(&port);
	snprintf(stage->url, sizeof(stage->url), "http://127.0.0.1:%d", port);
	stage->stop_fd = eventfd(0, EFD_CLOEXEC);
	stage->arena = arena_new((size_t)64 << 20);
	const struct http_config http = {.base_url = stage->url, .stop_fd = -1};
	stage->control = http_open(&http);
	const struct telegram_config config = {
		.token = SIM_TG_TOKEN, .api_url = stage->url, .chat = ADA};
	stage->telegram = telegram_open(&config, stage->stop_fd, &stage->err);
	if (stage->telegram == NULL)
		fail_msg("%s", stage->err.text);
}

static inline void tg_stage_close(struct tg_stage *stage)
{
	int status = -1;
	telegram_close(stage->telegram);
	http_close(stage->control);
	arena_free(stage->arena);
	close(stage->stop_fd);
	kill(stage->pid, SIGTERM);
	assert_int_equal(waitpid(stage->pid, &status, 0), stage->pid);
	assert_int_equal(status, 0);
}

/* What the simulator says to /sim/WHAT. */
static inline const char *tg_stage_ask(struct tg_stage *stage, const char *what, const char *body)
{
	static const char *const plain[] = {"Content-Type: text/plain", NULL};
	struct http_reply reply;
	struct err err = {0};
	char path[40];
	snprintf(path, sizeof(path), "/sim/%s", what);
	const struct http_request request = {.method = "POST",
		.path = path,
		.body = body,
		.body_bytes = strlen(body),
		.headers = plain};
	if (!http_perform(stage->control, &request, stage->arena, &reply, &err))
		fail_msg("%s", err.text);
	if (reply.status != 200)
		fail_msg("%s %s: %s", what, body, reply.body);
	return reply.body;
}

static inline void tg_stage_script(struct tg_stage *stage, const char *line)
{
	tg_stage_ask(stage, "script", line);
}

static inline int tg_stage_count(struct tg_stage *stage, const char *what, const char *pattern)
{
	return (int)strtol(tg_stage_ask(stage, what, pattern), NULL, 10);
}

#endif
