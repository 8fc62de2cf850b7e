#include "base/smtp.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

#define TIMEOUT_MS 20000
#define CONNECT_MS 10000
#define RESPONSE_S 15
/* Addresses of a name that are tried at once. */
#define SOCKETS 4

struct post {
	CURL *easy;
	CURLM *multi;
	struct curl_slist *to;
	const struct smtp_letter *letter;
	size_t sent;
	int sockets[SOCKETS]; /* those that are open; -1: none */
	char detail[CURL_ERROR_SIZE];
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t give(char *buffer, size_t size, size_t count, void *ctx)
{
	struct post *post = ctx;
	size_t left = post->letter->length - post->sent, room = size * count;
	size_t length = left < room ? left : room;
	memcpy(buffer, post->letter->text + post->sent, length);
	post->sent += length;
	return length;
}

static size_t ignore(char *bytes, size_t size, size_t count, void *ctx)
{
	(void)bytes;
	(void)ctx;
	return size * count;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct post *post = ctx;
	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	for (int i = 0; i < SOCKETS; i++) {
		if (post->sockets[i] >= 0)
			continue;
		post->sockets[i] = fd;
		break;
	}
	return fd;
}

static int close_socket(void *ctx, curl_socket_t fd)
{
	struct post *post = ctx;
	for (int i = 0; i < SOCKETS; i++)
		if (post->sockets[i] == fd)
			post->sockets[i] = -1;
	return close(fd);
}

static void set_callbacks(struct post *post)
{
	CURL *easy = post->easy;
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, post);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, post);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(easy, CURLOPT_READDATA, post);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->detail);
}

static void post_init(
	struct post *post, const struct smtp_server *server, const struct smtp_letter *letter)
{
	*post = (struct post){.letter = letter, .sockets = {-1, -1, -1, -1}};
	CURL *easy = post->easy = curl_easy_init();
	post->multi = curl_multi_init();
	if (easy == NULL || post->multi == NULL)
		abort();
	for (const char *const *to = letter->to; *to != NULL; to++) {
		struct curl_slist *grown = curl_slist_append(post->to, *to);
		if (grown == NULL)
			abort();
		post->to = grown;
	}
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_URL, server->url);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)RESPONSE_S);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(
		easy, CURLOPT_USE_SSL, (long)(server->may_be_plain ? CURLUSESSL_TRY : CURLUSESSL_ALL));
	if (server->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, server->ca_file);
	if (server->user != NULL) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, server->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, server->password);
	}
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, letter->from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, post->to);
	/* one who has moved away must not keep it from the others */
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)letter->length);
	set_callbacks(post);
	curl_multi_add_handle(post->multi, easy);
}

/* Curl would say QUIT, and wait for an answer to it, where there was none before. */
static void post_done(struct post *post, bool ok)
{
	for (int i = 0; i < SOCKETS && !ok; i++)
		if (post->sockets[i] >= 0)
			shutdown(post->sockets[i], SHUT_RDWR);
	curl_multi_remove_handle(post->multi, post->easy);
	curl_easy_cleanup(post->easy);
	curl_multi_cleanup(post->multi);
	curl_slist_free_all(post->to);
}

/* What the server answers is told by its number: curl keeps the words to itself. 4yz means not now,
 * 5yz never (RFC 5321, 4.2.1). */
static bool failed(const struct post *post, CURLcode code, struct err *err)
{
	long answer = 0;
	const char *detail = post->detail[0] != '\0' ? post->detail : curl_easy_strerror(code);
	curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &answer);
	switch ((int)code) {
	case CURLE_LOGIN_DENIED:
		return err_set(err, answer < 500 ? ERR_RETRY : ERR_DENIED,
			"the log-in was refused (%ld): are user and token right?", answer);
	case CURLE_USE_SSL_FAILED:
		return err_set(err, ERR_DENIED,
			"the server offers no TLS, and nothing is sent without: use its port for STARTTLS, or "
			"smtps://");
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(err, ERR_DENIED, "the server's certificate was not accepted: %s", detail);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, ERR_TIMEOUT, "%s", detail);
	case CURLE_REMOTE_ACCESS_DENIED: /* before any letter: of the server, not of it */
		return err_set(err, ERR_RETRY, "the server takes nothing now: %s", detail);
	default:
		break;
	}
	if (answer >= 400)
		return err_set(
			err, answer >= 500 ? ERR_INPUT : ERR_RETRY, "the server refused it: %s", detail);
	return err_set(err, ERR_RETRY, "%s", detail);
}

static bool ended(struct post *post, struct err *err)
{
	int left = 0;
	CURLMsg *message;
	while ((message = curl_multi_info_read(post->multi, &left)) != NULL)
		if (message->msg == CURLMSG_DONE && message->data.result != CURLE_OK)
			return failed(post, message->data.result, err);
	return true;
}

static bool run(struct post *post, const struct smtp_server *server, struct err *err)
{
	int64_t timeout = server->timeout_ms > 0 ? server->timeout_ms : TIMEOUT_MS;
	int64_t deadline = now_ms() + timeout;
	for (;;) {
		struct curl_waitfd stop = {.fd = server->stop_fd, .events = CURL_WAIT_POLLIN};
		int running = 0;
		CURLMcode code = curl_multi_perform(post->multi, &running);
		if (code != CURLM_OK)
			return err_set(err, ERR_SYSTEM, "%s", curl_multi_strerror(code));
		if (running == 0)
			return ended(post, err);
		int64_t left = deadline - now_ms();
		if (left <= 0)
			return err_set(err, ERR_TIMEOUT, "no answer in %lld s", (long long)timeout / 1000);
		curl_multi_poll(post->multi, &stop, server->stop_fd >= 0 ? 1 : 0, (int)left, NULL);
		if (server->stop_fd >= 0 && stop.revents != 0)
			return err_set(err, ERR_CANCELLED, "cancelled, since homeostat stops");
	}
}

bool smtp_send(const struct smtp_server *server, const struct smtp_letter *letter, struct err *err)
{
	struct post post;
	post_init(&post, server, letter);
	bool ok = run(&post, server, err) || err_prefix(err, "%s", server->name);
	post_done(&post, ok);
	return ok;
}
