/* The event stream: GET /events, one JSON object a line. */
#include "client/docker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "client/docker_internal.h"

#define OPEN_TIMEOUT_MS 10000
/* A container may carry many labels, and each event repeats them. */
#define PARSE_LIMIT_BYTES ((size_t)16 * 1024 * 1024)

/* "died" and "remove" are Podman's words for "die" and "destroy". "health_status" stands for
 * "health_status: unhealthy" too. */
#define FILTERS \
	"{\"type\":[\"container\"],\"event\":[" \
	"\"start\",\"die\",\"died\",\"kill\",\"oom\"," \
	"\"stop\",\"restart\",\"pause\",\"unpause\",\"destroy\",\"remove\",\"create\",\"rename\"," \
	"\"health_status\"]}"

struct docker_events {
	struct docker *docker;
	struct http_stream *stream;
	char since[40];
};

static const char *const actions[] = {"start", "die", "kill", "oom", "stop", "restart", "pause",
	"unpause", "destroy", "create", "rename", "health_status"};

/* Leaves the action empty when it does not matter. */
static void set_action(
	struct docker_event *event, const char *action, struct json attributes, struct json root)
{
	if (str_equal(action, "died"))
		action = "die";
	if (str_equal(action, "remove"))
		action = "destroy";
	if (str_starts(action, "health_status")) {
		const char *colon = strchr(action, ':');
		STR_SET(event->health, colon == NULL ? "" : colon + 1 + strspn(colon + 1, " "));
		action = "health_status";
		if (event->health[0] == '\0' &&
			!json_copy(
				json_get(attributes, "health_status"), event->health, sizeof(event->health)) &&
			!json_copy(json_get(attributes, "HealthStatus"), event->health, sizeof(event->health)))
			json_copy(json_get(root, "HealthStatus"), event->health, sizeof(event->health));
	}
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (str_equal(action, actions[i]))
			STR_SET(event->action, action);
}

/* "9", "SIGKILL" or "KILL" */
static int signal_number(struct json value)
{
	char text[24];
	int64_t number = json_int(value, 0);
	if (number > 0 && number < 65)
		return (int)number;
	if (!json_copy(value, text, sizeof(text)))
		return 0;
	const char *name = str_starts(text, "SIG") ? text + 3 : text;
	for (int i = 1; i < 65; i++)
		if (sigabbrev_np(i) != NULL && strcmp(sigabbrev_np(i), name) == 0)
			return i;
	return 0;
}

static void set_time(struct docker_event *event, struct json root)
{
	int64_t nano = json_int(json_get(root, "timeNano"), 0);
	int64_t second = json_int(json_get(root, "time"), 0);
	if (nano <= 0 && second > 0 && second < INT64_MAX / 1000000000)
		nano = second * 1000000000;
	if (nano <= 0)
		return;
	event->at_ms = nano / 1000000;
	STR_FORMAT(event->cursor, "%lld.%09lld", (long long)(nano / 1000000000),
		(long long)(nano % 1000000000));
}

static void set_numbers(struct docker_event *event, struct json attributes)
{
	event->exit_code = -1;
	if (str_equal(event->action, "kill"))
		event->signal = signal_number(json_get(attributes, "signal"));
	if (!str_equal(event->action, "die"))
		return;
	struct json code = json_get(attributes, "exitCode");
	if (!json_is(code))
		code = json_get(attributes, "containerExitCode");
	int64_t number = json_int(code, -1);
	event->exit_code = number >= 0 && number <= 255 ? (int)number : -1;
}

bool docker_event_parse(
	const char *line, size_t length, struct docker_event *event, struct err *err)
{
	auto_arena arena = arena_new(PARSE_LIMIT_BYTES);
	struct json root;
	char text[64];
	*event = (struct docker_event){.exit_code = -1};
	if (!json_parse(arena, line, length, &root, err))
		return err_prefix(err, "event");
	if (json_kind(root) != JSON_OBJECT)
		return err_set(err, ERR_INPUT, "event: not a JSON object");
	set_time(event, root);
	struct json actor = json_get(root, "Actor");
	struct json attributes = json_get(actor, "Attributes");
	if (!json_copy(json_get(actor, "ID"), event->id, sizeof(event->id)))
		json_copy(json_get(root, "id"), event->id, sizeof(event->id));
	json_copy(json_get(attributes, "name"), event->name, sizeof(event->name));
	json_copy(json_get(attributes, "image"), event->image, sizeof(event->image));
	if (json_copy(json_get(root, "Type"), text, sizeof(text)) && !str_equal(text, "container"))
		return true;
	if (!json_copy(json_get(root, "Action"), text, sizeof(text)))
		json_copy(json_get(root, "status"), text, sizeof(text));
	set_action(event, text, attributes, root);
	set_numbers(event, attributes);
	return true;
}

struct docker_events *docker_events_open(struct docker *docker, const char *since, struct err *err)
{
	if (!docker_negotiate(docker, OPEN_TIMEOUT_MS, err))
		return NULL;
	auto_arena arena = arena_new(4096);
	bool has_since = since != NULL && since[0] != '\0';
	struct http_request request = {.method = "GET",
		.timeout_ms = OPEN_TIMEOUT_MS,
		.path = arena_printf(arena, "/v%s/events?%s%s%sfilters=%s", docker->version.api,
			has_since ? "since=" : "", has_since ? since : "", has_since ? "&" : "",
			http_encode(arena, FILTERS))};
	struct http_stream *stream = http_stream_open(docker->http, &request, err);
	if (stream == NULL) {
		docker_lost(docker, err);
		return NULL;
	}
	struct docker_events *events = calloc(1, sizeof(*events));
	if (events == NULL)
		abort();
	events->docker = docker;
	events->stream = stream;
	STR_SET(events->since, since);
	return events;
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum docker_next docker_events_next(
	struct docker_events *events, int64_t timeout_ms, struct docker_event *event, struct err *err)
{
	struct docker *docker = events->docker;
	int64_t deadline = now_ms() + timeout_ms;
	for (;;) {
		const char *line = NULL;
		size_t length = 0;
		int64_t left = deadline - now_ms();
		enum http_next next = http_stream_next(
			events->stream, &line, &length, left > 0 ? left : 0, err);
		if (next == HTTP_IDLE)
			return DOCKER_IDLE;
		if (next == HTTP_END)
			err_set(err, ERR_RETRY, "%s: the engine ended its event stream", docker->name);
		if (next != HTTP_LINE) {
			docker_lost(docker, err);
			return DOCKER_END;
		}
		if (length == 0)
			continue;
		if (!docker_event_parse(line, length, event, err)) {
			err_prefix(err, "%s", docker->name);
			return DOCKER_END;
		}
		/* the engine repeats the event of the very moment that it was asked from */
		if (event->action[0] != '\0' && strcmp(event->cursor, events->since) != 0)
			return DOCKER_EVENT;
	}
}

void docker_events_close(struct docker_events *events)
{
	if (events == NULL)
		return;
	http_stream_close(events->stream);
	free(events);
}
