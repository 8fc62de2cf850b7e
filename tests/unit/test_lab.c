/* The lab itself: which world answers at which address, and that what fails there fails as on the
 * wire. Clients are the product's own. */
#include "tests/lab_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "client/proxmox.h"
#include "sim/proxmox.h"

static int set_up(void **state)
{
	static const char *const lines[] = {"node pve1", "node pve2", "node pve3", "vm 100 pve1 web",
		"ct 200 pve2 dns", "vm 101 pve3 db stopped"};
	struct lab *lab = lab_new("");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char line[80];
		STR_FORMAT(line, "pve: %s", lines[i]);
		lab_script(lab, line);
	}
	*state = lab;
	return 0;
}

static int tear_down(void **state)
{
	lab_free(*state);
	return 0;
}

static struct proxmox *client_at(
	struct lab *lab, const char *url, const char *fingerprint, const char *ca_file)
{
	struct err err = {0};
	const struct config_proxmox config = {.name = "pve",
		.url = url,
		.token_id = "root@pam!full",
		.token_secret = strrchr(SIM_PVE_TOKEN, '=') + 1,
		.fingerprint = fingerprint,
		.ca_file = ca_file};
	struct proxmox *proxmox = proxmox_open(&config, lab->clock, -1, &err);
	if (proxmox == NULL)
		fail_msg("%s", err.text);
	return proxmox;
}

static struct proxmox *client_of(struct lab *lab, const char *node)
{
	char url[64];
	STR_FORMAT(url, "https://%s:8006", node);
	return client_at(lab, url, sim_proxmox_fingerprint(lab_world(lab, &lab_pve), node), NULL);
}

static struct err look_error(struct proxmox *proxmox)
{
	struct err err = {0};
	struct proxmox_look look;
	auto_arena arena = arena_new((size_t)32 << 20);
	if (proxmox_look(proxmox, 15000, arena, &look, &err))
		fail_msg("a look that was to fail saw %d guests", look.guest_count);
	return err;
}

static void expect_guests(struct proxmox *proxmox, int count)
{
	struct err err = {0};
	struct proxmox_look look;
	auto_arena arena = arena_new((size_t)32 << 20);
	if (!proxmox_look(proxmox, 15000, arena, &look, &err))
		fail_msg("%s", err.text);
	assert_int_equal(look.guest_count, count);
}

static void a_client_of_the_cluster_meets_the_cluster(void **state)
{
	struct proxmox *proxmox = client_of(*state, "pve2");
	struct err err = {0};
	struct proxmox_cluster cluster;
	auto_arena arena = arena_new((size_t)8 << 20);
	expect_guests(proxmox, 3);
	assert_true(proxmox_cluster(proxmox, 5000, arena, &cluster, &err));
	assert_int_equal(cluster.count, 3);
	for (int i = 0; i < 3; i++) /* the one that was asked is the URL's */
		assert_int_equal(cluster.members[i].local, strcmp(cluster.members[i].name, "pve2") == 0);
	proxmox_close(proxmox);
}

static void a_task_that_is_waited_for_takes_its_time(void **state)
{
	struct lab *lab = *state;
	struct proxmox *proxmox = client_of(lab, "pve1");
	struct proxmox_at at = {"pve3", PROXMOX_QEMU, 101};
	struct proxmox_result result;
	struct err err = {0};
	char upid[PROXMOX_UPID_BYTES];
	assert_string_equal(lab_guest(lab, 101), "stopped");
	int64_t before = clock_mono_ms(lab->clock);
	assert_true(proxmox_power(proxmox, at, PROXMOX_START, 0, upid, &err));
	assert_true(proxmox_task_wait(proxmox, upid, 60000, &result, &err));
	assert_true(result.ok);
	assert_true(clock_mono_ms(lab->clock) - before >= 1000);
	assert_string_equal(lab_guest(lab, 101), "running");
	assert_int_equal(lab_pve_posts(lab, "POST /nodes/pve3/qemu/101/status/start"), 1);
	assert_int_equal(lab_posts(lab, "*"), 0);
	proxmox_close(proxmox);
}

static void nodes_that_do_not_answer_fail_as_on_the_wire(void **state)
{
	static const struct {
		const char *line;
		enum err_kind kind;
		const char *words;
	} cases[] = {
		{"pve: down pve1", ERR_RETRY, "No route to host"},
		{"pve: hung pve1", ERR_RETRY, "no connection in 5000 ms"},
		{"pve: refusing pve1", ERR_RETRY, "connection refused by https://pve1:8006"},
		{"pve: answers close", ERR_RETRY, "broke after the handshake (Empty reply"},
		{"pve: answers truncated", ERR_RETRY, "cut off"},
		{"pve: answers slow 20000", ERR_TIMEOUT, "no answer in 15 s"},
		{"pve: answers html", ERR_INPUT, "is this the API of a Proxmox VE"},
		{"pve: certificate pve1 changed", ERR_DENIED, "has the fingerprint"},
		{"pve: revoke root@pam!full", ERR_DENIED, "Authentication failed!"},
	};
	struct lab *lab = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct proxmox *proxmox = client_of(lab, "pve1");
		int64_t before = clock_mono_ms(lab->clock);
		lab_script(lab, cases[i].line);
		struct err err = look_error(proxmox);
		assert_int_equal(err.kind, cases[i].kind);
		if (strstr(err.text, cases[i].words) == NULL)
			fail_msg("%s: %s", cases[i].line, err.text);
		assert_int_equal(clock_mono_ms(lab->clock), before);
		proxmox_close(proxmox);
		lab_script(lab, "pve: answers ok");
		lab_script(lab, "pve: up pve1");
	}
}

static void a_certificate_that_nobody_vouches_for_is_refused(void **state)
{
	struct proxmox *proxmox = client_at(*state, "https://pve1:8006", NULL, NULL);
	struct err err = look_error(proxmox);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "ca_file"));
	proxmox_close(proxmox);
}

static void the_clusters_authority_vouches_for_renewed_ones_but_not_for_others(void **state)
{
	struct lab *lab = *state;
	char path[] = "/tmp/homeostat-lab-ca-XXXXXX";
	const char *pem = sim_proxmox_ca_pem(lab_world(lab, &lab_pve));
	int fd = mkstemp(path);
	assert_int_equal(write(fd, pem, strlen(pem)), strlen(pem));
	close(fd);
	struct proxmox *proxmox = client_at(lab, "https://pve1:8006", NULL, path);
	expect_guests(proxmox, 3);
	lab_script(lab, "pve: certificate pve1 changed");
	expect_guests(proxmox, 3);
	lab_script(lab, "pve: certificate pve1 foreign");
	assert_int_equal(look_error(proxmox).kind, ERR_DENIED);
	proxmox_close(proxmox);
	unlink(path);
}

static void when_the_configured_node_is_down_another_is_asked(void **state)
{
	struct lab *lab = *state;
	struct proxmox *proxmox = client_of(lab, "pve1");
	struct err err = {0};
	struct proxmox_cluster cluster;
	auto_arena arena = arena_new((size_t)8 << 20);
	assert_true(proxmox_cluster(proxmox, 5000, arena, &cluster, &err));
	lab_script(lab, "pve: down pve1");
	expect_guests(proxmox, 3);
	assert_string_equal(proxmox_address(proxmox), "https://10.99.0.12:8006");
	proxmox_close(proxmox);
}

static void calls_to_both_worlds_fail_by_number(void **state)
{
	struct lab *lab = *state;
	struct proxmox *proxmox = client_of(lab, "pve1");
	struct proxmox_version version;
	struct err err = {0};
	lab_fail_http(lab, 2, FAULT_BEFORE);
	assert_true(proxmox_version(proxmox, &version, &err));
	assert_false(lab_fault_happened(lab));
	assert_false(proxmox_version(proxmox, &version, &err));
	assert_string_equal(err.text, "injected: the connection broke");
	assert_true(lab_fault_happened(lab));
	assert_true(proxmox_version(proxmox, &version, &err));
	assert_int_equal(lab_calls(lab), 3);
	proxmox_close(proxmox);
}

static void an_address_of_no_world_is_an_error_that_says_so(void **state)
{
	static const char *const urls[] = {"https://pve1:443", "https://nowhere.example:8006"};
	for (size_t i = 0; i < 2; i++) {
		struct proxmox *proxmox = client_at(*state, urls[i], NULL, NULL);
		struct err err = look_error(proxmox);
		assert_int_equal(err.kind, ERR_RETRY);
		if (strstr(err.text, urls[i]) == NULL)
			fail_msg("%s", err.text);
		proxmox_close(proxmox);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_client_of_the_cluster_meets_the_cluster, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_task_that_is_waited_for_takes_its_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			nodes_that_do_not_answer_fail_as_on_the_wire, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_certificate_that_nobody_vouches_for_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_clusters_authority_vouches_for_renewed_ones_but_not_for_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			when_the_configured_node_is_down_another_is_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(calls_to_both_worlds_fail_by_number, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_address_of_no_world_is_an_error_that_says_so, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
