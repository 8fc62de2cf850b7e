/*
 * A digest over a list of texts: BLAKE2b of each one's length and bytes, so that no two lists share
 * their bytes. For what an approval is bound to. Any thread.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>

/* Writes size - 1 hexadecimal digits (an even number, 32 to 128) and NUL. */
void digest_hex(const char *const *parts, size_t n, char *hex, size_t size);

#endif
