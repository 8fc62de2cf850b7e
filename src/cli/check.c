/*
 * homeostat check: everything that the configuration names, one line each.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/http.h"
#include "base/secret.h"
#include "base/server.h"
#include "base/str.h"
#include "cli/check.h"
#include "cli/control.h"
#include "cli/text.h"
#include "store/store.h"
#include "watch/watch.h"

static void mark(struct check *check, enum source_mark mark, const char *what, const char *text)
{
	static const char *const signs[] = {
		[SOURCE_GOOD] = "✓", [SOURCE_LIMITED] = "!", [SOURCE_WRONG] = "✗"};
	static const char *const colours[] = {
		[SOURCE_GOOD] = CLI_GREEN, [SOURCE_LIMITED] = CLI_YELLOW, [SOURCE_WRONG] = CLI_RED};
	struct cli *cli = check->cli;
	check->wrong = check->wrong || mark == SOURCE_WRONG;
	if ((cli->given & CLI_JSON) != 0) {
		json_open(&check->json, NULL, '{');
		json_put_str(&check->json, "what", what);
		json_put_bool(&check->json, "ok", mark != SOURCE_WRONG);
		if (mark == SOURCE_LIMITED)
			json_put_bool(&check->json, "limited", true);
		json_put_str(&check->json, "text", text);
		json_close(&check->json, '}');
		return;
	}
	fprintf(cli->out, "%s%s%s %s: %s\n", cli_colour(cli, colours[mark]), signs[mark],
		cli_colour(cli, CLI_PLAIN), text_cleaned(cli->arena, what, false),
		text_cleaned(cli->arena, text, false));
	fflush(cli->out); /* the next one may have to wait for an answer */
}

void check_note(struct check *check, bool ok, const char *what, const char *text)
{
	mark(check, ok ? SOURCE_GOOD : SOURCE_WRONG, what, text);
}

static void check_file(struct check *check)
{
	char text[480];
	const struct config *config = check->config;
	int count = config->docker_count + config->proxmox_count + config->mcp_count +
		config->machine_count + (config->probe_count > 0 ? 1 : 0);
	STR_FORMAT(text, "%d source%s, %d row%s of policy, auto-healing %s at the first start", count,
		count == 1 ? "" : "s", config->policy_count, config->policy_count == 1 ? "" : "s",
		healing_name(config->healing));
	check_note(check, true, config->file, text);
	for (int i = 0; config->warnings != NULL && config->warnings[i] != NULL; i++)
		fprintf(check->cli->complaints, "%swarning:%s %s\n", cli_colour(check->cli, CLI_YELLOW),
			cli_colour(check->cli, CLI_PLAIN),
			text_cleaned(check->cli->arena, config->warnings[i], false));
}

struct saying {
	struct check *check;
	const char *what;
};

static void say(void *ctx, enum source_mark how, const char *text)
{
	const struct saying *saying = ctx;
	mark(saying->check, how, saying->what, text);
}

static void check_source(struct check *check, const struct source *source, int index)
{
	struct source_context context = {
		.config = check->config, .index = index, .clock = check->clock, .stop_fd = -1};
	struct saying saying = {check, context.name};
	struct err err = {0};
	source_title(source, &context);
	void *self = source->open(&context, &err);
	if (self == NULL || !source->check(self, say, &saying, &err))
		check_note(check, false, context.name, err.text);
	if (self != NULL)
		source->close(self);
}

static bool is_writable(const char *folder, struct err *err)
{
	char probe[PATH_MAX];
	bool existed;
	STR_FORMAT(probe, "%s/.check-%d", folder, (int)getpid());
	return file_create(probe, "", 0, &existed, err) && file_remove(probe, err);
}

/* The folder above, "/" and "." included. */
static void parent_of_folder(const char *folder, char parent[PATH_MAX])
{
	str_copy(parent, PATH_MAX, folder);
	char *slash = strrchr(parent, '/');
	if (slash == NULL)
		str_copy(parent, PATH_MAX, ".");
	else
		slash[slash == parent ? 1 : 0] = '\0';
}

static void check_state(struct check *check)
{
	const char *state = check->config->state;
	char parent[PATH_MAX], text[480], database[PATH_MAX];
	struct err err = {0};
	unsigned char key[32];
	STR_FORMAT(text, "%s can be written", state);
	if (access(state, F_OK) != 0) {
		parent_of_folder(state, parent);
		bool ok = access(parent, W_OK | X_OK) == 0;
		STR_FORMAT(text,
			ok ? "%s will be made"
			   : "%s is missing and cannot be made: make it, owned "
				 "by the user that homeostat runs as, with mode 0700",
			state);
		check_note(check, ok, "state", text);
		return;
	}
	bool ok = is_writable(state, &err);
	check_note(check, ok, "state", ok ? text : err.text);
	STR_FORMAT(database, "%s/homeostat.db", state);
	if (!ok || access(database, F_OK) != 0)
		return;
	/* Read only: to open it for writing would migrate it under a daemon that runs. */
	struct store *store = NULL;
	int64_t entries = 0;
	ok = secret_derive(state, "audit", key, &err) &&
		(store = store_open_reader(state, key, &err)) != NULL &&
		store_audit_verify(store, &entries, &err);
	store_close(store);
	STR_FORMAT(text, "opens, and its audit log of %lld entries holds", (long long)entries);
	check_note(check, ok, database, ok ? text : err.text);
}

static void check_secrets(struct check *check)
{
	const char *state = check->config->state;
	struct err err = {0};
	char text[480], reference[80];
	if (access(state, F_OK) != 0)
		return;
	const char **names = secret_list(state, check->cli->arena, &err);
	if (names == NULL) {
		check_note(check, false, "secrets", err.text);
		return;
	}
	int count = 0;
	for (; names[count] != NULL; count++) {
		STR_FORMAT(reference, "secret:%s", names[count]);
		if (secret_resolve(state, reference, &err) == NULL) {
			check_note(check, false, reference, err.text);
			return;
		}
	}
	STR_FORMAT(text, "%d, all readable", count);
	check_note(check, true, "secrets", text);
}

static void refuse(void *ctx, const struct server_request *request, struct server_reply *reply)
{
	(void)ctx;
	(void)request;
	reply->status = 503;
}

/* Whether it is homeostat that has the address already. */
static bool is_ours(const char *listen, struct arena *arena)
{
	struct err err = {0};
	struct http_reply reply = {0};
	struct http_request request = {
		.method = "GET", .path = "/healthz", .timeout_ms = 3000, .limit_bytes = 65536};
	const char *url = arena_printf(arena, "http://%s", listen);
	struct http *http = http_open(
		&(struct http_config){.base_url = url, .stop_fd = -1, .name = "listen"});
	bool ok = http_perform(http, &request, arena, &reply, &err) && reply.body != NULL &&
		(reply.status == 200 || reply.status == 503) && reply.body_bytes < 1024 &&
		(str_starts(reply.body, "ok") || strstr(reply.body, "homeostat") != NULL);
	http_close(http);
	return ok;
}

static void check_listen(struct check *check)
{
	const char *listen = check->config->listen;
	struct err err = {0};
	char text[480];
	if (listen == NULL || strcmp(listen, "none") == 0)
		return;
	struct server_config config = {.listen = listen, .handler = refuse};
	struct server *server = server_start(&config, &err);
	bool is_free = server != NULL;
	server_stop(server);
	bool ok = is_free || is_ours(listen, check->cli->arena);
	STR_FORMAT(text, is_free ? "%s is free" : "%s is served by the homeostat that runs", listen);
	check_note(check, ok, "listen", ok ? text : err.text);
}

static void check_control(struct check *check)
{
	const char *path = check->config->control;
	char parent[PATH_MAX], text[480];
	if (path == NULL)
		path = config_control_default(check->cli->arena);
	parent_of_folder(path, parent);
	/* The daemon makes one folder for its socket, not a chain of them. */
	if (access(parent, F_OK) != 0)
		parent_of_folder(arena_strdup(check->cli->arena, parent), parent);
	bool ok = access(parent, W_OK | X_OK) == 0;
	STR_FORMAT(text,
		ok ? "%s can be made"
		   : "%s cannot be made: change control:, or run as a user "
			 "who may write there",
		path);
	check_note(check, ok, "control", text);
}

static void check_all(struct check *check)
{
	check_file(check);
	for (int i = 0; sources[i] != NULL; i++)
		for (int index = 0; index < sources[i]->count(check->config); index++)
			check_source(check, sources[i], index);
	check_channels(check);
	check_state(check);
	check_secrets(check);
	check_control(check);
	check_listen(check);
}

int cmd_check(struct cli *cli)
{
	struct err err = {0};
	struct str text;
	struct config *config = config_load(
		cli->config_file != NULL ? cli->config_file : CLI_CONFIG_FILE, &err);
	if (config == NULL)
		return cli_fail(cli, CLI_USAGE, "%s", err.text);
	struct check check = {.cli = cli, .config = config};
	struct clock *clock = clock_new_real();
	check.clock = clock;
	str_init(&text, cli->arena);
	json_begin(&check.json, &text);
	json_open(&check.json, NULL, '[');
	check_all(&check);
	json_close(&check.json, ']');
	if ((cli->given & CLI_JSON) != 0)
		fprintf(cli->out, "%s\n", text.s);
	clock_free(clock);
	config_free(config);
	return check.wrong ? CLI_FAILED : CLI_DONE;
}
