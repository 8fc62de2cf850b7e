/* speed [FILE]: MB/s of redact() on lines of a log (its own without FILE), beside two limits of the
 * machine in the same run: memchr for every newline, and one byte-by-byte pass through a table.
 * With FILE, also every line that redact() changed: a look at what it does to texts nobody made for
 * it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/redact.h"

#define ROUNDS 9
#define LINE_MAX_BYTES 65536

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* One secret in forty lines. */
static char *make_log(size_t *length)
{
	static const char *const lines[] = {
		"2026-11-24T10:11:12.%06dZ INFO [main] request %d served in 12 ms from 192.168.1.50\n",
		"Nov 24 10:11:12 nas kernel: [12345.%06d] eth0: link up, 1000 Mbit/s, full duplex %d\n",
		"level=warn ts=2026-11-24 caller=scrape.go:%d msg=\"append failed\" err=\"out of order "
		"%d\"\n",
		"172.17.0.1 - - [24/Nov/2026:10:11:12 +0000] \"GET /api/items/%d?page=%d HTTP/1.1\" 200 "
		"512\n",
		"container 4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865 died %d %d\n",
	};
	size_t size = (size_t)16 << 20;
	char *log = malloc(size + 512);
	*length = 0;
	for (int i = 0; log != NULL && *length < size; i++) {
		const char *line = i % 40 == 39 ? "DB_PASSWORD=Tr0ub4dor&3 is set for worker %d of %d\n"
										: lines[i % 5];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		*length += (size_t)snprintf(log + *length, 512, line, i % 999983, i);
#pragma GCC diagnostic pop
	}
	return log;
}

static char *read_log(const char *path, size_t *length)
{
	FILE *file = fopen(path, "r");
	char *log = NULL;
	size_t capacity = 0;
	ssize_t n = file != NULL ? getdelim(&log, &capacity, 0, file) : -1;
	if (file != NULL)
		fclose(file);
	*length = n > 0 ? (size_t)n : 0;
	return log;
}

static size_t count_lines(const char *log, size_t length)
{
	size_t n = 0;
	for (const char *at = log; (at = memchr(at, '\n', length - (size_t)(at - log))) != NULL; at++)
		n++;
	return n;
}

static size_t pass(const char *log, size_t length)
{
	static unsigned char table[256] = {[':'] = 1, ['='] = 1, ['-'] = 1};
	size_t n = 0;
	for (size_t i = 0; i < length; i++)
		n += table[(unsigned char)log[i]];
	return n;
}

static size_t redact_lines(const char *log, size_t length, int show)
{
	static char line[LINE_MAX_BYTES];
	size_t changed = 0;
	for (size_t at = 0; at < length;) {
		const char *end = memchr(log + at, '\n', length - at);
		size_t n = end != NULL ? (size_t)(end - log) - at : length - at;
		size_t kept = n < LINE_MAX_BYTES / 2 ? n : LINE_MAX_BYTES / 2;
		memcpy(line, log + at, kept);
		line[kept] = '\0';
		redact(line, sizeof(line));
		if (memcmp(line, log + at, kept) != 0) {
			changed++;
			if (show)
				printf("  %s\n", line);
		}
		at += n + 1;
	}
	return changed;
}

int main(int argc, char **argv)
{
	size_t length = 0, sum = 0, changed = 0;
	double best[3] = {1e9, 1e9, 1e9};
	char *log = argc > 1 ? read_log(argv[1], &length) : make_log(&length);
	redact_register("correct-horse-battery-77");
	if (length == 0)
		return 2;
	if (argc > 1)
		redact_lines(log, length, 1);
	for (int i = 0; i < ROUNDS; i++) {
		double t0 = now();
		size_t lines = count_lines(log, length);
		double t1 = now();
		sum += pass(log, length);
		double t2 = now();
		changed = redact_lines(log, length, 0);
		double t3 = now(), took[3] = {t1 - t0, t2 - t1, t3 - t2};
		sum += lines;
		for (int k = 0; k < 3; k++)
			best[k] = took[k] < best[k] ? took[k] : best[k];
	}
	double mb = (double)length / 1e6;
	printf("memchr %.0f MB/s, table %.0f MB/s, redact %.0f MB/s, %zu lines changed (%zu)\n",
		mb / best[0], mb / best[1], mb / best[2], changed, sum);
	free(log);
	return argc == 1 && mb / best[2] < 100 ? 1 : 0;
}
