/*
 * Asking a model: cheap first, a stronger one when the first is unsure or overloaded. Runs as a job
 * with a client of its own; what was spent is the core's to keep.
 */
#include "diagnose/opinion.h"

#include <string.h>

#include "base/redact.h"
#include "base/secret.h"
#include "base/str.h"
#include "diagnose/evidence.h"

#define PROMPT_BYTES ((size_t)2 << 20)
#define ANSWER_BYTES ((size_t)8 << 20)
#define MAX_TOKENS 2048
#define MAX_TOKENS_RAISED 6144
#define ROUNDS 4
/* English and logs: a token has some four bytes. Counted as three, for the books. */
#define TOKEN_BYTES 3
#define UNSURE 0.5

static void veil(struct evidence *row)
{
	redact_names(row->text, sizeof(row->text));
	redact_names(row->source, sizeof(row->source));
}

void opinion_veil(struct opinion_order *order)
{
	struct incident *incident = &order->incident;
	if (!order->config->redact.names)
		return;
	for (int i = 0; i < order->evidence.count; i++)
		veil(&order->evidence.rows[i]);
	redact_names(incident->component.name, sizeof(incident->component.name));
	redact_names(incident->issue, sizeof(incident->issue));
	redact_names(incident->metrics, sizeof(incident->metrics));
	redact_names(incident->reason, sizeof(incident->reason));
	redact_names(incident->diagnosis.cause, sizeof(incident->diagnosis.cause));
}

static const struct claude_tool tools[] = {
	{"evidence_again",
		"Reads the component's state and its last log lines again, as they are now. No arguments.",
		"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{}}", false},
};

static bool run_tool(void *ctx, const struct claude_call *call, struct str *result)
{
	struct opinion_order *order = ctx;
	struct evidence_list list = {0};
	struct evidence_order again = {.config = order->config,
		.clock = order->clock,
		.stop_fd = order->stop_fd,
		.component = order->incident.component,
		.aspect = order->incident.aspect};
	if (strcmp(call->name, tools[0].name) != 0)
		return false;
	evidence_gather(&again, &list);
	for (int i = 0; i < list.count; i++) {
		struct evidence *row = &list.rows[i];
		if (order->config->redact.names)
			veil(row);
		opinion_put_data(result, evidence_kind_name(row->kind), row->source, row->text);
		/* what it was shown it may quote */
		evidence_add(&order->evidence, row->kind, row->at, row->source, row->text);
	}
	if (list.count == 0)
		str_add(result, "nothing can be read of this component");
	return true;
}

static struct claude *open_client(
	const struct opinion_order *order, const char *model, struct err *err)
{
	const struct config_claude *claude = order->config->claude;
	struct claude_config config = {.name = claude->provider,
		.dialect = str_equal(claude->provider, "openai") ? CLAUDE_OPENAI : CLAUDE_ANTHROPIC,
		.api_url = claude->api_url,
		.model = model,
		.max_tokens = MAX_TOKENS,
		.max_tokens_raised = MAX_TOKENS_RAISED,
		.timeout_ms = claude->deadline_ms,
		.deadline_ms = claude->deadline_ms,
		.usd_a_day = claude->usd_a_day,
		.calls_an_hour = claude->hourly,
		.retries = 1};
	if (claude->api_key != NULL) {
		config.api_key = secret_resolve(order->config->state, claude->api_key, err);
		if (config.api_key == NULL)
			return NULL;
	}
	struct claude *client = claude_open(&config, order->clock, order->stop_fd, err);
	if (client != NULL)
		claude_spent_set(client, &order->spent);
	return client;
}

static void keep_answer(
	struct opinion *opinion, const struct claude_answer *answer, const struct err *err)
{
	size_t length = 0;
	const char *raw = json_raw(answer->verdict, &length);
	opinion->outcome = answer->outcome;
	if (answer->outcome == CLAUDE_ANSWERED && raw != NULL && length < sizeof(opinion->answer)) {
		memcpy(opinion->answer, raw, length);
		opinion->answer[length] = '\0';
	} else if (answer->outcome == CLAUDE_ANSWERED) {
		opinion->outcome = CLAUDE_GARBLED;
		STR_SET(opinion->why, "the model's answer is too long");
	} else {
		STR_SET(opinion->why, err->text);
	}
	if (answer->model[0] != '\0')
		STR_SET(opinion->model, answer->model);
	opinion->cost_usd += answer->cost_usd;
	opinion->cost_known = opinion->cost_known && answer->cost_known;
	opinion->usage.in_tokens += answer->usage.in_tokens + answer->usage.write_5m_tokens +
		answer->usage.write_1h_tokens + answer->usage.read_tokens;
	opinion->usage.out_tokens += answer->usage.out_tokens;
}

/* One question to one model. */
static void ask_one(struct opinion_order *order, const char *model, struct opinion *opinion)
{
	struct err err = {0};
	struct claude_answer answer = {0};
	auto_arena arena = arena_new(PROMPT_BYTES + ANSWER_BYTES);
	struct claude_question question = {.system = opinion_system(),
		.user = opinion_prompt(order, arena),
		.schema = opinion_schema(&order->actions, arena),
		.tools = tools,
		.tool_count = sizeof(tools) / sizeof(tools[0]),
		.run = run_tool,
		.run_ctx = order,
		.rounds = ROUNDS};
	opinion->answer[0] = opinion->why[0] = '\0';
	STR_SET(opinion->model, model);
	struct claude *client = open_client(order, model, &err);
	if (client == NULL) {
		opinion->outcome = CLAUDE_MISCONFIGURED;
		STR_SET(opinion->why, err.text);
		return;
	}
	claude_ask(client, &question, arena, &answer, &err);
	keep_answer(opinion, &answer, &err);
	claude_spent_get(client, &order->spent);
	claude_close(client);
}

static bool is_unsure(const struct opinion *opinion)
{
	struct json root;
	auto_arena arena = arena_new((size_t)256 << 10);
	return opinion->outcome == CLAUDE_OVERLOADED || opinion->outcome == CLAUDE_GARBLED ||
		(opinion->outcome == CLAUDE_ANSWERED &&
			json_parse(arena, opinion->answer, strlen(opinion->answer), &root, NULL) &&
			json_num(json_get(root, "confidence"), 0) < UNSURE);
}

void opinion_ask(const struct opinion_order *order, struct opinion *opinion)
{
	const struct config_claude *claude = order->config->claude;
	struct opinion_order asked = *order;
	*opinion = (struct opinion){.cost_known = true};
	ask_one(&asked, claude->model, opinion);
	if (claude->strong_model != NULL && is_unsure(opinion)) {
		struct opinion first = *opinion;
		ask_one(&asked, claude->strong_model, opinion);
		/* An unsure answer is better than none. */
		if (opinion->outcome != CLAUDE_ANSWERED && first.outcome == CLAUDE_ANSWERED) {
			opinion->outcome = first.outcome;
			STR_SET(opinion->answer, first.answer);
			STR_SET(opinion->model, first.model);
		}
	}
	opinion->spent = asked.spent;
	opinion->evidence = asked.evidence;
}

static double price_of(const struct opinion_order *order, const char *model)
{
	auto_arena arena = arena_new(PROMPT_BYTES);
	struct claude_usage usage = {.write_5m_tokens = (int64_t)(strlen(opinion_prompt(order, arena)) +
														strlen(opinion_system())) /
			TOKEN_BYTES,
		.out_tokens = MAX_TOKENS};
	double usd = model != NULL ? claude_cost(claude_prices, claude_price_count, model, &usage) : 0;
	return usd > 0 ? usd : 0;
}

double opinion_price(const struct opinion_order *order)
{
	const struct config_claude *claude = order->config->claude;
	return price_of(order, claude->model) + price_of(order, claude->strong_model);
}
