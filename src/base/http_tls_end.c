#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/dial.h"
#include "base/str.h"

/* The handshake, on a socket that does not block. */
static bool shake_hands(SSL *ssl, const struct dial *dial, int fd, struct err *err)
{
	int64_t deadline = dial_now_ms() + dial->timeout_ms;
	for (;;) {
		int r = SSL_connect(ssl);
		if (r == 1)
			return true;
		int why = SSL_get_error(ssl, r);
		if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
			return err_set(err, ERR_RETRY, "%s port %s: no TLS there", dial->host, dial->port);
		if (!dial_wait(dial, fd, why == SSL_ERROR_WANT_WRITE, deadline, err))
			return false;
	}
}

/* Which of its names is meant; an address is none (RFC 6066). */
static void name_host(SSL *ssl, const char *host)
{
	char name[256];
	if (strchr(host, ':') != NULL || strspn(host, "0123456789.") == strlen(host))
		return;
	STR_SET(name, host);
	SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
}

static bool read_end(const SSL *ssl, int64_t *ends_ms, struct err *err)
{
	struct tm end = {0};
	X509 *certificate = SSL_get1_peer_certificate(ssl);
	bool ok = certificate != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1;
	X509_free(certificate);
	*ends_ms = ok ? (int64_t)timegm(&end) * 1000 : 0;
	return ok || err_set(err, ERR_INPUT, "the server's certificate has no end that can be read");
}

bool http_tls_end(const struct dial *dial, int64_t *ends_ms, struct err *err)
{
	int fd = dial_tcp(dial, err);
	if (fd < 0)
		return false;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = context != NULL ? SSL_new(context) : NULL;
	bool ok = ssl != NULL || err_set(err, ERR_SYSTEM, "TLS cannot be set up");
	if (ok) {
		/* only when it ends is asked: whether it is to be trusted is for those who use it */
		SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
		name_host(ssl, dial->host);
		SSL_set_fd(ssl, fd);
		ok = shake_hands(ssl, dial, fd, err) && read_end(ssl, ends_ms, err);
	}
	ERR_clear_error();
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
	return ok;
}
