#include "client/docker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/http.h"
#include "client/ssh.h"
#include "play.h"

#include <sys/stat.h>

#define VERSION \
	"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"Platform\":{\"Name\":\"\"}," \
	"\"Components\":[{\"Name\":\"Engine\"}],\"Version\":\"20.10.24\",\"ApiVersion\":\"1.41\"," \
	"\"MinAPIVersion\":\"1.12\"}"
#define REPLY(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct stage {
	struct play play;
	struct docker *docker;
	struct arena *arena;
	struct err err;
	char url[128];
};

static void stage_open(struct stage *stage, const struct act *acts, size_t count)
{
	*stage = (struct stage){0};
	play_unix(&stage->play, acts, count);
	snprintf(stage->url, sizeof(stage->url), "unix://%s", stage->play.path);
	const struct config_docker config = {.name = "local", .url = stage->url};
	stage->arena = arena_new(16 << 20);
	stage->docker = docker_open(&config, -1, &stage->err);
	assert_non_null(stage->docker);
}

static void stage_close(struct stage *stage)
{
	docker_close(stage->docker);
	play_stop(&stage->play);
	arena_free(stage->arena);
}

static void assert_text(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static void urls_are_checked_before_anything_is_done(void **state)
{
	static const struct {
		const char *url, *text; /* NULL: good */
	} cases[] = {
		{"unix:///var/run/docker.sock", NULL},
		{"https://host:2376/", NULL},
		{"http://127.0.0.1:2375", NULL},
		{"ssh://root@nas", NULL},
		{"ssh://nas:2222", NULL},
		{"ssh://root@[fe80::1%eth0]:22", NULL},
		{"ssh://-oProxyCommand=x", "is not ssh://"},
		{"ssh://a@-l", "is not ssh://"},
		{"ssh://root@nas:ssh", "is not ssh://"},
		{"ssh://", "is not ssh://"},
		{"ssh://nas/path", "is not ssh://"},
		{"tcp://nas:2375", "write https://nas:2375"},
		{"http://nas:2375", "use https://"},
		{"unix://relative", "is not unix:///PATH"},
		{"nas", "is not unix:///PATH"},
		{"", "is not unix:///PATH"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = {0};
		const struct config_docker config = {.name = "x", .url = cases[i].url};
		struct docker *docker = docker_open(&config, -1, &err);
		if ((docker != NULL) != (cases[i].text == NULL))
			fail_msg("%s: %s", cases[i].url, err.text);
		if (cases[i].text != NULL)
			assert_text(err.text, cases[i].text);
		docker_close(docker);
	}
	struct err err = {0};
	const struct config_docker pinned = {.name = "x", .url = "https://h", .fingerprint = "AB:CD"};
	assert_null(docker_open(&pinned, -1, &err));
	assert_text(err.text, "docker x: fingerprint \"AB:CD\" is not 32 bytes");
}

static void version_is_negotiated_once(void **state)
{
	const struct act acts[] = {{.bytes = VERSION}, {.bytes = REPLY("200 OK", "[1]")}};
	struct stage stage;
	struct json body;
	stage_open(&stage, acts, 2);
	assert_true(docker_get(stage.docker, "/containers/json", 1000, stage.arena, &body, &stage.err));
	assert_int_equal(json_count(body), 1);
	assert_true(docker_get(stage.docker, "/containers/json", 1000, stage.arena, &body, &stage.err));
	assert_int_equal(atomic_load(&stage.play.requests), 3);
	stage_close(&stage);
}

static void version_is(const char *reply, const char *api, const char *text)
{
	const struct act act = {.bytes = reply};
	struct stage stage;
	struct docker_version version;
	stage_open(&stage, &act, 1);
	bool ok = docker_version(stage.docker, &version, &stage.err);
	if (api != NULL) {
		assert_true(ok);
		assert_string_equal(version.api, api);
	} else {
		assert_false(ok);
		assert_int_equal(stage.err.kind, ERR_INPUT);
		assert_text(stage.err.text, text);
	}
	stage_close(&stage);
}

static void version_is_the_newest_that_both_know(void **state)
{
	version_is(VERSION, "1.41", NULL);
	version_is(
		REPLY("200 OK", "{\"ApiVersion\":\"1.60\",\"MinAPIVersion\":\"1.44\"}"), "1.51", NULL);
	version_is(REPLY("200 OK", "{\"Version\":\"19.03\",\"ApiVersion\":\"1.40\"}"), NULL,
		"engine 19.03 speaks API 1.40; homeostat needs 1.41");
	version_is(REPLY("200 OK",
				   "{\"Version\":\"99\",\"ApiVersion\":\"1.99\",\"MinAPIVersion\":"
				   "\"1.52\"}"),
		NULL, "upgrade homeostat");
	version_is(REPLY("200 OK", "{}"), NULL, "is this a Docker engine?");
	version_is(REPLY("200 OK", "<html>"), NULL, "docker local: GET /version: ");
}

static void refusals_carry_the_engines_words(void **state)
{
	static const struct {
		const char *status;
		enum err_kind kind;
	} cases[] = {{"404 Not Found", ERR_GONE}, {"403 Forbidden", ERR_DENIED},
		{"401 Unauthorized", ERR_DENIED}, {"400 Bad Request", ERR_INPUT},
		{"409 Conflict", ERR_RETRY}, {"500 Internal Server Error", ERR_RETRY},
		{"301 Moved", ERR_INPUT}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char reply[200];
		snprintf(reply, sizeof(reply), REPLY("%s", "{\"message\":\"No such container: x\"}"),
			cases[i].status);
		const struct act acts[] = {{.bytes = VERSION}, {.bytes = reply}};
		struct stage stage;
		stage_open(&stage, acts, 2);
		assert_false(docker_post(stage.docker, "/containers/x/restart", 1000, NULL, &stage.err));
		assert_int_equal(stage.err.kind, cases[i].kind);
		assert_text(stage.err.text,
			"docker local: POST /v1.41/containers/x/restart: No such container: x (");
		assert_text(stage.err.text, cases[i].status);
		stage_close(&stage);
	}
}

static void post_tells_done_from_already_so(void **state)
{
	const struct act acts[] = {{.bytes = VERSION},
		{.bytes = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"},
		{.bytes = "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"}};
	struct stage stage;
	int status = 0;
	stage_open(&stage, acts, 3);
	assert_true(docker_post(stage.docker, "/containers/x/start", 1000, &status, &stage.err));
	assert_int_equal(status, 204);
	assert_true(docker_post(stage.docker, "/containers/x/start", 1000, &status, &stage.err));
	assert_int_equal(status, 304);
	stage_close(&stage);
}

static void engine_that_was_exchanged_is_asked_for_its_version_again(void **state)
{
	const struct act acts[] = {
		{.bytes = VERSION}, {.bytes = ""}, {.bytes = VERSION}, {.bytes = REPLY("200 OK", "{}")}};
	struct stage stage;
	struct json body;
	stage_open(&stage, acts, COUNT(acts));
	assert_false(docker_get(stage.docker, "/info", 1000, stage.arena, &body, &stage.err));
	assert_int_equal(stage.err.kind, ERR_RETRY);
	assert_true(docker_get(stage.docker, "/info", 1000, stage.arena, &body, &stage.err));
	assert_int_equal(atomic_load(&stage.play.requests), 4);
	stage_close(&stage);
}

static void inspect_reads_a_container(void **state)
{
	const struct act acts[] = {{.bytes = VERSION},
		{.bytes = REPLY("200 OK",
			 "{\"Id\":\"abc\",\"Name\":\"/"
			 "redis\",\"RestartCount\":3,\"State\":{\"Status\":\"exited\","
			 "\"ExitCode\":137,\"OOMKilled\":true,\"Pid\":0,\"Error\":\"boom\","
			 "\"StartedAt\":\"2026-11-23T10:00:00.5Z\",\"FinishedAt\":\"0001-01-01T00:00:00Z\","
			 "\"Health\":{\"Status\":\"unhealthy\",\"Log\":[{\"Output\":\"old\"},{\"Output\":"
			 "\"new\"}]}},"
			 "\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":4}},"
			 "\"Config\":{\"Image\":\"redis:7\",\"StopSignal\":\"SIGINT\",\"Labels\":{\"a.b\":"
			 "\"c\"}}}")},
		{.bytes = REPLY("200 OK", "{\"Name\":\"/redis\"}")}};
	struct stage stage;
	struct docker_container c;
	stage_open(&stage, acts, COUNT(acts));
	assert_true(docker_inspect(stage.docker, "re/dis", stage.arena, &c, &stage.err));
	assert_string_equal(c.id, "abc");
	assert_string_equal(c.name, "redis");
	assert_string_equal(c.status, "exited");
	assert_string_equal(c.health, "unhealthy");
	assert_string_equal(c.health_output, "new");
	assert_string_equal(c.error, "boom");
	assert_string_equal(c.policy, "on-failure");
	assert_string_equal(c.stop_signal, "SIGINT");
	assert_string_equal(c.image, "redis:7");
	assert_int_equal(c.exit_code, 137);
	assert_int_equal(c.restart_count, 3);
	assert_int_equal(c.max_retries, 4);
	assert_true(c.oom_killed);
	assert_true(c.started_at % 1000 == 500 && c.started_at > 1700000000000);
	assert_int_equal(c.finished_at, 0);
	assert_string_equal(json_str(json_get(c.labels, "a.b"), stage.arena), "c");
	assert_false(docker_inspect(stage.docker, "redis", stage.arena, &c, &stage.err));
	assert_int_equal(stage.err.kind, ERR_INPUT);
	stage_close(&stage);
}

static struct docker_event parse(const char *line)
{
	struct docker_event event;
	struct err err = {0};
	if (!docker_event_parse(line, strlen(line), &event, &err))
		fail_msg("%s", err.text);
	return event;
}

static void events_of_docker_and_podman_are_read(void **state)
{
	struct docker_event e = parse(
		"{\"status\":\"die\",\"id\":\"abc\",\"Type\":\"container\","
		"\"Action\":\"die\",\"Actor\":{\"ID\":\"abc\",\"Attributes\":{\"exitCode\":\"137\","
		"\"image\":\"busybox\",\"name\":\"redis\"}},\"time\":1700000000,"
		"\"timeNano\":1700000000000000123}");
	assert_string_equal(e.action, "die");
	assert_string_equal(e.id, "abc");
	assert_string_equal(e.name, "redis");
	assert_string_equal(e.image, "busybox");
	assert_string_equal(e.cursor, "1700000000.000000123");
	assert_int_equal(e.exit_code, 137);
	assert_int_equal(e.at_ms, 1700000000000);
	e = parse("{\"Type\":\"container\",\"Action\":\"health_status: unhealthy\",\"Actor\":{}}");
	assert_string_equal(e.action, "health_status");
	assert_string_equal(e.health, "unhealthy");
	e = parse("{\"Type\":\"container\",\"Action\":\"health_status\",\"HealthStatus\":\"healthy\"}");
	assert_string_equal(e.health, "healthy");
	e = parse("{\"Type\":\"container\",\"Action\":\"died\",\"Actor\":{\"Attributes\":"
			  "{\"containerExitCode\":\"1\"}},\"time\":5}");
	assert_string_equal(e.action, "die");
	assert_int_equal(e.exit_code, 1);
	assert_string_equal(e.cursor, "5.000000000");
	e = parse("{\"Type\":\"container\",\"Action\":\"kill\",\"Actor\":{\"Attributes\":"
			  "{\"signal\":\"15\"}}}");
	assert_int_equal(e.signal, 15);
	assert_int_equal(e.exit_code, -1);
	e = parse("{\"Type\":\"container\",\"Action\":\"kill\",\"Actor\":{\"Attributes\":"
			  "{\"signal\":\"SIGKILL\"}}}");
	assert_int_equal(e.signal, 9);
	assert_string_equal(parse("{\"Type\":\"container\",\"Action\":\"exec_die\"}").action, "");
	assert_string_equal(parse("{\"Type\":\"network\",\"Action\":\"create\"}").action, "");
	assert_string_equal(parse("{}").action, "");
	struct err err = {0};
	assert_false(docker_event_parse("{\"a\":", 5, &e, &err));
	assert_false(docker_event_parse("[]", 2, &e, &err));
	assert_int_equal(err.kind, ERR_INPUT);
}

#define EVENT(action, nano) \
	"{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"x\"}," \
	"\"timeNano\":" nano "}\n"

static void events_are_streamed_without_what_was_seen(void **state)
{
	const struct act acts[] = {{.bytes = VERSION},
		{.bytes = REPLY("200 OK",
			 EVENT("start", "7000000001") EVENT("exec_start: x", "7000000002") "\r\n" EVENT(
				 "die", "7000000003") "garbage\n")}};
	struct stage stage;
	struct docker_event event;
	stage_open(&stage, acts, 2);
	struct docker_events *events = docker_events_open(stage.docker, "7.000000001", &stage.err);
	assert_non_null(events);
	assert_int_equal(docker_events_next(events, 5000, &event, &stage.err), DOCKER_EVENT);
	assert_string_equal(event.action, "die");
	assert_int_equal(docker_events_next(events, 5000, &event, &stage.err), DOCKER_END);
	assert_int_equal(stage.err.kind, ERR_INPUT);
	docker_events_close(events);
	events = docker_events_open(stage.docker, "", &stage.err);
	assert_int_equal(docker_events_next(events, 5000, &event, &stage.err), DOCKER_EVENT);
	assert_string_equal(event.action, "start");
	docker_events_close(events);
	stage_close(&stage);
}

static void end_of_the_stream_is_told(void **state)
{
	const struct act acts[] = {{.bytes = VERSION}, {.bytes = REPLY("200 OK", EVENT("die", "1"))}};
	struct stage stage;
	struct docker_event event;
	stage_open(&stage, acts, 2);
	struct docker_events *events = docker_events_open(stage.docker, NULL, &stage.err);
	assert_non_null(events);
	assert_int_equal(docker_events_next(events, 5000, &event, &stage.err), DOCKER_EVENT);
	assert_int_equal(docker_events_next(events, 5000, &event, &stage.err), DOCKER_END);
	assert_int_equal(stage.err.kind, ERR_RETRY);
	assert_text(stage.err.text, "docker local: the engine ended its event stream");
	docker_events_close(events);
	stage_close(&stage);
}

/* Puts a program of ours in the place of ssh. */
static void fake_ssh(char folder[64], const char *script)
{
	char path[96], search[4096];
	snprintf(folder, 64, "/tmp/homeostat-ssh-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/ssh", folder);
	FILE *file = fopen(path, "we");
	fprintf(file, "#!/bin/sh\necho \"$*\" >> %s/args\n%s\n", folder, script);
	fclose(file);
	chmod(path, 0755);
	snprintf(search, sizeof(search), "%s:/usr/sbin:/usr/bin:/sbin:/bin", folder);
	setenv("PATH", search, 1);
}

static void end_fake_ssh(const char *folder)
{
	char path[96];
	snprintf(path, sizeof(path), "%s/ssh", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/args", folder);
	unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

static bool version_by_ssh(const char *script, struct err *err, char *args, size_t size)
{
	char folder[64], path[96];
	const struct config_docker config = {.name = "nas", .url = "ssh://root@nas:2222"};
	struct docker_version version;
	fake_ssh(folder, script);
	struct docker *docker = docker_open(&config, -1, err);
	bool ok = docker_version(docker, &version, err);
	docker_close(docker);
	snprintf(path, sizeof(path), "%s/args", folder);
	FILE *file = fopen(path, "re");
	assert_non_null(fgets(args, (int)size, file));
	fclose(file);
	end_fake_ssh(folder);
	return ok;
}

static void engine_is_reached_through_ssh(void **state)
{
	struct err err = {0};
	char args[512];
	bool ok = version_by_ssh(
		"read line; printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 21\\r\\n\\r\\n"
		"{\"ApiVersion\":\"1.41\"}\\n'; exec cat >/dev/null",
		&err, args, sizeof(args));
	if (!ok)
		fail_msg("%s", err.text);
	assert_text(args, "-o BatchMode=yes");
	assert_text(args, "-l root -p 2222 -- nas docker system dial-stdio");
}

static void complaint_of_ssh_is_the_error(void **state)
{
	struct err err = {0};
	char args[512];
	assert_false(version_by_ssh("read line; echo 'root@nas: Permission denied (publickey).' >&2; "
								"exit 255",
		&err, args, sizeof(args)));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_text(err.text, "docker nas: ssh: root@nas: Permission denied (publickey).: the user");
	assert_false(version_by_ssh(
		"read line; echo 'sh: docker: not found' >&2; exit 127", &err, args, sizeof(args)));
	assert_int_equal(err.kind, ERR_RETRY);
	assert_text(err.text, "docker nas: ssh: sh: docker: not found");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_checked_before_anything_is_done),
		cmocka_unit_test(version_is_negotiated_once),
		cmocka_unit_test(version_is_the_newest_that_both_know),
		cmocka_unit_test(refusals_carry_the_engines_words),
		cmocka_unit_test(post_tells_done_from_already_so),
		cmocka_unit_test(engine_that_was_exchanged_is_asked_for_its_version_again),
		cmocka_unit_test(inspect_reads_a_container),
		cmocka_unit_test(events_of_docker_and_podman_are_read),
		cmocka_unit_test(events_are_streamed_without_what_was_seen),
		cmocka_unit_test(end_of_the_stream_is_told),
		cmocka_unit_test(engine_is_reached_through_ssh),
		cmocka_unit_test(complaint_of_ssh_is_the_error),
	};
	http_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
