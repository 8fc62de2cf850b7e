/* What the JSON reader and writer promise; strictness is compared with jansson's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Both readers call their kinds and one function alike: jansson's get other names here. */
#define JSON_NULL JANSSON_NULL
#define JSON_STRING JANSSON_STRING
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_OBJECT JANSSON_OBJECT
#define json_copy jansson_copy
#include <jansson.h>
#undef JSON_NULL
#undef JSON_STRING
#undef JSON_ARRAY
#undef JSON_OBJECT
#undef json_copy

#include "base/json.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(256 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static bool accepts(const char *text)
{
	struct json root;
	struct err err;
	return json_parse(arena, text, strlen(text), &root, &err);
}

static struct json parsed(const char *text)
{
	struct json root;
	struct err err = {0};
	if (!json_parse(arena, text, strlen(text), &root, &err))
		fail_msg("%s: %s", text, err.text);
	return root;
}

static void lenient_spellings_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"}",
		"[",
		"]",
		"[1,]",
		"[,1]",
		"[1 2]",
		"{\"a\" 1}",
		"{\"a\":}",
		"{\"a\"}",
		"{a:1}",
		"{1:2}",
		"{\"a\":1,}",
		"{\"a\":1 \"b\":2}",
		"{\"a\":1:2}",
		"[1]]",
		"[1] x",
		"[1}",
		"01",
		"+1",
		"1.",
		".5",
		"1e",
		"1e+",
		"-",
		"--1",
		"0x10",
		"NaN",
		"Infinity",
		"tru",
		"True",
		"nul",
		"truefalse",
		"'a'",
		"\"a",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12G4\"",
		"\"\t\"",
		"\"\n\"",
		"[\"a\":1]",
		"{\"a\":1}{}",
		"1 2",
		"// c\n1",
		"[1,\v2]",
		"\xEF\xBB\xBF[]",
		"{[]:1}",
		"{{}:1}",
		"{\"a\",\"b\"}",
		"[:]",
		"\"\\",
		"[\"\\u",
		"{\"a\":[}]",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (accepts(bad[i]))
			fail_msg("accepted: %s", bad[i]);
	struct json root;
	assert_false(json_parse(arena, "[\0]", 3, &root, NULL));
	assert_false(json_parse(arena, "[1]\0", 4, &root, NULL));
}

static void every_kind_of_document_is_read(void **state)
{
	(void)state;
	static const char *const good[] = {
		"null",
		" true ",
		"-0",
		"1.5e-3",
		"\"\"",
		"[]",
		"{}",
		"[[],{}]",
		" [ 1 , 2 ] ",
		"{\"\":\"\"}",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
		"\"{[\"",
		"1",
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!accepts(good[i]))
			fail_msg("refused: %s", good[i]);
	assert_int_equal(json_kind(parsed("null")), JSON_NULL);
	assert_int_equal(json_kind(parsed(" false")), JSON_BOOL);
	assert_int_equal(json_kind(parsed("\t-7\n")), JSON_NUMBER);
	assert_int_equal(json_int(parsed("\t-7\n"), 0), -7);
	assert_int_equal(json_kind(parsed("\"[\"")), JSON_STRING);
}

static void an_error_names_the_offset(void **state)
{
	(void)state;
	struct json root;
	struct err err;
	assert_false(json_parse(arena, "[1,2 3]", 7, &root, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "byte 5"));
}

static void depth_64_is_read_and_65_refused(void **state)
{
	(void)state;
	char text[200];
	for (size_t depth = 64; depth <= 65; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		text[2 * depth] = '\0';
		assert_int_equal(accepts(text), depth == 64);
	}
}

static void members_and_siblings_are_found_past_nested_values(void **state)
{
	(void)state;
	struct json root = parsed("{\"a\":{\"x\":[1,{\"y\":[2]}]},\"b\":[[],{},[3,4],\"k\",\"l\"],"
							  "\"State\":{\"Health\":{\"Status\":\"healthy\"}},\"c\":7}");
	assert_int_equal(json_count(root), 4);
	assert_int_equal(json_int(json_get(root, "c"), 0), 7);
	char status[16];
	assert_true(json_copy(json_path(root, "State.Health.Status"), status, sizeof(status)));
	assert_string_equal(status, "healthy");
	const enum json_kind kinds[] = {JSON_ARRAY, JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_STRING};
	size_t n = 0;
	struct json b = json_get(root, "b");
	for (struct json v = json_first(b); json_is(v); v = json_next(v)) {
		assert_int_equal(json_kind(v), kinds[n++]);
		assert_null(json_key(v, arena));
	}
	assert_int_equal(n, 5);
	const char *keys[] = {"a", "b", "State", "c"};
	n = 0;
	for (struct json v = json_first(root); json_is(v); v = json_next(v))
		assert_string_equal(json_key(v, arena), keys[n++]);
	assert_int_equal(n, 4);
}

static void a_missing_member_is_an_ordinary_value(void **state)
{
	(void)state;
	struct json none = json_path(parsed("{\"a\":1,\"s\":\"x\"}"), "b.c.d");
	size_t length;
	char field[8] = "old";
	assert_false(json_is(none));
	assert_int_equal(json_kind(none), JSON_NONE);
	assert_false(json_is(json_get(none, "x")));
	assert_false(json_is(json_first(none)));
	assert_false(json_is(json_next(none)));
	assert_int_equal(json_count(none), 0);
	assert_int_equal(json_int(none, 5), 5);
	assert_true(json_bool(none, true));
	assert_null(json_str(none, arena));
	assert_null(json_key(none, arena));
	assert_null(json_raw(none, &length));
	assert_false(json_copy(none, field, sizeof(field)));
	assert_string_equal(field, "");
	assert_false(json_is(json_first(parsed("[]"))));
	assert_false(json_is(json_get(json_get(parsed("{\"s\":\"x\"}"), "s"), "x")));
}

static void escapes_and_surrogate_pairs_become_utf8(void **state)
{
	(void)state;
	assert_string_equal(
		json_str(parsed("\"a\\n\\t\\/\\\"\\\\\\u00e9\\u20AC\""), arena), "a\n\t/\"\\é€");
	assert_string_equal(json_str(parsed("\"\\uD83D\\uDE00!\""), arena), "😀!");
	assert_string_equal(json_str(parsed("\"\\uD83D\\u0041\""), arena),
		"\uFFFD"
		"A");
	assert_string_equal(json_str(parsed("\"\\uDE00\""), arena), "\uFFFD");
	assert_string_equal(json_str(parsed("\"\\uD83D\""), arena), "\uFFFD");
	assert_string_equal(json_str(parsed("\"a\\u0000b\""), arena),
		"a\uFFFD"
		"b");
	assert_int_equal(json_int(json_get(parsed("{\"\\u0061b\":3}"), "ab"), 0), 3);
	assert_false(json_is(json_get(parsed("{\"\\u0061b\":3}"), "abc")));
	assert_int_equal(json_int(json_get(parsed("{\"a\xE1\":3}"), "a\uFFFD"), 0), 3);
}

static void invalid_utf8_becomes_the_replacement_character(void **state)
{
	(void)state;
	assert_string_equal(json_str(parsed("\"a\xFFz\""), arena), "a\uFFFDz");
	assert_string_equal(json_str(parsed("\"\xC3\""), arena), "\uFFFD");
	assert_string_equal(json_str(parsed("\"\xC0\xAF\""), arena), "\uFFFD\uFFFD");
	assert_string_equal(json_str(parsed("\"\xED\xA0\x80\""), arena), "\uFFFD\uFFFD\uFFFD");
	assert_string_equal(
		json_str(parsed("\"\xF4\x90\x80\x80\""), arena), "\uFFFD\uFFFD\uFFFD\uFFFD");
	assert_string_equal(json_str(parsed("\"é😀\""), arena), "é😀");
}

static void a_field_is_cut_between_characters(void **state)
{
	(void)state;
	char field[5];
	assert_true(json_copy(parsed("\"abé€\""), field, sizeof(field)));
	assert_string_equal(field, "abé");
	assert_true(json_copy(parsed("\"abcd\\u20AC\""), field, sizeof(field)));
	assert_string_equal(field, "abcd");
}

static void numbers_are_read_as_real_servers_send_them(void **state)
{
	(void)state;
	assert_int_equal(json_int(parsed("\"104\""), 0), 104);
	assert_int_equal(json_int(parsed("true"), 0), 1);
	assert_int_equal(json_int(parsed("1.9e3"), 0), 1900);
	assert_true(json_int(parsed("9223372036854775807"), 0) == INT64_MAX);
	assert_true(json_int(parsed("-9223372036854775808"), 0) == INT64_MIN);
	assert_int_equal(json_int(parsed("9223372036854775808"), 4), 4);
	assert_int_equal(json_int(parsed("1e300"), 4), 4);
	assert_int_equal(json_int(parsed("\"104x\""), 4), 4);
	assert_int_equal(json_int(parsed("\"0x10\""), 4), 4);
	assert_int_equal(json_int(parsed("\"\""), 4), 4);
	assert_int_equal(json_int(parsed("null"), 4), 4);
	assert_true(json_num(parsed("\"0.25\""), 0) == 0.25);
	assert_true(json_num(parsed("1e999"), 3) == 3);
	assert_true(json_num(parsed("\"nan\""), 3) == 3);
	assert_true(json_bool(parsed("1"), false));
	assert_false(json_bool(parsed("\"0\""), true));
	assert_true(json_bool(parsed("\"maybe\""), true));
}

static void raw_text_can_be_put_back(void **state)
{
	(void)state;
	size_t length;
	struct json root = parsed("{\"s\":\"a\\\"b\",\"o\":{ \"x\" : [1]}}");
	const char *raw = json_raw(json_get(root, "s"), &length);
	assert_int_equal(length, 6);
	assert_memory_equal(raw, "\"a\\\"b\"", 6);
	raw = json_raw(json_get(root, "o"), &length);
	assert_memory_equal(raw, "{ \"x\" : [1]}", length);
}

struct thing {
	char name[8];
	int64_t id;
	double load;
	bool up;
};

static void decoding_by_a_table_names_the_missing_path(void **state)
{
	(void)state;
	static const struct json_field fields[] = {
		{"n.name", JSON_T_STR, offsetof(struct thing, name), 8, true},
		{"id", JSON_T_INT64, offsetof(struct thing, id), 0, true},
		{"load", JSON_T_DOUBLE, offsetof(struct thing, load), 0, false},
		{"up", JSON_T_BOOL, offsetof(struct thing, up), 0, false},
	};
	struct thing thing = {.load = 7};
	struct err err = {0};
	assert_true(json_decode(
		parsed("{\"n\":{\"name\":\"web\"},\"id\":\"12\",\"up\":true}"), fields, 4, &thing, &err));
	assert_string_equal(thing.name, "web");
	assert_int_equal(thing.id, 12);
	assert_true(thing.load == 7 && thing.up);
	assert_false(json_decode(parsed("{\"n\":{\"name\":[]},\"id\":1}"), fields, 4, &thing, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "n.name"));
	assert_false(json_decode(parsed("{\"n\":{\"name\":\"x\"}}"), fields, 4, &thing, &err));
	assert_non_null(strstr(err.text, "\"id\" is missing"));
}

static void what_is_written_is_read_back(void **state)
{
	(void)state;
	struct str str;
	struct json_out out;
	str_init(&str, arena);
	json_begin(&out, &str);
	json_open(&out, NULL, '{');
	json_put_str(&out, "a\"b", "x\\\n\x01\xFFé");
	json_put_str(&out, "none", NULL);
	json_open(&out, "list", '[');
	json_put_int(&out, NULL, INT64_MIN);
	json_put_num(&out, NULL, 0.1);
	json_put_num(&out, NULL, 1e308 * 10);
	json_put_bool(&out, NULL, true);
	json_open(&out, NULL, '{');
	json_close(&out, '}');
	json_close(&out, ']');
	json_put_raw(&out, "raw", "[1]");
	json_close(&out, '}');
	assert_string_equal(str.s,
		"{\"a\\\"b\":\"x\\\\\\n\\u0001\uFFFDé\",\"none\":null,"
		"\"list\":[-9223372036854775808,0.1,null,true,{}],\"raw\":[1]}");
	assert_string_equal(json_str(json_get(parsed(str.s), "a\"b"), arena), "x\\\n\x01\uFFFDé");
}

static void too_small_an_arena_is_an_ordinary_error(void **state)
{
	(void)state;
	auto_arena small = arena_new(200);
	struct json root;
	struct err err;
	char text[402] = "[";
	for (int i = 0; i < 200; i++)
		memcpy(text + 1 + 2 * i, "1,", 3);
	text[400] = ']';
	assert_false(json_parse(small, text, 401, &root, &err));
	assert_int_equal(err.kind, ERR_INPUT);
}

static const char *const seeds[] = {
	"{\"Id\":\"0f3a\",\"Names\":[\"/redis\"],\"State\":\"running\",\"n\":-12.5e+3,\"ok\":true}",
	"[{\"a\":null,\"b\":[1,2,[3,{\"c\":\"x\\ny\"}]]},false,0,\"\\u0041\",{}]",
	"{\"Labels\":{\"com.x\":\"1\",\"y\":\"\"},\"Ports\":[],\"t\":1.0E-2,\"z\":[[[]]]}",
	"[1,-0,0.0,10e2,\"a\\\\b\\\"c\",true,null]",
};

static uint32_t random_state = 12345;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % n;
}

/* One to three small edits of ASCII; no \uD…, where we mend what jansson refuses. */
static size_t mutate(char *text, size_t length)
{
	static const char alphabet[] = "{}[]:,\"\\0123456789eE+-.truefalsn ux/\n\tA'";
	for (uint32_t edits = 1 + random_below(3); edits > 0 && length > 1; edits--) {
		size_t at = random_below((uint32_t)length);
		char c = alphabet[random_below(sizeof(alphabet) - 1)];
		switch (random_below(4)) {
		case 0:
			text[at] = c;
			break;
		case 1:
			memmove(text + at, text + at + 1, length-- - at - 1);
			break;
		case 2:
			memmove(text + at + 1, text + at, length++ - at);
			text[at] = c;
			break;
		default:
			length = random_below(4) == 0 ? at + 1 : length;
			break;
		}
	}
	text[length] = '\0';
	return length;
}

static bool same(struct json ours, const json_t *theirs);

/* Of a key that is there twice jansson keeps the last, we find the first: only its presence counts.
 */
static bool same_members(struct json ours, const json_t *theirs)
{
	bool twice = json_count(ours) > json_object_size(theirs);
	for (struct json v = json_first(ours); json_is(v); v = json_next(v)) {
		const json_t *other = json_object_get(theirs, json_key(v, arena));
		if (other == NULL || (!twice && !same(v, other)))
			return false;
	}
	return json_count(ours) >= json_object_size(theirs);
}

/* The same tree, value by value. */
static bool same(struct json ours, const json_t *theirs)
{
	size_t i = 0;
	switch (json_typeof(theirs)) {
	case JANSSON_OBJECT:
		return json_kind(ours) == JSON_OBJECT && same_members(ours, theirs);
	case JANSSON_ARRAY:
		for (struct json v = json_first(ours); json_is(v); v = json_next(v))
			if (!same(v, json_array_get(theirs, i++)))
				return false;
		return json_kind(ours) == JSON_ARRAY && i == json_array_size(theirs);
	case JANSSON_STRING:
		return strcmp(json_str(ours, arena), json_string_value(theirs)) == 0;
	case JSON_INTEGER:
		return json_int(ours, 77) == json_integer_value(theirs);
	case JSON_REAL:
		return !(json_num(ours, 77) < json_real_value(theirs)) &&
			!(json_num(ours, 77) > json_real_value(theirs));
	case JSON_TRUE:
	case JSON_FALSE:
		return json_kind(ours) == JSON_BOOL &&
			json_bool(ours, false) == (json_typeof(theirs) == JSON_TRUE);
	case JANSSON_NULL:
		return json_kind(ours) == JSON_NULL;
	}
	return false;
}

static void strictness_equals_janssons_on_40000_mutants(void **state)
{
	(void)state;
	int good = 0, bad = 0;
	for (int i = 0; i < 40000; i++) {
		char text[400];
		const char *seed = seeds[random_below(4)];
		strcpy(text, seed);
		size_t length = mutate(text, strlen(text));
		if (strstr(text, "\\u") != NULL && strstr(text, "\\u0041") == NULL)
			continue; /* an escape of another character: mending is tested above */
		arena_free(arena);
		arena = arena_new(1 << 20);
		json_error_t why;
		struct json root;
		json_t *theirs = json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
		bool ours = json_parse(arena, text, length, &root, NULL);
		if (theirs == NULL && json_error_code(&why) == json_error_numeric_overflow)
			continue; /* jansson refuses large numbers; we keep them as text */
		if (ours != (theirs != NULL))
			fail_msg("we %s, jansson %s: %s", ours ? "accept" : "refuse", why.text, text);
		if (ours && !same(root, theirs))
			fail_msg("read otherwise than by jansson: %s", text);
		good += ours;
		bad += !ours;
		json_decref(theirs);
	}
	assert_true(good > 2000 && bad > 10000);
}

/* Hostile shapes for a reader whose cost grows with depth, width or open brackets. */
static void cost_is_linear_in_the_length(void **state)
{
	(void)state;
	enum { LENGTH = 4 << 20 };
	char *text = malloc(LENGTH + 1);
	static const char *const units[] = {"[", "{\"a\":", "[],", "\"\\u0041\",", "1,", "{},", "\""};
	clock_t start = clock();
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t size = strlen(units[i]), at = 1;
		text[0] = '[';
		for (; at + size < LENGTH; at += size)
			memcpy(text + at, units[i], size);
		text[at - 1] = ']';
		arena_free(arena);
		arena = arena_new(256 << 20);
		struct json root;
		if (json_parse(arena, text, at, &root, NULL))
			for (struct json v = json_first(root); json_is(v); v = json_next(v))
				assert_true(json_is(v));
	}
	free(text);
	/* CPU time; 28 MB take 0.3 s, under a sanitizer 3 s; quadratic would take hours */
	assert_true((clock() - start) / CLOCKS_PER_SEC < 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lenient_spellings_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(every_kind_of_document_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(an_error_names_the_offset, setup, teardown),
		cmocka_unit_test_setup_teardown(depth_64_is_read_and_65_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			members_and_siblings_are_found_past_nested_values, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_member_is_an_ordinary_value, setup, teardown),
		cmocka_unit_test_setup_teardown(escapes_and_surrogate_pairs_become_utf8, setup, teardown),
		cmocka_unit_test_setup_teardown(
			invalid_utf8_becomes_the_replacement_character, setup, teardown),
		cmocka_unit_test_setup_teardown(a_field_is_cut_between_characters, setup, teardown),
		cmocka_unit_test_setup_teardown(
			numbers_are_read_as_real_servers_send_them, setup, teardown),
		cmocka_unit_test_setup_teardown(raw_text_can_be_put_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			decoding_by_a_table_names_the_missing_path, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_written_is_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(too_small_an_arena_is_an_ordinary_error, setup, teardown),
		cmocka_unit_test_setup_teardown(
			strictness_equals_janssons_on_40000_mutants, setup, teardown),
		cmocka_unit_test_setup_teardown(cost_is_linear_in_the_length, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
