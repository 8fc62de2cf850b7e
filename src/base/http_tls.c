#include "base/http_tls.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c == '\0' ? NULL : strchr(digits, tolower((unsigned char)c));
	return found == NULL ? -1 : (int)(found - digits);
}

bool http_tls_pin(struct http_tls *tls, const char *fingerprint, struct err *err)
{
	const char *at = fingerprint;
	for (size_t i = 0; i < HTTP_PIN_BYTES; i++) {
		if (i > 0 && *at == ':')
			at++;
		int high = hex_value(at[0]);
		int low = high < 0 ? -1 : hex_value(at[1]);
		if (low < 0)
			break;
		tls->pin[i] = (unsigned char)(high * 16 + low);
		at += 2;
		tls->pinned = i + 1 == HTTP_PIN_BYTES && *at == '\0';
	}
	if (tls->pinned)
		return true;
	return err_set(err, ERR_INPUT,
		"fingerprint \"%.100s\" is not 32 bytes in hexadecimal, as \"AB:CD:…\"", fingerprint);
}

void http_tls_text(const unsigned char pin[HTTP_PIN_BYTES], char text[HTTP_PIN_BYTES * 3])
{
	for (size_t i = 0; i < HTTP_PIN_BYTES; i++)
		snprintf(text + i * 3, 4, i + 1 < HTTP_PIN_BYTES ? "%02X:" : "%02X", pin[i]);
}

static int check(X509_STORE_CTX *store, void *ctx)
{
	struct http_tls *tls = ctx;
	X509 *certificate = X509_STORE_CTX_get0_cert(store);
	unsigned int length = 0;
	tls->seen = certificate != NULL &&
		X509_digest(certificate, EVP_sha256(), tls->found, &length) == 1 &&
		length == HTTP_PIN_BYTES;
	if (!tls->pinned)
		return X509_verify_cert(store);
	tls->mismatch = !tls->seen || memcmp(tls->found, tls->pin, HTTP_PIN_BYTES) != 0;
	/* curl asks for this result again after the handshake */
	X509_STORE_CTX_set_error(
		store, tls->mismatch ? X509_V_ERR_APPLICATION_VERIFICATION : X509_V_OK);
	return tls->mismatch ? 0 : 1;
}

void http_tls_install(struct http_tls *tls, void *ssl_ctx)
{
	SSL_CTX_set_cert_verify_callback(ssl_ctx, check, tls);
}
