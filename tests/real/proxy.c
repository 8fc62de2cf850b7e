/*
 * Stands between homeostat and an engine's socket: proxy LISTEN ENGINE FOLDER. Writes every POST to
 * Stands between homeostat and the socket of an engine: proxy LISTEN ENGINE FOLDER. Writes every
 * POST to test can count what is asked at the same time. While FOLDER/hold-request exists a POST is
 * kept from the engine, while FOLDER/hold-reply exists the answer of a POST is kept from homeostat:
 * the two moments at which a test kills it. A held request whose asker is gone is dropped.
 * proxy --free-port: prints a TCP port that was free a moment ago.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct pair {
	int asker, engine;
	bool posting; /* a POST was passed on, its answer not yet */
	char path[256];
};

static const char *engine_path;
static const char *folder;
static int journal = -1;

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static void note(const char *what, const char *path)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	char line[512];
	int n = snprintf(line, sizeof(line), "%lld %s %s\n",
		(long long)now.tv_sec * 1000 + now.tv_nsec / 1000000, what, path);
	/* One write of less than a page to an O_APPEND file: lines of threads do not mix. */
	if (write(journal, line, (size_t)n) < 0)
		die("journal");
}

static bool is_held(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

static bool is_gone(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLRDHUP};
	return poll(&poller, 1, 5) == 1 && (poller.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* False: the asker went away while it was held. */
static bool pass_hold(const struct pair *pair, const char *name)
{
	if (!is_held(name))
		return true;
	note(name, pair->path);
	while (is_held(name))
		if (is_gone(pair->asker))
			return false;
	return true;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

static bool from_asker(struct pair *pair)
{
	char bytes[16384];
	ssize_t n = read(pair->asker, bytes, sizeof(bytes) - 1);
	if (n <= 0)
		return false;
	bytes[n] = '\0';
	if (strncmp(bytes, "POST ", 5) == 0) {
		size_t length = strcspn(bytes + 5, " ?\r\n");
		snprintf(pair->path, sizeof(pair->path), "%.*s", (int)length, bytes + 5);
		if (!pass_hold(pair, "hold-request"))
			return false;
		note("begin", pair->path);
		pair->posting = true;
	}
	return write_all(pair->engine, bytes, (size_t)n);
}

static bool from_engine(struct pair *pair)
{
	char bytes[16384];
	ssize_t n = read(pair->engine, bytes, sizeof(bytes));
	if (n <= 0)
		return false;
	if (pair->posting) {
		pair->posting = false;
		note("end", pair->path);
		if (!pass_hold(pair, "hold-reply"))
			return false;
	}
	return write_all(pair->asker, bytes, (size_t)n);
}

static int dial_engine(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", engine_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void *serve(void *arg)
{
	struct pair *pair = arg;
	pair->engine = dial_engine();
	struct pollfd pollers[2] = {
		{.fd = pair->asker, .events = POLLIN}, {.fd = pair->engine, .events = POLLIN}};
	while (pair->engine >= 0 && poll(pollers, 2, -1) > 0) {
		if (pollers[0].revents != 0 && !from_asker(pair))
			break;
		if (pollers[1].revents != 0 && !from_engine(pair))
			break;
	}
	if (pair->engine >= 0)
		close(pair->engine);
	close(pair->asker);
	free(pair);
	return NULL;
}

static int print_free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		die("no free port");
	printf("%d\n", ntohs(address.sin_port));
	close(fd);
	return 0;
}

static int open_listener(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(fd, 64) != 0)
		die(path);
	return fd;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--free-port") == 0)
		return print_free_port();
	if (argc != 4) {
		fprintf(stderr, "usage: proxy LISTEN ENGINE FOLDER | proxy --free-port\n");
		return 2;
	}
	engine_path = argv[2];
	folder = argv[3];
	char path[512];
	snprintf(path, sizeof(path), "%s/journal", folder);
	journal = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (journal < 0)
		die(path);
	signal(SIGPIPE, SIG_IGN);
	int listener = open_listener(argv[1]);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		struct pair *pair = calloc(1, sizeof(*pair));
		pthread_t thread;
		if (pair == NULL)
			die("memory");
		pair->asker = fd;
		if (pthread_create(&thread, NULL, serve, pair) != 0)
			die("thread");
		pthread_detach(thread);
	}
}
