/*
 * The Proxmox VE actions against the simulated cluster: every line of the power table, every rule
 * of what forbids to act, and the world changing under them.
 */
#include "proxmox_act.h"

#define START(guest) ((const struct deed){.action = "proxmox.guest.start", .native = (guest)})
#define STOP(guest) ((const struct deed){.action = "proxmox.guest.stop", .native = (guest)})
#define SHUTDOWN(guest) ((const struct deed){.action = "proxmox.guest.shutdown", .native = (guest)})
#define REBOOT(guest) ((const struct deed){.action = "proxmox.guest.reboot", .native = (guest)})

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
		hooks[0] = (struct hook){.request = rows[i].hooked,
			.line = rows[i].line,
			.wait_ms = str_equal(rows[i].line, "quorum lost") ? 15000 : 0};
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

/* --- quorum --- */

static void nothing_is_begun_without_quorum(void **state)
{
	static const char *const guests[] = {
		"start", "shutdown", "stop", "reboot", "snapshot", "rollback", "snapshot.delete"};
	play_all(here, (const char *const[]){"vm 104 pve1 x stopped", "quorum lost", NULL});
	clock_advance(here->clock, 15000);
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		char name[64];
		STR_FORMAT(name, "proxmox.guest.%s", guests[i]);
		const struct deed deed = {.action = name,
			.native = i == 0 ? "qemu/104" : "qemu/100",
			.params = i >= 4 ? "name=homeostat-a" : NULL,
			.ordered = i % 2 == 0};
		expect_run(&deed, ACT_HELD, "the cluster has no quorum");
	}
	assert_int_equal(POSTS("*"), 0);
	guest_is(100, "running");
	play(here, "quorum back");
	clock_advance(here->clock, 15000);
	expect_run(&START("qemu/104"), ACT_DONE, "Successfully started");
}

static void deaf_guest_is_not_cut_off_when_quorum_went_meanwhile(void **state)
{
	static const char *const names[] = {"proxmox.guest.shutdown", "proxmox.guest.reboot"};
	for (int i = 0; i < 2; i++) {
		fresh(state, (const char *const[]){"deaf 100", NULL});
		hooks[0] = (struct hook){.request = "GET *tasks/*status", .line = "quorum lost", .skip = 3};
		const struct deed deed = {.action = names[i], .native = "qemu/100", .params = "force=1"};
		expect_run(&deed, ACT_HELD, "the cluster has no quorum");
		guest_is(100, "running");
		assert_int_equal(POSTS("*stop"), 0);
	}
}

static void quorum_that_cannot_be_read_is_no_quorum(void **state)
{
	hooks[0] = (struct hook){.request = "GET /cluster/status",
		.status = 403,
		.reason = "Permission check failed (/, Sys.Audit)"};
	expect_run(&STOP("qemu/100"), ACT_FAILED, "Sys.Audit");
	says("pveum");
	assert_int_equal(POSTS("*"), 0);
}

/* --- guests that ignore it --- */

static void deaf_guest_fails_or_is_cut_off_as_the_plan_says(void **state)
{
	static const struct {
		struct deed deed;
		enum act_result result;
		const char *text, *after;
		int vmid;
	} rows[] = {
		{SHUTDOWN("qemu/100"), ACT_FAILED, "did not shut down in 60 s", "running", 100},
		{SHUTDOWN("lxc/200"), ACT_FAILED, "did not shut down in 60 s", "running", 200},
		{{.action = "proxmox.guest.shutdown", .native = "lxc/200", .params = "wait=90"}, ACT_FAILED,
			"did not shut down in 90 s", "running", 200},
		{{.action = "proxmox.guest.shutdown", .native = "qemu/100", .params = "force=1"}, ACT_DONE,
			"Successfully stopped VM/Container 100, by force", "stopped", 100},
		{{.action = "proxmox.guest.shutdown", .native = "lxc/200", .params = "wait=10 force=1"},
			ACT_DONE, "Successfully stopped VM/Container 200, by force", "stopped", 200},
		{REBOOT("qemu/100"), ACT_FAILED, "ignored the request for 60 s (force=1", "running", 100},
		{REBOOT("lxc/200"), ACT_FAILED, "ignored the request for 60 s", "running", 200},
		{{.action = "proxmox.guest.reboot", .native = "qemu/100", .params = "force=1"}, ACT_DONE,
			"Successfully restarted VM/Container 100, by force", "running", 100},
		{{.action = "proxmox.guest.reboot", .native = "lxc/200", .params = "wait=5 force=1"},
			ACT_DONE, "Successfully restarted VM/Container 200, by force", "running", 200},
		{{.action = "proxmox.guest.shutdown", .native = "lxc/200", .params = "wait=3601"},
			ACT_REFUSED, "at most 3600", "running", 200},
		{{.action = "proxmox.guest.reboot", .native = "lxc/200", .params = "wait=3601"},
			ACT_REFUSED, "at most 3600", "running", 200},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fresh(state, (const char *const[]){"deaf 100", "deaf 200", NULL});
		expect_run(&rows[i].deed, rows[i].result, rows[i].text);
		guest_is(rows[i].vmid, rows[i].after);
	}
}

static void guest_locked_meanwhile_is_not_cut_off(void **state)
{
	play(here, "deaf 100");
	hooks[0] = (struct hook){.request = "GET *tasks/*status", .line = "lock 100 backup", .skip = 3};
	const struct deed deed = {
		.action = "proxmox.guest.reboot", .native = "qemu/100", .params = "force=1"};
	expect_run(&deed, ACT_HELD, "locked (backup)");
	guest_is(100, "running");
}

static void stopped_by_force_and_not_startable_is_a_failure(void **state)
{
	play_all(
		here, (const char *const[]){"deaf 100", "prepare-lost 100 start failed: no memory", NULL});
	const struct deed deed = {
		.action = "proxmox.guest.reboot", .native = "qemu/100", .params = "force=1"};
	expect_run(&deed, ACT_FAILED, "it was stopped, and could not be started again: start failed");
	fresh(state, (const char *const[]){"deaf 100", NULL});
	hooks[0] = (struct hook){.request = "POST *start", .line = "lock 100 backup"};
	expect_run(&deed, ACT_FAILED, "could not be started again: locked (backup)");
}

static void orders_reach_what_healing_must_not_touch(void **state)
{
	play_all(here, (const char *const[]){"pause 100", "stop 101", NULL});
	struct deed deed = STOP("qemu/100");
	deed.ordered = true;
	expect_run(&deed, ACT_DONE, "Successfully stopped");
	guest_is(100, "stopped");
	deed = REBOOT("qemu/101");
	deed.ordered = true;
	expect_run(&deed, ACT_DONE, "Successfully restarted VM/Container 101: it was stopped");
	guest_is(101, "running");
}

/* --- tasks --- */

static void failed_task_quotes_its_end(void **state)
{
	play_all(here,
		(const char *const[]){"stop 100", "task 100 fail 30000 start failed: QEMU exited", NULL});
	int64_t before = clock_mono_ms(here->clock);
	expect_run(&START("qemu/100"), ACT_FAILED, "start failed: QEMU exited");
	assert_true(clock_mono_ms(here->clock) - before >= 30000);
	expect_look(&START("qemu/100"), LOOK_UNHEALTHY, "it is stopped");
	/* "does not exist" of its disk is not said of the guest */
	play(here, "prepare-lost 100 volume 'local:vm-100-disk-0' does not exist");
	expect_run(&START("qemu/100"), ACT_FAILED, "volume 'local:vm-100-disk-0' does not exist");
	assert_int_equal(POSTS("*start"), 2);
}

static void warnings_count_as_done_and_are_told(void **state)
{
	play_all(here, (const char *const[]){"stop 100", "task 100 warnings 2", NULL});
	expect_run(&START("qemu/100"), ACT_DONE,
		"Successfully started VM/Container 100, with warnings: WARNINGS: 2");
	guest_is(100, "running");
}

static void killed_task_is_a_failure(void **state)
{
	play_all(here, (const char *const[]){"stop 100", "task 100 killed", NULL});
	expect_run(&START("qemu/100"), ACT_FAILED, "killed");
}

static void task_without_end_is_unknown_and_looked_at(void **state)
{
	play_all(here, (const char *const[]){"stop 100", "task 100 slow 600000", NULL});
	expect_run(&START("qemu/100"), ACT_UNKNOWN, "its end was not seen");
	expect_look(&START("qemu/100"), LOOK_NOT_YET, "qmstart");
	clock_advance(here->clock, 600000);
	expect_look(&START("qemu/100"), LOOK_HEALTHY, "running");
}

static void answers_that_hide_the_end_are_unknown(void **state)
{
	static const struct {
		struct hook hook;
		const char *text;
	} rows[] = {
		{{.request = "POST *start", .status = 596, .reason = "Connection timed out"}, "596"},
		{{.request = "POST *start", .status = 200, .reason = "OK", .body = "<html>hello</html>"},
			"is this the API"},
		{{.request = "POST *start", .status = 200, .reason = "OK", .body = "{\"data\":null}"},
			"task's id"},
		{{.request = "POST *start", .line = "answers close"}, "closed"},
		{{.request = "POST *start", .after = true, .line = "revoke root@pam!full"}, "401"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fresh(state, (const char *const[]){"stop 100", NULL});
		hooks[0] = rows[i].hook;
		expect_run(&START("qemu/100"), ACT_UNKNOWN, rows[i].text);
	}
	expect_look(&START("qemu/100"), LOOK_BLIND, "401");
}

/* Nothing of it left us: it may be tried again without looking first. */
static void what_was_never_sent_was_not_done(void **state)
{
	play(here, "stop 100");
	hooks[0] = (struct hook){.request = "POST *start", .line = "refusing pve1"};
	expect_run(&START("qemu/100"), ACT_FAILED, "connection refused");
	assert_int_equal(POSTS("POST *"), 0);
	play(here, "up pve1");
	expect_run(&START("qemu/100"), ACT_DONE, "Successfully started");
	/* once it is on its way, nobody knows */
	fresh(state, (const char *const[]){"stop 100", NULL});
	hooks[0] = (struct hook){.request = "POST *start", .line = "answers close"};
	expect_run(&START("qemu/100"), ACT_UNKNOWN, "closed");
}

static void answers_before_anything_was_asked_are_failures(void **state)
{
	static const char *const lines[] = {"answers html", "answers close", "answers truncated",
		"revoke root@pam!full", "pmxcfs pve1 down", "hung pve1"};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		fresh(state, (const char *const[]){"alone", "stop 100", lines[i], NULL});
		expect_run(&START("qemu/100"), ACT_FAILED, "proxmox pve");
		expect_look(&START("qemu/100"), LOOK_BLIND, "proxmox pve");
	}
}

static void empty_lists_are_not_taken_for_a_lost_guest(void **state)
{
	play(here, "stop 100");
	play(here, "answers empty");
	assert_int_not_equal(deed_do(&START("qemu/100"), RUN), ACT_GONE);
	assert_int_not_equal(deed_do(&START("qemu/100"), VERIFY), LOOK_MEANT);
	/* an ACL on the guest that replaces what is inherited hides it from the list */
	fresh(state, (const char *const[]){"stop 100", "acl /vms/100 agent@pve VM.PowerMgmt", NULL});
	const struct deed deed = {
		.action = "proxmox.guest.start", .native = "qemu/100", .token = "agent@pve!heal=s1"};
	expect_run(&deed, ACT_FAILED, "VM.Audit");
	expect_look(&deed, LOOK_BLIND, "VM.Audit");
}

static void missing_right_names_privilege_and_command(void **state)
{
	play(here, "stop 101");
	const struct deed deed = {
		.action = "proxmox.guest.start", .native = "qemu/101", .token = "agent@pve!heal=s1"};
	expect_run(&deed, ACT_FAILED, "VM.PowerMgmt");
	says("homeostat check prints the pveum command");
}

/* --- where it is --- */

static void moved_guest_is_found_where_it_is(void **state)
{
	play_all(here, (const char *const[]){"stop 101", "move 101 pve3", NULL});
	expect_run(&START("qemu/101"), ACT_DONE, "Successfully started");
	assert_int_equal(POSTS("POST /nodes/pve3/qemu/101/*"), 1);
	/* between the list and the look, and between the look and the request */
	static const char *const at[] = {"GET *status/current", "POST *start"};
	for (int i = 0; i < 2; i++) {
		fresh(state, (const char *const[]){"stop 101", NULL});
		hooks[0] = (struct hook){.request = at[i], .line = "move 101 pve3"};
		expect_run(&START("qemu/101"), ACT_DONE, "Successfully started");
		guest_is(101, "running");
		assert_int_equal(POSTS("POST /nodes/pve3/qemu/101/*"), 1);
		expect_look(&START("qemu/101"), LOOK_HEALTHY, "running");
	}
}

static void node_that_dies_before_the_action(void **state)
{
	play_all(here, (const char *const[]){"stop 101", "down pve2", NULL});
	/* not noticed yet: nothing was asked of the guest */
	expect_run(&START("qemu/101"), ACT_FAILED, "pve2");
	clock_advance(here->clock, 30000);
	expect_run(&START("qemu/101"), ACT_HELD, "its node pve2 is not online");
	expect_look(&START("qemu/101"), LOOK_BLIND, "pve2");
	assert_int_equal(POSTS("*"), 0);
}

static void node_that_dies_under_the_task(void **state)
{
	play(here, "stop 101");
	hooks[0] = (struct hook){.request = "POST *start", .after = true, .line = "down pve2"};
	expect_run(&START("qemu/101"), ACT_UNKNOWN, "its end was not seen");
	expect_look(&START("qemu/101"), LOOK_BLIND, "its node pve2 is not online");
}

static void node_that_dies_before_the_look(void **state)
{
	play(here, "stop 102");
	expect_run(&START("qemu/102"), ACT_DONE, "Successfully started");
	play(here, "down pve3");
	clock_advance(here->clock, 30000);
	expect_look(&START("qemu/102"), LOOK_BLIND, "its node pve3 is not online");
}

/* --- HA --- */

static void ha_is_told_and_followed(void **state)
{
	play_all(here, (const char *const[]){"ct 204 pve2 x stopped", "ha 204 stopped", NULL});
	struct deed deed = START("lxc/204");
	expect_run(&deed, ACT_REFUSED, "HA was told to keep it stopped");
	assert_int_equal(POSTS("*"), 0);
	deed.ordered = true;
	expect_run(&deed, ACT_DONE, "HA was told to start VM/Container 204");
	guest_is(204, "stopped");
	expect_look(&deed, LOOK_NOT_YET, "HA is to start it");
	expect_run(&deed, ACT_HELD, "HA is at work on it: request_start");
	clock_advance(here->clock, 30000);
	expect_look(&deed, LOOK_HEALTHY, "running");
	expect_run(&STOP("lxc/204"), ACT_DONE, "HA was told to stop VM/Container 204");
	expect_look(&STOP("lxc/204"), LOOK_NOT_YET, "HA is to stop it");
	clock_advance(here->clock, 30000);
	expect_look(&STOP("lxc/204"), LOOK_HEALTHY, "it is stopped");
}

static void ha_that_never_does_it_is_not_believed(void **state)
{
	play_all(here,
		(const char *const[]){"ct 204 pve2 x stopped", "ha 204 stopped", "ha 204 stuck", NULL});
	struct deed deed = START("lxc/204");
	deed.ordered = true;
	expect_run(&deed, ACT_DONE, "HA was told");
	clock_advance(here->clock, 300000);
	expect_look(&START("lxc/204"), LOOK_NOT_YET, "it is stopped, and HA is to start it");
}

static void ha_in_error_says_so_and_is_not_worked_around(void **state)
{
	play_all(here, (const char *const[]){"stop 202", "ha 202 error", NULL});
	expect_run(
		&START("lxc/202"), ACT_FAILED, "HA has given it up: state error, requested: started");
	says("ha-manager set ct:202");
	assert_int_equal(POSTS("*"), 0);
	expect_look(&START("lxc/202"), LOOK_UNHEALTHY, "HA has given it up");
}

static void ha_that_recovers_is_left_alone(void **state)
{
	play(here, "down pve3");
	clock_advance(here->clock, 65000);
	expect_run(&START("lxc/202"), ACT_HELD, "fence");
	expect_look(&START("lxc/202"), LOOK_NOT_YET, "HA is to bring it back");
	clock_advance(here->clock, 60000);
	sim_proxmox_tick(here->sim);
	expect_look(&START("lxc/202"), LOOK_HEALTHY, "running");
}

static void ha_restarts_by_force_and_is_left_wanting_it(void **state)
{
	play(here, "deaf 202");
	const struct deed deed = {
		.action = "proxmox.guest.reboot", .native = "lxc/202", .params = "force=1"};
	expect_run(&deed, ACT_DONE, "HA was told to restart VM/Container 202");
	clock_advance(here->clock, 60000);
	guest_is(202, "running");
	/* HA does not stop it: it is not left with the request to do so later */
	fresh(state, (const char *const[]){"deaf 202", "ha 202 stuck", NULL});
	expect_run(&deed, ACT_FAILED, "HA was told to stop VM/Container 202 and has not in 180 s");
	says("it has to be started");
	const struct deed vm = {
		.action = "proxmox.guest.reboot", .native = "qemu/100", .params = "force=1"};
	fresh(state, (const char *const[]){"deaf 100", "ha 100", "ha 100 stuck", NULL});
	expect_run(&vm, ACT_FAILED, "it was told to let it run");
	play(here, "ha 100 loose");
	clock_advance(here->clock, 60000);
	guest_is(100, "running");
}

/* HA restarts what crashed by itself; to ask for it does no harm. */
static void ha_that_is_to_restart_it_is_asked_and_waited_for(void **state)
{
	play_all(here, (const char *const[]){"ha 202 delay 60000", "crash 202", NULL});
	expect_look(&START("lxc/202"), LOOK_NOT_YET, "HA is to start it");
	clock_advance(here->clock, 70000);
	expect_look(&START("lxc/202"), LOOK_HEALTHY, "running");
	expect_run(&START("lxc/202"), ACT_DONE, "runs already");
}

/* --- versions --- */

static void older_versions_obey_too(void **state)
{
	static const char *const dialects[] = {"dialect 7", "dialect 8", "dialect 9"};
	for (size_t i = 0; i < 3; i++) {
		fresh(state, (const char *const[]){dialects[i], "stop 100", NULL});
		expect_run(&START("qemu/100"), ACT_DONE, "Successfully started");
		expect_look(&START("qemu/100"), LOOK_HEALTHY, "running");
		expect_run(&REBOOT("lxc/200"), ACT_DONE, "Successfully restarted");
		expect_look(&REBOOT("lxc/200"), LOOK_HEALTHY, "running");
		expect_run(&SHUTDOWN("qemu/100"), ACT_DONE, "Successfully stopped");
		expect_look(&SHUTDOWN("qemu/100"), LOOK_HEALTHY, "stopped");
		expect_run(&START("qemu/103"), ACT_HELD, "locked (backup)");
	}
}

/* --- what is seen afterwards --- */

static void looks_tell_apart(void **state)
{
	static const struct {
		const char *line;
		struct deed deed;
		enum look_result result;
		const char *text;
	} rows[] = {
		{NULL, START("qemu/100"), LOOK_HEALTHY, "running for"},
		{"stop 100", START("qemu/100"), LOOK_UNHEALTHY, "it is stopped"},
		{"pause 100", START("qemu/100"), LOOK_MEANT, "it is paused"},
		{NULL, START("qemu/103"), LOOK_MEANT, "locked (backup)"},
		{NULL, START("qemu/9000"), LOOK_MEANT, "template"},
		{"destroy 100", START("qemu/100"), LOOK_MEANT, "does not exist"},
		{NULL, STOP("qemu/100"), LOOK_UNHEALTHY, "it still runs"},
		{"stop 100", STOP("qemu/100"), LOOK_HEALTHY, "it is stopped"},
		{"stop 100", SHUTDOWN("qemu/100"), LOOK_HEALTHY, "it is stopped"},
		{NULL, REBOOT("lxc/200"), LOOK_HEALTHY, "running for"},
		{"stop 200", REBOOT("lxc/200"), LOOK_UNHEALTHY, "it is stopped"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fresh(state, (const char *const[]){rows[i].line, NULL});
		expect_look(&rows[i].deed, rows[i].result, rows[i].text);
	}
}

/* The core takes two different times for a restart in between. */
static void time_since_when_it_runs_stays_the_same(void **state)
{
	play(here, "stop 100");
	expect_run(&START("qemu/100"), ACT_DONE, "Successfully started");
	int64_t first = 0;
	for (int i = 0; i < 20; i++) {
		clock_advance(here->clock, 733);
		expect_look(&START("qemu/100"), LOOK_HEALTHY, "running for");
		assert_true(since_ms > 0 && (i == 0 || since_ms == first));
		first = since_ms;
	}
	play(here, "crash 100");
	expect_run(&START("qemu/100"), ACT_DONE, "Successfully started");
	expect_look(&START("qemu/100"), LOOK_HEALTHY, "running for");
	assert_true(since_ms > first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(power_as_the_table_says),
		CASE(success_is_worded_exactly),
		CASE(races_end_as_the_table_says),
		CASE(short_wait_for_a_lock_file_is_no_failure),
		CASE(nothing_is_begun_without_quorum),
		CASE(deaf_guest_is_not_cut_off_when_quorum_went_meanwhile),
		CASE(quorum_that_cannot_be_read_is_no_quorum),
		CASE(deaf_guest_fails_or_is_cut_off_as_the_plan_says),
		CASE(guest_locked_meanwhile_is_not_cut_off),
		CASE(stopped_by_force_and_not_startable_is_a_failure),
		CASE(orders_reach_what_healing_must_not_touch),
		CASE(failed_task_quotes_its_end),
		CASE(warnings_count_as_done_and_are_told),
		CASE(killed_task_is_a_failure),
		CASE(task_without_end_is_unknown_and_looked_at),
		CASE(answers_that_hide_the_end_are_unknown),
		CASE(what_was_never_sent_was_not_done),
		CASE(answers_before_anything_was_asked_are_failures),
		CASE(empty_lists_are_not_taken_for_a_lost_guest),
		CASE(missing_right_names_privilege_and_command),
		CASE(moved_guest_is_found_where_it_is),
		CASE(node_that_dies_before_the_action),
		CASE(node_that_dies_under_the_task),
		CASE(node_that_dies_before_the_look),
		CASE(ha_is_told_and_followed),
		CASE(ha_that_never_does_it_is_not_believed),
		CASE(ha_in_error_says_so_and_is_not_worked_around),
		CASE(ha_that_recovers_is_left_alone),
		CASE(ha_restarts_by_force_and_is_left_wanting_it),
		CASE(ha_that_is_to_restart_it_is_asked_and_waited_for),
		CASE(older_versions_obey_too),
		CASE(looks_tell_apart),
		CASE(time_since_when_it_runs_stays_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
