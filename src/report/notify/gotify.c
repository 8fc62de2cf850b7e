/* Gotify: POST /message with the application's token. Source: gotify.net/api-docs, createMessage.
 */
#include "base/json.h"
#include "report/notify/channel.h"

#define MESSAGE_BYTES 16000

static const int priorities[] = {
	[SEVERITY_HEALTHY] = 3,
	[SEVERITY_DEGRADED] = 5,
	[SEVERITY_UNHEALTHY] = 7,
	[SEVERITY_CRITICAL] = 10,
};

static void compose(const struct channel *channel, const struct told *told, struct outgoing *out,
	struct arena *arena)
{
	struct str body;
	struct json_out json;
	str_init(&body, arena);
	json_begin(&json, &body);
	json_open(&json, NULL, '{');
	json_put_str(&json, "title", told->title);
	json_put_str(&json, "message", told_cut(told->text, MESSAGE_BYTES, arena));
	json_put_int(&json, "priority", priorities[told->severity]);
	json_close(&json, '}');
	out->path = arena_printf(arena, "%s/message", channel->path);
	out->headers[0] = arena_printf(arena, "X-Gotify-Key: %s", channel->token);
	outgoing_json(out, &body);
}

const struct channel_kind gotify_channel = {.name = "gotify", .compose = compose};
