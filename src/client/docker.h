/*
 * Client of the Docker Engine API (and Podman's compatible socket), 1.41 to the newest: the version
 * is negotiated at the first call. Reached over a unix socket, TLS TCP, or ssh:// (the OpenSSH
 * client running "docker system dial-stdio" there). A handle belongs to one thread. Source: Docker
 * Engine API reference, v1.41 to v1.51.
 */
#ifndef CLIENT_DOCKER_H
#define CLIENT_DOCKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "model/config.h"

struct docker;

/* Never talks to the network. NULL: the URL makes no sense. */
struct docker *docker_open(const struct config_docker *config, int stop_fd, struct err *err);
void docker_close(struct docker *docker);

/* GET: the parsed body. ERR_GONE for 404, ERR_DENIED for 401/403, ERR_INPUT for 400 and bad JSON,
 * ERR_RETRY for 5xx, and what http_perform says. Texts carry the engine's own message. */
bool docker_get(struct docker *docker, const char *path, int64_t timeout_ms, struct arena *arena,
	struct json *body, struct err *err);
/* POST without body. *status (may be NULL) is 204 or 304 (already so) on success; on failure the
 * answer's, or 0 when there was none: then it may have been done. */
bool docker_post(struct docker *docker, const char *path, int64_t timeout_ms, int *status,
	struct err *err);

struct docker_version { char engine[32], api[16], name[64]; };
bool docker_version(struct docker *docker, struct docker_version *version, struct err *err);

/* What one container is, from GET /containers/ID/json. */
struct docker_container {
	char id[72], name[128], image[128];
	char status[24];         /* created running paused restarting removing exited dead */
	char health[24];         /* "" : no health check; starting healthy unhealthy */
	char error[240];         /* State.Error */
	char health_output[320]; /* of the last check */
	char policy[24];         /* "" no always unless-stopped on-failure */
	char stop_signal[16];
	int exit_code, restart_count, max_retries;
	bool oom_killed;
	int64_t created_at, started_at, finished_at; /* wall ms, 0 never */
	int64_t pid;
	struct json labels;
};
bool docker_inspect(struct docker *docker, const char *id, struct arena *arena,
	struct docker_container *container, struct err *err);

/* The last lines that a container wrote to stdout and stderr, ended by NUL, as they are: text of
 * strangers. Times are wall ms; 0: no such bound. ERR_INPUT: more than limit_bytes. */
struct docker_logs {
	int64_t since_ms, until_ms;
	int lines;
	size_t limit_bytes;
	int64_t timeout_ms;
};
bool docker_logs(struct docker *docker, const char *id, const struct docker_logs *which,
	struct arena *arena, char **text, struct err *err);
/* The stream of such an answer as text, in place: frames of 8 bytes of head, or a terminal's bytes
 * as they are. What is no text becomes a space. Returns its length. */
size_t docker_logs_plain(char *body, size_t length);

/* The event stream, of the container events that matter. since: "" or the engine's own
 * "seconds.nanoseconds". */
struct docker_event {
	char action[48];         /* start die kill oom stop restart pause unpause destroy create rename
	                            health_status */
	char id[72], name[128], image[128];
	char health[24];         /* of health_status */
	int exit_code;           /* of die; -1 otherwise */
	int signal;              /* of kill; 0 otherwise */
	int64_t at_ms;
	char cursor[40];         /* "seconds.nanoseconds" */
};
struct docker_events;
struct docker_events *docker_events_open(struct docker *docker, const char *since, struct err *err);
enum docker_next { DOCKER_EVENT, DOCKER_IDLE, DOCKER_END };
/* DOCKER_END: the stream ended, err says how. Lines that are no JSON: DOCKER_END with ERR_INPUT. */
enum docker_next docker_events_next(struct docker_events *events, int64_t timeout_ms,
	struct docker_event *event, struct err *err);
void docker_events_close(struct docker_events *events);
/* One line of the stream; for the fuzz target. */
bool docker_event_parse(const char *line, size_t length, struct docker_event *event,
	struct err *err);

#endif
