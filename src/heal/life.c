#include "heal/life.h"

#include <stddef.h>

/* One decision acts at most once: ACTING is entered by ALLOWED alone, and what is found ACTING after
 * a crash is looked at, never done again. REJECTED and ESCALATED wait for their component to clear,
 * or for a person's order. */
static const struct life_rule rules[] = {
	/* in state          on event             do            then */
	{LIFE_NONE,         EVENT_SUSPECT,       DO_WAIT,      LIFE_SUSPECTED},
	{LIFE_NONE,         EVENT_ORDERED,       DO_DECIDE,    LIFE_DECIDING},

	{LIFE_SUSPECTED,    EVENT_CONFIRMED,     DO_DIAGNOSE,  LIFE_DIAGNOSING},
	{LIFE_SUSPECTED,    EVENT_CLEARED,       DO_END,       LIFE_CLEARED},
	{LIFE_SUSPECTED,    EVENT_PARENT_FAILED, DO_SUPPRESS,  LIFE_SUPPRESSED},
	{LIFE_SUSPECTED,    EVENT_RESUMED,       DO_WAIT,      LIFE_SUSPECTED},

	{LIFE_DIAGNOSING,   EVENT_DIAGNOSED,     DO_DECIDE,    LIFE_DECIDING},
	{LIFE_DIAGNOSING,   EVENT_FAILED,        DO_DECIDE,    LIFE_DECIDING},
	{LIFE_DIAGNOSING,   EVENT_TIMEOUT,       DO_DECIDE,    LIFE_DECIDING},
	{LIFE_DIAGNOSING,   EVENT_CLEARED,       DO_END,       LIFE_CLEARED},
	{LIFE_DIAGNOSING,   EVENT_PARENT_FAILED, DO_SUPPRESS,  LIFE_SUPPRESSED},
	{LIFE_DIAGNOSING,   EVENT_RESUMED,       DO_DIAGNOSE,  LIFE_DIAGNOSING},

	{LIFE_DECIDING,     EVENT_ALLOWED,       DO_ACT,       LIFE_ACTING},
	{LIFE_DECIDING,     EVENT_NEEDS_HUMAN,   DO_ASK,       LIFE_ASKING},
	{LIFE_DECIDING,     EVENT_FORBIDDEN,     DO_ESCALATE,  LIFE_ESCALATED},
	{LIFE_DECIDING,     EVENT_POSTPONE,      DO_POSTPONE,  LIFE_POSTPONED},
	{LIFE_DECIDING,     EVENT_PARENT_FAILED, DO_SUPPRESS,  LIFE_SUPPRESSED},
	{LIFE_DECIDING,     EVENT_CLEARED,       DO_END,       LIFE_CLEARED},
	{LIFE_DECIDING,     EVENT_RESUMED,       DO_DECIDE,    LIFE_DECIDING},

	{LIFE_ASKING,       EVENT_APPROVED,      DO_DECIDE,    LIFE_DECIDING},
	{LIFE_ASKING,       EVENT_REFUSED,       DO_END,       LIFE_REJECTED},
	{LIFE_ASKING,       EVENT_EXPIRED,       DO_ESCALATE,  LIFE_ESCALATED},
	{LIFE_ASKING,       EVENT_CLEARED,       DO_END,       LIFE_CLEARED},
	{LIFE_ASKING,       EVENT_PARENT_FAILED, DO_SUPPRESS,  LIFE_SUPPRESSED},
	{LIFE_ASKING,       EVENT_ORDERED,       DO_DECIDE,    LIFE_DECIDING},

	{LIFE_POSTPONED,    EVENT_WAKE,          DO_DECIDE,    LIFE_DECIDING},
	{LIFE_POSTPONED,    EVENT_RESUMED,       DO_DECIDE,    LIFE_DECIDING},
	{LIFE_POSTPONED,    EVENT_CLEARED,       DO_END,       LIFE_CLEARED},
	{LIFE_POSTPONED,    EVENT_PARENT_FAILED, DO_SUPPRESS,  LIFE_SUPPRESSED},
	{LIFE_POSTPONED,    EVENT_ORDERED,       DO_DECIDE,    LIFE_DECIDING},

	{LIFE_SUPPRESSED,   EVENT_PARENT_HEALED, DO_WAIT,      LIFE_SUSPECTED},
	{LIFE_SUPPRESSED,   EVENT_CLEARED,       DO_END,       LIFE_CLEARED},

	{LIFE_ACTING,       EVENT_DONE,          DO_LOOK,      LIFE_VERIFYING},
	{LIFE_ACTING,       EVENT_TIMEOUT,       DO_LOOK,      LIFE_VERIFYING},
	{LIFE_ACTING,       EVENT_RESUMED,       DO_LOOK,      LIFE_VERIFYING},
	{LIFE_ACTING,       EVENT_FAILED,        DO_DECIDE,    LIFE_DECIDING},
	{LIFE_ACTING,       EVENT_CLEARED,       DO_END,       LIFE_CLEARED},

	{LIFE_VERIFYING,    EVENT_HEALTHY,       DO_END,       LIFE_RESOLVED},
	{LIFE_VERIFYING,    EVENT_WAKE,          DO_LOOK,      LIFE_VERIFYING},
	{LIFE_VERIFYING,    EVENT_RESUMED,       DO_LOOK,      LIFE_VERIFYING},
	{LIFE_VERIFYING,    EVENT_UNHEALTHY,     DO_DECIDE,    LIFE_DECIDING},
	{LIFE_VERIFYING,    EVENT_TIMEOUT,       DO_DECIDE,    LIFE_DECIDING},
	{LIFE_VERIFYING,    EVENT_FAILED,        DO_UNDO,      LIFE_ROLLING_BACK},
	{LIFE_VERIFYING,    EVENT_CLEARED,       DO_END,       LIFE_CLEARED},

	{LIFE_ROLLING_BACK, EVENT_DONE,          DO_DECIDE,    LIFE_DECIDING},
	{LIFE_ROLLING_BACK, EVENT_FAILED,        DO_ESCALATE,  LIFE_ESCALATED},
	{LIFE_ROLLING_BACK, EVENT_TIMEOUT,       DO_ESCALATE,  LIFE_ESCALATED},
	{LIFE_ROLLING_BACK, EVENT_RESUMED,       DO_ESCALATE,  LIFE_ESCALATED},

	{LIFE_REJECTED,     EVENT_ORDERED,       DO_DECIDE,    LIFE_DECIDING},
	{LIFE_REJECTED,     EVENT_CLEARED,       DO_END,       LIFE_CLEARED},
	{LIFE_ESCALATED,    EVENT_ORDERED,       DO_DECIDE,    LIFE_DECIDING},
	{LIFE_ESCALATED,    EVENT_CLEARED,       DO_END,       LIFE_CLEARED},
};

#define RULES ((int)(sizeof(rules) / sizeof(rules[0])))

const struct life_rule *life_rule(enum life_state state, enum life_event event)
{
	for (int i = 0; i < RULES; i++)
		if (rules[i].state == state && rules[i].event == event)
			return &rules[i];
	return NULL;
}

const struct life_rule *life_rules(int *count)
{
	*count = RULES;
	return rules;
}

const char *life_do_name(enum life_do act)
{
	static const char *const names[] = {
		"nothing", "wait", "diagnose", "decide", "ask", "postpone", "suppress", "act", "look",
		"undo", "end", "escalate",
	};
	return names[act];
}

void life_dot(struct str *out)
{
	str_add(out, "digraph life {\n\trankdir=LR;\n\tnode [shape=box, style=rounded];\n");
	str_add(out, "\tNONE [shape=point];\n\tRESOLVED [shape=doublecircle];\n"
		     "\tCLEARED [shape=doublecircle];\n\tACTING [color=red];\n");
	for (int i = 0; i < RULES; i++)
		str_addf(out, "\t%s -> %s [label=\"%s / %s\"];\n", life_state_name(rules[i].state),
			life_state_name(rules[i].next), life_event_name(rules[i].event),
			life_do_name(rules[i].act));
	str_add(out, "}\n");
}
