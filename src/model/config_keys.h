/*
 * The table of the configuration's keys, for config*.c only: what each key is called, of which type
 * its value is, where it goes and between which bounds. Defaults are texts of the same form and are
 * read by the same code, so that the manual cannot differ from the program.
 */
#ifndef MODEL_CONFIG_KEYS_H
#define MODEL_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/yaml.h"
#include "model/config.h"

enum config_type {
	TYPE_TEXT,     /* const char * */
	TYPE_NAME,     /* const char *: of a source */
	TYPE_PATH,     /* const char *: absolute */
	TYPE_FILE,     /* const char *: absolute, can be read */
	TYPE_PATTERN,  /* const char * */
	TYPE_SECRET,   /* const char *: secret:NAME, env:NAME, or the value in a private file */
	TYPE_NUMBERS,  /* const int64_t *, each once; how many, int, at second_offset: [104, 101] */
	TYPE_NUMBER,   /* int64_t */
	TYPE_HOURS,    /* int, minute of the day; its end at second_offset: "22:00..07:00" */
	TYPE_DURATION, /* int64_t, ms */
	TYPE_COUNT,    /* int */
	TYPE_FLAG,     /* bool: true, false */
	TYPE_RATE,     /* int; its time at second_offset: "5 per 10m", "3 in 5s" */
	TYPE_RANGE,    /* int64_t; its end at second_offset: "10s..300s" */
	TYPE_HEALING, TYPE_RISK, TYPE_CONSENT,
	TYPE_SECTION,  /* a map or a list with a reader of its own */
};

struct config_check {
	enum config_type type;
	size_t offset, second_offset;
	int64_t min, max; /* of the number or the time */
};

/* One run of reading. Everything is in the configuration's arena. */
struct config_reader {
	struct config *config;
	struct arena *arena;
	const char *name;
	bool is_private;
	struct err *err;
	int warning_count;
};

#define CONFIG_WARNINGS_MAX 64
#define CONFIG_SOURCES_MAX 32

/* Sets the error "FILE:LINE: key: …"; false, to be returned. */
bool config_fail(struct config_reader *reader, int line, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void config_warn(struct config_reader *reader, int line, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Reads a map's keys into out by the part of the table that begins with prefix ("docker."; "" for
 * the top): defaults first. Sections are left to the caller. */
bool config_read_map(struct config_reader *reader, const struct yaml *map, const char *prefix,
	void *out);
/* One value into out. */
bool config_read_value(struct config_reader *reader, const struct yaml *value,
	const struct config_key *key, void *out);

/* "user:password@host:port" taken apart; empty where there is none. */
struct config_host {
	char user[128], host[256], port[8];
	bool has_password, bad;
};
/* text: what follows "://". */
struct config_host config_host_read(const char *text);
bool config_host_is_loopback(const char *host);
/* 32 pairs of hexadecimal digits, with colons or without. */
bool config_is_fingerprint(const char *text);

bool config_docker_homes(struct config_reader *reader);
bool config_read_docker(struct config_reader *reader, const struct yaml *list);
bool config_read_proxmox(struct config_reader *reader, const struct yaml *list);
bool config_read_telegram(struct config_reader *reader, const struct yaml *map);
/* That what is named in another section is there; after all of them. */
bool config_check_references(struct config_reader *reader);
bool config_read_machines(struct config_reader *reader, const struct yaml *list);
bool config_read_notify(struct config_reader *reader, const struct yaml *list);
bool config_read_mcp(struct config_reader *reader, const struct yaml *list);
bool config_read_maintenance(struct config_reader *reader, const struct yaml *list);
/* NULL: there is no such section. */
bool config_read_redact(struct config_reader *reader, const struct yaml *map);
bool config_read_claude(struct config_reader *reader, const struct yaml *map);
bool config_read_probes(struct config_reader *reader, const struct yaml *list);
bool config_read_policy(struct config_reader *reader, const struct yaml *list);

#endif
