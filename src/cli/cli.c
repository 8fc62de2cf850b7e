/*
 * From argv to a command: one table of options, each command naming those it takes. Options may
 * stand anywhere, also before the command.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/redact.h"
#include "base/str.h"
#include "cli/text.h"

#define ARENA_BYTES ((size_t)256 << 20)

struct option_row {
	enum cli_option bit;
	char letter; /* 0: none */
	const char *name;
	const char *value; /* NULL: takes none */
	const char *summary;
};

static const struct option_row options[] = {
	{CLI_CONFIG, 'c', "config", "FILE", "the configuration (" CLI_CONFIG_FILE ")"},
	{CLI_JSON, 0, "json", NULL, "JSON for programs"},
	{CLI_OPEN, 0, "open", NULL, "only what is not over"},
	{CLI_LIMIT, 'n', "limit", "N", "at most N lines"},
	{CLI_VERIFY, 0, "verify", NULL, "check the whole chain"},
	{CLI_DOT, 0, "dot", NULL, "as a picture for Graphviz"},
	{CLI_FOR, 0, "for", "TIME", "how long (demo 60s, mute 1h)"},
	{CLI_FORCE, 0, "force", NULL, "cut its power at once"},
	{CLI_WAIT, 0, "wait", "TIME", "how long a guest is given to shut down (60s)"},
	{CLI_CHAT, 0, "chat", NULL, "this terminal is the phone: type commands, press buttons"},
	{CLI_NOTIFY, 0, "notify", NULL, "send a test message to each channel"},
	{CLI_DEBUG, 0, "debug", NULL, "log every detail on stderr"},
	{CLI_QUIET, 'q', "quiet", NULL, "no story on stdout"},
	{CLI_HELP, 'h', "help", NULL, "this text"},
	{CLI_VERSION, 0, "version", NULL, "the version"},
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))
#define ALL_TAKE ((unsigned)(CLI_CONFIG | CLI_HELP))

const char *cli_colour(const struct cli *cli, const char *text)
{
	return cli->colour ? text : "";
}

__attribute__((format(printf, 2, 0))) static void complain(
	struct cli *cli, const char *fmt, va_list args)
{
	char text[1024], line[1024];
	vsnprintf(text, sizeof(text), fmt, args);
	redact(text, sizeof(text));
	text_clean(line, sizeof(line), text);
	fprintf(cli->complaints, "homeostat: %s\n", line);
}

int cli_fail(struct cli *cli, int code, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	complain(cli, fmt, args);
	va_end(args);
	return code;
}

int cli_usage(struct cli *cli, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	complain(cli, fmt, args);
	va_end(args);
	if (cli->command != NULL) {
		struct str usage;
		str_init(&usage, cli->arena);
		command_usage(cli->command, &usage);
		fprintf(cli->complaints, "usage: homeostat %s\n", usage.s);
	} else {
		fputs("`homeostat help` lists the commands.\n", cli->complaints);
	}
	return CLI_USAGE;
}

bool cli_number(struct cli *cli, const char *text, int64_t *number)
{
	char *end;
	errno = 0;
	long long value = strtoll(text[0] == '#' ? text + 1 : text, &end, 10);
	if (errno == 0 && *end == '\0' && end != text && value > 0) {
		*number = value;
		return true;
	}
	cli_usage(cli, "'%s' is not an incident's number: `homeostat incidents` lists them", text);
	return false;
}

void command_usage(const struct command *command, struct str *out)
{
	str_add(out, command->name);
	if (command->operands[0] != '\0')
		str_addf(out, " %s", command->operands);
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = &options[i];
		if ((command->options & row->bit) != 0)
			str_addf(out, row->value != NULL ? " [--%s %s]" : " [--%s]", row->name, row->value);
	}
	str_add(out, " [-c FILE]");
}

void command_options(const struct command *command, FILE *out)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = &options[i];
		char name[40];
		if (((command->options | ALL_TAKE) & row->bit) == 0)
			continue;
		STR_FORMAT(name, "%s%c%s--%s%s%s", row->letter != 0 ? "-" : "",
			row->letter != 0 ? row->letter : ' ', row->letter != 0 ? ", " : "   ", row->name,
			row->value != NULL ? " " : "", row->value != NULL ? row->value : "");
		fprintf(out, "  %-22s %s\n", name, row->summary);
	}
}

static bool take_value(struct cli *cli, const struct option_row *row, const char *value)
{
	char *end;
	errno = 0;
	switch ((unsigned)row->bit) {
	case CLI_CONFIG:
		cli->config_file = value;
		break;
	case CLI_FOR:
		cli->for_ms = str_parse_duration(value);
		if (cli->for_ms <= 0) {
			cli_usage(cli, "--for: '%s' is not a duration: write 60s or 2m", value);
			return false;
		}
		break;
	case CLI_WAIT:
		cli->wait_ms = str_parse_duration(value);
		if (cli->wait_ms < 1000 || cli->wait_ms > (int64_t)3600 * 1000) {
			cli_usage(cli, "--wait: '%s' is not a duration from 1s to 1h: write 60s or 2m", value);
			return false;
		}
		break;
	case CLI_LIMIT:
		cli->limit = strtoll(value, &end, 10);
		if (errno != 0 || *end != '\0' || cli->limit < 1 || cli->limit > 100000) {
			cli_usage(cli, "--limit: '%s' is not a number from 1 to 100000", value);
			return false;
		}
		break;
	default:
		break;
	}
	return true;
}

static const char *nearest_option(const char *word)
{
	const char *names[OPTIONS + 1] = {NULL};
	for (size_t i = 0; i < OPTIONS; i++)
		names[i] = options[i].name;
	return str_nearest(word, names);
}

/* The row that argv's word means; *value: what stands in the same word, or NULL. */
static const struct option_row *option_find(const char *word, const char **value)
{
	size_t length = strcspn(word, "=");
	*value = NULL;
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = &options[i];
		if (word[1] == '-' && strlen(row->name) == length - 2 &&
			strncmp(row->name, word + 2, length - 2) == 0) {
			*value = word[length] == '=' ? word + length + 1 : NULL;
			return row;
		}
		if (word[1] != '-' && row->letter != 0 && word[1] == row->letter &&
			(word[2] == '\0' || row->value != NULL)) {
			*value = word[2] != '\0' ? word + 2 : NULL;
			return row;
		}
	}
	return NULL;
}

static bool take_option(struct cli *cli, const char *const **words)
{
	const char *word = **words, *value;
	const struct option_row *row = option_find(word, &value);
	if (row == NULL) {
		const char *name = word + strspn(word, "-");
		const char *near = nearest_option(arena_strndup(cli->arena, name, strcspn(name, "=")));
		cli_usage(cli, "unknown option '%s'%s%s%s", word, near != NULL ? ": did you mean --" : "",
			near != NULL ? near : "", near != NULL ? "?" : "");
		return false;
	}
	if (row->value == NULL && value != NULL) {
		cli_usage(cli, "--%s takes no value", row->name);
		return false;
	}
	if (row->value != NULL && value == NULL)
		value = *++*words;
	if (row->value != NULL && (value == NULL || value[0] == '\0')) {
		cli_usage(cli, "--%s needs a value: --%s %s", row->name, row->name, row->value);
		return false;
	}
	cli->given |= row->bit;
	return row->value == NULL || take_value(cli, row, value);
}

static bool take_command(struct cli *cli, const char *word)
{
	const char *names[64] = {NULL};
	cli->command = command_find(word);
	if (cli->command != NULL)
		return true;
	for (int i = 0; commands[i].name != NULL && i < 63; i++)
		names[i] = commands[i].name;
	const char *near = str_nearest(word, names);
	cli_usage(cli, "unknown command '%s'%s%s%s", word, near != NULL ? ": did you mean '" : "",
		near != NULL ? near : "", near != NULL ? "'?" : "");
	return false;
}

static bool take_words(struct cli *cli, const char *const *words)
{
	bool more = true; /* options may still come */
	for (; *words != NULL; words++) {
		if (more && strcmp(*words, "--") == 0)
			more = false;
		else if (more && (*words)[0] == '-' && (*words)[1] != '\0') {
			if (!take_option(cli, &words))
				return false;
		} else if (cli->command == NULL) {
			if (!take_command(cli, *words))
				return false;
		} else {
			cli->operands[cli->operand_count++] = *words;
		}
	}
	return true;
}

static bool fits(struct cli *cli)
{
	const struct command *command = cli->command;
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = &options[i];
		if ((cli->given & row->bit) != 0 && ((command->options | ALL_TAKE) & row->bit) == 0) {
			cli_usage(cli, "%s takes no --%s", command->name, row->name);
			return false;
		}
	}
	if (cli->operand_count < command->operands_min) {
		cli_usage(cli, "%s needs %s", command->name, command->operands);
		return false;
	}
	if (cli->operand_count > command->operands_max && command->run == cmd_secret) {
		cli_usage(cli,
			"secret: a value is never given on the command line: it is read from "
			"standard input");
		return false;
	}
	if (cli->operand_count > command->operands_max) {
		cli_usage(cli, "%s: '%s' is one word too many", command->name,
			cli->operands[command->operands_max]);
		return false;
	}
	return true;
}

static bool wants_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return (no == NULL || no[0] == '\0') && term != NULL && strcmp(term, "dumb") != 0 &&
		fileno(out) >= 0 && isatty(fileno(out));
}

static int dispatch(struct cli *cli, int argc, const char *const *argv)
{
	cli->operands = ARENA_ARRAY(cli->arena, const char *, (size_t)argc + 1);
	if (argc < 1 || !take_words(cli, argv + 1))
		return CLI_USAGE;
	if ((cli->given & CLI_VERSION) != 0)
		return cmd_version(cli);
	if (cli->command == NULL && (cli->given & CLI_HELP) != 0)
		return cmd_help(cli);
	if (cli->command == NULL)
		return cli_usage(cli, "which command?");
	if ((cli->given & CLI_HELP) != 0) {
		cli->operands[0] = cli->command->name;
		cli->operand_count = 1;
		return cmd_help(cli);
	}
	return fits(cli) ? cli->command->run(cli) : CLI_USAGE;
}

int cli_main(int argc, const char *const *argv, FILE *in, FILE *out, FILE *complaints)
{
	auto_arena arena = arena_new(ARENA_BYTES);
	struct cli cli = {.in = in,
		.out = out,
		.complaints = complaints,
		.arena = arena,
		.colour = wants_colour(out)};
	int code = dispatch(&cli, argc, argv);
	if (code == CLI_FAILED && cli.misconfigured)
		code = CLI_USAGE;
	/* A listing that met a full disk or a closed pipe is not done. */
	if ((fflush(out) != 0 || ferror(out)) && code == CLI_DONE)
		code = cli_fail(&cli, CLI_FAILED, "the output could not be written: %s", strerror(errno));
	return code;
}
