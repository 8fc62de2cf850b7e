#include "client/ssh.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

/* An exchange and an event stream, and one of each that is being given up. */
#define CHILDREN_MAX 4
#define GRACE_MS 500

struct ssh {
	char user[64], host[256], port[8], command[SSH_COMMAND_BYTES];
	struct child {
		pid_t pid; /* 0: free */
		int complaints;
	} children[CHILDREN_MAX]; /* newest first */
};

static bool take_part(char *field, size_t size, const char *from, size_t length)
{
	if (length == 0 || length >= size)
		return false;
	memcpy(field, from, length);
	field[length] = '\0';
	/* else "-oProxyCommand=…" would be an option */
	for (const char *c = field; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("._-:%@\\", *c) == NULL)
			return false;
	return field[0] != '-';
}

static bool read_url(struct ssh *ssh, const char *url)
{
	if (!str_starts(url, "ssh://"))
		return false;
	const char *host = url + 6;
	size_t length = strcspn(host, "/");
	if (strlen(host + length) > 1)
		return false;
	const char *at = memrchr(host, '@', length);
	if (at != NULL) {
		if (!take_part(ssh->user, sizeof(ssh->user), host, (size_t)(at - host)))
			return false;
		length -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	size_t name;
	if (host[0] == '[') {
		const char *end = memchr(host, ']', length);
		if (end == NULL)
			return false;
		name = (size_t)(end + 1 - host);
	} else {
		const char *colon = memchr(host, ':', length);
		name = colon == NULL ? length : (size_t)(colon - host);
	}
	if (name < length) {
		const char *port = host + name + 1;
		size_t digits = length - name - 1;
		if (host[name] != ':' || strspn(port, "0123456789") < digits ||
			!take_part(ssh->port, sizeof(ssh->port), port, digits))
			return false;
	}
	if (host[0] == '[')
		return take_part(ssh->host, sizeof(ssh->host), host + 1, name - 2);
	return take_part(ssh->host, sizeof(ssh->host), host, name);
}

struct ssh *ssh_open(const char *url, const char *command, struct err *err)
{
	struct ssh *ssh = calloc(1, sizeof(*ssh));
	if (ssh == NULL)
		abort();
	STR_SET(ssh->command, command);
	if (read_url(ssh, url))
		return ssh;
	free(ssh);
	err_set(err, ERR_INPUT, "%s is not ssh://user@host or ssh://user@host:port", url);
	return NULL;
}

static void forget(struct child *child)
{
	if (child->complaints >= 0)
		close(child->complaints);
	*child = (struct child){0};
}

/* Makes the first place free: reaps who has ended, and ends the oldest when there is no room. */
static struct child *make_place(struct ssh *ssh)
{
	struct child *children = ssh->children;
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid > 0 && waitpid(children[i].pid, NULL, WNOHANG) != 0)
			forget(&children[i]);
	size_t place = 0;
	while (place < CHILDREN_MAX - 1 && children[place].pid > 0)
		place++;
	if (children[place].pid > 0) {
		spawn_end(children[place].pid, GRACE_MS);
		forget(&children[place]);
	}
	memmove(children + 1, children, place * sizeof(*children));
	children[0] = (struct child){0};
	return children;
}

/* Room for the command line of ssh, ours around the command of over there. */
struct line {
	char agent[256];
	const char *argv[32];
};

static void make_line(const struct ssh *ssh, const char *command, struct line *line)
{
	const char **argv = line->argv;
	size_t n = 0;
	const char *socket = getenv("SSH_AUTH_SOCK");
	if (socket != NULL && STR_FORMAT(line->agent, "SSH_AUTH_SOCK=%s", socket))
		argv[n++] = line->agent;
	static const char *const options[] = {
		"ssh",
		"-T",
		"-x",
		"-a",
		"-o",
		"BatchMode=yes",
		"-o",
		"ConnectTimeout=5",
		"-o",
		"ServerAliveInterval=10",
		"-o",
		"ServerAliveCountMax=3",
		"-o",
		"ClearAllForwardings=yes",
		"-o",
		"LogLevel=ERROR",
	};
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		argv[n++] = options[i];
	if (ssh->user[0] != '\0') {
		argv[n++] = "-l";
		argv[n++] = ssh->user;
	}
	if (ssh->port[0] != '\0') {
		argv[n++] = "-p";
		argv[n++] = ssh->port;
	}
	argv[n++] = "--";
	argv[n++] = ssh->host;
	argv[n++] = command;
	argv[n] = NULL;
}

int ssh_dial(void *ctx, struct err *err)
{
	struct ssh *ssh = ctx;
	struct child *child = make_place(ssh);
	struct line line;
	make_line(ssh, ssh->command, &line);
	int fd = spawn_socket_heard(line.argv, &child->pid, &child->complaints, err);
	if (fd < 0)
		*child = (struct child){0};
	return fd;
}

bool ssh_explain(const char *name, const char *complaint, struct err *err)
{
	if (strstr(complaint, "Host key verification failed") != NULL)
		return err_set(err, ERR_DENIED,
			"%s: ssh: %s: log in there once by hand, as the user that "
			"homeostat runs as, and check its key",
			name, complaint);
	if (strstr(complaint, "Permission denied") != NULL)
		return err_set(err, ERR_DENIED,
			"%s: ssh: %s: the user that homeostat runs as needs a key "
			"that is accepted there",
			name, complaint);
	return err_set(err, ERR_RETRY, "%s: ssh: %s", name, complaint);
}

/* One line, without control characters. */
static void tidy(char *text)
{
	size_t end = strlen(text);
	while (end > 0 && isspace((unsigned char)text[end - 1]))
		text[--end] = '\0';
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20)
			*c = ' ';
}

/* ssh's own failures (ssh(1)). */
#define SSH_FAILED 255

bool ssh_run(const struct ssh *ssh, const char *name, const struct spawn_options *options,
	struct arena *arena, struct spawn_result *result, struct err *err)
{
	struct line line;
	char complaint[240];
	make_line(ssh, ssh->command, &line);
	if (!spawn_run(line.argv, options, arena, result, err))
		return err_prefix(err, "%s", name);
	if (result->exit_code != SSH_FAILED)
		return true;
	STR_SET(complaint, options->apart ? result->complaint : result->output);
	tidy(complaint);
	return ssh_explain(name, complaint[0] != '\0' ? complaint : "cannot connect", err);
}

bool ssh_complaint(const struct ssh *ssh, char *text, size_t size)
{
	char bytes[512];
	if (ssh->children[0].pid <= 0)
		return false;
	ssize_t n = pread(ssh->children[0].complaints, bytes, sizeof(bytes) - 1, 0);
	bytes[n > 0 ? n : 0] = '\0';
	tidy(bytes);
	str_copy(text, size, bytes);
	return bytes[0] != '\0';
}

void ssh_close(struct ssh *ssh)
{
	if (ssh == NULL)
		return;
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (ssh->children[i].pid <= 0)
			continue;
		spawn_end(ssh->children[i].pid, GRACE_MS);
		forget(&ssh->children[i]);
	}
	free(ssh);
}
