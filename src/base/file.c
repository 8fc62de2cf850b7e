#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

/* What errno means for path, and what helps. */
static bool fail(struct err *err, const char *path, const char *what)
{
	int code = errno;
	switch (code) {
	case ENOENT:
		return err_set(err, ERR_GONE, "%s: no such file or folder", path);
	case EACCES:
	case EPERM:
		return err_set(err, ERR_DENIED,
			"%s: not allowed to %s it: check its owner and mode, or run as "
			"root",
			path, what);
	case EROFS:
		return err_set(
			err, ERR_SYSTEM, "%s: cannot %s it: the file system is read-only", path, what);
	case ENOSPC:
	case EDQUOT:
		return err_set(err, ERR_SYSTEM, "%s: cannot %s it: the disk is full", path, what);
	default:
		return err_set(err, ERR_SYSTEM, "%s: cannot %s it: %s", path, what, strerrordesc_np(code));
	}
}

static void close_at(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define auto_fd __attribute__((cleanup(close_at))) int

static bool read_all(int fd, const char *path, struct file *file, struct err *err)
{
	size_t at = 0;
	while (at < file->length) {
		ssize_t n = read(fd, file->bytes + at, file->length - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(err, path, "read");
		if (n == 0)
			break;
		at += (size_t)n;
	}
	file->length = at;
	file->bytes[at] = '\0';
	return true;
}

bool file_read(
	struct arena *arena, const char *path, size_t limit, struct file *file, struct err *err)
{
	/* O_NONBLOCK: opening a FIFO by mistake must not wait for a writer */
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(err, path, "read");
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "%s: is not a regular file", path);
	if ((size_t)st.st_size > limit)
		return err_set(err, ERR_INPUT, "%s: has %lld bytes, at most %zu are read", path,
			(long long)st.st_size, limit);
	file->length = (size_t)st.st_size;
	file->bytes = arena_try(arena, file->length + 1);
	if (file->bytes == NULL)
		return err_set(err, ERR_INPUT, "%s: is too large", path);
	bool ours = st.st_uid == geteuid() || st.st_uid == 0;
	file->is_private = ours && (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
	return read_all(fd, path, file, err);
}

bool file_can_read(const char *path, struct err *err)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(err, path, "read");
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "%s: is not a regular file", path);
	return true;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return fsync(fd) == 0;
}

/* The rename is durable only when the folder is. */
static void sync_folder(const char *path)
{
	char folder[PATH_MAX];
	STR_SET(folder, path);
	char *slash = strrchr(folder, '/');
	if (slash == NULL)
		STR_SET(folder, ".");
	else
		slash[slash == folder ? 1 : 0] = '\0';
	auto_fd fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fsync(fd);
}

/* Writes a temporary file beside path, hidden by a dot; its name in temporary. */
static bool write_beside(
	const char *path, const void *bytes, size_t length, char *temporary, struct err *err)
{
	const char *slash = strrchr(path, '/');
	int folder = slash == NULL ? 0 : (int)(slash - path) + 1;
	if (!str_format(temporary, PATH_MAX, "%.*s.%s.XXXXXX", folder, path, path + folder))
		return err_set(err, ERR_INPUT, "%.64s…: the path is too long", path);
	auto_fd fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return fail(err, path, "write");
	if (write_all(fd, bytes, length))
		return true;
	fail(err, path, "write");
	unlink(temporary);
	return false;
}

bool file_write(const char *path, const void *bytes, size_t length, struct err *err)
{
	char temporary[PATH_MAX];
	if (!write_beside(path, bytes, length, temporary, err))
		return false;
	if (rename(temporary, path) < 0) {
		fail(err, path, "write");
		unlink(temporary);
		return false;
	}
	sync_folder(path);
	return true;
}

bool file_create(const char *path, const void *bytes, size_t length, bool *existed, struct err *err)
{
	char temporary[PATH_MAX];
	if (!write_beside(path, bytes, length, temporary, err))
		return false;
	bool linked = link(temporary, path) == 0;
	*existed = !linked && errno == EEXIST;
	if (!linked && !*existed)
		fail(err, path, "create");
	unlink(temporary);
	sync_folder(path);
	return linked || *existed;
}

bool file_remove(const char *path, struct err *err)
{
	if (unlink(path) < 0)
		return fail(err, path, "remove");
	sync_folder(path);
	return true;
}

bool file_make_folder(const char *path, struct err *err)
{
	struct stat st;
	if (mkdir(path, 0700) == 0)
		return true;
	if (errno != EEXIST)
		return fail(err, path, "create");
	if (stat(path, &st) < 0)
		return fail(err, path, "read");
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INPUT, "%s: is not a folder: move it away", path);
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;
	return strcmp(*left, *right);
}

const char **file_list(struct arena *arena, const char *path, struct err *err)
{
	DIR *folder = opendir(path);
	size_t n = 0, room = 16;
	const char **names = ARENA_ARRAY(arena, const char *, room);
	if (folder == NULL && errno == ENOENT)
		return names;
	if (folder == NULL) {
		fail(err, path, "read");
		return NULL;
	}
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		if (n + 1 == room) {
			names = arena_grow(arena, names, room * sizeof(char *), room * 2 * sizeof(char *));
			room *= 2;
		}
		char *name = names == NULL ? NULL : arena_try(arena, strlen(entry->d_name) + 1);
		if (name == NULL) {
			closedir(folder);
			err_set(err, ERR_INPUT, "%s: has too many files", path);
			return NULL;
		}
		memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
		names[n++] = name;
	}
	closedir(folder);
	names[n] = NULL;
	qsort(names, n, sizeof(names[0]), compare_names);
	return names;
}

bool file_user_is_root(void)
{
	return geteuid() == 0;
}
