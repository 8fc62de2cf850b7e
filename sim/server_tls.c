#include "sim/server_tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/str.h"

#define DAY_S 86400

struct sim_tls {
	EVP_PKEY *key;
	X509 *certificate;
	char *pem;
};
struct sim_tls_host {
	SSL_CTX *context;
};
struct sim_tls_peer {
	SSL *ssl;
};

/* What fails here is memory or a broken library: our own affair. */
static void must(bool ok)
{
	if (ok)
		return;
	ERR_print_errors_fp(stderr);
	abort();
}

static void add_extension(X509 *of, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, of, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	must(extension != NULL && X509_add_ext(of, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static void add_name(X509_NAME *name, const char *field, const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;
	must(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, bytes, -1, -1, 0) == 1);
}

/* A certificate of this key, still without issuer, extensions and signature. */
static X509 *new_certificate(EVP_PKEY *key, const char *subject, int64_t from_s, int64_t to_s)
{
	unsigned char serial[8];
	X509 *made = X509_new();
	must(made != NULL && RAND_bytes(serial, sizeof(serial)) == 1);
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 1);
	BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
	must(number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made)) != NULL);
	BN_free(number);
	must(X509_set_version(made, 2) == 1 && X509_set_pubkey(made, key) == 1);
	X509_gmtime_adj(X509_getm_notBefore(made), (long)-from_s);
	X509_gmtime_adj(X509_getm_notAfter(made), (long)to_s);
	add_name(X509_get_subject_name(made), "O", "Proxmox Virtual Environment");
	add_name(X509_get_subject_name(made), "CN", subject);
	return made;
}

struct sim_tls *sim_tls_new(void)
{
	struct sim_tls *tls = calloc(1, sizeof(*tls));
	must(tls != NULL);
	tls->key = EVP_EC_gen("P-256");
	must(tls->key != NULL);
	X509 *ca = tls->certificate = new_certificate(
		tls->key, "Proxmox Virtual Environment CA", DAY_S, 3650L * DAY_S);
	must(X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1);
	add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(ca, ca, NID_subject_key_identifier, "hash");
	must(X509_sign(ca, tls->key, EVP_sha256()) > 0);
	BIO *text = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	must(text != NULL && PEM_write_bio_X509(text, ca) == 1);
	long length = BIO_get_mem_data(text, &bytes);
	/* what BIO holds is not ended by NUL */
	tls->pem = calloc(1, (size_t)length + 1);
	must(tls->pem != NULL);
	memcpy(tls->pem, bytes, (size_t)length);
	BIO_free(text);
	return tls;
}

void sim_tls_free(struct sim_tls *tls)
{
	if (tls == NULL)
		return;
	EVP_PKEY_free(tls->key);
	X509_free(tls->certificate);
	free(tls->pem);
	free(tls);
}

const char *sim_tls_ca_pem(const struct sim_tls *tls)
{
	return tls->pem;
}

static void print_fingerprint(const X509 *certificate, char text[SIM_TLS_FINGERPRINT])
{
	unsigned char bytes[32];
	unsigned int length = 0;
	must(X509_digest(certificate, EVP_sha256(), bytes, &length) == 1 && length == sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(text + i * 3, 4, i + 1 < sizeof(bytes) ? "%02X:" : "%02X", bytes[i]);
}

struct sim_tls_host *sim_tls_certify(const struct sim_tls *tls, const struct sim_tls_name *name,
	char fingerprint[SIM_TLS_FINGERPRINT])
{
	char names[200];
	struct sim_tls_host *host = calloc(1, sizeof(*host));
	EVP_PKEY *key = EVP_EC_gen("P-256");
	must(host != NULL && key != NULL);
	X509 *made = new_certificate(key, name->host, name->from_s, name->to_s);
	X509 *issuer = name->is_foreign ? made : tls->certificate;
	must(X509_set_issuer_name(made, X509_get_subject_name(issuer)) == 1);
	/* as pvecm makes them */
	STR_FORMAT(
		names, "IP:127.0.0.1,IP:0:0:0:0:0:0:0:1,DNS:localhost,IP:%s,DNS:%s", name->ip, name->host);
	add_extension(made, issuer, NID_subject_alt_name, names);
	add_extension(made, issuer, NID_basic_constraints, "CA:FALSE");
	add_extension(made, issuer, NID_ext_key_usage, "serverAuth");
	must(X509_sign(made, name->is_foreign ? key : tls->key, EVP_sha256()) > 0);
	print_fingerprint(made, fingerprint);
	host->context = SSL_CTX_new(TLS_server_method());
	must(host->context != NULL &&
		SSL_CTX_set_min_proto_version(host->context, TLS1_2_VERSION) == 1 &&
		SSL_CTX_use_certificate(host->context, made) == 1 &&
		SSL_CTX_use_PrivateKey(host->context, key) == 1);
	SSL_CTX_set_mode(
		host->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	X509_free(made);
	EVP_PKEY_free(key);
	return host;
}

void sim_tls_host_free(struct sim_tls_host *host)
{
	if (host == NULL)
		return;
	SSL_CTX_free(host->context);
	free(host);
}

struct sim_tls_peer *sim_tls_accept(const struct sim_tls_host *host, int fd)
{
	struct sim_tls_peer *peer = calloc(1, sizeof(*peer));
	must(peer != NULL);
	peer->ssl = SSL_new(host->context);
	must(peer->ssl != NULL && SSL_set_fd(peer->ssl, fd) == 1);
	SSL_set_accept_state(peer->ssl);
	return peer;
}

static int outcome(struct sim_tls_peer *peer, int n)
{
	if (n > 0)
		return n;
	int why = SSL_get_error(peer->ssl, n);
	ERR_clear_error();
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

int sim_tls_read(struct sim_tls_peer *peer, void *bytes, size_t size)
{
	ERR_clear_error();
	return outcome(peer, SSL_read(peer->ssl, bytes, (int)size));
}

int sim_tls_write(struct sim_tls_peer *peer, const void *bytes, size_t size)
{
	ERR_clear_error();
	return outcome(peer, SSL_write(peer->ssl, bytes, (int)size));
}

void sim_tls_close(struct sim_tls_peer *peer, bool clean)
{
	if (peer == NULL)
		return;
	if (clean)
		SSL_shutdown(peer->ssl);
	ERR_clear_error();
	SSL_free(peer->ssl);
	free(peer);
}
