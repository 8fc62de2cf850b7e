/*
 * The Proxmox VE actions against the simulated cluster: services of a node, snapshots, the guest
 * agent, and the table of them all.
 */
#include "proxmox_act.h"

/* --- services of a node --- */

static struct deed service_deed(const char *params, bool ordered)
{
	return (struct deed){.action = "proxmox.node.service.restart",
		.native = "node/pve2",
		.params = params,
		.ordered = ordered};
}

static void service_is_restarted_only_when_it_is_one_that_failed(void **state)
{
	struct deed deed = service_deed("service=chrony", false);
	expect_run(&deed, ACT_DONE, "runs already");
	play(here, "service pve2 chrony dead");
	expect_look(&deed, LOOK_UNHEALTHY, "chrony is dead");
	expect_run(&deed, ACT_DONE, "Successfully restarted service chrony of node pve2");
	expect_look(&deed, LOOK_HEALTHY, "chrony is running");
	assert_int_equal(POSTS("POST /nodes/pve2/services/chrony/restart"), 1);
	deed = service_deed("service=chrony", true);
	expect_run(&deed, ACT_DONE, "Successfully restarted");
	deed = service_deed("service=nginx", true);
	expect_run(&deed, ACT_GONE, "no service \"nginx\"");
	deed = service_deed("service=systemd-timesyncd", true);
	expect_run(&deed, ACT_REFUSED, "masked");
	deed = service_deed("service=postfix", false);
	expect_look(&deed, LOOK_HEALTHY, "postfix is exited (active)");
	play(here, "down pve2");
	expect_run(&deed, ACT_FAILED, "pve2");
	expect_look(&deed, LOOK_BLIND, "pve2");
}

static void several_services_are_restarted_one_after_the_other(void **state)
{
	struct deed deed = service_deed("service=chrony,pvestatd,pve-cluster", false);
	play(here, "service pve2 chrony dead");
	play(here, "service pve2 pve-cluster dead");
	expect_look(&deed, LOOK_UNHEALTHY, "is dead");
	/* what others need comes first, and what runs is left alone */
	expect_run(&deed, ACT_DONE, "Successfully restarted service pve-cluster, chrony of node pve2");
	assert_int_equal(POSTS("POST /nodes/pve2/services/*/restart"), 2);
	assert_string_equal(
		sim_proxmox_post(here->sim, 0), "POST /nodes/pve2/services/pve-cluster/restart");
	expect_look(&deed, LOOK_HEALTHY, "is running");
	/* one that fails does not leave the others down */
	fresh(state,
		(const char *const[]){"service pve2 chrony dead", "service pve2 pvestatd dead",
			"task 0 fail 1000 command 'systemctl restart chrony' failed: exit code 1", NULL});
	deed.params = "service=chrony,pvestatd";
	expect_run(&deed, ACT_FAILED, "chrony: command 'systemctl restart chrony' failed");
	says("; restarted: pvestatd");
	expect_look(&deed, LOOK_UNHEALTHY, "service chrony is dead");
	deed.params = "service=chrony,nosuch";
	expect_run(&deed, ACT_GONE, "no service \"nosuch\"");
}

/* --- snapshots --- */

static struct deed snapshot(const char *what, const char *native, const char *params)
{
	static char names[4][64];
	static int n;
	char *name = names[n++ % 4];
	str_format(name, sizeof(names[0]), "proxmox.guest.%s", what);
	return (struct deed){.action = name, .native = native, .params = params};
}

static void snapshot_is_taken_seen_and_taken_back(void **state)
{
	struct deed take = snapshot("snapshot", "qemu/100", "name=homeostat-a");
	expect_look(&take, LOOK_UNHEALTHY, "is not there");
	expect_run(&take, ACT_DONE, "Successfully took snapshot homeostat-a of VM/Container 100");
	expect_look(&take, LOOK_HEALTHY, "is there");
	expect_run(&take, ACT_REFUSED, "there is a snapshot homeostat-a already");
	assert_int_equal(deed_do(&take, UNDO), ACT_DONE);
	says("Successfully deleted snapshot homeostat-a");
	expect_look(&take, LOOK_UNHEALTHY, "is not there");
	struct deed delete = snapshot("snapshot.delete", "qemu/100", "name=homeostat-a");
	expect_look(&delete, LOOK_HEALTHY, "is gone");
	expect_run(&delete, ACT_DONE, "has no snapshot homeostat-a any more");
}

static void snapshots_of_others_are_never_deleted(void **state)
{
	static const char *const names[] = {"before-update", "homeostat", "homeostat-", "Homeostat-a"};
	struct sim_pve_reply reply = ask_with(
		here, "POST", "/nodes/pve1/qemu/100/snapshot", "snapname=before-update");
	assert_int_equal(reply.status, 200);
	clock_advance(here->clock, 10000);
	play(here, "forget");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char params[64];
		STR_FORMAT(params, "name=%s", names[i]);
		struct deed deed = snapshot("snapshot.delete", "qemu/100", params);
		expect_run(&deed, ACT_REFUSED, "is not ours");
		deed = snapshot("snapshot", "qemu/100", params);
		expect_run(&deed, ACT_REFUSED, "is not ours");
		assert_int_equal(deed_do(&deed, UNDO), ACT_REFUSED);
	}
	assert_int_equal(POSTS("*"), 0);
	struct deed deed = snapshot("snapshot", "qemu/100", "name=homeostat-a.b");
	expect_run(&deed, ACT_REFUSED, "is no name for a snapshot");
}

static void snapshot_that_cannot_be_or_broke_off(void **state)
{
	struct deed deed = snapshot("snapshot", "lxc/200", "name=homeostat-a");
	expect_run(&deed, ACT_FAILED, "cannot take snapshots");
	deed = snapshot("snapshot", "qemu/103", "name=homeostat-a");
	expect_run(&deed, ACT_HELD, "locked (backup)");
	deed = snapshot("snapshot", "qemu/100", "name=homeostat-a");
	play(here, "task 100 fail 1000 snapshot failed: disk full");
	expect_run(&deed, ACT_FAILED, "disk full");
	expect_look(&deed, LOOK_UNHEALTHY, "was not finished: prepare");
	deed = snapshot("rollback", "qemu/100", "name=homeostat-a");
	play(here, "unlock 100");
	expect_run(&deed, ACT_REFUSED, "no finished snapshot");
	deed = snapshot("snapshot", "qemu/101", "name=homeostat-a");
	play(here, "task 101 slow 3600000");
	expect_run(&deed, ACT_UNKNOWN, "its end was not seen");
	expect_look(&deed, LOOK_NOT_YET, "qmsnapshot");
}

static void rollback_leaves_running_what_ran(void **state)
{
	struct deed take = snapshot("snapshot", "qemu/100", "name=homeostat-a");
	struct deed back = snapshot("rollback", "qemu/100", "name=homeostat-a");
	expect_run(&back, ACT_REFUSED, "has no snapshot");
	expect_run(&take, ACT_DONE, "Successfully");
	expect_run(
		&back, ACT_DONE, "rolled back VM/Container 100 to snapshot homeostat-a, it runs again");
	guest_is(100, "running");
	expect_look(&back, LOOK_HEALTHY, "running");
	play(here, "stop 100");
	expect_run(
		&back, ACT_DONE, "Successfully rolled back VM/Container 100 to snapshot homeostat-a");
	guest_is(100, "stopped");
	expect_look(&back, LOOK_HEALTHY, "it is stopped");
	/* looked at while the task runs: neither well nor meant */
	play(here, "start 100");
	play(here, "task 100 slow 3600000");
	expect_run(&back, ACT_UNKNOWN, "its end was not seen");
	play(here, "stop 100");
	expect_look(&back, LOOK_NOT_YET, "qmrollback");
	clock_advance(here->clock, 3600000);
	/* a version that does not know start=1 */
	play(here, "start 100");
	hooks[0] = (struct hook){.request = "POST *rollback",
		.status = 400,
		.reason = "Parameter verification failed.",
		.body = "{\"data\":null,\"errors\":{\"start\":\"property is not defined in schema\"},"
				"\"message\":\"Parameter verification failed.\\n\"}"};
	expect_run(&back, ACT_DONE, "it runs again");
	guest_is(100, "running");
	assert_int_equal(POSTS("POST */status/start"), 1);
}

static void rollback_that_leaves_a_wanted_guest_down_is_not_well(void **state)
{
	struct deed take = snapshot("snapshot", "qemu/101", "name=homeostat-a");
	struct deed back = snapshot("rollback", "qemu/101", "name=homeostat-a");
	expect_run(&take, ACT_DONE, "Successfully");
	play(here, "vm 105 pve1 wanted onboot stopped");
	hooks[0] = (struct hook){.request = "GET *status/current",
		.skip = 1,
		.status = 200,
		.reason = "OK",
		.body = "{\"data\":{\"status\":\"stopped\",\"vmid\":101}}"};
	hooks[1] = (struct hook){
		.request = "POST *start", .status = 500, .reason = "cluster not ready - no quorum?"};
	expect_run(&back, ACT_FAILED, "it was rolled back, and could not be started again");
	back.native = "qemu/105";
	expect_look(&back, LOOK_UNHEALTHY, "it is stopped");
	play(here, "stop 201");
	back.native = "lxc/201"; /* critical */
	expect_look(&back, LOOK_UNHEALTHY, "it is stopped");
}

/* --- the agent --- */

static struct deed agent(const char *what, const char *native)
{
	return snapshot(what, native, NULL);
}

static void agent_answers_or_is_missed_by_name(void **state)
{
	static const char *const names[] = {"ping", "fstrim", "processes"};
	for (int i = 0; i < 3; i++) {
		fresh(state, (const char *const[]){"agent 100 absent", "stop 102", NULL});
		struct deed deed = agent(names[i], "lxc/200");
		expect_run(&deed, ACT_REFUSED, "container 200 has no guest agent");
		deed = agent(names[i], "qemu/101");
		expect_run(&deed, ACT_FAILED, "qemu-guest-agent");
		deed = agent(names[i], "qemu/100");
		expect_run(&deed, ACT_FAILED, "qemu-guest-agent");
		deed = agent(names[i], "qemu/102");
		expect_run(&deed, ACT_REFUSED, "does not run");
		play(here, "agent 100 present");
		play(here, "pause 100");
		deed = agent(names[i], "qemu/100");
		expect_run(&deed, ACT_REFUSED, "paused");
	}
	fresh(state, (const char *const[]){NULL});
	struct deed deed = agent("ping", "qemu/100");
	expect_run(&deed, ACT_DONE, "the guest agent of VM 100 answers");
	expect_look(&deed, LOOK_HEALTHY, "its agent answers");
	deed = agent("fstrim", "qemu/100");
	expect_run(&deed, ACT_DONE, "Successfully trimmed the disks of VM 100");
	play(here, "agent 100 absent");
	expect_look(&deed, LOOK_UNHEALTHY, "guest agent is not running");
}

static void agent_rights_are_named_by_version(void **state)
{
	struct deed deed = agent("fstrim", "qemu/100");
	deed.token = "agent@pve!heal=s1";
	play(here, "acl /vms/100 agent@pve VM.Audit,VM.PowerMgmt");
	expect_run(&deed, ACT_FAILED, "(/vms/100, VM.GuestAgent.FileSystemMgmt|");
	says("homeostat check prints the pveum command");
	play(here, "dialect 8");
	expect_run(&deed, ACT_FAILED, "(/vms/100, VM.Monitor)");
}

#define PS \
	"%CPU %MEM     PID COMMAND\\n97.0  3.1    1234 ffmpeg\\u0007\\n 2.0  0.1       1 systemd\\n"
#define TOP \
	"Mem: 12K used\\nCPU: 90% usr\\n  PID  PPID USER     STAT   VSZ %VSZ %CPU COMMAND\\n" \
	" 1234     1 root     R     4412   1%  90% ffmpeg\\n"

static void processes_are_told_by_ps_or_top(void **state)
{
	struct deed deed = agent("processes", "qemu/100");
	hooks[0] = (struct hook){.request = "GET *exec-status*",
		.status = 200,
		.reason = "OK",
		.body = "{\"data\":{\"exited\":1,\"exitcode\":0,\"out-data\":\"" PS "\"}}"};
	expect_run(&deed, ACT_DONE, "97.0 3.1 1234 ffmpeg ; 2.0 0.1 1 systemd");
	assert_null(strpbrk(said, "\a\n"));
	hooks[0] = (struct hook){.request = "GET *exec-status*",
		.status = 200,
		.reason = "OK",
		.body = "{\"data\":{\"exited\":1,\"exitcode\":1,\"err-data\":\"bad option\"}}"};
	hooks[1] = (struct hook){.request = "GET *exec-status*",
		.skip = 0,
		.status = 200,
		.reason = "OK",
		.body = "{\"data\":{\"exited\":1,\"exitcode\":0,\"out-data\":\"" TOP "\"}}"};
	expect_run(&deed, ACT_DONE, "1234 1 root R 4412 1% 90% ffmpeg");
	assert_null(strstr(said, "usr"));
	/* no such binary: the real daemon breaks off */
	hooks[0] = (struct hook){.request = "POST *exec", .status = 596, .reason = "Broken pipe"};
	expect_run(&deed, ACT_FAILED, "has no ps");
	/* as the guest has them */
	expect_run(&deed, ACT_DONE, "1.2 2.0 311 nginx");
	/* what the agent prints is not a list */
	for (int i = 0; i < 2; i++)
		hooks[i] = (struct hook){.request = "GET *exec-status*",
			.status = 200,
			.reason = "OK",
			.body = "{\"data\":{\"exited\":1,\"exitcode\":0,\"out-data\":\"done\\n\"}}"};
	expect_run(&deed, ACT_FAILED, "does not list its processes");
}

static void processes_heal_nothing_by_themselves(void **state)
{
	struct deed deed = agent("processes", "qemu/100");
	clock_advance(here->clock, 20000);
	expect_look(&deed, LOOK_HEALTHY, "of its CPU");
	play(here, "guest-load 100 cpu=0.99");
	clock_advance(here->clock, 20000);
	expect_look(&deed, LOOK_UNHEALTHY, "of its CPU");
}

/* --- the table --- */

static void every_action_says_what_it_would_do_and_asks_nobody(void **state)
{
	int n = 0;
	for (int i = 0; actions[i] != NULL; i++) {
		const struct action_info *info = &actions[i]->info;
		if (!str_starts(info->name, "proxmox."))
			continue;
		n++;
		const struct deed deed = {.action = info->name,
			.native = info->kind == COMPONENT_NODE ? "node/pve1" : "qemu/100",
			.params = info->params == NULL || !info->params[0].required ? NULL
				: info->kind == COMPONENT_NODE                          ? "service=chrony"
																		: "name=homeostat-a"};
		assert_true(deed_do(&deed, CHECK));
		says("would ");
		assert_int_equal(info->has_undo, actions[i]->undo != NULL);
	}
	assert_int_equal(n, 11);
	assert_int_equal(POSTS("*") + sim_proxmox_gets(here->sim, "*"), 0);
}

static void source_that_is_not_configured_any_more(void **state)
{
	const struct action *action = action_find("proxmox.guest.start");
	struct config config = {0};
	struct act_context context = {
		.config = &config, .clock = here->clock, .stop_fd = -1, .arena = here->arena};
	const struct plan plan = {.source = "proxmox:old", .native = "qemu/100"};
	assert_int_equal(action->run(&context, &plan, said, sizeof(said)), ACT_FAILED);
	says("proxmox:old is not configured any more");
	assert_int_equal(action->verify(&context, &plan, &since_ms, said, sizeof(said)), LOOK_BLIND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(service_is_restarted_only_when_it_is_one_that_failed),
		CASE(several_services_are_restarted_one_after_the_other),
		CASE(snapshot_is_taken_seen_and_taken_back),
		CASE(snapshots_of_others_are_never_deleted),
		CASE(snapshot_that_cannot_be_or_broke_off),
		CASE(rollback_leaves_running_what_ran),
		CASE(rollback_that_leaves_a_wanted_guest_down_is_not_well),
		CASE(agent_answers_or_is_missed_by_name),
		CASE(agent_rights_are_named_by_version),
		CASE(processes_are_told_by_ps_or_top),
		CASE(processes_heal_nothing_by_themselves),
		CASE(every_action_says_what_it_would_do_and_asks_nobody),
		CASE(source_that_is_not_configured_any_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
