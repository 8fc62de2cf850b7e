/*
 * The roster: every component that a source lists, as small as can be. Found by name.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "heal/internal.h"

static unsigned hash(const char *name)
{
	unsigned h = 2166136261u;
	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h;
}

static void index_one(struct heal *heal, int i)
{
	unsigned slot = hash(heal->members[i].name) % (unsigned)heal->member_slots;
	while (heal->member_index[slot] >= 0)
		slot = (slot + 1) % (unsigned)heal->member_slots;
	heal->member_index[slot] = i;
}

static void index_all(struct heal *heal)
{
	if (heal->member_slots < 2 * heal->member_capacity) {
		heal->member_slots = 2 * heal->member_capacity;
		heal->member_index = realloc(heal->member_index, (size_t)heal->member_slots * sizeof(int));
		if (heal->member_index == NULL)
			abort();
	}
	for (int i = 0; i < heal->member_slots; i++)
		heal->member_index[i] = -1;
	for (int i = 0; i < heal->member_count; i++)
		index_one(heal, i);
}

struct member *member_find(struct heal *heal, const char *name)
{
	if (heal->member_slots == 0)
		return NULL;
	unsigned slot = hash(name) % (unsigned)heal->member_slots;
	for (; heal->member_index[slot] >= 0; slot = (slot + 1) % (unsigned)heal->member_slots)
		if (strcmp(heal->members[heal->member_index[slot]].name, name) == 0)
			return &heal->members[heal->member_index[slot]];
	return NULL;
}

struct member *member_home(struct heal *heal, const char *home)
{
	static const char *const kinds[] = {"lxc", "qemu"};
	const char *rest = strchr(home, '_');
	char name[NAME_MAX_BYTES];
	struct member *found = NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rest != NULL && found == NULL; i++) {
		STR_FORMAT(name, "%s%s", kinds[i], rest);
		found = member_find(heal, name);
	}
	return found;
}

static char *keep(const char *text)
{
	char *copy = strdup(text);
	if (copy == NULL)
		abort();
	return copy;
}

static struct member *member_add(struct heal *heal, const struct component *component)
{
	if (heal->member_count == heal->member_capacity) {
		heal->member_capacity = heal->member_capacity * 2 + 16;
		heal->members = realloc(
			heal->members, (size_t)heal->member_capacity * sizeof(*heal->members));
		if (heal->members == NULL)
			abort();
	}
	struct member *member = &heal->members[heal->member_count++];
	*member = (struct member){
		.name = keep(component->name),
		.label = keep(component->label),
		.native = keep(component->native),
		.parent = keep(component->parent),
	};
	if (heal->member_slots < 2 * heal->member_capacity)
		index_all(heal);
	else
		index_one(heal, heal->member_count - 1);
	return member;
}

static void member_free(struct member *member)
{
	free(member->name);
	free(member->label);
	free(member->native);
	free(member->parent);
}

static void member_drop(struct heal *heal, int i)
{
	member_free(&heal->members[i]);
	heal->members[i] = heal->members[--heal->member_count];
}

/* A guest that moves has another parent; a container that is made anew another id. */
static void renew(char **text, const char *now)
{
	if (strcmp(*text, now) == 0)
		return;
	free(*text);
	*text = keep(now);
}

struct member *member_note(struct heal *heal, const struct observation *seen, int source)
{
	struct member *member = member_find(heal, seen->component.name);
	if (seen->state == OBS_ABSENT) {
		if (member != NULL) {
			member_drop(heal, (int)(member - heal->members));
			index_all(heal);
		}
		return NULL;
	}
	if (member == NULL)
		member = member_add(heal, &seen->component);
	renew(&member->native, seen->component.native);
	renew(&member->parent, seen->component.parent);
	STR_SET(member->held, seen->held);
	member->source = source;
	member->kind = seen->component.kind;
	member->state = seen->state;
	member->health = seen->health;
	member->has_risk = seen->component.has_risk;
	member->risk = seen->component.risk;
	member->critical = seen->component.critical;
	member->seen = true;
	return member;
}

void members_drop_unseen(struct heal *heal, int source)
{
	bool dropped = false;
	for (int i = heal->member_count - 1; i >= 0; i--) {
		struct member *member = &heal->members[i];
		bool is_root = strcmp(member->name, heal->sources[source].root.name) == 0;
		if (member->source == source && !member->seen && !is_root) {
			member_drop(heal, i);
			dropped = true;
		}
	}
	if (dropped)
		index_all(heal);
}

void members_free(struct heal *heal)
{
	for (int i = 0; i < heal->member_count; i++)
		member_free(&heal->members[i]);
	free(heal->members);
	free(heal->member_index);
}
