/*
 * What the lab's files share: the lab itself, and the worlds that answer instead of a network. A
 * world is a simulator and the addresses behind which it stands: one file, ended by its const
 * struct and listed in lab_http.c. Everything is one thread's.
 */
#ifndef TESTS_LAB_INTERNAL_H
#define TESTS_LAB_INTERNAL_H

#include <setjmp.h>

#include "base/clock.h"
#include "base/http.h"
#include "model/config.h"
#include "tests/lab.h"

#define LAB_WORLDS 8
#define LAB_WATCHERS 32

/* A client's handle. Which world it reaches was decided when it was opened. */
struct http {
	struct http_config config; /* its own copies of base_url, fingerprint, ca_file and name */
	int world;                 /* -1: none of them stands at that address */
};

struct lab_world {
	const char *name; /* `world NAME: LINE` and `fault NAME: LINE` of a scenario */
	bool (*is_at)(const struct http_config *config);
	void *(*make)(const struct clock *clock);
	void (*end)(void *self);
	void (*tick)(void *self);
	bool (*script)(void *self, const char *line, char *text, size_t size);
	/* What was asked of it that may change something, by pattern. */
	int (*posts)(void *self, const char *pattern);
	/* As http_perform: errors are of the kinds, and in the words, that http.c would give. */
	bool (*perform)(void *self, const struct http *http, const struct http_request *request,
		struct arena *arena, struct http_reply *reply, struct err *err);
	/* Streams; all NULL: it has none. */
	void *(*stream)(void *self, const struct http *http, const struct http_request *request,
		struct err *err);
	enum http_next (*next)(void *self, void *stream, const char **line, size_t *length);
	void (*close)(void *stream);
};
extern const struct lab_world *const lab_worlds[]; /* ended by NULL */
extern const struct lab_world lab_claude, lab_docker, lab_host, lab_net, lab_pve, lab_telegram;

struct lab {
	struct clock *clock;
	void *worlds[LAB_WORLDS]; /* in the order of lab_worlds */
	char folder[64], extra[4096], evidence[65536];
	char *words;
	size_t words_length;
	struct config *config;
	struct jobs *jobs;
	struct mailbox *inbox, *notices;
	struct store *store;
	struct heal *heal;
	struct watcher *watchers[LAB_WATCHERS];
	int watcher_count;
	struct chat *chat; /* NULL: none is configured */
	int64_t polled_at;
	struct notifier *notifier; /* the same */
	int calls, commits, burst, most;
	int http_at, kill_at;
	enum lab_fault http_when, kill_when;
	bool happened, disk_full, killable;
	jmp_buf killed;
};

/* The replaced functions have no argument that names the lab. */
extern struct lab *lab_current;
/* A world's own simulator. */
void *lab_world(struct lab *lab, const struct lab_world *world);
/* "NAME: METHOD PATH: ", what http.c puts before each error. Returns false. */
bool lab_error(const struct http *http, const struct http_request *request, struct err *err);

#endif
