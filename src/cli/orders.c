/*
 * What a person tells the daemon: approve, reject, retry, reset, mute, enable, disable, shadow.
 */
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/text.h"
#include "model/risk.h"

#define MUTE_MS ((int64_t)3600 * 1000)

/* The answer's own words, else ours. */
static void say(struct cli *cli, struct json answer, const char *otherwise)
{
	const char *text = control_text(cli, answer, "text");
	if (text[0] == '\0')
		text = otherwise;
	fprintf(cli->out, "%s✓%s %s\n", cli_colour(cli, CLI_GREEN), cli_colour(cli, CLI_PLAIN),
		text_cleaned(cli->arena, text, false));
}

static const char *body_of(struct cli *cli, const char *const (*members)[2], int count)
{
	struct str body;
	struct json_out out;
	str_init(&body, cli->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	for (int i = 0; i < count; i++)
		json_put_str(&out, members[i][0], members[i][1]);
	json_close(&out, '}');
	return body.s;
}

static int tell(struct cli *cli, const char *path, const char *body, const char *otherwise)
{
	struct json answer = {0};
	if (!control_post(cli, path, body, &answer))
		return CLI_FAILED;
	say(cli, answer, otherwise);
	return CLI_DONE;
}

static int decide(struct cli *cli, const char *decision)
{
	int64_t id;
	if (!cli_number(cli, cli->operands[0], &id))
		return CLI_USAGE;
	const char *path = arena_printf(cli->arena, "/api/v1/approvals/%lld", (long long)id);
	const char *const members[][2] = {{"decision", decision}};
	return tell(cli, path, body_of(cli, members, 1), decision);
}

int cmd_approve(struct cli *cli)
{
	return decide(cli, "approve");
}

int cmd_reject(struct cli *cli)
{
	return decide(cli, "reject");
}

int cmd_retry(struct cli *cli)
{
	int64_t id;
	if (!cli_number(cli, cli->operands[0], &id))
		return CLI_USAGE;
	return tell(cli, arena_printf(cli->arena, "/api/v1/incidents/%lld/retry", (long long)id), "{}",
		"it is tried once more");
}

int cmd_reset(struct cli *cli)
{
	const char *const members[][2] = {{"component", cli->operands[0]}};
	return tell(cli, "/api/v1/reset", body_of(cli, members, 1), "its attempts count from now on");
}

static int mute(struct cli *cli, int64_t for_ms)
{
	const char *pattern = cli->operand_count > 0 ? cli->operands[0] : "*";
	const char *time = arena_printf(cli->arena, "%llds", (long long)(for_ms / 1000));
	const char *const members[][2] = {{"component", pattern}, {"for", time}};
	return tell(cli, "/api/v1/mutes", body_of(cli, members, 2), "done");
}

int cmd_mute(struct cli *cli)
{
	return mute(cli, cli->for_ms > 0 ? cli->for_ms : MUTE_MS);
}

int cmd_unmute(struct cli *cli)
{
	return mute(cli, 0);
}

static bool set_mode(struct cli *cli, enum healing mode, struct json *health)
{
	const char *const members[][2] = {{"mode", healing_name(mode)}};
	struct json answer;
	return control_post(cli, "/api/v1/autohealing", body_of(cli, members, 1), &answer) &&
		control_get(cli, "/api/v1/health", NULL, health);
}

/* The interval of the running daemon, as people write it: "60 seconds". */
static void interval_text(struct json health, char field[32])
{
	int64_t ms = (int64_t)(json_num(json_get(health, "interval_s"), 60) * 1000);
	if (ms % 1000 == 0 && ms < 600000)
		str_format(field, 32, "%lld second%s", (long long)(ms / 1000), ms == 1000 ? "" : "s");
	else
		str_duration(field, ms);
}

int cmd_enable(struct cli *cli)
{
	struct json health = {0};
	char interval[32];
	if (!set_mode(cli, HEALING_ON, &health))
		return CLI_FAILED;
	interval_text(health, interval);
	fprintf(cli->out,
		"✅ Auto-Healing Enabled\n\n"
		"The system will now:\n"
		"• Monitor infrastructure every %s\n"
		"• Auto-fix low-risk issues automatically\n"
		"• Request approval for risky actions\n"
		"• Report here: in the terminal of `homeostat run` and by `homeostat incidents`\n\n"
		"Use `homeostat health` to view current status\n"
		"Use `homeostat disable` to stop\n",
		interval);
	return CLI_DONE;
}

int cmd_disable(struct cli *cli)
{
	struct json health;
	if (!set_mode(cli, HEALING_OFF, &health))
		return CLI_FAILED;
	fputs("🛑 Auto-Healing Disabled\n\n"
		  "The system will now:\n"
		  "• Keep watching, and report what is wrong\n"
		  "• Do nothing by itself; your own orders still work\n\n"
		  "Use `homeostat enable` to start again\n",
		cli->out);
	return CLI_DONE;
}

int cmd_shadow(struct cli *cli)
{
	struct json health;
	if (!set_mode(cli, HEALING_SHADOW, &health))
		return CLI_FAILED;
	fputs("👥 Auto-Healing in Shadow Mode\n\n"
		  "The system will now:\n"
		  "• Keep watching, and decide as if it were on\n"
		  "• Say what it would do, and do nothing\n\n"
		  "Use `homeostat enable` to let it act\n",
		cli->out);
	return CLI_DONE;
}
