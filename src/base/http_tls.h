/*
 * The check of a TLS server's certificate: by a pinned SHA-256 fingerprint of the whole certificate
 * (DER), or by the usual chain. Either way the fingerprint that was seen is kept, so that an error
 * can show it. Runs within the handshake: nothing is sent to a server that fails it.
 */
#ifndef BASE_HTTP_TLS_H
#define BASE_HTTP_TLS_H

#include <stdbool.h>

#include "base/err.h"

#define HTTP_PIN_BYTES 32

struct http_tls {
	bool pinned, seen, mismatch;
	unsigned char pin[HTTP_PIN_BYTES];
	unsigned char found[HTTP_PIN_BYTES];
};

/* Reads "AB:CD:…" (colons optional, any case). False: ERR_INPUT. */
bool http_tls_pin(struct http_tls *tls, const char *fingerprint, struct err *err);
/* Puts the check into an SSL_CTX; tls must outlive it. */
void http_tls_install(struct http_tls *tls, void *ssl_ctx);
/* "AB:CD:…" */
void http_tls_text(const unsigned char pin[HTTP_PIN_BYTES], char text[HTTP_PIN_BYTES * 3]);

#endif
