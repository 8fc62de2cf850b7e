/*
 * Text as a terminal shows it: cleaned of what would steer the terminal, measured in columns, laid
 * out in tables. Names and messages come from outside and are never trusted.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"

/* Copies a text as one line: control characters, line ends and marks that turn the direction of
 * writing become spaces, invalid UTF-8 becomes U+FFFD. Cut between characters. */
void text_clean(char *field, size_t size, const char *text);
/* The same in an arena; with line ends and tabs kept when lines is set. */
char *text_cleaned(struct arena *arena, const char *text, bool lines);
/* Columns on a terminal of a cleaned text. */
int text_width(const char *text);
/* Prints cleaned text broken at spaces, each line after the first indented. */
void text_wrap(FILE *out, const char *text, int indent, int columns);

/* A table of texts, aligned when printed. The last column is never padded. */
struct table;
struct table *table_new(struct arena *arena, int columns);
/* Cells left to right; each is cleaned and copied, NULL is "". */
void table_add(struct table *table, const char *cell);
/* The same, shown in a colour (an escape sequence, or ""). */
void table_add_in(struct table *table, const char *cell, const char *colour);
int table_rows(const struct table *table);
/* heads: NULL or a text per column, printed above in bold. */
void table_print(const struct table *table, const char *const *heads, bool colour, FILE *out);

/* "3 minutes ago", "just now". */
void text_ago(char field[48], int64_t at_ms, int64_t now_ms);

#endif
