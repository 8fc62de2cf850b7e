/*
 * Files as a whole: read with a limit, written so that they are there entirely or not at all; and
 * for whom we run. For code that must not touch the system itself. Errors name the file and the
 * cure. Any thread.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct file {
	char *bytes;   /* ended by NUL, which length does not count */
	size_t length;
	bool is_private; /* nobody but its owner may read or write it */
};

/* ERR_GONE when there is none, ERR_DENIED, ERR_INPUT when it is no regular file or is larger than
 * limit, ERR_SYSTEM. */
bool file_read(struct arena *arena, const char *path, size_t limit, struct file *file,
	struct err *err);
bool file_can_read(const char *path, struct err *err);

/* Writes with mode 0600, durably: a temporary file beside it, then a rename. */
bool file_write(const char *path, const void *bytes, size_t length, struct err *err);
/* The same, but a file that is there already stays, and *existed tells. */
bool file_create(const char *path, const void *bytes, size_t length, bool *existed,
	struct err *err);
bool file_remove(const char *path, struct err *err);

/* Makes a folder of mode 0700 unless it is there. Its parent must be. */
bool file_make_folder(const char *path, struct err *err);
/* The names in a folder that do not begin with a dot, sorted, ended by NULL; none when there is no
 * folder. */
const char **file_list(struct arena *arena, const char *path, struct err *err);

bool file_user_is_root(void);

#endif
