/*
 * YAML libraries on a configuration of many sources: parse to a tree. One library a process. Usage:
 * yaml LIBRARY FILE; prints one line. libcyaml reads by a schema, on top of libyaml.
 */
#include <cyaml/cyaml.h>
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/yaml.h"

enum { ROUNDS = 15 };

struct entry {
	char *name, *url;
};

struct document {
	struct entry *docker;
	unsigned docker_count;
};

static const cyaml_schema_field_t entry_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct entry, name, 0, CYAML_UNLIMITED),
	CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, struct entry, url, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t entry_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct entry, entry_fields),
};
static const cyaml_schema_field_t document_fields[] = {
	CYAML_FIELD_SEQUENCE(
		"docker", CYAML_FLAG_POINTER, struct document, docker, &entry_schema, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t document_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct document, document_fields),
};

static double now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static long rss_kib(void)
{
	char line[80] = "";
	long pages = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file == NULL)
		return 0;
	bool read = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	if (!read || sscanf(line, "%ld %ld", &pages, &resident) != 2)
		return 0;
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static bool run_libyaml(const char *text, size_t length)
{
	struct err err;
	auto_arena arena = arena_new(64 << 20);
	return yaml_parse(arena, "bench", text, length, &err) != NULL;
}

static bool run_libfyaml(const char *text, size_t length)
{
	struct fy_document *document = fy_document_build_from_string(NULL, text, length);
	bool ok = document != NULL && fy_document_root(document) != NULL;
	fy_document_destroy(document);
	return ok;
}

static bool run_libcyaml(const char *text, size_t length)
{
	static const cyaml_config_t config = {
		.log_fn = cyaml_log, .mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR};
	struct document *document = NULL;
	bool ok = cyaml_load_data((const uint8_t *)text, length, &config, &document_schema,
				  (cyaml_data_t **)&document, NULL) == CYAML_OK;
	cyaml_free(&config, &document_schema, document, 0);
	return ok;
}

static const struct {
	const char *name;
	bool (*run)(const char *, size_t);
} libraries[] = {
	{"libyaml", run_libyaml},
	{"libfyaml", run_libfyaml},
	{"libcyaml", run_libcyaml},
	{NULL, NULL},
};

static int compare(const void *a, const void *b)
{
	const double *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

int main(int argc, char **argv)
{
	static char text[1 << 20];
	FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
	if (file == NULL)
		return 2;
	size_t length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	for (int i = 0; libraries[i].name != NULL; i++) {
		if (strcmp(libraries[i].name, argv[1]) != 0)
			continue;
		double ms[ROUNDS];
		long before = rss_kib();
		for (int round = 0; round < ROUNDS; round++) {
			double start = now_ms();
			if (!libraries[i].run(text, length))
				return 1;
			ms[round] = now_ms() - start;
		}
		qsort(ms, ROUNDS, sizeof(ms[0]), compare);
		printf("%-8s %8.2f ms   RSS after %d rounds, over before: %+5ld KiB\n", argv[1],
			ms[ROUNDS / 2], ROUNDS, rss_kib() - before);
		return 0;
	}
	return 2;
}
