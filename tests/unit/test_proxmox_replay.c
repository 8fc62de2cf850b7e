/*
 * The client before what real servers said: every recorded answer is read as what it is, the
 * outages lead to the right conclusions, and no damage to an answer does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/http.h"
#include "base/json.h"
#include "base/str.h"
#include "client/proxmox.h"
#include "client/proxmox_internal.h"
#include "pve_server.h"

#ifndef SOURCE_ROOT
#define SOURCE_ROOT "."
#endif
#define RECORDED SOURCE_ROOT "/tests/data/pve-recorded-9.2.11"

struct stage {
	struct pve_server server;
	struct pve_route routes[2];
	struct clock *clock;
	struct proxmox *proxmox;
	struct arena *arena; /* of one answer */
	struct err err;
};

static void stage_open(struct stage *stage)
{
	char url[64];
	memset(stage, 0, sizeof(*stage));
	stage->routes[0].request = "*";
	pve_start(&stage->server, "127.0.0.1", 0, NULL, stage->routes);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", stage->server.port);
	const struct config_proxmox config = {
		.name = "pve", .url = url, .token_id = "a@pve!b", .token_secret = "c"};
	stage->clock = clock_new_wound(1795469000000);
	stage->proxmox = proxmox_open(&config, stage->clock, -1, NULL);
}

static void stage_close(struct stage *stage)
{
	proxmox_close(stage->proxmox);
	pve_stop(&stage->server);
	clock_free(stage->clock);
}

static const struct proxmox_at vm = {"pve1", PROXMOX_QEMU, 100};

static bool ask_version(struct stage *stage)
{
	struct proxmox_version version;
	return proxmox_version(stage->proxmox, &version, &stage->err) && version.major >= 6;
}

static bool ask_look(struct stage *stage)
{
	struct proxmox_look look;
	if (!proxmox_look(stage->proxmox, 5000, stage->arena, &look, &stage->err))
		return false;
	for (int i = 0; i < look.guest_count; i++)
		assert_true(look.guests[i].vmid > 0 && look.guests[i].node[0] != '\0');
	return look.guest_count + look.node_count + look.storage_count > 0;
}

static bool ask_cluster(struct stage *stage)
{
	struct proxmox_cluster cluster;
	return proxmox_cluster(stage->proxmox, 5000, stage->arena, &cluster, &stage->err) &&
		cluster.count > 0 && cluster.members[0].name[0] != '\0';
}

static bool ask_ha(struct stage *stage)
{
	struct proxmox_ha ha;
	return proxmox_ha(stage->proxmox, stage->arena, &ha, &stage->err);
}

static bool ask_rights(struct stage *stage)
{
	struct proxmox_rights rights;
	return proxmox_rights(stage->proxmox, stage->arena, &rights, &stage->err);
}

static bool ask_tasks(struct stage *stage)
{
	struct proxmox_task_list list;
	struct proxmox_upid upid;
	if (!proxmox_tasks(stage->proxmox, stage->arena, &list, &stage->err))
		return false;
	for (int i = 0; i < list.count; i++)
		if (!proxmox_upid_parse(list.rows[i].upid, &upid, &stage->err))
			return false;
	return true;
}

static bool ask_node_tasks(struct stage *stage)
{
	const struct proxmox_task_filter filter = {"pve1", "vzdump", 100};
	struct proxmox_task_list list;
	return proxmox_node_tasks(stage->proxmox, &filter, stage->arena, &list, &stage->err);
}

static bool ask_jobs(struct stage *stage)
{
	struct proxmox_job_list list;
	if (!proxmox_jobs(stage->proxmox, stage->arena, &list, &stage->err))
		return false;
	return list.count == 0 || (list.rows[0].id[0] != '\0' && list.rows[0].schedule[0] != '\0');
}

static bool ask_unbacked(struct stage *stage)
{
	struct proxmox_unbacked_list list;
	return proxmox_unbacked(stage->proxmox, stage->arena, &list, &stage->err);
}

static bool ask_status(struct stage *stage)
{
	struct proxmox_guest_status status;
	return proxmox_guest_status(stage->proxmox, vm, &status, &stage->err) &&
		status.state != PROXMOX_GUEST_UNKNOWN;
}

static bool ask_config(struct stage *stage)
{
	struct proxmox_guest_config config;
	return proxmox_guest_config(stage->proxmox, vm, &config, &stage->err);
}

static bool ask_snapshots(struct stage *stage)
{
	struct proxmox_snapshot_list list;
	return proxmox_snapshots(stage->proxmox, vm, stage->arena, &list, &stage->err);
}

static bool ask_backups(struct stage *stage)
{
	struct proxmox_backup_list list;
	return proxmox_backups(stage->proxmox, "pve1", "local", stage->arena, &list, &stage->err);
}

static bool ask_services(struct stage *stage)
{
	struct proxmox_service_list list;
	return proxmox_services(stage->proxmox, "pve1", stage->arena, &list, &stage->err) &&
		list.count > 0 && list.rows[0].state[0] != '\0';
}

static bool ask_certificates(struct stage *stage)
{
	struct proxmox_certificate_list list;
	return proxmox_certificates(stage->proxmox, "pve1", stage->arena, &list, &stage->err) &&
		list.count > 0 && list.rows[0].until_s > 0;
}

static bool ask_replications(struct stage *stage)
{
	struct proxmox_replication_list list;
	return proxmox_replications(stage->proxmox, "pve1", stage->arena, &list, &stage->err);
}

static bool ask_disks(struct stage *stage)
{
	struct proxmox_disk_list list;
	return proxmox_disks(stage->proxmox, "pve1", stage->arena, &list, &stage->err);
}

static bool ask_zfs(struct stage *stage)
{
	struct proxmox_pool_list list;
	return proxmox_zfs(stage->proxmox, "pve1", stage->arena, &list, &stage->err);
}

static bool ask_node_status(struct stage *stage)
{
	struct proxmox_node_status status;
	return proxmox_node_status(stage->proxmox, "pve1", &status, &stage->err) &&
		status.mem_max_bytes > 0 && status.version[0] != '\0';
}

static bool ask_start(struct stage *stage)
{
	char upid[PROXMOX_UPID_BYTES];
	return proxmox_power(stage->proxmox, vm, PROXMOX_START, 0, upid, &stage->err);
}

static bool ask_anything(struct stage *stage)
{
	struct json data;
	return proxmox_get(stage->proxmox, "/x", 5000, stage->arena, &data, &stage->err);
}

/* Which call a recorded request belongs to; the first that fits. */
static const struct {
	const char *pattern;
	bool (*ask)(struct stage *stage);
} calls[] = {
	{"GET /version", ask_version},
	{"GET /cluster/resources*", ask_look},
	{"GET /cluster/status", ask_cluster},
	{"GET /cluster/ha/status/current", ask_ha},
	{"GET /access/permissions*", ask_rights},
	{"GET /cluster/tasks", ask_tasks},
	{"GET /cluster/backup", ask_jobs},
	{"GET /cluster/backup-info/not-backed-up", ask_unbacked},
	{"GET /nodes/*/qemu/*/status/current", ask_status},
	{"GET /nodes/*/lxc/*/status/current", ask_status},
	{"GET /nodes/*/qemu/*/config", ask_config},
	{"GET /nodes/*/lxc/*/config", ask_config},
	{"GET /nodes/*/qemu/*/snapshot", ask_snapshots},
	{"GET /nodes/*/lxc/*/snapshot", ask_snapshots},
	{"GET /nodes/*/storage/*/content", ask_backups},
	{"GET /nodes/*/certificates/info", ask_certificates},
	{"GET /nodes/*/replication", ask_replications},
	{"GET /nodes/*/disks/list", ask_disks},
	{"GET /nodes/*/disks/zfs", ask_zfs},
	{"POST /nodes/*/status/start", ask_start},
	{"POST /nodes/*/status/stop", ask_start},
	{"POST /nodes/*/status/shutdown", ask_start},
	{"POST /nodes/*/status/reboot", ask_start},
	{"POST /nodes/*/snapshot", ask_start},
	{"*", ask_anything},
};

/* "/nodes/N/status", "/nodes/N/tasks?…" and the like, where a pattern would take in too much. */
static bool is_of_node(const char *request, const char *what)
{
	if (!str_starts(request, "GET /nodes/"))
		return false;
	const char *rest = strchr(request + strlen("GET /nodes/"), '/');
	return rest != NULL && str_starts(rest, what) &&
		(rest[strlen(what)] == '\0' || rest[strlen(what)] == '?');
}

static bool ask_as(struct stage *stage, const char *request)
{
	if (is_of_node(request, "/status"))
		return ask_node_status(stage);
	if (is_of_node(request, "/tasks"))
		return ask_node_tasks(stage);
	if (is_of_node(request, "/services"))
		return ask_services(stage);
	for (size_t i = 0;; i++)
		if (str_match(calls[i].pattern, request))
			return calls[i].ask(stage);
}

struct answer {
	char request[300], reason[300];
	int status;
	char *body;
};

static void answer_read(struct json record, struct arena *arena, struct answer *answer)
{
	struct json body = json_get(record, "body");
	size_t length = 0;
	const char *raw = json_raw(body, &length);
	memset(answer, 0, sizeof(*answer));
	json_copy(json_get(record, "request"), answer->request, sizeof(answer->request));
	if (!json_copy(json_get(record, "reason"), answer->reason, sizeof(answer->reason)))
		STR_SET(answer->reason, "Reason");
	answer->status = (int)json_int(json_get(record, "status"), 0);
	bool empty = json_kind(body) == JSON_STRING || json_kind(body) == JSON_NONE;
	answer->body = arena_strndup(arena, empty ? "" : raw, empty ? 0 : length);
}

static void serve(struct stage *stage, const struct answer *answer)
{
	pve_change(&stage->server, &stage->routes[0],
		(struct pve_route){.request = "*",
			.status = answer->status,
			.reason = answer->reason,
			.body = answer->body});
	stage->err = (struct err){0};
}

/* A recorded success is read; a recorded refusal is an error that quotes its reason. */
static void replay(struct stage *stage, struct json record)
{
	struct answer answer;
	stage->arena = arena_new((size_t)32 * 1024 * 1024);
	answer_read(record, stage->arena, &answer);
	assert_true(answer.status >= 200);
	serve(stage, &answer);
	bool ok = ask_as(stage, answer.request);
	if (!ok && json_kind(json_get(record, "body")) == JSON_STRING && answer.status < 300) {
		/* the journal, which comes compressed and is no JSON; nothing here asks for it */
		assert_int_equal(stage->err.kind, ERR_INPUT);
		assert_non_null(strstr(answer.request, "/journal"));
	} else if (ok != (answer.status < 300))
		fail_msg("%s: %d %s: %s", answer.request, answer.status, answer.reason, stage->err.text);
	if (!ok && answer.status >= 300) {
		char words[40];
		assert_true(stage->err.kind != ERR_NONE && stage->err.kind != ERR_CANCELLED);
		str_copy(words, sizeof(words), answer.reason);
		if (answer.status != 400 && strstr(stage->err.text, words) == NULL)
			fail_msg("%s: \"%s\" lacks \"%s\"", answer.request, stage->err.text, words);
	}
	arena_free(stage->arena);
	pve_change(&stage->server, &stage->routes[0], (struct pve_route){.request = "*", .body = ""});
}

typedef void record_fn(struct stage *stage, const char *name, struct json record);

/* Every line of one recorded situation. */
static int each_line(struct stage *stage, const char *group, record_fn *take)
{
	char path[400];
	struct file file;
	struct err err = {0};
	int n = 0;
	auto_arena arena = arena_new((size_t)64 * 1024 * 1024);
	snprintf(path, sizeof(path), "%s/%s.jsonl", RECORDED, group);
	if (!file_read(arena, path, (size_t)16 * 1024 * 1024, &file, &err))
		fail_msg("%s", err.text);
	for (char *line = file.bytes; *line != '\0'; n++) {
		struct json record;
		size_t length = strcspn(line, "\n");
		char name[200];
		if (!json_parse(arena, line, length, &record, &err))
			fail_msg("%s: line %d: %s", path, n + 1, err.text);
		json_copy(json_get(record, "file"), name, sizeof(name));
		take(stage, name, record);
		line += length + (line[length] == '\n');
	}
	return n;
}

static void replay_named(struct stage *stage, const char *name, struct json record)
{
	(void)name;
	replay(stage, record);
}

static void every_recorded_answer_is_read(void **state)
{
	static const char *const groups[] = {
		"healthy", "errors", "permissions", "node-offline", "no-quorum", "daemon-faults"};
	struct stage stage;
	int n = 0;
	stage_open(&stage);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		n += each_line(&stage, groups[i], replay_named);
	assert_int_equal(n, 236);
	stage_close(&stage);
}

static void look_at(struct json record, struct arena *arena, struct proxmox_look *look)
{
	struct answer answer;
	struct err err = {0};
	answer_read(record, arena, &answer);
	if (!proxmox_look_parse(answer.body, strlen(answer.body), arena, look, &err))
		fail_msg("%s", err.text);
}

static int outages_seen;

static void pve3_alone_is_lost(struct stage *stage, const char *name, struct json record)
{
	auto_arena arena = arena_new((size_t)1024 * 1024);
	struct proxmox_look look;
	if (strstr(name, "GET_cluster_resources") == NULL)
		return;
	look_at(record, arena, &look);
	outages_seen++;
	for (int i = 0; i < look.node_count; i++)
		assert_int_equal(look.nodes[i].state,
			str_equal(look.nodes[i].name, "pve3") ? PROXMOX_OFFLINE : PROXMOX_ONLINE);
	for (int i = 0; i < look.guest_count; i++)
		assert_int_equal(look.guests[i].lost, str_equal(look.guests[i].node, "pve3"));
	for (int i = 0; i < look.storage_count; i++)
		assert_int_equal(look.storages[i].lost, str_equal(look.storages[i].node, "pve3"));
}

static void offline_node_takes_its_guests_out_of_sight_and_no_others(void **state)
{
	outages_seen = 0;
	each_line(NULL, "node-offline", pve3_alone_is_lost);
	assert_int_equal(outages_seen, 3);
}

static void no_quorum_is_seen(struct stage *stage, const char *name, struct json record)
{
	struct answer answer;
	struct proxmox_cluster cluster;
	struct proxmox_ha ha;
	auto_arena arena = arena_new((size_t)1024 * 1024);
	answer_read(record, arena, &answer);
	serve(stage, &answer);
	if (str_ends(name, "GET_cluster_status")) {
		assert_true(proxmox_cluster(stage->proxmox, 5000, arena, &cluster, &stage->err));
		assert_false(cluster.quorate);
		outages_seen++;
	} else if (str_ends(name, "GET_cluster_ha_status_current")) {
		assert_true(proxmox_ha(stage->proxmox, arena, &ha, &stage->err));
		assert_false(ha.quorate);
		assert_int_equal(ha.services[0].vmid, 202);
		outages_seen++;
	}
}

static void lost_quorum_is_told_by_both(void **state)
{
	struct stage stage;
	stage_open(&stage);
	outages_seen = 0;
	each_line(&stage, "no-quorum", no_quorum_is_seen);
	assert_int_equal(outages_seen, 2);
	stage_close(&stage);
}

static const char *shared_folder(char *field, size_t size, const char *folder)
{
	const char *root = getenv("SHARED");
	struct stat status;
	str_format(
		field, size, "%s/data/pve/%s", root != NULL ? root : SOURCE_ROOT "/../shared", folder);
	return stat(field, &status) == 0 ? field : NULL;
}

/* These are other people's data, and partly written by hand: only what is read, not what it says.
 */
static void replay_file(struct stage *stage, const char *path)
{
	struct file file;
	struct json record = {0};
	struct answer answer;
	struct err err = {0};
	auto_arena arena = arena_new((size_t)64 * 1024 * 1024);
	if (!file_read(arena, path, (size_t)16 * 1024 * 1024, &file, &err) ||
		!json_parse(arena, file.bytes, file.length, &record, &err))
		fail_msg("%s: %s", path, err.text);
	stage->arena = arena;
	answer_read(record, arena, &answer);
	serve(stage, &answer);
	bool reads = str_starts(answer.request, "GET ");
	bool ok = reads ? ask_as(stage, answer.request) : ask_anything(stage);
	if (!ok && stage->err.kind != ERR_NONE && answer.status < 300)
		fail_msg("%s: %s", path, stage->err.text);
	pve_change(&stage->server, &stage->routes[0], (struct pve_route){.request = "*", .body = ""});
}

static void answers_collected_by_others_are_read(void **state)
{
	char folder[400], path[800];
	struct stage stage;
	int n = 0;
	if (shared_folder(folder, sizeof(folder), "go-proxmox-pve9x") == NULL) {
		print_message("skipped: %s is not here (it is not part of this project)\n", folder);
		skip();
	}
	stage_open(&stage);
	DIR *dir = opendir(folder);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (!str_ends(entry->d_name, ".json"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		replay_file(&stage, path);
		n++;
	}
	closedir(dir);
	stage_close(&stage);
	assert_true(n > 500);
}

/* Series with gaps and with rows that have only a time: as bare bodies. */
static void series_collected_by_others_are_read(void **state)
{
	char folder[400], path[800];
	struct stage stage;
	int n = 0;
	if (shared_folder(folder, sizeof(folder), "pulse-testdata/rrd") == NULL) {
		print_message("skipped: %s is not here (it is not part of this project)\n", folder);
		skip();
	}
	stage_open(&stage);
	DIR *dir = opendir(folder);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		struct file file;
		auto_arena arena = arena_new((size_t)16 * 1024 * 1024);
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (!str_ends(path, ".json") || !file_read(arena, path, (size_t)1 << 20, &file, NULL))
			continue;
		struct answer answer = {.status = 200, .reason = "OK", .body = file.bytes};
		serve(&stage, &answer);
		stage.arena = arena;
		if (!ask_anything(&stage))
			fail_msg("%s: %s", path, stage.err.text);
		pve_change(&stage.server, &stage.routes[0], (struct pve_route){.request = "*"});
		n++;
	}
	closedir(dir);
	stage_close(&stage);
	assert_true(n > 0);
}

static uint32_t random_next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Damage of the kinds that wires and other versions do: bytes, cuts, types. */
static size_t mutate(char *text, size_t length, uint32_t *seed)
{
	static const char *const values[] = {"null", "\"\"", "-1", "1e999", "[]", "{}", "true",
		"\"\\u0000\"", "99999999999999999999", "\"abc\""};
	for (uint32_t n = random_next(seed) % 4; n > 0; n--)
		text[random_next(seed) % length] = (char)random_next(seed);
	size_t from = random_next(seed) % length;
	char *colon = memchr(text + from, ':', length - from < 64 ? length - from : 64);
	if (colon != NULL && colon + 30 < text + length) {
		const char *value = values[random_next(seed) % 10];
		size_t end = strcspn(colon + 1, ",}");
		if (end >= strlen(value) && colon + 1 + end < text + length) {
			memset(colon + 1, ' ', end);
			memcpy(colon + 1, value, strlen(value));
		}
	}
	return random_next(seed) % 8 == 0 ? random_next(seed) % length : length;
}

static void look_is_sound(const struct proxmox_look *look)
{
	for (int i = 0; i < look->guest_count; i++) {
		const struct proxmox_guest *guest = &look->guests[i];
		assert_true(guest->vmid > 0 && guest->vmid <= 999999999);
		assert_true(guest->cpu == -1 || guest->cpu >= 0);
		assert_true(guest->mem_bytes >= -1 && guest->uptime_s >= -1);
		assert_non_null(guest->name);
		assert_non_null(guest->node);
		assert_non_null(guest->tags);
	}
	for (int i = 0; i < look->node_count; i++)
		assert_true(look->nodes[i].name[0] != '\0');
	for (int i = 0; i < look->storage_count; i++)
		assert_true(look->storages[i].name[0] != '\0');
}

static void damage(struct stage *stage, const char *name, struct json record)
{
	struct answer answer;
	uint32_t seed = 20261123;
	if (strstr(name, "GET_cluster_resources") == NULL)
		return;
	auto_arena outer = arena_new((size_t)4 * 1024 * 1024);
	answer_read(record, outer, &answer);
	size_t length = strlen(answer.body);
	char *text = arena_alloc(outer, length + 1);
	for (int i = 0; i < 3000; i++) {
		auto_arena arena = arena_new((size_t)4 * 1024 * 1024);
		struct proxmox_look look;
		struct err err = {0};
		memcpy(text, answer.body, length + 1);
		size_t n = mutate(text, length, &seed);
		if (proxmox_look_parse(text, n, arena, &look, &err)) {
			look_is_sound(&look);
			outages_seen++;
		} else {
			assert_int_equal(err.kind, ERR_INPUT);
			assert_true(err.text[0] != '\0');
		}
	}
}

static void damaged_answers_are_refused_or_sound(void **state)
{
	outages_seen = 0;
	each_line(NULL, "node-offline", damage);
	assert_true(outages_seen > 1000); /* most damage is to values, which do no harm */
}

int main(void)
{
	http_global_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recorded_answer_is_read),
		cmocka_unit_test(offline_node_takes_its_guests_out_of_sight_and_no_others),
		cmocka_unit_test(lost_quorum_is_told_by_both),
		cmocka_unit_test(answers_collected_by_others_are_read),
		cmocka_unit_test(series_collected_by_others_are_read),
		cmocka_unit_test(damaged_answers_are_refused_or_sound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
