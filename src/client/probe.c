#include "client/probe.h"

#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/dial.h"
#include "base/http.h"
#include "base/spawn.h"
#include "base/str.h"

#define OUTPUT_BYTES ((size_t)8192)

/* "[::1]:443" or "host:443" taken apart. */
static void split(const char *place, char host[256], char port[8])
{
	const char *colon = strrchr(place, ':');
	size_t length = (size_t)(colon - place);
	bool bracket = place[0] == '[' && length > 2;
	str_format(host, 256, "%.*s", (int)(bracket ? length - 2 : length), place + (bracket ? 1 : 0));
	str_copy(port, 8, colon + 1);
}

static bool ask_tcp(
	const struct config_probe *probe, int stop_fd, struct probe_answer *answer, struct err *err)
{
	char host[256], port[8];
	split(probe->tcp, host, port);
	int fd = dial_tcp(&(struct dial){host, port, probe->timeout_ms, stop_fd}, err);
	if (fd < 0)
		return false;
	close(fd);
	STR_SET(answer->text, "accepts connections");
	return true;
}

static bool ask_tls(
	const struct config_probe *probe, int stop_fd, struct probe_answer *answer, struct err *err)
{
	char host[256], port[8];
	split(probe->tls_expiry, host, port);
	if (!http_tls_end(
			&(struct dial){host, port, probe->timeout_ms, stop_fd}, &answer->ends_ms, err))
		return false;
	STR_SET(answer->text, "speaks TLS");
	return true;
}

static bool ask_http(
	const struct config_probe *probe, int stop_fd, struct probe_answer *answer, struct err *err)
{
	char base[300];
	const char *host = strstr(probe->http, "://") + 3;
	const char *path = host + strcspn(host, "/?");
	auto_arena arena = arena_new((size_t)2 << 20);
	struct http_reply reply;
	STR_FORMAT(base, "%.*s", (int)(path - probe->http), probe->http);
	struct http *http = http_open(&(struct http_config){.base_url = base,
		.ca_file = probe->ca_file,
		.fingerprint = probe->fingerprint,
		.connect_timeout_ms = probe->timeout_ms,
		.stop_fd = stop_fd,
		.name = probe->name});
	const struct http_request request = {.method = "GET",
		.path = *path == '/' ? path : arena_printf(arena, "/%s", path),
		.timeout_ms = probe->timeout_ms,
		.limit_bytes = (size_t)1 << 20};
	bool ok = http_perform(http, &request, arena, &reply, err);
	http_close(http);
	if (!ok)
		return false;
	STR_FORMAT(answer->text, "HTTP %d", reply.status);
	return reply.status < 400 || err_set(err, ERR_RETRY, "it answers HTTP %d", reply.status);
}

static void last_line(const char *output, char *text, size_t size)
{
	size_t end = strlen(output);
	while (end > 0 && (unsigned char)output[end - 1] <= ' ')
		end--;
	size_t begin = end;
	while (begin > 0 && output[begin - 1] != '\n')
		begin--;
	str_format(text, size, "%.*s", (int)(end - begin), output + begin);
}

static bool run(const char *const *argv, int64_t timeout_ms, int stop_fd,
	struct probe_answer *answer, struct err *err)
{
	char line[160];
	auto_arena arena = arena_new((size_t)64 << 10);
	struct spawn_result result;
	const struct spawn_options options = {
		.timeout_ms = timeout_ms, .limit_bytes = OUTPUT_BYTES, .stop_fd = stop_fd};
	if (!spawn_run(argv, &options, arena, &result, err))
		return false;
	last_line(result.output, line, sizeof(line));
	STR_SET(answer->text, line[0] != '\0' ? line : "ended with 0");
	return result.exit_code == 0 ||
		err_set(err, ERR_RETRY, "%s ended with %d%s%s", argv[0], result.exit_code,
			line[0] != '\0' ? ": " : "", line);
}

static bool ask_ping(
	const struct config_probe *probe, int stop_fd, struct probe_answer *answer, struct err *err)
{
	char wait[8];
	const char *const argv[] = {"ping", "-n", "-q", "-c", "1", "-W", wait, "--", probe->ping, NULL};
	STR_FORMAT(wait, "%d", (int)(probe->timeout_ms / 1000) + 1);
	struct err why = {0};
	if (run(argv, probe->timeout_ms, stop_fd, answer, &why))
		return true;
	if (why.kind == ERR_CANCELLED || why.kind == ERR_SYSTEM)
		return err_set(err, why.kind, "%s", why.text);
	return err_set(err, ERR_TIMEOUT, "%s does not answer a ping", probe->ping);
}

bool probe_ask(
	const struct config_probe *probe, int stop_fd, struct probe_answer *answer, struct err *err)
{
	struct err why = {0};
	*answer = (struct probe_answer){0};
	answer->well = probe->http != NULL ? ask_http(probe, stop_fd, answer, &why)
		: probe->tcp != NULL           ? ask_tcp(probe, stop_fd, answer, &why)
		: probe->ping != NULL          ? ask_ping(probe, stop_fd, answer, &why)
		: probe->tls_expiry != NULL    ? ask_tls(probe, stop_fd, answer, &why)
									: run(probe->command, probe->timeout_ms, stop_fd, answer, &why);
	if (answer->well)
		return true;
	STR_SET(answer->text, why.text);
	return why.kind != ERR_CANCELLED || err_set(err, ERR_CANCELLED, "%s", why.text);
}
