#include "report/telegram/html.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "base/redact.h"
#include "base/utf8.h"

#define FIELD_CHARACTERS 480
/* What is longer than any field of ours is cut before it is looked at. */
#define FIELD_BYTES ((size_t)256 << 10)
/* Redacting may lengthen a text. */
#define REDACT_ROOM 1024
#define WORD_JOINER "\xE2\x81\xA0"
#define ELLIPSIS "…"

void html_init(struct html *html, struct arena *arena)
{
	html->arena = arena;
	str_init(&html->out, arena);
}

static char *cleaned(struct arena *arena, const char *text, bool lines)
{
	struct str out;
	str_init(&out, arena);
	while (*text != '\0' && out.len < FIELD_BYTES) {
		uint32_t c = 0;
		size_t n = utf8_decode(text, &c);
		if (n == 0)
			str_add(&out, UTF8_REPLACEMENT);
		else if (lines && c == '\n')
			str_addc(&out, '\n');
		else if (utf8_steers(c))
			str_addc(&out, ' ');
		else
			str_addn(&out, text, n);
		text += n == 0 ? 1 : n;
	}
	size_t room = out.len + REDACT_ROOM;
	char *field = arena_try(arena, room);
	if (field == NULL)
		return out.s;
	str_copy(field, room, out.s);
	redact(field, room);
	return field;
}

/* The length of the first limit characters of clean text; *cut: there are more. */
static size_t length_within(const char *text, int limit, bool *cut)
{
	size_t length = 0;
	for (int n = 0; text[length] != '\0' && n < limit; n++) {
		uint32_t c;
		size_t bytes = utf8_decode(text + length, &c);
		length += bytes == 0 ? 1 : bytes;
	}
	*cut = text[length] != '\0';
	return length;
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Whether Telegram would make a command or a mention of what begins at text, that a reader taps:
 * "/stop_vm" in a log line must not become a button. A path of several parts is none. */
static bool is_tappable(char before, const char *text)
{
	if ((*text != '/' && *text != '@') || is_word(before) || !is_word(text[1]))
		return false;
	if (*text == '/' && before == '/')
		return false;
	const char *end = text + 1;
	while (is_word(*end))
		end++;
	return *text == '@' || *end != '/';
}

static void escape(struct str *out, char c)
{
	switch (c) {
	case '&':
		str_add(out, "&amp;");
		break;
	case '<':
		str_add(out, "&lt;");
		break;
	case '>':
		str_add(out, "&gt;");
		break;
	case '"':
		str_add(out, "&quot;");
		break;
	default:
		str_addc(out, c);
	}
}

/* Text from outside is escaped, so the last '<' is ours. */
static bool is_verbatim(const struct str *out)
{
	const char *tag = strrchr(out->s, '<');
	return tag != NULL && (str_starts(tag, "<code>") || str_starts(tag, "<pre>"));
}

static void add_outside(struct html *html, const char *text, int limit, bool lines)
{
	bool cut, verbatim = is_verbatim(&html->out);
	const char *clean = cleaned(html->arena, text != NULL ? text : "", lines);
	size_t length = length_within(clean, limit, &cut);
	for (size_t i = 0; i < length; i++) {
		escape(&html->out, clean[i]);
		if (!verbatim && is_tappable(i > 0 ? clean[i - 1] : ' ', clean + i))
			str_add(&html->out, WORD_JOINER);
	}
	if (cut)
		str_add(&html->out, ELLIPSIS);
}

void html_lines(struct html *html, const char *text, int limit)
{
	add_outside(html, text, limit, true);
}

void html_label(char *field, size_t size, const char *text, int limit)
{
	auto_arena arena = arena_new(FIELD_BYTES * 8);
	bool cut;
	const char *clean = cleaned(arena, text != NULL ? text : "", false);
	size_t length = length_within(clean, limit, &cut);
	str_format(field, size, "%.*s%s", (int)length, clean, cut ? ELLIPSIS : "");
}

/* Adds what the specification at spec, behind its '%', stands for; gives its end. */
static const char *add_argument(struct html *html, const char *spec, va_list *args)
{
	int precision = -1;
	if (*spec == '.')
		for (precision = 0, spec++; *spec >= '0' && *spec <= '9'; spec++)
			precision = precision * 10 + (*spec - '0');
	if (str_starts(spec, "lld")) {
		str_addf(&html->out, "%lld", va_arg(*args, long long));
		return spec + 3;
	}
	switch (*spec) {
	case 's':
		add_outside(
			html, va_arg(*args, const char *), precision < 0 ? FIELD_CHARACTERS : precision, false);
		break;
	case 'd':
		str_addf(&html->out, "%d", va_arg(*args, int));
		break;
	case 'f':
		str_addf(&html->out, "%.*f", precision < 0 ? 6 : precision, va_arg(*args, double));
		break;
	default:
		assert(*spec == '%');
		str_addc(&html->out, '%');
	}
	return spec + 1;
}

void html_addf(struct html *html, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	while (*fmt != '\0') {
		size_t plain = strcspn(fmt, "%");
		str_addn(&html->out, fmt, plain);
		fmt += plain;
		if (*fmt == '%')
			fmt = add_argument(html, fmt + 1, &args);
	}
	va_end(args);
}
