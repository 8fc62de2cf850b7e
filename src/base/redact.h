/*
 * The redactor: the one gate that every text for people, logs, chats and models passes. Replaces
 * our own secrets (by value, as registered) and what looks like a secret (keys, tokens, passwords,
 * URLs with credentials, private keys) by "[redacted]". Any thread after registration.
 */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include <stdbool.h>
#include <stddef.h>

/* Registers a secret's value; it, its URL-encoded and its base64 form will never be shown. Values
 * shorter than 6 bytes are ignored. Copies. Any thread: a value is visible to later calls. */
void redact_register(const char *value);

/* Redacts in place, within capacity bytes (text may grow; cut if need be). */
void redact(char *text, size_t capacity);

/* What a configuration hides besides. A glob (* and ?) stands for a whole value, as it ends at a
 * space, a quote or a separator; a text without them is registered as a value. False: too short,
 * too general (fewer than 4 letters that must be there), or the 33rd. Before threads. */
bool redact_add_glob(const char *glob);
/* Whether e-mail addresses are hidden too; they are not by default. Before threads. */
void redact_emails(bool hide);

/* Host names as registered (NULL: none more), IPv4 and IPv6 addresses become "host-3fa2c1" and
 * "ip-9b04d7": the same one always the same within a process, and nobody can count back. Loopback,
 * unspecified addresses and masks stay. For what leaves the house, besides redact. Grows within
 * capacity. redact_add_host: before threads; false: too short, or the 257th. */
bool redact_add_host(const char *name);
void redact_names(char *text, size_t capacity);

/* Forgets all of it, wiping the registered values. For tests and the end of main. */
void redact_reset(void);

#endif
