/*
 * /why: what happened, why, by what evidence, what was decided and done, and what comes next.
 */
#include "report/telegram/page.h"
#include "report/telegram/texts.h"

#define ROWS_MAX 5

static void add_cause(struct html *html, const struct diagnosis *diagnosis)
{
	if (diagnosis->cause[0] == '\0')
		return;
	html_addf(html, "\nWhy: %s (by %.24s, %.0f%% sure)", diagnosis->cause, diagnosis->by,
		diagnosis->confidence * 100);
	if (diagnosis->evidence[0] == '\0')
		return;
	html_addf(html, "\nEvidence:\n<pre>");
	html_lines(html, diagnosis->evidence, 400);
	html_addf(html, "</pre>");
}

static void add_approvals(struct html *html, const struct fact_story *story)
{
	int first = story->approval_count > ROWS_MAX ? story->approval_count - ROWS_MAX : 0;
	for (int i = first; i < story->approval_count; i++) {
		const struct approval *approval = &story->approvals[i];
		char asked[24], decided[24];
		str_utc(asked, approval->asked_at);
		str_utc(decided, approval->decided_at);
		html_addf(html, "\nAsked: %s", asked);
		if (approval->decided_at > 0)
			html_addf(html, ", %s %s by %.64s", approval->approved ? "approved" : "rejected",
				decided, text_actor(approval->actor, html->arena));
	}
}

static void add_actions(struct html *html, const struct fact_story *story)
{
	int first = story->action_count > ROWS_MAX ? story->action_count - ROWS_MAX : 0;
	for (int i = first; i < story->action_count; i++) {
		const struct action_record *action = &story->actions[i];
		char began[24];
		str_utc(began, action->began_at);
		html_addf(html, "\nDone: %s, %.48s by %.64s: %s", began, action->action,
			text_actor(action->actor, html->arena),
			action->outcome[0] != '\0' ? action->outcome : "under way");
		if (action->text[0] != '\0')
			html_addf(html, ", %.160s", action->text);
	}
}

static const char *next_of(const struct incident *incident)
{
	switch (incident->state) {
	case LIFE_SUSPECTED:
		return "it is watched until it is certain, or over";
	case LIFE_DIAGNOSING:
		return "the cause is looked for";
	case LIFE_DECIDING:
		return "a decision, within moments";
	case LIFE_ASKING:
		return "your answer";
	case LIFE_POSTPONED:
		return "it is decided again, as soon as what it waits for is over";
	case LIFE_SUPPRESSED:
		return "it is taken up again when what it depends on is well";
	case LIFE_ACTING:
		return "the action ends, then it is watched until it is surely healthy";
	case LIFE_VERIFYING:
		return "it is watched until it is surely healthy, or fails again";
	case LIFE_ROLLING_BACK:
		return "what was done is undone, then you are told";
	case LIFE_RESOLVED:
		return "nothing: it was healed, and seen healthy";
	case LIFE_CLEARED:
		return "nothing: it is over, and nothing had to be done";
	case LIFE_REJECTED:
		return "nothing, until it is healthy again, or you press Do it now";
	case LIFE_ESCALATED:
		return "look into it; it closes by itself when the component is healthy";
	case LIFE_NONE:
	case LIFE_STATES:
		break;
	}
	return "nothing";
}

static void add_next(struct html *html, const struct incident *incident, int64_t now)
{
	char at[24];
	html_addf(html, "\n\nNext: %s", next_of(incident));
	str_utc(at, incident->wake_at);
	if (incident->wake_at > now && incident->state == LIFE_POSTPONED)
		html_addf(html, ", at the latest at %s", at);
	if (incident->wake_at > now && incident->state == LIFE_ASKING)
		html_addf(html, ", until %s", at);
	if (incident->parent_id > 0 && incident->state == LIFE_SUPPRESSED)
		html_addf(html, ": incident %lld", (long long)incident->parent_id);
}

static void add_buttons(struct message *message, const struct incident *incident)
{
	bool can_retry = incident->state == LIFE_ESCALATED || incident->state == LIFE_REJECTED ||
		incident->state == LIFE_POSTPONED;
	if (incident->state == LIFE_ASKING)
		message_approval(message, incident->id, incident->plan.hash, true);
	else if (can_retry && incident->plan.action[0] != '\0')
		message_button(message, BUTTON_PRIMARY, INTENT_RETRY, "▶️ Do it now")->incident_id =
			incident->id;
	message_row(message);
	message_button(message, BUTTON_PLAIN, INTENT_WHY, "🔄 Refresh")->incident_id = incident->id;
	message_page(message, "🏥 Health", "health", 1);
}

struct message *menu_story(const struct fact_story *story, struct arena *arena)
{
	const struct incident *incident = story->incident;
	struct message *message = message_new(arena);
	struct html html;
	char since[24], ended[24];
	html_init(&html, arena);
	str_utc(since, incident->failed_at > 0 ? incident->failed_at : incident->opened_at);
	str_utc(ended, incident->ended_at);
	html_addf(&html,
		"<b>🔍 Incident %lld</b>\n\nComponent: <code>%s</code>\nIssue: %s\nSeverity: %s %s\n"
		"State: %s\nSince: %s",
		(long long)incident->id, incident->component.name, incident->issue,
		severity_icon(incident->severity), severity_name(incident->severity),
		life_state_name(incident->state), since);
	if (incident->ended_at > 0)
		html_addf(&html, "\nOver: %s", ended);
	add_cause(&html, &incident->diagnosis);
	if (incident->plan.title[0] != '\0')
		html_addf(
			&html, "\nRemedy: %s (risk %s)", incident->plan.title, risk_name(incident->plan.risk));
	add_approvals(&html, story);
	if (incident->reason[0] != '\0')
		html_addf(&html, "\nDecision: %s", incident->reason);
	add_actions(&html, story);
	add_next(&html, incident, story->now);
	add_buttons(message, incident);
	message->html = html.out.s;
	return message;
}
