/* The simulated cluster's rules: the power table line by line, the two views, HA, rights, faults.
 */
#include "sim/proxmox.h"

#include <time.h>

#include "proxmox_stage.h"

/* ---- the power table, line by line ---- */

#define Q "/nodes/pve1/qemu/100/status/"
#define C "/nodes/pve1/lxc/200/status/"

static void starting_a_running_vm_fails_in_the_task_and_a_container_at_once(void **state)
{
	struct stage *stage = *state;
	assert_string_equal(exit_after(stage, "POST", Q "start", NULL, 3000), "VM 100 already running");
	expect_error(stage, "POST", C "start", 500, "CT 200 already running");
}

static void stopping_and_shutting_down_a_stopped_vm_is_ok_and_of_a_container_an_error(void **state)
{
	struct stage *stage = *state;
	play(stage, "stop 100");
	play(stage, "stop 200");
	assert_string_equal(exit_after(stage, "POST", Q "stop", NULL, 3000), "OK");
	assert_string_equal(exit_after(stage, "POST", Q "shutdown", NULL, 3000), "OK");
	expect_error(stage, "POST", C "stop", 500, "CT 200 not running");
	expect_error(stage, "POST", C "shutdown", 500, "CT 200 not running");
}

static void rebooting_what_is_stopped_fails_at_once(void **state)
{
	struct stage *stage = *state;
	play(stage, "stop 100");
	play(stage, "stop 200");
	expect_error(stage, "POST", Q "reboot", 500, "VM 100 not running");
	expect_error(stage, "POST", C "reboot", 500, "VM 200 not running");
}

static void a_guest_that_is_not_there_fails_in_the_task(void **state)
{
	struct stage *stage = *state;
	assert_string_equal(exit_after(stage, "POST", "/nodes/pve1/qemu/999/status/start", NULL, 3000),
		"Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist");
	assert_string_equal(exit_after(stage, "POST", "/nodes/pve1/lxc/999/status/start", NULL, 3000),
		"Configuration file 'nodes/pve1/lxc/999.conf' does not exist");
	assert_string_equal(exit_after(stage, "POST", "/nodes/pve1/qemu/101/status/start", NULL, 3000),
		"Configuration file 'nodes/pve1/qemu-server/101.conf' does not exist");
}

static void a_locked_guest_fails_in_the_task_but_a_stopped_locked_vm_stops(void **state)
{
	struct stage *stage = *state;
	assert_string_equal(exit_after(stage, "POST", "/nodes/pve1/qemu/103/status/start", NULL, 3000),
		"VM is locked (backup)");
	assert_string_equal(
		exit_after(stage, "POST", "/nodes/pve1/qemu/103/status/stop", NULL, 3000), "OK");
	play(stage, "lock 200 backup");
	assert_string_equal(exit_after(stage, "POST", C "stop", NULL, 3000), "CT is locked (backup)");
	assert_string_equal(
		exit_after(stage, "POST", C "shutdown", NULL, 3000), "CT is locked (backup)");
	expect_error(stage, "POST", C "start", 500, "CT 200 already running");
}

static void a_busy_guest_is_waited_for_ten_seconds(void **state)
{
	struct stage *stage = *state;
	play(stage, "busy 100 60000");
	assert_string_equal(exit_after(stage, "POST", Q "stop", NULL, 9000), "running");
	assert_string_equal(exit_after(stage, "POST", Q "stop", NULL, 11000),
		"can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout");
	assert_string_equal(sim_proxmox_guest(stage->sim, 100), "running");
	clock_advance(stage->clock, 60000);
	play(stage, "busy 100 4000");
	assert_string_equal(exit_after(stage, "POST", Q "stop", NULL, 8000), "OK");
}

static void a_guest_that_ignores_shutdown_is_waited_for_and_stopped_only_by_force(void **state)
{
	struct stage *stage = *state;
	play(stage, "deaf 100 on");
	assert_string_equal(exit_after(stage, "POST", Q "shutdown", NULL, 59000), "running");
	clock_advance(stage->clock, 5000);
	assert_string_equal(exit_after(stage, "POST", Q "shutdown", "timeout=5", 6000),
		"VM quit/powerdown failed - got timeout");
	assert_string_equal(sim_proxmox_guest(stage->sim, 100), "running");
	assert_string_equal(
		exit_after(stage, "POST", Q "shutdown", "timeout=5&forceStop=1", 6000), "OK");
	assert_string_equal(sim_proxmox_guest(stage->sim, 100), "stopped");
}

static void without_quorum_nothing_starts_but_everything_stops(void **state)
{
	struct stage *stage = *state;
	play(stage, "stop 200");
	play(stage, "quorum lost");
	clock_advance(stage->clock, 15000);
	expect_error(stage, "POST", C "start", 500, "cluster not ready - no quorum?");
	assert_true(str_match(
		"unable to open file '/etc/pve/nodes/pve1/qemu-server/100.conf.tmp.*' - Permission denied",
		exit_after(stage, "POST", "/nodes/pve1/qemu/100/snapshot", "snapname=s1", 3000)));
	assert_string_equal(exit_after(stage, "POST", Q "shutdown", NULL, 9000), "OK");
	assert_string_equal(sim_proxmox_guest(stage->sim, 100), "stopped");
	expect_error(stage, "POST", Q "start", 500, "cluster not ready - no quorum?");
	play(stage, "quorum back");
	assert_string_equal(exit_after(stage, "POST", Q "start", NULL, 3000), "OK");
}

static void ha_says_ok_at_once_and_acts_later_or_never(void **state)
{
	struct stage *stage = *state;
	assert_string_equal(
		exit_after(stage, "POST", "/nodes/pve3/lxc/202/status/stop", NULL, 2000), "OK");
	assert_string_equal(sim_proxmox_guest(stage->sim, 202), "running");
	assert_string_equal(resource(stage, "lxc/202", "hastate"), "request_stop");
	clock_advance(stage->clock, 25000);
	sim_proxmox_tick(stage->sim);
	assert_string_equal(sim_proxmox_guest(stage->sim, 202), "stopped");
	play(stage, "ha 202 stuck");
	assert_string_equal(
		exit_after(stage, "POST", "/nodes/pve3/lxc/202/status/start", NULL, 2000), "OK");
	clock_advance(stage->clock, 3600000);
	sim_proxmox_tick(stage->sim);
	assert_string_equal(sim_proxmox_guest(stage->sim, 202), "stopped");
}

static void skiplock_is_for_root_by_ticket_only(void **state)
{
	struct stage *stage = *state;
	struct sim_pve_reply reply = ask_with(stage, "POST", Q "start", "skiplock=1");
	assert_int_equal(reply.status, 400);
	assert_non_null(strstr(reply.body, "Only root may use this option."));
}

/* ---- snapshots, agents, tasks ---- */

static void a_rollback_without_ram_leaves_the_vm_stopped_unless_start(void **state)
{
	struct stage *stage = *state;
	static const char snap[] = "/nodes/pve1/qemu/100/snapshot";
	assert_string_equal(exit_after(stage, "POST", snap, "snapname=s1", 5000), "OK");
	assert_string_equal(
		exit_after(stage, "POST", "/nodes/pve1/qemu/100/snapshot/s1/rollback", NULL, 5000), "OK");
	assert_string_equal(sim_proxmox_guest(stage->sim, 100), "stopped");
	assert_string_equal(
		exit_after(stage, "POST", "/nodes/pve1/qemu/100/snapshot/s1/rollback", "start=1", 5000),
		"OK");
	assert_string_equal(sim_proxmox_guest(stage->sim, 100), "running");
	assert_string_equal(
		exit_after(stage, "DELETE", "/nodes/pve1/qemu/100/snapshot/s1", NULL, 5000), "OK");
	assert_int_equal(json_count(get(stage, snap)), 1);
}

static void a_snapshot_that_fails_leaves_its_lock(void **state)
{
	struct stage *stage = *state;
	play(stage, "task 100 fail 30000 no space left on device");
	assert_string_equal(
		exit_after(stage, "POST", "/nodes/pve1/qemu/100/snapshot", "snapname=s1", 29000),
		"running");
	clock_advance(stage->clock, 2000);
	struct json status = get(stage, "/nodes/pve1/qemu/100/status/current");
	assert_string_equal(json_str(json_get(status, "lock"), stage->arena), "snapshot");
	assert_string_equal(exit_after(stage, "POST", Q "stop", NULL, 3000), "VM is locked (snapshot)");
	struct json list = get(stage, "/nodes/pve1/qemu/100/snapshot");
	assert_string_equal(json_str(json_get(json_first(list), "snapstate"), stage->arena), "prepare");
}

static void a_container_on_a_plain_folder_has_no_snapshots(void **state)
{
	struct stage *stage = *state;
	static const char snap[] = "/nodes/pve1/lxc/200/snapshot";
	assert_string_equal(
		exit_after(stage, "POST", snap, "snapname=s1", 3000), "snapshot feature is not available");
	play(stage, "storage tank all type=zfspool content=images,rootdir");
	assert_string_equal(exit_after(stage, "POST", snap, "snapname=s1", 3000), "OK");
}

static void tasks_end_in_words(void **state)
{
	struct stage *stage = *state;
	play(stage, "stop 100");
	play(stage, "task 100 killed");
	assert_string_equal(exit_after(stage, "POST", Q "start", NULL, 3000), "unexpected status");
	assert_string_equal(sim_proxmox_guest(stage->sim, 100), "stopped");
	play(stage, "task 100 warnings 2");
	assert_string_equal(exit_after(stage, "POST", Q "start", NULL, 3000), "WARNINGS: 2");
	assert_string_equal(sim_proxmox_guest(stage->sim, 100), "running");
	assert_int_equal(json_count(get(stage, "/nodes/pve1/tasks?errors=1")), 1);
}

static void an_agent_answers_only_where_it_runs(void **state)
{
	struct stage *stage = *state;
	struct sim_pve_reply reply;
	play(stage, "agent 100 absent");
	reply = ask(stage, "POST", "/nodes/pve1/qemu/100/agent/ping");
	assert_string_equal(reply.reason, "QEMU guest agent is not running");
	assert_int_equal(reply.held_ms, 3000);
	play(stage, "agent 100 present");
	reply = ask_with(
		stage, "POST", "/nodes/pve1/qemu/100/agent/exec", "command=/bin/sleep&command=1");
	int64_t pid = json_int(json_get(data_of(stage, &reply), "pid"), 0);
	char url[96];
	snprintf(url, sizeof(url), "/nodes/pve1/qemu/100/agent/exec-status?pid=%lld", (long long)pid);
	assert_int_equal(json_int(json_get(get(stage, url), "exited"), -1), 0);
	clock_advance(stage->clock, 2000);
	assert_int_equal(json_int(json_get(get(stage, url), "exited"), -1), 1);
}

static void a_guest_that_moved_is_not_touched_where_it_was(void **state)
{
	struct stage *stage = *state;
	play(stage, "stop 100");
	struct sim_pve_reply reply = ask(stage, "POST", Q "start");
	assert_int_equal(reply.status, 200);
	play(stage, "move 100 pve2");
	clock_advance(stage->clock, 5000);
	assert_string_equal(sim_proxmox_guest(stage->sim, 100), "stopped");
	assert_string_equal(sim_proxmox_guest_node(stage->sim, 100), "pve2");
	sim_proxmox_tick(stage->sim);
	assert_string_equal(sim_proxmox_guest(stage->sim, 100), "stopped");
}

/* ---- the two views, the cluster, faults ---- */

static void the_resource_view_is_ten_seconds_stale_and_the_live_one_is_not(void **state)
{
	struct stage *stage = *state;
	play(stage, "crash 100");
	assert_string_equal(resource(stage, "qemu/100", "status"), "running");
	struct json status = get(stage, "/nodes/pve1/qemu/100/status/current");
	assert_string_equal(json_str(json_get(status, "status"), stage->arena), "stopped");
	clock_advance(stage->clock, 10000);
	assert_string_equal(resource(stage, "qemu/100", "status"), "stopped");
}

static void guests_of_a_dead_node_freeze_for_five_minutes_and_are_then_unknown(void **state)
{
	struct stage *stage = *state;
	clock_advance(stage->clock, 60000);
	play(stage, "down pve3");
	assert_string_equal(resource(stage, "node/pve3", "status"), "online");
	clock_advance(stage->clock, 20000);
	assert_string_equal(resource(stage, "node/pve3", "status"), "offline");
	assert_null(resource(stage, "node/pve3", "cpu"));
	assert_string_equal(resource(stage, "qemu/102", "status"), "running");
	const char *uptime = resource(stage, "qemu/102", "uptime");
	clock_advance(stage->clock, 260000);
	assert_string_equal(resource(stage, "qemu/102", "status"), "running");
	assert_string_equal(resource(stage, "qemu/102", "uptime"), uptime);
	assert_string_equal(resource(stage, "storage/pve3/local", "status"), "available");
	clock_advance(stage->clock, 40000);
	assert_string_equal(resource(stage, "qemu/102", "status"), "unknown");
	assert_null(resource(stage, "qemu/102", "name"));
	assert_string_equal(resource(stage, "storage/pve3/local", "status"), "unknown");
}

static void ha_recovers_a_guest_of_a_dead_node_after_110_seconds(void **state)
{
	struct stage *stage = *state;
	play(stage, "down pve3");
	clock_advance(stage->clock, 105000);
	sim_proxmox_tick(stage->sim);
	assert_string_equal(sim_proxmox_guest_node(stage->sim, 202), "pve3");
	clock_advance(stage->clock, 10000);
	sim_proxmox_tick(stage->sim);
	assert_string_equal(sim_proxmox_guest_node(stage->sim, 202), "pve1");
	assert_string_equal(sim_proxmox_guest(stage->sim, 202), "running");
	assert_string_equal(sim_proxmox_guest(stage->sim, 102), "stopped");
}

static void proxy_errors_have_no_body(void **state)
{
	struct stage *stage = *state;
	play(stage, "hung pve2");
	struct sim_pve_reply reply = ask(stage, "GET", "/nodes/pve2/status");
	assert_int_equal(reply.status, 596);
	assert_string_equal(reply.reason, "Connection timed out");
	assert_string_equal(reply.body, "");
	assert_true(reply.held_ms > 30000);
	assert_true(reply.closes);
	stage->via = "pve2";
	assert_int_equal(ask(stage, "GET", "/version").wire, SIM_PVE_SILENT);
}

static void a_denied_request_takes_three_seconds_and_has_no_body(void **state)
{
	struct stage *stage = *state;
	play(stage, "revoke root@pam!full");
	struct sim_pve_reply reply = ask(stage, "GET", "/nodes");
	assert_int_equal(reply.status, 401);
	assert_string_equal(reply.reason, "Authentication failed!");
	assert_string_equal(reply.body, "");
	assert_int_equal(reply.held_ms, 3000);
	assert_int_equal(ask(stage, "GET", "/access/domains").status, 200);
}

static void a_ticket_needs_its_csrf_token_and_ends_after_two_hours(void **state)
{
	struct stage *stage = *state;
	struct sim_pve_reply reply = ask_with(
		stage, "POST", "/access/ticket", "username=root@pam&password=" SIM_PVE_PASSWORD);
	assert_int_equal(reply.status, 200);
	struct json login = data_of(stage, &reply);
	char cookie[256];
	snprintf(cookie, sizeof(cookie), "PVEAuthCookie=%s",
		json_str(json_get(login, "ticket"), stage->arena));
	struct sim_pve_request request = {.method = "POST", .url = Q "stop", .cookie = cookie};
	sim_proxmox_handle(stage->sim, &request, stage->arena, &reply);
	assert_int_equal(reply.status, 401);
	assert_string_equal(reply.reason, "Permission denied - invalid csrf token");
	request.csrf = json_str(json_get(login, "CSRFPreventionToken"), stage->arena);
	sim_proxmox_handle(stage->sim, &request, stage->arena, &reply);
	assert_int_equal(reply.status, 200);
	clock_advance(stage->clock, 7300000);
	sim_proxmox_handle(stage->sim, &request, stage->arena, &reply);
	assert_int_equal(reply.status, 401);
}

static void an_acl_replaces_the_one_that_it_inherits(void **state)
{
	struct stage *stage = *state;
	stage->authorization = "PVEAPIToken=agent@pve!heal=s1";
	expect_error(stage, "GET", "/nodes/pve1/qemu/100/status/current", 403,
		"Permission check failed (/vms/100, VM.Audit)");
	assert_int_equal(ask(stage, "GET", "/nodes/pve2/qemu/101/status/current").status, 200);
	play(stage, "acl clear agent@pve");
	assert_int_equal(json_count(get(stage, "/nodes/pve1/qemu")), 0);
	assert_int_equal(json_count(get(stage, "/cluster/resources?type=vm")), 0);
}

static void the_dialect_of_8_has_its_own_rights_and_names(void **state)
{
	struct stage *stage = *state;
	play(stage, "dialect 8");
	assert_string_equal(json_str(json_get(get(stage, "/version"), "release"), stage->arena), "8.4");
	assert_null(resource(stage, "qemu/100", "memhost"));
	assert_string_equal(resource(stage, "sdn/pve1/localnetwork", "type"), "sdn");
	stage->authorization = "PVEAPIToken=agent@pve!heal=s1";
	expect_error(stage, "POST", "/nodes/pve1/qemu/100/agent/ping", 403,
		"Permission check failed (/vms/100, VM.Monitor)");
}

static void answers_can_be_spoilt(void **state)
{
	struct stage *stage = *state;
	play(stage, "answers html");
	struct sim_pve_reply reply = ask(stage, "GET", "/cluster/resources");
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.body, "<html>"));
	play(stage, "answers truncated");
	assert_int_equal(ask(stage, "GET", "/cluster/resources").wire, SIM_PVE_TRUNCATED);
	play(stage, "answers slow 5000");
	assert_true(ask(stage, "GET", "/version").held_ms >= 5000);
	play(stage, "answers ok");
	const char *before = arena_strdup(stage->arena, sim_proxmox_fingerprint(stage->sim, "pve1"));
	play(stage, "certificate pve1 changed");
	assert_string_not_equal(before, sim_proxmox_fingerprint(stage->sim, "pve1"));
}

static void the_journal_has_all_but_gets(void **state)
{
	struct stage *stage = *state;
	ask(stage, "GET", "/nodes");
	ask(stage, "POST", Q "stop");
	assert_int_equal(sim_proxmox_posts(stage->sim, "POST *"), 1);
	assert_string_equal(sim_proxmox_post(stage->sim, 0), "POST " Q "stop");
	assert_int_equal(sim_proxmox_gets(stage->sim, "/nodes"), 1);
}

static void a_backup_takes_its_time_and_its_lock_and_is_then_listed(void **state)
{
	struct stage *stage = *state;
	assert_string_equal(
		exit_after(stage, "POST", "/nodes/pve1/vzdump", "vmid=100&storage=local", 20000),
		"running");
	struct json status = get(stage, "/nodes/pve1/qemu/100/status/current");
	assert_string_equal(json_str(json_get(status, "lock"), stage->arena), "backup");
	clock_advance(stage->clock, 20000);
	assert_int_equal(
		json_count(get(stage, "/nodes/pve1/storage/local/content?content=backup&vmid=100")), 1);
}

static void ten_thousand_guests_are_listed_quickly(void **state)
{
	struct stage *stage = *state;
	struct timespec from, to;
	for (int i = 4; i <= 32; i++) {
		char line[32];
		snprintf(line, sizeof(line), "node pve%d", i);
		play(stage, line);
	}
	play(stage, "guests 10000 1000");
	clock_advance(stage->clock, 60000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	struct sim_pve_reply reply = ask(stage, "GET", "/cluster/resources");
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	double ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
	print_message("10,000 guests: %zu bytes in %.1f ms\n", reply.body_bytes, ms);
	assert_true(reply.body_bytes > 3000000);
	assert_true(ms < 2000);
	assert_true(json_count(data_of(stage, &reply)) > 10000);
}

static void script_lines_that_are_wrong_say_so(void **state)
{
	struct stage *stage = *state;
	char text[128];
	assert_false(sim_proxmox_script(stage->sim, "vm 105 nowhere x", text, sizeof(text)));
	assert_string_equal(text, "no such node: nowhere");
	assert_false(sim_proxmox_script(stage->sim, "explode", text, sizeof(text)));
	assert_string_equal(text, "no such line: explode");
	assert_false(sim_proxmox_script(stage->sim, "lock 100", text, sizeof(text)));
	assert_string_equal(text, "lock: too few words");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
static void what_a_command_gave_is_told_once_and_lost_with_its_guest(void **state)
{
	struct stage *stage = *state;
	static const char status[] = "/nodes/pve1/qemu/100/agent/exec-status?pid=%lld";
	char url[96];
	struct sim_pve_reply begun = ask_with(
		stage, "POST", "/nodes/pve1/qemu/100/agent/exec", "command=df");
	long long pid = json_int(json_get(data_of(stage, &begun), "pid"), 0);
	STR_FORMAT(url, status, pid);
	assert_int_equal(json_int(json_get(get(stage, url), "exited"), -1), 0);
	clock_advance(stage->clock, 1000);
	struct json end = get(stage, url);
	assert_int_equal(json_int(json_get(end, "exited"), -1), 1);
	assert_int_equal(json_int(json_get(end, "exitcode"), -1), 0);
	assert_false(json_is(json_get(end, "err-data")));
	expect_error(stage, "GET", url, 500, "Agent error: PID ld does not exist");
	/* another guest's pid is not this one's */
	begun = ask_with(
		stage, "POST", "/nodes/pve1/qemu/100/agent/exec", "command=/bin/sleep&command=9");
	pid = json_int(json_get(data_of(stage, &begun), "pid"), 0);
	STR_FORMAT(url, "/nodes/pve3/qemu/102/agent/exec-status?pid=%lld", pid);
	expect_error(stage, "GET", url, 500, "Agent error: PID ld does not exist");
	play(stage, "crash 100");
	STR_FORMAT(url, status, pid);
	expect_error(stage, "GET", url, 500, "VM 100 is not running");
	clock_advance(stage->clock, 2000);
	play(stage, "start 100");
	expect_error(stage, "GET", url, 500, "Agent error: PID ld does not exist");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(starting_a_running_vm_fails_in_the_task_and_a_container_at_once),
		TEST(stopping_and_shutting_down_a_stopped_vm_is_ok_and_of_a_container_an_error),
		TEST(rebooting_what_is_stopped_fails_at_once),
		TEST(a_guest_that_is_not_there_fails_in_the_task),
		TEST(a_locked_guest_fails_in_the_task_but_a_stopped_locked_vm_stops),
		TEST(a_busy_guest_is_waited_for_ten_seconds),
		TEST(a_guest_that_ignores_shutdown_is_waited_for_and_stopped_only_by_force),
		TEST(without_quorum_nothing_starts_but_everything_stops),
		TEST(ha_says_ok_at_once_and_acts_later_or_never),
		TEST(skiplock_is_for_root_by_ticket_only),
		TEST(a_rollback_without_ram_leaves_the_vm_stopped_unless_start),
		TEST(a_snapshot_that_fails_leaves_its_lock),
		TEST(a_container_on_a_plain_folder_has_no_snapshots),
		TEST(tasks_end_in_words),
		TEST(an_agent_answers_only_where_it_runs),
		TEST(a_guest_that_moved_is_not_touched_where_it_was),
		TEST(the_resource_view_is_ten_seconds_stale_and_the_live_one_is_not),
		TEST(guests_of_a_dead_node_freeze_for_five_minutes_and_are_then_unknown),
		TEST(ha_recovers_a_guest_of_a_dead_node_after_110_seconds),
		TEST(proxy_errors_have_no_body),
		TEST(a_denied_request_takes_three_seconds_and_has_no_body),
		TEST(a_ticket_needs_its_csrf_token_and_ends_after_two_hours),
		TEST(an_acl_replaces_the_one_that_it_inherits),
		TEST(the_dialect_of_8_has_its_own_rights_and_names),
		TEST(answers_can_be_spoilt),
		TEST(the_journal_has_all_but_gets),
		TEST(a_backup_takes_its_time_and_its_lock_and_is_then_listed),
		TEST(ten_thousand_guests_are_listed_quickly),
		TEST(what_a_command_gave_is_told_once_and_lost_with_its_guest),
		TEST(script_lines_that_are_wrong_say_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
