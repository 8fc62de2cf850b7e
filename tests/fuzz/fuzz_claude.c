/* An answer of either dialect as anything, and a schema with the value that came. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/claude.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool claim)
{
	if (!claim)
		abort();
}

static void decode(enum claude_dialect dialect, const char *text, size_t size)
{
	auto_arena arena = arena_new((size_t)64 * 1024 * 1024);
	struct claude_answer answer;
	struct err err = {0};
	if (!claude_decode(dialect, text, size, arena, &answer, &err)) {
		must(err.kind == ERR_INPUT && err.text[0] != '\0');
		return;
	}
	must(answer.text != NULL && memchr(answer.stop_reason, '\0', sizeof(answer.stop_reason)));
	must(answer.usage.in_tokens >= 0 && answer.usage.out_tokens >= 0 &&
		answer.usage.read_tokens >= 0 && answer.usage.write_5m_tokens >= 0);
	must(answer.calls >= 0 && answer.calls <= 32);
	double usd = claude_cost(claude_prices, claude_price_count, answer.model, &answer.usage);
	must(usd >= -1 && usd < 1e6);
}

/* SCHEMA, a zero byte, VALUE. */
static void fit(const char *text, size_t size)
{
	auto_arena arena = arena_new((size_t)64 * 1024 * 1024);
	struct json schema, value;
	struct err err = {0};
	size_t first = strnlen(text, size);
	if (!claude_schema_check(text, &err))
		must(err.kind == ERR_INPUT);
	if (first < size && json_parse(arena, text, first, &schema, NULL) &&
		json_parse(arena, text + first + 1, size - first - 1, &value, NULL))
		claude_schema_fits(schema, value, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char name[CLAUDE_TOOL_NAME_BYTES];
	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	decode(CLAUDE_ANTHROPIC, text, size);
	decode(CLAUDE_OPENAI, text, size);
	fit(text, size);
	claude_tool_name(text, name);
	must(name[0] != '\0' && strlen(name) < sizeof(name) && strpbrk(name, ". /:") == NULL);
	free(text);
	return 0;
}
