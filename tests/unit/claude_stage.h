/*
 * The simulated API on a loopback port, on a thread of its own, and a client of it. The world is
 * touched under a lock: by the server's thread while it answers, by the test in between.
 */
#ifndef TESTS_CLAUDE_STAGE_H
#define TESTS_CLAUDE_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/http.h"
#include "base/redact.h"
#include "client/claude.h"
#include "sim/claude.h"

struct stage {
	struct clock *clock;
	struct sim_claude *sim;
	struct sim_service inner;
	struct sim_host *server;
	pthread_mutex_t lock;
	pthread_t thread;
	int stop_fd;
	char url[64];
	struct claude *claude;
	struct arena *arena;
	struct claude_answer answer;
	struct err err;
};

static inline void stage_handle(
	void *world, const struct sim_request *request, struct sim_reply *reply)
{
	struct stage *stage = world;
	pthread_mutex_lock(&stage->lock);
	sim_claude_handle(stage->sim, request, reply);
	pthread_mutex_unlock(&stage->lock);
}

static inline void *stage_serve(void *arg)
{
	struct stage *stage = arg;
	sim_host_run(stage->server, stage->stop_fd);
	return NULL;
}

static inline int stage_setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct err err = {0};
	http_global_init();
	stage->clock = clock_new_real();
	stage->sim = sim_claude_new(stage->clock);
	stage->inner = sim_claude_service(stage->sim);
	stage->inner.world = stage;
	stage->inner.handle = stage_handle;
	stage->server = sim_host_open(&stage->inner, "0", NULL, &err);
	if (stage->server == NULL)
		fail_msg("%s", err.text);
	stage->stop_fd = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&stage->lock, NULL);
	pthread_create(&stage->thread, NULL, stage_serve, stage);
	snprintf(stage->url, sizeof(stage->url), "http://127.0.0.1:%d", sim_host_port(stage->server));
	stage->arena = arena_new((size_t)64 << 20);
	*state = stage;
	return 0;
}

static inline int stage_teardown(void **state)
{
	struct stage *stage = *state;
	claude_close(stage->claude);
	eventfd_write(stage->stop_fd, 1);
	pthread_join(stage->thread, NULL);
	sim_host_close(stage->server);
	sim_claude_free(stage->sim);
	clock_free(stage->clock);
	arena_free(stage->arena);
	pthread_mutex_destroy(&stage->lock);
	close(stage->stop_fd);
	free(stage);
	redact_reset();
	return 0;
}

static inline void stage_open(struct stage *stage, struct claude_config config)
{
	struct err err = {0};
	claude_close(stage->claude);
	if (config.api_url == NULL)
		config.api_url = stage->url;
	if (config.model == NULL)
		config.model = config.dialect == CLAUDE_OPENAI ? "qwen3:8b" : "claude-sonnet-5-5";
	if (config.api_key == NULL)
		config.api_key = SIM_CLAUDE_KEY;
	if (config.backoff_ms == 0)
		config.backoff_ms = 5;
	stage->claude = claude_open(&config, stage->clock, -1, &err);
	if (stage->claude == NULL)
		fail_msg("%s", err.text);
}

static inline void play(struct stage *stage, const char *line)
{
	char text[200];
	pthread_mutex_lock(&stage->lock);
	bool ok = sim_claude_script(stage->sim, line, text, sizeof(text));
	pthread_mutex_unlock(&stage->lock);
	if (!ok)
		fail_msg("%s", text);
}

/* In the arena; the last body that the server was sent. */
static inline const char *last_body(struct stage *stage)
{
	pthread_mutex_lock(&stage->lock);
	const char *body = arena_strdup(stage->arena, sim_claude_body(stage->sim));
	pthread_mutex_unlock(&stage->lock);
	return body;
}

static inline int requests(struct stage *stage)
{
	pthread_mutex_lock(&stage->lock);
	int n = sim_claude_requests(stage->sim);
	pthread_mutex_unlock(&stage->lock);
	return n;
}

static inline bool ask(struct stage *stage, struct claude_question question)
{
	if (question.user == NULL)
		question.user = "Why did it crash?";
	if (stage->claude == NULL)
		stage_open(stage, (struct claude_config){0});
	stage->err = (struct err){0};
	return claude_ask(stage->claude, &question, stage->arena, &stage->answer, &stage->err);
}

static inline void must(struct stage *stage, bool ok)
{
	if (!ok)
		fail_msg("%s: %s", claude_outcome_name(stage->answer.outcome), stage->err.text);
}

static inline void must_fail(struct stage *stage, bool ok, enum claude_outcome outcome)
{
	if (ok || stage->answer.outcome != outcome)
		fail_msg("%s, not %s: %s", claude_outcome_name(stage->answer.outcome),
			claude_outcome_name(outcome), stage->err.text);
	assert_int_not_equal(stage->err.kind, ERR_NONE);
	assert_null(strstr(stage->err.text, SIM_CLAUDE_KEY));
}

#define VERDICT_SCHEMA \
	"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"cause\",\"action\"]," \
	"\"properties\":{\"cause\":{\"type\":\"string\"},\"action\":{\"type\":\"string\"," \
	"\"enum\":[\"none\",\"docker.container.restart\"]},\"sure\":{\"type\":\"number\"}}}"

#endif
