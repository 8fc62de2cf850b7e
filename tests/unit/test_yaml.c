/* What the YAML reader promises: line numbers, limits, and an error with its cure for all else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/yaml.h"

static struct arena *arena;
static struct err err;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(64 << 20);
	err = (struct err){0};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct yaml *parse(const char *text)
{
	return yaml_parse(arena, "f.yaml", text, strlen(text), &err);
}

static void refused(const char *text, const char *place, const char *what)
{
	if (parse(text) != NULL)
		fail_msg("accepted: %s", text);
	assert_int_equal(err.kind, ERR_INPUT);
	if (strncmp(err.text, place, strlen(place)) != 0 || strstr(err.text, what) == NULL)
		fail_msg("wanted \"%s … %s\", got \"%s\"", place, what, err.text);
}

static void a_tree_has_its_lines_and_columns(void **state)
{
	(void)state;
	struct yaml *root = parse("# c\na: 1\nb:\n  - x: \"90\"\n    y: [p, q]\n  - 'z'\nc: {d: e}\n");
	assert_non_null(root);
	assert_int_equal(root->kind, YAML_MAP);
	const struct yaml *a = yaml_find(root, "a"), *b = yaml_find(root, "b");
	assert_int_equal(a->line, 2);
	assert_int_equal(a->key_line, 2);
	assert_int_equal(a->column, 4);
	assert_string_equal(a->text, "1");
	assert_false(a->quoted);
	assert_int_equal(b->kind, YAML_LIST);
	assert_int_equal(b->key_line, 3);
	assert_int_equal(b->line, 4);
	const struct yaml *x = yaml_find(b->children, "x");
	assert_true(x->quoted);
	assert_string_equal(x->text, "90");
	assert_string_equal(yaml_find(b->children, "y")->children->next->text, "q");
	assert_string_equal(b->children->next->text, "z");
	assert_null(b->children->next->next);
	assert_string_equal(yaml_find(yaml_find(root, "c"), "d")->text, "e");
	assert_null(yaml_find(root, "nope"));
	assert_null(yaml_find(b, "a"));
	assert_null(yaml_find(NULL, "a"));
}

static void an_empty_document_is_an_empty_map(void **state)
{
	(void)state;
	static const char *const empty[] = {"", "\n", "# only a comment\n", "---\n", "{}"};
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		const struct yaml *root = parse(empty[i]);
		assert_non_null(root);
		assert_int_equal(root->kind, YAML_MAP);
		assert_null(root->children);
	}
}

static void what_is_not_supported_is_refused_with_its_line(void **state)
{
	(void)state;
	refused("a: &x 1\nb: *x\n", "f.yaml:2: ", "aliases are not supported");
	refused("a: 1\nb: !!str 2\n", "f.yaml:2: ", "tags are not supported");
	refused("a: !x [1]\n", "f.yaml:1: ", "tags");
	refused("a: !x {b: 1}\n", "f.yaml:1: ", "tags");
	refused("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: ", "already set in line 1");
	refused("x:\n  - {b: 2, c: 1, b: 3}\n", "f.yaml:2: b: ", "already set in line 2");
	refused("a: {<<: 1}\n", "f.yaml:1: ", "merging");
	refused("? [a]\n: 1\n", "f.yaml:1: ", "key must be a plain word");
	refused("a: 1\n---\nb: 2\n", "f.yaml:2: ", "second document");
	refused("a: \"x\\0y\"\n", "f.yaml:1: ", "NUL");
}

static void broken_text_is_refused_with_its_line(void **state)
{
	(void)state;
	refused("a: 1\n b: 2\n", "f.yaml:2: ", "not YAML");
	refused("a:\n\t- b\n", "f.yaml:2: ", "tab");
	refused("a: [1, 2\nb: 3\n", "f.yaml:", "not YAML");
	refused("a: \"never closed\n", "f.yaml:", "not YAML");
	refused("ok: 1\nname: *\n", "f.yaml:2: ", "quotes");
	refused("\xFF\xFE\x01", "f.yaml:", "not YAML");
	refused("a: \xC3(\n", "f.yaml:", "not YAML");
}

static void depth_32_is_read_and_33_refused(void **state)
{
	(void)state;
	char text[80];
	for (size_t depth = 32; depth <= 33; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		text[2 * depth] = '\0';
		assert_int_equal(parse(text) != NULL, depth == 32);
	}
	assert_non_null(strstr(err.text, "deeper than 32"));
}

static void too_much_is_refused(void **state)
{
	(void)state;
	enum { MUCH = 1024 * 1024 };
	char *text = malloc(MUCH + 2);
	memset(text, ' ', MUCH + 1);
	assert_non_null(yaml_parse(arena, "f", text, MUCH, &err));
	assert_null(yaml_parse(arena, "f", text, MUCH + 1, &err));
	assert_non_null(strstr(err.text, "1 MiB"));
	text[0] = '[';
	for (size_t i = 0; i < 200002; i += 2)
		memcpy(text + 1 + i, "1,", 2);
	text[200003] = ']';
	assert_null(yaml_parse(arena, "f", text, 200004, &err));
	assert_non_null(strstr(err.text, "100,000"));
	free(text);
}

static void a_small_arena_is_an_ordinary_error(void **state)
{
	(void)state;
	auto_arena small = arena_new(300);
	assert_null(yaml_parse(small, "f", "[1,2,3,4,5,6,7,8,9]", 19, &err));
	assert_int_equal(err.kind, ERR_INPUT);
}

static void many_keys_cost_no_square(void **state)
{
	(void)state;
	char *text = malloc(1 << 20);
	size_t at = 0;
	for (int i = 0; i < 45000; i++)
		at += (size_t)sprintf(text + at, "k%d: 1\n", i);
	clock_t start = clock();
	assert_non_null(yaml_parse(arena, "f", text, at, &err));
	memset(text, '[', 1 << 20);
	assert_null(yaml_parse(arena, "f", text, 1 << 20, &err));
	assert_true((clock() - start) / CLOCKS_PER_SEC < 20);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_tree_has_its_lines_and_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_document_is_an_empty_map, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_not_supported_is_refused_with_its_line, setup, teardown),
		cmocka_unit_test_setup_teardown(broken_text_is_refused_with_its_line, setup, teardown),
		cmocka_unit_test_setup_teardown(depth_32_is_read_and_33_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(too_much_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_small_arena_is_an_ordinary_error, setup, teardown),
		cmocka_unit_test_setup_teardown(many_keys_cost_no_square, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
