/*
 * Whatever text comes from outside, what we send to Telegram parses, fits, and loses nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/redact.h"
#include "report/internal.h"
#include "report/telegram/html.h"
#include "telegram_strict.h"

#define HOSTILE_CASES 10000
#define CASES_A_SEED 50 /* where SEEDS says that few will do */
#define ARENA_BYTES ((size_t)64 << 20)
#define JOINER "\xE2\x81\xA0"

/* Without the characters that may be lost or added: blanks, and the joiner that unlinks. */
static char *essence(const char *text)
{
	static const char *const drop[] = {" ", "\n", "\t", "\r", JOINER, "\xE2\x80\x8B",
		"\xE2\x80\x8D", "\x01", "\x1B", "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xAE", "\xE2\x81\xA6"};
	char *out = calloc(1, strlen(text) + 1), *to = out;
	while (*text != '\0') {
		size_t skip = 0;
		for (size_t i = 0; skip == 0 && i < sizeof(drop) / sizeof(drop[0]); i++)
			if (strncmp(text, drop[i], strlen(drop[i])) == 0)
				skip = strlen(drop[i]);
		if (skip == 0)
			*to++ = *text++;
		else
			text += skip;
	}
	return out;
}

/* Splits, and holds each part against the strict parser; the parts' visible texts put together. */
static char *joined_parts(const char *html, struct arena *arena, uint32_t seed)
{
	struct html_parts parts;
	char *all = calloc(1, strlen(html) * 3 + 1);
	size_t length = 0;
	assert_true(html_split(html, arena, &parts));
	for (int i = 0; i < parts.count; i++) {
		struct strict strict = strict_parse(parts.part[i]);
		if (strict.wrong != NULL)
			fail_msg("seed %u, part %d: %s: %.200s", seed, i, strict.wrong, parts.part[i]);
		assert_in_range(strict.units, 1, HTML_UNITS_MAX);
		assert_in_range(strlen(parts.part[i]), 1, HTML_BYTES_MAX);
		assert_int_equal(html_units(parts.part[i]), strict.units);
		memcpy(all + length, strict.text, strict.length);
		length += strict.length;
		char *left = essence(strict.text);
		assert_true(left[0] != '\0' || strstr(strict.text, "\x7F") != NULL);
		free(left);
		free(strict.text);
	}
	return all;
}

static void assert_same_essence(const char *got, const char *want, uint32_t seed)
{
	char *a = essence(got), *b = essence(want);
	if (strcmp(a, b) != 0) {
		size_t i = 0;
		while (a[i] == b[i])
			i++;
		fail_msg("seed %u: differs at %zu: '%.40s' instead of '%.40s'", seed, i, a + i, b + i);
	}
	free(a);
	free(b);
}

static uint32_t cases(void)
{
	const char *seeds = getenv("SEEDS");
	return seeds != NULL ? (uint32_t)strtoul(seeds, NULL, 10) * CASES_A_SEED : HOSTILE_CASES;
}

static void hostile_text_in_a_message_parses_fits_and_is_whole(void **state)
{
	for (uint32_t seed = 1; seed <= cases(); seed++) {
		auto_arena arena = arena_new(ARENA_BYTES);
		char *text = strict_hostile(seed);
		size_t size = strlen(text) * 4 + 64;
		char *clean = malloc(size);
		struct html html;
		html_init(&html, arena);
		if (seed % 2 == 0) {
			html_addf(&html, "<b>%.100000s</b>", text);
		} else {
			html_addf(&html, "<pre>");
			html_lines(&html, text, 100000);
			html_addf(&html, "</pre>");
		}
		assert_false(html.out.full);
		words_clean(clean, size, text);
		char *got = joined_parts(html.out.s, arena, seed);
		assert_same_essence(got, clean, seed);
		free(got);
		free(clean);
		free(text);
	}
}

static void markup_that_does_not_match_still_gives_parts_that_parse(void **state)
{
	for (uint32_t seed = 1; seed <= cases(); seed++) {
		auto_arena arena = arena_new(ARENA_BYTES);
		char *text = strict_hostile(seed ^ 0x55555555);
		char *got = joined_parts(text, arena, seed);
		assert_same_essence(got, html_plain(text, arena), seed);
		free(got);
		free(text);
	}
}

static void a_cut_is_at_a_line_end_and_opens_again_what_was_open(void **state)
{
	auto_arena arena = arena_new(ARENA_BYTES);
	struct html html;
	struct html_parts parts;
	html_init(&html, arena);
	html_addf(&html, "<b>log</b>\n<pre>");
	for (int i = 0; i < 500; i++)
		html_addf(&html, "line %d &lt;tag&gt;\n", i);
	html_addf(&html, "</pre>end");
	assert_true(html_split(html.out.s, arena, &parts));
	assert_in_range(parts.count, 2, 3);
	for (int i = 0; i < parts.count; i++) {
		bool is_last = i == parts.count - 1;
		assert_true(str_starts(parts.part[i], i == 0 ? "<b>log</b>\n<pre>line 0 " : "<pre>line "));
		assert_true(str_ends(parts.part[i], is_last ? "</pre>end" : "&gt;\n</pre>"));
		/* Full, but for the line that did not fit. */
		assert_true(is_last || html_units(parts.part[i]) > HTML_UNITS_MAX - 20);
	}
}

static void exactly_what_fits_is_one_part_and_one_more_is_two(void **state)
{
	auto_arena arena = arena_new(ARENA_BYTES);
	char text[HTML_UNITS_MAX + 8] = "";
	struct html_parts parts;
	memset(text, 'x', HTML_UNITS_MAX);
	assert_true(html_split(text, arena, &parts));
	assert_int_equal(parts.count, 1);
	text[HTML_UNITS_MAX] = 'y';
	assert_true(html_split(text, arena, &parts));
	assert_int_equal(parts.count, 2);
	assert_string_equal(parts.part[1], "y");
	/* Room for half a pair is no room. */
	str_copy(text + HTML_UNITS_MAX - 1, 8, "🔥");
	assert_true(html_split(text, arena, &parts));
	assert_int_equal(parts.count, 2);
	assert_string_equal(parts.part[1], "🔥");
}

static void nothing_to_see_is_no_part(void **state)
{
	auto_arena arena = arena_new(ARENA_BYTES);
	struct html_parts parts;
	static const char *const blanks[] = {
		"", " \n\t ", "<b> </b>", "\xE2\x80\x8B\xC2\xA0", "<pre></pre>"};
	for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
		assert_true(html_split(blanks[i], arena, &parts));
		assert_int_equal(parts.count, 0);
	}
	struct str many;
	str_init(&many, arena);
	for (int i = 0; i < 9000; i++)
		str_addc(&many, '\n');
	str_add(&many, "x");
	assert_true(html_split(many.s, arena, &parts));
	assert_int_equal(parts.count, 1);
}

static void bytes_are_limited_as_well_as_what_is_seen(void **state)
{
	auto_arena arena = arena_new(ARENA_BYTES);
	struct html_parts parts;
	struct str tags;
	str_init(&tags, arena);
	for (int i = 0; i < 6000; i++)
		str_add(&tags, "<b>x</b>");
	assert_true(html_split(tags.s, arena, &parts));
	assert_true(parts.count > 1);
	for (int i = 0; i < parts.count; i++)
		assert_true(strlen(parts.part[i]) <= HTML_BYTES_MAX);
}

static void too_small_an_arena_is_said(void **state)
{
	auto_arena arena = arena_new(4096);
	auto_arena room = arena_new(1 << 20);
	struct html_parts parts;
	char *text = arena_alloc(room, 20001);
	memset(text, 'x', 20000);
	assert_false(html_split(text, arena, &parts));
}

static void what_a_reader_could_tap_is_unlinked(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"see /stop_vm now", "see /" JOINER "stop_vm now"},
		{"/disable_autohealing", "/" JOINER "disable_autohealing"},
		{"(/tmp)", "(/" JOINER "tmp)"},
		{"@someone", "@" JOINER "someone"},
		{"/@someone", "/@" JOINER "someone"},
		{"/bin/sh: not found", "/bin/sh: not found"},
		{"https://host/path", "https://host/path"},
		{"nginx@sha256", "nginx@sha256"},
		{"5 / 7 @ noon", "5 / 7 @ noon"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_arena arena = arena_new(1 << 20);
		struct html html;
		html_init(&html, arena);
		html_addf(&html, "<b>%s</b>", cases[i].in);
		assert_string_equal(html_plain(html.out.s, arena), cases[i].out);
		html_addf(&html, " <code>%s</code>", cases[i].in);
		assert_non_null(strstr(html.out.s, cases[i].in)); /* in code it can be copied as it is */
	}
}

static void a_field_is_cut_between_characters_and_says_so(void **state)
{
	auto_arena arena = arena_new(1 << 20);
	struct html html;
	char label[16];
	html_init(&html, arena);
	html_addf(&html, "%.3s|%.3s|%.3s|%d %lld %.1f%%", "🔥🔥🔥🔥", "abc", "a<b>c", -3, 5LL << 40, 95.25);
	assert_string_equal(html.out.s, "🔥🔥🔥…|abc|a&lt;b…|-3 5497558138880 95.2%");
	html_label(label, sizeof(label), "a<b>\n/stop", 6);
	assert_string_equal(label, "a<b> /…");
	html_label(label, sizeof(label), "🔥🔥🔥🔥🔥🔥", 6);
	assert_string_equal(label, "🔥🔥🔥");
}

static void secrets_are_taken_out_before_the_text_is_cut_or_escaped(void **state)
{
	auto_arena arena = arena_new(1 << 20);
	struct html html;
	redact_register("hunter2&<hunter2>");
	html_init(&html, arena);
	html_addf(&html, "it said %.20s", "x hunter2&<hunter2>");
	assert_null(strstr(html.out.s, "hunter2"));
	assert_non_null(strstr(html.out.s, "[redacted]"));
	redact_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_text_in_a_message_parses_fits_and_is_whole),
		cmocka_unit_test(markup_that_does_not_match_still_gives_parts_that_parse),
		cmocka_unit_test(a_cut_is_at_a_line_end_and_opens_again_what_was_open),
		cmocka_unit_test(exactly_what_fits_is_one_part_and_one_more_is_two),
		cmocka_unit_test(nothing_to_see_is_no_part),
		cmocka_unit_test(bytes_are_limited_as_well_as_what_is_seen),
		cmocka_unit_test(too_small_an_arena_is_said),
		cmocka_unit_test(what_a_reader_could_tap_is_unlinked),
		cmocka_unit_test(a_field_is_cut_between_characters_and_says_so),
		cmocka_unit_test(secrets_are_taken_out_before_the_text_is_cut_or_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
