/*
 * An arena: memory for one message, one request or one cycle, freed in one go, with a hard limit
 * from birth. Bytes from outside are put into it by arena_try, whose NULL is an ordinary error;
 * arena_alloc is for what has a known size, and ends the process when the limit is a bug of ours.
 * An arena belongs to one thread at a time; sending it in a mail gives it away.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* A new arena that will never hold more than limit_bytes. Ends the process when out of memory. */
struct arena *arena_new(size_t limit_bytes);

/* NULL is allowed. */
void arena_free(struct arena *arena);

/* Zeroed memory, aligned for any type; NULL when it would pass the limit. */
void *arena_try(struct arena *arena, size_t bytes);

/* As arena_try, but passing the limit ends the process. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* Grows the newest allocation in place where it can, else moves it. NULL when past the limit. */
void *arena_grow(struct arena *arena, void *old, size_t old_bytes, size_t new_bytes);

/* Copies, ended by NUL. NULL text gives NULL. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), nonnull(2)));

/* Bytes handed out so far. */
size_t arena_used(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_alloc((arena), sizeof(type) * (n)))

void arena_free_at(struct arena **arena);
#define auto_arena __attribute__((cleanup(arena_free_at))) struct arena *

#endif
