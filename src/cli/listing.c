/*
 * What the daemon knows, as tables: incidents, components, the audit log.
 */
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/story.h"
#include "cli/text.h"

#define LINES 50

static int64_t wall_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *story_colour(const struct cli *cli, const char *state)
{
	static const struct {
		const char *state, *colour;
	} colours[] = {
		{"RESOLVED", CLI_GREEN},
		{"CLEARED", CLI_DIM},
		{"ESCALATED", CLI_RED},
		{"ASKING", CLI_YELLOW},
		{"REJECTED", CLI_DIM},
	};
	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (strcmp(colours[i].state, state) == 0)
			return cli_colour(cli, colours[i].colour);
	return "";
}

static void add_incident(struct cli *cli, struct table *table, struct json incident, int64_t now)
{
	char ago[48];
	const char *state = control_text(cli, incident, "state");
	text_ago(ago, control_time(json_get(incident, "opened_at")), now);
	table_add(table, control_text(cli, incident, "id"));
	table_add_in(table, state, story_colour(cli, state));
	table_add(table, control_text(cli, incident, "severity"));
	table_add(table, control_text(cli, incident, "component"));
	table_add(table, ago);
	table_add(table, control_text(cli, incident, "issue"));
}

/* A list as an array of its own, whatever it came in. */
static int print_array(struct cli *cli, struct json list)
{
	struct str text;
	str_init(&text, cli->arena);
	for (struct json i = json_first(list); json_is(i); i = json_next(i)) {
		size_t length;
		const char *raw = json_raw(i, &length);
		str_add(&text, text.len == 0 ? "" : ",\n ");
		str_addn(&text, raw, length);
	}
	fprintf(cli->out, "[%s]\n", text.s);
	return CLI_DONE;
}

static int print_incidents(struct cli *cli, struct json list, int64_t limit)
{
	struct table *table = table_new(cli->arena, 6);
	int64_t now = wall_now_ms(), count = 0;
	for (struct json i = json_first(list); json_is(i); i = json_next(i))
		if (count++ < limit)
			add_incident(cli, table, i, now);
	if (count == 0)
		fputs((cli->given & CLI_OPEN) != 0 ? "nothing is wrong\n" : "nothing has happened yet\n",
			cli->out);
	else
		table_print(table,
			(const char *const[]){"ID", "STATE", "SEVERITY", "COMPONENT", "SEEN", "ISSUE"},
			cli->colour, cli->out);
	if (count > limit)
		fprintf(cli->out, "… and older ones: --limit %lld shows more\n", (long long)limit * 2);
	return CLI_DONE;
}

static int list_incidents(struct cli *cli)
{
	struct json root;
	bool as_json = (cli->given & CLI_JSON) != 0;
	int64_t limit = cli->limit > 0 ? cli->limit : as_json ? 0 : LINES;
	/* One more than is shown tells whether there are more. */
	const char *path = arena_printf(cli->arena, "/api/v1/incidents?state=%s&limit=%lld",
		(cli->given & CLI_OPEN) != 0 ? "open" : "all", (long long)(as_json ? limit : limit + 1));
	if (!control_get(cli, path, NULL, &root))
		return CLI_FAILED;
	struct json list = control_list(root, "incidents");
	return as_json ? print_array(cli, list) : print_incidents(cli, list, limit);
}

int cmd_incidents(struct cli *cli)
{
	if (cli->operand_count == 0)
		return list_incidents(cli);
	if ((cli->given & (CLI_OPEN | CLI_LIMIT)) != 0)
		return cli_usage(cli, "incidents ID takes no --open and no --limit");
	return story(cli, true);
}

int cmd_why(struct cli *cli)
{
	return story(cli, false);
}

int cmd_components(struct cli *cli)
{
	struct json root;
	if (!control_get(cli, "/api/v1/components", NULL, &root))
		return CLI_FAILED;
	struct json list = control_list(root, "components");
	if ((cli->given & CLI_JSON) != 0)
		return print_array(cli, list);
	struct table *table = table_new(cli->arena, 5);
	for (struct json c = json_first(list); json_is(c); c = json_next(c)) {
		const char *health = control_text(cli, c, "health");
		bool bad = strcmp(health, "unhealthy") == 0;
		table_add(table, control_text(cli, c, "name"));
		table_add(table, control_text(cli, c, "kind"));
		table_add(table, control_text(cli, c, "source"));
		table_add(table, control_text(cli, c, "state"));
		table_add_in(
			table, strcmp(health, "none") == 0 ? "–" : health, bad ? cli_colour(cli, CLI_RED) : "");
	}
	if (table_rows(table) == 0)
		fputs("nothing is watched yet: `homeostat status` shows whether the sources answer\n",
			cli->out);
	else
		table_print(table, (const char *const[]){"COMPONENT", "KIND", "SOURCE", "STATE", "HEALTH"},
			cli->colour, cli->out);
	return CLI_DONE;
}

static void add_entry(struct cli *cli, struct table *table, struct json entry)
{
	char at[24];
	const char *actor = control_text(cli, entry, "actor");
	str_utc(at, control_time(json_get(entry, "at")));
	table_add(table, control_text(cli, entry, "seq"));
	table_add(table, at);
	table_add(table, control_text(cli, entry, "what"));
	table_add(table, actor[0] != '\0' ? actor : "homeostat");
	table_add(table, control_text(cli, entry, "component"));
	table_add(table, control_text(cli, entry, "text"));
}

/* As a log is read, newest last, in whichever order it comes. */
static void print_audit(struct cli *cli, struct json list)
{
	struct table *table = table_new(cli->arena, 6);
	size_t count = json_count(list), n = 0;
	struct json *entries = ARENA_ARRAY(cli->arena, struct json, count + 1);
	for (struct json e = json_first(list); json_is(e); e = json_next(e))
		entries[n++] = e;
	bool backwards = n > 1 &&
		json_int(json_get(entries[0], "seq"), 0) > json_int(json_get(entries[n - 1], "seq"), 0);
	for (size_t i = 0; i < n; i++)
		add_entry(cli, table, entries[backwards ? n - 1 - i : i]);
	table_print(table, (const char *const[]){"NO", "TIME", "WHAT", "BY", "COMPONENT", "TEXT"},
		cli->colour, cli->out);
}

int cmd_audit(struct cli *cli)
{
	const char *body;
	struct json root;
	bool verify = (cli->given & CLI_VERIFY) != 0;
	const char *path = arena_printf(cli->arena, "/api/v1/audit?limit=%lld%s",
		(long long)(cli->limit > 0 ? cli->limit : LINES), verify ? "&verify=1" : "");
	if (!control_get(cli, path, &body, &root))
		return CLI_FAILED;
	if ((cli->given & CLI_JSON) != 0)
		control_print(cli, body);
	else
		print_audit(cli, control_list(root, "entries"));
	if (!verify)
		return CLI_DONE;
	if (!json_bool(json_get(root, "verified"), false))
		return cli_fail(
			cli, CLI_FAILED, "the audit log does not hold: %s", control_text(cli, root, "text"));
	if ((cli->given & CLI_JSON) == 0)
		fprintf(cli->out, "%s✓%s the chain of %s entries holds\n", cli_colour(cli, CLI_GREEN),
			cli_colour(cli, CLI_PLAIN), control_text(cli, root, "count"));
	return CLI_DONE;
}
