#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_INTERVAL_MS 1000
#define CHECK_RETRIES 2

struct sim_docker *sim_docker_new(const struct clock *clock)
{
	struct sim_docker *sim = calloc(1, sizeof(*sim));
	if (sim == NULL)
		abort();
	sim->clock = clock;
	sim->random = 12345;
	return sim;
}

void sim_docker_free(struct sim_docker *sim)
{
	for (int i = 0; i < sim->journal_count; i++)
		free(sim->journal[i]);
	free(sim->journal);
	for (int i = 0; i < sim->count; i++)
		free(sim->containers[i].log);
	free(sim->containers);
	free(sim);
}

int64_t world_now(const struct sim_docker *sim)
{
	return clock_wall_ms(sim->clock);
}

const char *world_state_name(enum sim_state state)
{
	static const char *const names[] = {"created", "running", "exited", "restarting", "paused"};
	return names[state];
}

struct sim_container *world_find(struct sim_docker *sim, const char *id_or_name)
{
	size_t length = strlen(id_or_name);
	for (int i = 0; i < sim->count; i++) {
		struct sim_container *container = &sim->containers[i];
		if (strcmp(container->name, id_or_name) == 0 ||
			(length >= 12 && strncmp(container->id, id_or_name, length) == 0))
			return container;
	}
	return NULL;
}

/* attributes: more of them, as JSON members; "" for none. Two events never share a time. */
void world_event(struct sim_docker *sim, const struct sim_container *container, const char *action,
	const char *attributes)
{
	struct sim_event *event = &sim->events[sim->seq % EVENTS_KEPT];
	int64_t at = world_now(sim) * 1000000;
	sim->last_ns = at > sim->last_ns ? at : sim->last_ns + 1;
	event->seq = ++sim->seq;
	event->at_ns = sim->last_ns;
	str_copy(event->action, sizeof(event->action), action);
	str_copy(event->id, sizeof(event->id), container->id);
	str_copy(event->name, sizeof(event->name), container->name);
	str_format(event->attributes, sizeof(event->attributes), "%s%s%s%s",
		attributes[0] != '\0' ? "," : "", attributes, container->labels[0] != '\0' ? "," : "",
		container->labels);
}

void world_log(
	struct sim_docker *sim, struct sim_container *container, bool is_error, const char *text)
{
	if (container->log == NULL)
		container->log = calloc(SIM_LOG_LINES, sizeof(*container->log));
	if (container->log == NULL)
		abort();
	struct sim_log_line *line = &container->log[container->logged++ % SIM_LOG_LINES];
	line->at_ms = world_now(sim);
	line->is_error = is_error;
	str_copy(line->text, sizeof(line->text), text);
}

void world_cut_streams(struct sim_docker *sim)
{
	sim->generation++;
}

static void set_health(struct sim_docker *sim, struct sim_container *container, const char *health)
{
	char action[40];
	if (strcmp(container->health, health) == 0)
		return;
	str_copy(container->health, sizeof(container->health), health);
	if (strcmp(health, "starting") == 0)
		return;
	str_format(action, sizeof(action), "health_status: %s", health);
	world_event(sim, container, action, "");
}

bool world_start(struct sim_docker *sim, struct sim_container *container)
{
	int64_t now = world_now(sim);
	if (container->broken[0] != '\0') {
		str_copy(container->error, sizeof(container->error), container->broken);
		container->exit_code = 127;
		container->state = SIM_EXITED;
		container->finished_ms = now;
		return false;
	}
	container->state = SIM_RUNNING;
	container->pid = 1000 + (int)(sim->seq % 30000);
	container->started_ms = now;
	container->exit_code = 0;
	container->oom = false;
	container->error[0] = '\0';
	container->sick = container->unmendable;
	container->failures = 0;
	container->stopped_by_hand = false;
	container->due_ms = container->loop_ms > 0 ? now + container->loop_ms : 0;
	container->check_ms = now + CHECK_INTERVAL_MS;
	if (container->has_health)
		set_health(sim, container, "starting");
	world_event(sim, container, "start", "");
	return true;
}

static bool policy_wants(const struct sim_container *container)
{
	if (container->stopped_by_hand)
		return false;
	if (strcmp(container->policy, "always") == 0 ||
		strcmp(container->policy, "unless-stopped") == 0)
		return true;
	return strcmp(container->policy, "on-failure") == 0 && container->exit_code != 0 &&
		(container->max_retries == 0 || container->restart_count < container->max_retries);
}

/* The engine waits 100 ms, doubled each time, unless it ran for 10 s. */
static void plan_restart(struct sim_docker *sim, struct sim_container *container)
{
	int64_t now = world_now(sim);
	bool ran_long = now - container->started_ms >= 10000;
	container->backoff_ms = ran_long || container->backoff_ms == 0 ? 100
																   : container->backoff_ms * 2;
	if (container->backoff_ms > 60000)
		container->backoff_ms = 60000;
	container->restart_count++;
	container->state = SIM_RESTARTING;
	container->due_ms = now + container->backoff_ms;
}

void world_die(struct sim_docker *sim, struct sim_container *container, int code)
{
	char attributes[40];
	container->exit_code = code;
	container->finished_ms = world_now(sim);
	container->pid = 0;
	container->due_ms = 0;
	container->state = SIM_EXITED;
	/* The engine decides on its policy before it tells of the death. */
	if (policy_wants(container))
		plan_restart(sim, container);
	str_format(attributes, sizeof(attributes), "\"exitCode\":\"%d\"", code);
	world_event(sim, container, "die", attributes);
}

void world_kill(struct sim_docker *sim, struct sim_container *container, int signal)
{
	char attributes[40];
	str_format(attributes, sizeof(attributes), "\"signal\":\"%d\"", signal);
	container->stopped_by_hand = true;
	world_event(sim, container, "kill", attributes);
	world_die(sim, container, 128 + signal);
}

void world_stop(struct sim_docker *sim, struct sim_container *container)
{
	world_kill(sim, container, container->stop_signal != 0 ? container->stop_signal : 15);
	world_event(sim, container, "stop", "");
}

void world_remove(struct sim_docker *sim, struct sim_container *container)
{
	if (container->state == SIM_RUNNING || container->state == SIM_PAUSED)
		world_kill(sim, container, 9);
	world_event(sim, container, "destroy", "");
	free(container->log);
	*container = sim->containers[--sim->count];
}

static void check_health(struct sim_docker *sim, struct sim_container *container)
{
	container->check_ms += CHECK_INTERVAL_MS;
	if (!container->sick) {
		container->failures = 0;
		set_health(sim, container, "healthy");
	} else if (++container->failures >= CHECK_RETRIES) {
		set_health(sim, container, "unhealthy");
	}
}

static void tick_one(struct sim_docker *sim, struct sim_container *container)
{
	int64_t now = world_now(sim);
	if (container->due_ms != 0 && now >= container->due_ms) {
		container->due_ms = 0;
		if (container->state == SIM_RESTARTING)
			world_start(sim, container);
		else if (container->state == SIM_RUNNING)
			world_die(sim, container, container->loop_code);
	}
	while (container->has_health && container->state == SIM_RUNNING && now >= container->check_ms)
		check_health(sim, container);
}

void sim_docker_tick(struct sim_docker *sim)
{
	for (int i = 0; i < sim->count; i++)
		if (!sim->shut_down)
			tick_one(sim, &sim->containers[i]);
}

enum sim_fault sim_docker_fault(const struct sim_docker *sim)
{
	return sim->fault;
}

uint64_t sim_docker_generation(const struct sim_docker *sim)
{
	return sim->generation;
}

const char *sim_docker_state(struct sim_docker *sim, const char *name)
{
	struct sim_container *container = world_find(sim, name);
	return container == NULL ? NULL : world_state_name(container->state);
}

int sim_docker_posts(const struct sim_docker *sim, const char *pattern)
{
	int count = 0;
	for (int i = 0; i < sim->journal_count; i++)
		count += str_match(pattern, sim->journal[i]);
	return count;
}

const char *sim_docker_event(
	struct sim_docker *sim, int64_t since_ns, uint64_t *seq, struct arena *arena)
{
	uint64_t first = sim->seq > EVENTS_KEPT ? sim->seq - EVENTS_KEPT : 0;
	if (first < sim->forgotten)
		first = sim->forgotten;
	for (uint64_t n = *seq > first ? *seq : first; n < sim->seq; n++) {
		const struct sim_event *event = &sim->events[n % EVENTS_KEPT];
		*seq = n + 1;
		if (event->at_ns < since_ns)
			continue;
		return arena_printf(arena,
			"{\"status\":\"%s\",\"id\":\"%s\",\"from\":\"sim\",\"Type\":\"container\","
			"\"Action\":\"%s\",\"Actor\":{\"ID\":\"%s\",\"Attributes\":{\"image\":\"sim\","
			"\"name\":\"%s\"%s}},\"scope\":\"local\",\"time\":%lld,\"timeNano\":%lld}",
			event->action, event->id, event->action, event->id, event->name, event->attributes,
			(long long)(event->at_ns / 1000000000), (long long)event->at_ns);
	}
	return NULL;
}
