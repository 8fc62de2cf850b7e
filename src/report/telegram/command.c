#include "report/telegram/command.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "base/utf8.h"
#include "report/telegram/html.h"

#define WORDS_MAX 8
#define VMID_MIN 100
#define VMID_MAX 999999999

/* One argument, unquoted. */
struct word {
	char text[NAME_MAX_BYTES];
	bool quoted;
};
struct words {
	struct word word[WORDS_MAX];
	int count;
	bool too_long;
};

static bool is_space(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || (c >= 0x2000 && c <= 0x200F) ||
		c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x3000 || c == 0xFEFF;
}

/* The quotation mark that ends what this one begins; 0: it is none. Phones make them curly. */
static uint32_t closing_quote(uint32_t c)
{
	static const uint32_t pairs[][2] = {{'"', '"'}, {'\'', '\''}, {'`', '`'}, {0x201C, 0x201D},
		{0x2018, 0x2019}, {0x201E, 0x201C}, {0xAB, 0xBB}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (pairs[i][0] == c)
			return pairs[i][1];
	return 0;
}

/* The character at text; what is no UTF-8 counts as one byte of its own. */
static size_t next(const char *text, uint32_t *c)
{
	size_t n = utf8_decode(text, c);
	if (n == 0)
		*c = 0xFFFD;
	return n == 0 ? 1 : n;
}

/* Reads one word, of which the first character is at text; gives what is behind it. */
static const char *read_word(const char *text, struct word *word, bool *too_long)
{
	uint32_t c, end;
	size_t n = next(text, &c);
	*word = (struct word){.quoted = false};
	end = closing_quote(c);
	/* A quote that nothing closes is an ordinary character. */
	if (end != 0) {
		const char *close = text + n;
		for (size_t m; *close != '\0'; close += m) {
			m = next(close, &c);
			if (c != end)
				continue;
			*too_long |= !str_format(word->text, sizeof(word->text), "%.*s",
				(int)(close - text - (ptrdiff_t)n), text + n);
			word->quoted = true;
			return close + m;
		}
	}
	const char *stop = text;
	for (size_t m = next(stop, &c); *stop != '\0' && !is_space(c); m = next(stop, &c))
		stop += m;
	*too_long |= !str_format(word->text, sizeof(word->text), "%.*s", (int)(stop - text), text);
	return stop;
}

static const char *skip_spaces(const char *text)
{
	uint32_t c;
	for (size_t n = next(text, &c); *text != '\0' && is_space(c); n = next(text, &c))
		text += n;
	return text;
}

static void read_words(const char *text, struct words *words)
{
	*words = (struct words){.count = 0};
	for (text = skip_spaces(text); *text != '\0'; text = skip_spaces(text)) {
		struct word more;
		struct word *word = words->count < WORDS_MAX ? &words->word[words->count] : &more;
		text = read_word(text, word, &words->too_long);
		if (words->count < WORDS_MAX)
			words->count++;
		else
			words->too_long = true;
	}
}

static bool complain(struct command_error *error, const char *why)
{
	STR_SET(error->why, why);
	return false;
}

/* A whole decimal number, "#" allowed before it; -1: it is none. */
static int64_t number_of(const char *text)
{
	text += *text == '#';
	if (*text < '0' || *text > '9' || strlen(text) > 18)
		return -1;
	char *end;
	int64_t number = strtoll(text, &end, 10);
	return *end == '\0' ? number : -1;
}

static bool take_guest(struct command *command, struct command_error *error)
{
	int64_t number = number_of(command->target);
	if (number < 0)
		return true; /* a name */
	if (number < VMID_MIN || number > VMID_MAX)
		return complain(error, "The number of a VM or container is 100 or more.");
	command->vmid = (int)number;
	return true;
}

static bool take_incident(struct command *command, struct command_error *error)
{
	command->incident_id = number_of(command->target);
	if (command->incident_id <= 0)
		return complain(error, "It takes the number of an incident.");
	command->target[0] = '\0';
	return true;
}

/* [component] [duration], in either order. */
static bool take_mute(
	const struct words *words, struct command *command, struct command_error *error)
{
	command->duration_ms = MUTE_DEFAULT_MS;
	bool has_duration = false;
	for (int i = 0; i < words->count; i++) {
		int64_t duration = words->word[i].quoted ? -1 : str_parse_duration(words->word[i].text);
		if (duration >= 0 && !has_duration) {
			command->duration_ms = duration;
			has_duration = true;
		} else if (command->target[0] == '\0') {
			STR_SET(command->target, words->word[i].text);
		} else {
			return complain(error, "It takes one component and one duration.");
		}
	}
	if (command->duration_ms < 1000 || command->duration_ms > MUTE_MAX_MS)
		return complain(error, "A duration is between 1 second and 30 days.");
	return true;
}

static bool take_one(const struct command_info *info, const struct words *words,
	struct command *command, struct command_error *error)
{
	bool optional = info->takes == TAKES_GUEST_OR_NOTHING ||
		info->takes == TAKES_COMPONENT_OR_NOTHING;
	if (words->count > 1)
		return complain(error, "It takes one name or number; put one with spaces in quotes.");
	STR_SET(command->target, words->count == 1 ? words->word[0].text : "");
	if (command->target[0] == '\0')
		return optional && words->count == 0 ? true : complain(error, "Which one?");
	switch (info->takes) {
	case TAKES_GUEST:
	case TAKES_GUEST_OR_NOTHING:
		return take_guest(command, error);
	case TAKES_INCIDENT:
		return take_incident(command, error);
	case TAKES_CONTAINER:
	case TAKES_COMPONENT_OR_NOTHING:
	case TAKES_MUTE:
	case TAKES_NOTHING:
		break;
	}
	return true;
}

static bool take_arguments(
	const struct words *words, struct command *command, struct command_error *error)
{
	const struct command_info *info = &telegram_commands[command->kind];
	if (words->too_long)
		return complain(error, "That is too long.");
	switch (info->takes) {
	case TAKES_NOTHING:
		/* /start comes with a parameter when somebody follows a link to the bot */
		if (words->count > 0 && command->kind != COMMAND_START)
			return complain(error, "It takes nothing.");
		return true;
	case TAKES_MUTE:
		return take_mute(words, command, error);
	case TAKES_GUEST:
	case TAKES_GUEST_OR_NOTHING:
	case TAKES_CONTAINER:
	case TAKES_INCIDENT:
	case TAKES_COMPONENT_OR_NOTHING:
		break;
	}
	return take_one(info, words, command, error);
}

static int find_command(const char *name)
{
	for (int i = 0; i < COMMANDS; i++)
		if (strcasecmp(telegram_commands[i].name, name) == 0)
			return i;
	return -1;
}

static int find_near(const char *name)
{
	const char *names[COMMANDS + 1] = {NULL};
	char lower[64];
	STR_SET(lower, name);
	for (char *c = lower; *c != '\0'; c++)
		*c = *c == '-' ? '_' : (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
	for (int i = 0; i < COMMANDS; i++)
		names[i] = telegram_commands[i].name;
	const char *near = str_nearest(lower, names);
	return near != NULL ? find_command(near) : -1;
}

enum command_result command_parse(
	const char *text, const char *bot, struct command *command, struct command_error *error)
{
	struct words words;
	struct word head;
	bool too_long = false;
	*command = (struct command){0};
	*error = (struct command_error){.near = -1};
	text = skip_spaces(text);
	if (*text != '/' || text[1] == '\0')
		return COMMAND_NONE;
	text = read_word(text + 1, &head, &too_long);
	char *at = strchr(head.text, '@');
	if (at != NULL) {
		*at = '\0';
		if (strcasecmp(at + 1, bot) != 0)
			return COMMAND_NOT_OURS;
	}
	int kind = find_command(head.text);
	if (kind < 0) {
		html_label(error->typed, sizeof(error->typed), head.text, 15);
		error->near = find_near(head.text);
		return COMMAND_UNKNOWN;
	}
	command->kind = (enum command_kind)kind;
	read_words(text, &words);
	return take_arguments(&words, command, error) ? COMMAND_UNDERSTOOD : COMMAND_BAD_ARGUMENTS;
}

enum access sender_access(const struct sender *sender, const int64_t *allowed, int count)
{
	if (sender->is_channel_post)
		return ACCESS_CHANNEL;
	if (sender->has_sender_chat)
		return ACCESS_ANONYMOUS;
	if (sender->from_id <= 0)
		return ACCESS_NO_SENDER;
	if (sender->is_bot)
		return ACCESS_BOT;
	if (count == 0)
		return ACCESS_NOBODY_ALLOWED;
	for (int i = 0; i < count; i++) {
		if (allowed[i] != sender->from_id)
			continue;
		if (sender->is_forwarded)
			return ACCESS_FORWARDED;
		return sender->is_edited ? ACCESS_EDITED : ACCESS_ALLOWED;
	}
	return ACCESS_STRANGER;
}

const char *access_reason(enum access access)
{
	static const char *const reasons[] = {
		[ACCESS_ALLOWED] = "allowed",
		[ACCESS_NO_SENDER] = "it says nobody sent it",
		[ACCESS_BOT] = "a bot sent it",
		[ACCESS_CHANNEL] = "it is a channel's post",
		[ACCESS_ANONYMOUS] = "it was sent in the name of a chat, not of a person",
		[ACCESS_FORWARDED] = "it was forwarded: somebody else wrote it",
		[ACCESS_EDITED] = "it is an edit of an older message",
		[ACCESS_STRANGER] = "the sender is not in allowed_users",
		[ACCESS_NOBODY_ALLOWED] = "allowed_users is empty",
	};
	return reasons[access];
}

const struct command_info telegram_commands[] = {
	[COMMAND_START] = {"start", TAKES_NOTHING, "", "What this bot is", "", "General"},
	[COMMAND_HELP] = {"help", TAKES_NOTHING, "", "All commands", "", "General"},
	[COMMAND_MENU] = {"menu", TAKES_NOTHING, "", "Interactive button menu", "", "General"},
	[COMMAND_STATUS] = {"status", TAKES_NOTHING, "", "What is watched, and whether it is reached",
		"", "Monitoring"},
	[COMMAND_NODE] = {"node", TAKES_NOTHING, "", "Proxmox nodes: CPU, memory, disk", "",
		"Monitoring"},
	[COMMAND_VMS] = {"vms", TAKES_NOTHING, "", "VMs and LXC containers", "", "Monitoring"},
	[COMMAND_DOCKER] = {"docker", TAKES_NOTHING, "", "Docker containers", "", "Monitoring"},
	[COMMAND_HEALTH] = {"health", TAKES_NOTHING, "", "View system health report", "", "Monitoring"},
	[COMMAND_BACKUP] = {"backup", TAKES_GUEST_OR_NOTHING, "[vmid]",
		"Show recent backup status, or that of one VM", "102", "Monitoring"},
	[COMMAND_START_VM] = {"start_vm", TAKES_GUEST, "<id>", "Start a VM or LXC container", "104",
		"VM/Container Control"},
	[COMMAND_STOP_VM] = {"stop_vm", TAKES_GUEST, "<id>", "Stop a VM or LXC container", "104",
		"VM/Container Control"},
	[COMMAND_RESTART_VM] = {"restart_vm", TAKES_GUEST, "<id>", "Restart a VM or LXC container",
		"104", "VM/Container Control"},
	[COMMAND_RESTART_CONTAINER] = {"restart_container", TAKES_CONTAINER, "<name>",
		"Restart Docker container", "nginx-proxy", "Docker Control"},
	[COMMAND_STOP_CONTAINER] = {"stop_container", TAKES_CONTAINER, "<name>",
		"Stop Docker container", "temp-worker", "Docker Control"},
	[COMMAND_ENABLE] = {"enable_autohealing", TAKES_NOTHING, "", "Start autonomous monitoring", "",
		"Auto-Healing"},
	[COMMAND_DISABLE] = {"disable_autohealing", TAKES_NOTHING, "", "Stop autonomous monitoring", "",
		"Auto-Healing"},
	[COMMAND_AUDIT] = {"audit", TAKES_NOTHING, "", "What was decided and done, and by whom", "",
		"Auto-Healing"},
	[COMMAND_WHY] = {"why", TAKES_INCIDENT, "<incident>",
		"The story of an incident: what, why, what next", "7", "Auto-Healing"},
	[COMMAND_MUTE] = {"mute", TAKES_MUTE, "[component] [duration]",
		"No news of a component, or of any, for a while", "docker_container_redis 2h",
		"Auto-Healing"},
	[COMMAND_UNMUTE] = {"unmute", TAKES_COMPONENT_OR_NOTHING, "[component]", "News again",
		"docker_container_redis", "Auto-Healing"},
};
