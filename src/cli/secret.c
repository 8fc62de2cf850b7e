/*
 * homeostat secret set|list|rm: works on the state folder itself, the daemon need not run.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/text.h"
#include "model/config.h"

#define VALUE_BYTES 65538 /* one more than a value may have, and its line's end */
#define DEFAULT_STATE "/var/lib/homeostat"

/* The state folder. NULL: it has complained. Secrets may be set before there is a configuration. */
static const char *state_folder(struct cli *cli)
{
	struct err err = {0};
	const char *file = cli->config_file != NULL ? cli->config_file : CLI_CONFIG_FILE;
	if (cli->config_file == NULL && access(file, F_OK) != 0)
		return DEFAULT_STATE;
	struct config *config = config_load(file, &err);
	if (config == NULL) {
		cli_fail(cli, CLI_USAGE, "%s", err.text);
		return NULL;
	}
	const char *state = arena_strdup(cli->arena, config->state);
	config_free(config);
	return state;
}

static void on_interrupt(int signal)
{
	(void)signal; /* only to end the read, so that the terminal gets its echo back */
}

/* Reads to the end of the input, on a terminal to the end of the line. -1: interrupted. */
static ssize_t read_value(FILE *in, bool is_terminal, char *value, size_t size)
{
	size_t length = 0;
	int c = 0;
	setvbuf(in, NULL, _IONBF, 0); /* no copy of the value stays in a buffer */
	while (length < size - 1 && (c = getc(in)) != EOF && !(is_terminal && c == '\n'))
		value[length++] = (char)c;
	value[length] = '\0';
	return c == EOF && ferror(in) ? -1 : (ssize_t)length;
}

static ssize_t ask(struct cli *cli, const char *name, char *value, size_t size)
{
	struct termios before, quiet;
	struct sigaction interrupt = {.sa_handler = on_interrupt}, old;
	int fd = fileno(cli->in);
	if (fd < 0 || !isatty(fd) || tcgetattr(fd, &before) != 0)
		return read_value(cli->in, false, value, size);
	fprintf(cli->complaints, "Value of %s (not shown): ", name);
	fflush(cli->complaints);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	sigaction(SIGINT, &interrupt, &old);
	tcsetattr(fd, TCSAFLUSH, &quiet);
	ssize_t length = read_value(cli->in, true, value, size);
	tcsetattr(fd, TCSAFLUSH, &before);
	sigaction(SIGINT, &old, NULL);
	fputc('\n', cli->complaints);
	return length;
}

static int set(struct cli *cli, const char *state, const char *name)
{
	static char value[VALUE_BYTES];
	struct err err = {0};
	ssize_t length = ask(cli, name, value, sizeof(value));
	if (length > 0 && value[length - 1] == '\n')
		value[--length] = '\0';
	if (length > 0 && value[length - 1] == '\r')
		value[--length] = '\0';
	int code = CLI_DONE;
	if (length < 0)
		code = cli_fail(cli, CLI_FAILED, "nothing was set: %s",
			errno == EINTR ? "interrupted" : "the value could not be read");
	else if (length == 0)
		code = cli_fail(cli, CLI_FAILED,
			"nothing was set: the value is empty; give it on standard "
			"input: homeostat secret set %s < FILE",
			name);
	else if (strlen(value) != (size_t)length)
		code = cli_fail(cli, CLI_FAILED, "nothing was set: the value has a NUL byte");
	else if (!secret_set(state, name, value, &err))
		code = cli_fail(cli, CLI_FAILED, "%s", err.text);
	explicit_bzero(value, sizeof(value));
	if (code == CLI_DONE)
		fprintf(cli->out, "%s is set: write secret:%s in the configuration\n", name, name);
	return code;
}

static int list(struct cli *cli, const char *state)
{
	struct err err = {0};
	struct str text;
	struct json_out out;
	const char **names = secret_list(state, cli->arena, &err);
	if (names == NULL)
		return cli_fail(cli, CLI_FAILED, "%s", err.text);
	str_init(&text, cli->arena);
	json_begin(&out, &text);
	json_open(&out, NULL, '[');
	for (int i = 0; names[i] != NULL; i++) {
		json_put_str(&out, NULL, names[i]);
		if ((cli->given & CLI_JSON) == 0)
			fprintf(cli->out, "%s\n", text_cleaned(cli->arena, names[i], false));
	}
	json_close(&out, ']');
	if ((cli->given & CLI_JSON) != 0)
		fprintf(cli->out, "%s\n", text.s);
	else if (names[0] == NULL)
		fprintf(cli->out, "no secret is set in %s\n", state);
	return CLI_DONE;
}

static int drop(struct cli *cli, const char *state, const char *name)
{
	struct err err = {0};
	if (!secret_remove(state, name, &err))
		return cli_fail(cli, CLI_FAILED, "%s", err.text);
	fprintf(cli->out, "%s is removed\n", name);
	return CLI_DONE;
}

int cmd_secret(struct cli *cli)
{
	const char *verb = cli->operands[0];
	bool named = cli->operand_count == 2;
	bool is_set = strcmp(verb, "set") == 0, is_list = strcmp(verb, "list") == 0;
	if (!is_set && !is_list && strcmp(verb, "rm") != 0)
		return cli_usage(cli, "secret: '%s' is none of set, list and rm", verb);
	if (is_list == named)
		return cli_usage(cli, "secret %s %s", verb, is_list ? "takes no NAME" : "needs a NAME");
	const char *state = state_folder(cli);
	if (state == NULL)
		return CLI_USAGE;
	return is_set ? set(cli, state, cli->operands[1])
		: is_list ? list(cli, state)
				  : drop(cli, state, cli->operands[1]);
}
