/* Server-sent events, as far as MCP uses them (WHATWG HTML, 9.2.6): data lines and empty lines. */
#include <string.h>

#include "client/mcp_internal.h"

void mcp_sse_next(struct mcp_sse *sse, struct arena *arena)
{
	str_init(&sse->data, arena);
	sse->has_data = false;
}

bool mcp_sse_line(struct mcp_sse *sse, const char *line, size_t length)
{
	/* an event without data only primes the stream, to be resumed from its id */
	if (length == 0) {
		bool whole = sse->has_data && sse->data.len > 0;
		if (!whole)
			sse->has_data = false;
		return whole;
	}
	if (length < 4 || memcmp(line, "data", 4) != 0 || (length > 4 && line[4] != ':'))
		return false;
	line += length > 4 ? 5 : 4;
	length -= length > 4 ? 5 : 4;
	if (length > 0 && *line == ' ') {
		line++;
		length--;
	}
	if (sse->has_data)
		str_addc(&sse->data, '\n');
	str_addn(&sse->data, line, length);
	sse->has_data = true;
	return false;
}
