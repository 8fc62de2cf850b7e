/*
 * The demo's closing table, read from the store: what happened, what was done, how long it took.
 */
#include <string.h>

#include "base/secret.h"
#include "base/str.h"
#include "cli/demo.h"
#include "cli/text.h"
#include "store/store.h"

/* What the store knows of one act's component since the act began. */
struct outcome {
	const char *component;
	int64_t since;
	struct incident incident; /* the newest that was over, else the newest; id 0: none */
	int actions;
};

/* Incidents come newest first; one component may have had several. */
static void take_incident(void *ctx, const struct incident *incident)
{
	struct outcome *outcome = ctx;
	if (strcmp(incident->component.name, outcome->component) == 0)
		outcome->incident = *incident;
}

static void take_action(void *ctx, const struct action_record *record)
{
	struct outcome *outcome = ctx;
	if (strcmp(record->component, outcome->component) == 0)
		outcome->actions++;
}

static void seconds(char field[32], int64_t from, int64_t to)
{
	if (from <= 0 || to < from)
		str_copy(field, 32, "–");
	else
		str_format(field, 32, "%.2f s", (double)(to - from) / 1000);
}

static bool is_as_hoped(const struct demo_act *act, const struct outcome *outcome)
{
	enum life_state state = outcome->incident.state;
	switch (act->end) {
	case DEMO_HEALED:
	case DEMO_APPROVED:
		return state == LIFE_RESOLVED;
	case DEMO_ESCALATED:
		return state == LIFE_ESCALATED;
	case DEMO_UNTOUCHED:
		return outcome->actions == 0;
	case DEMO_RETURNED:
		return state == LIFE_CLEARED && outcome->actions == 0;
	}
	return false;
}

static void describe_done(
	const struct demo_act *act, const struct outcome *outcome, char field[160])
{
	static const char *const hoped[] = {
		[DEMO_HEALED] = "restarted it",
		[DEMO_APPROVED] = "asked, then restarted it",
		[DEMO_ESCALATED] = "",
		[DEMO_UNTOUCHED] = "left it alone",
		[DEMO_RETURNED] = "told, touched nothing",
	};
	if (!is_as_hoped(act, outcome))
		str_format(field, 160, "%s after %d action%s",
			outcome->incident.id == 0 ? "not seen" : life_state_name(outcome->incident.state),
			outcome->actions, outcome->actions == 1 ? "" : "s");
	else if (act->done != NULL)
		str_copy(field, 160, act->done);
	else if (act->end == DEMO_ESCALATED)
		str_format(field, 160, "%d restarts, then told a person", outcome->actions);
	else
		str_copy(field, 160, hoped[act->end]);
}

static void add_row(
	struct cli *cli, struct table *table, const struct demo_act *act, const struct outcome *outcome)
{
	char done[160], seen[32], well[32];
	const struct incident *incident = &outcome->incident;
	bool hoped = is_as_hoped(act, outcome), untouched = act->end == DEMO_UNTOUCHED;
	describe_done(act, outcome, done);
	/* An unhealthy container's system knows only since when it has been running, and Proxmox VE
	 * does not say at all when a guest has stopped: of it, what is known is when it was seen. */
	int64_t failed_at = outcome->since + act->at_ms;
	if (str_starts(act->component, "docker_") && incident->failed_at > failed_at)
		failed_at = incident->failed_at;
	seconds(seen, failed_at, untouched ? 0 : incident->opened_at);
	seconds(well, failed_at,
		incident->state == LIFE_RESOLVED ? incident->healthy_since : incident->ended_at);
	table_add_in(table, hoped ? "✓" : "✗", cli_colour(cli, hoped ? CLI_GREEN : CLI_RED));
	table_add(table, act->name);
	table_add(table, act->what);
	table_add(table, done);
	table_add(table, seen);
	table_add(table, untouched || act->end == DEMO_ESCALATED ? "–" : well);
}

static bool look_up(struct store *store, struct outcome *outcome, struct err *err)
{
	return store_incidents(
			   store, (struct incident_query){INCIDENTS_ALL, 0, 0}, take_incident, outcome, err) &&
		store_actions(store, outcome->since, outcome->component, take_action, outcome, err);
}

static bool fill(struct cli *cli, struct store *store, struct table *table, int64_t started_at,
	int64_t ended_at, struct err *err)
{
	bool hoped = true;
	int later = 0;
	for (int i = 0; i < demo_act_count; i++) {
		const struct demo_act *act = &demo_acts[i];
		struct outcome outcome = {.component = act->component, .since = started_at};
		if (started_at + act->at_ms + act->takes_ms >= ended_at) {
			later++;
			continue;
		}
		if (!look_up(store, &outcome, err))
			return false;
		hoped = is_as_hoped(act, &outcome) && hoped;
		add_row(cli, table, act, &outcome);
	}
	table_print(table,
		(const char *const[]){
			" ", "WHO", "WHAT HAPPENED", "WHAT HOMEOSTAT DID", "SEEN AFTER", "WELL AFTER"},
		cli->colour, cli->out);
	if (later > 0)
		fprintf(
			cli->out, "%d more would have come, or come to an end: the demo ended early.\n", later);
	return hoped;
}

bool demo_report(struct cli *cli, const char *state, int64_t started_at, struct err *err)
{
	unsigned char key[32];
	int64_t entries = 0;
	struct clock *clock = clock_new_real();
	int64_t ended_at = clock_wall_ms(clock);
	clock_free(clock);
	struct store *store = NULL;
	if (!secret_derive(state, "audit", key, err) ||
		(store = store_open_reader(state, key, err)) == NULL)
		return false;
	fprintf(cli->out, "\n%sWhat was seen and done%s\n\n", cli_colour(cli, CLI_BOLD),
		cli_colour(cli, CLI_PLAIN));
	bool ok = fill(cli, store, table_new(cli->arena, 6), started_at, ended_at, err);
	bool holds = store_audit_verify(store, &entries, err);
	if (holds)
		fprintf(cli->out, "\nThe audit log has %lld entries; its chain of hashes holds.\n",
			(long long)entries);
	store_close(store);
	return ok && holds;
}
