/* The redact section: what is hidden besides what looks like a secret by itself. */
#include <string.h>

#include "base/str.h"
#include "model/config_keys.h"

#define LIST_MAX 64
#define TEXT_MAX 120

static bool read_list(
	struct config_reader *reader, const struct yaml *list, const char *key, const char *const **out)
{
	size_t count = 0;
	*out = NULL;
	if (list == NULL)
		return true;
	if (list->kind != YAML_LIST)
		return config_fail(reader, list->line, key, "must be a list, as [\"acme-*\"]");
	const char **texts = ARENA_ARRAY(reader->arena, const char *, LIST_MAX + 1);
	for (const struct yaml *each = list->children; each != NULL; each = each->next) {
		if (each->kind != YAML_SCALAR || strlen(each->text) < 3 || strlen(each->text) > TEXT_MAX)
			return config_fail(
				reader, each->line, key, "each entry is a text of 3 to %d characters", TEXT_MAX);
		if (count == LIST_MAX)
			return config_fail(reader, each->line, key, "more than %d entries", LIST_MAX);
		texts[count++] = each->text;
	}
	*out = texts;
	return true;
}

/* What is too short or too general would hide half of every message. */
static bool check_patterns(struct config_reader *reader, const struct yaml *list)
{
	for (const struct yaml *each = list != NULL ? list->children : NULL; each != NULL;
		 each = each->next) {
		size_t fixed = strlen(each->text);
		for (const char *c = each->text; *c != '\0'; c++)
			fixed -= *c == '*' || *c == '?';
		bool wild = strpbrk(each->text, "*?") != NULL;
		if (fixed < 4 || (!wild && fixed < 6))
			return config_fail(reader, each->line, "redact.patterns",
				"\"%.60s\" is too general: at least 4 characters besides * and ?, 6 without them",
				each->text);
	}
	return true;
}

bool config_read_redact(struct config_reader *reader, const struct yaml *map)
{
	static const struct yaml nothing = {.kind = YAML_MAP};
	struct config_redact *redact = &reader->config->redact;
	if (map == NULL)
		map = &nothing;
	if (map->kind != YAML_MAP)
		return config_fail(reader, map->line, "redact",
			"must be a section: write below it, indented, as names: true");
	return config_read_map(reader, map, "redact.", redact) &&
		read_list(reader, yaml_find(map, "patterns"), "redact.patterns", &redact->patterns) &&
		check_patterns(reader, yaml_find(map, "patterns")) &&
		read_list(reader, yaml_find(map, "hosts"), "redact.hosts", &redact->hosts);
}
