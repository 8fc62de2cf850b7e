#include "model/config_keys.h"

#include <string.h>

#include "base/str.h"

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)

/* Telegram's numbers have at most 52 bits. */
#define MOST INT64_C(4503599627370495)

#define AT(type, field) offsetof(struct type, field)
#define CHECK(...) \
	&(const struct config_check) \
	{ \
		__VA_ARGS__ \
	}
#define PLAIN(type, offset) CHECK(type, offset, 0, 0, 0)
#define PHONE(field) AT(config_telegram, field)
#define TELL(field) AT(config_notify, field)
#define SECTION CHECK(TYPE_SECTION, 0, 0, 0, 0)
#define BRAKE(field) AT(config_brakes, field)
#define LIMIT(field) AT(config_thresholds, field)
#define SHARE(field) CHECK(TYPE_COUNT, LIMIT(field), 0, 1, 100)

/* Sections that a later version will read: known, so that nobody takes silence for protection. */
static const char *const later[] = {
	"store",
	NULL,
};

static bool is_later(const char *prefix, const char *key)
{
	for (int i = 0; prefix[0] == '\0' && later[i] != NULL; i++)
		if (strcmp(later[i], key) == 0)
			return true;
	return false;
}

/* The key's own name in the section of prefix, or NULL. */
static const char *name_in(const struct config_key *key, const char *prefix)
{
	const char *name = key->path + strlen(prefix);
	return str_starts(key->path, prefix) && strchr(name, '.') == NULL ? name : NULL;
}

static const struct config_key *find(const char *prefix, const char *name)
{
	int count;
	const struct config_key *keys = config_keys(&count);
	for (int i = 0; i < count; i++)
		if (str_equal(name_in(&keys[i], prefix), name))
			return &keys[i];
	return NULL;
}

static bool unknown(struct config_reader *reader, const struct yaml *child, const char *prefix)
{
	int count, n = 0;
	const struct config_key *keys = config_keys(&count);
	const char *names[64];
	char path[80];
	struct str all;
	str_init(&all, reader->arena);
	for (int i = 0; i < count && n < 50; i++)
		if (name_in(&keys[i], prefix) != NULL)
			names[n++] = name_in(&keys[i], prefix);
	for (int i = 0; i < n; i++)
		str_addf(&all, "%s%s", i > 0 ? ", " : "", names[i]);
	for (int i = 0; prefix[0] == '\0' && later[i] != NULL; i++)
		names[n++] = later[i];
	names[n] = NULL;
	STR_FORMAT(path, "%s%.48s", prefix, child->key);
	const char *nearest = str_nearest(child->key, names);
	if (nearest != NULL)
		return config_fail(
			reader, child->key_line, path, "unknown key: did you mean \"%s\"?", nearest);
	return config_fail(
		reader, child->key_line, path, "unknown key: remove it; known here: %s", all.s);
}

static bool set_defaults(struct config_reader *reader, const char *prefix, void *out)
{
	int count;
	const struct config_key *keys = config_keys(&count);
	for (int i = 0; i < count; i++) {
		struct yaml value = {.kind = YAML_SCALAR, .text = keys[i].otherwise};
		bool has = name_in(&keys[i], prefix) != NULL && keys[i].otherwise[0] != '\0' &&
			keys[i].check->type != TYPE_SECTION;
		if (has && !config_read_value(reader, &value, &keys[i], out))
			return false;
	}
	return true;
}

bool config_read_map(
	struct config_reader *reader, const struct yaml *map, const char *prefix, void *out)
{
	if (!set_defaults(reader, prefix, out))
		return false;
	for (const struct yaml *child = map->children; child != NULL; child = child->next) {
		if (is_later(prefix, child->key))
			return config_fail(reader, child->key_line, child->key,
				"this version does not support it yet: remove the section (see homeostat help "
				"config)");
		if (prefix[0] == '\0' && strcmp(child->key, "systemd") == 0)
			return config_fail(reader, child->key_line, child->key,
				"units are watched as part of their host: write hosts: [{ name: local, units: "
				"[nginx.service] }]");
		const struct config_key *key = find(prefix, child->key);
		if (key == NULL)
			return unknown(reader, child, prefix);
		if (key->check->type != TYPE_SECTION && !config_read_value(reader, child, key, out))
			return false;
	}
	return true;
}

static const struct config_key keys[] = {
	{"interval", "duration, 1s to 1h", "60s",
		"Time between two full looks at every source. Failures are seen at once by events; this is "
		"the safety net.",
		CHECK(TYPE_DURATION, AT(config, interval_ms), 0, S, H)},
	{"autohealing", "false, true or shadow", "false",
		"Whether homeostat acts by itself: true acts, shadow says what it would do, false watches "
		"and reports. Counts at the first start only; later homeostat enable and disable are "
		"remembered.",
		PLAIN(TYPE_HEALING, AT(config, healing))},
	{"state", "folder", "/var/lib/homeostat", "Where the database and the secrets are kept.",
		CHECK(TYPE_PATH, AT(config, state), 0, 0, 3000)},
	{"listen", "address:port or none", "127.0.0.1:9095",
		"Where metrics and the API are served. Port 0 takes a free one; none serves nothing over "
		"TCP.",
		PLAIN(TYPE_TEXT, AT(config, listen))},
	{"control", "path of a socket", "",
		"The control socket that the command line talks to. Without it "
		"/run/homeostat/control.sock for root, else homeostat/control.sock in $XDG_RUNTIME_DIR.",
		CHECK(TYPE_PATH, AT(config, control), 0, 0, 107)},
	{"docker", "list", "", "Docker engines to watch; Podman's compatible socket too. At most 32.",
		SECTION},
	{"docker.name", "name", "local",
		"What the engine is called in messages. Each source needs its own.",
		PLAIN(TYPE_NAME, AT(config_docker, name))},
	{"docker.url", "URL", "unix:///var/run/docker.sock",
		"unix:///path, https://host:2376 or ssh://user@host. http:// only on this machine: the API "
		"without TLS gives its host away.",
		PLAIN(TYPE_TEXT, AT(config_docker, url))},
	{"docker.ca_file", "file", "",
		"https: the certificate authority that signed the engine's certificate, PEM.",
		PLAIN(TYPE_FILE, AT(config_docker, ca_file))},
	{"docker.cert_file", "file", "", "https: our certificate, PEM. Needs key_file.",
		PLAIN(TYPE_FILE, AT(config_docker, cert_file))},
	{"docker.key_file", "file", "", "https: our certificate's private key, PEM. Needs cert_file.",
		PLAIN(TYPE_FILE, AT(config_docker, key_file))},
	{"docker.fingerprint", "SHA-256 fingerprint", "",
		"https: the engine's certificate by its fingerprint, 32 pairs of hexadecimal digits with "
		"colons, where no authority signed it.",
		PLAIN(TYPE_TEXT, AT(config_docker, fingerprint))},
	{"docker.guest", "number, 100 to 999999999", "",
		"The guest of Proxmox VE that the engine runs in: while that, or its node, is down, the "
		"engine is not reported, and what stops it on purpose stops the engine on purpose.",
		CHECK(TYPE_NUMBER, AT(config_docker, guest), 0, 100, 999999999)},
	{"docker.cluster", "name", "",
		"The proxmox section that the guest is of, where there are several.",
		PLAIN(TYPE_NAME, AT(config_docker, cluster))},
	{"docker.host", "name", "",
		"The host under hosts: that the engine runs on. Where it is named, restarting the engine "
		"is proposed when it does not respond; that is never done without being asked about.",
		PLAIN(TYPE_NAME, AT(config_docker, host))},
	{"docker.unit", "name", "docker.service", "host: the engine's unit there.",
		PLAIN(TYPE_NAME, AT(config_docker, unit))},
	{"proxmox", "list", "", "Proxmox VE clusters and single nodes, 7 to 9. At most 32.", SECTION},
	{"proxmox.name", "name", "pve",
		"What the cluster is called in messages. Each source needs its own.",
		PLAIN(TYPE_NAME, AT(config_proxmox, name))},
	{"proxmox.url", "URL", "",
		"Any node of the cluster, as https://192.168.1.99:8006; the others are learnt from it. "
		"http:// only on this machine.",
		PLAIN(TYPE_TEXT, AT(config_proxmox, url))},
	{"proxmox.token_id", "USER@REALM!NAME", "",
		"The API token to log in by, as homeostat@pve!agent. Needs token_secret.",
		PLAIN(TYPE_TEXT, AT(config_proxmox, token_id))},
	{"proxmox.token_secret", "secret:NAME or env:NAME", "",
		"The token's secret, which pveum printed once, when the token was made.",
		PLAIN(TYPE_SECRET, AT(config_proxmox, token_secret))},
	{"proxmox.user", "USER@REALM", "",
		"Instead of a token: the user to log in as, as homeostat@pve. Needs password.",
		PLAIN(TYPE_TEXT, AT(config_proxmox, user))},
	{"proxmox.password", "secret:NAME or env:NAME", "", "The user's password.",
		PLAIN(TYPE_SECRET, AT(config_proxmox, password))},
	{"proxmox.ca_file", "file", "",
		"The certificate authority that signed the nodes' certificates, PEM; of a cluster its own: "
		"a copy of /etc/pve/pve-root-ca.pem.",
		PLAIN(TYPE_FILE, AT(config_proxmox, ca_file))},
	{"proxmox.fingerprint", "SHA-256 fingerprint", "",
		"The certificate of the node in url by its fingerprint. Proxmox VE renews its certificates "
		"every two years: ca_file lasts longer.",
		PLAIN(TYPE_TEXT, AT(config_proxmox, fingerprint))},
	{"proxmox.ssh", "user@host", "", "Only for actions that the API does not have.",
		PLAIN(TYPE_TEXT, AT(config_proxmox, ssh))},
	{"proxmox.critical", "list of numbers, 100 to 999999999", "",
		"Guests that must run, by their numbers, as [104, 101].",
		CHECK(TYPE_NUMBERS, AT(config_proxmox, critical), AT(config_proxmox, critical_count), 100,
			999999999)},
	{"telegram", "map", "", "The chat on your phone: notices, approvals, commands.", SECTION},
	{"telegram.token", "secret", "",
		"The bot's token, as @BotFather gave it: secret:telegram, kept by: homeostat secret set "
		"telegram.",
		PLAIN(TYPE_SECRET, PHONE(token))},
	{"telegram.chat", "number", "",
		"The chat that messages go to: your own number for a private chat, a negative one for a "
		"group.",
		CHECK(TYPE_NUMBER, PHONE(chat), 0, -MOST, MOST)},
	{"telegram.thread", "number", "0", "A topic of a group with topics; 0: none.",
		CHECK(TYPE_NUMBER, PHONE(thread), 0, 0, MOST)},
	{"telegram.allowed_users", "list of numbers", "",
		"Who may command and approve, by their numbers and nothing else.",
		CHECK(TYPE_NUMBERS, PHONE(allowed_users), PHONE(allowed_count), 1, MOST)},
	{"telegram.api_url", "URL", "https://api.telegram.org", "Another Bot API server.",
		PLAIN(TYPE_TEXT, PHONE(api_url))},
	{"telegram.quiet", "time..time", "",
		"Hours of the local day in which only what is critical is told; the rest is summarised at "
		"their end: 22:00..07:00.",
		CHECK(TYPE_HOURS, PHONE(quiet_from), PHONE(quiet_to), 0, 0)},
	{"telegram.escalate_after", "duration, 0s to 1d", "15m",
		"A CRITICAL question that nobody has answered is repeated, louder; 0s: not.",
		CHECK(TYPE_DURATION, PHONE(escalate_ms), 0, 0, D)},
	{"telegram.escalate_chats", "list of numbers", "", "Further chats that it is then told to.",
		CHECK(TYPE_NUMBERS, PHONE(escalate_chats), PHONE(escalate_count), -MOST, MOST)},
	{"public_url", "URL", "",
		"Where listen is reached from a phone, as https://homeostat.example: by a reverse proxy "
		"with TLS, or a VPN. Needed by the buttons of notify.approve, and used by nothing else.",
		PLAIN(TYPE_TEXT, AT(config, public_url))},
	{"notify", "list", "",
		"Other ways to tell people: ntfy, Gotify, Discord, Slack, Matrix, mail, a webhook. At most "
		"6.",
		SECTION},
	{"notify.type", "ntfy, gotify, discord, slack, matrix, webhook or smtp", "", "What it is.",
		PLAIN(TYPE_TEXT, TELL(type_name))},
	{"notify.name", "name", "",
		"What it is called, at most 15 characters; without it as its type is. Each needs its own.",
		PLAIN(TYPE_NAME, TELL(name))},
	{"notify.url", "URL, secret:NAME or env:NAME", "",
		"ntfy: https://ntfy.sh/TOPIC. gotify, matrix: the server. discord, slack: the whole "
		"address "
		"of the incoming webhook, which is a secret. webhook: what is posted to. smtp: "
		"smtp://host:587, which must offer STARTTLS unless it is this machine, or smtps://host.",
		PLAIN(TYPE_TEXT, TELL(url))},
	{"notify.token", "secret:NAME or env:NAME", "",
		"ntfy, matrix, webhook: the access token, sent as a bearer. gotify: the application's. "
		"smtp: the password of user.",
		PLAIN(TYPE_SECRET, TELL(token))},
	{"notify.user", "name", "", "smtp: who logs in.", PLAIN(TYPE_TEXT, TELL(user))},
	{"notify.from", "address", "", "smtp: the sender, as homeostat@example.org.",
		PLAIN(TYPE_TEXT, TELL(from))},
	{"notify.to", "list of addresses", "", "smtp: who gets it, at most 8.", SECTION},
	{"notify.room", "room id", "", "matrix: the room, as \"!abc:example.org\".",
		PLAIN(TYPE_TEXT, TELL(room))},
	{"notify.ca_file", "file", "",
		"The certificate authority that signed the server's certificate, PEM, where the system "
		"does not know it.",
		PLAIN(TYPE_FILE, TELL(ca_file))},
	{"notify.min_severity", "healthy, degraded, unhealthy or critical", "healthy",
		"What is less severe is not told here.", PLAIN(TYPE_TEXT, TELL(severity_name))},
	{"notify.events", "list of words", "",
		"What is told: approval, escalation, result, end, storm, source, healing, trouble, run, "
		"detection, action, delay. Without it all but the last three.",
		SECTION},
	{"notify.quiet", "time..time", "",
		"Hours of the local day in which only what is critical is told; the rest is summarised at "
		"their end: 22:00..07:00.",
		CHECK(TYPE_HOURS, TELL(quiet_from), TELL(quiet_to), 0, 0)},
	{"notify.approve", "none, low, medium or high", "none",
		"ntfy: questions up to this risk have buttons that approve and reject. Whoever can read "
		"the "
		"topic can press them. Needs public_url.",
		PLAIN(TYPE_TEXT, TELL(approve_name))},
	{"thresholds", "map", "", "What counts as too much.", SECTION},
	{"thresholds.node_cpu", "percent, 1 to 100", "90", "CPU of a node.", SHARE(node_cpu)},
	{"thresholds.node_memory", "percent, 1 to 100", "90", "Memory of a node.", SHARE(node_memory)},
	{"thresholds.node_disk", "percent, 1 to 100", "85", "Root file system of a node.",
		SHARE(node_disk)},
	{"thresholds.guest_cpu", "percent, 1 to 100", "90", "CPU of a guest, of the cores it has.",
		SHARE(guest_cpu)},
	{"thresholds.storage", "percent, 1 to 100", "90", "A storage of Proxmox VE.", SHARE(storage)},
	{"thresholds.severe", "percent, 1 to 100", "95", "Above this any of them is critical.",
		SHARE(severe)},
	{"thresholds.hysteresis", "percent, 0 to 50", "5",
		"So far below its limit a value must fall to be well again.",
		CHECK(TYPE_COUNT, LIMIT(hysteresis), 0, 0, 50)},
	{"thresholds.sustained", "duration, 0s to 1d", "2m",
		"A value must be too high this long before it is believed: one spike is nothing.",
		CHECK(TYPE_DURATION, LIMIT(sustained_ms), 0, 0, D)},
	{"thresholds.certificate", "duration, 1h to 365d", "14d",
		"A certificate is reported this long before its end.",
		CHECK(TYPE_DURATION, LIMIT(certificate_ms), 0, H, 365 * D)},
	{"thresholds.lock", "duration, 1m to 30d", "6h",
		"A guest's lock that is older is reported: what took it has probably died.",
		CHECK(TYPE_DURATION, LIMIT(lock_ms), 0, M, 30 * D)},
	{"thresholds.backup_grace", "duration, 0s to 30d", "12h",
		"A backup may be this much later than its schedule says.",
		CHECK(TYPE_DURATION, LIMIT(backup_grace_ms), 0, 0, 30 * D)},
	{"mcp", "list", "",
		"MCP servers to watch: each is either started by command or reached by url. At most 32.",
		SECTION},
	{"mcp.name", "name", "", "What the server is called in messages. Each needs its own.",
		PLAIN(TYPE_NAME, AT(config_mcp, name))},
	{"mcp.command", "list of words", "",
		"The program that is started and spoken to over its stdin and stdout, without a shell.",
		SECTION},
	{"mcp.env", "map", "",
		"Variables of that program's environment, at most 12; a value may be secret:NAME or "
		"env:NAME. Besides them it gets PATH, HOME and LANG only.",
		SECTION},
	{"mcp.url", "URL", "", "The address of a server that is reached by streamable HTTP.",
		PLAIN(TYPE_TEXT, AT(config_mcp, url))},
	{"mcp.token", "secret:NAME or env:NAME", "",
		"url: what is sent as a bearer token. In clear text only in a file of mode 0600.",
		PLAIN(TYPE_TEXT, AT(config_mcp, token))},
	{"mcp.timeout", "duration, 100ms to 10m", "10s",
		"An answer that takes longer means that the server does not work.",
		CHECK(TYPE_DURATION, AT(config_mcp, timeout_ms), 0, 100, 10 * M)},
	{"claude", "map", "",
		"The model that is asked about what the rules do not know. Without this section homeostat "
		"heals by rules alone.",
		SECTION},
	{"claude.provider", "anthropic or openai", "anthropic",
		"anthropic: the Messages API. openai: any server with compatible chat completions, as "
		"Ollama, llama.cpp and vLLM.",
		PLAIN(TYPE_TEXT, AT(config_claude, provider))},
	{"claude.api_url", "URL", "",
		"Where it is reached. Without it https://api.anthropic.com; for openai it must be given, "
		"as http://127.0.0.1:11434/v1.",
		PLAIN(TYPE_TEXT, AT(config_claude, api_url))},
	{"claude.api_key", "secret:NAME or env:NAME", "", "Its key; a local server needs none.",
		PLAIN(TYPE_SECRET, AT(config_claude, api_key))},
	{"claude.model", "name", "",
		"The model, as claude-haiku-5-5. What one costs is known for Anthropic's own only.",
		PLAIN(TYPE_TEXT, AT(config_claude, model))},
	{"claude.strong_model", "name", "",
		"A second one, asked when the first is unsure or overloaded.",
		PLAIN(TYPE_TEXT, AT(config_claude, strong_model))},
	{"claude.daily_budget_usd", "amount, 0 to 1000", "1.00",
		"What may be spent in a day (UTC). When it is, the rules go on alone until midnight.",
		PLAIN(TYPE_TEXT, AT(config_claude, budget))},
	{"claude.hourly", "count, 1 to 1000", "20", "Requests in an hour.",
		CHECK(TYPE_COUNT, AT(config_claude, hourly), 0, 1, 1000)},
	{"claude.deadline", "duration, 1s to 10m", "60s",
		"How long one question may take in all; then the rules decide.",
		CHECK(TYPE_DURATION, AT(config_claude, deadline_ms), 0, S, 10 * M)},
	{"hosts", "list", "",
		"Machines whose systemd units, load, memory and disks are watched. At most 32.", SECTION},
	{"hosts.name", "name", "local", "What the host is called in messages. Each needs its own.",
		PLAIN(TYPE_NAME, AT(config_machine, name))},
	{"hosts.url", "local or URL", "local",
		"local: the machine that homeostat runs on. ssh://user@host: another one; the user's keys "
		"and known hosts are used. unix:///path: a system bus, for its units only.",
		PLAIN(TYPE_TEXT, AT(config_machine, url))},
	{"hosts.sudo", "true or false", "false",
		"Commands on that host are run by sudo -n, where the user is not root.",
		PLAIN(TYPE_FLAG, AT(config_machine, sudo))},
	{"hosts.lxc", "number", "0",
		"Not the host itself but this LXC container on it, entered by pct exec.",
		CHECK(TYPE_COUNT, AT(config_machine, lxc), 0, 0, 999999999)},
	{"hosts.units", "list of patterns", "[\"*.service\"]",
		"Units to watch, as [nginx.service, \"homelab-*.service\"]. One that failed is restarted.",
		SECTION},
	{"hosts.ignore", "list of patterns", "", "Of those, units that are left alone.", SECTION},
	{"hosts.measures", "true or false", "true", "Whether load, memory and disks are measured too.",
		PLAIN(TYPE_FLAG, AT(config_machine, measures))},
	{"hosts.keep_journal", "MiB, 1 to 1000000", "200",
		"When its disk is full, the journal is cut down to this.",
		CHECK(TYPE_COUNT, AT(config_machine, keep_journal_mib), 0, 1, 1000000)},
	{"hosts.keep_logs", "duration, 0s to 3650d", "7d",
		"When its disk is full, rotated logs that are older are removed. 0s: none are.",
		CHECK(TYPE_DURATION, AT(config_machine, keep_logs_ms), 0, 0, 3650 * D)},
	{"hosts.keep_images", "duration, 0s to 3650d", "14d",
		"When its disk is full, Docker images that no container uses and that were made longer ago "
		"are removed. 0s: only those without a name.",
		CHECK(TYPE_DURATION, AT(config_machine, keep_images_ms), 0, 0, 3650 * D)},
	{"probes", "list", "",
		"What is asked from outside once an interval, each in exactly one way. At most 32.",
		SECTION},
	{"probes.name", "name", "", "What the probe is called in messages. Each needs its own.",
		PLAIN(TYPE_NAME, AT(config_probe, name))},
	{"probes.http", "URL", "", "Must answer with a status below 400.",
		PLAIN(TYPE_TEXT, AT(config_probe, http))},
	{"probes.ca_file", "file", "", "https: the authority that signed its certificate, PEM.",
		PLAIN(TYPE_FILE, AT(config_probe, ca_file))},
	{"probes.fingerprint", "SHA-256 fingerprint", "", "https: its certificate.",
		PLAIN(TYPE_TEXT, AT(config_probe, fingerprint))},
	{"probes.tcp", "host:port", "", "Must accept a connection.",
		PLAIN(TYPE_TEXT, AT(config_probe, tcp))},
	{"probes.ping", "host", "", "Must answer a ping, sent by the program ping.",
		PLAIN(TYPE_TEXT, AT(config_probe, ping))},
	{"probes.tls_expiry", "host:port", "",
		"Must speak TLS, with a certificate that does not end within thresholds.certificate.",
		PLAIN(TYPE_TEXT, AT(config_probe, tls_expiry))},
	{"probes.command", "list of words", "",
		"A program that must end with 0; started here, without a shell.", SECTION},
	{"probes.heals", "docker:NAME/CONTAINER or host:NAME/UNIT", "",
		"What is restarted when the probe fails although that runs.",
		PLAIN(TYPE_TEXT, AT(config_probe, heals))},
	{"probes.timeout", "duration, 100ms to 1m", "10s", "An answer that takes longer is none.",
		CHECK(TYPE_DURATION, AT(config_probe, timeout_ms), 0, 100, M)},
	{"policy", "list", "",
		"Rules that change how an action is weighed. A rule can raise a risk, never lower it below "
		"the action's own.",
		SECTION},
	{"policy.match", "map", "", "What the rule is about: all patterns given must match.", SECTION},
	{"policy.match.component", "pattern", "",
		"Names of components, as docker_container_redis; * and ? stand for any characters and one.",
		PLAIN(TYPE_PATTERN, AT(config_policy, component))},
	{"policy.match.action", "pattern", "", "Names of actions, as docker.container.restart.",
		PLAIN(TYPE_PATTERN, AT(config_policy, action))},
	{"policy.match.source", "pattern", "", "Names of sources, as docker:local.",
		PLAIN(TYPE_PATTERN, AT(config_policy, source))},
	{"policy.risk", "low, medium or high", "", "The least risk that the action is taken to have.",
		PLAIN(TYPE_RISK, AT(config_policy, risk))},
	{"policy.then", "auto, ask or never", "",
		"ask: a person decides. never: it is not done. auto: lets a MEDIUM action run by itself, "
		"only in a rule that names action (without * and ?) and component. HIGH always asks.",
		PLAIN(TYPE_CONSENT, AT(config_policy, then))},
	{"policy.proven", "percent, 1 to 99", "",
		"With then: auto: only once the action's record on the component (homeostat patterns) has "
		"a "
		"lower bound of at least this; until then a person is asked.",
		CHECK(TYPE_COUNT, AT(config_policy, proven), 0, 1, 99)},
	{"redact", "map", "",
		"What is hidden besides what looks like a secret by itself, in logs, messages and prompts.",
		SECTION},
	{"redact.patterns", "list of patterns", "",
		"Values that are hidden everywhere, as [\"acme-*\"]; * and ? stand for any characters and "
		"one. At most 32 with them.",
		SECTION},
	{"redact.emails", "true or false", "false", "Whether e-mail addresses are hidden too.",
		PLAIN(TYPE_FLAG, AT(config_redact, emails))},
	{"redact.names", "true or false", "false",
		"Whether a model gets pseudonyms for the names in hosts and for IP addresses: host-3fa2c1, "
		"ip-9b04d7.",
		PLAIN(TYPE_FLAG, AT(config_redact, names))},
	{"redact.hosts", "list of names", "", "The host names that names hides, as [nas, pve1.lan].",
		SECTION},
	{"learn", "map", "", "What is made of verified outcomes.", SECTION},
	{"learn.demote", "percent, 0 to 99", "15",
		"An action whose record on a component has a lower bound below this is asked about, "
		"whatever "
		"its risk; 0: never.",
		CHECK(TYPE_COUNT, AT(config_learn, demote), 0, 0, 99)},
	{"maintenance", "list", "",
		"Times in which things are left alone: what fails then is watched and recorded, but "
		"neither "
		"healed nor asked about nor told before the time is over. Orders are obeyed. At most 32.",
		SECTION},
	{"maintenance.match", "map", "",
		"What the window is about: all that are given must match. Without it: everything.",
		SECTION},
	{"maintenance.match.host", "name", "",
		"A source's name, as pve or local, or a node's or guest's: it, and all that lives in it.",
		PLAIN(TYPE_PATTERN, AT(config_maintenance, host))},
	{"maintenance.match.component", "pattern", "",
		"Names of components, as docker_container_redis; * and ? stand for any characters and one.",
		PLAIN(TYPE_PATTERN, AT(config_maintenance, component))},
	{"maintenance.match.source", "pattern", "", "Names of sources, as docker:local.",
		PLAIN(TYPE_PATTERN, AT(config_maintenance, source))},
	{"maintenance.cron", "cron schedule", "",
		"When it begins, in local time: minute, hour, day of the month, month, day of the week, as "
		"\"0 3 * * 0\" for Sundays at 3; or @daily, @weekly, @monthly.",
		PLAIN(TYPE_TEXT, AT(config_maintenance, schedule))},
	{"maintenance.for", "duration, 1m to 7d", "1h", "How long it lasts.",
		CHECK(TYPE_DURATION, AT(config_maintenance, for_ms), 0, M, 7 * D)},
	{"heartbeat", "map", "",
		"An address outside that is called every so often, only while homeostat works: a dead "
		"man's "
		"switch. Who listens there (Healthchecks, Uptime Kuma) tells when the calls stop.",
		SECTION},
	{"heartbeat.url", "URL, secret:NAME or env:NAME", "",
		"The address, called by GET. Anybody who knows it can fake the calls.",
		PLAIN(TYPE_TEXT, AT(config_heartbeat, url))},
	{"heartbeat.every", "duration, 10s to 1d", "1m", "How often.",
		CHECK(TYPE_DURATION, AT(config_heartbeat, every_ms), 0, 10 * S, D)},
	{"brakes", "map", "", "What keeps healing from doing harm.", SECTION},
	{"brakes.budget", "count per duration", "5 per 10m",
		"Restarts of one component in a time; then a person is asked.",
		CHECK(TYPE_RATE, BRAKE(budget), BRAKE(budget_ms), 1, 100)},
	{"brakes.backoff", "duration..duration", "10s..300s",
		"Waiting time before the second attempt, doubling up to the end. The first is at once.",
		CHECK(TYPE_RANGE, BRAKE(backoff_min_ms), BRAKE(backoff_max_ms), 1, D)},
	{"brakes.backoff_reset", "duration, 1s to 7d", "10m",
		"A component that was healthy this long starts anew.",
		CHECK(TYPE_DURATION, BRAKE(backoff_reset_ms), 0, S, 7 * D)},
	{"brakes.concurrent", "count, 1 to 64", "4", "Actions at a time, over all sources.",
		CHECK(TYPE_COUNT, BRAKE(concurrent), 0, 1, 64)},
	{"brakes.hourly", "count, 1 to 10000", "60", "Actions in an hour, over all sources.",
		CHECK(TYPE_COUNT, BRAKE(hourly), 0, 1, 10000)},
	{"brakes.storm", "count in duration", "3 in 5s",
		"More failures than this in this time have one cause: it is looked for before the rest is "
		"healed.",
		CHECK(TYPE_RATE, BRAKE(storm), BRAKE(storm_ms), 1, 1000)},
	{"brakes.settle", "duration, 0s to 1h", "10s",
		"A component counts as healed when it was healthy this long.",
		CHECK(TYPE_DURATION, BRAKE(settle_ms), 0, 0, H)},
	{"brakes.verify", "duration, 1s to 1h", "120s", "Longest wait for health after an action.",
		CHECK(TYPE_DURATION, BRAKE(verify_ms), 0, S, H)},
	{"brakes.approval_expiry", "duration, 1m to 30d", "1h",
		"A question about a MEDIUM action that nobody answers is withdrawn after this time.",
		CHECK(TYPE_DURATION, BRAKE(approval_ms), 0, M, 30 * D)},
	{"brakes.ask_again", "duration, 0s to 30d", "6h",
		"A question that nobody answered is asked again after this time, if it is still broken; "
		"0s: "
		"not. HIGH ones do not expire and are asked again each day.",
		CHECK(TYPE_DURATION, BRAKE(ask_again_ms), 0, 0, 30 * D)},
	{"brakes.later", "duration, 1m to 7d", "1h", "How long the button Later puts a question off.",
		CHECK(TYPE_DURATION, BRAKE(later_ms), 0, M, 7 * D)},
	{"brakes.two_persons", "true or false", "false",
		"HIGH actions need two different persons to agree.", PLAIN(TYPE_FLAG, BRAKE(two_persons))},
	{"brakes.recent_exit", "duration, 1s to 7d", "10m",
		"A container that exited longer ago, while homeostat did not watch, is left alone.",
		CHECK(TYPE_DURATION, BRAKE(recent_exit_ms), 0, S, 7 * D)},
	{"brakes.unreachable", "duration, 0s to 1h", "10s",
		"A daemon may be silent this long before it counts as failed.",
		CHECK(TYPE_DURATION, BRAKE(unreachable_ms), 0, 0, H)},
};

const struct config_key *config_keys(int *count)
{
	*count = (int)(sizeof(keys) / sizeof(keys[0]));
	return keys;
}
