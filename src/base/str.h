/*
 * Text: a growing buffer in an arena, bounded copies into fixed fields, times and durations as
 * people read them. UTF-8 is never cut in the middle of a character.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* A text that grows in an arena; always ended by NUL. full: the arena's limit was met, and what did
 * not fit is missing. Initialise with str_init. */
struct str {
	char *s;
	size_t len, cap;
	struct arena *arena;
	bool full;
};

void str_init(struct str *str, struct arena *arena);
void str_add(struct str *str, const char *text);
void str_addn(struct str *str, const char *text, size_t length);
void str_addc(struct str *str, char c);
void str_addf(struct str *str, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Copies text into a field of size bytes, cut between characters if need be. Returns false when it
 * was cut. NULL counts as "". */
bool str_copy(char *field, size_t size, const char *text);
/* As snprintf, but cut between characters. */
bool str_format(char *field, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* str_copy for an array field. */
#define STR_SET(field, text) str_copy((field), sizeof(field), (text))
#define STR_FORMAT(field, ...) str_format((field), sizeof(field), __VA_ARGS__)

bool str_equal(const char *a, const char *b);      /* NULL equals NULL only */
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
/* Shell-like pattern with * and ?, nothing else; whole text. */
bool str_match(const char *pattern, const char *text);
/* Edit distance with transpositions (Damerau, restricted), at most limit + 1. */
int str_distance(const char *a, const char *b, int limit);
/* The candidate nearest to text within a third of its length, or NULL. NULL ends candidates. */
const char *str_nearest(const char *text, const char *const *candidates);

/* "2025-10-24 16:30:15 UTC" from wall milliseconds. */
void str_utc(char field[24], int64_t wall_ms);
/* "16:30:15" in local time. */
void str_clock(char field[12], int64_t wall_ms);
/* RFC 3339 with milliseconds, "2025-10-24T16:30:15.123Z". */
void str_rfc3339(char field[32], int64_t wall_ms);
/* Parses RFC 3339 with any fraction and zone; -1 when it is not one or is Docker's year 1. */
int64_t str_parse_rfc3339(const char *text);
/* "2 minutes", "1 second", "3 hours": the largest unit. */
void str_duration(char field[32], int64_t ms);
/* "60s", "10m", "2h", "1d", "500ms", plain number = seconds → milliseconds; -1: not a duration. */
int64_t str_parse_duration(const char *text);

#endif
