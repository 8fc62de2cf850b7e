/* What the telegram section promises: values read, each mistake with its line, key and cure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/config.h"

#define DOCKER "docker: [{ name: local }]\n"
#define PHONE DOCKER "telegram:\n  token: secret:telegram\n"
#define WHO "  chat: 1\n  allowed_users: [1]\n"

static struct config *parse(const char *text, struct err *err)
{
	*err = (struct err){0};
	return config_parse("f.yaml", text, strlen(text), false, err);
}

static void values_are_read_with_their_defaults(void **state)
{
	struct err err;
	struct config *config = parse(PHONE
		"  chat: -1001234567890123\n  allowed_users: [123456789, 4503599627370495]\n"
		"  quiet: 22:30..07:00\n",
		&err);
	if (config == NULL)
		fail_msg("%s", err.text);
	const struct config_telegram *telegram = &config->telegram;
	assert_true(telegram->chat == -1001234567890123);
	assert_int_equal(telegram->allowed_count, 2);
	assert_true(telegram->allowed_users[1] == 4503599627370495);
	assert_int_equal(telegram->quiet_from, 22 * 60 + 30);
	assert_int_equal(telegram->quiet_to, 7 * 60);
	assert_int_equal(telegram->escalate_ms, 900000);
	assert_string_equal(telegram->api_url, "https://api.telegram.org");
	config_free(config);
	config = parse(DOCKER, &err);
	assert_null(config->telegram.token);
	config_free(config);
}

static void mistakes_name_place_and_cure(void **state)
{
	static const struct {
		const char *text, *place, *cure;
	} rows[] = {
		{DOCKER "telegram:\n  chat: 1\n  allowed_users: [1]\n", "f.yaml:3: telegram.token",
			"@BotFather"},
		{DOCKER "telegram: 5\n", "f.yaml:2: telegram", "section"},
		{DOCKER "telegram:\n  token: 1:a\n" WHO, "f.yaml:3: telegram.token", "secret set"},
		{PHONE "  allowed_users: [1]\n", "f.yaml:3: telegram.chat", "your own number"},
		{PHONE "  chat: 1\n", "f.yaml:3: telegram.allowed_users", "nobody could approve"},
		{PHONE "  chat: 1\n  allowed_users: [-5]\n", "f.yaml:5: telegram.allowed_users",
			"out of range"},
		{PHONE "  chat: 1\n  allowed_users: [ada]\n", "f.yaml:5: telegram.allowed_users",
			"no whole number"},
		{PHONE "  chat: 99999999999999999\n  allowed_users: [1]\n", "f.yaml:4: telegram.chat",
			"out of range"},
		{PHONE WHO "  quiet: 25:00..07:00\n", "f.yaml:6: telegram.quiet", "22:00..07:00"},
		{PHONE WHO "  quiet: 07:00..07:00\n", "f.yaml:6: telegram.quiet", "remove the key"},
		{PHONE WHO "  api_url: http://example.org\n", "f.yaml:6: telegram.api_url", "https://"},
		{PHONE WHO "  api_url: ftp://x\n", "f.yaml:6: telegram.api_url", "https://"},
		{PHONE WHO "  allowed_user: [1]\n", "f.yaml:6: telegram.allowed_user", "allowed_users"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err;
		if (parse(rows[i].text, &err) != NULL)
			fail_msg("accepted: %s", rows[i].text);
		if (!str_starts(err.text, rows[i].place) || strstr(err.text, rows[i].cure) == NULL)
			fail_msg("%s\ngot \"%s\"", rows[i].text, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read_with_their_defaults),
		cmocka_unit_test(mistakes_name_place_and_cure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
