/*
 * A server that answers as a table says: each request by the first route that fits and is not used
 * up. One connection at a time, one request a connection, on any loopback address, in TLS or not.
 */
#ifndef TESTS_PVE_SERVER_H
#define TESTS_PVE_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

struct pve_route {
	const char *request; /* "GET /cluster/status", without /api2/json; "*": any; NULL: the end */
	int status;          /* 0: 200; -1: closes without an answer; -2: says nothing */
	const char *reason;
	const char *body;    /* NULL: none */
	int uses;            /* 0: for ever */
};

struct pve_server {
	const struct pve_route *routes;
	int used[64];
	SSL_CTX *tls;
	int listen_fd, stop_fd, port;
	pthread_t thread;
	pthread_mutex_t lock;
	char seen[65536]; /* every request, whole */
	size_t length;
};

static inline bool pve_wait(struct pve_server *server, int fd)
{
	struct pollfd fds[2] = {
		{.fd = server->stop_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	poll(fds, fd < 0 ? 1 : 2, -1);
	return fds[0].revents == 0;
}

static inline bool pve_complete(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n");
	const char *length = strcasestr(text, "Content-Length:");
	if (end == NULL)
		return false;
	return length == NULL || length > end || strlen(end + 4) >= strtoul(length + 15, NULL, 10);
}

static inline bool pve_read(
	struct pve_server *server, int fd, SSL *ssl, char *text, size_t size)
{
	size_t length = 0;
	text[0] = '\0';
	while (!pve_complete(text) && length < size - 1) {
		if (ssl == NULL && !pve_wait(server, fd))
			return false;
		ssize_t n = ssl != NULL ? SSL_read(ssl, text + length, (int)(size - 1 - length))
			: recv(fd, text + length, size - 1 - length, 0);
		if (n <= 0)
			return false;
		length += (size_t)n;
		text[length] = '\0';
	}
	return true;
}

/* "GET /api2/json/version HTTP/1.1" is "GET /version". */
static inline bool pve_fits(const char *text, const char *request)
{
	size_t method = strcspn(request, " ");
	const char *path = request + method + 1;
	static const char prefix[] = " /api2/json";
	if (request[0] == '*')
		return true;
	return strncmp(text, request, method) == 0 &&
		strncmp(text + method, prefix, sizeof(prefix) - 1) == 0 &&
		strncmp(text + method + sizeof(prefix) - 1, path, strlen(path)) == 0 &&
		text[method + sizeof(prefix) - 1 + strlen(path)] == ' ';
}

static inline const struct pve_route *pve_route_of(struct pve_server *server, const char *text)
{
	for (int i = 0; server->routes[i].request != NULL; i++) {
		const struct pve_route *route = &server->routes[i];
		if (!pve_fits(text, route->request) ||
			(route->uses > 0 && server->used[i] >= route->uses))
			continue;
		server->used[i]++;
		return route;
	}
	static const struct pve_route none = {.status = 501, .reason = "Method not implemented"};
	return &none;
}

static inline void pve_send(
	struct pve_server *server, int fd, SSL *ssl, const struct pve_route *route)
{
	char *text = NULL;
	const char *body = route->body != NULL ? route->body : "";
	if (route->status == -2)
		pve_wait(server, -1);
	if (route->status < 0)
		return;
	int length = asprintf(&text,
		"HTTP/1.1 %d %s\r\nContent-Length: %zu\r\nContent-Type: application/json;charset=UTF-8\r\n"
		"Connection: close\r\n\r\n%s",
		route->status > 0 ? route->status : 200, route->reason != NULL ? route->reason : "OK",
		strlen(body), body);
	for (int at = 0; at < length;) {
		ssize_t n = ssl != NULL ? SSL_write(ssl, text + at, length - at)
			: send(fd, text + at, (size_t)(length - at), MSG_NOSIGNAL);
		if (n <= 0)
			break;
		at += (int)n;
	}
	free(text);
}

static inline void pve_speak(struct pve_server *server, int fd)
{
	char text[16384];
	SSL *ssl = NULL;
	bool ok = true;
	if (server->tls != NULL) {
		ssl = SSL_new(server->tls);
		SSL_set_fd(ssl, fd);
		ok = SSL_accept(ssl) == 1;
	}
	if (ok && pve_read(server, fd, ssl, text, sizeof(text))) {
		pthread_mutex_lock(&server->lock);
		size_t n = strlen(text);
		if (server->length + n + 2 < sizeof(server->seen)) {
			memcpy(server->seen + server->length, text, n);
			server->length += n;
			server->seen[server->length++] = '\n';
			server->seen[server->length] = '\0';
		}
		const struct pve_route route = *pve_route_of(server, text);
		pthread_mutex_unlock(&server->lock);
		pve_send(server, fd, ssl, &route);
	}
	if (ssl != NULL) {
		SSL_shutdown(ssl);
		SSL_free(ssl);
	}
	close(fd);
}

static inline void *pve_serve(void *arg)
{
	struct pve_server *server = arg;
	while (pve_wait(server, server->listen_fd)) {
		int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			pve_speak(server, fd);
	}
	return NULL;
}

/* port 0: any. */
static inline void pve_start(struct pve_server *server, const char *ip, int port, SSL_CTX *tls,
	const struct pve_route *routes)
{
	memset(server, 0, sizeof(*server));
	server->routes = routes;
	server->tls = tls;
	pthread_mutex_init(&server->lock, NULL);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	socklen_t length = sizeof(address);
	inet_pton(AF_INET, ip, &address.sin_addr);
	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;
	setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(server->listen_fd, (struct sockaddr *)&address, length) != 0 ||
		getsockname(server->listen_fd, (struct sockaddr *)&address, &length) != 0)
		abort();
	server->port = ntohs(address.sin_port);
	listen(server->listen_fd, 16);
	server->stop_fd = eventfd(0, EFD_CLOEXEC);
	pthread_create(&server->thread, NULL, pve_serve, server);
}

static inline void pve_stop(struct pve_server *server)
{
	eventfd_write(server->stop_fd, 1);
	pthread_join(server->thread, NULL);
	close(server->listen_fd);
	close(server->stop_fd);
	pthread_mutex_destroy(&server->lock);
}

/* Changes a route of the table while it is served. */
static inline void pve_change(
	struct pve_server *server, struct pve_route *route, struct pve_route to)
{
	pthread_mutex_lock(&server->lock);
	*route = to;
	pthread_mutex_unlock(&server->lock);
}

static inline int pve_count(struct pve_server *server, const char *part)
{
	int n = 0;
	pthread_mutex_lock(&server->lock);
	for (const char *at = server->seen; (at = strstr(at, part)) != NULL; at++)
		n++;
	pthread_mutex_unlock(&server->lock);
	return n;
}

#endif
