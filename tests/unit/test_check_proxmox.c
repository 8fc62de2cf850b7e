/*
 * `homeostat check`, the program itself, against the simulated cluster in TLS on loopback: what it
 * says of a Proxmox VE, and whether what it tells to type really helps. What it prints is typed
 * into the simulator, which knows pveum and weighs rights as PVE does.
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

#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "sim/proxmox.h"
#include "tests/pve_schema.h"

#define START_MS 1795469040000
#define TOKEN "homeostat@pve!agent"
#define BOTH " --users 'homeostat@pve' --tokens 'homeostat@pve!agent'"
#define GUESTS \
	"VM.PowerMgmt,VM.Snapshot,VM.Snapshot.Rollback,VM.GuestAgent.Audit," \
	"VM.GuestAgent.FileSystemMgmt,VM.GuestAgent.Unrestricted"

struct stage {
	struct clock *clock; /* wound: what the server holds back for 3 s comes at once */
	struct sim_proxmox *sim;
	struct sim_site *site;
	struct arena *arena;
	char folder[64];
	char *said;
	int code;
	char wrong[400]; /* the first request that Proxmox's own schema refuses */
};

static void judge(void *ctx, const struct sim_pve_request *request)
{
	struct stage *stage = ctx;
	char text[200];
	if (!pve_schema_allows(request, text, sizeof(text)) && stage->wrong[0] == '\0')
		STR_FORMAT(stage->wrong, "%s %s: %s", request->method, request->url, text);
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

static void take_print(struct sim_proxmox *sim, void *ctx)
{
	snprintf(ctx, 100, "%s", sim_proxmox_fingerprint(sim, "pve1"));
}

static void configure(struct stage *stage, const char *token, const char *more)
{
	char print[100], file[96];
	sim_site_do(stage->site, take_print, print);
	const char *text = arena_printf(stage->arena,
		"state: %s/state\ncontrol: %s/control.sock\nlisten: none\nproxmox:\n  - name: pve\n"
		"    url: https://127.0.1.1:%d\n    token_id: %s\n    token_secret: s1\n"
		"    fingerprint: \"%s\"\n%s",
		stage->folder, stage->folder, sim_site_port(stage->site), token, print, more);
	STR_FORMAT(file, "%s/homeostat.yaml", stage->folder);
	assert_true(file_write(file, text, strlen(text), NULL));
}

static void run(struct stage *stage, const char *const *argv)
{
	struct spawn_result result;
	struct err err = {0};
	const struct spawn_options options = {
		.timeout_ms = 60000, .limit_bytes = 1 << 20, .stop_fd = -1};
	if (!spawn_run(argv, &options, stage->arena, &result, &err))
		fail_msg("%s", err.text);
	stage->said = result.output;
	stage->code = result.exit_code;
}

/* The program of the same build as we are: BUILD/tests/test_check_proxmox. */
static void check(struct stage *stage)
{
	char file[96], self[512] = "", *slash;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	for (int i = 0; i < 2 && (slash = strrchr(self, '/')) != NULL; i++)
		*slash = '\0';
	STR_FORMAT(file, "%s/homeostat.yaml", stage->folder);
	const char *program = arena_printf(stage->arena, "%s/homeostat", self);
	run(stage, (const char *const[]){program, "check", "-c", file, NULL});
}

static void has(const struct stage *stage, const char *part)
{
	if (strstr(stage->said, part) == NULL)
		fail_msg("no \"%s\" in:\n%s", part, stage->said);
}

static void has_not(const struct stage *stage, const char *part)
{
	if (strstr(stage->said, part) != NULL)
		fail_msg("a \"%s\" in:\n%s", part, stage->said);
}

/* Types every command that was printed; how many. */
static int obey(struct stage *stage)
{
	int count = 0;
	for (const char *at = stage->said; (at = strstr(at, "pveum ")) != NULL;) {
		size_t length = strcspn(at, ";\n");
		play(stage, arena_strndup(stage->arena, at, length));
		at += length;
		count++;
	}
	return count;
}

static const char *const world[] = {"node pve1 ip=127.0.1.1", "node pve2 ip=127.0.1.2",
	"node pve3 ip=127.0.1.3", "storage local all", "vm 100 pve1 web agent", "vm 101 pve2 db",
	"ct 104 pve1 agents onboot", "user homeostat@pve secret",
	"token homeostat@pve!agent=s1 privsep", NULL};

static int set_up(void **state)
{
	char text[200];
	struct stage *stage = test_calloc(1, sizeof(*stage));
	stage->arena = arena_new((size_t)64 << 20);
	stage->clock = clock_new_wound(START_MS);
	stage->sim = sim_proxmox_new(stage->clock);
	for (int i = 0; world[i] != NULL; i++)
		if (!sim_proxmox_script(stage->sim, world[i], text, sizeof(text)))
			fail_msg("%s: %s", world[i], text);
	sim_proxmox_witness(stage->sim, judge, stage);
	stage->site = sim_site_start(stage->sim, stage->clock);
	assert_non_null(stage->site);
	STR_SET(stage->folder, "/tmp/homeostat-check-XXXXXX");
	assert_non_null(mkdtemp(stage->folder));
	STR_FORMAT(text, "%s/state", stage->folder);
	assert_true(file_make_folder(text, NULL));
	configure(stage, TOKEN, "");
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	sim_site_stop(stage->site);
	sim_proxmox_free(stage->sim);
	clock_free(stage->clock);
	run(stage, (const char *const[]){"rm", "-rf", stage->folder, NULL});
	arena_free(stage->arena);
	bool is_valid = stage->wrong[0] == '\0';
	if (!is_valid)
		print_error("not by the schema: %s\n", stage->wrong);
	test_free(stage);
	return is_valid ? 0 : -1;
}

/* A token as the web page makes it: with privilege separation, and nobody granted anything. */
static void a_new_token_is_told_all_and_obeying_helps(void **state)
{
	struct stage *stage = *state;
	check(stage);
	assert_int_equal(stage->code, 1);
	has(stage, "✓ proxmox:pve: Proxmox VE 9.2.11, 3 nodes, 0 guests, by https://127.0.1.1:");
	has(stage,
		"✗ proxmox:pve: homeostat@pve!agent may not see quorum, HA and jobs (Sys.Audit on /), see "
		"what nodes report (Sys.Audit on /nodes), see guests (VM.Audit on /vms), see storages and "
		"backups (Datastore.Audit on /storage). As root on a node: pveum acl modify /" BOTH
		" --roles PVEAuditor\n");
	has(stage,
		"! proxmox:pve: homeostat@pve!agent may not start, stop and restart guests (VM.PowerMgmt "
		"on "
		"/vms), ");
	has(stage,
		"As root on a node: pveum role add HomeostatGuests --privs " GUESTS
		"; pveum acl modify /" BOTH " --roles HomeostatGuests\n");
	has(stage, "run homeostat check once more");
	obey(stage);
	check(stage);
	has(stage, "✓ proxmox:pve: Proxmox VE 9.2.11, 3 nodes, 3 guests, by https://127.0.1.1:");
	has_not(stage, "may not");
	assert_int_equal(stage->code, 0);
}

static void who_of_the_two_lacks_it_is_named_alone(void **state)
{
	struct stage *stage = *state;
	play(stage, "acl / homeostat@pve PVEAuditor");
	play(stage, "acl / homeostat@pve!agent PVEAuditor");
	play(stage, "acl / homeostat@pve PVEVMAdmin");
	check(stage);
	has(stage, "; pveum acl modify / --tokens 'homeostat@pve!agent' --roles HomeostatGuests\n");
	assert_int_equal(stage->code, 0); /* it may look: what it may not do is a choice */
	play(stage, "acl clear homeostat@pve");
	play(stage, "acl / homeostat@pve PVEAuditor");
	play(stage, "acl / homeostat@pve!agent PVEVMAdmin");
	check(stage);
	has(stage, "; pveum acl modify / --users 'homeostat@pve' --roles HomeostatGuests\n");
	/* a node's services: for the token on the nodes only, with what it would lose there */
	has(stage,
		"restart a node's services (Sys.Modify on /nodes). As root on a node: pveum role add "
		"HomeostatNodes --privs Sys.Modify; pveum acl modify / --users 'homeostat@pve' "
		"--roles HomeostatNodes; pveum acl modify /nodes --tokens 'homeostat@pve!agent' "
		"--roles PVEAuditor,HomeostatNodes\n");
	obey(stage);
	check(stage);
	has_not(stage, "may not");
}

static void a_token_without_privilege_separation_needs_its_users_rights_only(void **state)
{
	struct stage *stage = *state;
	play(stage, "token homeostat@pve!plain=s1");
	play(stage, "acl / homeostat@pve PVEAuditor");
	configure(stage, "homeostat@pve!plain", "");
	check(stage);
	has(stage, "; pveum acl modify / --users 'homeostat@pve' --roles HomeostatGuests\n");
	has_not(stage, "--tokens");
	obey(stage);
	check(stage);
	has_not(stage, "may not");
}

/* What is granted on / does not reach below an entry that is further down. */
static void a_deeper_entry_is_named_with_its_own_path(void **state)
{
	struct stage *stage = *state;
	check(stage);
	obey(stage);
	play(stage, "acl /vms/104 homeostat@pve!agent PVEVMUser nopropagate");
	check(stage);
	has(stage,
		"! proxmox:pve: homeostat@pve!agent may not take snapshots (VM.Snapshot on /vms/104)");
	has(stage,
		"As root on a node: pveum acl modify /vms/104 --tokens 'homeostat@pve!agent' --roles "
		"HomeostatGuests\n");
	has_not(stage, "on /vms)");
	obey(stage);
	check(stage);
	has_not(stage, "may not");
	play(stage, "acl /storage/local homeostat@pve PVEVMUser");
	check(stage);
	has(stage,
		"✗ proxmox:pve: homeostat@pve!agent may not see storages and backups (Datastore.Audit "
		"on /storage/local). As root on a node: pveum acl modify /storage/local --users "
		"'homeostat@pve' --roles PVEAuditor\n");
	obey(stage);
	check(stage);
	has_not(stage, "may not");
	assert_int_equal(stage->code, 0);
}

static void access_that_is_forbidden_is_given_back(void **state)
{
	struct stage *stage = *state;
	check(stage);
	obey(stage);
	play(stage, "acl /vms/100 homeostat@pve!agent NoAccess");
	check(stage);
	has(stage,
		"see guests (VM.Audit on /vms/100). As root on a node: pveum acl delete /vms/100 "
		"--tokens 'homeostat@pve!agent' --roles NoAccess\n");
	obey(stage);
	check(stage);
	has_not(stage, "may not");
	/* a pool's guests are not even listed */
	play(stage, "ct 105 pve1 pooled pool=lab");
	play(stage, "acl /pool/lab homeostat@pve NoAccess");
	configure(stage, TOKEN, "    critical: [105]\n");
	check(stage);
	has(stage, "(VM.Audit on /pool/lab)");
	has(stage, "pveum acl delete /pool/lab --users 'homeostat@pve' --roles NoAccess\n");
	obey(stage);
	check(stage);
	has_not(stage, "may not");
}

static void a_groups_entry_is_not_taken_away_by_the_cure(void **state)
{
	struct stage *stage = *state;
	play(stage, "group staff homeostat@pve");
	play(stage, "acl / @staff PVEAdmin");
	play(stage, "acl /vms/104 @staff PVEVMUser");
	play(stage, "acl / homeostat@pve!agent Administrator");
	check(stage);
	has(stage,
		"As root on a node: pveum role add HomeostatGuests --privs " GUESTS
		"; pveum acl modify /vms/104 --users 'homeostat@pve' --roles "
		"PVEAuditor,HomeostatGuests\n");
	for (int i = 0; i < 3 && obey(stage) > 0; i++)
		check(stage);
	has_not(stage, "may not");
}

static void only_some_guests_is_a_choice_but_not_for_critical_ones(void **state)
{
	struct stage *stage = *state;
	play(stage, "acl / homeostat@pve Administrator");
	play(stage, "acl / homeostat@pve!agent PVEAuditor");
	play(stage, "acl /vms/100 homeostat@pve!agent PVEVMAdmin");
	check(stage);
	has_not(stage, "VM.PowerMgmt");
	configure(stage, TOKEN, "    critical: [104]\n");
	check(stage);
	has(stage, "(VM.PowerMgmt on /vms/104)");
	obey(stage);
	check(stage);
	has_not(stage, "may not");
}

static void the_dialect_of_8_has_its_own_privilege(void **state)
{
	struct stage *stage = *state;
	play(stage, "dialect 8");
	check(stage);
	has(stage, "VM.Monitor on /vms");
	has_not(stage, "GuestAgent");
	obey(stage);
	check(stage);
	has_not(stage, "may not");
}

static void a_changed_certificate_shows_both_and_how_to_accept_it(void **state)
{
	struct stage *stage = *state;
	char old[100], new[100];
	sim_site_do(stage->site, take_print, old);
	play(stage, "certificate pve1 changed");
	sim_site_do(stage->site, take_print, new);
	check(stage);
	assert_int_equal(stage->code, 1);
	has(stage, arena_printf(stage->arena, "the fingerprint %s, not %s", new, old));
	has(stage, "openssl x509 -noout -fingerprint -sha256 -in /etc/pve/local/pve-ssl.pem");
	/* typed as it stands, but for the daemon, which is not there */
	const char *from = strstr(stage->said, "sed -i ");
	assert_non_null(from);
	const char *end = strstr(from, " && systemctl reload homeostat");
	assert_non_null(end);
	const char *typed = arena_strndup(stage->arena, from, (size_t)(end - from));
	run(stage, (const char *const[]){"sh", "-c", typed, NULL});
	assert_int_equal(stage->code, 0);
	check(stage);
	has(stage, "✓ proxmox:pve: Proxmox VE 9.2.11");
}

static void a_dead_node_is_named_and_the_others_are_asked(void **state)
{
	struct stage *stage = *state;
	check(stage); /* learns nothing yet: it may not ask */
	obey(stage);
	play(stage, "down pve3");
	clock_advance(stage->clock, 60000);
	check(stage);
	has(stage, "✗ proxmox:pve: node pve3 (127.0.1.3) is offline, and what runs on it is not known");
	/* the configured one is down when we begin: the others were remembered */
	play(stage, "up pve3");
	play(stage, "down pve1");
	clock_advance(stage->clock, 60000);
	check(stage);
	has(stage, "✓ proxmox:pve: Proxmox VE 9.2.11, 3 nodes, 3 guests, by https://127.0.1.2:");
	has(stage,
		"✗ proxmox:pve: the node in url: does not answer (proxmox pve: GET "
		"/api2/json/version: connection refused by https://127.0.1.1:");
	has(stage, "node pve1 (127.0.1.1) is offline");
	play(stage, "down pve2");
	play(stage, "down pve3");
	check(stage);
	has(stage, "; nor did https://127.0.1.2:");
	assert_int_equal(stage->code, 1);
}

static void without_a_remembered_node_the_cure_is_told(void **state)
{
	struct stage *stage = *state;
	play(stage, "down pve1");
	check(stage);
	has(stage,
		"✗ proxmox:pve: proxmox pve: GET /api2/json/version: connection refused by "
		"https://127.0.1.1:");
	has(stage, "no other node is known yet");
	has(stage, "write the address of a node that runs as url:");
}

static void what_is_remembered_is_trusted_as_it_was_learnt(void **state)
{
	struct stage *stage = *state;
	check(stage);
	obey(stage);
	check(stage);
	play(stage, "certificate pve2 foreign");
	play(stage, "certificate pve3 foreign");
	play(stage, "down pve1");
	check(stage);
	has_not(stage, "✓ proxmox:pve");
	has(stage, "nor did https://127.0.1.2:");
}

static void a_refused_login_says_where_to_look(void **state)
{
	struct stage *stage = *state;
	play(stage, "revoke homeostat@pve!agent");
	check(stage);
	assert_int_equal(stage->code, 1);
	has(stage,
		"✗ proxmox:pve: proxmox pve: GET /version: the login of homeostat@pve!agent was "
		"refused: Authentication failed! (401): is token_id: and token_secret: right, not "
		"expired, and its user enabled? On a node, pveum user token list homeostat@pve shows "
		"it\n");
	has_not(stage, "no other node is known");
}

static void a_cluster_without_quorum_says_so(void **state)
{
	struct stage *stage = *state;
	check(stage);
	obey(stage);
	play(stage, "quorum lost");
	clock_advance(stage->clock, 60000);
	check(stage);
	has(stage, "✗ proxmox:pve: the cluster has no quorum, so nothing can be started or changed");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_new_token_is_told_all_and_obeying_helps),
		CASE(who_of_the_two_lacks_it_is_named_alone),
		CASE(a_token_without_privilege_separation_needs_its_users_rights_only),
		CASE(a_deeper_entry_is_named_with_its_own_path),
		CASE(access_that_is_forbidden_is_given_back),
		CASE(a_groups_entry_is_not_taken_away_by_the_cure),
		CASE(only_some_guests_is_a_choice_but_not_for_critical_ones),
		CASE(the_dialect_of_8_has_its_own_privilege),
		CASE(a_changed_certificate_shows_both_and_how_to_accept_it),
		CASE(a_dead_node_is_named_and_the_others_are_asked),
		CASE(without_a_remembered_node_the_cure_is_told),
		CASE(what_is_remembered_is_trusted_as_it_was_learnt),
		CASE(a_refused_login_says_where_to_look),
		CASE(a_cluster_without_quorum_says_so),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	pve_schema_free();
	return failed;
}
