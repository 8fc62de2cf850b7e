/*
 * A plain webhook: what happened as JSON, for n8n, Home Assistant and the like.
 *   {"homeostat": HOST, "id", "at", "severity", "title", "text",
 *    "notices": [{"event", "at", "ok", "text", "incident": {"id", "component", …} or null}]}
 */
#include "base/json.h"
#include "base/redact.h"
#include "report/notify/channel.h"

#define TEXT_BYTES 16000

static void put_text(struct json_out *out, const char *key, const char *text)
{
	char copy[1024];
	STR_SET(copy, text);
	redact(copy, sizeof(copy));
	json_put_str(out, key, copy);
}

static void put_time(struct json_out *out, const char *key, int64_t at)
{
	char text[32];
	str_rfc3339(text, at);
	json_put_str(out, key, text);
}

static void put_incident(struct json_out *out, const struct incident *incident)
{
	if (incident->id == 0) {
		json_put_str(out, "incident", NULL);
		return;
	}
	json_open(out, "incident", '{');
	json_put_int(out, "id", incident->id);
	put_text(out, "component", incident->component.name);
	put_text(out, "issue", incident->issue);
	json_put_str(out, "severity", severity_name(incident->severity));
	json_put_str(out, "state", life_state_name(incident->state));
	json_put_str(out, "risk", risk_name(incident->plan.risk));
	put_text(out, "action", incident->plan.title);
	put_text(out, "actor", incident->actor);
	json_close(out, '}');
}

static void put_notice(struct json_out *out, const struct notice *notice)
{
	json_open(out, NULL, '{');
	json_put_str(out, "event", notify_event_name(notice_event(notice->kind)));
	put_time(out, "at", notice->at);
	json_put_bool(out, "ok", notice->ok);
	put_text(out, "text", notice->text);
	put_incident(out, &notice->incident);
	json_close(out, '}');
}

static void compose(const struct channel *channel, const struct told *told, struct outgoing *out,
	struct arena *arena)
{
	struct str body;
	struct json_out json;
	str_init(&body, arena);
	json_begin(&json, &body);
	json_open(&json, NULL, '{');
	json_put_str(&json, "homeostat", told->host);
	json_put_str(&json, "id", told->id);
	put_time(&json, "at", told->at);
	json_put_str(&json, "severity", severity_name(told->severity));
	json_put_str(&json, "title", told->title);
	json_put_str(&json, "text", told_cut(told->text, TEXT_BYTES, arena));
	json_open(&json, "notices", '[');
	for (int i = 0; i < told->count; i++)
		put_notice(&json, told->notices[i]);
	json_close(&json, ']');
	json_close(&json, '}');
	out->path = channel->path[0] != '\0' ? channel->path : "/";
	out->headers[0] = channel_bearer(channel, arena);
	outgoing_json(out, &body);
}

const struct channel_kind webhook_channel = {.name = "webhook", .compose = compose};
