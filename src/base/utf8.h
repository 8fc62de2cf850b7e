/*
 * UTF-8, a character at a time, of text that may be none: for everything that is shown to people.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT "\xEF\xBF\xBD"

/* The character at text, which is ended by NUL, and its length in bytes; 0: it is no UTF-8 (RFC
 * 3629: overlong forms and surrogates are none). */
size_t utf8_decode(const char *text, uint32_t *character);

/* Control characters (C0, DEL, C1), line and paragraph separators, and what reorders a line. */
bool utf8_steers(uint32_t character);

#endif
