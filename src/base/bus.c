#include "base/bus.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

#define SIGNALS_MAX 256

struct bus {
	sd_bus *bus;
	char name[96];
	int64_t timeout_ms;
	int stop_fd;
	sd_bus_message *signals[SIGNALS_MAX]; /* a ring */
	int first, count;
	bool lost;
	sd_bus_message *current; /* what bus_next gave last */
};

/* The messages of sd-bus under a name of ours: a pointer to one is a pointer to the other. */
static sd_bus_message *theirs(struct bus_message *message)
{
	return (sd_bus_message *)(void *)message;
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool broken(const struct bus *bus, int error, struct err *err)
{
	return err_set(err, ERR_RETRY, "%s: D-Bus: %s", bus->name, strerror(error));
}

static void keep_signal(struct bus *bus, sd_bus_message *message)
{
	/* the bus tells everybody his own name, asked or not */
	if (sd_bus_message_is_signal(message, "org.freedesktop.DBus", "NameAcquired") > 0)
		return;
	if (bus->count == SIGNALS_MAX) {
		bus->lost = true;
		return;
	}
	bus->signals[(bus->first + bus->count++) % SIGNALS_MAX] = sd_bus_message_ref(message);
}

/* Takes what is there; true when something was taken. */
static bool process(struct bus *bus, bool *ok, struct err *err)
{
	sd_bus_message *message = NULL;
	int r = sd_bus_process(bus->bus, &message);
	if (message != NULL && sd_bus_message_is_signal(message, NULL, NULL) > 0)
		keep_signal(bus, message);
	sd_bus_message_unref(message);
	*ok = r >= 0 || broken(bus, -r, err);
	return r > 0;
}

/* Until the bus, stop_fd or the deadline has something to say. */
static bool wait_for(struct bus *bus, int64_t deadline_ms, struct err *err)
{
	uint64_t due_us = UINT64_MAX;
	int64_t left = deadline_ms - now_ms();
	sd_bus_get_timeout(bus->bus, &due_us);
	if (due_us != UINT64_MAX && (int64_t)(due_us / 1000) + 1 - now_ms() < left)
		left = (int64_t)(due_us / 1000) + 1 - now_ms();
	int events = sd_bus_get_events(bus->bus);
	struct pollfd fds[] = {
		{.fd = sd_bus_get_fd(bus->bus), .events = (short)(events > 0 ? events : POLLIN)},
		{.fd = bus->stop_fd, .events = POLLIN},
	};
	if (poll(fds, 2, left < 0 ? 0 : left > 60000 ? 60000 : (int)left) < 0 && errno != EINTR)
		return broken(bus, errno, err);
	if (fds[1].revents != 0)
		return err_set(err, ERR_CANCELLED, "%s: cancelled, since homeostat stops", bus->name);
	return true;
}

struct pending {
	sd_bus_message *reply;
};

static int take_reply(sd_bus_message *message, void *ctx, sd_bus_error *error)
{
	struct pending *pending = ctx;
	(void)error;
	pending->reply = sd_bus_message_ref(message);
	return 1;
}

static enum err_kind kind_of(const char *name)
{
	static const struct {
		const char *name;
		enum err_kind kind;
	} kinds[] = {
		{SD_BUS_ERROR_NO_REPLY, ERR_TIMEOUT},
		{SD_BUS_ERROR_TIMEOUT, ERR_TIMEOUT},
		{SD_BUS_ERROR_DISCONNECTED, ERR_RETRY},
		{SD_BUS_ERROR_NO_SERVER, ERR_RETRY},
		{SD_BUS_ERROR_ACCESS_DENIED, ERR_DENIED},
		{SD_BUS_ERROR_AUTH_FAILED, ERR_DENIED},
		{SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, ERR_DENIED},
		{SD_BUS_ERROR_UNKNOWN_OBJECT, ERR_GONE},
		{SD_BUS_ERROR_SERVICE_UNKNOWN, ERR_GONE},
		{"org.freedesktop.systemd1.NoSuchUnit", ERR_GONE},
		{"org.freedesktop.systemd1.NoSuchJob", ERR_GONE},
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_equal(name, kinds[i].name))
			return kinds[i].kind;
	return ERR_SYSTEM;
}

static bool judge(struct bus *bus, const struct bus_method *method, sd_bus_message *reply,
	struct bus_message **out, struct err *err)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	if (error != NULL) {
		const char *text = error->message != NULL ? error->message : error->name;
		err_set(err, kind_of(error->name), "%s: %s: %s", bus->name, method->member, text);
		sd_bus_message_unref(reply);
		return false;
	}
	if (out != NULL)
		*out = (struct bus_message *)(void *)reply;
	else
		sd_bus_message_unref(reply);
	return true;
}

/* Sends, and takes what comes until its reply does. */
static bool converse(struct bus *bus, sd_bus_message *call, int64_t timeout_ms,
	sd_bus_message **reply, struct err *err)
{
	struct pending pending = {0};
	sd_bus_slot *slot = NULL;
	int64_t deadline = now_ms() + timeout_ms;
	int r = sd_bus_call_async(
		bus->bus, &slot, call, take_reply, &pending, (uint64_t)timeout_ms * 1000);
	bool ok = r >= 0 || broken(bus, -r, err);
	while (ok && pending.reply == NULL) {
		if (process(bus, &ok, err) || !ok)
			continue;
		if (now_ms() > deadline + 1000)
			ok = err_set(
				err, ERR_TIMEOUT, "%s: no answer in %lld ms", bus->name, (long long)timeout_ms);
		else
			ok = wait_for(bus, deadline + 1001, err);
	}
	sd_bus_slot_unref(slot);
	if (!ok)
		sd_bus_message_unref(pending.reply);
	*reply = ok ? pending.reply : NULL;
	return ok;
}

static bool send_call(struct bus *bus, const struct bus_method *method, sd_bus_message *call,
	struct bus_message **reply, struct err *err)
{
	sd_bus_message *answer = NULL;
	int64_t timeout_ms = method->timeout_ms > 0 ? method->timeout_ms : bus->timeout_ms;
	return converse(bus, call, timeout_ms, &answer, err) && judge(bus, method, answer, reply, err);
}

static bool not_made(
	const struct bus *bus, const struct bus_method *method, int error, struct err *err)
{
	return err_set(err, error == ENOTCONN ? ERR_RETRY : ERR_SYSTEM, "%s: %s: %s", bus->name,
		method->member, strerror(error));
}

bool bus_call(struct bus *bus, const struct bus_method *method, struct bus_message **reply,
	struct err *err, const char *types, ...)
{
	sd_bus_message *call = NULL;
	va_list args;
	va_start(args, types);
	int r = sd_bus_message_new_method_call(
		bus->bus, &call, method->service, method->path, method->interface, method->member);
	if (r >= 0 && types[0] != '\0')
		r = sd_bus_message_appendv(call, types, args);
	va_end(args);
	bool ok = r >= 0 ? send_call(bus, method, call, reply, err) : not_made(bus, method, -r, err);
	sd_bus_message_unref(call);
	return ok;
}

static int append_list(sd_bus_message *call, const char *const *strings)
{
	int r = sd_bus_message_open_container(call, 'a', "s");
	for (; r >= 0 && *strings != NULL; strings++)
		r = sd_bus_message_append_basic(call, 's', *strings);
	return r >= 0 ? sd_bus_message_close_container(call) : r;
}

bool bus_call_lists(struct bus *bus, const struct bus_method *method, struct bus_message **reply,
	struct err *err, const char *const *strings)
{
	static const char *const none[] = {NULL};
	sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(
		bus->bus, &call, method->service, method->path, method->interface, method->member);
	if (r >= 0)
		r = append_list(call, none);
	if (r >= 0)
		r = append_list(call, strings);
	bool ok = r >= 0 ? send_call(bus, method, call, reply, err) : not_made(bus, method, -r, err);
	sd_bus_message_unref(call);
	return ok;
}

void bus_free(struct bus_message *message)
{
	sd_bus_message_unref(theirs(message));
}

bool bus_read(struct bus_message *message, const char *types, ...)
{
	va_list args;
	va_start(args, types);
	int r = sd_bus_message_readv(theirs(message), types, args);
	va_end(args);
	return r > 0;
}

bool bus_enter(struct bus_message *message, char type, const char *contents)
{
	return sd_bus_message_enter_container(theirs(message), type, contents) > 0;
}

bool bus_leave(struct bus_message *message)
{
	return sd_bus_message_exit_container(theirs(message)) >= 0;
}

bool bus_skip(struct bus_message *message, const char *types)
{
	return sd_bus_message_skip(theirs(message), types) >= 0;
}

/* The variant at hand into its field. */
static bool take_field(struct bus_message *message, const struct bus_field *field, char *out)
{
	const char *text;
	int flag;
	switch (field->type) {
	case BUS_STR:
		if (!bus_read(message, "v", "s", &text))
			return false;
		str_copy(out + field->offset, field->size, text);
		return true;
	case BUS_U64:
		return bus_read(message, "v", "t", out + field->offset);
	case BUS_U32:
		return bus_read(message, "v", "u", out + field->offset);
	case BUS_I32:
		return bus_read(message, "v", "i", out + field->offset);
	case BUS_BOOL:
		if (!bus_read(message, "v", "b", &flag))
			return false;
		*(bool *)(void *)(out + field->offset) = flag != 0;
		return true;
	}
	return false;
}

static bool take_property(struct bus_message *message, const struct bus_field *fields, void *out)
{
	const char *name;
	if (!bus_read(message, "s", &name))
		return false;
	for (int i = 0; fields[i].name != NULL; i++)
		if (strcmp(fields[i].name, name) == 0)
			return take_field(message, &fields[i], out);
	return bus_skip(message, "v");
}

bool bus_properties(struct bus *bus, const struct bus_method *object,
	const struct bus_field *fields, void *out, struct err *err)
{
	struct bus_message *reply = NULL;
	const struct bus_method get = {.service = object->service,
		.path = object->path,
		.interface = "org.freedesktop.DBus.Properties",
		.member = "GetAll",
		.timeout_ms = object->timeout_ms};
	if (!bus_call(bus, &get, &reply, err, "s", object->interface))
		return false;
	bool ok = bus_enter(reply, 'a', "{sv}");
	while (ok && bus_enter(reply, 'e', "sv"))
		ok = take_property(reply, fields, out) && bus_leave(reply);
	bus_free(reply);
	return ok ||
		err_set(err, ERR_INPUT, "%s: %s has properties of other types than expected", bus->name,
			object->interface);
}

bool bus_match(struct bus *bus, const char *rule, struct err *err)
{
	static const struct bus_method add = {.service = "org.freedesktop.DBus",
		.path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus",
		.member = "AddMatch"};
	return bus_call(bus, &add, NULL, err, "s", rule);
}

bool bus_next(
	struct bus *bus, int64_t timeout_ms, struct bus_signal *signal, bool *lost, struct err *err)
{
	int64_t deadline = now_ms() + timeout_ms;
	bool ok = true;
	*signal = (struct bus_signal){0};
	bus->current = sd_bus_message_unref(bus->current);
	while (bus->count == 0 && ok) {
		if (process(bus, &ok, err) || !ok)
			continue;
		if (now_ms() >= deadline)
			break;
		ok = wait_for(bus, deadline, err);
	}
	*lost = bus->lost;
	bus->lost = false;
	if (!ok || bus->count == 0)
		return ok;
	bus->current = bus->signals[bus->first];
	bus->first = (bus->first + 1) % SIGNALS_MAX;
	bus->count--;
	*signal = (struct bus_signal){.path = sd_bus_message_get_path(bus->current),
		.interface = sd_bus_message_get_interface(bus->current),
		.member = sd_bus_message_get_member(bus->current),
		.message = (struct bus_message *)(void *)bus->current};
	return true;
}

static int begin(struct bus *bus, const struct bus_config *config)
{
	int r = sd_bus_new(&bus->bus);
	if (r < 0)
		return r;
	if (config->fd > 0)
		r = sd_bus_set_fd(bus->bus, config->fd, config->fd);
	else
		r = sd_bus_set_address(bus->bus,
			config->address != NULL ? config->address : "unix:path=/run/dbus/system_bus_socket");
	if (r >= 0)
		r = sd_bus_set_bus_client(bus->bus, true);
	return r >= 0 ? sd_bus_start(bus->bus) : r;
}

/* Hello is on its way: until it is answered nobody is there. */
static bool greet(struct bus *bus, struct err *err)
{
	static const struct bus_method ping = {.service = "org.freedesktop.DBus",
		.path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus",
		.member = "GetId"};
	return bus_call(bus, &ping, NULL, err, "");
}

struct bus *bus_open(const struct bus_config *config, struct err *err)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	if (bus == NULL)
		abort();
	STR_SET(bus->name, config->name);
	bus->timeout_ms = config->timeout_ms;
	bus->stop_fd = config->stop_fd;
	int r = begin(bus, config);
	bool ok = r >= 0;
	if (!ok) {
		err_set(err, r == -EACCES ? ERR_DENIED : ERR_RETRY, "%s: D-Bus: %s", bus->name,
			r == -ENOENT ? "there is no bus: is dbus installed, and the socket in place?"
						 : strerror(-r));
		if (bus->bus == NULL && config->fd > 0)
			close(config->fd);
	}
	if (ok && greet(bus, err))
		return bus;
	bus_close(bus);
	return NULL;
}

void bus_close(struct bus *bus)
{
	if (bus == NULL)
		return;
	sd_bus_message_unref(bus->current);
	for (int i = 0; i < bus->count; i++)
		sd_bus_message_unref(bus->signals[(bus->first + i) % SIGNALS_MAX]);
	sd_bus_close_unref(bus->bus);
	free(bus);
}
