/* The hosts section of the configuration: what it takes, what it refuses, and where it points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/config.h"

static struct err err;

static struct config *parse(const char *text)
{
	err = (struct err){0};
	return config_parse("f.yaml", text, strlen(text), false, &err);
}

static void refused(const char *text, const char *place, const char *cure)
{
	struct config *config = parse(text);
	if (config != NULL)
		fail_msg("accepted: %s", text);
	if (!str_starts(err.text, place) || strstr(err.text, cure) == NULL)
		fail_msg("%s\nwanted \"%s … %s\"\ngot    \"%s\"", text, place, cure, err.text);
}

static void one_host_is_enough_and_has_its_defaults(void **state)
{
	(void)state;
	struct config *config = parse("hosts: [{ name: local }]\n");
	assert_non_null(config);
	assert_int_equal(config->machine_count, 1);
	const struct config_machine *machine = &config->machines[0];
	assert_string_equal(machine->url, "local");
	assert_string_equal(machine->units[0], "*.service");
	assert_null(machine->units[1]);
	assert_null(machine->ignore[0]);
	assert_true(machine->measures);
	assert_false(machine->sudo);
	assert_int_equal(machine->lxc, 0);
	config_free(config);
}

static void everything_can_be_said(void **state)
{
	(void)state;
	struct config *config = parse("hosts:\n"
								  "  - { name: nas, url: 'ssh://admin@nas.lan:2222', sudo: true,\n"
								  "      units: [nginx, 'homelab-*.service', backup.timer, '*'],\n"
								  "      ignore: ['apt-*'], measures: false }\n"
								  "  - { name: agents, url: 'ssh://root@pve1', lxc: 104 }\n"
								  "  - { name: bus, url: 'unix:///run/host/bus' }\n");
	if (config == NULL)
		fail_msg("%s", err.text);
	const struct config_machine *nas = &config->machines[0];
	assert_true(nas->sudo);
	assert_false(nas->measures);
	assert_string_equal(nas->units[0], "nginx.service");
	assert_string_equal(nas->units[1], "homelab-*.service");
	assert_string_equal(nas->units[2], "backup.timer");
	assert_string_equal(nas->units[3], "*");
	assert_string_equal(nas->ignore[0], "apt-*");
	assert_int_equal(config->machines[1].lxc, 104);
	/* nothing can be run through a bus */
	assert_false(config->machines[2].measures);
	config_free(config);
}

static void what_makes_no_sense_is_refused_with_its_place(void **state)
{
	(void)state;
	refused("hosts: x\n", "f.yaml:1: hosts: ", "- name: local");
	refused("hosts: [x]\n", "f.yaml:1: hosts: ", "is a section");
	refused("hosts: [{url: nas}]\n", "f.yaml:1: hosts.url: ", "ssh://user@host");
	refused("hosts: [{url: 'ssh://a:pw@nas'}]\n", "f.yaml:1: hosts.url: ", "no password");
	refused("hosts: [{url: 'ssh://-oProxyCommand=x'}]\n", "f.yaml:1: hosts.url: ", "ssh://user@");
	refused("hosts: [{url: 'unix:///a,b'}]\n", "f.yaml:1: hosts.url: ", "letters, digits");
	refused("hosts: [{url: 'unix:///bus', lxc: 5}]\n", "f.yaml:1: hosts: ", "remove lxc");
	refused("hosts: [{url: 'unix:///bus', measures: true}]\n", "f.yaml:1: hosts: ", "measures");
	refused("hosts: [{units: nginx}]\n", "f.yaml:1: hosts.units: ", "must be a list");
	refused("hosts: [{units: ['a b']}]\n", "f.yaml:1: hosts.units: ", "no unit's name");
	refused("hosts: [{ignore: ['-x']}]\n", "f.yaml:1: hosts.ignore: ", "no unit's name");
	refused("hosts: [{unit: [x]}]\n", "f.yaml:1: hosts.unit: ", "did you mean");
	refused("hosts: [{name: a}, {name: a}]\n", "f.yaml:1: hosts.name: ", "already the name");
	refused("systemd: [{name: local}]\n", "f.yaml:1: systemd: ", "write hosts:");
}

static void probes_ask_in_exactly_one_way(void **state)
{
	(void)state;
	struct config *config = parse(
		"docker: [{ name: local }]\nhosts: [{ name: nas }]\nprobes:\n"
		"  - { name: a, http: 'http://films:8096/health', heals: docker:local/films }\n"
		"  - { name: b, tcp: '[::1]:22', timeout: 2s, heals: host:nas/ssh.service }\n"
		"  - { name: c, ping: 192.168.1.1 }\n"
		"  - { name: d, tls_expiry: 'nas.lan:443' }\n"
		"  - { name: e, command: [pg_isready, -q] }\n");
	if (config == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(config->probe_count, 5);
	assert_int_equal(config->probes[0].timeout_ms, 10000);
	assert_string_equal(config->probes[4].command[1], "-q");
	config_free(config);
#define PROBE "probes: [{ name: a, "
	refused("probes: [{ http: 'http://x' }]\n", "f.yaml:1: probes.name: ", "name: jellyfin");
	refused(PROBE "}]\n", "f.yaml:1: probes.name: ", "exactly one of");
	refused(PROBE "ping: x, tcp: 'x:1' }]\n", "f.yaml:1: probes.name: ", "exactly one of");
	refused(PROBE "http: 'ftp://x' }]\n", "f.yaml:1: probes.http: ", "http://host:port/path");
	refused(PROBE "http: 'http://u:p@x' }]\n", "f.yaml:1: probes.http: ", "no user and password");
	refused(PROBE "tcp: nas }]\n", "f.yaml:1: probes.tcp: ", "host:port");
	refused(PROBE "tls_expiry: 'nas:0' }]\n", "f.yaml:1: probes.tls_expiry: ", "host:port");
	refused(PROBE "ping: '-f' }]\n", "f.yaml:1: probes.ping: ", "a host's name");
	refused(PROBE "command: x }]\n", "f.yaml:1: probes.command: ", "list of words");
	refused(PROBE "command: ['A=b'] }]\n", "f.yaml:1: probes.command: ", "no program");
	refused(
		PROBE "ping: x, heals: films }]\n", "f.yaml:1: probes.heals: ", "docker:NAME/CONTAINER");
	refused(PROBE "ping: x, heals: docker:nas/f }]\n", "f.yaml:1: probes.heals: ", "not the name");
	refused("docker: [{ name: local, host: nas }]\n", "f.yaml:1: docker.host: ", "under hosts:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_host_is_enough_and_has_its_defaults),
		cmocka_unit_test(everything_can_be_said),
		cmocka_unit_test(probes_ask_in_exactly_one_way),
		cmocka_unit_test(what_makes_no_sense_is_refused_with_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
