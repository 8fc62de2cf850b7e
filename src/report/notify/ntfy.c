/*
 * ntfy: published as JSON to the server's root, so that titles may have any character. Source:
 * docs.ntfy.sh/publish, "Publish as JSON" and "Send HTTP request".
 */
#include "base/json.h"
#include "report/notify/channel.h"

/* What is longer becomes an attachment. */
#define MESSAGE_BYTES 3900

static const int priorities[] = {
	[SEVERITY_HEALTHY] = 3,
	[SEVERITY_DEGRADED] = 3,
	[SEVERITY_UNHEALTHY] = 4,
	[SEVERITY_CRITICAL] = 5,
};

static void put_button(struct json_out *out, const char *label, const char *url)
{
	json_open(out, NULL, '{');
	json_put_str(out, "action", "http");
	json_put_str(out, "label", label);
	json_put_str(out, "url", url);
	json_put_str(out, "method", "POST");
	json_put_bool(out, "clear", true);
	json_close(out, '}');
}

static void compose(const struct channel *channel, const struct told *told, struct outgoing *out,
	struct arena *arena)
{
	struct str body;
	struct json_out json;
	const char *topic = channel->path + 1;
	str_init(&body, arena);
	json_begin(&json, &body);
	json_open(&json, NULL, '{');
	json_put_str(&json, "topic", topic);
	json_put_str(&json, "title", told->title);
	json_put_str(&json, "message", told_cut(told->text, MESSAGE_BYTES, arena));
	json_put_int(&json, "priority", priorities[told->severity]);
	if (told->approve_url != NULL) {
		json_open(&json, "actions", '[');
		put_button(&json, "✅ Approve", told->approve_url);
		put_button(&json, "❌ Reject", told->reject_url);
		json_close(&json, ']');
	}
	json_close(&json, '}');
	out->path = "/";
	out->headers[0] = channel_bearer(channel, arena);
	outgoing_json(out, &body);
}

const struct channel_kind ntfy_channel = {.name = "ntfy", .compose = compose};
