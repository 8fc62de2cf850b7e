/* A container's last lines: GET /containers/ID/logs. */
#include <string.h>

#include "base/http.h"
#include "base/str.h"
#include "client/docker_internal.h"

#define HEAD_BYTES 8

/* Docker Engine API, "Stream format": {1 or 2, 0, 0, 0, length as 4 bytes, the highest first}. 0:
 * no such head. */
static size_t frame_at(const unsigned char *at, size_t left, size_t *payload)
{
	if (left < HEAD_BYTES || at[0] > 2 || at[1] != 0 || at[2] != 0 || at[3] != 0)
		return 0;
	size_t length = (size_t)at[4] << 24 | (size_t)at[5] << 16 | (size_t)at[6] << 8 | at[7];
	*payload = length < left - HEAD_BYTES ? length : left - HEAD_BYTES;
	return HEAD_BYTES + *payload;
}

size_t docker_logs_plain(char *body, size_t length)
{
	size_t kept = 0, payload;
	for (size_t at = 0; at < length;) {
		size_t frame = frame_at((const unsigned char *)body + at, length - at, &payload);
		if (frame == 0) { /* a terminal's, or cut */
			memmove(body + kept, body + at, length - at);
			kept += length - at;
			break;
		}
		memmove(body + kept, body + at + HEAD_BYTES, payload);
		kept += payload;
		at += frame;
	}
	for (size_t i = 0; i < kept; i++)
		if (body[i] == '\0' || body[i] == '\r')
			body[i] = ' ';
	return kept;
}

static void add_time(struct str *path, const char *name, int64_t ms)
{
	if (ms > 0)
		str_addf(path, "&%s=%lld.%03d", name, (long long)(ms / 1000), (int)(ms % 1000));
}

bool docker_logs(struct docker *docker, const char *id, const struct docker_logs *which,
	struct arena *arena, char **text, struct err *err)
{
	struct str path;
	str_init(&path, arena);
	str_addf(&path, "/containers/%s/logs?stdout=1&stderr=1&tail=%d", http_encode(arena, id),
		which->lines);
	add_time(&path, "since", which->since_ms);
	add_time(&path, "until", which->until_ms);
	struct http_request request = {.method = "GET",
		.path = path.s,
		.timeout_ms = which->timeout_ms,
		.limit_bytes = which->limit_bytes};
	struct http_reply reply;
	if (!docker_ask(docker, &request, arena, &reply, err))
		return false;
	char *copy = arena_try(arena, reply.body_bytes + 1);
	if (copy == NULL)
		return err_set(err, ERR_INPUT, "%s: the log is too large", docker->name);
	memcpy(copy, reply.body, reply.body_bytes);
	copy[docker_logs_plain(copy, reply.body_bytes)] = '\0';
	*text = copy;
	return true;
}
