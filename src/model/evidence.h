/*
 * Evidence: lines that a diagnosis rests on, each with where it was read. All of it is text of
 * others: redacted and cleaned before it gets here, bounded, and never more than data. Plain data.
 */
#ifndef MODEL_EVIDENCE_H
#define MODEL_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#define EVIDENCE_TEXT_BYTES 320
#define EVIDENCE_ROWS_MAX 64

enum evidence_kind {
	EVIDENCE_LOG,       /* a line that the component itself wrote */
	EVIDENCE_STATE,     /* how its own system describes it */
	EVIDENCE_EVENT,     /* what happened to it: tasks, starts, stops */
	EVIDENCE_NEIGHBOUR, /* what failed within the same minute */
	EVIDENCE_CHANGE,    /* what is not as it was: made anew, its host was booted */
	EVIDENCE_METRIC,
	EVIDENCE_PAST,      /* an earlier incident, and how it ended */
	EVIDENCE_GAP,       /* what could not be read, and why */
	EVIDENCE_KINDS,
};

struct evidence {
	enum evidence_kind kind;
	int64_t at;                     /* wall ms, 0: not known */
	char source[64];                /* "log of web", "docker inspect" */
	char text[EVIDENCE_TEXT_BYTES];
	bool proves;                    /* the diagnosis quotes it */
};

struct evidence_list {
	struct evidence rows[EVIDENCE_ROWS_MAX];
	int count;
};

const char *evidence_kind_name(enum evidence_kind kind); /* "log": stored; never renamed */

#endif
