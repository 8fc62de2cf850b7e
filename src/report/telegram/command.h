/*
 * What a person types, made typed: one table of commands feeds the parser, /help and setMyCommands.
 * And who is a person at all. Pure.
 */
#ifndef REPORT_TELEGRAM_COMMAND_H
#define REPORT_TELEGRAM_COMMAND_H

#include "report/telegram/button.h"
#include "report/telegram/facts.h"

enum command_kind {
	COMMAND_START, COMMAND_HELP, COMMAND_MENU, COMMAND_STATUS, COMMAND_NODE, COMMAND_VMS,
	COMMAND_DOCKER, COMMAND_HEALTH, COMMAND_BACKUP, COMMAND_START_VM, COMMAND_STOP_VM,
	COMMAND_RESTART_VM, COMMAND_RESTART_CONTAINER, COMMAND_STOP_CONTAINER, COMMAND_ENABLE,
	COMMAND_DISABLE, COMMAND_AUDIT, COMMAND_WHY, COMMAND_MUTE, COMMAND_UNMUTE,
};

/* What may follow a command. */
enum command_takes {
	TAKES_NOTHING, TAKES_GUEST, TAKES_GUEST_OR_NOTHING, TAKES_CONTAINER, TAKES_INCIDENT,
	TAKES_MUTE, TAKES_COMPONENT_OR_NOTHING,
};

struct command_info {
	const char *name;    /* "start_vm" */
	enum command_takes takes;
	const char *usage;   /* "<id>", or "" */
	const char *summary; /* 1..256 characters */
	const char *example; /* "104", or "" */
	const char *group;   /* heading in /help */
};
/* By enum command_kind. */
extern const struct command_info telegram_commands[];
#define COMMANDS (COMMAND_UNMUTE + 1)

#define MUTE_DEFAULT_MS 3600000LL
#define MUTE_MAX_MS (30 * 86400000LL)

struct command {
	enum command_kind kind;
	char target[NAME_MAX_BYTES]; /* guest, container or component as typed, unquoted; "" : none */
	int vmid;                    /* when the target is a number; else 0 */
	int64_t incident_id;
	int64_t duration_ms;         /* MUTE */
};

enum command_result {
	COMMAND_UNDERSTOOD,
	COMMAND_NONE,          /* no command: ordinary words */
	COMMAND_NOT_OURS,      /* another bot's: stay silent */
	COMMAND_UNKNOWN,       /* near: the command that it may have meant, or -1 */
	COMMAND_BAD_ARGUMENTS, /* kind is known; why: what is wrong */
};
struct command_error {
	char typed[64];        /* UNKNOWN: the word, without '/' */
	int near;              /* UNKNOWN: enum command_kind, or -1 */
	char why[160];
};
/* bot: our user name, without '@'; any case. */
enum command_result command_parse(const char *text, const char *bot, struct command *command,
	struct command_error *error);

/* The answer to what was not understood; NULL: say nothing. */
struct message *command_complaint(enum command_result result, const struct command *command,
	const struct command_error *error, struct arena *arena);

/* /help, /start. */
struct message *command_help(struct arena *arena);
struct message *command_welcome(const char *name, struct arena *arena);

/* What an order is about, by number or exact name, whatever its case; an ambiguous name is asked
 * back. FOUND: component. Else: the message to send. */
enum target_result { TARGET_FOUND, TARGET_UNCLEAR };
struct target {
	const char *component;         /* "lxc_104" */
	const char *words;             /* "VM/Container 104" */
	enum deed deed;
	bool critical;                 /* show the page confirm first */
	char confirm[PATH_MAX_BYTES];  /* of the menu */
	struct message *message;
};
/* Of a command that START_VM … STOP_CONTAINER are; BACKUP with a target: deed means nothing. */
enum target_result command_target(const struct command *command, const struct facts *facts,
	struct arena *arena, struct target *target);

/* Who sent something. */
struct sender {
	int64_t from_id;         /* 0: no `from` */
	bool is_bot;             /* from.is_bot, or via_bot */
	bool is_channel_post;
	bool is_forwarded;       /* forward_origin, is_automatic_forward */
	bool has_sender_chat;    /* sent in the name of a chat: an anonymous administrator, a channel */
	bool is_edited;          /* edited_message: it was answered when it was new */
};
enum access {
	ACCESS_ALLOWED, ACCESS_NO_SENDER, ACCESS_BOT, ACCESS_CHANNEL, ACCESS_ANONYMOUS,
	ACCESS_FORWARDED, ACCESS_EDITED, ACCESS_STRANGER, ACCESS_NOBODY_ALLOWED,
};
/* By number, equal to one of allowed and nothing else. */
enum access sender_access(const struct sender *sender, const int64_t *allowed, int count);
const char *access_reason(enum access access); /* for the audit log */

#endif
