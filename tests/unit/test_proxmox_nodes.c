/* A cluster is reached through any of its nodes, each with a certificate that is trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/http.h"
#include "base/str.h"
#include "client/proxmox.h"
#include "pve_server.h"

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
	SSL_CTX *tls;
	char fingerprint[96];
};

static void add(X509 *certificate, int what, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, what, value);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

/* by NULL: signed by itself, an authority. */
static void identity_make(struct identity *own, const struct identity *by, const char *names)
{
	static int serial;
	own->key = EVP_EC_gen("P-256");
	own->certificate = X509_new();
	X509_set_version(own->certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(own->certificate), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(own->certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(own->certificate), 3600);
	X509_set_pubkey(own->certificate, own->key);
	X509_NAME *name = X509_get_subject_name(own->certificate);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)(by ? names : "CA"), -1, -1, 0);
	X509_set_issuer_name(
		own->certificate, by != NULL ? X509_get_subject_name(by->certificate) : name);
	add(own->certificate, NID_basic_constraints, by != NULL ? "CA:FALSE" : "critical,CA:TRUE");
	if (names != NULL)
		add(own->certificate, NID_subject_alt_name, names);
	X509_sign(own->certificate, by != NULL ? by->key : own->key, EVP_sha256());
	own->tls = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(own->tls, own->certificate);
	SSL_CTX_use_PrivateKey(own->tls, own->key);
	unsigned char digest[32];
	X509_digest(own->certificate, EVP_sha256(), digest, NULL);
	for (size_t i = 0; i < 32; i++)
		snprintf(own->fingerprint + i * 3, 4, i < 31 ? "%02X:" : "%02X", digest[i]);
}

static void identity_end(struct identity *own)
{
	SSL_CTX_free(own->tls);
	X509_free(own->certificate);
	EVP_PKEY_free(own->key);
}

/* Three nodes on 127.0.0.1, .2 and .3 with one port. */
struct stage {
	struct identity ca, own[3];
	struct pve_server server[3];
	bool up[3];
	struct pve_route routes[3][8];
	char nodes[1024], ca_file[64], url[64];
	struct clock *clock;
	struct arena *arena;
	struct proxmox *proxmox;
	struct proxmox_cluster cluster;
	struct err err;
};

static const char members[] =
	"{\"data\":[{\"type\":\"cluster\",\"name\":\"lab\",\"quorate\":1},"
	"{\"type\":\"node\",\"name\":\"pve1\",\"ip\":\"127.0.0.1\",\"online\":1,\"local\":1},"
	"{\"type\":\"node\",\"name\":\"pve2\",\"ip\":\"127.0.0.2\",\"online\":1},"
	"{\"type\":\"node\",\"name\":\"evil\",\"ip\":\"evil.example/x\",\"online\":1},"
	"{\"type\":\"node\",\"name\":\"pve3\",\"ip\":\"127.0.0.3\",\"online\":\"1\"}]}";

static void node_up(struct stage *stage, int i)
{
	char ip[32];
	snprintf(ip, sizeof(ip), "127.0.0.%d", i + 1);
	pve_start(&stage->server[i], ip, i > 0 ? stage->server[0].port : 0, stage->own[i].tls,
		stage->routes[i]);
	stage->up[i] = true;
}

static void node_down(struct stage *stage, int i)
{
	if (stage->up[i])
		pve_stop(&stage->server[i]);
	stage->up[i] = false;
}

static void stage_make(struct stage *stage)
{
	memset(stage, 0, sizeof(*stage));
	identity_make(&stage->ca, NULL, NULL);
	for (int i = 0; i < 3; i++) {
		char names[32];
		snprintf(names, sizeof(names), "IP:127.0.0.%d", i + 1);
		identity_make(&stage->own[i], &stage->ca, names);
		struct pve_route *routes = stage->routes[i];
		routes[0] = (struct pve_route){.request = "GET /cluster/status", .body = members};
		routes[1] = (struct pve_route){.request = "GET /nodes", .body = stage->nodes};
		routes[2] = (struct pve_route){.request = "GET /version",
			.body = "{\"data\":{\"version\":\"9.2\",\"release\":\"9\"}}"};
		routes[3] = (struct pve_route){.request = "POST /nodes/pve1/qemu/100/status/start",
			.body = "{\"data\":\"UPID:pve1:1:2:3:qmstart:100:root@pam:\"}"};
	}
	snprintf(stage->nodes, sizeof(stage->nodes),
		"{\"data\":[{\"node\":\"pve1\",\"ssl_fingerprint\":\"%s\"},"
		"{\"node\":\"pve2\",\"ssl_fingerprint\":\"%s\"},{\"node\":\"pve3\"}]}",
		stage->own[0].fingerprint, stage->own[1].fingerprint);
	strcpy(stage->ca_file, "/tmp/homeostat-pve-ca-XXXXXX");
	FILE *file = fdopen(mkstemp(stage->ca_file), "w");
	PEM_write_X509(file, stage->ca.certificate);
	fclose(file);
	stage->clock = clock_new_wound(1795469000000);
	stage->arena = arena_new((size_t)4 * 1024 * 1024);
}

static void stage_open(struct stage *stage, bool by_ca)
{
	stage_make(stage);
	for (int i = 0; i < 3; i++)
		node_up(stage, i);
	snprintf(stage->url, sizeof(stage->url), "https://127.0.0.1:%d/", stage->server[0].port);
	const struct config_proxmox config = {.name = "pve",
		.url = stage->url,
		.token_id = "a@pve!b",
		.token_secret = "c",
		.ca_file = by_ca ? stage->ca_file : NULL,
		.fingerprint = by_ca ? NULL : stage->own[0].fingerprint};
	stage->proxmox = proxmox_open(&config, stage->clock, -1, &stage->err);
	assert_non_null(stage->proxmox);
}

static void change(struct stage *stage, int node, int route, int status, const char *reason)
{
	struct pve_route to = stage->routes[node][route];
	to.status = status;
	to.reason = reason;
	pve_change(&stage->server[node], &stage->routes[node][route], to);
}

static bool look(struct stage *stage)
{
	stage->err = (struct err){0};
	return proxmox_cluster(stage->proxmox, 5000, stage->arena, &stage->cluster, &stage->err);
}

static void stage_close(struct stage *stage)
{
	proxmox_close(stage->proxmox);
	for (int i = 0; i < 3; i++) {
		node_down(stage, i);
		identity_end(&stage->own[i]);
	}
	identity_end(&stage->ca);
	unlink(stage->ca_file);
	arena_free(stage->arena);
	clock_free(stage->clock);
}

static void assert_text(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static void cluster_ca_is_good_for_every_node(void **state)
{
	struct stage stage;
	stage_open(&stage, true);
	if (!look(&stage))
		fail_msg("%s", stage.err.text);
	assert_string_equal(stage.cluster.name, "lab");
	assert_true(stage.cluster.quorate);
	assert_int_equal(stage.cluster.count, 4);
	assert_int_equal(proxmox_address_count(stage.proxmox), 3);
	node_down(&stage, 0);
	node_down(&stage, 1);
	if (!look(&stage))
		fail_msg("%s", stage.err.text);
	assert_text(proxmox_address(stage.proxmox), "https://127.0.0.3:");
	node_down(&stage, 2);
	assert_false(look(&stage));
	assert_int_equal(stage.err.kind, ERR_RETRY);
	assert_text(stage.err.text, "; nor did https://127.0.0.1");
	stage_close(&stage);
}

static void pinned_fingerprint_reaches_only_nodes_whose_own_was_learnt(void **state)
{
	struct stage stage;
	stage_open(&stage, false);
	if (!look(&stage))
		fail_msg("%s", stage.err.text);
	assert_int_equal(proxmox_address_count(stage.proxmox), 2);
	node_down(&stage, 0);
	if (!look(&stage))
		fail_msg("%s", stage.err.text);
	assert_text(proxmox_address(stage.proxmox), "https://127.0.0.2:");
	assert_int_equal(pve_count(&stage.server[2], "GET"), 0);
	stage_close(&stage);
}

static void changed_certificate_of_the_configured_node_is_refused_by_name(void **state)
{
	struct stage stage;
	stage_open(&stage, false);
	assert_true(look(&stage));
	int port = stage.server[0].port;
	node_down(&stage, 0);
	pve_start(&stage.server[0], "127.0.0.1", port, stage.own[2].tls, stage.routes[0]);
	stage.up[0] = true;
	assert_false(look(&stage));
	assert_int_equal(stage.err.kind, ERR_DENIED);
	assert_text(stage.err.text, stage.own[0].fingerprint);
	assert_text(stage.err.text, stage.own[2].fingerprint);
	assert_int_equal(pve_count(&stage.server[0], "PVEAPIToken"), 0);
	assert_int_equal(pve_count(&stage.server[1], "PVEAPIToken"), 0);
	stage_close(&stage);
}

static void impostor_of_a_learnt_node_is_not_told_the_token(void **state)
{
	struct stage stage;
	stage_open(&stage, false);
	assert_true(look(&stage));
	int port = stage.server[0].port;
	node_down(&stage, 0);
	node_down(&stage, 1);
	pve_start(&stage.server[1], "127.0.0.2", port, stage.own[2].tls, stage.routes[1]);
	stage.up[1] = true;
	assert_false(look(&stage));
	assert_int_equal(pve_count(&stage.server[1], "PVEAPIToken"), 0);
	stage_close(&stage);
}

static void change_goes_to_a_node_that_answers_and_once_only(void **state)
{
	struct stage stage;
	struct proxmox_at at = {"pve1", PROXMOX_QEMU, 100};
	char upid[PROXMOX_UPID_BYTES];
	stage_open(&stage, true);
	assert_true(look(&stage));
	clock_advance(stage.clock, 60000);
	node_down(&stage, 0);
	if (!proxmox_power(stage.proxmox, at, PROXMOX_START, 0, upid, &stage.err))
		fail_msg("%s", stage.err.text);
	assert_int_equal(pve_count(&stage.server[1], "POST "), 1);
	change(&stage, 1, 3, -1, NULL);
	assert_false(proxmox_power(stage.proxmox, at, PROXMOX_START, 0, upid, &stage.err));
	assert_int_equal(pve_count(&stage.server[1], "POST "), 2);
	assert_int_equal(pve_count(&stage.server[2], "POST "), 0);
	stage_close(&stage);
}

static const char no_files[] = "RPCEnvironment init request failed: Unable to load access control "
							   "list: Connection refused";

static void node_whose_file_system_is_down_is_passed_over(void **state)
{
	struct stage stage;
	stage_open(&stage, true);
	assert_true(look(&stage));
	change(&stage, 0, 0, 500, no_files);
	assert_true(look(&stage));
	assert_text(proxmox_address(stage.proxmox), "https://127.0.0.2:");
	change(&stage, 1, 0, 500, no_files);
	change(&stage, 2, 0, 500, no_files);
	assert_false(look(&stage));
	assert_int_equal(stage.err.kind, ERR_RETRY);
	assert_text(stage.err.text, "RPCEnvironment");
	stage_close(&stage);
}

static void hung_node_costs_no_more_than_its_time_and_the_next_look_goes_elsewhere(void **state)
{
	struct stage stage;
	stage_open(&stage, true);
	assert_true(look(&stage));
	change(&stage, 0, 0, -2, NULL);
	struct clock *clock = clock_new_real();
	int64_t before = clock_mono_ms(clock);
	bool ok = look(&stage);
	assert_true(clock_mono_ms(clock) - before < 7000);
	assert_true(ok || stage.err.kind == ERR_TIMEOUT);
	assert_true(look(&stage));
	assert_text(proxmox_address(stage.proxmox), "https://127.0.0.2:");
	clock_free(clock);
	stage_close(&stage);
}

int main(void)
{
	http_global_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cluster_ca_is_good_for_every_node),
		cmocka_unit_test(pinned_fingerprint_reaches_only_nodes_whose_own_was_learnt),
		cmocka_unit_test(changed_certificate_of_the_configured_node_is_refused_by_name),
		cmocka_unit_test(impostor_of_a_learnt_node_is_not_told_the_token),
		cmocka_unit_test(change_goes_to_a_node_that_answers_and_once_only),
		cmocka_unit_test(node_whose_file_system_is_down_is_passed_over),
		cmocka_unit_test(hung_node_costs_no_more_than_its_time_and_the_next_look_goes_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
