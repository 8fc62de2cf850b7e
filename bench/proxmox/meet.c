/*
 * meet GUESTS [LOOKS]: the client and the simulated cluster of 32 nodes in one process, over TLS on
 * loopback: bytes of one answer, processor time of one look on the client's side and on the
 * simulator's (medians), resident memory after the fifth look and its growth from there to the
 * last.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/http.h"
#include "base/str.h"
#include "base/trim.h"
#include "client/proxmox.h"
#include "sim/proxmox.h"

/* The first looks make the allocator settle: what grows after them would grow for ever. */
#define WARM_UP 4

static double cpu_ms(clockid_t of)
{
	struct timespec now;
	clock_gettime(of, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double rss_mib(void)
{
	char line[256];
	double kib = -1;
	FILE *file = fopen("/proc/self/status", "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtod(line + 6, NULL);
	if (file != NULL)
		fclose(file);
	return kib / 1024;
}

static void play(struct sim_proxmox *sim, const char *line)
{
	char text[256];
	if (sim_proxmox_script(sim, line, text, sizeof(text)))
		return;
	fprintf(stderr, "%s: %s\n", line, text);
	exit(1);
}

static void measure(struct sim_proxmox *sim, void *ctx)
{
	size_t *bytes = ctx;
	struct arena *arena = arena_new((size_t)64 << 20);
	struct sim_pve_reply reply;
	const struct sim_pve_request request = {
		.method = "GET", .url = "/cluster/resources", .authorization = SIM_PVE_TOKEN};
	sim_proxmox_handle(sim, &request, arena, &reply);
	*bytes = reply.body_bytes;
	arena_free(arena);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void look(struct proxmox *proxmox, int guests)
{
	struct proxmox_look seen;
	struct err err = {0};
	struct arena *arena = arena_new((size_t)128 << 20);
	if (!proxmox_look(proxmox, 15000, arena, &seen, &err) || seen.guest_count != guests) {
		fprintf(stderr, "no look: %s\n", err.text);
		exit(1);
	}
	arena_free(arena);
}

static void nothing(struct sim_proxmox *sim, void *ctx)
{
	(void)sim, (void)ctx;
}

/* When the simulator has let go of its answer too. */
static double rss_at_rest(struct sim_site *site)
{
	sim_site_do(site, nothing, NULL);
	trim_memory();
	return rss_mib();
}

int main(int argc, char **argv)
{
	int guests = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 100;
	int looks = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1000;
	char line[80];
	size_t bytes = 0;
	struct err err = {0};
	struct clock *clock = clock_new_wound(1795469040000);
	struct sim_proxmox *sim = sim_proxmox_new(clock);
	http_global_init();
	for (int i = 1; i <= 32; i++) {
		STR_FORMAT(line, "node pve%d ip=127.0.2.%d", i, i);
		play(sim, line);
	}
	play(sim, "storage local all");
	STR_FORMAT(line, "guests %d 1000", guests);
	play(sim, line);
	sim_proxmox_ca_pem(sim);
	char *print = strdup(sim_proxmox_fingerprint(sim, "pve1"));
	struct sim_site *site = sim_site_start(sim, clock);
	double *ours = calloc((size_t)looks, sizeof(*ours)),
		   *both = calloc((size_t)looks, sizeof(*both));
	if (site == NULL || ours == NULL || both == NULL)
		abort();
	STR_FORMAT(line, "https://127.0.2.1:%d", sim_site_port(site));
	const struct config_proxmox config = {.name = "bench",
		.url = line,
		.token_id = "root@pam!full",
		.token_secret = strrchr(SIM_PVE_TOKEN, '=') + 1,
		.fingerprint = print};
	struct proxmox *proxmox = proxmox_open(&config, clock, -1, &err);
	sim_site_do(site, measure, &bytes);
	double first = 0;
	for (int i = 0; i < looks; i++) {
		double thread = cpu_ms(CLOCK_THREAD_CPUTIME_ID), process = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
		look(proxmox, guests);
		ours[i] = cpu_ms(CLOCK_THREAD_CPUTIME_ID) - thread;
		both[i] = cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - process;
		if (i == WARM_UP)
			first = rss_at_rest(site);
	}
	double last = rss_at_rest(site);
	qsort(ours, (size_t)looks, sizeof(*ours), by_value);
	qsort(both, (size_t)looks, sizeof(*both), by_value);
	printf("%7d  %9zu  %9.2f  %9.2f  %9.1f  %9.1f\n", guests, bytes, ours[looks / 2],
		both[looks / 2] - ours[looks / 2], first, last - first);
	proxmox_close(proxmox);
	sim_site_stop(site);
	sim_proxmox_free(sim);
	clock_free(clock);
	free(print);
	free(ours);
	free(both);
	return 0;
}
