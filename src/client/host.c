#include "client/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "client/ssh.h"

#define WORDS_MAX 32
#define OUTPUT_BYTES ((size_t)64 * 1024)
#define GRACE_MS 500

struct host {
	const struct config_machine *machine;
	char name[80], lxc[16];
	int stop_fd;
	struct ssh *bridge; /* carries the bus; NULL: not over SSH, or not yet */
	pid_t child;        /* the same, of a container here */
};

static bool is_remote(const struct config_machine *machine)
{
	return str_starts(machine->url, "ssh://");
}

struct host *host_open(const struct config_machine *machine, int stop_fd, struct err *err)
{
	struct host *host = calloc(1, sizeof(*host));
	if (host == NULL)
		abort();
	host->machine = machine;
	host->stop_fd = stop_fd;
	STR_FORMAT(host->name, "host:%s", machine->name);
	STR_FORMAT(host->lxc, "%d", machine->lxc);
	struct ssh *probe = is_remote(machine) ? ssh_open(machine->url, "", err) : NULL;
	bool ok = probe != NULL || !is_remote(machine);
	ssh_close(probe);
	if (ok)
		return host;
	free(host);
	return NULL;
}

void host_close(struct host *host)
{
	if (host == NULL)
		return;
	ssh_close(host->bridge);
	spawn_end(host->child, GRACE_MS);
	free(host);
}

const struct config_machine *host_machine(const struct host *host)
{
	return host->machine;
}

/* What the command begins with, then its own words. */
static void wrap(const struct host *host, const char *const *argv, const char *words[WORDS_MAX])
{
	size_t n = 0;
	if (host->machine->sudo) {
		words[n++] = "sudo";
		words[n++] = "-n";
	}
	if (host->machine->lxc != 0) {
		words[n++] = "pct";
		words[n++] = "exec";
		words[n++] = host->lxc;
		words[n++] = "--";
	}
	while (*argv != NULL && n < WORDS_MAX - 1)
		words[n++] = *argv++;
	words[n] = NULL;
}

/* For the shell over there: each word in single quotes, those in it taken out. */
static bool quote(const char *const *words, char *text, size_t size)
{
	size_t n = 0;
	for (; *words != NULL; words++) {
		if (n + 3 >= size)
			return false;
		if (n > 0)
			text[n++] = ' ';
		text[n++] = '\'';
		for (const char *c = *words; *c != '\0'; c++) {
			if (n + 6 >= size)
				return false;
			if (*c == '\'') {
				memcpy(text + n, "'\\''", 4);
				n += 4;
			} else {
				text[n++] = *c;
			}
		}
		text[n++] = '\'';
	}
	text[n] = '\0';
	return true;
}

static struct ssh *ssh_with(const struct host *host, const char *const *argv, struct err *err)
{
	const char *words[WORDS_MAX];
	char command[SSH_COMMAND_BYTES];
	wrap(host, argv, words);
	if (quote(words, command, sizeof(command)))
		return ssh_open(host->machine->url, command, err);
	err_set(err, ERR_INPUT, "%s: the command is too long", host->name);
	return NULL;
}

static bool run_remote(struct host *host, const struct host_command *command,
	const struct spawn_options *options, struct arena *arena, struct spawn_result *result,
	struct err *err)
{
	struct ssh *ssh = ssh_with(host, command->argv, err);
	bool ok = ssh != NULL && ssh_run(ssh, host->name, options, arena, result, err);
	ssh_close(ssh);
	return ok;
}

bool host_run(struct host *host, const struct host_command *command, struct arena *arena,
	struct spawn_result *result, struct err *err)
{
	const char *words[WORDS_MAX];
	struct spawn_options options = {.input = command->input,
		.timeout_ms = command->timeout_ms,
		.limit_bytes = command->limit_bytes > 0 ? command->limit_bytes : OUTPUT_BYTES,
		.stop_fd = host->stop_fd,
		.apart = true};
	if (str_starts(host->machine->url, "unix://"))
		return err_set(
			err, ERR_INPUT, "%s: only its bus is reached, no command can be run", host->name);
	if (is_remote(host->machine))
		return run_remote(host, command, &options, arena, result, err);
	wrap(host, command->argv, words);
	return spawn_run(words, &options, arena, result, err) || err_prefix(err, "%s", host->name);
}

/* Over SSH, and in a container, systemd's own bridge speaks D-Bus on its stdin and stdout. */
static int dial_bridge(struct host *host, struct err *err)
{
	static const char *const bridge[] = {"systemd-stdio-bridge", NULL};
	const char *words[WORDS_MAX];
	if (!is_remote(host->machine)) {
		spawn_end(host->child, GRACE_MS);
		wrap(host, bridge, words);
		return spawn_socket(words, &host->child, err);
	}
	ssh_close(host->bridge);
	host->bridge = ssh_with(host, bridge, err);
	return host->bridge != NULL ? ssh_dial(host->bridge, err) : -1;
}

struct bus *host_bus(struct host *host, int64_t timeout_ms, struct err *err)
{
	char address[128];
	struct bus_config config = {
		.name = host->name, .timeout_ms = timeout_ms, .stop_fd = host->stop_fd};
	if (str_starts(host->machine->url, "unix://")) {
		STR_FORMAT(address, "unix:path=%s", host->machine->url + strlen("unix://"));
		config.address = address;
	} else if (is_remote(host->machine) || host->machine->lxc != 0) {
		config.fd = dial_bridge(host, err);
		if (config.fd < 0)
			return NULL;
	}
	struct bus *bus = bus_open(&config, err);
	if (bus == NULL)
		host_lost(host, err);
	return bus;
}

void host_lost(struct host *host, struct err *err)
{
	char complaint[240];
	if (err == NULL || host->bridge == NULL || (err->kind != ERR_RETRY && err->kind != ERR_TIMEOUT))
		return;
	if (!ssh_complaint(host->bridge, complaint, sizeof(complaint)))
		return;
	if (strstr(complaint, "systemd-stdio-bridge") != NULL)
		err_set(err, ERR_SYSTEM, "%s: %s: is systemd there, and the user allowed to use it?",
			host->name, complaint);
	else
		ssh_explain(host->name, complaint, err);
}
