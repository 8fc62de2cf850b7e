#include "base/server_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

#define BACKLOG 64
#define LOCK_TRIES 100
#define LOCK_PAUSE_MS 10

static int fail(int fd, enum err_kind kind, const char *what, int error, struct err *err)
{
	if (fd >= 0)
		close(fd);
	err_set(err, kind, "%s: %s", what, strerror(error));
	return -1;
}

/* "[::1]:80" → "::1" and "80". False: no port, or no room. */
static bool split(const char *address, char *host, size_t host_size, const char **port)
{
	const char *colon = strrchr(address, ':');
	if (colon == NULL || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	size_t length = (size_t)(colon - address);
	if (length >= 2 && address[0] == '[' && colon[-1] == ']') {
		address++;
		length -= 2;
	} else if (memchr(address, ':', length) != NULL) {
		return false;
	}
	if (length == 0 || length >= host_size)
		return false;
	str_format(host, host_size, "%.*s", (int)length, address);
	if (strcmp(host, "localhost") == 0)
		str_copy(host, host_size, "127.0.0.1");
	*port = colon + 1;
	return true;
}

static int port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} bound = {0};
	socklen_t length = sizeof(bound);
	if (getsockname(fd, &bound.any, &length) != 0)
		return 0;
	return ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
}

int server_listen_tcp(const char *address, int *port, struct err *err)
{
	char host[64];
	const char *service;
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
						.ai_socktype = SOCK_STREAM},
					*found = NULL;
	if (!split(address, host, sizeof(host), &service) || strtol(service, NULL, 10) > 65535 ||
		getaddrinfo(host, service, &hints, &found) != 0) {
		err_set(err, ERR_INPUT,
			"listen: \"%s\" is not ADDRESS:PORT, as 127.0.0.1:9095 or "
			"[::1]:9095",
			address);
		return -1;
	}
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	int bound = fd < 0 ? -1 : bind(fd, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (bound != 0 || listen(fd, BACKLOG) != 0) {
		char what[160];
		int error = errno;
		STR_FORMAT(what, "listen on %s%s", address,
			error == EADDRINUSE ? ": another program has this port, choose another in listen:"
								: "");
		return fail(fd, ERR_SYSTEM, what, error, err);
	}
	*port = port_of(fd);
	return fd;
}

static bool unix_address(const char *path, struct sockaddr_un *address, struct err *err)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) < sizeof(address->sun_path))
		return str_copy(address->sun_path, sizeof(address->sun_path), path);
	return err_set(err, ERR_INPUT, "%s: a socket's path is at most %zu bytes long", path,
		sizeof(address->sun_path) - 1);
}

/* Two that start at once must not take each other's new socket for a stale one, so the folder is
 * locked from the test until the new socket listens. -1: a folder that cannot be read. */
static int lock_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		STR_SET(folder, ".");
	else
		STR_FORMAT(folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) != 0; i++)
		poll(NULL, 0, LOCK_PAUSE_MS);
	return fd;
}

/* Makes way for our socket where a stale one lies. */
static bool clear_stale(const char *path, const struct sockaddr_un *address, struct err *err)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return true;
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_SYSTEM, "%s exists and is no socket: move it away", path);
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int answer = connect(probe, (const struct sockaddr *)address, sizeof(*address));
	int error = errno;
	close(probe);
	if (answer == 0 || error == EAGAIN)
		return err_set(err, ERR_SYSTEM, "%s is in use: another homeostat is running", path);
	if (error != ECONNREFUSED)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(error));
	if (unlink(path) != 0)
		return err_set(
			err, ERR_SYSTEM, "%s: the stale socket cannot be removed: %s", path, strerror(errno));
	return true;
}

/* The mode is set before the file exists: bind gives a socket's file the mode of the socket, less
 * the umask, so that there is no moment at which others could connect. chmod then only widens. */
static int bind_private(
	const char *path, const struct sockaddr_un *address, unsigned mode, struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || fchmod(fd, mode) != 0 ||
		bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		return fail(fd, ERR_SYSTEM, path, errno, err);
	if (chmod(path, mode) != 0 || listen(fd, BACKLOG) != 0) {
		int error = errno;
		unlink(path);
		return fail(fd, ERR_SYSTEM, path, error, err);
	}
	return fd;
}

int server_listen_unix(const char *path, unsigned mode, struct stat *made, struct err *err)
{
	struct sockaddr_un address;
	if (!unix_address(path, &address, err))
		return -1;
	int lock = lock_folder(path);
	int fd = clear_stale(path, &address, err) ? bind_private(path, &address, mode, err) : -1;
	if (fd >= 0 && lstat(path, made) != 0)
		fd = fail(fd, ERR_SYSTEM, path, errno, err);
	if (lock >= 0)
		close(lock);
	return fd;
}

void server_unlink(const char *path, const struct stat *made)
{
	struct stat st;
	if (lstat(path, &st) == 0 && st.st_dev == made->st_dev && st.st_ino == made->st_ino)
		unlink(path);
}
