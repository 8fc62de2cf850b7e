#include "base/utf8.h"

size_t utf8_decode(const char *text, uint32_t *character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)text;
	size_t n = s[0] < 0x80 ? 1
		: s[0] < 0xC2      ? 0
		: s[0] < 0xE0      ? 2
		: s[0] < 0xF0      ? 3
		: s[0] < 0xF5      ? 4
						   : 0;
	uint32_t c = n <= 1 ? s[0] : s[0] & (0x7FU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3FU);
	}
	*character = c;
	bool surrogate = c >= 0xD800 && c <= 0xDFFF;
	return n == 0 || (n > 1 && c < least[n]) || c > 0x10FFFF || surrogate ? 0 : n;
}

bool utf8_steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x61C || c == 0x200E || c == 0x200F ||
		(c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}
