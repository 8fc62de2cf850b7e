#include "watch/docker_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Ids are random hexadecimal digits: their first bytes are hash enough, but a hostile engine may
 * send others. */
static unsigned hash(const char *id)
{
	unsigned h = 2166136261u;
	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * 16777619u;
	return h;
}

static void put(struct memory *memory, int i)
{
	unsigned slot = hash(memory->memos[i].id) % (unsigned)memory->slot_count;
	while (memory->slots[slot] >= 0)
		slot = (slot + 1) % (unsigned)memory->slot_count;
	memory->slots[slot] = i;
}

static void put_all(struct memory *memory)
{
	for (int i = 0; i < memory->slot_count; i++)
		memory->slots[i] = -1;
	for (int i = 0; i < memory->count; i++)
		put(memory, i);
}

struct memo *memory_find(const struct memory *memory, const char *id)
{
	if (memory->slot_count == 0)
		return NULL;
	unsigned slot = hash(id) % (unsigned)memory->slot_count;
	for (; memory->slots[slot] >= 0; slot = (slot + 1) % (unsigned)memory->slot_count)
		if (strcmp(memory->memos[memory->slots[slot]].id, id) == 0)
			return &memory->memos[memory->slots[slot]];
	return NULL;
}

static void grow(struct memory *memory)
{
	memory->capacity += memory->capacity / 4 + 16;
	memory->slot_count = memory->capacity * 2;
	memory->memos = realloc(memory->memos, (size_t)memory->capacity * sizeof(*memory->memos));
	memory->slots = realloc(memory->slots, (size_t)memory->slot_count * sizeof(int));
	if (memory->memos == NULL || memory->slots == NULL)
		abort();
	put_all(memory);
}

struct memo *memory_get(struct memory *memory, const char *id)
{
	struct memo *memo = memory_find(memory, id);
	if (memo != NULL)
		return memo;
	if (memory->count == memory->capacity)
		grow(memory);
	memo = &memory->memos[memory->count++];
	*memo = (struct memo){0};
	STR_SET(memo->id, id);
	put(memory, memory->count - 1);
	return memo;
}

void memory_drop(struct memory *memory, const char *id)
{
	struct memo *memo = memory_find(memory, id);
	if (memo == NULL)
		return;
	*memo = memory->memos[--memory->count];
	put_all(memory);
}

void memory_free(struct memory *memory)
{
	free(memory->memos);
	free(memory->slots);
	*memory = (struct memory){0};
}
