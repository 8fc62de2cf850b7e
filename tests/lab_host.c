/*
 * The lab's machine: its units and what is measured of it, behind the functions of client/host.h
 * and client/systemd.h (by ld --wrap). Every configured host is this one. What it cannot do is how
 * the real ones answer: tests/real/systemd is for that.
 */
#include "tests/lab_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "client/host_facts.h"
#include "client/systemd.h"
#include "sim/docker.h"

#define HOG "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UNITS_MAX 400
#define EVENTS_MAX 2000
#define DISK_KIB 1000000
#define MEMORY_KIB 1000000

struct sim_host {
	const struct clock *clock;
	struct unit units[UNITS_MAX];
	bool broken[UNITS_MAX]; /* a restart fails again */
	int count;
	struct unit_event events[EVENTS_MAX];
	int first, last;
	int64_t ticked_at, total, idle;
	double cpu, memory, disk; /* percent */
	double cache, rubbish;    /* of that: what can be freed */
	double hog;               /* of memory: what a container that is not essential holds */
	char stopped[100];        /* HOST_STOPPED_FILE */
	double page;              /* the status that it answers; 0: silent */
	bool down;
	char posts[500][96];
	int post_count;
};

bool __wrap_host_run(struct host *host, const struct host_command *command, struct arena *arena,
	struct spawn_result *result, struct err *err);
bool __wrap_systemd_units(struct systemd *systemd, const char *const *patterns, struct arena *arena,
	struct unit_list *list, struct err *err);
bool __wrap_systemd_unit(
	struct systemd *systemd, const char *name, struct unit *unit, struct err *err);
bool __wrap_systemd_next(
	struct systemd *systemd, int64_t timeout_ms, struct unit_event *event, struct err *err);
bool __wrap_systemd_restart(struct systemd *systemd, const char *name, int64_t timeout_ms,
	char result[24], struct err *err);

static struct sim_host *world(void)
{
	return lab_world(lab_current, &lab_host);
}

static bool is_down(struct err *err)
{
	return world()->down && !err_set(err, ERR_RETRY, "host: connection refused");
}

static void post(struct sim_host *sim, const char *line)
{
	if (sim->post_count < 500)
		str_copy(sim->posts[sim->post_count++], sizeof(sim->posts[0]), line);
}

static void push(struct sim_host *sim, enum unit_event_kind kind, const char *name, const char *job)
{
	struct unit_event *event = &sim->events[sim->last];
	if (sim->last + 1 == EVENTS_MAX)
		abort();
	*event = (struct unit_event){.kind = kind};
	STR_SET(event->name, name);
	STR_SET(event->job, job);
	sim->last++;
}

static struct unit *find(struct sim_host *sim, const char *name)
{
	for (int i = 0; i < sim->count; i++)
		if (strcmp(sim->units[i].name, name) == 0)
			return &sim->units[i];
	return NULL;
}

static void set(struct sim_host *sim, struct unit *unit, const char *active, const char *sub)
{
	uint64_t now_us = (uint64_t)clock_wall_ms(sim->clock) * 1000;
	STR_SET(unit->active, active);
	STR_SET(unit->sub, sub);
	if (strcmp(active, "active") == 0)
		unit->active_enter_us = now_us;
	else
		unit->inactive_enter_us = now_us;
	push(sim, UNIT_CHANGED, unit->name, "");
}

static void fail(struct sim_host *sim, struct unit *unit, const char *result, int status)
{
	STR_SET(unit->result, result);
	unit->exit_code = strcmp(result, "exit-code") == 0 ? 1 : 2;
	unit->exit_status = status;
	set(sim, unit, "failed", "failed");
}

bool __wrap_systemd_units(struct systemd *systemd, const char *const *patterns, struct arena *arena,
	struct unit_list *list, struct err *err)
{
	struct sim_host *sim = world();
	(void)systemd;
	if (is_down(err))
		return false;
	*list = (struct unit_list){.units = ARENA_ARRAY(arena, struct unit, (size_t)sim->count + 1)};
	for (int i = 0; i < sim->count; i++)
		for (const char *const *pattern = patterns; *pattern != NULL; pattern++)
			if (str_match(*pattern, sim->units[i].name)) {
				struct unit *row = &list->units[list->count++];
				*row = (struct unit){0};
				STR_SET(row->name, sim->units[i].name);
				STR_SET(row->load, sim->units[i].load);
				STR_SET(row->active, sim->units[i].active);
				STR_SET(row->sub, sim->units[i].sub);
				break;
			}
	return true;
}

bool __wrap_systemd_unit(
	struct systemd *systemd, const char *name, struct unit *unit, struct err *err)
{
	(void)systemd;
	if (is_down(err))
		return false;
	const struct unit *found = find(world(), name);
	if (found == NULL)
		return err_set(err, ERR_GONE, "there is no unit %s", name);
	*unit = *found;
	return true;
}

bool __wrap_systemd_next(
	struct systemd *systemd, int64_t timeout_ms, struct unit_event *event, struct err *err)
{
	struct sim_host *sim = world();
	(void)systemd;
	(void)timeout_ms;
	*event = (struct unit_event){UNIT_QUIET, "", "", ""};
	if (is_down(err))
		return false;
	if (sim->first < sim->last)
		*event = sim->events[sim->first++];
	if (sim->first == sim->last)
		sim->first = sim->last = 0;
	return true;
}

bool __wrap_systemd_restart(
	struct systemd *systemd, const char *name, int64_t timeout_ms, char result[24], struct err *err)
{
	struct sim_host *sim = world();
	char line[160];
	(void)systemd;
	(void)timeout_ms;
	if (is_down(err))
		return false;
	struct unit *unit = find(sim, name);
	if (unit == NULL)
		return err_set(err, ERR_GONE, "there is no unit %s", name);
	STR_FORMAT(line, "restart %s", name);
	post(sim, line);
	/* as of a Type=simple: the job is done whatever becomes of the program */
	str_copy(result, 24, "done");
	unit->restarts = 0;
	push(sim, UNIT_JOB_BEGAN, name, "restart");
	set(sim, unit, "active", "running");
	push(sim, UNIT_JOB_ENDED, name, "");
	if (strcmp(name, "docker.service") == 0)
		sim_docker_script(lab_world(lab_current, &lab_docker), "engine up", line, sizeof(line));
	if (sim->broken[unit - sim->units])
		fail(sim, unit, "exit-code", 1);
	return true;
}

static void join(const char *const *argv, char *line, size_t size)
{
	line[0] = '\0';
	for (; *argv != NULL; argv++) {
		size_t used = strlen(line);
		str_format(line + used, size - used, "%s%s", used > 0 ? " " : "", *argv);
	}
}

static int row_of(const struct sim_host *sim, char *text, size_t size)
{
	long long used = (long long)(sim->disk / 100 * DISK_KIB);
	str_format(text, size,
		"Filesystem Type 1024-blocks Used Available Capacity Mounted on\n"
		"/dev/sda1 ext4 %d %lld %lld %d%% /\n",
		DISK_KIB, used, DISK_KIB - used, (int)sim->disk);
	return 0;
}

static int proc_of(const struct sim_host *sim, char *text, size_t size)
{
	long long free_kib = (long long)((100 - sim->memory) / 100 * MEMORY_KIB);
	str_format(text, size,
		"cpu  %lld 0 0 %lld 0 0 0 0\nMemTotal: %d kB\nMemFree: %lld kB\n"
		"MemAvailable: %lld kB\n",
		(long long)(sim->total - sim->idle), (long long)sim->idle, MEMORY_KIB, free_kib, free_kib);
	return 0;
}

/* What changes something; the rest is not there. */
static int act(struct sim_host *sim, const char *line)
{
	if (str_starts(line, "find /var/log")) {
		post(sim, "clean");
		sim->disk -= sim->rubbish;
		sim->rubbish = 0;
	} else if (str_starts(line, "sysctl")) {
		post(sim, line);
		sim->memory -= sim->cache;
		sim->cache = 0;
	} else if (str_starts(line, "docker stop")) {
		post(sim, line);
		sim->memory -= sim->hog;
	} else if (str_starts(line, "docker start")) {
		post(sim, "docker start");
	} else if (str_starts(line, "rm -f")) {
		sim->stopped[0] = '\0';
	} else if (!str_starts(line, "sync") && !str_starts(line, "journalctl") &&
		!str_starts(line, "apt-get")) {
		return 127;
	}
	return 0;
}

static int answer(struct sim_host *sim, const char *line, char *text, size_t size)
{
	text[0] = '\0';
	if (str_starts(line, "cat /proc/stat"))
		return proc_of(sim, text, size);
	if (str_starts(line, "df "))
		return row_of(sim, text, size);
	if (str_starts(line, "find /proc")) {
		str_format(text, size, "7 (stress) R 1 1 1 0 1 4 1 1 1 1 %lld 0 0 0 20 0 1 0 1 1 1\n",
			(long long)clock_mono_ms(sim->clock) / 10);
		return 0;
	}
	if (strcmp(line, "cat " HOST_STOPPED_FILE) == 0)
		return str_copy(text, size, sim->stopped) && sim->stopped[0] != '\0' ? 0 : 1;
	if (str_starts(line, "docker inspect"))
		return str_copy(text, size, "true exited\n") ? 0 : 1;
	if (str_starts(line, "ps "))
		return str_copy(text, size, "524288 java\n1024 sshd\n") ? 0 : 1;
	if (str_starts(line, "docker ps") && sim->hog > 0)
		return str_copy(text, size, HOG "\n") ? 0 : 1;
	if (str_starts(line, "docker stats") && sim->hog > 0)
		return str_copy(text, size, HOG " 12.00% games\n") ? 0 : 1;
	return act(sim, line);
}

bool __wrap_host_run(struct host *host, const struct host_command *command, struct arena *arena,
	struct spawn_result *result, struct err *err)
{
	char line[400], text[1000];
	(void)host;
	if (is_down(err))
		return false;
	join(command->argv, line, sizeof(line));
	if (str_starts(line, "tee -a " HOST_STOPPED_FILE))
		STR_SET(world()->stopped, command->input);
	int code = str_starts(line, "tee ") ? 0 : answer(world(), line, text, sizeof(text));
	*result = (struct spawn_result){.exit_code = code,
		.output = arena_strdup(arena, text),
		.complaint = "",
		.output_bytes = strlen(text)};
	return true;
}

/* A page that a probe may ask for. */
static bool is_at(const struct http_config *config)
{
	return config->base_url != NULL && str_ends(config->base_url, ":8096");
}

static bool perform(void *self, const struct http *http, const struct http_request *request,
	struct arena *arena, struct http_reply *reply, struct err *err)
{
	const struct sim_host *sim = self;
	if (sim->page == 0)
		return err_set(err, ERR_TIMEOUT, "%s: %s: no answer", http->config.name, request->path);
	*reply = (struct http_reply){.status = (int)sim->page, .body = arena_strdup(arena, "")};
	return true;
}

static void *make(const struct clock *clock)
{
	struct sim_host *sim = calloc(1, sizeof(*sim));
	if (sim == NULL)
		abort();
	sim->clock = clock;
	sim->ticked_at = clock_mono_ms(clock);
	sim->cpu = 10;
	sim->memory = 40;
	sim->disk = 30;
	sim->page = 200;
	return sim;
}

static void end(void *self)
{
	free(self);
}

static void tick(void *self)
{
	struct sim_host *sim = self;
	int64_t now = clock_mono_ms(sim->clock), ms = now - sim->ticked_at;
	sim->total += ms;
	sim->idle += (int64_t)((double)ms * (100 - sim->cpu) / 100);
	sim->ticked_at = now;
}

static bool set_number(struct sim_host *sim, const char *verb, const char *value)
{
	const struct {
		const char *verb;
		double *number;
	} numbers[] = {{"cpu", &sim->cpu}, {"memory", &sim->memory}, {"disk", &sim->disk},
		{"cache", &sim->cache}, {"rubbish", &sim->rubbish}, {"hog", &sim->hog},
		{"page", &sim->page}};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(verb, numbers[i].verb) == 0) {
			*numbers[i].number = strtod(value, NULL);
			return true;
		}
	return false;
}

/* unit NAME [TYPE [RESTART]] */
static bool add_unit(struct sim_host *sim, const char *name, const char *type, const char *restart)
{
	if (sim->count == UNITS_MAX)
		return false;
	struct unit *unit = &sim->units[sim->count++];
	*unit = (struct unit){.limit_burst = 5};
	STR_SET(unit->name, name);
	STR_SET(unit->load, "loaded");
	STR_SET(unit->type, type[0] != '\0' ? type : "simple");
	STR_SET(unit->restart, restart[0] != '\0' ? restart : "no");
	set(sim, unit, "active", "running");
	return true;
}

static bool change(struct sim_host *sim, const char *verb, struct unit *unit, const char *a)
{
	if (strcmp(verb, "fail") == 0) {
		fail(sim, unit, "exit-code", a[0] != '\0' ? (int)strtol(a, NULL, 10) : 1);
	} else if (strcmp(verb, "stop") == 0) {
		push(sim, UNIT_JOB_BEGAN, unit->name, "stop");
		if (a[0] != '\0')
			fail(sim, unit, "exit-code", (int)strtol(a, NULL, 10));
		else
			set(sim, unit, "inactive", "dead");
		push(sim, UNIT_JOB_ENDED, unit->name, "");
	} else if (strcmp(verb, "waits") == 0) {
		unit->restarts++;
		set(sim, unit, "activating", "auto-restart");
	} else if (strcmp(verb, "limit") == 0) {
		unit->restarts = unit->limit_burst;
		fail(sim, unit, "exit-code", 1);
	} else if (strcmp(verb, "start") == 0) {
		set(sim, unit, "active", "running");
	} else if (strcmp(verb, "broken") == 0 || strcmp(verb, "mended") == 0) {
		sim->broken[unit - sim->units] = verb[0] == 'b';
	} else {
		return false;
	}
	return true;
}

static bool script(void *self, const char *line, char *text, size_t size)
{
	struct sim_host *sim = self;
	char verb[32] = "", name[160] = "", a[32] = "", b[32] = "";
	sscanf(line, "%31s %120s %31s %31s", verb, name, a, b);
	if (strcmp(verb, "down") == 0 || strcmp(verb, "up") == 0) {
		sim->down = verb[0] == 'd';
		return true;
	}
	if (set_number(sim, verb, name))
		return true;
	str_format(name + strlen(name), sizeof(name) - strlen(name), ".service");
	struct unit *unit = find(sim, name);
	if (strcmp(verb, "unit") == 0 && unit == NULL && add_unit(sim, name, a, b))
		return true;
	if (unit != NULL && change(sim, verb, unit, a))
		return true;
	str_format(text, size, "the host knows no such line, or no such unit");
	return false;
}

static int posts(void *self, const char *pattern)
{
	const struct sim_host *sim = self;
	int count = 0;
	for (int i = 0; i < sim->post_count; i++)
		count += str_match(pattern, sim->posts[i]);
	return count;
}

const struct lab_world lab_host = {
	.name = "host",
	.is_at = is_at,
	.make = make,
	.end = end,
	.tick = tick,
	.script = script,
	.posts = posts,
	.perform = perform,
};
