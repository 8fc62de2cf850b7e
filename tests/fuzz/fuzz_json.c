/* json_parse of any bytes, and a walk over all that it says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(struct json value, struct arena *arena)
{
	char field[16];
	size_t seen = 1;
	size_t length;
	if (json_raw(value, &length) == NULL ||
		(json_int(value, 0) != 0 && json_str(value, arena) == NULL))
		abort();
	json_copy(value, field, sizeof(field));
	seen += (size_t)json_bool(value, true) + (json_num(value, 0) > 0);
	size_t n = 0;
	for (struct json v = json_first(value); json_is(v); v = json_next(v)) {
		const char *key = json_key(v, arena);
		if (key != NULL && n < 16 && !json_is(json_get(value, key)))
			abort(); /* a key that is there and cannot be found */
		seen += walk(v, arena);
		n++;
	}
	if (n != json_count(value))
		abort();
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json root;
	struct err err;
	auto_arena arena = arena_new(64 << 20);
	if (!json_parse(arena, (const char *)data, size, &root, &err))
		return 0;
	walk(root, arena);
	/* what was accepted is accepted again when written back */
	struct str str;
	struct json_out out;
	size_t length;
	str_init(&str, arena);
	json_begin(&out, &str);
	json_open(&out, NULL, '[');
	const char *raw = json_raw(root, &length);
	char *copy = arena_try(arena, length + 1);
	if (copy == NULL)
		return 0;
	memcpy(copy, raw, length);
	json_put_raw(&out, NULL, copy);
	json_put_str(&out, NULL, json_str(root, arena));
	json_close(&out, ']');
	bool deep = !json_parse(arena, str.s, str.len, &root, &err);
	if (deep && !str.full && strstr(err.text, "64") == NULL && strstr(err.text, "large") == NULL)
		abort();
	return 0;
}
