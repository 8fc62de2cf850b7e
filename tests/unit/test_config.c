/* What the configuration promises: defaults, and for every mistake its line, its key and its cure.
 */
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

#include "base/file.h"
#include "base/str.h"
#include "model/config.h"

#define DOCKER "docker: [{name: local}]\n"

static struct err err;
static char folder[64];

static struct config *parse(const char *text, bool is_private)
{
	err = (struct err){0};
	return config_parse("f.yaml", text, strlen(text), is_private, &err);
}

static struct config *good(const char *text)
{
	struct config *config = parse(text, false);
	if (config == NULL)
		fail_msg("%s\nrefused: %s", text, err.text);
	return config;
}

/* place: "f.yaml:3: docker.url:"; then, anywhere behind it, the cure. */
static void refused(const char *text, const char *place, const char *cure)
{
	struct config *config = parse(text, false);
	if (config != NULL)
		fail_msg("accepted: %s", text);
	assert_int_equal(err.kind, ERR_INPUT);
	if (!str_starts(err.text, place) || strstr(err.text, cure) == NULL)
		fail_msg("%s\nwanted \"%s … %s\"\ngot    \"%s\"", text, place, cure, err.text);
}

static void the_smallest_file_has_every_default(void **state)
{
	(void)state;
	struct config *config = good("docker:\n  - name: local\n");
	const struct config_brakes *brakes = &config->brakes;
	assert_int_equal(config->interval_ms, 60000);
	assert_int_equal(config->healing, HEALING_OFF);
	assert_string_equal(config->state, "/var/lib/homeostat");
	assert_string_equal(config->listen, "127.0.0.1:9095");
	assert_null(config->control);
	assert_int_equal(config->docker_count, 1);
	assert_string_equal(config->docker[0].name, "local");
	assert_string_equal(config->docker[0].url, "unix:///var/run/docker.sock");
	assert_null(config->docker[0].ca_file);
	assert_int_equal(config->docker[0].line, 2);
	assert_int_equal(config->policy_count, 0);
	assert_int_equal(brakes->budget, 5);
	assert_int_equal(brakes->budget_ms, 600000);
	assert_int_equal(brakes->backoff_min_ms, 10000);
	assert_int_equal(brakes->backoff_max_ms, 300000);
	assert_int_equal(brakes->backoff_reset_ms, 600000);
	assert_int_equal(brakes->concurrent, 4);
	assert_int_equal(brakes->hourly, 60);
	assert_int_equal(brakes->storm, 3);
	assert_int_equal(brakes->storm_ms, 5000);
	assert_int_equal(brakes->settle_ms, 10000);
	assert_int_equal(brakes->verify_ms, 120000);
	assert_int_equal(brakes->approval_ms, 3600000);
	assert_int_equal(brakes->recent_exit_ms, 600000);
	assert_int_equal(brakes->unreachable_ms, 10000);
	assert_null(config->warnings[0]);
	config_free(config);
}

static void every_value_is_read(void **state)
{
	(void)state;
	struct config *config = good(
		"interval: 5s\nautohealing: shadow\nstate: /srv/h\nlisten: \"[::1]:0\"\ncontrol: /run/c\n"
		"docker:\n  - {name: a, url: 'unix:///run/a.sock'}\n"
		"  - {name: b, url: 'ssh://root@nas-1.lan:2222'}\n  - {name: c, url: "
		"'http://127.0.0.1:2375'}\n"
		"policy:\n  - match: {component: 'docker_container_postgres*', source: 'docker:*'}\n"
		"    risk: HIGH\n"
		"  - match: {action: docker.container.restart, component: docker_container_vpn}\n"
		"    then: ask\n"
		"  - {match: {action: docker.container.stop, component: x*}, then: auto, risk: medium}\n"
		"brakes: {budget: 2 per 1h, backoff: 1s..2s, concurrent: 1, storm: 9 in 1m, settle: 0s}\n");
	assert_int_equal(config->interval_ms, 5000);
	assert_int_equal(config->healing, HEALING_SHADOW);
	assert_string_equal(config->listen, "[::1]:0");
	assert_string_equal(config->control, "/run/c");
	assert_int_equal(config->docker_count, 3);
	assert_string_equal(config->docker[1].url, "ssh://root@nas-1.lan:2222");
	assert_int_equal(config->docker[2].line, 9);
	assert_int_equal(config->policy_count, 3);
	assert_string_equal(config->policy[0].component, "docker_container_postgres*");
	assert_true(config->policy[0].has_risk && config->policy[0].risk == RISK_HIGH);
	assert_int_equal(config->policy[0].then, CONSENT_DEFAULT);
	assert_null(config->policy[0].action);
	assert_int_equal(config->policy[1].then, CONSENT_ASK);
	assert_false(config->policy[1].has_risk);
	assert_int_equal(config->policy[1].line, 13);
	assert_int_equal(config->policy[2].then, CONSENT_AUTO);
	assert_int_equal(config->brakes.budget, 2);
	assert_int_equal(config->brakes.budget_ms, 3600000);
	assert_int_equal(config->brakes.backoff_max_ms, 2000);
	assert_int_equal(config->brakes.storm_ms, 60000);
	assert_int_equal(config->brakes.settle_ms, 0);
	assert_int_equal(config->brakes.hourly, 60);
	config_free(config);
}

static void an_unknown_key_names_the_nearest(void **state)
{
	(void)state;
	refused(DOCKER "intervall: 5s\n", "f.yaml:2: intervall: ", "did you mean \"interval\"?");
	refused("dokcer: []\n", "f.yaml:1: dokcer: ", "\"docker\"");
	refused("docker:\n  - name: a\n    ulr: x\n", "f.yaml:3: docker.ulr: ", "\"url\"");
	refused(DOCKER "brakes:\n  strom: 3 in 5s\n", "f.yaml:3: brakes.strom: ", "\"storm\"");
	refused(DOCKER "policy: [{match: {compnent: x}}]\n",
		"f.yaml:2: policy.match.compnent: ", "\"component\"");
	refused(DOCKER "qqqqqq: 1\n", "f.yaml:2: qqqqqq: ", "known here: interval, autohealing");
	refused(DOCKER "docker.name: x\n", "f.yaml:2: docker.name: ", "unknown key");
}

#define CLAUDE DOCKER "claude:\n  api_key: secret:a\n  model: claude-haiku-5-5\n"

static void a_model_is_configured_with_its_limits(void **state)
{
	(void)state;
	struct config *config = good(CLAUDE "  daily_budget_usd: 0.25\n  deadline: 20s\n");
	assert_string_equal(config->claude->api_url, "https://api.anthropic.com");
	assert_true(config->claude->usd_a_day > 0.2499 && config->claude->usd_a_day < 0.2501);
	assert_int_equal(config->claude->deadline_ms, 20000);
	config_free(config);
	config = good(DOCKER "claude: { provider: openai, model: qwen3:8b, api_url: "
						 "\"http://127.0.0.1:11434/v1\" }\n");
	assert_null(config->claude->api_key);
	config_free(config);
	refused(CLAUDE "  daily_budget_usd: lots\n", "f.yaml:5: claude.daily_budget_usd: ", "as 1.00");
	refused(CLAUDE "  daily_budget_usd: nan\n", "f.yaml:5: claude.daily_budget_usd: ", "as 1.00");
	refused(CLAUDE "  api_url: http://10.0.0.1\n", "f.yaml:5: claude.api_url: ", "https://");
	refused(CLAUDE "  provider: google\n", "f.yaml:5: claude.provider: ", "anthropic or openai");
	refused(DOCKER "claude: { model: x }\n", "f.yaml:2: claude.api_key: ", "secret set anthropic");
	refused(
		DOCKER "claude: { api_key: secret:a }\n", "f.yaml:2: claude.model: ", "claude-haiku-5-5");
	refused(
		DOCKER "claude: { provider: openai, model: x }\n", "f.yaml:2: claude.api_url: ", "11434");
}

static void what_is_hidden_besides_is_configured(void **state)
{
	(void)state;
	struct config *config = good(
		DOCKER "redact: { patterns: [\"acme-*\"], hosts: [nas], names: true, emails: true }\n");
	assert_string_equal(config->redact.patterns[0], "acme-*");
	assert_null(config->redact.patterns[1]);
	assert_string_equal(config->redact.hosts[0], "nas");
	assert_true(config->redact.names && config->redact.emails);
	config_free(config);
	refused(DOCKER "redact: { patterns: [\"a*b\"] }\n", "f.yaml:2: redact.patterns: ", "general");
	refused(DOCKER "redact: { hosts: nas }\n", "f.yaml:2: redact.hosts: ", "list");
	refused(DOCKER "redact: yes\n", "f.yaml:2: redact: ", "section");
	refused(DOCKER "mcp: [{ name: a, url: \"http://127.0.0.1/mcp\", container: far/b }]\n",
		"f.yaml:2: mcp.container: ", "no engine");
	refused(DOCKER "learn: 15\n", "f.yaml:2: learn: ", "section");
	refused(DOCKER "policy: [{ match: { component: a }, then: ask, proven: 80 }]\n",
		"f.yaml:2: policy.proven: ", "then: auto");
}

static void what_comes_later_is_refused_not_ignored(void **state)
{
	(void)state;
	static const char *const later[] = {"store"};
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		char text[100], place[40];
		STR_FORMAT(text, DOCKER "%s: x\n", later[i]);
		STR_FORMAT(place, "f.yaml:2: %s: ", later[i]);
		refused(text, place, "does not support it yet");
	}
	refused(DOCKER "telegramm: x\n", "f.yaml:2: telegramm: ", "\"telegram\"");
}

static void wrong_types_show_how_to_write_it(void **state)
{
	(void)state;
	refused(DOCKER "interval: soon\n", "f.yaml:2: interval: ", "60s");
	refused(DOCKER "interval: [5]\n", "f.yaml:2: interval: ", "list");
	refused(DOCKER "interval: {a: 1}\n", "f.yaml:2: interval: ", "section");
	refused(DOCKER "interval:\n", "f.yaml:2: interval: ", "has no value");
	refused(DOCKER "autohealing: yes\n", "f.yaml:2: autohealing: ", "false, true or shadow");
	refused(DOCKER "state: data\n", "f.yaml:2: state: ", "beginning with /");
	refused(DOCKER "state: /\n", "f.yaml:2: state: ", "/var/lib/homeostat");
	refused(DOCKER "control: c.sock\n", "f.yaml:2: control: ", "beginning with /");
	refused(DOCKER "listen: 9095\n", "f.yaml:2: listen: ", "127.0.0.1:9095");
	refused(DOCKER "listen: ::1:90\n", "f.yaml:2: listen: ", "[::1]");
	refused(DOCKER "listen: a:70000\n", "f.yaml:2: listen: ", "address:port");
	refused(DOCKER "brakes: []\n", "f.yaml:2: brakes: ", "section");
	refused(DOCKER "brakes:\n  budget: 5\n", "f.yaml:3: brakes.budget: ", "5 per 10m");
	refused(DOCKER "brakes:\n  budget: 5 per\n", "f.yaml:3: brakes.budget: ", "5 per 10m");
	refused(DOCKER "brakes:\n  budget: 5 per 10m now\n", "f.yaml:3: brakes.budget: ", "5 per 10m");
	refused(DOCKER "brakes:\n  budget: 5 per never\n", "f.yaml:3: brakes.budget: ", "5 per 10m");
	refused(DOCKER "brakes:\n  backoff: 10s\n", "f.yaml:3: brakes.backoff: ", "10s..300s");
	refused(DOCKER "brakes:\n  backoff: 9s..x\n", "f.yaml:3: brakes.backoff: ", "60s");
	refused(DOCKER "brakes:\n  storm: many\n", "f.yaml:3: brakes.storm: ", "3 in 5s");
	refused(DOCKER "brakes:\n  concurrent: two\n", "f.yaml:3: brakes.concurrent: ", "4");
	refused("docker: local\n", "f.yaml:1: docker: ", "- name: local");
	refused("docker: {name: local}\n", "f.yaml:1: docker: ", "list");
	refused("docker: [local]\n", "f.yaml:1: docker: ", "section");
	refused(DOCKER "policy: {}\n", "f.yaml:2: policy: ", "list");
	refused("just text\n", "f.yaml:1: ", "key: value");
	refused(DOCKER "interval: \"5s\\n\"\n", "f.yaml:2: interval: ", "control character");
	refused(DOCKER "interval: 5s\ninterval: 6s\n", "f.yaml:3: interval: ", "line 2");
	refused(DOCKER "interval: *x\n", "f.yaml:2: ", "alias");
}

static void impossible_values_name_their_bounds(void **state)
{
	(void)state;
	refused(DOCKER "interval: 500ms\n", "f.yaml:2: interval: ", "from 1s to 3600s");
	refused(DOCKER "interval: 2d\n", "f.yaml:2: interval: ", "out of range");
	refused(DOCKER "brakes:\n  budget: 0 per 10m\n", "f.yaml:3: brakes.budget: ", "from 1 to 100");
	refused(DOCKER "brakes:\n  backoff: 60s..10s\n", "f.yaml:3: brakes.backoff: ", "swap");
	refused(DOCKER "brakes:\n  concurrent: 0\n", "f.yaml:3: brakes.concurrent: ", "from 1 to 64");
	refused(DOCKER "brakes:\n  hourly: -1\n", "f.yaml:3: brakes.hourly: ", "from 1");
	refused(DOCKER "brakes:\n  storm: 3 in 0s\n", "f.yaml:3: brakes.storm: ", "3 in 5s");
	refused("docker:\n- name: \"\"\n", "f.yaml:2: docker.name: ", "no value");
	refused("docker:\n- name: a b\n", "f.yaml:2: docker.name: ", "letters");
	refused("docker:\n- name: a\n- name: a\n", "f.yaml:3: docker.name: ", "in line 2");
}

static void urls_are_checked_for_sense_and_safety(void **state)
{
	(void)state;
	static const struct {
		const char *url, *cure;
	} bad[] = {
		{"/var/run/docker.sock", "unix:///var/run/docker.sock"},
		{"localhost:2375", "no scheme"},
		{"unix://docker.sock", "whole path"},
		{"tcp://nas:2376", "https://nas:2376"},
		{"ftp://nas", "unknown scheme"},
		{"http://nas:2375", "without TLS"},
		{"http://127.evil.org:2375", "without TLS"},
		{"http://localhost@evil:1", "without TLS"},
		{"https://", "names no host"},
		{"https://nas:99999", "names no host"},
		{"https://nas:x", "names no host"},
		{"https://nas/v1.41", "remove what follows"},
		{"ssh://-oProxyCommand=x", "names no host"},
		{"ssh://-l@nas", "names no host"},
		{"ssh://root@", "names no host"},
		{"ssh://a:pw@nas", "no password"},
		{"https://u:pw@nas:2376", "chmod 600"},
		{"ssh://a b", "names no host"},
	};
	static const char *const fine[] = {"unix:///run/podman/podman.sock", "https://nas.lan:2376",
		"https://[fe80::1]:2376", "ssh://root@nas", "ssh://nas:22", "http://[::1]:1",
		"http://localhost:2375/"};
	char text[200];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		STR_FORMAT(text, "docker:\n- url: \"%s\"\n", bad[i].url);
		refused(text, "f.yaml:2: docker.url: ", bad[i].cure);
	}
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		STR_FORMAT(text, "docker:\n- url: \"%s\"\n", fine[i]);
		config_free(good(text));
	}
}

static void a_password_in_a_url_needs_a_private_file(void **state)
{
	(void)state;
	struct config *config = parse("docker:\n- url: https://u:pw@nas:2376\n", true);
	assert_non_null(config);
	assert_true(str_starts(config->warnings[0], "f.yaml:2: docker.url: "));
	assert_non_null(strstr(config->warnings[0], "clear text"));
	assert_null(config->warnings[1]);
	config_free(config);
}

static void tls_keys_must_fit_together(void **state)
{
	(void)state;
	char text[400], file[100];
	STR_FORMAT(file, "%s/pem", folder);
	assert_true(file_write(file, "x", 1, NULL));
	refused("docker:\n- url: https://nas\n  ca_file: ca.pem\n",
		"f.yaml:3: docker.ca_file: ", "beginning with /");
	refused("docker:\n- url: https://nas\n  ca_file: /nonexistent/ca.pem\n",
		"f.yaml:3: docker.ca_file: ", "no such file");
	STR_FORMAT(text, "docker:\n- {url: https://nas, ca_file: %s}\n", folder);
	refused(text, "f.yaml:2: docker.ca_file: ", "not a regular file");
	STR_FORMAT(text, "docker:\n- {url: https://nas, cert_file: %s}\n", file);
	refused(text, "f.yaml:2: docker: ", "key_file is missing");
	STR_FORMAT(text, "docker:\n- {ca_file: %s}\n", file);
	refused(text, "f.yaml:2: docker: ", "https:// only");
	refused("docker:\n- {url: https://nas, fingerprint: 'AB:CD'}\n",
		"f.yaml:2: docker.fingerprint: ", "32 pairs");
	STR_FORMAT(text,
		"docker:\n- {url: https://nas, cert_file: %s, key_file: %s, fingerprint: '%s'}\n", file,
		file, "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF");
	config_free(good(text));
}

static void a_rule_that_would_let_too_much_run_is_refused(void **state)
{
	(void)state;
	refused(DOCKER "policy:\n- {match: {action: docker.*, component: x}, then: auto}\n",
		"f.yaml:3: policy.then: rule 1: ", "wildcard");
	refused(DOCKER "policy:\n- {match: {component: a}, then: never}\n"
				   "- {match: {action: docker.container.stop}, then: auto}\n",
		"f.yaml:4: policy.then: rule 2: ", "both");
	refused(DOCKER "policy:\n- {match: {component: x}, then: auto}\n",
		"f.yaml:3: policy.then: rule 1: ", "both");
	refused(DOCKER "policy:\n- {match: {action: a.b, component: x}, then: auto, risk: high}\n",
		"f.yaml:3: policy.then: rule 1: ", "never runs by itself");
	refused(DOCKER "policy:\n- {match: {action: a.b, component: '*'}, then: auto}\n",
		"f.yaml:3: policy.then: rule 1: ", "every component");
	refused(DOCKER "policy:\n- {match: {component: x}}\n", "f.yaml:3: policy: rule 1 does nothing",
		"add risk");
	refused(DOCKER "policy:\n- {then: ask}\n", "f.yaml:3: policy.match: rule 1: ", "match:");
	refused(DOCKER "policy:\n- {match: {}, then: ask}\n",
		"f.yaml:3: policy.match: rule 1: ", "matches everything");
	refused(DOCKER "policy:\n- {match: {component: x}, then: maybe}\n",
		"f.yaml:3: policy.then: ", "auto, ask or never");
	refused(DOCKER "policy:\n- {match: {component: x}, risk: huge}\n",
		"f.yaml:3: policy.risk: ", "low, medium or high");
	refused(DOCKER "policy:\n- {match: {component: 'a b'}, then: ask}\n",
		"f.yaml:3: policy.match.component: ", "wildcards");
	refused(DOCKER "policy: [x]\n", "f.yaml:2: policy: rule 1: ", "section");
}

static void maintenance_and_heartbeat_say_when_and_what(void **state)
{
	(void)state;
	struct config *config = good(DOCKER "maintenance:\n- {match: {host: pve}, cron: \"0 3 * * 0\", "
										"for: 2h}\n- {cron: \"@daily\"}\n");
	assert_int_equal(config->maintenance_count, 2);
	assert_string_equal(config->maintenance[0].host, "pve");
	assert_int_equal(config->maintenance[0].for_ms, 7200000);
	assert_true(config->maintenance[0].cron.hours == 1 << 3);
	assert_null(config->maintenance[1].host);
	assert_int_equal(config->maintenance[1].for_ms, 3600000);
	config_free(config);
	refused(DOCKER "heartbeat: x\n", "f.yaml:2: heartbeat: ", "must be a section");
	refused(DOCKER "heartbeat: {every: 1m}\n", "f.yaml:2: heartbeat.url: ", "give the address");
	refused(DOCKER "heartbeat: {url: hc-ping.com}\n", "f.yaml:2: heartbeat.url: ", "https://");
	refused(DOCKER "maintenance: x\n", "f.yaml:2: maintenance: ", "must be a list");
	refused(DOCKER "maintenance:\n- {for: 2h}\n", "f.yaml:3: maintenance.cron: ", "0 3 * * 0");
	refused(DOCKER "maintenance:\n- {cron: \"0 25 * * *\"}\n",
		"f.yaml:3: maintenance.cron: ", "\"25\" is no hour: from 0 to 23");
	refused(DOCKER "maintenance:\n- {cron: \"@daily\", for: 8d}\n",
		"f.yaml:3: maintenance.for: ", "out of range");
	refused(DOCKER "maintenance:\n- {cron: \"@daily\", match: pve}\n",
		"f.yaml:3: maintenance.match: ", "{ host: pve }");
	refused(DOCKER "maintenance:\n- {cron: \"@daily\", match: {hots: pve}}\n",
		"f.yaml:3: maintenance.match.hots: ", "\"host\"");
}

static void no_source_shows_the_smallest_file(void **state)
{
	(void)state;
	refused("", "f.yaml:1: docker: ", "docker: [{ name: local }]");
	refused("docker: []\n", "f.yaml:1: docker: ", "docker: [{ name: local }]");
	config_free(good("docker: [{ name: local }]\n"));
}

static void thirty_two_engines_are_read_and_more_refused(void **state)
{
	(void)state;
	char text[2000] = "docker:\n";
	for (int i = 0; i < 32; i++)
		sprintf(text + strlen(text), "- name: n%d\n", i);
	config_free(good(text));
	strcat(text, "- name: more\n");
	refused(text, "f.yaml:34: docker: ", "more than 32");
}

static void files_that_cannot_be_read_say_why(void **state)
{
	(void)state;
	char path[100], text[100];
	STR_FORMAT(path, "%s/none.yaml", folder);
	assert_null(config_load(path, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "there is no such file"));
	assert_non_null(strstr(err.text, "-c FILE"));
	assert_null(config_load(folder, &err));
	assert_non_null(strstr(err.text, "not a regular file"));
	STR_FORMAT(path, "%s/ok.yaml", folder);
	STR_FORMAT(text, "docker:\n- url: https://u:pw@nas:2376\n");
	assert_true(file_write(path, text, strlen(text), NULL));
	struct config *config = config_load(path, &err);
	assert_non_null(config);
	assert_string_equal(config->file, path);
	config_free(config);
	assert_int_equal(chmod(path, 0644), 0);
	assert_null(config_load(path, &err));
	assert_non_null(strstr(err.text, "chmod 600"));
}

static void the_example_is_read(void **state)
{
	(void)state;
	struct config *config = config_load(SOURCE_ROOT "/examples/homeostat.yaml", &err);
	if (config == NULL)
		fail_msg("%s", err.text);
	struct config *plain = good(DOCKER);
	assert_memory_equal(&config->brakes, &plain->brakes, sizeof(config->brakes));
	assert_null(config->warnings[0]);
	config_free(plain);
	config_free(config);
}

/* Text as mdoc(7) wants it: a sentence begins a line, lines are short, no word is taken for a
 * request. */
static void add_mdoc(struct str *str, const char *text)
{
	size_t column = 0;
	while (*text != '\0') {
		size_t word = strcspn(text, " ");
		if (column > 0 && column + 1 + word > 78)
			column = 0;
		if (str->len > 0 && str->s[str->len - 1] != '\n')
			str_addc(str, column == 0 ? '\n' : ' ');
		str_addf(str, "%s%.*s", *text == '.' || *text == '\'' ? "\\&" : "", (int)word, text);
		column = text[word] == ' ' && strchr(".;", text[word - 1]) != NULL ? 0 : column + word + 1;
		text += word + (text[word] == ' ');
	}
	str_addc(str, '\n');
}

static void add_key(struct str *str, const struct config_key *key)
{
	str_addf(str, ".It Ic %s Pq %s\n", key->path, key->type);
	add_mdoc(str, key->summary);
	if (key->otherwise[0] != '\0')
		str_addf(str, "Default:\n.Ql \"%s\" .\n", key->otherwise);
}

static const char begin_mark[] = ".\\\" keys: begin\n", end_mark[] = ".\\\" keys: end\n";

/* UPDATE_MAN=1 writes the manual's table of keys anew, from the program's. */
static void the_manual_has_the_table_of_keys(void **state)
{
	(void)state;
	static const char path[] = SOURCE_ROOT "/man/homeostat.conf.5";
	auto_arena arena = arena_new(1 << 20);
	struct file file;
	struct str want, page;
	int count;
	str_init(&want, arena);
	const struct config_key *keys = config_keys(&count);
	str_add(&want, ".Bl -tag -width Ds\n");
	for (int i = 0; i < count; i++)
		add_key(&want, &keys[i]);
	str_add(&want, ".El\n");
	assert_true(file_read(arena, path, 1 << 18, &file, &err));
	char *begin = strstr(file.bytes, begin_mark), *end = strstr(file.bytes, end_mark);
	assert_true(begin != NULL && end != NULL && begin < end);
	begin += strlen(begin_mark);
	if (getenv("UPDATE_MAN") != NULL) {
		str_init(&page, arena);
		str_addn(&page, file.bytes, (size_t)(begin - file.bytes));
		str_add(&page, want.s);
		str_add(&page, end);
		FILE *out = fopen(path, "w");
		assert_non_null(out);
		fputs(page.s, out);
		assert_int_equal(fclose(out), 0);
		return;
	}
	*end = '\0';
	assert_string_equal(begin, want.s);
}

static void the_control_socket_has_a_default(void **state)
{
	(void)state;
	auto_arena arena = arena_new(4096);
	assert_true(str_ends(config_control_default(arena), "/homeostat/control.sock"));
}

static int make_folder(void **state)
{
	(void)state;
	STR_SET(folder, "/tmp/test-config-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
	(void)state;
	auto_arena arena = arena_new(1 << 16);
	const char **names = file_list(arena, folder, &err);
	for (; names != NULL && *names != NULL; names++)
		file_remove(arena_printf(arena, "%s/%s", folder, *names), NULL);
	return rmdir(folder);
}

static void mcp_servers_are_started_or_reached(void **state)
{
	(void)state;
	struct config *config = good("mcp:\n"
								 "  - name: files\n    command: [npx, -y, \"@a/b\", /srv]\n"
								 "    env: {HOME: /srv, GITHUB_TOKEN: 'secret:github'}\n"
								 "  - {name: home, url: 'http://127.0.0.1:8811/mcp', token: "
								 "'env:T', timeout: 2s}\n");
	assert_int_equal(config->docker_count, 0);
	assert_int_equal(config->mcp_count, 2);
	assert_string_equal(config->mcp[0].name, "files");
	assert_string_equal(config->mcp[0].command[3], "/srv");
	assert_null(config->mcp[0].command[4]);
	assert_string_equal(config->mcp[0].env[1], "GITHUB_TOKEN=secret:github");
	assert_null(config->mcp[0].env[2]);
	assert_null(config->mcp[0].url);
	assert_int_equal(config->mcp[0].timeout_ms, 10000);
	assert_int_equal(config->mcp[0].line, 2);
	assert_null(config->mcp[1].command);
	assert_string_equal(config->mcp[1].url, "http://127.0.0.1:8811/mcp");
	assert_string_equal(config->mcp[1].token, "env:T");
	assert_int_equal(config->mcp[1].timeout_ms, 2000);
	assert_int_equal(config->mcp[1].line, 5);
	assert_null(config->warnings[0]);
	config_free(config);
}

#define MCP "mcp:\n  - name: a\n"

static void an_engine_may_live_in_a_guest_of_a_cluster_that_is_watched(void **state)
{
#define PVE(name) \
	"  - {name: " name ", url: 'https://" name ":8006', user: a@pve, password: 'env:X'}\n"
#define ENGINE(more) "docker:\n  - {name: lab, url: 'ssh://a@lab', " more "}\n"
	struct config *config = good(ENGINE("guest: 104") "proxmox:\n" PVE("home"));
	assert_int_equal(config->docker[0].guest, 104);
	config_free(config);
	config = good(ENGINE("guest: 104, cluster: away") "proxmox:\n" PVE("home") PVE("away"));
	assert_string_equal(config->docker[0].cluster, "away");
	config_free(config);
	refused(ENGINE("guest: 104"), "f.yaml:2: docker.guest:", "no proxmox: section is there");
	refused(ENGINE("guest: 104") "proxmox:\n" PVE("home") PVE("away"),
		"f.yaml:2: docker.guest:", "write cluster:");
	refused(ENGINE("guest: 104, cluster: hoem") "proxmox:\n" PVE("home"),
		"f.yaml:2: docker.cluster:", "is no name of a proxmox section");
	refused(ENGINE("cluster: home") "proxmox:\n" PVE("home"),
		"f.yaml:2: docker.cluster:", "write guest: 104");
	refused(ENGINE("guest: 99") "proxmox:\n" PVE("home"), "f.yaml:2: docker.guest:", "100");
}

static void mcp_mistakes_name_their_cure(void **state)
{
	(void)state;
	refused("mcp: files\n", "f.yaml:1: mcp: ", "- name: files");
	refused("mcp: [x]\n", "f.yaml:1: mcp: ", "section");
	refused("mcp:\n  - url: http://a/mcp\n", "f.yaml:2: mcp.name: ", "is missing");
	refused(MCP, "f.yaml:2: mcp: ", "command: (it is started) or a url:");
	refused(MCP "    url: http://a/\n    command: [x]\n", "f.yaml:2: mcp: ", "either");
	refused(MCP "    command: npx -y x\n", "f.yaml:3: mcp.command: ", "list of words");
	refused(MCP "    command: []\n", "f.yaml:3: mcp.command: ", "list of words");
	refused(MCP "    command: [[x]]\n", "f.yaml:3: mcp.command: ", "word 1");
	refused(MCP "    command: [\"a\\nb\"]\n", "f.yaml:3: mcp.command: ", "control");
	refused(MCP "    command: [A=1, x]\n", "f.yaml:3: mcp.command: ", "env:");
	refused(MCP "    command: [x]\n    token: 'env:T'\n", "f.yaml:4: mcp.token: ", "env:");
	refused(MCP "    url: http://a/\n    env: {A: b}\n", "f.yaml:4: mcp.env: ", "command: only");
	refused(MCP "    command: [x]\n    env: {A-B: b}\n", "f.yaml:4: mcp.env: ", "letters");
	refused(MCP "    command: [x]\n    env: {A: [b]}\n", "f.yaml:4: mcp.env: ", "single text");
	refused(MCP "    url: ftp://a/\n", "f.yaml:2: mcp.url: ", "https://host/mcp");
	refused(MCP "    url: http:///mcp\n", "f.yaml:2: mcp.url: ", "names no host");
	refused(MCP "    url: https://u:p@a/mcp\n", "f.yaml:2: mcp.url: ", "token: secret:a");
	refused(MCP "    url: https://a/mcp?key=1\n", "f.yaml:2: mcp.url: ", "token: secret:a");
	refused(MCP "    url: http://a/\n    timeout: 1ms\n", "f.yaml:4: mcp.timeout: ", "from 100ms");
	refused(MCP "    url: http://a/\n    tokn: x\n", "f.yaml:4: mcp.tokn: ", "\"token\"");
	refused(MCP "    url: http://a/\n  - {name: a, url: 'http://b/'}\n",
		"f.yaml:4: mcp.name: ", "in line 2");
}

static void mcp_secrets_are_not_written_where_others_read(void **state)
{
	(void)state;
	static const char token[] = MCP "    url: https://a/mcp\n    token: hunter22\n";
	static const char variable[] = MCP "    command: [x]\n    env: {API_KEY: hunter22}\n";
	refused(token, "f.yaml:4: mcp.token: ", "homeostat secret set a");
	assert_null(strstr(err.text, "hunter22"));
	refused(variable, "f.yaml:4: mcp.env: ", "homeostat secret set a");
	assert_null(strstr(err.text, "hunter22"));
	refused(MCP "    url: https://a/mcp\n    token: 'secret:a/b'\n",
		"f.yaml:4: mcp.token: ", "secret:NAME");
	struct config *config = parse(token, true);
	assert_non_null(config);
	assert_non_null(strstr(config->warnings[0], "f.yaml:4: mcp.token: "));
	assert_null(strstr(config->warnings[0], "hunter22"));
	config_free(config);
	config = good(MCP "    url: http://192.168.1.5/mcp\n    token: 'secret:a'\n");
	assert_non_null(strstr(config->warnings[0], "clear text over the network"));
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_file_has_every_default),
		cmocka_unit_test(every_value_is_read),
		cmocka_unit_test(an_unknown_key_names_the_nearest),
		cmocka_unit_test(a_model_is_configured_with_its_limits),
		cmocka_unit_test(what_is_hidden_besides_is_configured),
		cmocka_unit_test(what_comes_later_is_refused_not_ignored),
		cmocka_unit_test(wrong_types_show_how_to_write_it),
		cmocka_unit_test(impossible_values_name_their_bounds),
		cmocka_unit_test(mcp_servers_are_started_or_reached),
		cmocka_unit_test(an_engine_may_live_in_a_guest_of_a_cluster_that_is_watched),
		cmocka_unit_test(mcp_mistakes_name_their_cure),
		cmocka_unit_test(mcp_secrets_are_not_written_where_others_read),
		cmocka_unit_test(urls_are_checked_for_sense_and_safety),
		cmocka_unit_test(a_password_in_a_url_needs_a_private_file),
		cmocka_unit_test(tls_keys_must_fit_together),
		cmocka_unit_test(a_rule_that_would_let_too_much_run_is_refused),
		cmocka_unit_test(maintenance_and_heartbeat_say_when_and_what),
		cmocka_unit_test(no_source_shows_the_smallest_file),
		cmocka_unit_test(thirty_two_engines_are_read_and_more_refused),
		cmocka_unit_test(files_that_cannot_be_read_say_why),
		cmocka_unit_test(the_example_is_read),
		cmocka_unit_test(the_manual_has_the_table_of_keys),
		cmocka_unit_test(the_control_socket_has_a_default),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
