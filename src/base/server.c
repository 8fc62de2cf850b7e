#include "base/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/log.h"
#include "base/server_listen.h"
#include "base/str.h"

#define CONNECTIONS_MAX 64
#define BODY_LIMIT_BYTES ((size_t)1024 * 1024)
#define ARENA_LIMIT_BYTES ((size_t)64 * 1024 * 1024)
/* libmicrohttpd's pool of a connection: 16 KiB of headers and what it needs beside them. */
#define POOL_BYTES ((size_t)20 * 1024)
/* A handler may read the database and render a list. */
#define STACK_BYTES ((size_t)256 * 1024)
#define IDLE_S 30U
#define WRITE_TIMEOUT_MS 30000

struct server {
	struct MHD_Daemon *daemon;
	server_handler *handler;
	void *ctx;
	int stop_fd;
	int port;
	char path[112]; /* of the unix socket, or "" */
	struct stat made;
};

/* One request under way: from its first header until its reply was sent. */
struct exchange {
	struct server *server;
	struct MHD_Connection *connection;
	struct server_request request;
	struct str body;
	size_t swallowed;
	bool too_large, chunked;
	int fd;
	struct server_reply reply;
};

const char *server_header(const struct server_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->internal, MHD_HEADER_KIND, name);
}

const char *server_query(const struct server_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->internal, MHD_GET_ARGUMENT_KIND, name);
}

int server_port(const struct server *server)
{
	return server->port;
}

static bool is_loopback(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&v6, address, sizeof(v6));
	return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
		(IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == 127);
}

static void read_peer(struct exchange *exchange)
{
	struct server_request *request = &exchange->request;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	exchange->fd = info != NULL ? info->connect_fd : -1;
	request->is_unix = exchange->server->path[0] != '\0';
	request->peer_uid = UINT32_MAX;
	struct ucred peer;
	socklen_t length = sizeof(peer);
	if (request->is_unix) {
		if (getsockopt(exchange->fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0)
			request->peer_uid = peer.uid;
		return;
	}
	info = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	request->peer_is_loopback = info != NULL && is_loopback(info->client_addr);
}

static struct exchange *exchange_new(struct server *server, struct MHD_Connection *connection,
	const char *method, const char *path, const char *version)
{
	struct arena *arena = arena_new(ARENA_LIMIT_BYTES);
	struct exchange *exchange = ARENA_NEW(arena, struct exchange);
	exchange->server = server;
	exchange->connection = connection;
	exchange->chunked = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
	exchange->request = (struct server_request){.method = arena_strdup(arena, method),
		.path = arena_strdup(arena, path),
		.arena = arena,
		.internal = connection};
	str_init(&exchange->body, arena);
	read_peer(exchange);
	const char *length = server_header(&exchange->request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	exchange->too_large = length != NULL && strtoull(length, NULL, 10) > BODY_LIMIT_BYTES;
	return exchange;
}

static bool wait_writable(const struct exchange *exchange)
{
	struct pollfd fds[2] = {
		{.fd = exchange->fd, .events = POLLOUT},
		{.fd = exchange->server->stop_fd, .events = POLLIN},
	};
	int ready = poll(fds, 2, WRITE_TIMEOUT_MS);
	if (ready < 0)
		return errno == EINTR;
	return ready > 0 && fds[1].revents == 0 && (fds[0].revents & (POLLERR | POLLHUP)) == 0;
}

/* Sends all parts, however small the pieces are that the socket takes. */
static bool send_all(const struct exchange *exchange, struct iovec *parts, size_t count)
{
	while (count > 0) {
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
		ssize_t n = sendmsg(exchange->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno != EAGAIN || !wait_writable(exchange)))
			return false;
		size_t sent = n < 0 ? 0 : (size_t)n;
		while (count > 0 && sent >= parts->iov_len) {
			sent -= parts->iov_len;
			parts++;
			count--;
		}
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + sent;
			parts->iov_len -= sent;
		}
	}
	return true;
}

static bool write_chunk(void *sink, const char *bytes, size_t length)
{
	const struct exchange *exchange = sink;
	char size[24];
	if (length == 0)
		return true;
	/* sendmsg takes unqualified pointers but changes nothing */
	union {
		const char *read_only;
		void *plain;
	} body = {bytes}, end = {"\r\n"};
	int digits = snprintf(size, sizeof(size), "%zx\r\n", length);
	struct iovec parts[3] = {
		{.iov_base = size, .iov_len = (size_t)digits},
		{.iov_base = body.plain, .iov_len = length},
		{.iov_base = end.plain, .iov_len = 2},
	};
	return exchange->chunked ? send_all(exchange, parts, 3) : send_all(exchange, parts + 1, 1);
}

/* libmicrohttpd pulls a body piece by piece; our handlers push it, for as long as they like. So the
 * first pull runs the whole handler, which writes proper chunks past the library, and then says
 * that the body has ended: the library adds the last chunk. */
static ssize_t stream_body(void *ctx, uint64_t position, char *buffer, size_t size)
{
	struct exchange *exchange = ctx;
	(void)position;
	(void)buffer;
	(void)size;
	exchange->reply.stream(
		exchange->reply.stream_ctx, write_chunk, exchange, exchange->server->stop_fd);
	return MHD_CONTENT_READER_END_OF_STREAM;
}

static struct MHD_Response *make_response(struct exchange *exchange)
{
	struct server_reply *reply = &exchange->reply;
	if (reply->stream != NULL)
		return MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, 1024, stream_body, exchange, NULL);
	union {
		const char *read_only;
		void *plain;
	} body = {reply->body != NULL ? reply->body : ""};
	return MHD_create_response_from_buffer(
		reply->body != NULL ? reply->body_bytes : 0, body.plain, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_reply(struct exchange *exchange)
{
	struct server_reply *reply = &exchange->reply;
	struct MHD_Response *response = make_response(exchange);
	if (response == NULL)
		return MHD_NO;
	if (reply->content_type != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
	if (reply->location != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, reply->location);
	if (reply->header != NULL)
		MHD_add_response_header(response, reply->header, reply->header_value);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	enum MHD_Result result = MHD_queue_response(
		exchange->connection, (unsigned)(reply->status > 0 ? reply->status : 200), response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse_size(struct exchange *exchange)
{
	static const char text[] = "{\"type\":\"about:blank\",\"title\":\"Content Too Large\","
							   "\"status\":413,\"detail\":\"the body is larger than 1 MiB\"}\n";
	exchange->reply = (struct server_reply){.status = 413,
		.content_type = "application/problem+json",
		.body = text,
		.body_bytes = sizeof(text) - 1};
	return send_reply(exchange);
}

/* A body without a length may turn out too large; the reply can only be given at its end, but who
 * goes on for too long is cut off. */
static enum MHD_Result take_body(struct exchange *exchange, const char *bytes, size_t *length)
{
	exchange->swallowed += *length;
	if (exchange->swallowed > BODY_LIMIT_BYTES)
		exchange->too_large = true;
	if (!exchange->too_large)
		str_addn(&exchange->body, bytes, *length);
	*length = 0;
	return exchange->swallowed > 8 * BODY_LIMIT_BYTES ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_bytes, void **state)
{
	struct exchange *exchange = *state;
	if (exchange == NULL) {
		*state = exchange = exchange_new(ctx, connection, method, url, version);
		return exchange->too_large ? refuse_size(exchange) : MHD_YES;
	}
	if (*upload_bytes > 0)
		return take_body(exchange, upload, upload_bytes);
	if (exchange->too_large)
		return refuse_size(exchange);
	exchange->request.body = exchange->body.s;
	exchange->request.body_bytes = exchange->body.len;
	exchange->reply = (struct server_reply){.status = 200};
	exchange->server->handler(exchange->server->ctx, &exchange->request, &exchange->reply);
	return send_reply(exchange);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code)
{
	(void)ctx;
	(void)connection;
	(void)code;
	struct exchange *exchange = *state;
	if (exchange != NULL)
		arena_free(exchange->request.arena);
	*state = NULL;
}

/* What clients do wrong is of interest only to who debugs. */
__attribute__((format(printf, 2, 0))) static void on_log(
	void *ctx, const char *format, va_list args)
{
	char text[240];
	(void)ctx;
	vsnprintf(text, sizeof(text), format, args);
	log_debug("server: %s", text);
}

static bool start_daemon(struct server *server, int fd)
{
	/* its threads take over our mask: signals belong to the main thread */
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	server->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
			MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC | MHD_USE_ERROR_LOG,
		0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES,
		MHD_OPTION_THREAD_STACK_SIZE, STACK_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
		MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return server->daemon != NULL;
}

struct server *server_start(const struct server_config *config, struct err *err)
{
	struct server *server = calloc(1, sizeof(*server));
	if (server == NULL)
		abort();
	server->handler = config->handler;
	server->ctx = config->ctx;
	int fd = config->unix_socket != NULL
		? server_listen_unix(config->unix_socket, config->socket_mode, &server->made, err)
		: server_listen_tcp(config->listen, &server->port, err);
	if (fd < 0) {
		free(server);
		return NULL;
	}
	if (config->unix_socket != NULL)
		STR_SET(server->path, config->unix_socket);
	server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->stop_fd >= 0 && start_daemon(server, fd))
		return server;
	err_set(err, ERR_SYSTEM, "%s: no server could be started: %s",
		config->unix_socket != NULL ? config->unix_socket : config->listen, strerror(errno));
	close(fd);
	if (server->path[0] != '\0')
		server_unlink(server->path, &server->made);
	if (server->stop_fd >= 0)
		close(server->stop_fd);
	free(server);
	return NULL;
}

void server_stop(struct server *server)
{
	if (server == NULL)
		return;
	uint64_t one = 1;
	ssize_t written = write(server->stop_fd, &one, sizeof(one));
	(void)written; /* an eventfd with room takes it */
	/* nobody may find a socket on which nobody will answer any more */
	if (server->path[0] != '\0')
		server_unlink(server->path, &server->made);
	MHD_stop_daemon(server->daemon);
	close(server->stop_fd);
	free(server);
}
