#include "client/proxmox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/http.h"
#include "base/str.h"
#include "pve_server.h"

#define UPID "UPID:pve1:0000020C:0004F893:6B04A881:qmstart:100:root@pam!full:"
#define UPID_PATH \
	"/nodes/pve1/tasks/UPID%3Apve1%3A0000020C%3A0004F893%3A6B04A881%3Aqmstart%3A100%3Aroot%40pam%" \
	"21full%3A"
#define VERSION "{\"data\":{\"version\":\"9.2.11\",\"release\":\"9.2\",\"repoid\":\"14a2\"}}"

/* One client before one server. */
struct stage {
	struct pve_server server;
	struct clock *clock;
	struct proxmox *proxmox;
	struct arena *arena;
	struct err err;
	char url[64];
};

static const struct config_proxmox with_token = {
	.name = "pve", .token_id = "homeostat@pve!agent", .token_secret = "0123-4567"};
static const struct config_proxmox with_password = {
	.name = "pve", .user = "homeostat@pve", .password = "p&ss word"};
static const struct proxmox_at vm = {"pve1", PROXMOX_QEMU, 100};

static void stage_open(
	struct stage *stage, const struct pve_route *routes, const struct config_proxmox *config)
{
	memset(stage, 0, sizeof(*stage));
	pve_start(&stage->server, "127.0.0.1", 0, NULL, routes);
	snprintf(stage->url, sizeof(stage->url), "http://127.0.0.1:%d", stage->server.port);
	struct config_proxmox own = *config;
	own.url = stage->url;
	stage->clock = clock_new_wound(1795469000000);
	stage->arena = arena_new((size_t)8 * 1024 * 1024);
	stage->proxmox = proxmox_open(&own, stage->clock, -1, &stage->err);
	if (stage->proxmox == NULL)
		fail_msg("%s", stage->err.text);
}

static void stage_close(struct stage *stage)
{
	proxmox_close(stage->proxmox);
	pve_stop(&stage->server);
	arena_free(stage->arena);
	clock_free(stage->clock);
}

static void assert_text(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static void bad_configurations_are_told(void **state)
{
	static const struct {
		struct config_proxmox config;
		const char *text;
	} cases[] = {
		{{.name = "a", .url = "pve:8006"}, "is not https://"},
		{{.name = "a", .url = "http://10.0.0.1:8006"}, "in clear"},
		{{.name = "a", .url = "https://h:8006"}, "token_id:"},
		{{.name = "a", .url = "https://h:8006", .token_id = "root"}, "USER@REALM!NAME"},
		{{.name = "a",
			 .url = "https://h:8006",
			 .token_id = "r@pam!x\r\nEvil: 1",
			 .token_secret = "s"},
			"USER@REALM!NAME"},
		{{.name = "a", .url = "https://h:8006", .token_id = "r@pam!x"}, "token_secret:"},
		{{.name = "a", .url = "https://h:8006", .user = "root", .password = "x"}, "USER@REALM"},
		{{.name = "a",
			 .url = "https://h:8006",
			 .token_id = "r@pam!x",
			 .token_secret = "s",
			 .fingerprint = "AB:CD"},
			"32 bytes"},
	};
	struct clock *clock = clock_new_wound(0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		assert_null(proxmox_open(&cases[i].config, clock, -1, &err));
		assert_int_equal(err.kind, ERR_INPUT);
		assert_text(err.text, cases[i].text);
		assert_text(err.text, "proxmox a: ");
	}
	clock_free(clock);
}

static void token_is_sent_and_no_csrf(void **state)
{
	static const struct pve_route routes[] = {{"GET /version", .body = VERSION},
		{"POST /nodes/pve1/qemu/100/status/start", .body = "{\"data\":\"" UPID "\"}"},
		{.request = NULL}};
	struct stage stage;
	struct proxmox_version version;
	char upid[PROXMOX_UPID_BYTES];
	stage_open(&stage, routes, &with_token);
	assert_true(proxmox_version(stage.proxmox, &version, &stage.err));
	assert_string_equal(version.version, "9.2.11");
	assert_int_equal(version.major, 9);
	assert_true(proxmox_power(stage.proxmox, vm, PROXMOX_START, 0, upid, &stage.err));
	assert_string_equal(upid, UPID);
	assert_int_equal(
		pve_count(&stage.server, "Authorization: PVEAPIToken=homeostat@pve!agent=0123-4567\r\n"),
		2);
	assert_int_equal(pve_count(&stage.server, "CSRF"), 0);
	stage_close(&stage);
}

#define TICKET(name) \
	"{\"data\":{\"ticket\":\"PVE:" name "\",\"CSRFPreventionToken\":\"csrf-" name "\"}}"

static void ticket_brings_csrf_is_renewed_by_itself_and_dropped_when_refused(void **state)
{
	static const struct pve_route routes[] = {
		{"POST /access/ticket", .body = TICKET("one"), .uses = 1},
		{"POST /access/ticket", .body = TICKET("two"), .uses = 1},
		{"POST /access/ticket", .body = TICKET("three")},
		{"GET /version", .body = VERSION, .uses = 2},
		{"GET /version", .status = 401, .reason = "No ticket", .uses = 1},
		{"GET /version", .body = VERSION},
		{"POST /nodes/pve1/qemu/100/status/stop", .body = "{\"data\":\"" UPID "\"}"},
		{.request = NULL}};
	struct stage stage;
	struct proxmox_version version;
	char upid[PROXMOX_UPID_BYTES];
	stage_open(&stage, routes, &with_password);
	assert_true(proxmox_version(stage.proxmox, &version, &stage.err));
	assert_int_equal(
		pve_count(&stage.server, "username=homeostat%40pve&password=p%26ss%20word"), 1);
	assert_int_equal(pve_count(&stage.server, "Cookie: PVEAuthCookie=PVE:one\r\n"), 1);
	assert_true(proxmox_power(stage.proxmox, vm, PROXMOX_STOP, 0, upid, &stage.err));
	assert_int_equal(pve_count(&stage.server, "CSRFPreventionToken: csrf-one\r\n"), 1);
	clock_advance(stage.clock, 61 * 60 * 1000);
	assert_true(proxmox_version(stage.proxmox, &version, &stage.err));
	assert_int_equal(pve_count(&stage.server, "password=PVE%3Aone"), 1);
	assert_int_equal(pve_count(&stage.server, "Cookie: PVEAuthCookie=PVE:two\r\n"), 1);
	clock_advance(stage.clock, 10000);
	if (!proxmox_version(stage.proxmox, &version, &stage.err))
		fail_msg("%s", stage.err.text);
	assert_int_equal(pve_count(&stage.server, "password=p%26ss%20word"), 2);
	assert_int_equal(pve_count(&stage.server, "Cookie: PVEAuthCookie=PVE:three\r\n"), 1);
	stage_close(&stage);
}

static void wrong_password_is_asked_once_and_told(void **state)
{
	static const struct pve_route routes[] = {
		{"POST /access/ticket", .status = 401, .reason = "authentication failure"},
		{.request = NULL}};
	struct stage stage;
	struct proxmox_version version;
	stage_open(&stage, routes, &with_password);
	assert_false(proxmox_version(stage.proxmox, &version, &stage.err));
	assert_int_equal(stage.err.kind, ERR_DENIED);
	assert_text(stage.err.text, "authentication failure (401)");
	assert_text(stage.err.text, "user: and password:");
	assert_int_equal(pve_count(&stage.server, "POST "), 1);
	stage_close(&stage);
}

static void every_refusal_has_its_kind_and_words(void **state)
{
	static const struct {
		struct pve_route route;
		enum err_kind kind;
		const char *text;
	} cases[] = {
		{{.status = 401, .reason = "Authentication failed!"}, ERR_DENIED, "token_id:"},
		{{.status = 403, .reason = "Permission check failed (/vms/100, VM.Audit)"}, ERR_DENIED,
			"(/vms/100, VM.Audit) (403): homeostat@pve!agent lacks it: homeostat check prints"},
		{{.status = 403, .reason = "Permission check failed (/, Sys.Audit)"}, ERR_DENIED,
			"(/, Sys.Audit) (403): homeostat@pve!agent lacks it"},
		{{.status = 403, .reason = "Permission check failed (/vms/1, VM.A|VM.B)"}, ERR_DENIED,
			"(/vms/1, VM.A|VM.B) (403)"},
		{{.status = 400,
			 .reason = "Parameter verification failed.",
			 .body = "{\"errors\":{\"vmid\":\"type check ('integer') failed - got 'abc'\\n\"},"
					 "\"message\":\"Parameter verification failed.\\n\",\"data\":null}"},
			ERR_INPUT, "failed. (vmid: type check ('integer') failed - got 'abc') (400)"},
		{{.status = 400, .reason = "no such task"}, ERR_GONE, "no such task (400)"},
		{{.status = 500,
			 .reason = "cut",
			 .body = "{\"data\":null,\"message\":\"cluster not ready"
					 " - no quorum?\\n\"}"},
			ERR_RETRY, "cluster not ready - no quorum? (500)"},
		{{.status = 500,
			 .reason = "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist"},
			ERR_GONE, "does not exist (500)"},
		{{.status = 500, .reason = "hostname lookup 'pve1' failed - failed to get address info"},
			ERR_GONE, "hostname lookup"},
		{{.status = 501, .reason = "Method 'GET /x' not implemented"}, ERR_INPUT, "no such call"},
		{{.status = 595, .reason = "No route to host"}, ERR_RETRY,
			"node pve1 is not reached from the node that was asked: No route to host (595)"},
		{{.status = 596, .reason = "Connection timed out"}, ERR_RETRY, "(596)"},
		{{.status = 597, .reason = "Broken pipe"}, ERR_RETRY, "(597)"},
		{{.status = 599, .reason = ""}, ERR_RETRY, "no reason given (599)"},
		{{.status = 200, .body = "<html>hello</html>"}, ERR_INPUT, "is this the API"},
		{{.status = 200, .body = "{\"x\":1}"}, ERR_INPUT, "no \"data\""},
		{{.status = 200, .body = "{\"data\":[1]}"}, ERR_INPUT, "no object"},
		{{.status = 200, .body = "{\"data\":"}, ERR_INPUT, "not JSON"},
		{{.status = 301, .reason = "Moved"}, ERR_INPUT, "(301)"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pve_route routes[] = {cases[i].route, {.request = NULL}};
		struct stage stage;
		struct proxmox_guest_status status;
		routes[0].request = "GET /nodes/pve1/qemu/100/status/current";
		stage_open(&stage, routes, &with_token);
		assert_false(proxmox_guest_status(stage.proxmox, vm, &status, &stage.err));
		if (stage.err.kind != cases[i].kind)
			fail_msg("%s: %s", err_kind_name(stage.err.kind), stage.err.text);
		assert_text(stage.err.text, cases[i].text);
		assert_text(stage.err.text, "proxmox pve: GET /nodes/pve1/qemu/100");
		assert_null(strpbrk(stage.err.text, "\r\n"));
		assert_null(strstr(stage.err.text, "0123-4567"));
		stage_close(&stage);
	}
}

static void change_whose_end_was_not_seen_is_a_timeout(void **state)
{
	static const struct pve_route routes[] = {
		{"POST /nodes/pve1/qemu/100/status/start", .status = 596, .reason = "Connection timed out"},
		{.request = NULL}};
	struct stage stage;
	char upid[PROXMOX_UPID_BYTES];
	stage_open(&stage, routes, &with_token);
	assert_false(proxmox_power(stage.proxmox, vm, PROXMOX_START, 0, upid, &stage.err));
	assert_int_equal(stage.err.kind, ERR_TIMEOUT);
	assert_text(stage.err.text, "may still have happened");
	assert_int_equal(pve_count(&stage.server, "POST "), 1);
	stage_close(&stage);
}

static void causes_are_read_from_words(void **state)
{
	static const struct {
		const char *text;
		enum proxmox_cause cause;
	} cases[] = {
		{"CT 200 already running", PROXMOX_ALREADY},
		{"VM 103 is not running", PROXMOX_ALREADY},
		{"CT 202 not running", PROXMOX_ALREADY},
		{"QEMU guest agent is not running", PROXMOX_NO_AGENT},
		{"VM is locked (backup)", PROXMOX_LOCKED},
		{"CT is locked (snapshot)", PROXMOX_LOCKED},
		{"can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout", PROXMOX_BUSY},
		{"VM quit/powerdown failed - got timeout", PROXMOX_TIMED_OUT},
		{"cluster not ready - no quorum?", PROXMOX_NO_QUORUM},
		{"cfs-lock 'x' error: no quorum!", PROXMOX_NO_QUORUM},
		{"snapshot feature is not available", PROXMOX_NO_FEATURE},
		{"Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist", PROXMOX_NO_GUEST},
		{"start failed: QEMU exited with code 1", PROXMOX_OTHER},
		{"", PROXMOX_OTHER},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(proxmox_cause(cases[i].text), cases[i].cause);
}

static void upids_are_taken_apart_and_bad_ones_refused(void **state)
{
	static const char *const bad[] = {"", "UPID:", "UPID:pve1:1:2:3:t:i:", "UPID::1:2:3:t:i:u@p:",
		"UPID:pve1:x:2:3:t:i:u@p:", "UPID:pve1:1:2:3::i:u@p:", "UPID:pve1:1:2:3:t:i:u@p",
		"UPID:pve1:1:2:3:t:i:u@p:x", "UPID:../x:1:2:3:t:i:u@p:", "upid:pve1:1:2:3:t:i:u@p:"};
	struct proxmox_upid upid;
	struct err err = {0};
	assert_true(proxmox_upid_parse(UPID, &upid, &err));
	assert_string_equal(upid.node, "pve1");
	assert_string_equal(upid.type, "qmstart");
	assert_string_equal(upid.id, "100");
	assert_string_equal(upid.user, "root@pam!full");
	assert_int_equal(upid.pid, 0x20C);
	assert_int_equal(upid.started_s, 0x6B04A881);
	assert_true(
		proxmox_upid_parse("UPID:n:00000001:123456789:6B04A881:aptupdate::root@pam:", &upid, &err));
	assert_string_equal(upid.id, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(proxmox_upid_parse(bad[i], &upid, &err));
}

static bool wait_for(struct stage *stage, struct proxmox_result *result)
{
	return proxmox_task_wait(stage->proxmox, UPID, 3000, result, &stage->err);
}

static void task_is_followed_to_its_end_over_errors_in_between(void **state)
{
	static const struct pve_route routes[] = {
		{"GET " UPID_PATH "/status", .body = "{\"data\":{\"status\":\"running\"}}", .uses = 2},
		{"GET " UPID_PATH "/status", .status = 596, .reason = "Connection timed out", .uses = 1},
		{"GET " UPID_PATH "/status",
			.body = "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"OK\"}}"},
		{.request = NULL}};
	struct stage stage;
	struct proxmox_result result;
	stage_open(&stage, routes, &with_token);
	assert_true(wait_for(&stage, &result));
	assert_true(result.ok);
	assert_string_equal(result.note, "");
	assert_int_equal(pve_count(&stage.server, "GET "), 4);
	stage_close(&stage);
}

static void failed_task_quotes_its_log_and_names_the_cause(void **state)
{
	static const struct pve_route routes[] = {
		{"GET " UPID_PATH "/status",
			.body = "{\"data\":{\"status\":\"stopped\",\"exitstatus\":"
					"\"VM is locked (backup)\"}}"},
		{"GET " UPID_PATH "/log?limit=5000",
			.body =
				"{\"data\":[{\"n\":1,\"t\":\"one\"},{\"n\":2,"
				"\"t\":\"two\"},{\"n\":3,\"t\":\"three\\u0007\"},{\"n\":4,\"t\":\"four\"},{\"n\":5,"
				"\"t\":"
				"\"five\"},{\"n\":6,\"t\":\"TASK ERROR: VM is locked (backup)\"}],\"total\":6}"},
		{.request = NULL}};
	struct stage stage;
	struct proxmox_result result;
	stage_open(&stage, routes, &with_token);
	assert_true(wait_for(&stage, &result));
	assert_false(result.ok);
	assert_int_equal(result.cause, PROXMOX_LOCKED);
	assert_string_equal(
		result.note, "VM is locked (backup); its log ends with: two | three | four | five");
	stage_close(&stage);
}

static void warnings_are_done_with_a_note(void **state)
{
	static const struct pve_route routes[] = {
		{"GET " UPID_PATH "/status",
			.body = "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"WARNINGS: 1\"}}"},
		{"GET " UPID_PATH "/log?limit=5000",
			.body = "{\"data\":[{\"n\":1,\"t\":\"WARN: no disk\"},"
					"{\"n\":2,\"t\":\"TASK WARNINGS: 1\"}]}"},
		{.request = NULL}};
	struct stage stage;
	struct proxmox_result result;
	stage_open(&stage, routes, &with_token);
	assert_true(wait_for(&stage, &result));
	assert_true(result.ok);
	assert_string_equal(result.note, "WARNINGS: 1; its log ends with: WARN: no disk");
	stage_close(&stage);
}

static void task_that_does_not_end_is_a_timeout_and_unknown_one_is_gone(void **state)
{
	static const struct pve_route routes[] = {
		{"GET " UPID_PATH "/status", .body = "{\"data\":{\"status\":\"running\"}}", .uses = 5},
		{"GET " UPID_PATH "/status", .status = 400, .reason = "Parameter verification failed.",
			.body = "{\"errors\":{\"upid\":\"no such task\"},\"message\":\"Parameter verification "
					"failed.\"}"},
		{.request = NULL}};
	struct stage stage;
	struct proxmox_result result;
	stage_open(&stage, routes, &with_token);
	assert_false(proxmox_task_wait(stage.proxmox, UPID, 2000, &result, &stage.err));
	assert_int_equal(stage.err.kind, ERR_TIMEOUT);
	assert_text(stage.err.text, "has not ended in 2 s");
	while (pve_count(&stage.server, "GET ") < 6) {
		stage.err = (struct err){0};
		if (!proxmox_task_wait(stage.proxmox, UPID, 0, &result, &stage.err) &&
			stage.err.kind != ERR_TIMEOUT)
			break;
	}
	assert_int_equal(stage.err.kind, ERR_GONE);
	stage_close(&stage);
}

static void waiting_ends_when_told_to_stop(void **state)
{
	static const struct pve_route routes[] = {
		{"GET " UPID_PATH "/status", .body = "{\"data\":{\"status\":\"running\"}}"},
		{.request = NULL}};
	struct stage stage;
	struct proxmox_result result;
	stage_open(&stage, routes, &with_token);
	struct config_proxmox config = with_token;
	config.url = stage.url;
	int stop_fd = eventfd(1, EFD_CLOEXEC);
	struct clock *clock = clock_new_real();
	struct proxmox *proxmox = proxmox_open(&config, clock, stop_fd, &stage.err);
	int64_t before = clock_mono_ms(clock);
	assert_false(proxmox_task_wait(proxmox, UPID, 60000, &result, &stage.err));
	assert_int_equal(stage.err.kind, ERR_CANCELLED);
	assert_true(clock_mono_ms(clock) - before < 2000);
	proxmox_close(proxmox);
	clock_free(clock);
	close(stop_fd);
	stage_close(&stage);
}

static void look_tells_guests_of_an_offline_node_as_lost(void **state)
{
	static const char text[] =
		"{\"data\":[{\"type\":\"node\",\"node\":\"a\",\"status\":\"online\",\"cpu\":\"0.5\","
		"\"maxmem\":100,\"mem\":\"50\"},{\"type\":\"node\",\"node\":\"b\",\"status\":\"offline\"},"
		"{\"type\":\"qemu\",\"vmid\":\"100\",\"node\":\"b\",\"status\":\"running\",\"name\":"
		"\"web\"},"
		"{\"type\":\"lxc\",\"vmid\":101,\"node\":\"a\",\"status\":\"stopped\",\"template\":\"1\","
		"\"tags\":\"x;critical\",\"lock\":\"backup\"},"
		"{\"type\":\"qemu\",\"vmid\":102,\"node\":\"a\",\"status\":\"unknown\",\"template\":\"\"},"
		"{\"type\":\"qemu\",\"vmid\":-3,\"node\":\"a\"},{\"type\":\"qemu\",\"vmid\":null},"
		"{\"type\":\"storage\",\"storage\":\"local\",\"node\":\"b\",\"status\":\"available\"},"
		"{\"type\":\"network\",\"node\":\"a\"},7,null,[],{}]}";
	auto_arena arena = arena_new((size_t)1024 * 1024);
	struct proxmox_look look;
	struct err err = {0};
	assert_true(proxmox_look_parse(text, sizeof(text) - 1, arena, &look, &err));
	assert_int_equal(look.node_count, 2);
	assert_int_equal(look.guest_count, 3);
	assert_int_equal(look.storage_count, 1);
	assert_true(look.nodes[0].cpu == 0.5 && look.nodes[0].mem_bytes == 50);
	assert_true(look.nodes[1].cpu == -1 && look.nodes[1].mem_bytes == -1);
	const struct proxmox_guest *web = proxmox_guest_find(&look, 100);
	assert_true(web->lost && web->state == PROXMOX_RUNNING);
	const struct proxmox_guest *other = proxmox_guest_find(&look, 101);
	assert_true(!other->lost && other->template && other->kind == PROXMOX_LXC);
	assert_string_equal(other->name, "");
	assert_string_equal(other->lock, "backup");
	assert_true(
		proxmox_list_has(other->tags, "critical") && !proxmox_list_has(other->tags, "crit"));
	assert_true(proxmox_guest_find(&look, 102)->lost);
	assert_true(look.storages[0].available && look.storages[0].lost);
	assert_null(proxmox_guest_find(&look, 7));
}

#define NODES_ONLY "{\"data\":[{\"type\":\"node\",\"node\":\"a\",\"status\":\"online\"}]}"

static void empty_list_without_rights_names_them_and_asks_once(void **state)
{
	static const struct pve_route routes[] = {{"GET /cluster/resources", .body = NODES_ONLY},
		{"GET /access/permissions", .body = "{\"data\":{}}"}, {.request = NULL}};
	struct stage stage;
	struct proxmox_look look;
	stage_open(&stage, routes, &with_token);
	for (int i = 0; i < 3; i++) {
		assert_true(proxmox_look(stage.proxmox, 10000, stage.arena, &look, &stage.err));
		assert_string_equal(look.denied, "VM.Audit on /vms, Datastore.Audit on /storage");
	}
	assert_int_equal(pve_count(&stage.server, "/access/permissions"), 1);
	stage_close(&stage);
}

static void empty_list_with_rights_is_empty(void **state)
{
	static const struct pve_route routes[] = {{"GET /cluster/resources", .body = NODES_ONLY},
		{"GET /access/permissions",
			.body = "{\"data\":{\"/\":{\"VM.Audit\":1,\"Datastore.Audit\":1},"
					"\"/vms/100\":{\"VM.PowerMgmt\":1}}}"},
		{.request = NULL}};
	struct stage stage;
	struct proxmox_look look;
	struct proxmox_rights rights;
	stage_open(&stage, routes, &with_token);
	assert_true(proxmox_look(stage.proxmox, 10000, stage.arena, &look, &stage.err));
	assert_string_equal(look.denied, "");
	assert_true(proxmox_rights(stage.proxmox, stage.arena, &rights, &stage.err));
	assert_true(proxmox_may(&rights, "/vms/101", "VM.Audit"));
	assert_false(proxmox_may(&rights, "/vms/100", "VM.Audit"));
	assert_true(proxmox_may(&rights, "/vms/100", "VM.PowerMgmt"));
	assert_false(proxmox_may(&rights, "/vms/1000", "VM.PowerMgmt"));
	assert_false(proxmox_may(&rights, "/", "VM.Aud"));
	stage_close(&stage);
}

static void agent_command_is_sent_word_by_word_and_its_end_read(void **state)
{
	static const struct pve_route routes[] = {
		{"POST /nodes/pve1/qemu/100/agent/exec", .body = "{\"data\":{\"pid\":158}}"},
		{"GET /nodes/pve1/qemu/100/agent/exec-status?pid=158", .body = "{\"data\":{\"exited\":0}}",
			.uses = 1},
		{"GET /nodes/pve1/qemu/100/agent/exec-status?pid=158",
			.body = "{\"data\":{\"exited\":1,\"exitcode\":3,\"out-data\":\"a\\nb\"}}"},
		{"POST /nodes/pve1/qemu/100/agent/ping", .status = 500,
			.reason = "QEMU guest agent is not running"},
		{.request = NULL}};
	static const char *const argv[] = {"sh", "-c", "df; echo a&b", NULL};
	struct stage stage;
	struct proxmox_exec exec;
	stage_open(&stage, routes, &with_token);
	assert_true(proxmox_agent_exec(stage.proxmox, vm, argv, 5000, &exec, &stage.err));
	assert_int_equal(exec.exit_code, 3);
	assert_string_equal(exec.out, "a\nb");
	assert_int_equal(
		pve_count(&stage.server, "command=sh&command=-c&command=df%3B%20echo%20a%26b"), 1);
	assert_false(proxmox_agent_ping(stage.proxmox, vm, &stage.err));
	assert_int_equal(proxmox_cause(stage.err.text), PROXMOX_NO_AGENT);
	stage_close(&stage);
}

static void snapshots_are_asked_for_as_the_api_wants_them(void **state)
{
	static const struct pve_route routes[] = {
		{"GET /nodes/pve1/qemu/100/snapshot",
			.body = "{\"data\":[{\"name\":\"current\"},"
					"{\"name\":\"s1\",\"parent\":null,\"snaptime\":\"17\",\"vmstate\":1}]}"},
		{"POST /nodes/pve1/qemu/100/snapshot", .body = "{\"data\":\"" UPID "\"}"},
		{"POST /nodes/pve1/qemu/100/snapshot/s1/rollback", .body = "{\"data\":\"" UPID "\"}"},
		{"DELETE /nodes/pve1/qemu/100/snapshot/s1", .body = "{\"data\":\"" UPID "\"}"},
		{.request = NULL}};
	struct stage stage;
	struct proxmox_snapshot_list list;
	char upid[PROXMOX_UPID_BYTES];
	stage_open(&stage, routes, &with_token);
	assert_true(proxmox_snapshots(stage.proxmox, vm, stage.arena, &list, &stage.err));
	assert_int_equal(list.count, 1);
	assert_true(str_equal(list.rows[0].name, "s1") && list.rows[0].taken_s == 17 &&
		list.rows[0].has_ram && str_equal(list.rows[0].parent, ""));
	assert_true(proxmox_snapshot(stage.proxmox, vm, PROXMOX_SNAPSHOT_TAKE, "s1", upid, &stage.err));
	assert_true(proxmox_snapshot(
		stage.proxmox, vm, PROXMOX_SNAPSHOT_ROLLBACK_START, "s1", upid, &stage.err));
	assert_true(
		proxmox_snapshot(stage.proxmox, vm, PROXMOX_SNAPSHOT_DELETE, "s1", upid, &stage.err));
	assert_int_equal(pve_count(&stage.server, "\r\n\r\nsnapname=s1\n"), 1);
	assert_int_equal(pve_count(&stage.server, "\r\n\r\nstart=1\n"), 1);
	assert_false(
		proxmox_snapshot(stage.proxmox, vm, PROXMOX_SNAPSHOT_DELETE, "../100", upid, &stage.err));
	assert_int_equal(stage.err.kind, ERR_INPUT);
	stage_close(&stage);
}

static void answer_that_is_no_task_is_refused(void **state)
{
	static const struct pve_route routes[] = {
		{"POST /nodes/pve1/qemu/100/status/start", .body = "{\"data\":null}"},
		{"POST /nodes/pve1/status", .body = "{\"data\":null}"}, {.request = NULL}};
	struct stage stage;
	char upid[PROXMOX_UPID_BYTES];
	stage_open(&stage, routes, &with_token);
	assert_false(proxmox_power(stage.proxmox, vm, PROXMOX_START, 0, upid, &stage.err));
	assert_int_equal(stage.err.kind, ERR_INPUT);
	assert_true(proxmox_node_reboot(stage.proxmox, "pve1", &stage.err));
	assert_int_equal(pve_count(&stage.server, "command=reboot"), 1);
	stage_close(&stage);
}

int main(void)
{
	http_global_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_configurations_are_told),
		cmocka_unit_test(token_is_sent_and_no_csrf),
		cmocka_unit_test(ticket_brings_csrf_is_renewed_by_itself_and_dropped_when_refused),
		cmocka_unit_test(wrong_password_is_asked_once_and_told),
		cmocka_unit_test(every_refusal_has_its_kind_and_words),
		cmocka_unit_test(change_whose_end_was_not_seen_is_a_timeout),
		cmocka_unit_test(causes_are_read_from_words),
		cmocka_unit_test(upids_are_taken_apart_and_bad_ones_refused),
		cmocka_unit_test(task_is_followed_to_its_end_over_errors_in_between),
		cmocka_unit_test(failed_task_quotes_its_log_and_names_the_cause),
		cmocka_unit_test(warnings_are_done_with_a_note),
		cmocka_unit_test(task_that_does_not_end_is_a_timeout_and_unknown_one_is_gone),
		cmocka_unit_test(waiting_ends_when_told_to_stop),
		cmocka_unit_test(look_tells_guests_of_an_offline_node_as_lost),
		cmocka_unit_test(empty_list_without_rights_names_them_and_asks_once),
		cmocka_unit_test(empty_list_with_rights_is_empty),
		cmocka_unit_test(agent_command_is_sent_word_by_word_and_its_end_read),
		cmocka_unit_test(snapshots_are_asked_for_as_the_api_wants_them),
		cmocka_unit_test(answer_that_is_no_task_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
