/*
 * The floor for a healer: reads the engine's events and starts at once whatever died. No state, no
 * decision, no record, no verification. listener SOCKET
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int dial(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

static void start_container(const char *path, const char *id)
{
	char bytes[512];
	int n = snprintf(bytes, sizeof(bytes),
		"POST /containers/%.64s/start HTTP/1.1\r\nHost: engine\r\nContent-Length: 0\r\n"
		"Connection: close\r\n\r\n",
		id);
	int fd = dial(path);
	if (write(fd, bytes, (size_t)n) == n)
		while (read(fd, bytes, sizeof(bytes)) > 0)
			;
	close(fd);
}

int main(int argc, char **argv)
{
	static const char ask[] =
		"GET "
		"/events?filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22die%22%5D%7D "
		"HTTP/1.1\r\nHost: engine\r\n\r\n";
	static const char key[] = "\"id\":\"";
	if (argc != 2) {
		fprintf(stderr, "usage: listener SOCKET\n");
		return 2;
	}
	int fd = dial(argv[1]);
	if (write(fd, ask, sizeof(ask) - 1) != (ssize_t)sizeof(ask) - 1)
		return 1;
	FILE *stream = fdopen(fd, "r");
	char line[65536];
	while (stream != NULL && fgets(line, sizeof(line), stream) != NULL) {
		const char *id = strstr(line, key);
		if (id != NULL)
			start_container(argv[1], id + sizeof(key) - 1);
	}
	return 0;
}
