/*
 * What the files http*.c share: a wire is one curl handle with its own multi handle, set up once
 * from the configuration of its http. The http has one for its exchanges, each stream has its own,
 * so that an exchange never has to store what a stream sends meanwhile.
 */
#ifndef BASE_HTTP_INTERNAL_H
#define BASE_HTTP_INTERNAL_H

#include <curl/curl.h>

#include "base/http.h"
#include "base/http_tls.h"

#define HTTP_CONNECT_TIMEOUT_MS 5000
#define HTTP_TIMEOUT_MS 10000
#define HTTP_LIMIT_BYTES ((size_t)8 * 1024 * 1024)
#define HTTP_HEADERS_LIMIT_BYTES ((size_t)64 * 1024)

struct http_wire;

/* Takes body bytes; returns false to end the transfer, having set wire->why. */
typedef bool http_take_fn(void *ctx, const char *bytes, size_t length);

struct http_wire {
	CURL *easy;
	CURLM *multi;
	const struct http *http;
	struct curl_slist *headers;
	char detail[CURL_ERROR_SIZE];
	struct http_tls tls;
	int dialled, stand_in; /* a connection that the caller dialled, and what curl has for it */
	bool added;          /* the easy handle is in the multi handle */
	bool repeatable;     /* GET and HEAD: may be sent again on a new connection */
	bool headers_done;
	size_t header_bytes;
	char *kept;          /* the last answer's headers, when they are wanted */
	size_t kept_bytes;
	bool keeps;
	char reason[96];
	int64_t retry_after_s;
	char note[64], noted[512]; /* the name and the value of the one header wanted; "" */
	bool any_status;
	struct err why;      /* set by a callback that ended the transfer; ERR_NONE: none did */
	http_take_fn *take;
	void *take_ctx;
	char target[192];    /* "GET /path", for errors */
	int64_t timeout_ms;
};

struct http {
	struct http_config config; /* strings in arena */
	struct arena *arena;
	const char *shown_url; /* without credentials */
	struct err bad; /* what is wrong with the configuration, told at the first request */
	struct http_wire wire;
	char *body; /* of the exchange under way; kept while small */
	size_t body_bytes, body_cap, limit_bytes;
};

void http_wire_init(struct http_wire *wire, const struct http *http);
void http_wire_done(struct http_wire *wire);

/* Sets the request and adds it to the multi handle; take gets its body. */
bool http_wire_begin(struct http_wire *wire, const struct http_request *request,
	http_take_fn *take, void *take_ctx, struct err *err);
/* Takes the request away again: a connection in the middle of an exchange is closed. */
void http_wire_end(struct http_wire *wire);

enum http_step { HTTP_STEP_ON, HTTP_STEP_DONE, HTTP_STEP_FAILED };
/* Moves what can be moved without waiting. */
enum http_step http_wire_step(struct http_wire *wire, struct err *err);
/* Waits for the network until deadline_ms. False: ERR_CANCELLED. */
bool http_wire_wait(struct http_wire *wire, int64_t deadline_ms, struct err *err);
bool http_wire_timeout(const struct http_wire *wire, struct err *err);

/* http_error.c: what a failed transfer means. Always returns false. */
bool http_error(const struct http_wire *wire, CURLcode code, struct err *err);
bool http_error_prefix(const struct http_wire *wire, struct err *err);

int64_t http_now_ms(void);

#endif
