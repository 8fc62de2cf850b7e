/* Hosts: what a unit's state means, what /proc and df say, and how words get over ssh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "detect/detect.h"
#include "diagnose/diagnose.h"
#include "client/host_facts.h"
#include "watch/host_units.h"

#define NOON INT64_C(1761307200000)
#define MINUTE INT64_C(60000)

static struct config *config;
static struct clock *wound;

static int set_up(void **state)
{
	static const char text[] = "hosts: [{ name: nas }]\n";
	struct err err;
	(void)state;
	config = config_parse("test", text, strlen(text), true, &err);
	wound = clock_new_wound(NOON);
	return config != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	config_free(config);
	clock_free(wound);
	return 0;
}

static const struct unit crashed = {.name = "web.service",
	.active = "failed",
	.sub = "failed",
	.type = "simple",
	.restart = "no",
	.result = "exit-code",
	.exit_code = 1,
	.exit_status = 1,
	.limit_burst = 5,
	.inactive_enter_us = (uint64_t)(NOON - 5000) * 1000};

/* What is concluded of a unit, at once. */
static struct finding conclude(const struct unit *unit, struct unit_memo *memo)
{
	struct source_context context = {.config = config, .clock = wound};
	struct component component = {.kind = COMPONENT_SERVICE, .label = "web", .name = "service_web"};
	struct observation seen = observation_of(&component, ASPECT_STATE);
	struct finding finding;
	host_unit_judge(unit, memo, &context, &seen);
	detect(&seen, config, FINDING_NONE, clock_wall_ms(wound), &finding);
	return finding;
}

static void expect(
	const struct unit *unit, struct unit_memo memo, enum finding_kind kind, const char *words)
{
	struct finding finding = conclude(unit, &memo);
	if (finding.kind != kind)
		fail_msg("%s, not %s: %s%s", finding_kind_name(finding.kind), finding_kind_name(kind),
			finding.issue, finding.why);
	if (strstr(finding.issue, words) == NULL && strstr(finding.why, words) == NULL)
		fail_msg("no \"%s\" in: %s%s", words, finding.issue, finding.why);
}

static void each_state_of_a_unit_has_its_meaning(void **state)
{
	(void)state;
	struct unit unit = {.active = "active", .sub = "running", .type = "simple", .restart = "no"};
	expect(&unit, (struct unit_memo){0}, FINDING_NONE, "");
	STR_SET(unit.active, "activating");
	expect(&unit, (struct unit_memo){0}, FINDING_UNSURE, "starting");
	STR_SET(unit.sub, "auto-restart");
	expect(&unit, (struct unit_memo){0}, FINDING_UNSURE, "restarting it by itself");
	STR_SET(unit.active, "deactivating");
	STR_SET(unit.sub, "stop-sigterm");
	expect(&unit, (struct unit_memo){0}, FINDING_UNSURE, "stopping");
	STR_SET(unit.active, "inactive");
	expect(&unit, (struct unit_memo){0}, FINDING_FINE, "stopped by a person");
	STR_SET(unit.type, "oneshot");
	expect(&unit, (struct unit_memo){0}, FINDING_FINE, "finished its work");
}

static void each_result_of_a_failure_is_told_in_words(void **state)
{
	(void)state;
	static const struct {
		const char *result;
		int status;
		const char *words;
	} results[] = {
		{"exit-code", 7, "Service 'web' failed: its process ended with exit code 7"},
		{"signal", 9, "ended by signal 9"},
		{"core-dump", 11, "ended by signal 11 (core dumped)"},
		{"oom-kill", 9, "for want of memory"},
		{"timeout", 15, "did not start or stop in time"},
		{"watchdog", 6, "watchdog"},
		{"something-new", 0, "systemd says: something-new"},
	};
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		struct unit unit = crashed;
		STR_SET(unit.result, results[i].result);
		unit.exit_status = results[i].status;
		expect(&unit, (struct unit_memo){.ran = true}, FINDING_FAILED, results[i].words);
	}
}

static void a_stop_that_ends_with_an_error_is_a_persons(void **state)
{
	(void)state;
	struct unit unit = crashed;
	expect(&unit, (struct unit_memo){.ran = true, .stopping = true}, FINDING_FINE, "by a person");
	unit.exit_status = 143;
	expect(&unit, (struct unit_memo){.ran = true, .job_unknown = true}, FINDING_FINE, "person");
	/* nobody asked systemd for anything: was it told to end, or did it end so by itself? */
	expect(&unit, (struct unit_memo){.ran = true}, FINDING_EXITED_UNSEEN, "143");
	/* a job too quick to be seen, and an ordinary error: a stop, or a restart that failed */
	unit.exit_status = 1;
	unit.active_enter_us = unit.inactive_enter_us - UINT64_C(3600000000);
	expect(&unit, (struct unit_memo){.ran = true, .job_unknown = true}, FINDING_EXITED_UNSEEN, "1");
	/* … but not where it had only just been started */
	unit.active_enter_us = unit.inactive_enter_us - 1000;
	expect(&unit, (struct unit_memo){.ran = true, .job_unknown = true}, FINDING_FAILED, "1");
}

static void what_systemd_gave_up_is_a_persons_to_judge(void **state)
{
	(void)state;
	struct unit unit = crashed;
	STR_SET(unit.restart, "on-failure");
	unit.restarts = 4;
	expect(&unit, (struct unit_memo){.ran = true}, FINDING_FAILED, "exit code 1");
	unit.restarts = 5;
	expect(&unit, (struct unit_memo){.ran = true}, FINDING_GAVE_UP, "5 times and gave it up");
	unit = crashed;
	STR_SET(unit.result, "start-limit-hit");
	expect(&unit, (struct unit_memo){.ran = true}, FINDING_GAVE_UP, "too often");
	unit = crashed;
	STR_SET(unit.type, "oneshot");
	expect(&unit, (struct unit_memo){0}, FINDING_GAVE_UP, "a job that runs once");
}

static void what_failed_long_before_we_came_is_not_restarted_unasked(void **state)
{
	(void)state;
	struct unit unit = crashed;
	struct unit_memo memo = {0};
	unit.inactive_enter_us = (uint64_t)(NOON - 3 * 24 * 60 * MINUTE) * 1000;
	assert_int_equal(conclude(&unit, &memo).kind, FINDING_EXITED_UNSEEN);
	/* … also at the next look; but a new failure is one */
	assert_int_equal(conclude(&unit, &memo).kind, FINDING_EXITED_UNSEEN);
	unit.inactive_enter_us = (uint64_t)NOON * 1000;
	assert_int_equal(conclude(&unit, &memo).kind, FINDING_FAILED);
	/* what was seen to run, and failed while it was watched, is one whenever it is looked at */
	struct unit_memo ran = {.ran = true};
	unit.inactive_enter_us = (uint64_t)(NOON - 60 * MINUTE) * 1000;
	assert_int_equal(conclude(&unit, &ran).kind, FINDING_FAILED);
}

static void a_loop_of_restarts_is_found_though_no_limit_is_hit(void **state)
{
	(void)state;
	struct unit unit = {.active = "activating", .sub = "auto-restart", .restart = "always"};
	struct unit_memo memo = {0};
	unit.restarts = 100; /* of months */
	assert_int_equal(conclude(&unit, &memo).kind, FINDING_UNSURE);
	for (unit.restarts = 101; unit.restarts < 105; unit.restarts++)
		assert_int_equal(conclude(&unit, &memo).kind, FINDING_UNSURE);
	assert_int_equal(conclude(&unit, &memo).kind, FINDING_GAVE_UP);
	/* that it runs for a moment between two crashes changes nothing */
	STR_SET(unit.active, "active");
	STR_SET(unit.sub, "running");
	assert_int_equal(conclude(&unit, &memo).kind, FINDING_GAVE_UP);
	/* once it has lasted, it is well; and so when somebody has started it anew */
	clock_advance(wound, config->brakes.budget_ms + 1);
	assert_int_equal(conclude(&unit, &memo).kind, FINDING_NONE);
	memo.loops_until = INT64_MAX;
	unit.restarts = 0;
	assert_int_equal(conclude(&unit, &memo).kind, FINDING_NONE);
}

static void services_are_restarted_others_are_not_ours(void **state)
{
	(void)state;
	struct component service = {.kind = COMPONENT_SERVICE}, mcp = {.kind = COMPONENT_MCP};
	struct diagnosis diagnosis;
	static const enum finding_kind kinds[] = {
		FINDING_FAILED, FINDING_GAVE_UP, FINDING_EXITED_UNSEEN};
	for (size_t i = 0; i < 3; i++) {
		diagnose_by_rules(kinds[i], &service, NULL, &diagnosis);
		assert_string_equal(diagnosis.action, "systemd.unit.restart");
	}
	diagnose_by_rules(FINDING_FAILED, &mcp, NULL, &diagnosis);
	assert_string_equal(diagnosis.action, "");
}

static void proc_is_read_as_the_kernel_writes_it(void **state)
{
	(void)state;
	struct cpu_times times;
	struct memory_use memory;
	assert_true(read_cpu_times("cpu  100 5 50 800 40 0 5 0 0 0\ncpu0 1 2 3 4\n", &times));
	assert_int_equal(times.total, 1000);
	assert_int_equal(times.idle, 840);
	assert_false(read_cpu_times("cpu0 1 2 3 4\n", &times));
	assert_false(read_cpu_times("", &times));
	assert_true(read_memory(
		"MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    250 kB\n", &memory));
	assert_int_equal(memory.total_bytes, 1024000);
	assert_int_equal(memory.available_bytes, 256000);
	/* kernels before 3.14 */
	assert_true(read_memory("MemTotal: 1000 kB\nMemFree: 10 kB\n", &memory));
	assert_int_equal(memory.available_bytes, 10240);
	assert_false(read_memory("MemTotal: 1000 kB\n", &memory));
	assert_false(read_memory("MemTotal: 10 kB\nMemAvailable: 20 kB\n", &memory));
}

static void the_fullest_disk_is_found_among_what_is_none(void **state)
{
	(void)state;
	static const char table[] =
		"Filesystem     Type     1024-blocks     Used Available Capacity Mounted on\n"
		"udev           devtmpfs     1000000        0   1000000       0% /dev\n"
		"/dev/sda1      ext4        20000000 10000000   9000000      53% /\n"
		"tmpfs          tmpfs            100      100         0     100% /run/lock\n"
		"/dev/loop3     squashfs         100      100         0     100% /snap/core\n"
		"overlay        overlay     20000000 19000000         0     100% /var/lib/docker/o\n"
		"/dev/sdb1      xfs        100000000 90000000  10000000      90% /srv/my films\n"
		"rpool/data     zfs          5000000   100000   4900000       2% /rpool\n";
	struct disk_use disk;
	assert_true(read_disks(table, &disk));
	assert_string_equal(disk.mount, "/srv/my films");
	assert_int_equal(disk.used_bytes, INT64_C(90000000) * 1024);
	assert_int_equal(disk.free_bytes, INT64_C(10000000) * 1024);
	assert_false(read_disks("df: not found\n", &disk));
	assert_false(read_disks("", &disk));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_of_a_unit_has_its_meaning),
		cmocka_unit_test(each_result_of_a_failure_is_told_in_words),
		cmocka_unit_test(a_stop_that_ends_with_an_error_is_a_persons),
		cmocka_unit_test(what_systemd_gave_up_is_a_persons_to_judge),
		cmocka_unit_test(what_failed_long_before_we_came_is_not_restarted_unasked),
		cmocka_unit_test(a_loop_of_restarts_is_found_though_no_limit_is_hit),
		cmocka_unit_test(services_are_restarted_others_are_not_ours),
		cmocka_unit_test(proc_is_read_as_the_kernel_writes_it),
		cmocka_unit_test(the_fullest_disk_is_found_among_what_is_none),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
