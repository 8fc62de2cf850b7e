/*
 * What the tests of the simulated Telegram share: a world on a wound clock, and asking it.
 */
#ifndef TESTS_TELEGRAM_WORLD_H
#define TESTS_TELEGRAM_WORLD_H

#include "sim/telegram.h"

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

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define QUOTE(...) #__VA_ARGS__

struct world {
	struct clock *clock;
	struct sim_telegram *sim;
	struct arena *arena;
	struct sim_tg_reply reply;
};

static inline void script(struct world *world, const char *line)
{
	char text[256] = "";
	if (!sim_telegram_script(world->sim, line, text, sizeof(text)))
		fail_msg("%s: %s", line, text);
}

static inline struct world open_world(void)
{
	struct world world = {
		.clock = clock_new_wound(1795469000000), .arena = arena_new((size_t)512 << 20)};
	world.sim = sim_telegram_new(world.clock);
	script(&world, "user 42 Ada username=ada last=Lovelace");
	script(&world, "user 43 Bob");
	script(&world, "chat -100 group Lab");
	script(&world, "chat -1001234567890 supergroup Forum forum");
	script(&world, "topic Forum 7 Alerts");
	return world;
}

static inline void close_world(struct world *world)
{
	sim_telegram_free(world->sim);
	clock_free(world->clock);
	arena_free(world->arena);
}

static inline void send_raw(
	struct world *world, const char *url, const char *type, const char *body, size_t length)
{
	const struct sim_tg_request request = {
		.method = "POST", .url = url, .content_type = type, .body = body, .body_bytes = length};
	world->reply = (struct sim_tg_reply){0};
	sim_telegram_handle(world->sim, &request, world->arena, &world->reply);
}

static inline int call(struct world *world, const char *method, const char *json)
{
	char url[200];
	snprintf(url, sizeof(url), "/bot%s/%s", SIM_TG_TOKEN, method);
	send_raw(world, url, "application/json", json, strlen(json));
	return world->reply.status;
}

static inline struct json body_of(struct world *world)
{
	struct json root;
	assert_true(json_parse(world->arena, world->reply.body, world->reply.body_bytes, &root, NULL));
	return root;
}

static inline int64_t number(struct world *world, const char *path)
{
	return json_int(json_path(body_of(world), path), -1);
}

static inline void assert_refused(struct world *world, int status, const char *words)
{
	char text[480];
	json_copy(json_get(body_of(world), "description"), text, sizeof(text));
	assert_string_equal(text, words);
	assert_int_equal(world->reply.status, status);
	assert_int_equal(number(world, "error_code"), status);
}

/* Sends text to Ada as HTML; her chat is never too fast. */
static inline int send_html(struct world *world, const char *text)
{
	struct str body;
	struct json_out out;
	str_init(&body, world->arena);
	json_begin(&out, &body);
	json_open(&out, NULL, '{');
	json_put_int(&out, "chat_id", 42);
	json_put_str(&out, "text", text);
	json_put_str(&out, "parse_mode", "HTML");
	json_close(&out, '}');
	clock_advance(world->clock, 5000);
	return call(world, "sendMessage", body.s);
}

/* Its update ids, as "1 2", from the first of this world; "held" when it waits. */
static inline const char *poll(struct world *world, const char *json)
{
	struct str ids;
	str_init(&ids, world->arena);
	call(world, "getUpdates", json);
	if (world->reply.wire == SIM_TG_HELD)
		return "held";
	assert_int_equal(world->reply.status, 200);
	for (struct json update = json_first(json_get(body_of(world), "result")); json_is(update);
		 update = json_next(update))
		str_addf(&ids, "%s%lld", ids.len > 0 ? " " : "",
			(long long)json_int(json_get(update, "update_id"), 0) - 700000000);
	return ids.s;
}

static inline const char *repeated(struct world *world, const char *text, int n)
{
	struct str str;
	str_init(&str, world->arena);
	for (int i = 0; i < n; i++)
		str_add(&str, text);
	return str.s;
}

#endif
