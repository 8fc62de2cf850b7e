/*
 * An incident's story in words: what happened, why, by what evidence, what was decided and done,
 * and what comes next.
 */
#include "cli/story.h"

#include <string.h>

#include "base/str.h"
#include "cli/control.h"
#include "cli/text.h"

#define INDENT 14
#define WIDTH 100

static void line(struct cli *cli, const char *head, const char *text)
{
	if (text[0] == '\0')
		return;
	fprintf(
		cli->out, "%s%-*s%s", cli_colour(cli, CLI_BOLD), INDENT, head, cli_colour(cli, CLI_PLAIN));
	text_wrap(cli->out, text_cleaned(cli->arena, text, false), INDENT, WIDTH);
}

static const char *time_of(struct cli *cli, struct json incident, const char *member)
{
	char text[24];
	int64_t at = control_time(json_get(incident, member));
	if (at <= 0)
		return "";
	str_utc(text, at);
	return arena_strdup(cli->arena, text);
}

static void tell_what(struct cli *cli, struct json incident)
{
	const char *state = control_text(cli, incident, "state");
	const char *failed = time_of(cli, incident, "failed_at");
	fprintf(cli->out, "%sIncident %s%s: %s, %s%s%s\n\n", cli_colour(cli, CLI_BOLD),
		control_text(cli, incident, "id"), cli_colour(cli, CLI_PLAIN),
		text_cleaned(cli->arena, control_text(cli, incident, "component"), false),
		story_colour(cli, state), state, cli_colour(cli, CLI_PLAIN));
	line(cli, "Issue", control_text(cli, incident, "issue"));
	line(cli, "Severity", control_text(cli, incident, "severity"));
	line(cli, "Failed", failed);
	line(cli, "Seen", time_of(cli, incident, "opened_at"));
}

static void tell_cause(struct cli *cli, struct json incident)
{
	struct json diagnosis = json_get(incident, "diagnosis");
	const char *cause = control_text(cli, diagnosis, "cause");
	const char *by = control_text(cli, diagnosis, "by");
	double confidence = json_num(json_get(diagnosis, "confidence"), 0);
	if (cause[0] != '\0')
		line(cli, "Cause",
			arena_printf(cli->arena, "%s (by %s, %.0f %% sure)", cause,
				by[0] != '\0' ? by : "rules", confidence * 100));
	line(cli, "Evidence", control_text(cli, diagnosis, "evidence"));
	line(cli, "Or", control_text(cli, diagnosis, "alternatives"));
}

/* Everything that was gathered; what proves the cause is marked. */
static void tell_evidence(struct cli *cli, struct json list)
{
	struct table *table = table_new(cli->arena, 3);
	for (struct json row = json_first(list); json_is(row); row = json_next(row)) {
		table_add(table, json_bool(json_get(row, "proves"), false) ? "*" : "");
		table_add(table, control_text(cli, row, "source"));
		table_add(table, control_text(cli, row, "text"));
	}
	if (table_rows(table) == 0)
		return;
	fputc('\n', cli->out);
	table_print(table, (const char *const[]){"", "SOURCE", "EVIDENCE"}, cli->colour, cli->out);
}

static void tell_record(struct cli *cli, struct json record)
{
	if (json_kind(record) != JSON_OBJECT)
		return;
	line(cli, "Record",
		arena_printf(cli->arena,
			"this remedy here: healed %lld of %lld, relapsed within a day %lld times; got well "
			"untouched %lld times; chance %.0f %% (90 %% interval %.0f to %.0f %%)",
			(long long)json_int(json_get(record, "healed"), 0),
			(long long)json_int(json_get(record, "n"), 0),
			(long long)json_int(json_get(record, "relapsed"), 0),
			(long long)json_int(json_get(record, "untouched"), 0),
			100 * json_num(json_get(record, "chance"), 0),
			100 * json_num(json_get(record, "low"), 0),
			100 * json_num(json_get(record, "high"), 0)));
}

static void tell_decision(struct cli *cli, struct json incident)
{
	struct json plan = json_get(incident, "plan");
	struct json approvals = json_get(incident, "approvals");
	const char *title = control_text(cli, plan, "title");
	if (title[0] != '\0')
		line(cli, "Remedy",
			arena_printf(cli->arena, "%s (risk %s)", title, control_text(cli, plan, "risk")));
	for (struct json a = json_first(approvals); json_is(a); a = json_next(a)) {
		const char *decision = control_text(cli, a, "decision");
		line(cli, "Asked", time_of(cli, a, "asked_at"));
		if (decision[0] != '\0')
			line(cli, strcmp(decision, "approve") == 0 ? "Approved" : "Rejected",
				arena_printf(cli->arena, "%s by %s", time_of(cli, a, "decided_at"),
					control_text(cli, a, "actor")));
	}
	tell_record(cli, json_get(incident, "record"));
	line(cli, "Decision", control_text(cli, incident, "reason"));
}

static void tell_action(struct cli *cli, struct json action)
{
	char span[32] = "";
	int64_t began = control_time(json_get(action, "began_at"));
	int64_t ended = control_time(json_get(action, "ended_at"));
	const char *outcome = control_text(cli, action, "outcome");
	const char *actor = control_text(cli, action, "actor");
	if (ended >= began && ended > 0)
		STR_FORMAT(span, " in %.1f s", (double)(ended - began) / 1000);
	line(cli, "Done",
		arena_printf(cli->arena, "%s %s by %s: %s%s. %s", time_of(cli, action, "began_at"),
			control_text(cli, action, "action"), actor[0] != '\0' ? actor : "homeostat",
			outcome[0] != '\0' ? outcome : "under way", span, control_text(cli, action, "text")));
}

static void tell_steps(struct cli *cli, struct json history)
{
	struct table *table = table_new(cli->arena, 4);
	for (struct json step = json_first(history); json_is(step); step = json_next(step)) {
		char at[32] = "";
		if (control_time(json_get(step, "at")) > 0)
			str_rfc3339(at, control_time(json_get(step, "at")));
		table_add(table, at);
		table_add(table, control_text(cli, step, "event"));
		table_add(table, control_text(cli, step, "state"));
		table_add(table, control_text(cli, step, "reason"));
	}
	if (table_rows(table) == 0)
		return;
	fputc('\n', cli->out);
	table_print(
		table, (const char *const[]){"TIME", "EVENT", "STATE", "REASON"}, cli->colour, cli->out);
}

/* What comes next, by the state it is in. */
static const char *next_of(struct cli *cli, struct json incident)
{
	static const struct {
		const char *state, *next;
	} nexts[] = {
		{"SUSPECTED", "it is watched until it is certain, or over"},
		{"DIAGNOSING", "the cause is looked for"},
		{"DECIDING", "a decision, within moments"},
		{"ASKING", "your answer: `homeostat approve %s` or `homeostat reject %s`"},
		{"POSTPONED", "it is decided again, as soon as what it waits for is over"},
		{"SUPPRESSED", "it is taken up again when what it depends on is well"},
		{"ACTING", "the action ends, then it is watched until it is surely healthy"},
		{"VERIFYING", "it is watched until it is surely healthy, or fails again"},
		{"ROLLING_BACK", "what was done is undone, then a person is told"},
		{"RESOLVED", "nothing: it was healed, and seen healthy"},
		{"CLEARED", "nothing: it is over, and nothing had to be done"},
		{"REJECTED",
			"nothing, until it is healthy again; `homeostat retry %s` if you think better"},
		{"ESCALATED",
			"a person: find out why, then `homeostat retry %s`; it closes by itself when "
			"the component is healthy"},
	};
	const char *state = control_text(cli, incident, "state"),
			   *id = control_text(cli, incident, "id");
	for (size_t i = 0; i < sizeof(nexts) / sizeof(nexts[0]); i++) {
		if (strcmp(nexts[i].state, state) != 0)
			continue;
		struct str text;
		str_init(&text, cli->arena);
		const char *rest = nexts[i].next;
		for (const char *mark; (mark = strstr(rest, "%s")) != NULL; rest = mark + 2) {
			str_addn(&text, rest, (size_t)(mark - rest));
			str_add(&text, id);
		}
		str_add(&text, rest);
		return text.s;
	}
	return "";
}

static void tell_next(struct cli *cli, struct json incident)
{
	struct json approvals = json_get(incident, "approvals");
	const char *state = control_text(cli, incident, "state");
	const char *wake = time_of(cli, incident, "wake_at"), *expires = "";
	for (struct json a = json_first(approvals); json_is(a); a = json_next(a))
		if (!json_is(json_get(a, "decided_at")) ||
			json_kind(json_get(a, "decided_at")) == JSON_NULL)
			expires = time_of(cli, a, "expires_at");
	const char *next = next_of(cli, incident);
	if (strcmp(state, "ASKING") == 0 && expires[0] != '\0')
		next = arena_printf(cli->arena, "%s; the question expires %s", next, expires);
	else if (strcmp(state, "POSTPONED") == 0 && wake[0] != '\0')
		next = arena_printf(cli->arena, "%s, at the latest %s", next, wake);
	else if (strcmp(state, "SUPPRESSED") == 0 && json_int(json_get(incident, "parent_id"), 0) > 0)
		next = arena_printf(
			cli->arena, "%s: `homeostat why %s`", next, control_text(cli, incident, "parent_id"));
	line(cli, "Over", time_of(cli, incident, "ended_at"));
	line(cli, "Next", next);
}

int story(struct cli *cli, bool whole)
{
	const char *body;
	struct json incident;
	int64_t id;
	if (!cli_number(cli, cli->operands[0], &id))
		return CLI_USAGE;
	if (!control_get(cli, arena_printf(cli->arena, "/api/v1/incidents/%lld", (long long)id), &body,
			&incident))
		return CLI_FAILED;
	if ((cli->given & CLI_JSON) != 0)
		return control_print(cli, body);
	tell_what(cli, incident);
	tell_cause(cli, incident);
	tell_decision(cli, incident);
	struct json list = json_get(incident, "actions");
	for (struct json action = json_first(list); json_is(action); action = json_next(action))
		tell_action(cli, action);
	tell_next(cli, incident);
	tell_evidence(cli, json_get(incident, "evidence"));
	if (whole)
		tell_steps(cli, json_get(incident, "history"));
	return CLI_DONE;
}
