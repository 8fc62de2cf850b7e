/* The notify section: other ways to people than Telegram. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "model/config_keys.h"

#define TO_MAX 8
#define NAME_BYTES 15
#define ALL_EVENTS ((1u << NOTIFY_EVENTS) - 1)
#define CHATTER (1u << TELL_DETECTION | 1u << TELL_ACTION | 1u << TELL_DELAY)

/* What each kind is configured by. */
static const struct kind {
	const char *name;
	bool needs_token, secret_url, has_path, is_mail, has_room, has_buttons;
	const char *example;
} kinds[NOTIFY_TYPES] = {
	[NOTIFY_NTFY] = {"ntfy", .has_path = true, .has_buttons = true,
		.example = "https://ntfy.sh/TOPIC"},
	[NOTIFY_GOTIFY] = {"gotify", .needs_token = true, .example = "https://gotify.example"},
	[NOTIFY_DISCORD] = {"discord", .secret_url = true, .has_path = true,
		.example = "secret:discord"},
	[NOTIFY_SLACK] = {"slack", .secret_url = true, .has_path = true, .example = "secret:slack"},
	[NOTIFY_MATRIX] = {"matrix", .needs_token = true, .has_room = true,
		.example = "https://matrix.example"},
	[NOTIFY_WEBHOOK] = {"webhook", .example = "https://n8n.example/webhook/homeostat"},
	[NOTIFY_SMTP] = {"smtp", .is_mail = true, .example = "smtp://mail.example:587"},
};

static const char *const events[NOTIFY_EVENTS] = {
	[TELL_APPROVAL] = "approval",
	[TELL_ESCALATION] = "escalation",
	[TELL_RESULT] = "result",
	[TELL_END] = "end",
	[TELL_STORM] = "storm",
	[TELL_SOURCE] = "source",
	[TELL_HEALING] = "healing",
	[TELL_TROUBLE] = "trouble",
	[TELL_RUN] = "run",
	[TELL_DETECTION] = "detection",
	[TELL_ACTION] = "action",
	[TELL_DELAY] = "delay",
};

const char *notify_type_name(enum notify_type type)
{
	return kinds[type].name;
}

const char *notify_event_name(enum notify_event event)
{
	return events[event];
}

/* One entry of the list being read. */
struct entry {
	struct config_reader *reader;
	const struct yaml *map;
	struct config_notify *notify;
	const struct kind *kind;
};

#define FAIL(entry, key, ...) \
	config_fail((entry)->reader, line_of(entry, key), "notify." key, __VA_ARGS__)

static int line_of(const struct entry *entry, const char *key)
{
	const struct yaml *value = yaml_find(entry->map, key);
	return value != NULL ? value->line : entry->map->line;
}

static bool is_reference(const char *text)
{
	return str_starts(text, "secret:") || str_starts(text, "env:");
}

static bool read_type(struct entry *entry)
{
	struct config_notify *notify = entry->notify;
	if (notify->type_name == NULL)
		return FAIL(entry, "type",
			"is missing: write one of ntfy, gotify, discord, slack, matrix, "
			"webhook, smtp");
	for (int i = 0; i < NOTIFY_TYPES; i++) {
		if (strcmp(kinds[i].name, notify->type_name) != 0)
			continue;
		notify->type = (enum notify_type)i;
		entry->kind = &kinds[i];
		return true;
	}
	return FAIL(entry, "type",
		"\"%.60s\": write one of ntfy, gotify, discord, slack, matrix, webhook, smtp",
		notify->type_name);
}

static bool read_name(struct entry *entry)
{
	struct config_notify *notify = entry->notify;
	const struct config *config = entry->reader->config;
	if (notify->name == NULL)
		notify->name = notify->type_name;
	if (strlen(notify->name) > NAME_BYTES)
		return FAIL(entry, "name", "\"%s\": at most %d characters", notify->name, NAME_BYTES);
	for (int i = 0; i < config->notify_count; i++)
		if (strcmp(config->notify[i].name, notify->name) == 0)
			return FAIL(
				entry, "name", "\"%s\" is the name of another: give each its own", notify->name);
	STR_FORMAT(notify->channel, "%s:%s", notify->type_name, notify->name);
	return true;
}

static bool read_severity(struct entry *entry)
{
	struct config_notify *notify = entry->notify;
	for (int i = SEVERITY_HEALTHY; i <= SEVERITY_CRITICAL; i++) {
		if (strcasecmp(severity_name((enum severity)i), notify->severity_name) != 0)
			continue;
		notify->min_severity = (enum severity)i;
		return true;
	}
	return FAIL(entry, "min_severity", "\"%.60s\": write healthy, degraded, unhealthy or critical",
		notify->severity_name);
}

static bool read_events(struct entry *entry)
{
	const struct yaml *list = yaml_find(entry->map, "events");
	entry->notify->events = ALL_EVENTS & ~CHATTER;
	if (list == NULL)
		return true;
	if (list->kind != YAML_LIST || list->children == NULL)
		return FAIL(entry, "events", "must be a list: write it as [approval, escalation]");
	entry->notify->events = 0;
	for (const struct yaml *item = list->children; item != NULL; item = item->next) {
		int i = 0;
		while (
			i < NOTIFY_EVENTS && (item->kind != YAML_SCALAR || strcmp(events[i], item->text) != 0))
			i++;
		if (i == NOTIFY_EVENTS)
			return FAIL(entry, "events",
				"\"%.40s\" is none: approval, escalation, result, end, storm, source, healing, "
				"trouble, run, detection, action, delay",
				item->kind == YAML_SCALAR ? item->text : "a section");
		entry->notify->events |= 1u << i;
	}
	return true;
}

static bool is_this_machine(const char *url, struct config_host *host)
{
	*host = config_host_read(strstr(url, "://") + 3);
	return !host->bad && config_host_is_loopback(host->host);
}

/* Whether an address that is not kept as a secret is one of this kind. */
static bool check_url(struct entry *entry, const char *url)
{
	const struct kind *kind = entry->kind;
	struct config_host host;
	bool tls = str_starts(url, kind->is_mail ? "smtps://" : "https://");
	if (!tls && !str_starts(url, kind->is_mail ? "smtp://" : "http://"))
		return FAIL(entry, "url", "\"%.100s\": write it as %s", url, kind->example);
	bool is_local = is_this_machine(url, &host);
	if (host.bad || host.host[0] == '\0' || strlen(url) > 1000)
		return FAIL(entry, "url", "names no host as it should: write it as %s", kind->example);
	if (host.user[0] != '\0')
		return FAIL(entry, "url", "takes neither user nor password: give them as user and token");
	if (!tls && !is_local && !kind->is_mail)
		return FAIL(entry, "url",
			"http:// is refused: what is told and the token could be read on the way: write "
			"https://, or run the server on this machine");
	const char *path = strchr(strstr(url, "://") + 3, '/');
	if (kind->has_path && (path == NULL || path[1] == '\0'))
		return FAIL(entry, "url", "lacks what comes after the host: write it as %s", kind->example);
	return true;
}

/* Discord's and Slack's addresses are all that is needed to write there. */
static bool check_secret_url(struct entry *entry)
{
	struct config_reader *reader = entry->reader;
	if (!entry->kind->secret_url)
		return true;
	if (!reader->is_private)
		return FAIL(entry, "url",
			"is a secret in clear text, and others can read this file: chmod 600 %s, or better "
			"keep "
			"it by: homeostat secret set %s, and write secret:%s",
			reader->name, entry->notify->name, entry->notify->name);
	config_warn(reader, line_of(entry, "url"), "notify.url",
		"is in clear text: keep it by: homeostat secret set %s, and write secret:%s",
		entry->notify->name, entry->notify->name);
	return true;
}

static bool read_url(struct entry *entry)
{
	const char *url = entry->notify->url;
	if (url == NULL)
		return FAIL(entry, "url", "is missing: write it as %s", entry->kind->example);
	return is_reference(url) || (check_url(entry, url) && check_secret_url(entry));
}

static bool is_address(const char *text)
{
	const char *at = strchr(text, '@');
	if (at == NULL || at == text || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
		strlen(text) > 200)
		return false;
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c > 0x7E || strchr("<>,;:\"\\()[]", *c))
			return false;
	return true;
}

static bool read_to(struct entry *entry)
{
	const struct yaml *list = yaml_find(entry->map, "to");
	const char **to = ARENA_ARRAY(entry->reader->arena, const char *, TO_MAX + 1);
	int count = 0;
	if (list == NULL || list->kind != YAML_LIST || list->children == NULL)
		return FAIL(entry, "to", "must be a list of addresses: write it as [me@example.org]");
	for (const struct yaml *item = list->children; item != NULL; item = item->next) {
		if (count == TO_MAX)
			return FAIL(entry, "to", "more than %d addresses", TO_MAX);
		if (item->kind != YAML_SCALAR || !is_address(item->text))
			return FAIL(entry, "to", "\"%.60s\" is no address: write it as me@example.org",
				item->kind == YAML_SCALAR ? item->text : "a section");
		to[count++] = item->text;
	}
	entry->notify->to = to;
	return true;
}

static bool check_mail(struct entry *entry)
{
	const struct config_notify *notify = entry->notify;
	if (!entry->kind->is_mail) {
		if (notify->user != NULL || notify->from != NULL || yaml_find(entry->map, "to") != NULL)
			return FAIL(entry, "from", "user, from and to are for smtp only: remove them");
		return true;
	}
	if (notify->from == NULL || !is_address(notify->from))
		return FAIL(entry, "from", "must be an address, as homeostat@example.org");
	if ((notify->user != NULL) != (notify->token != NULL))
		return FAIL(entry, "user", "user and token (its password) come together");
	return read_to(entry);
}

static bool check_room(struct entry *entry)
{
	const char *room = entry->notify->room;
	if (!entry->kind->has_room)
		return room == NULL || FAIL(entry, "room", "is for matrix only: remove it");
	return (room != NULL && room[0] == '!' && strlen(room) < 256) ||
		FAIL(entry, "room",
			"must be a room's id, as \"!abc:example.org\": Element shows it in the room's "
			"settings");
}

static bool check_public_url(struct entry *entry)
{
	const char *url = entry->reader->config->public_url;
	struct config_host host;
	if (url == NULL)
		return FAIL(entry, "approve",
			"needs public_url: the address at which the phone reaches homeostat, as "
			"https://homeostat.example");
	bool tls = str_starts(url, "https://");
	bool good = (tls || str_starts(url, "http://")) && strlen(url) < 200 &&
		(is_this_machine(url, &host) || tls) && !host.bad && host.user[0] == '\0' &&
		strpbrk(url, "?# ") == NULL;
	return good ||
		config_fail(entry->reader, entry->map->line, "public_url",
			"\"%.100s\": write https://HOST without user, ? and #: what approves must not be read "
			"on "
			"the way",
			url);
}

static bool read_approve(struct entry *entry)
{
	struct config_notify *notify = entry->notify;
	if (strcmp(notify->approve_name, "none") == 0)
		return true;
	if (!risk_parse(notify->approve_name, &notify->approve_risk))
		return FAIL(
			entry, "approve", "\"%.60s\": write none, low, medium or high", notify->approve_name);
	if (!entry->kind->has_buttons)
		return FAIL(entry, "approve", "only ntfy has buttons: remove it");
	if (strcmp(entry->reader->config->listen, "none") == 0)
		return FAIL(entry, "approve", "needs listen: nothing would hear the button");
	if (notify->approve_risk == RISK_HIGH && entry->reader->config->brakes.two_persons)
		return FAIL(entry, "approve",
			"high does not go with brakes.two_persons: who presses a button there, nobody can "
			"tell: write medium");
	notify->approves = true;
	return check_public_url(entry);
}

static bool read_entry(
	struct config_reader *reader, const struct yaml *map, struct config_notify *notify, int number)
{
	struct entry entry = {
		.reader = reader, .map = map, .notify = notify, .kind = &kinds[NOTIFY_NTFY]};
	if (map->kind != YAML_MAP)
		return config_fail(reader, map->line, "notify",
			"entry %d: each is a section: type: ntfy and url: https://ntfy.sh/TOPIC", number);
	notify->line = map->line;
	if (!config_read_map(reader, map, "notify.", notify) || !read_type(&entry) ||
		!read_name(&entry))
		return false;
	if (entry.kind->needs_token && notify->token == NULL)
		return FAIL(&entry, "token", "is missing: homeostat secret set %s, and write secret:%s",
			notify->name, notify->name);
	if (entry.kind->secret_url && notify->token != NULL)
		return FAIL(&entry, "token", "is not needed: the address says it all: remove it");
	return read_severity(&entry) && read_events(&entry) && read_url(&entry) && check_mail(&entry) &&
		check_room(&entry) && read_approve(&entry);
}

bool config_read_notify(struct config_reader *reader, const struct yaml *list)
{
	struct config *config = reader->config;
	int count = 0;
	if (list->kind != YAML_LIST)
		return config_fail(
			reader, list->line, "notify", "must be a list: begin each entry by \"- type: ntfy\"");
	for (const struct yaml *item = list->children; item != NULL; item = item->next)
		count++;
	if (count > CONFIG_NOTIFY_MAX)
		return config_fail(reader, list->line, "notify", "too many: at most %d", CONFIG_NOTIFY_MAX);
	config->notify = ARENA_ARRAY(reader->arena, struct config_notify, (size_t)count + 1);
	for (const struct yaml *item = list->children; item != NULL; item = item->next) {
		int i = config->notify_count;
		if (!read_entry(reader, item, &config->notify[i], i + 1))
			return false;
		config->notify_count++;
	}
	return true;
}
