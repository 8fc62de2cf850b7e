#include "model/config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "model/config_keys.h"

/* A file of 1 MiB becomes a tree of some ten times that at worst. */
#define ARENA_LIMIT ((size_t)32 << 20)
#define FILE_LIMIT ((size_t)1 << 20)

bool config_fail(struct config_reader *reader, int line, const char *key, const char *fmt, ...)
{
	char text[400];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_set(reader->err, ERR_INPUT, "%s:%d: %s: %s", reader->name, line, key, text);
}

void config_warn(struct config_reader *reader, int line, const char *key, const char *fmt, ...)
{
	char text[400];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (reader->warning_count < CONFIG_WARNINGS_MAX)
		reader->config->warnings[reader->warning_count++] = arena_printf(
			reader->arena, "%s:%d: %s: %s", reader->name, line, key, text);
}

static int line_of(const struct yaml *root, const char *key)
{
	const struct yaml *value = yaml_find(root, key);
	return value != NULL ? value->line : 1;
}

/* "127.0.0.1:9095", "[::1]:0", "name:80". */
static bool is_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	if (colon == NULL || colon == text || colon[1] == '\0')
		return false;
	char *end;
	long port = strtol(colon + 1, &end, 10);
	if (*end != '\0' || !isdigit((unsigned char)colon[1]) || port > 65535)
		return false;
	if (text[0] == '[')
		return colon[-1] == ']' && colon - text > 2;
	for (const char *c = text; c < colon; c++)
		if (!isalnum((unsigned char)*c) && strchr(".-_", *c) == NULL)
			return false;
	return true;
}

static bool check_top(struct config_reader *reader, const struct yaml *root)
{
	const struct config *config = reader->config;
	if (strcmp(config->listen, "none") != 0 && !is_address(config->listen))
		return config_fail(reader, line_of(root, "listen"), "listen",
			"\"%.60s\": write address:port, as 127.0.0.1:9095 or [::1]:9095, or none",
			config->listen);
	if (config->state[strspn(config->state, "/.")] == '\0')
		return config_fail(reader, line_of(root, "state"), "state",
			"\"%.60s\": give a folder of its own, as /var/lib/homeostat", config->state);
	return true;
}

static bool read_brakes(struct config_reader *reader, const struct yaml *brakes)
{
	static const struct yaml nothing = {.kind = YAML_MAP};
	if (brakes == NULL)
		brakes = &nothing;
	if (brakes->kind != YAML_MAP)
		return config_fail(reader, brakes->line, "brakes",
			"must be a section: write below it, indented, as budget: 5 per 10m");
	return config_read_map(reader, brakes, "brakes.", &reader->config->brakes);
}

static bool read_thresholds(struct config_reader *reader, const struct yaml *thresholds)
{
	static const struct yaml nothing = {.kind = YAML_MAP};
	if (thresholds == NULL)
		thresholds = &nothing;
	if (thresholds->kind != YAML_MAP)
		return config_fail(reader, thresholds->line, "thresholds",
			"must be a section: write below it, indented, as node_memory: 90");
	return config_read_map(reader, thresholds, "thresholds.", &reader->config->thresholds);
}

static bool read_heartbeat(struct config_reader *reader, const struct yaml *heartbeat)
{
	struct config_heartbeat *out = &reader->config->heartbeat;
	if (heartbeat->kind != YAML_MAP)
		return config_fail(reader, heartbeat->line, "heartbeat",
			"must be a section: write below it, indented, as url: https://hc-ping.com/…");
	if (!config_read_map(reader, heartbeat, "heartbeat.", out))
		return false;
	bool good = out->url != NULL &&
		(str_starts(out->url, "https://") || str_starts(out->url, "http://") ||
			str_starts(out->url, "secret:") || str_starts(out->url, "env:"));
	return good ||
		config_fail(reader, heartbeat->line, "heartbeat.url",
			"give the address to call, as https://hc-ping.com/… or secret:NAME");
}

static bool read_learn(struct config_reader *reader, const struct yaml *learn)
{
	static const struct yaml nothing = {.kind = YAML_MAP};
	if (learn == NULL)
		learn = &nothing;
	if (learn->kind != YAML_MAP)
		return config_fail(reader, learn->line, "learn",
			"must be a section: write below it, indented, as demote: 15");
	return config_read_map(reader, learn, "learn.", &reader->config->learn);
}

/* Those with defaults are read even where the file has none. */
static const struct {
	const char *name;
	bool (*read)(struct config_reader *reader, const struct yaml *section);
	bool has_defaults;
} sections[] = {
	{"brakes", read_brakes, true},
	{"thresholds", read_thresholds, true},
	{"learn", read_learn, true},
	{"redact", config_read_redact, true},
	{"heartbeat", read_heartbeat, false},
	{"docker", config_read_docker, false},
	{"proxmox", config_read_proxmox, false},
	{"mcp", config_read_mcp, false},
	{"hosts", config_read_machines, false},
	{"probes", config_read_probes, false},
	{"telegram", config_read_telegram, false},
	{"notify", config_read_notify, false},
	{"claude", config_read_claude, false},
	{"policy", config_read_policy, false},
	{"maintenance", config_read_maintenance, false},
};

static bool read_all(struct config_reader *reader, const struct yaml *root)
{
	if (root->kind != YAML_MAP)
		return err_set(reader->err, ERR_INPUT, "%s:%d: must be a list of \"key: value\" lines",
			reader->name, root->line);
	if (!config_read_map(reader, root, "", reader->config) || !check_top(reader, root))
		return false;
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const struct yaml *section = yaml_find(root, sections[i].name);
		if ((section != NULL || sections[i].has_defaults) && !sections[i].read(reader, section))
			return false;
	}
	const struct config *config = reader->config;
	if (!config_check_references(reader) || !config_docker_homes(reader))
		return false;
	return config->docker_count + config->proxmox_count + config->mcp_count +
			config->machine_count + config->probe_count >
		0 ||
		config_fail(reader, line_of(root, "docker"), "docker",
			"no source is named, so there is nothing to watch: the smallest useful file is "
			"docker: [{ name: local }]; or name proxmox: or hosts: (homeostat help config)");
}

struct config *config_parse(
	const char *name, const char *text, size_t length, bool is_private, struct err *err)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct config *config = ARENA_NEW(arena, struct config);
	config->arena = arena;
	config->file = arena_strdup(arena, name);
	config->warnings = ARENA_ARRAY(arena, const char *, CONFIG_WARNINGS_MAX + 1);
	struct config_reader reader = {.config = config,
		.arena = arena,
		.name = config->file,
		.is_private = is_private,
		.err = err};
	const struct yaml *root = yaml_parse(arena, config->file, text, length, err);
	if (root != NULL && read_all(&reader, root))
		return config;
	arena_free(arena);
	return NULL;
}

struct config *config_load(const char *file, struct err *err)
{
	struct err why;
	struct file content;
	auto_arena arena = arena_new(2 * FILE_LIMIT);
	if (file_read(arena, file, FILE_LIMIT, &content, &why))
		return config_parse(file, content.bytes, content.length, content.is_private, err);
	if (why.kind == ERR_GONE)
		err_set(err, ERR_INPUT,
			"%s: there is no such file: write one (homeostat help config, "
			"examples/homeostat.yaml), or name yours by -c FILE",
			file);
	else
		err_set(err, why.kind, "%s", why.text);
	return NULL;
}

void config_free(struct config *config)
{
	if (config != NULL)
		arena_free(config->arena);
}

const char *config_control_default(struct arena *arena)
{
	/* systemd makes and names one for a service that has asked for it. */
	const char *service = getenv("RUNTIME_DIRECTORY");
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	if (service != NULL && service[0] == '/' && strchr(service, ':') == NULL)
		return arena_printf(arena, "%s/control.sock", service);
	if (file_user_is_root() || runtime == NULL || runtime[0] != '/')
		return arena_strdup(arena, "/run/homeostat/control.sock");
	return arena_printf(arena, "%s/homeostat/control.sock", runtime);
}
