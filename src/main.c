/*
 * homeostat: options → command → exit code. Everything else is src/cli, and what it calls.
 */
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/http.h"
#include "base/secret.h"
#include "cli/cli.h"
#include "sim/docker.h"
#include "sim/proxmox.h"
#include "sim/telegram.h"

/* The simulated homelab of `homeostat demo`, its children: they end with it, however that ends. */
static int simulate(int (*simulator)(int, char **), int argc, char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	return simulator(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	/* A reader that goes away is an error of the write, not the end of the program. */
	signal(SIGPIPE, SIG_IGN);
	/* One large answer must not stay resident for ever: glibc would raise this by itself. */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	mallopt(M_ARENA_MAX, 2);
	/* Widths of characters only: what is printed does not change with the user's language. */
	setlocale(LC_CTYPE, "C.UTF-8");
	if (argc > 1 && strcmp(argv[1], "sim-docker") == 0)
		return simulate(sim_docker_main, argc, argv);
	if (argc > 1 && strcmp(argv[1], "sim-proxmox") == 0)
		return simulate(sim_proxmox_main, argc, argv);
	if (argc > 1 && strcmp(argv[1], "sim-telegram") == 0)
		return simulate(sim_telegram_main, argc, argv);
	secret_init();
	http_global_init();
	int code = cli_main(argc, (const char *const *)argv, stdin, stdout, stderr);
	secret_done();
	return code;
}
