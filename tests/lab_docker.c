/* The lab's Docker engine: any unix socket, ssh, and the engine's ports. */
#include "tests/lab_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sim/docker.h"

struct stream {
	int64_t since_ns;
	uint64_t seq, generation;
	struct arena *arena;
};

static bool is_at(const struct http_config *config)
{
	const char *url = config->base_url != NULL ? config->base_url : "";
	return config->unix_socket != NULL || config->dial != NULL || str_ends(url, ":2375") ||
		str_ends(url, ":2376");
}

static void *make(const struct clock *clock)
{
	return sim_docker_new(clock);
}

static void end(void *self)
{
	sim_docker_free(self);
}

static void tick(void *self)
{
	sim_docker_tick(self);
}

static bool script(void *self, const char *line, char *text, size_t size)
{
	return sim_docker_script(self, line, text, size);
}

static int posts(void *self, const char *pattern)
{
	return sim_docker_posts(self, pattern);
}

static bool fault_of_engine(const struct sim_docker *sim, struct err *err)
{
	switch (sim_docker_fault(sim)) {
	case SIM_REFUSED:
		return !err_set(err, ERR_RETRY, "docker local: connection refused");
	case SIM_FROZEN:
		return !err_set(err, ERR_TIMEOUT, "docker local: no answer in 5 s");
	case SIM_DENIED:
		return !err_set(err, ERR_DENIED, "docker local: permission denied");
	case SIM_TRUNCATED:
		return !err_set(err, ERR_RETRY, "docker local: the answer broke off");
	case SIM_OK:
	case SIM_GARBAGE:
	case SIM_HTML:
		break;
	}
	return false;
}

static bool exchange(struct sim_docker *sim, const struct http_request *request,
	struct arena *arena, struct sim_reply *answer, struct err *err)
{
	if (fault_of_engine(sim, err))
		return false;
	sim_docker_handle(sim, request->method, request->path, arena, answer);
	if (sim_docker_fault(sim) == SIM_GARBAGE)
		answer->body = "{\"Id\": \x01 [[[[";
	if (sim_docker_fault(sim) == SIM_HTML)
		answer->body = "<html><body>It works!</body></html>";
	return true;
}

static bool perform(void *self, const struct http *http, const struct http_request *request,
	struct arena *arena, struct http_reply *reply, struct err *err)
{
	struct sim_reply answer;
	(void)http;
	if (!exchange(self, request, arena, &answer, err))
		return false;
	reply->status = answer.status;
	reply->body_bytes = answer.body_bytes > 0 ? answer.body_bytes : strlen(answer.body);
	reply->body = ARENA_ARRAY(arena, char, reply->body_bytes + 1);
	memcpy(reply->body, answer.body, reply->body_bytes);
	return true;
}

static void *stream(
	void *self, const struct http *http, const struct http_request *request, struct err *err)
{
	struct sim_reply answer;
	auto_arena arena = arena_new(1 << 20);
	(void)http;
	if (!exchange(self, request, arena, &answer, err))
		return NULL;
	if (!answer.is_stream) {
		err_set(err, ERR_RETRY, "status %d", answer.status);
		return NULL;
	}
	struct stream *made = calloc(1, sizeof(*made));
	if (made == NULL)
		abort();
	made->since_ns = answer.since_ns;
	made->generation = sim_docker_generation(self);
	return made;
}

static enum http_next next(void *self, void *of_world, const char **line, size_t *length)
{
	struct stream *stream = of_world;
	if (sim_docker_generation(self) != stream->generation)
		return HTTP_END;
	arena_free(stream->arena);
	stream->arena = arena_new(1 << 16);
	*line = sim_docker_event(self, stream->since_ns, &stream->seq, stream->arena);
	if (*line == NULL)
		return HTTP_IDLE;
	*length = strlen(*line);
	return HTTP_LINE;
}

static void close_stream(void *of_world)
{
	struct stream *stream = of_world;
	arena_free(stream->arena);
	free(stream);
}

const struct lab_world lab_docker = {
	.name = "docker",
	.is_at = is_at,
	.make = make,
	.end = end,
	.tick = tick,
	.script = script,
	.posts = posts,
	.perform = perform,
	.stream = stream,
	.next = next,
	.close = close_stream,
};
