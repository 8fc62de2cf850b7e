/*
 * A simulated server on a socket. Its own few lines of HTTP/1.1, because what counts here is what
 * servers hide: the reason phrase, answers that come late, are cut or never come, and the
 * connection that each error ends. One thread, one loop; the world belongs to it.
 */
#include "sim/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

#define PEERS 64
#define REQUEST_BYTES 262144
#define LINES_MAX 256
#define IDLE_MS 5000 /* as the real one's keep-alive */

struct peer {
	int fd; /* -1: free */
	char *in;
	size_t in_bytes;
	char *out;
	size_t out_bytes, sent;
	int64_t due_ms; /* when the answer leaves */
	int64_t heard_ms;
	bool is_silent, closes, has_answer;
};

struct script_line {
	int64_t at_ms;
	char text[512];
	bool done;
};

struct sim_host {
	struct sim_service service;
	size_t request_max;
	int listener, port;
	struct peer peers[PEERS];
	struct script_line lines[LINES_MAX];
	int line_count;
};

static void drop(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	free(peer->in);
	free(peer->out);
	*peer = (struct peer){.fd = -1};
}

const char *sim_header(const struct sim_request *request, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = strstr(request->head, "\r\n"); at != NULL; at = strstr(at, "\r\n")) {
		at += 2;
		if (strncasecmp(at, name, length) != 0 || at[length] != ':')
			continue;
		at += length + 1;
		at += strspn(at, " ");
		return arena_strndup(request->arena, at, strcspn(at, "\r"));
	}
	return NULL;
}

/* head and body of one answer into the peer's own memory. */
static void put_answer(struct peer *peer, const struct sim_reply *reply)
{
	char *text = NULL;
	size_t body_bytes = reply->body_bytes;
	int head_bytes = asprintf(&text,
		"HTTP/1.1 %d %s\r\n%sConnection: %s\r\nContent-Length: %zu\r\nContent-Type: %s\r\n\r\n",
		reply->status, reply->reason, reply->headers != NULL ? reply->headers : "",
		reply->closes ? "close" : "Keep-Alive", body_bytes, reply->content_type);
	if (head_bytes < 0)
		abort();
	if (reply->wire == SIM_TRUNCATED)
		body_bytes /= 2;
	peer->out = realloc(text, (size_t)head_bytes + body_bytes + 1);
	if (peer->out == NULL)
		abort();
	memcpy(peer->out + head_bytes, reply->body, body_bytes);
	peer->out_bytes = (size_t)head_bytes + body_bytes;
	peer->sent = 0;
	peer->closes = reply->closes || reply->wire == SIM_TRUNCATED;
}

static void ask_world(struct sim_host *server, struct peer *peer, struct sim_request *request)
{
	char method[16], url[4096];
	struct sim_reply reply = {.status = 200, .reason = "OK", .content_type = "text/plain"};
	if (sscanf(request->head, "%15s %4095s HTTP/1.", method, url) != 2) {
		drop(peer);
		return;
	}
	request->method = method;
	request->url = url;
	server->service.handle(server->service.world, request, &reply);
	if (reply.wire == SIM_SILENT) {
		peer->is_silent = true;
	} else if (reply.wire == SIM_CLOSED) {
		drop(peer);
	} else {
		put_answer(peer, &reply);
		peer->has_answer = true;
		peer->due_ms = clock_mono_ms(server->service.clock) + reply.held_ms;
	}
}

/* One request of what was read, when it is whole. */
static void take_request(struct sim_host *server, struct peer *peer)
{
	if (peer->has_answer || peer->is_silent || peer->in_bytes == 0)
		return;
	peer->in[peer->in_bytes] = '\0';
	char *end = strstr(peer->in, "\r\n\r\n");
	if (end == NULL)
		return;
	auto_arena arena = arena_new(((size_t)64 << 20) + 2 * server->request_max);
	size_t head_bytes = (size_t)(end - peer->in) + 4;
	struct sim_request request = {
		.arena = arena, .head = arena_strndup(arena, peer->in, head_bytes)};
	const char *length = sim_header(&request, "Content-Length");
	size_t body_bytes = length != NULL ? (size_t)strtoul(length, NULL, 10) : 0;
	if (body_bytes > server->request_max) {
		drop(peer);
		return;
	}
	if (peer->in_bytes < head_bytes + body_bytes)
		return;
	request.body_bytes = body_bytes;
	request.body = body_bytes > 0 ? arena_strndup(arena, peer->in + head_bytes, body_bytes) : NULL;
	peer->in_bytes -= head_bytes + body_bytes;
	memmove(peer->in, peer->in + head_bytes + body_bytes, peer->in_bytes);
	ask_world(server, peer, &request);
}

static void read_peer(struct sim_host *server, struct peer *peer)
{
	ssize_t n = read(peer->fd, peer->in + peer->in_bytes, server->request_max - peer->in_bytes);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			drop(peer);
		return;
	}
	peer->in_bytes += (size_t)n;
	peer->heard_ms = clock_mono_ms(server->service.clock);
}

static void write_peer(struct sim_host *server, struct peer *peer)
{
	ssize_t n = send(peer->fd, peer->out + peer->sent, peer->out_bytes - peer->sent, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	peer->sent += n > 0 ? (size_t)n : 0;
	peer->heard_ms = clock_mono_ms(server->service.clock);
	if (n > 0 && peer->sent < peer->out_bytes)
		return;
	if (n <= 0 || peer->closes) {
		drop(peer);
		return;
	}
	free(peer->out);
	peer->out = NULL;
	peer->has_answer = false;
}

static void accept_peer(struct sim_host *server)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	for (int i = 0; fd >= 0 && i < PEERS; i++) {
		if (server->peers[i].fd >= 0)
			continue;
		server->peers[i] = (struct peer){.fd = fd,
			.heard_ms = clock_mono_ms(server->service.clock),
			.in = malloc(server->request_max + 1)};
		if (server->peers[i].in == NULL)
			abort();
		return;
	}
	if (fd >= 0)
		close(fd);
}

static void run_script(struct sim_host *server)
{
	char text[256];
	for (int i = 0; i < server->line_count; i++) {
		struct script_line *line = &server->lines[i];
		if (line->done || clock_mono_ms(server->service.clock) < line->at_ms)
			continue;
		line->done = true;
		if (!server->service.script(server->service.world, line->text, text, sizeof(text)))
			fprintf(stderr, "%s: %s: %s\n", server->service.name, line->text, text);
	}
}

static void read_script(struct sim_host *server, char **lines)
{
	for (; lines != NULL && *lines != NULL && server->line_count < LINES_MAX; lines++) {
		long ms = 0;
		int skip = 0;
		if (sscanf(*lines, "after %ld %n", &ms, &skip) != 1)
			skip = 0;
		struct script_line *next = &server->lines[server->line_count++];
		next->at_ms = clock_mono_ms(server->service.clock) + ms;
		STR_SET(next->text, *lines + skip);
	}
}

/* Requests, answers that are due, and peers that have been silent for too long. */
static void serve(struct sim_host *server, int signals)
{
	struct pollfd fds[PEERS + 2] = {
		{.fd = signals, .events = POLLIN}, {.fd = server->listener, .events = POLLIN}};
	int64_t now = clock_mono_ms(server->service.clock);
	for (int i = 0; i < PEERS; i++) {
		const struct peer *peer = &server->peers[i];
		bool is_due = peer->has_answer && peer->due_ms <= now;
		fds[i + 2] = (struct pollfd){.fd = peer->fd,
			.events = is_due       ? POLLOUT
				: peer->has_answer ? 0
								   : POLLIN};
	}
	if (poll(fds, PEERS + 2, 10) < 0)
		return;
	if (fds[1].revents != 0)
		accept_peer(server);
	for (int i = 0; i < PEERS; i++) {
		struct peer *peer = &server->peers[i];
		/* A slot that was free when poll looked may be taken by now. */
		if (peer->fd < 0 || peer->fd != fds[i + 2].fd)
			continue;
		if ((fds[i + 2].revents & (POLLERR | POLLNVAL)) != 0)
			drop(peer);
		else if ((fds[i + 2].revents & POLLOUT) != 0)
			write_peer(server, peer);
		else if ((fds[i + 2].revents & (POLLIN | POLLHUP)) != 0)
			read_peer(server, peer);
		if (peer->fd >= 0)
			take_request(server, peer);
		if (peer->fd >= 0 && !peer->has_answer && !peer->is_silent &&
			now - peer->heard_ms > IDLE_MS)
			drop(peer);
	}
}

/* On a port of 127.0.0.1, or on a unix socket. */
static bool listen_on(struct sim_host *server, const char *where, struct err *err)
{
	char *end;
	long port = strtol(where, &end, 10);
	bool is_port = *where != '\0' && *end == '\0';
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(in);
	if (!is_port && (!STR_SET(un.sun_path, where) || (unlink(where) != 0 && errno != ENOENT)))
		return err_set(err, ERR_SYSTEM, "%s: no place for a socket", where);
	int fd = socket(is_port ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	server->listener = fd;
	int bound = is_port ? bind(fd, (const struct sockaddr *)&in, sizeof(in))
						: bind(fd, (const struct sockaddr *)&un, sizeof(un));
	if (fd < 0 || bound != 0 || listen(fd, PEERS) != 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", where, strerror(errno));
	if (is_port && getsockname(fd, (struct sockaddr *)&in, &size) == 0)
		server->port = ntohs(in.sin_port);
	return true;
}

struct sim_host *sim_host_open(
	const struct sim_service *service, const char *where, char **lines, struct err *err)
{
	struct sim_host *server = calloc(1, sizeof(*server));
	if (server == NULL)
		abort();
	server->service = *service;
	server->request_max = service->request_max > 0 ? service->request_max : REQUEST_BYTES;
	server->listener = -1;
	for (int i = 0; i < PEERS; i++)
		server->peers[i].fd = -1;
	read_script(server, lines);
	run_script(server);
	if (listen_on(server, where, err))
		return server;
	sim_host_close(server);
	return NULL;
}

int sim_host_port(const struct sim_host *server)
{
	return server->port;
}

void sim_host_run(struct sim_host *server, int stop_fd)
{
	struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
	while (poll(&stop, 1, 0) == 0) {
		run_script(server);
		if (server->service.tick != NULL)
			server->service.tick(server->service.world);
		serve(server, stop_fd);
	}
}

void sim_host_close(struct sim_host *server)
{
	for (int i = 0; i < PEERS; i++)
		drop(&server->peers[i]);
	if (server->listener >= 0)
		close(server->listener);
	free(server);
}

int sim_host_main(const struct sim_service *service, int argc, char **argv)
{
	struct err err = {0};
	if (argc < 2) {
		fprintf(stderr, "usage: %s SOCKET|PORT [\"after MS LINE\"]…\n", service->name);
		return 2;
	}
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		abort();
	struct sim_host *server = sim_host_open(service, argv[1], argv + 2, &err);
	if (server != NULL && server->port > 0) {
		printf("%d\n", server->port);
		fflush(stdout);
	}
	if (server != NULL) {
		sim_host_run(server, signals);
		sim_host_close(server);
	} else {
		fprintf(stderr, "%s: %s\n", service->name, err.text);
	}
	close(signals);
	return server != NULL ? 0 : 1;
}
