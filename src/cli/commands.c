/*
 * The table of commands, in the order of the help: the daemon, what it sees, what it is told, its
 * own data, and what it can do. man/homeostat.1 is compared with it by a test.
 */
#include <string.h>

#include "cli/cli.h"

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name != NULL; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

const struct command commands[] = {
	{"run", "", 0, 0, CLI_DEBUG | CLI_QUIET, "Watch and heal, in the foreground, until SIGTERM.",
		"Reads " CLI_CONFIG_FILE " unless -c names another file. SIGHUP reads it again.", cmd_run},
	{"demo", "", 0, 0, CLI_FOR | CLI_CHAT | CLI_DEBUG, "Heal a simulated homelab for a minute.",
		"Needs no account, key, network or Docker, and touches nothing of this machine. The exit\n"
		"code is 0 only when everything that should be healed was.",
		cmd_demo},
	{"check", "", 0, 0, CLI_JSON | CLI_NOTIFY,
		"Check the configuration and reach everything it names.",
		"One line each: what is there, or what is wrong and how to mend it.", cmd_check},

	{"status", "", 0, 0, CLI_JSON, "Show the mode, the sources and what is wrong now.", NULL,
		cmd_status},
	{"health", "", 0, 0, CLI_JSON, "Show the system health report.", NULL, cmd_health},
	{"incidents", "[ID]", 0, 1, CLI_JSON | CLI_OPEN | CLI_LIMIT,
		"List the incidents, newest first, or show one whole.",
		"Lists 50 unless --limit says otherwise; --json lists all.", cmd_incidents},
	{"why", "ID", 1, 1, CLI_JSON, "Tell an incident's story in words.",
		"What happened, why, by what evidence, what was decided and done, and what comes next.",
		cmd_why},
	{"diagnose", "COMPONENT", 1, 1, CLI_JSON, "Look into a component now, and say what is found.",
		"Reads its last log lines and state, and asks the model where one is configured; changes\n"
		"nothing.",
		cmd_diagnose},
	{"patterns", "", 0, 0, CLI_JSON, "Show what was learnt: which action helped how often.",
		"CHANCE is the mean of a Beta posterior with its 90 % interval; N the verified incidents.\n"
		"The prior is Beta(3, 1) for a kind of component, and four trials at its mean for each.",
		cmd_patterns},
	{"components", "", 0, 0, CLI_JSON, "List everything that is watched.", NULL, cmd_components},
	{"nodes", "", 0, 0, CLI_JSON, "Show the nodes of Proxmox VE, as they are now.",
		"The exit code is 1 when a source did not answer; what the others said is shown.",
		cmd_nodes},
	{"guests", "", 0, 0, CLI_JSON, "Show the guests of Proxmox VE, as they are now.", NULL,
		cmd_guests},
	{"backup", "[VMID]", 0, 1, CLI_JSON,
		"Show of each guest, or of one, the newest backup and how the last try went.",
		"good; running; failed; late, by its schedule; missing: a job covers it, and there is "
		"none;\n"
		"unprotected: no job and none; unscheduled: no job, made by hand; unknown: not all could\n"
		"be read.",
		cmd_backup},
	{"audit", "", 0, 0, CLI_JSON | CLI_LIMIT | CLI_VERIFY, "Show the audit log, newest last.",
		"With --verify the whole chain is checked; the exit code is 1 when it does not hold.",
		cmd_audit},

	{"mcp", "", 0, 0, 0, "Serve what can be read to a model, by MCP over stdin and stdout.",
		"Its tools (health, incidents, components, why, audit, patterns) only read; propose asks "
		"a\n"
		"person. The same is served at /mcp of listen:, where propose needs the token.",
		cmd_mcp},

	{"approve", "ID", 1, 1, 0, "Allow what an incident asks for.", NULL, cmd_approve},
	{"reject", "ID", 1, 1, 0, "Refuse what an incident asks for.", NULL, cmd_reject},
	{"retry", "ID", 1, 1, 0, "Try an escalated or rejected incident once more.", NULL, cmd_retry},
	{"reset", "COMPONENT", 1, 1, 0, "Let a component's attempts so far not count any more.",
		"For when its budget is spent and the cause was mended: what waits is decided anew.",
		cmd_reset},
	{"mute", "[PATTERN]", 0, 1, CLI_FOR, "Leave components alone for a time: no action, no word.",
		"PATTERN as docker_container_*; without it everything. One hour unless --for says "
		"otherwise.",
		cmd_mute},
	{"unmute", "[PATTERN]", 0, 1, 0, "Watch over them again.", "PATTERN as it was given to mute.",
		cmd_unmute},
	{"enable", "", 0, 0, 0, "Turn auto-healing on. Remembered.", NULL, cmd_enable},
	{"disable", "", 0, 0, 0, "Turn auto-healing off: watch and report only. Remembered.", NULL,
		cmd_disable},
	{"shadow", "", 0, 0, 0, "Decide and say what would be done, but do not act. Remembered.", NULL,
		cmd_shadow},
	{"start", "NAME", 1, 1, CLI_JSON, "Start a guest or a container, by your order.",
		"An order is its own approval and works with auto-healing off. NAME is a guest's number "
		"or\n"
		"name, a container's name, or the component's name. Shows what happens until it is over;\n"
		"the exit code is 0 when it was seen to be well. Ctrl-C ends the showing, not the order.",
		cmd_start},
	{"stop", "NAME", 1, 1, CLI_JSON | CLI_FORCE | CLI_WAIT,
		"Shut a guest down, or stop a container, by your order.",
		"NAME as for start. A guest is asked to shut down; --force cuts its power instead.",
		cmd_stop},
	{"restart", "NAME", 1, 1, CLI_JSON | CLI_WAIT, "Restart a guest or a container, by your order.",
		"NAME as for start.", cmd_restart},

	{"secret", "set|list|rm [NAME]", 1, 2, CLI_JSON,
		"Keep the secrets that the configuration names.",
		"`set NAME` reads the value from standard input, without echo on a terminal; it is never\n"
		"given on the command line, where other users could read it. Use it as secret:NAME.",
		cmd_secret},

	{"sources", "", 0, 0, CLI_JSON, "List what can be watched.", NULL, cmd_sources},
	{"actions", "", 0, 0, CLI_JSON, "List what can be done, each with its least risk.", NULL,
		cmd_actions},
	{"config", "", 0, 0, CLI_JSON, "List the keys of the configuration.", NULL, cmd_config},
	{"life", "", 0, 0, CLI_DOT | CLI_JSON, "Print the table of an incident's life.", NULL,
		cmd_life},
	{"version", "", 0, 0, CLI_JSON, "Print the version.", NULL, cmd_version},
	{"help", "[COMMAND]", 0, 1, 0, "Explain a command.", NULL, cmd_help},
	{NULL, NULL, 0, 0, 0, NULL, NULL, NULL},
};
