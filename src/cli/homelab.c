/*
 * What Proxmox VE says at this moment, as tables: nodes, guests, backups. Asked for by the daemon.
 */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/text.h"

static bool as_json(const struct cli *cli)
{
	return (cli->given & CLI_JSON) != 0;
}

/* What could not be read is said beside the table: what is not in it may exist. */
static void tell_troubles(struct cli *cli, struct json root)
{
	struct json troubles = json_get(root, "troubles");
	for (struct json t = json_first(troubles); json_is(t); t = json_next(t))
		fprintf(cli->complaints, "%swarning:%s %s\n", cli_colour(cli, CLI_YELLOW),
			cli_colour(cli, CLI_PLAIN),
			text_cleaned(cli->arena, control_text(cli, t, "text"), false));
}

static int exit_code(struct json root)
{
	struct json troubles = json_get(root, "troubles");
	for (struct json t = json_first(troubles); json_is(t); t = json_next(t))
		if (!json_bool(json_get(t, "partial"), false))
			return CLI_FAILED;
	return CLI_DONE;
}

/* Asks; with --json the answer is printed as it came. False: done, with *code. */
static bool ask(struct cli *cli, const char *path, struct json *root, int *code)
{
	const char *body;
	*code = CLI_FAILED;
	if (!control_get(cli, path, &body, root))
		return false;
	*code = exit_code(*root);
	if (as_json(cli))
		control_print(cli, body);
	else
		tell_troubles(cli, *root);
	return !as_json(cli);
}

static bool is_number(struct json value)
{
	return json_kind(value) == JSON_NUMBER;
}

static const char *cpu_text(struct cli *cli, struct json row)
{
	struct json cpu = json_get(row, "cpu");
	if (!is_number(cpu))
		return "–";
	return arena_printf(cli->arena, "%.0f %%", json_num(cpu, 0) * 100);
}

static const char *bytes_text(struct cli *cli, double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;
	for (; bytes >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		bytes /= 1024;
	return arena_printf(
		cli->arena, bytes < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

/* "62 % of 31 GiB"; share (out): 0..1, or -1. */
static const char *use_text(
	struct cli *cli, struct json row, const char *used, const char *most, double *share)
{
	double of = json_num(json_get(row, most), 0);
	*share = -1;
	if (of <= 0)
		return "–";
	if (!is_number(json_get(row, used)))
		return arena_printf(cli->arena, "of %s", bytes_text(cli, of));
	*share = json_num(json_get(row, used), 0) / of;
	return arena_printf(cli->arena, "%.0f %% of %s", *share * 100, bytes_text(cli, of));
}

static const char *share_colour(const struct cli *cli, double share)
{
	return share >= 0.95 ? cli_colour(cli, CLI_RED)
		: share >= 0.9   ? cli_colour(cli, CLI_YELLOW)
						 : "";
}

static void add_use(
	struct cli *cli, struct table *table, struct json row, const char *used, const char *most)
{
	double share;
	const char *text = use_text(cli, row, used, most, &share);
	table_add_in(table, text, share_colour(cli, share));
}

static const char *uptime_text(struct cli *cli, struct json row)
{
	char span[32];
	int64_t s = json_int(json_get(row, "uptime_s"), 0);
	if (s <= 0)
		return "–";
	int64_t unit = s >= 2 * 86400 ? 86400 : s >= 2 * 3600 ? 3600 : s >= 120 ? 60 : 1;
	str_duration(span, s / unit * unit * 1000);
	return arena_strdup(cli->arena, span);
}

static const char *or_dash(const char *text)
{
	return text[0] != '\0' ? text : "–";
}

static void add_node(struct cli *cli, struct table *table, struct json row)
{
	const char *state = control_text(cli, row, "state");
	table_add(table, control_text(cli, row, "name"));
	table_add(table, control_text(cli, row, "source"));
	table_add_in(table, state, cli_colour(cli, strcmp(state, "online") == 0 ? CLI_GREEN : CLI_RED));
	table_add_in(table, cpu_text(cli, row), share_colour(cli, json_num(json_get(row, "cpu"), 0)));
	add_use(cli, table, row, "memory_bytes", "memory_max_bytes");
	add_use(cli, table, row, "disk_bytes", "disk_max_bytes");
	table_add(table, uptime_text(cli, row));
	table_add(table,
		arena_printf(cli->arena, "%lld of %lld run",
			(long long)json_int(json_get(row, "guests_running"), 0),
			(long long)json_int(json_get(row, "guests"), 0)));
}

int cmd_nodes(struct cli *cli)
{
	struct json root;
	int code;
	if (!ask(cli, "/api/v1/nodes", &root, &code))
		return code;
	struct table *table = table_new(cli->arena, 8);
	struct json list = control_list(root, "nodes");
	for (struct json row = json_first(list); json_is(row); row = json_next(row))
		add_node(cli, table, row);
	table_print(table,
		(const char *const[]){"NODE", "SOURCE", "STATE", "CPU", "MEMORY", "DISK", "UP", "GUESTS"},
		cli->colour, cli->out);
	return code;
}

/* A critical guest that does not run is what one looks for. */
static const char *state_colour(const struct cli *cli, const char *state, bool critical)
{
	if (strcmp(state, "running") == 0)
		return cli_colour(cli, CLI_GREEN);
	if (critical)
		return cli_colour(cli, CLI_RED);
	return cli_colour(cli, strcmp(state, "stopped") == 0 ? CLI_DIM : CLI_YELLOW);
}

static const char *marks_of(struct cli *cli, struct json row)
{
	struct str marks;
	const char *lock = control_text(cli, row, "lock"), *ha = control_text(cli, row, "ha");
	const char *tags = control_text(cli, row, "tags");
	str_init(&marks, cli->arena);
	if (json_bool(json_get(row, "critical"), false))
		str_add(&marks, ", critical");
	if (lock[0] != '\0')
		str_addf(&marks, ", locked: %s", lock);
	if (ha[0] != '\0')
		str_addf(&marks, ", HA: %s", ha);
	if (tags[0] != '\0')
		str_addf(&marks, ", %s", tags);
	return marks.len > 2 ? marks.s + 2 : "";
}

static void add_guest(struct cli *cli, struct table *table, struct json row)
{
	const char *state = control_text(cli, row, "state");
	table_add(table, control_text(cli, row, "vmid"));
	table_add(table, control_text(cli, row, "kind"));
	table_add(table, or_dash(control_text(cli, row, "name")));
	table_add(table, control_text(cli, row, "node"));
	table_add_in(
		table, state, state_colour(cli, state, json_bool(json_get(row, "critical"), false)));
	bool runs = strcmp(state, "running") == 0;
	table_add(table, runs ? cpu_text(cli, row) : "–");
	if (runs)
		add_use(cli, table, row, "memory_bytes", "memory_max_bytes");
	else
		table_add(table, "–");
	table_add(table, runs ? uptime_text(cli, row) : "–");
	table_add(table, marks_of(cli, row));
}

int cmd_guests(struct cli *cli)
{
	struct json root;
	int code;
	if (!ask(cli, "/api/v1/guests", &root, &code))
		return code;
	struct table *table = table_new(cli->arena, 9);
	struct json list = control_list(root, "guests");
	for (struct json row = json_first(list); json_is(row); row = json_next(row))
		if (!json_bool(json_get(row, "template"), false))
			add_guest(cli, table, row);
	if (table_rows(table) == 0)
		fputs("there are no guests\n", cli->out);
	else
		table_print(table,
			(const char *const[]){
				"ID", "KIND", "NAME", "NODE", "STATE", "CPU", "MEMORY", "UP", "NOTES"},
			cli->colour, cli->out);
	return code;
}

static const char *verdict_colour(const struct cli *cli, const char *verdict)
{
	static const struct {
		const char *verdict, *colour;
	} colours[] = {
		{"good", CLI_GREEN},
		{"running", CLI_GREEN},
		{"failed", CLI_RED},
		{"late", CLI_RED},
		{"missing", CLI_RED},
		{"unknown", CLI_YELLOW},
		{"unscheduled", CLI_YELLOW},
		{"unprotected", CLI_YELLOW},
	};
	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (strcmp(colours[i].verdict, verdict) == 0)
			return cli_colour(cli, colours[i].colour);
	return "";
}

static const char *ago_of(struct cli *cli, struct json row, const char *key, int64_t now)
{
	char ago[48];
	int64_t at = control_time(json_get(row, key));
	if (at <= 0)
		return "–";
	text_ago(ago, at, now);
	return arena_strdup(cli->arena, ago);
}

/* "good 5 hours ago", and what went wrong. */
static const char *last_try_of(struct cli *cli, struct json row, int64_t now)
{
	const char *tried = control_text(cli, row, "last_try");
	if (tried[0] == '\0')
		return "–";
	const char *when = ago_of(cli, row, "last_try_at", now);
	bool failed = strcmp(tried, "failed") == 0;
	return arena_printf(cli->arena, "%s %s%s%s", tried, when, failed ? ": " : "",
		failed ? control_text(cli, row, "last_try_text") : "");
}

static void add_backup(struct cli *cli, struct table *table, struct json row, int64_t now)
{
	const char *verdict = control_text(cli, row, "verdict");
	struct json bytes = json_get(row, "newest_bytes");
	table_add(table, control_text(cli, row, "vmid"));
	table_add(table, or_dash(control_text(cli, row, "name")));
	table_add_in(table, verdict, verdict_colour(cli, verdict));
	table_add(table, ago_of(cli, row, "newest_at", now));
	table_add(table, is_number(bytes) ? bytes_text(cli, json_num(bytes, 0)) : "–");
	table_add(table, or_dash(control_text(cli, row, "storage")));
	table_add(table, or_dash(control_text(cli, row, "schedule")));
	table_add(table, last_try_of(cli, row, now));
}

int cmd_backup(struct cli *cli)
{
	struct json root;
	int code;
	int64_t vmid = 0;
	if (cli->operand_count > 0 && !cli_number(cli, cli->operands[0], &vmid))
		return CLI_USAGE;
	const char *path = vmid == 0
		? "/api/v1/backups"
		: arena_printf(cli->arena, "/api/v1/backups/%lld", (long long)vmid);
	if (!ask(cli, path, &root, &code))
		return code;
	struct table *table = table_new(cli->arena, 8);
	struct json list = control_list(root, "backups");
	int64_t now = control_time(json_get(root, "at"));
	for (struct json row = json_first(list); json_is(row); row = json_next(row))
		add_backup(cli, table, row, now);
	if (table_rows(table) == 0)
		fputs("there are no guests to back up\n", cli->out);
	else
		table_print(table,
			(const char *const[]){
				"ID", "NAME", "BACKUP", "NEWEST", "SIZE", "STORAGE", "SCHEDULE", "LAST TRY"},
			cli->colour, cli->out);
	return code;
}
