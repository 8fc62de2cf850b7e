/*
 * Matrix: an event sent to a room. The transaction's id is the message's, so that one that is sent
 * again, since its answer was lost, is not shown twice. Source: spec.matrix.org, client-server API,
 * PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}.
 */
#include "base/json.h"
#include "report/notify/channel.h"

#define MESSAGE_BYTES 16000

static void compose(const struct channel *channel, const struct told *told, struct outgoing *out,
	struct arena *arena)
{
	struct str body;
	struct json_out json;
	str_init(&body, arena);
	json_begin(&json, &body);
	json_open(&json, NULL, '{');
	json_put_str(&json, "msgtype", "m.text");
	json_put_str(&json, "body", told_cut(told_whole(told, arena), MESSAGE_BYTES, arena));
	json_close(&json, '}');
	out->method = "PUT";
	out->path = arena_printf(arena, "%s/_matrix/client/v3/rooms/%s/send/m.room.message/%s-%s",
		channel->path, http_encode(arena, channel->settings->room), http_encode(arena, told->host),
		told->id);
	out->headers[0] = channel_bearer(channel, arena);
	outgoing_json(out, &body);
}

const struct channel_kind matrix_channel = {.name = "matrix", .compose = compose};
