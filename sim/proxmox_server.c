/* The simulated cluster as a program: in plain HTTP on one socket, by a script of timed lines. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "sim/proxmox_site.h"

#define LINES_MAX 256

struct script_line {
	int64_t at_ms;
	char text[512];
	bool done;
};

struct program {
	struct site site;
	struct script_line lines[LINES_MAX];
	int line_count;
};

static void run_script(struct program *program)
{
	char text[256];
	for (int i = 0; i < program->line_count; i++) {
		struct script_line *line = &program->lines[i];
		if (line->done || clock_mono_ms(program->site.clock) < line->at_ms)
			continue;
		line->done = true;
		if (!sim_proxmox_script(program->site.sim, line->text, text, sizeof(text)))
			fprintf(stderr, "sim-proxmox: %s: %s\n", line->text, text);
	}
}

static void read_script(struct program *program, char **lines)
{
	for (; *lines != NULL && program->line_count < LINES_MAX; lines++) {
		long ms = 0;
		int skip = 0;
		if (sscanf(*lines, "after %ld %n", &ms, &skip) != 1)
			skip = 0;
		struct script_line *next = &program->lines[program->line_count++];
		next->at_ms = clock_mono_ms(program->site.clock) + ms;
		STR_SET(next->text, *lines + skip);
	}
}

/* On a port of 127.0.0.1, or on a unix socket; -1: said so. */
static int listen_on(const char *where)
{
	char *end;
	long port = strtol(where, &end, 10);
	bool is_port = *where != '\0' && *end == '\0';
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(in);
	int fd = socket(is_port ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!is_port && (!STR_SET(un.sun_path, where) || (unlink(where) != 0 && errno != ENOENT))) {
		fprintf(stderr, "sim-proxmox: %s: no place for a socket\n", where);
		close(fd);
		return -1;
	}
	int bound = is_port ? bind(fd, (const struct sockaddr *)&in, sizeof(in))
						: bind(fd, (const struct sockaddr *)&un, sizeof(un));
	if (fd < 0 || bound != 0 || listen(fd, SITE_PEERS) != 0) {
		fprintf(stderr, "sim-proxmox: %s: %s\n", where, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (is_port && getsockname(fd, (struct sockaddr *)&in, &size) == 0) {
		printf("%d\n", ntohs(in.sin_port));
		fflush(stdout);
	}
	return fd;
}

int sim_proxmox_main(int argc, char **argv)
{
	if (argc < 2) {
		fputs("usage: sim-proxmox SOCKET|PORT [\"after MS LINE\"]…\n", stderr);
		return 2;
	}
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	struct pollfd signals = {.fd = signalfd(-1, &set, SFD_CLOEXEC), .events = POLLIN};
	struct program *program = calloc(1, sizeof(*program));
	if (program == NULL || signals.fd < 0)
		abort();
	struct site *site = &program->site;
	site_init(site);
	site->clock = clock_new_real();
	site->sim = sim_proxmox_new(site->clock);
	read_script(program, argv + 2);
	run_script(program);
	site->listeners[0] = listen_on(argv[1]);
	bool ok = site->listeners[0] >= 0;
	while (ok && poll(&signals, 1, 0) == 0) {
		run_script(program);
		sim_proxmox_tick(site->sim);
		site_step(site, signals.fd);
	}
	site_done(site);
	sim_proxmox_free(site->sim);
	clock_free(site->clock);
	close(signals.fd);
	free(program);
	return ok ? 0 : 1;
}
