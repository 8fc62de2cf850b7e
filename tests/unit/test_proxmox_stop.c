/* Why a guest of Proxmox VE does not run: each rule, on tasks as the cluster lists them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "watch/proxmox_stop.h"

#define NOW_S 1795469040
#define UP_S 100000

/* Ten minutes ago and so on; ended 0: it runs. */
static struct proxmox_task task(const char *type, const char *id, int64_t ago_s, const char *status)
{
	static char upids[64][PROXMOX_UPID_BYTES];
	static int next;
	char *upid = upids[next++ % 64];
	snprintf(upid, PROXMOX_UPID_BYTES,
		"UPID:pve1:00000139:00075DE5:6B04AEA3:%s:%s:eve@pve!web:", type, id);
	return (struct proxmox_task){.upid = upid,
		.node = "pve1",
		.type = type,
		.id = id,
		.user = "eve@pve",
		.status = status,
		.started_s = NOW_S - ago_s,
		.ended_s = status[0] != '\0' ? NOW_S - ago_s + 2 : 0};
}

static struct {
	struct proxmox_task rows[8];
	int count;
} tasks;

static struct prox_scene scene(void)
{
	return (struct prox_scene){.vmid = 100,
		.node = "pve1",
		.tasks = tasks.rows,
		.task_count = tasks.count,
		.tasks_known = true,
		.wall_s = NOW_S,
		.node_up_s = UP_S,
		.lock = "",
		.ha_state = "",
		.ha_request = "",
		.wanted = true};
}

static int clear(void **state)
{
	tasks.count = 0;
	return 0;
}

static void add(struct proxmox_task row)
{
	tasks.rows[tasks.count++] = row;
}

static struct prox_verdict judge(void)
{
	struct prox_scene of = scene();
	return prox_judge_stop(&of);
}

static void expect(enum obs_state state, enum stop_cause cause)
{
	struct prox_verdict verdict = judge();
	if (verdict.state != state || (state == OBS_EXITED && verdict.cause != cause))
		fail_msg("%s, %s (%s) instead of %s, %s", obs_state_name(verdict.state),
			stop_cause_name(verdict.cause), verdict.detail, obs_state_name(state),
			stop_cause_name(cause));
}

static void a_persons_stop_after_the_last_start(void **state)
{
	static const char *const types[] = {"qmstop", "qmshutdown", "vzstop", "vzshutdown", "hastop",
		"qmsuspend", "vzsuspend", "qmrollback"};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		clear(NULL);
		add(task("qmstart", "100", 900, "OK"));
		add(task(types[i], "100", 600, "OK"));
		expect(OBS_EXITED, STOP_PERSON);
		struct prox_verdict verdict = judge();
		assert_string_equal(verdict.who, "eve@pve!web");
		assert_int_equal(verdict.since_s, NOW_S - 598);
	}
}

static void a_stop_before_the_last_start_is_over(void **state)
{
	add(task("qmstop", "100", 900, "OK"));
	add(task("qmstart", "100", 600, "OK"));
	expect(OBS_EXITED, STOP_CRASH);
	add(task("qmreboot", "100", 500, "OK"));
	expect(OBS_EXITED, STOP_CRASH);
}

static void another_guests_stop_says_nothing(void **state)
{
	add(task("qmstart", "100", 900, "OK"));
	add(task("qmstop", "1001", 600, "OK"));
	add(task("qmstop", "10", 600, "OK"));
	expect(OBS_EXITED, STOP_CRASH);
}

static void a_stop_that_was_refused_is_none(void **state)
{
	add(task("qmstart", "100", 900, "OK"));
	add(task("qmstop", "100", 600, "VM is locked (backup)"));
	expect(OBS_EXITED, STOP_CRASH);
	/* one that was given up may have worked after all */
	add(task("qmshutdown", "100", 500, "VM quit/powerdown failed - got timeout"));
	expect(OBS_EXITED, STOP_PERSON);
}

static void nothing_known_is_not_seen(void **state)
{
	expect(OBS_EXITED, STOP_UNSEEN);
}

static void made_and_never_started(void **state)
{
	add(task("qmcreate", "100", 900, "OK"));
	expect(OBS_CREATED, STOP_UNSEEN);
	add(task("qmstart", "100", 800, "OK"));
	expect(OBS_EXITED, STOP_CRASH);
	add(task("qmrestore", "100", 700, "OK"));
	expect(OBS_CREATED, STOP_UNSEEN);
}

static void a_task_at_work_is_left_in_peace(void **state)
{
	static const char *const types[] = {"qmstart", "vzdump", "qmigrate", "vzmigrate", "qmclone",
		"qmrestore", "qmrollback", "qmsnapshot", "qmmove"};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		clear(NULL);
		add(task("qmstart", "100", 900, "OK"));
		add(task(types[i], "100", 60, ""));
		expect(OBS_RESTARTING, STOP_UNSEEN);
	}
	/* a console is no work */
	clear(NULL);
	add(task("qmstart", "100", 900, "OK"));
	add(task("vncproxy", "100", 60, ""));
	expect(OBS_EXITED, STOP_CRASH);
}

static void a_lock_is_left_in_peace(void **state)
{
	struct prox_scene of = scene();
	of.lock = "backup";
	struct prox_verdict verdict = prox_judge_stop(&of);
	assert_int_equal(verdict.state, OBS_RESTARTING);
	assert_string_equal(verdict.detail, "locked (backup)");
	of.lock = "suspended";
	verdict = prox_judge_stop(&of);
	assert_int_equal(verdict.state, OBS_PAUSED);
}

static void a_node_that_went_down_took_it_along(void **state)
{
	struct prox_scene of;
	add(task("qmstart", "100", 9000, "OK"));
	add(task("startall", "", 100, "OK"));
	of = scene();
	of.node_up_s = 300;
	assert_int_equal(prox_judge_stop(&of).cause, STOP_ENGINE);
	/* an orderly end: its guests are stopped by tasks within the node's own */
	add(task("stopall", "", 600, "OK"));
	tasks.rows[tasks.count - 1].ended_s = NOW_S - 500;
	add(task("qmshutdown", "100", 590, "OK"));
	of = scene();
	of.node_up_s = 300;
	assert_int_equal(prox_judge_stop(&of).cause, STOP_ENGINE);
	/* a person's bulk stop, of a node that stayed up */
	of.node_up_s = UP_S;
	assert_int_equal(prox_judge_stop(&of).cause, STOP_PERSON);
	/* stopped by a person before the node went down */
	clear(NULL);
	add(task("qmstart", "100", 9000, "OK"));
	add(task("qmstop", "100", 8000, "OK"));
	add(task("stopall", "", 600, "OK"));
	of = scene();
	of.node_up_s = 300;
	assert_int_equal(prox_judge_stop(&of).cause, STOP_PERSON);
}

static void a_node_that_booted_starts_its_guests_in_turn(void **state)
{
	struct prox_scene of;
	add(task("qmstart", "100", 9000, "OK"));
	of = scene();
	of.node_up_s = 60;
	assert_int_equal(prox_judge_stop(&of).state, OBS_RESTARTING);
	of.wanted = false;
	assert_int_equal(prox_judge_stop(&of).state, OBS_EXITED);
	add(task("startall", "", 500, ""));
	of = scene();
	of.node_up_s = 600;
	assert_int_equal(prox_judge_stop(&of).state, OBS_RESTARTING);
	tasks.rows[1].status = "OK";
	tasks.rows[1].ended_s = NOW_S - 400;
	assert_int_equal(prox_judge_stop(&of).state, OBS_EXITED);
	assert_int_equal(prox_judge_stop(&of).cause, STOP_ENGINE);
}

static void what_ha_wants_is_meant(void **state)
{
	static const char *const meant[] = {"stopped", "disabled", "ignored"};
	struct prox_scene of = scene();
	of.ha_state = "stopped";
	for (size_t i = 0; i < sizeof(meant) / sizeof(meant[0]); i++) {
		of.ha_request = meant[i];
		struct prox_verdict verdict = prox_judge_stop(&of);
		assert_int_equal(verdict.state, OBS_EXITED);
		assert_int_equal(verdict.cause, STOP_PERSON);
	}
}

static void ha_is_given_time(void **state)
{
	struct prox_scene of = scene();
	of.ha_state = "started";
	of.ha_request = "started";
	assert_int_equal(prox_judge_stop(&of).state, OBS_RESTARTING);
	of.down_ms = 200000;
	assert_int_equal(prox_judge_stop(&of).state, OBS_EXITED);
	/* it is at work, however long that takes */
	of.ha_state = "recovery";
	assert_int_equal(prox_judge_stop(&of).state, OBS_RESTARTING);
	of.ha_state = "error";
	assert_int_equal(prox_judge_stop(&of).state, OBS_EXITED);
}

static void a_failed_start_is_named(void **state)
{
	add(task("qmstart", "100", 900, "OK"));
	add(task("qmstart", "100", 60, "no space left on device"));
	struct prox_verdict verdict = judge();
	assert_int_equal(verdict.cause, STOP_CRASH);
	assert_non_null(strstr(verdict.detail, "no space left"));
}

static void a_lock_is_as_old_as_its_task(void **state)
{
	struct prox_scene of;
	add(task("vzdump", "100", 700, "OK"));
	add(task("vzdump", "100", 300, ""));
	add(task("qmsnapshot", "100", 100, "OK"));
	of = scene();
	of.lock = "backup";
	assert_int_equal(prox_lock_taken_s(&of), NOW_S - 300);
	of.lock = "snapshot";
	assert_int_equal(prox_lock_taken_s(&of), NOW_S - 100);
	of.lock = "migrate";
	assert_int_equal(prox_lock_taken_s(&of), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_persons_stop_after_the_last_start, clear),
		cmocka_unit_test_setup(a_stop_before_the_last_start_is_over, clear),
		cmocka_unit_test_setup(another_guests_stop_says_nothing, clear),
		cmocka_unit_test_setup(a_stop_that_was_refused_is_none, clear),
		cmocka_unit_test_setup(nothing_known_is_not_seen, clear),
		cmocka_unit_test_setup(made_and_never_started, clear),
		cmocka_unit_test_setup(a_task_at_work_is_left_in_peace, clear),
		cmocka_unit_test_setup(a_lock_is_left_in_peace, clear),
		cmocka_unit_test_setup(a_node_that_went_down_took_it_along, clear),
		cmocka_unit_test_setup(a_node_that_booted_starts_its_guests_in_turn, clear),
		cmocka_unit_test_setup(what_ha_wants_is_meant, clear),
		cmocka_unit_test_setup(ha_is_given_time, clear),
		cmocka_unit_test_setup(a_failed_start_is_named, clear),
		cmocka_unit_test_setup(a_lock_is_as_old_as_its_task, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
