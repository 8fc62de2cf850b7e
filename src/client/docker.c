#include "client/docker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_tls.h"
#include "base/str.h"
#include "client/docker_internal.h"

/* 1.41 came with Docker 20.10; 1.51 is the newest that this was written against. */
#define API_OLDEST 1041
#define API_NEWEST 1051
#define VERSION_LIMIT_BYTES ((size_t)1024 * 1024)
#define VERSION_TIMEOUT_MS 5000
#define BODY_LIMIT_BYTES ((size_t)32 * 1024 * 1024)

static bool is_loopback(const char *host)
{
	return str_starts(host, "127.") || str_starts(host, "localhost") || str_starts(host, "[::1]");
}

/* Fills the part of the HTTP configuration that the URL says. */
static bool read_url(struct docker *docker, const char *url, char *base, size_t size,
	struct http_config *http, struct err *err)
{
	str_copy(base, size, "http://localhost");
	http->base_url = base;
	if (str_starts(url, "unix:///")) {
		http->unix_socket = url + strlen("unix://");
		return true;
	}
	if (str_starts(url, "ssh://")) {
		docker->ssh = ssh_open(url, "docker system dial-stdio", err);
		http->dial = ssh_dial;
		http->dial_ctx = docker->ssh;
		return docker->ssh != NULL;
	}
	if (str_starts(url, "tcp://"))
		return err_set(err, ERR_INPUT,
			"%s: write https://%s, with ca_file: or fingerprint: (an "
			"engine reached without TLS gives root to everyone in the network)",
			url, url + 6);
	bool is_plain = str_starts(url, "http://");
	if (!is_plain && !str_starts(url, "https://"))
		return err_set(err, ERR_INPUT,
			"%s is not unix:///PATH, https://HOST:PORT or "
			"ssh://USER@HOST",
			url);
	if (is_plain && !is_loopback(url + strlen("http://")))
		return err_set(err, ERR_INPUT,
			"%s: an engine reached without TLS gives root to everyone "
			"in the network: use https:// or ssh://",
			url);
	if (!str_copy(base, size, url))
		return err_set(err, ERR_INPUT, "the URL is too long");
	for (size_t end = strlen(base); end > 8 && base[end - 1] == '/'; end--)
		base[end - 1] = '\0';
	return true;
}

struct docker *docker_open(const struct config_docker *config, int stop_fd, struct err *err)
{
	char base[512];
	struct http_tls tls = {0};
	struct http_config http = {.ca_file = config->ca_file,
		.cert_file = config->cert_file,
		.key_file = config->key_file,
		.fingerprint = config->fingerprint,
		.stop_fd = stop_fd};
	struct docker *docker = calloc(1, sizeof(*docker));
	if (docker == NULL)
		abort();
	STR_FORMAT(docker->name, "docker %s", config->name);
	http.name = docker->name;
	if (!read_url(docker, config->url, base, sizeof(base), &http, err) ||
		(http.fingerprint != NULL && !http_tls_pin(&tls, http.fingerprint, err))) {
		err_prefix(err, "%s", docker->name);
		docker_close(docker);
		return NULL;
	}
	docker->http = http_open(&http);
	return docker;
}

void docker_close(struct docker *docker)
{
	if (docker == NULL)
		return;
	http_close(docker->http);
	ssh_close(docker->ssh);
	free(docker);
}

bool docker_lost(struct docker *docker, struct err *err)
{
	char complaint[240];
	if (err == NULL || err->kind != ERR_RETRY)
		return false;
	docker->version.api[0] = '\0';
	if (docker->ssh == NULL || !ssh_complaint(docker->ssh, complaint, sizeof(complaint)))
		return false;
	return ssh_explain(docker->name, complaint, err);
}

static enum err_kind kind_of_status(int status)
{
	switch (status) {
	case 404:
		return ERR_GONE;
	case 401:
	case 403:
		return ERR_DENIED;
	case 409: /* in a state that passes: being removed, being started */
	case 429:
		return ERR_RETRY;
	default:
		return status >= 500 ? ERR_RETRY : ERR_INPUT;
	}
}

/* The engine says why as {"message": "…"}. */
static bool refused(struct docker *docker, const struct http_request *request,
	const struct http_reply *reply, struct arena *arena, struct err *err)
{
	char message[240] = "";
	struct json body;
	if (json_parse(arena, reply->body, reply->body_bytes, &body, NULL))
		json_copy(json_get(body, "message"), message, sizeof(message));
	if (message[0] == '\0')
		STR_SET(message, reply->body);
	for (char *c = message; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20)
			*c = ' ';
	/* an engine that was exchanged under us */
	if (reply->status == 400 && strstr(message, "client version") != NULL)
		docker->version.api[0] = '\0';
	return err_set(err, kind_of_status(reply->status), "%s: %s %s: %s (%d %s)", docker->name,
		request->method, request->path, message, reply->status, reply->reason);
}

static int api_number(const char *text)
{
	int major = 0, minor = 0;
	return sscanf(text, "%3d.%3d", &major, &minor) == 2 ? major * 1000 + minor : 0;
}

static bool choose_version(struct docker *docker, struct json body, struct err *err)
{
	struct docker_version version = {0};
	char newest[16], oldest[16];
	json_copy(json_get(body, "Version"), version.engine, sizeof(version.engine));
	json_copy(json_get(body, "ApiVersion"), newest, sizeof(newest));
	json_copy(json_get(body, "MinAPIVersion"), oldest, sizeof(oldest));
	if (!json_copy(json_path(body, "Platform.Name"), version.name, sizeof(version.name)) ||
		version.name[0] == '\0')
		json_copy(json_get(json_first(json_get(body, "Components")), "Name"), version.name,
			sizeof(version.name));
	int theirs = api_number(newest);
	if (theirs == 0)
		return err_set(err, ERR_INPUT,
			"%s: GET /version: the answer names no ApiVersion: is this "
			"a Docker engine?",
			docker->name);
	if (theirs < API_OLDEST)
		return err_set(err, ERR_INPUT,
			"%s: engine %s speaks API %s; homeostat needs 1.41 (Docker "
			"20.10) or newer: upgrade the engine",
			docker->name, version.engine, newest);
	if (api_number(oldest) > API_NEWEST)
		return err_set(err, ERR_INPUT,
			"%s: engine %s speaks API %s and newer only; homeostat "
			"knows 1.51 and older: upgrade homeostat",
			docker->name, version.engine, oldest);
	int chosen = theirs < API_NEWEST ? theirs : API_NEWEST;
	STR_FORMAT(version.api, "%d.%d", chosen / 1000, chosen % 1000);
	docker->version = version;
	return true;
}

bool docker_negotiate(struct docker *docker, int64_t timeout_ms, struct err *err)
{
	if (docker->version.api[0] != '\0')
		return true;
	auto_arena arena = arena_new(VERSION_LIMIT_BYTES * 4);
	struct http_request request = {.method = "GET",
		.path = "/version",
		.timeout_ms = timeout_ms,
		.limit_bytes = VERSION_LIMIT_BYTES};
	struct http_reply reply;
	struct json body;
	if (!http_perform(docker->http, &request, arena, &reply, err))
		return docker_lost(docker, err);
	if (reply.status != 200)
		return refused(docker, &request, &reply, arena, err);
	if (!json_parse(arena, reply.body, reply.body_bytes, &body, err))
		return err_prefix(err, "%s: GET /version", docker->name);
	return choose_version(docker, body, err);
}

bool docker_ask(struct docker *docker, struct http_request *request, struct arena *arena,
	struct http_reply *reply, struct err *err)
{
	if (!docker_negotiate(docker, request->timeout_ms, err))
		return false;
	char *path = NULL;
	if (asprintf(&path, "/v%s%s", docker->version.api, request->path) < 0)
		abort();
	request->path = path;
	if (request->limit_bytes == 0)
		request->limit_bytes = BODY_LIMIT_BYTES;
	bool ok = http_perform(docker->http, request, arena, reply, err);
	if (!ok)
		docker_lost(docker, err);
	else if (reply->status != 304 && (reply->status < 200 || reply->status > 299))
		ok = refused(docker, request, reply, arena, err);
	free(path);
	return ok;
}

bool docker_get(struct docker *docker, const char *path, int64_t timeout_ms, struct arena *arena,
	struct json *body, struct err *err)
{
	struct http_request request = {.method = "GET", .path = path, .timeout_ms = timeout_ms};
	struct http_reply reply;
	if (!docker_ask(docker, &request, arena, &reply, err))
		return false;
	if (json_parse(arena, reply.body, reply.body_bytes, body, err))
		return true;
	return err_prefix(err, "%s: GET %s", docker->name, path);
}

bool docker_post(
	struct docker *docker, const char *path, int64_t timeout_ms, int *status, struct err *err)
{
	auto_arena arena = arena_new((size_t)1024 * 1024);
	struct http_request request = {.method = "POST", .path = path, .timeout_ms = timeout_ms};
	struct http_reply reply = {0};
	bool ok = docker_ask(docker, &request, arena, &reply, err);
	if (status != NULL)
		*status = reply.status;
	return ok;
}

bool docker_version(struct docker *docker, struct docker_version *version, struct err *err)
{
	/* asked for, it is asked anew: this is also how a check finds out whether the engine answers */
	docker->version.api[0] = '\0';
	if (!docker_negotiate(docker, VERSION_TIMEOUT_MS, err))
		return false;
	*version = docker->version;
	return true;
}
