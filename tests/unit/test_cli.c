/*
 * The command line: options, help and the manual, tables with hostile text, and every command that
 * speaks to the daemon, against a played daemon on a control socket of its own.
 */
#include <locale.h>
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
#include "base/http.h"
#include "base/secret.h"
#include "base/server.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/text.h"

/* --- one call, and what it wrote
 * ------------------------------------------------------------------ */

static char *said, *complained;
static const char *input;

static int call_words(const char *const *words)
{
	size_t said_bytes, complained_bytes;
	int argc = 0;
	free(said);
	free(complained);
	while (words[argc] != NULL)
		argc++;
	FILE *out = open_memstream(&said, &said_bytes);
	FILE *complaints = open_memstream(&complained, &complained_bytes);
	FILE *in = input != NULL && input[0] != '\0'
		? fmemopen((void *)(uintptr_t)input, strlen(input), "r")
		: fopen("/dev/null", "r");
	int code = cli_main(argc, words, in, out, complaints);
	fclose(in);
	fclose(out);
	fclose(complaints);
	input = NULL;
	return code;
}

#define CALL(...) call_words((const char *const[]){"homeostat", __VA_ARGS__, NULL})
#define HAS(text, part) \
	do { \
		if (strstr((text), (part)) == NULL) \
			fail_msg("no \"%s\" in:\n%s", (part), (text)); \
	} while (0)
#define HAS_NOT(text, part) \
	do { \
		if (strstr((text), (part)) != NULL) \
			fail_msg("a \"%s\" in:\n%s", (part), (text)); \
	} while (0)

static bool is_json(const char *text)
{
	auto_arena arena = arena_new(8 << 20);
	struct json root;
	struct err err = {0};
	return json_parse(arena, text, strlen(text), &root, &err);
}

/* --- a played daemon
 * -------------------------------------------------------------------------------- */

static char folder[64], config_file[96], control[96], state_folder[96], asked[512];
static const char *reply_body;
static int reply_status;
static struct server *server;

/* What was asked is kept, the last POST rather than the GETs around it. */
static void answer(void *ctx, const struct server_request *request, struct server_reply *reply)
{
	bool is_post = strcmp(request->method, "POST") == 0;
	const char *query = str_equal(server_query(request, "state"), "open") ? "?open"
		: str_equal(server_query(request, "state"), "all")                ? "?all"
		: server_query(request, "verify") != NULL                         ? "?verify"
																		  : "";
	if (is_post || strncmp(asked, "POST", 4) != 0)
		snprintf(asked, sizeof(asked), "%s %s%s %s", request->method, request->path, query,
			request->body);
	*reply = (struct server_reply){.status = reply_status,
		.content_type = "application/json",
		.body = reply_body,
		.body_bytes = strlen(reply_body)};
}

static void play(int status, const char *body)
{
	asked[0] = '\0';
	reply_status = status;
	reply_body = body;
}

static void write_text(const char *path, const char *text)
{
	struct err err = {0};
	if (!file_write(path, text, strlen(text), &err))
		fail_msg("%s", err.text);
}

static int begin(void **state)
{
	struct err err = {0};
	secret_init();
	http_global_init();
	snprintf(folder, sizeof(folder), "/tmp/homeostat-cli-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(config_file, sizeof(config_file), "%s/homeostat.yaml", folder);
	snprintf(control, sizeof(control), "%s/control.sock", folder);
	snprintf(state_folder, sizeof(state_folder), "%s/state", folder);
	char text[512];
	snprintf(text, sizeof(text),
		"state: %s\ncontrol: %s\nlisten: none\ndocker:\n  - name: local\n"
		"    url: unix://%s/docker.sock\n",
		state_folder, control, folder);
	write_text(config_file, text);
	server = server_start(
		&(struct server_config){.unix_socket = control, .socket_mode = 0600, .handler = answer},
		&err);
	if (server == NULL)
		fail_msg("%s", err.text);
	return 0;
}

static void remove_all(const char *path)
{
	auto_arena arena = arena_new(1 << 20);
	struct err err = {0};
	const char **names = file_list(arena, path, &err);
	for (int i = 0; names != NULL && names[i] != NULL; i++) {
		const char *name = arena_printf(arena, "%s/%s", path, names[i]);
		if (unlink(name) != 0)
			remove_all(name);
	}
	rmdir(path);
}

static int end(void **state)
{
	server_stop(server);
	remove_all(folder);
	free(said);
	free(complained);
	secret_done();
	return 0;
}

/* --- options
 * ---------------------------------------------------------------------------------------- */

static void unknown_command_is_a_usage_error_with_a_suggestion(void **state)
{
	assert_int_equal(CALL("incidnets"), CLI_USAGE);
	HAS(complained, "did you mean 'incidents'?");
	assert_string_equal(said, "");
	assert_int_equal(CALL("zzzzzzzz"), CLI_USAGE);
	HAS_NOT(complained, "did you mean");
}

static void unknown_option_is_a_usage_error_with_a_suggestion(void **state)
{
	assert_int_equal(CALL("audit", "--verfiy"), CLI_USAGE);
	HAS(complained, "did you mean --verify?");
	assert_int_equal(CALL("version", "--verify"), CLI_USAGE);
	HAS(complained, "version takes no --verify");
}

static void missing_and_superfluous_words_are_usage_errors(void **state)
{
	const char *const none[] = {"homeostat", NULL};
	assert_int_equal(call_words(none), CLI_USAGE);
	assert_int_equal(CALL("approve"), CLI_USAGE);
	HAS(complained, "usage: homeostat approve ID");
	assert_int_equal(CALL("approve", "1", "2"), CLI_USAGE);
	assert_int_equal(CALL("approve", "x1"), CLI_USAGE);
	assert_int_equal(CALL("approve", "-c"), CLI_USAGE);
	assert_int_equal(CALL("demo", "--for", "soon"), CLI_USAGE);
	HAS(complained, "not a duration");
	assert_int_equal(CALL("audit", "--limit=0"), CLI_USAGE);
}

static void config_option_may_stand_anywhere_in_every_form(void **state)
{
	char word[128], long_word[128];
	snprintf(word, sizeof(word), "-c%s", config_file);
	snprintf(long_word, sizeof(long_word), "--config=%s", config_file);
	play(200, "[]");
	assert_int_equal(CALL("-c", config_file, "incidents"), CLI_DONE);
	assert_int_equal(CALL("incidents", "-c", config_file), CLI_DONE);
	assert_int_equal(CALL("incidents", word), CLI_DONE);
	assert_int_equal(CALL(long_word, "incidents"), CLI_DONE);
}

static void missing_configuration_is_error_2_and_names_the_file(void **state)
{
	assert_int_equal(CALL("status", "-c", "/nonexistent/h.yaml"), CLI_USAGE);
	HAS(complained, "/nonexistent/h.yaml");
	assert_int_equal(CALL("check", "-c", "/nonexistent/h.yaml"), CLI_USAGE);
}

static void bad_configuration_is_error_2_with_line_and_key(void **state)
{
	char bad[128];
	snprintf(bad, sizeof(bad), "%s/bad.yaml", folder);
	write_text(bad, "interval: 60s\nintervall: 5s\n");
	assert_int_equal(CALL("check", "-c", bad), CLI_USAGE);
	HAS(complained, "bad.yaml:2: intervall:");
	assert_string_equal(said, "");
}

/* --- help and manual
 * ---------------------------------------------------------------------------------- */

static void help_names_every_command(void **state)
{
	assert_int_equal(CALL("help"), CLI_DONE);
	for (const struct command *command = commands; command->name != NULL; command++) {
		HAS(said, command->name);
		HAS(said, command->summary);
	}
}

static void every_command_has_its_own_help(void **state)
{
	for (const struct command *command = commands; command->name != NULL; command++) {
		assert_int_equal(CALL("help", command->name), CLI_DONE);
		HAS(said, command->summary);
		assert_int_equal(CALL(command->name, "--help"), CLI_DONE);
		HAS(said, "usage: homeostat ");
	}
	assert_int_equal(CALL("help", "nonsense"), CLI_USAGE);
}

/* The names after ".It Cm", each once. */
static void manual_and_table_name_the_same_commands(void **state)
{
	auto_arena arena = arena_new(1 << 20);
	struct file page;
	struct err err = {0};
	if (!file_read(arena, SOURCE_ROOT "/man/homeostat.1", 1 << 18, &page, &err))
		fail_msg("%s", err.text);
	for (const struct command *command = commands; command->name != NULL; command++) {
		const char *found = strstr(page.bytes, arena_printf(arena, "\n.It Cm %s", command->name));
		if (found == NULL)
			fail_msg("man/homeostat.1 does not name the command %s", command->name);
	}
	for (char *item = page.bytes; (item = strstr(item, "\n.It Cm ")) != NULL;) {
		char name[32];
		item += strlen("\n.It Cm ");
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(item, " \n"), item);
		if (command_find(name) == NULL)
			fail_msg("man/homeostat.1 names the unknown command %s", name);
	}
}

/* Every option of a command stands in its item's head, and no other. */
static void manual_and_table_name_the_same_options(void **state)
{
	auto_arena arena = arena_new(4 << 20);
	struct file page;
	struct err err = {0};
	assert_true(file_read(arena, SOURCE_ROOT "/man/homeostat.1", 1 << 18, &page, &err));
	for (const struct command *command = commands; command->name != NULL; command++) {
		struct str usage, heads;
		str_init(&usage, arena);
		str_init(&heads, arena);
		command_usage(command, &usage);
		const char *mark = arena_printf(arena, "\n.It Cm %s", command->name);
		for (const char *item = page.bytes; (item = strstr(item, mark)) != NULL;) {
			item += strlen(mark);
			if (*item == ' ' || *item == '\n')
				str_addn(&heads, item, strcspn(item, "\n"));
		}
		for (const char *option = usage.s; (option = strstr(option, "[--")) != NULL;) {
			option += 3;
			const char *name = arena_printf(arena, "Fl -%.*s", (int)strcspn(option, " ]"), option);
			if (strstr(heads.s, name) == NULL)
				fail_msg("man/homeostat.1: %s lacks %s", command->name, name);
		}
		for (const char *flag = heads.s; (flag = strstr(flag, "Fl -")) != NULL;) {
			flag += 4;
			const char *name = arena_printf(arena, "[--%.*s", (int)strcspn(flag, " \n"), flag);
			if (strstr(usage.s, name) == NULL)
				fail_msg("%s takes no %s], man/homeostat.1 says", command->name, name);
		}
	}
}

/* --- text
 * --------------------------------------------------------------------------------------------- */

static void hostile_text_loses_what_steers_a_terminal(void **state)
{
	char clean[128];
	text_clean(clean, sizeof(clean),
		"a\033[31mred\nb\x7F"
		"c\xC2\x9B"
		"31m\xE2\x80\xAE"
		"d");
	assert_string_equal(clean, "a [31mred b c 31m d");
	text_clean(clean, sizeof(clean), "\xFFx\xC0\xAFy\xED\xA0\x80");
	HAS_NOT(clean, "\xFF");
	HAS_NOT(clean, "\xC0");
	HAS(clean, "x");
}

static void tables_align_by_display_width(void **state)
{
	auto_arena arena = arena_new(1 << 20);
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	struct table *table = table_new(arena, 2);
	table_add(table, "日本");
	table_add(table, "1");
	table_add(table,
		"e\xCC\x81"
		"x");
	table_add(table, "2");
	table_add(table, "abcde");
	table_add(table, "3");
	table_print(table, NULL, false, out);
	fclose(out);
	assert_string_equal(text,
		"日本   1\ne\xCC\x81"
		"x     2\nabcde  3\n");
	free(text);
}

/* --- listings without a daemon
 * ------------------------------------------------------------------------- */

static void listings_without_daemon_are_json_and_nothing_else(void **state)
{
	static const char *const names[] = {"sources", "actions", "config", "life", "version"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(CALL(names[i], "--json"), CLI_DONE);
		if (!is_json(said))
			fail_msg("%s --json: %s", names[i], said);
		assert_string_equal(complained, "");
		assert_int_equal(CALL(names[i]), CLI_DONE);
		HAS_NOT(said, "\033");
	}
}

static void actions_tells_name_and_floor(void **state)
{
	assert_int_equal(CALL("actions"), CLI_DONE);
	HAS(said, "docker.container.restart");
	HAS(said, "LOW");
}

static void life_prints_a_picture(void **state)
{
	assert_int_equal(CALL("life", "--dot"), CLI_DONE);
	HAS(said, "digraph life {");
	HAS(said, "DECIDING -> ACTING");
}

/* --- the daemon
 * ------------------------------------------------------------------------------------------ */

static void no_daemon_is_said_with_place_and_cure(void **state)
{
	char lone[128], text[256];
	snprintf(lone, sizeof(lone), "%s/lone.yaml", folder);
	snprintf(text, sizeof(text),
		"control: %s/nobody.sock\nstate: %s\ndocker:\n  - name: local\n"
		"    url: unix:///nonexistent.sock\n",
		folder, state_folder);
	write_text(lone, text);
	assert_int_equal(CALL("approve", "1", "-c", lone), CLI_FAILED);
	HAS(complained, "homeostat is not running (no socket at ");
	HAS(complained, "nobody.sock");
	HAS(complained, "start it with `homeostat run -c ");
}

static void decisions_are_posted_to_their_incident(void **state)
{
	play(200, "{\"ok\":true,\"text\":\"approved: Restart container 'redis'\"}");
	assert_int_equal(CALL("approve", "17", "-c", config_file), CLI_DONE);
	assert_string_equal(asked, "POST /api/v1/approvals/17 {\"decision\":\"approve\"}");
	HAS(said, "approved: Restart container 'redis'");
	assert_int_equal(CALL("reject", "#18", "-c", config_file), CLI_DONE);
	HAS(asked, "/api/v1/approvals/18 {\"decision\":\"reject\"}");
	play(200, "{}");
	assert_int_equal(CALL("retry", "19", "-c", config_file), CLI_DONE);
	assert_string_equal(asked, "POST /api/v1/incidents/19/retry {}");
	assert_int_equal(CALL("reset", "docker_container_a", "-c", config_file), CLI_DONE);
	assert_string_equal(asked, "POST /api/v1/reset {\"component\":\"docker_container_a\"}");
	assert_int_equal(CALL("mute", "lxc_*", "--for", "2h", "-c", config_file), CLI_DONE);
	assert_string_equal(asked, "POST /api/v1/mutes {\"component\":\"lxc_*\",\"for\":\"7200s\"}");
	assert_int_equal(CALL("unmute", "-c", config_file), CLI_DONE);
	assert_string_equal(asked, "POST /api/v1/mutes {\"component\":\"*\",\"for\":\"0s\"}");
}

static void modes_are_set_and_explained_as_in_the_manual(void **state)
{
	play(200, "{\"interval_s\":5}");
	assert_int_equal(CALL("enable", "-c", config_file), CLI_DONE);
	HAS(asked, "POST /api/v1/autohealing {\"mode\":\"on\"}");
	HAS(said,
		"✅ Auto-Healing Enabled\n\nThe system will now:\n"
		"• Monitor infrastructure every 5 seconds\n"
		"• Auto-fix low-risk issues automatically\n"
		"• Request approval for risky actions\n");
	play(200, "{}");
	assert_int_equal(CALL("disable", "-c", config_file), CLI_DONE);
	HAS(asked, "{\"mode\":\"off\"}");
	play(200, "{}");
	assert_int_equal(CALL("shadow", "-c", config_file), CLI_DONE);
	HAS(asked, "{\"mode\":\"shadow\"}");
}

static void problems_are_told_by_their_detail_and_fail(void **state)
{
	play(
		409, "{\"title\":\"Conflict\",\"status\":409,\"detail\":\"nothing was done: it expired\"}");
	assert_int_equal(CALL("approve", "3", "-c", config_file), CLI_FAILED);
	assert_string_equal(complained, "homeostat: nothing was done: it expired\n");
	assert_string_equal(said, "");
	play(500, "oops");
	assert_int_equal(CALL("approve", "3", "-c", config_file), CLI_FAILED);
	HAS(complained, "status 500");
}

static const char two_incidents[] =
	"[{\"id\":2,\"state\":\"ASKING\",\"severity\":\"UNHEALTHY\","
	"\"component\":\"docker_container_\\u001b[2Jx\",\"opened_at\":1,\"issue\":\"it\\nexited\"},"
	"{\"id\":1,\"state\":\"RESOLVED\",\"severity\":\"UNHEALTHY\",\"component\":"
	"\"docker_container_redis\",\"opened_at\":1,\"issue\":\"old\"}]";

static void incidents_are_a_table_of_clean_lines(void **state)
{
	play(200, two_incidents);
	assert_int_equal(CALL("incidents", "-c", config_file), CLI_DONE);
	assert_string_equal(asked, "GET /api/v1/incidents?all ");
	HAS(said, "docker_container_ [2Jx");
	HAS(said, "it exited");
	HAS_NOT(said, "\033");
	assert_int_equal(CALL("incidents", "--open", "-c", config_file), CLI_DONE);
	assert_string_equal(asked, "GET /api/v1/incidents?open ");
}

static void incidents_json_is_an_array(void **state)
{
	play(200, two_incidents);
	assert_int_equal(CALL("incidents", "--json", "-c", config_file), CLI_DONE);
	assert_true(is_json(said));
	HAS(said, "\"id\":1");
	assert_int_equal(CALL("incidents", "--json", "--limit", "1", "-c", config_file), CLI_DONE);
	assert_string_equal(asked, "GET /api/v1/incidents?all ");
	play(200, "{\"incidents\":[]}");
	assert_int_equal(CALL("incidents", "--json", "-c", config_file), CLI_DONE);
	assert_string_equal(said, "[]\n");
}

static void an_answer_that_is_no_json_is_an_error(void **state)
{
	play(200, "<html>");
	assert_int_equal(CALL("incidents", "-c", config_file), CLI_FAILED);
	HAS(complained, "makes no sense");
}

static void why_tells_the_story_and_what_comes_next(void **state)
{
	play(200,
		"{\"id\":7,\"state\":\"ASKING\",\"severity\":\"UNHEALTHY\",\"component\":"
		"\"docker_container_pg\",\"issue\":\"Docker container 'pg' exited\",\"failed_at\":1000,"
		"\"opened_at\":2000,\"reason\":\"the risk is MEDIUM\",\"diagnosis\":{\"cause\":"
		"\"the application failed (exit code 1)\",\"by\":\"rules\",\"confidence\":0.9},"
		"\"plan\":{\"title\":\"Restart container 'pg'\",\"risk\":\"MEDIUM\"}}");
	assert_int_equal(CALL("why", "7", "-c", config_file), CLI_DONE);
	const char *text = said;
	HAS(text, "Docker container 'pg' exited");
	HAS(text, "the application failed (exit code 1) (by rules, 90 % sure)");
	HAS(text, "Restart container 'pg' (risk MEDIUM)");
	HAS(text, "the risk is MEDIUM");
	HAS(text, "homeostat approve 7");
	HAS(text, "homeostat reject 7");
}

static void audit_is_read_newest_last_whichever_way_it_comes(void **state)
{
	static const char *const both[] = {
		"{\"entries\":[{\"seq\":8,\"text\":\"older\"},{\"seq\":9,\"text\":\"newer\"}]}",
		"{\"entries\":[{\"seq\":9,\"text\":\"newer\"},{\"seq\":8,\"text\":\"older\"}]}",
	};
	for (int i = 0; i < 2; i++) {
		play(200, both[i]);
		assert_int_equal(CALL("audit", "-c", config_file), CLI_DONE);
		HAS(said, "older");
		assert_true(strstr(said, "older") < strstr(said, "newer"));
	}
}

static void audit_that_does_not_hold_fails(void **state)
{
	play(200,
		"{\"verified\":true,\"count\":1,\"entries\":[{\"seq\":1,"
		"\"at\":\"2026-01-02T03:04:05.000Z\",\"what\":\"start\",\"text\":\"started\"}]}");
	assert_int_equal(CALL("audit", "--verify", "-c", config_file), CLI_DONE);
	HAS(asked, "?verify");
	HAS(said, "2026-01-02 03:04:05 UTC");
	HAS(said, "the chain of 1 entries holds");
	play(200, "{\"verified\":false,\"text\":\"entry 3 was changed\",\"entries\":[]}");
	assert_int_equal(CALL("audit", "--verify", "-c", config_file), CLI_FAILED);
	HAS(complained, "entry 3 was changed");
}

/* --- secrets and check
 * --------------------------------------------------------------------------------- */

static void secrets_are_read_from_input_and_never_shown(void **state)
{
	input = "s3cr3t-value-of-test\n";
	assert_int_equal(CALL("secret", "set", "api", "-c", config_file), CLI_DONE);
	HAS_NOT(said, "s3cr3t");
	assert_int_equal(CALL("secret", "list", "--json", "-c", config_file), CLI_DONE);
	assert_string_equal(said, "[\"api\"]\n");
	struct err err = {0};
	assert_string_equal(secret_resolve(state_folder, "secret:api", &err), "s3cr3t-value-of-test");
	assert_int_equal(CALL("secret", "rm", "api", "-c", config_file), CLI_DONE);
	assert_int_equal(CALL("secret", "rm", "api", "-c", config_file), CLI_FAILED);
}

static void secret_values_are_refused_on_the_command_line_and_when_empty(void **state)
{
	assert_int_equal(CALL("secret", "set", "api", "value", "-c", config_file), CLI_USAGE);
	HAS(complained, "never given on the command line");
	HAS_NOT(complained, "'value'");
	assert_int_equal(CALL("secret", "set", "api", "-c", config_file), CLI_FAILED);
	HAS(complained, "the value is empty");
	assert_int_equal(CALL("secret", "get", "api", "-c", config_file), CLI_USAGE);
	assert_int_equal(CALL("secret", "set", "-c", config_file), CLI_USAGE);
	assert_int_equal(CALL("secret", "list", "api", "-c", config_file), CLI_USAGE);
}

static void check_names_what_cannot_be_reached_and_fails(void **state)
{
	assert_int_equal(CALL("check", "-c", config_file), CLI_FAILED);
	HAS(said, "✗ docker:local");
	HAS(said, "docker.sock");
	HAS(said, "✓ state");
	assert_int_equal(CALL("check", "--json", "-c", config_file), CLI_FAILED);
	assert_true(is_json(said));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_command_is_a_usage_error_with_a_suggestion),
		cmocka_unit_test(unknown_option_is_a_usage_error_with_a_suggestion),
		cmocka_unit_test(missing_and_superfluous_words_are_usage_errors),
		cmocka_unit_test(config_option_may_stand_anywhere_in_every_form),
		cmocka_unit_test(missing_configuration_is_error_2_and_names_the_file),
		cmocka_unit_test(bad_configuration_is_error_2_with_line_and_key),
		cmocka_unit_test(help_names_every_command),
		cmocka_unit_test(every_command_has_its_own_help),
		cmocka_unit_test(manual_and_table_name_the_same_commands),
		cmocka_unit_test(manual_and_table_name_the_same_options),
		cmocka_unit_test(hostile_text_loses_what_steers_a_terminal),
		cmocka_unit_test(tables_align_by_display_width),
		cmocka_unit_test(listings_without_daemon_are_json_and_nothing_else),
		cmocka_unit_test(actions_tells_name_and_floor),
		cmocka_unit_test(life_prints_a_picture),
		cmocka_unit_test(no_daemon_is_said_with_place_and_cure),
		cmocka_unit_test(decisions_are_posted_to_their_incident),
		cmocka_unit_test(modes_are_set_and_explained_as_in_the_manual),
		cmocka_unit_test(problems_are_told_by_their_detail_and_fail),
		cmocka_unit_test(incidents_are_a_table_of_clean_lines),
		cmocka_unit_test(incidents_json_is_an_array),
		cmocka_unit_test(an_answer_that_is_no_json_is_an_error),
		cmocka_unit_test(why_tells_the_story_and_what_comes_next),
		cmocka_unit_test(audit_is_read_newest_last_whichever_way_it_comes),
		cmocka_unit_test(audit_that_does_not_hold_fails),
		cmocka_unit_test(secrets_are_read_from_input_and_never_shown),
		cmocka_unit_test(secret_values_are_refused_on_the_command_line_and_when_empty),
		cmocka_unit_test(check_names_what_cannot_be_reached_and_fails),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, begin, end);
}
