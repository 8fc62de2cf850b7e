/*
 * Discord: an incoming webhook. Names in a message must not call anybody, so no mention is allowed.
 * Source: discord.com/developers/docs/resources/webhook, "Execute Webhook".
 */
#include <string.h>

#include "base/json.h"
#include "report/notify/channel.h"

/* 2,000 characters; bytes are the safe stricter count. */
#define MESSAGE_BYTES 1900

/* What would make letters bold, links or code stays what it is. */
static const char *escaped(const char *text, struct arena *arena)
{
	struct str out;
	str_init(&out, arena);
	for (; *text != '\0'; text++) {
		if (strchr("\\*_~`|>[", *text) != NULL)
			str_addc(&out, '\\');
		str_addc(&out, *text);
	}
	return out.s;
}

static void compose(const struct channel *channel, const struct told *told, struct outgoing *out,
	struct arena *arena)
{
	struct str body;
	struct json_out json;
	const char *text = told_cut(escaped(told_whole(told, arena), arena), MESSAGE_BYTES, arena);
	str_init(&body, arena);
	json_begin(&json, &body);
	json_open(&json, NULL, '{');
	json_put_str(&json, "content", text);
	json_open(&json, "allowed_mentions", '{');
	json_open(&json, "parse", '[');
	json_close(&json, ']');
	json_close(&json, '}');
	json_close(&json, '}');
	/* without wait, what was not kept is answered as what was */
	out->path = arena_printf(arena, "%s?wait=true", channel->path);
	outgoing_json(out, &body);
}

const struct channel_kind discord_channel = {.name = "discord", .compose = compose};
