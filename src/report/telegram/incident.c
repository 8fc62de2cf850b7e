/*
 * Messages about one incident: the question, what became of it, an automatic repair, a resolution,
 * and the other notices.
 */
#include <string.h>

#include "base/json.h"
#include "report/telegram/html.h"
#include "report/telegram/texts.h"

#define METRICS_DEPTH 4
#define FAILED_NEXT "\nNext: homeostat looks how it is, and decides anew"

const char *text_actor(const char *actor, struct arena *arena)
{
	if (actor == NULL || actor[0] == '\0')
		return "homeostat";
	if (str_starts(actor, "telegram:"))
		return arena_printf(arena, "user %s", actor + strlen("telegram:"));
	if (str_equal(actor, "uid:0"))
		return "root, at the command line";
	if (str_starts(actor, "uid:"))
		return arena_printf(arena, "user %s, at the command line", actor + strlen("uid:"));
	return str_equal(actor, "api") ? "the HTTP API" : arena_strdup(arena, actor);
}

static void add_indent(struct html *html, int depth)
{
	for (int i = 0; i < depth; i++)
		html_addf(html, "  ");
}

/* Pretty, as Python's json.dumps(indent=2): the document's example is that. */
static void add_json(struct html *html, struct json value, int depth)
{
	size_t length;
	bool object = json_kind(value) == JSON_OBJECT;
	if ((!object && json_kind(value) != JSON_ARRAY) || depth >= METRICS_DEPTH ||
		json_count(value) == 0) {
		const char *raw = json_raw(value, &length);
		html_addf(html, "%s", arena_strndup(html->arena, raw, length));
		return;
	}
	html_addf(html, object ? "{" : "[");
	for (struct json child = json_first(value); json_is(child);) {
		html_addf(html, "\n");
		add_indent(html, depth + 1);
		if (object) {
			const char *key = json_key_raw(child, &length);
			html_addf(html, "&quot;%s&quot;: ", arena_strndup(html->arena, key, length));
		}
		add_json(html, child, depth + 1);
		child = json_next(child);
		if (json_is(child))
			html_addf(html, ",");
	}
	html_addf(html, "\n");
	add_indent(html, depth);
	html_addf(html, object ? "}" : "]");
}

/* What is no object with members is left out. */
static void add_metrics(struct html *html, const char *metrics)
{
	struct json root;
	struct err err = {0};
	if (!json_parse(html->arena, metrics, strlen(metrics), &root, &err) ||
		json_kind(root) != JSON_OBJECT || json_count(root) == 0)
		return;
	html_addf(html, "Metrics:\n<pre>");
	add_json(html, root, 0);
	html_addf(html, "</pre>\n\n");
}

static void add_question(struct html *html, const struct incident *incident)
{
	html_addf(html,
		"<b>⚠️ Action Approval Required</b>\n\nComponent: <code>%s</code>\nIssue: %s\n"
		"Severity: %s %s\nRisk Level: <b>%s</b>\n\nSuggested Fix: <b>%s</b>\n\n",
		incident->component.name, incident->issue, severity_icon(incident->severity),
		severity_name(incident->severity), risk_name(incident->plan.risk), incident->plan.title);
	add_metrics(html, incident->metrics);
}

/* What a retry means to who presses it depends on what was done before. */
static void add_retry(struct message *message, const char *label, int64_t incident_id)
{
	message_button(message, BUTTON_PRIMARY, INTENT_RETRY, label)->incident_id = incident_id;
}

static void add_why(struct message *message, int64_t incident_id)
{
	message_button(message, BUTTON_PLAIN, INTENT_WHY, "🔍 Why")->incident_id = incident_id;
}

static void add_result(struct html *html, const struct asked *asked)
{
	char took[32];
	html_addf(html, "\n%s %s", asked->ok ? "✅" : "❌", asked->result);
	if (asked->stage != ASKED_HEALED) {
		html_addf(
			html, asked->ok ? "\nNext: it is watched until it is surely healthy" : FAILED_NEXT);
		return;
	}
	html_addf(html, "\n🟢 Seen healthy");
	if (asked->took_ms > 0) {
		str_duration(took, asked->took_ms);
		html_addf(html, ", %s after the failure", took);
	}
}

/* Where the question was, the answer is. */
static void add_outcome(
	struct html *html, const struct incident *incident, const struct asked *asked)
{
	char at[24], until[24];
	const char *who = text_actor(asked->who, html->arena);
	str_utc(at, asked->at);
	str_utc(until, asked->until);
	switch (asked->stage) {
	case ASKED_OPEN:
		if (asked->who != NULL && asked->who[0] != '\0')
			html_addf(html, "👍 Approved by %.64s; a second person has to agree\n\n", who);
		html_addf(html, "Should I proceed with this action?");
		break;
	case ASKED_APPROVED:
		html_addf(html, "✅ Approved by %.64s at %s\n🔄 %s...", who, at, incident->plan.title);
		break;
	case ASKED_DONE:
	case ASKED_HEALED:
		html_addf(html, "✅ Approved by %.64s at %s", who, at);
		add_result(html, asked);
		break;
	case ASKED_REJECTED:
		html_addf(html,
			"❌ Rejected by %.64s at %s\nNothing was done. Next: it is left alone until it is "
			"healthy, or you press Do it now",
			who, at);
		break;
	case ASKED_LATER:
		html_addf(html,
			"🕐 Put off by %.64s at %s\nNothing was done. Next: you are asked again at %s", who, at,
			until);
		break;
	case ASKED_EXPIRED:
		html_addf(html,
			"⌛ Expired at %s: nobody answered\nNothing was done. Next: it stays as it is until "
			"you press Do it now",
			at);
		break;
	case ASKED_OVERTAKEN:
		html_addf(html,
			"↩️ No longer asked since %s: %.240s\nNothing was done, and this question can no "
			"longer be answered",
			at, asked->result);
		break;
	}
}

struct message *text_asking(
	const struct incident *incident, const struct asked *asked, struct arena *arena)
{
	static const struct asked open = {.stage = ASKED_OPEN};
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	asked = asked != NULL ? asked : &open;
	add_question(&html, incident);
	add_outcome(&html, incident, asked);
	message->html = html.out.s;
	switch (asked->stage) {
	case ASKED_OPEN:
		message_approval(message, incident->id, incident->plan.hash, true);
		break;
	case ASKED_LATER:
	case ASKED_REJECTED:
	case ASKED_EXPIRED:
		add_retry(message, "▶️ Do it now", incident->id);
		add_why(message, incident->id);
		break;
	case ASKED_APPROVED:
	case ASKED_DONE:
	case ASKED_HEALED:
	case ASKED_OVERTAKEN:
		break;
	}
	return message;
}

static void add_failed_next(
	struct message *message, struct html *html, const struct incident *incident, bool ok)
{
	if (ok)
		return;
	html_addf(html, FAILED_NEXT);
	add_why(message, incident->id);
}

struct message *text_fixed(
	const struct incident *incident, bool ok, const char *result, struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html,
		"<b>🔧 Auto-Healing Action</b>\n\nComponent: <code>%s</code>\nIssue: %s\nAction: %s\n"
		"Result: %s %s",
		incident->component.name, incident->issue, incident->plan.title, ok ? "✅" : "❌", result);
	add_failed_next(message, &html, incident, ok);
	message->html = html.out.s;
	message->silent = ok;
	return message;
}

struct message *text_resolution(
	const struct incident *incident, bool ok, const char *result, struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html, "<b>🔧 Action executed for</b> <code>%s</code>\n%s %s",
		incident->component.name, ok ? "✅" : "❌", result);
	add_failed_next(message, &html, incident, ok);
	message->html = html.out.s;
	return message;
}

struct message *text_escalated(
	const struct incident *incident, const char *why, struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html,
		"<b>🚨 A Person Is Needed</b>\n\nComponent: <code>%s</code>\nIssue: %s\n"
		"Severity: %s %s\nWhy: %s\n",
		incident->component.name, incident->issue, severity_icon(incident->severity),
		severity_name(incident->severity), why);
	if (incident->attempt > 0)
		html_addf(&html, "Tried: %s, %d time%s\n", incident->plan.title, incident->attempt,
			incident->attempt == 1 ? "" : "s");
	html_addf(&html, "\nNext: homeostat does nothing more by itself, and sees when it is well. ");
	if (incident->plan.action[0] != '\0') {
		html_addf(&html, "Look into it, then mend it or press Try again");
		add_retry(message, "🔁 Try again", incident->id);
	} else {
		html_addf(&html, "There is nothing that it could try: look into it");
	}
	add_why(message, incident->id);
	struct intent *mute = message_button(message, BUTTON_PLAIN, INTENT_MUTE, "🔕 Mute 1 h");
	STR_SET(mute->component, incident->component.name);
	mute->duration_ms = 3600000;
	message->html = html.out.s;
	return message;
}

static void say_ended(struct html *html, const struct notice *notice)
{
	const struct incident *incident = &notice->incident;
	const char *name = incident->component.name;
	if (incident->state == LIFE_REJECTED) {
		html_addf(html, "🚫 <code>%s</code>: %s\nNext: it is left alone until it is healthy", name,
			notice->text);
		return;
	}
	if (!notice->ok) {
		html_addf(html, "🟢 <code>%s</code> is over%s: %s", name,
			incident->attempt == 0 ? ", nothing had to be done" : "", notice->text);
		return;
	}
	int64_t from = incident->failed_at > 0 ? incident->failed_at : incident->opened_at;
	html_addf(html, "✅ <code>%s</code> is resolved: %s", name, notice->text);
	if (from > 0 && incident->ended_at > from) {
		char took[32];
		str_duration(took, incident->ended_at - from);
		html_addf(html, " (%s after the failure)", took);
	}
}

static void say_of_incident(struct html *html, const struct notice *notice)
{
	const struct incident *incident = &notice->incident;
	const char *name = incident->component.name;
	char at[24];
	if (notice->kind == NOTICE_ENDED) {
		say_ended(html, notice);
	} else if (notice->kind == NOTICE_DETECTED) {
		html_addf(html,
			"%s <code>%s</code>: %s\nWhy: %s\nNext: homeostat decides what may be done about it",
			severity_icon(incident->severity), name, incident->issue,
			notice->text[0] != '\0' ? notice->text : incident->diagnosis.cause);
	} else if (notice->kind == NOTICE_ACTING) {
		html_addf(html, "🔄 <code>%s</code>: %s...", name, incident->plan.title);
		if (incident->attempt > 1)
			html_addf(html, " (attempt %d)", incident->attempt);
		html_addf(html, "\nWhy: %s\nNext: it is watched until it is surely healthy", notice->text);
	} else {
		html_addf(html, "⏸️ <code>%s</code>: %s\nPostponed: %s\n", name, incident->issue,
			notice->text);
		str_utc(at, incident->wake_at);
		if (incident->wake_at > 0)
			html_addf(html, "Next: decided again at %s", at);
		else
			html_addf(html, "Next: when you press Do it now, or /enable_autohealing");
	}
}

static void say_of_homeostat(struct html *html, const struct notice *notice)
{
	const char *text = notice->text;
	switch ((int)notice->kind) {
	case NOTICE_STARTED:
		html_addf(html, "<b>🚀 homeostat started</b>\n\n%s", text);
		break;
	case NOTICE_SOURCE_UP:
		html_addf(html, "🔌 Reached: %s", text);
		break;
	case NOTICE_SOURCE_DOWN:
		html_addf(html,
			"🔌 Not reached: %s\nNext: it is tried again and again; nothing there is healed until "
			"it answers",
			text);
		break;
	case NOTICE_STORM:
		html_addf(html, notice->ok ? "🌤️ The storm is over: %s" : "🌩️ Storm: %s", text);
		break;
	case NOTICE_HEALING:
		html_addf(html, notice->ok ? "✅ Auto-healing is %s" : "🛑 Auto-healing is %s", text);
		break;
	case NOTICE_TROUBLE:
		html_addf(html,
			notice->ok
				? "✅ homeostat itself: %s"
				: "⚠️ homeostat itself: %s\nNext: it keeps watching, and acts again as soon as "
				  "it can",
			text);
		break;
	case NOTICE_SUMMARY:
		html_addf(html, "🌓 %s\nNext: /enable_autohealing lets it act", text);
		break;
	default:
		html_addf(html,
			"👋 homeostat stopped%s%s\nNext: nothing is watched until it is started again",
			text[0] != '\0' ? ": " : "", text);
	}
}

static struct message *text_plain_notice(const struct notice *notice, struct arena *arena)
{
	struct message *message = message_new(arena);
	const struct incident *incident = &notice->incident;
	struct html html;
	html_init(&html, arena);
	bool of_incident = notice->kind == NOTICE_DETECTED || notice->kind == NOTICE_ACTING ||
		notice->kind == NOTICE_POSTPONED || notice->kind == NOTICE_ENDED;
	if (of_incident)
		say_of_incident(&html, notice);
	else
		say_of_homeostat(&html, notice);
	message->html = html.out.s;
	bool good = notice->ok && (notice->kind == NOTICE_TROUBLE || notice->kind == NOTICE_STORM);
	message->silent = good ||
		(notice->kind != NOTICE_SOURCE_DOWN && notice->kind != NOTICE_TROUBLE &&
			notice->kind != NOTICE_STORM && notice->kind != NOTICE_STOPPED);
	bool waits = notice->kind == NOTICE_POSTPONED && incident->wake_at == 0;
	if (waits || (notice->kind == NOTICE_ENDED && incident->state == LIFE_REJECTED))
		add_retry(message, "▶️ Do it now", incident->id);
	return message;
}

struct message *text_notice(const struct notice *notice, struct arena *arena)
{
	const struct incident *incident = &notice->incident;
	switch ((int)notice->kind) {
	case NOTICE_ASKING:
		return text_asking(incident, NULL, arena);
	case NOTICE_RESULT:
		return incident->actor[0] != '\0'
			? text_resolution(incident, notice->ok, notice->text, arena)
			: text_fixed(incident, notice->ok, notice->text, arena);
	case NOTICE_ESCALATED:
		return text_escalated(incident, notice->text, arena);
	default:
		return text_plain_notice(notice, arena);
	}
}
