/* What the secret store promises: encrypted, private, atomic, and words that say what is missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/redact.h"
#include "base/secret.h"
#include "base/str.h"

static char state_dir[64], secrets_dir[80];
static struct arena *arena;
static struct err err;

static int setup(void **state)
{
	(void)state;
	STR_SET(state_dir, "/tmp/test-secret-XXXXXX");
	arena = arena_new(1 << 20);
	err = (struct err){0};
	unsetenv("CREDENTIALS_DIRECTORY");
	if (mkdtemp(state_dir) == NULL)
		return 1;
	STR_FORMAT(secrets_dir, "%s/secrets", state_dir);
	return 0;
}

static const char *path_of(const char *name)
{
	return arena_printf(arena, "%s/%s", state_dir, name);
}

static int teardown(void **state)
{
	(void)state;
	const char **names = file_list(arena, secrets_dir, NULL);
	for (; names != NULL && *names != NULL; names++)
		unlink(arena_printf(arena, "%s/%s", secrets_dir, *names));
	unlink(path_of("secret.key"));
	unlink(path_of("token"));
	unlink(path_of("homeostat.key"));
	rmdir(secrets_dir);
	int left = rmdir(state_dir);
	secret_done();
	redact_reset();
	arena_free(arena);
	return left;
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void copy_file(const char *from, const char *to)
{
	struct file file;
	assert_true(file_read(arena, from, 1 << 17, &file, &err));
	assert_true(file_write(to, file.bytes, file.length, &err));
}

static void what_is_set_is_resolved_and_hidden_by_the_redactor(void **state)
{
	(void)state;
	assert_true(secret_set(state_dir, "proxmox", "s3cret-value", &err));
	assert_string_equal(secret_resolve(state_dir, "secret:proxmox", &err), "s3cret-value");
	secret_done();
	redact_reset();
	assert_string_equal(secret_resolve(state_dir, "secret:proxmox", &err), "s3cret-value");
	char text[64] = "it is s3cret-value!";
	redact(text, sizeof(text));
	assert_string_equal(text, "it is [redacted]!");
	assert_ptr_equal(secret_resolve(state_dir, "secret:proxmox", &err),
		secret_resolve(state_dir, "secret:proxmox", &err));
}

static void the_file_is_private_and_does_not_show_the_value(void **state)
{
	(void)state;
	struct file file;
	assert_true(secret_set(state_dir, "a", "visible-value", &err));
	assert_int_equal(mode_of(path_of("secrets/a")), 0600);
	assert_int_equal(mode_of(path_of("secret.key")), 0600);
	assert_int_equal(mode_of(secrets_dir), 0700);
	assert_true(file_read(arena, path_of("secrets/a"), 4096, &file, &err));
	assert_null(memmem(file.bytes, file.length, "visible", 7));
	assert_true(secret_set(state_dir, "a", "another value", &err));
	assert_string_equal(secret_resolve(state_dir, "secret:a", &err), "another value");
	const char **names = secret_list(state_dir, arena, &err);
	assert_string_equal(names[0], "a");
	assert_null(names[1]);
}

static void names_are_listed_sorted_and_removed(void **state)
{
	(void)state;
	assert_null(secret_list(state_dir, arena, &err)[0]);
	assert_true(secret_set(state_dir, "telegram", "xxxxxxx", &err));
	assert_true(secret_set(state_dir, "api", "yyyyyyy", &err));
	const char **names = secret_list(state_dir, arena, &err);
	assert_string_equal(names[0], "api");
	assert_string_equal(names[1], "telegram");
	assert_null(names[2]);
	assert_true(secret_remove(state_dir, "api", &err));
	assert_false(secret_remove(state_dir, "api", &err));
	assert_int_equal(err.kind, ERR_GONE);
	assert_null(secret_resolve(state_dir, "secret:api", &err));
}

static void a_missing_secret_names_the_command_that_sets_it(void **state)
{
	(void)state;
	assert_null(secret_resolve(state_dir, "secret:proxmox", &err));
	assert_int_equal(err.kind, ERR_GONE);
	assert_non_null(strstr(err.text, "homeostat secret set proxmox"));
	unsetenv("HOMEOSTAT_TEST_SECRET");
	assert_null(secret_resolve(state_dir, "env:HOMEOSTAT_TEST_SECRET", &err));
	assert_non_null(strstr(err.text, "env:HOMEOSTAT_TEST_SECRET"));
	setenv("HOMEOSTAT_TEST_SECRET", "from-env", 1);
	assert_string_equal(secret_resolve(state_dir, "env:HOMEOSTAT_TEST_SECRET", &err), "from-env");
}

static void a_clear_text_is_returned_and_registered(void **state)
{
	(void)state;
	char text[64] = "clear-text-value";
	assert_string_equal(secret_resolve(state_dir, "clear-text-value", &err), "clear-text-value");
	redact(text, sizeof(text));
	assert_string_equal(text, "[redacted]");
}

static void names_cannot_leave_the_folder(void **state)
{
	(void)state;
	char longest[66];
	memset(longest, 'a', 65);
	longest[65] = '\0';
	const char *const bad[] = {"", ".", "..", "../x", "a/b", ".hidden", "a b", "é", longest};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(secret_set(state_dir, bad[i], "value", &err));
		assert_int_equal(err.kind, ERR_INPUT);
		assert_false(secret_remove(state_dir, bad[i], &err));
		assert_null(secret_resolve(state_dir, arena_printf(arena, "secret:%s", bad[i]), &err));
		assert_int_equal(err.kind, ERR_INPUT);
	}
	longest[64] = '\0';
	assert_true(secret_set(state_dir, longest, "value", &err));
	assert_false(secret_set(state_dir, "empty", "", &err));
}

static void systemds_credential_goes_first(void **state)
{
	(void)state;
	assert_true(secret_set(state_dir, "token", "from-store", &err));
	assert_true(file_write(path_of("token"), "from-systemd\n", 13, &err));
	assert_string_equal(secret_resolve(state_dir, "secret:token", &err), "from-store");
	setenv("CREDENTIALS_DIRECTORY", state_dir, 1);
	assert_string_equal(secret_resolve(state_dir, "secret:token", &err), "from-systemd");
	assert_true(file_write(path_of("token"), "\n", 1, &err));
	assert_null(secret_resolve(state_dir, "secret:token", &err));
	assert_non_null(strstr(err.text, "empty"));
	assert_true(file_write(path_of("token"), "a\0b", 3, &err));
	assert_null(secret_resolve(state_dir, "secret:token", &err));
	assert_non_null(strstr(err.text, "NUL"));
}

static void the_key_may_be_a_credential(void **state)
{
	(void)state;
	char key[32];
	memset(key, 7, sizeof(key));
	assert_true(file_write(path_of("homeostat.key"), key, sizeof(key), &err));
	setenv("CREDENTIALS_DIRECTORY", state_dir, 1);
	assert_true(secret_set(state_dir, "a", "by credential", &err));
	assert_int_equal(access(path_of("secret.key"), F_OK), -1);
	assert_string_equal(secret_resolve(state_dir, "secret:a", &err), "by credential");
	assert_true(file_write(path_of("homeostat.key"), key, 31, &err));
	assert_null(secret_resolve(state_dir, "secret:a", &err));
	assert_non_null(strstr(err.text, "is no key"));
}

static void a_damaged_or_exchanged_secret_is_refused(void **state)
{
	(void)state;
	struct file file;
	assert_true(secret_set(state_dir, "a", "value of a", &err));
	assert_true(secret_set(state_dir, "b", "value of b", &err));
	copy_file(path_of("secrets/a"), path_of("secrets/b"));
	assert_null(secret_resolve(state_dir, "secret:b", &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "set the secret again"));
	assert_true(file_read(arena, path_of("secrets/a"), 4096, &file, &err));
	file.bytes[file.length - 1] ^= 1;
	assert_true(file_write(path_of("secrets/a"), file.bytes, file.length, &err));
	assert_null(secret_resolve(state_dir, "secret:a", &err));
	assert_true(file_write(path_of("secrets/a"), "x", 1, &err));
	assert_null(secret_resolve(state_dir, "secret:a", &err));
}

static void a_key_that_others_can_read_is_refused(void **state)
{
	(void)state;
	assert_true(secret_set(state_dir, "a", "value of a", &err));
	assert_int_equal(chmod(path_of("secret.key"), 0640), 0);
	assert_null(secret_resolve(state_dir, "secret:a", &err));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "chmod 600"));
}

static void derived_keys_are_stable_and_differ_by_purpose(void **state)
{
	(void)state;
	unsigned char audit[32], again[32], other[32];
	assert_true(secret_derive(state_dir, "audit", audit, &err));
	assert_true(secret_derive(state_dir, "audit", again, &err));
	assert_true(secret_derive(state_dir, "other", other, &err));
	assert_memory_equal(audit, again, 32);
	assert_memory_not_equal(audit, other, 32);
}

static void processes_that_start_together_agree_on_one_key(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			unsigned char key[32];
			bool ok = secret_derive(state_dir, "audit", key, NULL);
			_exit(ok && write(fds[1], key, 32) == 32 ? 0 : 1);
		}
	}
	unsigned char first[32], key[32];
	for (int i = 0; i < 8; i++) {
		int status;
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
		assert_int_equal(read(fds[0], i == 0 ? first : key, 32), 32);
		if (i > 0)
			assert_memory_equal(first, key, 32);
	}
	close(fds[0]);
	close(fds[1]);
}

static void a_missing_parent_is_a_clear_error(void **state)
{
	(void)state;
	assert_false(secret_set("/nonexistent/a/b", "x", "value", &err));
	assert_non_null(strstr(err.text, "/nonexistent/a/b"));
	assert_null(secret_list("/dev/null", arena, &err));
}

static void the_process_leaves_no_core_dump(void **state)
{
	(void)state;
	struct rlimit limit;
	pid_t pid = fork(); /* the limit stays lowered: not for the rest of the tests */
	if (pid == 0) {
		secret_init();
		bool ok = prctl(PR_GET_DUMPABLE) == 0 && getrlimit(RLIMIT_CORE, &limit) == 0 &&
			limit.rlim_max == 0;
		_exit(ok ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void without_locked_memory_it_warns_and_works(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit none = {0, 0};
		/* root may lock whatever the limit: an ordinary user may not */
		if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || chmod(state_dir, 0777) != 0 ||
			(geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)))
			_exit(2);
		setenv("HOMEOSTAT_TEST_SECRET", "from-env", 1);
		const char *value = secret_resolve(state_dir, "env:HOMEOSTAT_TEST_SECRET", NULL);
		_exit(value != NULL && strcmp(value, "from-env") == 0 ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_set_is_resolved_and_hidden_by_the_redactor, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_file_is_private_and_does_not_show_the_value, setup, teardown),
		cmocka_unit_test_setup_teardown(names_are_listed_sorted_and_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_missing_secret_names_the_command_that_sets_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_clear_text_is_returned_and_registered, setup, teardown),
		cmocka_unit_test_setup_teardown(names_cannot_leave_the_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(systemds_credential_goes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(the_key_may_be_a_credential, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_or_exchanged_secret_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_that_others_can_read_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			derived_keys_are_stable_and_differ_by_purpose, setup, teardown),
		cmocka_unit_test_setup_teardown(
			processes_that_start_together_agree_on_one_key, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_parent_is_a_clear_error, setup, teardown),
		cmocka_unit_test_setup_teardown(the_process_leaves_no_core_dump, setup, teardown),
		cmocka_unit_test_setup_teardown(without_locked_memory_it_warns_and_works, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
