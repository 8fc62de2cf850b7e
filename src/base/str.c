#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void str_init(struct str *str, struct arena *arena)
{
	*str = (struct str){.arena = arena, .cap = 64};
	str->s = arena_try(arena, str->cap);
	if (str->s == NULL) {
		static char nothing[1];
		str->s = nothing;
		str->cap = 1;
		str->full = true;
	}
}

static bool reserve(struct str *str, size_t more)
{
	if (str->full)
		return false;
	if (str->cap - str->len > more)
		return true;
	size_t cap = str->cap * 2 > str->len + more + 1 ? str->cap * 2 : str->len + more + 1;
	char *grown = arena_grow(str->arena, str->s, str->cap, cap);
	if (grown == NULL) {
		str->full = true;
		return false;
	}
	str->s = grown;
	str->cap = cap;
	return true;
}

void str_addn(struct str *str, const char *text, size_t length)
{
	if (!reserve(str, length))
		return;
	memcpy(str->s + str->len, text, length);
	str->len += length;
	str->s[str->len] = '\0';
}

void str_add(struct str *str, const char *text)
{
	str_addn(str, text, strlen(text));
}

void str_addc(struct str *str, char c)
{
	str_addn(str, &c, 1);
}

void str_addf(struct str *str, const char *fmt, ...)
{
	va_list args, again;
	va_start(args, fmt);
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (length > 0 && reserve(str, (size_t)length)) {
		vsnprintf(str->s + str->len, (size_t)length + 1, fmt, again);
		str->len += (size_t)length;
	}
	va_end(again);
}

/* A byte that goes on a character of UTF-8 begun before it. */
static bool goes_on(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

bool str_copy(char *field, size_t size, const char *text)
{
	if (text == NULL)
		text = "";
	size_t whole = strlen(text), length = whole;
	if (length >= size)
		for (length = size - 1; length > 0 && length < whole && goes_on(text[length]);)
			length--;
	memmove(field, text, length);
	field[length] = '\0';
	return length == whole;
}

bool str_format(char *field, size_t size, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int length = vsnprintf(field, size, fmt, args);
	va_end(args);
	if (length >= 0 && (size_t)length < size)
		return true;
	/* vsnprintf cut anywhere: drop a character whose end is missing */
	size_t end = size - 1;
	while (end > 0 && goes_on(field[end - 1]))
		end--;
	unsigned char lead = end > 0 ? (unsigned char)field[end - 1] : 0;
	size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
	if (end > 0 && end - 1 + need > size - 1)
		field[end - 1] = '\0';
	return false;
}

bool str_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);
	return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

bool str_match(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;
	while (*text != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			resume = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

#define DISTANCE_MAX 64

static int least(int a, int b)
{
	return a < b ? a : b;
}

int str_distance(const char *a, const char *b, int limit)
{
	size_t n = strlen(a), m = strlen(b);
	if (n > DISTANCE_MAX || m > DISTANCE_MAX)
		return strcmp(a, b) == 0 ? 0 : limit + 1;
	int rows[3][DISTANCE_MAX + 1];
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (int)j;
	int *before = rows[2], *last = rows[0], *row = rows[1];
	for (size_t i = 1; i <= n; i++) {
		row[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		int *oldest = before;
		before = last;
		last = row;
		row = oldest;
	}
	return least(last[m], limit + 1);
}

const char *str_nearest(const char *text, const char *const *candidates)
{
	const char *nearest = NULL;
	int allowed = (int)strlen(text) / 3 > 1 ? (int)strlen(text) / 3 : 1;
	int best = allowed + 1;
	for (; *candidates != NULL; candidates++) {
		int distance = str_distance(text, *candidates, allowed);
		if (distance < best) {
			best = distance;
			nearest = *candidates;
		}
	}
	return nearest;
}
