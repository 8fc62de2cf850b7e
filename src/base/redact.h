/*
 * The redactor: the one gate that every text for people, logs, chats and models passes. Replaces
 * our own secrets (by value, as registered) and what looks like a secret (keys, tokens, passwords,
 * URLs with credentials, private keys) by "[redacted]". Any thread after registration.
 */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include <stddef.h>

/* Registers a secret's value; it, its URL-encoded and its base64 form will never be shown. Values
 * shorter than 6 bytes are ignored. Copies. Any thread: a value is visible to later calls. */
void redact_register(const char *value);

/* Redacts in place, within capacity bytes (text may grow; cut if need be). */
void redact(char *text, size_t capacity);

/* Forgets the registered values, wiping them. For tests and the end of main. */
void redact_reset(void);

#endif
