/*
 * What was learnt, and a diagnosis by wish.
 */
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/text.h"

static void add_percents(struct cli *cli, struct table *table, struct json row)
{
	table_add(table,
		arena_printf(cli->arena, "%.0f %% (%.0f-%.0f)", 100 * json_num(json_get(row, "chance"), 0),
			100 * json_num(json_get(row, "low"), 0), 100 * json_num(json_get(row, "high"), 0)));
}

static void add_row(struct cli *cli, struct table *table, struct json row)
{
	static const char *const numbers[] = {"n", "healed", "failed", "relapsed", "untouched"};
	table_add(table, control_text(cli, row, "component"));
	table_add(table, control_text(cli, row, "finding"));
	table_add(table, control_text(cli, row, "action"));
	add_percents(cli, table, row);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		table_add(table,
			arena_printf(cli->arena, "%lld", (long long)json_int(json_get(row, numbers[i]), 0)));
	table_add(
		table, arena_printf(cli->arena, "%.0f s", json_num(json_get(row, "repair_seconds"), 0)));
	table_add(table,
		arena_printf(cli->arena, "%lld/%lld", (long long)json_int(json_get(row, "approved"), 0),
			(long long)json_int(json_get(row, "rejected"), 0)));
}

int cmd_patterns(struct cli *cli)
{
	const char *body;
	struct json root;
	if (!control_get(cli, "/api/v1/patterns", &body, &root))
		return CLI_FAILED;
	if ((cli->given & CLI_JSON) != 0)
		return control_print(cli, body);
	struct table *table = table_new(cli->arena, 11);
	struct json list = control_list(root, "patterns");
	for (struct json row = json_first(list); json_is(row); row = json_next(row))
		add_row(cli, table, row);
	if (table_rows(table) == 0) {
		fprintf(cli->out, "nothing has been learnt yet: no outcome was verified\n");
		return CLI_DONE;
	}
	table_print(table,
		(const char *const[]){"COMPONENT", "TROUBLE", "ACTION", "CHANCE", "N", "HEALED", "FAILED",
			"RELAPSED", "UNTOUCHED", "REPAIR", "YES/NO"},
		cli->colour, cli->out);
	return CLI_DONE;
}

static void say(struct cli *cli, const char *head, const char *text)
{
	if (text[0] != '\0')
		fprintf(cli->out, "%s%-14s%s%s\n", cli_colour(cli, CLI_BOLD), head,
			cli_colour(cli, CLI_PLAIN), text_cleaned(cli->arena, text, false));
}

static void print_diagnosis(struct cli *cli, struct json root)
{
	struct table *table = table_new(cli->arena, 3);
	say(cli, "Component", control_text(cli, root, "component"));
	say(cli, "State", control_text(cli, root, "issue"));
	say(cli, "Cause",
		arena_printf(cli->arena, "%s (by %s, %.0f %% sure)", control_text(cli, root, "cause"),
			control_text(cli, root, "by"), 100 * json_num(json_get(root, "confidence"), 0)));
	say(cli, "Evidence", control_text(cli, root, "quotes"));
	say(cli, "Or", control_text(cli, root, "alternatives"));
	say(cli, "Would help", control_text(cli, root, "action"));
	say(cli, "Model", control_text(cli, root, "note"));
	struct json list = json_get(root, "evidence");
	for (struct json row = json_first(list); json_is(row); row = json_next(row)) {
		table_add(table, json_bool(json_get(row, "proves"), false) ? "*" : "");
		table_add(table, control_text(cli, row, "source"));
		table_add(table, control_text(cli, row, "text"));
	}
	fputc('\n', cli->out);
	if (table_rows(table) > 0)
		table_print(table, (const char *const[]){"", "SOURCE", "EVIDENCE"}, cli->colour, cli->out);
}

int cmd_diagnose(struct cli *cli)
{
	struct str body;
	struct json_out out;
	struct json root;
	size_t length = 0;
	str_init(&body, cli->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	json_put_str(&out, "component", cli->operands[0]);
	json_close(&out, '}');
	if (!control_post(cli, "/api/v1/diagnoses", body.s, &root))
		return CLI_FAILED;
	if ((cli->given & CLI_JSON) != 0) {
		const char *raw = json_raw(root, &length);
		fprintf(cli->out, "%.*s\n", (int)length, raw != NULL ? raw : "");
		return CLI_DONE;
	}
	print_diagnosis(cli, root);
	return CLI_DONE;
}
