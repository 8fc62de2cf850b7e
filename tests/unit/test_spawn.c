#include "base/spawn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

static struct err shell_err;

/* Runs a line of shell: the tests' only way to have children that misbehave. */
static bool shell(const char *line, const char *input, int64_t timeout_ms, size_t limit,
	struct arena *arena, struct spawn_result *result)
{
	const char *const argv[] = {"sh", "-c", line, NULL};
	shell_err = (struct err){0};
	return spawn_run(argv, &(struct spawn_options){input, timeout_ms, limit, -1, false}, arena,
		result, &shell_err);
}

static void stderr_can_be_kept_apart(void **state)
{
	auto_arena arena = arena_new(1 << 20);
	static const char *const argv[] = {"sh", "-c", "echo warned >&2; echo out", NULL};
	struct spawn_result result;
	struct err err = {0};
	(void)state;
	assert_true(
		spawn_run(argv, &(struct spawn_options){NULL, 5000, 1000, -1, true}, arena, &result, &err));
	assert_string_equal(result.output, "out\n");
	assert_string_equal(result.complaint, "warned\n");
	assert_true(spawn_run(
		argv, &(struct spawn_options){NULL, 5000, 1000, -1, false}, arena, &result, &err));
	assert_string_equal(result.output, "warned\nout\n");
	assert_string_equal(result.complaint, "");
}

static void output_and_exit_code_are_kept(void **state)
{
	auto_arena arena = arena_new(1 << 20);
	struct spawn_result result;
	assert_true(shell("echo out; echo err >&2; exit 3", NULL, 5000, 1000, arena, &result));
	assert_int_equal(result.exit_code, 3);
	assert_string_equal(result.output, "out\nerr\n");
	assert_int_equal(result.output_bytes, 8);
	assert_false(result.cut);
}

static void signal_is_told_as_128_and_more(void **state)
{
	auto_arena arena = arena_new(4096);
	struct spawn_result result;
	assert_true(shell("kill -9 $$", NULL, 5000, 1000, arena, &result));
	assert_int_equal(result.exit_code, 128 + 9);
}

static void large_input_goes_through(void **state)
{
	auto_arena arena = arena_new(8 << 20);
	struct spawn_result result;
	char *input = arena_alloc(arena, 1000001);
	memset(input, 'x', 1000000);
	assert_true(shell("cat", input, 10000, 2000000, arena, &result));
	assert_int_equal(result.output_bytes, 1000000);
	assert_true(shell("exit 0", input, 10000, 2000000, arena, &result));
	assert_int_equal(result.exit_code, 0);
}

static void endless_output_is_cut(void **state)
{
	auto_arena arena = arena_new(4096);
	struct spawn_result result;
	assert_true(shell("head -c 1000000 /dev/zero | tr '\\0' y", NULL, 10000, 100, arena, &result));
	assert_true(result.cut);
	assert_int_equal(result.output_bytes, 100);
}

/* True once no process of the group is left. */
static bool group_ends(pid_t group)
{
	for (int i = 0; i < 500; i++) {
		if (kill(-group, 0) != 0 && errno == ESRCH)
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

static void deadline_kills_the_whole_group(void **state)
{
	auto_arena arena = arena_new(4096);
	struct spawn_result result = {0};
	int64_t start = now_ms();
	assert_false(shell("echo $$; sleep 300 & sleep 300", NULL, 200, 100, arena, &result));
	assert_in_range(now_ms() - start, 200, 5000);
	assert_int_equal(shell_err.kind, ERR_TIMEOUT);
	assert_true(atoi(result.output) > 1);
	assert_true(group_ends(atoi(result.output)));
}

static void grandchild_with_the_output_open_does_not_hold_us(void **state)
{
	auto_arena arena = arena_new(4096);
	struct spawn_result result = {0};
	int64_t start = now_ms();
	assert_true(shell("sleep 300 & echo $!", NULL, 20000, 100, arena, &result));
	assert_in_range(now_ms() - start, 0, 10000);
	assert_int_equal(kill(atoi(result.output), SIGKILL), 0);
}

static void stop_kills_at_once(void **state)
{
	auto_arena arena = arena_new(4096);
	struct spawn_result result = {0};
	struct err err = {0};
	const char *const argv[] = {"sleep", "300", NULL};
	int stop = eventfd(1, EFD_CLOEXEC);
	int64_t start = now_ms();
	assert_false(spawn_run(
		argv, &(struct spawn_options){NULL, 60000, 100, stop, false}, arena, &result, &err));
	assert_in_range(now_ms() - start, 0, 5000);
	assert_int_equal(err.kind, ERR_CANCELLED);
	close(stop);
}

static void missing_program_names_the_cure(void **state)
{
	auto_arena arena = arena_new(4096);
	struct spawn_result result = {0};
	struct err err = {0};
	const char *const argv[] = {"no-such-program-here", NULL};
	assert_false(
		spawn_run(argv, &(struct spawn_options){NULL, 1000, 100, -1, false}, arena, &result, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, "no-such-program-here: not found: is it installed"));
}

static void child_inherits_nothing_but_what_is_named(void **state)
{
	auto_arena arena = arena_new(1 << 16);
	struct spawn_result result = {0};
	struct err err = {0};
	int open_fd = open("/dev/null", O_RDONLY); /* on purpose without O_CLOEXEC */
	setenv("SECRET_OF_OURS", "x", 1);
	const char *const argv[] = {"NAMED=yes", "sh", "-c", "env; ls /proc/$$/fd | tr '\\n' ,", NULL};
	assert_true(spawn_run(
		argv, &(struct spawn_options){NULL, 5000, 10000, -1, false}, arena, &result, &err));
	assert_null(strstr(result.output, "SECRET_OF_OURS"));
	assert_non_null(strstr(result.output, "NAMED=yes\n"));
	assert_non_null(strstr(result.output, "PATH="));
	assert_non_null(strstr(result.output, "\n0,1,2,"));
	assert_null(strstr(result.output, "0,1,2,3"));
	close(open_fd);
}

static void signals_are_as_a_fresh_process_has_them(void **state)
{
	auto_arena arena = arena_new(1 << 16);
	struct spawn_result result = {0};
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	signal(SIGPIPE, SIG_IGN);
	bool ok = shell("grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -d '[:space:]'", NULL, 5000,
		1000, arena, &result);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	unsigned long blocked, ignored;
	assert_true(ok);
	assert_int_equal(sscanf(result.output, "SigBlk:%lxSigIgn:%lx", &blocked, &ignored), 2);
	assert_int_equal(blocked, 0);
	assert_int_equal(ignored & 0x7fffffff, 0); /* 32 and 33 are the C library's own */
}

static void socket_talks_both_ways_and_complaints_are_heard(void **state)
{
	const char *const argv[] = {"sh", "-c",
		"read a; echo \"got $a\"; echo oh no >&2; "
		"head -c 100000 /dev/zero >&2; cat >&2",
		NULL};
	struct err err = {0};
	pid_t pid = 0;
	int complaints = -1;
	char text[64] = "";
	int fd = spawn_socket_heard(argv, &pid, &complaints, &err);
	assert_true(fd >= 0);
	assert_int_equal(send(fd, "hi\n", 3, MSG_NOSIGNAL), 3);
	assert_int_equal(recv(fd, text, 7, MSG_WAITALL), 7);
	assert_string_equal(text, "got hi\n");
	memset(text, 0, sizeof(text));
	for (int i = 0; i < 500 && text[0] == '\0'; i++) {
		poll(NULL, 0, 10);
		assert_true(pread(complaints, text, sizeof(text) - 1, 0) > 0);
	}
	assert_string_equal(text, "oh no\n");
	close(fd);
	spawn_end(pid, 5000);
	assert_int_equal(kill(pid, 0), -1);
	assert_true(lseek(complaints, 0, SEEK_END) <= 4096);
	close(complaints);
}

static void end_is_gentle_first_and_then_not(void **state)
{
	const char *const gentle[] = {"sleep", "300", NULL};
	const char *const stubborn[] = {
		"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 300; done", NULL};
	struct err err = {0};
	pid_t pid = 0;
	char ready[8];
	int64_t start = now_ms();
	assert_true(spawn_start(gentle, &pid, &err));
	spawn_end(pid, 60000);
	assert_in_range(now_ms() - start, 0, 5000);
	int fd = spawn_socket(stubborn, &pid, &err);
	assert_int_equal(recv(fd, ready, 6, MSG_WAITALL), 6);
	start = now_ms();
	spawn_end(pid, 150);
	assert_in_range(now_ms() - start, 149, 5000);
	assert_true(group_ends(pid));
	close(fd);
	spawn_end(0, 10);
	spawn_end(-1, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stderr_can_be_kept_apart),
		cmocka_unit_test(output_and_exit_code_are_kept),
		cmocka_unit_test(signal_is_told_as_128_and_more),
		cmocka_unit_test(large_input_goes_through),
		cmocka_unit_test(endless_output_is_cut),
		cmocka_unit_test(deadline_kills_the_whole_group),
		cmocka_unit_test(grandchild_with_the_output_open_does_not_hold_us),
		cmocka_unit_test(stop_kills_at_once),
		cmocka_unit_test(missing_program_names_the_cure),
		cmocka_unit_test(child_inherits_nothing_but_what_is_named),
		cmocka_unit_test(signals_are_as_a_fresh_process_has_them),
		cmocka_unit_test(socket_talks_both_ways_and_complaints_are_heard),
		cmocka_unit_test(end_is_gentle_first_and_then_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
