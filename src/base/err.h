/*
 * Errors. The kind is for the program, the text is for people. A function that can fail returns
 * false (or NULL) and fills the err it was given; on success the err is untouched. Context is put
 * in front on the way up: "docker local: GET /containers/json: no answer in 5 s". Owns nothing.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

enum err_kind {
	ERR_NONE,
	ERR_RETRY,     /* went wrong out there; trying again later may help */
	ERR_TIMEOUT,   /* no answer within the deadline: what was asked may still have happened */
	ERR_CANCELLED, /* we were told to stop */
	ERR_DENIED,    /* not allowed: permission, credentials, certificate */
	ERR_GONE,      /* the thing does not exist */
	ERR_INPUT,     /* bytes from outside, or a configuration, that make no sense */
	ERR_SYSTEM,    /* this machine: memory, files, sockets */
};

struct err {
	enum err_kind kind;
	char text[480];
};

/* Sets kind and text. Always returns false, so that it can be returned. err may be NULL. */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts context before the text, as "context: text". Always returns false. err may be NULL. */
bool err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The analyzer of clang-tidy reads one file at a time: tell it what these return. */
#ifdef __clang_analyzer__
#define err_set(...) ((void)(err_set)(__VA_ARGS__), false)
#define err_prefix(...) ((void)(err_prefix)(__VA_ARGS__), false)
#endif

/* "retry", "timeout", …: static, for logs and JSON. */
const char *err_kind_name(enum err_kind kind);

#endif
