/* The simulated cluster against what PVE 9.2.11 was recorded to do, and against its schema. */
#include "sim/proxmox_world.h"

#include <dirent.h>

#include "base/file.h"
#include "proxmox_stage.h"

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
	{"healthy/GET_access_acl*", {"acl clear agent@pve"}, 0, NULL},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_have_the_status_reason_names_and_types_of_the_recorded),
		cmocka_unit_test(each_route_and_parameter_is_in_the_schema_of_9_2),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
