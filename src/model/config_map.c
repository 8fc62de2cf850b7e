/* A section of the file, read by the part of the table of keys that is about it. */
#include <string.h>

#include "base/str.h"
#include "model/config_keys.h"

/* Sections that a later version will read: known, so that nobody takes silence for protection. */
static const char *const later[] = {
	"store",
	NULL,
};

static bool is_later(const char *prefix, const char *key)
{
	for (int i = 0; prefix[0] == '\0' && later[i] != NULL; i++)
		if (strcmp(later[i], key) == 0)
			return true;
	return false;
}

/* The key's own name in the section of prefix, or NULL. */
static const char *name_in(const struct config_key *key, const char *prefix)
{
	const char *name = key->path + strlen(prefix);
	return str_starts(key->path, prefix) && strchr(name, '.') == NULL ? name : NULL;
}

static const struct config_key *find(const char *prefix, const char *name)
{
	int count;
	const struct config_key *keys = config_keys(&count);
	for (int i = 0; i < count; i++)
		if (str_equal(name_in(&keys[i], prefix), name))
			return &keys[i];
	return NULL;
}

static bool unknown(struct config_reader *reader, const struct yaml *child, const char *prefix)
{
	int count, n = 0;
	const struct config_key *keys = config_keys(&count);
	const char *names[64];
	char path[80];
	struct str all;
	str_init(&all, reader->arena);
	for (int i = 0; i < count && n < 50; i++)
		if (name_in(&keys[i], prefix) != NULL)
			names[n++] = name_in(&keys[i], prefix);
	for (int i = 0; i < n; i++)
		str_addf(&all, "%s%s", i > 0 ? ", " : "", names[i]);
	for (int i = 0; prefix[0] == '\0' && later[i] != NULL; i++)
		names[n++] = later[i];
	names[n] = NULL;
	STR_FORMAT(path, "%s%.48s", prefix, child->key);
	const char *nearest = str_nearest(child->key, names);
	if (nearest != NULL)
		return config_fail(
			reader, child->key_line, path, "unknown key: did you mean \"%s\"?", nearest);
	return config_fail(
		reader, child->key_line, path, "unknown key: remove it; known here: %s", all.s);
}

static bool set_defaults(struct config_reader *reader, const char *prefix, void *out)
{
	int count;
	const struct config_key *keys = config_keys(&count);
	for (int i = 0; i < count; i++) {
		struct yaml value = {.kind = YAML_SCALAR, .text = keys[i].otherwise};
		bool has = name_in(&keys[i], prefix) != NULL && keys[i].otherwise[0] != '\0' &&
			keys[i].check->type != TYPE_SECTION;
		if (has && !config_read_value(reader, &value, &keys[i], out))
			return false;
	}
	return true;
}

bool config_read_map(
	struct config_reader *reader, const struct yaml *map, const char *prefix, void *out)
{
	if (!set_defaults(reader, prefix, out))
		return false;
	for (const struct yaml *child = map->children; child != NULL; child = child->next) {
		if (is_later(prefix, child->key))
			return config_fail(reader, child->key_line, child->key,
				"this version does not support it yet: remove the section (see homeostat help "
				"config)");
		if (prefix[0] == '\0' && strcmp(child->key, "systemd") == 0)
			return config_fail(reader, child->key_line, child->key,
				"units are watched as part of their host: write hosts: [{ name: local, units: "
				"[nginx.service] }]");
		const struct config_key *key = find(prefix, child->key);
		if (key == NULL)
			return unknown(reader, child, prefix);
		if (key->check->type != TYPE_SECTION && !config_read_value(reader, child, key, out))
			return false;
	}
	return true;
}
