/*
 * Help and version.
 */
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/text.h"

static int help_all(struct cli *cli)
{
	const char *bold = cli_colour(cli, CLI_BOLD), *plain = cli_colour(cli, CLI_PLAIN);
	fprintf(cli->out,
		"%shomeostat%s watches a homelab and heals it: by itself where that is safe, "
		"by asking\nwhere it is not.\n\nusage: homeostat COMMAND [OPTION…]\n\n",
		bold, plain);
	for (const struct command *command = commands; command->name != NULL; command++) {
		char left[64];
		STR_FORMAT(left, "%s %s", command->name, command->operands);
		fprintf(cli->out, "  %s%-*s%s %s\n", bold, 26, left, plain, command->summary);
	}
	fputs("\nNew here? `homeostat demo` heals a simulated homelab for a minute.\n"
		  "`homeostat help COMMAND` says more; -c FILE names the configuration of any command.\n"
		  "Exit codes: 0 done, 1 failed, 2 usage or configuration error.\n",
		cli->out);
	return CLI_DONE;
}

int cmd_help(struct cli *cli)
{
	if (cli->operand_count == 0)
		return help_all(cli);
	const struct command *command = command_find(cli->operands[0]);
	if (command == NULL) {
		cli->command = NULL;
		return cli_usage(cli, "there is no command '%s'", cli->operands[0]);
	}
	struct str usage;
	str_init(&usage, cli->arena);
	command_usage(command, &usage);
	fprintf(cli->out, "usage: homeostat %s\n\n%s\n", usage.s, command->summary);
	if (command->detail != NULL)
		fprintf(cli->out, "%s\n", command->detail);
	fputc('\n', cli->out);
	command_options(command, cli->out);
	return CLI_DONE;
}

int cmd_version(struct cli *cli)
{
	if ((cli->given & CLI_JSON) != 0)
		fputs("{\"name\":\"homeostat\",\"version\":\"" HOMEOSTAT_VERSION "\"}\n", cli->out);
	else
		fputs("homeostat " HOMEOSTAT_VERSION "\n", cli->out);
	return CLI_DONE;
}
