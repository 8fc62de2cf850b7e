#include "base/digest.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

void digest_hex(const char *const *parts, size_t n, char *hex, size_t size)
{
	unsigned char digest[crypto_generichash_BYTES_MAX];
	size_t bytes = (size - 1) / 2;
	crypto_generichash_state state;
	crypto_generichash_init(&state, NULL, 0, bytes);
	for (size_t i = 0; i < n; i++) {
		uint64_t length = strlen(parts[i]);
		crypto_generichash_update(&state, (const unsigned char *)&length, sizeof(length));
		crypto_generichash_update(&state, (const unsigned char *)parts[i], length);
	}
	crypto_generichash_final(&state, digest, bytes);
	sodium_bin2hex(hex, size, digest, bytes);
}
