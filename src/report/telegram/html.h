/*
 * Text for Telegram, in the HTML of its Bot API: what comes from outside is cleaned, redacted and
 * escaped as it is put in; a message that is too long is cut into parts that Telegram takes. Pure;
 * everything lives in the arena that was given.
 * Source: Bot API, formatting options; its server counts characters after the entities, and UTF-16
 * units are the stricter count.
 */
#ifndef REPORT_TELEGRAM_HTML_H
#define REPORT_TELEGRAM_HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

#define HTML_UNITS_MAX 4096   /* visible UTF-16 units of a message */
#define HTML_BYTES_MAX 32768  /* of the text with its tags */

/* Tags in use: b i u s code pre blockquote, without attributes. */
struct html {
	struct str out;
	struct arena *arena;
};

void html_init(struct html *html, struct arena *arena);

/* The format is our own HTML. %s is text from outside, on one line: what is no UTF-8 is replaced,
 * what steers (control characters, direction of writing) becomes a space, secrets are taken out,
 * and the text is cut at 480 characters, at N with %.Ns; NULL is "". It can neither be a tag nor,
 * outside of code and pre, a command or a mention that a reader could tap. Besides: %d, %lld, %.1f
 * and %%. */
void html_addf(struct html *html, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* As %s, but line ends are kept; at most limit characters. */
void html_lines(struct html *html, const char *text, int limit);

/* One line for a button: cleaned, redacted, cut at limit characters; no HTML. */
void html_label(char *field, size_t size, const char *text, int limit);

/* Visible UTF-16 units. */
size_t html_units(const char *text);

/* The text as a reader sees it, without markup: what is sent when "can't parse entities" comes. */
const char *html_plain(const char *text, struct arena *arena);

/* Cuts a message into parts of at most HTML_UNITS_MAX units and HTML_BYTES_MAX bytes: at a line's
 * end where there is one, else at a space, never inside a tag, an entity or a character. Tags that
 * are open at a cut are closed and opened again. The parts' visible texts, put together, are the
 * whole's, but for parts that would be blank, which Telegram refuses. Any text gives parts that
 * parse: a tag that is not ours is shown, one that does not match is dropped. False: the arena is
 * too small, and parts are missing. */
struct html_parts {
	const char **part;
	int count;
};
bool html_split(const char *text, struct arena *arena, struct html_parts *parts);

#endif
