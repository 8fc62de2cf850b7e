/*
 * D-Bus: calls with a deadline, and signals in the order in which they came. The one owner of
 * sd-bus. A handle belongs to one thread; a connection that broke is broken for good: close it,
 * open another. Types and signatures are D-Bus's own ("s", "a{sv}"), values go by pointer as
 * sd-bus takes them.
 */
#ifndef BASE_BUS_H
#define BASE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct bus;
struct bus_message; /* a reply or a signal; strings read from it live as long as it does */

struct bus_config {
	const char *name;    /* for errors */
	const char *address; /* "unix:path=…"; NULL: the system bus */
	int fd;              /* > 0: speak over this socket instead; it is the handle's from now on,
							also when opening fails */
	int64_t timeout_ms;  /* of each call */
	int stop_fd;         /* -1: none */
};

struct bus_method {
	const char *service, *path, *interface, *member;
	int64_t timeout_ms;  /* 0: the handle's */
};

/* Connects and says hello. */
struct bus *bus_open(const struct bus_config *config, struct err *err);
void bus_close(struct bus *bus);

/* Calls; types and what follows are the arguments ("" : none). *reply (NULL: not wanted) is freed
 * by bus_free. Errors: TIMEOUT; CANCELLED; DENIED; GONE, when there is no such object; RETRY, when
 * the connection broke; SYSTEM, whatever else the other side answers. */
bool bus_call(struct bus *bus, const struct bus_method *method, struct bus_message **reply,
	struct err *err, const char *types, ...);
void bus_free(struct bus_message *message);
/* The same with an empty list and one of strings, ended by NULL, as arguments ("asas"). */
bool bus_call_lists(struct bus *bus, const struct bus_method *method, struct bus_message **reply,
	struct err *err, const char *const *strings);

/* Reading, as sd_bus_message_read, _enter_container and _exit_container do it. False: another type
 * is there, or nothing more. */
bool bus_read(struct bus_message *message, const char *types, ...);
bool bus_enter(struct bus_message *message, char type, const char *contents);
bool bus_leave(struct bus_message *message);
bool bus_skip(struct bus_message *message, const char *types);

/* The properties of one object into a struct; what it does not have stays as it is. */
enum bus_type { BUS_STR, BUS_U64, BUS_U32, BUS_I32, BUS_BOOL };
struct bus_field {
	const char *name; /* NULL ends */
	enum bus_type type;
	size_t offset, size; /* size: of a BUS_STR, char[size] */
};
bool bus_properties(struct bus *bus, const struct bus_method *object,
	const struct bus_field *fields, void *out, struct err *err);

/* Signals: from now on those that fit the rule (D-Bus's match rules) are kept for bus_next. */
bool bus_match(struct bus *bus, const char *rule, struct err *err);
struct bus_signal {
	const char *path, *interface, *member;
	struct bus_message *message; /* all of it the handle's, until the next call of bus_next */
};
/* The next signal, or member NULL when none came in time. lost (out): more came than are kept;
 * which is not known. False: the connection is broken. */
bool bus_next(struct bus *bus, int64_t timeout_ms, struct bus_signal *signal, bool *lost,
	struct err *err);

#endif
