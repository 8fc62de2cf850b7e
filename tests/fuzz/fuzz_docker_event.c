/* One line of the engine's event stream, as anything. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/docker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct docker_event event;
	struct err err = {0};
	char *line = malloc(size + 1);
	memcpy(line, data, size);
	line[size] = '\0';
	if (!docker_event_parse(line, size, &event, &err)) {
		if (err.kind == ERR_NONE || err.text[0] == '\0')
			abort();
	} else if (event.exit_code < -1 || event.exit_code > 255 || event.signal < 0 ||
		strlen(event.id) >= sizeof(event.id) || event.at_ms < 0) {
		abort();
	}
	free(line);
	return 0;
}
