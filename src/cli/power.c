/*
 * Orders about one guest or container: start, stop, restart. Which one is meant is found among the
 * components that the daemon knows; what becomes of it is shown until it is over.
 */
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/follow.h"
#include "cli/text.h"
#include "model/target.h"

/* Longer than any action and the look afterwards; what waits for a lock goes on without us. */
#define FOLLOW_MS ((int64_t)15 * 60 * 1000)

enum verb { VERB_START, VERB_STOP, VERB_RESTART };

static const struct {
	const char *guest, *container;
} actions[] = {
	[VERB_START] = {"proxmox.guest.start", "docker.container.restart"},
	[VERB_STOP] = {"proxmox.guest.shutdown", "docker.container.stop"},
	[VERB_RESTART] = {"proxmox.guest.reboot", "docker.container.restart"},
};

static enum component_kind kind_of(const char *name)
{
	for (int kind = 0; kind < COMPONENT_KINDS; kind++)
		if (strcmp(component_kind_name((enum component_kind)kind), name) == 0)
			return (enum component_kind)kind;
	return COMPONENT_KINDS;
}

/* Docker's restart starts what does not run, and would restart what does. */
static const struct target *checked(
	struct cli *cli, enum verb verb, const struct target *target, const char *state)
{
	if (verb != VERB_START || target->kind != COMPONENT_CONTAINER || strcmp(state, "running") != 0)
		return target;
	cli_fail(cli, CLI_FAILED, "%s is running: nothing was done",
		text_cleaned(cli->arena, target->name, false));
	return NULL;
}

/* The one that is meant; NULL: it has complained. */
static const struct target *find(struct cli *cli, enum verb verb)
{
	struct json root;
	char why[600];
	int count = 0, n = 0;
	if (!control_get(cli, "/api/v1/components", NULL, &root))
		return NULL;
	struct json list = control_list(root, "components");
	struct target *targets = ARENA_ARRAY(cli->arena, struct target, json_count(list) + 1);
	for (struct json c = json_first(list); json_is(c); c = json_next(c))
		targets[count++] = (struct target){.name = control_text(cli, c, "name"),
			.label = control_text(cli, c, "label"),
			.source = control_text(cli, c, "source"),
			.kind = kind_of(control_text(cli, c, "kind"))};
	int found = target_find(targets, count, cli->operands[0], why, sizeof(why));
	for (struct json c = json_first(list); json_is(c); c = json_next(c))
		if (n++ == found)
			return checked(cli, verb, &targets[found], control_text(cli, c, "state"));
	cli_fail(cli, CLI_FAILED, "%s", text_cleaned(cli->arena, why, false));
	return NULL;
}

static const char *params_of(const struct cli *cli, enum verb verb)
{
	if (cli->wait_ms == 0 || verb == VERB_START)
		return NULL;
	return arena_printf(cli->arena, "wait=%lld", (long long)(cli->wait_ms / 1000));
}

static const char *body_of(struct cli *cli, const struct target *target, enum verb verb)
{
	bool guest = target->kind == COMPONENT_GUEST, force = (cli->given & CLI_FORCE) != 0;
	const char *params = force ? NULL : params_of(cli, verb);
	struct str body;
	struct json_out out;
	str_init(&body, cli->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	json_put_str(&out, "action",
		!guest      ? actions[verb].container
			: force ? "proxmox.guest.stop"
					: actions[verb].guest);
	json_put_str(&out, "component", target->name);
	if (params != NULL)
		json_put_str(&out, "params", params);
	json_close(&out, '}');
	return body.s;
}

static int order(struct cli *cli, enum verb verb)
{
	struct json answer = {0};
	if ((cli->given & CLI_FORCE) != 0 && (cli->given & CLI_WAIT) != 0)
		return cli_usage(cli, "--force does not wait: leave out one of --force and --wait");
	const struct target *target = find(cli, verb);
	if (target == NULL)
		return CLI_FAILED;
	if (target->kind != COMPONENT_GUEST && (cli->given & (CLI_FORCE | CLI_WAIT)) != 0)
		return cli_usage(cli, "%s is a container: --force and --wait are for guests",
			text_cleaned(cli->arena, target->name, false));
	if (!control_post(cli, "/api/v1/orders", body_of(cli, target, verb), &answer))
		return CLI_FAILED;
	if ((cli->given & CLI_JSON) == 0) {
		fprintf(
			cli->out, "%s\n", text_cleaned(cli->arena, control_text(cli, answer, "text"), false));
		fflush(cli->out);
	}
	return follow(cli, json_int(json_get(answer, "incident_id"), 0), FOLLOW_MS + cli->wait_ms);
}

int cmd_start(struct cli *cli)
{
	return order(cli, VERB_START);
}

int cmd_stop(struct cli *cli)
{
	return order(cli, VERB_STOP);
}

int cmd_restart(struct cli *cli)
{
	return order(cli, VERB_RESTART);
}
