/* What the files docker*.c share. */
#ifndef CLIENT_DOCKER_INTERNAL_H
#define CLIENT_DOCKER_INTERNAL_H

#include "base/http.h"
#include "client/docker.h"
#include "client/ssh.h"

struct docker {
	char name[80];             /* "docker local" */
	struct http *http;
	struct ssh *ssh;           /* or NULL */
	struct docker_version version; /* api "": not yet negotiated, or to be negotiated anew */
};

/* One exchange, under the negotiated version; what is no success is an error. */
bool docker_ask(struct docker *docker, struct http_request *request, struct arena *arena,
	struct http_reply *reply, struct err *err);
/* Negotiates the version when that has not been done, or when the engine may have changed. */
bool docker_negotiate(struct docker *docker, int64_t timeout_ms, struct err *err);
/* After a failed exchange: the next one negotiates anew, since another engine may answer it; and
 * where ssh has said why, that is the better text. Always returns false. */
bool docker_lost(struct docker *docker, struct err *err);

#endif
