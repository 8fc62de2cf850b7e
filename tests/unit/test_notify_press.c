/*
 * POST /api/v1/press/TOKEN over a real socket, on the whole core: what a button of ntfy may do, and
 * what an address may not.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/secret.h"
#include "base/str.h"
#include "heal/heal.h"
#include "report/report.h"
#include "sim/notify.h"
#include "store/store.h"
#include "tests/lab_internal.h"

#define WEB "docker_container_web"
#define HOUR INT64_C(3600000)

struct stage {
	struct lab *lab;
	struct api *api;
};

/* A client on a thread of its own: the core's is the test's. */
struct client {
	int port;
	char request[400], reply[2048];
	int status;
	atomic_bool done;
};

static void *client_main(void *arg)
{
	struct client *client = arg;
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)client->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t length = 0, all = strlen(client->request);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		write(fd, client->request, all) == (ssize_t)all)
		for (ssize_t n = 1; n > 0 && length < sizeof(client->reply) - 1; length += (size_t)n)
			n = read(fd, client->reply + length, sizeof(client->reply) - 1 - length);
	close(fd);
	sscanf(client->reply, "HTTP/1.1 %d", &client->status);
	atomic_store(&client->done, true);
	return NULL;
}

static struct client ask(struct stage *stage, const char *method, const char *path)
{
	struct client client = {.port = api_port(stage->api)};
	pthread_t thread;
	bool reload;
	STR_FORMAT(client.request,
		"%s %s HTTP/1.1\r\nHost: homeostat.test\r\nOrigin: https://ntfy.test\r\n"
		"Content-Length: 0\r\nConnection: close\r\n\r\n",
		method, path);
	assert_int_equal(pthread_create(&thread, NULL, client_main, &client), 0);
	while (!atomic_load(&client.done))
		assert_true(heal_step(stage->lab->heal, 5, &reload));
	pthread_join(thread, NULL);
	lab_settle(stage->lab);
	return client;
}

static int press(struct stage *stage, const char *token)
{
	char path[80];
	STR_FORMAT(path, "/api/v1/press/%s", token);
	return ask(stage, "POST", path).status;
}

static void open_api(struct stage *stage)
{
	struct err err = {0};
	struct api_config config = {.config = stage->lab->config,
		.clock = stage->lab->clock,
		.core = stage->lab->inbox,
		.listen = "127.0.0.1:0"};
	assert_true(secret_derive(lab_state_folder(stage->lab), "audit", config.audit_key, &err));
	stage->api = api_start(&config, &err);
	if (stage->api == NULL)
		fail_msg("%s", err.text);
}

static struct stage begin(const char *approve, const char *risk)
{
	char config[800];
	setenv("NTFY", "tk_sim", 1);
	STR_FORMAT(config,
		"public_url: https://homeostat.test\nlisten: 127.0.0.1:0\n"
		"notify: [ { type: ntfy, name: phone, url: \"https://ntfy.test/alerts\", token: env:NTFY, "
		"approve: %s } ]\n"
		"policy: [ { match: { component: " WEB " }, risk: %s } ]\n",
		approve, risk);
	struct stage stage = {.lab = lab_new(config)};
	lab_script(stage.lab, "container web");
	lab_start(stage.lab);
	lab_advance(stage.lab, 1000);
	open_api(&stage);
	lab_script(stage.lab, "crash web 1");
	lab_advance(stage.lab, 3000);
	return stage;
}

static void end(struct stage *stage)
{
	api_stop(stage->api);
	lab_check_store(stage->lab);
	lab_free(stage->lab);
}

/* The tokens of the newest question: approve, reject. */
static void buttons(struct stage *stage, char approve[TOKEN_BYTES], char reject[TOKEN_BYTES])
{
	const struct sim_notify *net = lab_world(stage->lab, &lab_net);
	static const char mark[] = "https://homeostat.test/api/v1/press/";
	const char *at = NULL;
	for (int n = 0; n < sim_notify_count(net, "ntfy.test"); n++)
		if (strstr(sim_notify_body(net, "ntfy.test", n), mark) != NULL)
			at = strstr(sim_notify_body(net, "ntfy.test", n), mark);
	assert_non_null(at);
	str_format(approve, TOKEN_BYTES, "%.32s", at + strlen(mark));
	at = strstr(at + 1, mark);
	assert_non_null(at);
	str_format(reject, TOKEN_BYTES, "%.32s", at + strlen(mark));
}

static enum life_state state_of(struct stage *stage)
{
	struct incident incident = {.state = LIFE_NONE};
	lab_incident(stage->lab, WEB, &incident);
	return incident.state;
}

struct search {
	const char *what;
	bool found;
};

static void take_entry(void *ctx, const struct audit_entry *entry)
{
	struct search *search = ctx;
	search->found |= str_equal(entry->what, search->what) && str_equal(entry->actor, "ntfy:phone");
}

static bool is_audited(struct stage *stage, const char *what)
{
	struct search search = {.what = what};
	struct err err = {0};
	assert_true(store_audit(stage->lab->store, 0, take_entry, &search, &err));
	return search.found;
}

static void a_button_approves_once_and_the_log_says_who(void **state)
{
	struct stage stage = begin("medium", "medium");
	char approve[TOKEN_BYTES], reject[TOKEN_BYTES];
	buttons(&stage, approve, reject);
	assert_int_equal(press(&stage, approve), 200);
	assert_int_equal(press(&stage, approve), 409);
	assert_int_equal(press(&stage, reject), 409);
	lab_advance(stage.lab, 20000);
	assert_int_equal(lab_posts(stage.lab, "*"), 1);
	assert_int_equal(state_of(&stage), LIFE_RESOLVED);
	assert_true(is_audited(&stage, "approval.yes"));
	assert_int_equal(press(&stage, approve), 404);
	end(&stage);
}

static void a_button_rejects(void **state)
{
	struct stage stage = begin("medium", "medium");
	char approve[TOKEN_BYTES], reject[TOKEN_BYTES];
	buttons(&stage, approve, reject);
	assert_int_equal(press(&stage, reject), 200);
	assert_int_equal(state_of(&stage), LIFE_REJECTED);
	assert_int_equal(press(&stage, approve), 409);
	assert_int_equal(lab_posts(stage.lab, "*"), 0);
	assert_true(is_audited(&stage, "approval.no"));
	end(&stage);
}

static void what_has_expired_cannot_be_pressed(void **state)
{
	struct stage stage = begin("medium", "medium");
	char approve[TOKEN_BYTES], reject[TOKEN_BYTES];
	buttons(&stage, approve, reject);
	lab_skip(stage.lab, 2 * HOUR);
	assert_int_equal(press(&stage, approve), 409);
	assert_int_equal(lab_posts(stage.lab, "*"), 0);
	end(&stage);
}

static void high_risk_is_approved_only_where_the_configuration_says_so(void **state)
{
	struct stage stage = begin("high", "high");
	char approve[TOKEN_BYTES], reject[TOKEN_BYTES];
	buttons(&stage, approve, reject);
	assert_int_equal(press(&stage, approve), 200);
	assert_int_equal(lab_posts(stage.lab, "*"), 1);
	end(&stage);
}

/* The configuration has become stricter since the message was sent. */
static void a_button_of_before_counts_by_the_configuration_of_now(void **state)
{
	struct stage stage = begin("high", "high");
	char approve[TOKEN_BYTES], reject[TOKEN_BYTES];
	buttons(&stage, approve, reject);
	api_stop(stage.api);
	lab_stop(stage.lab);
	char *word = strstr(stage.lab->extra, "approve: high");
	memcpy(word, "approve: low ", strlen("approve: low "));
	lab_start(stage.lab);
	lab_advance(stage.lab, 1000);
	open_api(&stage);
	assert_int_equal(press(&stage, approve), 404);
	assert_int_equal(lab_posts(stage.lab, "*"), 0);
	assert_int_equal(press(&stage, reject), 200);
	end(&stage);
}

/* What another channel's buttons do is bound to its people. */
static void another_channels_button_is_nothing_to_an_address(void **state)
{
	struct stage stage = begin("high", "high");
	char approve[TOKEN_BYTES], reject[TOKEN_BYTES];
	struct token tokens[3], ours;
	struct err err = {0};
	buttons(&stage, approve, reject);
	assert_true(store_token_get(stage.lab->store, approve, &ours, &err));
	tokens[0] = tokens[1] = tokens[2] = ours;
	STR_SET(tokens[0].id, "00000000000000000000000000000001");
	STR_SET(tokens[0].channel, "telegram");
	STR_SET(tokens[1].id, "00000000000000000000000000000002");
	STR_SET(tokens[1].channel, "ntfy:other");
	STR_SET(tokens[2].id, "00000000000000000000000000000003");
	tokens[2].kind = TOKEN_ORDER;
	STR_SET(tokens[2].action, "docker.container.restart");
	STR_SET(tokens[2].component, WEB);
	struct request request = {.kind = REQUEST_TOKENS, .tokens = tokens, .count = 3};
	assert_int_equal(lab_ask(stage.lab, request).status, 200);
	for (int i = 0; i < 3; i++)
		assert_int_equal(press(&stage, tokens[i].id), 404);
	assert_int_equal(lab_posts(stage.lab, "*"), 0);
	assert_int_equal(state_of(&stage), LIFE_ASKING);
	end(&stage);
}

static void what_is_no_token_is_refused(void **state)
{
	static const char *const paths[] = {"/api/v1/press/", "/api/v1/press/0123",
		"/api/v1/press/ffffffffffffffffffffffffffffffff",
		"/api/v1/press/FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
		"/api/v1/press/ffffffffffffffffffffffffffffffff/x"};
	struct stage stage = begin("medium", "medium");
	char approve[TOKEN_BYTES], reject[TOKEN_BYTES], path[80];
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_in_range(ask(&stage, "POST", paths[i]).status, 403, 404);
	/* who only looks at an address, as a preview does, decides nothing */
	buttons(&stage, approve, reject);
	STR_FORMAT(path, "/api/v1/press/%s", approve);
	assert_in_range(ask(&stage, "GET", path).status, 403, 405);
	assert_int_equal(lab_posts(stage.lab, "*"), 0);
	/* nor does it open anything else */
	STR_FORMAT(path, "/api/v1/approvals/1?token=%s", approve);
	assert_int_equal(ask(&stage, "POST", path).status, 403);
	assert_int_equal(state_of(&stage), LIFE_ASKING);
	end(&stage);
}

static void ntfys_page_may_read_the_answer(void **state)
{
	struct stage stage = begin("medium", "medium");
	char approve[TOKEN_BYTES], reject[TOKEN_BYTES], path[80];
	buttons(&stage, approve, reject);
	STR_FORMAT(path, "/api/v1/press/%s", approve);
	struct client client = ask(&stage, "POST", path);
	assert_int_equal(client.status, 200);
	assert_non_null(strstr(client.reply, "Access-Control-Allow-Origin: *"));
	assert_non_null(strstr(client.reply, "\"ok\":true"));
	end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_button_approves_once_and_the_log_says_who),
		cmocka_unit_test(a_button_rejects),
		cmocka_unit_test(what_has_expired_cannot_be_pressed),
		cmocka_unit_test(high_risk_is_approved_only_where_the_configuration_says_so),
		cmocka_unit_test(a_button_of_before_counts_by_the_configuration_of_now),
		cmocka_unit_test(another_channels_button_is_nothing_to_an_address),
		cmocka_unit_test(what_is_no_token_is_refused),
		cmocka_unit_test(ntfys_page_may_read_the_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
