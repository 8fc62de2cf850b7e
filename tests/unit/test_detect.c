/* What an observation means, and what is thought of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"
#include "detect/detect.h"
#include "diagnose/diagnose.h"

#define NOW 1761323415000LL
#define MINUTE 60000LL

static const struct config config = {
	.brakes = {.recent_exit_ms = 10 * MINUTE, .unreachable_ms = 10000},
	.thresholds = {.node_cpu = 90,
		.node_memory = 90,
		.node_disk = 85,
		.guest_cpu = 90,
		.storage = 90,
		.severe = 95,
		.hysteresis = 5,
		.sustained_ms = 2 * MINUTE},
};

static struct observation container(enum obs_state state)
{
	struct observation seen = {.state = state, .since_ms = NOW - 2 * MINUTE};
	seen.component.kind = COMPONENT_CONTAINER;
	STR_SET(seen.component.name, "docker_container_redis");
	STR_SET(seen.component.label, "redis");
	return seen;
}

static struct finding found(const struct observation *seen)
{
	struct finding finding;
	detect(seen, &config, FINDING_NONE, NOW, &finding);
	return finding;
}

static void a_recent_crash_is_a_finding_in_the_users_words(void **state)
{
	struct observation seen = container(OBS_EXITED);
	seen.cause = STOP_CRASH;
	seen.exit_code = 1;
	STR_SET(seen.status, "Exited (1) 2 minutes ago");
	struct finding finding = found(&seen);
	assert_int_equal(finding.kind, FINDING_EXITED);
	assert_int_equal(finding.severity, SEVERITY_UNHEALTHY);
	assert_int_equal(finding.confirm_ms, 0);
	assert_string_equal(finding.issue, "Docker container 'redis' exited: Exited (1) 2 minutes ago");
}

static void an_old_exit_is_left_alone_unless_its_engine_took_it_down(void **state)
{
	struct observation seen = container(OBS_EXITED);
	seen.cause = STOP_CRASH;
	seen.since_ms = NOW - 11 * MINUTE;
	assert_int_equal(found(&seen).kind, FINDING_UNSURE);
	seen.since_ms = 0;
	assert_int_equal(found(&seen).kind, FINDING_UNSURE);
	seen.cause = STOP_ENGINE;
	assert_int_equal(found(&seen).kind, FINDING_EXITED);
}

/* Every state, health and cause: the whole domain, each with what it must be. */
static void every_observation_has_its_meaning(void **state)
{
	for (int s = OBS_UNKNOWN; s <= OBS_ABSENT; s++)
		for (int h = OBS_NO_CHECK; h <= OBS_UNHEALTHY; h++)
			for (int c = STOP_UNSEEN; c <= STOP_DONE; c++) {
				struct observation seen = container((enum obs_state)s);
				seen.health = (enum obs_health)h;
				seen.cause = (enum stop_cause)c;
				enum finding_kind kind = found(&seen).kind, expected = FINDING_FINE;
				if (s == OBS_UNKNOWN || s == OBS_RESTARTING)
					expected = FINDING_UNSURE;
				else if (s == OBS_RUNNING)
					expected = h == OBS_UNHEALTHY ? FINDING_UNHEALTHY
						: h == OBS_STARTING       ? FINDING_UNSURE
												  : FINDING_NONE;
				else if (s == OBS_EXITED && c == STOP_UNSEEN)
					expected = FINDING_EXITED_UNSEEN;
				else if (s == OBS_EXITED && (c == STOP_CRASH || c == STOP_ENGINE))
					expected = FINDING_EXITED;
				assert_int_equal(kind, expected);
				seen.component.ignored = true;
				assert_false(finding_is_trouble(found(&seen).kind));
			}
}

static void a_silent_daemon_must_be_silent_for_a_while(void **state)
{
	struct observation seen = {.state = OBS_UNREACHABLE, .trouble = OBS_ERR_DOWN};
	seen.component.kind = COMPONENT_DOCKER_DAEMON;
	STR_SET(seen.detail, "connection refused");
	struct finding finding = found(&seen);
	assert_int_equal(finding.kind, FINDING_UNREACHABLE);
	assert_int_equal(finding.severity, SEVERITY_CRITICAL);
	assert_int_equal(finding.confirm_ms, 10000);
	assert_string_equal(finding.issue, "Docker daemon not responding: connection refused");
	seen.trouble = OBS_ERR_DENIED;
	assert_int_equal(found(&seen).kind, FINDING_BLIND);
}

static void a_share_must_fall_well_below_its_limit_to_be_well(void **state)
{
	static const struct {
		double percent;
		enum finding_kind before, now;
		enum severity severity;
	} rows[] = {
		{90.0, FINDING_NONE, FINDING_NONE, SEVERITY_HEALTHY},
		{90.1, FINDING_NONE, FINDING_HIGH_MEMORY, SEVERITY_DEGRADED},
		{95.2, FINDING_NONE, FINDING_HIGH_MEMORY, SEVERITY_CRITICAL},
		{86.0, FINDING_HIGH_MEMORY, FINDING_HIGH_MEMORY, SEVERITY_DEGRADED},
		{85.0, FINDING_HIGH_MEMORY, FINDING_NONE, SEVERITY_HEALTHY},
		{86.0, FINDING_HIGH_CPU, FINDING_NONE, SEVERITY_HEALTHY},
		{-1, FINDING_HIGH_MEMORY, FINDING_UNSURE, SEVERITY_HEALTHY},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct component node = {.kind = COMPONENT_NODE, .name = "proxmox_node", .label = "pve"};
		struct observation seen = observation_of(&node, ASPECT_MEMORY);
		struct finding finding;
		seen.percent = rows[i].percent;
		detect(&seen, &config, rows[i].before, NOW, &finding);
		assert_int_equal(finding.kind, rows[i].now);
		assert_int_equal(finding.severity, rows[i].severity);
	}
}

static void memory_reads_as_in_the_users_document(void **state)
{
	struct component node = {.kind = COMPONENT_NODE, .name = "proxmox_node", .label = "pve"};
	struct observation seen = observation_of(&node, ASPECT_MEMORY);
	struct finding finding;
	seen.percent = 95.2;
	seen.used_bytes = (int64_t)(59.6 * 1073741824.0);
	detect(&seen, &config, FINDING_NONE, NOW, &finding);
	assert_string_equal(finding.issue, "Proxmox node memory usage is high: 95.2%");
	assert_string_equal(finding.metrics, "{\"memory_percent\":95.2,\"used_gb\":59.6}");
	assert_int_equal(finding.confirm_ms, 2 * MINUTE);
}

static void metrics_are_json_whatever_the_name_is(void **state)
{
	static const char *const names[] = {
		"redis", "a\"b\\c", "tab\tline\nend", "\xF0\x9F\x94\xB4", "</b><script>", "\x01\x02"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct observation seen = container(OBS_EXITED);
		seen.cause = STOP_CRASH;
		STR_SET(seen.component.label, names[i]);
		memset(seen.status, '"', sizeof(seen.status) - 1); /* doubles when escaped */
		struct finding finding = found(&seen);
		struct arena *arena = arena_new(1 << 16);
		struct json root;
		struct err err = {0};
		assert_true(json_parse(arena, finding.metrics, strlen(finding.metrics), &root, &err));
		assert_string_equal(json_str(json_get(root, "container"), arena), names[i]);
		arena_free(arena);
	}
}

static void exit_codes_are_explained(void **state)
{
	struct observation seen = container(OBS_EXITED);
	struct diagnosis diagnosis;
	seen.cause = STOP_CRASH;
	seen.exit_code = 139;
	diagnose_by_rules(FINDING_EXITED, &seen.component, &seen, &diagnosis);
	assert_non_null(strstr(diagnosis.cause, "segmentation fault"));
	assert_string_equal(diagnosis.action, "docker.container.restart");
	seen.oom_killed = true;
	diagnose_by_rules(FINDING_EXITED, &seen.component, &seen, &diagnosis);
	assert_non_null(strstr(diagnosis.cause, "memory"));
	for (int code = 0; code < 256; code++) {
		seen.oom_killed = false;
		seen.exit_code = code;
		diagnose_by_rules(FINDING_EXITED, &seen.component, &seen, &diagnosis);
		assert_string_not_equal(diagnosis.cause, "unknown");
		assert_true(diagnosis.confidence > 0 && diagnosis.confidence < 1);
	}
}

static void a_label_may_change_the_remedy_and_nothing_else_may(void **state)
{
	static const struct {
		const char *label, *action;
	} rows[] = {{"", "docker.container.restart"}, {"restart", "docker.container.restart"},
		{"stop", "docker.container.stop"}, {"none", ""}, {"rm -rf /", "docker.container.restart"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct observation seen = container(OBS_EXITED);
		struct diagnosis diagnosis;
		STR_SET(seen.component.action, rows[i].label);
		diagnose_by_rules(FINDING_EXITED, &seen.component, &seen, &diagnosis);
		assert_string_equal(diagnosis.action, rows[i].action);
	}
}

static void without_a_sight_the_honest_answer_is_unknown(void **state)
{
	struct observation seen = container(OBS_EXITED);
	struct diagnosis diagnosis;
	diagnose_by_rules(FINDING_EXITED, &seen.component, NULL, &diagnosis);
	assert_string_equal(diagnosis.cause, "unknown");
}

static void a_nodes_services_are_restarted_by_their_listed_names_only(void **state)
{
	static const struct {
		const char *services, *detail, *action, *params;
	} rows[] = {
		{"pvestatd", "x", "proxmox.node.service.restart", "service=pvestatd"},
		{"chrony,pvestatd", "x", "proxmox.node.service.restart", "service=chrony,pvestatd"},
		{"chrony,", "", "", ""},
		{"chrony,-rf", "", "", ""},
		{",chrony", "", "", ""},
		{"", "pvestatd is failed", "", ""},
		{"a b", "", "", ""},
		{"a service=b", "", "", ""},
		{"-rf", "", "", ""},
		{"a;reboot", "", "", ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct observation seen = {
			.component = {.kind = COMPONENT_NODE, .native = "node/pve1"}, .aspect = ASPECT_SERVICE};
		struct diagnosis diagnosis;
		STR_SET(seen.services, rows[i].services);
		STR_SET(seen.detail, rows[i].detail);
		diagnose_by_rules(FINDING_FAILED, &seen.component, &seen, &diagnosis);
		assert_string_equal(diagnosis.action, rows[i].action);
		assert_string_equal(diagnosis.params, rows[i].params);
		seen.aspect = ASPECT_STATE;
		diagnose_by_rules(FINDING_FAILED, &seen.component, &seen, &diagnosis);
		assert_string_equal(diagnosis.action, "");
		diagnose_by_rules(FINDING_FAILED, &seen.component, NULL, &diagnosis);
		assert_string_equal(diagnosis.action, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recent_crash_is_a_finding_in_the_users_words),
		cmocka_unit_test(an_old_exit_is_left_alone_unless_its_engine_took_it_down),
		cmocka_unit_test(every_observation_has_its_meaning),
		cmocka_unit_test(a_silent_daemon_must_be_silent_for_a_while),
		cmocka_unit_test(a_share_must_fall_well_below_its_limit_to_be_well),
		cmocka_unit_test(memory_reads_as_in_the_users_document),
		cmocka_unit_test(metrics_are_json_whatever_the_name_is),
		cmocka_unit_test(exit_codes_are_explained),
		cmocka_unit_test(a_label_may_change_the_remedy_and_nothing_else_may),
		cmocka_unit_test(without_a_sight_the_honest_answer_is_unknown),
		cmocka_unit_test(a_nodes_services_are_restarted_by_their_listed_names_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
