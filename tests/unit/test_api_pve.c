/* Live facts of Proxmox VE, from the simulated cluster through the API to the command line: what is
 * there, what is not known, and that a source out of reach hides no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/http.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/redact.h"
#include "base/secret.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "report/pve.h"
#include "report/report.h"
#include "sim/proxmox.h"

#define TOKEN "01234567-89ab-cdef-0123-456789abcdef"

static const char *const script[] = {
	"node pve1 ip=127.0.1.1 cpu=0.25 used=0.6",
	"node pve2 ip=127.0.1.2",
	"vm 100 pve1 web agent tags=prod",
	"ct 104 pve1 vpn",
	"ct 200 pve2 dns stopped",
	"ct 201 pve2 old lock=backup",
	"vm 900 pve2 base stopped template",
	"storage local all content=backup,images",
	"storage nas all shared content=backup",
	"job nightly nas 02:00 100,104,200",
	"backup 100 nas 3h",
	"backup 200 nas 40d",
	"backup 201 nas 2d",
};

static struct sim_proxmox *sim;
static struct sim_site *site;
static struct clock *the_clock;
static struct config *config;
static struct api *api;
static struct mailbox *inbox;
static struct arena *arena;
static char folder[64], control[96], config_file[96];
static char *said, *complained;

static void write_config(const char *more)
{
	struct err err = {0};
	char text[2048], ca[96];
	STR_FORMAT(ca, "%s/ca.pem", folder);
	STR_FORMAT(text,
		"state: %s\ncontrol: %s\nlisten: none\nproxmox:\n"
		"- {name: lab, url: 'https://127.0.1.1:%d', token_id: root@pam!full, token_secret: " TOKEN
		", ca_file: %s, critical: [200]}\n%s",
		folder, control, sim_site_port(site), ca, more);
	assert_true(file_write(config_file, text, strlen(text), &err));
	config = config_load(config_file, &err);
	if (config == NULL)
		fail_msg("%s", err.text);
}

static void serve(const char *more)
{
	struct err err = {0};
	write_config(more);
	const struct api_config settings = {
		.config = config, .clock = the_clock, .core = inbox, .control = control};
	api = api_start(&settings, &err);
	if (api == NULL)
		fail_msg("%s", err.text);
}

static struct json get(const char *path, int status)
{
	struct http_reply reply = {0};
	struct err err = {0};
	struct json root;
	if (!control_call(control, path, NULL, arena, &reply, &err))
		fail_msg("%s: %s", path, err.text);
	if (reply.status != status)
		fail_msg("%s: %d, not %d: %s", path, reply.status, status, reply.body);
	assert_null(strstr(reply.body, TOKEN));
	if (!json_parse(arena, reply.body, reply.body_bytes, &root, &err))
		fail_msg("%s: %s", err.text, reply.body);
	return root;
}

static int call_words(const char *const *words)
{
	size_t said_bytes, complained_bytes;
	int argc = 0;
	free(said);
	free(complained);
	while (words[argc] != NULL)
		argc++;
	FILE *out = open_memstream(&said, &said_bytes);
	FILE *complaints = open_memstream(&complained, &complained_bytes);
	FILE *in = fopen("/dev/null", "r");
	int code = cli_main(argc, words, in, out, complaints);
	fclose(in);
	fclose(out);
	fclose(complaints);
	return code;
}
#define CALL(...) \
	call_words((const char *const[]){"homeostat", "-c", config_file, __VA_ARGS__, NULL})
#define HAS(text, part) \
	do { \
		if (strstr((text), (part)) == NULL) \
			fail_msg("no \"%s\" in:\n%s", (part), (text)); \
	} while (0)

static const char *text_of(struct json object, const char *key)
{
	const char *text = json_str(json_get(object, key), arena);
	return text != NULL ? text : "";
}

/* The row whose member has this text or number; fails when there is none. */
static struct json row_of(struct json root, const char *list, const char *key, const char *value)
{
	struct json rows = json_get(root, list);
	for (struct json row = json_first(rows); json_is(row); row = json_next(row))
		if (strcmp(text_of(row, key), value) == 0)
			return row;
	fail_msg("%s: no %s %s", list, key, value);
	return root;
}

static void nodes_have_their_figures_and_guests(void **state)
{
	serve("");
	struct json root = get("/api/v1/nodes", 200);
	assert_int_equal(json_count(json_get(root, "nodes")), 2);
	assert_int_equal(json_count(json_get(root, "troubles")), 0);
	struct json pve1 = row_of(root, "nodes", "name", "pve1");
	assert_string_equal(text_of(pve1, "source"), "lab");
	assert_string_equal(text_of(pve1, "state"), "online");
	assert_int_equal(json_int(json_get(pve1, "guests_running"), -1), 2);
	assert_int_equal(json_int(json_get(pve1, "guests"), -1), 2);
	double used = json_num(json_get(pve1, "memory_bytes"), 0);
	double most = json_num(json_get(pve1, "memory_max_bytes"), 1);
	assert_true(used / most > 0.4 && used / most < 0.8); /* it sways */
	struct json pve2 = row_of(root, "nodes", "name", "pve2");
	assert_int_equal(json_int(json_get(pve2, "guests_running"), -1), 1);
	assert_int_equal(json_int(json_get(pve2, "guests"), -1), 2); /* without the template */
	assert_int_equal(CALL("nodes"), CLI_DONE);
	HAS(said, "NODE  SOURCE  STATE");
	HAS(said, "pve1  lab     online");
	HAS(said, " % of 24 GiB");
	HAS(said, "1 of 2 run");
	assert_int_equal(CALL("nodes", "--json"), CLI_DONE);
	assert_true(str_starts(said, "{\"nodes\":[{\"name\":\"pve1\""));
}

static void guests_have_what_marks_them(void **state)
{
	serve("");
	struct json root = get("/api/v1/guests", 200);
	struct json list = json_get(root, "guests");
	assert_int_equal(json_count(list), 5);
	struct json dns = row_of(root, "guests", "name", "dns");
	assert_int_equal(json_int(json_get(dns, "vmid"), 0), 200);
	assert_string_equal(text_of(dns, "kind"), "lxc");
	assert_string_equal(text_of(dns, "state"), "stopped");
	assert_true(json_bool(json_get(dns, "critical"), false));
	assert_false(json_bool(json_get(row_of(root, "guests", "name", "web"), "critical"), true));
	assert_string_equal(text_of(row_of(root, "guests", "name", "old"), "lock"), "backup");
	assert_true(json_bool(json_get(row_of(root, "guests", "name", "base"), "template"), false));
	int64_t before = 0;
	for (struct json row = json_first(list); json_is(row); row = json_next(row)) {
		assert_true(json_int(json_get(row, "vmid"), 0) > before);
		before = json_int(json_get(row, "vmid"), 0);
	}
	assert_int_equal(CALL("guests"), CLI_DONE);
	HAS(said, "200  lxc   dns   pve2  stopped");
	HAS(said, "critical");
	HAS(said, "locked: backup");
	HAS(said, "prod");
	assert_null(strstr(said, "base"));
}

static void backups_have_a_verdict_each(void **state)
{
	static const struct {
		const char *name, *verdict;
	} verdicts[] = {{"web", "good"}, {"vpn", "missing"}, {"dns", "late"}, {"old", "unscheduled"}};
	serve("");
	struct json root = get("/api/v1/backups", 200);
	assert_int_equal(json_count(json_get(root, "backups")), 4);
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		struct json row = row_of(root, "backups", "name", verdicts[i].name);
		if (strcmp(text_of(row, "verdict"), verdicts[i].verdict) != 0)
			fail_msg(
				"%s: %s, not %s", verdicts[i].name, text_of(row, "verdict"), verdicts[i].verdict);
	}
	struct json one = get("/api/v1/backups/100", 200);
	assert_int_equal(json_count(json_get(one, "backups")), 1);
	struct json web = row_of(one, "backups", "name", "web");
	assert_string_equal(text_of(web, "storage"), "nas");
	assert_string_equal(text_of(web, "schedule"), "02:00");
	assert_true(json_int(json_get(web, "newest_bytes"), 0) > 0);
	struct json none = get("/api/v1/backups/777", 404);
	HAS(text_of(none, "detail"), "homeostat guests");
	assert_int_equal(CALL("backup"), CLI_DONE);
	HAS(said, "BACKUP");
	HAS(said, "100  web   good");
	HAS(said, "3 hours ago");
	assert_int_equal(CALL("backup", "200"), CLI_DONE);
	HAS(said, "late");
	assert_null(strstr(said, "web"));
	assert_int_equal(CALL("backup", "777"), CLI_FAILED);
	assert_int_equal(CALL("backup", "web"), CLI_USAGE);
}

static void a_source_out_of_reach_hides_no_other(void **state)
{
	serve("- {name: gone, url: 'http://127.0.0.1:1', token_id: a@pve!b2, token_secret: xxxxxx}\n"
		  "- {name: unset, url: 'http://127.0.0.1:2', token_id: a@pve!b2, token_secret: "
		  "secret:nowhere}\n");
	struct json root = get("/api/v1/nodes", 200);
	assert_int_equal(json_count(json_get(root, "nodes")), 2);
	HAS(text_of(row_of(root, "troubles", "source", "gone"), "text"), "proxmox gone: ");
	HAS(text_of(row_of(root, "troubles", "source", "unset"), "text"),
		"homeostat secret set nowhere");
	assert_int_equal(CALL("nodes"), CLI_FAILED);
	HAS(said, "pve1  lab");
	HAS(complained, "warning: proxmox gone: ");
}

static void take_down(struct sim_proxmox *world, void *ctx)
{
	char text[200];
	if (!sim_proxmox_script(world, ctx, text, sizeof(text)))
		fail_msg("%s", text);
}

static void of_a_dead_nodes_guests_nothing_is_claimed(void **state)
{
	char down[] = "down pve2";
	serve("");
	sim_site_do(site, take_down, down);
	struct json root = get("/api/v1/guests", 200);
	bool offline = false;
	for (int i = 0; i < 400 && !offline; i++) { /* corosync needs some seconds to notice */
		struct json node = row_of(get("/api/v1/nodes", 200), "nodes", "name", "pve2");
		offline = strcmp(text_of(node, "state"), "offline") == 0;
		if (!offline)
			clock_wait(the_clock, 100, -1);
		arena_free(arena);
		arena = arena_new(64 << 20);
	}
	assert_true(offline);
	root = get("/api/v1/guests", 200);
	assert_string_equal(text_of(row_of(root, "guests", "name", "old"), "state"), "unknown");
	assert_string_equal(text_of(row_of(root, "guests", "name", "web"), "state"), "running");
}

static void without_any_the_cure_is_said(void **state)
{
	struct err err = {0};
	static const char text[] = "docker: [{name: local}]\n";
	config = config_parse("f.yaml", text, strlen(text), true, &err);
	assert_non_null(config);
	const struct api_config settings = {
		.config = config, .clock = the_clock, .core = inbox, .control = control};
	api = api_start(&settings, &err);
	assert_non_null(api);
	HAS(text_of(get("/api/v1/nodes", 404), "detail"), "proxmox:");
	HAS(text_of(get("/api/v1/guests", 404), "detail"), "proxmox:");
	HAS(text_of(get("/api/v1/backups", 404), "detail"), "proxmox:");
	HAS(text_of(get("/api/v1/backups/100", 404), "detail"), "proxmox:");
}

static void what_all_sources_refuse_is_a_problem(void **state)
{
	struct err err = {0};
	static const char text[] =
		"proxmox: [{url: 'http://127.0.0.1:1', token_id: a@pve!b2, token_secret: xxxxxx}]\n";
	config = config_parse("f.yaml", text, strlen(text), true, &err);
	assert_non_null(config);
	const struct api_config settings = {
		.config = config, .clock = the_clock, .core = inbox, .control = control};
	api = api_start(&settings, &err);
	assert_non_null(api);
	HAS(text_of(get("/api/v1/nodes", 503), "detail"), "proxmox pve: ");
}

static int set_up(void **state)
{
	struct err err = {0};
	char text[200], ca[96];
	arena = arena_new(64 << 20);
	STR_SET(folder, "/tmp/test-api-pve-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	STR_FORMAT(control, "%s/control.sock", folder);
	STR_FORMAT(config_file, "%s/homeostat.yaml", folder);
	STR_FORMAT(ca, "%s/ca.pem", folder);
	the_clock = clock_new_real();
	inbox = mailbox_new(8);
	sim = sim_proxmox_new(the_clock);
	for (size_t i = 0; i < sizeof(script) / sizeof(script[0]); i++)
		if (!sim_proxmox_script(sim, script[i], text, sizeof(text)))
			fail_msg("%s: %s", script[i], text);
	const char *pem = sim_proxmox_ca_pem(sim);
	site = sim_site_start(sim, the_clock);
	return site == NULL || !file_write(ca, pem, strlen(pem), &err);
}

static int tear_down(void **state)
{
	static const char *const names[] = {"ca.pem", "homeostat.yaml", "secret.key"};
	api_stop(api);
	api = NULL;
	sim_site_stop(site);
	sim_proxmox_free(sim);
	config_free(config);
	mailbox_free(inbox);
	clock_free(the_clock);
	arena_free(arena);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];
		STR_FORMAT(path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static int begin(void **state)
{
	log_init(LOG_ERROR);
	secret_init();
	http_global_init();
	return 0;
}

static int end(void **state)
{
	free(said);
	free(complained);
	secret_done();
	redact_reset();
	return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nodes_have_their_figures_and_guests),
		CASE(guests_have_what_marks_them),
		CASE(backups_have_a_verdict_each),
		CASE(a_source_out_of_reach_hides_no_other),
		CASE(of_a_dead_nodes_guests_nothing_is_claimed),
		CASE(without_any_the_cure_is_said),
		CASE(what_all_sources_refuse_is_a_problem),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
