/* The proxmox section: clusters and single nodes, how they are reached and as whom. */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "model/config_keys.h"

/* One entry of the list while it is read. */
struct entry {
	struct config_reader *reader;
	const struct yaml *item;
	struct config_proxmox proxmox;
};

/* A mistake is where its key is, or where the entry begins. */
static int line_of(const struct entry *entry, const char *key)
{
	const struct yaml *value = yaml_find(entry->item, key);
	return value != NULL ? value->line : entry->item->line;
}

#define FAIL(entry, key, ...) \
	config_fail((entry)->reader, line_of(entry, key), "proxmox." key, __VA_ARGS__)

static bool check_host(const struct entry *entry)
{
	const char *url = entry->proxmox.url, *rest = strstr(url, "://") + strlen("://");
	const char *path = rest + strcspn(rest, "/?#");
	struct config_host host = config_host_read(rest);
	if (host.bad)
		return FAIL(entry, "url",
			"\"%.100s\" names no host as it should: write https://192.168.1.99:8006", url);
	if (host.user[0] != '\0')
		return FAIL(entry, "url",
			"holds a user: remove all up to the @: who logs in is said by token_id and "
			"token_secret");
	if (*path != '\0' && strcmp(path, "/") != 0)
		return FAIL(entry, "url",
			"\"%.100s\": remove what follows the host: homeostat adds the paths of the API", url);
	if (str_starts(url, "http://") && !config_host_is_loopback(host.host))
		return FAIL(entry, "url",
			"http:// to %.100s is refused: who listens on the way could take the token: write "
			"https://, with ca_file or fingerprint where no public authority signed the "
			"certificate",
			host.host);
	if (host.port[0] == '\0' && str_starts(url, "https://"))
		config_warn(entry->reader, line_of(entry, "url"), "proxmox.url",
			"names no port, so 443 is asked: Proxmox VE itself listens on 8006");
	return true;
}

static bool check_url(const struct entry *entry)
{
	const char *url = entry->proxmox.url;
	if (url == NULL)
		return FAIL(entry, "url", "is missing: write url: https://HOST:8006 of any node");
	if (str_starts(url, "https://") || str_starts(url, "http://"))
		return check_host(entry);
	if (strstr(url, "://") != NULL)
		return FAIL(entry, "url", "\"%.100s\": unknown scheme: use https://HOST:8006", url);
	return FAIL(entry, "url", "\"%.100s\" has no scheme: write https://%.100s%s", url, url,
		strchr(url, ':') == NULL ? ":8006" : "");
}

/* A realm's or a token's name, as PVE allows it: a letter, then at least one more of these. */
static bool is_word(const char *text, size_t length)
{
	bool good = length >= 2 && isalpha((unsigned char)text[0]);
	for (size_t i = 1; i < length && good; i++)
		good = isalnum((unsigned char)text[i]) || strchr("._-", text[i]) != NULL;
	return good;
}

/* USER@REALM up to end. A user's name may hold an @ itself. */
static bool is_user(const char *text, const char *end)
{
	const char *at = memrchr(text, '@', (size_t)(end - text));
	if (at == NULL || at == text)
		return false;
	for (const char *c = text; c < at; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7F || strchr(":/!", *c) != NULL)
			return false;
	return is_word(at + 1, (size_t)(end - at - 1));
}

static bool check_token(const struct entry *entry)
{
	const char *id = entry->proxmox.token_id, *mark = strrchr(id, '!');
	if (mark == NULL && is_user(id, id + strlen(id)))
		return FAIL(entry, "token_id",
			"\"%.100s\" is a user: add ! and the token's name, as %.60s!agent, or write it as "
			"user: with password:",
			id, id);
	if (mark == NULL || !is_user(id, mark) || !is_word(mark + 1, strlen(mark + 1)))
		return FAIL(entry, "token_id",
			"\"%.100s\" is not USER@REALM!NAME: write it as pveum shows it, as "
			"homeostat@pve!agent",
			id);
	return entry->proxmox.token_secret != NULL ||
		FAIL(entry, "token_id",
			"token_secret is missing: keep it by: homeostat secret set proxmox, and write "
			"token_secret: secret:proxmox");
}

static bool check_user(const struct entry *entry)
{
	const char *user = entry->proxmox.user;
	if (!is_user(user, user + strlen(user)))
		return FAIL(entry, "user",
			"\"%.100s\" is not USER@REALM: write it as homeostat@pve, or root@pam", user);
	return entry->proxmox.password != NULL ||
		FAIL(entry, "user",
			"password is missing: keep it by: homeostat secret set proxmox, and write password: "
			"secret:proxmox");
}

static bool check_login(const struct entry *entry)
{
	const struct config_proxmox *proxmox = &entry->proxmox;
	if (proxmox->token_id != NULL && proxmox->user != NULL)
		return FAIL(entry, "user",
			"is given beside token_id: there is one way to log in: remove user and password");
	if (proxmox->user != NULL && proxmox->token_secret != NULL)
		return FAIL(entry, "token_secret", "is of no use beside user: remove it");
	if (proxmox->token_id == NULL && proxmox->token_secret != NULL)
		return FAIL(entry, "token_secret",
			"token_id is missing: write token_id: USER@REALM!NAME, as homeostat@pve!agent");
	if (proxmox->user == NULL && proxmox->password != NULL)
		return FAIL(entry, "password", "%s",
			proxmox->token_id != NULL
				? "is of no use beside token_id: remove it"
				: "user is missing: write user: USER@REALM, as homeostat@pve");
	if (proxmox->token_id != NULL)
		return check_token(entry);
	if (proxmox->user != NULL)
		return check_user(entry);
	return FAIL(entry, "token_id",
		"is missing: make a token (pveum user token add homeostat@pve agent) and write token_id: "
		"homeostat@pve!agent and token_secret: secret:proxmox");
}

static bool check_tls(const struct entry *entry)
{
	const struct config_proxmox *proxmox = &entry->proxmox;
	bool plain = str_starts(proxmox->url, "http://");
	if (proxmox->fingerprint != NULL && !config_is_fingerprint(proxmox->fingerprint))
		return FAIL(entry, "fingerprint",
			"is no SHA-256 fingerprint: 32 pairs of hexadecimal digits, as shown by: pvenode cert "
			"info");
	if (plain && proxmox->ca_file != NULL)
		return FAIL(entry, "ca_file", "is for https:// only: remove it, or change url");
	if (plain && proxmox->fingerprint != NULL)
		return FAIL(entry, "fingerprint", "is for https:// only: remove it, or change url");
	return true;
}

static bool check_ssh(const struct entry *entry)
{
	const char *ssh = entry->proxmox.ssh;
	if (ssh == NULL)
		return true;
	const char *rest = str_starts(ssh, "ssh://") ? ssh + strlen("ssh://") : ssh;
	struct config_host host = config_host_read(rest);
	if (host.has_password)
		return FAIL(
			entry, "ssh", "takes no password: use a key that the ssh client finds by itself");
	return (!host.bad && rest[strcspn(rest, "/?#")] == '\0') ||
		FAIL(entry, "ssh", "\"%.100s\" names no host as it should: write root@192.168.1.99", ssh);
}

static bool check_unique(const struct entry *entry)
{
	const struct config *config = entry->reader->config;
	for (int i = 0; i < config->proxmox_count; i++) {
		const struct config_proxmox *other = &config->proxmox[i];
		if (strcmp(other->name, entry->proxmox.name) == 0)
			return FAIL(entry, "name",
				"\"%s\" is already the name of the source in line %d: give each source its own",
				other->name, other->line);
		if (strcasecmp(other->url, entry->proxmox.url) == 0)
			return FAIL(entry, "url",
				"is already watched as \"%s\" in line %d: one node of a cluster shows all of it",
				other->name, other->line);
	}
	return true;
}

static bool read_entry(struct entry *entry)
{
	entry->proxmox = (struct config_proxmox){
		.line = entry->item->line, .state = entry->reader->config->state};
	if (entry->item->kind != YAML_MAP)
		return config_fail(entry->reader, entry->item->line, "proxmox",
			"each cluster is a section: write \"- name: pve\" and below it \"url: …\"");
	return config_read_map(entry->reader, entry->item, "proxmox.", &entry->proxmox) &&
		check_url(entry) && check_tls(entry) && check_login(entry) && check_ssh(entry) &&
		check_unique(entry);
}

bool config_read_proxmox(struct config_reader *reader, const struct yaml *list)
{
	struct config *config = reader->config;
	if (list->kind != YAML_LIST)
		return config_fail(
			reader, list->line, "proxmox", "must be a list: begin each cluster by \"- name: pve\"");
	config->proxmox = ARENA_ARRAY(reader->arena, struct config_proxmox, CONFIG_SOURCES_MAX);
	for (const struct yaml *item = list->children; item != NULL; item = item->next) {
		struct entry entry = {.reader = reader, .item = item};
		if (config->proxmox_count == CONFIG_SOURCES_MAX)
			return config_fail(
				reader, item->line, "proxmox", "more than %d clusters", CONFIG_SOURCES_MAX);
		if (!read_entry(&entry))
			return false;
		config->proxmox[config->proxmox_count++] = entry.proxmox;
	}
	return true;
}
