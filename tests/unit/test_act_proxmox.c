/*
 * The Proxmox VE actions against the simulated cluster: every line of the power table, every rule
 * of what forbids to act, and the world changing under them.
 */
#include "proxmox_act.h"

#define START(guest) ((const struct deed){.action = "proxmox.guest.start", .native = guest})
#define STOP(guest) ((const struct deed){.action = "proxmox.guest.stop", .native = guest})
#define SHUTDOWN(guest) ((const struct deed){.action = "proxmox.guest.shutdown", .native = guest})
#define REBOOT(guest) ((const struct deed){.action = "proxmox.guest.reboot", .native = guest})

#define POSTS(pattern) sim_proxmox_posts(here->sim, pattern)

/* --- the power table, line by line --- */

static void power_as_the_table_says(void **state)
{
	static const struct {
		const char *line;
		struct deed deed;
		enum act_result result;
		const char *text, *after;
		int vmid, posts;
	} rows[] = {
		{"vm 104 pve1 x stopped", START("qemu/104"), ACT_DONE,
			"Successfully started VM/Container 104", "running", 104, 1},
		{"ct 104 pve2 x stopped", START("lxc/104"), ACT_DONE,
			"Successfully started VM/Container 104", "running", 104, 1},
		{NULL, START("qemu/100"), ACT_DONE, "VM/Container 100 runs already", "running", 100, 0},
		{NULL, START("lxc/200"), ACT_DONE, "VM/Container 200 runs already", "running", 200, 0},
		{NULL, STOP("qemu/100"), ACT_DONE, "Successfully stopped VM/Container 100", "stopped", 100,
			1},
		{NULL, STOP("lxc/200"), ACT_DONE, "Successfully stopped VM/Container 200", "stopped", 200,
			1},
		{"stop 100", STOP("qemu/100"), ACT_DONE, "is stopped already", "stopped", 100, 0},
		{"stop 200", STOP("lxc/200"), ACT_DONE, "is stopped already", "stopped", 200, 0},
		{NULL, SHUTDOWN("qemu/100"), ACT_DONE, "Successfully stopped VM/Container 100", "stopped",
			100, 1},
		{NULL, SHUTDOWN("lxc/200"), ACT_DONE, "Successfully stopped VM/Container 200", "stopped",
			200, 1},
		{"stop 100", SHUTDOWN("qemu/100"), ACT_DONE, "is stopped already", "stopped", 100, 0},
		{"stop 200", SHUTDOWN("lxc/200"), ACT_DONE, "is stopped already", "stopped", 200, 0},
		{NULL, REBOOT("qemu/100"), ACT_DONE, "Successfully restarted VM/Container 100", "running",
			100, 1},
		{NULL, REBOOT("lxc/200"), ACT_DONE, "Successfully restarted VM/Container 200", "running",
			200, 1},
		{"stop 100", REBOOT("qemu/100"), ACT_REFUSED, "it is stopped", "stopped", 100, 0},
		{"lock 100 backup", REBOOT("qemu/100"), ACT_HELD, "locked (backup)", "running", 100, 0},
		{NULL, START("qemu/103"), ACT_HELD, "locked (backup)", "stopped", 103, 0},
		{NULL, STOP("qemu/103"), ACT_DONE, "is stopped already", "stopped", 103, 0},
		{"lock 200 backup", STOP("lxc/200"), ACT_HELD, "locked (backup)", "running", 200, 0},
		{"lock 200 backup", START("lxc/200"), ACT_DONE, "runs already", "running", 200, 0},
		{"pause 100", START("qemu/100"), ACT_REFUSED, "it is paused", "paused", 100, 0},
		{"pause 100", STOP("qemu/100"), ACT_REFUSED, "it is paused", "paused", 100, 0},
		{"pause 100", SHUTDOWN("qemu/100"), ACT_REFUSED, "it is paused", "paused", 100, 0},
		{"pause 100", REBOOT("qemu/100"), ACT_REFUSED, "it is paused", "paused", 100, 0},
		{NULL, START("qemu/9000"), ACT_REFUSED, "it is a template", "stopped", 9000, 0},
		{"destroy 100", START("qemu/100"), ACT_GONE, "does not exist", NULL, 100, 0},
		{NULL, START("lxc/100"), ACT_GONE, "a virtual machine", "running", 100, 0},
		{NULL, START("storage/1"), ACT_FAILED, "is no guest", "running", 100, 0},
		{"lock 103 suspended", START("qemu/103"), ACT_REFUSED, "suspended to disk", "stopped", 103,
			0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const lines[] = {rows[i].line, NULL};
		fresh(state, lines);
		expect_run(&rows[i].deed, rows[i].result, rows[i].text);
		if (rows[i].after != NULL)
			guest_is(rows[i].vmid, rows[i].after);
		assert_int_equal(POSTS("*"), rows[i].posts);
	}
}

static void success_is_worded_exactly(void **state)
{
	play(here, "ct 104 pve2 homelab-agents stopped");
	deed_do(&START("lxc/104"), RUN);
	assert_string_equal(said, "Successfully started VM/Container 104");
	deed_do(&REBOOT("lxc/104"), RUN);
	assert_string_equal(said, "Successfully restarted VM/Container 104");
	deed_do(&STOP("lxc/104"), RUN);
	assert_string_equal(said, "Successfully stopped VM/Container 104");
}

/* What the list says is old: another starts, stops or locks it between our look and our request. */
static void races_end_as_the_table_says(void **state)
{
	static const struct {
		const char *before, *hooked, *line;
		struct deed deed;
		enum act_result result;
		const char *text;
	} rows[] = {
		{"stop 100", "POST *start", "start 100", START("qemu/100"), ACT_DONE, "runs already"},
		{"stop 200", "POST *start", "start 200", START("lxc/200"), ACT_DONE, "runs already"},
		{NULL, "POST *stop", "stop 100", STOP("qemu/100"), ACT_DONE, "stopped"},
		{NULL, "POST *stop", "stop 200", STOP("lxc/200"), ACT_DONE, "is stopped already"},
		{NULL, "POST *shutdown", "stop 200", SHUTDOWN("lxc/200"), ACT_DONE, "is stopped already"},
		{NULL, "POST *reboot", "stop 100", REBOOT("qemu/100"), ACT_FAILED, "VM 100 not running"},
		{NULL, "POST *reboot", "stop 200", REBOOT("lxc/200"), ACT_FAILED, "VM 200 not running"},
		{"stop 100", "POST *start", "lock 100 backup", START("qemu/100"), ACT_HELD,
			"locked (backup)"},
		{NULL, "POST *stop", "lock 200 snapshot", STOP("lxc/200"), ACT_HELD, "locked (snapshot)"},
		{"stop 100", "POST *start", "busy 100 60000", START("qemu/100"), ACT_HELD,
			"another task holds its lock file"},
		{"stop 200", "POST *start", "busy 200 60000", START("lxc/200"), ACT_HELD,
			"another task holds its lock file"},
		{"stop 100", "POST *start", "quorum lost", START("qemu/100"), ACT_HELD,
			"the cluster has no quorum"},
		{"stop 100", "POST *start", "destroy 100", START("qemu/100"), ACT_GONE, "does not exist"},
		{"stop 100", "GET *status/current", "destroy 100", START("qemu/100"), ACT_GONE,
			"does not exist"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const lines[] = {rows[i].before, NULL};
		fresh(state, lines);
		hooks[0] = (struct hook){.request = rows[i].hooked, .line = rows[i].line};
		expect_run(&rows[i].deed, rows[i].result, rows[i].text);
	}
}

static void short_wait_for_a_lock_file_is_no_failure(void **state)
{
	play(here, "stop 100");
	play(here, "busy 100 4000");
	expect_run(&START("qemu/100"), ACT_DONE, "Successfully started");
	guest_is(100, "running");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, stage_open, stage_end)
	const struct CMUnitTest tests[] = {
		CASE(power_as_the_table_says),
		CASE(success_is_worded_exactly),
		CASE(races_end_as_the_table_says),
		CASE(short_wait_for_a_lock_file_is_no_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
