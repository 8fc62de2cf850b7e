#include "sim/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/str.h"

#define MESSAGES_MAX 4000
#define SEEN_MAX 64
#define ASKED_MAX 8000

struct site;
/* False: fault (out) says what is wrong; status is what it is answered. */
typedef bool check_fn(struct sim_notify *sim, const struct sim_notify_request *request,
	struct json root, struct sim_notify_reply *reply);

struct site_kind {
	const char *host, *method, *path;
	const char *auth; /* the header that must be there, or NULL */
	const char *ok;   /* the body of a success */
	check_fn *check;
};

struct site {
	bool down, silent, lost;
	int answer, always;
	int64_t wait_s;
	char seen[SEEN_MAX][96]; /* matrix: transactions, the oldest overwritten */
	int seen_count, seen_next;
};

struct message {
	int site;
	char *body;
};

struct sim_notify {
	const struct clock *clock;
	struct site *sites;
	struct message messages[MESSAGES_MAX];
	int message_count;
	char asked[ASKED_MAX][80];
	int asked_count;
	char fault[200];
};

static bool wrong(
	struct sim_notify *sim, struct sim_notify_reply *reply, int status, const char *fault)
{
	reply->status = status;
	STR_SET(sim->fault, fault);
	return false;
}

/* Only these members, each a text (t), a number (n), a list (l), a map (m) or a flag (f). */
static bool has_only(struct json root, const char *const *names, const char *kinds)
{
	static const enum json_kind of[] = {['t'] = JSON_STRING,
		['n'] = JSON_NUMBER,
		['l'] = JSON_ARRAY,
		['m'] = JSON_OBJECT,
		['f'] = JSON_BOOL};
	auto_arena arena = arena_new(1 << 20);
	if (json_kind(root) != JSON_OBJECT)
		return false;
	for (struct json v = json_first(root); json_is(v); v = json_next(v)) {
		int i = 0;
		while (names[i] != NULL && !str_equal(names[i], json_key(v, arena)))
			i++;
		if (names[i] == NULL || json_kind(v) != of[(unsigned char)kinds[i]])
			return false;
	}
	return true;
}

static size_t text_length(struct json root, const char *name)
{
	auto_arena arena = arena_new(1 << 20);
	const char *text = json_str(json_get(root, name), arena);
	size_t points = 0;
	for (; text != NULL && *text != '\0'; text++)
		points += ((unsigned char)*text & 0xC0) != 0x80;
	return points;
}

static bool is_action(struct json action)
{
	static const char *const names[] = {"action", "label", "url", "method", "clear", NULL};
	auto_arena arena = arena_new(1 << 16);
	const char *url = json_str(json_get(action, "url"), arena);
	return has_only(action, names, "ttttf") && text_length(action, "label") > 0 &&
		str_equal(json_str(json_get(action, "action"), arena), "http") && url != NULL &&
		str_starts(url, "https://");
}

static bool check_ntfy(struct sim_notify *sim, const struct sim_notify_request *request,
	struct json root, struct sim_notify_reply *reply)
{
	static const char *const names[] = {
		"topic", "title", "message", "priority", "tags", "actions", NULL};
	auto_arena arena = arena_new(1 << 20);
	const char *topic = json_str(json_get(root, "topic"), arena);
	int64_t priority = json_int(json_get(root, "priority"), 3);
	(void)request;
	if (!has_only(root, names, "tttnll") || topic == NULL || !str_equal(topic, "alerts"))
		return wrong(sim, reply, 400, "ntfy: not a message of topic alerts");
	if (text_length(root, "message") == 0 ||
		strlen(json_str(json_get(root, "message"), arena)) > 4096)
		return wrong(sim, reply, 400, "ntfy: the message is empty, or would be an attachment");
	if (priority < 1 || priority > 5 || json_count(json_get(root, "actions")) > 3)
		return wrong(sim, reply, 400, "ntfy: priority or actions");
	struct json actions = json_get(root, "actions");
	if (json_is(actions))
		for (struct json a = json_first(actions); json_is(a); a = json_next(a))
			if (!is_action(a))
				return wrong(sim, reply, 400, "ntfy: an action is invalid");
	return true;
}

static bool check_gotify(struct sim_notify *sim, const struct sim_notify_request *request,
	struct json root, struct sim_notify_reply *reply)
{
	static const char *const names[] = {"title", "message", "priority", "extras", NULL};
	(void)request;
	return (has_only(root, names, "ttnm") && text_length(root, "message") > 0) ||
		wrong(sim, reply, 400, "gotify: Field 'message' is required");
}

static bool check_discord(struct sim_notify *sim, const struct sim_notify_request *request,
	struct json root, struct sim_notify_reply *reply)
{
	static const char *const names[] = {"content", "allowed_mentions", "username", NULL};
	(void)request;
	size_t length = text_length(root, "content");
	struct json parse = json_path(root, "allowed_mentions.parse");
	if (!has_only(root, names, "tmt") || length == 0 || length > 2000)
		return wrong(sim, reply, 400, "discord: Invalid Form Body");
	return (json_kind(parse) == JSON_ARRAY && json_count(parse) == 0) ||
		wrong(sim, reply, 400, "discord: a name in the text could call people");
}

static bool check_slack(struct sim_notify *sim, const struct sim_notify_request *request,
	struct json root, struct sim_notify_reply *reply)
{
	static const char *const names[] = {"text", "mrkdwn", NULL};
	auto_arena arena = arena_new(1 << 20);
	const char *text = json_str(json_get(root, "text"), arena);
	(void)request;
	if (!has_only(root, names, "tf") || text == NULL || text[0] == '\0')
		return wrong(sim, reply, 400, "slack: invalid_payload");
	return strpbrk(text, "<>") == NULL ||
		wrong(sim, reply, 400, "slack: what is not escaped could call people");
}

static bool check_matrix(struct sim_notify *sim, const struct sim_notify_request *request,
	struct json root, struct sim_notify_reply *reply)
{
	static const char *const names[] = {"msgtype", "body", NULL};
	(void)request;
	return (has_only(root, names, "tt") && text_length(root, "body") > 0) ||
		wrong(sim, reply, 400, "matrix: M_BAD_JSON");
}

static bool check_hook(struct sim_notify *sim, const struct sim_notify_request *request,
	struct json root, struct sim_notify_reply *reply)
{
	(void)request;
	return json_kind(json_get(root, "notices")) == JSON_ARRAY ||
		wrong(sim, reply, 400, "hook: no notices");
}

static const struct site_kind kinds[] = {
	{"ntfy.test", "POST", "/", "Authorization: Bearer tk_sim",
		"{\"id\":\"x\",\"event\":\"message\"}", check_ntfy},
	{"gotify.test", "POST", "/message", "X-Gotify-Key: gotify-sim", "{\"id\":1}", check_gotify},
	{"discord.test", "POST", "/api/webhooks/1/sim?wait=true", NULL, "{\"id\":\"1\"}",
		check_discord},
	{"slack.test", "POST", "/services/T0/B0/sim", NULL, "ok", check_slack},
	{"matrix.test", "PUT", "/_matrix/client/v3/rooms/%21room%3Amatrix.test/send/m.room.message/*",
		"Authorization: Bearer mx_sim", "{\"event_id\":\"$1\"}", check_matrix},
	{"hook.test", "POST", "/in", "Authorization: Bearer hook-sim", "", check_hook},
};
#define SITES ((int)(sizeof(kinds) / sizeof(kinds[0])))

static int site_find(const char *host)
{
	for (int i = 0; i < SITES; i++)
		if (str_equal(kinds[i].host, host))
			return i;
	return -1;
}

struct sim_notify *sim_notify_new(const struct clock *clock)
{
	struct sim_notify *sim = calloc(1, sizeof(*sim));
	if (sim == NULL || (sim->sites = calloc(SITES, sizeof(*sim->sites))) == NULL)
		abort();
	sim->clock = clock;
	return sim;
}

void sim_notify_free(struct sim_notify *sim)
{
	for (int i = 0; i < sim->message_count; i++)
		free(sim->messages[i].body);
	free(sim->sites);
	free(sim);
}

bool sim_notify_is_host(const char *host)
{
	return site_find(host) >= 0;
}

bool sim_notify_script(struct sim_notify *sim, const char *line, char *text, size_t size)
{
	char verb[16], host[40];
	int status = 0;
	long long wait = -1;
	int n = sscanf(line, "%15s %39s %d %lld", verb, host, &status, &wait);
	int i = n >= 2 ? site_find(host) : -1;
	struct site *site = i >= 0 ? &sim->sites[i] : NULL;
	str_copy(text, size, "down|up|silent|lost HOST, answer HOST STATUS [WAIT], always HOST STATUS");
	if (site == NULL)
		return false;
	if (str_equal(verb, "down") || str_equal(verb, "up"))
		site->down = verb[0] == 'd';
	else if (str_equal(verb, "silent"))
		site->silent = true;
	else if (str_equal(verb, "lost"))
		site->lost = true;
	else if (str_equal(verb, "answer") && n >= 3)
		*site = (struct site){.answer = status, .wait_s = n >= 4 ? wait : -1};
	else if (str_equal(verb, "always") && n >= 3)
		site->always = status;
	else
		return false;
	return true;
}

static const char *header(const struct sim_notify_request *request, const char *name)
{
	size_t length = strlen(name);
	for (const char *const *at = request->headers; at != NULL && *at != NULL; at++)
		if (strncasecmp(*at, name, length) == 0 && (*at)[length] == ':')
			return *at + length + 1 + strspn(*at + length + 1, " ");
	return NULL;
}

static bool is_allowed(const struct site_kind *kind, const struct sim_notify_request *request)
{
	if (kind->auth == NULL)
		return true;
	const char *colon = strchr(kind->auth, ':');
	char name[32];
	STR_FORMAT(name, "%.*s", (int)(colon - kind->auth), kind->auth);
	return str_equal(header(request, name), colon + 2);
}

/* A transaction that was carried out before is answered as it was then. */
static bool is_repeated(struct site *site, const char *path)
{
	const char *id = strrchr(path, '/');
	for (int i = 0; i < site->seen_count; i++)
		if (str_equal(site->seen[i], id))
			return true;
	int at = site->seen_next;
	STR_SET(site->seen[at], id);
	site->seen_next = (at + 1) % SEEN_MAX;
	if (site->seen_count < SEEN_MAX)
		site->seen_count++;
	return false;
}

static void keep(struct sim_notify *sim, int i, const struct sim_notify_request *request)
{
	if (str_equal(kinds[i].method, "PUT") && is_repeated(&sim->sites[i], request->path))
		return;
	if (sim->message_count == MESSAGES_MAX)
		abort();
	sim->messages[sim->message_count++] = (struct message){
		i, strndup(request->body, request->body_bytes)};
}

static void limited(const struct site_kind *kind, struct site *site, struct arena *arena,
	struct sim_notify_reply *reply)
{
	long long wait = (long long)site->wait_s;
	if (str_equal(kind->host, "discord.test"))
		reply->body = arena_printf(arena,
			"{\"message\":\"You are being rate "
			"limited.\",\"retry_after\":%lld.25,\"global\":false}",
			wait);
	else if (str_equal(kind->host, "matrix.test"))
		reply->body = arena_printf(
			arena, "{\"errcode\":\"M_LIMIT_EXCEEDED\",\"retry_after_ms\":%lld}", wait * 1000);
	else
		reply->retry_after_s = wait;
}

/* An answer by the script; true: there was one. */
static bool by_script(
	struct sim_notify *sim, int i, struct arena *arena, struct sim_notify_reply *reply)
{
	struct site *site = &sim->sites[i];
	int status = site->answer != 0 ? site->answer : site->always;
	if (site->down)
		reply->wire = SIM_NOTIFY_REFUSED;
	if (site->silent)
		reply->wire = SIM_NOTIFY_SILENT;
	site->silent = false;
	if (reply->wire != SIM_NOTIFY_ANSWERED)
		return true;
	if (status == 0)
		return false;
	reply->status = status;
	if (status >= 500)
		reply->body = "<html><body>Bad Gateway</body></html>";
	if (site->answer == 429 && site->wait_s >= 0)
		limited(&kinds[i], site, arena, reply);
	site->answer = 0;
	return true;
}

static bool accepts(struct sim_notify *sim, int i, const struct sim_notify_request *request,
	struct sim_notify_reply *reply)
{
	auto_arena arena = arena_new(4 << 20);
	struct json root;
	struct err err = {0};
	const char *type = header(request, "Content-Type");
	if (!str_match(kinds[i].path, request->path))
		return wrong(sim, reply, 404, arena_printf(arena, "no such path: %s", request->path));
	if (!str_equal(kinds[i].method, request->method))
		return wrong(sim, reply, 405, "another method");
	if (!is_allowed(&kinds[i], request))
		return wrong(sim, reply, 401, "the token is wrong, or missing");
	if (type == NULL || !str_starts(type, "application/json"))
		return wrong(sim, reply, 415, "not application/json");
	if (!json_parse(arena, request->body, request->body_bytes, &root, &err))
		return wrong(sim, reply, 400, err.text);
	return kinds[i].check(sim, request, root, reply);
}

void sim_notify_handle(struct sim_notify *sim, const struct sim_notify_request *request,
	struct arena *arena, struct sim_notify_reply *reply)
{
	int i = site_find(request->host);
	*reply = (struct sim_notify_reply){.status = 200,
		.retry_after_s = -1,
		.body = "{\"error\":\"simulated\"}",
		.content_type = "application/json"};
	if (sim->asked_count == ASKED_MAX)
		abort();
	char *asked = sim->asked[sim->asked_count++];
	str_format(
		asked, sizeof(sim->asked[0]), "%s %s%s", request->method, request->host, request->path);
	if (by_script(sim, i, arena, reply) || !accepts(sim, i, request, reply))
		return;
	keep(sim, i, request);
	reply->body = kinds[i].ok;
	if (sim->sites[i].lost)
		reply->wire = SIM_NOTIFY_SILENT;
	sim->sites[i].lost = false;
}

int sim_notify_count(const struct sim_notify *sim, const char *host)
{
	int count = 0, i = site_find(host);
	for (int n = 0; n < sim->message_count; n++)
		count += sim->messages[n].site == i;
	return count;
}

const char *sim_notify_body(const struct sim_notify *sim, const char *host, int n)
{
	int i = site_find(host);
	for (int k = 0; k < sim->message_count; k++)
		if (sim->messages[k].site == i && n-- == 0)
			return sim->messages[k].body;
	return NULL;
}

int sim_notify_asked(const struct sim_notify *sim, const char *pattern)
{
	int count = 0;
	for (int i = 0; i < sim->asked_count; i++)
		count += str_match(pattern, sim->asked[i]);
	return count;
}

const char *sim_notify_fault(const struct sim_notify *sim)
{
	return sim->fault;
}
