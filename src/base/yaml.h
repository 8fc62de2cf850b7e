/*
 * YAML into a tree of nodes with line numbers, in an arena. The one owner of the YAML library.
 * Limits: 1 MiB, depth 32, 100,000 nodes; aliases, tags and duplicate keys are errors.
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml {
	enum yaml_kind kind;
	int line, column;       /* from 1; of the value */
	const char *key;        /* in a map, else NULL */
	int key_line;
	const char *text;       /* of a scalar */
	bool quoted;            /* of a scalar: "90" is a string */
	struct yaml *children, *next;
};

/* name is for errors, "FILE:LINE: …". NULL on error. An empty document is an empty map. */
struct yaml *yaml_parse(struct arena *arena, const char *name, const char *text, size_t length,
	struct err *err);
struct yaml *yaml_find(const struct yaml *map, const char *key);

#endif
