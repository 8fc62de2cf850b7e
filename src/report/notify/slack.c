/*
 * Slack: an incoming webhook; Mattermost and Rocket.Chat take the same. Source: docs.slack.dev,
 * "Sending messages using incoming webhooks" and "Formatting message text".
 */
#include "base/json.h"
#include "report/notify/channel.h"

#define MESSAGE_BYTES 3900

/* <!channel> and <@U1> call people: & < > are the three that mean something. */
static const char *escaped(const char *text, struct arena *arena)
{
	struct str out;
	str_init(&out, arena);
	for (; *text != '\0'; text++) {
		if (*text == '&')
			str_add(&out, "&amp;");
		else if (*text == '<')
			str_add(&out, "&lt;");
		else if (*text == '>')
			str_add(&out, "&gt;");
		else
			str_addc(&out, *text);
	}
	return out.s;
}

static void compose(const struct channel *channel, const struct told *told, struct outgoing *out,
	struct arena *arena)
{
	struct str body;
	struct json_out json;
	const char *text = told_cut(told_whole(told, arena), MESSAGE_BYTES, arena);
	str_init(&body, arena);
	json_begin(&json, &body);
	json_open(&json, NULL, '{');
	json_put_str(&json, "text", escaped(text, arena));
	json_put_bool(&json, "mrkdwn", false);
	json_close(&json, '}');
	out->path = channel->path;
	outgoing_json(out, &body);
}

const struct channel_kind slack_channel = {.name = "slack", .compose = compose};
