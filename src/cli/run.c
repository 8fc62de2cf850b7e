/*
 * homeostat run: the daemon.
 */
#include "base/log.h"
#include "cli/cli.h"
#include "heal/heal.h"

int cmd_run(struct cli *cli)
{
	log_init((cli->given & CLI_DEBUG) != 0 ? LOG_DEBUG : LOG_INFO);
	const struct daemon_options options = {
		.config_file = cli->config_file != NULL ? cli->config_file : CLI_CONFIG_FILE,
		.quiet = (cli->given & CLI_QUIET) != 0,
	};
	return daemon_run(&options);
}
