/* The simulated cluster against what PVE 9.2.11 was recorded to do, and its power table by line. */
#include "sim/proxmox.h"

#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "sim/proxmox_world.h"

#define START_MS 1795469040000

struct stage {
	struct clock *clock;
	struct sim_proxmox *sim;
	struct arena *arena;
	const char *authorization, *via;
};

static void play(struct stage *stage, const char *line)
{
	char text[256] = "";
	if (!sim_proxmox_script(stage->sim, line, text, sizeof(text)))
		fail_msg("%s: %s", line, text);
}

static void play_all(struct stage *stage, const char *const *lines)
{
	for (; *lines != NULL; lines++)
		play(stage, *lines);
}

/* The cluster that was recorded. */
static const char *const recorded_world[] = {"node pve1", "node pve2", "node pve3",
	"storage local all", "vm 100 pve1 web tags=frontend;prod agent", "vm 101 pve2 web tags=staging",
	"vm 102 pve3 db tags=prod agent", "vm 103 pve1 locked stopped lock=backup tags=_ agent",
	"ct 200 pve1 dns", "ct 201 pve2 dns", "ct 202 pve3 cache",
	"vm 9000 pve2 tmpl template tags=_ agent", "ha 202", "job nightly local daily 100,200",
	"backup 200 local 1h", "user agent@pve secret", "token agent@pve!heal=s1",
	"user bare@pve secret", "token bare@pve!none=s2 privsep",
	"acl / agent@pve VM.Audit,Sys.Audit,Datastore.Audit,SDN.Audit",
	"acl /vms/100 agent@pve VM.PowerMgmt,VM.Snapshot,VM.Backup,VM.GuestAgent.Audit", NULL};

static struct stage *stage_new(void)
{
	struct stage *stage = test_calloc(1, sizeof(*stage));
	stage->clock = clock_new_wound(START_MS);
	stage->sim = sim_proxmox_new(stage->clock);
	stage->arena = arena_new((size_t)256 << 20);
	stage->authorization = SIM_PVE_TOKEN;
	return stage;
}

static void stage_free(struct stage *stage)
{
	sim_proxmox_free(stage->sim);
	clock_free(stage->clock);
	arena_free(stage->arena);
	test_free(stage);
}

static int set_up(void **state)
{
	struct stage *stage = stage_new();
	play_all(stage, recorded_world);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	stage_free(*state);
	return 0;
}

static struct sim_pve_reply ask_with(
	struct stage *stage, const char *method, const char *url, const char *form)
{
	struct sim_pve_reply reply;
	struct sim_pve_request request = {.via = stage->via,
		.method = method,
		.url = url,
		.body = form,
		.authorization = stage->authorization};
	sim_proxmox_handle(stage->sim, &request, stage->arena, &reply);
	return reply;
}

static struct sim_pve_reply ask(struct stage *stage, const char *method, const char *url)
{
	return ask_with(stage, method, url, NULL);
}

static struct json data_of(struct stage *stage, const struct sim_pve_reply *reply)
{
	struct json root;
	struct err err = {0};
	if (!json_parse(stage->arena, reply->body, strlen(reply->body), &root, &err))
		fail_msg("%s: %s", err.text, reply->body);
	return json_get(root, "data");
}

static struct json get(struct stage *stage, const char *url)
{
	struct sim_pve_reply reply = ask(stage, "GET", url);
	if (reply.status != 200)
		fail_msg("GET %s: %d %s", url, reply.status, reply.reason);
	return data_of(stage, &reply);
}

/* The member of an entry of /cluster/resources. */
static const char *resource(struct stage *stage, const char *id, const char *member)
{
	struct json list = get(stage, "/cluster/resources");
	for (struct json e = json_first(list); json_is(e); e = json_next(e))
		if (strcmp(json_str(json_get(e, "id"), stage->arena), id) == 0)
			return json_str(json_get(e, member), stage->arena);
	fail_msg("no %s", id);
	return NULL;
}

/* A POST that is to give a UPID; how that task ends. */
static const char *exit_after(
	struct stage *stage, const char *method, const char *path, const char *form, int64_t wait_ms)
{
	char url[512];
	struct sim_pve_reply reply = ask_with(stage, method, path, form);
	if (reply.status != 200)
		fail_msg("%s: %d %s", path, reply.status, reply.reason);
	const char *upid = json_str(data_of(stage, &reply), stage->arena);
	char node[32];
	assert_int_equal(sscanf(upid, "UPID:%31[^:]:", node), 1);
	clock_advance(stage->clock, wait_ms);
	snprintf(url, sizeof(url), "/nodes/%s/tasks/%s/status", node, upid);
	struct json data = get(stage, url);
	const char *exit = json_str(json_get(data, "exitstatus"), stage->arena);
	return exit != NULL ? exit : json_str(json_get(data, "status"), stage->arena);
}

static void expect_error(
	struct stage *stage, const char *method, const char *url, int status, const char *reason)
{
	struct sim_pve_reply reply = ask(stage, method, url);
	assert_int_equal(reply.status, status);
	assert_string_equal(reply.reason, reason);
}

/* ---- the recordings ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names and types, in order: an array as the set of its elements' shapes. */
static char *shape(struct arena *arena, struct json value)
{
	static const char *const names[] = {"none", "null", "bool", "num", "str"};
	enum json_kind kind = json_kind(value);
	if (kind != JSON_ARRAY && kind != JSON_OBJECT)
		return arena_strdup(arena, names[kind]);
	size_t n = json_count(value), i = 0;
	char **parts = arena_alloc(arena, (n + 1) * sizeof(*parts));
	for (struct json v = json_first(value); json_is(v); v = json_next(v)) {
		const char *inner = shape(arena, v);
		parts[i++] = kind == JSON_OBJECT ? arena_printf(arena, "%s:%s", json_key(v, arena), inner)
										 : arena_strdup(arena, inner);
	}
	qsort(parts, n, sizeof(*parts), by_text);
	struct str str;
	str_init(&str, arena);
	str_addc(&str, kind == JSON_OBJECT ? '{' : '[');
	for (i = 0; i < n; i++)
		if (kind == JSON_OBJECT || i == 0 || strcmp(parts[i], parts[i - 1]) != 0)
			str_addf(&str, "%s ", parts[i]);
	str_addc(&str, kind == JSON_OBJECT ? '}' : ']');
	return str.s;
}

static const char *recordings(void)
{
	static char path[512];
	const char *shared = getenv("SHARED");
	snprintf(
		path, sizeof(path), "%s/data/pve/recorded-9.2.11", shared != NULL ? shared : "../shared");
	DIR *dir = opendir(path);
	if (dir == NULL)
		return NULL;
	closedir(dir);
	return path;
}

/* What was done to the cluster before a file of this folder and beginning was recorded. */
static const struct {
	const char *pattern;
	const char *lines[4];
	int64_t later_ms;
	const char *authorization; /* "" none, NULL root's token */
} stages[] = {
	{"healthy/GET_access_permissions*", {"acl clear agent@pve"}, 0, NULL},
	{"errors/noauth*", {NULL}, 0, ""},
	{"errors/badsecret*", {NULL}, 0, "PVEAPIToken=root@pam!full=wrong"},
	{"errors/badtoken*", {NULL}, 0, "PVEAPIToken=root@pam!nosuch=wrong"},
	{"errors/garbage*", {NULL}, 0, "PVEAPIToken=garbage"},
	{"errors/nouser*", {NULL}, 0, "PVEAPIToken=nobody@pam!full=wrong"},
	{"errors/ctlock*", {"lock 200 backup"}, 0, NULL},
	{"errors/qstopped*", {"unlock 103"}, 0, NULL},
	{"errors/stopped*lxc_202*", {"ha 202 off", "stop 202"}, 0, NULL},
	{"permissions/heal*", {NULL}, 0, "PVEAPIToken=agent@pve!heal=s1"},
	{"permissions/privsep*", {NULL}, 0, "PVEAPIToken=bare@pve!none=s2"},
	{"daemon-faults/pmxcfs-stopped*", {"pmxcfs pve1 down"}, 0, NULL},
	{"daemon-faults/pmxcfs-back*", {"down pve3"}, 320000, NULL},
	{"daemon-faults/pvedaemon*", {"pvedaemon pve1 down"}, 0, NULL},
	{"daemon-faults/proxy*", {"refusing pve2"}, 0, NULL},
	{"daemon-faults/reboot__GET*", {"refusing pve3"}, 0, NULL},
	{"no-quorum/nq*", {"ha 202 stopped", "stop 202", "move 202 pve1", "quorum lost"}, 20000, NULL},
	{"node-offline/t0*", {"down pve3"}, 1000, NULL},
	{"node-offline/t15*", {"down pve3"}, 15000, NULL},
	{"node-offline/t35__GET_cluster_resources*", {"ha 202 stopped", "stop 202", "down pve3"}, 35000,
		NULL},
	{"node-offline/t35*", {"down pve3"}, 35000, NULL},
	{"node-offline/t280*", {"ha 202 stopped", "stop 202", "down pve3"}, 280000, NULL},
	{"node-offline/t320*", {"ha 202 stopped", "stop 202", "down pve3"}, 320000, NULL},
	{"*", {NULL}, 0, NULL},
};

/* Recordings of another world than one that a script can build, and why. */
static const struct {
	const char *pattern, *why;
} other_worlds[] = {
	{"permissions/heal__GET_nodes_pve1_storage_local_content*", "qemu-img met a file in use"},
	{"healthy/GET_nodes_pve1_storage_local_content*", "templates and images of one moment"},
	{"permissions/heal__GET_nodes_pve1_rrddata*", "history of a host that was just set up"},
	{"healthy/GET_nodes_pve1_tasks*", "the tasks of that day"},
	{"permissions/heal__GET_nodes_pve1_tasks*", "the tasks of that day"},
	{"*GET_cluster_tasks*", "the tasks of that day"},
	{"healthy/GET_nodes_pve1_qemu_100_config*", "a machine without a boot disk of its own"},
	{"healthy/GET_nodes_pve1_lxc_200_config*", "made without an operating system"},
	{"healthy/GET_nodes_pve1_lxc_200_rrddata*", "history of a container that was just started"},
	{"permissions/heal__GET_cluster_backup.json", "before there was a job"},
};

static const char *other_world(const char *name)
{
	for (size_t i = 0; i < sizeof(other_worlds) / sizeof(other_worlds[0]); i++)
		if (str_match(other_worlds[i].pattern, name))
			return other_worlds[i].why;
	return NULL;
}

static void set_stage(struct stage *stage, const char *name)
{
	play_all(stage, recorded_world);
	clock_advance(stage->clock, 120000);
	sim_proxmox_tick(stage->sim);
	size_t i = 0;
	while (!str_match(stages[i].pattern, name))
		i++;
	for (size_t n = 0; n < 4 && stages[i].lines[n] != NULL; n++)
		play(stage, stages[i].lines[n]);
	clock_advance(stage->clock, stages[i].later_ms);
	if (stages[i].authorization != NULL)
		stage->authorization = stages[i].authorization[0] != '\0' ? stages[i].authorization : NULL;
}

enum verdict { SAME, DIFFERENT, NOT_SIMULATED };

static enum verdict compare(struct stage *stage, const char *name, struct json recorded)
{
	struct arena *arena = stage->arena;
	char method[16], url[480];
	struct json body, real = json_get(recorded, "body");
	const char *request = json_str(json_get(recorded, "request"), arena);
	assert_int_equal(sscanf(request, "%15s %479s", method, url), 2);
	const char *form = json_str(json_get(recorded, "form"), arena);
	struct sim_pve_reply reply = ask_with(stage, method, url, form);
	int status = (int)json_int(json_get(recorded, "status"), 0);
	const char *reason = json_str(json_get(recorded, "reason"), arena);
	if (reply.status == 501 && status != 501)
		return NOT_SIMULATED;
	if (reply.status != status || strcmp(reply.reason, reason) != 0) {
		print_message(
			"%s: %d %s, recorded %d %s\n", name, reply.status, reply.reason, status, reason);
		return DIFFERENT;
	}
	if (json_kind(real) == JSON_STRING || reply.body[0] == '\0') {
		bool same = reply.body[0] == '\0' && json_kind(real) == JSON_STRING;
		if (!same)
			print_message("%s: body %s\n", name, reply.body);
		return same ? SAME : DIFFERENT;
	}
	assert_true(json_parse(arena, reply.body, strlen(reply.body), &body, NULL));
	const char *mine = shape(arena, body), *theirs = shape(arena, real);
	if (strcmp(mine, theirs) == 0)
		return SAME;
	print_message("%s\n  simulated %s\n  recorded  %s\n", name, mine, theirs);
	return DIFFERENT;
}

static void compare_folder(const char *root, const char *folder, int counts[3])
{
	char path[800], name[300];
	snprintf(path, sizeof(path), "%s/%s", root, folder);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		if (!str_ends(entry->d_name, ".json"))
			continue;
		snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
		snprintf(path, sizeof(path), "%s/%s", root, name);
		if (other_world(name) != NULL)
			continue;
		struct stage *stage = stage_new();
		struct json recorded;
		struct file file;
		assert_true(file_read(stage->arena, path, (size_t)1 << 20, &file, NULL));
		assert_true(json_parse(stage->arena, file.bytes, file.length, &recorded, NULL));
		set_stage(stage, name);
		counts[compare(stage, name, recorded)]++;
		stage_free(stage);
	}
	closedir(dir);
}

static void answers_have_the_status_reason_names_and_types_of_the_recorded(void **state)
{
	static const char *const folders[] = {
		"healthy", "errors", "permissions", "daemon-faults", "no-quorum", "node-offline"};
	int counts[3] = {0};
	(void)state;
	if (recordings() == NULL) {
		print_message("no recordings at $SHARED/data/pve/recorded-9.2.11\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		compare_folder(recordings(), folders[i], counts);
	print_message("recordings: %d same, %d different, %d of calls that are not simulated\n",
		counts[SAME], counts[DIFFERENT], counts[NOT_SIMULATED]);
	assert_int_equal(counts[DIFFERENT], 0);
	assert_true(counts[SAME] >= 140);
}

/* Whether the schema's type is that of a rule. */
static bool same_type(char type, const char *schema)
{
	return type == schema[0];
}

static int check_rules(const struct pve_route *route, struct json parameters, struct arena *arena)
{
	struct json properties = json_get(parameters, "properties");
	int wrong = 0;
	for (const struct pve_rule *rule = route->rules; rule != NULL && rule->name != NULL; rule++) {
		struct json real = json_get(properties, rule->name);
		const char *type = json_str(json_get(real, "type"), arena);
		bool optional = json_int(json_get(real, "optional"), 0) == 1;
		if (type != NULL && same_type(rule->type, type) && optional == !rule->required)
			continue;
		print_message("%s %s: %s is %s\n", route->method, route->path, rule->name,
			type == NULL ? "not in the schema" : "of another type or need");
		wrong++;
	}
	return wrong;
}

static void each_route_and_parameter_is_in_the_schema_of_9_2(void **state)
{
	char path[512];
	struct arena *arena = arena_new((size_t)256 << 20);
	struct file file;
	struct json schema;
	int wrong = 0, routes = 0;
	const char *shared = getenv("SHARED");
	(void)state;
	snprintf(path, sizeof(path), "%s/data/pve/api-schema-9.2.json",
		shared != NULL ? shared : "../shared");
	if (!file_read(arena, path, (size_t)8 << 20, &file, NULL)) {
		print_message("no schema at %s\n", path);
		arena_free(arena);
		skip();
	}
	assert_true(json_parse(arena, file.bytes, file.length, &schema, NULL));
	for (int t = 0; pve_route_tables[t] != NULL; t++)
		for (const struct pve_route *r = pve_route_tables[t]; r->method != NULL; r++) {
			struct json real = json_get(json_get(json_get(schema, "paths"), r->path), r->method);
			routes++;
			wrong += !json_is(real);
			if (!json_is(real))
				print_message("%s %s is not in the schema\n", r->method, r->path);
			bool is_protected = json_int(json_get(real, "protected"), 0) == 1;
			if (is_protected != r->protected || json_is(json_get(real, "proxyto")) != r->proxied) {
				print_message("%s %s: protected %d, proxied %d\n", r->method, r->path, is_protected,
					json_is(json_get(real, "proxyto")));
				wrong++;
			}
			wrong += check_rules(r, json_get(real, "parameters"), arena);
		}
	print_message("schema: %d routes\n", routes);
	arena_free(arena);
	assert_int_equal(wrong, 0);
}

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

/* Reads what comes until a list has ended or the other side closes. */
static void read_answer(int fd, char *text, size_t size)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	size_t n = 0;
	ssize_t got = 1;
	while (got > 0 && n + 1 < size && poll(&wait, 1, 10000) == 1) {
		got = read(fd, text + n, size - n - 1);
		n += got > 0 ? (size_t)got : 0;
		text[n] = '\0';
		if (strstr(text, "}]}") != NULL)
			return;
	}
}

static int dial(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	for (int i = 0; i < 500; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) == 0)
			return fd;
		close(fd);
		poll(NULL, 0, 10);
	}
	fail_msg("%s: nobody listens", path);
	return -1;
}

static void over_a_socket_the_reason_phrase_is_the_real_ones(void **state)
{
	char folder[] = "/tmp/sim-proxmox-XXXXXX", path[64], text[8192] = "";
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char name[] = "sim-proxmox", node[] = "node pve1", vm[] = "vm 100 pve1 web",
			 ct[] = "ct 200 pve1 dns";
		char *argv[] = {name, path, node, vm, ct, NULL};
		_exit(sim_proxmox_main(5, argv));
	}
	static const char list[] =
		"GET /api2/json/nodes HTTP/1.1\r\nHost: x\r\nAuthorization: " SIM_PVE_TOKEN "\r\n\r\n";
	static const char start[] = "POST /api2/json/nodes/pve1/lxc/200/status/start HTTP/1.1\r\nHost: "
								"x\r\nContent-Length: 0\r\nAuthorization: " SIM_PVE_TOKEN
								"\r\n\r\n";
	int fd = dial(path);
	assert_int_equal(write(fd, list, strlen(list)), strlen(list));
	read_answer(fd, text, sizeof(text));
	assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(text, "\"node\":\"pve1\""));
	assert_int_equal(write(fd, start, strlen(start)), strlen(start));
	read_answer(fd, text, sizeof(text));
	assert_non_null(strstr(text, "HTTP/1.1 500 CT 200 already running\r\n"));
	assert_int_equal(read(fd, text, 1), 0);
	close(fd);
	kill(pid, SIGTERM);
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	unlink(path);
	rmdir(folder);
}

static void ten_thousand_guests_are_listed_quickly(void **state)
{
	struct stage *stage = *state;
	struct timespec from, to;
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
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_have_the_status_reason_names_and_types_of_the_recorded),
		cmocka_unit_test(each_route_and_parameter_is_in_the_schema_of_9_2),
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
		TEST(over_a_socket_the_reason_phrase_is_the_real_ones),
		TEST(ten_thousand_guests_are_listed_quickly),
		TEST(script_lines_that_are_wrong_say_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
