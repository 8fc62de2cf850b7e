/*
 * Asking the running daemon: HTTP over its control socket. All complaints are made here; a caller
 * that gets false returns CLI_FAILED (cli_main makes it CLI_USAGE where that was the cause).
 */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include "base/http.h"
#include "cli/cli.h"

/* GET: the body, and parsed when root is not NULL. */
bool control_get(struct cli *cli, const char *path, const char **body, struct json *root);
/* POST of a JSON body. */
bool control_post(struct cli *cli, const char *path, const char *body, struct json *root);

/* The same without complaints, for one socket; post NULL: GET. Any status is an answer. */
bool control_call(const char *socket, const char *path, const char *post, struct arena *arena,
	struct http_reply *reply, struct err *err);

/* Prints what was asked for, as it came: for --json. */
int control_print(struct cli *cli, const char *body);

/* A time of the API: RFC 3339 or milliseconds. 0: none. */
int64_t control_time(struct json value);
/* A list of the API: an array itself, or the member of that name. */
struct json control_list(struct json root, const char *name);
/* A member as text in the call's arena, "" when there is none. */
const char *control_text(struct cli *cli, struct json object, const char *path);

#endif
