/* What the redactor hides, what it leaves alone, and that it can be read while it learns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <pthread.h>
#include <sodium.h>

#include "base/redact.h"
#include "base/str.h"

static int teardown(void **state)
{
	(void)state;
	redact_reset();
	return 0;
}

static void becomes(const char *text, const char *want)
{
	char got[2000];
	STR_SET(got, text);
	redact(got, sizeof(got));
	if (strcmp(got, want) != 0)
		fail_msg("\n%s\nbecame\n%s\nnot\n%s", text, got, want);
	redact(got, sizeof(got));
	if (strcmp(got, want) != 0)
		fail_msg("\n%s\nbecame, the second time,\n%s", want, got);
}

static void own_values_are_hidden_in_every_form(void **state)
{
	(void)state;
	redact_register("p@ss w\"rd/9");
	redact_register("short");
	becomes("x p@ss w\"rd/9 y", "x [redacted] y");
	becomes("p@ss w\"rd/9p@ss w\"rd/9", "[redacted]");
	becomes("url p%40ss%20w%22rd%2F9 end", "url [redacted] end");
	becomes("url p%40ss%20w%22rd%2f9 end", "url [redacted] end");
	becomes("json p@ss w\\\"rd/9 end", "json [redacted] end");
	becomes("b64 cEBzcyB3InJkLzk end", "b64 [redacted]k end");
	becomes("short is kept", "short is kept");
}

/* "user:password" in base64, whatever the user's length. */
static void a_value_within_base64_is_hidden(void **state)
{
	(void)state;
	redact_register("correct-horse-77");
	for (size_t shift = 0; shift < 7; shift++) {
		char plain[64], text[128];
		STR_FORMAT(plain, "%.*scorrect-horse-77zz", (int)shift, "abcdefg");
		sodium_bin2base64(text, sizeof(text), (const unsigned char *)plain, strlen(plain),
			sodium_base64_VARIANT_ORIGINAL);
		redact(text, sizeof(text));
		assert_non_null(strstr(text, "[redacted]"));
		assert_null(strstr(text, "aG9yc2U")); /* "horse" */
	}
}

static void a_value_cut_by_the_texts_end_is_hidden(void **state)
{
	(void)state;
	redact_register("abcdefghijklmnop");
	becomes("tail abcdefgh", "tail [redacted]");
	becomes("tail abcde", "tail abcde");
}

static void overlapping_secrets_leave_nothing_between(void **state)
{
	(void)state;
	redact_register("hunter22 and more");
	redact_register("and more things");
	redact_register("password");
	becomes("x hunter22 and more things y", "x [redacted] y");
	becomes("my password=hunter22 and more!", "my [redacted]=[redacted]!");
	becomes("https://u:hunter22 and more@h", "https://u:[redacted]@h");
}

static void what_looks_like_a_secret_is_hidden(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{"https://user:pa:s@ss@host/x", "https://user:[redacted]@host/x"},
		{"postgresql://u:x@h/db?y", "postgresql://u:[redacted]@h/db?y"},
		{"https://0123456789abcdef0123@h", "https://[redacted]@h"},
		{"Authorization: Bearer abc.def-1", "Authorization: Bearer [redacted]"},
		{"authorization: basic dXNlcjpwYXNz\n", "authorization: basic [redacted]\n"},
		{"-H 'Authorization: PVEAPIToken=root@pam!x=12-ab' u", "-H 'Authorization: [redacted]' u"},
		{"PVEAPIToken=root@pam!x=12345678-ab next", "PVEAPIToken=[redacted] next"},
		{"{\"Authorization\":\"Bearer abcd\"}", "{\"Authorization\":\"Bearer [redacted]\"}"},
		{"Cookie: sid=ab12cd; theme=dark", "Cookie: [redacted]"},
		{"used Bearer abcdef0123456789 there", "used Bearer [redacted] there"},
		{"/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw_/getMe",
			"/bot123456789:[redacted]/getMe"},
		{"key sk-ant-api03-AbC_dEf-123 end", "key [redacted] end"},
		{"(ghp_abcdefghijklmnopqrst0123456789abcdef)", "([redacted])"},
		{"AKIAIOSFODNN7EXAMPLE", "[redacted]"},
		{"t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB9 x", "t [redacted] x"},
		{"a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nxyz=\n-----END RSA PRIVATE KEY-----\nb",
			"a\n[redacted]\nb"},
		{"-----BEGIN OPENSSH PRIVATE KEY-----\\nb3Blbn", "[redacted]"},
		{"password=hunter", "password=[redacted]"},
		{"DB_PASSWORD=Tr0ub4dor&3 x", "DB_PASSWORD=[redacted] x"},
		{"password: hunter", "password: [redacted]"},
		{"\"password\": \"a\\\"b c\", \"x\": 1", "\"password\": \"[redacted]\", \"x\": 1"},
		{"{\\\"token\\\":\\\"abc d\\\",\\\"n\\\":1}",
			"{\\\"token\\\":\\\"[redacted]\\\",\\\"n\\\":1}"},
		{"?access_token=abc&user=me", "?access_token=[redacted]&user=me"},
		{"client_secret: 'x y'", "client_secret: '[redacted]'"},
		{"api_key = a1b2c3d4", "api_key = [redacted]"},
		{"X-Api-Key: abcdef123456", "X-Api-Key: [redacted]"},
		{"key=AIzaSyA1234567890abcdefghijklmnopqrstuv", "key=[redacted]"},
		{"two password=aa token=bb", "two password=[redacted] token=[redacted]"},
		{"pwd=a", "pwd=[redacted]"},
		{"join --token abcdef.0123456789abcdef x", "join --token [redacted] x"},
		{"key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF", "key-data: [redacted]"},
		{"pub -u me -P Tr0ub4dor99 -t x", "pub -u me -P [redacted] -t x"},
		{"login with password 'Sommer2024!'", "login with password '[redacted]'"},
		{"<Password>hunter2</Password>", "<Password>[redacted]</Password>"},
		{"bind pw=Xk29!plmq", "bind pw=[redacted]"},
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		becomes(pairs[i][0], pairs[i][1]);
}

static void ordinary_text_is_left_alone(void **state)
{
	(void)state;
	static const char *const plain[] = {
		"homeostat.yaml:3: docker.ulr: unknown key: did you mean \"url\"?",
		"secret:proxmox is not set: run: homeostat secret set proxmox",
		"token_secret: secret:proxmox",
		"token: env:TOKEN",
		"password: ${PASSWORD}",
		"the token: expired an hour ago",
		"invalid password: it must be longer than 8",
		"password is required",
		"no password",
		"max_tokens=4096",
		"tokens: 100",
		"Docker container 'redis' exited: Exited (1) 2 minutes ago",
		"http://192.168.1.50:8096/health?key=value",
		"ssh://root@nas.lan:22",
		"a@b.c: hello",
		"sha256:4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865",
		"2026-11-23T16:30:15.123Z",
		"12:30:45",
		"monkey: banana",
		"sk-learn",
		"key: value",
		"unix:///var/run/docker.sock",
		"Basic authentication failed",
		"bearer of bad news: none",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
		"password==x",
		"public_key: abcdef0123456789abcdef",
		"scp -P 2222 host:/x",
		"password 'must' be longer",
		"--token requires a value",
		"ca: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUI=",
		"<Title>hunter2</Title>",
		"a->b>c",
		"risk-assessment-of-the-skeleton",
		"é😀: ß=ü",
		"docker_container_token-service: unhealthy",
		"{\"authorization\":\"required\"}",
	};
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		becomes(plain[i], plain[i]);
}

static void a_configuration_adds_globs_and_addresses_of_mail(void **state)
{
	(void)state;
	becomes("LIC-1234-AAAA of bob@example.org", "LIC-1234-AAAA of bob@example.org");
	assert_true(redact_add_glob("LIC-*-AAAA"));
	assert_true(redact_add_glob("literal-value"));
	assert_false(redact_add_glob("a*"));
	assert_false(redact_add_glob("*"));
	redact_emails(true);
	becomes("LIC-1234-AAAA, x=LIC-9-AAAA xLIC-9-AAAA", "[redacted], x=[redacted] xLIC-9-AAAA");
	becomes("a literal-value.", "a [redacted].");
	becomes("mail bob.b+x@mail.example.org. root@pam bob@nas @x.org",
		"mail [redacted]. root@pam bob@nas @x.org");
}

static void names(const char *text, char *got)
{
	str_copy(got, 400, text);
	redact_names(got, 400);
}

static void hosts_and_addresses_get_consistent_pseudonyms(void **state)
{
	(void)state;
	char one[400], two[400];
	assert_true(redact_add_host("nas.lan"));
	assert_true(redact_add_host("pve1"));
	names("pve1: 192.168.1.50:8006 via NAS.lan", one);
	names("PVE1: 192.168.1.50:8006 via nas.lan", two);
	assert_string_equal(one, two);
	assert_null(strstr(one, "192.168"));
	assert_non_null(strstr(one, ":8006 via host-"));
	assert_true(str_starts(one, "host-"));
	names("fe80::1 and FE80:0::1", one);
	assert_memory_equal(one, "ip-", 3);
	assert_memory_equal(one, strstr(one, "and ") + 4, strlen("ip-000000"));
	names("10.0.0.1", one);
	names("10.0.0.2", two);
	assert_string_not_equal(one, two);
	static const char *const kept[] = {"127.0.0.1 ::1 0.0.0.0 255.255.255.0", "version 1.2.3",
		"1.2.3.4.5", "12:30:45", "pve10 xpve1", "deadbeef", "a::b::c", ""};
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		names(kept[i], one);
		assert_string_equal(one, kept[i]);
	}
	char tight[9] = "10.0.0.1";
	redact_names(tight, sizeof(tight));
	assert_int_equal(strlen(tight), 8);
}

static void a_text_that_grows_is_cut_between_characters(void **state)
{
	(void)state;
	char tight[16] = "pwd=a é€";
	redact(tight, strlen("pwd=a é€") + 1);
	assert_string_equal(tight, "pwd=[redact");
	char cut[18] = "pwd=a b€€";
	redact(cut, sizeof(cut));
	assert_string_equal(cut, "pwd=[redacted] b");
	char none[1] = "";
	redact(none, 1);
	redact(none, 0);
	char unended[6] = {'a', 'b', 'c', 'd', 'e', 'f'};
	redact(unended, sizeof(unended));
	assert_string_equal(unended, "abcde");
}

static void *learn(void *arg)
{
	for (int i = 0; i < 100; i++) {
		char value[32];
		STR_FORMAT(value, "value-%s-%d", (const char *)arg, i);
		redact_register(value);
	}
	return NULL;
}

static void *speak(void *arg)
{
	for (int i = 0; i < 3000; i++) {
		char text[100] = "the value-known-0 and password=x";
		redact(text, sizeof(text));
		if (strcmp(text, "the [redacted] and password=[redacted]") != 0)
			return arg;
	}
	return NULL;
}

static void readers_and_registrars_need_no_lock(void **state)
{
	(void)state;
	pthread_t threads[4];
	char names[4][8] = {"a", "b", "c", "d"};
	redact_register("value-known-0");
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, i < 2 ? learn : speak, names[i]), 0);
	for (int i = 0; i < 4; i++) {
		void *wrong;
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	becomes("value-a-99 value-b-99", "[redacted] [redacted]");
}

/* Hostile texts must cost no more than a constant for each byte; CPU seconds, wide enough for a
 * sanitizer, far below a square. */
static void cost_is_linear_in_the_length(void **state)
{
	(void)state;
	enum { LENGTH = 1 << 20 };
	static const char *const units[] = {
		"://",
		"a://b:c@",
		"password=",
		"token=\"",
		"sk-ant-",
		"eyJabcdefghij.",
		"Cookie: a=1;",
		"-----BEGIN PRIVATE KEY-----",
		"Authorization: ",
		"1234567:",
		"bearer ",
		"secret:'",
		"\\\"key",
		"password=\\\"",
		"aaaaaa",
		"AKIA",
		"cookie: a1,",
		"$6$",
		"sig=a1",
		" -u a:",
		"hooks.slack.com/services/",
		"key a1b2c3d4e5f6g7h8i9 ",
		"key-0123456789abcdef",
		"Ma.",
	};
	redact_register("aaaaaaaaaaaaaaab");
	char *text = malloc(LENGTH + 1);
	clock_t start = clock();
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t size = strlen(units[i]), at = 0;
		for (; at + size < LENGTH; at += size)
			memcpy(text + at, units[i], size);
		text[at] = '\0';
		redact(text, LENGTH + 1);
	}
	free(text);
	assert_true((clock() - start) / CLOCKS_PER_SEC < 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(own_values_are_hidden_in_every_form, teardown),
		cmocka_unit_test_teardown(a_value_within_base64_is_hidden, teardown),
		cmocka_unit_test_teardown(a_value_cut_by_the_texts_end_is_hidden, teardown),
		cmocka_unit_test_teardown(overlapping_secrets_leave_nothing_between, teardown),
		cmocka_unit_test_teardown(what_looks_like_a_secret_is_hidden, teardown),
		cmocka_unit_test_teardown(ordinary_text_is_left_alone, teardown),
		cmocka_unit_test_teardown(a_configuration_adds_globs_and_addresses_of_mail, teardown),
		cmocka_unit_test_teardown(hosts_and_addresses_get_consistent_pseudonyms, teardown),
		cmocka_unit_test_teardown(a_text_that_grows_is_cut_between_characters, teardown),
		cmocka_unit_test_teardown(readers_and_registrars_need_no_lock, teardown),
		cmocka_unit_test_teardown(cost_is_linear_in_the_length, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
