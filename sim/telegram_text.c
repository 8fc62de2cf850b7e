/*
 * Texts as the real server reads them: UTF-8, HTML with its few tags, and lengths. Errors have the
 * real one's words. Source: the documentation of parse_mode, and the server's behaviour.
 */
#include "sim/telegram_world.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NESTED_MAX 256

bool tg_problem(struct tg_problem *problem, int status, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(problem->words, sizeof(problem->words), fmt, args);
	va_end(args);
	problem->status = status;
	return false;
}

/* Bytes of the character at text, 0 when it is none. */
static int character(const unsigned char *text, size_t left, unsigned *point)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	int bytes = text[0] < 0x80 ? 1
		: text[0] < 0xc2       ? 0
		: text[0] < 0xe0       ? 2
		: text[0] < 0xf0       ? 3
		: text[0] < 0xf5       ? 4
							   : 0;
	if (bytes == 0 || (size_t)bytes > left)
		return 0;
	*point = bytes == 1 ? text[0] : text[0] & (0xffu >> (bytes + 1));
	for (int i = 1; i < bytes; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (text[i] & 0x3fu);
	}
	bool is_half = *point >= 0xd800 && *point <= 0xdfff;
	return *point < least[bytes] || *point > 0x10ffff || is_half ? 0 : bytes;
}

bool tg_is_utf8(const char *text, size_t length)
{
	const unsigned char *at = (const unsigned char *)text;
	unsigned point;
	while (length > 0) {
		int bytes = character(at, length, &point);
		if (bytes == 0)
			return false;
		at += bytes;
		length -= (size_t)bytes;
	}
	return true;
}

void tg_measure(const char *text, int *points, int *units)
{
	*points = *units = 0;
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		*points += (c & 0xc0) != 0x80;
		*units += ((c & 0xc0) != 0x80) + (c >= 0xf0);
	}
}

void tg_add_point(struct str *str, unsigned point)
{
	if (point < 0x80) {
		str_addc(str, (char)point);
		return;
	}
	int tail = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
	unsigned lead = tail == 1 ? 0xc0 : tail == 2 ? 0xe0 : 0xf0;
	str_addc(str, (char)(lead | point >> (6 * tail)));
	while (tail-- > 0)
		str_addc(str, (char)(0x80 | (point >> (6 * tail) & 0x3f)));
}

static unsigned numeric(const char *text, const char **end)
{
	bool is_hex = text[2] == 'x';
	const char *digits = text + (is_hex ? 3 : 2);
	size_t n = strspn(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789");
	*end = digits + n;
	/* the server reads at most ten bytes of it */
	if (n == 0 || *end - text >= 10)
		return 0;
	unsigned long point = strtoul(digits, NULL, is_hex ? 16 : 10);
	return point >= 0x10ffff ? 0 : (unsigned)point;
}

unsigned tg_reference(const char **at)
{
	static const struct {
		const char *name;
		unsigned point;
	} names[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}};
	const char *text = *at, *end = text + 1;
	unsigned point = 0;
	if (text[1] == '#') {
		point = numeric(text, &end);
	} else {
		while (isalpha((unsigned char)*end))
			end++;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strlen(names[i].name) == (size_t)(end - text - 1) &&
				strncmp(names[i].name, text + 1, (size_t)(end - text - 1)) == 0)
				point = names[i].point;
	}
	if (point != 0)
		*at = end + (*end == ';');
	return point;
}

/* A tag that is open: its name, what its attribute says, and where it began. */
struct open_tag {
	char name[16];
	const char *argument;
	int units;
};

struct parse {
	const char *html, *at;
	struct arena *arena;
	struct str visible, entities;
	int units;
	bool has_half; /* half a surrogate pair, by a numeric reference */
	struct open_tag open[NESTED_MAX];
	int depth;
	struct tg_problem *problem;
};

static bool fail(struct parse *parse, const char *what, const char *begin)
{
	return tg_problem(parse->problem, 400,
		"Bad Request: can't parse entities: %s at byte offset %d", what,
		(int)(begin - parse->html));
}

static bool fail_tag(struct parse *parse, const char *what, const char *tag, const char *begin)
{
	char text[200];
	STR_FORMAT(text, "%s \"%s\"", what, tag);
	return fail(parse, text, begin);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\0';
}

static void skip_blanks(struct parse *parse)
{
	while (*parse->at != '\0' && is_blank(*parse->at))
		parse->at++;
}

static bool is_tag(const char *name)
{
	static const char *const tags[] = {"a", "b", "strong", "i", "em", "s", "strike", "del", "u",
		"ins", "tg-spoiler", "tg-emoji", "tg-time", "span", "pre", "code", "blockquote"};
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (strcmp(tags[i], name) == 0)
			return true;
	return false;
}

/* Up to the next blank or '>', in lower case. */
static void read_name(struct parse *parse, char *name, size_t size)
{
	const char *begin = parse->at;
	while (!is_blank(*parse->at) && *parse->at != '>')
		parse->at++;
	str_format(name, size, "%.*s", (int)(parse->at - begin), begin);
	for (; *name != '\0'; name++)
		*name = (char)tolower((unsigned char)*name);
}

/* The value behind '=': a word, or a text in quotes. NULL: said so. */
static const char *read_value(struct parse *parse, const char *begin)
{
	struct str value;
	str_init(&value, parse->arena);
	const char *from = parse->at;
	char quote = *parse->at;
	if (quote != '\'' && quote != '"') {
		while (isalnum((unsigned char)*parse->at) || *parse->at == '.' || *parse->at == '-')
			str_addc(&value, (char)tolower((unsigned char)*parse->at++));
		if (!is_blank(*parse->at) && *parse->at != '>')
			return fail(parse, "Unexpected end of name token", from), NULL;
	} else {
		for (parse->at++; *parse->at != quote && *parse->at != '\0';) {
			unsigned point = *parse->at == '&' ? tg_reference(&parse->at) : 0;
			if (point != 0)
				tg_add_point(&value, point);
			else
				str_addc(&value, *parse->at++);
		}
		parse->at += *parse->at == quote;
	}
	if (*parse->at == '\0')
		return fail(parse, "Unclosed start tag", begin), NULL;
	return value.s;
}

static void take_attribute(struct open_tag *tag, const char *name, const char *value)
{
	static const struct {
		const char *tag, *name, *prefix;
	} known[] = {{"a", "href", ""}, {"code", "class", "language-"}, {"span", "class", "tg-"},
		{"tg-emoji", "emoji-id", ""}, {"tg-time", "unix", ""}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].tag, tag->name) == 0 && strcmp(known[i].name, name) == 0 &&
			str_starts(value, known[i].prefix))
			tag->argument = value + strlen(known[i].prefix);
	if (strcmp(tag->name, "blockquote") == 0 && strcmp(name, "expandable") == 0)
		tag->argument = "expandable";
}

static bool read_attribute(struct parse *parse, struct open_tag *tag, const char *begin)
{
	char name[64];
	const char *from = parse->at;
	while (!is_blank(*parse->at) && strchr("=>/\"'", *parse->at) == NULL)
		parse->at++;
	STR_FORMAT(name, "%.*s", (int)(parse->at - from), from);
	if (parse->at == from)
		return fail_tag(parse, "Empty attribute name in the tag", tag->name, begin);
	skip_blanks(parse);
	bool has_value = *parse->at == '=';
	if (has_value) {
		parse->at++;
		skip_blanks(parse);
	}
	if (*parse->at == '\0')
		return fail_tag(parse, "Unclosed start tag", tag->name, begin);
	const char *value = has_value ? read_value(parse, begin) : "";
	if (value == NULL)
		return false;
	take_attribute(tag, name, value);
	return true;
}

static bool open_tag(struct parse *parse)
{
	struct open_tag tag = {.argument = "", .units = parse->units};
	const char *begin = parse->at++;
	char name[64];
	read_name(parse, name, sizeof(name));
	if (*parse->at == '\0')
		return fail(parse, "Unclosed start tag", begin);
	if (!is_tag(name))
		return fail_tag(parse, "Unsupported start tag", name, begin);
	STR_SET(tag.name, name);
	while (*parse->at != '>') {
		skip_blanks(parse);
		if (*parse->at != '>' && !read_attribute(parse, &tag, begin))
			return false;
	}
	if (strcmp(name, "span") == 0 && strcmp(tag.argument, "spoiler") != 0)
		return fail(parse, "Tag \"span\" must have class \"tg-spoiler\"", begin);
	if (parse->depth == NESTED_MAX)
		return fail(parse, "Too many nested tags", begin);
	parse->open[parse->depth++] = tag;
	parse->at++;
	return true;
}

static bool close_tag(struct parse *parse)
{
	const char *begin = parse->at;
	char name[64], text[200];
	if (parse->depth == 0)
		return fail(parse, "Unexpected end tag", begin);
	parse->at += 2;
	read_name(parse, name, sizeof(name));
	skip_blanks(parse);
	if (*parse->at != '>')
		return fail(parse, "Unclosed end tag", begin);
	const struct open_tag *tag = &parse->open[parse->depth - 1];
	if (name[0] != '\0' && strcmp(name, tag->name) != 0) {
		STR_FORMAT(text, "Unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"",
			(int)(begin - parse->html), tag->name, name);
		return tg_problem(parse->problem, 400, "Bad Request: can't parse entities: %s", text);
	}
	if (parse->units > tag->units && strcmp(tag->name, "tg-emoji") == 0 &&
		strtoll(tag->argument, NULL, 10) == 0)
		return tg_problem(parse->problem, 400,
			"Bad Request: can't parse entities: Invalid custom emoji identifier specified");
	if (parse->units > tag->units)
		str_addf(&parse->entities, "%s %d %d %s;", tag->name, tag->units, parse->units - tag->units,
			tag->argument);
	parse->depth--;
	parse->at++;
	return true;
}

static void take_character(struct parse *parse)
{
	unsigned point = *parse->at == '&' ? tg_reference(&parse->at) : 0;
	unsigned char c = (unsigned char)*parse->at;
	if (point != 0) {
		parse->units += 1 + (point > 0xffff);
		parse->has_half = parse->has_half || (point >= 0xd800 && point <= 0xdfff);
		tg_add_point(&parse->visible, point);
		return;
	}
	parse->units += ((c & 0xc0) != 0x80) + (c >= 0xf0);
	str_addc(&parse->visible, *parse->at++);
}

bool tg_parse_html(
	const char *html, struct arena *arena, struct tg_text *text, struct tg_problem *problem)
{
	struct parse *parse = ARENA_NEW(arena, struct parse);
	*parse = (struct parse){.html = html, .at = html, .arena = arena, .problem = problem};
	str_init(&parse->visible, arena);
	str_init(&parse->entities, arena);
	while (*parse->at != '\0') {
		if (*parse->at != '<')
			take_character(parse);
		else if (!(parse->at[1] == '/' ? close_tag(parse) : open_tag(parse)))
			return false;
	}
	if (parse->depth > 0)
		return tg_problem(problem, 400,
			"Bad Request: can't parse entities: Can't find end tag corresponding to start tag "
			"\"%s\"",
			parse->open[parse->depth - 1].name);
	if (parse->has_half && !tg_is_utf8(parse->visible.s, parse->visible.len))
		return tg_problem(problem, 400,
			"Bad Request: can't parse entities: Text contains invalid Unicode characters after "
			"decoding HTML entities, check for unmatched surrogate code units");
	*text = (struct tg_text){.visible = parse->visible.s, .entities = parse->entities.s};
	tg_measure(text->visible, &text->points, &text->units);
	return true;
}
