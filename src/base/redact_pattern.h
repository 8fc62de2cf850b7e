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

/* Whether a pattern can be told from a byte: 0 no, 1 yes, 2 where a word begins. */
extern const unsigned char pattern_begins[256];
/* Whether text[at] tells of a secret, which may lie somewhat later. */
bool pattern_at(struct scan *scan, size_t at, struct span *secret);

/* redact_extra.c: what the configuration adds. */
bool extra_wanted(void);
bool extra_at(struct scan *scan, size_t at, struct span *secret);
void extra_reset(void);
void names_reset(void);

/* redact_token.c: one of the known formats. */
bool token_at(struct scan *scan, size_t at, struct span *secret);

/* Where the run of a class that begins at at ends; at when there is none. */
size_t run_end(struct scan *scan, int run, size_t at);

static inline bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		c == '-';
}

static inline bool has(const struct scan *scan, size_t at, const char *text)
{
	size_t left = scan->length - at, i = 0;
	while (text[i] != '\0' && i < left && scan->text[at + i] == text[i])
		i++;
	return text[i] == '\0';
}

static inline bool found(struct span *secret, size_t start, size_t end)
{
	*secret = (struct span){start, end};
	return end > start;
}

#endif
