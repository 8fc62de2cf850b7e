/* Plans: what they are called, what their hash covers, and parameters that nobody can smuggle into.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/plan.h"

static const struct action_param params[] = {
	{"service", PARAM_NAME, true, "which"},
	{"wait", PARAM_COUNT, false, "seconds"},
	{"force", PARAM_FLAG, false, "whether"},
	{NULL, PARAM_NAME, false, NULL},
};
static const struct action_info info = {
	.name = "test.act", .title = "Restart {service} on {guest}", .params = params};

static void parameters_are_put_into_the_tables_order(void **state)
{
	char out[PARAMS_MAX_BYTES], value[70];
	struct err err = {0};
	assert_true(params_check(&info, "wait=60  service=pvestatd", out, &err));
	assert_string_equal(out, "service=pvestatd wait=60");
	assert_true(params_get(out, "service", value, sizeof(value)));
	assert_string_equal(value, "pvestatd");
	assert_int_equal(params_number(out, "wait", 5), 60);
	assert_int_equal(params_number(out, "force", 5), 5);
	assert_false(params_get(out, "wai", value, sizeof(value)));
}

static void what_is_not_declared_is_refused_by_name(void **state)
{
	static const struct {
		const char *text, *names;
	} rows[] = {
		{"", "missing: \"service\""},
		{"service=", "not allowed"},
		{"service=a b=1", "no such parameter: \"b\""},
		{"service=a service=b", "given twice"},
		{"service=-rf", "not allowed"},
		{"service=a;reboot", "not allowed"},
		{"service=$(id)", "not allowed"},
		{"service=../../etc", "not allowed"},
		{"service=a wait=-1", "not allowed"},
		{"service=a wait=10000000", "not allowed"},
		{"service=a wait=1e3", "not allowed"},
		{"service=a force=2", "not allowed"},
		{"service", "no name=value"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[PARAMS_MAX_BYTES];
		struct err err = {0};
		assert_false(params_check(&info, rows[i].text, out, &err));
		assert_non_null(strstr(err.text, rows[i].names));
		assert_non_null(strstr(err.text, "service (needed), wait, force"));
	}
}

static void every_single_character_of_a_value_is_harmless(void **state)
{
	for (int c = 1; c < 256; c++) {
		char text[32], out[PARAMS_MAX_BYTES];
		struct err err = {0};
		STR_FORMAT(text, "service=a%cb", c);
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			strchr("._-@:", c) != NULL;
		assert_int_equal(params_check(&info, text, out, &err), plain);
	}
}

static void titles_name_what_is_done_to_what(void **state)
{
	struct component guest = {.native = "lxc/104", .label = "homelab-agents"};
	char title[100];
	plan_title(&info, &guest, "service=nginx", title, sizeof(title));
	assert_string_equal(title, "Restart nginx on lxc 104");
	const struct action_info plain = {.title = "Restart container"};
	plan_title(&plain, &guest, "", title, sizeof(title));
	assert_string_equal(title, "Restart container 'homelab-agents'");
	const struct action_info odd = {.title = "Odd {unknown} and {open"};
	plan_title(&odd, &guest, "", title, sizeof(title));
	assert_string_equal(title, "Odd  and ");
}

static void the_hash_covers_all_that_is_done(void **state)
{
	struct plan a = {0}, b;
	STR_SET(a.action, "x");
	STR_SET(a.component, "c");
	STR_SET(a.params, "wait=1");
	plan_seal(&a);
	b = a;
	STR_SET(b.params, "wait=2");
	plan_seal(&b);
	assert_string_not_equal(a.hash, b.hash);
	b = a;
	b.risk = RISK_HIGH; /* what was agreed to as less */
	plan_seal(&b);
	assert_string_not_equal(a.hash, b.hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_put_into_the_tables_order),
		cmocka_unit_test(what_is_not_declared_is_refused_by_name),
		cmocka_unit_test(every_single_character_of_a_value_is_harmless),
		cmocka_unit_test(titles_name_what_is_done_to_what),
		cmocka_unit_test(the_hash_covers_all_that_is_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
