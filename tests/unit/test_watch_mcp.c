/* What a look at an MCP server brings: against a server that is this program again (mcp_peer.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "mcp_peer.h"
#include "watch/source.h"

static struct err err;
static struct config *config;
static struct clock *clock_of_test;
static const struct source *source;

static void *open_source(const char *scenario, const char *timeout)
{
	char text[256];
	STR_FORMAT(text,
		"mcp:\n  - name: %s\n    command: [/proc/self/exe, peer, %s]\n    timeout: %s\n", scenario,
		scenario, timeout);
	err = (struct err){0};
	config = config_parse("f.yaml", text, strlen(text), false, &err);
	assert_non_null(config);
	clock_of_test = clock_new_real();
	for (int i = 0; sources[i] != NULL; i++)
		if (strcmp(sources[i]->name, "mcp") == 0)
			source = sources[i];
	assert_int_equal(source->count(config), 1);
	struct source_context context = {.config = config, .clock = clock_of_test, .stop_fd = -1};
	STR_FORMAT(context.name, "mcp:%s", scenario);
	void *self = source->open(&context, &err);
	assert_non_null(self);
	return self;
}

static void close_source(void *self)
{
	source->close(self);
	clock_free(clock_of_test);
	config_free(config);
}

static struct observation look(void *self)
{
	struct report report = {0};
	auto_arena arena = arena_new((size_t)1 << 20);
	assert_true(source->look(self, 0, arena, &report, &err));
	assert_int_equal(report.count, 1);
	assert_true(report.complete);
	return report.observations[0];
}

static void hear(void *ctx, enum source_mark mark, const char *text)
{
	assert_int_equal(mark, SOURCE_GOOD);
	snprintf(ctx, 200, "%s", text);
}

static void a_server_that_lists_its_tools_is_healthy(void **state)
{
	(void)state;
	char text[200];
	void *self = open_source("legacy", "8s");
	struct observation seen = look(self);
	assert_int_equal(seen.state, OBS_RUNNING);
	assert_int_equal(seen.health, OBS_HEALTHY);
	assert_string_equal(seen.component.name, "mcp_legacy");
	assert_int_equal(seen.component.kind, COMPONENT_MCP);
	assert_string_equal(seen.status, "2 tools, MCP 2025-06-18");
	assert_true(source->check(self, hear, text, &err));
	assert_string_equal(text, "peer 1, MCP 2025-06-18, 2 tools");
	close_source(self);
}

static void a_tool_that_is_listed_no_more_is_missed(void **state)
{
	(void)state;
	void *self = open_source("shrinks", "8s");
	assert_int_equal(look(self).health, OBS_HEALTHY);
	struct observation seen = look(self);
	assert_int_equal(seen.state, OBS_RUNNING);
	assert_int_equal(seen.health, OBS_UNHEALTHY);
	assert_string_equal(seen.detail, "missing: pid");
	close_source(self);
}

static void a_dead_process_is_unreachable_with_its_last_words(void **state)
{
	(void)state;
	void *self = open_source("dies", "8s");
	struct observation seen = look(self);
	assert_int_equal(seen.state, OBS_UNREACHABLE);
	assert_int_equal(seen.trouble, OBS_ERR_DOWN);
	assert_non_null(strstr(seen.detail, "exit code 7: fatal: no database"));
	close_source(self);
}

static void a_server_that_hangs_runs_and_is_unhealthy(void **state)
{
	(void)state;
	void *self = open_source("hangs", "600ms");
	struct observation seen = look(self);
	assert_int_equal(seen.state, OBS_RUNNING);
	assert_int_equal(seen.health, OBS_UNHEALTHY);
	assert_string_equal(seen.status, "does not answer in time");
	close_source(self);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "peer") == 0)
		return peer_main(argv[2]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_lists_its_tools_is_healthy),
		cmocka_unit_test(a_tool_that_is_listed_no_more_is_missed),
		cmocka_unit_test(a_dead_process_is_unreachable_with_its_last_words),
		cmocka_unit_test(a_server_that_hangs_runs_and_is_unhealthy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
