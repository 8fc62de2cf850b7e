/*
 * http.h's functions, and clock_wait, by ld --wrap: a call goes to the world that stands at its
 * address.
 *
 * Time. An answer that the real server gives within the call's deadline is given at once: the lab
 * is one thread, and a clock that moved under a call would hold the core's timers back, which runs
 * on in the real daemon. What a world says it holds longer than the deadline (held_ms) is
 * ERR_TIMEOUT, with its effect on the world, and moves no clock either; so a call that asks one
 * address after another finds more of its time left than a real one would. How long calls take is
 * measured over sockets (test_proxmox_sim), not here. Who waits of his own accord (clock_wait: for
 * a task's end) takes that time in full.
 */
#include "tests/lab_internal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* One a line. */
const struct lab_world *const lab_worlds[] = {
	&lab_docker,
	&lab_pve,
	&lab_telegram,
	&lab_claude,
	&lab_host,
	&lab_net,
	NULL,
};

struct http_stream {
	const struct lab_world *world;
	void *of_world;
};

struct http *__wrap_http_open(const struct http_config *config);
void __wrap_http_close(struct http *http);
bool __wrap_http_perform(struct http *http, const struct http_request *request, struct arena *arena,
	struct http_reply *reply, struct err *err);
struct http_stream *__wrap_http_stream_open(
	struct http *http, const struct http_request *request, struct err *err);
enum http_next __wrap_http_stream_next(struct http_stream *stream, const char **line,
	size_t *length, int64_t timeout_ms, struct err *err);
void __wrap_http_stream_close(struct http_stream *stream);
bool __wrap_clock_wait(const struct clock *clock, int64_t ms, int stop_fd);

void *lab_world(struct lab *lab, const struct lab_world *world)
{
	for (int i = 0; lab_worlds[i] != NULL; i++)
		if (lab_worlds[i] == world)
			return lab->worlds[i];
	abort();
}

bool lab_error(const struct http *http, const struct http_request *request, struct err *err)
{
	err_prefix(err, "%s %.80s", request->method, request->path);
	return err_prefix(err, "%s", http->config.name);
}

static const char *copy_of(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

struct http *__wrap_http_open(const struct http_config *config)
{
	struct http *http = calloc(1, sizeof(*http));
	if (http == NULL)
		abort();
	http->config = *config;
	http->config.base_url = copy_of(config->base_url);
	http->config.fingerprint = copy_of(config->fingerprint);
	http->config.ca_file = copy_of(config->ca_file);
	http->config.name = copy_of(config->name != NULL ? config->name : config->base_url);
	if (http->config.connect_timeout_ms == 0)
		http->config.connect_timeout_ms = 5000;
	http->world = -1;
	for (int i = 0; lab_worlds[i] != NULL && http->world < 0; i++)
		if (lab_worlds[i]->is_at(config))
			http->world = i;
	return http;
}

static void free_text(const char *text)
{
	free((void *)(uintptr_t)text);
}

void __wrap_http_close(struct http *http)
{
	if (http == NULL)
		return;
	free_text(http->config.base_url);
	free_text(http->config.fingerprint);
	free_text(http->config.ca_file);
	free_text(http->config.name);
	free(http);
}

/* Whether the call at hand is the one that is to fail, at this side of its effect. */
static bool fails_now(enum lab_fault when)
{
	struct lab *lab = lab_current;
	if (lab->http_at == 0 || lab->calls != lab->http_at || lab->http_when != when)
		return false;
	lab->http_at = 0;
	lab->happened = true;
	return true;
}

/* Counts a call to any world; false: it does not get there. */
static bool set_out(const struct http *http, const struct http_request *request, struct err *err)
{
	struct lab *lab = lab_current;
	lab->calls++;
	if (strcmp(request->method, "POST") == 0 && ++lab->burst > lab->most)
		lab->most = lab->burst;
	if (fails_now(FAULT_BEFORE))
		return err_set(err, ERR_RETRY, "injected: the connection broke");
	if (http->world >= 0)
		return true;
	err_set(err, ERR_RETRY, "no world of the lab stands at %s", http->config.base_url);
	return lab_error(http, request, err);
}

bool __wrap_http_perform(struct http *http, const struct http_request *request, struct arena *arena,
	struct http_reply *reply, struct err *err)
{
	struct http_reply answer = {.retry_after_s = -1};
	*reply = answer;
	if (!set_out(http, request, err))
		return false;
	void *self = lab_current->worlds[http->world];
	if (!lab_worlds[http->world]->perform(self, http, request, arena, &answer, err)) {
		reply->unsent = answer.unsent;
		return false;
	}
	if (fails_now(FAULT_AFTER))
		return err_set(err, ERR_TIMEOUT, "injected: no answer");
	size_t limit = request->limit_bytes > 0 ? request->limit_bytes : (size_t)8 << 20;
	if (answer.body_bytes > limit) {
		err_set(err, ERR_INPUT, "the answer is larger than %zu bytes", limit);
		return lab_error(http, request, err);
	}
	*reply = answer;
	return true;
}

struct http_stream *__wrap_http_stream_open(
	struct http *http, const struct http_request *request, struct err *err)
{
	if (!set_out(http, request, err))
		return NULL;
	const struct lab_world *world = lab_worlds[http->world];
	if (world->stream == NULL) {
		err_set(err, ERR_RETRY, "nothing streams in the lab's %s", world->name);
		return NULL;
	}
	void *of_world = world->stream(lab_current->worlds[http->world], http, request, err);
	if (of_world == NULL)
		return NULL;
	if (fails_now(FAULT_AFTER)) {
		world->close(of_world);
		err_set(err, ERR_TIMEOUT, "injected: no answer");
		return NULL;
	}
	struct http_stream *stream = calloc(1, sizeof(*stream));
	if (stream == NULL)
		abort();
	*stream = (struct http_stream){.world = world, .of_world = of_world};
	return stream;
}

enum http_next __wrap_http_stream_next(struct http_stream *stream, const char **line,
	size_t *length, int64_t timeout_ms, struct err *err)
{
	(void)timeout_ms;
	(void)err;
	return stream->world->next(
		lab_world(lab_current, stream->world), stream->of_world, line, length);
}

void __wrap_http_stream_close(struct http_stream *stream)
{
	if (stream != NULL)
		stream->world->close(stream->of_world);
	free(stream);
}

bool __wrap_clock_wait(const struct clock *clock, int64_t ms, int stop_fd)
{
	struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
	if (clock == lab_current->clock && ms > 0)
		clock_advance(lab_current->clock, ms);
	return poll(&stop, 1, 0) <= 0;
}
