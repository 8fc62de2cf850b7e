/*
 * Telling systemd how we are (Type=notify, sd_notify(3)): a datagram to $NOTIFY_SOCKET. Without one
 * nothing happens. Any thread.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "RELOADING=1", "WATCHDOG=1", "STATUS=…"; several: a line each. */
void notify_systemd(const char *state);

/* Half of the watchdog's time, in milliseconds; 0: there is no watchdog. */
int64_t notify_watchdog_ms(void);

#endif
