/* What the proxmox section promises: every value is read, and every mistake names its line, its key
 * and its cure. That a secret reaches the client, in whichever way it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/redact.h"
#include "base/secret.h"
#include "base/str.h"
#include "client/proxmox.h"
#include "model/config.h"

#define PIN \
	"01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:" \
	"AB:CD:EF"
#define URL "proxmox:\n- url: https://pve:8006\n"
#define LOGIN "  token_id: homeostat@pve!agent\n  token_secret: secret:proxmox\n"

static struct err err;
static char folder[64];

static struct config *parse(const char *text, bool is_private)
{
	err = (struct err){0};
	return config_parse("f.yaml", text, strlen(text), is_private, &err);
}

static struct config *good(const char *text, bool is_private)
{
	struct config *config = parse(text, is_private);
	if (config == NULL)
		fail_msg("%s\nrefused: %s", text, err.text);
	return config;
}

/* place: "f.yaml:3: proxmox.url: "; then, anywhere behind it, the cure. */
static void refused(const char *text, const char *place, const char *cure)
{
	struct config *config = parse(text, false);
	if (config != NULL)
		fail_msg("accepted: %s", text);
	assert_int_equal(err.kind, ERR_INPUT);
	if (!str_starts(err.text, place) || strstr(err.text, cure) == NULL)
		fail_msg("%s\nwanted \"%s … %s\"\ngot    \"%s\"", text, place, cure, err.text);
}

static void a_file_with_only_proxmox_is_enough(void **state)
{
	struct config *config = good(URL LOGIN, false);
	const struct config_proxmox *pve = &config->proxmox[0];
	assert_int_equal(config->docker_count, 0);
	assert_int_equal(config->proxmox_count, 1);
	assert_string_equal(pve->name, "pve");
	assert_string_equal(pve->url, "https://pve:8006");
	assert_string_equal(pve->token_id, "homeostat@pve!agent");
	assert_string_equal(pve->token_secret, "secret:proxmox");
	assert_string_equal(pve->state, "/var/lib/homeostat");
	assert_null(pve->user);
	assert_null(pve->fingerprint);
	assert_int_equal(pve->critical_count, 0);
	assert_int_equal(pve->line, 2);
	assert_null(config->warnings[0]);
	config_free(config);
}

static void every_value_is_read(void **state)
{
	char text[1000], file[100];
	STR_FORMAT(file, "%s/ca.pem", folder);
	assert_true(file_write(file, "x", 1, NULL));
	STR_FORMAT(text,
		"state: /srv/h\nproxmox:\n"
		"- {name: home, url: 'https://[fe80::1]:8006/', user: 'a@b@pam', password: 'env:PVE_PW',\n"
		"   ca_file: %s, ssh: 'root@192.168.1.99', critical: [104, 101, 999999999]}\n"
		"- {name: lab, url: 'http://127.0.0.1:80', token_id: root@pam!full, token_secret: env:T}\n"
		"- {name: far, url: 'https://far:8006', token_id: 'x@my-realm!a.b_c', token_secret: "
		"secret:a.b,\n   fingerprint: '" PIN "', ssh: 'ssh://root@far:2222', critical: []}\n"
		"docker: [{name: home}]\n",
		file);
	struct config *config = good(text, false);
	const struct config_proxmox *pve = config->proxmox;
	assert_int_equal(config->proxmox_count, 3);
	assert_string_equal(pve[0].name, "home");
	assert_string_equal(pve[0].user, "a@b@pam");
	assert_string_equal(pve[0].password, "env:PVE_PW");
	assert_string_equal(pve[0].ca_file, file);
	assert_string_equal(pve[0].ssh, "root@192.168.1.99");
	assert_string_equal(pve[0].state, "/srv/h");
	assert_int_equal(pve[0].critical_count, 3);
	assert_int_equal(pve[0].critical[0], 104);
	assert_int_equal(pve[0].critical[2], 999999999);
	assert_int_equal(pve[1].line, 5);
	assert_int_equal(pve[1].critical_count, 0);
	assert_string_equal(pve[2].fingerprint, PIN);
	assert_int_equal(pve[2].critical_count, 0);
	assert_null(config->warnings[0]);
	config_free(config);
}

static void urls_are_checked_for_sense_and_safety(void **state)
{
	static const struct {
		const char *url, *cure;
	} bad[] = {
		{"192.168.1.99:8006", "write https://192.168.1.99:8006"},
		{"pve.lan", "write https://pve.lan:8006"},
		{"ftp://pve", "unknown scheme"},
		{"http://192.168.1.99:8006", "write https://"},
		{"http://127.evil.org", "is refused"},
		{"http://localhost@evil:1", "holds a user"},
		{"https://", "names no host"},
		{"https://pve:0", "names no host"},
		{"https://pve:99999", "names no host"},
		{"https://-x:8006", "names no host"},
		{"https://root:pw@pve:8006", "token_id and token_secret"},
		{"https://pve:8006/api2/json", "remove what follows"},
		{"https://pve:8006/?a", "remove what follows"},
	};
	char text[300];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		STR_FORMAT(text, "proxmox:\n- name: pve\n  url: \"%s\"\n" LOGIN, bad[i].url);
		refused(text, "f.yaml:3: proxmox.url: ", bad[i].cure);
	}
	refused("proxmox:\n- name: pve\n" LOGIN, "f.yaml:2: proxmox.url: ", "is missing");
	struct config *config = good("proxmox:\n- url: https://pve\n" LOGIN, false);
	assert_true(str_starts(config->warnings[0], "f.yaml:2: proxmox.url: "));
	assert_non_null(strstr(config->warnings[0], "8006"));
	config_free(config);
}

static void there_is_one_way_to_log_in_and_it_is_whole(void **state)
{
	static const struct {
		const char *lines, *key, *cure;
		int line;
	} bad[] = {
		{"", "token_id", "pveum user token add", 2},
		{"  token_id: a@pve!b2\n", "token_id", "token_secret is missing", 3},
		{"  token_secret: secret:x\n", "token_secret", "token_id is missing", 3},
		{"  user: a@pve\n", "user", "password is missing", 3},
		{"  password: secret:x\n", "password", "user is missing", 3},
		{LOGIN "  user: a@pve\n  password: secret:x\n", "user", "remove user and password", 5},
		{LOGIN "  password: secret:x\n", "password", "remove it", 5},
		{"  user: a@pve\n  password: secret:x\n  token_secret: secret:y\n", "token_secret",
			"remove it", 5},
		{"  token_secret: secret:x\n  token_id: root@pam\n", "token_id", "root@pam!agent", 4},
		{"  token_secret: secret:x\n  token_id: root!agent\n", "token_id", "USER@REALM!NAME", 4},
		{"  token_secret: secret:x\n  token_id: agent\n", "token_id", "USER@REALM!NAME", 4},
		{"  token_secret: secret:x\n  token_id: '@pve!agent'\n", "token_id", "USER@REALM!NAME", 4},
		{"  token_secret: secret:x\n  token_id: 'a@pve!'\n", "token_id", "USER@REALM!NAME", 4},
		{"  token_secret: secret:x\n  token_id: 'a@pve\\!ag'\n", "token_id", "USER@REALM!NAME", 4},
		{"  token_secret: secret:x\n  token_id: 'a b@pve!ag'\n", "token_id", "USER@REALM!NAME", 4},
		{"  token_secret: secret:x\n  token_id: 'a@pve!a=b'\n", "token_id", "USER@REALM!NAME", 4},
		{"  password: secret:x\n  user: root\n", "user", "root@pam", 4},
	};
	char text[300], place[60];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		STR_FORMAT(text, URL "%s", bad[i].lines);
		STR_FORMAT(place, "f.yaml:%d: proxmox.%s: ", bad[i].line, bad[i].key);
		refused(text, place, bad[i].cure);
	}
}

static void a_secret_in_clear_needs_a_private_file(void **state)
{
	static const char clear[] = URL
		"  token_id: a@pve!b2\n  token_secret: 0e6c2f1a-1111-2222-3333-444455556666\n";
	refused(clear, "f.yaml:4: proxmox.token_secret: ", "chmod 600 f.yaml");
	assert_null(strstr(err.text, "0e6c2f1a"));
	struct config *config = good(clear, true);
	assert_true(str_starts(config->warnings[0], "f.yaml:4: proxmox.token_secret: "));
	assert_non_null(strstr(config->warnings[0], "homeostat secret set"));
	assert_null(strstr(config->warnings[0], "0e6c2f1a"));
	assert_null(config->warnings[1]);
	config_free(config);
	refused(URL "  user: a@pve\n  password: hunter2\n", "f.yaml:4: proxmox.password: ", "chmod");
	refused(URL "  token_id: a@pve!b2\n  token_secret: 'secret:'\n",
		"f.yaml:4: proxmox.token_secret: ", "a name");
	refused(URL "  token_id: a@pve!b2\n  token_secret: secret:../key\n",
		"f.yaml:4: proxmox.token_secret: ", "a name");
	refused(URL "  token_id: a@pve!b2\n  token_secret: env:A.B\n",
		"f.yaml:4: proxmox.token_secret: ", "letters, digits and _");
}

static void other_values_say_what_is_wrong(void **state)
{
	char text[300];
	refused("proxmox: pve\n", "f.yaml:1: proxmox: ", "- name: pve");
	refused("proxmox: [pve]\n", "f.yaml:1: proxmox: ", "section");
	refused(URL LOGIN "  fingerprnt: x\n", "f.yaml:5: proxmox.fingerprnt: ", "\"fingerprint\"");
	refused(URL LOGIN "  fingerprint: AB:CD\n", "f.yaml:5: proxmox.fingerprint: ", "pvenode cert");
	refused(URL LOGIN "  ca_file: /nonexistent/ca.pem\n",
		"f.yaml:5: proxmox.ca_file: ", "no such file");
	refused("proxmox:\n- url: http://127.0.0.1:8006\n" LOGIN "  fingerprint: '" PIN "'\n",
		"f.yaml:5: proxmox.fingerprint: ", "https:// only");
	refused(URL LOGIN "  ssh: -oProxyCommand=x\n", "f.yaml:5: proxmox.ssh: ", "root@192.168.1.99");
	refused(URL LOGIN "  ssh: root:pw@pve\n", "f.yaml:5: proxmox.ssh: ", "no password");
	refused(URL LOGIN "  critical: 104\n", "f.yaml:5: proxmox.critical: ", "[104, 101]");
	refused(URL LOGIN "  critical: [99]\n", "f.yaml:5: proxmox.critical: ", "from 100 to");
	refused(URL LOGIN "  critical:\n  - 104\n  - 1000000000\n",
		"f.yaml:7: proxmox.critical: ", "out of range");
	refused(URL LOGIN "  critical: [vpn]\n", "f.yaml:5: proxmox.critical: ", "no whole number");
	refused(URL LOGIN "  critical: [[104]]\n", "f.yaml:5: proxmox.critical: ", "is a list");
	refused(URL LOGIN "  critical: [104, 101, 104]\n", "f.yaml:5: proxmox.critical: ", "twice");
	STR_FORMAT(text, URL LOGIN "- name: pve\n  url: https://b:8006\n" LOGIN);
	refused(text, "f.yaml:5: proxmox.name: ", "in line 2");
	STR_FORMAT(text, URL LOGIN "- name: b\n  url: https://PVE:8006\n" LOGIN);
	refused(text, "f.yaml:6: proxmox.url: ", "as \"pve\" in line 2");
}

/* Opens a client by a secret as it is written in the file. */
static bool opens(const char *secret, const char *state_dir)
{
	struct clock *clock = clock_new_real();
	const struct config_proxmox config = {.name = "pve",
		.url = "https://127.0.0.1:1",
		.token_id = "a@pve!b2",
		.token_secret = secret,
		.state = state_dir};
	err = (struct err){0};
	struct proxmox *proxmox = proxmox_open(&config, clock, -1, &err);
	proxmox_close(proxmox);
	clock_free(clock);
	return proxmox != NULL;
}

static bool is_hidden(const char *value)
{
	char text[200];
	STR_FORMAT(text, "a %s b", value);
	redact(text, sizeof(text));
	return strstr(text, value) == NULL;
}

static void a_secret_reaches_the_client_however_it_is_kept(void **state)
{
	assert_false(opens("secret:pve", folder));
	assert_non_null(strstr(err.text, "proxmox pve: token_secret: "));
	assert_non_null(strstr(err.text, "homeostat secret set pve"));
	assert_false(is_hidden("kept-in-store"));
	assert_true(secret_set(folder, "pve", "kept-in-store", &err));
	assert_true(opens("secret:pve", folder));
	assert_true(is_hidden("kept-in-store"));
	assert_false(opens("secret:pve", NULL));
	unsetenv("HS_TEST_PVE");
	assert_false(opens("env:HS_TEST_PVE", folder));
	assert_non_null(strstr(err.text, "env:HS_TEST_PVE"));
	setenv("HS_TEST_PVE", "kept-in-environment", 1);
	assert_true(opens("env:HS_TEST_PVE", folder));
	assert_true(is_hidden("kept-in-environment"));
	assert_true(opens("written-in-clear", NULL));
	assert_true(is_hidden("written-in-clear"));
	setenv("HS_TEST_PVE", "two\nlines", 1);
	assert_false(opens("env:HS_TEST_PVE", folder));
	assert_null(strstr(err.text, "two"));
	secret_remove(folder, "pve", NULL);
}

static int make_folder(void **state)
{
	STR_SET(folder, "/tmp/test-config-pve-XXXXXX");
	unsetenv("CREDENTIALS_DIRECTORY");
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"ca.pem", "secret.key", "secrets"};
	char path[100];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		STR_FORMAT(path, "%s/%s", folder, names[i]);
		remove(path);
	}
	secret_done();
	redact_reset();
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_with_only_proxmox_is_enough),
		cmocka_unit_test(every_value_is_read),
		cmocka_unit_test(urls_are_checked_for_sense_and_safety),
		cmocka_unit_test(there_is_one_way_to_log_in_and_it_is_whole),
		cmocka_unit_test(a_secret_in_clear_needs_a_private_file),
		cmocka_unit_test(other_values_say_what_is_wrong),
		cmocka_unit_test(a_secret_reaches_the_client_however_it_is_kept),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
