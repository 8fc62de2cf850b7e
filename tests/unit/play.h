/*
 * A server that plays what it is told, byte for byte: for each request that arrives the next act,
 * the last one for ever. On a unix socket in a folder of its own, or on TCP, or on TLS. One thread
 * for each connection, joined by play_stop.
 */
#ifndef TESTS_PLAY_H
#define TESTS_PLAY_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

struct act {
	const char *head;   /* sent once before, or NULL */
	const char *bytes;  /* the reply */
	size_t length;      /* 0: strlen(bytes) */
	int repeat;         /* the reply this many times more; -1: without end */
	int pause_ms;       /* before each repetition */
	bool keep;          /* keeps the connection for the next request; else closes it */
	bool hang;          /* says no more and keeps the connection */
};

struct play {
	const struct act *acts;
	size_t act_count;
	SSL_CTX *tls;
	int listen_fd, stop_fd, port;
	char folder[64], path[96];
	pthread_t accepter, speakers[64];
	size_t speaker_count;
	atomic_int connections, requests;
	char first[2048]; /* the first request, complete once requests > 0 */
};

struct speaker {
	struct play *play;
	int fd;
};

static inline int64_t play_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

/* False: told to stop. */
static inline bool play_wait(struct play *play, int fd, short events, int timeout_ms)
{
	struct pollfd fds[2] = {{.fd = play->stop_fd, .events = POLLIN}, {.fd = fd, .events = events}};
	poll(fds, 2, timeout_ms);
	return fds[0].revents == 0;
}

static inline bool play_send(struct play *play, int fd, SSL *ssl, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = ssl != NULL ? SSL_write(ssl, bytes, (int)length)
			: send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && ssl == NULL && play_wait(play, fd, POLLOUT | POLLHUP, 1000) &&
		    send(fd, "", 0, MSG_NOSIGNAL) == 0)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

/* Reads to the end of the headers; bodies are short and come with them. */
static inline bool play_listen(struct play *play, int fd, SSL *ssl)
{
	char request[2048] = "";
	size_t length = 0;
	while (strstr(request, "\r\n\r\n") == NULL && length < sizeof(request) - 1) {
		if (ssl == NULL && !play_wait(play, fd, POLLIN, -1))
			return false;
		size_t room = sizeof(request) - 1 - length;
		ssize_t n = ssl != NULL ? SSL_read(ssl, request + length, (int)room)
			: recv(fd, request + length, room, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			return false;
		length += (size_t)n;
		request[length] = '\0';
	}
	if (atomic_load(&play->requests) == 0)
		memcpy(play->first, request, sizeof(request));
	return true;
}

static inline bool play_act(struct play *play, int fd, SSL *ssl, const struct act *act)
{
	size_t length = act->length > 0 ? act->length : strlen(act->bytes);
	bool ok = (act->head == NULL || play_send(play, fd, ssl, act->head, strlen(act->head))) &&
		play_send(play, fd, ssl, act->bytes, length);
	for (int i = 0; ok && (i < act->repeat || act->repeat < 0); i++)
		ok = (act->pause_ms == 0 || play_wait(play, -1, 0, act->pause_ms)) &&
			play_send(play, fd, ssl, act->bytes, length);
	if (ok && act->hang)
		while (play_wait(play, -1, 0, -1))
			;
	return ok && act->keep;
}

static inline void *play_speak(void *arg)
{
	struct speaker speaker = *(struct speaker *)arg;
	struct play *play = speaker.play;
	free(arg);
	SSL *ssl = NULL;
	bool ok = true;
	if (play->tls != NULL) {
		ssl = SSL_new(play->tls);
		SSL_set_fd(ssl, speaker.fd);
		ok = SSL_accept(ssl) == 1;
	}
	while (ok && play_listen(play, speaker.fd, ssl)) {
		size_t i = (size_t)atomic_fetch_add(&play->requests, 1);
		ok = play_act(play, speaker.fd, ssl,
			&play->acts[i < play->act_count ? i : play->act_count - 1]);
	}
	if (ssl != NULL) {
		SSL_shutdown(ssl);
		SSL_free(ssl);
	}
	close(speaker.fd);
	return NULL;
}

static inline void *play_accept(void *arg)
{
	struct play *play = arg;
	while (play_wait(play, play->listen_fd, POLLIN, -1) && play->speaker_count < 64) {
		int fd = accept4(play->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		atomic_fetch_add(&play->connections, 1);
		struct speaker *speaker = malloc(sizeof(*speaker));
		*speaker = (struct speaker){play, fd};
		pthread_create(&play->speakers[play->speaker_count++], NULL, play_speak, speaker);
	}
	return NULL;
}

static inline void play_go(struct play *play, const struct act *acts, size_t count)
{
	play->acts = acts;
	play->act_count = count;
	play->stop_fd = eventfd(0, EFD_CLOEXEC);
	listen(play->listen_fd, 16);
	pthread_create(&play->accepter, NULL, play_accept, play);
}

static inline void play_unix(struct play *play, const struct act *acts, size_t count)
{
	*play = (struct play){0};
	snprintf(play->folder, sizeof(play->folder), "/tmp/homeostat-play-XXXXXX");
	if (mkdtemp(play->folder) == NULL)
		abort();
	snprintf(play->path, sizeof(play->path), "%s/socket", play->folder);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, play->path, sizeof(play->path));
	play->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(play->listen_fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		abort();
	play_go(play, acts, count);
}

static inline void play_tcp(struct play *play, SSL_CTX *tls, const struct act *acts, size_t count)
{
	*play = (struct play){.tls = tls};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	play->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(play->listen_fd, (struct sockaddr *)&address, length) != 0 ||
	    getsockname(play->listen_fd, (struct sockaddr *)&address, &length) != 0)
		abort();
	play->port = ntohs(address.sin_port);
	play_go(play, acts, count);
}

/* All clients must have closed their TLS connections. */
static inline void play_stop(struct play *play)
{
	eventfd_write(play->stop_fd, 1);
	pthread_join(play->accepter, NULL);
	for (size_t i = 0; i < play->speaker_count; i++)
		pthread_join(play->speakers[i], NULL);
	close(play->listen_fd);
	close(play->stop_fd);
	if (play->folder[0] != '\0') {
		unlink(play->path);
		rmdir(play->folder);
	}
}

#endif
