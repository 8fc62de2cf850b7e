/* The simulated cluster on a socket: what a client sees on the wire. */
#include "sim/proxmox.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Reads what comes until a list has ended or the other side closes. */
static void read_answer(int fd, char *text, size_t size)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	size_t n = 0;
	ssize_t got = 1;
	while (got > 0 && n + 1 < size && poll(&wait, 1, 10000) == 1) {
		got = read(fd, text + n, size - n - 1);
		n += got > 0 ? (size_t)got : 0;
		text[n] = '\0';
		if (strstr(text, "}]}") != NULL)
			return;
	}
}

static int dial(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	for (int i = 0; i < 500; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) == 0)
			return fd;
		close(fd);
		poll(NULL, 0, 10);
	}
	fail_msg("%s: nobody listens", path);
	return -1;
}

static void over_a_socket_the_reason_phrase_is_the_real_ones(void **state)
{
	char folder[] = "/tmp/sim-proxmox-XXXXXX", path[64], text[8192] = "";
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char name[] = "sim-proxmox", node[] = "node pve1", vm[] = "vm 100 pve1 web",
			 ct[] = "ct 200 pve1 dns";
		char *argv[] = {name, path, node, vm, ct, NULL};
		_exit(sim_proxmox_main(5, argv));
	}
	static const char list[] =
		"GET /api2/json/nodes HTTP/1.1\r\nHost: x\r\nAuthorization: " SIM_PVE_TOKEN "\r\n\r\n";
	static const char start[] = "POST /api2/json/nodes/pve1/lxc/200/status/start HTTP/1.1\r\nHost: "
								"x\r\nContent-Length: 0\r\nAuthorization: " SIM_PVE_TOKEN
								"\r\n\r\n";
	int fd = dial(path);
	assert_int_equal(write(fd, list, strlen(list)), strlen(list));
	read_answer(fd, text, sizeof(text));
	assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(text, "\"node\":\"pve1\""));
	assert_int_equal(write(fd, start, strlen(start)), strlen(start));
	read_answer(fd, text, sizeof(text));
	assert_non_null(strstr(text, "HTTP/1.1 500 CT 200 already running\r\n"));
	assert_int_equal(read(fd, text, 1), 0);
	close(fd);
	kill(pid, SIGTERM);
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_a_socket_the_reason_phrase_is_the_real_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
