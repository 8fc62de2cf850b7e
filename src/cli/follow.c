#include "cli/follow.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/control.h"
#include "cli/story.h"
#include "cli/text.h"

#define LOOK_EVERY_MS 250
#define ARENA_BYTES ((size_t)16 << 20)

struct follower {
	struct cli *cli;
	const char *path;
	const struct clock *clock;
	int64_t end_at;
	size_t shown; /* steps of the history */
	bool over, good;
};

/* The steps since the order: an incident may have a longer story. */
static size_t ordered_at(struct json history)
{
	size_t n = 0, at = 0;
	char event[24];
	for (struct json step = json_first(history); json_is(step); step = json_next(step), n++)
		if (json_copy(json_get(step, "event"), event, sizeof(event)) && str_equal(event, "ORDERED"))
			at = n;
	return at;
}

static void show_step(struct cli *cli, struct json step)
{
	const char *state = control_text(cli, step, "state");
	const char *reason = control_text(cli, step, "reason");
	fprintf(cli->out, "  %s%-10s%s  %s\n", story_colour(cli, state),
		text_cleaned(cli->arena, state, false), cli_colour(cli, CLI_PLAIN),
		text_cleaned(cli->arena, reason, false));
	fflush(cli->out);
}

static void show_news(struct follower *follower, struct cli *cli, struct json incident)
{
	size_t n = 0;
	struct json history = json_get(incident, "history");
	size_t from = ordered_at(history);
	if (follower->shown < from)
		follower->shown = from;
	for (struct json step = json_first(history); json_is(step); step = json_next(step), n++) {
		if (n < follower->shown)
			continue;
		show_step(cli, step);
		follower->shown++;
	}
}

/* What the last action said: what was done, or what kept it from being done. */
static const char *last_words(struct cli *cli, struct json incident)
{
	const char *text = "";
	struct json actions = json_get(incident, "actions");
	for (struct json a = json_first(actions); json_is(a); a = json_next(a))
		text = control_text(cli, a, "text");
	return text[0] != '\0' ? text : control_text(cli, incident, "reason");
}

static void judge(struct follower *follower, struct cli *cli, struct json incident)
{
	const char *state = control_text(cli, incident, "state");
	follower->good = str_equal(state, "RESOLVED") || str_equal(state, "CLEARED");
	follower->over = follower->good || str_equal(state, "ESCALATED") ||
		str_equal(state, "REJECTED");
	if (!follower->over || (cli->given & CLI_JSON) != 0)
		return;
	const char *text = text_cleaned(cli->arena, last_words(cli, incident), false);
	if (follower->good)
		fprintf(
			cli->out, "%s✓%s %s\n", cli_colour(cli, CLI_GREEN), cli_colour(cli, CLI_PLAIN), text);
	else
		cli_fail(cli, CLI_FAILED, "%s (homeostat why %s tells all)", text,
			control_text(cli, incident, "id"));
}

/* One look. False: it has complained. */
static bool look(struct follower *follower)
{
	auto_arena arena = arena_new(ARENA_BYTES);
	struct cli cli = *follower->cli; /* what is read lives for this look only */
	const char *body;
	struct json incident;
	cli.arena = arena;
	bool ok = control_get(&cli, follower->path, &body, &incident);
	follower->cli->misconfigured = cli.misconfigured;
	if (!ok)
		return false;
	bool as_json = (cli.given & CLI_JSON) != 0;
	if (!as_json)
		show_news(follower, &cli, incident);
	judge(follower, &cli, incident);
	if (as_json && follower->over)
		control_print(&cli, body);
	return true;
}

int follow(struct cli *cli, int64_t incident_id, int64_t limit_ms)
{
	struct clock *clock = clock_new_real();
	struct follower follower = {.cli = cli, .clock = clock};
	follower.path = arena_printf(cli->arena, "/api/v1/incidents/%lld", (long long)incident_id);
	follower.end_at = clock_mono_ms(clock) + limit_ms;
	bool ok = look(&follower);
	while (ok && !follower.over && clock_mono_ms(clock) < follower.end_at) {
		clock_wait(clock, LOOK_EVERY_MS, -1);
		ok = look(&follower);
	}
	clock_free(clock);
	if (ok && !follower.over)
		return cli_fail(cli, CLI_FAILED,
			"it is not over yet, and goes on without this command: homeostat incidents %lld",
			(long long)incident_id);
	return ok && follower.good ? CLI_DONE : CLI_FAILED;
}
