/*
 * Secrets. "secret:NAME" is read from systemd's credentials ($CREDENTIALS_DIRECTORY/NAME) or from
 * our own encrypted store (state/secrets/NAME; libsodium's secretbox; the key in the credential
 * homeostat.key or in state/secret.key, mode 0600), "env:NAME" from the environment. A value is
 * held in locked memory that core dumps leave out, and is known to the redactor from its first
 * moment. Any thread resolves; secret_done is for the end, when no other thread is left.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* Makes the process undumpable and initialises libsodium. Ends the process when that fails. */
void secret_init(void);

/* Resolves "secret:NAME" or "env:NAME"; anything else is returned as it is (and registered with the
 * redactor). The value is in locked memory until secret_done. state_dir may be NULL: there is no
 * store. NULL: err says what is missing and
 * the command that sets it. */
const char *secret_resolve(const char *state_dir, const char *reference, struct err *err);

bool secret_set(const char *state_dir, const char *name, const char *value, struct err *err);
bool secret_remove(const char *state_dir, const char *name, struct err *err);
/* Names, sorted, ended by NULL. */
const char **secret_list(const char *state_dir, struct arena *arena, struct err *err);
/* A 32-byte key for a purpose ("audit"), derived from the state's key (made when there is none). */
bool secret_derive(const char *state_dir, const char *purpose, unsigned char key[32],
	struct err *err);
void secret_done(void);

#endif
