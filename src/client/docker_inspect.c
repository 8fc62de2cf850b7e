/* One container, out of GET /containers/ID/json. */
#include "client/docker.h"

#include <stddef.h>
#include <string.h>

#include "base/http.h"
#include "base/str.h"

#define INSPECT_TIMEOUT_MS 5000

#define STRING(path, field) \
	{ \
		path, JSON_T_STR, offsetof(struct docker_container, field), \
			sizeof(((struct docker_container *)0)->field), false \
	}

static const struct json_field fields[] = {
	{"Id", JSON_T_STR, offsetof(struct docker_container, id),
		sizeof(((struct docker_container *)0)->id), true},
	STRING("Name", name),
	STRING("Config.Image", image),
	STRING("State.Status", status),
	STRING("State.Health.Status", health),
	STRING("State.Error", error),
	STRING("HostConfig.RestartPolicy.Name", policy),
	STRING("Config.StopSignal", stop_signal),
};

static void read_times(struct json root, struct docker_container *container)
{
	char text[64];
	int64_t at;
	json_copy(json_get(root, "Created"), text, sizeof(text));
	at = str_parse_rfc3339(text);
	container->created_at = at > 0 ? at : 0;
	json_copy(json_path(root, "State.StartedAt"), text, sizeof(text));
	at = str_parse_rfc3339(text);
	container->started_at = at > 0 ? at : 0;
	json_copy(json_path(root, "State.FinishedAt"), text, sizeof(text));
	at = str_parse_rfc3339(text);
	container->finished_at = at > 0 ? at : 0;
}

static void read_health_output(struct json root, struct docker_container *container)
{
	struct json last = {0};
	struct json log = json_path(root, "State.Health.Log");
	for (struct json entry = json_first(log); json_is(entry); entry = json_next(entry))
		last = entry;
	json_copy(json_get(last, "Output"), container->health_output, sizeof(container->health_output));
}

/* Podman has words of its own for some states, and "none" or "" for no health check. */
static void translate(struct docker_container *container)
{
	if (str_equal(container->status, "stopped"))
		STR_SET(container->status, "exited");
	if (str_equal(container->status, "configured") || str_equal(container->status, "initialized"))
		STR_SET(container->status, "created");
	if (str_equal(container->health, "none"))
		container->health[0] = '\0';
	if (container->name[0] == '/')
		memmove(container->name, container->name + 1, strlen(container->name));
}

bool docker_inspect(struct docker *docker, const char *id, struct arena *arena,
	struct docker_container *container, struct err *err)
{
	struct json root;
	const char *path = arena_printf(arena, "/containers/%s/json", http_encode(arena, id));
	if (!docker_get(docker, path, INSPECT_TIMEOUT_MS, arena, &root, err))
		return false;
	*container = (struct docker_container){0};
	if (!json_decode(root, fields, sizeof(fields) / sizeof(fields[0]), container, err))
		return err_prefix(err, "docker: GET %s", path);
	container->exit_code = (int)json_int(json_path(root, "State.ExitCode"), 0);
	container->restart_count = (int)json_int(json_get(root, "RestartCount"), 0);
	container->max_retries = (int)json_int(
		json_path(root, "HostConfig.RestartPolicy.MaximumRetryCount"), 0);
	container->oom_killed = json_bool(json_path(root, "State.OOMKilled"), false);
	container->pid = json_int(json_path(root, "State.Pid"), 0);
	container->labels = json_path(root, "Config.Labels");
	read_times(root, container);
	read_health_output(root, container);
	translate(container);
	return true;
}
