/*
 * What homeostat can do, as its own tables say: sources, actions, keys of the configuration, the
 * life of an incident. Needs no daemon.
 */
#include <string.h>

#include "act/act.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/text.h"
#include "heal/heal.h"
#include "model/config.h"
#include "watch/watch.h"

static void json_start(struct cli *cli, struct json_out *out, struct str *text)
{
	str_init(text, cli->arena);
	json_begin(out, text);
	json_open(out, NULL, '[');
}

static int json_finish(struct cli *cli, struct json_out *out)
{
	json_close(out, ']');
	fprintf(cli->out, "%s\n", out->str->s);
	return CLI_DONE;
}

int cmd_sources(struct cli *cli)
{
	struct str text;
	struct json_out out;
	struct table *table = table_new(cli->arena, 2);
	json_start(cli, &out, &text);
	for (int i = 0; sources[i] != NULL; i++) {
		json_open(&out, NULL, '{');
		json_put_str(&out, "name", sources[i]->name);
		json_put_str(&out, "summary", sources[i]->summary);
		json_close(&out, '}');
		table_add(table, sources[i]->name);
		table_add(table, sources[i]->summary);
	}
	if ((cli->given & CLI_JSON) != 0)
		return json_finish(cli, &out);
	table_print(table, (const char *const[]){"SOURCE", "WHAT IT WATCHES"}, cli->colour, cli->out);
	return CLI_DONE;
}

int cmd_actions(struct cli *cli)
{
	struct str text;
	struct json_out out;
	struct table *table = table_new(cli->arena, 4);
	json_start(cli, &out, &text);
	for (int i = 0; actions[i] != NULL; i++) {
		const struct action_info *info = &actions[i]->info;
		json_open(&out, NULL, '{');
		json_put_str(&out, "name", info->name);
		json_put_str(&out, "summary", info->summary);
		json_put_str(&out, "on", component_kind_name(info->kind));
		json_put_str(&out, "risk", risk_name(info->floor));
		json_put_bool(&out, "undo", info->has_undo);
		json_close(&out, '}');
		table_add(table, info->name);
		table_add(table, risk_name(info->floor));
		table_add(table, component_kind_name(info->kind));
		table_add(table, info->summary);
	}
	if ((cli->given & CLI_JSON) != 0)
		return json_finish(cli, &out);
	table_print(table, (const char *const[]){"ACTION", "LEAST RISK", "ON", "WHAT IT DOES"},
		cli->colour, cli->out);
	return CLI_DONE;
}

int cmd_config(struct cli *cli)
{
	struct str text;
	struct json_out out;
	struct table *table = table_new(cli->arena, 4);
	int count;
	const struct config_key *keys = config_keys(&count);
	json_start(cli, &out, &text);
	for (int i = 0; i < count; i++) {
		json_open(&out, NULL, '{');
		json_put_str(&out, "key", keys[i].path);
		json_put_str(&out, "type", keys[i].type);
		json_put_str(&out, "default", keys[i].otherwise);
		json_put_str(&out, "summary", keys[i].summary);
		json_close(&out, '}');
		table_add(table, keys[i].path);
		table_add(table, keys[i].type);
		table_add(table, keys[i].otherwise);
		table_add(table, keys[i].summary);
	}
	if ((cli->given & CLI_JSON) != 0)
		return json_finish(cli, &out);
	table_print(table, (const char *const[]){"KEY", "TYPE", "DEFAULT", "WHAT IT SETS"}, cli->colour,
		cli->out);
	return CLI_DONE;
}

static int life_json(struct cli *cli, const struct life_rule *rules, int count)
{
	struct str text;
	struct json_out out;
	json_start(cli, &out, &text);
	for (int i = 0; i < count; i++) {
		json_open(&out, NULL, '{');
		json_put_str(&out, "in", life_state_name(rules[i].state));
		json_put_str(&out, "on", life_event_name(rules[i].event));
		json_put_str(&out, "do", life_do_name(rules[i].act));
		json_put_str(&out, "then", life_state_name(rules[i].next));
		json_close(&out, '}');
	}
	return json_finish(cli, &out);
}

int cmd_life(struct cli *cli)
{
	int count;
	const struct life_rule *rules = life_rules(&count);
	if ((cli->given & CLI_JSON) != 0)
		return life_json(cli, rules, count);
	if ((cli->given & CLI_DOT) != 0) {
		struct str dot;
		str_init(&dot, cli->arena);
		life_dot(&dot);
		fputs(dot.s, cli->out);
		return CLI_DONE;
	}
	struct table *table = table_new(cli->arena, 4);
	for (int i = 0; i < count; i++) {
		table_add(table, life_state_name(rules[i].state));
		table_add(table, life_event_name(rules[i].event));
		table_add(table, life_do_name(rules[i].act));
		table_add(table, life_state_name(rules[i].next));
	}
	table_print(
		table, (const char *const[]){"IN STATE", "ON", "DO", "THEN"}, cli->colour, cli->out);
	return CLI_DONE;
}
