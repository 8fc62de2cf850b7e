/*
 * The life of an approval, enumerated over the whole core: every order of what people, time, the
 * component and the machine can do to a question, up to six steps, against a model of a screenful
 * that says what has to come of it. After each step the two must agree: an action without a valid
 * approval, a second one for the same approval, a question that is lost, shows at once.
 *
 * Orders that lead to the same state are followed once: the state is what is stored, all times from
 * now on, and what the buttons that are out mean. Random long orders follow no such rule.
 */
#include "tests/fault/approval_stage.h"

/* What is freed need not be kept for long in a test of thousands of daemons. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=1";
}

#define DEPTH 6
/* What can happen, by its letter. */
static const char ops[] = "ABNLPSTXCZM";
/* A  Ann approves             B  Bob approves            N  Ann says no
 * L  Ann says later           P  Ann presses the first question's button, however old it is
 * S  a stranger: a forged button, a real one in another chat, a real one on another channel
 * T  time passes until something is due
 * X  the container recovers; or, when it is well, crashes
 * C  the plan changes: a new container of the same name, which crashes
 * Z  homeostat is restarted   M  muted; or, when it is, not any longer */

static void model_ask(struct model *m)
{
	m->questions++;
	m->asked = true;
	m->phase = ASKING;
	m->first = 0;
	m->due = m->now + (m->high ? DAY : HOUR);
}

static void model_decide(struct model *m)
{
	if (m->muted_until > m->now) {
		m->phase = MUTED;
		m->due = m->muted_until;
	} else if (m->later_until > m->now) {
		m->phase = LATER;
		m->due = m->later_until;
	} else {
		model_ask(m);
	}
}

/* What waits is decided anew. */
static void model_wake(struct model *m)
{
	if (m->phase == MUTED || m->phase == LATER)
		model_decide(m);
}

static void model_fail(struct model *m)
{
	m->later_until = 0;
	m->asked = false;
	model_decide(m);
}

static void model_well(struct model *m)
{
	m->phase = WELL;
	m->due = 0;
}

/* What a button that cannot count is answered: its trouble is over, or it was asked anew. */
static int model_refusal(const struct model *m, bool is_newest)
{
	return m->phase == WELL || (is_newest && !m->asked) ? 404 : 409;
}

/* What is answered to a yes. */
static int model_approve(struct model *m, char who)
{
	if (m->phase != ASKING || m->first == who)
		return model_refusal(m, true);
	if (m->two && m->high && m->first == 0) {
		m->first = who;
		return 200;
	}
	m->posts++;
	model_well(m);
	return 200;
}

static int model_answer(struct model *m, char op)
{
	if (m->phase != ASKING)
		return model_refusal(m, true);
	m->phase = op == 'N' ? REFUSED : LATER;
	m->later_until = op == 'L' ? m->now + HOUR : 0;
	m->due = m->later_until;
	return 200;
}

/* The clock stands at what was due. */
static void model_due(struct model *m)
{
	if (m->due == 0)
		return;
	if (m->phase == ASKING && !m->high) {
		m->phase = UNANSWERED;
		m->due = m->now + 6 * HOUR;
	} else if (m->phase == ASKING) {
		model_ask(m);
	} else {
		model_decide(m);
	}
}

static int64_t wall(const struct stage *stage)
{
	return clock_wall_ms(stage->lab->clock);
}

static void stranger_presses(struct stage *stage)
{
	struct request forged = press_of(stage->offered, TOKEN_APPROVE, "test:mallory");
	forged.token[0] = 'f';
	assert_int_equal(lab_ask(stage->lab, forged).status, 404);
	if (stage->offered == stage->before)
		return;
	struct request elsewhere = press_of(stage->offered, TOKEN_APPROVE, "test:mallory");
	elsewhere.chat = CHAT + 1;
	assert_int_equal(lab_ask(stage->lab, elsewhere).status, 409);
	struct request other = press_of(stage->offered, TOKEN_APPROVE, "test:mallory");
	STR_SET(other.channel, "tess");
	assert_int_equal(lab_ask(stage->lab, other).status, 409);
}

static void until_due(struct stage *stage)
{
	int64_t due = stage->model.due != 0 ? stage->model.due : stage->model.now + HOUR;
	/* the model's clock is off by the seconds that actions took */
	lab_skip(stage->lab, due - wall(stage) + 10000);
	stage->model.now = wall(stage);
	model_due(&stage->model);
}

static void crash(struct stage *stage)
{
	lab_script(stage->lab, "crash web 1");
	lab_advance(stage->lab, 1000);
	model_fail(&stage->model);
}

static void turn(struct stage *stage)
{
	if (stage->model.phase == WELL) {
		crash(stage);
		return;
	}
	lab_script(stage->lab, "start web");
	lab_advance(stage->lab, 1000);
	model_well(&stage->model);
}

static void toggle_mute(struct stage *stage)
{
	struct model *m = &stage->model;
	struct request request = {.kind = REQUEST_MUTE, .actor = "test:ann"};
	STR_SET(request.component, COMPONENT);
	request.for_ms = m->muted_until == 0 ? 30 * DAY : 0;
	assert_int_equal(lab_ask(stage->lab, request).status, 200);
	m->muted_until = m->muted_until == 0 ? m->now + 30 * DAY : 0;
	if (m->muted_until == 0)
		model_wake(m);
}

static void answer_op(struct stage *stage, char op)
{
	struct model *m = &stage->model;
	enum token_kind kind = op == 'N' ? TOKEN_REJECT : op == 'L' ? TOKEN_LATER : TOKEN_APPROVE;
	int64_t first = stage->before + 1;
	int posts = m->posts;
	int expected, status = press(stage, op == 'P' ? first : stage->offered, kind, op);
	if (stage->offered == stage->before)
		expected = 404;
	else if (op == 'P' && stage->offered != first)
		expected = status == 404 ? 404 : 409;
	else
		expected = kind == TOKEN_APPROVE ? model_approve(m, op == 'B' ? 'B' : 'A')
										 : model_answer(m, op);
	if (status != expected)
		fail_msg("%s: answered %d, not %d", stage->done, status, expected);
	if (m->posts > posts)
		lab_advance(stage->lab, 2000);
}

static void play_op(struct stage *stage, char op)
{
	stage->model.now = wall(stage);
	switch (op) {
	case 'S':
		stranger_presses(stage);
		break;
	case 'T':
		until_due(stage);
		break;
	case 'X':
		turn(stage);
		break;
	case 'C':
		lab_script(stage->lab, "recreate web");
		lab_advance(stage->lab, 1000);
		crash(stage);
		break;
	case 'Z':
		lab_stop(stage->lab);
		lab_start(stage->lab);
		lab_advance(stage->lab, 1000);
		model_wake(&stage->model);
		break;
	case 'M':
		toggle_mute(stage);
		break;
	default:
		answer_op(stage, op);
		break;
	}
	lab_settle(stage->lab);
}

static int64_t apart(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

/* The core against the model. */
static void compare(struct stage *stage)
{
	const struct model *m = &stage->model;
	struct incident incident = open_incident(stage);
	struct approval approval = newest_question(stage);
	if (lab_posts(stage->lab, "*") != m->posts)
		fail_msg("%s: %d actions, not %d", stage->done, lab_posts(stage->lab, "*"), m->posts);
	if (!is_in_phase(incident.state, m->phase))
		fail_msg("%s: is %s (%s), not in phase %d", stage->done, life_state_name(incident.state),
			incident.reason, (int)m->phase);
	if (m->phase == ASKING && (approval.id != m->questions || approval.decided_at != 0))
		fail_msg(
			"%s: question %lld is open, not %d", stage->done, (long long)approval.id, m->questions);
	if (m->phase != ASKING && approval.id > m->questions)
		fail_msg("%s: asked %lld times, not %d", stage->done, (long long)approval.id, m->questions);
	if (m->phase != WELL && apart(incident.wake_at, m->due) > 10000)
		fail_msg("%s: is due in %lld s, not in %lld", stage->done,
			(long long)(incident.wake_at - wall(stage)) / 1000,
			(long long)(m->due - wall(stage)) / 1000);
}

/* Each action has an approval of its own, by the right people, in time. */
struct proof {
	struct stage *stage;
	const struct action_record *action;
	int actions, approvals;
};

static void count_approval(void *ctx, const struct approval *approval)
{
	struct proof *proof = ctx;
	const struct model *m = &proof->stage->model;
	if (!approval->approved || approval->attempt != proof->action->attempt)
		return;
	assert_string_equal(approval->actor, proof->action->actor);
	assert_true(str_equal(approval->actor, "test:ann") || str_equal(approval->actor, "test:bob"));
	assert_true(approval->decided_at != 0 && approval->decided_at <= proof->action->began_at);
	assert_true(approval->expires_at == 0 || approval->expires_at > proof->action->began_at);
	assert_int_equal(approval->first_actor[0] != '\0', m->high && m->two);
	assert_string_not_equal(approval->first_actor, approval->actor);
	proof->approvals++;
}

static void prove_action(void *ctx, const struct action_record *action)
{
	struct proof *proof = ctx;
	struct err err = {0};
	proof->action = action;
	proof->actions++;
	assert_true(store_approvals(
		proof->stage->lab->store, action->incident_id, count_approval, proof, &err));
}

static void prove(struct stage *stage)
{
	struct proof proof = {.stage = stage};
	struct err err = {0};
	int posts = stage->model.posts - stage->posts_before;
	assert_true(
		store_actions(stage->lab->store, stage->began_at, NULL, prove_action, &proof, &err));
	if (proof.actions != posts || proof.approvals != posts)
		fail_msg("%s: %d actions by %d approvals, not %d", stage->done, proof.actions,
			proof.approvals, posts);
}

/* All is well again, and no button of before counts. */
static void rewind_stage(struct stage *stage)
{
	STR_SET(stage->done, "");
	stage->model.now = wall(stage);
	if (stage->model.muted_until != 0)
		toggle_mute(stage);
	if (stage->model.phase != WELL)
		turn(stage);
	compare(stage);
	offer(stage);
	stage->before = stage->offered;
	stage->posts_before = stage->model.posts;
	stage->began_at = wall(stage);
}

static void play(struct stage *stage, const char *steps)
{
	rewind_stage(stage);
	for (const char *op = steps; *op != '\0'; op++) {
		str_format(stage->done, sizeof(stage->done), "%.*s", (int)(op - steps) + 1, steps);
		play_op(stage, *op);
		compare(stage);
		offer(stage);
	}
	prove(stage);
}

/* What the future can depend on. Times to the minute: steps take seconds. */
static void fingerprint(struct stage *stage, char *text, size_t size)
{
	const struct model *m = &stage->model;
	struct incident incident = open_incident(stage);
	struct approval approval = newest_question(stage);
	int64_t now = wall(stage);
	bool asked = approval.id > stage->before;
	size_t steps = strlen(stage->done);
	str_format(text, size, "%s %s %d %d %d %d %d %s %lld %lld %lld %d %c",
		life_is_open(incident.state) ? life_state_name(incident.state) : "-",
		lab_container(stage->lab, "web"), m->phase, asked, asked && approval.decided_at != 0,
		asked && approval.approved, asked && approval.expires_at != 0,
		asked ? approval.first_actor : "",
		(long long)(incident.wake_at != 0 ? (incident.wake_at - now) / 60000 : 0),
		(long long)(asked && approval.expires_at != 0 ? (approval.expires_at - now) / 60000 : 0),
		(long long)(m->muted_until != 0 ? (m->muted_until - now) / DAY : 0),
		stage->offered - stage->before > 1 ? 2 : (int)(stage->offered - stage->before),
		/* what a restart has forgotten shows in the next step at the latest */
		steps > 0 && stage->done[steps - 1] == 'Z' ? 'Z' : ' ');
}

struct known {
	char text[160];
};

static bool is_news(struct known **known, int *count, const char *text)
{
	for (int i = 0; i < *count; i++)
		if (str_equal((*known)[i].text, text))
			return false;
	*known = realloc(*known, (size_t)(*count + 1) * sizeof(**known));
	assert_non_null(*known);
	STR_SET((*known)[(*count)++].text, text);
	return true;
}

struct order {
	char steps[DEPTH + 1];
};

/* Where few random orders will do (SEEDS), short ones will. */
static size_t depth(void)
{
	return getenv("SEEDS") != NULL ? DEPTH - 2 : DEPTH;
}

/* Breadth first: the first order that reaches a state is the shortest. */
static void enumerate(bool high, bool two)
{
	struct order *queue = calloc(1, sizeof(*queue));
	struct known *known = NULL;
	int queued = 1, states = 0, runs = 0;
	struct stage stage = stage_new(high, two);
	for (int next = 0; next < queued; next++) {
		char text[160];
		struct order order = queue[next];
		play(&stage, order.steps);
		fingerprint(&stage, text, sizeof(text));
		runs++;
		size_t length = strlen(order.steps);
		if (length < depth() && is_news(&known, &states, text)) {
			queue = realloc(queue, (size_t)(queued + (int)strlen(ops)) * sizeof(*queue));
			assert_non_null(queue);
			for (const char *op = ops; *op != '\0'; op++) {
				order.steps[length] = *op;
				queue[queued++] = order;
			}
		}
	}
	lab_free(stage.lab);
	print_message("# %s%s: %d orders run, %d states\n", high ? "HIGH" : "MEDIUM",
		two ? ", two persons" : "", runs, states);
	assert_true(states > 20); /* fewer, and nothing was asked */
	free(queue);
	free(known);
}

static void in_every_order_a_medium_action_needs_its_approval(void **state)
{
	enumerate(false, false);
}

static void in_every_order_a_high_action_needs_its_approval(void **state)
{
	enumerate(true, false);
}

static void in_every_order_two_persons_have_to_agree_to_a_high_one(void **state)
{
	enumerate(true, true);
}

static void in_long_orders_drawn_by_a_seed_too(void **state)
{
	const char *seeds = getenv("SEEDS");
	int runs = seeds != NULL ? atoi(seeds) : 60;
	for (int seed = 1; seed <= runs; seed++) {
		char steps[25] = "";
		unsigned random = (unsigned)seed * 2654435761u;
		for (size_t i = 0; i + 1 < sizeof(steps); i++) {
			random = random * 1103515245u + 12345u;
			steps[i] = ops[(random >> 16) % strlen(ops)];
		}
		struct stage stage = stage_new(seed % 3 != 0, seed % 3 == 2);
		play(&stage, steps);
		lab_free(stage.lab);
	}
	print_message("# %d orders of 24 steps\n", runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_every_order_a_medium_action_needs_its_approval),
		cmocka_unit_test(in_every_order_a_high_action_needs_its_approval),
		cmocka_unit_test(in_every_order_two_persons_have_to_agree_to_a_high_one),
		cmocka_unit_test(in_long_orders_drawn_by_a_seed_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
