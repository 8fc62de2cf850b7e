/*
 * HTTP: who may do what, what is answered, and what happens when the core does not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/log.h"
#include "base/redact.h"
#include "base/str.h"
#include "model/request.h"
#include "report/report.h"
#include "store/store.h"

static const unsigned char key[32] = "an audit key, 32 bytes long, yes";
#define TOKEN "a-long-bearer-token"
#define JSON_TYPE "Content-Type: application/json\r\n"
#define BEARER "Authorization: Bearer " TOKEN "\r\n"

enum core_mood { CORE_ANSWERS, CORE_SILENT };

struct fixture {
	char dir[64], control[96];
	struct store *store;
	struct clock *clock;
	struct config config;
	struct mailbox *inbox;
	struct api *api;
	pthread_t core;
	atomic_int mood, unreached, answered;
	struct request last;  /* written before the answer is sent */
	struct answer answer; /* what the core says */
	const char *components;
	struct mail *held; /* CORE_SILENT: the request that was not answered */
};

static void answer_to(struct fixture *f, const struct request *request)
{
	struct arena *arena = arena_new(sizeof(struct answer) + 65536);
	struct answer *answer = ARENA_NEW(arena, struct answer);
	*answer = f->answer;
	if (request->kind == REQUEST_STATUS) {
		answer->ok = true;
		answer->status = 200;
		answer->core.healing = HEALING_ON;
		answer->core.now = clock_wall_ms(f->clock);
		answer->core.sources = 1;
		STR_SET(answer->core.source[0].name, "docker:local");
		answer->core.source[0].reached = !atomic_load(&f->unreached);
		STR_SET(answer->core.source[0].text, "no permission on the socket");
	}
	if (request->kind == REQUEST_COMPONENTS) {
		answer->ok = true;
		answer->json = arena_strdup(arena, f->components);
	}
	if (request->kind != REQUEST_STATUS)
		f->last = *request;
	atomic_fetch_add(&f->answered, 1);
	mailbox_offer(request->answer, MAIL_REQUEST, &arena, answer);
}

static void *core_main(void *arg)
{
	struct fixture *f = arg;
	struct mail *mail;
	while ((mail = mailbox_receive(f->inbox, -1)) != NULL) {
		if (atomic_load(&f->mood) == CORE_SILENT) {
			mail_free(f->held);
			f->held = mail;
			continue;
		}
		if (f->held != NULL) { /* the late answer, before the new one */
			answer_to(f, f->held->body);
			mail_free(f->held);
			f->held = NULL;
		}
		answer_to(f, mail->body);
		mail_free(mail);
	}
	return NULL;
}

static void start_api(struct fixture *f, const char *listen, const char *token)
{
	struct err err = {0};
	struct api_config config = {.config = &f->config,
		.clock = f->clock,
		.core = f->inbox,
		.listen = listen,
		.control = f->control,
		.token = token};
	memcpy(config.audit_key, key, sizeof(key));
	f->api = api_start(&config, &err);
	if (f->api == NULL)
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	log_init(LOG_ERROR);
	STR_SET(f->dir, "/tmp/test_api.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	STR_FORMAT(f->control, "%s/control.sock", f->dir);
	f->store = store_open(f->dir, key, &err);
	assert_non_null(f->store);
	f->clock = clock_new_real();
	f->config.state = f->dir;
	f->config.interval_ms = 60000;
	f->answer = (struct answer){.ok = true, .status = 200};
	STR_SET(f->answer.text, "done");
	f->components = "[]";
	f->inbox = mailbox_new(64);
	assert_int_equal(pthread_create(&f->core, NULL, core_main, f), 0);
	start_api(f, "127.0.0.1:0", TOKEN);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {
		"homeostat.db", "homeostat.db-wal", "homeostat.db-shm", "homeostat.lock"};
	struct fixture *f = *state;
	mailbox_close(f->inbox);
	pthread_join(f->core, NULL);
	mail_free(f->held);
	api_stop(f->api);
	mailbox_free(f->inbox);
	store_close(f->store);
	clock_free(f->clock);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];
		STR_FORMAT(path, "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0); /* so the socket is gone too */
	free(f);
	return 0;
}

struct reply {
	int status;
	char text[65536]; /* headers and body */
	const char *body;
};

static int connect_tcp(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static int connect_unix(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	STR_SET(to.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void exchange(int fd, const char *head, const char *body, struct reply *reply)
{
	struct timeval limit = {.tv_sec = 20};
	size_t length = 0;
	ssize_t n;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(send(fd, head, strlen(head), MSG_NOSIGNAL), strlen(head));
	if (body[0] != '\0' && send(fd, body, strlen(body), MSG_NOSIGNAL) < 0)
		assert_int_equal(errno, EPIPE);
	while ((n = recv(fd, reply->text + length, sizeof(reply->text) - 1 - length, 0)) > 0)
		length += (size_t)n;
	close(fd);
	reply->text[length] = '\0';
	assert_true(strncmp(reply->text, "HTTP/1.1 ", 9) == 0);
	reply->status = (int)strtol(reply->text + 9, NULL, 10);
	const char *end = strstr(reply->text, "\r\n\r\n");
	assert_non_null(end);
	reply->body = end + 4;
}

/* headers: of its own, each ended by CRLF; with a "Host:" in them ours is left out. */
static void ask(const struct fixture *f, int fd, const char *line, const char *headers,
	const char *body, struct reply *reply)
{
	char head[2048], host[64] = "";
	if (strstr(headers, "Host:") == NULL)
		STR_FORMAT(host, "Host: 127.0.0.1:%d\r\n", api_port(f->api));
	STR_FORMAT(head, "%s HTTP/1.1\r\n%s%sConnection: close\r\nContent-Length: %zu\r\n\r\n", line,
		host, headers, strlen(body));
	exchange(fd, head, body, reply);
}

static int tcp(struct fixture *f, const char *line, const char *headers, const char *body)
{
	struct reply reply;
	ask(f, connect_tcp(api_port(f->api)), line, headers, body, &reply);
	return reply.status;
}

static void control(struct fixture *f, const char *line, const char *body, struct reply *reply)
{
	int fd = connect_unix(f->control);
	assert_true(fd >= 0);
	ask(f, fd, line, JSON_TYPE, body, reply);
}

static void assert_problem(const struct reply *reply, int status, const char *part)
{
	auto_arena arena = arena_new(1 << 20);
	struct json root;
	struct err err = {0};
	if (reply->status != status)
		fail_msg("%d, not %d (%s): %s", reply->status, status, part, reply->body);
	assert_non_null(strstr(reply->text, "application/problem+json"));
	if (!json_parse(arena, reply->body, strlen(reply->body), &root, &err))
		fail_msg("%s: %s", err.text, reply->body);
	assert_int_equal(json_int(json_get(root, "status"), 0), status);
	assert_string_equal(json_str(json_get(root, "type"), arena), "about:blank");
	assert_true(json_is(json_get(root, "title")));
	const char *detail = json_str(json_get(root, "detail"), arena);
	if (strstr(detail, part) == NULL)
		fail_msg("\"%s\" is not in: %s", part, detail);
}

static void health_is_ok_while_the_core_answers(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(tcp(f, "GET /healthz", "", ""), 200);
	assert_int_equal(tcp(f, "HEAD /healthz", "", ""), 200);
	assert_int_equal(tcp(f, "GET /readyz", "", ""), 200);
	atomic_store(&f->unreached, 1);
	assert_int_equal(tcp(f, "GET /healthz", "", ""), 200);
	struct reply reply;
	control(f, "GET /readyz", "", &reply);
	assert_problem(&reply, 503, "docker:local is not reached: no permission");
}

static void a_core_that_is_silent_is_told_and_its_late_answer_harms_nobody(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	atomic_store(&f->mood, CORE_SILENT);
	control(f, "GET /healthz", "", &reply);
	assert_problem(&reply, 503, "did not answer in time");
	atomic_store(&f->mood, CORE_ANSWERS);
	/* the late answer of the first comes before that of the second, which gets its own */
	control(f, "POST /api/v1/autohealing", "{\"mode\":\"on\"}", &reply);
	assert_int_equal(reply.status, 200);
	assert_int_equal(atomic_load(&f->answered), 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(tcp(f, "GET /healthz", "", ""), 200);
}

static void a_core_that_has_ended_is_told_at_once(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	mailbox_close(f->inbox);
	control(f, "GET /healthz", "", &reply);
	assert_problem(&reply, 503, "busy");
}

static void the_control_socket_serves_root(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	char actor[64];
	struct stat found;
	assert_int_equal(stat(f->control, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
	control(f, "POST /api/v1/approvals/12",
		"{\"decision\": \"approve\", \"plan\": \"0123456789abcdef\"}", &reply);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.body, "\"text\":\"done\""));
	assert_int_equal(f->last.kind, REQUEST_DECIDE);
	assert_int_equal(f->last.incident_id, 12);
	assert_true(f->last.approve);
	assert_string_equal(f->last.plan_hash, "0123456789abcdef");
	STR_FORMAT(actor, "uid:%u", (unsigned)geteuid());
	assert_string_equal(f->last.actor, actor);
}

static void another_user_is_refused_at_the_control_socket(void **state)
{
	struct fixture *f = *state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(chmod(f->control, 0666), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		static struct reply reply;
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(2);
		control(f, "GET /api/v1/health", "", &reply);
		_exit(reply.status == 403 && strstr(reply.body, "use sudo") != NULL ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void reading_is_free_on_loopback_under_its_own_names_only(void **state)
{
	static const struct {
		const char *host; /* %d: our port */
		int status;
	} cases[] = {
		{"127.0.0.1:%d", 200},
		{"localhost:%d", 200},
		{"LocalHost:%d", 200},
		{"[::1]:%d", 200},
		{"127.0.0.2:%d", 200},
		{"127.0.0.1", 403},
		{"127.0.0.1:80", 403},
		{"evil.example:%d", 403},
		{"127.evil.example:%d", 403},
		{"127.0.0.1.evil.example:%d", 403},
		{"10.0.0.1:%d", 403},
		{"localhost.evil.example:%d", 403},
		{"localhost:%dx", 403},
		{"localhost:", 403},
		{":%d", 403},
		{"", 403},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char headers[160], port[16];
		STR_FORMAT(port, "%d", api_port(f->api));
		const char *mark = strstr(cases[i].host, "%d");
		size_t before = mark != NULL ? (size_t)(mark - cases[i].host) : strlen(cases[i].host);
		STR_FORMAT(headers, "Host: %.*s%s%s\r\n", (int)before, cases[i].host,
			mark != NULL ? port : "", mark != NULL ? mark + 2 : "");
		int status = tcp(f, "GET /metrics", headers, "");
		if (status != cases[i].status)
			fail_msg("%s: %d", cases[i].host, status);
	}
}

static void changing_over_tcp_needs_the_token(void **state)
{
	static const char body[] = "{\"mode\":\"off\"}";
	struct fixture *f = *state;
	const char *line = "POST /api/v1/autohealing";
	struct reply reply;
	ask(f, connect_tcp(api_port(f->api)), line, JSON_TYPE, body, &reply);
	assert_problem(&reply, 401, "Authorization: Bearer");
	assert_non_null(strstr(reply.text, "WWW-Authenticate: Bearer"));
	assert_int_equal(
		tcp(f, line, JSON_TYPE "Authorization: Bearer a-long-bearer-tokem\r\n", body), 401);
	assert_int_equal(
		tcp(f, line, JSON_TYPE "Authorization: Bearer a-long-bearer-toke\r\n", body), 401);
	assert_int_equal(
		tcp(f, line, JSON_TYPE "Authorization: Bearer " TOKEN TOKEN "\r\n", body), 401);
	assert_int_equal(tcp(f, line, JSON_TYPE "Authorization: Bearer \r\n", body), 401);
	assert_int_equal(tcp(f, line, JSON_TYPE "Authorization: Basic " TOKEN "\r\n", body), 401);
	assert_int_equal(atomic_load(&f->answered), 0);
	assert_int_equal(tcp(f, line, JSON_TYPE BEARER, body), 200);
	assert_int_equal(f->last.kind, REQUEST_HEALING);
	assert_int_equal(f->last.healing, HEALING_OFF);
	assert_string_equal(f->last.actor, "api");
	/* a wrong token is wrong for reading too */
	assert_int_equal(tcp(f, "GET /metrics", "Authorization: Bearer x\r\n", ""), 401);
}

static void without_a_token_nothing_can_be_changed_over_tcp(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	api_stop(f->api);
	start_api(f, "127.0.0.1:0", NULL);
	ask(f, connect_tcp(api_port(f->api)), "POST /api/v1/autohealing", JSON_TYPE BEARER,
		"{\"mode\":\"on\"}", &reply);
	assert_problem(&reply, 403, "homeostat secret set api");
	assert_int_equal(tcp(f, "GET /healthz", "", ""), 200);
}

static void a_listener_for_the_network_needs_the_token_for_everything(void **state)
{
	struct fixture *f = *state;
	api_stop(f->api);
	start_api(f, "0.0.0.0:0", TOKEN);
	assert_int_equal(tcp(f, "GET /healthz", "", ""), 401);
	assert_int_equal(tcp(f, "GET /no/such/path", "", ""), 401);
	assert_int_equal(tcp(f, "GET /healthz", BEARER "Host: homelab.example\r\n", ""), 200);
}

static void another_pages_post_is_refused(void **state)
{
	struct fixture *f = *state;
	const char *line = "POST /api/v1/autohealing", *body = "{\"mode\":\"on\"}";
	char own[160];
	assert_int_equal(tcp(f, line, JSON_TYPE BEARER "Origin: http://evil.example\r\n", body), 403);
	assert_int_equal(tcp(f, line, JSON_TYPE BEARER "Origin: null\r\n", body), 403);
	assert_int_equal(atomic_load(&f->answered), 0);
	STR_FORMAT(own, JSON_TYPE BEARER "Origin: http://127.0.0.1:%d\r\n", api_port(f->api));
	assert_int_equal(tcp(f, line, own, body), 200);
}

static void a_body_must_be_json_and_say_so(void **state)
{
	struct fixture *f = *state;
	const char *line = "POST /api/v1/autohealing", *body = "{\"mode\":\"on\"}";
	assert_int_equal(tcp(f, line, BEARER, body), 415);
	assert_int_equal(tcp(f, line, BEARER "Content-Type: text/plain\r\n", body), 415);
	assert_int_equal(
		tcp(f, line, BEARER "Content-Type: application/x-www-form-urlencoded\r\n", body), 415);
	assert_int_equal(
		tcp(f, line, BEARER "Content-Type: application/json; charset=utf-8\r\n", body), 200);
}

static void bad_bodies_are_refused_with_what_is_wrong(void **state)
{
	static const struct {
		const char *path, *body, *part;
	} cases[] = {
		{"/api/v1/autohealing", "", "no JSON"},
		{"/api/v1/autohealing", "{", "no JSON"},
		{"/api/v1/autohealing", "[]", "must be a JSON object"},
		{"/api/v1/autohealing", "{}", "lacks \"mode\""},
		{"/api/v1/autohealing", "{\"mode\":\"maybe\"}", "\"on\", \"off\" or \"shadow\""},
		{"/api/v1/autohealing", "{\"mode\":1}", "mode: must be a text"},
		{"/api/v1/autohealing", "{\"mode\":\"\"}", "mode: must be a text of 1 to"},
		{"/api/v1/autohealing", "{\"mode\":\"on\",\"force\":true}", "unknown member \"force\""},
		{"/api/v1/autohealing", "{\"mode\":\"on\",\"mode\":\"off\"}", "\"mode\" twice"},
		{"/api/v1/approvals/1", "{\"decision\":\"yes\"}", "\"approve\" or \"reject\""},
		{"/api/v1/approvals/1", "{\"plan\":\"a\"}", "lacks \"decision\""},
		{"/api/v1/approvals/1",
			"{\"decision\":\"approve\",\"plan\":\"0123456789012345678901234567890123456789\"}",
			"plan: must be a text of 1 to 32 bytes"},
		{"/api/v1/orders", "{\"action\":\"docker.container.restart\"}", "lacks \"component\""},
		{"/api/v1/incidents/1/retry", "{\"now\":\"x\"}", "unknown member \"now\""},
		{"/api/v1/reset", "{}", "lacks \"component\""},
		{"/api/v1/mutes", "{\"component\":\"*\"}", "lacks \"for\""},
		{"/api/v1/mutes", "{\"component\":\"*\",\"for\":\"soon\"}", "up to 30d"},
		{"/api/v1/mutes", "{\"component\":\"*\",\"for\":\"31d\"}", "up to 30d"},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply reply;
		char line[96];
		STR_FORMAT(line, "POST %s", cases[i].path);
		control(f, line, cases[i].body, &reply);
		assert_problem(&reply, 400, cases[i].part);
	}
	assert_int_equal(atomic_load(&f->answered), 0);
}

static void orders_and_retries_reach_the_core(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	f->answer.incident_id = 41;
	control(f, "POST /api/v1/orders",
		"{\"action\":\"docker.container.restart\",\"component\":\"docker_container_a\"}", &reply);
	assert_int_equal(reply.status, 200);
	assert_int_equal(f->last.kind, REQUEST_ORDER);
	assert_string_equal(f->last.action, "docker.container.restart");
	assert_string_equal(f->last.component, "docker_container_a");
	assert_string_equal(f->last.params, "");
	assert_non_null(strstr(reply.body, "\"incident_id\":41"));
	control(f, "POST /api/v1/orders",
		"{\"action\":\"proxmox.guest.shutdown\",\"component\":\"lxc_104\","
		"\"params\":\"wait=90\"}",
		&reply);
	assert_int_equal(reply.status, 200);
	assert_string_equal(f->last.params, "wait=90");
	control(f, "POST /api/v1/incidents/9/retry", "{}", &reply);
	assert_int_equal(reply.status, 200);
	assert_int_equal(f->last.kind, REQUEST_RETRY);
	assert_int_equal(f->last.incident_id, 9);
	control(f, "POST /api/v1/incidents/10/retry", "", &reply);
	assert_int_equal(reply.status, 200);
	assert_int_equal(f->last.incident_id, 10);
	control(f, "POST /api/v1/reset", "{\"component\":\"lxc_104\"}", &reply);
	assert_int_equal(reply.status, 200);
	assert_int_equal(f->last.kind, REQUEST_RESET);
	assert_string_equal(f->last.component, "lxc_104");
	control(f, "POST /api/v1/mutes", "{\"component\":\"lxc_*\",\"for\":\"2h\"}", &reply);
	assert_int_equal(f->last.kind, REQUEST_MUTE);
	assert_int_equal(f->last.for_ms, 7200000);
	control(f, "POST /api/v1/approvals/3", "{\"decision\":\"reject\"}", &reply);
	assert_false(f->last.approve);
	assert_string_equal(f->last.plan_hash, "");
}

static void what_the_core_refuses_is_a_problem_with_its_words(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	f->answer = (struct answer){.status = 409};
	STR_SET(f->answer.text, "nothing was done: it was decided before");
	control(f, "POST /api/v1/approvals/3", "{\"decision\":\"reject\"}", &reply);
	assert_problem(&reply, 409, "it was decided before");
}

static void unknown_paths_and_methods_are_said(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	control(f, "GET /api/v1/nothing", "", &reply);
	assert_problem(&reply, 404, "nothing at this path");
	control(f, "GET /api/v1/incidents/abc", "", &reply);
	assert_problem(&reply, 404, "");
	control(f, "GET /api/v1/incidents/9999999999999999999999", "", &reply);
	assert_problem(&reply, 404, "");
	control(f, "DELETE /api/v1/incidents", "", &reply);
	assert_problem(&reply, 405, "GET");
	assert_non_null(strstr(reply.text, "Allow: GET, HEAD\r\n"));
	control(f, "GET /api/v1/orders", "", &reply);
	assert_problem(&reply, 405, "POST");
	assert_non_null(strstr(reply.text, "Allow: POST\r\n"));
	control(f, "GET /api/v1/audit?limit=many", "", &reply);
	assert_problem(&reply, 400, "limit");
	control(f, "GET /api/v1/health?format=xml", "", &reply);
	assert_problem(&reply, 400, "format");
	control(f, "GET /api/v1/incidents?state=lost", "", &reply);
	assert_problem(&reply, 400, "state");
}

static void a_body_that_is_too_large_is_refused(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	char head[256];
	STR_FORMAT(head,
		"POST /api/v1/autohealing HTTP/1.1\r\nHost: x\r\n" JSON_TYPE
		"Connection: close\r\nContent-Length: 2000000\r\n\r\n");
	exchange(connect_unix(f->control), head, "", &reply);
	assert_problem(&reply, 413, "1 MiB");
}

static int64_t fill(struct fixture *f)
{
	struct err err = {0};
	struct incident incident = {.attempt = 1,
		.severity = SEVERITY_UNHEALTHY,
		.state = LIFE_SUSPECTED,
		.finding = FINDING_EXITED,
		.opened_at = 1761323415000};
	STR_SET(incident.component.name, "docker_container_redis");
	STR_SET(incident.issue, "exited, and printed hunter2-hunter2 \"quoted\"");
	STR_SET(incident.metrics, "{\"container\":\"redis\",\"exit_code\":1}");
	STR_SET(incident.diagnosis.by, "rules");
	STR_SET(incident.plan.action, "docker.container.restart");
	STR_SET(incident.plan.title, "Restart container 'redis'");
	assert_true(store_incident_insert(f->store, &incident, &err));
	incident.state = LIFE_ASKING;
	assert_true(store_incident_update(f->store, &incident, "NEEDS_HUMAN", &err));
	struct approval approval = {.incident_id = incident.id, .asked_at = 1761323416000};
	assert_true(store_approval_insert(f->store, &approval, &err));
	struct action_record record = {.incident_id = incident.id, .attempt = 1, .began_at = 5};
	STR_SET(record.action, "docker.container.restart");
	assert_true(store_action_insert(f->store, &record, &err));
	struct audit_entry entry = {.at = 1761323415000, .incident_id = incident.id};
	STR_SET(entry.what, "approval.ask");
	assert_true(store_audit_add(f->store, &entry, &err));
	return incident.id;
}

static struct json parse(struct arena *arena, const struct reply *reply)
{
	struct json root = {0};
	struct err err = {0};
	assert_int_equal(reply->status, 200);
	if (!json_parse(arena, reply->body, strlen(reply->body), &root, &err))
		fail_msg("%s: %s", err.text, reply->body);
	return root;
}

static void an_incident_is_told_whole_and_redacted(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	char line[64];
	auto_arena arena = arena_new(1 << 20);
	redact_register("hunter2-hunter2");
	STR_FORMAT(line, "GET /api/v1/incidents/%lld", (long long)fill(f));
	control(f, line, "", &reply);
	struct json root = parse(arena, &reply);
	assert_null(strstr(reply.body, "hunter2"));
	assert_string_equal(
		json_str(json_get(root, "issue"), arena), "exited, and printed [redacted] \"quoted\"");
	assert_string_equal(json_str(json_get(root, "opened_at"), arena), "2025-10-24T16:30:15.000Z");
	assert_int_equal(json_kind(json_get(root, "ended_at")), JSON_NULL);
	assert_int_equal(json_int(json_path(root, "metrics.exit_code"), 0), 1);
	assert_string_equal(
		json_str(json_path(root, "plan.title"), arena), "Restart container 'redis'");
	assert_int_equal(json_count(json_get(root, "history")), 2);
	assert_int_equal(json_count(json_get(root, "approvals")), 1);
	assert_int_equal(json_count(json_get(root, "actions")), 1);
	redact_reset();
	control(f, "GET /api/v1/incidents/77", "", &reply);
	assert_problem(&reply, 404, "there is no incident 77");
}

static void lists_and_reports_are_json(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	auto_arena arena = arena_new(1 << 20);
	fill(f);
	fill(f);
	control(f, "GET /api/v1/incidents", "", &reply);
	assert_int_equal(json_count(json_get(parse(arena, &reply), "incidents")), 2);
	control(f, "GET /api/v1/incidents?all=1&limit=1", "", &reply);
	assert_int_equal(json_count(json_get(parse(arena, &reply), "incidents")), 1);
	control(f, "GET /api/v1/incidents?state=ended", "", &reply);
	assert_int_equal(json_count(json_get(parse(arena, &reply), "incidents")), 0);
	control(f, "GET /api/v1/health", "", &reply);
	struct json health = parse(arena, &reply);
	assert_int_equal(json_int(json_get(health, "active_issues"), 0), 2);
	assert_int_equal(json_int(json_path(health, "by_severity.unhealthy"), 0), 2);
	assert_string_equal(json_str(json_get(health, "healing"), arena), "on");
	assert_string_equal(json_str(json_get(health, "status"), arena), "UNHEALTHY");
	assert_int_equal(json_count(json_get(health, "active")), 2);
	assert_int_equal(json_count(json_get(health, "sources")), 1);
	control(f, "GET /api/v1/health?format=text", "", &reply);
	assert_true(strncmp(reply.body, "🏥 System Health Report\n", 24) == 0);
	f->components = "[{\"name\":\"docker_container_a\",\"kind\":\"container\"}]";
	control(f, "GET /api/v1/components", "", &reply);
	assert_string_equal(reply.body,
		"{\"components\":[{\"name\":\"docker_container_a\",\"kind\":\"container\"}]}\n");
}

static void the_audit_log_is_listed_and_verified(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	auto_arena arena = arena_new(1 << 20);
	fill(f);
	fill(f);
	control(f, "GET /api/v1/audit?limit=1&verify=1", "", &reply);
	struct json root = parse(arena, &reply);
	assert_true(json_bool(json_get(root, "verified"), false));
	assert_int_equal(json_int(json_get(root, "count"), 0), 2);
	assert_int_equal(json_count(json_get(root, "entries")), 1);
	assert_int_equal(json_int(json_get(json_first(json_get(root, "entries")), "seq"), 0), 2);
	control(f, "GET /api/v1/audit", "", &reply);
	assert_false(json_is(json_get(parse(arena, &reply), "verified")));
}

static void metrics_have_their_content_type(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	ask(f, connect_tcp(api_port(f->api)), "GET /metrics", "", "", &reply);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.text, "text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_non_null(strstr(reply.body, "homeostat_source_up{source=\"docker:local\"} 1\n"));
}

static void *many(void *arg)
{
	struct fixture *f = arg;
	for (int i = 0; i < 15; i++)
		assert_int_equal(tcp(f, i % 2 == 0 ? "GET /api/v1/health" : "GET /metrics", "", ""), 200);
	return NULL;
}

static void many_at_once_are_served(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	pthread_t threads[8];
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many, f), 0);
	for (int i = 0; i < 50; i++) {
		char value[16];
		STR_FORMAT(value, "%d", i);
		assert_true(store_fact_set(f->store, "x", value, &err));
	}
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(health_is_ok_while_the_core_answers),
		CASE(a_core_that_is_silent_is_told_and_its_late_answer_harms_nobody),
		CASE(a_core_that_has_ended_is_told_at_once),
		CASE(the_control_socket_serves_root),
		CASE(another_user_is_refused_at_the_control_socket),
		CASE(reading_is_free_on_loopback_under_its_own_names_only),
		CASE(changing_over_tcp_needs_the_token),
		CASE(without_a_token_nothing_can_be_changed_over_tcp),
		CASE(a_listener_for_the_network_needs_the_token_for_everything),
		CASE(another_pages_post_is_refused),
		CASE(a_body_must_be_json_and_say_so),
		CASE(bad_bodies_are_refused_with_what_is_wrong),
		CASE(orders_and_retries_reach_the_core),
		CASE(what_the_core_refuses_is_a_problem_with_its_words),
		CASE(unknown_paths_and_methods_are_said),
		CASE(a_body_that_is_too_large_is_refused),
		CASE(an_incident_is_told_whole_and_redacted),
		CASE(lists_and_reports_are_json),
		CASE(the_audit_log_is_listed_and_verified),
		CASE(metrics_have_their_content_type),
		CASE(many_at_once_are_served),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
