/* The parameters of a call: in the query, a form, JSON, or multipart/form-data. */
#include "sim/telegram_world.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool tg_fail(struct tg_call *call, int status, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(call->problem.words, sizeof(call->problem.words), fmt, args);
	va_end(args);
	call->problem.status = status;
	return false;
}

static void add(struct tg_call *call, struct tg_param param)
{
	if (call->param_count < TG_PARAMS)
		call->params[call->param_count++] = param;
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* "a%20b+c" decoded, with its length. */
static char *decoded(struct arena *arena, const char *text, size_t length, size_t *out_length)
{
	char *out = arena_alloc(arena, length + 1);
	size_t n = 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '%' && i + 2 < length && isxdigit((unsigned char)text[i + 1]) &&
			isxdigit((unsigned char)text[i + 2])) {
			out[n++] = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
			i += 2;
		} else {
			out[n++] = text[i] == '+' ? ' ' : text[i];
		}
	}
	*out_length = n;
	return out;
}

static void take_form(struct tg_call *call, const char *text, size_t length)
{
	const char *end = text + length;
	while (text < end) {
		const char *stop = memchr(text, '&', (size_t)(end - text));
		stop = stop != NULL ? stop : end;
		const char *equals = memchr(text, '=', (size_t)(stop - text));
		size_t ignored;
		struct tg_param param = {.value = ""};
		param.name = decoded(
			call->arena, text, (size_t)((equals != NULL ? equals : stop) - text), &ignored);
		if (equals != NULL)
			param.value = decoded(
				call->arena, equals + 1, (size_t)(stop - equals - 1), &param.length);
		add(call, param);
		text = stop + 1;
	}
}

/* A member's value as a form would have it: a text by itself, everything else as JSON. */
static bool take_json(struct tg_call *call, const char *text, size_t length)
{
	struct json root;
	/* Checked before it is read, which would mend it. */
	if (!tg_is_utf8(text, length))
		return tg_fail(call, 400, "Bad Request: strings must be encoded in UTF-8");
	if (!json_parse(call->arena, text, length, &root, NULL) || json_kind(root) != JSON_OBJECT)
		return tg_fail(call, 400, "Bad Request: can't parse JSON object");
	for (struct json child = json_first(root); json_is(child); child = json_next(child)) {
		size_t n;
		const char *raw = json_raw(child, &n);
		struct tg_param param = {.name = json_key(child, call->arena)};
		if (json_kind(child) == JSON_STRING)
			param.value = json_str(child, call->arena);
		else
			param.value = arena_strndup(call->arena, raw, n);
		param.length = strlen(param.value);
		if (json_kind(child) != JSON_NULL)
			add(call, param);
	}
	return true;
}

static const char *quoted(struct arena *arena, const char *head, const char *name)
{
	const char *at = strstr(head, name);
	if (at == NULL)
		return NULL;
	at += strlen(name);
	return arena_strndup(arena, at, strcspn(at, "\""));
}

/* One part, without its boundary: head, empty line, value. */
static bool take_part(struct tg_call *call, const char *part, size_t length)
{
	const char *end = memmem(part, length, "\r\n\r\n", 4);
	if (end == NULL)
		return false;
	const char *head = arena_strndup(call->arena, part, (size_t)(end - part));
	if (strcasestr(head, "Content-Disposition: form-data;") == NULL)
		return false;
	const char *value = end + 4;
	size_t bytes = length - (size_t)(value - part);
	struct tg_param param = {.name = quoted(call->arena, head, " name=\""),
		.file_name = quoted(call->arena, head, " filename=\""),
		.value = arena_strndup(call->arena, value, bytes),
		.length = bytes};
	if (param.name == NULL)
		return false;
	add(call, param);
	return true;
}

static bool take_multipart(struct tg_call *call, const struct sim_tg_request *request)
{
	const char *boundary = strstr(request->content_type, "boundary=");
	if (boundary == NULL)
		return tg_fail(call, 400, "Bad Request: boundary not found in multipart/form-data");
	boundary += strlen("boundary=");
	const char *mark = arena_printf(call->arena, "--%.*s", (int)strcspn(boundary, "; "), boundary);
	size_t n = strlen(mark);
	const char *at = request->body, *end = request->body + request->body_bytes;
	if (request->body_bytes < n || memcmp(at, mark, n) != 0)
		return tg_fail(
			call, 400, "Bad Request: wrong multipart/form-data: no boundary at its start");
	while (end - at >= (ptrdiff_t)n + 4 && memcmp(at + n, "--", 2) != 0) {
		at += n + 2; /* and the line's end */
		const char *stop = memmem(at, (size_t)(end - at), mark, n);
		if (stop == NULL || stop - at < 2 || !take_part(call, at, (size_t)(stop - at) - 2))
			return tg_fail(call, 400, "Bad Request: wrong multipart/form-data");
		at = stop;
	}
	if (end - at < (ptrdiff_t)n + 2)
		return tg_fail(call, 400, "Bad Request: multipart/form-data is not ended");
	return true;
}

static bool take_body(struct tg_call *call, const struct sim_tg_request *request)
{
	const char *type = request->content_type != NULL ? request->content_type : "";
	if (request->body == NULL || request->body_bytes == 0)
		return true;
	if (strncasecmp(type, "application/json", 16) == 0)
		return take_json(call, request->body, request->body_bytes);
	if (strncasecmp(type, "multipart/form-data", 19) == 0)
		return take_multipart(call, request);
	if (strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0)
		take_form(call, request->body, request->body_bytes);
	return true; /* of any other type, the body is not looked at */
}

bool tg_call_params(struct tg_call *call, const struct sim_tg_request *request, const char *query)
{
	take_form(call, query, strlen(query));
	if (!take_body(call, request))
		return false;
	for (int i = 0; i < call->param_count; i++)
		if (call->params[i].file_name == NULL &&
			(!tg_is_utf8(call->params[i].value, call->params[i].length) ||
				strlen(call->params[i].value) != call->params[i].length))
			return tg_fail(call, 400, "Bad Request: strings must be encoded in UTF-8");
	return true;
}

const struct tg_param *tg_param(const struct tg_call *call, const char *name)
{
	for (int i = 0; i < call->param_count; i++)
		if (strcasecmp(call->params[i].name, name) == 0)
			return &call->params[i];
	return NULL;
}

const char *tg_arg(const struct tg_call *call, const char *name)
{
	const struct tg_param *param = tg_param(call, name);
	return param != NULL && param->file_name == NULL ? param->value : "";
}

int64_t tg_arg_int(const struct tg_call *call, const char *name, int64_t otherwise)
{
	const char *text = tg_arg(call, name);
	char *end;
	long long value = strtoll(text, &end, 10);
	return end == text ? otherwise : value;
}

bool tg_arg_bool(const struct tg_call *call, const char *name)
{
	const char *text = tg_arg(call, name);
	return strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 || strcmp(text, "1") == 0;
}

bool tg_arg_json(struct tg_call *call, const char *name, enum json_kind kind, struct json *value)
{
	const char *text = tg_arg(call, name);
	*value = (struct json){0};
	if (text[0] == '\0')
		return true;
	return json_parse(call->arena, text, strlen(text), value, NULL) && json_kind(*value) == kind;
}
