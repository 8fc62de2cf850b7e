/*
 * What Telegram shows: every message of the user's document to the letter, and for all others, that
 * they say what happened, why and what next, fit in one message whatever the facts, and parse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "report/telegram/command.h"
#include "report/telegram/html.h"
#include "report/telegram/menu.h"
#include "report/telegram/texts.h"
#include "telegram_strict.h"

#define NOW 1761323415000
#define BUTTON_LINE "\n\n[✅ Approve] [❌ Reject]"

struct fixture {
	struct arena *arena;
	char *document;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *root = getenv("SOURCE_ROOT");
	char path[512];
	struct err err = {0};
	struct file file;
	f->arena = arena_new(64 << 20);
	STR_FORMAT(path, "%s/tests/data/telegram/messages.txt", root != NULL ? root : SOURCE_ROOT);
	if (!file_read(f->arena, path, 1 << 20, &file, &err))
		fail_msg("%s", err.text);
	f->document = arena_strndup(f->arena, file.bytes, file.length);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	arena_free(f->arena);
	free(f);
	return 0;
}

/* A message of the document, without the line end behind it. */
static char *example(const struct fixture *f, const char *name)
{
	const char *head = arena_printf(f->arena, "\n== %s\n", name);
	const char *at = strstr(f->document, head);
	assert_non_null(at);
	at += strlen(head);
	const char *end = strstr(at, "\n== ");
	size_t length = end != NULL ? (size_t)(end - at) : strlen(at);
	while (length > 0 && at[length - 1] == '\n')
		length--;
	return arena_strndup(f->arena, at, length);
}

/* What a reader sees; by the strict parser, which also says whether it parses and fits. */
static const char *visible(const struct fixture *f, const struct message *message)
{
	struct strict strict = strict_parse(message->html);
	if (strict.wrong != NULL)
		fail_msg("%s: %s", strict.wrong, message->html);
	assert_in_range(strict.units, 1, HTML_UNITS_MAX);
	assert_true(strlen(message->html) <= HTML_BYTES_MAX);
	const char *text = arena_strdup(f->arena, strict.text);
	free(strict.text);
	return text;
}

static struct incident about(const char *component, const char *issue)
{
	struct incident incident = {.id = 7, .attempt = 1, .severity = SEVERITY_CRITICAL};
	STR_SET(incident.component.name, component);
	STR_SET(incident.issue, issue);
	STR_SET(incident.plan.hash, "0123456789abcdef0123456789abcdef");
	STR_SET(incident.plan.action, "docker.container.restart");
	incident.plan.risk = RISK_MEDIUM;
	return incident;
}

/* Its text and its first two buttons are the document's, the third is Later. */
static void assert_question(
	const struct fixture *f, const struct incident *incident, const char *name)
{
	struct message *message = text_asking(incident, NULL, f->arena);
	const char *want = example(f, name);
	assert_int_equal(message->buttons, 3);
	assert_string_equal(arena_printf(f->arena, "%s\n\n[%s] [%s]", visible(f, message),
							message->button[0].text, message->button[1].text),
		want);
	assert_string_equal(message->button[2].text, "🕐 Later");
	static const enum intent_kind kinds[] = {INTENT_APPROVE, INTENT_REJECT, INTENT_LATER};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(message->button[i].intent.kind, kinds[i]);
		assert_int_equal(message->button[i].intent.incident_id, 7);
		assert_string_equal(message->button[i].intent.plan_hash, incident->plan.hash);
		assert_int_equal(message->button[i].row, 0);
	}
}

static void the_documents_approval_requests(void **state)
{
	const struct fixture *f = *state;
	struct incident incident = about("docker_container_nginx", "Container exited unexpectedly");
	incident.severity = SEVERITY_UNHEALTHY;
	STR_SET(incident.plan.title, "Restart container 'nginx-proxy'");
	STR_SET(incident.metrics,
		"{\"container\":\"nginx-proxy\",\"state\":\"exited\","
		"\"status\":\"Exited (1) 5 minutes ago\"}");
	assert_question(f, &incident, "approval_nginx");
	incident = about("lxc_104", "Critical lxc 'homelab-agents' (ID: 104) is stopped");
	STR_SET(incident.plan.title, "Start lxc 104");
	STR_SET(
		incident.metrics, "{\"vmid\": 104, \"name\": \"homelab-agents\",\n\"status\":\"stopped\"}");
	assert_question(f, &incident, "approval_lxc");
	incident = about("proxmox_node", "Proxmox node memory usage is high: 95.2%");
	STR_SET(incident.plan.title, "Clear caches or stop non-essential containers");
	STR_SET(incident.metrics, "{\"memory_percent\":95.2,\"used_gb\":59.6}");
	assert_question(f, &incident, "approval_node");
}

static void assert_fixed(
	const struct fixture *f, const char *label, const char *when, const char *name)
{
	struct notice notice = {.kind = NOTICE_RESULT, .ok = true};
	notice.incident = about("", "");
	STR_FORMAT(notice.incident.component.name, "docker_container_%s", label);
	STR_FORMAT(
		notice.incident.issue, "Docker container '%s' exited: Exited (1) %s ago", label, when);
	STR_FORMAT(notice.incident.plan.title, "Restart container '%s'", label);
	STR_FORMAT(notice.text, "Successfully restarted container '%s'", label);
	assert_string_equal(visible(f, text_notice(&notice, f->arena)), example(f, name));
}

static void the_documents_auto_fix_notifications(void **state)
{
	assert_fixed(*state, "redis", "2 minutes", "fixed_redis");
	assert_fixed(*state, "nginx-proxy", "3 minutes", "fixed_nginx_proxy");
}

static void the_documents_resolution_report(void **state)
{
	const struct fixture *f = *state;
	struct notice notice = {.kind = NOTICE_RESULT, .ok = true};
	notice.incident = about("lxc_104", "");
	STR_SET(notice.incident.actor, "telegram:1");
	STR_SET(notice.text, "Successfully started VM/Container 104");
	assert_string_equal(visible(f, text_notice(&notice, f->arena)), example(f, "resolution"));
}

static void the_documents_answer_to_enable_autohealing(void **state)
{
	const struct fixture *f = *state;
	assert_string_equal(
		visible(f, text_healing(HEALING_ON, 60000, f->arena)), example(f, "healing_enabled"));
	const char *slow = visible(f, text_healing(HEALING_ON, 300000, f->arena));
	assert_non_null(strstr(slow, "every 300 seconds"));
}

/* health_text itself is held against the document by test_words. */
static void the_documents_health_report_keeps_every_character(void **state)
{
	const struct fixture *f = *state;
	struct core_status core = {.now = NOW};
	struct facts facts = {.core = &core, .health = example(f, "health")};
	struct message *message = menu_show(&facts, "health", 1, f->arena);
	assert_string_equal(visible(f, message), facts.health);
	assert_true(str_starts(message->html, "<b>🏥 System Health Report</b>\n"));
	assert_non_null(strstr(message->html, "<b>📋 Active Issues:</b>"));
}

static void the_course_of_an_order(void **state)
{
	const struct fixture *f = *state;
	struct component guest = {.name = "lxc_104", .kind = COMPONENT_GUEST};
	struct component container = {
		.name = "docker_container_nginx", .label = "nginx", .kind = COMPONENT_CONTAINER};
	const char *lxc = text_target(&guest, f->arena), *nginx = text_target(&container, f->arena);
	assert_string_equal(
		visible(f, text_progress(DEED_START, lxc, f->arena)), "🔄 Starting VM/Container 104...");
	assert_string_equal(
		visible(f, text_progress(DEED_STOP, nginx, f->arena)), "🔄 Stopping container 'nginx'...");
	assert_string_equal(visible(f, text_ordered(DEED_START, lxc, true, NULL, f->arena)),
		"✅ Successfully started VM/Container 104");
	assert_string_equal(
		visible(f, text_ordered(DEED_RESTART, nginx, false, "no such image", f->arena)),
		"❌ Failed to restart container 'nginx'\nWhy: no such image");
	assert_string_equal(visible(f, text_unauthorized(f->arena)),
		"❌ Unauthorized. This bot is for authorized users only.");
}

static const char *asked(
	const struct fixture *f, const struct incident *incident, struct asked stage, int buttons)
{
	struct message *message = text_asking(incident, &stage, f->arena);
	assert_int_equal(message->buttons, buttons);
	const char *text = visible(f, message);
	const char *head = "⚠️ Action Approval Required\n\nComponent: lxc_104\n";
	assert_true(str_starts(text, head));
	assert_true((strstr(text, "Should I proceed") != NULL) == (stage.stage == ASKED_OPEN));
	return strstr(text, "Suggested Fix: Start lxc 104\n\n") +
		strlen("Suggested Fix: Start lxc 104\n\n");
}

static void after_a_decision_the_message_says_who_when_and_what_came_of_it(void **state)
{
	const struct fixture *f = *state;
	struct incident incident = about("lxc_104", "stopped");
	STR_SET(incident.plan.title, "Start lxc 104");
	struct asked stage = {ASKED_APPROVED, .who = "Ada <3", .at = NOW};
	assert_string_equal(asked(f, &incident, stage, 0),
		"✅ Approved by Ada <3 at 2025-10-24 16:30:15 UTC\n🔄 Start lxc 104...");
	stage = (struct asked){
		ASKED_DONE, .who = "telegram:5", .at = NOW, .ok = true, .result = "Started"};
	assert_string_equal(asked(f, &incident, stage, 0),
		"✅ Approved by user 5 at 2025-10-24 16:30:15 UTC\n✅ Started\n"
		"Next: it is watched until it is surely healthy");
	stage.stage = ASKED_HEALED;
	stage.took_ms = 42000;
	assert_string_equal(asked(f, &incident, stage, 0),
		"✅ Approved by user 5 at 2025-10-24 16:30:15 UTC\n✅ Started\n"
		"🟢 Seen healthy, 42 seconds after the failure");
	stage = (struct asked){ASKED_REJECTED, .who = "uid:0", .at = NOW};
	assert_non_null(
		strstr(asked(f, &incident, stage, 2), "❌ Rejected by root, at the command line at"));
	stage = (struct asked){ASKED_LATER, .who = "Ada", .at = NOW, .until = NOW + 3600000};
	assert_non_null(
		strstr(asked(f, &incident, stage, 2), "asked again at 2025-10-24 17:30:15 UTC"));
	stage = (struct asked){ASKED_EXPIRED, .at = NOW};
	assert_non_null(strstr(asked(f, &incident, stage, 2), "nobody answered\nNothing was done."));
	stage = (struct asked){ASKED_OVERTAKEN, .at = NOW, .result = "it is healthy again"};
	assert_non_null(strstr(asked(f, &incident, stage, 0), "it is healthy again\nNothing was done"));
}

static void a_failed_fix_says_why_and_what_next(void **state)
{
	const struct fixture *f = *state;
	struct incident incident = about("docker_container_a", "exited");
	struct message *message = text_fixed(&incident, false, "no such image", f->arena);
	assert_true(str_ends(visible(f, message),
		"Result: ❌ no such image\nNext: homeostat looks how it is, and decides anew"));
	assert_false(message->silent);
	assert_int_equal(message->button[0].intent.kind, INTENT_WHY);
	message = text_resolution(&incident, false, "no such image", f->arena);
	assert_non_null(strstr(visible(f, message), "❌ no such image\nNext: "));
	/* Healing is off: the one button is the order to do it. */
	struct notice notice = {.kind = NOTICE_POSTPONED, .incident = incident};
	message = text_notice(&notice, f->arena);
	assert_string_equal(message->button[0].text, "▶️ Do it now");
	assert_non_null(strstr(visible(f, message), "when you press Do it now"));
}

static void metrics_are_pretty_whatever_their_shape(void **state)
{
	const struct fixture *f = *state;
	struct incident incident = about("c", "i");
	STR_SET(incident.metrics, "{\"a\":[1,{\"b\":\"<x>\"}],\"c\":{},\"d\":null}");
	const char *text = visible(f, text_asking(&incident, NULL, f->arena));
	assert_non_null(strstr(text,
		"Metrics:\n{\n  \"a\": [\n    1,\n    {\n      \"b\": \"<x>\"\n    }\n  ],\n"
		"  \"c\": {},\n  \"d\": null\n}\n\nShould I"));
	static const char *const none[] = {"", "{}", "[1]", "{\"a\":", "nonsense"};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		STR_SET(incident.metrics, none[i]);
		assert_null(strstr(visible(f, text_asking(&incident, NULL, f->arena)), "Metrics"));
	}
}

static void a_storm_is_one_message_that_fits(void **state)
{
	const struct fixture *f = *state;
	struct storm_row rows[200];
	char *long_text = arena_alloc(f->arena, 801);
	for (int i = 0; i < 800; i += 4)
		memcpy(long_text + i, "🔥", 4);
	for (int i = 0; i < 200; i++)
		rows[i] = (struct storm_row){long_text, long_text, (enum storm_state)(i % STORM_STATES)};
	struct storm_facts storm = {"docker:local", "", NOW, NOW, false, rows, 200};
	const char *text = visible(f, text_storm(&storm, f->arena));
	assert_non_null(strstr(text, "200 components of docker:local failed together"));
	assert_non_null(strstr(text, "Healed: 50 of 200, 50 need a person"));
	assert_non_null(strstr(text, "… and 185 more"));
	assert_non_null(strstr(text, "healing waits"));
	storm.over = true;
	assert_non_null(strstr(visible(f, text_storm(&storm, f->arena)), "a few at a time"));
	for (int i = 0; i < 200; i++)
		rows[i].state = STORM_HEALED;
	assert_non_null(strstr(visible(f, text_storm(&storm, f->arena)), "Next: nothing, all is well"));
}

static void the_morning_says_what_happened_while_it_was_quiet(void **state)
{
	const struct fixture *f = *state;
	struct incident healed = about("docker_container_a", "exited"), open = healed;
	healed.state = LIFE_RESOLVED;
	open.state = LIFE_ESCALATED;
	const struct incident *list[] = {&open, &healed};
	struct quiet_facts quiet = {NOW, NOW + 3600000, 1, 0, 1, list, 2};
	struct message *message = text_morning(&quiet, f->arena);
	const char *text = visible(f, message);
	assert_non_null(strstr(text, "Healed: 1\nOver by itself: 0\nWaiting for you: 1\n"));
	assert_non_null(strstr(text, "🚨 docker_container_a: exited\n✅ docker_container_a: exited"));
	assert_false(message->silent);
	struct quiet_facts nothing = {NOW, NOW + 3600000, 0, 0, 0, NULL, 0};
	message = text_morning(&nothing, f->arena);
	assert_non_null(strstr(visible(f, message), "Nothing happened"));
	assert_true(message->silent);
}

static void a_start_tells_how_the_run_before_ended(void **state)
{
	const struct fixture *f = *state;
	struct boot boot = {"0.1.0", "3 sources", HEALING_OFF, 2, 1, false, false, NOW};
	struct message *message = text_boot(&boot, f->arena);
	const char *text = visible(f, message);
	assert_non_null(
		strstr(text, "ended unexpectedly; last sign of life at 2025-10-24 16:30:15 UTC"));
	assert_non_null(strstr(text, "2 open issues, 1 of them waits for your answer"));
	assert_int_equal(message->button[0].intent.kind, INTENT_HEALING);
	assert_false(message->silent);
	boot = (struct boot){"0.1.0", "3 sources", HEALING_ON, 0, 0, true, true, 0};
	text = visible(f, text_boot(&boot, f->arena));
	assert_null(strstr(text, "Before"));
	assert_non_null(strstr(text, "/help"));
}

static void a_source_that_is_lost_says_what_that_means(void **state)
{
	const struct fixture *f = *state;
	const char *text = visible(
		f, text_source("docker:local", false, 0, "connection refused", f->arena));
	assert_non_null(strstr(text, "not reached"));
	assert_non_null(strstr(text, "Why: connection refused"));
	assert_non_null(strstr(text, "nothing there is healed until it answers"));
	text = visible(f, text_source("docker:local", true, 180000, NULL, f->arena));
	assert_non_null(strstr(text, "Away for: 3 minutes"));
}

static void a_person_who_is_needed_is_told_why_and_what_was_tried(void **state)
{
	const struct fixture *f = *state;
	struct incident incident = about("docker_container_a", "it crashes");
	STR_SET(incident.plan.title, "Restart container 'a'");
	incident.attempt = 5;
	struct message *message = text_escalated(&incident, "the budget is used up", f->arena);
	const char *text = visible(f, message);
	assert_non_null(
		strstr(text, "Why: the budget is used up\nTried: Restart container 'a', 5 times"));
	assert_int_equal(message->button[0].intent.kind, INTENT_RETRY);
	incident.plan.action[0] = '\0';
	message = text_escalated(&incident, "it is unknown", f->arena);
	assert_int_equal(message->button[0].intent.kind, INTENT_WHY);
}

/* Every notice with the longest hostile texts that its fields hold: it parses, fits in one message,
 * and adds no line that its own words do not have. */
static void no_notice_is_broken_by_what_is_in_it(void **state)
{
	struct fixture *f = *state;
	for (uint32_t seed = 1; seed <= 200; seed++)
		for (int kind = 0; kind <= NOTICE_STOPPED; kind++) {
			auto_arena arena = arena_new(8 << 20);
			struct notice notice = {.kind = (enum notice_kind)kind, .at = NOW, .ok = seed % 2 == 0};
			char *text = strict_hostile(seed);
			notice.incident = about(text, text);
			notice.incident.state = (enum life_state)(seed % LIFE_STATES);
			STR_SET(notice.text, text);
			STR_SET(notice.incident.plan.title, text);
			STR_SET(notice.incident.diagnosis.cause, text);
			if (seed % 3 == 0)
				STR_SET(notice.incident.actor, text);
			STR_FORMAT(notice.incident.metrics, "{\"a\": \"%.200s\"}", "🔥<b>&\\n🔥🔥🔥🔥🔥🔥🔥🔥🔥");
			struct fixture here = {arena, f->document};
			assert_true(strlen(visible(&here, text_notice(&notice, arena))) > 10);
			free(text);
		}
}

static void a_story_says_what_why_what_was_done_and_what_next(void **state)
{
	const struct fixture *f = *state;
	struct incident incident = about("docker_container_a", "it crashes");
	incident.state = LIFE_ASKING;
	incident.opened_at = NOW - 60000;
	STR_SET(incident.plan.title, "Restart container 'a'");
	STR_SET(incident.diagnosis.cause, "the application failed (exit code 1)");
	STR_SET(incident.diagnosis.by, "rules");
	incident.diagnosis.confidence = 0.9;
	STR_SET(incident.diagnosis.evidence, "line one\nline <two> /stop_vm");
	struct approval approval = {
		.asked_at = NOW - 50000, .decided_at = NOW - 40000, .approved = true};
	STR_SET(approval.actor, "telegram:5");
	struct action_record action = {.began_at = NOW - 40000};
	STR_SET(action.action, "docker.container.restart");
	STR_SET(action.outcome, "not_healed");
	struct fact_story story = {&incident, &approval, &action, 1, 1, NOW};
	struct message *message = menu_story(&story, f->arena);
	assert_string_equal(visible(f, message),
		"🔍 Incident 7\n\nComponent: docker_container_a\nIssue: it crashes\nSeverity: 🔴 CRITICAL\n"
		"State: ASKING\nSince: 2025-10-24 16:29:15 UTC\n"
		"Why: the application failed (exit code 1) (by rules, 90% sure)\n"
		"Evidence:\nline one\nline <two> /stop_vm\nRemedy: Restart container 'a' (risk MEDIUM)\n"
		"Asked: 2025-10-24 16:29:25 UTC, approved 2025-10-24 16:29:35 UTC by user 5\n"
		"Done: 2025-10-24 16:29:35 UTC, docker.container.restart by homeostat: not_healed\n\n"
		"Next: your answer");
	assert_int_equal(message->button[0].intent.kind, INTENT_APPROVE);
	incident.state = LIFE_ESCALATED;
	assert_int_equal(menu_story(&story, f->arena)->button[0].intent.kind, INTENT_RETRY);
}

static void muting_says_until_when_and_what_it_means(void **state)
{
	const struct fixture *f = *state;
	struct message *message = text_muted("docker_container_a", NOW, f->arena);
	const char *text = visible(f, message);
	assert_non_null(strstr(text, "Muted until 2025-10-24 16:30:15 UTC: docker_container_a"));
	assert_non_null(strstr(text, "no news of it comes"));
	assert_int_equal(message->button[0].intent.kind, INTENT_UNMUTE);
	assert_non_null(strstr(visible(f, text_muted("", NOW, f->arena)), "everything"));
	assert_non_null(strstr(visible(f, text_unmuted("", f->arena)), "everything"));
	assert_string_equal(
		visible(f, text_answer(false, "gone", "try again", f->arena)), "❌ gone\ntry again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_documents_approval_requests),
		cmocka_unit_test(the_documents_auto_fix_notifications),
		cmocka_unit_test(the_documents_resolution_report),
		cmocka_unit_test(the_documents_answer_to_enable_autohealing),
		cmocka_unit_test(the_documents_health_report_keeps_every_character),
		cmocka_unit_test(the_course_of_an_order),
		cmocka_unit_test(after_a_decision_the_message_says_who_when_and_what_came_of_it),
		cmocka_unit_test(a_failed_fix_says_why_and_what_next),
		cmocka_unit_test(metrics_are_pretty_whatever_their_shape),
		cmocka_unit_test(a_storm_is_one_message_that_fits),
		cmocka_unit_test(the_morning_says_what_happened_while_it_was_quiet),
		cmocka_unit_test(a_start_tells_how_the_run_before_ended),
		cmocka_unit_test(a_source_that_is_lost_says_what_that_means),
		cmocka_unit_test(a_person_who_is_needed_is_told_why_and_what_was_tried),
		cmocka_unit_test(no_notice_is_broken_by_what_is_in_it),
		cmocka_unit_test(a_story_says_what_why_what_was_done_and_what_next),
		cmocka_unit_test(muting_says_until_when_and_what_it_means),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
