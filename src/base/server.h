/*
 * HTTP server on TCP or on a unix socket (the control socket), a thread a connection, so that a
 * handler may be plain blocking code. The only file that includes <microhttpd.h>. Limits: 64
 * connections, 1 MiB of body, 16 KiB of headers, 30 s of idleness.
 */
#ifndef BASE_SERVER_H
#define BASE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct server;

struct server_request {
	const char *method, *path; /* path decoded, without query */
	const char *body;          /* "" without one; ended by NUL */
	size_t body_bytes;
	struct arena *arena;       /* for the handler, freed after the reply was sent */
	bool is_unix;
	uint32_t peer_uid;         /* SO_PEERCRED on a unix socket, else UINT32_MAX */
	bool peer_is_loopback;     /* TCP */
	void *internal;
};

/* Header (name case-insensitive) or query argument (decoded); NULL when absent. */
const char *server_header(const struct server_request *request, const char *name);
const char *server_query(const struct server_request *request, const char *name);

/* Writes length bytes of a streaming body at once; false: the peer is gone. */
typedef bool server_write_fn(void *sink, const char *bytes, size_t length);
typedef void server_stream_fn(void *ctx, server_write_fn *write, void *sink, int stop_fd);

struct server_reply {
	int status;               /* 200 */
	const char *content_type; /* "application/json" */
	const char *body;         /* in the request's arena or static; NULL: empty */
	size_t body_bytes;
	const char *location;     /* header, or NULL */
	const char *header, *header_value; /* one more, as Allow; or NULL */
	server_stream_fn *stream; /* instead of body: called on the connection's thread, chunked */
	void *stream_ctx;         /* in the request's arena */
};

typedef void server_handler(void *ctx, const struct server_request *request,
	struct server_reply *reply);

struct server_config {
	const char *listen;      /* "127.0.0.1:9095", "[::1]:0"; or NULL with unix_socket */
	const char *unix_socket; /* path; a stale socket is replaced, a live one is an error */
	unsigned socket_mode;    /* 0600 */
	server_handler *handler;
	void *ctx;
};

/* NULL: err says which address and why ("address in use"). */
struct server *server_start(const struct server_config *config, struct err *err);
int server_port(const struct server *server);
/* Ends all connections, joins their threads, removes the unix socket. */
void server_stop(struct server *server);

#endif
