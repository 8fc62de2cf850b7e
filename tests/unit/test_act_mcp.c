/* Restarting an MCP server: against a server that is this program again (mcp_peer.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "act/act.h"
#include "base/clock.h"
#include "diagnose/diagnose.h"
#include "mcp_peer.h"

static struct config *configured(const char *text)
{
	struct err err = {0};
	struct config *config = config_parse("f.yaml", text, strlen(text), false, &err);
	if (config == NULL)
		fail_msg("%s", err.text);
	return config;
}

/* What the action says and does of one server. */
static enum act_result run(
	const char *scenario, const char *timeout, char text[480], enum look_result *seen)
{
	char yaml[256];
	STR_FORMAT(yaml,
		"mcp:\n  - name: %s\n    command: [/proc/self/exe, peer, %s]\n    timeout: %s\n", scenario,
		scenario, timeout);
	struct config *config = configured(yaml);
	struct clock *clock = clock_new_real();
	const struct action *action = action_find("mcp.server.restart");
	struct plan plan = {0};
	int64_t since;
	char looked[480];
	assert_non_null(action);
	STR_SET(plan.native, scenario);
	STR_SET(plan.label, scenario);
	auto_arena arena = arena_new((size_t)1 << 20);
	struct act_context context = {.config = config, .clock = clock, .stop_fd = -1, .arena = arena};
	enum act_result result = action->run(&context, &plan, text, 480);
	*seen = action->verify(&context, &plan, &since, looked, sizeof(looked));
	clock_free(clock);
	config_free(config);
	return result;
}

static void a_server_that_starts_anew_is_restarted_and_seen_well(void **state)
{
	(void)state;
	char text[480];
	enum look_result seen;
	assert_int_equal(run("legacy", "8s", text, &seen), ACT_DONE);
	assert_string_equal(text, "Successfully restarted MCP server 'legacy': 2 tools");
	assert_int_equal(seen, LOOK_HEALTHY);
}

static void a_server_that_dies_again_was_not_restarted(void **state)
{
	(void)state;
	char text[480];
	enum look_result seen;
	assert_int_equal(run("dies", "8s", text, &seen), ACT_FAILED);
	assert_int_equal(seen, LOOK_NOT_YET);
	assert_int_equal(run("hangs", "600ms", text, &seen), ACT_FAILED);
	assert_int_equal(seen, LOOK_NOT_YET);
}

static void what_is_not_configured_any_more_is_gone(void **state)
{
	(void)state;
	struct config *config = configured("docker: [{ name: local }]\n");
	const struct action *action = action_find("mcp.server.restart");
	struct plan plan = {.native = "files"};
	char text[480];
	auto_arena arena = arena_new((size_t)1 << 20);
	struct act_context context = {.config = config, .stop_fd = -1, .arena = arena};
	assert_int_equal(action->run(&context, &plan, text, sizeof(text)), ACT_GONE);
	config_free(config);
}

static void the_rules_restart_a_server_that_fails_and_no_other(void **state)
{
	(void)state;
	struct component component = {.kind = COMPONENT_MCP};
	struct diagnosis diagnosis;
	diagnose_by_rules(FINDING_UNREACHABLE, &component, NULL, &diagnosis);
	assert_string_equal(diagnosis.action, "mcp.server.restart");
	diagnose_by_rules(FINDING_UNHEALTHY, &component, NULL, &diagnosis);
	assert_string_equal(diagnosis.action, "mcp.server.restart");
	diagnose_by_rules(FINDING_BLIND, &component, NULL, &diagnosis);
	assert_string_equal(diagnosis.action, "");
	component.kind = COMPONENT_DOCKER_DAEMON;
	diagnose_by_rules(FINDING_UNREACHABLE, &component, NULL, &diagnosis);
	assert_string_not_equal(diagnosis.action, "mcp.server.restart");
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "peer") == 0)
		return peer_main(argv[2]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_starts_anew_is_restarted_and_seen_well),
		cmocka_unit_test(a_server_that_dies_again_was_not_restarted),
		cmocka_unit_test(what_is_not_configured_any_more_is_gone),
		cmocka_unit_test(the_rules_restart_a_server_that_fails_and_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
