/* The mcp section: servers that are started by a command, or reached by a URL. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "model/config_keys.h"

#define WORDS_MAX 64
#define WORD_BYTES 4096
/* What spawn gives a child besides PATH, HOME and LANG. */
#define VARIABLES_MAX 12

static bool is_reference(const char *text)
{
	return str_starts(text, "secret:") || str_starts(text, "env:");
}

/* A secret in clear text: refused where others can read it, else warned about. */
static bool check_secret(
	struct config_reader *reader, int line, const char *key, const char *text, const char *name)
{
	if (is_reference(text)) {
		const char *rest = strchr(text, ':') + 1;
		return (*rest != '\0' &&
				   strspn(rest,
					   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789_.-") == strlen(rest)) ||
			config_fail(reader, line, key, "\"%.60s\": write secret:NAME or env:NAME", text);
	}
	if (!reader->is_private)
		return config_fail(reader, line, key,
			"holds a secret in clear text, and others can read this file: `homeostat secret set "
			"%s` and write secret:%s, or chmod 600 %s",
			name, name, reader->name);
	config_warn(reader, line, key,
		"holds a secret in clear text: `homeostat secret set %s` and secret:%s are safer", name,
		name);
	return true;
}

static bool is_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7F)
			return false;
	return true;
}

static bool read_command(
	struct config_reader *reader, const struct yaml *list, struct config_mcp *mcp)
{
	size_t count = 0;
	if (list->kind != YAML_LIST || list->children == NULL)
		return config_fail(reader, list->line, "mcp.command",
			"must be a list of words, without a shell: command: [npx, -y, \"@scope/server\"]");
	const char **words = ARENA_ARRAY(reader->arena, const char *, WORDS_MAX + 1);
	for (const struct yaml *word = list->children; word != NULL; word = word->next) {
		if (word->kind != YAML_SCALAR || (count == 0 && word->text[0] == '\0') ||
			!is_clean(word->text) || strlen(word->text) > WORD_BYTES)
			return config_fail(reader, word->line, "mcp.command",
				"word %zu must be a single text without control characters, of at most %d bytes",
				count + 1, WORD_BYTES);
		if (count == WORDS_MAX)
			return config_fail(reader, word->line, "mcp.command", "more than %d words", WORDS_MAX);
		words[count++] = word->text;
	}
	if (strchr(words[0], '=') != NULL)
		return config_fail(reader, list->line, "mcp.command",
			"\"%.60s\" is no program: what the server's environment needs goes into env:",
			words[0]);
	mcp->command = words;
	return true;
}

static bool is_variable(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

/* GITHUB_TOKEN, API_KEY, DB_PASSWORD: what is called so is one. */
static bool sounds_secret(const char *name)
{
	static const char *const words[] = {
		"TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "PRIVATE_KEY"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(name, words[i]) != NULL)
			return true;
	return false;
}

static bool read_env(struct config_reader *reader, const struct yaml *map, struct config_mcp *mcp)
{
	size_t count = 0;
	if (map->kind != YAML_MAP)
		return config_fail(reader, map->line, "mcp.env",
			"must be a section: write below it, indented, as GITHUB_TOKEN: secret:github");
	const char **list = ARENA_ARRAY(reader->arena, const char *, VARIABLES_MAX + 1);
	for (const struct yaml *each = map->children; each != NULL; each = each->next) {
		if (!is_variable(each->key) || strlen(each->key) > 100)
			return config_fail(reader, each->key_line, "mcp.env",
				"\"%.60s\" cannot be the name of a variable: letters, digits and _", each->key);
		if (each->kind != YAML_SCALAR || !is_clean(each->text) || strlen(each->text) > WORD_BYTES)
			return config_fail(reader, each->line, "mcp.env",
				"%s must be a single text without control characters, of at most %d bytes",
				each->key, WORD_BYTES);
		if (count == VARIABLES_MAX)
			return config_fail(
				reader, each->key_line, "mcp.env", "more than %d variables", VARIABLES_MAX);
		if ((sounds_secret(each->key) || is_reference(each->text)) &&
			!check_secret(reader, each->line, "mcp.env", each->text, mcp->name))
			return false;
		list[count++] = arena_printf(reader->arena, "%s=%s", each->key, each->text);
	}
	mcp->env = list;
	return true;
}

static bool check_url(struct config_reader *reader, const struct config_mcp *mcp)
{
	const char *url = mcp->url;
	bool plain = str_starts(url, "http://");
	if (!plain && !str_starts(url, "https://"))
		return config_fail(reader, mcp->line, "mcp.url",
			"\"%.100s\": write http://host:port/mcp or https://host/mcp", url);
	const char *host = strstr(url, "://") + 3;
	size_t length = strcspn(host, "/?#");
	if (length == 0 || strlen(url) > 1000)
		return config_fail(reader, mcp->line, "mcp.url",
			"\"%.100s\" names no host, or is longer than 1000 bytes", url);
	if (memchr(host, '@', length) != NULL || strpbrk(host, "?#") != NULL)
		return config_fail(reader, mcp->line, "mcp.url",
			"takes neither user and password nor what follows ? or #, since URLs are shown: give "
			"the secret as token: secret:%s",
			mcp->name);
	if (strpbrk(url, " \"<>\\^`{|}") != NULL)
		return config_fail(
			reader, mcp->line, "mcp.url", "\"%.100s\" holds what must be percent-encoded", url);
	bool local = str_starts(host, "127.") || str_starts(host, "localhost") ||
		str_starts(host, "[::1]");
	if (plain && mcp->token != NULL && !local)
		config_warn(reader, mcp->line, "mcp.url",
			"sends the token of %s in clear text over the network: use https://", mcp->name);
	return true;
}

/* "files", of the first engine, or "local/files". */
static bool check_container(
	struct config_reader *reader, const struct yaml *item, const struct config_mcp *mcp)
{
	const struct config *config = reader->config;
	const char *slash = strchr(mcp->container, '/');
	int line = yaml_find(item, "container")->line;
	if (mcp->container[strspn(mcp->container,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/")] != '\0' ||
		mcp->container[0] == '\0')
		return config_fail(
			reader, line, "mcp.container", "\"%.60s\" is no container's name", mcp->container);
	for (int i = 0; i < config->docker_count; i++)
		if (slash == NULL ||
			(strncmp(config->docker[i].name, mcp->container, (size_t)(slash - mcp->container)) ==
					0 &&
				strlen(config->docker[i].name) == (size_t)(slash - mcp->container)))
			return true;
	return config_fail(reader, line, "mcp.container",
		"\"%.60s\": no engine of docker: has that name", mcp->container);
}

static bool check_one(struct config_reader *reader, const struct yaml *item, struct config_mcp *mcp)
{
	const struct yaml *command = yaml_find(item, "command"), *env = yaml_find(item, "env");
	const struct yaml *token = yaml_find(item, "token");
	if (mcp->name == NULL)
		return config_fail(reader, item->line, "mcp.name",
			"is missing: give each server a name, as - name: files");
	if ((command == NULL) == (mcp->url == NULL))
		return config_fail(reader, item->line, "mcp",
			"%s: give it either a command: (it is started) or a url: (it is reached)", mcp->name);
	if (command == NULL && env != NULL)
		return config_fail(reader, env->key_line, "mcp.env", "is for command: only: remove it");
	if (mcp->url == NULL && token != NULL)
		return config_fail(reader, token->key_line, "mcp.token",
			"is for url: only: a server that is started gets its secrets by env:");
	if (mcp->container != NULL && !check_container(reader, item, mcp))
		return false;
	if (token != NULL && !check_secret(reader, token->line, "mcp.token", mcp->token, mcp->name))
		return false;
	if (command != NULL)
		return read_command(reader, command, mcp) && (env == NULL || read_env(reader, env, mcp));
	return check_url(reader, mcp);
}

bool config_read_mcp(struct config_reader *reader, const struct yaml *list)
{
	struct config *config = reader->config;
	if (list->kind != YAML_LIST)
		return config_fail(
			reader, list->line, "mcp", "must be a list: begin each server by \"- name: files\"");
	config->mcp = ARENA_ARRAY(reader->arena, struct config_mcp, CONFIG_SOURCES_MAX);
	for (const struct yaml *item = list->children; item != NULL; item = item->next) {
		struct config_mcp mcp = {.line = item->line};
		if (config->mcp_count == CONFIG_SOURCES_MAX)
			return config_fail(
				reader, item->line, "mcp", "more than %d servers", CONFIG_SOURCES_MAX);
		if (item->kind != YAML_MAP)
			return config_fail(reader, item->line, "mcp",
				"each server is a section: write \"- name: files\" and below it \"command: …\"");
		if (!config_read_map(reader, item, "mcp.", &mcp) || !check_one(reader, item, &mcp))
			return false;
		for (int i = 0; i < config->mcp_count; i++)
			if (strcmp(config->mcp[i].name, mcp.name) == 0)
				return config_fail(reader, mcp.line, "mcp.name",
					"\"%s\" is already the name of the server in line %d: give each its own",
					mcp.name, config->mcp[i].line);
		config->mcp[config->mcp_count++] = mcp;
	}
	return true;
}
