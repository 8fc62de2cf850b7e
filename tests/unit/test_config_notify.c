/* What the notify section promises: values read, each mistake with its line, key and cure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/config.h"
#include "report/notify/channel.h"

#define DOCKER "docker: [{ name: local }]\n"
#define NTFY DOCKER "notify:\n  - type: ntfy\n    url: https://ntfy.sh/alerts\n"
#define MAIL DOCKER "notify:\n  - type: smtp\n    url: smtp://mail.example:587\n"

static struct config *parse(const char *text, bool is_private, struct err *err)
{
	*err = (struct err){0};
	return config_parse("f.yaml", text, strlen(text), is_private, err);
}

static void values_are_read_with_their_defaults(void **state)
{
	struct err err;
	struct config *config = parse(NTFY
		"  - { type: smtp, name: home, url: \"smtps://mail.example\", user: me, token: "
		"secret:mail, "
		"from: homeostat@example.org, to: [a@example.org, b@example.org], min_severity: unhealthy, "
		"events: [escalation, approval], quiet: 22:30..07:00 }\n",
		false, &err);
	if (config == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(config->notify_count, 2);
	const struct config_notify *ntfy = &config->notify[0], *mail = &config->notify[1];
	assert_int_equal(ntfy->type, NOTIFY_NTFY);
	assert_string_equal(ntfy->channel, "ntfy:ntfy");
	assert_int_equal(ntfy->min_severity, SEVERITY_HEALTHY);
	assert_false(ntfy->approves);
	assert_true((ntfy->events & 1u << TELL_APPROVAL) != 0);
	assert_false((ntfy->events & 1u << TELL_DETECTION) != 0);
	assert_string_equal(mail->channel, "smtp:home");
	assert_string_equal(mail->to[1], "b@example.org");
	assert_null(mail->to[2]);
	assert_int_equal(mail->min_severity, SEVERITY_UNHEALTHY);
	assert_int_equal(mail->events, 1u << TELL_APPROVAL | 1u << TELL_ESCALATION);
	assert_int_equal(mail->quiet_from, 22 * 60 + 30);
	config_free(config);
}

static void buttons_need_an_address_and_tell_their_risk(void **state)
{
	struct err err;
	struct config *config = parse(
		"public_url: https://home.example\n" NTFY "    approve: high\n", false, &err);
	if (config == NULL)
		fail_msg("%s", err.text);
	assert_true(config->notify[0].approves);
	assert_int_equal(config->notify[0].approve_risk, RISK_HIGH);
	config_free(config);
}

static void mistakes_name_place_and_cure(void **state)
{
	static const struct {
		const char *text, *place, *cure;
	} rows[] = {
		{DOCKER "notify: x\n", "f.yaml:2: notify", "must be a list"},
		{DOCKER "notify: [ { url: x } ]\n", "f.yaml:2: notify.type", "is missing"},
		{DOCKER "notify: [ { type: teams, url: x } ]\n", "notify.type", "\"teams\": write one of"},
		{DOCKER "notify: [ { type: ntfy } ]\n", "notify.url", "https://ntfy.sh/TOPIC"},
		{DOCKER "notify: [ { type: ntfy, url: \"https://ntfy.sh\" } ]\n", "notify.url", "lacks"},
		{DOCKER "notify: [ { type: ntfy, url: \"http://ntfy.sh/x\" } ]\n", "notify.url",
			"http:// is refused"},
		{DOCKER "notify: [ { type: ntfy, url: \"https://me:pw@ntfy.sh/x\" } ]\n", "notify.url",
			"takes neither user nor password"},
		{NTFY "    tokn: secret:x\n", "f.yaml:5: notify.tokn", "did you mean \"token\"?"},
		{NTFY "    token: tk_clear\n", "f.yaml:5: notify.token", "in clear text"},
		{NTFY "    name: much-too-long-a-name\n", "notify.name", "at most 15"},
		{NTFY "  - { type: ntfy, url: \"https://ntfy.sh/b\" }\n", "f.yaml:5: notify.name",
			"the name of another"},
		{NTFY "    min_severity: bad\n", "f.yaml:5: notify.min_severity", "write healthy"},
		{NTFY "    events: [aproval]\n", "f.yaml:5: notify.events", "\"aproval\" is none"},
		{NTFY "    events: approval\n", "notify.events", "must be a list"},
		{NTFY "    quiet: late\n", "notify.quiet", "22:00..07:00"},
		{NTFY "    approve: all\n", "notify.approve", "write none, low, medium or high"},
		{NTFY "    approve: medium\n", "notify.approve", "needs public_url"},
		{"public_url: http://home.example\n" NTFY "    approve: low\n", "public_url",
			"must not be read"},
		{"public_url: https://home.example\nlisten: none\n" NTFY "    approve: low\n",
			"notify.approve", "needs listen"},
		{"public_url: https://home.example\nbrakes: { two_persons: true }\n" NTFY
		 "    approve: high\n",
			"notify.approve", "two_persons"},
		{DOCKER "notify: [ { type: gotify, url: \"https://g.example\" } ]\n", "notify.token",
			"homeostat secret set gotify"},
		{"public_url: https://h.example\n" DOCKER
		 "notify: [ { type: webhook, url: \"https://g.example/x\", approve: low } ]\n",
			"notify.approve", "only ntfy has buttons"},
		{DOCKER "notify: [ { type: slack, url: \"https://hooks.slack.com/services/T/B/X\" } ]\n",
			"notify.url", "is a secret in clear text"},
		{DOCKER "notify: [ { type: discord, url: secret:discord, token: secret:x } ]\n",
			"notify.token", "is not needed"},
		{DOCKER "notify: [ { type: matrix, url: \"https://m.example\", token: secret:m } ]\n",
			"notify.room", "must be a room's id"},
		{NTFY "    room: \"!a:b\"\n", "notify.room", "for matrix only"},
		{NTFY "    from: a@b.example\n", "notify.from", "for smtp only"},
		{MAIL "    to: [a@b.example]\n", "notify.from", "must be an address"},
		{MAIL "    from: a@b.example\n", "notify.to", "must be a list"},
		{MAIL "    from: a@b.example\n    to: [nobody]\n", "f.yaml:6: notify.to", "is no address"},
		{MAIL "    from: a@b.example\n    to: [\"a@b.example>\\r\\nDATA\"]\n", "notify.to",
			"is no address"},
		{MAIL "    from: a@b.example\n    to: [a@b.example]\n    user: me\n", "notify.user",
			"come together"},
		{DOCKER "notify: [ { type: smtp, url: \"https://mail.example\" } ]\n", "notify.url",
			"smtp://mail.example:587"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err;
		struct config *config = parse(rows[i].text, false, &err);
		if (config != NULL)
			fail_msg("was accepted: %s", rows[i].text);
		if (strstr(err.text, rows[i].place) == NULL || strstr(err.text, rows[i].cure) == NULL)
			fail_msg(
				"\"%s\" says neither \"%s\" nor \"%s\"", err.text, rows[i].place, rows[i].cure);
	}
}

static void a_secret_address_in_a_private_file_is_warned_about(void **state)
{
	struct err err;
	struct config *config = parse(DOCKER
		"notify: [ { type: slack, url: \"https://hooks.slack.com/services/T/B/X\" } ]\n",
		true, &err);
	assert_non_null(config);
	assert_non_null(config->warnings[0]);
	assert_non_null(strstr(config->warnings[0], "notify.url"));
	assert_null(strstr(config->warnings[0], "T/B/X"));
	config_free(config);
}

/* Both tables of kinds are in the same order, and each notice is an event of a name. */
static void every_kind_can_be_written_to(void **state)
{
	for (int i = 0; i < NOTIFY_TYPES; i++) {
		assert_non_null(channel_kinds[i]);
		assert_string_equal(channel_kinds[i]->name, notify_type_name((enum notify_type)i));
	}
	for (int i = 0; i < NOTICE_KINDS; i++)
		assert_in_range(notice_event((enum notice_kind)i), 0, NOTIFY_EVENTS - 1);
	assert_int_equal(notice_event(NOTICE_ASKING), TELL_APPROVAL);
	assert_int_equal(notice_event(NOTICE_STARTED), TELL_RUN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read_with_their_defaults),
		cmocka_unit_test(buttons_need_an_address_and_tell_their_risk),
		cmocka_unit_test(mistakes_name_place_and_cure),
		cmocka_unit_test(a_secret_address_in_a_private_file_is_warned_about),
		cmocka_unit_test(every_kind_can_be_written_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
