/* The dead man's switch: called while the core works, silent when it does not; its address stays
 * secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/http.h"
#include "base/mailbox.h"
#include "base/secret.h"
#include "base/str.h"
#include "model/config.h"
#include "model/request.h"
#include "report/report.h"
#include "tests/unit/play.h"

/* A core that answers each question with the same status. */
struct core {
	struct mailbox *inbox;
	pthread_t thread;
	struct answer answer;
};

struct stage {
	struct play play;
	struct core core;
	struct config *config;
	struct clock *clock;
	struct heartbeat *heartbeat;
	struct err err;
	char url[128];
	int stop_fd;
};

static void *core_main(void *arg)
{
	struct core *core = arg;
	struct mail *mail;
	while ((mail = mailbox_receive(core->inbox, -1)) != NULL) {
		const struct request *request = mail->body;
		struct arena *arena = arena_new(sizeof(struct answer) + 4096);
		struct answer *answer = ARENA_NEW(arena, struct answer);
		*answer = core->answer;
		mailbox_offer(request->answer, MAIL_REQUEST, &arena, answer);
		mail_free(mail);
	}
	return NULL;
}

static void stage_open(struct stage *stage, const struct act *acts, size_t count)
{
	char yaml[400];
	*stage = (struct stage){.core.answer.ok = true};
	play_tcp(&stage->play, NULL, acts, count);
	STR_FORMAT(stage->url, "http://127.0.0.1:%d/ping/0e1f2a3b-secret", stage->play.port);
	setenv("HEARTBEAT_URL", stage->url, 1);
	STR_SET(yaml, "docker: [{name: local}]\nheartbeat: {url: env:HEARTBEAT_URL, every: 10s}\n");
	stage->config = config_parse("f.yaml", yaml, strlen(yaml), false, &stage->err);
	assert_non_null(stage->config);
	stage->clock = clock_new_real();
	stage->stop_fd = eventfd(0, EFD_CLOEXEC);
	stage->core.inbox = mailbox_new(4);
	pthread_create(&stage->core.thread, NULL, core_main, &stage->core);
	stage->heartbeat = heartbeat_new(
		stage->config, stage->clock, stage->core.inbox, stage->stop_fd, &stage->err);
	assert_non_null(stage->heartbeat);
}

static void stage_close(struct stage *stage)
{
	heartbeat_close(stage->heartbeat);
	mailbox_close(stage->core.inbox);
	pthread_join(stage->core.thread, NULL);
	heartbeat_free(stage->heartbeat);
	mailbox_free(stage->core.inbox);
	play_stop(&stage->play);
	clock_free(stage->clock);
	config_free(stage->config);
	close(stage->stop_fd);
}

static const struct act fine = {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"};

static void it_is_called_while_the_core_works(void **state)
{
	(void)state;
	struct stage stage;
	stage_open(&stage, &fine, 1);
	assert_true(heartbeat_step(stage.heartbeat));
	assert_true(heartbeat_step(stage.heartbeat));
	assert_int_equal(atomic_load(&stage.play.requests), 2);
	assert_true(str_starts(stage.play.first, "GET /ping/0e1f2a3b-secret HTTP/1.1\r\n"));
	stage_close(&stage);
}

static void a_core_that_cannot_record_is_not_alive(void **state)
{
	(void)state;
	struct stage stage;
	stage_open(&stage, &fine, 1);
	STR_SET(stage.core.answer.core.trouble, "the disk is full");
	assert_false(heartbeat_step(stage.heartbeat));
	assert_int_equal(atomic_load(&stage.play.requests), 0);
	stage.core.answer.core.trouble[0] = '\0';
	assert_true(heartbeat_step(stage.heartbeat));
	stage_close(&stage);
}

static void a_refusal_counts_as_not_heard(void **state)
{
	(void)state;
	static const struct act gone = {.bytes = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"};
	struct stage stage;
	stage_open(&stage, &gone, 1);
	assert_false(heartbeat_step(stage.heartbeat));
	assert_int_equal(atomic_load(&stage.play.requests), 1);
	stage_close(&stage);
}

/* What is written to the log, with the address in the error. */
static void its_address_is_not_logged(void **state)
{
	(void)state;
	struct stage stage;
	char path[] = "/tmp/heartbeat-log.XXXXXX", log[4096] = "";
	stage_open(&stage, &fine, 1);
	play_stop(&stage.play); /* refused from now on */
	int fd = mkstemp(path), kept = dup(2);
	assert_true(fd >= 0 && kept >= 0);
	dup2(fd, 2);
	bool heard = heartbeat_step(stage.heartbeat);
	fflush(stderr);
	dup2(kept, 2);
	ssize_t n = pread(fd, log, sizeof(log) - 1, 0);
	close(fd);
	close(kept);
	unlink(path);
	assert_false(heard);
	assert_true(n > 0);
	assert_non_null(strstr(log, "heartbeat: "));
	assert_null(strstr(log, "0e1f2a3b"));
	play_tcp(&stage.play, NULL, &fine, 1);
	stage_close(&stage);
}

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	struct stage stage;
	stage_open(&stage, &fine, 1);
	setenv("HEARTBEAT_URL", "hc-ping.com/x", 1);
	assert_null(
		heartbeat_new(stage.config, stage.clock, stage.core.inbox, stage.stop_fd, &stage.err));
	assert_non_null(strstr(stage.err.text, "must begin with https://"));
	stage_close(&stage);
}

int main(void)
{
	http_global_init();
	secret_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_called_while_the_core_works),
		cmocka_unit_test(a_core_that_cannot_record_is_not_alive),
		cmocka_unit_test(a_refusal_counts_as_not_heard),
		cmocka_unit_test(its_address_is_not_logged),
		cmocka_unit_test(what_is_no_address_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
