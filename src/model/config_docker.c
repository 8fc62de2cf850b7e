/* The docker section: engines and how they are reached. */
#include <string.h>

#include "base/str.h"
#include "model/config_keys.h"

static bool check_host(struct config_reader *reader, const struct config_docker *docker)
{
	const char *rest = strstr(docker->url, "://") + strlen("://");
	struct config_host host = config_host_read(rest);
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
	if (plain && !config_host_is_loopback(host.host))
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
	if (docker->fingerprint != NULL && !config_is_fingerprint(docker->fingerprint))
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

/* That the guests which engines run in are of a cluster that is watched. */
bool config_docker_homes(struct config_reader *reader)
{
	struct config *config = reader->config;
	for (int i = 0; i < config->docker_count; i++) {
		struct config_docker *docker = &config->docker[i];
		int found = 0;
		for (int n = 0; n < config->proxmox_count; n++)
			found += docker->cluster == NULL || str_equal(docker->cluster, config->proxmox[n].name);
		if (docker->guest == 0 && docker->cluster != NULL)
			return config_fail(reader, docker->line, "docker.cluster",
				"says of which cluster the guest is, and guest: is missing: write guest: 104");
		if (docker->guest == 0 || found == 1)
			continue;
		if (docker->cluster != NULL)
			return config_fail(reader, docker->line, "docker.cluster",
				"\"%.60s\" is no name of a proxmox section", docker->cluster);
		return config_fail(reader, docker->line, "docker.guest",
			config->proxmox_count == 0
				? "no proxmox: section is there whose guest it could be: add it, or remove guest:"
				: "there are several proxmox sections: write cluster: and the name of the guest's");
	}
	return true;
}
