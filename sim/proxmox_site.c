#include "sim/proxmox_site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/server_tls.h"

#define REQUEST_MAX 262144
#define IDLE_MS 5000       /* as the real one's keep-alive */
#define PER_CONNECTION 100 /* so many requests, then it closes */

int site_listen(const char *ip, int *port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
	socklen_t size = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (inet_pton(AF_INET, ip, &in.sin_addr) == 1 &&
		bind(fd, (const struct sockaddr *)&in, sizeof(in)) == 0 && listen(fd, SITE_PEERS) == 0 &&
		getsockname(fd, (struct sockaddr *)&in, &size) == 0) {
		*port = ntohs(in.sin_port);
		return fd;
	}
	close(fd);
	return -1;
}

static void drop(struct site_peer *peer)
{
	/* what is cut off says no good-bye */
	sim_tls_close(peer->tls, !peer->is_cut);
	if (peer->fd >= 0)
		close(peer->fd);
	free(peer->in);
	free(peer->out);
	*peer = (struct site_peer){.fd = -1};
}

/* A header's value, in the arena; NULL: absent. */
static char *header(struct arena *arena, const char *head, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = strstr(head, "\r\n"); at != NULL; at = strstr(at, "\r\n")) {
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
static void put_answer(struct site_peer *peer, const struct sim_pve_reply *reply)
{
	char *text = NULL;
	size_t body_bytes = reply->body_bytes;
	peer->served++;
	int head_bytes = asprintf(&text,
		"HTTP/1.1 %d %s\r\nCache-Control: max-age=0\r\nConnection: %s\r\nPragma: no-cache\r\n"
		"Server: pve-api-daemon/3.0\r\nContent-Length: %zu\r\nContent-Type: %s\r\n\r\n",
		reply->status, reply->reason,
		reply->closes || peer->served == PER_CONNECTION ? "close" : "Keep-Alive", body_bytes,
		reply->content_type);
	if (head_bytes < 0)
		abort();
	if (reply->wire == SIM_PVE_TRUNCATED)
		body_bytes /= 2;
	peer->out = realloc(text, (size_t)head_bytes + body_bytes + 1);
	if (peer->out == NULL)
		abort();
	memcpy(peer->out + head_bytes, reply->body, body_bytes);
	peer->out_bytes = (size_t)head_bytes + body_bytes;
	peer->sent = 0;
	peer->is_cut = reply->wire == SIM_PVE_TRUNCATED;
	peer->closes = reply->closes || peer->is_cut || peer->served == PER_CONNECTION;
}

static void ask_world(struct site *site, struct site_peer *peer, char *head, char *body)
{
	auto_arena arena = arena_new((size_t)64 << 20);
	char method[16], url[4096];
	struct sim_pve_reply reply;
	if (sscanf(head, "%15s %4095s HTTP/1.", method, url) != 2) {
		drop(peer);
		return;
	}
	struct sim_pve_request request = {.method = method,
		.url = url,
		.body = body,
		.via = peer->node >= 0 ? site->sim->nodes[peer->node].name
							   : header(arena, head, "X-Sim-Via"),
		.authorization = header(arena, head, "Authorization"),
		.cookie = header(arena, head, "Cookie"),
		.csrf = header(arena, head, "CSRFPreventionToken"),
		.content_type = header(arena, head, "Content-Type")};
	sim_proxmox_handle(site->sim, &request, arena, &reply);
	if (reply.wire == SIM_PVE_SILENT || reply.wire == SIM_PVE_NO_ROUTE) {
		peer->is_silent = true;
	} else if (reply.wire == SIM_PVE_REFUSED || reply.wire == SIM_PVE_CLOSED) {
		peer->is_cut = true;
		drop(peer);
	} else {
		put_answer(peer, &reply);
		peer->has_answer = true;
		/* nobody else moves a wound clock: the time that the answer takes passes here */
		if (clock_is_wound(site->clock))
			clock_advance(site->clock, reply.held_ms);
		else
			peer->due_ms = clock_mono_ms(site->clock) + reply.held_ms;
	}
}

/* One request of what was read, when it is whole. */
static void take_request(struct site *site, struct site_peer *peer)
{
	if (peer->has_answer || peer->is_silent || peer->in_bytes == 0)
		return;
	peer->in[peer->in_bytes] = '\0';
	char *end = strstr(peer->in, "\r\n\r\n");
	if (end == NULL)
		return;
	auto_arena arena = arena_new(2 * REQUEST_MAX);
	size_t head_bytes = (size_t)(end - peer->in) + 4;
	char *head = arena_strndup(arena, peer->in, head_bytes);
	const char *length = header(arena, head, "Content-Length");
	size_t body_bytes = length != NULL ? (size_t)strtoul(length, NULL, 10) : 0;
	if (body_bytes > REQUEST_MAX) {
		drop(peer);
		return;
	}
	if (peer->in_bytes < head_bytes + body_bytes)
		return;
	char *body = arena_strndup(arena, peer->in + head_bytes, body_bytes);
	peer->in_bytes -= head_bytes + body_bytes;
	memmove(peer->in, peer->in + head_bytes + body_bytes, peer->in_bytes);
	ask_world(site, peer, head, body_bytes > 0 ? body : NULL);
}

/* As read: 0 at the end, -1 when there is nothing for now. */
static ssize_t receive(struct site_peer *peer)
{
	char *to = peer->in + peer->in_bytes;
	size_t room = REQUEST_MAX - peer->in_bytes;
	if (peer->tls != NULL)
		return sim_tls_read(peer->tls, to, room);
	ssize_t n = read(peer->fd, to, room);
	return n < 0 && errno != EAGAIN && errno != EINTR ? 0 : n;
}

static void read_peer(struct site *site, struct site_peer *peer)
{
	ssize_t n = peer->is_silent ? -1 : receive(peer);
	if (peer->is_silent && recv(peer->fd, peer->in, REQUEST_MAX, 0) == 0)
		n = 0;
	if (n == 0)
		drop(peer);
	if (n <= 0)
		return;
	peer->in_bytes += (size_t)n;
	peer->heard_ms = clock_mono_ms(site->clock);
}

static ssize_t transmit(struct site_peer *peer)
{
	const char *from = peer->out + peer->sent;
	size_t left = peer->out_bytes - peer->sent;
	if (peer->tls != NULL)
		return sim_tls_write(peer->tls, from, left);
	ssize_t n = send(peer->fd, from, left, MSG_NOSIGNAL);
	return n < 0 && errno != EAGAIN && errno != EINTR ? 0 : n;
}

static void write_peer(struct site *site, struct site_peer *peer)
{
	ssize_t n;
	do {
		n = transmit(peer);
		if (n < 0)
			return;
		peer->sent += (size_t)n;
		peer->heard_ms = clock_mono_ms(site->clock);
	} while (n > 0 && peer->sent < peer->out_bytes);
	if (n == 0 || peer->closes) {
		drop(peer);
		return;
	}
	free(peer->out);
	peer->out = NULL;
	peer->has_answer = false;
}

static void accept_peer(struct site *site, int node)
{
	int fd = accept4(site->listeners[node], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), yes = 1;
	for (int i = 0; fd >= 0 && i < SITE_PEERS; i++) {
		struct site_peer *peer = &site->peers[i];
		if (peer->fd >= 0)
			continue;
		*peer = (struct site_peer){.fd = fd,
			.node = site->is_tls ? node : -1,
			.heard_ms = clock_mono_ms(site->clock),
			.in = malloc(REQUEST_MAX + 1)};
		if (peer->in == NULL)
			abort();
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)); /* a unix socket has none */
		peer->is_silent = site->is_tls && site->sim->nodes[node].life == PVE_HUNG;
		if (site->is_tls && !peer->is_silent)
			peer->tls = sim_tls_accept(site->sim->nodes[node].tls, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
}

/* A node that is dead or refuses has nobody at its port: on loopback both are a refusal. */
static void keep_listeners(struct site *site)
{
	for (int i = 0; site->is_tls && i < site->sim->node_count; i++) {
		const struct pve_node *node = &site->sim->nodes[i];
		bool wanted = node->life == PVE_UP || node->life == PVE_HUNG;
		int *fd = &site->listeners[i];
		if (*fd >= 0 && !wanted) {
			close(*fd);
			*fd = -1;
		} else if (*fd < 0 && wanted) {
			*fd = site_listen(node->ip, &site->port);
		}
	}
}

/* Peers' turns; what the wait found is in fds, in their order. */
static void serve_peers(struct site *site, const struct pollfd *fds, int64_t now)
{
	for (int i = 0; i < SITE_PEERS; i++) {
		struct site_peer *peer = &site->peers[i];
		short events = fds[i].revents;
		/* A slot that was free when poll looked may be taken by now. */
		if (peer->fd < 0 || peer->fd != fds[i].fd)
			continue;
		if ((events & (POLLERR | POLLNVAL)) != 0)
			drop(peer);
		else if ((events & POLLOUT) != 0)
			write_peer(site, peer);
		else if ((events & (POLLIN | POLLHUP)) != 0)
			read_peer(site, peer);
		if (peer->fd >= 0)
			take_request(site, peer);
		if (peer->fd >= 0 && !peer->has_answer && !peer->is_silent &&
			now - peer->heard_ms > IDLE_MS)
			drop(peer);
	}
}

void site_step(struct site *site, int extra)
{
	struct pollfd fds[SITE_PEERS + PVE_NODES + 1];
	int64_t now = clock_mono_ms(site->clock);
	keep_listeners(site);
	for (int i = 0; i < SITE_PEERS; i++) {
		const struct site_peer *peer = &site->peers[i];
		bool is_due = peer->has_answer && peer->due_ms <= now;
		fds[i] = (struct pollfd){.fd = peer->fd,
			.events = is_due       ? POLLOUT
				: peer->has_answer ? 0
								   : POLLIN};
	}
	for (int i = 0; i < PVE_NODES; i++)
		fds[SITE_PEERS + i] = (struct pollfd){.fd = site->listeners[i], .events = POLLIN};
	fds[SITE_PEERS + PVE_NODES] = (struct pollfd){.fd = extra, .events = POLLIN};
	if (poll(fds, SITE_PEERS + PVE_NODES + 1, 10) < 0)
		return;
	for (int i = 0; i < PVE_NODES; i++)
		if (fds[SITE_PEERS + i].fd >= 0 && fds[SITE_PEERS + i].revents != 0)
			accept_peer(site, i);
	serve_peers(site, fds, now);
}

void site_init(struct site *site)
{
	for (int i = 0; i < SITE_PEERS; i++)
		site->peers[i].fd = -1;
	for (int i = 0; i < PVE_NODES; i++)
		site->listeners[i] = -1;
}

void site_done(struct site *site)
{
	for (int i = 0; i < SITE_PEERS; i++)
		drop(&site->peers[i]);
	for (int i = 0; i < PVE_NODES; i++)
		if (site->listeners[i] >= 0)
			close(site->listeners[i]);
}
