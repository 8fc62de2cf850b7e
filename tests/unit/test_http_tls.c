#include "base/http.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "play.h"

#define OK_BODY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* A server with a fresh self-signed certificate for 127.0.0.1 or for another name. */
struct stage {
	struct play play;
	SSL_CTX *tls;
	EVP_PKEY *key;
	X509 *certificate;
	char file[64], key_file[64], url[64], fingerprint[96];
	struct err err;
	struct http_reply reply;
};

static X509 *self_signed(EVP_PKEY *key, const char *names)
{
	X509 *certificate = X509_new();
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME *name = X509_get_subject_name(certificate);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	X509_sign(certificate, key, EVP_sha256());
	return certificate;
}

static void stage_open(struct stage *stage, const char *names, const struct act *act)
{
	*stage = (struct stage){0};
	stage->key = EVP_EC_gen("P-256");
	stage->certificate = self_signed(stage->key, names);
	stage->tls = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(stage->tls, stage->certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(stage->tls, stage->key), 1);
	strcpy(stage->file, "/tmp/homeostat-ca-XXXXXX");
	FILE *file = fdopen(mkstemp(stage->file), "w");
	PEM_write_X509(file, stage->certificate);
	fclose(file);
	strcpy(stage->key_file, "/tmp/homeostat-key-XXXXXX");
	file = fdopen(mkstemp(stage->key_file), "w");
	PEM_write_PrivateKey(file, stage->key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	unsigned char digest[32];
	X509_digest(stage->certificate, EVP_sha256(), digest, NULL);
	for (size_t i = 0; i < 32; i++)
		snprintf(stage->fingerprint + i * 3, 4, i < 31 ? "%02X:" : "%02X", digest[i]);
	play_tcp(&stage->play, stage->tls, act, 1);
	snprintf(stage->url, sizeof(stage->url), "https://127.0.0.1:%d", stage->play.port);
}

static void stage_close(struct stage *stage)
{
	play_stop(&stage->play);
	SSL_CTX_free(stage->tls);
	X509_free(stage->certificate);
	EVP_PKEY_free(stage->key);
	unlink(stage->file);
	unlink(stage->key_file);
}

static bool ask(struct stage *stage, struct http_config config)
{
	struct http_request request = {.method = "GET", .path = "/x", .timeout_ms = 5000};
	config.base_url = stage->url;
	config.stop_fd = -1;
	config.name = "pve";
	stage->err = (struct err){0};
	struct http *http = http_open(&config);
	auto_arena arena = arena_new(4096);
	bool ok = http_perform(http, &request, arena, &stage->reply, &stage->err);
	http_close(http);
	return ok;
}

static void assert_text(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static const struct act good = {.bytes = OK_BODY, .keep = true};

static void pinned_fingerprint_is_enough(void **state)
{
	struct stage stage;
	stage_open(&stage, "DNS:some.other.name", &good);
	if (!ask(&stage, (struct http_config){.fingerprint = stage.fingerprint}))
		fail_msg("%s", stage.err.text);
	assert_int_equal(stage.reply.status, 200);
	char small[65] = "";
	size_t n = 0;
	for (size_t i = 0; stage.fingerprint[i] != '\0'; i++)
		if (stage.fingerprint[i] != ':')
			small[n++] = (char)(stage.fingerprint[i] | 0x20);
	assert_true(ask(&stage, (struct http_config){.fingerprint = small}));
	stage_close(&stage);
}

static void other_fingerprint_is_refused_and_nothing_is_sent(void **state)
{
	struct stage stage;
	char wrong[96];
	stage_open(&stage, "IP:127.0.0.1", &good);
	strcpy(wrong, stage.fingerprint);
	wrong[94] = wrong[94] == '0' ? '1' : '0';
	/* even where the chain would be good */
	assert_false(ask(&stage, (struct http_config){.fingerprint = wrong, .ca_file = stage.file}));
	assert_int_equal(stage.err.kind, ERR_DENIED);
	assert_text(stage.err.text, stage.fingerprint);
	assert_text(stage.err.text, wrong);
	assert_text(stage.err.text, "change fingerprint: to accept it");
	stage_close(&stage);
	assert_int_equal(atomic_load(&stage.play.requests), 0);
}

static void chain_of_the_ca_file_is_verified(void **state)
{
	struct stage stage;
	stage_open(&stage, "IP:127.0.0.1", &good);
	if (!ask(&stage, (struct http_config){.ca_file = stage.file}))
		fail_msg("%s", stage.err.text);
	assert_false(ask(&stage, (struct http_config){.connect_timeout_ms = 3000}));
	assert_int_equal(stage.err.kind, ERR_DENIED);
	assert_text(stage.err.text,
		"name its authority in ca_file:, or trust exactly this one by "
		"fingerprint: ");
	assert_text(stage.err.text, stage.fingerprint);
	assert_int_equal(atomic_load(&stage.play.requests), 1);
	stage_close(&stage);
}

static void name_of_the_host_is_verified(void **state)
{
	struct stage stage;
	stage_open(&stage, "DNS:some.other.name", &good);
	assert_false(ask(&stage, (struct http_config){.ca_file = stage.file}));
	assert_int_equal(stage.err.kind, ERR_DENIED);
	stage_close(&stage);
	assert_int_equal(atomic_load(&stage.play.requests), 0);
}

static void missing_files_name_the_keys(void **state)
{
	struct stage stage;
	stage_open(&stage, "IP:127.0.0.1", &good);
	assert_false(ask(&stage, (struct http_config){.ca_file = "/no/such/file"}));
	assert_int_equal(stage.err.kind, ERR_INPUT);
	assert_text(stage.err.text, "check ca_file:, cert_file: and key_file:");
	assert_false(ask(&stage,
		(struct http_config){.fingerprint = stage.fingerprint, .cert_file = "/no/such/file"}));
	assert_int_equal(stage.err.kind, ERR_INPUT);
	stage_close(&stage);
}

static void client_certificate_is_shown(void **state)
{
	struct stage stage;
	stage_open(&stage, "IP:127.0.0.1", &good);
	SSL_CTX_set_verify(stage.tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	assert_int_equal(SSL_CTX_load_verify_locations(stage.tls, stage.file, NULL), 1);
	if (!ask(&stage,
			(struct http_config){
				.ca_file = stage.file, .cert_file = stage.file, .key_file = stage.key_file}))
		fail_msg("%s", stage.err.text);
	/* under TLS 1.3 the server's words may be lost with the connection */
	assert_false(ask(&stage, (struct http_config){.ca_file = stage.file}));
	assert_text(stage.err.text, "cert_file: and key_file:");
	SSL_CTX_set_max_proto_version(stage.tls, TLS1_2_VERSION);
	assert_false(ask(&stage, (struct http_config){.ca_file = stage.file}));
	assert_int_equal(stage.err.kind, ERR_DENIED);
	assert_text(stage.err.text, "check cert_file: and key_file:");
	stage_close(&stage);
}

static void plain_server_is_not_tls(void **state)
{
	struct stage stage;
	struct play plain;
	static const struct act act = {.bytes = "HTTP/1.1 400 Bad\r\n\r\n"};
	stage_open(&stage, "IP:127.0.0.1", &good);
	play_tcp(&plain, NULL, &act, 1);
	snprintf(stage.url, sizeof(stage.url), "https://127.0.0.1:%d", plain.port);
	struct http_config config = {.fingerprint = stage.fingerprint};
	struct http_request request = {.method = "GET", .path = "/x", .timeout_ms = 300};
	config.base_url = stage.url;
	config.stop_fd = -1;
	struct http *http = http_open(&config);
	auto_arena arena = arena_new(4096);
	assert_false(http_perform(http, &request, arena, &stage.reply, &stage.err));
	http_close(http);
	play_stop(&plain);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pinned_fingerprint_is_enough),
		cmocka_unit_test(other_fingerprint_is_refused_and_nothing_is_sent),
		cmocka_unit_test(chain_of_the_ca_file_is_verified),
		cmocka_unit_test(name_of_the_host_is_verified),
		cmocka_unit_test(missing_files_name_the_keys),
		cmocka_unit_test(client_certificate_is_shown),
		cmocka_unit_test(plain_server_is_not_tls),
	};
	signal(SIGPIPE, SIG_IGN); /* of the playing server's TLS */
	http_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
