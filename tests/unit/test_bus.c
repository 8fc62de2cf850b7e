/* base/bus.c against a real message bus of its own: calls, deadlines, signals, and its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bus.h"
#include "base/spawn.h"
#include "base/str.h"

#define DBUS "org.freedesktop.DBus"

static char folder[64], address[128];
static pid_t daemon_pid;

/* The daemon says its address once it listens. */
static int set_up(void **state)
{
	char config[128], option[160];
	(void)state;
	STR_SET(folder, "/tmp/homeostat-bus-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	STR_FORMAT(config, "%s/conf", folder);
	STR_FORMAT(address, "unix:path=%s/bus", folder);
	STR_FORMAT(option, "--config-file=%s", config);
	FILE *file = fopen(config, "w");
	if (file == NULL)
		return -1;
	fprintf(file,
		"<busconfig><type>session</type><listen>%s</listen><policy context=\"default\">"
		"<allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>"
		"<allow own=\"*\"/></policy></busconfig>\n",
		address);
	fclose(file);
	const char *const argv[] = {"dbus-daemon", option, "--nofork", "--print-address", NULL};
	struct err err;
	int fd = spawn_socket(argv, &daemon_pid, &err);
	char line[200];
	if (fd < 0 || read(fd, line, sizeof(line)) <= 0)
		return -1;
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	char path[128];
	(void)state;
	spawn_end(daemon_pid, 1000);
	STR_FORMAT(path, "%s/conf", folder);
	remove(path);
	STR_FORMAT(path, "%s/bus", folder);
	remove(path);
	return remove(folder);
}

static struct bus *open_bus(int stop_fd)
{
	struct err err = {0};
	struct bus *bus = bus_open(
		&(struct bus_config){
			.name = "test", .address = address, .timeout_ms = 5000, .stop_fd = stop_fd},
		&err);
	if (bus == NULL)
		fail_msg("%s", err.text);
	return bus;
}

static const struct bus_method list_names = {
	.service = DBUS, .path = "/org/freedesktop/DBus", .interface = DBUS, .member = "ListNames"};
static const struct bus_method request_name = {
	.service = DBUS, .path = "/org/freedesktop/DBus", .interface = DBUS, .member = "RequestName"};
/* Somebody owns this name, and never answers. */
static const struct bus_method silent = {.service = "org.example.Silent",
	.path = "/",
	.interface = "org.example.Silent",
	.member = "Speak",
	.timeout_ms = 200};

static void a_call_is_answered_and_read(void **state)
{
	(void)state;
	struct err err = {0};
	struct bus *bus = open_bus(-1);
	struct bus_message *reply = NULL;
	assert_true(bus_call(bus, &list_names, &reply, &err, ""));
	bool found = false;
	const char *name;
	assert_true(bus_enter(reply, 'a', "s"));
	while (bus_read(reply, "s", &name))
		found = found || str_equal(name, DBUS);
	assert_true(found);
	bus_free(reply);
	bus_close(bus);
}

static void errors_have_their_kinds(void **state)
{
	(void)state;
	static const struct bus_method nobody = {.service = "org.example.Nobody",
		.path = "/",
		.interface = "org.example.Nobody",
		.member = "Speak"};
	struct err err = {0};
	struct bus *bus = open_bus(-1), *owner = open_bus(-1);
	assert_false(bus_call(bus, &nobody, NULL, &err, ""));
	assert_int_equal(err.kind, ERR_GONE);
	assert_true(bus_call(owner, &request_name, NULL, &err, "su", "org.example.Silent", 0u));
	assert_false(bus_call(bus, &silent, NULL, &err, ""));
	assert_int_equal(err.kind, ERR_TIMEOUT);
	/* the connection is of use all the same */
	assert_true(bus_call(bus, &list_names, NULL, &err, ""));
	bus_close(owner);
	bus_close(bus);
}

static void stop_ends_every_wait(void **state)
{
	(void)state;
	int stop = eventfd(0, EFD_CLOEXEC);
	struct err err = {0};
	struct bus_signal signal;
	bool lost;
	struct bus *bus = open_bus(stop), *owner = open_bus(-1);
	assert_true(bus_call(owner, &request_name, NULL, &err, "su", "org.example.Silent", 0u));
	assert_int_equal(write(stop, &(uint64_t){1}, 8), 8);
	struct bus_method slow = silent;
	slow.timeout_ms = 60000;
	assert_false(bus_call(bus, &slow, NULL, &err, ""));
	assert_int_equal(err.kind, ERR_CANCELLED);
	assert_false(bus_next(bus, 60000, &signal, &lost, &err));
	assert_int_equal(err.kind, ERR_CANCELLED);
	bus_close(owner);
	bus_close(bus);
	close(stop);
}

/* Signals that come while a call waits for its reply are kept, in order; too many are noticed. */
static void signals_are_kept_in_order(void **state)
{
	(void)state;
	struct err err = {0};
	struct bus_signal signal;
	bool lost = true;
	char name[64];
	struct bus *bus = open_bus(-1), *other = open_bus(-1);
	assert_true(bus_match(bus, "type='signal',member='NameOwnerChanged'", &err));
	for (int i = 0; i < 3; i++) {
		STR_FORMAT(name, "org.example.n%d", i);
		assert_true(bus_call(other, &request_name, NULL, &err, "su", name, 0u));
	}
	assert_true(bus_call(bus, &list_names, NULL, &err, ""));
	for (int i = 0; i < 3; i++) {
		const char *owned, *before, *after;
		STR_FORMAT(name, "org.example.n%d", i);
		assert_true(bus_next(bus, 5000, &signal, &lost, &err));
		assert_string_equal(signal.member, "NameOwnerChanged");
		assert_true(bus_read(signal.message, "sss", &owned, &before, &after));
		assert_string_equal(owned, name);
		assert_false(lost);
	}
	assert_true(bus_next(bus, 0, &signal, &lost, &err));
	assert_null(signal.member);
	for (int i = 0; i < 400; i++) {
		STR_FORMAT(name, "org.example.many%d", i);
		assert_true(bus_call(other, &request_name, NULL, &err, "su", name, 0u));
	}
	assert_true(bus_call(bus, &list_names, NULL, &err, ""));
	assert_true(bus_next(bus, 0, &signal, &lost, &err));
	assert_true(lost);
	bus_close(other);
	bus_close(bus);
}

static void no_bus_and_a_bus_that_ends_are_told(void **state)
{
	(void)state;
	struct err err = {0};
	struct bus_signal signal;
	bool lost;
	assert_null(bus_open(
		&(struct bus_config){
			.name = "test", .address = "unix:path=/nowhere/bus", .timeout_ms = 1000, .stop_fd = -1},
		&err));
	assert_int_equal(err.kind, ERR_RETRY);
	assert_non_null(strstr(err.text, "is dbus installed"));
	struct bus *bus = open_bus(-1);
	spawn_end(daemon_pid, 1000);
	daemon_pid = 0;
	bool ok = true;
	for (int i = 0; i < 10 && ok; i++)
		ok = bus_next(bus, 1000, &signal, &lost, &err);
	assert_false(ok);
	assert_int_equal(err.kind, ERR_RETRY);
	assert_false(bus_call(bus, &list_names, NULL, &err, ""));
	assert_int_equal(err.kind, ERR_RETRY);
	bus_close(bus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_answered_and_read),
		cmocka_unit_test(errors_have_their_kinds),
		cmocka_unit_test(stop_ends_every_wait),
		cmocka_unit_test(signals_are_kept_in_order),
		cmocka_unit_test(no_bus_and_a_bus_that_ends_are_told),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
