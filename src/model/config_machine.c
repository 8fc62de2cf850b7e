/* The hosts section: machines whose services, disks and memory are watched. */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "model/config_keys.h"

#define PATTERNS_MAX 64
#define PATTERN_BYTES 120

static bool fail_url(struct config_reader *reader, const struct config_machine *machine)
{
	return config_fail(reader, machine->line, "hosts.url",
		"\"%.100s\": write local, ssh://user@host, or unix:///run/dbus/system_bus_socket",
		machine->url);
}

static bool is_plain_path(const char *path)
{
	size_t length = strlen(path);
	for (const char *c = path; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("/._-", *c) == NULL)
			return false;
	return length > 1 && length <= 107;
}

static bool check_url(struct config_reader *reader, const struct config_machine *machine)
{
	const char *url = machine->url;
	if (strcmp(url, "local") == 0)
		return true;
	if (str_starts(url, "unix:///"))
		return is_plain_path(url + strlen("unix://")) ||
			config_fail(reader, machine->line, "hosts.url",
				"\"%.120s\": the path of a bus has at most 107 bytes: letters, digits and /._-",
				url);
	if (!str_starts(url, "ssh://"))
		return fail_url(reader, machine);
	const char *rest = url + strlen("ssh://");
	struct config_host host = config_host_read(rest);
	if (host.has_password)
		return config_fail(reader, machine->line, "hosts.url",
			"ssh:// takes no password: use a key that the ssh client finds by itself");
	return (!host.bad && rest[strcspn(rest, "/?#")] == '\0') || fail_url(reader, machine);
}

/* What systemd allows in a unit's name (systemd.unit(5)), and * and ?. */
static bool is_pattern(const char *text)
{
	if (text[0] == '\0' || text[0] == '-' || strlen(text) > PATTERN_BYTES)
		return false;
	for (const char *c = text; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr(":-_.\\@*?", *c) == NULL)
			return false;
	return true;
}

/* "nginx" means nginx.service, as it does for systemctl. */
static const char *whole_name(struct config_reader *reader, const char *text)
{
	static const char *const types[] = {
		".service", ".socket", ".timer", ".mount", ".path", ".target", ".slice", "*"};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (str_ends(text, types[i]))
			return text;
	return arena_printf(reader->arena, "%s.service", text);
}

static const char *const *read_patterns(
	struct config_reader *reader, const struct yaml *list, const char *key)
{
	int count = 0;
	const char **patterns = ARENA_ARRAY(reader->arena, const char *, PATTERNS_MAX + 1);
	if (list->kind != YAML_LIST) {
		config_fail(reader, list->line, key,
			"must be a list of units, as [nginx.service, \"homelab-*.service\"]");
		return NULL;
	}
	for (const struct yaml *item = list->children; item != NULL; item = item->next) {
		if (item->kind != YAML_SCALAR || !is_pattern(item->text)) {
			config_fail(reader, item->line, key,
				"\"%.60s\" is no unit's name: write nginx.service, or a pattern with * and ?",
				item->kind == YAML_SCALAR ? item->text : "");
			return NULL;
		}
		if (count == PATTERNS_MAX) {
			config_fail(reader, item->line, key, "more than %d", PATTERNS_MAX);
			return NULL;
		}
		patterns[count++] = whole_name(reader, item->text);
	}
	return patterns;
}

static bool read_units(
	struct config_reader *reader, const struct yaml *item, struct config_machine *machine)
{
	static const char *const all[] = {"*.service", NULL}, *const none[] = {NULL};
	const struct yaml *units = yaml_find(item, "units"), *ignore = yaml_find(item, "ignore");
	machine->units = all;
	machine->ignore = none;
	if (units != NULL)
		machine->units = read_patterns(reader, units, "hosts.units");
	if (machine->units != NULL && ignore != NULL)
		machine->ignore = read_patterns(reader, ignore, "hosts.ignore");
	return machine->units != NULL && machine->ignore != NULL;
}

static bool check_one(
	struct config_reader *reader, const struct yaml *item, struct config_machine *machine)
{
	const struct config *config = reader->config;
	const struct yaml *measures = yaml_find(item, "measures");
	if (!check_url(reader, machine) || !read_units(reader, item, machine))
		return false;
	if (str_starts(machine->url, "unix://")) {
		if (machine->lxc != 0 || machine->sudo || (measures != NULL && machine->measures))
			return config_fail(reader, machine->line, "hosts",
				"%s: through a bus alone only units can be seen: remove %s", machine->name,
				machine->lxc != 0   ? "lxc"
					: machine->sudo ? "sudo"
									: "measures");
		machine->measures = false;
	}
	for (int i = 0; i < config->machine_count; i++)
		if (strcmp(config->machines[i].name, machine->name) == 0)
			return config_fail(reader, machine->line, "hosts.name",
				"\"%s\" is already the name of the host in line %d: give each its own",
				machine->name, config->machines[i].line);
	return true;
}

static bool has_machine(const struct config *config, const char *name, size_t length)
{
	for (int i = 0; i < config->machine_count; i++)
		if (strlen(config->machines[i].name) == length &&
			strncmp(config->machines[i].name, name, length) == 0)
			return true;
	return false;
}

static bool has_docker(const struct config *config, const char *name, size_t length)
{
	for (int i = 0; i < config->docker_count; i++)
		if (strlen(config->docker[i].name) == length &&
			strncmp(config->docker[i].name, name, length) == 0)
			return true;
	return false;
}

bool config_check_references(struct config_reader *reader)
{
	const struct config *config = reader->config;
	for (int i = 0; i < config->docker_count; i++) {
		const struct config_docker *docker = &config->docker[i];
		if (docker->host != NULL && !has_machine(config, docker->host, strlen(docker->host)))
			return config_fail(reader, docker->line, "docker.host",
				"there is no host \"%s\": name it under hosts:", docker->host);
	}
	for (int i = 0; i < config->probe_count; i++) {
		const struct config_probe *probe = &config->probes[i];
		if (probe->heals == NULL)
			continue;
		const char *name = strchr(probe->heals, ':') + 1;
		size_t length = strcspn(name, "/");
		if (str_starts(probe->heals, "host:") ? !has_machine(config, name, length)
											  : !has_docker(config, name, length))
			return config_fail(reader, probe->line, "probes.heals",
				"\"%.100s\": %.*s is not the name of any that is configured", probe->heals,
				(int)length, name);
	}
	return true;
}

bool config_read_machines(struct config_reader *reader, const struct yaml *list)
{
	struct config *config = reader->config;
	if (list->kind != YAML_LIST)
		return config_fail(
			reader, list->line, "hosts", "must be a list: begin each host by \"- name: local\"");
	config->machines = ARENA_ARRAY(reader->arena, struct config_machine, CONFIG_SOURCES_MAX);
	for (const struct yaml *item = list->children; item != NULL; item = item->next) {
		struct config_machine machine = {.line = item->line};
		if (config->machine_count == CONFIG_SOURCES_MAX)
			return config_fail(
				reader, item->line, "hosts", "more than %d hosts", CONFIG_SOURCES_MAX);
		if (item->kind != YAML_MAP)
			return config_fail(reader, item->line, "hosts",
				"each host is a section: write \"- name: nas\" and below it \"url: "
				"ssh://root@nas\"");
		if (!config_read_map(reader, item, "hosts.", &machine) ||
			!check_one(reader, item, &machine))
			return false;
		config->machines[config->machine_count++] = machine;
	}
	return true;
}
