/*
 * The ways to people: their secrets, whether they answer, and, with --notify, a message that says
 * it is a test.
 */
#include "base/secret.h"
#include "base/str.h"
#include "cli/check.h"
#include "client/telegram.h"
#include "report/notify/notify.h"

static bool greet(struct telegram *telegram, int64_t thread, struct err *err)
{
	struct telegram_result result;
	struct telegram_message message = {.thread = thread,
		.text =
			"homeostat: a test. This channel works: so it looks when homeostat has something to "
			"tell.",
		.is_plain = true};
	return telegram_send(telegram, &message, &result, err);
}

static bool reach_telegram(struct check *check, char *text, size_t size, struct err *err)
{
	const struct config_telegram *settings = &check->config->telegram;
	struct telegram_me me;
	struct telegram_result result;
	const char *token = secret_resolve(check->config->state, settings->token, err);
	if (token == NULL)
		return err_prefix(err, "telegram.token");
	struct telegram *telegram = telegram_open(
		&(struct telegram_config){
			.token = token, .api_url = settings->api_url, .chat = settings->chat},
		-1, err);
	if (telegram == NULL)
		return false;
	bool wants_test = (check->cli->given & CLI_NOTIFY) != 0;
	bool ok = telegram_me(telegram, &me, &result, err) &&
		(!wants_test || greet(telegram, settings->thread, err));
	if (ok)
		str_format(text, size, "the bot is @%s%s", me.username,
			wants_test ? "; a test message is in the chat"
					   : "; `homeostat check --notify` sends a test message");
	telegram_close(telegram);
	return ok;
}

static void check_telegram(struct check *check)
{
	char text[480] = "";
	struct err err = {0};
	bool ok = reach_telegram(check, text, sizeof(text), &err);
	check_note(check, ok, "telegram", ok ? text : err.text);
}

static void check_channel(struct check *check, int index)
{
	const struct config_notify *notify = &check->config->notify[index];
	struct err err = {0};
	const char *text = "a test message was delivered";
	bool ok;
	if ((check->cli->given & CLI_NOTIFY) != 0) {
		ok = notify_test(check->config, index, -1, &err);
	} else {
		ok = notify_reach(check->config, index, -1, &err);
		text = notify->type == NOTIFY_SMTP
			? "its secrets are there; `homeostat check --notify` sends a test message"
			: "answers; `homeostat check --notify` sends a test message";
	}
	check_note(check, ok, notify->channel, ok ? text : err.text);
}

void check_channels(struct check *check)
{
	if (check->config->telegram.token != NULL)
		check_telegram(check);
	for (int i = 0; i < check->config->notify_count; i++)
		check_channel(check, i);
}
