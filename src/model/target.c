#include "model/target.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

#define NAMES_MAX 500 /* what is searched for a name that is nearly right */

static bool can_be_ordered(const struct target *target)
{
	return target->kind == COMPONENT_GUEST || target->kind == COMPONENT_CONTAINER;
}

static bool is_name(const struct target *target, const char *text)
{
	return str_equal(target->name, text);
}

/* "104" of lxc_104 and qemu_104@lab. */
static bool is_number(const struct target *target, const char *text)
{
	const char *number = strchr(target->name, '_');
	size_t length = strlen(text);
	return target->kind == COMPONENT_GUEST && number != NULL && length > 0 &&
		strncmp(number + 1, text, length) == 0 && !isdigit((unsigned char)number[1 + length]);
}

static bool is_label(const struct target *target, const char *text)
{
	bool docker = target->kind == COMPONENT_CONTAINER && text[0] == '/';
	return str_equal(target->label, docker ? text + 1 : text) || is_number(target, text);
}

static bool is_label_in_another_case(const struct target *target, const char *text)
{
	return strcasecmp(target->label, text) == 0 || strcasecmp(target->name, text) == 0;
}

/* "lxc_104 (vpn)" and how many more, as long as there is room. */
static void name_one(const struct target *target, int n, char *why, size_t size)
{
	size_t length = strlen(why);
	const char *label = target->label;
	bool same = label[0] == '\0' || strstr(target->name, label) != NULL;
	str_format(why + length, size - length, "%s%.128s%s%.64s%s", n > 0 ? ", " : "", target->name,
		same ? "" : " (", same ? "" : label, same ? "" : ")");
}

static void name_candidates(const struct target *targets, int count, const char *text,
	bool (*fits)(const struct target *, const char *), char *why, size_t size)
{
	int n = 0;
	str_format(why, size, "\"%.60s\" may be ", text);
	for (int i = 0; i < count; i++)
		if (can_be_ordered(&targets[i]) && fits(&targets[i], text) && n < 8)
			name_one(&targets[i], n++, why, size);
	size_t length = strlen(why);
	str_copy(why + length, size - length, ": say which, by its component's name");
}

static bool holds(const struct target *target, const char *text)
{
	return strcasestr(target->label, text) != NULL || strcasestr(target->name, text) != NULL;
}

/* Nothing fits: what is nearly it, or holds it. */
static void name_nearest(
	const struct target *targets, int count, const char *text, char *why, size_t size)
{
	const char *names[NAMES_MAX + 1];
	int n = 0, held = 0;
	for (int i = 0; i < count; i++) {
		if (!can_be_ordered(&targets[i]))
			continue;
		held += holds(&targets[i], text) ? 1 : 0;
		if (n + 2 <= NAMES_MAX) {
			names[n++] = targets[i].label;
			names[n++] = targets[i].name;
		}
	}
	names[n] = NULL;
	const char *nearest = str_nearest(text, names);
	if (nearest != NULL)
		str_format(why, size, "there is no guest or container \"%.60s\": did you mean \"%.128s\"?",
			text, nearest);
	else if (held > 0 && text[0] != '\0')
		name_candidates(targets, count, text, holds, why, size);
	else
		str_format(why, size,
			"there is no guest or container \"%.60s\": `homeostat components` lists what is "
			"watched",
			text);
}

int target_find(const struct target *targets, int count, const char *text, char *why, size_t size)
{
	static bool (*const ways[])(const struct target *, const char *) = {
		is_name, is_label, is_label_in_another_case};
	for (size_t way = 0; text[0] != '\0' && way < sizeof(ways) / sizeof(ways[0]); way++) {
		int found = -1, several = 0;
		for (int i = 0; i < count; i++) {
			if (!can_be_ordered(&targets[i]) || !ways[way](&targets[i], text))
				continue;
			several += found >= 0 ? 1 : 0;
			found = i;
		}
		if (several > 0) {
			name_candidates(targets, count, text, ways[way], why, size);
			return -1;
		}
		if (found >= 0)
			return found;
	}
	name_nearest(targets, count, text, why, size);
	return -1;
}
