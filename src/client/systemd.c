#include "client/systemd.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bus.h"
#include "base/str.h"

#define SERVICE "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER SERVICE ".Manager"
#define UNITS_PATH MANAGER_PATH "/unit/"
#define UNITS_MAX 4096

struct systemd {
	struct host *host;
	struct bus *bus; /* NULL: not connected */
	int64_t timeout_ms;
};

struct systemd *systemd_open(struct host *host, int64_t timeout_ms)
{
	struct systemd *systemd = calloc(1, sizeof(*systemd));
	if (systemd == NULL)
		abort();
	systemd->host = host;
	systemd->timeout_ms = timeout_ms;
	return systemd;
}

static void disconnect(struct systemd *systemd)
{
	bus_close(systemd->bus);
	systemd->bus = NULL;
}

void systemd_close(struct systemd *systemd)
{
	if (systemd == NULL)
		return;
	disconnect(systemd);
	free(systemd);
}

/* After a call failed: a connection that is of no use any more is given up. */
static bool failed(struct systemd *systemd, struct err *err)
{
	host_lost(systemd->host, err);
	if (err->kind == ERR_RETRY || err->kind == ERR_TIMEOUT || err->kind == ERR_CANCELLED)
		disconnect(systemd);
	return false;
}

/* Signals of units and jobs, from before the first look on. */
static bool subscribe(struct bus *bus, struct err *err)
{
	static const struct bus_method method = {
		.service = SERVICE, .path = MANAGER_PATH, .interface = MANAGER, .member = "Subscribe"};
	static const char *const rules[] = {
		"type='signal',sender='" SERVICE "',interface='org.freedesktop.DBus.Properties',"
		"member='PropertiesChanged',path_namespace='" MANAGER_PATH "/unit',"
		"arg0='" SERVICE ".Unit'",
		"type='signal',sender='" SERVICE "',interface='" MANAGER "',member='JobNew'",
		"type='signal',sender='" SERVICE "',interface='" MANAGER "',member='JobRemoved'",
	};
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!bus_match(bus, rules[i], err))
			return false;
	return bus_call(bus, &method, NULL, err, "");
}

static bool connect_to(struct systemd *systemd, struct err *err)
{
	if (systemd->bus != NULL)
		return true;
	systemd->bus = host_bus(systemd->host, systemd->timeout_ms, err);
	if (systemd->bus == NULL)
		return false;
	return subscribe(systemd->bus, err) || failed(systemd, err);
}

/* One row of ListUnitsByPatterns. */
static bool read_row(struct bus_message *reply, struct unit *unit)
{
	const char *name, *description, *load, *active, *sub, *following, *path, *job, *job_path;
	uint32_t job_id;
	if (!bus_read(reply, "(ssssssouso)", &name, &description, &load, &active, &sub, &following,
			&path, &job_id, &job, &job_path))
		return false;
	*unit = (struct unit){0};
	STR_SET(unit->name, name);
	STR_SET(unit->description, description);
	STR_SET(unit->load, load);
	STR_SET(unit->active, active);
	STR_SET(unit->sub, sub);
	return true;
}

bool systemd_units(struct systemd *systemd, const char *const *patterns, struct arena *arena,
	struct unit_list *list, struct err *err)
{
	static const struct bus_method method = {.service = SERVICE,
		.path = MANAGER_PATH,
		.interface = MANAGER,
		.member = "ListUnitsByPatterns"};
	*list = (struct unit_list){0};
	struct bus_message *reply = NULL;
	if (!connect_to(systemd, err))
		return false;
	if (!bus_call_lists(systemd->bus, &method, &reply, err, patterns))
		return failed(systemd, err);
	list->units = ARENA_ARRAY(arena, struct unit, UNITS_MAX);
	bool ok = bus_enter(reply, 'a', "(ssssssouso)");
	while (ok && list->count < UNITS_MAX && read_row(reply, &list->units[list->count]))
		list->count++;
	bus_free(reply);
	return ok || err_set(err, ERR_INPUT, "systemd's list of units has another form than expected");
}

#define AT(field) offsetof(struct unit, field), sizeof(((struct unit *)0)->field)

static bool path_of(
	struct systemd *systemd, const char *name, char *path, size_t size, struct err *err)
{
	static const struct bus_method method = {
		.service = SERVICE, .path = MANAGER_PATH, .interface = MANAGER, .member = "LoadUnit"};
	struct bus_message *reply = NULL;
	const char *text = NULL;
	if (!bus_call(systemd->bus, &method, &reply, err, "s", name))
		return false;
	bool ok = bus_read(reply, "o", &text) && str_copy(path, size, text);
	bus_free(reply);
	return ok || err_set(err, ERR_INPUT, "systemd names no path of unit %s", name);
}

/* "nginx.service" has its own interface for what only services have. */
static const char *interface_of(const char *name)
{
	return str_ends(name, ".service") ? SERVICE ".Service"
		: str_ends(name, ".mount")    ? SERVICE ".Mount"
		: str_ends(name, ".socket")   ? SERVICE ".Socket"
		: str_ends(name, ".timer")    ? SERVICE ".Timer"
		: str_ends(name, ".path")     ? SERVICE ".Path"
									  : NULL;
}

static bool read_unit(struct systemd *systemd, const char *name, struct unit *unit, struct err *err)
{
	static const struct bus_field common[] = {
		{"Description", BUS_STR, AT(description)},
		{"LoadState", BUS_STR, AT(load)},
		{"ActiveState", BUS_STR, AT(active)},
		{"SubState", BUS_STR, AT(sub)},
		{"UnitFileState", BUS_STR, AT(unit_file_state)},
		{"ActiveEnterTimestamp", BUS_U64, AT(active_enter_us)},
		{"InactiveEnterTimestamp", BUS_U64, AT(inactive_enter_us)},
		{"StateChangeTimestamp", BUS_U64, AT(change_us)},
		{"StartLimitBurst", BUS_U32, AT(limit_burst)},
		{NULL, BUS_STR, 0, 0},
	};
	static const struct bus_field own[] = {
		{"Type", BUS_STR, AT(type)},
		{"Restart", BUS_STR, AT(restart)},
		{"Result", BUS_STR, AT(result)},
		{"ExecMainCode", BUS_I32, AT(exit_code)},
		{"ExecMainStatus", BUS_I32, AT(exit_status)},
		{"NRestarts", BUS_U32, AT(restarts)},
		{NULL, BUS_STR, 0, 0},
	};
	char path[300];
	*unit = (struct unit){0};
	STR_SET(unit->name, name);
	if (!path_of(systemd, name, path, sizeof(path), err))
		return false;
	struct bus_method object = {.service = SERVICE, .path = path, .interface = SERVICE ".Unit"};
	if (!bus_properties(systemd->bus, &object, common, unit, err))
		return false;
	object.interface = interface_of(name);
	return object.interface == NULL || bus_properties(systemd->bus, &object, own, unit, err);
}

bool systemd_unit(struct systemd *systemd, const char *name, struct unit *unit, struct err *err)
{
	if (!connect_to(systemd, err))
		return false;
	if (!read_unit(systemd, name, unit, err))
		return failed(systemd, err);
	return strcmp(unit->load, "not-found") != 0 ||
		err_set(err, ERR_GONE, "there is no unit %s", name);
}

/* A name in an object's path: what is no letter or digit is _ and two hexadecimal digits. */
static void unescape(const char *text, char *name, size_t size)
{
	size_t n = 0;
	for (; *text != '\0' && n + 1 < size; text++) {
		char digits[3] = {text[1], text[1] != '\0' ? text[2] : '\0', '\0'};
		char *end;
		long code = *text == '_' ? strtol(digits, &end, 16) : -1;
		if (code > 0 && end == digits + 2) {
			name[n++] = (char)code;
			text += 2;
		} else {
			name[n++] = *text;
		}
	}
	name[n] = '\0';
}

/* What the job is to do; "" when it is over already. */
static void ask_job(struct systemd *systemd, const char *path, char *type, size_t size)
{
	struct job {
		char type[24];
	} job = {""};
	static const struct bus_field fields[] = {
		{"JobType", BUS_STR, offsetof(struct job, type), sizeof(job.type)},
		{NULL, BUS_STR, 0, 0},
	};
	const struct bus_method object = {
		.service = SERVICE, .path = path, .interface = SERVICE ".Job"};
	struct err err = {0};
	bus_properties(systemd->bus, &object, fields, &job, &err);
	str_copy(type, size, job.type);
}

static void read_signal(
	struct systemd *systemd, const struct bus_signal *signal, struct unit_event *event)
{
	const char *path, *name, *result;
	char job[300];
	uint32_t id;
	if (str_equal(signal->member, "PropertiesChanged") && str_starts(signal->path, UNITS_PATH)) {
		event->kind = UNIT_CHANGED;
		unescape(signal->path + strlen(UNITS_PATH), event->name, sizeof(event->name));
	} else if (str_equal(signal->member, "JobNew") &&
		bus_read(signal->message, "uos", &id, &path, &name)) {
		event->kind = UNIT_JOB_BEGAN;
		STR_SET(event->name, name);
		STR_SET(job, path);
		ask_job(systemd, job, event->job, sizeof(event->job));
	} else if (str_equal(signal->member, "JobRemoved") &&
		bus_read(signal->message, "uoss", &id, &path, &name, &result)) {
		event->kind = UNIT_JOB_ENDED;
		STR_SET(event->name, name);
		STR_SET(event->result, result);
	}
}

bool systemd_next(
	struct systemd *systemd, int64_t timeout_ms, struct unit_event *event, struct err *err)
{
	struct bus_signal signal;
	bool lost;
	*event = (struct unit_event){UNIT_QUIET, "", "", ""};
	if (!connect_to(systemd, err))
		return false;
	if (!bus_next(systemd->bus, timeout_ms, &signal, &lost, err))
		return failed(systemd, err);
	if (lost)
		event->kind = UNIT_LOST;
	else if (signal.member != NULL)
		read_signal(systemd, &signal, event);
	return true;
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the job of that path is over. */
static bool follow(
	struct systemd *systemd, const char *job, int64_t timeout_ms, char result[24], struct err *err)
{
	int64_t deadline = now_ms() + timeout_ms;
	for (;;) {
		struct bus_signal signal;
		const char *path, *unit, *text;
		uint32_t id;
		bool lost;
		int64_t left = deadline - now_ms();
		if (!bus_next(systemd->bus, left > 0 ? left : 0, &signal, &lost, err))
			return failed(systemd, err);
		if (str_equal(signal.member, "JobRemoved") &&
			bus_read(signal.message, "uoss", &id, &path, &unit, &text) && str_equal(path, job)) {
			str_copy(result, 24, text);
			return true;
		}
		if (lost || (signal.member == NULL && left <= 0))
			return err_set(
				err, ERR_TIMEOUT, "the job was not done in %lld s", (long long)(timeout_ms / 1000));
	}
}

bool systemd_restart(
	struct systemd *systemd, const char *name, int64_t timeout_ms, char result[24], struct err *err)
{
	static const struct bus_method reset = {.service = SERVICE,
		.path = MANAGER_PATH,
		.interface = MANAGER,
		.member = "ResetFailedUnit"};
	static const struct bus_method restart = {
		.service = SERVICE, .path = MANAGER_PATH, .interface = MANAGER, .member = "RestartUnit"};
	struct bus_message *reply = NULL;
	const char *path = NULL;
	char job[300] = "";
	result[0] = '\0';
	if (!connect_to(systemd, err))
		return false;
	/* without it a start limit that was hit refuses every start */
	if (!bus_call(systemd->bus, &reset, NULL, err, "s", name) ||
		!bus_call(systemd->bus, &restart, &reply, err, "ss", name, "replace"))
		return failed(systemd, err);
	if (bus_read(reply, "o", &path))
		STR_SET(job, path);
	bus_free(reply);
	if (job[0] == '\0')
		return err_set(err, ERR_INPUT, "systemd names no job for %s", name);
	return follow(systemd, job, timeout_ms, result, err);
}
