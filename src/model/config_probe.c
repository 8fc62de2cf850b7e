/* The probes section: what is asked from outside, and what is acted on when it does not answer. */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "model/config_keys.h"

#define WORDS_MAX 64
#define WORD_BYTES 4096

#define FAIL(key, ...) config_fail(reader, probe->line, "probes." key, __VA_ARGS__)

static bool read_command(
	struct config_reader *reader, const struct yaml *list, struct config_probe *probe)
{
	size_t count = 0;
	if (list->kind != YAML_LIST || list->children == NULL)
		return FAIL("command", "must be a list of words, without a shell: [pg_isready, -q]");
	const char **words = ARENA_ARRAY(reader->arena, const char *, WORDS_MAX + 1);
	for (const struct yaml *word = list->children; word != NULL; word = word->next) {
		if (word->kind != YAML_SCALAR || strlen(word->text) > WORD_BYTES || count == WORDS_MAX)
			return FAIL("command", "word %zu: at most %d single texts of at most %d bytes",
				count + 1, WORDS_MAX, WORD_BYTES);
		words[count++] = word->text;
	}
	if (words[0][0] == '\0' || words[0][0] == '-' || strchr(words[0], '=') != NULL)
		return FAIL("command", "\"%.60s\" is no program", words[0]);
	probe->command = words;
	return true;
}

/* "host:port", with a port. */
static bool is_place(const char *text)
{
	struct config_host host = config_host_read(text);
	return !host.bad && host.user[0] == '\0' && host.port[0] != '\0' &&
		text[strcspn(text, "/?#")] == '\0';
}

static bool check_http(struct config_reader *reader, const struct config_probe *probe)
{
	const char *url = probe->http;
	const char *rest = str_starts(url, "https://") ? url + 8
		: str_starts(url, "http://")               ? url + 7
												   : NULL;
	if (rest == NULL || config_host_read(rest).bad || strlen(url) > 1000 ||
		strpbrk(url, " \"<>\\^`{|}#") != NULL)
		return FAIL("http", "\"%.100s\": write http://host:port/path or https://host/path", url);
	return strchr(rest, '@') == NULL ||
		FAIL("http", "takes no user and password, since URLs are shown");
}

static bool check_target(struct config_reader *reader, const struct config_probe *probe)
{
	const char *heals = probe->heals, *slash = heals != NULL ? strchr(heals, '/') : NULL;
	if (heals == NULL)
		return true;
	bool docker = str_starts(heals, "docker:"), host = str_starts(heals, "host:");
	if ((!docker && !host) || slash == NULL || slash[1] == '\0' || strlen(slash + 1) > 90)
		return FAIL("heals",
			"\"%.100s\": write docker:NAME/CONTAINER or host:NAME/UNIT, with a name of docker: or "
			"hosts:",
			heals);
	for (const char *c = slash + 1; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("._-@\\:", *c) == NULL)
			return FAIL("heals", "\"%.60s\" is no name of a container or unit", slash + 1);
	return true;
}

static bool check_one(
	struct config_reader *reader, const struct yaml *item, struct config_probe *probe)
{
	const struct yaml *command = yaml_find(item, "command");
	int ways = (probe->http != NULL) + (probe->tcp != NULL) + (probe->ping != NULL) +
		(probe->tls_expiry != NULL) + (command != NULL);
	if (probe->name == NULL)
		return FAIL("name", "is missing: give each probe a name, as - name: jellyfin");
	if (ways != 1)
		return FAIL(
			"name", "%s: give it exactly one of http, tcp, ping, command, tls_expiry", probe->name);
	if (command != NULL && !read_command(reader, command, probe))
		return false;
	if (probe->http != NULL && !check_http(reader, probe))
		return false;
	if (probe->tcp != NULL && !is_place(probe->tcp))
		return FAIL("tcp", "\"%.100s\": write host:port", probe->tcp);
	if (probe->tls_expiry != NULL && !is_place(probe->tls_expiry))
		return FAIL("tls_expiry", "\"%.100s\": write host:port, as nas.lan:443", probe->tls_expiry);
	if (probe->ping != NULL &&
		(config_host_read(probe->ping).bad || strpbrk(probe->ping, "/?#@") != NULL ||
			(strchr(probe->ping, ':') != NULL && probe->ping[0] != '[')))
		return FAIL("ping", "\"%.100s\": write a host's name or address", probe->ping);
	return check_target(reader, probe);
}

bool config_read_probes(struct config_reader *reader, const struct yaml *list)
{
	struct config *config = reader->config;
	if (list->kind != YAML_LIST)
		return config_fail(reader, list->line, "probes",
			"must be a list: begin each probe by \"- name: jellyfin\"");
	config->probes = ARENA_ARRAY(reader->arena, struct config_probe, CONFIG_SOURCES_MAX);
	for (const struct yaml *item = list->children; item != NULL; item = item->next) {
		struct config_probe probe = {.line = item->line};
		if (config->probe_count == CONFIG_SOURCES_MAX)
			return config_fail(
				reader, item->line, "probes", "more than %d probes", CONFIG_SOURCES_MAX);
		if (item->kind != YAML_MAP)
			return config_fail(reader, item->line, "probes",
				"each probe is a section: write \"- name: jellyfin\" and below it \"http: …\"");
		if (!config_read_map(reader, item, "probes.", &probe) || !check_one(reader, item, &probe))
			return false;
		for (int i = 0; i < config->probe_count; i++)
			if (strcmp(config->probes[i].name, probe.name) == 0)
				return config_fail(reader, probe.line, "probes.name",
					"\"%s\" is already the name of the probe in line %d: give each its own",
					probe.name, config->probes[i].line);
		config->probes[config->probe_count++] = probe;
	}
	return true;
}
