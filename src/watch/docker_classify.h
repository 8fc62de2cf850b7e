/*
 * Why a container does not run: the pure decision. Each rule gives its reason where it stands.
 */
#ifndef WATCH_DOCKER_CLASSIFY_H
#define WATCH_DOCKER_CLASSIFY_H

#include <stdbool.h>

#include "client/docker.h"
#include "model/observation.h"

/* What was seen of a container's end. */
struct ending {
	bool stop_asked;      /* a kill event with a stop signal since its last start */
	bool died;            /* its die event was seen */
	bool oom;             /* an oom event since its last start */
	bool engine_lost;     /* it ran when the engine was lost, and did not after */
	bool all_stopped;     /* asked to stop by the engine itself, around its end or its start */
};

enum stop_cause docker_classify(const struct docker_container *container,
	const struct ending *ending);

/* A signal that asks for the end, as the engine's own restart policy sees it. stop_signal: the
 * container's own, "SIGQUIT" or "3"; "": none known. */
bool docker_is_stop_signal(int signal, const char *stop_signal);

#endif
