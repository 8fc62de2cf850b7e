/* The Proxmox VE source, against recordings of a real cluster and against the simulator. */
#include "watch_stage.h"

static int open_sim(void **state)
{
	struct watch *watch = watch_new();
	play_all(watch->stage, recorded_world);
	play(watch->stage, "backup 100 local 1h");
	play(watch->stage, "backup 202 local 1h");
	watch_open(watch);
	*state = watch;
	return 0;
}

static int open_empty(void **state)
{
	*state = watch_new();
	return 0;
}

static int done(void **state)
{
	watch_free(*state);
	return 0;
}

/* Recordings. */

static const struct tape healthy[] = {{"healthy", ""}, {NULL, NULL}};

static void test_healthy_recording(void **state)
{
	struct watch *watch = *state;
	watch_tapes(watch, healthy);
	watch_open(watch);
	look_after(watch, 0);
	expect_troubles(watch, 0);
	assert_true(watch->report.complete);
	expect(watch, "proxmox_node_pve1", ASPECT_STATE, FINDING_NONE);
	struct belief *ct = expect(watch, "lxc_200", ASPECT_STATE, FINDING_NONE);
	assert_string_equal(ct->seen.component.parent, "proxmox_node_pve1");
	assert_string_equal(ct->seen.component.native, "lxc/200");
	assert_string_equal(ct->seen.component.label, "dns");
	expect(watch, "qemu_9000", ASPECT_STATE, FINDING_FINE);
	struct belief *locked = expect(watch, "qemu_103", ASPECT_STATE, FINDING_UNSURE);
	assert_int_equal(locked->seen.state, OBS_RESTARTING);
	assert_string_equal(locked->seen.held, "locked (backup)");
	expect(watch, "storage_local_pve1", ASPECT_STATE, FINDING_NONE);
	expect(watch, "backup_200", ASPECT_STATE, FINDING_NONE);
	expect(watch, "backup_100", ASPECT_STATE, FINDING_NONE);
	look_after(watch, 10000);
	expect_troubles(watch, 0);
	assert_int_equal(watch->report.count, 0);
}

static void check_offline(struct watch *watch, const struct tape *tapes)
{
	watch_tapes(watch, tapes);
	watch->dead = "pve3";
	watch_open(watch);
	look_after(watch, 0);
	expect_troubles(watch, 1);
	struct belief *node = expect(watch, "proxmox_node_pve3", ASPECT_STATE, FINDING_OFFLINE);
	assert_string_equal(node->finding.issue, "Proxmox node 'pve3' is offline");
	expect(watch, "qemu_102", ASPECT_STATE, FINDING_UNSURE);
	expect(watch, "storage_local_pve3", ASPECT_STATE, FINDING_UNSURE);
	look_after(watch, 10000);
	expect_troubles(watch, 1);
}

static void test_offline_35(void **state)
{
	static const struct tape tapes[] = {{"node-offline", "t35__"}, {"healthy", ""}, {NULL, NULL}};
	check_offline(*state, tapes);
}

static void test_offline_280(void **state)
{
	static const struct tape tapes[] = {
		{"node-offline", "t280__"}, {"node-offline", "t35__"}, {"healthy", ""}, {NULL, NULL}};
	check_offline(*state, tapes);
}

static void test_offline_320(void **state)
{
	static const struct tape tapes[] = {
		{"node-offline", "t320__"}, {"node-offline", "t35__"}, {"healthy", ""}, {NULL, NULL}};
	check_offline(*state, tapes);
}

/* PVE itself does not know yet; only that what is asked of the node is not answered. */
static void test_offline_0(void **state)
{
	static const struct tape tapes[] = {{"node-offline", "t0__"}, {"healthy", ""}, {NULL, NULL}};
	struct watch *watch = *state;
	watch_tapes(watch, tapes);
	watch->dead = "pve3";
	watch_open(watch);
	look_after(watch, 0);
	expect_troubles(watch, 0);
	expect(watch, "proxmox_node_pve3", ASPECT_SERVICE, FINDING_UNSURE);
}

static void test_no_quorum_recording(void **state)
{
	static const struct tape tapes[] = {{"no-quorum", "nq__"}, {"healthy", ""}, {NULL, NULL}};
	struct watch *watch = *state;
	watch_tapes(watch, tapes);
	watch->dead = "pve3";
	watch_open(watch);
	look_after(watch, 0);
	expect_troubles(watch, 1);
	struct belief *quorum = expect(watch, "proxmox_cluster", ASPECT_QUORUM, FINDING_NO_QUORUM);
	assert_int_equal(quorum->finding.severity, SEVERITY_CRITICAL);
	expect(watch, "proxmox_node_pve2", ASPECT_STATE, FINDING_UNSURE);
	expect(watch, "qemu_101", ASPECT_STATE, FINDING_UNSURE);
	struct belief *guest = expect(watch, "lxc_200", ASPECT_STATE, FINDING_NONE);
	assert_string_equal(guest->seen.held, "the cluster has no quorum");
	watch_tapes(watch, healthy);
	watch->dead = NULL;
	look_after(watch, 10000);
	expect_troubles(watch, 0);
	guest = expect(watch, "lxc_200", ASPECT_STATE, FINDING_NONE);
	assert_string_equal(guest->seen.held, "");
}

/* All rights are lost: lists are empty, and nothing of it was removed. */
static void test_rights_lost_recording(void **state)
{
	static const struct tape bare[] = {{"permissions", "privsep-no-acl__"}, {NULL, NULL}};
	struct watch *watch = *state;
	watch_tapes(watch, healthy);
	watch_open(watch);
	look_after(watch, 0);
	expect_troubles(watch, 0);
	watch_tapes(watch, bare);
	look_after(watch, 10000);
	expect_troubles(watch, 0);
	for (int i = 0; i < watch->count; i++)
		assert_int_not_equal(watch->beliefs[i].seen.state, OBS_ABSENT);
	expect(watch, "lxc_200", ASPECT_STATE, FINDING_UNSURE);
	assert_non_null(strstr(watch->report.text, "Permission check failed (/, Sys.Audit)"));
	assert_non_null(
		strstr(watch->report.text, ": homeostat check prints the pveum commands that grant it"));
	watch_tapes(watch, healthy);
	look_after(watch, 10000);
	expect(watch, "lxc_200", ASPECT_STATE, FINDING_NONE);
	assert_string_equal(watch->report.text, "");
}

/* The simulator. */

static void test_offline_in_time(void **state)
{
	struct watch *watch = *state;
	look_after(watch, 0);
	expect_troubles(watch, 0);
	play(watch->stage, "down pve3");
	bool found = false;
	for (int at = 0; at <= 400; at += 10) {
		look_after(watch, 10000);
		if (!watch->ok)
			fail_msg("at %d s: %s", at, watch->err.text);
		if (at < 90)
			assert_in_range(troubles(watch), 0, 1);
		found = found || troubles(watch) == 1;
		/* before HA recovers ct 202, and after */
		if (at >= 20)
			expect_troubles(watch, 1);
	}
	assert_true(found);
	expect(watch, "proxmox_node_pve3", ASPECT_STATE, FINDING_OFFLINE);
	expect(watch, "qemu_102", ASPECT_STATE, FINDING_UNSURE);
	play(watch->stage, "up pve3");
	for (int i = 0; i < 12; i++)
		look_after(watch, 10000);
	expect_troubles(watch, 0);
}

static void settle(struct watch *watch)
{
	for (int i = 0; i < 3; i++)
		look_after(watch, 10000);
}

static void test_stopped_by_person(void **state)
{
	struct watch *watch = *state;
	watch->critical[0] = 200;
	watch->proxmox.critical_count = 1;
	look_after(watch, 0);
	play(watch->stage, "by root@pam stop 200");
	settle(watch);
	expect_troubles(watch, 0);
	struct belief *guest = expect(watch, "lxc_200", ASPECT_STATE, FINDING_FINE);
	assert_int_equal(guest->seen.cause, STOP_PERSON);
	assert_non_null(strstr(guest->finding.why, "stopped by root@pam"));
	assert_int_equal(guest->seen.want, WANT_CRITICAL);
}

static void test_critical_crashes(void **state)
{
	struct watch *watch = *state;
	watch->critical[0] = 200;
	watch->proxmox.critical_count = 1;
	look_after(watch, 0);
	play(watch->stage, "crash 200");
	settle(watch);
	struct belief *guest = expect(watch, "lxc_200", ASPECT_STATE, FINDING_STOPPED);
	assert_string_equal(guest->finding.issue, "Critical lxc 'dns' (ID: 200) is stopped");
	assert_int_equal(guest->finding.severity, SEVERITY_CRITICAL);
	play(watch->stage, "by root@pam start 200");
	settle(watch);
	expect(watch, "lxc_200", ASPECT_STATE, FINDING_NONE);
	expect_troubles(watch, 0);
}

static void test_not_wanted(void **state)
{
	struct watch *watch = *state;
	play(watch->stage, "vm 300 pve1 boots onboot");
	look_after(watch, 0);
	play(watch->stage, "crash 101");
	play(watch->stage, "crash 300");
	settle(watch);
	struct belief *guest = expect(watch, "qemu_101", ASPECT_STATE, FINDING_FINE);
	assert_int_equal(guest->seen.want, WANT_NOT);
	guest = expect(watch, "qemu_300", ASPECT_STATE, FINDING_STOPPED);
	assert_int_equal(guest->seen.want, WANT_STARTED);
}

static void test_tags(void **state)
{
	struct watch *watch = *state;
	play(watch->stage, "vm 300 pve1 mine onboot tags=homeostat-ignore;x");
	play(watch->stage, "vm 301 pve1 dear tags=homeostat-risk-high");
	look_after(watch, 0);
	play(watch->stage, "crash 300");
	settle(watch);
	expect(watch, "qemu_300", ASPECT_STATE, FINDING_FINE);
	struct belief *guest = expect(watch, "qemu_301", ASPECT_STATE, FINDING_NONE);
	assert_true(guest->seen.component.has_risk);
	assert_int_equal(guest->seen.component.risk, RISK_HIGH);
	expect_troubles(watch, 0);
}

static void test_locks(void **state)
{
	static const char *const locks[] = {"backup", "migrate", "clone", "create", "rollback"};
	struct watch *watch = *state;
	watch->critical[0] = 200;
	watch->proxmox.critical_count = 1;
	look_after(watch, 0);
	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		char line[64], held[64];
		snprintf(line, sizeof(line), "lock 200 %s", locks[i]);
		snprintf(held, sizeof(held), "locked (%s)", locks[i]);
		play(watch->stage, line);
		if (i == 0)
			play(watch->stage, "crash 200");
		settle(watch);
		expect_troubles(watch, 0);
		struct belief *guest = expect(watch, "lxc_200", ASPECT_STATE, FINDING_UNSURE);
		assert_string_equal(guest->seen.held, held);
		assert_int_equal(guest->seen.state, OBS_RESTARTING);
		play(watch->stage, "unlock 200");
	}
	settle(watch);
	expect(watch, "lxc_200", ASPECT_STATE, FINDING_STOPPED);
}

static void test_lock_that_stays(void **state)
{
	struct watch *watch = *state;
	look_after(watch, 0);
	play(watch->stage, "lock 200 snapshot");
	look_after(watch, 10000);
	look_after(watch, 6 * 3600000 - 20000);
	expect_troubles(watch, 0);
	look_after(watch, 60000);
	expect(watch, "lxc_200", ASPECT_LOCK, FINDING_LOCKED);
	play(watch->stage, "unlock 200");
	settle(watch);
	expect(watch, "lxc_200", ASPECT_LOCK, FINDING_NONE);
}

static void test_paused(void **state)
{
	struct watch *watch = *state;
	watch->critical[0] = 100;
	watch->proxmox.critical_count = 1;
	look_after(watch, 0);
	play(watch->stage, "pause 100");
	settle(watch);
	expect_troubles(watch, 0);
	struct belief *guest = expect(watch, "qemu_100", ASPECT_STATE, FINDING_FINE);
	assert_int_equal(guest->seen.state, OBS_PAUSED);
	play(watch->stage, "pause 100 io-error");
	settle(watch);
	guest = expect(watch, "qemu_100", ASPECT_STATE, FINDING_UNHEALTHY);
	assert_non_null(strstr(guest->finding.issue, "I/O error"));
}

static void test_shares(void **state)
{
	struct watch *watch = *state;
	look_after(watch, 0);
	play(watch->stage, "node-load pve1 cpu=0.97 used=0.95 root=0.9");
	play(watch->stage, "guest-load 100 cpu=0.99 used=0.5");
	settle(watch);
	expect(watch, "proxmox_node_pve1", ASPECT_CPU, FINDING_HIGH_CPU);
	expect(watch, "proxmox_node_pve1", ASPECT_MEMORY, FINDING_HIGH_MEMORY);
	expect(watch, "proxmox_node_pve1", ASPECT_DISK, FINDING_DISK_FULL);
	expect(watch, "qemu_100", ASPECT_CPU, FINDING_HIGH_CPU);
	play(watch->stage, "node-load pve1 cpu=0.5 used=0.5 root=0.5");
	play(watch->stage, "guest-load 100 cpu=0.1 used=0.5");
	settle(watch);
	expect_troubles(watch, 0);
	look_after(watch, 10000);
	assert_int_equal(watch->report.count, 0);
}

static void test_details(void **state)
{
	struct watch *watch = *state;
	play(watch->stage, "service pve1 pvestatd dead");
	play(watch->stage, "certificate pve2 days=5");
	play(watch->stage, "disk pve1 /dev/sda FAILED!");
	play(watch->stage, "zfs pve2 tank DEGRADED");
	play(watch->stage, "replication 100 pve2 fail=no-route");
	look_after(watch, 0);
	struct belief *of = expect(watch, "proxmox_node_pve1", ASPECT_SERVICE, FINDING_FAILED);
	assert_string_equal(of->seen.detail, "pvestatd is dead");
	assert_string_equal(of->seen.services, "pvestatd");
	expect(watch, "proxmox_node_pve2", ASPECT_CERTIFICATE, FINDING_CERTIFICATE);
	expect(watch, "proxmox_node_pve1", ASPECT_DEVICE, FINDING_DEVICE);
	expect(watch, "proxmox_node_pve2", ASPECT_POOL, FINDING_POOL);
	expect(watch, "qemu_100", ASPECT_REPLICATION, FINDING_REPLICATION);
	expect_troubles(watch, 5);
	play(watch->stage, "service pve1 chrony dead");
	look_after(watch, 660000);
	of = expect(watch, "proxmox_node_pve1", ASPECT_SERVICE, FINDING_FAILED);
	assert_string_equal(of->seen.services, "chrony,pvestatd");
	play(watch->stage, "service pve1 chrony running");
	play(watch->stage, "service pve1 pvestatd running");
	look_after(watch, 660000);
	expect(watch, "proxmox_node_pve1", ASPECT_SERVICE, FINDING_NONE);
}

static void test_kernel(void **state)
{
	struct watch *watch = *state;
	watch->say_path = "/nodes/pve1/apt/versions";
	watch->say_body =
		"{\"data\":[{\"Package\":\"proxmox-ve\",\"CurrentState\":\"Installed\","
		"\"RunningKernel\":\"6.8.12-9-pve\"},{\"Package\":\"proxmox-kernel-6.14\","
		"\"CurrentState\":\"Installed\"},{\"Package\":\"proxmox-kernel-6.14.8-2-pve-signed\","
		"\"CurrentState\":\"Installed\"},{\"Package\":\"proxmox-kernel-6.17.2-1-pve\","
		"\"CurrentState\":\"ConfigFiles\"}]}";
	look_after(watch, 0);
	struct belief *of = expect(watch, "proxmox_node_pve1", ASPECT_UPDATES, FINDING_UPDATES);
	assert_int_equal(of->seen.fault, FAULT_NOTE);
	assert_non_null(strstr(of->seen.detail, "kernel 6.14.8-2-pve is installed and 6.8.12-9-pve"));
	/* the simulator has no such call: nothing is known of the others */
	expect(watch, "proxmox_node_pve2", ASPECT_UPDATES, FINDING_UNSURE);
	expect_troubles(watch, 1);
}

/* The right to one guest is lost: it was not removed. Then it is destroyed indeed. */
static void test_one_right_lost(void **state)
{
	struct watch *watch = *state;
	watch->stage->authorization = "PVEAPIToken=agent@pve!heal=s1";
	look_after(watch, 0);
	expect(watch, "qemu_101", ASPECT_STATE, FINDING_NONE);
	play(watch->stage, "acl /vms/101 agent@pve VM.PowerMgmt");
	settle(watch);
	struct belief *guest = expect(watch, "qemu_101", ASPECT_STATE, FINDING_UNSURE);
	assert_int_equal(guest->seen.state, OBS_UNKNOWN);
	play(watch->stage, "acl /vms/101 agent@pve VM.Audit");
	settle(watch);
	expect(watch, "qemu_101", ASPECT_STATE, FINDING_NONE);
	play(watch->stage, "destroy 101");
	settle(watch);
	guest = expect(watch, "qemu_101", ASPECT_STATE, FINDING_FINE);
	assert_int_equal(guest->seen.state, OBS_ABSENT);
}

static void test_quorum_lost(void **state)
{
	struct watch *watch = *state;
	watch->critical[0] = 200;
	watch->proxmox.critical_count = 1;
	look_after(watch, 0);
	play(watch->stage, "quorum lost");
	settle(watch);
	expect_troubles(watch, 1);
	expect(watch, "proxmox_cluster", ASPECT_QUORUM, FINDING_NO_QUORUM);
	struct belief *guest = expect(watch, "lxc_200", ASPECT_STATE, FINDING_NONE);
	assert_string_equal(guest->seen.held, "the cluster has no quorum");
	play(watch->stage, "quorum back");
	settle(watch);
	expect_troubles(watch, 0);
}

static void test_storage_gone(void **state)
{
	struct watch *watch = *state;
	play(watch->stage, "storage nas all type=nfs shared");
	look_after(watch, 0);
	expect(watch, "storage_nas", ASPECT_STATE, FINDING_NONE);
	play(watch->stage, "storage-used nas pve1 0.97");
	settle(watch);
	expect(watch, "storage_nas", ASPECT_DISK, FINDING_DISK_FULL);
	play(watch->stage, "storage-used nas pve1 0.2");
	settle(watch);
	expect_troubles(watch, 0);
	watch->say_path = "/cluster/resources";
	watch->say_body =
		"{\"data\":[{\"type\":\"node\",\"node\":\"pve1\",\"status\":\"online\","
		"\"uptime\":9000},{\"type\":\"node\",\"node\":\"pve2\",\"status\":\"online\","
		"\"uptime\":9000},{\"type\":\"storage\",\"storage\":\"nas\",\"node\":\"pve1\","
		"\"shared\":1,\"status\":\"unknown\"},{\"type\":\"storage\",\"storage\":\"nas\","
		"\"node\":\"pve2\",\"shared\":1,\"status\":\"available\",\"disk\":1,\"maxdisk\":9}]}";
	look_after(watch, 10000);
	expect(watch, "storage_nas", ASPECT_STATE, FINDING_UNSURE);
	look_after(watch, 10000);
	struct belief *of = expect(watch, "storage_nas", ASPECT_STATE, FINDING_GONE);
	assert_string_equal(of->seen.detail, "it is not available on pve1");
}

/* PVE itself looks every 10 s: asking more often shows nothing new. */
static void test_pace(void **state)
{
	struct watch *watch = *state;
	look_after(watch, 0);
	assert_true(watch->asked > 0);
	look_after(watch, 9999);
	assert_int_equal(watch->asked, 0);
	look_after(watch, 1);
	assert_int_equal(watch->asked, 2);
	assert_int_equal(watch->report.count, 0);
}

static void test_away_and_back(void **state)
{
	struct watch *watch = *state;
	look_after(watch, 0);
	play(watch->stage, "crash 101");
	play(watch->stage, "answers close");
	look_after(watch, 10000);
	assert_false(watch->ok);
	assert_int_equal(watch->report.trouble, OBS_ERR_DOWN);
	play(watch->stage, "answers ok");
	look_after(watch, 500);
	assert_true(watch->report.complete);
	expect_troubles(watch, 0);
	expect(watch, "lxc_200", ASPECT_STATE, FINDING_NONE);
}

static void test_ha_error(void **state)
{
	struct watch *watch = *state;
	look_after(watch, 0);
	play(watch->stage, "ha 202 error");
	settle(watch);
	expect(watch, "lxc_202", ASPECT_HA, FINDING_HA_ERROR);
}

static void test_ha_stops_it(void **state)
{
	struct watch *watch = *state;
	watch->critical[0] = 202;
	watch->proxmox.critical_count = 1;
	look_after(watch, 0);
	play(watch->stage, "ha 202 stopped");
	for (int i = 0; i < 12; i++) {
		look_after(watch, 10000);
		expect_troubles(watch, 0);
	}
	struct belief *guest = expect(watch, "lxc_202", ASPECT_STATE, FINDING_FINE);
	assert_non_null(strstr(guest->seen.who, "HA"));
}

static void test_moves(void **state)
{
	struct watch *watch = *state;
	look_after(watch, 0);
	play(watch->stage, "move 101 pve1");
	settle(watch);
	struct belief *guest = expect(watch, "qemu_101", ASPECT_STATE, FINDING_NONE);
	assert_string_equal(guest->seen.component.parent, "proxmox_node_pve1");
	play(watch->stage, "destroy 101");
	settle(watch);
	guest = expect(watch, "qemu_101", ASPECT_STATE, FINDING_FINE);
	assert_int_equal(guest->seen.state, OBS_ABSENT);
	expect_troubles(watch, 0);
}

static void test_token_revoked(void **state)
{
	struct watch *watch = *state;
	look_after(watch, 0);
	play(watch->stage, "revoke root@pam!full");
	look_after(watch, 10000);
	assert_false(watch->ok);
	assert_int_equal(watch->report.trouble, OBS_ERR_DENIED);
}

static void test_single_node(void **state)
{
	static const char *const world[] = {
		"alone", "node pve", "storage local all", "ct 104 pve homelab-agents", NULL};
	struct watch *watch = *state;
	play_all(watch->stage, world);
	watch_open(watch);
	look_after(watch, 0);
	expect_troubles(watch, 0);
	struct belief *node = expect(watch, "proxmox_node", ASPECT_STATE, FINDING_NONE);
	assert_string_equal(node->seen.component.label, "pve");
	expect(watch, "storage_local", ASPECT_STATE, FINDING_NONE);
	expect(watch, "lxc_104", ASPECT_STATE, FINDING_NONE);
}

static void test_many(void **state)
{
	struct watch *watch = *state;
	static const char *const world[] = {
		"node pve1", "node pve2", "node pve3", "storage local all", "guests 10000 1000", NULL};
	play_all(watch->stage, world);
	watch_open(watch);
	watch->slow = 1;
	/* the load of some is near any usual limit, and sways */
	watch->config.thresholds.guest_cpu = 1000;
	look_after(watch, 0);
	assert_true(watch->ok);
	assert_true(watch->report.complete);
	assert_true(watch->report.count >= 10000);
	look_after(watch, 10000);
	assert_false(watch->report.complete);
	assert_in_range(watch->asked, 1, 170); /* 150 about guests, the rest about nodes */
}

/* Why so many do not run is asked a part at a time, and less and less often: in the end all are
 * known, nothing is told twice, and few questions are left. */
static void test_many_stopped(void **state)
{
	struct watch *watch = *state;
	static const char *const world[] = {
		"node pve1", "node pve2", "node pve3", "guests 2000 1000", NULL};
	play_all(watch->stage, world);
	watch_open(watch);
	watch->slow = 1;
	watch->config.thresholds.guest_cpu = 1000;
	look_after(watch, 0);
	int asked = 0, news = 0;
	for (int i = 0; i < 60; i++) {
		look_after(watch, 60000);
		if (i < 40)
			continue;
		asked += watch->asked;
		news += watch->report.count;
	}
	assert_int_equal(news, 0);
	assert_in_range(asked, 20, 20 * 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_healthy_recording, open_empty, done),
		cmocka_unit_test_setup_teardown(test_offline_0, open_empty, done),
		cmocka_unit_test_setup_teardown(test_offline_35, open_empty, done),
		cmocka_unit_test_setup_teardown(test_offline_280, open_empty, done),
		cmocka_unit_test_setup_teardown(test_offline_320, open_empty, done),
		cmocka_unit_test_setup_teardown(test_no_quorum_recording, open_empty, done),
		cmocka_unit_test_setup_teardown(test_rights_lost_recording, open_empty, done),
		cmocka_unit_test_setup_teardown(test_offline_in_time, open_sim, done),
		cmocka_unit_test_setup_teardown(test_stopped_by_person, open_sim, done),
		cmocka_unit_test_setup_teardown(test_critical_crashes, open_sim, done),
		cmocka_unit_test_setup_teardown(test_not_wanted, open_sim, done),
		cmocka_unit_test_setup_teardown(test_tags, open_sim, done),
		cmocka_unit_test_setup_teardown(test_locks, open_sim, done),
		cmocka_unit_test_setup_teardown(test_lock_that_stays, open_sim, done),
		cmocka_unit_test_setup_teardown(test_paused, open_sim, done),
		cmocka_unit_test_setup_teardown(test_shares, open_sim, done),
		cmocka_unit_test_setup_teardown(test_details, open_sim, done),
		cmocka_unit_test_setup_teardown(test_kernel, open_sim, done),
		cmocka_unit_test_setup_teardown(test_one_right_lost, open_sim, done),
		cmocka_unit_test_setup_teardown(test_quorum_lost, open_sim, done),
		cmocka_unit_test_setup_teardown(test_storage_gone, open_sim, done),
		cmocka_unit_test_setup_teardown(test_pace, open_sim, done),
		cmocka_unit_test_setup_teardown(test_away_and_back, open_sim, done),
		cmocka_unit_test_setup_teardown(test_ha_error, open_sim, done),
		cmocka_unit_test_setup_teardown(test_ha_stops_it, open_sim, done),
		cmocka_unit_test_setup_teardown(test_moves, open_sim, done),
		cmocka_unit_test_setup_teardown(test_token_revoked, open_sim, done),
		cmocka_unit_test_setup_teardown(test_single_node, open_empty, done),
		cmocka_unit_test_setup_teardown(test_many, open_empty, done),
		cmocka_unit_test_setup_teardown(test_many_stopped, open_empty, done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
