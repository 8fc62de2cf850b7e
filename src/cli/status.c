/*
 * How things are: the mode, the sources, what is wrong now; and the health report.
 */
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/text.h"

static void print_mode(struct cli *cli, struct json health)
{
	const char *mode = control_text(cli, health, "healing");
	const char *trouble = control_text(cli, health, "trouble");
	char ago[48], span[32];
	int64_t now = control_time(json_get(health, "now"));
	int64_t started = control_time(json_get(health, "started_at"));
	const char *colour = strcmp(mode, "on") == 0 ? CLI_GREEN : CLI_YELLOW;
	fprintf(cli->out, "Auto-healing is %s%s%s", cli_colour(cli, colour), mode,
		cli_colour(cli, CLI_PLAIN));
	if (started > 0 && now >= started) {
		str_duration(span, now - started);
		STR_FORMAT(ago, "; homeostat has run for %s", span);
		fputs(ago, cli->out);
	}
	fprintf(cli->out, ".\n");
	if (trouble[0] != '\0')
		fprintf(cli->out, "%s⚠ %s%s\n", cli_colour(cli, CLI_RED),
			text_cleaned(cli->arena, trouble, false), cli_colour(cli, CLI_PLAIN));
}

static void print_sources(struct cli *cli, struct json list, int64_t now)
{
	struct table *table = table_new(cli->arena, 4);
	for (struct json s = json_first(list); json_is(s); s = json_next(s)) {
		bool reached = json_bool(json_get(s, "reached"), false);
		char ago[48];
		text_ago(ago, control_time(json_get(s, "last_look_at")), now);
		table_add_in(table, reached ? "✓" : "✗", cli_colour(cli, reached ? CLI_GREEN : CLI_RED));
		table_add(table, control_text(cli, s, "name"));
		table_add(
			table, arena_printf(cli->arena, "%s components", control_text(cli, s, "components")));
		table_add(table,
			reached ? arena_printf(cli->arena, "seen %s", ago) : control_text(cli, s, "text"));
	}
	fputc('\n', cli->out);
	table_print(table, NULL, cli->colour, cli->out);
}

static void print_channels(struct cli *cli, struct json list)
{
	struct table *table = table_new(cli->arena, 3);
	for (struct json c = json_first(list); json_is(c); c = json_next(c)) {
		bool reached = json_bool(json_get(c, "reached"), false);
		table_add_in(table, reached ? "✓" : "✗", cli_colour(cli, reached ? CLI_GREEN : CLI_RED));
		table_add(table, control_text(cli, c, "name"));
		table_add(table,
			reached ? arena_printf(cli->arena, "%s messages", control_text(cli, c, "delivered"))
					: control_text(cli, c, "text"));
	}
	if (table_rows(table) == 0)
		return;
	fputc('\n', cli->out);
	table_print(table, NULL, cli->colour, cli->out);
}

static bool print_open(struct cli *cli)
{
	struct json root;
	if (!control_get(cli, "/api/v1/incidents?state=open&limit=0", NULL, &root))
		return false;
	struct table *table = table_new(cli->arena, 4);
	struct json list = control_list(root, "incidents");
	for (struct json i = json_first(list); json_is(i); i = json_next(i)) {
		table_add(table, control_text(cli, i, "id"));
		table_add(table, control_text(cli, i, "state"));
		table_add(table, control_text(cli, i, "component"));
		table_add(table, control_text(cli, i, "issue"));
	}
	fputc('\n', cli->out);
	if (table_rows(table) == 0) {
		fprintf(cli->out, "%sNothing is wrong.%s\n", cli_colour(cli, CLI_GREEN),
			cli_colour(cli, CLI_PLAIN));
		return true;
	}
	table_print(
		table, (const char *const[]){"ID", "STATE", "COMPONENT", "ISSUE"}, cli->colour, cli->out);
	fputs("\n`homeostat why ID` tells the story.\n", cli->out);
	return true;
}

int cmd_status(struct cli *cli)
{
	const char *body;
	struct json health;
	if (!control_get(cli, "/api/v1/health", &body, &health))
		return CLI_FAILED;
	if ((cli->given & CLI_JSON) != 0)
		return control_print(cli, body);
	print_mode(cli, health);
	print_sources(cli, json_get(health, "sources"), control_time(json_get(health, "now")));
	print_channels(cli, json_get(health, "channels"));
	return print_open(cli) ? CLI_DONE : CLI_FAILED;
}

int cmd_health(struct cli *cli)
{
	const char *body;
	if ((cli->given & CLI_JSON) != 0)
		return control_get(cli, "/api/v1/health", &body, NULL) ? control_print(cli, body)
															   : CLI_FAILED;
	if (!control_get(cli, "/api/v1/health?format=text", &body, NULL))
		return CLI_FAILED;
	return control_print(cli, text_cleaned(cli->arena, body, true));
}
