/* The maintenance section: times in which what they are about is left alone. */
#include <string.h>

#include "base/str.h"
#include "model/config_keys.h"

static bool read_match(struct config_reader *reader, const struct yaml *item,
	struct config_maintenance *window, int number)
{
	const struct yaml *match = yaml_find(item, "match");
	if (match == NULL)
		return true;
	if (match->kind != YAML_MAP)
		return config_fail(reader, match->line, "maintenance.match",
			"window %d: write it as match: { host: pve }, or leave it out: then it is about "
			"everything",
			number);
	return config_read_map(reader, match, "maintenance.match.", window);
}

static bool read_window(struct config_reader *reader, const struct yaml *item,
	struct config_maintenance *window, int number)
{
	struct err why = {0};
	if (item->kind != YAML_MAP)
		return config_fail(reader, item->line, "maintenance",
			"window %d: each window is a section: cron: …, for: … and match: …", number);
	window->line = item->line;
	if (!config_read_map(reader, item, "maintenance.", window) ||
		!read_match(reader, item, window, number))
		return false;
	if (window->schedule == NULL)
		return config_fail(reader, item->line, "maintenance.cron",
			"window %d: say when it begins, as cron: \"0 3 * * 0\" for Sundays at 3", number);
	return cron_parse(window->schedule, &window->cron, &why) ||
		config_fail(reader, item->line, "maintenance.cron", "window %d: %s", number, why.text);
}

bool config_read_maintenance(struct config_reader *reader, const struct yaml *list)
{
	struct config *config = reader->config;
	int count = 0;
	if (list->kind != YAML_LIST)
		return config_fail(reader, list->line, "maintenance",
			"must be a list: begin each window by \"- cron: …\"");
	for (const struct yaml *item = list->children; item != NULL; item = item->next)
		count++;
	if (count > CONFIG_WINDOWS_MAX)
		return config_fail(
			reader, list->line, "maintenance", "too many windows: at most %d", CONFIG_WINDOWS_MAX);
	config->maintenance = ARENA_ARRAY(reader->arena, struct config_maintenance, (size_t)count + 1);
	for (const struct yaml *item = list->children; item != NULL; item = item->next) {
		int i = config->maintenance_count;
		if (!read_window(reader, item, &config->maintenance[i], i + 1))
			return false;
		config->maintenance_count++;
	}
	return true;
}
