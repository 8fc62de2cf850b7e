/* The client of Claude and of OpenAI-compatible servers, against the strict simulator. */
#include "claude_stage.h"

#include <unistd.h>

#include "client/claude_internal.h"

static void assert_near(double got, double want, double by)
{
	if (!(got >= want - by && got <= want + by))
		fail_msg("%.12f is not %.12f", got, want);
}

static const struct claude_tool look_tool = {.name = "look",
	.description = "Reads a log.",
	.schema =
		"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"of\":{\"type\":"
		"\"string\"}},\"required\":[\"of\"]}",
	.strict = true};

struct looked {
	int calls;
	bool fails;
	const char *says;
	char of[64];
};

static bool look(void *ctx, const struct claude_call *call, struct str *result)
{
	struct looked *looked = ctx;
	looked->calls++;
	json_copy(json_get(call->input, "of"), looked->of, sizeof(looked->of));
	str_add(result, looked->says != NULL ? looked->says : "OOM killed");
	return !looked->fails;
}

static struct claude_question with_tool(struct looked *looked)
{
	return (struct claude_question){.system = "You are careful.",
		.user = "Why?",
		.tools = &look_tool,
		.tool_count = 1,
		.run = look,
		.run_ctx = looked};
}

static void a_plain_answer_comes_with_its_cost(void **state)
{
	struct stage *stage = *state;
	play(stage, "think hm");
	play(stage, "say It ran out of memory.");
	must(stage, ask(stage, (struct claude_question){.system = "Be short."}));
	struct claude_answer *answer = &stage->answer;
	assert_string_equal(answer->text, "It ran out of memory.");
	assert_string_equal(answer->stop_reason, "end_turn");
	assert_string_equal(answer->model, "claude-sonnet-5-5");
	assert_string_equal(answer->request_id, "req_sim000001");
	assert_true(answer->cost_known && answer->usage.out_tokens > 0);
	double want = (double)answer->usage.in_tokens * 2e-6 + (double)answer->usage.out_tokens * 1e-5;
	assert_near(answer->cost_usd, want, 1e-12);
	const char *body = last_body(stage);
	assert_null(strstr(body, "temperature"));
	assert_null(strstr(body, "tool_choice"));
	assert_non_null(strstr(body, "\"cache_control\":{\"type\":\"ephemeral\"}"));
}

static void a_verdict_is_checked_against_its_schema(void **state)
{
	struct stage *stage = *state;
	struct claude_question question = {.schema = VERDICT_SCHEMA};
	char cause[64];
	play(stage, "answer right cause=oom action=docker.container.restart");
	play(stage, "answer absurd");
	play(stage, "answer hostile");
	play(stage, "say not json");
	must(stage, ask(stage, question));
	json_copy(json_get(stage->answer.verdict, "cause"), cause, sizeof(cause));
	assert_string_equal(cause, "oom");
	must_fail(stage, ask(stage, question), CLAUDE_GARBLED);
	assert_false(json_is(stage->answer.verdict));
	must(stage, ask(stage, question)); /* hostile, and well-formed: the caller's to distrust */
	must_fail(stage, ask(stage, question), CLAUDE_GARBLED);
}

static void tools_are_run_in_rounds_and_echoed_unchanged(void **state)
{
	struct stage *stage = *state;
	struct looked looked = {0};
	play(stage, "think first I look");
	play(stage, "block {\"type\":\"future_block\",\"x\":[1, 2]}");
	play(stage, "call look {\"of\":\"web\"}");
	play(stage, "also look {\"of\":\"db\"}");
	play(stage, "also unknown {}");
	play(stage, "say done");
	must(stage, ask(stage, with_tool(&looked)));
	assert_int_equal(looked.calls, 2);
	assert_string_equal(looked.of, "db");
	assert_int_equal(stage->answer.rounds, 1);
	assert_string_equal(stage->answer.text, "done");
	const char *body = last_body(stage);
	assert_non_null(strstr(body, "\"future_block\",\"x\":[1, 2]"));
	assert_non_null(strstr(body, "EqoBCkgIARABGAIiQ"));
	assert_non_null(strstr(body, "there is no tool \\\"unknown\\\"\",\"is_error\":true"));
}

static void a_failed_tool_is_said_to_have_failed(void **state)
{
	struct stage *stage = *state;
	struct looked looked = {.fails = true, .says = "no such log"};
	play(stage, "call look {\"of\":\"web\"}");
	play(stage, "say done");
	must(stage, ask(stage, with_tool(&looked)));
	assert_non_null(strstr(last_body(stage), "\"content\":\"no such log\",\"is_error\":true"));
}

static void rounds_and_pauses_are_bounded(void **state)
{
	struct stage *stage = *state;
	struct looked looked = {0};
	struct claude_question question = with_tool(&looked);
	question.rounds = 3;
	play(stage, "4 x call look {\"of\":\"web\"}");
	play(stage, "5 x pause");
	play(stage, "2 x pause");
	play(stage, "say rested");
	must_fail(stage, ask(stage, question), CLAUDE_ROUNDS);
	assert_int_equal(looked.calls, 3);
	must_fail(stage, ask(stage, question), CLAUDE_ROUNDS);
	must(stage, ask(stage, question));
	assert_string_equal(stage->answer.text, "rested");
	assert_int_equal(stage->answer.exchanges, 3);
}

static void a_cut_answer_is_asked_for_once_more_with_room(void **state)
{
	struct stage *stage = *state;
	struct looked looked = {0};
	play(stage, "cut");
	play(stage, "say whole");
	play(stage, "2 x cut");
	play(stage, "say late");
	must(stage, ask(stage, with_tool(&looked)));
	assert_non_null(strstr(last_body(stage), "\"max_tokens\":16384"));
	must_fail(stage, ask(stage, with_tool(&looked)), CLAUDE_CUT);
	assert_int_equal(looked.calls, 0);
	assert_int_equal(stage->answer.exchanges, 2);
}

static void other_stops_are_told_apart(void **state)
{
	struct stage *stage = *state;
	play(stage, "refuse cyber");
	play(stage, "context");
	play(stage, "stop a_reason_of_2027");
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_DECLINED);
	assert_string_equal(stage->answer.category, "cyber");
	assert_int_equal(stage->answer.exchanges, 1);
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_CONTEXT_FULL);
	must(stage, ask(stage, (struct claude_question){0}));
	assert_string_equal(stage->answer.stop_reason, "a_reason_of_2027");
	assert_string_equal(stage->answer.text, "Stopped.");
}

static void errors_are_classified(void **state)
{
	struct stage *stage = *state;
	static const struct {
		const char *line;
		enum claude_outcome outcome;
		int exchanges;
	} cases[] = {
		{"error 400", CLAUDE_INVALID, 1},
		{"error 401", CLAUDE_MISCONFIGURED, 1},
		{"error 402", CLAUDE_MISCONFIGURED, 1},
		{"error 403", CLAUDE_MISCONFIGURED, 1},
		{"error 404", CLAUDE_MISCONFIGURED, 1},
		{"3 x error 408", CLAUDE_TIMED_OUT, 3},
		{"3 x error 409", CLAUDE_LIMITED, 3},
		{"error 413", CLAUDE_TOO_LARGE, 1},
		{"error 400 say=prompt is too long: 9 tokens > 8 maximum", CLAUDE_TOO_LARGE, 1},
		{"3 x error 429", CLAUDE_LIMITED, 3},
		{"error 429 retry=false", CLAUDE_LIMITED, 1},
		{"3 x error 400 retry=true", CLAUDE_INVALID, 3},
		{"3 x error 429 after-ms=1 code=ramp_limit_exceeded", CLAUDE_LIMITED, 3},
		{"3 x error 500", CLAUDE_UNREACHABLE, 3},
		{"3 x error 504", CLAUDE_TIMED_OUT, 3},
		{"3 x error 529", CLAUDE_OVERLOADED, 3},
		{"3 x html", CLAUDE_UNREACHABLE, 3},
		{"garbage", CLAUDE_GARBLED, 1},
		{"empty", CLAUDE_GARBLED, 1},
		{"3 x close", CLAUDE_UNREACHABLE, 3},
		{"3 x truncated", CLAUDE_UNREACHABLE, 3},
		{"error 307", CLAUDE_MISCONFIGURED, 1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		play(stage, cases[i].line);
		play(stage, "say well again");
		stage_open(stage, (struct claude_config){0});
		bool ok = ask(stage, (struct claude_question){0});
		if (ok || stage->answer.outcome != cases[i].outcome ||
			stage->answer.exchanges != cases[i].exchanges)
			fail_msg("%s: %s after %d: %s", cases[i].line,
				claude_outcome_name(stage->answer.outcome), stage->answer.exchanges,
				stage->err.text);
		claude_mended(stage->claude);
		must(stage, ask(stage, (struct claude_question){0}));
	}
}

static void an_error_names_the_request(void **state)
{
	struct stage *stage = *state;
	play(stage, "error 400 say=messages: bad\x01 key " SIM_CLAUDE_KEY);
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_INVALID);
	assert_non_null(strstr(stage->err.text, "req_sim000001"));
	assert_non_null(strstr(stage->err.text, "[redacted]"));
}

static void a_retry_helps(void **state)
{
	struct stage *stage = *state;
	play(stage, "error 529");
	play(stage, "error 500");
	play(stage, "say at last");
	must(stage, ask(stage, (struct claude_question){0}));
	assert_int_equal(stage->answer.exchanges, 3);
}

static void a_wait_beyond_the_deadline_is_not_waited(void **state)
{
	struct stage *stage = *state;
	stage_open(stage, (struct claude_config){.deadline_ms = 5000});
	play(stage, "error 429 after=3600");
	int64_t before = clock_wall_ms(stage->clock);
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_LIMITED);
	assert_int_equal(stage->answer.exchanges, 1);
	assert_true(stage->answer.retry_at_ms >= before + 3600000);
	assert_true(clock_wall_ms(stage->clock) - before < 5000);
}

static void silence_ends_at_the_time_out_and_is_not_paid_twice(void **state)
{
	struct stage *stage = *state;
	stage_open(stage, (struct claude_config){.timeout_ms = 100});
	play(stage, "silent");
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_TIMED_OUT);
	assert_int_equal(stage->answer.exchanges, 1);
}

static void a_slow_answer_is_waited_for(void **state)
{
	struct stage *stage = *state;
	play(stage, "slow 60 say slowly");
	must(stage, ask(stage, (struct claude_question){0}));
	assert_string_equal(stage->answer.text, "slowly");
}

static void the_stop_descriptor_ends_it(void **state)
{
	struct stage *stage = *state;
	int fd = eventfd(1, EFD_CLOEXEC);
	struct claude_config config = {
		.api_url = stage->url, .api_key = SIM_CLAUDE_KEY, .model = "claude-haiku-5-5"};
	stage->claude = claude_open(&config, stage->clock, fd, NULL);
	play(stage, "silent");
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_CANCELLED);
	close(fd);
}

static void a_refused_key_is_news_once_and_nobody_is_asked_again(void **state)
{
	struct stage *stage = *state;
	stage_open(stage, (struct claude_config){.api_key = "sk-ant-wrong-0123456789"});
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_MISCONFIGURED);
	assert_true(stage->answer.is_news);
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_MISCONFIGURED);
	assert_false(stage->answer.is_news);
	assert_int_equal(stage->answer.exchanges, 0);
	assert_non_null(strstr(stage->err.text, "invalid x-api-key"));
	claude_mended(stage->claude);
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_MISCONFIGURED);
	assert_int_equal(stage->answer.exchanges, 1);
	assert_int_equal(requests(stage), 2);
}

static void an_unknown_model_shuts_only_itself(void **state)
{
	struct stage *stage = *state;
	must_fail(
		stage, ask(stage, (struct claude_question){.model = "claude-9"}), CLAUDE_MISCONFIGURED);
	assert_non_null(strstr(stage->err.text, "model: claude-9"));
	must(stage, ask(stage, (struct claude_question){0}));
	must_fail(
		stage, ask(stage, (struct claude_question){.model = "claude-9"}), CLAUDE_MISCONFIGURED);
	assert_int_equal(stage->answer.exchanges, 0);
}

static void a_spent_account_rests_until_next_month(void **state)
{
	static const char *const lines[] = {"spend", "spend400"};
	struct stage *stage = *state;
	for (int i = 0; i < 2; i++) {
		play(stage, lines[i]);
		play(stage, "say again");
		stage_open(stage, (struct claude_config){0});
		must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_SPENT);
		assert_true(stage->answer.is_news);
		assert_int_equal(stage->answer.exchanges, 1);
		int64_t until = stage->answer.retry_at_ms;
		assert_int_equal(until, claude_next_month_ms(clock_wall_ms(stage->clock)));
		struct claude_spent spent;
		claude_spent_get(stage->claude, &spent);
		stage_open(stage, (struct claude_config){0});
		claude_spent_set(stage->claude, &spent); /* a restart */
		must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_SPENT);
		assert_int_equal(stage->answer.exchanges, 0);
		spent.shut_until_ms = 0;
		claude_spent_set(stage->claude, &spent);
		must(stage, ask(stage, (struct claude_question){0}));
	}
}

static void our_own_budget_holds_over_restarts(void **state)
{
	struct stage *stage = *state;
	struct claude_spent spent;
	struct claude_config config = {.usd_a_day = 0.0000001};
	stage_open(stage, config);
	must(stage, ask(stage, (struct claude_question){0}));
	claude_spent_get(stage->claude, &spent);
	assert_true(spent.usd > 0);
	stage_open(stage, config);
	claude_spent_set(stage->claude, &spent);
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_SPENT);
	assert_int_equal(requests(stage), 1);
	spent.usd = -1;
	claude_spent_set(stage->claude, &spent);
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_SPENT);
	stage_open(stage, (struct claude_config){.calls_an_hour = 1});
	must(stage, ask(stage, (struct claude_question){0}));
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_LIMITED);
}

static void a_large_prompt_is_not_sent(void **state)
{
	struct stage *stage = *state;
	char *large = malloc(400001);
	memset(large, 'a', 400000);
	large[400000] = '\0';
	must_fail(stage, ask(stage, (struct claude_question){.user = large}), CLAUDE_TOO_LARGE);
	assert_int_equal(requests(stage), 0);
	struct looked looked = {.says = large};
	play(stage, "call look {\"of\":\"web\"}");
	play(stage, "say done");
	must(stage, ask(stage, with_tool(&looked)));
	assert_non_null(strstr(last_body(stage), "[cut: 400000 bytes in all]"));
	assert_true(strlen(last_body(stage)) < 20000);
	free(large);
}

static void secrets_do_not_leave(void **state)
{
	struct stage *stage = *state;
	struct looked looked = {.says = "log: password=hunter22 and own-secret-value-1"};
	redact_register("own-secret-value-1");
	struct claude_question question = with_tool(&looked);
	question.system = "system own-secret-value-1";
	question.user = "user token=abcdef0123456789";
	play(stage, "call look {\"of\":\"web\"}");
	play(stage, "say done");
	must(stage, ask(stage, question));
	const char *body = last_body(stage);
	assert_null(strstr(body, "own-secret"));
	assert_null(strstr(body, "hunter22"));
	assert_null(strstr(body, "abcdef0123456789"));
}

static void caching_is_counted_and_cheaper(void **state)
{
	struct stage *stage = *state;
	char system[8001];
	memset(system, 'x', sizeof(system) - 1);
	system[sizeof(system) - 1] = '\0';
	struct claude_question question = {.system = system};
	must(stage, ask(stage, question));
	assert_true(stage->answer.usage.write_5m_tokens > 1900);
	double first = stage->answer.cost_usd;
	must(stage, ask(stage, question));
	assert_true(stage->answer.usage.read_tokens > 1900);
	assert_int_equal(stage->answer.usage.write_5m_tokens, 0);
	assert_true(stage->answer.cost_usd < first / 4);
	question.system = "short";
	must(stage, ask(stage, question));
	assert_int_equal(stage->answer.usage.write_5m_tokens + stage->answer.usage.read_tokens, 0);
}

static void prices_have_tiers_and_unknown_is_not_free(void **state)
{
	(void)state;
	struct claude_usage small = {.in_tokens = 100000}, large = {.in_tokens = 100001};
	const char *haiku = "claude-haiku-5-5-20261001";
	assert_near(claude_cost(claude_prices, claude_price_count, haiku, &small), 0.01, 1e-9);
	assert_near(claude_cost(claude_prices, claude_price_count, haiku, &large), 0.0500005, 1e-9);
	struct claude_usage mixed = {.in_tokens = 1000,
		.out_tokens = 1000,
		.write_5m_tokens = 1000,
		.write_1h_tokens = 1000,
		.read_tokens = 1000};
	assert_near(claude_cost(claude_prices, claude_price_count, "claude-opus-5-5", &mixed),
		0.004 + 0.020 + 0.005 + 0.008 + 0.0002, 1e-9);
	assert_true(claude_cost(claude_prices, claude_price_count, "claude-mythos-5-2", &small) < 0);
	static const struct claude_price own[] = {{"*", 0, 1, 1, 1, 1, 1}};
	assert_near(claude_cost(own, 1, "anything", &small), 0.1, 1e-9);
}

static void the_wait_is_the_servers_or_a_jittered_doubling(void **state)
{
	(void)state;
	struct http_reply reply = {0};
	assert_int_equal(claude_wait_ms(&reply, 0, 500, 0, 0), 500);
	assert_int_equal(claude_wait_ms(&reply, 2, 500, 0, 0), 2000);
	assert_int_equal(claude_wait_ms(&reply, 2, 500, 1, 0), 1500);
	assert_int_equal(claude_wait_ms(&reply, 9, 500, 0, 0), 8000);
	reply.headers = "Retry-After: 7\r\n";
	assert_int_equal(claude_wait_ms(&reply, 0, 500, 1, 0), 7000);
	reply.headers = "x: y\r\nretry-after: 7\r\nretry-after-ms: 120\r\n";
	assert_int_equal(claude_wait_ms(&reply, 0, 500, 1, 0), 120);
	reply.headers = "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n";
	int64_t date = claude_http_date("Wed, 21 Oct 2026 07:28:00 GMT");
	assert_int_equal(date, 1792567680000);
	assert_int_equal(claude_wait_ms(&reply, 0, 500, 1, date - 90000), 90000);
	assert_int_equal(claude_wait_ms(&reply, 0, 500, 1, date + 90000), 0);
	reply.headers = "Retry-After: soon\r\n";
	assert_int_equal(claude_wait_ms(&reply, 0, 500, 0, 0), 500);
	assert_int_equal(claude_http_date("Wed, 21 Foo 2026 07:28:00 GMT"), -1);
	assert_int_equal(claude_next_month_ms(1798675200000), 1798761600000); /* New Year's Eve */
}

static void schemas_are_checked_before_they_are_sent(void **state)
{
	struct stage *stage = *state;
	static const char *const bad[][2] = {
		{"{\"type\":\"object\"}", "additionalProperties"},
		{"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"n\":{\"type\":"
		 "\"number\",\"minimum\":1}}}",
			"n: minimum"},
		{"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"object\",\"additionalProperties\":"
		 "false,\"properties\":{\"a\":{\"$ref\":\"#/$defs/a\"}}}}}",
			"recursive"},
		{"{\"$ref\":\"https://x/y\"}", "leads nowhere"},
		{"{\"type\":\"string\",\"format\":\"phone\"}", "format"},
		{"{\"type\":\"array\",\"minItems\":2,\"items\":{\"type\":\"string\"}}", "minItems"},
		{"[]", "not an object"},
		{"{", "schema"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		must_fail(stage, ask(stage, (struct claude_question){.schema = bad[i][0]}), CLAUDE_INVALID);
		if (strstr(stage->err.text, bad[i][1]) == NULL)
			fail_msg("%s: %s", bad[i][0], stage->err.text);
	}
	struct claude_tool tool = look_tool;
	tool.name = "mcp.files/read";
	must_fail(stage, ask(stage, (struct claude_question){.tools = &tool, .tool_count = 1}),
		CLAUDE_INVALID);
	assert_int_equal(requests(stage), 0);
}

static void tool_names_are_mapped_without_becoming_one(void **state)
{
	(void)state;
	char one[CLAUDE_TOOL_NAME_BYTES], other[CLAUDE_TOOL_NAME_BYTES];
	claude_tool_name("fine_name-1", one);
	assert_string_equal(one, "fine_name-1");
	claude_tool_name("a.b", one);
	claude_tool_name("a/b", other);
	assert_string_not_equal(one, other);
	assert_true(str_starts(one, "a_b_"));
	char longer[200];
	memset(longer, 'n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	claude_tool_name(longer, one);
	longer[198] = 'm';
	claude_tool_name(longer, other);
	assert_int_equal(strlen(one), 64);
	assert_string_not_equal(one, other);
}

static void a_configuration_is_checked(void **state)
{
	struct stage *stage = *state;
	static const struct {
		struct claude_config config;
		const char *says;
	} cases[] = {
		{{.api_url = "api.anthropic.com", .api_key = "k", .model = "m"}, "api_url"},
		{{.api_url = "http://example.com", .api_key = "k", .model = "m"}, "in clear"},
		{{.api_url = "https://x", .api_key = "k"}, "model"},
		{{.api_url = "https://x", .model = "m"}, "api_key"},
		{{.api_url = "https://x", .api_key = "a\nb", .model = "m"}, "api_key"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		assert_null(claude_open(&cases[i].config, stage->clock, -1, &err));
		assert_non_null(strstr(err.text, cases[i].says));
	}
}

static void chat_servers_are_spoken_to_in_their_dialect(void **state)
{
	struct stage *stage = *state;
	struct looked looked = {0};
	stage_open(stage, (struct claude_config){.dialect = CLAUDE_OPENAI});
	play(stage, "think hm");
	play(stage, "call look {\"of\":\"web\"}");
	play(stage, "also look {\"of\":\"db\"}");
	play(stage, "badcall look {\"of\": we");
	play(stage, "say understood");
	must(stage, ask(stage, with_tool(&looked)));
	assert_int_equal(looked.calls, 2);
	assert_int_equal(stage->answer.rounds, 2);
	assert_string_equal(stage->answer.text, "understood");
	assert_false(stage->answer.cost_known);
	assert_non_null(strstr(last_body(stage), "the arguments are not JSON"));
}

static void chat_calls_may_lack_ids_and_say_stop(void **state)
{
	struct stage *stage = *state;
	struct looked looked = {0};
	stage_open(stage, (struct claude_config){.dialect = CLAUDE_OPENAI});
	play(stage, "ids off");
	play(stage, "calls-say-stop on");
	play(stage, "call look {\"of\":\"web\"}");
	play(stage, "also look {\"of\":\"db\"}");
	play(stage, "say done");
	must(stage, ask(stage, with_tool(&looked)));
	assert_int_equal(looked.calls, 2);
}

static void a_chat_verdict_after_tools_is_asked_for_by_grammar(void **state)
{
	struct stage *stage = *state;
	struct looked looked = {0};
	struct claude_question question = with_tool(&looked);
	question.schema = VERDICT_SCHEMA;
	stage_open(stage, (struct claude_config){.dialect = CLAUDE_OPENAI});
	play(stage, "call look {\"of\":\"web\"}");
	play(stage, "say I would restart it.");
	play(stage, "answer right cause=oom");
	must(stage, ask(stage, question));
	assert_true(json_is(stage->answer.verdict));
	assert_int_equal(stage->answer.exchanges, 3);
	play(stage, "say ```json {\"cause\":\"oom\",\"action\":\"none\"} ```");
	must(stage, ask(stage, question));
	assert_int_equal(stage->answer.exchanges, 1);
}

static void chat_ends_are_told_apart(void **state)
{
	struct stage *stage = *state;
	stage_open(stage, (struct claude_config){.dialect = CLAUDE_OPENAI});
	play(stage, "2 x stop max_tokens");
	play(stage, "refuse x");
	play(stage, "error 500");
	play(stage, "say fine");
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_CUT);
	must_fail(stage, ask(stage, (struct claude_question){0}), CLAUDE_DECLINED);
	must(stage, ask(stage, (struct claude_question){0}));
	must_fail(stage, ask(stage, (struct claude_question){.model = "llama9"}), CLAUDE_MISCONFIGURED);
	assert_non_null(strstr(stage->err.text, "try pulling it first"));
	char url[96];
	snprintf(url, sizeof(url), "%s/v1/", stage->url);
	stage_open(stage, (struct claude_config){.dialect = CLAUDE_OPENAI, .api_url = url});
	must(stage, ask(stage, (struct claude_question){0}));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_plain_answer_comes_with_its_cost),
		CASE(a_verdict_is_checked_against_its_schema),
		CASE(tools_are_run_in_rounds_and_echoed_unchanged),
		CASE(a_failed_tool_is_said_to_have_failed),
		CASE(rounds_and_pauses_are_bounded),
		CASE(a_cut_answer_is_asked_for_once_more_with_room),
		CASE(other_stops_are_told_apart),
		CASE(errors_are_classified),
		CASE(an_error_names_the_request),
		CASE(a_retry_helps),
		CASE(a_wait_beyond_the_deadline_is_not_waited),
		CASE(silence_ends_at_the_time_out_and_is_not_paid_twice),
		CASE(a_slow_answer_is_waited_for),
		CASE(the_stop_descriptor_ends_it),
		CASE(a_refused_key_is_news_once_and_nobody_is_asked_again),
		CASE(an_unknown_model_shuts_only_itself),
		CASE(a_spent_account_rests_until_next_month),
		CASE(our_own_budget_holds_over_restarts),
		CASE(a_large_prompt_is_not_sent),
		CASE(secrets_do_not_leave),
		CASE(caching_is_counted_and_cheaper),
		CASE(prices_have_tiers_and_unknown_is_not_free),
		CASE(the_wait_is_the_servers_or_a_jittered_doubling),
		CASE(schemas_are_checked_before_they_are_sent),
		CASE(tool_names_are_mapped_without_becoming_one),
		CASE(a_configuration_is_checked),
		CASE(chat_servers_are_spoken_to_in_their_dialect),
		CASE(chat_calls_may_lack_ids_and_say_stop),
		CASE(a_chat_verdict_after_tools_is_asked_for_by_grammar),
		CASE(chat_ends_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
