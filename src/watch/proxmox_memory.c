#include "watch/proxmox_memory.h"

#include <stdlib.h>
#include <string.h>

static unsigned hash(const char *name)
{
	unsigned h = 2166136261u;
	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h;
}

static void put(struct prox_memory *memory, int i)
{
	unsigned slot = hash(memory->memos[i].name) % (unsigned)memory->slot_count;
	while (memory->slots[slot] >= 0)
		slot = (slot + 1) % (unsigned)memory->slot_count;
	memory->slots[slot] = i;
}

static void put_all(struct prox_memory *memory)
{
	for (int i = 0; i < memory->slot_count; i++)
		memory->slots[i] = -1;
	for (int i = 0; i < memory->count; i++)
		put(memory, i);
}

struct prox_memo *prox_memory_find(const struct prox_memory *memory, const char *name)
{
	if (memory->slot_count == 0)
		return NULL;
	unsigned slot = hash(name) % (unsigned)memory->slot_count;
	for (; memory->slots[slot] >= 0; slot = (slot + 1) % (unsigned)memory->slot_count)
		if (strcmp(memory->memos[memory->slots[slot]].name, name) == 0)
			return &memory->memos[memory->slots[slot]];
	return NULL;
}

static void grow(struct prox_memory *memory)
{
	memory->capacity += memory->capacity / 2 + 16;
	memory->slot_count = memory->capacity * 2;
	memory->memos = realloc(memory->memos, (size_t)memory->capacity * sizeof(*memory->memos));
	memory->slots = realloc(memory->slots, (size_t)memory->slot_count * sizeof(int));
	if (memory->memos == NULL || memory->slots == NULL)
		abort();
	put_all(memory);
}

struct prox_memo *prox_memory_get(struct prox_memory *memory, const char *name)
{
	struct prox_memo *memo = prox_memory_find(memory, name);
	if (memo != NULL)
		return memo;
	if (memory->count == memory->capacity)
		grow(memory);
	memo = &memory->memos[memory->count++];
	*memo = (struct prox_memo){.name = strdup(name)};
	if (memo->name == NULL)
		abort();
	put(memory, memory->count - 1);
	return memo;
}

static void free_memo(struct prox_memo *memo)
{
	free(memo->name);
	free(memo->label);
	free(memo->native);
	free(memo->parent);
	if (memo->guest != NULL)
		free(memo->guest->stop);
	free(memo->guest);
}

void prox_memory_sweep(struct prox_memory *memory)
{
	int kept = 0;
	for (int i = 0; i < memory->count; i++) {
		if (memory->memos[i].gone)
			free_memo(&memory->memos[i]);
		else
			memory->memos[kept++] = memory->memos[i];
	}
	if (kept == memory->count)
		return;
	memory->count = kept;
	put_all(memory);
}

void prox_memory_forget_told(struct prox_memory *memory)
{
	for (int i = 0; i < memory->count; i++) {
		memset(memory->memos[i].told, 0, sizeof(memory->memos[i].told));
		memory->memos[i].hot = 0;
	}
}

void prox_memory_free(struct prox_memory *memory)
{
	for (int i = 0; i < memory->count; i++)
		free_memo(&memory->memos[i]);
	free(memory->memos);
	free(memory->slots);
	*memory = (struct prox_memory){0};
}
