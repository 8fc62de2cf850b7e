/*
 * Messages about homeostat itself, its sources, and many incidents at once.
 */
#include "report/telegram/html.h"
#include "report/telegram/texts.h"

#define STORM_ROWS 15
#define MORNING_ROWS 12

static struct message *finished(struct message *message, const struct html *html)
{
	message->html = html->out.s;
	return message;
}

static void add_healing_button(
	struct message *message, enum button_style style, enum healing healing, const char *label)
{
	message_button(message, style, INTENT_HEALING, label)->healing = healing;
}

static const char *interval_words(int64_t interval_ms, struct arena *arena)
{
	if (interval_ms % 1000 == 0)
		return arena_printf(arena, "%lld seconds", (long long)(interval_ms / 1000));
	return arena_printf(arena, "%lld milliseconds", (long long)interval_ms);
}

struct message *text_healing(enum healing healing, int64_t interval_ms, struct arena *arena)
{
	static const char *const heads[] = {
		[HEALING_OFF] = "🛑 Auto-Healing Disabled",
		[HEALING_ON] = "✅ Auto-Healing Enabled",
		[HEALING_SHADOW] = "🌓 Auto-Healing in Shadow Mode",
	};
	static const char *const rest[] = {
		[HEALING_OFF] = "• Report what it finds to this chat\n"
						"• Do nothing without your order\n\n"
						"Use /health to view current status\n"
						"Use /enable_autohealing to start",
		[HEALING_ON] = "• Auto-fix low-risk issues automatically\n"
					   "• Request approval for risky actions\n"
					   "• Send notifications to this chat\n\n"
					   "Use /health to view current status\n"
					   "Use /disable_autohealing to stop",
		[HEALING_SHADOW] = "• Decide what it would do, and report it to this chat\n"
						   "• Do nothing without your order\n\n"
						   "Use /health to view current status\n"
						   "Use /enable_autohealing to let it act",
	};
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html, "<b>%s</b>\n\nThe system will now:\n• Monitor infrastructure every %s\n",
		heads[healing], interval_words(interval_ms, arena));
	str_add(&html.out, rest[healing]);
	if (healing == HEALING_ON)
		add_healing_button(message, BUTTON_PLAIN, HEALING_OFF, "🛑 Disable");
	else
		add_healing_button(message, BUTTON_SUCCESS, HEALING_ON, "✅ Enable");
	return finished(message, &html);
}

struct message *text_unauthorized(struct arena *arena)
{
	struct message *message = message_new(arena);
	message->html = "❌ Unauthorized. This bot is for authorized users only.";
	return message;
}

static void add_last_run(struct html *html, const struct boot *boot)
{
	char at[24];
	if (boot->first || boot->last_seen_at < 0)
		return;
	str_utc(at, boot->last_seen_at);
	if (boot->clean && boot->last_seen_at > 0)
		html_addf(html, "\nBefore: ended on purpose at %s", at);
	else if (boot->clean)
		html_addf(html, "\nBefore: ended on purpose");
	else if (boot->last_seen_at > 0)
		html_addf(html, "\n⚠️ Before: ended unexpectedly; last sign of life at %s", at);
	else
		html_addf(html, "\n⚠️ Before: ended unexpectedly");
}

struct message *text_boot(const struct boot *boot, struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html, "<b>🚀 homeostat %.32s started</b>\n\nWatching: %s\nAuto-Healing: %s",
		boot->version, boot->watched, healing_name(boot->healing));
	add_last_run(&html, boot);
	if (boot->open > 0)
		html_addf(
			&html, "\nTaken up again: %d open issue%s", boot->open, boot->open == 1 ? "" : "s");
	if (boot->open > 0 && boot->asking > 0)
		html_addf(&html, ", %d of them wait%s for your answer", boot->asking,
			boot->asking == 1 ? "s" : "");
	if (boot->first)
		html_addf(&html, "\n\nSend /help to see what I can do, /menu for buttons");
	if (boot->healing != HEALING_ON)
		add_healing_button(message, BUTTON_SUCCESS, HEALING_ON, "✅ Enable auto-healing");
	message_row(message);
	message_page(message, "🏥 Health", "health", 1);
	message_page(message, "📊 Status", "status", 1);
	message->silent = boot->clean || boot->first;
	return finished(message, &html);
}

struct message *text_source(
	const char *source, bool reached, int64_t for_ms, const char *why, struct arena *arena)
{
	char span[32];
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	str_duration(span, for_ms);
	html_addf(&html, "<b>🔌 Source %s</b>\n\nSource: <code>%s</code>\n",
		reached ? "reached" : "not reached", source);
	if (for_ms > 0)
		html_addf(&html, reached ? "Away for: %s\n" : "Reached until now for: %s\n", span);
	if (why != NULL && why[0] != '\0')
		html_addf(&html, "Why: %s\n", why);
	html_addf(&html,
		reached ? "\nNext: what changed meanwhile is looked at now"
				: "\nNext: it is tried again and again; nothing there is healed until it answers");
	message->silent = reached;
	return finished(message, &html);
}

static void add_storm_rows(struct html *html, const struct storm_facts *storm)
{
	static const char *const icons[] = {
		[STORM_PERSON] = "🚨",
		[STORM_HEALING] = "🔄",
		[STORM_WAITING] = "⏸️",
		[STORM_HEALED] = "✅",
	};
	int shown = 0;
	for (int state = 0; state < STORM_STATES; state++)
		for (int i = 0; i < storm->count && shown < STORM_ROWS; i++) {
			if ((int)storm->rows[i].state != state)
				continue;
			html_addf(html, "\n%s %.48s: %.60s", icons[state], storm->rows[i].component,
				storm->rows[i].issue);
			shown++;
		}
	if (storm->count > shown)
		html_addf(html, "\n… and %d more", storm->count - shown);
}

static void add_storm_next(struct html *html, const struct storm_facts *storm, const int *by_state)
{
	int open = by_state[STORM_HEALING] + by_state[STORM_WAITING];
	if (!storm->over)
		html_addf(html,
			"\n\nNext: healing waits until the common cause is known to be gone, then goes on a "
			"few "
			"at a time");
	else if (open > 0)
		html_addf(html, "\n\nNext: the rest is healed, a few at a time");
	else if (by_state[STORM_PERSON] > 0)
		html_addf(html, "\n\nNext: look into those marked 🚨; homeostat can do no more for them");
	else
		html_addf(html, "\n\nNext: nothing, all is well");
}

struct message *text_storm(const struct storm_facts *storm, struct arena *arena)
{
	char began[24];
	int by_state[STORM_STATES] = {0};
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	for (int i = 0; i < storm->count; i++)
		by_state[storm->rows[i].state]++;
	str_utc(began, storm->began_at);
	html_addf(&html, "<b>%s</b>\n\n%d components of %.64s failed together, since %s\nCause: %s\n",
		storm->over ? "🌤️ Storm Over" : "🌩️ Storm", storm->count, storm->source, began,
		storm->cause != NULL && storm->cause[0] != '\0' ? storm->cause : "looked for");
	html_addf(&html, "Healed: %d of %d", by_state[STORM_HEALED], storm->count);
	if (by_state[STORM_PERSON] > 0)
		html_addf(&html, ", %d need%s a person", by_state[STORM_PERSON],
			by_state[STORM_PERSON] == 1 ? "s" : "");
	html_addf(&html, "\n");
	add_storm_rows(&html, storm);
	add_storm_next(&html, storm, by_state);
	message_page(message, "🏥 Health", "health", 1);
	return finished(message, &html);
}

static const char *end_icon(const struct incident *incident)
{
	if (incident->state == LIFE_RESOLVED)
		return "✅";
	if (incident->state == LIFE_CLEARED)
		return "🟢";
	return incident->state == LIFE_ESCALATED ? "🚨" : severity_icon(incident->severity);
}

struct message *text_morning(const struct quiet_facts *quiet, struct arena *arena)
{
	char from[24], to[24];
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	str_utc(from, quiet->from);
	str_utc(to, quiet->to);
	html_addf(&html,
		"<b>☀️ While It Was Quiet</b>\n🕐 %s – %s\n\nHealed: %d\nOver by itself: %d\n"
		"Waiting for you: %d",
		from, to, quiet->healed, quiet->cleared, quiet->waiting);
	if (quiet->count > 0)
		html_addf(&html, "\n");
	for (int i = 0; i < quiet->count && i < MORNING_ROWS; i++)
		html_addf(&html, "\n%s %.48s: %.100s", end_icon(quiet->incidents[i]),
			quiet->incidents[i]->component.name, quiet->incidents[i]->issue);
	if (quiet->count > MORNING_ROWS)
		html_addf(&html, "\n… and %d more", quiet->count - MORNING_ROWS);
	if (quiet->count == 0 && quiet->healed + quiet->cleared + quiet->waiting == 0)
		html_addf(&html, "\n\nNothing happened");
	else if (quiet->waiting > 0)
		html_addf(&html, "\n\nNext: see /health for what waits for you");
	message_page(message, "🏥 Health", "health", 1);
	message->silent = quiet->waiting == 0;
	return finished(message, &html);
}
