/*
 * What the server's refusals mean. The reason phrase is the message's first line, and all there is
 * when there is no body: of 401, and of the codes 595 to 599, which are no HTTP but what the proxy
 * of the node that was asked says about the other.
 */
#include "client/proxmox_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

void proxmox_one_line(char *text)
{
	size_t end = strlen(text);
	while (end > 0 && (unsigned char)text[end - 1] <= ' ')
		text[--end] = '\0';
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
}

static bool has(const char *text, const char *part)
{
	return strcasestr(text, part) != NULL;
}

enum proxmox_cause proxmox_cause(const char *text)
{
	static const struct {
		const char *part;
		enum proxmox_cause cause;
	} words[] = {
		{"no quorum", PROXMOX_NO_QUORUM},
		{"guest agent is not running", PROXMOX_NO_AGENT},
		{"No QEMU guest agent configured", PROXMOX_NO_AGENT},
		{"can't lock file", PROXMOX_BUSY},
		{"can't acquire lock", PROXMOX_BUSY},
		{"is locked", PROXMOX_LOCKED},
		{"already running", PROXMOX_ALREADY},
		{"not running", PROXMOX_ALREADY},
		{"does not exist", PROXMOX_NO_GUEST},
		{"unable to find configuration file", PROXMOX_NO_GUEST},
		{"feature is not available", PROXMOX_NO_FEATURE},
		{"got timeout", PROXMOX_TIMED_OUT},
		/* of a container: "command 'lxc-stop -n 200 --nokill --timeout 60' failed" */
		{"--nokill", PROXMOX_TIMED_OUT},
		{"timeout waiting", PROXMOX_TIMED_OUT},
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (has(text, words[i].part))
			return words[i].cause;
	return PROXMOX_OTHER;
}

/* errors{} says which parameter was wrong: "vmid: type check ('integer') failed - got 'abc'" */
static void add_errors(struct json errors, struct str *text)
{
	int told = 0;
	for (struct json error = json_first(errors); json_is(error) && told < 4; told++) {
		char value[160];
		const char *key = json_key(error, text->arena);
		json_copy(error, value, sizeof(value));
		proxmox_one_line(value);
		str_addf(text, "%s%.60s: %s", told > 0 ? "; " : " (", key != NULL ? key : "?", value);
		error = json_next(error);
	}
	if (told > 0)
		str_addc(text, ')');
}

/* The server's own words, or what can be said when it gave none. */
static void words_of(const struct http_reply *reply, struct arena *arena, char *field, size_t size)
{
	struct json body = {0};
	struct str text;
	char message[320] = "";
	str_init(&text, arena);
	if (reply->body_bytes > 0 && json_parse(arena, reply->body, reply->body_bytes, &body, NULL))
		json_copy(json_get(body, "message"), message, sizeof(message));
	proxmox_one_line(message);
	if (message[0] == '\0')
		STR_SET(message, reply->reason);
	proxmox_one_line(message);
	str_add(&text, message);
	add_errors(json_get(body, "errors"), &text);
	str_copy(field, size, text.len > 0 ? text.s : "no reason given");
}

static const char *identity(const struct proxmox *proxmox)
{
	return proxmox->token != NULL ? proxmox->config.token_id : proxmox->config.user;
}

static bool unknown_login(const struct proxmox *proxmox, const char *words, struct err *err)
{
	return err_set(err, ERR_DENIED,
		"the login of %s was refused: %s (401): is %s right, not expired, and its user enabled? "
		"On a node, pveum user %s%.*s shows it",
		identity(proxmox), words,
		proxmox->token != NULL ? "token_id: and token_secret:" : "user: and password:",
		proxmox->token != NULL ? "token list " : "list ",
		proxmox->token != NULL ? (int)strcspn(identity(proxmox), "!") : 0, identity(proxmox));
}

/* The words name path and privilege. Where the grant has to be is more than they tell: a deeper
 * entry replaces, and a token needs its user's rights as well. */
static bool not_allowed(const struct proxmox *proxmox, const char *words, struct err *err)
{
	return err_set(err, ERR_DENIED,
		"%s (403): %s lacks it: homeostat check prints the pveum command that grants it", words,
		identity(proxmox));
}

/* The node in "/nodes/pve2/status". */
static bool node_of(const char *path, char *node, size_t size)
{
	if (!str_starts(path, "/nodes/"))
		return false;
	const char *name = path + strlen("/nodes/");
	str_format(node, size, "%.*s", (int)strcspn(name, "/?"), name);
	return node[0] != '\0';
}

/* 595: not connected, so nothing happened. 596 to 599: it may have been under way. */
static bool no_answer(
	const struct proxmox_question *question, int status, const char *words, struct err *err)
{
	char node[80];
	bool named = node_of(question->path, node, sizeof(node));
	if (status == 595)
		return err_set(err, ERR_RETRY,
			"%s%s is not reached from the node that was asked: %s (595): its pveproxy or "
			"pvedaemon may be down, or the node",
			named ? "node " : "the node", named ? node : "", words);
	bool reads = str_equal(question->method, "GET");
	return err_set(err, reads ? ERR_RETRY : ERR_TIMEOUT,
		"%s%s did not finish its answer: %s (%d)%s", named ? "node " : "the node",
		named ? node : "", words, status, reads ? "" : ": it may still have happened");
}

static enum err_kind kind_of(int status, const char *words)
{
	bool no_such = proxmox_cause(words) == PROXMOX_NO_GUEST || has(words, "no such task") ||
		has(words, "hostname lookup");
	if (no_such && !has(words, "Agent error"))
		return ERR_GONE;
	if (status >= 500 || status == 429)
		return ERR_RETRY;
	return ERR_INPUT;
}

static bool meaning(struct proxmox *proxmox, const struct proxmox_question *question, int status,
	const char *words, struct err *err)
{
	switch (status) {
	case 401:
		return unknown_login(proxmox, words, err);
	case 403:
		return not_allowed(proxmox, words, err);
	case 501:
		return err_set(
			err, ERR_INPUT, "%s (501): this version of Proxmox VE has no such call", words);
	case 595:
	case 596:
	case 597:
	case 598:
	case 599:
		return no_answer(question, status, words, err);
	default:
		return err_set(err, kind_of(status, words), "%s (%d)", words, status);
	}
}

bool proxmox_refused(struct proxmox *proxmox, const struct proxmox_question *question,
	const struct http_reply *reply, struct arena *arena, struct err *err)
{
	char words[320];
	words_of(reply, arena, words, sizeof(words));
	meaning(proxmox, question, reply->status, words, err);
	return err_prefix(err, "%s: %s %.120s", proxmox->name, question->method, question->path);
}
