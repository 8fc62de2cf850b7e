/* Probes before real sockets and programs: what is well, what is not, and what is said of it. */
#include "client/probe.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/http.h"
#include "base/str.h"
#include "play.h"

#define OK_ACT \
	{ \
		.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" \
	}
#define ILL_ACT \
	{ \
		.bytes = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" \
	}

static struct probe_answer ask(struct config_probe probe)
{
	struct probe_answer answer;
	struct err err = {0};
	probe.name = "it";
	probe.timeout_ms = probe.timeout_ms > 0 ? probe.timeout_ms : 5000;
	assert_true(probe_ask(&probe, -1, &answer, &err));
	return answer;
}

static void expect(struct config_probe probe, bool well, const char *words)
{
	struct probe_answer answer = ask(probe);
	if (answer.well != well || strstr(answer.text, words) == NULL)
		fail_msg("%s: %s, not \"%s\"", answer.well ? "well" : "not well", answer.text, words);
}

static void http_is_well_below_400(void **state)
{
	static const struct act acts[] = {OK_ACT, ILL_ACT, {.bytes = "rubbish\r\n\r\n"}};
	struct play play = {0};
	char url[64];
	(void)state;
	play_tcp(&play, NULL, acts, 3);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/health?x=1", play.port);
	expect((struct config_probe){.http = url}, true, "HTTP 200");
	assert_non_null(strstr(play.first, "GET /health?x=1 "));
	expect((struct config_probe){.http = url}, false, "HTTP 503");
	expect((struct config_probe){.http = url}, false, "it: GET /health");
	play_stop(&play);
}

static void tcp_is_well_when_somebody_listens(void **state)
{
	static const struct act acts[] = {OK_ACT};
	struct play play = {0};
	char place[64];
	(void)state;
	play_tcp(&play, NULL, acts, 1);
	snprintf(place, sizeof(place), "127.0.0.1:%d", play.port);
	expect((struct config_probe){.tcp = place}, true, "accepts");
	play_stop(&play);
	expect((struct config_probe){.tcp = place}, false, "Connection refused");
	expect((struct config_probe){.tcp = "no-such-host.invalid:1"}, false, "no-such-host.invalid");
}

/* It accepts, and then says nothing: neither TLS nor HTTP waits for ever. */
static void silence_ends_at_the_deadline(void **state)
{
	static const struct act acts[] = {{.bytes = "", .hang = true}};
	struct play play = {0};
	char place[64], url[64];
	(void)state;
	play_tcp(&play, NULL, acts, 1);
	snprintf(place, sizeof(place), "127.0.0.1:%d", play.port);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", play.port);
	expect((struct config_probe){.tls_expiry = place, .timeout_ms = 200}, false, "200 ms");
	expect((struct config_probe){.http = url, .timeout_ms = 200}, false, "GET /");
	play_stop(&play);
}

static void a_command_is_well_when_it_ends_with_0(void **state)
{
	static const char *const good[] = {"echo", "3 of 3 disks", NULL};
	static const char *const bad[] = {"sh", "-c", "echo 2 of 3 disks; exit 4", NULL};
	static const char *const slow[] = {"sleep", "1000", NULL};
	static const char *const none[] = {"no-such-program-here", NULL};
	(void)state;
	expect((struct config_probe){.command = good}, true, "3 of 3 disks");
	expect((struct config_probe){.command = bad}, false, "ended with 4: 2 of 3 disks");
	expect((struct config_probe){.command = slow, .timeout_ms = 100}, false, "100 ms");
	expect((struct config_probe){.command = none}, false, "not found");
}

static void the_end_of_a_certificate_is_read_whoever_signed_it(void **state)
{
	static const struct act acts[] = {OK_ACT};
	struct play play = {0};
	char place[64];
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	ASN1_TIME_set_string(X509_getm_notAfter(certificate), "20380101000000Z");
	X509_set_pubkey(certificate, key);
	X509_sign(certificate, key, EVP_sha256());
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(tls, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(tls, key), 1);
	play_tcp(&play, tls, acts, 1);
	snprintf(place, sizeof(place), "127.0.0.1:%d", play.port);
	struct probe_answer answer = ask((struct config_probe){.tls_expiry = place});
	assert_true(answer.well);
	assert_int_equal(answer.ends_ms, INT64_C(2145916800000));
	play_stop(&play);
	SSL_CTX_free(tls);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void plain_text_is_no_tls(void **state)
{
	static const struct act acts[] = {{.head = "220 mail ready\r\n", .bytes = "x"}};
	struct play play = {0};
	char place[64];
	(void)state;
	play_tcp(&play, NULL, acts, 1);
	snprintf(place, sizeof(place), "127.0.0.1:%d", play.port);
	expect((struct config_probe){.tls_expiry = place}, false, "");
	play_stop(&play);
}

static void stop_ends_a_probe(void **state)
{
	static const char *const slow[] = {"sleep", "1000", NULL};
	const struct config_probe probe = {.name = "it", .command = slow, .timeout_ms = 60000};
	struct probe_answer answer;
	struct err err = {0};
	int stop = eventfd(1, EFD_CLOEXEC);
	(void)state;
	assert_false(probe_ask(&probe, stop, &answer, &err));
	assert_int_equal(err.kind, ERR_CANCELLED);
	close(stop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_is_well_below_400),
		cmocka_unit_test(tcp_is_well_when_somebody_listens),
		cmocka_unit_test(silence_ends_at_the_deadline),
		cmocka_unit_test(a_command_is_well_when_it_ends_with_0),
		cmocka_unit_test(the_end_of_a_certificate_is_read_whoever_signed_it),
		cmocka_unit_test(plain_text_is_no_tls),
		cmocka_unit_test(stop_ends_a_probe),
	};
	signal(SIGPIPE, SIG_IGN);
	http_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
