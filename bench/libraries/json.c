/*
 * JSON libraries on what homeostat reads: parse, then read three members of every element. One
 * library a process, so that heap and RSS are its own. Usage: json LIBRARY FILE; prints one line.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#define json_copy jansson_copy
#define JSON_NULL JANSSON_NULL
#define JSON_STRING JANSSON_STRING
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_OBJECT JANSSON_OBJECT
#include <jansson.h>
#undef json_copy
#undef JSON_NULL
#undef JSON_STRING
#undef JSON_ARRAY
#undef JSON_OBJECT

#include "base/json.h"

enum { ROUNDS = 15 };

struct figures {
	double ms;
	size_t heap_bytes, seen;
};

static double now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
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

/* Member names of a Docker list and of Proxmox's cluster/resources. */
static const char *const wanted[] = {"Id", "State", "Status", "vmid", "name", "mem"};
enum { WANTED = sizeof(wanted) / sizeof(wanted[0]) };

static struct figures run_homeostat(const char *text, size_t length)
{
	struct figures out = {0};
	size_t before = heap_bytes();
	auto_arena arena = arena_new(256 << 20);
	struct json root;
	struct err err;
	double start = now_ms();
	if (!json_parse(arena, text, length, &root, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	struct json list = json_is(json_get(root, "data")) ? json_get(root, "data") : root;
	for (struct json v = json_first(list); json_is(v); v = json_next(v))
		for (int i = 0; i < WANTED; i++) {
			char field[80];
			out.seen += json_copy(json_get(v, wanted[i]), field, sizeof(field));
		}
	out.ms = now_ms() - start;
	out.heap_bytes = heap_bytes() - before;
	return out;
}

static struct figures run_jansson(const char *text, size_t length)
{
	struct figures out = {0};
	size_t before = heap_bytes(), i;
	json_t *item;
	double start = now_ms();
	json_t *root = json_loadb(text, length, 0, NULL);
	/* not json_is_array: its JSON_ARRAY is ours by now */
	json_t *list = json_array_size(root) > 0 ? root : json_object_get(root, "data");
	json_array_foreach(list, i, item) for (int k = 0; k < WANTED; k++)
		out.seen += json_object_get(item, wanted[k]) != NULL;
	out.ms = now_ms() - start;
	out.heap_bytes = heap_bytes() - before;
	json_decref(root);
	return out;
}

static struct figures run_cjson(const char *text, size_t length)
{
	struct figures out = {0};
	size_t before = heap_bytes();
	const cJSON *item;
	double start = now_ms();
	cJSON *root = cJSON_ParseWithLength(text, length);
	const cJSON *list = cJSON_IsArray(root) ? root : cJSON_GetObjectItemCaseSensitive(root, "data");
	cJSON_ArrayForEach(item, list) for (int k = 0; k < WANTED; k++)
		out.seen += cJSON_GetObjectItemCaseSensitive(item, wanted[k]) != NULL;
	out.ms = now_ms() - start;
	out.heap_bytes = heap_bytes() - before;
	cJSON_Delete(root);
	return out;
}

static const struct {
	const char *name;
	struct figures (*run)(const char *, size_t);
} libraries[] = {
	{"jsmn", run_homeostat},
	{"jansson", run_jansson},
	{"cJSON", run_cjson},
	{NULL, NULL},
};

static char *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *text = malloc(16 << 20);
	if (file == NULL || text == NULL)
		exit(1);
	*length = fread(text, 1, (16 << 20) - 1, file);
	text[*length] = '\0';
	fclose(file);
	return text;
}

static int compare(const void *a, const void *b)
{
	const double *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	size_t length;
	char *text = read_file(argv[2], &length);
	/* what the program pins once it runs: without it glibc raises the threshold, and freed
	 * documents stay in the heap */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	for (int i = 0; libraries[i].name != NULL; i++) {
		if (strcmp(libraries[i].name, argv[1]) != 0)
			continue;
		double ms[ROUNDS];
		long rss = rss_kib();
		struct figures figures = {0};
		for (int round = 0; round < ROUNDS; round++) {
			figures = libraries[i].run(text, length);
			ms[round] = figures.ms;
		}
		qsort(ms, ROUNDS, sizeof(ms[0]), compare);
		printf(
			"%-8s %8.1f ms %8.2f MB heap (%.1fx)  RSS after, over before: %+5ld KiB  (%zu read)\n",
			argv[1], ms[ROUNDS / 2], (double)figures.heap_bytes / 1e6,
			(double)figures.heap_bytes / (double)length, rss_kib() - rss, figures.seen);
		return 0;
	}
	return 2;
}
