#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Chunks double from the first size, so that a mail of a few hundred bytes costs one small malloc
 * and a large reply few. */
#define FIRST_CHUNK 1024
#define LARGEST_CHUNK (256 * 1024)

struct chunk {
	struct chunk *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct chunk *chunks; /* newest first */
	size_t limit, used, next_size;
};

static void *must(void *memory)
{
	if (memory == NULL) {
		fputs("homeostat: out of memory\n", stderr);
		abort();
	}
	return memory;
}

struct arena *arena_new(size_t limit_bytes)
{
	struct arena *arena = must(calloc(1, sizeof(*arena)));
	arena->limit = limit_bytes;
	arena->next_size = FIRST_CHUNK;
	return arena;
}

void arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	for (struct chunk *chunk = arena->chunks; chunk != NULL;) {
		struct chunk *next = chunk->next;
		free(chunk);
		chunk = next;
	}
	free(arena);
}

void arena_free_at(struct arena **arena)
{
	arena_free(*arena);
	*arena = NULL;
}

static size_t round_up(size_t bytes)
{
	size_t step = alignof(max_align_t);
	return (bytes + step - 1) / step * step;
}

static struct chunk *chunk_add(struct arena *arena, size_t bytes)
{
	size_t size = bytes > arena->next_size ? bytes : arena->next_size;
	struct chunk *chunk = must(malloc(sizeof(*chunk) + size));
	chunk->size = size;
	chunk->used = 0;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	if (arena->next_size < LARGEST_CHUNK)
		arena->next_size *= 2;
	return chunk;
}

void *arena_try(struct arena *arena, size_t bytes)
{
	if (bytes > arena->limit)
		return NULL;
	bytes = round_up(bytes > 0 ? bytes : 1);
	if (bytes > arena->limit - arena->used)
		return NULL;
	struct chunk *chunk = arena->chunks;
	if (chunk == NULL || chunk->size - chunk->used < bytes)
		chunk = chunk_add(arena, bytes);
	void *memory = chunk->bytes + chunk->used;
	chunk->used += bytes;
	arena->used += bytes;
	memset(memory, 0, bytes);
	return memory;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	void *memory = arena_try(arena, bytes);
	if (memory == NULL) {
		fprintf(stderr, "homeostat: bug: an arena of %zu bytes is too small\n", arena->limit);
		abort();
	}
	return memory;
}

void *arena_grow(struct arena *arena, void *old, size_t old_bytes, size_t new_bytes)
{
	struct chunk *chunk = arena->chunks;
	size_t had = round_up(old_bytes > 0 ? old_bytes : 1);
	if (new_bytes > arena->limit)
		return NULL;
	size_t want = round_up(new_bytes);
	if (old != NULL && chunk != NULL && want > had &&
		(unsigned char *)old + had == chunk->bytes + chunk->used &&
		chunk->size - chunk->used >= want - had && arena->limit - arena->used >= want - had) {
		memset(chunk->bytes + chunk->used, 0, want - had);
		chunk->used += want - had;
		arena->used += want - had;
		return old;
	}
	void *memory = arena_try(arena, new_bytes);
	if (memory != NULL && old != NULL)
		memcpy(memory, old, old_bytes < new_bytes ? old_bytes : new_bytes);
	return memory;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	if (text == NULL)
		return NULL;
	char *copy = arena_alloc(arena, length + 1);
	memcpy(copy, text, length);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text == NULL ? NULL : arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args, again;
	va_start(args, fmt);
	va_copy(again, args);
	char probe[1];
	int length = vsnprintf(probe, sizeof(probe), fmt, args);
	va_end(args);
	char *text = arena_alloc(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, fmt, again);
	va_end(again);
	return text;
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}
