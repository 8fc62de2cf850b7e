/* The claude section: which model is asked, where, and what it may cost. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/config_keys.h"

#define USD_MAX 1000

static int line_of(const struct yaml *map, const char *key)
{
	const struct yaml *value = yaml_find(map, key);
	return value != NULL ? value->line : map->line;
}

#define FAIL(reader, map, key, ...) \
	config_fail(reader, line_of(map, key), "claude." key, __VA_ARGS__)

static bool check_url(
	struct config_reader *reader, const struct yaml *map, const struct config_claude *claude)
{
	const char *url = claude->api_url;
	bool plain = str_starts(url, "http://");
	if (!plain && !str_starts(url, "https://"))
		return FAIL(reader, map, "api_url",
			"\"%.100s\": write https://HOST, or http:// on this "
			"machine",
			url);
	struct config_host host = config_host_read(strstr(url, "://") + 3);
	if (host.bad || host.user[0] != '\0')
		return FAIL(reader, map, "api_url",
			"\"%.100s\" names no host as it should, or holds a user: the key is api_key", url);
	if (plain && claude->api_key != NULL && !config_host_is_loopback(host.host))
		return FAIL(reader, map, "api_url",
			"http:// to %.100s with an api_key is refused: who listens on the way could take it: "
			"write https://",
			host.host);
	return true;
}

static bool read_budget(
	struct config_reader *reader, const struct yaml *map, struct config_claude *claude)
{
	char *end;
	claude->usd_a_day = strtod(claude->budget, &end);
	if (end != claude->budget && *end == '\0' && isfinite(claude->usd_a_day) &&
		claude->usd_a_day >= 0 && claude->usd_a_day <= USD_MAX)
		return true;
	return FAIL(reader, map, "daily_budget_usd",
		"\"%.40s\": write an amount of US dollars from 0 to %d, as 1.00", claude->budget, USD_MAX);
}

bool config_read_claude(struct config_reader *reader, const struct yaml *map)
{
	struct config_claude *claude = ARENA_NEW(reader->arena, struct config_claude);
	if (map->kind != YAML_MAP)
		return config_fail(reader, map->line, "claude",
			"must be a section: write below it, indented, as api_key: secret:anthropic");
	claude->line = map->line;
	if (!config_read_map(reader, map, "claude.", claude) || !read_budget(reader, map, claude))
		return false;
	bool openai = str_equal(claude->provider, "openai");
	if (!openai && !str_equal(claude->provider, "anthropic"))
		return FAIL(
			reader, map, "provider", "\"%.40s\": write anthropic or openai", claude->provider);
	if (claude->model == NULL || claude->model[0] == '\0')
		return FAIL(reader, map, "model", "is missing: name one, as %s",
			openai ? "qwen3:8b" : "claude-haiku-5-5");
	if (claude->api_url == NULL && openai)
		return FAIL(reader, map, "api_url", "is missing: write http://127.0.0.1:11434/v1");
	if (claude->api_url == NULL)
		claude->api_url = "https://api.anthropic.com";
	if (claude->api_key == NULL && !openai)
		return FAIL(reader, map, "api_key",
			"is missing: homeostat secret set anthropic, and write api_key: secret:anthropic");
	reader->config->claude = claude;
	return check_url(reader, map, claude);
}
