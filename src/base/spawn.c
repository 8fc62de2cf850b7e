#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

#define ENVIRONMENT_MAX 16
#define COMPLAINT_BYTES 4096
/* A child that talks much between two looks at it is not held up. */
#define PIPE_BYTES (1 << 20)

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_at(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define auto_fd __attribute__((cleanup(close_at))) int

/* The child's environment: what each program needs, and the leading NAME=value words of argv. */
static const char *const *environment(const char *const *argv, const char **list, char kept[3][512])
{
	static const struct {
		const char *name, *otherwise;
	} kept_names[3] = {
		{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		{"HOME", "/"},
		{"LANG", "C.UTF-8"},
	};
	size_t n = 0;
	for (size_t i = 0; i < 3; i++) {
		const char *value = getenv(kept_names[i].name);
		str_format(kept[i], sizeof(kept[i]), "%s=%s", kept_names[i].name,
			value != NULL ? value : kept_names[i].otherwise);
		list[n++] = kept[i];
	}
	while (*argv != NULL && strchr(*argv, '=') != NULL && n < ENVIRONMENT_MAX - 1)
		list[n++] = *argv++;
	list[n] = NULL;
	return argv;
}

/* Starts argv in its own process group; fds[0..2] are its standard descriptors, -1 keeps ours. */
static bool start(const char *const *argv, const int fds[3], pid_t *pid, struct err *err)
{
	const char *list[ENVIRONMENT_MAX];
	char kept[3][512];
	argv = environment(argv, list, kept);
	if (argv[0] == NULL)
		return err_set(err, ERR_INPUT, "no command to start");
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0)
			posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(
		&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	/* posix_spawnp takes unqualified pointers but changes nothing */
	union {
		const char *const *read_only;
		char *const *plain;
	} args = {argv}, env = {list};
	int error = posix_spawnp(pid, argv[0], &actions, &attr, args.plain, env.plain);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (error == 0)
		return true;
	*pid = -1;
	if (error == ENOENT)
		return err_set(err, ERR_SYSTEM, "%s: not found: is it installed, and in PATH?", argv[0]);
	return err_set(err, ERR_SYSTEM, "%s: cannot be started: %s", argv[0], strerror(error));
}

/* One run: what is still to be written, what was read, and the descriptors to wait for. */
struct run {
	int in, out, exited, stop, heard; /* heard: a file of its stderr, -1: that is in out */
	const char *input;
	size_t input_left;
	struct str output;
	size_t limit;
	bool cut;
	char name[64];
	int64_t timeout_ms, deadline_ms;
};

static void give_input(struct run *run)
{
	ssize_t n = run->input_left > 0
		? send(run->in, run->input, run->input_left, MSG_NOSIGNAL | MSG_DONTWAIT)
		: 0;
	if (n > 0) {
		run->input += n;
		run->input_left -= (size_t)n;
	}
	if (run->input_left > 0 && (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))))
		return;
	close(run->in);
	run->in = -1;
}

/* Reads what is there; false at the end of the output. */
static bool take_output(struct run *run)
{
	char bytes[4096];
	ssize_t n = read(run->out, bytes, sizeof(bytes));
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	size_t room = run->limit - run->output.len;
	size_t taken = (size_t)n < room ? (size_t)n : room;
	str_addn(&run->output, bytes, taken);
	run->cut = run->cut || taken < (size_t)n || run->output.full;
	return n > 0;
}

/* Until the child has ended. A grandchild that keeps the output open does not hold us. */
static bool follow(struct run *run, struct err *err)
{
	for (;;) {
		struct pollfd fds[4] = {
			{.fd = run->exited, .events = POLLIN},
			{.fd = run->stop, .events = POLLIN},
			{.fd = run->out, .events = POLLIN},
			{.fd = run->in, .events = POLLOUT},
		};
		int64_t left = run->deadline_ms - now_ms();
		int ready = poll(fds, 4, left < 0 ? 0 : left > 60000 ? 60000 : (int)left);
		if (ready < 0 && errno != EINTR)
			return err_set(err, ERR_SYSTEM, "%s: poll: %s", run->name, strerror(errno));
		if (fds[2].revents != 0 && !take_output(run)) {
			close(run->out);
			run->out = -1;
		}
		if (fds[3].revents != 0)
			give_input(run);
		if (fds[0].revents != 0)
			break;
		if (fds[1].revents != 0)
			return err_set(err, ERR_CANCELLED, "%s: cancelled, since homeostat stops", run->name);
		if (left <= 0)
			return err_set(err, ERR_TIMEOUT, "%s: not done in %lld ms, killed", run->name,
				(long long)run->timeout_ms);
	}
	struct pollfd rest = {.fd = run->out, .events = POLLIN};
	while (
		run->out >= 0 && now_ms() < run->deadline_ms && poll(&rest, 1, 0) > 0 && take_output(run))
		;
	return true;
}

static int exit_code(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* A file of fixed size in memory: a child that complains without end cannot fill our memory, and is
 * never held up by a pipe that nobody empties. */
static int complaint_file(void)
{
	int fd = memfd_create("complaints", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, COMPLAINT_BYTES) != 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool start_run(const char *const *argv, struct run *run, pid_t *pid, struct err *err)
{
	int in[2], out[2];
	/* a socket, because a write to it can be told not to raise SIGPIPE */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0)
		return err_set(err, ERR_SYSTEM, "socketpair: %s", strerror(errno));
	run->in = in[0];
	auto_fd child_in = in[1];
	if (pipe2(out, O_CLOEXEC) != 0)
		return err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
	run->out = out[0];
	auto_fd child_out = out[1];
	fcntl(run->out, F_SETFL, O_NONBLOCK);
	const int fds[3] = {child_in, child_out, run->heard >= 0 ? run->heard : child_out};
	if (!start(argv, fds, pid, err))
		return false;
	run->exited = (int)syscall(SYS_pidfd_open, *pid, 0);
	if (run->exited >= 0)
		return true;
	err_set(err, ERR_SYSTEM, "pidfd_open: %s", strerror(errno));
	kill(-*pid, SIGKILL);
	exit_code(*pid);
	return false;
}

static const char *heard_text(int fd, struct arena *arena)
{
	if (fd < 0)
		return "";
	char *text = ARENA_ARRAY(arena, char, COMPLAINT_BYTES);
	ssize_t n = pread(fd, text, COMPLAINT_BYTES - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

bool spawn_run(const char *const *argv, const struct spawn_options *options, struct arena *arena,
	struct spawn_result *result, struct err *err)
{
	struct run run = {.in = -1,
		.out = -1,
		.exited = -1,
		.stop = options->stop_fd,
		.heard = options->apart ? complaint_file() : -1,
		.input = options->input,
		.input_left = options->input != NULL ? strlen(options->input) : 0,
		.limit = options->limit_bytes,
		.timeout_ms = options->timeout_ms,
		.deadline_ms = now_ms() + options->timeout_ms};
	STR_SET(run.name, argv[0]);
	str_init(&run.output, arena);
	pid_t pid = -1;
	bool ok = start_run(argv, &run, &pid, err);
	if (ok) {
		ok = follow(&run, err);
		if (!ok)
			kill(-pid, SIGKILL);
		int code = exit_code(pid);
		*result = (struct spawn_result){.exit_code = code,
			.output = run.output.s,
			.output_bytes = run.output.len,
			.complaint = heard_text(run.heard, arena),
			.cut = run.cut};
	}
	close_at(&run.heard);
	close_at(&run.in);
	close_at(&run.out);
	close_at(&run.exited);
	return ok;
}

/* The descriptor is the caller's from now on: the scope's end must not close it. */
static int give_away(int *fd)
{
	int given = *fd;
	*fd = -1;
	return given;
}

int spawn_socket_heard(const char *const *argv, pid_t *pid, int *complaints, struct err *err)
{
	int pair[2];
	*pid = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		err_set(err, ERR_SYSTEM, "socketpair: %s", strerror(errno));
		return -1;
	}
	auto_fd theirs = pair[1];
	auto_fd heard = complaints != NULL ? complaint_file() : open("/dev/null", O_WRONLY | O_CLOEXEC);
	const int fds[3] = {theirs, theirs, heard};
	if (!start(argv, fds, pid, err)) {
		close(pair[0]);
		return -1;
	}
	if (complaints != NULL)
		*complaints = give_away(&heard);
	return pair[0];
}

int spawn_socket(const char *const *argv, pid_t *pid, struct err *err)
{
	return spawn_socket_heard(argv, pid, NULL, err);
}

int spawn_socket_piped(const char *const *argv, pid_t *pid, int *complaints, struct err *err)
{
	int pair[2], heard[2];
	*pid = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		err_set(err, ERR_SYSTEM, "socketpair: %s", strerror(errno));
		return -1;
	}
	auto_fd ours = pair[0];
	auto_fd theirs = pair[1];
	if (pipe2(heard, O_CLOEXEC) != 0) {
		err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
		return -1;
	}
	auto_fd reading = heard[0];
	auto_fd writing = heard[1];
	fcntl(reading, F_SETFL, O_NONBLOCK);
	fcntl(reading, F_SETPIPE_SZ, PIPE_BYTES);
	const int fds[3] = {theirs, theirs, writing};
	if (!start(argv, fds, pid, err))
		return -1;
	*complaints = give_away(&reading);
	return give_away(&ours);
}

bool spawn_start(const char *const *argv, pid_t *pid, struct err *err)
{
	auto_fd nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int fds[3] = {nothing, -1, -1};
	return start(argv, fds, pid, err);
}

void spawn_end(pid_t pid, int64_t grace_ms)
{
	if (pid <= 0)
		return;
	auto_fd exited = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd wait = {.fd = exited, .events = POLLIN};
	int64_t deadline = now_ms() + grace_ms;
	if (exited >= 0 && poll(&wait, 1, 0) == 0) {
		kill(-pid, SIGTERM);
		int64_t left;
		while ((left = deadline - now_ms()) > 0 && poll(&wait, 1, (int)left) < 0 && errno == EINTR)
			;
	}
	if (exited < 0 || poll(&wait, 1, 0) == 0)
		kill(-pid, SIGKILL);
	exit_code(pid);
}
