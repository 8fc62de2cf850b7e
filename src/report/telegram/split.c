/*
 * Reading our own HTML again: how long it shows, what it says without markup, and where it may be
 * cut.
 */
#include <string.h>

#include "base/utf8.h"
#include "report/telegram/html.h"

#define DEPTH_MAX 8

static const char *const tags[] = {"b", "i", "u", "s", "code", "pre", "blockquote"};
#define TAGS ((int)(sizeof(tags) / sizeof(tags[0])))
#define CLOSER_BYTES (sizeof("</blockquote>") - 1)

enum token_kind { TOKEN_CHARACTER, TOKEN_OPEN, TOKEN_CLOSE };
struct token {
	enum token_kind kind;
	size_t bytes; /* in the text that was read */
	int tag;
	char utf8[8]; /* TOKEN_CHARACTER: itself, not escaped */
	uint32_t character;
};

static bool read_tag(const char *text, struct token *token)
{
	bool closes = text[1] == '/';
	const char *name = text + 1 + closes;
	for (int i = 0; i < TAGS; i++) {
		size_t length = strlen(tags[i]);
		if (strncmp(name, tags[i], length) != 0 || name[length] != '>')
			continue;
		*token = (struct token){.kind = closes ? TOKEN_CLOSE : TOKEN_OPEN, .tag = i};
		token->bytes = (size_t)(name - text) + length + 1;
		return true;
	}
	return false;
}

static bool read_entity(const char *text, struct token *token)
{
	static const struct {
		const char *name;
		char character;
	} entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}};
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		if (!str_starts(text, entities[i].name))
			continue;
		*token = (struct token){.bytes = strlen(entities[i].name)};
		token->utf8[0] = entities[i].character;
		token->character = (unsigned char)entities[i].character;
		return true;
	}
	return false;
}

/* False at the end. What is neither a tag nor an entity is a character that stands for itself. */
static bool read_token(const char *text, struct token *token)
{
	if (*text == '\0')
		return false;
	if ((*text == '<' && read_tag(text, token)) || (*text == '&' && read_entity(text, token)))
		return true;
	*token = (struct token){.kind = TOKEN_CHARACTER};
	token->bytes = utf8_decode(text, &token->character);
	if (token->bytes == 0) {
		token->bytes = 1;
		token->character = 0xFFFD;
		STR_SET(token->utf8, UTF8_REPLACEMENT);
	} else {
		memcpy(token->utf8, text, token->bytes);
	}
	return true;
}

static size_t units_of(const struct token *token)
{
	return token->character > 0xFFFF ? 2 : 1;
}

size_t html_units(const char *text)
{
	size_t units = 0;
	for (struct token token; read_token(text, &token); text += token.bytes)
		if (token.kind == TOKEN_CHARACTER)
			units += units_of(&token);
	return units;
}

const char *html_plain(const char *text, struct arena *arena)
{
	struct str out;
	str_init(&out, arena);
	for (struct token token; read_token(text, &token); text += token.bytes)
		if (token.kind == TOKEN_CHARACTER)
			str_add(&out, token.utf8);
	return out.s;
}

/* Where a part may end: what has been read and written by then. */
struct mark {
	const char *input; /* NULL: none yet */
	size_t length, units;
	int open[DEPTH_MAX], depth;
	bool blank;
};

struct cutter {
	struct arena *arena;
	struct html_parts *parts;
	int capacity;
	bool full;
	struct str out;
	struct mark now, line, space; /* space: behind any other gap */
};

static void begin_part(struct cutter *cutter)
{
	str_init(&cutter->out, cutter->arena);
	cutter->now.units = 0;
	cutter->now.blank = true;
	cutter->line.input = cutter->space.input = NULL;
	for (int i = 0; i < cutter->now.depth; i++)
		str_addf(&cutter->out, "<%s>", tags[cutter->now.open[i]]);
	cutter->now.length = cutter->out.len;
}

static void add_part(struct cutter *cutter, const char *part)
{
	struct html_parts *parts = cutter->parts;
	if (parts->count == cutter->capacity) {
		size_t old = (size_t)cutter->capacity * sizeof(*parts->part);
		size_t grown = old * 2 + 8 * sizeof(*parts->part);
		const char **list = arena_try(cutter->arena, grown);
		if (list == NULL) {
			cutter->full = true;
			return;
		}
		if (old > 0)
			memcpy(list, parts->part, old);
		parts->part = list;
		cutter->capacity = (int)(grown / sizeof(*parts->part));
	}
	parts->part[parts->count++] = part;
}

/* Closes what is open at the mark and keeps the part, unless it would be blank. */
static void end_part(struct cutter *cutter, const struct mark *at)
{
	cutter->out.len = at->length;
	cutter->out.s[at->length] = '\0';
	for (int i = at->depth; i > 0; i--)
		str_addf(&cutter->out, "</%s>", tags[at->open[i - 1]]);
	if (!at->blank)
		add_part(cutter, cutter->out.s);
	cutter->full = cutter->full || cutter->out.full;
}

/* Whether more fits, with what must be closed behind it. */
static bool fits(const struct cutter *cutter, size_t bytes, size_t units)
{
	size_t closers = CLOSER_BYTES * (size_t)(cutter->now.depth + 1);
	return cutter->now.units + units <= HTML_UNITS_MAX &&
		cutter->out.len + bytes + closers <= HTML_BYTES_MAX;
}

/* Ends the part at the best place before here, and goes on reading from there. */
static const char *cut(struct cutter *cutter)
{
	struct mark at = cutter->line.input != NULL ? cutter->line
		: cutter->space.input != NULL           ? cutter->space
												: cutter->now;
	end_part(cutter, &at);
	cutter->now = at;
	begin_part(cutter);
	return at.input;
}

static bool is_open(const struct mark *mark, int tag)
{
	for (int i = 0; i < mark->depth; i++)
		if (mark->open[i] == tag)
			return true;
	return false;
}

static void put_tag(struct cutter *cutter, const struct token *token)
{
	struct mark *now = &cutter->now;
	bool open = is_open(now, token->tag);
	if (token->kind == TOKEN_OPEN && !open && now->depth < DEPTH_MAX) {
		now->open[now->depth++] = token->tag;
		str_addf(&cutter->out, "<%s>", tags[token->tag]);
	}
	/* What was opened inside is closed with it. */
	for (int closed = -1; token->kind == TOKEN_CLOSE && open && closed != token->tag;) {
		closed = now->open[--now->depth];
		str_addf(&cutter->out, "</%s>", tags[closed]);
	}
}

/* Characters that show nothing: a message of nothing else is refused as empty. */
static bool is_blank(uint32_t c)
{
	static const uint32_t blanks[] = {' ', '\t', '\n', '\r', '\v', '\f', 0x85, 0xA0, 0xAD, 0x34F,
		0x1680, 0x180E, 0x202F, 0x2800, 0x3000, 0x3164, 0xFEFF, 0xFFA0};
	for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++)
		if (c == blanks[i])
			return true;
	return (c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
		(c >= 0x205F && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) || c < 0x20;
}

static void put_character(struct cutter *cutter, const struct token *token, const char *escaped)
{
	str_add(&cutter->out, escaped);
	cutter->now.units += units_of(token);
	cutter->now.blank = cutter->now.blank && is_blank(token->character);
}

static const char *escape(const struct token *token)
{
	switch (token->utf8[0]) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return token->utf8;
	}
}

static void note_place(struct cutter *cutter, const struct token *token, const char *behind)
{
	cutter->now.input = behind;
	cutter->now.length = cutter->out.len;
	if (token->kind == TOKEN_CHARACTER && token->character == '\n')
		cutter->line = cutter->now;
	else if (token->kind == TOKEN_CHARACTER && token->character == ' ')
		cutter->space = cutter->now;
}

bool html_split(const char *text, struct arena *arena, struct html_parts *parts)
{
	struct cutter cutter = {.arena = arena, .parts = parts, .now = {.input = text}};
	struct token token;
	*parts = (struct html_parts){NULL, 0};
	begin_part(&cutter);
	while (!cutter.full && read_token(text, &token)) {
		bool character = token.kind == TOKEN_CHARACTER;
		const char *escaped = character ? escape(&token) : "";
		size_t bytes = character ? strlen(escaped) : 2 * CLOSER_BYTES;
		if (!fits(&cutter, bytes, character ? units_of(&token) : 0)) {
			text = cut(&cutter);
			continue;
		}
		if (character)
			put_character(&cutter, &token, escaped);
		else
			put_tag(&cutter, &token);
		text += token.bytes;
		note_place(&cutter, &token, text);
	}
	end_part(&cutter, &cutter.now);
	return !cutter.full;
}
