/* The docker section: engines and how they are reached. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/config_keys.h"

/* "user:password@host:port" taken apart; empty where there is none. */
struct authority {
	char user[128], host[256], port[8];
	bool has_password, bad;
};

static void part(char *field, size_t size, const char *start, const char *end, bool *bad)
{
	size_t length = (size_t)(end - start);
	*bad = *bad || length >= size;
	str_format(field, size, "%.*s", (int)length, start);
}

static void read_host(const char *start, const char *end, struct authority *out)
{
	const char *colon = memchr(start, ':', (size_t)(end - start));
	if (*start == '[') {
		const char *bracket = memchr(start, ']', (size_t)(end - start));
		out->bad = out->bad || bracket == NULL || (bracket + 1 < end && bracket[1] != ':');
		colon = bracket != NULL && bracket + 1 < end ? bracket + 1 : NULL;
	}
	part(out->host, sizeof(out->host), start, colon != NULL ? colon : end, &out->bad);
	if (colon == NULL)
		return;
	part(out->port, sizeof(out->port), colon + 1, end, &out->bad);
	long port = strtol(out->port, NULL, 10);
	out->bad = out->bad || out->port[0] == '\0' || port < 1 || port > 65535 ||
		strspn(out->port, "0123456789") != strlen(out->port);
}

/* A host or user that begins with a dash would be an option to the programs it is given to. */
static bool is_sane(const char *text, const char *marks)
{
	if (*text == '-')
		return false;
	for (; *text != '\0'; text++)
		if (!isalnum((unsigned char)*text) && strchr(marks, *text) == NULL)
			return false;
	return true;
}

/* text: what follows "://". */
static struct authority read_authority(const char *text)
{
	struct authority out = {0};
	const char *end = text + strcspn(text, "/?#");
	const char *at = memrchr(text, '@', (size_t)(end - text));
	const char *host = at != NULL ? at + 1 : text;
	if (at != NULL) {
		const char *colon = memchr(text, ':', (size_t)(at - text));
		out.has_password = colon != NULL;
		part(out.user, sizeof(out.user), text, colon != NULL ? colon : at, &out.bad);
		out.bad = out.bad || out.user[0] == '\0';
	}
	read_host(host, end, &out);
	out.bad = out.bad || out.host[0] == '\0' || !is_sane(out.host, ".-_[]:%") ||
		!is_sane(out.user, "._-+$%");
	return out;
}

static bool is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
		(str_starts(host, "127.") && strspn(host, "0123456789.") == strlen(host));
}

static bool check_host(struct config_reader *reader, const struct config_docker *docker)
{
	const char *rest = strstr(docker->url, "://") + strlen("://");
	struct authority host = read_authority(rest);
	bool plain = str_starts(docker->url, "http://"), ssh = str_starts(docker->url, "ssh://");
	const char *path = rest + strcspn(rest, "/?#");
	if (host.bad)
		return config_fail(reader, docker->line, "docker.url",
			"\"%.100s\" names no host as it should: write %s", docker->url,
			ssh ? "ssh://user@host or ssh://user@host:port" : "https://host:2376");
	if (*path != '\0' && strcmp(path, "/") != 0)
		return config_fail(reader, docker->line, "docker.url",
			"\"%.100s\": remove what follows the host: homeostat adds the paths of the API",
			docker->url);
	if (plain && !is_loopback(host.host))
		return config_fail(reader, docker->line, "docker.url",
			"http:// to %.100s is refused: whoever can reach a Docker API without TLS owns its "
			"host: "
			"use https:// with ca_file, cert_file and key_file, or ssh://user@host",
			host.host);
	if (host.has_password && ssh)
		return config_fail(reader, docker->line, "docker.url",
			"ssh:// takes no password: use a key that the ssh client finds by itself");
	if (host.has_password && !reader->is_private)
		return config_fail(reader, docker->line, "docker.url",
			"holds a password in clear text, and others can read this file: chmod 600 %s, or "
			"better a "
			"client certificate (cert_file, key_file)",
			reader->name);
	if (host.has_password)
		config_warn(reader, docker->line, "docker.url",
			"holds a password in clear text: a client certificate (cert_file, key_file) is safer");
	return true;
}

static bool check_url(struct config_reader *reader, const struct config_docker *docker)
{
	const char *url = docker->url;
	if (str_starts(url, "unix://")) {
		size_t length = strlen(url + strlen("unix://"));
		return (url[strlen("unix://")] == '/' && length > 1 && length <= 107) ||
			config_fail(reader, docker->line, "docker.url",
				"\"%.120s\": write unix:// and the socket's whole path (at most 107 bytes), as "
				"unix:///var/run/docker.sock",
				url);
	}
	if (str_starts(url, "https://") || str_starts(url, "http://") || str_starts(url, "ssh://"))
		return check_host(reader, docker);
	if (str_starts(url, "tcp://"))
		return config_fail(reader, docker->line, "docker.url",
			"\"%.100s\": write https://%.100s (with TLS), or ssh://user@host", url,
			url + strlen("tcp://"));
	if (strstr(url, "://") != NULL)
		return config_fail(reader, docker->line, "docker.url",
			"\"%.100s\": unknown scheme: use unix://, https:// or ssh://", url);
	return config_fail(reader, docker->line, "docker.url", "\"%.100s\" has no scheme: write %s",
		url,
		url[0] == '/' ? "unix:// in front of the path, as unix:///var/run/docker.sock"
					  : "unix:///path, https://host:2376 or ssh://user@host");
}

/* 32 pairs of hexadecimal digits, with colons or without. */
static bool is_fingerprint(const char *text)
{
	int digits = 0;
	if (str_starts(text, "SHA256:") || str_starts(text, "sha256:"))
		text += strlen("SHA256:");
	for (; *text != '\0'; text++) {
		if (*text == ':' && digits % 2 == 0 && digits > 0 && digits < 64)
			continue;
		if (!isxdigit((unsigned char)*text))
			return false;
		digits++;
	}
	return digits == 64;
}

static bool check_tls(struct config_reader *reader, const struct config_docker *docker)
{
	bool https = str_starts(docker->url, "https://");
	const char *used = docker->ca_file != NULL ? "ca_file"
		: docker->cert_file != NULL            ? "cert_file"
		: docker->key_file != NULL             ? "key_file"
		: docker->fingerprint != NULL          ? "fingerprint"
											   : NULL;
	if (used != NULL && !https)
		return config_fail(reader, docker->line, "docker",
			"%s is for https:// only: remove it, or change url", used);
	if ((docker->cert_file == NULL) != (docker->key_file == NULL))
		return config_fail(reader, docker->line, "docker",
			"%s is missing: cert_file and key_file go "
			"together",
			docker->cert_file == NULL ? "cert_file" : "key_file");
	if (docker->fingerprint != NULL && !is_fingerprint(docker->fingerprint))
		return config_fail(reader, docker->line, "docker.fingerprint",
			"is no SHA-256 fingerprint: 32 pairs of hexadecimal digits, as shown by: openssl x509 "
			"-noout -fingerprint -sha256 -in FILE");
	return true;
}

static bool check_unique(struct config_reader *reader, const struct config_docker *docker)
{
	const struct config *config = reader->config;
	for (int i = 0; i < config->docker_count; i++)
		if (strcmp(config->docker[i].name, docker->name) == 0)
			return config_fail(reader, docker->line, "docker.name",
				"\"%s\" is already the name of the source in line %d: give each source its own",
				docker->name, config->docker[i].line);
	return true;
}

bool config_read_docker(struct config_reader *reader, const struct yaml *list)
{
	struct config *config = reader->config;
	if (list->kind != YAML_LIST)
		return config_fail(
			reader, list->line, "docker", "must be a list: begin each engine by \"- name: local\"");
	config->docker = ARENA_ARRAY(reader->arena, struct config_docker, CONFIG_SOURCES_MAX);
	for (const struct yaml *item = list->children; item != NULL; item = item->next) {
		struct config_docker docker = {.line = item->line};
		if (config->docker_count == CONFIG_SOURCES_MAX)
			return config_fail(
				reader, item->line, "docker", "more than %d engines", CONFIG_SOURCES_MAX);
		if (item->kind != YAML_MAP)
			return config_fail(reader, item->line, "docker",
				"each engine is a section: write \"- "
				"name: local\" and below it \"url: …\"");
		if (!config_read_map(reader, item, "docker.", &docker) || !check_url(reader, &docker) ||
			!check_tls(reader, &docker) || !check_unique(reader, &docker))
			return false;
		config->docker[config->docker_count++] = docker;
	}
	return true;
}
