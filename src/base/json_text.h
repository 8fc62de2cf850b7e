/*
 * The text of JSON strings, for json.c and json_write.c only: from the escapes of the wire to UTF-8
 * and back. What is no UTF-8, half a surrogate pair or NUL becomes U+FFFD, so that what comes out
 * is always a C string of valid UTF-8, and a NUL cuts nothing off. Source: RFC 8259, RFC 3629.
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* raw: what stands between the quotes, already checked. Writes at most size - 1 bytes of whole
 * characters and NUL; false when something did not fit. */
bool json_unescape(const char *raw, size_t length, char *field, size_t size);
/* Bytes that json_unescape needs, with the NUL. */
size_t json_unescaped_size(const char *raw, size_t length);
/* Whether raw means text. */
bool json_text_is(const char *raw, size_t length, const char *text);

/* Adds text with its quotes. */
void json_escape(struct str *str, const char *text);

#endif
