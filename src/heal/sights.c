/*
 * What sources report: each sight is weighed against the life of its component, if it has one. The
 * same sight twice changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "detect/detect.h"
#include "heal/internal.h"

#define CURSOR_EVERY_MS 60000
#define OTHERS_ANSWER_MS 60000
#define LOOK_ROUND_MS 5000

int source_find(struct heal *heal, const char *name)
{
	for (int i = 0; i < heal->source_count; i++)
		if (strcmp(heal->sources[i].status.name, name) == 0)
			return i;
	return -1;
}

/* Not yet believed is not yet a cause; nor is what is only an order. */
static bool is_cause(const struct life *life)
{
	return life != NULL && life->row.state != LIFE_SUSPECTED && life->row.finding != FINDING_NONE;
}

/* Whether one waits, over others, for the other: a circle must not wait for ever. */
static bool waits_for(struct heal *heal, const struct life *one, const struct life *other)
{
	for (int steps = 0; one != NULL && steps < heal->life_count; steps++) {
		if (one == other)
			return true;
		one = one->row.parent_id != 0 ? life_by_id(heal, one->row.parent_id) : NULL;
	}
	return false;
}

/* Of the containers that the label homeostat.depends_on names, one that has failed itself. */
static struct life *failed_dependency(
	struct heal *heal, const struct life *life, const char *suffix)
{
	char names[sizeof(life->row.component.depends_on)], *save = NULL;
	STR_SET(names, life->row.component.depends_on);
	for (char *name = strtok_r(names, ", ", &save); name != NULL;
		 name = strtok_r(NULL, ", ", &save)) {
		char component[NAME_MAX_BYTES];
		STR_FORMAT(component, "docker_container_%s%s", name, suffix);
		struct life *parent = life_find(heal, component, ASPECT_STATE);
		/* What a person has said no to may stay as it is; its dependents are not held for it. */
		if (is_cause(parent) && parent->row.state != LIFE_REJECTED &&
			!waits_for(heal, parent, life))
			return parent;
	}
	return NULL;
}

const char *home_of(struct heal *heal, const char *parent, const char *name, int source)
{
	if (source < 0)
		return parent;
	const struct component *root = &heal->sources[source].root;
	if (strcmp(root->name, name) == 0)
		return root->parent;
	return parent[0] != '\0' ? parent : root->name;
}

/* The life that says that a component itself has failed, or, for a cluster, that it must not act.
 */
static struct life *failure_of(struct heal *heal, const char *name)
{
	struct life *life = life_find(heal, name, ASPECT_STATE);
	if (is_cause(life))
		return life;
	life = life_find(heal, name, ASPECT_QUORUM);
	return is_cause(life) ? life : NULL;
}

/* The nearest of what it lives in of which `found` finds a life: container, daemon, guest, node,
 * cluster. */
static struct life *ancestor(struct heal *heal, const struct life *life,
	struct life *(*found)(struct heal *heal, const char *name))
{
	const struct component *component = &life->row.component;
	int source = source_find(heal, component->source);
	const char *name = home_of(heal, component->parent, component->name, source);
	for (int depth = 0; depth < ANCESTORS_MAX && name[0] != '\0'; depth++) {
		struct life *parent = found(heal, name);
		if (parent != NULL && parent != life)
			return parent;
		const struct member *member = member_find(heal, name);
		if (member == NULL)
			return NULL;
		name = home_of(heal, member->parent, member->name, member->source);
	}
	return NULL;
}

static struct life *suspicion_of(struct heal *heal, const char *name)
{
	struct life *life = life_find(heal, name, ASPECT_STATE);
	return life != NULL && life->row.state == LIFE_SUSPECTED ? life : NULL;
}

struct life *parent_of(struct heal *heal, const struct life *life)
{
	int source = source_find(heal, life->row.component.source);
	if (source < 0)
		return NULL;
	/* What is measured of a component that has failed as a whole is its failure's. */
	struct life *whole = life->row.aspect != ASPECT_STATE
		? life_find(heal, life->row.component.name, ASPECT_STATE)
		: NULL;
	if (is_cause(whole) && life->row.aspect != ASPECT_QUORUM)
		return whole;
	struct life *parent = ancestor(heal, life, failure_of);
	if (parent != NULL || life->row.component.kind != COMPONENT_CONTAINER)
		return parent;
	return failed_dependency(heal, life, heal->sources[source].suffix);
}

static void note_finding(struct life *life, const struct finding *finding)
{
	life_touch(life);
	life->row.finding = finding->kind;
	life->row.severity = finding->severity;
	STR_SET(life->row.issue, finding->issue);
	STR_SET(life->row.metrics, finding->metrics);
}

/* When nothing at all answers, it is homeostat's own network that has failed, most likely: then
 * that is the finding, once, and that each source is silent is not believed yet. */
static void note_cut_off(struct heal *heal)
{
	bool any = heal->source_count < 2;
	for (int i = 0; i < heal->source_count && !any; i++)
		any = heal->sources[i].status.reached || heal->sources[i].status.last_look_at == 0;
	if (any != heal->cut_off)
		return;
	heal->cut_off = !any;
	if (any) {
		tell(heal, NOTICE_TROUBLE, NULL, true, "something answers again: healing goes on");
		wake_held(heal, HOLD_CUT_OFF, heal->life_count, -1);
	} else {
		tell(heal, NOTICE_TROUBLE, NULL, false,
			"none of the %d sources answers: this machine seems to be cut off from the network; "
			"nothing is healed until one does",
			heal->source_count);
	}
}

/* That a source is silent proves nothing before another one has answered since, or has had the time
 * to. */
static bool may_be_us(const struct heal *heal, const struct life *life)
{
	bool is_root = false, answered = heal->source_count < 2;
	for (int i = 0; i < heal->source_count; i++) {
		const struct source_state *source = &heal->sources[i];
		is_root = is_root || strcmp(source->root.name, life->row.component.name) == 0;
		answered = answered ||
			(source->status.reached && source->status.last_look_at >= life->row.opened_at);
	}
	if (!is_root || life->row.aspect != ASPECT_STATE || answered)
		return false;
	return heal->cut_off || now_ms(heal) - life->row.opened_at < OTHERS_ANSWER_MS;
}

/* An engine falls silent at once when its guest stops, or the guest's node; the cluster tells of
 * that later. */
static bool may_be_its_home(struct heal *heal, const struct life *life)
{
	int source = source_find(heal, life->row.component.source);
	bool is_at_home = source >= 0 && heal->sources[source].home[0] != '\0' &&
		strcmp(heal->sources[source].root.name, life->row.component.name) == 0;
	if (!is_at_home || life->row.aspect != ASPECT_STATE || parent_of(heal, life) != NULL)
		return false;
	return now_ms(heal) - life->row.opened_at < HOME_TELLS_MS ||
		now_ms(heal) < life->mind.home_until || ancestor(heal, life, suspicion_of) != NULL;
}

/* What lives in a guest that is off on purpose is so too; NULL: it is not. */
static const struct member *home_that_is_off(struct heal *heal, int source)
{
	const char *name = heal->sources[source].home;
	const struct member *home = name[0] != '\0' ? member_home(heal, name) : NULL;
	bool is_off = home != NULL && (home->state == OBS_EXITED || home->state == OBS_PAUSED) &&
		!finding_is_trouble(home->finding);
	return is_off ? home : NULL;
}

void confirm(struct heal *heal, struct life *life)
{
	int source = source_find(heal, life->row.component.source);
	const struct member *off = source >= 0 && !heal->sources[source].status.reached
		? home_that_is_off(heal, source)
		: NULL;
	if (off != NULL) {
		life_reason(life, "its guest %s is off on purpose", off->name);
		life_raise(heal, life, EVENT_CLEARED);
		return;
	}
	if (may_be_us(heal, life) || may_be_its_home(heal, life)) {
		life_touch(life);
		life->row.wake_at = now_ms(heal) + LOOK_ROUND_MS;
		return;
	}
	bool is_led = parent_of(heal, life) != NULL;
	life_raise(heal, life, is_led ? EVENT_PARENT_FAILED : EVENT_CONFIRMED);
}

static void open_life(
	struct heal *heal, const struct observation *seen, const struct finding *finding)
{
	struct life *life = life_open(heal, &seen->component, seen->aspect);
	note_finding(life, finding);
	life->mind.sighted = true;
	bool knows_when = seen->state == OBS_EXITED && seen->since_ms != 0;
	life->row.failed_at = knows_when ? seen->since_ms : now_ms(heal);
	if (finding->confirm_ms > 0)
		life->row.wake_at = now_ms(heal) + finding->confirm_ms;
	life_raise(heal, life, EVENT_SUSPECT);
	if (finding->confirm_ms == 0)
		confirm(heal, life);
	lives_run(heal);
}

static void clear_life(struct heal *heal, struct life *life, const char *why)
{
	life_reason(life, "%s", why);
	life_raise(heal, life, EVENT_CLEARED);
	lives_run(heal);
}

/* While an action is verified, only later sights count, and only bad news: that all is well is for
 * the looks to say. */
static void weigh_while_verifying(struct heal *heal, struct life *life,
	const struct observation *seen, const struct finding *finding)
{
	if (seen->seen_mono_ms < life->mind.acted_mono_ms || life->row.finding == FINDING_NONE)
		return;
	if (now_ms(heal) < life->mind.quiet_until) {
		/* A stop now may be our own action's or a person's: if it stays down, a person is asked. */
		life_touch(life);
		life->mind.in_doubt = finding->kind == FINDING_FINE;
		return;
	}
	if (finding->kind == FINDING_FINE) {
		clear_life(heal, life, finding->why);
	} else if (finding_is_failure(finding->kind) && finding->kind != FINDING_UNHEALTHY) {
		struct err err = {0};
		note_finding(life, finding);
		if (seen->state == OBS_EXITED && seen->since_ms != 0)
			life->row.failed_at =
				seen->since_ms; /* this exit was seen: that must not be forgotten */
		life_reason(life, "it %s again: %s",
			finding->kind == FINDING_STOPPED ? "stopped" : "exited", seen->status);
		if (must_store(heal))
			stored(heal,
				store_action_end(heal->store,
					(struct action_end){life->row.id, life->row.attempt, "not_healed",
						life->row.reason, now_ms(heal)},
					&err),
				&err);
		life_raise(heal, life, EVENT_UNHEALTHY);
		lives_run(heal);
	}
}

static void weigh_trouble(struct heal *heal, struct life *life, const struct observation *seen,
	const struct finding *finding)
{
	/* A cause that was seen before is not unseen because the engine has forgotten it; but another
	 * exit has a cause of its own. */
	bool is_same = seen->state == OBS_EXITED && seen->since_ms == life->row.failed_at;
	if (finding->kind != FINDING_EXITED_UNSEEN || life->row.finding != FINDING_EXITED || !is_same)
		note_finding(life, finding);
	if (seen->state == OBS_EXITED && seen->since_ms != 0)
		life->row.failed_at = seen->since_ms;
	if (life->row.state != LIFE_SUSPECTED)
		return;
	if (parent_of(heal, life) != NULL || now_ms(heal) - life->row.opened_at >= finding->confirm_ms)
		confirm(heal, life);
	lives_run(heal);
}

static bool is_proposed(const struct life *life)
{
	enum life_state state = life->row.state;
	return is_proposal(life) && (state == LIFE_ASKING || state == LIFE_POSTPONED);
}

static void weigh(struct heal *heal, const struct observation *seen, const struct finding *finding)
{
	struct life *life = life_find(heal, seen->component.name, seen->aspect);
	if (life != NULL)
		life->mind.sighted = true;
	if (life != NULL && life->row.component.native[0] != '\0' &&
		strcmp(life->row.component.native, seen->component.native) != 0 &&
		life->row.state != LIFE_ACTING) {
		clear_life(heal, life, "it was replaced by a new one of the same name");
		life = NULL;
	}
	if (life == NULL) {
		if (finding_is_trouble(finding->kind))
			open_life(heal, seen, finding);
	} else if (life->row.state == LIFE_ACTING || life->row.state == LIFE_ROLLING_BACK ||
		(is_proposed(life) && life->row.state != LIFE_VERIFYING)) {
		/* What it looks like in the middle of our own action proves nothing; and it was well when
		 * something was proposed for it. */
	} else if (life->row.state == LIFE_VERIFYING) {
		weigh_while_verifying(heal, life, seen, finding);
	} else if (finding->kind == FINDING_NONE || finding->kind == FINDING_FINE) {
		clear_life(heal, life, finding->kind == FINDING_FINE ? finding->why : WELL_AGAIN);
	} else if (finding_is_trouble(finding->kind)) {
		weigh_trouble(heal, life, seen, finding);
	} else if (life->row.state == LIFE_SUSPECTED && seen->state == OBS_EXITED &&
		finding_is_trouble(life->row.finding)) {
		/* It was not recent any more when its engine came back; it is still the same failure. */
		confirm(heal, life);
		lives_run(heal);
	}
}

/* What is off on purpose answers no probe. */
static void excuse(struct heal *heal, const struct observation *seen, struct finding *finding)
{
	const struct member *looked_at = seen->component.kind == COMPONENT_PROBE
		? member_find(heal, seen->component.parent)
		: NULL;
	if (looked_at == NULL || looked_at->finding != FINDING_FINE ||
		!finding_is_failure(finding->kind))
		return;
	*finding = (struct finding){.kind = FINDING_FINE};
	STR_SET(finding->why, "what it looks at is off on purpose");
}

static void take_sight(struct heal *heal, const struct observation *seen, int source)
{
	struct finding finding;
	const struct life *life = life_find(heal, seen->component.name, seen->aspect);
	bool believed = life != NULL && life->row.state != LIFE_SUSPECTED;
	detect(seen, heal->config, believed ? life->row.finding : FINDING_NONE,
		clock_wall_ms(heal->clock), &finding);
	excuse(heal, seen, &finding);
	if (seen->aspect == ASPECT_STATE) {
		struct member *member = member_note(heal, seen, source);
		if (member != NULL)
			member->finding = finding.kind;
	}
	heal->sight = seen;
	weigh(heal, seen, &finding);
	heal->sight = NULL;
}

static void take_home(struct heal *heal, int index, struct observation *seen)
{
	struct source_state *source = &heal->sources[index];
	const struct member *home = source->home[0] != '\0' ? member_home(heal, source->home) : NULL;
	STR_SET(source->root.parent, home != NULL ? home->name : "");
	STR_SET(seen->component.parent, source->root.parent);
	const struct member *off = home_that_is_off(heal, index);
	if (seen->state != OBS_UNREACHABLE || off == NULL)
		return;
	seen->state = OBS_EXITED;
	seen->cause = STOP_PERSON;
	STR_FORMAT(seen->detail, "its guest %s is off on purpose", off->name);
}

static void take_root(struct heal *heal, int source, const struct report *report)
{
	struct observation seen = observation_of(&heal->sources[source].root, ASPECT_STATE);
	if (seen.component.name[0] == '\0')
		return;
	seen.state = report->reached ? OBS_RUNNING : OBS_UNREACHABLE;
	seen.trouble = report->trouble;
	seen.seen_mono_ms = report->seen_mono_ms;
	seen.since_ms = heal->sources[source].status.changed_at;
	STR_SET(seen.detail, report->text);
	take_home(heal, source, &seen);
	take_sight(heal, &seen, source);
}

static void note_reached(
	struct heal *heal, struct source_state *source, const struct report *report)
{
	bool changed = report->reached != source->status.reached || source->status.last_look_at == 0;
	source->status.last_look_at = now_ms(heal);
	source->status.took_ms = report->took_ms;
	bool news = strcmp(source->status.text, report->text) != 0;
	if (changed)
		source->status.changed_at = now_ms(heal);
	if (changed || (!report->reached && news))
		tell(heal, report->reached ? NOTICE_SOURCE_UP : NOTICE_SOURCE_DOWN, NULL, report->reached,
			"%s%s%s", report->source, report->text[0] != '\0' ? ": " : "", report->text);
	source->status.reached = report->reached;
	STR_SET(source->status.text, report->text);
	note_cut_off(heal);
}

/* Whether a whole report that did not mention a life's trouble says that it is over. Of what could
 * not be seen it says nothing. */
static const char *over_since(struct heal *heal, const struct life *life)
{
	const struct member *member = member_find(heal, life->row.component.name);
	if (member == NULL || !member->seen)
		return "removed";
	if (life->row.aspect == ASPECT_STATE || life->mind.sighted || member->finding == FINDING_UNSURE)
		return NULL;
	return WELL_AGAIN;
}

/* The source lists everything: what it no longer lists is gone. */
static void take_whole(struct heal *heal, int source)
{
	const struct source_state *state = &heal->sources[source];
	int count = heal->life_count;
	for (int i = 0; i < count; i++) {
		struct life *life = heal->lives[i];
		bool is_own_root = strcmp(life->row.component.name, state->root.name) == 0 &&
			life->row.aspect == ASPECT_STATE;
		if (strcmp(life->row.component.source, state->status.name) != 0 || is_own_root ||
			!life_is_open(life->row.state) || life->row.state == LIFE_ACTING)
			continue;
		const char *why = over_since(heal, life);
		if (why != NULL)
			clear_life(heal, life, why);
	}
	members_drop_unseen(heal, source);
	for (int i = 0; i < count; i++) {
		struct life *life = heal->lives[i];
		if (life->mind.resumed && strcmp(life->row.component.source, state->status.name) == 0) {
			life_touch(life);
			life->mind.resumed = false;
			life_raise(heal, life, EVENT_RESUMED);
		}
	}
}

/* The cursor is stored along with what it brought, else once a minute: an idle source writes
 * nothing. */
static void keep_cursor(struct heal *heal, struct source_state *source)
{
	if (strcmp(source->cursor, source->stored_cursor) == 0)
		return;
	if (!heal->in_transaction && now_ms(heal) - source->cursor_stored_at < CURSOR_EVERY_MS)
		return;
	char key[80];
	struct err err = {0};
	STR_FORMAT(key, "cursor:%s", source->status.name);
	if (must_store(heal))
		stored(heal, store_fact_set(heal->store, key, source->cursor, &err), &err);
	STR_SET(source->stored_cursor, source->cursor);
	source->cursor_stored_at = now_ms(heal);
}

static void forget_sights(struct heal *heal, int source)
{
	for (int i = 0; i < heal->member_count; i++)
		if (heal->members[i].source == source)
			heal->members[i].seen = false;
	for (int i = 0; i < heal->life_count; i++)
		heal->lives[i]->mind.sighted = false;
}

void take_report(struct heal *heal, void *body)
{
	const struct report *report = body;
	int source = source_find(heal, report->source);
	if (source < 0)
		return;
	struct source_state *state = &heal->sources[source];
	note_reached(heal, state, report);
	if (report->complete)
		forget_sights(heal, source);
	take_root(heal, source, report);
	for (int i = 0; i < report->count && !heal->failed; i++)
		take_sight(heal, &report->observations[i], source);
	if (report->complete && !heal->failed)
		take_whole(heal, source);
	if (report->cursor[0] != '\0')
		STR_SET(state->cursor, report->cursor);
	keep_cursor(heal, state);
	state->status.components = 0;
	for (int i = 0; i < heal->member_count; i++)
		if (heal->members[i].source == source)
			state->status.components++;
}
