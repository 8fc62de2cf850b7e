/* Evidence and signs: what is kept of a stranger's text, and what a line proves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "client/docker.h"
#include "diagnose/diagnose.h"
#include "diagnose/evidence.h"
#include "diagnose/opinion.h"

static struct evidence_list list;

static int clear(void **state)
{
	(void)state;
	list.count = 0;
	return 0;
}

static struct diagnosis by_rules(void)
{
	struct component component = {.kind = COMPONENT_CONTAINER};
	struct diagnosis diagnosis;
	diagnose_by_rules(FINDING_EXITED, &component, NULL, &diagnosis);
	return diagnosis;
}

static void a_line_is_one_clean_line_without_secrets(void **state)
{
	(void)state;
	evidence_add(&list, EVIDENCE_LOG, 0, "log of web",
		"\x1b[31mcannot log in with password=hunter2secret\x1b[0m\r\n\t\xe2\x80\xaegone");
	assert_int_equal(list.count, 1);
	assert_null(strstr(list.rows[0].text, "hunter2secret"));
	assert_null(strchr(list.rows[0].text, '\x1b'));
	assert_null(strstr(list.rows[0].text, "\xe2\x80\xae"));
	evidence_add(&list, EVIDENCE_LOG, 0, "log of web", " \t\r\n");
	assert_int_equal(list.count, 1);
}

static void a_flood_of_lines_leaves_room_for_the_rest_and_keeps_the_newest(void **state)
{
	(void)state;
	evidence_add(&list, EVIDENCE_STATE, 0, "docker inspect", "exited, exit code 1");
	for (int i = 0; i < 500; i++)
		evidence_addf(&list, EVIDENCE_LOG, 0, "log of web", "line %d", i);
	evidence_add(&list, EVIDENCE_PAST, 0, "homeostat", "incident 1");
	assert_true(list.count < EVIDENCE_ROWS_MAX);
	assert_int_equal(list.rows[0].kind, EVIDENCE_STATE);
	assert_string_equal(list.rows[list.count - 2].text, "line 499");
	assert_int_equal(list.rows[list.count - 1].kind, EVIDENCE_PAST);
	for (int i = 0; i < 500; i++)
		evidence_add(&list, EVIDENCE_EVENT, 0, "tasks", "task");
	assert_int_equal(list.count, EVIDENCE_ROWS_MAX);
}

/* A key's block goes over lines: none of them may be left. */
static void a_private_key_over_several_lines_is_hidden_as_a_whole(void **state)
{
	(void)state;
	char text[1200] = "before\n-----BEGIN PRIVATE KEY-----\n"
					  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
					  "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu\n"
					  "-----END PRIVATE KEY-----\nafter\n";
	evidence_add_lines(&list, "log of web", text, sizeof(text));
	for (int i = 0; i < list.count; i++)
		assert_null(strstr(list.rows[i].text, "MzEfYyjiWA4R4"));
	assert_string_equal(list.rows[0].text, "before");
	assert_string_equal(list.rows[list.count - 1].text, "after");
}

static void the_line_that_proves_is_marked_and_quoted(void **state)
{
	(void)state;
	struct diagnosis diagnosis = by_rules();
	evidence_add(&list, EVIDENCE_LOG, 0, "log of web", "starting");
	evidence_add(&list, EVIDENCE_LOG, 0, "log of web", "write: No space left on device");
	assert_true(diagnose_by_evidence(&list, &diagnosis));
	assert_non_null(strstr(diagnosis.cause, "no space"));
	assert_true(list.rows[1].proves && !list.rows[0].proves);
	assert_string_equal(diagnosis.evidence, "log of web: write: No space left on device");
	assert_true(diagnosis.unproven);
	assert_string_equal(diagnosis.action, "docker.container.restart");
}

/* What was, or is beside, proves nothing of this; nor does a line outdo what the kernel has said.
 */
static void a_line_of_another_incident_proves_nothing(void **state)
{
	(void)state;
	struct diagnosis diagnosis = by_rules();
	evidence_add(&list, EVIDENCE_PAST, 0, "homeostat", "incident 3: No space left on device");
	evidence_add(&list, EVIDENCE_NEIGHBOUR, 0, "homeostat", "db: permission denied");
	evidence_add(&list, EVIDENCE_GAP, 0, "docker logs", "permission denied");
	assert_false(diagnose_by_evidence(&list, &diagnosis));
	struct observation seen = {.state = OBS_EXITED, .cause = STOP_CRASH, .oom_killed = true};
	struct component component = {.kind = COMPONENT_CONTAINER};
	diagnose_by_rules(FINDING_EXITED, &component, &seen, &diagnosis);
	evidence_add(&list, EVIDENCE_LOG, 0, "log of web", "connection refused");
	diagnose_by_evidence(&list, &diagnosis);
	assert_non_null(strstr(diagnosis.cause, "killed by the kernel"));
}

static void a_signature_is_the_same_but_for_numbers(void **state)
{
	(void)state;
	static struct evidence_list other;
	struct incident incident = {.finding = FINDING_EXITED};
	char a[SIGNATURE_BYTES], b[SIGNATURE_BYTES];
	other.count = 0;
	evidence_add(&list, EVIDENCE_LOG, 0, "log", "job 17 of 3f2a9c11d0 failed after 250 ms");
	evidence_add(&other, EVIDENCE_LOG, 0, "log", "job 9 of 77aa01bc9e failed after 3 ms");
	diagnosis_signature(&incident, &list, a);
	diagnosis_signature(&incident, &other, b);
	assert_string_equal(a, b);
	evidence_add(&other, EVIDENCE_LOG, 0, "log", "and something else");
	diagnosis_signature(&incident, &other, b);
	assert_string_not_equal(a, b);
	STR_SET(incident.component.name, "docker_container_b");
	diagnosis_signature(&incident, &list, b);
	assert_string_not_equal(a, b);
}

static void a_stream_of_frames_becomes_text_and_a_terminals_stays(void **state)
{
	(void)state;
	char frames[] = "\1\0\0\0\0\0\0\4one\n\2\0\0\0\0\0\0\4two\n\1\0\0\0\0\0\0\377cut";
	size_t length = docker_logs_plain(frames, sizeof(frames) - 1);
	assert_int_equal(length, 11);
	assert_memory_equal(frames, "one\ntwo\ncut", 11);
	char terminal[] = "plain\r\ntext\n";
	assert_int_equal(docker_logs_plain(terminal, sizeof(terminal) - 1), 12);
	assert_memory_equal(terminal, "plain \ntext\n", 12);
	char empty[1] = "";
	assert_int_equal(docker_logs_plain(empty, 0), 0);
}

static void quotes_that_were_not_shown_count_for_nothing(void **state)
{
	(void)state;
	struct opinion_actions none = {{NULL}};
	struct component component = {.kind = COMPONENT_CONTAINER};
	struct diagnosis rules = {.cause = "unknown"}, made = {.cause = ""};
	struct clamp clamp = {&none, &component, &rules, &list, "claude"};
	char why[200];
	evidence_add(&list, EVIDENCE_LOG, 0, "log", "state 7 is not known here");
#define ANSWER(quote) \
	"{\"cause\":\"a fault\",\"confidence\":0.9,\"evidence\":[\"" quote "\"],\"action\":\"none\"," \
	"\"params\":\"\",\"risk\":\"low\",\"alternatives\":\"\"}"
	assert_true(opinion_clamp(&clamp, ANSWER("state 7 is not known"), &made, why, sizeof(why)));
	assert_true(made.confidence > 0.89);
	assert_string_equal(made.evidence, "state 7 is not known");
	assert_true(opinion_clamp(&clamp, ANSWER("state 8 is not known"), &made, why, sizeof(why)));
	assert_true(made.confidence < 0.31);
	assert_true(opinion_clamp(&clamp, ANSWER("state"), &made, why, sizeof(why)));
	assert_true(made.confidence < 0.31);
	/* rules that are surer keep their cause */
	rules.confidence = 0.6;
	STR_SET(rules.cause, "the application failed");
	assert_true(opinion_clamp(&clamp, ANSWER("state 8 is not known"), &made, why, sizeof(why)));
	assert_string_equal(made.cause, "the application failed");
	assert_string_equal(made.alternatives, "the model thinks: a fault");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_line_is_one_clean_line_without_secrets, clear),
		cmocka_unit_test_setup(
			a_flood_of_lines_leaves_room_for_the_rest_and_keeps_the_newest, clear),
		cmocka_unit_test_setup(a_private_key_over_several_lines_is_hidden_as_a_whole, clear),
		cmocka_unit_test_setup(the_line_that_proves_is_marked_and_quoted, clear),
		cmocka_unit_test_setup(a_line_of_another_incident_proves_nothing, clear),
		cmocka_unit_test_setup(a_signature_is_the_same_but_for_numbers, clear),
		cmocka_unit_test_setup(a_stream_of_frames_becomes_text_and_a_terminals_stays, clear),
		cmocka_unit_test_setup(quotes_that_were_not_shown_count_for_nothing, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
