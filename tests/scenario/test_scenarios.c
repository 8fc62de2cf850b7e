/*
 * Runs the scenarios: text files of a few lines each, named by their claim. A file is
 *
 *     scenario "a crashed container is restarted and verified"
 *     config   brakes: { settle: 3s }          further configuration, YAML
 *     world    container web                   the engine's script, before the daemon starts
 *     world    pve: node pve1                  the cluster's (sim/proxmox.h)
 *     cluster  pve1 104, 101                   it is watched at this node; critical guests
 *     fault    crash web 1                     the same, later
 *     advance  61m                             the clock runs
 *     skip     91d                             the clock jumps: nobody looks in between
 *     wall     -2h                             the wall clock is set
 *     lose     4                               the answer to the 4th call from now is lost
 *     full     on | off                        the disk
 *     start | stop                             the daemon (the first `advance` starts it too)
 *     approve | reject | retry COMPONENT       a person; enable | disable | shadow
 *     order    ACTION COMPONENT                 propose: the same by a program
 *     expect   incident COMPONENT STATE | no incident COMPONENT | N STATE
 *     expect   posts N [PATTERN]               what the engine was asked to do
 *     expect   pveposts N [PATTERN]            what the cluster was; "_" stands for a space
 *     expect   model N                         requests that the model got
 *     expect   prompt "…"                      in what the model was sent last; no prompt "…"
 *     expect   evidence COMPONENT "…"          a line that was gathered; no evidence COMPONENT "…"
 *     expect   cause COMPONENT BY "…"          the diagnosis, and who made it
 *     expect   hostposts N [PATTERN]           what the host was (tests/lab_host.c)
 *     expect   atonce N                        the most of that at the same time
 *     expect   container NAME STATE | guest VMID STATE
 *     expect   words "…" | no words "…"        what people were told
 *     expect   answer STATUS                   the last request's
 *     phone    [YAML]                          Ada has a chat with the bot; further keys of
 * telegram: say      TEXT                            Ada, in her chat press    "✅ Approve" [twice
 * …]          Ada; options as in sim/telegram.h world | fault telegram: LINE             anything
 * else there expect   chat "…" | chat N "…" | no chat "…"   messages of the bot that stand, \n in
 * them expect   buttons "A | B\nC" "…"          under the newest message that has the text expect
 * seen "…" | no seen "…"          in all that has happened in chats, alerts too expect   asked N
 * PATTERN                 "sendMessage_1001_200"; "_" stands for a space expect   patient nothing
 * was sent while Telegram had us wait
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "sim/telegram.h"
#include "tests/lab.h"

#define FILES_MAX 200

struct play {
	struct lab *lab;
	const char *file;
	int line;
	struct answer answer;
};

/* LAB_CHAT=1: what happened in the chats. */
static void print_chat(const struct play *play)
{
	const char *line;
	for (int n = 0; getenv("LAB_CHAT") != NULL; n++) {
		line = sim_telegram_line(lab_phone(play->lab), n);
		if (line == NULL)
			return;
		fprintf(stderr, "%s\n", line);
	}
}

__attribute__((format(printf, 2, 3))) static void wrong(
	const struct play *play, const char *fmt, ...)
{
	char text[600];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (getenv("LAB_WORDS") != NULL)
		fputs(lab_words(play->lab), stderr);
	print_chat(play);
	fail_msg("%s:%d: %s", play->file, play->line, text);
}

static void need_daemon(struct play *play)
{
	if (!lab_is_up(play->lab))
		lab_start(play->lab);
}

/* The text between the quotes. */
static void quoted(const struct play *play, const char *rest, char *text, size_t size)
{
	const char *open = strchr(rest, '"'), *end = strrchr(rest, '"');
	if (open == NULL || end == open)
		wrong(play, "a text in quotes is missing");
	str_copy(text, size, open + 1);
	text[end - open - 1] = '\0';
}

static void expect_incident(struct play *play, const char *component, const char *state)
{
	struct incident incident;
	if (!lab_incident(play->lab, component, &incident))
		wrong(play, "%s has no incident", component);
	if (strcmp(life_state_name(incident.state), state) != 0)
		wrong(play, "%s is %s (%s), not %s", component, life_state_name(incident.state),
			incident.reason, state);
}

static void expect_words(struct play *play, const char *rest, bool wanted)
{
	char text[300];
	quoted(play, rest, text, sizeof(text));
	if ((strstr(lab_words(play->lab), text) != NULL) != wanted)
		wrong(play, "%s: \"%s\"", wanted ? "nobody was told" : "people were told", text);
}

/* "…" at *rest, with \n for a line's end; moves past it. */
static void next_quoted(struct play *play, const char **rest, char *text, size_t size)
{
	size_t length = 0;
	const char *at = strchr(*rest, '"');
	if (at == NULL)
		wrong(play, "a text in quotes is missing");
	for (at++; *at != '"' && *at != '\0' && length + 1 < size; at++) {
		bool escaped = at[0] == '\\' && at[1] != '\0';
		at += escaped;
		text[length++] = escaped && *at == 'n' ? '\n' : *at;
	}
	text[length] = '\0';
	*rest = *at == '"' ? at + 1 : at;
}

/* A text as the pattern of what holds it. */
static const char *holding(const char *text)
{
	static char pattern[700];
	STR_FORMAT(pattern, "*%s*", text);
	return pattern;
}

static bool is_seen(struct play *play, const char *text)
{
	const char *line;
	for (int n = 0; (line = sim_telegram_line(lab_phone(play->lab), n)) != NULL; n++)
		if (strstr(line, text) != NULL)
			return true;
	return false;
}

static void expect_buttons(struct play *play, const char *rest)
{
	char buttons[300], text[600];
	next_quoted(play, &rest, buttons, sizeof(buttons));
	next_quoted(play, &rest, text, sizeof(text));
	const char *found = sim_telegram_buttons(lab_phone(play->lab), holding(text));
	if (found == NULL || strcmp(found, buttons) != 0)
		wrong(play, "the buttons are \"%s\"", found != NULL ? found : "none");
}

/* True: it was about the chat. */
static bool expect_of_chat(struct play *play, const char *rest)
{
	char a[32] = "", b[160] = "", text[600];
	struct sim_telegram *phone = lab_phone(play->lab);
	sscanf(rest, "%31s %159s", a, b);
	bool no = strcmp(a, "no") == 0;
	const char *what = no ? b : a;
	if (strcmp(what, "chat") == 0) {
		const char *from = rest;
		next_quoted(play, &from, text, sizeof(text));
		int n = sim_telegram_sent(phone, holding(text));
		int wanted = no ? 0 : b[0] >= '0' && b[0] <= '9' ? atoi(b) : -1;
		if (wanted >= 0 ? n != wanted : n == 0)
			wrong(play, "%d messages of the chat hold \"%s\"", n, text);
	} else if (strcmp(what, "seen") == 0) {
		const char *from = rest;
		next_quoted(play, &from, text, sizeof(text));
		if (is_seen(play, text) == no)
			wrong(play, "%s: \"%s\"", no ? "it was seen" : "nobody has seen", text);
	} else if (strcmp(what, "buttons") == 0) {
		expect_buttons(play, rest);
	} else if (strcmp(what, "patient") == 0) {
		if (sim_telegram_impatient(phone) != 0)
			wrong(play, "%d were sent while it had to wait", sim_telegram_impatient(phone));
	} else if (strcmp(what, "asked") == 0) {
		char pattern[160] = "";
		sscanf(rest, "%*s %*s %159s", pattern);
		for (char *at = pattern; (at = strchr(at, '_')) != NULL;)
			*at = ' ';
		if (sim_telegram_asked(phone, pattern) != atoi(b))
			wrong(play, "it was asked %d times", sim_telegram_asked(phone, pattern));
	} else {
		return false;
	}
	return true;
}

static void expect_count(struct play *play, int n, const char *state)
{
	enum life_state parsed;
	if (!life_state_parse(state, &parsed))
		wrong(play, "no such state: %s", state);
	if (lab_count(play->lab, parsed) != n)
		wrong(play, "%d incidents are %s, not %d", lab_count(play->lab, parsed), state, n);
}

static void expect_state(
	const struct play *play, const char *what, const char *state, const char *wanted)
{
	if (state == NULL || strcmp(state, wanted) != 0)
		wrong(play, "%s is %s, not %s", what, state != NULL ? state : "gone", wanted);
}

static void expect_posts(struct play *play, const char *whose, int n, const char *pattern)
{
	char words[160];
	bool is_pve = strcmp(whose, "pveposts") == 0, is_host = strcmp(whose, "hostposts") == 0;
	STR_SET(words, pattern[0] != '\0' ? pattern : "*");
	for (char *at = words; (is_pve || is_host) && (at = strchr(at, '_')) != NULL;)
		*at = ' ';
	int posts = is_pve ? lab_pve_posts(play->lab, words)
		: is_host      ? lab_host_posts(play->lab, words)
					   : lab_posts(play->lab, words);
	if (posts != n)
		wrong(play, "%d %s, not %d", posts, whose, n);
}

/* What was gathered, what was concluded from it, and whom it cost a question. */
static bool expect_diagnosis(
	struct play *play, const char *rest, const char *a, const char *b, const char *c)
{
	struct incident incident;
	char text[300];
	bool no = strcmp(a, "no") == 0;
	if (strcmp(a, "model") == 0) {
		if (lab_claude_posts(play->lab) != atoi(b))
			wrong(play, "the model was asked %d times", lab_claude_posts(play->lab));
		return true;
	}
	if (strcmp(no ? b : a, "prompt") == 0) {
		quoted(play, rest, text, sizeof(text));
		if ((strstr(lab_claude_body(play->lab), text) == NULL) != no)
			wrong(play, "the model was sent: %.500s", lab_claude_body(play->lab));
		return true;
	}
	if (strcmp(no ? b : a, "evidence") == 0) {
		quoted(play, rest, text, sizeof(text));
		lab_incident(play->lab, no ? c : b, &incident);
		if ((strstr(lab_evidence(play->lab, incident.id), text) == NULL) != no)
			wrong(play, "the evidence is:\n%s", lab_evidence(play->lab, incident.id));
		return true;
	}
	if (strcmp(a, "cause") != 0)
		return false;
	quoted(play, rest, text, sizeof(text));
	lab_incident(play->lab, b, &incident);
	if (strcmp(incident.diagnosis.by, c) != 0 || strstr(incident.diagnosis.cause, text) == NULL)
		wrong(play, "by %s: %s", incident.diagnosis.by, incident.diagnosis.cause);
	return true;
}

static void expect(struct play *play, const char *rest)
{
	char a[160] = "", b[160] = "", c[160] = "";
	struct incident incident;
	sscanf(rest, "%159s %159s %159s", a, b, c);
	if (expect_of_chat(play, rest) || expect_diagnosis(play, rest, a, b, c))
		return;
	if (strcmp(a, "incident") == 0) {
		expect_incident(play, b, c);
	} else if (strcmp(a, "no") == 0 && strcmp(b, "incident") == 0) {
		if (lab_incident(play->lab, c, &incident))
			wrong(play, "%s has an incident: %s", c, life_state_name(incident.state));
	} else if (strcmp(a, "posts") == 0 || strcmp(a, "pveposts") == 0 ||
		strcmp(a, "hostposts") == 0) {
		expect_posts(play, a, atoi(b), c);
	} else if (strcmp(a, "atonce") == 0) {
		if (lab_most_at_once(play->lab) != atoi(b))
			wrong(play, "%d at once, not %s", lab_most_at_once(play->lab), b);
	} else if (strcmp(a, "container") == 0) {
		expect_state(play, b, lab_container(play->lab, b), c);
	} else if (strcmp(a, "guest") == 0) {
		expect_state(play, b, lab_guest(play->lab, atoi(b)), c);
	} else if (strcmp(a, "words") == 0) {
		expect_words(play, rest, true);
	} else if (strcmp(a, "no") == 0 && strcmp(b, "words") == 0) {
		expect_words(play, rest, false);
	} else if (strcmp(a, "answer") == 0) {
		if (play->answer.status != atoi(b))
			wrong(play, "the answer is %d (%s)", play->answer.status, play->answer.text);
	} else if (a[0] >= '0' && a[0] <= '9') {
		expect_count(play, atoi(a), b);
	} else {
		wrong(play, "what is to be expected? %s", rest);
	}
}

static void person(struct play *play, const char *verb, const char *rest)
{
	struct incident incident = {0};
	struct request request = {.approve = strcmp(verb, "approve") == 0};
	char a[160] = "", b[160] = "";
	sscanf(rest, "%159s %159s", a, b);
	if (strcmp(verb, "order") == 0 || strcmp(verb, "propose") == 0) {
		request.kind = verb[0] == 'o' ? REQUEST_ORDER : REQUEST_PROPOSE;
		STR_SET(request.text, "it looks tired");
		STR_SET(request.action, a);
		STR_SET(request.component, b);
	} else if (strcmp(verb, "retry") == 0 || request.approve || strcmp(verb, "reject") == 0) {
		request.kind = strcmp(verb, "retry") == 0 ? REQUEST_RETRY : REQUEST_DECIDE;
		lab_incident(play->lab, a, &incident);
		request.incident_id = incident.id;
	} else if (strcmp(verb, "mute") == 0 || strcmp(verb, "reset") == 0) {
		request.kind = verb[0] == 'm' ? REQUEST_MUTE : REQUEST_RESET;
		STR_SET(request.component, a);
		request.for_ms = verb[0] == 'm' ? str_parse_duration(b) : 0;
	} else {
		request.kind = REQUEST_HEALING;
		request.healing = verb[0] == 'e' ? HEALING_ON
			: verb[0] == 'd'             ? HEALING_OFF
										 : HEALING_SHADOW;
	}
	need_daemon(play);
	play->answer = lab_ask(play->lab, request);
}

static void script(struct play *play, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void script(struct play *play, const char *fmt, ...)
{
	char line[500];
	va_list args;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	lab_script(play->lab, line);
}

/* A person, at her phone. */
static bool at_phone(struct play *play, const char *verb, const char *rest)
{
	if (strcmp(verb, "phone") == 0) {
		char line[600];
		script(play, "telegram: user 1001 Ada");
		STR_FORMAT(line, "telegram: { token: \"%s\"%s%s%s%s }", SIM_TG_TOKEN,
			strstr(rest, "allowed_users:") != NULL ? "" : ", allowed_users: [1001]",
			str_starts(rest, "chat:") ? "" : ", chat: 1001", rest[0] != '\0' ? ", " : "", rest);
		lab_config(play->lab, line);
		return true;
	}
	bool says = strcmp(verb, "say") == 0;
	if (!says && strcmp(verb, "press") != 0)
		return false;
	need_daemon(play);
	if (says)
		script(play, "telegram: says Ada 1001 \"%s\"", rest);
	else
		script(play, "telegram: presses Ada 1001 %s", rest);
	lab_settle(play->lab);
	return true;
}

static void advance(struct play *play, const char *rest)
{
	int64_t ms = str_parse_duration(rest);
	if (ms < 0)
		wrong(play, "no duration: %s", rest);
	need_daemon(play);
	lab_advance(play->lab, ms);
}

static void run_line(struct play *play, const char *verb, const char *rest)
{
	static const char *const people[] = {"approve", "reject", "retry", "order", "propose", "mute",
		"reset", "enable", "disable", "shadow"};
	if (strcmp(verb, "config") == 0)
		return lab_config(play->lab, rest);
	if (strcmp(verb, "cluster") == 0) {
		char node[64] = "";
		int length = 0;
		sscanf(rest, "%63s %n", node, &length);
		return lab_cluster(play->lab, node, rest + length);
	}
	if (strcmp(verb, "world") == 0)
		return lab_script(play->lab, rest);
	if (strcmp(verb, "fault") == 0) {
		need_daemon(play);
		lab_script(play->lab, rest);
		return lab_settle(play->lab);
	}
	if (strcmp(verb, "advance") == 0)
		return advance(play, rest);
	if (strcmp(verb, "wall") == 0)
		return lab_set_clock(
			play->lab, rest[0] == '-' ? -str_parse_duration(rest + 1) : str_parse_duration(rest));
	if (strcmp(verb, "lose") == 0) {
		need_daemon(play);
		return lab_fail_http(play->lab, (int)strtol(rest, NULL, 10), FAULT_AFTER);
	}
	if (strcmp(verb, "skip") == 0)
		return lab_skip(play->lab, str_parse_duration(rest));
	if (strcmp(verb, "start") == 0)
		return lab_start(play->lab);
	if (strcmp(verb, "stop") == 0)
		return lab_stop(play->lab);
	if (strcmp(verb, "full") == 0)
		return lab_disk_full(play->lab, strcmp(rest, "on") == 0);
	if (strcmp(verb, "expect") == 0)
		return expect(play, rest);
	if (at_phone(play, verb, rest))
		return;
	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++)
		if (strcmp(verb, people[i]) == 0)
			return person(play, verb, rest);
	wrong(play, "no such verb: %s", verb);
}

static void run_file(void **state)
{
	struct play play = {.file = *state, .lab = lab_new("")};
	char line[400];
	bool expects = false;
	FILE *file = fopen(play.file, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		char verb[32] = "";
		int length = 0;
		play.line++;
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%31s %n", verb, &length) < 1 || verb[0] == '#' ||
			strcmp(verb, "scenario") == 0)
			continue;
		expects = expects || strcmp(verb, "expect") == 0;
		run_line(&play, verb, line + length);
	}
	fclose(file);
	assert_true(expects); /* a scenario that expects nothing proves nothing */
	lab_check_store(play.lab);
	print_chat(&play);
	lab_free(play.lab);
}

static int is_scenario(const struct dirent *entry)
{
	return str_ends(entry->d_name, ".txt");
}

/* The claim, from the file's first line. */
static char *claim_of(const char *path)
{
	char line[300] = "";
	FILE *file = fopen(path, "r");
	if (file == NULL || fgets(line, sizeof(line), file) == NULL)
		return strdup(path);
	fclose(file);
	char *open = strchr(line, '"'), *end = strrchr(line, '"');
	if (open == NULL || end == open)
		return strdup(path);
	*end = '\0';
	return strdup(open + 1);
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[FILES_MAX];
	struct dirent **entries;
	setenv("TZ", "UTC", 1); /* windows and clocks are in local time */
	int n = scandir("tests/scenario", &entries, is_scenario, alphasort), count = 0;
	if (n <= 0 || n > FILES_MAX) {
		fprintf(stderr, "tests/scenario: %d scenarios\n", n);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		char *path = NULL;
		if (asprintf(&path, "tests/scenario/%s", entries[i]->d_name) < 0)
			abort();
		free(entries[i]);
		if (argc > 1 && strstr(path, argv[1]) == NULL) {
			free(path);
			continue;
		}
		tests[count++] = (struct CMUnitTest){
			.name = claim_of(path), .test_func = run_file, .initial_state = path};
	}
	free(entries);
	return _cmocka_run_group_tests("scenarios", tests, (size_t)count, NULL, NULL);
}
