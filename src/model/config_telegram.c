/* The telegram section: whose phone, and who may speak for it. */
#include <string.h>

#include "base/str.h"
#include "model/config_keys.h"

static bool fail(
	struct config_reader *reader, const struct yaml *map, const char *key, const char *text)
{
	char path[48];
	const struct yaml *value = yaml_find(map, key);
	STR_FORMAT(path, "telegram.%s", key);
	return config_fail(reader, value != NULL ? value->line : map->line, path, "%s", text);
}

static bool check_url(struct config_reader *reader, const struct yaml *map, const char *url)
{
	bool plain = str_starts(url, "http://");
	if (!plain && !str_starts(url, "https://"))
		return fail(reader, map, "api_url", "write https://api.telegram.org, or remove the key");
	struct config_host host = config_host_read(strstr(url, "://") + 3);
	if (host.bad || host.user[0] != '\0')
		return fail(reader, map, "api_url", "names no host as it should: write https://HOST");
	return !plain || config_host_is_loopback(host.host) ||
		fail(reader, map, "api_url",
			"http:// is refused: the token is in every address: write https://, or run the Bot "
			"API server on this machine");
}

bool config_read_telegram(struct config_reader *reader, const struct yaml *map)
{
	struct config_telegram *telegram = &reader->config->telegram;
	if (map->kind != YAML_MAP)
		return config_fail(reader, map->line, "telegram",
			"must be a section: write below it, indented, as chat: 123456789");
	telegram->line = map->line;
	if (!config_read_map(reader, map, "telegram.", telegram))
		return false;
	if (telegram->token == NULL)
		return fail(reader, map, "token",
			"is missing: ask @BotFather for one, keep it by: homeostat secret set telegram, and "
			"write token: secret:telegram");
	if (telegram->chat == 0)
		return fail(reader, map, "chat", "is missing: write your own number, as chat: 123456789");
	if (telegram->allowed_count == 0)
		return fail(reader, map, "allowed_users",
			"is missing, so nobody could approve: write allowed_users: [123456789]");
	return check_url(reader, map, telegram->api_url);
}
