/*
 * HTTP client on libcurl: TCP, TLS (CA file, client certificate, or a pinned SHA-256 fingerprint of
 * the server's certificate), unix sockets, or a connection that the caller dials (ssh). Every call
 * has a deadline, every body a limit, every wait ends when stop_fd becomes readable. A handle keeps
 * its connection and belongs to one thread. The only file that includes <curl/curl.h>.
 */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct http;
struct http_stream;

struct http_config {
	const char *base_url;    /* "http://localhost", "https://pve:8006"; no slash at the end */
	const char *unix_socket; /* path, or NULL */
	const char *ca_file, *cert_file, *key_file; /* PEM, or NULL */
	const char *fingerprint; /* "AB:CD:…" of 32 bytes, instead of CA and host name, or NULL */
	int (*dial)(void *ctx, struct err *err);    /* a connected socket that curl then owns, or -1 */
	void *dial_ctx;
	int64_t connect_timeout_ms; /* 0: 5,000 */
	int stop_fd;                /* -1: none */
	const char *name;           /* for errors: "docker local"; NULL: the URL without credentials */
};

struct http_request {
	const char *method;             /* "GET" */
	const char *path;               /* "/containers/json?all=1", already encoded */
	const char *shown;              /* what errors say for a path that holds a secret; or NULL */
	const char *body;               /* NULL: none */
	size_t body_bytes;
	const char *const *headers;     /* "Name: value", ended by NULL; or NULL */
	int64_t timeout_ms;             /* whole exchange; 0: 10,000 */
	size_t limit_bytes;             /* of the answer's body; 0: 8 MiB */
	bool wants_headers;             /* the reply has them */
	const char *keep;               /* a stream keeps the value of this header of the answer */
	bool any_status;                /* a stream is opened whatever the status is */
};

struct http_reply {
	int status;
	char *body; /* in the arena, ended by NUL */
	size_t body_bytes;
	char content_type[96];
	char reason[96];      /* reason phrase, "" with none */
	int64_t retry_after_s; /* header Retry-After in seconds, -1: absent */
	bool unsent; /* without an answer: nothing of the request left, so it has not been done */
	const char *headers;   /* "Name: value" lines, in the arena; NULL unless wanted */
};

/* Must be called once before threads. */
void http_global_init(void);

/* Strings of config are copied. Never fails for reasons of the network. */
struct http *http_open(const struct http_config *config);
void http_close(struct http *http);

/* One exchange. Any status is a success; false only when there was no complete answer: ERR_TIMEOUT,
 * ERR_CANCELLED, ERR_DENIED (certificate, socket permission), ERR_INPUT (not HTTP, too large),
 * ERR_RETRY (everything else of the network). The text names method, path and cause; of the
 * reply, unsent is told then too. */
bool http_perform(struct http *http, const struct http_request *request, struct arena *arena,
	struct http_reply *reply, struct err *err);

/* The fingerprint of the last server's certificate, when that is not the pinned one. */
bool http_refused_print(const struct http *http, char *text, size_t size);

/* A header of the answer (name case-insensitive), cut to the field; false, and "": absent. */
bool http_header(const struct http_reply *reply, const char *name, char *field, size_t size);

/* A streaming answer, read line by line. Returns NULL with err as above, or when the status is not
 * 2xx (ERR_RETRY with the body's beginning in the text). request->timeout_ms is for the headers. */
struct http_stream *http_stream_open(struct http *http, const struct http_request *request,
	struct err *err);
enum http_next { HTTP_LINE, HTTP_IDLE, HTTP_END, HTTP_ERROR };
/* The next line without its end, in a buffer that lives until the next call. HTTP_IDLE after
 * timeout_ms. A line above 1 MiB is HTTP_ERROR. */
enum http_next http_stream_next(struct http_stream *stream, const char **line, size_t *length,
	int64_t timeout_ms, struct err *err);
int http_stream_status(const struct http_stream *stream);
/* The content type, "" with none; and the header that was to be kept: "" when it was absent or has
 * more than 511 bytes. */
const char *http_stream_type(const struct http_stream *stream);
const char *http_stream_kept(const struct http_stream *stream);
void http_stream_close(struct http_stream *stream);

/* Percent-encodes one path segment or query value. */
char *http_encode(struct arena *arena, const char *text);

#endif
