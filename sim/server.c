#include "sim/server.h"

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
#define FIRST_BYTES ((size_t)64 * 1024)
#define ARENA_BYTES ((size_t)512 << 20)
#define LINES_MAX 256
#define IDLE_MS 5000 /* as the real one's keep-alive */

struct peer {
	int fd; /* -1: free */
	char *in;
	size_t in_bytes, in_room;
	char *out;
	size_t out_bytes, sent;
	int64_t due_ms; /* when the answer leaves */
	int64_t heard_ms;
	uint64_t ticket; /* of what is held; 0: nothing is */
	bool is_silent, closes, has_answer;
};

struct script_line {
	int64_t at_ms;
	char text[512];
	bool done;
};

struct site {
	const struct sim_server *server;
	void *world;
	const struct clock *clock;
	int listener;
	struct peer peers[PEERS];
	struct script_line lines[LINES_MAX];
	int line_count;
};

static void drop(struct site *site, struct peer *peer)
{
	if (peer->ticket != 0)
		site->server->abandon(site->world, peer->ticket);
	if (peer->fd >= 0)
		close(peer->fd);
	free(peer->in);
	free(peer->out);
	*peer = (struct peer){.fd = -1};
}

char *sim_server_header(
	struct arena *arena, const struct sim_server_request *request, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = strstr(request->head, "\r\n"); at != NULL; at = strstr(at, "\r\n")) {
		at += 2;
		if (strncasecmp(at, name, length) != 0 || at[length] != ':')
			continue;
		at += length + 1;
		at += strspn(at, " ");
		return arena_strndup(arena, at, strcspn(at, "\r"));
	}
	return NULL;
}

/* head and body of one answer into the peer's own memory. */
static void put_answer(struct site *site, struct peer *peer, const struct sim_server_reply *reply)
{
	char *text = NULL;
	size_t body_bytes = reply->body_bytes;
	int head_bytes = asprintf(
		&text, "%sContent-Length: %zu\r\n\r\n", reply->head, reply->body_bytes);
	if (head_bytes < 0)
		abort();
	if (reply->wire == SIM_SERVER_CUT)
		body_bytes /= 2;
	peer->out = realloc(text, (size_t)head_bytes + body_bytes + 1);
	if (peer->out == NULL)
		abort();
	if (body_bytes > 0)
		memcpy(peer->out + head_bytes, reply->body, body_bytes);
	peer->out_bytes = (size_t)head_bytes + body_bytes;
	peer->sent = 0;
	peer->closes = reply->closes || reply->wire == SIM_SERVER_CUT;
	peer->has_answer = true;
	peer->due_ms = clock_mono_ms(site->clock) + reply->held_ms;
	peer->ticket = 0;
}

static void ask_world(
	struct site *site, struct peer *peer, struct arena *arena, struct sim_server_request *request)
{
	char method[16], url[4096];
	struct sim_server_reply reply = {0};
	if (sscanf(request->head, "%15s %4095s HTTP/1.", method, url) != 2) {
		drop(site, peer);
		return;
	}
	request->method = method;
	request->url = url;
	site->server->handle(site->world, request, arena, &reply);
	if (reply.wire == SIM_SERVER_SILENT)
		peer->is_silent = true;
	else if (reply.wire == SIM_SERVER_DROP)
		drop(site, peer);
	else if (reply.wire == SIM_SERVER_HELD)
		peer->ticket = reply.ticket;
	else
		put_answer(site, peer, &reply);
}

/* What is held, when its answer has come. */
static void resume(struct site *site, struct peer *peer)
{
	if (peer->fd < 0 || peer->ticket == 0)
		return;
	auto_arena arena = arena_new(ARENA_BYTES);
	struct sim_server_reply reply = {0};
	if (site->server->resume(site->world, peer->ticket, arena, &reply))
		put_answer(site, peer, &reply);
}

/* One request of what was read, when it is whole. */
static void take_request(struct site *site, struct peer *peer)
{
	if (peer->has_answer || peer->is_silent || peer->ticket != 0 || peer->in_bytes == 0)
		return;
	peer->in[peer->in_bytes] = '\0';
	char *end = strstr(peer->in, "\r\n\r\n");
	if (end == NULL)
		return;
	auto_arena arena = arena_new(ARENA_BYTES);
	size_t head_bytes = (size_t)(end - peer->in) + 4;
	struct sim_server_request request = {.head = arena_strndup(arena, peer->in, head_bytes)};
	const char *length = sim_server_header(arena, &request, "Content-Length");
	size_t body_bytes = length != NULL ? (size_t)strtoul(length, NULL, 10) : 0;
	if (body_bytes > site->server->request_max_bytes) {
		drop(site, peer);
		return;
	}
	if (peer->in_bytes < head_bytes + body_bytes)
		return;
	request.body_bytes = body_bytes;
	if (body_bytes > 0)
		request.body = arena_strndup(arena, peer->in + head_bytes, body_bytes);
	peer->in_bytes -= head_bytes + body_bytes;
	memmove(peer->in, peer->in + head_bytes + body_bytes, peer->in_bytes);
	ask_world(site, peer, arena, &request);
}

/* Room for what comes, as long as it may. */
static bool make_room(struct site *site, struct peer *peer)
{
	if (peer->in_bytes < peer->in_room)
		return true;
	size_t most = site->server->request_max_bytes + FIRST_BYTES;
	if (peer->in_room >= most)
		return false;
	peer->in_room = peer->in_room == 0 ? FIRST_BYTES : peer->in_room * 2;
	peer->in = realloc(peer->in, peer->in_room + 1);
	if (peer->in == NULL)
		abort();
	return true;
}

static void read_peer(struct site *site, struct peer *peer)
{
	if (!make_room(site, peer)) {
		drop(site, peer);
		return;
	}
	ssize_t n = read(peer->fd, peer->in + peer->in_bytes, peer->in_room - peer->in_bytes);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			drop(site, peer);
		return;
	}
	peer->in_bytes += (size_t)n;
	peer->heard_ms = clock_mono_ms(site->clock);
}

static void write_peer(struct site *site, struct peer *peer)
{
	ssize_t n = send(peer->fd, peer->out + peer->sent, peer->out_bytes - peer->sent, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	peer->sent += n > 0 ? (size_t)n : 0;
	peer->heard_ms = clock_mono_ms(site->clock);
	if (n > 0 && peer->sent < peer->out_bytes)
		return;
	if (n <= 0 || peer->closes) {
		drop(site, peer);
		return;
	}
	free(peer->out);
	peer->out = NULL;
	peer->has_answer = false;
}

static void accept_peer(struct site *site)
{
	int fd = accept4(site->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	for (int i = 0; fd >= 0 && i < PEERS; i++) {
		if (site->peers[i].fd >= 0)
			continue;
		site->peers[i] = (struct peer){.fd = fd, .heard_ms = clock_mono_ms(site->clock)};
		return;
	}
	if (fd >= 0)
		close(fd);
}

static void run_script(struct site *site)
{
	char text[256];
	for (int i = 0; i < site->line_count; i++) {
		struct script_line *line = &site->lines[i];
		if (line->done || clock_mono_ms(site->clock) < line->at_ms)
			continue;
		line->done = true;
		if (!site->server->script(site->world, line->text, text, sizeof(text)))
			fprintf(stderr, "%s: %s: %s\n", site->server->name, line->text, text);
	}
}

static void read_script(struct site *site, char **lines)
{
	for (; *lines != NULL && site->line_count < LINES_MAX; lines++) {
		long ms = 0;
		int skip = 0;
		if (sscanf(*lines, "after %ld %n", &ms, &skip) != 1)
			skip = 0;
		struct script_line *next = &site->lines[site->line_count++];
		next->at_ms = clock_mono_ms(site->clock) + ms;
		STR_SET(next->text, *lines + skip);
	}
}

/* Requests, answers that are due, and peers that have been silent for too long. */
static void serve(struct site *site, int signals)
{
	struct pollfd fds[PEERS + 2] = {
		{.fd = signals, .events = POLLIN}, {.fd = site->listener, .events = POLLIN}};
	int64_t now = clock_mono_ms(site->clock);
	for (int i = 0; i < PEERS; i++) {
		const struct peer *peer = &site->peers[i];
		bool is_due = peer->has_answer && peer->due_ms <= now;
		fds[i + 2] = (struct pollfd){.fd = peer->fd,
			.events = is_due        ? POLLOUT
				: peer->has_answer  ? 0
				: peer->ticket != 0 ? POLLRDHUP
									: POLLIN};
	}
	if (poll(fds, PEERS + 2, 10) < 0)
		return;
	if (fds[1].revents != 0)
		accept_peer(site);
	for (int i = 0; i < PEERS; i++) {
		struct peer *peer = &site->peers[i];
		/* A slot that was free when poll looked may be taken by now. */
		if (peer->fd < 0 || peer->fd != fds[i + 2].fd)
			continue;
		if ((fds[i + 2].revents & (POLLERR | POLLNVAL | POLLRDHUP)) != 0)
			drop(site, peer);
		else if ((fds[i + 2].revents & POLLOUT) != 0)
			write_peer(site, peer);
		else if ((fds[i + 2].revents & (POLLIN | POLLHUP)) != 0)
			read_peer(site, peer);
		if (peer->fd >= 0)
			take_request(site, peer);
		resume(site, peer);
		if (peer->fd >= 0 && !peer->has_answer && !peer->is_silent && peer->ticket == 0 &&
			now - peer->heard_ms > IDLE_MS)
			drop(site, peer);
	}
}

/* On a port of 127.0.0.1, or on a unix socket; -1: said so. */
static int listen_on(const char *name, const char *where)
{
	char *end;
	long port = strtol(where, &end, 10);
	bool is_port = *where != '\0' && *end == '\0';
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(in);
	int fd = socket(is_port ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!is_port && (!STR_SET(un.sun_path, where) || (unlink(where) != 0 && errno != ENOENT))) {
		fprintf(stderr, "%s: %s: no place for a socket\n", name, where);
		close(fd);
		return -1;
	}
	int bound = is_port ? bind(fd, (const struct sockaddr *)&in, sizeof(in))
						: bind(fd, (const struct sockaddr *)&un, sizeof(un));
	if (fd < 0 || bound != 0 || listen(fd, PEERS) != 0) {
		fprintf(stderr, "%s: %s: %s\n", name, where, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (is_port && getsockname(fd, (struct sockaddr *)&in, &size) == 0) {
		printf("%d\n", ntohs(in.sin_port));
		fflush(stdout);
	}
	return fd;
}

int sim_server_main(
	const struct sim_server *server, void *world, const struct clock *clock, int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s SOCKET|PORT [\"after MS LINE\"]…\n", server->name);
		return 2;
	}
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	struct pollfd signals = {.fd = signalfd(-1, &set, SFD_CLOEXEC), .events = POLLIN};
	struct site *site = calloc(1, sizeof(*site));
	if (site == NULL || signals.fd < 0)
		abort();
	for (int i = 0; i < PEERS; i++)
		site->peers[i].fd = -1;
	site->server = server;
	site->world = world;
	site->clock = clock;
	read_script(site, argv + 2);
	run_script(site);
	site->listener = listen_on(server->name, argv[1]);
	while (site->listener >= 0 && poll(&signals, 1, 0) == 0) {
		run_script(site);
		server->tick(world);
		serve(site, signals.fd);
	}
	bool ok = site->listener >= 0;
	for (int i = 0; i < PEERS; i++)
		drop(site, &site->peers[i]);
	if (ok)
		close(site->listener);
	close(signals.fd);
	free(site);
	return ok ? 0 : 1;
}
