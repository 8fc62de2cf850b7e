#include "cli/text.h"

#include <string.h>
#include <wchar.h>

#include "base/str.h"
#include "base/utf8.h"

/* The character at text and its length; UINT32_MAX when it is no UTF-8 (length 1). */
static uint32_t decode(const char *text, size_t *length)
{
	uint32_t c;
	*length = utf8_decode(text, &c);
	if (*length != 0)
		return c;
	*length = 1;
	return UINT32_MAX;
}

static void clean_into(struct str *out, const char *text, bool lines)
{
	for (size_t length; *text != '\0'; text += length) {
		uint32_t c = decode(text, &length);
		if (c == UINT32_MAX)
			str_add(out, UTF8_REPLACEMENT);
		else if (lines && (c == '\n' || c == '\t'))
			str_addc(out, (char)c);
		else if (utf8_steers(c))
			str_addc(out, ' ');
		else
			str_addn(out, text, length);
	}
}

char *text_cleaned(struct arena *arena, const char *text, bool lines)
{
	struct str out;
	str_init(&out, arena);
	clean_into(&out, text != NULL ? text : "", lines);
	return out.s;
}

void text_clean(char *field, size_t size, const char *text)
{
	auto_arena arena = arena_new(strlen(text) * 8 + 4096);
	str_copy(field, size, text_cleaned(arena, text, false));
}

int text_width(const char *text)
{
	int width = 0;
	for (size_t length; *text != '\0'; text += length) {
		uint32_t c = decode(text, &length);
		int columns = c == UINT32_MAX ? 1 : wcwidth((wchar_t)c);
		/* Without a UTF-8 locale wcwidth knows nothing above ASCII. */
		width += columns < 0 ? 1 : columns;
	}
	return width;
}

void text_wrap(FILE *out, const char *text, int indent, int columns)
{
	int at = indent;
	bool first = true;
	while (*text != '\0') {
		char word[512];
		text += strspn(text, " ");
		size_t length = strcspn(text, " ");
		STR_FORMAT(word, "%.*s", (int)length, text);
		text += length;
		int width = text_width(word);
		if (width == 0)
			continue;
		if (!first && at + 1 + width > columns) {
			fprintf(out, "\n%*s", indent, "");
			at = indent;
		} else if (!first) {
			fputc(' ', out);
			at++;
		}
		fputs(word, out);
		at += width;
		first = false;
	}
	fputc('\n', out);
}

struct cell {
	const char *text, *colour;
	int width;
	struct cell *next;
};

struct table {
	struct arena *arena;
	struct cell *cells, **end;
	int columns, count;
};

struct table *table_new(struct arena *arena, int columns)
{
	struct table *table = ARENA_NEW(arena, struct table);
	*table = (struct table){.arena = arena, .columns = columns};
	table->end = &table->cells;
	return table;
}

void table_add_in(struct table *table, const char *text, const char *colour)
{
	struct cell *cell = ARENA_NEW(table->arena, struct cell);
	cell->text = text_cleaned(table->arena, text, false);
	cell->colour = arena_strdup(table->arena, colour);
	cell->width = text_width(cell->text);
	*table->end = cell;
	table->end = &cell->next;
	table->count++;
}

void table_add(struct table *table, const char *text)
{
	table_add_in(table, text, "");
}

int table_rows(const struct table *table)
{
	return table->count / table->columns;
}

#define COLUMNS_MAX 12

static void print_cell(
	const struct table *table, const struct cell *cell, int column, const int *widths, FILE *out)
{
	const char *plain = cell->colour[0] != '\0' ? "\033[0m" : "";
	fprintf(out, "%s%s%s", cell->colour, cell->text, plain);
	if (column == table->columns - 1)
		fputc('\n', out);
	else
		fprintf(out, "%*s", widths[column] - cell->width + 2, "");
}

void table_print(const struct table *table, const char *const *heads, bool colour, FILE *out)
{
	int widths[COLUMNS_MAX] = {0}, column = 0;
	for (int i = 0; heads != NULL && i < table->columns; i++)
		widths[i] = text_width(heads[i]);
	for (const struct cell *cell = table->cells; cell != NULL; cell = cell->next) {
		if (cell->width > widths[column])
			widths[column] = cell->width;
		column = (column + 1) % table->columns;
	}
	for (int i = 0; heads != NULL && i < table->columns; i++) {
		struct cell head = {
			.text = heads[i], .colour = colour ? "\033[1m" : "", .width = text_width(heads[i])};
		print_cell(table, &head, i, widths, out);
	}
	column = 0;
	for (const struct cell *cell = table->cells; cell != NULL; cell = cell->next) {
		print_cell(table, cell, column, widths, out);
		column = (column + 1) % table->columns;
	}
}

void text_ago(char field[48], int64_t at_ms, int64_t now_ms)
{
	char span[32];
	if (at_ms <= 0) {
		str_copy(field, 48, "never");
	} else if (now_ms - at_ms < 1000) {
		str_copy(field, 48, "just now");
	} else {
		str_duration(span, now_ms - at_ms);
		str_format(field, 48, "%s ago", span);
	}
}
