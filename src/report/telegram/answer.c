/*
 * Answers to what a person sent: the course of an order, and short ones.
 */
#include "report/telegram/html.h"
#include "report/telegram/texts.h"

#define LATE_MS 120000

static const struct {
	const char *doing, *done, *verb;
} deeds[] = {
	[DEED_START] = {"Starting", "started", "start"},
	[DEED_STOP] = {"Stopping", "stopped", "stop"},
	[DEED_RESTART] = {"Restarting", "restarted", "restart"},
};

const char *text_target(const struct component *component, struct arena *arena)
{
	const char *name = component->name;
	if (component->kind == COMPONENT_GUEST &&
		(str_starts(name, "lxc_") || str_starts(name, "qemu_")))
		return arena_printf(arena, "VM/Container %s", name + (name[0] == 'l' ? 4 : 5));
	if (component->kind == COMPONENT_CONTAINER)
		return arena_printf(arena, "container '%s'", component->label);
	return arena_strdup(arena, name);
}

struct message *text_progress(enum deed deed, const char *target, struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html, "🔄 %s %s...", deeds[deed].doing, target);
	message->html = html.out.s;
	return message;
}

struct message *text_ordered(
	enum deed deed, const char *target, bool ok, const char *why, struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	if (ok && why != NULL && why[0] != '\0')
		html_addf(&html, "✅ %s", why);
	else if (ok)
		html_addf(&html, "✅ Successfully %s %s", deeds[deed].done, target);
	else
		html_addf(&html, "❌ Failed to %s %s\nWhy: %s", deeds[deed].verb, target, why);
	message->html = html.out.s;
	return message;
}

struct message *text_postponed(const char *target, const char *why, struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html, "⏸️ %s has to wait\nWhy: %s\nNext: it is done as soon as that is over",
		target, why);
	message->html = html.out.s;
	return message;
}

void text_late(struct message *message, int64_t at, int64_t now, struct arena *arena)
{
	char when[24];
	struct html html;
	if (now - at < LATE_MS)
		return;
	html_init(&html, arena);
	str_utc(when, at);
	html_addf(&html, "<i>🕐 %s</i>\n", when);
	str_add(&html.out, message->html);
	message->html = html.out.s;
}

void text_again(struct message *message, int64_t for_ms, struct arena *arena)
{
	char span[32];
	struct html html;
	html_init(&html, arena);
	str_duration(span, for_ms);
	html_addf(&html, "<b>⏰ Nobody has answered for %s</b>\n\n", span);
	str_add(&html.out, message->html);
	message->html = html.out.s;
	message->silent = false;
}

struct message *text_muted(const char *component, int64_t until, struct arena *arena)
{
	char at[24];
	bool all = component == NULL || component[0] == '\0';
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	str_utc(at, until);
	html_addf(&html,
		"🔕 Muted until %s: <code>%s</code>\nIt is watched, but until then nothing is done by "
		"itself "
		"and no news of it comes",
		at, all ? "everything" : component);
	struct intent *intent = message_button(message, BUTTON_PLAIN, INTENT_UNMUTE, "🔔 Unmute");
	STR_SET(intent->component, component);
	message->html = html.out.s;
	return message;
}

struct message *text_unmuted(const char *component, struct arena *arena)
{
	bool all = component == NULL || component[0] == '\0';
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html, "🔔 No longer muted: <code>%s</code>", all ? "everything" : component);
	message->html = html.out.s;
	return message;
}

struct message *text_only_commands(struct arena *arena)
{
	struct message *message = message_new(arena);
	message->html = "I take commands and buttons only: /help shows them";
	message_page(message, "☰ Menu", "", 1);
	return message;
}

struct message *text_no_component(
	const char *name, const char *near, int64_t for_ms, struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html, "❓ There is no component <code>%s</code>.", name);
	if (near != NULL) {
		html_addf(&html, " Did you mean <code>%s</code>?", near);
		struct intent *intent = message_button(message, BUTTON_PLAIN, INTENT_MUTE, near);
		STR_SET(intent->component, near);
		intent->duration_ms = for_ms;
	} else {
		html_addf(&html, "\nExample: <code>/mute docker_container_redis 2h</code>");
	}
	message->html = html.out.s;
	return message;
}

struct message *text_answer(bool ok, const char *what, const char *next, struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html, "%s %s", ok ? "✅" : "❌", what);
	if (next != NULL && next[0] != '\0')
		html_addf(&html, "\n%s", next);
	message->html = html.out.s;
	return message;
}
