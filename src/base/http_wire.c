/* One curl handle: its constant options, one request at a time, its callbacks, its steps. */
#include "base/http_internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

int64_t http_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_dialled(struct http_wire *wire)
{
	if (wire->dialled >= 0)
		close(wire->dialled);
	wire->dialled = -1;
}

/* curl repeats a request by itself when a kept connection turns out to be dead. What is not
 * repeatable may have been done before the connection died, so its second socket is refused. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_wire *wire = ctx;
	const struct http_config *config = &wire->http->config;
	long sent = 0;
	curl_easy_getinfo(wire->easy, CURLINFO_REQUEST_SIZE, &sent);
	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	if (sent > 0 && !wire->repeatable) {
		err_set(&wire->why, ERR_RETRY,
			"the connection was closed without an answer; it is not "
			"asked again, since it may have been done");
		return CURL_SOCKET_BAD;
	}
	if (config->dial == NULL)
		return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	close_dialled(wire);
	wire->dialled = config->dial(config->dial_ctx, &wire->why);
	if (wire->dialled < 0)
		return CURL_SOCKET_BAD;
	wire->stand_in = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return wire->stand_in;
}

/* curl 7.88 insists on connecting even what CURL_SOCKOPT_ALREADY_CONNECTED says is connected. So it
 * is given a datagram socket, which connects without a packet, and that descriptor is made to mean
 * the dialled connection just before the request is sent. */
static int change_socket(
	void *ctx, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct http_wire *wire = ctx;
	(void)remote_ip;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	if (wire->dialled < 0)
		return CURL_PREREQFUNC_OK;
	fcntl(wire->dialled, F_SETFL, fcntl(wire->dialled, F_GETFL) | O_NONBLOCK);
	int changed = dup3(wire->dialled, wire->stand_in, O_CLOEXEC);
	close_dialled(wire);
	return changed < 0 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static CURLcode install_check(CURL *easy, void *ssl_ctx, void *ctx)
{
	struct http_wire *wire = ctx;
	(void)easy;
	http_tls_install(&wire->tls, ssl_ctx);
	return CURLE_OK;
}

/* "HTTP/1.1 404 Not Found" → "Not Found" */
static void read_status_line(struct http_wire *wire, const char *line)
{
	const char *at = strchr(line, ' ');
	at = at == NULL ? NULL : strchr(at + 1, ' ');
	STR_SET(wire->reason, at == NULL ? "" : at + 1);
	wire->retry_after_s = -1;
	wire->kept_bytes = 0;
}

/* Of an answer that follows another ("100 Continue") only the last one's. */
static void keep_header(struct http_wire *wire, const char *bytes, size_t length)
{
	char *grown = realloc(wire->kept, HTTP_HEADERS_LIMIT_BYTES);
	if (grown == NULL)
		abort();
	wire->kept = grown;
	memcpy(wire->kept + wire->kept_bytes, bytes, length);
	wire->kept_bytes += length;
}

/* Keeps the value of the header that was asked for, whole or not at all. */
static void note_header(struct http_wire *wire, const char *bytes, size_t length)
{
	size_t name = strlen(wire->note);
	if (name == 0 || length <= name || bytes[name] != ':' ||
		strncasecmp(bytes, wire->note, name) != 0)
		return;
	bytes += name + 1;
	length -= name + 1;
	while (length > 0 && isspace((unsigned char)bytes[length - 1]))
		length--;
	while (length > 0 && isspace((unsigned char)*bytes)) {
		bytes++;
		length--;
	}
	wire->noted[0] = '\0';
	if (length >= sizeof(wire->noted))
		return;
	memcpy(wire->noted, bytes, length);
	wire->noted[length] = '\0';
}

static size_t take_header(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_wire *wire = ctx;
	size_t length = size * count;
	char line[128];
	wire->header_bytes += length;
	if (wire->header_bytes > HTTP_HEADERS_LIMIT_BYTES) {
		err_set(&wire->why, ERR_INPUT, "the answer's headers are larger than %zu bytes",
			HTTP_HEADERS_LIMIT_BYTES);
		return 0;
	}
	size_t kept = length < sizeof(line) ? length : sizeof(line) - 1;
	memcpy(line, bytes, kept);
	line[kept] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	note_header(wire, bytes, length);
	long status = 0;
	curl_easy_getinfo(wire->easy, CURLINFO_RESPONSE_CODE, &status);
	if (str_starts(line, "HTTP/")) {
		read_status_line(wire, line);
		return length;
	}
	if (wire->keeps && line[0] != '\0')
		keep_header(wire, bytes, length);
	if (line[0] == '\0' && status >= 200)
		wire->headers_done = true;
	else if (strncasecmp(line, "retry-after:", 12) == 0) {
		const char *value = line + 12 + strspn(line + 12, " \t");
		if (isdigit((unsigned char)*value))
			wire->retry_after_s = strtoll(value, NULL, 10);
	}
	return length;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_wire *wire = ctx;
	return wire->take(wire->take_ctx, bytes, size * count) ? size * count : 0;
}

static void set_tls(struct http_wire *wire)
{
	const struct http_config *config = &wire->http->config;
	CURL *easy = wire->easy;
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, config->fingerprint != NULL ? 0L : 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, install_check);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, wire);
	if (config->fingerprint != NULL) {
		/* the system's certificates need not be read when one is pinned: 150 KB and 10 ms */
		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	} else if (config->ca_file != NULL) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, config->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (config->cert_file != NULL)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, config->cert_file);
	if (config->key_file != NULL)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, config->key_file);
}

static void set_connection(struct http_wire *wire)
{
	const struct http_config *config = &wire->http->config;
	CURL *easy = wire->easy;
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, wire);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)config->connect_timeout_ms);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
	if (config->unix_socket != NULL)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, config->unix_socket);
	if (config->unix_socket != NULL || config->dial != NULL)
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	/* one address, so that curl dials once; on a unix socket this option would leave none */
	if (config->dial != NULL) {
		curl_easy_setopt(easy, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
		curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, change_socket);
		curl_easy_setopt(easy, CURLOPT_PREREQDATA, wire);
	}
}

void http_wire_init(struct http_wire *wire, const struct http *http)
{
	*wire = (struct http_wire){.http = http, .retry_after_s = -1, .dialled = -1};
	CURL *easy = wire->easy = curl_easy_init();
	wire->multi = curl_multi_init();
	if (easy == NULL || wire->multi == NULL)
		abort();
	curl_multi_setopt(wire->multi, CURLMOPT_MAXCONNECTS, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* else giving up a name look-up would wait for it to end */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 16384L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "homeostat");
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, wire->detail);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, wire);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, wire);
	set_connection(wire);
	set_tls(wire);
	if (http->config.fingerprint != NULL)
		http_tls_pin(&wire->tls, http->config.fingerprint, NULL);
}

void http_wire_done(struct http_wire *wire)
{
	http_wire_end(wire);
	curl_easy_cleanup(wire->easy);
	curl_multi_cleanup(wire->multi);
}

static bool has_header(const struct http_request *request, const char *name)
{
	size_t length = strlen(name);
	for (const char *const *at = request->headers; at != NULL && *at != NULL; at++)
		if (strncasecmp(*at, name, length) == 0)
			return true;
	return false;
}

static bool add_header(struct http_wire *wire, const char *line)
{
	struct curl_slist *grown = curl_slist_append(wire->headers, line);
	if (grown == NULL)
		abort();
	wire->headers = grown;
	return strpbrk(line, "\r\n") == NULL;
}

static bool set_headers(struct http_wire *wire, const struct http_request *request)
{
	bool ok = add_header(wire, "Expect:");
	if (!has_header(request, "Content-Type:"))
		add_header(
			wire, request->body != NULL ? "Content-Type: application/json" : "Content-Type:");
	for (const char *const *at = request->headers; at != NULL && *at != NULL; at++)
		ok = add_header(wire, *at) && ok;
	curl_easy_setopt(wire->easy, CURLOPT_HTTPHEADER, wire->headers);
	return ok;
}

static void set_method(struct http_wire *wire, const struct http_request *request)
{
	CURL *easy = wire->easy;
	const char *method = request->method;
	bool head = strcmp(method, "HEAD") == 0;
	wire->repeatable = head || strcmp(method, "GET") == 0;
	curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
	if (head) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (request->body != NULL || strcmp(method, "POST") == 0) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body != NULL ? request->body : "");
	}
	if (strcmp(method, "GET") != 0 || request->body != NULL)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

bool http_wire_begin(struct http_wire *wire, const struct http_request *request, http_take_fn *take,
	void *take_ctx, struct err *err)
{
	const struct http_config *config = &wire->http->config;
	/* a long query would leave no room in an error for its cause */
	const char *path = request->shown != NULL ? request->shown : request->path;
	int shown = strlen(path) > 80 ? (int)strcspn(path, "?") : 80;
	STR_FORMAT(wire->target, "%s %.*s%s", request->method, shown, path,
		strlen(path) > (size_t)shown ? "?…" : "");
	wire->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : HTTP_TIMEOUT_MS;
	wire->take = take;
	wire->take_ctx = take_ctx;
	wire->why = (struct err){0};
	wire->detail[0] = wire->reason[0] = '\0';
	wire->headers_done = false;
	wire->header_bytes = 0;
	wire->kept_bytes = 0;
	wire->keeps = request->wants_headers;
	wire->retry_after_s = -1;
	STR_SET(wire->note, request->keep);
	wire->noted[0] = '\0';
	wire->any_status = request->any_status;
	if (wire->http->bad.kind != ERR_NONE) {
		err_set(err, wire->http->bad.kind, "%s", wire->http->bad.text);
		return http_error_prefix(wire, err);
	}
	char *url = NULL;
	if (asprintf(&url, "%s%s", config->base_url, request->path) < 0)
		abort();
	curl_easy_setopt(wire->easy, CURLOPT_URL, url);
	free(url);
	set_method(wire, request);
	if (!set_headers(wire, request)) {
		http_wire_end(wire);
		err_set(err, ERR_INPUT, "a header must be one line");
		return http_error_prefix(wire, err);
	}
	curl_multi_add_handle(wire->multi, wire->easy);
	wire->added = true;
	return true;
}

void http_wire_end(struct http_wire *wire)
{
	if (wire->added)
		curl_multi_remove_handle(wire->multi, wire->easy);
	wire->added = false;
	close_dialled(wire);
	curl_easy_setopt(wire->easy, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(wire->headers);
	wire->headers = NULL;
	free(wire->kept);
	wire->kept = NULL;
}

enum http_step http_wire_step(struct http_wire *wire, struct err *err)
{
	int running = 0, left = 0;
	CURLMcode code = curl_multi_perform(wire->multi, &running);
	if (code != CURLM_OK) {
		err_set(err, ERR_SYSTEM, "%s", curl_multi_strerror(code));
		http_error_prefix(wire, err);
		return HTTP_STEP_FAILED;
	}
	if (running > 0)
		return HTTP_STEP_ON;
	CURLMsg *message;
	while ((message = curl_multi_info_read(wire->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE || message->data.result == CURLE_OK)
			continue;
		http_error(wire, message->data.result, err);
		return HTTP_STEP_FAILED;
	}
	return HTTP_STEP_DONE;
}

bool http_wire_wait(struct http_wire *wire, int64_t deadline_ms, struct err *err)
{
	int64_t left = deadline_ms - http_now_ms();
	int stop_fd = wire->http->config.stop_fd;
	struct curl_waitfd stop = {.fd = stop_fd, .events = CURL_WAIT_POLLIN};
	int timeout = left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
	curl_multi_poll(wire->multi, &stop, stop_fd >= 0 ? 1 : 0, timeout, NULL);
	if (stop_fd < 0 || stop.revents == 0)
		return true;
	err_set(err, ERR_CANCELLED, "cancelled, since homeostat stops");
	return http_error_prefix(wire, err);
}

bool http_wire_timeout(const struct http_wire *wire, struct err *err)
{
	if (wire->timeout_ms % 1000 == 0)
		err_set(err, ERR_TIMEOUT, "no answer in %lld s", (long long)wire->timeout_ms / 1000);
	else
		err_set(err, ERR_TIMEOUT, "no answer in %lld ms", (long long)wire->timeout_ms);
	return http_error_prefix(wire, err);
}
