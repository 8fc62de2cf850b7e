/* The world's script: what happens to its containers and to the engine itself. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

#define WORDS_MAX 16

/* A number of the script; what is none is 0. */
static int number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);
	return *end == '\0' && value >= INT_MIN && value <= INT_MAX ? (int)value : 0;
}

static struct sim_container *world_add(struct sim_docker *sim, const char *name)
{
	if (sim->count == sim->capacity) {
		sim->capacity = sim->capacity * 2 + 16;
		sim->containers = realloc(
			sim->containers, (size_t)sim->capacity * sizeof(*sim->containers));
		if (sim->containers == NULL)
			abort();
	}
	struct sim_container *container = &sim->containers[sim->count++];
	*container = (struct sim_container){.created_ms = world_now(sim)};
	str_copy(container->name, sizeof(container->name), name);
	str_copy(container->policy, sizeof(container->policy), "no");
	for (int i = 0; i < 64; i++) {
		sim->random = sim->random * 1103515245u + 12345u;
		container->id[i] = "0123456789abcdef"[sim->random >> 16 & 15];
	}
	return container;
}

static bool set_option(struct sim_container *container, char *option)
{
	char *value = strchr(option, '=');
	if (strcmp(option, "rotten") == 0) {
		container->rotten = true;
		return true;
	}
	if (strcmp(option, "health") == 0) {
		container->has_health = true;
		return true;
	}
	if (value == NULL)
		return false;
	*value++ = '\0';
	char *colon = strchr(value, ':');
	if (strcmp(option, "policy") == 0) {
		if (colon != NULL) {
			*colon = '\0';
			container->max_retries = number(colon + 1);
		}
		str_copy(container->policy, sizeof(container->policy), value);
	} else if (strcmp(option, "label") == 0 && strchr(value, '=') != NULL) {
		char *text = strchr(value, '=');
		*text++ = '\0';
		size_t used = strlen(container->labels);
		str_format(container->labels + used, sizeof(container->labels) - used, "%s\"%s\":\"%s\"",
			used > 0 ? "," : "", value, text);
	} else if (strcmp(option, "loop") == 0 && colon != NULL) {
		*colon = '\0';
		container->loop_ms = number(value);
		container->loop_code = number(colon + 1);
	} else if (strcmp(option, "stopsignal") == 0) {
		container->stop_signal = number(value);
	} else if (strcmp(option, "image") == 0) {
		str_copy(container->image, sizeof(container->image), value);
	} else if (strcmp(option, "broken") == 0) {
		str_copy(container->broken, sizeof(container->broken), value);
	} else {
		return false;
	}
	return true;
}

static bool do_container(struct sim_docker *sim, char **words, int n, char *text, size_t size)
{
	if (n < 2)
		return str_format(text, size, "container needs a name"), false;
	struct sim_container *container = world_add(sim, words[1]);
	for (int i = 2; i < n; i++)
		if (!set_option(container, words[i]))
			return str_format(text, size, "no such option: %s", words[i]), false;
	world_event(sim, container, "create", "");
	char broken[160];
	str_copy(broken, sizeof(broken), container->broken);
	container->broken[0] = '\0'; /* it ran until now: only the next start fails */
	world_start(sim, container);
	str_copy(container->broken, sizeof(container->broken), broken);
	if (container->has_health)
		str_copy(container->health, sizeof(container->health), "healthy");
	return true;
}

static void recreate(struct sim_docker *sim, struct sim_container *old)
{
	char name[128];
	str_copy(name, sizeof(name), old->name);
	world_stop(sim, old);
	world_remove(sim, old);
	struct sim_container *container = world_add(sim, name);
	world_event(sim, container, "create", "");
	world_start(sim, container);
}

static void shut_down(struct sim_docker *sim)
{
	for (int i = 0; i < sim->count; i++)
		if (sim->containers[i].state == SIM_RUNNING)
			world_stop(sim, &sim->containers[i]);
	sim->shut_down = true;
}

static void come_up(struct sim_docker *sim)
{
	sim->fault = SIM_OK;
	if (!sim->shut_down)
		return;
	sim->shut_down = false;
	sim->forgotten = sim->seq; /* the buffer is the engine's memory */
	for (int i = 0; i < sim->count; i++) {
		struct sim_container *container = &sim->containers[i];
		if (strcmp(container->policy, "always") == 0)
			world_start(sim, container);
	}
}

static bool do_engine(struct sim_docker *sim, const char *how, char *text, size_t size)
{
	static const struct {
		const char *how;
		enum sim_fault fault;
	} faults[] = {
		{"down", SIM_REFUSED},
		{"shutdown", SIM_REFUSED},
		{"frozen", SIM_FROZEN},
		{"denied", SIM_DENIED},
		{"garbage", SIM_GARBAGE},
		{"html", SIM_HTML},
		{"truncated", SIM_TRUNCATED},
	};
	if (strcmp(how, "up") == 0) {
		come_up(sim);
		return true;
	}
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (strcmp(faults[i].how, how) != 0)
			continue;
		if (strcmp(how, "shutdown") == 0)
			shut_down(sim);
		sim->fault = faults[i].fault;
		world_cut_streams(sim);
		return true;
	}
	return str_format(text, size, "no such state of the engine: %s", how), false;
}

static bool do_verb(struct sim_docker *sim, struct sim_container *c, char **words, int n)
{
	const char *verb = words[0];
	if (strcmp(verb, "crash") == 0 && n == 3) {
		world_die(sim, c, number(words[2]));
	} else if (strcmp(verb, "finish") == 0) {
		world_die(sim, c, 0);
	} else if (strcmp(verb, "oom") == 0) {
		world_event(sim, c, "oom", "");
		c->oom = true;
		world_die(sim, c, 137);
	} else if (strcmp(verb, "sick") == 0 || strcmp(verb, "unmendable") == 0) {
		c->sick = true;
		c->unmendable = verb[0] == 'u';
	} else if (strcmp(verb, "well") == 0) {
		c->sick = c->unmendable = false;
	} else if (strcmp(verb, "stop") == 0) {
		world_stop(sim, c);
	} else if (strcmp(verb, "kill") == 0) {
		world_kill(sim, c, n > 2 ? number(words[2]) : 9);
	} else if (strcmp(verb, "signal") == 0 && n == 3) {
		char attributes[40];
		str_format(attributes, sizeof(attributes), "\"signal\":\"%d\"", number(words[2]));
		world_event(sim, c, "kill", attributes);
	} else if (strcmp(verb, "start") == 0) {
		world_start(sim, c);
	} else if (strcmp(verb, "restart") == 0) {
		world_stop(sim, c);
		world_start(sim, c);
		world_event(sim, c, "restart", "");
	} else if (strcmp(verb, "pause") == 0 || strcmp(verb, "unpause") == 0) {
		c->state = verb[0] == 'p' ? SIM_PAUSED : SIM_RUNNING;
		world_event(sim, c, verb, "");
	} else if (strcmp(verb, "remove") == 0) {
		world_remove(sim, c);
	} else if (strcmp(verb, "rename") == 0 && n == 3) {
		str_copy(c->name, sizeof(c->name), words[2]);
		world_event(sim, c, "rename", "");
	} else if (strcmp(verb, "recreate") == 0) {
		recreate(sim, c);
	} else {
		return false;
	}
	return true;
}

/* "log web a whole line": what follows the name. */
static bool do_text(struct sim_docker *sim, struct sim_container *c, const char *line)
{
	const char *rest = line + strcspn(line, " ");
	rest += strspn(rest, " ");
	rest += strcspn(rest, " ");
	rest += strspn(rest, " ");
	if (str_starts(line, "check "))
		str_copy(c->check, sizeof(c->check), rest);
	else if (str_starts(line, "log ") || str_starts(line, "error "))
		world_log(sim, c, line[0] == 'e', rest);
	else
		return false;
	return true;
}

bool sim_docker_script(struct sim_docker *sim, const char *line, char *text, size_t size)
{
	char copy[512], *words[WORDS_MAX], *save = NULL;
	int n = 0;
	str_copy(copy, sizeof(copy), line);
	for (char *word = strtok_r(copy, " \n", &save); word != NULL && n < WORDS_MAX;
		 word = strtok_r(NULL, " \n", &save))
		words[n++] = word;
	if (n == 0)
		return true;
	if (strcmp(words[0], "container") == 0)
		return do_container(sim, words, n, text, size);
	if (strcmp(words[0], "engine") == 0 && n == 2)
		return do_engine(sim, words[1], text, size);
	if (strcmp(words[0], "forget") == 0) {
		sim->forgotten = sim->seq;
		return true;
	}
	struct sim_container *container = n > 1 ? world_find(sim, words[1]) : NULL;
	if (container == NULL)
		return str_format(text, size, "no such container: %s", n > 1 ? words[1] : ""), false;
	if (do_text(sim, container, line) || do_verb(sim, container, words, n))
		return true;
	return str_format(text, size, "no such line: %s", line), false;
}
