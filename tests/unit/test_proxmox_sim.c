/*
 * The client and the simulated cluster over real TLS on loopback, three nodes at three addresses:
 * every call, and what the real server does that clients trip over. The clock is wound: waits
 * (clock_wait) and held answers move it, so that nothing here takes its real time. Every request is
 * judged by Proxmox's own schema, where that file is present.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/http.h"
#include "base/str.h"
#include "client/proxmox.h"
#include "sim/proxmox.h"
#include "tests/pve_schema.h"

#define START_MS 1795469040000
#define SECRET (strrchr(SIM_PVE_TOKEN, '=') + 1)

struct stage {
	struct clock *clock;
	struct sim_proxmox *sim;
	struct sim_site *site;
	struct proxmox *proxmox;
	struct arena *arena;
	struct err err;
	char wrong[400]; /* the first request that the schema refuses */
	char ca_file[64];
};

static struct clock *wound;

bool __wrap_clock_wait(const struct clock *clock, int64_t ms, int stop_fd);
bool __wrap_clock_wait(const struct clock *clock, int64_t ms, int stop_fd)
{
	(void)stop_fd;
	if (clock == wound && ms > 0)
		clock_advance(wound, ms);
	return true;
}

static void judge(void *ctx, const struct sim_pve_request *request)
{
	struct stage *stage = ctx;
	char text[200];
	if (!pve_schema_allows(request, text, sizeof(text)) && stage->wrong[0] == '\0')
		STR_FORMAT(stage->wrong, "%s %s %s: %s", request->method, request->url,
			request->body != NULL ? request->body : "", text);
}

struct line {
	const char *text;
	char why[200];
	bool ok;
};

static void play_line(struct sim_proxmox *sim, void *ctx)
{
	struct line *line = ctx;
	line->ok = sim_proxmox_script(sim, line->text, line->why, sizeof(line->why));
}

static void play(struct stage *stage, const char *text)
{
	struct line line = {.text = text};
	sim_site_do(stage->site, play_line, &line);
	if (!line.ok)
		fail_msg("%s: %s", text, line.why);
}

struct question {
	const char *pattern, *text;
	int vmid, count;
};

static void ask_posts(struct sim_proxmox *sim, void *ctx)
{
	struct question *question = ctx;
	question->count = sim_proxmox_posts(sim, question->pattern);
}

static int posts(struct stage *stage, const char *pattern)
{
	struct question question = {.pattern = pattern};
	sim_site_do(stage->site, ask_posts, &question);
	return question.count;
}

static void ask_guest(struct sim_proxmox *sim, void *ctx)
{
	struct question *question = ctx;
	sim_proxmox_tick(sim);
	question->text = sim_proxmox_guest(sim, question->vmid);
}

static const char *guest(struct stage *stage, int vmid)
{
	struct question question = {.vmid = vmid};
	sim_site_do(stage->site, ask_guest, &question);
	return question.text;
}

static void ask_print(struct sim_proxmox *sim, void *ctx)
{
	struct question *question = ctx;
	question->text = sim_proxmox_fingerprint(sim, question->pattern);
}

static char *print_of(struct stage *stage, const char *node)
{
	struct question question = {.pattern = node};
	sim_site_do(stage->site, ask_print, &question);
	return arena_strdup(stage->arena, question.text);
}

static const char *const world[] = {"node pve1 ip=127.0.1.1", "node pve2 ip=127.0.1.2",
	"node pve3 ip=127.0.1.3", "storage local all", "vm 100 pve1 web tags=frontend;prod agent",
	"vm 101 pve2 db stopped", "vm 102 pve3 deaf agent", "ct 200 pve1 dns", "ct 201 pve2 cache",
	"vm 9000 pve2 tmpl template", "ha 201", "job nightly local daily 100,200",
	"backup 200 local 1h", "replication 100 pve2 fail=no route", "disk pve1 sda PASSED wearout=97",
	"zfs pve1 rpool ONLINE", "user agent@pve secret", "token agent@pve!heal=s1", NULL};

/* A client of node pve1, whose certificate it pins; with ca: by the cluster's authority instead. */
static struct proxmox *client(struct stage *stage, const char *token, const char *secret, bool ca)
{
	const struct config_proxmox config = {.name = "pve",
		.url = arena_printf(stage->arena, "https://127.0.1.1:%d", sim_site_port(stage->site)),
		.token_id = token,
		.token_secret = token != NULL ? secret : NULL,
		.user = token == NULL ? "root@pam" : NULL,
		.password = token == NULL ? secret : NULL,
		.fingerprint = ca ? NULL : print_of(stage, "pve1"),
		.ca_file = ca ? stage->ca_file : NULL};
	struct proxmox *made = proxmox_open(&config, stage->clock, -1, &stage->err);
	if (made == NULL)
		fail_msg("%s", stage->err.text);
	return made;
}

static void use(struct stage *stage, const char *token, const char *secret, bool ca)
{
	proxmox_close(stage->proxmox);
	stage->proxmox = client(stage, token, secret, ca);
}

static int set_up(void **state)
{
	char text[200];
	struct stage *stage = test_calloc(1, sizeof(*stage));
	stage->arena = arena_new((size_t)512 << 20);
	stage->clock = wound = clock_new_wound(START_MS);
	stage->sim = sim_proxmox_new(stage->clock);
	for (int i = 0; world[i] != NULL; i++)
		if (!sim_proxmox_script(stage->sim, world[i], text, sizeof(text)))
			fail_msg("%s: %s", world[i], text);
	sim_proxmox_witness(stage->sim, judge, stage);
	STR_SET(stage->ca_file, "/tmp/homeostat-pve-ca-XXXXXX");
	int fd = mkstemp(stage->ca_file);
	const char *pem = sim_proxmox_ca_pem(stage->sim);
	assert_int_equal(write(fd, pem, strlen(pem)), strlen(pem));
	close(fd);
	stage->site = sim_site_start(stage->sim, stage->clock);
	assert_non_null(stage->site);
	stage->proxmox = client(stage, "root@pam!full", SECRET, false);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	proxmox_close(stage->proxmox);
	sim_site_stop(stage->site);
	sim_proxmox_free(stage->sim);
	clock_free(stage->clock);
	arena_free(stage->arena);
	unlink(stage->ca_file);
	char wrong[400];
	STR_SET(wrong, stage->wrong);
	test_free(stage);
	if (wrong[0] != '\0')
		print_error("not by the schema: %s\n", wrong);
	return wrong[0] != '\0' ? -1 : 0;
}

static void good(struct stage *stage, bool ok)
{
	if (!ok)
		fail_msg("%s", stage->err.text);
}

static void bad(struct stage *stage, bool ok, enum err_kind kind, const char *words)
{
	assert_false(ok);
	if (strstr(stage->err.text, words) == NULL || stage->err.kind != kind)
		fail_msg("%s: %s", err_kind_name(stage->err.kind), stage->err.text);
	stage->err = (struct err){0};
}

static bool look(struct stage *stage, struct proxmox_look *seen)
{
	return proxmox_look(stage->proxmox, 15000, stage->arena, seen, &stage->err);
}

static void learn(struct stage *stage)
{
	struct proxmox_cluster cluster;
	good(stage, proxmox_cluster(stage->proxmox, 15000, stage->arena, &cluster, &stage->err));
	assert_int_equal(cluster.count, 3);
}

static bool power(struct stage *stage, struct proxmox_at at, enum proxmox_power what,
	char upid[PROXMOX_UPID_BYTES])
{
	return proxmox_power(stage->proxmox, at, what, 0, upid, &stage->err);
}

/* What a power call's task ends with. */
static struct proxmox_result result_of(
	struct stage *stage, struct proxmox_at at, enum proxmox_power what)
{
	char upid[PROXMOX_UPID_BYTES];
	struct proxmox_result result;
	good(stage, power(stage, at, what, upid));
	good(stage, proxmox_task_wait(stage->proxmox, upid, 120000, &result, &stage->err));
	return result;
}

static const struct proxmox_at web = {"pve1", PROXMOX_QEMU, 100}, db = {"pve2", PROXMOX_QEMU, 101},
							   deaf = {"pve3", PROXMOX_QEMU, 102}, dns = {"pve1", PROXMOX_LXC, 200},
							   cache = {"pve2", PROXMOX_LXC, 201};

static void every_list_is_read(void **state)
{
	struct stage *stage = *state;
	struct proxmox *proxmox = stage->proxmox;
	struct arena *arena = stage->arena;
	struct err *err = &stage->err;
	struct proxmox_look seen;
	struct proxmox_ha ha;
	struct proxmox_rights rights;
	struct proxmox_backup_list backups;
	struct proxmox_job_list jobs;
	struct proxmox_unbacked_list unbacked;
	struct proxmox_service_list services;
	struct proxmox_certificate_list certificates;
	struct proxmox_replication_list replications;
	struct proxmox_disk_list disks;
	struct proxmox_pool_list pools;
	struct proxmox_task_list tasks;
	const struct proxmox_task_filter filter = {"pve1", "vzdump", 200};
	good(stage, look(stage, &seen));
	assert_int_equal(seen.guest_count, 6);
	assert_int_equal(seen.node_count, 3);
	assert_int_equal(seen.storage_count, 3);
	assert_string_equal(proxmox_guest_find(&seen, 100)->tags, "frontend;prod");
	learn(stage);
	assert_int_equal(proxmox_address_count(proxmox), 3);
	good(stage, proxmox_ha(proxmox, arena, &ha, err));
	assert_int_equal(ha.count, 1);
	assert_int_equal(ha.services[0].vmid, 201);
	good(stage, proxmox_rights(proxmox, arena, &rights, err));
	assert_true(proxmox_may(&rights, "/vms/100", "VM.PowerMgmt"));
	good(stage, proxmox_backups(proxmox, "pve1", "local", arena, &backups, err));
	assert_int_equal(backups.count, 1);
	assert_int_equal(backups.rows[0].vmid, 200);
	good(stage, proxmox_jobs(proxmox, arena, &jobs, err));
	assert_int_equal(jobs.count, 1);
	good(stage, proxmox_unbacked(proxmox, arena, &unbacked, err));
	assert_int_equal(unbacked.count, 4);
	good(stage, proxmox_services(proxmox, "pve2", arena, &services, err));
	assert_true(services.count > 10);
	good(stage, proxmox_certificates(proxmox, "pve1", arena, &certificates, err));
	assert_true(certificates.count > 0);
	good(stage, proxmox_replications(proxmox, "pve1", arena, &replications, err));
	assert_int_equal(replications.count, 1);
	assert_string_equal(replications.rows[0].error, "no route");
	good(stage, proxmox_disks(proxmox, "pve1", arena, &disks, err));
	assert_int_equal(disks.rows[0].wearout, 97);
	good(stage, proxmox_zfs(proxmox, "pve1", arena, &pools, err));
	assert_int_equal(pools.count, 1);
	good(stage, proxmox_tasks(proxmox, arena, &tasks, err));
	good(stage, proxmox_node_tasks(proxmox, &filter, arena, &tasks, err));
}

static void every_guest_call_is_understood(void **state)
{
	struct stage *stage = *state;
	struct proxmox *proxmox = stage->proxmox;
	struct err *err = &stage->err;
	struct proxmox_guest_status status;
	struct proxmox_guest_config config;
	struct proxmox_node_status node;
	struct proxmox_snapshot_list snapshots;
	struct proxmox_result result;
	struct proxmox_exec exec;
	const char *const argv[] = {"systemctl", "restart", "a b&c=d", NULL};
	char upid[PROXMOX_UPID_BYTES];
	good(stage, proxmox_guest_status(proxmox, web, &status, err));
	assert_int_equal(status.state, PROXMOX_RUNNING);
	good(stage, proxmox_guest_config(proxmox, dns, &config, err));
	good(stage, proxmox_node_status(proxmox, "pve3", &node, err));
	assert_true(node.mem_max_bytes > 0);
	static const enum proxmox_snapshot_act acts[] = {PROXMOX_SNAPSHOT_TAKE,
		PROXMOX_SNAPSHOT_ROLLBACK_START, PROXMOX_SNAPSHOT_ROLLBACK, PROXMOX_SNAPSHOT_DELETE};
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		good(stage, proxmox_snapshot(proxmox, web, acts[i], "before", upid, err));
		good(stage, proxmox_task_wait(proxmox, upid, 60000, &result, err));
		assert_true(result.ok);
		good(stage, proxmox_snapshots(proxmox, web, stage->arena, &snapshots, err));
		assert_int_equal(snapshots.count, acts[i] != PROXMOX_SNAPSHOT_DELETE);
		/* without RAM a rollback leaves it stopped, unless it is told to start */
		assert_string_equal(guest(stage, 100),
			acts[i] < PROXMOX_SNAPSHOT_ROLLBACK || i == 1 ? "running" : "stopped");
	}
	assert_true(result_of(stage, web, PROXMOX_START).ok);
	good(stage, proxmox_agent_ping(proxmox, web, err));
	good(stage, proxmox_agent_fstrim(proxmox, web, err));
	good(stage, proxmox_agent_exec(proxmox, web, argv, 60000, &exec, err));
	assert_int_equal(exec.exit_code, 0);
	good(stage, proxmox_service_restart(proxmox, "pve2", "cron", upid, err));
	good(stage, proxmox_task_wait(proxmox, upid, 60000, &result, err));
	assert_true(result.ok);
	good(stage, proxmox_node_reboot(proxmox, "pve3", err));
	assert_int_equal(posts(stage, "POST /nodes/pve3/status"), 1);
}

static void power_fails_at_once_or_in_the_task_as_its_kind_does(void **state)
{
	struct stage *stage = *state;
	struct proxmox_at gone = {"pve1", PROXMOX_QEMU, 999}, wrong = {"pve3", PROXMOX_QEMU, 101};
	char upid[PROXMOX_UPID_BYTES];
	struct proxmox_result result = result_of(stage, web, PROXMOX_START);
	assert_int_equal(result.cause, PROXMOX_ALREADY);
	bad(stage, power(stage, dns, PROXMOX_START, upid), ERR_RETRY, "CT 200 already running");
	result = result_of(stage, gone, PROXMOX_START);
	assert_int_equal(result.cause, PROXMOX_NO_GUEST);
	result = result_of(stage, wrong, PROXMOX_START);
	assert_int_equal(result.cause, PROXMOX_NO_GUEST);
	assert_string_equal(guest(stage, 101), "stopped");
	assert_true(result_of(stage, db, PROXMOX_STOP).ok);
	bad(stage, power(stage, db, PROXMOX_REBOOT, upid), ERR_RETRY, "VM 101 not running");
	play(stage, "lock 101 backup");
	result = result_of(stage, db, PROXMOX_START);
	assert_int_equal(result.cause, PROXMOX_LOCKED);
	play(stage, "unlock 101");
	play(stage, "busy 101 60000");
	result = result_of(stage, db, PROXMOX_START);
	assert_int_equal(result.cause, PROXMOX_BUSY);
	play(stage, "deaf 102 on");
	result = result_of(stage, deaf, PROXMOX_SHUTDOWN);
	assert_int_equal(result.cause, PROXMOX_TIMED_OUT);
	assert_string_equal(guest(stage, 102), "running");
}

static void tasks_end_in_words(void **state)
{
	struct stage *stage = *state;
	play(stage, "task 100 warnings 2");
	struct proxmox_result result = result_of(stage, web, PROXMOX_STOP);
	assert_true(result.ok);
	assert_non_null(strstr(result.note, "WARNINGS: 2"));
	play(stage, "task 100 killed");
	result = result_of(stage, web, PROXMOX_START);
	assert_false(result.ok);
	assert_non_null(strstr(result.note, "unexpected status"));
	play(stage, "task 100 fail 500 start failed: no such volume");
	result = result_of(stage, web, PROXMOX_START);
	assert_false(result.ok);
	assert_non_null(strstr(result.note, "no such volume"));
}

static void a_guest_under_ha_changes_later_than_its_task_says(void **state)
{
	struct stage *stage = *state;
	struct proxmox_guest_status status;
	assert_true(result_of(stage, cache, PROXMOX_STOP).ok);
	good(stage, proxmox_guest_status(stage->proxmox, cache, &status, &stage->err));
	assert_true(status.ha_managed);
	assert_int_equal(status.state, PROXMOX_RUNNING);
	clock_advance(stage->clock, 60000);
	good(stage, proxmox_guest_status(stage->proxmox, cache, &status, &stage->err));
	assert_int_equal(status.state, PROXMOX_STOPPED);
}

static void without_quorum_nothing_starts_but_stop_works(void **state)
{
	struct stage *stage = *state;
	struct proxmox_cluster cluster;
	char upid[PROXMOX_UPID_BYTES];
	play(stage, "cut pve1");
	clock_advance(stage->clock, 20000);
	good(stage, proxmox_cluster(stage->proxmox, 15000, stage->arena, &cluster, &stage->err));
	assert_false(cluster.quorate);
	assert_true(result_of(stage, web, PROXMOX_STOP).ok);
	bad(stage, power(stage, web, PROXMOX_START, upid), ERR_RETRY, "no quorum");
	assert_string_equal(guest(stage, 100), "stopped");
}

static void a_refused_login_takes_three_seconds_and_says_little(void **state)
{
	struct stage *stage = *state;
	struct proxmox_look seen;
	int64_t before = clock_mono_ms(stage->clock);
	use(stage, "root@pam!full", "not-the-secret", false);
	bad(stage, look(stage, &seen), ERR_DENIED, "Authentication failed!");
	assert_true(clock_mono_ms(stage->clock) - before >= 3000);
	use(stage, NULL, "not-the-password", false);
	bad(stage, look(stage, &seen), ERR_DENIED, "authentication failure");
	use(stage, NULL, SIM_PVE_PASSWORD, false);
	good(stage, look(stage, &seen));
	assert_true(result_of(stage, db, PROXMOX_START).ok); /* with its CSRF token */
}

static void a_ticket_is_renewed_before_it_ends(void **state)
{
	struct stage *stage = *state;
	struct proxmox_look seen;
	use(stage, NULL, SIM_PVE_PASSWORD, false);
	for (int hour = 0; hour < 5; hour++) {
		good(stage, look(stage, &seen));
		clock_advance(stage->clock, 70 * 60000);
	}
	good(stage, look(stage, &seen));
	assert_int_equal(posts(stage, "POST /access/ticket"), 6);
	clock_advance(stage->clock, INT64_C(3) * 3600000);
	good(stage, look(stage, &seen));
}

static void a_token_that_is_revoked_under_way_is_refused_at_the_next_call(void **state)
{
	struct stage *stage = *state;
	struct proxmox_look seen;
	char upid[PROXMOX_UPID_BYTES];
	struct proxmox_result result;
	play(stage, "acl / agent@pve Administrator");
	use(stage, "agent@pve!heal", "s1", false);
	good(stage, look(stage, &seen));
	good(stage, power(stage, db, PROXMOX_START, upid));
	play(stage, "revoke agent@pve!heal");
	bad(stage, proxmox_task_wait(stage->proxmox, upid, 60000, &result, &stage->err), ERR_DENIED,
		"agent@pve!heal");
	clock_advance(stage->clock, 10000);
	assert_string_equal(guest(stage, 101), "running"); /* what was begun goes on */
}

static void lists_without_rights_are_empty_and_single_objects_are_refused(void **state)
{
	struct stage *stage = *state;
	struct proxmox_look seen;
	struct proxmox_guest_status status;
	char upid[PROXMOX_UPID_BYTES];
	use(stage, "agent@pve!heal", "s1", false);
	good(stage, look(stage, &seen));
	assert_int_equal(seen.guest_count, 0);
	assert_string_equal(seen.denied, "VM.Audit on /vms, Datastore.Audit on /storage");
	bad(stage, proxmox_guest_status(stage->proxmox, web, &status, &stage->err), ERR_DENIED,
		"VM.Audit");
	/* what is set on /vms/100 replaces what is inherited */
	play(stage, "acl / agent@pve VM.Audit,VM.PowerMgmt");
	play(stage, "acl /vms/100 agent@pve VM.Audit");
	good(stage, look(stage, &seen));
	assert_int_equal(seen.guest_count, 6);
	bad(stage, power(stage, web, PROXMOX_STOP, upid), ERR_DENIED, "VM.PowerMgmt");
	good(stage, power(stage, db, PROXMOX_START, upid));
}

static void nodes_behind_the_one_that_is_asked_answer_in_59x(void **state)
{
	struct stage *stage = *state;
	struct proxmox_node_status status;
	char upid[PROXMOX_UPID_BYTES];
	play(stage, "down pve2");
	bad(stage, proxmox_node_status(stage->proxmox, "pve2", &status, &stage->err), ERR_RETRY,
		"No route to host (595)");
	play(stage, "up pve2");
	play(stage, "refusing pve2");
	bad(stage, power(stage, db, PROXMOX_START, upid), ERR_RETRY, "Connection refused (595)");
	play(stage, "up pve2");
	play(stage, "hung pve2");
	bad(stage, power(stage, db, PROXMOX_START, upid), ERR_TIMEOUT, "may still have happened");
	play(stage, "up pve2");
	play(stage, "pvedaemon pve1 down");
	bad(stage, power(stage, web, PROXMOX_STOP, upid), ERR_RETRY, "595");
	struct proxmox_version version;
	good(stage, proxmox_version(stage->proxmox, &version, &stage->err));
	play(stage, "pvedaemon pve1 up");
	bad(stage, proxmox_node_status(stage->proxmox, "nowhere", &status, &stage->err), ERR_GONE,
		"hostname lookup");
}

static void a_dead_nodes_guests_are_lost_though_they_are_told_to_run(void **state)
{
	struct stage *stage = *state;
	struct proxmox_look seen;
	clock_advance(stage->clock, 11000);
	play(stage, "down pve3");
	clock_advance(stage->clock, 30000);
	good(stage, look(stage, &seen));
	assert_int_equal(proxmox_node_find(&seen, "pve3")->state, PROXMOX_OFFLINE);
	assert_int_equal(proxmox_guest_find(&seen, 102)->state, PROXMOX_RUNNING);
	assert_true(proxmox_guest_find(&seen, 102)->lost);
	clock_advance(stage->clock, 300000);
	good(stage, look(stage, &seen));
	assert_int_equal(proxmox_guest_find(&seen, 102)->state, PROXMOX_GUEST_UNKNOWN);
	assert_string_equal(proxmox_guest_find(&seen, 102)->name, "");
}

static void when_the_configured_node_is_gone_the_others_are_asked(void **state)
{
	struct stage *stage = *state;
	struct proxmox_look seen;
	for (int by_ca = 0; by_ca < 2; by_ca++) {
		use(stage, "root@pam!full", SECRET, by_ca == 1);
		learn(stage);
		play(stage, "refusing pve1");
		good(stage, look(stage, &seen));
		assert_true(str_starts(proxmox_address(stage->proxmox), "https://127.0.1.2:"));
		play(stage, "refusing pve2");
		good(stage, look(stage, &seen));
		assert_true(str_starts(proxmox_address(stage->proxmox), "https://127.0.1.3:"));
		play(stage, "pmxcfs pve3 down");
		bad(stage, look(stage, &seen), ERR_RETRY, "");
		play(stage, "pmxcfs pve3 up");
		play(stage, "up pve1");
		play(stage, "up pve2");
		clock_advance(stage->clock, 30000);
		good(stage, look(stage, &seen));
	}
}

static void a_hung_node_costs_a_connection_and_the_others_are_asked(void **state)
{
	struct stage *stage = *state;
	struct proxmox_look seen;
	learn(stage);
	play(stage, "hung pve1");
	clock_advance(stage->clock, 6000);
	play(stage, "forget"); /* the idle connection has ended now */
	good(stage, look(stage, &seen));
	assert_true(str_starts(proxmox_address(stage->proxmox), "https://127.0.1.2:"));
}

static void a_changed_certificate_is_refused_and_both_prints_are_shown(void **state)
{
	struct stage *stage = *state;
	struct proxmox_look seen;
	const char *old = print_of(stage, "pve1");
	good(stage, look(stage, &seen));
	play(stage, "certificate pve1 changed");
	clock_advance(stage->clock, 6000); /* idle connections end */
	play(stage, "forget");
	const char *new = print_of(stage, "pve1");
	assert_string_not_equal(old, new);
	bad(stage, look(stage, &seen), ERR_DENIED,
		arena_printf(stage->arena, "the fingerprint %s, not %s", new, old));
	/* the authority signed both, but not one of the user's own, nor one that is over */
	use(stage, "root@pam!full", SECRET, true);
	good(stage, look(stage, &seen));
	static const char *const lines[] = {"certificate pve1 foreign", "certificate pve1 days=-2"};
	for (int i = 0; i < 2; i++) {
		play(stage, i == 1 ? "certificate pve1 changed" : lines[0]);
		if (i == 1)
			play(stage, lines[1]);
		use(stage, "root@pam!full", SECRET, true);
		bad(stage, look(stage, &seen), ERR_DENIED, print_of(stage, "pve1"));
		use(stage, "root@pam!full", SECRET, false); /* pinned, it is good */
		good(stage, look(stage, &seen));
	}
}

static void spoilt_answers_are_errors_and_the_next_good_one_is_read(void **state)
{
	static const struct {
		const char *line;
		enum err_kind kind;
		const char *words;
	} cases[] = {
		{"answers html", ERR_INPUT, "is this the API of a Proxmox VE"},
		{"answers empty", ERR_INPUT, "is this the API of a Proxmox VE"},
		{"answers truncated", ERR_RETRY, "cut off"},
		{"answers close", ERR_RETRY, "broke after the handshake (Empty reply"},
	};
	struct stage *stage = *state;
	struct proxmox_look seen;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		play(stage, cases[i].line);
		bad(stage, look(stage, &seen), cases[i].kind, cases[i].words);
		play(stage, "answers ok");
		good(stage, look(stage, &seen));
	}
}

static void a_guests_command_ends_in_its_own_time(void **state)
{
	struct stage *stage = *state;
	struct proxmox_exec exec;
	struct proxmox *proxmox = stage->proxmox;
	const char *const df[] = {"/bin/df", "-k", NULL}, *const fails[] = {"false", NULL},
					  *const sleeps[] = {"/bin/sleep", "30", NULL};
	good(stage, proxmox_agent_exec(proxmox, web, df, 60000, &exec, &stage->err));
	assert_int_equal(exec.exit_code, 0);
	assert_non_null(strstr(exec.out, "/dev/sda1"));
	good(stage, proxmox_agent_exec(proxmox, web, fails, 60000, &exec, &stage->err));
	assert_int_equal(exec.exit_code, 1);
	assert_string_equal(exec.out, "");
	play(stage, "command 100 takes=5000 exit=3 err=no such unit\n");
	good(stage, proxmox_agent_exec(proxmox, web, df, 60000, &exec, &stage->err));
	assert_int_equal(exec.exit_code, 3);
	assert_string_equal(exec.complaint, "no such unit\n");
	play(stage, "command 100 signal=9 truncated out=half of it");
	good(stage, proxmox_agent_exec(proxmox, web, df, 60000, &exec, &stage->err));
	assert_int_equal(exec.signal, 9);
	assert_int_equal(exec.exit_code, -1);
	assert_true(exec.cut);
	good(stage, proxmox_agent_exec(proxmox, web, sleeps, 60000, &exec, &stage->err));
	bad(stage, proxmox_agent_exec(proxmox, web, sleeps, 10000, &exec, &stage->err), ERR_TIMEOUT,
		"/bin/sleep in guest 100 has not ended in 10 s");
}

static void agents_that_do_not_answer_are_named(void **state)
{
	struct stage *stage = *state;
	struct proxmox_exec exec;
	const char *const argv[] = {"/nosuch", NULL};
	play(stage, "agent 100 absent");
	bad(stage, proxmox_agent_ping(stage->proxmox, web, &stage->err), ERR_RETRY,
		"guest agent is not running");
	bad(stage, proxmox_agent_ping(stage->proxmox, db, &stage->err), ERR_RETRY, "not running");
	play(stage, "agent 100 present");
	bad(stage, proxmox_agent_exec(stage->proxmox, web, argv, 5000, &exec, &stage->err), ERR_TIMEOUT,
		"Broken pipe");
}

static void versions_7_8_and_9_are_read_alike(void **state)
{
	struct stage *stage = *state;
	for (int major = 7; major <= 9; major++) {
		struct proxmox_version version;
		struct proxmox_look seen;
		struct proxmox_guest_status status;
		play(stage, arena_printf(stage->arena, "dialect %d", major));
		good(stage, proxmox_version(stage->proxmox, &version, &stage->err));
		assert_int_equal(version.major, major);
		good(stage, look(stage, &seen));
		assert_int_equal(seen.guest_count, 6);
		good(stage, proxmox_guest_status(stage->proxmox, dns, &status, &stage->err));
		assert_int_equal(status.state, PROXMOX_RUNNING);
		good(stage, proxmox_agent_ping(stage->proxmox, web, &stage->err));
		learn(stage);
		assert_true(result_of(stage, db, major % 2 == 1 ? PROXMOX_START : PROXMOX_STOP).ok);
	}
	play(stage, "dialect 8");
	play(stage, "acl / agent@pve VM.Audit,VM.Monitor");
	use(stage, "agent@pve!heal", "s1", false);
	good(stage, proxmox_agent_ping(stage->proxmox, web, &stage->err));
	play(stage, "dialect 9"); /* where VM.Monitor is gone */
	bad(stage, proxmox_agent_ping(stage->proxmox, web, &stage->err), ERR_DENIED, "GuestAgent");
}

/* After all others, over whose requests it speaks. */
static void every_request_was_valid_by_the_schema(void **state)
{
	static const struct {
		const char *method, *url, *form, *words;
	} wrong[] = {
		{"GET", "/api2/json/cluster/resources?type=guest", NULL, "enumeration"},
		{"GET", "/api2/json/cluster/resources?kind=vm", NULL, "no parameter"},
		{"POST", "/api2/json/nodes/pve1/qemu/12/status/start", NULL, "too small"},
		{"POST", "/api2/json/nodes/pve1/qemu/100/status/shutdown", "timeout=x", "no number"},
		{"POST", "/api2/json/nodes/pve1/qemu/100/snapshot", "vmstate=0", "missing"},
		{"POST", "/api2/json/nodes/pve1/qemu/100/snapshot", "snapname=9x", "format"},
		{"GET", "/api2/json/nodes/pve1/qemu/100/nothing", NULL, "no such call"},
	};
	(void)state;
	if (!pve_schema_is_there()) {
		print_message("# skipped: ../shared/data/pve/api-schema-9.2.json is not here\n");
		skip();
	}
	assert_true(pve_schema_judged() > 100);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[200] = "";
		const struct sim_pve_request request = {.method = wrong[i].method,
			.url = wrong[i].url,
			.body = wrong[i].form,
			.content_type = "application/x-www-form-urlencoded"};
		assert_false(pve_schema_allows(&request, text, sizeof(text)));
		if (strstr(text, wrong[i].words) == NULL)
			fail_msg("%s: %s", wrong[i].url, text);
	}
	pve_schema_free();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	http_global_init();
	const struct CMUnitTest tests[] = {
		CASE(every_list_is_read),
		CASE(every_guest_call_is_understood),
		CASE(power_fails_at_once_or_in_the_task_as_its_kind_does),
		CASE(tasks_end_in_words),
		CASE(a_guest_under_ha_changes_later_than_its_task_says),
		CASE(without_quorum_nothing_starts_but_stop_works),
		CASE(a_refused_login_takes_three_seconds_and_says_little),
		CASE(a_ticket_is_renewed_before_it_ends),
		CASE(a_token_that_is_revoked_under_way_is_refused_at_the_next_call),
		CASE(lists_without_rights_are_empty_and_single_objects_are_refused),
		CASE(nodes_behind_the_one_that_is_asked_answer_in_59x),
		CASE(a_dead_nodes_guests_are_lost_though_they_are_told_to_run),
		CASE(when_the_configured_node_is_gone_the_others_are_asked),
		CASE(a_hung_node_costs_a_connection_and_the_others_are_asked),
		CASE(a_changed_certificate_is_refused_and_both_prints_are_shown),
		CASE(spoilt_answers_are_errors_and_the_next_good_one_is_read),
		CASE(a_guests_command_ends_in_its_own_time),
		CASE(agents_that_do_not_answer_are_named),
		CASE(versions_7_8_and_9_are_read_alike),
		cmocka_unit_test(every_request_was_valid_by_the_schema),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
