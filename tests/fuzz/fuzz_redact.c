/* redact of any text: stays within its buffer, hides what was registered, and hides it for good. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char secret[] = "s3cr:et/\"=x";
	size_t capacity = size + 1 + (size > 0 ? data[0] % 32 : 0);
	char *text = malloc(capacity);
	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	redact_register(secret);
	redact(text, capacity);
	if (strnlen(text, capacity) == capacity || strstr(text, secret) != NULL)
		abort();
	free(text);
	return 0;
}
