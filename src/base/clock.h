/*
 * The clock, injected everywhere. A real clock asks the system; a wound clock stands still until a
 * test advances it. Times are milliseconds: mono for deadlines within a run, wall (UTC) for what is
 * stored and shown. Safe from any thread.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock;

struct clock *clock_new_real(void);
struct clock *clock_new_wound(int64_t wall_ms); /* mono starts at 1,000,000 */
void clock_free(struct clock *clock);

int64_t clock_mono_ms(const struct clock *clock);
int64_t clock_wall_ms(const struct clock *clock);
bool clock_is_wound(const struct clock *clock);
/* Wound clocks only. */
void clock_advance(struct clock *clock, int64_t ms);
/* The wall clock alone is set, by so much. Wound clocks only. */
void clock_set(struct clock *clock, int64_t by_ms);

/* Waits ms, or until stop_fd (-1: none) is readable: then false. A wound clock does not wait. */
bool clock_wait(const struct clock *clock, int64_t ms, int stop_fd);

#endif
