/*
 * What looks like a secret by its shape, for redact.c only: one text is scanned from front to back
 * by one struct. Every answer costs a bounded look around, or a run that is walked once and
 * remembered, so that a hostile text costs no more than its length.
 */
#ifndef BASE_REDACT_PATTERN_H
#define BASE_REDACT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	size_t start, end;
};

enum { RUN_WORD, RUN_DOTTED, RUN_VALUE, RUNS };

struct scan {
	const char *text;
	size_t length;
	struct span runs[RUNS]; /* the last run walked, of each class */
	size_t key_end;         /* where the last private key found ends */
};

/* Whether a pattern can be told from this byte. */
bool pattern_begins(unsigned char c);
/* Whether text[at] tells of a secret, which may lie somewhat later. */
bool pattern_at(struct scan *scan, size_t at, struct span *secret);

#endif
