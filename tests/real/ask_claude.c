/* ask_claude anthropic|openai URL QUESTION: one question with one tool, "look"; prints the outcome,
 * the calls, the exchanges and the text on one line. For the suites against servers that we did not
 * write. */
#include <stdio.h>
#include <string.h>

#include "base/http.h"
#include "client/claude.h"

static bool look(void *ctx, const struct claude_call *call, struct str *result)
{
	char of[64];
	(void)ctx;
	json_copy(json_get(call->input, "of"), of, sizeof(of));
	str_addf(result, "the log of %s says OOM", of);
	return true;
}

int main(int argc, char **argv)
{
	static const struct claude_tool tool = {.name = "look",
		.description = "Reads a log.",
		.schema = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"of\":{"
				  "\"type\":\"string\"}},\"required\":[\"of\"]}"};
	if (argc != 4)
		return 2;
	http_global_init();
	struct clock *clock = clock_new_real();
	auto_arena arena = arena_new((size_t)16 << 20);
	struct claude_answer answer;
	struct err err = {0};
	const struct claude_config config = {.api_url = argv[2],
		.api_key = "sk-ant-test-0123456789",
		.model = "claude-haiku-5-5",
		.dialect = strcmp(argv[1], "openai") == 0 ? CLAUDE_OPENAI : CLAUDE_ANTHROPIC,
		.timeout_ms = 20000,
		.backoff_ms = 10};
	const struct claude_question question = {
		.system = "Be short.", .user = argv[3], .tools = &tool, .tool_count = 1, .run = look};
	struct claude *claude = claude_open(&config, clock, -1, &err);
	if (claude == NULL) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	claude_ask(claude, &question, arena, &answer, &err);
	printf("%s calls=%d exchanges=%d %s\n", claude_outcome_name(answer.outcome), answer.calls,
		answer.exchanges, answer.text);
	if (answer.outcome != CLAUDE_ANSWERED)
		printf("# %s\n", err.text);
	claude_close(claude);
	clock_free(clock);
	return 0;
}
