#include "cli/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/http.h"
#include "base/str.h"
#include "model/config.h"

/* Longer than the daemon waits for what it asks in its turn: backups, 25 s. */
#define TIMEOUT_MS 30000
/* A model may be slow. */
#define DIAGNOSE_MS 130000
#define LIMIT_BYTES ((size_t)64 << 20)
#define ROOT_SOCKET "/run/homeostat/control.sock"
#define PLACES 3

struct places {
	const char *path[PLACES];
	int count;
	bool named;       /* the first one is the configuration file's */
	const char *file; /* the configuration file */
};

static void add_place(struct places *places, const char *path)
{
	for (int i = 0; i < places->count; i++)
		if (strcmp(places->path[i], path) == 0)
			return;
	places->path[places->count++] = path;
}

/* Where to look. False: -c names a file that is wrong. */
static bool find_places(struct cli *cli, struct places *places)
{
	struct err err = {0};
	const char *file = cli->config_file != NULL ? cli->config_file : CLI_CONFIG_FILE;
	bool exists = cli->config_file != NULL || access(file, R_OK) == 0;
	struct config *config = exists ? config_load(file, &err) : NULL;
	*places = (struct places){.file = file};
	if (config != NULL && config->control != NULL) {
		places->named = true;
		add_place(places, arena_strdup(cli->arena, config->control));
	}
	config_free(config);
	/* A broken file at the usual place must not keep one from asking the daemon. */
	if (config == NULL && cli->config_file != NULL) {
		cli_fail(cli, CLI_USAGE, "%s", err.text);
		cli->misconfigured = true;
		return false;
	}
	add_place(places, ROOT_SOCKET);
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	if (runtime != NULL && runtime[0] == '/')
		add_place(places, arena_printf(cli->arena, "%s/homeostat/control.sock", runtime));
	return true;
}

/* Whether somebody listens there; else errno. */
static bool answers(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (!STR_SET(address.sun_path, path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool ok = fd >= 0 &&
		(connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN);
	int why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
	return ok;
}

static bool complain_of(struct cli *cli, const struct places *places, int denied)
{
	if (denied >= 0) {
		cli_fail(cli, CLI_FAILED,
			"permission denied on %s: only root and the user that homeostat "
			"runs as may use it; try `sudo homeostat %s`",
			places->path[denied], cli->command->name);
		return false;
	}
	struct str tried;
	str_init(&tried, cli->arena);
	for (int i = 0; i < places->count; i++)
		str_addf(&tried, "%s%s",
			i == 0                      ? ""
				: i + 1 < places->count ? ", "
										: " or ",
			places->path[i]);
	cli_fail(cli, CLI_FAILED,
		"homeostat is not running (no socket at %s): start it with "
		"`homeostat run -c %s`",
		tried.s, cli->config_file != NULL ? cli->config_file : "FILE");
	return false;
}

/* The socket to speak to; NULL: it has complained. An order meant for the daemon of one file never
 * goes to another daemon. */
static const char *choose(struct cli *cli, bool changes)
{
	struct places places;
	int denied = -1;
	if (!find_places(cli, &places))
		return NULL;
	if (changes && places.named && cli->config_file != NULL)
		places.count = 1;
	for (int i = 0; i < places.count; i++) {
		if (answers(places.path[i])) {
			if (i > 0 && places.named)
				fprintf(cli->complaints, "homeostat: nobody listens at %s of %s: asked %s\n",
					places.path[0], places.file, places.path[i]);
			return places.path[i];
		}
		if (errno == EACCES && denied < 0)
			denied = i;
	}
	complain_of(cli, &places, denied);
	return NULL;
}

bool control_call(const char *socket, const char *path, const char *post, struct arena *arena,
	struct http_reply *reply, struct err *err)
{
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	struct http_request request = {.method = post != NULL ? "POST" : "GET",
		.path = path,
		.body = post,
		.body_bytes = post != NULL ? strlen(post) : 0,
		.headers = post != NULL ? headers : NULL,
		.timeout_ms = strstr(path, "/diagnoses") != NULL ? DIAGNOSE_MS : TIMEOUT_MS,
		.limit_bytes = LIMIT_BYTES};
	struct http *http = http_open(&(struct http_config){
		.base_url = "http://homeostat", .unix_socket = socket, .stop_fd = -1, .name = "homeostat"});
	bool ok = http_perform(http, &request, arena, reply, err);
	http_close(http);
	return ok;
}

/* What a problem (RFC 9457) says. */
static void complain_of_problem(struct cli *cli, const char *body, int status)
{
	struct json root;
	struct err err = {0};
	const char *detail = NULL;
	if (json_parse(cli->arena, body, strlen(body), &root, &err)) {
		detail = json_str(json_get(root, "detail"), cli->arena);
		if (detail == NULL)
			detail = json_str(json_get(root, "title"), cli->arena);
	}
	if (detail != NULL)
		cli_fail(cli, CLI_FAILED, "%s", detail);
	else
		cli_fail(cli, CLI_FAILED, "the daemon answered with status %d and no reason", status);
}

static bool exchange(
	struct cli *cli, const char *path, const char *post, const char **body, struct json *root)
{
	struct err err = {0};
	struct http_reply reply = {0};
	const char *socket = choose(cli, post != NULL);
	if (socket == NULL)
		return false;
	if (!control_call(socket, path, post, cli->arena, &reply, &err)) {
		cli_fail(cli, CLI_FAILED, "%s", err.text);
		return false;
	}
	if (reply.status < 200 || reply.status > 299) {
		complain_of_problem(cli, reply.body, reply.status);
		return false;
	}
	if (body != NULL)
		*body = reply.body;
	if (root == NULL || json_parse(cli->arena, reply.body, reply.body_bytes, root, &err))
		return true;
	cli_fail(cli, CLI_FAILED, "the answer at %s makes no sense: %s: is another version running?",
		socket, err.text);
	return false;
}

bool control_get(struct cli *cli, const char *path, const char **body, struct json *root)
{
	return exchange(cli, path, NULL, body, root);
}

bool control_post(struct cli *cli, const char *path, const char *body, struct json *root)
{
	return exchange(cli, path, body, NULL, root);
}

int control_print(struct cli *cli, const char *body)
{
	size_t length = strlen(body);
	fputs(body, cli->out);
	if (length == 0 || body[length - 1] != '\n')
		fputc('\n', cli->out);
	return CLI_DONE;
}

int64_t control_time(struct json value)
{
	char text[40];
	int64_t at = json_int(value, 0);
	if (json_kind(value) != JSON_STRING || !json_copy(value, text, sizeof(text)))
		return at;
	int64_t parsed = str_parse_rfc3339(text);
	return parsed > 0 ? parsed : at;
}

struct json control_list(struct json root, const char *name)
{
	return json_kind(root) == JSON_ARRAY ? root : json_get(root, name);
}

const char *control_text(struct cli *cli, struct json object, const char *path)
{
	const char *text = json_str(json_path(object, path), cli->arena);
	return text != NULL ? text : "";
}
