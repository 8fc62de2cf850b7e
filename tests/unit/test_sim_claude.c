/* The simulated Messages API refuses what the real one refuses, and counts as it does. */
#include "sim/claude.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"

#define HEAD \
	"POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: " SIM_CLAUDE_KEY \
	"\r\nanthropic-version: 2023-06-01\r\ncontent-type: application/json\r\n"
#define CHAT \
	"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " SIM_CLAUDE_KEY \
	"\r\ncontent-type: application/json\r\n"
#define BODY(rest) "{\"model\":\"claude-haiku-5-5\",\"max_tokens\":100," rest "}"
#define ASKED "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

struct stage {
	struct clock *clock;
	struct sim_claude *sim;
	struct arena *arena;
	struct sim_reply reply;
};

static int setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	stage->clock = clock_new_wound(1795000000000);
	stage->sim = sim_claude_new(stage->clock);
	stage->arena = arena_new((size_t)64 << 20);
	*state = stage;
	return 0;
}

static int teardown(void **state)
{
	struct stage *stage = *state;
	sim_claude_free(stage->sim);
	clock_free(stage->clock);
	arena_free(stage->arena);
	free(stage);
	return 0;
}

static int send(struct stage *stage, const char *head, const char *body)
{
	bool is_chat = strstr(head, "/chat/") != NULL;
	const struct sim_request request = {.method = "POST",
		.url = is_chat ? "/v1/chat/completions" : "/v1/messages",
		.head = head,
		.body = body,
		.body_bytes = strlen(body),
		.arena = stage->arena};
	sim_claude_handle(stage->sim, &request, &stage->reply);
	return stage->reply.status;
}

static void play(struct stage *stage, const char *line)
{
	char text[200];
	if (!sim_claude_script(stage->sim, line, text, sizeof(text)))
		fail_msg("%s", text);
}

static void refuses(
	struct stage *stage, const char *head, const char *body, int status, const char *says)
{
	int got = send(stage, head, body);
	if (got != status || strstr(stage->reply.body, says) == NULL)
		fail_msg("%s\n%d, not %d with \"%s\": %s", body, got, status, says, stage->reply.body);
}

static void headers_are_checked(void **state)
{
	struct stage *stage = *state;
	const char *body = BODY(ASKED);
	assert_int_equal(send(stage, HEAD, body), 200);
	refuses(stage, "POST / HTTP/1.1\r\nHost: x\r\n", body, 401, "x-api-key header is required");
	refuses(stage, "POST / HTTP/1.1\r\nx-api-key: sk-no\r\n", body, 401, "authentication_error");
	refuses(stage, "POST / HTTP/1.1\r\nx-api-key: " SIM_CLAUDE_KEY "\r\n", body, 400,
		"anthropic-version: header is required");
	refuses(stage,
		"POST / HTTP/1.1\r\nx-api-key: " SIM_CLAUDE_KEY "\r\nanthropic-version: 2023-06-01\r\n",
		body, 400, "content-type");
	assert_int_equal(sim_claude_refused(stage->sim), 4);
	assert_non_null(strstr(stage->reply.body, "\"request_id\":\"req_sim000005\""));
	assert_string_equal(stage->reply.headers, "request-id: req_sim000005\r\n");
}

static void bodies_are_checked_field_by_field(void **state)
{
	struct stage *stage = *state;
	static const struct {
		const char *body;
		int status;
		const char *says;
	} cases[] = {
		{"{", 400, "not valid JSON"},
		{"[]", 400, "should be an object"},
		{"{\"max_tokens\":1," ASKED "}", 400, "model: Field required"},
		{"{\"model\":\"claude-haiku-5-5\"," ASKED "}", 400, "max_tokens: Field required"},
		{"{\"model\":\"gpt\",\"max_tokens\":1," ASKED "}", 404, "model: gpt"},
		{"{\"model\":\"claude-haiku-5-5\",\"max_tokens\":200000," ASKED "}", 400, "> 128000"},
		{BODY(ASKED ",\"output_format\":{}"), 400, "output_format: Extra inputs"},
		{BODY(ASKED ",\"temperature\":1"), 400, "temperature"},
		{BODY(ASKED ",\"tool_choice\":{\"type\":\"any\"}"), 400, "tool_choice"},
		{BODY("\"messages\":[]"), 400, "at least one message"},
		{BODY("\"messages\":[{\"role\":\"assistant\",\"content\":\"x\"}]"), 400, "first message"},
		{BODY("\"messages\":[{\"role\":\"system\",\"content\":\"x\"}]"), 400, "role"},
		{BODY("\"messages\":[{\"role\":\"user\",\"content\":\"\"}]"), 400, "non-empty"},
		{BODY("\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\","
			  "\"content\":\"b\"}]"),
			400, "alternate"},
		{BODY("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
			  "\"tool_use_id\":\"t\",\"content\":\"x\"}]}]"),
			400, "unexpected `tool_use_id`"},
		{BODY(ASKED ",\"tools\":[{\"name\":\"a.b\",\"input_schema\":{\"type\":\"object\"}}]"), 400,
			"pattern"},
		{BODY(ASKED ",\"tools\":[{\"name\":\"a\",\"input_schema\":{}}]"), 400, "input_schema.type"},
		{BODY(ASKED ",\"tools\":[{\"name\":\"a\",\"input_schema\":{\"type\":\"object\"}},"
					"{\"name\":\"a\",\"input_schema\":{\"type\":\"object\"}}]"),
			400, "unique"},
		{BODY(ASKED ",\"tools\":[{\"name\":\"a\",\"strict\":true,\"input_schema\":{\"type\":"
					"\"object\"}}]"),
			400, "additionalProperties"},
		{BODY(ASKED ",\"output_config\":{\"format\":{\"type\":\"json\",\"schema\":{}}}"), 400,
			"json_schema"},
		{BODY(ASKED ",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":"
					"\"number\",\"minimum\":1}}}"),
			400, "minimum"},
		{BODY(ASKED ",\"system\":[{\"type\":\"text\",\"text\":\"x\",\"cache_control\":{\"type\":"
					"\"forever\"}}]"),
			400, "ephemeral"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuses(stage, HEAD, cases[i].body, cases[i].status, cases[i].says);
}

/* The body of an answer's content, to be sent back. */
static const char *content_of(struct stage *stage)
{
	struct json root;
	size_t length = 0;
	if (!json_parse(stage->arena, stage->reply.body, stage->reply.body_bytes, &root, NULL))
		fail_msg("%s", stage->reply.body);
	const char *raw = json_raw(json_get(root, "content"), &length);
	return arena_strndup(stage->arena, raw, length);
}

static const char *reply_with(struct stage *stage, const char *content, const char *blocks)
{
	return arena_printf(stage->arena,
		"{\"model\":\"claude-haiku-5-5\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\","
		"\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":%s}%s]}",
		content, blocks);
}

#define RESULT(id) "{\"type\":\"tool_result\",\"tool_use_id\":\"" id "\",\"content\":\"x\"}"
#define USER(blocks) ",{\"role\":\"user\",\"content\":[" blocks "]}"

static void calls_and_results_are_paired(void **state)
{
	struct stage *stage = *state;
	play(stage, "think hm");
	play(stage, "call a {\"x\":1}");
	play(stage, "also b {}");
	play(stage, "say done");
	assert_int_equal(send(stage, HEAD, BODY(ASKED)), 200);
	assert_non_null(strstr(stage->reply.body, "\"stop_reason\":\"tool_use\""));
	const char *content = content_of(stage);
	refuses(stage, HEAD, reply_with(stage, content, ""), 400, "without `tool_result`");
	refuses(stage, HEAD, reply_with(stage, content, USER(RESULT("toolu_sim0001"))), 400,
		"toolu_sim0002");
	refuses(stage, HEAD,
		reply_with(stage, content,
			USER(RESULT("toolu_sim0001") "," RESULT("toolu_sim0001") "," RESULT("toolu_sim0002"))),
		400, "multiple");
	refuses(stage, HEAD,
		reply_with(stage, content,
			USER("{\"type\":\"text\",\"text\":\"x\"}," RESULT("toolu_sim0001") "," RESULT(
				"toolu_sim0002"))),
		400, "must come first");
	refuses(stage, HEAD,
		reply_with(stage, "[{\"type\":\"thinking\",\"thinking\":\"other\"}]",
			USER("{\"type\":\"text\",\"text\":\"x\"}")),
		400, "cannot be modified");
	assert_int_equal(
		send(stage, HEAD,
			reply_with(stage, content, USER(RESULT("toolu_sim0001") "," RESULT("toolu_sim0002")))),
		200);
	refuses(stage, HEAD, reply_with(stage, content_of(stage), ""), 400, "prefill");
}

static void a_pause_may_be_sent_back_as_it_is(void **state)
{
	struct stage *stage = *state;
	play(stage, "pause");
	play(stage, "say done");
	assert_int_equal(send(stage, HEAD, BODY(ASKED)), 200);
	assert_int_equal(send(stage, HEAD, reply_with(stage, content_of(stage), "")), 200);
}

static void the_cache_has_a_smallest_size_and_an_end(void **state)
{
	struct stage *stage = *state;
	char system[20001], *body;
	memset(system, 'x', sizeof(system) - 1);
	system[sizeof(system) - 1] = '\0';
	body = arena_printf(stage->arena,
		"{\"model\":\"claude-haiku-5-5\",\"max_tokens\":9,\"system\":[{\"type\":\"text\",\"text\":"
		"\"%s\",\"cache_control\":{\"type\":\"ephemeral\"}}]," ASKED "}",
		system);
	assert_int_equal(send(stage, HEAD, body), 200);
	assert_non_null(strstr(stage->reply.body, "\"cache_creation_input_tokens\":50"));
	clock_advance(stage->clock, 299000);
	assert_int_equal(send(stage, HEAD, body), 200);
	assert_non_null(strstr(stage->reply.body, "\"cache_read_input_tokens\":50"));
	clock_advance(stage->clock, 301000);
	assert_int_equal(send(stage, HEAD, body), 200);
	assert_non_null(strstr(stage->reply.body, "\"cache_creation_input_tokens\":50"));
	play(stage, "model claude-haiku-5-5 cache=9000");
	assert_int_equal(send(stage, HEAD, body), 200);
	assert_non_null(strstr(stage->reply.body, "\"cache_creation_input_tokens\":0"));
}

static void chat_bodies_are_checked(void **state)
{
	struct stage *stage = *state;
	static const struct {
		const char *body;
		int status;
		const char *says;
	} cases[] = {
		{"{\"model\":\"llama9\"," ASKED "}", 404, "try pulling it first"},
		{"{\"model\":\"qwen3:8b\"," ASKED ",\"temperature\":1}", 400, "Unrecognized"},
		{"{\"model\":\"qwen3:8b\",\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}", 400,
			"without a call"},
		{"{\"model\":\"qwen3:8b\",\"messages\":[{\"role\":\"assistant\",\"content\":\"x\"}]}", 400,
			"the last must be"},
		{"{\"model\":\"qwen3:8b\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":"
		 "\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\","
		 "\"function\":{\"name\":\"a\",\"arguments\":\"{\"}}]},{\"role\":\"user\",\"content\":"
		 "\"x\"}"
		 "]}",
			400, "JSON string"},
		{"{\"model\":\"qwen3:8b\"," ASKED ",\"tools\":[{\"type\":\"function\",\"function\":{"
		 "\"name\":\"a\"}}],\"response_format\":{\"type\":\"json_schema\"}}",
			400, "grammar"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuses(stage, CHAT, cases[i].body, cases[i].status, cases[i].says);
	assert_int_equal(send(stage, CHAT, "{\"model\":\"qwen3:8b\"," ASKED "}"), 200);
	assert_non_null(strstr(stage->reply.body, "\"finish_reason\":\"stop\""));
}

static void the_script_says_what_is_wrong_with_it(void **state)
{
	struct stage *stage = *state;
	char text[200];
	assert_false(sim_claude_script(stage->sim, "sing", text, sizeof(text)));
	assert_string_equal(text, "no such line: sing");
	assert_false(sim_claude_script(stage->sim, "forget gpt", text, sizeof(text)));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(headers_are_checked),
		CASE(bodies_are_checked_field_by_field),
		CASE(calls_and_results_are_paired),
		CASE(a_pause_may_be_sent_back_as_it_is),
		CASE(the_cache_has_a_smallest_size_and_an_end),
		CASE(chat_bodies_are_checked),
		CASE(the_script_says_what_is_wrong_with_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
