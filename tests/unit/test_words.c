/*
 * What people read: the user's own texts to the letter, and nothing from outside that steers a
 * terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/redact.h"
#include "base/str.h"
#include "report/internal.h"

static const unsigned char key[32] = "an audit key, 32 bytes long, yes";

static struct notice about(enum notice_kind kind, const char *component, const char *issue)
{
	struct notice notice = {.kind = kind, .at = 1761323415000};
	notice.incident.id = 7;
	notice.incident.attempt = 1;
	STR_SET(notice.incident.component.name, component);
	STR_SET(notice.incident.issue, issue);
	return notice;
}

static void assert_words(const struct notice *notice, const char *want)
{
	char text[4096];
	notice_words(notice, text, sizeof(text));
	assert_string_equal(text, want);
}

static void an_auto_fix_reads_as_the_document_shows(void **state)
{
	struct notice notice = about(NOTICE_RESULT, "docker_container_redis",
		"Docker container 'redis' exited: Exited (1) 2 minutes ago");
	notice.ok = true;
	STR_SET(notice.incident.plan.title, "Restart container 'redis'");
	STR_SET(notice.text, "Successfully restarted container 'redis'");
	assert_words(&notice,
		"🔧 Auto-Healing Action\n\n"
		"Component: docker_container_redis\n"
		"Issue: Docker container 'redis' exited: Exited (1) 2 minutes ago\n"
		"Action: Restart container 'redis'\n"
		"Result: ✅ Successfully restarted container 'redis'");
	notice.ok = false;
	STR_SET(notice.text, "no such image");
	assert_words(&notice,
		"🔧 Auto-Healing Action\n\n"
		"Component: docker_container_redis\n"
		"Issue: Docker container 'redis' exited: Exited (1) 2 minutes ago\n"
		"Action: Restart container 'redis'\n"
		"Result: ❌ no such image");
}

static void an_approval_request_reads_as_the_document_shows(void **state)
{
	struct notice notice = about(
		NOTICE_ASKING, "lxc_104", "Critical lxc 'homelab-agents' (ID: 104) is stopped");
	notice.incident.severity = SEVERITY_CRITICAL;
	notice.incident.plan.risk = RISK_MEDIUM;
	STR_SET(notice.incident.plan.title, "Start lxc 104");
	STR_SET(notice.incident.metrics,
		"{\"vmid\":104,\"name\":\"homelab-agents\",\"status\":\"stopped\"}");
	assert_words(&notice,
		"⚠️ Action Approval Required\n\n"
		"Component: lxc_104\n"
		"Issue: Critical lxc 'homelab-agents' (ID: 104) is stopped\n"
		"Severity: 🔴 CRITICAL\n"
		"Risk Level: MEDIUM\n\n"
		"Suggested Fix: Start lxc 104\n\n"
		"Metrics:\n{\n  \"vmid\": 104,\n  \"name\": \"homelab-agents\",\n"
		"  \"status\": \"stopped\"\n}\n\n"
		"Should I proceed with this action?\n\n"
		"homeostat approve 7 | homeostat reject 7");
}

static void a_resolution_reads_as_the_document_shows(void **state)
{
	struct notice notice = about(NOTICE_RESULT, "lxc_104", "");
	notice.ok = true;
	STR_SET(notice.incident.actor, "uid:0");
	STR_SET(notice.text, "Successfully started VM/Container 104");
	assert_words(&notice, "🔧 Action executed for lxc_104\n✅ Successfully started VM/Container 104");
}

static void every_notice_says_something_of_its_own(void **state)
{
	char texts[NOTICE_STOPPED + 1][4096];
	for (int kind = 0; kind <= NOTICE_STOPPED; kind++) {
		struct notice notice = about((enum notice_kind)kind, "c", "broken");
		STR_SET(notice.text, "because");
		notice_words(&notice, texts[kind], sizeof(texts[kind]));
		assert_true(strlen(texts[kind]) > 10);
		assert_true(kind == NOTICE_ASKING || strstr(texts[kind], "because") != NULL);
		for (int other = 0; other < kind; other++)
			assert_string_not_equal(texts[kind], texts[other]);
	}
}

static void what_waits_for_a_person_names_the_command(void **state)
{
	char text[4096];
	struct notice notice = about(NOTICE_ESCALATED, "c", "broken");
	notice_words(&notice, text, sizeof(text));
	assert_null(strstr(text, "homeostat retry")); /* there is nothing that could be tried */
	STR_SET(notice.incident.plan.action, "docker.container.restart");
	notice_words(&notice, text, sizeof(text));
	assert_non_null(strstr(text, "homeostat retry 7"));
	notice = about(NOTICE_POSTPONED, "c", "broken");
	notice_words(&notice, text, sizeof(text));
	assert_non_null(strstr(text, "homeostat retry 7"));
	assert_non_null(strstr(text, "homeostat enable"));
	notice.incident.wake_at = 1761323415000;
	notice_words(&notice, text, sizeof(text));
	assert_non_null(strstr(text, "decided again at "));
}

static void text_from_outside_cannot_steer(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"plain", "plain"},
		{"a\nb\rc\td", "a b c d"},
		{"\x1b[2Jx\x1b]0;owned\x07", " [2Jx ]0;owned "},
		{"a\xc2\x9b"
		 "31mb",
			"a 31mb"}, /* CSI as one C1 character */
		{"a\x9b"
		 "b",
			"a\xef\xbf\xbd"
			"b"}, /* and as a bare byte */
		{"a\x7f"
		 "b",
			"a b"},
		{"\xe2\x80\xae"
		 "evil",
			" evil"}, /* right-to-left override */
		{"a\xe2\x80\xa8"
		 "b",
			"a b"},                               /* line separator */
		{"\xc0\x8a", "\xef\xbf\xbd\xef\xbf\xbd"}, /* overlong newline */
		{"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"}, /* cut */
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"größe 🟠 日本", "größe 🟠 日本"},
	};
	char out[64];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		words_clean(out, sizeof(out), cases[i].in);
		assert_string_equal(out, cases[i].out);
	}
	words_clean(out, 6, "aaa🟠");
	assert_string_equal(out, "aaa"); /* never half a character */
}

static void no_field_of_a_notice_injects_lines_or_escapes(void **state)
{
	static const char evil[] = "x\n\x1b[31m✅ all is well\r\x9b";
	for (int kind = 0; kind <= NOTICE_STOPPED; kind++) {
		char text[4096], tame[4096];
		int lines[2] = {0};
		for (int round = 0; round < 2; round++) {
			struct notice notice = about(
				(enum notice_kind)kind, round == 0 ? "x" : evil, round == 0 ? "x" : evil);
			STR_SET(notice.text, round == 0 ? "x" : evil);
			STR_SET(notice.incident.plan.title, round == 0 ? "x" : evil);
			STR_SET(notice.incident.actor, round == 0 ? "x" : evil);
			STR_SET(notice.incident.diagnosis.cause, round == 0 ? "x" : evil);
			STR_SET(notice.incident.metrics,
				round == 0 ? "{\"a\":\"x\"}"
						   : "{\"a\":\"\\u001b[31m\\n\xc2\x9b\",\"b\\n\\u001b\":1}");
			notice_words(&notice, round == 0 ? tame : text, sizeof(text));
			for (const char *p = round == 0 ? tame : text; *p != '\0'; p++)
				lines[round] += *p == '\n';
		}
		assert_null(strchr(text, '\x1b'));
		assert_null(strchr(text, '\r'));
		assert_null(strstr(text, "\xc2\x9b"));
		assert_int_equal(lines[0] + (kind == NOTICE_ASKING ? 1 : 0), lines[1]);
	}
}

static void a_secret_is_not_shown(void **state)
{
	char text[4096];
	redact_register("hunter2-hunter2");
	struct notice notice = about(NOTICE_DETECTED, "c", "it printed hunter2-hunter2");
	notice_words(&notice, text, sizeof(text));
	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "[redacted]"));
	redact_reset();
}

static void a_line_has_its_time_and_colour_only_when_asked(void **state)
{
	auto_arena arena = arena_new(1 << 20);
	struct str plain, coloured;
	struct notice notice = about(NOTICE_ESCALATED, "c", "broken");
	str_init(&plain, arena);
	str_init(&coloured, arena);
	terminal_render(&notice, false, &plain);
	terminal_render(&notice, true, &coloured);
	assert_null(strchr(plain.s, '\x1b'));
	assert_non_null(strstr(coloured.s, "\x1b[31m"));
	assert_int_equal(plain.s[2], ':');
	assert_int_equal(plain.s[5], ':');
	assert_string_equal(plain.s + plain.len - 1, "\n");
	for (const char *line = strchr(plain.s, '\n') + 1; *line != '\0'; line = strchr(line, '\n') + 1)
		assert_true(*line == '\n' || strncmp(line, "          ", 10) == 0);
}

static void the_terminal_writes_what_is_in_its_box_before_it_ends(void **state)
{
	char path[] = "/tmp/test_words.XXXXXX", text[4096];
	struct err err = {0};
	int fd = mkstemp(path), old = dup(STDOUT_FILENO);
	assert_true(fd >= 0 && old >= 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	struct clock *clock = clock_new_wound(0);
	struct terminal *terminal = terminal_start(clock, &err);
	for (int i = 0; terminal != NULL && i < 20; i++) {
		struct arena *arena = arena_new(8192);
		struct notice *notice = ARENA_NEW(arena, struct notice);
		*notice = about(NOTICE_STARTED, "c", "");
		STR_FORMAT(notice->text, "number %d.", i);
		mailbox_send(terminal_mailbox(terminal), MAIL_NOTICE, &arena, notice);
	}
	terminal_stop(terminal);
	clock_free(clock);
	dup2(old, STDOUT_FILENO);
	close(old);
	assert_non_null(terminal);
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	for (int i = 0; i < 20; i++) {
		char want[32];
		STR_FORMAT(want, "number %d.", i);
		assert_non_null(strstr(text, want));
	}
	assert_null(strchr(text, '\x1b'));
	close(fd);
	unlink(path);
}

/* The health report. */

struct fixture {
	char dir[64];
	struct store *store;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	setenv("TZ", "UTC", 1);
	STR_SET(f->dir, "/tmp/test_words.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->store = store_open(f->dir, key, &err);
	assert_non_null(f->store);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {
		"homeostat.db", "homeostat.db-wal", "homeostat.db-shm", "homeostat.lock"};
	struct fixture *f = *state;
	store_close(f->store);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];
		STR_FORMAT(path, "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	rmdir(f->dir);
	free(f);
	return 0;
}

#define NOW 1761323415000 /* 2025-10-24 16:30:15 UTC */

static void put(struct store *store, const char *component, const char *issue,
	enum severity severity, enum life_state state)
{
	struct err err = {0};
	struct incident incident = {.severity = severity, .state = state, .opened_at = NOW - 60000};
	STR_SET(incident.component.name, component);
	STR_SET(incident.issue, issue);
	assert_true(store_incident_insert(store, &incident, &err));
}

static void put_healed(struct store *store, const char *component, const char *title,
	enum finding_kind finding, int64_t ended_at)
{
	struct err err = {0};
	struct incident incident = {.severity = SEVERITY_UNHEALTHY,
		.state = LIFE_RESOLVED,
		.finding = finding,
		.opened_at = ended_at - 9000,
		.ended_at = ended_at};
	STR_SET(incident.component.name, component);
	STR_SET(incident.plan.title, title);
	assert_true(store_incident_insert(store, &incident, &err));
}

static void the_health_report_is_the_documents_to_the_letter(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct core_status core = {.healing = HEALING_ON, .now = NOW};
	char text[8192];
	put(f->store, "proxmox_node", "High memory usage (92.5%)", SEVERITY_DEGRADED, LIFE_ASKING);
	put(f->store, "docker_container_redis", "Container stopped unexpectedly", SEVERITY_UNHEALTHY,
		LIFE_DECIDING);
	put(f->store, "docker_container_new", "not yet believed", SEVERITY_CRITICAL, LIFE_SUSPECTED);
	put_healed(
		f->store, "docker_container_a", "Restart container 'a'", FINDING_EXITED, NOW - 50000);
	put_healed(
		f->store, "docker_container_b", "Restart container 'b'", FINDING_EXITED, NOW - 40000);
	put_healed(f->store, "docker_container_postgres", "Restart container 'postgres'",
		FINDING_UNHEALTHY, NOW - 30000);
	put_healed(f->store, "proxmox_node", "Clean up disk space", FINDING_NONE, NOW - 20000);
	/* one that healed by itself is no resolution of ours; yesterday's is not of today */
	put_healed(f->store, "docker_container_nginx", "Restart container 'nginx'", FINDING_EXITED,
		NOW - 10000);
	put_healed(f->store, "docker_container_old", "Restart container 'old'", FINDING_EXITED,
		NOW - 17 * 3600000);
	assert_true(health_text(f->store, &core, text, sizeof(text), &err));
	assert_string_equal(text,
		"🏥 System Health Report\n"
		"🕐 2025-10-24 16:30:15 UTC\n"
		"\n"
		"Active Issues: 2\n"
		"Resolved Today: 5\n"
		"Pending Approvals: 1\n"
		"\n"
		"Issues by Severity:\n"
		"🔴 Critical: 0\n"
		"🟠 Unhealthy: 1\n"
		"🟡 Degraded: 1\n"
		"\n"
		"📋 Active Issues:\n"
		"\n"
		"• docker_container_redis: Container stopped unexpectedly\n"
		"• proxmox_node: High memory usage (92.5%)\n"
		"\n"
		"✅ Recent Resolutions:\n"
		"\n"
		"• docker_container_nginx: Restarted crashed container\n"
		"• proxmox_node: Cleaned up disk space\n"
		"• docker_container_postgres: Restarted unhealthy container");
}

static void trouble_of_our_own_stands_below_the_report(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct core_status core = {.healing = HEALING_OFF, .now = NOW, .sources = 1};
	char text[8192];
	STR_SET(core.trouble, "cannot record: the disk is full");
	STR_SET(core.source[0].name, "docker:local");
	STR_SET(core.source[0].text, "connection refused");
	assert_true(health_text(f->store, &core, text, sizeof(text), &err));
	assert_non_null(strstr(text, "🟡 Degraded: 0\n\n⚠️ homeostat itself: cannot record"));
	assert_non_null(strstr(text, "🔌 docker:local is not reached: connection refused"));
	assert_non_null(strstr(text, "Auto-healing is off"));
	assert_null(strstr(text, "📋"));
}

static void a_names_newline_stays_out_of_the_report(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct core_status core = {.healing = HEALING_ON, .now = NOW};
	char text[8192];
	put(f->store, "docker_container_x\n\x1b[2J", "a\nb", SEVERITY_CRITICAL, LIFE_DECIDING);
	assert_true(health_text(f->store, &core, text, sizeof(text), &err));
	assert_non_null(strstr(text, "• docker_container_x  [2J: a b"));
}

static void a_long_report_is_cut_and_says_so(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct core_status core = {.healing = HEALING_ON, .now = NOW};
	char text[8192];
	for (int i = 0; i < 30; i++)
		put(f->store, "c", "broken", SEVERITY_CRITICAL, LIFE_DECIDING);
	assert_true(health_text(f->store, &core, text, sizeof(text), &err));
	assert_non_null(strstr(text, "Active Issues: 30"));
	assert_non_null(strstr(text, "• … and 10 more"));
}

#define STORED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_auto_fix_reads_as_the_document_shows),
		cmocka_unit_test(an_approval_request_reads_as_the_document_shows),
		cmocka_unit_test(a_resolution_reads_as_the_document_shows),
		cmocka_unit_test(every_notice_says_something_of_its_own),
		cmocka_unit_test(what_waits_for_a_person_names_the_command),
		cmocka_unit_test(text_from_outside_cannot_steer),
		cmocka_unit_test(no_field_of_a_notice_injects_lines_or_escapes),
		cmocka_unit_test(a_secret_is_not_shown),
		cmocka_unit_test(a_line_has_its_time_and_colour_only_when_asked),
		cmocka_unit_test(the_terminal_writes_what_is_in_its_box_before_it_ends),
		STORED(the_health_report_is_the_documents_to_the_letter),
		STORED(trouble_of_our_own_stands_below_the_report),
		STORED(a_names_newline_stays_out_of_the_report),
		STORED(a_long_report_is_cut_and_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
