/* What an engine tells of one of its containers. */
#include <string.h>

#include "base/str.h"
#include "client/docker.h"
#include "diagnose/evidence.h"

#define SCRATCH_BYTES ((size_t)8 << 20)
#define LOG_BYTES ((size_t)512 << 10)
#define LOG_LINES 40
#define LOG_MS 3000
/* Lines from longer before its end are of something else. */
#define BEFORE_MS 600000
#define RECENT_MS 3600000

static struct docker *open_engine(const struct evidence_order *order, struct err *err)
{
	const struct config *config = order->config;
	for (int i = 0; i < config->docker_count; i++)
		if (str_starts(order->component.source, "docker:") &&
			str_equal(order->component.source + strlen("docker:"), config->docker[i].name))
			return docker_open(&config->docker[i], order->stop_fd, err);
	err_set(err, ERR_GONE, "%s is not configured any more", order->component.source);
	return NULL;
}

static void add_state(const struct evidence_order *order, const struct docker_container *container,
	struct evidence_list *list)
{
	int64_t now = clock_wall_ms(order->clock);
	char ago[32];
	evidence_addf(list, EVIDENCE_STATE, 0, "docker inspect",
		"%s, exit code %d%s, restarted %d times by its policy (%s), image %s", container->status,
		container->exit_code, container->oom_killed ? ", OOM-killed" : "", container->restart_count,
		container->policy[0] != '\0' ? container->policy : "no", container->image);
	if (container->error[0] != '\0')
		evidence_addf(list, EVIDENCE_STATE, 0, "docker inspect", "error: %s", container->error);
	if (container->health_output[0] != '\0')
		evidence_add(list, EVIDENCE_STATE, 0, "its health check", container->health_output);
	if (container->created_at != 0 && now - container->created_at < RECENT_MS) {
		str_duration(ago, now - container->created_at);
		evidence_addf(list, EVIDENCE_CHANGE, container->created_at, "docker inspect",
			"the container was made anew %s ago, of image %s", ago, container->image);
	}
}

/* running_since: 0: it does not run. */
static void add_log(const struct evidence_order *order, struct docker *docker,
	int64_t running_since, struct evidence_list *list)
{
	char source[NAME_MAX_BYTES + 16], *text;
	struct err err = {0};
	auto_arena arena = arena_new(SCRATCH_BYTES);
	struct docker_logs which = {.lines = LOG_LINES, .limit_bytes = LOG_BYTES, .timeout_ms = LOG_MS};
	/* It may run again already: those lines are not of its failure. And of one that runs, what was
	 * before its start proves nothing. */
	which.since_ms = running_since;
	if (order->failed_at != 0) {
		which.since_ms = order->failed_at - BEFORE_MS;
		which.until_ms = order->failed_at + 1000;
	}
	if (docker_logs(docker, order->component.native, &which, arena, &text, &err)) {
		size_t size = strlen(text) * 2 + 512;
		char *copy = arena_alloc(arena, size);
		str_copy(copy, size, text);
		STR_FORMAT(source, "log of %.50s", order->component.label);
		evidence_add_lines(list, source, copy, size);
	} else {
		evidence_addf(list, EVIDENCE_GAP, 0, "docker logs", "its log cannot be read: %s", err.text);
	}
}

void evidence_of_container(const struct evidence_order *order, struct evidence_list *list)
{
	struct docker_container container = {.id = ""};
	struct err err = {0};
	auto_arena arena = arena_new(SCRATCH_BYTES);
	struct docker *docker = open_engine(order, &err);
	if (docker != NULL && docker_inspect(docker, order->component.native, arena, &container, &err))
		add_state(order, &container, list);
	else
		evidence_addf(list, EVIDENCE_GAP, 0, "docker inspect", "%s", err.text);
	if (docker != NULL && err.kind != ERR_TIMEOUT && err.kind != ERR_GONE)
		add_log(
			order, docker, str_equal(container.status, "running") ? container.started_at : 0, list);
	docker_close(docker);
}
