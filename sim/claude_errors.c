/* Errors as the real servers write them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/claude_world.h"

static const struct {
	int status;
	const char *reason, *type, *message;
} errors[] = {
	{400, "Bad Request", "invalid_request_error", "Error"},
	{401, "Unauthorized", "authentication_error", "invalid x-api-key"},
	{402, "Payment Required", "billing_error", "Your account has a billing problem"},
	{403, "Forbidden", "permission_error", "Your API key does not have permission"},
	{404, "Not Found", "not_found_error", "model: unknown"},
	{408, "Request Timeout", "timeout_error", "Request timed out"},
	{409, "Conflict", "conflict_error", "Conflict"},
	{413, "Request Entity Too Large", "request_too_large", "Request exceeds the maximum size"},
	{429, "Too Many Requests", "rate_limit_error",
		"This request would exceed your organization's rate limit of 50 requests per minute"},
	{500, "Internal Server Error", "api_error", "Internal server error"},
	{502, "Bad Gateway", "api_error", "Bad gateway"},
	{503, "Service Unavailable", "api_error", "Service unavailable"},
	{504, "Gateway Timeout", "timeout_error", "Request timed out"},
	{529, "Overloaded", "overloaded_error", "Overloaded"},
};

static void put_error(
	struct claude_case *at, int status, const char *type, const char *code, const char *message)
{
	struct str body;
	struct json_out out;
	str_init(&body, at->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	if (!at->is_chat)
		json_put_str(&out, "type", "error");
	json_open(&out, "error", '{');
	json_put_str(&out, "type", type);
	json_put_str(&out, "message", message);
	if (at->is_chat) {
		json_put_str(&out, "param", NULL);
		json_put_str(&out, "code", NULL);
	} else if (code != NULL) {
		json_open(&out, "details", '{');
		json_put_str(&out, "error_code", code);
		json_close(&out, '}');
	}
	json_close(&out, '}');
	if (!at->is_chat)
		json_put_str(&out, "request_id", at->request_id);
	json_close(&out, '}');
	at->reply->status = status;
	at->reply->reason = "Error";
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].status == status)
			at->reply->reason = errors[i].reason;
	at->reply->body = body.s;
	at->reply->body_bytes = body.len;
}

bool claude_error(struct claude_case *at, int status, const char *type, const char *fmt, ...)
{
	char message[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	at->sim->refused++;
	STR_SET(at->sim->why, message);
	put_error(at, status, type, NULL, message);
	return false;
}

bool claude_wrong(struct claude_case *at, const char *fmt, ...)
{
	char message[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	return claude_error(at, 400, "invalid_request_error", "%s", message);
}

static void add_header(struct claude_case *at, const char *name, const char *value)
{
	at->reply->headers = arena_printf(at->arena, "%s%s: %s\r\n", at->reply->headers, name, value);
}

/* STATUS [after=TEXT] [after-ms=N] [retry=…] [type=T] [code=C] [say=TEXT]; say is the last, after
 * may hold the spaces of a date. */
void claude_play_error(struct claude_case *at, char *words)
{
	static const char *const names[] = {
		" after=", " after-ms=", " retry=", " type=", " code=", " say="};
	char *values[6] = {0};
	int status = (int)strtol(words, NULL, 10);
	const char *type = "api_error", *message = "Error";
	for (size_t i = 0; i < 6; i++)
		values[i] = strstr(words, names[i]);
	for (size_t i = 0; i < 6; i++)
		if (values[i] != NULL) {
			*values[i] = '\0';
			values[i] += strlen(names[i]);
		}
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].status == status) {
			type = errors[i].type;
			message = errors[i].message;
		}
	if (values[0] != NULL)
		add_header(at, "retry-after", values[0]);
	if (values[1] != NULL)
		add_header(at, "retry-after-ms", values[1]);
	if (values[2] != NULL)
		add_header(at, "x-should-retry", values[2]);
	put_error(at, status, values[3] != NULL ? values[3] : type, values[4],
		values[5] != NULL ? values[5] : message);
}

void claude_spend(struct claude_case *at, int status)
{
	if (status == 400)
		put_error(at, 400, "invalid_request_error", NULL,
			"You have reached your specified API usage limits. You will regain access on "
			"2026-12-01 at 00:00 UTC.");
	else
		put_error(at, 429, "rate_limit_error", "enforced_spend_limit_reached",
			"Your organization has reached its monthly spend limit");
}
