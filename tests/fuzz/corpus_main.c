/*
 * Runs a fuzz target once for each file named: how a corpus becomes an ordinary test, with gcc too.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX_BYTES = 2 * 1024 * 1024 };

static bool run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		return false;
	}
	uint8_t *data = malloc(INPUT_MAX_BYTES);
	if (data == NULL)
		abort();
	size_t size = fread(data, 1, INPUT_MAX_BYTES, file);
	bool read = ferror(file) == 0;
	fclose(file);
	/* An own block of exactly this size, so that one byte too far is seen. */
	uint8_t *exact = realloc(data, size > 0 ? size : 1);
	if (exact == NULL)
		abort();
	if (read)
		LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return read;
}

int main(int argc, char **argv)
{
	int failed = 0;
	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		bool ok = run_file(argv[i]);
		printf("%s %d - %s\n", ok ? "ok" : "not ok", i, argv[i]);
		fflush(stdout);
		failed += !ok;
	}
	return failed > 0;
}
