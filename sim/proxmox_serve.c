/* The cluster on a thread of its own; errands come through a pipe, so that nothing is shared. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/proxmox_site.h"

struct errand {
	sim_site_fn *fn; /* NULL: the end */
	void *ctx;
};

struct sim_site {
	struct site site;
	pthread_t thread;
	int errands[2], done[2];
};

static void *serve_main(void *arg)
{
	struct sim_site *served = arg;
	struct pollfd errand_fd = {.fd = served->errands[0], .events = POLLIN};
	for (;;) {
		struct errand errand;
		if (poll(&errand_fd, 1, 0) == 1) {
			if (read(errand_fd.fd, &errand, sizeof(errand)) != sizeof(errand) || errand.fn == NULL)
				return NULL;
			errand.fn(served->site.sim, errand.ctx);
		}
		sim_proxmox_tick(served->site.sim);
		site_step(&served->site, errand_fd.fd);
		/* after a step: who closed a port finds it closed */
		if (errand_fd.revents != 0 && write(served->done[1], "", 1) != 1)
			abort();
		errand_fd.revents = 0;
	}
}

/* One port that is free on all addresses. */
static bool open_ports(struct site *site)
{
	for (int tries = 0; tries < 20; tries++) {
		int open = 0;
		site->port = 0;
		for (int i = 0; i < site->sim->node_count; i++) {
			site->listeners[i] = site_listen(site->sim->nodes[i].ip, &site->port);
			open += site->listeners[i] >= 0;
		}
		if (open == site->sim->node_count)
			return true;
		site_done(site);
		site_init(site);
	}
	return false;
}

struct sim_site *sim_site_start(struct sim_proxmox *sim, struct clock *clock)
{
	struct sim_site *served = calloc(1, sizeof(*served));
	if (served == NULL)
		abort();
	served->site = (struct site){.sim = sim, .clock = clock, .is_tls = true};
	site_init(&served->site);
	sim_proxmox_ca_pem(sim);
	if (!open_ports(&served->site)) {
		free(served);
		return NULL;
	}
	if (pipe(served->errands) != 0 || pipe(served->done) != 0 ||
		pthread_create(&served->thread, NULL, serve_main, served) != 0)
		abort();
	return served;
}

int sim_site_port(const struct sim_site *site)
{
	return site->site.port;
}

static void send_errand(struct sim_site *site, struct errand errand)
{
	if (write(site->errands[1], &errand, sizeof(errand)) != sizeof(errand))
		abort();
}

void sim_site_do(struct sim_site *site, sim_site_fn *fn, void *ctx)
{
	char done;
	send_errand(site, (struct errand){fn, ctx});
	if (read(site->done[0], &done, 1) != 1)
		abort();
}

void sim_site_stop(struct sim_site *site)
{
	send_errand(site, (struct errand){NULL, NULL});
	pthread_join(site->thread, NULL);
	site_done(&site->site);
	for (int i = 0; i < 2; i++) {
		close(site->errands[i]);
		close(site->done[i]);
	}
	free(site);
}
