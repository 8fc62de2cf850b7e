/*
 * look GUESTS [ROUNDS]: what it costs to read GUESTS guests on as many nodes and storages as such a
 * cluster has: processor time of one answer (median), memory of what was read, the process's
 * memory at its peak, after a look that was let go, and after all of them. The answer is as large
 * as the real server's, about 390 bytes a guest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/trim.h"
#include "client/proxmox.h"

static double cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double status_mib(const char *key)
{
	char line[256];
	double kib = -1;
	FILE *file = fopen("/proc/self/status", "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			kib = strtod(line + strlen(key), NULL);
	if (file != NULL)
		fclose(file);
	return kib / 1024;
}

static void put_guest(FILE *out, int i, int nodes)
{
	fprintf(out,
		"{\"cpu\":0.0%d76724427047,\"maxdisk\":34359738368,\"id\":\"%s/%d\",\"uptime\":%d,"
		"\"tags\":\"production;web\",\"netin\":%lld,\"maxcpu\":4,\"node\":\"pve%d\",\"diskwrite\":%"
		"lld,"
		"\"netout\":%lld,\"type\":\"%s\",\"vmid\":%d,\"maxmem\":4294967296,\"name\":\"guest-%d\","
		"\"memhost\":%lld,\"diskread\":%lld,\"status\":\"running\",\"disk\":0,\"template\":0,"
		"\"mem\":%lld},",
		10 + i % 80, i % 3 ? "qemu" : "lxc", 100 + i, 86400 + i, 987654321LL + i, i % nodes,
		444444444LL + i, 123456789LL + i, i % 3 ? "qemu" : "lxc", 100 + i, i, 1234567890LL + i,
		555555555LL + i, 1034567890LL + i);
}

static char *make_answer(int guests, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);
	int nodes = 1 + guests / 350;
	fprintf(out, "{\"data\":[");
	for (int i = 0; i < guests; i++)
		put_guest(out, i, nodes);
	for (int i = 0; i < nodes; i++)
		fprintf(out,
			"%s{\"type\":\"node\",\"node\":\"pve%d\",\"status\":\"online\",\"cpu\":0.12,\"maxcpu\":"
			"32,"
			"\"mem\":4789682176,\"maxmem\":25276502016,\"uptime\":4890},{\"type\":\"storage\","
			"\"storage\":\"local\",\"node\":\"pve%d\",\"status\":\"available\",\"disk\":1,"
			"\"maxdisk\":2}",
			i > 0 ? "," : "", i, i);
	fprintf(out, "]}");
	fclose(out);
	return text;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double read_once(const char *text, size_t length, int guests, size_t *used)
{
	struct proxmox_look look;
	struct err err = {0};
	double before = cpu_ms();
	struct arena *arena = arena_new((size_t)128 * 1024 * 1024);
	if (!proxmox_look_parse(text, length, arena, &look, &err) || look.guest_count != guests) {
		fprintf(stderr, "not read: %s\n", err.text);
		exit(1);
	}
	*used = arena_used(arena);
	arena_free(arena);
	return cpu_ms() - before;
}

int main(int argc, char **argv)
{
	int guests = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 100;
	int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 51;
	size_t length, used = 0;
	char *text = make_answer(guests, &length);
	double *took = calloc((size_t)rounds, sizeof(*took));
	if (took == NULL)
		abort();
	double first = 0;
	for (int i = 0; i < rounds; i++) {
		took[i] = read_once(text, length, guests, &used);
		if (i == 0) {
			trim_memory();
			first = status_mib("VmRSS:");
		}
	}
	qsort(took, (size_t)rounds, sizeof(*took), by_value);
	trim_memory();
	double last = status_mib("VmRSS:");
	free(text);
	trim_memory();
	printf("%7d  %9zu  %9.2f  %9.2f  %9.1f  %9.1f  %9.1f  %9.1f\n", guests, length,
		took[rounds / 2], took[rounds - 1], (double)used / 1024, status_mib("VmHWM:"),
		status_mib("VmRSS:"), last - first);
	free(took);
	return 0;
}
