/*
 * Headers of 2026-07-28: parameters that a tool's schema wants mirrored (x-mcp-header), and values
 * that are not plain ASCII.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "client/mcp_internal.h"

#define DEPTH_MAX 16
#define HEADER_NAME_BYTES 64

struct names {
	char name[MCP_HEADERS_MAX][HEADER_NAME_BYTES];
	int count;
};

/* A token of RFC 9110. */
static bool is_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (!isalnum((unsigned char)*text) && strchr("!#$%&'*+-.^_`|~", *text) == NULL)
			return false;
	return true;
}

static bool add_name(struct names *names, struct json header, struct json property)
{
	char name[HEADER_NAME_BYTES + 1], type[16];
	if (names->count == MCP_HEADERS_MAX || json_kind(header) != JSON_STRING)
		return false;
	json_copy(header, name, sizeof(name));
	if (!is_token(name) || strlen(name) >= HEADER_NAME_BYTES)
		return false;
	json_copy(json_get(property, "type"), type, sizeof(type));
	if (strcmp(type, "string") != 0 && strcmp(type, "integer") != 0 && strcmp(type, "boolean") != 0)
		return false;
	for (int i = 0; i < names->count; i++)
		if (strcasecmp(names->name[i], name) == 0)
			return false;
	STR_SET(names->name[names->count], name);
	names->count++;
	return true;
}

static bool walk(struct json schema, int depth, struct names *names)
{
	struct json properties = json_get(schema, "properties");
	if (json_kind(properties) != JSON_OBJECT)
		return true;
	if (depth == DEPTH_MAX)
		return false;
	for (struct json p = json_first(properties); json_is(p); p = json_next(p)) {
		struct json header = json_get(p, "x-mcp-header");
		if (json_is(header) && !add_name(names, header, p))
			return false;
		if (!walk(p, depth + 1, names))
			return false;
	}
	return true;
}

bool mcp_header_valid(struct json schema, bool *has)
{
	struct names names = {.count = 0};
	bool valid = walk(schema, 0, &names);
	*has = names.count > 0;
	return valid;
}

static bool is_plain(const char *text)
{
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i++)
		if (text[i] < 0x20 || text[i] > 0x7E)
			return false;
	if (length > 0 && (text[0] == ' ' || text[length - 1] == ' '))
		return false;
	return !(str_starts(text, "=?base64?") && str_ends(text, "?="));
}

static void add_base64(struct str *out, const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i += 3) {
		unsigned group = (unsigned)(unsigned char)text[i] << 16;
		if (i + 1 < length)
			group |= (unsigned)(unsigned char)text[i + 1] << 8;
		if (i + 2 < length)
			group |= (unsigned)(unsigned char)text[i + 2];
		str_addc(out, digits[group >> 18]);
		str_addc(out, digits[group >> 12 & 63]);
		str_addc(out, i + 1 < length ? digits[group >> 6 & 63] : '=');
		str_addc(out, i + 2 < length ? digits[group & 63] : '=');
	}
}

const char *mcp_header_value(const char *text, struct arena *arena)
{
	struct str out;
	if (is_plain(text))
		return text;
	str_init(&out, arena);
	str_add(&out, "=?base64?");
	add_base64(&out, text);
	str_add(&out, "?=");
	return out.full ? NULL : out.s;
}

/* The argument that a property's key names; keys are compared as they mean, not as they stand. */
static struct json argument_of(struct json arguments, struct json property, struct arena *arena)
{
	const char *key = json_key(property, arena);
	return key != NULL ? json_get(arguments, key) : (struct json){0};
}

static int mirror(struct json schema, struct json arguments, struct arena *arena,
	const char **headers, struct names *room)
{
	int n = 0;
	for (struct json p = json_first(json_get(schema, "properties")); json_is(p); p = json_next(p)) {
		char name[HEADER_NAME_BYTES];
		struct json value = argument_of(arguments, p, arena);
		if (json_kind(value) == JSON_OBJECT)
			n += mirror(p, value, arena, headers + n, room);
		const char *text = json_str(value, arena);
		if (text == NULL || !json_copy(json_get(p, "x-mcp-header"), name, sizeof(name)) ||
			room->count == 0)
			continue;
		const char *line = mcp_header_value(text, arena);
		line = line != NULL ? arena_printf(arena, "Mcp-Param-%s: %s", name, line) : NULL;
		/* curl sends a header that is empty only when it ends in a semicolon */
		if (line != NULL && text[0] == '\0')
			line = arena_printf(arena, "Mcp-Param-%s;", name);
		if (line == NULL)
			continue;
		headers[n++] = line;
		room->count--;
	}
	return n;
}

int mcp_header_mirror(
	struct json schema, struct json arguments, struct arena *arena, const char **headers, int room)
{
	struct names left = {.count = room};
	return mirror(schema, arguments, arena, headers, &left);
}
