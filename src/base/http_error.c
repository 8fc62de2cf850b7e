/* What a transfer that failed means, in our words: kind, cause and, if there is one, the cure. */
#include "base/http_internal.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* CURLE_TOO_LARGE, which the headers of curl 7 do not have yet. */
#define TOO_LARGE 100

bool http_error_prefix(const struct http_wire *wire, struct err *err)
{
	err_prefix(err, "%s", wire->target);
	return err_prefix(err, "%s", wire->http->config.name);
}

/* "docker local" → "docker": what has to run on the other side of a socket. */
static void server_word(const struct http *http, char *word, size_t size)
{
	const char *name = http->config.name;
	size_t length = strcspn(name, " :/");
	if (length == 0 || name[length] == ':')
		str_copy(word, size, "its server");
	else
		str_format(word, size, "%.*s", (int)length, name);
}

static bool no_connection(const struct http_wire *wire, struct err *err)
{
	const struct http_config *config = &wire->http->config;
	char word[40];
	long number = 0;
	curl_easy_getinfo(wire->easy, CURLINFO_OS_ERRNO, &number);
	const char *path = config->unix_socket;
	server_word(wire->http, word, sizeof(word));
	if (path == NULL && number == ECONNREFUSED)
		return err_set(err, ERR_RETRY,
			"connection refused by %s: is %s running, and the port right?", wire->http->shown_url,
			word);
	if (path == NULL)
		return err_set(err, ERR_RETRY, "no connection to %s: %s", wire->http->shown_url,
			number != 0 ? strerror((int)number) : wire->detail);
	switch (number) {
	case ENOENT:
		return err_set(err, ERR_RETRY, "no socket at %s: is %s running?", path, word);
	case ECONNREFUSED:
		return err_set(err, ERR_RETRY, "nobody listens on %s: is %s running?", path, word);
	case EACCES:
	case EPERM:
		return err_set(err, ERR_DENIED,
			"permission denied on %s: run homeostat as root or add "
			"its user to the group that owns it",
			path);
	default:
		return err_set(err, ERR_RETRY, "no connection to %s: %s", path,
			number != 0 ? strerror((int)number) : wire->detail);
	}
}

static bool bad_certificate(const struct http_wire *wire, struct err *err)
{
	const struct http_tls *tls = &wire->tls;
	char found[HTTP_PIN_BYTES * 3], pin[HTTP_PIN_BYTES * 3];
	http_tls_text(tls->found, found);
	if (tls->pinned && tls->mismatch) {
		http_tls_text(tls->pin, pin);
		return err_set(err, ERR_DENIED,
			"the server's certificate has the fingerprint %s, not %s: "
			"if it was renewed on purpose, change fingerprint: to accept it",
			found, pin);
	}
	if (!tls->seen)
		return err_set(
			err, ERR_DENIED, "the server's certificate was not accepted: %s", wire->detail);
	return err_set(err, ERR_DENIED,
		"the server's certificate was not accepted: %s: name its "
		"authority in ca_file:, or trust exactly this one by fingerprint: \"%s\"",
		wire->detail, found);
}

static bool certificate_wanted(const struct http_wire *wire, struct err *err)
{
	return err_set(err, ERR_DENIED,
		"the server did not accept us (%s): check cert_file: and "
		"key_file:",
		wire->detail);
}

/* TLS that failed for another reason than the server's certificate. */
static bool bad_handshake(const struct http_wire *wire, struct err *err)
{
	if (strstr(wire->detail, "alert") != NULL)
		return certificate_wanted(wire, err);
	if (strstr(wire->detail, "wrong version number") != NULL)
		return err_set(
			err, ERR_INPUT, "the server does not speak TLS on this port (%s)", wire->detail);
	return err_set(err, ERR_RETRY, "TLS: %s", wire->detail);
}

static bool broken_off(const struct http_wire *wire, struct err *err)
{
	if (strstr(wire->detail, "alert") != NULL)
		return certificate_wanted(wire, err);
	/* under TLS 1.3 a server that misses our certificate says so after the handshake, and its words
	 * can be lost with the connection */
	if (wire->tls.seen && wire->header_bytes == 0 && wire->http->config.cert_file == NULL)
		return err_set(err, ERR_RETRY,
			"the connection broke after the handshake (%s): if the "
			"server wants a client certificate, set cert_file: and key_file:",
			wire->detail);
	if (strstr(wire->detail, "hunked") != NULL || strstr(wire->detail, "hex") != NULL ||
		strstr(wire->detail, "header") != NULL)
		return err_set(err, ERR_INPUT, "the answer is not proper HTTP: %s", wire->detail);
	if (wire->header_bytes == 0)
		return err_set(err, ERR_RETRY, "the connection was closed without an answer");
	return err_set(err, ERR_RETRY, "the connection broke before the answer was complete%s%s",
		wire->detail[0] != '\0' ? ": " : "", wire->detail);
}

static bool cause(const struct http_wire *wire, CURLcode code, struct err *err)
{
	const struct http_config *config = &wire->http->config;
	switch ((int)code) {
	case CURLE_COULDNT_CONNECT:
		return no_connection(wire, err);
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return err_set(err, ERR_RETRY, "the name in %s cannot be resolved: %s",
			wire->http->shown_url, wire->detail);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(
			err, ERR_RETRY, "no connection in %lld ms", (long long)config->connect_timeout_ms);
	case CURLE_PEER_FAILED_VERIFICATION:
		return bad_certificate(wire, err);
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(
			err, ERR_INPUT, "%s: check ca_file:, cert_file: and key_file:", wire->detail);
	case CURLE_SSL_CONNECT_ERROR:
		return bad_handshake(wire, err);
	case CURLE_URL_MALFORMAT:
		return err_set(err, ERR_INPUT, "%s is not a URL that can be asked: %s",
			wire->http->shown_url, wire->detail);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_OUT_OF_MEMORY: /* a single header line above curl's own limit … */
	case TOO_LARGE:           /* … as newer ones say it */
		return err_set(err, ERR_INPUT, "the answer is not proper HTTP: %s", wire->detail);
	case CURLE_FILESIZE_EXCEEDED:
		return err_set(
			err, ERR_INPUT, "the answer is larger than %zu bytes", wire->http->limit_bytes);
	case CURLE_PARTIAL_FILE:
		return err_set(err, ERR_RETRY, "the answer was cut off: %s", wire->detail);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return broken_off(wire, err);
	default:
		return err_set(err, ERR_RETRY, "%s",
			wire->detail[0] != '\0' ? wire->detail : curl_easy_strerror(code));
	}
}

bool http_error(const struct http_wire *wire, CURLcode code, struct err *err)
{
	if (wire->why.kind != ERR_NONE)
		err_set(err, wire->why.kind, "%s", wire->why.text);
	else
		cause(wire, code, err);
	return http_error_prefix(wire, err);
}
