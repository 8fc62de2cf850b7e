/*
 * What the tests of Telegram's texts share: a parser of the Bot API's HTML that forgives nothing,
 * written apart from the product's, and hostile text.
 */
#ifndef UNIT_TELEGRAM_STRICT_H
#define UNIT_TELEGRAM_STRICT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STRICT_DEPTH 16

struct strict {
	char *text; /* visible; the caller frees it */
	size_t length, units;
	const char *wrong; /* NULL: it parses */
};

/* The length of the UTF-8 character at s; 0: it is none. By the table 3-7 of the Unicode standard.
 */
static inline size_t strict_character(const unsigned char *s)
{
	static const unsigned char rows[][5] = {/* first byte from, to; second from, to; length */
		{0x01, 0x7F, 0, 0, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
		{0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
		{0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const unsigned char *row = rows[i];
		if (s[0] < row[0] || s[0] > row[1])
			continue;
		if (row[4] > 1 && (s[1] < row[2] || s[1] > row[3]))
			return 0;
		for (size_t k = 2; k < row[4]; k++)
			if ((s[k] & 0xC0) != 0x80)
				return 0;
		return row[4];
	}
	return 0;
}

/* Reads a tag; false: it is not allowed here. */
static inline bool strict_tag(const char **text, const char *open[STRICT_DEPTH], int *depth)
{
	static const char *const names[] = {"b", "i", "u", "s", "code", "pre", "blockquote"};
	const char *at = *text + 1;
	bool closes = *at == '/';
	at += closes;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);
		if (strncmp(at, names[i], n) != 0 || at[n] != '>')
			continue;
		if (closes && (*depth == 0 || open[*depth - 1] != names[i]))
			return false;
		if (!closes && *depth == STRICT_DEPTH)
			return false;
		if (closes)
			(*depth)--;
		else
			open[(*depth)++] = names[i];
		*text = at + n + 1;
		return true;
	}
	return false;
}

static inline char strict_entity(const char **text)
{
	static const char *const names[] = {"&lt;", "&gt;", "&amp;", "&quot;"};
	for (size_t i = 0; i < 4; i++)
		if (strncmp(*text, names[i], strlen(names[i])) == 0) {
			*text += strlen(names[i]);
			return "<>&\""[i];
		}
	return '\0';
}

static inline struct strict strict_parse(const char *text)
{
	struct strict strict = {.text = calloc(1, strlen(text) + 1)};
	const char *open[STRICT_DEPTH];
	int depth = 0;
	while (*text != '\0' && strict.wrong == NULL) {
		if (*text == '<') {
			if (!strict_tag(&text, open, &depth))
				strict.wrong = "a tag that is unknown or does not match";
		} else if (*text == '&') {
			char c = strict_entity(&text);
			strict.text[strict.length++] = c;
			strict.units++;
			if (c == '\0')
				strict.wrong = "an unknown entity";
		} else {
			size_t n = strict_character((const unsigned char *)text);
			if (n == 0 || *text == '>')
				strict.wrong = n == 0 ? "no UTF-8" : "a bare >";
			memcpy(strict.text + strict.length, text, n);
			strict.length += n;
			strict.units += n == 4 ? 2 : 1;
			text += n;
		}
	}
	if (strict.wrong == NULL && depth > 0)
		strict.wrong = "a tag that is not closed";
	return strict;
}

static inline uint32_t strict_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Hostile text of pieces that break parsers, cutters and terminals; the caller frees it. */
static inline char *strict_hostile(uint32_t seed)
{
	static const char *const pieces[] = {"<b>", "</b>", "<pre>", "</pre>", "<code>", "</i>",
		"<script>", "<", ">", "&", "&lt;", "&amp", "&#60;", "&quot;", "\"", "\n", "\n\n\n", " ",
		"\t", "\r\n", "\xF0\x9F\x94\xA5", "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9",
		"e\xCC\x81", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
		"\xE6\x97\xA5\xE6\x9C\xAC", "\xC3", "\xFF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC0\xBC",
		"\x1B[31m", "\x01", "\x7F", "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\x8B", "word", "/stop_vm",
		" /disable_autohealing", "@someone", "(/tmp)", "/bin/sh", "a/b", "%s%n", "<b", "</",
		"<a href=\"x\">"};
	uint32_t state = seed * 2654435761U + 1;
	size_t count = sizeof(pieces) / sizeof(pieces[0]), length = 0;
	size_t want = strict_random(&state) % 1000 == 0 ? 65536
		: strict_random(&state) % 30 == 0           ? 9000
													: 300;
	/* Some are one endless line, some one endless run of the same. */
	bool one_line = strict_random(&state) % 3 == 0, one_piece = strict_random(&state) % 8 == 0;
	const char *same = pieces[strict_random(&state) % count];
	char *text = calloc(1, want + 64);
	while (length < want) {
		const char *piece = one_piece ? same : pieces[strict_random(&state) % count];
		if (one_line && strchr(piece, '\n') != NULL)
			piece = "x";
		size_t n = strlen(piece);
		memcpy(text + length, piece, n);
		length += n;
	}
	return text;
}

#endif
