/* The MCP client over stdio, against a server that is this program again (mcp_peer.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "client/mcp.h"
#include "mcp_peer.h"

#define TIMEOUT_MS 8000
#define SHORT_MS 600

static struct err err;
static struct arena *arena;

static struct mcp *start(const char *scenario, int64_t timeout_ms, int stop_fd)
{
	const char *const command[] = {"/proc/self/exe", "peer", scenario, NULL};
	struct mcp_config config = {
		.name = scenario, .command = command, .timeout_ms = timeout_ms, .stop_fd = stop_fd};
	err = (struct err){0};
	struct mcp *mcp = mcp_open(&config, &err);
	assert_non_null(mcp);
	return mcp;
}

static void good(bool ok)
{
	if (!ok)
		fail_msg("%s: %s", err_kind_name(err.kind), err.text);
}

static void failed_with(bool ok, enum err_kind kind, const char *words)
{
	assert_false(ok);
	if (err.kind != kind || strstr(err.text, words) == NULL)
		fail_msg("wanted %s \"%s\", got %s: %s", err_kind_name(kind), words,
			err_kind_name(err.kind), err.text);
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_new((size_t)64 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void lists_and_calls(const char *scenario, enum mcp_era era)
{
	struct mcp_tools tools;
	struct mcp_result result;
	struct mcp *mcp = start(scenario, TIMEOUT_MS, -1);
	good(mcp_tools(mcp, arena, &tools, &err));
	assert_int_equal(mcp_server(mcp)->era, era);
	assert_int_equal(tools.count, 2);
	assert_int_equal(tools.excluded, 1);
	assert_string_equal(tools.tools[0].name, "echo");
	assert_true(tools.tools[0].read_only);
	assert_string_equal(tools.tools[1].name, "pid");
	good(mcp_call(mcp, "echo", "{\"message\":\"h\\u00e9\"}", arena, &result, &err));
	assert_string_equal(result.text, "hé\nbye");
	assert_string_equal(result.structured, "{\"n\":1}");
	assert_int_equal(result.others, 1);
	assert_false(result.is_error);
	good(mcp_ping(mcp, &err));
	good(mcp_call(mcp, "nosuch", NULL, arena, &result, &err));
	assert_true(result.is_error);
	assert_non_null(
		strstr(result.text, strcmp(scenario, "go") == 0 ? "unknown tool" : "not found"));
	mcp_close(mcp);
}

static void an_older_server_is_initialized(void **state)
{
	(void)state;
	lists_and_calls("legacy", MCP_LEGACY);
}

static void a_newer_server_needs_no_session(void **state)
{
	(void)state;
	lists_and_calls("modern", MCP_MODERN);
}

static void any_other_error_means_the_older_era(void **state)
{
	(void)state;
	lists_and_calls("go", MCP_LEGACY);
}

static void silence_means_the_older_era(void **state)
{
	(void)state;
	struct mcp *mcp = start("mute", 2 * SHORT_MS, -1);
	good(mcp_connect(mcp, &err));
	assert_int_equal(mcp_server(mcp)->era, MCP_LEGACY);
	assert_string_equal(mcp_server(mcp)->protocol, "2025-06-18");
	assert_string_equal(mcp_server(mcp)->name, "peer");
	mcp_close(mcp);
}

static void noise_and_questions_do_not_mislead(void **state)
{
	(void)state;
	struct mcp_tools tools;
	char words[64];
	struct mcp *mcp = start("noisy", TIMEOUT_MS, -1);
	good(mcp_tools(mcp, arena, &tools, &err));
	assert_int_equal(tools.count, 2);
	assert_true(mcp_tools_changed(mcp));
	assert_false(mcp_tools_changed(mcp));
	mcp_complaint(mcp, words, sizeof(words));
	assert_string_equal(words, "a line of its log");
	mcp_close(mcp);
}

static void an_unknown_version_is_named(void **state)
{
	(void)state;
	struct mcp *mcp = start("ancient", TIMEOUT_MS, -1);
	failed_with(mcp_connect(mcp, &err), ERR_INPUT, "\"2020-01-01\"");
	assert_false(mcp_is_connected(mcp));
	mcp_close(mcp);
}

static void its_end_is_told_with_its_last_words_and_mended(void **state)
{
	(void)state;
	struct mcp_tools tools;
	struct mcp *mcp = start("dies", TIMEOUT_MS, -1);
	failed_with(mcp_tools(mcp, arena, &tools, &err), ERR_RETRY, "exit code 7: fatal: no database");
	assert_false(mcp_is_connected(mcp));
	good(mcp_ping(mcp, &err)); /* started again */
	mcp_close(mcp);
}

static void its_end_is_seen_while_waiting(void **state)
{
	(void)state;
	struct mcp_result result;
	struct mcp *mcp = start("legacy", TIMEOUT_MS, -1);
	good(mcp_call(mcp, "pid", NULL, arena, &result, &err));
	good(mcp_wait(mcp, 10, &err));
	kill((pid_t)strtol(result.text, NULL, 10), SIGKILL);
	failed_with(mcp_wait(mcp, 60000, &err), ERR_RETRY, "ended by signal 9");
	mcp_close(mcp);
}

static void a_hanging_server_is_left_in_time(void **state)
{
	(void)state;
	struct mcp_tools tools;
	struct mcp *mcp = start("hangs", SHORT_MS, -1);
	failed_with(
		mcp_tools(mcp, arena, &tools, &err), ERR_TIMEOUT, "tools/list: no answer in 600 ms");
	good(mcp_ping(mcp, &err)); /* the same connection is still good */
	mcp_close(mcp);
}

static void what_is_too_large_is_refused(void **state)
{
	(void)state;
	struct mcp_tools tools;
	struct mcp *mcp = start("huge", TIMEOUT_MS, -1);
	failed_with(mcp_tools(mcp, arena, &tools, &err), ERR_INPUT, "larger than 1048576 bytes");
	mcp_close(mcp);
	mcp = start("circle", TIMEOUT_MS, -1);
	failed_with(mcp_tools(mcp, arena, &tools, &err), ERR_INPUT, "in a circle");
	mcp_close(mcp);
	mcp = start("endless", TIMEOUT_MS, -1);
	failed_with(mcp_tools(mcp, arena, &tools, &err), ERR_INPUT, "64 pages");
	mcp_close(mcp);
}

static void a_call_that_is_put_off_is_repeated_with_its_state(void **state)
{
	(void)state;
	struct mcp_result result;
	struct mcp *mcp = start("again", TIMEOUT_MS, -1);
	good(mcp_call(mcp, "x", "{}", arena, &result, &err));
	assert_string_equal(result.text, "at last");
	mcp_close(mcp);
	mcp = start("questions", TIMEOUT_MS, -1);
	failed_with(mcp_call(mcp, "x", "{}", arena, &result, &err), ERR_INPUT, "ask a person");
	mcp_close(mcp);
}

static void arguments_must_be_an_object(void **state)
{
	(void)state;
	struct mcp_result result;
	struct mcp *mcp = start("legacy", TIMEOUT_MS, -1);
	failed_with(mcp_call(mcp, "echo", "[1]", arena, &result, &err), ERR_INPUT, "no JSON object");
	failed_with(
		mcp_call(mcp, "echo", "{},\"x\":{}", arena, &result, &err), ERR_INPUT, "no JSON object");
	assert_false(mcp_is_connected(mcp));
	mcp_close(mcp);
}

static void stopping_ends_every_wait(void **state)
{
	(void)state;
	struct mcp_tools tools;
	int stop = eventfd(1, EFD_CLOEXEC);
	struct mcp *mcp = start("hangs", 60000, stop);
	failed_with(mcp_tools(mcp, arena, &tools, &err), ERR_CANCELLED, "homeostat stops");
	failed_with(mcp_wait(mcp, 60000, &err), ERR_CANCELLED, "homeostat stops");
	mcp_close(mcp);
	close(stop);
}

static void a_stubborn_server_is_killed(void **state)
{
	(void)state;
	struct mcp_result result;
	struct mcp *mcp = start("stubborn", TIMEOUT_MS, -1);
	good(mcp_call(mcp, "pid", NULL, arena, &result, &err));
	pid_t pid = (pid_t)strtol(result.text, NULL, 10);
	assert_int_equal(kill(pid, 0), 0);
	mcp_close(mcp);
	assert_int_equal(kill(pid, 0), -1);
}

static void a_program_that_is_missing_is_named(void **state)
{
	(void)state;
	const char *const command[] = {"no-such-program-here", NULL};
	struct mcp_config config = {.name = "x", .command = command, .stop_fd = -1};
	struct mcp *mcp = mcp_open(&config, &err);
	failed_with(mcp_connect(mcp, &err), ERR_SYSTEM, "no-such-program-here: not found");
	mcp_close(mcp);
	config.command = NULL;
	config.url = "ftp://x";
	assert_null(mcp_open(&config, &err));
	failed_with(false, ERR_INPUT, "neither a command nor a URL");
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "peer") == 0)
		return peer_main(argv[2]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_older_server_is_initialized),
		cmocka_unit_test(a_newer_server_needs_no_session),
		cmocka_unit_test(any_other_error_means_the_older_era),
		cmocka_unit_test(silence_means_the_older_era),
		cmocka_unit_test(noise_and_questions_do_not_mislead),
		cmocka_unit_test(an_unknown_version_is_named),
		cmocka_unit_test(its_end_is_told_with_its_last_words_and_mended),
		cmocka_unit_test(its_end_is_seen_while_waiting),
		cmocka_unit_test(a_hanging_server_is_left_in_time),
		cmocka_unit_test(what_is_too_large_is_refused),
		cmocka_unit_test(a_call_that_is_put_off_is_repeated_with_its_state),
		cmocka_unit_test(arguments_must_be_an_object),
		cmocka_unit_test(stopping_ends_every_wait),
		cmocka_unit_test(a_stubborn_server_is_killed),
		cmocka_unit_test(a_program_that_is_missing_is_named),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
