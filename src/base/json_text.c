#include "base/json_text.h"

#include <stdint.h>
#include <string.h>

#define REPLACEMENT 0xFFFD

static unsigned hex4(const char *digits)
{
	unsigned value = 0;
	for (int i = 0; i < 4; i++) {
		char c = digits[i];
		unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
		value = value * 16 + digit;
	}
	return value;
}

/* \uXXXX, or a pair of them; raw begins with the backslash. */
static uint32_t unicode_escape(const char *raw, size_t length, size_t *used)
{
	uint32_t high = hex4(raw + 2);
	*used = 6;
	if (high == 0 || (high >= 0xDC00 && high <= 0xDFFF))
		return REPLACEMENT;
	if (high < 0xD800 || high > 0xDBFF)
		return high;
	if (length < 12 || raw[6] != '\\' || raw[7] != 'u')
		return REPLACEMENT;
	uint32_t low = hex4(raw + 8);
	if (low < 0xDC00 || low > 0xDFFF)
		return REPLACEMENT;
	*used = 12;
	return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static uint32_t escape(const char *raw, size_t length, size_t *used)
{
	*used = 2;
	switch (raw[1]) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'u':
		return unicode_escape(raw, length, used);
	default:
		return (unsigned char)raw[1];
	}
}

/* One character of UTF-8; a byte that begins none is U+FFFD by itself. */
static uint32_t utf8(const unsigned char *text, size_t length, size_t *used)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t bytes = text[0] < 0x80 ? 1
		: text[0] < 0xC2          ? 0
		: text[0] < 0xE0          ? 2
		: text[0] < 0xF0          ? 3
		: text[0] < 0xF5          ? 4
								  : 0;
	*used = 1;
	if (bytes == 1)
		return text[0] == 0 ? REPLACEMENT : text[0];
	if (bytes == 0 || bytes > length)
		return REPLACEMENT;
	uint32_t c = text[0] & (0x7Fu >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		if ((text[i] & 0xC0) != 0x80)
			return REPLACEMENT;
		c = c << 6 | (text[i] & 0x3Fu);
	}
	if (c < smallest[bytes] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return REPLACEMENT;
	*used = bytes;
	return c;
}

static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t bytes = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = bytes - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3F));
	out[0] = (char)((0xF00u >> bytes & 0xFF) | c);
	return bytes;
}

/* The next character of raw as UTF-8 in out: its bytes. *used: how much of raw it was. */
static size_t next(const char *raw, size_t length, char out[4], size_t *used)
{
	if (raw[0] == '\\')
		return encode(escape(raw, length, used), out);
	return encode(utf8((const unsigned char *)raw, length, used), out);
}

bool json_unescape(const char *raw, size_t length, char *field, size_t size)
{
	size_t at = 0, used;
	for (size_t i = 0; i < length; i += used) {
		char c[4];
		size_t bytes = next(raw + i, length - i, c, &used);
		if (at + bytes >= size) {
			field[at] = '\0';
			return false;
		}
		memcpy(field + at, c, bytes);
		at += bytes;
	}
	field[at] = '\0';
	return true;
}

size_t json_unescaped_size(const char *raw, size_t length)
{
	size_t size = 1, used;
	for (size_t i = 0; i < length; i += used) {
		char c[4];
		size += next(raw + i, length - i, c, &used);
	}
	return size;
}

bool json_text_is(const char *raw, size_t length, const char *text)
{
	/* without an escape a key can only grow, by bytes that are no UTF-8 */
	size_t want = strlen(text);
	if (want <= length && memchr(raw, '\\', length) == NULL)
		return want == length && memcmp(raw, text, length) == 0;
	size_t at = 0, used;
	for (size_t i = 0; i < length; i += used) {
		char c[4];
		size_t bytes = next(raw + i, length - i, c, &used);
		if (bytes > want - at || memcmp(c, text + at, bytes) != 0)
			return false;
		at += bytes;
	}
	return at == want;
}

static void escape_control(struct str *str, unsigned char c)
{
	switch (c) {
	case '\n':
		str_add(str, "\\n");
		break;
	case '\t':
		str_add(str, "\\t");
		break;
	case '\r':
		str_add(str, "\\r");
		break;
	default:
		str_addf(str, "\\u%04x", c);
		break;
	}
}

void json_escape(struct str *str, const char *text)
{
	size_t length = strlen(text), used;
	str_addc(str, '"');
	for (size_t i = 0; i < length; i += used) {
		unsigned char c = (unsigned char)text[i];
		used = 1;
		if (c < 0x20 || c == 0x7F) {
			escape_control(str, c);
		} else if (c == '"' || c == '\\') {
			str_addc(str, '\\');
			str_addc(str, (char)c);
		} else {
			char out[4];
			size_t bytes = encode(utf8((const unsigned char *)text + i, length - i, &used), out);
			str_addn(str, out, bytes);
		}
	}
	str_addc(str, '"');
}
