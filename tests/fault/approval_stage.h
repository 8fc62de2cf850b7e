/*
 * A lab with one container whose restart has to be approved, and a channel that puts buttons under
 * each question. A button's id is its question's number and what it does, so that nothing need be
 * kept. For the programs that include it, each once.
 */
#ifndef TESTS_FAULT_APPROVAL_STAGE_H
#define TESTS_FAULT_APPROVAL_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "store/store.h"
#include "tests/lab_internal.h"

/* Power is not lost here: nothing need reach the disk. */
int fsync(int fd)
{
	return fd < 0;
}

int fdatasync(int fd)
{
	return fd < 0;
}

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define COMPONENT "docker_container_web"
#define CHAT 77

enum phase { WELL, ASKING, LATER, MUTED, UNANSWERED, REFUSED };

struct model {
	bool high, two;
	enum phase phase;
	bool asked;              /* about the trouble at hand */
	char first;              /* of two who have to agree: who did */
	int questions, posts;
	int64_t now, due;        /* wall ms; due 0: nothing is */
	int64_t later_until, muted_until;
};

struct stage {
	struct lab *lab;
	struct model model;
	int64_t offered;         /* the newest question whose buttons are out */
	int64_t before;          /* the last question of the orders before this one */
	int posts_before;
	int64_t began_at;        /* wall ms: this order */
	int64_t incident_id;     /* the newest */
	char done[64];           /* the steps so far */
};

/* The button of a question: its number and what it does, so that nothing need be kept. */
static void button(char id[TOKEN_BYTES], int64_t approval_id, enum token_kind kind)
{
	str_format(id, TOKEN_BYTES, "%030llx%02x", (unsigned long long)approval_id, (unsigned)kind);
}

static void take_open(void *ctx, const struct incident *incident)
{
	*(struct incident *)ctx = *incident;
}

/* The open incident; its state is CLEARED when there is none. */
static struct incident open_incident(struct stage *stage)
{
	struct incident incident = {.state = LIFE_CLEARED};
	struct err err = {0};
	assert_true(store_incidents(stage->lab->store, (struct incident_query){INCIDENTS_OPEN, 0, 0},
		take_open, &incident, &err));
	if (incident.id != 0)
		stage->incident_id = incident.id;
	return incident;
}

static struct approval newest_question(struct stage *stage)
{
	struct approval approval;
	struct err err = {0};
	assert_true(
		store_approval_newest(stage->lab->store, stage->incident_id, &approval, &err));
	return approval;
}

/* As a channel does when it is told of a question. */
static void offer(struct stage *stage)
{
	static const enum token_kind kinds[] = {TOKEN_APPROVE, TOKEN_REJECT, TOKEN_LATER};
	struct token tokens[3] = {{.id = ""}};
	struct approval approval = newest_question(stage);
	if (approval.id <= stage->offered)
		return;
	for (int i = 0; i < 3; i++) {
		tokens[i].kind = kinds[i];
		button(tokens[i].id, approval.id, kinds[i]);
		STR_SET(tokens[i].channel, "test");
		tokens[i].chat = CHAT;
		tokens[i].incident_id = approval.incident_id;
		tokens[i].approval_id = approval.id;
		STR_SET(tokens[i].plan_hash, approval.plan_hash);
	}
	stage->offered = approval.id;
	struct answer answer = lab_ask(
		stage->lab, (struct request){.kind = REQUEST_TOKENS, .tokens = tokens, .count = 3});
	assert_int_equal(answer.status, 200);
}

static struct request press_of(int64_t approval_id, enum token_kind kind, const char *actor)
{
	struct request press = {.kind = REQUEST_PRESS, .chat = CHAT};
	STR_SET(press.channel, "test");
	STR_SET(press.actor, actor);
	button(press.token, approval_id, kind);
	return press;
}

static int press(struct stage *stage, int64_t approval_id, enum token_kind kind, char who)
{
	return lab_ask(stage->lab, press_of(approval_id, kind, who == 'B' ? "test:bob" : "test:ann"))
		.status;
}

static bool is_in_phase(enum life_state state, enum phase phase)
{
	static const enum life_state states[] = {
		[ASKING] = LIFE_ASKING,
		[LATER] = LIFE_POSTPONED,
		[MUTED] = LIFE_POSTPONED,
		[UNANSWERED] = LIFE_ESCALATED,
		[REFUSED] = LIFE_REJECTED,
	};
	return phase == WELL ? !life_is_open(state) : state == states[phase];
}

static void set_config(struct stage *stage, bool high, bool two)
{
	STR_FORMAT(stage->lab->extra,
		"policy: [ { match: { component: " COMPONENT " }, risk: %s } ]\n"
		"brakes: { settle: 1s, backoff: 1s..1s, budget: 100 per 10m, hourly: 10000,"
		" two_persons: %s }\n",
		high ? "high" : "medium", two ? "true" : "false");
}

static struct stage stage_new(bool high, bool two)
{
	struct stage stage = {.lab = lab_new(""), .model = {.high = high, .two = two}};
	set_config(&stage, high, two);
	lab_script(stage.lab, "container web");
	lab_start(stage.lab);
	lab_advance(stage.lab, 1000);
	return stage;
}

#endif
