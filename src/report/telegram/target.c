/*
 * What a command names, found among what there is; and the answers when it cannot be found, or when
 * the command itself was not understood.
 */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "report/telegram/command.h"
#include "report/telegram/html.h"
#include "report/telegram/texts.h"

#define CANDIDATES_MAX 1024
#define CHOICES_MAX 6

/* One thing that a command may mean. */
struct candidate {
	const char *name, *component;
	int vmid;
	bool critical;
};

struct search {
	const struct command *command;
	enum deed deed;
	bool of_guests;
	struct candidate *list;
	int count;
};

/* What only shows a page can be a button. */
static void offer_page(struct message *message, int kind)
{
	static const enum command_kind pages[] = {COMMAND_MENU, COMMAND_STATUS, COMMAND_NODE,
		COMMAND_VMS, COMMAND_DOCKER, COMMAND_HEALTH, COMMAND_BACKUP, COMMAND_AUDIT};
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		const char *name = telegram_commands[pages[i]].name;
		if ((int)pages[i] == kind)
			message_page(message, name, pages[i] == COMMAND_MENU ? "" : name, 1);
	}
}

struct message *command_complaint(enum command_result result, const struct command *command,
	const struct command_error *error, struct arena *arena)
{
	if (result != COMMAND_UNKNOWN && result != COMMAND_BAD_ARGUMENTS)
		return NULL;
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	if (result == COMMAND_UNKNOWN) {
		html_addf(&html, "❓ Unknown command: <code>/%s</code>\n", error->typed);
		if (error->near >= 0) {
			const struct command_info *near = &telegram_commands[error->near];
			html_addf(&html, "Did you mean ");
			str_addf(&html.out, "/%s", near->name);
			html_addf(&html, near->usage[0] != '\0' ? " %s?\n" : "?%s\n", near->usage);
			if (near->takes == TAKES_NOTHING || near->takes == TAKES_GUEST_OR_NOTHING)
				offer_page(message, error->near);
		}
		html_addf(&html, "/help shows all commands");
	} else {
		const struct command_info *info = &telegram_commands[command->kind];
		html_addf(&html, "❌ %s\n\nUsage: <code>/%s", error->why, info->name);
		html_addf(&html, info->usage[0] != '\0' ? " %s</code>" : "</code>%s", info->usage);
		if (info->example[0] != '\0')
			html_addf(&html, "\nExample: <code>/%s %s</code>", info->name, info->example);
	}
	message->html = html.out.s;
	return message;
}

struct message *command_help(struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html, "<b>🤖 Commands</b>");
	for (int i = 0; i < COMMANDS; i++) {
		if (i == 0 || strcmp(telegram_commands[i].group, telegram_commands[i - 1].group) != 0)
			html_addf(&html, "\n\n<b>%s</b>", telegram_commands[i].group);
		str_addf(&html.out, "\n/%s", telegram_commands[i].name);
		html_addf(&html, telegram_commands[i].usage[0] != '\0' ? " %s" : "%s",
			telegram_commands[i].usage);
		html_addf(&html, " – %s", telegram_commands[i].summary);
	}
	message_page(message, "☰ Menu", "", 1);
	message->html = html.out.s;
	return message;
}

struct message *command_welcome(const char *name, struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html,
		name != NULL && name[0] != '\0' ? "<b>👋 Hello %.64s</b>\n\n" : "<b>👋 Hello</b>%s\n\n",
		name);
	html_addf(&html,
		"I watch this homelab, find out what is wrong and why, and mend what is safe to mend. "
		"Anything risky I ask you about here first, with buttons.\n\n"
		"/health shows how things are\n/menu opens the buttons\n/help shows all commands");
	message_page(message, "🏥 Health", "health", 1);
	message_page(message, "☰ Menu", "", 1);
	message->html = html.out.s;
	return message;
}

static void add_candidate(struct search *search, struct candidate candidate)
{
	if (search->count == CANDIDATES_MAX || candidate.component == NULL)
		return;
	if (candidate.name == NULL)
		candidate.name = "";
	search->list[search->count++] = candidate;
}

static bool is_named(const struct candidate *candidate, const char *text)
{
	return strcasecmp(candidate->name, text) == 0 || strcasecmp(candidate->component, text) == 0;
}

/* Leaves in the list what the command names exactly. A name in the very case wins over others. */
static void keep_named(struct search *search)
{
	const char *text = search->command->target;
	int kept = 0;
	for (int i = 0; i < search->count; i++)
		if (search->command->vmid > 0 ? search->list[i].vmid == search->command->vmid
									  : is_named(&search->list[i], text))
			search->list[kept++] = search->list[i];
	search->count = kept;
	for (int i = 0; kept > 1 && i < kept; i++)
		if (strcmp(search->list[i].component, text) == 0) {
			search->list[0] = search->list[i];
			search->count = 1;
			return;
		}
}

static void gather(struct search *search, const struct facts *facts)
{
	search->count = 0;
	for (int i = 0; search->of_guests && i < facts->guest_count; i++) {
		const struct fact_guest *guest = &facts->guests[i];
		add_candidate(search,
			(struct candidate){
				guest->name, guest->component, guest->vmid, guest->critical || guest->is_home});
	}
	for (int i = 0; !search->of_guests && i < facts->container_count; i++) {
		const struct fact_container *container = &facts->containers[i];
		add_candidate(search,
			(struct candidate){container->name, container->component, 0, container->critical});
	}
}

static void path_of(char path[PATH_MAX_BYTES], const struct search *search, const char *component)
{
	static const char *const names[] = {"start", "stop", "restart"};
	if (search->command->kind == COMMAND_BACKUP)
		str_format(path, PATH_MAX_BYTES, "backup/%s", component);
	else
		str_format(path, PATH_MAX_BYTES, "%s/%s/%s", search->of_guests ? "vms" : "docker",
			component, names[search->deed]);
}

/* A suggestion is a guess, and a critical one is confirmed: both by a page, not by doing it. */
static void offer(
	struct message *message, const struct search *search, const char *component, const char *label)
{
	char path[PATH_MAX_BYTES];
	path_of(path, search, component);
	message_row(message);
	message_page(message, label, path, 1);
}

static struct message *ask_which(const struct search *search, struct arena *arena)
{
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html, "❓ There are %d named <code>%s</code>. Which one?", search->count,
		search->command->target);
	for (int i = 0; i < search->count && i < CHOICES_MAX; i++)
		offer(message, search, search->list[i].component, search->list[i].component);
	message->html = html.out.s;
	return message;
}

static struct message *not_found(
	struct search *search, const struct facts *facts, struct arena *arena)
{
	gather(search, facts);
	const char **names = ARENA_ARRAY(arena, const char *, (size_t)search->count * 2 + 1);
	for (int i = 0; i < search->count; i++) {
		names[i] = search->list[i].name;
		names[search->count + i] = search->list[i].component;
	}
	/* Numbers look alike by nature: 104 is no misspelt 105. */
	const char *near = search->command->vmid > 0 ? NULL
												 : str_nearest(search->command->target, names);
	struct message *message = message_new(arena);
	struct html html;
	html_init(&html, arena);
	html_addf(&html, "❓ There is no %s <code>%s</code>.",
		search->of_guests ? "VM or container" : "Docker container", search->command->target);
	for (int i = 0; near != NULL && i < search->count; i++) {
		if (search->list[i].name != near && search->list[i].component != near)
			continue;
		html_addf(&html, " Did you mean <code>%s</code>?", near);
		offer(message, search, search->list[i].component, near);
		break;
	}
	message_row(message);
	message_page(
		message, search->of_guests ? "📦 VMs" : "🐳 Docker", search->of_guests ? "vms" : "docker", 1);
	message->html = html.out.s;
	return message;
}

static enum deed deed_of(enum command_kind kind)
{
	if (kind == COMMAND_START_VM)
		return DEED_START;
	return kind == COMMAND_STOP_VM || kind == COMMAND_STOP_CONTAINER ? DEED_STOP : DEED_RESTART;
}

enum target_result command_target(const struct command *command, const struct facts *facts,
	struct arena *arena, struct target *target)
{
	bool of_containers = command->kind == COMMAND_RESTART_CONTAINER ||
		command->kind == COMMAND_STOP_CONTAINER;
	struct search search = {command, deed_of(command->kind), !of_containers,
		ARENA_ARRAY(arena, struct candidate, CANDIDATES_MAX), 0};
	*target = (struct target){.deed = search.deed};
	gather(&search, facts);
	keep_named(&search);
	if (search.count != 1) {
		target->message = search.count == 0 ? not_found(&search, facts, arena)
											: ask_which(&search, arena);
		return TARGET_UNCLEAR;
	}
	struct component component = {.kind = of_containers ? COMPONENT_CONTAINER : COMPONENT_GUEST};
	STR_SET(component.name, search.list[0].component);
	STR_SET(component.label, search.list[0].name);
	target->component = search.list[0].component;
	target->words = text_target(&component, arena);
	target->critical = search.list[0].critical;
	path_of(target->confirm, &search, target->component);
	return TARGET_FOUND;
}
