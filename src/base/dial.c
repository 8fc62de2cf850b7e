#include "base/dial.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t dial_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool dial_wait(const struct dial *dial, int fd, bool to_write, int64_t deadline_ms, struct err *err)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = fd, .events = to_write ? POLLOUT : POLLIN},
			{.fd = dial->stop_fd, .events = POLLIN},
		};
		int64_t left = deadline_ms - dial_now_ms();
		int ready = poll(fds, 2, left > 0 ? (int)left : 0);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0)
			return err_set(err, ERR_SYSTEM, "poll: %s", strerror(errno));
		if (fds[1].revents != 0)
			return err_set(err, ERR_CANCELLED, "cancelled, since homeostat stops");
		if (fds[0].revents != 0)
			return true;
		if (left <= 0)
			return err_set(err, ERR_TIMEOUT, "%s port %s: no answer in %lld ms", dial->host,
				dial->port, (long long)dial->timeout_ms);
	}
}

static bool connect_to(const struct dial *dial, const struct addrinfo *address, int fd,
	int64_t deadline_ms, struct err *err)
{
	int error = 0;
	socklen_t length = sizeof(error);
	if (connect(fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS)
		error = errno;
	else if (!dial_wait(dial, fd, true, deadline_ms, err))
		return false;
	else
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	return error == 0 ||
		err_set(err, ERR_RETRY, "%s port %s: %s", dial->host, dial->port, strerror(error));
}

int dial_tcp(const struct dial *dial, struct err *err)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	struct err why = {0};
	int64_t deadline = dial_now_ms() + dial->timeout_ms;
	int found = getaddrinfo(dial->host, dial->port, &hints, &list), fd = -1;
	if (found != 0) {
		err_set(err, ERR_RETRY, "%s: %s", dial->host, gai_strerror(found));
		return -1;
	}
	for (const struct addrinfo *each = list; each != NULL && fd < 0; each = each->ai_next) {
		fd = socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd >= 0 && !connect_to(dial, each, fd, deadline, &why)) {
			close(fd);
			fd = -1;
		}
		if (why.kind == ERR_CANCELLED)
			break;
	}
	freeaddrinfo(list);
	if (fd < 0)
		err_set(err, why.kind != ERR_NONE ? why.kind : ERR_SYSTEM, "%s",
			why.kind != ERR_NONE ? why.text : strerror(errno));
	return fd;
}
