/*
 * Answers to what a person sent: the course of an order, and short ones.
 */
#include "report/telegram/html.h"
#include "report/telegram/texts.h"

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

struct message *text_muted(const char *component, int64_t until, struct arena *arena)
{
	char at[24];
	bool all = component == NULL || component[0] == '\0';
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	str_utc(at, until);
	html_addf(&html,
		"🔕 Muted until %s: <code>%s</code>\nIt is watched and healed as before; questions and "
		"what needs a person still come",
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
