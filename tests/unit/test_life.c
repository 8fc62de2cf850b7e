/* The table of lives: every sequence of events up to length 6, and what must hold of its shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "heal/life.h"

#define LENGTH 6

static const struct life_rule *table[LIFE_STATES][LIFE_EVENTS];

static int fill_table(void **state)
{
	(void)state;
	for (int s = 0; s < LIFE_STATES; s++)
		for (int e = 0; e < LIFE_EVENTS; e++)
			table[s][e] = life_rule((enum life_state)s, (enum life_event)e);
	return 0;
}

/* What a walk has done so far. */
struct walk {
	enum life_state state;
	int allowed, acts;   /* ALLOWED events that had a rule, and actions */
	bool decided;        /* a decision was made since the last action */
	bool resumed_acting; /* found ACTING after a crash, and not decided since */
};

static long walked;

static void walk(struct walk w, int left)
{
	walked++;
	if (left == 0)
		return;
	for (int e = 0; e < LIFE_EVENTS; e++) {
		const struct life_rule *rule = table[w.state][e];
		struct walk next = w;
		if (rule != NULL) {
			next.state = rule->next;
			next.allowed += e == EVENT_ALLOWED;
			next.acts += rule->act == DO_ACT;
			if (rule->act == DO_DECIDE) {
				next.decided = true;
				next.resumed_acting = false;
			}
			if (w.state == LIFE_ACTING && e == EVENT_RESUMED)
				next.resumed_acting = true;
			if (rule->act == DO_ACT &&
				(e != EVENT_ALLOWED || !w.decided || w.resumed_acting || next.acts > next.allowed))
				fail_msg("acted unasked: %s on %s", life_state_name(w.state),
					life_event_name((enum life_event)e));
			if (rule->act == DO_ACT)
				next.decided = false;
		}
		walk(next, left - 1);
	}
}

static void every_sequence_acts_only_when_allowed_and_once_per_decision(void **state)
{
	(void)state;
	walked = 0;
	walk((struct walk){.state = LIFE_NONE}, LENGTH);
	long expected = 0, power = 1;
	for (int i = 0; i <= LENGTH; i++, power *= LIFE_EVENTS)
		expected += power;
	assert_int_equal(walked, expected);
}

/* From every state, not only from the beginning: what a crash may leave behind. */
static void the_same_holds_from_every_state(void **state)
{
	(void)state;
	for (int s = 0; s < LIFE_STATES; s++)
		walk((struct walk){.state = (enum life_state)s, .decided = s == LIFE_DECIDING}, 4);
}

static void a_rule_stands_once(void **state)
{
	(void)state;
	int count;
	const struct life_rule *rules = life_rules(&count);
	for (int i = 0; i < count; i++)
		for (int j = 0; j < i; j++)
			assert_false(rules[i].state == rules[j].state && rules[i].event == rules[j].event);
}

static void acting_is_entered_by_allowed_alone(void **state)
{
	(void)state;
	int count, entries = 0;
	const struct life_rule *rules = life_rules(&count);
	for (int i = 0; i < count; i++) {
		bool acts = rules[i].act == DO_ACT;
		assert_int_equal(acts, rules[i].next == LIFE_ACTING);
		if (acts) {
			assert_int_equal(rules[i].state, LIFE_DECIDING);
			assert_int_equal(rules[i].event, EVENT_ALLOWED);
			entries++;
		}
	}
	assert_int_equal(entries, 1);
}

static void what_is_over_stays_over(void **state)
{
	(void)state;
	for (int e = 0; e < LIFE_EVENTS; e++) {
		assert_null(table[LIFE_RESOLVED][e]);
		assert_null(table[LIFE_CLEARED][e]);
	}
	assert_false(life_is_open(LIFE_RESOLVED));
	assert_false(life_is_open(LIFE_CLEARED));
}

/* Reachable from `from` by rules; fills seen. */
static void flood(enum life_state from, bool seen[LIFE_STATES])
{
	seen[from] = true;
	for (int e = 0; e < LIFE_EVENTS; e++)
		if (table[from][e] != NULL && !seen[table[from][e]->next])
			flood(table[from][e]->next, seen);
}

static void every_state_is_reached_and_every_open_one_can_end(void **state)
{
	(void)state;
	bool seen[LIFE_STATES] = {false};
	flood(LIFE_NONE, seen);
	for (int s = 0; s < LIFE_STATES; s++) {
		assert_true(seen[s]);
		bool from_here[LIFE_STATES] = {false};
		flood((enum life_state)s, from_here);
		assert_true(from_here[LIFE_CLEARED] || s == LIFE_RESOLVED);
	}
}

static void after_a_crash_nothing_is_done_before_it_is_looked_at(void **state)
{
	(void)state;
	assert_int_equal(table[LIFE_ACTING][EVENT_RESUMED]->act, DO_LOOK);
	assert_int_equal(table[LIFE_VERIFYING][EVENT_RESUMED]->act, DO_LOOK);
	for (int s = 0; s < LIFE_STATES; s++)
		if (table[s][EVENT_RESUMED] != NULL)
			assert_int_not_equal(table[s][EVENT_RESUMED]->act, DO_ACT);
}

static void late_answers_change_nothing(void **state)
{
	(void)state;
	static const enum life_event answers[] = {
		EVENT_APPROVED, EVENT_REFUSED, EVENT_EXPIRED, EVENT_DONE, EVENT_HEALTHY, EVENT_UNHEALTHY};
	static const enum life_state done[] = {LIFE_RESOLVED, LIFE_CLEARED, LIFE_REJECTED,
		LIFE_ESCALATED, LIFE_POSTPONED, LIFE_SUPPRESSED};
	for (size_t a = 0; a < sizeof(answers) / sizeof(answers[0]); a++)
		for (size_t s = 0; s < sizeof(done) / sizeof(done[0]); s++)
			assert_null(table[done[s]][answers[a]]);
}

static void names_can_be_read_back(void **state)
{
	(void)state;
	for (int s = 0; s < LIFE_STATES; s++) {
		enum life_state read;
		assert_true(life_state_parse(life_state_name((enum life_state)s), &read));
		assert_int_equal(read, s);
	}
	for (int e = 0; e < LIFE_EVENTS; e++)
		assert_true(strlen(life_event_name((enum life_event)e)) > 2);
}

static void the_picture_shows_every_rule(void **state)
{
	(void)state;
	struct arena *arena = arena_new(1 << 16);
	struct str out;
	str_init(&out, arena);
	life_dot(&out);
	int count, arrows = 0;
	life_rules(&count);
	for (const char *at = out.s; (at = strstr(at, " -> ")) != NULL; at++)
		arrows++;
	assert_int_equal(arrows, count);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sequence_acts_only_when_allowed_and_once_per_decision),
		cmocka_unit_test(the_same_holds_from_every_state),
		cmocka_unit_test(a_rule_stands_once),
		cmocka_unit_test(acting_is_entered_by_allowed_alone),
		cmocka_unit_test(what_is_over_stays_over),
		cmocka_unit_test(every_state_is_reached_and_every_open_one_can_end),
		cmocka_unit_test(after_a_crash_nothing_is_done_before_it_is_looked_at),
		cmocka_unit_test(late_answers_change_nothing),
		cmocka_unit_test(names_can_be_read_back),
		cmocka_unit_test(the_picture_shows_every_rule),
	};
	return cmocka_run_group_tests(tests, fill_table, NULL);
}
