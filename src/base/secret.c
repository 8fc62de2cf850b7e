#include "base/secret.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/log.h"
#include "base/redact.h"
#include "base/str.h"

#define KEY_BYTES 32
#define NAME_MAX_LENGTH 64
#define VALUE_MAX ((size_t)64 * 1024)
#define KEY_CREDENTIAL "homeostat.key"

/* A stored secret: this line, a nonce, the box. The box's key depends on the name, so that one
 * secret's file cannot be put in another's place. */
static const char magic[] = "homeostat secret 1\n";
#define MAGIC_BYTES (sizeof(magic) - 1)
#define FILE_MAX (MAGIC_BYTES + crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + VALUE_MAX)

/* Never changed once it can be seen, never freed before secret_done: readers need no lock. */
struct held {
	struct held *next;
	char *value; /* locked memory */
};

static struct {
	_Atomic(struct held *) held;
	atomic_bool warned;
} secrets;

static void die(const char *what)
{
	fprintf(stderr, "homeostat: %s: %s\n", what, strerrordesc_np(errno));
	exit(1);
}

void secret_init(void)
{
	struct rlimit none = {0, 0};
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		die("cannot forbid core dumps");
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		die("cannot forbid core dumps");
	if (sodium_init() < 0)
		die("libsodium does not start");
}

/* Memory that is wiped when freed, left out of core dumps, and locked where the limit allows. */
static char *locked(size_t bytes)
{
	char *memory = sodium_malloc(bytes);
	if (memory == NULL) {
		fputs("homeostat: out of memory\n", stderr);
		abort();
	}
	/* sodium_malloc keeps to itself that it could not lock */
	if (sodium_mlock(memory, bytes) != 0 && !atomic_exchange(&secrets.warned, true))
		log_warn("secrets may be swapped to disk: the limit of locked memory is too low: raise it "
				 "(LimitMEMLOCK=8M in the unit, ulimit -l 8192 in a shell)");
	return memory;
}

static void locked_free_at(char **memory)
{
	sodium_free(*memory);
}
#define auto_locked __attribute__((cleanup(locked_free_at))) char *

/* Keeps a value until secret_done: the same text only once, or as often as threads asked for it in
 * the same moment. */
static const char *hold(const char *value)
{
	for (struct held *held = atomic_load(&secrets.held); held != NULL; held = held->next)
		if (strcmp(held->value, value) == 0)
			return held->value;
	struct held *held = malloc(sizeof(*held));
	if (held == NULL)
		abort();
	held->value = locked(strlen(value) + 1);
	memcpy(held->value, value, strlen(value) + 1);
	redact_register(value);
	held->next = atomic_load(&secrets.held);
	while (!atomic_compare_exchange_weak(&secrets.held, &held->next, held))
		;
	return held->value;
}

static bool check_name(const char *name, struct err *err)
{
	size_t length = strlen(name);
	bool good = length > 0 && length <= NAME_MAX_LENGTH && name[0] != '.';
	for (size_t i = 0; i < length && good; i++)
		good = isalnum((unsigned char)name[i]) || strchr("_.-", name[i]) != NULL;
	return good ||
		err_set(err, ERR_INPUT,
			"secret name \"%.80s\": use 1 to 64 letters, digits, _ . -, "
			"not beginning with a dot",
			name);
}

static bool join(char path[PATH_MAX], const char *folder, const char *name, struct err *err)
{
	return str_format(path, PATH_MAX, "%s/%s", folder, name) ||
		err_set(err, ERR_INPUT, "%.64s…: the path is too long", folder);
}

/* A file of systemd's credentials; false with ERR_GONE when there is none of that name. */
static bool read_credential(
	const char *name, struct arena *arena, struct file *file, struct err *err)
{
	char path[PATH_MAX];
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	if (folder == NULL || folder[0] != '/')
		return err_set(err, ERR_GONE, "no credentials folder");
	return join(path, folder, name, err) && file_read(arena, path, VALUE_MAX + 1, file, err);
}

/* 32 bytes, or 64 hexadecimal digits. */
static bool read_key(
	const struct file *file, const char *place, unsigned char *key, struct err *err)
{
	size_t got = 0;
	if (file->length == KEY_BYTES) {
		memcpy(key, file->bytes, KEY_BYTES);
		return true;
	}
	sodium_hex2bin(key, KEY_BYTES, file->bytes, file->length, "\n\r", &got, NULL);
	return got == KEY_BYTES ||
		err_set(err, ERR_INPUT,
			"%s: is no key: it must be 32 bytes or 64 hexadecimal digits; restore it from a backup "
			"(with "
			"another key the stored secrets are lost)",
			place);
}

/* Makes the state's key, unless another process was quicker. */
static bool make_key(const char *state_dir, const char *path, struct err *err)
{
	auto_locked hex = locked(2 * KEY_BYTES + 1);
	auto_locked key = locked(KEY_BYTES);
	bool existed;
	randombytes_buf(key, KEY_BYTES);
	sodium_bin2hex(hex, 2 * KEY_BYTES + 1, (const unsigned char *)key, KEY_BYTES);
	return file_make_folder(state_dir, err) && file_create(path, hex, 2 * KEY_BYTES, &existed, err);
}

static bool load_key(const char *state_dir, unsigned char *key, struct err *err)
{
	char path[PATH_MAX];
	struct file file;
	struct err why = {0};
	auto_arena arena = arena_new(256 * 1024);
	if (read_credential(KEY_CREDENTIAL, arena, &file, &why)) {
		bool ok = read_key(&file, "credential " KEY_CREDENTIAL, key, err);
		sodium_memzero(file.bytes, file.length);
		return ok;
	}
	if (why.kind != ERR_GONE)
		return err_set(err, why.kind, "%s", why.text);
	if (!join(path, state_dir, "secret.key", err))
		return false;
	if (!file_read(arena, path, 1024, &file, &why)) {
		if (why.kind != ERR_GONE)
			return err_set(err, why.kind, "%s", why.text);
		if (!make_key(state_dir, path, err) || !file_read(arena, path, 1024, &file, err))
			return false;
	}
	bool ok = file.is_private ||
		err_set(err, ERR_DENIED,
			"%s: others can read the key of all secrets: chmod 600 %s (and owned by who runs "
			"homeostat)",
			path, path);
	ok = ok && read_key(&file, path, key, err);
	sodium_memzero(file.bytes, file.length);
	return ok;
}

bool secret_derive(
	const char *state_dir, const char *purpose, unsigned char key[32], struct err *err)
{
	auto_locked master = locked(KEY_BYTES);
	if (!load_key(state_dir, (unsigned char *)master, err))
		return false;
	crypto_generichash(key, KEY_BYTES, (const unsigned char *)purpose, strlen(purpose),
		(const unsigned char *)master, KEY_BYTES);
	return true;
}

static bool box_key(const char *state_dir, const char *name, char *key, struct err *err)
{
	char purpose[NAME_MAX_LENGTH + 16];
	STR_FORMAT(purpose, "secret:%s", name);
	return secret_derive(state_dir, purpose, (unsigned char *)key, err);
}

static bool secret_path(
	char path[PATH_MAX], const char *state_dir, const char *name, struct err *err)
{
	return str_format(path, PATH_MAX, "%s/secrets/%s", state_dir, name) ||
		err_set(err, ERR_INPUT, "%.64s…: the path is too long", state_dir);
}

/* A text as a value: without its last line's end, not empty, no NUL within. */
static bool trim(char *value, size_t length, const char *place, struct err *err)
{
	if (length > 0 && value[length - 1] == '\n')
		value[--length] = '\0';
	if (length > 0 && value[length - 1] == '\r')
		value[--length] = '\0';
	if (length == 0)
		return err_set(err, ERR_INPUT, "%s: is empty", place);
	return strlen(value) == length || err_set(err, ERR_INPUT, "%s: holds a NUL character", place);
}

static const char *from_credential(const char *name, struct err *err)
{
	struct file file;
	auto_arena arena = arena_new(256 * 1024);
	if (!read_credential(name, arena, &file, err))
		return NULL;
	bool ok = trim(file.bytes, file.length, name, err);
	const char *value = ok ? hold(file.bytes) : NULL;
	sodium_memzero(file.bytes, file.length);
	return value;
}

static const char *open_box(
	const struct file *file, const char *path, const char *key, struct err *err)
{
	size_t head = MAGIC_BYTES + crypto_secretbox_NONCEBYTES;
	size_t smallest = head + crypto_secretbox_MACBYTES + 1;
	const unsigned char *bytes = (const unsigned char *)file->bytes;
	if (file->length >= smallest && memcmp(bytes, magic, MAGIC_BYTES) == 0) {
		size_t length = file->length - head;
		auto_locked value = locked(length - crypto_secretbox_MACBYTES + 1);
		value[length - crypto_secretbox_MACBYTES] = '\0';
		if (crypto_secretbox_open_easy((unsigned char *)value, bytes + head, length,
				bytes + MAGIC_BYTES, (const unsigned char *)key) == 0)
			return hold(value);
	}
	err_set(err, ERR_INPUT,
		"%s: does not open with this key: it is damaged, or secret.key was "
		"replaced: set the secret again",
		path);
	return NULL;
}

static const char *from_store(const char *state_dir, const char *name, struct err *err)
{
	char path[PATH_MAX];
	struct file file;
	auto_arena arena = arena_new(256 * 1024);
	if (!secret_path(path, state_dir, name, err) || !file_read(arena, path, FILE_MAX, &file, err))
		return NULL;
	auto_locked key = locked(KEY_BYTES);
	if (!box_key(state_dir, name, key, err))
		return NULL;
	return open_box(&file, path, key, err);
}

static const char *resolve_secret(const char *state_dir, const char *name, struct err *err)
{
	struct err why = {0};
	if (!check_name(name, err))
		return NULL;
	const char *value = from_credential(name, &why);
	if (value == NULL && why.kind == ERR_GONE && state_dir != NULL)
		value = from_store(state_dir, name, &why);
	if (value == NULL && why.kind == ERR_GONE)
		err_set(err, ERR_GONE, "secret:%s is not set: run: homeostat secret set %s", name, name);
	else if (value == NULL)
		err_set(err, why.kind, "secret:%s: %s", name, why.text);
	return value;
}

static const char *resolve_env(const char *name, struct err *err)
{
	const char *value = getenv(name);
	if (value != NULL && value[0] != '\0')
		return hold(value);
	err_set(err, ERR_GONE,
		"env:%s: the environment has no such variable: export %s=…, or keep it by: "
		"homeostat secret set NAME, and write secret:NAME",
		name, name);
	return NULL;
}

const char *secret_resolve(const char *state_dir, const char *reference, struct err *err)
{
	if (str_starts(reference, "secret:"))
		return resolve_secret(state_dir, reference + strlen("secret:"), err);
	if (str_starts(reference, "env:"))
		return resolve_env(reference + strlen("env:"), err);
	redact_register(reference);
	return reference;
}

bool secret_set(const char *state_dir, const char *name, const char *value, struct err *err)
{
	char path[PATH_MAX], folder[PATH_MAX];
	size_t length = strlen(value);
	if (!check_name(name, err) || !secret_path(path, state_dir, name, err))
		return false;
	if (length == 0 || length > VALUE_MAX)
		return err_set(
			err, ERR_INPUT, "secret %s: the value must have 1 to %zu bytes", name, VALUE_MAX);
	redact_register(value);
	auto_locked key = locked(KEY_BYTES);
	if (!join(folder, state_dir, "secrets", err) || !box_key(state_dir, name, key, err) ||
		!file_make_folder(folder, err))
		return false;
	size_t head = MAGIC_BYTES + crypto_secretbox_NONCEBYTES;
	size_t size = head + crypto_secretbox_MACBYTES + length;
	auto_arena arena = arena_new(size + 1024);
	unsigned char *bytes = arena_alloc(arena, size);
	memcpy(bytes, magic, MAGIC_BYTES);
	randombytes_buf(bytes + MAGIC_BYTES, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(bytes + head, (const unsigned char *)value, length, bytes + MAGIC_BYTES,
		(const unsigned char *)key);
	return file_write(path, bytes, size, err);
}

bool secret_remove(const char *state_dir, const char *name, struct err *err)
{
	char path[PATH_MAX];
	struct err why = {0};
	if (!check_name(name, err) || !secret_path(path, state_dir, name, err))
		return false;
	if (file_remove(path, &why))
		return true;
	if (why.kind == ERR_GONE)
		return err_set(
			err, ERR_GONE, "secret %s is not set: homeostat secret list shows what is", name);
	return err_set(err, why.kind, "%s", why.text);
}

const char **secret_list(const char *state_dir, struct arena *arena, struct err *err)
{
	char folder[PATH_MAX];
	return join(folder, state_dir, "secrets", err) ? file_list(arena, folder, err) : NULL;
}

void secret_done(void)
{
	struct held *held = atomic_exchange(&secrets.held, NULL);
	while (held != NULL) {
		struct held *next = held->next;
		sodium_free(held->value);
		free(held);
		held = next;
	}
}
