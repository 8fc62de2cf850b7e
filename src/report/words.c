/*
 * A notice in words. The blocks of an auto-fix, an approval request and a resolution are the user's
 * own, to the letter.
 */
#include <string.h>

#include "base/redact.h"
#include "base/str.h"
#include "base/utf8.h"
#include "report/internal.h"

void words_clean(char *field, size_t size, const char *text)
{
	size_t length = 0;
	while (*text != '\0') {
		uint32_t c = 0;
		size_t n = utf8_decode(text, &c);
		const char *put = n == 0 ? UTF8_REPLACEMENT : utf8_steers(c) ? " " : text;
		size_t bytes = n == 0 ? strlen(UTF8_REPLACEMENT) : utf8_steers(c) ? 1 : n;
		if (length + bytes >= size)
			break;
		memcpy(field + length, put, bytes);
		length += bytes;
		text += n == 0 ? 1 : n;
	}
	field[length] = '\0';
}

/* The cleaned texts of a notice. */
struct cleaned {
	char component[NAME_MAX_BYTES], issue[240], title[200], actor[64], cause[240], text[480];
};

static void clean(const struct notice *notice, struct cleaned *cleaned)
{
	const struct incident *incident = &notice->incident;
	words_clean(cleaned->component, sizeof(cleaned->component), incident->component.name);
	words_clean(cleaned->issue, sizeof(cleaned->issue), incident->issue);
	words_clean(cleaned->title, sizeof(cleaned->title), incident->plan.title);
	words_clean(cleaned->actor, sizeof(cleaned->actor), incident->actor);
	words_clean(cleaned->cause, sizeof(cleaned->cause), incident->diagnosis.cause);
	words_clean(cleaned->text, sizeof(cleaned->text), notice->text);
}

/* "{"a": 1}" over several lines, a member each. What is no object of plain members is left out. */
static void add_metrics(struct str *out, const char *metrics)
{
	auto_arena arena = arena_new(64 << 10);
	struct json root;
	struct err err = {0};
	if (!json_parse(arena, metrics, strlen(metrics), &root, &err) ||
		json_kind(root) != JSON_OBJECT || json_count(root) == 0)
		return;
	str_add(out, "Metrics:\n{");
	for (struct json member = json_first(root); json_is(member); member = json_next(member)) {
		size_t length;
		const char *raw = json_raw(member, &length);
		char value[480], line[480], key[128];
		STR_FORMAT(value, "%.*s", (int)length, raw);
		words_clean(line, sizeof(line), value);
		words_clean(key, sizeof(key), json_key(member, arena));
		str_addf(out, "%s\n  \"%s\": %s", out->s[out->len - 1] == '{' ? "" : ",", key, line);
	}
	str_add(out, "\n}\n\n");
}

static void say_asking(struct str *out, const struct notice *notice, const struct cleaned *cleaned)
{
	const struct incident *incident = &notice->incident;
	str_addf(out,
		"⚠️ Action Approval Required\n\nComponent: %s\nIssue: %s\nSeverity: %s %s\n"
		"Risk Level: %s\n\nSuggested Fix: %s\n\n",
		cleaned->component, cleaned->issue, severity_icon(incident->severity),
		severity_name(incident->severity), risk_name(incident->plan.risk), cleaned->title);
	add_metrics(out, incident->metrics);
	str_addf(out,
		"Should I proceed with this action?\n\nhomeostat approve %lld | homeostat reject %lld",
		(long long)incident->id, (long long)incident->id);
}

static void say_result(struct str *out, const struct notice *notice, const struct cleaned *cleaned)
{
	const char *mark = notice->ok ? "✅" : "❌";
	if (cleaned->actor[0] != '\0')
		str_addf(out, "🔧 Action executed for %s\n%s %s", cleaned->component, mark, cleaned->text);
	else
		str_addf(out,
			"🔧 Auto-Healing Action\n\nComponent: %s\nIssue: %s\nAction: %s\nResult: %s %s",
			cleaned->component, cleaned->issue, cleaned->title, mark, cleaned->text);
}

static void say_detected(
	struct str *out, const struct notice *notice, const struct cleaned *cleaned)
{
	str_addf(out, "%s %s: %s\n", severity_icon(notice->incident.severity), cleaned->component,
		cleaned->issue);
	str_addf(out, "Why: %s\nNext: deciding what may be done about it",
		cleaned->text[0] != '\0' ? cleaned->text : cleaned->cause);
}

static void say_acting(struct str *out, const struct notice *notice, const struct cleaned *cleaned)
{
	str_addf(out, "🔧 %s: %s", cleaned->component, cleaned->title);
	if (notice->incident.attempt > 1)
		str_addf(out, " (attempt %d)", notice->incident.attempt);
	if (cleaned->text[0] != '\0')
		str_addf(out, "\nWhy: %s", cleaned->text);
	str_add(out, "\nNext: it is watched until it has been healthy for a while");
}

static void say_postponed(
	struct str *out, const struct notice *notice, const struct cleaned *cleaned)
{
	long long id = (long long)notice->incident.id;
	str_addf(out, "⏸️ %s: postponed\nWhy: %s\n", cleaned->component, cleaned->text);
	if (notice->incident.wake_at > 0) {
		char at[12];
		str_clock(at, notice->incident.wake_at);
		str_addf(out, "Next: decided again at %s", at);
	} else {
		str_addf(out,
			"Next: when you turn auto-healing on (homeostat enable), or order it "
			"(homeostat retry %lld)",
			id);
	}
}

static void say_ended(struct str *out, const struct notice *notice, const struct cleaned *cleaned)
{
	const struct incident *incident = &notice->incident;
	if (incident->state == LIFE_REJECTED) {
		str_addf(out,
			"🚫 %s: %s\nNext: left alone until it is healthy; homeostat retry %lld "
			"decides anew",
			cleaned->component, cleaned->text, (long long)incident->id);
		return;
	}
	const char *how = notice->ok ? "resolved" : "over";
	if (!notice->ok && incident->attempt == 0)
		how = "over, nothing had to be done";
	str_addf(
		out, "%s %s: %s: %s", notice->ok ? "✅" : "🟢", cleaned->component, how, cleaned->text);
	int64_t from = incident->failed_at > 0 ? incident->failed_at : incident->opened_at;
	if (notice->ok && from > 0 && incident->ended_at > from) {
		char took[32];
		str_duration(took, incident->ended_at - from);
		str_addf(out, " (%s after the failure)", took);
	}
}

static void say_escalated(
	struct str *out, const struct notice *notice, const struct cleaned *cleaned)
{
	str_addf(out, "🚨 %s needs a person: %s\nWhy: %s\nNext: mend it; homeostat sees when it is well",
		cleaned->component, cleaned->issue, cleaned->text);
	if (notice->incident.plan.action[0] != '\0')
		str_addf(out, ". Or have it tried once more: homeostat retry %lld",
			(long long)notice->incident.id);
}

static void say_out_of_reach(struct str *out, const char *text)
{
	str_addf(out,
		"🔌 not reached: %s\nNext: tried again and again; nothing there is healed until it answers",
		text);
}

static void say(struct str *out, const struct notice *notice, const struct cleaned *cleaned)
{
	const char *text = cleaned->text;
	switch (notice->kind) {
	case NOTICE_STARTED:
		str_addf(out, "🚀 homeostat started: %s", text);
		break;
	case NOTICE_SOURCE_UP:
		str_addf(out, "🔌 reached: %s", text);
		break;
	case NOTICE_SOURCE_DOWN:
		say_out_of_reach(out, text);
		break;
	case NOTICE_DETECTED:
		say_detected(out, notice, cleaned);
		break;
	case NOTICE_ASKING:
		say_asking(out, notice, cleaned);
		break;
	case NOTICE_ACTING:
		say_acting(out, notice, cleaned);
		break;
	case NOTICE_RESULT:
		say_result(out, notice, cleaned);
		break;
	case NOTICE_POSTPONED:
		say_postponed(out, notice, cleaned);
		break;
	case NOTICE_STORM:
		str_addf(out, notice->ok ? "🌤️ the storm is over: %s" : "🌩️ storm: %s", text);
		break;
	case NOTICE_ENDED:
		say_ended(out, notice, cleaned);
		break;
	case NOTICE_ESCALATED:
		say_escalated(out, notice, cleaned);
		break;
	case NOTICE_HEALING:
		str_addf(out, notice->ok ? "✅ auto-healing is %s" : "🛑 auto-healing is %s", text);
		break;
	case NOTICE_TROUBLE:
		str_addf(out,
			notice->ok ? "✅ %s"
					   : "⚠️ homeostat itself: %s\nNext: it keeps watching, and "
						 "acts again as soon as it can",
			text);
		break;
	case NOTICE_DECIDED:
		str_addf(out, "%s %s: %s", notice->ok ? "👍" : "✋", text, cleaned->title);
		break;
	case NOTICE_SUMMARY:
		str_addf(out, "🌓 %s", text);
		break;
	case NOTICE_KINDS:
	case NOTICE_STOPPED:
		str_addf(out, "👋 homeostat stopped%s%s", text[0] != '\0' ? ": " : "", text);
		break;
	}
}

void notice_words(const struct notice *notice, char *text, size_t size)
{
	auto_arena arena = arena_new(256 << 10);
	struct cleaned cleaned;
	struct str out;
	str_init(&out, arena);
	clean(notice, &cleaned);
	say(&out, notice, &cleaned);
	str_copy(text, size, out.s);
	redact(text, size);
}
