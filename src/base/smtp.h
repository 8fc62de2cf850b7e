/*
 * Sending mail by SMTP, on libcurl: smtp:// with STARTTLS, which must be offered, or smtps://; to
 * this machine also in clear text. One call, one connection, one letter. The call has a deadline
 * and ends when stop_fd becomes readable. Any thread.
 */
#ifndef BASE_SMTP_H
#define BASE_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct smtp_server {
	const char *url;            /* "smtp://mail.example:587" */
	const char *user, *password;/* or NULL both */
	const char *ca_file;        /* PEM; NULL: the system's authorities */
	bool may_be_plain;          /* without TLS, when none is offered: this machine */
	int64_t timeout_ms;         /* of the whole; 0: 20,000 */
	int stop_fd;                /* -1: none */
	const char *name;           /* for errors: "mail home" */
};

struct smtp_letter {
	const char *from;
	const char *const *to;      /* ended by NULL */
	const char *text;           /* RFC 5322: headers, an empty line, body; CRLF at line ends */
	size_t length;
};

/* False: ERR_RETRY (network, or the server says not now), ERR_TIMEOUT, ERR_CANCELLED, ERR_DENIED
 * (certificate, no TLS, log-in), ERR_INPUT (the letter or an address is refused for good). */
bool smtp_send(
	const struct smtp_server *server, const struct smtp_letter *letter, struct err *err);

#endif
