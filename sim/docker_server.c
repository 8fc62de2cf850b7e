/*
 * The simulated engine on a unix socket. The world has one thread; connections ask it by mail.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/http.h"
#include "base/mailbox.h"
#include "base/server.h"
#include "sim/docker.h"

#define TICK_MS 20
#define LINES_MAX 256

enum ask_kind { ASK_REQUEST, ASK_EVENTS };

/* Lives on the asking thread's stack until it is answered. */
struct ask {
	enum ask_kind kind;
	const char *method, *url;
	struct arena *arena;
	struct sim_reply reply;
	int64_t since_ns;
	uint64_t seq, generation;
	const char *line;
	enum sim_fault fault;
	struct mailbox *answer;
};

struct script_line {
	int64_t at_ms; /* mono */
	char text[256];
	bool done;
};

struct engine {
	struct sim_docker *sim;
	struct clock *clock;
	struct mailbox *asks;
	struct server *server;
	const char *socket;
	struct script_line lines[LINES_MAX];
	int line_count;
};

static void post(struct mailbox *box, void *body)
{
	struct arena *arena = arena_new(1024);
	mailbox_send(box, 0, &arena, body);
}

/* Asks the world and waits for it. False: the world has ended. */
static bool consult(struct engine *engine, struct ask *ask)
{
	ask->answer = mailbox_new(1);
	post(engine->asks, ask);
	struct mail *mail = mailbox_is_closed(engine->asks) ? NULL : mailbox_receive(ask->answer, -1);
	mail_free(mail);
	mailbox_free(ask->answer);
	return mail != NULL;
}

struct stream {
	struct engine *engine;
	int64_t since_ns;
};

static void stream_events(void *ctx, server_write_fn *write, void *sink, int stop_fd)
{
	struct stream *stream = ctx;
	struct ask ask = {.kind = ASK_EVENTS, .since_ns = stream->since_ns};
	uint64_t generation = 0;
	bool first = true;
	for (;;) {
		auto_arena arena = arena_new(1 << 20);
		ask.arena = arena;
		if (!consult(stream->engine, &ask) || (!first && ask.generation != generation))
			return;
		generation = ask.generation;
		if (ask.line != NULL && (!write(sink, ask.line, strlen(ask.line)) || !write(sink, "\n", 1)))
			return;
		/* Only what comes from now on, when no `since` was given. */
		if (first && stream->since_ns == INT64_MAX)
			ask.since_ns = 0;
		first = false;
		if (ask.line == NULL && !clock_wait(stream->engine->clock, TICK_MS, stop_fd))
			return;
	}
}

/* The request's path and the arguments that the API knows, encoded again. */
static const char *url_of(const struct server_request *request)
{
	static const char *const names[] = {
		"all", "filters", "since", "until", "t", "signal", "stdout", "stderr", "tail"};
	struct str url;
	str_init(&url, request->arena);
	str_add(&url, request->path);
	char separator = '?';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = server_query(request, names[i]);
		if (value == NULL)
			continue;
		str_addf(&url, "%c%s=%s", separator, names[i], http_encode(request->arena, value));
		separator = '&';
	}
	return url.s;
}

static void handle(void *ctx, const struct server_request *request, struct server_reply *reply)
{
	struct engine *engine = ctx;
	struct ask ask = {.kind = ASK_REQUEST, .method = request->method, .arena = request->arena};
	ask.url = url_of(request);
	if (!consult(engine, &ask)) {
		reply->status = 503;
		return;
	}
	reply->status = ask.reply.status;
	reply->content_type = "application/json";
	reply->body = ask.reply.body;
	reply->body_bytes = ask.reply.body_bytes;
	if (reply->body_bytes == 0 && ask.reply.body != NULL)
		reply->body_bytes = strlen(ask.reply.body);
	if (ask.fault == SIM_HTML) {
		reply->content_type = "text/html";
		reply->body = "<html><body>It works!</body></html>";
		reply->body_bytes = strlen(reply->body);
	}
	if (ask.reply.is_stream) {
		struct stream *stream = ARENA_NEW(request->arena, struct stream);
		*stream = (struct stream){engine, ask.reply.since_ns};
		reply->body = NULL;
		reply->stream = stream_events;
		reply->stream_ctx = stream;
	}
}

static void answer(struct engine *engine, struct ask *ask)
{
	if (ask->kind == ASK_REQUEST) {
		sim_docker_handle(engine->sim, ask->method, ask->url, ask->arena, &ask->reply);
	} else {
		sim_docker_tick(engine->sim);
		ask->line = sim_docker_event(engine->sim, ask->since_ns, &ask->seq, ask->arena);
	}
	ask->generation = sim_docker_generation(engine->sim);
	ask->fault = sim_docker_fault(engine->sim);
	post(ask->answer, NULL);
}

/* An engine that is down does not listen. */
static bool listen_as_told(struct engine *engine)
{
	bool up = sim_docker_fault(engine->sim) != SIM_REFUSED;
	struct err err = {0};
	if (up && engine->server == NULL) {
		struct server_config config = {
			.unix_socket = engine->socket, .socket_mode = 0600, .handler = handle, .ctx = engine};
		engine->server = server_start(&config, &err);
		if (engine->server == NULL)
			fprintf(stderr, "sim-docker: %s\n", err.text);
		return engine->server != NULL;
	}
	return true;
}

static void run_script(struct engine *engine)
{
	char text[256];
	for (int i = 0; i < engine->line_count; i++) {
		struct script_line *line = &engine->lines[i];
		if (line->done || clock_mono_ms(engine->clock) < line->at_ms)
			continue;
		line->done = true;
		if (!sim_docker_script(engine->sim, line->text, text, sizeof(text)))
			fprintf(stderr, "sim-docker: %s: %s\n", line->text, text);
	}
}

static void read_script(struct engine *engine, char **lines)
{
	for (; *lines != NULL && engine->line_count < LINES_MAX; lines++) {
		long ms = 0;
		int skip = 0;
		if (sscanf(*lines, "after %ld %n", &ms, &skip) != 1)
			skip = 0;
		struct script_line *next = &engine->lines[engine->line_count++];
		next->at_ms = clock_mono_ms(engine->clock) + ms;
		str_copy(next->text, sizeof(next->text), *lines + skip);
	}
}

/* A server that stops waits for its connections, and they for the world: so it is answered on. */
static void *stop_server(void *arg)
{
	server_stop(arg);
	return NULL;
}

static void serve_asks(struct engine *engine, int64_t wait_ms)
{
	struct mail *mail = mailbox_receive(engine->asks, wait_ms);
	while (mail != NULL) {
		answer(engine, mail->body);
		mail_free(mail);
		mail = mailbox_receive(engine->asks, 0);
	}
}

static void stop_listening(struct engine *engine)
{
	pthread_t thread;
	if (engine->server == NULL || pthread_create(&thread, NULL, stop_server, engine->server) != 0)
		return;
	while (pthread_tryjoin_np(thread, NULL) == EBUSY)
		serve_asks(engine, 5);
	engine->server = NULL;
}

int sim_docker_main(int argc, char **argv)
{
	if (argc < 2) {
		fputs("usage: sim-docker SOCKET [\"after MS LINE\"]…\n", stderr);
		return 2;
	}
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	struct pollfd signals = {.fd = signalfd(-1, &set, SFD_CLOEXEC), .events = POLLIN};
	struct engine *engine = calloc(1, sizeof(*engine));
	if (engine == NULL || signals.fd < 0)
		abort();
	engine->socket = argv[1];
	engine->clock = clock_new_real();
	engine->sim = sim_docker_new(engine->clock);
	engine->asks = mailbox_new(1024);
	read_script(engine, argv + 2);
	bool ok = true;
	while (ok && poll(&signals, 1, 0) == 0) {
		run_script(engine);
		sim_docker_tick(engine->sim);
		if (sim_docker_fault(engine->sim) == SIM_REFUSED)
			stop_listening(engine);
		ok = listen_as_told(engine);
		serve_asks(engine, 5);
	}
	stop_listening(engine);
	mailbox_free(engine->asks);
	sim_docker_free(engine->sim);
	clock_free(engine->clock);
	close(signals.fd);
	free(engine);
	return ok ? 0 : 1;
}
