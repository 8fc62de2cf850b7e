#include "base/clock.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct clock {
	bool wound;
	_Atomic int64_t mono_ms, wall_ms;
};

static struct clock *new_clock(void)
{
	struct clock *clock = calloc(1, sizeof(*clock));
	if (clock == NULL)
		abort();
	return clock;
}

struct clock *clock_new_real(void)
{
	return new_clock();
}

struct clock *clock_new_wound(int64_t wall_ms)
{
	struct clock *clock = new_clock();
	clock->wound = true;
	clock->mono_ms = 1000000;
	clock->wall_ms = wall_ms;
	return clock;
}

void clock_free(struct clock *clock)
{
	free(clock);
}

static int64_t system_ms(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_mono_ms(const struct clock *clock)
{
	return clock->wound ? clock->mono_ms : system_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(const struct clock *clock)
{
	return clock->wound ? clock->wall_ms : system_ms(CLOCK_REALTIME);
}

bool clock_is_wound(const struct clock *clock)
{
	return clock->wound;
}

void clock_advance(struct clock *clock, int64_t ms)
{
	if (!clock->wound)
		abort();
	clock->mono_ms += ms;
	clock->wall_ms += ms;
}

void clock_set(struct clock *clock, int64_t by_ms)
{
	if (!clock->wound)
		abort();
	clock->wall_ms += by_ms;
}

bool clock_wait(const struct clock *clock, int64_t ms, int stop_fd)
{
	struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
	if (clock->wound)
		ms = 0;
	int64_t until = system_ms(CLOCK_MONOTONIC) + ms;
	for (;;) {
		int64_t left = until - system_ms(CLOCK_MONOTONIC);
		if (poll(&stop, 1, left > 0 ? (int)(left < 3600000 ? left : 3600000) : 0) > 0)
			return false;
		if (left <= 0)
			return true;
	}
}
